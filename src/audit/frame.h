/* Inside the audit room: what a frame is made of, line by line. */
#ifndef OKNO_AUDIT_FRAME_H
#define OKNO_AUDIT_FRAME_H

#include "days.h"
#include "okno/hash.h"
#include "okno/time.h"
#include "room.h"

/* How long after a sale, or from the beginning of a minute, one looks for the question. */
#define FRAME_VISIT_US (60 * OKNO_SECOND_US)
/* A survey that was opened as much before or after goes with a sale. */
#define FRAME_REACH_US (120 * OKNO_SECOND_US)

/* Texts are borrowed for the call; employee NULL for nobody. */
struct frame_unit {
    const char *id, *site, *point, *employee, *question, *question_kind, *class_name, *video;
    int64_t opened_us, closes_us;
    bool force_majeure;
};

/* What is looked up once for many lines, and what they come to. */
struct frame_writer {
    struct okno_db *db;
    const struct audit_row *audit;
    struct days days;
    json_t *names; /* of employees to pseudonyms; owned */
    struct okno_hash hash;
    int64_t count;
};

/* The next line, in the order of ids. OKNO_TOO_LARGE past what can be drawn from. */
OKNO_CHECK int frame_add(struct frame_writer *writer, const struct frame_unit *unit,
                         struct okno_err *err);

/* Every whole minute of the period in which a point is open: all where its hours are not known. */
OKNO_CHECK int frame_add_minutes(struct frame_writer *writer, struct okno_err *err);

#endif

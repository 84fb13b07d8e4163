/* Inside the survey room: what the database knows of a point, and rows of surveys. */
#ifndef OKNO_SURVEY_STORE_H
#define OKNO_SURVEY_STORE_H

#include "okno/db.h"
#include "okno/hours.h"
#include "okno/registry.h"
#include "okno/survey.h"
#include "okno/vec.h"

#include <jansson.h>

OKNO_VEC(survey_panel_vec, struct okno_survey_panel);
OKNO_VEC(survey_question_vec, struct okno_survey_question);

/* A device that was ever paired with the point, and its clock. */
struct survey_device {
    const struct okno_pairing *pairings; /* with the point, ordered by from */
    size_t pairing_count;
    struct okno_clock_vec clock;
};
OKNO_VEC(survey_device_vec, struct survey_device);

/* Everything but events that the core needs to know of one point. */
struct survey_facts {
    struct okno_point point;
    struct okno_pairing_vec pairings;
    struct okno_question_vec questions;
    struct survey_device_vec devices;
    struct survey_panel_vec panels;
    struct survey_question_vec asked; /* the questions as the core takes them */
    struct okno_hours *hours;         /* NULL: none, or none that can be read */
};

/* OKNO_NOT_FOUND: no such point. *facts starts zeroed and is freed by the caller on failure too. */
OKNO_CHECK int survey_facts_load(struct okno_db *db, const char *point, struct survey_facts *facts,
                                 struct okno_err *err);
void survey_facts_free(struct survey_facts *facts);

/* The facts as the core takes them; borrows from *facts. */
struct okno_survey_input survey_facts_input(const struct survey_facts *facts,
                                            const struct okno_survey_params *params,
                                            int64_t now_us);

/* The earliest time that a clock shows at or after an instant: what it showed before that, it
 * showed before the instant for the last time. */
int64_t survey_clock_shown_from(const struct okno_clock_vec *clock, int64_t utc_us);

/* The events of a point in okno_survey_event_order, some at a time from each device. */
struct survey_reader {
    struct okno_db *db;
    const struct survey_facts *facts;
    int64_t from_us;
    bool all;                      /* signs of life too */
    struct survey_source *sources; /* one for each device */
    int64_t read;                  /* rows of events */
    int64_t suspect;               /* left out: more than 24 h ahead of their receipt */
};

/* Events at or after from_us. *facts must outlive the reader; the caller closes it, after a failure
 * too. */
OKNO_CHECK int survey_reader_open(struct okno_db *db, const struct survey_facts *facts,
                                  int64_t from_us, bool all, struct survey_reader *ret_reader,
                                  struct okno_err *err);

/* 1: the next event, if it is before until_us; it lives as long as the reader's next call, its
 * texts as long as the reader. 0: there is none before. Ask with moments that do not go back. */
OKNO_CHECK int survey_reader_next(struct survey_reader *reader, int64_t until_us,
                                  const struct okno_survey_event **ret_event, struct okno_err *err);
void survey_reader_close(struct survey_reader *reader);

/* What a refresh works with. */
struct survey_refresh {
    struct okno_db *db;
    const struct okno_survey_params *params;
    int64_t now_us;
    bool any_stale;      /* rows wait in survey_stale */
    int64_t turn_events; /* taken in the transaction at hand */
    struct okno_survey_refreshed counts;
};

/* Put spans of points that something new concerns into survey_dirty_spans, in a transaction of the
 * caller's. */
OKNO_CHECK int survey_mark(struct survey_refresh *refresh, struct okno_err *err);

/* Whether an event, by its corrected time, is too far ahead of its receipt. */
bool survey_is_suspect(int64_t at_us, int64_t arrived_us);

OKNO_VEC(survey_id_vec, char *);

/* Writes what a stream gives for one stretch of a point, differences only. */
struct survey_writer {
    struct survey_refresh *refresh;
    const struct survey_facts *facts;
    struct survey_batch {
        int64_t from_us, last_us; /* rows are those of [from, last] */
        struct survey_id_vec ids;
    } batches[3];                 /* by table: surveys, ratings, situations */
    struct okno_shift_vec shifts; /* of [shifts_from_us, shifts_to_us) */
    int64_t shifts_from_us, shifts_to_us;
};

/* A writer for the stretch that begins at from_us; the caller frees it. */
struct survey_writer survey_writer_make(struct survey_refresh *refresh,
                                        const struct survey_facts *facts, int64_t from_us);
struct okno_survey_sink survey_writer_sink(struct survey_writer *writer);

/* The stretch ends at to_us: what is stored in it and was not made again is gone. */
OKNO_CHECK int survey_writer_end(struct survey_writer *writer, int64_t to_us, struct okno_err *err);
void survey_writer_free(struct survey_writer *writer);

/* Of what waits in survey_stale, some: surveys that nothing made again go, and their history tells
 * so. 1: more wait. In a transaction of the caller's. */
OKNO_CHECK int survey_remove_stale(struct survey_refresh *refresh, struct okno_err *err);

/* A row of `surveys`; empty texts stand for NULL. */
struct survey_row {
    char survey[OKNO_EVENT_ID_TEXT];
    char point[OKNO_ID_TEXT], site[OKNO_ID_TEXT], employee[OKNO_ID_TEXT];
    char question[OKNO_ID_TEXT], question_kind[16], channel[OKNO_ID_TEXT];
    char state[16], answer[16], flags[OKNO_SURVEY_FLAGS_TEXT], auto_reason[24];
    int64_t opened_us, closes_us, answered_us;
    int64_t extra_answers, late_answers;
    int64_t force_majeure, test, auto_void;
    int64_t offset_us, uncertainty_us;
    int64_t placed_us; /* not compared */
};

/* 1: read, 0: there is no such survey. */
OKNO_CHECK int survey_row_get(struct okno_db *db, const char *survey, struct survey_row *ret_row,
                              struct okno_err *err);
OKNO_CHECK int survey_row_put(struct okno_db *db, const struct survey_row *row,
                              struct okno_err *err);
bool survey_row_equal(const struct survey_row *a, const struct survey_row *b);

/* Whether going from `was` to `became` is more than time passing: a closed survey that differs in
 * more than having been heard of and how well the clock is known. */
bool survey_row_is_correction(const struct survey_row *was, const struct survey_row *became);

/* The history's text of a row (canonical JSON). The caller frees *ret_text. */
OKNO_CHECK int survey_row_text(const struct survey_row *row, char **ret_text, struct okno_err *err);

#endif

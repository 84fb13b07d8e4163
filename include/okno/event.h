/* Events: raw facts from the devices at a point. Append-only; identity is (device, boot, seq). */
#ifndef OKNO_EVENT_H
#define OKNO_EVENT_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/import.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, text). A bounce is a contact shorter than 30 ms: kept so that the sequence shows no gap,
 * ignored otherwise. */
#define OKNO_EVENT_KIND_TABLE(X)                                                                   \
    X(PRESS, "press")                                                                              \
    X(HOLD, "hold")                                                                                \
    X(YES, "yes")                                                                                  \
    X(NO, "no")                                                                                    \
    X(UNSURE, "unsure")                                                                            \
    X(ALIVE, "alive")                                                                              \
    X(BOUNCE, "bounce")

enum okno_event_kind {
#define OKNO_EVENT_ENUM(name, text) OKNO_EVENT_##name,
    OKNO_EVENT_KIND_TABLE(OKNO_EVENT_ENUM)
#undef OKNO_EVENT_ENUM
        OKNO_EVENT_KIND_COUNT
};

/* Lower-case name, as stored and shown. Never NULL for a kind of the table. */
const char *okno_event_kind_text(enum okno_event_kind kind);

/* The kind of that name; OKNO_INVALID otherwise, naming what is allowed. */
OKNO_CHECK int okno_event_kind_parse(const char *text, enum okno_event_kind *ret_kind,
                                     struct okno_err *err);

static inline bool okno_event_kind_is_answer(enum okno_event_kind kind)
{
    return kind == OKNO_EVENT_YES || kind == OKNO_EVENT_NO || kind == OKNO_EVENT_UNSURE;
}

/* Room for okno_event_id: 64 for the device, two numbers, two dots, the NUL. */
#define OKNO_EVENT_ID_TEXT 112

/* `<device>.<boot>.<seq>` into ret_text: the identity of an event, and of the survey, rating or
 * situation that begins with it. Returns ret_text. */
const char *okno_event_id(const char *device, int64_t boot, int64_t seq,
                          char ret_text[OKNO_EVENT_ID_TEXT]);

/* Numbers of devices stay exact in every JSON reader. */
#define OKNO_EVENT_NUMBER_MAX INT64_C(9007199254740991)
#define OKNO_EVENT_DURATION_MAX_MS INT64_C(86400000)
#define OKNO_EVENT_NO_DURATION INT64_C(-1)

/* Contacts shorter than this are bounces, from the second on holds. */
enum { OKNO_EVENT_PRESS_MS = 30, OKNO_EVENT_HOLD_MS = 1000 };

/* An event as a device tells it. */
struct okno_event {
    const char *device;  /* an id */
    int64_t boot, seq;   /* 0..OKNO_EVENT_NUMBER_MAX */
    const char *kind;    /* NULL: the duration tells */
    int64_t duration_ms; /* of the contact; OKNO_EVENT_NO_DURATION: not told */
    int64_t at_us;       /* on the device's clock */
    const char *channel; /* NULL: the panel */
};

struct okno_event_receipt {
    int64_t at_us;  /* when it arrived, UTC */
    int64_t import; /* row of imports, 0: none */
};

enum okno_event_stored { OKNO_EVENT_ADDED, OKNO_EVENT_DUPLICATE };

/* What the event is: the kind told, or by duration < 30 ms bounce, < 1000 ms press, else hold.
 * A press or hold whose duration says otherwise, neither kind nor duration, a kind that devices do
 * not send: OKNO_INVALID or OKNO_MISSING. Pure. */
OKNO_CHECK int okno_event_classify(const char *kind, int64_t duration_ms,
                                   enum okno_event_kind *ret_kind, struct okno_err *err);

/* Takes many events in one transaction after another: known devices are looked up once, and what is
 * kept of each device (device_runs, that its surveys are to be made anew) is summed up and written
 * by okno_event_intake_end, which the caller calls before each commit. After a rollback it is of no
 * use. */
struct okno_event_intake;
OKNO_CHECK int okno_event_intake_open(struct okno_db *db, struct okno_event_intake **ret_intake,
                                      struct okno_err *err);
void okno_event_intake_free(struct okno_event_intake *intake);
OKNO_CLEANUP(okno_event_intake, okno_event_intake_free);

/* As okno_event_store. An event that fails leaves nothing behind. */
OKNO_CHECK int okno_event_intake_add(struct okno_event_intake *intake,
                                     const struct okno_event *event,
                                     const struct okno_event_receipt *receipt,
                                     enum okno_event_stored *ret_stored, struct okno_err *err);
OKNO_CHECK int okno_event_intake_end(struct okno_event_intake *intake, struct okno_err *err);

/* Check and store one event, inside the caller's transaction; on disk when that commits. The same
 * identity and content again: OKNO_EVENT_DUPLICATE. OKNO_CONFLICT: the identity is taken by other
 * content, the first stays. OKNO_INVALID, OKNO_MISSING: naming field and value. OKNO_UNKNOWN_REF:
 * no such device (known devices need no pairing). An event more than 24 h ahead of its receipt is
 * stored, but makes no surveys until a clock measurement explains it. */
OKNO_CHECK int okno_event_store(struct okno_db *db, const struct okno_event *event,
                                const struct okno_event_receipt *receipt,
                                enum okno_event_stored *ret_stored, struct okno_err *err);

/* The import kind `events`. */
extern const struct okno_import_kind okno_event_import;

#endif

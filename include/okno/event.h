/* Events: raw facts from the devices at a point. Append-only; identity is (device, boot, seq). */
#ifndef OKNO_EVENT_H
#define OKNO_EVENT_H

#include "okno/err.h"

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

#endif

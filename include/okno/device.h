/* Devices in the field: are they heard of, is their sequence whole, is their clock right? */
#ifndef OKNO_DEVICE_H
#define OKNO_DEVICE_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/event.h"
#include "okno/text.h"
#include "okno/vec.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* X(NAME, text), worst first.
 * clock_suspect: its clock, or an event of it, is more than a day off and no measurement says so;
 * clock_jump: it was set within a week, and nobody measured it since; quiet: paired with a point
 * and not heard of for too long, times aside in which the point is closed for a day or longer. */
#define OKNO_DEVICE_ALERT_TABLE(X)                                                                 \
    X(CLOCK_SUSPECT, "clock_suspect")                                                              \
    X(CLOCK_JUMP, "clock_jump")                                                                    \
    X(QUIET, "quiet")

enum okno_device_alert_place {
#define OKNO_ALERT_ENUM(name, text) OKNO_DEVICE_PLACE_##name,
    OKNO_DEVICE_ALERT_TABLE(OKNO_ALERT_ENUM)
#undef OKNO_ALERT_ENUM
        OKNO_DEVICE_ALERT_COUNT
};

enum okno_device_alert {
#define OKNO_ALERT_ENUM(name, text) OKNO_DEVICE_##name = 1 << OKNO_DEVICE_PLACE_##name,
    OKNO_DEVICE_ALERT_TABLE(OKNO_ALERT_ENUM)
#undef OKNO_ALERT_ENUM
};

/* INT64_MIN in a time: none. */
struct okno_device {
    char device[OKNO_ID_TEXT];
    char point[OKNO_ID_TEXT]; /* paired with now; "" for none */
    int64_t last_event_us;    /* the latest event's time, corrected; suspect events aside */
    int64_t last_arrival_us;
    int64_t measured_us; /* the clock's newest measurement */
    int64_t offset_us, uncertainty_us;
    int64_t missing; /* numbers that never came, between the first and the last of each boot */
    char first_missing[OKNO_EVENT_ID_TEXT]; /* "" for none */
    int64_t unheard_since_us;               /* with OKNO_DEVICE_QUIET */
    unsigned alerts;                        /* set of okno_device_alert */
};
OKNO_VEC(okno_device_vec, struct okno_device);

/* All that are paired, have a token or sent something, by id, appended. liveness_us: how long a
 * paired device may be silent while its point is open, nights included. */
OKNO_CHECK int okno_device_list(struct okno_db *db, int64_t now_us, int64_t liveness_us,
                                struct okno_device_vec *devices, struct okno_err *err);

/* The length of [from, to) for a point: without the times in which its opening hours, if they are
 * known, say that it is closed for a day or longer. OKNO_NOT_FOUND: no such point. */
OKNO_CHECK int okno_device_awake_us(struct okno_db *db, const char *point, int64_t from_us,
                                    int64_t to_us, int64_t *ret_awake_us, struct okno_err *err);

/* The worst alert's name, or "ok". */
const char *okno_device_state(const struct okno_device *device);

/* As `device list --json` and the API give it; NULL: no memory. The caller owns the reference. */
json_t *okno_device_json(const struct okno_device *device);

#endif

/* Offsets of clocks from their dated measurements. Pure. Source: product specification, section 4.
 *
 * offset = clock - UTC, positive: the clock runs ahead. */
#ifndef OKNO_CLOCK_H
#define OKNO_CLOCK_H

#include "okno/err.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One measurement at a UTC instant. `step`: the clock was set then; before, the earlier measurement
 * holds up to this instant instead of a line between the two. */
struct okno_clock_measurement {
    int64_t at_us;
    int64_t offset_us;
    int64_t uncertainty_us;
    bool step;
};
OKNO_VEC(okno_clock_vec, struct okno_clock_measurement);

struct okno_clock_offset {
    int64_t offset_us;
    int64_t uncertainty_us;
    bool measured; /* false: never measured, 0 with 10 s */
};

/* The offset at a UTC instant. Between two measurements a line between them, unless the later is a
 * step; outside, the nearest holds. The uncertainty is the line's (or the held one's) and 50 ppm of
 * the distance to the nearest measurement used. `measurements` are ordered by at_us. */
struct okno_clock_offset okno_clock_at(const struct okno_clock_measurement *measurements,
                                       size_t count, int64_t utc_us);

/* The UTC instant at which the clock showed `shown_us`, and the offset there. Where the clock was
 * set back and showed it twice, the later; where it was set forward over it, the instant of the
 * step. */
int64_t okno_clock_to_utc(const struct okno_clock_measurement *measurements, size_t count,
                          int64_t shown_us, struct okno_clock_offset *ret_offset);

/* "fast by 37.000 s", "slow by 1.250 s" or "right". */
#define OKNO_CLOCK_TEXT 48
const char *okno_clock_say(int64_t offset_us, char ret_text[OKNO_CLOCK_TEXT]);

/* ---- what a device says of its own clock when it sends events ---- */

/* The uncertainty of such a report: the round trip is not known, and the request took some of it.
 */
#define OKNO_CLOCK_REPORT_US INT64_C(2000000)
/* A clock further off than this is suspect until a person measures it. */
#define OKNO_CLOCK_PLAUSIBLE_US INT64_C(86400000000)
/* A report that says what is known anyway is kept when the newest measurement is older than this,
 * so that the uncertainty does not grow. */
#define OKNO_CLOCK_RENEW_US INT64_C(14400000000)

struct okno_clock_report {
    int64_t shown_us;    /* what the device's clock showed when it sent the request */
    int64_t arrived_us;  /* when the request was read, UTC */
    int64_t agreed_us;   /* when a report last fitted what is known; INT64_MIN: never */
    int64_t earliest_us; /* the earliest moment, on the device's clock, that the request tells of */
};

enum okno_clock_finding {
    OKNO_CLOCK_KNOWN,   /* it says what is known; nothing to keep */
    OKNO_CLOCK_RENEWED, /* the same, kept so that the uncertainty does not grow */
    OKNO_CLOCK_MOVED,   /* first measurement, or as far off as drift explains */
    OKNO_CLOCK_JUMPED,  /* the clock was set */
    OKNO_CLOCK_SUSPECT  /* more than a day off, and no measurement says so: not kept */
};

/* Judge a report against the device's measurements (ordered by at_us). RENEWED, MOVED and JUMPED
 * fill *ret_measurement with what to keep. RENEWED keeps the known offset, so that no time moves.
 * JUMPED is dated where the request's earliest event needs it, but after agreed_us and the newest
 * measurement: what was sent with the report was most likely recorded on the clock as it is now. */
enum okno_clock_finding okno_clock_judge(const struct okno_clock_measurement *measurements,
                                         size_t count, const struct okno_clock_report *report,
                                         struct okno_clock_measurement *ret_measurement);

/* ---- what a look at an archive's clock says ---- */

/* Judge it (offset and uncertainty at at_us) against what is known: KNOWN when it fits and the
 * newest measurement is no older than OKNO_CLOCK_RENEW_US, MOVED when it is the first or drift
 * explains it, JUMPED when not: then ret_measurement is a step. MOVED and JUMPED are to be kept. */
enum okno_clock_finding okno_clock_judge_look(const struct okno_clock_measurement *measurements,
                                              size_t count,
                                              const struct okno_clock_measurement *look,
                                              struct okno_clock_measurement *ret_measurement);

/* ---- drift ---- */

/* A straight line through measurements since the last step: offset at at_us, and what the clock
 * gains. Theil and Sen's: the median of the slopes of all pairs (P. K. Sen, 1968), which a wrong
 * measurement in four does not move. */
struct okno_clock_fit {
    int64_t at_us; /* of the newest measurement */
    int64_t offset_us;
    int64_t uncertainty_us; /* at at_us: the residuals' spread over the root of their number, and
                               the measurements' own */
    double rate_ppm, rate_uncertainty_ppm; /* the latter: half of the slopes' middle half, over the
                                              root of the number of measurements */
    size_t count;
};
enum { OKNO_CLOCK_FIT_LEAST = 3, OKNO_CLOCK_FIT_MOST = 1000 };

/* False with fewer than OKNO_CLOCK_FIT_LEAST since the last step, or all within an hour. The newest
 * OKNO_CLOCK_FIT_MOST are looked at; needs room for 500,000 numbers. OKNO_NO_MEMORY. */
OKNO_CHECK int okno_clock_fit(const struct okno_clock_measurement *measurements, size_t count,
                              bool *ret_fits, struct okno_clock_fit *ret_fit, struct okno_err *err);

#endif

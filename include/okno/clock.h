/* Offsets of clocks from their dated measurements. Pure. Source: product specification, section 4.
 *
 * offset = clock - UTC, positive: the clock runs ahead. */
#ifndef OKNO_CLOCK_H
#define OKNO_CLOCK_H

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

#endif

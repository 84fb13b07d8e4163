/* Looks at archives' clocks, and the line through them. Pure. */
#include "okno/clock.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <math.h>

/* More than drift and both uncertainties explain, and more than anybody would see. */
#define JUMP_US (OKNO_SECOND_US / 2)

enum okno_clock_finding okno_clock_judge_look(const struct okno_clock_measurement *measurements,
                                              size_t count,
                                              const struct okno_clock_measurement *look,
                                              struct okno_clock_measurement *ret_measurement)
{
    *ret_measurement = *look;
    ret_measurement->step = false;
    if (count == 0)
        return OKNO_CLOCK_MOVED;
    const struct okno_clock_measurement *newest = &measurements[count - 1];
    struct okno_clock_offset known = okno_clock_at(measurements, count, look->at_us);
    int64_t off = llabs(look->offset_us - known.offset_us);
    if (off > known.uncertainty_us + look->uncertainty_us + JUMP_US) {
        ret_measurement->step = look->at_us > newest->at_us;
        return OKNO_CLOCK_JUMPED;
    }
    bool fresh = look->at_us - newest->at_us < OKNO_CLOCK_RENEW_US;
    return fresh && off <= look->uncertainty_us + known.uncertainty_us ? OKNO_CLOCK_KNOWN
                                                                       : OKNO_CLOCK_MOVED;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share of the sorted ones lies. */
static double share_of(const double *sorted, size_t count, double share)
{
    double at = share * (double)(count - 1);
    size_t low = (size_t)at;
    size_t high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (sorted[high] - sorted[low]) * (at - (double)low);
}

/* Slopes of all pairs, in offset per time; returns how many. */
static size_t slopes_of(const struct okno_clock_measurement *m, size_t count, double *slopes)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (m[k].at_us > m[i].at_us)
                slopes[n++] =
                    (double)(m[k].offset_us - m[i].offset_us) / (double)(m[k].at_us - m[i].at_us);
    qsort(slopes, n, sizeof(*slopes), by_value);
    return n;
}

static void fit_line(const struct okno_clock_measurement *m, size_t count, double *room,
                     struct okno_clock_fit *fit)
{
    const struct okno_clock_measurement *newest = &m[count - 1];
    size_t n = slopes_of(m, count, room);
    double rate = share_of(room, n, 0.5);
    double root = sqrt((double)count);
    fit->rate_ppm = rate * 1e6;
    fit->rate_uncertainty_ppm =
        (share_of(room, n, 0.75) - share_of(room, n, 0.25)) / 2 * 1e6 / root;
    for (size_t i = 0; i < count; i++)
        room[i] = (double)(m[i].offset_us - newest->offset_us) +
                  rate * (double)(newest->at_us - m[i].at_us);
    qsort(room, count, sizeof(*room), by_value);
    double middle = share_of(room, count, 0.5);
    fit->offset_us = newest->offset_us + llround(middle);
    for (size_t i = 0; i < count; i++)
        room[i] = fabs(room[i] - middle);
    qsort(room, count, sizeof(*room), by_value);
    double spread = 1.4826 * share_of(room, count, 0.5);
    for (size_t i = 0; i < count; i++)
        room[i] = (double)m[i].uncertainty_us;
    qsort(room, count, sizeof(*room), by_value);
    fit->uncertainty_us = llround(2 * spread / root + share_of(room, count, 0.5));
    fit->at_us = newest->at_us;
    fit->count = count;
}

int okno_clock_fit(const struct okno_clock_measurement *measurements, size_t count, bool *ret_fits,
                   struct okno_clock_fit *ret_fit, struct okno_err *err)
{
    size_t first = count;
    while (first > 0 && count - first < OKNO_CLOCK_FIT_MOST) {
        first--;
        if (measurements[first].step)
            break;
    }
    const struct okno_clock_measurement *m = measurements + first;
    size_t n = count - first;
    if (n < OKNO_CLOCK_FIT_LEAST || m[n - 1].at_us - m[0].at_us < 3600 * OKNO_SECOND_US) {
        *ret_fits = false;
        return 0;
    }
    okno_autofree double *room = calloc(n * (n - 1) / 2 + n, sizeof(*room));
    if (!room)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to fit a line");
    fit_line(m, n, room, ret_fit);
    *ret_fits = true;
    return 0;
}

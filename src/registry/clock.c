#include "okno/clock.h"

#include "okno/time.h"

#include <math.h>
#include <stdio.h>

#define UNMEASURED_US (10 * OKNO_SECOND_US)

/* 50 ppm of a distance. */
static int64_t drift_us(int64_t distance_us)
{
    return distance_us / 20000 + (distance_us % 20000 > 0);
}

static struct okno_clock_offset hold(const struct okno_clock_measurement *from, int64_t utc_us)
{
    int64_t distance = utc_us > from->at_us ? utc_us - from->at_us : from->at_us - utc_us;
    return (struct okno_clock_offset){.offset_us = from->offset_us,
                                      .uncertainty_us = from->uncertainty_us + drift_us(distance),
                                      .measured = true};
}

static int64_t between(int64_t a, int64_t b, double fraction)
{
    return a + llround((double)(b - a) * fraction);
}

static struct okno_clock_offset interpolate(const struct okno_clock_measurement *a,
                                            const struct okno_clock_measurement *b, int64_t utc_us)
{
    double fraction = (double)(utc_us - a->at_us) / (double)(b->at_us - a->at_us);
    int64_t before = utc_us - a->at_us;
    int64_t after = b->at_us - utc_us;
    return (struct okno_clock_offset){.offset_us = between(a->offset_us, b->offset_us, fraction),
                                      .uncertainty_us =
                                          between(a->uncertainty_us, b->uncertainty_us, fraction) +
                                          drift_us(before < after ? before : after),
                                      .measured = true};
}

/* How many measurements lie at or before the instant. */
static size_t count_until(const struct okno_clock_measurement *measurements, size_t count,
                          int64_t utc_us)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (measurements[middle].at_us <= utc_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct okno_clock_offset okno_clock_at(const struct okno_clock_measurement *measurements,
                                       size_t count, int64_t utc_us)
{
    if (count == 0)
        return (struct okno_clock_offset){.uncertainty_us = UNMEASURED_US};
    size_t later = count_until(measurements, count, utc_us);
    if (later == 0)
        return hold(&measurements[0], utc_us);
    const struct okno_clock_measurement *a = &measurements[later - 1];
    if (later == count || measurements[later].step)
        return hold(a, utc_us);
    return interpolate(a, &measurements[later], utc_us);
}

/* When a clock that follows stretch `i`, [at of i-1, at of i), beyond its ends too, shows that. */
static int64_t solve(const struct okno_clock_measurement *measurements, size_t count, size_t i,
                     int64_t shown_us)
{
    const struct okno_clock_measurement *a = &measurements[i ? i - 1 : 0];
    int64_t rest = shown_us - a->offset_us - a->at_us;
    if (i == 0 || i == count || measurements[i].step)
        return a->at_us + rest;
    const struct okno_clock_measurement *b = &measurements[i];
    double rate = 1.0 + (double)(b->offset_us - a->offset_us) / (double)(b->at_us - a->at_us);
    return rate > 0 ? a->at_us + llround((double)rest / rate) : a->at_us + rest;
}

int64_t okno_clock_to_utc(const struct okno_clock_measurement *measurements, size_t count,
                          int64_t shown_us, struct okno_clock_offset *ret_offset)
{
    int64_t utc = shown_us;
    for (size_t i = count + 1; count && i-- > 0;) { /* the last stretch first: the latest instant */
        utc = solve(measurements, count, i, shown_us);
        if (i < count && utc >= measurements[i].at_us) { /* skipped by a step forward */
            utc = measurements[i].at_us;
            break;
        }
        if (i == 0 || utc >= measurements[i - 1].at_us)
            break;
    }
    *ret_offset = okno_clock_at(measurements, count, utc);
    return utc;
}

const char *okno_clock_say(int64_t offset_us, char ret_text[OKNO_CLOCK_TEXT])
{
    if (offset_us > -500 && offset_us < 500)
        (void)snprintf(ret_text, OKNO_CLOCK_TEXT, "right");
    else
        (void)snprintf(ret_text, OKNO_CLOCK_TEXT, "%s by %.3f s", offset_us > 0 ? "fast" : "slow",
                       fabs((double)offset_us) / OKNO_SECOND_US);
    return ret_text;
}

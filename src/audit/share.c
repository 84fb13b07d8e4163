#define _DEFAULT_SOURCE
#include "okno/estimate.h"

#include <math.h>

double okno_normal_z(double level)
{
    double low = 0;
    double high = 40;
    for (;;) {
        double mid = low + (high - low) / 2;
        if (mid <= low || mid >= high)
            return mid;
        if (erfc(mid / sqrt(2.0)) > 1 - level)
            low = mid;
        else
            high = mid;
    }
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

struct okno_limits okno_wilson(double share, double looked, double frame, double z)
{
    if (looked >= frame)
        return (struct okno_limits){share, share};
    double n = isinf(frame) ? looked : looked * (frame - 1) / (frame - looked);
    double z2 = z * z;
    double centre = share + z2 / (2 * n);
    double half = z * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
    return (struct okno_limits){(centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)};
}

static double log_choose(int64_t n, int64_t k)
{
    int sign = 0;
    return lgamma_r((double)n + 1, &sign) - lgamma_r((double)k + 1, &sign) -
           lgamma_r((double)(n - k) + 1, &sign);
}

/* P(X <= hits) when `looked` of `frame` are drawn and `marked` of the frame are hits. */
static double below(int64_t hits, int64_t looked, int64_t frame, int64_t marked)
{
    int64_t least = looked - (frame - marked);
    double sum = 0;
    for (int64_t x = least > 0 ? least : 0; x <= hits && x <= marked; x++)
        sum += exp(log_choose(marked, x) + log_choose(frame - marked, looked - x) -
                   log_choose(frame, looked));
    return sum;
}

/* The smallest number in the frame that would give as many hits with more than alpha / 2. */
static int64_t at_least(int64_t hits, int64_t looked, int64_t frame, double alpha)
{
    int64_t low = hits;
    int64_t high = frame - looked + hits;
    while (hits > 0 && low < high) {
        int64_t mid = low + (high - low) / 2;
        if (1 - below(hits - 1, looked, frame, mid) > alpha / 2)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static int64_t at_most(int64_t hits, int64_t looked, int64_t frame, double alpha)
{
    int64_t low = hits;
    int64_t high = frame - looked + hits;
    while (low < high) {
        int64_t mid = high - (high - low) / 2;
        if (below(hits, looked, frame, mid) > alpha / 2)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

int okno_share_estimate(int64_t hits, int64_t looked, int64_t frame, double level,
                        struct okno_share *ret_share, struct okno_err *err)
{
    if (hits < 0 || hits > looked || looked <= 0 || looked > frame || frame > OKNO_CELL_FRAME_MAX)
        return okno_fail(err, OKNO_INVALID,
                         "a share of %lld in %lld looked at out of %lld does not exist",
                         (long long)hits, (long long)looked, (long long)frame);
    if (!(level > 0 && level < 1))
        return okno_fail_field(err, OKNO_INVALID, "level", "level %g: between 0 and 1 is allowed",
                               level);
    double x = (double)hits;
    double n = (double)looked;
    double N = (double)frame;
    struct okno_limits wilson = okno_wilson(x / n, n, N, okno_normal_z(level));
    *ret_share = (struct okno_share){.value = x / n,
                                     .low = clamp(wilson.low, x / N, (N - n + x) / N),
                                     .high = clamp(wilson.high, x / N, (N - n + x) / N),
                                     .at_least = at_least(hits, looked, frame, 1 - level),
                                     .at_most = at_most(hits, looked, frame, 1 - level)};
    return 0;
}

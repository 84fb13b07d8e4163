#define _DEFAULT_SOURCE
/* How many to review, before anything is drawn. */
#include "okno/estimate.h"

#include <math.h>

int64_t okno_size_for_width(double p, double half_width, double level, int64_t frame)
{
    double z = okno_normal_z(level);
    double n0 = z * z * p * (1 - p) / (half_width * half_width);
    return (int64_t)ceil(n0 / (1 + (n0 - 1) / (double)frame));
}

int64_t okno_size_for_discovery(int64_t defects, int64_t frame, double risk)
{
    double missed = 1;
    int64_t n = 0;
    for (; n < frame && missed > risk; n++)
        missed *= (double)(frame - defects - n) / (double)(frame - n);
    return n;
}

/* P(X <= found) of `looked` when each is a hit with the given chance. In logarithms: the first
 * terms are far below the least double, the sum is not. */
static double binomial_below(int64_t found, int64_t looked, double chance)
{
    double term = (double)looked * log1p(-chance);
    double sum = exp(term);
    for (int64_t x = 1; x <= found; x++) {
        term += log((double)(looked - x + 1) / (double)x * chance / (1 - chance));
        sum += exp(term);
    }
    return sum;
}

int64_t okno_size_for_attribute(double expected, double tolerable, double risk,
                                int64_t *ret_allowed)
{
    for (int64_t n = 1; n <= OKNO_ATTRIBUTE_SIZE_MAX; n++) {
        *ret_allowed = (int64_t)ceil((double)n * expected - 1e-9);
        if (*ret_allowed < n && binomial_below(*ret_allowed, n, tolerable) <= risk)
            return n;
    }
    return 0;
}

/* Whether two groups of surveys differ, and how certain that is. */
#include "okno/kpi.h"

#include <math.h>
#include <stdlib.h>

/* Mean and variance of what one survey adds to an index. */
static void moments(enum okno_question_kind kind, const struct okno_tally *t, double k,
                    double *ret_mean, double *ret_variance)
{
    double sign = kind == OKNO_LOYALTY ? -1 : 1;
    const double count[] = {(double)t->yes, (double)t->unsure, (double)t->no, (double)t->silent};
    const double score[] = {kind == OKNO_LOYALTY ? 1 : 0, 0, sign, sign * k};
    double n = count[0] + count[1] + count[2] + count[3];
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < 4; i++)
        mean += count[i] * score[i] / n;
    for (size_t i = 0; i < 4; i++)
        squares += count[i] * (score[i] - mean) * (score[i] - mean);
    *ret_mean = mean;
    *ret_variance = n > 1 ? squares / (n - 1) / n : 0;
}

static int64_t total(const struct okno_tally *t)
{
    return t->yes + t->unsure + t->no + t->silent;
}

bool okno_kpi_difference(enum okno_question_kind kind, const struct okno_tally *a,
                         const struct okno_tally *b, double k, double z,
                         struct okno_kpi_difference *ret_difference)
{
    double mean[2];
    double variance[2];
    struct okno_kpi_difference d = {.n = total(a), .n_other = total(b)};
    if (d.n < 2 || d.n_other < 2)
        return false;
    moments(kind, a, k, &mean[0], &variance[0]);
    moments(kind, b, k, &mean[1], &variance[1]);
    double se = sqrt(variance[0] + variance[1]);
    d.value = mean[0] - mean[1];
    d.low = d.value - z * se;
    d.high = d.value + z * se;
    d.p = se > 0 ? erfc(fabs(d.value) / se / sqrt(2)) : d.value == 0 ? 1 : 0;
    *ret_difference = d;
    return true;
}

static int compare_p(const void *a, const void *b)
{
    const struct okno_kpi_difference *x = *(struct okno_kpi_difference *const *)a;
    const struct okno_kpi_difference *y = *(struct okno_kpi_difference *const *)b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : (x > y) - (x < y);
}

void okno_kpi_holm(struct okno_kpi_difference **differences, size_t count)
{
    double floor = 0;
    if (count > 0)
        qsort(differences, count, sizeof(*differences), compare_p);
    for (size_t i = 0; i < count; i++) {
        double p = (double)(count - i) * differences[i]->p;
        floor = p > floor ? p : floor;
        differences[i]->p_adjusted = floor < 1 ? floor : 1;
    }
}

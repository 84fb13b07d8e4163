/* Sharing a sample out over strata. Pure. */
#include "okno/sampling.h"

#include "okno/mem.h"

#include <math.h>
#include <stdlib.h>

struct part {
    size_t index;
    double ideal;
    bool fixed; /* at its least or most */
};

static int by_fraction(const void *left, const void *right)
{
    const struct part *a = left;
    const struct part *b = right;
    double x = a->ideal - floor(a->ideal);
    double y = b->ideal - floor(b->ideal);
    if (x != y)
        return x > y ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* What is left of the total for strata that are not fixed, by their weights. */
static void set_ideals(struct part *parts, const double *weight, const int64_t *sizes, size_t count,
                       int64_t total)
{
    double sum = 0;
    double left = (double)total;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].fixed)
            left -= (double)sizes[i];
        else
            sum += weight[i];
    }
    for (size_t i = 0; i < count; i++)
        if (!parts[i].fixed)
            parts[i].ideal = sum > 0 && left > 0 ? left * weight[i] / sum : 0;
}

/* Fix those that would leave their bounds: below first, since that takes from the others. */
static bool fix_some(struct part *parts, const int64_t *bound, int64_t *sizes, size_t count,
                     bool low)
{
    bool some = false;
    for (size_t i = 0; i < count; i++) {
        double edge = (double)bound[i];
        if (parts[i].fixed || (low ? parts[i].ideal >= edge : parts[i].ideal <= edge))
            continue;
        parts[i].fixed = some = true;
        sizes[i] = bound[i];
    }
    return some;
}

/* Whole numbers for the rest: rounded down, then one more for the largest fractions. */
static void round_off(struct part *parts, const int64_t *most, int64_t *sizes, size_t count,
                      int64_t total)
{
    int64_t left = total;
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].fixed)
            sizes[i] = (int64_t)floor(parts[i].ideal);
        left -= sizes[i];
    }
    qsort(parts, count, sizeof(*parts), by_fraction);
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t at = parts[i].index;
        if (parts[i].fixed || !(parts[i].ideal > 0) || sizes[at] >= most[at])
            continue;
        sizes[at]++;
        left--;
    }
}

int okno_allot(const double *weight, const int64_t *least, const int64_t *most, size_t count,
               int64_t total, int64_t *ret_sizes, struct okno_err *err)
{
    okno_autofree struct part *parts = calloc(count + 1, sizeof(*parts));
    if (!parts)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu strata", count);
    for (size_t i = 0; i < count; i++)
        parts[i].index = i;
    set_ideals(parts, weight, ret_sizes, count, total);
    while (fix_some(parts, least, ret_sizes, count, true) ||
           fix_some(parts, most, ret_sizes, count, false))
        set_ideals(parts, weight, ret_sizes, count, total);
    round_off(parts, most, ret_sizes, count, total);
    return 0;
}

/* The sample of a plan: strata, their sizes, rounds. Pure. */
#include "okno/sampling.h"

#include "okno/mem.h"
#include "okno/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void okno_picks_free(struct okno_pick_vec *picks)
{
    for (size_t i = 0; i < picks->len; i++)
        free(picks->items[i].ticket);
    okno_pick_vec_free(picks);
}

/* Units of one stratum lie next to each other in the order of `by`. */
struct stratum {
    size_t start, count;
    int64_t drawn;                 /* in the rounds so far */
    int64_t ends[OKNO_ROUNDS_MAX]; /* drawn after each round */
    double spread;                 /* expected standard deviation of being invalid */
};
OKNO_VEC(stratum_vec, struct stratum);

struct strata {
    const struct okno_unit **by; /* units by stratum, in the frame's order in each */
    const char **ids;            /* of them */
    size_t count;                /* of them */
    struct stratum_vec items;    /* by name */
};

static void strata_free(struct strata *strata)
{
    free(strata->by);
    free(strata->ids);
    stratum_vec_free(&strata->items);
}
#define AUTO_STRATA __attribute__((cleanup(strata_free))) struct strata

static int by_stratum(const void *left, const void *right)
{
    const struct okno_unit *a = *(const struct okno_unit *const *)left;
    const struct okno_unit *b = *(const struct okno_unit *const *)right;
    int order = a->stratum == b->stratum ? 0 : strcmp(a->stratum, b->stratum);
    return order ? order : a < b ? -1 : a > b;
}

static double spread_of(const struct okno_sampling *sampling, const struct okno_unit *const *units,
                        size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double p = sampling->expected[units[i]->class];
        sum += p * (1 - p);
    }
    return sqrt(sum / (double)count);
}

static int add_stratum(const struct okno_sampling *sampling, struct strata *strata, size_t start,
                       size_t end, struct okno_err *err)
{
    struct stratum one = {.start = start, .count = end - start};
    one.spread = spread_of(sampling, strata->by + start, one.count);
    if (strata->items.len >= OKNO_STRATA_MAX)
        return okno_fail(err, OKNO_TOO_LARGE,
                         "the frame has more than %d strata: plan fewer (--strata site or day)",
                         OKNO_STRATA_MAX);
    return stratum_vec_push(&strata->items, one) == 0
               ? 0
               : okno_fail(err, OKNO_NO_MEMORY, "no memory for the strata");
}

/* Of what is drawn from; without strata all of it is one. */
static int make_strata(const struct okno_sampling *sampling, const struct okno_unit *units,
                       size_t count, struct strata *strata, struct okno_err *err)
{
    strata->by = calloc(count + 1, sizeof(*strata->by));
    strata->ids = calloc(count + 1, sizeof(*strata->ids));
    if (!strata->by || !strata->ids)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the frame");
    for (size_t i = 0; i < count; i++)
        if (!(sampling->silent_known && units[i].class == OKNO_SILENT))
            strata->by[strata->count++] = &units[i];
    if (sampling->strata)
        qsort(strata->by, strata->count, sizeof(struct okno_unit *), by_stratum);
    size_t start = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < strata->count; i++) {
        strata->ids[i] = strata->by[i]->id;
        bool last =
            i + 1 == strata->count ||
            (sampling->strata && strcmp(strata->by[i]->stratum, strata->by[i + 1]->stratum) != 0);
        if (!last)
            continue;
        rc = add_stratum(sampling, strata, start, i + 1, err);
        start = i + 1;
    }
    return rc;
}

/* ---- sizes ---- */

/* Where no spread is expected anywhere, in proportion. */
static bool is_spread(const struct okno_sampling *sampling, const struct strata *strata)
{
    double sum = 0;
    for (size_t i = 0; i < strata->items.len; i++)
        sum += strata->items.items[i].spread;
    return sampling->neyman && sum > 0;
}

static double weight_of(const struct okno_sampling *sampling, const struct stratum *stratum,
                        bool by_spread)
{
    if (by_spread)
        return (double)stratum->count * stratum->spread;
    return (double)stratum->count - (sampling->with_replacement ? 0 : (double)stratum->drawn);
}

/* Bounds of what a round takes from a stratum. */
static void bounds_of(const struct okno_sampling *sampling, const struct stratum *stratum,
                      int64_t *ret_least, int64_t *ret_most)
{
    int64_t count = (int64_t)stratum->count;
    int64_t least = sampling->least < count ? sampling->least : count;
    *ret_most = sampling->with_replacement ? OKNO_SAMPLER_DRAW_MAX : count - stratum->drawn;
    *ret_least = least > stratum->drawn ? least - stratum->drawn : 0;
}

static int allot_round(const struct okno_sampling *sampling, struct strata *strata, int64_t asked,
                       size_t round, struct okno_err *err)
{
    size_t count = strata->items.len;
    okno_autofree double *weight = calloc(count + 1, sizeof(*weight));
    okno_autofree int64_t *bounds = calloc(3 * count + 1, sizeof(*bounds));
    if (!weight || !bounds)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu strata", count);
    int64_t *sizes = bounds + 2 * count;
    bool by_spread = is_spread(sampling, strata);
    for (size_t i = 0; i < count; i++) {
        weight[i] = weight_of(sampling, &strata->items.items[i], by_spread);
        bounds_of(sampling, &strata->items.items[i], &bounds[i], &bounds[count + i]);
    }
    int rc = okno_allot(weight, bounds, bounds + count, count, asked, sizes, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct stratum *stratum = &strata->items.items[i];
        stratum->drawn += sizes[i];
        stratum->ends[round] = stratum->drawn;
    }
    return rc;
}

/* n for z sqrt(V) = e, where V is the variance of the share under the plan's allocation. */
static int64_t size_for_width(const struct okno_sampling *sampling, const struct strata *strata)
{
    double frame = (double)strata->count;
    double first = 0; /* sum of W S, squared for Neyman; sum of W S^2 else */
    double second = 0;
    for (size_t i = 0; i < strata->items.len; i++) {
        const struct stratum *s = &strata->items.items[i];
        double share = (double)s->count / frame;
        second += share * s->spread * s->spread;
        first += sampling->neyman ? share * s->spread : share * s->spread * s->spread;
    }
    if (sampling->neyman)
        first *= first;
    double e = sampling->half_width / okno_normal_z(sampling->level);
    double n = first / (e * e + (sampling->with_replacement ? 0 : second / frame));
    int64_t size = (int64_t)ceil(n - 1e-9);
    int64_t most = sampling->with_replacement ? OKNO_SAMPLER_DRAW_MAX : (int64_t)strata->count;
    return size < 1 ? 1 : size > most ? most : size;
}

int okno_sampling_size(const struct okno_sampling *sampling, const struct okno_unit *units,
                       size_t count, int64_t *ret_size, struct okno_err *err)
{
    AUTO_STRATA strata = {0};
    if (sampling->size > 0) {
        *ret_size = sampling->size;
        return 0;
    }
    if (!(sampling->half_width > 0) || count == 0)
        return okno_fail(err, OKNO_MALFORMED, "the plan has no size of the sample");
    int rc = make_strata(sampling, units, count, &strata, err);
    if (rc == 0)
        *ret_size = size_for_width(sampling, &strata);
    return rc;
}

/* ---- draw ---- */

static int round_of(const struct stratum *stratum, size_t position, size_t rounds)
{
    size_t round = 0;
    while (round + 1 < rounds && (int64_t)position >= stratum->ends[round])
        round++;
    return (int)round + 1;
}

static int draw_stratum(const struct okno_sampling *sampling, const char *seed,
                        const struct strata *strata, const struct stratum *stratum, size_t rounds,
                        const struct okno_unit *units, struct okno_pick_vec *picks,
                        struct okno_err *err)
{
    OKNO_AUTO_DRAWS draws = {0};
    const struct okno_draw_request request = {.seed = seed,
                                              .ids = strata->ids + stratum->start,
                                              .count = stratum->count,
                                              .size = (size_t)stratum->drawn,
                                              .with_replacement = sampling->with_replacement};
    int rc = stratum->drawn > 0 ? okno_sampler_draw(&request, &draws, err) : 0;
    for (size_t i = 0; rc == 0 && i < draws.len; i++) {
        struct okno_draw *draw = &draws.items[i];
        const struct okno_unit *unit = strata->by[stratum->start + draw->index];
        const struct okno_pick pick = {.index = (size_t)(unit - units),
                                       .rank = (int64_t)i + 1,
                                       .round = round_of(stratum, i, rounds),
                                       .generation = draw->generation,
                                       .ticket = draw->ticket};
        if (okno_pick_vec_push(picks, pick) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the sample");
        draw->ticket = NULL; /* the pick's now */
    }
    return rc;
}

static int by_round(const void *left, const void *right)
{
    const struct okno_pick *a = left;
    const struct okno_pick *b = right;
    if (a->round != b->round)
        return a->round < b->round ? -1 : 1;
    int order = strcmp(a->ticket, b->ticket);
    if (order)
        return order;
    return a->index < b->index ? -1 : a->index > b->index;
}

int okno_sampling_draw(const struct okno_sampling *sampling, const char *seed,
                       const struct okno_unit *units, size_t count, const int64_t *asked,
                       size_t rounds, struct okno_pick_vec *ret_picks, struct okno_err *err)
{
    AUTO_STRATA strata = {0};
    if (rounds < 1 || rounds > OKNO_ROUNDS_MAX)
        return okno_fail(err, OKNO_INVALID, "%zu rounds, 1 to %d are allowed", rounds,
                         OKNO_ROUNDS_MAX);
    int rc = make_strata(sampling, units, count, &strata, err);
    for (size_t round = 0; rc == 0 && round < rounds; round++)
        rc = allot_round(sampling, &strata, asked[round], round, err);
    for (size_t i = 0; rc == 0 && i < strata.items.len; i++)
        rc = draw_stratum(sampling, seed, &strata, &strata.items.items[i], rounds, units, ret_picks,
                          err);
    if (rc < 0)
        return rc;
    if (ret_picks->len > 1)
        qsort(ret_picks->items, ret_picks->len, sizeof(*ret_picks->items), by_round);
    for (size_t i = 0; i < ret_picks->len; i++)
        ret_picks->items[i].place = (int64_t)i + 1;
    return 0;
}

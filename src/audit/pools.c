#include "pools.h"

#include "okno/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void pools_free(struct pools *pools)
{
    free(pools->items);
}

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->fm != b->fm)
        return a->fm ? 1 : -1;
    if (a->cell->class != b->cell->class)
        return a->cell->class < b->cell->class ? -1 : 1;
    int order = strcmp(a->cell->stratum, b->cell->stratum);
    if (order)
        return order;
    return (int)a->cell->force_majeure - (int)b->cell->force_majeure;
}

static bool is_sampled(const struct okno_estimate_request *request, const struct okno_cell *cell)
{
    bool fm = request->fm_apart && cell->force_majeure;
    return cell->frame > 0 && !(request->silent_known && cell->class == OKNO_SILENT && !fm);
}

int pools_sort(const struct okno_estimate_request *request, struct place **ret_places,
               size_t *ret_count, struct okno_err *err)
{
    okno_autofree struct place *places = calloc(request->count + 1, sizeof(*places));
    if (!places)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu cells", request->count);
    for (size_t i = 0; i < request->count; i++)
        places[i] = (struct place){.cell = &request->cells[i],
                                   .index = i,
                                   .fm = request->fm_apart && request->cells[i].force_majeure};
    qsort(places, request->count, sizeof(*places), compare_places);
    size_t kept = 0;
    for (size_t i = 0; i < request->count; i++) {
        if (i > 0 && compare_places(&places[i - 1], &places[i]) == 0)
            return okno_fail(err, OKNO_INVALID, "stratum `%s`, class %s: the cell stands twice",
                             places[i].cell->stratum, okno_class_name(places[i].cell->class));
    }
    for (size_t i = 0; i < request->count; i++)
        if (is_sampled(request, places[i].cell))
            places[kept++] = places[i];
    *ret_places = okno_mem_take(&places);
    *ret_count = kept;
    return 0;
}

double pool_results(const struct pool *pool)
{
    double sum = pool->own + pool->none;
    for (int t = 0; t < OKNO_CLASSES; t++)
        sum += pool->other[t];
    return sum;
}

/* Fewer than two looked at and more there to look at: it cannot stand alone. */
static bool is_thin(const struct pool *pool)
{
    double looked = pool_results(pool) + pool->open + pool->open_as_silent;
    return looked < 2 && looked < pool->population;
}

static struct pool pool_of(const struct place *place, bool with_open,
                           const struct okno_estimate_request *request)
{
    const struct okno_cell *cell = place->cell;
    struct pool pool = {.fm = place->fm,
                        .as_found = request->as_found,
                        .class = cell->class,
                        .cells = 1,
                        .frame = (double)cell->frame};
    pool.population = request->with_replacement ? (double)INFINITY : pool.frame;
    pool.weight[cell->class] = (double)cell->frame;
    for (int t = 0; t < OKNO_CLASSES; t++)
        *(t == (int)cell->class && !pool.as_found ? &pool.own : &pool.other[t]) =
            (double)cell->truth[t];
    pool.none = (double)cell->truth[OKNO_NONE];
    /* A force majeure that no review could judge stands: it is no survey of this domain. */
    bool silenced = request->invalid_as_silent && cell->class != OKNO_SILENT;
    if (with_open)
        *(place->fm  ? &pool.none
          : silenced ? &pool.open_as_silent
                     : &pool.open) += (double)cell->undeterminable;
    return pool;
}

static void absorb(struct pool *into, const struct pool *from)
{
    into->cells += from->cells;
    into->frame += from->frame;
    into->population += from->population;
    into->own += from->own;
    into->none += from->none;
    into->open += from->open;
    into->open_as_silent += from->open_as_silent;
    for (int t = 0; t < OKNO_CLASSES; t++) {
        into->weight[t] += from->weight[t];
        into->other[t] += from->other[t];
    }
}

static bool same_class(const struct pool *a, const struct pool *b)
{
    return a->fm == b->fm && a->class == b->class;
}

/* Join pool `last`, the end of the list kept so far, to the one before. */
static void join_last(struct pool *items, size_t *kept)
{
    absorb(&items[*kept - 2], &items[*kept - 1]);
    (*kept)--;
}

/* A thin pool takes the next stratum's of its class, again and again; the last joins the one
 * before. In place: the pools kept so far stand in front of the one looked at. */
static void merge_strata(struct pools *pools)
{
    struct pool *items = pools->items;
    size_t kept = 0;
    for (size_t i = 0; i < pools->count; i++) {
        bool end = i + 1 == pools->count || !same_class(&items[i], &items[i + 1]);
        bool joins = kept > 0 && same_class(&items[kept - 1], &items[i]);
        if (joins && is_thin(&items[kept - 1])) {
            absorb(&items[kept - 1], &items[i]);
        } else {
            items[kept++] = items[i];
        }
        bool before = kept > 1 && same_class(&items[kept - 2], &items[kept - 1]);
        if (end && before && is_thin(&items[kept - 1]))
            join_last(items, &kept);
    }
    pools->count = kept;
}

/* The last pool of its group is thin: all pools of the class before join it. */
static void join_class_before(struct pool *items, size_t *kept)
{
    join_last(items, kept);
    while (*kept > 1 && same_class(&items[*kept - 2], &items[*kept - 1]))
        join_last(items, kept);
}

/* What is thin now is a whole class: it takes the next class whole, and the last class the one
 * before. */
static void merge_classes(struct pools *pools)
{
    struct pool *items = pools->items;
    size_t kept = 0;
    for (size_t i = 0; i < pools->count;) {
        bool takes = kept > 0 && items[kept - 1].fm == items[i].fm && is_thin(&items[kept - 1]);
        struct pool first = items[i];
        for (; i < pools->count && same_class(&first, &items[i]); i++) {
            if (takes)
                absorb(&items[kept - 1], &items[i]);
            else
                items[kept++] = items[i];
        }
        bool end = i == pools->count || items[i].fm != first.fm;
        bool before = kept > 1 && items[kept - 2].fm == items[kept - 1].fm;
        if (end && before && is_thin(&items[kept - 1]))
            join_class_before(items, &kept);
    }
    pools->count = kept;
}

static void set_known_silent(const struct okno_estimate_request *request, struct pools *pools)
{
    double frame = 0;
    for (size_t i = 0; i < request->count; i++) {
        const struct okno_cell *cell = &request->cells[i];
        if (request->silent_known && cell->class == OKNO_SILENT && !is_sampled(request, cell))
            frame += (double)cell->frame;
    }
    pools->a0 = request->ratio.a[OKNO_SILENT] * frame;
    pools->b0 = request->ratio.b[OKNO_SILENT] * frame;
}

int pools_make(const struct okno_estimate_request *request, const struct place *places,
               size_t count, bool with_open, struct pools *ret_pools, struct okno_err *err)
{
    struct pools pools = {.items = calloc(count + 1, sizeof(*pools.items)), .count = count};
    if (!pools.items)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu cells", count);
    for (size_t i = 0; i < count; i++)
        pools.items[i] = pool_of(&places[i], with_open, request);
    merge_strata(&pools);
    merge_classes(&pools);
    set_known_silent(request, &pools);
    *ret_pools = pools;
    return 0;
}

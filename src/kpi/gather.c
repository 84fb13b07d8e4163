#define _POSIX_C_SOURCE 200809L
/* The groups of a query: cells, kept or counted anew, added up by what is asked. */
#include "kpi.h"

#include <string.h>

/* Fewer surveys than this are counted faster than sums of them are kept. */
enum { GROUPS_MAX = 100000, KEEP_FROM = 20000 };

/* A build that began longer ago was broken off. */
#define BUILD_MAX_US (INT64_C(600) * OKNO_SECOND_US)

static void group_free(struct okno_kpi_group *group)
{
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++)
        free(group->value[i]);
    okno_reason_vec_free(&group->excluded);
}

void okno_kpi_groups_free(struct okno_group_vec *groups)
{
    for (size_t i = 0; i < groups->len; i++)
        group_free(&groups->items[i]);
    okno_group_vec_free(groups);
}

/* The coarsest piece of calendar that all asked ones can be told from. */
static enum kpi_unit unit_of(unsigned by)
{
    if (by & OKNO_BY_HOUR)
        return KPI_HOUR;
    if (by & OKNO_BY_DAY)
        return KPI_DAY;
    if (by & OKNO_BY_WEEK)
        return by & OKNO_BY_MONTH ? KPI_DAY : KPI_WEEK;
    return by & OKNO_BY_MONTH ? KPI_MONTH : KPI_WHOLE;
}

/* ---- from cells to groups ---- */

/* What one group is, as numbers: names of the cube, pieces of calendar. */
struct group_key {
    int32_t part[OKNO_GROUP_WORDS];
};

struct grouping {
    const struct kpi_cube *cube;
    const struct kpi_places *places;
    unsigned by;
    struct okno_group_vec *groups;
    uint32_t *slots; /* 1 + place in groups */
    size_t slot_count;
    struct kpi_names names; /* site groups */
};

static const enum kpi_unit calendar[] = {KPI_HOUR, KPI_DAY, KPI_WEEK, KPI_MONTH};
static const enum okno_group_by calendar_bit[] = {OKNO_BY_HOUR, OKNO_BY_DAY, OKNO_BY_WEEK,
                                                  OKNO_BY_MONTH};
static const enum okno_group_by name_bit[] = {OKNO_BY_SITE, OKNO_BY_POINT, OKNO_BY_EMPLOYEE,
                                              OKNO_BY_QUESTION};

static int32_t bucket_as(const struct kpi_cube *cube, int32_t bucket, enum kpi_unit unit)
{
    if (unit == cube->unit)
        return bucket;
    int32_t day = cube->unit == KPI_HOUR ? (bucket >= 0 ? bucket : bucket - 23) / 24 : bucket;
    return kpi_bucket_of_day(day, unit);
}

/* Cells are of single days where a site's group changes within the period. */
static const char *group_of(const struct grouping *g, const struct kpi_site *site, int32_t bucket)
{
    bool daily = g->cube->unit == KPI_DAY || g->cube->unit == KPI_HOUR;
    return kpi_group_on(g->places, site,
                        daily ? bucket_as(g->cube, bucket, KPI_DAY) : site->from_day);
}

static int key_of(struct grouping *g, const struct kpi_cell *cell, struct group_key *ret_key,
                  struct okno_err *err)
{
    const int32_t name[] = {cell->key.site, cell->key.point, cell->key.employee,
                            cell->key.question};
    struct group_key key = {{0}};
    int rc = 0;
    for (size_t i = 0; i < OKNO_COUNT(name_bit); i++)
        if (g->by & name_bit[i])
            key.part[kpi_word_place(name_bit[i])] = name[i];
    for (size_t i = 0; i < OKNO_COUNT(calendar); i++)
        if (g->by & calendar_bit[i])
            key.part[kpi_word_place(calendar_bit[i])] =
                bucket_as(g->cube, cell->key.bucket, calendar[i]);
    if (g->by & OKNO_BY_GROUP) {
        const struct kpi_site *site =
            kpi_places_site(g->places, g->cube->names.text[cell->key.site]);
        rc = kpi_names_id(&g->names, site ? group_of(g, site, cell->key.bucket) : "",
                          &key.part[kpi_word_place(OKNO_BY_GROUP)], err);
    }
    if (rc == 0)
        *ret_key = key;
    return rc;
}

static int set_value(struct okno_kpi_group *group, enum okno_group_by bit, const char *text,
                     struct okno_err *err)
{
    char **value = &group->value[kpi_word_place(bit)];
    *value = strdup(text);
    return *value ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the groups");
}

static int name_group(const struct grouping *g, const struct group_key *key,
                      struct okno_kpi_group *group, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(name_bit); i++) {
        int32_t id = key->part[kpi_word_place(name_bit[i])];
        bool nobody = name_bit[i] == OKNO_BY_EMPLOYEE && id == 0;
        if (g->by & name_bit[i])
            rc =
                set_value(group, name_bit[i], nobody ? "unassigned" : g->cube->names.text[id], err);
    }
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(calendar); i++) {
        char text[32];
        kpi_bucket_text(key->part[kpi_word_place(calendar_bit[i])], calendar[i], text,
                        sizeof(text));
        if (g->by & calendar_bit[i])
            rc = set_value(group, calendar_bit[i], text, err);
    }
    if (rc == 0 && (g->by & OKNO_BY_GROUP))
        rc = set_value(group, OKNO_BY_GROUP, g->names.text[key->part[0]], err);
    return rc;
}

static uint64_t hash_of(const struct group_key *key)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++)
        hash = (hash ^ (uint32_t)key->part[i]) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

/* Slots hold places in both the keys and the groups, which go side by side until they are sorted.
 */
OKNO_VEC(group_key_vec, struct group_key);

static int grow(struct grouping *g, const struct group_key_vec *keys, struct okno_err *err)
{
    if (g->groups->len >= GROUPS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d groups: ask for a shorter period",
                         GROUPS_MAX);
    if (2 * (g->groups->len + 1) <= g->slot_count)
        return 0;
    size_t slot_count = g->slot_count ? 2 * g->slot_count : 1024;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the groups");
    for (uint32_t i = 0; i < keys->len; i++) {
        size_t at = hash_of(&keys->items[i]) & (slot_count - 1);
        while (slots[at])
            at = (at + 1) & (slot_count - 1);
        slots[at] = i + 1;
    }
    free(g->slots);
    g->slots = slots;
    g->slot_count = slot_count;
    return 0;
}

static int find_group(struct grouping *g, struct group_key_vec *keys, const struct group_key *key,
                      struct okno_kpi_group **ret_group, struct okno_err *err)
{
    struct okno_kpi_group group = {0};
    int rc = grow(g, keys, err);
    if (rc < 0)
        return rc;
    size_t at = hash_of(key) & (g->slot_count - 1);
    for (; g->slots[at]; at = (at + 1) & (g->slot_count - 1)) {
        if (memcmp(&keys->items[g->slots[at] - 1], key, sizeof(*key)) == 0) {
            *ret_group = &g->groups->items[g->slots[at] - 1];
            return 0;
        }
    }
    rc = name_group(g, key, &group, err);
    if (rc == 0 && group_key_vec_push(keys, *key) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the groups");
    if (rc == 0 && okno_group_vec_push(g->groups, group) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the groups");
    if (rc < 0) {
        group_free(&group);
        return rc;
    }
    g->slots[at] = (uint32_t)g->groups->len;
    *ret_group = &g->groups->items[g->groups->len - 1];
    return 0;
}

static void add_tally(struct okno_tally *tally, const int32_t n[4])
{
    tally->yes += n[0];
    tally->unsure += n[1];
    tally->no += n[2];
    tally->silent += n[3];
}

static int add_cell(struct okno_kpi_group *group, const struct kpi_cell *cell, struct okno_err *err)
{
    int rc = 0;
    for (int set = 0; set < OKNO_SET_COUNT; set++) {
        const int32_t *n = cell->n;
        const int32_t *tally = n + KPI_TALLY + 8 * set;
        __typeof__(&group->sums.set[0]) to = &group->sums.set[set];
        to->surveys += (int64_t)tally[0] + tally[1] + tally[2] + tally[3];
        to->silent += tally[3];
        to->late += n[KPI_LATE + set];
        to->superseded += n[KPI_SUPERSEDED + set];
        to->situations += n[KPI_SITUATIONS + set];
        to->spontaneous_yes += n[KPI_SPONTANEOUS + 3 * set];
        to->spontaneous_unsure += n[KPI_SPONTANEOUS + 3 * set + 1];
        to->spontaneous_no += n[KPI_SPONTANEOUS + 3 * set + 2];
        if (cell->key.kind == OKNO_KIND_COUNT)
            continue;
        add_tally(&to->kind[cell->key.kind], tally);
        add_tally(&to->fm_kind[cell->key.kind], tally + 4);
    }
    group->sums.undeterminable += cell->n[KPI_UNDETERMINABLE];
    group->sums.reviewed += cell->n[KPI_REVIEWED];
    for (size_t i = 0; rc == 0 && i < cell->excluded.len; i++)
        rc = kpi_cell_exclude(&group->excluded, cell->excluded.items[i].reason,
                              cell->excluded.items[i].count, err);
    return rc;
}

static int compare_groups(const void *left, const void *right)
{
    const struct okno_kpi_group *a = left;
    const struct okno_kpi_group *b = right;
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++) {
        int order = a->value[i] ? strcmp(a->value[i], b->value[i]) : 0;
        if (order)
            return order;
    }
    return 0;
}

static int group_cells(struct grouping *g, struct okno_err *err)
{
    OKNO_AUTO_VEC(group_key_vec) keys = {0};
    struct okno_kpi_group *group = NULL;
    int rc = g->by ? 0 : find_group(g, &keys, &(struct group_key){{0}}, &group, err);
    for (size_t i = 0; rc == 0 && i < g->cube->cells.len; i++) {
        const struct kpi_cell *cell = &g->cube->cells.items[i];
        struct group_key key;
        if (kpi_cell_is_empty(cell))
            continue;
        rc = key_of(g, cell, &key, err);
        if (rc == 0)
            rc = find_group(g, &keys, &key, &group, err);
        if (rc == 0)
            rc = add_cell(group, cell, err);
    }
    if (rc == 0 && g->groups->len > 1)
        qsort(g->groups->items, g->groups->len, sizeof(g->groups->items[0]), compare_groups);
    free(g->slots);
    kpi_names_free(&g->names);
    return rc;
}

/* ---- the whole ---- */

/* Sums can be kept where rows are: in a database with a file, outside the caller's transaction. */
int okno_kpi_upkeep(struct okno_db *db, struct okno_err *err)
{
    int64_t rows = 0;
    int64_t built = 0;
    int64_t dirty = 0;
    if (okno_db_is_inside(db) || !*okno_db_dir(db))
        return 0;
    int rc = okno_db_int(db, "kpi.survey_rows", NULL, 0, 0, &rows, err);
    if (rc == 0)
        rc = okno_db_int(db, "kpi.built", NULL, 0, 0, &built, err);
    if (rc == 0)
        rc = okno_db_int(db, "kpi.any_dirty", NULL, 0, 0, &dirty, err);
    bool building = built < 0 && okno_time_now() + built < BUILD_MAX_US;
    if (rc == 0 && (built == 1 ? dirty != 0 : rows >= KEEP_FROM && !building))
        rc = okno_kpi_refresh(db, err);
    return rc;
}

void okno_kpi_prepare(struct okno_db *db)
{
    struct okno_err why = {0};
    int patience_ms = okno_db_set_patience(db, 0); /* readers wait for no writer */
    (void)!okno_kpi_upkeep(db, &why);
    (void)okno_db_set_patience(db, patience_ms);
}

static int count(struct kpi_counting *counting, const struct okno_kpi_query *query,
                 struct okno_err *err)
{
    bool used = false;
    int rc = 0;
    if (counting->places->whole && !query->recount && counting->cube->unit != KPI_HOUR)
        rc = kpi_cells_read(counting, &used, err);
    if (rc == 0 && !used)
        rc = kpi_rows_count(counting, err);
    return rc;
}

int kpi_gather_groups(struct okno_db *db, const struct okno_kpi_query *query,
                      struct okno_group_vec *groups, struct okno_err *err)
{
    KPI_AUTO_PLACES places = {0};
    KPI_AUTO_CUBE cube = {.by = query->by, .unit = unit_of(query->by)};
    struct kpi_counting counting = {.db = db, .places = &places, .cube = &cube};
    struct grouping grouping = {
        .cube = &cube, .places = &places, .by = query->by, .groups = groups};
    int rc = kpi_places_load(db, &places, err);
    if (rc == 0)
        rc = kpi_places_period(&places, query, err);
    if (rc == 0 && (query->by & OKNO_BY_GROUP) && cube.unit != KPI_HOUR &&
        kpi_places_regroup(&places))
        cube.unit = KPI_DAY;
    if (rc == 0)
        rc = kpi_cleared_load(db, &counting.cleared, err);
    if (rc == 0)
        rc = count(&counting, query, err);
    if (rc == 0)
        rc = group_cells(&grouping, err);
    kpi_cleared_vec_free(&counting.cleared);
    return rc < 0 ? rc : kpi_add_counts(db, query, &places, groups, err);
}

int okno_kpi_gather(struct okno_db *db, const struct okno_kpi_query *query,
                    struct okno_group_vec *groups, struct okno_err *err)
{
    bool began = false;
    if (!query->recount)
        okno_kpi_prepare(db);
    int rc = okno_db_read_begin(db, &began, err);
    if (rc < 0)
        return rc;
    rc = kpi_gather_groups(db, query, groups, err);
    if (rc == 0)
        rc = kpi_add_alarms(db, query, groups, err);
    okno_db_read_end(db, began);
    return rc;
}

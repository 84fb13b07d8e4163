/* Sums of answers per cell: a site, point, employee, question, its kind and a piece of calendar. */
#include "kpi.h"

#include <string.h>

enum { CELLS_MAX = 1 << 22 };

static uint64_t hash_of(const struct kpi_key *key)
{
    const int32_t part[] = {key->site,     key->point,  key->employee,
                            key->question, key->bucket, key->kind};
    uint64_t hash = 0;
    for (size_t i = 0; i < OKNO_COUNT(part); i++)
        hash = (hash ^ (uint32_t)part[i]) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static bool is_same(const struct kpi_key *a, const struct kpi_key *b)
{
    return a->site == b->site && a->point == b->point && a->employee == b->employee &&
           a->question == b->question && a->bucket == b->bucket && a->kind == b->kind;
}

static void place(struct kpi_cube *cube, uint32_t cell)
{
    size_t at = hash_of(&cube->cells.items[cell].key) & (cube->slot_count - 1);
    while (cube->slots[at])
        at = (at + 1) & (cube->slot_count - 1);
    cube->slots[at] = cell + 1;
}

static int grow(struct kpi_cube *cube, struct okno_err *err)
{
    if (cube->cells.len >= CELLS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d cells: ask for a shorter period",
                         CELLS_MAX);
    if (2 * (cube->cells.len + 1) <= cube->slot_count)
        return 0;
    size_t slot_count = cube->slot_count ? 2 * cube->slot_count : 1024;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!slots)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells");
    free(cube->slots);
    cube->slots = slots;
    cube->slot_count = slot_count;
    for (uint32_t i = 0; i < cube->cells.len; i++)
        place(cube, i);
    return 0;
}

int kpi_cube_cell(struct kpi_cube *cube, const struct kpi_key *key, struct kpi_cell **ret_cell,
                  struct okno_err *err)
{
    if (cube->slot_count) {
        size_t at = hash_of(key) & (cube->slot_count - 1);
        for (; cube->slots[at]; at = (at + 1) & (cube->slot_count - 1)) {
            struct kpi_cell *cell = &cube->cells.items[cube->slots[at] - 1];
            if (is_same(&cell->key, key)) {
                *ret_cell = cell;
                return 0;
            }
        }
    }
    int rc = grow(cube, err);
    if (rc == 0 && kpi_cell_vec_push(&cube->cells, (struct kpi_cell){.key = *key}) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells");
    if (rc < 0)
        return rc;
    place(cube, (uint32_t)(cube->cells.len - 1));
    *ret_cell = &cube->cells.items[cube->cells.len - 1];
    return 0;
}

int kpi_cube_find(struct kpi_cube *cube, const char *site, const char *point, const char *employee,
                  const char *question, int32_t kind, int32_t bucket, struct kpi_cell **ret_cell,
                  struct okno_err *err)
{
    struct kpi_key key = {.kind = kind, .bucket = bucket};
    int rc = 0;
    if (cube->by & (OKNO_BY_SITE | OKNO_BY_GROUP))
        rc = kpi_names_id(&cube->names, site, &key.site, err);
    if (rc == 0 && (cube->by & OKNO_BY_POINT))
        rc = kpi_names_id(&cube->names, point, &key.point, err);
    if (rc == 0 && (cube->by & OKNO_BY_EMPLOYEE))
        rc = kpi_names_id(&cube->names, employee, &key.employee, err);
    if (rc == 0 && (cube->by & OKNO_BY_QUESTION))
        rc = kpi_names_id(&cube->names, question, &key.question, err);
    return rc < 0 ? rc : kpi_cube_cell(cube, &key, ret_cell, err);
}

int kpi_cell_exclude(struct okno_reason_vec *reasons, const char *reason, int64_t count,
                     struct okno_err *err)
{
    size_t place = 0;
    while (place < reasons->len && strcmp(reasons->items[place].reason, reason) < 0)
        place++;
    if (place == reasons->len || strcmp(reasons->items[place].reason, reason) != 0) {
        struct okno_reason_count fresh = {0};
        (void)snprintf(fresh.reason, sizeof(fresh.reason), "%s", reason);
        if (okno_reason_vec_push(reasons, fresh) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the reasons");
        memmove(&reasons->items[place + 1], &reasons->items[place],
                (reasons->len - 1 - place) * sizeof(fresh));
        reasons->items[place] = fresh;
    }
    reasons->items[place].count += count;
    if (reasons->items[place].count == 0) {
        memmove(&reasons->items[place], &reasons->items[place + 1],
                (reasons->len - 1 - place) * sizeof(reasons->items[0]));
        reasons->len--;
    }
    return 0;
}

bool kpi_cell_is_empty(const struct kpi_cell *cell)
{
    for (size_t i = 0; i < KPI_FIELDS; i++)
        if (cell->n[i] != 0)
            return false;
    return cell->excluded.len == 0;
}

void kpi_cube_free(struct kpi_cube *cube)
{
    for (size_t i = 0; i < cube->cells.len; i++)
        okno_reason_vec_free(&cube->cells.items[i].excluded);
    kpi_cell_vec_free(&cube->cells);
    kpi_names_free(&cube->names);
    free(cube->slots);
    cube->slots = NULL;
    cube->slot_count = 0;
}

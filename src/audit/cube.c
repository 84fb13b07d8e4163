/* A frame counted once: tallies by what figures are grouped by, so that many figures read it once.
 */
#include "cube.h"

#include "okno/mem.h"
#include "okno/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    CUBE_WORDS = OKNO_BY_SITE | OKNO_BY_POINT | OKNO_BY_EMPLOYEE | OKNO_BY_QUESTION,
    CUBE_TALLIES_MAX = 200000, /* 45 MiB; figures of a finer frame are counted one by one */
    KEY_TEXT = 5 * (OKNO_ID_TEXT + 2)
};

OKNO_VEC(slot_vec, struct okno_tally_vec);

struct okno_audit_cube {
    char audit[OKNO_ID_TEXT];
    unsigned by;
    int64_t from_us, to_us; /* of the frame's period */
    json_t *places;         /* key -> place in `slots`; owned */
    struct slot_vec slots;
    size_t tallies;
};

void okno_audit_cube_free(struct okno_audit_cube *cube)
{
    if (!cube)
        return;
    for (size_t i = 0; i < cube->slots.len; i++)
        okno_tally_vec_free(&cube->slots.items[i]);
    slot_vec_free(&cube->slots);
    json_decref(cube->places);
    free(cube);
}

/* What a slot is of; kind NULL: of every kind. Ids hold no slashes. */
static void key_of(const struct okno_audit_cube *cube, const char *kind,
                   const struct okno_audit_domain *domain, char ret_key[KEY_TEXT])
{
    (void)snprintf(ret_key, KEY_TEXT, "%s/%s/%s/%s/%s", kind ? kind : "*",
                   cube->by & OKNO_BY_SITE ? domain->site : "",
                   cube->by & OKNO_BY_POINT ? domain->point : "",
                   cube->by & OKNO_BY_EMPLOYEE ? domain->employee : "",
                   cube->by & OKNO_BY_QUESTION ? domain->question : "");
}

static int find_slot(struct okno_audit_cube *cube, const char *key,
                     struct okno_tally_vec **ret_slot)
{
    const json_t *place = json_object_get(cube->places, key);
    if (!place) {
        const struct okno_tally_vec none = {0};
        if (slot_vec_push(&cube->slots, none) < 0 ||
            json_object_set_new(cube->places, key, json_integer((json_int_t)cube->slots.len - 1)) <
                0)
            return OKNO_NO_MEMORY;
    }
    size_t at = place ? (size_t)json_integer_value(place) : cube->slots.len - 1;
    *ret_slot = &cube->slots.items[at];
    return 0;
}

static bool same_cell(const struct okno_audit_tally *a, const struct okno_audit_tally *b)
{
    return a->class == b->class && a->force_majeure == b->force_majeure &&
           strcmp(a->stratum, b->stratum) == 0;
}

static void add_tally(struct okno_audit_tally *sum, const struct okno_audit_tally *one)
{
    sum->frame += one->frame;
    sum->valid += one->valid;
    sum->invalid += one->invalid;
    sum->undeterminable += one->undeterminable;
    sum->false_fm += one->false_fm;
    sum->moved_valid += one->moved_valid;
    sum->moved_invalid += one->moved_invalid;
    sum->not_asked += one->not_asked;
}

/* Rows of the frame come in the order of cells, so that a slot's last tally is the only one that
 * a row may belong to; rows of the sample belong to one that is there. */
static int add_to_slot(struct okno_audit_cube *cube, const char *key,
                       const struct okno_audit_tally *one)
{
    struct okno_tally_vec *slot = NULL;
    int rc = find_slot(cube, key, &slot);
    if (rc < 0)
        return rc;
    for (size_t i = slot->len; i > 0 && (one->frame == 0 || i == slot->len); i--)
        if (same_cell(&slot->items[i - 1], one)) {
            add_tally(&slot->items[i - 1], one);
            return 0;
        }
    cube->tallies++;
    return okno_tally_vec_push(slot, *one);
}

static int add_row(struct okno_audit_cube *cube, struct okno_stmt *row, struct okno_err *err)
{
    char key[KEY_TEXT];
    const struct okno_audit_tally tally = audit_tally_of(row);
    const struct okno_audit_domain domain = {.site = okno_stmt_text(row, "site"),
                                             .point = okno_stmt_text(row, "point"),
                                             .employee = okno_stmt_text(row, "employee"),
                                             .question = okno_stmt_text(row, "question")};
    const char *const kinds[] = {okno_stmt_text(row, "question_kind"), NULL};
    for (size_t i = 0; i < OKNO_COUNT(kinds); i++) {
        key_of(cube, kinds[i], &domain, key);
        int rc = add_to_slot(cube, key, &tally);
        if (rc < 0)
            return okno_fail(err, rc, "no memory for the cells of audit %s", cube->audit);
    }
    return 0;
}

static int add_rows(struct okno_audit_cube *cube, struct okno_stmt *rows, struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && cube->tallies <= CUBE_TALLIES_MAX && (rc = okno_stmt_step(rows, err)) == 1)
        rc = add_row(cube, rows, err);
    return rc;
}

static int count_all(struct okno_db *db, struct okno_audit_cube *cube, struct okno_err *err)
{
    OKNO_AUTO_STMT *frame = NULL;
    OKNO_AUTO_STMT *sample = NULL;
    int rc = OKNO_DB_PREPARE(db, "audit.cube_frame", &frame, err, OKNO_TEXT("audit", cube->audit));
    if (rc == 0)
        rc = add_rows(cube, frame, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "audit.cube_sample", &sample, err, OKNO_TEXT("audit", cube->audit),
                             OKNO_INT("by_employee", (cube->by & OKNO_BY_EMPLOYEE) != 0));
    return rc < 0 ? rc : add_rows(cube, sample, err);
}

int okno_audit_cube_open(struct okno_db *db, const char *audit, unsigned by,
                         struct okno_audit_cube **ret_cube, struct okno_err *err)
{
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc < 0)
        return rc;
    struct okno_audit_cube *cube = calloc(1, sizeof(*cube));
    if (!cube || !(cube->places = json_object())) {
        free(cube);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells of audit %s", audit);
    }
    (void)snprintf(cube->audit, sizeof(cube->audit), "%s", row.audit);
    cube->by = by & CUBE_WORDS;
    cube->from_us = row.from_us;
    cube->to_us = row.to_us;
    rc = count_all(db, cube, err);
    if (rc < 0 || cube->tallies > CUBE_TALLIES_MAX) {
        okno_audit_cube_free(cube);
        cube = NULL;
    }
    if (rc == 0)
        *ret_cube = cube;
    return rc;
}

/* The domain names all that the cube is counted by and nothing else, and its time holds the
 * frame's. */
static bool is_counted(const struct okno_audit_cube *cube, const struct okno_audit_domain *domain)
{
    const unsigned by = (domain->site ? OKNO_BY_SITE : 0U) | (domain->point ? OKNO_BY_POINT : 0U) |
                        (domain->employee ? OKNO_BY_EMPLOYEE : 0U) |
                        (domain->question ? OKNO_BY_QUESTION : 0U);
    return by == cube->by && domain->from_us <= cube->from_us &&
           (domain->to_us == 0 || domain->to_us >= cube->to_us);
}

bool audit_cube_find(const struct okno_audit_cube *cube, const char *audit, const char *kind,
                     const struct okno_audit_domain *domain,
                     const struct okno_tally_vec **ret_tallies)
{
    static const struct okno_tally_vec none = {0};
    char key[KEY_TEXT];
    if (!cube || strcmp(cube->audit, audit) != 0 || !is_counted(cube, domain))
        return false;
    key_of(cube, kind, domain, key);
    const json_t *place = json_object_get(cube->places, key);
    *ret_tallies = place ? &cube->slots.items[json_integer_value(place)] : &none;
    return true;
}

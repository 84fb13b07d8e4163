/* Dated facts: placements, pairings, questions, shifts, clocks. */
#define _POSIX_C_SOURCE 200809L
#include "okno/registry.h"

#include "okno/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY(member, stmt, column)                                                                 \
    (void)snprintf(member, sizeof(member), "%s", okno_stmt_text(stmt, column))

static int64_t until(struct okno_stmt *stmt)
{
    return okno_stmt_is_null(stmt, "valid_to") ? INT64_MAX : okno_stmt_int(stmt, "valid_to");
}

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of the registry");
}

/* --- placements */

static int by_priority(const void *a, const void *b)
{
    const struct okno_placement *x = a;
    const struct okno_placement *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return strcmp(x->camera, y->camera);
}

int okno_registry_placements_at(struct okno_db *db, const char *point, int64_t at_us,
                                struct okno_placement_vec *placements, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    size_t first = placements->len;
    int rc = OKNO_DB_PREPARE(db, "registry.get_placements", &stmt, err, OKNO_TEXT("point", point),
                             OKNO_INT("at", at_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_placement row = {.from_us = okno_stmt_int(stmt, "valid_from"),
                                     .to_us = until(stmt),
                                     .priority = okno_stmt_int(stmt, "priority")};
        COPY(row.camera, stmt, "camera");
        bool again = placements->len > first &&
                     strcmp(placements->items[placements->len - 1].camera, row.camera) == 0;
        /* of several of one camera the one with the latest start comes first */
        rc = !again && okno_placement_vec_push(placements, row) < 0 ? no_memory(err) : 0;
    }
    if (rc == 0 && placements->len > first)
        qsort(placements->items + first, placements->len - first, sizeof(*placements->items),
              by_priority);
    return rc;
}

/* --- pairings */

static void read_pairing(struct okno_stmt *stmt, struct okno_pairing *row)
{
    const char *role = okno_stmt_text(stmt, "role");
    *row = (struct okno_pairing){.from_us = okno_stmt_int(stmt, "valid_from"),
                                 .to_us = until(stmt),
                                 .button = okno_text_is_word(role, "button both"),
                                 .panel = okno_text_is_word(role, "panel both"),
                                 .test = okno_stmt_int(stmt, "test") != 0};
    COPY(row->device, stmt, "device");
    COPY(row->point, stmt, "point");
}

/* Keep those of the point, each ended by its device's next pairing anywhere. */
static void settle_pairings(struct okno_pairing_vec *pairings, size_t first, const char *point)
{
    size_t kept = first;
    for (size_t i = first; i < pairings->len; i++) {
        struct okno_pairing row = pairings->items[i];
        const struct okno_pairing *next = i + 1 < pairings->len ? &pairings->items[i + 1] : NULL;
        if (next && strcmp(next->device, row.device) == 0 && next->from_us < row.to_us)
            row.to_us = next->from_us;
        if (!point || strcmp(row.point, point) == 0)
            pairings->items[kept++] = row;
    }
    pairings->len = kept;
}

int okno_registry_pairings(struct okno_db *db, const char *device, const char *point,
                           struct okno_pairing_vec *pairings, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_pairing row;
    size_t first = pairings->len;
    int rc = OKNO_DB_PREPARE(db, "registry.get_pairings", &stmt, err, OKNO_TEXT("device", device),
                             OKNO_TEXT("point", point));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        read_pairing(stmt, &row);
        rc = okno_pairing_vec_push(pairings, row) < 0 ? no_memory(err) : 0;
    }
    if (rc == 0)
        settle_pairings(pairings, first, point);
    return rc;
}

/* --- questions */

int okno_registry_questions(struct okno_db *db, const char *point,
                            struct okno_question_vec *questions, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_questions", &stmt, err, OKNO_TEXT("point", point));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_question row = {.from_us = okno_stmt_int(stmt, "valid_from"),
                                    .to_us = until(stmt),
                                    .window_us = okno_stmt_int(stmt, "window_us")};
        COPY(row.question, stmt, "question");
        COPY(row.kind, stmt, "kind");
        COPY(row.text, stmt, "text");
        rc = okno_question_vec_push(questions, row) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

int okno_registry_question_at(struct okno_db *db, const char *point, int64_t at_us,
                              struct okno_question *ret_question, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_question_vec) questions = {0};
    int rc = okno_registry_questions(db, point, &questions, err);
    if (rc < 0)
        return rc;
    for (size_t i = questions.len; i-- > 0;) {
        if (questions.items[i].from_us <= at_us && at_us < questions.items[i].to_us) {
            *ret_question = questions.items[i];
            return 0;
        }
    }
    return okno_fail(err, OKNO_NOT_FOUND, "no question is asked at point %.64s then", point);
}

/* --- shifts */

int okno_registry_shifts(struct okno_db *db, const char *point, int64_t from_us, int64_t to_us,
                         struct okno_shift_vec *shifts, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_shifts", &stmt, err, OKNO_TEXT("point", point),
                             OKNO_INT("from", from_us), OKNO_INT("to", to_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_shift row = {.from_us = okno_stmt_int(stmt, "valid_from"),
                                 .to_us = until(stmt)};
        COPY(row.employee, stmt, "employee");
        rc = okno_shift_vec_push(shifts, row) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

const char *okno_shift_employee_at(const struct okno_shift *shifts, size_t count, int64_t at_us,
                                   bool *ret_overlap)
{
    const char *employee = NULL;
    *ret_overlap = false;
    for (size_t i = 0; i < count; i++) {
        if (at_us < shifts[i].from_us || at_us >= shifts[i].to_us)
            continue;
        *ret_overlap = *ret_overlap || (employee && strcmp(employee, shifts[i].employee) != 0);
        employee = shifts[i].employee;
    }
    return *ret_overlap ? NULL : employee;
}

int okno_registry_employee_at(struct okno_db *db, const char *point, int64_t at_us,
                              char ret_employee[OKNO_ID_TEXT], bool *ret_overlap,
                              struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_shift_vec) shifts = {0};
    int rc = okno_registry_shifts(db, point, at_us, at_us + 1, &shifts, err);
    if (rc < 0)
        return rc;
    const char *employee = okno_shift_employee_at(shifts.items, shifts.len, at_us, ret_overlap);
    (void)snprintf(ret_employee, OKNO_ID_TEXT, "%s", employee ? employee : "");
    return 0;
}

/* --- clocks */

int okno_registry_clock_targets(struct okno_db *db, struct okno_clock_target_vec *targets,
                                struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "registry.get_clock_targets", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_clock_target row;
        COPY(row.target, stmt, "target");
        rc = okno_clock_target_vec_push(targets, row) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

int okno_registry_clock(struct okno_db *db, const char *target, struct okno_clock_vec *measurements,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_clock", &stmt, err, OKNO_TEXT("target", target));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_clock_measurement row = {.at_us = okno_stmt_int(stmt, "at"),
                                             .offset_us = okno_stmt_int(stmt, "offset_us"),
                                             .uncertainty_us =
                                                 okno_stmt_int(stmt, "uncertainty_us"),
                                             .step = okno_stmt_int(stmt, "step") != 0};
        rc = okno_clock_vec_push(measurements, row) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

int okno_registry_index_clock_at(struct okno_db *db, const struct okno_camera *camera,
                                 int64_t at_us, struct okno_index_clock *ret_clock,
                                 struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) own = {0};
    OKNO_AUTO_VEC(okno_clock_vec) archive = {0};
    char target[OKNO_ID_TEXT + 16];
    (void)snprintf(target, sizeof(target), "camera:%s", camera->camera);
    int rc = okno_registry_clock(db, target, &own, err);
    (void)snprintf(target, sizeof(target), "archive:%s", camera->archive.archive);
    if (rc == 0)
        rc = okno_registry_clock(db, target, &archive, err);
    if (rc < 0)
        return rc;
    struct okno_index_clock clock = {.own = own.len > 0,
                                     .archive = okno_clock_at(archive.items, archive.len, at_us)};
    clock.in_force = clock.own ? okno_clock_at(own.items, own.len, at_us) : clock.archive;
    int64_t apart_us = clock.in_force.offset_us - clock.archive.offset_us;
    clock.hides = clock.own && clock.archive.measured &&
                  (apart_us > OKNO_INDEX_APART_US || apart_us < -OKNO_INDEX_APART_US);
    *ret_clock = clock;
    return 0;
}

int okno_registry_index_clock(struct okno_db *db, const struct okno_camera *camera,
                              struct okno_clock_vec *measurements, struct okno_err *err)
{
    char target[OKNO_ID_TEXT + 16];
    size_t first = measurements->len;
    (void)snprintf(target, sizeof(target), "camera:%s", camera->camera);
    int rc = okno_registry_clock(db, target, measurements, err);
    if (rc < 0 || measurements->len > first)
        return rc;
    (void)snprintf(target, sizeof(target), "archive:%s", camera->archive.archive);
    return okno_registry_clock(db, target, measurements, err);
}

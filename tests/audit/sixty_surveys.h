/* A database with sixty surveys, and an audit of them taken step by step. */
#ifndef TESTS_AUDIT_SIXTY_SURVEYS_H
#define TESTS_AUDIT_SIXTY_SURVEYS_H

#include "okno/audit.h"

#include "../support/scratch_db.h"

#include "okno/hash.h"
#include "okno/ledger.h"

#include <string.h>

/* Minutes after 10 March 2026, 07:00Z. */
#define AT(minutes) (INT64_C(1773126000000000) + INT64_C(60000000) * (minutes))
#define DICE "18364520937745610298"

enum { SURVEYS = 60 };

/* 60 surveys of two points, one a minute: of ten 5 yes, 1 unsure, 2 no, 2 silent; every tenth no is
 * under force majeure; the second point's are bob's and of the office. */
#define SURVEYS_SQL                                                                                \
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59)"                \
    "INSERT INTO surveys (survey, point, site, employee, question, question_kind, opened_at,"      \
    " closes_at, state, answer, force_majeure, device_offset_us, device_uncertainty_us)"           \
    "SELECT printf('d%d.0.%03d', i % 2, i), printf('p%d', i % 2), 'mall',"                         \
    " CASE i % 2 WHEN 1 THEN 'bob' END, 'q1', CASE i % 2 WHEN 0 THEN 'personnel' ELSE 'office' "   \
    "END,"                                                                                         \
    " 1773126000000000 + i * 60000000, 1773126000000000 + i * 60000000 + 15000000,"                \
    " CASE WHEN i / 2 % 10 > 7 THEN 'silent' ELSE 'answered' END,"                                 \
    " CASE WHEN i / 2 % 10 < 5 THEN 'yes' WHEN i / 2 % 10 = 5 THEN 'unsure'"                       \
    "      WHEN i / 2 % 10 < 8 THEN 'no' END, i / 2 = 7, 0, 0 FROM n"

static inline int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(f, SURVEYS_SQL);
    scratch_db_put(f,
                   "INSERT INTO links (survey, state, asked_from, asked_to, made_at) VALUES"
                   " ('d0.0.000', 'linked', 0, 1, 1), ('d1.0.001', 'no_recording', 0, 1, 1)");
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static inline struct okno_audit_plan plan_of(const char *audit)
{
    return (struct okno_audit_plan){.audit = audit,
                                    .title = "March",
                                    .from_us = AT(0),
                                    .to_us = AT(60),
                                    .size = 20,
                                    .k = 0.5,
                                    .level = 0.95,
                                    .looks = 1};
}

static inline void must(struct scratch_db *f, int rc)
{
    if (rc < 0)
        fail_msg("%s", f->err.text);
}

static inline void must_fail(struct scratch_db *f, int rc, int code, const char *words)
{
    if (rc != code || !strstr(f->err.text, words))
        fail_msg("%d `%s` is not %d `%s`", rc, f->err.text, code, words);
    okno_err_clear(&f->err);
}

static inline void plan(struct scratch_db *f, const char *audit)
{
    struct okno_audit_plan made = plan_of(audit);
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
}

static inline int64_t freeze(struct scratch_db *f, const char *audit, char *sha256)
{
    int64_t size = 0;
    must(f, okno_audit_freeze(f->db, audit, "eva", NULL, AT(62), &size, sha256, &f->err));
    return size;
}

static inline void checkpoint(struct scratch_db *f, const char *audit)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    must(f, okno_audit_checkpoint(f->db, audit, "eva", AT(62), &note, &f->err));
}

static inline int64_t draw(struct scratch_db *f, const char *audit)
{
    int64_t size = 0;
    checkpoint(f, audit);
    must(f, okno_audit_seed(f->db, audit, DICE, "dice", "ann", "eva", AT(63), &f->err));
    must(f, okno_audit_draw(f->db, audit, "eva", AT(64), &size, &f->err));
    return size;
}

static inline int64_t drawn_audit(struct scratch_db *f, const char *audit)
{
    char sha256[OKNO_SHA256_TEXT];
    plan(f, audit);
    (void)freeze(f, audit, sha256);
    return draw(f, audit);
}

/* One number by a query of the test's own. */
static inline int64_t asked(struct scratch_db *f, const char *sql)
{
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return value;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif

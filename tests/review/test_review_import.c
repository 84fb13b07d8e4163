#define _POSIX_C_SOURCE 200809L
/* Decisions that were made elsewhere: what they decide, and what is refused. */
#include "okno/review.h"

#include "../registry/imported.h"
#include "../support/scratch_db.h"

#include <string.h>

static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'sites', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's1', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p1', 's1', 'Till 1');"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, employee,"
        " device_offset_us, device_uncertainty_us) VALUES"
        " ('b.0.1', 'p1', 's1', 1773151000000000, 1773151015000000, 'silent', 'ann', 0, 0),"
        " ('b.0.2', 'p1', 's1', 1773151100000000, 1773151115000000, 'silent', 'ann', 0, 0),"
        " ('b.0.3', 'p1', 's1', 1773151200000000, 1773151215000000, 'open', 'ann', 0, 0);"
        "INSERT INTO users (user, role, password_hash, employee, created_at) VALUES"
        " ('ann', 'staff', '', 'ann', 0);"
        "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('A', 'March', 'drawn', 0, 1, '{}', 0, 'x'),"
        " ('B', 'April', 'closed', 0, 1, '{}', 0, 'x');"
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (1, 'A', 'b.0.1', 1, 'random', 'open'), (2, 'B', 'b.0.2', 1, 'random', 'open');");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static void take(struct scratch_db *f, const char *rows, int added, int duplicate,
                 const char *rejected)
{
    char text[2000];
    struct imported got;
    (void)snprintf(text, sizeof(text), "survey,expert,verdict,reason,comment,at,audit\n%s", rows);
    okno_err_clear(&f->err);
    if (import_as(f->db, &okno_review_import, text, &got, &f->err) < 0)
        fail_msg("%s", f->err.text);
    assert_string_equal(got.rejected, rejected);
    assert_int_equal(got.result.added, added);
    assert_int_equal(got.result.duplicate, duplicate);
}

/* The first column of the first row; valid until the next call. */
static const char *get(struct scratch_db *f, const char *sql)
{
    static char text[200];
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    const char *value =
        sqlite3_step(stmt) == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    (void)snprintf(text, sizeof(text), "%s", value ? value : "");
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return text;
}

static void a_decision_for_an_audit_decides_what_it_drew(void **state)
{
    struct scratch_db *f = *state;
    static const char row[] = "b.0.1,vera,invalid,STAFF_PRESSED,,2026-03-11T10:00:00Z,A\n";
    take(f, row, 1, 0, "");
    assert_string_equal(get(f, "SELECT state FROM review_items WHERE item = 1"), "decided");
    assert_string_equal(get(f, "SELECT verdict || reason || origin || user || at FROM rulings"),
                        "invalidSTAFF_PRESSEDrandomvera1773223200000000");
    assert_string_equal(get(f, "SELECT count(*) FROM log_leaves WHERE kind = 'verdict'"), "1");
    take(f, row, 0, 1, "");
    take(f, "b.0.1,vera,valid,,,2026-03-11T10:00:00Z,A\n", 0, 0, "2 conflict;");
    assert_string_equal(get(f, "SELECT count(*) FROM verdicts"), "1");
}

static void without_an_audit_it_counts_outside_every_sample(void **state)
{
    struct scratch_db *f = *state;
    take(f, "b.0.2,vera,undeterminable,TOO_DARK,,2026-03-11T10:00:00Z,\n", 1, 0, "");
    assert_string_equal(get(f, "SELECT verdict || origin FROM rulings WHERE survey = 'b.0.2'"),
                        "undeterminableimported");
}

static void of_several_the_latest_counts_in_whatever_order_they_come(void **state)
{
    struct scratch_db *f = *state;
    take(f,
         "b.0.2,vera,invalid,NO_CUSTOMER,,2026-03-12T10:00:00Z,\n"
         "b.0.2,olga,valid,,,2026-03-11T10:00:00Z,\n",
         2, 0, "");
    assert_string_equal(get(f, "SELECT verdict FROM rulings WHERE survey = 'b.0.2'"), "invalid");
    take(f, "b.0.2,olga,valid,,,2026-03-13T10:00:00Z,\n", 1, 0, "");
    assert_string_equal(get(f, "SELECT verdict FROM rulings WHERE survey = 'b.0.2'"), "valid");
    assert_string_equal(get(f, "SELECT count(*) FROM review_items WHERE survey = 'b.0.2'"), "2");
}

static void what_cannot_be_is_refused_and_leaves_nothing(void **state)
{
    struct scratch_db *f = *state;
    take(f,
         "b.9.9,vera,valid,,,2026-03-11T10:00:00Z,\n"
         "b.0.3,vera,valid,,,2026-03-11T10:00:00Z,\n"
         "b.0.1,vera,invalid,,,2026-03-11T10:00:00Z,A\n"
         "b.0.1,vera,invalid,NO_SUCH,,2026-03-11T10:00:00Z,A\n"
         "b.0.1,vera,invalid,OTHER,,2026-03-11T10:00:00Z,A\n"
         "b.0.1,vera,maybe,,,2026-03-11T10:00:00Z,A\n"
         "b.0.2,vera,valid,,,2026-03-11T10:00:00Z,A\n"
         "b.0.2,vera,valid,,,2026-03-11T10:00:00Z,B\n"
         "b.0.1,vera,valid,,,2926-03-11T10:00:00Z,A\n"
         "b.0.1,ann,valid,,,2026-03-11T10:00:00Z,A\n",
         0, 0,
         "2 unknown_ref;3 refused;4 missing;5 invalid;6 missing;7 invalid;8 unknown_ref;9 refused;"
         "10 invalid;11 forbidden;");
    assert_string_equal(get(f, "SELECT count(*) FROM verdicts"), "0");
    assert_string_equal(get(f, "SELECT count(*) FROM review_items"), "2");
    assert_string_equal(get(f, "SELECT count(*) FROM log_leaves WHERE kind = 'verdict'"), "0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_decision_for_an_audit_decides_what_it_drew),
        TEST(without_an_audit_it_counts_outside_every_sample),
        TEST(of_several_the_latest_counts_in_whatever_order_they_come),
        TEST(what_cannot_be_is_refused_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _POSIX_C_SOURCE 200809L
#include "okno/db.h"

#include "../support/tempdir.h"
#include "okno/embedded.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct okno_err err;

static struct okno_db *opened(const char *dir)
{
    struct okno_db *db = NULL;
    okno_err_clear(&err);
    assert_int_equal(okno_db_open(dir, true, &db, &err), 0);
    return db;
}

static int add_import(struct okno_db *db, const char *author, int64_t *ret_id)
{
    okno_err_clear(&err);
    return OKNO_DB_INT(db, "registry.add_import", -1, ret_id, &err, OKNO_INT("at", 1),
                       OKNO_TEXT("author", author), OKNO_TEXT("kind", "sites"),
                       OKNO_TEXT("source", "-"));
}

static int64_t number(const char *dir, const char *sql)
{
    char path[300];
    sqlite3 *raw = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", dir);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL), SQLITE_OK);
    int64_t value = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(raw);
    return value;
}

/* A CHECK against a list fills a table for each row; the rules hold all the same. */
static void rules_of_tables_with_many_rows_are_comparisons(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at)"
        " VALUES ('film', 'a', 1, 'waiting', 0, 0)",
        "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at)"
        " VALUES ('clip', 'a', 1, 'lost', 0, 0)",
        "INSERT INTO review_items (audit, survey, place, origin, state)"
        " VALUES ('a', 'b', 1, 'chosen', 'open')",
        "INSERT INTO review_items (audit, survey, place, origin, state)"
        " VALUES ('a', 'b', 1, 'random', 'shut')",
        "INSERT INTO verdicts (audit, survey, user, at, verdict, reasons_version)"
        " VALUES ('a', 'b', 'c', 1, 'good', 1)",
        "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count, source)"
        " VALUES (1, 'site:s', 'dogs', 0, 1, 1, 'till')",
        "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count, source)"
        " VALUES (1, 'site:s', 'served', 0, 1, 1, 'dog')"};
    char *dir = support_tempdir();
    char path[300];
    sqlite3 *raw = NULL;
    okno_db_close(opened(dir));
    assert_int_equal(number(dir,
                            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN"
                            " ('jobs', 'review_items', 'verdicts', 'counts')"
                            " AND sql LIKE '%CHECK (% OR %' AND sql NOT LIKE '%CHECK (% IN (%'"),
                     4);
    assert_int_equal(number(dir,
                            "SELECT count(*) FROM pragma_integrity_check"
                            " WHERE integrity_check <> 'ok'"),
                     0);
    (void)snprintf(path, sizeof(path), "%s/okno.db", dir);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char *said = NULL;
        assert_int_equal(sqlite3_exec(raw, wrong[i], NULL, NULL, &said), SQLITE_CONSTRAINT);
        if (!strstr(said, "CHECK constraint failed"))
            fail_msg("%s: %s", wrong[i], said);
        sqlite3_free(said);
    }
    (void)sqlite3_close(raw);
    support_tempdir_remove(dir);
}

static void a_new_database_has_every_migration_and_opens_again(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    okno_db_close(opened(dir));
    int64_t version = number(dir, "PRAGMA user_version");
    assert_true(version >= 5);
    struct okno_db *db = opened(dir);
    assert_string_equal(okno_db_dir(db), dir);
    assert_int_equal(okno_db_check(db, &err), 0);
    okno_db_close(db);
    assert_int_equal(number(dir, "PRAGMA user_version"), version);
    support_tempdir_remove(dir);
}

static void a_database_that_is_not_there_says_how_to_make_one(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    struct okno_db *db = NULL;
    okno_err_clear(&err);
    assert_int_equal(okno_db_open(dir, false, &db, &err), OKNO_NOT_FOUND);
    assert_non_null(strstr(err.text, "init"));
    assert_null(db);
    support_tempdir_remove(dir);
}

/* Root may look everywhere: it becomes somebody else for the moment. */
static int open_as_a_stranger(const char *dir)
{
    struct okno_db *db = NULL;
    uid_t me = geteuid();
    assert_int_equal(chmod(dir, me == 0 ? 0700 : 0), 0);
    if (me == 0)
        assert_int_equal(seteuid(65534), 0);
    int rc = okno_db_open(dir, false, &db, &err);
    if (me == 0)
        assert_int_equal(seteuid(me), 0);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_null(db);
    return rc;
}

static void a_database_of_others_is_not_called_missing(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    char path[1100];
    okno_err_clear(&err);
    assert_int_equal(open_as_a_stranger(dir), OKNO_FORBIDDEN);
    assert_non_null(strstr(err.text, "run okno as its owner"));
    assert_null(strstr(err.text, "init"));
    (void)snprintf(path, sizeof(path), "%s/okno.db", dir);
    struct okno_db *db = NULL;
    assert_int_equal(mkdir(path, 0700), 0);
    okno_err_clear(&err);
    assert_int_equal(okno_db_open(dir, false, &db, &err), OKNO_FORBIDDEN);
    assert_non_null(strstr(err.text, "as the owner of"));
    support_tempdir_remove(dir);
}

static void a_database_of_a_newer_program_is_left_alone(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    struct okno_db *db = NULL;
    okno_db_close(opened(dir));
    assert_int_equal(number(dir, "PRAGMA user_version = 9999"), -1);
    assert_int_equal(okno_db_open(dir, false, &db, &err), OKNO_REFUSED);
    assert_non_null(strstr(err.text, "9999"));
    assert_int_equal(number(dir, "PRAGMA user_version"), 9999);
    support_tempdir_remove(dir);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    struct okno_db *db = NULL;
    support_text(dir, "okno.db", "this is a long enough text that is surely not a database.....");
    okno_err_clear(&err);
    assert_int_equal(okno_db_open(dir, false, &db, &err), OKNO_DATABASE);
    assert_non_null(strstr(err.text, "/okno.db is damaged, or none: stop okno"));
    assert_null(db);
    support_tempdir_remove(dir);
}

enum { NOBODY = 65534 };

/* Somebody else's, or on a disk that is mounted so. The second time another process, which may
 * write, has it open. */
static void a_database_that_may_not_be_written_says_what_to_do(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    char path[200];
    static const char *const files[] = {"", "/okno.db", "/okno.db-wal", "/okno.db-shm"};
    struct okno_db *first = opened(dir);
    struct okno_db *db = NULL;
    bool root = geteuid() == 0;
    okno_db_close(first);
    for (int turn = 0; turn < 2; turn++) {
        first = turn == 1 ? opened(dir) : NULL;
        for (size_t i = 0; i < OKNO_COUNT(files); i++) {
            (void)snprintf(path, sizeof(path), "%s%s", dir, files[i]);
            (void)chmod(path, i == 0 ? 0555 : 0444);
        }
        okno_err_clear(&err);
        if (root)
            assert_int_equal(seteuid(NOBODY), 0);
        int rc = okno_db_open(dir, false, &db, &err);
        if (rc == 0)
            rc = okno_db_must_write(db, &err);
        if (root)
            assert_int_equal(seteuid(0), 0);
        assert_int_equal(rc, OKNO_DATABASE);
        assert_non_null(strstr(err.text, "/okno.db, or what lies beside it, may not be written"));
        okno_db_close(db);
        db = NULL;
        (void)chmod(dir, 0700);
        for (size_t i = 1; i < OKNO_COUNT(files); i++) {
            (void)snprintf(path, sizeof(path), "%s%s", dir, files[i]);
            (void)chmod(path, 0600);
        }
        okno_db_close(first);
    }
    first = opened(dir);
    assert_int_equal(okno_db_must_write(first, &err), 0);
    okno_db_close(first);
    support_tempdir_remove(dir);
}

static void a_savepoint_undoes_its_row_only(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    struct okno_db *db = opened(dir);
    int64_t id = 0;
    assert_int_equal(okno_db_begin(db, &err), 0);
    assert_int_equal(add_import(db, "kept", &id), 0);
    assert_int_equal(okno_db_savepoint(db, &err), 0);
    assert_int_equal(add_import(db, "undone", &id), 0);
    assert_int_equal(okno_db_savepoint_end(db, false, &err), 0);
    assert_int_equal(okno_db_savepoint(db, &err), 0);
    assert_int_equal(add_import(db, "kept too", &id), 0);
    assert_int_equal(okno_db_savepoint_end(db, true, &err), 0);
    assert_int_equal(okno_db_commit(db, &err), 0);
    okno_db_close(db);
    assert_int_equal(number(dir, "SELECT count(*) FROM imports"), 2);
    assert_int_equal(number(dir, "SELECT count(*) FROM imports WHERE author = 'undone'"), 0);
    support_tempdir_remove(dir);
}

static void what_is_not_committed_is_gone(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    struct okno_db *db = opened(dir);
    int64_t id = 0;
    assert_int_equal(okno_db_begin(db, &err), 0);
    assert_int_equal(add_import(db, "a", &id), 0);
    okno_db_rollback(db);
    okno_db_rollback(db);
    assert_int_equal(okno_db_begin(db, &err), 0);
    assert_int_equal(add_import(db, "b", &id), 0);
    okno_db_close(db);
    assert_int_equal(number(dir, "SELECT count(*) FROM imports"), 0);
    support_tempdir_remove(dir);
}

static void an_unknown_statement_or_parameter_is_named(void **state)
{
    (void)state;
    struct okno_db *db = NULL;
    struct okno_stmt *stmt = NULL;
    okno_err_clear(&err);
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    assert_int_equal(okno_db_stmt(db, "no.such", &stmt, &err), OKNO_FAILED);
    assert_non_null(strstr(err.text, "no.such"));
    okno_err_clear(&err);
    assert_int_equal(okno_db_stmt(db, "registry.has_site", &stmt, &err), 0);
    assert_int_equal(okno_stmt_bind_int(stmt, "nothing", 1, &err), OKNO_FAILED);
    assert_non_null(strstr(err.text, "$nothing"));
    okno_db_close(db);
}

static void a_broken_rule_of_the_schema_is_a_conflict(void **state)
{
    (void)state;
    struct okno_db *db = NULL;
    int64_t id = 0;
    okno_err_clear(&err);
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    assert_int_equal(add_import(db, NULL, &id), OKNO_CONFLICT);
    assert_int_equal(OKNO_DB_RUN(db, "registry.add_session", NULL, NULL,
                                 OKNO_TEXT("token_hash", "x"), OKNO_TEXT("user", "nobody"),
                                 OKNO_INT("now", 0), OKNO_INT("until", 1)),
                     OKNO_CONFLICT);
    assert_int_equal(add_import(db, "a", &id), 0);
    okno_db_close(db);
}

static void a_reader_sees_the_old_state_while_another_writes(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    struct okno_db *writer = opened(dir);
    struct okno_db *reader = opened(dir);
    int64_t users = -1;
    int64_t id = 0;
    assert_int_equal(okno_db_begin(writer, &err), 0);
    assert_int_equal(add_import(writer, "a", &id), 0);
    assert_int_equal(okno_db_int(reader, "registry.count_users", NULL, 0, 7, &users, &err), 0);
    assert_int_equal(users, 0);
    assert_int_equal(okno_db_commit(writer, &err), 0);
    okno_db_close(writer);
    okno_db_close(reader);
    support_tempdir_remove(dir);
}

/* A later one would never be found. */
static void no_two_statements_have_one_name(void **state)
{
    (void)state;
    for (size_t i = 0; okno_sql_statements[i].name; i++)
        for (size_t k = i + 1; okno_sql_statements[k].name; k++)
            if (strcmp(okno_sql_statements[i].name, okno_sql_statements[k].name) == 0)
                fail_msg("%s is there twice", okno_sql_statements[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_statements_have_one_name),
        cmocka_unit_test(a_new_database_has_every_migration_and_opens_again),
        cmocka_unit_test(rules_of_tables_with_many_rows_are_comparisons),
        cmocka_unit_test(a_database_that_is_not_there_says_how_to_make_one),
        cmocka_unit_test(a_database_of_others_is_not_called_missing),
        cmocka_unit_test(a_database_of_a_newer_program_is_left_alone),
        cmocka_unit_test(a_file_that_is_no_database_is_refused),
        cmocka_unit_test(a_database_that_may_not_be_written_says_what_to_do),
        cmocka_unit_test(a_savepoint_undoes_its_row_only),
        cmocka_unit_test(what_is_not_committed_is_gone),
        cmocka_unit_test(an_unknown_statement_or_parameter_is_named),
        cmocka_unit_test(a_broken_rule_of_the_schema_is_a_conflict),
        cmocka_unit_test(a_reader_sees_the_old_state_while_another_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

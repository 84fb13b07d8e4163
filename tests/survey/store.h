/* A database in a temporary directory, and facts of other rooms written straight into its tables.
 */
#ifndef TESTS_SURVEY_STORE_H
#define TESTS_SURVEY_STORE_H

#include "okno/db.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct store {
    char dir[64];
    struct okno_db *db;
    sqlite3 *raw; /* a second connection, for the test's own SQL */
};

__attribute__((unused)) static void put(struct store *store, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(store->raw, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

/* The first column of the first row as text; "" without a row, "NULL" for a NULL. Valid until the
 * next call. */
__attribute__((unused)) static const char *get(struct store *store, const char *sql)
{
    static char text[4096];
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(store->raw, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(store->raw));
    text[0] = '\0';
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *value = (const char *)sqlite3_column_text(stmt, 0);
        (void)snprintf(text, sizeof(text), "%s", value ? value : "NULL");
    }
    (void)sqlite3_finalize(stmt);
    return text;
}

__attribute__((unused)) static int store_open(void **state)
{
    struct store *store = calloc(1, sizeof(*store));
    struct okno_err err = {0};
    char path[80];
    assert_non_null(store);
    bool in_memory = access("/dev/shm", W_OK) == 0; /* tests make thousands of transactions */
    (void)snprintf(store->dir, sizeof(store->dir), "%s/okno-survey-XXXXXX",
                   in_memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(store->dir));
    assert_int_equal(okno_db_open(store->dir, true, &store->db, &err), 0);
    (void)snprintf(path, sizeof(path), "%s/okno.db", store->dir);
    assert_int_equal(sqlite3_open(path, &store->raw), SQLITE_OK);
    put(store,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'sites', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's1', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p1', 's1', 'Till 1'),"
        " (1, 'p2', 's1', 'Till 2');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'd1', 'p1', 0);");
    *state = store;
    return 0;
}

__attribute__((unused)) static int store_close(void **state)
{
    struct store *store = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    okno_db_close(store->db);
    (void)sqlite3_close(store->raw);
    for (size_t i = 0; i < 3; i++) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s/okno.db%s", store->dir, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(store->dir);
    free(store);
    return 0;
}

#endif

/* A database in a temporary directory for tests of rooms that read what other rooms wrote: facts
 * are put straight into their tables. */
#ifndef OKNO_SCRATCH_DB_H
#define OKNO_SCRATCH_DB_H

#include "okno/db.h"
#include "okno/mem.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct scratch_db {
    char dir[64];
    struct okno_db *db;
    struct okno_err err;
};

static inline struct scratch_db *scratch_db_in(const char *folder)
{
    struct scratch_db *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    (void)snprintf(s->dir, sizeof(s->dir), "%s/okno-test-XXXXXX", folder);
    assert_non_null(mkdtemp(s->dir));
    assert_int_equal(okno_db_open(s->dir, true, &s->db, &s->err), 0);
    return s;
}

/* In memory where that is possible: tests make thousands of transactions. */
static inline struct scratch_db *scratch_db_new(void)
{
    return scratch_db_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static inline void scratch_db_put(struct scratch_db *s, const char *sql)
{
    char path[80];
    char *message = NULL;
    sqlite3 *sqlite = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", s->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    if (sqlite3_exec(sqlite, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    (void)sqlite3_close(sqlite);
}

static inline void scratch_db_free(struct scratch_db *s)
{
    static const char *const names[] = {"okno.db",      "okno.db-wal",         "okno.db-shm",
                                        "keys/log.key", "keys/log.checkpoint", "keys",
                                        "exports.lock"};
    okno_db_close(s->db);
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
        (void)remove(path);
    }
    (void)rmdir(s->dir);
    free(s);
}

#endif

#define _POSIX_C_SOURCE 200809L
#include "okno/db.h"
#include "okno/embedded.h"
#include "okno/time.h"
#include "stmt.h"
#include "turn.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000, STATEMENTS_MAX = 1024, NAMES = 4096 };

struct okno_db {
    sqlite3 *sqlite;
    char dir[1024];
    struct turn *turn; /* NULL in memory */
    bool has_turn;
    int patience_ms; /* for another writer */
    /* By place in okno_sql_statements; raw NULL: not yet prepared. */
    struct okno_stmt statements[STATEMENTS_MAX];
    int16_t names[NAMES];        /* 1 + the place of a name, at its hash or behind it; 0: free */
    sqlite3_stmt *savepoints[3]; /* by enum savepoint_step */
};

enum savepoint_step { SAVEPOINT_BEGIN, SAVEPOINT_UNDO, SAVEPOINT_END };

static int run_text(sqlite3 *sqlite, const char *sql, struct okno_err *err)
{
    int code = sqlite3_exec(sqlite, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : stmt_fail(sqlite, code, sql, err);
}

static int read_version(sqlite3 *sqlite, int *ret_version, struct okno_err *err)
{
    sqlite3_stmt *raw = NULL;
    int code = sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &raw, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(raw)) == SQLITE_ROW) {
        *ret_version = sqlite3_column_int(raw, 0);
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(raw);
    return code == SQLITE_OK ? 0 : stmt_fail(sqlite, code, "cannot read its version", err);
}

static int apply(sqlite3 *sqlite, int number, struct okno_err *err)
{
    char pragma[64];
    (void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", number);
    int rc = run_text(sqlite, okno_sql_migrations[number - 1].text, err);
    if (rc == 0)
        rc = run_text(sqlite, pragma, err);
    if (rc < 0)
        okno_err_context(err, "migration %s", okno_sql_migrations[number - 1].name);
    return rc;
}

/* All pending migrations in one transaction: an interrupted upgrade leaves the old schema. */
static int migrate(sqlite3 *sqlite, struct okno_err *err)
{
    int version = 0;
    int newest = 0;
    while (okno_sql_migrations[newest].name)
        newest++;
    int rc = read_version(sqlite, &version, err);
    if (rc < 0 || version == newest)
        return rc;
    if (version > newest)
        return okno_fail(
            err, OKNO_REFUSED,
            "the database has schema %d, this program knows up to %d: install the newer "
            "okno that wrote it",
            version, newest);
    rc = run_text(sqlite, "BEGIN IMMEDIATE", err);
    if (rc == 0)
        rc = read_version(sqlite, &version, err); /* another process may have been first */
    while (rc == 0 && version < newest)
        rc = apply(sqlite, ++version, err);
    if (rc == 0)
        return run_text(sqlite, "COMMIT", err);
    (void)sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* SQLite has one code for a file that is not there and one that others own. */
static int cannot_open(const char *path, const char *dir, struct okno_err *err)
{
    struct stat found;
    if (stat(path, &found) == 0)
        return okno_fail(err, OKNO_FORBIDDEN,
                         "%s cannot be opened for writing: run okno as the owner of %s (uid %ld)",
                         path, dir, (long)found.st_uid);
    if (errno == EACCES)
        return okno_fail(err, OKNO_FORBIDDEN,
                         "no permission to look into %s: run okno as its owner", dir);
    return okno_fail(err, OKNO_NOT_FOUND, "no database at %s: run `okno --data %s init` first",
                     path, dir);
}

/* FNV-1a. */
static size_t hash_of(const char *name)
{
    uint32_t hash = 2166136261U;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    return hash % NAMES;
}

static void note_names(struct okno_db *db)
{
    for (int16_t i = 0; okno_sql_statements[i].name; i++) {
        size_t at = hash_of(okno_sql_statements[i].name);
        assert(i < STATEMENTS_MAX);
        while (db->names[at])
            at = (at + 1) % NAMES;
        db->names[at] = (int16_t)(i + 1);
    }
}

static int open_at(const char *path, int flags, const char *dir, struct okno_db **ret_db,
                   struct okno_err *err)
{
    struct okno_db *db = calloc(1, sizeof(*db));
    if (!db)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a database handle");
    (void)snprintf(db->dir, sizeof(db->dir), "%s", dir);
    note_names(db);
    int code = sqlite3_open_v2(path, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);
    int rc = 0;
    if (*dir && !(db->turn = turn_join(path)))
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a database handle");
    else if (code == SQLITE_CANTOPEN)
        rc = cannot_open(path, dir, err);
    else if (code != SQLITE_OK)
        rc = stmt_fail(db->sqlite, code, path, err);
    if (rc == 0) {
        (void)sqlite3_extended_result_codes(db->sqlite, 1);
        (void)okno_db_set_patience(db, BUSY_TIMEOUT_MS);
        rc = run_text(db->sqlite,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                      "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;",
                      err);
    }
    if (rc == 0)
        rc = migrate(db->sqlite, err);
    if (rc < 0) {
        okno_db_close(db);
        return rc;
    }
    *ret_db = db;
    return 0;
}

/* Nobody asks how much memory the library uses; counting it takes a lock at each allocation, which
 * all threads of the service share. Too late once the library is in use, and harmless then. */
static void set_up_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int okno_db_open(const char *data_dir, bool create, struct okno_db **ret_db, struct okno_err *err)
{
    char path[1200];
    if (strlen(data_dir) >= 1024)
        return okno_fail(err, OKNO_INVALID, "the data directory's name is longer than 1023 bytes");
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, set_up_library);
    (void)snprintf(path, sizeof(path), "%s/okno.db", data_dir);
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    return open_at(path, flags, data_dir, ret_db, err);
}

int okno_db_must_write(struct okno_db *db, struct okno_err *err)
{
    return sqlite3_db_readonly(db->sqlite, "main") == 1
               ? stmt_fail(db->sqlite, SQLITE_READONLY, "main", err)
               : 0;
}

int okno_db_open_memory(struct okno_db **ret_db, struct okno_err *err)
{
    return open_at(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "", ret_db, err);
}

int okno_db_open_temporary(struct okno_db **ret_db, struct okno_err *err)
{
    struct okno_db *db = NULL;
    int rc = open_at("", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "", &db, err);
    if (rc == 0) /* what fails is thrown away whole */
        rc = run_text(db->sqlite, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;", err);
    if (rc < 0) {
        okno_db_close(db);
        return rc;
    }
    *ret_db = db;
    return 0;
}

static void give_turn(struct okno_db *db)
{
    if (db->has_turn)
        turn_give(db->turn);
    db->has_turn = false;
}

void okno_db_close(struct okno_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        (void)sqlite3_finalize(db->statements[i].raw);
        free(db->statements[i].columns);
    }
    for (size_t i = 0; i < OKNO_COUNT(db->savepoints); i++)
        (void)sqlite3_finalize(db->savepoints[i]);
    (void)sqlite3_close(db->sqlite);
    give_turn(db);
    turn_leave(db->turn);
    free(db);
}

int okno_db_set_patience(struct okno_db *db, int wait_ms)
{
    int before = db->patience_ms;
    db->patience_ms = wait_ms;
    (void)sqlite3_busy_timeout(db->sqlite, wait_ms);
    return before;
}

int okno_db_begin(struct okno_db *db, struct okno_err *err)
{
    if (db->turn && !db->has_turn && !turn_take(db->turn, db->patience_ms * OKNO_MS_US))
        return okno_fail(err, OKNO_BUSY, "database: another writer takes too long");
    bool nested = db->has_turn;
    db->has_turn = db->turn != NULL;
    int rc = run_text(db->sqlite, "BEGIN IMMEDIATE", err);
    if (rc < 0 && !nested)
        give_turn(db);
    return rc;
}

int okno_db_commit(struct okno_db *db, struct okno_err *err)
{
    int rc = run_text(db->sqlite, "COMMIT", err);
    if (rc < 0)
        okno_db_rollback(db);
    give_turn(db);
    return rc;
}

void okno_db_rollback(struct okno_db *db)
{
    if (!sqlite3_get_autocommit(db->sqlite))
        (void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    give_turn(db);
}

bool okno_db_is_inside(const struct okno_db *db)
{
    return sqlite3_get_autocommit(db->sqlite) == 0;
}

int okno_db_read_begin(struct okno_db *db, bool *ret_began, struct okno_err *err)
{
    bool began = !okno_db_is_inside(db);
    int rc = began ? run_text(db->sqlite, "BEGIN DEFERRED", err) : 0;
    if (rc == 0)
        *ret_began = began;
    return rc;
}

void okno_db_read_end(struct okno_db *db, bool began)
{
    if (began && okno_db_is_inside(db))
        (void)sqlite3_exec(db->sqlite, "COMMIT", NULL, NULL, NULL);
}

/* Prepared once: a savepoint may stand around every row of millions. */
static int step_savepoint(struct okno_db *db, enum savepoint_step step, struct okno_err *err)
{
    static const char *const texts[] = {"SAVEPOINT row", "ROLLBACK TO row", "RELEASE row"};
    sqlite3_stmt **raw = &db->savepoints[step];
    int code = *raw ? SQLITE_OK
                    : sqlite3_prepare_v3(db->sqlite, texts[step], -1, SQLITE_PREPARE_PERSISTENT,
                                         raw, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(*raw)) == SQLITE_DONE)
        code = sqlite3_reset(*raw);
    int rc = code == SQLITE_OK ? 0 : stmt_fail(db->sqlite, code, texts[step], err);
    if (*raw)
        (void)sqlite3_reset(*raw);
    return rc;
}

int okno_db_savepoint(struct okno_db *db, struct okno_err *err)
{
    return step_savepoint(db, SAVEPOINT_BEGIN, err);
}

int okno_db_savepoint_end(struct okno_db *db, bool keep, struct okno_err *err)
{
    int rc = keep ? 0 : step_savepoint(db, SAVEPOINT_UNDO, err);
    return rc < 0 ? rc : step_savepoint(db, SAVEPOINT_END, err);
}

static int find_statement(const struct okno_db *db, const char *name)
{
    for (size_t at = hash_of(name); db->names[at]; at = (at + 1) % NAMES)
        if (strcmp(okno_sql_statements[db->names[at] - 1].name, name) == 0)
            return db->names[at] - 1;
    return -1;
}

int okno_db_stmt(struct okno_db *db, const char *name, struct okno_stmt **ret_stmt,
                 struct okno_err *err)
{
    int place = find_statement(db, name);
    if (place < 0)
        return okno_fail(err, OKNO_FAILED, "no SQL statement is named %s", name);
    struct okno_stmt *stmt = &db->statements[place];
    if (!stmt->raw) {
        int code = sqlite3_prepare_v3(db->sqlite, okno_sql_statements[place].text, -1,
                                      SQLITE_PREPARE_PERSISTENT, &stmt->raw, NULL);
        if (code != SQLITE_OK)
            return stmt_fail(db->sqlite, code, name, err);
        stmt->sqlite = db->sqlite;
        stmt->name = okno_sql_statements[place].name;
    }
    (void)sqlite3_reset(stmt->raw);
    (void)sqlite3_clear_bindings(stmt->raw);
    *ret_stmt = stmt;
    return 0;
}

static int first_trouble(struct okno_db *db, const char *pragma, const char *healthy,
                         struct okno_err *err)
{
    sqlite3_stmt *raw = NULL;
    int code = sqlite3_prepare_v2(db->sqlite, pragma, -1, &raw, NULL);
    int rc = code == SQLITE_OK ? 0 : stmt_fail(db->sqlite, code, pragma, err);
    if (rc == 0 && sqlite3_step(raw) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(raw, 0);
        if (!healthy || !text || strcmp(text, healthy) != 0)
            rc = okno_fail(err, OKNO_CHECK_FAILED, "database: %s: %s", pragma, text ? text : "");
    }
    (void)sqlite3_finalize(raw);
    return rc;
}

int okno_db_check(struct okno_db *db, struct okno_err *err)
{
    int rc = first_trouble(db, "PRAGMA quick_check(1)", "ok", err);
    return rc < 0 ? rc : first_trouble(db, "PRAGMA foreign_key_check", NULL, err);
}

const char *okno_db_dir(const struct okno_db *db)
{
    return db->dir;
}

int64_t okno_db_steps(const struct okno_db *db)
{
    int64_t steps = 0;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        if (db->statements[i].raw)
            steps += sqlite3_stmt_status(db->statements[i].raw, SQLITE_STMTSTATUS_VM_STEP, 0);
    return steps;
}

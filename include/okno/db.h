/* The database: one seam over SQLite. One writer at a time, many readers, WAL, synchronous=FULL.
 *
 * A handle belongs to one thread at a time. Statements are named in the sql folders of the rooms
 * (`-- name: room.verb_noun`), prepared once per handle and kept by it.
 *
 *     struct okno_stmt *stmt;
 *     rc = okno_db_stmt(db, "survey.get", &stmt, err);
 *     if (rc == 0) rc = okno_stmt_bind_text(stmt, "survey", id, err);
 *     while (rc == 0 && (step = okno_stmt_step(stmt, err)) == 1) ... okno_stmt_text(stmt,
 * "answer"); okno_stmt_reset(stmt); */
#ifndef OKNO_DB_H
#define OKNO_DB_H

#include "okno/err.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct okno_db;
struct okno_stmt;

/* Open DIR/okno.db, which must exist unless `create`, and bring it to the newest migration (each in
 * one transaction). OKNO_NOT_FOUND without a database; OKNO_REFUSED when it is newer than this
 * program. The caller owns *ret_db. */
OKNO_CHECK int okno_db_open(const char *data_dir, bool create, struct okno_db **ret_db,
                            struct okno_err *err);

/* A database in memory with the whole schema, for tests of rooms. */
OKNO_CHECK int okno_db_open_memory(struct okno_db **ret_db, struct okno_err *err);

/* A database of its own with the whole schema that is gone when it is closed: for what is computed
 * once. Kept on disk where it grows. After a failure it is only good for closing. */
OKNO_CHECK int okno_db_open_temporary(struct okno_db **ret_db, struct okno_err *err);

/* Close; NULL allowed. An open transaction is rolled back. */
void okno_db_close(struct okno_db *db);
OKNO_CLEANUP(okno_db, okno_db_close);

/* BEGIN IMMEDIATE: waits for the other writer up to its deadline (10 s), then OKNO_BUSY. Threads of
 * this process get their turn in the order in which they came. */
OKNO_CHECK int okno_db_begin(struct okno_db *db, struct okno_err *err);
/* How long okno_db_begin of this handle waits from now on; 0: not at all. Returns what it was. */
int okno_db_set_patience(struct okno_db *db, int wait_ms);
/* On return 0 the transaction is on disk. On failure it is rolled back. */
OKNO_CHECK int okno_db_commit(struct okno_db *db, struct okno_err *err);
/* Harmless outside a transaction. */
void okno_db_rollback(struct okno_db *db);

/* One view of the data for several statements: nothing that others commit is seen until
 * okno_db_read_end. Inside a transaction of this handle that one goes on; *ret_began tells
 * okno_db_read_end whether there is anything to end. */
OKNO_CHECK int okno_db_read_begin(struct okno_db *db, bool *ret_began, struct okno_err *err);
void okno_db_read_end(struct okno_db *db, bool began);
/* Whether a transaction of this handle is open. */
bool okno_db_is_inside(const struct okno_db *db);

/* A savepoint inside a transaction, so that one bad row takes nothing with it. `keep` false undoes
 * all since okno_db_savepoint. They do not nest. */
OKNO_CHECK int okno_db_savepoint(struct okno_db *db, struct okno_err *err);
OKNO_CHECK int okno_db_savepoint_end(struct okno_db *db, bool keep, struct okno_err *err);

/* The named statement, reset and with cleared bindings; owned by the handle. A name that is not in
 * sql/ is a programmer's error: OKNO_FAILED. */
OKNO_CHECK int okno_db_stmt(struct okno_db *db, const char *name, struct okno_stmt **ret_stmt,
                            struct okno_err *err);

/* Bind by parameter name, without its `$`. Texts and blobs are copied. NULL text binds NULL. */
OKNO_CHECK int okno_stmt_bind_text(struct okno_stmt *stmt, const char *param, const char *text,
                                   struct okno_err *err);
OKNO_CHECK int okno_stmt_bind_int(struct okno_stmt *stmt, const char *param, int64_t value,
                                  struct okno_err *err);
OKNO_CHECK int okno_stmt_bind_real(struct okno_stmt *stmt, const char *param, double value,
                                   struct okno_err *err);
OKNO_CHECK int okno_stmt_bind_null(struct okno_stmt *stmt, const char *param, struct okno_err *err);
OKNO_CHECK int okno_stmt_bind_blob(struct okno_stmt *stmt, const char *param, const void *bytes,
                                   size_t len, struct okno_err *err);

/* One value of a binding list. */
struct okno_bind {
    const char *param;
    enum { OKNO_BIND_TEXT, OKNO_BIND_INT, OKNO_BIND_REAL } kind;
    const char *text; /* NULL binds NULL */
    int64_t integer;
    double real;
};

#define OKNO_TEXT(name, value)                                                                     \
    {                                                                                              \
        .param = (name), .kind = OKNO_BIND_TEXT, .text = (value)                                   \
    }
#define OKNO_INT(name, value)                                                                      \
    {                                                                                              \
        .param = (name), .kind = OKNO_BIND_INT, .integer = (value)                                 \
    }
#define OKNO_REAL(name, value)                                                                     \
    {                                                                                              \
        .param = (name), .kind = OKNO_BIND_REAL, .real = (value)                                   \
    }

/* okno_db_stmt and all bindings in one call:
 *     OKNO_DB_PREPARE(db, "survey.get", &stmt, err, OKNO_TEXT("survey", id)) */
OKNO_CHECK int okno_db_prepare(struct okno_db *db, const char *name, const struct okno_bind *binds,
                               size_t count, struct okno_stmt **ret_stmt, struct okno_err *err);
#define OKNO_BINDS(...)                                                                            \
    ((struct okno_bind[]){__VA_ARGS__}),                                                           \
        (sizeof((struct okno_bind[]){__VA_ARGS__}) / sizeof(struct okno_bind))
#define OKNO_DB_PREPARE(db, name, ret_stmt, err, ...)                                              \
    okno_db_prepare(db, name, OKNO_BINDS(__VA_ARGS__), ret_stmt, err)

/* Bind, step once expecting no row, reset. *ret_changes (may be NULL) gets the rows changed. */
OKNO_CHECK int okno_db_run(struct okno_db *db, const char *name, const struct okno_bind *binds,
                           size_t count, int64_t *ret_changes, struct okno_err *err);
#define OKNO_DB_RUN(db, name, ret_changes, err, ...)                                               \
    okno_db_run(db, name, OKNO_BINDS(__VA_ARGS__), ret_changes, err)

/* The first column of the first row as an integer; `fallback` where there is no row or a NULL. */
OKNO_CHECK int okno_db_int(struct okno_db *db, const char *name, const struct okno_bind *binds,
                           size_t count, int64_t fallback, int64_t *ret_value,
                           struct okno_err *err);
#define OKNO_DB_INT(db, name, fallback, ret_value, err, ...)                                       \
    okno_db_int(db, name, OKNO_BINDS(__VA_ARGS__), fallback, ret_value, err)

/* For loops over many rows: look a parameter's place up once, by its name, and bind by the place.
 * Such texts are not copied: they live until the statement is bound anew or reset. */
OKNO_CHECK int okno_stmt_param(struct okno_stmt *stmt, const char *param, int *ret_place,
                               struct okno_err *err);
OKNO_CHECK int okno_stmt_put_text(struct okno_stmt *stmt, int place, const char *text,
                                  struct okno_err *err);
OKNO_CHECK int okno_stmt_put_int(struct okno_stmt *stmt, int place, int64_t value,
                                 struct okno_err *err);

/* Run a statement that gives no rows; its bindings stay. *ret_changes (may be NULL): rows it
 * changed. */
OKNO_CHECK int okno_stmt_run(struct okno_stmt *stmt, int64_t *ret_changes, struct okno_err *err);

/* 1: a row is there; 0: done; negative: failure (a broken unique or foreign key: OKNO_CONFLICT). */
OKNO_CHECK int okno_stmt_step(struct okno_stmt *stmt, struct okno_err *err);

/* Columns by name, of the row just stepped to. Pointers live until the next step or reset. A column
 * that the statement lacks is a programmer's error (assert). */
const char *okno_stmt_text(struct okno_stmt *stmt, const char *column); /* NULL for NULL */
int64_t okno_stmt_int(struct okno_stmt *stmt, const char *column);      /* 0 for NULL */
double okno_stmt_real(struct okno_stmt *stmt, const char *column);
bool okno_stmt_is_null(struct okno_stmt *stmt, const char *column);
/* The text into a buffer of `size` bytes, cut to fit; "" for NULL. */
void okno_stmt_copy(struct okno_stmt *stmt, const char *column, char *ret_text, size_t size);
const void *okno_stmt_blob(struct okno_stmt *stmt, const char *column, size_t *ret_len);

/* For loops over millions of rows: the place of a column, looked up once, and its values by place.
 */
int okno_stmt_column(struct okno_stmt *stmt, const char *column);
const char *okno_stmt_text_at(struct okno_stmt *stmt, int place); /* NULL for NULL */
int64_t okno_stmt_int_at(struct okno_stmt *stmt, int place);      /* 0 for NULL */

/* Let go of the rows (ends a read transaction). NULL allowed. */
void okno_stmt_reset(struct okno_stmt *stmt);

/* `struct okno_stmt *` variable that resets itself at scope end. */
static inline void okno_stmt_reset_at(struct okno_stmt **at)
{
    okno_stmt_reset(*at);
}
#define OKNO_AUTO_STMT __attribute__((cleanup(okno_stmt_reset_at))) struct okno_stmt

/* OKNO_DATABASE when the file may be read only: a service would take in what it cannot keep. */
OKNO_CHECK int okno_db_must_write(struct okno_db *db, struct okno_err *err);

/* Integrity: PRAGMA quick_check and foreign_key_check. OKNO_CHECK_FAILED names the first trouble.
 */
OKNO_CHECK int okno_db_check(struct okno_db *db, struct okno_err *err);

/* The steps that the handle's named statements have taken so far: what work costs, whatever the
 * machine. For tests. */
int64_t okno_db_steps(const struct okno_db *db);

/* Copy the database as it is at one moment into a new file, which takes the place of an older one
 * at `path` once it is whole and on disk. Writers are not held up. */
OKNO_CHECK int okno_db_copy(struct okno_db *db, const char *path, struct okno_err *err);

/* The data directory it was opened in; "" for memory. */
const char *okno_db_dir(const struct okno_db *db);

#endif

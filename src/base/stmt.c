#define _POSIX_C_SOURCE 200809L
/* Statements: what they are given, run for, and asked. */
#include "stmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int code_of(int sqlite_code)
{
    switch (sqlite_code & 0xff) {
    case SQLITE_FULL:
        return OKNO_NO_SPACE;
    case SQLITE_NOMEM:
        return OKNO_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return OKNO_BUSY;
    case SQLITE_CONSTRAINT:
        return OKNO_CONFLICT;
    default:
        return OKNO_DATABASE;
    }
}

/* What somebody can do about it stands in the message: the library's own names a state, no deed. */
static int fail_file(sqlite3 *sqlite, int sqlite_code, struct okno_err *err)
{
    const char *name = sqlite ? sqlite3_db_filename(sqlite, "main") : NULL;
    if (!name || !*name)
        return 0;
    switch (sqlite_code & 0xff) {
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return okno_fail(err, OKNO_DATABASE,
                         "database: %s, or what lies beside it, may not be written: give the data "
                         "directory with all in it to the user who runs okno (chown -R), or make "
                         "its disk writable",
                         name);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return okno_fail(err, OKNO_DATABASE,
                         "database: %s is damaged, or none: stop okno, put the file aside and "
                         "restore the newest backup (docs/backup.md)",
                         name);
    case SQLITE_IOERR:
        return okno_fail(err, OKNO_DATABASE,
                         "database: reading or writing %s failed (%s): look at its disk", name,
                         strerror(sqlite3_system_errno(sqlite)));
    default:
        return 0;
    }
}

int stmt_fail(sqlite3 *sqlite, int sqlite_code, const char *what, struct okno_err *err)
{
    bool full =
        (sqlite_code & 0xff) == SQLITE_IOERR && sqlite && sqlite3_system_errno(sqlite) == ENOSPC;
    if (full || code_of(sqlite_code) == OKNO_NO_SPACE)
        return okno_fail(err, OKNO_NO_SPACE, "database: %s: no space left on disk", what);
    int rc = fail_file(sqlite, sqlite_code, err);
    if (rc < 0)
        return rc;
    return okno_fail(err, code_of(sqlite_code), "database: %s: %s", what,
                     sqlite ? sqlite3_errmsg(sqlite) : sqlite3_errstr(sqlite_code));
}

/* SQLite numbers $n by first appearance, so parameters are always looked up by name. */
int okno_stmt_param(struct okno_stmt *stmt, const char *param, int *ret_place, struct okno_err *err)
{
    char name[64] = "$";
    size_t len = strlen(param);
    if (len < sizeof(name) - 1)
        memcpy(name + 1, param, len + 1);
    int place = sqlite3_bind_parameter_index(stmt->raw, name);
    if (place == 0)
        return okno_fail(err, OKNO_FAILED, "statement %s has no parameter $%s", stmt->name, param);
    *ret_place = place;
    return 0;
}

int okno_stmt_put_text(struct okno_stmt *stmt, int place, const char *text, struct okno_err *err)
{
    int code = sqlite3_bind_text(stmt->raw, place, text, -1, SQLITE_STATIC);
    return code == SQLITE_OK ? 0 : stmt_fail(stmt->sqlite, code, stmt->name, err);
}

int okno_stmt_put_int(struct okno_stmt *stmt, int place, int64_t value, struct okno_err *err)
{
    int code = sqlite3_bind_int64(stmt->raw, place, value);
    return code == SQLITE_OK ? 0 : stmt_fail(stmt->sqlite, code, stmt->name, err);
}

int okno_stmt_run(struct okno_stmt *stmt, int64_t *ret_changes, struct okno_err *err)
{
    int rc = okno_stmt_step(stmt, err);
    (void)sqlite3_reset(stmt->raw);
    if (rc > 0)
        return okno_fail(err, OKNO_FAILED, "statement %s gave a row where none is expected",
                         stmt->name);
    if (rc == 0 && ret_changes)
        *ret_changes = sqlite3_changes64(stmt->sqlite);
    return rc;
}

int okno_stmt_bind_text(struct okno_stmt *stmt, const char *param, const char *text,
                        struct okno_err *err)
{
    int place = 0;
    int rc = okno_stmt_param(stmt, param, &place, err);
    if (rc < 0)
        return rc;
    int code = sqlite3_bind_text(stmt->raw, place, text, -1, SQLITE_TRANSIENT);
    return code == SQLITE_OK ? 0 : stmt_fail(stmt->sqlite, code, stmt->name, err);
}

int okno_stmt_bind_int(struct okno_stmt *stmt, const char *param, int64_t value,
                       struct okno_err *err)
{
    int place = 0;
    int rc = okno_stmt_param(stmt, param, &place, err);
    if (rc < 0)
        return rc;
    int code = sqlite3_bind_int64(stmt->raw, place, value);
    return code == SQLITE_OK ? 0 : stmt_fail(stmt->sqlite, code, stmt->name, err);
}

int okno_stmt_bind_real(struct okno_stmt *stmt, const char *param, double value,
                        struct okno_err *err)
{
    int place = 0;
    int rc = okno_stmt_param(stmt, param, &place, err);
    if (rc < 0)
        return rc;
    int code = sqlite3_bind_double(stmt->raw, place, value);
    return code == SQLITE_OK ? 0 : stmt_fail(stmt->sqlite, code, stmt->name, err);
}

int okno_stmt_bind_null(struct okno_stmt *stmt, const char *param, struct okno_err *err)
{
    return okno_stmt_bind_text(stmt, param, NULL, err);
}

int okno_stmt_bind_blob(struct okno_stmt *stmt, const char *param, const void *bytes, size_t len,
                        struct okno_err *err)
{
    int place = 0;
    int rc = okno_stmt_param(stmt, param, &place, err);
    if (rc < 0)
        return rc;
    int code = sqlite3_bind_blob64(stmt->raw, place, bytes, len, SQLITE_TRANSIENT);
    return code == SQLITE_OK ? 0 : stmt_fail(stmt->sqlite, code, stmt->name, err);
}

static int bind_one(struct okno_stmt *stmt, const struct okno_bind *bind, struct okno_err *err)
{
    switch (bind->kind) {
    case OKNO_BIND_TEXT:
        return okno_stmt_bind_text(stmt, bind->param, bind->text, err);
    case OKNO_BIND_INT:
        return okno_stmt_bind_int(stmt, bind->param, bind->integer, err);
    case OKNO_BIND_REAL:
        return okno_stmt_bind_real(stmt, bind->param, bind->real, err);
    }
    return okno_fail(err, OKNO_FAILED, "unknown kind of binding");
}

int okno_db_prepare(struct okno_db *db, const char *name, const struct okno_bind *binds,
                    size_t count, struct okno_stmt **ret_stmt, struct okno_err *err)
{
    struct okno_stmt *stmt = NULL;
    int rc = okno_db_stmt(db, name, &stmt, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = bind_one(stmt, &binds[i], err);
    if (rc == 0)
        *ret_stmt = stmt;
    return rc;
}

int okno_db_run(struct okno_db *db, const char *name, const struct okno_bind *binds, size_t count,
                int64_t *ret_changes, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, name, binds, count, &stmt, err);
    if (rc < 0)
        return rc;
    rc = okno_stmt_step(stmt, err);
    if (rc > 0)
        return okno_fail(err, OKNO_FAILED, "statement %s gave a row where none is expected", name);
    if (rc == 0 && ret_changes)
        *ret_changes = sqlite3_changes64(stmt->sqlite);
    return rc;
}

int okno_db_int(struct okno_db *db, const char *name, const struct okno_bind *binds, size_t count,
                int64_t fallback, int64_t *ret_value, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, name, binds, count, &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    bool there = rc == 1 && sqlite3_column_type(stmt->raw, 0) != SQLITE_NULL;
    *ret_value = there ? sqlite3_column_int64(stmt->raw, 0) : fallback;
    return 0;
}

int okno_stmt_step(struct okno_stmt *stmt, struct okno_err *err)
{
    int code = sqlite3_step(stmt->raw);
    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE)
        return 0;
    int rc = stmt_fail(stmt->sqlite, code, stmt->name, err);
    (void)sqlite3_reset(stmt->raw);
    return rc;
}

/* The library's own look-up of a column's name takes a lock: keep copies. A name that does not fit
 * is kept as nothing, and found the slow way. */
static void keep_columns(struct okno_stmt *stmt, int count)
{
    free(stmt->columns);
    stmt->columns = calloc((size_t)count, sizeof(stmt->columns[0]));
    stmt->column_count = stmt->columns ? count : 0;
    for (int i = 0; i < stmt->column_count; i++) {
        const char *name = sqlite3_column_name(stmt->raw, i);
        if (name && strlen(name) < sizeof(stmt->columns[0]))
            memcpy(stmt->columns[i], name, strlen(name) + 1);
    }
}

static int column_of(struct okno_stmt *stmt, const char *column)
{
    int count = sqlite3_column_count(stmt->raw);
    if (count != stmt->column_count && count > 0)
        keep_columns(stmt, count);
    for (int i = 0; i < stmt->column_count; i++)
        if (strcmp(stmt->columns[i], column) == 0)
            return i;
    for (int i = 0; i < count; i++)
        if (strcmp(sqlite3_column_name(stmt->raw, i), column) == 0)
            return i;
    (void)fprintf(stderr, "statement %s has no column %s\n", stmt->name, column);
    abort();
}

int okno_stmt_column(struct okno_stmt *stmt, const char *column)
{
    return column_of(stmt, column);
}

const char *okno_stmt_text_at(struct okno_stmt *stmt, int place)
{
    return (const char *)sqlite3_column_text(stmt->raw, place);
}

int64_t okno_stmt_int_at(struct okno_stmt *stmt, int place)
{
    return sqlite3_column_int64(stmt->raw, place);
}

const char *okno_stmt_text(struct okno_stmt *stmt, const char *column)
{
    return (const char *)sqlite3_column_text(stmt->raw, column_of(stmt, column));
}

int64_t okno_stmt_int(struct okno_stmt *stmt, const char *column)
{
    return sqlite3_column_int64(stmt->raw, column_of(stmt, column));
}

double okno_stmt_real(struct okno_stmt *stmt, const char *column)
{
    return sqlite3_column_double(stmt->raw, column_of(stmt, column));
}

void okno_stmt_copy(struct okno_stmt *stmt, const char *column, char *ret_text, size_t size)
{
    const char *text = okno_stmt_text(stmt, column);
    (void)snprintf(ret_text, size, "%s", text ? text : "");
}

bool okno_stmt_is_null(struct okno_stmt *stmt, const char *column)
{
    return sqlite3_column_type(stmt->raw, column_of(stmt, column)) == SQLITE_NULL;
}

const void *okno_stmt_blob(struct okno_stmt *stmt, const char *column, size_t *ret_len)
{
    int place = column_of(stmt, column);
    const void *bytes = sqlite3_column_blob(stmt->raw, place);
    *ret_len = (size_t)sqlite3_column_bytes(stmt->raw, place);
    return bytes;
}

void okno_stmt_reset(struct okno_stmt *stmt)
{
    if (!stmt || !stmt->raw)
        return;
    (void)sqlite3_reset(stmt->raw);
    (void)sqlite3_clear_bindings(stmt->raw);
}

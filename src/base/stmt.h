/* Inside the base room: a prepared statement, and how SQLite's failures are told. */
#ifndef OKNO_BASE_STMT_H
#define OKNO_BASE_STMT_H

#include "okno/db.h"

#include <sqlite3.h>

struct okno_stmt {
    sqlite3_stmt *raw;
    sqlite3 *sqlite;
    const char *name;
    char (*columns)[32]; /* names of its columns, from the first row on */
    int column_count;
};

/* The failure as a code and a message: `what` (a file, a statement's name) and SQLite's own words.
 */
int stmt_fail(sqlite3 *sqlite, int sqlite_code, const char *what, struct okno_err *err);

#endif

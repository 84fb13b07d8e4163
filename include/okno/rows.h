/* Rows of a statement as JSON: columns by name, and all rows as a list. */
#ifndef OKNO_ROWS_H
#define OKNO_ROWS_H

#include "okno/db.h"
#include "okno/json.h"

/* A new value of the column of the row just stepped to; null where the column is NULL. The time is
 * stored as microseconds UTC and shown as okno_json_time does. Text that is not UTF-8 becomes null.
 */
json_t *okno_row_text(struct okno_stmt *row, const char *column);
json_t *okno_row_time(struct okno_stmt *row, const char *column);
json_t *okno_row_int(struct okno_stmt *row, const char *column);

/* What `one` makes of each row left, in their order; the caller owns *ret_list. `one` gives a new
 * value, or NULL where memory ends: OKNO_NO_MEMORY. */
OKNO_CHECK int okno_rows_list(struct okno_stmt *rows, json_t *(*one)(struct okno_stmt *row),
                              json_t **ret_list, struct okno_err *err);

#endif

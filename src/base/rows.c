#include "okno/rows.h"

json_t *okno_row_text(struct okno_stmt *row, const char *column)
{
    return okno_json_text(okno_stmt_text(row, column));
}

json_t *okno_row_time(struct okno_stmt *row, const char *column)
{
    return okno_stmt_is_null(row, column) ? json_null()
                                          : okno_json_time(okno_stmt_int(row, column));
}

json_t *okno_row_int(struct okno_stmt *row, const char *column)
{
    return okno_stmt_is_null(row, column) ? json_null()
                                          : json_integer((json_int_t)okno_stmt_int(row, column));
}

int okno_rows_list(struct okno_stmt *rows, json_t *(*one)(struct okno_stmt *row), json_t **ret_list,
                   struct okno_err *err)
{
    okno_autojson json_t *list = json_array();
    int rc = 0;
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = json_array_append_new(list, one(rows)) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for a list")
                 : 0;
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

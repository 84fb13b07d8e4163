/* For tests of the scene: its CSV files as tables. */
#ifndef TESTS_TOOLS_TABLE_H
#define TESTS_TOOLS_TABLE_H

#include "tool.h"

#include "okno/time.h"

#define ROWS_MAX 400
#define FIELDS_MAX 16

struct table {
    char *text;
    char *rows[ROWS_MAX][FIELDS_MAX]; /* row 0 is the header */
    int count, columns;
};

static struct table table_read(const char *root, const char *name)
{
    struct table t = {0};
    char path[256], *line, *rest;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(OUTPUT_MAX);
    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("%s: %s", path, strerror(errno));
    read_all(fd, &buf);
    (void)close(fd);
    t.text = rest = strdup(okno_buf_text(&buf));
    while ((line = strsep(&rest, "\n")) && *line) {
        int column = 0;
        assert_true(t.count < ROWS_MAX);
        for (char *field; (field = strsep(&line, ",")); column++) {
            assert_true(column < FIELDS_MAX);
            t.rows[t.count][column] = field;
        }
        if (t.count++ == 0)
            t.columns = column;
        assert_int_equal(column, t.columns);
    }
    return t;
}

static void table_free(struct table *t)
{
    free(t->text);
}
#define AUTO_TABLE __attribute__((cleanup(table_free))) struct table

static const char *cell(const struct table *t, int row, const char *column)
{
    for (int c = 0; c < t->columns; c++)
        if (strcmp(t->rows[0][c], column) == 0)
            return t->rows[row][c];
    fail_msg("no column %s", column);
    return "";
}

static int64_t cell_us(const struct table *t, int row, const char *column)
{
    int64_t us = 0;
    struct okno_err err = {0};
    if (okno_time_parse(cell(t, row, column), &us, &err) < 0)
        fail_msg("%s", err.text);
    return us;
}

__attribute__((unused)) static int rows_where(const struct table *t, const char *column,
                                              const char *value)
{
    int count = 0;
    for (int r = 1; r < t->count; r++)
        count += strcmp(cell(t, r, column), value) == 0;
    return count;
}

#endif

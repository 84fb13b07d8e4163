/* A growing byte buffer that is born with its maximum size; always NUL-terminated for reading as
 * text once something was added. */
#ifndef OKNO_BUF_H
#define OKNO_BUF_H

#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>

struct okno_buf {
    char *data; /* owned; NULL while empty */
    size_t len; /* bytes used, without the terminating NUL */
    size_t cap; /* bytes allocated */
    size_t max; /* bytes allowed in len */
};

#define OKNO_BUF_INIT(max_bytes)                                                                   \
    {                                                                                              \
        .max = (max_bytes)                                                                         \
    }

/* Append bytes. OKNO_TOO_LARGE past the maximum, OKNO_NO_MEMORY; the buffer is unchanged then. */
OKNO_CHECK int okno_buf_add(struct okno_buf *buf, const void *bytes, size_t len,
                            struct okno_err *err);

/* Append a NUL-terminated text. */
OKNO_CHECK int okno_buf_add_text(struct okno_buf *buf, const char *text, struct okno_err *err);

/* Append formatted text. */
OKNO_CHECK int okno_buf_printf(struct okno_buf *buf, struct okno_err *err, const char *fmt, ...)
    OKNO_PRINTF(3, 4);

/* Append a cell of CSV (RFC 4180), quoted where it needs to be. A cell that a spreadsheet would
 * take for a formula (it begins with = + - @, a tab or a line's end) gets an apostrophe in front;
 * so does what would be one where spreadsheets separate cells by semicolons, tabs or every line's
 * end. */
OKNO_CHECK int okno_buf_add_csv(struct okno_buf *buf, const char *text, struct okno_err *err);
/* The same, quoted always. */
OKNO_CHECK int okno_buf_add_csv_quoted(struct okno_buf *buf, const char *text,
                                       struct okno_err *err);

/* True where a spreadsheet may see a cell begin: at the text's beginning, or behind a separator as
 * above and quotes there. Looks at what is before `at` only. */
bool okno_csv_cell_begins(const char *text, const char *at);

/* The text so far; "" while empty. Valid until the next change. */
const char *okno_buf_text(const struct okno_buf *buf);

/* Empty it, keeping the allocation. */
void okno_buf_reset(struct okno_buf *buf);

/* Release the allocation; the buffer may be used again. NULL allowed. */
void okno_buf_free(struct okno_buf *buf);

#define OKNO_AUTO_BUF __attribute__((cleanup(okno_buf_free))) struct okno_buf

#endif

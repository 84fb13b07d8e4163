#include "okno/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

static int reserve(struct okno_buf *buf, size_t more, struct okno_err *err)
{
    if (more > buf->max || buf->len > buf->max - more)
        return okno_fail(err, OKNO_TOO_LARGE, "more than the %zu bytes allowed here", buf->max);
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return 0;
    size_t cap = buf->cap ? buf->cap : FIRST_CAPACITY;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *data = realloc(buf->data, cap);
    if (!data)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu bytes", cap);
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int okno_buf_add(struct okno_buf *buf, const void *bytes, size_t len, struct okno_err *err)
{
    int rc = reserve(buf, len, err);
    if (rc < 0)
        return rc;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return 0;
}

int okno_buf_add_text(struct okno_buf *buf, const char *text, struct okno_err *err)
{
    return okno_buf_add(buf, text, strlen(text), err);
}

int okno_buf_printf(struct okno_buf *buf, struct okno_err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (need < 0)
        return okno_fail(err, OKNO_FAILED, "text could not be formatted");
    int rc = reserve(buf, (size_t)need, err);
    if (rc < 0)
        return rc;
    va_start(args, fmt);
    (void)vsnprintf(buf->data + buf->len, (size_t)need + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)need;
    return 0;
}

/* A line's end within a quoted cell separates, too, for who takes semicolons for the separators:
 * the quotes do not stand at a cell's beginning there. */
bool okno_csv_cell_begins(const char *text, const char *at)
{
    const char *before = at;
    while (before > text && before[-1] == '"')
        before--;
    return at == text || (before > text && strchr(";\t\r\n", before[-1]));
}

/* A sign (not the NUL) at which a spreadsheet would see a formula begin. */
static bool begins_formula(const char *text, const char *at)
{
    return strchr(at == text ? "=+-@\t\r\n" : "=+-@", *at) && okno_csv_cell_begins(text, at);
}

static int add_defused(struct okno_buf *buf, const char *text, struct okno_err *err)
{
    int rc = 0;
    for (const char *at = text; rc == 0 && *at; at++) {
        if (begins_formula(text, at))
            rc = okno_buf_add(buf, "'", 1, err);
        if (rc == 0)
            rc = okno_buf_add_text(buf, *at == '"' ? "\"" : "", err);
        if (rc == 0)
            rc = okno_buf_add(buf, at, 1, err);
    }
    return rc;
}

int okno_buf_add_csv_quoted(struct okno_buf *buf, const char *text, struct okno_err *err)
{
    int rc = okno_buf_add(buf, "\"", 1, err);
    if (rc == 0)
        rc = add_defused(buf, text, err);
    return rc == 0 ? okno_buf_add(buf, "\"", 1, err) : rc;
}

int okno_buf_add_csv(struct okno_buf *buf, const char *text, struct okno_err *err)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL || *text == ' ';
    return quoted ? okno_buf_add_csv_quoted(buf, text, err) : add_defused(buf, text, err);
}

const char *okno_buf_text(const struct okno_buf *buf)
{
    return buf->data ? buf->data : "";
}

void okno_buf_reset(struct okno_buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

void okno_buf_free(struct okno_buf *buf)
{
    if (!buf)
        return;
    free(buf->data);
    buf->data = NULL;
    buf->len = buf->cap = 0;
}

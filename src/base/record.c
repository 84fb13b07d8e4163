#define _POSIX_C_SOURCE 200809L
#include "reader.h"

#include "okno/mem.h"
#include "okno/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void name_columns(const struct okno_record_reader *reader, char *ret_text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < reader->column_count && used < size; i++)
        used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i ? ", " : "",
                                 reader->columns[i].name);
}

int reader_find_column(const struct okno_record_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->column_count; i++)
        if (strcmp(reader->columns[i].name, name) == 0)
            return (int)i;
    return READER_NO_COLUMN;
}

int reader_fail_unknown(const struct okno_record_reader *reader, const char *name,
                        struct okno_err *err)
{
    char allowed[256];
    char shown[OKNO_TEXT_SHOWN];
    name_columns(reader, allowed, sizeof(allowed));
    const char *hint = strpbrk(name, ";\t") ? " (columns are separated by a comma)" : "";
    return okno_fail_field(err, OKNO_UNKNOWN_FIELD, name, "unknown column \"%s\"%s; allowed: %s",
                           okno_text_show(name, shown), hint, allowed);
}

static int read_some(struct okno_record_reader *reader, char *to, size_t room, size_t *ret_got,
                     struct okno_err *err)
{
    ssize_t got;
    do
        got = read(reader->fd, to, room);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return okno_fail_errno(err, errno, "cannot read");
    reader->at_end = got == 0;
    reader->offset += got;
    okno_hash_add(&reader->hash, to, (size_t)got);
    *ret_got = (size_t)got;
    return 0;
}

/* What the encoding lacks becomes a byte that no UTF-8 has, so that its row is refused. */
static void put_broken(struct okno_record_reader *reader)
{
    if (reader->end == READER_WINDOW_BYTES)
        return;
    reader->window[reader->end++] = '\xff';
    reader->raw_len--;
    memmove(reader->raw, reader->raw + 1, reader->raw_len);
}

static void convert(struct okno_record_reader *reader)
{
    for (bool again = true; again && reader->raw_len;) {
        char *from = reader->raw;
        char *to = reader->window + reader->end;
        size_t left = reader->raw_len;
        size_t room = READER_WINDOW_BYTES - reader->end;
        errno = 0;
        size_t rc = iconv(reader->converter, &from, &left, &to, &room);
        again = rc == (size_t)-1 && (errno == EILSEQ || (errno == EINVAL && reader->at_end));
        reader->end = READER_WINDOW_BYTES - room;
        memmove(reader->raw, from, left);
        reader->raw_len = left;
        if (again)
            put_broken(reader);
        again = again && reader->end < READER_WINDOW_BYTES;
    }
}

/* As reader_fill, from another encoding. */
static int fill_converted(struct okno_record_reader *reader, struct okno_err *err)
{
    size_t before = reader->end;
    while (reader->end == before) {
        size_t got = 0;
        size_t room = READER_RAW_BYTES - reader->raw_len;
        if (reader->at_end && reader->raw_len == 0)
            return 0;
        int rc =
            reader->at_end ? 0 : read_some(reader, reader->raw + reader->raw_len, room, &got, err);
        if (rc < 0)
            return rc;
        reader->raw_len += got;
        convert(reader);
        if (reader->end == before && reader->end == READER_WINDOW_BYTES)
            return 0;
    }
    return 1;
}

int reader_fill(struct okno_record_reader *reader, struct okno_err *err)
{
    size_t got = 0;
    if (reader->at_end && reader->raw_len == 0)
        return 0;
    if (reader->start) {
        memmove(reader->window, reader->window + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (reader->encoding)
        return fill_converted(reader, err);
    int rc = read_some(reader, reader->window + reader->end, READER_WINDOW_BYTES - reader->end,
                       &got, err);
    reader->end += got;
    return rc < 0 ? rc : got > 0;
}

void reader_consume(struct okno_record_reader *reader, size_t len)
{
    const char *at = reader->window + reader->start;
    const char *stop = at + len;
    while (at < stop && (at = memchr(at, '\n', (size_t)(stop - at)))) {
        reader->line++;
        at++;
    }
    reader->start += len;
}

int reader_skip_line(struct okno_record_reader *reader, struct okno_err *err)
{
    for (;;) {
        size_t len = reader->end - reader->start;
        const char *front = reader->window + reader->start;
        const char *stop = len ? memchr(front, '\n', len) : NULL;
        if (stop) {
            reader_consume(reader, (size_t)(stop - front) + 1);
            return 0;
        }
        reader->start = reader->end;
        int rc = reader_fill(reader, err);
        if (rc <= 0)
            return rc;
    }
}

int reader_skip_blank(struct okno_record_reader *reader, struct okno_err *err)
{
    for (;;) {
        size_t len = 0;
        const char *front = reader->window + reader->start;
        while (reader->start + len < reader->end && (front[len] == '\r' || front[len] == '\n'))
            len++;
        if (len)
            reader_consume(reader, len);
        if (reader->start < reader->end)
            return 1;
        int rc = reader_fill(reader, err);
        if (rc <= 0)
            return rc;
    }
}

int reader_scan_line(struct okno_record_reader *reader, size_t *ret_len, struct okno_err *err)
{
    size_t scanned = 0;
    for (;;) {
        const char *front = reader->window + reader->start;
        size_t len = reader->end - reader->start;
        const char *stop = len > scanned ? memchr(front + scanned, '\n', len - scanned) : NULL;
        if (stop || len > OKNO_RECORD_BYTES_MAX) {
            *ret_len = stop ? (size_t)(stop - front) : len;
            return 0;
        }
        scanned = len;
        int rc = reader_fill(reader, err);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            *ret_len = len;
            return 0;
        }
    }
}

int reader_check_bytes(const struct okno_record_reader *reader, const char *bytes, size_t len,
                       struct okno_err *err)
{
    if (len > OKNO_RECORD_BYTES_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "the row is longer than %d bytes%s",
                         OKNO_RECORD_BYTES_MAX,
                         len && *bytes == '"' ? " (is a closing quote missing?)" : "");
    if (memchr(bytes, '\0', len))
        return okno_fail(err, OKNO_MALFORMED, "the row contains a NUL byte");
    if (!okno_text_is_utf8(bytes, len) && reader->encoding)
        return okno_fail(err, OKNO_MALFORMED, "the row has bytes that are no %s", reader->encoding);
    if (!okno_text_is_utf8(bytes, len))
        return okno_fail(err, OKNO_MALFORMED,
                         "the row is not UTF-8: save the file as UTF-8, or name its encoding in a "
                         "map (encoding = \"windows-1251\", docs/import.md)");
    return 0;
}

static int open_input(struct okno_record_reader *reader, const char *path, struct okno_err *err)
{
    struct stat facts;
    reader->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (reader->fd < 0)
        return okno_fail_errno(err, errno, "cannot open");
    bool is_file = fstat(reader->fd, &facts) == 0 && S_ISREG(facts.st_mode);
    reader->size = is_file ? (int64_t)facts.st_size : -1;
    return 0;
}

/* Look at the first bytes: byte order mark, format. */
static int sniff(struct okno_record_reader *reader, struct okno_err *err)
{
    int rc = 1;
    while (reader->end < 3 && rc > 0)
        rc = reader_fill(reader, err);
    if (rc < 0)
        return rc;
    const char *front = reader->window;
    if (reader->end >= 2 && (memcmp(front, "\xff\xfe", 2) == 0 || !memcmp(front, "\xfe\xff", 2)))
        return okno_fail(err, OKNO_MALFORMED, "this is UTF-16: save the file as UTF-8");
    if (reader->end >= 3 && memcmp(front, "\xef\xbb\xbf", 3) == 0)
        reader->start = 3;
    rc = reader_skip_blank(reader, err);
    if (rc > 0 && reader->window[reader->start] == '[')
        return okno_fail(err, OKNO_MALFORMED,
                         "this is a JSON array: write one object a line (JSON Lines)");
    reader->is_json = rc > 0 && reader->window[reader->start] == '{';
    return rc < 0 ? rc : 0;
}

static struct okno_record_reader *new_reader(void)
{
    struct okno_record_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->line = 1;
    reader->delimiter = ',';
    okno_hash_start(&reader->hash);
    return reader;
}

int okno_record_open(const char *path, const struct okno_record_column *columns, size_t count,
                     struct okno_record_reader **ret_reader, struct okno_err *err)
{
    if (count > OKNO_RECORD_FIELDS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d columns", OKNO_RECORD_FIELDS_MAX);
    OKNO_AUTO(okno_record_reader) *reader = new_reader();
    if (!reader)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a table");
    reader->columns = columns;
    reader->column_count = count;
    int rc = open_input(reader, path, err);
    if (rc == 0)
        rc = sniff(reader, err);
    if (rc == 0)
        rc = reader_csv_start(reader, err);
    if (rc == 0 && !reader->is_json)
        rc = reader_csv_header(reader, err);
    if (rc == 0)
        *ret_reader = okno_mem_take(&reader);
    return rc;
}

/* ---- tables of other programs ---- */

static int start_conversion(struct okno_record_reader *reader, const char *encoding,
                            struct okno_err *err)
{
    if (!encoding)
        return 0;
    reader->converter = iconv_open("UTF-8", encoding);
    if (reader->converter == (iconv_t)-1)
        return okno_fail(err, OKNO_INVALID, "no encoding \"%.40s\" is known here", encoding);
    reader->encoding = encoding;
    return 0;
}

/* Past the byte order mark and the lines before the table. */
static int skip_front(struct okno_record_reader *reader, int64_t lines, struct okno_err *err)
{
    int rc = 1;
    while (reader->end < 3 && rc > 0)
        rc = reader_fill(reader, err);
    if (rc >= 0 && reader->end >= 3 && memcmp(reader->window, "\xef\xbb\xbf", 3) == 0)
        reader->start = 3;
    for (int64_t i = 0; rc >= 0 && i < lines; i++)
        rc = reader_skip_line(reader, err);
    return rc < 0 ? rc : 0;
}

static int keep_header(struct okno_record_reader *reader, struct okno_err *err)
{
    struct okno_record_row row;
    int rc = okno_record_next_row(reader, &row, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail(err, OKNO_MALFORMED, "empty: a row with column names is expected");
    if (row.err.code)
        return okno_fail(err, row.err.code, "%s", row.err.text);
    reader->header = calloc(row.count, sizeof(*reader->header));
    if (!reader->header)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a table");
    for (; reader->header_count < row.count; reader->header_count++)
        if (!(reader->header[reader->header_count] = strdup(row.fields[reader->header_count])))
            return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a table");
    return 0;
}

int okno_record_open_table(const char *path, const struct okno_record_format *format,
                           struct okno_record_reader **ret_reader, struct okno_err *err)
{
    OKNO_AUTO(okno_record_reader) *reader = new_reader();
    if (!reader)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a table");
    reader->delimiter = format->delimiter;
    reader->no_quotes = format->no_quotes;
    int rc = open_input(reader, path, err);
    if (rc == 0)
        rc = start_conversion(reader, format->encoding, err);
    if (rc == 0)
        rc = skip_front(reader, format->skip_lines, err);
    if (rc == 0)
        rc = reader_csv_start(reader, err);
    if (rc == 0 && format->header)
        rc = keep_header(reader, err);
    if (rc == 0)
        *ret_reader = okno_mem_take(&reader);
    return rc;
}

char *const *okno_record_header(const struct okno_record_reader *reader, size_t *ret_count)
{
    *ret_count = reader->header_count;
    return reader->header;
}

int okno_record_next_row(struct okno_record_reader *reader, struct okno_record_row *ret_row,
                         struct okno_err *err)
{
    okno_err_clear(&ret_row->err);
    int rc = reader_csv_row(reader, &ret_row->line, &ret_row->err, err);
    if (rc <= 0)
        return rc;
    if (ret_row->err.code == 0 && reader->field_count > OKNO_RECORD_FIELDS_MAX)
        (void)okno_fail(&ret_row->err, OKNO_TOO_LARGE, "more than %d columns",
                        OKNO_RECORD_FIELDS_MAX);
    ret_row->fields = reader->fields;
    ret_row->count = ret_row->err.code ? 0 : reader->field_count;
    return 1;
}

void okno_record_close(struct okno_record_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd > STDIN_FILENO)
        (void)close(reader->fd);
    if (reader->csv_ready)
        csv_free(&reader->csv);
    json_decref(reader->object);
    if (reader->encoding)
        (void)iconv_close(reader->converter);
    for (size_t i = 0; i < reader->header_count; i++)
        free(reader->header[i]);
    free(reader->header);
    free(reader);
}

int okno_record_next(struct okno_record_reader *reader, struct okno_record *ret_record,
                     struct okno_err *err)
{
    okno_err_clear(
        &ret_record->err); /* whatever is not used of it stays: this runs for every row */
    memset(ret_record->values, 0, reader->column_count * sizeof(*ret_record->values));
    return reader->is_json ? reader_json_next(reader, ret_record, err)
                           : reader_csv_next(reader, ret_record, err);
}

const char *okno_record_sha256(const struct okno_record_reader *reader,
                               char ret_text[OKNO_SHA256_TEXT])
{
    struct okno_hash hash = reader->hash; /* a fork: the reader may go on */
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_end(&hash, digest);
    return okno_hash_hex(digest, ret_text);
}

int64_t okno_record_offset(const struct okno_record_reader *reader)
{
    return reader->offset;
}

int64_t okno_record_size(const struct okno_record_reader *reader)
{
    return reader->size;
}

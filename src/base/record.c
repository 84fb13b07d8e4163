#define _POSIX_C_SOURCE 200809L
#include "reader.h"

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

int reader_fill(struct okno_record_reader *reader, struct okno_err *err)
{
    if (reader->at_end)
        return 0;
    if (reader->start) {
        memmove(reader->window, reader->window + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    for (;;) {
        ssize_t got =
            read(reader->fd, reader->window + reader->end, READER_WINDOW_BYTES - reader->end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return okno_fail_errno(err, errno, "cannot read");
        reader->at_end = got == 0;
        reader->end += (size_t)got;
        reader->offset += got;
        okno_hash_add(&reader->hash, reader->window + reader->end - got, (size_t)got);
        return got > 0;
    }
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

int reader_check_bytes(const char *bytes, size_t len, struct okno_err *err)
{
    if (len > OKNO_RECORD_BYTES_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "the row is longer than %d bytes%s",
                         OKNO_RECORD_BYTES_MAX,
                         len && *bytes == '"' ? " (is a closing quote missing?)" : "");
    if (memchr(bytes, '\0', len))
        return okno_fail(err, OKNO_MALFORMED, "the row contains a NUL byte");
    if (!okno_text_is_utf8(bytes, len))
        return okno_fail(err, OKNO_MALFORMED, "the row is not UTF-8: save the file as UTF-8");
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

int okno_record_open(const char *path, const struct okno_record_column *columns, size_t count,
                     struct okno_record_reader **ret_reader, struct okno_err *err)
{
    if (count > OKNO_RECORD_FIELDS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d columns", OKNO_RECORD_FIELDS_MAX);
    OKNO_AUTO(okno_record_reader) *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a table");
    reader->line = 1;
    reader->delimiter = ',';
    okno_hash_start(&reader->hash);
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

void okno_record_close(struct okno_record_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd > STDIN_FILENO)
        (void)close(reader->fd);
    if (reader->csv_ready)
        csv_free(&reader->csv);
    json_decref(reader->object);
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

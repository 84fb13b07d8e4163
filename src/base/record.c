#define _POSIX_C_SOURCE 200809L
#include "okno/record.h"

#include "okno/text.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

enum {
    WINDOW_BYTES = 2 * OKNO_RECORD_BYTES_MAX,
    TEXT_BYTES = OKNO_RECORD_BYTES_MAX + OKNO_RECORD_FIELDS_MAX * 32,
    NO_COLUMN = -1
};

struct okno_record_reader {
    int fd;
    bool at_end;
    bool is_json;
    int64_t line;   /* physical line of window[start] */
    int64_t offset; /* bytes read from fd */
    struct okno_hash hash;
    int64_t size;
    const struct okno_record_column *columns;
    size_t column_count;
    int places[OKNO_RECORD_FIELDS_MAX]; /* CSV: column of each header place */
    size_t place_count;
    struct csv_parser csv;
    bool csv_ready;
    json_t *object; /* the row handed out last, when JSON */
    /* Fields of the row being read: texts one after another, each with its NUL. */
    char *fields[OKNO_RECORD_FIELDS_MAX];
    size_t field_count; /* counts on past the maximum */
    bool row_ended;
    size_t text_used;
    char text[TEXT_BYTES];
    size_t start, end; /* unread input is window[start, end) */
    char window[WINDOW_BYTES];
};

static void name_columns(const struct okno_record_reader *reader, char *ret_text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < reader->column_count && used < size; i++)
        used += (size_t)snprintf(ret_text + used, size - used, "%s%s", i ? ", " : "",
                                 reader->columns[i].name);
}

static int find_column(const struct okno_record_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->column_count; i++)
        if (strcmp(reader->columns[i].name, name) == 0)
            return (int)i;
    return NO_COLUMN;
}

static int fail_unknown(const struct okno_record_reader *reader, const char *name,
                        struct okno_err *err)
{
    char allowed[256];
    char shown[OKNO_TEXT_SHOWN];
    name_columns(reader, allowed, sizeof(allowed));
    const char *hint = strpbrk(name, ";\t") ? " (columns are separated by a comma)" : "";
    return okno_fail_field(err, OKNO_UNKNOWN_FIELD, name, "unknown column \"%s\"%s; allowed: %s",
                           okno_text_show(name, shown), hint, allowed);
}

/* Read more input behind the window. 1: something came; 0: the end. */
static int fill(struct okno_record_reader *reader, struct okno_err *err)
{
    if (reader->at_end)
        return 0;
    if (reader->start) {
        memmove(reader->window, reader->window + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    for (;;) {
        ssize_t got = read(reader->fd, reader->window + reader->end, WINDOW_BYTES - reader->end);
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

/* Take `len` bytes off the window's front, counting lines. */
static void consume(struct okno_record_reader *reader, size_t len)
{
    const char *at = reader->window + reader->start;
    const char *stop = at + len;
    while (at < stop && (at = memchr(at, '\n', (size_t)(stop - at)))) {
        reader->line++;
        at++;
    }
    reader->start += len;
}

/* Drop the rest of the physical line at the window's front. */
static int skip_line(struct okno_record_reader *reader, struct okno_err *err)
{
    for (;;) {
        size_t len = reader->end - reader->start;
        const char *front = reader->window + reader->start;
        const char *stop = len ? memchr(front, '\n', len) : NULL;
        if (stop) {
            consume(reader, (size_t)(stop - front) + 1);
            return 0;
        }
        reader->start = reader->end;
        int rc = fill(reader, err);
        if (rc <= 0)
            return rc;
    }
}

/* Skip blank lines. 1: a row's first byte is at the window's front; 0: the end. */
static int skip_blank(struct okno_record_reader *reader, struct okno_err *err)
{
    for (;;) {
        size_t len = 0;
        const char *front = reader->window + reader->start;
        while (reader->start + len < reader->end && strchr("\r\n", front[len]) && front[len])
            len++;
        consume(reader, len);
        if (reader->start < reader->end)
            return 1;
        int rc = fill(reader, err);
        if (rc <= 0)
            return rc;
    }
}

static int check_bytes(const char *bytes, size_t len, struct okno_err *err)
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

/* --- CSV */

static void on_field(void *bytes, size_t len, void *data)
{
    struct okno_record_reader *reader = data;
    if (reader->field_count++ >= OKNO_RECORD_FIELDS_MAX || len >= TEXT_BYTES - reader->text_used)
        return;
    char *at = reader->text + reader->text_used;
    if (len)
        memcpy(at, bytes, len);
    at[len] = '\0';
    reader->fields[reader->field_count - 1] = at;
    reader->text_used += len + 1;
}

static void on_row(int terminator, void *data)
{
    (void)terminator;
    ((struct okno_record_reader *)data)->row_ended = true;
}

/* RFC 4180: spaces are part of a field. */
static int never_space(unsigned char c)
{
    (void)c;
    return 0;
}

static int restart_csv(struct okno_record_reader *reader, struct okno_err *err)
{
    if (reader->csv_ready)
        csv_free(&reader->csv);
    reader->csv_ready = csv_init(&reader->csv, CSV_STRICT | CSV_STRICT_FINI) == 0;
    if (!reader->csv_ready)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a table");
    csv_set_space_func(&reader->csv, never_space);
    return 0;
}

/* Give the parser the input up to and with the next line end; a row can end only there. */
static int feed_line(struct okno_record_reader *reader, size_t *scanned, struct okno_err *why)
{
    const char *at = reader->window + reader->start + *scanned;
    size_t left = reader->end - reader->start - *scanned;
    size_t len = 0;
    while (len < left && at[len] != '\n' && at[len] != '\r')
        len++;
    len += len < left;
    size_t done = csv_parse(&reader->csv, at, len, on_field, on_row, reader);
    if (done != len)
        return okno_fail(why, OKNO_MALFORMED,
                         "a quote stands where none is allowed in field %zu (write a field with "
                         "quotes as \"...\" and each quote inside as \"\")",
                         reader->field_count + 1);
    *scanned += len;
    return 0;
}

/* Scan one row at the window's front without taking it. A failure in `why` concerns the row only.
 * 0, or a negative code when reading itself failed. */
static int scan_row(struct okno_record_reader *reader, size_t *ret_len, struct okno_err *why,
                    struct okno_err *err)
{
    size_t scanned = 0;
    reader->field_count = reader->text_used = 0;
    reader->row_ended = false;
    while (!reader->row_ended && why->code == 0) {
        if (scanned > OKNO_RECORD_BYTES_MAX)
            break;
        if (reader->start + scanned == reader->end) {
            int rc = fill(reader, err);
            if (rc < 0)
                return rc;
            if (rc == 0 && csv_fini(&reader->csv, on_field, on_row, reader) != 0)
                (void)okno_fail(why, OKNO_MALFORMED, "a quote is opened and never closed");
            if (rc == 0)
                break;
            continue;
        }
        (void)feed_line(reader, &scanned, why);
    }
    if (why->code == 0)
        (void)check_bytes(reader->window + reader->start, scanned, why);
    *ret_len = scanned;
    return 0;
}

/* Read one row into reader->fields. 1: there (or broken: why->code); 0: the end. */
static int read_row(struct okno_record_reader *reader, int64_t *ret_line, struct okno_err *why,
                    struct okno_err *err)
{
    size_t len = 0;
    int rc = skip_blank(reader, err);
    if (rc <= 0)
        return rc;
    *ret_line = reader->line;
    rc = scan_row(reader, &len, why, err);
    if (rc < 0)
        return rc;
    if (why->code == 0) {
        consume(reader, len);
        return 1;
    }
    rc = restart_csv(reader, err);
    if (rc == 0)
        rc = skip_line(reader, err);
    return rc < 0 ? rc : 1;
}

static int take_header_field(struct okno_record_reader *reader, size_t place, struct okno_err *err)
{
    const char *name = reader->fields[place];
    int column = find_column(reader, name);
    if (column == NO_COLUMN)
        return fail_unknown(reader, name, err);
    for (size_t i = 0; i < place; i++)
        if (reader->places[i] == column)
            return okno_fail_field(err, OKNO_MALFORMED, name, "column %s stands twice", name);
    reader->places[place] = column;
    return 0;
}

static int require_columns(const struct okno_record_reader *reader, struct okno_err *err)
{
    for (size_t i = 0; i < reader->column_count; i++) {
        bool found = !reader->columns[i].required;
        for (size_t j = 0; j < reader->place_count; j++)
            found = found || reader->places[j] == (int)i;
        if (!found)
            return okno_fail_field(err, OKNO_MISSING, reader->columns[i].name,
                                   "the header lacks the required column %s",
                                   reader->columns[i].name);
    }
    return 0;
}

static int read_header(struct okno_record_reader *reader, struct okno_err *err)
{
    struct okno_err why = {0};
    int64_t line = 1;
    int rc = read_row(reader, &line, &why, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail(err, OKNO_MALFORMED, "empty: a header row with column names is expected");
    if (why.code)
        return okno_fail(err, why.code, "%s", why.text);
    if (reader->field_count > OKNO_RECORD_FIELDS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d columns", OKNO_RECORD_FIELDS_MAX);
    for (size_t i = 0; i < reader->field_count; i++)
        if ((rc = take_header_field(reader, i, err)) < 0)
            return rc;
    reader->place_count = reader->field_count;
    return require_columns(reader, err);
}

static int next_csv(struct okno_record_reader *reader, struct okno_record *record,
                    struct okno_err *err)
{
    struct okno_err *why = &record->err;
    int rc = read_row(reader, &record->line, why, err);
    if (rc <= 0 || why->code)
        return rc;
    if (reader->field_count != reader->place_count) {
        (void)okno_fail(why, OKNO_MALFORMED, "the row has %zu fields, the header %zu",
                        reader->field_count, reader->place_count);
        return 1;
    }
    for (size_t i = 0; i < reader->place_count; i++)
        record->values[reader->places[i]] = reader->fields[i];
    return 1;
}

/* --- JSON Lines */

/* Whether the window's front holds a whole line (or the file's last one); its length without the
 * line end. */
static int scan_line(struct okno_record_reader *reader, size_t *ret_len, struct okno_err *err)
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
        int rc = fill(reader, err);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            *ret_len = len;
            return 0;
        }
    }
}

/* The shortest decimal text that reads back as the same number. */
static void print_real(double value, char *ret_text, size_t size)
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(ret_text, size, "%.*g", digits, value);
        if (strtod(ret_text, NULL) >= value && strtod(ret_text, NULL) <= value)
            return;
    }
}

static const char *text_of(struct okno_record_reader *reader, const json_t *value)
{
    enum { NUMBER_TEXT = 32 };
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    char *at = reader->text + reader->text_used;
    reader->text_used += NUMBER_TEXT;
    if (json_is_integer(value))
        (void)snprintf(at, NUMBER_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        print_real(json_real_value(value), at, NUMBER_TEXT);
    return at;
}

static int take_member(struct okno_record_reader *reader, const char *name, const json_t *value,
                       struct okno_record *record)
{
    char shown[OKNO_TEXT_SHOWN];
    int column = find_column(reader, name);
    if (column == NO_COLUMN)
        return fail_unknown(reader, name, &record->err);
    if (json_is_object(value) || json_is_array(value))
        return okno_fail_field(&record->err, OKNO_MALFORMED, name,
                               "%s is an %s; a text, number, true, false or null is expected",
                               okno_text_show(name, shown),
                               json_is_array(value) ? "array" : "object");
    record->values[column] = json_is_null(value) ? NULL : text_of(reader, value);
    return 0;
}

static int take_object(struct okno_record_reader *reader, const char *text, size_t len,
                       struct okno_record *record)
{
    json_error_t trouble;
    const char *name;
    json_t *value;
    int rc = check_bytes(text, len, &record->err);
    if (rc < 0)
        return rc;
    reader->object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &trouble);
    if (!reader->object)
        return okno_fail(&record->err, OKNO_MALFORMED, "not JSON: %s, column %d", trouble.text,
                         trouble.column);
    if (!json_is_object(reader->object))
        return okno_fail(&record->err, OKNO_MALFORMED, "not a JSON object");
    json_object_foreach(reader->object, name,
                        value) if ((rc = take_member(reader, name, value, record)) < 0) return rc;
    return 0;
}

static int next_json(struct okno_record_reader *reader, struct okno_record *record,
                     struct okno_err *err)
{
    size_t len = 0;
    int rc = skip_blank(reader, err);
    if (rc <= 0)
        return rc;
    json_decref(reader->object);
    reader->object = NULL;
    reader->text_used = 0;
    record->line = reader->line;
    rc = scan_line(reader, &len, err);
    if (rc < 0)
        return rc;
    (void)take_object(reader, reader->window + reader->start, len, record);
    rc = skip_line(reader, err);
    return rc < 0 ? rc : 1;
}

/* --- the reader */

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
        rc = fill(reader, err);
    if (rc < 0)
        return rc;
    const char *front = reader->window;
    if (reader->end >= 2 && (memcmp(front, "\xff\xfe", 2) == 0 || !memcmp(front, "\xfe\xff", 2)))
        return okno_fail(err, OKNO_MALFORMED, "this is UTF-16: save the file as UTF-8");
    if (reader->end >= 3 && memcmp(front, "\xef\xbb\xbf", 3) == 0)
        reader->start = 3;
    rc = skip_blank(reader, err);
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
    okno_hash_start(&reader->hash);
    reader->columns = columns;
    reader->column_count = count;
    int rc = open_input(reader, path, err);
    if (rc == 0)
        rc = sniff(reader, err);
    if (rc == 0)
        rc = restart_csv(reader, err);
    if (rc == 0 && !reader->is_json)
        rc = read_header(reader, err);
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
    *ret_record = (struct okno_record){0};
    return reader->is_json ? next_json(reader, ret_record, err) : next_csv(reader, ret_record, err);
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

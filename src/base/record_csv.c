/* Rows of CSV. */
#include "reader.h"

#include "okno/text.h"

#include <string.h>

static void on_field(void *bytes, size_t len, void *data)
{
    struct okno_record_reader *reader = data;
    if (reader->field_count++ >= OKNO_RECORD_FIELDS_MAX ||
        len >= READER_TEXT_BYTES - reader->text_used)
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

int reader_csv_start(struct okno_record_reader *reader, struct okno_err *err)
{
    if (reader->csv_ready)
        csv_free(&reader->csv);
    reader->csv_ready = csv_init(&reader->csv, CSV_STRICT | CSV_STRICT_FINI) == 0;
    if (!reader->csv_ready)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a table");
    csv_set_space_func(&reader->csv, never_space);
    csv_set_delim(&reader->csv, (unsigned char)reader->delimiter);
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
            int rc = reader_fill(reader, err);
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
        (void)reader_check_bytes(reader, reader->window + reader->start, scanned, why);
    *ret_len = scanned;
    return 0;
}

/* Cut the line [front, end) into fields where it lies. */
static void cut_line(struct okno_record_reader *reader, char *front, char *end)
{
    *end = '\0';
    reader->field_count = 0;
    for (char *at = front, *next; at; at = next) {
        next = memchr(at, reader->delimiter, (size_t)(end - at));
        if (next)
            *next++ = '\0';
        if (reader->field_count++ < OKNO_RECORD_FIELDS_MAX)
            reader->fields[reader->field_count - 1] = at;
    }
}

/* A row of text only, without quotes, that lies whole in the window needs no parser. False: let the
 * parser look at it. */
static bool take_plain_row(struct okno_record_reader *reader)
{
    char *front = reader->window + reader->start;
    char *stop = memchr(front, '\n', reader->end - reader->start);
    if (!stop)
        return false;
    char *end = stop > front && stop[-1] == '\r' ? stop - 1 : stop;
    size_t len = (size_t)(end - front);
    if (stop - front >= OKNO_RECORD_BYTES_MAX || memchr(front, '"', len) ||
        memchr(front, '\r', len) || memchr(front, '\0', len) || !okno_text_is_utf8(front, len))
        return false;
    cut_line(reader, front, end);
    reader->start += (size_t)(stop - front) + 1;
    reader->line++;
    return true;
}

/* Where quotes mean nothing a line is a row. */
static int take_line(struct okno_record_reader *reader, struct okno_err *why, struct okno_err *err)
{
    size_t len = 0;
    int rc = reader_scan_line(reader, &len, err);
    if (rc < 0)
        return rc;
    char *front = reader->window + reader->start;
    if (reader_check_bytes(reader, front, len, why) < 0) {
        rc = reader_skip_line(reader, err);
        return rc < 0 ? rc : 1;
    }
    bool ended = reader->start + len < reader->end;
    cut_line(reader, front, front + len - (len && front[len - 1] == '\r'));
    reader->start += len + ended;
    reader->line += ended;
    return 1;
}

int reader_csv_row(struct okno_record_reader *reader, int64_t *ret_line, struct okno_err *why,
                   struct okno_err *err)
{
    size_t len = 0;
    int rc = reader_skip_blank(reader, err);
    if (rc <= 0)
        return rc;
    *ret_line = reader->line;
    if (reader->no_quotes)
        return take_line(reader, why, err);
    if (take_plain_row(reader))
        return 1;
    rc = scan_row(reader, &len, why, err);
    if (rc < 0)
        return rc;
    if (why->code == 0) {
        reader_consume(reader, len);
        return 1;
    }
    rc = reader_csv_start(reader, err);
    if (rc == 0)
        rc = reader_skip_line(reader, err);
    return rc < 0 ? rc : 1;
}

static int take_header_field(struct okno_record_reader *reader, size_t place, struct okno_err *err)
{
    const char *name = reader->fields[place];
    int column = reader_find_column(reader, name);
    if (column == READER_NO_COLUMN)
        return reader_fail_unknown(reader, name, err);
    for (size_t i = 0; i < place; i++)
        if (reader->places[i] == column)
            return okno_fail_field(err, OKNO_MALFORMED, name, "column %s stands twice", name);
    reader->places[place] = column;
    return 0;
}

static bool has_column(const struct okno_record_reader *reader, const char *name)
{
    int column = name ? reader_find_column(reader, name) : READER_NO_COLUMN;
    for (size_t i = 0; column != READER_NO_COLUMN && i < reader->place_count; i++)
        if (reader->places[i] == column)
            return true;
    return false;
}

static int require_columns(const struct okno_record_reader *reader, struct okno_err *err)
{
    for (size_t i = 0; i < reader->column_count; i++) {
        const struct okno_record_column *one = &reader->columns[i];
        bool needed = one->required || one->unless;
        if (needed && !has_column(reader, one->name) && !has_column(reader, one->unless))
            return okno_fail_field(err, OKNO_MISSING, one->name,
                                   "the header lacks the required column %s%s%s%s", one->name,
                                   one->unless ? " (or " : "", one->unless ? one->unless : "",
                                   one->unless ? " in its place)" : "");
    }
    return 0;
}

int reader_csv_header(struct okno_record_reader *reader, struct okno_err *err)
{
    struct okno_err why = {0};
    int64_t line = 1;
    int rc = reader_csv_row(reader, &line, &why, err);
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

int reader_csv_next(struct okno_record_reader *reader, struct okno_record *record,
                    struct okno_err *err)
{
    struct okno_err *why = &record->err;
    int rc = reader_csv_row(reader, &record->line, why, err);
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

/* Tables: CSV and JSON Lines of our own columns, and tables of other programs. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "okno/buf.h"
#include "okno/record.h"
#include "okno/text.h"

#include <csv.h>
#include <string.h>

static const struct okno_record_column columns[] = {
    {.name = "id", .required = true}, {.name = "text"}, {.name = "count"}, {.name = "flag"}};

static void check_values(const struct okno_record *record)
{
    for (size_t i = 0; i < OKNO_COUNT(columns); i++) {
        const char *value = record->values[i];
        FUZZ_HOLDS(!record->err.code || !value || strlen(value) <= OKNO_RECORD_BYTES_MAX);
        FUZZ_HOLDS(!value || okno_text_is_utf8(value, strlen(value)));
    }
}

/* Lines go up, texts are UTF-8, and everything is read. */
static void read_records(const uint8_t *data, size_t size)
{
    char path[64];
    struct okno_err err = {0};
    struct okno_record record;
    int64_t line = 0;
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    okno_autoclose int fd = fuzz_file(data, size, path);
    (void)fd; /* open while it is read */
    if (okno_record_open(path, columns, OKNO_COUNT(columns), &reader, &err) < 0) {
        FUZZ_HOLDS(err.code && *err.text);
        return;
    }
    int rc;
    while ((rc = okno_record_next(reader, &record, &err)) == 1) {
        FUZZ_HOLDS(record.line >= line); /* rows may end in a lone CR */
        FUZZ_HOLDS(!record.err.code == !*record.err.text);
        line = record.line;
        check_values(&record);
    }
    FUZZ_HOLDS(rc == 0);
    FUZZ_HOLDS(okno_record_offset(reader) == (int64_t)size);
    FUZZ_HOLDS(okno_record_size(reader) == (int64_t)size);
}

void fuzz_csv(const uint8_t *data, size_t size)
{
    read_records(data, size);
}

void fuzz_jsonl(const uint8_t *data, size_t size)
{
    OKNO_AUTO_BUF bytes = OKNO_BUF_INIT(1 << 22);
    FUZZ_HOLDS(okno_buf_add(&bytes, "{", 1, NULL) == 0);
    FUZZ_HOLDS(okno_buf_add(&bytes, data, size, NULL) == 0);
    read_records((const uint8_t *)bytes.data, bytes.len);
}

/* ---- tables of other programs ---- */

/* The rows as one text, each field and row with its end mark; a broken row is `!`. */
static void print_rows(const uint8_t *data, size_t size, const struct okno_record_format *format,
                       struct okno_buf *text)
{
    char path[64];
    struct okno_err err = {0};
    struct okno_record_row row;
    size_t names = 0;
    int64_t line = 0;
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    okno_autoclose int fd = fuzz_file(data, size, path);
    (void)fd; /* open while it is read */
    if (okno_record_open_table(path, format, &reader, &err) < 0)
        return;
    (void)okno_record_header(reader, &names);
    FUZZ_HOLDS(!format->header == (names == 0));
    int rc;
    while ((rc = okno_record_next_row(reader, &row, &err)) == 1) {
        FUZZ_HOLDS(row.line >= line);
        FUZZ_HOLDS(row.err.code ? row.count == 0 : row.count > 0);
        line = row.line;
        if (row.err.code)
            FUZZ_HOLDS(okno_buf_add_text(text, "!", NULL) == 0);
        for (size_t i = 0; i < row.count; i++) {
            FUZZ_HOLDS(okno_text_is_utf8(row.fields[i], strlen(row.fields[i])));
            FUZZ_HOLDS(okno_buf_printf(text, NULL, "%s\x1f", row.fields[i]) == 0);
        }
        FUZZ_HOLDS(okno_buf_add_text(text, "\x1e", NULL) == 0);
    }
    FUZZ_HOLDS(rc == 0 && okno_record_offset(reader) == (int64_t)size);
}

static void on_field(void *bytes, size_t len, void *text)
{
    FUZZ_HOLDS(okno_buf_add(text, bytes, len, NULL) == 0);
    FUZZ_HOLDS(okno_buf_add_text(text, "\x1f", NULL) == 0);
}

static void on_row(int end, void *text)
{
    (void)end;
    FUZZ_HOLDS(okno_buf_add_text(text, "\x1e", NULL) == 0);
}

static int never_space(unsigned char c)
{
    (void)c;
    return 0;
}

/* What the CSV library alone makes of it; false: it finds fault with it. */
static bool print_plain(const uint8_t *data, size_t size, char delimiter, struct okno_buf *text)
{
    struct csv_parser csv;
    FUZZ_HOLDS(csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI) == 0);
    csv_set_space_func(&csv, never_space);
    csv_set_delim(&csv, (unsigned char)delimiter);
    bool good = csv_parse(&csv, data, size, on_field, on_row, text) == size &&
                csv_fini(&csv, on_field, on_row, text) == 0;
    csv_free(&csv);
    return good;
}

/* Rows that are cut without the library's help must be those that it would make. */
static void compare_with_library(const uint8_t *data, size_t size, char delimiter)
{
    enum { MAX = 60000 }; /* below the longest row */
    static const uint8_t mark[] = "\xef\xbb\xbf";
    OKNO_AUTO_BUF ours = OKNO_BUF_INIT(1 << 22);
    OKNO_AUTO_BUF theirs = OKNO_BUF_INIT(1 << 22);
    const struct okno_record_format format = {.delimiter = delimiter};
    if (size > MAX || !okno_text_is_utf8(data, size) || memchr(data, '\0', size) ||
        (size >= 3 && memcmp(data, mark, 3) == 0))
        return;
    if (!print_plain(data, size, delimiter, &theirs))
        return;
    print_rows(data, size, &format, &ours);
    if (!memchr(okno_buf_text(&ours), '!', ours.len)) /* more fields than a row may have */
        FUZZ_HOLDS(strcmp(okno_buf_text(&ours), okno_buf_text(&theirs)) == 0);
}

void fuzz_table(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = {NULL,     NULL,     "windows-1251", "cp866",
                                            "koi8-r", "utf-16", "utf-16le",     "utf-16be"};
    if (size < 2)
        return;
    const struct okno_record_format format = {.delimiter = ",;\t|"[data[0] & 3],
                                              .no_quotes = data[0] & 4,
                                              .header = data[0] & 8,
                                              .skip_lines = data[0] >> 4,
                                              .encoding = encodings[data[1] & 7]};
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(1 << 24);
    print_rows(data + 2, size - 2, &format, &text);
    compare_with_library(data + 2, size - 2, format.delimiter);
}

/* Inside base: a reader of tables, and what CSV and JSON Lines share. */
#ifndef OKNO_BASE_READER_H
#define OKNO_BASE_READER_H

#include "okno/record.h"

#include <csv.h>
#include <iconv.h>
#include <jansson.h>

enum {
    READER_RAW_BYTES = 16384,
    READER_WINDOW_BYTES = 2 * OKNO_RECORD_BYTES_MAX,
    READER_TEXT_BYTES = OKNO_RECORD_BYTES_MAX + OKNO_RECORD_FIELDS_MAX * 32,
    READER_NO_COLUMN = -1
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
    char delimiter;
    bool no_quotes;
    char **header; /* names of a table of another program, owned; NULL: none */
    size_t header_count;
    /* Input in another encoding, not yet converted. */
    const char *encoding; /* NULL: UTF-8 */
    iconv_t converter;    /* while there is an encoding */
    size_t raw_len;
    char raw[READER_RAW_BYTES];
    struct csv_parser csv;
    bool csv_ready;
    json_t *object; /* the row handed out last, when JSON */
    /* Fields of the row being read: texts one after another, each with its NUL. */
    char *fields[OKNO_RECORD_FIELDS_MAX];
    size_t field_count; /* counts on past the maximum */
    bool row_ended;
    size_t text_used;
    char text[READER_TEXT_BYTES];
    size_t start, end; /* unread input is window[start, end) */
    char window[READER_WINDOW_BYTES + 1];
};

/* Read more input behind the window. 1: something came; 0: the end. */
OKNO_CHECK int reader_fill(struct okno_record_reader *reader, struct okno_err *err);

/* Take `len` bytes off the window's front, counting lines. */
void reader_consume(struct okno_record_reader *reader, size_t len);

/* Drop the rest of the physical line at the window's front. */
OKNO_CHECK int reader_skip_line(struct okno_record_reader *reader, struct okno_err *err);

/* Skip blank lines. 1: a row's first byte is at the window's front; 0: the end. */
OKNO_CHECK int reader_skip_blank(struct okno_record_reader *reader, struct okno_err *err);

/* Have a whole line at the window's front (or the file's last one, or more than a row may have);
 * its length without the line end. */
OKNO_CHECK int reader_scan_line(struct okno_record_reader *reader, size_t *ret_len,
                                struct okno_err *err);

/* Whether these bytes may be a row: OKNO_TOO_LARGE, OKNO_MALFORMED. */
int reader_check_bytes(const struct okno_record_reader *reader, const char *bytes, size_t len,
                       struct okno_err *err);

/* The place of the caller's column of that name, or READER_NO_COLUMN. */
int reader_find_column(const struct okno_record_reader *reader, const char *name);
int reader_fail_unknown(const struct okno_record_reader *reader, const char *name,
                        struct okno_err *err);

/* CSV: make the parser, take the header; then row by row, as okno_record_next. */
OKNO_CHECK int reader_csv_start(struct okno_record_reader *reader, struct okno_err *err);
/* The next row into reader->fields. 1: there (or broken: why->code); 0: the end. */
OKNO_CHECK int reader_csv_row(struct okno_record_reader *reader, int64_t *ret_line,
                              struct okno_err *why, struct okno_err *err);
OKNO_CHECK int reader_csv_header(struct okno_record_reader *reader, struct okno_err *err);
OKNO_CHECK int reader_csv_next(struct okno_record_reader *reader, struct okno_record *record,
                               struct okno_err *err);
OKNO_CHECK int reader_json_next(struct okno_record_reader *reader, struct okno_record *record,
                                struct okno_err *err);

#endif

/* Inside base: a reader of tables, and what CSV and JSON Lines share. */
#ifndef OKNO_BASE_READER_H
#define OKNO_BASE_READER_H

#include "okno/record.h"

#include <csv.h>
#include <jansson.h>

enum {
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
    char window[READER_WINDOW_BYTES];
};

/* Read more input behind the window. 1: something came; 0: the end. */
OKNO_CHECK int reader_fill(struct okno_record_reader *reader, struct okno_err *err);

/* Take `len` bytes off the window's front, counting lines. */
void reader_consume(struct okno_record_reader *reader, size_t len);

/* Drop the rest of the physical line at the window's front. */
OKNO_CHECK int reader_skip_line(struct okno_record_reader *reader, struct okno_err *err);

/* Skip blank lines. 1: a row's first byte is at the window's front; 0: the end. */
OKNO_CHECK int reader_skip_blank(struct okno_record_reader *reader, struct okno_err *err);

/* Whether these bytes may be a row: OKNO_TOO_LARGE, OKNO_MALFORMED. */
int reader_check_bytes(const char *bytes, size_t len, struct okno_err *err);

/* The place of the caller's column of that name, or READER_NO_COLUMN. */
int reader_find_column(const struct okno_record_reader *reader, const char *name);
int reader_fail_unknown(const struct okno_record_reader *reader, const char *name,
                        struct okno_err *err);

/* CSV: make the parser, take the header; then row by row, as okno_record_next. */
OKNO_CHECK int reader_csv_start(struct okno_record_reader *reader, struct okno_err *err);
OKNO_CHECK int reader_csv_header(struct okno_record_reader *reader, struct okno_err *err);
OKNO_CHECK int reader_csv_next(struct okno_record_reader *reader, struct okno_record *record,
                               struct okno_err *err);
OKNO_CHECK int reader_json_next(struct okno_record_reader *reader, struct okno_record *record,
                                struct okno_err *err);

#endif

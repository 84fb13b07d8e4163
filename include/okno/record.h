/* Tables of named text fields: CSV (RFC 4180, comma, header row, UTF-8 with or without a byte order
 * mark) or JSON Lines (one flat object a line). The first byte decides: `{` means JSON Lines.
 *
 * Memory is constant whatever the file's size. A broken row is handed out as an error of that row;
 * reading goes on with the physical line after the broken row's first one. */
#ifndef OKNO_RECORD_H
#define OKNO_RECORD_H

#include "okno/err.h"
#include "okno/hash.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum { OKNO_RECORD_BYTES_MAX = 65536, OKNO_RECORD_FIELDS_MAX = 64 };

/* A column that the caller knows. */
struct okno_record_column {
    const char *name;
    bool required;      /* a CSV header without it is refused */
    const char *unless; /* ... though not where this column is there; NULL: none stands for it */
};

/* One row. Texts belong to the reader and live until the next call. */
struct okno_record {
    int64_t line;        /* physical line where it starts, from 1 */
    struct okno_err err; /* code 0, or what is wrong with this row: then there are no values */
    const char *values[OKNO_RECORD_FIELDS_MAX]; /* by the caller's columns; NULL: not in the row */
};

struct okno_record_reader;

/* Open a file, or standard input for "-", and read its header. `columns` (up to
 * OKNO_RECORD_FIELDS_MAX) must outlive the reader. OKNO_UNKNOWN_FIELD names an unknown column and
 * the allowed ones; OKNO_MISSING a required column that is not in the header; OKNO_MALFORMED;
 * OKNO_NOT_FOUND; OKNO_IO. The caller owns *ret_reader. */
OKNO_CHECK int okno_record_open(const char *path, const struct okno_record_column *columns,
                                size_t count, struct okno_record_reader **ret_reader,
                                struct okno_err *err);
void okno_record_close(struct okno_record_reader *reader);
OKNO_CLEANUP(okno_record_reader, okno_record_close);

/* 1: a row is in *ret_record (look at its err first); 0: the end; negative: reading failed. */
OKNO_CHECK int okno_record_next(struct okno_record_reader *reader, struct okno_record *ret_record,
                                struct okno_err *err);

/* ---- tables of other programs ---- */

/* How such a table looks. */
struct okno_record_format {
    char delimiter;
    const char *encoding; /* a name that iconv knows; NULL: UTF-8 */
    bool no_quotes;       /* a quote is a letter like others */
    bool header;          /* the first row names the columns */
    int64_t skip_lines;   /* physical lines before all rows */
};

/* One row of it, as it is. Texts belong to the reader and live until the next call. */
struct okno_record_row {
    int64_t line;
    struct okno_err err; /* code 0, or what is wrong with this row: then there are no fields */
    char *const *fields;
    size_t count; /* up to OKNO_RECORD_FIELDS_MAX */
};

/* As okno_record_open. OKNO_INVALID: no such encoding. */
OKNO_CHECK int okno_record_open_table(const char *path, const struct okno_record_format *format,
                                      struct okno_record_reader **ret_reader, struct okno_err *err);

/* The names in the header; none without one. They live until the reader is closed. */
char *const *okno_record_header(const struct okno_record_reader *reader, size_t *ret_count);

/* As okno_record_next. */
OKNO_CHECK int okno_record_next_row(struct okno_record_reader *reader,
                                    struct okno_record_row *ret_row, struct okno_err *err);

/* SHA-256 of all bytes read so far: of the whole file at its end. Returns ret_text. */
const char *okno_record_sha256(const struct okno_record_reader *reader,
                               char ret_text[OKNO_SHA256_TEXT]);

/* Bytes read so far, and the file's size (-1: not known, as from a pipe). For progress. */
int64_t okno_record_offset(const struct okno_record_reader *reader);
int64_t okno_record_size(const struct okno_record_reader *reader);

#endif

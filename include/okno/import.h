/* Imports: files of facts into tables, one row at a time.
 *
 * A kind is data: a table of its fields (which drives reading, checks, help and tests) and a few
 * callbacks. Rooms above the registry publish kinds of their own (struct okno_import_kind) and the
 * command line lists them; the engine knows none of them.
 *
 * A row is stored whole or not at all. Rows are committed in batches: a crash leaves whole batches,
 * and importing the same file again adds only what is not there yet. */
#ifndef OKNO_IMPORT_H
#define OKNO_IMPORT_H

#include "okno/db.h"
#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct okno_conf;
struct okno_map;

enum okno_field_type {
    OKNO_FIELD_ID,       /* 1..64 of A-Z a-z 0-9 _ - */
    OKNO_FIELD_TEXT,     /* UTF-8 without control characters, up to max bytes */
    OKNO_FIELD_TIME,     /* ISO 8601 with a zone; integer: microseconds UTC */
    OKNO_FIELD_DATE,     /* YYYY-MM-DD, kept as text */
    OKNO_FIELD_INT,      /* whole number min..max, stored times `scale` */
    OKNO_FIELD_DECIMAL,  /* -123.45, kept as text: money is never a float */
    OKNO_FIELD_BOOL,     /* true, yes, 1 / false, no, 0; integer 1 or 0 */
    OKNO_FIELD_WORD,     /* one of `words` */
    OKNO_FIELD_SCOPED,   /* one of `words`, a colon and an id that must be known: `site:S1` */
    OKNO_FIELD_ZONE,     /* UTC or an IANA name */
    OKNO_FIELD_ZONE_RULE /* those, or a POSIX TZ rule */
};

/* One column of a kind. */
struct okno_field {
    const char *name;
    enum okno_field_type type;
    bool required;
    const char *unless; /* required in a header or map, where this column is not; NULL: see above */
    bool key;           /* part of the natural key; for sinks and docs */
    int64_t min, max;   /* INT: range as written in the file; TEXT: max bytes, 0 means 1000 */
    int64_t scale;      /* INT: factor from the file's unit to the stored one; 0 means 1 */
    const char *words;  /* WORD, SCOPED: the allowed words, one space between */
    const char *ref; /* ID: "site", "point", ... must be known (registry.has_<ref>); NULL: free */
    const char *fallback; /* stands for an empty field; NULL: stays empty (SQL NULL) */
    const char *help;     /* one line for people */
};

/* A checked value. `text` is NULL for an empty optional field without a fallback. */
struct okno_value {
    const char *text;
    int64_t integer; /* INT (scaled), BOOL, TIME */
};

enum okno_stored { OKNO_STORED_ADDED, OKNO_STORED_DUPLICATE };

/* What callbacks get. */
struct okno_import_env {
    struct okno_db *db;
    const struct okno_conf *conf;
    int64_t import; /* id of the row in `imports` */
    int64_t now_us; /* when this import began */
};

struct okno_import_kind {
    const char *kind; /* "events" */
    const char *help; /* one line: what a row is */
    const struct okno_field *fields;
    size_t field_count;
    /* `store` changes one row of the database or none: it needs no savepoint of its own. */
    bool at_once;
    /* Fields checked one by one already; here what concerns several. NULL: nothing. Pure. */
    int (*check)(const struct okno_value *values, struct okno_err *err);
    /* Make the sink's own state; NULL: none. */
    int (*start)(const struct okno_import_env *env, void **ret_ctx, struct okno_err *err);
    /* Store one row (values in the order of fields), inside a transaction and, unless at_once, a
     * savepoint of its own. OKNO_CONFLICT, OKNO_INVALID and the like reject the row and reading
     * goes on; OKNO_DATABASE, OKNO_NO_SPACE, OKNO_BUSY, OKNO_IO, OKNO_NO_MEMORY, OKNO_FAILED end
     * the import.
     */
    int (*store)(const struct okno_import_env *env, void *ctx, const struct okno_value *values,
                 enum okno_stored *ret_stored, struct okno_err *err);
    /* After the rows of a batch, in its transaction, before the commit; NULL: nothing. Failure ends
     * the import and undoes the batch. */
    int (*batch)(const struct okno_import_env *env, void *ctx, struct okno_err *err);
    /* Free the state; called once for every start, on failure too. */
    void (*stop)(void *ctx);
};

struct okno_import_result {
    int64_t read, added, duplicate, rejected;
    int64_t skipped; /* rows that a map leaves out: totals, blank lines; not counted in read */
    int64_t import;  /* id of the row in `imports` */
};

struct okno_import_job {
    struct okno_db *db;
    const struct okno_conf *conf;
    const struct okno_import_kind *kind;
    const char *author;   /* who imports */
    struct okno_map *map; /* the files are tables of another program; NULL: our own columns */
    bool dry_run;         /* check and count as if; nothing is stored */
    /* What rooms above the kind's own know of a row that passed its checks; NULL: nothing. A row
     * that it refuses is rejected. */
    int (*check)(struct okno_db *db, const struct okno_value *values, struct okno_err *err);
    /* A row that was not stored: file, physical line, why. May be NULL. */
    void (*rejected)(void *ctx, const char *file, int64_t line, const struct okno_err *why);
    /* A row that was (or, in a dry run, would be) stored, in the order of the kind's fields. May be
     * NULL. */
    void (*stored)(void *ctx, const struct okno_value *values);
    /* After each batch: rows so far, bytes read of size (-1 unknown). May be NULL. */
    void (*progress)(void *ctx, const struct okno_import_result *so_far, int64_t bytes,
                     int64_t size);
    void *ctx;
};

/* Import one file ("-" is standard input), adding to the counters of *result, which the caller
 * zeroes first; rows of several files share the import when *result is passed on. On return 0
 * everything counted is on disk (rejected rows are no failure). On failure what the result counts
 * is on disk; repeating the import goes on from there. */
OKNO_CHECK int okno_import_file(const struct okno_import_job *job, const char *path,
                                struct okno_import_result *result, struct okno_err *err);

/* Import one row that came otherwise than in a file: `texts` in the order of the kind's fields,
 * NULL or "" for empty. `source` is told in the list of imports, e.g. "page". A transaction of its
 * own, written to the log. OKNO_MISSING, OKNO_INVALID and the like name the field. */
OKNO_CHECK int okno_import_row(const struct okno_import_job *job, const char *source,
                               const char *const *texts, enum okno_stored *ret_stored,
                               struct okno_err *err);

/* Check one value as the engine does, `text` NULL or "" meaning empty; references are checked when
 * db is not NULL. *ret_value.text points into `text` or the field's table. OKNO_INVALID,
 * OKNO_MISSING, OKNO_UNKNOWN_REF, naming field, value and what is allowed. */
OKNO_CHECK int okno_field_check(const struct okno_field *field, struct okno_db *db,
                                const char *text, struct okno_value *ret_value,
                                struct okno_err *err);

/* Bind the values to a statement that has a parameter for each field, of the field's name: whole
 * numbers, booleans and times as integers, the rest as text, empty ones as NULL. For sinks. */
OKNO_CHECK int okno_import_bind(const struct okno_field *fields, size_t count,
                                const struct okno_value *values, struct okno_stmt *stmt,
                                struct okno_err *err);

/* The registry's own kinds; *ret_count is their number. */
const struct okno_import_kind *okno_registry_kinds(size_t *ret_count);

#endif

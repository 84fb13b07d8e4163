/* Inside the registry: a map as it was read, and its work. */
#ifndef OKNO_REGISTRY_MAP_H
#define OKNO_REGISTRY_MAP_H

#include "okno/import.h"
#include "okno/map.h"
#include "okno/record.h"
#include "okno/vec.h"
#include "okno/zone.h"

enum {
    MAP_FILE_BYTES_MAX = 1 << 18,
    MAP_COLUMNS_MAX = 8, /* that make one field */
    MAP_FILTERS_MAX = 32,
    MAP_TEXT_BYTES = 4 * OKNO_RECORD_BYTES_MAX /* of one row's values */
};

/* A text of the map: "name" or "#3", the third column. */
struct map_column {
    char *name;
    int place; /* in the file being read; -1 until it is open */
};

struct map_pair {
    char *from, *to; /* `to` lies in the text of `from` */
};
OKNO_VEC(map_pair_vec, struct map_pair);

/* How one field of the kind is made. */
struct map_field {
    const struct okno_field *field; /* NULL: the map does not fill it */
    int line;                       /* where the map's entry begins, for messages */
    struct map_column columns[MAP_COLUMNS_MAX];
    size_t column_count;
    char told_by; /* what named them, by its last letter: column, columns, sum; 0: nothing */
    bool sum;     /* of the columns, as whole numbers */
    char *constant;
    char *join; /* stands between columns; NULL: a blank */
    char *prefix;
    char *otherwise; /* for what `values` lacks */
    char *format;    /* of a time; NULL: ISO 8601 */
    struct map_pair_vec values;
    int64_t add_days, add_minutes;
    bool escape; /* what an id cannot have becomes _XXXX */
};

OKNO_VEC(map_text_vec, char *);

/* Rows to leave out, or, `only`, the only ones to take. */
struct map_filter {
    char *name;
    int line;
    bool only;
    bool empty;
    struct map_column column;
    struct map_text_vec equals, contains;
};

enum map_twice { MAP_TWICE_REFUSE, MAP_TWICE_FIRST, MAP_TWICE_SECOND };

/* Whose calendar: `site:S1` or `point:P1`. */
struct map_place {
    char id[80];
    const struct okno_zone *zone;
};
OKNO_VEC(map_place_vec, struct map_place);

struct map_zone {
    char name[64];
    struct okno_zone *zone;
};
OKNO_VEC(map_zone_vec, struct map_zone);

struct okno_map {
    char *path;
    const struct okno_import_kind *kind;
    struct okno_record_format format;
    char *encoding;
    char decimal;
    char *time_zone; /* NULL: of the row's site */
    enum map_twice twice;
    struct map_field fields[OKNO_RECORD_FIELDS_MAX]; /* by the kind's fields */
    struct map_filter filters[MAP_FILTERS_MAX];
    size_t filter_count;
    /* While rows are read. */
    struct okno_record_reader *reader;
    struct map_place_vec places; /* sorted */
    struct map_zone_vec zones;   /* owned; the first is time_zone's */
    int64_t skipped;             /* rows left out */
    size_t text_used;
    char text[MAP_TEXT_BYTES];
};

/* Read the text of a map file into an empty map. OKNO_CONFIG. */
OKNO_CHECK int map_read(struct okno_map *map, const char *text, struct okno_err *err);

/* Get ready for a file: find the calendars (db may be NULL where the map has a time_zone of its
 * own) and the columns. */
OKNO_CHECK int map_start(struct okno_map *map, struct okno_db *db,
                         struct okno_record_reader *reader, struct okno_err *err);

/* As okno_record_next, by the kind's fields. `ctx` is the map. Pure but for the reader. */
OKNO_CHECK int map_next(void *ctx, struct okno_record *ret_record, struct okno_err *err);

/* Say in the message where the map makes the field that failed. */
void map_explain(const struct okno_map *map, struct okno_err *err);

#endif

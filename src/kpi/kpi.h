/* Inside the kpi room only. */
#ifndef OKNO_KPI_ROOM_H
#define OKNO_KPI_ROOM_H

#include "okno/buf.h"
#include "okno/kpi.h"
#include "okno/zone.h"

/* ---- places: what gathering needs to know of each site and point, as it stands now ---- */

struct kpi_site {
    char site[65];
    size_t first_group, group_count; /* of the places' groups */
    char zone_name[80];
    struct okno_zone *zone;   /* owned */
    int64_t from_us, to_us;   /* the asked period here */
    int32_t from_day, to_day; /* the same as days, where `whole` */
    bool whole;               /* the period is made of whole days of this calendar */
};
OKNO_VEC(kpi_site_vec, struct kpi_site);

/* The group that a site is in from a local day on. */
struct kpi_dated_group {
    int32_t from_day;
    char group[65];
};
OKNO_VEC(kpi_dated_group_vec, struct kpi_dated_group);

struct kpi_point {
    char point[65];
    char site[65];
};
OKNO_VEC(kpi_point_vec, struct kpi_point);

OKNO_VEC(kpi_zone_vec, const struct okno_zone *);

struct kpi_places {
    struct kpi_site_vec sites;         /* by id */
    struct kpi_dated_group_vec groups; /* of each site together, by day */
    struct kpi_point_vec points;       /* by id */
    struct kpi_zone_vec zones;         /* each that a site has once; borrowed from the sites */
    int64_t from_us, to_us;            /* from the first beginning to the last end of all sites */
    bool whole;                        /* so for every site */
};

OKNO_CHECK int kpi_places_load(struct okno_db *db, struct kpi_places *places, struct okno_err *err);
/* The period of a query in each site's calendar. */
OKNO_CHECK int kpi_places_period(struct kpi_places *places, const struct okno_kpi_query *query,
                                 struct okno_err *err);
void kpi_places_free(struct kpi_places *places);
#define KPI_AUTO_PLACES __attribute__((cleanup(kpi_places_free))) struct kpi_places

/* The group of a site on a day; "" for none. */
const char *kpi_group_on(const struct kpi_places *places, const struct kpi_site *site, int32_t day);
/* Whether a site goes from one group to another within the period. */
bool kpi_places_regroup(const struct kpi_places *places);

/* NULL when unknown. */
const struct kpi_site *kpi_places_site(const struct kpi_places *places, const char *site);
const struct kpi_site *kpi_places_site_of(const struct kpi_places *places, const char *point);

/* ---- calendar: days are counted from 1970-01-01, hours from its midnight, both local ---- */

enum kpi_unit { KPI_WHOLE, KPI_MONTH, KPI_WEEK, KPI_DAY, KPI_HOUR };

int32_t kpi_bucket(const struct okno_zone *zone, int64_t at_us, enum kpi_unit unit);
/* The bucket of a day: its month's first day, its week's Monday, itself; 0 for the whole. */
int32_t kpi_bucket_of_day(int32_t day, enum kpi_unit unit);
/* The first instant of a local day. */
int64_t kpi_day_start(const struct okno_zone *zone, int32_t day);
/* 2026-03-10, 2026-03-10T14 or 2026-03 from a day (of an hour: the hour number). */
void kpi_bucket_text(int32_t bucket, enum kpi_unit unit, char *ret_text, size_t size);

/* ---- names: texts as small numbers; 0 is "" ---- */

struct kpi_names {
    char **text;
    size_t count, cap;
    uint32_t *slots; /* 1 + id, 0: free */
    size_t slot_count;
};
OKNO_CHECK int kpi_names_id(struct kpi_names *names, const char *text, int32_t *ret_id,
                            struct okno_err *err);
void kpi_names_free(struct kpi_names *names);

/* ---- cube: sums per cell ---- */

enum kpi_field {
    KPI_TALLY = 0,                 /* + 8 set + 4 fm + answer: yes, unsure, no, silent */
    KPI_LATE = 8 * OKNO_SET_COUNT, /* + set, as the others below */
    KPI_SUPERSEDED = KPI_LATE + OKNO_SET_COUNT,
    KPI_SITUATIONS = KPI_SUPERSEDED + OKNO_SET_COUNT,
    KPI_SPONTANEOUS = KPI_SITUATIONS + OKNO_SET_COUNT, /* + 3 set + yes, unsure, no */
    KPI_UNDETERMINABLE = KPI_SPONTANEOUS + 3 * OKNO_SET_COUNT,
    KPI_REVIEWED,
    KPI_FIELDS
};

struct kpi_key {
    int32_t site, point, employee, question, bucket;
    int32_t kind; /* enum okno_question_kind, or OKNO_KIND_COUNT where there is none */
};

struct kpi_cell {
    struct kpi_key key;
    int32_t n[KPI_FIELDS];
    struct okno_reason_vec excluded;
};
OKNO_VEC(kpi_cell_vec, struct kpi_cell);

struct kpi_cube {
    unsigned by; /* dimensions that are kept apart, bits of enum okno_group_by */
    enum kpi_unit unit;
    struct kpi_names names;
    struct kpi_cell_vec cells;
    uint32_t *slots;
    size_t slot_count;
};

/* The cell of a key, whose unwanted dimensions must be 0; made when it is new. Valid until the next
 * call. OKNO_TOO_LARGE. */
OKNO_CHECK int kpi_cube_cell(struct kpi_cube *cube, const struct kpi_key *key,
                             struct kpi_cell **ret_cell, struct okno_err *err);
/* The cell for these texts and a moment or, with zone NULL, a day. */
OKNO_CHECK int kpi_cube_find(struct kpi_cube *cube, const char *site, const char *point,
                             const char *employee, const char *question, int32_t kind,
                             int32_t bucket, struct kpi_cell **ret_cell, struct okno_err *err);
OKNO_CHECK int kpi_cell_exclude(struct okno_reason_vec *reasons, const char *reason, int64_t count,
                                struct okno_err *err);
bool kpi_cell_is_empty(const struct kpi_cell *cell);
void kpi_cube_free(struct kpi_cube *cube);
#define KPI_AUTO_CUBE __attribute__((cleanup(kpi_cube_free))) struct kpi_cube

/* ---- rows: surveys, situations and spontaneous ratings into a cube ---- */

struct kpi_cleared {
    char situation[80];
    char point[65];
    int64_t first_us, until_us;
};
OKNO_VEC(kpi_cleared_vec, struct kpi_cleared);

struct kpi_counting {
    struct okno_db *db;
    const struct kpi_places *places;
    struct kpi_cube *cube;
    struct kpi_cleared_vec cleared;
    const char *point; /* NULL: all of them */
    int32_t day;       /* with `point`: rows of this local day only */
};
/* The situations that a reviewer found to be none. */
OKNO_CHECK int kpi_cleared_load(struct okno_db *db, struct kpi_cleared_vec *cleared,
                                struct okno_err *err);
/* Everything of the places' period. */
OKNO_CHECK int kpi_rows_count(struct kpi_counting *counting, struct okno_err *err);
/* Everything of one point and day. */
OKNO_CHECK int kpi_rows_count_day(struct kpi_counting *counting, const char *point, int32_t day,
                                  struct okno_err *err);

/* ---- maintained sums ---- */

/* Sums of the places' period, which consists of whole days. *ret_used false, and nothing done:
 * there are none, or too much has changed. */
OKNO_CHECK int kpi_cells_read(struct kpi_counting *counting, bool *ret_used, struct okno_err *err);

/* Cells of one point and month as bytes, in one order for the same cells; and back, handing over
 * one cell at a time with its texts. The key's bucket is the day. */
struct kpi_packed {
    const char *site, *employee, *question;
    int32_t kind, day;
    int32_t n[KPI_FIELDS];
    struct okno_reason_vec excluded; /* borrowed by the callee */
};
OKNO_CHECK int kpi_pack(const struct kpi_cube *cube, const struct kpi_cell *const *cells,
                        size_t count, struct okno_buf *out, struct okno_err *err);
OKNO_CHECK int kpi_unpack(const void *bytes, size_t len,
                          int (*take)(void *context, const struct kpi_packed *cell,
                                      struct okno_err *err),
                          void *context, struct okno_err *err);

/* ---- counts ---- */

/* Fill transactions, visitors and served of each group. */
OKNO_CHECK int kpi_add_counts(struct okno_db *db, const struct okno_kpi_query *query,
                              const struct kpi_places *places, struct okno_group_vec *groups,
                              struct okno_err *err);

/* okno_kpi_gather inside a view of the data that is open already, without alarms. */
OKNO_CHECK int kpi_gather_groups(struct okno_db *db, const struct okno_kpi_query *query,
                                 struct okno_group_vec *groups, struct okno_err *err);
/* Mark employees who ask too few customers, in groups by employee. */
OKNO_CHECK int kpi_add_alarms(struct okno_db *db, const struct okno_kpi_query *query,
                              struct okno_group_vec *groups, struct okno_err *err);

/* Position of a group word's bit in okno_kpi_group.value. */
int kpi_word_place(enum okno_group_by bit);

#endif

/* Dated opening hours: which version counts when, and what a row without a date means. */
#define _POSIX_C_SOURCE 200809L
#include "okno/registry.h"

#include "okno/mem.h"
#include "okno/time.h"
#include "okno/zone.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

/* ---- what counts at a point ---- */

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the opening hours of a point");
}

static int read_versions(struct okno_db *db, const char *statement, const char *id,
                         struct okno_hours_row_vec *rows, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, statement, &stmt, err, OKNO_TEXT("id", id));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_hours_row row = {0};
        okno_stmt_copy(stmt, "hours_from", row.from, sizeof(row.from));
        okno_stmt_copy(stmt, "hours", row.hours, sizeof(row.hours));
        okno_stmt_copy(stmt, "site_group", row.group, sizeof(row.group));
        rc = okno_hours_row_vec_push(rows, row) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

/* The rows of a point go before those of its site; a point's empty ones give way to them. */
static int merge(const struct okno_hours_row_vec *own, const struct okno_hours_row_vec *site,
                 struct okno_hours_row_vec *merged, struct okno_err *err)
{
    size_t i = 0; /* rows that count already */
    size_t k = 0;
    while (i < own->len || k < site->len) {
        const char *a = i < own->len ? own->items[i].from : NULL;
        const char *b = k < site->len ? site->items[k].from : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a, b);
        i += order <= 0;
        k += order >= 0;
        bool is_own = i > 0 && own->items[i - 1].hours[0];
        struct okno_hours_row row = {.own = is_own};
        (void)snprintf(row.from, sizeof(row.from), "%s", order <= 0 ? a : b);
        (void)snprintf(row.hours, sizeof(row.hours), "%s",
                       is_own  ? own->items[i - 1].hours
                       : k > 0 ? site->items[k - 1].hours
                               : "");
        struct okno_hours_row *before = merged->len ? &merged->items[merged->len - 1] : NULL;
        if (before && before->own == row.own && strcmp(before->hours, row.hours) == 0)
            continue;
        if (okno_hours_row_vec_push(merged, row) < 0)
            return no_memory(err);
    }
    return 0;
}

int okno_registry_hours_rows(struct okno_db *db, const struct okno_point *point,
                             struct okno_hours_row_vec *rows, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_hours_row_vec) own = {0};
    OKNO_AUTO_VEC(okno_hours_row_vec) site = {0};
    int rc = read_versions(db, "registry.get_point_hours", point->point, &own, err);
    if (rc == 0)
        rc = read_versions(db, "registry.get_site_hours", point->site.site, &site, err);
    return rc < 0 ? rc : merge(&own, &site, rows, err);
}

OKNO_VEC(version_vec, struct okno_hours_version);

/* Imports refuse hours that cannot be read; what an older program stored is no reason to stop. */
static int add_version(const struct okno_hours_row *row, const char *zone,
                       struct version_vec *versions, struct okno_err *err)
{
    OKNO_AUTO(okno_hours) *readable = NULL;
    struct okno_err ignored = {0};
    struct okno_hours_version version = {OKNO_HOURS_EVER, row->hours};
    int64_t from_us = 0;
    if (row->from[0] && okno_date_parse(row->from, &from_us, &ignored) == 0)
        version.from_day = from_us / OKNO_DAY_US - (from_us % OKNO_DAY_US < 0);
    if (row->hours[0] && okno_hours_parse(row->hours, zone, &readable, &ignored) < 0)
        version.text = "";
    return version_vec_push(versions, version) < 0 ? no_memory(err) : 0;
}

int okno_registry_hours(struct okno_db *db, const struct okno_point *point,
                        struct okno_hours **ret_hours, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_hours_row_vec) rows = {0};
    OKNO_AUTO_VEC(version_vec) versions = {0};
    bool known = false;
    int rc = okno_registry_hours_rows(db, point, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.len; i++) {
        rc = add_version(&rows.items[i], point->site.time_zone, &versions, err);
        known = rc == 0 && (known || versions.items[versions.len - 1].text[0]);
    }
    if (rc < 0)
        return rc;
    if (known)
        return okno_hours_parse_dated(versions.items, versions.len, point->site.time_zone,
                                      ret_hours, err);
    *ret_hours = NULL;
    return 0;
}

/* ---- what a row means ---- */

static int local_date(const char *zone_name, int64_t at_us, char ret_date[OKNO_DATE_TEXT],
                      struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    char text[OKNO_TIME_TEXT];
    int rc = okno_zone_open(zone_name, &zone, err);
    if (rc == 0)
        (void)snprintf(ret_date, OKNO_DATE_TEXT, "%.10s",
                       okno_time_format(at_us + okno_zone_offset_at(zone, at_us), text));
    return rc;
}

/* What stands on a day, *ret_row, of a site or a point; 0: nothing does. */
static int in_force(struct okno_db *db, const char *statement, const char *id, const char *day,
                    struct okno_hours_row *ret_row, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_hours_row_vec) rows = {0};
    int rc = read_versions(db, statement, id, &rows, err);
    int found = 0;
    for (size_t i = 0; rc == 0 && i < rows.len && strcmp(rows.items[i].from, day) <= 0; i++) {
        *ret_row = rows.items[i];
        found = 1;
    }
    return rc < 0 ? rc : found;
}

/* What a row without a date says: nothing new, what nothing was known of, or something from today
 * on. */
static void date_undated(const struct okno_hours_row *stands, const char *above, const char *today,
                         struct okno_hours_row *row)
{
    bool first = !*stands->from && !*stands->hours && !*above;
    bool same = (!*row->hours || first || strcmp(row->hours, stands->hours) == 0) &&
                (!*row->group || strcmp(row->group, stands->group) == 0);
    (void)snprintf(row->from, sizeof(row->from), "%s", same ? stands->from : today);
    if (!*row->hours)
        (void)snprintf(row->hours, sizeof(row->hours), "%s", stands->hours);
}

int registry_date_hours(struct okno_db *db, const struct registry_hours_of *of,
                        struct okno_hours_row *row, struct okno_err *err)
{
    char day[OKNO_DATE_TEXT];
    struct okno_hours_row stands = {0};
    struct okno_hours_row above = {0};
    bool dated = row->from[0];
    (void)snprintf(day, sizeof(day), "%s", row->from);
    int rc = dated ? 0 : local_date(of->time_zone, of->now_us, day, err);
    if (rc == 0)
        rc = in_force(db, of->statement, of->id, day, &stands, err);
    if (rc < 1)
        return rc;
    if (!dated)
        rc = in_force(db, "registry.get_site_hours", of->site, day, &above, err);
    if (rc < 0)
        return rc;
    if (!dated)
        date_undated(&stands, above.hours, day, row);
    if (!*row->group) /* a group is left for another one only */
        (void)snprintf(row->group, sizeof(row->group), "%s", stands.group);
    return 0;
}

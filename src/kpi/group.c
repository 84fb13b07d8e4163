/* The words that indicators are grouped by, and the places they come from. */
#include "kpi.h"

#include "okno/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[OKNO_GROUP_WORDS] = {
    "group", "site", "point", "employee", "question", "hour", "day", "week", "month"};

const char *okno_group_word(size_t place)
{
    return words[place];
}

int kpi_word_place(enum okno_group_by bit)
{
    int place = 0;
    while ((1U << place) != (unsigned)bit)
        place++;
    return place;
}

const char *okno_group_value(const struct okno_kpi_group *group, enum okno_group_by bit)
{
    return group->value[kpi_word_place(bit)];
}

int okno_group_parse(const char *text, unsigned *ret_by, struct okno_err *err)
{
    unsigned by = 0;
    for (const char *at = text ? text : ""; *at;) {
        size_t len = strcspn(at, ",");
        size_t place = 0;
        while (place < OKNO_GROUP_WORDS &&
               (strlen(words[place]) != len || memcmp(words[place], at, len) != 0))
            place++;
        if (place == OKNO_GROUP_WORDS)
            return okno_fail_field(err, OKNO_INVALID, "by",
                                   "\"%.*s\" is nothing to group by; allowed: group, site, point, "
                                   "employee, question, hour, day, week, month",
                                   (int)(len < 40 ? len : 40), at);
        by |= 1U << place;
        at += len + (at[len] == ',');
    }
    *ret_by = by;
    return 0;
}

static bool has_zone(const struct kpi_places *places, const char *name)
{
    for (size_t i = 0; i < places->sites.len; i++)
        if (strcmp(places->sites.items[i].zone_name, name) == 0)
            return true;
    return false;
}

static int load_site(struct kpi_places *places, struct okno_stmt *row, struct okno_err *err)
{
    struct kpi_site site = {0};
    okno_stmt_copy(row, "site", site.site, sizeof(site.site));
    okno_stmt_copy(row, "time_zone", site.zone_name, sizeof(site.zone_name));
    int rc = okno_zone_open(okno_stmt_text(row, "time_zone"), &site.zone, err);
    if (rc < 0)
        return rc;
    bool fresh = !has_zone(places, site.zone_name);
    if (kpi_site_vec_push(&places->sites, site) < 0) {
        okno_zone_close(site.zone);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the sites");
    }
    if (fresh && kpi_zone_vec_push(&places->zones, site.zone) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the sites");
    return 0;
}

static int load_sites(struct okno_db *db, struct kpi_places *places, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "kpi.sites", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = load_site(places, stmt, err);
    return rc;
}

static int load_points(struct okno_db *db, struct kpi_point_vec *points, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "kpi.points", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct kpi_point point = {0};
        okno_stmt_copy(stmt, "point", point.point, sizeof(point.point));
        okno_stmt_copy(stmt, "site", point.site, sizeof(point.site));
        rc = kpi_point_vec_push(points, point) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the points")
                 : 0;
    }
    return rc;
}

static int32_t day_of_date(const char *date)
{
    int64_t us = 0;
    struct okno_err ignored = {0};
    return *date && okno_date_parse(date, &us, &ignored) == 0 ? (int32_t)(us / OKNO_DAY_US)
                                                              : INT32_MIN;
}

/* Both lists are ordered by site. */
static int load_groups(struct okno_db *db, struct kpi_places *places, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    size_t at = 0;
    int rc = okno_db_stmt(db, "kpi.site_groups", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *site = okno_stmt_text(stmt, "site");
        struct kpi_dated_group one = {day_of_date(okno_stmt_text(stmt, "hours_from")), ""};
        while (at < places->sites.len && strcmp(places->sites.items[at].site, site) < 0)
            at++;
        okno_stmt_copy(stmt, "site_group", one.group, sizeof(one.group));
        rc = 0;
        if (at == places->sites.len)
            continue;
        if (places->sites.items[at].group_count++ == 0)
            places->sites.items[at].first_group = places->groups.len;
        if (kpi_dated_group_vec_push(&places->groups, one) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the groups of the sites");
    }
    return rc;
}

const char *kpi_group_on(const struct kpi_places *places, const struct kpi_site *site, int32_t day)
{
    const struct kpi_dated_group *groups = places->groups.items + site->first_group;
    const char *group = "";
    for (size_t i = 0; i < site->group_count && groups[i].from_day <= day; i++)
        group = groups[i].group;
    return group;
}

bool kpi_places_regroup(const struct kpi_places *places)
{
    for (size_t i = 0; i < places->sites.len; i++) {
        const struct kpi_site *site = &places->sites.items[i];
        const char *first = kpi_group_on(places, site, site->from_day);
        for (size_t k = 0; k < site->group_count; k++) {
            const struct kpi_dated_group *one = &places->groups.items[site->first_group + k];
            if (one->from_day > site->from_day && one->from_day <= site->to_day &&
                strcmp(one->group, first) != 0)
                return true;
        }
    }
    return false;
}

int kpi_places_load(struct okno_db *db, struct kpi_places *places, struct okno_err *err)
{
    int rc = load_sites(db, places, err);
    if (rc == 0)
        rc = load_groups(db, places, err);
    return rc < 0 ? rc : load_points(db, &places->points, err);
}

/* Days of one site's calendar that a period consists of, where it does. */
static void find_days(struct kpi_site *site)
{
    site->from_day = kpi_bucket(site->zone, site->from_us, KPI_DAY);
    site->to_day = kpi_bucket(site->zone, site->to_us, KPI_DAY);
    site->whole = kpi_day_start(site->zone, site->from_day) == site->from_us &&
                  kpi_day_start(site->zone, site->to_day) == site->to_us;
}

int kpi_places_period(struct kpi_places *places, const struct okno_kpi_query *query,
                      struct okno_err *err)
{
    int32_t from_day = (int32_t)(query->from_us / OKNO_DAY_US);
    int32_t to_day = (int32_t)(query->to_us / OKNO_DAY_US);
    if (query->to_us <= query->from_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the period ends before it begins");
    if (query->local && (query->from_us % OKNO_DAY_US || query->to_us % OKNO_DAY_US))
        return okno_fail_field(err, OKNO_INVALID, "from", "a period of dates has no times of day");
    places->whole = true;
    places->from_us = places->sites.len && query->local ? INT64_MAX : query->from_us;
    places->to_us = places->sites.len && query->local ? INT64_MIN : query->to_us;
    for (size_t i = 0; i < places->sites.len; i++) {
        struct kpi_site *site = &places->sites.items[i];
        site->from_us = query->local ? kpi_day_start(site->zone, from_day) : query->from_us;
        site->to_us = query->local ? kpi_day_start(site->zone, to_day) : query->to_us;
        find_days(site);
        places->whole = places->whole && site->whole;
        places->from_us = site->from_us < places->from_us ? site->from_us : places->from_us;
        places->to_us = site->to_us > places->to_us ? site->to_us : places->to_us;
    }
    return 0;
}

void kpi_places_free(struct kpi_places *places)
{
    for (size_t i = 0; i < places->sites.len; i++)
        okno_zone_close(places->sites.items[i].zone);
    kpi_site_vec_free(&places->sites);
    kpi_dated_group_vec_free(&places->groups);
    kpi_point_vec_free(&places->points);
    kpi_zone_vec_free(&places->zones);
}

static int compare_site(const void *id, const void *site)
{
    return strcmp(id, ((const struct kpi_site *)site)->site);
}

static int compare_point(const void *id, const void *point)
{
    return strcmp(id, ((const struct kpi_point *)point)->point);
}

const struct kpi_site *kpi_places_site(const struct kpi_places *places, const char *site)
{
    return places->sites.len ? bsearch(site, places->sites.items, places->sites.len,
                                       sizeof(places->sites.items[0]), compare_site)
                             : NULL;
}

const struct kpi_site *kpi_places_site_of(const struct kpi_places *places, const char *point)
{
    const struct kpi_point *found = places->points.len
                                        ? bsearch(point, places->points.items, places->points.len,
                                                  sizeof(places->points.items[0]), compare_point)
                                        : NULL;
    return found ? kpi_places_site(places, found->site) : NULL;
}

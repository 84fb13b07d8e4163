/* The words that indicators are grouped by, and the places they come from. */
#include "kpi.h"

#include "okno/text.h"

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

static int load_sites(struct okno_db *db, struct kpi_site_vec *sites, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "kpi.sites", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct kpi_site site = {0};
        (void)snprintf(site.site, sizeof(site.site), "%s", okno_stmt_text(stmt, "site"));
        (void)snprintf(site.group, sizeof(site.group), "%s", okno_stmt_text(stmt, "site_group"));
        rc = okno_zone_open(okno_stmt_text(stmt, "time_zone"), &site.zone, err);
        if (rc == 0 && kpi_site_vec_push(sites, site) < 0) {
            okno_zone_close(site.zone);
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the sites");
        }
    }
    return rc;
}

static int load_points(struct okno_db *db, struct kpi_point_vec *points, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "kpi.points", &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct kpi_point point = {0};
        (void)snprintf(point.point, sizeof(point.point), "%s", okno_stmt_text(stmt, "point"));
        (void)snprintf(point.site, sizeof(point.site), "%s", okno_stmt_text(stmt, "site"));
        rc = kpi_point_vec_push(points, point) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the points")
                 : 0;
    }
    return rc;
}

int kpi_places_load(struct okno_db *db, struct kpi_places *places, struct okno_err *err)
{
    int rc = load_sites(db, &places->sites, err);
    return rc < 0 ? rc : load_points(db, &places->points, err);
}

void kpi_places_free(struct kpi_places *places)
{
    for (size_t i = 0; i < places->sites.len; i++)
        okno_zone_close(places->sites.items[i].zone);
    kpi_site_vec_free(&places->sites);
    kpi_point_vec_free(&places->points);
}

const struct kpi_site *kpi_places_site(const struct kpi_places *places, const char *site)
{
    for (size_t i = 0; i < places->sites.len; i++)
        if (strcmp(places->sites.items[i].site, site) == 0)
            return &places->sites.items[i];
    return NULL;
}

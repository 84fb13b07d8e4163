#include "days.h"

#include <stdio.h>
#include <string.h>

void days_free(struct days *days)
{
    for (size_t i = 0; i < days->sites.len; i++)
        okno_zone_close(days->sites.items[i].zone);
    day_sites_free(&days->sites);
}

static int open_site(struct okno_db *db, struct days *days, const char *site, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    struct day_site one = {.zone = NULL};
    (void)snprintf(one.site, sizeof(one.site), "%s", site);
    int rc = OKNO_DB_PREPARE(db, "audit.site_zone", &row, err, OKNO_TEXT("site", site));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 1)
        rc = okno_zone_open(okno_stmt_text(row, "time_zone"), &one.zone, err);
    if (rc < 0)
        return rc;
    days->last = days->sites.len;
    if (day_sites_push(&days->sites, one) == 0)
        return 0;
    okno_zone_close(one.zone);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the sites");
}

static bool find_site(struct days *days, const char *site)
{
    if (days->sites.len > 0 && strcmp(days->sites.items[days->last].site, site) == 0)
        return true;
    for (size_t i = 0; i < days->sites.len; i++) {
        if (strcmp(days->sites.items[i].site, site) == 0) {
            days->last = i;
            return true;
        }
    }
    return false;
}

int days_date(struct okno_db *db, struct days *days, const char *site, int64_t at_us,
              char ret_date[DAY_TEXT], struct okno_err *err)
{
    struct okno_civil civil;
    int rc = find_site(days, site) ? 0 : open_site(db, days, site, err);
    if (rc < 0)
        return rc;
    const struct okno_zone *zone = days->sites.items[days->last].zone;
    if (zone)
        okno_zone_to_local(zone, at_us, &civil);
    else
        okno_time_to_civil(at_us, &civil);
    (void)snprintf(ret_date, DAY_TEXT, "%04d-%02d-%02d", civil.year % 10000, civil.month % 100,
                   civil.day % 100);
    return 0;
}

/* Inside the audit room: dates of the calendars that sites live by. */
#ifndef OKNO_AUDIT_DAYS_H
#define OKNO_AUDIT_DAYS_H

#include "okno/db.h"
#include "okno/text.h"
#include "okno/vec.h"
#include "okno/zone.h"

enum { DAY_TEXT = 16 };

struct day_site {
    char site[OKNO_ID_TEXT];
    struct okno_zone *zone; /* owned; NULL: a site that nobody described, by UTC */
};
OKNO_VEC(day_sites, struct day_site);

struct days {
    struct day_sites sites;
    size_t last; /* found last */
};

void days_free(struct days *days);
#define AUTO_DAYS __attribute__((cleanup(days_free))) struct days

/* "2026-03-10", the date at a site at an instant. Returns a code; the zone is opened once. */
OKNO_CHECK int days_date(struct okno_db *db, struct days *days, const char *site, int64_t at_us,
                         char ret_date[DAY_TEXT], struct okno_err *err);

#endif

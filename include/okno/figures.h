/* Figures: raw, excluded and estimated indicators side by side, as one JSON model for the command
 * line, the API and reports. */
#ifndef OKNO_FIGURES_H
#define OKNO_FIGURES_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_UNDETERMINABLE_LIMIT 0.10

struct okno_figures_query {
    int64_t from_us, to_us;
    bool local;          /* these are midnights of dates of each site's calendar, as if in UTC */
    unsigned by;         /* bits of enum okno_group_by */
    const char *audit;   /* NULL: no estimates */
    double k;            /* silent correction coefficient, 0..1 */
    double fm_threshold; /* of the force-majeure gate */
    int64_t min_n;       /* fewer surveys than this: flag too_few */
    double undeterminable_limit; /* of the evidence gate: a share above it in an audit's sample, in
                                    total or at any site, leaves only worst-case bounds; 0: the
                                    default */
    /* Only groups of these; NULL: all. What names one is grouped by, too. A group without an
     * employee is one of `unassigned`. Comparisons are of all that was grouped. */
    const char *group, *site, *point, *employee, *question;
    const char *compare; /* NULL; `before`: with the period of the same length before; `site`: each
                            employee or point with the others at the site (by site and that) */
};

/* {"from", "to", "local", "k", "by", "audit", "at", "settings", "data", "evidence", "comparison",
 * "breaks", "groups": [...]} as promised for `okno kpi --json`; numbers are rounded to 9 decimals.
 * One view of the data; the same inputs give the same text. OKNO_NOT_FOUND for an unknown audit;
 * OKNO_INVALID for k outside 0..1 and for what cannot be compared. The caller drops *ret_json. */
OKNO_CHECK int okno_figures_json(struct okno_db *db, const struct okno_figures_query *query,
                                 int64_t now_us, json_t **ret_json, struct okno_err *err);

#endif

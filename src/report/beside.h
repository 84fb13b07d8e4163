/* What stands beside figures: how much of the evidence could be seen, where series break, and
 * whether groups differ from what they are compared with. Inside the report room. */
#ifndef OKNO_BESIDE_H
#define OKNO_BESIDE_H

#include "okno/figures.h"
#include "okno/kpi.h"

/* Share of undeterminable decisions in an audit's random sample, in total and at its worst site. */
struct beside_evidence {
    bool closed; /* above the limit: only bounds are given */
    double share, worst;
    int64_t reviewed, undeterminable;
    char site[65]; /* the worst */
};
OKNO_CHECK int beside_evidence(struct okno_db *db, const char *audit, double limit,
                               struct beside_evidence *ret_evidence, struct okno_err *err);
json_t *beside_evidence_json(const struct beside_evidence *evidence, double limit);

/* {"events", "verdicts", ...}: the data version. */
OKNO_CHECK int beside_version(struct okno_db *db, json_t **ret_json, struct okno_err *err);

/* {"employee": {id: name}, "question": {id: text}}: what groups are called; only what has a name.
 */
OKNO_CHECK int beside_names(struct okno_db *db, const struct okno_group_vec *groups,
                            json_t **ret_json, struct okno_err *err);

/* [{"at", "site", "point", "what", "was", "became"}] within a period; site and point are null where
 * it changed everywhere. */
OKNO_CHECK int beside_breaks(struct okno_db *db, int64_t from_us, int64_t to_us, json_t **ret_json,
                             struct okno_err *err);
/* Those that a group is about, as places in that list. */
json_t *beside_breaks_of(const json_t *breaks, const struct okno_kpi_group *group);

/* Differences of every group's three indices, [group][kind], NULL-filled where there is none. */
struct beside_comparison {
    struct okno_kpi_difference *differences; /* 3 a group */
    bool *there;
    size_t compared;
    const char *against; /* `before` or `site` */
    double level;
};
OKNO_CHECK int beside_compare(struct okno_db *db, const struct okno_figures_query *query,
                              const struct okno_group_vec *groups,
                              struct beside_comparison *comparison, struct okno_err *err);
void beside_comparison_free(struct beside_comparison *comparison);
/* One difference as JSON or null. */
json_t *beside_difference_json(const struct beside_comparison *comparison, size_t group,
                               enum okno_indicator indicator, int64_t min_n);

#endif

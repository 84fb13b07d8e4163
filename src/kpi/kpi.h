/* Inside the kpi room only. */
#ifndef OKNO_KPI_ROOM_H
#define OKNO_KPI_ROOM_H

#include "okno/kpi.h"
#include "okno/zone.h"

/* What gathering needs to know of each site and point, as it stands now. */
struct kpi_site {
    char site[65];
    char group[65];
    struct okno_zone *zone; /* owned */
};
OKNO_VEC(kpi_site_vec, struct kpi_site);

struct kpi_point {
    char point[65];
    char site[65];
};
OKNO_VEC(kpi_point_vec, struct kpi_point);

struct kpi_places {
    struct kpi_site_vec sites;
    struct kpi_point_vec points;
};

OKNO_CHECK int kpi_places_load(struct okno_db *db, struct kpi_places *places, struct okno_err *err);
void kpi_places_free(struct kpi_places *places);
#define KPI_AUTO_PLACES __attribute__((cleanup(kpi_places_free))) struct kpi_places

/* NULL when unknown. */
const struct kpi_site *kpi_places_site(const struct kpi_places *places, const char *site);

/* Fill transactions, visitors and served of each group from counts.csv. */
OKNO_CHECK int kpi_add_counts(struct okno_db *db, const struct okno_kpi_query *query,
                              const struct kpi_places *places, struct okno_group_vec *groups,
                              struct okno_err *err);

/* Position of a group word's bit in okno_kpi_group.value. */
int kpi_word_place(enum okno_group_by bit);

#endif

/* Transactions, visitors and served customers of each group, from the rows of counts.csv.
 * A site's row replaces its points' rows for that period. */
#include "kpi.h"

#include <string.h>

enum { ROWS_MAX = 100000 };
OKNO_VEC(count_row_vec, struct okno_count_row);

/* Sum of one scope; *ret_any tells whether any row touches the period. */
static int scope_count(struct okno_db *db, const char *scope, const char *id, const char *kind,
                       const struct okno_kpi_query *query, struct okno_kpi_count *ret_count,
                       bool *ret_any, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    OKNO_AUTO_VEC(count_row_vec) rows = {0};
    char name[96];
    (void)snprintf(name, sizeof(name), "%s:%s", scope, id);
    int rc = OKNO_DB_PREPARE(db, "kpi.counts", &stmt, err, OKNO_TEXT("scope", name),
                             OKNO_TEXT("kind", kind), OKNO_INT("from", query->from_us),
                             OKNO_INT("to", query->to_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_count_row row = {okno_stmt_int(stmt, "valid_from"),
                                     okno_stmt_int(stmt, "valid_to"), okno_stmt_int(stmt, "count")};
        rc = rows.len >= ROWS_MAX || count_row_vec_push(&rows, row) < 0
                 ? okno_fail(err, OKNO_TOO_LARGE, "more than %d counts of %s in the period",
                             ROWS_MAX, name)
                 : 0;
    }
    if (rc < 0)
        return rc;
    *ret_any = rows.len > 0;
    *ret_count = okno_kpi_tile(rows.items, rows.len, query->from_us, query->to_us);
    return 0;
}

static void add_part(struct okno_kpi_count *sum, const struct okno_kpi_count *part)
{
    if (!sum->null_reason)
        sum->null_reason = part->null_reason;
    sum->count += part->count;
}

static int site_count(struct okno_db *db, const struct kpi_places *places, const char *site,
                      const char *kind, const struct okno_kpi_query *query,
                      struct okno_kpi_count *ret_count, bool *ret_any, struct okno_err *err)
{
    struct okno_kpi_count sum = {0};
    bool any = false;
    int rc = scope_count(db, "site", site, kind, query, &sum, &any, err);
    if (rc < 0 || any) {
        *ret_any = any;
        *ret_count = sum;
        return rc;
    }
    sum = (struct okno_kpi_count){0};
    for (size_t i = 0; rc == 0 && i < places->points.len; i++) {
        struct okno_kpi_count part = {0};
        bool some = false;
        if (strcmp(places->points.items[i].site, site) != 0)
            continue;
        rc =
            scope_count(db, "point", places->points.items[i].point, kind, query, &part, &some, err);
        add_part(&sum, &part);
        any = any || some;
    }
    *ret_any = any;
    *ret_count = sum;
    return rc;
}

static int total_count(struct okno_db *db, const struct kpi_places *places, const char *group,
                       const char *kind, const struct okno_kpi_query *query,
                       struct okno_kpi_count *ret_count, bool *ret_any, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < places->sites.len; i++) {
        struct okno_kpi_count part = {0};
        bool some = false;
        if (group && strcmp(places->sites.items[i].group, group) != 0)
            continue;
        rc = site_count(db, places, places->sites.items[i].site, kind, query, &part, &some, err);
        add_part(ret_count, &part);
        *ret_any = *ret_any || some;
    }
    return rc;
}

/* The narrowest scope that the group names. Groups by question or by a part of the period have no
 * counts of their own. */
static int group_count(struct okno_db *db, const struct kpi_places *places,
                       const struct okno_kpi_group *group, const char *kind,
                       const struct okno_kpi_query *query, struct okno_kpi_count *ret_count,
                       struct okno_err *err)
{
    const unsigned finer =
        OKNO_BY_QUESTION | OKNO_BY_HOUR | OKNO_BY_DAY | OKNO_BY_WEEK | OKNO_BY_MONTH;
    const char *employee = okno_group_value(group, OKNO_BY_EMPLOYEE);
    const char *point = okno_group_value(group, OKNO_BY_POINT);
    const char *site = okno_group_value(group, OKNO_BY_SITE);
    struct okno_kpi_count count = {0};
    bool any = false;
    int rc = 0;
    if (query->by & finer)
        count.null_reason = "counts_incomplete";
    else if (employee)
        rc = scope_count(db, "employee", employee, kind, query, &count, &any, err);
    else if (point)
        rc = scope_count(db, "point", point, kind, query, &count, &any, err);
    else if (site)
        rc = site_count(db, places, site, kind, query, &count, &any, err);
    else
        rc = total_count(db, places, okno_group_value(group, OKNO_BY_GROUP), kind, query, &count,
                         &any, err);
    if (rc < 0)
        return rc;
    /* No row at all is a count of nothing: the indicator names what is missing. */
    if (!any && !(query->by & finer))
        count = (struct okno_kpi_count){0};
    *ret_count = count;
    return 0;
}

int kpi_add_counts(struct okno_db *db, const struct okno_kpi_query *query,
                   const struct kpi_places *places, struct okno_group_vec *groups,
                   struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < groups->len; i++) {
        struct okno_kpi_group *g = &groups->items[i];
        rc = group_count(db, places, g, "transactions", query, &g->sums.transactions, err);
        if (rc == 0)
            rc = group_count(db, places, g, "visitors", query, &g->sums.visitors, err);
        if (rc == 0)
            rc = group_count(db, places, g, "served", query, &g->sums.served, err);
    }
    return rc;
}

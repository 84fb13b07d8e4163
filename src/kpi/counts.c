/* Transactions, visitors and served customers of each group, from the rows of counts and from
 * single transactions where no row covers. A site's row replaces its points' rows for its time. */
#include "kpi.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 2000000 };

enum count_kind { TRANSACTIONS, VISITORS, SERVED };
static const char *const kind_names[] = {"transactions", "visitors", "served"};

struct row {
    char scope[80]; /* site:ID, point:ID, employee:ID */
    enum count_kind kind;
    struct okno_count_row count;
    unsigned source;
    int64_t corrections;
};
OKNO_VEC(row_vec, struct row);

struct span {
    int64_t from_us, to_us;
};
OKNO_VEC(span_vec, struct span);

struct counting {
    struct okno_db *db;
    const struct kpi_places *places;
    const struct okno_kpi_query *query;
    struct row_vec rows; /* by scope, kind, beginning, end */
    bool any_single;     /* single transactions are there at all */
    enum count_kind kind;
};

/* ---- sources ---- */

static const char *const source_names[] = {"till", "counter", "sensor", "manual", "single"};
enum { SINGLE = 4 };

const char *okno_kpi_source_name(size_t place)
{
    return place < OKNO_COUNT(source_names) ? source_names[place] : NULL;
}

static unsigned source_bit(const char *name)
{
    for (unsigned i = 0; i < OKNO_COUNT(source_names); i++)
        if (strcmp(source_names[i], name) == 0)
            return 1U << i;
    return 0;
}

/* ---- rows ---- */

static int load_rows(struct counting *c, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(c->db, "kpi.counts", &stmt, err, OKNO_INT("from", c->places->from_us),
                             OKNO_INT("to", c->places->to_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *kind = okno_stmt_text(stmt, "kind");
        struct row row = {.count = {okno_stmt_int(stmt, "valid_from"),
                                    okno_stmt_int(stmt, "valid_to"), okno_stmt_int(stmt, "count")},
                          .kind = kind[0] == 't'   ? TRANSACTIONS
                                  : kind[0] == 'v' ? VISITORS
                                                   : SERVED,
                          .source = source_bit(okno_stmt_text(stmt, "source")),
                          .corrections = okno_stmt_int(stmt, "corrections")};
        okno_stmt_copy(stmt, "scope", row.scope, sizeof(row.scope));
        if (c->rows.len >= ROWS_MAX)
            return okno_fail(err, OKNO_TOO_LARGE, "more than %d counts: ask for a shorter period",
                             ROWS_MAX);
        rc = row_vec_push(&c->rows, row) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the counts")
                 : 0;
    }
    return rc;
}

static int compare_row(const struct row *row, const char *scope, enum count_kind kind)
{
    int order = strcmp(row->scope, scope);
    return order ? order : strcmp(kind_names[row->kind], kind_names[kind]);
}

/* The first row of a scope, or where it would stand. */
static size_t find_rows(const struct counting *c, const char *scope)
{
    size_t low = 0;
    size_t high = c->rows.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_row(&c->rows.items[middle], scope, c->kind) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- one scope ---- */

struct cover {
    struct okno_kpi_count count;
    bool any;             /* a row or a single transaction is there */
    struct span_vec gaps; /* parts of the asked time that no row covers */
};

static int push_gap(struct cover *cover, int64_t from_us, int64_t to_us, struct okno_err *err)
{
    if (from_us >= to_us)
        return 0;
    return span_vec_push(&cover->gaps, (struct span){from_us, to_us}) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the counts")
               : 0;
}

static void refuse(struct okno_kpi_count *count, const char *reason)
{
    if (!count->null_reason)
        count->null_reason = reason;
}

/* Rows that lie within the time, one after another; what they leave is gaps. */
static int cover_scope(const struct counting *c, const char *scope, const char *id,
                       const struct span *time, struct cover *cover, struct okno_err *err)
{
    char name[80];
    int64_t at = time->from_us;
    int rc = 0;
    (void)snprintf(name, sizeof(name), "%s:%s", scope, id);
    for (size_t i = find_rows(c, name);
         rc == 0 && i < c->rows.len && compare_row(&c->rows.items[i], name, c->kind) == 0; i++) {
        const struct row *row = &c->rows.items[i];
        if (row->count.to_us <= time->from_us || row->count.from_us >= time->to_us)
            continue;
        cover->any = true;
        if (row->count.from_us < time->from_us || row->count.to_us > time->to_us)
            refuse(&cover->count, "count_crosses_period");
        else if (row->count.from_us < at)
            refuse(&cover->count, "counts_incomplete");
        rc = push_gap(cover, at, row->count.from_us, err);
        at = row->count.to_us > at ? row->count.to_us : at;
        cover->count.count += row->count.count;
        cover->count.sources |= row->source;
        cover->count.corrections += row->corrections;
    }
    return rc < 0 ? rc : push_gap(cover, at, time->to_us, err);
}

static void cover_free(struct cover *cover)
{
    span_vec_free(&cover->gaps);
}
#define AUTO_COVER __attribute__((cleanup(cover_free))) struct cover

/* Single transactions of a point and an employee, either NULL for any. */
static int count_single(const struct counting *c, const char *point, const char *employee,
                        const struct span *time, int64_t *ret_count, struct okno_err *err)
{
    return OKNO_DB_INT(c->db, point ? "kpi.transactions_point" : "kpi.transactions_employee", 0,
                       ret_count, err, OKNO_TEXT("point", point), OKNO_TEXT("employee", employee),
                       OKNO_INT("from", time->from_us), OKNO_INT("to", time->to_us));
}

/* Gaps filled from single transactions, where there is any in the whole time: a scope that reports
 * them has none in a gap without. */
static int fill_single(const struct counting *c, const char *point, const char *employee,
                       const struct span *time, struct cover *cover, struct okno_err *err)
{
    int64_t all = 0;
    int rc = 0;
    if (cover->gaps.len == 0)
        return 0;
    if (c->kind == TRANSACTIONS && c->any_single)
        rc = count_single(c, point, employee, time, &all, err);
    if (rc < 0)
        return rc;
    if (all == 0) {
        refuse(&cover->count, "counts_incomplete");
        return 0;
    }
    cover->any = true;
    cover->count.sources |= 1U << SINGLE;
    for (size_t i = 0; rc == 0 && i < cover->gaps.len; i++) {
        int64_t part = 0;
        rc = count_single(c, point, employee, &cover->gaps.items[i], &part, err);
        cover->count.count += part;
    }
    return rc;
}

static void add_part(struct okno_kpi_count *sum, bool *any, const struct cover *part)
{
    if (part->count.null_reason)
        refuse(sum, part->count.null_reason);
    sum->count += part->count.count;
    sum->sources |= part->count.sources;
    sum->corrections += part->count.corrections;
    *any = *any || part->any;
}

static int point_count(const struct counting *c, const char *point, const struct span *time,
                       struct okno_kpi_count *sum, bool *any, struct okno_err *err)
{
    AUTO_COVER cover = {0};
    int rc = cover_scope(c, "point", point, time, &cover, err);
    if (rc == 0)
        rc = fill_single(c, point, NULL, time, &cover, err);
    if (rc == 0)
        add_part(sum, any, &cover);
    return rc;
}

/* What the site's own rows leave is counted point by point. */
static int site_count(const struct counting *c, const char *site, const struct span *time,
                      struct okno_kpi_count *sum, bool *any, struct okno_err *err)
{
    AUTO_COVER cover = {0};
    size_t points = 0;
    int rc = cover_scope(c, "site", site, time, &cover, err);
    for (size_t i = 0; rc == 0 && i < c->places->points.len; i++) {
        const struct kpi_point *point = &c->places->points.items[i];
        if (strcmp(point->site, site) != 0)
            continue;
        points++;
        for (size_t gap = 0; rc == 0 && gap < cover.gaps.len; gap++)
            rc = point_count(c, point->point, &cover.gaps.items[gap], sum, any, err);
    }
    if (points == 0 && cover.gaps.len > 0)
        refuse(&cover.count, "counts_incomplete");
    if (rc == 0)
        add_part(sum, any, &cover);
    return rc;
}

/* An employee's rows cover all places where the employee worked: they are no count of one of them.
 */
static int employee_count(const struct counting *c, const struct okno_kpi_group *group,
                          const struct span *time, struct okno_kpi_count *sum, bool *any,
                          struct okno_err *err)
{
    AUTO_COVER cover = {0};
    const char *employee = okno_group_value(group, OKNO_BY_EMPLOYEE);
    const char *point = okno_group_value(group, OKNO_BY_POINT);
    const char *site = okno_group_value(group, OKNO_BY_SITE);
    int64_t elsewhere = 0;
    int rc = cover_scope(c, "employee", employee, time, &cover, err);
    if (rc == 0 && cover.any && (point || site))
        rc = OKNO_DB_INT(c->db, "kpi.works_elsewhere", 0, &elsewhere, err,
                         OKNO_TEXT("employee", employee), OKNO_TEXT("point", point),
                         OKNO_TEXT("site", site), OKNO_INT("from", time->from_us),
                         OKNO_INT("to", time->to_us));
    if (elsewhere)
        refuse(&cover.count, "counts_incomplete");
    if (rc == 0)
        rc = fill_single(c, point, employee, time, &cover, err);
    if (rc == 0)
        add_part(sum, any, &cover);
    return rc;
}

/* ---- the time of a group at a site ---- */

/* YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH as groups print them; returns how many numbers there were.
 */
static int read_civil(const char *text, struct okno_civil *c)
{
    int *const fields[] = {&c->year, &c->month, &c->day, &c->hour};
    int count = 0;
    for (; count < 4; count++) {
        char *end = NULL;
        long number = strtol(text, &end, 10);
        if (end == text)
            break;
        *fields[count] = (int)number;
        text = *end ? end + 1 : end;
    }
    return count;
}

static int hour_span(const struct okno_zone *zone, const char *text, struct span *ret_span)
{
    struct okno_civil c = {0};
    int64_t us[2];
    int count = 0;
    if (read_civil(text, &c) != 4)
        return -1;
    okno_zone_to_utc(zone, &c, us, &count);
    if (count == 0)
        return -1;
    *ret_span = (struct span){us[0], us[count - 1] + INT64_C(3600) * OKNO_SECOND_US};
    return 0;
}

static int32_t day_of(const char *text)
{
    struct okno_civil c = {.day = 1};
    (void)read_civil(text, &c);
    return (int32_t)(okno_time_from_civil(&c) / OKNO_DAY_US);
}

static void narrow(struct span *span, int64_t from_us, int64_t to_us)
{
    span->from_us = from_us > span->from_us ? from_us : span->from_us;
    span->to_us = to_us < span->to_us ? to_us : span->to_us;
}

/* The asked period within the group's pieces of the site's calendar. */
static struct span time_of(const struct okno_kpi_group *group, const struct kpi_site *site)
{
    struct span time = {site->from_us, site->to_us};
    const char *hour = okno_group_value(group, OKNO_BY_HOUR);
    const char *day = okno_group_value(group, OKNO_BY_DAY);
    const char *week = okno_group_value(group, OKNO_BY_WEEK);
    const char *month = okno_group_value(group, OKNO_BY_MONTH);
    struct span one;
    if (hour && hour_span(site->zone, hour, &one) == 0)
        narrow(&time, one.from_us, one.to_us);
    if (day)
        narrow(&time, kpi_day_start(site->zone, day_of(day)),
               kpi_day_start(site->zone, day_of(day) + 1));
    if (week)
        narrow(&time, kpi_day_start(site->zone, day_of(week)),
               kpi_day_start(site->zone, day_of(week) + 7));
    if (month)
        narrow(&time, kpi_day_start(site->zone, day_of(month)),
               kpi_day_start(site->zone, kpi_bucket_of_day(day_of(month) + 31, KPI_MONTH)));
    return time;
}

/* ---- groups ---- */

/* What a site counted on the days on which it was in a group. */
static int member_count(const struct counting *c, const struct kpi_site *site, const char *group,
                        struct span time, struct okno_kpi_count *sum, bool *any,
                        struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && time.from_us < time.to_us) {
        int32_t day = kpi_bucket(site->zone, time.from_us, KPI_DAY);
        const char *now = kpi_group_on(c->places, site, day);
        struct span part = {time.from_us, time.to_us};
        for (size_t i = site->group_count; i-- > 0;) { /* until the next other group */
            const struct kpi_dated_group *next = &c->places->groups.items[site->first_group + i];
            if (next->from_day > day && strcmp(next->group, now) != 0)
                narrow(&part, part.from_us, kpi_day_start(site->zone, next->from_day));
        }
        if (strcmp(now, group) == 0)
            rc = site_count(c, site->site, &part, sum, any, err);
        time.from_us = part.to_us;
    }
    return rc;
}

static int sites_count(const struct counting *c, const struct okno_kpi_group *group,
                       struct okno_kpi_count *sum, bool *any, struct okno_err *err)
{
    const char *site_group = okno_group_value(group, OKNO_BY_GROUP);
    const char *only = okno_group_value(group, OKNO_BY_SITE);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < c->places->sites.len; i++) {
        const struct kpi_site *site = &c->places->sites.items[i];
        const struct span time = time_of(group, site);
        if (only && strcmp(site->site, only) != 0)
            continue;
        rc = site_group ? member_count(c, site, site_group, time, sum, any, err)
                        : site_count(c, site->site, &time, sum, any, err);
    }
    return rc;
}

/* The calendar of a group: its site's, its point's, else the first there is. */
static const struct kpi_site *calendar_of(const struct counting *c,
                                          const struct okno_kpi_group *group)
{
    const char *point = okno_group_value(group, OKNO_BY_POINT);
    const char *site = okno_group_value(group, OKNO_BY_SITE);
    if (site)
        return kpi_places_site(c->places, site);
    if (point)
        return kpi_places_site_of(c->places, point);
    return c->places->sites.len ? &c->places->sites.items[0] : NULL;
}

static int group_count(const struct counting *c, const struct okno_kpi_group *group,
                       struct okno_kpi_count *ret_count, struct okno_err *err)
{
    struct okno_kpi_count sum = {0};
    bool any = false;
    int rc = 0;
    const struct kpi_site *site = calendar_of(c, group);
    const char *point = okno_group_value(group, OKNO_BY_POINT);
    if (!site || (c->rows.len == 0 && !c->any_single)) {
        *ret_count = sum; /* no row at all: the indicator names what is missing */
        return 0;
    }
    const struct span time = time_of(group, site);
    if (okno_group_value(group, OKNO_BY_QUESTION))
        refuse(&sum, "counts_incomplete"); /* nobody counts customers by question */
    else if (okno_group_value(group, OKNO_BY_EMPLOYEE))
        rc = employee_count(c, group, &time, &sum, &any, err);
    else if (point)
        rc = point_count(c, point, &time, &sum, &any, err);
    else
        rc = sites_count(c, group, &sum, &any, err);
    if (rc < 0)
        return rc;
    if (!any && !okno_group_value(group, OKNO_BY_QUESTION))
        sum = (struct okno_kpi_count){0};
    *ret_count = sum;
    return 0;
}

/* One time for the group, where all calendars that it may follow agree. */
static void set_time(const struct counting *c, struct okno_kpi_group *group)
{
    const struct kpi_site *site = calendar_of(c, group);
    bool one = okno_group_value(group, OKNO_BY_SITE) || okno_group_value(group, OKNO_BY_POINT);
    if (!site) {
        group->from_us = c->query->from_us;
        group->to_us = c->query->to_us;
        return;
    }
    const struct span time = time_of(group, site);
    for (size_t i = 0; !one && i < c->places->sites.len; i++) {
        const struct span other = time_of(group, &c->places->sites.items[i]);
        if (other.from_us != time.from_us || other.to_us != time.to_us)
            return;
    }
    group->from_us = time.from_us;
    group->to_us = time.to_us;
}

int kpi_add_counts(struct okno_db *db, const struct okno_kpi_query *query,
                   const struct kpi_places *places, struct okno_group_vec *groups,
                   struct okno_err *err)
{
    struct counting c = {.db = db, .places = places, .query = query};
    int64_t single = 0;
    int rc = load_rows(&c, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "kpi.any_transaction", 0, &single, err,
                         OKNO_INT("from", places->from_us), OKNO_INT("to", places->to_us));
    c.any_single = single != 0;
    for (size_t i = 0; rc == 0 && i < groups->len; i++) {
        struct okno_kpi_group *g = &groups->items[i];
        set_time(&c, g);
        struct okno_kpi_count *const to[] = {&g->sums.transactions, &g->sums.visitors,
                                             &g->sums.served};
        for (size_t kind = 0; rc == 0 && kind < OKNO_COUNT(to); kind++) {
            c.kind = (enum count_kind)kind;
            rc = group_count(&c, g, to[kind], err);
        }
    }
    row_vec_free(&c.rows);
    return rc;
}

#define _POSIX_C_SOURCE 200809L
/* The figures in a bundle, counted from its rows alone. */
#include "bundle.h"

#include "okno/mem.h"

#include <math.h>
#include <string.h>

OKNO_VEC(tallies, struct okno_audit_tally);

/* Some rows in the order of their cells: a cell's follow each other. */
struct span {
    struct frame_row *const *rows;
    size_t count;
};

static int order_of_cells(const struct frame_row *x, const struct frame_row *y)
{
    int order = x->stratum == y->stratum ? 0 : strcmp(x->stratum, y->stratum);
    if (order == 0 && x->class_name != y->class_name)
        order = okno_class_find(x->class_name) - okno_class_find(y->class_name);
    return order ? order : (int)x->force_majeure - (int)y->force_majeure;
}

static int by_cell(const void *a, const void *b)
{
    return order_of_cells(*(struct frame_row *const *)a, *(struct frame_row *const *)b);
}

static int by_site(const void *a, const void *b)
{
    const struct frame_row *x = *(struct frame_row *const *)a;
    const struct frame_row *y = *(struct frame_row *const *)b;
    int order = x->site == y->site ? 0 : strcmp(x->site, y->site);
    return order ? order : order_of_cells(x, y);
}

static struct okno_audit_tally *add_cell(struct tallies *cells, const struct frame_row *row)
{
    struct okno_audit_tally cell = {.class = (enum okno_class)okno_class_find(row->class_name),
                                    .force_majeure = row->force_majeure};
    (void)snprintf(cell.stratum, sizeof(cell.stratum), "%s", row->stratum);
    return tallies_push(cells, cell) < 0 ? NULL : &cells->items[cells->len - 1];
}

static void count_row(const struct frame_row *row, struct okno_audit_tally *cell)
{
    int64_t draws = row->draws;
    bool not_asked = row->ruling == RULING_NOT_ASKED;
    cell->frame++;
    cell->valid +=
        row->ruling == RULING_VALID || row->ruling == RULING_FALSE_FM || not_asked ? draws : 0;
    cell->not_asked += not_asked ? draws : 0;
    cell->false_fm += row->ruling == RULING_FALSE_FM ? draws : 0;
    cell->invalid += row->ruling == RULING_INVALID ? draws : 0;
    cell->undeterminable += row->ruling == RULING_UNDETERMINABLE ? draws : 0;
}

static int count_cells(struct span span, const char *kind, struct tallies *cells,
                       struct okno_err *err)
{
    const struct frame_row *before = NULL;
    struct okno_audit_tally *cell = NULL;
    for (size_t i = 0; i < span.count; i++) {
        const struct frame_row *row = span.rows[i];
        if (*kind && strcmp(kind, row->kind) != 0)
            continue;
        if (!before || order_of_cells(before, row) != 0)
            cell = add_cell(cells, row);
        if (!cell)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the cells");
        if (cells->len > OKNO_CELLS_MAX)
            return okno_fail(err, OKNO_TOO_LARGE, "more than %d cells", OKNO_CELLS_MAX);
        count_row(row, cell);
        before = row;
    }
    return 0;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

static json_t *figure_json(const struct contents *contents, const struct okno_audit_figure *f)
{
    const struct okno_estimate *e = &f->estimate;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:[o, o], s:o, s:o, s:[o, o], s:o*, s:o*, s:I, s:I, s:I, s:I}",
        "null_reason", okno_json_text(e->null_reason), "value", number(e->value), "low",
        number(e->low), "high", number(e->high), "se", number(e->se), "band", number(f->band[0]),
        number(f->band[1]), "all_valid", number(e->all_valid), "all_invalid",
        number(e->all_invalid), "worst", number(e->worst_low), number(e->worst_high),
        "without_silent", isfinite(e->without_silent) ? number(e->without_silent) : NULL,
        "too_wide", contents->rules.max_half_width > 0 ? json_boolean(f->too_wide) : NULL, "frame",
        (json_int_t)f->counts.frame, "valid", (json_int_t)f->counts.valid, "invalid",
        (json_int_t)f->counts.invalid, "undeterminable", (json_int_t)f->counts.undeterminable);
}

/* The share never asked, of a frame of visits; NULL of another. */
static int asked_json(const struct contents *contents, struct span span, json_t **ret_json,
                      struct okno_err *err)
{
    OKNO_AUTO_VEC(tallies) cells = {0};
    struct okno_audit_figure figure;
    *ret_json = NULL;
    if (!okno_frame_is_visits(contents->rules.frame))
        return 0;
    int rc = count_cells(span, "", &cells, err);
    if (rc == 0)
        rc = okno_audit_tally_asked(cells.items, cells.len, &contents->rules, &figure, err);
    if (rc < 0)
        return rc;
    const struct okno_asked_counts s = okno_audit_asked_counts(cells.items, cells.len);
    json_t *json = figure_json(contents, &figure);
    okno_autojson json_t *counts = json_pack(
        "{s:I, s:I, s:I, s:I, s:I}", "asked", (json_int_t)s.asked, "not_asked",
        (json_int_t)s.not_asked, "no_customer", (json_int_t)s.no_customer, "survey_not_asked",
        (json_int_t)s.survey_not_asked, "asked_no_survey", (json_int_t)s.asked_no_survey);
    if (!json || !counts || json_object_update(json, counts) < 0) {
        json_decref(json);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    }
    *ret_json = json;
    return 0;
}

static int group_json(const struct contents *contents, const char *site, struct span span,
                      json_t *groups, struct okno_err *err)
{
    okno_autojson json_t *indicators = json_object();
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        enum okno_indicator indicator = (enum okno_indicator)i;
        const char *kind = okno_audit_kind(indicator, contents->rules.frame);
        OKNO_AUTO_VEC(tallies) cells = {0};
        struct okno_audit_figure figure;
        if (!kind)
            continue;
        int rc = count_cells(span, kind, &cells, err);
        if (rc == 0)
            rc = okno_audit_tally_estimate(indicator, cells.items, cells.len, &contents->rules,
                                           &figure, err);
        if (rc < 0)
            return rc;
        (void)json_object_set_new(indicators, okno_indicator_id(indicator),
                                  figure_json(contents, &figure));
    }
    json_t *asked = NULL;
    int rc = asked_json(contents, span, &asked, err);
    if (rc < 0)
        return rc;
    json_t *group = json_pack("{s:o, s:O, s:o*}", "site", okno_json_text(site), "indicators",
                              indicators, "never_asked", asked);
    if (json_array_append_new(groups, group) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    return 0;
}

static int share_json(const struct contents *contents, struct span span, json_t **ret_json,
                      struct okno_err *err)
{
    OKNO_AUTO_VEC(tallies) cells = {0};
    struct okno_invalid_share share;
    int rc = count_cells(span, "", &cells, err);
    if (rc == 0)
        rc = okno_audit_tally_invalid(cells.items, cells.len, &contents->rules, &share, err);
    if (rc == 0)
        *ret_json = okno_audit_invalid_json(&share);
    return rc;
}

/* All rows in the order of their cells, and once more those of each site. */
struct orders {
    struct frame_row **cells, **sites;
    size_t count;
};

static struct frame_row **make_order(const struct frame_rows *frame,
                                     int (*compare)(const void *, const void *))
{
    struct frame_row **rows = calloc(frame->len ? frame->len : 1, sizeof(*rows));
    for (size_t i = 0; rows && i < frame->len; i++)
        rows[i] = &frame->items[i];
    if (rows)
        qsort(rows, frame->len, sizeof(struct frame_row *), compare);
    return rows;
}

static int orders_make(const struct contents *contents, struct orders *orders, struct okno_err *err)
{
    orders->count = contents->frame.len;
    orders->cells = make_order(&contents->frame, by_cell);
    orders->sites = make_order(&contents->frame, by_site);
    return orders->cells && orders->sites
               ? 0
               : okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
}

static void orders_free(struct orders *orders)
{
    free(orders->cells);
    free(orders->sites);
}

#define AUTO_ORDERS __attribute__((cleanup(orders_free))) struct orders

static size_t site_end(const struct orders *orders, size_t from)
{
    size_t to = from + 1;
    while (to < orders->count && strcmp(orders->sites[to]->site, orders->sites[from]->site) == 0)
        to++;
    return to;
}

static int groups_json(const struct contents *contents, const struct orders *orders, json_t *groups,
                       struct okno_err *err)
{
    struct span all = {orders->cells, orders->count};
    int rc = group_json(contents, NULL, all, groups, err);
    for (size_t from = 0; rc == 0 && from < orders->count;) {
        size_t to = site_end(orders, from);
        struct span span = {orders->sites + from, to - from};
        rc = group_json(contents, orders->sites[from]->site, span, groups, err);
        from = to;
    }
    return rc;
}

int contents_kpi(struct contents *contents, const char *audit, json_t **ret_kpi,
                 struct okno_err *err)
{
    okno_autojson json_t *groups = json_array();
    okno_autojson json_t *before = json_array();
    json_t *share = NULL;
    AUTO_ORDERS orders = {0};
    int rc = orders_make(contents, &orders, err);
    if (rc == 0)
        rc = contents_rule(contents, false, err);
    if (rc == 0 && contents->appealed)
        rc = groups_json(contents, &orders, before, err);
    if (rc == 0)
        rc = contents_rule(contents, true, err);
    if (rc == 0)
        rc = groups_json(contents, &orders, groups, err);
    if (rc == 0)
        rc = share_json(contents, (struct span){orders.cells, orders.count}, &share, err);
    if (rc < 0)
        return rc;
    *ret_kpi = json_pack("{s:s, s:o, s:o, s:i, s:o, s:O, s:O*}", "audit", audit, "k",
                         number(contents->rules.k), "level", number(contents->rules.level), "looks",
                         contents->rules.looks, "invalid_share", share, "groups", groups,
                         "before_appeals", contents->appealed ? before : NULL);
    return *ret_kpi ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
}

#include "okno/figures.h"

#include "okno/audit.h"
#include "okno/double.h"
#include "okno/kpi.h"
#include "okno/time.h"

#include "beside.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Figures are printed with 9 decimals, so that the same inputs give the same text. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

static json_t *number_or_null(double value, bool there)
{
    return there ? number(value) : json_null();
}

static json_t *flags_json(const struct okno_kpi_figure *figure, int64_t n, int64_t min_n)
{
    json_t *flags = json_array();
    for (size_t i = 0; i < OKNO_KPI_FLAGS_MAX && figure->flags[i]; i++)
        json_array_append_new(flags, json_string(figure->flags[i]));
    if (!figure->null_reason && n < min_n)
        json_array_append_new(flags, json_string("too_few"));
    return flags;
}

static json_t *tally_json(const struct okno_tally *t)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "yes", (json_int_t)t->yes, "no",
                     (json_int_t)t->no, "unsure", (json_int_t)t->unsure, "silent",
                     (json_int_t)t->silent, "n",
                     (json_int_t)(t->yes + t->no + t->unsure + t->silent));
}

static json_t *figure_json(const struct okno_kpi_figure *f, int64_t n, int64_t min_n,
                           json_t *estimated)
{
    bool there = f->null_reason == NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "raw",
                     number_or_null(f->value[OKNO_RAW], there), "excluded",
                     number_or_null(f->value[OKNO_EXCLUDED], there), "band",
                     there ? json_pack("[o, o]", number(f->band[0]), number(f->band[1]))
                           : json_null(),
                     "with_fm", number_or_null(f->with_fm, f->has_with_fm), "estimated", estimated,
                     "counts", tally_json(&f->counts), "null_reason",
                     okno_json_text(f->null_reason), "flags", flags_json(f, n, min_n));
}

/* All kinds together, as the group's headline. */
static struct okno_tally all_kinds(const struct okno_kpi_sums *sums, enum okno_figure_set set)
{
    struct okno_tally all = {0};
    for (int kind = 0; kind < OKNO_KIND_COUNT; kind++) {
        const struct okno_tally *t = &sums->set[set].kind[kind];
        all.yes += t->yes;
        all.no += t->no;
        all.unsure += t->unsure;
        all.silent += t->silent;
    }
    return all;
}

static json_t *counts_json(const struct okno_kpi_sums *sums)
{
    struct okno_tally all = all_kinds(sums, OKNO_EXCLUDED);
    json_t *counts = tally_json(&all);
    json_object_set_new(counts, "raw_n", json_integer(sums->set[OKNO_RAW].surveys));
    json_object_set_new(counts, "fm", json_integer(sums->set[OKNO_EXCLUDED].situations));
    json_object_set_new(counts, "undeterminable", json_integer(sums->undeterminable));
    json_object_set_new(counts, "reviewed", json_integer(sums->reviewed));
    return counts;
}

/* What customers were counted with: the number or why there is none, where it comes from, how many
 * of its rows were corrected. */
static json_t *customers_json(const struct okno_kpi_count *count)
{
    json_t *sources = json_array();
    bool any = count->sources != 0;
    for (size_t i = 0; okno_kpi_source_name(i); i++)
        if (count->sources & (1U << i))
            (void)json_array_append_new(sources, json_string(okno_kpi_source_name(i)));
    return json_pack("{s:o, s:o, s:o, s:I}", "count",
                     any && !count->null_reason ? json_integer(count->count) : json_null(),
                     "null_reason",
                     okno_json_text(count->null_reason ? count->null_reason
                                    : any              ? NULL
                                                       : "no_counts"),
                     "sources", sources, "corrections", (json_int_t)count->corrections);
}

static json_t *all_customers_json(const struct okno_kpi_sums *sums)
{
    return json_pack("{s:o, s:o, s:o}", "transactions", customers_json(&sums->transactions),
                     "visitors", customers_json(&sums->visitors), "served",
                     customers_json(&sums->served));
}

static json_t *names_json(const struct okno_kpi_group *group)
{
    json_t *names = json_object();
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++)
        if (group->value[i])
            json_object_set_new(names, okno_group_word(i), json_string(group->value[i]));
    return names;
}

static json_t *excluded_json(const struct okno_reason_vec *excluded)
{
    json_t *reasons = json_object();
    for (size_t i = 0; i < excluded->len; i++)
        json_object_set_new(reasons, excluded->items[i].reason,
                            json_integer(excluded->items[i].count));
    return reasons;
}

/* Everything that the figures of a query's groups are made with. */
struct making {
    struct okno_db *db;
    const struct okno_figures_query *query;
    struct beside_evidence evidence;
    struct beside_comparison comparison;
    json_t *breaks;               /* owned */
    struct okno_audit_cube *cube; /* of the audit's frame; owned, NULL for none */
};

/* Where too much could not be decided only the bounds are given. */
static json_t *estimate_json(const struct okno_audit_figure *figure, bool bounds_only)
{
    const struct okno_estimate *e = &figure->estimate;
    json_t *bounds =
        json_pack("{s:o, s:o, s:[o, o]}", "all_valid", number(e->all_valid), "all_invalid",
                  number(e->all_invalid), "worst", number(e->worst_low), number(e->worst_high));
    if (isfinite(e->without_silent) && !bounds_only)
        (void)json_object_set_new(bounds, "without_silent", number(e->without_silent));
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:[o, o], s:o, s:I, s:I}", "value", number(e->value),
                  "low", number(e->low), "high", number(e->high), "se", number(e->se), "level",
                  number(e->level), "band", number(figure->band[0]), number(figure->band[1]),
                  "bounds", bounds, "frame", (json_int_t)figure->counts.frame, "reviewed",
                  (json_int_t)(figure->counts.valid + figure->counts.invalid +
                               figure->counts.undeterminable));
    static const char *const hidden[] = {"value", "low", "high", "se", "band"};
    for (size_t i = 0; bounds_only && i < OKNO_COUNT(hidden); i++)
        (void)json_object_set_new(json, hidden[i], json_null());
    return json;
}

/* A sample of spontaneous ratings tells how many are genuine; the index is per customer served. */
static void per_served(const struct okno_kpi_count *served, struct okno_audit_figure *figure)
{
    struct okno_estimate *e = &figure->estimate;
    double *const parts[] = {&e->value,        &e->low,         &e->high,      &e->se,
                             &e->all_valid,    &e->all_invalid, &e->worst_low, &e->worst_high,
                             &figure->band[0], &figure->band[1]};
    if (served->null_reason || served->count <= 0) {
        e->null_reason = served->null_reason ? served->null_reason : "no_served_count";
        return;
    }
    for (size_t i = 0; i < OKNO_COUNT(parts); i++)
        *parts[i] /= (double)served->count;
}

/* The estimate of one indicator for one group, or null and why. A frozen frame knows no groups of
 * sites, and no calendar where the group's sites have different ones. */
static int estimated(const struct making *m, const struct okno_kpi_group *group,
                     enum okno_indicator indicator, json_t **ret_json, const char **ret_null_reason,
                     bool *ret_too_wide, struct okno_err *err)
{
    const struct okno_figures_query *query = m->query;
    struct okno_audit_figure figure = {0};
    const struct okno_audit_domain domain = {.site = okno_group_value(group, OKNO_BY_SITE),
                                             .point = okno_group_value(group, OKNO_BY_POINT),
                                             .employee = okno_group_value(group, OKNO_BY_EMPLOYEE),
                                             .question = okno_group_value(group, OKNO_BY_QUESTION),
                                             .from_us = group->from_us,
                                             .to_us = group->to_us};
    *ret_json = NULL;
    *ret_too_wide = false;
    *ret_null_reason = query->audit ? "not_estimated" : "no_audit";
    if (!query->audit || (query->by & OKNO_BY_GROUP) || group->from_us >= group->to_us)
        return 0;
    int rc = okno_audit_cube_estimate(m->db, query->audit, m->cube, indicator, &domain, query->k,
                                      &figure, err);
    if (rc < 0)
        return rc;
    bool spontaneous = indicator == OKNO_SUPPORT_INDEX || indicator == OKNO_CRITICALITY_INDEX;
    if (!figure.estimate.null_reason && spontaneous)
        per_served(&group->sums.served, &figure);
    *ret_null_reason = figure.estimate.null_reason;
    if (!figure.estimate.null_reason) {
        *ret_json = estimate_json(&figure, m->evidence.closed);
        *ret_null_reason = m->evidence.closed ? "undeterminable_above_limit" : NULL;
        *ret_too_wide = figure.too_wide && !m->evidence.closed;
    }
    return 0;
}

/* An index is of its own kind's surveys, everything else of all. */
static int64_t n_of(const struct okno_kpi_group *group, const struct okno_kpi_figure *figure,
                    enum okno_indicator indicator)
{
    const struct okno_tally *t = &figure->counts;
    bool index =
        indicator == OKNO_INK_PERSONNEL || indicator == OKNO_INK_OFFICE || indicator == OKNO_IEL;
    return index ? t->yes + t->no + t->unsure + t->silent : group->sums.set[OKNO_EXCLUDED].surveys;
}

static int indicator_json(const struct making *m, const struct okno_group_vec *groups, size_t place,
                          const struct okno_kpi_figure *figure, enum okno_indicator indicator,
                          json_t **ret_json, struct okno_err *err)
{
    const struct okno_kpi_group *group = &groups->items[place];
    int64_t min_n = m->query->min_n;
    json_t *estimate = NULL;
    const char *reason = NULL;
    bool too_wide = false;
    int rc = estimated(m, group, indicator, &estimate, &reason, &too_wide, err);
    if (rc < 0)
        return rc;
    json_t *json = figure_json(figure, n_of(group, figure, indicator), min_n,
                               estimate ? estimate : json_null());
    (void)json_object_set_new(json, "estimated_null_reason", okno_json_text(reason));
    if (too_wide)
        (void)json_array_append_new(json_object_get(json, "flags"), json_string("too_wide"));
    if (m->query->compare)
        (void)json_object_set_new(json, "difference",
                                  beside_difference_json(&m->comparison, place, indicator, min_n));
    if (indicator == OKNO_EXACT_CONVERSION && group->cherry_picking) {
        (void)json_array_append_new(json_object_get(json, "flags"), json_string("cherry_picking"));
        (void)json_object_set_new(json, "site_median", number(group->site_conversion));
    }
    *ret_json = json;
    return 0;
}

static int group_json(const struct making *m, const struct okno_group_vec *all, size_t place,
                      json_t *groups, struct okno_err *err)
{
    const struct okno_kpi_group *group = &all->items[place];
    const struct okno_figures_query *query = m->query;
    struct okno_kpi_figure figures[OKNO_INDICATOR_COUNT];
    okno_autojson json_t *indicators = json_object();
    okno_kpi_figures(&group->sums, query->k, figures);
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        json_t *json = NULL;
        int rc = indicator_json(m, all, place, &figures[i], (enum okno_indicator)i, &json, err);
        if (rc < 0)
            return rc;
        if (json_object_set_new(indicators, okno_indicator_id((enum okno_indicator)i), json) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    }
    bool one_time = group->from_us < group->to_us;
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:O}", "group", names_json(group), "k",
        number(query->k), "counts", counts_json(&group->sums), "customers",
        all_customers_json(&group->sums), "excluded", excluded_json(&group->excluded), "breaks",
        beside_breaks_of(m->breaks, group), "fm_gate",
        okno_kpi_fm_gate(&figures[OKNO_FM_LEVEL], query->fm_threshold), "evidence_gate",
        okno_json_text(!query->audit        ? NULL
                       : m->evidence.closed ? "worst_case_only"
                                            : "evaluable"),
        "from", one_time ? okno_json_time(group->from_us) : json_null(), "to",
        one_time ? okno_json_time(group->to_us) : json_null(), "indicators", indicators);
    if (json_array_append_new(groups, json) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    return 0;
}

static json_t *by_json(unsigned by)
{
    json_t *words = json_array();
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++)
        if (by & (1U << i))
            json_array_append_new(words, json_string(okno_group_word(i)));
    return words;
}

static json_t *moment_json(int64_t us, bool local)
{
    struct okno_civil c;
    char text[40];
    if (!local)
        return okno_json_time(us);
    okno_time_to_civil(us, &c);
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", c.year, c.month, c.day);
    return json_string(text);
}

/* The limit of undeterminable decisions: the audit's plan says it, before anybody knew how many
 * there would be; else who asks, else the default. OKNO_NOT_FOUND for an audit that is none. */
static int set_limit(struct okno_db *db, struct okno_figures_query *query, struct okno_err *err)
{
    double planned = 0;
    int rc = query->audit ? okno_audit_limit(db, query->audit, &planned, err) : 0;
    if (rc == 0 && planned > 0)
        query->undeterminable_limit = planned;
    if (!(query->undeterminable_limit > 0))
        query->undeterminable_limit = OKNO_UNDETERMINABLE_LIMIT;
    return rc;
}

/* Breaks are looked for in all calendars of the period. */
static int prepare(struct making *m, const struct okno_group_vec *groups, struct okno_err *err)
{
    const struct okno_figures_query *query = m->query;
    int64_t slack_us = query->local ? OKNO_DAY_US : 0;
    int rc =
        beside_breaks(m->db, query->from_us - slack_us, query->to_us + slack_us, &m->breaks, err);
    if (rc == 0 && query->audit)
        rc = beside_evidence(m->db, query->audit, query->undeterminable_limit, &m->evidence, err);
    if (rc == 0 && query->audit && !(query->by & OKNO_BY_GROUP))
        rc = okno_audit_cube_open(m->db, query->audit, query->by, &m->cube, err);
    if (rc == 0 && query->compare)
        rc = beside_compare(m->db, query, groups, &m->comparison, err);
    return rc;
}

static const struct {
    enum okno_group_by bit;
    size_t place; /* of its text in struct okno_figures_query */
} scopes[] = {{OKNO_BY_GROUP, offsetof(struct okno_figures_query, group)},
              {OKNO_BY_SITE, offsetof(struct okno_figures_query, site)},
              {OKNO_BY_POINT, offsetof(struct okno_figures_query, point)},
              {OKNO_BY_EMPLOYEE, offsetof(struct okno_figures_query, employee)},
              {OKNO_BY_QUESTION, offsetof(struct okno_figures_query, question)}};

static const char *scope_of(const struct okno_figures_query *query, size_t i)
{
    return *(const char *const *)((const char *)query + scopes[i].place);
}

static unsigned scope_words(const struct okno_figures_query *query)
{
    unsigned words = 0;
    for (size_t i = 0; i < OKNO_COUNT(scopes); i++)
        words |= scope_of(query, i) ? (unsigned)scopes[i].bit : 0;
    return words;
}

static bool is_asked(const struct okno_figures_query *query, const struct okno_kpi_group *group)
{
    for (size_t i = 0; i < OKNO_COUNT(scopes); i++) {
        const char *wanted = scope_of(query, i);
        const char *own = okno_group_value(group, scopes[i].bit);
        if (wanted && strcmp(wanted, own ? own : "") != 0)
            return false;
    }
    return true;
}

static int whole_json(const struct making *m, const struct okno_group_vec *groups, int64_t now_us,
                      json_t **ret_json, struct okno_err *err)
{
    const struct okno_figures_query *query = m->query;
    okno_autojson json_t *list = json_array();
    okno_autojson json_t *version = NULL;
    okno_autojson json_t *names = NULL;
    okno_autojson json_t *agreement = json_null();
    int rc = beside_version(m->db, &version, err);
    if (rc == 0)
        rc = beside_names(m->db, groups, &names, err);
    if (rc == 0 && query->audit)
        rc = okno_audit_agreement(m->db, query->audit, &agreement, err);
    for (size_t i = 0; rc == 0 && i < groups->len; i++)
        if (is_asked(query, &groups->items[i]))
            rc = group_json(m, groups, i, list, err);
    if (rc < 0)
        return rc;
    json_t *json =
        json_pack("{s:O, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:O, s:O, s:o, s:o, s:O, s:O}",
                  "agreement", agreement, "from", moment_json(query->from_us, query->local), "to",
                  moment_json(query->to_us, query->local), "local", query->local, "k",
                  number(query->k), "by", by_json(query->by), "audit", okno_json_text(query->audit),
                  "at", okno_json_time(now_us), "settings",
                  json_pack("{s:o, s:o, s:I}", "fm_threshold", number(query->fm_threshold),
                            "undeterminable_limit", number(query->undeterminable_limit), "min_n",
                            (json_int_t)query->min_n),
                  "data", version, "names", names, "evidence",
                  query->audit ? beside_evidence_json(&m->evidence, query->undeterminable_limit)
                               : json_null(),
                  "comparison",
                  query->compare ? json_pack("{s:s, s:s, s:o, s:I}", "against", query->compare,
                                             "method", "Holm; intervals Bonferroni", "level",
                                             number(m->comparison.level), "compared",
                                             (json_int_t)m->comparison.compared)
                                 : json_null(),
                  "breaks", m->breaks, "groups", list);
    if (!json)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    *ret_json = json;
    return 0;
}

int okno_figures_json(struct okno_db *db, const struct okno_figures_query *asked, int64_t now_us,
                      json_t **ret_json, struct okno_err *err)
{
    struct okno_group_vec groups = {0};
    struct okno_figures_query set = *asked;
    const struct okno_figures_query *query = &set;
    struct making m = {.db = db, .query = query};
    bool began = false;
    set.by |= scope_words(asked);
    const struct okno_kpi_query gather = {
        .from_us = query->from_us, .to_us = query->to_us, .by = query->by, .local = query->local};
    if (!(query->k >= 0 && query->k <= 1))
        return okno_fail_field(err, OKNO_INVALID, "k", "k must be from 0 to 1, not %g", query->k);
    okno_kpi_prepare(db);
    int rc = okno_db_read_begin(db, &began, err);
    if (rc == 0)
        rc = set_limit(db, &set, err);
    if (rc == 0)
        rc = okno_kpi_gather(db, &gather, &groups, err);
    if (rc == 0)
        rc = prepare(&m, &groups, err);
    if (rc == 0)
        rc = whole_json(&m, &groups, now_us, ret_json, err);
    okno_db_read_end(db, began);
    okno_kpi_groups_free(&groups);
    beside_comparison_free(&m.comparison);
    json_decref(m.breaks);
    okno_audit_cube_free(m.cube);
    return rc;
}

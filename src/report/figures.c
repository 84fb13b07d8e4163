#include "okno/figures.h"

#include "okno/audit.h"
#include "okno/kpi.h"
#include "okno/time.h"

#include <math.h>

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
    return counts;
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

/* Groups that the frozen frame can be cut into; a site group or a part of the calendar cannot yet.
 */
static const unsigned cut_by = OKNO_BY_SITE | OKNO_BY_POINT | OKNO_BY_EMPLOYEE | OKNO_BY_QUESTION;

static json_t *estimate_json(const struct okno_audit_figure *figure)
{
    const struct okno_estimate *e = &figure->estimate;
    json_t *bounds =
        json_pack("{s:o, s:o, s:[o, o]}", "all_valid", number(e->all_valid), "all_invalid",
                  number(e->all_invalid), "worst", number(e->worst_low), number(e->worst_high));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:[o, o], s:o, s:I, s:I}", "value",
                     number(e->value), "low", number(e->low), "high", number(e->high), "se",
                     number(e->se), "level", number(e->level), "band", number(figure->band[0]),
                     number(figure->band[1]), "bounds", bounds, "frame",
                     (json_int_t)figure->counts.frame, "reviewed",
                     (json_int_t)(figure->counts.valid + figure->counts.invalid +
                                  figure->counts.undeterminable));
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

/* The estimate of one indicator for one group, or null and why. */
static int estimated(struct okno_db *db, const struct okno_figures_query *query,
                     const struct okno_kpi_group *group, enum okno_indicator indicator,
                     json_t **ret_json, const char **ret_null_reason, struct okno_err *err)
{
    struct okno_audit_figure figure = {0};
    const struct okno_audit_domain domain = {.site = okno_group_value(group, OKNO_BY_SITE),
                                             .point = okno_group_value(group, OKNO_BY_POINT),
                                             .employee = okno_group_value(group, OKNO_BY_EMPLOYEE),
                                             .question = okno_group_value(group, OKNO_BY_QUESTION),
                                             .from_us = query->from_us,
                                             .to_us = query->to_us};
    *ret_json = NULL;
    *ret_null_reason = query->audit ? "not_estimated" : "no_audit";
    if (!query->audit || (query->by & ~cut_by))
        return 0;
    int rc = okno_audit_estimate(db, query->audit, indicator, &domain, query->k, &figure, err);
    if (rc < 0)
        return rc;
    bool spontaneous = indicator == OKNO_SUPPORT_INDEX || indicator == OKNO_CRITICALITY_INDEX;
    if (!figure.estimate.null_reason && spontaneous)
        per_served(&group->sums.served, &figure);
    *ret_null_reason = figure.estimate.null_reason;
    if (!figure.estimate.null_reason)
        *ret_json = estimate_json(&figure);
    return 0;
}

static int group_json(struct okno_db *db, const struct okno_figures_query *query,
                      const struct okno_kpi_group *group, json_t *groups, struct okno_err *err)
{
    struct okno_kpi_figure figures[OKNO_INDICATOR_COUNT];
    okno_autojson json_t *indicators = json_object();
    okno_kpi_figures(&group->sums, query->k, figures);
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        enum okno_indicator indicator = (enum okno_indicator)i;
        json_t *estimate = NULL;
        const char *reason = NULL;
        int rc = estimated(db, query, group, indicator, &estimate, &reason, err);
        if (rc < 0)
            return rc;
        json_t *json = figure_json(&figures[i], group->sums.set[OKNO_EXCLUDED].surveys,
                                   query->min_n, estimate ? estimate : json_null());
        (void)json_object_set_new(json, "estimated_null_reason", okno_json_text(reason));
        if (json_object_set_new(indicators, okno_indicator_id(indicator), json) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    }
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:s, s:O}", "group", names_json(group), "k", number(query->k),
        "counts", counts_json(&group->sums), "excluded", excluded_json(&group->excluded), "fm_gate",
        okno_kpi_fm_gate(&figures[OKNO_FM_LEVEL], query->fm_threshold), "indicators", indicators);
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

int okno_figures_json(struct okno_db *db, const struct okno_figures_query *query, int64_t now_us,
                      json_t **ret_json, struct okno_err *err)
{
    struct okno_group_vec groups = {0};
    okno_autojson json_t *list = json_array();
    const struct okno_kpi_query gather = {
        .from_us = query->from_us, .to_us = query->to_us, .by = query->by, .local = query->local};
    if (!(query->k >= 0 && query->k <= 1))
        return okno_fail_field(err, OKNO_INVALID, "k", "k is a number from 0 to 1");
    int rc = okno_kpi_gather(db, &gather, &groups, err);
    for (size_t i = 0; rc == 0 && i < groups.len; i++)
        rc = group_json(db, query, &groups.items[i], list, err);
    okno_kpi_groups_free(&groups);
    if (rc < 0)
        return rc;
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:O}", "from", okno_json_time(query->from_us), "to",
        okno_json_time(query->to_us), "k", number(query->k), "by", by_json(query->by), "audit",
        okno_json_text(query->audit), "at", okno_json_time(now_us), "groups", list);
    if (!json)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    *ret_json = json;
    return 0;
}

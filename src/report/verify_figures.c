#define _POSIX_C_SOURCE 200809L
/* The figures of a bundle against what its decisions give, and the report against both. */
#include "verify.h"

#include "okno/mem.h"
#include "okno/text.h"

#include <math.h>
#include <string.h>

/* The same but for the last digit of numbers, which may differ between machines. */
static bool alike(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return fabs(json_number_value(a) - json_number_value(b)) <= 2e-9;
    if (json_is_object(a) && json_is_object(b)) {
        const char *key;
        json_t *value;
        if (json_object_size(a) != json_object_size(b))
            return false;
        json_object_foreach((json_t *)(uintptr_t)a, key, value)
        {
            if (!alike(value, json_object_get(b, key)))
                return false;
        }
        return true;
    }
    if (json_is_array(a) && json_is_array(b)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!alike(json_array_get(a, i), json_array_get(b, i)))
                return false;
        return true;
    }
    return a && b && json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b);
}

static const char *const figure_names[] = {"value", "low", "high", "se"};

static double figure_number(const json_t *figure, size_t i)
{
    return json_number_value(json_object_get(figure, figure_names[i]));
}

/* Ratings are counted in the bundle and shown per customer served: one whole number, which is not
 * in the bundle, lies between all of them. None is shown where it is not known. */
static bool same_per_served(const json_t *figure, const json_t *shown)
{
    double served = 0;
    if (json_is_null(shown))
        return true;
    for (size_t i = 0; served == 0 && i < OKNO_COUNT(figure_names); i++)
        if (figure_number(shown, i) != 0)
            served = round(figure_number(figure, i) / figure_number(shown, i));
    for (size_t i = 0; i < OKNO_COUNT(figure_names); i++)
        if (fabs(figure_number(figure, i) - served * figure_number(shown, i)) > (served + 1) * 2e-9)
            return false;
    return true;
}

static bool alike_or_none(const json_t *a, const json_t *b)
{
    return a && b ? alike(a, b) : a == b;
}

static bool same_figure(const json_t *figure, const json_t *shown, bool per_served)
{
    if (!json_is_null(json_object_get(figure, "null_reason")))
        return json_is_null(shown);
    if (per_served)
        return same_per_served(figure, shown);
    for (size_t i = 0; i < OKNO_COUNT(figure_names); i++)
        if (!alike(json_object_get(figure, figure_names[i]),
                   json_object_get(shown, figure_names[i])))
            return false;
    return alike_or_none(json_object_get(figure, "without_silent"),
                         json_object_get(json_object_get(shown, "bounds"), "without_silent"));
}

/* Above the limit of undeterminable decisions a report gives nothing but the bounds. */
static bool only_bounds(const json_t *figure, const json_t *shown, bool per_served)
{
    if (per_served && json_is_null(shown)) /* nobody counted the customers */
        return true;
    return json_is_null(json_object_get(shown, "value")) &&
           json_is_null(json_object_get(shown, "low")) &&
           json_is_null(json_object_get(shown, "high")) &&
           (per_served || alike(json_object_get(figure, "worst"),
                                json_object_get(json_object_get(shown, "bounds"), "worst")));
}

/* In all, and of each site, in the same order. */
static bool same_asked(const json_t *report, const json_t *kpi)
{
    static const char *const names[] = {"value",
                                        "low",
                                        "high",
                                        "se",
                                        "worst",
                                        "frame",
                                        "asked",
                                        "not_asked",
                                        "no_customer",
                                        "undeterminable",
                                        "survey_not_asked",
                                        "asked_no_survey"};
    const json_t *shown = json_object_get(report, "asked");
    const json_t *groups = json_object_get(kpi, "groups");
    const json_t *first = json_object_get(json_array_get(groups, 0), "never_asked");
    size_t count = first ? json_array_size(groups) : 0;
    if (json_array_size(shown) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < OKNO_COUNT(names); k++)
            if (!alike(json_object_get(json_object_get(json_array_get(groups, i), "never_asked"),
                                       names[k]),
                       json_object_get(json_array_get(shown, i), names[k])))
                return false;
    return true;
}

/* The report's estimates were made from the database: they must be those made from the bundle. */
static int check_report(struct check *check, const json_t *kpi, struct okno_err *err)
{
    okno_autojson json_t *report = NULL;
    int rc = verify_json(check, "data/report.json", &report, err);
    if (rc < 0)
        return rc;
    const json_t *total =
        json_array_get(json_object_get(json_object_get(report, "total"), "groups"), 0);
    const json_t *made =
        json_object_get(json_array_get(json_object_get(kpi, "groups"), 0), "indicators");
    const char *state = json_string_value(
        json_object_get(json_object_get(json_object_get(report, "total"), "evidence"), "state"));
    bool gated = state && strcmp(state, "worst_case_only") == 0;
    if (!alike(json_object_get(json_object_get(report, "findings"), "invalid_share"),
               json_object_get(kpi, "invalid_share")))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/report.json: the share of invalid ratings is not what the decisions "
                         "give");
    if (!same_asked(report, kpi))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/report.json: the share never asked is not what the decisions give");
    const char *id;
    json_t *figure;
    json_object_foreach((json_t *)(uintptr_t)made, id, figure)
    {
        const json_t *shown =
            json_object_get(json_object_get(json_object_get(total, "indicators"), id), "estimated");
        bool none = !json_is_null(json_object_get(figure, "null_reason"));
        if (gated && !none
                ? !only_bounds(figure, shown, check->contents.rules.frame == OKNO_FRAME_SPONTANEOUS)
                : !same_figure(figure, shown,
                               check->contents.rules.frame == OKNO_FRAME_SPONTANEOUS))
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "data/report.json: the estimate of %s is not what the decisions give",
                             id);
    }
    return 0;
}

static int check_counts(const struct check *check, struct okno_err *err)
{
    int64_t count[RULING_UNDETERMINABLE + 1] = {0};
    const json_t *end = verify_detail(check, CLOSE);
    for (size_t i = 0; i < check->contents.frame.len; i++)
        if (check->contents.frame.items[i].draws > 0)
            count[check->contents.frame.items[i].ruling]++;
    if (count[RULING_NONE] > 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "data/decisions.csv: %lld %s no decision",
                         (long long)count[RULING_NONE],
                         okno_text_form(count[RULING_NONE], "survey of the sample has",
                                        "surveys of the sample have"));
    if (count[RULING_VALID] + count[RULING_FALSE_FM] + count[RULING_NOT_ASKED] !=
            json_integer_value(json_object_get(end, "valid")) ||
        count[RULING_INVALID] != json_integer_value(json_object_get(end, "invalid")))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/decisions.csv: entry %lld of the log closes with other counts",
                         (long long)check->place[CLOSE]);
    return 0;
}

int verify_figures(struct check *check, struct okno_err *err)
{
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    okno_autojson json_t *kpi = NULL;
    okno_autojson json_t *shown = NULL;
    okno_autojson json_t *agreement = NULL;
    okno_autojson json_t *agreed = NULL;
    int rc = check_counts(check, err);
    if (rc == 0)
        rc = contents_check_doubles(&check->contents, err);
    if (rc == 0)
        rc = contents_kpi(&check->contents, check->facts.audit, &kpi, err);
    if (rc == 0)
        rc = contents_exclusions(&check->contents, &csv, err);
    if (rc == 0)
        rc = verify_text(check, "data/exclusions.csv", &csv, err);
    if (rc == 0)
        rc = contents_agreement(&check->contents, &agreement, err);
    if (rc == 0)
        rc = verify_json(check, "data/agreement.json", &agreed, err);
    if (rc == 0 && !alike(agreement, agreed))
        rc = verify_wrong(err, "data/agreement.json: it is not what the decisions give");
    if (rc == 0)
        rc = verify_json(check, "data/kpi.json", &shown, err);
    if (rc == 0 && !alike(kpi, shown))
        rc = verify_wrong(err, "data/kpi.json: its figures are not what the decisions give");
    if (rc == 0)
        rc = check_report(check, kpi, err);
    return rc == 0 ? verify_report(check, err) : rc;
}

#define _POSIX_C_SOURCE 200809L
/* What became of a closed period's figures, and why. */
#include "pay.h"

#include "okno/published.h"
#include "okno/time.h"

#include <math.h>
#include <string.h>

enum { CAUSES_MAX = 50 }; /* of one employee: the rest are counted */

/* Up to where changes are settled. */
struct settled {
    struct okno_past past;
    int64_t closed_us;
};

static int load_settled(struct okno_db *db, int64_t period, int64_t before,
                        struct settled *ret_settled, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "period.settled", &row, err, OKNO_INT("period", period),
                             OKNO_INT("before", before));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0)
        return rc < 0 ? rc
                      : okno_fail(err, OKNO_NOT_FOUND, "there is no pay period %lld",
                                  (long long)period);
    ret_settled->closed_us = okno_stmt_int(row, "closed_at");
    return okno_past_parse(okno_stmt_text(row, "data"), &ret_settled->past, err);
}

/* {employee: essence} as it was settled last: the statement, or what the newest closing carried. */
static int settled_essences(struct okno_db *db, int64_t period, json_t *essences,
                            struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "period.statements", &rows, err, OKNO_INT("period", period));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        OKNO_AUTO_STMT *newer = NULL;
        const char *employee = okno_stmt_text(rows, "employee");
        rc = OKNO_DB_PREPARE(db, "period.became", &newer, err, OKNO_INT("period", period),
                             OKNO_TEXT("employee", employee));
        int found = rc == 0 ? okno_stmt_step(newer, err) : rc;
        if (found < 0)
            return found;
        okno_autojson json_t *json = json_loads(
            okno_stmt_text(found ? newer : rows, found ? "became" : "statement"), 0, NULL);
        json_t *essence = found ? json_incref(json) : pay_essence(json);
        rc = json_object_set_new(essences, employee, essence) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the statements")
                 : 0;
    }
    return rc;
}

/* Someone who had no statement may have an adjustment carried already. */
static int carried_essence(struct okno_db *db, int64_t period, const char *employee,
                           json_t **ret_essence, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "period.became", &row, err, OKNO_INT("period", period),
                             OKNO_TEXT("employee", employee));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    json_t *essence =
        rc == 1 ? json_loads(okno_stmt_text(row, "became"), 0, NULL) : pay_essence(NULL);
    *ret_essence = essence;
    return essence ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the statements");
}

/* Numbers may come from a text with 15 digits. */
static bool same_number(const json_t *a, const json_t *b)
{
    if (!json_is_number(a) || !json_is_number(b))
        return json_is_number(a) == json_is_number(b);
    return fabs(json_number_value(a) - json_number_value(b)) < 5e-10;
}

static json_t *minus(const json_t *now, const json_t *was)
{
    if (!json_is_number(now) || !json_is_number(was))
        return json_null();
    double value = json_number_value(now) - json_number_value(was);
    return json_real(round(value * 1e9) / 1e9);
}

/* What differs, as now - was; empty where nothing does. */
static json_t *difference(const json_t *was, const json_t *now)
{
    json_t *result = json_object();
    const json_t *was_counts = json_object_get(was, "counts");
    const json_t *now_counts = json_object_get(now, "counts");
    const json_t *counted = json_object_size(now_counts) ? now_counts : was_counts;
    const json_t *indicators = json_object_get(now, "indicators");
    const json_t *before = json_object_get(was, "indicators");
    const json_t *named = json_object_size(indicators) ? indicators : before;
    const char *name;
    json_t *ignored;
    json_object_foreach((json_t *)(uintptr_t)counted, name, ignored)
    {
        json_int_t change = json_integer_value(json_object_get(now_counts, name)) -
                            json_integer_value(json_object_get(was_counts, name));
        if (change != 0)
            (void)json_object_set_new(result, name, json_integer(change));
    }
    json_object_foreach((json_t *)(uintptr_t)named, name, ignored)
    {
        const json_t *a = json_object_get(json_object_get(before, name), "excluded");
        const json_t *b = json_object_get(json_object_get(indicators, name), "excluded");
        if (!same_number(a, b))
            (void)json_object_set_new(result, name, minus(b, a));
    }
    return result;
}

/* ---- causes ---- */

static int prepare_causes(struct okno_db *db, const struct pay *pay, const struct settled *settled,
                          struct okno_stmt **ret_rows, struct okno_err *err)
{
    const int64_t *newest = settled->past.newest;
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    return OKNO_DB_PREPARE(db, "period.causes", ret_rows, err, OKNO_INT("from", pay->from_us),
                           OKNO_INT("to", pay->to_us), OKNO_TEXT("site", pay_or_null(pay->site)),
                           OKNO_TEXT("from_text", okno_time_format(pay->from_us, from)),
                           OKNO_TEXT("to_text", okno_time_format(pay->to_us, to)),
                           OKNO_INT("closed_at", settled->closed_us),
                           OKNO_INT("verdicts", newest[OKNO_PAST_verdicts]),
                           OKNO_INT("voids", newest[OKNO_PAST_voids]),
                           OKNO_INT("attributions", newest[OKNO_PAST_attributions]),
                           OKNO_INT("counts", newest[OKNO_PAST_counts]),
                           OKNO_INT("transactions", newest[OKNO_PAST_transactions]),
                           OKNO_INT("shifts", newest[OKNO_PAST_shifts]));
}

static bool is_known(const json_t *causes, const char *cause, const char *survey)
{
    size_t i;
    const json_t *one;
    json_array_foreach(causes, i, one)
    {
        const char *other = json_string_value(json_object_get(one, "survey"));
        if (strcmp(json_string_value(json_object_get(one, "cause")), cause) == 0 &&
            strcmp(other ? other : "", survey ? survey : "") == 0)
            return true;
    }
    return false;
}

/* All causes once: {"": [...] for everybody, employee: [...]}. */
static int load_causes(struct okno_db *db, const struct pay *pay, const struct settled *settled,
                       json_t *causes, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = prepare_causes(db, pay, settled, &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        const char *employee = okno_stmt_text(rows, "employee");
        const char *cause = okno_stmt_text(rows, "cause");
        const char *survey = okno_stmt_text(rows, "survey");
        json_t *list = json_object_get(causes, employee ? employee : "");
        rc = 0;
        if (!list) {
            list = json_array();
            (void)json_object_set_new(causes, employee ? employee : "", list);
        }
        if (json_array_size(list) >= CAUSES_MAX || is_known(list, cause, survey))
            continue;
        json_t *one = json_pack("{s:s, s:o, s:o}", "cause", cause, "survey", okno_json_text(survey),
                                "at", okno_json_time(okno_stmt_int(rows, "at")));
        if (json_array_append_new(list, one) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the causes");
    }
    return rc;
}

/* An appeal that changed nothing is told, too: what waited for it does not any more. */
static json_t *causes_of(const json_t *causes, const char *employee, bool settled)
{
    json_t *list = json_array();
    (void)json_array_extend(list, json_object_get(causes, employee));
    (void)json_array_extend(list, json_object_get(causes, ""));
    if (settled && json_array_size(list) == 0)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:n, s:n}", "cause", "appeal", "survey", "at"));
    if (json_array_size(list) == 0)
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:n, s:n}", "cause", "other", "survey", "at"));
    return list;
}

/* ---- together ---- */

struct comparison {
    struct okno_db *db;
    const struct pay *pay;
    const json_t *was, *now, *causes;
    const json_t *settled; /* employees whose appeals are all decided since */
};

static int compare_one(const struct comparison *c, const char *employee, json_t *list,
                       struct okno_err *err)
{
    okno_autojson json_t *was = json_incref(json_object_get(c->was, employee));
    okno_autojson json_t *now = pay_essence(json_object_get(c->now, employee));
    int rc = was ? 0 : carried_essence(c->db, c->pay->period, employee, &was, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *change = difference(was, now);
    bool settled = json_object_get(c->settled, employee) != NULL;
    if (json_object_size(change) == 0 && !settled)
        return 0;
    json_t *one = json_pack("{s:s, s:I, s:O, s:O, s:O, s:o}", "employee", employee, "of_period",
                            (json_int_t)c->pay->period, "was", was, "now", now, "difference",
                            change, "causes", causes_of(c->causes, employee, settled));
    if (settled)
        (void)json_object_set_new(one, "appeal_settled", json_true());
    return json_array_append_new(list, one) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the adjustments")
               : 0;
}

static int compare_all(const struct comparison *c, json_t *list, struct okno_err *err)
{
    okno_autojson json_t *everybody = json_copy((json_t *)(uintptr_t)c->was);
    const char *employee;
    json_t *ignored;
    int rc = 0;
    (void)json_object_update_missing(everybody, (json_t *)(uintptr_t)c->now);
    size_t count = json_object_size(everybody);
    okno_autofree const char **names = calloc(count + 1, sizeof(*names));
    if (!names)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the employees");
    size_t at = 0;
    json_object_foreach(everybody, employee, ignored) names[at++] = employee;
    for (size_t i = 1; i < count; i++) /* few, and nearly in order */
        for (size_t j = i; j > 0 && strcmp(names[j - 1], names[j]) > 0; j--) {
            const char *name = names[j];
            names[j] = names[j - 1];
            names[j - 1] = name;
        }
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = compare_one(c, names[i], list, err);
    return rc;
}

static int load_settled_appeals(struct okno_db *db, int64_t period, json_t *employees,
                                struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "period.appeals_settled", &rows, err, OKNO_INT("period", period));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = json_object_set_new(employees, okno_stmt_text(rows, "employee"), json_true()) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the employees")
                 : 0;
    return rc;
}

int pay_changes(struct okno_db *db, struct okno_db *figures, int64_t period, int64_t before,
                int64_t at_us, json_t *list, struct okno_err *err)
{
    struct pay pay;
    struct settled settled = {0};
    okno_autojson json_t *was = json_object();
    okno_autojson json_t *now = NULL;
    okno_autojson json_t *causes = json_object();
    okno_autojson json_t *appeals = json_object();
    int rc = pay_load(db, period, &pay, err);
    if (rc == 0)
        rc = load_settled(db, period, before, &settled, err);
    if (rc == 0)
        rc = settled_essences(db, period, was, err);
    if (rc == 0)
        rc = pay_groups(figures, &pay, at_us, &now, err);
    if (rc == 0)
        rc = load_causes(db, &pay, &settled, causes, err);
    if (rc == 0)
        rc = load_settled_appeals(db, period, appeals, err);
    if (rc < 0)
        return rc;
    const struct comparison c = {db, &pay, was, now, causes, appeals};
    return compare_all(&c, list, err);
}

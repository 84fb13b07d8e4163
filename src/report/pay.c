#define _POSIX_C_SOURCE 200809L
/* The documents of a pay period: figures in, statements and snapshot out. */
#include "pay.h"

#include "okno/kpi.h"
#include "okno/published.h"
#include "okno/time.h"

#include <string.h>

void pay_hash(const char *text, char ret_sha256[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(text, strlen(text), digest);
    (void)okno_hash_hex(digest, ret_sha256);
}

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- figures by employee ---- */

static int add_served(struct okno_db *db, const struct pay *pay, json_t *groups,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "period.employees", &stmt, err, OKNO_INT("from", pay->from_us),
                             OKNO_INT("to", pay->to_us), OKNO_TEXT("site", pay_or_null(pay->site)));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *employee = okno_stmt_text(stmt, "employee");
        rc = 0;
        if (!json_object_get(groups, employee))
            rc = json_object_set_new(groups, employee, json_null());
        if (rc < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the employees");
    }
    return rc;
}

int pay_groups(struct okno_db *db, const struct pay *pay, int64_t at_us, json_t **ret_groups,
               struct okno_err *err)
{
    okno_autojson json_t *figures = NULL;
    okno_autojson json_t *groups = json_object();
    const struct okno_figures_query query = {.from_us = pay->from_us,
                                             .to_us = pay->to_us,
                                             .by = OKNO_BY_EMPLOYEE |
                                                   (pay->site[0] ? (unsigned)OKNO_BY_SITE : 0U),
                                             .audit = pay_or_null(pay->audit),
                                             .k = pay->k,
                                             .fm_threshold = pay->fm_threshold,
                                             .undeterminable_limit = pay->undeterminable_limit,
                                             .min_n = pay->min_n};
    size_t i;
    json_t *group;
    int rc = okno_figures_json(db, &query, at_us, &figures, err);
    if (rc < 0)
        return rc;
    json_array_foreach(json_object_get(figures, "groups"), i, group)
    {
        const json_t *names = json_object_get(group, "group");
        if (pay->site[0] && strcmp(text_in(names, "site"), pay->site) != 0)
            continue;
        if (json_object_set(groups, text_in(names, "employee"), group) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    }
    rc = add_served(db, pay, groups, err);
    if (rc == 0)
        *ret_groups = json_incref(groups);
    return rc;
}

json_t *pay_essence(const json_t *group)
{
    json_t *indicators = json_object();
    const json_t *counted = json_object_get(group, "counts");
    json_t *counts = json_is_object(counted) ? json_deep_copy(counted) : json_object();
    const char *name;
    json_t *one;
    json_object_foreach(json_object_get(group, "indicators"), name, one)
    {
        json_t *values = json_pack("{s:O?, s:O?}", "raw", json_object_get(one, "raw"), "excluded",
                                   json_object_get(one, "excluded"));
        (void)json_object_set_new(indicators, name, values);
    }
    return json_pack("{s:o, s:o}", "counts", counts, "indicators", indicators);
}

/* ---- what a statement is worth ---- */

static bool has_flag(const json_t *group, const char *flag)
{
    const char *name;
    json_t *one;
    size_t i;
    json_t *text;
    json_object_foreach(json_object_get(group, "indicators"), name, one)
    {
        json_array_foreach(json_object_get(one, "flags"), i, text)
        {
            if (strcmp(json_string_value(text), flag) == 0)
                return true;
        }
    }
    return false;
}

/* Why the figures of an employee are not reliable; empty when they are. */
static json_t *doubts(const struct pay *pay, const char *employee, const json_t *group)
{
    json_t *reasons = json_array();
    const json_t *counts = json_object_get(group, "counts");
    double n = json_number_value(json_object_get(counts, "n"));
    double unsure = json_number_value(json_object_get(counts, "undeterminable"));
    if (strcmp(employee, "unassigned") == 0) /* nobody's: shown, never paid by */
        (void)json_array_append_new(reasons, json_string("unassigned"));
    if (strcmp(text_in(group, "fm_gate"), "not_advisable") == 0)
        (void)json_array_append_new(reasons, json_string("force_majeure"));
    double limit =
        pay->undeterminable_limit > 0 ? pay->undeterminable_limit : OKNO_UNDETERMINABLE_LIMIT;
    if ((n > 0 && unsure / n > limit) ||
        strcmp(text_in(group, "evidence_gate"), "worst_case_only") == 0)
        (void)json_array_append_new(reasons, json_string("undeterminable"));
    if (has_flag(group, "cherry_picking"))
        (void)json_array_append_new(reasons, json_string("cherry_picking"));
    return reasons;
}

/* What does not change the state but has to be looked at: counts that cannot be right. */
static void remark(const json_t *group, json_t *reasons)
{
    static const char *const flags[] = {"more_surveys_than_sales", "counter_or_press_error"};
    for (size_t i = 0; i < OKNO_COUNT(flags); i++)
        if (has_flag(group, flags[i]))
            (void)json_array_append_new(reasons, json_string(flags[i]));
}

/* What waits for the decision of an appeal is not settled, whatever else there is to say. */
static const char *state_of(const struct pay *pay, const json_t *group, const json_t *reasons,
                            bool appealed)
{
    const json_t *counts = json_object_get(group, "counts");
    if (appealed)
        return "under_appeal";
    if (json_array_size(reasons) > 0)
        return "not_reliable";
    return json_integer_value(json_object_get(counts, "n")) < pay->min_n ? "too_few" : "payable";
}

static int name_of(struct okno_db *db, const char *employee, char ret_name[201],
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    ret_name[0] = '\0';
    int rc = OKNO_DB_PREPARE(db, "period.name", &stmt, err, OKNO_TEXT("employee", employee));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        okno_stmt_copy(stmt, "name", ret_name, 201);
    return rc < 0 ? rc : 0;
}

static json_t *head_json(const struct pay *pay)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:s, s:o, s:o}", "period", (json_int_t)pay->period,
                     "site", okno_json_text(pay_or_null(pay->site)), "from",
                     okno_json_time(pay->from_us), "to", okno_json_time(pay->to_us), "zone",
                     pay->zone, "audit", okno_json_text(pay_or_null(pay->audit)), "closed_at",
                     okno_json_time(pay->closed_us));
}

int pay_statement(struct okno_db *db, const struct pay *pay, const char *employee,
                  const json_t *group, const json_t *adjustments, json_t **ret_statement,
                  struct okno_err *err)
{
    static const char *const kept[] = {"k", "counts", "excluded", "fm_gate", "indicators"};
    char name[201];
    int64_t appeals = 0;
    int64_t escalations = 0;
    int rc = name_of(db, employee, name, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "period.appeals", 0, &appeals, err, OKNO_INT("from", pay->from_us),
                         OKNO_INT("to", pay->to_us), OKNO_TEXT("site", pay_or_null(pay->site)),
                         OKNO_TEXT("employee", employee));
    if (rc == 0)
        rc = OKNO_DB_INT(db, "period.escalations", 0, &escalations, err,
                         OKNO_INT("from", pay->from_us), OKNO_INT("to", pay->to_us),
                         OKNO_TEXT("employee", employee));
    if (rc < 0)
        return rc;
    json_t *json = head_json(pay);
    okno_autojson json_t *reasons = doubts(pay, employee, group);
    if (escalations > 0)
        (void)json_array_append_new(reasons, json_string("escalation"));
    (void)json_object_set_new(json, "employee", json_string(employee));
    (void)json_object_set_new(json, "name", okno_json_text(name));
    (void)json_object_set_new(json, "state",
                              json_string(state_of(pay, group, reasons, appeals > 0)));
    remark(group, reasons);
    (void)json_object_set(json, "reasons", reasons);
    (void)json_object_set_new(json, "min_n", json_integer(pay->min_n));
    (void)json_object_set_new(json, "adjustments", json_deep_copy(adjustments));
    for (size_t i = 0; i < OKNO_COUNT(kept); i++) {
        json_t *part = json_object_get(group, kept[i]);
        (void)json_object_set(json, kept[i], part ? part : json_null());
    }
    if (!json)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a statement");
    *ret_statement = json;
    return 0;
}

json_t *pay_snapshot(const struct pay *pay, const json_t *statements)
{
    const struct okno_figures_query query = {.k = pay->k,
                                             .fm_threshold = pay->fm_threshold,
                                             .undeterminable_limit = pay->undeterminable_limit,
                                             .min_n = pay->min_n};
    json_t *json = head_json(pay);
    (void)json_object_set_new(json, "settings", okno_figures_settings_json(&query, &pay->params));
    (void)json_object_set_new(json, "data", okno_past_json(&pay->past));
    (void)json_object_set_new(json, "statements", json_deep_copy(statements));
    return json;
}

/* ---- what is signed ---- */

int pay_snapshot_text(int64_t period, const char *sha256, struct okno_buf *to, struct okno_err *err)
{
    return okno_buf_printf(to, err, "okno pay period\n%lld\nSHA-256 %s\n", (long long)period,
                           sha256);
}

int pay_statement_text(int64_t period, const char *employee, const char *state, const char *sha256,
                       struct okno_buf *to, struct okno_err *err)
{
    return okno_buf_printf(to, err, "okno pay statement\n%lld\n%s\n%s\nSHA-256 %s\n",
                           (long long)period, employee, state, sha256);
}

/* ---- the stored period ---- */

int pay_load(struct okno_db *db, int64_t period, struct pay *ret_pay, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    struct okno_figures_query query = {0};
    struct pay pay = {.period = period};
    int rc = OKNO_DB_PREPARE(db, "period.get", &row, err, OKNO_INT("period", period));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no pay period %lld: see `okno period list`",
                         (long long)period);
    if (rc < 0)
        return rc;
    pay.from_us = okno_stmt_int(row, "from_at");
    pay.to_us = okno_stmt_int(row, "to_at");
    pay.closed_us = okno_stmt_int(row, "closed_at");
    okno_stmt_copy(row, "site", pay.site, sizeof(pay.site));
    okno_stmt_copy(row, "zone", pay.zone, sizeof(pay.zone));
    okno_stmt_copy(row, "audit", pay.audit, sizeof(pay.audit));
    okno_stmt_copy(row, "author", pay.author, sizeof(pay.author));
    rc = okno_figures_settings_parse(okno_stmt_text(row, "settings"), &query, &pay.params, err);
    if (rc == 0)
        rc = okno_past_parse(okno_stmt_text(row, "data"), &pay.past, err);
    if (rc < 0)
        return rc;
    pay.k = query.k;
    pay.fm_threshold = query.fm_threshold;
    pay.undeterminable_limit = query.undeterminable_limit;
    pay.min_n = query.min_n;
    *ret_pay = pay;
    return 0;
}

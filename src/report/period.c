#define _POSIX_C_SOURCE 200809L
/* Closing a pay period: checks, one look at what is known, documents, signatures, one transaction.
 */
#include "okno/period.h"

#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/published.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/zone.h"
#include "pay.h"

#include <string.h>

enum { REASON_BYTES_MAX = 1000 };

/* ---- the period ---- */

/* 1: there is one, and "" for several without a site. */
static int find_zone(struct okno_db *db, const char *site, char ret_zone[80], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "period.zones", &stmt, err, OKNO_TEXT("site", site));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0 && site)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, "site", "there is no site \"%s\"",
                               okno_text_show(site, shown));
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "there is no site yet");
    okno_stmt_copy(stmt, "time_zone", ret_zone, 80);
    rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        ret_zone[0] = '\0';
    return rc < 0 ? rc : 0;
}

/* YYYY-MM-DD; days after the end of a month are the next month's. */
static bool parse_date(const char *text, struct okno_civil *ret_date)
{
    static const char shape[] = "dddd-dd-dd";
    int value[3] = {0};
    int part = 0;
    if (strlen(text) != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; shape[i]; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == 'd' ? !digit : text[i] != '-')
            return false;
        part += shape[i] == '-';
        if (digit)
            value[part] = 10 * value[part] + text[i] - '0';
    }
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    *ret_date = (struct okno_civil){.year = value[0], .month = value[1], .day = value[2]};
    return value[0] >= 1970 && value[1] >= 1 && value[1] <= 12 && value[2] >= 1 &&
           value[2] <= days[value[1] - 1];
}

/* The first moment of a local day, `later` days after a date. */
static int day_start(const char *zone_name, const struct okno_civil *date, int later,
                     int64_t *ret_us, struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    int rc = okno_zone_open(zone_name, &zone, err);
    if (rc == 0)
        *ret_us = okno_zone_midnight(zone, okno_time_from_civil(date) + later * OKNO_DAY_US);
    return rc;
}

static int parse_end(const char *field, const char *text, const char *zone, bool last,
                     int64_t *ret_us, struct okno_err *err)
{
    struct okno_civil date;
    struct okno_err why = {0};
    char shown[OKNO_TEXT_SHOWN];
    if (!text || !*text)
        return okno_fail_field(err, OKNO_MISSING, field, "%s: say the period", field);
    if (!parse_date(text, &date)) {
        if (okno_time_parse(text, ret_us, &why) == 0)
            return 0;
        return okno_fail_field(err, OKNO_INVALID, field,
                               "%s \"%s\": a local date like 2026-03-31, or a time with its zone",
                               field, okno_text_show(text, shown));
    }
    if (!zone[0])
        return okno_fail_field(err, OKNO_INVALID, field,
                               "the sites have different time zones, so days differ: name a site, "
                               "or give times with their zone");
    return day_start(zone, &date, last ? 1 : 0, ret_us, err);
}

static int resolve(struct okno_db *db, const struct okno_period_request *r, struct pay *pay,
                   struct okno_err *err)
{
    int rc = find_zone(db, r->site, pay->zone, err);
    if (rc == 0)
        rc = parse_end("from", r->from, pay->zone, false, &pay->from_us, err);
    if (rc == 0)
        rc = parse_end("to", r->to, pay->zone, true, &pay->to_us, err);
    if (rc == 0 && pay->from_us >= pay->to_us)
        rc = okno_fail_field(err, OKNO_INVALID, "to",
                             "the period ends before it begins: %s is before %s", r->to, r->from);
    if (rc == 0 && !pay->zone[0])
        (void)snprintf(pay->zone, sizeof(pay->zone), "UTC");
    (void)snprintf(pay->site, sizeof(pay->site), "%s", r->site ? r->site : "");
    (void)snprintf(pay->audit, sizeof(pay->audit), "%s", r->audit ? r->audit : "");
    (void)snprintf(pay->author, sizeof(pay->author), "%s", r->author);
    pay->k = r->k;
    pay->fm_threshold = r->fm_threshold;
    pay->undeterminable_limit = r->undeterminable_limit;
    pay->min_n = r->min_n;
    pay->params = r->params;
    return rc;
}

/* ---- checks ---- */

static int count(struct okno_db *db, const char *statement, const struct pay *pay,
                 int64_t *ret_count, struct okno_err *err)
{
    return OKNO_DB_INT(db, statement, 0, ret_count, err, OKNO_INT("from", pay->from_us),
                       OKNO_INT("to", pay->to_us), OKNO_TEXT("site", pay_or_null(pay->site)));
}

static int check_accept(const char *accept, struct okno_err *err)
{
    size_t len = accept ? strlen(accept) : 0;
    if (accept && (len == 0 || len > REASON_BYTES_MAX || !okno_text_is_utf8(accept, len)))
        return okno_fail_field(err, OKNO_INVALID, "accept", "a reason is 1 to %d bytes of UTF-8",
                               REASON_BYTES_MAX);
    return 0;
}

static int check_audits(struct okno_db *db, const struct pay *pay, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "period.open_audits", &stmt, err, OKNO_INT("from", pay->from_us),
                             OKNO_INT("to", pay->to_us), OKNO_TEXT("site", pay_or_null(pay->site)));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    return rc == 1 ? okno_fail(err, OKNO_REFUSED,
                               "audit %s of the period waits for review, its sample is not drawn "
                               "yet: finish it, or accept that with a reason",
                               okno_stmt_text(stmt, "audit"))
                   : rc;
}

static int check_reviews(struct okno_db *db, const struct pay *pay, const char *accept,
                         struct okno_err *err)
{
    int64_t open = 0;
    int rc = accept ? 0 : check_audits(db, pay, err);
    if (rc == 0)
        rc = count(db, "period.open_reviews", pay, &open, err);
    if (rc == 0 && open > 0 && !accept)
        rc = okno_fail(
            err, OKNO_REFUSED,
            "%lld sampled %s for review: finish the audits, or "
            "accept that with a reason",
            (long long)open,
            okno_text_form(open, "survey of the period waits", "surveys of the period wait"));
    return rc;
}

static int check(struct okno_db *db, const struct pay *pay, const char *accept, int64_t now_us,
                 struct okno_err *err)
{
    char text[OKNO_TIME_TEXT];
    int64_t found = 0;
    if (pay->to_us > now_us)
        return okno_fail(err, OKNO_REFUSED, "the period ends at %s, which is still to come",
                         okno_time_format(pay->to_us, text));
    int rc = count(db, "period.overlapping", pay, &found, err);
    if (rc == 0 && found)
        rc = okno_fail(err, OKNO_CONFLICT,
                       "pay period %lld overlaps it: what is closed is never closed again",
                       (long long)found);
    if (rc == 0)
        rc = count(db, "period.open_surveys", pay, &found, err);
    if (rc == 0 && found)
        rc = okno_fail(
            err, OKNO_REFUSED, "%lld %s still open", (long long)found,
            okno_text_form(found, "survey of the period is", "surveys of the period are"));
    return rc < 0 ? rc : check_reviews(db, pay, accept, err);
}

static int check_and_mark(struct okno_db *db, struct pay *pay, const char *accept, int64_t now_us,
                          struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = check(db, pay, accept, now_us, err);
    if (rc == 0)
        rc = okno_past_mark(db, now_us, &pay->past, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* ---- documents ---- */

/* What one closing stores. */
struct closing {
    struct okno_db *db, *then;
    struct pay *pay;
    const char *accept;
    json_t *groups;      /* {employee: figures} */
    json_t *adjustments; /* of earlier periods, as pay_changes gives them */
    json_t *statements;  /* [{employee, state, sha256}] */
};

static void closing_free(struct closing *c)
{
    okno_db_close(c->then);
    json_decref(c->groups);
    json_decref(c->adjustments);
    json_decref(c->statements);
}
#define AUTO_CLOSING __attribute__((cleanup(closing_free))) struct closing

static int earlier_changes(struct closing *c, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *periods = json_array();
    size_t i;
    json_t *period;
    int rc =
        OKNO_DB_PREPARE(c->db, "period.earlier", &rows, err, OKNO_INT("period", c->pay->period),
                        OKNO_TEXT("site", pay_or_null(c->pay->site)));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        (void)json_array_append_new(periods, json_integer(okno_stmt_int(rows, "period")));
        rc = 0;
    }
    json_array_foreach(periods, i, period)
    {
        if (rc == 0)
            rc = pay_changes(c->db, c->then, json_integer_value(period), c->pay->period,
                             c->pay->past.at_us, c->adjustments, err);
    }
    return rc;
}

static int store_adjustments(struct closing *c, const char *employee, json_t *mine,
                             struct okno_err *err)
{
    size_t i;
    json_t *one;
    int rc = 0;
    json_array_foreach(c->adjustments, i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "employee")), employee) != 0)
            continue;
        okno_autofree char *text = NULL;
        okno_autofree char *became = NULL;
        rc = okno_figures_text(one, &text, err);
        if (rc == 0)
            rc = okno_figures_text(json_object_get(one, "now"), &became, err);
        if (rc == 0)
            rc = OKNO_DB_RUN(
                c->db, "period.add_adjustment", NULL, err, OKNO_INT("period", c->pay->period),
                OKNO_INT("of_period", json_integer_value(json_object_get(one, "of_period"))),
                OKNO_TEXT("employee", employee), OKNO_TEXT("adjustment", text),
                OKNO_TEXT("became", became));
        if (rc < 0)
            return rc;
        (void)json_array_append(mine, one);
    }
    return rc;
}

static int sign(struct closing *c, const char *employee, const char *state, const char *sha256,
                struct okno_buf *note, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(4096);
    int rc = employee ? pay_statement_text(c->pay->period, employee, state, sha256, &text, err)
                      : pay_snapshot_text(c->pay->period, sha256, &text, err);
    return rc < 0 ? rc : okno_ledger_sign_text(c->db, okno_buf_text(&text), note, err);
}

static int store_statement(struct closing *c, const char *employee, const json_t *group,
                           struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    okno_autojson json_t *mine = json_array();
    okno_autojson json_t *statement = NULL;
    okno_autofree char *text = NULL;
    char sha256[OKNO_SHA256_TEXT];
    int rc = store_adjustments(c, employee, mine, err);
    if (rc == 0)
        rc = pay_statement(c->then, c->pay, employee, group, mine, &statement, err);
    if (rc == 0)
        rc = okno_figures_text(statement, &text, err);
    if (rc < 0)
        return rc;
    const char *state = json_string_value(json_object_get(statement, "state"));
    pay_hash(text, sha256);
    rc = sign(c, employee, state, sha256, &note, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(c->db, "period.add_statement", NULL, err,
                         OKNO_INT("period", c->pay->period), OKNO_TEXT("employee", employee),
                         OKNO_TEXT("state", state), OKNO_TEXT("statement", text),
                         OKNO_TEXT("sha256", sha256), OKNO_TEXT("note", okno_buf_text(&note)));
    if (rc < 0)
        return rc;
    json_t *line =
        json_pack("{s:s, s:s, s:s}", "employee", employee, "state", state, "sha256", sha256);
    return json_array_append_new(c->statements, line) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the snapshot")
               : 0;
}

/* Adjustments may be of somebody who does not serve here any more. */
static void add_absent(struct closing *c)
{
    size_t i;
    json_t *one;
    json_array_foreach(c->adjustments, i, one)
    {
        const char *employee = json_string_value(json_object_get(one, "employee"));
        if (!json_object_get(c->groups, employee))
            (void)json_object_set_new(c->groups, employee, json_null());
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int store_statements(struct closing *c, struct okno_err *err)
{
    add_absent(c);
    size_t number = json_object_size(c->groups);
    okno_autofree const char **names = calloc(number + 1, sizeof(*names));
    const char *employee;
    json_t *group;
    size_t at = 0;
    int rc = 0;
    if (!names)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the employees");
    json_object_foreach(c->groups, employee, group) names[at++] = employee;
    if (number > 1)
        qsort(names, number, sizeof(*names), by_text);
    for (size_t i = 0; rc == 0 && i < number; i++)
        rc = store_statement(c, names[i], json_object_get(c->groups, names[i]), err);
    return rc;
}

/* The log tells that it happened and a salted hash of the whole. */
static int log_it(struct closing *c, const char *snapshot, struct okno_err *err)
{
    char who[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char hash[OKNO_SHA256_TEXT];
    const struct okno_ledger_entry entry = {.kind = "period",
                                            .subject = c->pay->period,
                                            .salt = okno_ledger_salt(salt),
                                            .at_us = c->pay->closed_us};
    int rc = okno_ledger_pseudonym(c->db, 'R', c->pay->author, who, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_pack(
        "{s:I, s:s, s:I, s:I, s:I, s:b, s:s}", "period", (json_int_t)c->pay->period, "author", who,
        "from_us", (json_int_t)c->pay->from_us, "to_us", (json_int_t)c->pay->to_us, "statements",
        (json_int_t)json_array_size(c->statements), "accepted", c->accept != NULL, "snapshot",
        okno_ledger_hide(salt, snapshot, hash));
    return okno_ledger_append(c->db, &entry, json, NULL, err);
}

static int add_period(struct closing *c, const char *snapshot, const char *sha256, const char *note,
                      struct okno_err *err)
{
    const struct pay *pay = c->pay;
    const struct okno_figures_query query = {.k = pay->k,
                                             .fm_threshold = pay->fm_threshold,
                                             .undeterminable_limit = pay->undeterminable_limit,
                                             .min_n = pay->min_n};
    okno_autojson json_t *settings = okno_figures_settings_json(&query, &pay->params);
    okno_autojson json_t *data = okno_past_json(&pay->past);
    okno_autofree char *settings_text = NULL;
    okno_autofree char *data_text = NULL;
    int rc = okno_json_canonical(settings, &settings_text, err);
    if (rc == 0)
        rc = okno_json_canonical(data, &data_text, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(
                        c->db, "period.add", NULL, err, OKNO_INT("period", pay->period),
                        OKNO_TEXT("site", pay_or_null(pay->site)), OKNO_INT("from", pay->from_us),
                        OKNO_INT("to", pay->to_us), OKNO_TEXT("zone", pay->zone),
                        OKNO_TEXT("audit", pay_or_null(pay->audit)),
                        OKNO_INT("closed_at", pay->closed_us), OKNO_TEXT("author", pay->author),
                        OKNO_TEXT("accepted", c->accept), OKNO_TEXT("settings", settings_text),
                        OKNO_TEXT("data", data_text), OKNO_TEXT("snapshot", snapshot),
                        OKNO_TEXT("sha256", sha256), OKNO_TEXT("note", note));
}

static int finish(struct closing *c, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    okno_autojson json_t *snapshot = pay_snapshot(c->pay, c->statements);
    okno_autofree char *text = NULL;
    char sha256[OKNO_SHA256_TEXT];
    int rc = okno_figures_text(snapshot, &text, err);
    if (rc < 0)
        return rc;
    pay_hash(text, sha256);
    rc = sign(c, NULL, NULL, sha256, &note, err);
    if (rc == 0)
        rc = add_period(c, text, sha256, okno_buf_text(&note), err);
    return rc < 0 ? rc : log_it(c, text, err);
}

/* Foreign keys want the period before its statements, and the snapshot wants their hashes: they are
 * checked when the transaction ends. */
static int store(struct closing *c, struct okno_err *err)
{
    int64_t found = 0;
    int rc = okno_db_run(c->db, "period.defer", NULL, 0, NULL, err);
    if (rc == 0)
        rc = okno_db_int(c->db, "period.next", NULL, 0, 1, &c->pay->period, err);
    if (rc == 0)
        rc = count(c->db, "period.overlapping", c->pay, &found, err);
    if (rc == 0 && found)
        rc = okno_fail(err, OKNO_CONFLICT, "pay period %lld was closed at the same time",
                       (long long)found);
    if (rc == 0)
        rc = earlier_changes(c, err);
    if (rc == 0)
        rc = store_statements(c, err);
    return rc < 0 ? rc : finish(c, err);
}

static int compute_and_store(struct closing *c, struct okno_err *err)
{
    struct pay *pay = c->pay;
    int rc = okno_past_open(c->db, &pay->past, &pay->params, &c->then, err);
    if (rc == 0)
        rc = pay_groups(c->then, pay, pay->past.at_us, &c->groups, err);
    if (rc == 0 && json_object_size(c->groups) == 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "nobody served and nothing was rated in that period");
    if (rc == 0)
        rc = okno_db_begin(c->db, err);
    if (rc < 0)
        return rc;
    rc = store(c, err);
    if (rc == 0)
        return okno_db_commit(c->db, err);
    okno_db_rollback(c->db);
    return rc;
}

int okno_period_close(struct okno_db *db, const struct okno_period_request *request, int64_t now_us,
                      int64_t *ret_period, struct okno_err *err)
{
    struct pay pay = {.closed_us = now_us};
    struct okno_survey_refreshed counts;
    AUTO_CLOSING closing = {.db = db,
                            .pay = &pay,
                            .accept = request->accept,
                            .adjustments = json_array(),
                            .statements = json_array()};
    int rc = check_accept(request->accept, err);
    if (rc == 0)
        rc = resolve(db, request, &pay, err);
    if (rc == 0)
        rc = okno_survey_refresh(db, &request->params, now_us, &counts, err);
    if (rc == 0)
        rc = check_and_mark(db, &pay, request->accept, now_us, err);
    pay.closed_us = pay.past.at_us;
    if (rc == 0)
        rc = compute_and_store(&closing, err);
    if (rc == 0)
        *ret_period = pay.period;
    return rc;
}

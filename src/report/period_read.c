#define _POSIX_C_SOURCE 200809L
/* Closed pay periods: shown, listed, as CSV, verified. */
#include "okno/kpi.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/period.h"
#include "okno/published.h"
#include "okno/rows.h"
#include "okno/time.h"
#include "pay.h"

#include <string.h>

/* ---- showing ---- */

static int states_of(struct okno_db *db, int64_t period, json_t **ret_states, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *states = json_pack("{s:i, s:i, s:i, s:i}", "payable", 0, "too_few", 0, "not_reliable",
                               0, "under_appeal", 0);
    int rc = OKNO_DB_PREPARE(db, "period.states", &rows, err, OKNO_INT("period", period));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        (void)json_object_set_new(states, okno_stmt_text(rows, "state"),
                                  json_integer(okno_stmt_int(rows, "count")));
        rc = 0;
    }
    if (rc < 0) {
        json_decref(states);
        return rc;
    }
    *ret_states = states;
    return 0;
}

static int head(struct okno_db *db, int64_t period, json_t **ret_head, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    json_t *states = NULL;
    int rc = states_of(db, period, &states, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "period.get", &row, err, OKNO_INT("period", period));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0) {
        json_decref(states);
        return rc < 0 ? rc
                      : okno_fail(err, OKNO_NOT_FOUND,
                                  "there is no pay period %lld: see `okno period list`",
                                  (long long)period);
    }
    *ret_head = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "period",
        (json_int_t)period, "site", okno_row_text(row, "site"), "from",
        okno_json_time(okno_stmt_int(row, "from_at")), "to",
        okno_json_time(okno_stmt_int(row, "to_at")), "zone", okno_row_text(row, "zone"), "audit",
        okno_row_text(row, "audit"), "closed_at", okno_json_time(okno_stmt_int(row, "closed_at")),
        "author", okno_row_text(row, "author"), "accepted", okno_row_text(row, "accepted"),
        "sha256", okno_row_text(row, "sha256"), "note", okno_row_text(row, "note"), "states",
        states, "adjusted", (json_int_t)okno_stmt_int(row, "adjusted"));
    return *ret_head ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for a period");
}

int okno_period_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *list = json_array();
    int rc = okno_db_prepare(db, "period.list", NULL, 0, &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        json_t *one = NULL;
        rc = head(db, okno_stmt_int(rows, "period"), &one, err);
        if (rc == 0 && json_array_append_new(list, one) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the periods");
    }
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

/* The signed document with its hash and note. */
static json_t *document(struct okno_stmt *row)
{
    json_t *json = json_loads(okno_stmt_text(row, "statement"), 0, NULL);
    (void)json_object_set_new(json, "sha256", okno_row_text(row, "sha256"));
    (void)json_object_set_new(json, "note", okno_row_text(row, "note"));
    return json;
}

static int documents(struct okno_stmt *rows, json_t *list, struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = json_array_append_new(list, document(rows)) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the statements")
                 : 0;
    return rc;
}

int okno_period_get(struct okno_db *db, int64_t period, json_t **ret_period, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *json = NULL;
    okno_autojson json_t *list = json_array();
    int rc = head(db, period, &json, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "period.statements", &rows, err, OKNO_INT("period", period));
    if (rc == 0)
        rc = documents(rows, list, err);
    if (rc == 0 && json_object_set(json, "statements", list) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the statements");
    if (rc == 0)
        *ret_period = json_incref(json);
    return rc;
}

int okno_period_statements_of(struct okno_db *db, const char *employee, json_t **ret_list,
                              struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *list = json_array();
    int rc =
        OKNO_DB_PREPARE(db, "period.statements_of", &rows, err, OKNO_TEXT("employee", employee));
    if (rc == 0)
        rc = documents(rows, list, err);
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

/* ---- adjustments ---- */

static int add_carried(struct okno_db *db, int64_t period, json_t *list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "period.carried", &rows, err, OKNO_INT("period", period));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        json_t *one = json_loads(okno_stmt_text(rows, "adjustment"), 0, NULL);
        (void)json_object_set_new(one, "carried_by", json_integer(okno_stmt_int(rows, "period")));
        rc = json_array_append_new(list, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the adjustments")
                 : 0;
    }
    return rc;
}

int okno_period_adjustments(struct okno_db *db, int64_t period, int64_t now_us,
                            json_t **ret_adjustments, struct okno_err *err)
{
    okno_autojson json_t *list = json_array();
    okno_autojson json_t *open = json_array();
    size_t i;
    json_t *one;
    int rc = add_carried(db, period, list, err);
    if (rc == 0)
        rc = pay_changes(db, db, period, INT64_MAX, now_us, open, err);
    if (rc < 0)
        return rc;
    json_array_foreach(open, i, one)
    {
        (void)json_object_set_new(one, "carried_by", json_null());
        (void)json_array_append(list, one);
    }
    *ret_adjustments = json_pack("{s:I, s:O}", "period", (json_int_t)period, "adjustments", list);
    return *ret_adjustments ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the adjustments");
}

/* ---- verifying ---- */

struct verifying {
    struct okno_db *db;
    struct pay pay;
    struct okno_note_key key;
    json_t *groups; /* made again */
    struct okno_db *then;
    json_t *statements;
};

static void verifying_free(struct verifying *v)
{
    json_decref(v->groups);
    json_decref(v->statements);
    okno_db_close(v->then);
}
#define AUTO_VERIFYING __attribute__((cleanup(verifying_free))) struct verifying

static int check_note(const struct verifying *v, const char *what, const char *note,
                      const struct okno_buf *expected, struct okno_err *err)
{
    size_t len = 0;
    int rc = okno_note_open(note, strlen(note), &v->key, &len, err);
    if (rc < 0) {
        okno_err_context(err, "%s", what);
        return rc == OKNO_MALFORMED ? OKNO_CHECK_FAILED : rc;
    }
    if (len != expected->len || memcmp(note, okno_buf_text(expected), len) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s: another text was signed", what);
    return 0;
}

static int check_text(const char *what, const char *kept, const char *sha256, const char *made,
                      struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    pay_hash(kept, hash);
    if (strcmp(hash, sha256) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s has SHA-256 %s, not %s as signed", what, hash,
                         sha256);
    size_t at = 0;
    while (kept[at] && kept[at] == made[at])
        at++;
    size_t from = at > 40 ? at - 40 : 0;
    if (kept[at] != made[at])
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "%s: made again, it parts at byte %zu: kept \"%.80s\", made \"%.80s\"",
                         what, at, kept + from, made + from);
    return 0;
}

/* The adjustments that the closing carried for an employee. */
static int carried_of(struct verifying *v, const char *employee, json_t *list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(v->db, "period.carried_by", &rows, err,
                             OKNO_INT("period", v->pay.period), OKNO_TEXT("employee", employee));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        (void)json_array_append_new(list, json_loads(okno_stmt_text(rows, "adjustment"), 0, NULL));
        rc = 0;
    }
    return rc;
}

static int check_statement(struct verifying *v, struct okno_stmt *row, struct okno_err *err)
{
    OKNO_AUTO_BUF expected = OKNO_BUF_INIT(4096);
    okno_autojson json_t *mine = json_array();
    okno_autojson json_t *statement = NULL;
    okno_autofree char *text = NULL;
    const char *employee = okno_stmt_text(row, "employee");
    const char *state = okno_stmt_text(row, "state");
    const char *sha256 = okno_stmt_text(row, "sha256");
    char what[120];
    (void)snprintf(what, sizeof(what), "the statement of %s", employee);
    int rc = carried_of(v, employee, mine, err);
    if (rc == 0)
        rc = pay_statement(v->then, &v->pay, employee, json_object_get(v->groups, employee), mine,
                           &statement, err);
    if (rc == 0)
        rc = okno_figures_text(statement, &text, err);
    if (rc == 0)
        rc = check_text(what, okno_stmt_text(row, "statement"), sha256, text, err);
    if (rc == 0)
        rc = pay_statement_text(v->pay.period, employee, state, sha256, &expected, err);
    if (rc == 0)
        rc = check_note(v, what, okno_stmt_text(row, "note"), &expected, err);
    (void)json_array_append_new(v->statements, json_pack("{s:s, s:s, s:s}", "employee", employee,
                                                         "state", state, "sha256", sha256));
    return rc;
}

static int check_statements(struct verifying *v, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc =
        OKNO_DB_PREPARE(v->db, "period.statements", &rows, err, OKNO_INT("period", v->pay.period));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = check_statement(v, rows, err);
    return rc;
}

static int check_log(struct verifying *v, const char *snapshot, struct okno_err *err)
{
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX + 1);
    char salt[OKNO_SALT_TEXT];
    char hash[OKNO_SHA256_TEXT];
    int64_t leaf = 0;
    int rc = okno_ledger_find(v->db, "period", v->pay.period, &leaf, err);
    if (rc == 0)
        rc = okno_ledger_salt_of(v->db, leaf, salt, err);
    if (rc == 0)
        rc = okno_ledger_line(v->db, leaf, &line, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_loads(okno_buf_text(&line), 0, NULL);
    const char *logged = json_string_value(json_object_get(json, "snapshot"));
    if (!logged || strcmp(logged, okno_ledger_hide(salt, snapshot, hash)) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the snapshot is not that of entry %lld of the evidence log",
                         (long long)leaf);
    return 0;
}

static int check_snapshot(struct verifying *v, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    OKNO_AUTO_BUF expected = OKNO_BUF_INIT(4096);
    okno_autojson json_t *snapshot = pay_snapshot(&v->pay, v->statements);
    okno_autofree char *text = NULL;
    int rc = okno_figures_text(snapshot, &text, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(v->db, "period.get", &row, err, OKNO_INT("period", v->pay.period));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    const char *kept = okno_stmt_text(row, "snapshot");
    const char *sha256 = okno_stmt_text(row, "sha256");
    rc = check_text("the snapshot", kept, sha256, text, err);
    if (rc == 0)
        rc = pay_snapshot_text(v->pay.period, sha256, &expected, err);
    if (rc == 0)
        rc = check_note(v, "the snapshot", okno_stmt_text(row, "note"), &expected, err);
    return rc < 0 ? rc : check_log(v, kept, err);
}

int okno_period_verify(struct okno_db *db, int64_t period, struct okno_err *err)
{
    AUTO_VERIFYING v = {.db = db, .statements = json_array()};
    int rc = pay_load(db, period, &v.pay, err);
    if (rc == 0)
        rc = okno_ledger_key(db, &v.key, err);
    if (rc == 0)
        rc = okno_past_open(db, &v.pay.past, &v.pay.params, &v.then, err);
    if (rc == 0)
        rc = pay_groups(v.then, &v.pay, v.pay.past.at_us, &v.groups, err);
    if (rc == 0)
        rc = check_statements(&v, err);
    return rc < 0 ? rc : check_snapshot(&v, err);
}

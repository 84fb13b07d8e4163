#define _POSIX_C_SOURCE 200809L
/* Closer looks that an audit proposes, and what somebody makes of them. */
#include "okno/escalation.h"

#include "okno/estimate.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/review.h"
#include "okno/rows.h"
#include "okno/sampler.h"
#include "okno/text.h"
#include "okno/vec.h"
#include "room.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_BYTES_MAX = 1000, SCOPE_TEXT = 80 };

OKNO_VEC(text_vec, char *);

const char *okno_escalation_rule(int64_t reviewed, int64_t invalid, int64_t frame, double level,
                                 const struct okno_escalation_limits *limits, double *ret_low)
{
    if (reviewed < 1 || invalid < 1)
        return NULL;
    double share = (double)invalid / (double)reviewed;
    double low = okno_wilson(share, (double)reviewed, (double)frame, okno_normal_z(level)).low;
    *ret_low = low;
    return low > limits->census ? "census" : low > limits->more ? "more" : NULL;
}

int audit_escalate(struct okno_db *db, const struct audit_row *row, int64_t now_us,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    if (okno_frame_is_visits(row->frame)) /* `invalid`: nobody came, which is no one's doing */
        return 0;
    int rc = OKNO_DB_PREPARE(db, "escalate.shares", &rows, err, OKNO_TEXT("audit", row->audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        int64_t reviewed = okno_stmt_int(rows, "reviewed");
        int64_t invalid = okno_stmt_int(rows, "invalid");
        double low = 0;
        const char *rule = okno_escalation_rule(reviewed, invalid, okno_stmt_int(rows, "frame"),
                                                row->level, &row->escalate, &low);
        rc = !rule
                 ? 0
                 : OKNO_DB_RUN(db, "escalate.add", NULL, err, OKNO_TEXT("audit", row->audit),
                               OKNO_TEXT("scope", okno_stmt_text(rows, "scope")),
                               OKNO_TEXT("rule", rule), OKNO_INT("reviewed", reviewed),
                               OKNO_INT("invalid", invalid),
                               OKNO_INT("low", (int64_t)floor(low * 1e6)), OKNO_INT("at", now_us));
    }
    return rc;
}

/* ---- list ---- */

static const char *state_of(struct okno_stmt *row)
{
    if (okno_stmt_is_null(row, "accepted"))
        return "proposed";
    if (!okno_stmt_int(row, "accepted"))
        return "declined";
    return okno_stmt_int(row, "decided") == okno_stmt_int(row, "items") ? "done" : "accepted";
}

static json_t *row_json(struct okno_stmt *row)
{
    static const char *const counts[] = {"escalation", "reviewed", "invalid",
                                         "items",      "decided",  "found"};
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:f, s:o, s:s, s:o, s:o, s:o}", "audit", okno_stmt_text(row, "audit"),
        "scope", okno_stmt_text(row, "scope"), "rule", okno_stmt_text(row, "rule"), "low",
        (double)okno_stmt_int(row, "low_ppm") / 1e6, "at", okno_json_time(okno_stmt_int(row, "at")),
        "state", state_of(row), "by", okno_row_text(row, "author"), "reason",
        okno_row_text(row, "reason"), "decided_at", okno_row_time(row, "decided_at"));
    for (size_t i = 0; i < OKNO_COUNT(counts); i++)
        (void)json_object_set_new(json, counts[i], json_integer(okno_stmt_int(row, counts[i])));
    return json;
}

int okno_escalation_list(struct okno_db *db, const char *audit, json_t **ret_list,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *list = NULL;
    int rc = OKNO_DB_PREPARE(db, "escalate.list", &rows, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_rows_list(rows, row_json, &list, err);
    if (rc == 0)
        *ret_list = json_pack("{s:o}", "escalations", list);
    return rc;
}

/* ---- decision ---- */

struct look {
    int64_t id;
    char audit[65], scope[SCOPE_TEXT], seed[257 + SCOPE_TEXT];
    bool census;
    int64_t count; /* of rule more */
};

static int load(struct okno_db *db, int64_t id, struct look *ret, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "escalate.get", &row, err, OKNO_INT("escalation", id));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no escalation %lld", (long long)id);
    if (rc < 0)
        return rc;
    if (okno_stmt_int(row, "over"))
        return okno_fail(err, OKNO_REFUSED, "escalation %lld was decided", (long long)id);
    ret->id = id;
    okno_stmt_copy(row, "audit", ret->audit, sizeof(ret->audit));
    okno_stmt_copy(row, "scope", ret->scope, sizeof(ret->scope));
    ret->census = strcmp(okno_stmt_text(row, "rule"), "census") == 0;
    ret->count =
        okno_stmt_is_null(row, "count") ? OKNO_ESCALATE_COUNT : okno_stmt_int(row, "count");
    (void)snprintf(ret->seed, sizeof(ret->seed), "%s/%s", okno_stmt_text(row, "seed"), ret->scope);
    return 0;
}

static void texts_free(struct text_vec *texts)
{
    for (size_t i = 0; i < texts->len; i++)
        free(texts->items[i]);
    text_vec_free(texts);
}

static int load_rest(struct okno_db *db, const struct look *look, struct text_vec *rest,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "escalate.rest", &rows, err, OKNO_TEXT("audit", look->audit),
                             OKNO_TEXT("scope", look->scope));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        char *survey = strdup(okno_stmt_text(rows, "survey"));
        rc = survey && text_vec_push(rest, survey) == 0
                 ? 0
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the surveys");
        if (rc < 0)
            free(survey);
    }
    return rc;
}

static int add_items(struct okno_db *db, const struct look *look, const char *reason,
                     const char *author, int64_t now_us, int64_t *ret_items, struct okno_err *err)
{
    __attribute__((cleanup(texts_free))) struct text_vec rest = {0};
    OKNO_AUTO_DRAWS draws = {0};
    size_t size = look->census ? OKNO_ESCALATE_MAX : (size_t)look->count;
    int rc = load_rest(db, look, &rest, err);
    const struct okno_draw_request request = {.seed = look->seed,
                                              .ids = (const char *const *)rest.items,
                                              .count = rest.len,
                                              .size = size < rest.len ? size : rest.len};
    if (rc == 0 && rest.len > 0)
        rc = okno_sampler_draw(&request, &draws, err);
    for (size_t i = 0; rc == 0 && i < draws.len; i++) {
        int64_t item = 0;
        rc = okno_review_target_add(db, rest.items[draws.items[i].index], author, reason, now_us,
                                    &item, err);
        if (rc == 0)
            rc = OKNO_DB_RUN(db, "escalate.add_item", NULL, err, OKNO_INT("escalation", look->id),
                             OKNO_INT("item", item), OKNO_INT("at", now_us));
    }
    *ret_items = (int64_t)draws.len;
    return rc;
}

static int log_decision(struct okno_db *db, const struct look *look, int64_t id, bool accept,
                        int64_t items, const char *reason, const char *author, int64_t now_us,
                        struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char key[OKNO_SHA256_TEXT];
    char scope[OKNO_SHA256_TEXT];
    char why[OKNO_SHA256_TEXT];
    const struct okno_ledger_entry entry = {.kind = "escalation",
                                            .audit = look->audit,
                                            .subject = id,
                                            .salt = okno_ledger_salt(salt),
                                            .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', author, name, err);
    if (rc < 0)
        return rc;
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "scope", key), look->scope, scope);
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "reason", key), reason, why);
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:I}", "author", name, "scope", scope, "reason", why, "rule",
        look->census ? "census" : "more", "accepted", (int)accept, "items", (json_int_t)items);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

static int decide(struct okno_db *db, int64_t escalation, bool accept, const char *reason,
                  const char *author, int64_t now_us, int64_t *ret_items, struct okno_err *err)
{
    struct look look = {.id = 0};
    int64_t id = 0;
    int rc = load(db, escalation, &look, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "escalate.decide", 0, &id, err, OKNO_INT("escalation", escalation),
                         OKNO_INT("accepted", accept), OKNO_TEXT("reason", reason),
                         OKNO_TEXT("author", author), OKNO_INT("at", now_us));
    if (rc == 0 && accept)
        rc = add_items(db, &look, reason, author, now_us, ret_items, err);
    return rc < 0 ? rc
                  : log_decision(db, &look, id, accept, *ret_items, reason, author, now_us, err);
}

int okno_escalation_decide(struct okno_db *db, int64_t escalation, bool accept, const char *reason,
                           const char *author, int64_t now_us, int64_t *ret_items,
                           struct okno_err *err)
{
    int64_t items = 0;
    size_t len = reason ? strlen(reason) : 0;
    if (len == 0 || reason[strspn(reason, " ")] == '\0')
        return okno_fail_field(err, OKNO_MISSING, "reason", "say why");
    if (len > REASON_BYTES_MAX || !okno_text_is_utf8(reason, len))
        return okno_fail_field(err, OKNO_INVALID, "reason", "a reason is up to %d bytes of UTF-8",
                               REASON_BYTES_MAX);
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = decide(db, escalation, accept, reason, author, now_us, &items, err);
    rc = audit_finish(db, rc, err);
    if (rc == 0)
        *ret_items = items;
    return rc;
}

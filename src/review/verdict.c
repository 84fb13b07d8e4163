/* Decisions: checked, bound to what was watched, appended, never changed. */
#include "review.h"

#include "okno/hash.h"
#include "okno/ledger.h"
#include "okno/reasons.h"
#include "okno/review.h"
#include "okno/text.h"

#include <math.h>
#include <string.h>

static int check_correction(const struct okno_review_verdict *v, struct okno_err *err)
{
    if (!v->correction)
        return 0;
    if (!okno_text_is_word(v->correction, "FALSE_FM FM_REACHES_BACK NOT_ASKED") ||
        strcmp(v->verdict, "valid") != 0)
        return okno_fail_field(err, OKNO_INVALID, "correction",
                               "corrections are FALSE_FM, FM_REACHES_BACK and NOT_ASKED, with "
                               "verdict valid");
    return 0;
}

/* Force majeure reaches back only from a situation that began soon after. */
static int check_reach(struct okno_db *db, const struct okno_review_verdict *v, const char *survey,
                       struct okno_err *err)
{
    int64_t follows = 0;
    if (!v->correction || strcmp(v->correction, "FM_REACHES_BACK") != 0)
        return 0;
    int rc = OKNO_DB_INT(db, "review.fm_follows", 0, &follows, err, OKNO_TEXT("survey", survey));
    if (rc == 0 && !follows)
        rc = okno_fail_field(err, OKNO_REFUSED, "correction",
                             "no force majeure began at the point within 10 minutes after the "
                             "survey: it cannot reach back to it");
    return rc;
}

/* Of a sale or a minute there is one question: was a customer there, and asked? */
static int check_visit(struct okno_db *db, const struct okno_review_verdict *v, const char *survey,
                       struct okno_err *err)
{
    int64_t visit = 0;
    bool asks = v->correction && strcmp(v->correction, "NOT_ASKED") == 0;
    int rc = OKNO_DB_INT(db, "review.is_visit", 0, &visit, err, OKNO_TEXT("survey", survey));
    if (rc < 0)
        return rc;
    if (asks != (visit && v->correction))
        return okno_fail_field(
            err, OKNO_REFUSED, "correction",
            asks ? "NOT_ASKED is said of transactions and minutes only"
                 : "of transactions and minutes NOT_ASKED is the only correction");
    if (visit && strcmp(v->verdict, "invalid") == 0 && strcmp(v->reason, "NO_CUSTOMER") != 0)
        return okno_fail_field(err, OKNO_REFUSED, "reason",
                               "of transactions and minutes only NO_CUSTOMER is invalid");
    return 0;
}

static bool is_seconds(double value)
{
    return isfinite(value) && value >= 0 && value <= 7 * 86400.0;
}

static int check_texts(const struct okno_review_verdict *v, struct okno_err *err)
{
    if (v->comment && strlen(v->comment) > REVIEW_COMMENT_MAX)
        return okno_fail_field(err, OKNO_TOO_LARGE, "comment", "a comment has at most %d bytes",
                               REVIEW_COMMENT_MAX);
    if (v->comment && !okno_text_is_plain(v->comment, true))
        return okno_fail_field(err, OKNO_INVALID, "comment",
                               "a comment is UTF-8 without control characters");
    if (v->checklist && (!json_is_object(v->checklist) || json_object_size(v->checklist) > 32))
        return okno_fail_field(err, OKNO_INVALID, "checklist",
                               "the checklist is an object of at most 32 answers");
    if (v->watched &&
        (!json_is_array(v->watched) || json_array_size(v->watched) > REVIEW_WATCHED_MAX))
        return okno_fail_field(err, OKNO_INVALID, "watched",
                               "watched is an array of at most %d hashes", REVIEW_WATCHED_MAX);
    if (!is_seconds(v->played_s) || !is_seconds(v->active_s) || !is_seconds(v->wall_s))
        return okno_fail_field(err, OKNO_INVALID, "played_s",
                               "played, active and wall seconds are numbers from 0 to a week");
    return 0;
}

static int check(const struct okno_review_verdict *v, struct okno_err *err)
{
    int rc = okno_reason_check(v->verdict ? v->verdict : "", v->reason, v->comment, err);
    if (rc == 0)
        rc = check_correction(v, err);
    return rc < 0 ? rc : check_texts(v, err);
}

/* What depends on what was looked at. */
static int check_subject(struct okno_db *db, const struct okno_review_verdict *v,
                         const char *survey, struct okno_err *err)
{
    int rc = check_visit(db, v, survey, err);
    return rc < 0 ? rc : check_reach(db, v, survey, err);
}

int review_check_verdict(struct okno_db *db, const struct okno_review_verdict *v,
                         const char *survey, struct okno_err *err)
{
    int rc = check(v, err);
    return rc < 0 ? rc : check_subject(db, v, survey, err);
}

/* The item as it stands inside the transaction. */
struct standing {
    struct review_ref ref;
    bool decided;
    bool holds_lease; /* the verdict's user and token are the item's, live or not */
    bool live;        /* the lease still stands, and so does the audit */
};

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static int load_standing(struct okno_db *db, const struct okno_review_verdict *v, int64_t now_us,
                         struct standing *ret, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "review.get_item", &stmt, err, OKNO_INT("item", v->item));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no item %lld", (long long)v->item);
    if (rc < 0)
        return rc;
    ret->ref.item = v->item;
    ret->ref.part = okno_stmt_int(stmt, "part");
    ret->ref.training = okno_stmt_int(stmt, "training") != 0;
    (void)snprintf(ret->ref.audit, sizeof(ret->ref.audit), "%s", okno_stmt_text(stmt, "audit"));
    (void)snprintf(ret->ref.survey, sizeof(ret->ref.survey), "%s", okno_stmt_text(stmt, "survey"));
    ret->decided = strcmp(okno_stmt_text(stmt, "state"), "decided") == 0;
    ret->holds_lease = v->lease && *v->lease &&
                       same_text(okno_stmt_text(stmt, "lease_user"), v->user) &&
                       same_text(okno_stmt_text(stmt, "lease_token"), v->lease);
    ret->live = ret->holds_lease && okno_stmt_int(stmt, "lease_until") > now_us &&
                okno_stmt_int(stmt, "audit_over") == 0;
    return 0;
}

/* A verdict may come late, but only from the one who was shown the item. */
static int check_was_leased(struct okno_db *db, const struct okno_review_verdict *v,
                            struct okno_err *err)
{
    int64_t known = 0;
    int rc = OKNO_DB_INT(db, "review.was_leased", 0, &known, err,
                         OKNO_TEXT("token", v->lease ? v->lease : ""), OKNO_INT("item", v->item),
                         OKNO_TEXT("user", v->user));
    if (rc < 0 || known)
        return rc;
    return okno_fail(err, OKNO_LEASE_LOST,
                     "item %lld was never leased to you like this: take the next item",
                     (long long)v->item);
}

/* 1 when this very decision is already stored under this lease, with its id. */
static int find_repeat(struct okno_db *db, const struct okno_review_verdict *v, int64_t *ret_id,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "review.last_verdict", &stmt, err, OKNO_INT("item", v->item));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    if (!same_text(okno_stmt_text(stmt, "user"), v->user) ||
        !same_text(okno_stmt_text(stmt, "verdict"), v->verdict) ||
        !same_text(okno_stmt_text(stmt, "reason"), v->reason) ||
        !same_text(okno_stmt_text(stmt, "comment"), v->comment) ||
        !same_text(okno_stmt_text(stmt, "correction"), v->correction))
        return 0;
    *ret_id = okno_stmt_int(stmt, "id");
    return 1;
}

static int add(struct okno_db *db, const struct okno_review_verdict *v,
               const struct review_ref *ref, bool counted, int64_t now_us, struct okno_err *err)
{
    okno_autofree char *checklist = NULL;
    okno_autofree char *watched = NULL;
    okno_autojson json_t *empty = json_array();
    okno_autojson json_t *none = json_object();
    int rc = okno_json_canonical(v->checklist ? v->checklist : none, &checklist, err);
    if (rc == 0)
        rc = okno_json_canonical(v->watched ? v->watched : empty, &watched, err);
    if (rc < 0)
        return rc;
    struct okno_stmt *stmt = NULL;
    rc = OKNO_DB_PREPARE(
        db, "review.add_verdict", &stmt, err, OKNO_INT("item", v->item),
        OKNO_TEXT("audit", ref->audit), OKNO_TEXT("survey", ref->survey),
        OKNO_TEXT("user", v->user), OKNO_INT("at", now_us), OKNO_TEXT("verdict", v->verdict),
        OKNO_TEXT("reason", v->reason), OKNO_TEXT("comment", v->comment ? v->comment : ""),
        OKNO_TEXT("correction", v->correction), OKNO_TEXT("checklist", checklist),
        OKNO_INT("reasons_version", okno_reasons_version()), OKNO_TEXT("watched", watched),
        OKNO_REAL("played_s", v->played_s), OKNO_REAL("active_s", v->active_s),
        OKNO_REAL("wall_s", v->wall_s), OKNO_INT("blinding_broken", v->blinding_broken),
        OKNO_INT("counted", counted));
    if (rc == 0)
        rc = okno_stmt_bind_null(stmt, "supersedes", err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    okno_stmt_reset(stmt);
    return rc;
}

/* What the log tells of a decision: survey and comment only as salted hashes, the expert by a
 * pseudonym. */
static json_t *entry_json(const struct okno_review_verdict *v, const struct review_ref *ref,
                          const char *reviewer, const char *salt)
{
    char key[OKNO_SHA256_TEXT];
    char survey[OKNO_SHA256_TEXT];
    char comment[OKNO_SHA256_TEXT];
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "survey", key), ref->survey, survey);
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "comment", key), v->comment ? v->comment : "",
                           comment);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:i}", "survey", survey, "reviewer", reviewer,
                  "verdict", v->verdict, "reason", v->reason, "correction", v->correction,
                  "comment", comment, "reasons_version", okno_reasons_version());
    json_t *watched = json_array();
    for (size_t i = 0; i < json_array_size(v->watched); i++) {
        json_t *hash = json_array_get(v->watched, i);
        if (json_string_length(hash) > 0 && json_string_length(hash) < OKNO_SHA256_TEXT)
            (void)json_array_append(watched, hash);
    }
    if (json)
        (void)json_object_set_new(json, "watched", watched);
    return json;
}

static int log_verdict(struct okno_db *db, const struct okno_review_verdict *v,
                       const struct review_ref *ref, int64_t id, bool counted, int64_t now_us,
                       struct okno_err *err)
{
    char reviewer[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    int64_t undone = -1;
    const struct okno_ledger_entry entry = {.kind = ref->training ? "training" : "verdict",
                                            .audit = ref->training ? NULL : ref->audit,
                                            .subject = id,
                                            .salt = okno_ledger_salt(salt),
                                            .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', v->user, reviewer, err);
    if (rc == 0 && ref->verdict) {
        struct okno_err older = {0}; /* a decision made before the log began has no entry */
        rc = okno_ledger_find(db, entry.kind, ref->verdict, &undone, &older);
        rc = rc == OKNO_NOT_FOUND ? 0 : rc < 0 ? okno_fail(err, rc, "%s", older.text) : 0;
    }
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = entry_json(v, ref, reviewer, salt);
    (void)json_object_set_new(json, "counted", json_boolean(counted));
    if (ref->part > 0)
        (void)json_object_set_new(json, "part", json_integer(ref->part));
    if (undone >= 0)
        (void)json_object_set_new(json, "supersedes", json_integer(undone));
    return okno_ledger_append(db, &entry, json, NULL, err);
}

int review_add_undone(struct okno_db *db, const struct review_ref *ref, const char *user,
                      int64_t now_us, struct okno_err *err)
{
    const struct okno_review_verdict undone = {.user = user, .verdict = "undone"};
    int64_t id = 0;
    int rc = OKNO_DB_RUN(
        db, "review.add_verdict", NULL, err, OKNO_INT("item", ref->item),
        OKNO_TEXT("audit", ref->audit), OKNO_TEXT("survey", ref->survey), OKNO_TEXT("user", user),
        OKNO_INT("at", now_us), OKNO_TEXT("verdict", "undone"), OKNO_TEXT("reason", NULL),
        OKNO_TEXT("comment", ""), OKNO_TEXT("correction", NULL), OKNO_TEXT("checklist", "{}"),
        OKNO_INT("reasons_version", okno_reasons_version()), OKNO_TEXT("watched", "[]"),
        OKNO_REAL("played_s", 0), OKNO_REAL("active_s", 0), OKNO_REAL("wall_s", 0),
        OKNO_INT("blinding_broken", 0), OKNO_INT("counted", 1),
        OKNO_INT("supersedes", ref->verdict));
    if (rc == 0)
        rc = OKNO_DB_INT(db, "review.newest_verdict_id", 0, &id, err, OKNO_INT("item", ref->item),
                         OKNO_TEXT("user", user));
    return rc < 0 ? rc : log_verdict(db, &undone, ref, id, true, now_us, err);
}

int review_add_verdict(struct okno_db *db, const struct okno_review_verdict *v,
                       const struct review_ref *ref, bool counted, int64_t at_us, int64_t *ret_id,
                       struct okno_err *err)
{
    int rc = add(db, v, ref, counted, at_us, err);
    if (rc == 0 && counted)
        rc = OKNO_DB_RUN(db, "review.decide", NULL, err, OKNO_INT("item", v->item));
    if (rc == 0 && counted && ref->part < 2)
        rc = review_settle(db, v->item, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "review.newest_verdict_id", 0, ret_id, err, OKNO_INT("item", v->item),
                         OKNO_TEXT("user", v->user));
    return rc < 0 ? rc : log_verdict(db, v, ref, *ret_id, counted, at_us, err);
}

/* Inside the transaction: store, unless this is a repeat. */
static int store(struct okno_db *db, const struct okno_review_verdict *v, int64_t now_us,
                 int64_t *ret_id, bool *ret_counted, struct okno_err *err)
{
    struct standing standing = {0};
    int rc = load_standing(db, v, now_us, &standing, err);
    if (rc == 0 && standing.ref.part > 2)
        rc = okno_fail(err, OKNO_REFUSED,
                       "an appeal is decided by its outcome: accept, partly, "
                       "reject");
    if (rc == 0 && !standing.holds_lease)
        rc = check_was_leased(db, v, err);
    if (rc == 0)
        rc = check_subject(db, v, standing.ref.survey, err);
    if (rc < 0)
        return rc;
    if (standing.decided && standing.holds_lease) {
        rc = find_repeat(db, v, ret_id, err);
        if (rc != 0) {
            *ret_counted = rc > 0;
            return rc < 0 ? rc : 0;
        }
    }
    bool counted = standing.live && !standing.decided;
    rc = review_add_verdict(db, v, &standing.ref, counted, now_us, ret_id, err);
    if (rc == 0)
        *ret_counted = counted;
    return rc;
}

int okno_review_submit(struct okno_db *db, const struct okno_review_verdict *verdict,
                       int64_t now_us, int64_t *ret_id, bool *ret_counted, struct okno_err *err)
{
    int64_t id = 0;
    bool counted = false;
    int rc = check(verdict, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = store(db, verdict, now_us, &id, &counted, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    if (rc < 0)
        return rc;
    *ret_id = id;
    *ret_counted = counted;
    return 0;
}

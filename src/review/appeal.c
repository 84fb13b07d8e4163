/* Appeals: filed, taken, decided, withdrawn. Lists are in appeal_list.c. */
#include "okno/appeal.h"

#include "okno/ledger.h"
#include "okno/reasons.h"
#include "okno/text.h"
#include "okno/time.h"
#include "review.h"

#include <string.h>

static int check_comment(const char *comment, struct okno_err *err)
{
    size_t len = comment ? strlen(comment) : 0;
    if (len == 0 || comment[strspn(comment, " \t\n")] == '\0')
        return okno_fail_field(err, OKNO_MISSING, "comment", "say why, in a comment");
    if (len > OKNO_APPEAL_COMMENT_MAX || !okno_text_is_plain(comment, true))
        return okno_fail_field(err, OKNO_INVALID, "comment",
                               "a comment is up to %d bytes of UTF-8 without control characters",
                               OKNO_APPEAL_COMMENT_MAX);
    return 0;
}

/* ---- filing ---- */

/* The survey as it counts when an appeal comes. */
struct subject {
    char employee[OKNO_ID_TEXT];
    char audit[80], origin[16];
    char verdict[16], correction[24];
    int64_t ruling; /* 0: none */
    int64_t closes_us, ruled_us;
    int64_t lost_us; /* 0: not known */
    int64_t waiting, decided, part;
    bool open, voided, kept, force_majeure;
};

static int load_subject(struct okno_db *db, const char *survey, struct subject *ret,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "appeal.subject", &row, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail_field(err, OKNO_NOT_FOUND, "survey", "there is no survey \"%s\"",
                               okno_text_show(survey, shown));
    if (rc < 0)
        return rc;
    okno_stmt_copy(row, "employee", ret->employee, sizeof(ret->employee));
    okno_stmt_copy(row, "audit", ret->audit, sizeof(ret->audit));
    okno_stmt_copy(row, "origin", ret->origin, sizeof(ret->origin));
    okno_stmt_copy(row, "verdict", ret->verdict, sizeof(ret->verdict));
    okno_stmt_copy(row, "correction", ret->correction, sizeof(ret->correction));
    ret->ruling = okno_stmt_int(row, "ruling");
    ret->closes_us = okno_stmt_int(row, "closes_at");
    ret->ruled_us = okno_stmt_int(row, "ruled_at");
    ret->lost_us = okno_stmt_int(row, "lost_at");
    ret->waiting = okno_stmt_int(row, "waiting");
    ret->decided = okno_stmt_int(row, "decided");
    ret->part = okno_stmt_int(row, "part");
    ret->open = okno_stmt_int(row, "open") != 0;
    ret->voided = okno_stmt_int(row, "voided") != 0;
    ret->kept = okno_stmt_int(row, "kept") != 0;
    ret->force_majeure = okno_stmt_int(row, "force_majeure") != 0;
    return 0;
}

/* Staff about their own surveys; managers about all that they are let to see. */
static int check_appellant(struct okno_db *db, const struct okno_appeal *appeal,
                           const struct subject *subject, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "appeal.user", &row, err, OKNO_TEXT("user", appeal->user));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail_field(err, OKNO_FORBIDDEN, "user", "there is no user \"%s\"",
                               okno_text_show(appeal->user, shown));
    if (rc < 0)
        return rc;
    const char *role = okno_stmt_text(row, "role");
    const char *employee = okno_stmt_text(row, "employee");
    if (strcmp(role, "manager") == 0)
        return 0;
    if (strcmp(role, "staff") != 0)
        return okno_fail_field(err, OKNO_FORBIDDEN, "user",
                               "user %s is %s; appeals come from staff and managers", appeal->user,
                               role);
    if (!employee[0] || strcmp(employee, subject->employee) != 0)
        return okno_fail_field(err, OKNO_FORBIDDEN, "user",
                               "survey %s does not count for you: staff appeal about their own",
                               appeal->survey);
    return 0;
}

static bool is_as_asked(const struct subject *s, const char *asks)
{
    if (strcmp(asks, "false_fm") == 0)
        return !s->force_majeure || strcmp(s->correction, "FALSE_FM") == 0;
    return strcmp(s->verdict[0] ? s->verdict : "valid", asks) == 0;
}

static int check_state(const struct okno_appeal *a, const struct subject *s, struct okno_err *err)
{
    if (s->open)
        return okno_fail(err, OKNO_REFUSED, "the window of survey %s is still open", a->survey);
    if (s->voided)
        return okno_fail(err, OKNO_REFUSED,
                         "survey %s is voided: what voided it has to be taken back", a->survey);
    if (s->waiting)
        return okno_fail(err, OKNO_REFUSED, "appeal %lld about survey %s waits for its decision",
                         (long long)s->waiting, a->survey);
    if (s->part >= 3 || s->decided)
        return okno_fail(err, OKNO_REFUSED, "an appeal about survey %s was decided: that is final",
                         a->survey);
    if (is_as_asked(s, a->asks))
        return okno_fail_field(err, OKNO_REFUSED, "asks", "survey %s counts as that already",
                               a->survey);
    return 0;
}

static int check_time(const struct okno_appeal *a, const struct subject *s, struct okno_err *err)
{
    char text[OKNO_TIME_TEXT];
    int64_t until_us = (s->ruling ? s->ruled_us : s->closes_us) + a->times.file_us;
    if (a->at_us > until_us)
        return okno_fail(err, OKNO_REFUSED, "survey %s could be appealed about until %s", a->survey,
                         okno_time_format(until_us, text));
    if (!s->kept && s->lost_us && s->lost_us <= a->at_us)
        return okno_fail(err, OKNO_REFUSED,
                         "the footage of survey %s was overwritten at %s: nobody could decide",
                         a->survey, okno_time_format(s->lost_us, text));
    return 0;
}

static int check_filing(struct okno_db *db, const struct okno_appeal *a,
                        struct subject *ret_subject, struct okno_err *err)
{
    int rc = load_subject(db, a->survey, ret_subject, err);
    if (rc == 0)
        rc = check_appellant(db, a, ret_subject, err);
    if (rc == 0)
        rc = check_state(a, ret_subject, err);
    return rc == 0 ? check_time(a, ret_subject, err) : rc;
}

/* When it is to be decided: before footage that is not kept yet is overwritten. */
static int64_t due_us(const struct okno_appeal *a, const struct subject *s)
{
    int64_t due = a->at_us + a->times.decide_us;
    return !s->kept && s->lost_us && s->lost_us < due ? s->lost_us : due;
}

static int log_entry(struct okno_db *db, const char *kind, int64_t subject, const char *audit,
                     const char *survey, const char *user, const char *comment, int64_t now_us,
                     json_t *json, struct okno_err *err)
{
    okno_autojson json_t *owned = json;
    char name[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char key[OKNO_SHA256_TEXT];
    char hash[OKNO_SHA256_TEXT];
    const struct okno_ledger_entry entry = {.kind = kind,
                                            .audit = audit,
                                            .subject = subject,
                                            .salt = okno_ledger_salt(salt),
                                            .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', user, name, err);
    if (rc < 0)
        return rc;
    (void)json_object_set_new(owned, "author", json_string(name));
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "survey", key), survey, hash);
    (void)json_object_set_new(owned, "survey", json_string(hash));
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "comment", key), comment, hash);
    (void)json_object_set_new(owned, "comment", json_string(hash));
    return owned ? okno_ledger_append(db, &entry, owned, NULL, err)
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the log");
}

static int fetch_footage(struct okno_db *db, const char *survey, int64_t now_us,
                         struct okno_err *err)
{
    static const char *const kinds[] = {"clip", "still"};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(kinds); i++)
        rc = OKNO_DB_RUN(db, "appeal.add_job", NULL, err, OKNO_TEXT("kind", kinds[i]),
                         OKNO_TEXT("survey", survey), OKNO_INT("now", now_us));
    return rc;
}

static int add_row(struct okno_db *db, const struct okno_appeal *a, const struct subject *s,
                   int64_t item, int64_t *ret_appeal, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "appeal.add", &stmt, err, OKNO_TEXT("survey", a->survey),
                             OKNO_INT("item", item), OKNO_INT("contested", s->ruling),
                             OKNO_TEXT("asks", a->asks), OKNO_TEXT("comment", a->comment),
                             OKNO_TEXT("user", a->user),
                             OKNO_TEXT("employee", s->employee[0] ? s->employee : NULL),
                             OKNO_INT("at", a->at_us), OKNO_INT("due_at", due_us(a, s)));
    if (rc == 0 && !s->ruling)
        rc = okno_stmt_bind_null(stmt, "contested", err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    *ret_appeal = okno_stmt_int(stmt, "appeal");
    return 0;
}

/* Beside the ruling that it is about; what nobody had decided on stays a targeted look. */
static int store(struct okno_db *db, const struct okno_appeal *a, int64_t *ret_appeal,
                 struct okno_err *err)
{
    struct subject s = {.ruling = 0};
    int64_t item = 0;
    int rc = check_filing(db, a, &s, err);
    if (rc == 0)
        rc = OKNO_DB_INT(
            db, "appeal.add_item", 0, &item, err, OKNO_TEXT("audit", s.ruling ? s.audit : "appeal"),
            OKNO_TEXT("survey", a->survey), OKNO_TEXT("origin", s.ruling ? s.origin : "targeted"));
    if (rc == 0)
        rc = add_row(db, a, &s, item, ret_appeal, err);
    if (rc == 0)
        rc = fetch_footage(db, a->survey, a->at_us, err);
    return rc < 0
               ? rc
               : log_entry(db, "appeal", *ret_appeal, s.ruling ? s.audit : NULL, a->survey, a->user,
                           a->comment, a->at_us, json_pack("{s:s}", "asks", a->asks), err);
}

static int finish(struct okno_db *db, int rc, struct okno_err *err)
{
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

int okno_appeal_add(struct okno_db *db, const struct okno_appeal *appeal, int64_t *ret_appeal,
                    struct okno_err *err)
{
    int64_t id = 0;
    int rc = check_comment(appeal->comment, err);
    if (rc == 0 && (!appeal->asks || !okno_text_is_word(appeal->asks, OKNO_APPEAL_ASKS)))
        rc = okno_fail_field(err, OKNO_INVALID, "asks", "an appeal asks for one of: %s",
                             OKNO_APPEAL_ASKS);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = finish(db, store(db, appeal, &id, err), err);
    if (rc == 0)
        *ret_appeal = id;
    return rc;
}

/* ---- deciding ---- */

/* An appeal as stored. */
struct stored {
    int64_t item, part;
    char survey[160], audit[80], user[OKNO_ID_TEXT], asks[16];
    char verdict[16], reason[40], correction[24]; /* what it is against; "" for none */
    char lease_user[OKNO_ID_TEXT], lease[OKNO_LEASE_TOKEN];
    int64_t lease_until_us;
    bool over;
};

static int load(struct okno_db *db, int64_t appeal, struct stored *ret, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "appeal.get", &row, err, OKNO_INT("appeal", appeal));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no appeal %lld", (long long)appeal);
    if (rc < 0)
        return rc;
    ret->item = okno_stmt_int(row, "item");
    ret->part = okno_stmt_int(row, "part");
    okno_stmt_copy(row, "survey", ret->survey, sizeof(ret->survey));
    okno_stmt_copy(row, "audit", ret->audit, sizeof(ret->audit));
    okno_stmt_copy(row, "user", ret->user, sizeof(ret->user));
    okno_stmt_copy(row, "asks", ret->asks, sizeof(ret->asks));
    okno_stmt_copy(row, "verdict", ret->verdict, sizeof(ret->verdict));
    okno_stmt_copy(row, "reason", ret->reason, sizeof(ret->reason));
    okno_stmt_copy(row, "correction", ret->correction, sizeof(ret->correction));
    okno_stmt_copy(row, "lease_user", ret->lease_user, sizeof(ret->lease_user));
    okno_stmt_copy(row, "lease_token", ret->lease, sizeof(ret->lease));
    ret->lease_until_us = okno_stmt_int(row, "lease_until");
    ret->over = !okno_stmt_is_null(row, "outcome");
    if (ret->over)
        return okno_fail(err, OKNO_REFUSED, "appeal %lld is decided (%s): that is final",
                         (long long)appeal, okno_stmt_text(row, "outcome"));
    return 0;
}

static int check_decider(struct okno_db *db, const struct stored *a, const char *user,
                         struct okno_err *err)
{
    int64_t barred = 0;
    int64_t own = 0;
    if (strcmp(a->user, user) == 0)
        return okno_fail(err, OKNO_FORBIDDEN, "this appeal is yours: somebody else decides it");
    int rc = OKNO_DB_INT(db, "appeal.barred", 0, &barred, err, OKNO_TEXT("survey", a->survey),
                         OKNO_TEXT("user", user), OKNO_TEXT("appellant", a->user));
    if (rc == 0 && barred == 3)
        rc = okno_fail(err, OKNO_FORBIDDEN,
                       "this appeal is by another login of yours: somebody else decides it");
    if (rc == 0)
        rc = OKNO_DB_INT(db, "review.is_own", 0, &own, err, OKNO_TEXT("survey", a->survey),
                         OKNO_TEXT("user", user));
    if (rc == 0 && barred)
        rc = okno_fail(err, OKNO_FORBIDDEN,
                       "you have decided on this survey before: somebody else decides the appeal");
    if (rc == 0 && own)
        rc = okno_fail(err, OKNO_FORBIDDEN, "you serve at that point: somebody else decides");
    return rc;
}

static int take(struct okno_db *db, int64_t appeal, const char *user, int64_t lease_us,
                int64_t now_us, int64_t *ret_item, struct okno_err *err)
{
    struct stored a = {.item = 0};
    int rc = load(db, appeal, &a, err);
    if (rc == 0)
        rc = check_decider(db, &a, user, err);
    if (rc == 0 && a.lease_until_us > now_us && strcmp(a.lease_user, user) != 0)
        rc = okno_fail(err, OKNO_REFUSED, "somebody else is deciding appeal %lld",
                       (long long)appeal);
    *ret_item = a.item;
    return rc < 0 ? rc : review_lease(db, a.item, user, now_us + lease_us, err);
}

static int add_appeal(struct okno_db *db, int64_t appeal, json_t *item, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "appeal.get", &row, err, OKNO_INT("appeal", appeal));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    json_t *json =
        json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "appeal", (json_int_t)appeal, "asks",
                  okno_stmt_text(row, "asks"), "comment", okno_stmt_text(row, "comment"), "at",
                  okno_json_time(okno_stmt_int(row, "at")), "due_at",
                  okno_json_time(okno_stmt_int(row, "due_at")), "verdict",
                  okno_json_text(okno_stmt_text(row, "verdict")), "reason",
                  okno_json_text(okno_stmt_text(row, "reason")), "correction",
                  okno_json_text(okno_stmt_text(row, "correction")));
    return json_object_set_new(item, "appeal", json) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the appeal")
               : 0;
}

int okno_appeal_take(struct okno_db *db, int64_t appeal, const char *user, int64_t lease_us,
                     int64_t now_us, json_t **ret_item, struct okno_err *err)
{
    okno_autojson json_t *json = NULL;
    int64_t item = 0;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = finish(db, take(db, appeal, user, lease_us, now_us, &item, err), err);
    if (rc == 0)
        rc = review_item_json(db, item, user, &json, err);
    if (rc == 0)
        rc = add_appeal(db, appeal, json, err);
    if (rc == 0)
        *ret_item = json_incref(json);
    return rc;
}

/* What the survey counts as from now on; verdict NULL: as before. */
static struct okno_review_verdict outcome_of(const struct okno_appeal_decision *d,
                                             const struct stored *a)
{
    struct okno_review_verdict v = {.item = a->item,
                                    .user = d->user,
                                    .comment = d->comment,
                                    .watched = d->watched,
                                    .played_s = d->played_s};
    bool accept = strcmp(d->outcome, "accept") == 0;
    if (strcmp(d->outcome, "reject") == 0)
        return v;
    v.verdict = !accept ? d->verdict : strcmp(a->asks, "false_fm") == 0 ? "valid" : a->asks;
    v.reason = accept && strcmp(a->asks, "invalid") != 0 ? NULL : d->reason;
    v.correction = !accept ? d->correction : strcmp(a->asks, "false_fm") == 0 ? "FALSE_FM" : NULL;
    return v;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static int check_partly(const struct okno_review_verdict *v, const struct stored *a,
                        struct okno_err *err)
{
    const char *before = a->verdict[0] ? a->verdict : "valid";
    if (!v->verdict)
        return okno_fail_field(err, OKNO_MISSING, "verdict",
                               "partly: say what the survey counts as instead");
    if (strcmp(v->verdict, before) == 0 && strcmp(or_empty(v->reason), a->reason) == 0 &&
        strcmp(or_empty(v->correction), a->correction) == 0)
        return okno_fail_field(err, OKNO_INVALID, "verdict",
                               "that is what stands: reject the appeal instead");
    if (strcmp(v->verdict, a->asks) == 0 && !v->correction)
        return okno_fail_field(err, OKNO_INVALID, "verdict",
                               "that is what is asked: accept the appeal instead");
    return 0;
}

static int add_decision(struct okno_db *db, const struct okno_appeal_decision *d, int64_t verdict,
                        int64_t now_us, int64_t *ret_id, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "appeal.decide", &stmt, err, OKNO_INT("appeal", d->appeal),
                             OKNO_TEXT("outcome", d->outcome), OKNO_INT("verdict", verdict),
                             OKNO_TEXT("comment", d->comment), OKNO_TEXT("user", d->user),
                             OKNO_INT("at", now_us));
    if (rc == 0 && !verdict)
        rc = okno_stmt_bind_null(stmt, "verdict", err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    *ret_id = okno_stmt_int(stmt, "id");
    return 0;
}

static int end(struct okno_db *db, const struct okno_appeal_decision *d, const struct stored *a,
               int64_t verdict, int64_t now_us, struct okno_err *err)
{
    int64_t id = 0;
    bool withdrawn = strcmp(d->outcome, "withdrawn") == 0;
    int rc = add_decision(db, d, verdict, now_us, &id, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "appeal.close_item", NULL, err, OKNO_INT("item", a->item),
                         OKNO_INT("withdrawn", withdrawn));
    return rc < 0 ? rc
                  : log_entry(db, "appeal-decision", id, strchr(a->audit, ':') ? NULL : a->audit,
                              a->survey, d->user, d->comment, now_us,
                              json_pack("{s:s, s:I}", "outcome", d->outcome, "appeal",
                                        (json_int_t)d->appeal),
                              err);
}

static int decide(struct okno_db *db, const struct okno_appeal_decision *d, int64_t now_us,
                  struct okno_err *err)
{
    struct stored a = {.item = 0};
    int64_t verdict = 0;
    int rc = load(db, d->appeal, &a, err);
    if (rc == 0)
        rc = check_decider(db, &a, d->user, err);
    if (rc == 0 && (!d->lease || a.lease_until_us <= now_us || strcmp(a.lease_user, d->user) != 0 ||
                    strcmp(a.lease, d->lease) != 0))
        rc = okno_fail(err, OKNO_LEASE_LOST, "appeal %lld is not yours to decide: take it again",
                       (long long)d->appeal);
    if (rc < 0)
        return rc;
    const struct okno_review_verdict v = outcome_of(d, &a);
    struct review_ref ref = {.item = a.item, .part = a.part};
    (void)snprintf(ref.audit, sizeof(ref.audit), "%s", a.audit);
    (void)snprintf(ref.survey, sizeof(ref.survey), "%s", a.survey);
    if (strcmp(d->outcome, "partly") == 0)
        rc = check_partly(&v, &a, err);
    if (rc == 0 && v.verdict)
        rc = review_check_verdict(db, &v, a.survey, err);
    if (rc == 0 && v.verdict)
        rc = review_add_verdict(db, &v, &ref, true, now_us, &verdict, err);
    return rc < 0 ? rc : end(db, d, &a, verdict, now_us, err);
}

int okno_appeal_decide(struct okno_db *db, const struct okno_appeal_decision *decision,
                       int64_t now_us, struct okno_err *err)
{
    int rc = check_comment(decision->comment, err);
    if (rc == 0 &&
        (!decision->outcome || !okno_text_is_word(decision->outcome, OKNO_APPEAL_OUTCOMES)))
        rc = okno_fail_field(err, OKNO_INVALID, "outcome", "the outcome is one of: %s",
                             OKNO_APPEAL_OUTCOMES);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    return rc < 0 ? rc : finish(db, decide(db, decision, now_us, err), err);
}

static int withdraw(struct okno_db *db, int64_t appeal, const char *user, int64_t now_us,
                    struct okno_err *err)
{
    struct stored a = {.item = 0};
    const struct okno_appeal_decision d = {
        .appeal = appeal, .user = user, .outcome = "withdrawn", .comment = ""};
    int rc = load(db, appeal, &a, err);
    if (rc == 0 && strcmp(a.user, user) != 0)
        rc = okno_fail(err, OKNO_FORBIDDEN, "this appeal is not yours");
    return rc < 0 ? rc : end(db, &d, &a, 0, now_us, err);
}

int okno_appeal_withdraw(struct okno_db *db, int64_t appeal, const char *user, int64_t now_us,
                         struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    return rc < 0 ? rc : finish(db, withdraw(db, appeal, user, now_us, err), err);
}

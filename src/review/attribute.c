/* Attribution decisions: who a survey is counted for. */
#include "okno/attribution.h"

#include "okno/grant.h"
#include "okno/json.h"
#include "okno/ledger.h"
#include "okno/text.h"

#include <stdlib.h>
#include <string.h>

enum { REASON_BYTES_MAX = 1000 };

static const char unassigned[] = "unassigned";

/* What is decided, from the request and the registry. */
struct decision {
    const struct okno_attribution *request;
    const char *employee; /* NULL: unassigned */
    char author[OKNO_ID_TEXT];
    char author_employee[OKNO_ID_TEXT]; /* who the author is at the points; "" for nobody */
    char *sites;                        /* that the author sees; NULL: all; owned */
};

static int check_reason(const char *reason, struct okno_err *err)
{
    if (!reason || reason[strspn(reason, " ")] == '\0')
        return okno_fail_field(err, OKNO_MISSING, "reason", "an attribution needs a reason");
    if (strlen(reason) > REASON_BYTES_MAX || !okno_text_is_plain(reason, false))
        return okno_fail_field(err, OKNO_INVALID, "reason",
                               "a reason is up to %d bytes of UTF-8 without control characters",
                               REASON_BYTES_MAX);
    return 0;
}

static int load_author(struct okno_db *db, struct decision *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    const char *name = d->request->author;
    int rc = OKNO_DB_PREPARE(db, "attribution.author", &stmt, err, OKNO_TEXT("user", name));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail_field(err, name ? OKNO_UNKNOWN_REF : OKNO_MISSING, "user",
                               name ? "there is no user \"%s\"" : "there is no administrator%s",
                               okno_text_show(name ? name : "", shown));
    if (rc < 0)
        return rc;
    const char *role = okno_stmt_text(stmt, "role");
    if (!okno_text_is_word(role, "manager administrator"))
        return okno_fail_field(err, OKNO_FORBIDDEN, "user",
                               "user %s is %s; attribution takes a manager or an administrator",
                               okno_stmt_text(stmt, "user"), role);
    okno_stmt_copy(stmt, "user", d->author, sizeof(d->author));
    okno_stmt_copy(stmt, "employee", d->author_employee, sizeof(d->author_employee));
    return okno_grant_sites(db, d->author, role, &d->sites, err);
}

/* Whom the author may see: who has a shift at one of the sites. */
static int check_right(struct okno_db *db, const struct decision *d, struct okno_err *err)
{
    int64_t seen = 1;
    int rc = d->sites ? OKNO_DB_INT(db, "attribution.sees_survey", 1, &seen, err,
                                    OKNO_TEXT("survey", d->request->survey),
                                    OKNO_TEXT("sites", d->sites))
                      : 0;
    if (rc == 0 && !seen)
        return okno_fail_field(err, OKNO_FORBIDDEN, "survey",
                               "survey %s is of a site that is not granted to %s",
                               d->request->survey, d->author);
    if (rc == 0 && d->sites && d->employee)
        rc = OKNO_DB_INT(db, "attribution.sees_employee", 1, &seen, err,
                         OKNO_TEXT("employee", d->employee), OKNO_TEXT("sites", d->sites));
    if (rc == 0 && !seen)
        return okno_fail_field(err, OKNO_FORBIDDEN, "employee",
                               "%s has no shift at a site that is granted to %s", d->employee,
                               d->author);
    return rc;
}

static int check_employee(struct okno_db *db, struct decision *d, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    const char *employee = d->request->employee;
    int64_t known = 0;
    if (d->request->undo)
        return 0;
    if (!employee || !*employee)
        return okno_fail_field(err, OKNO_MISSING, "employee",
                               "say whose it is: an employee, or unassigned");
    if (strcmp(employee, unassigned) == 0)
        return 0;
    int rc = OKNO_DB_INT(db, "attribution.knows_employee", 0, &known, err,
                         OKNO_TEXT("employee", employee));
    if (rc == 0 && !known)
        rc = okno_fail_field(err, OKNO_UNKNOWN_REF, "employee", "there is no employee \"%s\"",
                             okno_text_show(employee, shown));
    d->employee = employee;
    return rc;
}

static bool is_own(const struct decision *d, const char *employee)
{
    return d->author_employee[0] && employee && strcmp(d->author_employee, employee) == 0;
}

/* What stands now, against what is asked. */
static int check_change(const struct decision *d, const char *now, bool moved, struct okno_err *err)
{
    if (d->request->undo && !moved)
        return okno_fail(err, OKNO_REFUSED, "survey %s was not moved: there is nothing to undo",
                         d->request->survey);
    bool same = strcmp(now ? now : "", d->employee ? d->employee : "") == 0;
    if (!d->request->undo && same)
        return okno_fail_field(err, OKNO_REFUSED, "employee", "survey %s is %s%s already",
                               d->request->survey, now ? "of " : "", now ? now : unassigned);
    if (is_own(d, now) || is_own(d, d->employee))
        return okno_fail_field(err, OKNO_REFUSED, "user",
                               "%s is %s at the points: nobody decides about own surveys",
                               d->author, d->author_employee);
    return 0;
}

static int check_survey(struct okno_db *db, const struct decision *d, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "attribution.subject", &stmt, err,
                             OKNO_TEXT("survey", d->request->survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no survey \"%s\"",
                         okno_text_show(d->request->survey, shown));
    if (rc < 0)
        return rc;
    return check_change(d, okno_stmt_text(stmt, "employee"), okno_stmt_int(stmt, "moved") != 0,
                        err);
}

/* Survey and reason as salted hashes, people by pseudonyms. */
static json_t *entry_json(const struct decision *d, const char *author, const char *employee,
                          const char *salt)
{
    char key[OKNO_SHA256_TEXT];
    char survey[OKNO_SHA256_TEXT];
    char reason[OKNO_SHA256_TEXT];
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "survey", key), d->request->survey, survey);
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "reason", key), d->request->reason, reason);
    return json_pack("{s:s, s:s, s:s?, s:b, s:s}", "survey", survey, "author", author, "employee",
                     employee, "undo", (int)d->request->undo, "reason", reason);
}

static int log_decision(struct okno_db *db, const struct decision *d, int64_t id,
                        struct okno_err *err)
{
    char author[OKNO_PSEUDONYM_TEXT];
    char employee[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    const struct okno_ledger_entry entry = {.kind = "attribution",
                                            .subject = id,
                                            .salt = okno_ledger_salt(salt),
                                            .at_us = d->request->at_us};
    int rc = okno_ledger_pseudonym(db, 'R', d->author, author, err);
    if (rc == 0 && d->employee)
        rc = okno_ledger_pseudonym(db, 'E', d->employee, employee, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = entry_json(d, author, d->employee ? employee : NULL, salt);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

static int decide(struct okno_db *db, struct decision *d, int64_t *ret_id, struct okno_err *err)
{
    const struct okno_attribution *r = d->request;
    int rc = load_author(db, d, err);
    if (rc == 0)
        rc = check_employee(db, d, err);
    if (rc == 0)
        rc = check_survey(db, d, err);
    if (rc == 0)
        rc = check_right(db, d, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "attribution.add", 0, ret_id, err, OKNO_TEXT("survey", r->survey),
                         OKNO_TEXT("employee", d->employee), OKNO_INT("undone", r->undo),
                         OKNO_INT("at", r->at_us), OKNO_TEXT("author", d->author),
                         OKNO_TEXT("reason", r->reason));
    return rc < 0 ? rc : log_decision(db, d, *ret_id, err);
}

int okno_attribution_on_shift(struct okno_db *db, const char *survey, const char *employee,
                              bool *ret_on_shift, struct okno_err *err)
{
    int64_t on_shift = 0;
    int rc = OKNO_DB_INT(db, "attribution.on_shift", 0, &on_shift, err, OKNO_TEXT("survey", survey),
                         OKNO_TEXT("employee", employee));
    if (rc == 0)
        *ret_on_shift = on_shift != 0;
    return rc;
}

int okno_attribution_decide(struct okno_db *db, const struct okno_attribution *request,
                            int64_t *ret_id, struct okno_err *err)
{
    struct decision decision = {.request = request};
    int64_t id = 0;
    int rc = check_reason(request->reason, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = decide(db, &decision, &id, err);
    free(decision.sites);
    if (rc < 0) {
        okno_db_rollback(db);
        return rc;
    }
    rc = okno_db_commit(db, err);
    if (rc == 0)
        *ret_id = id;
    return rc;
}

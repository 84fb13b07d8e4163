/* Voids by hand: a reason, two people, never inside a frozen frame. */
#include "void.h"

#include "okno/json.h"
#include "okno/ledger.h"
#include "okno/text.h"

#include <inttypes.h>
#include <string.h>

enum { REASON_BYTES_MAX = 1000 };

int survey_void_check_reason(const char *reason, struct okno_err *err)
{
    if (!reason || reason[strspn(reason, " ")] == '\0')
        return okno_fail_field(err, OKNO_MISSING, "reason", "a void needs a reason");
    if (strlen(reason) > REASON_BYTES_MAX || !okno_text_is_plain(reason, false))
        return okno_fail_field(err, OKNO_INVALID, "reason",
                               "a reason is up to 1000 bytes of UTF-8 without control characters");
    return 0;
}

static int require_user(struct okno_db *db, const char *field, const char *user,
                        struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    int64_t known = 0;
    if (!user || !*user)
        return okno_fail_field(err, OKNO_MISSING, field,
                               "a void needs a second person: name the user");
    int rc = OKNO_DB_INT(db, "survey.knows_user", 0, &known, err, OKNO_TEXT("user", user));
    if (rc == 0 && !known)
        return okno_fail_field(err, OKNO_UNKNOWN_REF, field,
                               "there is no user \"%s\" who may void (staff may not)",
                               okno_text_show(user, shown));
    return rc;
}

static int find_author(struct okno_db *db, const char *author, char ret_author[OKNO_ID_TEXT],
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    if (author) {
        int rc = require_user(db, "user", author, err);
        if (rc == 0)
            (void)snprintf(ret_author, OKNO_ID_TEXT, "%s", author);
        return rc;
    }
    int rc = okno_db_prepare(db, "survey.first_administrator", NULL, 0, &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail_field(err, OKNO_MISSING, "user", "there is no administrator: name a user");
    if (rc < 0)
        return rc;
    (void)snprintf(ret_author, OKNO_ID_TEXT, "%s", okno_stmt_text(stmt, "user"));
    return 0;
}

static int check_survey(struct okno_db *db, const struct okno_survey_void *request,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char shown[OKNO_TEXT_SHOWN];
    const char *survey = okno_text_show(request->survey, shown);
    int rc = OKNO_DB_PREPARE(db, "survey.stands", &stmt, err, OKNO_TEXT("survey", request->survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no survey \"%s\"", survey);
    if (!okno_stmt_is_null(stmt, "frozen_in"))
        return okno_fail(err, OKNO_REFUSED,
                         "survey %s is in the frozen frame of audit %s: it cannot be %s any more",
                         survey, okno_stmt_text(stmt, "frozen_in"),
                         request->voided ? "voided" : "unvoided");
    if ((okno_stmt_int(stmt, "voided") != 0) == request->voided)
        return okno_fail(err, OKNO_REFUSED, "survey %s is %s", survey,
                         request->voided ? "voided already" : "not voided");
    return 0;
}

/* Two logins of one employee are one person. */
static int refuse_one_person(struct okno_db *db, const char *author, const char *second,
                             struct okno_err *err)
{
    int64_t one = 0;
    int rc = OKNO_DB_INT(db, "survey.is_one_person", 0, &one, err, OKNO_TEXT("user", author),
                         OKNO_TEXT("second", second));
    if (rc == 0 && (one || strcmp(author, second) == 0))
        rc = okno_fail_field(err, OKNO_REFUSED, "second",
                             "the second person must be another than %s, who asks", author);
    return rc;
}

/* Who asks, and that another agrees. */
static int check_people(struct okno_db *db, const struct okno_survey_void *request,
                        char ret_author[OKNO_ID_TEXT], struct okno_err *err)
{
    int rc = find_author(db, request->author, ret_author, err);
    if (rc == 0)
        rc = require_user(db, "second", request->second, err);
    return rc < 0 ? rc : refuse_one_person(db, ret_author, request->second, err);
}

/* Nobody decides about the own surveys. */
int survey_void_refuse_own(struct okno_db *db, const char *survey, const char *user,
                           struct okno_err *err)
{
    int64_t own = 0;
    int rc = OKNO_DB_INT(db, "survey.is_own", 0, &own, err, OKNO_TEXT("survey", survey),
                         OKNO_TEXT("user", user));
    if (rc == 0 && own)
        rc = okno_fail(err, OKNO_REFUSED, "survey %s counts for %s, who cannot decide about it",
                       survey, user);
    return rc;
}

int survey_void_check(struct okno_db *db, const struct okno_survey_void *request,
                      struct okno_err *err)
{
    int rc = require_user(db, "user", request->author, err);
    if (rc == 0)
        rc = check_survey(db, request, err);
    return rc < 0 ? rc : survey_void_refuse_own(db, request->survey, request->author, err);
}

/* Survey and reason as salted hashes, people by pseudonyms; of an import its number and how many.
 */
static json_t *entry_json(const struct okno_survey_void *r, const char *author, const char *second,
                          int64_t count, const char *salt)
{
    char key[OKNO_SHA256_TEXT];
    char survey[OKNO_SHA256_TEXT];
    char reason[OKNO_SHA256_TEXT];
    if (r->survey)
        (void)okno_ledger_hide(okno_ledger_salt_for(salt, "survey", key), r->survey, survey);
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "reason", key), r->reason, reason);
    return json_pack("{s:s?, s:o, s:I, s:b, s:s, s:s, s:s}", "survey", r->survey ? survey : NULL,
                     "import", r->survey ? json_null() : json_integer((json_int_t)r->import),
                     "count", (json_int_t)count, "voided", (int)r->voided, "author", author,
                     "second", second, "reason", reason);
}

static int log_void(struct okno_db *db, const struct okno_survey_void *r, const char *author,
                    int64_t count, struct okno_err *err)
{
    char first[OKNO_PSEUDONYM_TEXT];
    char second[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    int64_t id = 0;
    int rc = okno_db_int(db, "survey.newest_void", NULL, 0, 0, &id, err);
    if (rc == 0)
        rc = okno_ledger_pseudonym(db, 'R', author, first, err);
    if (rc == 0)
        rc = okno_ledger_pseudonym(db, 'R', r->second, second, err);
    if (rc < 0)
        return rc;
    const struct okno_ledger_entry entry = {
        .kind = "void", .subject = id, .salt = okno_ledger_salt(salt), .at_us = r->at_us};
    okno_autojson json_t *json = entry_json(r, first, second, count, salt);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

int survey_void_set(struct okno_db *db, const struct okno_survey_void *request, int64_t *ret_count,
                    struct okno_err *err)
{
    char author[OKNO_ID_TEXT];
    int rc = check_people(db, request, author, err);
    if (rc == 0)
        rc = check_survey(db, request, err);
    if (rc == 0)
        rc = survey_void_refuse_own(db, request->survey, author, err);
    if (rc == 0)
        rc = survey_void_refuse_own(db, request->survey, request->second, err);
    if (rc == 0)
        rc =
            OKNO_DB_RUN(db, "survey.add_void", ret_count, err, OKNO_TEXT("survey", request->survey),
                        OKNO_INT("voided", request->voided), OKNO_INT("at", request->at_us),
                        OKNO_TEXT("author", author), OKNO_TEXT("second", request->second),
                        OKNO_TEXT("reason", request->reason));
    return rc < 0 ? rc : log_void(db, request, author, 1, err);
}

static int check_import(struct okno_db *db, int64_t import, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "survey.import_kind", &stmt, err, OKNO_INT("import", import));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail_field(err, OKNO_NOT_FOUND, "import", "there is no import %" PRId64,
                               import);
    if (rc == 1 && strcmp(okno_stmt_text(stmt, "kind"), "events") != 0)
        return okno_fail_field(err, OKNO_INVALID, "import",
                               "import %" PRId64 " brought %s, not events", import,
                               okno_stmt_text(stmt, "kind"));
    return rc < 0 ? rc : 0;
}

static int check_frames(struct okno_db *db, const struct okno_survey_void *request,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "survey.import_frozen", &stmt, err,
                             OKNO_INT("import", request->import));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        return okno_fail(err, OKNO_REFUSED,
                         "%" PRId64 " of import %" PRId64
                         " are in the frozen frame of audit %s: "
                         "nothing of it can be %s any more",
                         okno_stmt_int(stmt, "count"), request->import,
                         okno_stmt_text(stmt, "audit"), request->voided ? "voided" : "unvoided");
    return rc;
}

/* Among many surveys are own ones as well. */
static int refuse_own_import(struct okno_db *db, int64_t import, const char *user,
                             struct okno_err *err)
{
    int64_t own = 0;
    int rc = OKNO_DB_INT(db, "survey.import_is_own", 0, &own, err, OKNO_INT("import", import),
                         OKNO_TEXT("user", user));
    if (rc == 0 && own)
        rc = okno_fail(err, OKNO_REFUSED,
                       "surveys of import %" PRId64 " count for %s, who cannot decide about them",
                       import, user);
    return rc;
}

static int void_import(struct okno_db *db, const struct okno_survey_void *request,
                       int64_t *ret_count, struct okno_err *err)
{
    char author[OKNO_ID_TEXT];
    const char *name = request->voided ? "survey.void_import" : "survey.unvoid_import";
    int rc = check_people(db, request, author, err);
    if (rc == 0)
        rc = check_import(db, request->import, err);
    if (rc == 0)
        rc = check_frames(db, request, err);
    if (rc == 0)
        rc = refuse_own_import(db, request->import, author, err);
    if (rc == 0)
        rc = refuse_own_import(db, request->import, request->second, err);
    if (rc == 0)
        rc =
            OKNO_DB_RUN(db, name, ret_count, err, OKNO_INT("import", request->import),
                        OKNO_INT("at", request->at_us), OKNO_TEXT("author", author),
                        OKNO_TEXT("second", request->second), OKNO_TEXT("reason", request->reason));
    if (rc == 0 && *ret_count == 0)
        rc = okno_fail(err, OKNO_REFUSED, "import %" PRId64 " has nothing left that could be %s",
                       request->import, request->voided ? "voided" : "unvoided");
    return rc < 0 ? rc : log_void(db, request, author, *ret_count, err);
}

static int decide(struct okno_db *db, const struct okno_survey_void *request,
                  int (*change)(struct okno_db *db, const struct okno_survey_void *request,
                                int64_t *ret_count, struct okno_err *err),
                  int64_t *ret_count, struct okno_err *err)
{
    int64_t count = 0;
    int rc = survey_void_check_reason(request->reason, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = change(db, request, &count, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    if (rc == 0)
        *ret_count = count;
    return rc;
}

int okno_survey_set_void(struct okno_db *db, const struct okno_survey_void *request,
                         struct okno_err *err)
{
    int64_t ignored = 0;
    return decide(db, request, survey_void_set, &ignored, err);
}

int okno_survey_void_import(struct okno_db *db, const struct okno_survey_void *request,
                            int64_t *ret_count, struct okno_err *err)
{
    return decide(db, request, void_import, ret_count, err);
}

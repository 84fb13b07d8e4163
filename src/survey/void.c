/* Voids by hand: a reason, two people, never inside a frozen frame. */
#include "okno/survey.h"
#include "okno/text.h"

#include <string.h>

enum { REASON_BYTES_MAX = 1000 };

static int check_reason(const char *reason, struct okno_err *err)
{
    if (!reason || reason[strspn(reason, " ")] == '\0')
        return okno_fail_field(err, OKNO_MISSING, "reason", "a void needs a reason");
    bool printable = true;
    for (const char *c = reason; *c; c++)
        printable &= (unsigned char)*c >= ' ' && *c != 0x7f;
    if (strlen(reason) > REASON_BYTES_MAX || !printable ||
        !okno_text_is_utf8(reason, strlen(reason)))
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
        return okno_fail_field(err, OKNO_UNKNOWN_REF, field, "there is no user \"%s\"",
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

static int set_void(struct okno_db *db, const struct okno_survey_void *request,
                    struct okno_err *err)
{
    char author[OKNO_ID_TEXT];
    int rc = find_author(db, request->author, author, err);
    if (rc == 0)
        rc = require_user(db, "second", request->second, err);
    if (rc == 0 && strcmp(author, request->second) == 0)
        rc = okno_fail_field(err, OKNO_REFUSED, "second",
                             "the second person must be another than %s, who asks", author);
    if (rc == 0)
        rc = check_survey(db, request, err);
    return rc < 0
               ? rc
               : OKNO_DB_RUN(db, "survey.add_void", NULL, err, OKNO_TEXT("survey", request->survey),
                             OKNO_INT("voided", request->voided), OKNO_INT("at", request->at_us),
                             OKNO_TEXT("author", author), OKNO_TEXT("second", request->second),
                             OKNO_TEXT("reason", request->reason));
}

int okno_survey_set_void(struct okno_db *db, const struct okno_survey_void *request,
                         struct okno_err *err)
{
    int rc = check_reason(request->reason, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = set_void(db, request, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

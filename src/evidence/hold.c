/* What stops retention by hand. */
#include "okno/purge.h"

#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/rows.h"
#include "okno/text.h"

#include <string.h>

enum { REASON_MAX = 1000 };

static int check_reason(const char *reason, struct okno_err *err)
{
    if (!reason || !*reason)
        return okno_fail_field(err, OKNO_MISSING, "reason", "reason: why is it held or released?");
    if (strlen(reason) > REASON_MAX || !okno_text_is_plain(reason, false))
        return okno_fail_field(err, OKNO_INVALID, "reason",
                               "reason: up to %d bytes of UTF-8 without control characters are "
                               "allowed",
                               REASON_MAX);
    return 0;
}

static int check_scope(struct okno_db *db, const struct okno_hold *hold, int64_t now_us,
                       struct okno_err *err)
{
    bool timed = hold->from_us >= 0 && hold->to_us > hold->from_us;
    int64_t known = 0;
    if (!!hold->survey + !!hold->audit + timed != 1 ||
        (!timed && (hold->from_us >= 0 || hold->to_us >= 0 || hold->site)))
        return okno_fail_field(err, OKNO_INVALID, "survey",
                               "say what is held: a survey, an audit, or a time from and to (and a "
                               "site)");
    if (hold->until_us >= 0 && hold->until_us <= now_us)
        return okno_fail_field(err, OKNO_INVALID, "until", "until: this time is over already");
    int rc = OKNO_DB_INT(db, "hold.knows", 0, &known, err, OKNO_TEXT("survey", hold->survey),
                         OKNO_TEXT("audit", hold->audit), OKNO_TEXT("site", hold->site));
    if (rc == 0 && !known)
        rc = okno_fail_field(err, OKNO_UNKNOWN_REF,
                             hold->survey  ? "survey"
                             : hold->audit ? "audit"
                                           : "site",
                             "there is no %s %s%s",
                             hold->survey  ? "survey"
                             : hold->audit ? "audit"
                                           : "site",
                             hold->survey  ? hold->survey
                             : hold->audit ? hold->audit
                                           : hold->site,
                             hold->survey  ? ": see `okno survey list`"
                             : hold->audit ? ": see `okno audit list`"
                                           : ": sites are imported first");
    return rc;
}

static int log_hold(struct okno_db *db, int64_t hold, const char *what, const char *reason,
                    const char *author, int64_t now_us, struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char purpose[OKNO_SHA256_TEXT];
    char hidden[OKNO_SHA256_TEXT];
    int rc = okno_ledger_pseudonym(db, 'R', author, name, err);
    if (rc < 0)
        return rc;
    (void)okno_ledger_salt(salt);
    (void)okno_ledger_salt_for(salt, "reason", purpose);
    const struct okno_ledger_entry entry = {
        .kind = "hold", .subject = hold, .salt = salt, .at_us = now_us};
    okno_autojson json_t *json =
        json_pack("{s:I, s:s, s:s, s:s}", "hold", (json_int_t)hold, "what", what, "author", name,
                  "reason", okno_ledger_hide(purpose, reason, hidden));
    return okno_ledger_append(db, &entry, json, NULL, err);
}

static int finish(struct okno_db *db, int rc, struct okno_err *err)
{
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

int okno_hold_add(struct okno_db *db, const struct okno_hold *hold, int64_t now_us,
                  int64_t *ret_hold, struct okno_err *err)
{
    int64_t id = 0;
    int rc = check_reason(hold->reason, err);
    if (rc == 0)
        rc = check_scope(db, hold, now_us, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_INT(db, "hold.add", 0, &id, err, OKNO_TEXT("survey", hold->survey),
                     OKNO_TEXT("audit", hold->audit), OKNO_TEXT("site", hold->site),
                     OKNO_INT("from", hold->from_us), OKNO_INT("to", hold->to_us),
                     OKNO_INT("until", hold->until_us), OKNO_TEXT("reason", hold->reason),
                     OKNO_INT("now", now_us), OKNO_TEXT("author", hold->author));
    if (rc == 0)
        rc = log_hold(db, id, "add", hold->reason, hold->author, now_us, err);
    rc = finish(db, rc, err);
    if (rc == 0)
        *ret_hold = id;
    return rc;
}

static int release(struct okno_db *db, int64_t hold, const char *reason, const char *author,
                   int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "hold.get", &row, err, OKNO_INT("hold", hold));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no hold %lld: see `okno hold list`",
                         (long long)hold);
    if (rc == 1 && !okno_stmt_is_null(row, "released_at"))
        return okno_fail(err, OKNO_CONFLICT, "hold %lld is released already", (long long)hold);
    if (rc < 0)
        return rc;
    okno_stmt_reset(row);
    rc = OKNO_DB_RUN(db, "hold.release", NULL, err, OKNO_INT("hold", hold), OKNO_INT("now", now_us),
                     OKNO_TEXT("author", author), OKNO_TEXT("reason", reason));
    return rc == 0 ? log_hold(db, hold, "release", reason, author, now_us, err) : rc;
}

int okno_hold_release(struct okno_db *db, int64_t hold, const char *reason, const char *author,
                      int64_t now_us, struct okno_err *err)
{
    int rc = check_reason(reason, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = release(db, hold, reason, author, now_us, err);
    return finish(db, rc, err);
}

static json_t *hold_json(struct okno_stmt *row)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o}", "hold",
                     (json_int_t)okno_stmt_int(row, "id"), "survey", okno_row_text(row, "survey"),
                     "audit", okno_row_text(row, "audit"), "site", okno_row_text(row, "site"),
                     "from", okno_row_time(row, "from_at"), "to", okno_row_time(row, "to_at"),
                     "until", okno_row_time(row, "until"), "reason", okno_stmt_text(row, "reason"),
                     "at", okno_row_time(row, "at"), "author", okno_stmt_text(row, "author"),
                     "released_at", okno_row_time(row, "released_at"), "released_by",
                     okno_row_text(row, "released_by"), "release_reason",
                     okno_row_text(row, "release_reason"));
}

int okno_hold_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "hold.list", &rows, err);
    return rc < 0 ? rc : okno_rows_list(rows, hold_json, ret_list, err);
}

/* Items whose truth is known: mixed into the queues of audits unseen, and rounds that every expert
 * decides. What experts say on them is about the experts: it never changes what a survey counts as.
 */
#include "okno/gold.h"

#include "okno/ledger.h"
#include "okno/text.h"
#include "review.h"

#include <sodium/randombytes.h>
#include <string.h>

enum { NOTE_BYTES_MAX = 1000 };

int review_calibrate(struct okno_db *db, const char *user, struct okno_err *err)
{
    return OKNO_DB_RUN(db, "gold.add_calibration_items", NULL, err, OKNO_TEXT("user", user));
}

/* What is left of an audit, by an item of it. */
struct left {
    char audit[65];
    int64_t gold, rest;
};

static int load_left(struct okno_db *db, int64_t item, struct left *ret_left, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "gold.left", &stmt, err, OKNO_INT("item", item));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    okno_stmt_copy(stmt, "audit", ret_left->audit, sizeof(ret_left->audit));
    ret_left->gold = okno_stmt_int(stmt, "gold");
    ret_left->rest = okno_stmt_int(stmt, "rest");
    return 0;
}

/* All that is left lies in one heap and is drawn from it blindly: gold items are spread evenly, and
 * none can be foreseen. Chance is good enough here, since nothing that counts depends on it. */
int review_mix_gold(struct okno_db *db, const char *user, int64_t *item, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct left left = {.gold = 0};
    char survey[160];
    int rc = load_left(db, *item, &left, err);
    if (rc < 0 || left.gold <= 0 ||
        randombytes_uniform((uint32_t)(left.gold + left.rest)) >= (uint32_t)left.gold)
        return rc;
    rc = OKNO_DB_PREPARE(db, "gold.pick", &stmt, err, OKNO_TEXT("user", user),
                         OKNO_TEXT("audit", left.audit));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    okno_stmt_copy(stmt, "survey", survey, sizeof(survey));
    return OKNO_DB_INT(db, "gold.add_item", 0, item, err, OKNO_TEXT("audit", left.audit),
                       OKNO_TEXT("survey", survey), OKNO_TEXT("user", user));
}

/* ---- leads ---- */

int okno_review_is_lead(struct okno_db *db, const char *user, bool *ret_lead, struct okno_err *err)
{
    int64_t lead = 0;
    int rc = OKNO_DB_INT(db, "gold.is_lead", 0, &lead, err, OKNO_TEXT("user", user));
    if (rc == 0)
        *ret_lead = lead != 0;
    return rc;
}

int okno_review_set_lead(struct okno_db *db, const char *user, bool lead, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "gold.role", &row, err, OKNO_TEXT("user", user));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail_field(err, OKNO_NOT_FOUND, "user", "there is no user \"%s\"",
                               okno_text_show(user, shown));
    if (rc < 0)
        return rc;
    if (strcmp(okno_stmt_text(row, "role"), "expert") != 0)
        return okno_fail_field(err, OKNO_REFUSED, "user", "user %s is %s; experts may be lead",
                               user, okno_stmt_text(row, "role"));
    okno_stmt_reset(row);
    return OKNO_DB_RUN(db, "gold.set_lead", NULL, err, OKNO_TEXT("user", user),
                       OKNO_INT("lead", lead));
}

static int check_lead(struct okno_db *db, const char *user, struct okno_err *err)
{
    bool lead = false;
    char shown[OKNO_TEXT_SHOWN];
    int rc = okno_review_is_lead(db, user, &lead, err);
    if (rc == 0 && !lead)
        rc = okno_fail_field(err, OKNO_FORBIDDEN, "user",
                             "\"%s\" leads no experts: an administrator or a lead expert does this",
                             okno_text_show(user, shown));
    return rc;
}

/* ---- gold items ---- */

static int check_note(const char *note, struct okno_err *err)
{
    size_t len = note ? strlen(note) : 0;
    if (len > NOTE_BYTES_MAX || (note && !okno_text_is_utf8(note, len)))
        return okno_fail_field(err, OKNO_INVALID, "note", "a note is up to %d bytes of UTF-8",
                               NOTE_BYTES_MAX);
    return 0;
}

/* The row of what stands, when nothing can change it any more. The caller resets it. */
static int load_settled(struct okno_db *db, const char *survey, struct okno_stmt **ret_row,
                        struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    (void)okno_text_show(survey, shown);
    int rc = OKNO_DB_PREPARE(db, "gold.settled", ret_row, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(*ret_row, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail_field(err, OKNO_NOT_FOUND, "survey", "there is no survey \"%s\"", shown);
    const char *why = okno_stmt_is_null(*ret_row, "id")       ? "nothing was decided on it"
                      : okno_stmt_int(*ret_row, "audit_open") ? "its audit is not closed"
                      : okno_stmt_int(*ret_row, "appealed")   ? "an appeal waits"
                      : !okno_stmt_int(*ret_row, "kept")      ? "there is no footage of it"
                                                              : NULL;
    return why ? okno_fail_field(err, OKNO_REFUSED, "survey", "survey %s is not settled: %s", shown,
                                 why)
               : 0;
}

/* That there is one, not which: the log goes out of the house while experts are asked. */
static int log_gold(struct okno_db *db, int64_t id, const char *survey, const char *author,
                    bool retired, int64_t now_us, struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char salt[OKNO_SALT_TEXT];
    char key[OKNO_SHA256_TEXT];
    char hash[OKNO_SHA256_TEXT];
    const struct okno_ledger_entry entry = {
        .kind = "gold", .subject = id, .salt = okno_ledger_salt(salt), .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', author, name, err);
    if (rc < 0)
        return rc;
    (void)okno_ledger_hide(okno_ledger_salt_for(salt, "survey", key), survey, hash);
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:b}", "author", name, "survey", hash, "retired", (int)retired);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

static int add_gold(struct okno_db *db, const char *survey, const char *author, const char *note,
                    int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int64_t id = 0;
    int rc = check_lead(db, author, err);
    if (rc == 0)
        rc = load_settled(db, survey, &row, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "gold.add", 0, &id, err, OKNO_TEXT("survey", survey),
                         OKNO_TEXT("verdict", okno_stmt_text(row, "verdict")),
                         OKNO_TEXT("reason", okno_stmt_text(row, "reason")),
                         OKNO_TEXT("correction", okno_stmt_text(row, "correction")),
                         OKNO_INT("ruling", okno_stmt_int(row, "id")), OKNO_INT("at", now_us),
                         OKNO_TEXT("author", author), OKNO_TEXT("note", note ? note : ""));
    return rc < 0 ? rc : log_gold(db, id, survey, author, false, now_us, err);
}

static int retire_gold(struct okno_db *db, const char *survey, const char *author, const char *note,
                       int64_t now_us, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    int64_t id = 0;
    int rc = check_lead(db, author, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "gold.retire", 0, &id, err, OKNO_TEXT("survey", survey),
                         OKNO_INT("at", now_us), OKNO_TEXT("author", author),
                         OKNO_TEXT("note", note ? note : ""));
    if (rc == 0 && !id)
        rc = okno_fail_field(err, OKNO_NOT_FOUND, "survey", "survey \"%s\" is no gold item",
                             okno_text_show(survey, shown));
    return rc < 0 ? rc : log_gold(db, id, survey, author, true, now_us, err);
}

static int finish(struct okno_db *db, int rc, struct okno_err *err)
{
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

int okno_gold_add(struct okno_db *db, const char *survey, const char *author, const char *note,
                  int64_t now_us, struct okno_err *err)
{
    int rc = check_note(note, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    return rc < 0 ? rc : finish(db, add_gold(db, survey, author, note, now_us, err), err);
}

int okno_gold_retire(struct okno_db *db, const char *survey, const char *author, const char *note,
                     int64_t now_us, struct okno_err *err)
{
    int rc = check_note(note, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    return rc < 0 ? rc : finish(db, retire_gold(db, survey, author, note, now_us, err), err);
}

/* ---- calibrations ---- */

static int add_item(struct okno_db *db, const char *calibration, size_t place, const char *survey,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int64_t changed = 0;
    int rc = load_settled(db, survey, &row, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "gold.calibration_item", &changed, err,
                         OKNO_TEXT("calibration", calibration), OKNO_INT("place", (int64_t)place),
                         OKNO_TEXT("survey", survey),
                         OKNO_TEXT("verdict", okno_stmt_text(row, "verdict")),
                         OKNO_TEXT("reason", okno_stmt_text(row, "reason")),
                         OKNO_TEXT("correction", okno_stmt_text(row, "correction")));
    if (rc == 0 && !changed)
        rc = okno_fail_field(err, OKNO_INVALID, "surveys", "survey %s is there twice", survey);
    return rc;
}

static int add_round(struct okno_db *db, const char *calibration, const char *title,
                     const char *const *surveys, size_t count, const char *author, int64_t now_us,
                     struct okno_err *err)
{
    int64_t changed = 0;
    int rc = check_lead(db, author, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "gold.calibration_add", &changed, err,
                         OKNO_TEXT("calibration", calibration), OKNO_TEXT("title", title),
                         OKNO_INT("at", now_us), OKNO_TEXT("author", author));
    if (rc == 0 && !changed)
        rc = okno_fail_field(err, OKNO_CONFLICT, "calibration",
                             "calibration %s is there already: choose another id", calibration);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_item(db, calibration, i + 1, surveys[i], err);
    return rc;
}

int okno_calibration_add(struct okno_db *db, const char *calibration, const char *title,
                         const char *const *surveys, size_t count, const char *author,
                         int64_t now_us, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    int rc = 0;
    if (!calibration || !okno_text_is_id(calibration))
        return okno_fail_field(err, OKNO_INVALID, "calibration",
                               "calibration `%s`: an id is 1 to 64 of A-Z a-z 0-9 _ -",
                               okno_text_show(calibration ? calibration : "", shown));
    if (count < 1 || count > OKNO_CALIBRATION_MAX)
        return okno_fail_field(err, OKNO_INVALID, "surveys", "a round has 1 to %d surveys",
                               OKNO_CALIBRATION_MAX);
    rc = check_note(title, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    return finish(db,
                  add_round(db, calibration, title && *title ? title : calibration, surveys, count,
                            author, now_us, err),
                  err);
}

static int close_round(struct okno_db *db, const char *calibration, const char *author,
                       int64_t now_us, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    int64_t closed = -1;
    int rc = check_lead(db, author, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "gold.calibration_get", -1, &closed, err,
                         OKNO_TEXT("calibration", calibration));
    if (rc == 0 && closed < 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "there is no calibration \"%s\"",
                       okno_text_show(calibration, shown));
    if (rc == 0 && closed)
        rc = okno_fail(err, OKNO_REFUSED, "calibration %s is closed", calibration);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "gold.calibration_close", NULL, err,
                                OKNO_TEXT("calibration", calibration), OKNO_INT("at", now_us),
                                OKNO_TEXT("author", author));
}

int okno_calibration_close(struct okno_db *db, const char *calibration, const char *author,
                           int64_t now_us, struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    return rc < 0 ? rc : finish(db, close_round(db, calibration, author, now_us, err), err);
}

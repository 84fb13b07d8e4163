/* The queue: who holds which item until when. The facts shown with an item are in item.c. */
#include "review.h"

#include "okno/review.h"
#include "okno/text.h"

#include <sodium/randombytes.h>
#include <sodium/utils.h>
#include <string.h>

static void make_token(char ret_token[OKNO_LEASE_TOKEN])
{
    unsigned char random[16];
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2hex(ret_token, OKNO_LEASE_TOKEN, random, sizeof(random));
}

/* The item of a one-row statement, 0 when there is none. */
static int first_item(struct okno_stmt *stmt, int64_t *ret_item, struct okno_err *err)
{
    int rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    *ret_item = rc == 1 ? okno_stmt_int(stmt, "item") : 0;
    okno_stmt_reset(stmt);
    return 0;
}

static int nothing_left(struct okno_db *db, const char *audit, struct okno_err *err)
{
    int64_t known = 0;
    char shown[OKNO_TEXT_SHOWN];
    if (!audit)
        return okno_fail(err, OKNO_QUEUE_EMPTY, "nothing left to review");
    int rc = OKNO_DB_INT(db, "review.audit_known", 0, &known, err, OKNO_TEXT("audit", audit));
    if (rc < 0)
        return rc;
    if (!known)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no audit %s: see `okno audit list`",
                         okno_text_show(audit, shown));
    return okno_fail(err, OKNO_QUEUE_EMPTY, "nothing left to review in audit %s", audit);
}

static int find_item(struct okno_db *db, const char *user, const char *audit, int64_t now_us,
                     int64_t *ret_item, struct okno_err *err)
{
    struct okno_stmt *stmt = NULL;
    int64_t item = 0;
    int rc = OKNO_DB_PREPARE(db, "review.held", &stmt, err, OKNO_TEXT("user", user),
                             OKNO_TEXT("audit", audit), OKNO_INT("now", now_us));
    if (rc == 0)
        rc = first_item(stmt, &item, err);
    if (rc == 0 && item == 0) {
        rc = OKNO_DB_PREPARE(db, "review.pick", &stmt, err, OKNO_TEXT("user", user),
                             OKNO_TEXT("audit", audit), OKNO_INT("now", now_us));
        if (rc == 0)
            rc = first_item(stmt, &item, err);
        if (rc == 0 && item != 0)
            rc = review_mix_gold(db, user, &item, err);
    }
    if (rc == 0 && item == 0)
        rc = nothing_left(db, audit, err);
    if (rc == 0)
        *ret_item = item;
    return rc;
}

static int remember_lease(struct okno_db *db, int64_t item, const char *user, const char *token,
                          int64_t until_us, struct okno_err *err)
{
    return OKNO_DB_RUN(db, "review.add_lease", NULL, err, OKNO_TEXT("token", token),
                       OKNO_INT("item", item), OKNO_TEXT("user", user),
                       OKNO_INT("until", until_us));
}

int review_lease(struct okno_db *db, int64_t item, const char *user, int64_t until_us,
                 struct okno_err *err)
{
    char token[OKNO_LEASE_TOKEN];
    make_token(token);
    int rc =
        OKNO_DB_RUN(db, "review.lease", NULL, err, OKNO_INT("item", item), OKNO_TEXT("user", user),
                    OKNO_TEXT("token", token), OKNO_INT("until", until_us));
    return rc < 0 ? rc : remember_lease(db, item, user, token, until_us, err);
}

int okno_review_next(struct okno_db *db, const char *user, const char *audit, int64_t lease_us,
                     int64_t now_us, json_t **ret_item, struct okno_err *err)
{
    int64_t item = 0;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = review_calibrate(db, user, err);
    if (rc == 0)
        rc = find_item(db, user, audit, now_us, &item, err);
    if (rc == 0)
        rc = review_lease(db, item, user, now_us + lease_us, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    return rc < 0 ? rc : review_item_json(db, item, user, ret_item, err);
}

int okno_review_heartbeat(struct okno_db *db, int64_t item, const char *user, const char *token,
                          int64_t lease_us, int64_t now_us, int64_t *ret_until_us,
                          struct okno_err *err)
{
    int64_t changed = 0;
    int rc = OKNO_DB_RUN(db, "review.extend", &changed, err, OKNO_INT("item", item),
                         OKNO_TEXT("user", user), OKNO_TEXT("token", token),
                         OKNO_INT("now", now_us), OKNO_INT("until", now_us + lease_us));
    if (rc < 0)
        return rc;
    if (changed == 0)
        return okno_fail(err, OKNO_LEASE_LOST, "the lease on item %lld is over: take the next item",
                         (long long)item);
    *ret_until_us = now_us + lease_us;
    return 0;
}

int okno_review_skip(struct okno_db *db, int64_t item, const char *user, const char *token,
                     const char *reason, int64_t now_us, struct okno_err *err)
{
    if (!reason || !*reason || strlen(reason) > REVIEW_COMMENT_MAX)
        return okno_fail_field(err, OKNO_MISSING, "reason",
                               "skipping needs a reason of 1 to %d bytes", REVIEW_COMMENT_MAX);
    int64_t changed = 0;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_RUN(db, "review.release", &changed, err, OKNO_INT("item", item),
                     OKNO_TEXT("user", user), OKNO_TEXT("token", token));
    if (rc == 0 && changed == 0)
        rc = okno_fail(err, OKNO_LEASE_LOST, "the lease on item %lld is over: take the next item",
                       (long long)item);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "review.add_skip", NULL, err, OKNO_INT("item", item),
                         OKNO_TEXT("user", user), OKNO_INT("at", now_us),
                         OKNO_TEXT("reason", reason));
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

int review_settle(struct okno_db *db, int64_t item, struct okno_err *err)
{
    int rc = OKNO_DB_RUN(db, "review.settle_open", NULL, err, OKNO_INT("item", item));
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "review.settle_withdraw", NULL, err, OKNO_INT("item", item));
}

static int find_undoable(struct okno_db *db, const char *user, struct review_ref *ret_ref,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "review.undoable", &stmt, err, OKNO_TEXT("user", user));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no decision of yours to take back");
    if (rc < 0)
        return rc;
    ret_ref->verdict = okno_stmt_int(stmt, "id");
    ret_ref->item = okno_stmt_int(stmt, "item");
    ret_ref->part = okno_stmt_int(stmt, "part");
    ret_ref->training = okno_stmt_int(stmt, "training") != 0;
    (void)snprintf(ret_ref->audit, sizeof(ret_ref->audit), "%s", okno_stmt_text(stmt, "audit"));
    (void)snprintf(ret_ref->survey, sizeof(ret_ref->survey), "%s", okno_stmt_text(stmt, "survey"));
    return 0;
}

int okno_review_undo(struct okno_db *db, const char *user, int64_t lease_us, int64_t now_us,
                     int64_t *ret_item, struct okno_err *err)
{
    struct review_ref ref = {0};
    char token[OKNO_LEASE_TOKEN];
    make_token(token);
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = find_undoable(db, user, &ref, err);
    if (rc == 0)
        rc = review_add_undone(db, &ref, user, now_us, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "review.reopen", NULL, err, OKNO_INT("item", ref.item),
                         OKNO_TEXT("user", user), OKNO_TEXT("token", token),
                         OKNO_INT("until", now_us + lease_us));
    if (rc == 0)
        rc = remember_lease(db, ref.item, user, token, now_us + lease_us, err);
    if (rc == 0)
        rc = review_settle(db, ref.item, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    if (rc == 0)
        *ret_item = ref.item;
    return rc;
}

int okno_review_progress(struct okno_db *db, const char *audit, int64_t *ret_reviewed,
                         int64_t *ret_total, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "review.progress", &stmt, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    *ret_reviewed = okno_stmt_int(stmt, "reviewed");
    *ret_total = okno_stmt_int(stmt, "total");
    return 0;
}

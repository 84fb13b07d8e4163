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

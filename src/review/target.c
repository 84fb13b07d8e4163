/* Targeted looks: a survey or a spontaneous rating that somebody wants reviewed, outside every
 * sample. They never enter estimates. */
#include "okno/review.h"
#include "okno/text.h"

#include <string.h>

enum { REASON_BYTES_MAX = 1000 };

static int check_reason(const char *reason, struct okno_err *err)
{
    size_t len = reason ? strlen(reason) : 0;
    if (len == 0 || reason[strspn(reason, " ")] == '\0')
        return okno_fail_field(err, OKNO_MISSING, "reason", "a targeted review needs a reason");
    if (len > REASON_BYTES_MAX || !okno_text_is_utf8(reason, len))
        return okno_fail_field(err, OKNO_INVALID, "reason", "a reason is up to %d bytes of UTF-8",
                               REASON_BYTES_MAX);
    return 0;
}

static int check_subject(struct okno_db *db, const char *survey, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    int64_t open = 0;
    int64_t waiting = 0;
    int rc = OKNO_DB_INT(db, "target.subject", -1, &open, err, OKNO_TEXT("survey", survey));
    if (rc == 0 && open < 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no survey \"%s\"",
                         okno_text_show(survey, shown));
    if (rc == 0 && open)
        return okno_fail(err, OKNO_REFUSED, "the window of survey %s is still open", survey);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "target.waiting", 0, &waiting, err, OKNO_TEXT("survey", survey));
    if (rc == 0 && waiting)
        rc =
            okno_fail(err, OKNO_REFUSED, "survey %s waits for a targeted review already: item %lld",
                      survey, (long long)waiting);
    return rc;
}

static int add_jobs(struct okno_db *db, const char *survey, int64_t now_us, struct okno_err *err)
{
    static const char *const kinds[] = {"clip", "still"};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(kinds); i++)
        rc = OKNO_DB_RUN(db, "target.add_job", NULL, err, OKNO_TEXT("kind", kinds[i]),
                         OKNO_TEXT("survey", survey), OKNO_INT("now", now_us));
    return rc;
}

/* The first look is "targeted", the next "targeted-2". */
static int add(struct okno_db *db, const char *survey, const char *author, const char *reason,
               int64_t now_us, int64_t *ret_item, struct okno_err *err)
{
    char name[32] = "targeted";
    int64_t looks = 0;
    int rc = OKNO_DB_INT(db, "target.looks", 0, &looks, err, OKNO_TEXT("survey", survey));
    if (looks > 0)
        (void)snprintf(name, sizeof(name), "targeted-%lld", (long long)looks + 1);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "target.add", 0, ret_item, err, OKNO_TEXT("audit", name),
                         OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = add_jobs(db, survey, now_us, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "target.note", NULL, err, OKNO_INT("now", now_us),
                                OKNO_TEXT("user", author), OKNO_TEXT("survey", survey),
                                OKNO_TEXT("reason", reason));
}

int okno_review_target_add(struct okno_db *db, const char *survey, const char *author,
                           const char *reason, int64_t now_us, int64_t *ret_item,
                           struct okno_err *err)
{
    int rc = check_reason(reason, err);
    if (rc == 0)
        rc = check_subject(db, survey, err);
    return rc < 0 ? rc : add(db, survey, author, reason, now_us, ret_item, err);
}

int okno_review_target(struct okno_db *db, const char *survey, const char *author,
                       const char *reason, int64_t now_us, int64_t *ret_item, struct okno_err *err)
{
    int64_t item = 0;
    int rc = check_reason(reason, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = check_subject(db, survey, err);
    if (rc == 0)
        rc = add(db, survey, author, reason, now_us, &item, err);
    if (rc < 0) {
        okno_db_rollback(db);
        return rc;
    }
    rc = okno_db_commit(db, err);
    if (rc == 0)
        *ret_item = item;
    return rc;
}

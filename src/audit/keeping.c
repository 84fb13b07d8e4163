/* Whether an audit can be done in time: what cameras keep, what experts decide. */
#include "okno/mem.h"
#include "okno/text.h"
#include "okno/time.h"
#include "room.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Fetching takes its time. */
#define MARGIN_US OKNO_DAY_US

static int lacks_clips(struct okno_db *db, enum okno_frame frame, int64_t from_us, int64_t to_us,
                       int64_t now_us, int64_t *ret_lacks, struct okno_err *err)
{
    *ret_lacks = 1;
    if (frame != OKNO_FRAME_SURVEYS || to_us > now_us)
        return 0;
    return OKNO_DB_INT(db, "audit.lacks_clips", 1, ret_lacks, err, OKNO_INT("from", from_us),
                       OKNO_INT("to", to_us));
}

int audit_check_keeping(struct okno_db *db, enum okno_frame frame, int64_t from_us, int64_t to_us,
                        int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char camera[OKNO_ID_TEXT];
    char lost[OKNO_TIME_TEXT];
    char drawn[OKNO_TIME_TEXT];
    int64_t draw_us = now_us > to_us ? now_us : to_us;
    int64_t lacks = 1;
    int rc = OKNO_DB_PREPARE(db, "audit.keeps_least", &row, err, OKNO_INT("from", from_us),
                             OKNO_INT("to", to_us));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0)
        return rc;
    int64_t lost_us = from_us + okno_stmt_int(row, "kept_us");
    okno_stmt_copy(row, "camera", camera, sizeof(camera));
    if (draw_us <= lost_us - MARGIN_US)
        return 0;
    rc = lacks_clips(db, frame, from_us, to_us, now_us, &lacks, err);
    if (rc < 0 || !lacks)
        return rc;
    return okno_fail_field(
        err, OKNO_REFUSED, "from",
        "camera %s keeps %.1f days: what it recorded at the start of the period "
        "is overwritten at %s, and the draw comes at %s at the earliest (a day "
        "before is asked for): plan a later start or a shorter period, or accept "
        "the loss with --accept-retention REASON",
        camera, (double)(lost_us - from_us) / (double)OKNO_DAY_US, okno_time_format(lost_us, lost),
        okno_time_format(draw_us, drawn));
}

/* Reviews left: those planned, or once drawn those that wait. */
static int count_left(struct okno_db *db, const struct audit_row *row, int64_t *ret_left,
                      struct okno_err *err)
{
    if (strcmp(row->state, "drawn") == 0)
        return OKNO_DB_INT(db, "audit.count_waiting", 0, ret_left, err,
                           OKNO_TEXT("audit", row->audit));
    *ret_left = (int64_t)ceil((double)row->sampling.size * (1 + row->double_share));
    return 0;
}

int audit_capacity(struct okno_db *db, const struct audit_row *row, json_t **ret_json,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *least = NULL;
    OKNO_AUTO_STMT *pace = NULL;
    int64_t left = 0;
    int rc = count_left(db, row, &left, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "audit.keeps_least", &least, err, OKNO_INT("from", row->from_us),
                             OKNO_INT("to", row->to_us));
    if (rc == 0)
        rc = okno_stmt_step(least, err);
    bool kept = rc == 1;
    if (rc >= 0)
        rc = okno_db_stmt(db, "audit.pace", &pace, err);
    if (rc == 0)
        rc = okno_stmt_step(pace, err);
    if (rc < 0)
        return rc;
    int64_t decided = okno_stmt_int(pace, "decided");
    double a_day = decided > 0 ? (double)decided / (double)okno_stmt_int(pace, "days") : 0;
    *ret_json = json_pack(
        "{s:I, s:o, s:o, s:o}", "reviews", (json_int_t)left, "decided_a_day",
        a_day > 0 ? json_real(round(a_day * 10) / 10) : json_null(), "days",
        a_day > 0 ? json_integer((json_int_t)ceil((double)left / a_day)) : json_null(),
        "footage_until",
        kept ? okno_json_time(row->from_us + okno_stmt_int(least, "kept_us")) : json_null());
    return *ret_json ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for an audit's capacity");
}

/* How long cameras keep what an audit needs. */
#include "okno/text.h"
#include "okno/time.h"
#include "room.h"

#include <stdio.h>

/* Fetching takes its time. */
#define MARGIN_US OKNO_DAY_US

int audit_check_keeping(struct okno_db *db, int64_t from_us, int64_t to_us, int64_t now_us,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char camera[OKNO_ID_TEXT];
    char lost[OKNO_TIME_TEXT];
    char drawn[OKNO_TIME_TEXT];
    int64_t draw_us = now_us > to_us ? now_us : to_us;
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
    return okno_fail_field(
        err, OKNO_REFUSED, "from",
        "camera %s keeps %.1f days: what it recorded at the start of the period "
        "is overwritten at %s, and the draw comes at %s at the earliest (a day "
        "before is asked for): plan a later start or a shorter period, or accept "
        "the loss with --accept-retention REASON",
        camera, (double)(lost_us - from_us) / (double)OKNO_DAY_US, okno_time_format(lost_us, lost),
        okno_time_format(draw_us, drawn));
}

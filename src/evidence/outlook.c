/* How work stands at each archive, and what it will come to. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/json.h"
#include "okno/time.h"

#include <string.h>

#define LATELY_US (6 * 3600 * OKNO_SECOND_US)

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void load(struct okno_stmt *row, int64_t now_us, int64_t parallel, struct okno_outlook *o)
{
    *o = (struct okno_outlook){
        .failures = okno_stmt_int(row, "failures"),
        .answered = okno_stmt_int(row, "answered") != 0,
        .failing = okno_stmt_int(row, "failing") != 0,
        .failed_us = okno_stmt_int(row, "failed_at"),
        .down_since_us = okno_stmt_int(row, "down_since"),
        .sessions = okno_stmt_is_null(row, "sessions") ? parallel : okno_stmt_int(row, "sessions"),
        .waiting = okno_stmt_int(row, "waiting"),
        .running = okno_stmt_int(row, "running"),
        .lost_at_us = okno_stmt_int(row, "lost_at"),
        .overdue = okno_stmt_int(row, "overdue"),
        .lost = okno_stmt_int(row, "lost"),
        .bytes_read = okno_stmt_int(row, "bytes_read"),
        .bytes_kept = okno_stmt_int(row, "bytes_kept"),
    };
    int64_t off_us = okno_stmt_int(row, "off_until");
    int64_t closed_us = okno_stmt_int(row, "closed_until");
    o->off_until_us = off_us > now_us ? off_us : 0;
    if (o->waiting > 0)
        o->next_try_us =
            later(later(okno_stmt_int(row, "next_try_at"), closed_us), later(off_us, now_us));
    (void)snprintf(o->archive, sizeof(o->archive), "%s", okno_stmt_text(row, "archive"));
    okno_stmt_copy(row, o->failures > 0 ? "code" : "failed_code", o->code, sizeof(o->code));
    okno_stmt_copy(row, o->failures > 0 ? "message" : "failure", o->message, sizeof(o->message));
    if (o->failures == 0 && o->failed_us == 0)
        o->code[0] = o->message[0] = '\0';
}

/* How fast: jobs of the last hours in which there were any. */
static int pace(struct okno_db *db, struct okno_outlook *o, int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "turns.pace", &stmt, err, OKNO_TEXT("archive", o->archive),
                             OKNO_INT("now", now_us), OKNO_INT("since", now_us - LATELY_US));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    int64_t hours = rc == 1 ? okno_stmt_int(stmt, "hours") : 0;
    if (hours > 0)
        o->jobs_per_hour = (double)okno_stmt_int(stmt, "jobs") / (double)hours;
    return rc < 0 ? rc : 0;
}

static int forecast(struct okno_db *db, struct okno_outlook *o, int64_t now_us,
                    struct okno_err *err)
{
    int rc = pace(db, o, now_us, err);
    if (rc < 0 || o->waiting == 0 || o->jobs_per_hour <= 0)
        return rc;
    int64_t each_us = (int64_t)(3600e6 / o->jobs_per_hour);
    o->done_at_us = o->next_try_us + o->waiting * each_us;
    return OKNO_DB_INT(db, "turns.at_risk", 0, &o->at_risk, err, OKNO_TEXT("archive", o->archive),
                       OKNO_INT("now", now_us), OKNO_INT("begins", o->next_try_us),
                       OKNO_INT("each_us", each_us));
}

int okno_db_outlook(struct okno_db *db, int64_t now_us, int64_t parallel,
                    struct okno_outlook_vec *outlooks, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "turns.outlook", &stmt, err, OKNO_INT("now", now_us),
                             OKNO_INT("since", now_us - 30 * OKNO_DAY_US),
                             OKNO_INT("day_ago", now_us - OKNO_DAY_US));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_outlook o;
        load(stmt, now_us, parallel, &o);
        rc = okno_outlook_vec_push(outlooks, o) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the archives")
                 : 0;
    }
    for (size_t i = 0; rc == 0 && i < outlooks->len; i++)
        rc = forecast(db, &outlooks->items[i], now_us, err);
    return rc;
}

int okno_work_outlook(struct okno_work *work, int64_t now_us, struct okno_outlook_vec *outlooks,
                      struct okno_err *err)
{
    return okno_db_outlook(work->db, now_us, work->conf->fetch.parallel, outlooks, err);
}

static json_t *time_or_null(int64_t us)
{
    return us ? okno_json_time(us) : json_null();
}

json_t *okno_outlook_json(const struct okno_outlook *o)
{
    const char *state = o->failures > 0   ? o->code
                        : o->off_until_us ? "paused"
                        : o->failing      ? o->code
                        : o->answered     ? "ok"
                                          : "unasked";
    return json_pack(
        "{s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:o, "
        "s:o, s:I, s:I, s:b, s:o}",
        "archive", o->archive, "state", state, "message", okno_json_text(o->message), "failures",
        (json_int_t)o->failures, "down_since", time_or_null(o->down_since_us), "next_try_at",
        time_or_null(o->next_try_us), "off_until", time_or_null(o->off_until_us), "sessions",
        (json_int_t)o->sessions, "waiting", (json_int_t)o->waiting, "running",
        (json_int_t)o->running, "lost_at", time_or_null(o->lost_at_us), "overdue",
        (json_int_t)o->overdue, "at_risk", (json_int_t)o->at_risk, "lost", (json_int_t)o->lost,
        "jobs_per_hour", o->jobs_per_hour > 0 ? json_real(o->jobs_per_hour) : json_null(),
        "done_at", time_or_null(o->done_at_us), "bytes_read_day", (json_int_t)o->bytes_read,
        "bytes_kept_day", (json_int_t)o->bytes_kept, "failing", o->failing || o->failures > 0,
        "failed_at", time_or_null(o->failed_us));
}

#define _POSIX_C_SOURCE 200809L
#include "turns.h"

#include "okno/conf.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <sodium/randombytes.h>
#include <string.h>

#define FIRST_US (15 * OKNO_SECOND_US)
#define LONGEST_US (300 * OKNO_SECOND_US)

/* ---- who does not answer ---- */

static int64_t wait_us(int64_t failures, const struct okno_err *why)
{
    int64_t wait = FIRST_US;
    for (int64_t i = 0; i < failures && wait < LONGEST_US; i++)
        wait *= 2;
    wait = wait < LONGEST_US ? wait : LONGEST_US;
    wait = why->retry_us > wait ? why->retry_us : wait;
    return wait + (int64_t)randombytes_uniform((uint32_t)(wait / 4 < INT32_MAX ? wait / 4 : 1));
}

static int failures_of(struct okno_work *work, const char *archive, int64_t *ret_failures,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "turns.get", &stmt, err, OKNO_TEXT("archive", archive));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    *ret_failures = rc == 1 ? okno_stmt_int(stmt, "failures") : 0;
    return rc < 0 ? rc : 0;
}

static int note_failure(struct okno_work *work, const char *archive, int64_t now_us,
                        const struct okno_err *why, int64_t until_us, struct okno_err *err)
{
    const char *code = okno_code_info(why->code)->name;
    int rc = OKNO_DB_RUN(work->db, "turns.failed", NULL, err, OKNO_TEXT("archive", archive),
                         OKNO_INT("closed_until", until_us), OKNO_INT("now", now_us),
                         OKNO_TEXT("code", code), OKNO_TEXT("message", why->text));
    return rc < 0 ? rc
                  : OKNO_DB_RUN(work->db, "turns.begin_outage", NULL, err,
                                OKNO_TEXT("archive", archive), OKNO_INT("now", now_us),
                                OKNO_TEXT("code", code), OKNO_TEXT("message", why->text));
}

int turns_failed(struct okno_work *work, const char *archive, int64_t now_us,
                 const struct okno_err *why, int64_t *ret_until_us, struct okno_err *err)
{
    int64_t failures = 0;
    int rc = failures_of(work, archive, &failures, err);
    int64_t until_us = now_us + wait_us(failures, why);
    if (rc == 0)
        rc = note_failure(work, archive, now_us, why, until_us, err);
    if (rc == 0)
        *ret_until_us = until_us;
    return rc;
}

int turns_answered(struct okno_work *work, const char *archive, int64_t now_us,
                   struct okno_err *err)
{
    int64_t ended = 0;
    int rc = OKNO_DB_RUN(work->db, "turns.answered", &ended, err, OKNO_TEXT("archive", archive),
                         OKNO_INT("now", now_us));
    if (rc < 0 || ended == 0)
        return rc;
    rc = OKNO_DB_RUN(work->db, "turns.end_outage", NULL, err, OKNO_TEXT("archive", archive),
                     OKNO_INT("now", now_us));
    return rc < 0 ? rc
                  : OKNO_DB_RUN(work->db, "turns.wake", NULL, err, OKNO_TEXT("archive", archive),
                                OKNO_INT("now", now_us));
}

int turns_seen(struct okno_work *work, const char *archive, int64_t now_us, struct okno_err *err)
{
    return OKNO_DB_RUN(work->db, "turns.seen", NULL, err, OKNO_TEXT("archive", archive),
                       OKNO_INT("now", now_us));
}

/* ---- what the archive's row allows ---- */

static int64_t number_of(const struct okno_archive_row *row, const char *name)
{
    char text[32] = "";
    if (okno_archive_option(row->options, name, text, sizeof(text), NULL) < 0)
        return 0;
    return strtoll(text, NULL, 10);
}

void okno_archive_limits(const struct okno_conf *conf, const struct okno_archive_row *row,
                         struct okno_archive_limits *ret_limits)
{
    struct okno_archive_limits limits = {.sessions = number_of(row, "parallel"),
                                         .rate_kb = number_of(row, "rate")};
    int64_t most = okno_archive_sessions(row->kind);
    int64_t usual = conf->fetch.parallel;
    if (limits.sessions <= 0) /* no more than recorders of its kind take */
        limits.sessions = most > 0 && most < usual ? most : usual;
    if (limits.rate_kb <= 0)
        limits.rate_kb = conf->fetch.rate_kb;
    if (okno_archive_option(row->options, "hours", limits.hours, sizeof(limits.hours), NULL) < 0 ||
        !limits.hours[0])
        (void)snprintf(limits.hours, sizeof(limits.hours), "%s", conf->fetch.hours);
    *ret_limits = limits;
}

int turns_spent(struct okno_work *work, const char *archive, int64_t began_us, int64_t bytes,
                struct okno_err *err)
{
    struct okno_archive_row row;
    struct okno_archive_limits limits;
    if (!archive[0] || bytes <= 0 || okno_registry_archive(work->db, archive, &row, NULL) < 0)
        return 0;
    okno_archive_limits(work->conf, &row, &limits);
    int64_t rate = 1000 * limits.rate_kb;
    if (rate <= 0)
        return 0;
    int64_t lasts_us = bytes / rate * OKNO_SECOND_US + bytes % rate * OKNO_SECOND_US / rate;
    return OKNO_DB_RUN(work->db, "turns.pause", NULL, err, OKNO_TEXT("archive", archive),
                       OKNO_INT("began", began_us), OKNO_INT("lasts_us", lasts_us));
}

/* The next moment at which the zone's clocks show so many minutes of the day. */
static int64_t next_at(const struct okno_zone *zone, int64_t now_us, int minutes)
{
    int64_t best = INT64_MAX;
    for (int day = -1; day <= 2; day++) {
        struct okno_civil civil;
        int64_t at[2];
        int count = 0;
        okno_zone_to_local(zone, now_us + day * OKNO_DAY_US, &civil);
        civil.hour = minutes / 60;
        civil.minute = minutes % 60;
        civil.second = 0;
        okno_zone_to_utc(zone, &civil, at, &count);
        if (at[0] > now_us && at[0] < best)
            best = at[0];
    }
    return best;
}

/* "20:00-08:00" of the archive's zone: 0 inside, else when they begin. Outside what can be read,
 * all hours are allowed: the row was checked when it came. */
static int64_t off_until(const struct okno_archive_row *row, const char *hours, int64_t now_us)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    int from = 0, to = 0;
    struct okno_civil now;
    if (!okno_time_hours(hours, &from, &to) || okno_zone_open(row->time_zone, &zone, NULL) < 0)
        return 0;
    okno_zone_to_local(zone, now_us, &now);
    int at = now.hour * 60 + now.minute;
    bool on = from <= to ? at >= from && at < to : at >= from || at < to;
    return on ? 0 : next_at(zone, now_us, from);
}

static int refresh_one(struct okno_work *work, const struct okno_archive_row *row, int64_t now_us,
                       struct okno_err *err)
{
    struct okno_archive_limits limits;
    okno_archive_limits(work->conf, row, &limits);
    return OKNO_DB_RUN(work->db, "turns.set", NULL, err, OKNO_TEXT("archive", row->archive),
                       OKNO_INT("sessions", limits.sessions),
                       OKNO_INT("off_until", off_until(row, limits.hours, now_us)));
}

int turns_refresh(struct okno_work *work, int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_archive_row_vec) rows = {0};
    int rc = okno_registry_archives(work->db, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.len; i++)
        rc = refresh_one(work, &rows.items[i], now_us, err);
    return rc;
}

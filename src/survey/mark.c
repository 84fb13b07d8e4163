#define _POSIX_C_SOURCE 200809L
/* What is new -> the spans of points that it concerns. */
#include "okno/hash.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "store.h"

#include <inttypes.h>
#include <string.h>

#define END_US OKNO_SURVEY_TIME_LIMIT_US
#define HOUR_US (INT64_C(3600) * OKNO_SECOND_US)
#define FELT_MAX_US OKNO_DAY_US /* the longest that the configuration allows */

static int get_seen(struct okno_db *db, const char *source, int64_t *ret_seen, struct okno_err *err)
{
    return OKNO_DB_INT(db, "refresh.seen", 0, ret_seen, err, OKNO_TEXT("source", source));
}

static int set_seen(struct okno_db *db, const char *source, int64_t seen, struct okno_err *err)
{
    return OKNO_DB_RUN(db, "refresh.set_seen", NULL, err, OKNO_TEXT("source", source),
                       OKNO_INT("seen", seen));
}

/* ---- devices: new events, and measurements of their clocks ---- */

struct device_mark {
    struct okno_db *db;
    char device[OKNO_ID_TEXT];
    struct okno_pairing_vec pairings; /* of the device with any point */
    struct okno_clock_vec clock;
};

/* [from, to) as far as the device was at a point. What its events did there is felt for `after_us`
 * more: where they go away, nothing else shows how far. */
static int add_spans(const struct device_mark *mark, int64_t from_us, int64_t to_us,
                     int64_t after_us, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < mark->pairings.len; i++) {
        const struct okno_pairing *pairing = &mark->pairings.items[i];
        int64_t begin_us = from_us > pairing->from_us ? from_us : pairing->from_us;
        int64_t end_us = to_us < pairing->to_us ? to_us : pairing->to_us;
        if (begin_us < end_us)
            rc = OKNO_DB_RUN(mark->db, "refresh.add_span", NULL, err,
                             OKNO_TEXT("point", pairing->point), OKNO_INT("from", begin_us),
                             OKNO_INT("to", end_us < END_US ? end_us + after_us : END_US));
    }
    return rc;
}

/* Hours [from, to) on the device's clock. */
static int add_hours(const struct device_mark *mark, int64_t from, int64_t to, struct okno_err *err)
{
    struct okno_clock_offset ignored;
    const struct okno_clock_vec *clock = &mark->clock;
    if (from == to)
        return 0;
    int64_t from_us = okno_clock_to_utc(clock->items, clock->len, from * HOUR_US, &ignored);
    int64_t to_us = okno_clock_to_utc(clock->items, clock->len, to * HOUR_US, &ignored);
    return add_spans(mark, from_us, to_us + 1, 0, err);
}

static int mark_hours(const struct device_mark *mark, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t from = 0; /* hours that follow each other */
    int64_t to = 0;
    int step = 0;
    int rc = OKNO_DB_PREPARE(mark->db, "refresh.dirty_hours", &stmt, err,
                             OKNO_TEXT("device", mark->device));
    while (rc == 0 && (step = okno_stmt_step(stmt, err)) == 1) {
        int64_t hour = okno_stmt_int(stmt, "hour");
        if (hour != to) {
            rc = add_hours(mark, from, to, err);
            from = hour;
        }
        to = hour + 1;
    }
    if (rc == 0)
        rc = step;
    return rc < 0 ? rc : add_hours(mark, from, to, err);
}

/* A measurement changes what the clock is known to have shown between its neighbours. Times that it
 * showed since the one before may, by the other state of knowledge, have been shown earlier. */
static int mark_measurement(const struct device_mark *mark, struct okno_stmt *row,
                            struct okno_err *err)
{
    struct okno_clock_offset ignored;
    const struct okno_clock_vec *clock = &mark->clock;
    int64_t from_us = -END_US;
    int64_t to_us = END_US;
    if (!okno_stmt_is_null(row, "before_at")) {
        size_t known = 0;
        from_us = okno_stmt_int(row, "before_at");
        while (known < clock->len && clock->items[known].at_us <= from_us)
            known++;
        int64_t earlier_us =
            okno_clock_to_utc(clock->items, known, okno_stmt_int(row, "shown_from"), &ignored) - 2;
        from_us = earlier_us < from_us ? earlier_us : from_us;
    }
    if (!okno_stmt_is_null(row, "after_at"))
        to_us = okno_stmt_int(row, "after_at") + 1;
    return add_spans(mark, from_us, to_us, FELT_MAX_US, err);
}

static int mark_clock(const struct device_mark *mark, int64_t seen, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int step = 0;
    int rc = OKNO_DB_PREPARE(mark->db, "refresh.new_clocks", &stmt, err,
                             OKNO_TEXT("device", mark->device), OKNO_INT("seen", seen));
    while (rc == 0 && (step = okno_stmt_step(stmt, err)) == 1)
        rc = mark_measurement(mark, stmt, err);
    return rc < 0 ? rc : step;
}

/* ---- until when a device was heard of ---- */

static int last_heard(const struct device_mark *mark, int64_t now_us, int64_t *ret_heard_us,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_clock_offset ignored;
    int64_t to_us = survey_clock_shown_from(&mark->clock, now_us + 2 * OKNO_DAY_US);
    int64_t heard_us = INT64_MIN;
    int step = 0;
    int rc = OKNO_DB_PREPARE(mark->db, "refresh.last_events", &stmt, err,
                             OKNO_TEXT("device", mark->device), OKNO_INT("to", to_us));
    while (rc == 0 && heard_us == INT64_MIN && (step = okno_stmt_step(stmt, err)) == 1) {
        int64_t at_us = okno_clock_to_utc(mark->clock.items, mark->clock.len,
                                          okno_stmt_int(stmt, "at"), &ignored);
        if (!survey_is_suspect(at_us, okno_stmt_int(stmt, "arrived_at")))
            heard_us = at_us;
    }
    if (rc == 0 && step >= 0)
        *ret_heard_us = heard_us;
    return rc < 0 ? rc : step < 0 ? step : 0;
}

static int mark_heard(const struct device_mark *mark, int64_t now_us, struct okno_err *err)
{
    int64_t before_us = INT64_MIN;
    int64_t heard_us = INT64_MIN;
    int rc = OKNO_DB_INT(mark->db, "refresh.heard", INT64_MIN, &before_us, err,
                         OKNO_TEXT("device", mark->device));
    if (rc == 0)
        rc = last_heard(mark, now_us, &heard_us, err);
    if (rc < 0 || heard_us == before_us)
        return rc;
    rc = OKNO_DB_RUN(mark->db, "refresh.set_heard", NULL, err, OKNO_TEXT("device", mark->device),
                     OKNO_INT("heard", heard_us));
    bool less = heard_us < before_us;
    return rc < 0 ? rc
                  : OKNO_DB_RUN(mark->db, less ? "refresh.mark_less_heard" : "refresh.mark_unheard",
                                NULL, err, OKNO_TEXT("device", mark->device),
                                OKNO_INT("from", less ? heard_us : before_us),
                                OKNO_INT("to", less ? before_us : heard_us));
}

static int mark_device(struct device_mark *mark, int64_t now_us, int64_t seen_clocks,
                       struct okno_err *err)
{
    char target[OKNO_ID_TEXT + 8];
    (void)snprintf(target, sizeof(target), "device:%s", mark->device);
    int rc = okno_registry_pairings(mark->db, mark->device, NULL, &mark->pairings, err);
    if (rc == 0)
        rc = okno_registry_clock(mark->db, target, &mark->clock, err);
    if (rc == 0)
        rc = mark_hours(mark, err);
    if (rc == 0)
        rc = mark_clock(mark, seen_clocks, err);
    if (rc == 0)
        rc = mark_heard(mark, now_us, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(mark->db, "refresh.forget_hours", NULL, err,
                                OKNO_TEXT("device", mark->device));
}

OKNO_VEC(name_vec, struct okno_clock_target);

static int list_devices(struct okno_db *db, int64_t seen_clocks, struct name_vec *devices,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int step = 0;
    int rc = OKNO_DB_PREPARE(db, "refresh.dirty_devices", &stmt, err,
                             OKNO_INT("seen_clocks", seen_clocks));
    while (rc == 0 && (step = okno_stmt_step(stmt, err)) == 1) {
        struct okno_clock_target name = {0};
        okno_stmt_copy(stmt, "device", name.target, sizeof(name.target));
        if (name_vec_push(devices, name) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the devices with news");
    }
    return rc < 0 ? rc : step;
}

static int mark_devices(struct survey_refresh *refresh, struct okno_err *err)
{
    OKNO_AUTO_VEC(name_vec) devices = {0};
    int64_t seen = 0;
    int64_t newest = 0;
    int rc = get_seen(refresh->db, "clocks", &seen, err);
    if (rc == 0)
        rc = okno_db_int(refresh->db, "refresh.newest_clocks", NULL, 0, 0, &newest, err);
    if (rc == 0)
        rc = list_devices(refresh->db, seen, &devices, err);
    for (size_t i = 0; rc == 0 && i < devices.len; i++) {
        struct device_mark mark = {.db = refresh->db};
        (void)snprintf(mark.device, sizeof(mark.device), "%.64s", devices.items[i].target);
        rc = mark_device(&mark, refresh->now_us, seen, err);
        okno_pairing_vec_free(&mark.pairings);
        okno_clock_vec_free(&mark.clock);
    }
    return rc < 0 || newest == seen ? rc : set_seen(refresh->db, "clocks", newest, err);
}

/* ---- the registry and the parameters ---- */

/* A registry table: the points that its new rows concern. */
static int mark_source(struct okno_db *db, const char *source, struct okno_err *err)
{
    char newest_name[64];
    char mark_name[64];
    int64_t seen = 0;
    int64_t newest = 0;
    (void)snprintf(newest_name, sizeof(newest_name), "refresh.newest_%s", source);
    (void)snprintf(mark_name, sizeof(mark_name), "refresh.mark_by_%s", source);
    int rc = get_seen(db, source, &seen, err);
    if (rc == 0)
        rc = okno_db_int(db, newest_name, NULL, 0, 0, &newest, err);
    if (rc < 0 || newest == seen)
        return rc;
    bool dated_to = strcmp(source, "shifts") == 0;
    const struct okno_bind binds[] = {OKNO_INT("seen", seen), OKNO_INT("end", END_US)};
    rc = okno_db_run(db, mark_name, binds, dated_to ? 1 : 2, NULL, err);
    return rc < 0 ? rc : set_seen(db, source, newest, err);
}

/* A number that changes when a parameter changes. */
static int64_t digest_of(const struct okno_survey_params *p)
{
    char text[512];
    uint8_t digest[OKNO_SHA256_BYTES];
    int64_t number = 0;
    int len = snprintf(text, sizeof(text),
                       "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
                       " %" PRId64 " %d %d %d %d",
                       p->window_us, p->duplicate_us, p->late_us, p->fm_gap_us, p->hold_after_no_us,
                       p->early_us, p->identical_run, (int)p->early_action,
                       (int)p->identical_action, (int)p->hours_action, (int)p->test_action);
    okno_hash_bytes(text, (size_t)len, digest);
    for (int i = 0; i < 7; i++)
        number = number << 8 | digest[i];
    return number + 1; /* never 0: not seen yet */
}

static int mark_params(struct survey_refresh *refresh, struct okno_err *err)
{
    int64_t seen = 0;
    int64_t digest = digest_of(refresh->params);
    int rc = get_seen(refresh->db, "params", &seen, err);
    if (rc < 0 || seen == digest)
        return rc;
    rc = OKNO_DB_RUN(refresh->db, "refresh.mark_all", NULL, err, OKNO_INT("end", END_US));
    return rc < 0 ? rc : set_seen(refresh->db, "params", digest, err);
}

int survey_mark(struct survey_refresh *refresh, struct okno_err *err)
{
    static const char *const sources[] = {"devices", "points", "sites", "questions", "shifts"};
    int rc = mark_devices(refresh, err);
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(sources); i++)
        rc = mark_source(refresh->db, sources[i], err);
    if (rc == 0)
        rc = OKNO_DB_RUN(refresh->db, "refresh.mark_due", NULL, err,
                         OKNO_INT("now", refresh->now_us));
    return rc < 0 ? rc : mark_params(refresh, err);
}

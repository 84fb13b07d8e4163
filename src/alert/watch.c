/* What changes by time alone: windows that are over, shares, devices, points, archives. Costs what
 * the windows hold, not what was before them. */
#define _POSIX_C_SOURCE 200809L
#include "alert.h"

#include "okno/camera_clock.h"
#include "okno/device.h"
#include "okno/mem.h"
#include "okno/rows.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

static const int64_t month_us = 30 * OKNO_DAY_US;

/* A condition that may hold, copied out of its statement. */
struct found {
    char subject[OKNO_ID_TEXT + 40];
    char site[OKNO_ID_TEXT], point[OKNO_ID_TEXT];
    int64_t total, hits, at_us;
    json_t *detail; /* owned; NULL for none */
};
OKNO_VEC(found_vec, struct found);

static void drop(struct found_vec *list)
{
    for (size_t i = 0; i < list->len; i++)
        json_decref(list->items[i].detail);
    found_vec_free(list);
}
#define AUTO_FOUND __attribute__((cleanup(drop))) struct found_vec

struct watch {
    struct okno_db *db;
    const struct okno_alert_rule *rule;
    int64_t now_us;
    struct okno_alert_refreshed *counts;
};

static int keep(struct found_vec *list, const struct found *one, struct okno_err *err)
{
    if (found_vec_push(list, *one) == 0)
        return 0;
    json_decref(one->detail);
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for what is watched");
}

static struct found read_place(struct okno_stmt *stmt, const char *column)
{
    struct found one = {.at_us = INT64_MIN};
    okno_stmt_copy(stmt, column, one.subject, sizeof(one.subject));
    okno_stmt_copy(stmt, "site", one.site, sizeof(one.site));
    okno_stmt_copy(stmt, "point", one.point, sizeof(one.point));
    return one;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static int watched(const struct watch *w, const struct found *one, bool *ret_watched,
                   struct okno_err *err)
{
    char group[OKNO_ID_TEXT];
    int rc = alert_group_of(w->db, or_null(one->site), group, err);
    *ret_watched = rc == 0 && w->rule->enabled &&
                   okno_alert_watches(w->rule, or_null(one->site), or_null(one->point), group);
    return rc;
}

static int apply(const struct watch *w, const struct found *one, struct okno_alert_facts *facts,
                 struct okno_err *err)
{
    struct alert_subject about = {w->rule, one->subject, or_null(one->site), or_null(one->point)};
    facts->now_us = w->now_us;
    return alert_apply(w->db, &about, facts, one->detail, one->at_us, "over", w->counts, err);
}

static bool holds(const struct found_vec *list, const char *subject)
{
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(list->items[i].subject, subject) == 0)
            return true;
    return false;
}

/* Open alerts of the rule, appended; `until_us` INT64_MAX: all. */
static int read_open(const struct watch *w, int64_t until_us, struct found_vec *open,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(w->db, "alert.open_counts", &stmt, err,
                             OKNO_TEXT("rule", w->rule->rule), OKNO_INT("until", until_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct found one = read_place(stmt, "subject");
        rc = keep(open, &one, err);
    }
    return rc;
}

/* COUNT: a window that nothing was added to is over. */
static int watch_windows(const struct watch *w, struct okno_err *err)
{
    AUTO_FOUND open = {0};
    int rc = read_open(w, w->now_us - w->rule->window_us, &open, err);
    for (size_t i = 0; rc == 0 && i < open.len; i++) {
        struct okno_alert_facts facts = {0};
        rc = apply(w, &open.items[i], &facts, err);
    }
    return rc;
}

static int watch_shares(const struct watch *w, struct okno_err *err)
{
    AUTO_FOUND places = {0};
    OKNO_AUTO_STMT *stmt = NULL;
    char name[40];
    (void)snprintf(name, sizeof(name), "alert.%s_by_%s",
                   w->rule->kind == OKNO_ALERT_SILENT_SHARE ? "silent" : "invalid",
                   w->rule->per_site ? "site" : "point");
    int rc =
        OKNO_DB_PREPARE(w->db, name, &stmt, err, OKNO_INT("from", w->now_us - w->rule->window_us),
                        OKNO_INT("to", w->now_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct found one = read_place(stmt, "place");
        one.total = okno_stmt_int(stmt, "total");
        one.hits = okno_stmt_int(stmt, "hits");
        rc = keep(&places, &one, err);
    }
    okno_stmt_reset(stmt);
    for (size_t i = 0; rc == 0 && i < places.len; i++) {
        const struct found *one = &places.items[i];
        bool is_watched = false;
        struct okno_alert_facts facts = {.hit_count = (size_t)one->hits, .total = one->total};
        rc = watched(w, one, &is_watched, err);
        if (rc == 0 && is_watched)
            rc = apply(w, one, &facts, err);
    }
    return rc;
}

/* STATE: what holds now opens, what is open and holds no more closes. */
static int watch_states(const struct watch *w, const struct found_vec *now, struct okno_err *err)
{
    AUTO_FOUND open = {0};
    int rc = read_open(w, INT64_MAX, &open, err);
    for (size_t i = 0; rc == 0 && i < now->len; i++) {
        struct okno_alert_facts facts = {.holds = true};
        bool is_watched = false;
        rc = watched(w, &now->items[i], &is_watched, err);
        if (rc == 0 && is_watched)
            rc = apply(w, &now->items[i], &facts, err);
    }
    for (size_t i = 0; rc == 0 && i < open.len; i++) {
        struct okno_alert_facts facts = {0};
        if (!holds(now, open.items[i].subject) || !w->rule->enabled)
            rc = apply(w, &open.items[i], &facts, err);
    }
    return rc;
}

static int site_of(struct okno_db *db, const char *point, char ret_site[OKNO_ID_TEXT],
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "alert.site_of_point", &stmt, err, OKNO_TEXT("point", point));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        okno_stmt_copy(stmt, "site", ret_site, OKNO_ID_TEXT);
    return rc < 0 ? rc : 0;
}

/* Archives' clocks beside those of devices. */
static int jumped_archives(const struct watch *w, struct found_vec *now, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(w->db, "alert.jumped_archives", &stmt, err,
                             OKNO_INT("week_ago", w->now_us - 7 * OKNO_DAY_US));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct found one = read_place(stmt, "place");
        char subject[sizeof(one.subject)];
        (void)snprintf(subject, sizeof(subject), "archive:%.64s", one.subject);
        memcpy(one.subject, subject, sizeof(subject));
        one.detail =
            json_pack("{s:I, s:b}", "offset_ms",
                      (json_int_t)(okno_stmt_int(stmt, "offset_us") / OKNO_MS_US), "heard", 1);
        rc = keep(now, &one, err);
    }
    return rc;
}

static int watch_devices(const struct watch *w, const struct okno_device_vec *devices,
                         struct okno_err *err)
{
    AUTO_FOUND now = {0};
    unsigned bit = w->rule->kind == OKNO_ALERT_DEVICE_QUIET ? OKNO_DEVICE_QUIET
                   : w->rule->kind == OKNO_ALERT_CLOCK_JUMP ? OKNO_DEVICE_CLOCK_JUMP
                                                            : OKNO_DEVICE_CLOCK_SUSPECT;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < devices->len; i++) {
        const struct okno_device *device = &devices->items[i];
        struct found one = {.at_us = INT64_MIN};
        if (!(device->alerts & bit))
            continue;
        (void)snprintf(one.subject, sizeof(one.subject), "%s", device->device);
        (void)snprintf(one.point, sizeof(one.point), "%s", device->point);
        rc = *device->point ? site_of(w->db, device->point, one.site, err) : 0;
        if (bit == OKNO_DEVICE_QUIET)
            one.at_us = device->unheard_since_us;
        one.detail =
            json_pack("{s:I, s:b}", "offset_ms", (json_int_t)(device->offset_us / OKNO_MS_US),
                      "heard", device->last_arrival_us != INT64_MIN);
        if (rc == 0)
            rc = keep(&now, &one, err);
        else
            json_decref(one.detail);
    }
    if (rc == 0 && bit == OKNO_DEVICE_CLOCK_JUMP)
        rc = jumped_archives(w, &now, err);
    return rc < 0 ? rc : watch_states(w, &now, err);
}

/* Of points that were silent for long, keep those that were long not closed for a day or more. */
static int drop_days_off(const struct watch *w, struct found_vec *points, struct okno_err *err)
{
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < points->len; i++) {
        struct found one = points->items[i];
        int64_t awake_us = 0;
        if (rc == 0)
            rc = okno_device_awake_us(w->db, one.point, one.at_us, w->now_us, &awake_us, err);
        if (rc == 0 && awake_us > w->rule->window_us)
            points->items[kept++] = one;
        else
            json_decref(one.detail);
    }
    points->len = kept;
    return rc;
}

static int watch_points(const struct watch *w, struct okno_err *err)
{
    AUTO_FOUND now = {0};
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(w->db, "alert.quiet_points", &stmt, err, OKNO_INT("now", w->now_us),
                             OKNO_INT("quiet_since", w->now_us - w->rule->window_us),
                             OKNO_INT("month", w->now_us - w->rule->window_us - month_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct found one = read_place(stmt, "place");
        one.at_us = okno_stmt_int(stmt, "last");
        rc = keep(&now, &one, err);
    }
    okno_stmt_reset(stmt);
    if (rc == 0)
        rc = drop_days_off(w, &now, err);
    return rc < 0 ? rc : watch_states(w, &now, err);
}

static int watch_archives(const struct watch *w, struct okno_err *err)
{
    AUTO_FOUND now = {0};
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(w->db, "alert.broken_archives", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct found one = read_place(stmt, "place");
        one.detail = json_pack("{s:s, s:I, s:o}", "code", okno_stmt_text(stmt, "code"), "waiting",
                               (json_int_t)okno_stmt_int(stmt, "waiting"), "lost_at",
                               okno_stmt_is_null(stmt, "lost_at")
                                   ? json_null()
                                   : okno_json_time(okno_stmt_int(stmt, "lost_at")));
        rc = keep(&now, &one, err);
    }
    okno_stmt_reset(stmt);
    return rc < 0 ? rc : watch_states(w, &now, err);
}

/* Appeals that nobody has decided: all of them, or those that are due within a day or overdue. */
static int watch_appeals(const struct watch *w, struct okno_err *err)
{
    AUTO_FOUND now = {0};
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t due_us = w->rule->kind == OKNO_ALERT_APPEAL_DUE ? w->now_us + OKNO_DAY_US : INT64_MAX;
    int rc = OKNO_DB_PREPARE(w->db, "alert.open_appeals", &stmt, err, OKNO_INT("due", due_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct found one = read_place(stmt, "place");
        one.at_us = okno_stmt_int(stmt, "at");
        one.detail = json_pack("{s:s, s:o}", "asks", okno_stmt_text(stmt, "asks"), "due_at",
                               okno_row_time(stmt, "due_at"));
        rc = keep(&now, &one, err);
    }
    okno_stmt_reset(stmt);
    return rc < 0 ? rc : watch_states(w, &now, err);
}

/* Cameras whose commissioning rests on what has changed since. */
static int watch_commissions(const struct watch *w, struct okno_err *err)
{
    AUTO_FOUND now = {0};
    okno_autojson json_t *cameras = NULL;
    size_t i;
    json_t *camera;
    int rc = okno_commission_list(w->db, &cameras, err);
    json_array_foreach(cameras, i, camera)
    {
        const char *due = json_string_value(json_object_get(camera, "due"));
        struct found one = {.at_us = INT64_MIN};
        if (rc < 0 || !due || !*due || strcmp(due, "never") == 0)
            continue;
        (void)snprintf(one.subject, sizeof(one.subject), "%s",
                       json_string_value(json_object_get(camera, "camera")));
        (void)snprintf(one.site, sizeof(one.site), "%s",
                       json_string_value(json_object_get(camera, "site")));
        one.detail = json_pack("{s:s}", "due", due);
        rc = keep(&now, &one, err);
    }
    return rc < 0 ? rc : watch_states(w, &now, err);
}

static int watch_rule(const struct watch *w, const struct okno_device_vec *devices,
                      struct okno_err *err)
{
    switch (w->rule->kind) {
    case OKNO_ALERT_NEGATIVES:
    case OKNO_ALERT_FM_BURST:
        return watch_windows(w, err);
    case OKNO_ALERT_SILENT_SHARE:
    case OKNO_ALERT_INVALID_SHARE:
        return watch_shares(w, err);
    case OKNO_ALERT_DEVICE_QUIET:
    case OKNO_ALERT_CLOCK_JUMP:
    case OKNO_ALERT_CLOCK_SUSPECT:
        return watch_devices(w, devices, err);
    case OKNO_ALERT_POINT_QUIET:
        return watch_points(w, err);
    case OKNO_ALERT_ARCHIVE:
        return watch_archives(w, err);
    case OKNO_ALERT_APPEAL:
    case OKNO_ALERT_APPEAL_DUE:
        return watch_appeals(w, err);
    case OKNO_ALERT_COMMISSION:
        return watch_commissions(w, err);
    case OKNO_ALERT_NEGATIVE:
    case OKNO_ALERT_KIND_COUNT:
        break;
    }
    return 0;
}

int alert_watch(struct okno_db *db, const struct okno_alert_rule_vec *rules, int64_t now_us,
                int64_t liveness_us, struct okno_alert_refreshed *counts, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_device_vec) devices = {0};
    int rc = okno_device_list(db, now_us, liveness_us, &devices, err);
    for (size_t i = 0; rc == 0 && i < rules->len; i++) {
        struct watch watch = {db, &rules->items[i], now_us, counts};
        rc = watch_rule(&watch, &devices, err);
    }
    return rc;
}

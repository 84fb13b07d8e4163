#define _POSIX_C_SOURCE 200809L
#include "okno/device.h"

#include "okno/hours.h"
#include "okno/json.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

static const int64_t ahead_max_us = OKNO_DAY_US;
static const int64_t jump_shown_us = 7 * OKNO_DAY_US;

static const char *const alert_texts[] = {
#define ALERT_TEXT(name, text) text,
    OKNO_DEVICE_ALERT_TABLE(ALERT_TEXT)
#undef ALERT_TEXT
};

/* ---- what the tables say ---- */

static int64_t time_or_none(struct okno_stmt *stmt, const char *column)
{
    return okno_stmt_is_null(stmt, column) ? INT64_MIN : okno_stmt_int(stmt, column);
}

/* gap_boot of each device is kept in *boots, at the same place. */
OKNO_VEC(boot_vec, int64_t);

static int read_devices(struct okno_db *db, int64_t now_us, struct okno_device_vec *devices,
                        struct boot_vec *boots, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "device.list", &stmt, err,
                             OKNO_INT("jumped_after", now_us - jump_shown_us));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_device device = {.last_event_us = INT64_MIN,
                                     .last_arrival_us = time_or_none(stmt, "arrived_at"),
                                     .measured_us = INT64_MIN,
                                     .missing = okno_stmt_int(stmt, "missing"),
                                     .unheard_since_us = INT64_MIN};
        (void)snprintf(device.device, sizeof(device.device), "%s", okno_stmt_text(stmt, "device"));
        if (okno_stmt_int(stmt, "suspect"))
            device.alerts |= OKNO_DEVICE_CLOCK_SUSPECT;
        if (okno_stmt_int(stmt, "jumped"))
            device.alerts |= OKNO_DEVICE_CLOCK_JUMP;
        rc = okno_device_vec_push(devices, device) < 0 ||
                     boot_vec_push(boots, time_or_none(stmt, "gap_boot")) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of devices")
                 : 0;
    }
    return rc;
}

/* Events too far ahead of their receipt that no measurement explains. */
static int check_ahead(struct okno_db *db, const struct okno_clock_vec *clock,
                       struct okno_device *device, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_clock_offset ignored;
    int rc = OKNO_DB_PREPARE(db, "device.furthest_ahead", &stmt, err,
                             OKNO_TEXT("device", device->device));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    int64_t at_us = okno_stmt_int(stmt, "ahead_at");
    int64_t arrived_us = at_us - okno_stmt_int(stmt, "ahead_us");
    if (okno_clock_to_utc(clock->items, clock->len, at_us, &ignored) > arrived_us + ahead_max_us)
        device->alerts |= OKNO_DEVICE_CLOCK_SUSPECT;
    return 0;
}

static int read_clock(struct okno_db *db, int64_t now_us, struct okno_device *device,
                      struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) clock = {0};
    char target[OKNO_ID_TEXT + 8];
    int64_t last_us = INT64_MIN;
    struct okno_clock_offset ignored;
    (void)snprintf(target, sizeof(target), "device:%s", device->device);
    int rc = okno_registry_clock(db, target, &clock, err);
    if (rc == 0)
        rc = check_ahead(db, &clock, device, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "device.last_event", INT64_MIN, &last_us, err,
                         OKNO_TEXT("device", device->device), OKNO_INT("ahead", ahead_max_us));
    if (rc < 0)
        return rc;
    struct okno_clock_offset offset = okno_clock_at(clock.items, clock.len, now_us);
    device->offset_us = offset.offset_us;
    device->uncertainty_us = offset.uncertainty_us;
    for (size_t i = 0; i < clock.len && clock.items[i].at_us <= now_us; i++)
        device->measured_us = clock.items[i].at_us;
    if (last_us != INT64_MIN)
        device->last_event_us = okno_clock_to_utc(clock.items, clock.len, last_us, &ignored);
    return 0;
}

static int read_gap(struct okno_db *db, int64_t boot, struct okno_device *device,
                    struct okno_err *err)
{
    int64_t seq = 0;
    if (boot == INT64_MIN)
        return 0;
    int rc = OKNO_DB_INT(db, "device.first_missing", 0, &seq, err,
                         OKNO_TEXT("device", device->device), OKNO_INT("boot", boot));
    if (rc == 0)
        (void)okno_event_id(device->device, boot, seq, device->first_missing);
    return rc;
}

int okno_device_awake_us(struct okno_db *db, const char *point, int64_t from_us, int64_t to_us,
                         int64_t *ret_awake_us, struct okno_err *err)
{
    struct okno_point row;
    OKNO_AUTO(okno_hours) *hours = NULL;
    int rc = okno_registry_point(db, point, &row, err);
    if (rc == 0)
        rc = okno_registry_hours(db, &row, &hours, err);
    if (rc < 0)
        return rc;
    *ret_awake_us = hours ? okno_hours_awake_us(hours, from_us, to_us) : to_us - from_us;
    return 0;
}

/* Only who is at a point is missed. */
static int read_pairing(struct okno_db *db, int64_t now_us, int64_t liveness_us,
                        struct okno_device *device, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_pairing_vec) pairings = {0};
    int rc = okno_registry_pairings(db, device->device, NULL, &pairings, err);
    for (size_t i = 0; rc == 0 && i < pairings.len; i++) {
        const struct okno_pairing *pairing = &pairings.items[i];
        if (pairing->from_us > now_us || pairing->to_us <= now_us)
            continue;
        (void)snprintf(device->point, sizeof(device->point), "%s", pairing->point);
        int64_t since_us = device->last_arrival_us;
        since_us = since_us > pairing->from_us ? since_us : pairing->from_us;
        int64_t awake_us = now_us - since_us;
        if (!pairing->button && !pairing->panel) /* a QR code may be silent */
            continue;
        if (awake_us > liveness_us)
            rc = okno_device_awake_us(db, pairing->point, since_us, now_us, &awake_us, err);
        if (rc < 0 || awake_us <= liveness_us)
            continue;
        device->alerts |= OKNO_DEVICE_QUIET;
        device->unheard_since_us = since_us;
    }
    return rc;
}

int okno_device_list(struct okno_db *db, int64_t now_us, int64_t liveness_us,
                     struct okno_device_vec *devices, struct okno_err *err)
{
    OKNO_AUTO_VEC(boot_vec) boots = {0};
    size_t before = devices->len;
    int rc = read_devices(db, now_us, devices, &boots, err);
    for (size_t i = 0; rc == 0 && i < boots.len; i++) {
        struct okno_device *device = &devices->items[before + i];
        rc = read_clock(db, now_us, device, err);
        if (rc == 0)
            rc = read_gap(db, boots.items[i], device, err);
        if (rc == 0)
            rc = read_pairing(db, now_us, liveness_us, device, err);
    }
    return rc;
}

/* ---- how it is told ---- */

const char *okno_device_state(const struct okno_device *device)
{
    for (size_t i = 0; i < OKNO_DEVICE_ALERT_COUNT; i++)
        if (device->alerts & (1U << i))
            return alert_texts[i];
    return "ok";
}

static json_t *time_or_null(int64_t us)
{
    return us == INT64_MIN ? json_null() : okno_json_time(us);
}

static json_t *text_or_null(const char *text)
{
    return okno_json_text(*text ? text : NULL);
}

json_t *okno_device_json(const struct okno_device *device)
{
    json_t *alerts = json_array();
    for (size_t i = 0; i < OKNO_DEVICE_ALERT_COUNT; i++)
        if (device->alerts & (1U << i))
            (void)json_array_append_new(alerts, json_string(alert_texts[i]));
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:o, s:f, s:f, s:o, s:I, s:o, s:o}", "device", device->device,
        "point", text_or_null(device->point), "state", okno_device_state(device), "alerts", alerts,
        "last_event_at", time_or_null(device->last_event_us), "last_arrival_at",
        time_or_null(device->last_arrival_us), "offset_ms", (double)device->offset_us / 1000.0,
        "uncertainty_ms", (double)device->uncertainty_us / 1000.0, "measured_at",
        time_or_null(device->measured_us), "missing", (json_int_t)device->missing, "first_missing",
        text_or_null(device->first_missing), "unheard_since",
        time_or_null(device->unheard_since_us));
}

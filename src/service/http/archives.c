/* Archives, cameras and their clocks, for who keeps them right; and the commissioning of a camera.
 */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/camera_clock.h"
#include "okno/purge.h"
#include "okno/time.h"
#include "okno/work.h"

#include <string.h>

/* The newest measurement of each archive's and camera's clock, by its target. */
static int clocks(struct okno_db *db, json_t *ret_targets, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, "service.newest_clocks", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *one = json_pack(
            "{s:o, s:f, s:f, s:s, s:b}", "at", okno_json_time(okno_stmt_int(stmt, "at")),
            "offset_ms", (double)okno_stmt_int(stmt, "offset_us") / 1000, "uncertainty_ms",
            (double)okno_stmt_int(stmt, "uncertainty_us") / 1000, "method",
            okno_stmt_text(stmt, "method"), "step", okno_stmt_int(stmt, "step") != 0);
        rc = json_object_set_new(ret_targets, okno_stmt_text(stmt, "target"), one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the clocks")
                 : 0;
    }
    return rc;
}

static void set_clock(json_t *row, const json_t *targets, const char *noun, const char *id)
{
    char target[OKNO_ID_TEXT + 16];
    (void)snprintf(target, sizeof(target), "%s:%s", noun, id);
    json_t *clock = json_object_get(targets, target);
    (void)json_object_set_new(row, "clock", clock ? json_incref(clock) : json_null());
}

/* What came of looking at the archives' clocks, by archive. */
static int looks(struct okno_db *db, json_t *ret_looks, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_prepare(db, "looks.list", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *one = json_pack(
            "{s:o, s:s, s:s, s:o}", "at", okno_json_time(okno_stmt_int(stmt, "at")), "finding",
            okno_stmt_text(stmt, "finding"), "code", okno_stmt_text(stmt, "code"), "message",
            okno_json_text(okno_stmt_text(stmt, "message")));
        rc = json_object_set_new(ret_looks, okno_stmt_text(stmt, "archive"), one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the clocks")
                 : 0;
    }
    return rc;
}

static int archives(struct okno_db *db, const json_t *targets, json_t *list, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_outlook_vec) outlooks = {0};
    okno_autojson json_t *seen = json_object();
    int rc = okno_db_outlook(db, okno_time_now(), 0, &outlooks, err);
    if (rc == 0)
        rc = looks(db, seen, err);
    for (size_t i = 0; rc == 0 && i < outlooks.len; i++) {
        const char *id = outlooks.items[i].archive;
        json_t *row = okno_outlook_json(&outlooks.items[i]);
        json_t *look = json_object_get(seen, id);
        set_clock(row, targets, "archive", id);
        (void)json_object_set_new(row, "look", look ? json_incref(look) : json_null());
        rc = http_archive_row(db, id, row, err);
        if (json_array_append_new(list, row) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the archives");
    }
    return rc;
}

/* What its row says, the clock that its recordings are asked by, and whose that is. */
static int set_camera(struct okno_db *db, json_t *row, struct okno_err *err)
{
    struct okno_camera camera = {0};
    struct okno_index_clock clock = {0};
    int rc =
        okno_registry_camera(db, json_string_value(json_object_get(row, "camera")), &camera, err);
    if (rc == 0)
        rc = okno_registry_index_clock_at(db, &camera, okno_time_now(), &clock, err);
    if (rc < 0)
        return rc;
    json_t *of = clock.own                 ? json_string("camera")
                 : clock.in_force.measured ? json_string("archive")
                                           : json_null();
    json_t *archive_ms =
        clock.archive.measured ? json_real((double)clock.archive.offset_us / 1000) : json_null();
    json_t *one =
        json_pack("{s:f, s:f, s:o, s:o, s:b}", "offset_ms", (double)clock.in_force.offset_us / 1000,
                  "uncertainty_ms", (double)clock.in_force.uncertainty_us / 1000, "of", of,
                  "archive_ms", archive_ms, "hides", clock.hides);
    (void)json_object_set_new(row, "channel", json_string(camera.channel));
    (void)json_object_set_new(row, "name", json_string(camera.name));
    (void)json_object_set_new(row, "retention_days",
                              camera.retention_days > 0 ? json_integer(camera.retention_days)
                                                        : json_null());
    (void)json_object_set_new(row, "overlay_trusted", json_boolean(camera.overlay_trusted));
    return json_object_set_new(row, "in_force", one) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the clocks")
               : 0;
}

int http_get_archives(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    okno_autojson json_t *targets = json_object();
    okno_autojson json_t *cameras = NULL;
    okno_autojson json_t *disk = NULL;
    json_t *list = json_array();
    okno_autojson json_t *all = json_pack("{s:o}", "archives", list);
    json_t *camera;
    size_t i;
    int rc = targets && all ? clocks(request->db, targets, err)
                            : okno_fail(err, OKNO_NO_MEMORY, "no memory for the archives");
    if (rc == 0)
        rc = archives(request->db, targets, list, err);
    if (rc == 0)
        rc = okno_commission_list(request->db, &cameras, err);
    if (rc == 0)
        rc = okno_purge_forecast(request->db, request->service->data_dir,
                                 request->service->keep_days, okno_time_now(), &disk, err);
    if (rc < 0)
        return rc;
    json_array_foreach(cameras, i, camera)
    {
        set_clock(camera, targets, "camera", json_string_value(json_object_get(camera, "camera")));
        rc = rc == 0 ? set_camera(request->db, camera, err) : rc;
    }
    if (rc < 0)
        return rc;
    (void)json_object_set(all, "cameras", cameras);
    (void)json_object_set_new(all, "kinds", http_archive_kinds());
    (void)json_object_set(all, "disk", disk);
    return http_reply_json(reply, json_incref(all), err);
}

int http_post_commission(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    struct okno_commissioned done = {0};
    int64_t frame_us = 0;
    const char *frame = json_string_value(json_object_get(request->body, "frame_at"));
    if (okno_time_parse(frame, &frame_us, NULL) < 0)
        return okno_fail_field(err, OKNO_INVALID, "frame_at", "\"%.40s\" is no time", frame);
    int rc = okno_commission_survey(request->db, request->params[0], frame_us,
                                    json_string_value(json_object_get(request->body, "rights")),
                                    request->who.user, okno_time_now(), &done, err);
    if (rc == 0 && request->service->wake)
        request->service->wake(request->service->wake_context);
    return rc < 0 ? rc
                  : http_reply_json(reply,
                                    json_pack("{s:I, s:f, s:f, s:f}", "commissioning",
                                              (json_int_t)done.id, "error_ms",
                                              (double)done.error_us / 1000, "offset_ms",
                                              (double)done.offset_us / 1000, "uncertainty_ms",
                                              (double)done.uncertainty_us / 1000),
                                    err);
}

static int add_loss(struct okno_buf *body, struct okno_stmt *row, struct okno_err *err)
{
    static const char *const texts[] = {"survey", "point", "kinds", "code"};
    static const char *const times[] = {"opened_at", "lost_at", "ended_at"};
    char text[OKNO_TIME_TEXT];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(texts); i++) {
        const char *value = okno_stmt_is_null(row, texts[i]) ? "" : okno_stmt_text(row, texts[i]);
        rc = okno_buf_add_csv(body, value, err);
        if (rc == 0)
            rc = okno_buf_add_text(body, ",", err);
    }
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(times); i++)
        rc = okno_buf_printf(body, err, "%s,",
                             okno_stmt_is_null(row, times[i])
                                 ? ""
                                 : okno_time_format(okno_stmt_int(row, times[i]), text));
    return rc < 0
               ? rc
               : okno_buf_printf(body, err, "%lld\r\n", (long long)okno_stmt_int(row, "attempts"));
}

int http_get_losses_csv(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(request->db, "turns.losses", &stmt, err,
                             OKNO_TEXT("archive", request->params[0]),
                             OKNO_INT("since", okno_time_now() - 30 * OKNO_DAY_US));
    if (rc == 0)
        rc = okno_buf_add_text(
            &reply->body, "survey,point,kinds,code,opened_at,lost_at,ended_at,attempts\r\n", err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = add_loss(&reply->body, stmt, err);
    if (rc < 0)
        return rc;
    reply->type = "text/csv; charset=utf-8";
    http_reply_header(reply, "Content-Disposition", "attachment; filename=\"okno-losses.csv\"");
    return 0;
}

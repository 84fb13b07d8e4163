/* Clocks of archives, cameras and devices over HTTP: what was measured, and measuring anew. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/camera_clock.h"
#include "okno/clock.h"
#include "okno/registry.h"
#include "okno/rows.h"
#include "okno/time.h"

#include <string.h>

enum { SHOWN_MOST = 500 };

static json_t *measurement(struct okno_stmt *row)
{
    return json_pack("{s:o, s:f, s:f, s:b, s:s, s:s, s:o}", "at", okno_row_time(row, "at"),
                     "offset_ms", (double)okno_stmt_int(row, "offset_us") / 1000, "uncertainty_ms",
                     (double)okno_stmt_int(row, "uncertainty_us") / 1000, "step",
                     okno_stmt_int(row, "step") != 0, "method", okno_stmt_text(row, "method"),
                     "author", okno_stmt_text(row, "author"), "made_at",
                     okno_row_time(row, "made_at"));
}

static json_t *overlay(struct okno_stmt *row)
{
    return json_pack("{s:o, s:f, s:f, s:b, s:s, s:o}", "at", okno_row_time(row, "at"),
                     "overlay_minus_index_ms", (double)okno_stmt_int(row, "offset_us") / 1000,
                     "uncertainty_ms", (double)okno_stmt_int(row, "uncertainty_us") / 1000,
                     "trusted", okno_stmt_int(row, "trusted") != 0, "author",
                     okno_stmt_text(row, "author"), "made_at", okno_row_time(row, "made_at"));
}

static int drift(struct okno_db *db, const char *target, json_t **ret_fit, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) clock = {0};
    struct okno_clock_fit fit;
    bool fits = false;
    int rc = okno_registry_clock(db, target, &clock, err);
    if (rc == 0)
        rc = okno_clock_fit(clock.items, clock.len, &fits, &fit, err);
    if (rc == 0)
        *ret_fit =
            fits ? json_pack("{s:f, s:f, s:I}", "rate_ppm", fit.rate_ppm, "rate_uncertainty_ppm",
                             fit.rate_uncertainty_ppm, "measurements", (json_int_t)fit.count)
                 : json_null();
    return rc;
}

static int overlays(struct okno_db *db, const char *camera, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "commission.overlays", &stmt, err, OKNO_TEXT("camera", camera));
    return rc < 0 ? rc : okno_rows_list(stmt, overlay, ret_list, err);
}

/* The newest still of a camera that is kept, for drawing on it; null without one. */
static int picture(struct okno_db *db, const char *camera, json_t **ret_sha256,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "commission.picture", &stmt, err, OKNO_TEXT("camera", camera));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc >= 0)
        *ret_sha256 = rc == 1 ? json_string(okno_stmt_text(stmt, "sha256")) : json_null();
    return rc < 0 ? rc : 0;
}

static int history(struct http_request *request, const char *noun, struct http_reply *reply,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *list = NULL;
    okno_autojson json_t *fit = NULL;
    okno_autojson json_t *shown = NULL;
    okno_autojson json_t *syncs = NULL;
    okno_autojson json_t *seen = NULL;
    char target[HTTP_PARAM_TEXT + 16];
    bool camera = strcmp(noun, "camera") == 0;
    (void)snprintf(target, sizeof(target), "%s:%s", noun, request->params[0]);
    int rc = OKNO_DB_PREPARE(request->db, "service.clock", &stmt, err, OKNO_TEXT("target", target),
                             OKNO_INT("limit", SHOWN_MOST));
    if (rc == 0)
        rc = okno_rows_list(stmt, measurement, &list, err);
    if (rc == 0)
        rc = drift(request->db, target, &fit, err);
    if (rc == 0 && camera)
        rc = overlays(request->db, request->params[0], &shown, err);
    if (rc == 0 && camera)
        rc = okno_sync_list(request->db, request->params[0], &syncs, err);
    if (rc == 0 && camera)
        rc = picture(request->db, request->params[0], &seen, err);
    return rc < 0 ? rc
                  : http_reply_json(reply,
                                    json_pack("{s:s, s:O, s:O, s:O?, s:O?, s:O?}", "target", target,
                                              "measurements", list, "drift", fit, "overlays", shown,
                                              "syncs", syncs, "picture", seen),
                                    err);
}

int http_get_archive_clock(struct http_request *request, struct http_reply *reply,
                           struct okno_err *err)
{
    return history(request, "archive", reply, err);
}

int http_get_camera_clock(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    return history(request, "camera", reply, err);
}

static void wake(const struct http_request *request)
{
    if (request->service->wake)
        request->service->wake(request->service->wake_context);
}

int http_post_archive_probe(struct http_request *request, struct http_reply *reply,
                            struct okno_err *err)
{
    reply->status = 204;
    int rc =
        okno_look_ask(request->db, request->params[0], request->who.user, okno_time_now(), err);
    if (rc == 0)
        wake(request);
    return rc;
}

/* [left, top, right, bottom] in per cent of the picture; the schema knows four numbers. */
static int read_region(const json_t *region, struct okno_sync_ask *ask, struct okno_err *err)
{
    double side[4];
    ask->whole = !region;
    if (!region)
        return 0;
    bool inside = json_array_size(region) == 4;
    for (size_t i = 0; i < 4; i++) {
        side[i] = json_number_value(json_array_get(region, i));
        inside = inside && side[i] >= 0 && side[i] <= 100;
    }
    if (!inside || side[2] - side[0] < 0.5 || side[3] - side[1] < 0.5)
        return okno_fail_field(err, OKNO_INVALID, "region",
                               "left, top, right, bottom in per cent, at least half a per cent "
                               "wide and high");
    ask->area = (struct okno_series_area){.left = (uint16_t)(side[0] * 100),
                                          .top = (uint16_t)(side[1] * 100),
                                          .right = (uint16_t)(side[2] * 100),
                                          .bottom = (uint16_t)(side[3] * 100)};
    return 0;
}

static int time_of(const json_t *body, const char *name, int64_t *ret_us, struct okno_err *err)
{
    const char *text = json_string_value(json_object_get(body, name));
    return okno_time_parse(text, ret_us, NULL) < 0
               ? okno_fail_field(err, OKNO_INVALID, name, "\"%.40s\" is no time", text)
               : 0;
}

int http_post_camera_sync(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    struct okno_sync_ask ask = {.camera = request->params[0]};
    int64_t id = 0;
    int rc = time_of(request->body, "from", &ask.from_us, err);
    if (rc == 0)
        rc = time_of(request->body, "to", &ask.to_us, err);
    if (rc == 0)
        rc = read_region(json_object_get(request->body, "region"), &ask, err);
    if (rc == 0)
        rc = okno_sync_put(request->db, &ask, request->who.user, okno_time_now(), &id, err);
    if (rc < 0)
        return rc;
    wake(request);
    return http_reply_json(reply, json_pack("{s:I}", "sync", (json_int_t)id), err);
}

int http_post_sync_accept(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    reply->status = 204;
    char *end = NULL;
    long long id = strtoll(request->params[0], &end, 10);
    if (end == request->params[0] || *end)
        return okno_fail(err, OKNO_NOT_FOUND, "nothing was asked by that number");
    int rc = okno_sync_accept(request->db, id, request->who.user, okno_time_now(), err);
    if (rc == 0)
        wake(request);
    return rc;
}

int http_post_survey_overlay(struct http_request *request, struct http_reply *reply,
                             struct okno_err *err)
{
    struct okno_overlay_reading reading = {0};
    int64_t frame_us = 0;
    int rc = time_of(request->body, "frame_at", &frame_us, err);
    if (rc == 0)
        rc = okno_overlay_survey(request->db, request->params[0], frame_us,
                                 json_string_value(json_object_get(request->body, "shows")),
                                 request->who.user, okno_time_now(), &reading, err);
    if (rc == 0)
        wake(request);
    return rc < 0 ? rc
                  : http_reply_json(reply,
                                    json_pack("{s:f, s:f, s:b}", "overlay_minus_index_ms",
                                              (double)reading.offset_us / 1000, "uncertainty_ms",
                                              (double)reading.uncertainty_us / 1000, "trusted",
                                              reading.trusted),
                                    err);
}

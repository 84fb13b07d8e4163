/* Commissioning of cameras, and what their overlays show. */
#include "okno/camera_clock.h"
#include "okno/evidence.h"
#include "okno/media.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/rows.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <stdio.h>
#include <string.h>

#define APART_US (600 * OKNO_SECOND_US)
#define FRAME_US (OKNO_SECOND_US / 5)

static int add_clock(struct okno_db *db, const char *camera, int64_t at_us, int64_t offset_us,
                     int64_t uncertainty_us, const char *method, const char *author, int64_t now_us,
                     struct okno_err *err)
{
    char target[OKNO_ID_TEXT + 8];
    const struct okno_clock_measurement found = {
        .at_us = at_us, .offset_us = offset_us, .uncertainty_us = uncertainty_us};
    (void)snprintf(target, sizeof(target), "camera:%s", camera);
    return okno_registry_add_clock(db, target, &found, method, author, now_us, err);
}

static int end(struct okno_db *db, int rc, struct okno_err *err)
{
    if (rc == 0)
        rc = okno_db_commit(db, err);
    if (rc < 0)
        okno_db_rollback(db);
    return rc;
}

/* ---- commissioning ---- */

int okno_commission_check(const struct okno_commission *c, struct okno_err *err)
{
    int64_t apart = llabs(c->frame_at_us - c->press_at_us);
    if (apart > APART_US)
        return okno_fail_field(err, OKNO_INVALID, "frame_at",
                               "the frame is %lld s from the press; at most %d: measure the clock "
                               "roughly first (okno clock add)",
                               (long long)(apart / OKNO_SECOND_US),
                               (int)(APART_US / OKNO_SECOND_US));
    if (!c->rights || !c->rights[0] || strlen(c->rights) > 1000)
        return okno_fail_field(err, OKNO_INVALID, "rights",
                               "say on what ground the camera records and who may look, in up to "
                               "1000 bytes");
    return 0;
}

/* A press seen by a person is not more exact than what many presses told: where the camera's clock
 * is known better, and the press bears it out, that stays in force. 1: so it is, told in done. */
static int is_borne_out(struct okno_db *db, const struct okno_commission *c,
                        struct okno_commissioned *done, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) known = {0};
    char target[OKNO_ID_TEXT + 8];
    (void)snprintf(target, sizeof(target), "camera:%s", c->camera);
    int rc = okno_registry_clock(db, target, &known, err);
    if (rc < 0)
        return rc;
    struct okno_clock_offset now = okno_clock_at(known.items, known.len, c->press_at_us);
    int64_t apart_us = llabs(done->offset_us - now.offset_us);
    if (!now.measured || now.uncertainty_us >= done->uncertainty_us ||
        apart_us > now.uncertainty_us + done->uncertainty_us)
        return 0;
    done->offset_us = now.offset_us;
    done->uncertainty_us = now.uncertainty_us;
    return 1;
}

static int load_rows(struct okno_db *db, const char *camera, int64_t *ret_camera,
                     int64_t *ret_archive, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "commission.rows", &stmt, err, OKNO_TEXT("camera", camera));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no camera %.64s", camera);
    *ret_camera = okno_stmt_int(stmt, "camera_row");
    *ret_archive = okno_stmt_int(stmt, "archive_row");
    return rc < 0 ? rc : 0;
}

static int put(struct okno_db *db, const struct okno_commission *c, int64_t now_us,
               struct okno_commissioned *done, struct okno_err *err)
{
    int64_t camera_row = 0, archive_row = 0;
    int rc = load_rows(db, c->camera, &camera_row, &archive_row, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "commission.add", 0, &done->id, err, OKNO_TEXT("camera", c->camera),
                         OKNO_TEXT("survey", c->survey ? c->survey : ""),
                         OKNO_INT("press_at", c->press_at_us), OKNO_INT("frame_at", c->frame_at_us),
                         OKNO_INT("error_us", done->error_us),
                         OKNO_INT("offset_us", done->offset_us),
                         OKNO_INT("uncertainty_us", done->uncertainty_us),
                         OKNO_TEXT("still", c->still ? c->still : ""), OKNO_TEXT("codec", c->codec),
                         OKNO_INT("width", c->width), OKNO_INT("height", c->height),
                         OKNO_TEXT("rights", c->rights), OKNO_TEXT("author", c->author),
                         OKNO_INT("made_at", now_us), OKNO_INT("camera_row", camera_row),
                         OKNO_INT("archive_row", archive_row));
    if (rc == 0)
        rc = is_borne_out(db, c, done, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return add_clock(db, c->camera, c->press_at_us, done->offset_us, done->uncertainty_us,
                     "commission", c->author, now_us, err);
}

int okno_commission_add(struct okno_db *db, const struct okno_commission *c, int64_t now_us,
                        struct okno_commissioned *ret_done, struct okno_err *err)
{
    struct okno_commissioned done = {.error_us = c->frame_at_us - c->press_at_us};
    (void)snprintf(done.camera, sizeof(done.camera), "%s", c->camera);
    done.offset_us = done.error_us + c->index_offset_us;
    done.uncertainty_us = c->press_uncertainty_us + (c->frame_us > 0 ? c->frame_us : FRAME_US);
    int rc = okno_commission_check(c, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = end(db, put(db, c, now_us, &done, err), err);
    if (rc == 0)
        *ret_done = done;
    return rc;
}

/* How large the pictures of a kept clip are, and how long each stands. */
static int learn_size(struct okno_db *db, const char *sha256, struct okno_commission *c,
                      struct okno_err *err)
{
    char path[1400];
    OKNO_AUTO(okno_source) *clip = NULL;
    struct okno_media_info info = {0};
    int rc = okno_evidence_path(okno_db_dir(db), sha256, path, sizeof(path), err);
    if (rc == 0)
        rc = okno_file_source(path, &clip, err);
    if (rc == 0)
        rc = okno_media_probe(clip, "mov", &info, err);
    if (rc < 0)
        return rc;
    c->width = info.width;
    c->height = info.height;
    c->frame_us = info.frame_us;
    return 0;
}

int okno_commission_survey(struct okno_db *db, const char *survey, int64_t frame_at_us,
                           const char *rights, const char *author, int64_t now_us,
                           struct okno_commissioned *ret_done, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char camera[OKNO_ID_TEXT] = "", codec[32] = "", still[80] = "", clip[OKNO_SHA256_TEXT] = "";
    int rc = OKNO_DB_PREPARE(db, "commission.press", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no survey %.80s", survey);
    if (rc == 1 && okno_stmt_is_null(stmt, "camera"))
        return okno_fail(err, OKNO_NO_COVERAGE, "no clip of survey %.80s is kept", survey);
    if (rc < 0)
        return rc;
    if (frame_at_us < okno_stmt_int(stmt, "got_from") ||
        frame_at_us > okno_stmt_int(stmt, "got_to"))
        return okno_fail_field(err, OKNO_INVALID, "frame_at", "the clip has no frame at that time");
    (void)snprintf(camera, sizeof(camera), "%s", okno_stmt_text(stmt, "camera"));
    (void)snprintf(codec, sizeof(codec), "%s", okno_stmt_text(stmt, "codec"));
    (void)snprintf(clip, sizeof(clip), "%s", okno_stmt_text(stmt, "sha256"));
    if (!okno_stmt_is_null(stmt, "still"))
        (void)snprintf(still, sizeof(still), "%s", okno_stmt_text(stmt, "still"));
    struct okno_commission c = {.camera = camera,
                                .survey = survey,
                                .press_at_us = okno_stmt_int(stmt, "opened_at"),
                                .press_uncertainty_us =
                                    okno_stmt_int(stmt, "device_uncertainty_us"),
                                .frame_at_us = frame_at_us,
                                .index_offset_us = okno_stmt_int(stmt, "index_offset_us"),
                                .still = still,
                                .codec = codec,
                                .rights = rights,
                                .author = author};
    okno_stmt_reset(stmt);
    rc = learn_size(db, clip, &c, err);
    return rc < 0 ? rc : okno_commission_add(db, &c, now_us, ret_done, err);
}

static json_t *camera_json(struct okno_stmt *row)
{
    json_t *done = json_null();
    if (!okno_stmt_is_null(row, "made_at"))
        done = json_pack("{s:s, s:o, s:o, s:f, s:f, s:f, s:s, s:s, s:I, s:I, s:s, s:s, s:o}",
                         "survey", okno_stmt_text(row, "survey"), "press_at",
                         okno_json_time(okno_stmt_int(row, "press_at")), "frame_at",
                         okno_json_time(okno_stmt_int(row, "frame_at")), "error_ms",
                         (double)okno_stmt_int(row, "error_us") / 1000, "offset_ms",
                         (double)okno_stmt_int(row, "offset_us") / 1000, "uncertainty_ms",
                         (double)okno_stmt_int(row, "uncertainty_us") / 1000, "still",
                         okno_stmt_text(row, "still"), "codec", okno_stmt_text(row, "codec"),
                         "width", (json_int_t)okno_stmt_int(row, "width"), "height",
                         (json_int_t)okno_stmt_int(row, "height"), "rights",
                         okno_stmt_text(row, "rights"), "author", okno_stmt_text(row, "author"),
                         "made_at", okno_json_time(okno_stmt_int(row, "made_at")));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "camera", okno_stmt_text(row, "camera"), "site",
                     okno_stmt_text(row, "site"), "archive", okno_stmt_text(row, "archive"), "due",
                     okno_stmt_text(row, "due"), "commissioned", done);
}

int okno_commission_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(db, "commission.list", &stmt, err);
    return rc < 0 ? rc : okno_rows_list(stmt, camera_json, ret_list, err);
}

/* ---- overlay ---- */

int okno_overlay_add(struct okno_db *db, const struct okno_camera *camera, int64_t at_us,
                     int64_t index_offset_us, int64_t shown_us, const char *author, int64_t now_us,
                     struct okno_overlay_reading *ret_reading, struct okno_err *err)
{
    int64_t id = 0;
    int64_t index_us = at_us + index_offset_us;
    struct okno_overlay_reading reading = {.offset_us = shown_us + OKNO_SECOND_US / 2 - index_us,
                                           .uncertainty_us = OKNO_SECOND_US / 2,
                                           .trusted = camera->overlay_trusted};
    if (llabs(reading.offset_us) > OKNO_DAY_US)
        return okno_fail_field(err, OKNO_INVALID, "shows",
                               "the picture's clock would be %lld hours from the index clock: see "
                               "that the frame, the day and the zone are right",
                               (long long)(reading.offset_us / OKNO_SECOND_US / 3600));
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_INT(db, "commission.add_overlay", 0, &id, err, OKNO_TEXT("camera", camera->camera),
                     OKNO_INT("at", at_us), OKNO_INT("index_us", index_us),
                     OKNO_INT("shown_us", shown_us), OKNO_INT("offset_us", reading.offset_us),
                     OKNO_INT("uncertainty_us", reading.uncertainty_us),
                     OKNO_INT("trusted", reading.trusted), OKNO_TEXT("author", author),
                     OKNO_INT("made_at", now_us));
    /* The overlay is right: what the index clock is off by is the difference the other way. */
    if (rc == 0 && reading.trusted)
        rc = add_clock(db, camera->camera, index_us + reading.offset_us, -reading.offset_us,
                       reading.uncertainty_us, "overlay", author, now_us, err);
    rc = end(db, rc, err);
    if (rc == 0)
        *ret_reading = reading;
    return rc;
}

int okno_overlay_read(struct okno_db *db, const struct okno_camera *camera, const char *shows,
                      int64_t near_us, int64_t *ret_us, bool *ret_twice, struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    struct okno_site site;
    struct okno_scanned_time shown;
    int64_t at[2];
    int candidates = 0;
    *ret_twice = false;
    if (okno_time_parse(shows, ret_us, NULL) == 0)
        return 0;
    int rc = okno_registry_site(db, camera->site, &site, err);
    if (rc == 0)
        rc = okno_zone_open(site.time_zone, &zone, err);
    if (rc == 0 && okno_time_scan("%Y-%m-%d %H:%M:%S", shows, &shown, NULL) < 0)
        rc = okno_fail_field(err, OKNO_INVALID, "shows",
                             "\"%.40s\": write what the picture shows as 2026-03-10 12:03:07, in "
                             "the site's time, or with Z or an offset",
                             shows);
    if (rc < 0)
        return rc;
    okno_zone_to_utc(zone, &shown.civil, at, &candidates);
    if (candidates == 0)
        return okno_fail_field(err, OKNO_INVALID, "shows",
                               "%.40s never was in %s: the clocks were set forward over it", shows,
                               site.time_zone);
    *ret_twice = candidates == 2;
    *ret_us = *ret_twice && llabs(at[1] - near_us) < llabs(at[0] - near_us) ? at[1] : at[0];
    return 0;
}

int okno_overlay_survey(struct okno_db *db, const char *survey, int64_t frame_at_us,
                        const char *shows, const char *author, int64_t now_us,
                        struct okno_overlay_reading *ret_reading, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_camera camera;
    int64_t offset_us = 0, shown_us = 0;
    bool twice = false;
    int rc = OKNO_DB_PREPARE(db, "commission.press", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no survey %.80s", survey);
    if (rc == 1 && okno_stmt_is_null(stmt, "camera"))
        return okno_fail(err, OKNO_NO_COVERAGE, "no clip of survey %.80s is kept", survey);
    if (rc < 0)
        return rc;
    if (frame_at_us < okno_stmt_int(stmt, "got_from") ||
        frame_at_us > okno_stmt_int(stmt, "got_to"))
        return okno_fail_field(err, OKNO_INVALID, "frame_at", "the clip has no frame at that time");
    offset_us = okno_stmt_int(stmt, "index_offset_us");
    rc = okno_registry_camera(db, okno_stmt_text(stmt, "camera"), &camera, err);
    okno_stmt_reset(stmt);
    if (rc == 0)
        rc = okno_overlay_read(db, &camera, shows, frame_at_us, &shown_us, &twice, err);
    return rc < 0 ? rc
                  : okno_overlay_add(db, &camera, frame_at_us, offset_us, shown_us, author, now_us,
                                     ret_reading, err);
}

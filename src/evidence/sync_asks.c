/* Cameras' clocks to be found, asked for by people and answered one after the other. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/camera_clock.h"
#include "okno/registry.h"
#include "okno/rows.h"
#include "okno/time.h"

#include <math.h>
#include <string.h>

#define SPAN_MOST_US (7 * OKNO_DAY_US)

int okno_sync_put(struct okno_db *db, const struct okno_sync_ask *ask, const char *author,
                  int64_t now_us, int64_t *ret_id, struct okno_err *err)
{
    int64_t open = 0, id = 0;
    if (ask->from_us >= ask->to_us || ask->to_us - ask->from_us > SPAN_MOST_US)
        return okno_fail_field(err, OKNO_INVALID, "to",
                               "a time of up to seven days that ends after it begins");
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_INT(db, "sync_asks.open", 0, &open, err, OKNO_TEXT("camera", ask->camera));
    if (rc == 0 && open > 0)
        rc = okno_fail(err, OKNO_BUSY, "the clock of camera %.64s is being looked for already",
                       ask->camera);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "sync_asks.add", 0, &id, err, OKNO_TEXT("camera", ask->camera),
                         OKNO_INT("from", ask->from_us), OKNO_INT("to", ask->to_us),
                         OKNO_INT("whole", ask->whole), OKNO_INT("left", ask->area.left),
                         OKNO_INT("top", ask->area.top), OKNO_INT("right", ask->area.right),
                         OKNO_INT("bottom", ask->area.bottom), OKNO_TEXT("author", author),
                         OKNO_INT("now", now_us));
    if (rc == 0 && id == 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "there is no camera %.64s", ask->camera);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    if (rc < 0)
        okno_db_rollback(db);
    else
        *ret_id = id;
    return rc;
}

int okno_sync_restart(struct okno_db *db, struct okno_err *err)
{
    return okno_db_run(db, "sync_asks.restart", NULL, 0, NULL, err);
}

struct taken {
    struct okno_work *work;
    int64_t id;
    char camera[OKNO_ID_TEXT];
    struct okno_sync_ask ask;
};

static int take(struct okno_work *work, struct taken *ret_taken, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(work->db, "sync_asks.take", &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    ret_taken->id = okno_stmt_int(stmt, "id");
    okno_stmt_copy(stmt, "camera", ret_taken->camera, sizeof(ret_taken->camera));
    ret_taken->ask = (struct okno_sync_ask){
        .from_us = okno_stmt_int(stmt, "from_us"),
        .to_us = okno_stmt_int(stmt, "to_us"),
        .whole = okno_stmt_is_null(stmt, "area_left"),
        .area = {.left = (uint16_t)okno_stmt_int(stmt, "area_left"),
                 .top = (uint16_t)okno_stmt_int(stmt, "area_top"),
                 .right = (uint16_t)okno_stmt_int(stmt, "area_right"),
                 .bottom = (uint16_t)okno_stmt_int(stmt, "area_bottom"),
                 .columns = 8,
                 .rows = 6},
    };
    while (rc == 1)
        rc = okno_stmt_step(stmt, err);
    return rc < 0 ? rc : 1;
}

/* How far it is; what cannot be written is only not shown. */
static void tell(void *context, size_t done, size_t all)
{
    struct taken *taken = context;
    (void)!OKNO_DB_RUN(taken->work->db, "sync_asks.progress", NULL, NULL,
                       OKNO_INT("looked", (int64_t)done), OKNO_INT("windows", (int64_t)all),
                       OKNO_INT("id", taken->id));
}

static int end(struct okno_work *work, int64_t id, const char *state, const char *message,
               const struct okno_sync_report *report, struct okno_err *err)
{
    const struct okno_sync_result *r = &report->result;
    return OKNO_DB_RUN(work->db, "sync_asks.end", NULL, err, OKNO_INT("id", id),
                       OKNO_TEXT("state", state), OKNO_TEXT("message", message),
                       OKNO_TEXT("point", report->point), OKNO_INT("now", okno_time_now()),
                       OKNO_INT("at", r->at_us), OKNO_INT("offset_us", r->offset_us),
                       OKNO_INT("uncertainty_us", r->uncertainty_us + r->event_uncertainty_us),
                       OKNO_INT("known_us", report->known_us),
                       OKNO_INT("known_uncertainty_us", report->known_uncertainty_us),
                       OKNO_INT("events", (int64_t)r->events),
                       OKNO_INT("agreeing", (int64_t)r->agreeing),
                       OKNO_INT("chance", llround(r->chance_log10 * 100)));
}

int okno_sync_next(struct okno_work *work, struct okno_err *err)
{
    struct taken taken = {.work = work};
    struct okno_sync_report report = {0};
    struct okno_err why = {0};
    int rc = take(work, &taken, err);
    if (rc <= 0)
        return rc;
    taken.ask.camera = taken.camera;
    taken.ask.progress = tell;
    taken.ask.context = &taken;
    int found = okno_sync_run(work, &taken.ask, &report, &why);
    if (found == OKNO_CANCELLED)
        return okno_sync_restart(work->db, err);
    const char *state = found < 0 ? "failed" : report.result.refusal ? "refused" : "found";
    if (found == 0 && report.result.refusal)
        (void)okno_sync_refuse(&report.result, &why);
    rc = end(work, taken.id, state, why.text, &report, err);
    return rc < 0 ? rc : 1;
}

static json_t *milliseconds(struct okno_stmt *row, const char *column)
{
    return okno_stmt_is_null(row, column) ? json_null()
                                          : json_real((double)okno_stmt_int(row, column) / 1000);
}

/* As it is asked for: left, top, right, bottom in per cent; null for the whole picture. */
static json_t *region_json(struct okno_stmt *row)
{
    if (okno_stmt_is_null(row, "area_left"))
        return json_null();
    return json_pack("[f, f, f, f]", (double)okno_stmt_int(row, "area_left") / 100,
                     (double)okno_stmt_int(row, "area_top") / 100,
                     (double)okno_stmt_int(row, "area_right") / 100,
                     (double)okno_stmt_int(row, "area_bottom") / 100);
}

static json_t *sync_json(struct okno_stmt *row)
{
    return json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:s, s:o, s:s, s:I, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o, "
        "s:o, "
        "s:o, s:o, s:o, s:o}",
        "sync", (json_int_t)okno_stmt_int(row, "id"), "camera", okno_stmt_text(row, "camera"),
        "from", okno_row_time(row, "from_us"), "to", okno_row_time(row, "to_us"), "region",
        region_json(row), "author", okno_stmt_text(row, "author"), "asked_at",
        okno_row_time(row, "asked_at"), "state", okno_stmt_text(row, "state"), "looked",
        (json_int_t)okno_stmt_int(row, "looked"), "windows",
        (json_int_t)okno_stmt_int(row, "windows"), "ended_at", okno_row_time(row, "ended_at"),
        "message", okno_json_text(okno_stmt_text(row, "message")), "point",
        okno_stmt_text(row, "point"), "at", okno_row_time(row, "at"), "offset_ms",
        milliseconds(row, "offset_us"), "uncertainty_ms", milliseconds(row, "uncertainty_us"),
        "known_ms", milliseconds(row, "known_us"), "known_uncertainty_ms",
        milliseconds(row, "known_uncertainty_us"), "events", okno_row_int(row, "events"),
        "agreeing", okno_row_int(row, "agreeing"), "accepted_by", okno_row_text(row, "accepted_by"),
        "accepted_at", okno_row_time(row, "accepted_at"));
}

int okno_sync_list(struct okno_db *db, const char *camera, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "sync_asks.list", &stmt, err, OKNO_TEXT("camera", camera));
    return rc < 0 ? rc : okno_rows_list(stmt, sync_json, ret_list, err);
}

static int accept(struct okno_db *db, int64_t id, const char *author, int64_t now_us,
                  struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char target[OKNO_ID_TEXT + 8];
    int rc = OKNO_DB_PREPARE(db, "sync_asks.one", &stmt, err, OKNO_INT("id", id));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "nothing was asked by that number");
    if (strcmp(okno_stmt_text(stmt, "state"), "found") != 0)
        return okno_fail(err, OKNO_REFUSED, "there is no offset to accept: its state is %s",
                         okno_stmt_text(stmt, "state"));
    const struct okno_clock_measurement found = {.at_us = okno_stmt_int(stmt, "at"),
                                                 .offset_us = okno_stmt_int(stmt, "offset_us"),
                                                 .uncertainty_us =
                                                     okno_stmt_int(stmt, "uncertainty_us")};
    (void)snprintf(target, sizeof(target), "camera:%s", okno_stmt_text(stmt, "camera"));
    rc = okno_registry_add_clock(db, target, &found, "sync", author, now_us, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "sync_asks.accept", NULL, err, OKNO_INT("id", id),
                                OKNO_TEXT("author", author), OKNO_INT("now", now_us));
}

int okno_sync_accept(struct okno_db *db, int64_t id, const char *author, int64_t now_us,
                     struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = accept(db, id, author, now_us, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    if (rc < 0)
        okno_db_rollback(db);
    return rc;
}

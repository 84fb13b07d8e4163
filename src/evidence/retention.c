/* How long archives keep recordings, by what is the earliest that they still have. */
#define _POSIX_C_SOURCE 200809L
#include "turns.h"

#include "okno/camera_clock.h"
#include "okno/time.h"

#include <string.h>

/* Shops are closed for a day or two. */
#define REACH_US (3 * OKNO_DAY_US)
enum { DAYS_MOST = 1024 };

/* The earliest recording in the days before so many days ago; 0 when there is none. */
static int earliest_before(struct okno_archive *archive, const char *channel, int64_t now_us,
                           int64_t days, int64_t *ret_us, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    int64_t to_us = now_us - days * OKNO_DAY_US;
    int rc = okno_archive_pieces(archive, channel, to_us - REACH_US, to_us, &pieces, err);
    if (rc == 0)
        *ret_us = pieces.len ? pieces.items[0].from_us : 0;
    return rc;
}

/* Twice as far back each time until there is nothing, then in halves. */
static int find_earliest(struct okno_archive *archive, const char *channel, int64_t now_us,
                         int64_t *ret_us, struct okno_err *err)
{
    int64_t low = 0, high = 1, found_us = 0, best_us = 0;
    int rc = earliest_before(archive, channel, now_us, 0, &best_us, err);
    if (rc < 0 || best_us == 0) {
        *ret_us = 0;
        return rc;
    }
    for (; rc == 0 && high < DAYS_MOST; high *= 2) {
        rc = earliest_before(archive, channel, now_us, high, &found_us, err);
        if (rc < 0 || found_us == 0)
            break;
        low = high;
        best_us = found_us;
    }
    while (rc == 0 && high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        rc = earliest_before(archive, channel, now_us, middle, &found_us, err);
        if (rc == 0 && found_us > 0) {
            low = middle;
            best_us = found_us < best_us ? found_us : best_us;
        } else {
            high = middle;
        }
    }
    if (rc == 0)
        *ret_us = best_us;
    return rc;
}

static int note(struct okno_work *work, const char *camera, int64_t now_us, int64_t earliest_us,
                int code, struct okno_err *err)
{
    int rc = OKNO_DB_RUN(work->db, "retention.put", NULL, err, OKNO_TEXT("camera", camera),
                         OKNO_INT("at", now_us), OKNO_INT("earliest_at", earliest_us),
                         OKNO_TEXT("code", code < 0 ? okno_code_info(code)->name : ""));
    return rc < 0 || code < 0
               ? rc
               : OKNO_DB_RUN(work->db, "retention.again", NULL, err, OKNO_TEXT("camera", camera));
}

/* *ret_noted: what came of it, good or bad, is kept. */
static int look_at(struct okno_work *work, const char *camera_id, int64_t now_us,
                   int64_t *ret_earliest_us, bool *ret_noted, struct okno_err *err)
{
    struct okno_camera row = {0};
    struct okno_work_camera camera;
    struct okno_err why = {0};
    int64_t earliest_us = 0;
    int rc = okno_registry_camera(work->db, camera_id, &row, &why);
    if (rc == 0)
        rc = okno_work_camera_at(work, camera_id, now_us, false, &camera, NULL, &why);
    if (rc == 0) {
        const struct okno_budget budget = work_budget(work);
        okno_archive_begin(camera.archive, &budget);
        rc = find_earliest(camera.archive, camera.camera.channel, now_us + camera.offset.offset_us,
                           &earliest_us, &why);
    }
    if (rc == 0 && earliest_us)
        earliest_us -= camera.offset.offset_us;
    int noted = note(work, camera_id, now_us, rc < 0 ? 0 : earliest_us, rc, err);
    if (noted == 0 && row.archive.archive[0])
        noted = okno_archive_note_asked(work->db, row.archive.archive, now_us, rc, &why, err);
    *ret_noted = noted == 0;
    if (rc < 0)
        return okno_fail_from(err, &why);
    if (noted == 0)
        *ret_earliest_us = earliest_us;
    return noted;
}

int okno_retention_look(struct okno_work *work, const char *camera_id, int64_t now_us,
                        int64_t *ret_earliest_us, struct okno_err *err)
{
    bool noted = false;
    return look_at(work, camera_id, now_us, ret_earliest_us, &noted, err);
}

int okno_retention_next(struct okno_work *work, int64_t now_us, int64_t *ret_next_us,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char camera[OKNO_ID_TEXT] = "";
    bool noted = false;
    int64_t last_us = 0, earliest_us = 0;
    int rc = OKNO_DB_PREPARE(work->db, "retention.due", &stmt, err,
                             OKNO_INT("since", now_us - OKNO_DAY_US));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        (void)snprintf(camera, sizeof(camera), "%s", okno_stmt_text(stmt, "camera"));
        rc = 0;
    }
    if (rc < 0)
        return rc;
    if (camera[0]) {
        rc = look_at(work, camera, now_us, &earliest_us, &noted, err);
        return noted ? 1 : rc;
    }
    rc = okno_db_int(work->db, "retention.next", NULL, 0, 0, &last_us, err);
    if (rc == 0)
        *ret_next_us = last_us ? last_us + OKNO_DAY_US : INT64_MAX;
    return rc;
}

/* One thread's means: its database handle and the archives it keeps open. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"
#include "extras.h"
#include "turns.h"

#include "okno/time.h"

#include <sodium/randombytes.h>
#include <string.h>

#define SEEN_EVERY_US (60 * OKNO_SECOND_US) /* that an archive answers is noted so often */

/* Of all recordings that were asked for in the last 30 days. */
#define INDEX_BYTES (INT64_C(512) * 1024 * 1024)

static int load_index_key(struct okno_work *work, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = okno_db_stmt(work->db, "jobs.index_key", &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        okno_stmt_copy(stmt, "key", work->index_key, sizeof(work->index_key));
    return rc < 0 ? rc : 0;
}

void okno_work_sweep(struct okno_db *db, const char *data_dir, int64_t now_us)
{
    char index_dir[1100];
    (void)snprintf(index_dir, sizeof(index_dir), "%s/index", data_dir);
    okno_evidence_sweep(data_dir, now_us - OKNO_DAY_US);
    okno_copy_sweep(db, data_dir, now_us - 30 * OKNO_DAY_US);
    okno_extract_index_sweep(index_dir, INDEX_BYTES, now_us - 30 * OKNO_DAY_US);
}

int okno_work_open(const char *data_dir, const struct okno_conf *conf, struct okno_work **ret_work,
                   struct okno_err *err)
{
    OKNO_AUTO(okno_work) *work = calloc(1, sizeof(*work));
    if (!work)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a worker");
    work->conf = conf;
    work->planned_version = -1;
    work->runner_fd = -1;
    (void)snprintf(work->data_dir, sizeof(work->data_dir), "%s", data_dir);
    (void)snprintf(work->index_dir, sizeof(work->index_dir), "%s/index", work->data_dir);
    work->recent = okno_extract_recent_new();
    (void)snprintf(work->owner, sizeof(work->owner), "%ld-%08x%08x", (long)getpid(),
                   randombytes_random(), randombytes_random());
    int rc = okno_db_open(data_dir, false, &work->db, err);
    if (rc < 0)
        return rc;
    rc = load_index_key(work, err);
    if (rc < 0)
        return rc;
    runner_begin(work);
    rc = runner_free_dead(work, err);
    if (rc < 0)
        return rc;
    okno_work_sweep(work->db, data_dir, okno_time_now());
    *ret_work = okno_mem_take(&work);
    return 0;
}

void okno_work_close(struct okno_work *work)
{
    if (!work)
        return;
    for (size_t i = 0; i < work->archives.len; i++)
        okno_archive_close(work->archives.items[i].archive);
    work_archive_vec_free(&work->archives);
    runner_end(work);
    okno_db_close(work->db);
    okno_extract_recent_free(work->recent);
    free(work);
}

struct okno_db *okno_work_db(struct okno_work *work)
{
    return work->db;
}

const char *okno_work_index_dir(const struct okno_work *work)
{
    return work->index_dir;
}

const char *okno_work_index_key(const struct okno_work *work)
{
    return work->index_key;
}

int work_archive_open(struct okno_work *work, const struct okno_archive_row *row,
                      struct okno_archive **ret_archive, struct okno_err *err)
{
    char spool[sizeof(work->data_dir) + 16];
    if (okno_evidence_temp_dir(work->data_dir, spool, sizeof(spool), NULL) < 0)
        spool[0] = '\0'; /* may only be read: downloads stay in memory */
    return okno_archive_open_row(work->db, row, work->conf->fetch.deadline_s * OKNO_SECOND_US,
                                 spool, ret_archive, err);
}

static struct work_archive *slot_of(struct okno_work *work, const struct okno_camera *camera)
{
    for (size_t i = 0; i < work->archives.len; i++)
        if (strcmp(work->archives.items[i].row.archive, camera->archive.archive) == 0)
            return &work->archives.items[i];
    return NULL;
}

int work_archive_of(struct okno_work *work, const struct okno_camera *camera,
                    struct okno_archive **ret_archive, struct okno_err *err)
{
    struct work_archive *slot = slot_of(work, camera);
    if (slot && !slot->reopen && memcmp(&slot->row, &camera->archive, sizeof(slot->row)) == 0) {
        *ret_archive = slot->archive;
        return 0;
    }
    struct work_archive fresh = {.row = camera->archive};
    int rc = work_archive_open(work, &camera->archive, &fresh.archive, err);
    if (rc < 0)
        return rc;
    *ret_archive = fresh.archive;
    if (slot) {
        okno_archive_close(slot->archive);
        *slot = fresh;
    } else if (work_archive_vec_push(&work->archives, fresh) < 0) {
        okno_archive_close(fresh.archive);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the archives");
    }
    return 0;
}

int work_archive_ready(struct okno_work *work, const struct okno_camera *camera, int64_t now_us,
                       struct okno_archive **ret_archive, struct okno_err *err)
{
    const struct work_archive *slot = slot_of(work, camera);
    bool same = slot && memcmp(&slot->row, &camera->archive, sizeof(slot->row)) == 0;
    if (same && slot->quiet_until_us > now_us)
        return okno_fail_from(err, &slot->trouble);
    return work_archive_of(work, camera, ret_archive, err);
}

void work_archive_asked(struct okno_work *work, const struct okno_camera *camera, int64_t now_us,
                        int code, const struct okno_err *trouble)
{
    const int64_t quiet_us = 10 * OKNO_SECOND_US;
    bool whole = work_is_whole(code);
    struct work_archive *slot = slot_of(work, camera);
    if (slot && work_is_answer(code) && now_us - slot->seen_us > SEEN_EVERY_US &&
        turns_seen(work, camera->archive.archive, now_us, NULL) == 0)
        slot->seen_us = now_us;
    if (whole)
        (void)snprintf(work->failed.archive, sizeof(work->failed.archive), "%s",
                       camera->archive.archive);
    if (!slot || !whole || slot->quiet_until_us > now_us)
        return;
    slot->quiet_until_us = now_us + (trouble->retry_us > quiet_us ? trouble->retry_us : quiet_us);
    slot->trouble = *trouble;
    slot->reopen = code == OKNO_ARCHIVE_AUTH;
}

int work_index_offset(struct okno_work *work, const struct okno_camera *camera, int64_t at_us,
                      struct okno_clock_offset *ret_offset, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) measurements = {0};
    int rc = okno_registry_index_clock(work->db, camera, &measurements, err);
    if (rc == 0)
        *ret_offset = okno_clock_at(measurements.items, measurements.len, at_us);
    return rc;
}

int okno_work_camera_at(struct okno_work *work, const char *camera, int64_t at_us, bool shown,
                        struct okno_work_camera *ret_camera, int64_t *ret_utc_us,
                        struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_clock_vec) clock = {0};
    struct okno_work_camera found = {0};
    int64_t utc_us = at_us;
    int rc = okno_registry_camera(work->db, camera, &found.camera, err);
    if (rc == 0)
        rc = okno_registry_index_clock(work->db, &found.camera, &clock, err);
    if (rc == 0)
        rc = work_archive_of(work, &found.camera, &found.archive, err);
    if (rc < 0)
        return rc;
    if (shown)
        utc_us = okno_clock_to_utc(clock.items, clock.len, at_us, &found.offset);
    else
        found.offset = okno_clock_at(clock.items, clock.len, at_us);
    *ret_camera = found;
    if (ret_utc_us)
        *ret_utc_us = utc_us;
    return 0;
}

int work_load_survey(struct okno_work *work, const char *id, struct work_survey *ret,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "evidence.survey", &stmt, err, OKNO_TEXT("survey", id));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "there is no survey %.80s: `okno survey list` has the ids, those of the "
                         "presses; an answer has none of its own",
                         id);
    if (rc < 0)
        return rc;
    if (strcmp(okno_stmt_text(stmt, "state"), "open") == 0)
        return okno_fail(err, OKNO_NOT_YET, "the window of survey %.80s is still open", id);
    struct work_survey s = {
        .opened_us = okno_stmt_int(stmt, "opened_at"),
        .closes_us = okno_stmt_int(stmt, "closes_at"),
        .device_uncertainty_us = okno_stmt_int(stmt, "device_uncertainty_us"),
        .answered = !okno_stmt_is_null(stmt, "answer"),
    };
    s.negative = s.answered && strcmp(okno_stmt_text(stmt, "answer"), "no") == 0;
    s.still_at_us = s.answered ? okno_stmt_int(stmt, "answered_at") : s.closes_us;
    (void)snprintf(s.survey, sizeof(s.survey), "%s", okno_stmt_text(stmt, "survey"));
    (void)snprintf(s.point, sizeof(s.point), "%s", okno_stmt_text(stmt, "point"));
    *ret = s;
    return 0;
}

static enum okno_link_state state_of(const char *name)
{
    int state = 0;
    while (state + 1 < OKNO_LINK_STATE_COUNT &&
           strcmp(okno_link_state_name((enum okno_link_state)state), name) != 0)
        state++;
    return (enum okno_link_state)state;
}

static void load_basis(struct okno_stmt *row, struct work_basis *ret)
{
    (void)snprintf(ret->placed, sizeof(ret->placed), "%s", okno_stmt_text(row, "placed"));
    (void)snprintf(ret->basis, sizeof(ret->basis), "%s", okno_stmt_text(row, "basis"));
    ret->sources = okno_stmt_int(row, "sources");
}

int work_load_basis(struct okno_work *work, const char *survey, struct work_basis *ret,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "evidence.basis", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no survey %.80s", survey);
    if (rc == 1)
        load_basis(stmt, ret);
    return rc < 0 ? rc : 0;
}

bool work_basis_equal(const struct work_basis *a, const struct work_basis *b)
{
    return strcmp(a->placed, b->placed) == 0 && strcmp(a->basis, b->basis) == 0 &&
           a->sources == b->sources;
}

int work_load_link(struct okno_work *work, const char *survey, struct work_link *ret,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "evidence.link", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "survey %.80s is not linked yet", survey);
    if (rc < 0)
        return rc;
    const char *camera = okno_stmt_text(stmt, "camera");
    *ret = (struct work_link){
        .state = state_of(okno_stmt_text(stmt, "state")),
        .asked_from_us = okno_stmt_int(stmt, "asked_from"),
        .asked_to_us = okno_stmt_int(stmt, "asked_to"),
        .fraction = okno_stmt_real(stmt, "fraction"),
        .index_offset_us = okno_stmt_int(stmt, "index_offset_us"),
        .uncertainty_us = okno_stmt_int(stmt, "uncertainty_us"),
        .attempts = okno_stmt_int(stmt, "attempts"),
        .made_at_us = okno_stmt_int(stmt, "made_at"),
        .has_evidence = okno_stmt_int(stmt, "has_evidence") != 0,
    };
    load_basis(stmt, &ret->basis);
    (void)snprintf(ret->camera, sizeof(ret->camera), "%s", camera ? camera : "");
    return 0;
}

void work_gaps_text(const struct okno_interval_vec *gaps, char *ret_text, size_t size)
{
    enum { SHOWN_MAX = 16 };
    size_t used = (size_t)snprintf(ret_text, size, "[");
    for (size_t i = 0; i < gaps->len && i < SHOWN_MAX && used + 48 < size; i++)
        used +=
            (size_t)snprintf(ret_text + used, size - used, "%s[%lld,%lld]", i ? "," : "",
                             (long long)gaps->items[i].from_us, (long long)gaps->items[i].to_us);
    (void)snprintf(ret_text + used, size - used, "]");
}

bool work_is_whole(int code)
{
    return code == OKNO_TRANSIENT || code == OKNO_TIMEOUT || code == OKNO_ARCHIVE_AUTH ||
           code == OKNO_ARCHIVE_BUSY;
}

bool work_is_answer(int code)
{
    return code == 0 || code == OKNO_NO_COVERAGE || code == OKNO_GONE || code == OKNO_NOT_YET;
}

bool work_is_passing(int code)
{
    static const int passing[] = {OKNO_TRANSIENT,    OKNO_TIMEOUT,  OKNO_ARCHIVE_BUSY,
                                  OKNO_ARCHIVE_AUTH, OKNO_PROTOCOL, OKNO_ARCHIVE_REFUSED,
                                  OKNO_NOT_YET,      OKNO_BUSY,     OKNO_NO_SPACE,
                                  OKNO_NO_MEMORY,    OKNO_IO,       OKNO_CONFIG,
                                  OKNO_CANCELLED};
    for (size_t i = 0; i < OKNO_COUNT(passing); i++)
        if (passing[i] == code)
            return true;
    return false;
}

int64_t work_retry_at(int64_t attempts, int64_t now_us)
{
    const int64_t longest_us = 3600 * OKNO_SECOND_US;
    int64_t wait_us = 15 * OKNO_SECOND_US;
    while (--attempts > 0 && wait_us < longest_us)
        wait_us *= 2;
    if (wait_us > longest_us)
        wait_us = longest_us;
    return now_us + wait_us + (int64_t)randombytes_uniform((uint32_t)(wait_us / 4));
}

int64_t work_retry_after(const struct okno_err *why, int64_t attempts, int64_t now_us)
{
    int64_t at_us = work_retry_at(attempts, now_us);
    return why->retry_us > at_us - now_us ? now_us + why->retry_us : at_us;
}

struct okno_budget work_budget(const struct okno_work *work)
{
    const struct okno_conf *conf = work->conf;
    return okno_conf_budget(conf, work->cancel);
}

void okno_work_set_cancel(struct okno_work *work, const atomic_bool *cancel)
{
    work->cancel = cancel;
}

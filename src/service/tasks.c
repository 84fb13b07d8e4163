#define _POSIX_C_SOURCE 200809L
#include "tasks.h"

#include "messages.h"
#include "okno/alert.h"
#include "okno/camera_clock.h"
#include "okno/kpi.h"
#include "okno/log.h"
#include "okno/purge.h"
#include "okno/survey.h"
#include "okno/time.h"
#include "okno/work.h"
#include "programmes.h"

#include <stdatomic.h>

static int open_work(void *context, void **ret_means, struct okno_err *err)
{
    const struct tasks *tasks = context;
    struct okno_work *work = NULL;
    int rc = okno_work_open(tasks->data_dir, tasks->conf, &work, err);
    if (rc < 0)
        return rc;
    okno_work_set_cancel(work, &tasks->cancel);
    *ret_means = work;
    return 0;
}

static void close_work(void *means)
{
    okno_work_close(means);
}

static int run_job(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    (void)context;
    int code = 0;
    struct okno_err why = {0};
    int rc = okno_work_run_one(means, okno_time_now(), ret_next_us, &code, &why);
    if (rc < 0)
        return okno_fail(err, rc, "%s", why.text);
    if (rc > 0 && code < 0)
        okno_log(OKNO_LOG_INFO, "work", "%s: %s", okno_code_info(code)->name, why.text);
    return rc;
}

/* Windows close as time passes: the next look is when the first open one does. */
static int next_close(struct okno_db *db, int64_t *ret_next_us, struct okno_err *err)
{
    int64_t next_us = 0;
    int rc = okno_db_int(db, "service.next_close", NULL, 0, INT64_MAX, &next_us, err);
    if (rc == 0)
        *ret_next_us = next_us;
    return rc;
}

/* A stream of events is one piece of news a second, not one for each request: what the planner
 * makes anew costs the same for many. The first after a silence is looked at at once. */
#define PLAN_PACE_US OKNO_SECOND_US

/* True when it is too early; then *ret_next_us says when it is not. */
static bool paced(struct tasks *tasks, int64_t *ret_next_us)
{
    int64_t now_us = okno_time_monotonic();
    int64_t left_us = tasks->planned_us + PLAN_PACE_US - now_us;
    if (tasks->planned_us && left_us > 0) {
        *ret_next_us = okno_time_now() + left_us;
        return true;
    }
    tasks->planned_us = now_us;
    return false;
}

/* Alerts follow what is new at once, and what changes by time alone once a minute. */
#define WATCH_PACE_US (60 * OKNO_SECOND_US)

static int raise_alerts(struct tasks *tasks, struct okno_db *db, struct okno_err *err)
{
    int64_t now_us = okno_time_monotonic();
    int64_t liveness_us = tasks->conf->survey.liveness_h * 3600 * OKNO_SECOND_US;
    bool watch = !tasks->watched_us || now_us - tasks->watched_us >= WATCH_PACE_US;
    struct okno_alert_refreshed counts = {.more = true};
    bool all = watch;
    int rc = 0;
    while (rc == 0 && counts.more) {
        rc = okno_alert_refresh(db, okno_time_now(), liveness_us, all, &counts, err);
        if (rc == 0 && (counts.opened || counts.closed)) {
            struct scheduler *scheduler = atomic_load(&tasks->scheduler);
            okno_log(OKNO_LOG_INFO, "alert", "alerts opened=%lld closed=%lld",
                     (long long)counts.opened, (long long)counts.closed);
            if (scheduler)
                scheduler_wake(scheduler); /* whoever sends messages */
        }
        all = false;
    }
    if (rc == 0 && watch)
        tasks->watched_us = now_us;
    return rc;
}

/* Surveys follow events and time, jobs follow surveys. */
static int plan(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    struct tasks *tasks = context;
    struct okno_work *work = means;
    struct okno_db *db = okno_work_db(work);
    struct okno_survey_params params = okno_survey_params_of(tasks->conf);
    struct okno_survey_refreshed counts = {0};
    int64_t added = 0;
    if (paced(tasks, ret_next_us))
        return 0;
    int rc = okno_survey_refresh(db, &params, okno_time_now(), &counts, err);
    if (rc == 0)
        rc = raise_alerts(tasks, db, err);
    if (rc == 0)
        rc = okno_work_plan(work, okno_time_now(), &added, err);
    if (rc < 0)
        return rc;
    if (counts.added || counts.changed || counts.removed)
        okno_log(OKNO_LOG_INFO, "survey", "surveys added=%lld changed=%lld removed=%lld",
                 (long long)counts.added, (long long)counts.changed, (long long)counts.removed);
    struct scheduler *scheduler = atomic_load(&tasks->scheduler);
    if (added > 0 && scheduler)
        scheduler_wake(scheduler);
    return next_close(db, ret_next_us, err);
}

/* The sums that indicators are made of follow once a minute, so that readers have little to count.
 */
#define SUMS_PACE_US (60 * OKNO_SECOND_US)

static int open_db(void *context, void **ret_means, struct okno_err *err)
{
    const struct tasks *tasks = context;
    struct okno_db *db = NULL;
    int rc = okno_db_open(tasks->data_dir, false, &db, err);
    if (rc == 0)
        *ret_means = db;
    return rc;
}

static void close_db(void *means)
{
    okno_db_close(means);
}

static int keep_sums(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    struct tasks *tasks = context;
    int64_t now_us = okno_time_monotonic();
    int64_t left_us = tasks->summed_us ? tasks->summed_us + SUMS_PACE_US - now_us : 0;
    int rc = left_us > 0 ? 0
                         : okno_kpi_note_weight(means, tasks->conf->kpi.silent_weight,
                                                okno_time_now(), err);
    if (rc == 0 && left_us <= 0)
        rc = okno_kpi_upkeep(means, err);
    if (left_us <= 0 && rc == 0)
        tasks->summed_us = now_us;
    *ret_next_us = okno_time_now() + (left_us > 0 ? left_us : SUMS_PACE_US);
    return rc;
}

/* Clocks of archives, one at a time: questions are put seconds apart; and how long they keep. */
static int look_at_clock(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    (void)context;
    int64_t kept_us = INT64_MAX;
    int rc = okno_look_next(means, okno_time_now(), ret_next_us, err);
    if (rc != 0)
        return rc;
    rc = okno_retention_next(means, okno_time_now(), &kept_us, err);
    *ret_next_us = kept_us < *ret_next_us ? kept_us : *ret_next_us;
    return rc;
}

/* Cameras' clocks that people want found, one at a time: none is waited for longer than it takes.
 */
static int open_syncs(void *context, void **ret_means, struct okno_err *err)
{
    int rc = open_work(context, ret_means, err);
    return rc < 0 ? rc : okno_sync_restart(okno_work_db(*ret_means), err);
}

static int find_clock(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    (void)context;
    (void)ret_next_us; /* a question wakes it */
    return okno_sync_next(means, err);
}

/* Threads enough for all archives at a time, so that one that hangs has only its own. */
static int threads_for(const struct tasks *tasks, int workers)
{
    enum { ARCHIVES_LEAST = 4, THREADS_MOST = 64 };
    OKNO_AUTO(okno_db) *db = NULL;
    int64_t archives = 0;
    if (workers == 0 || okno_db_open(tasks->data_dir, false, &db, NULL) < 0 ||
        okno_db_int(db, "service.archive_count", NULL, 0, 0, &archives, NULL) < 0)
        return workers;
    archives = archives < ARCHIVES_LEAST ? ARCHIVES_LEAST : archives;
    return workers * archives < THREADS_MOST ? workers * (int)archives : THREADS_MOST;
}

/* 1: there may be more to destroy. */
static int keep_retention(const struct tasks *tasks, struct okno_db *db, int64_t now_us,
                          struct okno_err *err)
{
    const struct okno_purge_rule rule = {.keep_days = tasks->conf->evidence.keep_days,
                                         .author = "service"};
    struct okno_purged purged = {.files = 0};
    if (rule.keep_days < 1)
        return 0; /* nothing goes by itself */
    int rc = okno_purge_run(db, tasks->data_dir, &rule, now_us, &purged, err);
    if (rc < 0)
        return rc;
    if (purged.files > 0)
        okno_log(OKNO_LOG_INFO, "retention", "destroyed files=%lld bytes=%lld",
                 (long long)purged.files, (long long)purged.bytes);
    return purged.more;
}

/* What has no business in the data directory any more goes once an hour: first what makes room and
 * needs none, then what has become too old, in batches. */
#define CLEAN_PACE_US (3600 * OKNO_SECOND_US)

static int clean(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    struct tasks *tasks = context;
    int64_t now_us = okno_time_now();
    int64_t left_us = tasks->cleaned_us + CLEAN_PACE_US - okno_time_monotonic();
    if (tasks->cleaned_us && left_us > 0) {
        *ret_next_us = now_us + left_us;
        return 0;
    }
    okno_work_sweep(means, tasks->data_dir, now_us);
    int rc = keep_retention(tasks, means, now_us, err);
    if (rc != 0)
        return rc;
    tasks->cleaned_us = okno_time_monotonic();
    *ret_next_us = now_us + CLEAN_PACE_US;
    return 0;
}

int tasks_start(struct tasks *tasks, int workers, struct scheduler **ret_scheduler,
                struct okno_err *err)
{
    struct scheduler_task all[] = {
        {.name = "planner", .threads = 1, .work = plan},
        {.name = "worker", .threads = threads_for(tasks, workers), .work = run_job},
        {.name = "clocks", .threads = workers > 0, .work = look_at_clock},
        {.name = "syncs", .threads = workers > 0, .work = find_clock, .open = open_syncs},
        {.name = "sums", .threads = 1, .work = keep_sums, .open = open_db, .close = close_db},
        {.name = "retention", .threads = 1, .work = clean, .open = open_db, .close = close_db},
        {.name = "messages",
         .threads = 1,
         .work = messages_work,
         .open = messages_open,
         .close = messages_close},
        {.name = "programmes",
         .threads = 1,
         .work = programmes_work,
         .open = programmes_open,
         .close = programmes_close},
    };
    for (size_t i = 0; i < OKNO_COUNT(all); i++) {
        all[i].context = tasks;
        all[i].open = all[i].open ? all[i].open : open_work;
        all[i].close = all[i].close ? all[i].close : close_work;
    }
    int rc = scheduler_start(tasks->data_dir, all, OKNO_COUNT(all), ret_scheduler, err);
    if (rc < 0)
        return rc;
    atomic_store(&tasks->scheduler, *ret_scheduler);
    scheduler_wake(*ret_scheduler); /* what was planned before it was known to the planner */
    return 0;
}

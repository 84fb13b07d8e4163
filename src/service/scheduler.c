#define _GNU_SOURCE
#include "scheduler.h"

#include "okno/log.h"
#include "okno/time.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#define SLEEP_LEAST_US (OKNO_SECOND_US / 20)
#define SLEEP_MAX_US (60 * OKNO_SECOND_US)
#define PAUSE_FIRST_US OKNO_SECOND_US
#define PAUSE_MAX_US (60 * OKNO_SECOND_US)

struct worker {
    struct scheduler *scheduler;
    struct scheduler_task task;
    pthread_t thread;
};

struct scheduler {
    char data_dir[1024];
    struct worker *workers;
    size_t worker_count;
    int watch_fd, end_fd; /* changes of the database by other programs; the end */
    pthread_t watcher;
    bool watching;

    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t changed;
    uint64_t news; /* how many times there was news */
    bool stopping;
};

void scheduler_wake(struct scheduler *scheduler)
{
    (void)pthread_mutex_lock(&scheduler->lock);
    scheduler->news++;
    (void)pthread_cond_broadcast(&scheduler->changed);
    (void)pthread_mutex_unlock(&scheduler->lock);
}

/* Sleep until news after `seen`, the end, or `until_us` on the monotonic clock. False at the end.
 */
static bool sleep_until(struct scheduler *scheduler, uint64_t seen, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / OKNO_SECOND_US,
                             .tv_nsec = until_us % OKNO_SECOND_US * 1000};
    int number = 0;
    (void)pthread_mutex_lock(&scheduler->lock);
    while (!scheduler->stopping && scheduler->news == seen && number == 0)
        number = pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until);
    bool go_on = !scheduler->stopping;
    (void)pthread_mutex_unlock(&scheduler->lock);
    return go_on;
}

static uint64_t news_now(struct scheduler *scheduler, bool *ret_stopping)
{
    (void)pthread_mutex_lock(&scheduler->lock);
    uint64_t news = scheduler->news;
    *ret_stopping = scheduler->stopping;
    (void)pthread_mutex_unlock(&scheduler->lock);
    return news;
}

/* The moment to look again on the monotonic clock, at most a minute away: the wall clock may jump.
 */
static int64_t look_again_us(int64_t next_us)
{
    int64_t left = next_us - okno_time_now();
    /* Due, and yet nothing was done: others have it in hand. */
    left = left < SLEEP_LEAST_US ? SLEEP_LEAST_US : left;
    return okno_time_monotonic() + (left < SLEEP_MAX_US ? left : SLEEP_MAX_US);
}

/* After a failure, longer each time. News must not shorten it: what fails, fails again. False at
 * the end. */
static bool pause_after(struct scheduler *scheduler, int64_t *pause_us)
{
    int64_t until_us = okno_time_monotonic() + *pause_us;
    bool stopping = false;
    bool go_on = true;
    *pause_us = *pause_us * 2 < PAUSE_MAX_US ? *pause_us * 2 : PAUSE_MAX_US;
    while (go_on && okno_time_monotonic() < until_us)
        go_on = sleep_until(scheduler, news_now(scheduler, &stopping), until_us);
    return go_on;
}

/* One piece and the sleep after it. False at the end. */
static bool turn(struct worker *worker, void *means, int64_t *pause_us)
{
    struct scheduler *scheduler = worker->scheduler;
    bool stopping = false;
    uint64_t seen = news_now(scheduler, &stopping);
    int64_t next_us = INT64_MAX;
    struct okno_err err = {0};
    if (stopping)
        return false;
    int rc = worker->task.work(worker->task.context, means, &next_us, &err);
    if (rc >= 0)
        *pause_us = PAUSE_FIRST_US;
    if (rc > 0)
        return true;
    if (rc == 0)
        return sleep_until(scheduler, seen, look_again_us(next_us));
    okno_log(OKNO_LOG_ERROR, "service", "%s: %s", worker->task.name, err.text);
    return pause_after(scheduler, pause_us);
}

/* Again and again: a disk that is full when the service starts has room later. False at the end. */
static bool open_means(struct worker *worker, void **ret_means, int64_t *pause_us)
{
    struct okno_err err = {0};
    while (worker->task.open && worker->task.open(worker->task.context, ret_means, &err) < 0) {
        okno_log(OKNO_LOG_ERROR, "service", "%s does not start: %s", worker->task.name, err.text);
        if (!pause_after(worker->scheduler, pause_us))
            return false;
    }
    *pause_us = PAUSE_FIRST_US;
    return true;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    void *means = NULL;
    int64_t pause_us = PAUSE_FIRST_US;
    if (!open_means(worker, &means, &pause_us))
        return NULL;
    while (turn(worker, means, &pause_us))
        ;
    if (worker->task.close)
        worker->task.close(means);
    return NULL;
}

/* Commands of other processes (an import) write to the write-ahead log beside the database. */
static void *watcher_main(void *arg)
{
    struct scheduler *scheduler = arg;
    char buf[4096] __attribute__((aligned(8)));
    struct pollfd fds[2] = {{.fd = scheduler->watch_fd, .events = POLLIN},
                            {.fd = scheduler->end_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
        if (fds[1].revents)
            return NULL;
        if (!fds[0].revents)
            continue;
        while (read(scheduler->watch_fd, buf, sizeof(buf)) > 0)
            ;
        scheduler_wake(scheduler);
        /* A burst of writes is one piece of news. */
        if (poll(&fds[1], 1, 300) > 0)
            return NULL;
    }
    return NULL;
}

static int start_watcher(struct scheduler *scheduler, struct okno_err *err)
{
    scheduler->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    scheduler->end_fd = eventfd(0, EFD_CLOEXEC);
    if (scheduler->watch_fd < 0 || scheduler->end_fd < 0 ||
        inotify_add_watch(scheduler->watch_fd, scheduler->data_dir, IN_MODIFY) < 0)
        return okno_fail_errno(err, errno, "cannot watch %s for changes", scheduler->data_dir);
    int number = pthread_create(&scheduler->watcher, NULL, watcher_main, scheduler);
    if (number)
        return okno_fail_errno(err, number, "cannot start a thread");
    scheduler->watching = true;
    return 0;
}

static int start_workers(struct scheduler *scheduler, const struct scheduler_task *task,
                         struct okno_err *err)
{
    for (int i = 0; i < task->threads; i++) {
        struct worker *worker = &scheduler->workers[scheduler->worker_count];
        worker->scheduler = scheduler;
        worker->task = *task;
        int number = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (number)
            return okno_fail_errno(err, number, "cannot start a thread for %s", task->name);
        scheduler->worker_count++;
    }
    return 0;
}

static struct scheduler *scheduler_new(const char *data_dir, size_t threads)
{
    OKNO_AUTO(scheduler) *scheduler = calloc(1, sizeof(*scheduler));
    if (!scheduler)
        return NULL;
    (void)snprintf(scheduler->data_dir, sizeof(scheduler->data_dir), "%s", data_dir);
    scheduler->watch_fd = scheduler->end_fd = -1;
    (void)pthread_mutex_init(&scheduler->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&scheduler->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    scheduler->workers = calloc(threads ? threads : 1, sizeof(*scheduler->workers));
    return scheduler->workers ? okno_mem_take(&scheduler) : NULL;
}

int scheduler_start(const char *data_dir, const struct scheduler_task *tasks, size_t count,
                    struct scheduler **ret_scheduler, struct okno_err *err)
{
    size_t threads = 0;
    for (size_t i = 0; i < count; i++)
        threads += (size_t)tasks[i].threads;
    OKNO_AUTO(scheduler) *scheduler = scheduler_new(data_dir, threads);
    if (!scheduler)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the scheduler");
    int rc = start_watcher(scheduler, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = start_workers(scheduler, &tasks[i], err);
    if (rc == 0)
        *ret_scheduler = okno_mem_take(&scheduler);
    return rc;
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    (void)pthread_mutex_lock(&scheduler->lock);
    scheduler->stopping = true;
    (void)pthread_cond_broadcast(&scheduler->changed);
    (void)pthread_mutex_unlock(&scheduler->lock);
    for (size_t i = 0; i < scheduler->worker_count; i++)
        (void)pthread_join(scheduler->workers[i].thread, NULL);
    if (scheduler->watching) {
        (void)eventfd_write(scheduler->end_fd, 1);
        (void)pthread_join(scheduler->watcher, NULL);
    }
    okno_mem_close_at(&scheduler->watch_fd);
    okno_mem_close_at(&scheduler->end_fd);
    (void)pthread_cond_destroy(&scheduler->changed);
    (void)pthread_mutex_destroy(&scheduler->lock);
    free(scheduler->workers);
    free(scheduler);
}

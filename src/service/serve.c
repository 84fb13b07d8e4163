/* The service process: HTTP, scheduler, workers, and an orderly end. */
#define _GNU_SOURCE
#include "okno/serve.h"

#include "http/server.h"
#include "notify_ready.h"
#include "okno/file.h"
#include "okno/log.h"
#include "okno/time.h"
#include "scheduler.h"
#include "tasks.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

/* Blocked in every thread that starts later; the main thread waits for the first two. SIGPIPE: a
 * client that went away is an error of its write, not a reason to die. */
static void block_signals(sigset_t *ret_ends)
{
    sigset_t blocked;
    (void)sigemptyset(ret_ends);
    (void)sigaddset(ret_ends, SIGTERM);
    (void)sigaddset(ret_ends, SIGINT);
    blocked = *ret_ends;
    (void)sigaddset(&blocked, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

/* Whole at once: who waits for the file never reads half a number. */
static int write_port(const char *path, int port, struct okno_err *err)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d\n", port);
    return path ? okno_file_put(path, 0644, text, (size_t)len, err) : 0;
}

static void wait_for_end(const sigset_t *ends)
{
    int number = 0;
    while (sigwait(ends, &number) != 0)
        ;
    okno_log(OKNO_LOG_INFO, "service", "%s: finishing what runs", strsignal(number));
    service_tell_systemd("STOPPING=1");
}

static void wake_scheduler(void *context)
{
    if (context)
        scheduler_wake(context);
}

/* Work that is under way when the service ends may be finished within that; then it is given back,
 * to be done after the next start. */
#define GRACE_US (10 * OKNO_SECOND_US)

struct grace {
    atomic_bool *cancel;
    pthread_t thread;
    pthread_mutex_t lock; /* protects over */
    pthread_cond_t changed;
    bool over;
};

static void *grace_main(void *arg)
{
    struct grace *grace = arg;
    struct timespec until;
    int64_t at_us = okno_time_now() + GRACE_US;
    until.tv_sec = (time_t)(at_us / OKNO_SECOND_US);
    until.tv_nsec = (long)(at_us % OKNO_SECOND_US) * 1000;
    pthread_mutex_lock(&grace->lock);
    int number = 0;
    while (!grace->over && number == 0)
        number = pthread_cond_timedwait(&grace->changed, &grace->lock, &until);
    pthread_mutex_unlock(&grace->lock);
    atomic_store(grace->cancel, true);
    return NULL;
}

/* Wait for the work under way, not longer than it deserves. */
static void stop_work(struct tasks *tasks, struct scheduler *scheduler)
{
    struct grace grace = {.cancel = &tasks->cancel,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER};
    bool timed = pthread_create(&grace.thread, NULL, grace_main, &grace) == 0;
    if (!timed)
        atomic_store(&tasks->cancel, true);
    scheduler_stop(scheduler);
    pthread_mutex_lock(&grace.lock);
    grace.over = true;
    pthread_cond_signal(&grace.changed);
    pthread_mutex_unlock(&grace.lock);
    if (timed)
        (void)pthread_join(grace.thread, NULL);
}

int okno_serve_run(const struct okno_serve_options *options, const struct okno_conf *conf,
                   struct okno_err *err)
{
    sigset_t ends;
    block_signals(&ends);
    struct tasks tasks = {
        .data_dir = options->data_dir, .conf = conf, .public_url = options->public_url};
    OKNO_AUTO(scheduler) *scheduler = NULL;
    OKNO_AUTO(http_server) *server = NULL;
    int rc = tasks_start(&tasks, options->workers, &scheduler, err);
    if (rc == 0)
        rc = http_server_start(options, conf, wake_scheduler, scheduler, &server, err);
    if (rc == 0)
        rc = write_port(options->port_file, http_server_port(server), err);
    if (rc < 0)
        return rc;
    okno_log(OKNO_LOG_INFO, "service", "listening on %s/", http_server_url(server));
    service_tell_systemd("READY=1");
    wait_for_end(&ends);
    http_server_stop(okno_mem_take(&server));
    stop_work(&tasks, okno_mem_take(&scheduler));
    okno_log(OKNO_LOG_INFO, "service", "ended");
    return 0;
}

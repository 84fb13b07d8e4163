/* The service process: HTTP, scheduler, workers, and an orderly end. */
#define _GNU_SOURCE
#include "okno/serve.h"

#include "http/server.h"
#include "notify_ready.h"
#include "okno/log.h"
#include "scheduler.h"
#include "tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

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

/* Written under another name first: who waits for the file never reads half a number. */
static int write_port(const char *path, int port, struct okno_err *err)
{
    char draft[1100];
    if (!path)
        return 0;
    (void)snprintf(draft, sizeof(draft), "%.1080s.tmp", path);
    FILE *file = fopen(draft, "we");
    bool good = file && fprintf(file, "%d\n", port) > 0;
    if (file && fclose(file) != 0)
        good = false;
    if (!good || rename(draft, path) < 0)
        return okno_fail_errno(err, errno, "cannot write the port to %s", path);
    return 0;
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
    scheduler_stop(okno_mem_take(&scheduler));
    okno_log(OKNO_LOG_INFO, "service", "ended");
    return 0;
}

#define _GNU_SOURCE
/* PDF and XLSX are made by a program of their own, okno-paper: it takes the document on its
 * standard input and gives the file on its standard output. The service stays free of its
 * libraries. */
#include "document.h"

#include "okno/beside.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 180000, CHUNK = 65536, MESSAGE = 1000 };

/* ---- the program ---- */

/* Whoever lacks it can do without. */
static int find_program(char *ret_path, size_t size, struct okno_err *err)
{
    return okno_beside("okno-paper", ret_path, size, NULL) == 0
               ? 0
               : okno_fail(err, OKNO_UNSUPPORTED,
                           "okno-paper, which makes PDF and XLSX, is not installed beside okno; "
                           "HTML, CSV "
                           "and JSON are made without it");
}

struct child {
    pid_t pid;
    int in, out, err; /* its standard streams; ours non-blocking */
};

static void child_end(struct child *child)
{
    int status;
    if (child->pid > 0) {
        (void)kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    okno_mem_close_at(&child->in);
    okno_mem_close_at(&child->out);
    okno_mem_close_at(&child->err);
}
#define AUTO_CHILD __attribute__((cleanup(child_end))) struct child

static int add_pipe(posix_spawn_file_actions_t *actions, int fd, int pipes[2])
{
    bool input = fd == 0; /* a socket: writing to one that is gone raises no signal when asked so */
    if (input ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipes) < 0
              : pipe2(pipes, O_CLOEXEC) < 0)
        return -1;
    return posix_spawn_file_actions_adddup2(actions, pipes[input ? 0 : 1], fd);
}

static int spawn(const char *path, const char *format, posix_spawn_file_actions_t *actions,
                 struct child *child, struct okno_err *err)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)format, NULL};
    char *const env[] = {(char *)(uintptr_t) "LC_ALL=C.UTF-8",
                         (char *)(uintptr_t) "HOME=/nonexistent", NULL};
    int failed = 0;
    for (int fd = 0; !failed && fd < 3; fd++)
        failed = add_pipe(actions, fd, pipes[fd]);
    if (!failed)
        failed = posix_spawn(&child->pid, path, actions, NULL, argv, env);
    child->in = pipes[0][1];
    child->out = pipes[1][0];
    child->err = pipes[2][0];
    okno_mem_close_at(&pipes[0][0]);
    okno_mem_close_at(&pipes[1][1]);
    okno_mem_close_at(&pipes[2][1]);
    if (failed)
        return okno_fail_errno(err, failed > 0 ? failed : errno, "cannot start %s", path);
    for (int fd = 0; fd < 3; fd++) {
        int ours = fd == 0 ? child->in : fd == 1 ? child->out : child->err;
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
            return okno_fail_errno(err, errno, "cannot talk to okno-paper");
    }
    return 0;
}

static int start(const char *format, struct child *child, struct okno_err *err)
{
    char path[PATH_MAX];
    posix_spawn_file_actions_t actions;
    int rc = find_program(path, sizeof(path), err);
    if (rc < 0)
        return rc;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to start okno-paper");
    rc = spawn(path, format, &actions, child, err);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* ---- the talk ---- */

static int give(struct child *child, const char *text, size_t len, size_t *given)
{
    ssize_t wrote = send(child->in, text + *given, len - *given, MSG_NOSIGNAL);
    if (wrote > 0)
        *given += (size_t)wrote;
    if (*given == len || (wrote < 0 && errno != EAGAIN && errno != EINTR))
        okno_mem_close_at(&child->in), child->in = -1;
    return 0;
}

static int take(int *fd, struct okno_buf *to, struct okno_err *err)
{
    char bytes[CHUNK];
    ssize_t got = read(*fd, bytes, sizeof(bytes));
    if (got > 0)
        return okno_buf_add(to, bytes, (size_t)got, err);
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        (void)close(*fd);
        *fd = -1;
    }
    return 0;
}

static int talk(struct child *child, const char *text, size_t len, struct okno_buf *to,
                struct okno_buf *said, struct okno_err *err)
{
    size_t given = 0;
    int64_t until_us = okno_time_monotonic() + INT64_C(1000) * PATIENCE_MS;
    int rc = 0;
    while (rc == 0 && (child->out >= 0 || child->err >= 0)) {
        struct pollfd fds[] = {
            {child->in, POLLOUT, 0}, {child->out, POLLIN, 0}, {child->err, POLLIN, 0}};
        int64_t left_us = until_us - okno_time_monotonic();
        int ready = left_us <= 0 ? 0 : poll(fds, OKNO_COUNT(fds), (int)(left_us / 1000) + 1);
        if (ready == 0)
            return okno_fail(err, OKNO_TIMEOUT, "okno-paper took longer than %d s",
                             PATIENCE_MS / 1000);
        if (fds[0].revents)
            rc = give(child, text, len, &given);
        if (rc == 0 && fds[1].revents)
            rc = take(&child->out, to, err);
        if (rc == 0 && fds[2].revents && take(&child->err, said, NULL) < 0)
            okno_buf_reset(said); /* it says more than is worth keeping */
    }
    return rc;
}

static int finish(struct child *child, const struct okno_buf *said, struct okno_err *err)
{
    int status = 0;
    pid_t pid = child->pid;
    child->pid = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return okno_fail(err, OKNO_FAILED, "okno-paper failed: %.300s",
                     said->len ? okno_buf_text(said) : "it was stopped");
}

int paper_write(const json_t *document, const char *format, struct okno_buf *to,
                struct okno_err *err)
{
    AUTO_CHILD child = {.pid = 0, .in = -1, .out = -1, .err = -1};
    OKNO_AUTO_BUF said = OKNO_BUF_INIT(MESSAGE);
    okno_autofree char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    int rc = start(format, &child, err);
    if (rc < 0)
        return rc;
    rc = talk(&child, text, strlen(text), to, &said, err);
    return rc == 0 ? finish(&child, &said, err) : rc;
}

#define _GNU_SOURCE
#include "host.h"

#include "confine.h"

#include "okno/mem.h"
#include "okno/sandbox.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { MAX_CHILDREN = 64 };

/* Where the keeper and the host find theirs. */
enum { HOST_CONTROL_FD = STDERR_FILENO + 1, HOST_PROGRAM_FD };

/* --- inside the host process ------------------------------------------------------------------ */

struct job_child {
    pid_t pid;
    int status_fd; /* owned; to the caller */
    bool killed;
};

struct spare {
    pid_t pid; /* 0: none */
    int fd;    /* owned; the job goes there */
};

struct host {
    const struct media_setup *setup;
    int control_fd, signal_fd;
    bool confined; /* the filter is ready */
    bool warm;
    bool hurried; /* a job was there first: it gets a child that is not warm */
    struct spare spare;
    struct job_child children[MAX_CHILDREN];
    size_t count;
};

static void die_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) /* it died before we asked */
        _exit(0);
}

/* Put the descriptors where the filter expects them; nothing else stays open. */
static bool child_arrange(const int *fds, size_t count)
{
    static const int places[WIRE_FDS] = {[WIRE_FD_JOB] = CONFINE_JOB_FD,
                                         [WIRE_FD_MEMORY] = CONFINE_MEMORY_FD,
                                         [WIRE_FD_OUT] = CONFINE_OUT_FD};
    int high[WIRE_FDS];
    for (size_t i = 0; i < count; i++)
        if ((high[i] = fcntl(fds[i], F_DUPFD, 2 * CONFINE_FDS)) < 0)
            return false;
    for (size_t i = 0; i < count; i++)
        if (dup2(high[i], places[i]) < 0)
            return false;
    bool out = count > WIRE_FD_OUT;
    return close_range(out ? CONFINE_FDS : CONFINE_OUT_FD, ~0U, 0) == 0;
}

/* Ends the process when the job is done. */
static void child_work(const struct host *host, const struct media_limits *limits, const int *fds,
                       size_t count)
{
    off_t len = lseek(fds[WIRE_FD_MEMORY], 0, SEEK_END);
    void *memory = len < WIRE_PAYLOAD
                       ? MAP_FAILED
                       : mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, fds[WIRE_FD_MEMORY], 0);
    if (memory == MAP_FAILED || !child_arrange(fds, count) || !host->confined ||
        !confine_enter(limits))
        _exit(WIRE_EXIT_UNCONFINED);
    struct media_link link = {.job_fd = CONFINE_JOB_FD,
                              .memory = memory,
                              .memory_len = (size_t)len,
                              .out_fd = count > WIRE_FD_OUT ? CONFINE_OUT_FD : -1};
    host->setup->run(&link);
    _exit(0);
}

/* Wait for the one job of this child's life. Never returns. */
static void child_main(const struct host *host, pid_t parent, int job_fd)
{
    struct wire_spawn spawn = {0};
    int fds[WIRE_FDS];
    size_t count = 0;
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    die_with(parent);
    (void)prctl(PR_SET_NAME, "okno-media-job", 0, 0, 0);
    if (dup2(job_fd, STDERR_FILENO + 1) < 0 || close_range(STDERR_FILENO + 2, ~0U, 0) < 0)
        _exit(WIRE_EXIT_LOST);
    host->setup->ready();
    if (wire_recv_fds(STDERR_FILENO + 1, &spawn, sizeof(spawn), fds, &count) !=
            (ssize_t)sizeof(spawn) ||
        count <= WIRE_FD_MEMORY)
        _exit(WIRE_EXIT_LOST);
    child_work(host, &spawn.limits, fds, count);
}

/* A child in reserve: forking it takes longer than all else, and is done while the one before it
 * works. */
static int spare_make(struct host *host)
{
    int pair[2];
    pid_t self = getpid();
    if (host->spare.pid > 0)
        return 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    pid_t pid = fork();
    int number = errno;
    if (pid == 0)
        child_main(host, self, pair[1]);
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        errno = number;
        return -1;
    }
    host->spare = (struct spare){.pid = pid, .fd = pair[0]};
    return 0;
}

/* Give it the job. Its pid, or -1 with errno. */
static pid_t spare_send(struct host *host, const struct wire_spawn *spawn, const int *fds,
                        size_t count)
{
    if (spare_make(host) < 0)
        return -1;
    struct spare spare = host->spare;
    host->spare = (struct spare){.fd = -1};
    int rc = wire_send_fds(spare.fd, spawn, sizeof(*spawn), fds, count);
    int number = errno;
    (void)close(spare.fd);
    errno = number;
    return rc < 0 ? -1 : spare.pid;
}

static void tell_end(int status_fd, int fork_errno, int wait_status)
{
    struct wire_end end = {.fork_errno = fork_errno, .wait_status = wait_status};
    if (wire_send(status_fd, &end, sizeof(end), MSG_DONTWAIT) < 0)
        return; /* the caller is gone: nobody wants to know */
}

/* The last descriptor is the host's own, the others go to the child. */
static void host_spawn(struct host *host, const struct wire_spawn *spawn, const int *fds,
                       size_t count)
{
    int status_fd = fds[count - 1];
    pid_t pid = spare_send(host, spawn, fds, count - 1);
    if (pid < 0) /* the one in reserve was killed from outside: once more */
        pid = spare_send(host, spawn, fds, count - 1);
    if (pid < 0) {
        tell_end(status_fd, errno, 0);
        (void)close(status_fd);
        return;
    }
    host->children[host->count++] = (struct job_child){.pid = pid, .status_fd = status_fd};
}

/* With a child in reserve. Costs as much as a job: what runs one job and ends can do without. */
static void host_warm(struct host *host)
{
    if (!host->warm)
        host->setup->warm();
    host->warm = true;
    (void)spare_make(host); /* tried again with the next job */
}

static bool is_waiting(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 0) > 0;
}

/* False when the process that we serve is gone. */
static bool host_take(struct host *host)
{
    struct wire_spawn spawn = {0};
    int fds[WIRE_FDS];
    size_t count = 0;
    ssize_t got = wire_recv_fds(host->control_fd, &spawn, sizeof(spawn), fds, &count);
    bool good = got == (ssize_t)sizeof(spawn) && count > WIRE_FD_MEMORY + 1;
    if (good && !host->hurried)
        host_warm(host);
    host->hurried = false;
    if (good)
        host_spawn(host, &spawn, fds, count);
    for (size_t i = 0; i < count - good; i++)
        (void)close(fds[i]);
    if (good && host->warm && spare_make(host) < 0)
        return true; /* tried again with the next job */
    return got > 0;
}

static void spare_forget(struct host *host)
{
    (void)close(host->spare.fd);
    host->spare = (struct spare){.fd = -1};
}

/* Wait for each child that ended and say how. */
static void host_reap(struct host *host, int flags)
{
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, flags)) > 0;) {
        size_t i = 0;
        while (i < host->count && host->children[i].pid != pid)
            i++;
        if (i == host->count) {
            if (pid == host->spare.pid)
                spare_forget(host);
            continue;
        }
        tell_end(host->children[i].status_fd, 0, status);
        (void)close(host->children[i].status_fd);
        host->children[i] = host->children[--host->count];
    }
}

/* The caller closed its side of the status socket, or all of it: it wants the child dead. */
static void host_kill(struct job_child *child)
{
    (void)kill(child->pid, SIGKILL); /* not waited for yet, so the number is still its own */
    child->killed = true;
}

static bool host_turn(struct host *host)
{
    struct pollfd fds[MAX_CHILDREN + 2];
    size_t jobs = host->count;
    for (size_t i = 0; i < jobs; i++)
        fds[i] = (struct pollfd){.fd = host->children[i].killed ? -1 : host->children[i].status_fd,
                                 .events = POLLIN};
    fds[jobs] = (struct pollfd){.fd = host->signal_fd, .events = POLLIN};
    fds[jobs + 1] =
        (struct pollfd){.fd = jobs < MAX_CHILDREN ? host->control_fd : -1, .events = POLLIN};
    if (poll(fds, (nfds_t)jobs + 2, -1) < 0)
        return errno == EINTR;
    for (size_t i = 0; i < jobs; i++)
        if (fds[i].revents)
            host_kill(&host->children[i]);
    if (fds[jobs].revents) {
        struct signalfd_siginfo info;
        ssize_t got = read(host->signal_fd, &info, sizeof(info));
        (void)got; /* one signal may stand for several children */
        host_reap(host, WNOHANG);
    }
    return fds[jobs + 1].revents ? host_take(host) : true;
}

/* Ctrl-C and the service manager's SIGTERM reach every process of the group, but what runs is
 * finished first: the host ends when its parent does. */
static int host_signals(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2};
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGCHLD};
    sigset_t ended;
    for (size_t i = 0; i < OKNO_COUNT(ignored); i++)
        (void)signal(ignored[i], SIG_IGN);
    for (size_t i = 0; i < OKNO_COUNT(crashes) && !CONFINE_SANITIZED; i++)
        (void)signal(crashes[i], SIG_DFL); /* whoever started us may have handlers */
    (void)sigemptyset(&ended);
    (void)sigaddset(&ended, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &ended, NULL);
    return signalfd(-1, &ended, SFD_CLOEXEC);
}

/* Never returns. Ends with 0 when the process that we serve is gone. */
static void host_run(const struct media_setup *setup)
{
    (void)prctl(PR_SET_NAME, "okno-media", 0, 0, 0);
    static struct host host;
    host =
        (struct host){.setup = setup, .control_fd = HOST_CONTROL_FD, .signal_fd = host_signals()};
    host.confined = confine_prepare();
    host.hurried = is_waiting(HOST_CONTROL_FD);
    if (!host.hurried)
        host_warm(&host);
    while (host_turn(&host))
        ;
    for (size_t i = 0; i < host.count; i++)
        host_kill(&host.children[i]);
    (void)close(host.spare.fd); /* ends the child in reserve */
    host_reap(&host, 0);
    _exit(0);
}

void media_host_become(const struct media_setup *setup, const char *stamp)
{
    char ours_is[WIRE_STAMP];
    wire_stamp(ours_is);
    if (strcmp(stamp, ours_is) == 0 && fcntl(HOST_CONTROL_FD, F_SETFD, FD_CLOEXEC) == 0)
        host_run(setup);
}

/* Never returns. The end of `parent` is ours, also as another program. */
static void host_main(const struct media_setup *setup, pid_t parent)
{
    die_with(parent);
    if (!setup->program)
        host_run(setup);
    char stamp[WIRE_STAMP];
    char name[] = "okno-media";
    char *const argv[] = {name, stamp, NULL};
    char *const none[] = {NULL}; /* the environment may hold secrets */
    wire_stamp(stamp);
    (void)fexecve(HOST_PROGRAM_FD, argv, CONFINE_SANITIZED ? environ : none);
    _exit(1);
}

/* --- inside the keeper ------------------------------------------------------------------------ */

/* A host that dies this often within a second each will not live. */
enum { MAX_QUICK_DEATHS = 10 };

/* Keep the control socket, the host's program, and nothing else of our parent's. */
static bool keeper_descriptors(int control_fd, int program_fd)
{
    int null = open("/dev/null", O_RDWR);
    int control = fcntl(control_fd, F_DUPFD, 2 * CONFINE_FDS);
    int program = program_fd < 0 ? -1 : fcntl(program_fd, F_DUPFD, 2 * CONFINE_FDS);
    /* A sanitizer's report goes to standard error. */
    int last = CONFINE_SANITIZED ? STDOUT_FILENO : STDERR_FILENO;
    bool good = null >= 0 && control >= 0 && (program >= 0) == (program_fd >= 0);
    for (int fd = STDIN_FILENO; good && fd <= last; fd++)
        good = dup2(null, fd) >= 0;
    if (!good || dup2(control, HOST_CONTROL_FD) < 0)
        return false;
    if (program < 0)
        return close_range(HOST_CONTROL_FD + 1, ~0U, 0) == 0;
    return dup3(program, HOST_PROGRAM_FD, O_CLOEXEC) >= 0 &&
           close_range(HOST_PROGRAM_FD + 1, ~0U, 0) == 0;
}

/* Between the caller and the host: forks the host, and another one when it was killed. It was
 * forked before the caller had threads, and does nothing else, so that this is safe at any time.
 * Requests wait in the control socket meanwhile, which it holds open. Never returns. */
static void keeper_main(const struct media_setup *setup, int control_fd, int program_fd,
                        pid_t parent)
{
    die_with(parent);
    (void)prctl(PR_SET_NAME, "okno-media-keep", 0, 0, 0);
    if (!keeper_descriptors(control_fd, program_fd))
        _exit(1);
    (void)close(host_signals()); /* ignored here as they are there */
    pid_t self = getpid();
    for (int quick = 0; quick < MAX_QUICK_DEATHS;) {
        int64_t began_us = okno_time_monotonic();
        int status = 0;
        pid_t host = fork();
        if (host == 0)
            host_main(setup, self);
        while (host > 0 && waitpid(host, &status, 0) < 0 && errno == EINTR)
            ;
        if (host > 0 && WIFEXITED(status))
            _exit(WEXITSTATUS(status));
        quick = okno_time_monotonic() - began_us < OKNO_SECOND_US ? quick + 1 : 1;
    }
    _exit(1);
}

/* --- inside the process that wants media ------------------------------------------------------ */

/* Written before other threads exist and after they are gone; in between threads only read it. They
 * need no lock: a request is one message, which the kernel keeps whole, and every job has sockets
 * of its own. */
static struct {
    int control_fd;
    pid_t pid;   /* the keeper */
    pid_t owner; /* a fork of ours has no host: children of one host have one parent */
    struct media_setup setup;
} ours = {.control_fd = -1};

static bool is_ours(void)
{
    return ours.control_fd >= 0 && ours.owner == getpid();
}

int media_host_start(const struct media_setup *setup, struct okno_err *err)
{
    int pair[2];
    okno_autoclose int program = -1;
    if (is_ours())
        return okno_fail(err, OKNO_BUSY, "the media host runs already");
    if (setup->program && (program = open(setup->program, O_RDONLY | O_CLOEXEC)) < 0)
        return okno_fail_errno(err, errno, "cannot start %s", setup->program);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return okno_fail_errno(err, errno, "cannot start the media host");
    ours.setup = *setup;
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        keeper_main(&ours.setup, pair[1], program, self);
    }
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        return okno_fail_errno(err, errno, "cannot start the media host");
    }
    ours.control_fd = pair[0];
    ours.pid = pid;
    ours.owner = self;
    return 0;
}

void okno_sandbox_leave(void)
{
    if (is_ours())
        (void)shutdown(ours.control_fd, SHUT_RDWR);
}

void okno_sandbox_stop(void)
{
    if (!is_ours())
        return;
    (void)close(ours.control_fd);
    ours.control_fd = -1;
    while (waitpid(ours.pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int media_host_spawn(const struct media_limits *limits, const int *fds, size_t count,
                     struct okno_err *err)
{
    struct wire_spawn spawn = {.limits = *limits};
    if (!is_ours())
        return okno_fail(err, OKNO_FAILED, "the media host was not started");
    if (wire_send_fds(ours.control_fd, &spawn, sizeof(spawn), fds, count) < 0)
        return okno_fail(err, OKNO_FAILED, "the media host has ended (%s); start okno again",
                         strerror(errno));
    return 0;
}

struct media_limits media_host_limits(void)
{
    return ours.setup.limits;
}

#define _GNU_SOURCE
/* The sandbox around decoding: what a child that has been taken over can do (nothing), how its end
 * is told, and that nothing of it stays. Hostile children are functions of this program. */
#include "../support/recording.h"

#include "okno/file.h"
#include "okno/mem.h"
#include "okno/sandbox.h"
#include "okno/time.h"
#include "okno/view.h"

#include "../../src/video/media/child.h"
#include "../../src/video/media/confine.h"
#include "../../src/video/media/inside.h"
#include "../../src/video/media/io.h"
#include "../../src/video/media/job.h"
#include "../../src/video/media/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

/* --- hostile children ------------------------------------------------------------------------- */

static const struct media_link *mine;

static void answer(int code, const char *text)
{
    struct wire_done done = {.type = WIRE_DONE, .code = code};
    (void)snprintf(done.text, sizeof(done.text), "%s", text);
    (void)!wire_send(mine->job_fd, &done, sizeof(done), 0);
}

/* An answer that would be believed. */
static struct wire_done good_still(void)
{
    struct wire_job job;
    memcpy(&job, mine->memory, sizeof(job));
    return (struct wire_done){.type = WIRE_DONE,
                              .result = {.got_from_us = job.from_us,
                                         .got_to_us = job.from_us + 1000,
                                         .first_frame_us = job.from_us,
                                         .last_frame_us = job.from_us,
                                         .frames = 1,
                                         .width = 64,
                                         .height = 64,
                                         .codec = "h264"}};
}

static void say_done(struct wire_done done)
{
    (void)!wire_send(mine->job_fd, &done, sizeof(done), 0);
}

static void ask(uint32_t input, int64_t offset, uint64_t len)
{
    struct wire_read question = {.type = WIRE_READ, .input = input, .offset = offset, .len = len};
    struct wire_got got;
    (void)!wire_send(mine->job_fd, &question, sizeof(question), 0);
    (void)!wire_recv(mine->job_fd, &got, sizeof(got), 0);
}

static void do_open(void)
{
    int fd = open("/etc/passwd", O_RDONLY);
    answer(OKNO_MEDIA, fd < 0 && errno == EACCES ? "opening was refused" : "opening WORKED");
}

static void do_make(void)
{
    int fd = open("/tmp/okno-hostile", O_WRONLY | O_CREAT, 0600);
    answer(OKNO_MEDIA, fd < 0 && errno == EACCES ? "making was refused" : "making WORKED");
}

static void do_socket(void)
{
    (void)socket(AF_INET, SOCK_STREAM, 0);
}

static void do_unix_socket(void)
{
    (void)socket(AF_UNIX, SOCK_DGRAM, 0);
}

static void do_exec(void)
{
    char *const args[] = {"true", NULL};
    (void)execve("/bin/true", args, NULL);
}

static void do_fork(void)
{
    (void)syscall(SYS_fork);
}

static void do_clone(void)
{
    (void)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void do_kill(void)
{
    (void)syscall(SYS_kill, syscall(SYS_getpid) - 1, SIGKILL);
}

static void do_kill_all(void)
{
    (void)syscall(SYS_kill, -1, 0);
}

static void do_ptrace(void)
{
    (void)ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static void do_unlink(void)
{
    (void)unlink("/tmp/okno-hostile");
}

static void do_exec_memory(void)
{
    (void)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_stdout(void)
{
    (void)!write(STDOUT_FILENO, "okno: all is well\n", 18);
}

static void do_dup(void)
{
    (void)dup2(mine->out_fd, STDOUT_FILENO);
}

/* The shared memory belongs to the caller. */
static void do_share(void)
{
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, CONFINE_MEMORY_FD, 0);
    answer(OKNO_MEDIA,
           at == MAP_FAILED && errno == EPERM ? "sharing was refused" : "sharing WORKED");
}

static void do_scribble(void)
{
    *(volatile uint8_t *)(uintptr_t)mine->memory = 1;
}

static void do_beyond(void)
{
    struct wire_input told;
    memcpy(&told, mine->memory + sizeof(struct wire_job), sizeof(told));
    ask(0, told.size, 1);
}

static void do_before(void)
{
    ask(0, -1, 1);
}

static void do_other(void)
{
    ask(7, 0, 1);
}

static void do_much(void)
{
    ask(0, 0, WIRE_PAYLOAD + 1);
}

static void do_tiny(void)
{
    for (int i = 0; i < 1000000; i++)
        ask(0, i % 100, 1);
}

static void do_greedy(void)
{
    for (;;)
        ask(0, 0, WIRE_PAYLOAD);
}

/* Never takes an answer. */
static void do_deaf(void)
{
    struct wire_read question = {.type = WIRE_READ, .len = 1};
    for (;;)
        (void)!wire_send(mine->job_fd, &question, sizeof(question), 0);
}

static void do_loop(void)
{
    for (volatile unsigned i = 0;; i = i + 1)
        ;
}

static void do_hang(void)
{
    struct wire_got got;
    (void)!wire_recv(mine->job_fd, &got, sizeof(got), 0);
}

static void do_alloc(void)
{
    for (size_t size = 64 << 20;;) {
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED)
            break;
        *(volatile uint8_t *)at = 1;
    }
    answer(OKNO_NO_MEMORY, "nothing left");
}

static int raise_segfault(void)
{
    static volatile uintptr_t nowhere = 16;
    return *(volatile int *)nowhere;
}

static void do_segfault(void)
{
    (void)raise_segfault();
}

static void do_abort(void)
{
    abort();
}

static void do_huge_file(void)
{
    (void)!pwrite(mine->out_fd, "x", 1, (off_t)1 << 40);
}

static void do_nothing(void)
{
}

static void do_exit(void)
{
    _exit(3);
}

static void do_noise(void)
{
    char noise[100];
    memset(noise, 0x5a, sizeof(noise));
    (void)!wire_send(mine->job_fd, noise, sizeof(noise), 0);
}

static void do_big_noise(void)
{
    static char noise[60000];
    (void)!wire_send(mine->job_fd, noise, sizeof(noise), 0);
}

static void do_code(void)
{
    answer(12345, "no such code");
}

/* A transport's failure that never was. */
static void do_lie(void)
{
    answer(OKNO_ARCHIVE_AUTH, "the password is wrong");
}

static void do_ragged(void)
{
    struct wire_done done = {.type = WIRE_DONE, .code = OKNO_MEDIA};
    memset(done.text, '\x1b', sizeof(done.text));
    memcpy(done.text, "ragged \xff\n", 9);
    say_done(done);
}

static void do_time(void)
{
    struct wire_done done = good_still();
    done.result.got_to_us = INT64_MIN;
    say_done(done);
}

static void do_later(void)
{
    struct wire_done done = good_still();
    done.result.first_frame_us = done.result.last_frame_us = done.result.got_from_us += 500;
    say_done(done);
}

static void do_size(void)
{
    struct wire_done done = good_still();
    done.result.width = 1 << 30;
    say_done(done);
}

static void do_frames(void)
{
    struct wire_done done = good_still();
    done.result.frames = -1;
    say_done(done);
}

static void do_codec(void)
{
    struct wire_done done = good_still();
    memset(done.result.codec, 0, sizeof(done.result.codec));
    say_done(done);
}

static void do_gap(void)
{
    struct wire_gaps gaps = {.type = WIRE_GAPS_FOUND, .count = 1, .gaps = {{0, INT64_MAX}}};
    (void)!wire_send(mine->job_fd, &gaps, sizeof(gaps), 0);
    say_done(good_still());
}

static void do_gaps(void)
{
    struct wire_gaps gaps = {.type = WIRE_GAPS_FOUND, .count = WIRE_GAPS};
    for (;;)
        if (wire_send(mine->job_fd, &gaps, sizeof(gaps), 0) < 0)
            return;
}

static void do_gap_count(void)
{
    struct wire_gaps gaps = {.type = WIRE_GAPS_FOUND, .count = UINT32_MAX};
    (void)!wire_send(mine->job_fd, &gaps, sizeof(gaps), 0);
}

/* Answers well and stays, to write to the evidence later. */
static void do_linger(void)
{
    say_done(good_still());
    do_hang();
}

/* Answers well and keeps the picture mapped, to change it later. */
static void do_keep_hold(void)
{
    (void)!pwrite(mine->out_fd, "picture", 7, 0);
    (void)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mine->out_fd, 0);
    do_linger();
}

static void do_empty(void)
{
    say_done(good_still());
}

/* Writes until that fails. */
static void do_write_on(void)
{
    (void)!pwrite(mine->out_fd, "picture", 7, 0);
    say_done(good_still());
    while (pwrite(mine->out_fd, "forgery", 7, 0) == 7)
        ;
    do_hang();
}

/* Well-behaved, with a read after the picture is written. */
static void do_write_and_ask(void)
{
    (void)!pwrite(mine->out_fd, "picture", 7, 0);
    ask(0, 0, 1);
    say_done(good_still());
}

struct deed {
    const char *name;
    void (*act)(void);
    const char *words;
    bool strict; /* not in builds with a sanitizer, whose list of system calls is relaxed */
};

#define FORBIDDEN "tried a forbidden system call"

static const struct deed deeds[] = {
    {"open", do_open, "opening was refused", true},
    {"make", do_make, "making was refused", true},
    {"socket", do_socket, FORBIDDEN, false},
    {"unix socket", do_unix_socket, FORBIDDEN, false},
    {"exec", do_exec, FORBIDDEN, false},
    {"fork", do_fork, FORBIDDEN, false},
    {"clone", do_clone, FORBIDDEN, false},
    {"kill", do_kill, FORBIDDEN, false},
    {"kill all", do_kill_all, FORBIDDEN, false},
    {"ptrace", do_ptrace, FORBIDDEN, false},
    {"unlink", do_unlink, FORBIDDEN, false},
    {"memory to execute", do_exec_memory, FORBIDDEN, true},
    {"stdout", do_stdout, FORBIDDEN, true},
    {"dup", do_dup, FORBIDDEN, true},
    {"share", do_share, "sharing was refused", false},
    {"scribble", do_scribble, "crashed (Segmentation fault)", true},
    {"beyond the end", do_beyond, "asked for byte", false},
    {"before the beginning", do_before, "asked for byte -1", false},
    {"another recording", do_other, "asked for recording 7 of 1", false},
    {"too much at once", do_much, "bytes at once", false},
    {"a million tiny requests", do_tiny, "asked more than 1000 times", false},
    {"too much in all", do_greedy, "asked for more than", false},
    {"deaf", do_deaf, "does not take its answers", false},
    {"loop", do_loop, "more than 1 s of CPU", false},
    {"memory without end", do_alloc, "more than 256 MiB of memory", true},
    {"segfault", do_segfault, "crashed (Segmentation fault)", true},
    {"abort", do_abort, "crashed", true},
    {"huge file", do_huge_file, "wrote more than", false},
    {"no answer", do_nothing, "ended without an answer", false},
    {"exit", do_exit, "ended without an answer (status 3)", false},
    {"noise", do_noise, "sent 100 bytes that are no message", false},
    {"big noise", do_big_noise, "sent 60000 bytes that are no message", false},
    {"code", do_code, "a code that means nothing", false},
    {"lie", do_lie, "a code that means nothing", false},
    {"ragged text", do_ragged, "ragged ???", false},
    {"impossible time", do_time, "an impossible time", false},
    {"a still after its moment", do_later, "an impossible time", false},
    {"impossible size", do_size, "an impossible picture", false},
    {"impossible frames", do_frames, "an impossible number of frames", false},
    {"no codec", do_codec, "an impossible picture", false},
    {"impossible gap", do_gap, "an impossible gap", false},
    {"gaps without end", do_gaps, "sent too many gaps", false},
    {"a wild count", do_gap_count, "sent too many gaps", false},
    {"keep hold", do_keep_hold, "an impossible file", false},
    {"empty picture", do_empty, "an impossible file", false},
};

/* In the child: hostile when the first recording is called so, else the product's own work. */
static void run_hostile(const struct media_link *link)
{
    struct wire_input told;
    memcpy(&told, link->memory + sizeof(struct wire_job), sizeof(told));
    mine = link;
    for (size_t i = 0; i < OKNO_COUNT(deeds); i++)
        if (strcmp(told.name, deeds[i].name) == 0) {
            deeds[i].act();
            return;
        }
    if (strcmp(told.name, "linger") == 0)
        do_linger();
    else if (strcmp(told.name, "hang") == 0)
        do_hang();
    else if (strcmp(told.name, "write on") == 0)
        do_write_on();
    else if (strcmp(told.name, "pinned") == 0)
        do_write_and_ask();
    else
        media_child_run(link);
}

static const struct media_setup hostile = {
    .warm = media_child_warm,
    .ready = media_child_ready,
    .run = run_hostile,
    .limits = {.memory_bytes = 256 << 20,
               .cpu_s = 1,
               .wall_us = 60 * SECOND, /* one second of CPU can take long on a busy machine */
               .output_bytes = INT64_C(1) << 30,
               .requests = 1000,
               .read_bytes = 64 << 20},
};

/* --- what is left behind ---------------------------------------------------------------------- */

static int open_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

/* Lines of /proc/self/maps about memory shared with children. */
static int shared_maps(void)
{
    char line[512];
    int count = 0;
    okno_autofclose FILE *file = fopen("/proc/self/maps", "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        count += strstr(line, "memfd:okno") != NULL;
    return count;
}

/* The children of a process, zombies too; at most `most` of them are returned. */
static size_t children_of(pid_t parent, pid_t *ret_pids, size_t most)
{
    char path[64];
    size_t count = 0;
    int pid = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    okno_autofclose FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    while (fscanf(file, "%d", &pid) == 1)
        if (count++ < most)
            ret_pids[count - 1] = pid;
    return count;
}

static pid_t keeper_pid(void)
{
    pid_t keeper = -1;
    assert_int_equal(children_of(getpid(), &keeper, 1), 1);
    return keeper;
}

/* The keeper's only child; for a moment there is none. */
static pid_t host_pid(void)
{
    pid_t host = -1;
    int64_t until_us = okno_time_monotonic() + 20 * SECOND;
    while (children_of(keeper_pid(), &host, 1) != 1)
        assert_true(okno_time_monotonic() < until_us);
    return host;
}

/* Until the host has no child but the one in reserve, which has no filter yet; the host kills and
 * waits for the others by itself, but tells nobody. */
static void await_quiet(void)
{
    pid_t spare = 0;
    int64_t until_us = okno_time_monotonic() + 20 * SECOND;
    while (children_of(host_pid(), &spare, 1) > 1)
        assert_true(okno_time_monotonic() < until_us);
}

/* A descriptor that becomes readable when the process is gone. */
static int watch(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(fd >= 0);
    return fd;
}

static void assert_ends(int pidfd)
{
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    (void)close(pidfd);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void make_recording(void)
{
    static bool made;
    if (!made)
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=15:d=4 -c:v libx264 -preset ultrafast -bf 2 -g 30 "
            "-keyint_min 30 -sc_threshold 0 base.mp4");
    made = true;
}

static int still_named(const char *name, struct okno_err *err)
{
    make_recording();
    OKNO_AUTO(okno_source) *source = fixture_source("base.mp4");
    const struct okno_media_input input = {
        .source = source, .format = "mov", .from_us = T0, .name = name};
    struct okno_media_result result = {0};
    (void)unlink(fixture_path("still.jpg"));
    int rc = okno_media_still(&input, 1, T0 + 2 * SECOND, fixture_path("still.jpg"), &result, err);
    okno_media_result_free(&result);
    assert_int_equal(rc == 0, access(fixture_path("still.jpg"), F_OK) == 0);
    return rc;
}

static void assert_next_job_works(void)
{
    struct okno_err err = {0};
    if (still_named("good.mp4", &err) < 0)
        fail_msg("the next job: %s", err.text);
}

static int begin_hostile(void **state)
{
    okno_sandbox_stop();
    (void)state;
    return media_host_start(&hostile, NULL);
}

/* For children that do not come to an end. */
static int begin_impatient(void **state)
{
    static struct media_setup impatient;
    okno_sandbox_stop();
    (void)state;
    impatient = hostile;
    impatient.limits.wall_us = 2 * SECOND;
    return media_host_start(&impatient, NULL);
}

static int begin_product(void **state)
{
    okno_sandbox_stop();
    (void)state;
    return okno_sandbox_start(NULL);
}

static void every_misdeed_is_a_named_error_and_the_next_job_works(void **state)
{
    (void)state;
    assert_next_job_works();
    int descriptors = open_descriptors();
    for (size_t i = 0; i < OKNO_COUNT(deeds); i++) {
        struct okno_err err = {0};
        if (deeds[i].strict && SANITIZED)
            continue;
        int rc = still_named(deeds[i].name, &err);
        print_message("%s: %s\n", deeds[i].name, err.text);
        if (rc != OKNO_MEDIA || !strstr(err.text, deeds[i].words))
            fail_msg("%s: %d: %s", deeds[i].name, rc, err.text);
        assert_next_job_works();
    }
    assert_int_equal(open_descriptors(), descriptors);
    assert_int_equal(shared_maps(), 0);
    await_quiet();
    assert_int_equal(access("/tmp/okno-hostile", F_OK), -1);
}

static void a_child_that_hangs_is_a_named_error(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(still_named("hang", &err), OKNO_MEDIA);
    assert_non_null(strstr(err.text, "hang: its decoder did not finish within 2000 ms"));
    await_quiet();
}

/* A clip goes straight into the caller's file: its child must be gone. */
static void a_clip_whose_child_does_not_leave_is_refused(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct okno_media_result result = {0};
    make_recording();
    OKNO_AUTO(okno_source) *source = fixture_source("base.mp4");
    const struct okno_media_input input = {
        .source = source, .format = "mov", .from_us = T0, .name = "linger"};
    (void)unlink(fixture_path("clip.mp4"));
    assert_int_equal(
        okno_media_clip(&input, 1, T0, T0 + SECOND, false, fixture_path("clip.mp4"), &result, &err),
        OKNO_MEDIA);
    assert_non_null(strstr(err.text, "did not end after its answer"));
    assert_int_equal(access(fixture_path("clip.mp4"), F_OK), -1);
    assert_next_job_works();
    await_quiet();
}

/* A still is copied out of memory that nobody can change any more; what lingers is killed. */
static void a_child_that_goes_on_writing_changes_no_still(void **state)
{
    (void)state;
    struct okno_err err = {0};
    for (int i = 0; i < 20; i++) {
        char before[7];
        char after[7];
        if (still_named("write on", &err) < 0)
            fail_msg("%s", err.text);
        okno_autoclose int fd = open(fixture_path("still.jpg"), O_RDONLY | O_CLOEXEC);
        assert_int_equal(pread(fd, before, 7, 0), 7);
        await_quiet();
        assert_int_equal(pread(fd, after, 7, 0), 7);
        assert_memory_equal(before, after, 7);
        assert_int_equal(fixture_size("still.jpg"), 7);
    }
    assert_next_job_works();
}

/* The kernel holds pages for a moment by itself (moving memory); here a pipe does. */
struct pin {
    int pipe[2];
    bool held;
    pthread_t thread;
};

/* Lets go well after the kernel's own patience with one F_ADD_SEALS is over. */
static void *pin_release(void *arg)
{
    struct pin *pin = arg;
    char page[4096];
    struct pollfd none = {.fd = -1};
    (void)poll(&none, 1, 400);
    (void)!read(pin->pipe[0], page, sizeof(page));
    return NULL;
}

static void pin_picture(struct pin *pin)
{
    char path[64];
    char target[64] = "";
    for (int fd = 3; fd < 256 && !pin->held; fd++) {
        loff_t at = 0;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = '\0';
        if (strncmp(target, "/memfd:okno-still", 17) == 0)
            pin->held = splice(fd, &at, pin->pipe[1], NULL, 4096, 0) == 7;
    }
    assert_true(pin->held);
    assert_int_equal(pthread_create(&pin->thread, NULL, pin_release, pin), 0);
}

static int pin_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                    struct okno_err *err)
{
    (void)offset;
    (void)err;
    memset(into, 0, len);
    *ret_got = len;
    pin_picture(ctx);
    return 0;
}

static void a_page_that_the_kernel_holds_for_a_moment_spoils_no_still(void **state)
{
    (void)state;
    struct pin pin = {0};
    struct okno_err err = {0};
    struct okno_media_result result = {0};
    assert_int_equal(pipe(pin.pipe), 0);
    struct okno_source source = {.size = 1000, .ctx = &pin, .read_at = pin_read};
    const struct okno_media_input input = {
        .source = &source, .format = "mov", .from_us = T0, .name = "pinned"};
    (void)unlink(fixture_path("still.jpg"));
    if (okno_media_still(&input, 1, T0, fixture_path("still.jpg"), &result, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(fixture_size("still.jpg"), 7);
    assert_int_equal(pthread_join(pin.thread, NULL), 0);
    (void)close(pin.pipe[0]);
    (void)close(pin.pipe[1]);
    await_quiet();
}

static void the_error_names_the_recording(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(still_named("exit", &err), OKNO_MEDIA);
    assert_true(strncmp(err.text, "exit: ", 6) == 0);
}

static void without_a_host_nothing_is_read(void **state)
{
    (void)state;
    struct okno_err err = {0};
    okno_sandbox_stop();
    assert_int_equal(still_named("good.mp4", &err), OKNO_FAILED);
    assert_non_null(strstr(err.text, "was not started"));
    assert_int_equal(begin_product(NULL), 0);
    err = (struct okno_err){0};
    assert_int_equal(okno_sandbox_start(&err), OKNO_BUSY);
    pid_t keeper = keeper_pid();
    int host = watch(host_pid());
    assert_int_equal(kill(keeper, SIGKILL), 0);
    assert_ends(watch(keeper));
    assert_ends(host);
    err = (struct okno_err){0};
    assert_int_equal(still_named("good.mp4", &err), OKNO_FAILED);
    assert_non_null(strstr(err.text, "the media host has ended"));
    assert_int_equal(begin_product(NULL), 0);
    assert_next_job_works();
}

static void a_killed_host_is_replaced(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        pid_t host = host_pid();
        int gone = watch(host);
        assert_next_job_works();
        assert_int_equal(kill(host, SIGKILL), 0);
        assert_ends(gone);
        assert_next_job_works();
        assert_int_not_equal(host_pid(), host);
    }
}

static void ctrl_c_and_sigterm_leave_the_host_to_its_work(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    assert_next_job_works();
    pid_t host = host_pid();
    for (size_t i = 0; i < OKNO_COUNT(signals); i++) {
        assert_int_equal(kill(keeper_pid(), signals[i]), 0);
        assert_int_equal(kill(host, signals[i]), 0);
    }
    assert_next_job_works();
    assert_int_equal(host_pid(), host);
}

/* Somebody kills the child in reserve: the job goes to a new one. */
static void a_lost_child_in_reserve_costs_no_job(void **state)
{
    (void)state;
    assert_next_job_works(); /* has none yet where it waited for the host already */
    assert_next_job_works();
    pid_t spare = 0;
    while (children_of(host_pid(), &spare, 1) != 1)
        (void)sched_yield();
    int gone = watch(spare);
    assert_int_equal(kill(spare, SIGKILL), 0);
    assert_ends(gone);
    assert_next_job_works();
}

/* --- a caller that is killed ------------------------------------------------------------------ */

/* The child waits for bytes that never come; the line says which processes there are. */
static int stuck_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                      struct okno_err *err)
{
    pid_t pids[4] = {0};
    (void)offset, (void)into, (void)len, (void)ret_got, (void)err;
    (void)children_of(getpid(), &pids[0], 1);
    (void)children_of(pids[0], &pids[1], 1);
    (void)children_of(pids[1], &pids[2], 2);
    (void)!write(*(int *)ctx, pids, sizeof(pids));
    while (pause() < 0)
        ;
    return OKNO_FAILED;
}

static void when_the_caller_is_killed_its_children_die(void **state)
{
    (void)state;
    int ends[2];
    pid_t pids[4] = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t caller = fork();
    assert_true(caller >= 0);
    if (caller == 0) {
        struct okno_source source = {.size = 1000, .ctx = &ends[1], .read_at = stuck_read};
        struct okno_media_info info = {0};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (okno_sandbox_start(NULL) < 0)
            _exit(1);
        (void)!okno_media_probe(&source, "mov", &info, NULL);
        _exit(2);
    }
    assert_int_equal(read(ends[0], pids, sizeof(pids)), sizeof(pids));
    int keeper = watch(pids[0]);
    int host = watch(pids[1]);
    int child = watch(pids[2]);
    assert_int_equal(kill(caller, SIGKILL), 0);
    assert_int_equal(waitpid(caller, NULL, 0), caller);
    assert_ends(child);
    assert_ends(host);
    assert_ends(keeper);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* --- several threads -------------------------------------------------------------------------- */

enum { THREADS = 6, STILLS = 8 };

static void *take_stills(void *arg)
{
    int failed = 0;
    char name[32];
    OKNO_AUTO(okno_source) *source = fixture_source("base.mp4");
    (void)snprintf(name, sizeof(name), "thread%d.jpg", *(int *)arg);
    char *path = strdup(fixture_path(name));
    for (int i = 0; i < STILLS; i++) {
        const struct okno_media_input input = {.source = source, .format = "mov", .from_us = T0};
        struct okno_media_result result = {0};
        int64_t frame = (*(int *)arg * STILLS + i) % 60;
        (void)unlink(path);
        struct okno_err err = {0};
        int rc = okno_media_still(&input, 1, T0 + frame * SECOND / 15 + 1000, path, &result, &err);
        int64_t off = result.first_frame_us - T0 - frame * SECOND / 15;
        failed += rc < 0 || off < 0 || off > 1;
        if (rc < 0)
            fprintf(stderr, "frame %lld: %s\n", (long long)frame, err.text);
    }
    free(path);
    *(int *)arg = failed;
    return NULL;
}

/* What the test below builds on: two threads with one file fail. */
static void *take_names(void *arg)
{
    char name[32];
    int wrong = 0;
    (void)snprintf(name, sizeof(name), "thread%d.jpg", *(int *)arg);
    for (int i = 0; i < 200000; i++)
        wrong += strcmp(strrchr(fixture_path(name), '/') + 1, name) != 0;
    *(int *)arg = wrong;
    return NULL;
}

static void threads_have_files_of_their_own(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, take_names, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(numbers[i], 0);
    }
}

static void threads_run_jobs_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    make_recording();
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, take_stills, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(numbers[i], 0);
    }
}

/* Clips and stills of several threads while somebody kills the host again and again. */
struct under_fire {
    int number, failed;
    atomic_int *left;
};

static int clip_under_fire(struct okno_source *source, const char *path, struct okno_err *err)
{
    const struct okno_media_input input = {.source = source, .format = "mov", .from_us = T0};
    struct okno_media_result result = {0};
    (void)unlink(path);
    int rc = okno_media_clip(&input, 1, T0 + SECOND, T0 + 3 * SECOND, false, path, &result, err);
    bool whole = rc == 0 && result.first_frame_us == T0 && result.gaps.len == 0;
    okno_media_result_free(&result);
    return rc < 0 || whole ? rc : OKNO_FAILED;
}

static void *work_under_fire(void *arg)
{
    struct under_fire *mine_only = arg;
    char name[32];
    OKNO_AUTO(okno_source) *source = fixture_source("base.mp4");
    (void)snprintf(name, sizeof(name), "fire%d.mp4", mine_only->number);
    okno_autofree char *path = strdup(fixture_path(name));
    for (int i = 0; i < STILLS; i++) {
        struct okno_err err = {0};
        if (clip_under_fire(source, path, &err) == 0)
            continue;
        mine_only->failed++;
        (void)fprintf(stderr, "clip %d: %s\n", i, err.text);
    }
    (*mine_only->left)--;
    return NULL;
}

static void no_job_is_lost_when_the_host_is_killed_under_load(void **state)
{
    (void)state;
    enum { WORKERS = 3, KILLS = 4 };
    pthread_t threads[WORKERS];
    struct under_fire fire[WORKERS];
    atomic_int left = WORKERS;
    int kills = 0;
    make_recording();
    for (int i = 0; i < WORKERS; i++) {
        fire[i] = (struct under_fire){.number = i, .left = &left};
        assert_int_equal(pthread_create(&threads[i], NULL, work_under_fire, &fire[i]), 0);
    }
    for (pid_t host = 0; left > 0 && kills < KILLS;) {
        pid_t children[2];
        if (host_pid() == host || children_of(host_pid(), children, 2) < 2)
            continue; /* not another one yet, or one without work */
        host = host_pid();
        kills += kill(host, SIGKILL) == 0;
    }
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(fire[i].failed, 0);
    }
    assert_int_equal(kills, KILLS);
    assert_int_equal(shared_maps(), 0);
}

/* --- damaged recordings ----------------------------------------------------------------------- */

struct bytes {
    const uint8_t *data;
    size_t len;
};

static int bytes_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                      struct okno_err *err)
{
    const struct bytes *bytes = ctx;
    (void)err;
    assert_true(offset >= 0 && (size_t)offset < bytes->len && len <= bytes->len - (size_t)offset);
    memcpy(into, bytes->data + offset, len);
    *ret_got = len;
    return 0;
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Flip, overwrite, repeat or cut; more often near the beginning, where the structure is. */
static size_t mutate(uint8_t *data, size_t len, uint32_t *seed)
{
    for (uint32_t left = 1 + next(seed) % 12; left > 0; left--) {
        size_t at = next(seed) % (next(seed) % 2 ? len : len < 2000 ? len : 2000);
        size_t run = 1 + next(seed) % 16;
        run = run < len - at ? run : len - at;
        switch (next(seed) % 4) {
        case 0:
            data[at] ^= (uint8_t)(1U << next(seed) % 8);
            break;
        case 1:
            memset(data + at, next(seed) % 2 ? 0xff : 0, run);
            break;
        case 2:
            for (size_t i = 0; i < run; i++)
                data[at + i] = (uint8_t)next(seed);
            break;
        default:
            memmove(data + at, data + next(seed) % (len - run + 1), run);
        }
    }
    return next(seed) % 8 ? len : 1 + next(seed) % len;
}

static int one_damaged(int round, const struct bytes *bytes, const char *format,
                       struct okno_err *err)
{
    struct okno_source source = {
        .size = (int64_t)bytes->len, .ctx = (void *)(uintptr_t)bytes, .read_at = bytes_read};
    const struct okno_media_input input = {
        .source = &source, .format = format, .from_us = T0, .name = "damaged"};
    struct okno_media_result result = {0};
    struct okno_media_info info = {0};
    const char *path = fixture_path("damaged.out");
    (void)unlink(path);
    int rc = round % 3 == 0   ? okno_media_probe(&source, format, &info, err)
             : round % 3 == 1 ? okno_media_still(&input, 1, T0 + 2 * SECOND, path, &result, err)
                              : okno_media_clip(&input, 1, T0 + SECOND, T0 + 3 * SECOND, false,
                                                path, &result, err);
    okno_media_result_free(&result);
    assert_int_equal(rc == 0 && round % 3 != 0, access(path, F_OK) == 0);
    return rc;
}

static uint8_t *read_whole(const char *name, size_t *ret_len)
{
    size_t len = (size_t)fixture_size(name);
    uint8_t *data = malloc(len);
    okno_autofclose FILE *file = fopen(fixture_path(name), "rb");
    assert_non_null(data);
    assert_non_null(file);
    assert_int_equal(fread(data, 1, len, file), len);
    *ret_len = len;
    return data;
}

/* Views are made of what we wrote ourselves, and survive it when that was changed. */
static int one_damaged_view(int round, const struct bytes *bytes, struct okno_err *err)
{
    static const struct okno_sheet sheet = {.step_us = SECOND, .count = 3, .width = 64};
    static const struct okno_view_masks masks = {0};
    struct okno_source source = {
        .size = (int64_t)bytes->len, .ctx = (void *)(uintptr_t)bytes, .read_at = bytes_read};
    struct okno_look look = {0};
    const char *path = fixture_path("damaged.out");
    (void)unlink(path);
    int rc = round % 3 == 0   ? okno_view_look(&source, &look, err)
             : round % 3 == 1 ? okno_view_sheet(&source, &sheet, &masks, path, err)
                              : okno_view_clip(&source, &masks, NULL, path, err);
    okno_look_free(&look);
    assert_int_equal(rc == 0 && round % 3 != 0, access(path, F_OK) == 0);
    return rc;
}

/* Rounds for each kind of recording; OKNO_TEST_MUTATIONS=5000 for a long run. */
static int mutations(int usual)
{
    const char *wanted = getenv("OKNO_TEST_MUTATIONS");
    return wanted ? (int)strtol(wanted, NULL, 10) : usual;
}

static void damaged_recordings_harm_nothing(void **state)
{
    (void)state;
#define DRAWN "-f lavfi -i testsrc2=s=160x120:r=15:d=4 "
    static const struct {
        const char *name, *format, *options;
        int rounds;
        bool view;
    } kinds[] = {
        {"m.mp4", "mov", "-i base.mp4 -c copy", 300, false},
        {"m.mkv", "matroska", "-i base.mp4 -c copy", 300, false},
        {"m.ts", "mpegts", "-i base.mp4 -c copy", 300, false},
        {"m.avi", "avi", DRAWN "-c:v libx264 -preset ultrafast -bf 0 -g 30", 300, false},
        {"view.mp4", "mov", "-i base.mp4 -c copy", 60, true},
        {"hevc.mp4", "mov",
         DRAWN "-c:v libx265 -preset ultrafast -x265-params log-level=none -g 30", 60, false},
        {"hevc.ts", "mpegts",
         DRAWN "-c:v libx265 -preset ultrafast -x265-params log-level=none -g 30", 60, false},
        {"mpeg4.avi", "avi", DRAWN "-c:v mpeg4 -g 30", 60, false},
        {"mjpeg.mkv", "matroska", DRAWN "-c:v mjpeg -pix_fmt yuvj420p", 60, false},
        {"ps.mpg", "mpeg", DRAWN "-r 25 -c:v mpeg2video -g 30 -f mpeg", 60, false}};
    make_recording();
    const char *wanted = getenv("OKNO_SEED");
    uint32_t seed = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : 20260310;
    assert_next_job_works();
    int descriptors = open_descriptors();
    for (size_t i = 0; i < OKNO_COUNT(kinds); i++) {
        fixture_ffmpeg("%s %s", kinds[i].options, kinds[i].name);
        size_t len = 0;
        okno_autofree uint8_t *whole = read_whole(kinds[i].name, &len);
        okno_autofree uint8_t *data = malloc(len);
        int good = 0;
        int harmed = 0;
        int rounds = mutations(kinds[i].rounds);
        for (int round = 0; round < rounds; round++) {
            memcpy(data, whole, len);
            const struct bytes bytes = {data, mutate(data, len, &seed)};
            struct okno_err err = {0};
            int rc = kinds[i].view ? one_damaged_view(round, &bytes, &err)
                                   : one_damaged(round, &bytes, kinds[i].format, &err);
            bool crashed = strstr(err.text, "crashed") || strstr(err.text, "without an answer");
            good += rc == 0;
            harmed += crashed;
            if (crashed)
                print_message("%s, round %d: %s\n", kinds[i].name, round, err.text);
            /* The list of allowed system calls is complete, and an error names its cause. */
            if (strstr(err.text, FORBIDDEN) || (rc < 0 && !err.text[0]) || rc == OKNO_FAILED)
                fail_msg("%s, round %d: %s", kinds[i].name, round, err.text);
            assert_false(SANITIZED && crashed);
        }
        print_message("%s: %d of %d still readable, %d crashed their child\n", kinds[i].name, good,
                      rounds, harmed);
        assert_next_job_works();
    }
    assert_int_equal(open_descriptors(), descriptors);
    assert_int_equal(shared_maps(), 0);
    await_quiet();
}

/* --- cost ------------------------------------------------------------------------------------- */

enum { RUNS = 40 };

static int order(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static int still_inside(const struct okno_media_input *input, int64_t at_us, const char *path)
{
    struct okno_media_result result = {0};
    okno_autoclose int fd = -1;
    int rc = okno_file_begin(path, 0600, &fd, NULL);
    rc = rc < 0 ? rc : media_still(input, 1, at_us, fd, &result, NULL);
    rc = rc < 0 ? rc : okno_file_keep(path, fd, NULL);
    okno_media_result_free(&result);
    return rc;
}

static int still_outside(const struct okno_media_input *input, int64_t at_us, const char *path)
{
    struct okno_media_result result = {0};
    int rc = okno_media_still(input, 1, at_us, path, &result, NULL);
    okno_media_result_free(&result);
    return rc;
}

/* The picture is the same byte for byte; what that costs is printed (docs and the issue compare it
 * with 1.3, which a machine at work cannot promise). */
static void a_still_is_the_same_inside_and_outside_the_sandbox(void **state)
{
    (void)state;
    char program[512];
    int64_t inside[RUNS];
    int64_t outside[RUNS];
    (void)snprintf(program, sizeof(program), "%s/tools/scene", getenv("OKNO_BUILD"));
    free(fixture_output(program, "--minutes 2 --b-frames 2 %s", fixture_path("scene")));
    OKNO_AUTO(okno_source) *source = fixture_source("scene/archive/cam1/2026-03-10/10-00-00.mp4");
    const struct okno_media_input input = {.source = source, .format = "mov", .from_us = T0};
    for (int i = 0; i < 2 * RUNS; i++) {
        bool first = i % 4 == 0 || i % 4 == 3; /* the order alternates */
        const char *path = fixture_path(first ? "inside.jpg" : "outside.jpg");
        int64_t at_us = T0 + 2 * SECOND + i / 2 * 777777;
        (void)unlink(path);
        int64_t begin = okno_time_monotonic();
        assert_int_equal(
            first ? still_inside(&input, at_us, path) : still_outside(&input, at_us, path), 0);
        (first ? inside : outside)[i / 2] = okno_time_monotonic() - begin;
        if (i % 2 == 0)
            continue;
        size_t len[2] = {0};
        okno_autofree uint8_t *one = read_whole("inside.jpg", &len[0]);
        okno_autofree uint8_t *two = read_whole("outside.jpg", &len[1]);
        assert_int_equal(len[0], len[1]);
        assert_memory_equal(one, two, len[0]);
    }
    qsort(inside, RUNS, sizeof(*inside), order);
    qsort(outside, RUNS, sizeof(*outside), order);
    print_message("still, median of %d: %.1f ms in process, %.1f ms in the sandbox: %.2f\n", RUNS,
                  (double)inside[RUNS / 2] / 1e3, (double)outside[RUNS / 2] / 1e3,
                  (double)outside[RUNS / 2] / (double)inside[RUNS / 2]);
}

static int end(void **state)
{
    (void)state;
    pid_t none = 0;
    okno_sandbox_stop();
    assert_int_equal(children_of(getpid(), &none, 1), 0);
    return 0;
}

#define HOSTILE(name) cmocka_unit_test_setup_teardown(name, begin_hostile, end)
#define IMPATIENT(name) cmocka_unit_test_setup_teardown(name, begin_impatient, end)
#define PRODUCT(name) cmocka_unit_test_setup_teardown(name, begin_product, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE(every_misdeed_is_a_named_error_and_the_next_job_works),
        IMPATIENT(a_child_that_hangs_is_a_named_error),
        IMPATIENT(a_clip_whose_child_does_not_leave_is_refused),
        HOSTILE(a_child_that_goes_on_writing_changes_no_still),
        HOSTILE(a_page_that_the_kernel_holds_for_a_moment_spoils_no_still),
        HOSTILE(the_error_names_the_recording),
        PRODUCT(without_a_host_nothing_is_read),
        PRODUCT(a_killed_host_is_replaced),
        PRODUCT(no_job_is_lost_when_the_host_is_killed_under_load),
        PRODUCT(ctrl_c_and_sigterm_leave_the_host_to_its_work),
        PRODUCT(a_lost_child_in_reserve_costs_no_job),
        PRODUCT(when_the_caller_is_killed_its_children_die),
        PRODUCT(threads_have_files_of_their_own),
        PRODUCT(threads_run_jobs_side_by_side),
        PRODUCT(damaged_recordings_harm_nothing),
        PRODUCT(a_still_is_the_same_inside_and_outside_the_sandbox),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

/* An import of events that is killed, or whose disk fails: what its batches counted is there
 * exactly once, and repeating it adds the rest. With the real program. */
#define _GNU_SOURCE
#include "../support/tempdir.h"

#include "okno/db.h"
#include "okno/mem.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { ROWS = 40000, BATCH_ROWS = 10000, DEVICES = 3 };

static char *dir;
static char data[600];
static char file[600];

/* Start words[0] with its output in DIR/out and its messages in DIR/messages. */
static pid_t start(const char *const *words)
{
    char out[600];
    char messages[600];
    (void)snprintf(out, sizeof(out), "%s/out", dir);
    (void)snprintf(messages, sizeof(messages), "%s/messages", dir);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int in = open("/dev/null", O_RDONLY);
        int to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int err = open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)dup2(in, STDIN_FILENO);
        (void)dup2(to, STDOUT_FILENO);
        (void)dup2(err, STDERR_FILENO);
        (void)execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    return pid;
}

/* The exit code, or minus the signal. */
static int finish(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define RUN(...) finish(start((const char *const[]){__VA_ARGS__, NULL}))

static const char *read_back(const char *name)
{
    static char text[65536];
    char path[600];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    okno_autofclose FILE *from = fopen(path, "re");
    assert_non_null(from);
    text[fread(text, 1, sizeof(text) - 1, from)] = '\0';
    return text;
}

static void write_events(void)
{
    FILE *to = fopen(file, "we");
    assert_non_null(to);
    assert_true(fputs("device,seq,time,kind\n", to) >= 0);
    for (int i = 0; i < ROWS; i++)
        assert_true(fprintf(to, "D%d,%d,2026-03-%02dT%02d:%02d:%02dZ,press\n", i % DEVICES,
                            i / DEVICES, i / 3600 / 24 % 28 + 1, i / 3600 % 24, i / 60 % 60,
                            i % 60) > 0);
    assert_int_equal(fclose(to), 0);
}

static void make_data(void)
{
    char password[600];
    (void)snprintf(password, sizeof(password), "%s/password", dir);
    (void)snprintf(data, sizeof(data), "%s/data", dir);
    support_text(dir, "password", "correct horse\n");
    assert_int_equal(RUN("/bin/sh", "-c",
                         "exec \"$0\" --data \"$1\" init --password-stdin < \"$2\"", getenv("OKNO"),
                         data, password),
                     0);
    for (int i = 0; i < DEVICES; i++) {
        char device[16];
        (void)snprintf(device, sizeof(device), "D%d", i);
        assert_int_equal(RUN(getenv("OKNO"), "--data", data, "token", "add", "--device", device),
                         0);
    }
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(getenv("OKNO"));
    dir = support_tempdir();
    (void)snprintf(file, sizeof(file), "%s/events.csv", dir);
    write_events();
    make_data();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_tempdir_remove(dir);
    return 0;
}

static int64_t number(const char *sql)
{
    char path[700];
    sqlite3 *raw = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", data);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(raw);
    return value;
}

/* Events in a database that is whole: as many as its imports counted, each in its device's sums. */
static int64_t stored_events(void)
{
    int64_t events = number("SELECT count(*) FROM events");
    assert_int_equal(number("SELECT count(*) FROM pragma_integrity_check "
                            "WHERE integrity_check <> 'ok'"),
                     0);
    assert_int_equal(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(number("SELECT coalesce(sum(added), 0) FROM imports WHERE kind = 'events'"),
                     events);
    assert_int_equal(number("SELECT coalesce(sum(events), 0) FROM device_runs"), events);
    assert_int_equal(events % BATCH_ROWS, 0);
    return events;
}

/* The import once more, in peace: it adds what is not there. */
static void complete(int64_t before)
{
    char expected[120];
    assert_int_equal(RUN(getenv("OKNO"), "--data", data, "import", "events", file, "--json"), 0);
    (void)snprintf(expected, sizeof(expected),
                   "\"read\":%d,\"added\":%lld,\"duplicate\":%lld,\"rejected\":0", ROWS,
                   (long long)(ROWS - before), (long long)before);
    if (!strstr(read_back("out"), expected))
        fail_msg("\"%s\" lacks \"%s\"", read_back("out"), expected);
    assert_int_equal(stored_events(), ROWS);
}

/* Kill it once its log has grown by so many bytes; false: it ended before. */
static bool kill_at(int64_t bytes)
{
    char wal[700];
    struct stat facts;
    int status = 0;
    int64_t first = 0;
    (void)snprintf(wal, sizeof(wal), "%s/okno.db-wal", data);
    if (stat(wal, &facts) == 0)
        first = facts.st_size;
    pid_t pid = start(
        (const char *const[]){getenv("OKNO"), "--data", data, "import", "events", file, NULL});
    while (stat(wal, &facts) < 0 || facts.st_size < first + bytes) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return false;
        (void)sched_yield();
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    return finish(pid) == -SIGKILL;
}

static void a_killed_import_keeps_whole_batches_and_repeating_adds_the_rest(void **state)
{
    (void)state;
    int64_t before = 0;
    int killed = 0;
    for (int round = 0; round < 4; round++) {
        uint16_t lot = 0;
        assert_int_equal(getrandom(&lot, sizeof(lot), 0), sizeof(lot));
        killed += kill_at(round == 0 ? 1 : 1 + lot * 15);
        int64_t now = stored_events();
        assert_true(now >= before);
        before = now;
    }
    assert_true(killed > 0);
    complete(before);
}

/* ---- a disk that fails ---- */

static bool can_inject(void)
{
    return RUN("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
               "inject=fsync:error=EIO:when=1000", "/bin/true") == 0;
}

static void fail_once(const char *inject)
{
    char trace[40];
    (void)snprintf(trace, sizeof(trace), "trace=%.*s", (int)strcspn(inject, ":"), inject);
    char what[80];
    (void)snprintf(what, sizeof(what), "inject=%s", inject);
    int64_t before = stored_events();
    int code = RUN("strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", trace, "-e",
                   what, getenv("OKNO"), "--data", data, "import", "events", file, "--json");
    int64_t after = stored_events();
    if (code == 0) { /* the moment never came, or nothing depended on it */
        assert_int_equal(after, ROWS);
        return;
    }
    const char *said = read_back("messages");
    assert_int_equal(code, 1);
    if (!strstr(said, "database: ") || (strstr(inject, "ENOSPC") && !strstr(said, "no space left")))
        fail_msg("%s: %s", inject, said);
    assert_true(after >= before && after <= ROWS);
}

static void a_disk_that_fails_once_ends_the_import_and_loses_nothing(void **state)
{
    (void)state;
    static const char *const calls[] = {"pwrite64:error=EIO", "pwrite64:error=ENOSPC",
                                        "fdatasync:error=EIO", "ftruncate:error=EIO"};
    if (!can_inject())
        skip();
    for (size_t i = 0; i < OKNO_COUNT(calls); i++) {
        unsigned char lot = 0;
        char inject[60];
        assert_int_equal(getrandom(&lot, 1, 0), 1);
        (void)snprintf(inject, sizeof(inject), "%s:when=%d", calls[i],
                       calls[i][0] == 'p' ? 5 + lot * 4 : 2 + lot % 6);
        fail_once(inject);
    }
    complete(stored_events());
}

static void a_full_disk_ends_the_import_and_loses_nothing(void **state)
{
    (void)state;
    char disk[512];
    (void)snprintf(disk, sizeof(disk), "%s/disk", dir);
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=2m,mode=0700") < 0)
        skip();
    char *outside = dir;
    dir = disk;
    make_data();
    dir = outside;
    int full = RUN(getenv("OKNO"), "--data", data, "import", "events", file, "--json");
    bool told = strstr(read_back("messages"), "no space left") != NULL;
    int64_t kept = stored_events();
    int grown = mount("tmpfs", disk, "tmpfs", MS_REMOUNT, "size=64m");
    if (grown == 0)
        complete(kept);
    assert_int_equal(umount2(disk, MNT_DETACH), 0);
    assert_int_equal(full, 1);
    assert_true(told);
    assert_int_equal(grown, 0);
    assert_true(kept < ROWS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_killed_import_keeps_whole_batches_and_repeating_adds_the_rest),
        TEST(a_disk_that_fails_once_ends_the_import_and_loses_nothing),
        TEST(a_full_disk_ends_the_import_and_loses_nothing),
    };
    /* a traced program cannot look for leaks */
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _GNU_SOURCE
/* The real program decodes in a confined child: looked at from outside, while an archive that
 * answers slowly makes it wait. */
#include "shop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int setup(void **state)
{
    struct shop *shop = shop_new("limit_rate 2k;");
    put_survey(shop, "d.0.1", 100, "yes");
    *state = shop;
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

static pid_t start(struct shop *shop, const char *const *args)
{
    const char *line[24] = {"okno", "--data", shop->db->dir};
    size_t count = 3;
    for (; *args; args++)
        line[count++] = *args;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)execv(getenv("OKNO"), (char *const *)(uintptr_t)line);
        _exit(127);
    }
    return pid;
}

static int children_of(pid_t parent, pid_t *ret_pids, int most)
{
    char path[64];
    int count = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "re");
    while (file && count < most && fscanf(file, "%d", &ret_pids[count]) == 1)
        count++;
    if (file)
        (void)fclose(file);
    return count;
}

static int64_t status_of(pid_t pid, const char *key)
{
    char path[64];
    char line[256];
    long long value = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && value < 0 && fgets(line, sizeof(line), file))
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtoll(line + strlen(key), NULL, 10);
    if (file)
        (void)fclose(file);
    return value;
}

/* The process below the program that is at work; 0 when there is none now. */
static pid_t find_confined(pid_t parent)
{
    pid_t below[64];
    pid_t found = 0;
    int count = children_of(parent, below, 64);
    for (int i = 0; i < count && !found; i++)
        found = status_of(below[i], "Seccomp:") == 2 ? below[i] : find_confined(below[i]);
    return found;
}

/* Look until there is one; there is no event to wait for in another process's children. */
static pid_t await_confined(pid_t okno)
{
    int64_t until_us = okno_time_monotonic() + 60 * OKNO_SECOND_US;
    pid_t found = 0;
    while (!found && okno_time_monotonic() < until_us) {
        (void)poll(NULL, 0, 5);
        found = find_confined(okno);
    }
    return found;
}

static void assert_empty_hands(pid_t job)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)job);
    DIR *dir = opendir(path);
    struct dirent *entry;
    int highest = -1;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && (int)strtol(entry->d_name, NULL, 10) > highest)
            highest = (int)strtol(entry->d_name, NULL, 10);
    if (dir)
        (void)closedir(dir);
    assert_in_range(highest, 4, 5); /* socket, memory and, but for a probe, the output */
}

static void assert_confined(struct shop *shop, const char *const *args)
{
    pid_t okno = start(shop, args);
    pid_t job = await_confined(okno);
    assert_true(job > 0);
    assert_int_equal(status_of(job, "NoNewPrivs:"), 1);
    assert_int_equal(status_of(job, "Threads:"), 1);
#ifndef __SANITIZE_ADDRESS__
    assert_empty_hands(job);
#else
    (void)assert_empty_hands;
#endif
    struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, job, 0), .events = POLLIN};
    assert_true(gone.fd >= 0);
    assert_int_equal(kill(okno, SIGKILL), 0);
    assert_int_equal(waitpid(okno, NULL, 0), okno);
    assert_int_equal(poll(&gone, 1, 20000), 1); /* the child died with the program */
    (void)close(gone.fd);
}

#define ASSERT_CONFINED(shop, ...) assert_confined(shop, (const char *const[]){__VA_ARGS__, NULL})

static void okno_clip_decodes_in_a_confined_child(void **state)
{
    ASSERT_CONFINED(*state, "clip", "--camera", "cam1", "--from", "2026-03-10T07:00:10Z", "--to",
                    "2026-03-10T07:00:20Z", "-o", fixture_path("confined.mp4"));
}

static void okno_still_decodes_in_a_confined_child(void **state)
{
    ASSERT_CONFINED(*state, "still", "--camera", "cam1", "--at", "2026-03-10T07:00:10Z", "-o",
                    fixture_path("confined.jpg"));
}

static void okno_coverage_reads_in_a_confined_child(void **state)
{
    ASSERT_CONFINED(*state, "coverage", "--camera", "cam1", "--from", "2026-03-10T07:00:10Z",
                    "--to", "2026-03-10T07:00:20Z");
}

static void okno_link_reads_in_a_confined_child(void **state)
{
    ASSERT_CONFINED(*state, "link");
}

static void okno_extract_decodes_in_a_confined_child(void **state)
{
    ASSERT_CONFINED(*state, "extract", "--survey", "d.0.1");
}

static void okno_serve_decodes_in_a_confined_child(void **state)
{
    ASSERT_CONFINED(*state, "serve", "--listen", "127.0.0.1:0");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(okno_clip_decodes_in_a_confined_child),
        CASE(okno_still_decodes_in_a_confined_child),
        CASE(okno_coverage_reads_in_a_confined_child),
        CASE(okno_link_reads_in_a_confined_child),
        CASE(okno_extract_decodes_in_a_confined_child),
        CASE(okno_serve_decodes_in_a_confined_child),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

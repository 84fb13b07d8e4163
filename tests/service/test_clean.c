/* What nobody needs any more goes while the service runs, not only when it starts. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/tasks.h"
#include "../support/tempdir.h"

#include "okno/time.h"

#include <time.h>

#define HOUR_US (3600 * OKNO_SECOND_US)

static bool exists(const char *dir, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static bool goes_within(const char *dir, const char *name, int64_t us)
{
    static const struct timespec pause = {.tv_nsec = 20000000};
    int64_t until_us = okno_time_monotonic() + us;
    while (exists(dir, name) && okno_time_monotonic() < until_us)
        (void)nanosleep(&pause, NULL);
    return !exists(dir, name);
}

/* Two seconds before the next hourly look; by then the look at the start is long over. */
static void what_a_killed_process_left_goes_within_the_hour(void **state)
{
    static const struct timespec second = {.tv_sec = 1};
    (void)state;
    struct fixture *fixture = fixture_new();
    struct tasks tasks = {.data_dir = fixture->dir,
                          .conf = &fixture->conf,
                          .cleaned_us = okno_time_monotonic() - HOUR_US + 2 * OKNO_SECOND_US};
    OKNO_AUTO(scheduler) *scheduler = NULL;
    struct okno_err err = {0};
    int64_t old_us = okno_time_now() - 31 * OKNO_DAY_US;
    assert_int_equal(tasks_start(&tasks, 0, &scheduler, &err), 0);
    (void)nanosleep(&second, NULL);
    support_file(fixture->dir, "evidence/tmp/0123.mp4", 10, old_us);
    support_file(fixture->dir, "evidence/tmp/young.mp4", 10, -1);
    support_file(fixture->dir, "cache/tmp-4567", 10, old_us);
    assert_true(goes_within(fixture->dir, "evidence/tmp/0123.mp4", 20 * OKNO_SECOND_US));
    assert_true(goes_within(fixture->dir, "cache/tmp-4567", 20 * OKNO_SECOND_US));
    assert_true(exists(fixture->dir, "evidence/tmp/young.mp4"));
    scheduler_stop(okno_mem_take(&scheduler));
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_killed_process_left_goes_within_the_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

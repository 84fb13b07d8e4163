#define _GNU_SOURCE
#include "../../src/service/scheduler.h"

#include "okno/db.h"
#include "okno/log.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* A task that counts its calls and answers from a script. */
struct fake {
    char dir[64];
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t called;
    int calls, opens, closes;
    int waiting;     /* pieces of work that wait */
    int fail_first;  /* so many calls fail */
    int fail_open;   /* so many times it cannot be opened */
    int64_t next_us; /* what it says when nothing waits; 0: nothing */
    bool due;        /* it says that something is due, and does nothing */
};

static int fake_open(void *context, void **ret_means, struct okno_err *err)
{
    struct fake *fake = context;
    (void)pthread_mutex_lock(&fake->lock);
    bool fails = ++fake->opens <= fake->fail_open;
    (void)pthread_mutex_unlock(&fake->lock);
    if (fails)
        return okno_fail(err, OKNO_NO_SPACE, "the disk is full");
    *ret_means = fake;
    return 0;
}

static void fake_close(void *means)
{
    struct fake *fake = means;
    (void)pthread_mutex_lock(&fake->lock);
    fake->closes++;
    (void)pthread_mutex_unlock(&fake->lock);
}

static int fake_work(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    struct fake *fake = context;
    assert_ptr_equal(means, fake);
    int rc = 0;
    (void)pthread_mutex_lock(&fake->lock);
    fake->calls++;
    if (fake->fail_first > 0) {
        fake->fail_first--;
        rc = okno_fail(err, OKNO_BUSY, "not now");
    } else if (fake->waiting > 0) {
        fake->waiting--;
        rc = 1;
    } else if (fake->next_us) {
        *ret_next_us = fake->next_us;
        fake->next_us = 0;
    } else if (fake->due) {
        *ret_next_us = okno_time_now() - OKNO_SECOND_US;
    }
    (void)pthread_cond_broadcast(&fake->called);
    (void)pthread_mutex_unlock(&fake->lock);
    return rc;
}

static int fake_new(void **state)
{
    struct fake *fake = calloc(1, sizeof(*fake));
    assert_non_null(fake);
    (void)snprintf(fake->dir, sizeof(fake->dir), "/tmp/okno-scheduler-XXXXXX");
    assert_non_null(mkdtemp(fake->dir));
    (void)pthread_mutex_init(&fake->lock, NULL);
    (void)pthread_cond_init(&fake->called, NULL);
    okno_log_set_level((enum okno_log_level) - 1);
    *state = fake;
    return 0;
}

static int fake_free(void **state)
{
    struct fake *fake = *state;
    char path[80];
    (void)snprintf(path, sizeof(path), "%s/okno.db-wal", fake->dir);
    (void)unlink(path);
    assert_int_equal(rmdir(fake->dir), 0);
    free(fake);
    return 0;
}

static struct scheduler *started(struct fake *fake, int threads)
{
    struct scheduler *scheduler = NULL;
    struct okno_err err = {0};
    struct scheduler_task task = {.name = "fake",
                                  .threads = threads,
                                  .context = fake,
                                  .open = fake_open,
                                  .work = fake_work,
                                  .close = fake_close};
    assert_int_equal(scheduler_start(fake->dir, &task, 1, &scheduler, &err), 0);
    return scheduler;
}

/* Wait for the call of that number; fails after ten seconds. */
static void wait_calls(struct fake *fake, int calls)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    int number = 0;
    (void)pthread_mutex_lock(&fake->lock);
    while (fake->calls < calls && number == 0)
        number = pthread_cond_timedwait(&fake->called, &fake->lock, &until);
    (void)pthread_mutex_unlock(&fake->lock);
    assert_int_equal(number, 0);
}

static void all_waiting_work_is_done_and_then_it_sleeps(void **state)
{
    struct fake *fake = *state;
    fake->waiting = 5;
    struct scheduler *scheduler = started(fake, 1);
    wait_calls(fake, 6);
    scheduler_stop(scheduler);
    assert_int_equal(fake->calls, 6);
    assert_int_equal(fake->opens, 1);
    assert_int_equal(fake->closes, 1);
}

static void news_wakes_every_thread(void **state)
{
    struct fake *fake = *state;
    struct scheduler *scheduler = started(fake, 3);
    wait_calls(fake, 3);
    scheduler_wake(scheduler);
    wait_calls(fake, 6);
    scheduler_stop(scheduler);
    assert_int_equal(fake->calls, 6);
    assert_int_equal(fake->closes, 3);
}

static void a_known_moment_of_work_is_kept(void **state)
{
    struct fake *fake = *state;
    int64_t started_us = okno_time_now();
    fake->next_us = started_us + 300000;
    struct scheduler *scheduler = started(fake, 1);
    wait_calls(fake, 2);
    assert_true(okno_time_now() - started_us >= 290000);
    scheduler_stop(scheduler);
    assert_int_equal(fake->calls, 2);
}

/* Others may have it in hand: it is asked again soon, but does not keep a core busy. */
static void what_is_due_and_does_nothing_is_not_asked_at_once(void **state)
{
    struct fake *fake = *state;
    fake->due = true;
    int64_t started_us = okno_time_monotonic();
    struct scheduler *scheduler = started(fake, 1);
    wait_calls(fake, 5);
    assert_true(okno_time_monotonic() - started_us >= 4 * OKNO_SECOND_US / 20);
    scheduler_stop(scheduler);
}

static void a_failure_pauses_and_news_does_not_hurry_it(void **state)
{
    struct fake *fake = *state;
    fake->fail_first = 1;
    int64_t started_us = okno_time_monotonic();
    struct scheduler *scheduler = started(fake, 1);
    wait_calls(fake, 1);
    scheduler_wake(scheduler);
    wait_calls(fake, 2);
    assert_true(okno_time_monotonic() - started_us >= 990000);
    scheduler_stop(scheduler);
}

static void what_cannot_start_is_tried_again(void **state)
{
    struct fake *fake = *state;
    fake->fail_open = 1;
    struct scheduler *scheduler = started(fake, 1);
    wait_calls(fake, 1);
    scheduler_stop(scheduler);
    assert_int_equal(fake->opens, 2);
    assert_int_equal(fake->closes, 1);
}

static void what_never_starts_does_not_hold_up_the_end(void **state)
{
    struct fake *fake = *state;
    fake->fail_open = 100;
    struct scheduler *scheduler = started(fake, 2);
    int64_t started_us = okno_time_monotonic();
    scheduler_stop(scheduler);
    assert_true(okno_time_monotonic() - started_us < 900000);
    assert_int_equal(fake->closes, 0);
}

static void a_pause_does_not_hold_up_the_end(void **state)
{
    struct fake *fake = *state;
    fake->fail_first = 100;
    struct scheduler *scheduler = started(fake, 2);
    wait_calls(fake, 2);
    int64_t started_us = okno_time_monotonic();
    scheduler_stop(scheduler);
    assert_true(okno_time_monotonic() - started_us < 900000);
}

static void what_another_program_writes_to_the_database_is_news(void **state)
{
    struct fake *fake = *state;
    char path[80];
    (void)snprintf(path, sizeof(path), "%s/okno.db-wal", fake->dir);
    struct scheduler *scheduler = started(fake, 1);
    wait_calls(fake, 1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs("news", file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    wait_calls(fake, 2);
    scheduler_stop(scheduler);
}

static void a_directory_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct scheduler *scheduler = NULL;
    struct okno_err err = {0};
    assert_int_equal(scheduler_start("/nonexistent/okno", NULL, 0, &scheduler, &err),
                     OKNO_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/okno"));
    assert_null(scheduler);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_new, fake_free)
    const struct CMUnitTest tests[] = {
        TEST(all_waiting_work_is_done_and_then_it_sleeps),
        TEST(news_wakes_every_thread),
        TEST(a_known_moment_of_work_is_kept),
        TEST(what_is_due_and_does_nothing_is_not_asked_at_once),
        TEST(a_failure_pauses_and_news_does_not_hurry_it),
        TEST(what_cannot_start_is_tried_again),
        TEST(what_never_starts_does_not_hold_up_the_end),
        TEST(a_pause_does_not_hold_up_the_end),
        TEST(what_another_program_writes_to_the_database_is_news),
        cmocka_unit_test(a_directory_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

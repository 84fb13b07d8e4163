#define _GNU_SOURCE
/* What an archive is asked, by the log of a real nginx: no more at a time, no faster and at no
 * other hours than its row says. */
#include "shop.h"

#include <pthread.h>

enum { THREADS = 4, SURVEYS = 8, ASKED_MAX = 4000 };

static int teardown(void **state)
{
    if (*state)
        shop_free(*state);
    return 0;
}

static struct shop *shop_with(void **state, const char *directives, const char *options)
{
    char all[256];
    (void)snprintf(all, sizeof(all), "access_log timed.log timed; %s", directives);
    struct shop *shop = *state = shop_new(all);
    put(shop,
        "INSERT INTO archives (import, archive, kind, url, files, options) VALUES"
        " (1, 'nvr', 'dir', '%s/', '{channel}/%%Y-%%m-%%d/%%H-%%M-%%S.mp4', '%s')",
        shop->nginx.url, options);
    for (int i = 0; i < SURVEYS; i++) {
        char id[20];
        (void)snprintf(id, sizeof(id), "d.0.%d", i);
        put_survey(shop, id, 20 + 30 * i, "yes");
    }
    return shop;
}

/* What nginx answered. */
struct asked {
    double from, to; /* seconds */
    long connection, bytes;
};

static size_t read_log(struct shop *shop, struct asked *asked)
{
    char path[300];
    size_t count = 0;
    double took = 0;
    (void)snprintf(path, sizeof(path), "%s/timed.log", shop->nginx.prefix);
    FILE *log = fopen(path, "re");
    while (log && count < ASKED_MAX &&
           fscanf(log, "%lf %lf %ld %ld", &asked[count].to, &took, &asked[count].connection,
                  &asked[count].bytes) == 4) {
        asked[count].from = asked[count].to - took;
        count++;
    }
    if (log)
        (void)fclose(log);
    return count;
}

/* ---- at a time ---- */

static void *worker(void *arg)
{
    const struct shop *shop = arg;
    struct okno_work *work = NULL;
    struct okno_err err = {0};
    int64_t next_us = 0;
    int rc = okno_work_open(shop->db->dir, &shop->conf, &work, &err);
    while (rc >= 0) {
        int code = 0;
        rc = okno_work_run_one(work, LATER, &next_us, &code, &err);
        if (rc == 0 && next_us > LATER)
            break;
        if (rc == 0)
            (void)sched_yield();
    }
    okno_work_close(work);
    return NULL;
}

/* Requests that were under way together, but for the milliseconds that the log tells. */
static int most_together(const struct asked *asked, size_t count)
{
    int most = 0;
    for (size_t i = 0; i < count; i++) {
        int now = 0;
        for (size_t k = 0; k < count; k++)
            now += asked[k].from <= asked[i].from + .002 && asked[k].to > asked[i].from + .004;
        most = now > most ? now : most;
    }
    return most;
}

static void an_archive_is_asked_by_so_many_sessions_at_a_time(void **state)
{
    static const int sessions[] = {1, 3};
    static struct asked asked[ASKED_MAX];
    for (size_t i = 0; i < OKNO_COUNT(sessions); i++) {
        char options[32];
        pthread_t threads[THREADS];
        (void)snprintf(options, sizeof(options), "parallel=%d", sessions[i]);
        struct shop *shop = shop_with(state, "limit_rate 100k;", options);
        assert_true(plan_jobs(shop, LATER) > 0);
        for (int k = 0; k < THREADS; k++)
            assert_int_equal(pthread_create(&threads[k], NULL, worker, shop), 0);
        for (int k = 0; k < THREADS; k++)
            assert_int_equal(pthread_join(threads[k], NULL), 0);
        assert_true(int_of(shop, "SELECT count(*) FROM evidence") >= SURVEYS);
        size_t count = read_log(shop, asked);
        int most = most_together(asked, count);
        if (most > sessions[i] || (sessions[i] > 1 && most < 2))
            fail_msg("parallel=%d: %d of %zu requests together", sessions[i], most, count);
        shop_free(shop);
        *state = NULL;
    }
}

/* ---- how fast, and when ---- */

static long bytes_sent(struct shop *shop)
{
    static struct asked asked[ASKED_MAX];
    size_t count = read_log(shop, asked);
    long bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += asked[i].bytes;
    return bytes;
}

/* On a clock of the test's own: what is due at a moment is run then, nothing is waited for. */
static void an_archive_is_asked_no_faster_than_its_rate_and_in_its_hours_only(void **state)
{
    enum { RATE = 1000 };
    struct shop *shop = shop_with(state, "", "rate=1 hours=20:00-08:00");
    int64_t now = LATER + 5 * 3600 * OKNO_SECOND_US; /* 12:00 */
    int64_t next_us = 0;
    int code = 0;
    assert_true(plan_jobs(shop, now) > 0);
    assert_int_equal(okno_work_run_one(shop->work, now, &next_us, &code, &shop->err), 0);
    assert_int_equal(next_us, LATER + 13 * 3600 * OKNO_SECOND_US); /* 20:00 */
    assert_int_equal(bytes_sent(shop), 0);
    int64_t begun = now = next_us;
    int waits = 0;
    for (int steps = 0; steps < 200 && next_us != INT64_MAX; steps++) {
        long before = bytes_sent(shop);
        int rc = okno_work_run_one(shop->work, now, &next_us, &code, &shop->err);
        if (rc < 0)
            fail_msg("%s", shop->err.text);
        long after = bytes_sent(shop);
        double allowed = (double)(now - begun) / 1e6 * RATE;
        if (after > before && (double)before > allowed + RATE)
            fail_msg("%ld bytes in %.0f s", before, (double)(now - begun) / 1e6);
        waits += rc == 0 && next_us != INT64_MAX;
        now = rc == 0 ? next_us : now;
    }
    assert_true(bytes_sent(shop) > 10 * RATE);
    assert_true(waits >= 3);
    assert_true(int_of(shop, "SELECT count(*) FROM evidence") >= SURVEYS);
}

#define CASE(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_archive_is_asked_by_so_many_sessions_at_a_time),
        CASE(an_archive_is_asked_no_faster_than_its_rate_and_in_its_hours_only),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

#define _GNU_SOURCE
/* The order of work at the archives, at speed: outages, retention, slow archives. */
#include "../support/scratch_db.h"
#include "../support/tempdir.h"

#include "okno/conf.h"
#include "okno/time.h"
#include "okno/work.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/evidence/turns.h"

#define S OKNO_SECOND_US
#define HOUR (3600 * S)
#define MONDAY INT64_C(1773014400000000) /* 2026-03-09T00:00:00Z */

struct bench {
    struct scratch_db *db;
    struct okno_conf conf;
    struct okno_work *work;
    struct okno_err err;
};

/* In memory where there is such a place: thousands of jobs, each on disk when it ends. */
static struct scratch_db *memory_db(void)
{
    if (access("/dev/shm", W_OK) != 0)
        return scratch_db_new();
    struct scratch_db *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    (void)snprintf(s->dir, sizeof(s->dir), "/dev/shm/okno-test-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    assert_int_equal(okno_db_open(s->dir, true, &s->db, &s->err), 0);
    return s;
}

/* Archive a: camera ca at point pa; archive b: camera cb at point pb; three days each. */
static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->db = memory_db();
    okno_conf_defaults(&bench->conf);
    scratch_db_put(
        bench->db,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO archives (import, archive, kind, url, files) VALUES (1, 'a', 'dir', '/a', "
        "'f'),"
        " (1, 'b', 'dir', '/b', 'f');"
        "INSERT INTO cameras (import, camera, site, archive, channel, retention_days) VALUES"
        " (1, 'ca', 's', 'a', '1', 3), (1, 'cb', 's', 'b', '1', 3);"
        "INSERT INTO placements (import, point, camera, valid_from) VALUES (1, 'pa', 'ca', 0),"
        " (1, 'pb', 'cb', 0)");
    assert_int_equal(okno_work_open(bench->db->dir, &bench->conf, &bench->work, &bench->err), 0);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    char *dir = strdup(bench->db->dir);
    okno_work_close(bench->work);
    scratch_db_free(bench->db);
    support_tempdir_remove(dir);
    free(bench);
    return 0;
}

__attribute__((format(printf, 2, 3))) static void put(struct bench *bench, const char *fmt, ...)
{
    char sql[2048];
    va_list args;
    va_start(args, fmt);
    assert_in_range(vsnprintf(sql, sizeof(sql), fmt, args), 1, sizeof(sql) - 1);
    va_end(args);
    scratch_db_put(bench->db, sql);
}

static int64_t ask(struct bench *bench, const char *sql)
{
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", bench->db->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return value;
}

/* `count` surveys at a point, one each `every_us` from `from_us`; every fifth is a no. */
static void put_surveys(struct bench *bench, const char *point, int64_t from_us, int count,
                        int64_t every_us)
{
    put(bench,
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer, "
        "answered_at,"
        " device_offset_us, device_uncertainty_us) SELECT printf('%s.%lld.%%d', i), '%s', 's',"
        " %lld + i * %lld, %lld + i * %lld, 'answered', iif(i %% 5, 'yes', 'no'), %lld + i * %lld,"
        " 0, 0 FROM n",
        count - 1, point, (long long)(from_us / S), point, (long long)from_us, (long long)every_us,
        (long long)(from_us + 15 * S), (long long)every_us, (long long)(from_us + 5 * S),
        (long long)every_us);
}

/* ---- a week of an archive that keeps three days and is gone over a long weekend ---- */

struct archive_sim {
    struct bench *bench;
    int64_t now_us;
    int64_t down_from_us, down_to_us;
    int64_t asked_while_down;
    int64_t saved, lost; /* surveys, by what the archive had */
};

static int64_t survey_opened(struct bench *bench, const char *survey)
{
    char sql[300];
    (void)snprintf(sql, sizeof(sql), "SELECT opened_at FROM surveys WHERE survey = '%s'", survey);
    return ask(bench, sql);
}

#define FETCH_US (240 * S)

/* Asking for what is overwritten takes a second, an archive that is down ten. */
static void simulate(void *ctx, struct okno_work *work, const struct work_job *job, int64_t now_us,
                     struct work_outcome *o)
{
    struct archive_sim *sim = ctx;
    (void)work;
    if (now_us >= sim->down_from_us && now_us < sim->down_to_us) {
        sim->asked_while_down++;
        sim->now_us += 10 * S;
        o->code = okno_fail(&o->why, OKNO_TRANSIENT, "no answer");
        return;
    }
    if (survey_opened(sim->bench, job->survey) + 3 * OKNO_DAY_US <= now_us) {
        sim->now_us += S;
        sim->lost++;
        o->code = okno_fail(&o->why, OKNO_NO_COVERAGE, "overwritten");
        return;
    }
    sim->now_us += FETCH_US;
    sim->saved++;
}

/* Run what is due until `until_us` of the simulated clock. */
static void run_until(struct archive_sim *sim, int64_t until_us)
{
    while (sim->now_us < until_us) {
        int64_t next_us = INT64_MAX;
        int code = 0;
        struct okno_err why = {0};
        int rc = work_run_next(sim->bench->work, sim->now_us, simulate, sim, &next_us, &code, &why);
        if (rc < 0)
            fail_msg("%s", why.text);
        if (rc == 0)
            sim->now_us = next_us < until_us ? next_us : until_us;
    }
}

static void plan(struct bench *bench, int64_t now_us)
{
    int64_t added = 0;
    if (okno_work_plan(bench->work, now_us, &added, &bench->err) < 0)
        fail_msg("%s", bench->err.text);
}

/* How many of the surveys can be had at best: who comes first is lost first, so nobody can do
 * better than to take them in that order and leave out what is lost already (jobs of one length).
 */
static int best_possible(const int64_t *opened, const int64_t *known, int count, int64_t begin_us,
                         int64_t down_from_us, int64_t down_to_us)
{
    int had = 0;
    int64_t at = begin_us;
    for (int i = 0; i < count; i++) {
        at = known && known[i] > at ? known[i] : at;
        at = at >= down_from_us && at < down_to_us ? down_to_us : at;
        if (opened[i] + 3 * OKNO_DAY_US <= at)
            continue;
        at += FETCH_US;
        had++;
    }
    return had;
}

/* Down from Friday noon to Tuesday 04:00, 88 hours, with a survey each 3 minutes from 8 to 18 every
 * day: Friday's is lost for sure, and not all of Saturday's can be fetched in time. */
static void after_a_long_outage_the_least_possible_is_lost_and_told(void **state)
{
    struct bench *bench = *state;
    struct archive_sim sim = {.bench = bench,
                              .now_us = MONDAY + 2 * OKNO_DAY_US,
                              .down_from_us = MONDAY + 108 * HOUR,
                              .down_to_us = MONDAY + 196 * HOUR};
    static int64_t opened[2000], known[2000];
    int count = 0;
    for (int hour = 48; hour < 9 * 24; hour++) { /* Wednesday to Tuesday */
        int64_t at = MONDAY + hour * HOUR;
        if (hour % 24 >= 8 && hour % 24 < 18) {
            put_surveys(bench, "pa", at, 20, 180 * S);
            for (int i = 0; i < 20; i++, count++) {
                opened[count] = at + i * 180 * S;
                known[count] = at + HOUR; /* planned then */
            }
            put(bench, "UPDATE surveys SET answer = 'yes' WHERE answer = 'no'");
        }
        plan(bench, at + HOUR);
        run_until(&sim, at + 2 * HOUR);
    }
    run_until(&sim, MONDAY + 14 * OKNO_DAY_US);
    int best = best_possible(opened, known, count, 0, sim.down_from_us, sim.down_to_us);
    print_message("%d surveys, %lld saved, %d at best, %lld lost, asked %lld times while down\n",
                  count, (long long)sim.saved, best, (long long)sim.lost,
                  (long long)sim.asked_while_down);
    assert_int_equal(ask(bench, "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')"),
                     0); /* all of it ended by itself */
    assert_int_equal(sim.saved + sim.lost, count);
    assert_in_range(sim.saved, best - 3, best); /* minutes until it is seen to answer again */
    assert_in_range(sim.lost, 130, 400);
    assert_in_range(sim.asked_while_down, 88 * 60 / 7, 88 * 60 / 4);
    /* The report is what happened. */
    assert_int_equal(ask(bench, "SELECT count(*) FROM jobs WHERE code = 'no_coverage'"), sim.lost);
    OKNO_AUTO_VEC(okno_outlook_vec) outlook = {0};
    if (okno_work_outlook(bench->work, sim.now_us, &outlook, &bench->err) < 0)
        fail_msg("%s", bench->err.text);
    assert_int_equal(outlook.len, 2);
    assert_int_equal(outlook.items[0].lost, sim.lost);
    assert_int_equal(outlook.items[0].waiting, 0);
    assert_int_equal(outlook.items[0].failures, 0);
    assert_int_equal(ask(bench, "SELECT count(*) FROM archive_outages WHERE to_us IS NOT NULL"), 1);
}

/* Negatives are saved first, as many as can be; then the others, soonest lost first. */
static void negatives_are_saved_before_others(void **state)
{
    struct bench *bench = *state;
    enum { MANY = 140, BACK = 74 };
    struct archive_sim sim = {.bench = bench, .now_us = MONDAY + BACK * HOUR};
    int64_t opened[MANY], others[MANY];
    int negatives = 0, rest = 0;
    put_surveys(bench, "pa", MONDAY, MANY, 180 * S); /* in 7 hours; 2 of them are lost for sure */
    for (int i = 0; i < MANY; i++)
        *(i % 5 ? &others[rest++] : &opened[negatives++]) = MONDAY + i * 180 * S;
    plan(bench, sim.now_us);
    run_until(&sim, sim.now_us + OKNO_DAY_US);
    int best = best_possible(opened, NULL, negatives, MONDAY + BACK * HOUR, 0, 0);
    assert_int_equal(ask(bench, "SELECT count(*) FROM jobs WHERE class = 2 AND code = ''"), best);
    assert_int_equal(
        ask(bench, "SELECT count(*) FROM jobs WHERE class = 3 AND code = ''"),
        best_possible(others, NULL, rest, MONDAY + BACK * HOUR + best * FETCH_US, 0, 0));
    assert_int_equal(sim.saved + sim.lost, MANY);
}

/* ---- archives do not wait for each other ---- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int inside, most_inside, done_b;
    struct bench *bench;
};

static void hang_at_a(void *ctx, struct okno_work *work, const struct work_job *job, int64_t now_us,
                      struct work_outcome *o)
{
    struct gate *gate = ctx;
    (void)work, (void)now_us, (void)o;
    (void)pthread_mutex_lock(&gate->lock);
    if (strcmp(job->archive, "a") == 0) {
        gate->inside++;
        gate->most_inside = gate->inside > gate->most_inside ? gate->inside : gate->most_inside;
        while (!gate->open)
            (void)pthread_cond_wait(&gate->changed, &gate->lock);
        gate->inside--;
    } else {
        gate->done_b++;
        (void)pthread_cond_broadcast(&gate->changed);
    }
    (void)pthread_mutex_unlock(&gate->lock);
}

static void *worker(void *arg)
{
    struct gate *gate = arg;
    OKNO_AUTO(okno_work) *work = NULL;
    struct okno_err err = {0};
    int64_t next_us = 0;
    int code = 0;
    int rc = okno_work_open(gate->bench->db->dir, &gate->bench->conf, &work, &err);
    while (rc >= 0) {
        rc = work_run_next(work, MONDAY + HOUR, hang_at_a, gate, &next_us, &code, &err);
        if (rc == 0 && next_us == INT64_MAX)
            return NULL;
        if (rc == 0)
            (void)sched_yield();
    }
    return NULL;
}

static void an_archive_that_hangs_delays_no_other(void **state)
{
    struct bench *bench = *state;
    struct gate gate = {.bench = bench};
    pthread_t threads[4];
    (void)pthread_mutex_init(&gate.lock, NULL);
    (void)pthread_cond_init(&gate.changed, NULL);
    put_surveys(bench, "pa", MONDAY, 30, S); /* sooner lost: first in order */
    put_surveys(bench, "pb", MONDAY + 60 * S, 30, S);
    plan(bench, MONDAY + HOUR);
    for (size_t i = 0; i < OKNO_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, &gate), 0);
    (void)pthread_mutex_lock(&gate.lock);
    while (gate.done_b < 30)
        (void)pthread_cond_wait(&gate.changed, &gate.lock);
    gate.open = true;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.lock);
    for (size_t i = 0; i < OKNO_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_in_range(gate.most_inside, 1, 2); /* fetch.parallel */
    assert_int_equal(ask(bench, "SELECT count(*) FROM jobs WHERE state = 'done'"), 60);
}

static void a_recorder_that_takes_one_session_gets_one_unless_its_row_says_more(void **state)
{
    struct bench *bench = *state;
    bench->conf.fetch.parallel = 3;
    scratch_db_put(bench->db,
                   "INSERT INTO archives (import, archive, kind, url, files, options) VALUES"
                   " (1, 'one', 'hikvision', 'http://10.0.0.1', '', 'times=utc'),"
                   " (1, 'more', 'hikvision', 'http://10.0.0.2', '', 'times=utc parallel=2')");
    assert_int_equal(turns_refresh(bench->work, MONDAY, &bench->err), 0);
    assert_int_equal(ask(bench, "SELECT sessions FROM archive_turns WHERE archive = 'one'"), 1);
    assert_int_equal(ask(bench, "SELECT sessions FROM archive_turns WHERE archive = 'more'"), 2);
    assert_int_equal(ask(bench, "SELECT sessions FROM archive_turns WHERE archive = 'a'"), 3);
}

/* ---- turns ---- */

static void fail_all(void *ctx, struct okno_work *work, const struct work_job *job, int64_t now_us,
                     struct work_outcome *o)
{
    int *asked = ctx;
    (void)work, (void)job, (void)now_us;
    ++*asked;
    o->code = okno_fail(&o->why, OKNO_TIMEOUT, "no answer");
}

static int next(struct bench *bench, int64_t now_us, work_runner *runner, void *ctx,
                int64_t *ret_next_us)
{
    int code = 0;
    struct okno_err why = {0};
    int rc = work_run_next(bench->work, now_us, runner, ctx, ret_next_us, &code, &why);
    if (rc < 0)
        fail_msg("%s", why.text);
    return rc;
}

static void an_archive_that_fails_is_left_alone_longer_each_time(void **state)
{
    struct bench *bench = *state;
    int asked = 0;
    int64_t now = MONDAY + HOUR;
    put_surveys(bench, "pa", MONDAY, 20, S);
    plan(bench, now);
    static const int64_t waits_s[] = {15, 30, 60, 120, 240, 300, 300};
    for (size_t i = 0; i < OKNO_COUNT(waits_s); i++) {
        int64_t next_us = 0;
        assert_int_equal(next(bench, now, fail_all, &asked, &next_us), 1);
        assert_int_equal(next(bench, now + S, fail_all, &asked, &next_us), 0);
        assert_in_range(next_us, now + waits_s[i] * S, now + waits_s[i] * S * 5 / 4 + 10 * S);
        now = next_us;
    }
    assert_int_equal(asked, OKNO_COUNT(waits_s));
}

static void fetch_much(void *ctx, struct okno_work *work, const struct work_job *job,
                       int64_t now_us, struct work_outcome *o)
{
    (void)ctx, (void)work, (void)job, (void)now_us;
    o->bytes = 5 * 1000 * 1000;
}

static void an_archive_keeps_to_its_rate_and_its_hours(void **state)
{
    struct bench *bench = *state;
    int64_t next_us = 0;
    put(bench,
        "INSERT INTO archives (import, archive, kind, url, files, options) VALUES"
        " (1, 'a', 'dir', '/a', 'f', 'rate=100 hours=20:00-08:00')");
    put_surveys(bench, "pa", MONDAY + 12 * HOUR, 3, S);
    int64_t now = MONDAY + 15 * HOUR;
    plan(bench, now);
    assert_int_equal(next(bench, now, fetch_much, NULL, &next_us), 0);
    assert_int_equal(next_us, MONDAY + 20 * HOUR);
    now = next_us;
    plan(bench, now);
    assert_int_equal(next(bench, now, fetch_much, NULL, &next_us), 1);
    assert_int_equal(next(bench, now + S, fetch_much, NULL, &next_us), 0);
    assert_in_range(next_us, now + 49 * S, now + 51 * S); /* 5 MB at 100 kB/s */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(after_a_long_outage_the_least_possible_is_lost_and_told),
        CASE(negatives_are_saved_before_others),
        CASE(an_archive_that_hangs_delays_no_other),
        CASE(a_recorder_that_takes_one_session_gets_one_unless_its_row_says_more),
        CASE(an_archive_that_fails_is_left_alone_longer_each_time),
        CASE(an_archive_keeps_to_its_rate_and_its_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _GNU_SOURCE
/* The table of jobs: order, leases, several runners, retries. Surveys without a camera make each
 * job short. */
#include "../support/scratch_db.h"
#include "../support/tempdir.h"

#include "okno/conf.h"
#include "okno/time.h"
#include "okno/work.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../../src/evidence/work.h"

#define NOW INT64_C(1773300000000000)

struct bench {
    struct scratch_db *db;
    struct okno_conf conf;
    struct okno_work *work;
    struct okno_err err;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->db = scratch_db_new();
    okno_conf_defaults(&bench->conf);
    assert_int_equal(okno_work_open(bench->db->dir, &bench->conf, &bench->work, &bench->err), 0);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    okno_work_close(bench->work);
    scratch_db_free(bench->db);
    free(bench);
    return 0;
}

static void put_surveys(struct bench *bench, int count)
{
    char sql[900];
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state,"
                   " device_offset_us, device_uncertainty_us)"
                   " SELECT printf('d.0.%%06d', i), 'p', 's', 1773126000000000 + i * 1000000,"
                   " 1773126015000000 + i * 1000000, 'silent', 0, 0 FROM n",
                   count);
    scratch_db_put(bench->db, sql);
}

static int64_t ask(struct bench *bench, const char *sql)
{
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", bench->db->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return value;
}

static int run_one(struct bench *bench, int64_t now_us, int64_t *ret_next_us)
{
    int code = 0;
    struct okno_err why = {0};
    int rc = okno_work_run_one(bench->work, now_us, ret_next_us, &code, &why);
    if (rc < 0)
        fail_msg("%s", why.text);
    return rc;
}

static void plan(struct bench *bench, int64_t expected)
{
    int64_t added = -1;
    assert_int_equal(okno_work_plan(bench->work, NOW, &added, &bench->err), 0);
    assert_int_equal(added, expected);
}

static void planning_twice_adds_nothing(void **state)
{
    struct bench *bench = *state;
    put_surveys(bench, 3);
    scratch_db_put(bench->db, "UPDATE surveys SET test = 1 WHERE survey = 'd.0.000001'");
    plan(bench, 2);
    plan(bench, 0);
}

/* What should be overwritten already is asked for when nothing can be saved instead. */
static void what_should_be_overwritten_already_comes_last(void **state)
{
    struct bench *bench = *state;
    int64_t next = 0;
    put_surveys(bench, 2);
    scratch_db_put(bench->db,
                   "INSERT INTO jobs (kind, survey, class, lost_at, state, next_try_at, made_at)"
                   " VALUES ('link', 'd.0.000001', 0, 5, 'waiting', 0, 0),"
                   " ('link', 'd.0.000002', 3, 1773400000000000, 'waiting', 0, 0)");
    assert_int_equal(run_one(bench, NOW, &next), 1);
    assert_int_equal(ask(bench, "SELECT state = 'done' FROM jobs WHERE class = 3"), 1);
    assert_int_equal(run_one(bench, NOW, &next), 1);
    assert_int_equal(ask(bench, "SELECT count(*) FROM jobs WHERE state = 'done'"), 2);
}

static void the_most_urgent_class_then_the_soonest_lost_then_the_first_made_is_next(void **state)
{
    struct bench *bench = *state;
    static const int order[] = {5, 3, 6, 2, 4, 1};
    put_surveys(bench, 6);
    scratch_db_put(bench->db,
                   "INSERT INTO jobs (kind, survey, class, lost_at, state, next_try_at, made_at)"
                   " VALUES ('link', 'd.0.000001', 3, NULL, 'waiting', 0, 0),"
                   " ('link', 'd.0.000002', 2, 1773300000000900, 'waiting', 0, 0),"
                   " ('link', 'd.0.000003', 1, 1773300000000800, 'waiting', 0, 0),"
                   " ('link', 'd.0.000004', 3, 1773300000000005, 'waiting', 0, 0),"
                   " ('link', 'd.0.000005', 1, 1773300000000700, 'waiting', 0, 0),"
                   " ('link', 'd.0.000006', 1, 1773300000000800, 'waiting', 0, 0)");
    for (size_t i = 0; i < OKNO_COUNT(order); i++) {
        char sql[100];
        int64_t next = 0;
        assert_int_equal(run_one(bench, NOW, &next), 1);
        (void)snprintf(sql, sizeof(sql),
                       "SELECT state = 'done' FROM jobs WHERE survey = 'd.0.%06d'", order[i]);
        assert_int_equal(ask(bench, sql), 1);
        assert_int_equal(ask(bench, "SELECT count(*) FROM jobs WHERE state = 'done'"), i + 1);
    }
}

static void negative_surveys_go_first_and_retention_tells_when_they_are_lost(void **state)
{
    struct bench *bench = *state;
    put_surveys(bench, 2);
    scratch_db_put(bench->db,
                   "UPDATE surveys SET state = 'answered', answer = 'no' WHERE survey ="
                   " 'd.0.000002';"
                   "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x',"
                   " '-');"
                   "INSERT INTO cameras (import, camera, site, archive, channel, retention_days)"
                   " VALUES (1, 'c1', 's', 'a', '1', 14), (1, 'c2', 's', 'a', '2', 2),"
                   " (1, 'c2', 's', 'a', '2', 7);"
                   "INSERT INTO placements (import, point, camera, valid_from) VALUES"
                   " (1, 'p', 'c1', 0), (1, 'p', 'c2', 0)");
    plan(bench, 2);
    assert_int_equal(ask(bench, "SELECT class FROM jobs WHERE survey = 'd.0.000002'"), 2);
    assert_int_equal(ask(bench, "SELECT class FROM jobs WHERE survey = 'd.0.000001'"), 3);
    assert_int_equal(ask(bench,
                         "SELECT lost_at - 1773126000000000 FROM jobs"
                         " WHERE survey = 'd.0.000001'"),
                     7 * OKNO_DAY_US + OKNO_SECOND_US);
}

static void nothing_due_tells_when_to_come_back(void **state)
{
    struct bench *bench = *state;
    int64_t next = 0;
    assert_int_equal(run_one(bench, NOW, &next), 0);
    assert_int_equal(next, INT64_MAX);
    put_surveys(bench, 2);
    scratch_db_put(bench->db,
                   "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at, owner,"
                   " lease_until) VALUES"
                   " ('link', 'd.0.000001', 3, 'waiting', 1773300000000005, 0, NULL, NULL),"
                   " ('link', 'd.0.000002', 3, 'running', 0, 0, 'dead', 1773300000000003)");
    assert_int_equal(run_one(bench, NOW, &next), 0);
    assert_int_equal(next, NOW + 3);
}

static void the_job_of_a_runner_that_died_returns_with_its_lease(void **state)
{
    struct bench *bench = *state;
    int64_t next = 0;
    put_surveys(bench, 1);
    scratch_db_put(bench->db,
                   "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at, attempts,"
                   " owner, lease_until) VALUES"
                   " ('link', 'd.0.000001', 3, 'running', 0, 0, 1, 'dead', 1773300000000000)");
    assert_int_equal(run_one(bench, NOW - 1, &next), 0);
    assert_int_equal(run_one(bench, NOW, &next), 1);
    assert_int_equal(ask(bench,
                         "SELECT state = 'done' AND attempts = 2 AND owner IS NULL"
                         " FROM jobs"),
                     1);
}

/* The lock of a file tells who lives: of one that nobody holds the process is gone. */
static void
the_jobs_of_a_killed_process_are_free_at_once_and_those_of_a_living_one_are_not(void **state)
{
    struct bench *bench = *state;
    struct okno_work *other = NULL;
    char path[300];
    int64_t next = 0;
    put_surveys(bench, 2);
    (void)snprintf(path, sizeof(path), "%s/runners/99-dead", bench->db->dir);
    int killed = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)snprintf(path, sizeof(path), "%s/runners/99-alive", bench->db->dir);
    int alive = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(killed >= 0 && alive >= 0);
    assert_int_equal(flock(alive, LOCK_EX), 0);
    assert_int_equal(close(killed), 0);
    scratch_db_put(bench->db,
                   "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at, attempts,"
                   " owner, lease_until) VALUES"
                   " ('link', 'd.0.000001', 3, 'running', 0, 0, 1, '99-dead', 9000000000000000),"
                   " ('link', 'd.0.000002', 3, 'running', 0, 0, 1, '99-alive', 9000000000000000)");
    assert_int_equal(run_one(bench, NOW, &next), 0);
    assert_int_equal(okno_work_open(bench->db->dir, &bench->conf, &other, &bench->db->err), 0);
    assert_int_equal(run_one(bench, NOW, &next), 1);
    assert_int_equal(run_one(bench, NOW, &next), 0);
    assert_int_equal(ask(bench, "SELECT state = 'running' FROM jobs WHERE owner = '99-alive'"), 1);
    (void)snprintf(path, sizeof(path), "%s/runners/99-dead", bench->db->dir);
    assert_int_equal(access(path, F_OK), -1);
    okno_work_close(other);
    (void)snprintf(path, sizeof(path), "%s/runners/99-alive", bench->db->dir);
    assert_int_equal(unlink(path), 0);
    (void)close(alive);
}

static void a_job_that_cannot_be_done_fails_and_is_not_tried_again(void **state)
{
    struct bench *bench = *state;
    int64_t next = 0;
    scratch_db_put(bench->db,
                   "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at) VALUES"
                   " ('clip', 'nowhere.0.1', 3, 'waiting', 0, 0)");
    assert_int_equal(run_one(bench, NOW, &next), 1);
    assert_int_equal(ask(bench,
                         "SELECT state = 'failed' AND code = 'not_found' AND"
                         " message LIKE '%nowhere.0.1%' AND ended_at >= 1773300000000000"
                         " FROM jobs"),
                     1);
    assert_int_equal(run_one(bench, NOW + OKNO_DAY_US, &next), 0);
}

static void no_camera_is_an_answer_and_no_failure(void **state)
{
    struct bench *bench = *state;
    int64_t next = 0;
    put_surveys(bench, 1);
    scratch_db_put(bench->db,
                   "INSERT INTO jobs (kind, survey, class, state, next_try_at, made_at) VALUES"
                   " ('clip', 'd.0.000001', 1, 'waiting', 0, 0)");
    assert_int_equal(run_one(bench, NOW, &next), 1);
    assert_int_equal(ask(bench, "SELECT state = 'done' AND code = 'no_camera' FROM jobs"), 1);
    assert_int_equal(ask(bench, "SELECT state = 'no_camera' FROM links"), 1);
}

static int add(struct bench *bench, int64_t class)
{
    return OKNO_DB_RUN(okno_work_db(bench->work), "jobs.add", NULL, &bench->err,
                       OKNO_TEXT("kind", "still"), OKNO_TEXT("survey", "d.0.000001"),
                       OKNO_TEXT("audit", ""), OKNO_INT("class", class), OKNO_INT("now", NOW));
}

static void adding_a_job_again_makes_it_more_urgent_never_less(void **state)
{
    struct bench *bench = *state;
    put_surveys(bench, 1);
    assert_int_equal(add(bench, 3), 0);
    assert_int_equal(add(bench, 1), 0);
    assert_int_equal(add(bench, 2), 0);
    assert_int_equal(ask(bench, "SELECT class FROM jobs"), 1);
    assert_int_equal(ask(bench, "SELECT count(*) FROM jobs"), 1);
    scratch_db_put(bench->db, "UPDATE jobs SET state = 'done'");
    assert_int_equal(add(bench, 0), 0);
    assert_int_equal(ask(bench, "SELECT state = 'done' FROM jobs"), 1);
}

static void waits_double_up_to_an_hour_with_a_quarter_by_chance(void **state)
{
    (void)state;
    int64_t expected = 15 * OKNO_SECOND_US;
    bool differs = false;
    for (int64_t attempts = 1; attempts < 40; attempts++) {
        int64_t first = work_retry_at(attempts, NOW) - NOW;
        for (int i = 0; i < 50; i++) {
            int64_t wait = work_retry_at(attempts, NOW) - NOW;
            assert_true(wait >= expected && wait < expected * 5 / 4);
            differs = differs || wait != first;
        }
        expected = expected * 2 > 3600 * OKNO_SECOND_US ? 3600 * OKNO_SECOND_US : expected * 2;
    }
    assert_true(differs);
    assert_in_range(work_retry_at(0, NOW), NOW + 15 * OKNO_SECOND_US, NOW + 19 * OKNO_SECOND_US);
}

/* ---- several runners ---- */

struct runner {
    struct bench *bench;
    pthread_t thread;
    int ran, failed;
    struct okno_err err;
};

static void *run_all(void *arg)
{
    struct runner *runner = arg;
    struct okno_work *work = NULL;
    struct okno_err err = {0};
    if (okno_work_open(runner->bench->db->dir, &runner->bench->conf, &work, &err) < 0) {
        runner->failed++;
        return NULL;
    }
    for (;;) {
        int64_t next = 0;
        int code = 0;
        int rc = okno_work_run_one(work, NOW, &next, &code, &err);
        if (rc <= 0) {
            runner->failed += rc < 0;
            runner->err = err;
            break;
        }
        runner->ran++;
        runner->failed += code < 0;
        if (code < 0)
            (void)snprintf(runner->err.text, sizeof(runner->err.text), "a job ended with %d", code);
    }
    okno_work_close(work);
    return NULL;
}

static void runners_never_take_the_same_job(void **state)
{
    enum { JOBS = 500, RUNNERS = 3 };
    struct bench *bench = *state;
    struct runner runners[RUNNERS] = {{0}};
    int ran = 0;
    put_surveys(bench, JOBS);
    plan(bench, JOBS);
    for (int i = 0; i < RUNNERS; i++) {
        runners[i].bench = bench;
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run_all, &runners[i]), 0);
    }
    for (int i = 0; i < RUNNERS; i++) {
        assert_int_equal(pthread_join(runners[i].thread, NULL), 0);
        if (runners[i].failed)
            fail_msg("%s", runners[i].err.text);
        ran += runners[i].ran;
    }
    assert_int_equal(ran, JOBS);
    assert_int_equal(ask(bench, "SELECT count(*) FROM jobs WHERE state = 'done' AND attempts = 1"),
                     JOBS);
    assert_int_equal(ask(bench, "SELECT count(*) FROM links WHERE attempts = 1"), JOBS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(planning_twice_adds_nothing),
        CASE(what_should_be_overwritten_already_comes_last),
        CASE(the_most_urgent_class_then_the_soonest_lost_then_the_first_made_is_next),
        CASE(negative_surveys_go_first_and_retention_tells_when_they_are_lost),
        CASE(nothing_due_tells_when_to_come_back),
        CASE(the_job_of_a_runner_that_died_returns_with_its_lease),
        CASE(the_jobs_of_a_killed_process_are_free_at_once_and_those_of_a_living_one_are_not),
        CASE(a_job_that_cannot_be_done_fails_and_is_not_tried_again),
        CASE(no_camera_is_an_answer_and_no_failure),
        CASE(adding_a_job_again_makes_it_more_urgent_never_less),
        cmocka_unit_test(waits_double_up_to_an_hour_with_a_quarter_by_chance),
        CASE(runners_never_take_the_same_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

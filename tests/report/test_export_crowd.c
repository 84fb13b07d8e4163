/* Several exports of one audit at the same time. */
#define _GNU_SOURCE
#include "bundle.h"

#include "../../src/report/export.h"

#include "okno/time.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { CROWD = 6, MINUTE_US = 60000000 };

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    const char *data_dir;
    char dir[300];
    int number, rc;
    struct okno_err err;
};

/* Each with a handle of its own, as processes and requests have. */
static void *export_one(void *argument)
{
    struct worker *w = argument;
    OKNO_AUTO(okno_db) *db = NULL;
    const struct okno_bundle_request request = {.audit = "A1",
                                                .dir = w->dir,
                                                .author = "eva",
                                                .open_to_all = w->number % 2,
                                                .fm_threshold = 0.1,
                                                .min_n = 5,
                                                .patience_us = MINUTE_US};
    w->rc = okno_db_open(w->data_dir, false, &db, &w->err);
    (void)pthread_barrier_wait(w->start);
    if (w->rc == 0)
        w->rc = okno_bundle_export(db, &request, AT(300), &w->err);
    return NULL;
}

static void must_verify(const char *dir)
{
    struct okno_bundle_facts facts;
    struct okno_err err = {0};
    if (okno_bundle_verify(dir, NULL, &facts, &err) < 0)
        fail_msg("%s: %s", dir, err.text);
}

static void exports_at_the_same_time_all_verify(void **state)
{
    struct scratch_db *f = *state;
    struct worker workers[CROWD] = {0};
    pthread_barrier_t start;
    char *out = support_tempdir();
    close_audit(f);
    assert_int_equal(pthread_barrier_init(&start, NULL, CROWD), 0);
    for (int i = 0; i < CROWD; i++) {
        struct worker *w = &workers[i];
        *w = (struct worker){.start = &start, .data_dir = f->dir, .number = i};
        (void)snprintf(w->dir, sizeof(w->dir), "%s/b%d", out, i);
        assert_int_equal(pthread_create(&w->thread, NULL, export_one, w), 0);
    }
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    (void)pthread_barrier_destroy(&start);
    for (int i = 0; i < CROWD; i++) {
        if (workers[i].rc < 0)
            fail_msg("export %d: %s", i, workers[i].err.text);
        must_verify(workers[i].dir);
    }
    support_tempdir_remove(out);
}

/* ---- a step in between ---- */

struct reporting {
    pthread_t thread;
    const char *data_dir;
    atomic_bool stop;
    int rc;
    struct okno_err err;
};

static void *report_on_and_on(void *argument)
{
    struct reporting *r = argument;
    OKNO_AUTO(okno_db) *db = NULL;
    const struct okno_report_settings settings = {
        .audit = "A1", .fm_threshold = 0.1, .undeterminable_limit = 0, .min_n = 5};
    int64_t edition = 0;
    r->rc = okno_db_open(r->data_dir, false, &db, &r->err);
    while (r->rc == 0 && !atomic_load(&r->stop))
        r->rc = okno_report_issue(db, &settings, NULL, "eva", AT(210), &edition, &r->err);
    return NULL;
}

/* A bundle is of one moment, or there is none. */
static void editions_issued_meanwhile_leave_no_bundle_that_fails(void **state)
{
    struct scratch_db *f = *state;
    struct reporting reporting = {.data_dir = f->dir};
    char *out = support_tempdir();
    int moved = 0;
    close_audit(f);
    report(f);
    assert_int_equal(pthread_create(&reporting.thread, NULL, report_on_and_on, &reporting), 0);
    for (int i = 0; i < 12; i++) {
        char dir[300];
        (void)snprintf(dir, sizeof(dir), "%s/b%d", out, i);
        const struct okno_bundle_request request = {.audit = "A1", .dir = dir, .author = "eva"};
        int rc = okno_bundle_export(f->db, &request, AT(300), &f->err);
        if (rc == 0) {
            must_verify(dir);
            continue;
        }
        must_fail(f, rc, OKNO_BUSY, "audit A1 went on while its bundle was written");
        assert_int_equal(access(dir, F_OK), -1);
        moved++;
    }
    atomic_store(&reporting.stop, true);
    assert_int_equal(pthread_join(reporting.thread, NULL), 0);
    if (reporting.rc < 0)
        fail_msg("%s", reporting.err.text);
    assert_true(moved > 0);
    support_tempdir_remove(out);
}

static void *plan_on_and_on(void *argument)
{
    struct reporting *r = argument;
    OKNO_AUTO(okno_db) *db = NULL;
    char id[20];
    struct okno_audit_plan plan = {.audit = id,
                                   .title = "",
                                   .from_us = AT(0),
                                   .to_us = AT(60),
                                   .size = 1,
                                   .k = 0.5,
                                   .level = 0.95,
                                   .looks = 1};
    r->rc = okno_db_open(r->data_dir, false, &db, &r->err);
    for (int i = 0; r->rc == 0 && !atomic_load(&r->stop); i++) {
        (void)snprintf(id, sizeof(id), "other-%d", i);
        r->rc = okno_audit_plan(db, &plan, "eva", AT(210), &r->err);
    }
    return NULL;
}

/* The log is everybody's: what it tells of others meanwhile is no reason to begin again. */
static void entries_of_other_audits_stop_no_edition(void **state)
{
    struct scratch_db *f = *state;
    struct reporting planning = {.data_dir = f->dir};
    close_audit(f);
    assert_int_equal(pthread_create(&planning.thread, NULL, plan_on_and_on, &planning), 0);
    for (int i = 0; i < 12; i++)
        report(f);
    atomic_store(&planning.stop, true);
    assert_int_equal(pthread_join(planning.thread, NULL), 0);
    if (planning.rc < 0)
        fail_msg("%s", planning.err.text);
}

/* ---- waiting ---- */

static void note_waiting(void *context, const char *what)
{
    (void)snprintf(context, 300, "%s", what);
}

/* Another process is in the middle of an export: its lock is held here. */
static void who_waits_says_for_what(void **state)
{
    struct scratch_db *f = *state;
    char said[300] = "";
    char *out = support_tempdir();
    char dir[300];
    okno_autoclose int lock = -1;
    close_audit(f);
    (void)snprintf(dir, sizeof(dir), "%s/b", out);
    struct okno_bundle_request request = {.audit = "A1",
                                          .dir = dir,
                                          .author = "eva",
                                          .waiting = note_waiting,
                                          .waiting_context = said};
    must(f, export_lock(f->dir, &request, &lock, &f->err));
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_BUSY,
              "another export of audit A1 is under way");
    assert_string_equal(said, "");
    request.patience_us = 1000;
    must_fail(f, okno_bundle_export(f->db, &request, AT(300), &f->err), OKNO_BUSY,
              "another export of audit A1 is under way");
    assert_string_equal(said, "another export of audit A1 is under way: waiting for it");
    assert_int_equal(asked(f, "SELECT count(*) FROM audit_steps WHERE step IN ('report','export')"),
                     0);
    okno_mem_close_at(&lock);
    must(f, okno_bundle_export(f->db, &request, AT(300), &f->err));
    must_verify(dir);
    support_tempdir_remove(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exports_at_the_same_time_all_verify),
        TEST(editions_issued_meanwhile_leave_no_bundle_that_fails),
        TEST(entries_of_other_audits_stop_no_edition),
        TEST(who_waits_says_for_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

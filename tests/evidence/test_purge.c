#define _POSIX_C_SOURCE 200809L
/* Retention: what goes, what is held, what stays known; also when it is killed in between. */
#include "../support/scratch_db.h"
#include "../support/tempdir.h"

#include "okno/evidence.h"
#include "okno/ledger.h"
#include "okno/purge.h"
#include "okno/time.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define DAY OKNO_DAY_US
#define NOW (100 * DAY)

static int setup(void **state)
{
    *state = scratch_db_new();
    return 0;
}

static int teardown(void **state)
{
    struct scratch_db *f = *state;
    char command[200];
    (void)snprintf(command, sizeof(command), "rm -rf %s/evidence %s/cache", f->dir, f->dir);
    assert_int_equal(system(command), 0);
    scratch_db_free(f);
    return 0;
}

static void must(struct scratch_db *f, int rc)
{
    if (rc < 0)
        fail_msg("%s", f->err.text);
}

static void must_fail(struct scratch_db *f, int rc, int code, const char *words)
{
    if (rc != code || !strstr(f->err.text, words))
        fail_msg("%d `%s` is not %d `%s`", rc, f->err.text, code, words);
    okno_err_clear(&f->err);
}

static int64_t asked(struct scratch_db *f, const char *sql)
{
    char path[80];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return value;
}

/* A kept file of `number`, recorded on a day, of survey s<number>; its hash. */
static void keep(struct scratch_db *f, int number, int64_t day, char ret_sha256[OKNO_SHA256_TEXT])
{
    char temp[200];
    char sql[800];
    struct okno_evidence kept = {0};
    must(f, okno_evidence_temp(f->dir, "clip", temp, sizeof(temp), &f->err));
    FILE *file = fopen(temp, "we");
    assert_non_null(file);
    assert_true(fprintf(file, "footage %d", number) > 0);
    assert_int_equal(fclose(file), 0);
    must(f, okno_evidence_keep(f->dir, temp, &kept, &f->err));
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera,"
        " asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us,"
        " source, requests, bytes_read, software, made_at) VALUES ('s%d', 'clip', '%s',"
        " %lld, 'video/mp4', 'h264', 'c', 0, 1, %lld, %lld, 0, 0, '[]', 1, 1, 'x', %lld)",
        number, kept.sha256, (long long)kept.bytes, (long long)(day * DAY),
        (long long)(day * DAY + 1), (long long)(day * DAY));
    scratch_db_put(f, sql);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO surveys (survey, point, site, question, question_kind, opened_at,"
                   " closes_at, state, device_offset_us, device_uncertainty_us) VALUES"
                   " ('s%d', 'p', 'mall', 'q', 'personnel', %lld, %lld, 'silent', 0, 0)",
                   number, (long long)(day * DAY), (long long)(day * DAY + 1));
    scratch_db_put(f, sql);
    (void)snprintf(ret_sha256, OKNO_SHA256_TEXT, "%s", kept.sha256);
}

static bool is_there(struct scratch_db *f, const char *sha256)
{
    char path[300];
    must(f, okno_evidence_path(f->dir, sha256, path, sizeof(path), &f->err));
    return access(path, F_OK) == 0;
}

static const struct okno_purge_rule rule = {.keep_days = 30, .author = "service"};

static struct okno_purged run(struct scratch_db *f)
{
    struct okno_purged purged;
    must(f, okno_purge_run(f->db, f->dir, &rule, NOW, &purged, &f->err));
    return purged;
}

static void silent_tell(void *ctx, enum okno_evidence_finding finding, const char *subject,
                        const char *text)
{
    (void)ctx;
    fail_msg("%s %s %s", okno_evidence_finding_name(finding), subject, text);
}

static void assert_checks(struct scratch_db *f)
{
    const struct okno_evidence_checker checker = {.tell = silent_tell};
    struct okno_evidence_checked checked;
    scratch_db_put(f,
                   "INSERT OR IGNORE INTO imports (import, at, author, kind, source) VALUES"
                   " (9, 0, 'x', 'cameras', '-');"
                   "INSERT INTO cameras (import, camera, site, archive, channel) VALUES"
                   " (9, 'c', 'mall', 'a', '1');"
                   "INSERT OR IGNORE INTO links (survey, state, camera, asked_from, asked_to,"
                   " made_at) SELECT survey, 'linked', 'c', 0, 1, 1 FROM surveys");
    must(f, okno_evidence_check(f->db, f->dir, &checker, &checked, &f->err));
}

static void old_files_go_and_their_record_stays(void **state)
{
    struct scratch_db *f = *state;
    char old[OKNO_SHA256_TEXT];
    char young[OKNO_SHA256_TEXT];
    char cached[700];
    okno_autojson json_t *plan = NULL;
    keep(f, 1, 69, old);
    keep(f, 2, 71, young);
    (void)snprintf(cached, sizeof(cached),
                   "mkdir %s/cache && touch %s/cache/%s-view-0.mp4 %s/cache/%s-view-0.mp4", f->dir,
                   f->dir, old, f->dir, young);
    assert_int_equal(system(cached), 0);
    must(f, okno_purge_plan(f->db, &rule, NOW, &plan, &f->err));
    assert_int_equal(json_integer_value(json_object_get(plan, "files")), 1);
    assert_int_equal(json_integer_value(json_object_get(plan, "bytes")), 9);
    assert_true(is_there(f, old)); /* planned, not done */
    struct okno_purged purged = run(f);
    assert_int_equal(purged.files, 1);
    assert_int_equal(purged.bytes, 9);
    assert_false(purged.more);
    assert_false(is_there(f, old));
    assert_true(is_there(f, young));
    (void)snprintf(cached, sizeof(cached),
                   "test ! -e %s/cache/%s-view-0.mp4 && ls %s/cache | wc -l"
                   " | grep -qx 1",
                   f->dir, old, f->dir);
    assert_int_equal(system(cached), 0);
    must_fail(f, okno_purge_check(f->db, old, &f->err), OKNO_GONE,
              "destroyed on 1970-04-11T00:00:00.000Z, by rule keep_days 30");
    must(f, okno_purge_check(f->db, young, &f->err));
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE kind = 'destroy'"), 1);
    assert_int_equal(asked(f, "SELECT count(*) FROM evidence"), 2); /* what is known stays */
    assert_int_equal(run(f).files, 0);
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE kind = 'destroy'"), 1);
    assert_checks(f);
}

static void the_log_tells_hashes_and_nothing_about_people(void **state)
{
    struct scratch_db *f = *state;
    char old[OKNO_SHA256_TEXT];
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX);
    keep(f, 1, 1, old);
    (void)run(f);
    must(f, okno_ledger_line(f->db, 0, &line, &f->err));
    assert_non_null(strstr(okno_buf_text(&line), old));
    assert_non_null(strstr(okno_buf_text(&line), "keep_days 30"));
    assert_null(strstr(okno_buf_text(&line), "service"));
    assert_null(strstr(okno_buf_text(&line), "s1"));
}

static int64_t kept_by(struct scratch_db *f, const char *why)
{
    okno_autojson json_t *plan = NULL;
    must(f, okno_purge_plan(f->db, &rule, NOW, &plan, &f->err));
    return json_integer_value(json_object_get(json_object_get(plan, "kept"), why));
}

static void what_is_held_stays(void **state)
{
    struct scratch_db *f = *state;
    char sha256[7][OKNO_SHA256_TEXT];
    int64_t hold[3];
    for (int i = 0; i < 7; i++)
        keep(f, i, 10 + i, sha256[i]);
    scratch_db_put(
        f,
        "INSERT INTO audits (audit, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('open', 'drawn', 0, 1, '{}', 0, 'x'),"
        " ('done', 'closed', 0, 1, '{}', 0, 'x');"
        "INSERT INTO review_items (audit, survey, place, origin, state) VALUES"
        " ('open', 's1', 1, 'random', 'decided'), ('done', 's2', 1, 'random', 'decided'),"
        " ('done', 's3', 2, 'targeted', 'open');"
        "INSERT INTO appeals (survey, item, asks, comment, user, at, due_at) VALUES"
        " ('s4', 2, 'valid', 'x', 'ann', 0, 1)");
    const struct okno_hold by_survey = {.survey = "s0",
                                        .from_us = -1,
                                        .to_us = -1,
                                        .until_us = NOW + 1,
                                        .reason = "complaint",
                                        .author = "eva"};
    const struct okno_hold by_time = {.from_us = 16 * DAY,
                                      .to_us = 17 * DAY,
                                      .until_us = -1,
                                      .reason = "police",
                                      .author = "eva"};
    const struct okno_hold by_audit = {.audit = "done",
                                       .from_us = -1,
                                       .to_us = -1,
                                       .until_us = -1,
                                       .reason = "court",
                                       .author = "eva"};
    must(f, okno_hold_add(f->db, &by_survey, NOW, &hold[0], &f->err));
    must(f, okno_hold_add(f->db, &by_time, NOW, &hold[1], &f->err));
    must(f, okno_hold_add(f->db, &by_audit, NOW, &hold[2], &f->err));
    assert_int_equal(kept_by(f, "hold"), 4); /* s0, s2 and s3, s6 */
    assert_int_equal(kept_by(f, "audit"), 1);
    assert_int_equal(kept_by(f, "review"), 1);
    assert_int_equal(kept_by(f, "appeal"), 1);
    assert_int_equal(run(f).files, 1);
    assert_false(is_there(f, sha256[5]));
    must(f, okno_hold_release(f->db, hold[2], "settled", "eva", NOW, &f->err));
    must_fail(f, okno_hold_release(f->db, hold[2], "settled", "eva", NOW, &f->err), OKNO_CONFLICT,
              "is released already");
    assert_int_equal(run(f).files, 1);
    assert_false(is_there(f, sha256[2]));
    assert_true(is_there(f, sha256[3]));
    struct okno_purged later;
    must(f, okno_purge_run(f->db, f->dir, &rule, NOW + 2, &later, &f->err));
    assert_int_equal(later.files, 1); /* the hold of s0 is over */
    assert_false(is_there(f, sha256[0]));
    assert_true(is_there(f, sha256[1]) && is_there(f, sha256[4]) && is_there(f, sha256[6]));
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE kind = 'hold'"), 4);
}

static void a_pay_period_that_is_to_come_holds_what_it_needs(void **state)
{
    struct scratch_db *f = *state;
    char sha256[2][OKNO_SHA256_TEXT];
    keep(f, 0, 10, sha256[0]);
    keep(f, 1, 40, sha256[1]);
    scratch_db_put(f,
                   "INSERT INTO pay_periods (from_at, to_at, zone, closed_at, author, settings,"
                   " data, snapshot, sha256, note) VALUES (0, 2592000000000, 'UTC', 1, 'x', '{}',"
                   " '{}', '{}', '', '')");
    assert_int_equal(kept_by(f, "period"), 1);
    assert_int_equal(run(f).files, 1);
    assert_true(is_there(f, sha256[1]));
}

static void the_same_bytes_of_a_younger_row_stay(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    keep(f, 1, 10, sha256);
    scratch_db_put(f,
                   "INSERT INTO evidence SELECT id + 100, 's2', audit, kind, sha256, bytes,"
                   " media_type, codec, derived, camera, asked_from, asked_to, got_from,"
                   " 99 * 86400000000, frame_at, view_offset_us, gaps, index_offset_us,"
                   " uncertainty_us, source, requests, bytes_read, software, made_at"
                   " FROM evidence");
    assert_int_equal(run(f).files, 0);
    assert_true(is_there(f, sha256));
}

static void holds_say_what_and_why(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    int64_t id = 0;
    okno_autojson json_t *list = NULL;
    keep(f, 1, 10, sha256);
    struct okno_hold hold = {
        .survey = "s1", .from_us = -1, .to_us = -1, .until_us = -1, .author = "eva"};
    must_fail(f, okno_hold_add(f->db, &hold, NOW, &id, &f->err), OKNO_MISSING, "why");
    hold.reason = "complaint 4711";
    hold.audit = "A";
    must_fail(f, okno_hold_add(f->db, &hold, NOW, &id, &f->err), OKNO_INVALID, "what is held");
    hold.audit = NULL;
    hold.survey = "none";
    must_fail(f, okno_hold_add(f->db, &hold, NOW, &id, &f->err), OKNO_UNKNOWN_REF, "none");
    hold.survey = "s1";
    hold.until_us = NOW - 1;
    must_fail(f, okno_hold_add(f->db, &hold, NOW, &id, &f->err), OKNO_INVALID, "over already");
    hold.until_us = -1;
    must(f, okno_hold_add(f->db, &hold, NOW, &id, &f->err));
    must_fail(f, okno_hold_release(f->db, 99, "x", "eva", NOW, &f->err), OKNO_NOT_FOUND, "no hold");
    must(f, okno_hold_list(f->db, &list, &f->err));
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "reason")),
                        "complaint 4711");
    const struct okno_purge_rule none = {.author = "x"};
    struct okno_purged purged;
    must_fail(f, okno_purge_run(f->db, f->dir, &none, NOW, &purged, &f->err), OKNO_INVALID,
              "no rule says");
}

/* The record is written and the file is still there: as after a kill between the two. */
static void what_was_begun_is_ended_by_the_next_run(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    char sql[400];
    keep(f, 1, 10, sha256);
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO destructions (sha256, newest, kind, survey, bytes, at, rule, author) VALUES"
        " ('%s', 1, 'clip', 's1', 9, 5, 'keep_days 30', 'x')",
        sha256);
    scratch_db_put(f, sql);
    must_fail(f, okno_purge_check(f->db, sha256, &f->err), OKNO_GONE, "destroyed on");
    assert_int_equal(run(f).files, 1);
    assert_false(is_there(f, sha256));
    assert_int_equal(asked(f, "SELECT count(*) FROM destructions WHERE removed_at IS NULL"), 0);
    assert_checks(f);
}

/* A second audit of an old period, an appeal: the same recording gives the same bytes again. */
static void what_was_fetched_again_is_there_and_goes_again(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    char again[OKNO_SHA256_TEXT];
    keep(f, 1, 10, sha256);
    assert_int_equal(run(f).files, 1);
    must_fail(f, okno_purge_check(f->db, sha256, &f->err), OKNO_GONE, "destroyed on");
    scratch_db_put(f, "DELETE FROM surveys");
    keep(f, 1, 10, again);
    assert_string_equal(again, sha256);
    must(f, okno_purge_check(f->db, sha256, &f->err));
    assert_checks(f);
    assert_true(is_there(f, sha256));
    assert_int_equal(run(f).files, 1);
    assert_false(is_there(f, sha256));
    must_fail(f, okno_purge_check(f->db, sha256, &f->err), OKNO_GONE, "destroyed on");
    assert_int_equal(asked(f, "SELECT count(*) FROM destructions"), 2);
    assert_int_equal(run(f).files, 0);
}

/* Killed at moments by chance: never a file that is gone without a record, and the rest ends. */
static void killed_at_any_moment_nothing_goes_without_a_record(void **state)
{
    struct scratch_db *f = *state;
    enum { FILES = 60, KILLS = 12 };
    char sha256[FILES][OKNO_SHA256_TEXT];
    for (int i = 0; i < FILES; i++)
        keep(f, i, 10, sha256[i]);
    for (int kill_number = 0; kill_number < KILLS; kill_number++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct okno_db *db = NULL;
            struct okno_purged purged;
            struct okno_err err = {0};
            if (okno_db_open(f->dir, false, &db, &err) < 0)
                _exit(1);
            _exit(okno_purge_run(db, f->dir, &rule, NOW, &purged, &err) < 0);
        }
        struct timespec pause = {.tv_nsec = 700000L * (kill_number + 1)};
        (void)nanosleep(&pause, NULL); /* the moment by chance is the point */
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        for (int i = 0; i < FILES; i++) {
            struct okno_err err = {0};
            int rc = okno_purge_check(f->db, sha256[i], &err);
            if (!is_there(f, sha256[i]) && rc != OKNO_GONE)
                fail_msg("file %d is gone without a record", i);
        }
    }
    while (run(f).more)
        continue;
    for (int i = 0; i < FILES; i++)
        assert_false(is_there(f, sha256[i]));
    assert_int_equal(asked(f, "SELECT count(*) FROM destructions WHERE removed_at IS NULL"), 0);
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE kind = 'destroy'"), 1);
}

/* Retention, once, after the first file was copied. */
static void purge_meanwhile(void *ctx, int64_t done, int64_t total)
{
    (void)total;
    if (done == 1)
        (void)run(ctx);
}

static void what_goes_during_a_backup_is_not_lost_in_it(void **state)
{
    struct scratch_db *f = *state;
    char old[2][OKNO_SHA256_TEXT];
    char *folder = support_tempdir();
    int64_t left = -1;
    OKNO_AUTO(okno_db) *copy = NULL;
    struct okno_evidence_backed_up counts;
    const struct okno_evidence_backup backup = {
        .to_dir = folder, .progress = purge_meanwhile, .ctx = f};
    for (int i = 0; i < 2; i++)
        keep(f, i, 10, old[i]);
    must(f, okno_evidence_back_up(f->db, f->dir, &backup, &counts, &f->err));
    assert_int_equal(counts.lost, 0);
    assert_int_equal(counts.files, 0);
    must(f, okno_db_open(folder, false, &copy, &f->err));
    must(f, okno_db_int(copy, "evidence.count_files", NULL, 0, 0, &left, &f->err));
    assert_int_equal(left, 0); /* the record of what is not there is */
    must_fail(f, okno_purge_check(copy, old[0], &f->err), OKNO_GONE, "destroyed on");
    okno_db_close(okno_mem_take(&copy));
    support_tempdir_remove(folder);
}

static void a_backup_follows(void **state)
{
    struct scratch_db *f = *state;
    char old[OKNO_SHA256_TEXT];
    char path[500];
    char *folder = support_tempdir();
    struct okno_evidence_backed_up counts;
    const struct okno_evidence_backup backup = {.to_dir = folder};
    keep(f, 1, 10, old);
    must(f, okno_evidence_back_up(f->db, f->dir, &backup, &counts, &f->err));
    must(f, okno_evidence_path(folder, old, path, sizeof(path), &f->err));
    assert_int_equal(access(path, F_OK), 0);
    (void)run(f);
    must(f, okno_evidence_back_up(f->db, f->dir, &backup, &counts, &f->err));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(counts.lost, 0);
    support_tempdir_remove(folder);
}

static void the_disk_is_foreseen(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    okno_autojson json_t *filling = NULL;
    okno_autojson json_t *steady = NULL;
    keep(f, 1, 90, sha256);
    must(f, okno_purge_forecast(f->db, f->dir, 0, NOW, &filling, &f->err));
    assert_int_equal(json_integer_value(json_object_get(filling, "evidence_bytes")), 9);
    assert_int_equal(json_integer_value(json_object_get(filling, "bytes_per_day")), 0);
    assert_true(json_is_null(json_object_get(filling, "days_left")));
    scratch_db_put(f, "UPDATE evidence SET bytes = 1000000000000000");
    json_decref(filling);
    filling = NULL;
    must(f, okno_purge_forecast(f->db, f->dir, 0, NOW, &filling, &f->err));
    assert_true(json_is_integer(json_object_get(filling, "days_left")));
    must(f, okno_purge_forecast(f->db, f->dir, 10, NOW, &steady, &f->err));
    assert_true(json_is_null(json_object_get(steady, "days_left")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(old_files_go_and_their_record_stays),
        TEST(the_log_tells_hashes_and_nothing_about_people),
        TEST(what_is_held_stays),
        TEST(a_pay_period_that_is_to_come_holds_what_it_needs),
        TEST(the_same_bytes_of_a_younger_row_stay),
        TEST(holds_say_what_and_why),
        TEST(what_was_begun_is_ended_by_the_next_run),
        TEST(what_was_fetched_again_is_there_and_goes_again),
        TEST(killed_at_any_moment_nothing_goes_without_a_record),
        TEST(a_backup_follows),
        TEST(what_goes_during_a_backup_is_not_lost_in_it),
        TEST(the_disk_is_foreseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

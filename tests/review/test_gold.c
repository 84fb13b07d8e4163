#define _POSIX_C_SOURCE 200809L
/* Gold items and calibrations: who makes them, that nobody can tell them apart, and what they say.
 */
#include "okno/audit.h"
#include "okno/gold.h"
#include "okno/review.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

#define MINUTE (60 * OKNO_SECOND_US)
static const int64_t now = INT64_C(1773151400000000);

/* Audit A is closed: s0..s4 of it are settled (s0 invalid). Audit B is under review: t0..t9,
 * gold 2. */
static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'sites', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'till', 'mall', 'Till');"
        "INSERT INTO users (user, role, password_hash, lead, created_at) VALUES"
        " ('eva', 'expert', 'x', 0, 0), ('ivan', 'expert', 'x', 0, 0), ('lena', 'expert', 'x', 1, "
        "0),"
        " ('boss', 'administrator', 'x', 0, 0), ('max', 'manager', 'x', 1, 0);"
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 14)"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer, employee,"
        " device_offset_us, device_uncertainty_us)"
        " SELECT CASE WHEN i < 5 THEN 's' || i ELSE 't' || (i - 5) END, 'till', 'mall', 1000 + i,"
        " 2000 + i, 'answered', 'no', 'ann', 0, 0 FROM n;"
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from,"
        " asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, source, requests,"
        " bytes_read, software, made_at) SELECT survey, 'clip', survey, 1, 'video/mp4', 'h264', "
        "'c',"
        " 1, 2, 3, 4, NULL, 0, 0, '[]', 1, 1, 't', 1 FROM surveys;"
        "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('A', 'March', 'closed', 0, 1, '{}', 0, 'x'),"
        " ('B', 'April', 'drawn', 0, 1, '{\"gold\":2}', 0, 'x');"
        "INSERT INTO review_items (item, audit, survey, place, origin, state)"
        " SELECT rowid, CASE WHEN survey < 't' THEN 'A' ELSE 'B' END, survey, rowid, 'random',"
        " CASE WHEN survey < 't' THEN 'decided' ELSE 'open' END FROM surveys;"
        "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, reasons_version)"
        " SELECT item, audit, survey, 'petr', 1, CASE survey WHEN 's0' THEN 'invalid' ELSE 'valid'"
        " END, CASE survey WHEN 's0' THEN 'NO_CUSTOMER' END, 1 FROM review_items WHERE audit = "
        "'A'");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static int64_t asked(struct scratch_db *f, const char *sql)
{
    char path[80];
    sqlite3 *raw = NULL;
    sqlite3_stmt *row = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    (void)sqlite3_close(raw);
    return value;
}

static void gold_is_made_of_what_is_settled_by_who_leads(void **state)
{
    struct scratch_db *f = *state;
    assert_int_equal(okno_gold_add(f->db, "s0", "eva", "", now, NULL), OKNO_FORBIDDEN);
    assert_int_equal(okno_gold_add(f->db, "s0", "max", "", now, NULL), OKNO_FORBIDDEN);
    assert_int_equal(okno_gold_add(f->db, "s9", "lena", "", now, NULL), OKNO_NOT_FOUND);
    assert_int_equal(okno_gold_add(f->db, "t0", "lena", "", now, NULL), OKNO_REFUSED);
    scratch_db_put(f, "UPDATE audits SET state = 'drawn' WHERE audit = 'A'");
    assert_int_equal(okno_gold_add(f->db, "s0", "lena", "", now, NULL), OKNO_REFUSED);
    scratch_db_put(f, "UPDATE audits SET state = 'closed' WHERE audit = 'A'");
    assert_int_equal(okno_gold_add(f->db, "s0", "lena", "clear", now, &f->err), 0);
    assert_int_equal(okno_gold_add(f->db, "s1", "boss", "", now, &f->err), 0);
    assert_int_equal(okno_gold_retire(f->db, "s1", "boss", "", now, &f->err), 0);
    assert_int_equal(okno_gold_retire(f->db, "s1", "boss", "", now, NULL), OKNO_NOT_FOUND);
    okno_autojson json_t *list = NULL;
    assert_int_equal(okno_gold_list(f->db, &list, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(list, "gold")), 1);
}

/* What an expert is given until nothing is left; decided as `verdict`. */
static int work_through(struct scratch_db *f, const char *user, const char *verdict, int total)
{
    int count = 0;
    for (;; count++) {
        okno_autojson json_t *item = NULL;
        int64_t id = 0;
        bool counted = false;
        int rc = okno_review_next(f->db, user, "B", MINUTE, now, &item, &f->err);
        okno_err_clear(&f->err);
        if (rc == OKNO_QUEUE_EMPTY)
            return count;
        assert_int_equal(rc, 0);
        /* one step each time, and nothing that tells gold from the rest */
        const json_t *progress = json_object_get(item, "progress");
        assert_int_equal(json_integer_value(json_object_get(progress, "reviewed")), count);
        assert_int_equal(json_integer_value(json_object_get(progress, "total")), total);
        assert_string_equal(json_string_value(json_object_get(item, "audit")), "B");
        assert_string_equal(json_string_value(json_object_get(item, "audit_title")), "April");
        assert_string_equal(json_string_value(json_object_get(item, "origin")), "random");
        struct okno_review_verdict v = {.item = json_integer_value(json_object_get(item, "item")),
                                        .user = user,
                                        .lease = json_string_value(json_object_get(item, "lease")),
                                        .verdict = verdict};
        assert_int_equal(okno_review_submit(f->db, &v, now, &id, &counted, &f->err), 0);
        assert_true(counted);
    }
}

static void gold_items_look_like_any_other_and_change_nothing(void **state)
{
    struct scratch_db *f = *state;
    for (int i = 0; i < 4; i++) {
        char survey[16];
        (void)snprintf(survey, sizeof(survey), "s%d", i);
        assert_int_equal(okno_gold_add(f->db, survey, "lena", "", now - 1, &f->err), 0);
    }
    int count = work_through(f, "eva", "valid", 12);
    assert_true(count >= 10 && count <= 12);
    assert_int_equal(asked(f, "SELECT count(*) FROM review_items WHERE audit = 'gold:B'"),
                     count - 10);
    assert_int_equal(asked(f, "SELECT count(*) FROM rulings WHERE survey < 't' AND audit = 'A'"),
                     5);
    assert_int_equal(asked(f,
                           "SELECT count(*) FROM rulings WHERE survey = 's0' AND verdict ="
                           " 'invalid'"),
                     1);
    assert_int_equal(asked(f, "SELECT count(*) FROM standing WHERE audit = 'B'"), 10);
    assert_int_equal(asked(f, "SELECT count(*) FROM log_leaves WHERE audit = 'B'"), 10);
}

/* Who planned more than there is, is told. */
static void an_audit_tells_how_much_gold_can_be_asked(void **state)
{
    struct scratch_db *f = *state;
    static const struct {
        const char *sql;
        int64_t want;
    } cases[] = {{"SELECT 1", 3},
                 {"INSERT INTO audit_frame (audit, survey, ordinal, stratum, class, question,"
                  " question_kind, opened_at, force_majeure, site, point, video, line) VALUES"
                  " ('B', 's0', 0, 's', 'no', 'q', 'personnel', 0, 0, 's', 'p', 'linked', '')",
                  2},
                 {"DELETE FROM evidence WHERE survey = 's1'", 1}};
    for (int i = 0; i < 3; i++) {
        char survey[16];
        (void)snprintf(survey, sizeof(survey), "s%d", i);
        assert_int_equal(okno_gold_add(f->db, survey, "lena", "", now, &f->err), 0);
    }
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        okno_autojson json_t *status = NULL;
        scratch_db_put(f, cases[i].sql);
        assert_int_equal(okno_audit_status(f->db, "B", &status, &f->err), 0);
        assert_int_equal(json_integer_value(json_object_get(status, "gold_there")), cases[i].want);
    }
}

static void gold_is_not_for_who_knows_it(void **state)
{
    struct scratch_db *f = *state;
    assert_int_equal(okno_gold_add(f->db, "s0", "lena", "", now, &f->err), 0);
    assert_int_equal(work_through(f, "petr", "valid", 11), 10); /* he decided s0 once */
    scratch_db_put(f,
                   "UPDATE review_items SET state = 'open', lease_user = NULL, lease_until = NULL "
                   "WHERE audit = 'B';"
                   "DELETE FROM log_salts; DELETE FROM verdicts WHERE audit = 'B'");
    assert_int_equal(work_through(f, "lena", "valid", 11), 10); /* she made it */
}

static void every_expert_decides_a_calibration_first(void **state)
{
    struct scratch_db *f = *state;
    static const char *const surveys[] = {"s0", "s1", "s2"};
    static const char *const twice[] = {"s0", "s0"};
    static const char *const users[] = {"eva", "ivan"};
    assert_int_equal(okno_calibration_add(f->db, "c1", "", surveys, 3, "eva", now, NULL),
                     OKNO_FORBIDDEN);
    assert_int_equal(okno_calibration_add(f->db, "c1", "", twice, 2, "lena", now, NULL),
                     OKNO_INVALID);
    assert_int_equal(okno_calibration_add(f->db, "c 1", "", surveys, 3, "lena", now, NULL),
                     OKNO_INVALID);
    assert_int_equal(okno_calibration_add(f->db, "c1", "Spring", surveys, 3, "lena", now, &f->err),
                     0);
    assert_int_equal(okno_calibration_add(f->db, "c1", "", surveys, 3, "lena", now, NULL),
                     OKNO_CONFLICT);
    for (int u = 0; u < 2; u++)
        for (int i = 0; i < 3; i++) {
            okno_autojson json_t *item = NULL;
            int64_t id = 0;
            bool counted = false;
            assert_int_equal(okno_review_next(f->db, users[u], NULL, MINUTE, now, &item, &f->err),
                             0);
            assert_string_equal(json_string_value(json_object_get(item, "audit_title")), "Spring");
            struct okno_review_verdict v = {
                .item = json_integer_value(json_object_get(item, "item")),
                .user = users[u],
                .lease = json_string_value(json_object_get(item, "lease")),
                .verdict = u == 0 && i == 0 ? "invalid" : "valid",
                .reason = u == 0 && i == 0 ? "STAFF_PRESSED" : NULL};
            assert_int_equal(okno_review_submit(f->db, &v, now, &id, &counted, &f->err), 0);
        }
    okno_autojson json_t *open = NULL;
    assert_int_equal(okno_calibration_list(f->db, "eva", &open, &f->err), 0);
    const json_t *round = json_array_get(json_object_get(open, "calibrations"), 0);
    const json_t *mine = json_array_get(json_object_get(round, "results"), 0);
    assert_int_equal(json_array_size(json_object_get(round, "results")), 1);
    assert_true(json_is_null(json_object_get(mine, "right")));
    assert_int_equal(okno_calibration_close(f->db, "c1", "eva", now, NULL), OKNO_FORBIDDEN);
    assert_int_equal(okno_calibration_close(f->db, "c1", "lena", now, &f->err), 0);
    assert_int_equal(okno_calibration_close(f->db, "c1", "lena", now, NULL), OKNO_REFUSED);
    okno_autojson json_t *closed = NULL;
    assert_int_equal(okno_calibration_list(f->db, NULL, &closed, &f->err), 0);
    round = json_array_get(json_object_get(closed, "calibrations"), 0);
    const json_t *results = json_object_get(round, "results");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 0), "right")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 0), "exact")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 1), "right")), 2);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(round, "agreement"), "items")), 3);
    assert_int_equal(asked(f, "SELECT count(*) FROM rulings WHERE audit <> 'A'"), 0);
}

static const json_t *row(const json_t *report, size_t i)
{
    return json_array_get(json_object_get(report, "reviewers"), i);
}

static int64_t in(const json_t *one, const char *key, const char *field)
{
    return json_integer_value(json_object_get(json_object_get(one, key), field));
}

static void the_report_counts_what_an_expert_did(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *own = NULL;
    okno_autojson json_t *all = NULL;
    okno_autojson json_t *later = NULL;
    scratch_db_put(
        f,
        "INSERT INTO review_items (item, audit, survey, place, origin, part, state) VALUES"
        " (101, 'B', 't0', 1, 'random', 1, 'decided'), (102, 'B', 't1', 2, 'random', 1, 'decided'),"
        " (103, 'B', 't1', 2, 'random', 2, 'decided');"
        "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version, active_s)"
        " SELECT item, audit, survey, 'eva', 10, 'valid', 1, item FROM review_items"
        " WHERE audit = 'B' AND survey IN ('t0', 't1', 't2') AND part = 0;"
        "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version) VALUES"
        " (101, 'B', 't0', 'ivan', 11, 'valid', 1), (102, 'B', 't1', 'ivan', 11, 'invalid', 1),"
        " (103, 'B', 't1', 'boss', 12, 'invalid', 1)");
    assert_int_equal(okno_reviewer_report(f->db, NULL, "B", 0, 100, &all, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(all, "reviewers")), 3);
    assert_string_equal(json_string_value(json_object_get(row(all, 1), "user")), "eva");
    assert_int_equal(json_integer_value(json_object_get(row(all, 1), "decided")), 3);
    assert_int_equal(in(row(all, 1), "double", "items"), 2);
    assert_int_equal(in(row(all, 1), "double", "agreed"), 1);
    assert_int_equal(in(row(all, 1), "double", "upheld"), 0);
    assert_int_equal(in(row(all, 2), "double", "upheld"), 1);
    assert_true(json_number_value(json_object_get(row(all, 1), "median_active_s")) == 7);
    assert_true(json_is_null(json_object_get(row(all, 2), "median_active_s"))); /* never told */
    /* while the audit goes on an expert learns nothing of what others said */
    assert_int_equal(okno_reviewer_report(f->db, "eva", NULL, 0, 100, &own, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(own, "reviewers")), 1);
    assert_int_equal(in(row(own, 0), "double", "items"), 0);
    scratch_db_put(f, "UPDATE audits SET state = 'closed'");
    assert_int_equal(okno_reviewer_report(f->db, "eva", NULL, 0, 100, &later, &f->err), 0);
    assert_int_equal(in(row(later, 0), "double", "items"), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(gold_is_made_of_what_is_settled_by_who_leads),
        CASE(gold_items_look_like_any_other_and_change_nothing),
        CASE(an_audit_tells_how_much_gold_can_be_asked),
        CASE(gold_is_not_for_who_knows_it),
        CASE(every_expert_decides_a_calibration_first),
        CASE(the_report_counts_what_an_expert_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _POSIX_C_SOURCE 200809L
/* Appeals: who may, until when, who decides, and what stands afterwards. */
#include "okno/appeal.h"
#include "okno/audit.h"
#include "okno/review.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <string.h>

#define DAY OKNO_DAY_US
static const int64_t now = INT64_C(1773151400000000);
static const struct okno_appeal_times times = {14 * OKNO_DAY_US, 7 * OKNO_DAY_US};

/* s1 is ann's, ruled invalid by eva; s2 is ann's and nobody decided; s3 is bob's, under force
 * majeure. */
static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'sites', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'till', 'mall', 'Till');"
        "INSERT INTO users (user, role, password_hash, employee, created_at) VALUES"
        " ('anna', 'staff', 'x', 'ann', 0), ('boris', 'staff', 'x', 'bob', 0),"
        " ('max', 'manager', 'x', NULL, 0), ('eva', 'expert', 'x', NULL, 0),"
        " ('ivan', 'expert', 'x', NULL, 0), ('olga', 'expert', 'x', 'bob', 0),"
        " ('boss', 'administrator', 'x', NULL, 0);"
        "INSERT INTO surveys (survey, point, site, opened_at, closes_at, state, answer, employee,"
        " question_kind, force_majeure, device_offset_us, device_uncertainty_us) VALUES"
        " ('s1', 'till', 'mall', 1773151000000000, 1773151015000000, 'answered', 'yes', 'ann',"
        "  'office', 0, 0, 0),"
        " ('s2', 'till', 'mall', 1773151100000000, 1773151115000000, 'answered', 'no', 'ann',"
        "  'office', 0, 0, 0),"
        " ('s3', 'till', 'mall', 1773151200000000, 1773151215000000, 'answered', 'no', 'bob',"
        "  'office', 1, 0, 0);"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'bob', 'till', 1773151190000000, 1773151300000000);"
        "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
        " created_by) VALUES ('A', 'March', 'closed', 0, 1, '{}', 0, 'x');"
        "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
        " (1, 'A', 's1', 1, 'random', 'decided');"
        "INSERT INTO verdicts (id, item, audit, survey, user, at, verdict, reason, reasons_version)"
        " VALUES (1, 1, 'A', 's1', 'eva', 1773151400000000, 'invalid', 'STAFF_PRESSED', 1);");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static int file(struct scratch_db *f, const char *survey, const char *user, const char *asks,
                const char *comment, int64_t at, int64_t *ret_appeal)
{
    const struct okno_appeal appeal = {.survey = survey,
                                       .user = user,
                                       .asks = asks,
                                       .comment = comment,
                                       .times = times,
                                       .at_us = at};
    okno_err_clear(&f->err);
    return okno_appeal_add(f->db, &appeal, ret_appeal, &f->err);
}

static int64_t filed(struct scratch_db *f)
{
    int64_t appeal = 0;
    if (file(f, "s1", "anna", "valid", "A customer pressed it", now + DAY, &appeal) < 0)
        fail_msg("%s", f->err.text);
    return appeal;
}

/* Take it and decide. */
static int rule(struct scratch_db *f, int64_t appeal, const char *user,
                struct okno_appeal_decision decision)
{
    okno_autojson json_t *item = NULL;
    okno_err_clear(&f->err);
    int rc = okno_appeal_take(f->db, appeal, user, 600000000, now + DAY, &item, &f->err);
    if (rc < 0)
        return rc;
    decision.appeal = appeal;
    decision.user = user;
    decision.lease = json_string_value(json_object_get(item, "lease"));
    return okno_appeal_decide(f->db, &decision, now + DAY + 1, &f->err);
}

static const char *stands(struct scratch_db *f, const char *survey)
{
    static char found[80];
    char path[80];
    char sql[200];
    sqlite3 *raw = NULL;
    sqlite3_stmt *row = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    (void)snprintf(
        sql, sizeof(sql),
        "SELECT verdict || '/' || coalesce(reason, '') || '/' || coalesce(correction, '')"
        " || '/' || origin FROM rulings WHERE survey = '%s'",
        survey);
    assert_int_equal(sqlite3_prepare_v2(raw, sql, -1, &row, NULL), SQLITE_OK);
    (void)snprintf(found, sizeof(found), "%s",
                   sqlite3_step(row) == SQLITE_ROW ? (const char *)sqlite3_column_text(row, 0)
                                                   : "none");
    sqlite3_finalize(row);
    (void)sqlite3_close(raw);
    return found;
}

static void staff_appeal_about_their_own_surveys_and_managers_about_any(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = 0;
    assert_int_equal(file(f, "s1", "boris", "valid", "why", now, &appeal), OKNO_FORBIDDEN);
    assert_int_equal(file(f, "s1", "eva", "valid", "why", now, &appeal), OKNO_FORBIDDEN);
    assert_int_equal(file(f, "s1", "nobody", "valid", "why", now, &appeal), OKNO_FORBIDDEN);
    assert_int_equal(file(f, "s1", "max", "valid", "why", now, &appeal), 0);
}

static void an_appeal_says_what_and_why_in_time(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = 0;
    assert_int_equal(file(f, "s1", "anna", "valid", "  ", now, &appeal), OKNO_MISSING);
    assert_string_equal(f->err.field, "comment");
    assert_int_equal(file(f, "s1", "anna", "gone", "why", now, &appeal), OKNO_INVALID);
    assert_string_equal(f->err.field, "asks");
    assert_int_equal(file(f, "s9", "anna", "valid", "why", now, &appeal), OKNO_NOT_FOUND);
    assert_int_equal(file(f, "s1", "anna", "invalid", "why", now, &appeal), OKNO_REFUSED);
    assert_int_equal(file(f, "s2", "anna", "valid", "why", now, &appeal), OKNO_REFUSED);
    assert_int_equal(file(f, "s2", "anna", "false_fm", "why", now, &appeal), OKNO_REFUSED);
    assert_int_equal(file(f, "s1", "anna", "valid", "why", now + 14 * DAY + 1, &appeal),
                     OKNO_REFUSED);
    assert_non_null(strstr(f->err.text, "could be appealed about until 2026-03-24"));
    assert_int_equal(file(f, "s1", "anna", "valid", "why", now + 14 * DAY, &appeal), 0);
    assert_int_equal(file(f, "s1", "anna", "valid", "again", now + 2, &appeal), OKNO_REFUSED);
}

static void who_decided_before_filed_it_or_serves_there_does_not_decide(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_appeal_decision reject = {.outcome = "reject", .comment = "seen again"};
    int64_t appeal = filed(f);
    assert_int_equal(rule(f, appeal, "eva", reject), OKNO_FORBIDDEN);
    assert_int_equal(rule(f, appeal, "anna", reject), OKNO_FORBIDDEN);
    assert_int_equal(rule(f, appeal, "olga", reject), OKNO_FORBIDDEN);
    assert_int_equal(rule(f, appeal, "ivan", reject), 0);
}

static void another_login_of_the_same_employee_does_not_decide(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_appeal_decision accept = {.outcome = "accept", .comment = "so it was"};
    int64_t appeal = 0;
    scratch_db_put(f,
                   "UPDATE users SET employee = 'max' WHERE user IN ('max', 'ivan');"
                   "UPDATE users SET employee = 'eva' WHERE user IN ('eva', 'boss');");
    assert_int_equal(file(f, "s1", "max", "valid", "why", now, &appeal), 0);
    assert_int_equal(rule(f, appeal, "ivan", accept), OKNO_FORBIDDEN); /* who asks */
    assert_non_null(strstr(f->err.text, "another login of yours"));
    assert_int_equal(rule(f, appeal, "boss", accept), OKNO_FORBIDDEN); /* who ruled before */
    assert_string_equal(stands(f, "s1"), "invalid/STAFF_PRESSED//random");
}

static void an_accepted_appeal_makes_the_survey_what_was_asked(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = filed(f);
    assert_string_equal(stands(f, "s1"), "invalid/STAFF_PRESSED//random");
    assert_int_equal(
        rule(f, appeal, "ivan",
             (struct okno_appeal_decision){.outcome = "accept", .comment = "so it was"}),
        0);
    assert_string_equal(stands(f, "s1"), "valid///random");
    /* it is final, also against what is decided later */
    assert_int_equal(file(f, "s1", "max", "invalid", "no", now + DAY, &appeal), OKNO_REFUSED);
    scratch_db_put(f,
                   "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
                   " (50, 'targeted', 's1', 1, 'targeted', 'decided');"
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict,"
                   " reasons_version) VALUES (50, 'targeted', 's1', 'boss', 9, 'invalid', 1)");
    assert_string_equal(stands(f, "s1"), "valid///random");
}

static void a_rejected_appeal_leaves_what_stood(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = filed(f);
    assert_int_equal(rule(f, appeal, "ivan", (struct okno_appeal_decision){.outcome = "reject"}),
                     OKNO_MISSING);
    assert_string_equal(f->err.field, "comment");
    const struct okno_appeal_decision no = {.outcome = "reject", .comment = "staff pressed it"};
    assert_int_equal(rule(f, appeal, "ivan", no), 0);
    assert_string_equal(stands(f, "s1"), "invalid/STAFF_PRESSED//random");
    assert_int_equal(rule(f, appeal, "boss", no), OKNO_REFUSED);
    assert_int_equal(file(f, "s1", "anna", "valid", "once more", now + DAY, &appeal), OKNO_REFUSED);
}

static void partly_is_neither_what_stood_nor_what_was_asked(void **state)
{
    struct scratch_db *f = *state;
    struct okno_appeal_decision d = {.outcome = "partly", .comment = "too dark to say"};
    int64_t appeal = filed(f);
    assert_int_equal(rule(f, appeal, "ivan", d), OKNO_MISSING);
    d.verdict = "valid";
    assert_int_equal(rule(f, appeal, "ivan", d), OKNO_INVALID);
    d.verdict = "invalid";
    d.reason = "STAFF_PRESSED";
    assert_int_equal(rule(f, appeal, "ivan", d), OKNO_INVALID);
    d.verdict = "undeterminable";
    assert_int_equal(rule(f, appeal, "ivan", d), OKNO_INVALID); /* that is no reason of it */
    d.reason = "TOO_DARK";
    assert_int_equal(rule(f, appeal, "ivan", d), 0);
    assert_string_equal(stands(f, "s1"), "undeterminable/TOO_DARK//random");
}

static void what_nobody_had_decided_stays_out_of_samples(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = 0;
    assert_int_equal(file(f, "s2", "anna", "invalid", "no customer was there", now, &appeal), 0);
    assert_int_equal(rule(f, appeal, "ivan",
                          (struct okno_appeal_decision){.outcome = "accept", .comment = "true"}),
                     OKNO_MISSING); /* invalid needs a reason */
    assert_int_equal(rule(f, appeal, "ivan",
                          (struct okno_appeal_decision){
                              .outcome = "accept", .comment = "true", .reason = "NO_CUSTOMER"}),
                     0);
    assert_string_equal(stands(f, "s2"), "invalid/NO_CUSTOMER//targeted");
}

static void force_majeure_can_be_appealed_against(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = 0;
    assert_int_equal(file(f, "s3", "max", "false_fm", "nothing had happened", now, &appeal), 0);
    assert_int_equal(rule(f, appeal, "ivan",
                          (struct okno_appeal_decision){.outcome = "accept", .comment = "true"}),
                     0);
    assert_string_equal(stands(f, "s3"), "valid//FALSE_FM/targeted");
}

static void an_appeal_is_decided_by_who_holds_it(void **state)
{
    struct scratch_db *f = *state;
    okno_autojson json_t *mine = NULL;
    json_t *theirs = NULL;
    int64_t appeal = filed(f);
    assert_int_equal(okno_appeal_take(f->db, appeal, "ivan", 600000000, now + DAY, &mine, &f->err),
                     0);
    assert_int_equal(
        okno_appeal_take(f->db, appeal, "boss", 600000000, now + DAY + 1, &theirs, &f->err),
        OKNO_REFUSED);
    struct okno_appeal_decision d = {.appeal = appeal,
                                     .user = "boss",
                                     .lease = json_string_value(json_object_get(mine, "lease")),
                                     .outcome = "reject",
                                     .comment = "no"};
    okno_err_clear(&f->err);
    assert_int_equal(okno_appeal_decide(f->db, &d, now + DAY + 2, &f->err), OKNO_LEASE_LOST);
    d.user = "ivan";
    assert_int_equal(okno_appeal_decide(f->db, &d, now + 2 * DAY, NULL), OKNO_LEASE_LOST);
    /* the queue neither hands it out nor takes a verdict on it */
    json_t *none = NULL;
    assert_int_equal(okno_review_next(f->db, "boss", NULL, 600000000, now + 2 * DAY, &none, NULL),
                     OKNO_QUEUE_EMPTY);
    struct okno_review_verdict v = {.item = json_integer_value(json_object_get(mine, "item")),
                                    .user = "ivan",
                                    .lease = d.lease,
                                    .verdict = "valid"};
    int64_t id = 0;
    bool counted = true;
    assert_int_equal(okno_review_submit(f->db, &v, now + DAY + 2, &id, &counted, NULL),
                     OKNO_REFUSED);
    assert_string_equal(stands(f, "s1"), "invalid/STAFF_PRESSED//random");
}

static void who_filed_an_appeal_may_take_it_back_and_file_another(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = filed(f);
    assert_int_equal(okno_appeal_withdraw(f->db, appeal, "max", now + DAY, NULL), OKNO_FORBIDDEN);
    assert_int_equal(okno_appeal_withdraw(f->db, appeal, "anna", now + DAY, &f->err), 0);
    assert_int_equal(okno_appeal_withdraw(f->db, appeal, "anna", now + DAY, NULL), OKNO_REFUSED);
    assert_int_equal(file(f, "s1", "anna", "valid", "anew", now + DAY, &appeal), 0);
}

static json_t *listed(struct scratch_db *f, struct okno_appeal_filter filter, size_t want)
{
    json_t *list = NULL;
    assert_int_equal(okno_appeal_list(f->db, &filter, now + DAY, &list, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(list, "appeals")), want);
    return list;
}

static void deciders_see_neither_whom_nor_by_whom(void **state)
{
    struct scratch_db *f = *state;
    (void)filed(f);
    okno_autojson json_t *blind =
        listed(f, (struct okno_appeal_filter){.decider = "ivan", .open = 1}, 1);
    okno_autojson json_t *own =
        listed(f, (struct okno_appeal_filter){.employee = "ann", .user = "anna", .open = -1}, 1);
    okno_autojson json_t *others =
        listed(f, (struct okno_appeal_filter){.employee = "bob", .user = "boris", .open = -1}, 0);
    okno_autojson json_t *elsewhere =
        listed(f, (struct okno_appeal_filter){.sites = "[\"hall\"]", .open = -1}, 0);
    const json_t *one = json_array_get(json_object_get(blind, "appeals"), 0);
    okno_autofree char *text = json_dumps(one, 0);
    assert_null(strstr(text, "ann"));
    assert_true(json_is_true(json_object_get(one, "may_decide")));
    assert_string_equal(json_string_value(json_object_get(one, "by")), "staff");
    okno_autojson json_t *evas =
        listed(f, (struct okno_appeal_filter){.decider = "eva", .open = 1}, 1);
    assert_true(json_is_false(
        json_object_get(json_array_get(json_object_get(evas, "appeals"), 0), "may_decide")));
}

static void decisions_may_be_appealed_against_once_their_audit_is_over(void **state)
{
    struct scratch_db *f = *state;
    static const struct {
        const char *sql;
        size_t want;
    } cases[] = {{"SELECT 1", 1},
                 {"UPDATE audits SET state = 'drawn'", 0},
                 {"UPDATE audits SET state = 'closed'", 1}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        okno_autojson json_t *list = NULL;
        scratch_db_put(f, cases[i].sql);
        assert_int_equal(okno_appeal_rulings(f->db, "ann", NULL, &times, now + DAY, &list, &f->err),
                         0);
        assert_int_equal(json_array_size(json_object_get(list, "rulings")), cases[i].want);
    }
    okno_autojson json_t *late = NULL;
    okno_autojson json_t *bobs = NULL;
    okno_autojson json_t *known = NULL;
    assert_int_equal(
        okno_appeal_rulings(f->db, "ann", NULL, &times, now + 14 * DAY, &late, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(late, "rulings")), 0);
    assert_int_equal(okno_appeal_rulings(f->db, "bob", NULL, &times, now, &bobs, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(bobs, "rulings")), 0);
    (void)filed(f);
    assert_int_equal(okno_appeal_rulings(f->db, "ann", NULL, &times, now, &known, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(known, "rulings")), 0);
}

static int64_t open_in(struct scratch_db *f)
{
    okno_autojson json_t *status = NULL;
    assert_int_equal(okno_audit_status(f->db, "A", &status, &f->err), 0);
    return json_integer_value(json_object_get(status, "appeals_open"));
}

static void an_audit_tells_of_open_appeals_about_its_frame(void **state)
{
    struct scratch_db *f = *state;
    int64_t appeal = filed(f);
    assert_int_equal(open_in(f), 0); /* s1 is not in its frame */
    scratch_db_put(f,
                   "INSERT INTO audit_frame (audit, survey, ordinal, stratum, class, question,"
                   " question_kind, opened_at, force_majeure, site, point, video, line) VALUES"
                   " ('A', 's1', 0, 's', 'no', 'q', 'personnel', 0, 0, 's', 'p', 'linked', '')");
    assert_int_equal(open_in(f), 1);
    assert_int_equal(okno_appeal_withdraw(f->db, appeal, "anna", now + DAY, &f->err), 0);
    assert_int_equal(open_in(f), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(staff_appeal_about_their_own_surveys_and_managers_about_any),
        CASE(an_appeal_says_what_and_why_in_time),
        CASE(who_decided_before_filed_it_or_serves_there_does_not_decide),
        CASE(another_login_of_the_same_employee_does_not_decide),
        CASE(an_accepted_appeal_makes_the_survey_what_was_asked),
        CASE(a_rejected_appeal_leaves_what_stood),
        CASE(partly_is_neither_what_stood_nor_what_was_asked),
        CASE(what_nobody_had_decided_stays_out_of_samples),
        CASE(force_majeure_can_be_appealed_against),
        CASE(an_appeal_is_decided_by_who_holds_it),
        CASE(who_filed_an_appeal_may_take_it_back_and_file_another),
        CASE(deciders_see_neither_whom_nor_by_whom),
        CASE(decisions_may_be_appealed_against_once_their_audit_is_over),
        CASE(an_audit_tells_of_open_appeals_about_its_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _POSIX_C_SOURCE 200809L
#include "okno/figures.h"
#include "okno/kpi.h"
#include "okno/ledger.h"
#include "okno/published.h"

#include "okno/audit.h"

#include "../support/scratch_db.h"

#include <math.h>
#include <string.h>

enum { SURVEYS = 40 };
static const int64_t t0 = INT64_C(1773126000000000);

/* 20 yes, 10 no, 10 silent at one point; every second "yes" was pressed by staff. */
static int setup(void **state)
{
    struct scratch_db *f = scratch_db_new();
    scratch_db_put(f,
                   "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a',"
                   " 'sites', '-');"
                   "INSERT INTO sites (import, site, name, time_zone) VALUES"
                   " (1, 'mall', 'Mall', 'Europe/Moscow');"
                   "INSERT INTO points (import, point, site, name) VALUES"
                   " (1, 'p1', 'mall', 'One');");
    for (int i = 0; i < SURVEYS; i++) {
        char sql[500];
        const char *answer = i < 20 ? "'yes'" : i < 30 ? "'no'" : "NULL";
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO surveys (survey, point, site, question, question_kind,"
                       " opened_at, closes_at, state, answer, device_offset_us,"
                       " device_uncertainty_us) VALUES ('d.0.%d', 'p1', 'mall', 'q1', 'office',"
                       " %lld, %lld, '%s', %s, 0, 0)",
                       i, (long long)t0 + i * 1000000, (long long)t0 + i * 1000000 + 15000000,
                       i < 30 ? "answered" : "silent", answer);
        scratch_db_put(f, sql);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static json_t *office_of(struct scratch_db *f, const char *audit)
{
    const struct okno_figures_query query = {.from_us = t0,
                                             .to_us = t0 + 100000000,
                                             .audit = audit,
                                             .k = 0.5,
                                             .fm_threshold = 0.1,
                                             .min_n = 30};
    okno_autojson json_t *figures = NULL;
    if (okno_figures_json(f->db, &query, 5, &figures, &f->err) < 0)
        fail_msg("%s", f->err.text);
    json_t *group = json_array_get(json_object_get(figures, "groups"), 0);
    return json_incref(json_object_get(json_object_get(group, "indicators"), "ink_office"));
}

static double value_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void run_audit(struct scratch_db *f)
{
    const struct okno_audit_plan plan = {.audit = "A",
                                         .title = "t",
                                         .from_us = t0,
                                         .to_us = t0 + 100000000,
                                         .size = SURVEYS,
                                         .k = 0.5,
                                         .level = 0.95,
                                         .looks = 1};
    char hash[65];
    int64_t size = 0;
    int64_t now = t0 + 1000000000;
    assert_int_equal(okno_audit_plan(f->db, &plan, "a", now, &f->err), 0);
    assert_int_equal(okno_audit_freeze(f->db, "A", "a", NULL, now, &size, hash, &f->err), 0);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    assert_int_equal(okno_audit_checkpoint(f->db, "A", "a", now, &note, &f->err), 0);
    assert_int_equal(okno_audit_seed(f->db, "A", "12345678901234567890", "", "", "a", now, &f->err),
                     0);
    assert_int_equal(okno_audit_draw(f->db, "A", "a", now, &size, &f->err), 0);
    assert_int_equal(size, SURVEYS);
    scratch_db_put(f,
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason,"
                   " reasons_version) SELECT item, 'A', survey, 'eva', 1,"
                   " CASE WHEN s.answer = 'yes' AND s.opened_at / 1000000 % 2 = 0"
                   "      THEN 'invalid' ELSE 'valid' END,"
                   " CASE WHEN s.answer = 'yes' AND s.opened_at / 1000000 % 2 = 0"
                   "      THEN 'STAFF_PRESSED' END, 1"
                   " FROM review_items i JOIN surveys s USING (survey)");
}

static void without_an_audit_there_is_no_estimate_and_it_says_why(void **state)
{
    okno_autojson json_t *office = office_of(*state, NULL);
    assert_true(fabs(value_of(office, "raw") - 15.0 / 40.0) < 1e-9);
    assert_true(json_is_null(json_object_get(office, "estimated")));
    assert_string_equal(json_string_value(json_object_get(office, "estimated_null_reason")),
                        "no_audit");
}

static void a_census_estimates_exactly_what_was_excluded(void **state)
{
    struct scratch_db *f = *state;
    run_audit(f);
    okno_autojson json_t *office = office_of(f, "A");
    const json_t *estimated = json_object_get(office, "estimated");
    assert_true(json_is_object(estimated));
    assert_true(fabs(value_of(office, "excluded") - 15.0 / 30.0) < 1e-9);
    assert_true(fabs(value_of(estimated, "value") - 15.0 / 30.0) < 1e-9);
    assert_true(fabs(value_of(estimated, "low") - value_of(estimated, "high")) < 1e-9);
    assert_true(json_is_null(json_object_get(office, "estimated_null_reason")));
}

static json_t *figures_of(struct scratch_db *f, const struct okno_figures_query *query)
{
    json_t *figures = NULL;
    if (okno_figures_json(f->db, query, 5, &figures, &f->err) < 0)
        fail_msg("%s", f->err.text);
    return figures;
}

static json_t *first_group(const json_t *figures)
{
    return json_array_get(json_object_get(figures, "groups"), 0);
}

/* Four of forty decisions are a share of exactly 0.10: the gate closes only above it. */
static void too_much_that_nobody_could_decide_leaves_only_bounds(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_figures_query query = {
        .from_us = t0, .to_us = t0 + 100000000, .audit = "A", .k = 0.5, .min_n = 30};
    run_audit(f);
    scratch_db_put(f,
                   "UPDATE verdicts SET verdict = 'undeterminable', reason = 'TOO_DARK'"
                   " WHERE id <= 4");
    okno_autojson json_t *open = figures_of(f, &query);
    assert_string_equal(json_string_value(json_object_get(first_group(open), "evidence_gate")),
                        "evaluable");
    scratch_db_put(f,
                   "UPDATE verdicts SET verdict = 'undeterminable', reason = 'TOO_DARK'"
                   " WHERE id = 5");
    okno_autojson json_t *closed = figures_of(f, &query);
    const json_t *evidence = json_object_get(closed, "evidence");
    assert_string_equal(json_string_value(json_object_get(evidence, "state")), "worst_case_only");
    assert_true(fabs(value_of(evidence, "share") - 5.0 / 40.0) < 1e-9);
    assert_string_equal(json_string_value(json_object_get(evidence, "worst_site")), "mall");
    const json_t *office =
        json_object_get(json_object_get(first_group(closed), "indicators"), "ink_office");
    const json_t *estimated = json_object_get(office, "estimated");
    assert_true(json_is_null(json_object_get(estimated, "value")));
    assert_true(json_is_null(json_object_get(estimated, "low")));
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(estimated, "bounds"), "worst")), 2);
    assert_string_equal(json_string_value(json_object_get(office, "estimated_null_reason")),
                        "undeterminable_above_limit");
}

static void a_days_estimate_is_of_that_day(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_figures_query query = {.from_us = INT64_C(1773100800000000),
                                             .to_us = INT64_C(1773187200000000),
                                             .local = true,
                                             .by = OKNO_BY_DAY,
                                             .audit = "A",
                                             .k = 0.5,
                                             .min_n = 30};
    run_audit(f);
    okno_autojson json_t *figures = figures_of(f, &query);
    const json_t *office =
        json_object_get(json_object_get(first_group(figures), "indicators"), "ink_office");
    assert_true(fabs(value_of(json_object_get(office, "estimated"), "value") - 0.5) < 1e-9);
    assert_string_equal(json_string_value(json_object_get(figures, "from")), "2026-03-10");
}

static void a_changed_question_window_or_camera_breaks_the_series(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_figures_query query = {
        .from_us = t0, .to_us = t0 + 100000000, .by = OKNO_BY_POINT, .k = 0.5, .min_n = 30};
    scratch_db_put(f,
                   "INSERT INTO questions (import, question, point, valid_from, kind, text,"
                   " window_us) VALUES (1, 'q1', 'p1', 1, 'office', 'a', 15000000),"
                   " (1, 'q1', 'p1', 1773126010000000, 'office', 'a', 20000000),"
                   " (1, 'q2', 'p1', 1773126020000000, 'office', 'b', 20000000),"
                   " (1, 'q1', 'p2', 1, 'office', 'a', 15000000);"
                   "INSERT INTO placements (import, point, camera, valid_from) VALUES"
                   " (1, 'p1', 'c1', 1), (1, 'p1', 'c2', 1773126030000000)");
    okno_autojson json_t *figures = figures_of(f, &query);
    const json_t *breaks = json_object_get(figures, "breaks");
    static const char *const what[] = {"window", "question", "camera"};
    assert_int_equal(json_array_size(breaks), OKNO_COUNT(what));
    for (size_t i = 0; i < OKNO_COUNT(what); i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(breaks, i), "what")),
                            what[i]);
    assert_int_equal(json_array_size(json_object_get(first_group(figures), "breaks")), 3);
}

static void a_question_that_ended_gives_back_to_the_one_before(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_figures_query query = {
        .from_us = t0, .to_us = t0 + 100000000, .by = OKNO_BY_POINT, .k = 0.5, .min_n = 30};
    /* q9 stood by mistake, and later for ten seconds: q1 is what q2 follows. */
    scratch_db_put(f,
                   "INSERT INTO questions (import, question, point, valid_from, valid_to, kind,"
                   " text, window_us) VALUES (1, 'q1', 'p1', 1, NULL, 'office', 'a', 15000000),"
                   " (1, 'q9', 'p1', 2, NULL, 'office', 'a', 15000000),"
                   " (1, 'q9', 'p1', 2, 3, 'office', 'a', 15000000),"
                   " (1, 'q9', 'p1', 1773126010000000, 1773126020000000, 'office', 'a', 15000000),"
                   " (1, 'q2', 'p1', 1773126030000000, NULL, 'office', 'b', 15000000)");
    okno_autojson json_t *figures = figures_of(f, &query);
    const json_t *breaks = json_object_get(figures, "breaks");
    static const char *const turns[][2] = {{"q1", "q9"}, {"q9", "q1"}, {"q1", "q2"}};
    assert_int_equal(json_array_size(breaks), OKNO_COUNT(turns));
    for (size_t i = 0; i < OKNO_COUNT(turns); i++) {
        const json_t *one = json_array_get(breaks, i);
        assert_string_equal(json_string_value(json_object_get(one, "was")), turns[i][0]);
        assert_string_equal(json_string_value(json_object_get(one, "became")), turns[i][1]);
    }
}

static void a_placement_that_ended_gives_back_to_the_camera_before(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_figures_query query = {
        .from_us = t0, .to_us = t0 + 100000000, .by = OKNO_BY_POINT, .k = 0.5, .min_n = 30};
    /* c2 stood in for ten seconds; c9 is only there for when c1 is not. */
    scratch_db_put(f,
                   "INSERT INTO placements (import, point, camera, valid_from, valid_to,"
                   " priority) VALUES (1, 'p1', 'c1', 1, 1773126050000000, 1),"
                   " (1, 'p1', 'c2', 1773126010000000, 1773126020000000, 1),"
                   " (1, 'p1', 'c9', 1, NULL, 2)");
    okno_autojson json_t *figures = figures_of(f, &query);
    const json_t *breaks = json_object_get(figures, "breaks");
    static const char *const turns[][2] = {{"c1", "c2"}, {"c2", "c1"}, {"c1", "c9"}};
    assert_int_equal(json_array_size(breaks), OKNO_COUNT(turns));
    for (size_t i = 0; i < OKNO_COUNT(turns); i++) {
        const json_t *one = json_array_get(breaks, i);
        assert_string_equal(json_string_value(json_object_get(one, "was")), turns[i][0]);
        assert_string_equal(json_string_value(json_object_get(one, "became")), turns[i][1]);
    }
}

static void a_changed_weight_breaks_every_series(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_figures_query query = {
        .from_us = t0, .to_us = t0 + 100000000, .by = OKNO_BY_POINT, .k = 0.5, .min_n = 30};
    struct okno_past past;
    static const double weights[] = {0.5, 0.5, 0.4, 0.4, 0.5};
    for (size_t i = 0; i < OKNO_COUNT(weights); i++)
        assert_int_equal(
            okno_kpi_note_weight(f->db, weights[i], t0 + (int64_t)i * 1000000 - 1000000, &f->err),
            0);
    okno_autojson json_t *figures = figures_of(f, &query);
    const json_t *breaks = json_object_get(figures, "breaks");
    assert_int_equal(json_array_size(breaks), 2); /* the first weight changed nothing */
    const json_t *one = json_array_get(breaks, 0);
    assert_string_equal(json_string_value(json_object_get(one, "what")), "k");
    assert_string_equal(json_string_value(json_object_get(one, "was")), "0.5");
    assert_string_equal(json_string_value(json_object_get(one, "became")), "0.4");
    assert_true(json_is_null(json_object_get(one, "point")));
    assert_int_equal(json_array_size(json_object_get(first_group(figures), "breaks")), 2);
    /* As of a moment, what had changed by then. */
    const struct okno_survey_params params = okno_survey_params_default();
    okno_autojson json_t *then = NULL;
    past = okno_past_at(t0 + 2000000);
    assert_int_equal(okno_figures_as_of(f->db, &past, &params, &query, &then, &f->err), 0);
    assert_int_equal(json_array_size(json_object_get(then, "breaks")), 1);
}

static void points_are_compared_with_the_others_at_their_site(void **state)
{
    struct scratch_db *f = *state;
    struct okno_figures_query query = {.from_us = t0,
                                       .to_us = t0 + 100000000,
                                       .k = 0.5,
                                       .min_n = 5,
                                       .compare = "site",
                                       .by = OKNO_BY_SITE | OKNO_BY_POINT};
    scratch_db_put(f,
                   "INSERT INTO points (import, point, site, name) VALUES (1, 'p2', 'mall', 'Two');"
                   "UPDATE surveys SET point = 'p2' WHERE answer IS 'no'");
    okno_autojson json_t *figures = figures_of(f, &query);
    const json_t *office =
        json_object_get(json_object_get(first_group(figures), "indicators"), "ink_office");
    const json_t *d = json_object_get(office, "difference");
    assert_int_equal(json_integer_value(json_object_get(d, "n")), 30);
    assert_int_equal(json_integer_value(json_object_get(d, "n_other")), 10); /* never itself */
    assert_true(json_is_true(json_object_get(d, "differs")));
    okno_autojson json_t *refused = NULL;
    query.by = OKNO_BY_POINT;
    assert_int_equal(okno_figures_json(f->db, &query, t0, &refused, &f->err), OKNO_INVALID);
    assert_string_equal(f->err.field, "compare");
}

static void a_scope_leaves_figures_of_that_one(void **state)
{
    struct scratch_db *f = *state;
    struct okno_figures_query query = {
        .from_us = t0, .to_us = t0 + 100000000, .k = 0.5, .min_n = 5, .point = "p2"};
    scratch_db_put(f,
                   "INSERT INTO points (import, point, site, name) VALUES (1, 'p2', 'mall', 'Two');"
                   "UPDATE surveys SET point = 'p2' WHERE answer IS 'no'");
    okno_autojson json_t *figures = figures_of(f, &query);
    assert_int_equal(json_array_size(json_object_get(figures, "groups")), 1);
    const json_t *group = first_group(figures);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(group, "counts"), "n")),
                     10);
    const json_t *names = json_object_get(group, "group");
    assert_string_equal(json_string_value(json_object_get(names, "point")), "p2");
    query.employee = "unassigned";
    okno_autojson json_t *nobody = figures_of(f, &query);
    assert_int_equal(json_array_size(json_object_get(nobody, "groups")), 1);
    query.employee = "ann";
    okno_autojson json_t *none = figures_of(f, &query);
    assert_int_equal(json_array_size(json_object_get(none, "groups")), 0);
}

static void few_surveys_are_flagged(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f,
                   "DELETE FROM surveys WHERE answer IS NULL; "
                   "DELETE FROM surveys WHERE survey = 'd.0.0'");
    okno_autojson json_t *office = office_of(f, NULL);
    const json_t *flag = json_array_get(json_object_get(office, "flags"), 0);
    assert_string_equal(json_string_value(flag), "too_few");
}

static void a_weight_outside_its_range_and_an_unknown_audit_are_refused(void **state)
{
    struct scratch_db *f = *state;
    json_t *figures = NULL;
    struct okno_figures_query query = {.from_us = t0, .to_us = t0 + 1, .k = 1.5};
    assert_int_equal(okno_figures_json(f->db, &query, 0, &figures, NULL), OKNO_INVALID);
    query.k = NAN;
    assert_int_equal(okno_figures_json(f->db, &query, 0, &figures, NULL), OKNO_INVALID);
    query.k = 0.5;
    query.audit = "nope";
    assert_int_equal(okno_figures_json(f->db, &query, 0, &figures, NULL), OKNO_NOT_FOUND);
    query.audit = NULL;
    query.to_us = t0;
    assert_int_equal(okno_figures_json(f->db, &query, 0, &figures, NULL), OKNO_INVALID);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(without_an_audit_there_is_no_estimate_and_it_says_why),
        CASE(a_census_estimates_exactly_what_was_excluded),
        CASE(too_much_that_nobody_could_decide_leaves_only_bounds),
        CASE(a_days_estimate_is_of_that_day),
        CASE(a_changed_question_window_or_camera_breaks_the_series),
        CASE(a_question_that_ended_gives_back_to_the_one_before),
        CASE(a_placement_that_ended_gives_back_to_the_camera_before),
        CASE(a_changed_weight_breaks_every_series),
        CASE(a_scope_leaves_figures_of_that_one),
        CASE(points_are_compared_with_the_others_at_their_site),
        CASE(few_surveys_are_flagged),
        CASE(a_weight_outside_its_range_and_an_unknown_audit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

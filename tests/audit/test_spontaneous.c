#define _GNU_SOURCE
/* Spontaneous ratings: ruled, voided, drawn and estimated like surveys. */
#include "okno/figures.h"
#include "okno/review.h"
#include "okno/survey.h"

#include "sixty_surveys.h"

/* Twenty ratings, one a minute, at p0 and p1 in turn: even ones yes, odd ones no; 1000 served. */
static int setup_ratings(void **state)
{
    (void)setup(state);
    struct scratch_db *f = *state;
    scratch_db_put(
        f,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'a', 'x', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'mall', 'Mall', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'p0', 'mall', 'P0'),"
        " (1, 'p1', 'mall', 'P1');"
        "INSERT INTO users (user, role, password_hash, created_at) VALUES"
        " ('boss', 'manager', 'x', 0), ('eva', 'expert', 'x', 0);"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
        " (1, 'ann', 'p0', 1773126000000000, 1773130000000000);"
        "INSERT INTO counts (import, scope, kind, valid_from, valid_to, count, source) VALUES"
        " (1, 'site:mall', 'served', 1773126000000000, 1773129600000000, 1000, 'till');"
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19)"
        "INSERT INTO spontaneous (rating, point, site, answer, at, employee)"
        " SELECT printf('r.0.%02d', i), printf('p%d', i / 2 % 2), 'mall',"
        " CASE i % 2 WHEN 0 THEN 'yes' ELSE 'no' END, 1773126000000000 + i * 60000000,"
        " CASE i / 2 % 2 WHEN 0 THEN 'ann' END FROM n");
    return 0;
}

/* Two indicators of the hour: raw, excluded, estimated value or -1. */
struct seen {
    double raw, excluded, estimated, low, high;
    char estimated_null_reason[40];
};

static struct seen figure(struct scratch_db *f, const char *indicator, const char *audit)
{
    okno_autojson json_t *figures = NULL;
    const struct okno_figures_query query = {
        .from_us = AT(0), .to_us = AT(60), .audit = audit, .k = 0.5, .fm_threshold = 0.1};
    must(f, okno_figures_json(f->db, &query, AT(70), &figures, &f->err));
    const json_t *group = json_array_get(json_object_get(figures, "groups"), 0);
    const json_t *one = json_object_get(json_object_get(group, "indicators"), indicator);
    const json_t *estimated = json_object_get(one, "estimated");
    const char *reason = json_string_value(json_object_get(one, "estimated_null_reason"));
    struct seen seen = {json_number_value(json_object_get(one, "raw")),
                        json_number_value(json_object_get(one, "excluded")),
                        estimated ? json_number_value(json_object_get(estimated, "value")) : -1,
                        json_number_value(json_object_get(estimated, "low")),
                        json_number_value(json_object_get(estimated, "high")),
                        ""};
    (void)snprintf(seen.estimated_null_reason, sizeof(seen.estimated_null_reason), "%s",
                   reason ? reason : "");
    return seen;
}

/* Decide the item that is next as the answer's truth says. */
static void decide_next(struct scratch_db *f, const char *audit, const char *verdict,
                        const char *reason)
{
    okno_autojson json_t *item = NULL;
    int64_t id = 0;
    bool counted = false;
    must(f, okno_review_next(f->db, "eva", audit, 120000000, AT(66), &item, &f->err));
    const json_t *survey = json_object_get(item, "survey");
    assert_true(json_is_true(json_object_get(survey, "spontaneous")));
    assert_null(json_object_get(survey, "answer"));
    const struct okno_review_verdict v = {.item = json_integer_value(json_object_get(item, "item")),
                                          .user = "eva",
                                          .lease =
                                              json_string_value(json_object_get(item, "lease")),
                                          .verdict = verdict,
                                          .reason = reason};
    must(f, okno_review_submit(f->db, &v, AT(67), &id, &counted, &f->err));
    assert_true(counted);
}

static void a_targeted_look_takes_a_false_rating_out_of_the_excluded_figure(void **state)
{
    struct scratch_db *f = *state;
    int64_t item = 0;
    struct seen before = figure(f, "criticality_index", NULL);
    assert_float_equal(before.raw, 0.010, 1e-6);
    assert_float_equal(before.excluded, 0.010, 1e-6);
    must(f, okno_review_target(f->db, "r.0.01", "boss", "complaint", AT(65), &item, &f->err));
    must_fail(f, okno_review_target(f->db, "r.0.01", "boss", "again", AT(65), &item, &f->err),
              OKNO_REFUSED, "waits for a targeted review already");
    assert_int_equal(asked(f, "SELECT count(*) FROM jobs WHERE survey = 'r.0.01' AND class = 1"),
                     2);
    decide_next(f, NULL, "invalid", "STAFF_PRESSED");
    struct seen after = figure(f, "criticality_index", NULL);
    assert_float_equal(after.raw, 0.010, 1e-6);
    assert_float_equal(after.excluded, 0.009, 1e-6);
    must(f, okno_review_target(f->db, "r.0.01", "boss", "a second look", AT(68), &item, &f->err));
    decide_next(f, NULL, "valid", NULL);
    assert_float_equal(figure(f, "criticality_index", NULL).excluded, 0.010, 1e-6);
}

static void a_rating_is_voided_by_two_people(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_survey_void request = {.survey = "r.0.00",
                                             .voided = true,
                                             .author = "boss",
                                             .second = "eva",
                                             .reason = "cleaning",
                                             .at_us = AT(65)};
    must(f, okno_survey_set_void(f->db, &request, &f->err));
    struct seen after = figure(f, "support_index", NULL);
    assert_float_equal(after.raw, 0.010, 1e-6);
    assert_float_equal(after.excluded, 0.009, 1e-6);
}

static int count_row(void *ctx, const struct okno_survey_info *info, struct okno_err *err)
{
    (void)err;
    int *count = ctx;
    assert_true(strncmp(info->survey, "r.0.", 4) == 0);
    (*count)++;
    return 0;
}

static void ratings_are_listed_and_have_a_dossier(void **state)
{
    struct scratch_db *f = *state;
    struct okno_survey_filter filter = OKNO_SURVEY_FILTER_ALL;
    okno_autojson json_t *dossier = NULL;
    int count = 0;
    filter.spontaneous = true;
    must(f, okno_survey_list(f->db, &filter, count_row, &count, &f->err));
    assert_int_equal(count, 20);
    count = 0;
    filter.employee = "ann";
    must(f, okno_survey_list(f->db, &filter, count_row, &count, &f->err));
    assert_int_equal(count, 10);
    must(f, okno_survey_dossier(f->db, "r.0.01", &dossier, &f->err));
    const json_t *survey = json_object_get(dossier, "survey");
    assert_string_equal(json_string_value(json_object_get(survey, "answer")), "no");
    assert_string_equal(json_string_value(json_object_get(survey, "employee")), "ann");
}

static void drawn_audit_of_ratings(struct scratch_db *f)
{
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan made = plan_of("S");
    made.frame = OKNO_FRAME_SPONTANEOUS;
    must(f, okno_audit_plan(f->db, &made, "eva", AT(61), &f->err));
    assert_int_equal(freeze(f, "S", sha256), 20);
    assert_int_equal(draw(f, "S"), 20);
}

static void an_audit_of_ratings_estimates_both_indexes_and_nothing_else(void **state)
{
    struct scratch_db *f = *state;
    drawn_audit_of_ratings(f);
    assert_string_equal(figure(f, "support_index", "S").estimated_null_reason, "not_sampled");
    for (int i = 0; i < 20; i++)
        decide_next(f, "S", i < 4 ? "invalid" : "valid", i < 4 ? "CHILD_PLAY" : NULL);
    double genuine = (double)asked(f,
                                   "SELECT count(*) FROM spontaneous s JOIN rulings r ON"
                                   " r.survey = s.rating WHERE answer = 'yes' AND verdict ="
                                   " 'valid'");
    struct seen seen = figure(f, "support_index", "S");
    assert_float_equal(seen.estimated, genuine / 1000, 1e-6);
    assert_float_equal(seen.low, genuine / 1000, 1e-6); /* everything was looked at */
    assert_float_equal(seen.excluded, genuine / 1000, 1e-6);
    assert_string_equal(figure(f, "ink_personnel", "S").estimated_null_reason, "not_estimated");
    assert_string_equal(figure(f, "response_rate", "S").estimated_null_reason, "not_estimated");
}

static void a_part_of_the_sample_leaves_an_interval_around_the_truth(void **state)
{
    struct scratch_db *f = *state;
    drawn_audit_of_ratings(f);
    for (int i = 0; i < 12; i++)
        decide_next(f, "S", "valid", NULL);
    struct seen seen = figure(f, "criticality_index", "S");
    assert_float_equal(seen.estimated, 0.010, 1e-6);
    assert_true(seen.low < 0.010 && seen.low > 0.004);
}

static void an_audit_of_surveys_says_nothing_about_ratings(void **state)
{
    struct scratch_db *f = *state;
    (void)drawn_audit(f, "A");
    assert_string_equal(figure(f, "support_index", "A").estimated_null_reason, "not_estimated");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_ratings, teardown)

/* To the last bit: a bound beside its own value would be no bound. */
static void bounds_of_a_total_hold_it(void **state)
{
    const struct okno_audit_rules rules = {
        .frame = OKNO_FRAME_SPONTANEOUS, .level = 0.95, .looks = 1};
    (void)state;
    for (int way = 0; way < 400; way++) {
        const struct okno_audit_tally tally = {
            .class = OKNO_YES, .frame = 100 + way / 20, .valid = 1 + way % 20, .invalid = 30};
        struct okno_audit_figure figure;
        struct okno_err err = {0};
        assert_int_equal(
            okno_audit_tally_estimate(OKNO_SUPPORT_INDEX, &tally, 1, &rules, &figure, &err), 0);
        const struct okno_estimate *e = &figure.estimate;
        assert_true(e->worst_low <= e->value && e->value <= e->worst_high);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_of_a_total_hold_it),
        CASE(a_targeted_look_takes_a_false_rating_out_of_the_excluded_figure),
        CASE(a_rating_is_voided_by_two_people),
        CASE(ratings_are_listed_and_have_a_dossier),
        CASE(an_audit_of_ratings_estimates_both_indexes_and_nothing_else),
        CASE(a_part_of_the_sample_leaves_an_interval_around_the_truth),
        CASE(an_audit_of_surveys_says_nothing_about_ratings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

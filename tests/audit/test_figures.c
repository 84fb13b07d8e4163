#define _POSIX_C_SOURCE 200809L
#include "sixty_surveys.h"

#include <math.h>

/* Decide the first `count` items of an audit by a verdict made from the survey's number. */
static void decide(struct scratch_db *f, const char *audit, int count, const char *verdict)
{
    char sql[800];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reasons_version)"
                   " SELECT item, audit, survey, 'eva', 1, %s, 1 FROM review_items"
                   " WHERE audit = '%s' AND place <= %d ORDER BY place",
                   verdict, audit, count);
    scratch_db_put(f, sql);
}

static int64_t counted(struct scratch_db *f, const char *audit, const char *field)
{
    okno_autojson json_t *status = NULL;
    must(f, okno_audit_status(f->db, audit, &status, &f->err));
    return json_integer_value(json_object_get(status, field));
}

static void only_the_newest_counted_verdict_stands(void **state)
{
    struct scratch_db *f = *state;
    (void)drawn_audit(f, "A1");
    decide(f, "A1", 6, "'valid'");
    decide(f, "A1", 4, "'invalid'");
    decide(f, "A1", 2, "'undone'");
    scratch_db_put(f,
                   "INSERT INTO verdicts (item, audit, survey, user, at, verdict,"
                   " reasons_version, counted) SELECT item, audit, survey, 'bob', 2,"
                   " 'undeterminable', 1, 0 FROM review_items WHERE place <= 6");
    assert_int_equal(counted(f, "A1", "reviewed"), 4);
    assert_int_equal(counted(f, "A1", "valid"), 2);
    assert_int_equal(counted(f, "A1", "invalid"), 2);
    assert_int_equal(counted(f, "A1", "undeterminable"), 0);
}

static void targeted_checks_stay_out_of_estimates(void **state)
{
    struct scratch_db *f = *state;
    struct okno_audit_figure figure;
    (void)drawn_audit(f, "A1");
    scratch_db_put(f, "UPDATE review_items SET origin = 'targeted'");
    decide(f, "A1", 20, "'valid'");
    must(f, okno_audit_estimate(f->db, "A1", OKNO_INK_OFFICE, NULL, 0.5, &figure, &f->err));
    assert_string_equal(figure.estimate.null_reason, "not_sampled");
    assert_int_equal(figure.counts.valid, 0);
    assert_int_equal(figure.counts.frame, 30);
    assert_int_equal(counted(f, "A1", "reviewed"), 0);
}

static struct okno_audit_figure figure_of(struct scratch_db *f, enum okno_indicator indicator,
                                          const struct okno_audit_domain *domain)
{
    struct okno_audit_figure figure;
    must(f, okno_audit_estimate(f->db, "A1", indicator, domain, 0.5, &figure, &f->err));
    return figure;
}

static void census(struct scratch_db *f)
{
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan whole = plan_of("A1");
    whole.size = SURVEYS;
    must(f, okno_audit_plan(f->db, &whole, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12))
        fail_msg("%.15g is not %.15g", got, want);
}

static void a_census_gives_the_figure_of_the_genuine_ones(void **state)
{
    struct scratch_db *f = *state;
    census(f);
    /* Of the office's 15 yes the three with i / 2 % 10 = 0 are false. */
    decide(f, "A1", SURVEYS,
           "CASE WHEN CAST(substr(survey, 6) AS INTEGER) / 2 % 10 = 0 THEN 'invalid' ELSE 'valid' "
           "END");
    struct okno_audit_figure office = figure_of(f, OKNO_INK_OFFICE, NULL);
    near(office.estimate.value, (6 + 0.5 * 6) / 27);
    near(office.band[0], 6.0 / 27);
    near(office.band[1], 12.0 / 27);
    assert_true(office.estimate.low == office.estimate.value && office.estimate.se == 0);
    assert_int_equal(office.counts.frame, 30);
    assert_int_equal(office.counts.invalid, 3);
    near(figure_of(f, OKNO_RESPONSE_RATE, NULL).estimate.value, 42.0 / 54);
    near(figure_of(f, OKNO_SILENT_SHARE, NULL).estimate.value, 12.0 / 54);
    assert_string_equal(figure_of(f, OKNO_IEL, NULL).estimate.null_reason, "no_surveys");
    assert_string_equal(figure_of(f, OKNO_FM_LEVEL, NULL).estimate.null_reason, "not_estimated");
}

static void force_majeure_leaves_staff_figures_unless_ruled_false(void **state)
{
    struct scratch_db *f = *state;
    census(f);
    decide(f, "A1", SURVEYS, "'valid'");
    near(figure_of(f, OKNO_INK_PERSONNEL, NULL).estimate.value, (5 + 0.5 * 6) / 29);
    near(figure_of(f, OKNO_INK_OFFICE, NULL).estimate.value, (6 + 0.5 * 6) / 30);
    scratch_db_put(f, "UPDATE verdicts SET correction = 'FALSE_FM' WHERE survey = 'd0.0.014'");
    near(figure_of(f, OKNO_INK_PERSONNEL, NULL).estimate.value, (6 + 0.5 * 6) / 30);
}

static void an_invalid_rating_can_count_as_silent(void **state)
{
    struct scratch_db *f = *state;
    char sha256[OKNO_SHA256_TEXT];
    struct okno_audit_plan whole = plan_of("A1");
    whole.size = SURVEYS;
    whole.invalid_as_silent = true;
    must(f, okno_audit_plan(f->db, &whole, "eva", AT(61), &f->err));
    (void)freeze(f, "A1", sha256);
    (void)draw(f, "A1");
    decide(f, "A1", SURVEYS,
           "CASE WHEN CAST(substr(survey, 6) AS INTEGER) / 2 % 10 IN (0, 9) THEN 'invalid' "
           "ELSE 'valid' END");
    /* 3 false yes become silent, 3 of the 6 silent are no surveys. */
    near(figure_of(f, OKNO_INK_OFFICE, NULL).estimate.value, (6 + 0.5 * 6) / 27);
}

static void a_domain_restricts_the_frame(void **state)
{
    struct scratch_db *f = *state;
    census(f);
    decide(f, "A1", SURVEYS, "'valid'");
    struct okno_audit_domain domain = {.employee = "bob"};
    assert_int_equal(figure_of(f, OKNO_RESPONSE_RATE, &domain).counts.frame, 30);
    domain.employee = "unassigned";
    assert_int_equal(figure_of(f, OKNO_RESPONSE_RATE, &domain).counts.frame, 30);
    domain.point = "p1";
    assert_int_equal(figure_of(f, OKNO_RESPONSE_RATE, &domain).counts.frame, 0);
    domain = (struct okno_audit_domain){.site = "mall", .question = "q1", .from_us = AT(10)};
    assert_int_equal(figure_of(f, OKNO_RESPONSE_RATE, &domain).counts.frame, 50);
    domain.to_us = AT(20);
    assert_int_equal(figure_of(f, OKNO_RESPONSE_RATE, &domain).counts.frame, 10);
    domain.site = "other";
    assert_string_equal(figure_of(f, OKNO_RESPONSE_RATE, &domain).estimate.null_reason,
                        "no_surveys");
}

static void a_sample_gives_the_estimate_of_its_cells(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_VEC(okno_cell_vec) cells = {0};
    struct okno_audit_counts counts;
    struct okno_estimate want;
    (void)drawn_audit(f, "A1");
    decide(f, "A1", 20,
           "CASE item % 5 WHEN 0 THEN 'invalid' WHEN 1 THEN 'undeterminable' ELSE "
           "'valid' END");
    must(f, okno_audit_cells(f->db, "A1", OKNO_INK_OFFICE, NULL, &cells, &counts, &f->err));
    assert_int_equal(cells.len, 5); /* four classes of one point and the force majeure of its no */
    int64_t frame = 0;
    int64_t undeterminable = 0;
    for (size_t i = 0; i < cells.len; i++) {
        frame += cells.items[i].frame;
        undeterminable += cells.items[i].undeterminable;
    }
    assert_int_equal(frame, 30);
    assert_int_equal(undeterminable, counts.undeterminable);
    struct okno_estimate_request request = {.cells = cells.items,
                                            .count = cells.len,
                                            .ratio = okno_ratio_ink(0.5),
                                            .level = 0.95,
                                            .looks = 1};
    must(f, okno_estimate(&request, NULL, &want, &f->err));
    struct okno_audit_figure got = figure_of(f, OKNO_INK_OFFICE, NULL);
    assert_null(got.estimate.null_reason);
    assert_true(got.estimate.value == want.value && got.estimate.low == want.low &&
                got.estimate.high == want.high);
    assert_true(got.estimate.low < got.estimate.value && got.estimate.value < got.estimate.high);
    must_fail(f, okno_audit_cells(f->db, "A1", OKNO_FM_LEVEL, NULL, &cells, NULL, &f->err),
              OKNO_UNSUPPORTED, "fm_level cannot be estimated");
}

static void same_figure(const struct okno_audit_figure *a, const struct okno_audit_figure *b)
{
    const double *const one[] = {&a->estimate.value, &a->estimate.low,         &a->estimate.high,
                                 &a->estimate.se,    &a->estimate.all_invalid, &a->band[1]};
    const double *const two[] = {&b->estimate.value, &b->estimate.low,         &b->estimate.high,
                                 &b->estimate.se,    &b->estimate.all_invalid, &b->band[1]};
    for (size_t i = 0; i < OKNO_COUNT(one); i++)
        assert_memory_equal(one[i], two[i], sizeof(double));
    assert_memory_equal(&a->counts, &b->counts, sizeof(a->counts));
    if (a->estimate.null_reason || b->estimate.null_reason)
        assert_string_equal(a->estimate.null_reason, b->estimate.null_reason);
}

/* Every figure of a domain, counted at once and by itself; how many there are. */
static int64_t compare(struct scratch_db *f, unsigned by, const struct okno_audit_domain *domain)
{
    struct okno_audit_cube *cube = NULL;
    int64_t surveys = 0;
    must(f, okno_audit_cube_open(f->db, "A1", by, &cube, &f->err));
    assert_non_null(cube);
    for (int i = 0; i < OKNO_INDICATOR_COUNT; i++) {
        struct okno_audit_figure got;
        struct okno_audit_figure want = figure_of(f, (enum okno_indicator)i, domain);
        must(f, okno_audit_cube_estimate(f->db, "A1", cube, (enum okno_indicator)i, domain, 0.5,
                                         &got, &f->err));
        same_figure(&got, &want);
        surveys += got.counts.frame;
    }
    okno_audit_cube_free(cube);
    return surveys;
}

static void a_frame_counted_once_gives_the_same_figures_bit_for_bit(void **state)
{
    struct scratch_db *f = *state;
    scratch_db_put(f,
                   "UPDATE surveys SET site = 'kiosk' WHERE opened_at % 420000000 = 60000000;"
                   "UPDATE surveys SET question = 'q2' WHERE opened_at % 180000000 = 0");
    census(f);
    decide(f, "A1", SURVEYS - 7,
           "CASE item % 5 WHEN 0 THEN 'invalid' WHEN 1 THEN 'undeterminable' ELSE 'valid' END");
    scratch_db_put(f,
                   "UPDATE verdicts SET correction = 'FALSE_FM' WHERE item % 3 = 0 AND verdict ="
                   " 'valid'; UPDATE verdicts SET correction = 'FM_REACHES_BACK' WHERE item % 4 = 0"
                   " AND verdict = 'valid';"
                   "INSERT INTO attributions (survey, employee, at, author, reason) SELECT survey,"
                   " 'eve', 1, 'boss', 'seen' FROM verdicts WHERE item % 7 = 0");
    assert_true(compare(f, 0, &(struct okno_audit_domain){0}) > 0);
    assert_true(compare(f, OKNO_BY_SITE, &(struct okno_audit_domain){.site = "kiosk"}) > 0);
    assert_true(compare(f, OKNO_BY_EMPLOYEE, &(struct okno_audit_domain){.employee = "bob"}) > 0);
    assert_true(compare(f, OKNO_BY_EMPLOYEE | OKNO_BY_QUESTION,
                        &(struct okno_audit_domain){.employee = "unassigned", .question = "q2"}) >
                0);
    assert_true(compare(f, OKNO_BY_POINT, &(struct okno_audit_domain){.point = "p1"}) > 0);
    assert_int_equal(compare(f, OKNO_BY_POINT, &(struct okno_audit_domain){.point = "p7"}), 0);
    /* what it was not counted by */
    assert_true(compare(f, OKNO_BY_SITE, &(struct okno_audit_domain){.point = "p1"}) > 0);
    assert_true(compare(f, 0, &(struct okno_audit_domain){.to_us = AT(20)}) > 0);
}

static void what_happens_after_the_freeze_changes_no_cell(void **state)
{
    struct scratch_db *f = *state;
    census(f);
    decide(f, "A1", SURVEYS, "'valid'");
    double before = figure_of(f, OKNO_INK_OFFICE, NULL).estimate.value;
    scratch_db_put(f,
                   "UPDATE surveys SET answer = 'no', state = 'answered', employee = 'x',"
                   " question_kind = 'loyalty'; DELETE FROM surveys WHERE survey LIKE 'd1.%'");
    near(figure_of(f, OKNO_INK_OFFICE, NULL).estimate.value, before);
}

static void before_the_freeze_there_is_no_figure(void **state)
{
    struct scratch_db *f = *state;
    plan(f, "A1");
    struct okno_audit_figure figure = figure_of(f, OKNO_INK_OFFICE, NULL);
    assert_string_equal(figure.estimate.null_reason, "not_frozen");
    assert_true(isnan(figure.estimate.value) && isnan(figure.band[0]));
}

/* ---- the share of invalid ones ---- */

static struct okno_invalid_share share_of(const struct okno_audit_tally *tallies, size_t count,
                                          bool by_strata, bool silent_known)
{
    const struct okno_audit_rules rules = {
        .level = 0.95, .looks = 1, .drawn_by_strata = by_strata, .silent_known = silent_known};
    struct okno_invalid_share share;
    assert_int_equal(okno_audit_tally_invalid(tallies, count, &rules, &share, NULL), 0);
    return share;
}

static void a_stratum_counts_by_its_part_of_the_frame(void **state)
{
    const struct okno_audit_tally tallies[] = {
        {.stratum = "large", .class = OKNO_YES, .frame = 900, .valid = 10},
        {.stratum = "small", .class = OKNO_YES, .frame = 100, .invalid = 10}};
    struct okno_invalid_share share = share_of(tallies, 2, true, false);
    (void)state;
    near(share.value, 0.1);
    assert_true(share.by_strata && share.at_least == -1 && share.at_most == -1);
    assert_int_equal(share.invalid, 10);
    assert_int_equal(share.determined, 20);
    assert_true(share.low > 0.06 && share.low < 0.1 && share.high > 0.3 && share.high < 0.45);
}

static void known_silent_ones_are_genuine_in_the_share(void **state)
{
    const struct okno_audit_tally tallies[] = {
        {.stratum = "", .class = OKNO_YES, .frame = 500, .valid = 45, .invalid = 5},
        {.stratum = "", .class = OKNO_SILENT, .frame = 500}};
    struct okno_invalid_share share = share_of(tallies, 2, false, true);
    (void)state;
    near(share.value, 0.05);
    near(share.without_silent, 0.1);
    assert_true(share.high < 0.12);
}

/* Nothing is found to be silent: the share of one stratum is as wide as a plain one. */
static void one_stratum_is_as_wide_as_a_plain_sample(void **state)
{
    const struct okno_audit_tally tally = {
        .stratum = "", .class = OKNO_YES, .frame = 500, .valid = 40, .invalid = 20};
    struct okno_invalid_share share = share_of(&tally, 1, true, false);
    struct okno_share plain;
    (void)state;
    assert_int_equal(okno_share_estimate(20, 60, 500, 0.95, &plain, NULL), 0);
    near(share.value, plain.value);
    near(share.low, plain.low);
    near(share.high, plain.high);
}

static void a_plain_sample_has_exact_bounds(void **state)
{
    const struct okno_audit_tally tallies[] = {
        {.stratum = "mall/p1", .class = OKNO_YES, .frame = 60, .valid = 12, .invalid = 3},
        {.stratum = "", .class = OKNO_NO, .frame = 40, .valid = 5}};
    struct okno_invalid_share share = share_of(tallies, 2, false, false);
    struct okno_share plain;
    (void)state;
    assert_int_equal(okno_share_estimate(3, 20, 100, 0.95, &plain, NULL), 0);
    near(share.value, plain.value);
    near(share.high, plain.high);
    assert_true(!share.by_strata && isnan(share.without_silent));
    assert_int_equal(share.at_least, plain.at_least);
    assert_int_equal(share.at_most, plain.at_most);
    assert_string_equal(share_of(NULL, 0, false, false).null_reason, "not_sampled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_the_newest_counted_verdict_stands),
        TEST(targeted_checks_stay_out_of_estimates),
        TEST(a_census_gives_the_figure_of_the_genuine_ones),
        TEST(force_majeure_leaves_staff_figures_unless_ruled_false),
        TEST(an_invalid_rating_can_count_as_silent),
        TEST(a_domain_restricts_the_frame),
        TEST(a_sample_gives_the_estimate_of_its_cells),
        TEST(a_frame_counted_once_gives_the_same_figures_bit_for_bit),
        TEST(what_happens_after_the_freeze_changes_no_cell),
        cmocka_unit_test(a_stratum_counts_by_its_part_of_the_frame),
        cmocka_unit_test(known_silent_ones_are_genuine_in_the_share),
        cmocka_unit_test(one_stratum_is_as_wide_as_a_plain_sample),
        cmocka_unit_test(a_plain_sample_has_exact_bounds),
        TEST(before_the_freeze_there_is_no_figure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

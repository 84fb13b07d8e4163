#include "okno/kpi.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define assert_close(a, b) assert_true(fabs((a) - (b)) < 1e-12)

/* 62 yes, 11 no, 7 unsure, 20 silent in both sets for one kind of question. */
static struct okno_kpi_sums sums_of(enum okno_question_kind kind)
{
    struct okno_kpi_sums sums = {0};
    for (int set = 0; set < OKNO_SET_COUNT; set++) {
        sums.set[set].kind[kind] = (struct okno_tally){62, 7, 11, 20};
        sums.set[set].surveys = 100;
        sums.set[set].silent = 20;
    }
    return sums;
}

static struct okno_kpi_figure figure_of(const struct okno_kpi_sums *sums,
                                        enum okno_indicator indicator)
{
    struct okno_kpi_figure figures[OKNO_INDICATOR_COUNT];
    okno_kpi_figures(sums, 0.5, figures);
    return figures[indicator];
}

static void the_indices_follow_the_published_example(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = sums_of(OKNO_PERSONNEL);
    struct okno_kpi_figure ink = figure_of(&sums, OKNO_INK_PERSONNEL);
    assert_null(ink.null_reason);
    assert_close(ink.value[OKNO_RAW], 0.21);
    assert_close(ink.band[0], 0.11);
    assert_close(ink.band[1], 0.31);
    sums = sums_of(OKNO_LOYALTY);
    struct okno_kpi_figure iel = figure_of(&sums, OKNO_IEL);
    assert_close(iel.value[OKNO_EXCLUDED], 0.41);
    assert_close(iel.band[0], 0.51);
    assert_close(iel.band[1], 0.31);
}

static void no_surveys_make_no_index(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = {0};
    assert_string_equal(figure_of(&sums, OKNO_INK_OFFICE).null_reason, "no_surveys");
    assert_string_equal(figure_of(&sums, OKNO_RESPONSE_RATE).null_reason, "no_surveys");
    assert_string_equal(figure_of(&sums, OKNO_FM_LEVEL).null_reason, "no_surveys");
}

static void force_majeure_is_left_out_of_staff_and_kept_in_the_office(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = sums_of(OKNO_PERSONNEL);
    for (int set = 0; set < OKNO_SET_COUNT; set++)
        sums.set[set].fm_kind[OKNO_PERSONNEL] = (struct okno_tally){0, 0, 11, 0};
    struct okno_kpi_figure ink = figure_of(&sums, OKNO_INK_PERSONNEL);
    assert_close(ink.value[OKNO_EXCLUDED], 10.0 / 89.0);
    assert_true(ink.has_with_fm);
    assert_close(ink.with_fm, 0.21);
    for (int set = 0; set < OKNO_SET_COUNT; set++) {
        sums.set[set].kind[OKNO_OFFICE] = (struct okno_tally){62, 7, 11, 20};
        sums.set[set].fm_kind[OKNO_OFFICE] = (struct okno_tally){0, 0, 11, 0};
    }
    struct okno_kpi_figure office = figure_of(&sums, OKNO_INK_OFFICE);
    assert_close(office.value[OKNO_EXCLUDED], 0.21);
    assert_close(office.with_fm, 10.0 / 89.0);
}

static void the_gate_closes_strictly_above_the_threshold(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = sums_of(OKNO_OFFICE);
    struct okno_kpi_figure level = figure_of(&sums, OKNO_FM_LEVEL);
    assert_string_equal(okno_kpi_fm_gate(&level, 0.1), "evaluable");
    sums.set[OKNO_EXCLUDED].situations = 10;
    level = figure_of(&sums, OKNO_FM_LEVEL);
    assert_string_equal(okno_kpi_fm_gate(&level, 0.1), "evaluable");
    sums.set[OKNO_EXCLUDED].situations = 11;
    level = figure_of(&sums, OKNO_FM_LEVEL);
    assert_string_equal(okno_kpi_fm_gate(&level, 0.1), "not_advisable");
    sums = (struct okno_kpi_sums){0};
    sums.set[OKNO_EXCLUDED].situations = 1;
    level = figure_of(&sums, OKNO_FM_LEVEL);
    assert_string_equal(okno_kpi_fm_gate(&level, 0.1), "not_evaluable");
    assert_string_equal(level.flags[0], "fm_without_surveys");
}

static void conversion_needs_transactions_and_flags_the_impossible(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = sums_of(OKNO_OFFICE);
    assert_string_equal(figure_of(&sums, OKNO_EXACT_CONVERSION).null_reason, "no_transactions");
    sums.transactions.count = 200;
    assert_close(figure_of(&sums, OKNO_EXACT_CONVERSION).value[OKNO_RAW], 0.5);
    sums.transactions.count = 99;
    assert_string_equal(figure_of(&sums, OKNO_EXACT_CONVERSION).flags[0],
                        "more_surveys_than_sales");
    sums.visitors = (struct okno_kpi_count){.null_reason = "counts_incomplete"};
    assert_string_equal(figure_of(&sums, OKNO_VISITOR_COVERAGE).null_reason, "counts_incomplete");
}

static void more_ratings_than_customers_make_no_figure(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = {0};
    sums.served.count = 10;
    for (int set = 0; set < OKNO_SET_COUNT; set++) {
        sums.set[set].spontaneous_yes = 6;
        sums.set[set].spontaneous_no = 4;
    }
    assert_close(figure_of(&sums, OKNO_SUPPORT_INDEX).value[OKNO_RAW], 0.6);
    assert_close(figure_of(&sums, OKNO_CRITICALITY_INDEX).value[OKNO_RAW], 0.4);
    sums.set[OKNO_RAW].spontaneous_no = 5;
    assert_string_equal(figure_of(&sums, OKNO_SUPPORT_INDEX).null_reason, "served_below_ratings");
    sums.served.count = 0;
    assert_string_equal(figure_of(&sums, OKNO_SUPPORT_INDEX).null_reason, "no_served_count");
}

static void counts_must_tile_the_period(void **state)
{
    (void)state;
    const struct okno_count_row rows[] = {{0, 10, 3}, {10, 20, 4}, {20, 30, 5}};
    struct okno_kpi_count all = okno_kpi_tile(rows, 3, 0, 30);
    assert_null(all.null_reason);
    assert_int_equal(all.count, 12);
    assert_int_equal(okno_kpi_tile(rows, 3, 10, 20).count, 4);
    assert_string_equal(okno_kpi_tile(rows, 3, 0, 31).null_reason, "counts_incomplete");
    assert_string_equal(okno_kpi_tile(rows, 3, 5, 30).null_reason, "count_crosses_period");
    assert_string_equal(okno_kpi_tile(rows, 0, 0, 30).null_reason, "counts_incomplete");
    const struct okno_count_row hole[] = {{0, 10, 3}, {20, 30, 5}};
    assert_string_equal(okno_kpi_tile(hole, 2, 0, 30).null_reason, "counts_incomplete");
    const struct okno_count_row overlap[] = {{0, 10, 3}, {5, 30, 5}};
    assert_string_equal(okno_kpi_tile(overlap, 2, 0, 30).null_reason, "counts_incomplete");
}

/* 10 of 100 against 30 of 100: by hand, se = sqrt(0.09/99 + 0.21/99). */
static void a_difference_has_an_interval_and_holm_corrects_its_p(void **state)
{
    (void)state;
    const struct okno_tally few = {.yes = 90, .no = 10};
    const struct okno_tally many = {.yes = 70, .no = 30};
    struct okno_kpi_difference d[3];
    struct okno_kpi_difference *sorted[] = {&d[2], &d[0], &d[1]};
    double se = sqrt((0.1 * 0.9 + 0.3 * 0.7) / 99.0);
    assert_true(okno_kpi_difference(OKNO_OFFICE, &few, &many, 0.5, 1.96, &d[0]));
    assert_close(d[0].value, -0.2);
    assert_close(d[0].low, -0.2 - 1.96 * se);
    assert_close(d[0].p, erfc(0.2 / se / sqrt(2)));
    assert_true(okno_kpi_difference(OKNO_LOYALTY, &few, &many, 0.5, 1.96, &d[1]));
    assert_close(d[1].value, 0.4);
    const struct okno_tally one = {.yes = 1};
    assert_false(okno_kpi_difference(OKNO_OFFICE, &one, &many, 0.5, 1.96, &d[2]));
    d[0].p = 0.01;
    d[1].p = 0.04;
    d[2].p = 0.03;
    okno_kpi_holm(sorted, 3);
    assert_close(d[0].p_adjusted, 0.03);
    assert_close(d[2].p_adjusted, 0.06);
    assert_close(d[1].p_adjusted, 0.06);
}

static void the_median_of_an_even_number_lies_between_the_two(void **state)
{
    (void)state;
    double three[] = {3, 1, 2};
    double four[] = {4, 1, 3, 2};
    assert_close(okno_kpi_median(three, 3), 2);
    assert_close(okno_kpi_median(four, 4), 2.5);
    assert_true(okno_kpi_cherry_picking(0.249, 30, 0.5));
    assert_false(okno_kpi_cherry_picking(0.25, 30, 0.5));
    assert_false(okno_kpi_cherry_picking(0.1, 29, 0.5));
}

static void every_kind_of_spontaneous_rating_counts_against_those_served(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = {0};
    for (int set = 0; set < OKNO_SET_COUNT; set++) {
        sums.set[set].spontaneous_yes = 6;
        sums.set[set].spontaneous_no = 3;
        sums.set[set].spontaneous_unsure = 1;
    }
    assert_string_equal(figure_of(&sums, OKNO_SUPPORT_INDEX).null_reason, "no_served_count");
    sums.served.count = 10;
    assert_close(figure_of(&sums, OKNO_SUPPORT_INDEX).value[OKNO_EXCLUDED], 0.6);
    assert_close(figure_of(&sums, OKNO_CRITICALITY_INDEX).value[OKNO_EXCLUDED], 0.3);
    sums.served.count = 9;
    assert_string_equal(figure_of(&sums, OKNO_SUPPORT_INDEX).null_reason, "served_below_ratings");
    assert_string_equal(figure_of(&sums, OKNO_CRITICALITY_INDEX).null_reason,
                        "served_below_ratings");
}

static void exactly_one_survey_a_sale_or_visitor_is_possible(void **state)
{
    (void)state;
    struct okno_kpi_sums sums = sums_of(OKNO_OFFICE);
    sums.transactions.count = sums.visitors.count = 100;
    assert_null(figure_of(&sums, OKNO_EXACT_CONVERSION).flags[0]);
    assert_null(figure_of(&sums, OKNO_VISITOR_COVERAGE).flags[0]);
    sums.transactions.count = sums.visitors.count = 99;
    assert_string_equal(figure_of(&sums, OKNO_EXACT_CONVERSION).flags[0],
                        "more_surveys_than_sales");
    assert_string_equal(figure_of(&sums, OKNO_VISITOR_COVERAGE).flags[0], "counter_or_press_error");
    sums.visitors.count = 0;
    assert_string_equal(figure_of(&sums, OKNO_VISITOR_COVERAGE).null_reason, "no_visitors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_indices_follow_the_published_example),
        cmocka_unit_test(no_surveys_make_no_index),
        cmocka_unit_test(a_difference_has_an_interval_and_holm_corrects_its_p),
        cmocka_unit_test(the_median_of_an_even_number_lies_between_the_two),
        cmocka_unit_test(every_kind_of_spontaneous_rating_counts_against_those_served),
        cmocka_unit_test(exactly_one_survey_a_sale_or_visitor_is_possible),
        cmocka_unit_test(force_majeure_is_left_out_of_staff_and_kept_in_the_office),
        cmocka_unit_test(the_gate_closes_strictly_above_the_threshold),
        cmocka_unit_test(conversion_needs_transactions_and_flags_the_impossible),
        cmocka_unit_test(more_ratings_than_customers_make_no_figure),
        cmocka_unit_test(counts_must_tile_the_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

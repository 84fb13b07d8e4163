#define _POSIX_C_SOURCE 200809L
#include "okno/estimate.h"

#include "okno/json.h"
#include "okno/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static json_t *fixture;

static int read_fixture(void **state)
{
    (void)state;
    json_error_t error;
    fixture = json_load_file("fixtures/audit/estimate.json", 0, &error);
    if (!fixture)
        fail_msg("%s:%d: %s", error.source, error.line, error.text);
    return 0;
}

static int drop_fixture(void **state)
{
    (void)state;
    json_decref(fixture);
    return 0;
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9))
        fail_msg("%.15g is not %.15g", got, want);
}

static struct okno_estimate estimated(const struct okno_estimate_request *request)
{
    struct okno_estimate estimate;
    struct okno_err err = {0};
    if (okno_estimate(request, NULL, &estimate, &err) < 0)
        fail_msg("%s", err.text);
    return estimate;
}

static size_t read_cells(const json_t *rows, struct okno_cell *cells)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        cells[i] = (struct okno_cell){.frame = json_integer_value(json_object_get(row, "frame"))};
        cells[i].class =
            (enum okno_class)okno_class_find(json_string_value(json_object_get(row, "class")));
        for (int t = 0; t < OKNO_TRUTHS; t++)
            cells[i].truth[t] =
                json_integer_value(json_object_get(row, okno_class_name((enum okno_class)t)));
    }
    return json_array_size(rows);
}

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void the_published_cases_come_out(void **state)
{
    (void)state;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(fixture, "cases"), i, row)
    {
        struct okno_cell cells[8];
        struct okno_estimate_request request = {.cells = cells, .level = 0.95, .looks = 1};
        request.count = read_cells(json_object_get(row, "cells"), cells);
        request.silent_known = json_is_true(json_object_get(row, "silent_known"));
        for (size_t t = 0; t < OKNO_CLASSES; t++) {
            request.ratio.a[t] = json_number_value(json_array_get(json_object_get(row, "a"), t));
            request.ratio.b[t] = json_number_value(json_array_get(json_object_get(row, "b"), t));
        }
        struct okno_estimate got = estimated(&request);
        assert_null(got.null_reason);
        near(got.value, number(row, "value"));
        near(got.se, number(row, "se"));
        if (json_object_get(row, "low")) {
            near(got.low, number(row, "low"));
            near(got.high, number(row, "high"));
        }
        if (json_object_get(row, "numerator")) {
            near(got.numerator, number(row, "numerator"));
            near(got.denominator, number(row, "denominator"));
        }
        assert_true(got.low < got.value && got.value < got.high);
        assert_int_equal(got.merged, 0);
    }
    assert_int_equal(i, 7);
}

static void shares_and_their_exact_bounds_come_out(void **state)
{
    (void)state;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(fixture, "shares"), i, row)
    {
        json_int_t n[7];
        struct okno_share share;
        for (size_t j = 0; j < 7; j++)
            n[j] = json_integer_value(json_array_get(row, j));
        assert_int_equal(okno_share_estimate(n[0], n[1], n[2], 0.95, &share, NULL), 0);
        near(share.low, json_number_value(json_array_get(row, 3)));
        near(share.high, json_number_value(json_array_get(row, 4)));
        assert_int_equal(share.at_least, n[5]);
        assert_int_equal(share.at_most, n[6]);
    }
    assert_int_equal(i, 10);
}

static void a_share_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const int64_t bad[][3] = {{1, 0, 5}, {-1, 2, 5}, {3, 2, 5}, {1, 6, 5}, {0, 0, 0}};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        struct okno_share share = {.value = 7};
        assert_int_equal(okno_share_estimate(bad[i][0], bad[i][1], bad[i][2], 0.95, &share, NULL),
                         OKNO_INVALID);
        assert_true(share.value == 7);
        assert_int_equal(okno_share_estimate(1, 2, 3, 1.0, &share, NULL), OKNO_INVALID);
    }
}

static void a_whole_frame_looked_at_is_known_exactly(void **state)
{
    (void)state;
    struct okno_share share;
    assert_int_equal(okno_share_estimate(3, 10, 10, 0.95, &share, NULL), 0);
    assert_true(share.low == share.value && share.high == share.value);
    assert_int_equal(share.at_least, 3);
    assert_int_equal(share.at_most, 3);
}

static void sample_sizes_come_out(void **state)
{
    (void)state;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(fixture, "cochran"), i, row) assert_int_equal(
        okno_size_for_width(0.5, 0.05, 0.95, json_integer_value(json_array_get(row, 0))),
        json_integer_value(json_array_get(row, 1)));
    json_array_foreach(json_object_get(fixture, "discovery"), i, row)
    {
        json_int_t frame = json_integer_value(json_array_get(row, 0));
        assert_int_equal(okno_size_for_discovery((frame + 19) / 20, frame, 0.05),
                         json_integer_value(json_array_get(row, 1)));
    }
    assert_int_equal(okno_size_for_discovery(0, 50, 0.05), 50);
    assert_int_equal(okno_size_for_discovery(50, 50, 0.05), 1);
}

/* Published tables of attribute sampling at a risk of 5 %. */
static void attribute_sizes_are_those_of_published_tables(void **state)
{
    static const struct {
        double expected, tolerable;
        int64_t size, allowed;
    } table[] = {{.005, .05, 93, 1}, {.0125, .05, 124, 2}, {.02, .05, 181, 4}, {0, .05, 59, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t allowed = -1;
        assert_int_equal(
            okno_size_for_attribute(table[i].expected, table[i].tolerable, 0.05, &allowed),
            table[i].size);
        assert_int_equal(allowed, table[i].allowed);
    }
    int64_t allowed = 0;
    assert_int_equal(okno_size_for_attribute(.0499, .05, 0.05, &allowed), 0);
}

static void normal_quantiles_are_the_tables(void **state)
{
    (void)state;
    near(okno_normal_z(0.95), 1.959963984540054);
    near(okno_normal_z(0.99), 2.5758293035489004);
    near(okno_normal_z(0.975), 2.241402727604947);
}

/* ---- cells written by hand ---- */

static struct okno_cell cell(const char *stratum, enum okno_class class, int64_t frame,
                             int64_t valid, int64_t invalid)
{
    struct okno_cell made = {.class = class, .frame = frame};
    (void)snprintf(made.stratum, sizeof(made.stratum), "%s", stratum);
    made.truth[class] = valid;
    made.truth[OKNO_NONE] = invalid;
    return made;
}

/* Where an invalid answer is a silent customer, so is one that nobody could judge, were it invalid.
 */
static void bounds_follow_what_an_invalid_answer_becomes(void **state)
{
    (void)state;
    struct okno_cell cells[] = {
        {.stratum = "a", .class = OKNO_YES, .frame = 16, .undeterminable = 1},
        {.stratum = "a", .class = OKNO_UNSURE, .frame = 2, .truth = {[OKNO_UNSURE] = 2}},
        {.stratum = "a", .class = OKNO_NO, .frame = 3, .truth = {[OKNO_NO] = 3}},
        {.stratum = "a", .class = OKNO_SILENT, .frame = 6, .undeterminable = 2},
    };
    cells[0].truth[OKNO_YES] = 6;
    cells[0].truth[OKNO_SILENT] = 3;
    cells[3].truth[OKNO_SILENT] = 3;
    cells[3].truth[OKNO_NONE] = 1;
    struct okno_estimate_request request = {
        .cells = cells, .count = 4, .ratio = okno_ratio_ink(0.5), .level = 0.95, .looks = 1};
    request.invalid_as_silent = true;
    /* yes: 16 (3 or 4)/10 silent; silent: 6 (5 or 3)/6 genuine, each half */
    const struct okno_estimate with = estimated(&request);
    near(with.all_valid, (2.4 + 3 + 2.5) / (16 + 5 + 5));
    near(with.all_invalid, (3.2 + 3 + 1.5) / (16 + 5 + 3));
    near(with.worst_low, (2.4 + 3 + 1.5) / (16 + 5 + 3));
    near(with.worst_high, (3.2 + 3 + 2.5) / (16 + 5 + 5));
    request.invalid_as_silent = false;
    const struct okno_estimate without = estimated(&request);
    near(without.all_invalid, (2.4 + 3 + 1.5) / (14.4 + 5 + 3));
}

static struct okno_estimate_request ink_of(const struct okno_cell *cells, size_t count)
{
    return (struct okno_estimate_request){
        .cells = cells, .count = count, .ratio = okno_ratio_ink(0.5), .level = 0.95, .looks = 1};
}

static void cells_in_another_order_give_the_same_bits(void **state)
{
    (void)state;
    struct okno_cell cells[24];
    struct okno_cell turned[24];
    for (size_t i = 0; i < 24; i++) {
        char stratum[8];
        (void)snprintf(stratum, sizeof(stratum), "P%zu", i / 4);
        cells[i] = cell(stratum, (enum okno_class)(i % 4), (int64_t)(97 + 31 * i),
                        (int64_t)(7 + i % 5), (int64_t)(i % 3));
    }
    for (size_t i = 0; i < 24; i++)
        turned[i] = cells[(i * 7 + 5) % 24];
    struct okno_estimate_request request = ink_of(cells, 24);
    struct okno_estimate first = estimated(&request);
    request.cells = turned;
    struct okno_estimate second = estimated(&request);
    assert_memory_equal(&first.value, &second.value, sizeof(double));
    assert_memory_equal(&first.low, &second.low, sizeof(double));
    assert_memory_equal(&first.high, &second.high, sizeof(double));
    assert_memory_equal(&first.se, &second.se, sizeof(double));
}

static void a_census_has_no_spread(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 62, 50, 12),
                                      cell("", OKNO_UNSURE, 7, 7, 0), cell("", OKNO_NO, 11, 11, 0),
                                      cell("", OKNO_SILENT, 20, 18, 2)};
    struct okno_estimate_request request = ink_of(cells, 4);
    struct okno_estimate got = estimated(&request);
    near(got.value, (11 + 0.5 * 18) / 86);
    assert_true(got.se == 0 && got.low == got.value && got.high == got.value);
}

static void a_true_frame_gives_the_raw_figure(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 62, 62, 0), cell("", OKNO_UNSURE, 7, 7, 0),
                                      cell("", OKNO_NO, 11, 11, 0),
                                      cell("", OKNO_SILENT, 20, 20, 0)};
    struct okno_estimate_request request = ink_of(cells, 4);
    near(estimated(&request).value, 0.21);
    request.ratio = okno_ratio_iel(0.5);
    near(estimated(&request).value, 0.41);
    request.ratio = okno_ratio_ink(1);
    near(estimated(&request).value, 0.31);
}

static void more_looks_widen_the_interval(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 800, 77, 3),
                                      cell("", OKNO_NO, 300, 26, 4)};
    struct okno_estimate_request request = ink_of(cells, 2);
    struct okno_estimate once = estimated(&request);
    request.looks = 2;
    struct okno_estimate twice = estimated(&request);
    request.looks = 1;
    request.level = 0.975;
    struct okno_estimate same = estimated(&request);
    assert_true(twice.low < once.low && twice.high > once.high);
    near(twice.low, same.low);
    near(twice.high, same.high);
}

static void pooled(const struct okno_cell *cells, size_t count, const size_t *want)
{
    size_t pools[16];
    struct okno_estimate estimate;
    struct okno_estimate_request request = ink_of(cells, count);
    assert_int_equal(okno_estimate(&request, pools, &estimate, NULL), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pools[i], want[i]);
}

static void thin_cells_take_the_next_stratum_of_their_class(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("A", OKNO_YES, 50, 1, 0), cell("B", OKNO_YES, 50, 0, 0),
                                      cell("C", OKNO_YES, 50, 1, 0), cell("D", OKNO_YES, 50, 4, 1),
                                      cell("E", OKNO_YES, 50, 0, 1), cell("A", OKNO_NO, 1, 1, 0),
                                      cell("B", OKNO_NO, 9, 2, 0)};
    pooled(cells, 7, (const size_t[]){0, 0, 0, 1, 1, 2, 3});
    const struct okno_cell merged[] = {cell("x", OKNO_YES, 150, 2, 0),
                                       cell("y", OKNO_YES, 100, 4, 2), cell("A", OKNO_NO, 1, 1, 0),
                                       cell("B", OKNO_NO, 9, 2, 0)};
    struct okno_estimate_request request = ink_of(cells, 7);
    struct okno_estimate one = estimated(&request);
    request = ink_of(merged, 4);
    struct okno_estimate other = estimated(&request);
    near(one.value, other.value);
    near(one.se, other.se);
    near(one.low, other.low);
    assert_int_equal(one.merged, 5);
}

static void thin_classes_take_the_next_class(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {
        cell("A", OKNO_YES, 50, 4, 0),   cell("B", OKNO_YES, 50, 4, 0),
        cell("A", OKNO_UNSURE, 5, 0, 0), cell("A", OKNO_NO, 9, 2, 1),
        cell("B", OKNO_NO, 9, 2, 0),     cell("A", OKNO_SILENT, 30, 0, 1)};
    pooled(cells, 6, (const size_t[]){0, 1, 2, 2, 2, 2});
    const struct okno_cell last[] = {cell("A", OKNO_YES, 50, 4, 0), cell("A", OKNO_NO, 9, 2, 1),
                                     cell("B", OKNO_NO, 9, 2, 0), cell("A", OKNO_SILENT, 30, 0, 1)};
    pooled(last, 4, (const size_t[]){0, 1, 1, 1});
}

static void merged_classes_keep_their_own_weight(void **state)
{
    (void)state;
    /* Both share p = 3/4; N p = 30 no of 60 surveys; R = 30 / (75 + 30). */
    const struct okno_cell cells[] = {cell("", OKNO_YES, 100, 10, 0), cell("", OKNO_NO, 40, 3, 0),
                                      cell("", OKNO_SILENT, 20, 0, 1)};
    struct okno_estimate_request request = ink_of(cells, 3);
    struct okno_estimate got = estimated(&request);
    double a = 0.75 * (40 + 0.5 * 20);
    double b = 100 + 0.75 * 60;
    double g = 40 * (1 - a / b) + 20 * (0.5 - a / b);
    near(got.value, a / b);
    near(got.se, sqrt(g * g * 0.75 * 0.25 / 3 * (1 - 4.0 / 60)) / b);
}

static void without_reviews_there_is_no_figure(void **state)
{
    (void)state;
    struct okno_cell cells[] = {cell("", OKNO_YES, 100, 0, 0), cell("", OKNO_NO, 40, 0, 0)};
    struct okno_estimate_request request = ink_of(cells, 2);
    struct okno_estimate got = estimated(&request);
    assert_string_equal(got.null_reason, "not_sampled");
    assert_true(isnan(got.value) && isnan(got.low) && isnan(got.se) && isnan(got.all_valid));
    request.count = 0;
    assert_string_equal(estimated(&request).null_reason, "no_surveys");
    cells[0] = cell("", OKNO_YES, 100, 0, 10);
    request.count = 1;
    assert_string_equal(estimated(&request).null_reason, "nothing_valid");
}

static void classes_that_share_one_share_give_no_figure(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 100, 1, 0), cell("", OKNO_NO, 40, 0, 0)};
    struct okno_estimate_request request = ink_of(cells, 2);
    assert_string_equal(estimated(&request).null_reason, "too_few_reviewed");
    /* One class, or a second pool, and the share no longer cancels. */
    const struct okno_cell enough[] = {cell("", OKNO_YES, 100, 2, 0), cell("", OKNO_NO, 40, 2, 0)};
    request = ink_of(enough, 2);
    struct okno_estimate got = estimated(&request);
    assert_null(got.null_reason);
    assert_true(got.low < got.value && got.high > got.value);
}

/* Four of fourteen looked at: yes and no in one pool leave the ratio next to no room. */
static void classes_that_nearly_cancel_give_no_figure(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 6, 1, 0), cell("", OKNO_NO, 5, 0, 1),
                                      cell("", OKNO_SILENT, 3, 1, 1)};
    struct okno_estimate_request request = ink_of(cells, 3);
    assert_string_equal(estimated(&request).null_reason, "too_few_reviewed");
    /* yes and unsure move it the same way: their share may be one */
    const struct okno_cell alike[] = {cell("", OKNO_YES, 6, 1, 0), cell("", OKNO_UNSURE, 5, 0, 1),
                                      cell("", OKNO_NO, 3, 1, 1)};
    request = ink_of(alike, 3);
    assert_null(estimated(&request).null_reason);
}

static void a_lone_result_without_spread_keeps_an_interval(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 800, 80, 0),
                                      cell("", OKNO_NO, 300, 30, 0)};
    struct okno_estimate_request request = ink_of(cells, 2);
    struct okno_estimate got = estimated(&request);
    assert_true(isnan(got.se)); /* 0 beside a wide interval would be no error */
    assert_true(got.low < got.value - 0.005 && got.high > got.value + 0.001);
}

static double figure(const struct okno_cell *cells, const int64_t *valid, const int64_t *looked)
{
    double a = 0;
    double b = 0;
    struct okno_ratio ratio = okno_ratio_ink(0.5);
    for (int i = 0; i < 4; i++) {
        double total = (double)(cells[i].frame * valid[i]) / (double)looked[i];
        a += ratio.a[cells[i].class] * total;
        b += ratio.b[cells[i].class] * total;
    }
    return a / b;
}

static void undeterminable_ones_bound_the_figure_from_both_sides(void **state)
{
    (void)state;
    struct okno_cell cells[] = {cell("", OKNO_YES, 800, 70, 5), cell("", OKNO_UNSURE, 100, 9, 1),
                                cell("", OKNO_NO, 300, 20, 4), cell("", OKNO_SILENT, 500, 30, 5)};
    static const int64_t open[] = {5, 3, 6, 4};
    int64_t looked[4];
    for (int i = 0; i < 4; i++) {
        cells[i].undeterminable = open[i];
        looked[i] = cells[i].truth[cells[i].class] + cells[i].truth[OKNO_NONE] + open[i];
    }
    double least = 9;
    double most = -9;
    for (int way = 0; way < 6 * 4 * 7 * 5; way++) {
        int64_t extra[] = {way % 6, way / 6 % 4, way / 24 % 7, way / 168};
        for (int i = 0; i < 4; i++)
            extra[i] += cells[i].truth[cells[i].class];
        double r = figure(cells, extra, looked);
        least = fmin(least, r);
        most = fmax(most, r);
    }
    struct okno_estimate_request request = ink_of(cells, 4);
    struct okno_estimate got = estimated(&request);
    near(got.worst_low, least);
    near(got.worst_high, most);
    near(got.all_valid, figure(cells, (const int64_t[]){75, 12, 26, 34}, looked));
    near(got.all_invalid, figure(cells, (const int64_t[]){70, 9, 20, 30}, looked));
    assert_true(got.worst_low < got.value && got.value < got.worst_high);
    assert_int_equal(got.undeterminable, 18);
    assert_int_equal(got.reviewed, 144);
}

static void without_undeterminable_ones_the_bounds_are_the_figure(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 800, 77, 3),
                                      cell("", OKNO_NO, 300, 26, 4)};
    struct okno_estimate_request request = ink_of(cells, 2);
    struct okno_estimate got = estimated(&request);
    assert_true(got.worst_low == got.value && got.worst_high == got.value);
    assert_true(got.all_valid == got.value && got.all_invalid == got.value);
}

/* A cell with one result shares its share with the next; with its undeterminable ones settled it
 * has results enough of its own. */
static void bounds_hold_the_value_where_a_cell_is_thin(void **state)
{
    (void)state;
    for (int way = 0; way < 2 * 3 * 3; way++) {
        struct okno_cell cells[] = {cell("", OKNO_YES, 10, way % 2, 1 - way % 2),
                                    cell("", OKNO_NO, 1000, 25 * (way / 6), 50 - 25 * (way / 6)),
                                    cell("", OKNO_SILENT, 900, 40, 10)};
        cells[0].undeterminable = way / 2 % 3;
        struct okno_estimate_request request = ink_of(cells, 3);
        struct okno_estimate got = estimated(&request);
        assert_true(got.worst_low <= got.value && got.value <= got.worst_high);
    }
}

static void known_silent_are_not_sampled_and_bounded_apart(void **state)
{
    (void)state;
    const struct okno_cell cells[] = {cell("", OKNO_YES, 100, 10, 0), cell("", OKNO_NO, 100, 10, 0),
                                      cell("", OKNO_SILENT, 100, 0, 0)};
    struct okno_estimate_request request = ink_of(cells, 3);
    request.silent_known = true;
    struct okno_estimate got = estimated(&request);
    near(got.value, 150.0 / 300);
    near(got.without_silent, 0.5);
    request.ratio = okno_ratio_ink(0.2);
    got = estimated(&request);
    near(got.value, 120.0 / 300);
    near(got.without_silent, 0.5);
}

static void force_majeure_kept_apart_stands_until_found_false(void **state)
{
    (void)state;
    struct okno_cell cells[] = {cell("A", OKNO_YES, 100, 10, 0), cell("A", OKNO_NO, 100, 10, 0),
                                cell("A", OKNO_NO, 50, 0, 0), cell("B", OKNO_NO, 50, 0, 0)};
    cells[2].force_majeure = cells[3].force_majeure = true;
    struct okno_estimate_request request = ink_of(cells, 4);
    request.fm_apart = true;
    near(estimated(&request).value, 0.5); /* none reviewed: all stand */
    cells[2].undeterminable = 1;
    near(estimated(&request).value, 0.5);
    near(estimated(&request).worst_high, 0.5);
    cells[2].truth[OKNO_NONE] = 3;
    cells[3].truth[OKNO_NO] = 1; /* one in four was false: 25 of 100 come back */
    struct okno_estimate got = estimated(&request);
    near(got.value, 125.0 / 225);
    assert_true(got.se > 0);
    request.fm_apart = false; /* as in the office's indicator: a stratum of its own */
    cells[2] = cell("A", OKNO_NO, 50, 5, 0);
    cells[3] = cell("B", OKNO_NO, 50, 0, 5);
    cells[2].force_majeure = cells[3].force_majeure = true;
    near(estimated(&request).value, 150.0 / 250);
}

static void only_force_majeure_is_no_domain(void **state)
{
    (void)state;
    struct okno_cell cells[] = {cell("A", OKNO_NO, 50, 0, 0)};
    cells[0].force_majeure = true;
    struct okno_estimate_request request = ink_of(cells, 1);
    request.fm_apart = true;
    assert_string_equal(estimated(&request).null_reason, "no_surveys");
}

static void refused(struct okno_estimate_request request, const char *words)
{
    struct okno_err err = {0};
    struct okno_estimate estimate = {.value = 7};
    assert_int_equal(okno_estimate(&request, NULL, &estimate, &err), OKNO_INVALID);
    assert_true(estimate.value == 7);
    if (!strstr(err.text, words))
        fail_msg("`%s` does not say `%s`", err.text, words);
}

static void cells_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    struct okno_cell cells[] = {cell("A", OKNO_YES, 10, 5, 5), cell("B", OKNO_NO, 10, 1, 1)};
    struct okno_estimate_request request = ink_of(cells, 2);
    cells[0].undeterminable = 1;
    refused(request, "stratum `A`, class yes: the reviewed have to be");
    cells[0].undeterminable = -1;
    refused(request, "stratum `A`, class yes: the reviewed have to be");
    cells[0] = cell("A", OKNO_YES, -1, 0, 0);
    refused(request, "frame -1, 0 to 1000000000");
    cells[0] = cell("A", OKNO_YES, INT64_MAX, INT64_MAX, INT64_MAX);
    refused(request, "0 to 1000000000 is allowed");
    cells[0] = cells[1];
    refused(request, "stratum `B`, class no: the cell stands twice");
    request.level = 1;
    refused(request, "level 1: between 0 and 1");
    request.level = 0.95;
    request.looks = 0;
    refused(request, "looks 0");
    request.looks = 1;
    request.ratio.b[OKNO_SILENT] = 0;
    refused(request, "class silent adds 0.5 / 0");
}

/* Small generator: the test must run the same everywhere. */
static uint64_t random_state = 88172645463325252U;
static int64_t random_below(int64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int64_t)(random_state % (uint64_t)bound);
}

/* Draw `looked` of `frame`, of which `genuine` are genuine; returns how many genuine came. */
static int64_t draw_genuine(int64_t frame, int64_t genuine, int64_t looked)
{
    int64_t hits = 0;
    for (int64_t i = 0; i < looked; i++)
        hits += random_below(frame - i) < genuine - hits;
    return hits;
}

static void the_interval_covers_the_truth_as_often_as_it_says(void **state)
{
    (void)state;
    enum { RUNS = 800 };
    static const int64_t frame[] = {600, 80, 150, 400};
    static const int64_t genuine[] = {560, 78, 140, 300};
    static const int64_t looked[] = {60, 8, 15, 40};
    double truth = (140 + 0.5 * 300) / (560 + 78 + 140 + 300);
    int covered = 0;
    for (int run = 0; run < RUNS; run++) {
        struct okno_cell cells[4];
        for (int c = 0; c < 4; c++) {
            int64_t x = draw_genuine(frame[c], genuine[c], looked[c]);
            cells[c] = cell("", (enum okno_class)c, frame[c], x, looked[c] - x);
        }
        struct okno_estimate_request request = ink_of(cells, 4);
        struct okno_estimate got = estimated(&request);
        covered += got.low <= truth && truth <= got.high;
    }
    if (covered < RUNS * 93 / 100 || covered > RUNS * 99 / 100)
        fail_msg("covered %d of %d", covered, RUNS);
}

static void the_interval_covers_when_classes_are_corrected(void **state)
{
    (void)state;
    enum { RUNS = 600 };
    /* yes: 500 = 440 genuine, 30 really no, 30 none; no: 200 = 180 genuine, 20 none. */
    double truth = (30 + 180) / (440.0 + 30 + 180);
    int covered = 0;
    for (int run = 0; run < RUNS; run++) {
        int64_t yes = draw_genuine(500, 440, 50);
        int64_t other = draw_genuine(60, 30, 50 - yes);
        int64_t no = draw_genuine(200, 180, 30);
        struct okno_cell cells[] = {cell("", OKNO_YES, 500, yes, 50 - yes - other),
                                    cell("", OKNO_NO, 200, no, 30 - no)};
        cells[0].truth[OKNO_NO] = other;
        struct okno_estimate_request request = ink_of(cells, 2);
        struct okno_estimate got = estimated(&request);
        covered += got.low <= truth && truth <= got.high;
    }
    if (covered < RUNS * 92 / 100)
        fail_msg("covered %d of %d", covered, RUNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_follow_what_an_invalid_answer_becomes),
        cmocka_unit_test(the_published_cases_come_out),
        cmocka_unit_test(shares_and_their_exact_bounds_come_out),
        cmocka_unit_test(a_share_that_cannot_be_is_refused),
        cmocka_unit_test(a_whole_frame_looked_at_is_known_exactly),
        cmocka_unit_test(sample_sizes_come_out),
        cmocka_unit_test(attribute_sizes_are_those_of_published_tables),
        cmocka_unit_test(normal_quantiles_are_the_tables),
        cmocka_unit_test(cells_in_another_order_give_the_same_bits),
        cmocka_unit_test(a_census_has_no_spread),
        cmocka_unit_test(a_true_frame_gives_the_raw_figure),
        cmocka_unit_test(more_looks_widen_the_interval),
        cmocka_unit_test(thin_cells_take_the_next_stratum_of_their_class),
        cmocka_unit_test(thin_classes_take_the_next_class),
        cmocka_unit_test(merged_classes_keep_their_own_weight),
        cmocka_unit_test(without_reviews_there_is_no_figure),
        cmocka_unit_test(classes_that_share_one_share_give_no_figure),
        cmocka_unit_test(classes_that_nearly_cancel_give_no_figure),
        cmocka_unit_test(a_lone_result_without_spread_keeps_an_interval),
        cmocka_unit_test(undeterminable_ones_bound_the_figure_from_both_sides),
        cmocka_unit_test(without_undeterminable_ones_the_bounds_are_the_figure),
        cmocka_unit_test(bounds_hold_the_value_where_a_cell_is_thin),
        cmocka_unit_test(known_silent_are_not_sampled_and_bounded_apart),
        cmocka_unit_test(force_majeure_kept_apart_stands_until_found_false),
        cmocka_unit_test(only_force_majeure_is_no_domain),
        cmocka_unit_test(cells_that_contradict_themselves_are_refused),
        cmocka_unit_test(the_interval_covers_the_truth_as_often_as_it_says),
        cmocka_unit_test(the_interval_covers_when_classes_are_corrected),
    };
    return cmocka_run_group_tests(tests, read_fixture, drop_fixture);
}

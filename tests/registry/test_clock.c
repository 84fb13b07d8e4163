#include "okno/clock.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S OKNO_SECOND_US

/* Measured at 1000 s (+2 s, u 0.1 s), 3000 s (+4 s, u 0.3 s), set at 5000 s to -1 s (u 0.1 s). */
static const struct okno_clock_measurement watch[] = {{1000 * S, 2 * S, S / 10, false},
                                                      {3000 * S, 4 * S, 3 * S / 10, false},
                                                      {5000 * S, -S, S / 10, true}};

static void shows(int64_t utc_us, int64_t offset_us, int64_t uncertainty_us)
{
    struct okno_clock_offset got = okno_clock_at(watch, OKNO_COUNT(watch), utc_us);
    assert_int_equal(got.offset_us, offset_us);
    assert_int_equal(got.uncertainty_us, uncertainty_us);
    assert_true(got.measured);
}

static void a_clock_never_measured_is_right_within_ten_seconds(void **state)
{
    (void)state;
    struct okno_clock_offset got = okno_clock_at(NULL, 0, 77);
    assert_int_equal(got.offset_us, 0);
    assert_int_equal(got.uncertainty_us, 10 * S);
    assert_false(got.measured);
    assert_int_equal(okno_clock_to_utc(NULL, 0, 77, &got), 77);
    assert_int_equal(got.uncertainty_us, 10 * S);
}

static void between_measurements_the_offset_lies_on_the_line(void **state)
{
    (void)state;
    shows(1000 * S, 2 * S, S / 10);
    shows(2000 * S, 3 * S, S / 5 + 1000 * S / 20000);
    shows(2500 * S, 3 * S + S / 2, S / 4 + 500 * S / 20000);
    shows(3000 * S, 4 * S, 3 * S / 10);
}

static void before_a_step_the_earlier_measurement_holds(void **state)
{
    (void)state;
    shows(5000 * S - 1, 4 * S, 3 * S / 10 + 2000 * S / 20000);
    shows(5000 * S, -S, S / 10);
}

static void outside_the_nearest_holds_and_doubt_grows_by_50_ppm(void **state)
{
    (void)state;
    shows(0, 2 * S, S / 10 + 1000 * S / 20000);
    shows(25000 * S, -S, S / 10 + S);
    shows(5000 * S + 1, -S, S / 10 + 1);
}

static void utc_comes_back_from_what_the_clock_showed(void **state)
{
    (void)state;
    struct okno_clock_offset got;
    for (int64_t utc = 0; utc < 9000 * S; utc += 7 * S + 1) {
        if (utc >= 4995 * S && utc < 5005 * S)
            continue; /* shown twice: the test below */
        int64_t shown = utc + okno_clock_at(watch, OKNO_COUNT(watch), utc).offset_us;
        int64_t back = okno_clock_to_utc(watch, OKNO_COUNT(watch), shown, &got);
        assert_in_range(back - utc + 1, 0, 2);
    }
}

static void a_time_shown_twice_is_the_later_one(void **state)
{
    (void)state;
    struct okno_clock_offset got;
    assert_int_equal(okno_clock_to_utc(watch, OKNO_COUNT(watch), 5001 * S, &got), 5002 * S);
    assert_int_equal(got.offset_us, -S);
    assert_int_equal(okno_clock_to_utc(watch, OKNO_COUNT(watch), 4998 * S, &got), 4994 * S);
    assert_int_equal(got.offset_us, 4 * S);
}

static void a_time_that_a_step_skipped_is_the_step(void **state)
{
    (void)state;
    static const struct okno_clock_measurement ahead[] = {{1000 * S, 0, 0, false},
                                                          {2000 * S, 60 * S, 0, true}};
    struct okno_clock_offset got;
    assert_int_equal(okno_clock_to_utc(ahead, 2, 2030 * S, &got), 2000 * S);
    assert_int_equal(got.offset_us, 60 * S);
    assert_int_equal(okno_clock_to_utc(ahead, 2, 2060 * S, &got), 2000 * S);
    assert_int_equal(okno_clock_to_utc(ahead, 2, 2000 * S - 1, &got), 2000 * S - 1);
}

static void a_fast_drift_is_still_undone(void **state)
{
    (void)state;
    static const struct okno_clock_measurement mad[] = {{1000 * S, 0, 0, false},
                                                        {1010 * S, 30 * S, 0, false}};
    struct okno_clock_offset got;
    assert_int_equal(okno_clock_to_utc(mad, 2, 1020 * S, &got), 1005 * S);
    assert_int_equal(got.offset_us, 15 * S);
}

static void offsets_of_decades_do_not_overflow(void **state)
{
    (void)state;
    static const struct okno_clock_measurement reset[] = {{0, -INT64_C(2000000000) * S, 0, false},
                                                          {INT64_C(4000000000) * S, 0, 0, false}};
    struct okno_clock_offset got = okno_clock_at(reset, 2, INT64_C(2000000000) * S);
    assert_int_equal(got.offset_us, -INT64_C(1000000000) * S);
}

static void a_look_is_kept_when_it_tells_something_new(void **state)
{
    (void)state;
    const struct okno_clock_measurement known = {1000 * S, 2 * S, S / 10, false};
    struct okno_clock_measurement kept;
    const struct okno_clock_measurement same = {2000 * S, 2 * S + S / 20, S / 10, false};
    const struct okno_clock_measurement old = {200000 * S, 3 * S, S / 10, false};
    const struct okno_clock_measurement set = {2000 * S, 62 * S, S / 10, false};
    assert_int_equal(okno_clock_judge_look(NULL, 0, &same, &kept), OKNO_CLOCK_MOVED);
    assert_int_equal(okno_clock_judge_look(&known, 1, &same, &kept), OKNO_CLOCK_KNOWN);
    assert_int_equal(okno_clock_judge_look(&known, 1, &old, &kept), OKNO_CLOCK_MOVED);
    assert_false(kept.step);
    assert_int_equal(okno_clock_judge_look(&known, 1, &set, &kept), OKNO_CLOCK_JUMPED);
    assert_true(kept.step);
    assert_int_equal(kept.offset_us, 62 * S);
}

/* 20 ppm with noise, one measurement in five far off, and another clock before the last step. */
static void a_line_through_measurements_is_not_moved_by_wrong_ones(void **state)
{
    (void)state;
    struct okno_clock_measurement many[60];
    struct okno_clock_fit fit = {0};
    bool fits = false;
    for (int i = 0; i < 60; i++) {
        int64_t at = i * 6 * 3600 * S;
        int64_t noise = (i * 7919 % 41 - 20) * 2000;
        many[i] = (struct okno_clock_measurement){
            at, (i < 10 ? 90 * S : 5 * S) + at / 50000 + noise + (i % 5 == 4 ? 8 * S : 0), 50000,
            i == 10};
    }
    many[10].offset_us = 5 * S + many[10].at_us / 50000;
    assert_int_equal(okno_clock_fit(many, 60, &fits, &fit, NULL), 0);
    assert_true(fits);
    assert_int_equal(fit.count, 50);
    assert_int_equal(fit.at_us, many[59].at_us);
    assert_true(fit.rate_ppm > 19.5 && fit.rate_ppm < 20.5);
    assert_true(llabs(fit.offset_us - (5 * S + many[59].at_us / 50000)) < fit.uncertainty_us);
    assert_true(fit.uncertainty_us < S / 10);
    assert_true(fit.rate_uncertainty_ppm > 0 && fit.rate_uncertainty_ppm < 2);
    assert_int_equal(okno_clock_fit(many, 12, &fits, &fit, NULL), 0);
    assert_false(fits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_is_kept_when_it_tells_something_new),
        cmocka_unit_test(a_line_through_measurements_is_not_moved_by_wrong_ones),
        cmocka_unit_test(a_clock_never_measured_is_right_within_ten_seconds),
        cmocka_unit_test(between_measurements_the_offset_lies_on_the_line),
        cmocka_unit_test(before_a_step_the_earlier_measurement_holds),
        cmocka_unit_test(outside_the_nearest_holds_and_doubt_grows_by_50_ppm),
        cmocka_unit_test(utc_comes_back_from_what_the_clock_showed),
        cmocka_unit_test(a_time_shown_twice_is_the_later_one),
        cmocka_unit_test(a_time_that_a_step_skipped_is_the_step),
        cmocka_unit_test(a_fast_drift_is_still_undone),
        cmocka_unit_test(offsets_of_decades_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

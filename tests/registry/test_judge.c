/* What a device says of its own clock: known, renewed, moved, jumped, suspect. */
#include "okno/clock.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S OKNO_SECOND_US
#define H (3600 * S)
#define T0 (INT64_C(1700000000) * S)
#define U OKNO_CLOCK_REPORT_US

static struct okno_clock_measurement found;

/* A report that arrives `after` T0 from a clock `ahead` of UTC. */
static enum okno_clock_finding judge(const struct okno_clock_measurement *known, size_t count,
                                     int64_t after_us, int64_t ahead_us)
{
    struct okno_clock_report report = {.shown_us = T0 + after_us + ahead_us,
                                       .arrived_us = T0 + after_us,
                                       .agreed_us = INT64_MIN,
                                       .earliest_us = T0 + after_us + ahead_us};
    found = (struct okno_clock_measurement){0};
    return okno_clock_judge(known, count, &report, &found);
}

static void is(int64_t at_us, int64_t offset_us, int64_t uncertainty_us, bool step)
{
    assert_int_equal(found.at_us, at_us);
    assert_int_equal(found.offset_us, offset_us);
    assert_int_equal(found.uncertainty_us, uncertainty_us);
    assert_int_equal(found.step, step);
}

static void a_first_report_near_the_truth_confirms_that_the_clock_is_right(void **state)
{
    (void)state;
    assert_int_equal(judge(NULL, 0, 0, S / 2), OKNO_CLOCK_RENEWED);
    is(T0, 0, U + S / 2, false);
    assert_int_equal(judge(NULL, 0, 0, -U), OKNO_CLOCK_RENEWED);
    is(T0, 0, 2 * U, false);
}

static void a_first_report_far_from_it_is_the_offset(void **state)
{
    (void)state;
    assert_int_equal(judge(NULL, 0, 0, U + 1), OKNO_CLOCK_MOVED);
    is(T0, U + 1, U, false);
    assert_int_equal(judge(NULL, 0, 0, -OKNO_CLOCK_PLAUSIBLE_US), OKNO_CLOCK_MOVED);
    is(T0, -OKNO_CLOCK_PLAUSIBLE_US, U, false);
}

static void a_clock_more_than_a_day_off_is_suspect(void **state)
{
    (void)state;
    assert_int_equal(judge(NULL, 0, 0, OKNO_CLOCK_PLAUSIBLE_US + 1), OKNO_CLOCK_SUSPECT);
    assert_int_equal(judge(NULL, 0, 0, -OKNO_CLOCK_PLAUSIBLE_US - 1), OKNO_CLOCK_SUSPECT);
    assert_int_equal(judge(NULL, 0, 0, -T0), OKNO_CLOCK_SUSPECT); /* 1970 */
    is(0, 0, 0, false);
}

static void a_clock_that_a_person_measured_as_far_off_is_known(void **state)
{
    (void)state;
    const struct okno_clock_measurement by_hand = {T0, -1000 * 24 * H, S, false};
    assert_int_equal(judge(&by_hand, 1, H, -1000 * 24 * H + S), OKNO_CLOCK_KNOWN);
}

static void what_is_known_is_kept_again_only_after_hours(void **state)
{
    (void)state;
    const struct okno_clock_measurement known = {T0, 30 * S, U, false};
    assert_int_equal(judge(&known, 1, OKNO_CLOCK_RENEW_US - 1, 31 * S), OKNO_CLOCK_KNOWN);
    assert_int_equal(judge(&known, 1, OKNO_CLOCK_RENEW_US, 31 * S), OKNO_CLOCK_RENEWED);
    is(T0 + OKNO_CLOCK_RENEW_US, 30 * S, U + S, false);
}

static void renewing_moves_no_time(void **state)
{
    (void)state;
    struct okno_clock_measurement two[2] = {{T0, 30 * S, U, false}};
    assert_int_equal(judge(two, 1, OKNO_CLOCK_RENEW_US, 31 * S), OKNO_CLOCK_RENEWED);
    two[1] = found;
    for (int64_t after = -H; after < 24 * H; after += 7 * 60 * S) {
        struct okno_clock_offset offset;
        assert_int_equal(okno_clock_to_utc(two, 2, T0 + after, &offset), T0 + after - 30 * S);
    }
}

static void drift_bends_the_line_and_more_than_drift_is_a_jump(void **state)
{
    (void)state;
    const struct okno_clock_measurement known = {T0, 0, U, false};
    int64_t drift = 10 * H / 20000; /* 50 ppm */
    assert_int_equal(judge(&known, 1, 10 * H, 2 * U + drift), OKNO_CLOCK_MOVED);
    is(T0 + 10 * H, 2 * U + drift, U, false);
    assert_int_equal(judge(&known, 1, 10 * H, 2 * U + drift + 1), OKNO_CLOCK_JUMPED);
    is(T0 + 10 * H, 2 * U + drift + 1, U, true);
    assert_int_equal(judge(&known, 1, 10 * H, -2 * U - drift - 1), OKNO_CLOCK_JUMPED);
}

/* A press at true 09:00:00, sent at 09:00:01 by a clock set back by an hour in the night. */
static void what_came_with_the_first_word_of_a_jump_is_read_on_the_new_clock(void **state)
{
    (void)state;
    struct okno_clock_measurement two[2] = {{T0, 0, U, false}};
    for (int sign = -1; sign <= 1; sign += 2) {
        struct okno_clock_offset offset;
        int64_t jump = sign * H;
        int64_t press = T0 + 9 * H;
        struct okno_clock_report report = {.shown_us = press + S + jump,
                                           .arrived_us = press + S,
                                           .agreed_us = T0 + 3 * H,
                                           .earliest_us = press + jump};
        assert_int_equal(okno_clock_judge(two, 1, &report, &two[1]), OKNO_CLOCK_JUMPED);
        assert_int_equal(two[1].at_us, press);
        assert_int_equal(okno_clock_to_utc(two, 2, press + jump, &offset), press);
        /* and what was sent while the old clock was known to stand stays where it was */
        assert_int_equal(okno_clock_to_utc(two, 2, T0 + 3 * H, &offset), T0 + 3 * H);
    }
}

static void a_jump_is_dated_after_the_last_word_that_fitted(void **state)
{
    (void)state;
    const struct okno_clock_measurement known = {T0, 0, U, false};
    struct okno_clock_report report = {.shown_us = T0 + 11 * H,
                                       .arrived_us = T0 + 10 * H,
                                       .agreed_us = T0 + 9 * H,
                                       .earliest_us = T0 + 2 * H}; /* a backlog */
    assert_int_equal(okno_clock_judge(&known, 1, &report, &found), OKNO_CLOCK_JUMPED);
    assert_int_equal(found.at_us, T0 + 9 * H + 1);
    report.agreed_us = INT64_MIN;
    assert_int_equal(okno_clock_judge(&known, 1, &report, &found), OKNO_CLOCK_JUMPED);
    assert_int_equal(found.at_us, T0 + H);
    report.earliest_us = T0 - 100 * H;
    assert_int_equal(okno_clock_judge(&known, 1, &report, &found), OKNO_CLOCK_JUMPED);
    assert_int_equal(found.at_us, T0 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_report_near_the_truth_confirms_that_the_clock_is_right),
        cmocka_unit_test(a_first_report_far_from_it_is_the_offset),
        cmocka_unit_test(a_clock_more_than_a_day_off_is_suspect),
        cmocka_unit_test(a_clock_that_a_person_measured_as_far_off_is_known),
        cmocka_unit_test(what_is_known_is_kept_again_only_after_hours),
        cmocka_unit_test(renewing_moves_no_time),
        cmocka_unit_test(drift_bends_the_line_and_more_than_drift_is_a_jump),
        cmocka_unit_test(what_came_with_the_first_word_of_a_jump_is_read_on_the_new_clock),
        cmocka_unit_test(a_jump_is_dated_after_the_last_word_that_fitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "okno/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static const struct okno_interval whole[] = {{0, 100 * S}};
static const struct okno_interval first_half[] = {{0, 50 * S}};
static const struct okno_interval with_hole[] = {{0, 40 * S}, {60 * S, 100 * S}};

static struct okno_link_candidate camera(int64_t priority, const struct okno_interval *spans,
                                         size_t count)
{
    return (struct okno_link_candidate){.camera = "c",
                                        .priority = priority,
                                        .spans = spans,
                                        .span_count = count,
                                        .asked_from_us = 0,
                                        .asked_to_us = 100 * S};
}

static struct okno_link_choice choose(const struct okno_link_candidate *candidates, size_t count)
{
    struct okno_link_choice choice;
    okno_link_choose(candidates, count, 1000 * S, 10 * S, 10 * S, &choice);
    return choice;
}

static void no_placement_is_no_camera(void **state)
{
    (void)state;
    assert_int_equal(choose(NULL, 0).state, OKNO_LINK_NO_CAMERA);
}

static void full_coverage_wins_over_priority(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(1, first_half, 1), camera(2, whole, 1),
                                      camera(3, whole, 1)};
    struct okno_link_choice choice = choose(c, 3);
    assert_int_equal(choice.state, OKNO_LINK_LINKED);
    assert_int_equal(choice.candidate, 1);
}

static void the_lowest_priority_number_wins_among_equals_in_any_order(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(3, whole, 1), camera(1, whole, 1)};
    assert_int_equal(choose(c, 2).candidate, 1);
}

static void without_full_coverage_the_greatest_fraction_wins(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(1, first_half, 1), camera(2, with_hole, 2)};
    struct okno_link_choice choice = choose(c, 2);
    assert_int_equal(choice.state, OKNO_LINK_PARTIAL);
    assert_int_equal(choice.candidate, 1);
    assert_true(choice.fraction > 0.799 && choice.fraction < 0.801);
}

static void nothing_recorded_says_so(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(1, NULL, 0)};
    assert_int_equal(choose(c, 1).state, OKNO_LINK_NO_RECORDING);
}

static void what_the_archive_has_overwritten_is_expired(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(1, NULL, 0)};
    c[0].retention_us = 900 * S;
    assert_int_equal(choose(c, 1).state, OKNO_LINK_EXPIRED);
    c[0].retention_us = 901 * S;
    assert_int_equal(choose(c, 1).state, OKNO_LINK_NO_RECORDING);
}

static void a_camera_that_could_not_be_asked_keeps_the_choice_open(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(1, NULL, 0), camera(2, first_half, 1)};
    c[0].unreachable = true;
    assert_int_equal(choose(c, 2).state, OKNO_LINK_UNREACHABLE);
    c[1] = camera(2, whole, 1);
    assert_int_equal(choose(c, 2).state, OKNO_LINK_LINKED);
}

static void what_has_just_happened_is_pending_until_the_archive_settles(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(1, first_half, 1)};
    c[0].asked_to_us = 990 * S + 1;
    assert_int_equal(choose(c, 1).state, OKNO_LINK_PENDING);
    c[0].asked_to_us = 990 * S;
    assert_int_equal(choose(c, 1).state, OKNO_LINK_PARTIAL);
}

/* Of what rolls away a part now is more than nothing later; nothing is waited for as long as ever.
 */
static void a_part_is_taken_sooner_where_it_goes(void **state)
{
    (void)state;
    struct okno_link_candidate c[] = {camera(1, first_half, 1)};
    struct okno_link_choice choice;
    c[0].asked_to_us = 995 * S;
    okno_link_choose(c, 1, 1000 * S, 10 * S, 5 * S, &choice);
    assert_int_equal(choice.state, OKNO_LINK_PARTIAL);
    c[0].span_count = 0;
    okno_link_choose(c, 1, 1000 * S, 10 * S, 5 * S, &choice);
    assert_int_equal(choice.state, OKNO_LINK_PENDING);
}

/* What goes within a minute is looked for before it does. */
static void a_rolling_archive_is_looked_at_again_and_again(void **state)
{
    (void)state;
    static const struct {
        int64_t now, next;
        bool rolling;
    } cases[] = {{-15, 4, true},    {0, 4, true},   {4, 8, true},    {9, 18, true},
                 {18, 36, true},    {36, 72, true}, {72, 120, true}, {300, 120, true},
                 {-15, 120, false}, {9, 120, false}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++)
        assert_int_equal(
            okno_link_next_look(1000 * S, (1000 + cases[i].now) * S, 120 * S, cases[i].rolling),
            (1000 + cases[i].next) * S);
}

static void gaps_are_what_the_spans_leave_out(void **state)
{
    (void)state;
    OKNO_AUTO_VEC(okno_interval_vec) gaps = {0};
    struct okno_err err = {0};
    assert_int_equal(okno_link_gaps(with_hole, 2, -5 * S, 110 * S, &gaps, &err), 0);
    assert_int_equal(gaps.len, 3);
    assert_int_equal(gaps.items[0].from_us, -5 * S);
    assert_int_equal(gaps.items[0].to_us, 0);
    assert_int_equal(gaps.items[1].from_us, 40 * S);
    assert_int_equal(gaps.items[1].to_us, 60 * S);
    assert_int_equal(gaps.items[2].to_us, 110 * S);
}

static void spans_outside_the_asked_interval_make_no_gaps_beyond_it(void **state)
{
    (void)state;
    OKNO_AUTO_VEC(okno_interval_vec) gaps = {0};
    struct okno_err err = {0};
    assert_int_equal(okno_link_gaps(with_hole, 2, 10 * S, 20 * S, &gaps, &err), 0);
    assert_int_equal(gaps.len, 0);
    assert_int_equal(okno_link_gaps(NULL, 0, 10 * S, 20 * S, &gaps, &err), 0);
    assert_int_equal(gaps.len, 1);
    assert_int_equal(okno_link_covered(with_hole, 2, 30 * S, 70 * S), 20 * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_placement_is_no_camera),
        cmocka_unit_test(full_coverage_wins_over_priority),
        cmocka_unit_test(the_lowest_priority_number_wins_among_equals_in_any_order),
        cmocka_unit_test(without_full_coverage_the_greatest_fraction_wins),
        cmocka_unit_test(nothing_recorded_says_so),
        cmocka_unit_test(what_the_archive_has_overwritten_is_expired),
        cmocka_unit_test(a_camera_that_could_not_be_asked_keeps_the_choice_open),
        cmocka_unit_test(what_has_just_happened_is_pending_until_the_archive_settles),
        cmocka_unit_test(a_part_is_taken_sooner_where_it_goes),
        cmocka_unit_test(a_rolling_archive_is_looked_at_again_and_again),
        cmocka_unit_test(gaps_are_what_the_spans_leave_out),
        cmocka_unit_test(spans_outside_the_asked_interval_make_no_gaps_beyond_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

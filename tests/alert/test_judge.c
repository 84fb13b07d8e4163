/* The pure core of alerts, at its borders. */
#include "okno/alert.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define S OKNO_SECOND_US
#define HOUR (3600 * S)

static struct okno_alert_rule three_an_hour(void)
{
    return (struct okno_alert_rule){.rule = "r",
                                    .kind = OKNO_ALERT_NEGATIVES,
                                    .place = "all",
                                    .count = 3,
                                    .window_us = HOUR,
                                    .again_us = 0,
                                    .enabled = true};
}

static struct okno_alert_finding hits(const struct okno_alert_rule *rule, const int64_t *at_us,
                                      size_t count, struct okno_alert_facts facts)
{
    facts.hits_us = at_us;
    facts.hit_count = count;
    return okno_alert_judge(rule, &facts);
}

static const struct okno_alert_facts fresh = {
    .now_us = 10 * HOUR, .last_at_us = INT64_MIN, .last_opened_us = INT64_MIN};

static void three_hits_just_within_the_window_open(void **state)
{
    (void)state;
    struct okno_alert_rule rule = three_an_hour();
    int64_t at[] = {9 * HOUR, 9 * HOUR + 5, 10 * HOUR - 1};
    struct okno_alert_finding got = hits(&rule, at, 3, fresh);
    assert_int_equal(got.step, OKNO_ALERT_OPEN);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.first_us, at[0]);
    assert_int_equal(got.at_us, at[2]);
}

static void hits_exactly_a_window_apart_are_not_together(void **state)
{
    (void)state;
    struct okno_alert_rule rule = three_an_hour();
    int64_t at[] = {9 * HOUR, 9 * HOUR + 5, 10 * HOUR};
    assert_int_equal(hits(&rule, at, 3, fresh).step, OKNO_ALERT_LEAVE);
    assert_int_equal(hits(&rule, at, 2, fresh).step, OKNO_ALERT_LEAVE);
    assert_int_equal(hits(&rule, at, 0, fresh).step, OKNO_ALERT_LEAVE);
}

static void hits_of_the_same_moment_count_each(void **state)
{
    (void)state;
    struct okno_alert_rule rule = three_an_hour();
    int64_t at[] = {5, 5, 5};
    assert_int_equal(hits(&rule, at, 3, fresh).step, OKNO_ALERT_OPEN);
}

static void an_older_full_window_is_found_behind_later_single_hits(void **state)
{
    (void)state;
    struct okno_alert_rule rule = three_an_hour();
    int64_t at[] = {0, 1, 2, 3, 5 * HOUR, 9 * HOUR};
    struct okno_alert_finding got = hits(&rule, at, 6, fresh);
    assert_int_equal(got.step, OKNO_ALERT_OPEN);
    assert_int_equal(got.at_us, 3);
    assert_int_equal(got.count, 4);
}

static void an_open_alert_is_extended_by_a_later_hit_only(void **state)
{
    (void)state;
    struct okno_alert_rule rule = three_an_hour();
    int64_t at[] = {9 * HOUR, 9 * HOUR + 1, 9 * HOUR + 2, 9 * HOUR + 3};
    struct okno_alert_facts open = fresh;
    open.is_open = true;
    open.last_opened_us = 9 * HOUR + 2;
    open.last_at_us = 9 * HOUR + 2;
    open.now_us = 9 * HOUR + 10;
    assert_int_equal(hits(&rule, at, 3, open).step, OKNO_ALERT_LEAVE);
    assert_int_equal(hits(&rule, at, 4, open).step, OKNO_ALERT_EXTEND);
}

static void an_open_alert_closes_when_its_window_is_over(void **state)
{
    (void)state;
    struct okno_alert_rule rule = three_an_hour();
    struct okno_alert_facts open = fresh;
    open.is_open = true;
    open.last_opened_us = open.last_at_us = 8 * HOUR;
    open.now_us = 9 * HOUR - 1;
    assert_int_equal(hits(&rule, NULL, 0, open).step, OKNO_ALERT_LEAVE);
    open.now_us = 9 * HOUR;
    assert_int_equal(hits(&rule, NULL, 0, open).step, OKNO_ALERT_CLOSE);
}

static void what_was_told_is_not_told_again_and_again_waits(void **state)
{
    (void)state;
    struct okno_alert_rule rule = three_an_hour();
    int64_t at[] = {9 * HOUR, 9 * HOUR + 1, 9 * HOUR + 2};
    struct okno_alert_facts before = fresh;
    before.last_at_us = 9 * HOUR + 2; /* these very hits */
    before.last_opened_us = 9 * HOUR + 2;
    assert_int_equal(hits(&rule, at, 3, before).step, OKNO_ALERT_LEAVE);
    before.last_at_us = 9 * HOUR + 1; /* another one since */
    assert_int_equal(hits(&rule, at, 3, before).step, OKNO_ALERT_OPEN);
    rule.again_us = HOUR;
    before.now_us = before.last_opened_us + HOUR - 1;
    assert_int_equal(hits(&rule, at, 3, before).step, OKNO_ALERT_LEAVE);
    before.now_us++;
    assert_int_equal(hits(&rule, at, 3, before).step, OKNO_ALERT_OPEN);
}

static enum okno_alert_step share(int64_t part, int64_t total, bool open)
{
    struct okno_alert_rule rule = {
        .kind = OKNO_ALERT_SILENT_SHARE, .share_ppm = 100000, .min_n = 20};
    struct okno_alert_facts facts = fresh;
    facts.hit_count = (size_t)part;
    facts.total = total;
    facts.is_open = open;
    return okno_alert_judge(&rule, &facts).step;
}

static void a_share_opens_at_its_limit_and_closes_below_it(void **state)
{
    (void)state;
    assert_int_equal(share(3, 30, false), OKNO_ALERT_OPEN); /* 0.1 * 30 is above 3 in binary */
    assert_int_equal(share(2, 30, false), OKNO_ALERT_LEAVE);
    assert_int_equal(share(3, 30, true), OKNO_ALERT_LEAVE);
    assert_int_equal(share(2, 30, true), OKNO_ALERT_CLOSE);
}

static void too_few_surveys_say_nothing_either_way(void **state)
{
    (void)state;
    assert_int_equal(share(19, 19, false), OKNO_ALERT_LEAVE);
    assert_int_equal(share(0, 19, true), OKNO_ALERT_LEAVE);
    assert_int_equal(share(20, 20, false), OKNO_ALERT_OPEN);
    assert_int_equal(share(0, 0, true), OKNO_ALERT_LEAVE);
}

static enum okno_alert_step state_of(enum okno_alert_kind kind, bool now, bool open,
                                     int64_t opened_us, int64_t again_us)
{
    struct okno_alert_rule rule = {.kind = kind, .again_us = again_us};
    struct okno_alert_facts facts = fresh;
    facts.holds = now;
    facts.is_open = open;
    facts.last_opened_us = opened_us;
    return okno_alert_judge(&rule, &facts).step;
}

static void a_state_opens_while_it_holds_and_closes_when_it_does_not(void **state)
{
    (void)state;
    enum okno_alert_kind kind = OKNO_ALERT_DEVICE_QUIET;
    assert_int_equal(state_of(kind, true, false, INT64_MIN, HOUR), OKNO_ALERT_OPEN);
    assert_int_equal(state_of(kind, true, true, 0, HOUR), OKNO_ALERT_LEAVE);
    assert_int_equal(state_of(kind, false, true, 0, HOUR), OKNO_ALERT_CLOSE);
    assert_int_equal(state_of(kind, false, false, INT64_MIN, HOUR), OKNO_ALERT_LEAVE);
    assert_int_equal(state_of(kind, true, false, 9 * HOUR + 1, HOUR), OKNO_ALERT_LEAVE);
    assert_int_equal(state_of(kind, true, false, 9 * HOUR, HOUR), OKNO_ALERT_OPEN);
}

static void a_negative_rating_is_told_once_in_its_life(void **state)
{
    (void)state;
    assert_int_equal(state_of(OKNO_ALERT_NEGATIVE, true, false, INT64_MIN, 0), OKNO_ALERT_OPEN);
    assert_int_equal(state_of(OKNO_ALERT_NEGATIVE, true, false, 0, 0), OKNO_ALERT_LEAVE);
    assert_int_equal(state_of(OKNO_ALERT_NEGATIVE, false, true, 0, 0), OKNO_ALERT_CLOSE);
}

static void a_rule_watches_its_place_only(void **state)
{
    (void)state;
    struct okno_alert_rule rule = {.place = "all"};
    assert_true(okno_alert_watches(&rule, NULL, NULL, NULL));
    static const struct {
        const char *place;
        bool watches;
    } cases[] = {{"site:S1", true},   {"site:S10", false},   {"site:S", false}, {"point:P1", true},
                 {"point:S1", false}, {"group:North", true}, {"group:", false}, {"nothing", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(rule.place, sizeof(rule.place), "%s", cases[i].place);
        assert_int_equal(okno_alert_watches(&rule, "S1", "P1", "North"), cases[i].watches);
        assert_false(okno_alert_watches(&rule, NULL, NULL, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_hits_just_within_the_window_open),
        cmocka_unit_test(hits_exactly_a_window_apart_are_not_together),
        cmocka_unit_test(hits_of_the_same_moment_count_each),
        cmocka_unit_test(an_older_full_window_is_found_behind_later_single_hits),
        cmocka_unit_test(an_open_alert_is_extended_by_a_later_hit_only),
        cmocka_unit_test(an_open_alert_closes_when_its_window_is_over),
        cmocka_unit_test(what_was_told_is_not_told_again_and_again_waits),
        cmocka_unit_test(a_share_opens_at_its_limit_and_closes_below_it),
        cmocka_unit_test(too_few_surveys_say_nothing_either_way),
        cmocka_unit_test(a_state_opens_while_it_holds_and_closes_when_it_does_not),
        cmocka_unit_test(a_negative_rating_is_told_once_in_its_life),
        cmocka_unit_test(a_rule_watches_its_place_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

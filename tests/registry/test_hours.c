/* Opening hours: what may be written, and which moments it means. */
#include "okno/hours.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_US (INT64_C(3600) * OKNO_SECOND_US)

static struct okno_hours *parse(const char *text, const char *zone)
{
    struct okno_hours *hours = NULL;
    struct okno_err err = {0};
    if (okno_hours_parse(text, zone, &hours, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    return hours;
}

static int64_t at(const char *text)
{
    int64_t us = 0;
    struct okno_err err = {0};
    if (okno_time_parse(text, &us, &err) != 0)
        fail_msg("%s", err.text);
    return us;
}

static void assert_open(const struct okno_hours *hours, const char *time, bool open)
{
    if (okno_hours_open_at(hours, at(time), NULL) != open)
        fail_msg("%s: expected %s", time, open ? "open" : "closed");
}

static void assert_refused(const char *text, const char *part)
{
    struct okno_hours *hours = NULL;
    struct okno_err err = {0};
    if (okno_hours_parse(text, "UTC", &hours, &err) != OKNO_INVALID)
        fail_msg("\"%s\" was taken", text);
    assert_null(hours);
    assert_string_equal(err.field, "hours");
    if (!strstr(err.text, part))
        fail_msg("\"%s\" does not name \"%s\": %s", text, part, err.text);
}

static void weekdays_are_half_open_and_local(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *hours = parse("Mo-Fr 09:00-21:00; Sa 10:00-18:00", "Europe/Moscow");
    assert_open(hours, "2026-03-09T05:59:59.999999Z", false); /* a Monday, 08:59 in Moscow */
    assert_open(hours, "2026-03-09T06:00:00Z", true);
    assert_open(hours, "2026-03-09T17:59:59.999999Z", true);
    assert_open(hours, "2026-03-09T18:00:00Z", false);
    assert_open(hours, "2026-03-14T06:30:00Z", false); /* Saturday opens later */
    assert_open(hours, "2026-03-14T07:00:00Z", true);
    assert_open(hours, "2026-03-15T10:00:00Z", false); /* Sunday: no rule names it */
}

static void a_span_across_midnight_belongs_to_the_day_it_begins(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *hours = parse("Fr-Sa 22:00-04:00; 2026-03-14 closed", "UTC");
    assert_open(hours, "2026-03-13T21:59:59Z", false);
    assert_open(hours, "2026-03-13T22:00:00Z", true);
    assert_open(hours, "2026-03-14T03:59:59Z", true); /* Friday's night runs into the holiday */
    assert_open(hours, "2026-03-14T04:00:00Z", false);
    assert_open(hours, "2026-03-14T22:30:00Z", false);
    assert_open(hours, "2026-03-15T01:00:00Z", false);
}

static void dates_go_before_weekdays_and_the_last_rule_wins(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *hours = parse(
        "Mo-Su 09:00-18:00; 2026-12-24..2026-12-31 closed; 2026-12-28,2026-12-29 10:00-12:00,"
        " 13:00-15:00; Mo 08:00-18:00; 2026-06-01..2026-08-31 Sa,Su 11:00-16:00",
        "UTC");
    assert_open(hours, "2026-12-23T10:00:00Z", true);
    assert_open(hours, "2026-12-24T10:00:00Z", false);
    assert_open(hours, "2026-12-28T08:30:00Z", false);
    assert_open(hours, "2026-12-28T11:59:59Z", true);
    assert_open(hours, "2026-12-28T12:00:00Z", false);
    assert_open(hours, "2026-12-29T13:00:00Z", true);
    assert_open(hours, "2026-12-30T13:00:00Z", false);
    assert_open(hours, "2026-03-09T08:00:00Z", true); /* a later rule for Mondays */
    assert_open(hours, "2026-03-10T08:00:00Z", false);
    assert_open(hours, "2026-07-04T10:00:00Z", false); /* a Saturday of the season */
    assert_open(hours, "2026-07-04T11:00:00Z", true);
    assert_open(hours, "2026-07-03T10:00:00Z", true); /* its Friday is as ever */
}

static void clock_changes_move_no_local_time(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *hours = parse("Mo-Su 09:00-10:00", "Europe/Berlin");
    assert_open(hours, "2026-03-28T08:00:00Z", true); /* 09:00 CET */
    assert_open(hours, "2026-03-28T07:59:59Z", false);
    assert_open(hours, "2026-03-29T07:00:00Z", true); /* 09:00 CEST */
    assert_open(hours, "2026-03-29T08:00:00Z", false);
    assert_open(hours, "2026-10-25T08:00:00Z", true); /* 09:00 CET again */
    assert_open(hours, "2026-10-25T07:59:59Z", false);
}

static void hours_that_happen_twice_or_never_are_told_apart(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *night = parse("Mo-Su 02:15-02:45", "Europe/Berlin");
    /* Autumn: 02:15 comes at 00:15Z and 01:15Z; opening takes the first, closing the last. */
    assert_open(night, "2026-10-25T00:14:59Z", false);
    assert_open(night, "2026-10-25T00:15:00Z", true);
    assert_open(night, "2026-10-25T01:00:00Z", true);
    assert_open(night, "2026-10-25T01:44:59Z", true);
    assert_open(night, "2026-10-25T01:45:00Z", false);
    /* Spring: clocks jump from 02:00 to 03:00 at 01:00Z; half an hour stays half an hour. */
    assert_open(night, "2026-03-29T01:14:59Z", false);
    assert_open(night, "2026-03-29T01:15:00Z", true);
    assert_open(night, "2026-03-29T01:45:00Z", false);
}

static void open_time_is_summed_over_days_with_a_clock_change(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *always = parse("24/7", "Europe/Berlin");
    OKNO_AUTO(okno_hours) *days = parse("Mo-Su 09:00-21:00", "Europe/Berlin");
    OKNO_AUTO(okno_hours) *nights = parse("Mo-Su 22:00-06:00", "Europe/Berlin");
    int64_t from = at("2026-03-28T00:00:00+01:00");
    int64_t to = at("2026-03-30T00:00:00+02:00");
    assert_int_equal(okno_hours_open_us(always, from, to), 47 * HOUR_US);
    assert_int_equal(okno_hours_open_us(days, from, to), 24 * HOUR_US);
    /* 6 h of Friday's night, 2 + 5 of Saturday's (an hour is missing), 2 of Sunday's. */
    assert_int_equal(okno_hours_open_us(nights, from, to), 15 * HOUR_US);
    assert_int_equal(okno_hours_open_us(days, from + 10 * HOUR_US, from + 10 * HOUR_US + 7), 7);
    assert_int_equal(okno_hours_open_us(days, to, from), 0);
}

static void days_off_do_not_count_but_nights_do(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *hours = parse("Mo-Fr 09:00-18:00; 2026-03-17 closed", "UTC");
    int64_t friday = at("2026-03-13T18:00:00Z");
    int64_t monday = at("2026-03-16T09:00:00Z");
    assert_int_equal(okno_hours_awake_us(hours, friday, monday), 0);
    assert_int_equal(okno_hours_awake_us(hours, friday, friday + 5 * HOUR_US), 0);
    assert_int_equal(okno_hours_awake_us(hours, friday - HOUR_US, monday + HOUR_US), 2 * HOUR_US);
    /* A Tuesday off: from Monday evening to Wednesday morning nothing counts; then a night does. */
    assert_int_equal(okno_hours_awake_us(hours, monday, at("2026-03-19T09:00:00Z")), 33 * HOUR_US);
    /* What is left of a weekend when somebody was heard on Sunday is a night. */
    assert_int_equal(okno_hours_awake_us(hours, monday - 10 * HOUR_US, monday), 10 * HOUR_US);
}

static void an_answer_holds_until_it_says(void **state)
{
    (void)state;
    OKNO_AUTO(okno_hours) *hours = parse(
        "Mo-Fr 09:00-12:00,13:00-18:00; Fr 20:00-03:00; "
        "2026-03-11 closed",
        "America/New_York");
    int64_t from = at("2026-03-06T00:00:00Z"); /* a clock change lies inside */
    int64_t until = 0;
    for (int64_t now = from; now < from + 10 * OKNO_DAY_US; now = until) {
        bool open = okno_hours_open_at(hours, now, &until);
        assert_true(until > now && until <= now + OKNO_DAY_US + 2 * HOUR_US);
        for (int64_t step = now; step < until; step += 15 * 60 * OKNO_SECOND_US)
            assert_int_equal(okno_hours_open_at(hours, step, NULL), open);
        assert_int_equal(okno_hours_open_at(hours, until - 1, NULL), open);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    assert_refused("", "no rule for the days of the week");
    assert_refused("2026-01-01 closed", "no rule for the days of the week");
    assert_refused("Mo-Fr 9:00-21:00", "at \"9:00-21:00\"");
    assert_refused("Mo-Fr 09:00-21:00; Xx 10:00-18:00", "in \"Xx 10:00-18:00\"");
    assert_refused("Mo-Fr", "a space between days and times");
    assert_refused("Mo-Fr 09:00", "HH:MM-HH:MM");
    assert_refused("Mo-Fr 09:00-24:01", "at \"24:01\"");
    assert_refused("Mo-Fr 24:00-03:00", "before 24:00");
    assert_refused("Mo-Fr 00:00-00:00", "all day is 00:00-24:00");
    assert_refused("Mo 09:00-21:00; 2026-02-29 closed", "at \"2026-02-29 closed\"");
    assert_refused("Mo 09:00-21:00; 2026-03-02..2026-03-01 closed", "not before its beginning");
    assert_refused("Mo 09:00-21:00 Tu 09:00-21:00", "`;` before the next rule");
    assert_refused("Mo 09:00-21:00\x01", "\\x01");
    assert_refused(
        "Mo 01:00-02:00,03:00-04:00,05:00-06:00,07:00-08:00,09:00-10:00,11:00-12:00,"
        "13:00-14:00,15:00-16:00,17:00-18:00",
        "8 spans");
    struct okno_hours *hours = NULL;
    struct okno_err err = {0};
    assert_true(okno_hours_parse("24/7", "Mars/Olympus", &hours, &err) < 0);
    assert_null(hours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weekdays_are_half_open_and_local),
        cmocka_unit_test(a_span_across_midnight_belongs_to_the_day_it_begins),
        cmocka_unit_test(dates_go_before_weekdays_and_the_last_rule_wins),
        cmocka_unit_test(clock_changes_move_no_local_time),
        cmocka_unit_test(hours_that_happen_twice_or_never_are_told_apart),
        cmocka_unit_test(open_time_is_summed_over_days_with_a_clock_change),
        cmocka_unit_test(days_off_do_not_count_but_nights_do),
        cmocka_unit_test(an_answer_holds_until_it_says),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

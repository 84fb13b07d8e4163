/* Opening hours: what may be written, and which moments it means. */
#include "okno/hours.h"
#include "okno/text.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- dated hours ---- */

static int64_t day(const char *date)
{
    int64_t us = 0;
    struct okno_err err = {0};
    assert_int_equal(okno_date_parse(date, &us, &err), 0);
    return us / OKNO_DAY_US;
}

static struct okno_hours *parse_dated(const struct okno_hours_version *versions, size_t count,
                                      const char *zone)
{
    struct okno_hours *hours = NULL;
    struct okno_err err = {0};
    if (okno_hours_parse_dated(versions, count, zone, &hours, &err) != 0)
        fail_msg("%s", err.text);
    return hours;
}

static void each_date_has_its_own_hours(void **state)
{
    (void)state;
    const struct okno_hours_version versions[] = {
        {day("2026-03-02"), "Mo-Su 09:00-18:00; 2026-03-20 closed"},
        {day("2026-03-16"), "Mo-Su 10:00-20:00; 2026-03-05 closed"},
        {day("2026-03-23"), ""},
        {day("2026-03-30"), "Mo-Su 12:00-13:00"}};
    OKNO_AUTO(okno_hours) *hours = parse_dated(versions, 4, "Europe/Moscow");
    assert_open(hours, "2026-03-01T20:59:59Z", true); /* nothing was known on the 1st */
    assert_open(hours, "2026-03-01T21:00:00Z", false);
    assert_open(hours, "2026-03-05T06:00:00Z", true); /* a later version's holiday is not its */
    assert_open(hours, "2026-03-15T14:59:59Z", true); /* 17:59 on the last day */
    assert_open(hours, "2026-03-15T15:00:00Z", false);
    assert_open(hours, "2026-03-16T06:59:59Z", false); /* 09:59: opens an hour later now */
    assert_open(hours, "2026-03-16T07:00:00Z", true);
    assert_open(hours, "2026-03-20T07:00:00Z", true); /* an old version's holiday ended with it */
    assert_open(hours, "2026-03-25T00:00:00Z", true); /* not known again */
    assert_open(hours, "2026-03-29T21:00:00Z", false);
    assert_open(hours, "2026-03-30T09:00:00Z", true);
}

static void a_night_keeps_the_hours_of_the_day_it_began_on(void **state)
{
    (void)state;
    const struct okno_hours_version versions[] = {{OKNO_HOURS_EVER, "Mo-Su 20:00-04:00"},
                                                  {day("2026-03-29"), "Mo-Su 03:00-05:00"}};
    OKNO_AUTO(okno_hours) *hours = parse_dated(versions, 2, "Europe/Berlin");
    /* The night to the 29th loses 02:00-03:00: it ends at 04:00 CEST; the new hours begin at 03:00.
     */
    assert_open(hours, "2026-03-29T00:59:59Z", true);
    assert_open(hours, "2026-03-29T02:00:00Z", true);
    assert_open(hours, "2026-03-29T02:59:59Z", true);
    assert_open(hours, "2026-03-29T03:00:00Z", false);
    assert_open(hours, "2026-03-29T18:00:00Z", false); /* 20:00: the old hours are over */
    const struct okno_hours_version back[] = {{OKNO_HOURS_EVER, "Mo-Su 22:00-03:00"},
                                              {day("2026-10-25"), "Mo-Su 12:00-13:00"}};
    OKNO_AUTO(okno_hours) *autumn = parse_dated(back, 2, "Europe/Berlin");
    assert_int_equal(
        okno_hours_open_us(autumn, at("2026-10-24T12:00:00Z"), at("2026-10-25T10:00:00Z")),
        6 * HOUR_US); /* the night has an hour more */
}

/* Hours as data, read plainly: a span counts minutes of the local calendar. */
struct plain_version {
    int64_t from_day;
    int weekly[7][2]; /* from, to; -1: closed */
    int64_t holiday;
    int special[2];
    char text[600];
};

static unsigned random_state = 20261125;

static int below(int limit)
{
    random_state = random_state * 1103515245U + 12345U;
    return (int)(random_state >> 8) % limit;
}

static size_t put_span(char *to, size_t room, int span[2])
{
    span[0] = below(4) ? 30 * below(48) : -1;
    span[1] = span[0] < 0 ? -1 : span[0] + 30 * (1 + below(47));
    int end = span[1] > 1440 ? span[1] - 1440 : span[1];
    int len = span[0] < 0 ? snprintf(to, room, "closed; ")
                          : snprintf(to, room, "%02d:%02d-%02d:%02d; ", span[0] / 60, span[0] % 60,
                                     end / 60, end % 60);
    return (size_t)len;
}

static void make_version(struct plain_version *version, int64_t from_day)
{
    static const char *const names[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
    struct okno_civil civil;
    char *to = version->text;
    version->from_day = from_day;
    version->holiday = from_day + below(20) - 5;
    for (int i = 0; i < 7; i++) {
        to += snprintf(to, 8, "%s ", names[i]);
        to += put_span(to, 32, version->weekly[i]);
    }
    okno_time_to_civil(version->holiday * OKNO_DAY_US, &civil);
    to += snprintf(to, 64, "%04d-%02d-%02d ", civil.year, civil.month, civil.day);
    (void)put_span(to, 32, version->special);
}

static bool plain_open(const struct plain_version *versions, int count, int64_t minute)
{
    bool open = false;
    for (int64_t on = minute / 1440 - 1; on <= minute / 1440; on++) {
        const struct plain_version *version = NULL;
        for (int i = 0; i < count; i++)
            if (versions[i].from_day <= on)
                version = &versions[i];
        if (!version) {
            open |= minute / 1440 == on;
            continue;
        }
        const int *span = on == version->holiday ? version->special : version->weekly[(on + 3) % 7];
        open |= span[0] >= 0 && on * 1440 + span[0] <= minute && minute < on * 1440 + span[1];
    }
    return open;
}

/* Where clocks change, local minutes do not tell the moment. */
static bool near_clock_change(const struct okno_zone *zone, int64_t at_us)
{
    return okno_zone_offset_at(zone, at_us - 3 * HOUR_US) !=
           okno_zone_offset_at(zone, at_us + 3 * HOUR_US);
}

static void random_dated_hours_read_as_they_are_written(void **state)
{
    (void)state;
    enum { SETS = 120, VERSIONS = 4, DAYS = 60 };
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York"};
    static const char *const starts[] = {"2026-03-01", "2026-10-01", "2026-06-15"};
    for (int set = 0; set < SETS; set++) {
        struct plain_version plain[VERSIONS];
        struct okno_hours_version versions[VERSIONS];
        int64_t first = day(starts[below(3)]);
        int64_t from = first;
        struct okno_zone *zone = NULL;
        struct okno_err err = {0};
        assert_int_equal(okno_zone_open(zones[set % 3], &zone, &err), 0);
        for (int i = 0; i < VERSIONS; i++, from += 1 + below(15)) {
            make_version(&plain[i], from);
            versions[i] = (struct okno_hours_version){from, plain[i].text};
        }
        OKNO_AUTO(okno_hours) *hours = parse_dated(versions, VERSIONS, zones[set % 3]);
        for (int i = 0; i < 400; i++) {
            int64_t at_us =
                (first - 2) * OKNO_DAY_US + (int64_t)below(DAYS * 1440) * 60 * OKNO_SECOND_US;
            int64_t local_us = at_us + okno_zone_offset_at(zone, at_us);
            if (near_clock_change(zone, at_us))
                continue;
            if (okno_hours_open_at(hours, at_us, NULL) !=
                plain_open(plain, VERSIONS, local_us / (60 * OKNO_SECOND_US)))
                fail_msg("set %d, minute %lld of the day: %s", set,
                         (long long)(local_us / 60000000 % 1440), plain[VERSIONS - 1].text);
        }
        okno_zone_close(zone);
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
        cmocka_unit_test(each_date_has_its_own_hours),
        cmocka_unit_test(a_night_keeps_the_hours_of_the_day_it_began_on),
        cmocka_unit_test(random_dated_hours_read_as_they_are_written),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

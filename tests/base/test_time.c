#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int64_t parsed(const char *text)
{
    int64_t us = -1;
    struct okno_err err = {0};
    assert_int_equal(okno_time_parse(text, &us, &err), 0);
    return us;
}

static void a_time_with_z_or_an_offset_is_read(void **state)
{
    (void)state;
    assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed("2026-03-10T14:03:20.123456Z"), 1773151400123456);
    assert_int_equal(parsed("2026-03-10T17:03:20.123456+03:00"), 1773151400123456);
    assert_int_equal(parsed("2026-03-10 17:03:20.1234569+0300"), 1773151400123456);
    assert_int_equal(parsed("2024-02-29T00:00:00+00"), 1709164800000000);
}

static void a_time_without_a_zone_or_out_of_the_calendar_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-03-10T14:03:20",
                                      "2026-02-29T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-01-01T24:00:00Z",
                                      "2026-01-01T00:00:60Z",
                                      "2026-01-01T00:00:00.Z",
                                      "2026-01-01T00:00:00Zx",
                                      "1969-12-31T23:59:59Z",
                                      "2026-01-01T00:00:00+3",
                                      "10.03.2026 14:03"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t us = 77;
        struct okno_err err = {0};
        assert_int_equal(okno_time_parse(bad[i], &us, &err), OKNO_INVALID);
        assert_int_equal(us, 77);
        assert_non_null(strstr(err.text, "without a zone"));
    }
}

static void what_is_no_time_is_repeated_whole_letters_only(void **state)
{
    (void)state;
    int64_t us;
    struct okno_err err = {0};
    assert_int_equal(
        okno_time_parse(
            "\x1b[2J\u0432\u0447\u0435\u0440\u0430 \u0432\u0435\u0447\u0435\u0440\u043e\u043c "
            "\u0432\u0447\u0435\u0440\u0430\xff",
            &us, &err),
        OKNO_INVALID);
    assert_non_null(strstr(err.text, "\"\\x1b[2J\u0432"));
    assert_non_null(strstr(err.text, "\u0440\u0430\\xff\" is not a time"));
}

static void text_is_utc_milliseconds_rounded_up(void **state)
{
    (void)state;
    char text[OKNO_TIME_TEXT];
    assert_string_equal(okno_time_format(1773151400123000, text), "2026-03-10T14:03:20.123Z");
    assert_string_equal(okno_time_format(1773151400123001, text), "2026-03-10T14:03:20.124Z");
    assert_string_equal(okno_time_format(1767225599999999, text), "2026-01-01T00:00:00.000Z");
    assert_string_equal(okno_time_format(253402300799999999, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(okno_time_format(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(okno_time_format(INT64_MIN, text), "0000-01-01T00:00:00.000Z");
}

static void civil_time_round_trips_over_four_centuries(void **state)
{
    (void)state;
    for (int64_t us = 0; us < 400 * 366 * OKNO_DAY_US; us += 13 * OKNO_DAY_US + 12345678901) {
        struct okno_civil civil;
        okno_time_to_civil(us, &civil);
        assert_int_equal(okno_time_from_civil(&civil), us);
    }
}

/* `2026-03-10 14:03:20.5` and the offset in minutes, or the code. */
static const char *scanned(const char *format, const char *text)
{
    static char shown[80];
    struct okno_err err = {0};
    struct okno_scanned_time time;
    struct okno_err checked = {0};
    assert_int_equal(okno_time_format_check(format, &checked), 0);
    int rc = okno_time_scan(format, text, &time, &err);
    if (rc < 0)
        return okno_code_info(rc)->name;
    const struct okno_civil *c = &time.civil;
    (void)snprintf(shown, sizeof(shown), "%04d-%02d-%02d %02d:%02d:%02d.%06d", c->year, c->month,
                   c->day, c->hour, c->minute, c->second, c->micro);
    if (time.has_offset)
        (void)snprintf(shown + strlen(shown), 20, " %+d", (int)(time.offset_us / 60000000));
    return shown;
}

static void times_of_other_programs_are_read_by_their_format(void **state)
{
    (void)state;
    assert_string_equal(scanned("%d.%m.%Y %H:%M:%S", "10.03.2026 14:03:20"),
                        "2026-03-10 14:03:20.000000");
    assert_string_equal(scanned("%d.%m.%Y %H:%M", "  1.3.2026   9:05 "),
                        "2026-03-01 09:05:00.000000");
    assert_string_equal(scanned("%d/%m/%y", "29/02/24"), "2024-02-29 00:00:00.000000");
    assert_string_equal(scanned("%d/%m/%y", "01/01/70"), "1970-01-01 00:00:00.000000");
    assert_string_equal(scanned("%d/%m/%y", "31/12/69"), "2069-12-31 00:00:00.000000");
    assert_string_equal(scanned("%Y%m%d%H%M%S", "20260310140320"), "2026-03-10 14:03:20.000000");
    assert_string_equal(scanned("%m/%d/%Y %I:%M %p", "3/10/2026 12:07 am"),
                        "2026-03-10 00:07:00.000000");
    assert_string_equal(scanned("%m/%d/%Y %I:%M %p", "3/10/2026 12:07 PM"),
                        "2026-03-10 12:07:00.000000");
    assert_string_equal(scanned("%Y-%m-%dT%H:%M:%S%z", "2026-03-10T14:03:20.1234567+05:30"),
                        "2026-03-10 14:03:20.123456 +330");
    assert_string_equal(scanned("%Y-%m-%d %H:%M %z", "2026-03-10 14:03 Z"),
                        "2026-03-10 14:03:00.000000 +0");
    assert_string_equal(scanned("%Y-%m-%d %H:%M%z", "2026-03-10 14:03-08"),
                        "2026-03-10 14:03:00.000000 -480");
    assert_string_equal(scanned("%s", "1773151400"), "2026-03-10 14:03:20.000000 +0");
    assert_string_equal(scanned("%d.%m.%Y 100%%", "1.3.2026 100%"), "2026-03-01 00:00:00.000000");
}

static void a_time_that_does_not_fit_its_format_whole_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "10.03.26",    "31.02.2026", "32.01.2026",
                                      "10.13.2026", "10.03.2026x", "10.03.",     "a.03.2026",
                                      "0.03.2026",  "10.03.1969",  "10,03,2026", "10.03.2026 1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_string_equal(scanned("%d.%m.%Y", bad[i]), "invalid");
    assert_string_equal(scanned("%d.%m.%Y %H", "1.1.2026 24"), "invalid");
    assert_string_equal(scanned("%d.%m.%Y %I %p", "1.1.2026 13 PM"), "invalid");
    assert_string_equal(scanned("%d.%m.%Y %I %p", "1.1.2026 1 xm"), "invalid");
    assert_string_equal(scanned("%d.%m.%Y%z", "1.1.2026+1"), "invalid");
    assert_string_equal(scanned("%d.%m.%Y%z", "1.1.2026+16:00"), "invalid");
    assert_string_equal(scanned("%d.%m.%Y%z", "1.1.2026+01:6"), "invalid");
    assert_string_equal(scanned("%s", "99999999999999"), "invalid");
}

static void a_format_that_does_not_tell_a_day_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "%H:%M",
                                      "%d.%m",
                                      "%d.%m.%Y %y",
                                      "%d.%m.%Y %",
                                      "%d.%m.%Y %B",
                                      "%d.%m.%Y %I",
                                      "%d.%d.%m.%Y",
                                      "%d.%m.%Y %H %I %p"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct okno_err err = {0};
        assert_int_equal(okno_time_format_check(bad[i], &err), OKNO_INVALID);
    }
}

static void a_date_without_its_zeros_is_told_how_to_be_written(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"2026-3-1", "write it as 2026-03-01"},
                                           {"2026-03-1", "write it as 2026-03-01"},
                                           {"2026-12-9", "write it as 2026-12-09"},
                                           {"26-3-1", "is not a time"},
                                           {"2026-3-", "is not a time"},
                                           {"2026-3-1-1", "is not a time"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t us = 7;
        struct okno_err err = {0};
        assert_int_equal(okno_time_parse(cases[i][0], &us, &err), OKNO_INVALID);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], err.text);
        assert_int_equal(us, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_without_its_zeros_is_told_how_to_be_written),
        cmocka_unit_test(a_time_with_z_or_an_offset_is_read),
        cmocka_unit_test(a_time_without_a_zone_or_out_of_the_calendar_is_refused),
        cmocka_unit_test(what_is_no_time_is_repeated_whole_letters_only),
        cmocka_unit_test(text_is_utc_milliseconds_rounded_up),
        cmocka_unit_test(times_of_other_programs_are_read_by_their_format),
        cmocka_unit_test(a_time_that_does_not_fit_its_format_whole_is_refused),
        cmocka_unit_test(a_format_that_does_not_tell_a_day_is_refused),
        cmocka_unit_test(civil_time_round_trips_over_four_centuries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

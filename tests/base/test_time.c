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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_with_z_or_an_offset_is_read),
        cmocka_unit_test(a_time_without_a_zone_or_out_of_the_calendar_is_refused),
        cmocka_unit_test(text_is_utc_milliseconds_rounded_up),
        cmocka_unit_test(civil_time_round_trips_over_four_centuries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

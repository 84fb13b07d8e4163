#include "okno/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct okno_zone *opened(const char *name)
{
    struct okno_zone *zone = NULL;
    struct okno_err err = {0};
    if (okno_zone_open(name, &zone, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return zone;
}

static int64_t instant(const char *text)
{
    int64_t us = 0;
    assert_int_equal(okno_time_parse(text, &us, NULL), 0);
    return us;
}

/* "2026-03-29 02:30:00" as a date and a time of day. */
static struct okno_civil civil(const char *text)
{
    char with_z[40];
    struct okno_civil c;
    (void)snprintf(with_z, sizeof(with_z), "%sZ", text);
    okno_time_to_civil(instant(with_z), &c);
    return c;
}

static void shows(const char *zone_name, const char *utc, const char *local)
{
    OKNO_AUTO(okno_zone) *zone = opened(zone_name);
    struct okno_civil got;
    struct okno_civil want = civil(local);
    okno_zone_to_local(zone, instant(utc), &got);
    if (memcmp(&got, &want, sizeof(got)) != 0)
        fail_msg("%s at %s shows %04d-%02d-%02d %02d:%02d:%02d, not %s", zone_name, utc, got.year,
                 got.month, got.day, got.hour, got.minute, got.second, local);
}

/* The local time names exactly the given instants (NULL: none). */
static void means(const char *zone_name, const char *local, const char *first, const char *second)
{
    OKNO_AUTO(okno_zone) *zone = opened(zone_name);
    struct okno_civil c = civil(local);
    int64_t us[2] = {-1, -1};
    int count = -1;
    okno_zone_to_utc(zone, &c, us, &count);
    assert_int_equal(count, (first != NULL) + (second != NULL));
    if (first)
        assert_int_equal(us[0], instant(first));
    if (second)
        assert_int_equal(us[1], instant(second));
}

static void utc_is_the_identity(void **state)
{
    (void)state;
    shows("UTC", "2026-03-10T14:03:20.123456Z", "2026-03-10 14:03:20.123456");
    means("UTC", "2026-03-10 14:03:20", "2026-03-10T14:03:20Z", NULL);
    shows("UTC", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00");
}

static void moscow_follows_the_laws_of_2011_and_2014(void **state)
{
    (void)state;
    const char *zone = "Europe/Moscow";
    shows(zone, "2011-03-26T22:59:59Z", "2011-03-27 01:59:59");
    shows(zone, "2011-03-26T23:00:00Z", "2011-03-27 03:00:00");
    shows(zone, "2012-01-15T08:00:00Z", "2012-01-15 12:00:00");
    shows(zone, "2014-10-25T21:59:59Z", "2014-10-26 01:59:59");
    shows(zone, "2014-10-25T22:00:00Z", "2014-10-26 01:00:00");
    shows(zone, "2026-07-01T09:00:00Z", "2026-07-01 12:00:00");
    means(zone, "2011-03-27 02:30:00", NULL, NULL);
    means(zone, "2014-10-26 01:30:00", "2014-10-25T21:30:00Z", "2014-10-25T22:30:00Z");
    means(zone, "2026-03-10 17:03:20", "2026-03-10T14:03:20Z", NULL);
}

static void new_york_changes_twice_a_year(void **state)
{
    (void)state;
    const char *zone = "America/New_York";
    shows(zone, "2026-03-08T06:59:59.999999Z", "2026-03-08 01:59:59.999999");
    shows(zone, "2026-03-08T07:00:00Z", "2026-03-08 03:00:00");
    shows(zone, "2026-11-01T05:59:59Z", "2026-11-01 01:59:59");
    shows(zone, "2026-11-01T06:00:00Z", "2026-11-01 01:00:00");
    means(zone, "2026-03-08 01:59:59", "2026-03-08T06:59:59Z", NULL);
    means(zone, "2026-03-08 02:00:00", NULL, NULL);
    means(zone, "2026-03-08 02:59:59", NULL, NULL);
    means(zone, "2026-03-08 03:00:00", "2026-03-08T07:00:00Z", NULL);
    means(zone, "2026-11-01 00:59:59", "2026-11-01T04:59:59Z", NULL);
    means(zone, "2026-11-01 01:00:00", "2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z");
    means(zone, "2026-11-01 01:59:59", "2026-11-01T05:59:59Z", "2026-11-01T06:59:59Z");
    means(zone, "2026-11-01 02:00:00", "2026-11-01T07:00:00Z", NULL);
}

static void a_jumped_hour_still_gives_both_readings(void **state)
{
    (void)state;
    OKNO_AUTO(okno_zone) *zone = opened("America/New_York");
    struct okno_civil c = civil("2026-03-08 02:30:00");
    int64_t us[2] = {0, 0};
    int count = -1;
    okno_zone_to_utc(zone, &c, us, &count);
    assert_int_equal(count, 0);
    assert_int_equal(us[0], instant("2026-03-08T07:30:00Z"));
    assert_int_equal(us[1], instant("2026-03-08T06:30:00Z"));
}

/* Where the clocks jump over midnight the day begins when they jump, not the evening before. */
static void a_day_begins_where_midnight_was_jumped_over(void **state)
{
    (void)state;
    OKNO_AUTO(okno_zone) *zone = opened("America/Santiago");
    struct okno_civil day = civil("2026-09-06 00:00:00");
    assert_int_equal(okno_zone_midnight(zone, okno_time_from_civil(&day)),
                     instant("2026-09-06T04:00:00Z"));
    day.day = 7;
    assert_int_equal(okno_zone_midnight(zone, okno_time_from_civil(&day)),
                     instant("2026-09-07T03:00:00Z"));
}

static void lord_howe_moves_by_half_an_hour(void **state)
{
    (void)state;
    const char *zone = "Australia/Lord_Howe";
    shows(zone, "2026-04-04T14:59:59Z", "2026-04-05 01:59:59");
    shows(zone, "2026-04-04T15:00:00Z", "2026-04-05 01:30:00");
    means(zone, "2026-04-05 01:45:00", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z");
    means(zone, "2026-04-05 01:29:59", "2026-04-04T14:29:59Z", NULL);
    means(zone, "2026-10-04 02:15:00", NULL, NULL);
    means(zone, "2026-10-04 02:30:00", "2026-10-03T15:30:00Z", NULL);
}

static void odd_offsets_and_reversed_summers_are_read(void **state)
{
    (void)state;
    shows("Asia/Kathmandu", "2026-03-10T14:03:20Z", "2026-03-10 19:48:20");
    /* Dublin's winter is the exception in its law: a negative summer time. */
    shows("Europe/Dublin", "2026-01-10T12:00:00Z", "2026-01-10 12:00:00");
    shows("Europe/Dublin", "2026-07-10T12:00:00Z", "2026-07-10 13:00:00");
    /* Samoa skipped a whole day. */
    means("Pacific/Apia", "2011-12-30 12:00:00", NULL, NULL);
    means("Pacific/Apia", "2011-12-31 12:00:00", "2011-12-30T22:00:00Z", NULL);
}

static void years_after_the_table_follow_the_footer(void **state)
{
    (void)state;
    shows("America/New_York", "2199-07-01T12:00:00Z", "2199-07-01 08:00:00");
    shows("America/New_York", "2199-01-01T12:00:00Z", "2199-01-01 07:00:00");
    shows("Europe/Berlin", "2150-03-29T00:59:59Z", "2150-03-29 01:59:59");
    shows("Europe/Berlin", "2150-03-29T01:00:00Z", "2150-03-29 03:00:00");
    shows("Australia/Lord_Howe", "2150-01-01T00:00:00Z", "2150-01-01 11:00:00");
    shows("Europe/Moscow", "2150-07-01T00:00:00Z", "2150-07-01 03:00:00");
}

static void a_posix_rule_is_a_zone(void **state)
{
    (void)state;
    const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    shows(berlin, "2026-03-29T00:59:59Z", "2026-03-29 01:59:59");
    shows(berlin, "2026-03-29T01:00:00Z", "2026-03-29 03:00:00");
    means(berlin, "2026-10-25 02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
    shows("MSK-3", "2026-07-01T00:00:00Z", "2026-07-01 03:00:00");
    shows("<+0545>-5:45", "2026-03-10T14:03:20Z", "2026-03-10 19:48:20");
    shows("NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-01-01T00:00:00Z", "2026-01-01 13:00:00");
    shows("NZST-12NZDT,M9.5.0,M4.1.0/3", "2026-07-01T00:00:00Z", "2026-07-01 12:00:00");
    /* Julian days: J60 is March 1 in leap years too, 59 counted from zero is February 29 then. */
    shows("AAA0BBB,J60/0,J300", "2024-02-29T23:59:59Z", "2024-02-29 23:59:59");
    shows("AAA0BBB,J60/0,J300", "2024-03-01T00:00:00Z", "2024-03-01 01:00:00");
    shows("AAA0BBB,59/0,300", "2024-02-29T00:00:00Z", "2024-02-29 01:00:00");
    shows("AAA0BBB,59/0,300", "2025-03-01T00:00:00Z", "2025-03-01 01:00:00");
    /* Change times beyond the day, and summer all year round without a seam. */
    shows("AAA2BBB,M3.4.4/50,M10.4.4/50", "2026-03-28T03:59:59Z", "2026-03-28 01:59:59");
    shows("AAA2BBB,M3.4.4/50,M10.4.4/50", "2026-03-28T04:00:00Z", "2026-03-28 03:00:00");
    shows("XXX3EDT4,0/0,J365/23", "2026-01-01T02:59:59Z", "2025-12-31 22:59:59");
    shows("XXX3EDT4,0/0,J365/23", "2026-01-01T03:00:00Z", "2025-12-31 23:00:00");
    shows("XXX3EDT4,0/0,J365/23", "2026-01-01T04:00:00Z", "2026-01-01 00:00:00");
}

static void a_recorders_rule_adds_its_summer_time(void **state)
{
    (void)state;
    const char *rule = "CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00";
    shows(rule, "2026-01-10T12:00:00Z", "2026-01-10 13:00:00");
    shows(rule, "2026-07-10T12:00:00Z", "2026-07-10 14:00:00");
    means(rule, "2026-10-25 02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
    shows("CST+5:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00", "2026-07-10T12:00:00Z",
          "2026-07-10 08:00:00");
    shows("CST-8:00:00", "2026-07-10T12:00:00Z", "2026-07-10 20:00:00");
    /* Another name, or a signed or short offset, is an offset from UTC as POSIX says. */
    shows("EST5DST4,M3.2.0,M11.1.0", "2026-07-10T12:00:00Z", "2026-07-10 08:00:00");
    shows("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-10T12:00:00Z", "2026-01-10 12:00:00");
}

static void names_that_are_no_zones_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "Mars/Olympus",
                                      "../../etc/passwd",
                                      "/etc/passwd",
                                      "Europe/../Europe/Moscow",
                                      "Europe",
                                      "localtime",
                                      "MSK",
                                      "MS-3",
                                      "MSK-",
                                      "MSK-25",
                                      "MSK-3x",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M3.5.0,M13.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,M0.5.0,M10.5.0",
                                      "CET-1CEST,J0,J365",
                                      "CET-1CEST,0,366",
                                      "CET-1CEST,M3.5.0/168,M10.5.0",
                                      "<+03-3",
                                      "<>3",
                                      "UTC ",
                                      "utc\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct okno_zone *zone = NULL;
        struct okno_err err = {0};
        int rc = okno_zone_open(bad[i], &zone, &err);
        if (rc != OKNO_INVALID)
            fail_msg("\"%s\" gives %d", bad[i], rc);
        assert_null(zone);
        assert_non_null(strstr(err.text, "is not a time zone"));
    }
    char endless[4096];
    memset(endless, 'A', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    struct okno_zone *zone = NULL;
    assert_int_equal(okno_zone_open(endless, &zone, NULL), OKNO_INVALID);
}

static void files_that_are_no_zone_or_count_leap_seconds_are_refused(void **state)
{
    (void)state;
    struct okno_zone *zone = NULL;
    struct okno_err err = {0};
    assert_int_equal(okno_zone_open("zone.tab", &zone, &err), OKNO_INVALID); /* no such name form */
    okno_err_clear(&err);
    assert_int_equal(okno_zone_open("leapseconds", &zone, &err), OKNO_MALFORMED);
    okno_err_clear(&err);
    if (access("/usr/share/zoneinfo/right/Europe/Moscow", R_OK) == 0) {
        assert_int_equal(okno_zone_open("right/Europe/Moscow", &zone, &err), OKNO_MALFORMED);
        assert_non_null(strstr(err.text, "leap"));
    }
    assert_null(zone);
}

static size_t slurp(const char *path, uint8_t *bytes, size_t max)
{
    okno_autofclose FILE *file = fopen(path, "rb");
    assert_non_null(file);
    return fread(bytes, 1, max, file);
}

static void every_cut_of_a_file_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[8192];
    size_t len = slurp("/usr/share/zoneinfo/America/New_York", bytes, sizeof(bytes));
    assert_true(len > 1000);
    for (size_t cut = 0; cut < len; cut++) {
        okno_autofree uint8_t *exact = malloc(cut ? cut : 1); /* so that a read past it is seen */
        memcpy(exact, bytes, cut);
        struct okno_zone *zone = NULL;
        assert_int_equal(okno_zone_from_tzif(exact, cut, &zone, NULL), OKNO_MALFORMED);
        assert_null(zone);
    }
    OKNO_AUTO(okno_zone) *whole = NULL;
    assert_int_equal(okno_zone_from_tzif(bytes, len, &whole, NULL), 0);
}

static void damaged_bytes_are_refused_or_give_some_zone_but_never_harm(void **state)
{
    (void)state;
    uint8_t good[8192];
    uint8_t bytes[8192];
    size_t len = slurp("/usr/share/zoneinfo/Australia/Lord_Howe", good, sizeof(good));
    uint64_t seed = 12345;
    int refused = 0;
    for (int round = 0; round < 20000; round++) {
        memcpy(bytes, good, len);
        for (int i = 0; i < 1 + round % 4; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[(seed >> 33) % len] = (uint8_t)(seed >> 24);
        }
        OKNO_AUTO(okno_zone) *zone = NULL;
        if (okno_zone_from_tzif(bytes, len, &zone, NULL) < 0) {
            refused++;
            continue;
        }
        struct okno_civil c;
        int64_t us[2];
        int count = 0;
        okno_zone_to_local(zone, (int64_t)(seed % 5000000000) * OKNO_SECOND_US, &c);
        okno_zone_to_utc(zone, &c, us, &count);
        assert_in_range(count, 0, 2);
    }
    assert_true(refused > 100);
    assert_true(refused < 20000);
}

static void every_instant_is_among_the_meanings_of_its_local_time(void **state)
{
    (void)state;
    static const char *const names[] = {"America/New_York",
                                        "Europe/Moscow",
                                        "Australia/Lord_Howe",
                                        "Africa/Casablanca",
                                        "Pacific/Apia",
                                        "America/Caracas",
                                        "CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        OKNO_AUTO(okno_zone) *zone = opened(names[i]);
        for (int64_t us = 0; us < 70 * 366 * OKNO_DAY_US; us += 1733 * OKNO_SECOND_US * 7) {
            struct okno_civil c;
            int64_t back[2];
            int count = 0;
            okno_zone_to_local(zone, us, &c);
            okno_zone_to_utc(zone, &c, back, &count);
            assert_true(count >= 1 && (back[0] == us || back[1] == us));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utc_is_the_identity),
        cmocka_unit_test(moscow_follows_the_laws_of_2011_and_2014),
        cmocka_unit_test(new_york_changes_twice_a_year),
        cmocka_unit_test(a_jumped_hour_still_gives_both_readings),
        cmocka_unit_test(a_day_begins_where_midnight_was_jumped_over),
        cmocka_unit_test(lord_howe_moves_by_half_an_hour),
        cmocka_unit_test(odd_offsets_and_reversed_summers_are_read),
        cmocka_unit_test(years_after_the_table_follow_the_footer),
        cmocka_unit_test(a_posix_rule_is_a_zone),
        cmocka_unit_test(a_recorders_rule_adds_its_summer_time),
        cmocka_unit_test(names_that_are_no_zones_are_refused),
        cmocka_unit_test(files_that_are_no_zone_or_count_leap_seconds_are_refused),
        cmocka_unit_test(every_cut_of_a_file_is_refused),
        cmocka_unit_test(damaged_bytes_are_refused_or_give_some_zone_but_never_harm),
        cmocka_unit_test(every_instant_is_among_the_meanings_of_its_local_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "../../src/video/archive/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct template *compiled(const char *text, const char *channel)
{
    struct template *template = NULL;
    struct okno_err err = {0};
    if (template_compile(text, channel, &template, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return template;
}

static struct okno_zone *zone_of(const char *name)
{
    struct okno_zone *zone = NULL;
    assert_int_equal(okno_zone_open(name, &zone, NULL), 0);
    return zone;
}

static int64_t instant(const char *text)
{
    int64_t us = 0;
    assert_int_equal(okno_time_parse(text, &us, NULL), 0);
    return us;
}

/* The instant a path means in UTC; -1 when it does not fit. */
static int64_t parsed(const char *text, const char *folder, const char *name)
{
    OKNO_AUTO(template) *template = compiled(text, "cam1");
    OKNO_AUTO(okno_zone) *zone = zone_of("UTC");
    struct template_instant at;
    if (template_parse(template, zone, folder, name, &at) < 0)
        return -1;
    assert_int_equal(at.count, 1);
    return at.us[0];
}

/* The folders of an interval, joined by spaces. */
static const char *folders(const char *text, const char *zone_name, const char *from,
                           const char *to)
{
    static char joined[4096];
    OKNO_AUTO(template) *template = compiled(text, "cam1");
    OKNO_AUTO(okno_zone) *zone = zone_of(zone_name);
    TEMPLATE_AUTO_FOLDERS list = {0};
    struct okno_err err = {0};
    if (template_folders_of(template, zone, instant(from), instant(to), &list, &err) < 0)
        fail_msg("%s", err.text);
    joined[0] = '\0';
    for (size_t i = 0; i < list.len; i++) {
        size_t len = strlen(joined);
        (void)snprintf(joined + len, sizeof(joined) - len, "%s%s", i ? " " : "", list.items[i]);
    }
    return joined;
}

static void the_usual_layouts_are_read(void **state)
{
    (void)state;
    int64_t at = instant("2026-03-10T14:03:20Z");
    assert_int_equal(parsed("{channel}/%Y-%m-%d/%H-%M-%S.mp4", "cam1/2026-03-10", "14-03-20.mp4"),
                     at);
    assert_int_equal(parsed("%Y-%m-%d/%H/{channel}/%M.%S.mp4", "2026-03-10/14/cam1", "03.20.mp4"),
                     at);
    assert_int_equal(parsed("%Y%m%d%H%M%S_{channel}.mkv", "", "20260310140320_cam1.mkv"), at);
    assert_int_equal(parsed("{channel}/%y/%j/%H%M%S.ts", "cam1/26/069", "140320.ts"), at);
    assert_int_equal(parsed("{channel}/%s.mp4", "cam1", "1773151400.mp4"), at);
    assert_int_equal(
        parsed("{channel}/%Y-%m-%d_%H-%M-%S-%f.mp4", "cam1", "2026-03-10_14-03-20-000007.mp4"),
        at + 7);
    assert_int_equal(parsed("a%%b/%Y%m%d-%H%M%S.mp4", "a%b", "20260310-140320.mp4"), at);
    assert_int_equal(parsed("%Y/%m/%d/%Y%m%d-%H%M%S.mp4", "2026/03/10", "20260310-140320.mp4"), at);
    assert_int_equal(parsed("{channel}/%Y%m%d/%H.mp4", "cam1/20260310", "14.mp4"),
                     instant("2026-03-10T14:00:00Z"));
}

static void names_that_do_not_fit_exactly_are_left_out(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "14-03-20.mp4.tmp", "14-03-20.mp",  "x14-03-20.mp4", "14-3-20.mp4",  "14-03-2O.mp4",
        "24-00-00.mp4",     "14-60-00.mp4", "14-03-60.mp4",  "14-03-20.MP4", "",
        "140320.mp4",       "-4-03-20.mp4", "14-03-20",      "+4-03-20.mp4"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parsed("{channel}/%Y-%m-%d/%H-%M-%S.mp4", "cam1/2026-03-10", bad[i]) != -1)
            fail_msg("\"%s\" was taken", bad[i]);
    assert_int_equal(parsed("%Y%m%d%H.mp4", "", "2026023012.mp4"), -1);
    assert_int_equal(parsed("%Y%m%d%H.mp4", "", "2026000112.mp4"), -1);
    assert_int_equal(parsed("%Y%j%H.mp4", "", "202636612.mp4"), -1);
    assert_int_equal(parsed("%Y%j%H.mp4", "", "202436612.mp4"), instant("2024-12-31T12:00:00Z"));
    assert_int_equal(parsed("{channel}/%Y%m%d%H.mp4", "cam2", "2026031014.mp4"), -1);
    /* A field said twice must say the same. */
    assert_int_equal(parsed("%Y/%Y%m%d%H.mp4", "2025", "2026031014.mp4"), -1);
    assert_int_equal(parsed("%Y/%y%m%d%H.mp4", "2026", "25031014.mp4"), -1);
    assert_int_equal(parsed("%Y%j/%m%d%H.mp4", "2026069", "031114.mp4"), -1);
}

static void the_resolution_of_a_name_is_its_error(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        int64_t error_us;
    } rows[] = {{"%Y%m%d-%H%M%S-%f.mp4", "20260310-140320-000000.mp4", 1},
                {"%Y%m%d-%H%M%S.mp4", "20260310-140320.mp4", OKNO_SECOND_US},
                {"%Y%m%d-%H%M.mp4", "20260310-1403.mp4", 60 * OKNO_SECOND_US},
                {"%Y%m%d-%H.mp4", "20260310-14.mp4", 3600 * OKNO_SECOND_US},
                {"%Y%m%d.mp4", "20260310.mp4", OKNO_DAY_US},
                {"%s.mp4", "1773151400.mp4", OKNO_SECOND_US}};
    OKNO_AUTO(okno_zone) *zone = zone_of("UTC");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        OKNO_AUTO(template) *template = compiled(rows[i].text, "1");
        struct template_instant at;
        assert_int_equal(template_parse(template, zone, "", rows[i].name, &at), 0);
        assert_int_equal(at.error_us, rows[i].error_us);
    }
}

static void local_names_follow_the_zone(void **state)
{
    (void)state;
    OKNO_AUTO(template) *template = compiled("%Y%m%d-%H%M%S.mp4", "1");
    OKNO_AUTO(okno_zone) *zone = zone_of("Europe/Berlin");
    struct template_instant at;
    assert_int_equal(template_parse(template, zone, "", "20260710-140320.mp4", &at), 0);
    assert_int_equal(at.us[0], instant("2026-07-10T12:03:20Z"));
    assert_int_equal(template_parse(template, zone, "", "20261025-023000.mp4", &at), 0);
    assert_int_equal(at.count, 2);
    assert_int_equal(at.us[0], instant("2026-10-25T00:30:00Z"));
    assert_int_equal(at.us[1], instant("2026-10-25T01:30:00Z"));
    assert_int_equal(template_parse(template, zone, "", "20260329-023000.mp4", &at), 0);
    assert_int_equal(at.count, 0);
    assert_int_equal(at.us[0], instant("2026-03-29T01:30:00Z"));
    OKNO_AUTO(template) *epoch = compiled("%s.mp4", "1");
    assert_int_equal(template_parse(epoch, zone, "", "1792891800.mp4", &at), 0);
    assert_int_equal(at.count, 1); /* a count of seconds is never doubled */
}

static void templates_that_cannot_work_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "/abs/%Y%m%d.mp4",
                                      "../%Y%m%d.mp4",
                                      "a/../%Y%m%d.mp4",
                                      "a//%Y%m%d.mp4",
                                      "a/./%Y%m%d.mp4",
                                      "%Y%m%d/",
                                      "a\\b/%Y%m%d.mp4",
                                      "a\n%Y%m%d.mp4",
                                      "{channel}.mp4",
                                      "%H%M%S.mp4",
                                      "%Y%m.mp4",
                                      "%m%d%H.mp4",
                                      "%Y%m%d%M.mp4",
                                      "%Y%m%d%H%S.mp4",
                                      "%Y%m%d%H%M%f.mp4",
                                      "%Y%m%d%q.mp4",
                                      "%Y%m%d%",
                                      "{camera}/%Y%m%d.mp4",
                                      "}%Y%m%d.mp4",
                                      "%s/%Y%m%d.mp4",
                                      "%Y%m%d%H%M%S/x.mp4"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct template *template = NULL;
        struct okno_err err = {0};
        if (template_compile(bad[i], "cam1", &template, &err) != OKNO_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_null(template);
        assert_string_equal(err.field, "files");
    }
    struct okno_err err = {0};
    struct template *template = NULL;
    assert_int_equal(template_compile("%Y%m%d%q.mp4", "1", &template, &err), OKNO_INVALID);
    assert_non_null(strstr(err.text, "%q"));
    assert_non_null(strstr(err.text, "%Y"));
    char endless[2000];
    memset(endless, 'a', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    assert_int_equal(template_compile(endless, "1", &template, NULL), OKNO_INVALID);
}

static void channels_cannot_leave_the_archive(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "..", "../x", "/x", "x/", "a//b", "a/../b", "a\tb", "."};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct template *template = NULL;
        struct okno_err err = {0};
        if (template_compile("{channel}/%Y%m%d.mp4", bad[i], &template, &err) != OKNO_INVALID)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_string_equal(err.field, "channel");
    }
    OKNO_AUTO(template) *template = compiled("{channel}/%Y%m%d.mp4", "floor 1/100%{x}");
    OKNO_AUTO(okno_zone) *zone = zone_of("UTC");
    struct template_instant at;
    assert_int_equal(template_parse(template, zone, "floor 1/100%{x}", "20260310.mp4", &at), 0);
}

static void only_the_folders_of_the_interval_are_named(void **state)
{
    (void)state;
    const char *days = "{channel}/%Y-%m-%d/%H-%M-%S.mp4";
    assert_string_equal(folders(days, "UTC", "2026-03-10T14:00:00Z", "2026-03-10T14:00:30Z"),
                        "cam1/2026-03-10");
    assert_string_equal(folders(days, "UTC", "2026-03-10T23:59:59Z", "2026-03-11T00:00:00Z"),
                        "cam1/2026-03-10");
    assert_string_equal(folders(days, "UTC", "2026-02-27T23:59:59Z", "2026-03-01T00:00:00.000001Z"),
                        "cam1/2026-02-27 cam1/2026-02-28 cam1/2026-03-01");
    assert_string_equal(
        folders(days, "Europe/Moscow", "2026-03-10T20:59:59Z", "2026-03-10T21:00:01Z"),
        "cam1/2026-03-10 cam1/2026-03-11");
    assert_string_equal(folders("%Y-%m-%d/%H/{channel}/%M.%S.mp4", "UTC", "2026-03-10T23:30:00Z",
                                "2026-03-11T01:00:01Z"),
                        "2026-03-10/23/cam1 2026-03-11/00/cam1 2026-03-11/01/cam1");
    assert_string_equal(
        folders("%Y/%m/%d%H%M%S.mp4", "UTC", "2025-12-31T23:00:00Z", "2026-02-01T00:00:01Z"),
        "2025/12 2026/01 2026/02");
    assert_string_equal(
        folders("%H%M/%Y%m%d.mp4", "UTC", "2026-03-10T14:58:59Z", "2026-03-10T15:00:30Z"),
        "1458 1459 1500");
    assert_string_equal(folders("{channel}-%Y%m%d-%H%M%S.mp4", "UTC", "2020-01-01T00:00:00Z",
                                "2026-01-01T00:00:00Z"),
                        "");
    assert_string_equal(folders(days, "UTC", "2026-03-10T14:00:00Z", "2026-03-10T14:00:00Z"), "");
}

static void hour_folders_across_clock_changes_are_each_named_once(void **state)
{
    (void)state;
    const char *hours = "%d/%H/%Y%m%M%S.mp4";
    assert_string_equal(
        folders(hours, "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z"),
        "25/01 25/02 25/03");
    assert_string_equal(
        folders(hours, "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"),
        "29/01 29/03");
    assert_string_equal(
        folders(hours, "Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z"),
        "05/01 05/02");
    assert_string_equal(folders("%Y%m%d%H%M/x%S.mp4", "Europe/Berlin", "2026-10-25T00:59:00Z",
                                "2026-10-25T01:01:00Z"),
                        "202610250259 202610250200");
}

static void endless_intervals_are_refused(void **state)
{
    (void)state;
    OKNO_AUTO(template) *template = compiled("%Y%m%d/%H/%M%S.mp4", "1");
    OKNO_AUTO(okno_zone) *zone = zone_of("UTC");
    struct template_folders list = {0};
    assert_int_equal(template_folders_of(template, zone, 0, 300 * OKNO_DAY_US, &list, NULL),
                     OKNO_TOO_LONG);
    assert_int_equal(template_folders_of(template, zone, 0, 9000 * 366 * OKNO_DAY_US, &list, NULL),
                     OKNO_TOO_LONG);
    assert_null(list.items);
}

static void every_folder_and_name_round_trips(void **state)
{
    (void)state;
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe"};
    OKNO_AUTO(template) *template = compiled("%Y-%m/%d/%H/%M%S.mp4", "1");
    for (size_t z = 0; z < 3; z++) {
        OKNO_AUTO(okno_zone) *zone = zone_of(zones[z]);
        for (int64_t us = 0; us < 60 * 365 * OKNO_DAY_US; us += 9767 * 60 * OKNO_SECOND_US) {
            TEMPLATE_AUTO_FOLDERS list = {0};
            struct okno_civil c;
            struct template_instant at;
            char name[32];
            assert_int_equal(template_folders_of(template, zone, us, us + 1, &list, NULL), 0);
            assert_int_equal(list.len, 1);
            okno_zone_to_local(zone, us, &c);
            (void)snprintf(name, sizeof(name), "%02d%02d.mp4", c.minute % 100, c.second % 100);
            assert_int_equal(template_parse(template, zone, list.items[0], name, &at), 0);
            assert_true(at.us[0] == us || at.us[1] == us);
        }
    }
}

static void names_are_bounded_where_their_order_is_that_of_time(void **state)
{
    (void)state;
    static const struct {
        const char *files, *folder, *bound;
    } rows[] = {
        {"{channel}-%Y%m%d-%H%M%S.mp4", "", "c1-20260310-140320.mp4"},
        {"{channel}/%Y-%m-%d/%H-%M-%S.mp4", "c1/2026-03-10", "14-03-20.mp4"},
        {"{channel}/%Y-%m-%d/%H-%M-%S.mp4", "c1/2026-03-11", ""}, /* another day */
        {"{channel}/%Y%m/%d_%H%M%S_{any}.mp4", "c1/202603", "10_140320_"},
        {"{channel}/%Y/%j-%H.mp4", "c1/2026", "069-14.mp4"},
        {"{channel}-%s.mp4", "", "c1-1773151400.mp4"},
        {"%Y-%m-%dT%H:%M:%S%z.mp4", "", "2026-03-10T14:03:20"},
        {"%d.%m.%Y-%H%M%S.mp4", "", ""},     /* days of all months first */
        {"%Y/%d-%m-%H%M%S.mp4", "2026", ""}, /* likewise */
        {"%Y-%m/%H%M%S-%d.mp4", "2026-03", ""},
        {"{any}%Y%m%d.mp4", "", ""},
    };
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        OKNO_AUTO(okno_zone) *zone = NULL;
        OKNO_AUTO(template) *template = NULL;
        char bound[256];
        assert_int_equal(okno_zone_open("UTC", &zone, NULL), 0);
        assert_int_equal(template_compile(rows[i].files, "c1", &template, NULL), 0);
        template_bound(template, zone, rows[i].folder, INT64_C(1773151400000000), bound);
        if (strcmp(bound, rows[i].bound) != 0)
            fail_msg("%s in %s: \"%s\"", rows[i].files, rows[i].folder, bound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_bounded_where_their_order_is_that_of_time),
        cmocka_unit_test(the_usual_layouts_are_read),
        cmocka_unit_test(names_that_do_not_fit_exactly_are_left_out),
        cmocka_unit_test(the_resolution_of_a_name_is_its_error),
        cmocka_unit_test(local_names_follow_the_zone),
        cmocka_unit_test(templates_that_cannot_work_are_refused),
        cmocka_unit_test(channels_cannot_leave_the_archive),
        cmocka_unit_test(only_the_folders_of_the_interval_are_named),
        cmocka_unit_test(hour_folders_across_clock_changes_are_each_named_once),
        cmocka_unit_test(endless_intervals_are_refused),
        cmocka_unit_test(every_folder_and_name_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

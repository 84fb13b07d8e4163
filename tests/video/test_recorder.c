/* Recorders described by profiles, against servers shaped by what is known of them
 * (tests/support/recorder.py). The brightness of a picture tells which frame it is. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/archive/profile.h"
#include "../support/program.h"
#include "../support/recording.h"

#include "okno/extract.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-03-10T14:03:20Z: two stretches of 60 s, 5 s of nothing between them. */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

enum { RATE = 10 };

struct vendor {
    const char *kind, *channel, *user, *password;
    const char *options, *time_zone;
};

static const struct vendor vendors[] = {
    {"mediamtx", "till/1", "", "", "", "UTC"},
    {"frigate", "till", "anna", "qu\"ote", "", "UTC"},
    {"flussonic", "till/1", "", "to ken/+", "", "UTC"},
    {"nx", "{a1b2}", "", "", "", "UTC"},
    {"macroscop", "c1", "anna", "se&cret", "", "UTC"},
    {"hikvision", "101", "anna", "pass word", "times=local", "Europe/Moscow"},
    {"dahua", "1", "anna", "pass word", "", "Europe/Moscow"},
    {"axis", "1", "anna", "pass word", "", "UTC"},
    {"moonfire", "a1-b2/main", "anna", "qu\"ote", "", "UTC"},
    {"shinobi", "m7", "g1", "k/ey", "", "Europe/Moscow"},
    {"axxon", "SRV/DeviceIpint.1/SourceEndpoint.video:0:0", "anna", "pass word", "", "UTC"},
};

static int film(void **state)
{
    int rc = fixture_begin(state);
    fixture_film("film.mp4", "libx264", RATE);
    return rc;
}

struct running {
    int pid;
    char url[64];
    struct okno_archive *archive;
    struct okno_extract_camera camera;
};

static struct running start_as(const char *server, const char *kind, const char *files,
                               const struct vendor *vendor)
{
    struct running running = {0};
    struct okno_err err = {0};
    char port[16];
    char begin[24];
    char path[600];
    int number = support_free_port();
    (void)snprintf(port, sizeof(port), "%d", number);
    (void)snprintf(begin, sizeof(begin), "%lld", (long long)(T0 / SECOND));
    (void)snprintf(path, sizeof(path), "%s", fixture_path("film.mp4"));
    const char *const args[] = {
        "/usr/bin/python3", "tests/support/recorder.py", port, path, begin, server, NULL};
    running.pid = support_program_start(args, number, fixture_path("recorder.log"));
    (void)snprintf(running.url, sizeof(running.url), "http://127.0.0.1:%d/", number);
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = kind,
                                               .url = running.url,
                                               .files = files,
                                               .time_zone = vendor->time_zone,
                                               .user = vendor->user,
                                               .password = vendor->password,
                                               .options = vendor->options};
    if (okno_archive_open(&config, &running.archive, &err) < 0)
        fail_msg("%s: %s", kind, err.text);
    running.camera =
        (struct okno_extract_camera){.archive = running.archive, .channel = vendor->channel};
    return running;
}

static struct running start(const struct vendor *vendor)
{
    return start_as(vendor->kind, vendor->kind, "", vendor);
}

static void stop(struct running *running)
{
    okno_archive_close(running->archive);
    support_program_stop(running->pid);
}

static void check_coverage(const struct vendor *vendor, const struct running *r)
{
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) none = {0};
    if (okno_extract_spans(&r->camera, T0 + 30 * SECOND, T0 + 200 * SECOND, &spans, &err) < 0)
        fail_msg("%s: %s", vendor->kind, err.text);
    assert_int_equal(spans.len, 2);
    assert_int_equal(spans.items[0].from_us, T0 + 30 * SECOND);
    assert_int_equal(spans.items[0].to_us, T0 + 60 * SECOND);
    assert_int_equal(spans.items[1].from_us, T0 + 65 * SECOND);
    assert_int_equal(spans.items[1].to_us, T0 + 125 * SECOND);
    if (okno_extract_spans(&r->camera, T0 + 500 * SECOND, T0 + 600 * SECOND, &none, &err) < 0)
        fail_msg("%s: %s", vendor->kind, err.text);
    assert_int_equal(none.len, 0);
}

/* 12.45 s into the second stretch: frame 124, or as far off as the recorder admits. */
static void check_still(const struct vendor *vendor, const struct running *r)
{
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    struct okno_archive_caps caps;
    int64_t at = T0 + 77 * SECOND + 450000;
    (void)unlink(fixture_path("still.jpg"));
    if (okno_extract_still(&r->camera, at, fixture_path("still.jpg"), &result, &err) < 0)
        fail_msg("%s: %s", vendor->kind, err.text);
    okno_archive_caps(r->archive, &caps);
    int frame = fixture_film_frame("still.jpg");
    if (abs(frame - 24) > (caps.anchor_error_us >= SECOND))
        fail_msg("%s: frame %d", vendor->kind, frame);
    assert_true(result.media.first_frame_us > at - SECOND / RATE - 1000 &&
                result.media.first_frame_us <= at);
    okno_extract_result_free(&result);
}

static void check_hole(const struct vendor *vendor, const struct running *r)
{
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    struct okno_archive_caps caps;
    (void)unlink(fixture_path("clip.mp4"));
    if (okno_extract_clip(&r->camera, T0 + 55 * SECOND, T0 + 70 * SECOND, false,
                          fixture_path("clip.mp4"), &result, &err) < 0)
        fail_msg("%s: %s", vendor->kind, err.text);
    assert_true(result.media.got_from_us <= T0 + 55 * SECOND);
    okno_archive_caps(r->archive, &caps);
    /* Where the first frame may be as far off as the hole is long, nobody can say. */
    if (caps.anchor_error_us < 5 * SECOND) {
        assert_int_equal(result.media.gaps.len, 1);
        assert_true(llabs(result.media.gaps.items[0].from_us - T0 - 60 * SECOND) < 150000);
        assert_true(llabs(result.media.gaps.items[0].to_us - T0 - 65 * SECOND) < 150000);
    }
    okno_extract_result_free(&result);
}

static void a_recorder_gives_what_its_list_says_to_the_second(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(vendors); i++) {
        struct running r = start(&vendors[i]);
        check_coverage(&vendors[i], &r);
        check_still(&vendors[i], &r);
        check_hole(&vendors[i], &r);
        stop(&r);
    }
}

static void a_wrong_login_is_named(void **state)
{
    (void)state;
    static const struct vendor strangers[] = {
        {"frigate", "till", "anna", "wrong", "", "UTC"},
        {"flussonic", "till/1", "", "wrong", "", "UTC"},
        {"macroscop", "c1", "anna", "wrong", "", "UTC"},
        {"dahua", "1", "anna", "wrong", "", "UTC"},
        {"axis", "1", "anna", "wrong", "", "UTC"},
        {"moonfire", "a1-b2/main", "anna", "wrong", "", "UTC"},
        {"shinobi", "m7", "g1", "wrong", "", "UTC"},
        {"axxon", "SRV/DeviceIpint.1/SourceEndpoint.video:0:0", "anna", "wrong", "", "UTC"},
        {"hikvision", "101", "anna", "wrong", "times=utc", "UTC"}};
    for (size_t i = 0; i < OKNO_COUNT(strangers); i++) {
        struct running r = start(&strangers[i]);
        struct okno_err err = {0};
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        assert_int_equal(okno_extract_spans(&r.camera, T0, T0 + SECOND, &spans, &err),
                         OKNO_ARCHIVE_AUTH);
        assert_null(strstr(err.text, "wrong")); /* the password */
        stop(&r);
    }
}

static const struct vendor files_only = {"hikvision", "101",         "anna",
                                         "pass word", "times=local", "Europe/Moscow"};

static void a_recorder_that_gives_whole_files_only_says_so(void **state)
{
    (void)state;
    struct running r = start_as("hikfile", "hikvision", "", &files_only);
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    (void)unlink(fixture_path("still.jpg"));
    assert_int_equal(
        okno_extract_still(&r.camera, T0 + 77 * SECOND, fixture_path("still.jpg"), &result, &err),
        OKNO_ARCHIVE_REFUSED);
    assert_non_null(strstr(err.text, "download=file"));
    stop(&r);

    struct vendor whole = files_only;
    whole.options = "times=local download=file";
    r = start_as("hikfile", "hikvision", "", &whole);
    if (okno_extract_still(&r.camera, T0 + 77 * SECOND + 450000, fixture_path("still.jpg"), &result,
                           &err) < 0)
        fail_msg("%s", err.text);
    assert_in_range(fixture_film_frame("still.jpg"), 24, 25); /* 25 pictures a second of 10 */
    okno_extract_result_free(&result);
    stop(&r);
}

static void its_clock_is_what_its_wall_shows(void **state)
{
    (void)state;
    static const struct vendor axis = {"axis", "1", "anna", "pass word", "", "UTC"};
    const struct vendor *const told[] = {&files_only, &axis};
    for (size_t i = 0; i < OKNO_COUNT(told); i++) {
        struct running r = start(told[i]);
        struct okno_archive_clock clock = {0};
        struct okno_err err = {0};
        if (okno_archive_clock(r.archive, &clock, &err) < 0)
            fail_msg("%s: %s", told[i]->kind, err.text);
        assert_true(llabs(clock.offset_us - 37 * SECOND) <= clock.uncertainty_us);
        assert_true(clock.uncertainty_us >= SECOND / 2);
        stop(&r);
    }
    struct running silent = start(&vendors[0]); /* its profile tells none */
    struct okno_archive_clock clock = {0};
    struct okno_archive_caps caps;
    okno_archive_caps(silent.archive, &caps);
    assert_false(caps.flags & OKNO_ARCHIVE_CLOCK);
    assert_int_equal(okno_archive_clock(silent.archive, &clock, NULL), OKNO_UNSUPPORTED);
    stop(&silent);
}

static void searches_of_a_recorder_that_holds_two_are_ended(void **state)
{
    (void)state;
    static const struct vendor dahua = {"dahua", "1", "anna", "pass word", "", "Europe/Moscow"};
    struct running r = start(&dahua);
    struct okno_err err = {0};
    struct okno_archive_clock clock = {0};
    for (int i = 0; i < 5; i++) {
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        if (okno_extract_spans(&r.camera, T0 + (i % 2 ? 0 : 900) * SECOND, T0 + 1000 * SECOND,
                               &spans, &err) < 0)
            fail_msg("search %d: %s", i, err.text);
        assert_int_equal(spans.len, i % 2 ? 2 : 0);
    }
    assert_int_equal(okno_archive_clock(r.archive, &clock, &err), 0);
    assert_true(llabs(clock.offset_us - 37 * SECOND) <= clock.uncertainty_us);
    stop(&r);
}

static void what_its_times_mean_must_be_said(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct okno_archive_config config = {.archive = "nvr",
                                         .kind = "hikvision",
                                         .url = "http://127.0.0.1:1/",
                                         .files = "",
                                         .time_zone = "UTC",
                                         .user = "",
                                         .password = "",
                                         .options = ""};
    assert_int_equal(okno_archive_check(&config, &err), OKNO_INVALID);
    assert_string_equal(err.field, "options");
    assert_non_null(strstr(err.text, "times=utc or times=local"));
}

static void a_login_page_is_no_list(void **state)
{
    (void)state;
    struct running r = start_as("login", "mediamtx", "", &vendors[0]);
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    assert_int_equal(okno_extract_spans(&r.camera, T0, T0 + SECOND, &spans, &err), OKNO_PROTOCOL);
    stop(&r);
}

static const char own[] =
    "{\"about\": \"of our own\", \"times\": \"rfc3339\", \"length\": \"s\", \"coverage\": "
    "{\"path\": \"/list?path={channel}&start={from}&end={to}\", \"from\": \"start\", \"length\": "
    "\"duration\", \"none\": 404}, \"clip\": {\"path\": "
    "\"/get?path={channel}&start={from}&duration={length}&format=fmp4\", \"format\": \"mov\", "
    "\"time_zero_is_from\": true}}";

static void a_profile_of_ones_own_works_without_c(void **state)
{
    (void)state;
    char path[600];
    fixture_write("own.json", own, strlen(own));
    (void)snprintf(path, sizeof(path), "%s", fixture_path("own.json"));
    struct running r = start_as("mediamtx", "profile", path, &vendors[0]);
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    (void)unlink(fixture_path("still.jpg"));
    if (okno_extract_still(&r.camera, T0 + 20 * SECOND, fixture_path("still.jpg"), &result, &err) <
        0)
        fail_msg("%s", err.text);
    assert_int_equal(fixture_film_frame("still.jpg"), 0);
    okno_extract_result_free(&result);
    stop(&r);
}

/* One answer in XML: what it gives for the channel "1", or how it is refused. */
static void an_answer_in_xml_is_a_list_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        size_t rows;
    } cases[] = {
        {"<a><b><c s='1' f='1773151400' t='1773151410'/></b></a>", 0, 1},
        {"<a><b><c s='2' f='1773151400' t='1773151410'/></b></a>", 0, 0},
        {"<a><b><c><s>1</s><f>1773151400</f><t>1773151410</t></c></b></a>", 0, 1},
        {"<a><b><c s='1' f='1773151400' t=''/></b></a>", 0, 1}, /* still recorded */
        {"<a><b><d><c s='1' f='1773151400' t='1773151410'/></d></b></a>", 0, 0},
        {"<a><b/></a>", 0, 0},
        {"<a><b><c s='1' f='soon' t='1773151410'/></b></a>", OKNO_PROTOCOL, 0},
        {"<html><body>Log in</body></html>", OKNO_PROTOCOL, 0},
        {"<!DOCTYPE html><a><b/></a>", OKNO_PROTOCOL, 0},
        {"<a><b><c s='1' f='1773151400'", OKNO_PROTOCOL, 0},
        {"{}", OKNO_PROTOCOL, 0},
    };
    const struct profile profile = {.answer = "xml",
                                    .rows = "a.b.c",
                                    .row_channel = "s",
                                    .from = "f",
                                    .to = "t",
                                    .row_times = {"unix_s"}};
    const struct profile_values values = {
        .channel = "1", .from_us = T0, .to_us = T0 + 100 * SECOND};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        OKNO_AUTO_VEC(okno_span_vec) spans = {0};
        int rc =
            profile_spans(&profile, cases[i].text, strlen(cases[i].text), &values, &spans, NULL);
        if (rc != cases[i].code || spans.len != cases[i].rows)
            fail_msg("%s: %d, %zu rows", cases[i].text, rc, spans.len);
    }
}

static void what_is_wrong_in_a_profile_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *said;
    } wrongs[] = {
        {"\"times\": \"rfc3339\"", "\"times\": \"iso\"", "times"},
        {"\"times\": \"rfc3339\"", "\"time\": \"rfc3339\"", "time: not a word"},
        {"\"length\": \"s\"", "\"length\": \"h\"", "length"},
        {"\"none\": 404", "\"none\": 200", "none"},
        {"\"from\": \"start\", ", "", "from: missing"},
        {"\"duration\"", "\"duration\", \"to\": \"end\"", "either to or length"},
        {"\"/list", "\"list", "slash"},
    };
    for (size_t i = 0; i < OKNO_COUNT(wrongs); i++) {
        char text[1024];
        struct profile profile;
        struct okno_err err = {0};
        const char *at = strstr(own, wrongs[i].from);
        assert_non_null(at);
        (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - own), own, wrongs[i].to,
                       at + strlen(wrongs[i].from));
        assert_int_equal(profile_load(text, strlen(text), &profile, &err), OKNO_INVALID);
        assert_string_equal(err.field, "profile");
        if (!strstr(err.text, wrongs[i].said))
            fail_msg("%s: %s", wrongs[i].to, err.text);
    }
}

static void a_list_that_would_fill_the_memory_is_not_read(void **state)
{
    (void)state;
    enum { ITEMS = 450 * 1000 };
    static const struct {
        const char *item;
        int code;
    } cases[] = {{"{},", OKNO_TOO_LARGE}, {"1,1,1,1,1,", OKNO_TOO_LARGE}, {"   ", OKNO_PROTOCOL}};
    struct profile profile = {.rows = ""};
    const struct profile_values values = {.from_us = T0, .to_us = T0 + SECOND};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        size_t each = strlen(cases[i].item);
        size_t len = ITEMS * each + 16;
        OKNO_AUTO_VEC(okno_span_vec) spans = {0};
        okno_autofree char *text = calloc(1, len);
        assert_non_null(text);
        int used = snprintf(text, len, "{\"x\":[");
        for (int n = 0; n < ITEMS; n++, used += (int)each)
            memcpy(text + used, cases[i].item, each);
        (void)snprintf(text + used, len - (size_t)used, "0]}");
        assert_int_equal(profile_spans(&profile, text, strlen(text), &values, &spans, NULL),
                         cases[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorder_gives_what_its_list_says_to_the_second),
        cmocka_unit_test(a_wrong_login_is_named),
        cmocka_unit_test(a_recorder_that_gives_whole_files_only_says_so),
        cmocka_unit_test(its_clock_is_what_its_wall_shows),
        cmocka_unit_test(searches_of_a_recorder_that_holds_two_are_ended),
        cmocka_unit_test(what_its_times_mean_must_be_said),
        cmocka_unit_test(a_login_page_is_no_list),
        cmocka_unit_test(a_profile_of_ones_own_works_without_c),
        cmocka_unit_test(a_list_that_would_fill_the_memory_is_not_read),
        cmocka_unit_test(an_answer_in_xml_is_a_list_or_refused),
        cmocka_unit_test(what_is_wrong_in_a_profile_is_named),
    };
    return cmocka_run_group_tests(tests, film, fixture_end);
}

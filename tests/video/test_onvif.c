/* Recorders of ONVIF's profile G, against one of our own (tests/support/onvif.py). The brightness
 * of a picture tells which frame it is. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/archive/onvif.h"
#include "../../src/video/archive/soap.h"
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
#define MS INT64_C(1000)

enum { RATE = 10 };

static int film(void **state)
{
    int rc = fixture_begin(state);
    fixture_film("film.mp4", "libx264", RATE);
    return rc;
}

struct running {
    int pid;
    struct okno_archive *archive;
    struct okno_extract_camera camera;
};

/* `how`: words of onvif.py beyond the login, NULL for none. */
static struct running start_with(const char *how, const char *password, const char *channel,
                                 const char *options)
{
    struct running running = {0};
    struct okno_err err = {0};
    char port[16], begin[24], path[600], url[64];
    int number = support_free_port();
    (void)snprintf(port, sizeof(port), "%d", number);
    (void)snprintf(begin, sizeof(begin), "%lld", (long long)(T0 / SECOND));
    (void)snprintf(path, sizeof(path), "%s", fixture_path("film.mp4"));
    const char *const args[] = {"/usr/bin/python3", "tests/support/onvif.py", port, path, begin,
                                "user=an<na",       "password=pass word",     how,  NULL};
    running.pid = support_program_start(args, number, fixture_path("onvif.log"));
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", number);
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "onvif",
                                               .url = url,
                                               .files = "",
                                               .time_zone = "UTC",
                                               .user = "an<na",
                                               .password = password,
                                               .options = options};
    if (okno_archive_open(&config, &running.archive, &err) < 0)
        fail_msg("%s", err.text);
    running.camera = (struct okno_extract_camera){.archive = running.archive, .channel = channel};
    return running;
}

static struct running start(const char *how, const char *password, const char *channel)
{
    return start_with(how, password, channel, "");
}

static void stop(struct running *running)
{
    okno_archive_close(running->archive);
    support_program_stop(running->pid);
}

static void check_near(int64_t us, int64_t wanted_us, int64_t off_us)
{
    if (llabs(us - wanted_us) > off_us)
        fail_msg("%+lld us", (long long)(us - wanted_us));
}

static void check_coverage(const struct running *r, int from_s, int to_s)
{
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    if (okno_extract_spans(&r->camera, T0 + from_s * SECOND, T0 + to_s * SECOND, &spans, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(spans.len, 2);
    assert_int_equal(spans.items[0].from_us, T0 + (from_s > 0 ? from_s : 0) * SECOND);
    assert_int_equal(spans.items[0].to_us, T0 + 60 * SECOND);
    assert_int_equal(spans.items[1].from_us, T0 + 65 * SECOND);
    assert_int_equal(spans.items[1].to_us, T0 + 125 * SECOND);
}

static void check_still(const struct running *r)
{
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    int64_t at = T0 + 77 * SECOND + 450 * MS;
    (void)unlink(fixture_path("still.jpg"));
    if (okno_extract_still(&r->camera, at, fixture_path("still.jpg"), &result, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(fixture_film_frame("still.jpg"), 24);
    check_near(result.media.first_frame_us, T0 + 77 * SECOND + 400 * MS, MS);
    assert_int_equal(result.pieces.items[0].anchor, OKNO_ANCHOR_FRAME);
    okno_extract_result_free(&result);
}

static void check_hole(const struct running *r)
{
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    (void)unlink(fixture_path("clip.mp4"));
    if (okno_extract_clip(&r->camera, T0 + 55 * SECOND + 500 * MS, T0 + 70 * SECOND, false,
                          fixture_path("clip.mp4"), &result, &err) < 0)
        fail_msg("%s", err.text);
    check_near(result.media.got_from_us, T0 + 54 * SECOND, MS); /* the key frame before */
    assert_int_equal(fixture_film_frame("clip.mp4"), 540 % 50);
    assert_int_equal(result.media.gaps.len, 1);
    check_near(result.media.gaps.items[0].from_us, T0 + 60 * SECOND, MS);
    check_near(result.media.gaps.items[0].to_us, T0 + 65 * SECOND, MS);
    okno_extract_result_free(&result);
}

static void what_the_recorder_lists_is_what_it_replays(void **state)
{
    (void)state;
    static const char *const ways[] = {NULL, "soap=old", "login=http"};
    for (size_t i = 0; i < OKNO_COUNT(ways); i++) {
        struct running r = start(ways[i], "pass word", "REC&1");
        for (int n = 0; n < 3; n++) /* it holds two searches at a time */
            check_coverage(&r, n == 0 ? 30 : -10, 200);
        check_still(&r);
        if (i == 0)
            check_hole(&r);
        stop(&r);
    }
}

static void outer_bounds_stand_in_for_events(void **state)
{
    (void)state;
    struct running r = start("soap=bounds", "pass word", "REC&1");
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    assert_int_equal(
        okno_extract_spans(&r.camera, T0 + 30 * SECOND, T0 + 200 * SECOND, &spans, &err), 0);
    assert_int_equal(spans.len, 1);
    assert_int_equal(spans.items[0].to_us, T0 + 125 * SECOND);
    check_hole(&r); /* the frames know better */
    stop(&r);
}

/* Behind a router that gives the replay's port another number. */
static void the_port_of_replays_can_be_said(void **state)
{
    (void)state;
    char how[32], options[32];
    int port = support_free_port();
    (void)snprintf(how, sizeof(how), "rtsp=%d", port); /* it names 554 */
    (void)snprintf(options, sizeof(options), "rtsp_port=%d", port);
    struct running r = start_with(how, "pass word", "REC&1", options);
    check_still(&r);
    stop(&r);
}

static void ways_that_are_not_spoken_are_refused_at_once(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    struct okno_archive *archive = NULL;
    struct running r = start("soap=tls", "pass word", "REC&1");
    assert_int_equal(
        okno_extract_still(&r.camera, T0 + 77 * SECOND, fixture_path("no.jpg"), &result, &err),
        OKNO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "rtsps only"));
    stop(&r);
    static const char *const urls[] = {"rtsps://127.0.0.1", "http://127.0.0.1"};
    for (size_t i = 0; i < OKNO_COUNT(urls); i++) {
        const struct okno_archive_config config = {
            .archive = "nvr", .kind = "rtsp", .url = urls[i], .files = "/x"};
        err = (struct okno_err){0};
        assert_int_equal(okno_archive_open(&config, &archive, &err), OKNO_INVALID);
        assert_non_null(strstr(err.text, "tunnel"));
    }
}

static void trouble_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *how, *password, *channel;
        int code;
        const char *said;
    } rows[] = {
        {NULL, "wrong", "REC&1", OKNO_ARCHIVE_AUTH, "Sender not authorized"},
        {"login=http", "wrong", "REC&1", OKNO_ARCHIVE_AUTH, "(401)"},
        {NULL, "pass word", "camera 1", OKNO_ARCHIVE_REFUSED, "there are: REC&1 (Till 1)"},
        {"soap=search", "pass word", "REC&1", OKNO_UNSUPPORTED, "no replay service"},
        {"soap=page", "pass word", "REC&1", OKNO_PROTOCOL, "no list of services"},
        {"soap=cut", "pass word", "REC&1", OKNO_PROTOCOL, "no list of services"},
    };
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        struct running r = start(rows[i].how, rows[i].password, rows[i].channel);
        struct okno_err err = {0};
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        int rc = okno_extract_spans(&r.camera, T0, T0 + 60 * SECOND, &spans, &err);
        if (rc != rows[i].code || !strstr(err.text, rows[i].said) || strstr(err.text, "wrong"))
            fail_msg("row %zu: %d, %s", i, rc, err.text);
        stop(&r);
    }
}

static void its_clock_is_asked_without_a_login(void **state)
{
    (void)state;
    struct running r = start(NULL, "wrong", "REC&1");
    struct okno_archive_clock clock = {0};
    struct okno_err err = {0};
    if (okno_archive_clock(r.archive, &clock, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(llabs(clock.offset_us - 37 * SECOND) <= clock.uncertainty_us);
    assert_string_equal(clock.method, "onvif");
    stop(&r);
}

/* --- without a recorder ----------------------------------------------------------------------- */

static void the_digest_is_the_one_of_the_standards(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } rows[] = {{"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
                {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
                {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                 "84983e441c3bd26ebaae4aa1f95129e5e54670f1"}};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        uint8_t digest[SOAP_SHA1];
        char hex[2 * SOAP_SHA1 + 1];
        soap_sha1(rows[i].text, strlen(rows[i].text), digest);
        for (size_t k = 0; k < SOAP_SHA1; k++)
            (void)snprintf(hex + 2 * k, 3, "%02x", digest[k]);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void spans_follow_from_events(void **state)
{
    (void)state;
    /* Times since T0 in seconds; p: present, a: absent, P and A: so at the start. Outer bounds 0 to
     * 1000, now 2000. */
    static const struct {
        const char *events;
        int from, to;
        const char *spans;
    } rows[] = {
        {"p10 a20 p30 a40", 0, 50, "10-20 30-40"},
        {"p30 a20 a40 p10", 0, 50, "10-20 30-40"}, /* unsorted */
        {"a20 p30", 0, 50, "0-20 30-50"},          /* no start state; still going on */
        {"p0 p10 a20", 5, 50, "5-20"},             /* said twice */
        {"A6 p30", 5, 50, "30-50"},                /* told by rounded seconds */
        {"P6 a30", 5, 50, "5-30"},
        {"a5", 5, 50, ""},           /* nothing there */
        {"p5", 5, 50, "5-50"},       /* all of it */
        {"", 900, 1100, "900-1000"}, /* no events: the outer bounds */
        {"p900", 900, 1100, "900-1000"},
        {"p1050", 900, 1100, "1050-1100"}, /* bounds told late */
    };
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        OKNO_AUTO_VEC(onvif_event_vec) events = {0};
        OKNO_AUTO_VEC(okno_span_vec) spans = {0};
        const struct onvif_recording recording = {.from_us = T0, .to_us = T0 + 1000 * SECOND};
        char text[128] = "";
        for (const char *at = rows[i].events; *at; at += strcspn(at, " "), at += *at == ' ') {
            struct onvif_event event = {.at_us = T0 + strtol(at + 1, NULL, 10) * SECOND,
                                        .present = *at == 'p' || *at == 'P',
                                        .start = *at == 'P' || *at == 'A'};
            assert_int_equal(onvif_event_vec_push(&events, event), 0);
        }
        assert_int_equal(onvif_spans(&events, &recording, T0 + rows[i].from * SECOND,
                                     T0 + rows[i].to * SECOND, T0 + 2000 * SECOND, &spans, NULL),
                         0);
        for (size_t k = 0; k < spans.len; k++)
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%lld-%lld",
                           k ? " " : "", (long long)((spans.items[k].from_us - T0) / SECOND),
                           (long long)((spans.items[k].to_us - T0) / SECOND));
        assert_string_equal(text, rows[i].spans);
    }
}

static void named_addresses_stay_at_the_configured_host(void **state)
{
    (void)state;
    char url[ONVIF_URL];
    assert_int_equal(onvif_at_home("https://nvr.shop:8443/x", "rtsp://u:p@10.0.0.1:8554/a?b=c",
                                   "rtsp", "", url, sizeof(url), NULL),
                     0);
    assert_string_equal(url, "rtsp://nvr.shop:8554/a?b=c");
    assert_int_equal(
        onvif_at_home("http://[fd00::1]:80/x", "http://h/a", "http", NULL, url, sizeof(url), NULL),
        0);
    assert_string_equal(url, "http://[fd00::1]:80/a");
    assert_int_equal(onvif_at_home("http://h", "rtsp://g?x", "rtsp", "", url, sizeof(url), NULL),
                     0);
    assert_string_equal(url, "rtsp://h?x");
    assert_int_equal(
        onvif_at_home("http://h:80", "rtsp://g:554/x", "rtsp", "1554", url, sizeof(url), NULL), 0);
    assert_string_equal(url, "rtsp://h:1554/x");
    assert_int_equal(onvif_at_home("http://h", "", "rtsp", "", url, sizeof(url), NULL),
                     OKNO_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_recorder_lists_is_what_it_replays),
        cmocka_unit_test(outer_bounds_stand_in_for_events),
        cmocka_unit_test(the_port_of_replays_can_be_said),
        cmocka_unit_test(ways_that_are_not_spoken_are_refused_at_once),
        cmocka_unit_test(trouble_is_named),
        cmocka_unit_test(its_clock_is_asked_without_a_login),
        cmocka_unit_test(the_digest_is_the_one_of_the_standards),
        cmocka_unit_test(spans_follow_from_events),
        cmocka_unit_test(named_addresses_stay_at_the_configured_host),
    };
    return cmocka_run_group_tests(tests, film, fixture_end);
}

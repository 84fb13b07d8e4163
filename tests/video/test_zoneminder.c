/* ZoneMinder, against a server that behaves as the real one was met (tests/support/zoneminder.py);
 * the real one is run by `make test-archives`. The brightness of a picture tells which frame it is.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/archive/events.h"
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

/* 2026-03-10T14:03:20Z. Three events of 20 s that are over, the files of which begin a second
 * before their times; a fourth one runs. */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

enum { RATE = 10, SHADES = 50 };

static int film(void **state)
{
    int rc = fixture_begin(state);
    fixture_ffmpeg(
        "-f lavfi -i color=black:s=64x48:r=10:d=61 -vf "
        "geq=lum='20+4*mod(N\\,50)':cb=128:cr=128 -c:v libx264 -preset ultrafast "
        "-crf 5 -g 10 -bf 0 film.mp4");
    fixture_ffmpeg("-ss 0 -t 21 -i film.mp4 -c copy 1.mp4");
    fixture_ffmpeg("-ss 20 -t 21 -i film.mp4 -c copy 2.mp4");
    fixture_ffmpeg("-ss 40 -t 21 -i film.mp4 -c copy 3.mp4");
    return rc;
}

struct running {
    int pid;
    struct okno_archive *archive;
    struct okno_extract_camera camera;
};

static struct running start(const char *mode, const char *user, const char *password)
{
    struct running running = {0};
    struct okno_err err = {0};
    char port[16], begin[24], folder[600], url[64];
    int number = support_free_port();
    (void)snprintf(port, sizeof(port), "%d", number);
    (void)snprintf(begin, sizeof(begin), "%lld", (long long)(T0 / SECOND));
    (void)snprintf(folder, sizeof(folder), "%s", fixture_path("."));
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/zm/", number);
    const char *const args[] = {
        "/usr/bin/python3", "tests/support/zoneminder.py", port, folder, begin, mode, NULL};
    running.pid = support_program_start(args, number, fixture_path("zoneminder.log"));
    const struct okno_archive_config config = {.archive = "zm",
                                               .kind = "zoneminder",
                                               .url = url,
                                               .files = "",
                                               .time_zone = "UTC", /* the server tells its own */
                                               .user = user,
                                               .password = password,
                                               .options = ""};
    if (okno_archive_open(&config, &running.archive, &err) < 0)
        fail_msg("%s", err.text);
    running.camera = (struct okno_extract_camera){.archive = running.archive, .channel = "3"};
    return running;
}

static void stop(struct running *running)
{
    okno_archive_close(running->archive);
    support_program_stop(running->pid);
}

/* The shade of a picture, from 0 to SHADES - 1. */
static int shade_of(const char *name)
{
    size_t len = 0;
    okno_autofree uint8_t *grey = fixture_grey(name, 0, &len);
    double sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += grey[i];
    return (int)((16 + sum / (double)len * 219 / 255 - 20) / 4 + 0.5);
}

static void still_is_right(const struct running *r, int64_t after_us)
{
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    (void)unlink(fixture_path("still.jpg"));
    if (okno_extract_still(&r->camera, T0 + after_us, fixture_path("still.jpg"), &result, &err) < 0)
        fail_msg("%s", err.text);
    /* The film began a second before T0. */
    int off = (int)((after_us + SECOND) * RATE / SECOND) % SHADES - shade_of("still.jpg");
    off = off > SHADES / 2 ? off - SHADES : off < -SHADES / 2 ? off + SHADES : off;
    if (abs(off) > 3 * RATE / 2)
        fail_msg("%d frames beside", off);
    okno_extract_result_free(&result);
}

static void events_are_one_recording_to_the_second(void **state)
{
    (void)state;
    static const char *const modes[] = {"plain", "open", "expires"};
    for (size_t i = 0; i < OKNO_COUNT(modes); i++) {
        bool open = strcmp(modes[i], "open") == 0;
        struct running r = start(modes[i], open ? "" : "anna", open ? "" : "se&cret +");
        struct okno_err err = {0};
        struct okno_extract_result result = {0};
        still_is_right(&r, 5 * SECOND + 450000);
        still_is_right(&r, 33 * SECOND);
        (void)unlink(fixture_path("clip.mp4"));
        if (okno_extract_clip(&r.camera, T0 + 10 * SECOND, T0 + 50 * SECOND, false,
                              fixture_path("clip.mp4"), &result, &err) < 0)
            fail_msg("%s: %s", modes[i], err.text);
        assert_int_equal(result.media.gaps.len, 0);
        assert_true(result.media.got_from_us <= T0 + 10 * SECOND);
        okno_extract_result_free(&result);
        stop(&r);
    }
}

static void all_pages_are_read_and_what_still_runs_is_listed(void **state)
{
    (void)state;
    struct running r = start("plain", "anna", "se&cret +");
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) inside = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) none = {0};
    if (okno_extract_spans(&r.camera, T0 - 600 * SECOND, T0 + 600 * SECOND, &spans, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(spans.len, 1);
    assert_true(llabs(spans.items[0].from_us - T0) <= 2 * SECOND);
    assert_int_equal(spans.items[0].to_us, T0 + 600 * SECOND); /* it runs */
    assert_true(spans.items[0].flags & OKNO_SPAN_GROWING);
    /* A window inside an event. */
    if (okno_extract_spans(&r.camera, T0 + 25 * SECOND, T0 + 30 * SECOND, &inside, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(inside.len, 1);
    assert_int_equal(inside.items[0].from_us, T0 + 25 * SECOND);
    assert_int_equal(inside.items[0].to_us, T0 + 30 * SECOND);
    assert_int_equal(
        okno_extract_spans(&r.camera, T0 - 600 * SECOND, T0 - 500 * SECOND, &none, &err), 0);
    assert_int_equal(none.len, 0);
    stop(&r);
}

static int still_of(const char *mode, int64_t after_us, struct okno_err *err)
{
    struct running r = start(mode, "anna", "se&cret +");
    struct okno_extract_result result = {0};
    int rc = okno_extract_still(&r.camera, T0 + after_us, fixture_path("none.jpg"), &result, err);
    okno_extract_result_free(&result);
    stop(&r);
    return rc;
}

static void a_running_event_is_waited_for(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(still_of("plain", 75 * SECOND, &err), OKNO_NOT_YET);
    assert_int_equal(err.retry_us, 60 * SECOND);
}

static void an_event_without_its_file_is_gone(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(still_of("lost", 30 * SECOND, &err), OKNO_GONE);
}

static void another_answer_is_no_list(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(still_of("other", 30 * SECOND, &err), OKNO_PROTOCOL);
}

static void a_wrong_login_is_named_without_the_password(void **state)
{
    (void)state;
    struct running r = start("plain", "anna", "mistaken");
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    assert_int_equal(okno_extract_spans(&r.camera, T0, T0 + SECOND, &spans, &err),
                     OKNO_ARCHIVE_AUTH);
    assert_null(strstr(err.text, "mistaken"));
    stop(&r);
}

/* --- the hour that happens twice: 2026-10-25 in Berlin, 02:00 to 03:00 -------------------------
 */

#define AUTUMN INT64_C(1792886400000000) /* 2026-10-25T00:00:00Z: 02:00 for the first time */
#define MINUTE (60 * SECOND)

static void autumn(const char *json, struct okno_piece_vec *pieces)
{
    struct okno_err err = {0};
    bool more = true;
    OKNO_AUTO(okno_zone) *zone = NULL;
    OKNO_AUTO_VEC(event_vec) events = {0};
    okno_autojson json_t *answer = json_loads(json, 0, NULL);
    assert_int_equal(okno_zone_open("Europe/Berlin", &zone, &err), 0);
    assert_int_equal(events_read(answer, &events, &more, &err), 0);
    assert_false(more);
    const struct events_request request = {.zone = zone,
                                           .from_us = AUTUMN - 180 * MINUTE,
                                           .to_us = AUTUMN + 300 * MINUTE,
                                           .now_us = AUTUMN + 900 * MINUTE};
    assert_int_equal(events_pieces(&events, &request, pieces, &err), 0);
}

#define EVENT(id, start, end)                                                                      \
    "{\"Event\": {\"Id\": \"" id "\", \"StartDateTime\": \"2026-10-25 " start                      \
    "\", \"EndDateTime\": \"2026-10-25 " end "\", \"Length\": \"1800.00\"}}"

static void a_doubled_hour_is_decided_by_the_order_of_events(void **state)
{
    (void)state;
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    autumn("{\"events\": [" EVENT("11", "01:30:00", "02:00:00") "," EVENT(
               "14", "02:00:00", "02:30:00") "," EVENT("12", "02:00:00",
                                                       "02:30:00") "," EVENT("13", "02:30:00",
                                                                             "02:00:00") "]}",
           &pieces);
    assert_int_equal(pieces.len, 4);
    for (size_t i = 0; i < pieces.len; i++) {
        int64_t right = AUTUMN + ((int64_t)i - 1) * 30 * MINUTE;
        assert_true(llabs(pieces.items[i].from_us - right) <= pieces.items[i].error_us);
        assert_false(pieces.items[i].flags & OKNO_SPAN_AMBIGUOUS);
    }
}

static void a_lone_event_of_a_doubled_hour_has_both_meanings(void **state)
{
    (void)state;
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    autumn("{\"events\": [" EVENT("12", "02:10:00", "02:40:00") "]}", &pieces);
    assert_int_equal(pieces.len, 2);
    assert_true(pieces.items[0].flags & pieces.items[1].flags & OKNO_SPAN_AMBIGUOUS);
    assert_int_equal(pieces.items[1].from_us - pieces.items[0].from_us, 60 * MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_one_recording_to_the_second),
        cmocka_unit_test(all_pages_are_read_and_what_still_runs_is_listed),
        cmocka_unit_test(a_running_event_is_waited_for),
        cmocka_unit_test(an_event_without_its_file_is_gone),
        cmocka_unit_test(another_answer_is_no_list),
        cmocka_unit_test(a_wrong_login_is_named_without_the_password),
        cmocka_unit_test(a_doubled_hour_is_decided_by_the_order_of_events),
        cmocka_unit_test(a_lone_event_of_a_doubled_hour_has_both_meanings),
    };
    return cmocka_run_group_tests(tests, film, fixture_end);
}

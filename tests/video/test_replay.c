/* Archives that are replayed over RTSP, against a recorder of our own (tests/support/replay.py).
 * The brightness of a picture tells which frame it is. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/archive/rtp.h"
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
    fixture_film("h264.mp4", "libx264", RATE);
    fixture_film("h265.mp4", "libx265 -x265-params log-level=none:bframes=0", RATE);
    return rc;
}

/* What a recorder does, and how its archive is described. */
struct recorder {
    const char *film, *options[4]; /* of replay.py */
    const char *files, *user, *password, *archive_options, *time_zone;
};

static const struct recorder by_clock = {
    .film = "h264.mp4", .files = "/replay/{channel}", .time_zone = "UTC"};
static const struct recorder by_url = {
    .film = "h264.mp4",
    .options = {"mode=plain", "pace=40", "zone=3", "end=close"},
    .files = "/playback?track={channel}&starttime={from}&endtime={to}",
    .archive_options = "times=%Y_%m_%dT%H_%M_%S",
    .time_zone = "Europe/Moscow"};

struct running {
    int pid, port;
    struct okno_archive *archive;
    struct okno_extract_camera camera;
};

static struct running start(const struct recorder *recorder)
{
    struct running running = {0};
    struct okno_err err = {0};
    char port[16], begin[24], path[600], url[64], user[80], password[80];
    int number = support_free_port();
    running.port = number;
    (void)snprintf(port, sizeof(port), "%d", number);
    (void)snprintf(begin, sizeof(begin), "%lld", (long long)(T0 / SECOND));
    (void)snprintf(path, sizeof(path), "%s", fixture_path(recorder->film));
    (void)snprintf(user, sizeof(user), "user=%s", recorder->user ? recorder->user : "");
    (void)snprintf(password, sizeof(password), "password=%s",
                   recorder->password ? recorder->password : "");
    const char *args[16] = {
        "/usr/bin/python3", "tests/support/replay.py", port, path, begin, user, password};
    for (size_t i = 0; i < OKNO_COUNT(recorder->options) && recorder->options[i]; i++)
        args[7 + i] = recorder->options[i];
    running.pid = support_program_start(args, number, fixture_path("replay.log"));
    (void)snprintf(url, sizeof(url), "rtsp://127.0.0.1:%d/", number);
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "rtsp",
                                               .url = url,
                                               .files = recorder->files,
                                               .time_zone = recorder->time_zone,
                                               .user = recorder->user,
                                               .password = recorder->password,
                                               .options = recorder->archive_options};
    if (okno_archive_open(&config, &running.archive, &err) < 0)
        fail_msg("%s", err.text);
    running.camera = (struct okno_extract_camera){.archive = running.archive, .channel = "till"};
    return running;
}

static void stop(struct running *running)
{
    okno_archive_close(running->archive);
    support_program_stop(running->pid);
}

static void spans_of(const struct running *r, int from_s, int to_s,
                     struct okno_extract_span_vec *spans)
{
    struct okno_err err = {0};
    if (okno_extract_spans(&r->camera, T0 + from_s * SECOND, T0 + to_s * SECOND, spans, &err) < 0)
        fail_msg("%s", err.text);
}

static void check_near(int64_t us, int64_t wanted_us, int64_t off_us)
{
    if (llabs(us - wanted_us) > off_us)
        fail_msg("%+lld us", (long long)(us - wanted_us));
}

static struct okno_extract_result clip(const struct running *r, int64_t from_us, int64_t to_us)
{
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    (void)unlink(fixture_path("clip.mp4"));
    if (okno_extract_clip(&r->camera, from_us, to_us, false, fixture_path("clip.mp4"), &result,
                          &err) < 0)
        fail_msg("%s", err.text);
    return result;
}

/* The number of the frame shown at a moment of the first or second stretch. */
static int frame_at(int64_t us)
{
    int64_t since = us - T0 - (us >= T0 + 65 * SECOND ? 65 * SECOND : 0);
    return (int)(since * RATE / SECOND % 50);
}

static void check_still(const struct running *r, int64_t at_us, int64_t error_us)
{
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    (void)unlink(fixture_path("still.jpg"));
    if (okno_extract_still(&r->camera, at_us, fixture_path("still.jpg"), &result, &err) < 0)
        fail_msg("%s", err.text);
    int off = fixture_film_frame("still.jpg") - frame_at(result.media.first_frame_us + MS);
    off = (off + 75) % 50 - 25; /* the count begins anew every 5 s */
    if (llabs(off) > error_us * RATE / SECOND)
        fail_msg("shows frame %+d", off);
    assert_true(result.media.first_frame_us <= at_us &&
                result.media.first_frame_us > at_us - SECOND / RATE - MS);
    okno_extract_result_free(&result);
}

static void frames_lie_where_the_recorder_says(void **state)
{
    (void)state;
    static const char *const films[] = {"h264.mp4", "h265.mp4"};
    for (size_t i = 0; i < OKNO_COUNT(films); i++) {
        struct recorder recorder = by_clock;
        recorder.film = films[i];
        struct running r = start(&recorder);
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        spans_of(&r, 30, 200, &spans);
        assert_int_equal(spans.len, 2);
        check_near(spans.items[0].from_us, T0 + 30 * SECOND, 0);
        check_near(spans.items[0].to_us, T0 + 60 * SECOND, MS);
        check_near(spans.items[1].from_us, T0 + 65 * SECOND, MS);
        check_near(spans.items[1].to_us, T0 + 125 * SECOND, MS);
        check_still(&r, T0 + 77 * SECOND + 450 * MS, 0);
        check_still(&r, T0 + 59 * SECOND + 950 * MS, 0);
        struct okno_extract_result got = clip(&r, T0 + 55 * SECOND + 500 * MS, T0 + 70 * SECOND);
        check_near(got.media.got_from_us, T0 + 54 * SECOND, MS); /* the key frame before */
        assert_int_equal(fixture_film_frame("clip.mp4"), frame_at(T0 + 54 * SECOND));
        assert_int_equal(got.media.gaps.len, 1);
        check_near(got.media.gaps.items[0].from_us, T0 + 60 * SECOND, MS);
        check_near(got.media.gaps.items[0].to_us, T0 + 65 * SECOND, MS);
        assert_int_equal(got.pieces.items[0].anchor, OKNO_ANCHOR_FRAME);
        okno_extract_result_free(&got);
        stop(&r);
    }
}

/* The hole lies at seconds 60 to 65, the end at 125; a key frame every two seconds. */
static void a_hole_at_either_side_is_told_and_the_rest_is_kept(void **state)
{
    (void)state;
    static const struct {
        int from_ms, to_ms;         /* asked */
        int got_from_ms, got_to_ms; /* of the clip */
        int gap_from_ms, gap_to_ms;
        size_t spans;
    } rows[] = {
        {62000, 72000, 65000, 72000, 62000, 65000, 1},       /* begins in it */
        {50000, 63000, 50000, 60000, 60000, 63000, 1},       /* ends in it */
        {59900, 65100, 58000, 65100, 60000, 65000, 2},       /* a frame at either side */
        {60000, 70000, 65000, 70000, 60000, 65000, 1},       /* begins where it begins */
        {50000, 65000, 50000, 60000, 60000, 65000, 1},       /* ends where it ends */
        {120000, 140000, 119000, 125000, 125000, 140000, 1}, /* over the end */
        {-10000, 8000, 0, 8000, -10000, 0, 1},               /* before the beginning */
        {61000, 64000, 0, 0, 0, 0, 0},                       /* nothing but the hole */
    };
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        struct running r = start(&by_clock);
        int64_t from_us = T0 + rows[i].from_ms * MS, to_us = T0 + rows[i].to_ms * MS;
        struct okno_err err = {0};
        struct okno_extract_result got = {0};
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        (void)unlink(fixture_path("clip.mp4"));
        int rc = okno_extract_clip(&r.camera, from_us, to_us, false, fixture_path("clip.mp4"), &got,
                                   &err);
        if (rc != (rows[i].spans ? 0 : OKNO_NO_COVERAGE))
            fail_msg("row %zu: %d, %s", i, rc, err.text);
        if (okno_extract_spans(&r.camera, from_us, to_us, &spans, &err) < 0)
            fail_msg("row %zu: %s", i, err.text);
        assert_int_equal(spans.len, rows[i].spans);
        stop(&r);
        if (rc < 0)
            continue;
        check_near(got.media.got_from_us, T0 + rows[i].got_from_ms * MS, MS);
        check_near(got.media.got_to_us, T0 + rows[i].got_to_ms * MS, SECOND / RATE);
        assert_int_equal(got.media.gaps.len, 1);
        check_near(got.media.gaps.items[0].from_us, T0 + rows[i].gap_from_ms * MS, MS);
        check_near(got.media.gaps.items[0].to_us, T0 + rows[i].gap_to_ms * MS, MS);
        okno_extract_result_free(&got);
    }
}

static void a_replay_in_real_time_begins_near_what_was_asked(void **state)
{
    (void)state;
    struct recorder recorder = by_url;
    recorder.user = "anna";
    recorder.password = "pass word";
    struct running r = start(&recorder);
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    spans_of(&r, 10, 40, &spans);
    assert_int_equal(spans.len, 1);
    check_near(spans.items[0].from_us, T0 + 10 * SECOND, 5 * SECOND);
    check_near(spans.items[0].to_us, T0 + 40 * SECOND, 5 * SECOND);
    assert_int_equal(spans.items[0].error_us, 5 * SECOND);
    check_still(&r, T0 + 23 * SECOND + 450 * MS, 2 * SECOND); /* its key frames */
    struct okno_extract_result got = clip(&r, T0 + 20 * SECOND, T0 + 31 * SECOND);
    assert_int_equal(got.pieces.items[0].anchor, OKNO_ANCHOR_REQUEST);
    assert_int_equal(got.pieces.items[0].error_us, 5 * SECOND);
    assert_int_equal(got.media.gaps.len, 0);
    okno_extract_result_free(&got);
    stop(&r);
}

/* How often the recorder was asked for a replay. */
static int replays(void)
{
    char line[1024];
    int count = 0;
    okno_autofclose FILE *log = fopen(fixture_path("replay.log"), "re");
    assert_non_null(log);
    while (fgets(line, sizeof(line), log))
        count += strncmp(line, "DESCRIBE ", 9) == 0;
    return count;
}

static void what_a_look_brought_serves_still_and_clip(void **state)
{
    (void)state;
    static const struct recorder *const ways[] = {&by_url, &by_clock};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    for (size_t i = 0; i < OKNO_COUNT(ways); i++) {
        struct running r = start(ways[i]);
        int64_t error_us = i == 0 ? 2 * SECOND : 0;
        int before = replays();
        spans.len = 0;
        spans_of(&r, 10, 40, &spans);
        spans_of(&r, 12, 38, &spans);
        assert_int_equal(spans.len, 2);
        check_near(spans.items[1].from_us, T0 + 12 * SECOND, 0);
        check_still(&r, T0 + 23 * SECOND + 450 * MS, error_us);
        struct okno_extract_result got = clip(&r, T0 + 10 * SECOND, T0 + 40 * SECOND);
        assert_true(got.media.got_from_us <= T0 + 10 * SECOND);
        assert_true(got.media.got_to_us >= T0 + 39 * SECOND);
        okno_extract_result_free(&got);
        assert_int_equal(replays(), before + 1);
        check_still(&r, T0 + 52 * SECOND + 450 * MS, error_us); /* outside */
        assert_int_equal(replays(), before + 2);
        stop(&r);
    }
    /* What ended early is asked for again. */
    struct recorder early = by_url;
    early.options[3] = "fault=close";
    struct running r = start(&early);
    int before = replays();
    spans_of(&r, 10, 40, &spans);
    spans_of(&r, 10, 40, &spans);
    assert_int_equal(replays(), before + 2);
    stop(&r);
}

static void a_long_replay_is_kept_alive(void **state)
{
    (void)state;
    struct recorder recorder = by_url;
    recorder.options[1] = "pace=10"; /* 4 s and what is asked before them */
    recorder.options[3] = "timeout=2";
    struct running r = start(&recorder);
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    spans_of(&r, 10, 50, &spans);
    assert_int_equal(spans.len, 1);
    check_near(spans.items[0].to_us, T0 + 50 * SECOND, 5 * SECOND);
    stop(&r);
}

static void what_was_never_recorded_is_no_error(void **state)
{
    (void)state;
    struct running r = start(&by_clock);
    struct okno_err err = {0};
    struct okno_extract_result result = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    spans_of(&r, 900, 960, &spans);
    assert_int_equal(spans.len, 0);
    assert_int_equal(
        okno_extract_still(&r.camera, T0 + 900 * SECOND, fixture_path("none.jpg"), &result, &err),
        OKNO_NO_COVERAGE);
    err = (struct okno_err){0};
    assert_int_equal(okno_extract_spans(&r.camera, T0, T0 + 9000 * SECOND, &spans, &err),
                     OKNO_TOO_LONG);
    stop(&r);
}

/* What goes wrong on the way, and what becomes of asking for seconds 50 to 70. */
static void trouble_on_the_way_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        int code;
        const char *said;
        int64_t to_s; /* of what came all the same; 0: nothing */
    } rows[] = {
        {"fault=401@DESCRIBE", OKNO_ARCHIVE_AUTH, "a login is required (401)", 0},
        {"fault=403@SETUP", OKNO_ARCHIVE_AUTH, "forbidden (403)", 0},
        {"fault=453", OKNO_ARCHIVE_BUSY, "no bandwidth left", 0},
        {"fault=503", OKNO_ARCHIVE_BUSY, "it asks to wait 7 s", 0},
        {"fault=454", OKNO_TRANSIENT, "forgot the session", 0},
        {"fault=461@SETUP", OKNO_ARCHIVE_REFUSED, "not send over TCP", 0},
        {"fault=500", OKNO_TRANSIENT, "status 500", 0},
        {"fault=sdp", OKNO_PROTOCOL, "cannot be read", 0},
        {"fault=codec", OKNO_UNSUPPORTED, "codec VP8", 0},
        {"fault=404@DESCRIBE", 0, "", 0},
        {"fault=457", 0, "", 0},
        {"fault=no-t", 0, "", 70},      /* and silence */
        {"fault=close", 0, "", 58},     /* half of the frames */
        {"fault=early", 0, "", 70},     /* a packet before there is a description */
        {"fault=chatter", 0, "", 70},   /* reports go on behind the last frame */
        {"fault=elsewhere", 0, "", 70}, /* a base at another host is not asked */
    };
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        struct recorder recorder = by_clock;
        struct okno_err err = {0};
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        recorder.options[0] = rows[i].fault;
        struct running r = start(&recorder);
        int rc = okno_extract_spans(&r.camera, T0 + 50 * SECOND, T0 + 70 * SECOND, &spans, &err);
        int64_t to_us = spans.len ? spans.items[spans.len - 1].to_us : 0;
        if (rc != rows[i].code || !strstr(err.text, rows[i].said))
            fail_msg("%s: %s", rows[i].fault, err.text);
        if (rows[i].to_s && llabs(to_us - T0 - rows[i].to_s * SECOND) > SECOND)
            fail_msg("%s: until %+lld", rows[i].fault, (long long)(to_us - T0));
        stop(&r);
    }
}

/* Answers and packets that no recorder should send: what becomes of asking for seconds 50 to 70
 * when all of it may take eight seconds. */
static void harm_on_the_way_is_held_in_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        int code;
        const char *said;
    } rows[] = {
        {"fault=header@DESCRIBE", OKNO_PROTOCOL, "more than is taken"},
        {"fault=headers@DESCRIBE", OKNO_TRANSIENT, "Too large response headers"},
        {"fault=letter@DESCRIBE", OKNO_TIMEOUT, "time"},
        {"fault=letter@SETUP", OKNO_TIMEOUT, "time"},
        {"fault=letter@PLAY", OKNO_TIMEOUT, "time"},
        {"fault=below@DESCRIBE", OKNO_PROTOCOL, "Invalid Content-Length"},
        {"fault=huge@DESCRIBE", OKNO_TOO_LARGE, "a description of more than"},
        {"fault=beyond@DESCRIBE", OKNO_PROTOCOL, "tells of no video"},
        {"fault=body@DESCRIBE", OKNO_TOO_LARGE, "a description of more than"},
        {"fault=away@DESCRIBE", OKNO_ARCHIVE_REFUSED, "redirects are not followed"},
        {"fault=http@DESCRIBE", OKNO_PROTOCOL, "HTTP/0.9"},
        {"fault=frames@SETUP", OKNO_TOO_LARGE, "window_mb"},
        {"fault=frames@PLAY", OKNO_TOO_LARGE, "window_mb"},
        {"fault=cseq@SETUP", OKNO_PROTOCOL, "did not match"},
        {"fault=short", 0, ""},
        {"fault=long", 0, ""}, /* what it swallows is missing */
        {"fault=junk", 0, ""}, /* ends it */
        {"fault=channel", 0, ""},
        {"fault=extension", 0, ""},
        {"fault=padding", 0, ""},
        {"fault=numbers", 0, ""},
        {"fault=stamps", 0, ""}, /* the frames tell their times */
        {"fault=times", OKNO_PROTOCOL, "times of a replay's frames jump"},
        {"fault=trickle", OKNO_TIMEOUT, "not done in the time"},
    };
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        struct recorder recorder = by_clock;
        struct okno_err err = {0};
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        recorder.options[0] = rows[i].fault;
        recorder.user = "anna";
        recorder.password = "s3cret";
        struct running r = start(&recorder);
        int64_t begun = okno_time_monotonic();
        const struct okno_budget budget = {.until_us = begun + 8 * SECOND, .bytes_left = 8000000};
        r.camera.budget = &budget;
        int rc = okno_extract_spans(&r.camera, T0 + 50 * SECOND, T0 + 70 * SECOND, &spans, &err);
        int64_t took = okno_time_monotonic() - begun;
        if (rc != rows[i].code || !strstr(err.text, rows[i].said) || strstr(err.text, "s3cret"))
            fail_msg("%s: %d, %s", rows[i].fault, rc, err.text);
        for (size_t k = 0; rc == 0 && k < spans.len; k++)
            assert_true(spans.items[k].from_us >= T0 + 50 * SECOND &&
                        spans.items[k].to_us <= T0 + 70 * SECOND);
        assert_true(rc < 0 || spans.len > 0);
        if (took > 12 * SECOND)
            fail_msg("%s: took %lld us", rows[i].fault, (long long)took);
        stop(&r);
    }
}

/* Some recorders want it there, others name such addresses themselves. */
static void a_login_in_a_path_is_in_no_message(void **state)
{
    (void)state;
    struct recorder recorder = by_clock;
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    recorder.files = "/user={user}_password={password}_channel={channel}.sdp";
    recorder.user = "admin";
    recorder.password = "hunter22";
    recorder.options[0] = "fault=403@SETUP";
    struct running r = start(&recorder);
    assert_int_equal(okno_extract_spans(&r.camera, T0, T0 + 20 * SECOND, &spans, &err),
                     OKNO_ARCHIVE_AUTH);
    assert_non_null(strstr(err.text, "127.0.0.1"));
    assert_null(strstr(err.text, "hunter22"));
    stop(&r);
}

static void packets_without_end_are_stopped(void **state)
{
    (void)state;
    struct recorder recorder = by_clock;
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
    const struct okno_budget budget = {.until_us = okno_time_monotonic() + 60 * SECOND,
                                       .bytes_left = 200 * 1000};
    recorder.options[0] = "fault=endless";
    struct running r = start(&recorder);
    r.camera.budget = &budget;
    assert_int_equal(okno_extract_spans(&r.camera, T0, T0 + 70 * SECOND, &spans, &err),
                     OKNO_TOO_LARGE);
    stop(&r);
}

static void recorders_take_the_word_where_they_will(void **state)
{
    (void)state;
    static const char *const ways[] = {"require=play", "require=nowhere"};
    for (size_t i = 0; i < OKNO_COUNT(ways); i++) {
        struct recorder recorder = by_clock;
        recorder.options[0] = ways[i];
        struct running r = start(&recorder);
        check_still(&r, T0 + 12 * SECOND + 50 * MS, 0);
        stop(&r);
    }
}

static char *okno_says(const char *line)
{
    int status = 0;
    char *text = fixture_okno(&status, "--data data %s", line);
    if (status != 0)
        fail_msg("%s: exit %d, %s", line, status, text);
    return text;
}

/* In a data directory that has held nothing yet. */
static void a_replay_too_large_for_memory_lies_on_disk(void **state)
{
    (void)state;
    struct recorder large = by_clock;
    static const char cameras[] = "camera,site,archive,channel\nC,S,A,till\n";
    static const char sites[] = "site,name,time_zone\nS,Shop,UTC\n";
    char archives[200];
    fixture_ffmpeg(
        "-f lavfi -i nullsrc=s=320x240:r=10:d=60 -vf geq=random(1)*255:128:128 -c:v "
        "libx264 -preset ultrafast -qp 10 -g 20 -bf 0 large.mp4");
    large.film = "large.mp4";
    struct running r = start(&large);
    int len = snprintf(archives, sizeof(archives),
                       "archive,kind,url,files\nA,rtsp,rtsp://127.0.0.1:%d,/{channel}\n", r.port);
    fixture_write("archives.csv", archives, (size_t)len);
    fixture_write("cameras.csv", cameras, sizeof(cameras) - 1);
    fixture_write("sites.csv", sites, sizeof(sites) - 1);
    free(okno_says("init"));
    free(okno_says("import sites sites.csv"));
    free(okno_says("import archives archives.csv"));
    free(okno_says("import cameras cameras.csv"));
    okno_autofree char *said = okno_says(
        "clip --camera C --from 2026-03-10T14:03:21Z --to 2026-03-10T14:04:19Z -o "
        "large-clip.mp4");
    assert_non_null(strstr(said, "2026-03-10T14:03:20.000Z..2026-03-10T14:04:19"));
    assert_true(fixture_size("large-clip.mp4") > 16 * 1024 * 1024);
    /* No list can be asked; that it answers is seen by what it replays. */
    okno_autofree char *trial = okno_says("archive test A --at 2026-03-10T14:05:30Z");
    assert_non_null(strstr(trial, "C (channel till): 1 piece from 2026-03-10T14:03:30.000Z"));
    stop(&r);
}

/* --- without a recorder ----------------------------------------------------------------------- */

static void a_frame_tells_its_time(void **state)
{
    (void)state;
    /* 2026-03-10T14:03:20.5Z, clean and first after a hole; padding of 2. */
    static const uint8_t bytes[] = {0xb0, 0xe0, 0,    1, 0, 0,    0,    9,    1,    2,    3,
                                    4,    0xab, 0xac, 0, 3, 0xed, 0x5a, 0xef, 0x08, 0x80, 0,
                                    0,    0,    0xa0, 7, 0, 0,    0x65, 0x88, 0,    2};
    struct rtp_packet packet;
    assert_true(rtp_read(bytes, sizeof(bytes), &packet));
    assert_true(packet.timed && packet.marker);
    assert_int_equal(packet.type, 96);
    assert_int_equal(packet.stamp, 9);
    assert_int_equal(packet.len, 2);
    assert_int_equal(packet.flags, RTP_CLEAN | RTP_JUMP);
    assert_int_equal(packet.utc_us,
                     (INT64_C(0xed5aef08) - INT64_C(2208988800)) * SECOND + SECOND / 2);
    for (size_t len = 0; len < sizeof(bytes) - 1; len++)
        if (rtp_read(bytes, len, &packet))
            assert_true(packet.payload + packet.len <= bytes + len);
}

static void stamps_go_on_when_their_counter_begins_anew(void **state)
{
    (void)state;
    struct rtp_line line = {.clock_rate = 90000};
    struct rtp_packet packet = {.stamp = UINT32_MAX - 44999};
    int64_t ticks = -1;
    bool frame = false;
    assert_int_equal(rtp_place(&line, &packet, &ticks, &frame, NULL), 0);
    assert_true(ticks == 0 && frame);
    packet.stamp += 90000;
    assert_int_equal(rtp_place(&line, &packet, &ticks, &frame, NULL), 0);
    assert_true(ticks == 90000 && frame);
    assert_int_equal(rtp_place(&line, &packet, &ticks, &frame, NULL), 0);
    assert_true(ticks == 90000 && !frame);
    packet.stamp -= 4 * 90000; /* further back than reordering goes */
    assert_int_equal(rtp_place(&line, &packet, &ticks, &frame, NULL), OKNO_PROTOCOL);
}

static void only_what_the_demuxer_needs_is_kept_of_a_description(void **state)
{
    (void)state;
    static const char sdp[] =
        "v=0\r\nc=IN IP4 10.0.0.1\r\na=control:rtsp://h/x\r\nm=audio 0 RTP/AVP 0\r\na=control:1\r\n"
        "m=video 0 RTP/AVP 96 97\r\na=fmtp:96 a=b\r\na=fmtp:97 c=d\r\na=rtpmap:96 h264/90000\r\n"
        "a=rtpmap:97 H265/90000\r\na=control:2\r\na=secret:x\r\nm=video 0 RTP/AVP "
        "98\r\na=control:3\r\n";
    struct rtp_media media;
    char url[64];
    assert_int_equal(rtp_describe(sdp, strlen(sdp), &media, NULL), 0);
    assert_string_equal(media.control, "2");
    assert_string_equal(media.session_control, "rtsp://h/x");
    assert_int_equal(media.type, 96);
    assert_string_equal(media.sdp,
                        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
                        "m=video 0 RTP/AVP 96\r\na=fmtp:96 a=b\r\na=rtpmap:96 h264/90000\r\n");
    assert_true(rtp_control("rtsp://h/x/", "2", url, sizeof(url)));
    assert_string_equal(url, "rtsp://h/x/2");
    assert_true(rtp_control("rtsp://h/x", "*", url, sizeof(url)));
    assert_string_equal(url, "rtsp://h/x");
    assert_false(rtp_control("rtsp://h/x", "2", url, 12));
}

static void ranges_are_told_to_the_millisecond(void **state)
{
    (void)state;
    char text[80];
    int64_t us = 0;
    rtp_clock_range(T0 + 1999, T0 + SECOND + 1, text);
    assert_string_equal(text, "clock=20260310T140320.001Z-20260310T140321.001Z");
    assert_true(rtp_clock_start(text, &us));
    assert_int_equal(us, T0 + MS);
    assert_true(rtp_clock_start("clock=20260310T140320Z-", &us));
    assert_int_equal(us, T0);
    assert_false(rtp_clock_start("npt=0-", &us));
    assert_false(rtp_clock_start("clock=now-", &us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_lie_where_the_recorder_says),
        cmocka_unit_test(a_hole_at_either_side_is_told_and_the_rest_is_kept),
        cmocka_unit_test(a_replay_in_real_time_begins_near_what_was_asked),
        cmocka_unit_test(what_a_look_brought_serves_still_and_clip),
        cmocka_unit_test(a_long_replay_is_kept_alive),
        cmocka_unit_test(what_was_never_recorded_is_no_error),
        cmocka_unit_test(trouble_on_the_way_is_named),
        cmocka_unit_test(harm_on_the_way_is_held_in_bounds),
        cmocka_unit_test(a_login_in_a_path_is_in_no_message),
        cmocka_unit_test(packets_without_end_are_stopped),
        cmocka_unit_test(recorders_take_the_word_where_they_will),
        cmocka_unit_test(a_replay_too_large_for_memory_lies_on_disk),
        cmocka_unit_test(a_frame_tells_its_time),
        cmocka_unit_test(stamps_go_on_when_their_counter_begins_anew),
        cmocka_unit_test(only_what_the_demuxer_needs_is_kept_of_a_description),
        cmocka_unit_test(ranges_are_told_to_the_millisecond),
    };
    return cmocka_run_group_tests(tests, film, fixture_end);
}

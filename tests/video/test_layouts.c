/* Names as well-known recorders write them, and containers that some of them use: the right frames
 * come out of each. */
#define _POSIX_C_SOURCE 200809L
#include "../support/recording.h"
#include "../support/tempdir.h"

#include "okno/extract.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-03-10T14:03:20Z; 15 frames a second, a key frame every 2 s, 12 s. */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

static struct fixture_frames scene;

static int start(void **state)
{
    int rc = fixture_begin(state);
    if (rc < 0)
        return rc;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=12 -c:v libx264 -preset ultrafast -bf 0 "
        "-g 30 -keyint_min 30 -sc_threshold 0 base.mp4");
    fixture_hash("base.mp4", &scene);
    assert_int_equal(scene.len, 180);
    return 0;
}

static int stop(void **state)
{
    fixture_frames_free(&scene);
    return fixture_end(state);
}

struct want {
    const char *files, *options, *channel, *zone, *url;
};

static int open_as(const struct want *w, struct okno_archive **ret_archive, struct okno_err *err)
{
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "dir",
                                               .url = fixture_path(w->url),
                                               .files = w->files,
                                               .time_zone = w->zone,
                                               .options = w->options};
    return okno_archive_open(&config, ret_archive, err);
}

/* [3 s, 7 s) after T0, from the key frame at 2 s on. */
static void assert_clip(const struct want *w, int64_t error_us)
{
    OKNO_AUTO(okno_archive) *archive = NULL;
    struct okno_extract_result result = {0};
    struct fixture_frames got = {0};
    struct okno_err err = {0};
    if (open_as(w, &archive, &err) < 0)
        fail_msg("%s", err.text);
    const struct okno_extract_camera camera = {.archive = archive, .channel = w->channel};
    (void)unlink(fixture_path("clip.mp4"));
    if (okno_extract_clip(&camera, T0 + 3 * SECOND, T0 + 7 * SECOND, false,
                          fixture_path("clip.mp4"), &result, &err) < 0)
        fail_msg("%s %s: %s", w->files, w->options, err.text);
    assert_int_equal(result.media.gaps.len, 0);
    assert_int_equal(result.media.got_from_us, T0 + 2 * SECOND);
    assert_int_equal(result.pieces.items[0].error_us, error_us);
    fixture_hash("clip.mp4", &got);
    assert_int_equal(got.len, 75);
    for (size_t i = 0; i < got.len; i++)
        assert_string_equal(got.hash[i], scene.hash[30 + i]);
    fixture_frames_free(&got);
    okno_extract_result_free(&result);
}

static void put_base(const char *folder, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    support_file(fixture_path(""), path, 1, -1); /* makes the folders */
    fixture_truncate("base.mp4", path, fixture_size("base.mp4"));
}

static void names_of_well_known_recorders_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct want want;
        int64_t error_us;
    } rows[] = {
        {"cam/2026-03-10_14-03-20-000000.mp4", {"", "layout=mediamtx", "cam", "UTC", "l0"}, 1},
        {"2026-03-10/14/cam/03.20.mp4", {"", "layout=frigate", "cam", "UTC", "l1"}, SECOND},
        {"g1/m7/2026-03-10T17-03-20.mp4",
         {"", "layout=shinobi", "g1/m7", "Europe/Moscow", "l2"},
         SECOND},
        {"cam/20260310-140320.mp4", {"", "layout=segment", "cam", "UTC", "l3"}, SECOND},
        {"cam/2026-03-10_17-03-20+0300.mp4",
         {"{channel}/%Y-%m-%d_%H-%M-%S%z.mp4", "", "cam", "America/New_York", "l4"},
         SECOND},
        {"cam/1773151400-a7f3.mp4", {"{channel}/%s-{any}.mp4", "", "cam", "UTC", "l5"}, SECOND},
    };
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        put_base(rows[i].want.url, rows[i].name);
        assert_clip(&rows[i].want, rows[i].error_us);
    }
}

/* motion: %Y%m%d/%H-%M-%S_%t_%v, and the name comes up to 1.5 s after the first frame. */
static void names_later_than_the_first_frame_widen_the_error(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = NULL;
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    struct okno_err err = {0};
    const struct want w = {"", "layout=motion", "1", "UTC", "m"};
    put_base("m", "20260310/14-03-20_1_02.mp4");
    put_base("m", "20260310/14-03-31_1_03.mp4"); /* overlaps: begins within a second of 14:03:31 */
    put_base("m", "20260310/14-03-20_2_02.mp4"); /* another camera */
    assert_int_equal(open_as(&w, &archive, &err), 0);
    assert_int_equal(okno_archive_pieces(archive, "1", T0, T0 + 30 * SECOND, &pieces, &err), 0);
    assert_int_equal(pieces.len, 2);
    assert_int_equal(pieces.items[0].from_us, T0 - 750000);
    assert_int_equal(pieces.items[0].error_us, SECOND + 750000);
    OKNO_AUTO_VEC(okno_interval_vec) spans = {0};
    int64_t error_us = 0;
    const struct okno_extract_camera camera = {.archive = archive, .channel = "1"};
    assert_int_equal(okno_extract_coverage(&camera, T0, T0 + 30 * SECOND, &spans, &error_us, &err),
                     0);
    assert_int_equal(spans.len, 1); /* no hole between them */
    assert_int_equal(error_us, SECOND + 750000);
}

/* As motion writes them: each file begins with what the one before ended with. */
static void frames_that_two_files_share_are_shown_once(void **state)
{
    (void)state;
    OKNO_AUTO(okno_archive) *archive = NULL;
    struct okno_extract_result result = {0};
    struct fixture_frames got = {0};
    struct okno_err err = {0};
    const struct want w = {"", "layout=motion", "1", "UTC", "o"};
    support_file(fixture_path(""), "o/20260310/.keep", 0, -1);
    fixture_ffmpeg("-i base.mp4 -c copy -t 7.2 o/20260310/14-03-20_1_01.mp4");
    fixture_ffmpeg("-ss 6 -i base.mp4 -c copy o/20260310/14-03-27_1_02.mp4"); /* 6 s, named 7 s */
    assert_int_equal(open_as(&w, &archive, &err), 0);
    const struct okno_extract_camera camera = {.archive = archive, .channel = "1"};
    (void)unlink(fixture_path("clip.mp4"));
    if (okno_extract_clip(&camera, T0 + 2 * SECOND, T0 + 10 * SECOND, false,
                          fixture_path("clip.mp4"), &result, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(result.media.gaps.len, 0);
    assert_int_equal(result.pieces.len, 2);
    fixture_hash("clip.mp4", &got);
    assert_in_range(got.len, 120, 160);
    size_t first = 0;
    while (first < scene.len && strcmp(scene.hash[first], got.hash[0]) != 0)
        first++;
    for (size_t i = 0; i < got.len; i++)
        assert_string_equal(got.hash[i], scene.hash[first + i]);
    fixture_frames_free(&got);
    okno_extract_result_free(&result);
}

static void containers_of_older_recorders_are_exact_too(void **state)
{
    (void)state;
    static const struct {
        const char *make, *name;
        struct want want;
    } rows[] = {
        {"-bsf:v h264_mp4toannexb -f vob",
         "c/20260310-140320.mpg",
         {"%Y%m%d-%H%M%S.mpg", "", "x", "UTC", "c"}},
        {"-f avi", "c/20260310-140320.avi", {"%Y%m%d-%H%M%S.avi", "", "x", "UTC", "c"}},
        {"-f mpegts", "c/20260310-140320.ts", {"%Y%m%d-%H%M%S.ts", "", "x", "UTC", "c"}},
        {"-f matroska", "c/20260310-140320.mkv", {"%Y%m%d-%H%M%S.mkv", "", "x", "UTC", "c"}},
    };
    (void)mkdir(fixture_path("c"), 0755);
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        fixture_ffmpeg("-i base.mp4 -c copy %s %s", rows[i].make, rows[i].name);
        assert_clip(&rows[i].want, SECOND);
    }
}

/* Cut in the middle of a fragment or packet, written to just now: what is whole is there. */
static void a_file_that_is_still_written_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    static const struct {
        const char *make, *ending;
    } rows[] = {{"-f mp4 -movflags frag_keyframe+empty_moov+default_base_moof", "mp4"},
                {"-f mpegts", "ts"},
                {"-f matroska -live 1", "mkv"}};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        OKNO_AUTO(okno_archive) *archive = NULL;
        OKNO_AUTO_VEC(okno_extract_span_vec) spans = {0};
        struct okno_err err = {0};
        char name[64];
        char files[64];
        char folder[16];
        int64_t now = okno_time_now();
        struct okno_civil c;
        okno_time_to_civil(now - 20 * SECOND, &c);
        (void)snprintf(folder, sizeof(folder), "g%zu", i);
        (void)snprintf(files, sizeof(files), "%%Y%%m%%d-%%H%%M%%S.%s", rows[i].ending);
        (void)snprintf(name, sizeof(name), "%s/%04d%02d%02d-%02d%02d%02d.%s", folder, c.year,
                       c.month, c.day, c.hour, c.minute, c.second, rows[i].ending);
        (void)mkdir(fixture_path(folder), 0755);
        fixture_ffmpeg("-i base.mp4 -c copy %s whole.%s", rows[i].make, rows[i].ending);
        char whole[32];
        (void)snprintf(whole, sizeof(whole), "whole.%s", rows[i].ending);
        fixture_truncate(whole, name, fixture_size(whole) * 3 / 4);
        const struct want w = {files, "", "x", "UTC", folder};
        assert_int_equal(open_as(&w, &archive, &err), 0);
        const struct okno_extract_camera camera = {.archive = archive, .channel = "x"};
        if (okno_extract_spans(&camera, now - 60 * SECOND, now, &spans, &err) < 0)
            fail_msg("%s: %s", name, err.text);
        assert_int_equal(spans.len, 1);
        assert_true(spans.items[0].flags & OKNO_SPAN_GROWING);
        int64_t length = spans.items[0].to_us - spans.items[0].from_us;
        if (length < 6 * SECOND || length > 10 * SECOND)
            fail_msg("%s: %lld ms", name, (long long)(length / 1000));
    }
}

static void a_wrong_option_names_itself_and_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *options, *says;
    } rows[] = {{"layout=tape", "mediamtx, frigate, motion, shinobi and segment"},
                {"early_ms=-1", "0 to 60000"},
                {"early_ms=1s", "0 to 60000"},
                {"tls=off", "verify and insecure"},
                {"allow=10.0.0.0/99", "10.0.0.0/99"},
                {"tls", "no value"},
                {"tls=verify tls=verify", "twice"},
                {"colour=red", "there are: tls, ca, pin, allow"}};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++) {
        OKNO_AUTO(okno_archive) *archive = NULL;
        struct okno_err err = {0};
        const struct okno_archive_config config = {.archive = "nvr",
                                                   .kind = "dir",
                                                   .url = "http://10.0.0.7/",
                                                   .files = "%Y%m%d-%H%M%S.mp4",
                                                   .options = rows[i].options};
        assert_int_equal(okno_archive_open(&config, &archive, &err), OKNO_INVALID);
        assert_string_equal(err.field, "options");
        if (!strstr(err.text, rows[i].says))
            fail_msg("%s: %s", rows[i].options, err.text);
    }
}

static void every_kind_there_is_can_be_imported(void **state)
{
    (void)state;
    /* What some kinds cannot do without: import refuses a row that could not be opened. */
    static const struct {
        const char *kind, *url, *files, *rest; /* user, secret, options */
    } needs[] = {{"", "http://10.0.0.7/", "{channel}/%Y%m%d%H%M.mp4", ",,"},
                 {"hikvision", "http://10.0.0.7/", "", ",,times=utc"},
                 {"trassir", "http://10.0.0.7/", "", ",,times=utc"},
                 {"shinobi", "http://10.0.0.7/", "", "group,key,"},
                 {"rtsp", "rtsp://10.0.0.7/", "/{channel}", ",,"},
                 {"hls", "http://10.0.0.7/", "{channel}/index.m3u8", ",,"},
                 {"profile", "http://10.0.0.7/", NULL, ",,"}};
    int status = -1;
    okno_autofree char *profile = realpath("conf/archives/axis.json", NULL);
    free(fixture_okno(&status, "--data kinds init"));
    assert_int_equal(status, 0);
    for (const char *const *kind = okno_archive_kinds(); *kind; kind++) {
        char row[300];
        size_t n = 0;
        for (size_t i = 0; i < OKNO_COUNT(needs); i++)
            n = strcmp(needs[i].kind, *kind) == 0 ? i : n;
        (void)snprintf(row, sizeof(row),
                       "archive,kind,url,files,user,secret,options\n%s,%s,%s,%s,%s\n", *kind, *kind,
                       needs[n].url, needs[n].files ? needs[n].files : profile, needs[n].rest);
        support_text(fixture_path(""), "kinds.csv", row);
        free(fixture_okno(&status, "--data kinds import archives kinds.csv"));
        if (status != 0)
            fail_msg("%s cannot be imported", *kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_well_known_recorders_are_read),
        cmocka_unit_test(names_later_than_the_first_frame_widen_the_error),
        cmocka_unit_test(frames_that_two_files_share_are_shown_once),
        cmocka_unit_test(containers_of_older_recorders_are_exact_too),
        cmocka_unit_test(a_file_that_is_still_written_is_read_as_far_as_it_goes),
        cmocka_unit_test(every_kind_there_is_can_be_imported),
        cmocka_unit_test(a_wrong_option_names_itself_and_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

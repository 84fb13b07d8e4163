#define _POSIX_C_SOURCE 200809L
#include "../support/recording.h"

#include "okno/extract.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

/* 2026-03-10T14:03:20Z, the beginning of the first recording. */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

#define FIRST "shop_2026-03-10_14-03-20.mp4"   /* frames 0..119: 8 s */
#define SECOND_ "shop_2026-03-10_14-03-28.mp4" /* frames 120..179: 4 s */
#define THIRD "shop_2026-03-10_14-04-00.mp4"   /* the same scene again: 12 s */

static void copy(const char *from, const char *to)
{
    fixture_truncate(from, to, fixture_size(from));
}

/* The recordings, fresh. */
static int lay_out(void **state)
{
    (void)state;
    static bool made;
    if (!made) {
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=320x240:r=15:d=12 -c:v libx264 -preset ultrafast "
            "-bf 2 -g 60 -keyint_min 60 -sc_threshold 0 base.mp4");
        fixture_ffmpeg(
            "-i base.mp4 -c copy -f segment -segment_times 8 -reset_timestamps 1 "
            "half%%d.mp4");
    }
    made = true;
    copy("half0.mp4", FIRST);
    copy("half1.mp4", SECOND_);
    copy("base.mp4", THIRD);
    return 0;
}

struct shop {
    struct okno_archive *archive;
    struct okno_extract_camera camera;
};

static struct shop shop_open(const char *folder, const char *files, const char *channel,
                             const char *zone, int64_t offset_us)
{
    struct shop shop = {0};
    struct okno_err err = {0};
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "dir",
                                               .url = fixture_path(folder),
                                               .files = files,
                                               .time_zone = zone,
                                               .user = "",
                                               .password = "",
                                               .options = ""};
    if (okno_archive_open(&config, &shop.archive, &err) < 0)
        fail_msg("%s", err.text);
    shop.camera = (struct okno_extract_camera){
        .archive = shop.archive, .channel = channel, .index_offset_us = offset_us};
    return shop;
}

static struct shop shop_plain(int64_t offset_us)
{
    return shop_open(".", "{channel}_%Y-%m-%d_%H-%M-%S.mp4", "shop", "UTC", offset_us);
}

struct got {
    int rc;
    struct okno_err err;
    struct okno_extract_result result;
};

static struct got clip(const struct shop *shop, int64_t from_us, int64_t to_us)
{
    struct got got = {0};
    (void)unlink(fixture_path("clip.out"));
    got.rc = okno_extract_clip(&shop->camera, from_us, to_us, false, fixture_path("clip.out"),
                               &got.result, &got.err);
    return got;
}

static struct got still(const struct shop *shop, int64_t at_us)
{
    struct got got = {0};
    (void)unlink(fixture_path("still.out"));
    got.rc =
        okno_extract_still(&shop->camera, at_us, fixture_path("still.out"), &got.result, &got.err);
    return got;
}

static void assert_done(const struct got *got)
{
    if (got->rc < 0)
        fail_msg("%s", got->err.text);
}

/* Spans of [from, to) as text of seconds after T0: "0..12 40..52". */
static const char *spans_of(const struct shop *shop, int64_t from_us, int64_t to_us)
{
    static char text[600];
    OKNO_AUTO_VEC(okno_interval_vec) spans = {0};
    struct okno_err err = {0};
    int64_t error_us = -1;
    int rc = okno_extract_coverage(&shop->camera, from_us, to_us, &spans, &error_us, &err);
    if (rc < 0) {
        (void)snprintf(text, sizeof(text), "%s: %s", okno_code_info(rc)->name, err.text);
        return text;
    }
    assert_int_equal(error_us, spans.len ? SECOND : 0); /* names of whole seconds */
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < spans.len; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.3f..%.3f", i ? " " : "",
                                (double)(spans.items[i].from_us - T0) / 1e6,
                                (double)(spans.items[i].to_us - T0) / 1e6);
    return text;
}

static void coverage_has_exact_ends_and_joins_what_touches(void **state)
{
    (void)state;
    struct shop shop = shop_plain(0);
    assert_string_equal(spans_of(&shop, T0 - 60 * SECOND, T0 + 90 * SECOND),
                        "0.000..12.000 40.000..52.000");
    assert_string_equal(spans_of(&shop, T0 + 3 * SECOND, T0 + 45 * SECOND),
                        "3.000..12.000 40.000..45.000");
    assert_string_equal(spans_of(&shop, T0 + 12 * SECOND, T0 + 40 * SECOND), "");
    assert_string_equal(spans_of(&shop, T0 + 11 * SECOND, T0 + 13 * SECOND), "11.000..12.000");
    okno_archive_close(shop.archive);
}

/* The index clock runs 7.4 s ahead: it showed 14:03:20 at 14:03:12.6 of true time. */
static void the_offset_moves_everything_asked_and_got(void **state)
{
    (void)state;
    struct shop shop = shop_plain(7400000);
    assert_string_equal(spans_of(&shop, T0 - 60 * SECOND, T0 + 90 * SECOND),
                        "-7.400..4.600 32.600..44.600");
    struct got got = clip(&shop, T0 - 2 * SECOND, T0 + 8 * SECOND);
    assert_done(&got);
    assert_int_equal(got.result.media.got_from_us, T0 - 3400000); /* key frame at 4 s */
    assert_int_equal(got.result.media.gaps.len, 1);
    assert_int_equal(got.result.media.gaps.items[0].from_us, T0 + 4600000);
    assert_int_equal(got.result.media.gaps.items[0].to_us, T0 + 8 * SECOND);
    okno_extract_result_free(&got.result);
    got = still(&shop, T0);
    assert_done(&got);
    assert_int_equal(got.result.media.first_frame_us, T0); /* 7.4 s is frame 111 exactly */
    okno_extract_result_free(&got.result);
    okno_archive_close(shop.archive);
}

static void a_clip_across_recordings_names_what_was_read_and_its_cost(void **state)
{
    (void)state;
    struct shop shop = shop_plain(0);
    struct got got = clip(&shop, T0 + 5 * SECOND, T0 + 11 * SECOND);
    assert_done(&got);
    assert_int_equal(got.result.media.gaps.len, 0);
    assert_int_equal(got.result.pieces.len, 2);
    assert_string_equal(got.result.pieces.items[0].name, FIRST);
    assert_string_equal(got.result.pieces.items[1].name, SECOND_);
    assert_true(got.result.requests >= 2);
    assert_true(got.result.bytes_read > 0);
    okno_extract_result_free(&got.result);
    struct fixture_frames ours = {0};
    struct fixture_frames theirs = {0};
    fixture_hash("clip.out", &ours);
    fixture_hash("base.mp4", &theirs);
    assert_in_range(ours.len, 105, 108);
    for (size_t i = 0; i < ours.len; i++)
        assert_string_equal(ours.hash[i], theirs.hash[60 + i]);
    fixture_frames_free(&ours);
    fixture_frames_free(&theirs);
    okno_archive_close(shop.archive);
}

static void a_still_reads_one_recording_only(void **state)
{
    (void)state;
    struct shop shop = shop_plain(0);
    struct got got = still(&shop, T0 + 28 * SECOND + 13 * SECOND);
    assert_done(&got);
    assert_int_equal(got.result.pieces.len, 1);
    assert_string_equal(got.result.pieces.items[0].name, THIRD);
    assert_int_equal(got.result.media.first_frame_us, T0 + 41 * SECOND);
    okno_extract_result_free(&got.result);
    got = still(&shop, T0 + 20 * SECOND);
    assert_int_equal(got.rc, OKNO_NO_COVERAGE);
    okno_archive_close(shop.archive);
}

static void nothing_recorded_is_no_coverage_and_leaves_no_file(void **state)
{
    (void)state;
    struct shop shop = shop_plain(0);
    assert_string_equal(spans_of(&shop, T0 - 900 * SECOND, T0 - 800 * SECOND), "");
    struct got got = clip(&shop, T0 - 900 * SECOND, T0 - 800 * SECOND);
    assert_int_equal(got.rc, OKNO_NO_COVERAGE);
    assert_int_equal(access(fixture_path("clip.out"), F_OK), -1);
    got = clip(&shop, T0, T0);
    assert_int_equal(got.rc, OKNO_INVALID);
    okno_archive_close(shop.archive);
}

/* Destroy the content behind the same size and time: whoever reads again finds rubbish. */
static void spoil(const char *name)
{
    struct stat st;
    assert_int_equal(stat(fixture_path(name), &st), 0);
    okno_autofree char *zeros = calloc(1, (size_t)st.st_size);
    assert_non_null(zeros);
    fixture_write(name, zeros, (size_t)st.st_size);
    const struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, fixture_path(name), times, 0), 0);
}

static void ends_are_read_once_for_one_handle(void **state)
{
    (void)state;
    struct shop shop = shop_plain(0);
    assert_string_equal(spans_of(&shop, T0, T0 + 30 * SECOND), "0.000..12.000");
    spoil(FIRST);
    spoil(SECOND_);
    assert_string_equal(spans_of(&shop, T0, T0 + 30 * SECOND), "0.000..12.000");
    okno_archive_close(shop.archive);
    shop = shop_plain(0);
    assert_string_equal(spans_of(&shop, T0, T0 + 90 * SECOND), "40.000..52.000");
    okno_archive_close(shop.archive);
}

static void an_unreadable_recording_is_a_hole_unless_it_is_all_there_is(void **state)
{
    (void)state;
    fixture_write(SECOND_, "not a film", 10);
    struct shop shop = shop_plain(0);
    assert_string_equal(spans_of(&shop, T0, T0 + 90 * SECOND), "0.000..8.000 40.000..52.000");
    struct got got = clip(&shop, T0 + 5 * SECOND, T0 + 11 * SECOND);
    assert_done(&got);
    assert_int_equal(got.result.media.gaps.len, 1);
    assert_int_equal(got.result.media.gaps.items[0].from_us, T0 + 8 * SECOND);
    assert_int_equal(got.result.pieces.len, 1);
    okno_extract_result_free(&got.result);
    got = still(&shop, T0 + 10 * SECOND);
    assert_int_equal(got.rc, OKNO_MEDIA);
    assert_non_null(strstr(got.err.text, SECOND_));
    okno_archive_close(shop.archive);

    fixture_write(FIRST, "nor this", 8);
    shop = shop_plain(0);
    const char *text = spans_of(&shop, T0, T0 + 12 * SECOND);
    assert_non_null(strstr(text, "media: shop_2026-03-10_14-03-2"));
    got = clip(&shop, T0 + SECOND, T0 + 11 * SECOND);
    assert_int_equal(got.rc, OKNO_MEDIA);
    assert_int_equal(access(fixture_path("clip.out"), F_OK), -1);
    okno_archive_close(shop.archive);
}

/* An MP4 has its index at its end: until the recorder ends it, it is no fault but too early. */
static void a_recording_without_its_index_yet_is_too_early(void **state)
{
    (void)state;
    char name[64];
    struct okno_civil c;
    int64_t now = okno_time_now();
    int64_t from = now - 20 * SECOND;
    okno_time_to_civil(from, &c);
    (void)snprintf(name, sizeof(name), "live_%04d-%02d-%02d_%02d-%02d-%02d.mp4", c.year % 10000,
                   c.month % 100, c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
    fixture_truncate("base.mp4", name, fixture_size("base.mp4") / 2);
    struct shop shop = shop_open(".", "{channel}_%Y-%m-%d_%H-%M-%S.mp4", "live", "UTC", 0);
    struct got got = clip(&shop, from + 2 * SECOND, from + 8 * SECOND);
    assert_int_equal(got.rc, OKNO_NOT_YET);
    assert_non_null(strstr(got.err.text, name));
    assert_non_null(strstr(got.err.text, "is still being recorded"));
    assert_true(got.err.retry_us > 0);
    got = still(&shop, from + 2 * SECOND);
    assert_int_equal(got.rc, OKNO_NOT_YET);
    assert_non_null(strstr(spans_of(&shop, from, now), "not_yet: live_"));
    okno_archive_close(shop.archive);
    (void)unlink(fixture_path(name));
}

static void a_recording_that_vanished_is_a_hole(void **state)
{
    (void)state;
    struct shop shop = shop_plain(0);
    struct got got = clip(&shop, T0 + SECOND, T0 + 2 * SECOND); /* now it is listed */
    assert_done(&got);
    okno_extract_result_free(&got.result);
    assert_int_equal(unlink(fixture_path(SECOND_)), 0);
    got = clip(&shop, T0 + 5 * SECOND, T0 + 11 * SECOND);
    assert_done(&got);
    assert_int_equal(got.result.media.gaps.len, 1);
    okno_extract_result_free(&got.result);
    assert_string_equal(spans_of(&shop, T0, T0 + 90 * SECOND), "0.000..8.000 40.000..52.000");
    assert_int_equal(unlink(fixture_path(FIRST)), 0);
    got = clip(&shop, T0 + 5 * SECOND, T0 + 11 * SECOND);
    assert_true(got.rc == OKNO_NO_COVERAGE || got.rc == OKNO_GONE);
    okno_archive_close(shop.archive);
}

static void bytes_do_not_grow_with_what_is_not_asked_for(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=160x120:r=15:d=120,noise=alls=20:allf=t -c:v libx264 "
        "-preset ultrafast -b:v 600k -g 30 long_2026-03-10_15-00-00.mp4");
    struct shop shop = shop_open(".", "{channel}_%Y-%m-%d_%H-%M-%S.mp4", "long", "UTC", 0);
    int64_t begin = T0 + (56 * 60 + 40) * SECOND;
    struct got got = clip(&shop, begin + 60 * SECOND, begin + 80 * SECOND);
    assert_done(&got);
    int64_t size = fixture_size("long_2026-03-10_15-00-00.mp4");
    print_message("20 s of 120 s: %lld of %lld bytes in %lld requests, clip of %lld\n",
                  (long long)got.result.bytes_read, (long long)size, (long long)got.result.requests,
                  (long long)fixture_size("clip.out"));
    assert_true(got.result.bytes_read < size * 25 / 120 + 400000);
    okno_extract_result_free(&got.result);
    okno_archive_close(shop.archive);
}

/* --- the animated shop: what the picture itself says about its time -----------------------------
 */

/* Time in the picture's strip, microseconds UTC. */
static int64_t strip_us(const char *which, const char *name)
{
    char program[512];
    (void)snprintf(program, sizeof(program), "%s/tools/strip", getenv("OKNO_BUILD"));
    okno_autofree char *text = fixture_output(program, "%s %s", which, fixture_path(name));
    long long frame = 0;
    long long stamp = 0;
    long long shown_ms = 0;
    assert_int_equal(sscanf(text, "%lld %lld %lld", &frame, &stamp, &shown_ms), 3);
    return (int64_t)shown_ms * 1000;
}

static int make_shop(void **state)
{
    (void)state;
    char program[512];
    assert_non_null(getenv("OKNO_BUILD"));
    (void)snprintf(program, sizeof(program), "%s/tools/scene", getenv("OKNO_BUILD"));
    okno_autofree char *text =
        fixture_output(program, "--minutes 2 --b-frames 2 %s", fixture_path("scene"));
    return 0;
}

static void the_strip_in_the_picture_tells_the_asked_time(void **state)
{
    (void)state;
    static const struct {
        const char *channel;
        int64_t offset_us;
    } cameras[] = {{"cam1", 0}, {"cam2", 7400000}};
    int64_t seven = 0; /* the scene begins at 10:00 in Moscow */
    assert_int_equal(okno_time_parse("2026-03-10T07:00:00Z", &seven, NULL), 0);
    for (size_t i = 0; i < OKNO_COUNT(cameras); i++) {
        struct shop shop = shop_open("scene/archive", "{channel}/%Y-%m-%d/%H-%M-%S.mp4",
                                     cameras[i].channel, "Europe/Moscow", cameras[i].offset_us);
        for (int64_t after_ms = 45033; after_ms < 70000; after_ms += 6137) {
            int64_t at = seven + after_ms * 1000;
            struct got got = still(&shop, at);
            assert_done(&got);
            int64_t shown = strip_us("--first", "still.out");
            assert_int_equal(shown, got.result.media.first_frame_us);
            assert_in_range(at - shown, 0, 99999);
            okno_extract_result_free(&got.result);
            got = clip(&shop, at, at + 12 * SECOND);
            assert_done(&got);
            assert_int_equal(strip_us("--first", "clip.out"), got.result.media.first_frame_us);
            assert_int_equal(strip_us("--last", "clip.out"), got.result.media.last_frame_us);
            assert_true(got.result.media.first_frame_us <= at);
            assert_int_equal(got.result.media.gaps.len, 0);
            okno_extract_result_free(&got.result);
        }
        okno_archive_close(shop.archive);
    }
}

static void the_hole_of_the_scene_is_found(void **state)
{
    (void)state;
    int64_t seven = 0;
    assert_int_equal(okno_time_parse("2026-03-10T07:00:00Z", &seven, NULL), 0);
    struct shop shop =
        shop_open("scene/archive", "{channel}/%Y-%m-%d/%H-%M-%S.mp4", "cam1", "Europe/Moscow", 0);
    struct got got = clip(&shop, seven + 80 * SECOND, seven + 100 * SECOND);
    assert_done(&got);
    assert_int_equal(got.result.media.gaps.len, 1);
    assert_int_equal(got.result.media.gaps.items[0].from_us, seven + 83 * SECOND);
    assert_int_equal(got.result.media.gaps.items[0].to_us, seven + 95 * SECOND);
    assert_int_equal(strip_us("--last", "clip.out"), got.result.media.last_frame_us);
    okno_extract_result_free(&got.result);
    got = still(&shop, seven + 90 * SECOND);
    assert_int_equal(got.rc, OKNO_NO_COVERAGE);
    okno_archive_close(shop.archive);
}

#define FRESH(name) cmocka_unit_test_setup(name, lay_out)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(coverage_has_exact_ends_and_joins_what_touches),
        FRESH(the_offset_moves_everything_asked_and_got),
        FRESH(a_clip_across_recordings_names_what_was_read_and_its_cost),
        FRESH(a_still_reads_one_recording_only),
        FRESH(nothing_recorded_is_no_coverage_and_leaves_no_file),
        FRESH(ends_are_read_once_for_one_handle),
        FRESH(an_unreadable_recording_is_a_hole_unless_it_is_all_there_is),
        FRESH(a_recording_without_its_index_yet_is_too_early),
        FRESH(a_recording_that_vanished_is_a_hole),
        cmocka_unit_test(bytes_do_not_grow_with_what_is_not_asked_for),
        cmocka_unit_test_setup(the_strip_in_the_picture_tells_the_asked_time, make_shop),
        cmocka_unit_test(the_hole_of_the_scene_is_found),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

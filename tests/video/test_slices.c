/* MP4s with a long index: a window costs a few slices of it, and is the same as it would be with
 * all of it. The witness is a short recording of the same scene, whose index is read whole. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/media/boxes.h"
#include "../../src/video/media/table.h"
#include "../support/recording.h"

#include "okno/media.h"
#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

/* 10 s of pictures, each second beginning with a key frame, again and again: 250,000 of them in the
 * long recording. Sound whose packets fit into 10 s. */
static int record(void **state)
{
    int rc = fixture_begin(state);
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=64x48:r=25:d=10 -f lavfi -i "
        "sine=frequency=440:duration=10:sample_rate=16000 -c:v libx264 -preset ultrafast "
        "-bf 2 -b_strategy 0 -g 50 -keyint_min 50 -sc_threshold 0 -crf 40 "
        "-c:a aac -b:a 24k -shortest base.mov");
    return rc;
}

struct variant {
    const char *name, *options;
};

static const struct variant variants[] = {
    {"front", "-map 0:v -movflags +faststart"},
    {"end", "-map 0:v"},
    {"sound", "-map 0 -movflags +faststart"},
};

static int64_t clip(const char *name, int64_t from_us, int64_t to_us, bool audio, const char *out,
                    struct okno_media_result *ret_result)
{
    struct okno_err err = {0};
    OKNO_AUTO(okno_source) *source = fixture_source(name);
    const struct okno_media_input input = {
        .source = source, .format = "mov", .from_us = T0, .name = name};
    (void)unlink(fixture_path(out));
    if (okno_media_clip(&input, 1, T0 + from_us, T0 + to_us, audio, fixture_path(out), ret_result,
                        &err) < 0)
        fail_msg("%s [%lld, %lld): %s", name, (long long)from_us, (long long)to_us, err.text);
    return source->bytes_read;
}

static void assert_same_file(const char *a, const char *b)
{
    int64_t size = fixture_size(a);
    okno_autofree char *one = malloc((size_t)size);
    okno_autofree char *two = malloc((size_t)size);
    okno_autofclose FILE *first = fopen(fixture_path(a), "rb");
    okno_autofclose FILE *second = fopen(fixture_path(b), "rb");
    assert_true(one && two && first && second);
    assert_int_equal(size, fixture_size(b));
    assert_int_equal(fread(one, 1, (size_t)size, first), size);
    assert_int_equal(fread(two, 1, (size_t)size, second), size);
    assert_memory_equal(one, two, (size_t)size);
}

static void make(const struct variant *v, const char *length, int loops)
{
    fixture_ffmpeg("-stream_loop %d -i base.mov -c copy %s %s-%s.mov", loops - 1, v->options,
                   v->name, length);
}

/* A window of the recording and one of the short one, as much earlier as the scene repeats, give
 * one file. What was read of the former. */
static int64_t assert_same_window(const struct variant *v, const char *length, double at,
                                  double short_at, bool audio)
{
    struct okno_media_result one = {0};
    struct okno_media_result two = {0};
    char name[32];
    char short_name[32];
    int64_t by = (int64_t)((at - short_at) * 1e6 + 0.5);
    int64_t from = (int64_t)(short_at * 1e6 + 0.5);
    (void)snprintf(name, sizeof(name), "%s-%s.mov", v->name, length);
    (void)snprintf(short_name, sizeof(short_name), "%s-short.mov", v->name);
    int64_t bytes = clip(name, from + by, from + by + 7 * SECOND, audio, "one.mp4", &one);
    (void)clip(short_name, from, from + 7 * SECOND, audio, "two.mp4", &two);
    assert_int_equal(one.first_frame_us - by, two.first_frame_us);
    assert_int_equal(one.last_frame_us - by, two.last_frame_us);
    assert_int_equal(one.frames, two.frames);
    assert_int_equal(one.audio, audio);
    assert_int_equal(one.gaps.len, two.gaps.len);
    assert_same_file("one.mp4", "two.mp4");
    okno_media_result_free(&one);
    okno_media_result_free(&two);
    return bytes;
}

/* Seconds in the recording, and the same moment of the scene in the short one. */
static const double day[][2] = {{0, 0},       {3.2, 3.2},       {33.96, 33.96},   {5000.5, 50.5},
                                {7777.0, 37}, {9960.04, 60.04}, {9986.48, 86.48}, {41, 41}};
static const double hour[][2] = {{0, 0},      {3.2, 3.2},      {33.96, 33.96},  {500.5, 50.5},
                                 {777.0, 37}, {960.04, 60.04}, {986.48, 86.48}, {41, 41}};

static void a_window_is_the_same_as_with_the_whole_index(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(variants); i++) {
        const struct variant *v = &variants[i];
        bool audio = strcmp(v->name, "sound") == 0;
        make(v, "long", 1000);
        make(v, "short", 10);
        for (size_t k = 0; k < OKNO_COUNT(day); k++) {
            if (audio && day[k][0] > day[k][1]) /* with sound a round is not quite 10 s */
                continue;
            int64_t bytes = assert_same_window(v, "long", day[k][0], day[k][1], audio);
            char name[32];
            (void)snprintf(name, sizeof(name), "%s-long.mov", v->name);
            assert_true(bytes < fixture_size(name) / 3);
        }
    }
}

/* Of a middling one the tracks that are wanted come over, each whole. */
static void of_an_hours_index_the_wanted_track_alone_is_read(void **state)
{
    (void)state;
    int64_t pictures = 0;
    int64_t both = 0;
    for (size_t i = 0; i < OKNO_COUNT(variants); i++) {
        const struct variant *v = &variants[i];
        make(v, "middle", 100);
        make(v, "short", 10);
        bool sound = strcmp(v->name, "sound") == 0;
        for (size_t k = 0; k < OKNO_COUNT(hour); k++)
            if (!sound || hour[k][0] <= hour[k][1]) /* with sound a round is not quite 10 s */
                pictures = assert_same_window(v, "middle", hour[k][0], hour[k][1], false);
        if (sound)
            both = assert_same_window(v, "middle", 41, 41, true);
    }
    OKNO_AUTO(okno_source) *source = fixture_source("sound-middle.mov");
    struct media_boxes boxes = {0};
    struct okno_err err = {0};
    assert_int_equal(media_boxes_look(source, &boxes, &err), 0);
    int64_t index = boxes.moov_end - boxes.moov_at;
    media_boxes_clear(&boxes);
    assert_in_range(index, MEDIA_SHORT_INDEX, MEDIA_LONG_INDEX);
    assert_true(pictures + index / 8 < both);
}

static void its_length_is_told_without_reading_all_of_it(void **state)
{
    (void)state;
    struct okno_media_info info = {0};
    struct okno_err err = {0};
    OKNO_AUTO(okno_source) *source = fixture_source("front-long.mov");
    assert_int_equal(okno_media_probe(source, "mov", &info, &err), 0);
    assert_int_equal(info.duration_us, 10000 * SECOND);
    assert_int_equal(info.frame_us, 40000);
    assert_true(source->bytes_read < fixture_size("front-long.mov") / 4);
}

static void of_a_file_that_was_cut_off_the_rest_is_there(void **state)
{
    (void)state;
    struct okno_media_info info = {0};
    struct okno_err err = {0};
    fixture_truncate("front-long.mov", "cut.mov", fixture_size("front-long.mov") * 3 / 4);
    OKNO_AUTO(okno_source) *source = fixture_source("cut.mov");
    assert_int_equal(okno_media_probe(source, "mov", &info, &err), 0);
    assert_true(info.duration_us > 3000 * SECOND && info.duration_us < 9000 * SECOND);
    struct okno_media_result result = {0};
    (void)clip("cut.mov", info.duration_us - 5 * SECOND, info.duration_us + 5 * SECOND, false,
               "clip.mp4", &result);
    assert_true(result.got_to_us - T0 > info.duration_us - SECOND &&
                result.got_to_us - T0 < info.duration_us + 2 * SECOND);
    assert_int_equal(result.gaps.len, 1);
    okno_media_result_free(&result);
}

static void a_still_of_it_is_the_right_frame(void **state)
{
    (void)state;
    struct okno_media_result result = {0};
    struct okno_err err = {0};
    OKNO_AUTO(okno_source) *source = fixture_source("front-long.mov");
    const struct okno_media_input input = {.source = source, .format = "mov", .from_us = T0};
    assert_int_equal(okno_media_still(&input, 1, T0 + 9123 * SECOND + 470000,
                                      fixture_path("still.jpg"), &result, &err),
                     0);
    assert_int_equal(result.first_frame_us, T0 + 9123 * SECOND + 440000);
    okno_media_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_the_same_as_with_the_whole_index),
        cmocka_unit_test(of_an_hours_index_the_wanted_track_alone_is_read),
        cmocka_unit_test(its_length_is_told_without_reading_all_of_it),
        cmocka_unit_test(of_a_file_that_was_cut_off_the_rest_is_there),
        cmocka_unit_test(a_still_of_it_is_the_right_frame),
    };
    return cmocka_run_group_tests(tests, record, fixture_end);
}

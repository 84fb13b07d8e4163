#define _POSIX_C_SOURCE 200809L
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

/* Some moment in March 2026. */
#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

/* 12 s at 15 fps, a key frame every 4 s, two B frames in a row. */
#define ENCODE "-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 60 -keyint_min 60 -sc_threshold 0"

static void make_base(void)
{
    static bool made;
    if (!made)
        fixture_ffmpeg("-f lavfi -i testsrc2=s=320x240:r=15:d=12 " ENCODE " base.mp4");
    made = true;
}

struct container {
    const char *name, *format, *options;
    bool b_frames;
};

static const struct container containers[] = {
    {"front.mp4", "mov", "-i base.mp4 -c copy -movflags +faststart", true},
    {"end.mp4", "mov", "-i base.mp4 -c copy", true},
    {"fragments.mp4", "mov", "-i base.mp4 -c copy -movflags frag_keyframe+empty_moov", true},
    {"indexed.mp4", "mov", "-i base.mp4 -c copy -movflags frag_keyframe+empty_moov+default_base_moof+global_sidx",
     true},
    {"file.mkv", "matroska", "-i base.mp4 -c copy", true},
    {"file.ts", "mpegts", "-i base.mp4 -c copy", true},
    {"wrap.ts", "mpegts", "-i base.mp4 -c copy -output_ts_offset 95438", true},
    {"file.avi", "avi",
     "-f lavfi -i testsrc2=s=320x240:r=15:d=12 -c:v libx264 -preset ultrafast -bf 0 -g 60 "
     "-keyint_min 60 -sc_threshold 0",
     false},
};

static void make_container(const struct container *container)
{
    make_base();
    fixture_ffmpeg("%s %s", container->options, container->name);
}

static struct okno_media_input input_of(struct okno_source *source, const char *format,
                                        int64_t from_us)
{
    return (struct okno_media_input){.source = source, .format = format, .from_us = from_us};
}

/* The clip's frames are the recording's frames from number `first` on, bit for bit. */
static void assert_frames_equal(const char *clip, const char *recording, size_t first, size_t count)
{
    struct fixture_frames ours = {0};
    struct fixture_frames theirs = {0};
    fixture_hash(clip, &ours);
    fixture_hash(recording, &theirs);
    assert_int_equal(ours.len, count);
    assert_true(first + count <= theirs.len);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(ours.hash[i], theirs.hash[first + i]);
    fixture_frames_free(&ours);
    fixture_frames_free(&theirs);
}

static int64_t ms(int64_t us)
{
    return (us + (us < 0 ? -500 : 500)) / 1000;
}

/* MKV rounds times to milliseconds. */
#define assert_near(got, want) assert_in_range((got) - (want) + 1500, 0, 3000)

static void probe_tells_length_interval_and_codec_of_every_container(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(containers); i++) {
        make_container(&containers[i]);
        OKNO_AUTO(okno_source) *source = fixture_source(containers[i].name);
        struct okno_media_info info = {0};
        struct okno_err err = {0};
        int rc = okno_media_probe(source, containers[i].format, &info, &err);
        if (rc < 0)
            fail_msg("%s: %s", containers[i].name, err.text);
        print_message("%s: %lld us, frame %lld us\n", containers[i].name,
                      (long long)info.duration_us, (long long)info.frame_us);
        assert_near(info.duration_us, 12 * SECOND);
        assert_in_range(info.frame_us, 66000, 67000);
        assert_string_equal(info.codec, "h264");
        assert_int_equal(info.width, 320);
        assert_false(info.audio);
    }
}

/* [5.5 s, 9.2 s): key frame at 4 s; frames 60 to 137 and what they need. */
static void a_clip_of_every_container_holds_the_same_frames_as_the_recording(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(containers); i++) {
        make_container(&containers[i]);
        OKNO_AUTO(okno_source) *source = fixture_source(containers[i].name);
        struct okno_media_input input = input_of(source, containers[i].format, T0);
        struct okno_media_result result = {0};
        struct okno_err err = {0};
        (void)unlink(fixture_path("clip.mp4"));
        int rc = okno_media_clip(&input, 1, T0 + 5500000, T0 + 9200000, false,
                                 fixture_path("clip.mp4"), &result, &err);
        if (rc < 0)
            fail_msg("%s: %s", containers[i].name, err.text);
        print_message("%s: %lld frames, %lld..%lld ms\n", containers[i].name,
                      (long long)result.frames, (long long)ms(result.got_from_us - T0),
                      (long long)ms(result.got_to_us - T0));
        assert_near(result.got_from_us, T0 + 4 * SECOND);
        assert_true(result.got_to_us >= T0 + 9200000);
        assert_true(result.got_to_us < T0 + 9400000);
        assert_int_equal(result.gaps.len, 0);
        assert_frames_equal("clip.mp4", containers[i].name, 60, (size_t)result.frames);
        okno_media_result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe_tells_length_interval_and_codec_of_every_container),
        cmocka_unit_test(a_clip_of_every_container_holds_the_same_frames_as_the_recording),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

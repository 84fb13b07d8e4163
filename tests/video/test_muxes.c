/* Every kind of picture and sound in every container that takes it: the clip has the recording's
 * own frames and its sound, as it was. */
#define _POSIX_C_SOURCE 200809L
#include "../support/frames.h"
#include "../support/recording.h"

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

static const struct stream {
    const char *name, *options;
} videos[] = {{"h264", "-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 25 -sc_threshold 0"},
              {"h264-plain", "-c:v libx264 -preset ultrafast -bf 0 -g 25 -sc_threshold 0"},
              {"hevc", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=25"},
              {"mpeg4", "-c:v mpeg4 -q:v 5 -g 25"},
              {"mjpeg", "-c:v mjpeg -q:v 5"}},
  sounds[] = {{"aac", "-c:a aac"},
              {"pcm_alaw", "-c:a pcm_alaw -ar 8000"},
              {"pcm_mulaw", "-c:a pcm_mulaw -ar 8000"},
              {"pcm_s16le", "-c:a pcm_s16le -ar 16000"},
              {"", ""}};

/* What libavformat's muxers take of these; videos and sounds by their places above. */
static const struct container {
    const char *name, *format, *options;
    unsigned videos, sounds; /* bits */
} containers[] = {
    {"m.mp4", "mov", "-f mp4", 0x1f, 0x11},
    {"f.mp4", "mov", "-f mp4 -movflags frag_keyframe+empty_moov+default_base_moof", 0x1f, 0x11},
    {"m.mov", "mov", "-f mov", 0x1f, 0x1f},
    {"m.ts", "mpegts", "-f mpegts", 0x07, 0x11},
    {"4.ts", "mpegts", "-bsf:v dump_extra -f mpegts", 0x08, 0x11},
    {"m.mkv", "matroska", "-f matroska", 0x1f, 0x1f},
    {"m.avi", "avi", "-r 25 -f avi", 0x18, 0x1e},
    {"h.avi", "avi", "-r 25 -bsf:v h264_mp4toannexb -f avi", 0x02, 0x1e},
    {"m.mpg", "mpeg", "-bsf:v h264_mp4toannexb -f vob", 0x03, 0x10},
};

static struct seen_frames all, ours;

static void check(const struct container *c, const struct stream *video, const struct stream *sound)
{
    OKNO_AUTO(okno_source) *source = fixture_source(c->name);
    const struct okno_media_input input = {.source = source, .format = c->format, .from_us = T0};
    struct okno_media_result result = {0};
    struct okno_err err = {0};
    (void)unlink(fixture_path("clip.mp4"));
    if (okno_media_clip(&input, 1, T0 + 3 * SECOND / 2, T0 + 5 * SECOND / 2, true,
                        fixture_path("clip.mp4"), &result, &err) < 0)
        fail_msg("%s of %s and %s: %s", c->name, video->name, sound->name, err.text);
    seen_frames_read(fixture_path("clip.mp4"), &ours);
    size_t first = 0;
    while (first < all.len && all.items[first].hash != ours.items[0].hash)
        first++;
    bool right = first <= 37 && first + ours.len > 62 && first + ours.len <= all.len;
    for (size_t i = 0; right && i < ours.len; i++)
        right = ours.items[i].hash == all.items[first + i].hash;
    right = right && strcmp(ours.video, all.video) == 0 && strcmp(ours.sound, sound->name) == 0 &&
            result.audio == (sound->name[0] != '\0') && ours.len == (size_t)result.frames;
    if (!right)
        fail_msg("%s of %s and %s: %zu frames from %zu on, %s and %s", c->name, video->name,
                 sound->name, ours.len, first, ours.video, ours.sound);
    okno_media_result_free(&result);
}

static void every_codec_in_every_container_that_takes_it(void **state)
{
    (void)state;
    int made = 0;
    for (size_t s = 0; s + 1 < OKNO_COUNT(sounds); s++)
        fixture_ffmpeg("-f lavfi -i sine=440:d=4 %s sound%zu.mkv", sounds[s].options, s);
    for (size_t v = 0; v < OKNO_COUNT(videos); v++) {
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=192x96:r=25:d=4,noise=alls=10:allf=t -pix_fmt yuv420p %s "
            "pictures.mkv",
            videos[v].options);
        for (size_t c = 0; c < OKNO_COUNT(containers); c++)
            for (size_t s = 0; s < OKNO_COUNT(sounds); s++) {
                if (!(containers[c].videos >> v & 1) || !(containers[c].sounds >> s & 1))
                    continue;
                char with[64] = "";
                if (sounds[s].name[0])
                    (void)snprintf(with, sizeof(with), "-i sound%zu.mkv", s);
                fixture_ffmpeg("-i pictures.mkv %s -c copy -strict -2 %s %s", with,
                               containers[c].options, containers[c].name);
                seen_frames_read(fixture_path("pictures.mkv"), &all);
                check(&containers[c], &videos[v], &sounds[s]);
                made++;
            }
    }
    assert_int_equal(made, 92); /* as docs/evidence.md says */
}

/* --- frames that the recorder dropped --------------------------------------------------------- */

/* Every third frame of `rate` a second. */
static int64_t drop_at(size_t k, int rate)
{
    return (int64_t)k * 3 * SECOND / rate;
}

static void check_clip(const struct okno_media_input *input, int rate, int64_t from_us,
                       const char *label)
{
    struct okno_media_result result = {0};
    struct okno_err err = {0};
    (void)unlink(fixture_path("clip.mp4"));
    if (okno_media_clip(input, 1, T0 + from_us, T0 + from_us + SECOND, false,
                        fixture_path("clip.mp4"), &result, &err) < 0)
        fail_msg("%s at %lld: %s", label, (long long)from_us, err.text);
    seen_frames_read(fixture_path("clip.mp4"), &ours);
    size_t first = 0;
    while (first < all.len && all.items[first].hash != ours.items[0].hash)
        first++;
    bool right = first + ours.len <= all.len &&
                 llabs(result.first_frame_us - T0 - drop_at(first, rate)) < 1000;
    for (size_t k = 0; right && k < ours.len; k++)
        right = ours.items[k].hash == all.items[first + k].hash &&
                llabs(ours.items[k].at_us - drop_at(k, rate)) < 1000;
    if (!right)
        fail_msg("%s at %lld: frame %zu of %zu is said to be at %lld", label, (long long)from_us,
                 first, all.len, (long long)(result.first_frame_us - T0));
    okno_media_result_free(&result);
}

static void check_still(const struct okno_media_input *input, int rate, int64_t at_us,
                        const char *label)
{
    struct okno_media_result result = {0};
    struct okno_err err = {0};
    (void)unlink(fixture_path("still.jpg"));
    if (okno_media_still(input, 1, T0 + at_us, fixture_path("still.jpg"), &result, &err) < 0)
        fail_msg("%s at %lld: %s", label, (long long)at_us, err.text);
    if (llabs(result.first_frame_us - T0 - drop_at((size_t)(at_us * rate / 3 / SECOND), rate)) >
        1000)
        fail_msg("%s: still at %lld is said to be of %lld", label, (long long)at_us,
                 (long long)(result.first_frame_us - T0));
    okno_media_result_free(&result);
}

static void check_drops(const char *name, int rate, const char *label)
{
    OKNO_AUTO(okno_source) *source = fixture_source(name);
    const struct okno_media_input input = {.source = source, .format = "avi", .from_us = T0};
    seen_frames_read(fixture_path(name), &all);
    for (int64_t at = 300000; at < 15 * SECOND / 2; at += 740000)
        check_clip(&input, rate, at, label);
    for (int64_t at = 0; at < 15 * SECOND / 2; at += 394000)
        check_still(&input, rate, at, label);
}

/* AVI has empty chunks in their place. Whole, and without its index at the end. */
static void frames_between_empty_chunks_keep_their_times(void **state)
{
    (void)state;
    static const char *const codecs[] = {"-c:v mpeg4 -q:v 5 -g 12 -bf 0",
                                         "-c:v mjpeg -q:v 5 -pix_fmt yuvj420p",
                                         "-c:v libx264 -preset ultrafast -bf 0 -g 12"};
    static const int rates[] = {25, 50};
    for (size_t i = 0; i < OKNO_COUNT(codecs) * OKNO_COUNT(rates); i++) {
        const char *codec = codecs[i / OKNO_COUNT(rates)];
        int rate = rates[i % OKNO_COUNT(rates)];
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=192x96:r=%d:d=8 -f lavfi -i sine=440:d=8 "
            "-vf select='not(mod(n,3))' -vsync vfr -enc_time_base 1/%d %s "
            "-c:a pcm_s16le -ar 8000 drops.avi",
            rate, rate, codec);
        check_drops("drops.avi", rate, codec);
        fixture_truncate("drops.avi", "cut.avi", fixture_size("drops.avi") - 12000);
        check_drops("cut.avi", rate, codec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_in_every_container_that_takes_it),
        cmocka_unit_test(frames_between_empty_chunks_keep_their_times),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

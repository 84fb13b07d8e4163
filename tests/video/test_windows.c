/* Many windows over many kinds of recordings: what was cut is bit for bit what was recorded. The
 * windows are made up from a seed. OKNO_WINDOWS=200 tries that many of each recording, OKNO_SEED=7
 * others. */
#define _GNU_SOURCE
#include "../../src/video/media/boxes.h"
#include "../support/recording.h"

#include "okno/media.h"
#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 INT64_C(1773151400000000)
#define SECOND INT64_C(1000000)

struct recording {
    const char *name, *format, *options;
    int rate, gop, seconds;
    bool open_gop; /* key frames are not where the GOP's length says */
};

#define X264 "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0 "
#define SCENE(rate, seconds)                                                                       \
    "-f lavfi -i testsrc2=s=160x120:r=" rate ":d=" seconds " -vf noise=alls=10:allf=t " X264

static const struct recording recordings[] = {
    {"slow.mp4", "mov", SCENE("7", "90") "-g 70 -bf 0", 7, 70, 90, false},
    {"b.mp4", "mov", SCENE("25", "30") "-g 50 -keyint_min 50 -bf 3 -b_strategy 0", 25, 50, 30,
     false},
    {"minute.mp4", "mov", SCENE("5", "150") "-g 300 -bf 2 -b_strategy 0", 5, 300, 150, false},
    {"open.mp4", "mov", SCENE("15", "40") "-g 30 -bf 2 -b_strategy 0 -x264-params open-gop=1", 15,
     30, 40, true},
    {"gop.mp4", "mov",
     SCENE("15",
           "60") "-g 60 -keyint_min 60 -bf 2 -b_strategy 0 -movflags frag_keyframe+empty_moov",
     15, 60, 60, false},
    {"parts.mp4", "mov",
     SCENE("15",
           "60") "-g 60 -keyint_min 60 -bf 0 -movflags empty_moov+default_base_moof+skip_trailer "
                 "-frag_duration 1000000",
     15, 60, 60, false},
    {"sidx.mp4", "mov",
     SCENE("15", "60") "-g 60 -keyint_min 60 -bf 2 -b_strategy 0 -movflags "
                       "frag_keyframe+empty_moov+default_base_moof+global_sidx",
     15, 60, 60, false},
    {"second.mkv", "matroska", SCENE("15", "60") "-g 15 -keyint_min 15 -bf 0", 15, 15, 60, false},
    {"wrap.ts", "mpegts",
     SCENE("15", "60") "-g 60 -keyint_min 60 -bf 2 -b_strategy 0 "
                       "-output_ts_offset 95418",
     15, 60, 60, false},
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static long setting(const char *name, long usual)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : usual;
}

static void check_window(const struct recording *r, const struct fixture_frames *all,
                         struct okno_source *source, int64_t from_us, int64_t to_us)
{
    struct okno_media_input input = {.source = source, .format = r->format, .from_us = T0};
    struct okno_media_result result = {0};
    struct okno_err err = {0};
    struct fixture_frames ours = {0};
    (void)unlink(fixture_path("window.mp4"));
    if (okno_media_clip(&input, 1, T0 + from_us, T0 + to_us, false, fixture_path("window.mp4"),
                        &result, &err) < 0)
        fail_msg("%s [%lld, %lld): %s", r->name, (long long)from_us, (long long)to_us, err.text);
    int64_t first = ((result.first_frame_us - T0) * r->rate + SECOND / 2) / SECOND;
    int64_t asked = (from_us * r->rate) / SECOND;
    bool right = first <= asked &&
                 (r->open_gop ? asked - first <= 2 * r->gop : first == asked - asked % r->gop);
    int64_t length = (int64_t)all->len * SECOND / r->rate;
    right = right && result.got_to_us - T0 + 2000 >= (to_us < length ? to_us : length);
    /* A frame behind the end that one before it refers to is in, too. */
    right = right && result.got_to_us - T0 < to_us + 6 * SECOND / r->rate;
    fixture_hash("window.mp4", &ours);
    right = right && ours.len == (size_t)result.frames;
    /* Behind the end lie only frames that one before it refers to, perhaps not all of them. */
    for (size_t i = 0; right && i < ours.len && (first + (int64_t)i) * SECOND / r->rate < to_us;
         i++)
        right =
            (size_t)first + i < all->len && strcmp(ours.hash[i], all->hash[(size_t)first + i]) == 0;
    if (!right)
        fail_msg("%s [%lld, %lld): frames %lld to %lld, %zu of them", r->name, (long long)from_us,
                 (long long)to_us, (long long)first, (long long)(first + result.frames), ours.len);
    fixture_frames_free(&ours);
    okno_media_result_free(&result);
}

static void any_window_holds_the_recordings_own_frames(void **state)
{
    (void)state;
    long count = setting("OKNO_WINDOWS", 2);
    uint64_t random = (uint64_t)setting("OKNO_SEED", 20261125) | 1;
    for (size_t i = 0; i < OKNO_COUNT(recordings); i++) {
        const struct recording *r = &recordings[i];
        struct fixture_frames all = {0};
        fixture_ffmpeg("%s %s", r->options, r->name);
        fixture_hash(r->name, &all);
        assert_int_equal(all.len, r->rate * r->seconds);
        OKNO_AUTO(okno_source) *source = fixture_source(r->name);
        int64_t length = r->seconds * SECOND;
        for (long k = 0; k < count; k++) {
            int64_t from = (int64_t)(next_random(&random) % (uint64_t)(length - SECOND));
            int64_t to =
                from + SECOND / 2 + (int64_t)(next_random(&random) % (12 * (uint64_t)SECOND));
            if (k % 3 == 1) /* exactly on a frame */
                from = from * r->rate / SECOND * SECOND / r->rate + 1;
            check_window(r, &all, source, from, to);
        }
        fixture_frames_free(&all);
    }
}

/* Each fragment of a file, by walking all of it, against what the search finds; and what it costs.
 */
static void a_fragment_is_found_by_few_reads(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=160x120:r=5:d=1200 -vf "
        "noise=alls=40:enable=lt(mod(t\\,80)\\,40):allf=t " X264
        "-g 10 -keyint_min 10 -bf 0 -movflags "
        "frag_keyframe+empty_moov+default_base_moof+skip_trailer uneven.mp4");
    OKNO_AUTO(okno_source) *source = fixture_source("uneven.mp4");
    struct media_boxes all = {0};
    assert_int_equal(media_boxes_look(source, &all, NULL), 0);
    all.track = 1;
    struct media_fragment found = {0};
    assert_true(all.first_at > 0);
    assert_int_equal(media_boxes_first(&all, &found, NULL), 1);
    int64_t ticks = 0; /* of two seconds */
    uint64_t random = 99;
    int64_t costs[60];
    for (size_t i = 0; i < OKNO_COUNT(costs); i++) {
        struct media_boxes boxes = {0};
        assert_int_equal(media_boxes_look(source, &boxes, NULL), 0);
        boxes.track = 1;
        if (ticks == 0) {
            struct media_boxes second = {0};
            assert_int_equal(media_boxes_look(source, &second, NULL), 0);
            second.track = 1;
            second.first_at = found.end;
            struct media_fragment next = {0};
            assert_int_equal(media_boxes_first(&second, &next, NULL), 1);
            ticks = next.time - found.time;
            media_boxes_clear(&second);
        }
        int64_t time = (int64_t)(next_random(&random) % (uint64_t)(600 * ticks));
        int64_t before = source->requests;
        struct media_fragment fragment = {0};
        assert_int_equal(media_boxes_find(&boxes, time, &fragment, NULL), 1);
        costs[i] = source->requests - before;
        assert_int_equal(fragment.time, time / ticks * ticks);
        media_boxes_clear(&boxes);
    }
    media_boxes_clear(&all);
    for (size_t i = 0; i < OKNO_COUNT(costs); i++)
        for (size_t k = i + 1; k < OKNO_COUNT(costs); k++)
            if (costs[k] < costs[i]) {
                int64_t swap = costs[i];
                costs[i] = costs[k];
                costs[k] = swap;
            }
    print_message("reads: median %lld, p90 %lld, most %lld\n", (long long)costs[30],
                  (long long)costs[54], (long long)costs[59]);
    assert_true(costs[54] <= 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_window_holds_the_recordings_own_frames),
        cmocka_unit_test(a_fragment_is_found_by_few_reads),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

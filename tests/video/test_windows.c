/* Many windows over many kinds of recordings: what was cut is bit for bit what was recorded. The
 * windows are made up from a seed. OKNO_WINDOWS=200 tries that many of each recording, OKNO_SEED=7
 * others (`make test-windows`). Two witnesses, both without the product's code: what libavcodec
 * makes of the recording as a whole, and the number that is drawn into each picture. */
#define _GNU_SOURCE
#include "../../src/video/media/boxes.h"
#include "../support/frames.h"
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
    const char *name, *format, *rate;
    int seconds;
    const char *options;
    bool sound;
    bool open_gop; /* a clip may begin a GOP earlier than the key frame before its beginning */
    bool ms;       /* its stamps are rounded to milliseconds */
};

#define X264 "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0 "
#define CLOSED(gop) "-g " gop " -keyint_min " gop " "
#define B_FRAMES "-bf 3 -b_strategy 0 "
#define AAC "-c:a aac "

static const struct recording recordings[] = {
    {"slow.mp4", "mov", "7", 45, X264 "-g 70 -bf 0", false, false, false},
    {"front.mp4", "mov", "25", 20, X264 CLOSED("50") B_FRAMES AAC "-movflags faststart", true,
     false, false},
    {"minute.mp4", "mov", "5", 130, X264 "-g 300 -bf 2 -b_strategy 0", false, false, false},
    {"second.mp4", "mov", "30000/1001", 20, X264 CLOSED("30") "-bf 0", false, false, false},
    {"open.mp4", "mov", "15", 24, X264 "-g 30 -bf 2 -b_strategy 0 -x264-params open-gop=1", false,
     true, false},
    {"open.ts", "mpegts", "25", 20, X264 "-g 50 " B_FRAMES AAC "-x264-params open-gop=1", true,
     true, false},
    {"uneven.mp4", "mov", "25", 20,
     "-vf select=gt(mod(n\\,17)\\,4)*gt(mod(n\\,5)\\,0) -vsync vfr " X264 "-g 40 " B_FRAMES, false,
     false, false},
    {"gop.mp4", "mov", "15", 32,
     X264 CLOSED("60") "-bf 2 -b_strategy 0 -movflags frag_keyframe+empty_moov", false, false,
     false},
    {"parts.mp4", "mov", "15", 32,
     X264 CLOSED("60") "-bf 0 " AAC
                       "-movflags empty_moov+default_base_moof+skip_trailer -frag_duration "
                       "1000000",
     true, false, false},
    {"sidx.mp4", "mov", "29.97", 24,
     X264 CLOSED("60") B_FRAMES "-movflags frag_keyframe+empty_moov+default_base_moof+global_sidx",
     false, false, false},
    {"second.mkv", "matroska", "15", 24, X264 CLOSED("15") B_FRAMES "-c:a pcm_alaw -ar 8000", true,
     false, true},
    {"wrap.ts", "mpegts", "15", 32, X264 CLOSED("60") "-bf 2 -b_strategy 0 -output_ts_offset 95418",
     false, false, false},
    {"hevc.ts", "mpegts", "12.5", 14,
     "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params "
     "log-level=none:pools=1:bframes=3:keyint=25:min-keyint=25:open-gop=0",
     false, false, false},
    {"old.mpg", "mpeg", "25", 24, X264 CLOSED("50") B_FRAMES "-f vob", false, false, false},
    {"old.avi", "avi", "15", 24, X264 CLOSED("30") "-bf 0 -c:a pcm_mulaw -ar 8000", true, false,
     false},
    {"old4.avi", "avi", "12", 24, "-c:v mpeg4 -q:v 5 -g 24 -bf 0", false, false, false},
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

/* --- windows ---------------------------------------------------------------------------------- */

struct window {
    const struct recording *recording;
    const struct seen_frames *all;
    struct okno_source *source;
    int64_t from_us, to_us;
};

/* The last frame at or before a moment; the first one when there is none. */
static size_t frame_at(const struct seen_frames *frames, int64_t us)
{
    size_t i = 0;
    while (i + 1 < frames->len && frames->items[i + 1].at_us <= us)
        i++;
    return i;
}

static size_t key_before(const struct seen_frames *frames, size_t i)
{
    while (i > 0 && !frames->items[i].key)
        i--;
    return i;
}

/* Whether the clip's frame is the recording's i-th, at the same distance from `first`. */
static bool is_same(const struct window *w, const struct seen_frame *ours, size_t i, size_t first)
{
    const struct seen_frame *all = w->all->items;
    int64_t slack_us = w->recording->ms ? 1000 : 200;
    int64_t off = ours->at_us - (all[i].at_us - all[first].at_us);
    return ours->number == all[i].number && ours->hash == all[i].hash && llabs(off) <= slack_us;
}

/* What is wrong with a clip, or NULL. */
static const char *judge(const struct window *w, const struct okno_media_result *result,
                         const struct seen_frames *ours)
{
    const struct seen_frames *all = w->all;
    size_t shown = frame_at(all, w->from_us);
    size_t key = key_before(all, shown);
    size_t first = frame_at(all, result->first_frame_us - T0 + 1000);
    size_t earliest = w->recording->open_gop && key > 0 ? key_before(all, key - 1) : key;
    if (first > key || first < earliest || !all->items[first].key)
        return "does not begin at the key frame before its beginning";
    if (ours->len != (size_t)result->frames)
        return "has another number of frames than it says";
    size_t i = first;
    for (size_t k = 0; k < ours->len; k++, i++) {
        /* Behind the end lie only frames that one before it refers to, perhaps not all of them. */
        while (i < all->len && all->items[i].at_us >= w->to_us &&
               !is_same(w, &ours->items[k], i, first))
            i++;
        if (i >= all->len || !is_same(w, &ours->items[k], i, first))
            return "holds another frame than the recording";
    }
    if (i < all->len && all->items[i].at_us < w->to_us)
        return "lacks frames at its end";
    if (w->to_us - w->from_us > SECOND / 2 && result->audio != w->recording->sound)
        return "has sound where there is none, or none where there is";
    return NULL;
}

static void check_window(const struct window *w)
{
    static struct seen_frames ours;
    const struct recording *r = w->recording;
    struct okno_media_input input = {.source = w->source, .format = r->format, .from_us = T0};
    struct okno_media_result result = {0};
    struct okno_err err = {0};
    const char *wrong = err.text;
    (void)unlink(fixture_path("window.mp4"));
    if (okno_media_clip(&input, 1, T0 + w->from_us, T0 + w->to_us, r->sound,
                        fixture_path("window.mp4"), &result, &err) == 0) {
        seen_frames_read(fixture_path("window.mp4"), &ours);
        wrong = judge(w, &result, &ours);
    }
    if (wrong)
        fail_msg("%s [%lld, %lld) us: %s; begins at %lld, %lld frames", r->name,
                 (long long)w->from_us, (long long)w->to_us, wrong,
                 (long long)(result.first_frame_us - T0), (long long)result.frames);
    okno_media_result_free(&result);
}

/* A moment of the kind that `kind` says: anywhere, on a frame, at or beside a key frame. */
static int64_t moment(const struct seen_frames *all, uint64_t kind, uint64_t *random)
{
    size_t i = (size_t)(next_random(random) % all->len);
    size_t key = key_before(all, i);
    switch (kind % 6) {
    case 0:
        return all->items[i].at_us;
    case 1:
        return all->items[i].at_us + 1;
    case 2:
        return all->items[key].at_us;
    case 3:
        return all->items[key].at_us - 1;
    default:
        return (int64_t)(next_random(random) % (uint64_t)all->items[all->len - 1].at_us);
    }
}

static struct window window_make(const struct recording *r, const struct seen_frames *all,
                                 struct okno_source *source, uint64_t *random)
{
    uint64_t kind = next_random(random);
    struct window w = {.recording = r, .all = all, .source = source};
    w.from_us = moment(all, kind, random);
    w.from_us = w.from_us < 0 ? 0 : w.from_us;
    w.to_us = kind / 64 % 3 == 0 ? moment(all, kind / 6, random) : 0;
    if (w.to_us <= w.from_us)
        w.to_us = w.from_us + 1 + (int64_t)(next_random(random) % (12 * (uint64_t)SECOND));
    /* libavcodec 5.1 keeps a picture back when a stream of an open GOP ends after its first five.
     */
    if (r->open_gop && w.to_us < w.from_us + SECOND / 2)
        w.to_us = w.from_us + SECOND / 2;
    return w;
}

static void record(const struct recording *r)
{
    char boxes[1200] = "";
    size_t len = 0;
    for (int bit = 0; bit < FRAME_BLOCKS; bit++)
        len += (size_t)snprintf(boxes + len, sizeof(boxes) - len,
                                ",drawbox=%d:80:16:16:white:fill:enable=gte(mod(n\\,%d)\\,%d)",
                                bit * FRAME_BLOCK, 2 << bit, 1 << bit);
    char sound[64] = "";
    if (r->sound)
        (void)snprintf(sound, sizeof(sound), "-f lavfi -i sine=440:d=%d", r->seconds);
    fixture_ffmpeg(
        "-f lavfi -i "
        "testsrc2=s=192x96:r=%s:d=%d,noise=alls=10:allf=t,drawbox=0:80:192:16:black:fill%s "
        "%s %s %s",
        r->rate, r->seconds, boxes, sound, r->options, r->name);
}

static void any_window_holds_the_recordings_own_frames(void **state)
{
    (void)state;
    static struct seen_frames all;
    long count = setting("OKNO_WINDOWS", 8);
    uint64_t random = (uint64_t)setting("OKNO_SEED", 20261125) | 1;
    for (size_t i = 0; i < OKNO_COUNT(recordings); i++) {
        const struct recording *r = &recordings[i];
        record(r);
        seen_frames_read(fixture_path(r->name), &all);
        if (strcmp(r->format, "mpeg") == 0) /* some pictures of these have no time of their own */
            for (size_t k = 0; k < all.len; k++)
                all.items[k].at_us = all.items[k].number * SECOND / strtol(r->rate, NULL, 10);
        assert_true(all.len > 100 && all.items[0].key);
        OKNO_AUTO(okno_source) *source = fixture_source(r->name);
        for (long k = 0; k < count; k++) {
            struct window w = window_make(r, &all, source, &random);
            check_window(&w);
        }
        assert_int_equal(unlink(fixture_path(r->name)), 0);
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

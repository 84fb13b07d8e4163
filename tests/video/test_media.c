#define _GNU_SOURCE /* memmem */
#include "../support/recording.h"

#include "okno/media.h"
#include "okno/mem.h"
#include "okno/viewing.h"

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
#define ENCODE                                                                                     \
    "-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 60 -keyint_min 60 -sc_threshold 0"

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
    {"indexed.mp4", "mov",
     "-i base.mp4 -c copy -movflags frag_keyframe+empty_moov+default_base_moof+global_sidx", true},
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

/* --- helpers for clips and stills of plain MP4s ------------------------------------------------
 */

struct taken {
    int rc;
    struct okno_err err;
    struct okno_media_result result;
    int64_t bytes_read;
};

struct file_at {
    const char *name, *format;
    int64_t from_us, error_us;
};

enum { MAX_FILES = 4 };

static size_t inputs_open(const struct file_at *files, struct okno_media_input inputs[MAX_FILES])
{
    size_t count = 0;
    for (; count < MAX_FILES && files[count].name; count++)
        inputs[count] = (struct okno_media_input){.source = fixture_source(files[count].name),
                                                  .format = files[count].format,
                                                  .from_us = files[count].from_us,
                                                  .error_us = files[count].error_us,
                                                  .name = files[count].name};
    return count;
}

static int64_t inputs_close(struct okno_media_input *inputs, size_t count)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += inputs[i].source->bytes_read;
        okno_source_close(inputs[i].source);
    }
    return bytes;
}

static void forget(void)
{
    (void)unlink(fixture_path("clip.mp4"));
    (void)unlink(fixture_path("still.jpg"));
}

static struct taken clip_of(const struct file_at *files, int64_t from_us, int64_t to_us, bool audio)
{
    struct okno_media_input inputs[MAX_FILES];
    size_t count = inputs_open(files, inputs);
    struct taken taken = {0};
    forget();
    taken.rc = okno_media_clip(inputs, count, from_us, to_us, audio, fixture_path("clip.mp4"),
                               &taken.result, &taken.err);
    taken.bytes_read = inputs_close(inputs, count);
    return taken;
}

static struct taken still_of(const struct file_at *files, int64_t at_us)
{
    struct okno_media_input inputs[MAX_FILES];
    size_t count = inputs_open(files, inputs);
    struct taken taken = {0};
    forget();
    taken.rc = okno_media_still(inputs, count, at_us, fixture_path("still.jpg"), &taken.result,
                                &taken.err);
    taken.bytes_read = inputs_close(inputs, count);
    return taken;
}

static void assert_done(const struct taken *taken)
{
    if (taken->rc < 0)
        fail_msg("%s", taken->err.text);
}

static void assert_refused(struct taken taken, int code, const char *words)
{
    if (taken.rc == 0)
        fail_msg("not refused: %s", words);
    if (taken.rc != code || !strstr(taken.err.text, words))
        fail_msg("%s: %s", okno_code_info(taken.rc)->name, taken.err.text);
    assert_int_equal(access(fixture_path("clip.mp4"), F_OK), -1);
    assert_int_equal(access(fixture_path("still.jpg"), F_OK), -1);
}

static void assert_gap(const struct taken *taken, size_t i, int64_t from_us, int64_t to_us)
{
    assert_true(i < taken->result.gaps.len);
    assert_near(taken->result.gaps.items[i].from_us, from_us);
    assert_near(taken->result.gaps.items[i].to_us, to_us);
}

/* Mean difference of two grey pictures, in hundredths of a level. */
static int64_t difference(const char *one, int frame_one, const char *two, int frame_two)
{
    size_t len = 0;
    size_t len_two = 0;
    okno_autofree uint8_t *a = fixture_grey(one, frame_one, &len);
    okno_autofree uint8_t *b = fixture_grey(two, frame_two, &len_two);
    assert_int_equal(len, len_two);
    int64_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    return sum * 100 / (int64_t)len;
}

static const struct file_at *base(void)
{
    static const struct file_at files[] = {{"base.mp4", "mov", T0, 0}, {0}};
    make_base();
    return files;
}

/* Two halves of the base recording: frames 0..119 and 120..179. */
static void make_halves(void)
{
    static bool made;
    make_base();
    if (!made) {
        fixture_ffmpeg(
            "-i base.mp4 -c copy -f segment -segment_times 8 -reset_timestamps 1 "
            "half%%d.mp4");
    }
    made = true;
}

/* --- clips --------------------------------------------------------------------------------------
 */

static void the_clip_starts_at_the_key_frame_and_keeps_every_distance(void **state)
{
    (void)state;
    struct taken taken = clip_of(base(), T0 + 8 * SECOND, T0 + 10 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.got_from_us, T0 + 8 * SECOND);
    assert_int_equal(taken.result.first_frame_us, T0 + 8 * SECOND);
    assert_frames_equal("clip.mp4", "base.mp4", 120, (size_t)taken.result.frames);
    okno_autofree char *text = fixture_output(
        "ffprobe",
        "-v error -select_streams v -show_entries packet=pts_time,dts_time -of csv=p=0 "
        "clip.mp4");
    /* B frames: decode times run ahead of presentation; the first picture is at 0. */
    assert_non_null(strstr(text, "0.000000,-0.066667"));
    assert_non_null(strstr(text, "\n0.200000,0.000000"));
    assert_non_null(strstr(text, "\n0.066667,0.066667"));
}

static void one_microsecond_before_a_key_frame_starts_a_gop_earlier(void **state)
{
    (void)state;
    struct taken taken = clip_of(base(), T0 + 8 * SECOND - 1, T0 + 10 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.got_from_us, T0 + 4 * SECOND);
}

static void the_index_stands_in_front_and_the_bytes_are_reproducible(void **state)
{
    (void)state;
    struct taken taken = clip_of(base(), T0 + 5 * SECOND, T0 + 6 * SECOND, false);
    assert_done(&taken);
    okno_autofree char *once = fixture_output("sha256sum", "clip.mp4");
    taken = clip_of(base(), T0 + 5 * SECOND, T0 + 6 * SECOND, false);
    assert_done(&taken);
    okno_autofree char *twice = fixture_output("sha256sum", "clip.mp4");
    assert_string_equal(once, twice);
    char head[4096] = "";
    okno_autofclose FILE *file = fopen(fixture_path("clip.mp4"), "rb");
    assert_non_null(file);
    size_t got = fread(head, 1, sizeof(head), file);
    const char *moov = memmem(head, got, "moov", 4);
    const char *mdat = memmem(head, got, "mdat", 4);
    assert_non_null(moov);
    assert_true(!mdat || moov < mdat);
    assert_null(memmem(head, got, "moof", 4));
    assert_null(memmem(head, got, "elst", 4)); /* Firefox ignores it for video */
}

static void asking_beyond_both_ends_gives_all_and_names_head_and_tail_as_gaps(void **state)
{
    (void)state;
    struct taken taken = clip_of(base(), T0 - 3 * SECOND, T0 + 20 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.frames, 180);
    assert_int_equal(taken.result.gaps.len, 2);
    assert_gap(&taken, 0, T0 - 3 * SECOND, T0);
    assert_gap(&taken, 1, T0 + 12 * SECOND, T0 + 20 * SECOND);
    assert_frames_equal("clip.mp4", "base.mp4", 0, 180);
    okno_media_result_free(&taken.result);
}

static void a_window_outside_the_recording_is_not_covered(void **state)
{
    (void)state;
    const struct file_at *files = base();
    assert_refused(clip_of(files, T0 - 5 * SECOND, T0, false), OKNO_NO_COVERAGE, "nothing");
    assert_refused(clip_of(files, T0 + 13 * SECOND, T0 + 15 * SECOND, false), OKNO_NO_COVERAGE,
                   "nothing");
    assert_refused(clip_of(&(struct file_at){0}, T0, T0 + SECOND, false), OKNO_NO_COVERAGE,
                   "nothing");
}

static void two_files_that_touch_make_one_clip_without_a_gap(void **state)
{
    (void)state;
    make_halves();
    const struct file_at files[] = {
        {"half0.mp4", "mov", T0, 0}, {"half1.mp4", "mov", T0 + 8 * SECOND, 0}, {0}};
    struct taken taken = clip_of(files, T0 + 5 * SECOND, T0 + 11 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.gaps.len, 0);
    assert_int_equal(taken.result.got_from_us, T0 + 4 * SECOND);
    assert_true(taken.result.got_to_us >= T0 + 11 * SECOND);
    assert_frames_equal("clip.mp4", "base.mp4", 60, (size_t)taken.result.frames);
}

static void a_gap_between_files_keeps_its_length_and_is_named(void **state)
{
    (void)state;
    make_halves();
    const struct file_at files[] = {
        {"half0.mp4", "mov", T0, 0}, {"half1.mp4", "mov", T0 + 10 * SECOND, 0}, {0}};
    struct taken taken = clip_of(files, T0 + 5 * SECOND, T0 + 13 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.gaps.len, 1);
    assert_gap(&taken, 0, T0 + 8 * SECOND, T0 + 10 * SECOND);
    okno_media_result_free(&taken.result);
    okno_autofree char *text = fixture_output(
        "ffprobe", "-v error -select_streams v -show_entries packet=pts_time -of csv=p=0 clip.mp4");
    assert_non_null(strstr(text, "6.000000")); /* the second file's first frame: 10 s - 4 s */
    assert_null(strstr(text, "5.9"));
}

static void a_clip_that_begins_in_a_gap_starts_with_the_next_recording(void **state)
{
    (void)state;
    make_halves();
    const struct file_at files[] = {
        {"half0.mp4", "mov", T0, 0}, {"half1.mp4", "mov", T0 + 10 * SECOND, 0}, {0}};
    struct taken taken = clip_of(files, T0 + 9 * SECOND, T0 + 12 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.got_from_us, T0 + 10 * SECOND);
    assert_gap(&taken, 0, T0 + 9 * SECOND, T0 + 10 * SECOND);
    okno_media_result_free(&taken.result);
}

/* The second file begins at 4 s of the same scene: 4 s of it are there twice. */
static void an_overlap_is_taken_once_and_nothing_is_lost(void **state)
{
    (void)state;
    make_base();
    fixture_ffmpeg("-ss 4 -i base.mp4 -c copy late.mp4");
    fixture_ffmpeg("-t 8.9 -i base.mp4 -c copy early.mp4");
    const struct file_at files[] = {
        {"early.mp4", "mov", T0, 0}, {"late.mp4", "mov", T0 + 4 * SECOND, 0}, {0}};
    struct taken taken = clip_of(files, T0, T0 + 12 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.gaps.len, 0);
    assert_frames_equal("clip.mp4", "base.mp4", 0, 180);
}

static void a_recording_inside_another_adds_nothing(void **state)
{
    (void)state;
    make_halves();
    const struct file_at files[] = {
        {"base.mp4", "mov", T0, 0}, {"half1.mp4", "mov", T0 + 7 * SECOND, 0}, {0}};
    struct taken taken = clip_of(files, T0, T0 + 12 * SECOND, false);
    assert_done(&taken);
    assert_frames_equal("clip.mp4", "base.mp4", 0, 180);
}

/* A name of whole seconds puts the second file 0.4 s into the first: it is moved, not cut. */
static void an_overlap_within_the_error_of_the_name_loses_no_frame(void **state)
{
    (void)state;
    make_halves();
    const struct file_at files[] = {
        {"half0.mp4", "mov", T0, SECOND}, {"half1.mp4", "mov", T0 + 7600000, SECOND}, {0}};
    struct taken taken = clip_of(files, T0, T0 + 12 * SECOND, false);
    assert_done(&taken);
    assert_frames_equal("clip.mp4", "base.mp4", 0, 180);
    assert_int_equal(taken.result.gaps.len, 0);
    assert_int_equal(taken.result.got_to_us, T0 + 12 * SECOND);
}

/* How many rows a table of the clip's first track has, the video. */
static int rows_of_clip(const char table[4])
{
    char head[65536] = "";
    okno_autofclose FILE *file = fopen(fixture_path("clip.mp4"), "rb");
    assert_non_null(file);
    size_t got = fread(head, 1, sizeof(head), file);
    const uint8_t *found = memmem(head, got, table, 4);
    assert_non_null(found);
    return found[11];
}

/* Whether the second file begins when the first one ends, or a little later: the first one is
 * closed before the second one is opened then. */
static void assert_another_entry(int64_t later_us)
{
    const struct file_at files[] = {
        {"base.mp4", "mov", T0, 0}, {"small.mp4", "mov", T0 + 12 * SECOND + later_us, 0}, {0}};
    struct taken both = clip_of(files, T0 + 9 * SECOND, T0 + 14 * SECOND, false);
    assert_done(&both);
    assert_int_equal(both.result.gaps.len, 0);
    assert_int_equal(both.result.width, 320);
    assert_int_equal(rows_of_clip("stsd"), 2);
    okno_autofree char *sizes = fixture_output(
        "ffprobe", "-v error -select_streams v -show_entries frame=width -of csv=p=0 clip.mp4");
    size_t wide = 0;
    size_t small = 0;
    for (const char *at = sizes; *at; at++) {
        wide += strncmp(at, "320", 3) == 0;
        small += strncmp(at, "160", 3) == 0;
    }
    assert_int_equal(wide, 60);
    assert_int_equal(wide + small, both.result.frames);
    struct taken taken = clip_of(files, T0 + 13 * SECOND, T0 + 14 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.width, 160);
    assert_int_equal(rows_of_clip("stsd"), 1);
}

static void a_change_of_the_picture_between_files_becomes_another_sample_entry(void **state)
{
    (void)state;
    make_base();
    fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=15:d=4 " ENCODE " small.mp4");
    assert_another_entry(0);
    assert_another_entry(1000);
}

/* As a player sees it that knows the first sample entry only: it is told in the stream. */
static void key_frames_bring_their_parameters_where_these_change(void **state)
{
    (void)state;
    const struct file_at files[] = {
        {"one.mp4", "mov", T0, 0}, {"two.mkv", "matroska", T0 + 4 * SECOND, 0}, {0}};
    fixture_ffmpeg("-f lavfi -i testsrc2=s=320x240:r=15:d=4 " ENCODE " one.mp4");
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=4 -c:v libx264 -preset ultrafast -g 30 "
        "-bf 0 -x264-params cabac=0:ref=1 two.mkv");
    struct taken taken = clip_of(files, T0, T0 + 8 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(rows_of_clip("stsd"), 2);
    /* The stream gets the first entry's parameters, and those of key frames that have their own. */
    fixture_ffmpeg("-i clip.mp4 -c copy -f h264 stream.bin");
    struct fixture_frames ours = {0};
    struct fixture_frames theirs[2] = {0};
    fixture_hash("stream.bin", &ours);
    fixture_hash("one.mp4", &theirs[0]);
    fixture_hash("two.mkv", &theirs[1]);
    assert_int_equal(ours.len, 120);
    for (size_t k = 0; k < ours.len; k++)
        assert_string_equal(ours.hash[k], theirs[k / 60].hash[k % 60]);
    fixture_frames_free(&ours);
    fixture_frames_free(&theirs[0]);
    fixture_frames_free(&theirs[1]);
}

/* The second half was made by another encoder; its parameters stand in the stream only. */
static void parameters_that_change_inside_a_stream_keep_every_frame(void **state)
{
    (void)state;
    static const char *const codecs[][2] = {
        {ENCODE, "-c:v libx264 -preset ultrafast -g 30 -bf 0 -x264-params cabac=0:ref=1"},
        {"-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1:keyint=30",
         "-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1:keyint=30:ctu=16"}};
    for (size_t i = 0; i < OKNO_COUNT(codecs); i++) {
        fixture_ffmpeg("-f lavfi -i testsrc2=s=320x240:r=15:d=4 %s one.ts", codecs[i][0]);
        fixture_ffmpeg("-f lavfi -i testsrc2=s=320x240:r=15:d=4 %s -output_ts_offset 4 two.ts",
                       codecs[i][1]);
        fixture_ffmpeg("-i concat:one.ts|two.ts -c copy -f mpegts joined.ts");
        const struct file_at files[] = {{"joined.ts", "mpegts", T0, 0}, {0}};
        struct taken taken = clip_of(files, T0, T0 + 7 * SECOND, false);
        assert_done(&taken);
        assert_int_equal(rows_of_clip("stsd"), 2);
        assert_frames_equal("clip.mp4", "joined.ts", 0, (size_t)taken.result.frames);
        assert_true(taken.result.frames >= 105);
    }
}

static void another_codec_in_the_next_file_is_refused_with_the_place(void **state)
{
    (void)state;
    make_base();
    fixture_ffmpeg("-f lavfi -i testsrc2=s=320x240:r=15:d=4 -c:v mpeg4 old.mp4");
    const struct file_at files[] = {
        {"base.mp4", "mov", T0, 0}, {"old.mp4", "mov", T0 + 12 * SECOND, 0}, {0}};
    assert_refused(clip_of(files, T0 + 10 * SECOND, T0 + 14 * SECOND, false), OKNO_UNSUPPORTED,
                   "changes from h264 to mpeg4 at old.mp4");
}

/* Each packet's times, as ffprobe reads them, moved so that the first picture is at 0. */
static void assert_times_equal(const char *clip, const char *recording, const char *from)
{
    static const char words[] =
        "-v error -select_streams v -show_entries frame=pts_time -of csv=p=0 %s %s";
    okno_autofree char *ours = fixture_output("ffprobe", words, "", clip);
    okno_autofree char *theirs = fixture_output("ffprobe", words, from, recording);
    const char *a = ours;
    const char *b = theirs;
    double first = strtod(b, NULL);
    int count = 0;
    for (char *end = NULL; *a && *b; count++) {
        double one = strtod(a, &end);
        a = end + strcspn(end, "\n");
        a += *a != '\0';
        double two = strtod(b, &end);
        b = end + strcspn(end, "\n");
        b += *b != '\0';
        assert_true(one - (two - first) < 0.00001 && one - (two - first) > -0.00001);
    }
    assert_true(count > 20);
    assert_true(*a == '\0');
}

/* A camera that leaves frames out as it likes. */
static void uneven_frames_keep_their_times_to_the_tick(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=160x120:r=30:d=8 -vf select=not(mod(n\\,7))+not(mod(n\\,5)) "
        "-vsync vfr -c:v libx264 -preset ultrafast -bf 2 -g 20 uneven.mp4");
    const struct file_at files[] = {{"uneven.mp4", "mov", T0, 0}, {0}};
    struct taken taken = clip_of(files, T0, T0 + 8 * SECOND, false);
    assert_done(&taken);
    assert_times_equal("clip.mp4", "uneven.mp4", "");
    assert_frames_equal("clip.mp4", "uneven.mp4", 0, (size_t)taken.result.frames);
}

/* More than is held in memory: the media data move behind the index at the end. */
static void a_large_clip_is_whole(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=640x480:r=15:d=9 -vf noise=alls=90:allf=t -c:v mjpeg "
        "-pix_fmt yuvj420p -qmin 1 -q:v 1 large.avi");
    const struct file_at files[] = {{"large.avi", "avi", T0, 0}, {0}};
    struct taken taken = clip_of(files, T0, T0 + 9 * SECOND, false);
    assert_done(&taken);
    assert_true(fixture_size("clip.mp4") > 20 * 1024 * 1024);
    assert_frames_equal("clip.mp4", "large.avi", 0, 135);
}

static void odd_frame_rates_are_cut_at_the_right_frame(void **state)
{
    (void)state;
    static const struct {
        const char *rate;
        int64_t from_us, to_us, got_from_us;
        size_t first, last;
    } cases[] = {{"7", 2500000, 3000000, 2000000, 14, 20},
                 {"30000/1001", 5 * SECOND, 6 * SECOND, 4004000, 120, 179}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=%s:d=8 -c:v libx264 -preset ultrafast "
            "-g %d rate.mp4",
            cases[i].rate, i == 0 ? 7 : 120);
        const struct file_at files[] = {{"rate.mp4", "mov", T0, 0}, {0}};
        struct taken taken = clip_of(files, T0 + cases[i].from_us, T0 + cases[i].to_us, false);
        assert_done(&taken);
        assert_near(taken.result.got_from_us, T0 + cases[i].got_from_us);
        assert_frames_equal("clip.mp4", "rate.mp4", cases[i].first,
                            cases[i].last - cases[i].first + 1);
    }
}

/* Pictures that lead the key frame refer to a GOP that is not in the clip. */
static void an_open_gop_starts_clean(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=12 -c:v libx264 -preset ultrafast -bf 2 "
        "-b_strategy 0 -g 30 -keyint_min 30 -sc_threshold 0 -x264-params open-gop=1 "
        "open.mp4");
    const struct file_at files[] = {{"open.mp4", "mov", T0, 0}, {0}};
    struct taken taken = clip_of(files, T0 + 5 * SECOND, T0 + 7 * SECOND, false);
    assert_done(&taken);
    assert_true(taken.result.got_from_us <= T0 + 5 * SECOND);
    int64_t first = (taken.result.got_from_us - T0) * 15 / SECOND;
    assert_frames_equal("clip.mp4", "open.mp4", (size_t)first, (size_t)taken.result.frames);
    /* Nor may a player begin at a later one: it would lack the same. */
    assert_int_equal(rows_of_clip("stss"), 1);
}

/* What lies in the index for players is one thing, what the recorder wrote another. */
static void key_frames_of_open_gops_are_known_as_such(void **state)
{
    (void)state;
    static const char *const codecs[] = {
        "libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 30 -keyint_min 30 -sc_threshold 0 "
        "-x264-params open-gop=1",
        "libx265 -preset ultrafast -x265-params "
        "log-level=error:pools=1:bframes=2:b-adapt=0:keyint=30:min-keyint=30:scenecut=0:open-gop="
        "1"};
    for (size_t i = 0; i < OKNO_COUNT(codecs); i++) {
        fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=15:d=10 -c:v %s known.mp4", codecs[i]);
        const struct file_at files[] = {{"known.mp4", "mov", T0, 0}, {0}};
        struct taken taken = clip_of(files, T0 + 2 * SECOND, T0 + 8 * SECOND, false);
        assert_done(&taken);
        assert_int_equal(rows_of_clip("stss"), 1);
        OKNO_AUTO(okno_source) *clip = fixture_source("clip.mp4");
        struct okno_look look = {0};
        assert_int_equal(okno_view_look(clip, &look, NULL), 0);
        for (size_t k = 0; k < look.frames.len; k++)
            assert_int_equal(look.frames.items[k].key, k % 30 == 0);
        okno_look_free(&look);
    }
}

static void sound_is_left_out_unless_asked_for(void **state)
{
    (void)state;
    fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=15:d=12 -f lavfi -i sine=d=12 " ENCODE
                   " -c:a aac sound.mp4");
    const struct file_at files[] = {{"sound.mp4", "mov", T0, 0}, {0}};
    struct taken taken = clip_of(files, T0 + 5 * SECOND, T0 + 9 * SECOND, false);
    assert_done(&taken);
    assert_false(taken.result.audio);
    okno_autofree char *silent =
        fixture_output("ffprobe", "-v error -show_entries stream=codec_type -of csv=p=0 clip.mp4");
    assert_string_equal(silent, "video\n");
    taken = clip_of(files, T0 + 5 * SECOND, T0 + 9 * SECOND, true);
    assert_done(&taken);
    assert_true(taken.result.audio);
    okno_autofree char *sound =
        fixture_output("ffprobe",
                       "-v error -select_streams a -show_entries "
                       "stream=codec_name,start_time,duration -of csv=p=0 clip.mp4");
    double start = -1;
    double lasts = 0;
    assert_int_equal(sscanf(sound, "aac,%lf,%lf", &start, &lasts), 2);
    assert_true(start >= 0 && start < 0.03);
    assert_true(lasts > 4.9 && lasts < 5.1); /* from the key frame at 4 s to 9 s */
}

/* Recorders' sound as it is: every sample of it, where it was. */
static void raw_sound_keeps_every_sample(void **state)
{
    (void)state;
    static const struct {
        const char *options, *codec, *name, *format;
    } cases[] = {{"-c:a pcm_alaw", "pcm_alaw", "raw.mkv", "matroska"},
                 {"-c:a pcm_mulaw", "pcm_mulaw", "raw.avi", "avi"},
                 {"-c:a pcm_s16le", "pcm_s16le", "raw.mkv", "matroska"}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=15:d=4 -f lavfi -i sine=d=4:r=8000 -c:v "
            "libx264 -preset ultrafast -bf 0 -g 30 %s %s",
            cases[i].options, cases[i].name);
        const struct file_at files[] = {{cases[i].name, cases[i].format, T0, 0}, {0}};
        struct taken taken = clip_of(files, T0, T0 + 4 * SECOND, true);
        assert_done(&taken);
        assert_true(taken.result.audio);
        okno_autofree char *codec = fixture_output(
            "ffprobe",
            "-v error -select_streams a -show_entries stream=codec_name -of csv=p=0 clip.mp4");
        assert_int_equal(strncmp(codec, cases[i].codec, strlen(cases[i].codec)), 0);
        okno_autofree char *ours =
            fixture_output("ffmpeg", "-v error -i clip.mp4 -map 0:a -f md5 -");
        okno_autofree char *theirs =
            fixture_output("ffmpeg", "-v error -i %s -map 0:a -f md5 -", cases[i].name);
        assert_string_equal(ours, theirs);
    }
}

/* Packets of such sound are long: the first one of a clip begins well behind the first picture. */
static void raw_sound_begins_when_it_was_heard(void **state)
{
    (void)state;
    static const struct {
        const char *codec, *name, *format;
    } cases[] = {{"pcm_alaw", "heard.mkv", "matroska"},
                 {"pcm_mulaw", "heard.mov", "mov"},
                 {"pcm_s16le", "heard.mov", "mov"}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=15:d=6 -f lavfi -i sine=d=6:r=8000 -c:v "
            "libx264 -preset ultrafast -bf 0 -g 30 -c:a %s %s",
            cases[i].codec, cases[i].name);
        const struct file_at files[] = {{cases[i].name, cases[i].format, T0, 0}, {0}};
        struct taken taken = clip_of(files, T0 + 2 * SECOND, T0 + 5 * SECOND, true);
        assert_done(&taken);
        okno_autofree char *sound = fixture_output(
            "ffprobe",
            "-v error -select_streams a -show_entries stream=start_time -of csv=p=0 clip.mp4");
        double start = -1;
        assert_int_equal(sscanf(sound, "%lf", &start), 1);
        assert_true(start > 0.047 && start < 0.049); /* the 17th packet of 1,024 samples: 2.048 s */
    }
}

static void sound_of_a_transport_stream_is_decoded_as_it_was(void **state)
{
    (void)state;
    fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=15:d=4 -f lavfi -i sine=d=4 " ENCODE
                   " -c:a aac sound.ts");
    const struct file_at files[] = {{"sound.ts", "mpegts", T0, 0}, {0}};
    struct taken taken = clip_of(files, T0, T0 + 4 * SECOND, true);
    assert_done(&taken);
    assert_true(taken.result.audio);
    okno_autofree char *seconds =
        fixture_output("ffprobe",
                       "-v error -select_streams a -show_entries "
                       "stream=codec_name,sample_rate,channels,start_time "
                       "-of csv=p=0 clip.mp4");
    double start = -1;
    assert_int_equal(sscanf(seconds, "aac,44100,1,%lf", &start), 1);
    assert_true(start >= 0 && start < 0.03);
    okno_autofree char *ours =
        fixture_output("ffmpeg", "-v error -xerror -i clip.mp4 -map 0:a -f md5 -");
    assert_int_equal(strncmp(ours, "MD5=", 4), 0); /* -xerror: nothing to complain about */
}

static void sound_that_mp4_cannot_hold_is_left_out_and_said_so(void **state)
{
    (void)state;
    fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=15:d=4 -f lavfi -i sine=d=4:r=8000 " ENCODE
                   " -c:a adpcm_ima_wav law.mkv");
    const struct file_at files[] = {{"law.mkv", "matroska", T0, 0}, {0}};
    struct taken taken = clip_of(files, T0, T0 + 4 * SECOND, true);
    assert_done(&taken);
    assert_false(taken.result.audio);
    assert_int_equal(taken.result.frames, 60);
}

static void other_codecs_are_copied_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *options, *codec, *name, *format;
    } cases[] = {{"-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1", "hevc",
                  "other.mp4", "mov"},
                 {"-c:v libx265 -preset ultrafast -x265-params log-level=error:pools=1", "hevc",
                  "other.ts", "mpegts"},
                 {"-c:v mpeg4 -g 30", "mpeg4", "other.avi", "avi"},
                 {"-c:v mjpeg -pix_fmt yuvj420p", "mjpeg", "other.avi", "avi"}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=15:d=4 %s %s", cases[i].options,
                       cases[i].name);
        const struct file_at files[] = {{cases[i].name, cases[i].format, T0, 0}, {0}};
        struct taken taken = clip_of(files, T0, T0 + 4 * SECOND, false);
        if (taken.rc < 0)
            fail_msg("%s in %s: %s", cases[i].codec, cases[i].name, taken.err.text);
        assert_string_equal(taken.result.codec, cases[i].codec);
        assert_frames_equal("clip.mp4", cases[i].name, 0, 60);
    }
}

/* --- stills -------------------------------------------------------------------------------------
 */

static void a_still_is_the_frame_on_screen_at_that_moment(void **state)
{
    (void)state;
    static const struct {
        int64_t after_us;
        int frame;
    } cases[] = {{0, 0},           {66666, 0},     {66667, 1},     {4 * SECOND - 1, 59},
                 {4 * SECOND, 60}, {7433000, 111}, {11999999, 179}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        struct taken taken = still_of(base(), T0 + cases[i].after_us);
        assert_done(&taken);
        int64_t at = (int64_t)cases[i].frame * SECOND / 15;
        assert_in_range(taken.result.first_frame_us - T0 - at, 0, 1);
        int64_t here = difference("still.jpg", 0, "base.mp4", cases[i].frame);
        int64_t there =
            difference("still.jpg", 0, "base.mp4", cases[i].frame ? cases[i].frame - 1 : 1);
        print_message("frame %d: differs by %lld, its neighbour by %lld hundredths\n",
                      cases[i].frame, (long long)here, (long long)there);
        assert_true(here < 200);
        assert_true(there > here + 20);
    }
}

static void a_still_of_every_container_is_the_same_picture(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(containers); i++) {
        make_container(&containers[i]);
        const struct file_at files[] = {{containers[i].name, containers[i].format, T0, 0}, {0}};
        struct taken taken = still_of(files, T0 + 7435000);
        if (taken.rc < 0)
            fail_msg("%s: %s", containers[i].name, taken.err.text);
        assert_near(taken.result.first_frame_us, T0 + 7400000);
        assert_true(difference("still.jpg", 0, "base.mp4", 111) < 200);
    }
}

static void black_and_white_of_limited_range_become_full(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i color=black:s=64x64:r=5:d=1 -f lavfi -i color=white:s=64x64:r=5:d=1 "
        "-filter_complex hstack -c:v libx264 -pix_fmt yuv420p contrast.mp4");
    const struct file_at files[] = {{"contrast.mp4", "mov", T0, 0}, {0}};
    struct taken taken = still_of(files, T0);
    assert_done(&taken);
    size_t len = 0;
    okno_autofree uint8_t *grey = fixture_grey("still.jpg", 0, &len);
    assert_int_equal(len, 128 * 64);
    assert_true(grey[32 * 128 + 20] <= 2);
    assert_true(grey[32 * 128 + 108] >= 253);
}

static void a_turned_or_squeezed_picture_becomes_upright_and_square(void **state)
{
    (void)state;
    fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=5:d=1 -vf setsar=2 -c:v libx264 squeezed.mp4");
    const struct file_at squeezed[] = {{"squeezed.mp4", "mov", T0, 0}, {0}};
    struct taken taken = still_of(squeezed, T0);
    assert_done(&taken);
    assert_int_equal(taken.result.width, 320);
    assert_int_equal(taken.result.height, 120);
    make_base();
    for (int turn = 90; turn < 360; turn += 90) {
        char name[32];
        (void)snprintf(name, sizeof(name), "turned%d.mp4", turn);
        fixture_ffmpeg("-i base.mp4 -c copy -metadata:s:v rotate=%d %s", turn, name);
        const struct file_at files[] = {{name, "mov", T0, 0}, {0}};
        taken = still_of(files, T0 + SECOND);
        assert_done(&taken);
        assert_int_equal(taken.result.width, turn == 180 ? 320 : 240);
        /* The ffmpeg command turns the picture by itself. */
        assert_true(difference("still.jpg", 0, name, 15) < 200);
        taken = clip_of(files, T0, T0 + SECOND, false);
        assert_done(&taken);
        assert_true(difference("clip.mp4", 0, name, 0) == 0);
    }
}

static void a_still_is_not_taken_across_a_gap(void **state)
{
    (void)state;
    make_halves();
    struct file_at files[] = {
        {"half0.mp4", "mov", T0, 0}, {"half1.mp4", "mov", T0 + 10 * SECOND, 0}, {0}};
    struct taken taken = still_of(files, T0 + 8050000); /* the last frame began at 7.933 s */
    assert_done(&taken);
    assert_refused(still_of(files, T0 + 8100000), OKNO_NO_COVERAGE, "older");
    assert_refused(still_of(files, T0 + 10 * SECOND - 1), OKNO_NO_COVERAGE, "older");
    assert_refused(still_of(files, T0 - 1), OKNO_NO_COVERAGE, "nothing");
    taken = still_of(files, T0 + 10 * SECOND);
    assert_done(&taken);
    assert_int_equal(taken.result.first_frame_us, T0 + 10 * SECOND);
    /* A border within the error of the names is no gap. */
    files[0].error_us = files[1].error_us = SECOND;
    files[1].from_us = T0 + 8700000;
    taken = still_of(files, T0 + 8600000);
    assert_done(&taken);
}

static void a_slow_camera_keeps_its_frame_for_a_second_and_no_longer(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=160x120:r=15:d=12 -vf "
        "select=not(between(t\\,3\\,3.9)+between(t\\,6\\,9)) -vsync vfr " ENCODE " holes.mp4");
    const struct file_at files[] = {{"holes.mp4", "mov", T0, 0}, {0}};
    struct taken taken = still_of(files, T0 + 3800000);
    assert_done(&taken);
    assert_refused(still_of(files, T0 + 8 * SECOND), OKNO_NO_COVERAGE, "2066 ms older");
    taken = clip_of(files, T0 + SECOND, T0 + 11 * SECOND, false);
    assert_done(&taken);
    assert_int_equal(taken.result.gaps.len, 1);
    assert_in_range(taken.result.gaps.items[0].from_us - T0, 5950000, 6100000);
    assert_near(taken.result.gaps.items[0].to_us, T0 + 9066667);
    okno_media_result_free(&taken.result);
}

/* --- cost, limits, bad input --------------------------------------------------------------------
 */

static void a_window_of_a_long_recording_costs_its_share(void **state)
{
    (void)state;
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=160x120:r=15:d=150,noise=alls=20:allf=t -c:v libx264 "
        "-preset ultrafast -b:v 600k -g 30 long.mp4");
    fixture_ffmpeg("-i long.mp4 -c copy long.ts");
    const struct file_at mp4[] = {{"long.mp4", "mov", T0, 0}, {0}};
    struct taken taken = clip_of(mp4, T0 + 100 * SECOND, T0 + 120 * SECOND, false);
    assert_done(&taken);
    int64_t clip = fixture_size("clip.mp4");
    print_message("MP4: a clip of %lld bytes cost %lld of %lld\n", (long long)clip,
                  (long long)taken.bytes_read, (long long)fixture_size("long.mp4"));
    assert_true(taken.bytes_read < clip + 400000);
    const struct file_at ts[] = {{"long.ts", "mpegts", T0, 0}, {0}};
    taken = clip_of(ts, T0 + 100 * SECOND, T0 + 120 * SECOND, false);
    assert_done(&taken);
    print_message("TS: %lld of %lld\n", (long long)taken.bytes_read,
                  (long long)fixture_size("long.ts"));
    assert_true(taken.bytes_read < fixture_size("long.ts") * 2 / 3);
    taken = still_of(mp4, T0 + 100 * SECOND);
    assert_done(&taken);
    print_message("MP4 still: %lld\n", (long long)taken.bytes_read);
    assert_true(taken.bytes_read < 700000);
}

static void wrong_arguments_are_named(void **state)
{
    (void)state;
    const struct file_at *files = base();
    assert_refused(clip_of(files, T0, T0, false), OKNO_INVALID, "ends before it begins");
    assert_refused(clip_of(files, T0, T0 + 3601 * SECOND, false), OKNO_TOO_LARGE, "3601 s");
    const struct file_at wrong[] = {{"base.mp4", "hls", T0, 0}, {0}};
    assert_refused(clip_of(wrong, T0, T0 + SECOND, false), OKNO_UNSUPPORTED, "\"hls\"");
    const struct file_at swapped[] = {
        {"base.mp4", "mov", T0, 0}, {"base.mp4", "mov", T0 - SECOND, 0}, {0}};
    assert_refused(clip_of(swapped, T0, T0 + SECOND, false), OKNO_INVALID, "order");
}

static void an_existing_file_is_never_written_over(void **state)
{
    (void)state;
    make_base();
    fixture_write("kept.mp4", "mine", 4);
    OKNO_AUTO(okno_source) *source = fixture_source("base.mp4");
    struct okno_media_input input = input_of(source, "mov", T0);
    struct okno_media_result result = {0};
    struct okno_err err = {0};
    assert_int_equal(
        okno_media_clip(&input, 1, T0, T0 + SECOND, false, fixture_path("kept.mp4"), &result, &err),
        OKNO_CONFLICT);
    okno_err_clear(&err);
    assert_int_equal(okno_media_still(&input, 1, T0, fixture_path("kept.mp4"), &result, &err),
                     OKNO_CONFLICT);
    assert_int_equal(fixture_size("kept.mp4"), 4);
}

static void a_file_cut_off_gives_what_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(containers); i++) {
        make_container(&containers[i]);
        if (strcmp(containers[i].name, "end.mp4") == 0)
            continue; /* its index is lost: the next test */
        fixture_truncate(containers[i].name, "cut.bin", fixture_size(containers[i].name) * 7 / 10);
        const struct file_at files[] = {{"cut.bin", containers[i].format, T0, 0}, {0}};
        struct taken taken = clip_of(files, T0 + 5 * SECOND, T0 + 11 * SECOND, false);
        if (taken.rc < 0)
            fail_msg("%s: %s", containers[i].name, taken.err.text);
        print_message("%s cut: %lld frames\n", containers[i].name, (long long)taken.result.frames);
        assert_in_range(taken.result.frames, 50, 75);
        assert_int_equal(taken.result.gaps.len, 1);
        assert_int_equal(taken.result.gaps.items[0].to_us, T0 + 11 * SECOND);
        okno_media_result_free(&taken.result);
        OKNO_AUTO(okno_source) *source = fixture_source("cut.bin");
        struct okno_media_info info = {0};
        assert_int_equal(okno_media_probe(source, containers[i].format, &info, NULL), 0);
        assert_in_range(info.duration_us, 7 * SECOND, 9500000);
    }
}

/* What a power cut or a file that is still written leaves of a transport stream ends in the middle
 * of a picture. */
static void a_torn_last_picture_is_no_still(void **state)
{
    (void)state;
    make_base();
    fixture_ffmpeg("-i base.mp4 -c:v libx264 -preset ultrafast -bf 0 -g 60 whole.ts");
    for (int part = 40; part < 60; part++) {
        struct okno_media_info info = {0};
        fixture_truncate("whole.ts", "torn.ts", fixture_size("whole.ts") * part / 60 / 188 * 188);
        OKNO_AUTO(okno_source) *source = fixture_source("torn.ts");
        assert_int_equal(okno_media_probe(source, "mpegts", &info, NULL), 0);
        const struct file_at files[] = {{"torn.ts", "mpegts", T0, 0}, {0}};
        struct taken taken = still_of(files, T0 + info.duration_us - 1000);
        assert_done(&taken);
        int64_t at_us = taken.result.first_frame_us - T0;
        int frame = (int)((at_us * 15 + SECOND / 2) / SECOND);
        assert_true(at_us >= info.duration_us - 2 * info.frame_us - 1000);
        if (difference("still.jpg", 0, "whole.ts", frame) >= 200)
            fail_msg("cut at %d/60: frame %d is torn", part, frame);
    }
}

static void rubbish_is_refused_without_reading_anything_else(void **state)
{
    (void)state;
    static const char *const formats[] = {"mov", "matroska", "mpegts", "avi", "mpeg"};
    static const char playlist[] =
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n"
        "base.mp4\n#EXTINF:10,\nfile:base.mp4\n#EXT-X-ENDLIST\n";
    uint8_t noise[20000];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (uint8_t)(seed >> 24);
    }
    make_container(&containers[1]);
    fixture_write("noise.bin", noise, sizeof(noise));
    fixture_write("playlist.mp4", playlist, sizeof(playlist) - 1);
    fixture_write("empty.mp4", "", 0);
    fixture_truncate("end.mp4", "headless.mp4", fixture_size("end.mp4") / 2);
    static const char *const names[] = {"noise.bin", "playlist.mp4", "empty.mp4", "headless.mp4"};
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        for (size_t k = 0; k < OKNO_COUNT(formats); k++) {
            const struct file_at files[] = {{names[i], formats[k], T0, 0}, {0}};
            struct taken taken = clip_of(files, T0, T0 + SECOND, false);
            print_message("%s as %s: %s\n", names[i], formats[k], taken.err.text);
            assert_refused(taken, OKNO_MEDIA, names[i]);
            assert_refused(still_of(files, T0), OKNO_MEDIA, names[i]);
        }
}

/* The sandbox turns a crash into an error: here it is one of ours all the same. */
static void assert_child_lives(const struct taken *taken)
{
    if (strstr(taken->err.text, "its decoder"))
        fail_msg("%s", taken->err.text);
}

/* Flip bytes all over: any answer is right but a crash, a hang or a file left behind. */
static void damaged_bytes_never_crash(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (size_t i = 0; i < OKNO_COUNT(containers); i++) {
        make_container(&containers[i]);
        size_t size = (size_t)fixture_size(containers[i].name);
        okno_autofree uint8_t *bytes = malloc(size);
        assert_non_null(bytes);
        for (int round = 0; round < 6; round++) {
            okno_autofclose FILE *file = fopen(fixture_path(containers[i].name), "rb");
            assert_non_null(file);
            assert_int_equal(fread(bytes, 1, size, file), size);
            for (int flip = 0; flip < 1 << (2 * round); flip++) {
                seed = seed * 1664525 + 1013904223;
                bytes[seed % (round % 2 ? size : 3000)] ^= (uint8_t)(1U << (flip % 8));
            }
            fixture_write("damaged.bin", bytes, size);
            const struct file_at files[] = {{"damaged.bin", containers[i].format, T0, 0}, {0}};
            struct taken taken = clip_of(files, T0 + 3 * SECOND, T0 + 9 * SECOND, false);
            assert_int_equal(taken.rc == 0, access(fixture_path("clip.mp4"), F_OK) == 0);
            assert_child_lives(&taken);
            okno_media_result_free(&taken.result);
            taken = still_of(files, T0 + 7 * SECOND);
            assert_int_equal(taken.rc == 0, access(fixture_path("still.jpg"), F_OK) == 0);
            assert_child_lives(&taken);
        }
    }
}

static int stalled_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                        struct okno_err *err)
{
    struct okno_source *inner = ctx;
    if (offset + (int64_t)len > inner->size * 3 / 4)
        return okno_fail(err, OKNO_TIMEOUT, "no answer in 30 s");
    return inner->read_at(inner->ctx, offset, into, len, ret_got, err);
}

static void a_failing_transport_is_not_called_a_bad_recording(void **state)
{
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(containers); i++) {
        make_container(&containers[i]);
        OKNO_AUTO(okno_source) *inner = fixture_source(containers[i].name);
        struct okno_source stalled = {.size = inner->size, .ctx = inner, .read_at = stalled_read};
        struct okno_media_input input = input_of(&stalled, containers[i].format, T0);
        struct okno_media_result result = {0};
        struct okno_err err = {0};
        (void)unlink(fixture_path("clip.mp4"));
        assert_int_equal(okno_media_clip(&input, 1, T0 + 5 * SECOND, T0 + 11 * SECOND, false,
                                         fixture_path("clip.mp4"), &result, &err),
                         OKNO_TIMEOUT);
        assert_non_null(strstr(err.text, "no answer in 30 s"));
        assert_int_equal(access(fixture_path("clip.mp4"), F_OK), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe_tells_length_interval_and_codec_of_every_container),
        cmocka_unit_test(a_clip_of_every_container_holds_the_same_frames_as_the_recording),
        cmocka_unit_test(the_clip_starts_at_the_key_frame_and_keeps_every_distance),
        cmocka_unit_test(one_microsecond_before_a_key_frame_starts_a_gop_earlier),
        cmocka_unit_test(the_index_stands_in_front_and_the_bytes_are_reproducible),
        cmocka_unit_test(asking_beyond_both_ends_gives_all_and_names_head_and_tail_as_gaps),
        cmocka_unit_test(a_window_outside_the_recording_is_not_covered),
        cmocka_unit_test(two_files_that_touch_make_one_clip_without_a_gap),
        cmocka_unit_test(a_gap_between_files_keeps_its_length_and_is_named),
        cmocka_unit_test(a_clip_that_begins_in_a_gap_starts_with_the_next_recording),
        cmocka_unit_test(an_overlap_is_taken_once_and_nothing_is_lost),
        cmocka_unit_test(a_recording_inside_another_adds_nothing),
        cmocka_unit_test(an_overlap_within_the_error_of_the_name_loses_no_frame),
        cmocka_unit_test(a_change_of_the_picture_between_files_becomes_another_sample_entry),
        cmocka_unit_test(parameters_that_change_inside_a_stream_keep_every_frame),
        cmocka_unit_test(key_frames_bring_their_parameters_where_these_change),
        cmocka_unit_test(another_codec_in_the_next_file_is_refused_with_the_place),
        cmocka_unit_test(uneven_frames_keep_their_times_to_the_tick),
        cmocka_unit_test(a_large_clip_is_whole),
        cmocka_unit_test(odd_frame_rates_are_cut_at_the_right_frame),
        cmocka_unit_test(an_open_gop_starts_clean),
        cmocka_unit_test(key_frames_of_open_gops_are_known_as_such),
        cmocka_unit_test(sound_is_left_out_unless_asked_for),
        cmocka_unit_test(raw_sound_keeps_every_sample),
        cmocka_unit_test(raw_sound_begins_when_it_was_heard),
        cmocka_unit_test(sound_of_a_transport_stream_is_decoded_as_it_was),
        cmocka_unit_test(sound_that_mp4_cannot_hold_is_left_out_and_said_so),
        cmocka_unit_test(other_codecs_are_copied_and_named),
        cmocka_unit_test(a_still_is_the_frame_on_screen_at_that_moment),
        cmocka_unit_test(a_still_of_every_container_is_the_same_picture),
        cmocka_unit_test(black_and_white_of_limited_range_become_full),
        cmocka_unit_test(a_turned_or_squeezed_picture_becomes_upright_and_square),
        cmocka_unit_test(a_still_is_not_taken_across_a_gap),
        cmocka_unit_test(a_slow_camera_keeps_its_frame_for_a_second_and_no_longer),
        cmocka_unit_test(a_window_of_a_long_recording_costs_its_share),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(an_existing_file_is_never_written_over),
        cmocka_unit_test(a_file_cut_off_gives_what_is_left),
        cmocka_unit_test(a_torn_last_picture_is_no_still),
        cmocka_unit_test(rubbish_is_refused_without_reading_anything_else),
        cmocka_unit_test(damaged_bytes_never_crash),
        cmocka_unit_test(a_failing_transport_is_not_called_a_bad_recording),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

#include "../support/recording.h"

#include "okno/mem.h"
#include "okno/sandbox.h"
#include "okno/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static const struct okno_view_masks none = {0};

/* A quarter of the picture in the middle. */
static const struct okno_view_masks middle = {
    .count = 1,
    .items = {{.corners = 4, .x = {2500, 7500, 7500, 2500}, .y = {2500, 2500, 7500, 7500}}}};

static int view(const char *from, const struct okno_view_masks *masks, const char *to,
                struct okno_err *err)
{
    OKNO_AUTO(okno_source) *source = fixture_source(from);
    (void)unlink(fixture_path(to));
    return okno_view_clip(source, masks, NULL, fixture_path(to), err);
}

static struct okno_look look(const char *name)
{
    OKNO_AUTO(okno_source) *source = fixture_source(name);
    struct okno_look found = {0};
    struct okno_err err = {0};
    if (okno_view_look(source, &found, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return found;
}

static struct okno_picture measure(const char *name)
{
    OKNO_AUTO(okno_source) *source = fixture_source(name);
    struct okno_picture found = {0};
    struct okno_err err = {0};
    if (okno_view_measure(source, &found, &err) < 0)
        fail_msg("%s: %s", name, err.text);
    return found;
}

/* Every codec that an MP4 holds and browsers may lack becomes H.264 with the same frame times. */
static void a_viewing_copy_has_the_times_of_its_clip(void **state)
{
    (void)state;
    static const char *const codecs[] = {
        "-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=none",
        "-c:v mpeg4 -q:v 5", "-c:v mjpeg -q:v 5", "-c:v libx264 -bf 2 -preset ultrafast"};
    for (size_t i = 0; i < OKNO_COUNT(codecs); i++) {
        struct okno_err err = {0};
        fixture_ffmpeg("-f lavfi -i testsrc2=s=160x120:r=15:d=3 -pix_fmt yuv420p %s in.mp4",
                       codecs[i]);
        if (view("in.mp4", &none, "view.mp4", &err) < 0)
            fail_msg("%s: %s", codecs[i], err.text);
        struct okno_look before = look("in.mp4");
        struct okno_look after = look("view.mp4");
        assert_string_equal(after.codec, "h264");
        assert_int_equal(before.frames.len, 45);
        assert_int_equal(after.frames.len, before.frames.len);
        for (size_t k = 0; k < after.frames.len; k++)
            assert_in_range(after.frames.items[k].at_us - before.frames.items[k].at_us + 1000, 0,
                            2000);
        assert_true(after.frames.items[0].key && after.frames.items[30].key);
        okno_look_free(&before);
        okno_look_free(&after);
        (void)unlink(fixture_path("in.mp4"));
    }
}

/* Noise is the worst that can be shown: it is the sizes that count. */
static void a_preview_is_small_and_tells_true_times(void **state)
{
    (void)state;
    struct okno_err err = {0};
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=1280x720:r=25:d=6 -f lavfi -i sine=440:d=6 -vf "
        "noise=alls=20:allf=t "
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac in.mp4");
    OKNO_AUTO(okno_source) *source = fixture_source("in.mp4");
    (void)unlink(fixture_path("small.mp4"));
    assert_int_equal(okno_view_preview(source, &none, fixture_path("small.mp4"), &err), 0);
    struct okno_look before = look("in.mp4");
    struct okno_look after = look("small.mp4");
    assert_int_equal(after.width, 480);
    assert_int_equal(after.height, 270);
    assert_int_equal(after.frames.len, 30);
    for (size_t i = 0; i < after.frames.len; i++)
        assert_in_range(after.frames.items[i].at_us - before.frames.items[5 * i].at_us + 1000, 0,
                        2000);
    assert_true(fixture_size("small.mp4") * 10 < fixture_size("in.mp4"));
    okno_autofree char *streams = fixture_output(
        "ffprobe", "-v error -show_entries stream=codec_name -of csv=p=0 %s", "small.mp4");
    assert_string_equal(streams, "h264\n");
    okno_look_free(&before);
    okno_look_free(&after);
}

/* A tone of 440 Hz stays one; what players would leave out is marked as such. */
static void raw_sound_becomes_aac_and_every_frame_is_shown(void **state)
{
    (void)state;
    static const char *const codecs[] = {"pcm_alaw", "pcm_mulaw", "pcm_s16le", "pcm_s16be -ac 2"};
    for (size_t i = 0; i < OKNO_COUNT(codecs); i++) {
        struct okno_err err = {0};
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=15:d=3 -f lavfi -i sine=440:r=8000:d=3 -c:v libx264 "
            "-preset ultrafast -pix_fmt yuv420p -c:a %s -f mov in.mp4",
            codecs[i]);
        if (view("in.mp4", &none, "view.mp4", &err) < 0)
            fail_msg("%s: %s", codecs[i], err.text);
        okno_autofree char *codec = fixture_output(
            "ffprobe",
            "-v error -select_streams a -show_entries stream=codec_name,duration -of csv=p=0 %s",
            "view.mp4");
        if (strncmp(codec, "aac,3.0", 7) != 0 && strncmp(codec, "aac,3.1", 7) != 0)
            fail_msg("%s: %s", codecs[i], codec);
        okno_autofree char *flags = fixture_output(
            "ffprobe",
            "-v error -select_streams v -show_entries packet=flags -of csv=p=0 view.mp4");
        assert_null(strchr(flags, 'D'));
        fixture_ffmpeg("-i view.mp4 -vn -ac 1 -f s16le tone.raw");
        int64_t size = fixture_size("tone.raw");
        okno_autofree int16_t *tone = malloc((size_t)size);
        okno_autofclose FILE *file = fopen(fixture_path("tone.raw"), "rb");
        assert_int_equal(fread(tone, 1, (size_t)size, file), size);
        int crossings = 0;
        for (int k = 8000; k < 16000; k++)
            crossings += tone[k - 1] < 0 && tone[k] >= 0;
        assert_in_range(crossings, 438, 442);
    }
}

/* Whether two files' first and last pictures differ in a part of them. */
static bool differ(const char *one, const char *two, int frame, const char *crop)
{
    char *texts[2];
    const char *names[2] = {one, two};
    for (int i = 0; i < 2; i++)
        texts[i] = fixture_output("ffmpeg",
                                  "-v error -i %s -vf select=eq(n\\,%d),crop=%s,format=gray,"
                                  "lutyuv=y=if(gt(val\\,128)\\,255\\,0) -frames:v 1 -f framemd5 -",
                                  names[i], frame, crop);
    bool same = strcmp(strrchr(texts[0], ' '), strrchr(texts[1], ' ')) == 0;
    free(texts[0]);
    free(texts[1]);
    return !same;
}

static void view_with_text(const struct okno_view_text *text, const char *to)
{
    struct okno_err err = {0};
    OKNO_AUTO(okno_source) *source = fixture_source("grey.mp4");
    (void)unlink(fixture_path(to));
    if (okno_view_clip(source, &none, text, fixture_path(to), &err) < 0)
        fail_msg("%s", err.text);
}

/* The same text gives the same letters, another one others; nothing below changes. */
static void text_tells_the_time_of_each_frame(void **state)
{
    (void)state;
    static const char local[] = "384:16:0:0";
    static const char utc[] = "384:18:0:18";
    static const char subject[] = "384:18:0:36";
    struct okno_view_text text = {.at_us = INT64_C(1773151400123456),
                                  .offset_us = 3 * 3600 * SECOND,
                                  .change_us = INT64_MAX,
                                  .subject = "till-1.0.17"};
    fixture_ffmpeg(
        "-f lavfi -i color=0x303030:s=640x360:r=5:d=2 -c:v libx264 -preset ultrafast -pix_fmt "
        "yuv420p "
        "grey.mp4");
    view_with_text(&text, "text.mp4");
    text.at_us += SECOND; /* its first frame is the sixth of the other */
    view_with_text(&text, "later.mp4");
    fixture_ffmpeg("-ss 1 -i text.mp4 -c:v libx264 -qp 4 -pix_fmt yuv420p from1.mp4");
    assert_false(differ("from1.mp4", "later.mp4", 0, "640:360:0:0"));
    assert_true(differ("text.mp4", "later.mp4", 0, local));
    assert_true(differ("text.mp4", "later.mp4", 0, utc));
    assert_false(differ("text.mp4", "later.mp4", 0, subject));
    text.at_us -= SECOND; /* summer time begins at the sixth frame */
    text.change_us = text.at_us + SECOND;
    text.next_offset_us = 4 * 3600 * SECOND;
    view_with_text(&text, "change.mp4");
    for (int frame = 4; frame < 6; frame++) {
        assert_int_equal(differ("text.mp4", "change.mp4", frame, local), frame == 5);
        assert_false(differ("text.mp4", "change.mp4", frame, utc));
    }
    assert_false(differ("text.mp4", "grey.mp4", 0, "640:290:0:70"));
}

static void masks_blacken_their_part_and_nothing_else(void **state)
{
    (void)state;
    struct okno_err err = {0};
    fixture_ffmpeg(
        "-f lavfi -i color=white:s=320x180:r=5:d=2 -c:v libx264 -preset ultrafast "
        "-pix_fmt yuv420p white.mp4");
    if (view("white.mp4", &middle, "masked.mp4", &err) < 0)
        fail_msg("%s", err.text);
    struct okno_look masked = look("masked.mp4");
    assert_true(masked.pictures.len > 0);
    const uint16_t *cells = masked.pictures.items[0].picture.cells;
    assert_true(cells[0] > 240 * 256);
    assert_true(cells[9 * OKNO_PICTURE_COLUMNS + 16] < 8 * 256);
    assert_true(cells[9 * OKNO_PICTURE_COLUMNS + 2] > 240 * 256);
    okno_look_free(&masked);
    fixture_ffmpeg("-i %s -frames:v 1 -q:v 3 white.jpg", fixture_path("white.mp4"));
    OKNO_AUTO(okno_source) *still = fixture_source("white.jpg");
    if (okno_view_still(still, &middle, 160, fixture_path("masked.jpg"), &err) < 0)
        fail_msg("%s", err.text);
    struct okno_picture picture = measure("masked.jpg");
    assert_true(picture.cells[0] > 240 * 256);
    assert_true(picture.cells[9 * OKNO_PICTURE_COLUMNS + 16] < 8 * 256);
}

/* The strip shows the frame of each moment: a picture that gets brighter every second. */
static void a_contact_sheet_shows_its_moments_from_left_to_right(void **state)
{
    (void)state;
    struct okno_err err = {0};
    fixture_ffmpeg(
        "-f lavfi -i nullsrc=s=320x180:r=10:d=4,geq=lum=16+floor(T)*60:cb=128:cr=128 "
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p steps.mp4");
    OKNO_AUTO(okno_source) *clip = fixture_source("steps.mp4");
    const struct okno_sheet sheet = {
        .from_us = SECOND / 2, .step_us = SECOND, .count = 4, .width = 160};
    if (okno_view_sheet(clip, &sheet, &none, fixture_path("sheet.jpg"), &err) < 0)
        fail_msg("%s", err.text);
    struct okno_picture picture = measure("sheet.jpg");
    for (int i = 0; i < 4; i++) {
        int cell = picture.cells[9 * OKNO_PICTURE_COLUMNS + 8 * i + 4] / 256;
        int want = i * 60 * 255 / 219;
        assert_in_range(cell, want > 6 ? want - 6 : 0, want + 6);
    }
    struct okno_sheet wrong = sheet;
    wrong.count = 1000;
    assert_int_equal(okno_view_sheet(clip, &wrong, &none, fixture_path("no.jpg"), &err),
                     OKNO_INVALID);
}

static void a_damaged_clip_has_no_copy_and_leaves_no_file(void **state)
{
    (void)state;
    struct okno_err err = {0};
    fixture_write("noise.mp4", "not a clip at all, whatever its name says", 41);
    assert_int_equal(view("noise.mp4", &none, "none.mp4", &err), OKNO_MEDIA);
    assert_int_equal(access(fixture_path("none.mp4"), F_OK), -1);
    fixture_write("exists.mp4", "x", 1);
    OKNO_AUTO(okno_source) *source = fixture_source("noise.mp4");
    assert_int_equal(okno_view_clip(source, &none, NULL, fixture_path("exists.mp4"), NULL),
                     OKNO_CONFLICT);
    assert_int_equal(fixture_size("exists.mp4"), 1);
}

/* --- many stills ------------------------------------------------------------------------------ */

struct taken {
    int count;
    int64_t at_us[OKNO_MEDIA_BATCH];
    int width;
};

static int take(void *ctx, uint32_t index, const struct okno_media_result *result,
                const struct okno_picture *picture, const void *bytes, size_t len,
                struct okno_err *err)
{
    struct taken *taken = ctx;
    char name[32];
    (void)err;
    assert_true(picture->brightness > 0);
    taken->at_us[index] = result->first_frame_us;
    taken->width = result->width;
    taken->count++;
    (void)snprintf(name, sizeof(name), "shot%u.jpg", index);
    fixture_write(name, bytes, len);
    return 0;
}

static void assert_same_file(const char *one, const char *two)
{
    int64_t size = fixture_size(one);
    okno_autofree char *a = malloc((size_t)size);
    okno_autofree char *b = malloc((size_t)size);
    okno_autofclose FILE *x = fopen(fixture_path(one), "rb");
    okno_autofclose FILE *y = fopen(fixture_path(two), "rb");
    assert_int_equal(fixture_size(two), size);
    assert_int_equal(fread(a, 1, (size_t)size, x), size);
    assert_int_equal(fread(b, 1, (size_t)size, y), size);
    assert_memory_equal(a, b, (size_t)size);
}

/* Each container, with B frames and open GOPs: the same bytes as one still at a time. */
static void many_stills_are_the_same_as_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *name, *format;
    } files[] = {{"m.mp4", "mov"}, {"m.ts", "mpegts"}, {"m.mkv", "matroska"}, {"m.avi", "avi"}};
    const int64_t moments[] = {0,        70000,    2 * SECOND, 2 * SECOND + 1, 2500000,
                               2500000,  3999999,  4 * SECOND, 7100000,        8 * SECOND + 1,
                               11900000, 11999999, 15 * SECOND};
    for (size_t i = 0; i < OKNO_COUNT(files); i++) {
        struct taken taken = {0};
        struct okno_err err = {0};
        bool avi = strcmp(files[i].format, "avi") == 0;
        fixture_ffmpeg(
            "-f lavfi -i testsrc2=s=160x120:r=15:d=12 -c:v libx264 -preset ultrafast "
            "-bf %d -g 30 %s -sc_threshold 0 %s",
            avi ? 0 : 2, avi ? "" : "-x264-params open-gop=1", files[i].name);
        OKNO_AUTO(okno_source) *source = fixture_source(files[i].name);
        const struct okno_media_input input = {
            .source = source, .format = files[i].format, .name = files[i].name};
        if (okno_media_stills(&input, 1, 0, moments, OKNO_COUNT(moments), 0, take, &taken, &err) <
            0)
            fail_msg("%s: %s", files[i].name, err.text);
        assert_int_equal(taken.count, OKNO_COUNT(moments) - 1); /* nothing is recorded at 15 s */
        for (uint32_t k = 0; k + 1 < OKNO_COUNT(moments); k++) {
            char name[32];
            struct okno_media_result one = {0};
            (void)snprintf(name, sizeof(name), "shot%u.jpg", k);
            (void)unlink(fixture_path("one.jpg"));
            if (okno_media_still(&input, 1, moments[k], fixture_path("one.jpg"), &one, &err) < 0)
                fail_msg("%s at %lld: %s", files[i].name, (long long)moments[k], err.text);
            assert_int_equal(one.first_frame_us, taken.at_us[k]);
            assert_same_file("one.jpg", name);
        }
    }
}

/* It has to be made by itself, from what lies before it. */
static void many_stills_leave_out_a_torn_last_picture(void **state)
{
    (void)state;
    struct taken taken = {0};
    struct okno_media_info info = {0};
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=15:d=8 -c:v libx264 -preset ultrafast -bf 0 -g 60 t.ts");
    fixture_truncate("t.ts", "torn.ts", fixture_size("t.ts") * 41 / 60 / 188 * 188);
    OKNO_AUTO(okno_source) *source = fixture_source("torn.ts");
    assert_int_equal(okno_media_probe(source, "mpegts", &info, NULL), 0);
    const struct okno_media_input input = {.source = source, .format = "mpegts"};
    const int64_t moments[] = {SECOND, info.duration_us - 1000};
    assert_int_equal(okno_media_stills(&input, 1, 0, moments, 2, 0, take, &taken, NULL), 0);
    assert_int_equal(taken.count, 1);
}

static void many_stills_can_be_made_small(void **state)
{
    (void)state;
    struct taken taken = {0};
    const int64_t moments[] = {SECOND};
    OKNO_AUTO(okno_source) *source = fixture_source("m.mp4");
    const struct okno_media_input input = {.source = source, .format = "mov"};
    assert_int_equal(okno_media_stills(&input, 1, 0, moments, 1, 80, take, &taken, NULL), 0);
    assert_int_equal(taken.width, 80);
    /* As wide as it is shown, of a camera that hangs on its side too. */
    fixture_ffmpeg("-i m.mp4 -c copy -metadata:s:v rotate=90 lies.mp4");
    OKNO_AUTO(okno_source) *lies = fixture_source("lies.mp4");
    const struct okno_media_input turned = {.source = lies, .format = "mov"};
    assert_int_equal(okno_media_stills(&turned, 1, 0, moments, 1, 80, take, &taken, NULL), 0);
    assert_int_equal(taken.width, 80);
}

/* Bytes read are those of the GOPs, not of the whole recording. */
static void many_stills_read_each_gop_once(void **state)
{
    (void)state;
    struct taken taken = {0};
    int64_t moments[200];
    struct okno_err err = {0};
    fixture_ffmpeg(
        "-f lavfi -i testsrc2=s=640x360:r=15:d=40 -c:v libx264 -preset ultrafast "
        "-g 30 -keyint_min 30 -sc_threshold 0 -movflags +faststart long.mp4");
    for (int i = 0; i < 200; i++)
        moments[i] = 10 * SECOND + i * 20000; /* two of 20 GOPs */
    OKNO_AUTO(okno_source) *source = fixture_source("long.mp4");
    const struct okno_media_input input = {.source = source, .format = "mov"};
    if (okno_media_stills(&input, 1, 0, moments, 200, 0, take, &taken, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(taken.count, 200);
    print_message("read %lld of %lld\n", (long long)source->bytes_read, (long long)source->size);
    assert_true(source->bytes_read < source->size / 7);
}

/* The right half gets brighter after a second; the lower left quarter is red throughout. */
static void a_series_tells_how_each_cell_looked_in_each_frame(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO_SERIES series = {0};
    const struct okno_series_area whole = {0, 0, OKNO_VIEW_SCALE, OKNO_VIEW_SCALE, 2, 2};
    fixture_ffmpeg(
        "-f lavfi -i nullsrc=s=320x180:r=10:d=2,"
        "geq=lum=if(gte(X\\,160)*gte(T\\,1)\\,200\\,60):cb=128:"
        "cr=if(lt(X\\,80)*gte(Y\\,45)\\,220\\,128) "
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p halves.mp4");
    OKNO_AUTO(okno_source) *clip = fixture_source("halves.mp4");
    if (okno_view_series(clip, &whole, &series, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(series.frames, 20);
    assert_int_equal(series.cells, 4);
    for (size_t i = 0; i < series.frames; i++) {
        const uint16_t *v = series.values + i * 12;
        assert_int_equal(series.at_us[i], (int64_t)i * 100000);
        assert_in_range(v[0] / 256, 58, 62);
        assert_in_range(v[1] / 256, i < 10 ? 58 : 198, i < 10 ? 62 : 202);
        assert_in_range(v[3] / 256, i < 10 ? 58 : 198, i < 10 ? 62 : 202);
        assert_in_range(v[8 + 2] / 256, 215, 225); /* red of the lower left */
        assert_in_range(v[8] / 256, 125, 131);
    }
    okno_series_free(&series);
    const struct okno_series_area right = {6000, 2000, 9000, 4000, 1, 1};
    assert_int_equal(okno_view_series(clip, &right, &series, &err), 0);
    assert_in_range(series.values[0] / 256, 58, 62);
    assert_in_range(series.values[19 * 3] / 256, 198, 202);
}

/* A picture that lies on its side is measured as it is shown. */
static void a_series_of_a_turned_picture_is_upright(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO_SERIES series = {0};
    const struct okno_series_area whole = {0, 0, OKNO_VIEW_SCALE, OKNO_VIEW_SCALE, 1, 2};
    fixture_ffmpeg(
        "-f lavfi -i nullsrc=s=320x180:r=5:d=1,geq=lum=if(lt(X\\,160)\\,40\\,200):cb=128:cr=128 "
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p lies.mp4");
    fixture_ffmpeg("-i %s -c copy -metadata:s:v rotate=90 turned.mp4", fixture_path("lies.mp4"));
    fixture_ffmpeg("-i %s -frames:v 1 upright.jpg", fixture_path("turned.mp4"));
    struct okno_picture shown = measure("upright.jpg");
    bool dark_above = shown.cells[0] < 128 * 256;
    OKNO_AUTO(okno_source) *clip = fixture_source("turned.mp4");
    if (okno_view_series(clip, &whole, &series, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(dark_above ? series.values[0] < 50 * 256 : series.values[0] > 190 * 256);
    assert_true(dark_above ? series.values[1] > 190 * 256 : series.values[1] < 50 * 256);
}

static void a_series_of_no_area_is_refused(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO_SERIES series = {0};
    OKNO_AUTO(okno_source) *clip = fixture_source("halves.mp4");
    const struct okno_series_area bad[] = {{0, 0, 0, OKNO_VIEW_SCALE, 1, 1},
                                           {0, 0, OKNO_VIEW_SCALE + 1, 5000, 1, 1},
                                           {0, 0, 5000, 5000, OKNO_PICTURE_COLUMNS + 1, 1},
                                           {0, 0, 5000, 5000, 1, 0}};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        assert_int_equal(okno_view_series(clip, &bad[i], &series, &err), OKNO_INVALID);
        okno_err_clear(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_tells_how_each_cell_looked_in_each_frame),
        cmocka_unit_test(a_series_of_a_turned_picture_is_upright),
        cmocka_unit_test(a_series_of_no_area_is_refused),
        cmocka_unit_test(a_viewing_copy_has_the_times_of_its_clip),
        cmocka_unit_test(a_preview_is_small_and_tells_true_times),
        cmocka_unit_test(raw_sound_becomes_aac_and_every_frame_is_shown),
        cmocka_unit_test(text_tells_the_time_of_each_frame),
        cmocka_unit_test(masks_blacken_their_part_and_nothing_else),
        cmocka_unit_test(a_contact_sheet_shows_its_moments_from_left_to_right),
        cmocka_unit_test(a_damaged_clip_has_no_copy_and_leaves_no_file),
        cmocka_unit_test(many_stills_are_the_same_as_one_by_one),
        cmocka_unit_test(many_stills_leave_out_a_torn_last_picture),
        cmocka_unit_test(many_stills_can_be_made_small),
        cmocka_unit_test(many_stills_read_each_gop_once),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

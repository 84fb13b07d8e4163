/* The picture must show what the truth says, or the expert who watches it would be wronged. */
#define _GNU_SOURCE
#include "table.h"
#include "tool.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <stdbool.h>

#define START_US INT64_C(1773126000000000) /* 2026-03-10T07:00:00Z */

static char film[64]; /* twelve minutes, two frames a second */
static struct table truth;
static AVFrame *empty_shop[3]; /* by camera */

/* Files are cut on the minute of the camera's clock; the first one of cam2 starts late. */
static const char *file_at(char path[256], int cam, int64_t clock_us, int64_t *ret_from_us)
{
    struct okno_civil c;
    int64_t from_us = clock_us / 60000000 * 60000000;
    if (cam == 2 && from_us == START_US)
        from_us += 8 * OKNO_SECOND_US;
    if (cam == 1 && clock_us >= START_US + 455 * OKNO_SECOND_US &&
        clock_us < START_US + 480 * OKNO_SECOND_US)
        from_us = START_US + 455 * OKNO_SECOND_US; /* after the hole */
    okno_time_to_civil(from_us, &c);
    (void)snprintf(path, 256, "%s/archive/cam%d/2026-03-10/%02d-%02d-%02d.mp4", film, cam,
                   c.hour + 3, c.minute, c.second);
    *ret_from_us = from_us;
    return path;
}

/* The first frame at or after a true time; NULL where the camera recorded nothing. */
static AVFrame *frame_at(int cam, int64_t utc_us)
{
    char path[256];
    int64_t from_us, clock_us = utc_us + (cam == 2 ? 7400000 : 0);
    AVFormatContext *file = NULL;
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    bool found = false;
    clock_us = (clock_us + 499999) / 500000 * 500000;
    if (avformat_open_input(&file, file_at(path, cam, clock_us, &from_us), NULL, NULL) == 0) {
        AVCodecContext *codec = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264));
        assert_true(avcodec_parameters_to_context(codec, file->streams[0]->codecpar) >= 0);
        assert_int_equal(avcodec_open2(codec, NULL, NULL), 0);
        for (bool more = true; more && !found;) {
            more = av_read_frame(file, packet) >= 0;
            assert_true(avcodec_send_packet(codec, more ? packet : NULL) >= 0);
            av_packet_unref(packet);
            while (!found && avcodec_receive_frame(codec, frame) >= 0)
                found = from_us + av_rescale_q(frame->pts, file->streams[0]->time_base,
                                               (AVRational){1, 1000000}) ==
                        clock_us;
        }
        avcodec_free_context(&codec);
        avformat_close_input(&file);
    }
    av_packet_free(&packet);
    if (!found)
        av_frame_free(&frame);
    return frame;
}

/* Whether a point of the picture has a colour 0xRRGGBB, as BT.709 in limited range says it. */
static bool pixel_is(const AVFrame *f, int x, int y, unsigned rgb)
{
    double r = rgb >> 16, g = rgb >> 8 & 255U, b = rgb & 255U;
    double luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    double want[3] = {16 + luma * 219 / 255, 128 + (b - luma) / 1.8556 * 224 / 255,
                      128 + (r - luma) / 1.5748 * 224 / 255};
    for (int p = 0; p < 3; p++) {
        int shift = p ? 1 : 0;
        int is = f->data[p][(ptrdiff_t)(y >> shift) * f->linesize[p] + (x >> shift)];
        if (fabs(is - want[p]) > 14)
            return false;
    }
    return true;
}

/* The panel's plate; a hand may cover one corner, never both. */
static bool panel_shows(const AVFrame *f, const char *answer)
{
    unsigned rgb = strcmp(answer, "yes") == 0 ? 0x2fbf71 : *answer == 'n' ? 0xe5484d : 0xf5b83d;
    return pixel_is(f, 292, 180, rgb) || pixel_is(f, 362, 180, rgb);
}

/* How much the customer's place differs from the empty shop, in steps of luma. */
static double somebody(int cam, const AVFrame *f)
{
    const AVFrame *empty = empty_shop[cam];
    double sum = 0;
    for (ptrdiff_t y = 180; y < 260; y++)
        for (ptrdiff_t x = 244; x < 268; x++)
            sum += abs(f->data[0][y * f->linesize[0] + x] -
                       empty->data[0][y * empty->linesize[0] + x]);
    return sum / (80 * 24);
}

static int cam_of(int row)
{
    return strcmp(cell(&truth, row, "point"), "till-2") == 0 ? 2 : 1;
}

static void the_panel_lights_in_the_colour_of_the_answer_and_only_then(void **state)
{
    (void)state;
    int seen = 0;
    for (int r = 1; r < truth.count; r++) {
        const char *answer = cell(&truth, r, "answer");
        if (!*answer)
            continue;
        int64_t at = cell_us(&truth, r, "answered_at");
        AVFrame *before = frame_at(cam_of(r), at - 600000);
        AVFrame *lit = frame_at(cam_of(r), at + 300000);
        AVFrame *after = frame_at(cam_of(r), at + 1500000);
        if (before && lit && after) {
            assert_false(panel_shows(before, answer));
            assert_true(panel_shows(lit, answer));
            assert_false(panel_shows(after, answer));
            seen++;
        }
        av_frame_free(&before);
        av_frame_free(&lit);
        av_frame_free(&after);
    }
    assert_true(seen >= 10);
}

static void a_customer_stands_at_the_counter_unless_nobody_is_there(void **state)
{
    (void)state;
    int nobody = 0, present = 0;
    for (int r = 1; r < truth.count; r++) {
        AVFrame *f = frame_at(cam_of(r), cell_us(&truth, r, "opened_at"));
        if (!f)
            continue;
        bool none = strcmp(cell(&truth, r, "reason"), "NO_CUSTOMER") == 0;
        if (none)
            assert_true(somebody(cam_of(r), f) < 4);
        else
            assert_true(somebody(cam_of(r), f) > 12);
        *(none ? &nobody : &present) += 1;
        av_frame_free(&f);
    }
    assert_true(nobody >= 1);
    assert_true(present >= 10);
}

static void who_answers_is_at_the_counter_and_a_cheated_customer_is_not(void **state)
{
    (void)state;
    int cheated = 0, honest = 0;
    for (int r = 1; r < truth.count; r++) {
        if (!*cell(&truth, r, "answer"))
            continue;
        AVFrame *f = frame_at(cam_of(r), cell_us(&truth, r, "answered_at"));
        if (!f)
            continue;
        const char *reason = cell(&truth, r, "reason");
        bool cheat = strcmp(reason, "STAFF_PRESSED") == 0 || strcmp(reason, "NO_CUSTOMER") == 0;
        if (cheat)
            assert_true(somebody(cam_of(r), f) < 4);
        else
            assert_true(somebody(cam_of(r), f) > 12);
        *(cheat ? &cheated : &honest) += 1;
        av_frame_free(&f);
    }
    assert_true(cheated >= 2);
    assert_true(honest >= 8);
}

static void the_hole_has_no_picture(void **state)
{
    (void)state;
    AVFrame *f = frame_at(1, START_US + 382500000);
    assert_non_null(f); /* the last one before */
    av_frame_free(&f);
    assert_null(frame_at(1, START_US + 383000000));
    assert_null(frame_at(1, START_US + 454500000));
    f = frame_at(1, START_US + 455000000);
    assert_non_null(f);
    av_frame_free(&f);
}

static int setup(void **state)
{
    (void)state;
    if (folder_make() < 0)
        return -1;
    (void)snprintf(film, sizeof(film), "%s/film", folder);
    run_well("scene", (const char *const[]){"--minutes", "12", "--fps", "2", film, NULL});
    truth = table_read(film, "truth.csv");
    for (int cam = 1; cam <= 2; cam++) {
        empty_shop[cam] = frame_at(cam, START_US + 1000000);
        assert_non_null(empty_shop[cam]);
    }
    return 0;
}

static int done(void **state)
{
    table_free(&truth);
    av_frame_free(&empty_shop[1]);
    av_frame_free(&empty_shop[2]);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_panel_lights_in_the_colour_of_the_answer_and_only_then),
        cmocka_unit_test(a_customer_stands_at_the_counter_unless_nobody_is_there),
        cmocka_unit_test(who_answers_is_at_the_counter_and_a_cheated_customer_is_not),
        cmocka_unit_test(the_hole_has_no_picture),
    };
    return cmocka_run_group_tests_name("picture", tests, setup, done);
}

#define _GNU_SOURCE
#include "tool.h"

#include "../../tools/strip/layout.h"

#include <libavcodec/avcodec.h>

/* ---- the strip ---- */

/* A grey JPEG with a strip word in it, as small as JPEG's usual quality makes it. */
static void jpeg_write(const char *path, uint64_t word, int white, int black)
{
    AVCodecContext *c = avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG));
    AVFrame *f = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    assert_true(c && f && packet);
    c->width = f->width = 640;
    c->height = f->height = 360;
    c->pix_fmt = AV_PIX_FMT_YUVJ420P;
    c->time_base = (AVRational){1, 1};
    c->flags |= AV_CODEC_FLAG_QSCALE;
    f->format = c->pix_fmt;
    f->quality = 8 * FF_QP2LAMBDA;
    assert_int_equal(avcodec_open2(c, NULL, NULL), 0);
    assert_int_equal(av_frame_get_buffer(f, 0), 0);
    for (ptrdiff_t y = 0; y < 360; y++)
        memset(f->data[0] + y * f->linesize[0], 120, 640);
    for (ptrdiff_t y = 352; y < 360; y++)
        for (ptrdiff_t i = 0; i < STRIP_BLOCKS; i++)
            memset(f->data[0] + y * f->linesize[0] + (STRIP_FIRST + i) * 8,
                   word >> (63 - i) & 1 ? white : black, 8);
    for (int p = 1; p < 3; p++)
        for (ptrdiff_t y = 0; y < 180; y++)
            memset(f->data[p] + y * f->linesize[p], 128, 320);
    assert_int_equal(avcodec_send_frame(c, f), 0);
    assert_int_equal(avcodec_receive_packet(c, packet), 0);
    okno_autofclose FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(packet->data, 1, (size_t)packet->size, file), packet->size);
    av_packet_free(&packet);
    av_frame_free(&f);
    avcodec_free_context(&c);
}

static void assert_strip(const char *path, int code, const char *line)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    assert_int_equal(RUN(&text, "strip", path), code);
    if (line)
        assert_string_equal(okno_buf_text(&text), line);
}

static void the_strip_is_read_from_a_jpeg_whatever_its_name(void **state)
{
    (void)state;
    char path[256];
    below(path, "3f2a%d"); /* evidence has no ending, and % is no pattern */
    jpeg_write(path, strip_word(1773126000123), 255, 0);
    assert_strip(path, 0, "0 0 1773126000123\n");
    jpeg_write(path, strip_word(UINT64_C(0xffffffffffff)), 180, 60);
    assert_strip(path, 0, "0 0 281474976710655\n");
}

static void a_strip_with_one_wrong_block_is_no_strip(void **state)
{
    (void)state;
    char path[256];
    below(path, "wrong.jpg");
    for (int bit = 0; bit < 64; bit += 3) {
        jpeg_write(path, strip_word(1773126000123) ^ UINT64_C(1) << bit, 255, 0);
        assert_strip(path, 6, "0 0 -1\n");
    }
}

static void pictures_without_a_strip_say_so(void **state)
{
    (void)state;
    char path[256];
    below(path, "plain.jpg");
    jpeg_write(path, 0, 255, 0);
    assert_strip(path, 6, "0 0 -1\n");
    jpeg_write(path, UINT64_MAX, 255, 0);
    assert_strip(path, 6, "0 0 -1\n");
    jpeg_write(path, strip_word(1773126000123), 150, 90); /* too faint to be believed */
    assert_strip(path, 6, "0 0 -1\n");
}

static void what_is_no_picture_is_refused(void **state)
{
    (void)state;
    char path[256];
    below(path, "text.jpg");
    okno_autofclose FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs("not a picture at all", file) >= 0);
    assert_int_equal(fflush(file), 0);
    assert_strip(path, 1, NULL);
    assert_strip(below(path, "absent.mp4"), 1, NULL);
}

static int setup(void **state)
{
    (void)state;
    return folder_make();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strip_is_read_from_a_jpeg_whatever_its_name),
        cmocka_unit_test(a_strip_with_one_wrong_block_is_no_strip),
        cmocka_unit_test(pictures_without_a_strip_say_so),
        cmocka_unit_test(what_is_no_picture_is_refused),
    };
    return cmocka_run_group_tests_name("strip", tests, setup, teardown);
}

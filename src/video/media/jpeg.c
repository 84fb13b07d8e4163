#define _POSIX_C_SOURCE 200809L
#include "picture.h"

#include <errno.h>
#include <unistd.h>

enum { JPEG_QUALITY = 5 };

/* Bring one side down to max, and the other with it. */
static void shrink(int *side, int *other, int max)
{
    if (max == 0 || *side <= max)
        return;
    *other = (int)av_rescale(*other, max, *side);
    *other = *other < 2 ? 2 : *other;
    *side = max;
}

/* Limited to full range, any matrix to BT.601, any aspect to square pixels, at most max_width wide
 * where that is not 0, once it is upright: a picture that lies is that high now. */
static int convert(const AVFrame *from, AVRational aspect, bool lies, int max_width,
                   AVFrame **ret_frame, struct okno_err *err)
{
    int width = from->width;
    int height = from->height;
    if (aspect.num > 0 && aspect.den > 0)
        width = (int)av_rescale(width, aspect.num, aspect.den);
    shrink(lies ? &height : &width, lies ? &width : &height, max_width);
    if (width < 2 || width > 2 * MEDIA_MAX_SIDE)
        return okno_fail(err, OKNO_TOO_LARGE, "a picture of %dx%d", width, from->height);
    return media_picture_scale(from, width, height, AV_PIX_FMT_YUVJ420P, SWS_BICUBIC, ret_frame,
                               err);
}

static void plane_turn(const uint8_t *from, int from_line, uint8_t *to, int to_line, int width,
                       int height, int quarter_turns)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int tx = quarter_turns == 1 ? height - 1 - y : quarter_turns == 2 ? width - 1 - x : y;
            int ty = quarter_turns == 1 ? x : quarter_turns == 2 ? height - 1 - y : width - 1 - x;
            to[(ptrdiff_t)ty * to_line + tx] = from[(ptrdiff_t)y * from_line + x];
        }
}

/* Turn clockwise by quarters. */
static int turn(AVFrame **frame, int quarter_turns, struct okno_err *err)
{
    if (quarter_turns == 0)
        return 0;
    const AVFrame *from = *frame;
    bool lies = quarter_turns % 2 == 1;
    AVFrame *to = NULL;
    int rc = media_picture_new(from, lies ? from->height : from->width,
                               lies ? from->width : from->height, from->format, &to, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < 3; i++) {
        int width = i == 0 ? from->width : (from->width + 1) / 2;
        int height = i == 0 ? from->height : (from->height + 1) / 2;
        plane_turn(from->data[i], from->linesize[i], to->data[i], to->linesize[i], width, height,
                   quarter_turns);
    }
    av_frame_free(frame);
    *frame = to;
    return 0;
}

static int encode(AVFrame *frame, AVPacket *packet, struct okno_err *err)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    MEDIA_AUTO_CODEC *encoder = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!encoder)
        return okno_fail(err, OKNO_UNSUPPORTED, "no JPEG encoder");
    encoder->width = frame->width;
    encoder->height = frame->height;
    encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
    encoder->color_range = AVCOL_RANGE_JPEG;
    encoder->time_base = (AVRational){1, 25};
    encoder->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
    encoder->global_quality = FF_QP2LAMBDA * JPEG_QUALITY;
    encoder->thread_count = 1;
    frame->quality = encoder->global_quality;
    frame->pts = 0;
    int rc = avcodec_open2(encoder, codec, NULL);
    if (rc >= 0)
        rc = avcodec_send_frame(encoder, frame);
    if (rc >= 0)
        rc = avcodec_receive_packet(encoder, packet);
    return rc < 0 ? media_fail(err, OKNO_MEDIA, rc, "the picture cannot become a JPEG") : 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t len, struct okno_err *err)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return okno_fail_errno(err, errno, "cannot write the still");
        bytes += put;
        len -= (size_t)put;
    }
    return 0;
}

int media_jpeg_write(const AVFrame *frame, AVRational aspect, int quarter_turns, int max_width,
                     int fd, int *ret_width, int *ret_height, struct okno_err *err)
{
    MEDIA_AUTO_FRAME *picture = NULL;
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    if (!packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture");
    int rc = convert(frame, aspect, quarter_turns % 2 == 1, max_width, &picture, err);
    if (rc == 0)
        rc = turn(&picture, quarter_turns, err);
    if (rc == 0)
        rc = encode(picture, packet, err);
    if (rc == 0)
        rc = write_all(fd, packet->data, (size_t)packet->size, err);
    if (rc < 0)
        return rc;
    *ret_width = picture->width;
    *ret_height = picture->height;
    return 0;
}

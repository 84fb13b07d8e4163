/* Contact sheets, masked stills and measures of kept evidence. */
#define _POSIX_C_SOURCE 200809L
#include "nal.h"
#include "picture.h"
#include "view.h"
#include "walk.h"

#include "okno/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_STILL_BYTES = 64 * 1024 * 1024, MAX_PICTURES = 1024 };

/* Pictures closer than this tell nothing new. */
#define LOOK_STEP_US (OKNO_SECOND_US / 2)

/* --- looking ---------------------------------------------------------------------------------- */

struct looking {
    const AVCodecParameters *codec; /* the walk's, while it lasts */
    struct okno_look_frame_vec frames;
    struct okno_look_picture_vec pictures;
    int64_t last_us; /* of the last picture measured */
};

static int look_see(void *ctx, const AVPacket *packet, int64_t at_us, struct okno_err *err)
{
    struct looking *looking = ctx;
    struct okno_look_frame frame = {
        .at_us = at_us,
        .key = packet->flags & AV_PKT_FLAG_KEY ||
               media_nal_is_key(looking->codec, packet->data, (size_t)packet->size)};
    if (looking->frames.len >= MEDIA_MAX_FRAMES)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d frames", MEDIA_MAX_FRAMES);
    if (okno_look_frame_vec_push(&looking->frames, frame) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of frames");
    return 0;
}

static int look_take(void *ctx, AVFrame *frame, int64_t at_us, struct okno_err *err)
{
    struct looking *looking = ctx;
    struct okno_look_picture seen = {.at_us = at_us};
    if (looking->pictures.len >= MAX_PICTURES ||
        (looking->pictures.len > 0 && at_us < looking->last_us + LOOK_STEP_US))
        return 0;
    int rc = media_picture_measure(frame, &seen.picture, err);
    if (rc < 0)
        return rc;
    looking->last_us = at_us;
    if (okno_look_picture_vec_push(&looking->pictures, seen) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for measures");
    return 0;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const struct okno_look_frame *)a)->at_us;
    int64_t y = ((const struct okno_look_frame *)b)->at_us;
    return (x > y) - (x < y);
}

static int write_all(int fd, const void *bytes, size_t len, struct okno_err *err)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return okno_fail_errno(err, errno, "cannot write what was found");
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

static int look_tell(struct looking *looking, int fd, struct okno_err *err)
{
    struct media_looked head = {.frames = looking->frames.len, .pictures = looking->pictures.len};
    qsort(looking->frames.items, looking->frames.len, sizeof(*looking->frames.items), by_time);
    int rc = write_all(fd, &head, sizeof(head), err);
    if (rc == 0)
        rc = write_all(fd, looking->frames.items,
                       looking->frames.len * sizeof(*looking->frames.items), err);
    return rc < 0 ? rc
                  : write_all(fd, looking->pictures.items,
                              looking->pictures.len * sizeof(*looking->pictures.items), err);
}

static void result_fill(const struct media_walk *walk, const struct looking *looking,
                        struct okno_media_result *result)
{
    const AVCodecParameters *codec = walk->reader->video->codecpar;
    const struct okno_look_frame_vec *frames = &looking->frames;
    *result = (struct okno_media_result){
        .frames = (int64_t)frames->len, .width = codec->width, .height = codec->height};
    result->got_from_us = result->first_frame_us = frames->items[0].at_us;
    result->last_frame_us = frames->items[frames->len - 1].at_us;
    result->got_to_us = result->last_frame_us + walk->reader->frame_us;
    (void)snprintf(result->codec, sizeof(result->codec), "%s", avcodec_get_name(codec->codec_id));
}

/* Two passes: all times first, from the packets; then key frames, or all where they are rare. */
int media_view_look(const struct okno_media_input *input, int fd,
                    struct okno_media_result *ret_result, struct okno_err *err)
{
    struct looking looking = {0};
    struct media_walk times = {.see = look_see, .ctx = &looking};
    struct media_walk pictures = {.take = look_take, .ctx = &looking};
    int rc = media_walk_open(&times, input, err);
    if (rc == 0) {
        looking.codec = times.reader->video->codecpar;
        rc = media_walk_run(&times, err);
    }
    if (rc == 0 && looking.frames.len == 0)
        rc = okno_fail(err, OKNO_MEDIA, "no frame in it");
    if (rc == 0)
        rc = media_walk_open(&pictures, input, err);
    if (rc == 0) {
        int64_t keys = 0;
        for (size_t i = 0; i < looking.frames.len; i++)
            keys += looking.frames.items[i].key;
        if (keys >= 4)
            pictures.decoder->skip_frame = AVDISCARD_NONKEY;
        rc = media_walk_run(&pictures, err);
    }
    if (rc == 0)
        rc = look_tell(&looking, fd, err);
    if (rc == 0)
        result_fill(&times, &looking, ret_result);
    media_walk_clear(&times);
    media_walk_clear(&pictures);
    okno_look_frame_vec_free(&looking.frames);
    okno_look_picture_vec_free(&looking.pictures);
    return rc;
}

/* --- contact sheets --------------------------------------------------------------------------- */

struct sheeting {
    const struct media_view *view;
    AVFrame *sheet; /* owned */
    AVFrame *last;  /* the tile to repeat when the clip ends early; owned */
    AVRational aspect;
    int turns;
    int tile_height;
    uint32_t done;
};

static int sheet_begin(struct sheeting *s, const AVFrame *frame, struct okno_err *err)
{
    int width = (int)s->view->sheet.width;
    AVRational aspect = s->aspect.num > 0 ? s->aspect : (AVRational){1, 1};
    double shape = (double)frame->height / ((double)frame->width * aspect.num / (double)aspect.den);
    s->tile_height = (int)(width * shape) & ~1;
    if (s->tile_height < 16 || s->tile_height > 2 * MEDIA_MAX_SIDE)
        return okno_fail(err, OKNO_TOO_LARGE, "a picture of %dx%d", frame->width, frame->height);
    AVFrame *sheet = s->sheet = av_frame_alloc();
    if (sheet) {
        sheet->format = AV_PIX_FMT_YUVJ420P;
        sheet->color_range = AVCOL_RANGE_JPEG;
        sheet->width = width * (int)s->view->sheet.count;
        sheet->height = s->tile_height;
    }
    if (!sheet || av_frame_get_buffer(sheet, 0) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a contact sheet");
    for (int i = 0; i < 3; i++)
        memset(sheet->data[i], i ? 128 : 0,
               (size_t)sheet->linesize[i] * (size_t)(i ? (sheet->height + 1) / 2 : sheet->height));
    return 0;
}

static void tile_put(struct sheeting *s, const AVFrame *tile)
{
    int left = (int)s->done * tile->width;
    for (int i = 0; i < 3; i++) {
        int width = i ? tile->width / 2 : tile->width;
        int height = i ? tile->height / 2 : tile->height;
        for (int y = 0; y < height; y++)
            memcpy(s->sheet->data[i] + (ptrdiff_t)y * s->sheet->linesize[i] + (i ? left / 2 : left),
                   tile->data[i] + (ptrdiff_t)y * tile->linesize[i], (size_t)width);
    }
    s->done++;
}

/* A tile is the frame shown at its moment: the last one at or before it. */
static int sheet_take(void *ctx, AVFrame *frame, int64_t at_us, struct okno_err *err)
{
    struct sheeting *s = ctx;
    const struct okno_sheet *sheet = &s->view->sheet;
    int rc = s->sheet ? 0 : sheet_begin(s, frame, err);
    while (rc == 0 && s->last && s->done < sheet->count &&
           sheet->from_us + (int64_t)s->done * sheet->step_us < at_us)
        tile_put(s, s->last);
    if (rc < 0 || s->done == sheet->count)
        return rc < 0 ? rc : 1;
    MEDIA_AUTO_FRAME *tile = NULL;
    rc = media_picture_scale(frame, (int)sheet->width, s->tile_height, AV_PIX_FMT_YUVJ420P,
                             SWS_AREA, &tile, err);
    if (rc < 0)
        return rc;
    media_picture_mask(tile, s->turns, &s->view->masks);
    av_frame_free(&s->last);
    s->last = tile;
    tile = NULL;
    return 0;
}

int media_view_sheet(const struct okno_media_input *input, const struct media_view *view, int fd,
                     struct okno_media_result *ret_result, struct okno_err *err)
{
    struct sheeting s = {.view = view};
    struct media_walk walk = {.take = sheet_take, .ctx = &s};
    struct okno_media_result result = {.frames = 1, .codec = "mjpeg"};
    int rc = media_walk_open(&walk, input, err);
    if (rc == 0) {
        s.aspect = walk.reader->video->sample_aspect_ratio;
        s.turns = media_quarter_turns(walk.reader->video);
        rc = media_walk_run(&walk, err);
    }
    if (rc >= 0 && !s.sheet)
        rc = okno_fail(err, OKNO_MEDIA, "no picture of the clip decodes");
    while (rc >= 0 && s.done < view->sheet.count && s.last)
        tile_put(&s, s.last);
    if (rc >= 0)
        rc = media_jpeg_write(s.sheet, (AVRational){1, 1}, 0, 0, fd, &result.width, &result.height,
                              err);
    if (rc == 0)
        *ret_result = result;
    av_frame_free(&s.sheet);
    av_frame_free(&s.last);
    media_walk_clear(&walk);
    return rc;
}

/* --- stills ----------------------------------------------------------------------------------- */

static int jpeg_bytes(struct okno_source *source, AVPacket *packet, struct okno_err *err)
{
    size_t got = 0;
    if (source->size <= 0 || source->size > MAX_STILL_BYTES)
        return okno_fail(err, OKNO_TOO_LARGE, "a still of %lld bytes; at most %d",
                         (long long)source->size, MAX_STILL_BYTES);
    if (av_new_packet(packet, (int)source->size) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a still");
    int rc = source->read_at(source->ctx, 0, packet->data, (size_t)source->size, &got, err);
    if (rc == 0 && got != (size_t)source->size)
        rc = okno_fail(err, OKNO_IO, "the still is cut short");
    return rc;
}

static int jpeg_decode(struct okno_source *source, AVFrame **ret_frame, struct okno_err *err)
{
    media_log_begin();
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG);
    MEDIA_AUTO_CODEC *decoder = codec ? avcodec_alloc_context3(codec) : NULL;
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    MEDIA_AUTO_FRAME *frame = av_frame_alloc();
    if (!decoder || !packet || !frame)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a still");
    decoder->thread_count = 1;
    decoder->max_pixels = 4 * (int64_t)MEDIA_MAX_SIDE * MEDIA_MAX_SIDE;
    int rc = jpeg_bytes(source, packet, err);
    if (rc < 0)
        return rc;
    rc = avcodec_open2(decoder, codec, NULL);
    if (rc >= 0)
        rc = avcodec_send_packet(decoder, packet);
    if (rc >= 0)
        rc = avcodec_receive_frame(decoder, frame);
    if (rc < 0)
        return media_fail(err, OKNO_MEDIA, rc, "the still does not decode");
    frame->colorspace = AVCOL_SPC_SMPTE170M;
    *ret_frame = frame;
    frame = NULL;
    return 0;
}

int media_view_still(const struct okno_media_input *input, const struct media_view *view, int fd,
                     struct okno_media_result *ret_result, struct okno_err *err)
{
    MEDIA_AUTO_FRAME *frame = NULL;
    MEDIA_AUTO_FRAME *picture = NULL;
    struct okno_media_result result = {.frames = 1, .codec = "mjpeg"};
    int rc = jpeg_decode(input->source, &frame, err);
    if (rc < 0)
        return rc;
    int width = frame->width;
    int height = frame->height;
    if (view->max_width > 0 && width > view->max_width) {
        height = (int)av_rescale(height, view->max_width, width);
        width = view->max_width;
    }
    rc = media_picture_scale(frame, width, height > 1 ? height : 1, AV_PIX_FMT_YUVJ420P, SWS_AREA,
                             &picture, err);
    if (rc < 0)
        return rc;
    media_picture_mask(picture, 0, &view->masks);
    rc =
        media_jpeg_write(picture, (AVRational){1, 1}, 0, 0, fd, &result.width, &result.height, err);
    if (rc == 0)
        *ret_result = result;
    return rc;
}

int media_view_measure(const struct okno_media_input *input, int fd,
                       struct okno_media_result *ret_result, struct okno_err *err)
{
    MEDIA_AUTO_FRAME *frame = NULL;
    struct okno_picture picture = {0};
    int rc = jpeg_decode(input->source, &frame, err);
    if (rc == 0)
        rc = media_picture_measure(frame, &picture, err);
    if (rc == 0)
        rc = write_all(fd, &picture, sizeof(picture), err);
    if (rc == 0)
        *ret_result = (struct okno_media_result){
            .frames = 1, .width = frame->width, .height = frame->height, .codec = "mjpeg"};
    return rc;
}

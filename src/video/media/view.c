/* The viewing copy of a clip: decoded, masked, encoded again as H.264 that every browser plays. */
#define _POSIX_C_SOURCE 200809L
#include "view.h"

#include "entry.h"
#include "label.h"
#include "picture.h"
#include "sound.h"

#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { KEY_EVERY_S = 2, SLOWEST_FPS = 1 };

/* How much of the picture a copy keeps. */
struct quality {
    int width, height; /* at most */
    int fps;           /* at most: pictures that come sooner are left out */
    const char *crf;
    bool sound;
};
static const struct quality full = {1920, 1080, 120, "24", true};
static const struct quality preview = {480, 270, 5, "32", false};

struct copying {
    struct media_reader *reader;
    AVCodecContext *decoder, *encoder;
    AVFrame *frame;
    AVPacket *packet;
    struct media_file *file;
    AVFormatContext *format;
    AVStream *video, *audio;   /* of format; audio may be NULL */
    struct media_sound *sound; /* NULL: packets of sound are copied */
    const struct media_view *view;
    const struct quality *quality;
    int turns;
    int width, height;
    int64_t last_pts, frames;
    int64_t first_us, last_us;
};

static void copying_clear(struct copying *c)
{
    av_frame_free(&c->frame);
    av_packet_free(&c->packet);
    avcodec_free_context(&c->decoder);
    avcodec_free_context(&c->encoder);
    media_sound_close(c->sound);
    avformat_free_context(c->format);
    media_file_free(c->file);
    media_reader_close(c->reader);
}

/* Inside the box, even sides, the same shape. */
static void box_fit(const AVCodecParameters *codec, const struct quality *box, int *ret_width,
                    int *ret_height)
{
    double scale = 1;
    if (codec->width > box->width)
        scale = (double)box->width / codec->width;
    if (codec->height * scale > box->height)
        scale = (double)box->height / codec->height;
    int width = (int)(codec->width * scale) & ~1;
    int height = (int)(codec->height * scale) & ~1;
    *ret_width = width < 16 ? 16 : width;
    *ret_height = height < 16 ? 16 : height;
}

static int encoder_open(struct copying *c, struct okno_err *err)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "this FFmpeg has no libx264: viewing copies cannot be made; Debian's "
                         "libavcodec has it");
    AVCodecContext *encoder = c->encoder = avcodec_alloc_context3(codec);
    AVDictionary *options = NULL;
    int64_t frame_us = c->reader->frame_us > 0 ? c->reader->frame_us : 40000;
    int64_t fps = (OKNO_SECOND_US + frame_us / 2) / frame_us;
    fps = fps < SLOWEST_FPS ? SLOWEST_FPS : fps > c->quality->fps ? c->quality->fps : fps;
    if (!encoder)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to encode");
    encoder->width = c->width;
    encoder->height = c->height;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = c->reader->video->time_base;
    encoder->framerate = (AVRational){(int)fps, 1};
    encoder->sample_aspect_ratio = c->reader->video->sample_aspect_ratio;
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->colorspace = AVCOL_SPC_SMPTE170M;
    encoder->gop_size = (int)fps * KEY_EVERY_S;
    encoder->max_b_frames = 0;
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
    int rc = av_dict_set(&options, "preset", "veryfast", 0);
    if (rc >= 0)
        rc = av_dict_set(&options, "crf", c->quality->crf, 0);
    if (rc >= 0)
        rc = av_dict_set(&options, "profile", "high", 0);
    if (rc >= 0) /* key frames where they are expected, and nowhere else */
        rc = av_dict_set(&options, "sc_threshold", "0", 0);
    if (rc >= 0)
        rc = avcodec_open2(encoder, codec, &options);
    av_dict_free(&options);
    return rc < 0 ? media_fail(err, OKNO_UNSUPPORTED, rc, "libx264 refuses a picture of %dx%d",
                               c->width, c->height)
                  : 0;
}

static int refuse(AVFormatContext *format, AVIOContext **avio, const char *url, int flags,
                  AVDictionary **options)
{
    (void)format, (void)url, (void)flags, (void)options;
    *avio = NULL;
    return AVERROR(EPERM);
}

static int stream_new(struct copying *c, AVStream **ret_stream, AVRational time_base,
                      struct okno_err *err)
{
    AVStream *stream = avformat_new_stream(c->format, NULL);
    if (!stream)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a viewing copy");
    stream->time_base = time_base;
    *ret_stream = stream;
    return 0;
}

static int write_failed(const struct copying *c, int averror, struct okno_err *err)
{
    int number = media_file_errno(c->file);
    if (number)
        return okno_fail_errno(err, number, "cannot write the viewing copy");
    return media_fail(err, OKNO_MEDIA, averror, "a frame does not fit into an MP4");
}

static int audio_write(struct copying *c, AVPacket *packet, AVRational from, struct okno_err *err)
{
    av_packet_rescale_ts(packet, from, c->audio->time_base);
    packet->stream_index = c->audio->index;
    int rc = av_interleaved_write_frame(c->format, packet);
    return rc < 0 ? write_failed(c, rc, err) : 0;
}

static int encoded_take(void *ctx, AVPacket *packet, struct okno_err *err)
{
    struct copying *c = ctx;
    return audio_write(c, packet, media_sound_encoder(c->sound)->time_base, err);
}

/* Sound that browsers play is copied, that of recorders only becomes AAC, the rest is left out. */
static int audio_add(struct copying *c, struct okno_err *err)
{
    const AVStream *from = c->reader->audio;
    const AVCodecParameters *codec = from ? from->codecpar : NULL;
    bool raw = codec && media_entry_frame_bytes(codec) > 0;
    if (!codec || (!raw && codec->codec_id != AV_CODEC_ID_AAC &&
                   codec->codec_id != AV_CODEC_ID_MP3 && codec->codec_id != AV_CODEC_ID_OPUS))
        return 0;
    int rc = raw ? media_sound_open(from, encoded_take, c, &c->sound, NULL) : 0;
    if (rc == OKNO_UNSUPPORTED)
        return 0;
    if (rc == 0)
        rc = stream_new(c, &c->audio,
                        c->sound ? media_sound_encoder(c->sound)->time_base : from->time_base, err);
    if (rc < 0)
        return rc;
    AVCodecParameters *to = c->audio->codecpar;
    rc = c->sound ? avcodec_parameters_from_context(to, media_sound_encoder(c->sound))
                  : avcodec_parameters_copy(to, codec);
    to->codec_tag = 0;
    return rc < 0 ? okno_fail(err, OKNO_NO_MEMORY, "no memory to write a viewing copy") : 0;
}

static int streams_add(struct copying *c, struct okno_err *err)
{
    const struct media_reader *reader = c->reader;
    int rc = stream_new(c, &c->video, reader->video->time_base, err);
    if (rc == 0 && avcodec_parameters_from_context(c->video->codecpar, c->encoder) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory to write a viewing copy");
    if (rc < 0)
        return rc;
    c->video->sample_aspect_ratio = reader->video->sample_aspect_ratio;
    size_t size = 0;
    const uint8_t *matrix =
        av_stream_get_side_data(reader->video, AV_PKT_DATA_DISPLAYMATRIX, &size);
    uint8_t *turned =
        matrix ? av_stream_new_side_data(c->video, AV_PKT_DATA_DISPLAYMATRIX, size) : NULL;
    if (turned)
        memcpy(turned, matrix, size);
    return c->quality->sound ? audio_add(c, err) : 0;
}

static int writer_open(struct copying *c, int fd, struct okno_err *err)
{
    int rc = media_file_new(fd, &c->file, err);
    if (rc < 0)
        return rc;
    rc = avformat_alloc_output_context2(&c->format, NULL, "mp4", "view.mp4");
    if (rc < 0)
        return media_fail(err, OKNO_MEDIA, rc, "cannot write an MP4");
    c->format->pb = media_file_context(c->file);
    c->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    c->format->io_open = refuse;
    rc = streams_add(c, err);
    if (rc < 0)
        return rc;
    rc = avformat_write_header(c->format, NULL);
    return rc < 0 ? media_fail(err, OKNO_MEDIA, rc, "cannot write an MP4") : 0;
}

/* Write what the encoder has ready. */
static int encoder_drain(struct copying *c, struct okno_err *err)
{
    int rc = 0;
    while ((rc = avcodec_receive_packet(c->encoder, c->packet)) >= 0) {
        av_packet_rescale_ts(c->packet, c->encoder->time_base, c->video->time_base);
        c->packet->stream_index = c->video->index;
        /* Without it the last frame lasts for nothing, and players do not show it. */
        c->packet->duration =
            av_rescale_q(c->reader->frame_us, AV_TIME_BASE_Q, c->video->time_base);
        rc = av_interleaved_write_frame(c->format, c->packet);
        if (rc < 0)
            return write_failed(c, rc, err);
    }
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF
               ? 0
               : media_fail(err, OKNO_MEDIA, rc, "a picture cannot be encoded");
}

/* Rounded up to the millisecond, as in the sidecar. */
static void instant_text(int64_t utc_us, int64_t offset_us, const char *name, char ret_text[64])
{
    struct okno_civil t;
    okno_time_to_civil((utc_us + 999) / 1000 * 1000 + offset_us, &t);
    (void)snprintf(ret_text, 64, "%04d-%02d-%02d %02d:%02d:%02d.%03d %s", t.year, t.month, t.day,
                   t.hour, t.minute, t.second, t.micro / 1000, name);
}

static void text_draw(const struct copying *c, AVFrame *picture)
{
    const struct okno_view_text *text = &c->view->text;
    int64_t at_us = text->at_us + c->last_us;
    int64_t offset_us = at_us < text->change_us ? text->offset_us : text->next_offset_us;
    int minutes = (int)(llabs(offset_us) / (60 * OKNO_SECOND_US));
    char distance[16];
    char local[64];
    char utc[64];
    char subject[sizeof(text->subject)];
    const char *const lines[] = {local, utc, subject};
    (void)snprintf(distance, sizeof(distance), "%c%02d:%02d", offset_us < 0 ? '-' : '+',
                   minutes / 60 % 100, minutes % 60);
    instant_text(at_us, offset_us, distance, local);
    instant_text(at_us, 0, "UTC", utc);
    (void)snprintf(subject, sizeof(subject), "%.*s", (int)sizeof(subject) - 1, text->subject);
    media_label_draw(picture, c->turns, lines, subject[0] ? 3 : 2);
}

static int encode(struct copying *c, const AVFrame *from, int64_t pts, struct okno_err *err)
{
    MEDIA_AUTO_FRAME *picture = NULL;
    int rc =
        media_picture_scale(from, c->width, c->height, AV_PIX_FMT_YUV420P, SWS_AREA, &picture, err);
    if (rc < 0)
        return rc;
    media_picture_mask(picture, c->turns, &c->view->masks);
    if (c->view->has_text)
        text_draw(c, picture);
    picture->pts = pts;
    rc = avcodec_send_frame(c->encoder, picture);
    return rc < 0 ? media_fail(err, OKNO_MEDIA, rc, "a picture cannot be encoded")
                  : encoder_drain(c, err);
}

/* Sooner after the last one than this quality shows pictures; a tenth of that is a camera's unrest.
 */
static bool is_left_out(const struct copying *c, int64_t at_us)
{
    return c->frames > 0 && at_us - c->last_us < OKNO_SECOND_US * 9 / 10 / c->quality->fps;
}

/* Encode the pictures that are ready, with the times that they have. */
static int decoder_drain(struct copying *c, struct okno_err *err)
{
    int rc = 0;
    while ((rc = avcodec_receive_frame(c->decoder, c->frame)) >= 0) {
        int64_t stamp =
            c->frame->pts != AV_NOPTS_VALUE ? c->frame->pts : c->frame->best_effort_timestamp;
        int64_t pts = stamp == AV_NOPTS_VALUE ? c->last_pts + 1 : stamp - c->reader->first_pts;
        int64_t at_us = media_reader_us(c->reader, c->reader->video, pts + c->reader->first_pts);
        if (pts <= c->last_pts || is_left_out(c, at_us))
            continue;
        if (++c->frames > MEDIA_MAX_FRAMES)
            return okno_fail(err, OKNO_TOO_LARGE, "more than %d frames", MEDIA_MAX_FRAMES);
        c->last_pts = pts;
        c->last_us = at_us;
        c->first_us = c->frames == 1 ? c->last_us : c->first_us;
        int code = encode(c, c->frame, pts, err);
        av_frame_unref(c->frame);
        if (code < 0)
            return code;
    }
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF
               ? 0
               : media_fail(err, OKNO_MEDIA, rc, "the clip does not decode");
}

static int audio_take(struct copying *c, AVPacket *packet, struct okno_err *err)
{
    const struct media_reader *reader = c->reader;
    if (!c->audio)
        return 0;
    int64_t by =
        av_rescale_q(reader->first_pts, reader->video->time_base, reader->audio->time_base);
    packet->pts -= by;
    packet->dts -= by;
    AVRational from = reader->audio->time_base;
    if (!c->sound)
        return audio_write(c, packet, from, err);
    int64_t at = av_rescale_q(packet->pts, from, media_sound_encoder(c->sound)->time_base);
    return media_sound_feed(c->sound, packet, at, err);
}

static int feed(struct copying *c, const AVPacket *packet, struct okno_err *err)
{
    int rc = avcodec_send_packet(c->decoder, packet);
    if (rc < 0 && rc != AVERROR_INVALIDDATA && rc != AVERROR_EOF)
        return media_fail(err, OKNO_MEDIA, rc, "the clip does not decode");
    return decoder_drain(c, err);
}

static int copy_all(struct copying *c, struct okno_err *err)
{
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    int rc = packet ? 1 : okno_fail(err, OKNO_NO_MEMORY, "no memory to read a clip");
    while (rc > 0 && (rc = media_reader_next(c->reader, packet, err)) > 0) {
        bool video = media_is_video(c->reader, packet);
        int code = video ? feed(c, packet, err) : audio_take(c, packet, err);
        av_packet_unref(packet);
        if (code < 0)
            return code;
    }
    if (rc == 0)
        rc = feed(c, NULL, err);
    if (rc == 0 && avcodec_send_frame(c->encoder, NULL) >= 0)
        rc = encoder_drain(c, err);
    if (rc == 0 && c->sound)
        rc = media_sound_feed(c->sound, NULL, 0, err);
    if (rc == 0 && c->frames == 0)
        rc = okno_fail(err, OKNO_MEDIA, "no picture of the clip decodes");
    return rc;
}

static int finish(struct copying *c, int fd, struct okno_err *err)
{
    int rc = av_write_trailer(c->format);
    avio_flush(c->format->pb);
    if (rc < 0 || c->format->pb->error < 0)
        return write_failed(c, rc, err);
    return fsync(fd) < 0 ? okno_fail_errno(err, errno, "cannot write the viewing copy") : 0;
}

static int copying_open(struct copying *c, const struct okno_media_input *input, int fd,
                        struct okno_err *err)
{
    int rc = media_reader_open(input, true, &c->reader, err);
    if (rc == 0)
        rc = media_decoder_open(c->reader, &c->decoder, err);
    if (rc < 0)
        return rc;
    c->last_pts = -1;
    c->turns = media_quarter_turns(c->reader->video);
    c->frame = av_frame_alloc();
    c->packet = av_packet_alloc();
    if (!c->frame || !c->packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture");
    box_fit(c->reader->video->codecpar, c->quality, &c->width, &c->height);
    rc = encoder_open(c, err);
    return rc < 0 ? rc : writer_open(c, fd, err);
}

int media_view_clip(const struct okno_media_input *input, const struct media_view *view, int fd,
                    struct okno_media_result *ret_result, struct okno_err *err)
{
    struct copying c = {.view = view, .quality = view->preview ? &preview : &full};
    int rc = copying_open(&c, input, fd, err);
    if (rc == 0)
        rc = copy_all(&c, err);
    if (rc == 0)
        rc = finish(&c, fd, err);
    if (rc == 0) {
        *ret_result = (struct okno_media_result){.got_from_us = c.first_us,
                                                 .got_to_us = c.last_us + c.reader->frame_us,
                                                 .first_frame_us = c.first_us,
                                                 .last_frame_us = c.last_us,
                                                 .frames = c.frames,
                                                 .width = c.width,
                                                 .height = c.height,
                                                 .audio = c.audio != NULL,
                                                 .codec = "h264"};
    }
    copying_clear(&c);
    return rc;
}

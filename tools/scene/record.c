#include "record.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <string.h>
#include <sys/stat.h>

#define GOP_SECONDS 4
#define FILE_MS 60000

struct recorder {
    struct scene_film film;
    char folder[768];
    bool index_first;
    AVFormatContext *file; /* open file or NULL */
    AVCodecContext *codec;
    AVPacket *packet;
    int64_t minute; /* of the open file, camera's clock */
    int64_t frames; /* in the open file */
};

static int fail_av(struct okno_err *err, int code, const char *what)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    (void)av_strerror(code, text, sizeof(text));
    return okno_fail(err, OKNO_MEDIA, "%s: %s", what, text);
}

int scene_mkdir(const char *path, struct okno_err *err)
{
    char part[1024];
    int n = snprintf(part, sizeof(part), "%s/", path);
    if (n < 0 || (size_t)n >= sizeof(part))
        return okno_fail(err, OKNO_TOO_LARGE, "folder name longer than 1022 bytes");
    for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return okno_fail_errno(err, errno, "cannot create %s", part);
        *at = '/';
    }
    return 0;
}

int recorder_open(const struct scene_film *film, const char *folder, bool index_first,
                  struct recorder **ret_recorder, struct okno_err *err)
{
    struct recorder *r = calloc(1, sizeof(*r));
    if (!r)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a recorder");
    r->film = *film;
    r->index_first = index_first;
    int n = snprintf(r->folder, sizeof(r->folder), "%s", folder);
    r->packet = av_packet_alloc();
    if (n < 0 || (size_t)n >= sizeof(r->folder) || !r->packet) {
        recorder_free(r);
        return okno_fail(err, OKNO_TOO_LARGE, "folder name longer than 767 bytes, or no memory");
    }
    *ret_recorder = r;
    return 0;
}

static void file_close(struct recorder *r)
{
    avcodec_free_context(&r->codec);
    if (r->file)
        (void)avio_closep(&r->file->pb);
    avformat_free_context(r->file);
    r->file = NULL;
}

void recorder_free(struct recorder *recorder)
{
    if (!recorder)
        return;
    file_close(recorder);
    av_packet_free(&recorder->packet);
    free(recorder);
}

/* A codec for every file, so that each stands alone. One thread: the bytes do not depend on the
 * machine, and the cameras are filmed side by side anyway. */
static int codec_open(struct recorder *r, struct okno_err *err)
{
    const AVCodec *x264 = avcodec_find_encoder_by_name("libx264");
    if (!x264)
        return okno_fail(err, OKNO_UNSUPPORTED, "this libavcodec has no libx264 encoder");
    AVCodecContext *c = r->codec = avcodec_alloc_context3(x264);
    if (!c)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the encoder");
    c->width = r->film.width;
    c->height = r->film.height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->time_base = (AVRational){1, r->film.fps};
    c->framerate = (AVRational){r->film.fps, 1};
    c->sample_aspect_ratio = (AVRational){1, 1};
    c->color_range = AVCOL_RANGE_MPEG;
    c->colorspace = AVCOL_SPC_BT709;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->gop_size = GOP_SECONDS * r->film.fps;
    c->keyint_min = c->gop_size;
    c->max_b_frames = r->film.b_frames;
    c->thread_count = 1;
    c->flags = (int)(AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP);
    int e = av_opt_set(c->priv_data, "preset", r->film.preset, 0);
    if (e < 0)
        return fail_av(err, e, "preset not known");
    (void)av_opt_set_int(c->priv_data, "qp", r->film.quality, 0);
    (void)av_opt_set(c->priv_data, "x264-params",
                     "scenecut=0:open-gop=0:sliced-threads=0:cabac=1:8x8dct=1:deblock=1", 0);
    e = avcodec_open2(c, x264, NULL);
    return e < 0 ? fail_av(err, e, "cannot open the encoder") : 0;
}

static int file_open(struct recorder *r, int64_t wall_ms, struct okno_err *err)
{
    struct okno_civil c;
    char path[1024];
    okno_time_to_civil(wall_ms * OKNO_MS_US, &c);
    (void)snprintf(path, sizeof(path), "%s/%04d-%02d-%02d", r->folder, c.year, c.month, c.day);
    int e = scene_mkdir(path, err);
    if (e < 0)
        return e;
    (void)snprintf(path, sizeof(path), "%s/%04d-%02d-%02d/%02d-%02d-%02d.mp4", r->folder, c.year,
                   c.month, c.day, c.hour, c.minute, c.second);
    e = codec_open(r, err);
    if (e < 0)
        return e;
    e = avformat_alloc_output_context2(&r->file, NULL, "mp4", path);
    if (e < 0)
        return fail_av(err, e, path);
    r->file->flags |= AVFMT_FLAG_BITEXACT;
    AVStream *stream = avformat_new_stream(r->file, NULL);
    if (!stream || avcodec_parameters_from_context(stream->codecpar, r->codec) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %s", path);
    stream->time_base = r->codec->time_base;
    stream->avg_frame_rate = r->codec->framerate;
    e = avio_open(&r->file->pb, path, AVIO_FLAG_WRITE);
    if (e < 0)
        return fail_av(err, e, path);
    AVDictionary *options = NULL;
    if (r->index_first)
        (void)av_dict_set(&options, "movflags", "faststart", 0);
    e = avformat_write_header(r->file, &options);
    av_dict_free(&options);
    r->frames = 0;
    return e < 0 ? fail_av(err, e, path) : 0;
}

static int encode(struct recorder *r, AVFrame *frame, struct okno_err *err)
{
    int e = avcodec_send_frame(r->codec, frame);
    while (e >= 0) {
        e = avcodec_receive_packet(r->codec, r->packet);
        if (e == AVERROR(EAGAIN) || e == AVERROR_EOF)
            return 0;
        if (e < 0)
            break;
        r->packet->duration = 1;
        av_packet_rescale_ts(r->packet, r->codec->time_base, r->file->streams[0]->time_base);
        r->packet->stream_index = 0;
        e = av_interleaved_write_frame(r->file, r->packet);
    }
    return fail_av(err, e, "cannot record a frame");
}

int recorder_cut(struct recorder *recorder, struct okno_err *err)
{
    if (!recorder->file)
        return 0;
    int e = encode(recorder, NULL, err);
    if (e == 0) {
        int w = av_write_trailer(recorder->file);
        if (w >= 0)
            w = avio_closep(&recorder->file->pb);
        e = w < 0 ? fail_av(err, w, "cannot finish a recording") : 0;
    }
    file_close(recorder);
    return e;
}

int recorder_add(struct recorder *recorder, AVFrame *frame, int64_t wall_ms, struct okno_err *err)
{
    int e = 0;
    if (recorder->file && wall_ms / FILE_MS != recorder->minute)
        e = recorder_cut(recorder, err);
    if (e == 0 && !recorder->file)
        e = file_open(recorder, wall_ms, err);
    if (e < 0)
        return e;
    recorder->minute = wall_ms / FILE_MS;
    frame->pts = recorder->frames++;
    return encode(recorder, frame, err);
}

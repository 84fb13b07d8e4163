#define _POSIX_C_SOURCE 200809L
#include "reader.h"

#include "order.h"
#include "rtp.h"
#include "seek.h"

#include <string.h>

enum {
    PROBE_BYTES = 4 * 1024 * 1024,
    ANALYZE_US = 3 * 1000 * 1000,
    MAX_STREAMS = 16,
    FIRST_FRAMES = 64, /* looked at for the earliest presentation time */
    INDEX_MARGIN = 64, /* the heads of the boxes behind it */
    SHORT_INDEX = 64 * 1024 * 1024,
    /* Its header and the frames by which the demuxer learns how they are ordered, in one request.
     */
    MATROSKA_HEAD = 256 * 1024,
};

/* Only demuxers that read one file and follow no reference to another. */
static const char *const formats[] = {"mov", "mp4", "matroska", "mpegts", "avi", "mpeg", "dhav"};
static const char *const sound_formats[] = {"wav", "mp3", "ogg"};

static const char codecs[] =
    "h264,hevc,mpeg4,mjpeg,mpeg1video,mpeg2video,vp8,vp9,libvpx,"
    "libvpx-vp9,av1,libdav1d,libaom-av1,aac,mp2,mp2float,mp3,mp3float,"
    "ac3,opus,libopus,vorbis,pcm_alaw,pcm_mulaw,pcm_s16le,adpcm_g726,"
    "adpcm_g726le";

const char *media_reader_name(const struct media_reader *reader)
{
    return reader->name ? reader->name : "the recording";
}

static int refuse_open(AVFormatContext *format, AVIOContext **avio, const char *url, int flags,
                       AVDictionary **options)
{
    (void)format;
    (void)url;
    (void)flags;
    (void)options;
    *avio = NULL;
    return AVERROR(EPERM);
}

/* The transport's own error when there is one: a stalled archive is not a bad recording. */
int media_reader_fail(const struct media_reader *reader, int averror, const char *what,
                      struct okno_err *err)
{
    const struct okno_err *io = media_io_error(reader->io);
    if (io)
        return okno_fail(err, io->code, "%s: %s", media_reader_name(reader),
                         io->text[0] ? io->text : "reading failed");
    return media_fail(err, OKNO_MEDIA, averror, "%s: %s", media_reader_name(reader), what);
}

static int format_find(const char *name, bool sounds, const AVInputFormat **ret_format,
                       struct okno_err *err)
{
    for (size_t i = 0; sounds && i < OKNO_COUNT(sound_formats); i++) {
        const AVInputFormat *found =
            strcmp(name, sound_formats[i]) == 0 ? av_find_input_format(name) : NULL;
        if (found) {
            *ret_format = found;
            return 0;
        }
    }
    for (size_t i = 0; i < OKNO_COUNT(formats); i++) {
        const AVInputFormat *found =
            strcmp(name, formats[i]) == 0 ? av_find_input_format(name) : NULL;
        if (found) {
            *ret_format = found;
            return 0;
        }
    }
    if (strcmp(name, MEDIA_RTP) == 0 && (*ret_format = av_find_input_format("sdp")))
        return 0;
    return okno_fail(err, OKNO_UNSUPPORTED,
                     "recordings of format \"%s\" are not read; supported are mov, matroska, "
                     "mpegts, avi and mpeg",
                     name);
}

/* What stands between the bytes and the demuxer, and what that is told. */
static int format_prepare(struct media_reader *reader, const char *name, AVFormatContext *format,
                          AVDictionary **options, struct okno_err *err)
{
    format->pb = media_io_context(reader->io);
    /* The demuxer moves the first frame behind a cut onto time 0, which then is off by up to a
     * frame: where time 0 is what counts, the frames before the cut are taken with their times. */
    if (reader->from_zero && av_dict_set(options, "advanced_editlist", "0", 0) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    if (strcmp(name, MEDIA_RTP) != 0)
        return 0;
    media_rtp_free(reader->rtp);
    reader->rtp = NULL;
    int rc = media_rtp_new(format->pb, &reader->rtp, err);
    if (rc < 0)
        return rc;
    format->pb = media_rtp_context(reader->rtp);
    return media_rtp_options(options) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording")
               : 0;
}

/* Takes the format and frees it when it cannot be opened. */
static int format_open(struct media_reader *reader, const AVInputFormat *input,
                       AVFormatContext *format, AVDictionary **options, struct okno_err *err)
{
    format->flags |= AVFMT_FLAG_CUSTOM_IO;
    format->io_open = refuse_open;
    format->protocol_whitelist = av_strdup("");
    format->format_whitelist = av_strdup(input->name);
    format->codec_whitelist = av_strdup(codecs);
    format->probesize = PROBE_BYTES;
    format->max_analyze_duration = ANALYZE_US;
    format->max_streams = MAX_STREAMS;
    if (reader->boxes.first_at) /* fragments are found here; the demuxer would visit each of them */
        format->flags |= AVFMT_FLAG_IGNIDX;
    int rc = format->protocol_whitelist && format->format_whitelist && format->codec_whitelist
                 ? avformat_open_input(&format, "", input, options)
                 : AVERROR(ENOMEM);
    if (rc < 0) {
        avformat_free_context(format); /* NULL already when the opening failed */
        return media_reader_fail(reader, rc, "not a readable recording", err);
    }
    reader->format = format;
    return 0;
}

int media_format_open(struct media_reader *reader, const char *name, struct okno_err *err)
{
    const AVInputFormat *input = NULL;
    AVDictionary *options = NULL;
    int rc = format_find(name, reader->sounds, &input, err);
    if (rc < 0)
        return rc;
    AVFormatContext *format = avformat_alloc_context();
    if (!format)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    rc = format_prepare(reader, name, format, &options, err);
    if (rc < 0)
        avformat_free_context(format);
    else
        rc = format_open(reader, input, format, &options, err);
    av_dict_free(&options);
    if (rc == 0 && reader->rtp)
        media_rtp_start(reader->rtp);
    return rc;
}

/* An MP4's index says everything; the others must look at packets. */
bool media_is_mov(const struct media_reader *reader)
{
    return strncmp(reader->format->iformat->name, "mov", 3) == 0;
}

/* Whether the index alone describes the video, so that no packet must be looked at. */
static bool is_described(const struct media_reader *reader)
{
    const AVFormatContext *format = reader->format;
    bool described = media_is_mov(reader);
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *codec = format->streams[i]->codecpar;
        described = described && (codec->codec_type != AVMEDIA_TYPE_VIDEO || codec->width > 0);
    }
    return described;
}

int media_streams_choose(struct media_reader *reader, struct okno_err *err)
{
    AVFormatContext *format = reader->format;
    bool audio = reader->wants_audio;
    reader->video = reader->audio = NULL;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        enum AVMediaType type = stream->codecpar->codec_type;
        bool picture = stream->disposition & AV_DISPOSITION_ATTACHED_PIC;
        if (type == AVMEDIA_TYPE_VIDEO && !picture && !reader->video)
            reader->video = stream;
        else if (type == AVMEDIA_TYPE_AUDIO && audio && !reader->audio)
            reader->audio = stream;
        else
            stream->discard = AVDISCARD_ALL;
    }
    if (!reader->video)
        return media_reader_fail(reader, 0, "no video in it", err);
    AVCodecParameters *codec = reader->video->codecpar;
    if (codec->width <=
        0) { /* opened anew elsewhere: an MP4's index tells no size of MPEG-4 part 2 */
        codec->width = reader->width;
        codec->height = reader->height;
    }
    if (codec->width <= 0 || codec->height <= 0)
        return media_reader_fail(reader, 0, "the picture's size cannot be found", err);
    if (codec->width > MEDIA_MAX_SIDE || codec->height > MEDIA_MAX_SIDE)
        return okno_fail(err, OKNO_TOO_LARGE, "%s: a picture of %dx%d; at most %d a side",
                         media_reader_name(reader), codec->width, codec->height, MEDIA_MAX_SIDE);
    reader->width = codec->width;
    reader->height = codec->height;
    return 0;
}

static int64_t ticks_us(const AVStream *stream, int64_t ticks)
{
    return av_rescale_q(ticks, stream->time_base, AV_TIME_BASE_Q);
}

/* The usual interval: from the index where there is one, else as the container says. */
static int64_t frame_interval(const struct media_reader *reader)
{
    AVStream *video = reader->video;
    int count = avformat_index_get_entries_count(video);
    if (media_is_mov(reader) && count > 1) {
        const AVIndexEntry *first = avformat_index_get_entry(video, 0);
        const AVIndexEntry *last = avformat_index_get_entry(video, count - 1);
        int64_t span = ticks_us(video, last->timestamp - first->timestamp);
        int64_t frame = av_rescale(span, 1, count - 1);
        if (frame > 0)
            return frame;
    }
    AVRational rate = video->avg_frame_rate.num > 0 ? video->avg_frame_rate : video->r_frame_rate;
    if (rate.num > 0 && rate.den > 0 && av_q2d(rate) > 0.01 && av_q2d(rate) < 1000)
        return av_rescale(AV_TIME_BASE, rate.den, rate.num);
    return AV_TIME_BASE / 25;
}

/* Presentation time of the first frame: no later frame is earlier once a dts has reached it. */
static int find_first(struct media_reader *reader, struct okno_err *err)
{
    if (media_is_mov(reader) && reader->video->start_time != AV_NOPTS_VALUE) {
        reader->first_pts = reader->video->start_time;
        return 0;
    }
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    int64_t first = AV_NOPTS_VALUE;
    int rc = 1;
    for (int i = 0; i < FIRST_FRAMES && (rc = media_reader_next(reader, packet, err)) > 0;) {
        if (media_is_video(reader, packet)) {
            i++;
            if (first == AV_NOPTS_VALUE || packet->pts < first)
                first = packet->pts;
            if (packet->dts >= first)
                i = FIRST_FRAMES;
        }
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    if (rc < 0)
        return rc;
    if (first == AV_NOPTS_VALUE)
        return media_reader_fail(reader, 0, "no frame in it", err);
    reader->first_pts = first;
    return 0;
}

/* A failure of the transport reads the same from here as from the demuxer. */
static int boxes_open(struct media_reader *reader, struct okno_err *err)
{
    struct okno_err trouble = {0};
    bool mov = strcmp(reader->format_name, "mov") == 0 || strcmp(reader->format_name, "mp4") == 0;
    int rc = mov ? media_boxes_look(reader->source, &reader->boxes, &trouble) : 0;
    return rc < 0 ? okno_fail(err, rc, "%s: %s", media_reader_name(reader), trouble.text) : 0;
}

/* Whether the file has fragments that can be found by time. */
static void pieces_prepare(struct media_reader *reader)
{
    struct media_fragment first = {0};
    struct media_boxes *boxes = &reader->boxes;
    if (!boxes->first_at || avformat_index_get_entries_count(reader->video) < 1)
        return;
    boxes->track = (uint32_t)reader->video->id;
    if (media_boxes_first(boxes, &first, NULL) <= 0)
        return;
    reader->time0 = first.time;
    reader->dts0 = avformat_index_get_entry(reader->video, 0)->timestamp;
    reader->in_pieces = true;
}

/* With all of its index. */
static int whole_open(struct media_reader *reader, struct okno_err *err)
{
    int rc = media_io_new(reader->source, &reader->io, err);
    const struct media_boxes *boxes = &reader->boxes;
    if (rc == 0 && boxes->moov_end)
        media_io_plan_index(reader->io, boxes->moov_at, boxes->moov_end + INDEX_MARGIN);
    if (rc == 0 && strcmp(reader->format_name, "matroska") == 0)
        media_io_plan_index(reader->io, 0, MATROSKA_HEAD);
    if (rc == 0 && boxes->first_at - boxes->moov_end >= MEDIA_HOLE_MIN)
        media_io_hole(reader->io, boxes->moov_end,
                      boxes->first_at); /* over its list of fragments */
    return rc < 0 ? rc : media_format_open(reader, reader->format_name, err);
}

/* With the first frame's, where the index is long. */
static int format_begin(struct media_reader *reader, struct okno_err *err)
{
    const struct media_boxes *boxes = &reader->boxes;
    int64_t frames = 0;
    int64_t span_us = 0;
    reader->moov.max = SHORT_INDEX;
    int rc = boxes->moov_end && !boxes->first_at
                 ? media_slices_open(boxes, reader->wants_audio, &reader->slices, NULL)
                 : 0;
    if (rc <= 0)
        return whole_open(reader, err);
    struct okno_err trouble = {0};
    rc = media_slices_length(reader->slices, &frames, &span_us, &trouble);
    if (rc < 0)
        return okno_fail(err, rc, "%s: %s", media_reader_name(reader), trouble.text);
    if (frames <= 0)
        return media_reader_fail(reader, 0, "its index promises frames that are not there", err);
    reader->span_us = span_us;
    reader->frame_us = span_us / frames;
    return media_slices_apply(reader, 0, 0, err);
}

int media_streams_learn(struct media_reader *reader, struct okno_err *err)
{
    int rc = is_described(reader) ? 0 : avformat_find_stream_info(reader->format, NULL);
    if (rc < 0 || media_io_error(reader->io))
        return media_reader_fail(reader, rc, "not a readable recording", err);
    return media_streams_choose(reader, err);
}

static int reader_prepare(struct media_reader *reader, struct okno_err *err)
{
    int rc = boxes_open(reader, err);
    if (rc == 0)
        rc = format_begin(reader, err);
    if (rc == 0)
        rc = media_streams_learn(reader, err);
    if (rc < 0)
        return rc;
    if (reader->frame_us <= 0)
        reader->frame_us = frame_interval(reader);
    pieces_prepare(reader);
    if (strcmp(reader->format->iformat->name, "mpeg") == 0)
        reader->order = media_order_new(reader->video->codecpar);
    return find_first(reader, err);
}

int media_reader_open(const struct okno_media_input *input, bool audio,
                      struct media_reader **ret_reader, struct okno_err *err)
{
    media_log_begin();
    OKNO_AUTO(media_reader) *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    reader->name = input->name;
    reader->source = input->source;
    reader->format_name = input->format;
    reader->wants_audio = audio;
    reader->from_us = input->from_us;
    reader->from_zero = input->from_zero;
    reader->span_us = -1;
    reader->last_dts = AV_NOPTS_VALUE;
    int rc = reader_prepare(reader, err);
    if (rc < 0)
        return rc;
    if (input->from_zero)
        reader->from_us += ticks_us(reader->video, reader->first_pts);
    *ret_reader = okno_mem_take(&reader);
    return 0;
}

void media_reader_close(struct media_reader *reader)
{
    if (!reader)
        return;
    avformat_close_input(&reader->format);
    media_rtp_free(reader->rtp);
    media_order_free(reader->order);
    media_io_free(reader->io);
    media_boxes_clear(&reader->boxes);
    media_slices_close(reader->slices);
    okno_buf_free(&reader->moov);
    free(reader);
}

int64_t media_reader_us(const struct media_reader *reader, const AVStream *stream, int64_t stamp)
{
    if (stream == reader->video)
        return reader->from_us + ticks_us(stream, stamp - reader->first_pts);
    return reader->from_us + ticks_us(stream, stamp) - ticks_us(reader->video, reader->first_pts);
}

static bool is_avi(const struct media_reader *reader)
{
    return strcmp(reader->format->iformat->name, "avi") == 0;
}

/* An AVI's frames are counted. After a jump the demuxer counts the empty chunks (dropped frames)
 * between where it landed and the frame that it means; the index knows the first one by its place.
 * What it adds to the index later on is counted the same way. */
static void avi_stamp(struct media_reader *reader, AVPacket *packet)
{
    enum { CHUNK_HEAD = 8 };
    int i = reader->placed ? -1
                           : av_index_search_timestamp(reader->video, packet->dts,
                                                       AVSEEK_FLAG_BACKWARD | AVSEEK_FLAG_ANY);
    const AVIndexEntry *entry = avformat_index_get_entry(reader->video, i);
    while (entry && entry->pos + CHUNK_HEAD > packet->pos)
        entry = avformat_index_get_entry(reader->video, --i);
    reader->placed |= entry && entry->pos + CHUNK_HEAD == packet->pos;
    if (entry && reader->placed)
        reader->late = packet->dts - entry->timestamp;
    packet->dts -= reader->late;
    if (packet->pts != AV_NOPTS_VALUE)
        packet->pts -= reader->late;
}

/* Fill in what the container left out: MKV has no decode times after a jump, AVI no presentation
 * times. */
static int stamp_packet(struct media_reader *reader, AVPacket *packet, struct okno_err *err)
{
    if (packet->size < 0 || packet->size > MEDIA_MAX_PACKET)
        return okno_fail(err, OKNO_TOO_LARGE, "%s: a frame of %d bytes; at most %d",
                         media_reader_name(reader), packet->size, MEDIA_MAX_PACKET);
    bool video = media_is_video(reader, packet);
    const AVStream *stream = reader->format->streams[packet->stream_index];
    int64_t frame = av_rescale_q(reader->frame_us, AV_TIME_BASE_Q, stream->time_base);
    if (video && is_avi(reader) && packet->dts != AV_NOPTS_VALUE)
        avi_stamp(reader, packet);
    if (video && reader->order)
        media_order_stamp(reader->order, packet, reader->last_dts, frame);
    if (packet->pts == AV_NOPTS_VALUE)
        packet->pts = packet->dts;
    if (packet->dts == AV_NOPTS_VALUE && packet->pts != AV_NOPTS_VALUE) {
        packet->dts = packet->pts - (video ? frame * (stream->codecpar->video_delay + 1) : 0);
        if (video && reader->last_dts != AV_NOPTS_VALUE && packet->dts <= reader->last_dts &&
            reader->last_dts < packet->pts)
            packet->dts = reader->last_dts + 1;
    }
    if (packet->pts != AV_NOPTS_VALUE && video)
        reader->last_dts = packet->dts;
    return packet->pts != AV_NOPTS_VALUE;
}

int media_reader_next(struct media_reader *reader, AVPacket *packet, struct okno_err *err)
{
    while (!reader->broken) {
        int rc = av_read_frame(reader->format, packet);
        if (media_io_error(reader->io) || rc == AVERROR(ENOMEM)) {
            av_packet_unref(packet);
            return media_reader_fail(reader, rc, "reading failed", err);
        }
        if (rc == AVERROR_EOF)
            return 0;
        bool torn = rc == 0 && (media_is_mov(reader) || is_avi(reader)) &&
                    (packet->flags & AV_PKT_FLAG_CORRUPT);
        if (rc < 0 || torn) {
            av_packet_unref(packet);
            reader->broken = true; /* what came before is good */
            return 0;
        }
        bool ours = media_is_video(reader, packet) ||
                    (reader->audio && packet->stream_index == reader->audio->index);
        if (strcmp(reader->format->iformat->name, "dhav") == 0)
            packet->duration = 0; /* the demuxer says 1 ms of whatever it reads */
        if (reader->rtp)
            media_rtp_stamp(reader->rtp, packet);
        rc = ours ? stamp_packet(reader, packet, err) : 0;
        if (rc != 0)
            return rc;
        av_packet_unref(packet);
    }
    return 0;
}

/* An MP4's last sample that lies inside the file: the index of a cut file promises more. */
static int64_t mov_span(const struct media_reader *reader)
{
    AVStream *video = reader->video;
    int count = avformat_index_get_entries_count(video);
    int64_t size = avio_size(reader->format->pb);
    for (int i = count - 1; i >= 0; i--) {
        const AVIndexEntry *last = avformat_index_get_entry(video, i);
        if (last->pos + last->size > size)
            continue;
        const AVIndexEntry *first = avformat_index_get_entry(video, 0);
        return ticks_us(video, last->timestamp - first->timestamp) + reader->frame_us;
    }
    return 0;
}

/* Read what follows at_us to the end; *span is the largest end of a frame. */
static int tail_span(struct media_reader *reader, int64_t at_us, int64_t *span,
                     struct okno_err *err)
{
    int rc = media_reader_seek(reader, at_us, err);
    AVPacket *packet = rc < 0 ? NULL : av_packet_alloc();
    if (!packet)
        return rc < 0 ? rc : okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    if (!reader->rtp)
        media_io_plan(reader->io, avio_tell(reader->format->pb), reader->source->size);
    for (int i = 0; (rc = media_reader_next(reader, packet, err)) > 0; av_packet_unref(packet)) {
        if (!media_is_video(reader, packet))
            continue;
        int64_t end = ticks_us(reader->video, packet->pts - reader->first_pts) + reader->frame_us;
        *span = end > *span ? end : *span;
        if (++i > MEDIA_MAX_FRAMES)
            break;
    }
    av_packet_free(&packet);
    return rc < 0 ? rc : 0;
}

/* The end of the last fragment's last whole frame. */
static int pieces_span(struct media_reader *reader, int64_t *ret_span_us, struct okno_err *err)
{
    int rc = media_pieces_seek(reader, INT64_MAX / 8, 0, err);
    if (rc < 0)
        return rc;
    AVStream *video = reader->video;
    int count = avformat_index_get_entries_count(video);
    for (int i = count - 1; i >= 0; i--) {
        const AVIndexEntry *last = avformat_index_get_entry(video, i);
        if (last->pos + last->size > reader->source->size)
            continue;
        *ret_span_us = ticks_us(video, last->timestamp - reader->dts0) + reader->frame_us;
        break;
    }
    return 0;
}

/* By the packets at the end: the last second of them, more where no picture is among these, all
 * where the container lied about its length. */
static int packets_span(struct media_reader *reader, int64_t *ret_span_us, struct okno_err *err)
{
    static const int64_t tails_us[] = {1 * AV_TIME_BASE, 5 * AV_TIME_BASE, INT64_MAX};
    int64_t whole_us = reader->format->duration;
    int rc = 0;
    *ret_span_us = 0;
    for (size_t i = 0; rc == 0 && *ret_span_us == 0 && i < OKNO_COUNT(tails_us); i++) {
        int64_t tail_us = tails_us[i] < whole_us ? whole_us - tails_us[i] : 0;
        rc = tail_span(reader, reader->from_us + tail_us, ret_span_us, err);
        if (tail_us == 0)
            break;
    }
    return rc;
}

int media_reader_end(struct media_reader *reader, int64_t *ret_end_us, struct okno_err *err)
{
    if (reader->span_us < 0 && reader->in_pieces) {
        int64_t span_us = 0;
        int rc = pieces_span(reader, &span_us, err);
        if (rc < 0)
            return rc;
        reader->span_us = span_us > 0 ? span_us : -1; /* else ask the packets */
    }
    if (reader->span_us < 0) {
        int64_t span_us = 0;
        bool indexed = media_is_mov(reader) &&
                       avformat_index_get_entries_count(reader->video) > 1 &&
                       reader->video->nb_frames > 0;
        int rc = 0;
        if (indexed)
            span_us = mov_span(reader);
        else
            rc = packets_span(reader, &span_us, err);
        if (rc < 0)
            return rc;
        reader->span_us = span_us;
    }
    *ret_end_us = reader->from_us + reader->span_us;
    return 0;
}

void media_packets_clear(struct media_packet_vec *packets)
{
    for (size_t i = 0; i < packets->len; i++)
        av_packet_free(&packets->items[i]);
    packets->len = 0;
}

void media_packets_free(struct media_packet_vec *packets)
{
    media_packets_clear(packets);
    media_packet_vec_free(packets);
}

int media_packets_move(struct media_packet_vec *packets, AVPacket *packet, struct okno_err *err)
{
    AVPacket *kept = av_packet_alloc();
    if (!kept || media_packet_vec_push(packets, kept) < 0) {
        av_packet_free(&kept);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame");
    }
    av_packet_move_ref(kept, packet);
    return 0;
}

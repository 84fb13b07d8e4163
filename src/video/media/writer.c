#define _POSIX_C_SOURCE 200809L
#include "writer.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <string.h>
#include <unistd.h>

static int write_fail(struct media_writer *writer, int averror, const char *what,
                      struct okno_err *err)
{
    int number = writer->file ? media_file_errno(writer->file) : 0;
    if (number)
        return okno_fail_errno(err, number, "cannot write the clip");
    return media_fail(err, OKNO_MEDIA, averror, "%s", what);
}

/* The muxer reads back what it wrote to move the index; it gets our own descriptor, never a path.
 */
static int reopen(AVFormatContext *format, AVIOContext **avio, const char *url, int flags,
                  AVDictionary **options)
{
    (void)url;
    (void)options;
    struct media_writer *writer = format->opaque;
    struct media_file *file = NULL;
    if (flags & AVIO_FLAG_WRITE)
        return AVERROR(EPERM);
    if (media_file_new(writer->fd, false, &file, NULL) < 0)
        return AVERROR(ENOMEM);
    *avio = media_file_context(file);
    return 0;
}

static int reclose(AVFormatContext *format, AVIOContext *avio)
{
    (void)format;
    if (avio)
        media_file_free(avio->opaque);
    return 0;
}

static int stream_add(struct media_writer *writer, const AVStream *from, AVStream **ret_stream,
                      struct okno_err *err)
{
    AVStream *stream = avformat_new_stream(writer->format, NULL);
    if (!stream || avcodec_parameters_copy(stream->codecpar, from->codecpar) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    stream->codecpar->codec_tag =
        from->codecpar->codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
    stream->codecpar->bit_rate = 0; /* the recording's; the clip has its own */
    stream->time_base = from->time_base;
    stream->avg_frame_rate = from->avg_frame_rate;
    stream->sample_aspect_ratio = from->sample_aspect_ratio;
    size_t size = 0;
    const uint8_t *matrix = av_stream_get_side_data(from, AV_PKT_DATA_DISPLAYMATRIX, &size);
    uint8_t *copy =
        matrix ? av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, size) : NULL;
    if (copy)
        memcpy(copy, matrix, size);
    *ret_stream = stream;
    return 0;
}

static bool mp4_holds(const AVStream *stream)
{
    const AVOutputFormat *mp4 = av_guess_format("mp4", NULL, NULL);
    enum AVCodecID id = stream->codecpar->codec_id;
    return mp4 && avformat_query_codec(mp4, id, FF_COMPLIANCE_NORMAL) == 1;
}

static int streams_add(struct media_writer *writer, const struct media_reader *first,
                       struct okno_err *err)
{
    const char *codec = avcodec_get_name(first->video->codecpar->codec_id);
    if (!mp4_holds(first->video))
        return okno_fail(err, OKNO_UNSUPPORTED, "video codec %s cannot be put into an MP4 as it is",
                         codec);
    int rc = stream_add(writer, first->video, &writer->video, err);
    if (rc == 0 && first->audio && mp4_holds(first->audio))
        rc = stream_add(writer, first->audio, &writer->audio, err);
    return rc;
}

static int writer_prepare(struct media_writer *writer, const struct media_reader *first,
                          struct okno_err *err)
{
    int rc = media_file_new(writer->fd, true, &writer->file, err);
    if (rc < 0)
        return rc;
    rc = avformat_alloc_output_context2(&writer->format, NULL, "mp4", "clip.mp4");
    if (rc < 0)
        return write_fail(writer, rc, "cannot write an MP4", err);
    writer->format->pb = media_file_context(writer->file);
    writer->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    writer->format->opaque = writer;
    writer->format->io_open = reopen;
    writer->format->io_close2 = reclose;
    rc = streams_add(writer, first, err);
    if (rc < 0)
        return rc;
    AVDictionary *options = NULL;
    rc = av_dict_set(&options, "movflags", "+faststart", 0);
    if (rc >= 0)
        rc = avformat_write_header(writer->format, &options);
    av_dict_free(&options);
    return rc < 0 ? write_fail(writer, rc, "cannot write an MP4", err) : 0;
}

/* The clock time of a recording's stamp 0. */
static int64_t zero_us(const struct media_reader *reader)
{
    return reader->from_us -
           av_rescale_q(reader->first_pts, reader->video->time_base, AV_TIME_BASE_Q);
}

int media_writer_open(int fd, const struct media_reader *first, const AVPacket *base,
                      struct media_writer **ret_writer, struct okno_err *err)
{
    OKNO_AUTO(media_writer) *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    writer->fd = fd;
    writer->zero_us = zero_us(first);
    writer->last_dts[0] = writer->last_dts[1] = INT64_MIN;
    int rc = writer_prepare(writer, first, err);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < writer->format->nb_streams; i++)
        writer->base[i] =
            av_rescale_q(base->pts, first->video->time_base, writer->format->streams[i]->time_base);
    *ret_writer = okno_mem_take(&writer);
    return 0;
}

void media_writer_close(struct media_writer *writer)
{
    if (!writer)
        return;
    avformat_free_context(writer->format);
    media_file_free(writer->file);
    free(writer);
}

int media_writer_accepts(const struct media_writer *writer, const struct media_reader *reader,
                         struct okno_err *err)
{
    const AVCodecParameters *ours = writer->video->codecpar;
    const AVCodecParameters *theirs = reader->video->codecpar;
    const char *name = reader->name ? reader->name : "the recording";
    if (ours->codec_id != theirs->codec_id)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the codec changes from %s to %s at %s; ask for either side of it",
                         avcodec_get_name(ours->codec_id), avcodec_get_name(theirs->codec_id),
                         name);
    if (ours->width != theirs->width || ours->height != theirs->height)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the picture changes from %dx%d to %dx%d at %s; ask for either side of it",
                         ours->width, ours->height, theirs->width, theirs->height, name);
    if (ours->extradata_size != theirs->extradata_size ||
        (ours->extradata_size > 0 &&
         memcmp(ours->extradata, theirs->extradata, (size_t)ours->extradata_size) != 0))
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the encoder's parameters change at %s; ask for either side of it", name);
    return 0;
}

/* A recorder that changes resolution inside a file announces it on a packet. */
static int check_parameters(const struct media_reader *reader, const AVPacket *packet,
                            struct okno_err *err)
{
    size_t size = 0;
    const AVCodecParameters *codec = reader->video->codecpar;
    const uint8_t *fresh = av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
    if (!fresh || !media_is_video(reader, packet) ||
        (size == (size_t)codec->extradata_size && memcmp(fresh, codec->extradata, size) == 0))
        return 0;
    return okno_fail(err, OKNO_UNSUPPORTED,
                     "the encoder's parameters change inside %s; ask for either side of it",
                     reader->name ? reader->name : "the recording");
}

static int64_t shifted(int64_t stamp, const AVStream *from, const AVStream *to, int64_t by)
{
    return av_rescale_q(stamp, from->time_base, to->time_base) + by;
}

int media_writer_write(struct media_writer *writer, const struct media_reader *reader,
                       AVPacket *packet, struct okno_err *err)
{
    bool video = media_is_video(reader, packet);
    AVStream *to = video ? writer->video : writer->audio;
    const AVStream *from = video ? reader->video : reader->audio;
    int rc = check_parameters(reader, packet, err);
    if (rc < 0 || !to) {
        av_packet_unref(packet);
        return rc;
    }
    /* Rounded once per recording, so that the distances between its frames stay exact. */
    int64_t by = av_rescale_q(zero_us(reader) - writer->zero_us, AV_TIME_BASE_Q, to->time_base) -
                 writer->base[to->index];
    packet->pts = shifted(packet->pts, from, to, by);
    packet->dts = shifted(packet->dts, from, to, by);
    packet->duration = av_rescale_q(packet->duration, from->time_base, to->time_base);
    packet->pos = -1;
    packet->stream_index = to->index;
    int64_t *last = &writer->last_dts[to->index];
    if (packet->dts <= *last) /* only at a border, where two files meet within a tick */
        packet->dts = *last + 1;
    if (packet->pts < packet->dts)
        packet->pts = packet->dts;
    *last = packet->dts;
    rc = av_interleaved_write_frame(writer->format, packet);
    return rc < 0 ? write_fail(writer, rc, "a frame does not fit into an MP4", err) : 0;
}

int media_writer_finish(struct media_writer *writer, struct okno_err *err)
{
    int rc = av_write_trailer(writer->format);
    if (rc >= 0) {
        avio_flush(writer->format->pb);
        rc = writer->format->pb->error;
    }
    if (rc < 0 || media_file_errno(writer->file))
        return write_fail(writer, rc, "cannot finish the MP4", err);
    if (fsync(writer->fd) < 0)
        return okno_fail_errno(err, errno, "cannot write the clip");
    return 0;
}

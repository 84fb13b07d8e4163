/* How long a sound or a film plays: by what its packets say, all of them read, none decoded. */
#define _POSIX_C_SOURCE 200809L
#include "inside.h"
#include "reader.h"
#include "seek.h"

enum { PACKETS_MAX = 1000 * 1000 };

/* From the earliest to the end of the latest of what is heard or seen, in AV_TIME_BASE. */
struct extent {
    int64_t from_us, to_us;
};

static void take_packet(const AVStream *stream, const AVPacket *packet, struct extent *extent)
{
    enum AVMediaType type = stream->codecpar->codec_type;
    int64_t at = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    bool picture = stream->disposition & AV_DISPOSITION_ATTACHED_PIC;
    if (at == AV_NOPTS_VALUE || picture ||
        (type != AVMEDIA_TYPE_AUDIO && type != AVMEDIA_TYPE_VIDEO))
        return;
    int64_t from_us = av_rescale_q(at, stream->time_base, AV_TIME_BASE_Q);
    int64_t to_us = av_rescale_q(at + packet->duration, stream->time_base, AV_TIME_BASE_Q);
    AVRational rate = stream->avg_frame_rate;
    if (packet->duration <= 0 && rate.num > 0 && rate.den > 0)
        to_us = from_us + av_rescale(AV_TIME_BASE, rate.den, rate.num);
    extent->from_us = from_us < extent->from_us ? from_us : extent->from_us;
    extent->to_us = to_us > extent->to_us ? to_us : extent->to_us;
}

static int read_all(struct media_reader *reader, struct extent *extent, struct okno_err *err)
{
    AVPacket *packet = av_packet_alloc();
    int rc = packet ? 0 : AVERROR(ENOMEM);
    for (int i = 0; rc >= 0 && i < PACKETS_MAX; i++) {
        rc = av_read_frame(reader->format, packet);
        if (rc >= 0)
            take_packet(reader->format->streams[packet->stream_index], packet, extent);
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    if (rc != AVERROR_EOF || media_io_error(reader->io))
        return media_reader_fail(reader, rc, "it does not end as it should", err);
    return 0;
}

int media_length(struct okno_source *source, const char *format, struct okno_media_info *ret_info,
                 struct okno_err *err)
{
    OKNO_AUTO(media_reader) *reader = calloc(1, sizeof(*reader));
    struct extent extent = {INT64_MAX, INT64_MIN};
    media_log_begin();
    if (!reader)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    reader->name = "the file";
    reader->source = source;
    reader->sounds = true;
    int rc = media_io_new(source, &reader->io, err);
    if (rc == 0)
        rc = media_format_open(reader, format, err);
    if (rc < 0)
        return rc;
    rc = avformat_find_stream_info(reader->format, NULL);
    if (rc < 0 || media_io_error(reader->io))
        return media_reader_fail(reader, rc, "not a readable file", err);
    rc = read_all(reader, &extent, err);
    if (rc < 0)
        return rc;
    if (extent.to_us <= extent.from_us)
        return okno_fail(err, OKNO_MEDIA, "the file holds nothing that plays");
    *ret_info = (struct okno_media_info){.duration_us = extent.to_us - extent.from_us};
    return 0;
}

#define _POSIX_C_SOURCE 200809L
#include "writer.h"

#include "entry.h"
#include "nal.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    MIN_SCALE = 10000,   /* ticks a second: at borders of recordings times are rounded to them */
    MAX_SCALE = 1000000, /* an hour of them fits into 32 bits */
    MAX_ENTRY_BYTES = 64 * 1024 * 1024,
    HOLD = 16 * 1024 * 1024, /* media data of a usual clip is written once, at its place */
    BLOCK = 1024 * 1024,
    MAX_INDEX = 64 * 1024 * 1024,
    LOOSE_US =
        20 * 1000, /* stamps of raw sound are as exact as that; its samples go on without a hole */
};

/* --- opening ---------------------------------------------------------------------------------- */

static uint32_t scale_of(AVRational base)
{
    int64_t scale = base.den > 0 ? base.den : MIN_SCALE;
    while (scale < MIN_SCALE)
        scale *= 2;
    return scale > MAX_SCALE ? MAX_SCALE : (uint32_t)scale;
}

/* The clock time of a recording's stamp 0. */
static int64_t zero_us(const struct media_reader *reader)
{
    return reader->from_us -
           av_rescale_q(reader->first_pts, reader->video->time_base, AV_TIME_BASE_Q);
}

/* How players turn the picture, and how large it is with square pixels. */
static void track_shape(struct media_track *track, const AVStream *stream)
{
    static const int32_t upright[9] = {1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30};
    const AVCodecParameters *codec = stream->codecpar;
    AVRational aspect = stream->sample_aspect_ratio;
    size_t size = 0;
    const uint8_t *matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    memcpy(track->matrix, size >= sizeof(track->matrix) ? (const void *)matrix : upright,
           sizeof(track->matrix));
    int64_t width = aspect.num > 0 && aspect.den > 0
                        ? av_rescale(codec->width, (int64_t)aspect.num << 16, aspect.den)
                        : (int64_t)codec->width << 16;
    track->width = width > 0 && width <= UINT32_MAX ? (uint32_t)width : 0;
    track->height = (uint32_t)codec->height << 16;
}

static void tracks_prepare(struct media_writer *writer, const struct media_reader *first)
{
    struct media_track *video = &writer->tracks[MEDIA_VIDEO];
    struct media_track *audio = &writer->tracks[MEDIA_AUDIO];
    video->video = true;
    video->timescale = scale_of(first->video->time_base);
    track_shape(video, first->video);
    audio->timescale = first->audio ? scale_of(first->audio->time_base) : MIN_SCALE;
    memcpy(audio->matrix, (int32_t[9]){1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30},
           sizeof(audio->matrix));
    video->entries.max = audio->entries.max = MAX_ENTRY_BYTES;
    writer->source.max = MAX_ENTRY_BYTES;
    writer->converted.max = 2 * (size_t)MEDIA_MAX_PACKET;
    writer->held.max = HOLD + (size_t)2 * MEDIA_MAX_PACKET;
}

static AVRational ticks(const struct media_track *track)
{
    return (AVRational){1, (int)track->timescale};
}

/* The first key frame describes the video; it is written later, with all others. */
static int writer_begin(struct media_writer *writer, const struct media_reader *first,
                        const AVPacket *key, struct okno_err *err)
{
    AVCodecParameters *codec = avcodec_parameters_alloc();
    AVPacket *copy = av_packet_clone(key);
    writer->codecs[MEDIA_VIDEO] = codec;
    int rc = copy && codec && avcodec_parameters_copy(codec, first->video->codecpar) >= 0
                 ? media_writer_convert(writer, first, copy, err)
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    av_packet_free(&copy);
    return rc;
}

int media_writer_open(int fd, const struct media_reader *first, const AVPacket *key,
                      struct media_writer **ret_writer, struct okno_err *err)
{
    const AVCodecParameters *codec = first->video->codecpar;
    if (!media_entry_knows(codec->codec_id) || codec->codec_type != AVMEDIA_TYPE_VIDEO)
        return okno_fail(err, OKNO_UNSUPPORTED, "video codec %s cannot be put into an MP4 as it is",
                         avcodec_get_name(codec->codec_id));
    OKNO_AUTO(media_writer) *writer = calloc(1, sizeof(*writer));
    if (!writer)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    writer->fd = fd;
    writer->zero_us = zero_us(first);
    tracks_prepare(writer, first);
    int rc = writer_begin(writer, first, key, err);
    for (size_t i = 0; i < MEDIA_TRACKS; i++)
        writer->tracks[i].start =
            av_rescale_q(key->pts, first->video->time_base, ticks(&writer->tracks[i]));
    if (rc < 0)
        return rc;
    *ret_writer = okno_mem_take(&writer);
    return 0;
}

void media_writer_close(struct media_writer *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < MEDIA_TRACKS; i++) {
        media_track_clear(&writer->tracks[i]);
        avcodec_parameters_free(&writer->codecs[i]);
    }
    okno_buf_free(&writer->source);
    okno_buf_free(&writer->converted);
    okno_buf_free(&writer->held);
    free(writer);
}

int media_writer_follow(struct media_writer *writer, const struct media_reader *reader,
                        struct okno_err *err)
{
    /* It may lie where the one before it lay, which is closed by now. */
    writer->reader = writer->heard = NULL;
    enum AVCodecID ours = writer->codecs[MEDIA_VIDEO]->codec_id;
    enum AVCodecID theirs = reader->video->codecpar->codec_id;
    if (ours == theirs)
        return 0;
    return okno_fail(err, OKNO_UNSUPPORTED,
                     "the codec changes from %s to %s at %s; ask for either side of it",
                     avcodec_get_name(ours), avcodec_get_name(theirs),
                     reader->name ? reader->name : "the recording");
}

/* --- media data ------------------------------------------------------------------------------- */

static int put_at(const struct media_writer *writer, const void *bytes, size_t len, int64_t at,
                  struct okno_err *err)
{
    const uint8_t *from = bytes;
    while (len > 0) {
        ssize_t put = pwrite(writer->fd, from, len, (off_t)at);
        if (put < 0 && errno != EINTR)
            return okno_fail_errno(err, errno, "cannot write the clip");
        size_t done = put > 0 ? (size_t)put : 0;
        from += done;
        len -= done;
        at += (int64_t)done;
    }
    return 0;
}

static int spill(struct media_writer *writer, struct okno_err *err)
{
    int rc = put_at(writer, writer->held.data, writer->held.len, writer->spilled, err);
    if (rc < 0)
        return rc;
    writer->spilled += (int64_t)writer->held.len;
    okno_buf_reset(&writer->held);
    return 0;
}

/* Ticks of raw sound that stamps would leave out or count twice by rounding are not. */
static int64_t raw_stamp(const struct media_track *track, int64_t stamp)
{
    if (track->frame_bytes == 0 || track->samples.len == 0)
        return stamp;
    const struct media_sample *last = &track->samples.items[track->samples.len - 1];
    int64_t next = last->dts + (int64_t)(last->size / track->frame_bytes);
    int64_t loose = av_rescale(LOOSE_US, track->timescale, OKNO_SECOND_US);
    return stamp < next + loose ? next : stamp;
}

/* Encoders of sound begin before their file's first picture and end behind its last one. Where two
 * recordings meet, what is there already would come twice and push back what follows. */
static bool is_heard(const struct media_writer *writer, const struct media_reader *reader,
                     const AVPacket *packet)
{
    const struct media_track *track = &writer->tracks[MEDIA_AUDIO];
    size_t len = track->samples.len;
    if (writer->heard == reader || len < 2 || track->frame_bytes > 0)
        return false;
    const struct media_sample *last = &track->samples.items[len - 1];
    int64_t by = av_rescale_q(zero_us(reader) - writer->zero_us, AV_TIME_BASE_Q, ticks(track));
    int64_t at = av_rescale_q(packet->dts, reader->audio->time_base, ticks(track)) + by;
    return at < last->dts + (last->dts - last[-1].dts) / 2;
}

/* Everything of the sample but where it lies. */
static int sample_make(struct media_writer *writer, const struct media_reader *reader,
                       const AVPacket *packet, size_t which, struct media_sample *ret_sample,
                       struct okno_err *err)
{
    struct media_track *track = &writer->tracks[which];
    const AVStream *from = which == MEDIA_VIDEO ? reader->video : reader->audio;
    const struct media_sample *last =
        track->samples.len > 0 ? &track->samples.items[track->samples.len - 1] : NULL;
    /* Rounded once per recording, so that the distances between its frames stay exact. */
    int64_t by = av_rescale_q(zero_us(reader) - writer->zero_us, AV_TIME_BASE_Q, ticks(track));
    int64_t pts = av_rescale_q(packet->pts, from->time_base, ticks(track)) + by;
    int64_t dts = av_rescale_q(packet->dts, from->time_base, ticks(track)) + by;
    int64_t lasts = av_rescale_q(packet->duration, from->time_base, ticks(track));
    if (which == MEDIA_AUDIO)
        pts = dts = raw_stamp(track, dts);
    if (last && dts <= last->dts) /* only at a border, where two files meet within a tick */
        dts = last->dts + 1;
    if ((last && dts - last->dts > UINT32_MAX / 2) || llabs(pts - dts) > INT32_MAX / 2)
        return okno_fail(err, OKNO_MEDIA, "a frame's time does not fit into an MP4");
    if (lasts <= 0 || lasts > INT32_MAX)
        lasts = av_rescale_q(reader->frame_us, AV_TIME_BASE_Q, ticks(track));
    track->lasts = lasts > 0 ? lasts : 1;
    *ret_sample = (struct media_sample){.pts = pts,
                                        .dts = dts,
                                        .size = (uint32_t)packet->size,
                                        .entry = writer->entry[which],
                                        .key = packet->flags & AV_PKT_FLAG_KEY};
    return 0;
}

int media_writer_write(struct media_writer *writer, const struct media_reader *reader,
                       const AVPacket *packet, struct okno_err *err)
{
    size_t which = media_is_video(reader, packet) ? MEDIA_VIDEO : MEDIA_AUDIO;
    struct media_track *track = &writer->tracks[which];
    struct media_sample sample = {0};
    if (which == MEDIA_AUDIO && is_heard(writer, reader, packet))
        return 0;
    int rc = sample_make(writer, reader, packet, which, &sample, err);
    if (rc < 0)
        return rc;
    if (track->frame_bytes > 0) {
        sample.size -= sample.size % track->frame_bytes;
        track->lasts = sample.size / track->frame_bytes;
        if (sample.size == 0)
            return 0;
    }
    if (which == MEDIA_AUDIO)
        writer->heard = reader;
    size_t before = writer->held.len;
    if (which == MEDIA_VIDEO && sample.key && writer->sets_apart)
        rc = media_nal_sets(writer->codecs[MEDIA_VIDEO], &writer->held, err);
    sample.lead = (uint32_t)(writer->held.len - before);
    sample.at = writer->spilled + (int64_t)writer->held.len;
    if (rc == 0)
        rc = okno_buf_add(&writer->held, packet->data, sample.size, err);
    if (rc == 0 && media_sample_vec_push(&track->samples, sample) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a clip");
    if (rc == 0 && writer->held.len > HOLD)
        rc = spill(writer, err);
    return rc;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Move what was spilled behind the index, from its end on. */
static int make_room(const struct media_writer *writer, size_t by, struct okno_err *err)
{
    okno_autofree uint8_t *block = malloc(BLOCK);
    if (!block)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    for (int64_t at = writer->spilled; at > 0;) {
        size_t len = at > BLOCK ? BLOCK : (size_t)at;
        at -= (int64_t)len;
        for (size_t got = 0; got < len;) {
            ssize_t part = pread(writer->fd, block + got, len - got, (off_t)(at + (int64_t)got));
            if (part <= 0 && errno != EINTR)
                return okno_fail_errno(err, part < 0 ? errno : EIO, "cannot finish the clip");
            got += part > 0 ? (size_t)part : 0;
        }
        int rc = put_at(writer, block, len, at + (int64_t)by, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The parameter sets before each key frame become part of it. */
static void leads_take(struct media_track *track)
{
    for (size_t i = 0; i < track->samples.len; i++) {
        struct media_sample *sample = &track->samples.items[i];
        sample->at -= sample->lead;
        sample->size += sample->lead;
    }
}

int media_writer_finish(struct media_writer *writer, struct okno_err *err)
{
    if (writer->tracks[MEDIA_VIDEO].entry_count > 1)
        leads_take(&writer->tracks[MEDIA_VIDEO]);
    OKNO_AUTO_BUF head = OKNO_BUF_INIT(MAX_INDEX);
    int64_t media_bytes = writer->spilled + (int64_t)writer->held.len;
    int rc = media_moov_add(writer->tracks, MEDIA_TRACKS, media_bytes, &head, err);
    if (rc == 0 && writer->spilled > 0)
        rc = make_room(writer, head.len, err);
    if (rc == 0)
        rc = put_at(writer, writer->held.data, writer->held.len,
                    writer->spilled + (int64_t)head.len, err);
    if (rc == 0)
        rc = put_at(writer, head.data, head.len, 0, err);
    okno_buf_free(&writer->held);
    return rc;
}

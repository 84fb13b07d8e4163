#define _POSIX_C_SOURCE 200809L
#include "seek.h"

#include <string.h>

enum {
    LOOKS = 8,           /* for a place in a stream */
    NO_KEY_FRAMES = 4000 /* looked at before giving up on a key frame */
};

#define LAND_US (3 * AV_TIME_BASE / 2) /* near enough before it */

/* Streams are entered this long before the moment: most have a key frame in it. */
#define STREAM_BACK_US (4 * AV_TIME_BASE)

/* Open the recording anew as if it began with the fragment that holds `stamp`, a decode time. */
int media_pieces_seek(struct media_reader *reader, int64_t stamp, int64_t until,
                      struct okno_err *err)
{
    struct okno_err trouble = {0};
    struct media_boxes *boxes = &reader->boxes;
    struct media_fragment found = {0};
    int64_t time = reader->time0 + (stamp - reader->dts0);
    boxes->until = reader->time0 + (until - reader->dts0);
    int rc = media_boxes_find(boxes, time, &found, &trouble);
    if (rc < 0)
        return okno_fail(err, rc, "%s: %s", media_reader_name(reader), trouble.text);
    avformat_close_input(&reader->format);
    media_io_free(reader->io);
    reader->io = NULL;
    reader->broken = false;
    reader->last_dts = AV_NOPTS_VALUE;
    rc = media_io_new(reader->source, &reader->io, err);
    if (rc < 0)
        return rc;
    if (found.at - boxes->moov_end >= MEDIA_HOLE_MIN)
        media_io_hole(reader->io, boxes->moov_end, found.at);
    int64_t bytes = media_boxes_guess(boxes, time, boxes->until);
    if (found.at > 0 && until > stamp && bytes > 1) {
        media_io_plan(reader->io, found.at, found.at + bytes);
        media_io_onward(reader->io, bytes / 16 > 65536 ? bytes / 16 : 65536);
    }
    rc = media_format_open(reader, reader->format_name, err);
    return rc < 0 ? rc : media_streams_choose(reader, err);
}

int media_slices_apply(struct media_reader *reader, int64_t from_us, int64_t to_us,
                       struct okno_err *err)
{
    struct okno_err trouble = {0};
    avformat_close_input(&reader->format);
    media_io_free(reader->io);
    reader->io = NULL;
    okno_buf_reset(&reader->moov);
    int rc = media_slices_make(reader->slices, from_us, to_us, &reader->moov, &trouble);
    if (rc < 0)
        return okno_fail(err, rc, "%s: %s", media_reader_name(reader), trouble.text);
    rc = media_io_new(reader->source, &reader->io, err);
    if (rc < 0)
        return rc;
    media_io_behind(reader->io, reader->moov.data, reader->moov.len);
    rc = media_format_open(reader, reader->format_name, err);
    return rc < 0 ? rc : media_streams_choose(reader, err);
}

static bool is_stream(const struct media_reader *reader)
{
    return strcmp(reader->format->iformat->name, "mpegts") == 0;
}

/* Clock time of the first frame behind a byte; false when none can be read there. */
static bool time_behind(struct media_reader *reader, int64_t pos, int64_t *ret_us)
{
    AVPacket *packet = av_packet_alloc();
    bool found = packet && av_seek_frame(reader->format, -1, pos, AVSEEK_FLAG_BYTE) >= 0;
    int rc = found ? 1 : 0;
    while (rc > 0 && (rc = media_reader_next(reader, packet, NULL)) > 0 &&
           !media_is_video(reader, packet))
        av_packet_unref(packet);
    if (rc > 0)
        *ret_us = media_reader_us(reader, reader->video, packet->pts);
    av_packet_free(&packet);
    return rc > 0;
}

/* A stream without an index tells its times as it goes: guess the byte from what is known on both
 * sides, look, guess again. Lands before at_us, by little if it can. 0, or 1 when that fails. */
static int stream_seek(struct media_reader *reader, int64_t at_us)
{
    int64_t low = 0;
    int64_t high = reader->source->size;
    int64_t low_us = reader->from_us;
    int64_t high_us = reader->from_us + reader->format->duration;
    bool near = false;
    for (int i = 0; i < LOOKS && !near && low_us < at_us && at_us < high_us; i++) {
        int64_t pos = low + av_rescale(high - low, at_us - low_us - LAND_US / 2, high_us - low_us);
        int64_t us = 0;
        pos = pos > low ? pos : low;
        if (!time_behind(reader, pos, &us))
            return 1;
        if (us > at_us) {
            high = pos;
            high_us = us;
        } else {
            low = pos;
            low_us = us;
            near = at_us - us < LAND_US;
        }
    }
    return av_seek_frame(reader->format, -1, low, AVSEEK_FLAG_BYTE) < 0;
}

/* Tell the transport which bytes the window needs, where an index knows. */
static void plan_window(struct media_reader *reader, int64_t at_us, int64_t until_us)
{
    AVStream *video = reader->video;
    int count = avformat_index_get_entries_count(video);
    int64_t at =
        reader->first_pts + av_rescale_q(at_us - reader->from_us, AV_TIME_BASE_Q, video->time_base);
    int64_t until = reader->first_pts +
                    av_rescale_q(until_us - reader->from_us, AV_TIME_BASE_Q, video->time_base);
    int i = media_is_mov(reader) ? av_index_search_timestamp(video, at, AVSEEK_FLAG_BACKWARD) : -1;
    if (i < 0)
        return;
    int64_t low = INT64_MAX;
    int64_t high = 0;
    for (bool last = false; i < count && !last; i++) {
        const AVIndexEntry *entry = avformat_index_get_entry(video, i);
        last = entry->timestamp > until;
        low = entry->pos < low ? entry->pos : low;
        high = entry->pos + entry->size > high ? entry->pos + entry->size : high;
    }
    media_io_plan(reader->io, low, high);
}

/* A replay is read from its beginning. */
static int replay_rewind(struct media_reader *reader, struct okno_err *err)
{
    reader->broken = false;
    reader->last_dts = AV_NOPTS_VALUE;
    avformat_close_input(&reader->format);
    int rc = media_format_open(reader, reader->format_name, err);
    return rc < 0 ? rc : media_streams_learn(reader, err);
}

int media_reader_seek(struct media_reader *reader, int64_t at_us, struct okno_err *err)
{
    if (reader->rtp)
        return replay_rewind(reader, err);
    if (reader->in_pieces) {
        AVRational base = reader->video->time_base;
        int64_t at = av_rescale_q(at_us - reader->from_us, AV_TIME_BASE_Q, base);
        int64_t until = av_rescale_q(reader->until_us - reader->from_us, AV_TIME_BASE_Q, base);
        return media_pieces_seek(reader, reader->first_pts + at, reader->first_pts + until, err);
    }
    int64_t ahead = at_us - reader->from_us;
    reader->broken = false;
    reader->last_dts = AV_NOPTS_VALUE;
    reader->late = 0;
    reader->placed = false;
    if (reader->slices) {
        int64_t first_us =
            av_rescale_q(reader->first_pts, reader->video->time_base, AV_TIME_BASE_Q);
        int rc = media_slices_apply(reader, first_us + ahead,
                                    first_us + reader->until_us - reader->from_us, err);
        if (rc < 0)
            return rc;
        plan_window(reader, at_us, reader->until_us);
    }
    AVStream *video = reader->video;
    int64_t stamp = reader->first_pts + av_rescale_q(ahead, AV_TIME_BASE_Q, video->time_base);
    int rc = -1;
    /* Streams without an index are searched by time only roughly: their beginning is byte 0. */
    bool raw = strncmp(reader->format->iformat->name, "mpeg", 4) == 0;
    if (ahead > 0 && is_stream(reader) && reader->format->duration > 0 &&
        stream_seek(reader, at_us) == 0)
        return 0;
    reader->broken = false;
    if (ahead > 0)
        rc = av_seek_frame(reader->format, video->index, stamp, AVSEEK_FLAG_BACKWARD);
    if (rc < 0 && !raw)
        rc = av_seek_frame(reader->format, video->index, reader->first_pts, AVSEEK_FLAG_BACKWARD);
    if (rc < 0)
        rc = av_seek_frame(reader->format, -1, 0, AVSEEK_FLAG_BYTE);
    if (rc < 0)
        return media_reader_fail(reader, rc, "cannot seek in it", err);
    return 0;
}

/* The clusters from one cue to another. */
static void plan_cues(struct media_reader *reader, int64_t at_us, int64_t until_us)
{
    AVStream *video = reader->video;
    int count = avformat_index_get_entries_count(video);
    AVRational base = video->time_base;
    int64_t at = reader->first_pts + av_rescale_q(at_us - reader->from_us, AV_TIME_BASE_Q, base);
    int64_t until =
        reader->first_pts + av_rescale_q(until_us - reader->from_us, AV_TIME_BASE_Q, base);
    int i = av_index_search_timestamp(video, at, AVSEEK_FLAG_BACKWARD);
    if (i < 0)
        return;
    int64_t low = avformat_index_get_entry(video, i)->pos;
    while (i < count && avformat_index_get_entry(video, i)->timestamp <= until)
        i++;
    int64_t high = i < count ? avformat_index_get_entry(video, i)->pos : reader->source->size;
    media_io_plan(reader->io, low, high);
    media_io_onward(reader->io, 65536);
}

/* Without an index: as many bytes as that time takes up on average, and then on in small steps. */
static void plan_onward(struct media_reader *reader, int64_t from_us, int64_t until_us)
{
    int64_t length_us = reader->format->duration;
    int64_t at = avio_tell(reader->format->pb);
    from_us = from_us > reader->from_us ? from_us : reader->from_us;
    if (length_us <= 0 || at < 0 || until_us <= from_us)
        return;
    int64_t bytes = av_rescale(reader->source->size, until_us - from_us, length_us);
    if (bytes > reader->source->size - at)
        bytes = reader->source->size - at;
    if (bytes < 2 * 65536)
        return;
    media_io_plan(reader->io, at, at + bytes);
    media_io_onward(reader->io, bytes / 16 > 65536 ? bytes / 16 : 65536);
}

static bool is_matroska(const struct media_reader *reader)
{
    return strncmp(reader->format->iformat->name, "matroska", 8) == 0;
}

/* Read to the first key frame after a seek and hold it. 1, 0 at the end. */
static int first_key(struct media_reader *reader, struct media_packet_vec *packets,
                     struct okno_err *err)
{
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame");
    int rc = 0;
    for (int i = 0; i < NO_KEY_FRAMES; av_packet_unref(packet), i++) {
        rc = media_reader_next(reader, packet, err);
        if (rc <= 0)
            break;
        if (media_is_video(reader, packet) && (packet->flags & AV_PKT_FLAG_KEY)) {
            rc = media_packets_move(packets, packet, err);
            rc = rc < 0 ? rc : 1;
            break;
        }
        rc = 0;
    }
    av_packet_free(&packet);
    return rc;
}

/* From a key frame on, hold packets until decode time has passed at_us; a later key frame that is
 * still early enough replaces everything before it. */
static int settle_key(struct media_reader *reader, int64_t at_us, struct media_packet_vec *packets,
                      struct okno_err *err)
{
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame");
    int64_t held = 0;
    int rc = 0;
    bool settled = false;
    while (!settled && (rc = media_reader_next(reader, packet, err)) > 0) {
        if (media_is_video(reader, packet)) {
            settled = media_reader_us(reader, reader->video, packet->dts) > at_us;
            bool better = (packet->flags & AV_PKT_FLAG_KEY) &&
                          media_reader_us(reader, reader->video, packet->pts) <= at_us;
            if (better) {
                media_packets_clear(packets);
                held = 0;
            }
        }
        held += packet->size;
        rc = held > MEDIA_MAX_GOP
                 ? okno_fail(err, OKNO_TOO_LARGE, "%s: more than %d bytes without a key frame",
                             media_reader_name(reader), MEDIA_MAX_GOP)
                 : media_packets_move(packets, packet, err);
        if (rc < 0)
            break;
    }
    av_packet_free(&packet);
    return rc < 0 ? rc : 1;
}

int media_reader_start(struct media_reader *reader, int64_t at_us, int64_t until_us,
                       struct media_packet_vec *packets, struct okno_err *err)
{
    reader->until_us = until_us + 2 * reader->frame_us;
    if (!reader->in_pieces && !reader->slices)
        plan_window(reader, at_us, until_us);
    /* A seek may land after the key frame wanted (reordered frames, or no index at all): go back
     * in doubling steps until one at or before at_us is found or the beginning is reached. */
    int64_t first = is_stream(reader) ? STREAM_BACK_US : 0;
    for (int64_t back = first;; back = back ? back * 2 : 2 * AV_TIME_BASE) {
        media_packets_clear(packets);
        bool beginning = at_us - back <= reader->from_us;
        int rc = media_reader_seek(reader, at_us - back, err);
        if (rc == 0 && is_matroska(reader))
            plan_cues(reader, at_us - back, reader->until_us);
        if (rc == 0 && is_stream(reader))
            plan_onward(reader, at_us - back - LAND_US, reader->until_us);
        if (rc == 0)
            rc = first_key(reader, packets, err);
        reader->broken |= rc == 0 && beginning; /* no key frame in all of it */
        if (rc < 0 || (rc == 0 && beginning))
            return rc;
        bool good =
            rc > 0 && media_reader_us(reader, reader->video, packets->items[0]->pts) <= at_us;
        if (good || beginning)
            return settle_key(reader, at_us, packets, err);
    }
}

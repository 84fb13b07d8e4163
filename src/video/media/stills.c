/* Many stills of one recording: in order of time, each GOP read and decoded once. */
#define _POSIX_C_SOURCE 200809L
#include "stills.h"

#include "picture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A decoder that goes forward through a recording. */
struct cursor {
    struct media_reader *reader;
    AVCodecContext *decoder;
    struct media_packet_vec queue; /* read, not fed yet; owned */
    size_t fed;                    /* of the queue */
    AVFrame *best, *next;          /* neighbours in time; empty when not there */
    int64_t best_us, next_us;
    int64_t key_pts;  /* packets presented earlier lead an open GOP: not decodable */
    int64_t fed_us;   /* decode time reached */
    int64_t until_us; /* end of what was planned */
    bool placed, flushed;
};

static void cursor_clear(struct cursor *c)
{
    media_packets_free(&c->queue);
    av_frame_free(&c->best);
    av_frame_free(&c->next);
    avcodec_free_context(&c->decoder);
    media_reader_close(c->reader);
}

static int cursor_open(struct cursor *c, const struct okno_media_input *input, struct okno_err *err)
{
    int rc = media_reader_open(input, false, &c->reader, err);
    if (rc == 0)
        rc = media_decoder_open(c->reader, &c->decoder, err);
    if (rc < 0)
        return rc;
    c->best = av_frame_alloc();
    c->next = av_frame_alloc();
    return c->best && c->next ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture");
}

/* Decode time of the key frame to begin at for a moment; INT64_MIN where no index says. */
static int64_t key_of(const struct cursor *c, int64_t at_us)
{
    AVStream *video = c->reader->video;
    int64_t stamp = c->reader->first_pts +
                    av_rescale_q(at_us - c->reader->from_us, AV_TIME_BASE_Q, video->time_base);
    int i = av_index_search_timestamp(video, stamp, AVSEEK_FLAG_BACKWARD);
    const AVIndexEntry *entry = i < 0 ? NULL : avformat_index_get_entry(video, i);
    return entry ? media_reader_us(c->reader, video, entry->timestamp) : INT64_MIN;
}

/* Without an index a jump costs as much as reading on for a while. */
#define READ_ON_US INT64_C(4000000)

static bool goes_on(const struct cursor *c, int64_t at_us)
{
    int64_t key_us = key_of(c, at_us);
    if (!c->placed || c->flushed || c->reader->broken)
        return false;
    return key_us == INT64_MIN ? at_us - c->fed_us < READ_ON_US : key_us <= c->fed_us;
}

/* The last of the moments that the same key frame serves: what is read in one go. */
static int64_t last_together(const struct cursor *c, const int64_t *moments, size_t count)
{
    int64_t key_us = key_of(c, moments[0]);
    size_t i = 1;
    while (i < count && key_us != INT64_MIN && key_of(c, moments[i]) == key_us)
        i++;
    return moments[i - 1];
}

static int cursor_place(struct cursor *c, int64_t at_us, int64_t until_us, struct okno_err *err)
{
    media_packets_clear(&c->queue);
    avcodec_flush_buffers(c->decoder);
    av_frame_unref(c->best);
    av_frame_unref(c->next);
    c->fed = 0;
    c->flushed = c->placed = false;
    int rc = media_reader_start(c->reader, at_us, until_us, &c->queue, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NO_COVERAGE, "no key frame");
    c->key_pts = c->queue.items[0]->pts;
    c->fed_us = media_reader_us(c->reader, c->reader->video, c->queue.items[0]->dts);
    c->placed = true;
    return 0;
}

/* The next packet into the decoder; a damaged one spoils its pictures, not the search. */
static int cursor_feed(struct cursor *c, AVPacket *packet, struct okno_err *err)
{
    int rc = 1;
    if (c->fed < c->queue.len)
        av_packet_move_ref(packet, c->queue.items[c->fed++]);
    else
        rc = media_reader_next(c->reader, packet, err);
    if (rc < 0)
        return rc;
    c->flushed = rc == 0;
    if (rc > 0 && (!media_is_video(c->reader, packet) || packet->pts < c->key_pts))
        return 0;
    if (rc > 0)
        c->fed_us = media_reader_us(c->reader, c->reader->video, packet->dts);
    rc = avcodec_send_packet(c->decoder, c->flushed ? NULL : packet);
    return rc < 0 && rc != AVERROR_INVALIDDATA && rc != AVERROR_EOF
               ? media_fail(err, OKNO_MEDIA, rc, "the recording does not decode")
               : 0;
}

/* Until a frame after at_us is known, or the end. */
static int cursor_advance(struct cursor *c, int64_t at_us, struct okno_err *err)
{
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    MEDIA_AUTO_FRAME *frame = av_frame_alloc();
    if (!packet || !frame)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture");
    while (!c->next->width || c->next_us <= at_us) {
        if (c->next->width) {
            av_frame_unref(c->best);
            av_frame_move_ref(c->best, c->next);
            c->best_us = c->next_us;
        }
        int rc = avcodec_receive_frame(c->decoder, frame);
        if (rc >= 0) {
            int64_t stamp =
                frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
            if (stamp != AV_NOPTS_VALUE) {
                c->next_us = media_reader_us(c->reader, c->reader->video, stamp);
                av_frame_move_ref(c->next, frame);
            }
            av_frame_unref(frame);
            continue;
        }
        if (rc == AVERROR_EOF)
            return 0;
        if (rc != AVERROR(EAGAIN))
            return media_fail(err, OKNO_MEDIA, rc, "the recording does not decode");
        rc = cursor_feed(c, packet, err);
        av_packet_unref(packet);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* As a single still judges: while the recording goes on, or until the one that touches it. */
static bool stands(const struct cursor *c, const struct media_batch *batch, int64_t at_us,
                   int64_t error_us)
{
    int64_t frame_us = c->reader->frame_us;
    int64_t age = at_us - c->best_us;
    if (age > media_stale_us(frame_us))
        return false;
    if (c->next->width || age < 2 * frame_us)
        return true;
    int64_t error = error_us > batch->next_error_us ? error_us : batch->next_error_us;
    return batch->next_from_us != INT64_MAX &&
           batch->next_from_us - (c->best_us + frame_us) <= 2 * frame_us + error;
}

static int write_all(int fd, const void *bytes, size_t len, struct okno_err *err)
{
    const uint8_t *at = bytes;
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return okno_fail_errno(err, errno, "cannot write a still");
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

static AVRational aspect_of(const struct cursor *c)
{
    AVRational stream = c->reader->video->sample_aspect_ratio;
    return stream.num > 0 ? stream : c->best->sample_aspect_ratio;
}

/* The head is written over once the picture behind it is known. */
static int shot_write(const struct cursor *c, int max_width, int fd, struct media_shot *shot,
                      struct okno_err *err)
{
    off_t head = lseek(fd, 0, SEEK_CUR);
    int rc = write_all(fd, shot, sizeof(*shot), err);
    if (rc == 0)
        rc = media_jpeg_write(c->best, aspect_of(c), media_quarter_turns(c->reader->video),
                              max_width, fd, &shot->width, &shot->height, err);
    if (rc == 0)
        rc = media_picture_measure(c->best, &shot->picture, err);
    off_t end = lseek(fd, 0, SEEK_CUR);
    shot->len = (uint32_t)(end - head - (off_t)sizeof(*shot));
    shot->frame_at_us = c->best_us;
    shot->frame_us = c->reader->frame_us;
    if (rc == 0 && pwrite(fd, shot, sizeof(*shot), head) != (ssize_t)sizeof(*shot))
        rc = okno_fail_errno(err, errno, "cannot write a still");
    return rc;
}

static int shot_take(struct cursor *c, const struct okno_media_input *input,
                     const struct media_batch *batch, const int64_t *moments, size_t left, int fd,
                     struct okno_err *err)
{
    struct media_shot shot = {0};
    int64_t at_us = moments[0];
    int rc = goes_on(c, at_us) ? 0 : cursor_place(c, at_us, last_together(c, moments, left), err);
    if (rc == 0)
        rc = cursor_advance(c, at_us, err);
    if (rc == 0 && !c->next->width && media_is_damaged(c->best))
        rc = OKNO_MEDIA; /* the recording's last picture, torn: a single still looks before it */
    if (rc == 0 && (!c->best->width || !stands(c, batch, at_us, input->error_us)))
        rc = OKNO_NO_COVERAGE;
    if (rc == 0)
        return shot_write(c, batch->max_width, fd, &shot, err);
    c->placed = false;
    shot.code = rc;
    return write_all(fd, &shot, sizeof(shot), err);
}

int media_stills(const struct okno_media_input *input, const struct media_batch *batch,
                 const int64_t *moments, int fd, struct okno_media_result *ret_result,
                 struct okno_err *err)
{
    struct cursor c = {0};
    int rc = cursor_open(&c, input, err);
    for (uint32_t i = 0; rc == 0 && i < batch->count; i++)
        rc = shot_take(&c, input, batch, moments + i, batch->count - i, fd, err);
    if (rc == 0) {
        const AVCodecParameters *codec = c.reader->video->codecpar;
        *ret_result = (struct okno_media_result){
            .frames = batch->count, .width = codec->width, .height = codec->height};
        (void)snprintf(ret_result->codec, sizeof(ret_result->codec), "%s",
                       avcodec_get_name(codec->codec_id));
    }
    cursor_clear(&c);
    return rc;
}

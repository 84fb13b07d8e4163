#define _POSIX_C_SOURCE 200809L
#include "decode.h"
#include "inside.h"
#include "picture.h"

/* Looking for one frame in one recording. */
struct search {
    struct media_reader *reader;
    AVCodecContext *decoder;
    AVFrame *frame; /* the decoder's last */
    AVFrame *best;  /* presented last at or before at_us; empty until found */
    int64_t at_us;
    int64_t best_us;
    int64_t fed_us;  /* of the last frame at or before at_us that was decoded; or INT64_MIN */
    int64_t end_pts; /* of the recording's last packet; AV_NOPTS_VALUE: not reached */
    int64_t torn_us; /* the picture in it, of which a part is missing; or INT64_MIN */
    bool passed;     /* a frame after at_us was seen: nothing better will come */
};

/* Decoded pictures come in order of presentation. */
static int search_drain(struct search *search, struct okno_err *err)
{
    int rc = 0;
    while ((rc = avcodec_receive_frame(search->decoder, search->frame)) >= 0) {
        AVFrame *frame = search->frame;
        int64_t stamp = frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
        int64_t at = media_reader_us(search->reader, search->reader->video, stamp);
        bool torn = stamp == search->end_pts && media_is_damaged(frame);
        if (torn)
            search->torn_us = at;
        if (stamp == AV_NOPTS_VALUE || at > search->at_us || torn) {
            search->passed = search->passed || (stamp != AV_NOPTS_VALUE && !torn);
            av_frame_unref(frame);
            continue;
        }
        av_frame_unref(search->best);
        av_frame_move_ref(search->best, frame);
        search->best_us = at;
    }
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF
               ? 0
               : media_fail(err, OKNO_MEDIA, rc, "the recording does not decode");
}

/* A damaged packet spoils its pictures, not the search. */
static int search_feed(struct search *search, const AVPacket *packet, struct okno_err *err)
{
    if (packet && !media_is_video(search->reader, packet))
        return 0;
    int64_t us = packet ? media_reader_us(search->reader, search->reader->video, packet->pts) : 0;
    if (packet && us <= search->at_us && us > search->fed_us)
        search->fed_us = us;
    int rc = avcodec_send_packet(search->decoder, packet);
    if (rc < 0 && rc != AVERROR_INVALIDDATA && rc != AVERROR_EOF)
        return media_fail(err, OKNO_MEDIA, rc, "the recording does not decode");
    return search_drain(search, err);
}

/* The last packet of a recording that ends before the asked moment: a recorder that is still
 * writing it, or lost its power, leaves half a picture in it. */
static int64_t end_of(const struct search *search, const struct media_packet_vec *packets)
{
    const struct media_reader *reader = search->reader;
    for (size_t i = packets->len; i-- > 0;) {
        const AVPacket *packet = packets->items[i];
        if (!media_is_video(reader, packet))
            continue;
        bool passed = media_reader_us(reader, reader->video, packet->dts) > search->at_us;
        return passed ? AV_NOPTS_VALUE : packet->pts;
    }
    return AV_NOPTS_VALUE;
}

/* Feed from the key frame before near_us on until decode time has passed it, then flush. */
static int search_near(struct search *search, int64_t near_us, struct okno_err *err)
{
    MEDIA_AUTO_PACKETS packets = {0};
    struct media_reader *reader = search->reader;
    int rc = media_reader_start(reader, near_us, near_us, &packets, err);
    if (rc <= 0)
        return rc;
    int64_t key = packets.items[0]->pts;
    bool passed = false;
    search->end_pts = end_of(search, &packets);
    for (size_t i = 0; rc >= 0 && i < packets.len; i++) {
        const AVPacket *packet = packets.items[i];
        passed = media_reader_us(reader, reader->video, packet->dts) > near_us;
        if (packet->pts >= key && !passed)
            rc = search_feed(search, packet, err);
        search->passed |= passed;
    }
    return rc < 0 ? rc : search_feed(search, NULL, err);
}

/* A torn picture that is a key frame leaves nothing to show but what lies before it. */
static int search_run(struct search *search, struct okno_err *err)
{
    int rc = search_near(search, search->at_us, err);
    if (rc < 0 || search->torn_us == INT64_MIN || search->best->width > 0)
        return rc;
    avcodec_flush_buffers(search->decoder);
    rc = search_near(search, search->torn_us - 1, err);
    search->passed = false;
    return rc;
}

static AVRational pixel_aspect(const struct search *search)
{
    AVRational stream = search->reader->video->sample_aspect_ratio;
    return stream.num > 0 ? stream : search->best->sample_aspect_ratio;
}

/* How long the frame found may stand for: while its recording goes on, or until the next recording
 * that touches it. */
static bool stands(const struct search *search, const struct okno_media_input *inputs, size_t count,
                   size_t i)
{
    int64_t frame_us = search->reader->frame_us;
    int64_t age = search->at_us - search->best_us;
    if (age > media_stale_us(frame_us))
        return false;
    if (search->passed || age < 2 * frame_us)
        return true;
    if (i + 1 == count)
        return false;
    int64_t silence = inputs[i + 1].from_us - (search->best_us + frame_us);
    int64_t error =
        inputs[i].error_us > inputs[i + 1].error_us ? inputs[i].error_us : inputs[i + 1].error_us;
    return silence <= 2 * frame_us + error;
}

/* There are frames nearer to the asked moment than any that came out. */
static bool is_damaged(const struct search *search)
{
    return search->fed_us != INT64_MIN &&
           (search->best->width == 0 ||
            search->fed_us - search->best_us > media_stale_us(search->reader->frame_us));
}

static int search_open(struct search *search, const struct okno_media_input *input,
                       struct okno_err *err)
{
    int rc = media_reader_open(input, false, &search->reader, err);
    if (rc == 0)
        rc = media_decoder_open(search->reader, &search->decoder, err);
    if (rc < 0)
        return rc;
    search->frame = av_frame_alloc();
    search->best = av_frame_alloc();
    if (!search->frame || !search->best)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture");
    return 0;
}

static void search_clear(struct search *search)
{
    av_frame_free(&search->frame);
    av_frame_free(&search->best);
    avcodec_free_context(&search->decoder);
    media_reader_close(search->reader);
}

static int search_write(const struct search *search, int fd, struct okno_media_result *result,
                        struct okno_err *err)
{
    const AVStream *video = search->reader->video;
    int rc = media_jpeg_write(search->best, pixel_aspect(search), media_quarter_turns(video), 0, fd,
                              &result->width, &result->height, err);
    if (rc < 0)
        return rc;
    result->got_from_us = result->first_frame_us = result->last_frame_us = search->best_us;
    result->got_to_us = search->best_us + search->reader->frame_us;
    result->frames = 1;
    (void)snprintf(result->codec, sizeof(result->codec), "%s",
                   avcodec_get_name(video->codecpar->codec_id));
    return 0;
}

/* 1 when the frame was found in input i and written, 0 when it has none at or before at_us. */
static int still_from(const struct okno_media_input *inputs, size_t count, size_t i, int64_t at_us,
                      int fd, struct okno_media_result *result, struct okno_err *err)
{
    struct search search = {
        .at_us = at_us, .fed_us = INT64_MIN, .end_pts = AV_NOPTS_VALUE, .torn_us = INT64_MIN};
    int rc = search_open(&search, &inputs[i], err);
    if (rc == 0)
        rc = search_run(&search, err);
    bool found = rc == 0 && search.best->width > 0;
    if (rc == 0 && is_damaged(&search))
        rc = media_fail(err, OKNO_MEDIA, 0, "the frames before the asked moment do not decode");
    else if (found && !stands(&search, inputs, count, i))
        rc = okno_fail(err, OKNO_NO_COVERAGE,
                       "the last frame before the asked moment is %lld ms older; nothing is "
                       "recorded there",
                       (long long)((at_us - search.best_us) / 1000));
    else if (!found && rc == 0 && search.reader->broken)
        rc = media_fail(err, OKNO_MEDIA, 0, "the recording breaks off before the asked moment");
    if (found && rc == 0) {
        rc = search_write(&search, fd, result, err);
        rc = rc < 0 ? rc : 1;
    }
    search_clear(&search);
    return rc;
}

int media_still(const struct okno_media_input *inputs, size_t count, int64_t at_us, int fd,
                struct okno_media_result *ret_result, struct okno_err *err)
{
    struct okno_media_result result = {0};
    int rc = 0;
    for (size_t i = count; rc == 0 && i-- > 0;)
        if (inputs[i].from_us <= at_us)
            rc = still_from(inputs, count, i, at_us, fd, &result, err);
    if (rc == 0)
        rc = okno_fail(err, OKNO_NO_COVERAGE, "nothing is recorded at the asked moment");
    if (rc < 0)
        return rc;
    *ret_result = result;
    return 0;
}

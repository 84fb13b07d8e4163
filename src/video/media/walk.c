#include "walk.h"

void media_walk_clear(struct media_walk *walk)
{
    av_frame_free(&walk->frame);
    avcodec_free_context(&walk->decoder);
    media_reader_close(walk->reader);
}

int media_walk_open(struct media_walk *walk, const struct okno_media_input *input,
                    struct okno_err *err)
{
    int rc = media_reader_open(input, false, &walk->reader, err);
    if (rc == 0)
        rc = media_decoder_open(walk->reader, &walk->decoder, err);
    if (rc < 0)
        return rc;
    walk->frame = av_frame_alloc();
    return walk->frame ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for a picture");
}

static int walk_drain(struct media_walk *walk, struct okno_err *err)
{
    int rc = 0;
    while ((rc = avcodec_receive_frame(walk->decoder, walk->frame)) >= 0) {
        int64_t stamp = walk->frame->pts != AV_NOPTS_VALUE ? walk->frame->pts
                                                           : walk->frame->best_effort_timestamp;
        bool damaged = media_is_damaged(walk->frame) || stamp == AV_NOPTS_VALUE;
        int64_t at_us = media_reader_us(walk->reader, walk->reader->video, stamp);
        int code = damaged ? 0 : walk->take(walk->ctx, walk->frame, at_us, err);
        av_frame_unref(walk->frame);
        if (code != 0)
            return code;
    }
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF
               ? 0
               : media_fail(err, OKNO_MEDIA, rc, "the clip does not decode");
}

static int walk_feed(struct media_walk *walk, const AVPacket *packet, struct okno_err *err)
{
    int rc = avcodec_send_packet(walk->decoder, packet);
    if (rc < 0 && rc != AVERROR_INVALIDDATA && rc != AVERROR_EOF)
        return media_fail(err, OKNO_MEDIA, rc, "the clip does not decode");
    return walk_drain(walk, err);
}

int media_walk_run(struct media_walk *walk, struct okno_err *err)
{
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    if (!packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a clip");
    int rc = 0;
    while ((rc = media_reader_next(walk->reader, packet, err)) > 0) {
        int code = 0;
        if (media_is_video(walk->reader, packet)) {
            int64_t at_us = media_reader_us(walk->reader, walk->reader->video, packet->pts);
            code = walk->see ? walk->see(walk->ctx, packet, at_us, err) : 0;
            if (code == 0 && walk->take)
                code = walk_feed(walk, packet, err);
        }
        av_packet_unref(packet);
        if (code != 0)
            return code;
    }
    return rc < 0 || !walk->take ? rc : walk_feed(walk, NULL, err);
}

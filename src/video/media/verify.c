#define _POSIX_C_SOURCE 200809L
#include "verify.h"

#include "decode.h"

#include "okno/time.h"

enum { MAX_GOP_FRAMES = 1500 };

static int complain(struct okno_err *err, const char *what, long long got, long long want)
{
    return okno_fail(err, OKNO_CHECK_FAILED, "the clip just written is wrong: %s %lld, not %lld",
                     what, got, want);
}

/* Take the pictures that are ready. */
static int drain(AVCodecContext *decoder, AVFrame *frame, int *pictures, struct okno_err *err)
{
    int rc = 0;
    while ((rc = avcodec_receive_frame(decoder, frame)) >= 0) {
        if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT))
            return complain(err, "a damaged picture in its first GOP, number", *pictures, 0);
        (*pictures)++;
        av_frame_unref(frame);
    }
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF
               ? 0
               : media_fail(err, OKNO_CHECK_FAILED, rc, "the clip's first GOP does not decode");
}

struct seen {
    int64_t frames;
    int64_t last_us; /* start of the last presented frame */
    int gop;         /* frames of the first GOP */
    int pictures;    /* decoded of them */
};

/* Count all packets; decode those of the first GOP. */
static int walk(struct media_reader *reader, AVCodecContext *decoder, struct seen *seen,
                struct okno_err *err)
{
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    MEDIA_AUTO_FRAME *frame = av_frame_alloc();
    if (!packet || !frame)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to check a clip");
    bool first_gop = true;
    int rc = 0;
    for (; (rc = media_reader_next(reader, packet, err)) > 0; av_packet_unref(packet)) {
        bool key = packet->flags & AV_PKT_FLAG_KEY;
        if (seen->frames == 0 && !key)
            return complain(err, "a key frame at its beginning", 0, 1);
        first_gop = first_gop && (seen->frames == 0 || !key) && seen->gop < MAX_GOP_FRAMES;
        int64_t at = media_reader_us(reader, reader->video, packet->pts);
        seen->last_us = at > seen->last_us ? at : seen->last_us;
        seen->frames++;
        if (!first_gop)
            continue;
        seen->gop++;
        rc = avcodec_send_packet(decoder, packet);
        if (rc < 0)
            return media_fail(err, OKNO_CHECK_FAILED, rc, "the clip's first GOP does not decode");
        rc = drain(decoder, frame, &seen->pictures, err);
        if (rc < 0)
            return rc;
    }
    if (rc == 0)
        rc = avcodec_send_packet(decoder, NULL) < 0 ? OKNO_FAILED : 0;
    return rc < 0 ? rc : drain(decoder, frame, &seen->pictures, err);
}

static int check(const struct media_reader *reader, const struct seen *seen,
                 const struct okno_media_result *result, struct okno_err *err)
{
    int64_t span = result->last_frame_us - result->first_frame_us;
    int64_t off = seen->last_us - span;
    if (reader->broken)
        return complain(err, "unreadable after frame", seen->frames, result->frames);
    if (seen->frames != result->frames)
        return complain(err, "frames", seen->frames, result->frames);
    if (off < -OKNO_MS_US || off > OKNO_MS_US)
        return complain(err, "microseconds from first to last frame", seen->last_us, span);
    if (seen->pictures != seen->gop)
        return complain(err, "pictures in its first GOP", seen->pictures, seen->gop);
    return 0;
}

int media_verify_clip(int fd, const struct okno_media_result *result, struct okno_err *err)
{
    OKNO_AUTO(okno_source) *source = NULL;
    OKNO_AUTO(media_reader) *reader = NULL;
    MEDIA_AUTO_CODEC *decoder = NULL;
    int rc = media_fd_source(fd, &source, err);
    const struct okno_media_input input = {.source = source, .format = "mov", .name = "the clip"};
    if (rc == 0)
        rc = media_reader_open(&input, false, &reader, err);
    if (rc == 0)
        rc = media_decoder_open(reader, &decoder, err);
    struct seen seen = {0};
    if (rc == 0)
        decoder->skip_loop_filter = AVDISCARD_ALL; /* nobody looks at these pictures */
    if (rc == 0)
        rc = walk(reader, decoder, &seen, err);
    return rc < 0 ? rc : check(reader, &seen, result, err);
}

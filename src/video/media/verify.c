#define _POSIX_C_SOURCE 200809L
#include "verify.h"

#include "decode.h"
#include "seek.h"

#include "okno/hash.h"
#include "okno/time.h"

#include <string.h>

enum { MAX_GOP_FRAMES = 1500 };

static int complain(struct okno_err *err, const char *what, long long got, long long want)
{
    return okno_fail(err, OKNO_CHECK_FAILED, "the clip just written is wrong: %s %lld, not %lld",
                     what, got, want);
}

/* --- the bytes of a first GOP ----------------------------------------------------------------- */

struct content {
    struct okno_hash hash;
    int frames;
    bool complete;
};

/* Whether the packet belongs to it. */
static bool content_take(struct content *content, const AVPacket *packet)
{
    bool key = packet->flags & AV_PKT_FLAG_KEY;
    content->complete |= (content->frames > 0 && key) || content->frames == MAX_GOP_FRAMES;
    if (content->complete)
        return false;
    content->frames++;
    okno_hash_add(&content->hash, &packet->size, sizeof(packet->size));
    okno_hash_add(&content->hash, packet->data, (size_t)packet->size);
    return true;
}

static bool content_equal(const struct content *a, const struct content *b)
{
    struct okno_hash one = a->hash;
    struct okno_hash two = b->hash;
    uint8_t first[OKNO_SHA256_BYTES];
    uint8_t second[OKNO_SHA256_BYTES];
    okno_hash_end(&one, first);
    okno_hash_end(&two, second);
    return a->frames == b->frames && memcmp(first, second, sizeof(first)) == 0;
}

/* --- its pictures ----------------------------------------------------------------------------- */

struct media_gop {
    struct content content;
    AVCodecContext *decoder; /* owned */
    AVFrame *frame;          /* owned */
    int pictures;
    bool flushed;
    struct okno_err trouble; /* the first */
};

int media_gop_new(const AVCodecParameters *codec, AVRational time_base, struct media_gop **ret_gop,
                  struct okno_err *err)
{
    OKNO_AUTO(media_gop) *gop = calloc(1, sizeof(*gop));
    int rc = gop ? media_decoder_new(codec, time_base, &gop->decoder, err) : OKNO_NO_MEMORY;
    if (rc < 0)
        return gop ? rc : okno_fail(err, rc, "no memory to check a clip");
    gop->decoder->skip_loop_filter = AVDISCARD_ALL; /* nobody looks at these pictures */
    okno_hash_start(&gop->content.hash);
    gop->frame = av_frame_alloc();
    if (!gop->frame)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to check a clip");
    *ret_gop = okno_mem_take(&gop);
    return 0;
}

void media_gop_free(struct media_gop *gop)
{
    if (!gop)
        return;
    av_frame_free(&gop->frame);
    avcodec_free_context(&gop->decoder);
    free(gop);
}

/* Send a packet, NULL at the end, and take the pictures that are ready. */
static int decode(struct media_gop *gop, const AVPacket *packet, struct okno_err *err)
{
    int rc = avcodec_send_packet(gop->decoder, packet);
    if (rc < 0)
        return media_fail(err, OKNO_CHECK_FAILED, rc, "the clip's first GOP does not decode");
    while ((rc = avcodec_receive_frame(gop->decoder, gop->frame)) >= 0) {
        const AVFrame *frame = gop->frame;
        if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT))
            return complain(err, "a damaged picture in its first GOP, number", gop->pictures, 0);
        gop->pictures++;
        av_frame_unref(gop->frame);
    }
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF
               ? 0
               : media_fail(err, OKNO_CHECK_FAILED, rc, "the clip's first GOP does not decode");
}

static void gop_flush(struct media_gop *gop)
{
    if (gop->flushed)
        return;
    gop->flushed = true;
    if (gop->trouble.code == 0)
        (void)!decode(gop, NULL, &gop->trouble); /* kept there */
}

void media_gop_take(struct media_gop *gop, const AVPacket *packet)
{
    bool ours = content_take(&gop->content, packet);
    if (ours && gop->trouble.code == 0)
        (void)!decode(gop, packet, &gop->trouble); /* kept there */
    if (!ours)
        gop_flush(gop);
}

static int gop_check(struct media_gop *gop, struct okno_err *err)
{
    gop_flush(gop);
    if (gop->trouble.code < 0)
        return okno_fail(err, gop->trouble.code, "%s", gop->trouble.text);
    if (gop->pictures != gop->content.frames)
        return complain(err, "pictures in its first GOP", gop->pictures, gop->content.frames);
    return 0;
}

/* --- the file --------------------------------------------------------------------------------- */

struct seen {
    int64_t frames;
    int64_t last_us; /* start of the last presented frame */
    struct content gop;
};

static int walk(struct media_reader *reader, struct seen *seen, struct okno_err *err)
{
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    if (!packet)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to check a clip");
    okno_hash_start(&seen->gop.hash);
    int rc = 0;
    for (; (rc = media_reader_next(reader, packet, err)) > 0; av_packet_unref(packet)) {
        if (seen->frames == 0 && !(packet->flags & AV_PKT_FLAG_KEY))
            return complain(err, "a key frame at its beginning", 0, 1);
        int64_t at = media_reader_us(reader, reader->video, packet->pts);
        seen->last_us = at > seen->last_us ? at : seen->last_us;
        seen->frames++;
        (void)content_take(&seen->gop, packet);
    }
    return rc;
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
    return 0;
}

/* The decoder that saw these packets had the same parameters as the file has. */
static bool is_same(const struct media_gop *early, const struct seen *seen,
                    const struct media_reader *reader)
{
    const AVCodecContext *had = early->decoder;
    const AVCodecParameters *has = reader->video->codecpar;
    return had->codec_id == has->codec_id && had->extradata_size == has->extradata_size &&
           (has->extradata_size == 0 ||
            memcmp(had->extradata, has->extradata, (size_t)has->extradata_size) == 0) &&
           content_equal(&early->content, &seen->gop);
}

/* From the file itself. */
static int decode_gop(struct media_reader *reader, struct okno_err *err)
{
    OKNO_AUTO(media_gop) *gop = NULL;
    MEDIA_AUTO_PACKET *packet = av_packet_alloc();
    int rc = packet ? media_gop_new(reader->video->codecpar, reader->video->time_base, &gop, err)
                    : okno_fail(err, OKNO_NO_MEMORY, "no memory to check a clip");
    if (rc == 0)
        rc = media_reader_seek(reader, reader->from_us, err);
    while (rc >= 0 && !gop->content.complete && (rc = media_reader_next(reader, packet, err)) > 0) {
        media_gop_take(gop, packet);
        av_packet_unref(packet);
    }
    return rc < 0 ? rc : gop_check(gop, err);
}

int media_verify_clip(int fd, struct media_gop *early, const struct okno_media_result *result,
                      struct okno_err *err)
{
    OKNO_AUTO(okno_source) *source = NULL;
    OKNO_AUTO(media_reader) *reader = NULL;
    struct seen seen = {0};
    int rc = media_fd_source(fd, &source, err);
    const struct okno_media_input input = {.source = source, .format = "mov", .name = "the clip"};
    if (rc == 0)
        rc = media_reader_open(&input, false, &reader, err);
    if (rc == 0)
        rc = walk(reader, &seen, err);
    if (rc == 0)
        rc = check(reader, &seen, result, err);
    if (rc < 0)
        return rc;
    return early && is_same(early, &seen, reader) ? gop_check(early, err) : decode_gop(reader, err);
}

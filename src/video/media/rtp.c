#define _POSIX_C_SOURCE 200809L
#include "rtp.h"

enum { ROOM = 64 * 1024, DESCRIPTION_MAX = 16 * 1024 };

struct media_rtp {
    AVIOContext *bytes; /* not owned */
    AVIOContext *avio;  /* owned */
    bool begun, started, stamped;
    uint32_t left; /* of the description */
};

static int read_description(struct media_rtp *rtp, uint8_t *into, int len)
{
    if (!rtp->begun) {
        rtp->begun = true;
        rtp->left = avio_rb32(rtp->bytes);
        if (avio_feof(rtp->bytes) || rtp->left > DESCRIPTION_MAX)
            return AVERROR_INVALIDDATA;
    }
    len = rtp->left < (uint32_t)len ? (int)rtp->left : len;
    int got = len > 0 ? avio_read(rtp->bytes, into, len) : 0;
    rtp->left -= got > 0 ? (uint32_t)got : 0;
    return got > 0 ? got : AVERROR_EOF;
}

/* One packet a call: the demuxer takes what one read brings for one. */
static int read_packet(void *opaque, uint8_t *into, int len)
{
    struct media_rtp *rtp = opaque;
    if (!rtp->started)
        return read_description(rtp, into, len);
    int size = (int)avio_rb16(rtp->bytes);
    if (avio_feof(rtp->bytes) || size == 0 || size > len)
        return AVERROR_EOF;
    return avio_read(rtp->bytes, into, size) == size ? size : AVERROR_EOF;
}

/* Receiver reports, to nobody. */
static int swallow(void *opaque, uint8_t *from, int len)
{
    (void)opaque;
    (void)from;
    return len;
}

int media_rtp_new(AVIOContext *bytes, struct media_rtp **ret_rtp, struct okno_err *err)
{
    struct media_rtp *rtp = calloc(1, sizeof(*rtp));
    uint8_t *buffer = av_malloc(ROOM);
    if (rtp && buffer)
        rtp->avio = avio_alloc_context(buffer, ROOM, 0, rtp, read_packet, swallow, NULL);
    if (!rtp || !rtp->avio || avio_seek(bytes, 0, SEEK_SET) < 0) {
        if (!rtp || !rtp->avio)
            av_free(buffer);
        media_rtp_free(rtp);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a replay");
    }
    /* Otherwise a report is copied into a buffer for reading, which never has room: for ever. */
    rtp->avio->direct = AVIO_FLAG_DIRECT;
    rtp->bytes = bytes;
    *ret_rtp = rtp;
    return 0;
}

void media_rtp_free(struct media_rtp *rtp)
{
    if (!rtp)
        return;
    if (rtp->avio)
        av_freep(&rtp->avio->buffer);
    avio_context_free(&rtp->avio);
    free(rtp);
}

AVIOContext *media_rtp_context(struct media_rtp *rtp)
{
    return rtp->avio;
}

void media_rtp_start(struct media_rtp *rtp)
{
    rtp->started = true;
    rtp->avio->eof_reached = 0; /* that was the description's */
}

void media_rtp_stamp(struct media_rtp *rtp, AVPacket *packet)
{
    if (!rtp->stamped && packet->pts == AV_NOPTS_VALUE && packet->dts == AV_NOPTS_VALUE)
        packet->pts = 0;
    rtp->stamped = true;
}

int media_rtp_options(AVDictionary **options)
{
    int rc = av_dict_set(options, "sdp_flags", "custom_io", 0);
    return rc < 0 ? rc : av_dict_set(options, "reorder_queue_size", "0", 0);
}

/* One recording, open: its video packets with clock times. Knows demuxers' habits so that the clip
 * and the still need not. */
#ifndef MEDIA_READER_H
#define MEDIA_READER_H

#include "boxes.h"
#include "io.h"
#include "slices.h"

#include "okno/vec.h"

enum {
    MEDIA_MAX_SIDE = 8192,               /* pixels */
    MEDIA_MAX_PACKET = 32 * 1024 * 1024, /* bytes */
    MEDIA_MAX_GOP = 256 * 1024 * 1024,   /* bytes held while looking for a key frame */
    MEDIA_MAX_FRAMES = 400 * 1000,       /* in one clip: an hour at 100 frames a second */
    MEDIA_MAX_INPUTS = 4096,             /* recordings in one call */
};
/* A longer silence between frames of one recording is a gap, unless frames are slower anyway. */
#define MEDIA_STALE_US INT64_C(1000000)

struct media_reader {
    struct media_io *io;
    struct media_order *order; /* owned; of a program stream, else NULL */
    struct media_rtp *rtp;     /* owned; between io and the demuxer of a replay, else NULL */
    AVFormatContext *format;
    AVStream *video; /* inside format */
    AVStream *audio; /* inside format, NULL without or when not wanted */
    const char *name;
    int64_t from_us;   /* clock time of first_pts; may be moved by the caller */
    bool from_zero;    /* from_us was told for the container's time 0 */
    int64_t first_pts; /* of the first presented frame, in video ticks */
    int64_t frame_us;  /* usual frame interval */
    int64_t span_us;   /* first frame to end of the last; -1 until media_reader_end */
    int64_t last_dts;
    int64_t late; /* AVI: so many ticks since the last jump; known once a frame was placed */
    bool placed;
    int width, height;          /* of the picture, once known */
    struct okno_source *source; /* not owned */
    const char *format_name;
    bool wants_audio;
    bool sounds; /* files without video are read, too */
    /* A fragmented MP4 without its index: opened anew at the fragment that is wanted. */
    struct media_boxes boxes;
    bool in_pieces;
    int64_t dts0, time0; /* the first frame's decode time, as the demuxer and as the file tell it */
    int64_t until_us;    /* how far the caller will read */
    /* An MP4 with a long index: opened anew with the part of it that is wanted. */
    struct media_slices *slices; /* owned; NULL: all of it is read */
    struct okno_buf moov;        /* owned; that part */
    bool broken;                 /* ended by an error, not by its end */
};

/* `name` for messages, may be NULL; borrowed, as the source is. */
OKNO_CHECK int media_reader_open(const struct okno_media_input *input, bool audio,
                                 struct media_reader **ret_reader, struct okno_err *err);
void media_reader_close(struct media_reader *reader);
OKNO_CLEANUP(media_reader, media_reader_close);

/* Clock time of a stamp of one of the reader's streams. */
int64_t media_reader_us(const struct media_reader *reader, const AVStream *stream, int64_t stamp);

/* Clock time of the end of the last frame; reads the recording's tail the first time and moves the
 * reading position. */
OKNO_CHECK int media_reader_end(struct media_reader *reader, int64_t *ret_end_us,
                                struct okno_err *err);

/* Next packet of the video (or the wanted audio) stream, pts and dts filled in. 1, 0 at the end, or
 * a negative code. A recording that turns unreadable ends there, with reader->broken set. */
OKNO_CHECK int media_reader_next(struct media_reader *reader, AVPacket *packet,
                                 struct okno_err *err);

/* Packets held back, owned. */
OKNO_VEC(media_packet_vec, AVPacket *);
void media_packets_clear(struct media_packet_vec *packets);
void media_packets_free(struct media_packet_vec *packets);
OKNO_CHECK int media_packets_move(struct media_packet_vec *packets, AVPacket *packet,
                                  struct okno_err *err);
#define MEDIA_AUTO_PACKETS __attribute__((cleanup(media_packets_free))) struct media_packet_vec

/* Go to the last key frame presented at or before at_us, or to the first one after it when there is
 * none; append it and what follows in decode order until no better key frame can come. Reading goes
 * on with media_reader_next. 1, or 0 when there is no key frame. until_us says how far the caller
 * will read. */
OKNO_CHECK int media_reader_start(struct media_reader *reader, int64_t at_us, int64_t until_us,
                                  struct media_packet_vec *packets, struct okno_err *err);

static inline bool media_is_video(const struct media_reader *reader, const AVPacket *packet)
{
    return packet->stream_index == reader->video->index;
}

/* The longest time one frame may stand for. */
static inline int64_t media_stale_us(int64_t frame_us)
{
    return 2 * frame_us > MEDIA_STALE_US ? 2 * frame_us : MEDIA_STALE_US;
}

#endif

/* The MP4 being written: one video track, at most one audio track, the index in front. What a
 * recorder made goes in byte for byte, except that start codes of H.264 and HEVC become lengths and
 * AAC loses the heads of its frames in a transport stream, as MP4 wants it. Times are integer
 * ticks, those of the first recording where it has up to a million a second. The first picture is
 * shown at 0, without an edit list; sound that begins later has one. New parameters of the encoder
 * become a sample entry more. Browsers know the first one only: where there are more, key frames of
 * H.264 and HEVC begin with their parameter sets. They lie before each key frame, as nobody's
 * bytes, until it is known that they are wanted. */
#ifndef MEDIA_WRITER_H
#define MEDIA_WRITER_H

#include "moov.h"
#include "reader.h"

enum { MEDIA_VIDEO, MEDIA_AUDIO, MEDIA_TRACKS };

struct media_writer {
    int fd;          /* the caller's */
    int64_t zero_us; /* clock time of the first recording's stamp 0 */
    struct media_track tracks[MEDIA_TRACKS];
    AVCodecParameters
        *codecs[MEDIA_TRACKS];    /* owned; the newest entry's; NULL: no such track yet */
    uint16_t entry[MEDIA_TRACKS]; /* the newest packet's */
    int width, height;            /* of the first entry */
    const struct media_reader
        *reader; /* whose packets came last; only compared; NULL: none of its yet */
    const struct media_reader *heard; /* whose sound did */
    bool sets_apart;                  /* its packets have no parameter sets of their own */
    struct okno_buf source;           /* owned; its encoder's parameters, as it has them */
    struct okno_buf converted;        /* owned; a packet */
    struct okno_buf held;             /* owned; media data not in the file yet */
    int64_t spilled;                  /* media data in the file, from its beginning */
};

/* Take what the tracks look like from the first recording and its first key frame. */
OKNO_CHECK int media_writer_open(int fd, const struct media_reader *first, const AVPacket *key,
                                 struct media_writer **ret_writer, struct okno_err *err);
void media_writer_close(struct media_writer *writer);
OKNO_CLEANUP(media_writer, media_writer_close);

/* A further recording begins. OKNO_UNSUPPORTED when it has another codec than the first one. */
OKNO_CHECK int media_writer_follow(struct media_writer *writer, const struct media_reader *reader,
                                   struct okno_err *err);

/* Make of the reader's next packet what the file will hold. 1, or 0 when it has no place there. */
OKNO_CHECK int media_writer_convert(struct media_writer *writer, const struct media_reader *reader,
                                    AVPacket *packet, struct okno_err *err);

/* Write a converted packet. */
OKNO_CHECK int media_writer_write(struct media_writer *writer, const struct media_reader *reader,
                                  const AVPacket *packet, struct okno_err *err);

/* Index and media data. */
OKNO_CHECK int media_writer_finish(struct media_writer *writer, struct okno_err *err);

/* --- convert.c, for writer.c -------------------------------------------------------------------
 */

/* Use the sample entry that describes `codec`; a new one where none of the track's does. */
OKNO_CHECK int media_writer_use(struct media_writer *writer, size_t track,
                                const AVCodecParameters *codec, AVRational aspect,
                                struct okno_err *err);

#endif

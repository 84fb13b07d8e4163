/* The MP4 being written: one video track, at most one audio track, index moved to the front. */
#ifndef MEDIA_WRITER_H
#define MEDIA_WRITER_H

#include "reader.h"

struct media_writer {
    int fd; /* the caller's */
    struct media_file *file;
    AVFormatContext *format;
    AVStream *video; /* inside format */
    AVStream *audio; /* inside format, or NULL */
    int64_t zero_us; /* clock time of the first recording's stamp 0 */
    int64_t
        base[2]; /* per output stream, in its ticks: the first key frame's stamp, which becomes 0 */
    int64_t last_dts[2]; /* per output stream, in its ticks */
};

/* Take codec parameters from the first recording. base is the first key frame. */
OKNO_CHECK int media_writer_open(int fd, const struct media_reader *first, const AVPacket *base,
                                 struct media_writer **ret_writer, struct okno_err *err);
void media_writer_close(struct media_writer *writer);
OKNO_CLEANUP(media_writer, media_writer_close);

/* OKNO_UNSUPPORTED when a further recording's codec differs from the first one's. */
OKNO_CHECK int media_writer_accepts(const struct media_writer *writer,
                                    const struct media_reader *reader, struct okno_err *err);

/* Write a packet of the reader; its payload and timing stay as they are. Consumes the packet. */
OKNO_CHECK int media_writer_write(struct media_writer *writer, const struct media_reader *reader,
                                  AVPacket *packet, struct okno_err *err);

/* Index, index to the front, fsync. */
OKNO_CHECK int media_writer_finish(struct media_writer *writer, struct okno_err *err);

#endif

/* Pictures out of packets, one thread, bounded. */
#ifndef MEDIA_DECODE_H
#define MEDIA_DECODE_H

#include "reader.h"

#include <libavcodec/avcodec.h>

OKNO_CHECK int media_decoder_new(const AVCodecParameters *codec, AVRational time_base,
                                 AVCodecContext **ret_decoder, struct okno_err *err);
OKNO_CHECK int media_decoder_open(const struct media_reader *reader, AVCodecContext **ret_decoder,
                                  struct okno_err *err);

static inline bool media_is_damaged(const AVFrame *frame)
{
    return frame->decode_error_flags != 0;
}

#define MEDIA_AUTO_FRAME __attribute__((cleanup(av_frame_free))) AVFrame
#define MEDIA_AUTO_CODEC __attribute__((cleanup(avcodec_free_context))) AVCodecContext
#define MEDIA_AUTO_PACKET __attribute__((cleanup(av_packet_free))) AVPacket

/* Write the picture as an upright JPEG with square pixels in full range, at most max_width wide
 * (0: as wide as it is). */
OKNO_CHECK int media_jpeg_write(const AVFrame *frame, AVRational aspect, int quarter_turns,
                                int max_width, int fd, int *ret_width, int *ret_height,
                                struct okno_err *err);

#endif

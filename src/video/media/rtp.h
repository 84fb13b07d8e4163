/* A kept replay (format "rtp": archive/rtp.h says how it is laid out): FFmpeg's demuxer of session
 * descriptions takes its packets apart. It cannot go back, only begin anew. */
#ifndef MEDIA_RTP_H
#define MEDIA_RTP_H

#include "reader.h"

#define MEDIA_RTP "rtp"

/* What a demuxer reads: the description first, then one packet at a time. */
struct media_rtp;

/* From the beginning of the bytes. OKNO_NO_MEMORY. */
OKNO_CHECK int media_rtp_new(AVIOContext *bytes, struct media_rtp **ret_rtp, struct okno_err *err);
void media_rtp_free(struct media_rtp *rtp);
AVIOContext *media_rtp_context(struct media_rtp *rtp);

/* The description was read; packets from now on. */
void media_rtp_start(struct media_rtp *rtp);

/* Give the first packet its time, which is 0: the demuxer forgets it. */
void media_rtp_stamp(struct media_rtp *rtp, AVPacket *packet);

/* What the demuxer must be told, added to `options`; a negative AVERROR. */
OKNO_CHECK int media_rtp_options(AVDictionary **options);

#endif

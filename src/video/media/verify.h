/* A look at what was written, through the same seam as at a recording. */
#ifndef MEDIA_VERIFY_H
#define MEDIA_VERIFY_H

#include "reader.h"

/* The first GOP of a clip, decoded packet by packet. Opaque. */
struct media_gop;
OKNO_CHECK int media_gop_new(const AVCodecParameters *codec, AVRational time_base,
                             struct media_gop **ret_gop, struct okno_err *err);
void media_gop_free(struct media_gop *gop);
OKNO_CLEANUP(media_gop, media_gop_free);

/* The next packet of the video; those behind the first GOP are ignored, failures are kept. */
void media_gop_take(struct media_gop *gop, const AVPacket *packet);

/* The clip in fd: first sample a key frame, as many frames as `result` says and as long, the first
 * GOP decodes without complaint. `early` (may be NULL) took the packets on their way into the file,
 * while others were awaited: what the file holds byte for byte is not decoded again.
 * OKNO_CHECK_FAILED says what is wrong. */
OKNO_CHECK int media_verify_clip(int fd, struct media_gop *early,
                                 const struct okno_media_result *result, struct okno_err *err);

#endif

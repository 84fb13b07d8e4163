/* Sample entries: what a decoder must know before the first sample. */
#ifndef MEDIA_ENTRY_H
#define MEDIA_ENTRY_H

#include "okno/buf.h"

#include <libavcodec/avcodec.h>
#include <stdbool.h>

/* Whether an MP4 of ours holds the codec. */
bool media_entry_knows(enum AVCodecID id);

/* Bytes of one sound sample of all channels where each is a sample of its own (PCM, G.711), or 0.
 */
uint32_t media_entry_frame_bytes(const AVCodecParameters *codec);

/* Append the sample entry. extradata is as MP4 has it: an avcC or hvcC record, the decoder's
 * specific information of an esds, an AV1 or Opus record. */
OKNO_CHECK int media_entry_add(const AVCodecParameters *codec, AVRational aspect,
                               struct okno_buf *to, struct okno_err *err);

#endif

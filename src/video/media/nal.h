/* H.264 and HEVC as MP4 holds them: each NAL unit behind its length instead of a start code, and
 * the parameter sets in a record of their own (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1). */
#ifndef MEDIA_NAL_H
#define MEDIA_NAL_H

#include "okno/buf.h"

#include <libavcodec/avcodec.h>
#include <stdbool.h>

/* Whether the bytes are NAL units behind start codes. */
bool media_nal_is_stream(const uint8_t *bytes, size_t len);

/* Append the units of `bytes`, each behind its length in four bytes. */
OKNO_CHECK int media_nal_convert(const uint8_t *bytes, size_t len, struct okno_buf *to,
                                 struct okno_err *err);

/* Append the record for the parameter sets that stand in `bytes` (a stream); each once. 1, or 0
 * with nothing appended when not all kinds of them are there. */
OKNO_CHECK int media_nal_record(const AVCodecParameters *codec, const uint8_t *bytes, size_t len,
                                struct okno_buf *to, struct okno_err *err);

/* Append the parameter sets of the codec's record (extradata) as units of a sample, each behind its
 * length in as many bytes as the record says. Nothing where it has none, or is none. */
OKNO_CHECK int media_nal_sets(const AVCodecParameters *codec, struct okno_buf *to,
                              struct okno_err *err);

/* Whether decoding may begin at this sample of an MP4, as its units say: HEVC's key frames of open
 * GOPs, too, which are no sync samples of the file. False for other codecs. */
bool media_nal_is_key(const AVCodecParameters *codec, const uint8_t *bytes, size_t len);

#endif

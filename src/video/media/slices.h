/* A short index for a window of an MP4 whose own index is long: a moov with the samples around the
 * window only, at their places in the file and at their times, made from slices of the tables
 * (table.h). Any demuxer reads it instead of the long one. Private to video/media. */
#ifndef MEDIA_SLICES_H
#define MEDIA_SLICES_H

#include "boxes.h"
#include "okno/buf.h"

#include <stdbool.h>

struct media_slices; /* opaque */

/* Look at the moov of what was found; `boxes` is read only now. 1; 0 when its tables are short, or
 * cannot be read in parts: then, and after a failure, which it would meet too, the demuxer reads
 * all of it. */
OKNO_CHECK int media_slices_open(const struct media_boxes *boxes, bool audio,
                                 struct media_slices **ret_slices, struct okno_err *err);
void media_slices_close(struct media_slices *slices);
OKNO_CLEANUP(media_slices, media_slices_close);

/* Append a moov for [from, to), in microseconds of presentation from the video's time 0 on (as its
 * stamps are after edit lists): from the last key frame before it on. The video's first sample is
 * always in it, so that its stamps are those of the whole recording. */
OKNO_CHECK int media_slices_make(struct media_slices *slices, int64_t from_us, int64_t to_us,
                                 struct okno_buf *moov, struct okno_err *err);

/* Of the video that the file really holds: frames, and microseconds from the first to the end of
 * the last. */
OKNO_CHECK int media_slices_length(struct media_slices *slices, int64_t *ret_frames,
                                   int64_t *ret_us, struct okno_err *err);

#endif

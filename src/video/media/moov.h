/* The index of an MP4 whose media data follow it: tables made of samples. */
#ifndef MEDIA_MOOV_H
#define MEDIA_MOOV_H

#include "okno/buf.h"
#include "okno/vec.h"

#include <stdbool.h>

struct media_sample {
    int64_t at; /* byte of the media data */
    int64_t pts, dts;
    uint32_t size;
    uint32_t lead;  /* bytes right before `at`: its encoder's parameter sets */
    uint16_t entry; /* its sample entry, from 0 */
    bool key;
};
OKNO_VEC(media_sample_vec, struct media_sample);

struct media_track {
    bool video;
    uint32_t timescale;     /* ticks a second */
    int64_t start;          /* tick that is time 0 of the file */
    int64_t lasts;          /* ticks of the last sample */
    uint32_t frame_bytes;   /* not 0: each tick is a sample of so many bytes (PCM, G.711) */
    uint32_t width, height; /* as shown, in 1/65536 pixel */
    int32_t matrix[9];
    uint32_t entry_count;
    struct okno_buf entries;         /* owned; sample entries, one behind the other */
    struct media_sample_vec samples; /* owned; in decode order, dts growing */
};
void media_track_clear(struct media_track *track);

/* Append everything that comes before the media data: their own head is the last. Tracks without
 * samples are left out. */
OKNO_CHECK int media_moov_add(const struct media_track *tracks, size_t count, int64_t media_bytes,
                              struct okno_buf *to, struct okno_err *err);

#endif

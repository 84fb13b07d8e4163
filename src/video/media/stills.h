/* Many stills of one recording, as they are made inside the sandboxed child. */
#ifndef MEDIA_STILLS_H
#define MEDIA_STILLS_H

#include "okno/view.h"

/* Behind the input: one of these, then the moments in ascending order. */
struct media_batch {
    int64_t next_from_us, next_error_us; /* of the recording that follows; INT64_MAX: none */
    int32_t max_width;                   /* made smaller when wider; 0: not */
    uint32_t count;
};

/* Comes back for each moment, in order; the JPEG follows. */
struct media_shot {
    int32_t code; /* 0, or why it has to be made by itself */
    int32_t width, height;
    uint32_t len; /* of the JPEG */
    int64_t frame_at_us, frame_us;
    struct okno_picture picture;
};

enum { MEDIA_BATCH = 256 };

/* A moment that this recording cannot answer has a code; only what spoils all of them fails. */
OKNO_CHECK int media_stills(const struct okno_media_input *input, const struct media_batch *batch,
                            const int64_t *moments, int fd, struct okno_media_result *ret_result,
                            struct okno_err *err);

#endif

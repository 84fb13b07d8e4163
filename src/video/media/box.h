/* Boxes of an MP4 (ISO/IEC 14496-12), written one inside the other. */
#ifndef MEDIA_BOX_H
#define MEDIA_BOX_H

#include "bytes.h"

#include "okno/buf.h"

/* The first failure stays in rc; what is put afterwards is ignored. */
struct media_box_out {
    struct okno_buf *to; /* the caller's */
    int rc;
    struct okno_err *err;
};

void media_box_bytes(struct media_box_out *out, const void *bytes, size_t len);
void media_box_zeros(struct media_box_out *out, size_t len);
void media_box_put(struct media_box_out *out, uint64_t value, int bytes); /* 1 to 8, high first */

/* Begin a box; end it with what this returned. */
size_t media_box_begin(struct media_box_out *out, const char type[4]);
size_t media_box_begin_full(struct media_box_out *out, const char type[4], uint32_t version_flags);
void media_box_end(struct media_box_out *out, size_t begun);

#endif

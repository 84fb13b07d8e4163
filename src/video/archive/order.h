/* From dated file names to pieces in order of time: which of two meanings a doubled hour has, where
 * each recording ends, which one still grows. Pure. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_ORDER_H
#define OKNO_VIDEO_ARCHIVE_ORDER_H

#include "template.h"

#include "okno/archive.h"

/* A file whose name was read. The texts belong to the listing. */
struct record {
    struct template_instant at;
    int64_t mtime_us; /* -1 unknown */
    bool fresh;       /* of an unknown time, but written to just now */
    int64_t size;     /* -1 unknown */
    const char *folder, *name;
};
OKNO_VEC(record_vec, struct record);

struct order_request {
    int64_t from_us, to_us; /* pieces that overlap this are wanted */
    int64_t now_us;         /* the clock the mtimes were made with */
    const char *format;     /* demuxer name */
};

/* Append the pieces. The records must hold what lies around the interval, or ends and meanings are
 * guessed wider. OKNO_NO_MEMORY. */
OKNO_CHECK int order_pieces(const struct record_vec *records, const struct order_request *request,
                            struct okno_piece_vec *pieces, struct okno_err *err);

#endif

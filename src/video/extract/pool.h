/* The recordings around a window, listed and opened only when read. Private to video/extract. */
#ifndef EXTRACT_POOL_H
#define EXTRACT_POOL_H

#include "index.h"
#include "recent.h"

#include "okno/extract.h"

/* A recording that opens itself on the first read, so that naming it costs nothing. */
struct pool_item {
    struct okno_source source; /* what media reads; its ctx is this item */
    struct okno_archive *archive;
    const struct okno_piece *piece; /* inside pool->pieces */
    struct okno_source *real;       /* owned; NULL until read */
    const struct okno_extract_camera *camera;
    struct index *index;                /* owned; NULL: none is kept */
    bool index_open;                    /* it was looked for */
    struct okno_extract_recent *recent; /* not owned; NULL: what was read is not kept */
    uint8_t recent_key[16];             /* of this recording in it */
    bool recalls;                       /* some of it was there before */
    int64_t media_from, media_to;       /* planned: bytes of pictures, not kept in the index */
    bool read;                          /* from the archive, or from what was kept of it */
    bool gone;                          /* vanished between listing and reading */
    bool dropped;                       /* not to be used */
};

struct pool {
    const struct okno_extract_camera *camera;
    struct okno_piece_vec pieces; /* owned */
    struct pool_item *items;      /* owned; one per piece */
};

/* Each call of extract.h begins with this. */
void pool_begin(const struct okno_extract_camera *camera);

/* List the pieces that may show something in [from, to) of index time. OKNO_TOO_LARGE past the
 * limit. */
OKNO_CHECK int pool_list(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
                         struct pool *ret_pool, struct okno_err *err);
void pool_free(struct pool *pool);

/* Done with reading item i for now; its index is kept. */
void pool_rest(struct pool *pool, size_t i);

/* What is known may be wrong: forget the indexes of all recordings that were read, and what was
 * fetched lately. Whether some of that is from an earlier time: then it is worth trying again. */
bool pool_doubt(struct pool *pool);
#define POOL_AUTO __attribute__((cleanup(pool_free))) struct pool

/* What the recording holds, from memory or by reading its index and end. OKNO_MEDIA and
 * OKNO_UNSUPPORTED for a recording that cannot be used, remembered too. */
OKNO_CHECK int pool_probe(struct pool *pool, size_t i, struct okno_media_info *ret_info,
                          struct okno_err *err);

/* Whether a code is about one recording only, so that the others can go on. */
static inline bool pool_spoils_one(int code)
{
    return code == OKNO_MEDIA || code == OKNO_UNSUPPORTED;
}

/* `trouble` of a recording that spoils itself, but of one that is still written only that it is too
 * early: OKNO_NOT_YET, for an MP4 has its index at its end. */
void pool_why(const struct okno_piece *piece, const struct okno_err *trouble,
              struct okno_err *ret_why);

#endif

/* A recording that is read by position: the seam between transport (archive kinds) and media.
 * Media code reads nothing but sources; it never opens a path or a URL. */
#ifndef OKNO_SOURCE_H
#define OKNO_SOURCE_H

#include "okno/err.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The time of a frame that its recording tells. */
struct okno_frame_time {
    int64_t media_us; /* since the first frame */
    int64_t utc_us;
};

struct okno_source {
    int64_t size; /* bytes */
    void *ctx;
    /* Read up to `len` bytes at `offset`; *ret_got is less than len only at the end. Blocks up to
     * the deadline of the archive it came from. */
    int (*read_at)(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                   struct okno_err *err);
    /* The bytes [from, to) will be read in order, all of them: one request can bring them. Replaces
     * the plan before; a hint. May be NULL. */
    void (*plan)(void *ctx, int64_t from, int64_t to);
    /* The same for bytes that say where things are: worth keeping for the next reader. May be NULL.
     */
    void (*plan_index)(void *ctx, int64_t from, int64_t to);
    /* Wait until `fd` can be read, wait_us at most, and let what was planned come meanwhile. Before
     * the first read of a recording its beginning comes, which every reader wants. May return
     * early; may be NULL. */
    void (*await)(void *ctx, int fd, int64_t wait_us);
    void (*close)(void *ctx); /* may be NULL */
    /* Cost so far, for provenance and the benchmark. */
    int64_t requests;
    int64_t bytes_read;
    /* What opening it told about the piece's time, better than the list knew; without `dated` the
     * piece's own times stand. */
    bool dated;
    int64_t from_us, error_us;
    /* Per-frame times in order, where the archive gives them; owned by ctx. The piece's time is
     * made of them: the first is its anchor, the largest deviation from a steady clock its error.
     */
    const struct okno_frame_time *times;
    size_t time_count;
};

static inline void okno_source_plan_index(struct okno_source *source, int64_t from, int64_t to)
{
    if (source->plan_index)
        source->plan_index(source->ctx, from, to);
    else if (source->plan)
        source->plan(source->ctx, from, to);
}

/* Close and free; NULL allowed. */
static inline void okno_source_close(struct okno_source *source)
{
    if (!source)
        return;
    if (source->close)
        source->close(source->ctx);
    free(source);
}
OKNO_CLEANUP(okno_source, okno_source_close);

#endif

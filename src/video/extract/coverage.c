#define _POSIX_C_SOURCE 200809L
#include "pool.h"

struct merging {
    int64_t from_us, to_us; /* asked, index time */
    int64_t offset_us;
    struct okno_interval open;       /* the span being grown; empty while to <= from */
    int64_t error_us;                /* of the last recording in it */
    struct okno_interval_vec *spans; /* UTC */
};

static int merge_close(struct merging *m)
{
    int64_t from = m->open.from_us > m->from_us ? m->open.from_us : m->from_us;
    int64_t to = m->open.to_us < m->to_us ? m->open.to_us : m->to_us;
    m->open = (struct okno_interval){0};
    if (from >= to)
        return 0;
    return okno_interval_vec_push(m->spans,
                                  (struct okno_interval){from - m->offset_us, to - m->offset_us});
}

/* Pieces come in order of their beginning. */
static int merge_add(struct merging *m, const struct okno_piece *piece,
                     const struct okno_media_info *info)
{
    struct okno_interval span = {piece->from_us, piece->from_us + info->duration_us};
    int64_t error = piece->error_us > m->error_us ? piece->error_us : m->error_us;
    bool touches = m->open.to_us > m->open.from_us &&
                   span.from_us - m->open.to_us <= 2 * info->frame_us + error;
    int rc = touches ? 0 : merge_close(m);
    if (!touches)
        m->open = span;
    else if (span.to_us > m->open.to_us)
        m->open.to_us = span.to_us;
    m->error_us = piece->error_us;
    return rc;
}

struct covering {
    struct merging merging;
    struct okno_err unreadable; /* the last recording that is a hole for that reason */
    int64_t error_us;
    bool again; /* listed before: what is gone is gone */
};

/* 1 when the recording had vanished and the list must be made again. */
static int cover_piece(struct covering *c, struct pool *pool, size_t i, struct okno_err *err)
{
    struct okno_media_info info = {0};
    struct okno_err trouble = {0};
    const struct okno_piece *piece = &pool->pieces.items[i];
    int rc = pool->items[i].gone ? OKNO_GONE : pool_probe(pool, i, &info, &trouble);
    if (rc == OKNO_GONE)
        return c->again ? 0 : 1;
    if (pool_spoils_one(rc)) {
        c->unreadable = trouble;
        return 0;
    }
    if (rc < 0)
        return okno_fail(err, rc, "%s", trouble.text);
    bool counts =
        piece->from_us < c->merging.to_us && piece->from_us + info.duration_us > c->merging.from_us;
    if (counts && piece->error_us > c->error_us)
        c->error_us = piece->error_us;
    return merge_add(&c->merging, piece, &info) < 0 ? okno_fail(err, OKNO_NO_MEMORY, "no memory")
                                                    : 0;
}

static int cover(const struct okno_extract_camera *camera, struct covering *c, struct okno_err *err)
{
    POOL_AUTO pool = {0};
    struct merging *m = &c->merging;
    int rc = pool_list(camera, m->from_us, m->to_us, &pool, err);
    for (size_t i = 0; rc == 0 && i < pool.pieces.len; i++)
        rc = cover_piece(c, &pool, i, err);
    if (rc != 0)
        return rc;
    if (merge_close(m) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for recorded spans");
    if (m->spans->len == 0 && c->unreadable.code)
        return okno_fail(err, c->unreadable.code, "%s", c->unreadable.text);
    return 0;
}

int okno_extract_coverage(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
                          struct okno_interval_vec *spans, int64_t *ret_error_us,
                          struct okno_err *err)
{
    if (from_us >= to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the interval ends before it begins");
    for (int round = 0;; round++) {
        OKNO_AUTO_VEC(okno_interval_vec) found = {0};
        struct covering c = {.merging = {.from_us = from_us + camera->index_offset_us,
                                         .to_us = to_us + camera->index_offset_us,
                                         .offset_us = camera->index_offset_us,
                                         .spans = &found},
                             .again = round > 0};
        int rc = cover(camera, &c, err);
        if (rc < 0)
            return rc;
        for (size_t i = 0; rc == 0 && i < found.len; i++)
            if (okno_interval_vec_push(spans, found.items[i]) < 0)
                return okno_fail(err, OKNO_NO_MEMORY, "no memory for recorded spans");
        if (rc == 0) {
            *ret_error_us = c.error_us;
            return 0;
        }
    }
}

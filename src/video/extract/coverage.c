#define _POSIX_C_SOURCE 200809L
#include "pool.h"

struct covering {
    int64_t from_us, to_us;              /* asked, index time */
    struct okno_extract_span open;       /* the span being grown; empty while to <= from */
    int64_t error_us;                    /* of the last recording in it */
    struct okno_extract_span_vec *spans; /* index time */
    struct okno_err unreadable;          /* the last recording that is a hole for that reason */
    bool again;                          /* listed before: what is gone is gone */
};

static int span_close(struct covering *c)
{
    struct okno_extract_span span = c->open;
    c->open = (struct okno_extract_span){0};
    span.from_us = span.from_us > c->from_us ? span.from_us : c->from_us;
    span.to_us = span.to_us < c->to_us ? span.to_us : c->to_us;
    return span.from_us < span.to_us ? okno_extract_span_vec_push(c->spans, span) : 0;
}

/* Pieces come in order of their beginning. */
static int span_add(struct covering *c, const struct okno_piece *piece,
                    const struct okno_media_info *info)
{
    struct okno_extract_span *open = &c->open;
    int64_t to_us = piece->from_us + info->duration_us;
    int64_t error = piece->error_us > c->error_us ? piece->error_us : c->error_us;
    bool touches =
        open->to_us > open->from_us && piece->from_us - open->to_us <= 2 * info->frame_us + error;
    int rc = touches ? 0 : span_close(c);
    if (!touches)
        *open = (struct okno_extract_span){.from_us = piece->from_us, .to_us = to_us};
    open->to_us = to_us > open->to_us ? to_us : open->to_us;
    open->error_us = piece->error_us > open->error_us ? piece->error_us : open->error_us;
    open->flags |= piece->flags & (OKNO_SPAN_GROWING | OKNO_SPAN_AMBIGUOUS);
    c->error_us = piece->error_us;
    return rc;
}

/* 1 when the recording had vanished and the list must be made again. */
static int cover_piece(struct covering *c, struct pool *pool, size_t i, struct okno_err *err)
{
    struct okno_media_info info = {0};
    struct okno_err trouble = {0};
    const struct okno_piece *piece = &pool->pieces.items[i];
    int rc = pool->items[i].gone ? OKNO_GONE : pool_probe(pool, i, &info, &trouble);
    if (rc == OKNO_GONE && !c->again)
        return 1;
    if (rc == OKNO_GONE && !trouble.code)
        (void)okno_fail(&trouble, rc, "%s: listed, but cannot be had", piece->name);
    if (rc == OKNO_GONE || pool_spoils_one(rc)) {
        pool_why(piece, &trouble, &c->unreadable);
        return 0;
    }
    if (rc < 0)
        return okno_fail_from(err, &trouble);
    return span_add(c, piece, &info) < 0 ? okno_fail(err, OKNO_NO_MEMORY, "no memory") : 0;
}

static int cover(const struct okno_extract_camera *camera, struct covering *c, struct okno_err *err)
{
    POOL_AUTO pool = {0};
    int rc = pool_list(camera, c->from_us, c->to_us, &pool, err);
    for (size_t i = 0; rc == 0 && i < pool.pieces.len; i++)
        rc = cover_piece(c, &pool, i, err);
    if (rc != 0)
        return rc;
    if (span_close(c) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for recorded spans");
    if (c->spans->len == 0 && c->unreadable.code)
        return okno_fail_from(err, &c->unreadable);
    return 0;
}

/* The archive tells by itself. Its neighbours touch within what their times may be off. */
static int ask_spans(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
                     struct okno_extract_span_vec *spans, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_span_vec) told = {0};
    struct covering c = {.from_us = from_us, .to_us = to_us, .spans = spans};
    int rc = okno_archive_coverage(camera->archive, camera->channel, from_us, to_us, &told, err);
    for (size_t i = 0; rc == 0 && i < told.len; i++) {
        const struct okno_span *span = &told.items[i];
        const struct okno_piece piece = {
            .from_us = span->from_us, .error_us = span->error_us, .flags = span->flags};
        const struct okno_media_info info = {.duration_us = span->to_us - span->from_us};
        if (span_add(&c, &piece, &info) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for recorded spans");
    }
    return rc == 0 && span_close(&c) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for recorded spans")
               : rc;
}

static int find_spans(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
                      struct okno_extract_span_vec *found, struct okno_err *err)
{
    int rc = 1;
    if (okno_archive_has_coverage(camera->archive))
        return ask_spans(camera, from_us, to_us, found, err);
    for (int round = 0; rc == 1; round++) {
        struct covering c = {
            .from_us = from_us, .to_us = to_us, .spans = found, .again = round > 0};
        found->len = 0;
        rc = cover(camera, &c, err);
    }
    return rc;
}

int okno_extract_spans(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
                       struct okno_extract_span_vec *spans, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_extract_span_vec) found = {0};
    int64_t offset = camera->index_offset_us;
    if (from_us >= to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the interval ends before it begins");
    pool_begin(camera);
    int rc = find_spans(camera, from_us + offset, to_us + offset, &found, err);
    for (size_t i = 0; rc == 0 && i < found.len; i++) {
        found.items[i].from_us -= offset;
        found.items[i].to_us -= offset;
        if (okno_extract_span_vec_push(spans, found.items[i]) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for recorded spans");
    }
    return rc;
}

int okno_extract_coverage(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
                          struct okno_interval_vec *spans, int64_t *ret_error_us,
                          struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_extract_span_vec) found = {0};
    int64_t error_us = 0;
    int rc = okno_extract_spans(camera, from_us, to_us, &found, err);
    for (size_t i = 0; rc == 0 && i < found.len; i++) {
        const struct okno_extract_span *span = &found.items[i];
        error_us = span->error_us > error_us ? span->error_us : error_us;
        if (okno_interval_vec_push(spans, (struct okno_interval){span->from_us, span->to_us}) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for recorded spans");
    }
    if (rc == 0)
        *ret_error_us = error_us;
    return rc;
}

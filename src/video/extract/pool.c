#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "memo.h"

#include "okno/time.h"

#include <string.h>

enum { MAX_PIECES = 20000 };

#define NAME_SLACK_US (2 * OKNO_SECOND_US)

/* When to look again whether a recorder has ended a recording. */
#define AGAIN_US (60 * OKNO_SECOND_US)

/* Behind the planned pictures lies what was read to see where they end. */
#define MEDIA_SLACK (INT64_C(2) * 1024 * 1024)

static bool is_media(const struct pool_item *item, int64_t offset)
{
    return offset >= item->media_from && offset < item->media_to + MEDIA_SLACK;
}

static struct index *index_of(struct pool_item *item)
{
    if (!item->index_open && item->camera->index_dir)
        item->index = index_open(item->camera->index_dir, item->camera->index_key,
                                 item->camera->archive_id, item->camera->archive_url, item->piece);
    item->index_open = true;
    return item->index;
}

/* From the archive. A recording on this machine is its own index. */
static int real_read(struct pool_item *item, int64_t offset, void *into, size_t len,
                     size_t *ret_got, struct okno_err *err)
{
    int rc = 0;
    if (!item->real)
        rc = okno_archive_source(item->archive, item->piece, &item->real, err);
    if (rc == 0)
        rc = item->real->read_at(item->real->ctx, offset, into, len, ret_got, err);
    if (rc == 0 && item->real->plan && is_media(item, offset))
        recent_put(item->recent, item->recent_key, offset, into, *ret_got);
    else if (rc == 0 && item->real->plan)
        index_put(index_of(item), offset, into, *ret_got);
    item->gone = item->gone || rc == OKNO_GONE;
    return rc;
}

/* How much is known from `offset` on, up to `len` bytes without a hole. */
static size_t known(struct pool_item *item, int64_t offset, void *into, size_t len)
{
    size_t got = 0;
    size_t more = 1;
    while (got < len && more > 0) {
        uint8_t *at = (uint8_t *)into + got;
        more = index_get(index_of(item), offset + (int64_t)got, at, len - got);
        if (more == 0)
            more = recent_get(item->recent, item->recent_key, offset + (int64_t)got, at, len - got);
        got += more;
    }
    return got;
}

static int item_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                     struct okno_err *err)
{
    struct pool_item *item = ctx;
    item->read = true;
    size_t got = known(item, offset, into, len);
    size_t more = 0;
    int rc = got == len ? 0
                        : real_read(item, offset + (int64_t)got, (uint8_t *)into + got, len - got,
                                    &more, err);
    *ret_got = got + more;
    return rc;
}

static void real_plan(struct pool_item *item, int64_t from, int64_t to)
{
    if (!item->real && okno_archive_source(item->archive, item->piece, &item->real, NULL) < 0)
        return; /* the read that follows says why */
    if (item->real->plan)
        item->real->plan(item->real->ctx, from, to);
}

/* The first byte that is not known. */
static int64_t skip_known(struct pool_item *item, int64_t from, int64_t to)
{
    int64_t got = 1;
    while (from < to && got > 0) {
        got = index_known(index_of(item), from, to);
        if (got == 0)
            got = (int64_t)recent_get(item->recent, item->recent_key, from, NULL,
                                      (size_t)(to - from));
        from += got;
    }
    return from;
}

/* Planned without what is known at either end. */
static void item_plan(void *ctx, int64_t from, int64_t to)
{
    struct pool_item *item = ctx;
    item->media_from = from;
    item->media_to = to;
    from = skip_known(item, from, to);
    int64_t next = recent_next(item->recent, item->recent_key, from, to);
    if (next < to && skip_known(item, next, to) == to)
        to = next;
    if (from < to)
        real_plan(item, from, to);
}

/* Planned from the first byte on that is not known. */
static void item_plan_index(void *ctx, int64_t from, int64_t to)
{
    struct pool_item *item = ctx;
    item->media_from = item->media_to = -MEDIA_SLACK;
    from = skip_known(item, from, to);
    if (from < to)
        real_plan(item, from, to);
}

static void item_await(void *ctx, int fd, int64_t wait_us)
{
    struct pool_item *item = ctx;
    uint8_t first = 0;
    bool ahead = !item->real && !item->gone && item->piece->size > 0 &&
                 index_get(index_of(item), 0, &first, 1) == 0;
    if (ahead && okno_archive_source(item->archive, item->piece, &item->real, NULL) < 0)
        return; /* the read that follows says why */
    if (item->real && item->real->await)
        item->real->await(item->real->ctx, fd, wait_us);
}

/* What a recording tells of its own time is better than the list. Frames with times of their own:
 * one line through the first, as far off as the worst of the others. */
static void take_dates(struct okno_piece *piece, const struct okno_source *source)
{
    if (source->dated) {
        piece->from_us = source->from_us;
        piece->error_us = source->error_us;
    }
    if (source->time_count == 0)
        return;
    const struct okno_frame_time *first = &source->times[0];
    int64_t worst = 0;
    piece->from_us = first->utc_us - first->media_us;
    for (size_t i = 1; i < source->time_count; i++) {
        int64_t off = source->times[i].utc_us - source->times[i].media_us - piece->from_us;
        worst = llabs(off) > worst ? llabs(off) : worst;
    }
    piece->error_us = worst;
    piece->flags &= ~(unsigned)OKNO_PIECE_ZERO;
    piece->anchor = OKNO_ANCHOR_FRAME;
}

/* A size that the listing does not tell is asked for now. */
static int item_prepare(struct pool *pool, size_t i, struct okno_err *err)
{
    struct pool_item *item = &pool->items[i];
    *item = (struct pool_item){.camera = pool->camera,
                               .archive = pool->camera->archive,
                               .piece = &pool->pieces.items[i],
                               .media_from = -MEDIA_SLACK,
                               .media_to = -MEDIA_SLACK};
    item->source = (struct okno_source){.size = item->piece->size,
                                        .ctx = item,
                                        .read_at = item_read,
                                        .plan = item_plan,
                                        .plan_index = item_plan_index,
                                        .await = item_await};
    if (recent_key(pool->camera, item->piece, item->recent_key))
        item->recent = pool->camera->recent;
    okno_extract_recent_expire(item->recent, okno_time_monotonic());
    item->recalls = recent_next(item->recent, item->recent_key, 0, INT64_MAX) < INT64_MAX;
    if (item->piece->size >= 0)
        return 0;
    struct okno_err trouble = {0};
    int rc = okno_archive_source(item->archive, item->piece, &item->real, &trouble);
    item->gone = rc == OKNO_GONE;
    if (rc < 0 && !item->gone)
        return okno_fail_from(err, &trouble);
    item->source.size = item->real ? item->real->size : 0;
    if (item->real)
        take_dates(&pool->pieces.items[i], item->real);
    return 0;
}

/* Forget the pieces that end before from_us, but not the last of them while it may well last twice
 * as long as the archive inferred. */
static void keep_near(struct okno_piece_vec *pieces, int64_t from_us)
{
    size_t kept = 0;
    size_t last = pieces->len; /* of those that begin before from_us */
    for (size_t i = 0; i < pieces->len && pieces->items[i].from_us <= from_us; i++)
        last = i;
    for (size_t i = 0; i < pieces->len; i++) {
        const struct okno_piece *piece = &pieces->items[i];
        int64_t reach = piece->to_us + NAME_SLACK_US;
        if (i == last && (piece->flags & OKNO_SPAN_APPROX))
            reach += piece->to_us - piece->from_us;
        if (reach > from_us)
            pieces->items[kept++] = *piece;
    }
    pieces->len = kept;
}

static int pool_prepare(struct pool *pool, int64_t from_us, struct okno_err *err)
{
    keep_near(&pool->pieces, from_us);
    if (pool->pieces.len > MAX_PIECES)
        return okno_fail(err, OKNO_TOO_LARGE,
                         "%zu recordings in that time; at most %d: ask for less", pool->pieces.len,
                         MAX_PIECES);
    pool->items = calloc(pool->pieces.len + 1, sizeof(*pool->items));
    if (!pool->items)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < pool->pieces.len; i++)
        rc = item_prepare(pool, i, err);
    return rc;
}

void pool_begin(const struct okno_extract_camera *camera)
{
    const struct okno_budget none = OKNO_BUDGET_INIT;
    okno_archive_begin(camera->archive, camera->budget ? camera->budget : &none);
}

int pool_list(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
              struct pool *ret_pool, struct okno_err *err)
{
    struct pool pool = {.camera = camera};
    struct okno_archive_caps caps;
    okno_archive_caps(camera->archive, &caps);
    int rc = okno_archive_pieces(camera->archive, camera->channel,
                                 from_us - caps.look_back_us - caps.preroll_us, to_us, &pool.pieces,
                                 err);
    if (rc == 0)
        rc = pool_prepare(&pool, from_us - caps.preroll_us, err);
    if (rc < 0) {
        pool_free(&pool);
        return rc;
    }
    *ret_pool = pool;
    return 0;
}

void pool_rest(struct pool *pool, size_t i)
{
    struct pool_item *item = &pool->items[i];
    okno_source_close(item->real);
    item->real = NULL;
    if (item->gone) {
        index_drop(item->index);
        okno_extract_recent_expire(item->recent, INT64_MAX);
    } else
        index_close(item->index);
    item->index = NULL;
    item->index_open = false;
}

bool pool_doubt(struct pool *pool)
{
    bool kept = false;
    for (size_t i = 0; i < pool->pieces.len; i++) {
        struct pool_item *item = &pool->items[i];
        kept = kept || item->recalls || index_is_kept(item->index);
        item->recalls = false;
        index_drop(item->index);
        item->index = NULL;
        okno_extract_recent_expire(item->recent, INT64_MAX);
    }
    return kept;
}

void pool_free(struct pool *pool)
{
    for (size_t i = 0; pool->items && i < pool->pieces.len; i++)
        pool_rest(pool, i);
    free(pool->items);
    okno_piece_vec_free(&pool->pieces);
    *pool = (struct pool){0};
}

int pool_probe(struct pool *pool, size_t i, struct okno_media_info *ret_info, struct okno_err *err)
{
    const struct okno_piece *piece = &pool->pieces.items[i];
    const struct memo_entry *known = memo_find(pool->camera->archive, piece);
    if (known && known->code < 0)
        return okno_fail(err, known->code, "%s: not a readable recording", piece->name);
    struct okno_media_info info = {0};
    if (known) {
        info.duration_us = known->duration_us;
        info.frame_us = known->frame_us;
        *ret_info = info;
        return 0;
    }
    struct okno_err trouble = {0};
    int rc = okno_media_probe(&pool->items[i].source, piece->format, &info, &trouble);
    if (rc == OKNO_MEDIA && pool_doubt(pool))
        rc = okno_media_probe(&pool->items[i].source, piece->format, &info, &trouble);
    if (rc == 0 || pool_spoils_one(rc))
        memo_keep(pool->camera->archive, piece, rc, rc == 0 ? &info : NULL);
    if (rc < 0) {
        okno_err_context(&trouble, "%s", piece->name);
        return okno_fail_from(err, &trouble);
    }
    *ret_info = info;
    return 0;
}

void pool_why(const struct okno_piece *piece, const struct okno_err *trouble,
              struct okno_err *ret_why)
{
    *ret_why = *trouble;
    if (trouble->code != OKNO_MEDIA || !(piece->flags & OKNO_SPAN_GROWING))
        return;
    okno_err_clear(ret_why);
    (void)okno_fail_retry(ret_why, OKNO_NOT_YET, AGAIN_US,
                          "%s is still being recorded and cannot be read before it has ended",
                          piece->name);
}

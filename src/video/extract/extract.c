#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "okno/time.h"

/* What is asked, in index time. */
struct request {
    const struct okno_extract_camera *camera;
    int64_t from_us, to_us; /* equal for a still */
    bool still, audio;
    const char *out_path;
};

/* A still looks back over its age limit, and on to see whether the recording goes on. */
#define STILL_REACH_US (3 * OKNO_SECOND_US)

static size_t inputs_of(struct pool *pool, struct okno_media_input *inputs)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->pieces.len; i++) {
        const struct okno_piece *piece = &pool->pieces.items[i];
        if (pool->items[i].dropped)
            continue;
        inputs[count++] = (struct okno_media_input){.source = &pool->items[i].source,
                                                    .format = piece->format,
                                                    .from_us = piece->from_us,
                                                    .error_us = piece->error_us,
                                                    .from_zero = piece->flags & OKNO_PIECE_ZERO,
                                                    .name = piece->name};
    }
    return count;
}

static int media_once(const struct request *request, struct pool *pool,
                      struct okno_media_result *result, struct okno_err *err)
{
    okno_autofree struct okno_media_input *inputs = calloc(pool->pieces.len + 1, sizeof(*inputs));
    if (!inputs)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    size_t count = inputs_of(pool, inputs);
    return request->still
               ? okno_media_still(inputs, count, request->from_us, request->out_path, result, err)
               : okno_media_clip(inputs, count, request->from_us, request->to_us, request->audio,
                                 request->out_path, result, err);
}

/* Put aside what vanished or, after `code` said so, cannot be read; `first` is told of what is only
 * too early. Returns how many, or a negative code. */
static int drop_spoiled(struct pool *pool, int code, struct okno_err *first, struct okno_err *err)
{
    int dropped = 0;
    for (size_t i = 0; i < pool->pieces.len; i++) {
        struct pool_item *item = &pool->items[i];
        struct okno_media_info info = {0};
        struct okno_err trouble = {0};
        if (item->dropped)
            continue;
        int rc = item->gone ? OKNO_GONE : 0;
        if (rc == 0 && code == OKNO_MEDIA)
            rc = pool_probe(pool, i, &info, &trouble);
        if (rc < 0 && rc != OKNO_GONE && !pool_spoils_one(rc))
            return okno_fail_from(err, &trouble);
        item->dropped = rc < 0;
        dropped += rc < 0;
        struct okno_err why = {0};
        pool_why(&pool->pieces.items[i], &trouble, &why);
        if (why.code == OKNO_NOT_YET)
            *first = why;
    }
    return dropped;
}

/* What could not even be opened, listed twice: no part of anything. */
static void drop_gone(struct pool *pool, struct okno_err *first)
{
    for (size_t i = 0; i < pool->pieces.len; i++)
        if (pool->items[i].gone && !pool->items[i].dropped) {
            pool->items[i].dropped = true;
            (void)okno_fail(first, OKNO_GONE, "%s: listed, but cannot be had",
                            pool->pieces.items[i].name);
        }
}

/* Try, putting aside recordings that fail by themselves; when nothing else is there, the first
 * complaint stands. */
static int media_robust(const struct request *request, struct pool *pool, bool again,
                        struct okno_media_result *result, struct okno_err *err)
{
    struct okno_err first = {0};
    drop_gone(pool, &first);
    for (;;) {
        struct okno_err trouble = {0};
        int rc = media_once(request, pool, result, &trouble);
        if (rc == 0)
            return 0;
        if ((rc == OKNO_MEDIA || rc == OKNO_CHECK_FAILED) && pool_doubt(pool))
            continue;
        if (rc == OKNO_GONE && !again)
            return okno_fail_from(err, &trouble);
        if (!first.code || rc != OKNO_NO_COVERAGE)
            first = first.code && rc == OKNO_MEDIA ? first : trouble;
        int dropped = rc == OKNO_MEDIA || rc == OKNO_GONE ? drop_spoiled(pool, rc, &first, err) : 0;
        if (dropped < 0)
            return dropped;
        if (dropped == 0)
            return okno_fail_from(err, &first);
    }
}

static bool has_vanished(const struct pool *pool)
{
    for (size_t i = 0; i < pool->pieces.len; i++)
        if (pool->items[i].gone)
            return true;
    return false;
}

/* Count what was read, and name it. */
static int account(const struct pool *pool, bool name, struct okno_extract_result *result,
                   struct okno_err *err)
{
    for (size_t i = 0; i < pool->pieces.len; i++) {
        const struct pool_item *item = &pool->items[i];
        result->requests += item->real ? item->real->requests : 0;
        result->bytes_read += item->real ? item->real->bytes_read : 0;
        if (name && item->read && !item->dropped &&
            okno_piece_vec_push(&result->pieces, pool->pieces.items[i]) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return 0;
}

static void to_utc(struct okno_media_result *media, int64_t offset_us)
{
    media->got_from_us -= offset_us;
    media->got_to_us -= offset_us;
    media->first_frame_us -= offset_us;
    media->last_frame_us -= offset_us;
    for (size_t i = 0; i < media->gaps.len; i++) {
        media->gaps.items[i].from_us -= offset_us;
        media->gaps.items[i].to_us -= offset_us;
    }
}

/* One listing and what can be had from it. 1: something vanished in between, list again. */
static int take_once(const struct request *request, bool again, struct okno_extract_result *result,
                     struct okno_err *err)
{
    POOL_AUTO pool = {0};
    struct okno_err trouble = {0};
    int64_t reach = request->still ? STILL_REACH_US : 0;
    int rc =
        pool_list(request->camera, request->from_us - reach, request->to_us + reach, &pool, err);
    if (rc < 0)
        return rc;
    rc = has_vanished(&pool) && !again
             ? OKNO_GONE
             : media_robust(request, &pool, again, &result->media, &trouble);
    int counted = account(&pool, rc == 0, result, err);
    if (rc < 0 && !again && has_vanished(&pool))
        return 1;
    if (rc == 0 && counted < 0)
        (void)unlink(request->out_path);
    return rc < 0 ? okno_fail_from(err, &trouble) : counted;
}

void okno_extract_result_free(struct okno_extract_result *result)
{
    if (!result)
        return;
    okno_media_result_free(&result->media);
    okno_piece_vec_free(&result->pieces);
    *result = (struct okno_extract_result){0};
}

static int take(const struct request *request, struct okno_extract_result *ret_result,
                struct okno_err *err)
{
    struct okno_extract_result result = {0};
    pool_begin(request->camera);
    int rc = take_once(request, false, &result, err);
    if (rc == 1)
        rc = take_once(request, true, &result, err);
    if (rc < 0) {
        okno_extract_result_free(&result);
        return rc;
    }
    to_utc(&result.media, request->camera->index_offset_us);
    *ret_result = result;
    return 0;
}

int okno_extract_clip(const struct okno_extract_camera *camera, int64_t from_us, int64_t to_us,
                      bool audio, const char *out_path, struct okno_extract_result *ret_result,
                      struct okno_err *err)
{
    if (from_us >= to_us)
        return okno_fail_field(err, OKNO_INVALID, "to", "the interval ends before it begins");
    struct request request = {.camera = camera,
                              .from_us = from_us + camera->index_offset_us,
                              .to_us = to_us + camera->index_offset_us,
                              .audio = audio,
                              .out_path = out_path};
    return take(&request, ret_result, err);
}

int okno_extract_still(const struct okno_extract_camera *camera, int64_t at_us,
                       const char *out_path, struct okno_extract_result *ret_result,
                       struct okno_err *err)
{
    struct request request = {.camera = camera,
                              .from_us = at_us + camera->index_offset_us,
                              .to_us = at_us + camera->index_offset_us,
                              .still = true,
                              .out_path = out_path};
    return take(&request, ret_result, err);
}

/* Many stills of one channel: listed once, each recording opened once, read in order of time. Where
 * the archive takes several sessions, each has a stretch of that order. */
#define _POSIX_C_SOURCE 200809L
#include "pool.h"

#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* As a single still looks back and on. */
#define REACH_US (3 * OKNO_SECOND_US)

/* One session's share. */
struct mass {
    const struct okno_extract_camera *camera;
    struct okno_extract_shot **order; /* by time; not owned */
    size_t count;
    int max_width;
    int64_t *moments;                /* index time, of order; owned */
    struct pool pool;                /* owned */
    struct okno_media_input *inputs; /* of the pool; owned */
    /* The batch at work. */
    size_t first;
    size_t piece;
};

static int by_time(const void *a, const void *b)
{
    const struct okno_extract_shot *x = *(struct okno_extract_shot *const *)a;
    const struct okno_extract_shot *y = *(struct okno_extract_shot *const *)b;
    return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static int write_file(const char *path, const void *bytes, size_t len, struct okno_err *err)
{
    const char *at = bytes;
    okno_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot make %s", path);
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            int number = errno;
            (void)unlink(path);
            return okno_fail_errno(err, number, "cannot write the still");
        }
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

static int take(void *ctx, uint32_t index, const struct okno_media_result *result,
                const struct okno_picture *picture, const void *bytes, size_t len,
                struct okno_err *err)
{
    struct mass *mass = ctx;
    struct okno_extract_shot *shot = mass->order[mass->first + index];
    int64_t offset = mass->camera->index_offset_us;
    int rc = write_file(shot->out_path, bytes, len, err);
    if (rc == 0 &&
        okno_piece_vec_push(&shot->result.pieces, mass->pool.pieces.items[mass->piece]) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    if (rc < 0)
        return rc;
    shot->result.media = *result;
    shot->result.media.got_from_us -= offset;
    shot->result.media.got_to_us -= offset;
    shot->result.media.first_frame_us -= offset;
    shot->result.media.last_frame_us -= offset;
    shot->picture = *picture;
    shot->done = true;
    return 0;
}

/* The cost of a batch is said with its first still, so that sums stay right. */
static void account(struct mass *mass, size_t count, int64_t requests, int64_t bytes)
{
    const struct okno_source *real = mass->pool.items[mass->piece].real;
    for (size_t i = mass->first; real && i < mass->first + count; i++)
        if (mass->order[i]->done) {
            mass->order[i]->result.requests = real->requests - requests;
            mass->order[i]->result.bytes_read = real->bytes_read - bytes;
            return;
        }
}

/* Stills that fail are left for the way of single ones, which says why; trouble of the archive or
 * of our own disk ends it all. */
static int batch(struct mass *mass, size_t count, struct okno_err *err)
{
    struct okno_err trouble = {0};
    const struct okno_source *real = mass->pool.items[mass->piece].real;
    int64_t requests = real ? real->requests : 0;
    int64_t bytes = real ? real->bytes_read : 0;
    int rc = okno_media_stills(mass->inputs, mass->pool.pieces.len, mass->piece,
                               mass->moments + mass->first, (uint32_t)count, mass->max_width, take,
                               mass, &trouble);
    account(mass, count, requests, bytes);
    bool spoilt =
        pool_spoils_one(rc) || rc == OKNO_GONE || rc == OKNO_NO_COVERAGE || rc == OKNO_TOO_LARGE;
    return rc < 0 && !spoilt ? okno_fail_from(err, &trouble) : 0;
}

/* The recording that a single still would try first. */
static size_t piece_of(const struct pool *pool, int64_t at_us)
{
    size_t found = pool->pieces.len;
    for (size_t i = 0; i < pool->pieces.len && pool->pieces.items[i].from_us <= at_us; i++)
        found = i;
    return found;
}

static int take_all(struct mass *mass, struct okno_err *err)
{
    struct pool *pool = &mass->pool;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < mass->count;) {
        size_t count = 1;
        mass->first = i;
        mass->piece = piece_of(pool, mass->moments[i]);
        while (i + count < mass->count && count < OKNO_MEDIA_BATCH &&
               piece_of(pool, mass->moments[i + count]) == mass->piece)
            count++;
        if (mass->piece < pool->pieces.len)
            rc = batch(mass, count, err);
        /* A day of recordings is not held open at once. */
        bool last =
            i + count == mass->count || piece_of(pool, mass->moments[i + count]) != mass->piece;
        if (mass->piece < pool->pieces.len && last)
            pool_rest(pool, mass->piece);
        i += count;
    }
    return rc;
}

static int inputs_make(struct mass *mass, struct okno_err *err)
{
    struct pool *pool = &mass->pool;
    mass->inputs = calloc(pool->pieces.len + 1, sizeof(*mass->inputs));
    if (!mass->inputs)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    for (size_t i = 0; i < pool->pieces.len; i++) {
        const struct okno_piece *piece = &pool->pieces.items[i];
        mass->inputs[i] = (struct okno_media_input){.source = &pool->items[i].source,
                                                    .format = piece->format,
                                                    .from_us = piece->from_us,
                                                    .error_us = piece->error_us,
                                                    .from_zero = piece->flags & OKNO_PIECE_ZERO,
                                                    .name = piece->name};
    }
    return 0;
}

static int moments_make(struct mass *mass, struct okno_err *err)
{
    mass->moments = calloc(mass->count + 1, sizeof(*mass->moments));
    if (!mass->moments)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu stills", mass->count);
    for (size_t i = 0; i < mass->count; i++)
        mass->moments[i] = mass->order[i]->at_us + mass->camera->index_offset_us;
    return 0;
}

static int mass_run(struct mass *mass, struct okno_err *err)
{
    pool_begin(mass->camera);
    int rc = moments_make(mass, err);
    if (rc == 0)
        rc = pool_list(mass->camera, mass->moments[0] - REACH_US,
                       mass->moments[mass->count - 1] + REACH_US, &mass->pool, err);
    if (rc == 0)
        rc = inputs_make(mass, err);
    if (rc == 0)
        rc = take_all(mass, err);
    pool_free(&mass->pool);
    free(mass->moments);
    free(mass->inputs);
    return rc;
}

/* --- several sessions ------------------------------------------------------------------------- */

/* Another session costs a listing and an index: for fewer stills it is not worth it. */
enum { WORTH_A_SESSION = 16 };

struct session {
    struct mass mass;
    pthread_t thread;
    bool threaded;
    int rc;
    struct okno_err err;
};

static void *session_main(void *ctx)
{
    struct session *session = ctx;
    session->rc = mass_run(&session->mass, &session->err);
    return NULL;
}

/* Near the place where a share would end, where the stills on either side lie farthest apart: those
 * of one key frame stay together. */
static size_t border(struct okno_extract_shot *const *order, size_t count, size_t share, size_t at)
{
    size_t best = at;
    for (size_t i = at - share / 8; i <= at + share / 8 && i < count; i++)
        if (order[i]->at_us - order[i - 1]->at_us > order[best]->at_us - order[best - 1]->at_us)
            best = i;
    return best;
}

/* A thread that does not start leaves its share to this one. */
static int share_out(struct session *sessions, size_t len, struct okno_err *err)
{
    for (size_t i = 1; i < len; i++)
        sessions[i].threaded =
            pthread_create(&sessions[i].thread, NULL, session_main, &sessions[i]) == 0;
    for (size_t i = 0; i < len; i++)
        if (!sessions[i].threaded)
            (void)session_main(&sessions[i]);
    int rc = 0;
    for (size_t i = 0; i < len; i++) {
        if (sessions[i].threaded)
            (void)pthread_join(sessions[i].thread, NULL);
        if (rc == 0 && sessions[i].rc < 0)
            rc = okno_fail_from(err, &sessions[i].err);
    }
    return rc;
}

int okno_extract_stills(const struct okno_extract_camera *cameras, size_t sessions,
                        struct okno_extract_shot *shots, size_t count, int max_width,
                        struct okno_err *err)
{
    size_t len = count / WORTH_A_SESSION < sessions ? count / WORTH_A_SESSION : sessions;
    len = len > 0 ? len : 1;
    if (count == 0)
        return 0;
    okno_autofree struct okno_extract_shot **order = calloc(count, sizeof(*order));
    okno_autofree struct session *each = calloc(len, sizeof(*each));
    if (!order || !each)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu stills", count);
    for (size_t i = 0; i < count; i++) {
        order[i] = &shots[i];
        shots[i].done = false;
    }
    qsort(order, count, sizeof(*order), by_time);
    for (size_t i = 0, from = 0; i < len; i++) {
        size_t to = i + 1 == len ? count : border(order, count, count / len, (i + 1) * count / len);
        each[i].mass = (struct mass){.camera = &cameras[i],
                                     .order = order + from,
                                     .count = to - from,
                                     .max_width = max_width};
        from = to;
    }
    return share_out(each, len, err);
}

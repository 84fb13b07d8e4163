#define _POSIX_C_SOURCE 200809L
#include "feed.h"

#include <pthread.h>
#include <string.h>

/* Smaller files are one batch. */
enum { AHEAD_BYTES = FEED_BYTES / 4 };

enum state { EMPTY, FULL };

struct feed {
    struct feed_source source;
    struct feed_batch *batches[2];
    int turn;    /* of the batch that the caller gets next */
    bool handed; /* the other one is in the caller's hands */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t changed;
    enum state states[2];
    bool stop;
    int rc; /* reading ended with a failure */
    struct okno_err err;
};

static void batch_free(struct feed_batch *batch)
{
    if (batch) {
        okno_buf_free(&batch->text);
        free(batch->places);
    }
    free(batch);
}

static struct feed_batch *batch_new(size_t fields)
{
    struct feed_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->fields = fields;
    batch->text.max = FEED_BYTES + 2 * OKNO_RECORD_BYTES_MAX + sizeof(struct okno_err);
    batch->places = calloc(FEED_ROWS * fields, sizeof(*batch->places));
    if (!batch->places) {
        batch_free(batch);
        return NULL;
    }
    return batch;
}

static int keep_text(struct feed_batch *batch, const char *text, long *ret_at, struct okno_err *err)
{
    *ret_at = text ? (long)batch->text.len : FEED_NO_TEXT;
    return text ? okno_buf_add(&batch->text, text, strlen(text) + 1, err) : 0;
}

static int keep_row(struct feed_batch *batch, const struct okno_record *record,
                    struct okno_err *err)
{
    struct feed_row *row = &batch->rows[batch->count];
    long *places = &batch->places[batch->count * batch->fields];
    row->line = record->line;
    row->code = record->err.code;
    int rc = keep_text(batch, row->code ? record->err.text : NULL, &row->reason, err);
    for (size_t i = 0; rc == 0 && i < batch->fields; i++)
        rc = keep_text(batch, row->code ? NULL : record->values[i], &places[i], err);
    batch->count++;
    return rc;
}

static int read_batch(const struct feed_source *source, struct feed_batch *batch,
                      struct okno_err *err)
{
    struct okno_record record;
    int rc = 1;
    batch->count = 0;
    batch->last = false;
    okno_buf_reset(&batch->text);
    while (rc > 0 && batch->count < FEED_ROWS && batch->text.len < FEED_BYTES) {
        rc = source->next(source->ctx, &record, err);
        if (rc == 1)
            rc = keep_row(batch, &record, err) < 0 ? OKNO_NO_MEMORY : 1;
    }
    if (rc == 0) {
        batch->last = true;
        (void)okno_record_sha256(source->reader, batch->sha256);
    }
    batch->offset = okno_record_offset(source->reader);
    return rc < 0 ? rc : 0;
}

/* ---- the thread ---- */

/* Wait until the batch may be filled; false: nobody wants more. */
static bool wait_empty(struct feed *feed, int at)
{
    (void)pthread_mutex_lock(&feed->lock);
    while (feed->states[at] != EMPTY && !feed->stop)
        (void)pthread_cond_wait(&feed->changed, &feed->lock);
    bool go_on = !feed->stop;
    (void)pthread_mutex_unlock(&feed->lock);
    return go_on;
}

static void tell_full(struct feed *feed, int at, int rc, const struct okno_err *err)
{
    (void)pthread_mutex_lock(&feed->lock);
    feed->states[at] = FULL;
    feed->rc = rc;
    feed->err = *err;
    (void)pthread_cond_broadcast(&feed->changed);
    (void)pthread_mutex_unlock(&feed->lock);
}

static void *read_ahead(void *arg)
{
    struct feed *feed = arg;
    struct okno_err err = {0};
    for (int at = 0; wait_empty(feed, at); at = !at) {
        int rc = read_batch(&feed->source, feed->batches[at], &err);
        bool last = rc < 0 || feed->batches[at]->last;
        tell_full(feed, at, rc, &err);
        if (last)
            break;
    }
    return NULL;
}

/* Give back the batch that the caller had and wait for the next one. */
static int swap(struct feed *feed, struct okno_err *err)
{
    int rc = 0;
    (void)pthread_mutex_lock(&feed->lock);
    if (feed->handed)
        feed->states[!feed->turn] = EMPTY;
    (void)pthread_cond_broadcast(&feed->changed);
    while (feed->states[feed->turn] != FULL)
        (void)pthread_cond_wait(&feed->changed, &feed->lock);
    /* The thread may be one batch further: its failure concerns that one. */
    bool failed = feed->rc < 0 && feed->states[!feed->turn] != FULL;
    if (failed)
        rc = okno_fail_field(err, feed->rc, feed->err.field, "%s", feed->err.text);
    (void)pthread_mutex_unlock(&feed->lock);
    return rc;
}

/* ---- for the import ---- */

int feed_open(const struct feed_source *source, struct feed **ret_feed, struct okno_err *err)
{
    OKNO_AUTO(feed) *feed = calloc(1, sizeof(*feed));
    if (!feed)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to import");
    feed->source = *source;
    (void)pthread_mutex_init(&feed->lock, NULL);
    (void)pthread_cond_init(&feed->changed, NULL);
    bool ahead = okno_record_size(source->reader) > AHEAD_BYTES;
    for (int i = 0; i < (ahead ? 2 : 1); i++)
        if (!(feed->batches[i] = batch_new(source->fields)))
            return okno_fail(err, OKNO_NO_MEMORY, "no memory to import");
    feed->threaded = ahead && pthread_create(&feed->thread, NULL, read_ahead, feed) == 0;
    *ret_feed = okno_mem_take(&feed);
    return 0;
}

void feed_close(struct feed *feed)
{
    if (!feed)
        return;
    if (feed->threaded) {
        (void)pthread_mutex_lock(&feed->lock);
        feed->stop = true;
        (void)pthread_cond_broadcast(&feed->changed);
        (void)pthread_mutex_unlock(&feed->lock);
        (void)pthread_join(feed->thread, NULL);
    }
    (void)pthread_cond_destroy(&feed->changed);
    (void)pthread_mutex_destroy(&feed->lock);
    batch_free(feed->batches[0]);
    batch_free(feed->batches[1]);
    free(feed);
}

int feed_next(struct feed *feed, struct feed_batch **ret_batch, struct okno_err *err)
{
    int at = feed->threaded ? feed->turn : 0;
    int rc = feed->threaded ? swap(feed, err) : read_batch(&feed->source, feed->batches[0], err);
    if (rc < 0)
        return rc;
    *ret_batch = feed->batches[at];
    feed->handed = true;
    feed->turn = !feed->turn;
    return 0;
}

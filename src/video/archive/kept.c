#include "kept.h"

#include "okno/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 64 * 1024 * 1024 };

#define FOR_US (600 * OKNO_SECOND_US)

struct kept_replay {
    int users; /* the table and the sources that read it */
    char channel[256];
    int64_t from_us, to_us;
    int64_t until_us;           /* monotonic */
    struct okno_source *source; /* owned */
    struct okno_span_vec spans; /* owned */
};

static void let_go(struct kept_replay *replay)
{
    if (!replay || --replay->users > 0)
        return;
    okno_source_close(replay->source);
    okno_span_vec_free(&replay->spans);
    free(replay);
}

void kept_free(struct kept *kept)
{
    for (size_t i = 0; i < OKNO_COUNT(kept->replays); i++)
        let_go(kept->replays[i]);
}

void kept_put(struct kept *kept, const char *channel, int64_t from_us, int64_t to_us,
              const struct okno_span_vec *spans, struct okno_source *source)
{
    struct kept_replay *replay = source->size <= MOST_BYTES ? calloc(1, sizeof(*replay)) : NULL;
    bool good = replay && strlen(channel) < sizeof(replay->channel);
    for (size_t i = 0; good && i < spans->len; i++)
        good = okno_span_vec_push(&replay->spans, spans->items[i]) == 0;
    if (!good) {
        if (replay)
            okno_span_vec_free(&replay->spans);
        free(replay);
        okno_source_close(source);
        return;
    }
    (void)snprintf(replay->channel, sizeof(replay->channel), "%s", channel);
    replay->users = 1;
    replay->from_us = from_us;
    replay->to_us = to_us;
    replay->until_us = okno_time_monotonic() + FOR_US;
    replay->source = source;
    let_go(kept->replays[kept->next]);
    kept->replays[kept->next] = replay;
    kept->next = (kept->next + 1) % OKNO_COUNT(kept->replays);
}

const struct kept_replay *kept_find(const struct kept *kept, const char *channel, int64_t from_us,
                                    int64_t to_us)
{
    for (size_t i = 0; i < OKNO_COUNT(kept->replays); i++) {
        const struct kept_replay *r = kept->replays[i];
        if (r && strcmp(r->channel, channel) == 0 && r->from_us <= from_us && r->to_us >= to_us &&
            okno_time_monotonic() < r->until_us)
            return r;
    }
    return NULL;
}

int64_t kept_from(const struct kept_replay *replay)
{
    return replay->from_us;
}

int64_t kept_to(const struct kept_replay *replay)
{
    return replay->to_us;
}

int kept_spans(const struct kept_replay *replay, int64_t from_us, int64_t to_us,
               struct okno_span_vec *spans, struct okno_err *err)
{
    for (size_t i = 0; i < replay->spans.len; i++) {
        struct okno_span span = replay->spans.items[i];
        span.from_us = span.from_us > from_us ? span.from_us : from_us;
        span.to_us = span.to_us < to_us ? span.to_us : to_us;
        if (span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    return 0;
}

static int shared_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                       struct okno_err *err)
{
    const struct okno_source *source = ((const struct kept_replay *)ctx)->source;
    return source->read_at(source->ctx, offset, into, len, ret_got, err);
}

static void shared_close(void *ctx)
{
    let_go(ctx);
}

int kept_source(const struct kept_replay *replay, struct okno_source **ret_source,
                struct okno_err *err)
{
    struct kept_replay *shared = (struct kept_replay *)replay; /* one user more */
    struct okno_source *source = malloc(sizeof(*source));
    if (!source)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a recording");
    *source = *shared->source;
    source->ctx = shared;
    source->read_at = shared_read;
    source->close = shared_close;
    source->requests = source->bytes_read = 0;
    shared->users++;
    *ret_source = source;
    return 0;
}

#include "recent.h"

#include "okno/hash.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

enum {
    RUNS_MAX = 1024,
    BYTES_MAX = 32 * 1024 * 1024, /* three clips of 40 s at 2 Mbit/s */
};
#define AGE_MAX_US (900 * OKNO_SECOND_US)

bool recent_key(const struct okno_extract_camera *camera, const struct okno_piece *piece,
                uint8_t ret_key[16])
{
    struct okno_hash hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    if (!piece->tag[0] || (piece->flags & OKNO_SPAN_GROWING) || !camera->archive_id)
        return false;
    okno_hash_start(&hash);
    okno_hash_add(&hash, camera->archive_id, strlen(camera->archive_id) + 1);
    okno_hash_add(&hash, camera->archive_url, strlen(camera->archive_url) + 1);
    okno_hash_add(&hash, piece->name, strlen(piece->name) + 1);
    okno_hash_add(&hash, piece->tag, strlen(piece->tag) + 1);
    okno_hash_add(&hash, &piece->size, sizeof(piece->size));
    okno_hash_end(&hash, digest);
    memcpy(ret_key, digest, 16);
    return true;
}

/* Bytes in a row. */
struct run {
    uint8_t key[16];
    int64_t at, came_us;
    size_t len;
    uint8_t *bytes; /* owned */
};

/* A ring: the oldest goes first. */
struct okno_extract_recent {
    struct run runs[RUNS_MAX];
    size_t first, count, bytes;
};

struct okno_extract_recent *okno_extract_recent_new(void)
{
    return calloc(1, sizeof(struct okno_extract_recent));
}

static const struct run *run_of(const struct okno_extract_recent *recent, size_t i)
{
    return &recent->runs[(recent->first + i) % RUNS_MAX];
}

static void drop_oldest(struct okno_extract_recent *recent)
{
    struct run *run = &recent->runs[recent->first];
    recent->bytes -= run->len;
    free(run->bytes);
    *run = (struct run){0};
    recent->first = (recent->first + 1) % RUNS_MAX;
    recent->count--;
}

void okno_extract_recent_free(struct okno_extract_recent *recent)
{
    while (recent && recent->count > 0)
        drop_oldest(recent);
    free(recent);
}

void okno_extract_recent_expire(struct okno_extract_recent *recent, int64_t now_us)
{
    while (recent && recent->count > 0 && now_us - run_of(recent, 0)->came_us > AGE_MAX_US)
        drop_oldest(recent);
}

static const struct run *run_at(const struct okno_extract_recent *recent, const uint8_t key[16],
                                int64_t offset)
{
    for (size_t i = 0; recent && i < recent->count; i++) {
        const struct run *run = run_of(recent, i);
        if (offset >= run->at && offset - run->at < (int64_t)run->len &&
            memcmp(run->key, key, sizeof(run->key)) == 0)
            return run;
    }
    return NULL;
}

size_t recent_get(const struct okno_extract_recent *recent, const uint8_t key[16], int64_t offset,
                  void *into, size_t most)
{
    size_t got = 0;
    const struct run *run = NULL;
    while (got < most && (run = run_at(recent, key, offset + (int64_t)got))) {
        size_t skip = (size_t)(offset + (int64_t)got - run->at);
        size_t more = run->len - skip < most - got ? run->len - skip : most - got;
        if (into)
            memcpy((uint8_t *)into + got, run->bytes + skip, more);
        got += more;
    }
    return got;
}

int64_t recent_next(const struct okno_extract_recent *recent, const uint8_t key[16], int64_t from,
                    int64_t end)
{
    for (size_t i = 0; recent && i < recent->count; i++) {
        const struct run *run = run_of(recent, i);
        if (run->at >= from && run->at < end && memcmp(run->key, key, sizeof(run->key)) == 0)
            end = run->at;
    }
    return end;
}

void recent_put(struct okno_extract_recent *recent, const uint8_t key[16], int64_t offset,
                const void *bytes, size_t len)
{
    if (!recent || len == 0 || len > BYTES_MAX || recent_get(recent, key, offset, NULL, len) == len)
        return;
    uint8_t *copy = malloc(len);
    if (!copy)
        return;
    while (recent->count == RUNS_MAX || recent->bytes + len > BYTES_MAX)
        drop_oldest(recent);
    struct run *run = &recent->runs[(recent->first + recent->count++) % RUNS_MAX];
    *run = (struct run){.at = offset, .came_us = okno_time_monotonic(), .len = len, .bytes = copy};
    memcpy(run->key, key, sizeof(run->key));
    memcpy(copy, bytes, len);
    recent->bytes += len;
}

#include "memo.h"

#include "okno/hash.h"

#include <string.h>

/* Direct-mapped: a collision forgets the older, which costs a second look and nothing else. */
enum { ENTRIES = 16384 };

struct memo {
    struct memo_entry entries[ENTRIES];
};

static struct memo *memo_of(struct okno_archive *archive)
{
    struct okno_archive_note *note = okno_archive_note(archive);
    if (!note->data) {
        note->data = calloc(1, sizeof(struct memo));
        note->free = free;
    }
    return note->data;
}

static void key_of(const struct okno_piece *piece, uint8_t ret_key[16])
{
    struct okno_hash hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_start(&hash);
    okno_hash_add(&hash, piece->name, strlen(piece->name) + 1);
    okno_hash_add(&hash, piece->tag, strlen(piece->tag) + 1);
    okno_hash_add(&hash, &piece->size, sizeof(piece->size));
    okno_hash_end(&hash, digest);
    memcpy(ret_key, digest, 16);
}

static struct memo_entry *slot_of(struct okno_archive *archive, const uint8_t key[16])
{
    struct memo *memo = memo_of(archive);
    uint32_t at = 0;
    memcpy(&at, key, sizeof(at));
    return memo ? &memo->entries[at % ENTRIES] : NULL;
}

static bool is_rememberable(const struct okno_piece *piece)
{
    return piece->tag[0] && !(piece->flags & OKNO_SPAN_GROWING);
}

const struct memo_entry *memo_find(struct okno_archive *archive, const struct okno_piece *piece)
{
    uint8_t key[16];
    key_of(piece, key);
    const struct memo_entry *entry = is_rememberable(piece) ? slot_of(archive, key) : NULL;
    return entry && memcmp(entry->key, key, sizeof(key)) == 0 ? entry : NULL;
}

void memo_keep(struct okno_archive *archive, const struct okno_piece *piece, int code,
               const struct okno_media_info *info)
{
    struct memo_entry fresh = {.code = code};
    key_of(piece, fresh.key);
    struct memo_entry *entry = is_rememberable(piece) ? slot_of(archive, fresh.key) : NULL;
    if (!entry)
        return;
    if (info) {
        fresh.duration_us = info->duration_us;
        fresh.frame_us = info->frame_us;
    }
    *entry = fresh;
}

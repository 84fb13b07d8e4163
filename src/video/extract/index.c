#define _GNU_SOURCE
#include "index.h"

#include "okno/extract.h"
#include "okno/hash.h"
#include "okno/mem.h"
#include "okno/time.h"
#include "okno/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium/crypto_generichash.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file: its magic, parts as a head and its bytes, SHA-256 of all that. Written and read by one
 * build on one machine; another layout has another magic. */
static const char magic[16] = "okno index 2\n";

struct head {
    int64_t at;
    uint64_t len;
};

enum {
    PARTS_MAX = 4096,
    BYTES_MAX = 32 * 1024 * 1024, /* of one recording */
    OVERHEAD = sizeof(magic) + OKNO_SHA256_BYTES,
    FILE_MAX = BYTES_MAX + PARTS_MAX * (int)sizeof(struct head) + OVERHEAD,
};

struct part {
    int64_t at;
    size_t len;
    uint8_t *bytes; /* owned */
};
OKNO_VEC(part_vec, struct part);

struct index {
    char dir[1100];
    char name[33];
    struct part_vec parts; /* owned; none overlaps another */
    size_t bytes;          /* in them */
    bool kept, changed;
};

static void name_of(const char *archive, const char *url, const struct okno_piece *piece,
                    char ret_name[33])
{
    struct okno_hash hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    char text[OKNO_SHA256_TEXT];
    okno_hash_start(&hash);
    okno_hash_add(&hash, archive, strlen(archive) + 1);
    okno_hash_add(&hash, url, strlen(url) + 1);
    okno_hash_add(&hash, piece->name, strlen(piece->name) + 1);
    okno_hash_add(&hash, piece->tag, strlen(piece->tag) + 1);
    okno_hash_add(&hash, &piece->size, sizeof(piece->size));
    okno_hash_end(&hash, digest);
    (void)snprintf(ret_name, 33, "%s", okno_hash_hex(digest, text));
}

static void path_of(const struct index *index, char ret_path[1200])
{
    (void)snprintf(ret_path, 1200, "%s/%s", index->dir, index->name);
}

/* --- reading it ------------------------------------------------------------------------------- */

/* Also what a file says: a place that no recording has would overflow where parts are sought. */
static bool part_add(struct index *index, int64_t at, const void *bytes, size_t len)
{
    struct part part = {.at = at, .len = len};
    if (len == 0 || index->parts.len >= PARTS_MAX || len > BYTES_MAX - index->bytes || at < 0 ||
        at > INT64_MAX - (int64_t)len)
        return false;
    part.bytes = malloc(len);
    if (!part.bytes || part_vec_push(&index->parts, part) < 0) {
        free(part.bytes);
        return false;
    }
    memcpy(part.bytes, bytes, len);
    index->bytes += len;
    return true;
}

/* BLAKE2b: a day's index is read for each clip, and takes nearly three times as long by SHA-256 (36
 * ms for 12 MB). */
static bool is_whole(const uint8_t *file, size_t len)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    if (len < OVERHEAD || memcmp(file, magic, sizeof(magic)) != 0)
        return false;
    (void)crypto_generichash(digest, sizeof(digest), file, len - sizeof(digest), NULL, 0);
    return memcmp(digest, file + len - sizeof(digest), sizeof(digest)) == 0;
}

static void parts_take(struct index *index, const uint8_t *file, size_t len)
{
    const uint8_t *at = file + sizeof(magic);
    const uint8_t *end = file + len - OKNO_SHA256_BYTES;
    while (end - at >= (ptrdiff_t)sizeof(struct head)) {
        struct head head;
        memcpy(&head, at, sizeof(head));
        at += sizeof(head);
        if (head.len > (size_t)(end - at) || !part_add(index, head.at, at, (size_t)head.len))
            return;
        at += head.len;
    }
}

static void load(struct index *index)
{
    char path[1200];
    struct stat st;
    path_of(index, path);
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < OVERHEAD || st.st_size > FILE_MAX)
        return;
    size_t len = (size_t)st.st_size;
    okno_autofree uint8_t *file = malloc(len);
    if (!file || pread(fd, file, len, 0) != (ssize_t)len || !is_whole(file, len))
        return;
    parts_take(index, file, len);
    index->kept = true;
    (void)futimens(fd, NULL); /* used lately; fails harmlessly when it may not be written */
}

struct index *index_open(const char *dir, const char *archive, const char *url,
                         const struct okno_piece *piece)
{
    if (!piece->tag[0] || piece->size < 0 || (piece->flags & OKNO_SPAN_GROWING))
        return NULL;
    struct index *index = calloc(1, sizeof(*index));
    if (!index)
        return NULL;
    (void)snprintf(index->dir, sizeof(index->dir), "%s", dir);
    name_of(archive, url, piece, index->name);
    load(index);
    return index;
}

bool index_is_kept(const struct index *index)
{
    return index && index->kept;
}

/* --- asking and adding ------------------------------------------------------------------------ */

static const struct part *part_at(const struct index *index, int64_t offset)
{
    for (size_t i = 0; i < index->parts.len; i++) {
        const struct part *part = &index->parts.items[i];
        if (offset >= part->at && offset - part->at < (int64_t)part->len)
            return part;
    }
    return NULL;
}

size_t index_get(struct index *index, int64_t offset, void *into, size_t len)
{
    size_t got = 0;
    const struct part *part = NULL;
    while (index && got < len && (part = part_at(index, offset + (int64_t)got))) {
        size_t skip = (size_t)(offset + (int64_t)got - part->at);
        size_t more = part->len - skip < len - got ? part->len - skip : len - got;
        memcpy((uint8_t *)into + got, part->bytes + skip, more);
        got += more;
    }
    return got;
}

/* Where the next part begins, at `end` at the latest. */
static int64_t next_part(const struct index *index, int64_t from, int64_t end)
{
    for (size_t i = 0; i < index->parts.len; i++)
        if (index->parts.items[i].at >= from && index->parts.items[i].at < end)
            end = index->parts.items[i].at;
    return end;
}

void index_put(struct index *index, int64_t offset, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    int64_t end = offset + (int64_t)len;
    for (int64_t at = offset; index && at < end;) {
        const struct part *known = part_at(index, at);
        int64_t to = known ? known->at + (int64_t)known->len : next_part(index, at, end);
        if (!known && !part_add(index, at, from + (at - offset), (size_t)(to - at)))
            return;
        index->changed |= !known;
        at = to;
    }
}

/* --- writing it ------------------------------------------------------------------------------- */

static bool write_hashed(FILE *file, crypto_generichash_state *hash, const void *bytes, size_t len)
{
    (void)crypto_generichash_update(hash, bytes, len);
    return fwrite(bytes, 1, len, file) == len;
}

static bool write_parts(const struct index *index, FILE *file)
{
    crypto_generichash_state hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    (void)crypto_generichash_init(&hash, NULL, 0, sizeof(digest));
    bool good = write_hashed(file, &hash, magic, sizeof(magic));
    for (size_t i = 0; good && i < index->parts.len; i++) {
        const struct part *part = &index->parts.items[i];
        const struct head head = {.at = part->at, .len = part->len};
        good = write_hashed(file, &hash, &head, sizeof(head)) &&
               write_hashed(file, &hash, part->bytes, part->len);
    }
    (void)crypto_generichash_final(&hash, digest, sizeof(digest));
    return good && fwrite(digest, 1, sizeof(digest), file) == sizeof(digest);
}

/* Beside it first: whoever reads meanwhile sees the old one or the new one. */
static void save(const struct index *index)
{
    char path[1200];
    char temp[1220];
    path_of(index, path);
    (void)snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    if (mkdir(index->dir, 0700) < 0 && errno != EEXIST)
        return;
    int fd = mkostemp(temp, O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        okno_mem_close_at(&fd);
        return;
    }
    bool good = write_parts(index, file);
    good = fclose(file) == 0 && good && rename(temp, path) == 0;
    if (!good)
        (void)unlink(temp);
}

static void free_index(struct index *index)
{
    for (size_t i = 0; i < index->parts.len; i++)
        free(index->parts.items[i].bytes);
    part_vec_free(&index->parts);
    free(index);
}

void index_close(struct index *index)
{
    if (!index)
        return;
    if (index->changed)
        save(index);
    free_index(index);
}

void index_drop(struct index *index)
{
    char path[1200];
    if (!index)
        return;
    path_of(index, path);
    (void)unlink(path);
    free_index(index);
}

/* --- keeping the folder small ----------------------------------------------------------------- */

struct kept {
    char name[64];
    int64_t used_us, bytes;
};
OKNO_VEC(kept_vec, struct kept);

static int by_age(const void *a, const void *b)
{
    const struct kept *x = a;
    const struct kept *y = b;
    return (x->used_us < y->used_us) - (x->used_us > y->used_us); /* youngest first */
}

static int list_kept(DIR *dir, struct kept_vec *kept)
{
    struct dirent *entry;
    int rc = 0;
    while (rc == 0 && (entry = readdir(dir))) {
        struct stat st;
        struct kept one = {0};
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode) || strlen(entry->d_name) >= sizeof(one.name))
            continue;
        memcpy(one.name, entry->d_name, strlen(entry->d_name) + 1);
        one.used_us = (int64_t)st.st_mtim.tv_sec * OKNO_SECOND_US + st.st_mtim.tv_nsec / 1000;
        one.bytes = st.st_size;
        rc = kept_vec_push(kept, one);
    }
    return rc;
}

void okno_extract_index_sweep(const char *dir, int64_t most_bytes, int64_t before_us)
{
    struct kept_vec kept = {0};
    int64_t bytes = 0;
    DIR *files = opendir(dir);
    if (!files)
        return;
    (void)!list_kept(files, &kept); /* what memory there is for is enough */
    if (kept.len > 1)
        qsort(kept.items, kept.len, sizeof(*kept.items), by_age);
    for (size_t i = 0; i < kept.len; i++) {
        bytes += kept.items[i].bytes;
        if (bytes > most_bytes || kept.items[i].used_us < before_us)
            (void)unlinkat(dirfd(files), kept.items[i].name, 0);
    }
    kept_vec_free(&kept);
    (void)closedir(files);
}

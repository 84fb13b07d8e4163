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

/* A file: a top, what the parts are, digests of the blocks of their bytes, the digest of all that
 * under a key of its own (made of the name and a secret, so that nobody writes one who may write
 * into the folder alone, and none passes for another), and the bytes. A clip needs little of a
 * day's index, and what it does not touch is neither read nor hashed. Written and read by one build
 * on one machine; another layout has another magic. */
static const char magic[16] = "okno index 5\n";

struct top {
    char magic[16];
    uint64_t parts, bytes;
};

struct head {
    int64_t at;
    uint64_t len;
};

enum {
    PARTS_MAX = 4096,
    BYTES_MAX = 32 * 1024 * 1024, /* of one recording */
    BLOCK = 64 * 1024,
    BLOCKS_MAX = BYTES_MAX / BLOCK,
    DIGEST = OKNO_SHA256_BYTES,
};

struct block_digest {
    uint8_t bytes[DIGEST];
};

struct part {
    int64_t at;
    size_t len;
    uint8_t *bytes; /* owned, unless they lie in `file` */
    bool filed;
};
OKNO_VEC(part_vec, struct part);

/* What was kept: its blocks come from disk when they are asked for. */
struct file {
    int fd;         /* owned; -1: none */
    off_t from;     /* of the bytes in it */
    uint8_t *bytes; /* owned */
    size_t len;
    struct block_digest *digests; /* owned; one for each block */
    bool here[BLOCKS_MAX];
};

struct index {
    char dir[1100];
    char name[33];
    struct block_digest key; /* of this file */
    struct part_vec parts;   /* owned; none overlaps another */
    size_t bytes;            /* in them */
    struct file file;
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

static void forget(struct index *index)
{
    for (size_t i = 0; i < index->parts.len; i++)
        if (!index->parts.items[i].filed)
            free(index->parts.items[i].bytes);
    index->parts.len = index->bytes = 0;
    okno_mem_close_at(&index->file.fd);
    free(index->file.bytes);
    free(index->file.digests);
    index->file = (struct file){.fd = -1};
}

/* --- reading it ------------------------------------------------------------------------------- */

/* Also what a file says: a place that no recording has would overflow where parts are sought. */
static bool part_note(struct index *index, int64_t at, size_t len, uint8_t *bytes, bool filed)
{
    const struct part part = {.at = at, .len = len, .bytes = bytes, .filed = filed};
    if (len == 0 || index->parts.len >= PARTS_MAX || len > BYTES_MAX - index->bytes || at < 0 ||
        at > INT64_MAX - (int64_t)len || part_vec_push(&index->parts, part) < 0)
        return false;
    index->bytes += len;
    return true;
}

static bool part_add(struct index *index, int64_t at, const void *bytes, size_t len)
{
    uint8_t *copy = len > 0 ? malloc(len) : NULL;
    if (!copy || !part_note(index, at, len, copy, false)) {
        free(copy);
        return false;
    }
    memcpy(copy, bytes, len);
    return true;
}

static bool read_all(int fd, void *into, size_t len, off_t at)
{
    return pread(fd, into, len, at) == (ssize_t)len;
}

static size_t blocks_of(size_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK;
}

static struct block_digest digest_of(const void *bytes, size_t len)
{
    struct block_digest digest;
    okno_hash_block(bytes, len, digest.bytes);
    return digest;
}

static bool is_digest(const struct block_digest *want, const void *bytes, size_t len)
{
    const struct block_digest got = digest_of(bytes, len);
    return memcmp(got.bytes, want->bytes, sizeof(got.bytes)) == 0;
}

static struct block_digest signature_of(const struct index *index, const void *head, size_t len)
{
    struct block_digest signature;
    (void)crypto_generichash(signature.bytes, sizeof(signature.bytes), head, len, index->key.bytes,
                             sizeof(index->key.bytes));
    return signature;
}

/* All before the bytes: `len` of it, the signature of the rest last. */
static bool take_head(struct index *index, const struct top *top, const uint8_t *head, size_t len)
{
    struct file *file = &index->file;
    struct block_digest own;
    memcpy(&own, head + len - sizeof(own), sizeof(own));
    const struct block_digest signature = signature_of(index, head, len - sizeof(own));
    if (memcmp(&own, &signature, sizeof(own)) != 0)
        return false;
    size_t digests = blocks_of(file->len) * sizeof(*file->digests);
    file->bytes = malloc(file->len);
    file->digests = malloc(digests);
    if (!file->bytes || !file->digests)
        return false;
    memcpy(file->digests, head + len - sizeof(own) - digests, digests);
    size_t used = 0;
    for (uint64_t i = 0; i < top->parts; i++) {
        struct head one;
        memcpy(&one, head + sizeof(*top) + i * sizeof(one), sizeof(one));
        if (one.len > file->len - used ||
            !part_note(index, one.at, (size_t)one.len, file->bytes + used, true))
            return false;
        used += (size_t)one.len;
    }
    return used == file->len;
}

static bool load_head(struct index *index)
{
    struct top top;
    struct stat st;
    struct file *file = &index->file;
    if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        !read_all(file->fd, &top, sizeof(top), 0) || memcmp(top.magic, magic, sizeof(magic)) != 0 ||
        top.parts < 1 || top.parts > PARTS_MAX || top.bytes < 1 || top.bytes > BYTES_MAX)
        return false;
    file->len = (size_t)top.bytes;
    size_t len = sizeof(top) + (size_t)top.parts * sizeof(struct head) +
                 (blocks_of(file->len) + 1) * sizeof(struct block_digest);
    okno_autofree uint8_t *head = malloc(len);
    file->from = (off_t)len;
    return st.st_size == file->from + (off_t)file->len && head &&
           read_all(file->fd, head, len, 0) && take_head(index, &top, head, len);
}

static void load(struct index *index)
{
    char path[1200];
    path_of(index, path);
    index->file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    index->kept = index->file.fd >= 0 && load_head(index);
    if (index->kept)
        (void)futimens(index->file.fd,
                       NULL); /* used lately; harmless where it may not be written */
    else
        forget(index);
}

/* Whether the kept bytes [from, to) are in memory, read and checked. */
static bool fetch(struct file *file, size_t from, size_t to)
{
    for (size_t i = from / BLOCK; i < blocks_of(to); i++) {
        size_t at = i * BLOCK;
        size_t len = file->len - at < BLOCK ? file->len - at : BLOCK;
        if (file->here[i])
            continue;
        if (!read_all(file->fd, file->bytes + at, len, file->from + (off_t)at) ||
            !is_digest(&file->digests[i], file->bytes + at, len))
            return false;
        file->here[i] = true;
    }
    return true;
}

/* A damaged file is as good as none: what else is known is forgotten with it. */
static bool is_here(struct index *index, const struct part *part, size_t skip, size_t len)
{
    size_t from = part->filed ? (size_t)(part->bytes - index->file.bytes) + skip : 0;
    if (!part->filed || fetch(&index->file, from, from + len))
        return true;
    forget(index);
    index->changed = true;
    return false;
}

/* At most 64 bytes of the secret count: the library's maximum. */
static void make_key(struct index *index, const char *secret)
{
    size_t len = secret ? strnlen(secret, crypto_generichash_KEYBYTES_MAX) : 0;
    (void)crypto_generichash(index->key.bytes, sizeof(index->key.bytes),
                             (const uint8_t *)index->name, sizeof(index->name),
                             (const uint8_t *)secret, len);
}

struct index *index_open(const char *dir, const char *key, const char *archive, const char *url,
                         const struct okno_piece *piece)
{
    if (!piece->tag[0] || piece->size < 0 || (piece->flags & OKNO_SPAN_GROWING))
        return NULL;
    struct index *index = calloc(1, sizeof(*index));
    if (!index)
        return NULL;
    index->file.fd = -1;
    (void)snprintf(index->dir, sizeof(index->dir), "%s", dir);
    name_of(archive, url, piece, index->name);
    make_key(index, key);
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
        if (!is_here(index, part, skip, more))
            return got;
        memcpy((uint8_t *)into + got, part->bytes + skip, more);
        got += more;
    }
    return got;
}

int64_t index_known(const struct index *index, int64_t from, int64_t to)
{
    int64_t at = from;
    const struct part *part = NULL;
    while (index && at < to && (part = part_at(index, at)))
        at = part->at + (int64_t)part->len;
    return (at < to ? at : to) - from;
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

static bool gather(struct index *index, uint8_t *into)
{
    for (size_t i = 0; i < index->parts.len; i++) {
        const struct part *part = &index->parts.items[i];
        if (!is_here(index, part, 0, part->len))
            return false;
        memcpy(into, part->bytes, part->len);
        into += part->len;
    }
    return true;
}

static bool write_parts(struct index *index, FILE *file)
{
    size_t count = index->parts.len;
    size_t blocks = blocks_of(index->bytes);
    size_t len = sizeof(struct top) + count * sizeof(struct head) +
                 (blocks + 1) * sizeof(struct block_digest);
    struct top top = {.parts = count, .bytes = index->bytes};
    memcpy(top.magic, magic, sizeof(magic));
    okno_autofree uint8_t *bytes = malloc(index->bytes + 1);
    okno_autofree uint8_t *head = malloc(len);
    if (!bytes || !head || count == 0 || !gather(index, bytes))
        return false;
    uint8_t *at = memcpy(head, &top, sizeof(top));
    at += sizeof(top);
    for (size_t i = 0; i < count; i++, at += sizeof(struct head)) {
        const struct part *part = &index->parts.items[i];
        const struct head one = {.at = part->at, .len = part->len};
        memcpy(at, &one, sizeof(one));
    }
    for (size_t i = 0; i < blocks; i++, at += sizeof(struct block_digest)) {
        size_t rest = top.bytes - i * BLOCK;
        const struct block_digest one = digest_of(bytes + i * BLOCK, rest < BLOCK ? rest : BLOCK);
        memcpy(at, &one, sizeof(one));
    }
    const struct block_digest own = signature_of(index, head, (size_t)(at - head));
    memcpy(at, &own, sizeof(own));
    return fwrite(head, 1, len, file) == len &&
           fwrite(bytes, 1, (size_t)top.bytes, file) == (size_t)top.bytes;
}

/* Beside it first: whoever reads meanwhile sees the old one or the new one. */
static void save(struct index *index)
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
    forget(index);
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

/* Whether a file is what its hash says, without reading it again for every piece that is asked of
 * it. */
#define _GNU_SOURCE
#include "okno/hash.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A file's times move in steps of some milliseconds: one that was written this lately may change
 * once more and keep them. */
static const int64_t settled_us = 2 * OKNO_SECOND_US;

void okno_hash_memo_init(struct okno_hash_memo *memo)
{
    memset(memo, 0, sizeof(*memo));
    (void)pthread_mutex_init(&memo->lock, NULL);
}

void okno_hash_memo_destroy(struct okno_hash_memo *memo)
{
    (void)pthread_mutex_destroy(&memo->lock);
}

static int64_t time_us(struct timespec at)
{
    return at.tv_sec * OKNO_SECOND_US + at.tv_nsec / 1000;
}

static struct okno_hash_known known_of(const struct stat *st, const char *sha256)
{
    struct okno_hash_known known = {.device = (uint64_t)st->st_dev,
                                    .inode = (uint64_t)st->st_ino,
                                    .bytes = st->st_size,
                                    .changed_ns =
                                        st->st_ctim.tv_sec * 1000000000LL + st->st_ctim.tv_nsec};
    (void)snprintf(known.sha256, sizeof(known.sha256), "%s", sha256);
    return known;
}

static bool is_same(const struct okno_hash_known *a, const struct okno_hash_known *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->changed_ns == b->changed_ns && strcmp(a->sha256, b->sha256) == 0;
}

static bool memo_has(struct okno_hash_memo *memo, const struct okno_hash_known *known)
{
    bool found = false;
    (void)pthread_mutex_lock(&memo->lock);
    for (size_t i = 0; i < OKNO_HASH_MEMO && !found; i++)
        found = is_same(&memo->known[i], known);
    (void)pthread_mutex_unlock(&memo->lock);
    return found;
}

static void memo_add(struct okno_hash_memo *memo, const struct okno_hash_known *known)
{
    (void)pthread_mutex_lock(&memo->lock);
    memo->known[memo->next++ % OKNO_HASH_MEMO] = *known;
    (void)pthread_mutex_unlock(&memo->lock);
}

int okno_hash_check(int fd, const char *sha256, struct okno_hash_memo *memo, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    struct stat st = {0};
    if (fstat(fd, &st) < 0)
        return okno_fail_errno(err, errno, "cannot look at the file %s", sha256);
    if (!S_ISREG(st.st_mode))
        return okno_fail(err, OKNO_CHECK_FAILED, "what lies in place of %s is no regular file",
                         sha256);
    const struct okno_hash_known known = known_of(&st, sha256);
    if (memo && memo_has(memo, &known))
        return 0;
    int rc = okno_hash_fd(fd, hash, err);
    if (rc < 0)
        return rc;
    if (strcmp(hash, sha256) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "the file %s was changed since it was kept: its SHA-256 is %s now; `okno "
                         "check` lists all such files, a backup may have it as it was",
                         sha256, hash);
    /* What is written from here on has another time, and is looked at again. */
    if (memo && time_us(st.st_ctim) < okno_time_now() - settled_us)
        memo_add(memo, &known);
    return 0;
}

int okno_hash_open(const char *path, const char *sha256, struct okno_hash_memo *memo, int *ret_fd,
                   int64_t *ret_size, struct okno_err *err)
{
    struct stat st = {0};
    /* A pipe in its place must hold nobody up. */
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return okno_fail(err, OKNO_GONE, "the file of this evidence is no longer kept");
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    int rc = okno_hash_check(fd, sha256, memo, err);
    if (rc < 0)
        return rc;
    if (fstat(fd, &st) < 0)
        return okno_fail_errno(err, errno, "cannot look at %s", path);
    *ret_size = st.st_size;
    *ret_fd = okno_mem_take_fd(&fd);
    return 0;
}

#define _GNU_SOURCE
#include "okno/tar.h"

#include "okno/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512, CHUNK = 128 * BLOCK };

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
    char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

static int put(int fd, const void *bytes, size_t len, struct okno_err *err)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t wrote = write(fd, at, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return okno_fail_errno(err, errno, "cannot write the archive");
        at += wrote;
        len -= (size_t)wrote;
    }
    return 0;
}

/* A path longer than its field is split at a slash. */
static int set_name(struct header *header, const char *path, struct okno_err *err)
{
    size_t len = strlen(path);
    const char *cut = NULL;
    if (len > sizeof(header->name)) {
        cut = strchr(path + len - sizeof(header->name) - 1, '/');
        if (!cut || !cut[1] || (size_t)(cut - path) > sizeof(header->prefix))
            return okno_fail(err, OKNO_TOO_LARGE, "%.200s: too long for an archive", path);
        memcpy(header->prefix, path, (size_t)(cut - path));
    }
    const char *name = cut ? cut + 1 : path;
    memcpy(header->name, name, strlen(name));
    return 0;
}

static void set_octal(char *field, size_t size, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)value);
    memcpy(field, text, size);
}

/* Sum of all bytes with the sum's own field as blanks. */
static void set_sum(struct header *header)
{
    unsigned sum = 0;
    memset(header->sum, ' ', sizeof(header->sum));
    for (size_t i = 0; i < BLOCK; i++)
        sum += ((const unsigned char *)header)[i];
    set_octal(header->sum, sizeof(header->sum) - 1, sum);
}

static int put_header(int fd, const char *path, const struct stat *info, struct okno_err *err)
{
    struct header header = {.type = S_ISDIR(info->st_mode) ? '5' : '0', .magic = "ustar"};
    memcpy(header.version, "00", sizeof(header.version));
    if (info->st_size >= INT64_C(1) << 33)
        return okno_fail(err, OKNO_TOO_LARGE, "%.200s: too large for an archive", path);
    int rc = set_name(&header, path, err);
    if (rc < 0)
        return rc;
    set_octal(header.mode, sizeof(header.mode), S_ISDIR(info->st_mode) ? 0755 : 0644);
    set_octal(header.uid, sizeof(header.uid), 0);
    set_octal(header.gid, sizeof(header.gid), 0);
    set_octal(header.size, sizeof(header.size),
              S_ISDIR(info->st_mode) ? 0 : (uint64_t)info->st_size);
    set_octal(header.mtime, sizeof(header.mtime), (uint64_t)info->st_mtime);
    set_sum(&header);
    return put(fd, &header, sizeof(header), err);
}

/* As many bytes as the header said, filled up to whole blocks. */
static int put_bytes(int fd, const char *path, int64_t size, struct okno_err *err)
{
    okno_autoclose int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    okno_autofree char *bytes = malloc(CHUNK);
    if (from < 0 || !bytes)
        return okno_fail_errno(err, errno, "cannot read %.200s", path);
    int rc = 0;
    for (int64_t left = size; rc == 0 && left > 0;) {
        ssize_t got = read(from, bytes, left < CHUNK ? (size_t)left : CHUNK);
        if (got <= 0)
            return okno_fail(err, OKNO_IO, "%.200s ended early", path);
        rc = put(fd, bytes, (size_t)got, err);
        left -= got;
    }
    static const char nothing[BLOCK];
    size_t odd = (size_t)(size % BLOCK);
    return rc < 0 || odd == 0 ? rc : put(fd, nothing, BLOCK - odd, err);
}

static int put_entry(int fd, const FTSENT *entry, const char *path, struct okno_err *err)
{
    switch (entry->fts_info) {
    case FTS_DP: /* on the way out */
        return 0;
    case FTS_D:
        return put_header(fd, path, entry->fts_statp, err);
    case FTS_F: {
        int rc = put_header(fd, path, entry->fts_statp, err);
        return rc < 0 ? rc : put_bytes(fd, entry->fts_path, entry->fts_statp->st_size, err);
    }
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return okno_fail_errno(err, entry->fts_errno, "cannot read %.200s", entry->fts_path);
    default:
        return okno_fail(err, OKNO_REFUSED, "%.200s is neither file nor folder", entry->fts_path);
    }
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void close_walk(FTS **walk)
{
    if (*walk)
        (void)fts_close(*walk);
}

int okno_tar_folder(const char *dir, const char *name, int fd, struct okno_err *err)
{
    static const char end[2 * BLOCK];
    okno_autofree char *root = strdup(dir);
    char *const roots[] = {root, NULL};
    __attribute__((cleanup(close_walk))) FTS *walk =
        root ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name) : NULL;
    FTSENT *entry;
    int rc = 0;
    if (!walk)
        return okno_fail_errno(err, errno, "cannot read %.200s", dir); // cppcheck-suppress memleak
    while (rc == 0 && (errno = 0, entry = fts_read(walk))) {
        char path[4096];
        int len = snprintf(path, sizeof(path), "%s%s%s", name, entry->fts_path + strlen(dir),
                           entry->fts_info == FTS_D ? "/" : "");
        rc = len < 0 || (size_t)len >= sizeof(path)
                 ? okno_fail(err, OKNO_TOO_LARGE, "%.200s: too long for an archive", dir)
                 : put_entry(fd, entry, path, err);
    }
    if (rc == 0 && errno)
        rc = okno_fail_errno(err, errno, "cannot read %.200s", dir);
    return rc < 0 ? rc : put(fd, end, sizeof(end), err);
}

void okno_tar_forget(const char *dir)
{
    okno_autofree char *root = strdup(dir);
    char *const roots[] = {root, NULL};
    __attribute__((cleanup(close_walk))) FTS *walk =
        root ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    FTSENT *entry;
    while (walk && (entry = fts_read(walk)))
        if (entry->fts_info != FTS_D)
            (void)remove(entry->fts_path);
}

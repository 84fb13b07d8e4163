#define _GNU_SOURCE
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum {
    MEMORY_BYTES = 16 * 1024 * 1024,       /* then on disk */
    ONLY_MEMORY_BYTES = 256 * 1024 * 1024, /* without a folder */
    PART_BYTES = 256 * 1024
};

struct spool {
    char dir[512]; /* "": memory only */
    int fd;
    bool on_disk;
    int64_t size;
};

int spool_new(const char *dir, struct spool **ret_spool, struct okno_err *err)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    if (!spool)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a download");
    if (dir && strlen(dir) < sizeof(spool->dir))
        (void)snprintf(spool->dir, sizeof(spool->dir), "%s", dir);
    spool->fd = memfd_create("okno-spool", MFD_CLOEXEC);
    if (spool->fd < 0) {
        int number = errno;
        free(spool);
        return okno_fail_errno(err, number, "no memory for a download");
    }
    *ret_spool = spool;
    return 0;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    (void)close(spool->fd);
    free(spool);
}

/* From memory into a file that no name leads to: gone with the process, whatever happens. */
static int move_to_disk(struct spool *spool, struct okno_err *err)
{
    int fd = open(spool->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    off_t at = 0;
    if (fd < 0)
        return okno_fail_errno(err, errno, "%s: cannot make a temporary file", spool->dir);
    while (at < spool->size) {
        ssize_t put = sendfile(fd, spool->fd, &at, (size_t)(spool->size - at));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            int number = put < 0 ? errno : EIO;
            (void)close(fd);
            return okno_fail_errno(err, number, "%s: cannot keep a download", spool->dir);
        }
    }
    (void)close(spool->fd);
    spool->fd = fd;
    spool->on_disk = true;
    return 0;
}

int spool_add(struct spool *spool, const void *bytes, size_t len, struct okno_err *err)
{
    int64_t after = spool->size + (int64_t)len;
    const char *from = bytes;
    int rc = 0;
    if (!spool->on_disk && spool->dir[0] && after > MEMORY_BYTES)
        rc = move_to_disk(spool, err);
    else if (!spool->on_disk && after > ONLY_MEMORY_BYTES)
        rc = okno_fail(err, OKNO_TOO_LARGE, "a download of more than %d MiB",
                       ONLY_MEMORY_BYTES >> 20);
    while (rc == 0 && len > 0) {
        ssize_t put = pwrite(spool->fd, from, len, (off_t)spool->size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return okno_fail_errno(err, errno, "cannot keep a download");
        from += put;
        len -= (size_t)put;
        spool->size += put;
    }
    return rc;
}

int64_t spool_size(const struct spool *spool)
{
    return spool->size;
}

int spool_drain(struct spool *spool, struct okno_net_stream *stream, int64_t deadline_us,
                int64_t *ret_len, struct okno_err *err)
{
    okno_autofree char *part = malloc(PART_BYTES);
    int64_t before = spool->size;
    size_t got = PART_BYTES;
    if (!part)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a download");
    while (got == PART_BYTES) {
        int rc = okno_net_stream_read(stream, part, PART_BYTES, deadline_us, &got, err);
        if (rc == 0)
            rc = spool_add(spool, part, got, err);
        if (rc < 0)
            return rc;
    }
    if (ret_len)
        *ret_len = spool->size - before;
    return 0;
}

int spool_fetch(struct spool *spool, struct okno_net *net, const struct okno_net_ask *ask,
                int64_t deadline_us, struct okno_net_reply *ret_reply, struct okno_err *err)
{
    OKNO_AUTO(okno_net_stream) *stream = NULL;
    int rc = okno_net_body_open(net, ask, &stream, err);
    if (rc == 0)
        rc = spool_drain(spool, stream, deadline_us, NULL, err);
    const struct okno_net_reply *reply = stream ? okno_net_stream_reply(stream) : NULL;
    if (rc == 0 && reply && ret_reply)
        *ret_reply = *reply;
    return rc;
}

struct part {
    int fd;
    int64_t from, len;
};

static int part_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                     struct okno_err *err)
{
    const struct part *part = ctx;
    size_t got = 0;
    if (offset < 0)
        return okno_fail(err, OKNO_INVALID, "a download is read at byte %lld", (long long)offset);
    if (offset >= part->len)
        len = 0;
    else if ((uint64_t)(part->len - offset) < len)
        len = (size_t)(part->len - offset);
    while (got < len) {
        ssize_t more = pread(part->fd, (char *)into + got, len - got,
                             (off_t)(part->from + offset + (int64_t)got));
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            return okno_fail_errno(err, more < 0 ? errno : EIO, "cannot read a download");
        got += (size_t)more;
    }
    *ret_got = got;
    return 0;
}

static void part_close(void *ctx)
{
    struct part *part = ctx;
    (void)close(part->fd);
    free(part);
}

int spool_source(struct spool *spool, int64_t from, int64_t to, int64_t requests,
                 struct okno_source **ret_source, struct okno_err *err)
{
    struct part *part = calloc(1, sizeof(*part));
    struct okno_source *source = calloc(1, sizeof(*source));
    int fd = fcntl(spool->fd, F_DUPFD_CLOEXEC, 3);
    if (!part || !source || fd < 0) {
        free(part);
        free(source);
        if (fd >= 0)
            (void)close(fd);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a download");
    }
    *part = (struct part){.fd = fd, .from = from, .len = to - from};
    *source = (struct okno_source){.size = to - from,
                                   .ctx = part,
                                   .read_at = part_read,
                                   .close = part_close,
                                   .requests = requests,
                                   .bytes_read = to - from};
    *ret_source = source;
    return 0;
}

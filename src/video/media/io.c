#define _POSIX_C_SOURCE 200809L
#include "io.h"

#include "okno/mem.h"

#include <errno.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum {
    AVIO_BYTES = 32 * 1024,
    CHUNK_MIN = 64 * 1024,
    CHUNK_MAX = 1024 * 1024,
    ONWARD_MAX = 1024 * 1024,
    /* Of what comes as a stream: whoever needs a little of it does not wait for a megabyte. */
    CHUNK_STREAM = 128 * 1024,
};

/* Further than any recording reaches that was cut off. */
#define FAR (INT64_C(1) << 46)

struct media_io {
    struct okno_source *source; /* not owned */
    AVIOContext *avio;
    int64_t at;
    uint8_t *cache; /* CHUNK_MAX bytes */
    int64_t cache_at;
    size_t cache_len;
    size_t chunk; /* size of the next read; doubles while reading on */
    int64_t plan_from, plan_to;
    int64_t onward;  /* bytes to plan once the plan is used up, twice as many each time; 0: none */
    int64_t hole_at; /* -1: none */
    uint8_t hole[MEDIA_HOLE_MIN]; /* what is read there */
    const uint8_t *tail;          /* not owned; NULL: none */
    int64_t tail_at;
    size_t tail_len;
    struct okno_err err; /* the transport's first failure */
};

/* How much to fetch at io->at: inside the plan up to its end, else doubling along a sequential
 * read, so that an index of a megabyte costs few requests and a jump costs little. */
static size_t chunk_len(struct media_io *io)
{
    if (io->onward > 0 && io->at == io->plan_to) {
        media_io_plan(io, io->at, io->at + io->onward);
        io->onward = io->onward < ONWARD_MAX / 2 ? 2 * io->onward : ONWARD_MAX;
    }
    if (io->at >= io->plan_from && io->at < io->plan_to) {
        int64_t left = io->plan_to - io->at;
        return left < CHUNK_STREAM ? (size_t)left : CHUNK_STREAM;
    }
    bool onward = io->cache_len > 0 && io->at == io->cache_at + (int64_t)io->cache_len;
    io->chunk = !onward ? CHUNK_MIN : io->chunk < CHUNK_MAX ? io->chunk * 2 : CHUNK_MAX;
    int64_t left = io->source->size - io->at;
    if (!onward && io->at < CHUNK_MIN && left > CHUNK_MIN - io->at)
        left = CHUNK_MIN - io->at; /* the beginning has come already: nothing more for its sake */
    if (io->plan_from > io->at && io->plan_from - io->at < left)
        left = io->plan_from - io->at;
    return left < (int64_t)io->chunk ? (size_t)left : io->chunk;
}

static int fill(struct media_io *io)
{
    size_t want = chunk_len(io);
    size_t got = 0;
    if (io->source->read_at(io->source->ctx, io->at, io->cache, want, &got, &io->err) < 0) {
        if (io->err.code == 0)
            io->err.code = OKNO_IO;
        return AVERROR(EIO);
    }
    io->cache_at = io->at;
    io->cache_len = got < want ? got : want;
    return 0;
}

static int tail_read(struct media_io *io, uint8_t *into, int len)
{
    int64_t left = io->tail_at + (int64_t)io->tail_len - io->at;
    if (!io->tail || io->at < io->tail_at || left <= 0)
        return AVERROR_EOF;
    len = left < len ? (int)left : len;
    memcpy(into, io->tail + (io->tail_len - (size_t)left), (size_t)len);
    io->at += len;
    return len;
}

static int io_read(void *opaque, uint8_t *into, int len)
{
    struct media_io *io = opaque;
    if (io->err.code != 0)
        return AVERROR(EIO);
    if (len > 0 && io->at >= io->source->size)
        return tail_read(io, into, len);
    if (len <= 0)
        return AVERROR_EOF;
    bool before = io->hole_at > io->at;
    if (io->hole_at >= 0 && !before && io->at < io->hole_at + MEDIA_HOLE_MIN) {
        int64_t left = io->hole_at + MEDIA_HOLE_MIN - io->at;
        len = left < len ? (int)left : len;
        memcpy(into, io->hole + (MEDIA_HOLE_MIN - left), (size_t)len);
        io->at += len;
        return len;
    }
    if (before && io->hole_at - io->at < len)
        len = (int)(io->hole_at - io->at);
    if (io->at < io->cache_at || io->at >= io->cache_at + (int64_t)io->cache_len) {
        int rc = fill(io);
        if (rc < 0)
            return rc;
        if (io->cache_len == 0)
            return AVERROR_EOF;
    }
    size_t skip = (size_t)(io->at - io->cache_at);
    size_t part = io->cache_len - skip;
    if (part > (size_t)len)
        part = (size_t)len;
    memcpy(into, io->cache + skip, part);
    io->at += (int64_t)part;
    return (int)part;
}

/* Where a seek goes, or a negative AVERROR. */
static int64_t seek_target(int64_t at, int64_t size, int64_t offset, int whence)
{
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE)
        return size;
    int64_t base = whence == SEEK_CUR ? at : whence == SEEK_END ? size : 0;
    int64_t target = 0;
    if (__builtin_add_overflow(base, offset, &target) || target < 0)
        return AVERROR(EINVAL);
    return target;
}

static int64_t io_seek(void *opaque, int64_t offset, int whence)
{
    struct media_io *io = opaque;
    int64_t size = io->tail ? io->tail_at + (int64_t)io->tail_len : io->source->size;
    int64_t target = seek_target(io->at, size, offset, whence);
    if (target >= 0 && (whence & ~AVSEEK_FORCE) != AVSEEK_SIZE)
        io->at = target;
    return target;
}

static AVIOContext *avio_new(bool writable, void *opaque,
                             int (*read)(void *opaque, uint8_t *into, int len),
                             int (*write)(void *opaque, uint8_t *from, int len),
                             int64_t (*seek)(void *opaque, int64_t offset, int whence))
{
    uint8_t *buffer = av_malloc(AVIO_BYTES);
    if (!buffer)
        return NULL;
    AVIOContext *avio =
        avio_alloc_context(buffer, AVIO_BYTES, writable ? 1 : 0, opaque, read, write, seek);
    if (!avio)
        av_free(buffer);
    return avio;
}

static void avio_free(AVIOContext **avio)
{
    if (!*avio)
        return;
    av_freep(&(*avio)->buffer);
    avio_context_free(avio);
}

int media_io_new(struct okno_source *source, struct media_io **ret_io, struct okno_err *err)
{
    struct media_io *io = calloc(1, sizeof(*io));
    if (io) {
        io->source = source;
        io->hole_at = -1;
        io->cache = malloc(CHUNK_MAX);
        io->avio = avio_new(false, io, io_read, NULL, io_seek);
    }
    if (!io || !io->cache || !io->avio) {
        media_io_free(io);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    }
    *ret_io = io;
    return 0;
}

void media_io_free(struct media_io *io)
{
    if (!io)
        return;
    avio_free(&io->avio);
    free(io->cache);
    free(io);
}

AVIOContext *media_io_context(struct media_io *io)
{
    return io->avio;
}

static bool plan_set(struct media_io *io, int64_t from, int64_t to)
{
    io->plan_from = from;
    io->plan_to = to < io->source->size ? to : io->source->size;
    return io->plan_from < io->plan_to;
}

void media_io_plan(struct media_io *io, int64_t from, int64_t to)
{
    if (plan_set(io, from, to) && io->source->plan)
        io->source->plan(io->source->ctx, io->plan_from, io->plan_to);
}

void media_io_plan_index(struct media_io *io, int64_t from, int64_t to)
{
    if (plan_set(io, from, to))
        okno_source_plan_index(io->source, io->plan_from, io->plan_to);
}

void media_io_onward(struct media_io *io, int64_t bytes)
{
    io->onward = bytes;
}

void media_io_hole(struct media_io *io, int64_t at, int64_t to)
{
    uint64_t bytes = (uint64_t)(to - at);
    const uint8_t head[8] = {0, 0, 0, 1, 'f', 'r', 'e', 'e'};
    memcpy(io->hole, head, sizeof(head));
    for (int i = 0; i < 8; i++)
        io->hole[8 + i] = (uint8_t)(bytes >> (56 - 8 * i));
    io->hole_at = at;
}

void media_io_behind(struct media_io *io, const void *bytes, size_t len)
{
    io->tail = bytes;
    io->tail_len = len;
    io->tail_at = io->source->size + FAR;
    media_io_hole(io, 0, io->tail_at);
}

const struct okno_err *media_io_error(const struct media_io *io)
{
    return io && io->err.code != 0 ? &io->err : NULL;
}

struct media_file {
    int fd; /* the caller's */
    int64_t at;
    AVIOContext *avio;
    int failed; /* errno of the first failed call */
};

/* Not fstat: that one also answers for paths, and the sandbox refuses it. Nobody here relies on the
 * descriptor's position. */
static int64_t fd_size(int fd)
{
    return (int64_t)lseek(fd, 0, SEEK_END);
}

static int file_write(void *opaque, uint8_t *from, int len)
{
    struct media_file *file = opaque;
    int done = 0;
    while (done < len) {
        ssize_t put = pwrite(file->fd, from + done, (size_t)(len - done), (off_t)file->at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            file->failed = file->failed ? file->failed : errno;
            return AVERROR(EIO);
        }
        done += (int)put;
        file->at += put;
    }
    return len;
}

static int64_t file_seek(void *opaque, int64_t offset, int whence)
{
    struct media_file *file = opaque;
    int64_t target = seek_target(file->at, fd_size(file->fd), offset, whence);
    if (target >= 0 && (whence & ~AVSEEK_FORCE) != AVSEEK_SIZE)
        file->at = target;
    return target;
}

int media_file_new(int fd, struct media_file **ret_file, struct okno_err *err)
{
    struct media_file *file = calloc(1, sizeof(*file));
    if (file) {
        file->fd = fd;
        file->avio = avio_new(true, file, NULL, file_write, file_seek);
    }
    if (!file || !file->avio) {
        media_file_free(file);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    }
    *ret_file = file;
    return 0;
}

void media_file_free(struct media_file *file)
{
    if (!file)
        return;
    avio_free(&file->avio);
    free(file);
}

AVIOContext *media_file_context(struct media_file *file)
{
    return file->avio;
}

int media_file_errno(const struct media_file *file)
{
    return file->failed;
}

static int source_read_at(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                          struct okno_err *err)
{
    size_t got = 0;
    while (got < len) {
        ssize_t part =
            pread(*(int *)ctx, (char *)into + got, len - got, (off_t)offset + (off_t)got);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return okno_fail_errno(err, errno, "cannot read back");
        if (part == 0)
            break;
        got += (size_t)part;
    }
    *ret_got = got;
    return 0;
}

int media_fd_source(int fd, struct okno_source **ret_source, struct okno_err *err)
{
    int64_t size = fd_size(fd);
    if (size < 0)
        return okno_fail_errno(err, errno, "cannot read back");
    struct okno_source *source = calloc(1, sizeof(*source));
    int *ctx = malloc(sizeof(*ctx));
    if (!source || !ctx) {
        free(source);
        free(ctx);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read back");
    }
    *ctx = fd;
    *source =
        (struct okno_source){.size = size, .ctx = ctx, .read_at = source_read_at, .close = free};
    *ret_source = source;
    return 0;
}

static _Thread_local char log_text[160];

/* Keeps the last complaint; may hold bytes of a hostile file, so only printable ones stay. */
static void log_keep(void *avcl, int level, const char *fmt, va_list args)
{
    if (level > AV_LOG_ERROR)
        return;
    int prefix = 1;
    char line[sizeof(log_text)];
    if (av_log_format_line2(avcl, level, fmt, args, line, (int)sizeof(line), &prefix) < 0)
        return;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    /* "[mov,mp4 @ 0x55d0]" says nothing to the reader. */
    char *text = line[0] == '[' ? strstr(line, "] ") : NULL;
    (void)snprintf(log_text, sizeof(log_text), "%s", text ? text + 2 : line);
}

static void log_install(void)
{
    av_log_set_callback(log_keep);
}

void media_log_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, log_install);
    log_text[0] = '\0';
}

int media_fail(struct okno_err *err, int code, int averror, const char *fmt, ...)
{
    char what[200];
    char why[AV_ERROR_MAX_STRING_SIZE] = "";
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (averror < 0 && av_strerror(averror, why, sizeof(why)) < 0)
        (void)snprintf(why, sizeof(why), "error %d", averror);
    if (averror == AVERROR(ENOMEM))
        code = OKNO_NO_MEMORY;
    const char *detail = log_text[0] ? log_text : why;
    return okno_fail(err, code, "%s%s%s", what, detail[0] ? ": " : "", detail);
}

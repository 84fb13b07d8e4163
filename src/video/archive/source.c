#define _POSIX_C_SOURCE 200809L
#include "source.h"

#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* The tag of a piece: "mtime:size", each -1 when unknown. */
static int64_t tag_mtime(const struct okno_piece *piece)
{
    char *end = NULL;
    int64_t mtime = strtoll(piece->tag, &end, 10);
    return end != piece->tag && *end == ':' ? mtime : -1;
}

static int fail_changed(const char *name, struct okno_err *err)
{
    return okno_fail(err, OKNO_GONE, "%s: replaced since it was listed; list again", name);
}

/* --- local --- */

struct local {
    int fd;
    struct okno_source *source; /* not owned */
    char name[256];
    struct stat opened; /* how it was then */
    bool growing;
};

/* Recorders that go round write over their oldest file where it lies: what was read before and
 * after are two recordings. Looked at after each read, as servers say it with each reply. */
static int check_local(const struct local *local, struct okno_err *err)
{
    struct stat now;
    if (fstat(local->fd, &now) < 0)
        return okno_fail_errno(err, errno, "%s", local->name);
    bool same = now.st_size == local->opened.st_size &&
                now.st_mtim.tv_sec == local->opened.st_mtim.tv_sec &&
                now.st_mtim.tv_nsec == local->opened.st_mtim.tv_nsec;
    bool fits = local->growing ? now.st_size >= local->opened.st_size : same;
    return fits ? 0 : fail_changed(local->name, err);
}

/* The bytes that are there, `len` or fewer. */
static int local_bytes(const struct local *local, int64_t offset, char *into, size_t len,
                       size_t *ret_got, struct okno_err *err)
{
    size_t got = 0;
    ssize_t more = 1;
    while (got < len && more != 0) {
        more = pread(local->fd, into + got, len - got, offset + (int64_t)got);
        if (more < 0 && errno != EINTR)
            return okno_fail_errno(err, errno, "%s", local->name);
        got += more > 0 ? (size_t)more : 0;
    }
    *ret_got = got;
    return 0;
}

static int local_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                      struct okno_err *err)
{
    struct local *local = ctx;
    int64_t size = local->source->size;
    size_t got = 0;
    if (offset < 0)
        return okno_fail(err, OKNO_INVALID, "%s: offset %" PRId64, local->name, offset);
    if (offset >= size)
        len = 0;
    else if ((uint64_t)(size - offset) < len)
        len = (size_t)(size - offset);
    int rc = local_bytes(local, offset, into, len, &got, err);
    if (rc == 0)
        rc = check_local(local, err);
    if (rc < 0)
        return rc;
    if (got < len)
        return okno_fail(err, OKNO_PROTOCOL, "%s: ends at byte %" PRId64 ", before its %" PRId64,
                         local->name, offset + (int64_t)got, size);
    local->source->bytes_read += (int64_t)got;
    local->source->requests += got > 0;
    *ret_got = got;
    return 0;
}

static void local_close(void *ctx)
{
    struct local *local = ctx;
    (void)close(local->fd);
    free(local);
}

static int fail_open(int number, const char *name, struct okno_err *err)
{
    if (number == ENOENT || number == ENOTDIR)
        return okno_fail(err, OKNO_GONE, "%s: no longer there", name);
    if (number == EACCES || number == EPERM)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED, "%s: this program may not read it", name);
    return okno_fail(err, OKNO_TRANSIENT, "%s: %s", name, strerror(number));
}

static int take_fd(int *at)
{
    int fd = *at;
    *at = -1;
    return fd;
}

int source_open_local(const char *path, const struct okno_piece *piece,
                      struct okno_source **ret_source, struct okno_err *err)
{
    struct stat info;
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) < 0)
        return fail_open(errno, piece->name, err);
    int64_t mtime = (int64_t)info.st_mtim.tv_sec * OKNO_SECOND_US + info.st_mtim.tv_nsec / 1000;
    bool same = (piece->size < 0 || piece->size == info.st_size) &&
                (tag_mtime(piece) < 0 || tag_mtime(piece) == mtime);
    if (!S_ISREG(info.st_mode) || (!same && !(piece->flags & OKNO_SPAN_GROWING)))
        return fail_changed(piece->name, err);
    OKNO_AUTO(okno_source) *source = calloc(1, sizeof(*source));
    struct local *local = calloc(1, sizeof(*local));
    if (!source || !local) {
        free(local);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to open %s", piece->name);
    }
    *local = (struct local){.fd = take_fd(&fd),
                            .source = source,
                            .opened = info,
                            .growing = piece->flags & OKNO_SPAN_GROWING};
    (void)snprintf(local->name, sizeof(local->name), "%s", piece->name);
    *source = (struct okno_source){
        .size = info.st_size, .ctx = local, .read_at = local_read, .close = local_close};
    *ret_source = okno_mem_take(&source);
    return 0;
}

/* --- HTTP: exact ranges; what was read lately is kept; a plan becomes one request --- */

enum {
    HEAD_BYTES = 64 * 1024,         /* read by the first request: the index often lies there */
    EXTENTS_MAX = 256,              /* kept */
    EXTENT_BYTES = 4 * 1024 * 1024, /* at most in one request outside a plan */
    KEPT_BYTES = 16 * 1024 * 1024,
    SKIP_BYTES = 2 * 1024 * 1024 /* of a plan are read and dropped rather than asked anew */
};

struct extent {
    char *data; /* owned; NULL while free */
    int64_t at;
    size_t len;
    uint64_t used; /* for eviction: larger is younger */
};

struct remote {
    struct okno_net *net;       /* not owned */
    struct okno_source *source; /* not owned */
    char *url;                  /* owned */
    char name[256];
    char etag[96];
    char if_range[96]; /* strong tag sent with every request but the first; "" for none */
    int64_t listed_mtime_us;
    int64_t deadline_us;
    bool growing, opened;
    bool *gone; /* the archive's */
    struct extent extents[EXTENTS_MAX];
    size_t kept; /* bytes in them */
    uint64_t clock;
    int64_t plan_from, plan_to;     /* announced, not begun; empty: none */
    struct okno_net_stream *stream; /* owned; NULL: none under way */
    int64_t stream_at, stream_to;
    bool head_comes; /* by the stream, before anybody asked */
};

static void remote_close(void *ctx)
{
    struct remote *remote = ctx;
    okno_net_stream_close(remote->stream);
    for (size_t i = 0; i < EXTENTS_MAX; i++)
        free(remote->extents[i].data);
    free(remote->url);
    free(remote);
}

static struct extent *find_extent(struct remote *remote, int64_t at)
{
    for (size_t i = 0; i < EXTENTS_MAX; i++) {
        struct extent *extent = &remote->extents[i];
        if (extent->data && at >= extent->at && at < extent->at + (int64_t)extent->len)
            return extent;
    }
    return NULL;
}

static void drop_extent(struct remote *remote, struct extent *extent)
{
    remote->kept -= extent->len;
    free(extent->data);
    *extent = (struct extent){0};
}

/* A free place for `len` more bytes; the oldest extents make room. */
static struct extent *make_room(struct remote *remote, size_t len)
{
    for (;;) {
        struct extent *oldest = NULL;
        struct extent *empty = NULL;
        for (size_t i = 0; i < EXTENTS_MAX; i++) {
            struct extent *extent = &remote->extents[i];
            if (!extent->data)
                empty = extent;
            else if (!oldest || extent->used < oldest->used)
                oldest = extent;
        }
        if (empty && (!oldest || remote->kept + len <= KEPT_BYTES))
            return empty;
        drop_extent(remote, oldest);
    }
}

static int keep_extent(struct remote *remote, int64_t at, const void *bytes, size_t len,
                       struct okno_err *err)
{
    if (len == 0)
        return 0;
    struct extent *extent = make_room(remote, len);
    extent->data = malloc(len);
    if (!extent->data)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read %s", remote->name);
    memcpy(extent->data, bytes, len);
    extent->at = at;
    extent->len = len;
    extent->used = ++remote->clock;
    remote->kept += len;
    return 0;
}

/* A date that is nearly now is no strong validator: servers then send everything. */
static void take_tag(struct remote *remote, const struct okno_net_reply *reply)
{
    int64_t mtime = okno_net_date(reply->last_modified);
    bool settled = mtime >= 0 && reply->date_us - mtime >= 60 * OKNO_SECOND_US;
    if (!remote->growing && reply->etag[0] == '"')
        (void)snprintf(remote->if_range, sizeof(remote->if_range), "%s", reply->etag);
    else if (!remote->growing && settled)
        (void)snprintf(remote->if_range, sizeof(remote->if_range), "%s", reply->last_modified);
}

/* Weak tags of young files become strong ones without the file changing. */
static bool same_tag(const char *a, const char *b)
{
    a += strncmp(a, "W/", 2) == 0 ? 2 : 0;
    b += strncmp(b, "W/", 2) == 0 ? 2 : 0;
    return strcmp(a, b) == 0;
}

/* HTTP tells whole seconds (RFC 9110, 8.8.2); Ceph and MinIO list thousandths of them. */
static bool same_second(int64_t said_us, int64_t listed_us)
{
    return said_us == listed_us - listed_us % OKNO_SECOND_US;
}

/* The first reply fixes size and tags; each later one must agree with it. */
static int check_reply(struct remote *remote, const struct okno_net_reply *reply,
                       struct okno_err *err)
{
    int64_t size = remote->source->size;
    if (!remote->opened) {
        int64_t mtime = okno_net_date(reply->last_modified);
        bool same = (size < 0 || reply->total < 0 || reply->total == size) &&
                    (remote->listed_mtime_us < 0 || mtime < 0 ||
                     same_second(mtime, remote->listed_mtime_us));
        if (!same && !remote->growing)
            return fail_changed(remote->name, err);
        if (reply->total < 0 && size < 0)
            return okno_fail(err, OKNO_PROTOCOL, "%s: the server tells no size", remote->name);
        remote->source->size = reply->total >= 0 ? reply->total : size;
        (void)snprintf(remote->etag, sizeof(remote->etag), "%s", reply->etag);
        take_tag(remote, reply);
        remote->opened = true;
        return 0;
    }
    if (remote->growing)
        return reply->total >= 0 && reply->total < size ? fail_changed(remote->name, err) : 0;
    if ((reply->total >= 0 && reply->total != size) || !same_tag(reply->etag, remote->etag))
        return fail_changed(remote->name, err);
    return 0;
}

/* What went over the network since: also when it failed. */
static void count(struct remote *remote, int64_t requests, int64_t bytes)
{
    remote->source->requests += okno_net_requests(remote->net) - requests;
    remote->source->bytes_read += okno_net_bytes(remote->net) - bytes;
}

static int fetch(struct remote *remote, int64_t offset, int64_t len, struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT((size_t)2 * EXTENT_BYTES);
    struct okno_net_reply reply;
    int64_t requests = okno_net_requests(remote->net);
    int64_t bytes = okno_net_bytes(remote->net);
    int rc = okno_net_get_range(remote->net, remote->url, offset, len, remote->if_range, &body,
                                &reply, err);
    count(remote, requests, bytes);
    if (rc < 0)
        return rc;
    rc = check_reply(remote, &reply, err);
    if (rc < 0)
        return rc;
    if ((int64_t)body.len < len && !reply.whole &&
        offset + (int64_t)body.len < remote->source->size)
        return okno_fail(err, OKNO_PROTOCOL, "%s: ends at byte %" PRId64 ", before its %" PRId64,
                         remote->name, offset + (int64_t)body.len, remote->source->size);
    return keep_extent(remote, reply.whole ? 0 : offset, body.data, body.len, err);
}

static int as_gone(struct okno_err *err, int rc)
{
    if (rc != OKNO_NOT_FOUND)
        return rc;
    if (err)
        err->code = OKNO_GONE;
    return OKNO_GONE;
}

static int fail_late(const struct remote *remote, struct okno_err *err)
{
    return okno_fail(err, OKNO_TIMEOUT, "%s: not read in time", remote->name);
}

/* Take `len` bytes off the stream. */
static int stream_take(struct remote *remote, void *into, size_t len, int64_t until_us,
                       struct okno_err *err)
{
    size_t got = 0;
    int64_t requests = okno_net_requests(remote->net);
    int64_t bytes = okno_net_bytes(remote->net);
    int64_t left_us = until_us - okno_time_monotonic();
    int rc = left_us <= 0 ? fail_late(remote, err)
                          : okno_net_stream_read(remote->stream, into, len, left_us, &got, err);
    count(remote, requests, bytes);
    const struct okno_net_reply *reply = okno_net_stream_reply(remote->stream);
    if (rc == 0 && reply)
        rc = check_reply(remote, reply, err);
    if (rc == 0 && got < len)
        rc = okno_fail(err, OKNO_PROTOCOL, "%s: a part is missing", remote->name);
    remote->stream_at += (int64_t)got;
    return rc;
}

static void stream_end(struct remote *remote)
{
    okno_net_stream_close(remote->stream);
    remote->stream = NULL;
}

/* Whether the stream brings this byte soon; begins it when it is the plan's. Behind a hole that is
 * too long to read, the rest of the stream is a plan again. */
static int stream_ready(struct remote *remote, int64_t at, bool *ret_ready, struct okno_err *err)
{
    bool covers = remote->stream && at >= remote->stream_at && at < remote->stream_to;
    if (covers && at - remote->stream_at <= SKIP_BYTES) {
        *ret_ready = true;
        return 0;
    }
    if (covers && remote->plan_to <= remote->plan_from) {
        remote->plan_from = at;
        remote->plan_to = remote->stream_to;
    }
    *ret_ready = at >= remote->plan_from && at < remote->plan_to;
    if (!*ret_ready)
        return 0;
    stream_end(remote);
    remote->stream_at = at;
    remote->stream_to = remote->plan_to;
    remote->plan_from = remote->plan_to = 0;
    return okno_net_stream_open(remote->net, remote->url, at, remote->stream_to - at,
                                remote->if_range, &remote->stream, err);
}

/* Up to `len` bytes at `at` from the stream: at least one. */
static int stream_read(struct remote *remote, int64_t at, void *into, size_t len, int64_t until_us,
                       size_t *ret_got, struct okno_err *err)
{
    int rc = 0;
    while (rc == 0 && remote->stream_at < at) {
        char skipped[4096];
        int64_t gap = at - remote->stream_at;
        rc = stream_take(remote, skipped,
                         gap < (int64_t)sizeof(skipped) ? (size_t)gap : sizeof(skipped), until_us,
                         err);
    }
    int64_t left = remote->stream_to - at;
    size_t part = left < (int64_t)len ? (size_t)left : len;
    if (rc == 0)
        rc = stream_take(remote, into, part, until_us, err);
    if (rc == 0)
        rc = keep_extent(remote, at, into, part, err); /* demuxers go back a little */
    if (rc == 0)
        *ret_got = part;
    if (rc < 0 || remote->stream_at == remote->stream_to)
        stream_end(remote);
    return as_gone(err, rc);
}

static int64_t head_len(const struct remote *remote)
{
    return remote->source->size < HEAD_BYTES ? remote->source->size : HEAD_BYTES;
}

/* What came ahead is kept; where it did not come, it is asked for as if nothing had been. */
static int head_take(struct remote *remote, int64_t until_us, struct okno_err *err)
{
    char head[HEAD_BYTES];
    struct okno_err trouble = {0};
    size_t len = (size_t)head_len(remote);
    remote->head_comes = false;
    int rc = stream_take(remote, head, len, until_us, &trouble);
    stream_end(remote);
    return rc == 0 ? keep_extent(remote, 0, head, len, err) : 0;
}

static void remote_await(void *ctx, int fd, int64_t wait_us)
{
    struct remote *remote = ctx;
    bool untouched = !remote->stream && !remote->opened && remote->plan_to == 0;
    int64_t requests = okno_net_requests(remote->net);
    int64_t bytes = okno_net_bytes(remote->net);
    if (untouched && okno_net_stream_open(remote->net, remote->url, 0, head_len(remote), "",
                                          &remote->stream, NULL) == 0) {
        remote->head_comes = true;
        remote->stream_at = 0;
        remote->stream_to = head_len(remote);
    }
    if (remote->stream)
        okno_net_stream_await(remote->stream, fd, wait_us);
    count(remote, requests, bytes);
}

/* Up to `len` bytes at `at`: at least one. Whoever reads the beginning gets all of the head. */
static int read_part(struct remote *remote, int64_t at, void *into, size_t len, int64_t until_us,
                     size_t *ret_got, struct okno_err *err)
{
    if (remote->head_comes && head_take(remote, until_us, err) < 0)
        return OKNO_NO_MEMORY;
    bool streams = remote->stream && at == remote->stream_at;
    struct extent *extent = streams ? NULL : find_extent(remote, at);
    int rc = streams || extent ? 0 : stream_ready(remote, at, &streams, err);
    if (rc < 0)
        return rc;
    if (streams)
        return stream_read(remote, at, into, len, until_us, ret_got, err);
    if (!extent) {
        int64_t left_us = until_us - okno_time_monotonic();
        int64_t want = (int64_t)len < EXTENT_BYTES ? (int64_t)len : EXTENT_BYTES;
        if (at == 0 && want < HEAD_BYTES)
            want = head_len(remote);
        if (left_us <= 0)
            return fail_late(remote, err);
        okno_net_set_deadline(remote->net, left_us);
        rc = fetch(remote, at, want, err);
        if (rc < 0)
            return as_gone(err, rc);
        extent = find_extent(remote, at);
    }
    if (!extent)
        return okno_fail(err, OKNO_PROTOCOL, "%s: a part is missing", remote->name);
    size_t skip = (size_t)(at - extent->at);
    *ret_got = extent->len - skip < len ? extent->len - skip : len;
    memcpy(into, extent->data + skip, *ret_got);
    extent->used = ++remote->clock;
    return 0;
}

static int remote_read(void *ctx, int64_t offset, void *into, size_t len, size_t *ret_got,
                       struct okno_err *err)
{
    struct remote *remote = ctx;
    int64_t size = remote->source->size;
    int64_t until = okno_time_monotonic() + remote->deadline_us;
    size_t got = 0;
    if (offset < 0)
        return okno_fail(err, OKNO_INVALID, "%s: offset %" PRId64, remote->name, offset);
    if (offset >= size)
        len = 0;
    else if ((uint64_t)(size - offset) < len)
        len = (size_t)(size - offset);
    while (got < len) {
        size_t part = 0;
        int rc = read_part(remote, offset + (int64_t)got, (char *)into + got, len - got, until,
                           &part, err);
        *remote->gone |= rc == OKNO_GONE;
        if (rc < 0)
            return rc;
        got += part;
    }
    *ret_got = got;
    return 0;
}

static void remote_plan(void *ctx, int64_t from, int64_t to)
{
    struct remote *remote = ctx;
    remote->plan_from = from > 0 ? from : 0;
    remote->plan_to = to < remote->source->size ? to : remote->source->size;
}

int source_open_http(struct okno_net *net, const char *url, const struct okno_piece *piece,
                     int64_t deadline_us, bool *gone, struct okno_source **ret_source,
                     struct okno_err *err)
{
    OKNO_AUTO(okno_source) *source = calloc(1, sizeof(*source));
    struct remote *remote = calloc(1, sizeof(*remote));
    if (!source || !remote) {
        free(remote);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to open %s", piece->name);
    }
    *remote = (struct remote){.net = net,
                              .source = source,
                              .url = strdup(url),
                              .listed_mtime_us = tag_mtime(piece),
                              .deadline_us = deadline_us,
                              .gone = gone,
                              .growing = piece->flags & OKNO_SPAN_GROWING};
    (void)snprintf(remote->name, sizeof(remote->name), "%s", piece->name);
    *source = (struct okno_source){.size = piece->size,
                                   .ctx = remote,
                                   .read_at = remote_read,
                                   .plan = remote_plan,
                                   .await = remote_await,
                                   .close = remote_close};
    if (!remote->url)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to open %s", piece->name);
    if (piece->size < 0 || remote->growing) { /* how long it is must be known */
        okno_net_set_deadline(net, deadline_us);
        int rc = piece->size == 0 ? 0 : fetch(remote, 0, HEAD_BYTES, err);
        if (rc < 0)
            return as_gone(err, rc);
    }
    *ret_source = okno_mem_take(&source);
    return 0;
}

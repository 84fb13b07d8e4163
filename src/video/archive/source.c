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
};

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
    while (got < len) {
        ssize_t more = pread(local->fd, (char *)into + got, len - got, offset + (int64_t)got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return okno_fail_errno(err, errno, "%s", local->name);
        if (more == 0)
            return okno_fail(err, OKNO_PROTOCOL,
                             "%s: ends at byte %" PRId64 ", before its %" PRId64, local->name,
                             offset + (int64_t)got, size);
        got += (size_t)more;
    }
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
    *local = (struct local){.fd = take_fd(&fd), .source = source};
    (void)snprintf(local->name, sizeof(local->name), "%s", piece->name);
    *source = (struct okno_source){
        .size = info.st_size, .ctx = local, .read_at = local_read, .close = local_close};
    *ret_source = okno_mem_take(&source);
    return 0;
}

/* --- HTTP: a few blocks in memory; reading on asks for more and more at once --- */

enum {
    BLOCK_BYTES = 256 * 1024,
    BLOCKS_MAX = 32,    /* kept: 8 MiB */
    RUN_MAX_BLOCKS = 16 /* asked at once: 4 MiB */
};

struct block {
    char *data;    /* owned; NULL while free */
    int64_t index; /* of the block in the file */
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
    struct block blocks[BLOCKS_MAX];
    uint64_t clock;
    int64_t next_index; /* the block after the last run */
    int64_t run_blocks; /* length of the last run */
};

static void remote_close(void *ctx)
{
    struct remote *remote = ctx;
    for (size_t i = 0; i < BLOCKS_MAX; i++)
        free(remote->blocks[i].data);
    free(remote->url);
    free(remote);
}

static struct block *find_block(struct remote *remote, int64_t index)
{
    for (size_t i = 0; i < BLOCKS_MAX; i++)
        if (remote->blocks[i].data && remote->blocks[i].index == index)
            return &remote->blocks[i];
    return NULL;
}

static struct block *oldest_block(struct remote *remote)
{
    struct block *oldest = &remote->blocks[0];
    for (size_t i = 0; i < BLOCKS_MAX; i++) {
        if (!remote->blocks[i].data)
            return &remote->blocks[i];
        if (remote->blocks[i].used < oldest->used)
            oldest = &remote->blocks[i];
    }
    return oldest;
}

static int store_block(struct remote *remote, int64_t index, const char *bytes, size_t len,
                       struct okno_err *err)
{
    struct block *block = find_block(remote, index);
    block = block ? block : oldest_block(remote);
    if (!block->data && !(block->data = malloc(BLOCK_BYTES)))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read %s", remote->name);
    memcpy(block->data, bytes, len);
    block->index = index;
    block->len = len;
    block->used = ++remote->clock;
    return 0;
}

/* The first reply fixes size and tags; each later one must agree with it. */
static int check_reply(struct remote *remote, const struct okno_net_reply *reply,
                       struct okno_err *err)
{
    int64_t size = remote->source->size;
    if (!remote->opened) {
        int64_t mtime = okno_net_date(reply->last_modified);
        bool same = (size < 0 || reply->total < 0 || reply->total == size) &&
                    (remote->listed_mtime_us < 0 || mtime < 0 || mtime == remote->listed_mtime_us);
        if (!same && !remote->growing)
            return fail_changed(remote->name, err);
        if (reply->total < 0 && size < 0)
            return okno_fail(err, OKNO_PROTOCOL, "%s: the server tells no size", remote->name);
        remote->source->size = reply->total >= 0 ? reply->total : size;
        (void)snprintf(remote->etag, sizeof(remote->etag), "%s", reply->etag);
        if (!remote->growing)
            (void)snprintf(remote->if_range, sizeof(remote->if_range), "%s",
                           reply->etag[0] == '"' ? reply->etag : reply->last_modified);
        remote->opened = true;
        return 0;
    }
    if (remote->growing)
        return reply->total >= 0 && reply->total < size ? fail_changed(remote->name, err) : 0;
    if ((reply->total >= 0 && reply->total != size) || strcmp(reply->etag, remote->etag) != 0)
        return fail_changed(remote->name, err);
    return 0;
}

/* Cut a body that begins at a block's border into blocks. */
static int store_body(struct remote *remote, int64_t index, const struct okno_buf *body,
                      struct okno_err *err)
{
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < body->len; at += BLOCK_BYTES, index++) {
        size_t len = body->len - at < BLOCK_BYTES ? body->len - at : BLOCK_BYTES;
        rc = store_block(remote, index, body->data + at, len, err);
    }
    return rc;
}

static int fetch(struct remote *remote, int64_t index, int64_t blocks, struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT((size_t)BLOCK_BYTES * BLOCKS_MAX);
    struct okno_net_reply reply;
    int64_t offset = index * BLOCK_BYTES;
    int64_t len = blocks * BLOCK_BYTES;
    if (remote->opened && len > remote->source->size - offset)
        len = remote->source->size - offset;
    int64_t requests = okno_net_requests(remote->net);
    int64_t bytes = okno_net_bytes(remote->net);
    int rc = okno_net_get_range(remote->net, remote->url, offset, len, remote->if_range, &body,
                                &reply, err);
    remote->source->requests += okno_net_requests(remote->net) - requests;
    remote->source->bytes_read += okno_net_bytes(remote->net) - bytes;
    if (rc < 0)
        return rc;
    rc = check_reply(remote, &reply, err);
    if (rc < 0)
        return rc;
    if ((int64_t)body.len < len && !reply.whole &&
        offset + (int64_t)body.len < remote->source->size)
        return okno_fail(err, OKNO_PROTOCOL, "%s: ends at byte %" PRId64 ", before its %" PRId64,
                         remote->name, offset + (int64_t)body.len, remote->source->size);
    remote->next_index = index + blocks;
    remote->run_blocks = blocks;
    return store_body(remote, reply.whole ? 0 : index, &body, err);
}

/* How many blocks to ask for: what is wanted, twice the last run when reading on, never what is
 * here already or past the end. */
static int64_t run_length(struct remote *remote, int64_t index, int64_t wanted)
{
    int64_t blocks = index == remote->next_index ? remote->run_blocks * 2 : 1;
    int64_t last = (remote->source->size - 1) / BLOCK_BYTES;
    blocks = blocks > wanted ? blocks : wanted;
    blocks = blocks > RUN_MAX_BLOCKS ? RUN_MAX_BLOCKS : blocks;
    blocks = blocks > last - index + 1 ? last - index + 1 : blocks;
    for (int64_t i = 1; i < blocks; i++)
        if (find_block(remote, index + i))
            return i;
    return blocks;
}

static int as_gone(struct okno_err *err, int rc)
{
    if (rc != OKNO_NOT_FOUND)
        return rc;
    if (err)
        err->code = OKNO_GONE;
    return OKNO_GONE;
}

/* The block with this index, fetched when it is not here. */
static int need_block(struct remote *remote, int64_t index, int64_t wanted, int64_t until_us,
                      struct block **ret_block, struct okno_err *err)
{
    struct block *block = find_block(remote, index);
    if (!block) {
        int64_t left_us = until_us - okno_time_monotonic();
        if (left_us <= 0)
            return okno_fail(err, OKNO_TIMEOUT, "%s: not read in time", remote->name);
        okno_net_set_deadline(remote->net, left_us);
        int rc = fetch(remote, index, run_length(remote, index, wanted), err);
        if (rc < 0)
            return as_gone(err, rc);
        block = find_block(remote, index);
    }
    if (!block)
        return okno_fail(err, OKNO_PROTOCOL, "%s: a part is missing", remote->name);
    block->used = ++remote->clock;
    *ret_block = block;
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
        int64_t at = offset + (int64_t)got;
        int64_t index = at / BLOCK_BYTES;
        int64_t wanted = (offset + (int64_t)len - 1) / BLOCK_BYTES - index + 1;
        struct block *block = NULL;
        int rc = need_block(remote, index, wanted, until, &block, err);
        if (rc < 0)
            return rc;
        size_t skip = (size_t)(at % BLOCK_BYTES);
        if (skip >= block->len) /* grew since this block was read: read it again */
            return okno_fail(err, OKNO_PROTOCOL, "%s: a part is missing", remote->name);
        size_t part = block->len - skip < len - got ? block->len - skip : len - got;
        memcpy((char *)into + got, block->data + skip, part);
        got += part;
    }
    *ret_got = got;
    return 0;
}

int source_open_http(struct okno_net *net, const char *url, const struct okno_piece *piece,
                     int64_t deadline_us, struct okno_source **ret_source, struct okno_err *err)
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
                              .growing = piece->flags & OKNO_SPAN_GROWING,
                              .next_index = -1};
    (void)snprintf(remote->name, sizeof(remote->name), "%s", piece->name);
    *source = (struct okno_source){
        .size = piece->size, .ctx = remote, .read_at = remote_read, .close = remote_close};
    if (!remote->url)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to open %s", piece->name);
    if (piece->size != 0) {
        okno_net_set_deadline(net, deadline_us);
        int rc = fetch(remote, 0, 1, err);
        if (rc < 0)
            return as_gone(err, rc);
    }
    *ret_source = okno_mem_take(&source);
    return 0;
}

#define _POSIX_C_SOURCE 200809L
#include "net_call.h"

#include "okno/time.h"

#include <inttypes.h>
#include <string.h>

enum { STREAM_BUFFER = 4 * 1024 * 1024 }; /* read ahead of the caller at most */

struct okno_net_stream {
    struct call call;
    CURL *curl; /* owned */
    struct net_gate gate;
    struct outgoing out;  /* its ask is only for the opening */
    struct okno_buf body; /* what came and was not taken yet begins at `taken` */
    size_t taken;
    int64_t came; /* of the reply's body */
    bool paused, done;
    CURLcode code;
};

static size_t waiting(const struct okno_net_stream *stream)
{
    return stream->body.len - stream->taken;
}

static size_t part_of(int64_t bytes, size_t most)
{
    return bytes <= 0 ? 0 : bytes < (int64_t)most ? (size_t)bytes : most;
}

/* Where ranges are ignored, what was asked is cut out of all of it. */
static size_t on_part(char *bytes, size_t size, size_t count, void *arg)
{
    struct okno_net_stream *stream = arg;
    struct call *call = &stream->call;
    size_t len = size * count;
    if (net_is_good(call) && waiting(stream) + len > STREAM_BUFFER) {
        stream->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    call->net->bytes += (int64_t)len;
    okno_budget_spend(call->net->budget, (int64_t)len);
    if (!net_is_good(call)) {
        net_on_refusal(call, bytes, len);
        return call->error_bytes > STREAM_BUFFER ? 0 : len;
    }
    if (!call->reply.whole && stream->came + (int64_t)len > call->len)
        return net_stop(call,
                        okno_fail(call->err, OKNO_PROTOCOL,
                                  "%s: more bytes than the range that was asked", call->shown));
    size_t skip = call->reply.whole ? part_of(call->offset - stream->came, len) : 0;
    size_t to = call->reply.whole ? part_of(call->offset + call->len - stream->came, len) : len;
    if (okno_buf_add(&stream->body, bytes + skip, to - skip, NULL) < 0)
        return net_stop(call,
                        okno_fail(call->err, OKNO_NO_MEMORY, "no memory to read %s", call->shown));
    stream->came += (int64_t)len;
    return len;
}

void net_stream_ended(struct okno_net_stream *stream, CURLcode code)
{
    stream->done = true;
    stream->code = code;
}

static CURLcode set_stream(struct okno_net_stream *stream)
{
    CURL *curl = stream->curl;
    CURLcode bad = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_part);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_WRITEDATA, stream);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_PRIVATE, stream);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &stream->gate);
    bad = bad ? bad : curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 128L * 1024);
    return bad ? bad : curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 0L); /* each read has its own */
}

static int stream_open(struct okno_net *net, const struct outgoing *out, bool free_form,
                       struct okno_net_stream **ret_stream, struct okno_err *err)
{
    OKNO_AUTO(okno_net_stream) *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    stream->out = *out;
    stream->body = (struct okno_buf)OKNO_BUF_INIT(2 * (size_t)STREAM_BUFFER);
    stream->call =
        (struct call){.net = net, .body = &stream->body, .streamed = true, .free_form = free_form};
    stream->curl = curl_easy_duphandle(net->curl);
    if (!stream->curl || set_stream(stream))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    int rc = net_prepare(net, stream->curl, &stream->gate, &stream->out, &stream->call, err);
    stream->out.ask = NULL;
    stream->call.err = NULL;
    if (rc < 0)
        return rc;
    if (curl_multi_add_handle(net->multi, stream->curl))
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a request");
    *ret_stream = okno_mem_take(&stream);
    return 0;
}

int okno_net_stream_open(struct okno_net *net, const char *url, int64_t offset, int64_t len,
                         const char *tag, struct okno_net_stream **ret_stream, struct okno_err *err)
{
    const struct okno_net_ask ask = {.url = url};
    const struct outgoing out = {
        .ask = &ask, .ranged = true, .offset = offset, .len = len, .tag = tag};
    return stream_open(net, &out, false, ret_stream, err);
}

int okno_net_body_open(struct okno_net *net, const struct okno_net_ask *ask,
                       struct okno_net_stream **ret_stream, struct okno_err *err)
{
    const struct outgoing out = {.ask = ask};
    return stream_open(net, &out, true, ret_stream, err);
}

void okno_net_stream_close(struct okno_net_stream *stream)
{
    if (!stream)
        return;
    if (stream->curl) {
        (void)curl_multi_remove_handle(stream->call.net->multi, stream->curl);
        curl_easy_cleanup(stream->curl);
    }
    net_outgoing_clear(&stream->out);
    okno_buf_free(&stream->body);
    free(stream);
}

const struct okno_net_reply *okno_net_stream_reply(const struct okno_net_stream *stream)
{
    return stream->call.checked ? &stream->call.reply : NULL;
}

/* Why a stream that has ended is not whole; 0 when it is. */
static int judge(struct okno_net_stream *stream)
{
    struct call *call = &stream->call;
    curl_off_t wait_s = 0;
    if (curl_easy_getinfo(stream->curl, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
        call->net->retry_after_us = wait_s > 86400 ? OKNO_DAY_US : wait_s * OKNO_SECOND_US;
    if (call->failed) /* perhaps noticed during another call, whose error it is not */
        return okno_fail(call->err, call->failed, "%s: a reply that contradicts itself",
                         call->shown);
    if (call->reply.status >= 300)
        return net_fail_status(call);
    return stream->code ? net_fail_transfer(call, stream->code)
                        : net_check_body(call, stream->came);
}

static CURLMcode move_on(struct okno_net_stream *stream)
{
    if (stream->paused && waiting(stream) < STREAM_BUFFER / 2) {
        stream->paused = false;
        (void)curl_easy_pause(stream->curl, CURLPAUSE_CONT);
    }
    return net_turn(stream->call.net, stream->curl, &stream->done, &stream->code);
}

static int turn(struct okno_net_stream *stream, int64_t until_us)
{
    struct call *call = &stream->call;
    CURLMcode bad = move_on(stream);
    if (bad)
        return okno_fail(call->err, OKNO_FAILED, "network library: %s", curl_multi_strerror(bad));
    int rc = okno_budget_check(call->net->budget, call->shown, call->err);
    if (rc < 0)
        return rc;
    return okno_time_monotonic() < until_us
               ? 0
               : okno_fail(call->err, OKNO_TIMEOUT,
                           "%s: no complete answer in time (%" PRId64 " bytes came)", call->shown,
                           stream->came);
}

/* Wait until `len` bytes are here or all that will come. */
static int gather(struct okno_net_stream *stream, size_t len, int64_t until_us)
{
    int rc = 0;
    while (rc == 0 && !stream->done && waiting(stream) < len) {
        rc = turn(stream, until_us);
        if (rc == 0 && !stream->done && waiting(stream) < len &&
            curl_multi_poll(stream->call.net->multi, NULL, 0, 100, NULL))
            rc = okno_fail(stream->call.err, OKNO_FAILED, "network library: cannot wait");
    }
    return rc == 0 && stream->done ? judge(stream) : rc;
}

/* Bytes that were taken make room once they are most of the buffer. */
static void forget_taken(struct okno_net_stream *stream)
{
    if (stream->taken < stream->body.len && stream->taken < STREAM_BUFFER / 2)
        return;
    memmove(stream->body.data, stream->body.data + stream->taken, waiting(stream));
    stream->body.len = waiting(stream);
    stream->taken = 0;
}

int okno_net_stream_read(struct okno_net_stream *stream, void *into, size_t len,
                         int64_t deadline_us, size_t *ret_got, struct okno_err *err)
{
    int64_t until_us = okno_time_monotonic() + deadline_us;
    size_t got = 0;
    int rc = 0;
    stream->call.err = err;
    while (rc == 0 && got < len) {
        size_t want = len - got < STREAM_BUFFER / 2 ? len - got : STREAM_BUFFER / 2;
        rc = gather(stream, want, until_us);
        size_t part = waiting(stream) < want ? waiting(stream) : want;
        if (rc < 0 || part == 0)
            break;
        memcpy((char *)into + got, stream->body.data + stream->taken, part);
        stream->taken += part;
        got += part;
        forget_taken(stream);
    }
    stream->call.err = NULL;
    if (rc == 0)
        *ret_got = got;
    return rc;
}

void okno_net_stream_await(struct okno_net_stream *stream, int fd, int64_t wait_us)
{
    int64_t until_us = okno_time_monotonic() + wait_us;
    struct curl_waitfd wait = {.fd = fd, .events = CURL_WAIT_POLLIN};
    while (!wait.revents && !stream->done && !move_on(stream) && !stream->done) {
        int64_t left_us = until_us - okno_time_monotonic();
        int most_ms = left_us < OKNO_SECOND_US ? (int)(left_us / OKNO_MS_US) + 1 : 1000;
        if (left_us <= 0 || curl_multi_poll(stream->call.net->multi, &wait, 1, most_ms, NULL))
            return;
    }
}

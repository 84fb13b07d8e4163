#define _GNU_SOURCE
#include "proxy.h"

#include "okno/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUEUE = 4096 }; /* segments on the way in one direction */

struct segment {
    double due_s;
    char *data; /* owned */
    size_t len, done;
};

struct ack {
    double due_s;
    size_t len;
};

/* One direction of one connection. */
struct way {
    int from, to; /* the connection's */
    struct flow flow;
    struct link_side *side;
    struct segment queue[QUEUE]; /* a ring */
    size_t first, count;
    struct ack acks[QUEUE]; /* a ring */
    size_t acks_first, acks_count;
    double open_s;       /* nothing goes before the handshake is over */
    double eof_s;        /* when the end arrives; 0: none seen */
    bool ended, blocked; /* end handed on; the receiver's buffer is full */
    bool deaf;           /* the receiver is gone: what still comes is lost */
};

struct conn {
    int client, server; /* owned */
    struct way up, down;
    size_t matched; /* bytes of " HTTP/1." seen in the current line */
};

struct proxy {
    struct link_config config;
    int to_port;
    struct link_counts counts;
    struct conn *conns[LINK_CONNS]; /* owned; NULL: free */
};

struct proxy *proxy_new(const struct link_config *config, int to_port, uint64_t seed)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    if (!proxy)
        return NULL;
    proxy->config = *config;
    proxy->to_port = to_port;
    proxy->counts.up.random = seed * 2 + 1;
    proxy->counts.down.random = seed * 4 + 3;
    return proxy;
}

static void conn_free(struct conn *conn)
{
    if (!conn)
        return;
    for (size_t i = 0; i < QUEUE; i++) {
        free(conn->up.queue[i].data);
        free(conn->down.queue[i].data);
    }
    (void)close(conn->client);
    (void)close(conn->server);
    free(conn);
}

void proxy_free(struct proxy *proxy)
{
    for (size_t i = 0; proxy && i < LINK_CONNS; i++)
        conn_free(proxy->conns[i]);
    free(proxy);
}

const struct link_counts *proxy_counts(const struct proxy *proxy)
{
    return &proxy->counts;
}

void proxy_reset(struct proxy *proxy)
{
    struct link_counts *counts = &proxy->counts;
    counts->connections = counts->requests = 0;
    counts->up.bytes = counts->up.again = counts->down.bytes = counts->down.again = 0;
}

static void way_start(struct proxy *proxy, struct way *way, int from, int to, double open_s)
{
    way->from = from;
    way->to = to;
    way->open_s = open_s;
    flow_start(&way->flow, &proxy->config);
}

void proxy_accept(struct proxy *proxy, int fd, double now_s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)proxy->to_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct conn *conn = calloc(1, sizeof(*conn));
    size_t slot = 0;
    while (slot < LINK_CONNS && proxy->conns[slot])
        slot++;
    if (server < 0 || !conn || slot == LINK_CONNS ||
        connect(server, (struct sockaddr *)&to, sizeof(to)) < 0) {
        (void)close(fd);
        if (server >= 0)
            (void)close(server);
        free(conn);
        return;
    }
    /* The delays are ours alone: nothing waits for an acknowledgement on loopback. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    conn->client = fd;
    conn->server = server;
    way_start(proxy, &conn->up, fd, server, now_s + proxy->config.rtt_s);
    way_start(proxy, &conn->down, server, fd, now_s + proxy->config.rtt_s);
    conn->up.side = &proxy->counts.up;
    conn->down.side = &proxy->counts.down;
    proxy->conns[slot] = conn;
    proxy->counts.connections++;
}

/* Each request line ends with " HTTP/1.x"; a header that holds the same text does not follow a
 * method, but nobody sends one here. */
static void count_requests(struct proxy *proxy, struct conn *conn, const char *data, size_t len)
{
    static const char mark[] = " HTTP/1.";
    for (size_t i = 0; i < len; i++) {
        conn->matched = data[i] == mark[conn->matched] ? conn->matched + 1 : data[i] == ' ';
        if (mark[conn->matched] == '\0') {
            proxy->counts.requests++;
            conn->matched = 0;
        }
    }
}

static void take_acks(struct proxy *proxy, struct way *way, double now_s)
{
    while (way->acks_count > 0 && way->acks[way->acks_first].due_s <= now_s) {
        flow_ack(&way->flow, &proxy->config, way->acks[way->acks_first].len);
        way->acks_first = (way->acks_first + 1) % QUEUE;
        way->acks_count--;
    }
}

static void confirm(struct proxy *proxy, struct way *way, size_t len, double at_s)
{
    size_t slot = (way->acks_first + way->acks_count) % QUEUE;
    way->acks[slot] = (struct ack){.due_s = at_s + proxy->config.rtt_s / 2, .len = len};
    way->acks_count++;
}

static void drop_first(struct way *way)
{
    struct segment *segment = &way->queue[way->first];
    free(segment->data);
    segment->data = NULL;
    way->first = (way->first + 1) % QUEUE;
    way->count--;
}

static void deliver(struct proxy *proxy, struct way *way, double now_s)
{
    bool late = way->blocked;
    way->blocked = false;
    while (way->count > 0 && way->queue[way->first].due_s <= now_s && !way->blocked) {
        struct segment *segment = &way->queue[way->first];
        ssize_t put = way->deaf ? 0
                                : send(way->to, segment->data + segment->done,
                                       segment->len - segment->done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put < 0 && errno == EAGAIN) {
            way->blocked = true;
        } else if (put < 0 || way->deaf) {
            way->deaf = true;
            drop_first(way);
        } else if ((segment->done += (size_t)put) == segment->len) {
            if (way->acks_count < QUEUE)
                confirm(proxy, way, segment->len, late ? now_s : segment->due_s);
            drop_first(way);
        }
    }
    if (way->eof_s > 0 && way->eof_s <= now_s && way->count == 0 && !way->ended) {
        way->ended = true;
        (void)shutdown(way->to, SHUT_WR);
    }
}

static size_t room(struct proxy *proxy, struct way *way, double now_s)
{
    bool full = way->count == QUEUE || way->count + way->acks_count >= QUEUE;
    return way->eof_s > 0 || full || now_s < way->open_s
               ? 0
               : flow_room(&way->flow, &proxy->config, now_s);
}

static void fetch(struct proxy *proxy, struct conn *conn, struct way *way, double now_s)
{
    size_t most = 0;
    while ((most = room(proxy, way, now_s)) > 0) {
        char data[FLOW_SEGMENT];
        ssize_t got = recv(way->from, data, most, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            double end = now_s + proxy->config.rtt_s / 2;
            way->eof_s = end > way->flow.due_s ? end : way->flow.due_s;
            return;
        }
        char *copy = malloc((size_t)got);
        if (!copy)
            return;
        memcpy(copy, data, (size_t)got);
        if (way == &conn->up)
            count_requests(proxy, conn, data, (size_t)got);
        size_t slot = (way->first + way->count) % QUEUE;
        double due = flow_send(&way->flow, &proxy->config, way->side, (size_t)got, now_s);
        way->queue[slot] = (struct segment){.due_s = due, .data = copy, .len = (size_t)got};
        way->count++;
    }
}

static double sooner(double a, double b)
{
    return a < b ? a : b;
}

static double way_next(const struct way *way, double now_s, double next_s)
{
    if (way->count > 0 && !way->blocked)
        next_s = sooner(next_s, way->queue[way->first].due_s);
    if (way->acks_count > 0)
        next_s = sooner(next_s, way->acks[way->acks_first].due_s);
    if (way->open_s > now_s)
        next_s = sooner(next_s, way->open_s);
    if (way->eof_s > 0 && !way->ended)
        next_s = sooner(next_s, way->eof_s);
    return next_s;
}

static struct pollfd wanted(struct proxy *proxy, int fd, struct way *reads,
                            const struct way *writes, double now_s)
{
    short events = room(proxy, reads, now_s) > 0 ? POLLIN : 0;
    if (writes->blocked)
        events = (short)(events | POLLOUT);
    return (struct pollfd){.fd = events ? fd : -1, .events = events};
}

/* Both ends said goodbye, or the client is gone and the server knows it. */
static bool is_over(const struct conn *conn)
{
    return (conn->up.ended && conn->down.ended) || (conn->down.deaf && conn->up.ended) ||
           conn->up.deaf;
}

size_t proxy_step(struct proxy *proxy, double now_s, struct pollfd *polls, double *ret_next_s)
{
    size_t count = 0;
    *ret_next_s = now_s + 3600;
    for (size_t i = 0; i < LINK_CONNS; i++) {
        struct conn *conn = proxy->conns[i];
        if (!conn)
            continue;
        for (int side = 0; side < 2; side++) {
            struct way *way = side ? &conn->down : &conn->up;
            take_acks(proxy, way, now_s);
            deliver(proxy, way, now_s);
            fetch(proxy, conn, way, now_s);
            *ret_next_s = way_next(way, now_s, *ret_next_s);
        }
        polls[count++] = wanted(proxy, conn->client, &conn->up, &conn->down, now_s);
        polls[count++] = wanted(proxy, conn->server, &conn->down, &conn->up, now_s);
        if (is_over(conn)) {
            conn_free(conn);
            proxy->conns[i] = NULL;
            count -= 2;
        }
    }
    return count;
}

#define _GNU_SOURCE
#include "gate.h"

#include "listen.h"
#include "okno/log.h"
#include "okno/time.h"
#include "reply.h"
#include "wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

enum {
    LINGER_BYTES_MAX = 1 << 18,
    EVENTS_MAX = 64,
    SPARE_SLOTS = 16, /* for refused connections that linger */
    EVENT_LISTEN = -1,
    EVENT_WAKE = -2,
};
#define LINGER_US (2 * OKNO_SECOND_US)
#define ACCEPT_PAUSE_US (OKNO_SECOND_US / 5)

enum slot_state {
    SLOT_FREE,
    SLOT_READING,   /* its header is on the way */
    SLOT_LINGERING, /* refused; reads on a little so that the answer is not lost to a reset */
    SLOT_HANDED     /* the library's; we keep only its deadline */
};

struct http_slot {
    enum slot_state state;
    int fd;
    struct sockaddr_storage address;
    int64_t accepted_us; /* monotonic */
    int64_t deadline_us;
    size_t discarded;
    bool whole; /* its request has arrived, body and all */
};

struct http_gate {
    struct okno_serve_limits limits;
    int listen_fd, epoll_fd, wake_fd;
    int port;
    char url[80];
    http_gate_take *take;
    void *context;
    pthread_t thread;
    bool started;
    char *peeked;            /* header_bytes; the gate's thread only */
    int64_t accept_again_us; /* out of descriptors until then; the gate's thread only */

    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t ended; /* a handed connection was released */
    struct http_slot *slots;
    int slot_count; /* connections and some to spare; constant */
    uint64_t refused;
    bool draining, closing;
};

struct okno_serve_limits http_limits_or_default(const struct okno_serve_limits *limits)
{
    struct okno_serve_limits full = *limits;
#define OR_DEFAULT(field, value) full.field = full.field ? full.field : (value)
    OR_DEFAULT(connections, 128);
    OR_DEFAULT(per_address, 16);
    OR_DEFAULT(header_bytes, 16U << 10);
    OR_DEFAULT(body_bytes, 1U << 20);
    OR_DEFAULT(header_us, 10 * OKNO_SECOND_US);
    OR_DEFAULT(body_us, 30 * OKNO_SECOND_US);
    OR_DEFAULT(total_us, 600 * OKNO_SECOND_US);
    OR_DEFAULT(drain_us, 10 * OKNO_SECOND_US);
#undef OR_DEFAULT
    return full;
}

static int watch(struct http_gate *gate, int op, int fd, uint32_t events, int64_t mark)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)mark};
    return epoll_ctl(gate->epoll_fd, op, fd, &event);
}

static int64_t place_of(const struct http_gate *gate, const struct http_slot *slot)
{
    return slot - gate->slots;
}

/* Under the lock. */
static void slot_close(struct http_slot *slot)
{
    (void)close(slot->fd);
    slot->fd = -1;
    slot->state = SLOT_FREE;
}

static void refuse_bytes(int fd, int status, int code, const char *message)
{
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(8192);
    if (http_reply_raw(&buf, status, code, message) == 0)
        (void)send(fd, buf.data, buf.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Under the lock. Answer, then read on for a moment: closing with unread bytes would reset the
 * connection and take the answer with it. */
static void slot_refuse(struct http_gate *gate, struct http_slot *slot, int status, int code,
                        const char *message)
{
    gate->refused++;
    refuse_bytes(slot->fd, status, code, message);
    (void)shutdown(slot->fd, SHUT_WR);
    slot->state = SLOT_LINGERING;
    slot->deadline_us = okno_time_monotonic() + LINGER_US;
    slot->discarded = 0;
    (void)watch(gate, EPOLL_CTL_MOD, slot->fd, EPOLLIN | EPOLLRDHUP, place_of(gate, slot));
}

/* Under the lock. */
static void slot_discard(struct http_slot *slot)
{
    char waste[4096];
    ssize_t got;
    while ((got = recv(slot->fd, waste, sizeof(waste), MSG_DONTWAIT)) > 0)
        if ((slot->discarded += (size_t)got) > LINGER_BYTES_MAX)
            break;
    if (got >= 0 || (errno != EAGAIN && errno != EINTR))
        slot_close(slot);
}

static void hand_on(struct http_gate *gate, struct http_slot *slot)
{
    int fd = slot->fd;
    struct sockaddr_storage address = slot->address;
    (void)epoll_ctl(gate->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    slot->state = SLOT_HANDED;
    /* Only ever put off later: the gate's thread sleeps until the earliest it knows. */
    slot->deadline_us =
        slot->accepted_us + (gate->limits.body_us < gate->limits.total_us ? gate->limits.body_us
                                                                          : gate->limits.total_us);
    (void)pthread_mutex_unlock(&gate->lock);
    socklen_t len =
        address.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    bool taken = gate->take(gate->context, fd, (struct sockaddr *)&address, len);
    (void)pthread_mutex_lock(&gate->lock);
    if (!taken && slot->state == SLOT_HANDED && slot->fd == fd) {
        slot->state = SLOT_FREE; /* the library closed it */
        slot->fd = -1;
    }
}

/* Under the lock, which is let go while a complete request is handed on. */
static void slot_read(struct http_gate *gate, struct http_slot *slot, uint32_t events)
{
    ssize_t got = recv(slot->fd, gate->peeked, gate->limits.header_bytes, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        slot_close(slot);
        return;
    }
    struct http_wire_limits limits = {gate->limits.header_bytes, gate->limits.body_bytes};
    struct okno_err err = {0};
    int status = 0;
    int rc = http_wire_check(gate->peeked, (size_t)got, &limits, &status, &err);
    if (rc == 1)
        hand_on(gate, slot);
    else if (rc < 0)
        slot_refuse(gate, slot, status, rc, err.text);
    else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        slot_close(slot);
}

/* ---- no room ---- */

/* Parts of their deadlines that a request does not take unless its client holds it back. */
enum { HEADER_PART = 500, BODY_PART = 30 };

/* Under the lock. The one that holds its header back for longest; NULL: all of them are new. */
static struct http_slot *longest_reading(const struct http_gate *gate)
{
    int64_t before_us = okno_time_monotonic() - gate->limits.header_us / HEADER_PART;
    struct http_slot *oldest = NULL;
    for (int i = 0; i < gate->slot_count; i++) {
        struct http_slot *slot = &gate->slots[i];
        if (slot->state == SLOT_READING && slot->accepted_us < before_us &&
            (!oldest || slot->accepted_us < oldest->accepted_us))
            oldest = slot;
    }
    return oldest;
}

/* Nothing is there to read: its client has to go on. */
static bool waits_for_client(const struct http_slot *slot)
{
    int unread = 0;
    return ioctl(slot->fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* Under the lock. The library owns the descriptor and tells us before it closes it, so it is still
 * open. */
static void cut_off(struct http_slot *slot)
{
    (void)shutdown(slot->fd, SHUT_RDWR);
    slot->deadline_us = INT64_MAX;
}

/* Under the lock. Bodies that are held back end; their slots are free when the library says so. */
static void cut_bodies(struct http_gate *gate)
{
    int64_t before_us = okno_time_monotonic() - gate->limits.body_us / BODY_PART;
    for (int i = 0; i < gate->slot_count; i++) {
        struct http_slot *slot = &gate->slots[i];
        if (slot->state == SLOT_HANDED && !slot->whole && slot->deadline_us != INT64_MAX &&
            slot->accepted_us < before_us && waits_for_client(slot))
            cut_off(slot);
    }
}

/* Under the lock. Who does not send keeps nobody out who does: half requests, however many, make
 * room for the next one. */
static void make_room(struct http_gate *gate)
{
    struct http_slot *slot = longest_reading(gate);
    if (!slot) {
        cut_bodies(gate);
        return;
    }
    gate->refused++;
    refuse_bytes(slot->fd, 408, OKNO_TIMEOUT,
                 "others wait, and the request's header does not come");
    /* Unread bytes would reset the connection and take the answer with it. */
    (void)!recv(slot->fd, gate->peeked, gate->limits.header_bytes, MSG_DONTWAIT);
    slot_close(slot);
}

static const char all_taken[] = "too many connections, try again";

/* Under the lock. Why there is no room for one more from this address; NULL when there is. */
static const char *full_reason(const struct http_gate *gate, const struct sockaddr *address)
{
    int busy = 0;
    int same = 0;
    for (int i = 0; i < gate->slot_count; i++) {
        const struct http_slot *slot = &gate->slots[i];
        if (slot->state != SLOT_READING && slot->state != SLOT_HANDED)
            continue;
        busy++;
        same += http_address_same_host((const struct sockaddr *)&slot->address, address);
    }
    if (busy >= gate->limits.connections)
        return all_taken;
    if (same >= gate->limits.per_address && !http_address_is_loopback(address))
        return "too many connections from this address";
    return NULL;
}

static struct http_slot *free_slot(struct http_gate *gate)
{
    for (int i = 0; i < gate->slot_count; i++)
        if (gate->slots[i].state == SLOT_FREE)
            return &gate->slots[i];
    return NULL;
}

/* Under the lock. */
static void admit(struct http_gate *gate, int fd, const struct sockaddr_storage *address)
{
    const char *full = full_reason(gate, (const struct sockaddr *)address);
    if (full == all_taken) {
        make_room(gate);
        full = full_reason(gate, (const struct sockaddr *)address);
    }
    struct http_slot *slot = free_slot(gate);
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (!slot) { /* a flood: not even a word */
        gate->refused++;
        (void)close(fd);
        return;
    }
    *slot = (struct http_slot){.state = SLOT_READING, .fd = fd, .address = *address};
    slot->accepted_us = okno_time_monotonic();
    slot->deadline_us = slot->accepted_us + gate->limits.header_us;
    if (watch(gate, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, place_of(gate, slot)) < 0)
        slot_close(slot);
    else if (full)
        slot_refuse(gate, slot, 503, OKNO_BUSY, full);
}

/* Under the lock. */
static void accept_all(struct http_gate *gate)
{
    for (int i = 0; i < EVENTS_MAX && gate->listen_fd >= 0; i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof(address);
        int fd = accept4(gate->listen_fd, (struct sockaddr *)&address, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(gate, fd, &address);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            okno_log(OKNO_LOG_WARNING, "service", "cannot accept a connection: %s",
                     strerror(errno));
            gate->accept_again_us = okno_time_monotonic() + ACCEPT_PAUSE_US;
            (void)watch(gate, EPOLL_CTL_MOD, gate->listen_fd, 0, EVENT_LISTEN);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* Under the lock. */
static void slot_expire(struct http_gate *gate, struct http_slot *slot)
{
    if (slot->state == SLOT_READING) {
        slot_refuse(gate, slot, 408, OKNO_TIMEOUT, "the request's header took too long");
    } else if (slot->state == SLOT_LINGERING) {
        slot_close(slot);
    } else {
        cut_off(slot);
    }
}

/* Under the lock. Ends what is due; returns how long epoll may sleep. */
static int expire_all(struct http_gate *gate)
{
    int64_t now = okno_time_monotonic();
    int64_t next = INT64_MAX;
    for (int i = 0; i < gate->slot_count; i++) {
        struct http_slot *slot = &gate->slots[i];
        if (slot->state != SLOT_FREE && slot->deadline_us <= now)
            slot_expire(gate, slot);
        if (slot->state != SLOT_FREE && slot->deadline_us < next)
            next = slot->deadline_us;
    }
    if (gate->accept_again_us && gate->accept_again_us <= now && gate->listen_fd >= 0) {
        gate->accept_again_us = 0;
        (void)watch(gate, EPOLL_CTL_MOD, gate->listen_fd, EPOLLIN, EVENT_LISTEN);
    }
    if (gate->accept_again_us && gate->accept_again_us < next)
        next = gate->accept_again_us;
    if (next == INT64_MAX)
        return -1;
    int64_t left_ms = (next - now) / OKNO_MS_US + 1;
    return left_ms < 60000 ? (int)left_ms : 60000;
}

/* Under the lock. */
static void on_event(struct http_gate *gate, int64_t mark, uint32_t events)
{
    if (mark == EVENT_LISTEN) {
        accept_all(gate);
    } else if (mark == EVENT_WAKE) {
        eventfd_t count;
        (void)eventfd_read(gate->wake_fd, &count);
    } else if (gate->slots[mark].state == SLOT_READING) {
        slot_read(gate, &gate->slots[mark], events);
    } else if (gate->slots[mark].state == SLOT_LINGERING) {
        slot_discard(&gate->slots[mark]);
    }
}

/* Under the lock. */
static void begin_drain(struct http_gate *gate)
{
    if (gate->listen_fd < 0)
        return;
    (void)close(gate->listen_fd);
    gate->listen_fd = -1;
    for (int i = 0; i < gate->slot_count; i++)
        if (gate->slots[i].state == SLOT_READING)
            slot_close(&gate->slots[i]);
    (void)pthread_cond_broadcast(&gate->ended);
}

static void *gate_main(void *arg)
{
    struct http_gate *gate = arg;
    struct epoll_event events[EVENTS_MAX];
    (void)pthread_mutex_lock(&gate->lock);
    while (!gate->closing) {
        int wait_ms = expire_all(gate);
        (void)pthread_mutex_unlock(&gate->lock);
        int count = epoll_wait(gate->epoll_fd, events, EVENTS_MAX, wait_ms);
        (void)pthread_mutex_lock(&gate->lock);
        for (int i = 0; i < count; i++)
            on_event(gate, (int64_t)events[i].data.u64, events[i].events);
        if (gate->draining)
            begin_drain(gate);
    }
    (void)pthread_mutex_unlock(&gate->lock);
    return NULL;
}

static int gate_prepare(struct http_gate *gate, struct okno_err *err)
{
    gate->slot_count = gate->limits.connections + SPARE_SLOTS;
    gate->slots = calloc((size_t)gate->slot_count, sizeof(*gate->slots));
    gate->peeked = malloc(gate->limits.header_bytes);
    if (!gate->slots || !gate->peeked)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %d connections",
                         gate->limits.connections);
    gate->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    gate->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (gate->epoll_fd < 0 || gate->wake_fd < 0 ||
        watch(gate, EPOLL_CTL_ADD, gate->wake_fd, EPOLLIN, EVENT_WAKE) < 0 ||
        watch(gate, EPOLL_CTL_ADD, gate->listen_fd, EPOLLIN, EVENT_LISTEN) < 0)
        return okno_fail_errno(err, errno, "cannot watch the listener");
    return 0;
}

int http_gate_open(const struct http_gate_options *options, struct http_gate **ret_gate,
                   struct okno_err *err)
{
    OKNO_AUTO(http_gate) *gate = calloc(1, sizeof(*gate));
    if (!gate)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the listener");
    gate->limits = options->limits;
    gate->listen_fd = gate->epoll_fd = gate->wake_fd = -1;
    (void)pthread_mutex_init(&gate->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&gate->ended, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int rc = http_listen(options->listen, options->behind_proxy, &gate->listen_fd, err);
    if (rc == 0)
        rc = http_address_bound(gate->listen_fd, &gate->port, gate->url, sizeof(gate->url), err);
    if (rc == 0)
        rc = gate_prepare(gate, err);
    if (rc == 0)
        *ret_gate = okno_mem_take(&gate);
    return rc;
}

int http_gate_start(struct http_gate *gate, http_gate_take *take, void *context,
                    struct okno_err *err)
{
    gate->take = take;
    gate->context = context;
    int number = pthread_create(&gate->thread, NULL, gate_main, gate);
    if (number)
        return okno_fail_errno(err, number, "cannot start the listener's thread");
    gate->started = true;
    return 0;
}

int http_gate_port(const struct http_gate *gate)
{
    return gate->port;
}

const char *http_gate_url(const struct http_gate *gate)
{
    return gate->url;
}

struct http_slot *http_gate_find(struct http_gate *gate, int fd)
{
    struct http_slot *found = NULL;
    (void)pthread_mutex_lock(&gate->lock);
    for (int i = 0; i < gate->slot_count && !found; i++)
        if (gate->slots[i].state == SLOT_HANDED && gate->slots[i].fd == fd)
            found = &gate->slots[i];
    (void)pthread_mutex_unlock(&gate->lock);
    return found;
}

void http_gate_body_done(struct http_gate *gate, struct http_slot *slot)
{
    (void)pthread_mutex_lock(&gate->lock);
    slot->whole = true;
    if (slot->deadline_us != INT64_MAX)
        slot->deadline_us = slot->accepted_us + gate->limits.total_us;
    (void)pthread_mutex_unlock(&gate->lock);
}

void http_gate_release(struct http_gate *gate, struct http_slot *slot)
{
    (void)pthread_mutex_lock(&gate->lock);
    slot->state = SLOT_FREE;
    slot->fd = -1;
    (void)pthread_cond_broadcast(&gate->ended);
    (void)pthread_mutex_unlock(&gate->lock);
}

/* Under the lock. */
static int count_handed(const struct http_gate *gate)
{
    int handed = 0;
    for (int i = 0; i < gate->slot_count; i++)
        handed += gate->slots[i].state == SLOT_HANDED;
    return handed;
}

bool http_gate_drain(struct http_gate *gate)
{
    int64_t until_us = okno_time_monotonic() + gate->limits.drain_us;
    struct timespec until = {.tv_sec = until_us / OKNO_SECOND_US,
                             .tv_nsec = until_us % OKNO_SECOND_US * 1000};
    (void)pthread_mutex_lock(&gate->lock);
    gate->draining = true;
    (void)eventfd_write(gate->wake_fd, 1);
    while (gate->started && gate->listen_fd >= 0) /* from then on nothing is handed on */
        (void)pthread_cond_wait(&gate->ended, &gate->lock);
    int number = 0;
    while (count_handed(gate) > 0 && number == 0)
        number = pthread_cond_timedwait(&gate->ended, &gate->lock, &until);
    bool all = count_handed(gate) == 0;
    (void)pthread_mutex_unlock(&gate->lock);
    return all;
}

void http_gate_counts(struct http_gate *gate, int *ret_open, uint64_t *ret_refused)
{
    int open = 0;
    (void)pthread_mutex_lock(&gate->lock);
    for (int i = 0; i < gate->slot_count; i++)
        open += gate->slots[i].state != SLOT_FREE;
    *ret_open = open;
    *ret_refused = gate->refused;
    (void)pthread_mutex_unlock(&gate->lock);
}

void http_gate_close(struct http_gate *gate)
{
    if (!gate)
        return;
    if (gate->started) {
        (void)pthread_mutex_lock(&gate->lock);
        gate->closing = true;
        (void)eventfd_write(gate->wake_fd, 1);
        (void)pthread_mutex_unlock(&gate->lock);
        (void)pthread_join(gate->thread, NULL);
    }
    for (int i = 0; gate->slots && i < gate->slot_count; i++)
        if (gate->slots[i].state == SLOT_READING || gate->slots[i].state == SLOT_LINGERING)
            slot_close(&gate->slots[i]);
    okno_mem_close_at(&gate->listen_fd);
    okno_mem_close_at(&gate->epoll_fd);
    okno_mem_close_at(&gate->wake_fd);
    (void)pthread_cond_destroy(&gate->ended);
    (void)pthread_mutex_destroy(&gate->lock);
    free(gate->slots);
    free(gate->peeked);
    free(gate);
}

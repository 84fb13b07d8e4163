#define _GNU_SOURCE
#include "fault.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUESTS_MAX = 256, CONNECTIONS_MAX = 1200, REQUEST_BYTES_MAX = 4 << 20 };

struct connection {
    struct fault_server *server;
    int fd;
    pthread_t thread;
};

struct fault_server {
    const struct fault *script;
    size_t script_len;
    int listener;
    int stop_pipe[2]; /* closed on the writing side to stop */
    char url[64];
    pthread_t thread;
    struct connection connections[CONNECTIONS_MAX]; /* the acceptor's */
    size_t connection_count;
    pthread_mutex_t lock; /* protects the two below */
    pthread_cond_t changed;
    char *requests[REQUESTS_MAX]; /* owned */
    size_t request_count;
};

/* True when the socket can be used; false when the server is to stop, or after wait_ms. */
static bool wait_for(struct fault_server *server, int fd, short events, int wait_ms)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = server->stop_pipe[0], .events = POLLIN}};
    int ready;
    while ((ready = poll(fds, 2, wait_ms)) < 0)
        ;
    return ready > 0 && fds[1].revents == 0;
}

static bool send_all(struct fault_server *server, int fd, const char *bytes, size_t len)
{
    while (len > 0 && wait_for(server, fd, POLLOUT, -1)) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return len == 0;
}

/* Bytes of the whole request, once its head is there; 0 while it is not. */
static size_t whole_len(const char *bytes, size_t len)
{
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    const char *at = bytes;
    size_t body = 0;
    if (!end)
        return 0;
    for (; at < end; at = (const char *)memchr(at, '\n', (size_t)(end + 2 - at)) + 1)
        if (strncasecmp(at, "Content-Length:", 15) == 0)
            body = strtoul(at + 15, NULL, 10);
    return (size_t)(end + 4 - bytes) + body;
}

/* The whole request, owned by the caller; NULL when the other side went before its end. */
static char *read_request(struct fault_server *server, int fd)
{
    size_t cap = 1 << 16;
    size_t len = 0;
    char *bytes = malloc(cap);
    while (bytes && wait_for(server, fd, POLLIN, -1)) {
        if (len + 1 == cap && cap < REQUEST_BYTES_MAX)
            bytes = realloc(bytes, cap *= 2);
        ssize_t got = bytes && len + 1 < cap ? recv(fd, bytes + len, cap - len - 1, 0) : 0;
        if (got <= 0)
            break;
        len += (size_t)got;
        bytes[len] = '\0';
        size_t whole = whole_len(bytes, len);
        if (whole && len >= whole)
            return bytes;
    }
    free(bytes);
    return NULL;
}

static const struct fault *record(struct fault_server *server, char *request)
{
    pthread_mutex_lock(&server->lock);
    size_t index = server->request_count++;
    if (index < REQUESTS_MAX)
        server->requests[index] = request;
    else
        free(request);
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return &server->script[index < server->script_len ? index : server->script_len - 1];
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Until the other side closes, or the server stops. */
static void hang(struct fault_server *server, int fd)
{
    char byte;
    while (wait_for(server, fd, POLLIN, -1) && recv(fd, &byte, 1, 0) > 0)
        ;
}

static void drip(struct fault_server *server, int fd, const struct fault *fault)
{
    size_t len = strlen(fault->more);
    for (size_t i = 0; send_all(server, fd, fault->more + i % len, 1); i++) {
        struct pollfd stop = {.fd = server->stop_pipe[0], .events = POLLIN};
        if (poll(&stop, 1, fault->pause_ms) != 0)
            return;
    }
}

static void serve(struct fault_server *server, int fd, const struct fault *fault)
{
    if (fault->text && !send_all(server, fd, fault->text, strlen(fault->text)))
        return;
    switch (fault->kind) {
    case FAULT_REPLY:
        (void)shutdown(fd, SHUT_WR);
        hang(server, fd);
        break;
    case FAULT_CLOSE:
        break;
    case FAULT_RESET:
    case FAULT_CUT:
        reset(fd);
        break;
    case FAULT_HANG:
        hang(server, fd);
        break;
    case FAULT_DRIP:
        drip(server, fd, fault);
        break;
    case FAULT_ENDLESS:
        while (send_all(server, fd, fault->more, strlen(fault->more)))
            ;
        break;
    }
}

static void *connection_main(void *arg)
{
    struct connection *connection = arg;
    struct fault_server *server = connection->server;
    char *request = read_request(server, connection->fd);
    if (request)
        serve(server, connection->fd, record(server, request));
    (void)close(connection->fd);
    return NULL;
}

static void *acceptor_main(void *arg)
{
    struct fault_server *server = arg;
    while (wait_for(server, server->listener, POLLIN, -1)) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        if (server->connection_count == CONNECTIONS_MAX)
            abort(); /* the test wants more than this server was made for */
        struct connection *connection = &server->connections[server->connection_count++];
        *connection = (struct connection){.server = server, .fd = fd};
        if (pthread_create(&connection->thread, NULL, connection_main, connection) != 0)
            abort();
    }
    return NULL;
}

static int listen_somewhere(char url[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        abort();
    (void)snprintf(url, 64, "http://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

struct fault_server *fault_server_start(const struct fault *script, size_t count)
{
    struct fault_server *server = calloc(1, sizeof(*server));
    if (!server || pipe2(server->stop_pipe, O_CLOEXEC) < 0)
        abort();
    server->script = script;
    server->script_len = count;
    server->listener = listen_somewhere(server->url);
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_cond_init(&server->changed, NULL);
    if (pthread_create(&server->thread, NULL, acceptor_main, server) != 0)
        abort();
    return server;
}

void fault_server_stop(struct fault_server *server)
{
    if (!server)
        return;
    (void)close(server->stop_pipe[1]);
    (void)pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->connection_count; i++)
        (void)pthread_join(server->connections[i].thread, NULL);
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        free(server->requests[i]);
    (void)close(server->stop_pipe[0]);
    (void)close(server->listener);
    (void)pthread_mutex_destroy(&server->lock);
    (void)pthread_cond_destroy(&server->changed);
    free(server);
}

const char *fault_server_url(const struct fault_server *server)
{
    return server->url;
}

size_t fault_server_requests(struct fault_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->request_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *fault_server_request(struct fault_server *server, size_t index)
{
    pthread_mutex_lock(&server->lock);
    const char *request =
        index < server->request_count && index < REQUESTS_MAX ? server->requests[index] : "";
    pthread_mutex_unlock(&server->lock);
    return request;
}

int fault_server_await(struct fault_server *server, size_t count)
{
    struct timespec until;
    int number = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&server->lock);
    while (server->request_count < count && number == 0)
        number = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    bool there = server->request_count >= count;
    pthread_mutex_unlock(&server->lock);
    return there;
}

const char *fault_refused_url(char ret_url[64])
{
    (void)close(listen_somewhere(ret_url));
    return ret_url;
}

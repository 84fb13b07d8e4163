#define _GNU_SOURCE
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct support_server {
    const struct support_reply *replies;
    size_t reply_count;
    int listener;
    int stop_pipe[2]; /* closed on the writing side to stop */
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock; /* protects the two below */
    size_t count;
    char heads[SUPPORT_REQUESTS_MAX][SUPPORT_REQUEST_BYTES];
};

/* True when the socket can be used, false when the server is to stop. */
static bool wait_for(struct support_server *server, int fd, short events)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = server->stop_pipe[0], .events = POLLIN}};
    while (poll(fds, 2, -1) <= 0)
        ;
    return fds[1].revents == 0;
}

static bool send_all(struct support_server *server, int fd, const char *bytes, size_t len)
{
    while (len > 0 && wait_for(server, fd, POLLOUT)) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return len == 0;
}

/* Read one request's head; false at the connection's end. */
static bool read_head(struct support_server *server, int fd, char *head)
{
    size_t len = 0;
    head[0] = '\0';
    while (!strstr(head, "\r\n\r\n") && len + 1 < SUPPORT_REQUEST_BYTES) {
        if (!wait_for(server, fd, POLLIN))
            return false;
        ssize_t got = recv(fd, head + len, SUPPORT_REQUEST_BYTES - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        head[len] = '\0';
    }
    return true;
}

static const struct support_reply *record(struct support_server *server, const char *head)
{
    pthread_mutex_lock(&server->lock);
    size_t index = server->count;
    if (index < SUPPORT_REQUESTS_MAX)
        memcpy(server->heads[index], head, SUPPORT_REQUEST_BYTES);
    server->count++;
    pthread_mutex_unlock(&server->lock);
    return &server->replies[index < server->reply_count ? index : server->reply_count - 1];
}

static void send_again(struct support_server *server, int fd, const struct support_reply *reply)
{
    const char *at = reply->again;
    size_t len = strlen(at);
    if (!reply->slowly) {
        while (send_all(server, fd, at, len))
            ;
        return;
    }
    struct pollfd stop = {.fd = server->stop_pipe[0], .events = POLLIN};
    for (size_t i = 0; poll(&stop, 1, 20) == 0 && send_all(server, fd, at + i % len, 1); i++)
        ;
}

static void serve(struct support_server *server, int fd)
{
    char head[SUPPORT_REQUEST_BYTES];
    while (read_head(server, fd, head)) {
        const struct support_reply *reply = record(server, head);
        if (!send_all(server, fd, reply->text, strlen(reply->text)))
            return;
        if (reply->again)
            send_again(server, fd, reply);
        if (!reply->keep)
            return;
    }
}

static void *run(void *arg)
{
    struct support_server *server = arg;
    while (wait_for(server, server->listener, POLLIN)) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            continue;
        serve(server, fd);
        (void)close(fd);
    }
    return NULL;
}

struct support_server *support_server_start(const struct support_reply *replies, size_t count)
{
    struct support_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    if (!server || pipe(server->stop_pipe) < 0)
        abort();
    server->replies = replies;
    server->reply_count = count;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(server->listener, 16) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&at, &len) < 0)
        abort();
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
    (void)pthread_mutex_init(&server->lock, NULL);
    if (pthread_create(&server->thread, NULL, run, server) != 0)
        abort();
    return server;
}

void support_server_stop(struct support_server *server)
{
    if (!server)
        return;
    (void)close(server->stop_pipe[1]);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->stop_pipe[0]);
    (void)close(server->listener);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *support_server_url(const struct support_server *server)
{
    return server->url;
}

size_t support_server_requests(struct support_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *support_server_request(struct support_server *server, size_t index)
{
    pthread_mutex_lock(&server->lock);
    const char *head =
        index < server->count && index < SUPPORT_REQUESTS_MAX ? server->heads[index] : "";
    pthread_mutex_unlock(&server->lock);
    return head;
}

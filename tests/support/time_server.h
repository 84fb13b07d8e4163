/* A time server (SNTP) on loopback whose clock is off, for tests. Include after cmocka. */
#ifndef OKNO_TESTS_SUPPORT_TIME_SERVER_H
#define OKNO_TESTS_SUPPORT_TIME_SERVER_H

#include "okno/time.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct time_server {
    int fd;
    _Atomic int64_t offset_us;
    uint8_t first, stratum; /* of its answers */
    pthread_t thread;
    char options[80];
};

static inline void put_time(uint8_t *at, int64_t us)
{
    uint64_t s = (uint64_t)(us / OKNO_SECOND_US) + 2208988800U;
    uint64_t value = s << 32 | ((uint64_t)(us % OKNO_SECOND_US) << 32) / OKNO_SECOND_US;
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* Answers until it is asked something empty. */
static inline void *time_server_main(void *arg)
{
    struct time_server *server = arg;
    uint8_t bytes[128];
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    ssize_t got;
    while ((got = recvfrom(server->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len)) >
           0) {
        uint8_t answer[48] = {server->first, server->stratum, 0, 0xec, 0, 0, 0, 0, 0, 0, 0x10, 0};
        memcpy(answer + 12, "RATE", 4);
        memcpy(answer + 24, bytes + 40, 8);
        put_time(answer + 32, okno_time_now() + server->offset_us);
        put_time(answer + 40, okno_time_now() + server->offset_us);
        (void)sendto(server->fd, "not an answer", 13, 0, (struct sockaddr *)&from, len);
        (void)sendto(server->fd, answer, sizeof(answer), 0, (struct sockaddr *)&from, len);
    }
    return NULL;
}

static inline void time_server_start(struct time_server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(server->options, sizeof(server->options), "clock=sntp clock_at=127.0.0.1:%d",
                   ntohs(at.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, time_server_main, server), 0);
}

static inline void time_server_stop(struct time_server *server)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(sendto(server->fd, "", 0, 0, (struct sockaddr *)&at, len), 0);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    (void)close(server->fd);
}

#endif

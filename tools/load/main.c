/* load: sends events as fast as the service acknowledges them, one thread a token, one request a
 * connection, and prints how many were acknowledged. For measuring, against a service of one's own.
 *
 *     build/tools/load PORT SECONDS BATCH TOKEN... */
#define _GNU_SOURCE
#include "okno/buf.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CLIENTS_MAX = 256, BATCH_MAX = 1000 };

struct client {
    pthread_t thread;
    const char *token;
    uint16_t port;
    int batch;
    int64_t until_us; /* monotonic */
    int64_t acknowledged, requests, failed;
    int64_t slowest_us;
};

static int make_body(struct okno_buf *buf, int batch, int64_t boot, int64_t first_seq)
{
    static const char *const kinds[] = {"press", "yes", "press", "no", "press", "alive"};
    char at[OKNO_TIME_TEXT];
    int rc = okno_buf_printf(buf, NULL, "[");
    for (int i = 0; rc == 0 && i < batch; i++) {
        int64_t seq = first_seq + i;
        int64_t at_us = (boot + seq * 20) * OKNO_SECOND_US; /* a customer every 40 s */
        rc = okno_buf_printf(buf, NULL,
                             "%s{\"boot\":%lld,\"seq\":%lld,\"time\":\"%s\",\"kind\":\"%s\"}",
                             i ? "," : "", (long long)boot, (long long)seq,
                             okno_time_format(at_us, at), kinds[seq % 6]);
    }
    return rc < 0 ? rc : okno_buf_printf(buf, NULL, "]");
}

static int dial(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* How many events of the request are acknowledged; -1 when it was not answered with 202. */
static int64_t talk(const struct client *client, const struct okno_buf *body)
{
    OKNO_AUTO_BUF request = OKNO_BUF_INIT(1 << 20);
    OKNO_AUTO_BUF answer = OKNO_BUF_INIT(1 << 20);
    char piece[16384];
    ssize_t got;
    okno_autoclose int fd = dial(client->port);
    if (fd < 0 ||
        okno_buf_printf(&request, NULL,
                        "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                        "%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                        client->token, body->len) < 0 ||
        okno_buf_add(&request, body->data, body->len, NULL) < 0 ||
        send(fd, request.data, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
        return -1;
    while ((got = recv(fd, piece, sizeof(piece), 0)) > 0)
        if (okno_buf_add(&answer, piece, (size_t)got, NULL) < 0)
            return -1;
    const char *text = okno_buf_text(&answer);
    int64_t count = 0;
    if (got < 0 || strncmp(text, "HTTP/1.1 202 ", 13) != 0)
        return -1;
    while ((text = strstr(text, "\"result\":\"added\"")) != NULL) {
        count++;
        text++;
    }
    return count;
}

static void *client_main(void *arg)
{
    struct client *client = arg;
    int64_t boot = okno_time_now() / OKNO_SECOND_US - 366 * INT64_C(86400);
    for (int64_t seq = 1, start_us; (start_us = okno_time_monotonic()) < client->until_us;
         seq += client->batch) {
        OKNO_AUTO_BUF body = OKNO_BUF_INIT(1 << 20);
        int64_t count = make_body(&body, client->batch, boot, seq) < 0 ? -1 : talk(client, &body);
        int64_t took_us = okno_time_monotonic() - start_us;
        client->slowest_us = took_us > client->slowest_us ? took_us : client->slowest_us;
        client->requests++;
        client->acknowledged += count > 0 ? count : 0;
        client->failed += count < 0;
    }
    return NULL;
}

static void print_sums(const struct client *clients, int count, int64_t took_us)
{
    struct client sum = {0};
    for (int i = 0; i < count; i++) {
        sum.acknowledged += clients[i].acknowledged;
        sum.requests += clients[i].requests;
        sum.failed += clients[i].failed;
        if (clients[i].slowest_us > sum.slowest_us)
            sum.slowest_us = clients[i].slowest_us;
    }
    printf(
        "{\"clients\":%d,\"acknowledged\":%lld,\"requests\":%lld,\"failed\":%lld,"
        "\"seconds\":%.3f,\"per_second\":%.0f,\"slowest_ms\":%.1f}\n",
        count, (long long)sum.acknowledged, (long long)sum.requests, (long long)sum.failed,
        (double)took_us / OKNO_SECOND_US,
        (double)sum.acknowledged * OKNO_SECOND_US / (double)took_us,
        (double)sum.slowest_us / OKNO_MS_US);
}

int main(int argc, char **argv)
{
    static struct client clients[CLIENTS_MAX];
    int count = argc - 4;
    long port = argc > 4 ? strtol(argv[1], NULL, 10) : 0;
    long seconds = argc > 4 ? strtol(argv[2], NULL, 10) : 0;
    long batch = argc > 4 ? strtol(argv[3], NULL, 10) : 0;
    if (count > CLIENTS_MAX || port < 1 || port > 65535 || seconds < 1 || batch < 1 ||
        batch > BATCH_MAX) {
        (void)fprintf(stderr, "usage: load PORT SECONDS BATCH TOKEN...\n");
        return 2;
    }
    int64_t start_us = okno_time_monotonic();
    for (int i = 0; i < count; i++) {
        clients[i] = (struct client){.token = argv[4 + i],
                                     .port = (uint16_t)port,
                                     .batch = (int)batch,
                                     .until_us = start_us + seconds * OKNO_SECOND_US};
        if (pthread_create(&clients[i].thread, NULL, client_main, &clients[i]) != 0)
            return 1;
    }
    for (int i = 0; i < count; i++)
        (void)pthread_join(clients[i].thread, NULL);
    print_sums(clients, count, okno_time_monotonic() - start_us);
    return 0;
}

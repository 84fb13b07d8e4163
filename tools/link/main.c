/* link: a loopback port that leads to another one as if over a slow link. Development only; needs
 * no rights, unlike the kernel's own emulator. */
#define _GNU_SOURCE
#include "proxy.h"

#include "okno/mem.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t over;

static void on_signal(int number)
{
    (void)number;
    over = 1;
}

static double now(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int listen_on(int *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return -1;
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static void report(const struct link_counts *counts, char *text, size_t size)
{
    (void)snprintf(text, size,
                   "{\"connections\":%lld,\"requests\":%lld,\"bytes_down\":%lld,\"bytes_up\":%lld,"
                   "\"resent_down\":%lld,\"resent_up\":%lld}\n",
                   (long long)counts->connections, (long long)counts->requests,
                   (long long)counts->down.bytes, (long long)counts->up.bytes,
                   (long long)counts->down.again, (long long)counts->up.again);
}

/* One request on the control port: the counts; "/reset" sets them to zero after that. */
static void control(struct proxy *proxy, int listener)
{
    okno_autoclose int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    char head[512] = "";
    char body[400];
    char reply[600];
    struct timeval most = {.tv_sec = 1};
    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    ssize_t got = recv(fd, head, sizeof(head) - 1, 0);
    report(proxy_counts(proxy), body, sizeof(body));
    if (got > 0 && strstr(head, " /reset"))
        proxy_reset(proxy);
    (void)snprintf(reply, sizeof(reply),
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n%s",
                   strlen(body), body);
    (void)send(fd, reply, strlen(reply), MSG_NOSIGNAL);
}

static void serve(struct proxy *proxy, int listener, int controls)
{
    static struct pollfd polls[2 * LINK_CONNS + 2];
    while (!over) {
        double next = 0;
        double at = now();
        size_t count = proxy_step(proxy, at, polls + 2, &next);
        polls[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        polls[1] = (struct pollfd){.fd = controls, .events = POLLIN};
        double wait = next - now();
        struct timespec rest = {0};
        if (wait > 0) {
            rest.tv_sec = (time_t)wait;
            rest.tv_nsec = (long)((wait - (double)rest.tv_sec) * 1e9);
        }
        if (ppoll(polls, count + 2, &rest, NULL) <= 0)
            continue;
        if (polls[0].revents) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0)
                proxy_accept(proxy, fd, now());
        }
        if (polls[1].revents)
            control(proxy, controls);
    }
}

struct words {
    struct link_config config;
    int to_port;
    uint64_t seed;
    const char *port_file;
};

static bool word(struct words *words, const char *name, const char *value)
{
    double number = strtod(value, NULL);
    if (strcmp(name, "--to") == 0)
        words->to_port = (int)number;
    else if (strcmp(name, "--rtt-ms") == 0)
        words->config.rtt_s = number / 1e3;
    else if (strcmp(name, "--jitter-ms") == 0)
        words->config.jitter_s = number / 1e3;
    else if (strcmp(name, "--rate-mbit") == 0)
        words->config.rate = number * 1e6 / 8;
    else if (strcmp(name, "--conn-rate-mbit") == 0)
        words->config.conn_rate = number * 1e6 / 8;
    else if (strcmp(name, "--loss") == 0)
        words->config.loss = number;
    else if (strcmp(name, "--slow-start") == 0)
        words->config.slow_start = number != 0;
    else if (strcmp(name, "--seed") == 0)
        words->seed = (uint64_t)number;
    else if (strcmp(name, "--port-file") == 0)
        words->port_file = value;
    else
        return false;
    return true;
}

/* Appears complete or not at all. */
static bool tell_ports(const char *path, int port, int control_port)
{
    char part[512];
    (void)snprintf(part, sizeof(part), "%.500s.part", path);
    okno_autofclose FILE *file = fopen(part, "we");
    return file && fprintf(file, "%d %d\n", port, control_port) > 0 && fflush(file) == 0 &&
           rename(part, path) == 0;
}

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: link --to PORT --port-file FILE [--rtt-ms 20] [--rate-mbit 100]\n"
                  "            [--conn-rate-mbit N] [--slow-start 0|1] [--loss 0.01]\n"
                  "            [--jitter-ms N] [--seed N]\n"
                  "\n"
                  "FILE gets the port to connect to and a control port: GET /report answers with\n"
                  "what went over the link, GET /reset too and begins anew. SIGTERM ends it with\n"
                  "the same report on standard output. Rates are of each direction.\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct words words = {.config = {.slow_start = true}, .seed = 1};
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || !word(&words, argv[i], argv[i + 1]))
            return usage();
    if (words.to_port <= 0 || !words.port_file)
        return usage();
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)prctl(PR_SET_TIMERSLACK, 1UL); /* waits end when asked, not up to 50 us later */
    int port = 0;
    int control_port = 0;
    okno_autoclose int listener = listen_on(&port);
    okno_autoclose int controls = listen_on(&control_port);
    struct proxy *proxy = proxy_new(&words.config, words.to_port, words.seed);
    if (!proxy || listener < 0 || controls < 0 || !tell_ports(words.port_file, port, control_port))
        return 1;
    serve(proxy, listener, controls);
    char text[400];
    report(proxy_counts(proxy), text, sizeof(text));
    (void)fputs(text, stdout);
    proxy_free(proxy);
    return 0;
}

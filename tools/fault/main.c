/* fault --root DIR [--port N] [--mode FILE] [--log FILE]: an archive that fails to order, on
 * 127.0.0.1. The mode file says how, and may change at any time: `echo "s503 list" > FILE`. What
 * was asked for is in the log. Prints its address. */
#define _GNU_SOURCE
#include "serve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct serve_config config;

static void *serve(void *arg)
{
    serve_connection(&config, (int)(intptr_t)arg);
    return NULL;
}

static int listen_at(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof(at);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
        perror("fault");
        exit(1);
    }
    printf("http://127.0.0.1:%d\n", ntohs(at.sin_port));
    (void)fflush(stdout);
    return fd;
}

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: fault --root DIR [--port N] [--mode FILE] [--log FILE]\n"
                  "the mode's FILE holds a name, and where it holds (list, file; both without):\n");
#define FAULT_LINE(name, what) (void)fprintf(stderr, "  %-10s %s\n", #name, what);
    FAULTS(FAULT_LINE)
#undef FAULT_LINE
    return 2;
}

int main(int argc, char **argv)
{
    int port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--root") == 0)
            config.root = argv[i + 1];
        else if (strcmp(argv[i], "--mode") == 0)
            config.mode = argv[i + 1];
        else if (strcmp(argv[i], "--log") == 0)
            config.log = argv[i + 1];
        else if (strcmp(argv[i], "--port") == 0)
            port = (int)strtol(argv[i + 1], NULL, 10);
        else
            return usage();
    }
    if (!config.root || argc % 2 == 0)
        return usage();
    (void)signal(SIGPIPE, SIG_IGN);
    int listener = listen_at(port);
    for (;;) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
            (void)close(fd);
        else
            (void)pthread_detach(thread);
    }
}

#define _GNU_SOURCE
#include "program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
}

int support_free_port(void)
{
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        abort();
    (void)close(fd);
    return ntohs(at.sin_port);
}

static int listens(int port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int good = fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

static void run(const char *const *args, const char *log)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (fd >= 0 && null >= 0 && dup2(null, 0) >= 0 && dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0)
        (void)execv(args[0], (char *const *)(uintptr_t)args);
    perror(args[0]);
    _exit(127);
}

static void show(const char *log)
{
    char text[4000] = "";
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    (void)fprintf(stderr, "%s does not listen: %.*s\n", log, (int)(len > 0 ? len : 0), text);
    if (fd >= 0)
        (void)close(fd);
}

int support_program_start(const char *const *args, int port, const char *log)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0)
        run(args, log);
    for (int i = 0; i < 2000; i++) {
        if (listens(port))
            return pid;
        if (waitpid(pid, NULL, WNOHANG) == pid)
            break;
        (void)nanosleep(&pause, NULL);
    }
    show(log);
    abort();
}

void support_program_stop(int pid)
{
    if (pid <= 0)
        return;
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

int support_program_run(const char *const *args)
{
    int status = -1;
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0)
        run(args, "/dev/null");
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void support_certificate(const char *dir)
{
    char key[256];
    char cert[256];
    (void)snprintf(key, sizeof(key), "%s/key.pem", dir);
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
    const char *const args[] = {"/usr/bin/openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-days",
                                "2",
                                "-subj",
                                "/CN=localhost",
                                "-addext",
                                "subjectAltName=DNS:localhost,IP:127.0.0.1",
                                "-keyout",
                                key,
                                "-out",
                                cert,
                                NULL};
    if (support_program_run(args) != 0) {
        (void)fprintf(stderr, "openssl made no certificate in %s\n", dir);
        abort();
    }
}

#define _GNU_SOURCE
#include "nginx.h"

#include "tempdir.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    abort();
}

/* nginx takes over listening sockets named in its environment, so the port is ours before it
 * starts and connections wait in the backlog until it is ready: nothing to poll. (Its
 * single-process mode cannot do that.) */
static int listen_loopback(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)*port)};
    socklen_t len = sizeof(at);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        die("listen");
    *port = ntohs(at.sin_port);
    return fd;
}

static void write_conf(const struct support_nginx *nginx, const char *root, const char *directives)
{
    char conf[8192];
    int len = snprintf(conf, sizeof(conf),
                       "daemon off; worker_processes 1; pid pid; error_log error.log;\n%s"
                       "events { worker_connections 64; }\n"
                       "http {\n"
                       "  client_body_temp_path body; proxy_temp_path proxy;\n"
                       "  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;\n"
                       "  scgi_temp_path scgi;\n"
                       "  log_format plain '$request_method $uri $http_range $status "
                       "$body_bytes_sent';\n"
                       "  log_format timed '$msec $request_time $connection $body_bytes_sent';\n"
                       "  access_log access.log plain;\n"
                       "  server {\n"
                       "    listen 127.0.0.1:%d%s; root %s;\n"
                       "    autoindex on; autoindex_format json;\n"
                       "    %s\n"
                       "  }\n"
                       "}\n",
                       geteuid() == 0 ? "user root;\n" : "", nginx->port,
                       directives && strstr(directives, "ssl_certificate ") ? " ssl" : "", root,
                       directives ? directives : "");
    if (len < 0 || (size_t)len >= sizeof(conf))
        die("nginx.conf");
    support_text(nginx->prefix, "nginx.conf", conf);
}

static void run(const struct support_nginx *nginx, int fd)
{
    char conf[256];
    char log[256];
    char inherited[32];
    (void)snprintf(conf, sizeof(conf), "%s/nginx.conf", nginx->prefix);
    (void)snprintf(log, sizeof(log), "%s/error.log", nginx->prefix);
    (void)snprintf(inherited, sizeof(inherited), "NGINX=%d;", fd);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    char *const args[] = {"nginx", "-p", nginx->prefix, "-c", conf, "-e", log, NULL};
    char *const env[] = {inherited, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    (void)execve("/usr/sbin/nginx", args, env);
    perror("/usr/sbin/nginx");
    _exit(127);
}

static void start(struct support_nginx *nginx, int fd)
{
    nginx->pid = fork();
    if (nginx->pid < 0)
        die("fork");
    if (nginx->pid == 0)
        run(nginx, fd);
    (void)close(fd);
}

void support_nginx_start(struct support_nginx *nginx, const char *root, const char *directives)
{
    nginx->port = 0;
    int fd = listen_loopback(&nginx->port);
    nginx->prefix = support_tempdir();
    (void)snprintf(nginx->url, sizeof(nginx->url), "http://127.0.0.1:%d", nginx->port);
    write_conf(nginx, root, directives);
    start(nginx, fd);
}

/* A signal that comes before nginx's master waits for signals is noted and never looked at: then it
 * lives on for ever. Once a worker answers, the master holds signals back until it waits. */
static void await_answer(int port)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)port)};
    char byte;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
        (void)!recv(fd, &byte, 1, 0);
    if (fd >= 0)
        (void)close(fd);
}

void support_nginx_pause(struct support_nginx *nginx)
{
    if (nginx->pid > 0) {
        await_answer(nginx->port);
        (void)kill(nginx->pid, SIGTERM);
        (void)waitpid(nginx->pid, NULL, 0);
    }
    nginx->pid = 0;
}

void support_nginx_resume(struct support_nginx *nginx)
{
    start(nginx, listen_loopback(&nginx->port));
}

void support_nginx_stop(struct support_nginx *nginx)
{
    support_nginx_pause(nginx);
    support_tempdir_remove(nginx->prefix);
    *nginx = (struct support_nginx){0};
}

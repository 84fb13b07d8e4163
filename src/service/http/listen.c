#define _GNU_SOURCE
#include "listen.h"

#include "okno/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 128 };

static int fail_address(const char *text, struct okno_err *err)
{
    return okno_fail_field(err, OKNO_INVALID, "listen",
                           "listen address %.80s is not ADDRESS:PORT with a numeric address, as "
                           "127.0.0.1:8080 or [::1]:8080, and a port 0..65535",
                           text);
}

static bool parse_port(const char *text, in_port_t *ret_port)
{
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long port = strtoul(text, &end, 10);
    if (*end || port > 65535 || end - text > 5)
        return false;
    *ret_port = htons((in_port_t)port);
    return true;
}

int http_address_parse(const char *text, struct http_address *ret, struct okno_err *err)
{
    const char *colon = strrchr(text, ':');
    in_port_t port = 0;
    char host[64];
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    if (host_len == 0 || host_len >= sizeof(host) || !parse_port(colon + 1, &port))
        return fail_address(text, err);
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    if (strcmp(host, "localhost") == 0)
        (void)snprintf(host, sizeof(host), "127.0.0.1");
    struct http_address address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address.raw;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.raw;
    size_t len = strlen(host);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        address.len = sizeof(*v4);
    } else if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) != 1)
            return fail_address(text, err);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        address.len = sizeof(*v6);
    } else {
        return fail_address(text, err);
    }
    *ret = address;
    return 0;
}

bool http_address_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

bool http_address_same_host(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

void http_address_text(const struct sockaddr *address, char *ret_text, size_t size)
{
    const void *host = address->sa_family == AF_INET
                           ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                           : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    if (!inet_ntop(address->sa_family, host, ret_text, (socklen_t)size))
        (void)snprintf(ret_text, size, "unknown");
}

void http_address_network(const char *text, char *ret_text, size_t size)
{
    struct in6_addr v6;
    char shown[INET6_ADDRSTRLEN] = "";
    bool known = inet_pton(AF_INET6, text, &v6) == 1;
    if (known && IN6_IS_ADDR_V4MAPPED(&v6)) {
        (void)inet_ntop(AF_INET, v6.s6_addr + 12, shown, sizeof(shown));
    } else if (known) {
        memset(v6.s6_addr + 8, 0, 8);
        (void)inet_ntop(AF_INET6, &v6, shown, sizeof(shown));
    }
    (void)snprintf(ret_text, size, "%s", known ? shown : text);
}

int http_address_bound(int fd, int *ret_port, char *ret_url, size_t url_size, struct okno_err *err)
{
    struct http_address address = {.len = sizeof(address.raw)};
    if (getsockname(fd, (struct sockaddr *)&address.raw, &address.len) < 0)
        return okno_fail_errno(err, errno, "cannot read the listener's address");
    bool v6 = address.raw.ss_family == AF_INET6;
    int port = ntohs(v6 ? ((struct sockaddr_in6 *)&address.raw)->sin6_port
                        : ((struct sockaddr_in *)&address.raw)->sin_port);
    char host[INET6_ADDRSTRLEN];
    http_address_text((struct sockaddr *)&address.raw, host, sizeof(host));
    (void)snprintf(ret_url, url_size, v6 ? "http://[%s]:%d" : "http://%s:%d", host, port);
    *ret_port = port;
    return 0;
}

static int fail_bind(int number, const char *listen, struct okno_err *err)
{
    if (number == EADDRINUSE)
        return okno_fail_field(err, OKNO_FAILED, "listen",
                               "%s is taken by another program: stop it, or choose another port "
                               "with --listen",
                               listen);
    if (number == EACCES)
        return okno_fail_field(err, OKNO_REFUSED, "listen",
                               "%s: ports below 1024 need a privilege: choose a higher one with "
                               "--listen and let nginx take the low one",
                               listen);
    return okno_fail_errno(err, number, "cannot listen on %s", listen);
}

int http_listen(const char *listen_on, bool behind_proxy, int *ret_fd, struct okno_err *err)
{
    struct http_address address = {0};
    int rc = http_address_parse(listen_on, &address, err);
    if (rc < 0)
        return rc;
    if (!behind_proxy && !http_address_is_loopback((struct sockaddr *)&address.raw))
        return okno_fail_field(err, OKNO_REFUSED, "listen",
                               "%s is not a loopback address: listen on 127.0.0.1 and put nginx in "
                               "front (conf/nginx.conf.example), or give --behind-proxy when a "
                               "strict proxy is the only one that reaches this port",
                               listen_on);
    okno_autoclose int fd =
        socket(address.raw.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return okno_fail_errno(err, errno, "cannot make a socket for %s", listen_on);
    if (bind(fd, (struct sockaddr *)&address.raw, address.len) < 0 || listen(fd, BACKLOG) < 0)
        return fail_bind(errno, listen_on, err);
    *ret_fd = okno_mem_take_fd(&fd);
    return 0;
}

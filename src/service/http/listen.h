/* From the text of `service.listen` to a listening socket. */
#ifndef OKNO_SERVICE_LISTEN_H
#define OKNO_SERVICE_LISTEN_H

#include "okno/err.h"

#include <stdbool.h>
#include <sys/socket.h>

struct http_address {
    struct sockaddr_storage raw;
    socklen_t len;
};

/* `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`. OKNO_INVALID (field listen) otherwise. */
OKNO_CHECK int http_address_parse(const char *text, struct http_address *ret, struct okno_err *err);

bool http_address_is_loopback(const struct sockaddr *address);

/* Do two addresses name the same host, whatever their ports? */
bool http_address_same_host(const struct sockaddr *a, const struct sockaddr *b);

/* Host part as text, without brackets. */
void http_address_text(const struct sockaddr *address, char *ret_text, size_t size);

/* Who stands behind an address of http_address_text or of a proxy, as far as limits go: an IPv4
 * address (also one written as IPv6), or the 64 bits of an IPv6 network, whose other 64 its owner
 * chooses. A text that is no address stays as it is. */
void http_address_network(const char *text, char *ret_text, size_t size);

/* Port, and `http://HOST:PORT` of a bound socket. */
OKNO_CHECK int http_address_bound(int fd, int *ret_port, char *ret_url, size_t url_size,
                                  struct okno_err *err);

/* A non-blocking listening socket. Refuses an address that is not loopback unless behind_proxy. */
OKNO_CHECK int http_listen(const char *listen, bool behind_proxy, int *ret_fd,
                           struct okno_err *err);

#endif

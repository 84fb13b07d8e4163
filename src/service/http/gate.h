/* The gate before the HTTP library: listens, accepts, counts, waits for a whole request header
 * without spending a thread on it, reads it strictly (wire.h) and only then hands the connection
 * on, its bytes still unread. One request per connection, so nothing passes unread.
 *
 * Deadlines count from accept: header, body, whole answer. One thread runs the gate. */
#ifndef OKNO_SERVICE_GATE_H
#define OKNO_SERVICE_GATE_H

#include "okno/mem.h"
#include "okno/serve.h"

#include <sys/socket.h>

struct http_gate;
struct http_slot; /* one connection's place in the gate */

struct http_gate_options {
    const char *listen;
    bool behind_proxy;
    struct okno_serve_limits limits; /* all set */
};

/* Takes over `fd` in any case. Runs on the gate's thread without its lock. */
typedef bool http_gate_take(void *context, int fd, const struct sockaddr *address, socklen_t len);

/* Fill in the defaults of include/okno/serve.h. */
struct okno_serve_limits http_limits_or_default(const struct okno_serve_limits *limits);

/* Bind and listen; connections wait until http_gate_start. Errors as okno_serve_run. */
OKNO_CHECK int http_gate_open(const struct http_gate_options *options, struct http_gate **ret_gate,
                              struct okno_err *err);
OKNO_CHECK int http_gate_start(struct http_gate *gate, http_gate_take *take, void *context,
                               struct okno_err *err);

/* Port and origin of the listener; the text lives as long as the gate. */
int http_gate_port(const struct http_gate *gate);
const char *http_gate_url(const struct http_gate *gate);

/* The slot of a handed connection; NULL when unknown. */
struct http_slot *http_gate_find(struct http_gate *gate, int fd);
/* The request has arrived whole: from here on its answer's deadline counts. */
void http_gate_body_done(struct http_gate *gate, struct http_slot *slot);
/* The library is about to close the connection. */
void http_gate_release(struct http_gate *gate, struct http_slot *slot);

/* Accept no more, close what is still sending its header, wait for handed connections up to
 * drain_us. True when all ended. */
bool http_gate_drain(struct http_gate *gate);

/* How many connections are open, and how many were refused since the start. */
void http_gate_counts(struct http_gate *gate, int *ret_open, uint64_t *ret_refused);

/* NULL and half-built gates allowed. Handed connections must have been released. */
void http_gate_close(struct http_gate *gate);
OKNO_CLEANUP(http_gate, http_gate_close);

#endif

/* A tiny HTTP server that misbehaves to order: the n-th request gets the n-th scripted reply, the
 * last one again and again. One connection at a time. */
#ifndef OKNO_TESTS_SUPPORT_SERVER_H
#define OKNO_TESTS_SUPPORT_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct support_reply {
    const char *text;  /* sent as it is: status line, headers, blank line, body */
    const char *again; /* then this, until the client closes; NULL for nothing */
    bool slowly;       /* `again` goes out one byte in 20 ms */
    bool keep;         /* keep the connection open for the next request */
};

enum { SUPPORT_REQUESTS_MAX = 64, SUPPORT_REQUEST_BYTES = 2048 };

struct support_server; /* opaque */

/* The replies must outlive the server. */
struct support_server *support_server_start(const struct support_reply *replies, size_t count);
void support_server_stop(struct support_server *server);

/* "http://127.0.0.1:PORT" */
const char *support_server_url(const struct support_server *server);

/* Requests read so far, and the head of one of them; "" when there was none. The client has its
 * reply, so the request it belongs to is recorded. */
size_t support_server_requests(struct support_server *server);
const char *support_server_request(struct support_server *server, size_t index);

#endif

/* An HTTP server that fails in all the ways servers fail: the n-th request gets the n-th fault of
 * its script, the last one again and again. Each connection has a thread of its own, so that a
 * request that hangs keeps no other waiting. Requests are kept whole, with the time at which they
 * came. */
#ifndef OKNO_TESTS_SUPPORT_FAULT_H
#define OKNO_TESTS_SUPPORT_FAULT_H

#include <stddef.h>
#include <stdint.h>

enum fault_kind {
    FAULT_REPLY,   /* `text`, then close */
    FAULT_CLOSE,   /* nothing, then close */
    FAULT_RESET,   /* nothing, then a reset */
    FAULT_HANG,    /* nothing, until the other side goes */
    FAULT_DRIP,    /* `text`, then one byte of `more` in `pause_ms`, until the other side goes */
    FAULT_ENDLESS, /* `text`, then `more` without end */
    FAULT_CUT      /* `text`, then a reset */
};

struct fault {
    enum fault_kind kind;
    const char *text, *more;
    int pause_ms;
};

#define FAULT_STATUS(line)                                                                         \
    {                                                                                              \
        .kind = FAULT_REPLY,                                                                       \
        .text = "HTTP/1.1 " line "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"              \
    }
#define FAULT_JSON(line, body)                                                                     \
    {                                                                                              \
        .kind = FAULT_REPLY,                                                                       \
        .text = "HTTP/1.1 " line                                                                   \
                "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" body             \
    }

struct fault_server; /* opaque */

/* The script must outlive the server. */
struct fault_server *fault_server_start(const struct fault *script, size_t count);
/* Ends all connections. NULL allowed. */
void fault_server_stop(struct fault_server *server);

/* "http://127.0.0.1:PORT"; requests that were read whole; one of them ("" when there was none). */
const char *fault_server_url(const struct fault_server *server);
size_t fault_server_requests(struct fault_server *server);
const char *fault_server_request(struct fault_server *server, size_t index);
/* Wait until so many requests were read whole; 0 when they were not within 20 s. */
int fault_server_await(struct fault_server *server, size_t count);

/* A port of 127.0.0.1 at which nobody listens, as an address. Returns ret_url. */
const char *fault_refused_url(char ret_url[64]);

#endif

/* What a handler answers. Zero-initialise with HTTP_REPLY_INIT; released by the server. */
#ifndef OKNO_SERVICE_REPLY_H
#define OKNO_SERVICE_REPLY_H

#include "okno/buf.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_REPLY_MAX = 64 << 20, HTTP_HEADERS_MAX = 10 };

struct http_header {
    char name[32];
    char value[512];
};

/* Gives the next bytes of an answer without end: fills at most `size` of `bytes`, waiting for them
 * if need be; 0 ends it. Runs on the connection's thread, after the request is gone. */
typedef size_t http_stream(void *context, char *bytes, size_t size);

/* The body is one of: `body`, `fixed` (lives as long as the program), `fd` (owned), `stream` with
 * its context (owned: `stream_free` releases it). */
struct http_reply {
    int status;
    const char *type; /* media type; a literal */
    struct okno_buf body;
    const void *fixed;
    size_t fixed_len;
    int fd;
    int64_t fd_offset, fd_len;
    http_stream *stream;
    void *stream_context;
    void (*stream_free)(void *context);
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
};

#define HTTP_REPLY_INIT                                                                            \
    {                                                                                              \
        .status = 200, .fd = -1, .body = OKNO_BUF_INIT(HTTP_REPLY_MAX)                             \
    }

/* Back to the state of HTTP_REPLY_INIT, releasing everything. */
void http_reply_reset(struct http_reply *reply);

/* One more header; more than HTTP_HEADERS_MAX is a programmer's error (assert). */
void http_reply_header(struct http_reply *reply, const char *name, const char *fmt, ...)
    OKNO_PRINTF(3, 4);

/* The JSON document as body; takes the reference of `json` in any case. NULL is OKNO_NO_MEMORY. */
OKNO_CHECK int http_reply_json(struct http_reply *reply, json_t *json, struct okno_err *err);

/* Turn the reply into the failure's document, with the status of its code. Failures inside the
 * service are not explained to the client: their text is for the log. */
void http_reply_error(struct http_reply *reply, int code, const struct okno_err *err);

/* Headers that stand on every answer, the gate's included: name, value, ..., NULL. A handler's own
 * header of that name stands instead. */
extern const char *const http_reply_always[];

/* A whole answer as bytes, for refusals before the library sees the connection. */
OKNO_CHECK int http_reply_raw(struct okno_buf *buf, int status, int code, const char *message);

#endif

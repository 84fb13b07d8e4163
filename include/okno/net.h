/* HTTP(S) requests to archives: whole bodies and byte ranges, always bounded in bytes and time.
 *
 * One object keeps one set of connections to one system, with its login; one thread at a time.
 * Redirects are refused, so credentials reach only the host that was asked; TLS is verified; proxy
 * variables of the environment are ignored. Messages name host and path, never credentials and
 * never a query.
 *
 * Errors of every call: OKNO_ARCHIVE_AUTH (401, 403), OKNO_NOT_FOUND (404), OKNO_GONE (410, 416, or
 * changed since the tag given), OKNO_ARCHIVE_BUSY (429, 503), OKNO_ARCHIVE_REFUSED (redirects,
 * other 4xx), OKNO_TRANSIENT (no connection, other 5xx), OKNO_TIMEOUT, OKNO_PROTOCOL (broken or
 * contradictory replies, untrusted certificates), OKNO_TOO_LARGE (more than the buffer's maximum),
 * OKNO_INVALID (not an http or https URL). */
#ifndef OKNO_NET_H
#define OKNO_NET_H

#include "okno/buf.h"
#include "okno/err.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct okno_net_config {
    const char *user;     /* NULL or "" for none; Digest where the server offers it, else Basic */
    const char *password; /* NULL or "" for none */
    int64_t connect_us;   /* limit for a connection; 0 means 10 s */
    int64_t deadline_us;  /* limit for a whole call, relative; 0 means 30 s */
};

struct okno_net;

/* Copies the configuration. OKNO_NO_MEMORY, OKNO_FAILED. */
OKNO_CHECK int okno_net_open(const struct okno_net_config *config, struct okno_net **ret_net,
                             struct okno_err *err);
void okno_net_close(struct okno_net *net);
OKNO_CLEANUP(okno_net, okno_net_close);

/* What the headers of a good reply said. */
struct okno_net_reply {
    int status;             /* 200 or 206 */
    int64_t total;          /* bytes of the whole resource, -1 unknown */
    bool whole;             /* the body is the whole resource although a range was asked */
    char etag[96];          /* "" for none */
    char last_modified[40]; /* as sent, "" for none */
    int64_t date_us;        /* the server's clock, -1 unknown */
};

/* Read a whole resource into `body` (emptied first), at most its maximum. */
OKNO_CHECK int okno_net_get(struct okno_net *net, const char *url, struct okno_buf *body,
                            struct okno_net_reply *ret_reply, struct okno_err *err);

/* Read [offset, offset + len) into `body` (emptied first), fewer bytes only at the end of the
 * resource. With `tag` (an ETag or a Last-Modified date, NULL or "" for none) a changed resource
 * gives OKNO_GONE. A server that ignores ranges is served from if the whole resource fits into the
 * body's maximum (`whole` says so), else OKNO_PROTOCOL. */
OKNO_CHECK int okno_net_get_range(struct okno_net *net, const char *url, int64_t offset,
                                  int64_t len, const char *tag, struct okno_buf *body,
                                  struct okno_net_reply *ret_reply, struct okno_err *err);

/* The same range bit by bit, as its reader takes it: the connection is busy meanwhile, other calls
 * use a second one. At most a few MiB are read ahead. Opening sends nothing yet; a server that
 * ignores ranges is refused. Must be closed before its object; closing early costs the connection.
 */
struct okno_net_stream;
OKNO_CHECK int okno_net_stream_open(struct okno_net *net, const char *url, int64_t offset,
                                    int64_t len, const char *tag,
                                    struct okno_net_stream **ret_stream, struct okno_err *err);
/* The next `len` bytes within deadline_us from now; fewer only at the end of the range. */
OKNO_CHECK int okno_net_stream_read(struct okno_net_stream *stream, void *into, size_t len,
                                    int64_t deadline_us, size_t *ret_got, struct okno_err *err);
/* NULL before the headers of a good reply are here. */
const struct okno_net_reply *okno_net_stream_reply(const struct okno_net_stream *stream);
void okno_net_stream_close(struct okno_net_stream *stream);
OKNO_CLEANUP(okno_net_stream, okno_net_stream_close);

/* Limit the calls that follow to this long each; for callers with a deadline of their own. */
void okno_net_set_deadline(struct okno_net *net, int64_t deadline_us);

/* The wait the last reply asked for with Retry-After, microseconds; 0 when it asked for none. */
int64_t okno_net_retry_after_us(const struct okno_net *net);

/* Requests answered and body bytes received since okno_net_open. */
int64_t okno_net_requests(const struct okno_net *net);
int64_t okno_net_bytes(const struct okno_net *net);

/* OKNO_INVALID unless it is an http or https URL with a host and without a login. Every call checks
 * this by itself; for refusing a configuration early. */
OKNO_CHECK int okno_net_check_url(const char *url, struct okno_err *err);

/* `host/path` of a URL for messages, without user, password, query and fragment. */
int okno_net_shown(const char *url, char *ret_text, size_t size);

/* An HTTP date (RFC 9110 5.6.7, the fixed form) as microseconds UTC; -1 when it is none. */
int64_t okno_net_date(const char *text);

#endif

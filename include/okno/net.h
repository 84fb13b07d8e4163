/* Requests to archives: whole bodies, byte ranges and bodies without an announced end, always
 * bounded in bytes and time. HTTP(S), and where the caller allows them FTP(S) and SFTP.
 *
 * One object keeps one set of connections to one system, with its login; one thread at a time.
 * Redirects are refused, so credentials reach only the host that was asked; the address that a name
 * turns out to be is checked when the connection is made (address.h); only the schemes named are
 * spoken; TLS is verified unless the archive is an explicit exception; proxy variables of the
 * environment are ignored. Messages name host and path, never credentials and never a query.
 *
 * Errors of every call: OKNO_ARCHIVE_AUTH (401, 403), OKNO_NOT_FOUND (404), OKNO_GONE (410, 416, or
 * changed since the tag given), OKNO_ARCHIVE_BUSY (429, 503; err->retry_us as Retry-After asks),
 * OKNO_ARCHIVE_REFUSED (redirects, other 4xx, an address that is not allowed), OKNO_TRANSIENT (no
 * connection, other 5xx), OKNO_TIMEOUT, OKNO_CANCELLED, OKNO_PROTOCOL (broken or contradictory
 * replies, untrusted certificates or host keys), OKNO_TOO_LARGE (more than the buffer's maximum or
 * the budget), OKNO_INVALID (not a URL of an allowed scheme). */
#ifndef OKNO_NET_H
#define OKNO_NET_H

#include "okno/address.h"
#include "okno/budget.h"
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
    const char *schemes;  /* NULL: "http,https" */
    const struct okno_address_rule *rule; /* copied; NULL: the one without a list */
    bool public_only; /* loopback, private and other special addresses (post.h) are refused */
    struct okno_budget *budget; /* of the work under way, may change between calls; must outlive the
                                   object; NULL: none */
    bool insecure;       /* this system's certificate is not verified: an explicit exception */
    const char *ca_file; /* PEM of who vouches for it; NULL: the machine's store */
    const char *pin;     /* "sha256//BASE64" of its public key; NULL: none. Kept also if insecure */
    const char *host_key; /* SFTP: base64 of the SHA-256 of its key, as ssh-keygen -l prints it */
    const char *known_hosts; /* SFTP: a file of known hosts instead; one of both is required */
    bool starttls;           /* FTP: the connection must be encrypted first */
    const char *key_file;    /* SFTP: private key; NULL: only a password */
    /* Append header lines ("Name: value\n") to a request about to be sent: signatures, tokens. */
    int (*sign)(void *ctx, const char *method, const char *url, struct okno_buf *lines,
                struct okno_err *err);
    void *sign_ctx;
    /* A refusal (OKNO_ARCHIVE_AUTH, OKNO_ARCHIVE_REFUSED) by what its body says, its first 4095
     * bytes: fails as `why` does, or says better what to do. NULL: by its status alone. */
    int (*explain)(const char *body, size_t len, const char *shown, const struct okno_err *why,
                   struct okno_err *err);
    const char *hide; /* what messages show as *** in paths, encoded or not; NULL or "": nothing */
};

struct okno_net;

/* Copies the configuration. OKNO_NO_MEMORY, OKNO_FAILED. */
OKNO_CHECK int okno_net_open(const struct okno_net_config *config, struct okno_net **ret_net,
                             struct okno_err *err);
void okno_net_close(struct okno_net *net);
OKNO_CLEANUP(okno_net, okno_net_close);

/* What the headers of a good reply said. */
struct okno_net_reply {
    int status;             /* 2xx; of FTP and SFTP 200 or 206 */
    int64_t total;          /* bytes of the whole resource, -1 unknown */
    bool whole;             /* the body is the whole resource although a range was asked */
    char etag[96];          /* "" for none */
    char last_modified[40]; /* as sent, "" for none */
    int64_t date_us;        /* the server's clock, -1 unknown */
    char content_type[64];  /* without parameters, lower case; "" for none */
    char location[512];     /* as sent; "" for none. Never followed by itself */
    char cookie[256];       /* "name=value" of the last Set-Cookie; "" for none */
};

/* Read a whole resource into `body` (emptied first), at most its maximum. */
OKNO_CHECK int okno_net_get(struct okno_net *net, const char *url, struct okno_buf *body,
                            struct okno_net_reply *ret_reply, struct okno_err *err);

/* What else may be asked. */
struct okno_net_ask {
    const char *method; /* NULL: GET, with a body POST */
    const char *url;
    const char *const *headers; /* "Name: value", NULL at the end; NULL: none */
    const void *body;           /* NULL: none */
    size_t body_len;
    const char *content_type; /* of the body */
};

/* Any request of HTTP(S); every 2xx is good. Of a refusal, `body` holds what was said as far as it
 * fits: for error codes inside it, never for showing. */
OKNO_CHECK int okno_net_request(struct okno_net *net, const struct okno_net_ask *ask,
                                struct okno_buf *body, struct okno_net_reply *ret_reply,
                                struct okno_err *err);

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
/* The whole body of an answer (any request) as it comes, chunked or not: a recorder that renders a
 * download. Otherwise as above; whether it came whole is judged at its end. */
OKNO_CHECK int okno_net_body_open(struct okno_net *net, const struct okno_net_ask *ask,
                                  struct okno_net_stream **ret_stream, struct okno_err *err);
/* The next `len` bytes within deadline_us from now; fewer only at the end of the range. */
OKNO_CHECK int okno_net_stream_read(struct okno_net_stream *stream, void *into, size_t len,
                                    int64_t deadline_us, size_t *ret_got, struct okno_err *err);
/* Wait until `fd` can be read, wait_us at most, and let the stream come meanwhile, as far as it is
 * read ahead at all. What goes wrong with it, the next read says. */
void okno_net_stream_await(struct okno_net_stream *stream, int fd, int64_t wait_us);
/* NULL before the headers of a good reply are here. */
const struct okno_net_reply *okno_net_stream_reply(const struct okno_net_stream *stream);
void okno_net_stream_close(struct okno_net_stream *stream);
OKNO_CLEANUP(okno_net_stream, okno_net_stream_close);

/* Limit the calls that follow to this long each; for callers with a deadline of their own. */
void okno_net_set_deadline(struct okno_net *net, int64_t deadline_us);

/* Another budget for the calls that follow, NULL for none; returns the one before. */
struct okno_budget *okno_net_set_budget(struct okno_net *net, struct okno_budget *budget);

/* The wait the last reply asked for with Retry-After, microseconds; 0 when it asked for none. */
int64_t okno_net_retry_after_us(const struct okno_net *net);

/* Requests answered and body bytes received since okno_net_open. */
int64_t okno_net_requests(const struct okno_net *net);
int64_t okno_net_bytes(const struct okno_net *net);

/* OKNO_INVALID unless it is an http or https URL with a host, without a login and without "." or
 * ".." among the parts of its path. Every call checks
 * this by itself; for refusing a configuration early. */
OKNO_CHECK int okno_net_check_url(const char *url, struct okno_err *err);

/* The same for a list of schemes, "http,https,ftp". */
OKNO_CHECK int okno_net_check_scheme(const char *url, const char *schemes, struct okno_err *err);

/* Append the address that `reference` means in a document at `base`. OKNO_PROTOCOL for one that
 * leads to another scheme, host or port: only what was configured is asked. */
OKNO_CHECK int okno_net_resolve(const char *base, const char *reference, struct okno_buf *into,
                                struct okno_err *err);

/* Append text with all but letters, digits and -._~ percent-encoded; a slash too unless kept. */
OKNO_CHECK int okno_net_encode(struct okno_buf *into, const char *text, bool keep_slash,
                               struct okno_err *err);

/* `host/path` of a URL for messages, without user, password, query and fragment. */
int okno_net_shown(const char *url, char *ret_text, size_t size);

/* An HTTP date (RFC 9110 5.6.7, the fixed form) as microseconds UTC; -1 when it is none. */
int64_t okno_net_date(const char *text);

#endif

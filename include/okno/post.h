/* HTTP(S) POST requests and e-mail to outside receivers, many at a time in one thread, each bounded
 * in bytes and time. Nothing is followed: a redirect is an answer like another. TLS is verified;
 * proxy variables of the environment are ignored. No message of this room holds an address:
 * addresses may hold secrets. */
#ifndef OKNO_POST_H
#define OKNO_POST_H

#include "okno/buf.h"
#include "okno/err.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct okno_post_limits {
    int64_t connect_us;  /* 0: 5 s */
    int64_t deadline_us; /* of a whole request; 0: 10 s */
    size_t header_bytes; /* of an answer; 0: 16 KiB */
    size_t body_bytes;   /* of an answer that are kept; 0: 64 KiB */
    int in_flight;       /* requests at a time; 0: 64 */
    bool allow_private;  /* loopback, link-local, private and other special addresses, too */
    const char
        *ca_file; /* certificates to trust besides the system's; NULL or "": none; borrowed */
};

struct okno_post;

OKNO_CHECK int okno_post_open(const struct okno_post_limits *limits, struct okno_post **ret_post,
                              struct okno_err *err);
/* Requests under way are cut off. NULL allowed. */
void okno_post_close(struct okno_post *post);
OKNO_CLEANUP(okno_post, okno_post_close);

/* One field of a form (multipart/form-data). */
struct okno_post_part {
    const char *name;
    const char *text;             /* its value, or... */
    const char *path;             /* ...the file whose content it is */
    const char *file_name, *type; /* told with a file */
};

/* A message by SMTP: `message` as okno_mail_compose makes it. */
struct okno_post_mail {
    const char *from, *to;
    const char *user, *password; /* "" for no login */
    bool tls;                    /* no TLS (smtps, or STARTTLS with smtp): nothing is sent */
    const char *message;
    size_t len;
};

/* Texts are copied; files are read while the request runs. */
struct okno_post_request {
    const char *url; /* http, https; smtp, smtps with mail */
    const struct okno_post_mail
        *mail;                  /* NULL: a POST; else the fields below but `tag` are not used */
    int64_t deadline_us;        /* 0: that of the limits */
    const char *const *headers; /* "Name: value", NULL ends the list; NULL for none */
    const char *body;           /* with its Content-Type among the headers; NULL: parts */
    size_t body_len;            /* 0: up to its NUL */
    const struct okno_post_part *parts;
    size_t part_count;
    int64_t tag; /* comes back with the result */
};

/* OKNO_BUSY when as many as allowed are under way; OKNO_INVALID unless the URL is of a kind
 * allowed.
 */
OKNO_CHECK int okno_post_start(struct okno_post *post, const struct okno_post_request *request,
                               struct okno_err *err);

enum okno_post_outcome {
    OKNO_POST_ANSWERED, /* a whole header came: see status */
    OKNO_POST_FAILED,   /* no connection, no whole header, not HTTP, over the limits */
    OKNO_POST_BLOCKED   /* an address that is not allowed */
};

struct okno_post_result {
    int64_t tag;
    enum okno_post_outcome outcome;
    int status;             /* ANSWERED; of mail: 250, or the reply that ended it, 400 to 599 */
    int64_t retry_after_us; /* that the answer asked for; 0 for none; at most a day */
    bool whole; /* ANSWERED: the body came whole; of mail: more than the greeting came */
    struct okno_buf
        body;     /* ANSWERED: as far as it came (of mail: that reply); the taker frees it */
    char why[96]; /* FAILED, BLOCKED: in words, without any address */
};

/* Let requests go on for at most this long; returns early when one has ended. */
OKNO_CHECK int okno_post_wait(struct okno_post *post, int64_t wait_us, struct okno_err *err);
/* A request that has ended; false: none. */
bool okno_post_next(struct okno_post *post, struct okno_post_result *ret_result);
int okno_post_in_flight(const struct okno_post *post);

/* Loopback, link-local, private, shared, documentation, multicast or reserved; so are IPv6 forms
 * that hold such an IPv4 address. Pure. Sources: RFC 6890, RFC 4291, RFC 6052. */
bool okno_post_is_private(const struct sockaddr *address);

#endif

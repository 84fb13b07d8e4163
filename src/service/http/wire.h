/* The strict reading of a request's header bytes, before the HTTP library sees any of them. Pure.
 *
 * The library accepts duplicate Host and Content-Length, a length beside a transfer coding, a space
 * before the colon and folded lines, any of which lets two programs read one request differently.
 * Grammar: RFC 9112 sections 2..6, RFC 9110 section 5; everything optional in it is refused. */
#ifndef OKNO_SERVICE_WIRE_H
#define OKNO_SERVICE_WIRE_H

#include "okno/err.h"

#include <stddef.h>
#include <stdint.h>

struct http_wire_limits {
    size_t header_bytes; /* request line, headers and the empty line */
    size_t body_bytes;
};

/* 1: the header is complete and good. 0: more bytes are needed. Negative: refuse with *ret_status
 * (400, 411, 413 or 431) and close. */
OKNO_CHECK int http_wire_check(const char *bytes, size_t len, const struct http_wire_limits *limits,
                               int *ret_status, struct okno_err *err);

#endif

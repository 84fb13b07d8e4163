/* The service: HTTP, scheduler and workers in one process. */
#ifndef OKNO_SERVE_H
#define OKNO_SERVE_H

#include "okno/conf.h"
#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one client may use. Zero means the default named beside each. */
struct okno_serve_limits {
    int connections;     /* open at one time: 128 */
    int per_address;     /* of these from one address that is not loopback: 16 */
    size_t header_bytes; /* request line and headers: 16 KiB */
    size_t body_bytes;   /* 1 MiB */
    int64_t header_us;   /* from accept to the end of the header: 10 s */
    int64_t body_us;     /* from accept to the end of the body: 30 s */
    int64_t total_us;    /* from accept to the end of the answer: 10 min */
    int64_t drain_us;    /* what a stop waits for running requests: 10 s */
};

struct okno_serve_options {
    const char *data_dir;
    const char *listen;     /* ADDRESS:PORT, port 0 picks a free one; "127.0.0.1:8080" */
    const char *public_url; /* what users type, e.g. https://okno.example; "" when unknown */
    const char *port_file;  /* the port is written here once it answers; NULL: nowhere */
    bool behind_proxy;      /* allows a listener that is not loopback, believes X-Real-IP */
    int workers;            /* threads that fetch from archives; 0: none */
    struct okno_serve_limits limits;
};

/* Run until SIGTERM or SIGINT: then stop accepting, finish what runs, return 0. Call it from the
 * main thread before others exist (it blocks signals for all of them).
 * OKNO_REFUSED for a listener that is not loopback without behind_proxy, OKNO_INVALID for an
 * address that is none, OKNO_FAILED when the port is taken. */
OKNO_CHECK int okno_serve_run(const struct okno_serve_options *options,
                              const struct okno_conf *conf, struct okno_err *err);

#endif

/* TCP connections from one loopback port to another through a modelled link. */
#ifndef LINK_PROXY_H
#define LINK_PROXY_H

#include "flow.h"

enum { LINK_CONNS = 256 };

struct link_counts {
    int64_t connections, requests;
    struct link_side up, down;
};

struct proxy; /* opaque */

struct proxy *proxy_new(const struct link_config *config, int to_port, uint64_t seed);
void proxy_free(struct proxy *proxy);
void proxy_accept(struct proxy *proxy, int fd, double now_s);
const struct link_counts *proxy_counts(const struct proxy *proxy);
void proxy_reset(struct proxy *proxy);

struct pollfd;
/* Do what is due. Fills at most 2 * LINK_CONNS entries of `polls`, returns how many; *ret_next_s:
 * when something is due next. */
size_t proxy_step(struct proxy *proxy, double now_s, struct pollfd *polls, double *ret_next_s);

#endif

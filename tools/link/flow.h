/* A model of what TCP does to one direction of a connection over a link: delay, a shared rate, slow
 * start, loss, jitter. Pure: times in seconds come in, times go out. */
#ifndef LINK_FLOW_H
#define LINK_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOW_MSS = 1448, FLOW_SEGMENT = 4 * FLOW_MSS };

struct link_config {
    double rtt_s, jitter_s;
    double rate;      /* bytes a second of each direction; 0: no limit */
    double conn_rate; /* the same for one connection */
    double loss;      /* chance that a segment must be sent again */
    bool slow_start;
};

/* One direction of the link, shared by all connections. */
struct link_side {
    double free_s; /* when the last byte handed to it has left */
    int64_t bytes; /* sent, those sent again included */
    int64_t again; /* sent again */
    uint64_t random;
};

struct flow {
    double window, threshold; /* bytes */
    double unacked;           /* bytes on the way or not yet confirmed */
    double last_s;            /* when the last segment left */
    double due_s;             /* when the last segment arrives: order is kept */
    double free_s;            /* of conn_rate */
};

void flow_start(struct flow *flow, const struct link_config *config);

/* Bytes that may be sent now. */
size_t flow_room(struct flow *flow, const struct link_config *config, double now_s);

/* Send: returns when the bytes arrive. */
double flow_send(struct flow *flow, const struct link_config *config, struct link_side *side,
                 size_t len, double now_s);

/* The other side confirmed. */
void flow_ack(struct flow *flow, const struct link_config *config, size_t len);

#endif

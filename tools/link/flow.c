#include "flow.h"

/* What Linux begins with, and after which silence it begins anew. */
#define FIRST_WINDOW (10.0 * FLOW_MSS)
#define IDLE_S 0.2
#define NO_LIMIT 1e12

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Two bandwidth-delay products: one on the way, one in the queue of the bottleneck. */
static double window_max(const struct link_config *config)
{
    double rate = config->rate;
    if (config->conn_rate > 0 && (rate <= 0 || config->conn_rate < rate))
        rate = config->conn_rate;
    return rate > 0 ? 2 * rate * config->rtt_s + 2 * FIRST_WINDOW : 8e6;
}

void flow_start(struct flow *flow, const struct link_config *config)
{
    *flow = (struct flow){.threshold = NO_LIMIT};
    flow->window = config->slow_start ? FIRST_WINDOW : window_max(config);
}

size_t flow_room(struct flow *flow, const struct link_config *config, double now_s)
{
    bool idle = flow->unacked <= 0 && now_s - flow->last_s > IDLE_S + config->rtt_s;
    if (config->slow_start && idle && flow->window > FIRST_WINDOW)
        flow->window = FIRST_WINDOW;
    double room = flow->window - flow->unacked;
    return room < FLOW_MSS ? 0 : room > FLOW_SEGMENT ? FLOW_SEGMENT : (size_t)room;
}

/* xorshift64*: 0 to 1. */
static double chance(struct link_side *side)
{
    uint64_t x = side->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    side->random = x;
    return (double)((x * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* Put the bytes on the line; returns when the last one has left. */
static double put(struct flow *flow, const struct link_config *config, struct link_side *side,
                  size_t len, double now_s)
{
    double leave = larger(now_s, side->free_s);
    if (config->conn_rate > 0) {
        leave = larger(leave, flow->free_s);
        flow->free_s = leave + (double)len / config->conn_rate;
    }
    side->free_s = leave + (config->rate > 0 ? (double)len / config->rate : 0);
    side->bytes += (int64_t)len;
    return larger(side->free_s, flow->free_s);
}

double flow_send(struct flow *flow, const struct link_config *config, struct link_side *side,
                 size_t len, double now_s)
{
    double left = put(flow, config, side, len, now_s);
    if (config->loss > 0 && chance(side) < config->loss) {
        side->again += (int64_t)len;
        left = put(flow, config, side, len, left + config->rtt_s);
        flow->threshold = larger(flow->window / 2, 2 * FLOW_MSS);
        flow->window = flow->threshold;
    }
    double jitter = config->jitter_s > 0 ? chance(side) * config->jitter_s : 0;
    flow->due_s = larger(flow->due_s, left + config->rtt_s / 2 + jitter);
    flow->unacked += (double)len;
    flow->last_s = now_s;
    return flow->due_s;
}

void flow_ack(struct flow *flow, const struct link_config *config, size_t len)
{
    flow->unacked -= (double)len;
    flow->window +=
        flow->window < flow->threshold ? (double)len : (double)len * FLOW_MSS / flow->window;
    double most = window_max(config);
    flow->window = flow->window < most ? flow->window : most;
}

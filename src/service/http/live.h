/* Presses and answers as they arrive, for panels that wait to light up or to rest. A ring of the
 * newest; who reads too slowly misses the oldest. Telling never waits for a reader. */
#ifndef OKNO_SERVICE_LIVE_H
#define OKNO_SERVICE_LIVE_H

#include "okno/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { HTTP_LIVE_PRESSES = 256, HTTP_LIVE_STREAMS = 64, HTTP_LIVE_PER_DEVICE = 4 };

struct http_press {
    uint64_t number; /* from 1 upwards */
    char point[OKNO_ID_TEXT];
    char device[OKNO_ID_TEXT];
    bool answer; /* of a customer; which one is nobody's business here */
    int64_t boot, seq;
    int64_t at_us; /* our monotonic clock when the button went down */
};

struct http_live {
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t changed;
    uint64_t told;
    char streams[HTTP_LIVE_STREAMS][OKNO_ID_TEXT]; /* whose each is; empty: free */
    bool stopping;
    struct http_press presses[HTTP_LIVE_PRESSES];
};

void http_live_init(struct http_live *live);
void http_live_destroy(struct http_live *live);

void http_live_tell(struct http_live *live, const struct http_press *press);

/* How many were told so far. */
uint64_t http_live_now(struct http_live *live);

/* The next press (and answer, with `answers`) of the point after number *after, waiting up to
 * wait_us for one. True with *ret_press; *after moves past all that was looked at. False at the end
 * of the wait, or when the service stops. */
bool http_live_next(struct http_live *live, const char *point, bool answers, uint64_t *after,
                    int64_t wait_us, struct http_press *ret_press);

/* A place for one more stream of the device; -1 when there is none, or the device has its share:
 * one alone must not keep the others from listening. */
int http_live_enter(struct http_live *live, const char *device);
void http_live_leave(struct http_live *live, int place);

bool http_live_stopping(struct http_live *live);
/* From now on nobody waits. */
void http_live_stop(struct http_live *live);

#endif

/* Slows down guessing: so many failures of one key within a while, then a pause. A bounded table;
 * when it is full the key that failed longest ago is forgotten. Values only: the caller brings
 * the time and the lock. */
#ifndef OKNO_SERVICE_LIMITER_H
#define OKNO_SERVICE_LIMITER_H

#include <stdint.h>

enum { HTTP_LIMITER_KEYS = 1024, HTTP_LIMITER_KEY_MAX = 128 };

struct http_limiter_entry {
    char key[HTTP_LIMITER_KEY_MAX]; /* "" is free; a longer key is cut */
    int failures;
    int64_t last_us;
};

struct http_limiter {
    int64_t window_us; /* failures count for so long after the last one */
    struct http_limiter_entry entries[HTTP_LIMITER_KEYS];
};

/* How long `key` has to wait before its next try: 0 while it has fewer than `allowed` failures. */
int64_t http_limiter_wait_us(const struct http_limiter *limiter, const char *key, int allowed,
                             int64_t now_us);

void http_limiter_fail(struct http_limiter *limiter, const char *key, int64_t now_us);

/* A success: its failures are forgotten. */
void http_limiter_clear(struct http_limiter *limiter, const char *key);

#endif

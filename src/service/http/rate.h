/* How often a key may ask: so many requests a minute, a whole minute's worth at once when it was
 * silent. A bounded table; an entry is forgotten when it says nothing any more, or, in a full
 * place, the one nearest to that. Values only: the caller brings the time and the lock. */
#ifndef OKNO_SERVICE_RATE_H
#define OKNO_SERVICE_RATE_H

#include "okno/text.h"

#include <stdint.h>

enum { HTTP_RATE_PLACES = 512, HTTP_RATE_DEPTH = 8 };

struct http_rate_entry {
    char key[OKNO_ID_TEXT];
    int64_t spent_until_us; /* the requests let through last until then at the allowed pace */
};

struct http_rate {
    int64_t interval_us; /* between requests at the allowed pace */
    struct http_rate_entry entries[HTTP_RATE_PLACES][HTTP_RATE_DEPTH];
};

void http_rate_init(struct http_rate *rate, int64_t per_minute);

/* 0: let through and counted. Else how long the key has to wait. `now_us` from any clock that does
 * not go back. */
int64_t http_rate_take(struct http_rate *rate, const char *key, int64_t now_us);

#endif

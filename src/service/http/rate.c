#include "rate.h"

#include <stdio.h>
#include <string.h>

static const int64_t minute_us = 60000000;

void http_rate_init(struct http_rate *rate, int64_t per_minute)
{
    memset(rate, 0, sizeof(*rate));
    rate->interval_us = minute_us / per_minute;
}

/* FNV-1a. */
static size_t place_of(const char *key)
{
    uint32_t hash = 2166136261U;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    return hash % HTTP_RATE_PLACES;
}

/* The key's entry, else the one with the least to say. */
static struct http_rate_entry *entry_for(struct http_rate *rate, const char *key)
{
    struct http_rate_entry *row = rate->entries[place_of(key)];
    struct http_rate_entry *least = row;
    for (int i = 0; i < HTTP_RATE_DEPTH; i++) {
        if (strcmp(row[i].key, key) == 0)
            return &row[i];
        if (row[i].spent_until_us < least->spent_until_us)
            least = &row[i];
    }
    (void)snprintf(least->key, sizeof(least->key), "%s", key);
    least->spent_until_us = 0;
    return least;
}

int64_t http_rate_take(struct http_rate *rate, const char *key, int64_t now_us)
{
    struct http_rate_entry *entry = entry_for(rate, key);
    int64_t from_us = entry->spent_until_us > now_us ? entry->spent_until_us : now_us;
    int64_t spent_us = from_us + rate->interval_us - now_us;
    if (spent_us > minute_us)
        return spent_us - minute_us;
    entry->spent_until_us = from_us + rate->interval_us;
    return 0;
}

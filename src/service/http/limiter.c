#include "limiter.h"

#include <stdio.h>
#include <string.h>

static struct http_limiter_entry *find(const struct http_limiter *limiter, const char *key)
{
    for (int i = 0; i < HTTP_LIMITER_KEYS; i++)
        if (strncmp(limiter->entries[i].key, key, HTTP_LIMITER_KEY_MAX - 1) == 0)
            return (struct http_limiter_entry *)&limiter->entries[i];
    return NULL;
}

int64_t http_limiter_wait_us(const struct http_limiter *limiter, const char *key, int allowed,
                             int64_t now_us)
{
    const struct http_limiter_entry *entry = *key ? find(limiter, key) : NULL;
    if (!entry || entry->failures < allowed)
        return 0;
    int64_t until_us = entry->last_us + limiter->window_us;
    return until_us > now_us ? until_us - now_us : 0;
}

static struct http_limiter_entry *place_for(struct http_limiter *limiter)
{
    struct http_limiter_entry *oldest = &limiter->entries[0];
    for (int i = 0; i < HTTP_LIMITER_KEYS; i++) {
        if (!limiter->entries[i].key[0])
            return &limiter->entries[i];
        if (limiter->entries[i].last_us < oldest->last_us)
            oldest = &limiter->entries[i];
    }
    return oldest;
}

void http_limiter_fail(struct http_limiter *limiter, const char *key, int64_t now_us)
{
    if (!*key)
        return;
    struct http_limiter_entry *entry = find(limiter, key);
    if (!entry) {
        entry = place_for(limiter);
        memset(entry, 0, sizeof(*entry));
        (void)snprintf(entry->key, sizeof(entry->key), "%s", key);
    }
    if (now_us - entry->last_us >= limiter->window_us)
        entry->failures = 0;
    entry->failures++;
    entry->last_us = now_us;
}

void http_limiter_clear(struct http_limiter *limiter, const char *key)
{
    struct http_limiter_entry *entry = *key ? find(limiter, key) : NULL;
    if (entry)
        memset(entry, 0, sizeof(*entry));
}

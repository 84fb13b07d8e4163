#define _POSIX_C_SOURCE 200809L
#include "live.h"

#include "okno/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void http_live_init(struct http_live *live)
{
    pthread_condattr_t monotonic;
    memset(live, 0, sizeof(*live));
    (void)pthread_mutex_init(&live->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&live->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void http_live_destroy(struct http_live *live)
{
    (void)pthread_mutex_destroy(&live->lock);
    (void)pthread_cond_destroy(&live->changed);
}

void http_live_tell(struct http_live *live, const struct http_press *press)
{
    (void)pthread_mutex_lock(&live->lock);
    struct http_press *place = &live->presses[live->told++ % HTTP_LIVE_PRESSES];
    *place = *press;
    place->number = live->told;
    (void)pthread_cond_broadcast(&live->changed);
    (void)pthread_mutex_unlock(&live->lock);
}

uint64_t http_live_now(struct http_live *live)
{
    (void)pthread_mutex_lock(&live->lock);
    uint64_t told = live->told;
    (void)pthread_mutex_unlock(&live->lock);
    return told;
}

/* Under the lock. A number from before a restart of the service counts as nothing seen yet. */
static bool find_next(const struct http_live *live, const char *point, bool answers,
                      uint64_t *after, struct http_press *ret_press)
{
    if (*after > live->told)
        *after = 0;
    if (live->told - *after > HTTP_LIVE_PRESSES)
        *after = live->told - HTTP_LIVE_PRESSES;
    while (*after < live->told) {
        const struct http_press *press = &live->presses[*after % HTTP_LIVE_PRESSES];
        ++*after;
        if (strcmp(press->point, point) == 0 && (answers || !press->answer)) {
            *ret_press = *press;
            return true;
        }
    }
    return false;
}

bool http_live_next(struct http_live *live, const char *point, bool answers, uint64_t *after,
                    int64_t wait_us, struct http_press *ret_press)
{
    int64_t until_us = okno_time_monotonic() + wait_us;
    const struct timespec until = {.tv_sec = (time_t)(until_us / OKNO_SECOND_US),
                                   .tv_nsec = (long)(until_us % OKNO_SECOND_US) * 1000};
    bool found = false;
    (void)pthread_mutex_lock(&live->lock);
    while (!(found = find_next(live, point, answers, after, ret_press)) && wait_us > 0 &&
           !live->stopping)
        if (pthread_cond_timedwait(&live->changed, &live->lock, &until) != 0)
            break;
    (void)pthread_mutex_unlock(&live->lock);
    return found;
}

int http_live_enter(struct http_live *live, const char *device)
{
    int place = -1;
    int own = 0;
    (void)pthread_mutex_lock(&live->lock);
    for (int i = 0; i < HTTP_LIVE_STREAMS; i++) {
        own += strcmp(live->streams[i], device) == 0;
        if (!live->streams[i][0])
            place = i;
    }
    if (own >= HTTP_LIVE_PER_DEVICE || live->stopping)
        place = -1;
    if (place >= 0)
        (void)snprintf(live->streams[place], OKNO_ID_TEXT, "%s", device);
    (void)pthread_mutex_unlock(&live->lock);
    return place;
}

void http_live_leave(struct http_live *live, int place)
{
    (void)pthread_mutex_lock(&live->lock);
    live->streams[place][0] = '\0';
    (void)pthread_mutex_unlock(&live->lock);
}

bool http_live_stopping(struct http_live *live)
{
    (void)pthread_mutex_lock(&live->lock);
    bool stopping = live->stopping;
    (void)pthread_mutex_unlock(&live->lock);
    return stopping;
}

void http_live_stop(struct http_live *live)
{
    (void)pthread_mutex_lock(&live->lock);
    live->stopping = true;
    (void)pthread_cond_broadcast(&live->changed);
    (void)pthread_mutex_unlock(&live->lock);
}

#define _POSIX_C_SOURCE 200809L
#include "turn.h"

#include "okno/time.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* On the stack of a thread that waits. */
struct waiter {
    pthread_cond_t called;
    bool is_called;
    struct waiter *next;
};

struct turn {
    struct turn *next;
    int handles;
    bool taken;
    struct waiter *first;
    char database[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects all turns */
static struct turn *turns;

struct turn *turn_join(const char *database)
{
    (void)pthread_mutex_lock(&lock);
    struct turn *turn = turns;
    while (turn && strcmp(turn->database, database) != 0)
        turn = turn->next;
    if (!turn) {
        size_t size = strlen(database) + 1;
        turn = calloc(1, sizeof(*turn) + size);
        if (turn) {
            memcpy(turn->database, database, size);
            turn->next = turns;
            turns = turn;
        }
    }
    if (turn)
        turn->handles++;
    (void)pthread_mutex_unlock(&lock);
    return turn;
}

void turn_leave(struct turn *turn)
{
    if (!turn)
        return;
    (void)pthread_mutex_lock(&lock);
    bool last = --turn->handles == 0;
    for (struct turn **at = &turns; last && *at; at = &(*at)->next)
        if (*at == turn) {
            *at = turn->next;
            break;
        }
    (void)pthread_mutex_unlock(&lock);
    if (last)
        free(turn);
}

static void add_last(struct turn *turn, struct waiter *waiter)
{
    struct waiter **end = &turn->first;
    while (*end)
        end = &(*end)->next;
    *end = waiter;
}

static void remove_waiter(struct turn *turn, const struct waiter *waiter)
{
    struct waiter **at = &turn->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

/* Under the lock. */
static bool wait_in_line(struct turn *turn, int64_t until_us)
{
    struct waiter self = {0};
    struct timespec until = {.tv_sec = until_us / OKNO_SECOND_US,
                             .tv_nsec = until_us % OKNO_SECOND_US * 1000};
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&self.called, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    add_last(turn, &self);
    int number = 0;
    while (!self.is_called && number != ETIMEDOUT)
        number = pthread_cond_timedwait(&self.called, &lock, &until);
    if (!self.is_called)
        remove_waiter(turn, &self);
    (void)pthread_cond_destroy(&self.called);
    return self.is_called;
}

bool turn_take(struct turn *turn, int64_t wait_us)
{
    (void)pthread_mutex_lock(&lock);
    bool got = !turn->taken || wait_in_line(turn, okno_time_monotonic() + wait_us);
    turn->taken = true;
    (void)pthread_mutex_unlock(&lock);
    return got;
}

void turn_give(struct turn *turn)
{
    (void)pthread_mutex_lock(&lock);
    struct waiter *waiter = turn->first;
    if (waiter) { /* it stays taken, by that one */
        turn->first = waiter->next;
        waiter->is_called = true;
        (void)pthread_cond_signal(&waiter->called);
    } else {
        turn->taken = false;
    }
    (void)pthread_mutex_unlock(&lock);
}

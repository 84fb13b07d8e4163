/* Threads that do the work at the archives, and one that keeps derived facts fresh. A thread sleeps
 * until it is woken or the next known moment of work has come; nothing polls. */
#ifndef OKNO_SERVICE_SCHEDULER_H
#define OKNO_SERVICE_SCHEDULER_H

#include "okno/err.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stdint.h>

struct scheduler;

/* What some threads do. */
struct scheduler_task {
    const char *name; /* for the log */
    int threads;
    void *context;
    /* Make one thread's means; NULL: none needed. */
    int (*open)(void *context, void **ret_means, struct okno_err *err);
    /* One piece of work. 1: something was done, ask again at once; 0: nothing waits, *ret_next_us
     * is when something may (UTC microseconds; left alone when unknown); negative: it failed, ask
     * again after a pause. */
    int (*work)(void *context, void *means, int64_t *ret_next_us, struct okno_err *err);
    void (*close)(void *means); /* NULL: none needed */
};

/* Start all threads; `tasks` is read during the call only; its context lives until the
 * end. Changes that other programs make to the database in data_dir wake everyone. */
OKNO_CHECK int scheduler_start(const char *data_dir, const struct scheduler_task *tasks,
                               size_t count, struct scheduler **ret_scheduler,
                               struct okno_err *err);

/* New facts may be there: everyone looks again. From any thread. */
void scheduler_wake(struct scheduler *scheduler);

/* Finish the pieces that run, then end. NULL allowed. */
void scheduler_stop(struct scheduler *scheduler);
OKNO_CLEANUP(scheduler, scheduler_stop);

#endif

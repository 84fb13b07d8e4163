/* What the scheduler's threads do in `okno serve`. */
#ifndef OKNO_SERVICE_TASKS_H
#define OKNO_SERVICE_TASKS_H

#include "okno/conf.h"
#include "scheduler.h"

#include <stdatomic.h>

struct tasks {
    const char *data_dir;
    const struct okno_conf *conf;
    const char *public_url; /* for links in messages; NULL: the configuration's */
    int64_t planned_us;     /* when the planner last looked, monotonic; the planner's only */
    int64_t cleaned_us;     /* when it was last tidied up, monotonic; 0: never */
    int64_t watched_us;     /* when it last looked at what changes by time alone, monotonic */
    int64_t summed_us;      /* when sums last followed, monotonic; their keeper's only */
    atomic_bool cancel;     /* work under way at archives is to be given back */
    struct scheduler *_Atomic scheduler; /* whom the planner wakes; NULL while starting */
};

/* One planner, one that keeps sums, one that sends messages, and `workers` threads that fetch.
 * `tasks` lives until the scheduler has stopped. */
OKNO_CHECK int tasks_start(struct tasks *tasks, int workers, struct scheduler **ret_scheduler,
                           struct okno_err *err);

#endif

/* What one piece of work at another system may cost: time, bytes, and a way to stop it. Set by
 * whoever starts the work, looked at by everything that waits or receives for it. One thread at a
 * time, but for `cancel`. */
#ifndef OKNO_BUDGET_H
#define OKNO_BUDGET_H

#include "okno/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct okno_budget {
    int64_t until_us;          /* monotonic; INT64_MAX: no limit of the whole */
    int64_t bytes_left;        /* still to be received; INT64_MAX: no limit */
    const atomic_bool *cancel; /* becomes true from another thread; NULL: never; not owned */
};

#define OKNO_BUDGET_INIT                                                                           \
    {                                                                                              \
        .until_us = INT64_MAX, .bytes_left = INT64_MAX                                             \
    }

/* OKNO_CANCELLED, OKNO_TIMEOUT or OKNO_TOO_LARGE when there is nothing left of it; NULL is without
 * limits. `what` names the work in the message. */
OKNO_CHECK int okno_budget_check(const struct okno_budget *budget, const char *what,
                                 struct okno_err *err);

/* The smaller of a wait and what is left of the time; 0 when none is. */
int64_t okno_budget_wait_us(const struct okno_budget *budget, int64_t wait_us);

/* Wait, but no longer than there is time, and not once the work is cancelled; then as the check. */
OKNO_CHECK int okno_budget_pause(const struct okno_budget *budget, int64_t wait_us,
                                 const char *what, struct okno_err *err);

/* Bytes came; NULL allowed. */
void okno_budget_spend(struct okno_budget *budget, int64_t bytes);

static inline bool okno_budget_cancelled(const struct okno_budget *budget)
{
    return budget && budget->cancel && atomic_load_explicit(budget->cancel, memory_order_relaxed);
}

#endif

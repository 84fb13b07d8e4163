#define _POSIX_C_SOURCE 200809L
#include "okno/budget.h"

#include "okno/time.h"

#include <time.h>

#define SLICE_US (50 * 1000) /* between looks at whether the work is cancelled */

int okno_budget_check(const struct okno_budget *budget, const char *what, struct okno_err *err)
{
    if (!budget)
        return 0;
    if (okno_budget_cancelled(budget))
        return okno_fail(err, OKNO_CANCELLED, "%s: stopped, as the program is to end", what);
    if (budget->until_us != INT64_MAX && okno_time_monotonic() >= budget->until_us)
        return okno_fail(err, OKNO_TIMEOUT, "%s: not done in the time that all of it may take",
                         what);
    if (budget->bytes_left < 0)
        return okno_fail(err, OKNO_TOO_LARGE,
                         "%s: more bytes than fetch.window_mb allows for one clip or still", what);
    return 0;
}

int64_t okno_budget_wait_us(const struct okno_budget *budget, int64_t wait_us)
{
    if (!budget || budget->until_us == INT64_MAX)
        return wait_us;
    int64_t left_us = budget->until_us - okno_time_monotonic();
    if (left_us < 0)
        left_us = 0;
    return left_us < wait_us ? left_us : wait_us;
}

int okno_budget_pause(const struct okno_budget *budget, int64_t wait_us, const char *what,
                      struct okno_err *err)
{
    int64_t until = okno_time_monotonic() + okno_budget_wait_us(budget, wait_us);
    for (int64_t left;
         (left = until - okno_time_monotonic()) > 0 && !okno_budget_cancelled(budget);) {
        int64_t slice = left < SLICE_US ? left : SLICE_US;
        struct timespec wait = {.tv_nsec = slice * 1000};
        (void)nanosleep(&wait, NULL);
    }
    return okno_budget_check(budget, what, err);
}

void okno_budget_spend(struct okno_budget *budget, int64_t bytes)
{
    if (budget && budget->bytes_left != INT64_MAX)
        budget->bytes_left -= bytes;
}

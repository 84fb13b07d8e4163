/* The scheduler's thread that sends messages about alerts. */
#ifndef OKNO_SERVICE_MESSAGES_H
#define OKNO_SERVICE_MESSAGES_H

#include "okno/err.h"

#include <stdint.h>

/* For struct scheduler_task; `context` is a struct tasks. */
int messages_open(void *context, void **ret_means, struct okno_err *err);
int messages_work(void *context, void *means, int64_t *ret_next_us, struct okno_err *err);
void messages_close(void *means);

#endif

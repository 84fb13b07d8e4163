/* The service's thread that moves programmes on and hands out their figures. */
#ifndef OKNO_SERVICE_PROGRAMMES_H
#define OKNO_SERVICE_PROGRAMMES_H

#include "okno/err.h"

#include <stdint.h>

/* As scheduler.h wants them; the context is a struct tasks. */
OKNO_CHECK int programmes_open(void *context, void **ret_means, struct okno_err *err);
void programmes_close(void *means);
OKNO_CHECK int programmes_work(void *context, void *means, int64_t *ret_next_us,
                               struct okno_err *err);

#endif

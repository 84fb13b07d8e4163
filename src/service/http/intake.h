/* Batches of events on their way to the disk. Requests that arrive while a transaction runs wait
 * and go together into the next one, so that many devices share one wait for the disk; each answer
 * still leaves after its own events are there. */
#ifndef OKNO_SERVICE_INTAKE_H
#define OKNO_SERVICE_INTAKE_H

#include "okno/db.h"
#include "okno/event.h"
#include "okno/json.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { HTTP_INTAKE_ITEMS_MAX = 1000 };

/* One request. */
struct http_intake_batch {
    const char *device;  /* that the token speaks for */
    const json_t *items; /* an array, or one event */
    bool has_now;        /* the device said what its clock shows: */
    int64_t now_us;
    int64_t arrived_us;

    json_t *results; /* one for each item, in order; the caller's */
    int64_t added;

    int rc; /* what follows belongs to intake.c */
    struct okno_err err;
    bool done;
    struct http_intake_batch *next;
};

struct http_intake {
    pthread_mutex_t lock; /* protects what follows */
    pthread_cond_t changed;
    struct http_intake_batch *first, **last; /* waiting */
    bool busy;                               /* somebody writes */
};

/* Find the events in a body that fits the schema Events, and what the device's clock shows. */
OKNO_CHECK int http_event_envelope(const json_t *body, struct http_intake_batch *batch,
                                   struct okno_err *err);

/* One of them, told by that device. Texts belong to the item. */
OKNO_CHECK int http_event_read(const json_t *item, const char *device, struct okno_event *ret_event,
                               struct okno_err *err);

void http_intake_init(struct http_intake *intake);
void http_intake_destroy(struct http_intake *intake);

/* Store the batch; on return 0 everything that results acknowledge is on disk. Otherwise nothing of
 * it is stored. */
OKNO_CHECK int http_intake_store(struct http_intake *intake, struct okno_db *db,
                                 struct http_intake_batch *batch, struct okno_err *err);

#endif

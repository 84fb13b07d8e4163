#define _POSIX_C_SOURCE 200809L
#include "intake.h"

#include "http.h"
#include "okno/event.h"
#include "okno/log.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <string.h>

void http_intake_init(struct http_intake *intake)
{
    *intake = (struct http_intake){0};
    intake->last = &intake->first;
    (void)pthread_mutex_init(&intake->lock, NULL);
    (void)pthread_cond_init(&intake->changed, NULL);
}

void http_intake_destroy(struct http_intake *intake)
{
    (void)pthread_mutex_destroy(&intake->lock);
    (void)pthread_cond_destroy(&intake->changed);
}

/* ---- one event ---- */

/* A failure that is the item's own fault, not the database's. */
static bool is_of_item(int code)
{
    return code == OKNO_INVALID || code == OKNO_MISSING || code == OKNO_UNKNOWN_FIELD ||
           code == OKNO_UNKNOWN_REF || code == OKNO_FORBIDDEN || code == OKNO_CONFLICT ||
           code == OKNO_MALFORMED;
}

static json_t *number_or_null(const json_t *value)
{
    return json_is_integer(value) ? json_integer(json_integer_value(value)) : json_null();
}

static int add_result(struct http_intake_batch *batch, const json_t *item, const char *result,
                      const struct okno_err *why, struct okno_err *err)
{
    const json_t *boot = json_object_get(item, "boot");
    json_t *error = json_null();
    if (why->code)
        error = json_pack("{s:s, s:o, s:o}", "code", okno_code_info(why->code)->name, "message",
                          okno_json_text(why->text), "field",
                          okno_json_text(*why->field ? why->field : NULL));
    json_t *row =
        json_pack("{s:s, s:o, s:o, s:s, s:o}", "device", batch->device, "boot",
                  boot ? number_or_null(boot) : json_integer(0), "seq",
                  number_or_null(json_object_get(item, "seq")), "result", result, "error", error);
    return json_array_append_new(batch->results, row) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer")
               : 0;
}

/* *earliest_us: the earliest moment that good events of the batch tell of. */
static int store_item(struct okno_event_intake *events, struct http_intake_batch *batch,
                      const json_t *item, int64_t *earliest_us, struct okno_err *err)
{
    struct okno_event event;
    struct okno_err why = {0};
    enum okno_event_stored stored = OKNO_EVENT_ADDED;
    const struct okno_event_receipt receipt = {.at_us = batch->arrived_us};
    const char *result = "invalid";
    int rc = http_event_read(item, batch->device, &event, &why);
    if (rc == 0 && json_is_array(batch->items) && json_object_get(item, "now"))
        rc = okno_fail_field(&why, OKNO_UNKNOWN_FIELD, "now",
                             "now stands beside the list: {\"now\": ..., \"events\": [...]}");
    if (rc == 0) {
        rc = okno_event_intake_add(events, &event, &receipt, &stored, &why);
        if (rc == OKNO_CONFLICT)
            result = "conflict";
    }
    if (rc == 0) {
        result = stored == OKNO_EVENT_ADDED ? "added" : "duplicate";
        batch->added += stored == OKNO_EVENT_ADDED;
        *earliest_us = event.at_us < *earliest_us ? event.at_us : *earliest_us;
    } else if (!is_of_item(rc)) {
        return okno_fail(err, rc, "%s", why.text);
    }
    return add_result(batch, item, result, &why, err);
}

/* ---- one request ---- */

static int store_clock(struct okno_db *db, const struct http_intake_batch *batch,
                       int64_t earliest_us, struct okno_err *err)
{
    int64_t now_us = batch->now_us;
    enum okno_clock_finding finding = OKNO_CLOCK_KNOWN;
    struct okno_clock_report report = {.shown_us = now_us,
                                       .arrived_us = batch->arrived_us,
                                       .earliest_us = earliest_us < now_us ? earliest_us : now_us};
    struct okno_err why = {0};
    int rc = okno_db_savepoint(db, err);
    if (rc < 0)
        return rc;
    int reported = okno_registry_report_clock(db, batch->device, report, &finding, &why);
    rc = okno_db_savepoint_end(db, reported == 0, err);
    if (rc == 0 && reported == OKNO_REFUSED) /* the log takes nothing: no reason to lose events */
        okno_log(OKNO_LOG_WARNING, "intake", "the clock of device %s is not kept: %s",
                 batch->device, why.text);
    else if (rc == 0 && reported < 0)
        return okno_fail(err, reported, "%s", why.text);
    if (rc == 0 && (finding == OKNO_CLOCK_JUMPED || finding == OKNO_CLOCK_SUSPECT))
        okno_log(OKNO_LOG_WARNING, "intake", "the clock of device %s %s: %.3f s from ours",
                 batch->device, finding == OKNO_CLOCK_JUMPED ? "jumped" : "cannot be right",
                 (double)(now_us - batch->arrived_us) / OKNO_SECOND_US);
    return rc;
}

static int store_batch(struct okno_db *db, struct okno_event_intake *events,
                       struct http_intake_batch *batch, struct okno_err *err)
{
    int64_t earliest_us = INT64_MAX;
    bool many = json_is_array(batch->items);
    size_t count = many ? json_array_size(batch->items) : 1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = store_item(events, batch, many ? json_array_get(batch->items, i) : batch->items,
                        &earliest_us, err);
    return rc < 0 || !batch->has_now ? rc : store_clock(db, batch, earliest_us, err);
}

/* ---- many requests in one transaction ---- */

static int store_all(struct okno_db *db, struct http_intake_batch *batches, struct okno_err *err)
{
    OKNO_AUTO(okno_event_intake) *events = NULL;
    int rc = okno_db_begin(db, err);
    if (rc == 0)
        rc = okno_event_intake_open(db, &events, err);
    for (struct http_intake_batch *batch = batches; rc == 0 && batch; batch = batch->next)
        rc = store_batch(db, events, batch, err);
    if (rc == 0)
        rc = okno_event_intake_end(events, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* Under the lock: those that go together, taken off the list. */
static struct http_intake_batch *take_group(struct http_intake *intake)
{
    enum { ITEMS_MAX = 8 * HTTP_INTAKE_ITEMS_MAX };
    struct http_intake_batch *first = intake->first;
    struct http_intake_batch **end = &intake->first;
    size_t items = 0;
    while (*end && items < ITEMS_MAX) {
        items += json_is_array((*end)->items) ? json_array_size((*end)->items) : 1;
        end = &(*end)->next;
    }
    intake->first = *end;
    *end = NULL;
    if (!intake->first)
        intake->last = &intake->first;
    return first;
}

/* Under the lock, which is let go while the disk works. */
static void write_group(struct http_intake *intake, struct okno_db *db)
{
    struct http_intake_batch *group = take_group(intake);
    struct okno_err err = {0};
    intake->busy = true;
    (void)pthread_mutex_unlock(&intake->lock);
    int rc = store_all(db, group, &err);
    (void)pthread_mutex_lock(&intake->lock);
    while (group) { /* a batch is its owner's again once it is done */
        struct http_intake_batch *next = group->next;
        group->rc = rc;
        group->err = err;
        group->done = true;
        group = next;
    }
    intake->busy = false;
    (void)pthread_cond_broadcast(&intake->changed);
}

int http_intake_store(struct http_intake *intake, struct okno_db *db,
                      struct http_intake_batch *batch, struct okno_err *err)
{
    batch->done = false;
    batch->next = NULL;
    (void)pthread_mutex_lock(&intake->lock);
    *intake->last = batch;
    intake->last = &batch->next;
    while (!batch->done) {
        if (intake->busy)
            (void)pthread_cond_wait(&intake->changed, &intake->lock);
        else
            write_group(intake, db);
    }
    (void)pthread_mutex_unlock(&intake->lock);
    return batch->rc < 0 ? okno_fail_field(err, batch->rc, batch->err.field, "%s", batch->err.text)
                         : 0;
}

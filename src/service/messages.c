#define _POSIX_C_SOURCE 200809L
#include "messages.h"

#include "okno/db.h"
#include "okno/mem.h"
#include "okno/notify.h"
#include "okno/time.h"
#include "tasks.h"

/* Between two looks at the queue while something is under way. */
#define SLICE_US (OKNO_SECOND_US / 4)

struct messages {
    struct okno_db *db;
    struct okno_notify *notify;
};

void messages_close(void *means)
{
    struct messages *messages = means;
    if (!messages)
        return;
    okno_notify_close(messages->notify);
    okno_db_close(messages->db);
    free(messages);
}
OKNO_CLEANUP(messages, messages_close);

int messages_open(void *context, void **ret_means, struct okno_err *err)
{
    const struct tasks *tasks = context;
    struct okno_notify_options options = okno_notify_options_of(tasks->conf);
    OKNO_AUTO(messages) *messages = calloc(1, sizeof(*messages));
    if (!messages)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for messages");
    if (tasks->public_url && *tasks->public_url)
        options.public_url = tasks->public_url;
    int rc = okno_db_open(tasks->data_dir, false, &messages->db, err);
    if (rc == 0)
        rc = okno_notify_open(messages->db, &options, &messages->notify, err);
    if (rc == 0)
        *ret_means = okno_mem_take(&messages);
    return rc;
}

int messages_work(void *context, void *means, int64_t *ret_next_us, struct okno_err *err)
{
    (void)context;
    struct messages *messages = means;
    int64_t next_us = INT64_MAX;
    int rc = okno_notify_turn(messages->notify, okno_time_now(), SLICE_US, &next_us, err);
    if (rc == 0 && next_us != INT64_MAX)
        *ret_next_us = next_us;
    return rc;
}

#include "export.h"

#include "okno/time.h"

#define CREATE_US (10 * OKNO_SECOND_US)
#define REMOVE_US (3 * OKNO_SECOND_US)
#define FIRST_US (200 * 1000)
#define LONGEST_US (2 * OKNO_SECOND_US) /* between looks */
#define QUEUE_US (60 * OKNO_SECOND_US)  /* behind others at most */
#define AGAIN_US (60 * OKNO_SECOND_US)

/* A task whose name is lost could not be removed: cancelling waits for the answer. */
static int create(const struct export_ops *ops, void *ctx, struct reach *reach,
                  char ret_task[EXPORT_TASK], struct okno_err *err)
{
    struct okno_budget own;
    int64_t most = reach->deadline_us < CREATE_US ? reach->deadline_us : CREATE_US;
    struct okno_budget *before = reach_apart(reach, &own, most);
    int rc = ops->create(ctx, ret_task, err);
    (void)okno_net_set_budget(reach->net, before);
    return rc;
}

static void drop(const struct export_ops *ops, void *ctx, struct reach *reach, const char *task)
{
    struct okno_budget own;
    struct okno_budget *before = reach_apart(reach, &own, REMOVE_US);
    (void)ops->remove(ctx, task, NULL);
    (void)okno_net_set_budget(reach->net, before);
}

/* Ten requests' time where nobody limits the whole, as jobs do. */
static int await(const struct export_ops *ops, void *ctx, const struct reach *reach,
                 const char *task, const char *name, struct okno_err *err)
{
    int64_t begun = okno_time_monotonic();
    int64_t limit = okno_budget_wait_us(reach->budget, 10 * reach->deadline_us);
    int64_t patience = limit / 2 < QUEUE_US ? limit / 2 : QUEUE_US;
    enum export_state state = EXPORT_QUEUED;
    for (int64_t wait = FIRST_US;; wait = wait * 3 / 2 < LONGEST_US ? wait * 3 / 2 : LONGEST_US) {
        int rc = ops->poll(ctx, task, &state, err);
        int64_t took = okno_time_monotonic() - begun;
        if (rc < 0 || state == EXPORT_READY)
            return rc;
        if (state == EXPORT_QUEUED && took >= patience)
            return okno_fail_retry(err, OKNO_ARCHIVE_BUSY, AGAIN_US,
                                   "%s: the recorder prepares other exports first", name);
        if (took >= limit)
            return okno_fail(err, OKNO_TIMEOUT,
                             "%s: the recorder did not finish its export in %d s", name,
                             (int)(took / OKNO_SECOND_US));
        rc = okno_budget_pause(reach->budget, wait, name, err);
        if (rc < 0)
            return rc;
    }
}

int export_run(const struct export_ops *ops, void *ctx, struct reach *reach, const char *name,
               struct okno_source **ret_source, struct okno_err *err)
{
    char task[EXPORT_TASK] = "";
    int rc = okno_budget_check(reach->budget, name, err);
    if (rc == 0)
        rc = create(ops, ctx, reach, task, err);
    if (rc < 0)
        return rc;
    rc = await(ops, ctx, reach, task, name, err);
    if (rc == 0)
        rc = ops->fetch(ctx, task, ret_source, err);
    drop(ops, ctx, reach, task);
    return rc;
}

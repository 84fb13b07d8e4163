/* Recordings that a recorder prepares as a task of its own before it gives them: create, wait,
 * download, and always take the task away again. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_EXPORT_H
#define OKNO_VIDEO_ARCHIVE_EXPORT_H

#include "reach.h"

enum { EXPORT_TASK = 128 };

enum export_state { EXPORT_QUEUED, EXPORT_WORKING, EXPORT_READY };

/* What the recorder calls each step. `task` is its name of the task. */
struct export_ops {
    int (*create)(void *ctx, char ret_task[EXPORT_TASK], struct okno_err *err);
    int (*poll)(void *ctx, const char *task, enum export_state *ret_state, struct okno_err *err);
    int (*fetch)(void *ctx, const char *task, struct okno_source **ret_source,
                 struct okno_err *err);
    int (*remove)(void *ctx, const char *task, struct okno_err *err);
};

/* The recording as a source. The task is removed however this ends, with seconds of its own when
 * the work was stopped or its time is over; creating one is never stopped half way, so that none is
 * left without a name. OKNO_ARCHIVE_BUSY when it is still queued behind others after a while,
 * OKNO_TIMEOUT when it does not end. `name` is the piece's, for messages. */
OKNO_CHECK int export_run(const struct export_ops *ops, void *ctx, struct reach *reach,
                          const char *name, struct okno_source **ret_source, struct okno_err *err);

#endif

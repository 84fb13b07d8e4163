/* One job in a child of its own, from the caller's side: what it reads is handed to it, how it ends
 * is named. */
#ifndef MEDIA_JOB_H
#define MEDIA_JOB_H

#include "wire.h"

/* What the child answered, not yet believed: the text is terminated, nothing else is checked. */
struct job_answer {
    struct wire_result result;
    struct okno_interval_vec gaps; /* owned */
};

/* Run a job over the inputs, with job->extra bytes of `extra` behind them; out_fd is -1 for a
 * probe, and where wire_writes_memory says so a memory file, which comes back sealed: its child may
 * live on, but changes nothing. After a clip or a viewing copy the child is gone. 0 when the child
 * said that all went well. Else the code it gave, as far as a recording can be the reason, or that
 * of the source that failed; OKNO_MEDIA with the recording's name and what happened for a child
 * that crashed, hung, used too much or broke the rules; OKNO_UNSUPPORTED without seccomp;
 * OKNO_FAILED without a host. Any thread. */
OKNO_CHECK int media_job_run(const struct wire_job *job, const struct okno_media_input *inputs,
                             const void *extra, int out_fd, struct job_answer *ret_answer,
                             struct okno_err *err);

/* As OKNO_MEDIA: the child claimed something (a noun) that cannot be. */
OKNO_CHECK int media_job_disbelieve(const struct wire_job *job,
                                    const struct okno_media_input *inputs, const char *what,
                                    struct okno_err *err);

#endif

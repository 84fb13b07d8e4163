/* Turns at the archives: who may be asked, how many at a time, and who is left alone. Private to
 * the evidence room. Kept in the database, so that all workers of all processes agree. */
#ifndef OKNO_EVIDENCE_TURNS_H
#define OKNO_EVIDENCE_TURNS_H

#include "work.h"

/* An archive failed as a whole: nobody asks it for 15 s, then twice as long each time, at most five
 * minutes and up to a quarter more by chance, or as long as it asked for. *ret_until_us: when. */
OKNO_CHECK int turns_failed(struct okno_work *work, const char *archive, int64_t now_us,
                            const struct okno_err *why, int64_t *ret_until_us,
                            struct okno_err *err);

/* It answered: what waits because it did not is due now. */
OKNO_CHECK int turns_answered(struct okno_work *work, const char *archive, int64_t now_us,
                              struct okno_err *err);

/* It answered, whoever asked. */
OKNO_CHECK int turns_seen(struct okno_work *work, const char *archive, int64_t now_us,
                          struct okno_err *err);

/* It gave so many bytes to work that began then: its rate may ask for a pause. */
OKNO_CHECK int turns_spent(struct okno_work *work, const char *archive, int64_t began_us,
                           int64_t bytes, struct okno_err *err);

/* Sessions and hours as the archives' rows say now. */
OKNO_CHECK int turns_refresh(struct okno_work *work, int64_t now_us, struct okno_err *err);

/* A job as it was taken, and what became of it. */
struct work_job {
    int64_t job, class, attempts;
    char kind[8];
    char survey[160];
    char audit[65];
    char archive[OKNO_ID_TEXT];
};
struct work_outcome {
    int code;
    int64_t retry_us; /* when to try again; 0: not, or as the attempts say where passing */
    int64_t bytes;    /* read from the archive */
    struct okno_err why;
};

/* How a job is run; okno_work_run_one's own, or a test's. */
typedef void work_runner(void *ctx, struct okno_work *work, const struct work_job *job,
                         int64_t now_us, struct work_outcome *outcome);
OKNO_CHECK int work_run_next(struct okno_work *work, int64_t now_us, work_runner *runner, void *ctx,
                             int64_t *ret_next_us, int *ret_code, struct okno_err *err);

#endif

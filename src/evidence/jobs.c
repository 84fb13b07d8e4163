/* The table of jobs: what is fetched next, by whom, and what became of it. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/time.h"

#include <string.h>

/* A runner that died lets go of its job after this; longer than any archive's deadline. */
static const int64_t lease_us = 600 * OKNO_SECOND_US;

enum { CLASS_NEGATIVE = 2, CLASS_OTHER = 3 };

struct job {
    int64_t job, class, attempts;
    char kind[8];
    char survey[160];
    char audit[65];
};

int okno_work_plan(struct okno_work *work, int64_t now_us, int64_t *ret_added, struct okno_err *err)
{
    return OKNO_DB_RUN(work->db, "jobs.plan_links", ret_added, err, OKNO_INT("now", now_us));
}

/* 1: a job was taken. */
static int take(struct okno_work *work, int64_t now_us, struct job *ret_job, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "jobs.take", &stmt, err, OKNO_TEXT("owner", work->owner),
                             OKNO_INT("now", now_us), OKNO_INT("until", now_us + lease_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc != 1)
        return rc;
    ret_job->job = okno_stmt_int(stmt, "job");
    ret_job->class = okno_stmt_int(stmt, "class");
    ret_job->attempts = okno_stmt_int(stmt, "attempts");
    (void)snprintf(ret_job->kind, sizeof(ret_job->kind), "%s", okno_stmt_text(stmt, "kind"));
    (void)snprintf(ret_job->survey, sizeof(ret_job->survey), "%s", okno_stmt_text(stmt, "survey"));
    (void)snprintf(ret_job->audit, sizeof(ret_job->audit), "%s", okno_stmt_text(stmt, "audit"));
    rc = okno_stmt_step(stmt, err); /* finishes the update */
    return rc < 0 ? rc : 1;
}

/* When the archive overwrites the survey's footage; 0 when unknown. */
static int lost_at(struct okno_work *work, const struct work_survey *s, int64_t *ret_us,
                   struct okno_err *err)
{
    int64_t days = 0;
    int rc =
        OKNO_DB_INT(work->db, "evidence.retention", 0, &days, err, OKNO_TEXT("survey", s->survey));
    if (rc == 0)
        *ret_us = days > 0 ? s->opened_us + days * OKNO_DAY_US : 0;
    return rc;
}

/* A linked survey gets its photo, where the configuration wants one. */
static int add_still_job(struct okno_work *work, const struct job *job, int64_t now_us,
                         struct okno_err *err)
{
    const char *wanted = work->conf->evidence.stills;
    struct work_survey s = {0};
    int64_t lost_us = 0;
    int rc = work_load_survey(work, job->survey, &s, err);
    if (rc == 0)
        rc = lost_at(work, &s, &lost_us, err);
    if (rc < 0)
        return rc;
    if (strcmp(wanted, "all") != 0 && !(strcmp(wanted, "answered") == 0 && s.answered))
        return 0;
    return OKNO_DB_RUN(work->db, "jobs.add", NULL, err, OKNO_TEXT("kind", "still"),
                       OKNO_TEXT("survey", s.survey), OKNO_TEXT("audit", ""),
                       OKNO_INT("class", s.negative ? CLASS_NEGATIVE : CLASS_OTHER),
                       OKNO_INT("lost_at", lost_us), OKNO_INT("now", now_us));
}

static int run_link(struct okno_work *work, const struct job *job, int64_t now_us,
                    struct okno_err *err)
{
    enum okno_link_state state = OKNO_LINK_PENDING;
    int rc = okno_work_link(work, job->survey, now_us, &state, err);
    if (rc < 0)
        return rc;
    if (state == OKNO_LINK_LINKED || state == OKNO_LINK_PARTIAL)
        return add_still_job(work, job, now_us, err);
    if (state == OKNO_LINK_UNREACHABLE)
        return okno_fail(err, OKNO_TRANSIENT, "the archive of survey %s could not be asked",
                         job->survey);
    if (state == OKNO_LINK_PENDING)
        return okno_fail(err, OKNO_NOT_YET, "the archive has not listed survey %s yet",
                         job->survey);
    return 0;
}

static int run(struct okno_work *work, const struct job *job, int64_t now_us, struct okno_err *err)
{
    struct okno_evidence evidence;
    if (strcmp(job->kind, "link") == 0)
        return run_link(work, job, now_us, err);
    return okno_work_extract(work, job->survey, job->kind, job->audit, now_us, &evidence, err);
}

/* Nothing recorded is an answer, not a failure. */
static const char *final_state(int code)
{
    bool answered =
        code == 0 || code == OKNO_NO_COVERAGE || code == OKNO_NO_CAMERA || code == OKNO_GONE;
    return answered ? "done" : "failed";
}

static int finish(struct okno_work *work, const struct job *job, int code, const char *message,
                  int64_t now_us, struct okno_err *err)
{
    const char *name = code == 0 ? "" : okno_code_info(code)->name;
    if (work_is_passing(code))
        return OKNO_DB_RUN(work->db, "jobs.retry", NULL, err, OKNO_INT("job", job->job),
                           OKNO_TEXT("owner", work->owner), OKNO_TEXT("code", name),
                           OKNO_TEXT("message", message),
                           OKNO_INT("next_try_at", work_retry_at(job->attempts, now_us)));
    return OKNO_DB_RUN(work->db, "jobs.end", NULL, err, OKNO_INT("job", job->job),
                       OKNO_TEXT("owner", work->owner), OKNO_TEXT("code", name),
                       OKNO_TEXT("state", final_state(code)), OKNO_TEXT("message", message),
                       OKNO_INT("now", now_us));
}

static int nothing_due(struct okno_work *work, int64_t *ret_next_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int64_t next_us = 0;
    int rc = okno_db_int(work->db, "jobs.next_due", NULL, 0, INT64_MAX, &next_us, err);
    if (rc == 0)
        *ret_next_us = next_us;
    return rc;
}

int okno_work_run_one(struct okno_work *work, int64_t now_us, int64_t *ret_next_us, int *ret_code,
                      struct okno_err *err)
{
    struct job job = {0};
    struct okno_err outcome = {0};
    int rc = take(work, now_us, &job, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return nothing_due(work, ret_next_us, err);
    int code = run(work, &job, now_us, &outcome);
    rc = finish(work, &job, code, outcome.text, okno_time_now(), err);
    if (rc < 0)
        return rc;
    *ret_code = code;
    if (code < 0 && err)
        *err = outcome;
    return 1;
}

/* The table of jobs: what is fetched next, by whom, and what became of it. */
#define _POSIX_C_SOURCE 200809L
#include "work.h"

#include "okno/time.h"

#include <string.h>

/* A runner that died lets go of its job after this; longer than a job's requests can take. */
static int64_t lease_us(const struct okno_work *work)
{
    return (600 + 10 * work->conf->fetch.deadline_s) * OKNO_SECOND_US;
}

enum { CLASS_NEGATIVE = 2, CLASS_OTHER = 3 };

struct job {
    int64_t job, class, attempts;
    char kind[8];
    char survey[160];
    char audit[65];
};

/* The registry is compared with every link only when it has grown since the last time. */
static int plan_corrected(struct okno_work *work, int64_t now_us, int64_t *ret_added,
                          struct okno_err *err)
{
    int64_t version = 0;
    int rc = okno_db_int(work->db, "jobs.registry_version", NULL, 0, 0, &version, err);
    if (rc < 0 || version == work->planned_version)
        return rc;
    rc = OKNO_DB_RUN(work->db, "jobs.plan_corrected", ret_added, err, OKNO_INT("now", now_us));
    if (rc == 0)
        work->planned_version = version;
    return rc;
}

int okno_work_plan(struct okno_work *work, int64_t now_us, int64_t *ret_added, struct okno_err *err)
{
    int64_t fresh = 0;
    int64_t moved = 0;
    int64_t corrected = 0;
    int rc = OKNO_DB_RUN(work->db, "jobs.plan_links", &fresh, err, OKNO_INT("now", now_us));
    if (rc == 0)
        rc = OKNO_DB_RUN(work->db, "jobs.plan_moved", &moved, err, OKNO_INT("now", now_us));
    if (rc == 0)
        rc = plan_corrected(work, now_us, &corrected, err);
    if (rc == 0 && ret_added)
        *ret_added = fresh + moved + corrected;
    return rc;
}

/* 1: a job was taken. */
static int take(struct okno_work *work, int64_t now_us, struct job *ret_job, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "jobs.take", &stmt, err, OKNO_TEXT("owner", work->owner),
                             OKNO_INT("now", now_us), OKNO_INT("until", now_us + lease_us(work)));
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

/* What became of a job. */
struct outcome {
    int code;
    int64_t retry_us; /* when to try again; 0: not, or as the attempts say where passing */
    struct okno_err why;
};

/* A linked survey gets its photo, where the configuration wants one. */
static int add_still_job(struct okno_work *work, const struct job *job, int64_t now_us,
                         struct okno_err *err)
{
    const char *wanted = work->conf->evidence.stills;
    struct work_survey s = {0};
    int rc = work_load_survey(work, job->survey, &s, err);
    if (rc < 0)
        return rc;
    if (strcmp(wanted, "all") != 0 && !(strcmp(wanted, "answered") == 0 && s.answered))
        return 0;
    return OKNO_DB_RUN(work->db, "jobs.add", NULL, err, OKNO_TEXT("kind", "still"),
                       OKNO_TEXT("survey", s.survey), OKNO_TEXT("audit", ""),
                       OKNO_INT("class", s.negative ? CLASS_NEGATIVE : CLASS_OTHER),
                       OKNO_INT("now", now_us));
}

/* Recorders that list a file when it is full list it late: for a day, what is missing may come. */
static int look_again(struct okno_work *work, const struct job *job, int64_t now_us,
                      struct outcome *o)
{
    struct work_survey s = {0};
    int rc = work_load_survey(work, job->survey, &s, &o->why);
    if (rc < 0 || s.closes_us <= now_us - OKNO_DAY_US)
        return rc;
    o->retry_us = work_retry_at(job->attempts, now_us);
    return okno_fail(&o->why, OKNO_NO_COVERAGE,
                     "not all of survey %s is recorded; looked for again until it is a day old",
                     job->survey);
}

/* An archive that could not be asked, whatever the reason, is asked again. */
static int run_link(struct okno_work *work, const struct job *job, int64_t now_us,
                    struct outcome *o)
{
    struct work_linked linked = {0};
    int rc = work_link_survey(work, job->survey, now_us, &linked, &o->why);
    if (rc < 0)
        return rc;
    o->retry_us = linked.next_try_us;
    if (linked.state == OKNO_LINK_LINKED || linked.state == OKNO_LINK_PARTIAL)
        rc = add_still_job(work, job, now_us, &o->why);
    if (rc < 0 || linked.state == OKNO_LINK_LINKED)
        return rc;
    if (linked.state == OKNO_LINK_PARTIAL || linked.state == OKNO_LINK_NO_RECORDING)
        return look_again(work, job, now_us, o);
    if (linked.state == OKNO_LINK_PENDING)
        return okno_fail(&o->why, OKNO_NOT_YET, "the archive has not listed survey %s yet",
                         job->survey);
    if (linked.state != OKNO_LINK_UNREACHABLE)
        return 0;
    if (o->retry_us == 0)
        o->retry_us = work_retry_after(&linked.trouble, job->attempts, now_us);
    return okno_fail_from(&o->why, &linked.trouble);
}

static int run_fetch(struct okno_work *work, const struct job *job, int64_t now_us,
                     struct outcome *o)
{
    struct okno_evidence evidence;
    struct work_survey s = {0};
    int rc =
        okno_work_extract(work, job->survey, job->kind, job->audit, now_us, &evidence, &o->why);
    /* What cannot be read may still be written to. */
    if (rc == OKNO_MEDIA && work_load_survey(work, job->survey, &s, NULL) == 0 &&
        s.closes_us > now_us - OKNO_DAY_US)
        o->retry_us = work_retry_at(job->attempts, now_us);
    return rc;
}

static void run(struct okno_work *work, const struct job *job, int64_t now_us, struct outcome *o)
{
    o->code = strcmp(job->kind, "link") == 0 ? run_link(work, job, now_us, o)
                                             : run_fetch(work, job, now_us, o);
    if (o->code < 0 && o->retry_us == 0 && work_is_passing(o->code))
        o->retry_us = work_retry_after(&o->why, job->attempts, now_us);
}

/* Nothing recorded is an answer, not a failure. */
static const char *final_state(int code)
{
    bool answered =
        code == 0 || code == OKNO_NO_COVERAGE || code == OKNO_NO_CAMERA || code == OKNO_GONE;
    return answered ? "done" : "failed";
}

static int finish(struct okno_work *work, const struct job *job, const struct outcome *o,
                  int64_t now_us, struct okno_err *err)
{
    const char *name = o->code == 0 ? "" : okno_code_info(o->code)->name;
    if (o->code < 0 && o->retry_us > 0)
        return OKNO_DB_RUN(work->db, "jobs.retry", NULL, err, OKNO_INT("job", job->job),
                           OKNO_TEXT("owner", work->owner), OKNO_TEXT("code", name),
                           OKNO_TEXT("message", o->why.text), OKNO_INT("next_try_at", o->retry_us));
    return OKNO_DB_RUN(work->db, "jobs.end", NULL, err, OKNO_INT("job", job->job),
                       OKNO_TEXT("owner", work->owner), OKNO_TEXT("code", name),
                       OKNO_TEXT("state", final_state(o->code)), OKNO_TEXT("message", o->why.text),
                       OKNO_INT("now", now_us));
}

static int nothing_due(struct okno_work *work, int64_t *ret_next_us, struct okno_err *err)
{
    return okno_db_int(work->db, "jobs.next_due", NULL, 0, INT64_MAX, ret_next_us, err);
}

int okno_work_run_one(struct okno_work *work, int64_t now_us, int64_t *ret_next_us, int *ret_code,
                      struct okno_err *err)
{
    struct job job = {0};
    struct outcome outcome = {0};
    int64_t began_us = okno_time_monotonic();
    int rc = take(work, now_us, &job, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return nothing_due(work, ret_next_us, err);
    run(work, &job, now_us, &outcome);
    rc = finish(work, &job, &outcome, now_us + okno_time_monotonic() - began_us, err);
    if (rc < 0)
        return rc;
    *ret_code = outcome.code;
    if (outcome.code < 0 && err)
        *err = outcome.why;
    return 1;
}

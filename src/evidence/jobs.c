/* The table of jobs: what is fetched next, by whom, and what became of it. */
#define _POSIX_C_SOURCE 200809L
#include "turns.h"

#include "okno/mem.h"
#include "okno/time.h"
#include "okno/viewing.h"

#include <string.h>

/* A runner that died lets go of its job after this; longer than a job's requests can take. */
static int64_t lease_us(const struct okno_work *work)
{
    return (600 + 10 * work->conf->fetch.deadline_s) * OKNO_SECOND_US;
}

enum { CLASS_NEGATIVE = 2, CLASS_OTHER = 3 };

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
    if (rc == 0)
        rc = turns_refresh(work, now_us, err);
    if (rc == 0 && ret_added)
        *ret_added = fresh + moved + corrected;
    return rc;
}

/* 1: a job was taken. */
static int take(struct okno_work *work, int64_t now_us, struct work_job *ret_job,
                struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "jobs.take", &stmt, err, OKNO_TEXT("owner", work->owner),
                             OKNO_INT("now", now_us), OKNO_INT("until", now_us + lease_us(work)),
                             OKNO_INT("sessions", work->conf->fetch.parallel));
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
    (void)snprintf(ret_job->archive, sizeof(ret_job->archive), "%s",
                   okno_stmt_text(stmt, "archive"));
    rc = okno_stmt_step(stmt, err); /* finishes the update */
    return rc < 0 ? rc : 1;
}

/* A linked survey gets its photo, where the configuration wants one. */
static int add_still_job(struct okno_work *work, const struct work_job *job, int64_t now_us,
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
static int look_again(struct okno_work *work, const struct work_job *job, int64_t now_us,
                      struct work_outcome *o)
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
static int run_link(struct okno_work *work, const struct work_job *job, int64_t now_us,
                    struct work_outcome *o)
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

/* --- stills of one archive, fetched together ---------------------------------------------------
 */

enum { MOST_COMPANIONS = 63 };
#define TOGETHER_US (60 * OKNO_SECOND_US) /* then others have their turn */

struct together {
    char surveys[MOST_COMPANIONS + 1][160];
    size_t count;
    int64_t now_us, until_us; /* until_us: monotonic */
    int64_t bytes;
};

static int companions_take(struct okno_work *work, const struct work_job *job, int64_t now_us,
                           struct together *together, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(work->db, "jobs.companions", &stmt, err,
                             OKNO_TEXT("owner", work->owner), OKNO_TEXT("archive", job->archive),
                             OKNO_TEXT("audit", job->audit), OKNO_INT("class", job->class),
                             OKNO_INT("now", now_us), OKNO_INT("until", now_us + lease_us(work)),
                             OKNO_INT("most", MOST_COMPANIONS));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        if (together->count <= MOST_COMPANIONS)
            (void)snprintf(together->surveys[together->count++], sizeof(together->surveys[0]), "%s",
                           okno_stmt_text(stmt, "survey"));
        rc = 0;
    }
    return rc;
}

static int companion_told(void *ctx, size_t index, int code, const struct okno_evidence *evidence,
                          const struct okno_err *why, struct okno_err *err)
{
    struct together *together = ctx;
    (void)index;
    (void)why;
    if (code == 0 && evidence->made_at_us >= together->now_us) /* not one that was kept before */
        together->bytes += evidence->bytes_read;
    return okno_time_monotonic() < together->until_us
               ? 0
               : okno_fail(err, OKNO_BUSY, "the stills that are left have their own turns");
}

/* The job's still and those that come next in line, planned together: each recording is opened
 * once, each GOP decoded once. What does not come is left to the jobs, one by one. */
static int fetch_together(struct okno_work *work, const struct work_job *job, int64_t now_us,
                          int64_t *ret_bytes, struct okno_err *err)
{
    okno_autofree struct together *together = calloc(1, sizeof(*together));
    const char *surveys[MOST_COMPANIONS + 1];
    if (!together)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for many stills");
    together->now_us = now_us;
    together->until_us = okno_time_monotonic() + TOGETHER_US;
    (void)snprintf(together->surveys[together->count++], sizeof(together->surveys[0]), "%s",
                   job->survey);
    int rc = companions_take(work, job, now_us, together, err);
    for (size_t i = 0; i < together->count; i++)
        surveys[i] = together->surveys[i];
    work->in_turn = true;
    if (rc == 0 && together->count > 1)
        (void)!okno_work_extract_stills(work, surveys, together->count, job->audit, now_us,
                                        companion_told, together, NULL);
    work->in_turn = false;
    *ret_bytes = together->bytes;
    if (rc < 0 || together->count == 1)
        return rc;
    return OKNO_DB_RUN(work->db, "jobs.let_go", NULL, err, OKNO_TEXT("owner", work->owner),
                       OKNO_INT("now", now_us), OKNO_INT("until", now_us + lease_us(work)));
}

/* What cannot be read may still be written to; what the link found and the fetch did not may come
 * back. */
static bool may_come(struct okno_work *work, const struct work_job *job, int code, int64_t now_us)
{
    struct work_survey s = {0};
    struct work_link link = {0};
    if (code != OKNO_MEDIA && code != OKNO_GONE && code != OKNO_NO_COVERAGE)
        return false;
    return work_load_survey(work, job->survey, &s, NULL) == 0 &&
           s.closes_us > now_us - OKNO_DAY_US &&
           (code == OKNO_MEDIA || (work_load_link(work, job->survey, &link, NULL) == 0 &&
                                   link.state == OKNO_LINK_LINKED));
}

static int run_fetch(struct okno_work *work, const struct work_job *job, int64_t now_us,
                     struct work_outcome *o)
{
    int64_t bytes = 0;
    int together = strcmp(job->kind, "still") == 0 && job->archive[0]
                       ? fetch_together(work, job, now_us, &bytes, &o->why)
                       : 0;
    if (together < 0)
        return together;
    struct okno_evidence evidence;
    int rc =
        okno_work_extract(work, job->survey, job->kind, job->audit, now_us, &evidence, &o->why);
    if (may_come(work, job, rc, now_us))
        o->retry_us = work_retry_at(job->attempts, now_us);
    if (rc < 0 || evidence.made_at_us < now_us) /* not one that was kept before */
        return rc;
    o->bytes = bytes > 0 ? bytes : evidence.bytes_read;
    if (strcmp(job->kind, "clip") == 0)
        memcpy(work->fresh, evidence.sha256, sizeof(work->fresh));
    return 0;
}

static void run(void *ctx, struct okno_work *work, const struct work_job *job, int64_t now_us,
                struct work_outcome *o)
{
    (void)ctx;
    o->code = strcmp(job->kind, "link") == 0 ? run_link(work, job, now_us, o)
                                             : run_fetch(work, job, now_us, o);
    if (o->code < 0 && o->retry_us == 0 && work_is_passing(o->code))
        o->retry_us = work_retry_after(&o->why, job->attempts, now_us);
}

/* Nothing recorded is an answer, not a failure. */
static const char *final_state(int code)
{
    return work_is_answer(code) || code == OKNO_NO_CAMERA ? "done" : "failed";
}

static int finish(struct okno_work *work, const struct work_job *job, const struct work_outcome *o,
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

/* Where all turns are given, whoever finishes takes the next; another process looks again. */
#define AGAIN_US OKNO_SECOND_US

static int nothing_due(struct okno_work *work, int64_t now_us, int64_t *ret_next_us,
                       struct okno_err *err)
{
    return OKNO_DB_INT(work->db, "jobs.next_due", INT64_MAX, ret_next_us, err,
                       OKNO_INT("now", now_us), OKNO_INT("again", now_us + AGAIN_US));
}

/* What the outcome says of the archive: a failing one is left alone, and its job comes back with
 * its next turn; one that answers has what waited for it due. */
static int note_archive(struct okno_work *work, const struct work_job *job, int64_t now_us,
                        struct work_outcome *o, struct okno_err *err)
{
    int64_t until_us = 0;
    const char *failed = work->failed.archive[0] ? work->failed.archive : job->archive;
    if (o->code < 0 && work_is_whole(o->code) && failed[0]) {
        int rc = turns_failed(work, failed, now_us, &o->why, &until_us, err);
        if (rc < 0 || strcmp(failed, job->archive) != 0)
            return rc;
        o->retry_us = until_us;
        return OKNO_DB_RUN(work->db, "turns.link_next", NULL, err, OKNO_TEXT("survey", job->survey),
                           OKNO_INT("next_try_at", until_us));
    }
    if (!job->archive[0] || (o->code < 0 && !work_is_answer(o->code)))
        return 0;
    return turns_answered(work, job->archive, now_us, err);
}

/* What each archive gave counts, whatever came of it: lists, looks for coverage, what failed. Of
 * folders that are no network's, what was fetched. */
static int note_bytes(struct okno_work *work, const struct work_job *job, int64_t began_us,
                      const struct work_outcome *o, struct okno_err *err)
{
    int64_t own = o->bytes;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < work->archives.len; i++) {
        struct work_archive *slot = &work->archives.items[i];
        int64_t bytes = okno_archive_received(slot->archive) - slot->told_bytes;
        slot->told_bytes += bytes;
        if (strcmp(slot->row.archive, job->archive) == 0)
            own = bytes > own ? bytes : own;
        else
            rc = turns_spent(work, slot->row.archive, began_us, bytes, err);
    }
    return rc < 0 ? rc : turns_spent(work, job->archive, began_us, own, err);
}

int work_run_next(struct okno_work *work, int64_t now_us, work_runner *runner, void *ctx,
                  int64_t *ret_next_us, int *ret_code, struct okno_err *err)
{
    struct work_job job = {0};
    struct work_outcome outcome = {0};
    int64_t began_us = okno_time_monotonic();
    int rc = take(work, now_us, &job, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        okno_extract_recent_expire(work->recent, began_us);
        return nothing_due(work, now_us, ret_next_us, err);
    }
    work->failed.archive[0] = '\0';
    runner(ctx, work, &job, now_us, &outcome);
    int64_t took_us = okno_time_monotonic() - began_us;
    rc = note_bytes(work, &job, now_us, &outcome, err);
    if (rc == 0)
        rc = note_archive(work, &job, now_us + took_us, &outcome, err);
    if (rc == 0)
        rc = finish(work, &job, &outcome, now_us + took_us, err);
    if (rc < 0)
        return rc;
    *ret_code = outcome.code;
    if (outcome.code < 0 && err)
        *err = outcome.why;
    return 1;
}

int okno_work_run_one(struct okno_work *work, int64_t now_us, int64_t *ret_next_us, int *ret_code,
                      struct okno_err *err)
{
    work->fresh[0] = '\0';
    int rc = work_run_next(work, now_us, run, NULL, ret_next_us, ret_code, err);
    if (rc == 1 && work->fresh[0]) /* nobody's turn at the archive waits for it */
        okno_copy_ahead(work->db, work->data_dir, work->fresh);
    return rc;
}

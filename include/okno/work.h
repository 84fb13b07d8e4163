/* Work at the archives: linking surveys to footage and fetching clips and stills, by hand or from
 * the table of jobs. Order: class (held, sampled, negative, other), then what is overwritten first.
 */
#ifndef OKNO_WORK_H
#define OKNO_WORK_H

#include "okno/archive.h"
#include "okno/conf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/evidence.h"
#include "okno/import.h"
#include "okno/json.h"
#include "okno/link.h"
#include "okno/registry.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One thread's means: its database handle and the archives it has opened (kept, with what they have
 * learnt of listings and indexes). Not shared between threads. */
struct okno_work;

/* `conf` is borrowed for the life of the work. */
OKNO_CHECK int okno_work_open(const char *data_dir, const struct okno_conf *conf,
                              struct okno_work **ret_work, struct okno_err *err);
void okno_work_close(struct okno_work *work);
OKNO_CLEANUP(okno_work, okno_work_close);

/* What processes that were killed left half made for a day, viewing copies that nobody looked at
 * for 30, and what is kept of recordings' indexes beyond its size or age. What cannot be removed
 * stays. Done by okno_work_open, too; a service that runs for months does it once an hour. */
void okno_work_sweep(struct okno_db *db, const char *data_dir, int64_t now_us);

/* For the imports "archives" and "cameras" (struct okno_import_job): rows that opening the archive
 * would refuse are refused, the message naming the field and what to write. Nobody is asked, and a
 * secret may be set later. NULL for other imports. */
typedef int okno_row_check(struct okno_db *db, const struct okno_value *values,
                           struct okno_err *err);
okno_row_check *okno_archive_rows_check(const char *import);

/* A row of archives that comes from the page may not send a secret to another host than it was
 * given for: OKNO_INVALID when a destination, another archive or this one at another host has it.
 */
OKNO_CHECK int okno_archive_check_secret(struct okno_db *db, const struct okno_archive_row *row,
                                         struct okno_err *err);

/* Open an archive as its row says, with its secret. What it downloads lies in spool_dir; NULL: in
 * memory. Nobody is asked yet. */
OKNO_CHECK int okno_archive_open_row(struct okno_db *db, const struct okno_archive_row *row,
                                     int64_t deadline_us, const char *spool_dir,
                                     struct okno_archive **ret_archive, struct okno_err *err);
/* The pieces of a channel in the day before at_us; where there are none, of the week and of the
 * month. *ret_days: 1, 7 or 31. */
OKNO_CHECK int okno_archive_lately(struct okno_archive *archive, const char *channel, int64_t at_us,
                                   int *ret_days, struct okno_piece_vec *pieces,
                                   struct okno_err *err);

/* What the clock is known to be ahead by that an archive names its recordings of a channel by: its
 * camera's, else its own; 0 where it was not measured. */
int64_t okno_archive_clock_offset(struct okno_db *db, const char *archive, const char *channel);

/* How far ahead of now a channel's newest recording begins, in the day to come: its names are of
 * another time zone than the archive's, or the recorder's clock is wrong. 0: it does not, within
 * two minutes, or cannot be asked. */
int64_t okno_archive_ahead(struct okno_archive *archive, const char *channel, int64_t now_us);

/* What an archive lists of one channel. */
struct okno_archive_seen {
    int64_t recordings;
    int64_t from_us, to_us; /* of the first listed; the end of the last, read; 0 without any */
    int64_t covered_us, looked_us; /* so much is recorded of so much before to_us */
    int days;                      /* that were looked at: 1, 7 or 31 before at_us */
    int64_t ahead_us;              /* okno_archive_ahead, now */
    char hint[OKNO_ARCHIVE_HINT];  /* where there is none; "" when nothing is known */
};
/* Open an archive as its row says and ask what was recorded of a channel in the day (else the week,
 * the month) before at_us, by its clock as far as it is known. Fails as the archive does, and
 * within deadline_us each time it asks. */
OKNO_CHECK int okno_archive_try(struct okno_db *db, const struct okno_archive_row *row,
                                const char *channel, int64_t at_us, int64_t deadline_us,
                                struct okno_archive_seen *ret_seen, struct okno_err *err);
/* An archive that stands was asked outside of the jobs: what came of it (0 or a code, with why) is
 * said of it. A failure is told, and keeps nobody from asking. */
OKNO_CHECK int okno_archive_note_asked(struct okno_db *db, const char *archive, int64_t now_us,
                                       int code, const struct okno_err *why, struct okno_err *err);

/* Stop waiting for archives once *cancel becomes true (from any thread): what runs ends with
 * OKNO_CANCELLED and is done again later. NULL: never. Must outlive the work. */
void okno_work_set_cancel(struct okno_work *work, const atomic_bool *cancel);

/* The database handle of the work, for its own thread. */
struct okno_db *okno_work_db(struct okno_work *work);

/* Where it keeps indexes of remote recordings (extract.h). */
const char *okno_work_index_dir(const struct okno_work *work);
const char *okno_work_index_key(const struct okno_work *work);

/* A camera at a moment, ready for extract.h. */
struct okno_work_camera {
    struct okno_camera camera;
    struct okno_archive *archive;    /* owned by the work */
    struct okno_clock_offset offset; /* index clock - UTC at that moment */
};
/* at_us is UTC, or with `shown` what the camera's index clock showed; *ret_utc_us is the UTC
 * instant (may be NULL). OKNO_NOT_FOUND names an unknown camera. */
OKNO_CHECK int okno_work_camera_at(struct okno_work *work, const char *camera, int64_t at_us,
                                   bool shown, struct okno_work_camera *ret_camera,
                                   int64_t *ret_utc_us, struct okno_err *err);

/* Make the jobs that are missing: a link for each closed survey that has none, and again for those
 * whose placement, clock, camera or answer was corrected since. Returns through *ret_added (may be
 * NULL) how many were made. */
OKNO_CHECK int okno_work_plan(struct okno_work *work, int64_t now_us, int64_t *ret_added,
                              struct okno_err *err);

/* Take the most urgent waiting job under a lease, run it, store the outcome. Returns 1 when a job
 * was run (whatever became of it), 0 when none is due: then *ret_next_us is the time of the next
 * try, or INT64_MAX when nothing waits. Negative only when the table itself could not be used.
 * *ret_code: the outcome of the job that was run (0 or a code), its message in err. */
OKNO_CHECK int okno_work_run_one(struct okno_work *work, int64_t now_us, int64_t *ret_next_us,
                                 int *ret_code, struct okno_err *err);

/* How work stands at an archive. */
struct okno_outlook {
    char archive[OKNO_ID_TEXT];
    int64_t failures;               /* in a row */
    bool answered;                  /* since its row was given; else nobody asked it yet */
    bool failing;                   /* it failed when it was asked last, whoever asked */
    int64_t failed_us;              /* when the last failure was since its row was given; 0: none */
    char code[32], message[448];    /* of the last failure */
    int64_t down_since_us;          /* 0: not */
    int64_t next_try_us;            /* when something is tried next; 0: nothing waits */
    int64_t off_until_us;           /* 0: inside its hours */
    int64_t sessions;               /* at a time */
    int64_t waiting, running;       /* jobs */
    int64_t lost_at_us;             /* the soonest loss among what waits; 0: none known */
    int64_t overdue;                /* waits, but should be overwritten already */
    int64_t at_risk;                /* surveys that will be lost before their turn comes */
    int64_t lost;                   /* surveys lost in the last 30 days before their turn came */
    double jobs_per_hour;           /* of the last hours of work; 0: not known */
    int64_t done_at_us;             /* forecast of the end of what waits; 0: not known */
    int64_t bytes_read, bytes_kept; /* of the last day */
};
OKNO_VEC(okno_outlook_vec, struct okno_outlook);

/* Of each archive, from what is stored; asks nobody. */
OKNO_CHECK int okno_work_outlook(struct okno_work *work, int64_t now_us,
                                 struct okno_outlook_vec *outlooks, struct okno_err *err);
/* {archive, state (ok, unasked, paused, or the error's name), message, ...}; NULL without memory.
 */
json_t *okno_outlook_json(const struct okno_outlook *outlook);
OKNO_CHECK int okno_db_outlook(struct okno_db *db, int64_t now_us, int64_t parallel,
                               struct okno_outlook_vec *outlooks, struct okno_err *err);

/* What an archive's row allows, else the configuration, else its kind. */
struct okno_archive_limits {
    int64_t sessions; /* at a time */
    int64_t rate_kb;  /* kilobytes a second on the average; 0: as fast as it gives */
    char hours[32];   /* of its zone, 20:00-08:00; "": always */
};
void okno_archive_limits(const struct okno_conf *conf, const struct okno_archive_row *row,
                         struct okno_archive_limits *ret_limits);

/* Link one closed survey now and store the link, with the jobs that follow from a change. A link
 * that has evidence never degrades: *ret_state (may be NULL) is then what was found now when the
 * archive could not tell (unreachable, pending), else the state that stands. */
OKNO_CHECK int okno_work_link(struct okno_work *work, const char *survey, int64_t now_us,
                              enum okno_link_state *ret_state, struct okno_err *err);

/* Fetch, check, keep and record a clip or still of a survey now (linking it first when needed).
 * What is already kept for the same interval is returned without asking the archive again.
 * OKNO_NO_COVERAGE, OKNO_NO_CAMERA, OKNO_GONE name why there is none. */
OKNO_CHECK int okno_work_extract(struct okno_work *work, const char *survey, const char *kind,
                                 const char *audit, int64_t now_us,
                                 struct okno_evidence *ret_evidence, struct okno_err *err);

/* Hears of each still of okno_work_extract_stills: its place in the list, 0 with the evidence or a
 * code with the reason. A negative return ends it all. */
typedef int okno_work_tell(void *ctx, size_t index, int code, const struct okno_evidence *evidence,
                           const struct okno_err *why, struct okno_err *err);

/* okno_work_extract for the stills of many surveys, planned together: by camera, in order of time.
 * Each survey is told once; one that fails takes no other with it. */
OKNO_CHECK int okno_work_extract_stills(struct okno_work *work, const char *const *surveys,
                                        size_t count, const char *audit, int64_t now_us,
                                        okno_work_tell *tell, void *ctx, struct okno_err *err);

#endif

/* Retention: clips and stills older than the rule are destroyed unless something holds them. What
 * was found out with them stays: rows, hashes, verdicts, the log. The record of a destruction is
 * written before the file goes: whoever is killed in between leaves a file that the next run
 * removes, never a file that is gone without a record. */
#ifndef OKNO_PURGE_H
#define OKNO_PURGE_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_PURGE_BATCH 500 /* files of one transaction and one entry of the log */

struct okno_purge_rule {
    int64_t keep_days;  /* counted from the recorded time; 1 and more */
    const char *author; /* whose rule it is */
};

/* What would go, without doing it. A new object: keep_days, before, files, bytes, oldest, by_kind
 * {kind: files}, kept {reason: files}: what is old enough but held (hold, audit, review, appeal,
 * period, reference), and left: files whose destruction was begun and not ended. */
OKNO_CHECK int okno_purge_plan(struct okno_db *db, const struct okno_purge_rule *rule,
                               int64_t now_us, json_t **ret_plan, struct okno_err *err);

struct okno_purged {
    int64_t files, bytes; /* destroyed by this call, with what an earlier one had begun */
    bool more;            /* call again */
};

/* Destroy one batch. The files, and every viewing copy made of them, are gone on return. */
OKNO_CHECK int okno_purge_run(struct okno_db *db, const char *data_dir,
                              const struct okno_purge_rule *rule, int64_t now_us,
                              struct okno_purged *ret_purged, struct okno_err *err);

/* OKNO_GONE with when and by which rule a file was destroyed; else 0. */
OKNO_CHECK int okno_purge_check(struct okno_db *db, const char *sha256, struct okno_err *err);

/* How the disk fills: a new object of evidence_bytes, bytes_per_day (of the last 30 days),
 * free_bytes, days_left (null: it does not fill), steady_bytes (what keep_days days take, null
 * without a rule). */
OKNO_CHECK int okno_purge_forecast(struct okno_db *db, const char *data_dir, int64_t keep_days,
                                   int64_t now_us, json_t **ret_forecast, struct okno_err *err);

/* ---- holds ---- */

/* What stops retention: one survey, the sample of one audit, or what was recorded in a time (and at
 * a site). Texts are borrowed. */
struct okno_hold {
    const char *survey, *audit, *site; /* NULL: not by this */
    int64_t from_us, to_us;            /* both or neither (-1) */
    int64_t until_us;                  /* -1: until released */
    const char *reason, *author;
};

/* OKNO_INVALID unless exactly one of survey, audit and time is given; OKNO_MISSING without a
 * reason; OKNO_UNKNOWN_REF for an unknown survey, audit or site. The log is told, with the reason
 * hashed. */
OKNO_CHECK int okno_hold_add(struct okno_db *db, const struct okno_hold *hold, int64_t now_us,
                             int64_t *ret_hold, struct okno_err *err);
/* OKNO_NOT_FOUND; OKNO_CONFLICT when it is released already. */
OKNO_CHECK int okno_hold_release(struct okno_db *db, int64_t hold, const char *reason,
                                 const char *author, int64_t now_us, struct okno_err *err);
/* A new array, newest first: {hold, survey, audit, site, from, to, until, reason, at, author,
 * released_at, released_by, release_reason}. */
OKNO_CHECK int okno_hold_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

#endif

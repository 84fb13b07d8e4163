/* Appeals: what staff and managers say against how a survey counts, and what somebody else who
 * never decided on it makes of that. Append-only. Times are UTC microseconds. All functions that
 * change something are one durable transaction, told to the evidence log without personal data. */
#ifndef OKNO_APPEAL_H
#define OKNO_APPEAL_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_APPEAL_ASKS "valid invalid false_fm"
#define OKNO_APPEAL_OUTCOMES "accept partly reject"

enum { OKNO_APPEAL_COMMENT_MAX = 4000 /* bytes */ };

/* How long: `file_us` after a decision (or a survey, where there is none) it may be appealed
 * against; `decide_us` after that the appeal is due, or sooner where its footage would be lost
 * before. */
struct okno_appeal_times {
    int64_t file_us, decide_us;
};

/* An appeal. Texts are borrowed for the call. */
struct okno_appeal {
    const char *survey; /* or spontaneous rating */
    const char *user;   /* a login: staff about their own surveys, or a manager */
    const char *asks;   /* what it should count as: of OKNO_APPEAL_ASKS */
    const char *comment;
    struct okno_appeal_times times;
    int64_t at_us;
};

/* OKNO_NOT_FOUND: no such survey. OKNO_FORBIDDEN: not of those who may appeal. OKNO_REFUSED: it
 * counts as asked already, is voided, its window is open, the time is over, an appeal waits or was
 * decided. OKNO_MISSING and OKNO_INVALID name the field. Footage is fetched before everything else.
 */
OKNO_CHECK int okno_appeal_add(struct okno_db *db, const struct okno_appeal *appeal,
                               int64_t *ret_appeal, struct okno_err *err);

/* Take an appeal to decide it: leases what it is about. *ret_item: ITEM of the HTTP interface with
 * the member `appeal`; a new object. OKNO_NOT_FOUND; OKNO_REFUSED: decided, or another holds it;
 * OKNO_FORBIDDEN: who filed it, decided on the survey before, or serves there. */
OKNO_CHECK int okno_appeal_take(struct okno_db *db, int64_t appeal, const char *user,
                                int64_t lease_us, int64_t now_us, json_t **ret_item,
                                struct okno_err *err);

/* What an appeal comes to. Texts are borrowed for the call. */
struct okno_appeal_decision {
    int64_t appeal;
    const char *user, *lease;
    const char *outcome;    /* of OKNO_APPEAL_OUTCOMES */
    const char *comment;    /* never empty */
    const char *verdict;    /* partly: what it counts as instead, neither as before nor as asked */
    const char *reason;     /* with verdict, and with accept where `invalid` was asked */
    const char *correction; /* with verdict valid */
    const json_t *watched;  /* array of evidence hashes, or NULL */
    double played_s;
};

/* OKNO_LEASE_LOST: taken by nobody, or no longer. Else as okno_appeal_take and okno_review_submit.
 */
OKNO_CHECK int okno_appeal_decide(struct okno_db *db, const struct okno_appeal_decision *decision,
                                  int64_t now_us, struct okno_err *err);

/* Who filed it takes it back. OKNO_NOT_FOUND, OKNO_FORBIDDEN, OKNO_REFUSED (decided). */
OKNO_CHECK int okno_appeal_withdraw(struct okno_db *db, int64_t appeal, const char *user,
                                    int64_t now_us, struct okno_err *err);

/* Which appeals, and for whose eyes. NULL: all. */
struct okno_appeal_filter {
    const char *survey;
    const char *employee; /* about this employee's surveys, or filed by `user` */
    const char *user;
    const char *sites;   /* JSON array of site ids */
    const char *decider; /* blind: without employee and who filed; tells `may_decide` */
    int open;            /* 1 open, 0 decided, -1 all */
    int64_t limit;
};
#define OKNO_APPEALS_MAX 500

/* {"appeals": [...]}, newest first, open ones before: a new object. */
OKNO_CHECK int okno_appeal_list(struct okno_db *db, const struct okno_appeal_filter *filter,
                                int64_t now_us, json_t **ret_list, struct okno_err *err);

/* Decisions that may still be appealed against: {"rulings": [{survey, site, point, opened_at,
 * answer, verdict, reason, decided_at, until}]}, newest first. Of audits that are over and of
 * targeted looks; employee NULL: of all at `sites`. A new object. */
OKNO_CHECK int okno_appeal_rulings(struct okno_db *db, const char *employee, const char *sites,
                                   const struct okno_appeal_times *times, int64_t now_us,
                                   json_t **ret_list, struct okno_err *err);

#endif

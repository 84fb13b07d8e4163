/* Inside the audit room only. */
#ifndef OKNO_AUDIT_ROOM_H
#define OKNO_AUDIT_ROOM_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/escalation.h"
#include "okno/estimate.h"
#include "okno/frame.h"
#include "okno/json.h"
#include "okno/sampling.h"

#include <stdbool.h>
#include <stdint.h>

/* An audit as stored. */
struct audit_row {
    char audit[65];
    char state[16];
    char seed[257]; /* "" without one */
    int64_t from_us, to_us;
    struct okno_sampling sampling;
    double undeterminable_limit; /* 0: none */
    double fm_threshold;         /* 0: none */
    double max_half_width;       /* 0: none */
    double k;                    /* weight of silent surveys */
    struct okno_escalation_limits escalate;
    bool invalid_as_silent;
    enum okno_frame frame;
    double level;
    double double_share; /* of a round's surveys that two experts decide */
    int looks;
};

/* OKNO_NOT_FOUND for an unknown id. */
OKNO_CHECK int audit_load(struct okno_db *db, const char *audit, struct audit_row *ret_row,
                          struct okno_err *err);

/* OKNO_OUT_OF_ORDER unless the step is in order by okno_audit_steps. */
OKNO_CHECK int audit_expect(struct okno_db *db, const struct audit_row *row, const char *step,
                            struct okno_err *err);
/* Load, and expect the step. */
OKNO_CHECK int audit_enter(struct okno_db *db, const char *audit, const char *step,
                           struct audit_row *ret_row, struct okno_err *err);
/* Move to the state that the step leads to, and write it down with audit_add_step. */
OKNO_CHECK int audit_done(struct okno_db *db, const char *audit, const char *step,
                          const char *author, int64_t now_us, json_t *detail, struct okno_err *err);

/* Write the step down; `detail` (taken over, NULL means no memory) becomes canonical JSON. */
OKNO_CHECK int audit_add_step(struct okno_db *db, const char *audit, const char *step,
                              const char *author, int64_t now_us, json_t *detail,
                              struct okno_err *err);

/* OKNO_INVALID unless the text is UTF-8 of bearable length. */
OKNO_CHECK int audit_check_note(const char *field, const char *text, struct okno_err *err);

/* OKNO_MISSING, OKNO_INVALID. */
OKNO_CHECK int audit_check_author(const char *author, struct okno_err *err);

/* duty.c: OKNO_FORBIDDEN where the author is a login of an administrator, too, or is said (`local:`
 * and a name) to be one of another role than auditor; not where the plan declares that one person
 * does both. A name that is no login is nobody's: the report counts such steps. */
OKNO_CHECK int audit_check_duty(struct okno_db *db, const char *audit, const char *author,
                                struct okno_err *err);
/* Declaring that (NULL: not) needs a reason, and is OKNO_REFUSED where an auditor is there who is
 * no administrator. */
OKNO_CHECK int audit_check_one_person(struct okno_db *db, const char *reason, struct okno_err *err);

/* keeping.c: OKNO_REFUSED where what some camera recorded at the start of a period is overwritten
 * before the sample can be drawn, or less than a day after; not where clips of all surveys of a
 * period that is over are kept, and these are what is drawn from. Field from. */
OKNO_CHECK int audit_check_keeping(struct okno_db *db, enum okno_frame frame, int64_t from_us,
                                   int64_t to_us, int64_t now_us, struct okno_err *err);

/* keeping.c: a new object {reviews (planned; once drawn, those that wait), decided_a_day (by all
 * experts on days with decisions, of the 30 up to the newest; null before there is one), days (at
 * this pace), footage_until (when the first of it is overwritten; null where nothing says)}. */
OKNO_CHECK int audit_capacity(struct okno_db *db, const struct audit_row *row, json_t **ret_json,
                              struct okno_err *err);

/* figures.c: half the interval is more than is wanted (0: nothing is). */
bool audit_is_too_wide(const struct okno_estimate *estimate, double max_half_width);

/* Let two experts decide a part of what a round drew, as the plan says. Inside the caller's
 * transaction, after the items of the round were made. */
OKNO_CHECK int audit_double(struct okno_db *db, const struct audit_row *row, int64_t round,
                            struct okno_err *err);

/* escalate.c: propose closer looks by what the sample gave. Inside the caller's transaction. */
OKNO_CHECK int audit_escalate(struct okno_db *db, const struct audit_row *row, int64_t now_us,
                              struct okno_err *err);

/* Commit on rc 0, else roll back; returns the final code. */
OKNO_CHECK int audit_finish(struct okno_db *db, int rc, struct okno_err *err);

#endif

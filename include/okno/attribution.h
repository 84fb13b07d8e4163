/* Attribution: a manager's decision who a survey is counted for, whatever the shifts say. Nothing
 * is voided by it. Append-only; a newer row stands, and an undo gives the survey back to the
 * shifts. Frozen frames of audits keep the employee that they froze. */
#ifndef OKNO_ATTRIBUTION_H
#define OKNO_ATTRIBUTION_H

#include "okno/db.h"
#include "okno/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Texts are borrowed for the call. */
struct okno_attribution {
    const char *survey;   /* or a spontaneous rating */
    const char *employee; /* an id, or "unassigned"; ignored with `undo` */
    bool undo;            /* the shifts decide again */
    const char *author;   /* a manager or an administrator; NULL: the first administrator */
    const char *reason;   /* 1 to 1000 bytes */
    int64_t at_us;
};

/* Whether an employee had a shift at the survey's site when it was opened: a survey may be given to
 * somebody else (shifts are swapped), but that is shown. */
OKNO_CHECK int okno_attribution_on_shift(struct okno_db *db, const char *survey,
                                         const char *employee, bool *ret_on_shift,
                                         struct okno_err *err);

/* Decide, in a transaction of its own that also writes the entry of the evidence log.
 * OKNO_NOT_FOUND: no such survey; OKNO_UNKNOWN_REF: no such employee or user; OKNO_FORBIDDEN: the
 * author is neither, or sees neither the survey's site nor any where the employee has shifts;
 * OKNO_MISSING, OKNO_INVALID: the reason or a field; OKNO_REFUSED: it is so already, there is
 * nothing to undo, or the author would decide about an own survey. */
OKNO_CHECK int okno_attribution_decide(struct okno_db *db, const struct okno_attribution *request,
                                       int64_t *ret_id, struct okno_err *err);

#endif

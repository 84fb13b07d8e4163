/* Review: experts lease sampled surveys one by one, watch, and decide. Verdicts are append-only; a
 * decision that came after its lease was over is kept but not counted. Times are UTC microseconds.
 * All functions that change something are one durable transaction. */
#ifndef OKNO_REVIEW_H
#define OKNO_REVIEW_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/import.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_LEASE_TOKEN 33 /* 32 hex digits and the NUL */

/* Pick and lease in one transaction. A user who is an employee is given no own survey and none of a
 * point where they have shifts. A user who holds a live lease gets that item again with the
 * lease renewed. `audit` NULL: any audit. OKNO_QUEUE_EMPTY when nothing is free.
 * *ret_item is a new JSON object, ITEM of the HTTP interface; the caller drops it. */
OKNO_CHECK int okno_review_next(struct okno_db *db, const char *user, const char *audit,
                                int64_t lease_us, int64_t now_us, json_t **ret_item,
                                struct okno_err *err);

/* Keep the lease up. OKNO_LEASE_LOST when it ended or is another's. */
OKNO_CHECK int okno_review_heartbeat(struct okno_db *db, int64_t item, const char *user,
                                     const char *lease, int64_t lease_us, int64_t now_us,
                                     int64_t *ret_until_us, struct okno_err *err);

/* What an expert decided. Texts are borrowed for the call. */
struct okno_review_verdict {
    int64_t item;
    const char *user, *lease;
    const char *verdict;     /* valid, invalid, undeterminable */
    const char *reason;      /* of the versioned table; NULL with valid */
    const char *comment;     /* NULL: none; required with reason OTHER; at most 4000 bytes */
    const char *correction;  /* with valid only: NULL; FALSE_FM clears the force majeure situations
                                of the survey; FM_REACHES_BACK puts it under the one that began
                                within 10 minutes after it */
    const json_t *checklist; /* object of booleans, or NULL */
    const json_t *watched;   /* array of evidence hashes, or NULL */
    double played_s, active_s, wall_s;
    bool blinding_broken;
};

/* Store a decision. A repeat of the same decision under the same lease returns the first one's id
 * (an answer lost on the way is not counted twice). *ret_counted false: the lease or the audit was
 * over. OKNO_LEASE_LOST: this lease of the item was never this user's; nothing is stored.
 * OKNO_INVALID or OKNO_MISSING name the field. */
OKNO_CHECK int okno_review_submit(struct okno_db *db, const struct okno_review_verdict *verdict,
                                  int64_t now_us, int64_t *ret_id, bool *ret_counted,
                                  struct okno_err *err);

/* Give the item back with a reason; it returns to its place for others. */
OKNO_CHECK int okno_review_skip(struct okno_db *db, int64_t item, const char *user,
                                const char *lease, const char *reason, int64_t now_us,
                                struct okno_err *err);

/* Take back the user's last decision: an 'undone' row supersedes it and the item is leased to the
 * user again. OKNO_NOT_FOUND when there is none; not in a closed audit. */
OKNO_CHECK int okno_review_undo(struct okno_db *db, const char *user, int64_t lease_us,
                                int64_t now_us, int64_t *ret_item, struct okno_err *err);

/* Put a survey or a spontaneous rating into the queue outside every sample, and have its footage
 * fetched; what is found counts like any ruling but enters no estimate. Reason: 1 to 1000 bytes.
 * OKNO_NOT_FOUND; OKNO_REFUSED while its window is open or it waits for such a look already. */
OKNO_CHECK int okno_review_target(struct okno_db *db, const char *survey, const char *author,
                                  const char *reason, int64_t now_us, int64_t *ret_item,
                                  struct okno_err *err);

/* The same inside the caller's transaction. */
OKNO_CHECK int okno_review_target_add(struct okno_db *db, const char *survey, const char *author,
                                      const char *reason, int64_t now_us, int64_t *ret_item,
                                      struct okno_err *err);

/* The import kind `reviews`: decisions that were made elsewhere. With an audit they decide what it
 * drew; without one they count like a targeted look, and enter no estimate. Of several of one item
 * the latest by `at` counts. */
extern const struct okno_import_kind okno_review_import;

/* Decided and all items of an audit. */
OKNO_CHECK int okno_review_progress(struct okno_db *db, const char *audit, int64_t *ret_reviewed,
                                    int64_t *ret_total, struct okno_err *err);

#endif

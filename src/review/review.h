/* Inside the review room only. */
#ifndef OKNO_REVIEW_ROOM_H
#define OKNO_REVIEW_ROOM_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/review.h"

#include <stdbool.h>
#include <stdint.h>

enum { REVIEW_COMMENT_MAX = 4000, REVIEW_WATCHED_MAX = 64 };

/* A decision and what it is about. */
struct review_ref {
    int64_t verdict, item;
    int64_t part;  /* of the survey: 0 first expert, 1 second, 2 ruling, 3 and up appeals */
    bool training; /* gold or calibration: about the expert, not about the survey */
    char audit[80];
    char survey[160];
};

/* ITEM of the HTTP interface as the holder of its lease sees it: blind, so neither the button nor
 * the employee is in it. */
OKNO_CHECK int review_item_json(struct okno_db *db, int64_t item, const char *user,
                                json_t **ret_item, struct okno_err *err);

/* After something changed in one of the two experts' parts: open the ruling of a third one where
 * they disagree, withdraw it where they do not. Inside the caller's transaction. */
OKNO_CHECK int review_settle(struct okno_db *db, int64_t item, struct okno_err *err);

/* Lease an item to somebody, inside the caller's transaction. */
OKNO_CHECK int review_lease(struct okno_db *db, int64_t item, const char *user, int64_t until_us,
                            struct okno_err *err);

/* gold.c: make what this user still has to decide of open calibrations. */
OKNO_CHECK int review_calibrate(struct okno_db *db, const char *user, struct okno_err *err);
/* gold.c: now and then a gold item instead of one of the audit of `item`; *item is the one to
 * lease. */
OKNO_CHECK int review_mix_gold(struct okno_db *db, const char *user, int64_t *item,
                               struct okno_err *err);

/* OKNO_INVALID, OKNO_MISSING, OKNO_REFUSED: not a decision that could be made of the survey. */
OKNO_CHECK int review_check_verdict(struct okno_db *db, const struct okno_review_verdict *v,
                                    const char *survey, struct okno_err *err);

/* Store a decision and its entry of the log; a counted one decides the item. Inside the caller's
 * transaction. */
OKNO_CHECK int review_add_verdict(struct okno_db *db, const struct okno_review_verdict *v,
                                  const struct review_ref *ref, bool counted, int64_t at_us,
                                  int64_t *ret_id, struct okno_err *err);

/* The row that takes a decision back; inside the caller's transaction. */
OKNO_CHECK int review_add_undone(struct okno_db *db, const struct review_ref *ref, const char *user,
                                 int64_t now_us, struct okno_err *err);

#endif

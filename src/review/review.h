/* Inside the review room only. */
#ifndef OKNO_REVIEW_ROOM_H
#define OKNO_REVIEW_ROOM_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/review.h"

#include <stdint.h>

enum { REVIEW_COMMENT_MAX = 4000, REVIEW_WATCHED_MAX = 64 };

/* A decision and what it is about. */
struct review_ref {
    int64_t verdict, item;
    char audit[65];
    char survey[160];
};

/* ITEM of the HTTP interface as the holder of its lease sees it: blind, so neither the button nor
 * the employee is in it. */
OKNO_CHECK int review_item_json(struct okno_db *db, int64_t item, const char *user,
                                json_t **ret_item, struct okno_err *err);

/* Store a decision and its entry of the log; a counted one decides the item. Inside the caller's
 * transaction. */
OKNO_CHECK int review_add_verdict(struct okno_db *db, const struct okno_review_verdict *v,
                                  const struct review_ref *ref, bool counted, int64_t at_us,
                                  int64_t *ret_id, struct okno_err *err);

/* The row that takes a decision back; inside the caller's transaction. */
OKNO_CHECK int review_add_undone(struct okno_db *db, const struct review_ref *ref, const char *user,
                                 int64_t now_us, struct okno_err *err);

#endif

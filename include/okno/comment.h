/* What staff say to negative ratings. A negative rating is uncommented until somebody comments on
 * it; comments are only added. They are for the house: no expert sees them, and the evidence log
 * holds only salted hashes of them. */
#ifndef OKNO_COMMENT_H
#define OKNO_COMMENT_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdint.h>

enum { OKNO_COMMENT_BYTES_MAX = 4000, OKNO_COMMENT_TAGS_MAX = 10 };

struct okno_comment {
    const char *rating; /* id of a survey or a spontaneous rating */
    const char *user, *text;
    const char *const *tags; /* ids of conf/tags.json; NULL for none */
    size_t tag_count;
    int64_t at_us;
};

/* Add, close the rating's alert, and write into the log, in one transaction. OKNO_NOT_FOUND: no
 * such negative rating; OKNO_MISSING: neither text nor tag; OKNO_INVALID names the field. */
OKNO_CHECK int okno_comment_add(struct okno_db *db, const struct okno_comment *comment,
                                int64_t *ret_id, struct okno_err *err);

/* [{"id", "rating", "at", "user", "text", "tags": []}], oldest first. */
OKNO_CHECK int okno_comment_list(struct okno_db *db, const char *rating, json_t **ret_list,
                                 struct okno_err *err);

/* NULL texts do not filter. Start from OKNO_NEGATIVE_FILTER_ALL. */
struct okno_negative_filter {
    int64_t from_us, to_us;
    const char *rating, *site, *point;
    const char *sites;    /* a JSON array of those that may be seen; NULL: all */
    const char *employee; /* theirs, and nobody's while they were on shift at that point */
    int commented;        /* 1: with a comment, 0: without, -1: both */
    const char *before;   /* a cursor: only older ones */
    int64_t limit;
};
#define OKNO_NEGATIVE_FILTER_ALL                                                                   \
    {                                                                                              \
        .from_us = INT64_MIN, .to_us = INT64_MAX, .commented = -1, .limit = 100                    \
    }

/* {"negatives": [{"rating", "site", "point", "employee", "answered_at", "channel", "spontaneous",
 * "still" (hash or null), "clip" (likewise), "comments": []}], "next" (a cursor or null)}, newest
 * first. OKNO_INVALID: the cursor. */
OKNO_CHECK int okno_negative_list(struct okno_db *db, const struct okno_negative_filter *filter,
                                  json_t **ret_list, struct okno_err *err);

/* How quickly staff react, by site: {"sites": [{"site", "negatives", "commented", "median_s",
 * "p90_s"}], "tags": [{"tag", "count"}]}. Seconds from the answer to the first comment, of those
 * commented; null without any. Nearest rank. `employee` and `commented` are not regarded. */
OKNO_CHECK int okno_reaction(struct okno_db *db, const struct okno_negative_filter *filter,
                             json_t **ret_reaction, struct okno_err *err);

/* The tags that comments may carry, as shipped: {"version", "tags": [{"id", "key", "en", "ru"}]}.
 */
const char *okno_comment_tags_json(size_t *ret_len);

#endif

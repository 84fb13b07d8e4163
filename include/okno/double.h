/* Double review: which surveys of a round two experts decide apart from each other, and how far
 * these agree. The core is pure; shares and seeds come from the plan. */
#ifndef OKNO_DOUBLE_H
#define OKNO_DOUBLE_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/frame.h"
#include "okno/json.h"
#include "okno/sampler.h"

#include <stddef.h>
#include <stdint.h>

/* Of `count` ids drawn in one round, in the order drawn: the first ceil(share x count), ordered by
 * CS1 with the seed SEED "/double". What an earlier round chose stays chosen. Share 0..1; a product
 * within 1e-9 above a whole number counts as that number. Pure; *ret_draws is empty before. */
OKNO_CHECK int okno_double_draw(const char *seed, const char *const *ids, size_t count,
                                double share, struct okno_draw_vec *ret_draws,
                                struct okno_err *err);

enum okno_vote {
    OKNO_VOTE_VALID,
    OKNO_VOTE_INVALID,
    OKNO_VOTE_UNDETERMINABLE,
    OKNO_VOTE_NOT_ASKED, /* of transactions and minutes only; valid is then: asked */
    OKNO_VOTES
};
/* What a verdict with its correction ("" for none) says; -1 for another verdict. */
int okno_vote_find(const char *verdict, const char *correction);

/* What two experts said of one survey; experts are numbers from 0. */
struct okno_vote_pair {
    uint32_t rater[2];
    enum okno_vote vote[2];
};

/* How far they agree: {"items", "agreed", "percent", "kappa", "ac1", "alpha", "positive"}; positive
 * is agreement on invalid, of transactions and minutes on not asked. Each measure is {"value",
 * "low", "high", "se", "null_reason"}, rounded to nine digits. Intervals at `level`: percent and
 * positive by Wilson's score (positive: of the 2a of 2a + b + c), kappa and AC1 by their
 * large-sample errors, alpha by the jackknife over items (Miller, 1974). Pure. A new object. */
OKNO_CHECK int okno_double_agreement(const struct okno_vote_pair *pairs, size_t count,
                                     enum okno_frame frame, double level, json_t **ret_agreement,
                                     struct okno_err *err);

/* The same of an audit's double review as decided so far; JSON null where its plan has none. A new
 * value. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_audit_agreement(struct okno_db *db, const char *audit, json_t **ret_agreement,
                                    struct okno_err *err);

/* How far double review is: {"doubled" (surveys that two experts decide), "waiting" (for one of the
 * two), "conflicts" (they disagree), "ruled" (of these, by a third person)}. A new object. */
OKNO_CHECK int okno_audit_doubles(struct okno_db *db, const char *audit, json_t **ret_doubles,
                                  struct okno_err *err);

#endif

/* The ids of a long list that can be among its first draws, without keeping the list.
 *
 * The n smallest first tickets of a list hold everything that n draws can take, with replacement
 * too (a later ticket of an id is greater than its first). So ids come one by one, those with the
 * smallest tickets stay, and okno_sampler_draw on them gives the draw of the whole list, ranks
 * included. Memory: the ids that stay, and 8 to 16 bytes for every id of the list, by which one
 * that stands twice is noticed. */
#ifndef OKNO_SHORTLIST_H
#define OKNO_SHORTLIST_H

#include "okno/err.h"
#include "okno/mem.h"
#include "okno/sampler.h"

#include <stddef.h>

#define OKNO_SHORTLIST_IDS_MAX 100000000 /* ids in the whole list */

struct okno_shortlist;

/* For `most` ids of a list of at most `expected`. OKNO_TOO_LARGE, OKNO_NO_MEMORY. The caller owns
 * *ret_list. */
OKNO_CHECK int okno_shortlist_new(const char *seed, size_t most, size_t expected,
                                  struct okno_shortlist **ret_list, struct okno_err *err);
void okno_shortlist_free(struct okno_shortlist *list);
OKNO_CLEANUP(okno_shortlist, okno_shortlist_free);

/* One more id (copied if it stays). 0; 1 when it may have been there before (2 in 10^6 lists of
 * 10^7 distinct ids): the caller looks. OKNO_INVALID: the list is longer than expected.
 * OKNO_NO_MEMORY. */
OKNO_CHECK int okno_shortlist_add(struct okno_shortlist *list, const char *id,
                                  struct okno_err *err);

/* What stayed, in no order: *ret_count texts that live as long as the list. */
const char *const *okno_shortlist_ids(const struct okno_shortlist *list, size_t *ret_count);

#endif

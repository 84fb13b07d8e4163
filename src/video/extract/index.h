/* What says where things are in a remote recording (boxes, cues, places that were looked at), kept
 * on this disk: the next window of the same recording costs its own bytes only. One file for each
 * recording, read and checked block by block as it is asked: a damaged one is as good as none. No
 * call fails; what cannot be kept is read again. Private to video/extract. */
#ifndef EXTRACT_INDEX_H
#define EXTRACT_INDEX_H

#include "okno/archive.h"

struct index; /* opaque */

/* The index of a recording, empty when nothing is kept that was signed with the key (NULL: without
 * one) for this recording; NULL when it cannot be known again later (no tag, still growing) or
 * without memory. `dir` exists or is made when something is kept. */
struct index *index_open(const char *dir, const char *key, const char *archive, const char *url,
                         const struct okno_piece *piece);

/* Whether some of it comes from an earlier time. NULL: false. */
bool index_is_kept(const struct index *index);

/* Copy what is known from `offset` on, up to `len` bytes without a hole. Returns how many. NULL: 0.
 */
size_t index_get(struct index *index, int64_t offset, void *into, size_t len);

/* How many bytes of [from, to) are known from `from` on, without a hole; nothing is read for it.
 * What is damaged on disk counts until it is asked for. NULL: 0. */
int64_t index_known(const struct index *index, int64_t from, int64_t to);

/* Remember these bytes; what does not fit into the bounds is forgotten. NULL allowed. */
void index_put(struct index *index, int64_t offset, const void *bytes, size_t len);

/* Write what is new, and free; or forget all of it for good. NULL allowed. */
void index_close(struct index *index);
void index_drop(struct index *index);

#endif

/* What okno_extract_recent holds. Private to video/extract. */
#ifndef EXTRACT_RECENT_H
#define EXTRACT_RECENT_H

#include "okno/extract.h"

/* All take NULL: nothing is known, nothing is kept. `key` is of one state of one recording. */

/* False where a recording cannot be known again: no tag, still growing. */
bool recent_key(const struct okno_extract_camera *camera, const struct okno_piece *piece,
                uint8_t ret_key[16]);

/* How many bytes are known from `offset` on without a hole, `most` at most; copied unless `into` is
 * NULL. */
size_t recent_get(const struct okno_extract_recent *recent, const uint8_t key[16], int64_t offset,
                  void *into, size_t most);

/* Where the next known byte is, `end` at the latest. */
int64_t recent_next(const struct okno_extract_recent *recent, const uint8_t key[16], int64_t from,
                    int64_t end);

/* Remember these bytes; the oldest make room. */
void recent_put(struct okno_extract_recent *recent, const uint8_t key[16], int64_t offset,
                const void *bytes, size_t len);

#endif

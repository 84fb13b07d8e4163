/* What was found out about recordings, kept with the archive handle. Private to video/extract. */
#ifndef EXTRACT_MEMO_H
#define EXTRACT_MEMO_H

#include "okno/archive.h"
#include "okno/media.h"

struct memo_entry {
    uint8_t key[16];
    int64_t duration_us;
    int64_t frame_us;
    int code; /* 0, or why it cannot be used */
};

/* NULL when nothing is known, or no memory. A piece that changes has another tag, hence another
 * key; one still growing is never remembered. */
const struct memo_entry *memo_find(struct okno_archive *archive, const struct okno_piece *piece);
void memo_keep(struct okno_archive *archive, const struct okno_piece *piece, int code,
               const struct okno_media_info *info);

#endif

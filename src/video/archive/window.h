/* Pieces for archives that cut what is asked, and coverage of those that list whole files. Pure.
 * Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_WINDOW_H
#define OKNO_VIDEO_ARCHIVE_WINDOW_H

#include "okno/archive.h"

/* Append a piece for each covered stretch of [from, to), cut where it is longer than
 * caps->max_window_us. OKNO_TOO_LONG past the limit of pieces. */
OKNO_CHECK int window_cut(const struct okno_span_vec *spans, const struct okno_archive_caps *caps,
                          int64_t from_us, int64_t to_us, struct okno_piece_vec *pieces,
                          struct okno_err *err);

/* Append what pieces cover of [from, to), with their errors and flags. */
OKNO_CHECK int window_spans(const struct okno_piece_vec *pieces, int64_t from_us, int64_t to_us,
                            struct okno_span_vec *spans, struct okno_err *err);

#endif

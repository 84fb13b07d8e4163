/* How a reader gets to a moment: shared by reader.c and seek.c only. */
#ifndef MEDIA_SEEK_H
#define MEDIA_SEEK_H

#include "reader.h"

const char *media_reader_name(const struct media_reader *reader);

/* The transport's own error when there is one: a stalled archive is not a bad recording. */
int media_reader_fail(const struct media_reader *reader, int averror, const char *what,
                      struct okno_err *err);

OKNO_CHECK int media_format_open(struct media_reader *reader, const char *name,
                                 struct okno_err *err);
OKNO_CHECK int media_streams_choose(struct media_reader *reader, struct okno_err *err);

/* The same, once the streams are described; packets are looked at for it where the container does
 * not. */
OKNO_CHECK int media_streams_learn(struct media_reader *reader, struct okno_err *err);

/* An MP4's index says everything; the others must look at packets. */
bool media_is_mov(const struct media_reader *reader);

/* Go on reading somewhere at or before at_us, at a key frame where there is an index. */
OKNO_CHECK int media_reader_seek(struct media_reader *reader, int64_t at_us, struct okno_err *err);

/* The same for a fragmented MP4: the fragment of a decode time, up to another one. */
OKNO_CHECK int media_pieces_seek(struct media_reader *reader, int64_t stamp, int64_t until,
                                 struct okno_err *err);

/* Open an MP4 with a long index as if it had that of [from, to) only. */
OKNO_CHECK int media_slices_apply(struct media_reader *reader, int64_t from_us, int64_t to_us,
                                  struct okno_err *err);

#endif

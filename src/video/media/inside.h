/* The calls of media.h as they run inside the sandboxed child: in the caller's own process, writing
 * to a descriptor that is open already. Nothing outside the child and the tests uses them. */
#ifndef MEDIA_INSIDE_H
#define MEDIA_INSIDE_H

#include "okno/media.h"

OKNO_CHECK int media_probe(struct okno_source *source, const char *format,
                           struct okno_media_info *ret_info, struct okno_err *err);

/* duration_us alone: of everything that is heard or seen. */
OKNO_CHECK int media_length(struct okno_source *source, const char *format,
                            struct okno_media_info *ret_info, struct okno_err *err);

/* As okno_media_clip and okno_media_still; arguments are checked; fd is empty and stays the
 * caller's, who removes the file after a failure. */
OKNO_CHECK int media_clip(const struct okno_media_input *inputs, size_t count, int64_t from_us,
                          int64_t to_us, bool audio, int fd, struct okno_media_result *ret_result,
                          struct okno_err *err);
OKNO_CHECK int media_still(const struct okno_media_input *inputs, size_t count, int64_t at_us,
                           int fd, struct okno_media_result *ret_result, struct okno_err *err);

#endif

/* A look at what was written, through the same seam as at a recording. */
#ifndef MEDIA_VERIFY_H
#define MEDIA_VERIFY_H

#include "okno/media.h"

/* The clip in fd: first sample a key frame, as many frames as `result` says and as long, the first
 * GOP decodes without complaint. OKNO_CHECK_FAILED says what is wrong. */
OKNO_CHECK int media_verify_clip(int fd, const struct okno_media_result *result,
                                 struct okno_err *err);

#endif

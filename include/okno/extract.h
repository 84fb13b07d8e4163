/* From "this camera, these seconds of UTC" to a file: lists the archive's pieces, reads the fewest
 * bytes, lets media write, checks. Knows archives and media, no surveys. */
#ifndef OKNO_EXTRACT_H
#define OKNO_EXTRACT_H

#include "okno/archive.h"
#include "okno/err.h"
#include "okno/media.h"

#include <stdbool.h>
#include <stdint.h>

/* A camera as the extractor needs it. */
struct okno_extract_camera {
    struct okno_archive *archive; /* not owned */
    const char *channel;
    int64_t index_offset_us; /* index clock - UTC; applied to everything asked and got */
};

/* Recorded spans of UTC inside [from, to), exact (ends read from the recordings, remembered inside
 * the archive handle), merged where neighbours touch within 2 frame intervals. *ret_error_us: how
 * far they may be off. Nothing recorded: 0 and empty. */
OKNO_CHECK int okno_extract_coverage(const struct okno_extract_camera *camera, int64_t from_us,
                                     int64_t to_us, struct okno_interval_vec *spans,
                                     int64_t *ret_error_us, struct okno_err *err);

struct okno_extract_result {
    struct okno_media_result media; /* times in UTC */
    int64_t requests, bytes_read;
    struct okno_piece_vec pieces; /* what was read, for provenance; owned */
};
void okno_extract_result_free(struct okno_extract_result *result);

OKNO_CHECK int okno_extract_clip(const struct okno_extract_camera *camera, int64_t from_us,
                                 int64_t to_us, bool audio, const char *out_path,
                                 struct okno_extract_result *ret_result, struct okno_err *err);
OKNO_CHECK int okno_extract_still(const struct okno_extract_camera *camera, int64_t at_us,
                                  const char *out_path, struct okno_extract_result *ret_result,
                                  struct okno_err *err);

#endif

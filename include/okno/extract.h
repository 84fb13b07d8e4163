/* From "this camera, these seconds of UTC" to a file: lists the archive's pieces, reads the fewest
 * bytes, lets media write, checks. Knows archives and media, no surveys. */
#ifndef OKNO_EXTRACT_H
#define OKNO_EXTRACT_H

#include "okno/archive.h"
#include "okno/err.h"
#include "okno/media.h"
#include "okno/view.h"

#include <stdbool.h>
#include <stdint.h>

/* Pictures that were fetched lately, 32 MiB at most: the next window that overlaps asks only for
 * the rest. In memory and never on disk, so that no footage outlives what it was fetched for, and a
 * quarter of an hour at most. For one thread. */
struct okno_extract_recent;
struct okno_extract_recent *okno_extract_recent_new(void); /* NULL without memory */
void okno_extract_recent_free(struct okno_extract_recent *recent);
/* Forget what is older than it may be at this moment of okno_time_monotonic; also done by each call
 * that uses it. NULL allowed. */
void okno_extract_recent_expire(struct okno_extract_recent *recent, int64_t now_us);

/* A camera as the extractor needs it. */
struct okno_extract_camera {
    struct okno_archive *archive; /* not owned */
    const char *channel;
    int64_t index_offset_us; /* index clock - UTC; applied to everything asked and got */
    /* Where indexes of remote recordings are kept, by the archive's id and url; NULL: nowhere. */
    const char *index_dir, *archive_id, *archive_url;
    const char *index_key;              /* a secret that they are signed with; NULL: none */
    struct okno_extract_recent *recent; /* not owned; NULL: nothing is kept in memory */
    const struct okno_budget *budget;   /* for each call; not owned; NULL: without limits */
};

/* Forget indexes that nobody used since `before`, and the longest unused beyond so many bytes. */
void okno_extract_index_sweep(const char *dir, int64_t most_bytes, int64_t before_us);

/* A recorded span of UTC. */
struct okno_extract_span {
    int64_t from_us, to_us;
    int64_t error_us; /* how far the ends may be off: the resolution of the recordings' names */
    unsigned flags;   /* OKNO_SPAN_GROWING, OKNO_SPAN_AMBIGUOUS when of any recording in it */
};
OKNO_VEC(okno_extract_span_vec, struct okno_extract_span);

/* Recorded spans inside [from, to), appended in order: exact (ends are read from the recordings and
 * remembered inside the archive handle), merged where neighbours touch within 2 frame intervals
 * plus the error of their times. A recording that cannot be read, or vanished meanwhile, is a hole;
 * when there is nothing else, its error is returned (OKNO_MEDIA, OKNO_UNSUPPORTED, OKNO_GONE for
 * one that is listed again but cannot be had: a login page, another file's size). Nothing recorded:
 * 0 and nothing appended. Else the archive's codes. */
OKNO_CHECK int okno_extract_spans(const struct okno_extract_camera *camera, int64_t from_us,
                                  int64_t to_us, struct okno_extract_span_vec *spans,
                                  struct okno_err *err);

/* The same without flags; *ret_error_us is the largest error. */
OKNO_CHECK int okno_extract_coverage(const struct okno_extract_camera *camera, int64_t from_us,
                                     int64_t to_us, struct okno_interval_vec *spans,
                                     int64_t *ret_error_us, struct okno_err *err);

struct okno_extract_result {
    struct okno_media_result media; /* times in UTC */
    int64_t requests, bytes_read;   /* listing not included */
    struct okno_piece_vec pieces;   /* what was read, for provenance; index time; owned */
};
void okno_extract_result_free(struct okno_extract_result *result);

/* As okno_media_clip and okno_media_still, over the recordings of the channel. A recording that
 * vanished between listing and reading makes it list once more, then counts as a gap; one that
 * cannot be read counts as a gap; when nothing else is there its error is returned (OKNO_GONE,
 * OKNO_MEDIA). Else the archive's codes. */
OKNO_CHECK int okno_extract_clip(const struct okno_extract_camera *camera, int64_t from_us,
                                 int64_t to_us, bool audio, const char *out_path,
                                 struct okno_extract_result *ret_result, struct okno_err *err);
OKNO_CHECK int okno_extract_still(const struct okno_extract_camera *camera, int64_t at_us,
                                  const char *out_path, struct okno_extract_result *ret_result,
                                  struct okno_err *err);

/* One of many stills. */
struct okno_extract_shot {
    int64_t at_us;        /* UTC */
    const char *out_path; /* must not exist; not owned */
    /* Filled: */
    bool done;
    struct okno_extract_result result; /* of a batch, its first still has the cost */
    struct okno_picture picture;
};

/* Many stills of one camera (shots in any order): the archive is listed once, each recording opened
 * once, each part of it read and decoded once, one sandboxed job for up to OKNO_MEDIA_BATCH of
 * them. `cameras`: the same camera by `sessions` archive handles, at least one; where there are
 * stills enough, each handle reads a stretch of them at the same time, in a thread of its own, with
 * a list and a job of its own. What comes out is the same as one by one. A still that cannot be had
 * this way is left with `done` false: okno_extract_still says why, or finds it in another
 * recording; a damaged recording takes no other recording's stills with it. Files are written, not
 * synced. max_width: smaller when wider; 0: not. Fails as the archive does; what is done is done,
 * and its results are the caller's to free. */
OKNO_CHECK int okno_extract_stills(const struct okno_extract_camera *cameras, size_t sessions,
                                   struct okno_extract_shot *shots, size_t count, int max_width,
                                   struct okno_err *err);

#endif

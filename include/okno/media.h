/* Clips and stills from recordings, with the FFmpeg libraries. Reads only okno_source, writes only
 * the file it is told to; knows no network, no database, no cameras. All times are int64
 * microseconds on the clock of the pieces (the caller shifts offsets). */
#ifndef OKNO_MEDIA_H
#define OKNO_MEDIA_H

#include "okno/err.h"
#include "okno/source.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* A recording that takes part; inputs stand in order of from_us. */
struct okno_media_input {
    struct okno_source *source; /* not owned */
    const char *format;         /* demuxer name; no probing beyond it */
    int64_t from_us;            /* clock time of the first video frame's presentation */
    int64_t error_us;           /* how far from_us may be off; neighbours closer than that touch */
    bool from_zero;             /* from_us is that of the container's time 0 instead */
    const char *name;           /* for messages; NULL: "the recording" */
};

struct okno_interval {
    int64_t from_us, to_us;
};
OKNO_VEC(okno_interval_vec, struct okno_interval);

/* What a recording holds, from its index; decodes nothing. */
struct okno_media_info {
    int64_t duration_us; /* from the first video frame to the end of the last */
    int64_t frame_us;    /* usual frame interval */
    int width, height;
    char codec[32]; /* "h264", "hevc", ... */
    bool audio;
};
OKNO_CHECK int okno_media_probe(struct okno_source *source, const char *format,
                                struct okno_media_info *ret_info, struct okno_err *err);

/* How long a sound or a film plays, from the beginning of the first to the end of the last of what
 * is heard or seen; the whole file is read, nothing is decoded. Formats: also wav, mp3 and ogg.
 * OKNO_MEDIA when it cannot be read or holds nothing that plays. */
OKNO_CHECK int okno_media_length(struct okno_source *source, const char *format, int64_t *ret_us,
                                 struct okno_err *err);

struct okno_media_result {
    int64_t got_from_us;    /* clock time of the first frame in the file */
    int64_t got_to_us;      /* end of the last frame */
    int64_t first_frame_us; /* presentation times of first and last frame */
    int64_t last_frame_us;
    int64_t frames;
    int width, height; /* of a still: as written, upright and with square pixels */
    char codec[32];
    bool audio; /* the file has sound (asked for, recorded, and a codec that MP4 can hold) */
    /* What of the asked interval has no picture, its head and tail included; owned. Between
     * recordings: longer than 2 frame intervals plus the error of their times. Inside one: longer
     * than max(1 s, 2 frame intervals). */
    struct okno_interval_vec gaps;
};
void okno_media_result_free(struct okno_media_result *result);

/* The longest clip. */
#define OKNO_MEDIA_MAX_US (INT64_C(3600) * 1000000)

/* Copy, without re-encoding, [from, to) of the inputs into a new MP4 at out_path (must not exist):
 * starts at the last key frame at or before `from`, across file borders and gaps (a gap keeps its
 * length in the timeline), index in front, no audio unless asked. Pictures that lead the first key
 * frame (open GOP) are left out: they cannot be decoded and lie before `from`. Where recordings
 * overlap, the later one takes over at its last key frame inside the earlier one; an overlap within
 * error_us moves the later one instead. The result is verified: first sample is a key frame, the
 * interval is covered as promised, the first GOP decodes. The file is written on success, the
 * caller's to sync (okno_file_settle), and removed on failure. The same input gives the same bytes.
 * OKNO_NO_COVERAGE when no frame falls into the interval; OKNO_MEDIA for unreadable recordings;
 * OKNO_UNSUPPORTED when the codec's parameters change on the way; OKNO_TOO_LARGE past
 * OKNO_MEDIA_MAX_US or the limits of a picture; OKNO_CONFLICT when out_path exists; the source's
 * own code when reading failed. */
OKNO_CHECK int okno_media_clip(const struct okno_media_input *inputs, size_t count, int64_t from_us,
                               int64_t to_us, bool audio, const char *out_path,
                               struct okno_media_result *ret_result, struct okno_err *err);

/* The last frame presented at or before `at` as JPEG in full range, upright and with square pixels,
 * into a new file; not older than max(1 s, 2 frame intervals), not across a gap, else
 * OKNO_NO_COVERAGE. first_frame_us of the result is the frame's time, last_frame_us the same.
 * Errors and the file's fate as for a clip. */
OKNO_CHECK int okno_media_still(const struct okno_media_input *inputs, size_t count, int64_t at_us,
                                const char *out_path, struct okno_media_result *ret_result,
                                struct okno_err *err);

/* Takes the still of moments[index], JPEG in `bytes`, and its measures; a negative code ends it
 * all. */
struct okno_picture; /* view.h */
typedef int okno_media_shot_take(void *ctx, uint32_t index, const struct okno_media_result *result,
                                 const struct okno_picture *picture, const void *bytes, size_t len,
                                 struct okno_err *err);

enum { OKNO_MEDIA_BATCH = 256 };

/* Stills of one of the inputs at ascending moments (at most OKNO_MEDIA_BATCH): each part of the
 * recording is read and decoded once for all of them, in one job. A moment that this recording does
 * not answer is left out; okno_media_still says why. max_width: made smaller when wider; 0: not.
 * Errors as for a still; what was given until then is good. */
OKNO_CHECK int okno_media_stills(const struct okno_media_input *inputs, size_t count, size_t which,
                                 const int64_t *moments, uint32_t moment_count, int max_width,
                                 okno_media_shot_take *give, void *ctx, struct okno_err *err);

#endif

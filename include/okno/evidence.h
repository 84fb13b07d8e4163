/* Evidence: a clip or a still kept under its SHA-256, with where it came from. Files are written
 * once and never changed: DIR/evidence/ab/<64 hex digits>. Times are UTC microseconds. */
#ifndef OKNO_EVIDENCE_H
#define OKNO_EVIDENCE_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/hash.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stdint.h>

/* One row of evidence. Plain data; gaps and source are JSON texts as stored. */
struct okno_evidence {
    int64_t id;
    char survey[160], audit[65], camera[65];
    char kind[8]; /* clip or still */
    char sha256[OKNO_SHA256_TEXT];
    int64_t bytes;
    char media_type[32], codec[32];
    bool derived;
    int64_t asked_from_us, asked_to_us, got_from_us, got_to_us;
    int64_t frame_at_us; /* stills */
    int64_t view_offset_us;
    char gaps[1024];
    char source[4096];
    int64_t index_offset_us, uncertainty_us;
    int64_t requests, bytes_read, made_at_us;
};

/* Where new files are written before they get their name: DIR/evidence/tmp, made when missing.
 * ret_path (size bytes) is a fresh name in it that does not exist yet. */
OKNO_CHECK int okno_evidence_temp(const char *data_dir, const char *kind, char *ret_path,
                                  size_t size, struct okno_err *err);

/* Remove temporary files last changed before `before_us`: a process that was killed left them. What
 * cannot be removed stays. */
void okno_evidence_sweep(const char *data_dir, int64_t before_us);

/* Hash the finished file, make it durable and move it to its place; ret fields sha256 and bytes are
 * filled. The temporary name is gone afterwards, also on failure. */
OKNO_CHECK int okno_evidence_keep(const char *data_dir, const char *temp_path,
                                  struct okno_evidence *evidence, struct okno_err *err);

/* Absolute path of a kept file. OKNO_INVALID for anything but 64 lower-case hex digits. */
OKNO_CHECK int okno_evidence_path(const char *data_dir, const char *sha256, char *ret_path,
                                  size_t size, struct okno_err *err);

/* Add the row (its own transaction unless one is open); evidence->id is filled. */
OKNO_CHECK int okno_evidence_add(struct okno_db *db, struct okno_evidence *evidence,
                                 struct okno_err *err);

/* The newest clip or still of a survey. OKNO_NOT_FOUND when there is none. */
OKNO_CHECK int okno_evidence_find(struct okno_db *db, const char *survey, const char *kind,
                                  struct okno_evidence *ret_evidence, struct okno_err *err);

/* [[from_us, to_us], ...] as stored to an array of pairs of times as shown. */
json_t *okno_evidence_gaps_json(const char *stored);

/* One item of `okno extract --json`. A new object. */
json_t *okno_evidence_json(const char *data_dir, const struct okno_evidence *evidence);

#endif

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
    char sidecar[OKNO_SHA256_TEXT]; /* "": none, from before there were sidecars */
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

/* Where new files are written before they get their name: DIR/evidence/tmp, made when missing. */
OKNO_CHECK int okno_evidence_temp_dir(const char *data_dir, char *ret_dir, size_t size,
                                      struct okno_err *err);

/* ret_path (size bytes) is a fresh name in it that does not exist yet. */
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

/* Open a kept file, found to be what was kept. As okno_hash_open. */
OKNO_CHECK int okno_evidence_open(const char *data_dir, const char *sha256,
                                  struct okno_hash_memo *memo, int *ret_fd, int64_t *ret_size,
                                  struct okno_err *err);

/* Add the row (its own transaction unless one is open); evidence->id is filled. */
OKNO_CHECK int okno_evidence_add(struct okno_db *db, struct okno_evidence *evidence,
                                 struct okno_err *err);

/* The newest clip or still of a survey. OKNO_NOT_FOUND when there is none. */
OKNO_CHECK int okno_evidence_find(struct okno_db *db, const char *survey, const char *kind,
                                  struct okno_evidence *ret_evidence, struct okno_err *err);

/* X(NAME, word as printed, whether the check fails by it) */
#define OKNO_EVIDENCE_FINDINGS(X)                                                                  \
    X(MISSING, "missing", true)           /* a row whose file is not there or cannot be read */    \
    X(DAMAGED, "damaged", true)           /* a file of another size or hash than its row says */   \
    X(INCONSISTENT, "inconsistent", true) /* a link that contradicts itself or its evidence */     \
    X(STRAY, "stray", false)              /* a kept file without a row: a process died between */  \
    X(FOREIGN, "foreign", false)          /* what okno never puts into the store */

enum okno_evidence_finding {
#define OKNO_EVIDENCE_ENUM(name, word, fails) OKNO_EVIDENCE_##name,
    OKNO_EVIDENCE_FINDINGS(OKNO_EVIDENCE_ENUM)
#undef OKNO_EVIDENCE_ENUM
        OKNO_EVIDENCE_FINDING_COUNT
};

const char *okno_evidence_finding_name(enum okno_evidence_finding finding);
bool okno_evidence_finding_fails(enum okno_evidence_finding finding);

/* Who hears of findings and of how far the check is. */
struct okno_evidence_checker {
    void *ctx;
    void (*tell)(void *ctx, enum okno_evidence_finding finding, const char *subject,
                 const char *text);
    void (*progress)(void *ctx, int64_t done, int64_t total); /* NULL allowed */
    bool repair;                                              /* remove strays */
};

struct okno_evidence_checked {
    int64_t rows, files, bytes; /* rows, and the files they name that are right */
    int64_t found[OKNO_EVIDENCE_FINDING_COUNT];
    int64_t removed; /* strays */
};

/* Compare the store with the database: each row's file is there with its size and hash, each file
 * has a row, links agree with evidence. Reads every file. A stray of the last hour is left out: its
 * row may be on its way. Returns 0 also with findings. */
OKNO_CHECK int okno_evidence_check(struct okno_db *db, const char *data_dir,
                                   const struct okno_evidence_checker *checker,
                                   struct okno_evidence_checked *ret_checked, struct okno_err *err);

/* A backup is a data directory without keys/: the log's key must not lie where copies lie. */
struct okno_evidence_backup {
    const char *to_dir; /* made when missing; a later backup adds what is new */
    void *ctx;
    /* A file that is missing or damaged, and what is wrong; NULL allowed. */
    void (*tell)(void *ctx, const char *sha256, const char *text);
    void (*progress)(void *ctx, int64_t done, int64_t total); /* NULL allowed */
};

struct okno_evidence_backed_up {
    int64_t files, copied, bytes; /* named by the database; copied by this call, with their bytes */
    int64_t lost;                 /* missing or damaged here, and not in the backup */
};

/* Copy the database and every file it names; all of it is on disk on return. Files that the backup
 * has are not read again: `okno check` on it does that. Returns 0 also with lost files. */
OKNO_CHECK int okno_evidence_back_up(struct okno_db *db, const char *data_dir,
                                     const struct okno_evidence_backup *backup,
                                     struct okno_evidence_backed_up *ret_counts,
                                     struct okno_err *err);

/* [[from_us, to_us], ...] as stored to an array of pairs of times as shown. */
json_t *okno_evidence_gaps_json(const char *stored);

/* One item of `okno extract --json`. A new object. */
json_t *okno_evidence_json(const char *data_dir, const struct okno_evidence *evidence);

#endif

/* Inside the evidence room only: one thread's means, and a link as it is stored. */
#ifndef OKNO_EVIDENCE_ROOM_H
#define OKNO_EVIDENCE_ROOM_H

#include "okno/archive.h"
#include "okno/extract.h"
#include "okno/registry.h"
#include "okno/work.h"

/* An archive that this thread has opened, with the row it was opened from: a changed row reopens.
 */
struct work_archive {
    struct okno_archive_row row;
    struct okno_archive *archive;
    int64_t quiet_until_us; /* it did not answer: not asked before */
    int64_t seen_us;        /* when it was last noted that it answers */
    int64_t told_bytes;     /* received, that its rate was told of */
    bool reopen;            /* it refused the login: the secret is read anew */
    struct okno_err trouble;
};
OKNO_VEC(work_archive_vec, struct work_archive);

struct okno_work {
    char data_dir[1024];
    char index_dir[1048];               /* of remote recordings */
    char index_key[65];                 /* that they are signed with */
    char owner[48];                     /* of leases: unique per work */
    int runner_fd;                      /* of its locked file; -1: none */
    struct okno_extract_recent *recent; /* owned; NULL without memory */
    const struct okno_conf *conf;
    struct okno_db *db;
    struct work_archive_vec archives;
    const atomic_bool *cancel; /* not owned; NULL: never */
    struct {
        char archive[OKNO_ID_TEXT]; /* the last that failed as a whole in this job; "": none */
    } failed;
    char fresh[OKNO_SHA256_TEXT]; /* the clip that the last job fetched; "": none */
    bool in_turn;                 /* a job has one session of its archive, and no more */
    int64_t planned_version;      /* of the registry, at the last okno_work_plan; -1: none yet */
};

/* What linking and fetching know of a survey. */
struct work_survey {
    char survey[160];
    char point[OKNO_ID_TEXT];
    int64_t opened_us, closes_us;
    int64_t still_at_us; /* the answer's time, or the window's end for a silent one */
    int64_t device_uncertainty_us;
    bool negative, answered;
};

/* What a link was or would be made from; another basis means another link (view link_basis). */
struct work_basis {
    char placed[80], basis[64];
    int64_t sources;
};

/* A stored link. */
struct work_link {
    enum okno_link_state state;
    char camera[OKNO_ID_TEXT];
    int64_t asked_from_us, asked_to_us;
    double fraction;
    int64_t index_offset_us, uncertainty_us;
    int64_t attempts, made_at_us;
    bool has_evidence;
    struct work_basis basis;
};

/* What became of linking a survey. */
struct work_linked {
    enum okno_link_state state;
    int64_t next_try_us;     /* UNREACHABLE, PENDING: when; 0 when a kept link stands meanwhile */
    struct okno_err trouble; /* UNREACHABLE: why */
};

/* runner.c: show that this work lives, and stop showing it. */
void runner_begin(struct okno_work *work);
void runner_end(struct okno_work *work);
/* Let go of the jobs of works whose process is gone. */
OKNO_CHECK int runner_free_dead(struct okno_work *work, struct okno_err *err);

/* OKNO_NOT_FOUND without such a survey; OKNO_NOT_YET while its window is open. */
OKNO_CHECK int work_load_survey(struct okno_work *work, const char *id,
                                struct work_survey *ret_survey, struct okno_err *err);

/* The stored link; OKNO_NOT_FOUND when the survey was never linked. */
OKNO_CHECK int work_load_link(struct okno_work *work, const char *survey,
                              struct work_link *ret_link, struct okno_err *err);

OKNO_CHECK int work_load_basis(struct okno_work *work, const char *survey,
                               struct work_basis *ret_basis, struct okno_err *err);
bool work_basis_equal(const struct work_basis *a, const struct work_basis *b);

/* okno_work_link with all that is known of the outcome. */
OKNO_CHECK int work_link_survey(struct okno_work *work, const char *survey, int64_t now_us,
                                struct work_linked *ret_linked, struct okno_err *err);

/* The open archive of a camera, to be asked now; owned by the work. An archive that did not answer
 * is left alone for some seconds: then its trouble is the answer, so that thousands of surveys do
 * not wait one deadline each. */
OKNO_CHECK int work_archive_ready(struct okno_work *work, const struct okno_camera *camera,
                                  int64_t now_us, struct okno_archive **ret_archive,
                                  struct okno_err *err);
/* Tell what asking it came to: that it answers, or trouble of the archive as a whole. */
void work_archive_asked(struct okno_work *work, const struct okno_camera *camera, int64_t now_us,
                        int code, const struct okno_err *trouble);

/* How an archive is opened by its row. It borrows the row and `password`, which the caller wipes.
 */
OKNO_CHECK int work_row_config(struct okno_db *db, const struct okno_archive_row *row,
                               int64_t deadline_us, char password[OKNO_SECRET_TEXT],
                               struct okno_archive_config *ret_config, struct okno_err *err);
/* Another handle of an archive, for a session of its own; the caller owns it. Asks nobody. */
OKNO_CHECK int work_archive_open(struct okno_work *work, const struct okno_archive_row *row,
                                 struct okno_archive **ret_archive, struct okno_err *err);

/* The open archive of a camera; owned by the work. */
OKNO_CHECK int work_archive_of(struct okno_work *work, const struct okno_camera *camera,
                               struct okno_archive **ret_archive, struct okno_err *err);

/* Index clock - UTC of the camera's archive at a moment. */
OKNO_CHECK int work_index_offset(struct okno_work *work, const struct okno_camera *camera,
                                 int64_t at_us, struct okno_clock_offset *ret_offset,
                                 struct okno_err *err);

/* A JSON text [[from_us,to_us],...] of at most 16 intervals. */
void work_gaps_text(const struct okno_interval_vec *gaps, char *ret_text, size_t size);

/* When to try again after so many tries: 15 s, then twice as long each time, at most an hour, and
 * up to a quarter more by chance, so that an archive that comes back is not stormed. */
int64_t work_retry_at(int64_t attempts, int64_t now_us);

/* The same, but not before the archive itself asked for. */
int64_t work_retry_after(const struct okno_err *why, int64_t attempts, int64_t now_us);

/* Time and bytes for one question to an archive. */
struct okno_budget work_budget(const struct okno_work *work);

/* Is it the archive that fails, whatever it is asked? */
bool work_is_whole(int code);

/* Did the archive answer, if only that it has nothing? */
bool work_is_answer(int code);

/* Would asking again later help? */
bool work_is_passing(int code);

#endif

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
};
OKNO_VEC(work_archive_vec, struct work_archive);

struct okno_work {
    char data_dir[1024];
    char owner[48]; /* of leases: unique per work */
    const struct okno_conf *conf;
    struct okno_db *db;
    struct work_archive_vec archives;
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

/* A stored link. */
struct work_link {
    enum okno_link_state state;
    char camera[OKNO_ID_TEXT];
    int64_t asked_from_us, asked_to_us;
    int64_t index_offset_us, uncertainty_us;
    int64_t attempts;
};

/* OKNO_NOT_FOUND without such a survey; OKNO_NOT_YET while its window is open. */
OKNO_CHECK int work_load_survey(struct okno_work *work, const char *id,
                                struct work_survey *ret_survey, struct okno_err *err);

/* The stored link; OKNO_NOT_FOUND when the survey was never linked. */
OKNO_CHECK int work_load_link(struct okno_work *work, const char *survey,
                              struct work_link *ret_link, struct okno_err *err);

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

/* Would asking again later help? */
bool work_is_passing(int code);

#endif

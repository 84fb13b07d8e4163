/* A camera's clock measured from its own recordings: by what presses light up (sync.h). */
#ifndef OKNO_CAMERA_CLOCK_H
#define OKNO_CAMERA_CLOCK_H

#include "okno/err.h"
#include "okno/json.h"
#include "okno/sync.h"
#include "okno/work.h"
#include "okno/zone.h"

#include <stdint.h>

enum { OKNO_SYNC_SURVEYS = 40, OKNO_SYNC_SURVEYS_MOST = 200 };

struct okno_sync_ask {
    const char *camera;
    const char *point; /* NULL: of the points that the camera sees, the one with most surveys */
    int64_t from_us, to_us; /* UTC: surveys opened in there */
    int64_t search_us; /* how far off to look; 0: three times what is uncertain, 15 s to 2 min */
    int64_t surveys;   /* to look at, spread over the time; 0: OKNO_SYNC_SURVEYS */
    bool whole;        /* the whole picture; else `area` */
    struct okno_series_area area;
    /* Before each window of footage, where not NULL; in the caller's thread. */
    void (*progress)(void *context, size_t done, size_t all);
    void *context;
};

struct okno_sync_report {
    struct okno_sync_result result;
    char point[OKNO_ID_TEXT];
    struct okno_series_area area; /* of the cell that answered best; columns and rows 1 */
    int64_t surveys;              /* looked at */
    int64_t known_us;             /* the offset that was known before, at the same moment */
    int64_t known_uncertainty_us;
    int64_t frames, requests, bytes_read;
    int64_t missing; /* windows without footage */
};

/* Read the footage around the surveys' presses, and only that, and find the offset. Weak evidence
 * is no error: report->result says why it is refused. OKNO_NOT_FOUND without a survey at a point of
 * the camera; the archive's codes. */
OKNO_CHECK int okno_sync_run(struct okno_work *work, const struct okno_sync_ask *ask,
                             struct okno_sync_report *ret_report, struct okno_err *err);

/* OKNO_REFUSED with a refusal in words. */
int okno_sync_refuse(const struct okno_sync_result *result, struct okno_err *err);

/* Store what was found as a measurement of the camera's clock, method "sync"; its uncertainty is
 * that of the fit and of the devices. OKNO_REFUSED for a refusal, with the reason. */
OKNO_CHECK int okno_sync_apply(struct okno_work *work, const char *camera,
                               const struct okno_sync_report *report, const char *author,
                               int64_t now_us, struct okno_err *err);

/* ---- the same, asked for and answered by the service ---- */

/* Put a question for okno_sync_next: camera, time and area count. OKNO_NOT_FOUND for an unknown
 * camera; OKNO_BUSY while one of the camera waits; OKNO_INVALID for a time that ends before it
 * begins, or of more than a week. */
OKNO_CHECK int okno_sync_put(struct okno_db *db, const struct okno_sync_ask *ask,
                             const char *author, int64_t now_us, int64_t *ret_id,
                             struct okno_err *err);

/* Answer the question that waits longest: 1; 0 when none waits. Refusals and trouble of archives
 * are kept with the question, not returned. Nothing is stored as a measurement. */
OKNO_CHECK int okno_sync_next(struct okno_work *work, struct okno_err *err);

/* Questions that a process which is gone left half done wait again. */
OKNO_CHECK int okno_sync_restart(struct okno_db *db, struct okno_err *err);

/* Questions, newest first, of one camera or (NULL) all: a new array of objects. */
OKNO_CHECK int okno_sync_list(struct okno_db *db, const char *camera, json_t **ret_list,
                              struct okno_err *err);

/* Store what was found as a measurement of its camera by `author`. OKNO_NOT_FOUND; OKNO_REFUSED
 * where nothing was found, or it is accepted already. */
OKNO_CHECK int okno_sync_accept(struct okno_db *db, int64_t id, const char *author, int64_t now_us,
                                struct okno_err *err);

/* ---- archives' clocks ---- */

struct okno_archive_look {
    char archive[OKNO_ID_TEXT];
    int64_t at_us;
    struct okno_archive_clock clock;
    enum okno_clock_finding finding;
};

/* Look at an archive's clock (okno_archive_probe), judge it against what is known, and with `keep`
 * store what is new as a measurement of archive:ID. What cannot be looked at is noted too, and its
 * code returned: OKNO_UNSUPPORTED, OKNO_NOT_FOUND, the archive's codes. */
OKNO_CHECK int okno_look_archive(struct okno_work *work, const char *archive, bool keep,
                                 const char *author, struct okno_archive_look *ret_look,
                                 struct okno_err *err);

/* Ask okno_look_next for this archive first. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_look_ask(struct okno_db *db, const char *archive, const char *author,
                             int64_t now_us, struct okno_err *err);

/* Look at the clock that waits longest, if one is due (every six hours). 1 when one was looked at;
 * 0 and when the next is due. Trouble of an archive is noted, not returned; what cannot be noted
 * is. */
OKNO_CHECK int okno_look_next(struct okno_work *work, int64_t now_us, int64_t *ret_next_us,
                              struct okno_err *err);

/* ---- how long archives keep ---- */

/* Find the earliest recording that the archive still has of a camera, in some twenty lists of three
 * days, and note it; what waits is ordered by it (view survey_lost). UTC; 0: nothing recorded. The
 * archive's codes, noted too. */
OKNO_CHECK int okno_retention_look(struct okno_work *work, const char *camera, int64_t now_us,
                                   int64_t *ret_earliest_us, struct okno_err *err);

/* The camera whose turn it is, once a day; as okno_look_next. */
OKNO_CHECK int okno_retention_next(struct okno_work *work, int64_t now_us, int64_t *ret_next_us,
                                   struct okno_err *err);

/* ---- commissioning: a press in view, the frame that shows it ---- */

struct okno_commission {
    const char *camera;
    const char *survey;  /* whose press; NULL: press_at_us */
    int64_t press_at_us; /* UTC, as known from the device's clock */
    int64_t press_uncertainty_us;
    int64_t frame_at_us;     /* UTC of the frame that shows the press, as okno told it */
    int64_t index_offset_us; /* that was used when it told it */
    int64_t frame_us;        /* frame interval; 0: 200 ms */
    const char *still;       /* SHA-256 of a kept still of the view; "" for none */
    const char *codec;
    int width, height;
    const char *rights; /* on what ground the camera records and who may look */
    const char *author;
};

struct okno_commissioned {
    int64_t id;
    char camera[OKNO_ID_TEXT];
    int64_t error_us; /* frame - press: what was wrong with the offset that was known */
    int64_t offset_us, uncertainty_us; /* index clock - UTC as it is known now */
};

/* Whether press, frame and rights can be recorded: what okno_commission_add refuses, before
 * anything is fetched for it. */
OKNO_CHECK int okno_commission_check(const struct okno_commission *commission,
                                     struct okno_err *err);

/* Record it, and the offset as a measurement of the camera's clock at the press, method
 * "commission", unless a better one is known that agrees: then that is told. OKNO_NOT_FOUND for an
 * unknown camera; OKNO_INVALID for a frame more than ten minutes from its press, or without rights.
 */
OKNO_CHECK int okno_commission_add(struct okno_db *db, const struct okno_commission *commission,
                                   int64_t now_us, struct okno_commissioned *ret_done,
                                   struct okno_err *err);

/* The same by a survey whose clip is kept: camera, offset, codec and still are the clip's.
 * OKNO_NO_COVERAGE without a clip; OKNO_INVALID when the frame is none of it. */
OKNO_CHECK int okno_commission_survey(struct okno_db *db, const char *survey, int64_t frame_at_us,
                                      const char *rights, const char *author, int64_t now_us,
                                      struct okno_commissioned *ret_done, struct okno_err *err);

/* Every camera with its newest commissioning and why it is due again ("", never, camera, archive,
 * clock): a new array of objects. */
OKNO_CHECK int okno_commission_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

/* ---- the overlay: the clock in the picture ---- */

struct okno_overlay_reading {
    int64_t offset_us; /* overlay - index */
    int64_t uncertainty_us;
    bool trusted; /* the camera's overlay is declared right: its index clock's offset was set */
};

/* "The picture shows `shown_us` at the frame of at_us": shown_us is the beginning of the second
 * that is shown, so half a second is added and is the uncertainty. index_offset_us: what okno used
 * when it told the frame's time. Only with `trusted` (cameras.overlay_trusted) the index clock gets
 * a measurement of it, method "overlay". OKNO_INVALID when they are more than a day apart. */
OKNO_CHECK int okno_overlay_add(struct okno_db *db, const struct okno_camera *camera, int64_t at_us,
                                int64_t index_offset_us, int64_t shown_us, const char *author,
                                int64_t now_us, struct okno_overlay_reading *ret_reading,
                                struct okno_err *err);

/* The same off the kept clip of a survey: frame_at_us is a frame of it, `shows` what the picture
 * shows: "2026-03-10 12:03:07" in the site's time, or with Z or an offset. OKNO_NOT_FOUND,
 * OKNO_NO_COVERAGE without a clip, OKNO_INVALID. */
OKNO_CHECK int okno_overlay_survey(struct okno_db *db, const char *survey, int64_t frame_at_us,
                                   const char *shows, const char *author, int64_t now_us,
                                   struct okno_overlay_reading *ret_reading, struct okno_err *err);

/* What `shows` means, as the picture shows it or with Z or an offset: of the instants at which the
 * camera's site's zone shows that, the one nearest to near_us; *ret_twice when there were two.
 * OKNO_INVALID naming "shows" for other text and for a time that never was there. */
OKNO_CHECK int okno_overlay_read(struct okno_db *db, const struct okno_camera *camera,
                                 const char *shows, int64_t near_us, int64_t *ret_us,
                                 bool *ret_twice, struct okno_err *err);

#endif

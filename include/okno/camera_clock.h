/* A camera's clock measured from its own recordings: by what presses light up (sync.h). */
#ifndef OKNO_CAMERA_CLOCK_H
#define OKNO_CAMERA_CLOCK_H

#include "okno/err.h"
#include "okno/sync.h"
#include "okno/work.h"

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

/* Store what was found as a measurement of the camera's clock, method "sync"; its uncertainty is
 * that of the fit and of the devices. OKNO_REFUSED for a refusal, with the reason. */
OKNO_CHECK int okno_sync_apply(struct okno_work *work, const char *camera,
                               const struct okno_sync_report *report, const char *author,
                               int64_t now_us, struct okno_err *err);

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

/* Look at the clock that waits longest, if one is due (every six hours). 1 when one was looked at;
 * 0 and when the next is due. Trouble of an archive is noted, not returned. */
OKNO_CHECK int okno_look_next(struct okno_work *work, int64_t now_us, int64_t *ret_next_us,
                              struct okno_err *err);

#endif

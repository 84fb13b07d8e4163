/* Pay periods: closing one makes a signed snapshot of every employee's figures that is never
 * changed. What is corrected afterwards shows as adjustments, which the next closing carries. */
#ifndef OKNO_PERIOD_H
#define OKNO_PERIOD_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/figures.h"
#include "okno/json.h"
#include "okno/survey.h"

#include <stdint.h>

/* Texts are borrowed for the call. */
struct okno_period_request {
    const char *from, *to; /* local dates of the site's calendar, both included, or times
                              (half-open) as okno_time_parse takes them */
    const char *site;   /* NULL: all sites, which then share one time zone where dates are given */
    const char *audit;  /* for estimates; NULL: none */
    const char *accept; /* why reviews that are still open do not matter; NULL: they do */
    const char *author;
    double k, fm_threshold;      /* as in okno_figures_query */
    double undeterminable_limit; /* a larger share of an employee's surveys, or of the audit's
                                    sample, makes figures that are not reliable; 0: the default */
    int64_t min_n;
    struct okno_survey_params params;
};

/* Close. OKNO_INVALID, OKNO_MISSING, OKNO_UNKNOWN_REF name the field; OKNO_CONFLICT where a closed
 * period overlaps; OKNO_REFUSED before its end, while a window is open, or while sampled surveys
 * of its audits wait for review; OKNO_NOT_FOUND where nobody served and nothing was rated. */
OKNO_CHECK int okno_period_close(struct okno_db *db, const struct okno_period_request *request,
                                 int64_t now_us, int64_t *ret_period, struct okno_err *err);

/* Periods, newest first: [{"period", "site", "from", "to", "zone", "audit", "closed_at", "author",
 * "accepted", "sha256", "statements": {state: number}, "adjusted"}]; adjusted: carried so far. */
OKNO_CHECK int okno_period_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

/* One of them with "statements", the signed documents by employee, each with its "sha256" and
 * "note". OKNO_NOT_FOUND. */
OKNO_CHECK int okno_period_get(struct okno_db *db, int64_t period, json_t **ret_period,
                               struct okno_err *err);

/* {"period", "adjustments": [{"employee", "carried_by" (null: open), "was", "now", "difference",
 * "causes": [{"cause", "survey", "at"}]}]}: those carried, then those open now. Causes: verdict,
 * void, attribution, late_event, count_correction, shift, registry, other. */
OKNO_CHECK int okno_period_adjustments(struct okno_db *db, int64_t period, int64_t now_us,
                                       json_t **ret_adjustments, struct okno_err *err);

/* The statements of one employee, newest first: an array as in okno_period_get. */
OKNO_CHECK int okno_period_statements_of(struct okno_db *db, const char *employee,
                                         json_t **ret_list, struct okno_err *err);

/* One line an employee: state, number of surveys, each indicator. */
OKNO_CHECK int okno_period_csv(struct okno_db *db, int64_t period, struct okno_buf *csv,
                               struct okno_err *err);

/* One line an adjustment, of what okno_period_adjustments gave: the differences and the causes. */
OKNO_CHECK int okno_period_adjustments_csv(const json_t *adjustments, struct okno_buf *csv,
                                           struct okno_err *err);

/* Check hashes, signatures, the entry of the evidence log, and make the snapshot again from what
 * was known at the closing. OKNO_CHECK_FAILED tells what differs. */
OKNO_CHECK int okno_period_verify(struct okno_db *db, int64_t period, struct okno_err *err);

#endif

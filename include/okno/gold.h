/* How well experts decide, apart from every indicator: gold items (settled surveys whose truth is
 * known, mixed into the queues of audits unseen) and calibrations (rounds that every expert
 * decides). Times are UTC microseconds. All functions that change something are one durable
 * transaction. */
#ifndef OKNO_GOLD_H
#define OKNO_GOLD_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OKNO_CALIBRATION_MAX = 200 /* surveys of one round */ };

/* Who makes gold items and rounds and sees everybody's results: an administrator, or an expert who
 * was made lead. *ret_lead false for a user that there is not. */
OKNO_CHECK int okno_review_is_lead(struct okno_db *db, const char *user, bool *ret_lead,
                                   struct okno_err *err);
/* Make an expert lead, or take that back. OKNO_NOT_FOUND; OKNO_REFUSED for other roles. */
OKNO_CHECK int okno_review_set_lead(struct okno_db *db, const char *user, bool lead,
                                    struct okno_err *err);

/* Make a survey a gold item: what stands for it now is the truth from then on. OKNO_NOT_FOUND;
 * OKNO_REFUSED unless it is settled (a decision stands, no audit that is not closed and no appeal
 * waits for one) and has footage. Note: up to 1000 bytes. */
OKNO_CHECK int okno_gold_add(struct okno_db *db, const char *survey, const char *author,
                             const char *note, int64_t now_us, struct okno_err *err);
/* Give it to nobody any more; what was decided on it stays. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_gold_retire(struct okno_db *db, const char *survey, const char *author,
                                const char *note, int64_t now_us, struct okno_err *err);
/* {"gold": [...]}: a new object. */
OKNO_CHECK int okno_gold_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

/* A round of surveys, each settled like a gold item: every expert gets all of them, before anything
 * else. OKNO_CONFLICT when the id is taken. */
OKNO_CHECK int okno_calibration_add(struct okno_db *db, const char *calibration, const char *title,
                                    const char *const *surveys, size_t count, const char *author,
                                    int64_t now_us, struct okno_err *err);
/* From here nobody is given items of it. OKNO_NOT_FOUND, OKNO_REFUSED when it is closed. */
OKNO_CHECK int okno_calibration_close(struct okno_db *db, const char *calibration,
                                      const char *author, int64_t now_us, struct okno_err *err);
/* {"calibrations": [...]}: rounds, newest first, with how the experts agree with each other and the
 * results of each, by name; `user` NULL: all of them, else that user's alone (of open rounds only
 * how many are decided). A new object. */
OKNO_CHECK int okno_calibration_list(struct okno_db *db, const char *user, json_t **ret_list,
                                     struct okno_err *err);

/* What experts did from `from_us` to `to_us` (in one audit, or NULL: in all): decisions, speed,
 * share of undeterminable ones, agreement with a second expert, gold and calibration scores. By
 * name, never by score; `user` NULL: all, else that user's alone. {"reviewers": [...]}: a new
 * object. */
OKNO_CHECK int okno_reviewer_report(struct okno_db *db, const char *user, const char *audit,
                                    int64_t from_us, int64_t to_us, json_t **ret_report,
                                    struct okno_err *err);

#endif

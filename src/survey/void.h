/* Inside the survey room: voids by hand, in a transaction of the caller's. */
#ifndef OKNO_SURVEY_VOID_H
#define OKNO_SURVEY_VOID_H

#include "okno/survey.h"

/* OKNO_MISSING, OKNO_INVALID: 1 to 1000 bytes that can be printed. */
OKNO_CHECK int survey_void_check_reason(const char *reason, struct okno_err *err);

/* Whether the author may ask for it, and the survey stands otherwise and in no frozen frame. */
OKNO_CHECK int survey_void_check(struct okno_db *db, const struct okno_survey_void *request,
                                 struct okno_err *err);

/* OKNO_REFUSED where the survey counts for the employee that the user is: nobody decides about the
 * own surveys. */
OKNO_CHECK int survey_void_refuse_own(struct okno_db *db, const char *survey, const char *user,
                                      struct okno_err *err);

/* okno_survey_set_void without its transaction and without looking at the reason. */
OKNO_CHECK int survey_void_set(struct okno_db *db, const struct okno_survey_void *request,
                               int64_t *ret_count, struct okno_err *err);

#endif

/* What the files about pay periods share. */
#ifndef OKNO_REPORT_PAY_H
#define OKNO_REPORT_PAY_H

#include "okno/hash.h"
#include "okno/past.h"
#include "okno/period.h"
#include "okno/text.h"

/* A period and what its figures are computed with. */
struct pay {
    int64_t period, from_us, to_us, closed_us;
    char site[OKNO_ID_TEXT]; /* "" for all */
    char zone[80];
    char audit[OKNO_ID_TEXT]; /* "" for none */
    char author[OKNO_ID_TEXT + 16];
    double k, fm_threshold, undeterminable_limit;
    int64_t min_n;
    struct okno_survey_params params;
    struct okno_past past;
};

static inline const char *pay_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

/* The hex SHA-256 of a text. */
void pay_hash(const char *text, char ret_sha256[OKNO_SHA256_TEXT]);

/* {employee: group of the figures}, of the period's sites, with those who served without a survey
 * as null. A new object. */
OKNO_CHECK int pay_groups(struct okno_db *db, const struct pay *pay, int64_t at_us,
                          json_t **ret_groups, struct okno_err *err);

/* What counts of a group when figures are compared: counts, raw and excluded. A new object. */
json_t *pay_essence(const json_t *group);

/* The document of an employee; `adjustments` is borrowed. */
OKNO_CHECK int pay_statement(struct okno_db *db, const struct pay *pay, const char *employee,
                             const json_t *group, const json_t *adjustments, json_t **ret_statement,
                             struct okno_err *err);

/* The snapshot of all statements. Both borrowed. A new object. */
json_t *pay_snapshot(const struct pay *pay, const json_t *statements);

/* A stored period. OKNO_NOT_FOUND. */
OKNO_CHECK int pay_load(struct okno_db *db, int64_t period, struct pay *ret_pay,
                        struct okno_err *err);

/* The adjustments of an earlier period that no closing before `before` has carried, as they are
 * now: appended to `list` as {"employee", "of_period", "was", "now", "difference", "causes"}.
 * `figures` is where the figures come from, `db` tells the causes. */
OKNO_CHECK int pay_changes(struct okno_db *db, struct okno_db *figures, int64_t period,
                           int64_t before, int64_t at_us, json_t *list, struct okno_err *err);

/* The texts that are signed: a snapshot's and a statement's. Appended to `to`. */
OKNO_CHECK int pay_snapshot_text(int64_t period, const char *sha256, struct okno_buf *to,
                                 struct okno_err *err);
OKNO_CHECK int pay_statement_text(int64_t period, const char *employee, const char *state,
                                  const char *sha256, struct okno_buf *to, struct okno_err *err);

#endif

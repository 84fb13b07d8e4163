/* What was known at a moment: the marks of a data version, and a database that holds just that, so
 * that the ordinary code computes the figures of then.
 *
 * Everything that enters a figure is append-only, so a data version is the newest row of each table
 * and the moment up to which events had arrived. Surveys are made anew from the events. */
#ifndef OKNO_PAST_H
#define OKNO_PAST_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/survey.h"

#include <stdint.h>

/* X(table): what a figure is made of besides events. */
#define OKNO_PAST_TABLES(X)                                                                        \
    X(sites)                                                                                       \
    X(points)                                                                                      \
    X(devices)                                                                                     \
    X(placements)                                                                                  \
    X(questions)                                                                                   \
    X(employees)                                                                                   \
    X(shifts)                                                                                      \
    X(counts)                                                                                      \
    X(transactions)                                                                                \
    X(clocks)                                                                                      \
    X(review_items)                                                                                \
    X(verdicts)                                                                                    \
    X(voids)                                                                                       \
    X(attributions)                                                                                \
    X(appeals)                                                                                     \
    X(appeal_decisions)                                                                            \
    X(escalations)                                                                                 \
    X(escalation_decisions)                                                                        \
    X(escalation_items)                                                                            \
    X(audit_steps)                                                                                 \
    X(kpi_weights)

enum okno_past_table {
#define OKNO_PAST_ENUM(table) OKNO_PAST_##table,
    OKNO_PAST_TABLES(OKNO_PAST_ENUM)
#undef OKNO_PAST_ENUM
        OKNO_PAST_TABLE_COUNT
};

/* A data version. */
struct okno_past {
    int64_t at_us;    /* the moment; events had arrived by then */
    int64_t known_us; /* registry and decisions made by then; INT64_MAX: by rows */
    int64_t newest[OKNO_PAST_TABLE_COUNT]; /* the newest row of each table */
};

/* Mark what is known now, inside the caller's write transaction, and let whatever arrives from then
 * on arrive later. */
OKNO_CHECK int okno_past_mark(struct okno_db *db, int64_t now_us, struct okno_past *ret_past,
                              struct okno_err *err);

/* What was known at a moment that nobody marked, by the times that rows carry: imports by their
 * beginning. */
struct okno_past okno_past_at(int64_t at_us);

/* {"at", "newest": {table: row}}; only of marks made by okno_past_mark. A new object. */
json_t *okno_past_json(const struct okno_past *past);
/* OKNO_MALFORMED. */
OKNO_CHECK int okno_past_parse(const char *text, struct okno_past *ret_past, struct okno_err *err);

/* A database of what was known, with surveys made by `params` as of past->at_us. `db` is a database
 * on disk. The caller closes *ret_then. Time: that of reading all events once. */
OKNO_CHECK int okno_past_open(struct okno_db *db, const struct okno_past *past,
                              const struct okno_survey_params *params, struct okno_db **ret_then,
                              struct okno_err *err);

#endif

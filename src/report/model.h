/* Inside the report room: gathering the model of a report. */
#ifndef OKNO_REPORT_MODEL_H
#define OKNO_REPORT_MODEL_H

#include "okno/report.h"

enum { MODEL_ROWS_MAX = 20000 /* of one list; what is more is told by its number */ };

struct model {
    struct okno_db *db;
    const struct okno_report_settings *settings;
    int64_t at_us;
    int64_t from_us, to_us, frozen_us; /* frozen_us: INT64_MAX before the freeze */
    json_t *plan;                      /* owned */
    json_t *root;                      /* owned: what is being made */
};

/* Every row of a statement as an object. The spec names the columns, separated by a blank, each
 * with a mark behind it: `#` integer, `@` time, `%` real, `?` flag, `{` stored JSON, `R` a person
 * who decided, by pseudonym; none: text. A new array; rows past `max` are left out when max > 0. */
OKNO_CHECK int model_rows(const struct model *model, const char *name,
                          const struct okno_bind *binds, size_t count, const char *spec,
                          json_t **ret_rows, struct okno_err *err);
#define MODEL_ROWS(model, name, spec, ret_rows, err, ...)                                          \
    model_rows(model, name, OKNO_BINDS(__VA_ARGS__), spec, ret_rows, err)

/* model_rows straight into a member of an object, with audit bound and, where max, MODEL_ROWS_MAX.
 */
OKNO_CHECK int model_list(const struct model *model, json_t *into, const char *key,
                          const char *name, const char *spec, bool max, struct okno_err *err);

/* A number as figures are printed: 9 decimals; null where there is none. */
json_t *model_number(double value);

/* The parts: each adds its members to root. */
OKNO_CHECK int model_frame(struct model *model, struct okno_err *err);
OKNO_CHECK int model_proof(struct model *model, struct okno_err *err);
OKNO_CHECK int model_execution(struct model *model, struct okno_err *err);
OKNO_CHECK int model_findings(struct model *model, struct okno_err *err);
OKNO_CHECK int model_agreement(struct model *model, struct okno_err *err);
OKNO_CHECK int model_figures(struct model *model, struct okno_err *err);
OKNO_CHECK int model_genuine(struct model *model, struct okno_err *err);
OKNO_CHECK int model_asked(struct model *model, struct okno_err *err);
/* From what the others gathered: limits, and the best opinion that the gates allow. Pure. */
OKNO_CHECK int model_limits(json_t *root, struct okno_err *err);

/* All of it, in one view of the data; at_us -1: as of the audit's last step. A new object. */
OKNO_CHECK int model_gather(struct okno_db *db, const struct okno_report_settings *settings,
                            int64_t at_us, json_t **ret_model, struct okno_err *err);

/* 0 best: unqualified, qualified, adverse, disclaimer; -1 for another word. */
int model_opinion_rank(const char *kind);

#endif

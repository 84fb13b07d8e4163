/* Published figures: handed out once under a name, with everything that recomputes them. Whatever
 * is corrected later, they can be made again from what was known then, byte for byte. */
#ifndef OKNO_PUBLISHED_H
#define OKNO_PUBLISHED_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/figures.h"
#include "okno/json.h"
#include "okno/past.h"
#include "okno/survey.h"

#include <stdint.h>

/* The figures of a query from what was known at a moment. The caller drops *ret_json. */
OKNO_CHECK int okno_figures_as_of(struct okno_db *db, const struct okno_past *past,
                                  const struct okno_survey_params *params,
                                  const struct okno_figures_query *query, json_t **ret_json,
                                  struct okno_err *err);

/* The canonical text of figures: sorted keys, one line, numbers with at most 15 digits. The caller
 * frees *ret_text. */
OKNO_CHECK int okno_figures_text(const json_t *figures, char **ret_text, struct okno_err *err);

/* The settings that enter figures, as kept with them, and back. A new object; OKNO_MALFORMED. */
json_t *okno_figures_settings_json(const struct okno_figures_query *query,
                                   const struct okno_survey_params *params);
OKNO_CHECK int okno_figures_settings_parse(const char *text, struct okno_figures_query *query,
                                           struct okno_survey_params *ret_params,
                                           struct okno_err *err);

/* Compute and keep figures under a name: an id that is never used again. Its entry goes to the
 * evidence log. OKNO_CONFLICT when the name is taken; else as okno_figures_json. */
OKNO_CHECK int okno_published_add(struct okno_db *db, const char *name,
                                  const struct okno_figures_query *query,
                                  const struct okno_survey_params *params, const char *author,
                                  int64_t now_us, struct okno_err *err);

/* {"name", "at", "author", "query", "settings", "data", "sha256", "figures"}. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_published_get(struct okno_db *db, const char *name, json_t **ret_published,
                                  struct okno_err *err);

/* All, oldest first, without figures. A new array. */
OKNO_CHECK int okno_published_list(struct okno_db *db, json_t **ret_list, struct okno_err *err);

/* Recompute and compare with what was kept, and that with the evidence log. OKNO_CHECK_FAILED tells
 * where they part. */
OKNO_CHECK int okno_published_verify(struct okno_db *db, const char *name, struct okno_err *err);

#endif

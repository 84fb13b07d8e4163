/* The files beside the film: what okno imports, and the truth that it has to find. */
#ifndef TOOLS_SCENE_WRITE_H
#define TOOLS_SCENE_WRITE_H

#include "events.h"
#include "plan.h"

#include "okno/err.h"

#include <stdio.h>

/* The CSV files of OUT/import. url is written as the archive's address. */
OKNO_CHECK int scene_write_import(const struct scene_plan *plan,
                                  const struct scene_event_vec *events, const char *url,
                                  const char *out, struct okno_err *err);
/* OUT/truth.csv and OUT/truth.json. */
OKNO_CHECK int scene_write_truth(const struct scene_plan *plan,
                                 const struct scene_event_vec *events, int fps, uint64_t seed,
                                 const char *out, struct okno_err *err);

/* Create OUT/NAME; close it with its success checked. */
OKNO_CHECK int scene_file_open(const char *out, const char *name, FILE **ret_file,
                               struct okno_err *err);
OKNO_CHECK int scene_file_close(FILE *file, const char *name, struct okno_err *err);

/* ISO text of a moment after the film's start. Returns ret_text. */
const char *scene_time(int64_t at_ms, char ret_text[32]);

#endif

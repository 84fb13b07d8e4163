/* How values of a report are shown to people. Shared with okno-paper. */
#ifndef OKNO_REPORT_CELL_H
#define OKNO_REPORT_CELL_H

#include "okno/json.h"

#include <stdbool.h>
#include <stddef.h>

enum { CELL_TEXT = 160 };

/* Numbers, times, flags and ranges by their type: `int`, `num` (4 decimals), `dec` (as
 * many as it needs), `pct`, `time`, `day`, `flag`,
 * `range` ([low, high]). Texts are returned as they are (they may be long); everything else goes to
 * ret_text. A value that is not there is "–". */
const char *cell_format(const json_t *value, const char *type, const char *lang,
                        char ret_text[CELL_TEXT]);

/* A number with so many decimals, in the language's way; returns ret_text. */
const char *cell_real(double value, int decimals, const char *lang, char ret_text[CELL_TEXT]);

/* Whether cells of a type stand at the right. */
bool cell_is_number(const char *type);

#endif

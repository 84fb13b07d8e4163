/* The versioned reasons for verdicts and the reviewer's checklist: conf/reasons.json, embedded in
 * the program. Read once, never changed, so every call is safe from any thread. */
#ifndef OKNO_REASONS_H
#define OKNO_REASONS_H

#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>

/* The version of the list, stored beside each verdict. */
int okno_reasons_version(void);

/* The list as JSON text: version, invalid, undeterminable, checklist. */
const char *okno_reasons_json(size_t *ret_len);

/* Does a verdict with this reason and comment stand by the rules? `valid` takes no reason,
 * `invalid` and `undeterminable` need one of their own list; a reason marked needs_text needs a
 * comment that is not blank. OKNO_MISSING or OKNO_INVALID naming verdict, reason or comment.
 * `reason` may be NULL or "", both meaning none; `comment` may be NULL. */
OKNO_CHECK int okno_reason_check(const char *verdict, const char *reason, const char *comment,
                                 struct okno_err *err);

/* Is `id` a line of the checklist? */
bool okno_checklist_knows(const char *id);

#endif

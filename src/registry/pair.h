/* Pairing one device on the spot, as an import of one row. */
#ifndef OKNO_REGISTRY_PAIR_H
#define OKNO_REGISTRY_PAIR_H

#include "okno/panel.h"

/* From now on the device is at the point in that role; nothing when it is so already. Inside the
 * caller's transaction. */
OKNO_CHECK int registry_pair(struct okno_db *db, const struct okno_panel_invitation *wanted,
                             int64_t now_us, struct okno_err *err);

/* `count` letters of Crockford's base 32 by chance, and the NUL. */
OKNO_CHECK int registry_letters(char *ret_text, size_t count, struct okno_err *err);

/* One entry of the log, as of an import of one row of that kind. Inside the transaction. */
OKNO_CHECK int registry_log_row(struct okno_db *db, int64_t import, const char *kind,
                                const char *author, const char *row, int64_t now_us,
                                struct okno_err *err);

#endif

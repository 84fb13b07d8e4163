/* Filters that name something: an unknown name is an error, not an empty list. */
#ifndef OKNO_CLI_KNOWN_H
#define OKNO_CLI_KNOWN_H

#include "okno/db.h"
#include "okno/err.h"

/* Values of --site, --point and --employee; NULL where the option is missing. OKNO_NOT_FOUND. */
OKNO_CHECK int cli_check_known(struct okno_db *db, const char *site, const char *point,
                               const char *employee, struct okno_err *err);

#endif

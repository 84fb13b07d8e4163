#ifndef OKNO_CLI_APPEAL_H
#define OKNO_CLI_APPEAL_H

#include "cli.h"
#include "okno/db.h"
#include "okno/json.h"

/* Steps of `okno review`; argv[0] is the step's name. */
OKNO_CHECK int cli_review_appeal(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int cli_review_appeals(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int cli_review_rule(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int cli_review_withdraw(struct cli *cli, int argc, char **argv, struct okno_err *err);

/* review.c: the hashes of what was looked at, as --watched has them with commas; NULL for none. */
OKNO_CHECK int cli_watched(const char *text, json_t **ret_watched, struct okno_err *err);

/* review.c: OKNO_FORBIDDEN unless the user may decide on the page. */
OKNO_CHECK int cli_check_reviewer(struct okno_db *db, const char *name, struct okno_err *err);

#endif

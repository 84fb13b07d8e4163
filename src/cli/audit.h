/* Parts of `okno audit` with files of their own. */
#ifndef OKNO_CLI_AUDIT_H
#define OKNO_CLI_AUDIT_H

#include "cli.h"

/* `okno audit size`: how many to review; needs no database. */
OKNO_CHECK int audit_size(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif

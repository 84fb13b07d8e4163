/* Parts of `okno audit` with files of their own. */
#ifndef OKNO_CLI_AUDIT_H
#define OKNO_CLI_AUDIT_H

#include "cli.h"

/* `okno audit size`: how many to review; needs no database. */
OKNO_CHECK int audit_size(struct cli *cli, int argc, char **argv, struct okno_err *err);

/* `okno audit key` and `okno audit sign`: who may sign, and the signature (audit_sign.c). */
OKNO_CHECK int audit_key(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int audit_sign(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif

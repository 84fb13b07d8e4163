#ifndef OKNO_CLI_ATTRIBUTE_H
#define OKNO_CLI_ATTRIBUTE_H

#include "cli.h"

/* The step `attribute` of `okno review`; argv[0] is the step's name. */
OKNO_CHECK int cli_review_attribute(struct cli *cli, int argc, char **argv, struct okno_err *err);
/* The step `target`. */
OKNO_CHECK int cli_review_target(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif

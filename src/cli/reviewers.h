#ifndef OKNO_CLI_REVIEWERS_H
#define OKNO_CLI_REVIEWERS_H

#include "cli.h"

/* Steps of `okno review`; argv[0] is the step's name. */
OKNO_CHECK int cli_review_gold(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int cli_review_calibration(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int cli_review_report(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int cli_review_lead(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif

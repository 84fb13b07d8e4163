/* The parts of `okno clock`; each takes the command's arguments from its own word on. */
#ifndef OKNO_CLI_CLOCK_H
#define OKNO_CLI_CLOCK_H

#include "cli.h"

/* TARGET as the import takes it; with db, of something that is known. */
OKNO_CHECK int clock_check_target(struct okno_db *db, const char *target, struct okno_err *err);

OKNO_CHECK int clock_sync(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_probe(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_fit(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_overlay(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_add(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif

/* The parts of `okno clock`; each takes the command's arguments from its own word on. */
#ifndef OKNO_CLI_CLOCK_H
#define OKNO_CLI_CLOCK_H

#include "cli.h"

OKNO_CHECK int clock_sync(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_probe(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_fit(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_overlay(struct cli *cli, int argc, char **argv, struct okno_err *err);
OKNO_CHECK int clock_add(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif

#ifndef OKNO_CLI_PUBLISHED_H
#define OKNO_CLI_PUBLISHED_H

#include "cli.h"

/* `publish NAME ...` and `published ...` of `okno kpi`; argv[0] is that word. */
OKNO_CHECK int cli_kpi_published(struct cli *cli, int argc, char **argv, struct okno_err *err);

#endif

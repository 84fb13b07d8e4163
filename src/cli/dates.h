/* A period on the command line: two instants, or two dates of each site's calendar. */
#ifndef OKNO_CLI_DATES_H
#define OKNO_CLI_DATES_H

#include "okno/figures.h"

/* Texts of --from and --to, NULL where missing. OKNO_USAGE. */
OKNO_CHECK int cli_take_period(const char *from, const char *to, struct okno_figures_query *query,
                               struct okno_err *err);

#endif

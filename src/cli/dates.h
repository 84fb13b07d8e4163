/* A period on the command line: two instants, or two dates of the sites' calendars. */
#ifndef OKNO_CLI_DATES_H
#define OKNO_CLI_DATES_H

#include "okno/figures.h"

/* Texts of --from and --to, NULL where missing: that end stays as it is. *ret_local: they are
 * midnights of dates, as if in UTC. OKNO_USAGE. */
OKNO_CHECK int cli_take_dates(const char *from, const char *to, bool *ret_local,
                              int64_t *ret_from_us, int64_t *ret_to_us, struct okno_err *err);

/* The same, both needed. */
OKNO_CHECK int cli_take_period(const char *from, const char *to, struct okno_figures_query *query,
                               struct okno_err *err);

/* The same as two instants: dates begin by the one time zone that all sites have. */
OKNO_CHECK int cli_take_instants(struct okno_db *db, const char *from, const char *to,
                                 int64_t *ret_from_us, int64_t *ret_to_us, struct okno_err *err);

#endif

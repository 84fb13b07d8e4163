/* okno clock add: one measurement, by hand. */
#include "clock.h"
#include "options.h"

#include "okno/import.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A clock further off is a mistake in the sign or the unit. */
#define OFFSET_MOST_MS 3.2e12

/* It may be true (a clock that was never set, or set to a wrong year), but is worth a look. */
static void warn_years(const char *target, int64_t offset_us)
{
    int64_t years = offset_us / OKNO_DAY_US / 365;
    if (years != 0)
        (void)fprintf(
            stderr,
            "okno clock: %s is now taken to run %lld years %s; if the sign or the unit is "
            "wrong, add the measurement of the same moment again\n",
            target, (long long)llabs(years), years > 0 ? "ahead" : "behind");
}

static int add(struct cli *cli, const char *target, const struct okno_clock_measurement *m,
               struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    char author[128];
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = clock_check_target(db, target, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    cli_author(author, sizeof(author));
    rc = okno_registry_add_clock(db, target, m, "manual", author, okno_time_now(), err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    if (rc < 0)
        okno_db_rollback(db);
    else
        warn_years(target, m->offset_us);
    return rc;
}

int clock_add(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct okno_clock_measurement m = {.at_us = -1};
    double offset = NAN, uncertainty = NAN;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--at", .time_us = &m.at_us},
                         {.name = "--offset-ms", .real = &offset},
                         {.name = "--uncertainty-ms", .real = &uncertainty},
                         {.name = "--step", .flag = &m.step});
    if (rc < 0)
        return rc;
    if (rest != 1 || isnan(offset) || isnan(uncertainty))
        return okno_fail(err, OKNO_USAGE,
                         "write `okno clock add TARGET --offset-ms N --uncertainty-ms N [--at "
                         "TIME] [--step]`");
    if (!(fabs(offset) < OFFSET_MOST_MS) || !(uncertainty >= 0 && uncertainty < OFFSET_MOST_MS))
        return okno_fail_field(err, OKNO_INVALID, "offset_ms",
                               "an offset within 100 years and an uncertainty of 0 or more");
    m.at_us = m.at_us < 0 ? okno_time_now() : m.at_us;
    m.offset_us = llround(offset * 1000);
    m.uncertainty_us = llround(uncertainty * 1000);
    return add(cli, argv[1], &m, err);
}

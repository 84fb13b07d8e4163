#include "dates.h"

#include "okno/time.h"
#include "okno/zone.h"

static int take(const char *text, bool date, const char *option, int64_t *ret_us,
                struct okno_err *err)
{
    int rc = date ? okno_date_parse(text, ret_us, err) : okno_time_parse(text, ret_us, err);
    if (rc == 0)
        return 0;
    if (!date && (*text < '0' || *text > '9')) {
        okno_err_clear(err);
        return okno_fail(
            err, OKNO_USAGE,
            "%s: \"%.40s\" is neither a date of the sites' calendars (2026-03-10) nor a "
            "time with its zone (2026-03-10T14:03:20Z, 2026-03-10T17:03:20+03:00): "
            "write one of them",
            option, text);
    }
    okno_err_context(err, "%s", option);
    return OKNO_USAGE;
}

int cli_take_dates(const char *from, const char *to, bool *ret_local, int64_t *ret_from_us,
                   int64_t *ret_to_us, struct okno_err *err)
{
    bool local = (!from || okno_date_is(from)) && (!to || okno_date_is(to)) && (from || to);
    if (!local && ((from && okno_date_is(from)) || (to && okno_date_is(to))))
        return okno_fail(err, OKNO_USAGE,
                         "--from and --to are both dates of the sites' calendars (2026-03-01) or "
                         "both instants (2026-03-01T00:00:00Z)");
    int rc = from ? take(from, local, "--from", ret_from_us, err) : 0;
    if (rc == 0 && to)
        rc = take(to, local, "--to", ret_to_us, err);
    if (rc == 0 && from && to && *ret_from_us >= *ret_to_us)
        return okno_fail(err, OKNO_USAGE,
                         "--to %s does not lie after --from %s: it is the first moment (or date) "
                         "that is not meant any more",
                         to, from);
    if (rc == 0)
        *ret_local = local;
    return rc;
}

int cli_take_period(const char *from, const char *to, struct okno_figures_query *query,
                    struct okno_err *err)
{
    if (!from || !to)
        return okno_fail(err, OKNO_USAGE,
                         "say the period: --from TIME --to TIME, or two dates of the sites' "
                         "calendars: --from 2026-03-01 --to 2026-04-01 (all of March: --to is "
                         "not meant any more)");
    return cli_take_dates(from, to, &query->local, &query->from_us, &query->to_us, err);
}

static int open_zone(struct okno_db *db, struct okno_zone **ret_zone, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char name[80];
    int rc = OKNO_DB_PREPARE(db, "period.zones", &stmt, err, OKNO_TEXT("site", NULL));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "there is no site yet whose calendar --from and --to could be dates of");
    if (rc < 0)
        return rc;
    okno_stmt_copy(stmt, "time_zone", name, sizeof(name));
    rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        return okno_fail(err, OKNO_USAGE,
                         "the sites have different time zones, so dates differ: give --from and "
                         "--to as times with their zone (2026-03-01T00:00:00+03:00)");
    return rc < 0 ? rc : okno_zone_open(name, ret_zone, err);
}

int cli_take_instants(struct okno_db *db, const char *from, const char *to, int64_t *ret_from_us,
                      int64_t *ret_to_us, struct okno_err *err)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    bool local = false;
    int rc = cli_take_dates(from, to, &local, ret_from_us, ret_to_us, err);
    if (rc < 0 || !local)
        return rc;
    rc = open_zone(db, &zone, err);
    if (rc < 0)
        return rc;
    *ret_from_us = okno_zone_midnight(zone, *ret_from_us);
    *ret_to_us = okno_zone_midnight(zone, *ret_to_us);
    return 0;
}

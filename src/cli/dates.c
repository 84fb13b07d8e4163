#include "dates.h"

#include "okno/time.h"

static int take(const char *text, bool date, const char *option, int64_t *ret_us,
                struct okno_err *err)
{
    int rc = date ? okno_date_parse(text, ret_us, err) : okno_time_parse(text, ret_us, err);
    if (rc == 0)
        return 0;
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

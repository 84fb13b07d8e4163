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

int cli_take_period(const char *from, const char *to, struct okno_figures_query *query,
                    struct okno_err *err)
{
    if (!from || !to)
        return okno_fail(err, OKNO_USAGE,
                         "say the period: --from TIME --to TIME, or two dates of the sites' "
                         "calendars: --from 2026-03-01 --to 2026-04-01");
    query->local = okno_date_is(from) && okno_date_is(to);
    int rc = take(from, query->local, "--from", &query->from_us, err);
    return rc < 0 ? rc : take(to, query->local, "--to", &query->to_us, err);
}

#include "refresh.h"

#include "okno/survey.h"
#include "okno/time.h"

static int refresh(struct cli *cli, struct okno_db *db, struct okno_survey_refreshed *ret_counts,
                   struct okno_err *err)
{
    const struct okno_survey_params params = okno_survey_params_of(cli->conf);
    return okno_survey_refresh(db, &params, okno_time_now(), ret_counts, err);
}

int cli_refresh_surveys(struct cli *cli, struct okno_db *db, struct okno_err *err)
{
    struct okno_survey_refreshed counts;
    int rc = refresh(cli, db, &counts, err);
    if (rc < 0) {
        okno_err_context(err, "the rows are stored, but surveys could not follow");
        return rc;
    }
    if (counts.misplaced)
        (void)fprintf(stderr,
                      "note: events that do not fit the role of their device and make no surveys: "
                      "%lld\n",
                      (long long)counts.misplaced);
    if (counts.suspect)
        (void)fprintf(stderr,
                      "note: events more than 24 h ahead of their receipt: %lld; they make no "
                      "surveys until a clock measurement explains them (okno import clocks)\n",
                      (long long)counts.suspect);
    return 0;
}

void cli_refresh_before_reading(struct cli *cli, struct okno_db *db)
{
    struct okno_survey_refreshed counts;
    struct okno_err ignored = {0};
    int rc = refresh(cli, db, &counts, &ignored);
    (void)rc;
}

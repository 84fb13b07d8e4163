/* okno period: closing pay periods, and what became of them. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "local_time.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/kpi.h"
#include "okno/period.h"
#include "okno/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static void print_head(const json_t *period)
{
    const char *state;
    const char *zone = text_of(period, "zone");
    json_t *count;
    char from[CLI_LOCAL_TIME_TEXT];
    char to[CLI_LOCAL_TIME_TEXT];
    char closed[CLI_LOCAL_TIME_TEXT];
    printf("pay period %lld  %s  from %s to before %s (%s)\nclosed %s by %s\n",
           json_integer_value(json_object_get(period, "period")),
           json_is_null(json_object_get(period, "site")) ? "all sites" : text_of(period, "site"),
           cli_local_time(text_of(period, "from"), zone, from),
           cli_local_time(text_of(period, "to"), zone, to), zone,
           cli_local_time(text_of(period, "closed_at"), zone, closed), text_of(period, "author"));
    if (!json_is_null(json_object_get(period, "accepted")))
        cli_line("open reviews accepted: %s", text_of(period, "accepted"));
    json_object_foreach(json_object_get(period, "states"), state, count)
    {
        if (json_integer_value(count) > 0)
            printf("  %-12s %lld\n", state, json_integer_value(count));
    }
}

static void print_index(const json_t *statement, const char *id)
{
    const json_t *one = json_object_get(json_object_get(statement, "indicators"), id);
    const json_t *value = json_object_get(one, "excluded");
    if (json_is_number(value))
        printf("  %12.9f", json_number_value(value));
    else
        printf("  %12s", "-");
}

static void print_reasons(const json_t *reasons)
{
    size_t i;
    json_t *one;
    json_array_foreach(reasons, i, one)
    {
        printf("%s%s", i ? ", " : "  ", json_string_value(one));
    }
    putchar('\n');
}

static void print_statements(const json_t *period)
{
    static const char *const shown[] = {"ink_personnel", "ink_office", "iel"};
    size_t i;
    json_t *s;
    printf("\n%-20s  %-12s  %6s  %12s  %12s  %12s  %s\n", "employee", "state", "n", shown[0],
           shown[1], shown[2], "adjustments  reasons");
    json_array_foreach(json_object_get(period, "statements"), i, s)
    {
        const json_t *n = json_object_get(json_object_get(s, "counts"), "n");
        printf("%-20s  %-12s  %6lld", text_of(s, "employee"), text_of(s, "state"),
               json_integer_value(n));
        for (size_t j = 0; j < OKNO_COUNT(shown); j++)
            print_index(s, shown[j]);
        printf("  %zu", json_array_size(json_object_get(s, "adjustments")));
        print_reasons(json_object_get(s, "reasons"));
    }
}

static void print_adjustment(const json_t *one)
{
    const json_t *carried = json_object_get(one, "carried_by");
    const char *name;
    json_t *value;
    size_t i;
    json_t *cause;
    printf("%s  ", text_of(one, "employee"));
    if (json_is_integer(carried))
        printf("carried by period %lld\n", json_integer_value(carried));
    else
        printf("open\n");
    json_object_foreach(json_object_get(one, "difference"), name, value)
    {
        if (json_is_integer(value))
            printf("  %-20s %+lld\n", name, json_integer_value(value));
        else if (json_is_real(value))
            printf("  %-20s %+.9f\n", name, json_real_value(value));
        else
            printf("  %-20s from or to no figure\n", name);
    }
    json_array_foreach(json_object_get(one, "causes"), i, cause)
    {
        printf("  because of %s %s %s\n", text_of(cause, "cause"), text_of(cause, "survey"),
               text_of(cause, "at"));
    }
}

static int print_adjustments(const json_t *json, struct okno_err *err)
{
    size_t i;
    json_t *one;
    const json_t *list = json_object_get(json, "adjustments");
    if (json_array_size(list) == 0)
        printf("no adjustments: the figures are what they were\n");
    json_array_foreach(list, i, one)
    {
        print_adjustment(one);
    }
    return ferror(stdout) ? okno_fail_errno(err, errno, "cannot write the result") : 0;
}

static int show_one(struct cli *cli, struct okno_db *db, int64_t period, struct okno_err *err)
{
    okno_autojson json_t *json = NULL;
    int rc = okno_period_get(db, period, &json, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(json, stdout, err);
    print_head(json);
    print_statements(json);
    return 0;
}

static int run_close(struct cli *cli, struct okno_db *db, const struct okno_period_request *asked,
                     struct okno_err *err)
{
    struct okno_period_request request = *asked;
    char author[80];
    int64_t period = 0;
    cli_author(author, sizeof(author));
    request.author = author;
    request.k = cli->conf->kpi.silent_weight;
    request.fm_threshold = cli->conf->kpi.fm_threshold;
    request.undeterminable_limit = cli->conf->kpi.undeterminable_limit;
    request.min_n = cli->conf->kpi.min_n;
    request.params = okno_survey_params_of(cli->conf);
    int rc = okno_kpi_note_weight(db, request.k, okno_time_now(), err);
    if (rc == 0)
        rc = okno_period_close(db, &request, okno_time_now(), &period, err);
    return rc < 0 ? rc : show_one(cli, db, period, err);
}

static int run_list(struct cli *cli, struct okno_db *db, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *one;
    int rc = okno_period_list(db, &list, err);
    json_array_foreach(list, i, one)
    {
        if (cli->json)
            rc = rc < 0 ? rc : okno_json_print(one, stdout, err);
        else
            print_head(one);
    }
    return rc;
}

/* The statements, or the adjustments where they are given. */
static int print_csv(struct okno_db *db, int64_t period, const json_t *adjustments,
                     struct okno_err *err)
{
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(64 << 20);
    int rc = adjustments ? okno_period_adjustments_csv(adjustments, &csv, err)
                         : okno_period_csv(db, period, &csv, err);
    if (rc == 0 && fwrite(okno_buf_text(&csv), 1, csv.len, stdout) != csv.len)
        rc = okno_fail_errno(err, errno, "cannot write the result");
    return rc;
}

static int run_adjustments(struct cli *cli, struct okno_db *db, int64_t period, bool csv,
                           struct okno_err *err)
{
    const struct okno_survey_params params = okno_survey_params_of(cli->conf);
    struct okno_survey_refreshed counts;
    okno_autojson json_t *json = NULL;
    int rc = okno_survey_refresh(db, &params, okno_time_now(), &counts, err);
    if (rc == 0)
        rc = okno_period_adjustments(db, period, okno_time_now(), &json, err);
    if (rc < 0)
        return rc;
    if (csv)
        return print_csv(db, period, json, err);
    return cli->json ? okno_json_print(json, stdout, err) : print_adjustments(json, err);
}

static int run_verify(struct cli *cli, struct okno_db *db, int64_t period, struct okno_err *err)
{
    int rc = okno_period_verify(db, period, err);
    if (rc < 0)
        return rc;
    if (!cli->json) {
        printf(
            "pay period %lld: hashes, signatures and the evidence log agree; made again, the "
            "snapshot is equal byte for byte\n",
            (long long)period);
        return 0;
    }
    okno_autojson json_t *json = json_pack("{s:I, s:b}", "period", (json_int_t)period, "equal", 1);
    return okno_json_print(json, stdout, err);
}

static int number_of(const char *text, int64_t *ret_number, struct okno_err *err)
{
    char *end = NULL;
    long long number = text ? strtoll(text, &end, 10) : 0;
    if (!text || number <= 0 || *end)
        return okno_fail(err, OKNO_USAGE,
                         "say the period's number, as `okno period list` shows it");
    *ret_number = number;
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_period_request request = {.from = NULL};
    bool adjustments = false;
    bool csv = false;
    int64_t period = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--from", .text = &request.from},
        {.name = "--to", .text = &request.to}, {.name = "--site", .text = &request.site},
        {.name = "--audit", .text = &request.audit}, {.name = "--accept", .text = &request.accept},
        {.name = "--adjustments", .flag = &adjustments}, {.name = "--csv", .flag = &csv},
        {.name = "--json", .flag = &cli->json});
    const char *action = rest > 0 ? argv[1] : "";
    bool closes = strcmp(action, "close") == 0 && rest == 1;
    bool lists = strcmp(action, "list") == 0 && rest == 1;
    bool shows = strcmp(action, "show") == 0;
    bool verifies = strcmp(action, "verify") == 0;
    if (rc == 0 && !closes && !lists && !shows && !verifies)
        rc = okno_fail(err, OKNO_USAGE,
                       "say close, list, show NUMBER or verify NUMBER; see `okno period --help`");
    if (rc == 0 && closes && (!request.from || !request.to))
        rc = okno_fail(err, OKNO_USAGE, "say the period: --from DATE --to DATE");
    if (rc == 0 && (shows || verifies))
        rc = number_of(rest == 2 ? argv[2] : NULL, &period, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (closes)
        return run_close(cli, db, &request, err);
    if (lists)
        return run_list(cli, db, err);
    if (verifies)
        return run_verify(cli, db, period, err);
    if (adjustments)
        return run_adjustments(cli, db, period, csv, err);
    return csv ? print_csv(db, period, NULL, err) : show_one(cli, db, period, err);
}

const struct cli_command cli_period = {
    .name = "period",
    .summary = "close pay periods: signed figures per employee, later adjustments",
    .help =
        "usage: okno period close --from DATE --to DATE [--site S] [--audit ID] [--accept REASON]\n"
        "                   [--json]\n"
        "       okno period list [--json]\n"
        "       okno period show NUMBER [--adjustments] [--csv] [--json]\n"
        "       okno period verify NUMBER [--json]\n"
        "\n"
        "close makes a signed snapshot of every employee's figures: payable, too_few or\n"
        "not_reliable. Dates are days of the site's calendar, both included (kpi --to is the "
        "first\n"
        "day left out); times with their zone are taken too. Refused before the period has ended,\n"
        "where a closed one overlaps, and while audits of it are unfinished, unless --accept says "
        "why\n"
        "that does not matter. --audit adds its estimates.\n"
        "\n"
        "A closed period never changes. show --adjustments lists what later verdicts, voids,\n"
        "attributions, late events and corrected counts made of it, by employee and with the\n"
        "cause; the next closing of the same sites carries them. verify checks hashes, signatures\n"
        "and the evidence log, and makes the snapshot again (exit 6 when something differs).\n"
        "\n"
        "example: okno period close --from 2026-03-01 --to 2026-03-31 --site mall\n",
    .run = run,
};

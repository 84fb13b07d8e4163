/* okno kpi: raw, excluded and estimated indicators. */
#include "cli.h"
#include "options.h"
#include "published.h"

#include "okno/conf.h"
#include "okno/figures.h"
#include "okno/kpi.h"
#include "okno/published.h"
#include "okno/time.h"

#include <string.h>

static void print_number(const json_t *value)
{
    if (json_is_number(value))
        printf("  %12.9f", json_number_value(value));
    else
        printf("  %12s", "-");
}

static void print_estimated(const json_t *estimated)
{
    print_number(json_object_get(estimated, "value"));
    if (json_is_number(json_object_get(estimated, "low")))
        printf("  [%.4f, %.4f] at %g %%", json_number_value(json_object_get(estimated, "low")),
               json_number_value(json_object_get(estimated, "high")),
               100 * json_number_value(json_object_get(estimated, "level")));
}

static void print_flags(const json_t *flags)
{
    size_t i;
    json_t *flag;
    json_array_foreach(flags, i, flag)
    {
        printf("  %s", json_string_value(flag));
    }
}

static void print_group(const json_t *group)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(group, "group"), name, value)
    {
        printf("%s %s  ", name, json_string_value(value));
    }
    const json_t *counts = json_object_get(group, "counts");
    printf("%lld surveys counted of %lld; force majeure: %s\n",
           json_integer_value(json_object_get(counts, "n")),
           json_integer_value(json_object_get(counts, "raw_n")),
           json_string_value(json_object_get(group, "fm_gate")));
    printf("  %-18s  %12s  %12s  %12s\n", "indicator", "raw", "excluded", "estimated");
    json_object_foreach(json_object_get(group, "indicators"), name, value)
    {
        const char *null_reason = json_string_value(json_object_get(value, "null_reason"));
        printf("  %-18s", name);
        if (null_reason) {
            printf("  %s\n", null_reason);
            continue;
        }
        print_number(json_object_get(value, "raw"));
        print_number(json_object_get(value, "excluded"));
        print_estimated(json_object_get(value, "estimated"));
        print_flags(json_object_get(value, "flags"));
        putchar('\n');
    }
    json_object_foreach(json_object_get(group, "excluded"), name, value)
    {
        printf("  excluded %s: %lld\n", name, json_integer_value(value));
    }
}

static int print(const json_t *figures, bool as_json, struct okno_err *err)
{
    if (as_json)
        return okno_json_print(figures, stdout, err);
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(figures, "groups"), i, group)
    {
        print_group(group);
    }
    return 0;
}

/* Figures of now, or with `as_of_us` those of then. */
static int figures_of(struct cli *cli, struct okno_db *db, const struct okno_figures_query *query,
                      int64_t as_of_us, json_t **ret_figures, struct okno_err *err)
{
    const struct okno_survey_params params = okno_survey_params_of(cli->conf);
    if (as_of_us < 0)
        return okno_figures_json(db, query, okno_time_now(), ret_figures, err);
    const struct okno_past past = okno_past_at(as_of_us);
    return okno_figures_as_of(db, &past, &params, query, ret_figures, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *figures = NULL;
    const char *by = NULL;
    int64_t as_of_us = -1;
    int rest = 0;
    if (argc > 1 && (strcmp(argv[1], "publish") == 0 || strcmp(argv[1], "published") == 0))
        return cli_kpi_published(cli, argc - 1, argv + 1, err);
    struct okno_figures_query query = {.from_us = -1,
                                       .to_us = -1,
                                       .k = cli->conf->kpi.silent_weight,
                                       .fm_threshold = cli->conf->kpi.fm_threshold,
                                       .min_n = cli->conf->kpi.min_n};
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--from", .time_us = &query.from_us},
                         {.name = "--to", .time_us = &query.to_us}, {.name = "--by", .text = &by},
                         {.name = "--audit", .text = &query.audit},
                         {.name = "--as-of", .time_us = &as_of_us},
                         {.name = "--k", .real = &query.k}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && (rest > 0 || query.from_us < 0 || query.to_us < 0))
        rc = okno_fail(err, OKNO_USAGE, "say the period: --from TIME --to TIME");
    if (rc == 0)
        rc = okno_group_parse(by, &query.by, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = figures_of(cli, db, &query, as_of_us, &figures, err);
    return rc < 0 ? rc : print(figures, cli->json, err);
}

const struct cli_command cli_kpi = {
    .name = "kpi",
    .summary = "indicators: raw, excluded and estimated",
    .help =
        "usage: okno kpi --from TIME --to TIME [--by WORDS] [--audit ID] [--k K] [--as-of TIME]\n"
        "                [--json]\n"
        "       okno kpi publish NAME --from TIME --to TIME [--by WORDS] [--audit ID] [--k K]\n"
        "       okno kpi published (list | show NAME | verify NAME) [--json]\n"
        "\n"
        "Three figures of each indicator side by side: raw (every closed survey), excluded\n"
        "(without voided and invalid ones), estimated (with --audit: what the reviewed sample\n"
        "says about all of them, with its interval).\n"
        "\n"
        "  --by WORDS   group, site, point, employee, question, hour, day, week, month;\n"
        "               several joined by commas\n"
        "  --k K        weight of a silent survey, 0..1 (default: kpi.silent_weight)\n"
        "  --as-of T    from what was known at T: events that had arrived, registry rows imported\n"
        "               and decisions made by then\n"
        "\n"
        "publish keeps figures under a name, with the question, the settings and the data "
        "version,\n"
        "so that they can be made again byte for byte whatever is corrected later; verify does "
        "that\n"
        "(exit 6 when they differ).\n"
        "\n"
        "example: okno kpi --from 2026-03-01T00:00:00+03:00 --to 2026-04-01T00:00:00+03:00 "
        "--by site\n",
    .run = run,
};

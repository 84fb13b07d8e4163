/* okno kpi: raw, excluded and estimated indicators. */
#include "cli.h"
#include "dates.h"
#include "known.h"
#include "options.h"
#include "published.h"

#include "okno/conf.h"
#include "okno/figures.h"
#include "okno/kpi.h"
#include "okno/mem.h"
#include "okno/published.h"
#include "okno/registry.h"
#include "okno/report.h"
#include "okno/text.h"
#include "okno/time.h"

#include <string.h>
#include <unistd.h>

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

/* Where too much could not be decided an estimate is nothing but its bounds. */
static void print_bounds(const json_t *estimated)
{
    const json_t *worst = json_object_get(json_object_get(estimated, "bounds"), "worst");
    if (json_is_null(json_object_get(estimated, "value")) && json_array_size(worst) == 2)
        printf("  worst case [%.4f, %.4f]", json_number_value(json_array_get(worst, 0)),
               json_number_value(json_array_get(worst, 1)));
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

/* How to list the surveys behind what was left out. */
static void print_drill(const json_t *group, const char *reason)
{
    static const char *const words[] = {"site", "point", "employee", "question"};
    printf(" (okno survey list");
    for (size_t i = 0; i < OKNO_COUNT(words); i++) {
        const char *value =
            json_string_value(json_object_get(json_object_get(group, "group"), words[i]));
        if (value)
            printf(" --%s %s", words[i], value);
    }
    if (json_is_string(json_object_get(group, "from")))
        printf(" --from %s --to %s", json_string_value(json_object_get(group, "from")),
               json_string_value(json_object_get(group, "to")));
    if (strcmp(reason, "VOIDED") == 0)
        printf(" --validity voided)\n");
    else
        printf(" --validity invalid --reason %s)\n", reason);
}

static void print_customers(const json_t *group)
{
    const char *kind;
    json_t *one;
    json_object_foreach(json_object_get(group, "customers"), kind, one)
    {
        size_t i;
        json_t *source;
        if (!json_is_integer(json_object_get(one, "count")))
            continue;
        printf("  %s %lld from", kind, json_integer_value(json_object_get(one, "count")));
        json_array_foreach(json_object_get(one, "sources"), i, source)
        {
            printf("%s %s", i ? "," : "", json_string_value(source));
        }
        long long rows = json_integer_value(json_object_get(one, "corrections"));
        printf(", %lld %s corrected\n", rows, okno_text_form(rows, "row", "rows"));
    }
}

/* Staff's index leaves force majeure out, the others keep it. */
static void print_variant(const char *name, const json_t *other)
{
    if (json_is_number(other))
        printf("  %s force majeure %.4f", strcmp(name, "ink_personnel") == 0 ? "with" : "without",
               json_number_value(other));
}

/* From the lesser end: loyalty falls as k grows. In the other figures k plays no part. */
static void print_band(const char *name, const json_t *band)
{
    if (strncmp(name, "ink", 3) != 0 && strcmp(name, "iel") != 0)
        return;
    double a = json_number_value(json_array_get(band, 0));
    double b = json_number_value(json_array_get(band, 1));
    if (json_array_size(band) == 2)
        printf("  k 0..1: %.4f..%.4f", a < b ? a : b, a < b ? b : a);
}

static void print_difference(const json_t *figure)
{
    const json_t *d = json_object_get(figure, "difference");
    if (!json_is_object(d))
        return;
    printf("  %-18s  difference %+.4f [%.4f, %.4f], p %.4f after correction: %s\n", "",
           json_number_value(json_object_get(d, "value")),
           json_number_value(json_object_get(d, "low")),
           json_number_value(json_object_get(d, "high")),
           json_number_value(json_object_get(d, "p_adjusted")),
           json_is_true(json_object_get(d, "too_few"))   ? "too few to say"
           : json_is_true(json_object_get(d, "differs")) ? "a real difference"
                                                         : "may be chance");
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
    const char *evidence = json_string_value(json_object_get(group, "evidence_gate"));
    long long n = json_integer_value(json_object_get(counts, "n"));
    printf("%lld %s counted of %lld; force majeure: %s%s%s\n", n,
           okno_text_form(n, "survey", "surveys"),
           json_integer_value(json_object_get(counts, "raw_n")),
           json_string_value(json_object_get(group, "fm_gate")), evidence ? "; evidence: " : "",
           evidence ? evidence : "");
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
        print_band(name, json_object_get(value, "band"));
        print_bounds(json_object_get(value, "estimated"));
        print_variant(name, json_object_get(value, "with_fm"));
        print_flags(json_object_get(value, "flags"));
        putchar('\n');
        print_difference(value);
    }
    json_object_foreach(json_object_get(group, "excluded"), name, value)
    {
        printf("  excluded %s: %lld", name, json_integer_value(value));
        print_drill(group, name);
    }
    print_customers(group);
}

/* What the figures were made of: without it they could not be made again. */
static void print_moment(const json_t *figures)
{
    const char *name;
    json_t *newest;
    printf("as of %s, k %.4g; data version:", json_string_value(json_object_get(figures, "at")),
           json_number_value(json_object_get(figures, "k")));
    json_object_foreach(json_object_get(figures, "data"), name, newest)
    {
        printf(" %s %lld", name, json_integer_value(newest));
    }
    putchar('\n');
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
    print_moment(figures);
    return 0;
}

/* That k was changed is told where it can be; figures wait for no writer. */
static void note_weight(const struct cli *cli, struct okno_db *db)
{
    struct okno_err ignored = {0};
    int patience_ms = okno_db_set_patience(db, 0);
    (void)!okno_kpi_note_weight(db, cli->conf->kpi.silent_weight, okno_time_now(), &ignored);
    (void)okno_db_set_patience(db, patience_ms);
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

/* How figures leave: on the terminal, or as a file that people read. */
struct sheet {
    const char *format, *lang, *out;
    enum okno_report_format kind;
};

static int check_sheet(struct sheet *sheet, bool as_json, struct okno_err *err)
{
    if (!sheet->format && sheet->out)
        return okno_fail(err, OKNO_USAGE, "-o goes with --format: html, pdf, xlsx or csv");
    if (!sheet->format)
        return 0;
    if (as_json)
        return okno_fail(err, OKNO_USAGE, "--json and --format say different things: choose one");
    if (okno_report_format_find(sheet->format, &sheet->kind, NULL) < 0)
        return okno_fail(err, OKNO_USAGE,
                         "--format takes html, pdf, xlsx, csv or json, not \"%.20s\"",
                         sheet->format);
    if (!okno_report_speaks(sheet->lang))
        return okno_fail(err, OKNO_USAGE, "--lang takes en or ru, not \"%.20s\"", sheet->lang);
    if ((sheet->kind == OKNO_REPORT_PDF || sheet->kind == OKNO_REPORT_XLSX) && !sheet->out &&
        isatty(STDOUT_FILENO))
        return okno_fail(err, OKNO_USAGE, "say where the file goes: -o FILE");
    return 0;
}

static int put_sheet(const struct sheet *sheet, const json_t *figures, struct okno_err *err)
{
    OKNO_AUTO_BUF made = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *model = NULL;
    int rc = okno_report_figures(figures, &model, err);
    if (rc == 0)
        rc = okno_report_write(model, sheet->kind, sheet->lang, &made, err);
    return rc == 0 ? cli_put(sheet->out, &made, err) : rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *figures = NULL;
    struct sheet sheet = {.lang = strcmp(cli->conf->service.language, "ru") == 0 ? "ru" : "en"};
    const char *by = NULL;
    const char *from = NULL;
    const char *to = NULL;
    int64_t as_of_us = -1;
    int rest = 0;
    if (argc > 1 && (strcmp(argv[1], "publish") == 0 || strcmp(argv[1], "published") == 0))
        return cli_kpi_published(cli, argc - 1, argv + 1, err);
    struct okno_figures_query query = {.k = cli->conf->kpi.silent_weight,
                                       .fm_threshold = cli->conf->kpi.fm_threshold,
                                       .undeterminable_limit = cli->conf->kpi.undeterminable_limit,
                                       .min_n = cli->conf->kpi.min_n};
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--from", .text = &from}, {.name = "--to", .text = &to},
        {.name = "--by", .text = &by}, {.name = "--audit", .text = &query.audit},
        {.name = "--compare", .text = &query.compare}, {.name = "--as-of", .time_us = &as_of_us},
        {.name = "--group", .text = &query.group}, {.name = "--site", .text = &query.site},
        {.name = "--point", .text = &query.point}, {.name = "--employee", .text = &query.employee},
        {.name = "--question", .text = &query.question}, {.name = "--k", .real = &query.k},
        {.name = "--format", .text = &sheet.format}, {.name = "--lang", .text = &sheet.lang},
        {.name = "-o", .text = &sheet.out}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "\"%.40s\" is not understood", argv[1]);
    if (rc == 0)
        rc = check_sheet(&sheet, cli->json, err);
    if (rc == 0 && as_of_us > okno_time_now())
        rc = okno_fail_field(err, OKNO_USAGE, "as-of",
                             "--as-of is still to come: what will be known then is not known yet");
    if (rc == 0)
        rc = cli_take_period(from, to, &query, err);
    if (rc == 0)
        rc = okno_group_parse(by, &query.by, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = cli_check_known(db, query.site, query.point, query.employee, err);
    if (rc == 0)
        rc = okno_registry_require(db, "question", query.question, err);
    if (rc == 0)
        rc = okno_registry_require(db, "group", query.group, err);
    if (rc == 0)
        note_weight(cli, db);
    if (rc == 0)
        rc = figures_of(cli, db, &query, as_of_us, &figures, err);
    if (rc < 0)
        return rc;
    return sheet.format ? put_sheet(&sheet, figures, err) : print(figures, cli->json, err);
}

const struct cli_command cli_kpi = {
    .name = "kpi",
    .summary = "indicators: raw, excluded and estimated",
    .help =
        "usage: okno kpi --from TIME --to TIME [--by WORDS] [SCOPE...] [--audit ID] [--k K]\n"
        "                [--compare WITH] [--as-of TIME] [--json]\n"
        "                [--format html|pdf|xlsx|csv [--lang en|ru] [-o FILE]]\n"
        "       okno kpi publish NAME --from TIME --to TIME [--by WORDS] [--audit ID] [--k K]\n"
        "       okno kpi published (list | show NAME | verify NAME) [--json]\n"
        "\n"
        "Three figures of each indicator side by side: raw (every closed survey), excluded\n"
        "(without voided and invalid ones), estimated (with --audit: what the reviewed sample\n"
        "says about all of them, with its interval).\n"
        "\n"
        "  --from, --to two instants, or two dates: days of each site's own calendar; --to is the\n"
        "               first that is not meant: --from 2026-03-01 --to 2026-04-01 is March\n"
        "  SCOPE        --group, --site, --point, --employee, --question: figures of that one "
        "only\n"
        "  --by WORDS   group, site, point, employee, question, hour, day, week, month;\n"
        "               several joined by commas\n"
        "  --k K        weight of a silent survey, 0..1 (default: kpi.silent_weight)\n"
        "  --compare W  before: with the period of the same length before; site: each employee or\n"
        "               point with the others there (--by site,employee or site,point)\n"
        "  --as-of T    from what was known at T: events that had arrived, registry rows imported\n"
        "               and decisions made by then\n"
        "\n"
        "  --format F   as a report that people read; it says whether an audit stands behind it\n"
        "\n"
        "publish keeps figures under a name, with the question, the settings and the data "
        "version,\n"
        "so that they can be made again byte for byte whatever is corrected later; verify does "
        "that\n"
        "(exit 6 when they differ).\n"
        "\n"
        "example: okno kpi --from 2026-03-01 --to 2026-04-01 --by site\n",
    .run = run,
};

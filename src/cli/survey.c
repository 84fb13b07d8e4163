#define _POSIX_C_SOURCE 200809L
#include "okno/survey.h"

#include "cli.h"
#include "dates.h"
#include "known.h"
#include "options.h"
#include "refresh.h"

#include "okno/buf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/text.h"
#include "okno/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- list ---- */

/* Columns of the table for people; widths grow to what a first pass finds. */
enum { COLUMN_COUNT = 9 };
static const char *const titles[COLUMN_COUNT] = {
    "OPENED", "SURVEY", "POINT", "EMPLOYEE", "STATE", "ANSWER", "VIDEO", "VALIDITY", "FLAGS"};

struct table {
    size_t widths[COLUMN_COUNT];
    size_t rows;
};

struct cells {
    const char *texts[COLUMN_COUNT];
    char opened[OKNO_TIME_TEXT];
};

static void fill_cells(const struct okno_survey_info *info, struct cells *cells)
{
    const char *const texts[COLUMN_COUNT] = {okno_time_format(info->opened_us, cells->opened),
                                             info->survey,
                                             info->point,
                                             info->employee ? info->employee : "-",
                                             info->state,
                                             info->answer ? info->answer : "-",
                                             info->video,
                                             info->validity,
                                             info->flags};
    memcpy(cells->texts, texts, sizeof(texts));
}

static int measure(void *ctx, const struct okno_survey_info *info, struct okno_err *err)
{
    struct table *table = ctx;
    struct cells cells;
    (void)err;
    fill_cells(info, &cells);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (strlen(cells.texts[i]) > table->widths[i])
            table->widths[i] = strlen(cells.texts[i]);
    table->rows++;
    return 0;
}

static int print_cells(const struct table *table, const char *const *texts, struct okno_err *err)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        bool last = i + 1 == COLUMN_COUNT;
        if (printf("%-*s%s", last ? 0 : (int)table->widths[i], texts[i], last ? "\n" : "  ") < 0)
            return okno_fail_errno(err, errno, "cannot write the result");
    }
    return 0;
}

static int print_row(void *ctx, const struct okno_survey_info *info, struct okno_err *err)
{
    struct cells cells;
    fill_cells(info, &cells);
    return print_cells(ctx, cells.texts, err);
}

static int print_json(void *ctx, const struct okno_survey_info *info, struct okno_err *err)
{
    (void)ctx;
    okno_autojson json_t *json = okno_survey_json(info);
    return okno_json_print(json, stdout, err);
}

static int print_table(struct okno_db *db, const struct okno_survey_filter *filter,
                       struct okno_err *err)
{
    struct table table = {0};
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        table.widths[i] = strlen(titles[i]);
    int rc = okno_survey_list(db, filter, measure, &table, err);
    if (rc < 0)
        return rc;
    if (table.rows == 0) {
        (void)fprintf(stderr, "no surveys\n");
        return 0;
    }
    rc = print_cells(&table, titles, err);
    return rc < 0 ? rc : okno_survey_list(db, filter, print_row, &table, err);
}

/* ---- as CSV ---- */

static const char csv_header[] =
    "id,point,site,employee,question,kind,channel,opened_at,closes_at,state,answer,answered_at,"
    "extra_answers,late_answers,force_majeure,flags,video,validity,reason\n";

static int print_csv(void *ctx, const struct okno_survey_info *info, struct okno_err *err)
{
    enum { LINE_MAX_BYTES = 16384, CELLS = 19 };
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(LINE_MAX_BYTES);
    char opened[OKNO_TIME_TEXT];
    char closes[OKNO_TIME_TEXT];
    char answered[OKNO_TIME_TEXT];
    char extra[24];
    char late[24];
    (void)ctx;
    (void)snprintf(extra, sizeof(extra), "%lld", (long long)info->extra_answers);
    (void)snprintf(late, sizeof(late), "%lld", (long long)info->late_answers);
    const char *const cells[CELLS] = {info->survey,
                                      info->point,
                                      info->site,
                                      info->employee,
                                      info->question,
                                      info->question_kind,
                                      info->channel,
                                      okno_time_format(info->opened_us, opened),
                                      okno_time_format(info->closes_us, closes),
                                      info->state,
                                      info->answer,
                                      info->answer ? okno_time_format(info->answered_us, answered)
                                                   : NULL,
                                      extra,
                                      late,
                                      info->force_majeure ? "true" : "false",
                                      info->flags,
                                      info->video,
                                      info->validity,
                                      info->reason};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < CELLS; i++) {
        rc = i ? okno_buf_add_text(&line, ",", err) : 0;
        if (rc == 0)
            rc = okno_buf_add_csv(&line, cells[i] ? cells[i] : "", err);
    }
    if (rc == 0 && printf("%s\n", okno_buf_text(&line)) < 0)
        rc = okno_fail_errno(err, errno, "cannot write the result");
    return rc;
}

static int list(struct cli *cli, const struct okno_survey_filter *filter, bool csv,
                struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = cli_check_known(db, filter->site, filter->point, filter->employee, err);
    if (rc == 0)
        rc = okno_registry_require(db, "question", filter->question, err);
    if (rc < 0)
        return rc;
    cli_refresh_before_reading(cli, db);
    if (csv) {
        (void)fputs(csv_header, stdout);
        return okno_survey_list(db, filter, print_csv, NULL, err);
    }
    return cli->json ? okno_survey_list(db, filter, print_json, NULL, err)
                     : print_table(db, filter, err);
}

/* ---- show ---- */

/* `name  value`, one line each; objects in arrays on one line of their own. */
static void print_value(const json_t *value)
{
    char *text = json_is_string(value)
                     ? strdup(json_string_value(value))
                     : json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    if (text)
        okno_text_calm(text);
    printf("%s", text ? text : "?");
    free(text);
}

static void print_object(const char *indent, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (json_is_null(value))
            continue;
        printf("%s%-14s ", indent, name);
        print_value(value);
        putchar('\n');
    }
}

/* `state silent -> answered`, one line a field. */
static void print_history(json_t *history)
{
    size_t i;
    json_t *change;
    json_array_foreach(history, i, change)
    {
        const char *field;
        json_t *pair;
        printf("\nhistory %zu of %zu\n  %-14s %s\n  %-14s %s\n", i + 1, json_array_size(history),
               "at", json_string_value(json_object_get(change, "at")), "what",
               json_string_value(json_object_get(change, "what")));
        json_object_foreach(json_object_get(change, "changes"), field, pair)
        {
            printf("  %-14s ", field);
            print_value(json_array_get(pair, 0));
            printf(" -> ");
            print_value(json_array_get(pair, 1));
            putchar('\n');
        }
    }
}

static void print_section(const char *name, json_t *section)
{
    size_t i;
    json_t *row;
    if (json_is_object(section)) {
        printf("\n%s\n", name);
        print_object("  ", section);
    }
    json_array_foreach(section, i, row)
    {
        printf("\n%s %zu of %zu\n", name, i + 1, json_array_size(section));
        print_object("  ", row);
    }
}

static int show(struct cli *cli, const char *survey, struct okno_err *err)
{
    static const char *const sections[] = {"events", "link",           "evidence",    "reviews",
                                           "voids",  "void_proposals", "attributions"};
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *dossier = NULL;
    int rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    cli_refresh_before_reading(cli, db);
    rc = okno_survey_dossier(db, survey, &dossier, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(dossier, stdout, err);
    print_object("", json_object_get(dossier, "survey"));
    for (size_t i = 0; i < OKNO_COUNT(sections); i++)
        print_section(sections[i], json_object_get(dossier, sections[i]));
    print_history(json_object_get(dossier, "history"));
    return ferror(stdout) ? okno_fail_errno(err, errno, "cannot write the result") : 0;
}

/* ---- changes ---- */

static int print_change_json(void *ctx, const json_t *change, const char *cursor,
                             struct okno_err *err)
{
    (void)ctx;
    (void)cursor;
    return okno_json_print(change, stdout, err);
}

static int print_change(void *ctx, const json_t *change, const char *cursor, struct okno_err *err)
{
    const char *field;
    json_t *pair;
    (void)ctx;
    (void)cursor;
    if (printf("%s  %s  %s", json_string_value(json_object_get(change, "at")),
               json_string_value(json_object_get(change, "survey")),
               json_string_value(json_object_get(change, "what"))) < 0)
        return okno_fail_errno(err, errno, "cannot write the result");
    json_object_foreach(json_object_get(change, "changes"), field, pair)
    {
        printf("  %s ", field);
        print_value(json_array_get(pair, 0));
        printf("->");
        print_value(json_array_get(pair, 1));
    }
    if (json_array_size(json_object_get(change, "frozen_in"))) {
        printf("  frozen in ");
        print_value(json_object_get(change, "frozen_in"));
    }
    putchar('\n');
    return 0;
}

static int run_changes(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_survey_changes filter = OKNO_SURVEY_CHANGES_ALL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--since", .time_us = &filter.since_us},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc =
            okno_fail(err, OKNO_USAGE, "survey changes takes options only, not \"%.40s\"", argv[1]);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    cli_refresh_before_reading(cli, db);
    return okno_survey_list_changes(db, &filter, cli->json ? print_change_json : print_change, NULL,
                                    err);
}

/* ---- void and unvoid ---- */

static int set_void(struct cli *cli, const struct okno_survey_void *request, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    int64_t count = 0;
    int rc = cli_open_db(cli, &db, err);
    if (rc < 0 || request->survey)
        return rc < 0 ? rc : okno_survey_set_void(db, request, err);
    rc = okno_survey_void_import(db, request, &count, err);
    if (rc == 0)
        printf("%lld %s of import %lld %s\n", (long long)count,
               okno_text_form(count, "survey or rating", "surveys and ratings"),
               (long long)request->import, request->voided ? "voided" : "unvoided");
    return rc;
}

/* Proposals that wait for a second person. */
static int run_voids(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *one;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "survey voids takes options only, not \"%.40s\"", argv[1]);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_void_list(db, NULL, NULL, &list, err);
    json_array_foreach(list, i, one)
    {
        if (cli->json)
            rc = rc < 0 ? rc : okno_json_print(one, stdout, err);
        else
            cli_line("%-24s %s by %s at %s: %s", json_string_value(json_object_get(one, "survey")),
                     json_is_true(json_object_get(one, "voided")) ? "void" : "unvoid",
                     json_string_value(json_object_get(one, "author")),
                     json_string_value(json_object_get(one, "at")),
                     json_string_value(json_object_get(one, "reason")));
    }
    return rc;
}

/* ---- options ---- */

/* The id of the one survey that is named; NULL after a failure. */
static const char *only_id(char **argv, int rest, struct okno_err *err)
{
    if (rest == 1)
        return argv[1];
    (void)okno_fail(err, OKNO_USAGE, "%s takes the id of one survey", argv[0]);
    return NULL;
}

static int run_list(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct okno_survey_filter filter = OKNO_SURVEY_FILTER_ALL;
    const char *from = NULL;
    const char *to = NULL;
    int64_t limit = 0;
    bool csv = false;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--from", .text = &from},
        {.name = "--question", .text = &filter.question}, {.name = "--kind", .text = &filter.kind},
        {.name = "--channel", .text = &filter.channel}, {.name = "--flag", .text = &filter.flag},
        {.name = "--csv", .flag = &csv}, {.name = "--to", .text = &to},
        {.name = "--site", .text = &filter.site}, {.name = "--point", .text = &filter.point},
        {.name = "--employee", .text = &filter.employee},
        {.name = "--answer", .text = &filter.answer}, {.name = "--state", .text = &filter.state},
        {.name = "--validity", .text = &filter.validity},
        {.name = "--reason", .text = &filter.reason}, {.name = "--video", .text = &filter.video},
        {.name = "--spontaneous", .flag = &filter.spontaneous},
        {.name = "--limit", .integer = &limit}, {.name = "--json", .flag = &cli->json});
    if (rc < 0)
        return rc;
    if (rest > 0)
        return okno_fail(err, OKNO_USAGE, "survey list takes options only, not \"%.40s\"", argv[1]);
    rc = cli_take_dates(from, to, &filter.local, &filter.from_us, &filter.to_us, err);
    if (rc < 0)
        return rc;
    if (limit < 0)
        return okno_fail_field(err, OKNO_USAGE, "limit",
                               "--limit: a whole number from 1 is allowed");
    filter.limit = limit ? limit : -1;
    if (csv && cli->json)
        return okno_fail(err, OKNO_USAGE, "--csv and --json exclude each other");
    return list(cli, &filter, csv, err);
}

static int run_show(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    const char *survey = rc < 0 ? NULL : only_id(argv, rest, err);
    if (rc < 0 || !survey)
        return rc < 0 ? rc : OKNO_USAGE;
    return show(cli, survey, err);
}

static int run_void(struct cli *cli, bool voided, int argc, char **argv, struct okno_err *err)
{
    struct okno_survey_void request = {.voided = voided, .at_us = okno_time_now()};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--reason", .text = &request.reason},
                         {.name = "--second", .text = &request.second},
                         {.name = "--import", .integer = &request.import},
                         {.name = "--user", .text = &request.author});
    if (rc == 0 && request.import != 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "%s takes the id of one survey, or --import N", argv[0]);
    if (rc < 0)
        return rc;
    request.survey = request.import ? NULL : only_id(argv, rest, err);
    if (!request.survey && !request.import)
        return OKNO_USAGE;
    if (!request.reason || !request.second)
        return okno_fail(err, OKNO_USAGE, "%s needs --reason R and --second USER", argv[0]);
    return set_void(cli, &request, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    char name[32]; /* stands for argv[0] of the action, in messages */
    const char *action = argc < 2 ? "" : argv[1];
    bool voided = strcmp(action, "void") == 0;
    bool is_list = strcmp(action, "list") == 0;
    bool is_show = strcmp(action, "show") == 0;
    bool is_changes = strcmp(action, "changes") == 0;
    bool is_voids = strcmp(action, "voids") == 0;
    if (!voided && !is_list && !is_show && !is_changes && !is_voids &&
        strcmp(action, "unvoid") != 0)
        return okno_fail(
            err, OKNO_USAGE,
            "no action \"%s\": say list, show, changes, void, unvoid or voids; see `okno survey "
            "--help`",
            okno_text_show(action, shown));
    (void)snprintf(name, sizeof(name), "survey %s", action);
    argv[1] = name;
    if (is_list)
        return run_list(cli, argc - 1, argv + 1, err);
    if (is_voids)
        return run_voids(cli, argc - 1, argv + 1, err);
    if (is_changes)
        return run_changes(cli, argc - 1, argv + 1, err);
    return is_show ? run_show(cli, argc - 1, argv + 1, err)
                   : run_void(cli, voided, argc - 1, argv + 1, err);
}

const struct cli_command cli_survey = {
    .name = "survey",
    .summary = "list surveys, show one's dossier or what changed, void by two people",
    .help =
        "usage: okno survey list [FILTER...] [--limit N] [--json | --csv]\n"
        "       okno survey show ID [--json]\n"
        "       okno survey changes [--since T] [--json]\n"
        "       okno survey void (ID | --import N) --reason R --second USER [--user USER]\n"
        "       okno survey unvoid (ID | --import N) --reason R --second USER [--user USER]\n"
        "       okno survey voids [--json]\n"
        "\n"
        "list filters:\n"
        "  --from T --to T    opened from T on, before T: two instants (ISO 8601 with a zone) or\n"
        "                     two dates of each site's calendar; --to 2026-04-01 ends with March\n"
        "  --site, --point, --employee ID\n"
        "  --answer A         yes, no, unsure\n"
        "  --state S          open, answered, silent\n"
        "  --video V          linked, partial, no_recording, no_camera, expired, unreachable,\n"
        "                     pending\n"
        "  --validity V       unreviewed, valid, invalid, undeterminable, voided\n"
        "  --reason R         of the ruling or of the void\n"
        "  --question ID, --channel C (panel, qr, ...)\n"
        "  --kind K           personnel, office, loyalty, none\n"
        "  --flag F           one that it carries: duplicate_press, early_answer, force_majeure,\n"
        "                     hold_after_no, identical_run, outside_hours, panel_unheard,\n"
        "                     shift_overlap, superseded, test_mode\n"
        "  --spontaneous      the spontaneous ratings instead: answers outside every window; they\n"
        "                     are shown, voided, linked and ruled on like surveys, by their id\n"
        "--csv prints the same columns for spreadsheets; no cell is taken for a formula there.\n"
        "--json prints JSON Lines (list, changes) or one JSON document (show: survey, events, "
        "link,\n"
        "evidence, reviews, voids, attributions, history).\n"
        "\n"
        "changes: what late events and corrections changed in surveys that were closed, oldest "
        "first,\n"
        "and which audits' frozen frames keep what was.\n"
        "\n"
        "A void takes a survey out of the excluded figures. It needs a reason and a second "
        "person;\n"
        "--import N voids all surveys opened, and spontaneous ratings given, by events of that "
        "import;\n"
        "unvoid --import N takes that back.\n"
        "voids lists what people asked for on the page and what waits for a second person there.\n"
        "--user is who asks, by default the first administrator. Surveys in the frozen frame of "
        "an\n"
        "audit cannot be voided or unvoided.\n"
        "\n"
        "example:\n"
        "  okno survey list --point till-1 --from 2026-03-10 --to 2026-03-11 --answer no --json\n",
    .run = run,
};

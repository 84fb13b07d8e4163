#define _POSIX_C_SOURCE 200809L
/* okno programme: continuous monitoring, an audit of every day by itself. */
#include "cli.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/mem.h"
#include "okno/notify.h"
#include "okno/programme.h"
#include "okno/report.h"
#include "okno/text.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct part {
    const char *name;
    int (*run)(struct cli *cli, int argc, char **argv, struct okno_err *err);
};

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

static long long count_of(const json_t *json, const char *key)
{
    return (long long)json_integer_value(json_object_get(json, key));
}

static void print_capacity(const json_t *capacity)
{
    double needed = json_number_value(json_object_get(capacity, "hours_needed"));
    double there = json_number_value(json_object_get(capacity, "hours_there"));
    printf("capacity %lld %s a day at %lld s (%s), %lld an expert-hour: %.2f expert-hours a day",
           count_of(capacity, "items_a_day"),
           okno_text_form(count_of(capacity, "items_a_day"), "item", "items"),
           count_of(capacity, "seconds_an_item"),
           json_is_true(json_object_get(capacity, "measured")) ? "measured" : "assumed",
           count_of(capacity, "items_an_hour"), needed);
    if (there > 0)
        printf(", %.2f there: %s", there, needed <= there ? "enough" : "TOO FEW");
    printf("\n");
}

static void print_status(const json_t *status)
{
    size_t i;
    json_t *day;
    const json_t *settings = json_object_get(status, "settings");
    const char *beacon = text_of(settings, "beacon");
    printf("programme %s  %s%s\n", text_of(status, "programme"), text_of(status, "title"),
           json_is_true(json_object_get(status, "paused")) ? "  (paused)" : "");
    printf("seed     %s\n", *beacon ? beacon : text_of(settings, "people"));
    print_capacity(json_object_get(status, "capacity"));
    printf("waiting  %lld %s\n", count_of(status, "waiting"),
           okno_text_form(count_of(status, "waiting"), "item", "items"));
    json_array_foreach(json_object_get(status, "days"), i, day)
    {
        printf("%s  %-12s  frame %lld, sample %lld, reviewed %lld  %s\n", text_of(day, "day"),
               text_of(day, "state"), count_of(day, "frame"), count_of(day, "sample"),
               count_of(day, "reviewed"), text_of(day, "problem"));
    }
}

static int show(struct cli *cli, struct okno_db *db, const char *programme, int64_t days,
                struct okno_err *err)
{
    okno_autojson json_t *status = NULL;
    int rc = okno_programme_status(db, programme, days, &status, err);
    if (rc < 0)
        return rc;
    if (cli->json)
        return okno_json_print(status, stdout, err);
    rc = okno_json_calm(status, err);
    if (rc < 0)
        return rc;
    print_status(status);
    return 0;
}

static int one_argument(int rest, const char *part, struct okno_err *err)
{
    return rest == 1
               ? 0
               : okno_fail(err, OKNO_USAGE, "say one programme: okno programme %s PROGRAMME", part);
}

/* Whoever names a folder hears at once that no report would get there; the service would find out
 * with the first day that is closed. Asked here and not by the room: the page hands back a folder
 * as it stands, and could not mend it. */
static int check_folder(const char *path, struct okno_err *err)
{
    struct stat st;
    if (*path != '/') /* none, or one that the room refuses by its own words */
        return 0;
    if (stat(path, &st) < 0)
        return okno_fail_field(err, OKNO_INVALID, "report-dir", "report-dir %.200s: %s", path,
                               strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return okno_fail_field(err, OKNO_INVALID, "report-dir", "report-dir %.200s: is no folder",
                               path);
    if (access(path, W_OK | X_OK) < 0)
        return okno_fail_field(err, OKNO_INVALID, "report-dir",
                               "report-dir %.200s: cannot be written: %s", path, strerror(errno));
    return 0;
}

static int run_put(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    char user[CLI_AUTHOR_TEXT];
    char lang[8];
    const char *author = NULL;
    int rest = 0;
    struct okno_programme p = {.title = "",
                               .zone = "UTC",
                               .from_day = "",
                               .size = 20,
                               .after_min = 60,
                               .accepted = "",
                               .fm_threshold = cli->conf->kpi.fm_threshold,
                               .accepted_fm = "",
                               .k = cli->conf->kpi.silent_weight,
                               .level = 0.95,
                               .undeterminable_limit = cli->conf->kpi.undeterminable_limit,
                               .looks = 1,
                               .report_to = "",
                               .report_dir = ""};
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--title", .text = &p.title},
        {.name = "--zone", .text = &p.zone}, {.name = "--from", .text = &p.from_day},
        {.name = "--size", .integer = &p.size}, {.name = "--after", .integer = &p.after_min},
        {.name = "--accept-unheard", .text = &p.accepted},
        {.name = "--fm-threshold", .real = &p.fm_threshold},
        {.name = "--accept-fm", .text = &p.accepted_fm},
        {.name = "--show-answer", .flag = &p.show_answer}, {.name = "--k", .real = &p.k},
        {.name = "--level", .real = &p.level}, {.name = "--double", .real = &p.double_share},
        {.name = "--looks", .integer = &p.looks},
        {.name = "--undeterminable-limit", .real = &p.undeterminable_limit},
        {.name = "--beacon", .text = &p.beacon}, {.name = "--genesis", .integer = &p.genesis_s},
        {.name = "--period", .integer = &p.period_s}, {.name = "--people", .text = &p.people},
        {.name = "--expert-hours", .real = &p.expert_hours},
        {.name = "--seconds", .integer = &p.seconds_an_item},
        {.name = "--report-to", .text = &p.report_to},
        {.name = "--report-dir", .text = &p.report_dir}, {.name = "--by", .text = &author},
        {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = one_argument(rest, "put", err);
    if (rc == 0 && !*p.from_day)
        rc = okno_fail(err, OKNO_USAGE, "say the first day: --from 2026-03-10");
    p.programme = argv[1];
    if (rc == 0)
        rc = check_folder(p.report_dir, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0 && *p.report_to)
        rc = okno_notify_language(db, p.report_to, lang, err);
    if (rc == 0)
        rc = okno_programme_put(db, &p, cli_author_named(author, user, sizeof(user)),
                                okno_time_now(), err);
    return rc < 0 ? rc : show(cli, db, p.programme, 0, err);
}

static int run_list(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *status;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "list takes no arguments");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_programme_list(db, &list, err);
    if (rc < 0 || cli->json)
        return rc < 0 ? rc : okno_json_print(list, stdout, err);
    rc = okno_json_calm(list, err);
    if (rc < 0)
        return rc;
    json_array_foreach(list, i, status)
    {
        print_status(status);
    }
    return 0;
}

static int run_show(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    int64_t days = 31;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--days", .integer = &days},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = one_argument(rest, "show", err);
    if (rc == 0 && (days < 1 || days > 10000))
        rc = okno_fail(err, OKNO_USAGE, "--days: 1 to 10000 is allowed");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : show(cli, db, argv[1], days, err);
}

static int pause_it(struct cli *cli, int argc, char **argv, bool paused, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    char user[CLI_AUTHOR_TEXT];
    const char *author = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--by", .text = &author},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = one_argument(rest, paused ? "pause" : "resume", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_programme_pause(db, argv[1], paused, cli_author_named(author, user, sizeof(user)),
                                  okno_time_now(), err);
    return rc < 0 ? rc : show(cli, db, argv[1], 10, err);
}

static int run_pause(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    return pause_it(cli, argc, argv, true, err);
}

static int run_resume(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    return pause_it(cli, argc, argv, false, err);
}

/* Whatever can be done now; the service does the same by itself. */
static int run_now(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO(okno_net) *net = NULL;
    const struct okno_net_config config = {.schemes = NULL};
    const struct okno_survey_params params = okno_survey_params_of(cli->conf);
    char next[OKNO_TIME_TEXT];
    int64_t next_us = INT64_MAX;
    long long steps = 0;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "run takes no arguments");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_net_open(&config, &net, err);
    while (rc == 0 &&
           (rc = okno_programme_turn(db, net, &params, okno_time_now(), &next_us, err)) == 1) {
        steps++;
        rc = 0;
    }
    if (rc < 0)
        return rc;
    const char *when = next_us == INT64_MAX ? NULL : okno_time_format(next_us, next);
    if (cli->json)
        printf("{\"steps\":%lld,\"next\":%s%s%s}\n", steps, when ? "\"" : "", when ? when : "null",
               when ? "\"" : "");
    else
        printf("%lld %s taken; next: %s\n", steps, okno_text_form(steps, "step", "steps"),
               when ? when : "none");
    return 0;
}

static void print_figures(const json_t *figures)
{
    const char *id;
    json_t *figure;
    printf("%s to %s, %lld %s\n", text_of(figures, "from"), text_of(figures, "to"),
           count_of(figures, "days"), okno_text_form(count_of(figures, "days"), "day", "days"));
    json_object_foreach(json_object_get(figures, "indicators"), id, figure)
    {
        const char *reason = json_string_value(json_object_get(figure, "null_reason"));
        if (reason)
            printf("%-16s %s\n", id, reason);
        else
            printf(
                "%-16s %.4f [%.4f, %.4f]  %lld valid, %lld invalid, %lld undeterminable of "
                "%lld\n",
                id, json_number_value(json_object_get(figure, "value")),
                json_number_value(json_object_get(figure, "low")),
                json_number_value(json_object_get(figure, "high")), count_of(figure, "valid"),
                count_of(figure, "invalid"), count_of(figure, "undeterminable"),
                count_of(figure, "frame"));
    }
}

static int run_figures(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *figures = NULL;
    const char *from = NULL;
    const char *to = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--from", .text = &from},
                         {.name = "--to", .text = &to}, {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = one_argument(rest, "figures", err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_programme_figures(db, argv[1], from, to, &figures, err);
    if (rc < 0 || cli->json)
        return rc < 0 ? rc : okno_json_print(figures, stdout, err);
    print_figures(figures);
    return 0;
}

static int run_report(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF made = OKNO_BUF_INIT(OKNO_REPORT_BYTES_MAX);
    okno_autojson json_t *model = NULL;
    enum okno_report_format kind = OKNO_REPORT_HTML;
    const char *from = NULL;
    const char *to = NULL;
    const char *format = NULL;
    const char *out = NULL;
    const char *lang = strcmp(cli->conf->service.language, "ru") == 0 ? "ru" : "en";
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--from", .text = &from},
                         {.name = "--to", .text = &to}, {.name = "--format", .text = &format},
                         {.name = "--lang", .text = &lang}, {.name = "-o", .text = &out},
                         {.name = "--out", .text = &out});
    if (rc == 0)
        rc = one_argument(rest, "report", err);
    if (rc == 0 && !okno_report_speaks(lang))
        rc = okno_fail(err, OKNO_USAGE, "--lang takes en or ru, not \"%.20s\"", lang);
    if (rc == 0 && okno_report_format_find(format, &kind, NULL) < 0)
        rc = okno_fail(err, OKNO_USAGE,
                       "--format takes html, pdf, xlsx, csv or json, not \"%.20s\"", format);
    if (rc == 0 && (kind == OKNO_REPORT_PDF || kind == OKNO_REPORT_XLSX) && !out &&
        isatty(STDOUT_FILENO))
        rc = okno_fail(err, OKNO_USAGE, "say where the file goes: -o FILE");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_report_programme(db, argv[1], from, to, okno_time_now(), &model, err);
    if (rc == 0)
        rc = okno_report_write(model, kind, lang, &made, err);
    return rc == 0 ? cli_put(out, &made, err) : rc;
}

static int promise(struct cli *cli, int argc, char **argv, bool reveal, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    const char *day = NULL;
    const char *who = NULL;
    const char *text = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--day", .text = &day},
                         {.name = "--who", .text = &who},
                         {.name = reveal ? "--secret" : "--hash", .text = &text});
    if (rc == 0)
        rc = one_argument(rest, reveal ? "reveal" : "commit", err);
    if (rc == 0 && (!day || !who || !text))
        rc = okno_fail(err, OKNO_USAGE, "say --day DAY --who NAME %s",
                       reveal ? "--secret TEXT" : "--hash SHA256");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    return reveal ? okno_programme_reveal(db, argv[1], day, who, text, okno_time_now(), err)
                  : okno_programme_commit(db, argv[1], day, who, text, okno_time_now(), err);
}

static int run_commit(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    return promise(cli, argc, argv, false, err);
}

static int run_reveal(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    return promise(cli, argc, argv, true, err);
}

static const struct part parts[] = {
    {"put", run_put},         {"list", run_list},     {"show", run_show},   {"run", run_now},
    {"figures", run_figures}, {"report", run_report}, {"pause", run_pause}, {"resume", run_resume},
    {"commit", run_commit},   {"reveal", run_reveal}};

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < OKNO_COUNT(parts); i++) {
        if (strcmp(parts[i].name, name) == 0) {
            argv[1] = argv[0];
            return parts[i].run(cli, argc - 1, argv + 1, err);
        }
    }
    return okno_fail(
        err, OKNO_USAGE,
        "`%.40s` is none of put, list, show, run, figures, report, pause, resume, commit, "
        "reveal",
        name);
}

const struct cli_command cli_programme = {
    .name = "programme",
    .summary = "continuous monitoring: an audit of every day that takes its steps by itself",
    .help =
        "usage: okno programme put PROGRAMME --from DAY [--zone ZONE] [--size N] [--after "
        "MINUTES]\n"
        "                          --beacon URL [--genesis S --period S] | --people NAMES\n"
        "                          [--accept-unheard REASON] [--fm-threshold P] [--accept-fm "
        "REASON]\n"
        "                          [--show-answer] [--double SHARE]\n"
        "                          [--looks M] [--k K] [--level L] [--undeterminable-limit P] "
        "[--title T]\n"
        "                          [--expert-hours H] [--seconds S]\n"
        "                          [--report-to DESTINATION] [--report-dir FOLDER]\n"
        "       okno programme list\n"
        "       okno programme show PROGRAMME [--days N]\n"
        "       okno programme figures PROGRAMME [--from DAY] [--to DAY]\n"
        "       okno programme report PROGRAMME [--from DAY] [--to DAY] [--format "
        "html|pdf|xlsx|csv|json]\n"
        "                             [--lang en|ru] [-o FILE]\n"
        "       okno programme run\n"
        "       okno programme pause PROGRAMME | resume PROGRAMME\n"
        "       okno programme commit PROGRAMME --day DAY --who NAME --hash SHA256\n"
        "       okno programme reveal PROGRAMME --day DAY --who NAME --secret TEXT\n"
        "\n"
        "Every local day becomes an audit named PROGRAMME-YYYYMMDD: planned, frozen, pinned by a\n"
        "checkpoint, seeded, drawn, and closed when it is decided, by `okno serve` or by `run`.\n"
        "After a pause or downtime the missing days follow in order; none is drawn twice. What\n"
        "keeps a day from going on is shown with it and tried again every five minutes.\n"
        "\n"
        "  --beacon URL    where seeds come from, declared before any day: an address (or an\n"
        "                  absolute path) with {round} or {day} in it, which answers with a line "
        "or\n"
        "                  with JSON that has \"randomness\". With {round} the first round after "
        "the\n"
        "                  day's checkpoint is taken: rounds count from 1 at --genesis (UNIX\n"
        "                  seconds), one every --period seconds, as drand's do\n"
        "  --people NAMES  instead, up to eight people, with commas: each commits to a secret\n"
        "                  (`commit`) before the day's checkpoint and reveals it after (`reveal`)\n"
        "  --after MIN     minutes after midnight before a day is frozen (default: 60)\n"
        "  --size N        drawn each day (default: 20)\n"
        "  --looks M       rounds a day (default: 1). With 2 the footage of as many surveys more "
        "is\n"
        "                  fetched at once, one `okno audit extend` may follow until a day after "
        "the\n"
        "                  last decision, and intervals are wider for it\n"
        "  --fm-threshold P  a day with a higher level of force majeure is not frozen (default\n"
        "                  kpi.fm_threshold; 0: none such) until --accept-fm says why it is\n"
        "  --expert-hours H  there for reviews each day; --seconds S: an item's, in place of the\n"
        "                  measured median. `show` says whether they are enough\n"
        "  --report-to D   an e-mail destination (`okno import destinations`) that gets the "
        "report\n"
        "                  of the last 30 days in every format whenever a day is closed;\n"
        "                  --report-dir: a folder that is there and can be written, gets the same "
        "files\n"
        "\n"
        "example:\n"
        "  okno programme put daily --from 2026-03-10 --zone Europe/Moscow --size 24 \\\n"
        "      --beacon 'https://api.drand.sh/public/{round}' --genesis 1595431050 --period 30 \\\n"
        "      --expert-hours 2\n"
        "  okno programme figures daily --from 2026-03-10 --to 2026-03-31\n"
        "  okno programme report daily --from 2026-03-10 --to 2026-03-31 --format pdf -o "
        "march.pdf\n",
    .run = run,
};

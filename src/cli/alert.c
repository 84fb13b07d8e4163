#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "known.h"
#include "options.h"

#include "okno/alert.h"
#include "okno/conf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

struct choice {
    struct okno_alert_filter filter;
    const char *note;
    bool open, json;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

static int print_alert(const json_t *alert, bool json, struct okno_err *err)
{
    if (json)
        return okno_json_print(alert, stdout, err);
    bool open = json_is_null(json_object_get(alert, "closed_at"));
    cli_line("%6lld  %s  %-14s rule %-14s %-20s site %-10s point %-10s %s%s%s",
             (long long)json_integer_value(json_object_get(alert, "alert")), text_of(alert, "at"),
             text_of(alert, "kind"), text_of(alert, "rule"), text_of(alert, "subject"),
             text_of(alert, "site"), text_of(alert, "point"),
             open ? "open" : text_of(alert, "closed_why"),
             json_is_null(json_object_get(alert, "acked_by")) ? "" : ", seen by ",
             json_is_null(json_object_get(alert, "acked_by")) ? "" : text_of(alert, "acked_by"));
    return 0;
}

static int print_all(const json_t *list, bool json, struct okno_err *err)
{
    size_t i;
    const json_t *alert;
    int rc = 0;
    json_array_foreach(list, i, alert) if (rc == 0) rc = print_alert(alert, json, err);
    return rc;
}

static int list(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    okno_autojson json_t *rows = NULL;
    struct okno_alert_filter filter = choice->filter;
    filter.open = choice->open ? 1 : -1;
    int rc = okno_alert_list(db, &filter, &rows, err);
    return rc < 0 ? rc : print_all(rows, choice->json, err);
}

static int print_rule(const struct okno_alert_rule *rule, bool json, struct okno_err *err)
{
    okno_autojson json_t *object = okno_alert_rule_json(rule);
    if (!object)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory");
    if (json)
        return okno_json_print(object, stdout, err);
    cli_line("%-16s %-14s %-16s %s to %s", rule->rule, okno_alert_kind_text(rule->kind),
             rule->place, rule->enabled ? rule->built_in ? "built in" : "stored  " : "at rest ",
             *rule->send_to ? rule->send_to : "nobody");
    return 0;
}

static int rules(struct okno_db *db, bool json, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_alert_rule_vec) all = {0};
    int rc = okno_alert_rules(db, &all, err);
    for (size_t i = 0; rc == 0 && i < all.len; i++)
        rc = print_rule(&all.items[i], json, err);
    return rc;
}

static int ack(struct okno_db *db, const char *number, const struct choice *choice,
               struct okno_err *err)
{
    char author[80];
    char *end = NULL;
    long long alert = strtoll(number, &end, 10);
    if (end == number || *end)
        return okno_fail(err, OKNO_USAGE, "%.40s is no number of an alert", number);
    cli_author(author, sizeof(author));
    return okno_alert_ack(db, alert, author, choice->note, okno_time_now(), err);
}

static int try_rules(struct cli *cli, struct okno_db *db, const struct choice *choice,
                     struct okno_err *err)
{
    okno_autojson json_t *rows = NULL;
    int64_t liveness_us = cli->conf->survey.liveness_h * 3600 * OKNO_SECOND_US;
    int rc = okno_alert_try(db, okno_time_now(), liveness_us, &rows, err);
    if (rc == 0 && json_array_size(rows) == 0)
        (void)fprintf(stderr, "nothing would open now\n");
    return rc < 0 ? rc : print_all(rows, choice->json, err);
}

static int run_verb(struct cli *cli, struct okno_db *db, int rest, char **argv,
                    const struct choice *choice, struct okno_err *err)
{
    const char *verb = rest >= 1 ? argv[1] : "";
    if (strcmp(verb, "list") == 0 && rest == 1) {
        int rc = cli_check_known(db, choice->filter.site, choice->filter.point, NULL, err);
        return rc < 0 ? rc : list(db, choice, err);
    }
    if (strcmp(verb, "rules") == 0 && rest == 1)
        return rules(db, choice->json, err);
    if (strcmp(verb, "ack") == 0 && rest == 2)
        return ack(db, argv[2], choice, err);
    if (strcmp(verb, "test") == 0 && rest == 1)
        return try_rules(cli, db, choice, err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno alert list`, `okno alert rules`, `okno alert ack NUMBER` or "
                     "`okno alert test`");
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.filter = OKNO_ALERT_FILTER_ALL, .json = cli->json};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--site", .text = &choice.filter.site},
                         {.name = "--point", .text = &choice.filter.point},
                         {.name = "--kind", .text = &choice.filter.kind},
                         {.name = "--rule", .text = &choice.filter.rule},
                         {.name = "--limit", .integer = &choice.filter.limit},
                         {.name = "--note", .text = &choice.note},
                         {.name = "--open", .flag = &choice.open},
                         {.name = "--json", .flag = &choice.json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : run_verb(cli, db, rest, argv, &choice, err);
}

const struct cli_command cli_alert = {
    .name = "alert",
    .summary = "conditions that somebody should know of: list, rules, ack, test",
    .help =
        "usage: okno alert list [--open] [--site ID] [--point ID] [--kind KIND] [--rule ID]\n"
        "                       [--limit N] [--json]\n"
        "       okno alert rules [--json]\n"
        "       okno alert ack NUMBER [--note TEXT]\n"
        "       okno alert test [--json]\n"
        "\n"
        "list: alerts, newest first. rules: what raises them; rules are imported (okno import\n"
        "alert_rules), and those built in stand until one of the same id is. ack: say that an\n"
        "alert was seen; the first who says so stands. test: what the rules would open at this\n"
        "moment, without keeping or sending anything. The running service (okno serve) evaluates\n"
        "rules and sends messages (okno notify).\n"
        "Kinds: negative negatives fm_burst silent_share invalid_share device_quiet clock_jump\n"
        "clock_suspect point_quiet archive appeal appeal_due commission.\n"
        "\n"
        "example: okno alert list --open --site S1\n",
    .run = run,
};

/* okno hold: keep evidence from retention. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/json.h"
#include "okno/purge.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

static int add(struct cli *cli, struct okno_hold *hold, int rest, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    int64_t id = 0;
    if (rest != 1)
        return okno_fail(err, OKNO_USAGE, "hold add takes options only");
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_hold_add(db, hold, okno_time_now(), &id, err);
    if (rc == 0 && cli->json)
        printf("{\"hold\":%lld}\n", (long long)id);
    else if (rc == 0)
        printf("hold %lld\n", (long long)id);
    return rc;
}

static int release(struct cli *cli, const struct okno_hold *hold, int rest, char **argv,
                   struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    char *end = NULL;
    long long id = rest == 2 ? strtoll(argv[2], &end, 10) : 0;
    if (rest != 2 || id < 1 || *end)
        return okno_fail(err, OKNO_USAGE,
                         "say which hold and why: okno hold release NUMBER --reason TEXT");
    int rc = cli_open_db(cli, &db, err);
    return rc == 0 ? okno_hold_release(db, id, hold->reason, hold->author, okno_time_now(), err)
                   : rc;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "-";
}

static void print_hold(const json_t *one)
{
    const char *survey = json_string_value(json_object_get(one, "survey"));
    const char *audit = json_string_value(json_object_get(one, "audit"));
    printf("%-5lld ", (long long)json_integer_value(json_object_get(one, "hold")));
    if (survey || audit)
        printf("%s %s", survey ? "survey" : "audit", survey ? survey : audit);
    else
        printf("%s to %s site %s", text_of(one, "from"), text_of(one, "to"), text_of(one, "site"));
    printf("  by %s at %s until %s: %s", text_of(one, "author"), text_of(one, "at"),
           text_of(one, "until"), text_of(one, "reason"));
    if (!json_is_null(json_object_get(one, "released_at")))
        printf("; released by %s at %s: %s", text_of(one, "released_by"),
               text_of(one, "released_at"), text_of(one, "release_reason"));
    printf("\n");
}

static int list(struct cli *cli, int rest, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *holds = NULL;
    size_t i;
    json_t *one;
    if (rest != 1)
        return okno_fail(err, OKNO_USAGE, "hold list takes no arguments");
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_hold_list(db, &holds, err);
    if (rc < 0 || cli->json)
        return rc < 0 ? rc : okno_json_print(holds, stdout, err);
    rc = okno_json_calm(holds, err);
    if (rc < 0)
        return rc;
    json_array_foreach(holds, i, one)
    {
        print_hold(one);
    }
    return 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct okno_hold hold = {.from_us = -1, .to_us = -1, .until_us = -1};
    char user[80];
    int rest = 0;
    cli_author(user, sizeof(user));
    hold.author = user;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--survey", .text = &hold.survey},
        {.name = "--audit", .text = &hold.audit}, {.name = "--site", .text = &hold.site},
        {.name = "--from", .time_us = &hold.from_us}, {.name = "--to", .time_us = &hold.to_us},
        {.name = "--until", .time_us = &hold.until_us}, {.name = "--reason", .text = &hold.reason},
        {.name = "--by", .text = &hold.author}, {.name = "--json", .flag = &cli->json});
    const char *verb = rc == 0 && rest > 0 ? argv[1] : "";
    if (rc < 0)
        return rc;
    if (strcmp(verb, "add") == 0)
        return add(cli, &hold, rest, err);
    if (strcmp(verb, "release") == 0)
        return release(cli, &hold, rest, argv, err);
    if (strcmp(verb, "list") == 0)
        return list(cli, rest, err);
    return okno_fail(err, OKNO_USAGE, "hold does add, release and list, not `%.40s`", verb);
}

const struct cli_command cli_hold = {
    .name = "hold",
    .summary = "keep evidence from retention: add, release, list",
    .help =
        "usage: okno hold add (--survey ID | --audit AUDIT | --from TIME --to TIME [--site SITE])\n"
        "                     --reason TEXT [--until TIME] [--by NAME] [--json]\n"
        "       okno hold release NUMBER --reason TEXT [--by NAME]\n"
        "       okno hold list [--json]\n"
        "\n"
        "What is held is not destroyed by retention (`okno purge`): the evidence of one survey, "
        "of\n"
        "the sample of one audit, or everything recorded in a time, at a site or everywhere.\n"
        "A hold ends at its --until or when it is released. Both are told to the evidence log,\n"
        "without the reason.\n"
        "\n"
        "example: okno hold add --survey d1.0.17 --reason 'complaint 4711' --until "
        "2027-01-01T00:00:00Z\n",
    .run = run,
};

/* okno purge: destroy evidence that is older than the rule, or say what would go. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/json.h"
#include "okno/purge.h"
#include "okno/text.h"
#include "okno/time.h"

static void print_counts(const char *word, const json_t *counts)
{
    const char *key;
    json_t *count;
    json_object_foreach((json_t *)(uintptr_t)counts, key, count)
    {
        printf("%-9s %lld %s\n", word, (long long)json_integer_value(count), key);
    }
}

static long long number_of(const json_t *json, const char *key)
{
    return (long long)json_integer_value(json_object_get(json, key));
}

static int show_plan(struct cli *cli, struct okno_db *db, const struct okno_purge_rule *rule,
                     struct okno_err *err)
{
    okno_autojson json_t *plan = NULL;
    okno_autojson json_t *forecast = NULL;
    int64_t now_us = okno_time_now();
    int rc = okno_purge_plan(db, rule, now_us, &plan, err);
    if (rc == 0)
        rc = okno_purge_forecast(db, cli->data_dir, rule->keep_days, now_us, &forecast, err);
    if (rc < 0)
        return rc;
    if (cli->json) {
        (void)json_object_set(plan, "forecast", forecast);
        return okno_json_print(plan, stdout, err);
    }
    printf("would go  %lld %s, %lld bytes: recorded before %s\n", number_of(plan, "files"),
           okno_text_form(number_of(plan, "files"), "file", "files"), number_of(plan, "bytes"),
           json_string_value(json_object_get(plan, "before")));
    print_counts("would go", json_object_get(plan, "by_kind"));
    print_counts("held by", json_object_get(plan, "kept"));
    if (number_of(plan, "left") > 0)
        printf("begun     %lld %s of an earlier run\n", number_of(plan, "left"),
               okno_text_form(number_of(plan, "left"), "file", "files"));
    printf("disk      %lld bytes of evidence, %lld a day; %lld free",
           number_of(forecast, "evidence_bytes"), number_of(forecast, "bytes_per_day"),
           number_of(forecast, "free_bytes"));
    if (!json_is_null(json_object_get(forecast, "days_left")))
        printf(", full in %lld %s", number_of(forecast, "days_left"),
               okno_text_form(number_of(forecast, "days_left"), "day", "days"));
    printf("\n");
    return 0;
}

static int destroy(struct cli *cli, struct okno_db *db, const struct okno_purge_rule *rule,
                   struct okno_err *err)
{
    struct okno_purged all = {.more = true};
    int rc = 0;
    while (rc == 0 && all.more) {
        struct okno_purged one = {.files = 0};
        rc = okno_purge_run(db, cli->data_dir, rule, okno_time_now(), &one, err);
        all.files += one.files;
        all.bytes += one.bytes;
        all.more = one.more;
    }
    if (rc < 0)
        return rc;
    if (!cli->json) {
        printf("destroyed %lld %s, %lld bytes\n", (long long)all.files,
               okno_text_form(all.files, "file", "files"), (long long)all.bytes);
        return 0;
    }
    okno_autojson json_t *json =
        json_pack("{s:I, s:I, s:I}", "keep_days", (json_int_t)rule->keep_days, "files",
                  (json_int_t)all.files, "bytes", (json_int_t)all.bytes);
    return okno_json_print(json, stdout, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_purge_rule rule = {.keep_days = cli->conf->evidence.keep_days};
    char user[80];
    bool dry = false;
    int rest = 0;
    cli_author(user, sizeof(user));
    rule.author = user;
    int rc =
        CLI_OPTIONS(argc, argv, &rest, err, {.name = "--dry-run", .flag = &dry},
                    {.name = "--days", .integer = &rule.keep_days},
                    {.name = "--by", .text = &rule.author}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "purge takes no arguments, only options");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    return dry ? show_plan(cli, db, &rule, err) : destroy(cli, db, &rule, err);
}

const struct cli_command cli_purge = {
    .name = "purge",
    .summary = "destroy evidence older than the rule, or say what would go",
    .help =
        "usage: okno purge [--dry-run] [--days N] [--by NAME] [--json]\n"
        "\n"
        "Destroys clips and stills recorded more than N days ago (default: evidence.keep_days of\n"
        "the settings; the service does the same by itself every hour where that is set).\n"
        "Left alone is what is held: by `okno hold`, by an audit that is not closed, an open\n"
        "review or appeal, or because its pay period is not closed yet. Hashes, verdicts,\n"
        "history and the log stay, and still verify; the dossier says when a file was\n"
        "destroyed and by which rule. The record is written before the file goes. A run that\n"
        "was killed is ended by the next one. `okno backup` removes the same files from its\n"
        "folder.\n"
        "\n"
        "  --dry-run  how much would go, what is held by what, and how the disk fills\n"
        "  --days N   in place of the settings\n"
        "  --by NAME  who is written down (default: the local user)\n"
        "  --json     one JSON document\n"
        "\n"
        "example: okno purge --days 90 --dry-run\n",
    .run = run,
};

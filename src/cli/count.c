/* okno count list: counts of transactions, visitors and served customers, with what they were. */
#include "cli.h"
#include "options.h"

#include "okno/import.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <string.h>

struct choice {
    const char *scope, *kind;
    int64_t from_us, to_us;
    bool history, json;
};

static int print_json(struct okno_stmt *stmt, struct okno_err *err)
{
    okno_autojson json_t *object = json_pack(
        "{ss* ss* so so sI ss* sI so ss* sb}", "scope", okno_stmt_text(stmt, "scope"), "kind",
        okno_stmt_text(stmt, "kind"), "from", okno_json_time(okno_stmt_int(stmt, "valid_from")),
        "to", okno_json_time(okno_stmt_int(stmt, "valid_to")), "count",
        (json_int_t)okno_stmt_int(stmt, "count"), "source", okno_stmt_text(stmt, "source"),
        "import", (json_int_t)okno_stmt_int(stmt, "import"), "at",
        okno_json_time(okno_stmt_int(stmt, "at")), "author", okno_stmt_text(stmt, "author"),
        "stands", okno_stmt_int(stmt, "stands") != 0);
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int print_text(struct okno_stmt *stmt)
{
    char from[OKNO_TIME_TEXT];
    char to[OKNO_TIME_TEXT];
    char at[OKNO_TIME_TEXT];
    printf("%-20s %-12s %s .. %s  %8lld  %-7s by %s at %s, import %lld%s\n",
           okno_stmt_text(stmt, "scope"), okno_stmt_text(stmt, "kind"),
           okno_time_format(okno_stmt_int(stmt, "valid_from"), from),
           okno_time_format(okno_stmt_int(stmt, "valid_to"), to),
           (long long)okno_stmt_int(stmt, "count"), okno_stmt_text(stmt, "source"),
           okno_stmt_text(stmt, "author"), okno_time_format(okno_stmt_int(stmt, "at"), at),
           (long long)okno_stmt_int(stmt, "import"),
           okno_stmt_int(stmt, "stands") ? "" : ", corrected since");
    return 0;
}

static int list(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "cli.counts", &stmt, err, OKNO_TEXT("scope", choice->scope),
                             OKNO_TEXT("kind", choice->kind), OKNO_INT("from", choice->from_us),
                             OKNO_INT("to", choice->to_us), OKNO_INT("history", choice->history));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = choice->json ? print_json(stmt, err) : print_text(stmt);
    return rc;
}

/* A choice that cannot be would list nothing. */
static int check(const struct choice *choice, struct okno_err *err)
{
    static const struct okno_field scope = {
        .name = "--scope", .type = OKNO_FIELD_SCOPED, .words = "site point employee"};
    static const struct okno_field kind = {
        .name = "--kind", .type = OKNO_FIELD_WORD, .words = "transactions visitors served"};
    struct okno_value ignored;
    int rc = okno_field_check(&scope, NULL, choice->scope, &ignored, err);
    return rc < 0 ? rc : okno_field_check(&kind, NULL, choice->kind, &ignored, err);
}

static int require_scope(struct okno_db *db, const char *scope, struct okno_err *err)
{
    char noun[16];
    if (!scope)
        return 0;
    (void)snprintf(noun, sizeof(noun), "%.*s", (int)strcspn(scope, ":"), scope);
    return okno_registry_require(db, noun, strchr(scope, ':') + 1, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.from_us = INT64_MIN, .to_us = INT64_MAX, .json = cli->json};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--scope", .text = &choice.scope},
        {.name = "--kind", .text = &choice.kind}, {.name = "--from", .time_us = &choice.from_us},
        {.name = "--to", .time_us = &choice.to_us}, {.name = "--history", .flag = &choice.history},
        {.name = "--json", .flag = &choice.json});
    if (rc == 0 && (rest != 1 || strcmp(argv[1], "list") != 0))
        rc = okno_fail(err, OKNO_USAGE, "write `okno count list`");
    if (rc == 0)
        rc = check(&choice, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = require_scope(db, choice.scope, err);
    return rc < 0 ? rc : list(db, &choice, err);
}

const struct cli_command cli_count = {
    .name = "count",
    .summary = "counts of transactions, visitors and served customers, and their corrections",
    .help =
        "usage: okno count list [--scope SCOPE] [--kind transactions|visitors|served]\n"
        "                       [--from TIME] [--to TIME] [--history] [--json]\n"
        "\n"
        "One line for each count that overlaps the time, with its source and who brought it in.\n"
        "Counts come in by `okno import counts`. Importing another number for the same scope,\n"
        "kind and from corrects a count; what it was stays and is listed with --history.\n"
        "\n"
        "  --scope SCOPE  site:ID, point:ID or employee:ID\n"
        "  --history      also what was corrected since, newest first\n"
        "  --json         one JSON object a line; stands tells whether it is the one that counts\n"
        "\n"
        "example: okno count list --scope site:S1 --history\n",
    .run = run,
};

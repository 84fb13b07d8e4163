#define _POSIX_C_SOURCE 200809L
#include "okno/import.h"
#include "cli.h"
#include "options.h"
#include "progress.h"
#include "refresh.h"

#include "okno/alert.h"
#include "okno/event.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/notify.h"

#include <stdio.h>
#include <string.h>

/* Kinds of rooms above the registry; one line each. */
static const struct okno_import_kind *const more_kinds[] = {
    &okno_event_import, &okno_alert_rule_import, &okno_destination_import, NULL};

static const struct okno_import_kind *kind_at(size_t place)
{
    size_t count;
    const struct okno_import_kind *kinds = okno_registry_kinds(&count);
    if (place < count)
        return &kinds[place];
    return place - count < OKNO_COUNT(more_kinds) ? more_kinds[place - count] : NULL;
}

static const struct okno_import_kind *find_kind(const char *name, struct okno_err *err)
{
    char allowed[400];
    size_t used = 0;
    const struct okno_import_kind *kind;
    for (size_t i = 0; (kind = kind_at(i)); i++) {
        if (strcmp(kind->kind, name) == 0)
            return kind;
        if (used < sizeof(allowed))
            used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, " %s", kind->kind);
    }
    (void)okno_fail(err, OKNO_USAGE, "unknown kind \"%.40s\"; known:%s", name, allowed);
    return NULL;
}

/* --- what the kinds are, from their tables */

static void print_field(const struct okno_field *field)
{
    printf("  %-16s %s%s", field->name, field->required ? "" : "[optional] ", field->help);
    if (field->words)
        printf(" (%s)", field->words);
    if (field->type == OKNO_FIELD_INT)
        printf(" (%lld..%lld)", (long long)field->min, (long long)field->max);
    if (field->fallback && *field->fallback)
        printf("; default %s", field->fallback);
    printf("\n");
}

static int print_kinds(void)
{
    const struct okno_import_kind *kind;
    for (size_t i = 0; (kind = kind_at(i)); i++) {
        printf("%s%s: %s\n", i ? "\n" : "", kind->kind, kind->help);
        for (size_t j = 0; j < kind->field_count; j++)
            print_field(&kind->fields[j]);
    }
    return 0;
}

/* --- the import */

static void on_rejected(void *ctx, const char *file, int64_t line, const struct okno_err *why)
{
    (void)ctx;
    (void)fprintf(stderr, "%s:%lld: %s: %s\n", file, (long long)line,
                  okno_code_info(why->code)->name, why->text);
}

static void on_progress(void *ctx, const struct okno_import_result *so_far, int64_t bytes,
                        int64_t size)
{
    (void)ctx;
    (void)so_far;
    cli_progress("import", bytes, size);
}

static int print_result(const struct cli *cli, const char *kind, const struct okno_import_result *n,
                        struct okno_err *err)
{
    if (!cli->json) {
        printf("%s: %lld read, %lld added, %lld duplicate, %lld rejected\n", kind,
               (long long)n->read, (long long)n->added, (long long)n->duplicate,
               (long long)n->rejected);
        return 0;
    }
    okno_autojson json_t *object =
        json_pack("{ss sI sI sI sI sI}", "kind", kind, "read", (json_int_t)n->read, "added",
                  (json_int_t)n->added, "duplicate", (json_int_t)n->duplicate, "rejected",
                  (json_int_t)n->rejected, "import", (json_int_t)n->import);
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int import_files(struct cli *cli, const struct okno_import_kind *kind, char **files,
                        int count, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_import_result result = {0};
    struct okno_err shown = {0};
    char author[80];
    int rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    cli_author(author, sizeof(author));
    struct okno_import_job job = {.db = db,
                                  .conf = cli->conf,
                                  .kind = kind,
                                  .author = author,
                                  .rejected = on_rejected,
                                  .progress = on_progress};
    for (int i = 0; rc == 0 && i < count; i++)
        rc = okno_import_file(&job, files[i], &result, err);
    if (rc < 0 && result.import == 0)
        return rc;
    int printed = print_result(cli, kind->kind, &result, &shown);
    if (rc == 0)
        rc = cli_refresh_surveys(cli, db, err);
    if (rc < 0)
        return rc;
    return printed == 0 && result.rejected ? OKNO_PARTIAL : printed;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    bool kinds = false;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json},
                         {.name = "--kinds", .flag = &kinds});
    if (rc < 0)
        return rc;
    if (kinds)
        return print_kinds();
    if (rest < 2)
        return okno_fail(err, OKNO_USAGE,
                         "a kind and at least one file are needed, such as "
                         "`okno import sites sites.csv`");
    const struct okno_import_kind *kind = find_kind(argv[1], err);
    return kind ? import_files(cli, kind, argv + 2, rest - 1, err) : OKNO_USAGE;
}

const struct cli_command cli_import = {
    .name = "import",
    .summary = "take facts from CSV or JSON Lines files into the database",
    .help =
        "usage: okno import KIND FILE... [--json]\n"
        "       okno import --kinds\n"
        "\n"
        "Takes rows of CSV (comma, header row, UTF-8) or JSON Lines; - is standard input.\n"
        "A row is stored whole or not at all; repeating an import adds nothing. A row with a\n"
        "known key and other content is the key's next version. Each rejected row goes to\n"
        "stderr as FILE:LINE: CODE: message, and the exit status is 4.\n"
        "\n"
        "  --json   the summary as JSON: kind, read, added, duplicate, rejected, import\n"
        "  --kinds  every kind with its columns\n"
        "\n"
        "example:\n"
        "  printf 'site,name,time_zone\\nS1,First shop,Europe/Moscow\\n' | okno import sites -\n",
    .run = run,
};

#define _POSIX_C_SOURCE 200809L
#include "okno/import.h"
#include "cli.h"
#include "import_list.h"
#include "options.h"
#include "progress.h"
#include "refresh.h"

#include "okno/alert.h"
#include "okno/event.h"
#include "okno/json.h"
#include "okno/map.h"
#include "okno/mem.h"
#include "okno/notify.h"
#include "okno/review.h"
#include "okno/work.h"

#include <stdio.h>
#include <string.h>

/* Kinds of rooms above the registry; one line each. */
static const struct okno_import_kind *const more_kinds[] = {&okno_event_import, &okno_review_import,
                                                            &okno_alert_rule_import,
                                                            &okno_destination_import, NULL};

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

struct request {
    const struct okno_import_kind *kind;
    struct okno_map *map; /* NULL: our own columns */
    bool dry_run;
};

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

/* A field as CSV writes it. */
static void print_cell(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        (void)fputs(text, stdout);
        return;
    }
    (void)putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            (void)putchar('"');
        (void)putchar(*text);
    }
    (void)putchar('"');
}

static void print_names(const struct okno_import_kind *kind)
{
    for (size_t i = 0; i < kind->field_count; i++)
        printf("%s%s", i ? "," : "", kind->fields[i].name);
    printf("\n");
}

/* In a dry run: the row as it would be stored. */
static void on_stored(void *ctx, const struct okno_value *values)
{
    const struct request *request = ctx;
    for (size_t i = 0; i < request->kind->field_count; i++) {
        if (i)
            (void)putchar(',');
        print_cell(values[i].text ? values[i].text : "");
    }
    (void)putchar('\n');
}

static int print_json(const struct request *request, const struct okno_import_result *n,
                      struct okno_err *err)
{
    okno_autojson json_t *object =
        json_pack("{ss sI sI sI sI sI}", "kind", request->kind->kind, "read", (json_int_t)n->read,
                  "added", (json_int_t)n->added, "duplicate", (json_int_t)n->duplicate, "rejected",
                  (json_int_t)n->rejected, "import", (json_int_t)n->import);
    if (object && request->map)
        (void)json_object_set_new(object, "skipped", json_integer(n->skipped));
    if (object && request->dry_run)
        (void)json_object_set_new(object, "dry_run", json_true());
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int print_result(const struct cli *cli, const struct request *request,
                        const struct okno_import_result *n, struct okno_err *err)
{
    if (cli->json)
        return print_json(request, n, err);
    FILE *to = request->dry_run ? stderr : stdout; /* stdout has the rows */
    (void)fprintf(to, "%s: %lld read, %lld added, %lld duplicate, %lld rejected",
                  request->kind->kind, (long long)n->read, (long long)n->added,
                  (long long)n->duplicate, (long long)n->rejected);
    if (request->map)
        (void)fprintf(to, ", %lld skipped", (long long)n->skipped);
    (void)fprintf(to, "%s\n", request->dry_run ? "; nothing is stored: this was a dry run" : "");
    return 0;
}

static int import_files(struct cli *cli, const struct request *request, char **files, int count,
                        struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_import_result result = {0};
    struct okno_err shown = {0};
    char author[80];
    bool show = request->dry_run && !cli->json;
    int rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    cli_author(author, sizeof(author));
    const struct okno_import_job job = {.db = db,
                                        .conf = cli->conf,
                                        .kind = request->kind,
                                        .author = author,
                                        .map = request->map,
                                        .dry_run = request->dry_run,
                                        .check = okno_archive_rows_check(request->kind->kind),
                                        .rejected = on_rejected,
                                        .stored = show ? on_stored : NULL,
                                        .progress = on_progress,
                                        .ctx = (void *)(uintptr_t)request};
    if (show)
        print_names(request->kind);
    for (int i = 0; rc == 0 && i < count; i++)
        rc = okno_import_file(&job, files[i], &result, err);
    if (rc < 0 && result.import == 0)
        return rc;
    int printed = print_result(cli, request, &result, &shown);
    if (rc == 0 && !request->dry_run)
        rc = cli_refresh_surveys(cli, db, err);
    if (rc < 0)
        return rc;
    return printed == 0 && result.rejected ? OKNO_PARTIAL : printed;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    bool kinds = false;
    const char *map_file = NULL;
    struct request request = {0};
    struct cli_import_choice choice = {.from_us = INT64_MIN, .to_us = INT64_MAX};
    OKNO_AUTO(okno_map) *map = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--json", .flag = &cli->json},
        {.name = "--kinds", .flag = &kinds}, {.name = "--map", .text = &map_file},
        {.name = "--dry-run", .flag = &request.dry_run}, {.name = "--kind", .text = &choice.kind},
        {.name = "--from", .time_us = &choice.from_us}, {.name = "--to", .time_us = &choice.to_us});
    if (rc < 0)
        return rc;
    if (kinds)
        return print_kinds();
    if (rest == 1 && strcmp(argv[1], "list") == 0) {
        if (choice.kind && !find_kind(choice.kind, err))
            return OKNO_USAGE;
        return cli_import_list(cli, &choice, err);
    }
    if (rest < 2)
        return okno_fail(err, OKNO_USAGE,
                         "a kind and at least one file are needed, such as "
                         "`okno import sites sites.csv`");
    request.kind = find_kind(argv[1], err);
    if (!request.kind)
        return OKNO_USAGE;
    if (map_file && (rc = okno_map_load(map_file, request.kind, &map, err)) < 0)
        return rc;
    request.map = map;
    return import_files(cli, &request, argv + 2, rest - 1, err);
}

const struct cli_command cli_import = {
    .name = "import",
    .summary = "take facts from CSV or JSON Lines files into the database",
    .help =
        "usage: okno import KIND FILE... [--map MAP] [--dry-run] [--json]\n"
        "       okno import list [--kind KIND] [--from TIME] [--to TIME] [--json]\n"
        "       okno import --kinds\n"
        "\n"
        "Takes rows of CSV (comma, header row, UTF-8) or JSON Lines; - is standard input.\n"
        "A row is stored whole or not at all; repeating an import adds nothing. A row with a\n"
        "known key and other content is the key's next version. Each rejected row goes to\n"
        "stderr as FILE:LINE: CODE: message, and the exit status is 4.\n"
        "\n"
        "list shows the imports so far: number, when, by whom, from where, and their counts;\n"
        "--from and --to are the time of the import.\n"
        "\n"
        "  --map MAP  the files are tables that another program exported: MAP says how they\n"
        "             look and which column feeds which field (docs/import.md, conf/maps)\n"
        "  --dry-run  check and count, store nothing; print the rows as they would be stored\n"
        "  --json     the summary as JSON: kind, read, added, duplicate, rejected, import;\n"
        "             with a map also skipped\n"
        "  --kinds    every kind with its columns\n"
        "\n"
        "example:\n"
        "  printf 'site,name,time_zone\\nS1,First shop,Europe/Moscow\\n' | okno import sites -\n"
        "  okno import counts --map conf/maps/door-counter.conf hours.txt\n",
    .run = run,
};

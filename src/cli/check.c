/* okno check: the database against the evidence store. */
#include "cli.h"
#include "options.h"
#include "progress.h"

#include "okno/evidence.h"
#include "okno/json.h"

enum { SHOWN_MAX = 1000 }; /* findings in the JSON document; all are counted */

struct check {
    bool json, failed;
    json_t *findings;
};

static void add(struct check *c, const char *kind, bool fails, const char *subject,
                const char *text)
{
    c->failed = c->failed || fails;
    if (!c->json)
        cli_line("%-8s %-12s %s: %s", fails ? "error" : "warning", kind, subject, text);
    else if (json_array_size(c->findings) < SHOWN_MAX)
        json_array_append_new(c->findings,
                              json_pack("{s:s, s:s, s:s, s:b}", "kind", kind, "subject", subject,
                                        "text", text, "fails", (int)fails));
}

static void hear(void *ctx, enum okno_evidence_finding finding, const char *subject,
                 const char *text)
{
    add(ctx, okno_evidence_finding_name(finding), okno_evidence_finding_fails(finding), subject,
        text);
}

static void show_progress(void *ctx, int64_t done, int64_t total)
{
    (void)ctx;
    cli_progress("checking", done, total);
}

static int print(const struct check *c, const struct okno_evidence_checked *checked,
                 struct okno_err *err)
{
    if (!c->json) {
        printf(
            "%lld row(s), %lld file(s) with %lld bytes are right; %lld stray file(s), %lld "
            "removed\n",
            (long long)checked->rows, (long long)checked->files, (long long)checked->bytes,
            (long long)checked->found[OKNO_EVIDENCE_STRAY], (long long)checked->removed);
        return 0;
    }
    okno_autojson json_t *document = json_pack(
        "{s:b, s:I, s:I, s:I, s:I, s:O}", "ok", (int)!c->failed, "rows", (json_int_t)checked->rows,
        "files", (json_int_t)checked->files, "bytes", (json_int_t)checked->bytes, "removed",
        (json_int_t)checked->removed, "findings", c->findings);
    for (int i = 0; document && i < OKNO_EVIDENCE_FINDING_COUNT; i++)
        json_object_set_new(document, okno_evidence_finding_name((enum okno_evidence_finding)i),
                            json_integer(checked->found[i]));
    return okno_json_print(document, stdout, err);
}

static int check_all(struct cli *cli, bool repair, struct check *c, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_err trouble = {0};
    struct okno_evidence_checked checked = {0};
    const struct okno_evidence_checker checker = {
        .ctx = c, .tell = hear, .progress = show_progress, .repair = repair};
    int rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (okno_db_check(db, &trouble) < 0) /* then its rows cannot be trusted: look no further */
        add(c, "database", true, "okno.db", trouble.text);
    else
        rc = okno_evidence_check(db, cli->data_dir, &checker, &checked, err);
    return rc < 0 ? rc : print(c, &checked, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    okno_autojson json_t *findings = json_array();
    struct check c = {.findings = findings};
    bool repair = false;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--repair", .flag = &repair},
                         {.name = "--json", .flag = &cli->json});
    c.json = cli->json;
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "check takes no arguments, only --repair, --json");
    if (rc == 0)
        rc = check_all(cli, repair, &c, err);
    if (rc == 0 && c.failed)
        rc = okno_fail(err, OKNO_CHECK_FAILED,
                       "the database and the evidence do not agree; each line says where");
    return rc;
}

const struct cli_command cli_check = {
    .name = "check",
    .summary = "compare the database with the evidence store",
    .help =
        "usage: okno check [--repair] [--json]\n"
        "\n"
        "Looks whether the database is whole, whether the file of each piece of evidence is\n"
        "there with its size and SHA-256, and whether links agree with evidence. Files that no\n"
        "row names (a process was killed between the two) are told; --repair removes them and\n"
        "nothing else. Exit 6 when something is missing, damaged or inconsistent.\n"
        "\n"
        "example: okno --data /var/lib/okno check --json\n",
    .run = run,
};

/* okno backup: the database and the evidence into another folder. */
#include "cli.h"
#include "options.h"
#include "progress.h"

#include "okno/evidence.h"
#include "okno/json.h"

static void tell(void *ctx, const char *sha256, const char *text)
{
    (void)ctx;
    (void)fprintf(stderr, "okno backup: %s: %s\n", sha256, text);
}

static void show_progress(void *ctx, int64_t done, int64_t total)
{
    (void)ctx;
    cli_progress("copying", done, total);
}

static int print(const struct okno_evidence_backed_up *counts, const char *folder, bool as_json,
                 struct okno_err *err)
{
    if (!as_json) {
        printf(
            "%s holds the database and %lld file(s); %lld new ones were copied (%lld bytes)\n"
            "The keys in keys/ are not in it: keep a copy of them elsewhere.\n",
            folder, (long long)(counts->files - counts->lost), (long long)counts->copied,
            (long long)counts->bytes);
        return 0;
    }
    okno_autojson json_t *json =
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "folder", folder, "files", (json_int_t)counts->files,
                  "copied", (json_int_t)counts->copied, "bytes", (json_int_t)counts->bytes, "lost",
                  (json_int_t)counts->lost);
    return okno_json_print(json, stdout, err);
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_evidence_backup backup = {.tell = tell, .progress = show_progress};
    struct okno_evidence_backed_up counts = {0};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "say the folder: okno backup FOLDER");
    backup.to_dir = argv[1];
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_evidence_back_up(db, cli->data_dir, &backup, &counts, err);
    if (rc == 0)
        rc = print(&counts, argv[1], cli->json, err);
    if (rc == 0 && counts.lost > 0)
        rc = okno_fail(err, OKNO_PARTIAL,
                       "%lld file(s) could not be copied; `okno check` tells more",
                       (long long)counts.lost);
    return rc;
}

const struct cli_command cli_backup = {
    .name = "backup",
    .summary = "copy the database and the evidence into another folder",
    .help =
        "usage: okno backup FOLDER [--json]\n"
        "\n"
        "Copies the database as it is at one moment, and every file that it names, while the\n"
        "service runs. A later backup into the same FOLDER copies only files that are new.\n"
        "FOLDER is a data directory without keys/: `okno --data FOLDER check` reads all of it\n"
        "and compares hashes. Keep keys/ elsewhere: who has the log's key can sign for you. A\n"
        "FOLDER with keys/ is taken for a data directory in use, and left alone.\n"
        "\n"
        "To restore: stop the service, move the old data directory aside (an old okno.db-wal\n"
        "must not meet another okno.db), copy FOLDER to its place, move keys/ back into it,\n"
        "start. If checkpoints were handed out after the backup, okno takes no more entries and\n"
        "`okno recover --help` says what to do.\n"
        "\n"
        "example: okno --data /var/lib/okno backup /mnt/backup/okno\n",
    .run = run,
};

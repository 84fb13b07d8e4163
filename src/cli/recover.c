/* okno recover: go on after an older backup was restored. */
#include "cli.h"
#include "options.h"

#include "okno/ledger.h"
#include "okno/time.h"

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_checkpoint checkpoint = {.size = 0};
    struct okno_ledger_recovery recovery = {.at_us = okno_time_now()};
    char user[80];
    const char *path = NULL;
    int rest = 0;
    cli_author(user, sizeof(user));
    recovery.author = user;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--reason", .text = &recovery.reason},
                         {.name = "--by", .text = &recovery.author}, {.name = "-o", .text = &path});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "recover takes no arguments, only options");
    if (rc == 0 && (!recovery.reason || !*recovery.reason))
        rc = okno_fail_field(err, OKNO_USAGE, "reason",
                             "say what happened: --reason 'the disk died, backup of Monday'");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_ledger_recover(db, &recovery, &checkpoint, &note, err);
    if (rc < 0)
        return rc;
    (void)fprintf(stderr,
                  "okno recover: entry %lld begins the log %s; give its checkpoint to those who "
                  "have one of the old log\n",
                  (long long)checkpoint.size - 1, checkpoint.origin);
    return cli_put(path, &note, err);
}

const struct cli_command cli_recover = {
    .name = "recover",
    .summary = "go on after an older backup was restored: a new log, declared as one",
    .help =
        "usage: okno recover --reason TEXT [--by NAME] [-o FILE]\n"
        "\n"
        "A restored database that is older than a checkpoint handed out takes no more entries:\n"
        "going on would make two histories under one name. Restore the newest backup. If there\n"
        "is none, recover begins a new log with a name and key of its own. Its first entry\n"
        "tells how much of the old log was handed out and how much is left, and cannot be\n"
        "taken back. The old key stays as keys/log.key.before-N for what it signed.\n"
        "\n"
        "Prints the new log's first checkpoint (or writes it to FILE): hand it out, together\n"
        "with `okno log key`. Audits whose frame was pinned in the old log cannot be exported\n"
        "any more; plan them again. Refused (exit 5) when nothing is lost.\n"
        "\n"
        "example: okno recover --reason 'the disk died, backup of Monday' -o new.checkpoint\n",
    .run = run,
};

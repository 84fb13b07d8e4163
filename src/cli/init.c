#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <errno.h>
#include <sys/stat.h>

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    (void)argc;
    (void)argv;
    if (mkdir(cli->data_dir, 0700) < 0 && errno != EEXIST)
        return okno_fail_errno(err, errno, "cannot make %s", cli->data_dir);
    OKNO_AUTO(okno_db) *db = NULL;
    return okno_db_open(cli->data_dir, true, &db, err);
}

const struct cli_command cli_init = {
    .name = "init",
    .summary = "make the data directory, its database and the first administrator",
    .help = "usage: okno [--data DIR] init\n",
    .run = run,
};

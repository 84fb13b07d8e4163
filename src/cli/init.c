#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"
#include "password.h"

#include "okno/conf.h"
#include "okno/ledger.h"
#include "okno/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ADMINISTRATOR "admin"

static int is_empty(const char *path, bool *ret_empty, struct okno_err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return okno_fail_errno(err, errno, "cannot look into %s", path);
    const struct dirent *entry;
    *ret_empty = true;
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            *ret_empty = false;
    (void)closedir(dir);
    return 0;
}

/* A folder that is there already is closed to others when it is empty; else it must be closed: it
 * may be somebody's /tmp. */
static int close_dir(const char *path, struct okno_err *err)
{
    struct stat facts;
    bool empty = false;
    if (stat(path, &facts) < 0)
        return okno_fail_errno(err, errno, "cannot look at %s", path);
    if (!S_ISDIR(facts.st_mode))
        return okno_fail(err, OKNO_INVALID, "%s is not a directory", path);
    if ((facts.st_mode & 077) == 0)
        return 0;
    int rc = is_empty(path, &empty, err);
    if (rc < 0)
        return rc;
    if (!empty)
        return okno_fail(err, OKNO_REFUSED,
                         "%s is not empty and open to other users: choose another directory, or "
                         "chmod 700 it",
                         path);
    return chmod(path, 0700) < 0 ? okno_fail_errno(err, errno, "cannot chmod 700 %s", path) : 0;
}

static int make_dirs(const char *path, struct okno_err *err)
{
    char secrets[1100];
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return okno_fail_errno(err, errno, "cannot make the data directory %s", path);
    int rc = close_dir(path, err);
    if (rc < 0)
        return rc;
    (void)snprintf(secrets, sizeof(secrets), "%s/secrets", path);
    if (mkdir(secrets, 0700) < 0 && errno != EEXIST)
        return okno_fail_errno(err, errno, "cannot make %s", secrets);
    return 0;
}

/* People are the mark of a finished init: one that was interrupted may be repeated. */
static int refuse_second(struct okno_db *db, const char *path, struct okno_err *err)
{
    int64_t users = 0;
    int rc = okno_db_int(db, "registry.count_users", NULL, 0, 0, &users, err);
    if (rc < 0 || users == 0)
        return rc;
    return okno_fail(err, OKNO_REFUSED,
                     "%s is initialised already; `okno user password " ADMINISTRATOR
                     "` sets a new password",
                     path);
}

static int add_administrator(const struct cli *cli, struct okno_db *db, bool from_stdin,
                             struct okno_err *err)
{
    char password[CLI_PASSWORD_TEXT];
    struct okno_user user = {.user = ADMINISTRATOR, .role = "administrator"};
    int rc = cli_password_get(from_stdin, password, err);
    if (rc == 0)
        rc = okno_user_add(db, &user, password, err);
    if (rc == 0)
        printf("%s is ready\n", cli->data_dir);
    cli_password_done(from_stdin || rc < 0, ADMINISTRATOR, password);
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    bool from_stdin = false;
    int rest = 0;
    OKNO_AUTO(okno_db) *db = NULL;
    struct okno_note_key key;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--password-stdin", .flag = &from_stdin});
    if (rc == 0 && rest)
        rc = okno_fail(err, OKNO_USAGE, "init takes no arguments; --data DIR stands before it");
    if (rc < 0)
        return rc;
    (void)umask(077);
    rc = make_dirs(cli->data_dir, err);
    if (rc == 0)
        rc = okno_db_open(cli->data_dir, true, &db, err);
    if (rc == 0)
        rc = refuse_second(db, cli->data_dir, err);
    if (rc == 0)
        rc = okno_ledger_key(db, &key, err);
    return rc < 0 ? rc : add_administrator(cli, db, from_stdin, err);
}

const struct cli_command cli_init = {
    .name = "init",
    .summary = "make the data directory, its database and the first administrator",
    .help =
        "usage: okno [--config FILE] [--data DIR] init [--password-stdin]\n"
        "\n"
        "Makes DIR (mode 0700) with the database, the evidence log's key and the "
        "user " ADMINISTRATOR
        ", whose password\n"
        "is printed once.\n"
        "\n"
        "  --password-stdin  take the password from the first line of standard input\n"
        "\n"
        "example: okno --data /var/lib/okno init\n",
    .run = run,
};

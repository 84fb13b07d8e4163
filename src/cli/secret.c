/* okno secret: the files in DATA/secrets. Values go in and are never shown again. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/file.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_TEXT = 1200, MADE_BYTES = 32 };

struct choice {
    bool make, json;
};

static int folder_of(const struct cli *cli, char ret_path[PATH_TEXT], struct okno_err *err)
{
    int len = snprintf(ret_path, PATH_TEXT, "%s/secrets", cli->data_dir);
    if (len < 0 || len >= PATH_TEXT - 100)
        return okno_fail(err, OKNO_INVALID, "the data directory's name is too long");
    return 0;
}

static int check_name(const char *name, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    if (okno_text_is_id(name))
        return 0;
    return okno_fail(err, OKNO_INVALID, "\"%s\" is no name: 1 to 64 of A-Z a-z 0-9 _ -",
                     okno_text_show(name, shown));
}

/* --- set */

static int read_value(char ret_value[OKNO_SECRET_TEXT], struct okno_err *err)
{
    if (isatty(STDIN_FILENO))
        (void)fprintf(stderr, "type the secret (it is shown), then Enter:\n");
    size_t len = fread(ret_value, 1, OKNO_SECRET_TEXT, stdin);
    if (len == OKNO_SECRET_TEXT)
        return okno_fail(err, OKNO_TOO_LARGE, "a secret has at most %d bytes",
                         OKNO_SECRET_TEXT - 1);
    while (len && (ret_value[len - 1] == '\n' || ret_value[len - 1] == '\r'))
        len--;
    ret_value[len] = '\0';
    if (len == 0 || strlen(ret_value) != len)
        return okno_fail(err, OKNO_INVALID, "the secret is empty or holds a NUL byte");
    return 0;
}

static int write_value(const char *folder, const char *name, const char *value,
                       struct okno_err *err)
{
    char path[PATH_TEXT];
    (void)snprintf(path, sizeof(path), "%.1100s/%.64s", folder, name);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return okno_fail_errno(err, errno, "cannot make %s", folder);
    return okno_file_put(path, 0600, value, strlen(value), err);
}

static int set(const char *folder, const char *name, const struct choice *choice,
               struct okno_err *err)
{
    char value[OKNO_SECRET_TEXT] = "";
    unsigned char bytes[MADE_BYTES];
    int rc = check_name(name, err);
    if (rc == 0 && choice->make) {
        if (sodium_init() < 0)
            return okno_fail(err, OKNO_FAILED, "no randomness");
        randombytes_buf(bytes, sizeof(bytes));
        (void)sodium_bin2base64(value, sizeof(value), bytes, sizeof(bytes),
                                sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    } else if (rc == 0) {
        rc = read_value(value, err);
    }
    if (rc == 0)
        rc = write_value(folder, name, value, err);
    if (rc == 0 && choice->make)
        printf("%s\n", value);
    if (rc == 0)
        (void)fprintf(stderr, "secret %s is kept%s\n", name,
                      choice->make ? "; it is shown this once" : "");
    sodium_memzero(value, sizeof(value));
    sodium_memzero(bytes, sizeof(bytes));
    return rc;
}

/* --- list and remove */

/* Who names it: ["archive:A1", "destination:team"]. */
static int users_of(struct okno_db *db, const char *name, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *list = json_array();
    int rc = OKNO_DB_PREPARE(db, "cli.secret_users", &stmt, err, OKNO_TEXT("secret", name));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = json_array_append_new(list, json_string(okno_stmt_text(stmt, "target"))) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the list")
                 : 0;
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

static const char *state_of(const char *folder, const char *name)
{
    char path[PATH_TEXT];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%.1100s/%.64s", folder, name);
    if (lstat(path, &st) < 0)
        return "missing";
    return !S_ISREG(st.st_mode) || (st.st_mode & 077) ? "open to others" : "kept";
}

static int print_secret(struct okno_db *db, const char *folder, const char *name, bool json,
                        struct okno_err *err)
{
    okno_autojson json_t *users = NULL;
    size_t i;
    const json_t *user;
    int rc = users_of(db, name, &users, err);
    if (rc < 0)
        return rc;
    if (json) {
        okno_autojson json_t *line = json_pack("{s:s, s:s, s:O}", "secret", name, "state",
                                               state_of(folder, name), "used_by", users);
        return okno_json_print(line, stdout, err);
    }
    printf("%-24s %-14s", name, state_of(folder, name));
    json_array_foreach(users, i, user)
    {
        printf(" %s", json_string_value(user));
    }
    printf("\n");
    return 0;
}

/* Files that are there, by name; then those that are named and missing. */
static int list(struct okno_db *db, const char *folder, bool json, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct dirent **files = NULL;
    int count = scandir(folder, &files, NULL, alphasort);
    int rc = 0;
    for (int i = 0; i < count; i++) {
        if (rc == 0 && okno_text_is_id(files[i]->d_name))
            rc = print_secret(db, folder, files[i]->d_name, json, err);
        free(files[i]);
    }
    free(files);
    if (rc == 0)
        rc = okno_db_prepare(db, "cli.secret_names", NULL, 0, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        const char *name = okno_stmt_text(stmt, "secret");
        rc = strcmp(state_of(folder, name), "missing") == 0
                 ? print_secret(db, folder, name, json, err)
                 : 0;
    }
    return rc;
}

static int remove_secret(struct okno_db *db, const char *folder, const char *name,
                         struct okno_err *err)
{
    okno_autojson json_t *users = NULL;
    char path[PATH_TEXT];
    int rc = check_name(name, err);
    if (rc == 0)
        rc = users_of(db, name, &users, err);
    if (rc < 0)
        return rc;
    if (json_array_size(users) > 0)
        return okno_fail(err, OKNO_REFUSED, "secret %s is used by %s: import that without it first",
                         name, json_string_value(json_array_get(users, 0)));
    (void)snprintf(path, sizeof(path), "%.1100s/%.64s", folder, name);
    if (unlink(path) < 0 && errno == ENOENT)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no secret %s", name);
    return access(path, F_OK) == 0 ? okno_fail_errno(err, errno, "cannot remove %s", path) : 0;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.json = cli->json};
    char folder[PATH_TEXT];
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--make", .flag = &choice.make},
                         {.name = "--json", .flag = &choice.json});
    const char *verb = rc == 0 && rest >= 1 ? argv[1] : "";
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = folder_of(cli, folder, err);
    if (rc < 0)
        return rc;
    if (strcmp(verb, "set") == 0 && rest == 2)
        return set(folder, argv[2], &choice, err);
    if (strcmp(verb, "list") == 0 && rest == 1)
        return list(db, folder, choice.json, err);
    if (strcmp(verb, "remove") == 0 && rest == 2)
        return remove_secret(db, folder, argv[2], err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno secret set NAME`, `okno secret list` or `okno secret remove "
                     "NAME`");
}

const struct cli_command cli_secret = {
    .name = "secret",
    .summary = "passwords and tokens that archives and destinations name: set, list, remove",
    .help =
        "usage: okno secret set NAME [--make]\n"
        "       okno secret list [--json]\n"
        "       okno secret remove NAME\n"
        "\n"
        "A secret is a file in DATA/secrets that only its owner may read: the password of an\n"
        "archive or a mail server, the signing secret of a webhook, the token of a bot. Tables\n"
        "name it, and nothing ever shows it. set takes it from standard input (a line end at\n"
        "its end is dropped), or makes one and prints it once. list: names, whether the file is\n"
        "there and closed to others, and who uses it. One that is used is not removed.\n"
        "\n"
        "example: okno secret set hook --make\n",
    .run = run,
};

#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"
#include "password.h"

#include "okno/json.h"
#include "okno/mem.h"

#include <stdio.h>
#include <string.h>

struct choice {
    const char *role, *language, *name, *employee;
    bool from_stdin;
    bool json;
};

static int fit(char *to, size_t size, const char *what, const char *text, struct okno_err *err)
{
    if (strlen(text) >= size)
        return okno_fail(err, OKNO_INVALID, "%s is longer than %zu bytes", what, size - 1);
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

static int add(struct okno_db *db, const char *login, const struct choice *choice,
               struct okno_err *err)
{
    char password[CLI_PASSWORD_TEXT] = "";
    struct okno_user user = {0};
    if (!choice->role)
        return okno_fail(err, OKNO_USAGE, "--role is needed; one of: " OKNO_USER_ROLES);
    int rc = fit(user.user, sizeof(user.user), "the login", login, err);
    if (rc == 0)
        rc = fit(user.role, sizeof(user.role), "--role", choice->role, err);
    if (rc == 0)
        rc = fit(user.language, sizeof(user.language), "--language", choice->language, err);
    if (rc == 0)
        rc = fit(user.name, sizeof(user.name), "--name", choice->name, err);
    if (rc == 0)
        rc = fit(user.employee, sizeof(user.employee), "--employee", choice->employee, err);
    if (rc == 0)
        rc = cli_password_get(choice->from_stdin, password, err);
    if (rc == 0)
        rc = okno_user_add(db, &user, password, err);
    cli_password_done(choice->from_stdin || rc < 0, login, password);
    return rc;
}

static int set_password(struct okno_db *db, const char *login, const struct choice *choice,
                        struct okno_err *err)
{
    char password[CLI_PASSWORD_TEXT] = "";
    int rc = cli_password_get(choice->from_stdin, password, err);
    if (rc == 0)
        rc = okno_user_set_password(db, login, password, err);
    cli_password_done(choice->from_stdin || rc < 0, login, password);
    return rc;
}

static int print_user(const struct okno_user *user, bool json, struct okno_err *err)
{
    if (!json) {
        printf("%-16s %-14s %-2s %s%s\n", user->user, user->role,
               *user->language ? user->language : "-", user->name,
               user->disabled ? " (disabled)" : "");
        return 0;
    }
    okno_autojson json_t *object = json_pack(
        "{ss ss ss so so sb}", "user", user->user, "name", user->name, "role", user->role,
        "language", okno_json_text(*user->language ? user->language : NULL), "employee",
        okno_json_text(*user->employee ? user->employee : NULL), "disabled", user->disabled);
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int list(struct okno_db *db, bool json, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_user_vec) users = {0};
    int rc = okno_user_list(db, &users, err);
    for (size_t i = 0; rc == 0 && i < users.len; i++)
        rc = print_user(&users.items[i], json, err);
    return rc;
}

static int run_verb(struct okno_db *db, int rest, char **argv, const struct choice *choice,
                    struct okno_err *err)
{
    const char *verb = rest >= 1 ? argv[1] : "";
    if (strcmp(verb, "list") == 0 && rest == 1)
        return list(db, choice->json, err);
    if (strcmp(verb, "add") == 0 && rest == 2)
        return add(db, argv[2], choice, err);
    if (strcmp(verb, "password") == 0 && rest == 2)
        return set_password(db, argv[2], choice, err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno user add NAME`, `okno user list` or "
                     "`okno user password NAME`");
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.language = "", .name = "", .employee = ""};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--role", .text = &choice.role},
                         {.name = "--language", .text = &choice.language},
                         {.name = "--name", .text = &choice.name},
                         {.name = "--employee", .text = &choice.employee},
                         {.name = "--password-stdin", .flag = &choice.from_stdin},
                         {.name = "--json", .flag = &choice.json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : run_verb(db, rest, argv, &choice, err);
}

const struct cli_command cli_user = {
    .name = "user",
    .summary = "people who log in: add, list, password",
    .help =
        "usage: okno user add NAME --role ROLE [--name TEXT] [--language en|ru]\n"
        "                     [--employee ID] [--password-stdin]\n"
        "       okno user list [--json]\n"
        "       okno user password NAME [--password-stdin]\n"
        "\n"
        "Roles: " OKNO_USER_ROLES
        ".\n"
        "Without --language the page speaks the browser's until the user chooses one there.\n"
        "A password is made and printed once, or taken from the first line of standard input.\n"
        "A new password ends the user's logins.\n"
        "\n"
        "example: okno user add anna --role expert --language ru\n",
    .run = run,
};

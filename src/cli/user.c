#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"
#include "password.h"

#include "okno/grant.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/notify.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

struct choice {
    const char *role, *language, *name, *employee;
    const char *user, *site, *group, *to;
    bool all_sites, take_back;
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

/* The scope that the options name; OKNO_USAGE unless exactly one does. */
static int scope_of(const struct choice *choice, char ret_scope[OKNO_GRANT_SCOPE_TEXT],
                    struct okno_err *err)
{
    if (!!choice->site + !!choice->group + choice->all_sites != 1)
        return okno_fail(err, OKNO_USAGE, "say one of --site ID, --group NAME, --all-sites");
    const char *word = choice->site ? "site:" : choice->group ? "group:" : "all";
    const char *name = choice->site ? choice->site : choice->group ? choice->group : "";
    if (strlen(name) > 64)
        return okno_fail(err, OKNO_INVALID, "%.80s is longer than 64 bytes", name);
    (void)snprintf(ret_scope, OKNO_GRANT_SCOPE_TEXT, "%s%s", word, name);
    return 0;
}

static int set_grant(struct okno_db *db, const char *user, bool granted,
                     const struct choice *choice, struct okno_err *err)
{
    char author[80];
    char scope[OKNO_GRANT_SCOPE_TEXT];
    int rc = scope_of(choice, scope, err);
    cli_author(author, sizeof(author));
    return rc < 0 ? rc : okno_grant_set(db, user, scope, granted, author, okno_time_now(), err);
}

/* Deny by default must not look like a fault. */
static int first_grant(struct okno_db *db, const struct okno_user *user,
                       const struct choice *choice, struct okno_err *err)
{
    if (choice->site || choice->group || choice->all_sites)
        return set_grant(db, user->user, true, choice, err);
    if (okno_grant_needed(user->role))
        (void)fprintf(
            stderr, "note: %s sees nothing until sites are granted: okno user grant %s --site ID\n",
            user->user, user->user);
    return 0;
}

static int print_grants(struct okno_db *db, const char *user, bool json, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_grant_vec) grants = {0};
    char at[OKNO_TIME_TEXT];
    int rc = okno_grant_list(db, user, &grants, err);
    for (size_t i = 0; rc == 0 && i < grants.len; i++) {
        const struct okno_grant *one = &grants.items[i];
        okno_autojson json_t *object =
            json_pack("{ss ss so ss}", "user", one->user, "scope", one->scope, "at",
                      okno_json_time(one->at_us), "author", one->author);
        if (json)
            rc = okno_json_print(object, stdout, err);
        else
            cli_line("%-16s %-24s since %s by %s", one->user, one->scope,
                     okno_time_format(one->at_us, at), one->author);
    }
    return rc;
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
    if (rc == 0)
        rc = first_grant(db, &user, choice, err);
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
        cli_line("%-16s %-14s %-2s %s%s", user->user, user->role,
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

/* Where messages about the person's own matters go. */
/* The last one who gives rights stays. */
static int set_disabled(struct okno_db *db, const char *user, bool disabled, struct okno_err *err)
{
    int64_t others = 1;
    int rc = disabled
                 ? OKNO_DB_INT(db, "user.others_run_it", 0, &others, err, OKNO_TEXT("user", user))
                 : 0;
    if (rc == 0 && !others)
        rc = okno_fail(err, OKNO_REFUSED,
                       "nobody else is an administrator: add one first, `okno user add NAME --role "
                       "administrator`");
    return rc < 0 ? rc : okno_user_set_disabled(db, user, disabled, err);
}

static int set_messages(struct okno_db *db, const char *user, const struct choice *choice,
                        struct okno_err *err)
{
    char author[80];
    cli_author(author, sizeof(author));
    if (!choice->to)
        return okno_fail(err, OKNO_USAGE, "say where to: --to DESTINATION, or --to '' for nowhere");
    return okno_notify_person_set(db, user, choice->to, author, okno_time_now(), err);
}

static int run_verb(struct okno_db *db, int rest, char **argv, const struct choice *choice,
                    struct okno_err *err)
{
    const char *verb = rest >= 1 ? argv[1] : "";
    if (strcmp(verb, "grant") == 0 && rest == 1 && choice->user)
        return set_grant(db, choice->user, !choice->take_back, choice, err);
    if (strcmp(verb, "list") == 0 && rest == 1)
        return list(db, choice->json, err);
    if (strcmp(verb, "add") == 0 && rest == 2)
        return add(db, argv[2], choice, err);
    if (strcmp(verb, "password") == 0 && rest == 2)
        return set_password(db, argv[2], choice, err);
    if ((strcmp(verb, "disable") == 0 || strcmp(verb, "enable") == 0) && rest == 2)
        return set_disabled(db, argv[2], *verb == 'd', err);
    if (strcmp(verb, "grant") == 0 && rest == 2)
        return set_grant(db, argv[2], !choice->take_back, choice, err);
    if (strcmp(verb, "messages") == 0 && rest == 2)
        return set_messages(db, argv[2], choice, err);
    if (strcmp(verb, "grants") == 0 && rest <= 2)
        return print_grants(db, rest == 2 ? argv[2] : NULL, choice->json, err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno user add NAME`, `okno user list`, `okno user password NAME`, "
                     "`okno user disable NAME`, `okno user enable NAME`, `okno user grant NAME`, "
                     "`okno user grants` or `okno user messages NAME`");
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.language = "", .name = "", .employee = ""};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--role", .text = &choice.role},
        {.name = "--language", .text = &choice.language}, {.name = "--name", .text = &choice.name},
        {.name = "--employee", .text = &choice.employee}, {.name = "--user", .text = &choice.user},
        {.name = "--site", .text = &choice.site}, {.name = "--group", .text = &choice.group},
        {.name = "--to", .text = &choice.to}, {.name = "--all-sites", .flag = &choice.all_sites},
        {.name = "--take-back", .flag = &choice.take_back},
        {.name = "--password-stdin", .flag = &choice.from_stdin},
        {.name = "--json", .flag = &choice.json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : run_verb(db, rest, argv, &choice, err);
}

const struct cli_command cli_user = {
    .name = "user",
    .summary = "people who log in: add, list, password, disable, grant, messages",
    .help =
        "usage: okno user add NAME --role ROLE [--name TEXT] [--language en|ru]\n"
        "                     [--employee ID] [--password-stdin]\n"
        "                     [--all-sites | --site ID | --group NAME]\n"
        "       okno user list [--json]\n"
        "       okno user password NAME [--password-stdin]\n"
        "       okno user disable NAME\n"
        "       okno user enable NAME\n"
        "       okno user grant NAME --site ID [--take-back]\n"
        "       okno user grant NAME --group NAME [--take-back]\n"
        "       okno user grant NAME --all-sites [--take-back]\n"
        "       okno user grants [NAME] [--json]\n"
        "       okno user messages NAME --to DESTINATION\n"
        "\n"
        "Roles: " OKNO_USER_ROLES
        ".\n"
        "Without --language the page speaks the browser's until the user chooses one there.\n"
        "A password is made and printed once, or taken from the first line of standard input.\n"
        "A new password ends the user's logins.\n"
        "disable: who left is out at once and logs in no more; what they did stays theirs.\n"
        "\n"
        "Managers and staff see the sites that were granted to them: one, those of a group, or "
        "all;\n"
        "without a grant they see nothing. Administrators and auditors see all sites, experts the\n"
        "items of their queue. Grants are dated; --take-back ends one.\n"
        "\n"
        "messages says to which destination (see okno notify) goes what concerns the person: what\n"
        "became of an appeal they filed. --to '' ends it.\n"
        "\n"
        "example: okno user add anna --role expert --language ru\n",
    .run = run,
};

#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "okno/conf.h"
#include "okno/sandbox.h"
#include "okno/text.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_usage(FILE *to)
{
    (void)fprintf(to, "usage: okno [--config FILE] [--data DIR] COMMAND [options]\n\ncommands:\n");
    for (size_t i = 0; cli_commands[i]; i++)
        (void)fprintf(to, "  %-10s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    (void)fputs(
        "\n`okno COMMAND --help` (or `okno help COMMAND`) explains one, with an example.\n"
        "\n"
        "  --config FILE  settings; okno.conf.example shows each with its default\n"
        "  --data DIR     the data directory (default: service.data of the settings)\n"
        "\n"
        "A period goes from --from until before --to: --from 2026-03-01 --to 2026-04-01 is March.\n"
        "Only `okno period close` takes two dates that are both meant. Times have a zone\n"
        "(2026-03-01T09:00:00+03:00); dates, where they are taken, are days of each site's\n"
        "calendar.\n"
        "\n"
        "exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 done in part,\n"
        "5 refused, 6 a check failed\n",
        to);
}

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* `okno help COMMAND` is `okno COMMAND --help`. */
static int print_help(const struct cli_command *command)
{
    (void)fputs(command->help, stdout);
    (void)fputs(command->more ? command->more : "", stdout);
    return 0;
}

static int refuse(const char *name)
{
    (void)fprintf(stderr, "okno: there is no command \"%.40s\": `okno help` lists them\n", name);
    return okno_code_info(OKNO_USAGE)->exit_code;
}

/* Take `--data DIR` and `--config FILE`, which stand before the command. Returns the index of the
 * command's name, 0 when the line is wrong. */
static int take_globals(int argc, char **argv, struct cli *cli, const char **ret_config)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
            cli->data_dir = argv[++i];
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            *ret_config = argv[++i];
        else
            return 0;
    }
    return i < argc ? i : 0;
}

/* What stands before the command and cannot be understood; nothing at all: what there is. */
static int refuse_globals(int argc, char **argv)
{
    const char *last = argv[argc - 1];
    bool lacks = strcmp(last, "--data") == 0 || strcmp(last, "--config") == 0;
    int i = 1;
    while (i < argc && (strcmp(argv[i], "--data") == 0 || strcmp(argv[i], "--config") == 0))
        i += 2;
    if (lacks)
        (void)fprintf(stderr, "okno: %s needs a value: okno %s %s COMMAND\n", last, last,
                      last[2] == 'd' ? "DIR" : "FILE");
    else if (i < argc)
        (void)fprintf(stderr, "okno: there is no option %s; `okno --help` lists them\n", argv[i]);
    else
        print_usage(stderr);
    return okno_code_info(OKNO_USAGE)->exit_code;
}

int cli_open_db(struct cli *cli, struct okno_db **ret_db, struct okno_err *err)
{
    return okno_db_open(cli->data_dir, false, ret_db, err);
}

void cli_author(char *ret_text, size_t size)
{
    const struct passwd *who = getpwuid(getuid());
    if (who && okno_text_is_id(who->pw_name))
        (void)snprintf(ret_text, size, "local:%s", who->pw_name);
    else
        (void)snprintf(ret_text, size, "local:%ld", (long)getuid());
}

const char *cli_author_named(const char *name, char *ret_text, size_t size)
{
    if (name)
        (void)snprintf(ret_text, size, "%s%s", *name ? "local:" : "", name);
    else
        cli_author(ret_text, size);
    return ret_text;
}

/* Defaults without a file. The data directory: --data, else the file's, else the default's. */
static int load_conf(struct cli *cli, const char *config, struct okno_err *err)
{
    okno_conf_defaults(cli->conf);
    int rc = config ? okno_conf_load(config, cli->conf, err) : 0;
    if (rc == 0 && !cli->data_dir)
        cli->data_dir = cli->conf->service.data;
    return rc;
}

int main(int argc, char **argv)
{
    struct okno_conf conf;
    struct cli cli = {.conf = &conf};
    struct okno_err err = {0};
    const char *config = NULL;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("okno %s\n", OKNO_VERSION);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_usage(stdout);
        return 0;
    }
    if (argc >= 3 && strcmp(argv[1], "help") == 0) {
        const struct cli_command *asked = find_command(argv[2]);
        return asked ? print_help(asked) : refuse(argv[2]);
    }
    int at = take_globals(argc, argv, &cli, &config);
    if (!at)
        return refuse_globals(argc, argv);
    const struct cli_command *command = find_command(argv[at]);
    if (!command)
        return refuse(argv[at]);
    if (wants_help(argc - at, argv + at))
        return print_help(command);
    /* First of all: it loads its libraries meanwhile, and its keeper is a copy of a process that
     * knows no secret yet. */
    int rc = command->media ? okno_sandbox_start(&err) : 0;
    if (rc == 0)
        rc = load_conf(&cli, config, &err);
    if (rc == 0)
        rc = command->run(&cli, argc - at, argv + at, &err);
    okno_sandbox_stop();
    if (rc == 0)
        return 0;
    if (err.text[0])
        (void)fprintf(stderr, "okno %s: %s\n", command->name, err.text);
    return okno_code_info(rc)->exit_code;
}

#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/panel.h"
#include "okno/qr.h"
#include "okno/registry.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

enum { URL_TEXT = 700 };

static const char *url_of(const struct cli *cli, const char *code, char ret_url[URL_TEXT])
{
    const char *url = cli->conf->service.public_url;
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    if (len > 0)
        (void)snprintf(ret_url, URL_TEXT, "%.*s/q/%s", (int)len, url, code);
    else
        (void)snprintf(ret_url, URL_TEXT, "http://%s/q/%s", cli->conf->service.listen, code);
    return ret_url;
}

static int print_code(const struct cli *cli, const struct okno_qr_code *code, struct okno_err *err)
{
    char url[URL_TEXT];
    char made[OKNO_TIME_TEXT];
    (void)url_of(cli, code->code, url);
    if (!cli->json) {
        printf("%s  point %-12s %s %s  %s\n", code->code, code->point,
               okno_time_format(code->created_us, made), code->revoked_us ? "revoked" : "stands ",
               url);
        return 0;
    }
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o}", "code", code->code, "point", code->point, "device",
        code->device, "url", url, "created_at", okno_json_time(code->created_us), "revoked_at",
        code->revoked_us ? okno_json_time(code->revoked_us) : json_null());
    return json ? okno_json_print(json, stdout, err)
                : okno_fail(err, OKNO_NO_MEMORY, "no memory for the code");
}

static int add(struct cli *cli, struct okno_db *db, const char *point, struct okno_err *err)
{
    char author[200];
    char url[URL_TEXT];
    struct okno_qr_code code;
    OKNO_AUTO_BUF picture = OKNO_BUF_INIT(1U << 20);
    if (!point)
        return okno_fail(err, OKNO_USAGE, "--point ID is needed: where the code hangs");
    cli_author(author, sizeof(author));
    int rc = okno_qr_code_add(db, point, author, okno_time_now(), &code, err);
    if (rc < 0 || cli->json)
        return rc < 0 ? rc : print_code(cli, &code, err);
    rc = okno_qr_terminal(url_of(cli, code.code, url), &picture, err);
    if (rc < 0)
        return rc;
    printf("%s\n%s\n", okno_buf_text(&picture), url);
    (void)fprintf(stderr, "to print: open %s/print\n", url);
    if (!*cli->conf->service.public_url)
        (void)fprintf(stderr,
                      "note: service.public_url is not set: a phone cannot open this "
                      "address unless it reaches the listener\n");
    return 0;
}

static int list(struct cli *cli, struct okno_db *db, const char *point, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_qr_code_vec) codes = {0};
    int rc = okno_qr_code_list(db, point, &codes, err);
    for (size_t i = 0; rc == 0 && i < codes.len; i++)
        rc = print_code(cli, &codes.items[i], err);
    return rc;
}

static int svg(struct cli *cli, struct okno_db *db, const char *text, struct okno_err *err)
{
    struct okno_qr_code code;
    char url[URL_TEXT];
    OKNO_AUTO_BUF picture = OKNO_BUF_INIT(1U << 20);
    int rc = okno_qr_code_find(db, text, &code, err);
    if (rc == 0)
        rc = okno_qr_svg(url_of(cli, code.code, url), &picture, err);
    if (rc == 0)
        printf("%s", okno_buf_text(&picture));
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    const char *point = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--point", .text = &point},
                         {.name = "--json", .flag = &cli->json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    const char *verb = rest >= 1 ? argv[1] : "";
    if (strcmp(verb, "add") == 0 && rest == 1)
        return add(cli, db, point, err);
    if (strcmp(verb, "list") == 0 && rest == 1) {
        rc = okno_registry_require(db, "point", point, err);
        return rc < 0 ? rc : list(cli, db, point, err);
    }
    if (strcmp(verb, "svg") == 0 && rest == 2)
        return svg(cli, db, argv[2], err);
    if (strcmp(verb, "revoke") == 0 && rest == 2)
        return okno_qr_code_revoke(db, argv[2], okno_time_now(), err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno qr add --point ID`, `okno qr list`, `okno qr svg CODE` or "
                     "`okno qr revoke CODE`");
}

const struct cli_command cli_qr = {
    .name = "qr",
    .summary = "codes on paper that lead a customer's phone to the question",
    .help =
        "usage: okno qr add --point ID\n"
        "       okno qr list [--point ID] [--json]\n"
        "       okno qr svg CODE\n"
        "       okno qr revoke CODE\n"
        "\n"
        "A code hangs at a point and leads to the question that the point asks at that moment.\n"
        "Answers have the channel qr: they are counted beside the panel's, and never answer the\n"
        "window of a press. A phone answers once in five minutes. svg prints the picture for\n"
        "your own poster; the page ADDRESS/print is one with the question.\n"
        "\n"
        "example: okno qr add --point P1\n",
    .run = run,
};

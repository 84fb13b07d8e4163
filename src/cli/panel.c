#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/conf.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/panel.h"
#include "okno/qr.h"
#include "okno/time.h"

#include <stdio.h>
#include <string.h>

struct choice {
    const char *device, *point, *role, *label;
    bool json;
};

static const char *link_of(const struct cli *cli, const char *code, char ret_url[700])
{
    const char *url = cli->conf->service.public_url;
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    (void)snprintf(ret_url, 700, "%s%.*s/panel#%s", len ? "" : "http://",
                   len ? (int)len : (int)sizeof(cli->conf->service.listen),
                   len ? url : cli->conf->service.listen, code);
    return ret_url;
}

static int print_invitation(const struct cli *cli, const struct choice *choice, const char *code,
                            int64_t now_us, struct okno_err *err)
{
    char url[700];
    char until[OKNO_TIME_TEXT];
    OKNO_AUTO_BUF picture = OKNO_BUF_INIT(1U << 20);
    (void)link_of(cli, code, url);
    if (choice->json) {
        okno_autojson json_t *json =
            json_pack("{s:s, s:s, s:s, s:o}", "device", choice->device, "code", code, "url", url,
                      "expires_at", okno_json_time(now_us + OKNO_PANEL_CODE_US));
        return okno_json_print(json, stdout, err);
    }
    int rc = okno_qr_terminal(url, &picture, err);
    if (rc < 0)
        return rc;
    printf("%s\n%s\n", okno_buf_text(&picture), url);
    (void)fprintf(stderr,
                  "open it on the tablet before %s; the code works once and only its hash is "
                  "kept\n%s",
                  okno_time_format(now_us + OKNO_PANEL_CODE_US, until),
                  *cli->conf->service.public_url
                      ? ""
                      : "note: service.public_url is not set: the link names the listener\n");
    return 0;
}

static int add(struct cli *cli, struct okno_db *db, const struct choice *choice,
               struct okno_err *err)
{
    char author[200];
    char code[OKNO_PANEL_CODE_TEXT];
    int64_t now_us = okno_time_now();
    if (!choice->device || !choice->point)
        return okno_fail(err, OKNO_USAGE, "--device ID and --point ID are needed");
    cli_author(author, sizeof(author));
    const struct okno_panel_invitation invitation = {
        .device = choice->device,
        .point = choice->point,
        .role = choice->role ? choice->role : "both",
        .label = choice->label ? choice->label : "",
        .author = author,
    };
    int rc = okno_panel_invite(db, &invitation, now_us, code, err);
    return rc < 0 ? rc : print_invitation(cli, choice, code, now_us, err);
}

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text && *text ? text : "-";
}

static int print_panel(json_t *row, bool json, struct okno_err *err)
{
    const json_t *state = json_object_get(row, "state");
    if (json)
        return okno_json_print(row, stdout, err);
    char told[80] = "-";
    if (!json_is_null(state))
        (void)snprintf(told, sizeof(told), "%lld, told %s",
                       (long long)json_integer_value(json_object_get(state, "queued")),
                       text_of(state, "at"));
    cli_line("%-16s point %-12s role %-6s tokens %lld invited until %-24s queued %s %s",
             text_of(row, "device"), text_of(row, "point"), text_of(row, "role"),
             (long long)json_integer_value(json_object_get(row, "tokens")),
             text_of(row, "invited_until"), told, text_of(row, "label"));
    return 0;
}

static int list(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    okno_autojson json_t *rows = NULL;
    size_t i;
    json_t *row;
    int rc = okno_panel_list(db, okno_time_now(), &rows, err);
    json_array_foreach(rows, i, row) if (rc == 0) rc = print_panel(row, choice->json, err);
    return rc;
}

static int revoke(struct okno_db *db, const char *device, struct okno_err *err)
{
    int64_t count = 0;
    int rc = okno_panel_revoke(db, device, okno_time_now(), &count, err);
    if (rc == 0 && count == 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "device %s has no token that stands", device);
    return rc;
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.json = cli->json};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--device", .text = &choice.device},
        {.name = "--point", .text = &choice.point}, {.name = "--role", .text = &choice.role},
        {.name = "--label", .text = &choice.label}, {.name = "--json", .flag = &choice.json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (rest == 1 && strcmp(argv[1], "add") == 0)
        return add(cli, db, &choice, err);
    if (rest == 1 && strcmp(argv[1], "list") == 0)
        return list(db, &choice, err);
    if (rest == 2 && strcmp(argv[1], "revoke") == 0)
        return revoke(db, argv[2], err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno panel add --device ID --point ID`, `okno panel list` or "
                     "`okno panel revoke DEVICE`");
}

const struct cli_command cli_panel = {
    .name = "panel",
    .summary = "tablets and phones as panels and buttons: add, list, revoke",
    .help =
        "usage: okno panel add --device ID --point ID [--role panel|button|both] [--label TEXT]\n"
        "       okno panel list [--json]\n"
        "       okno panel revoke DEVICE\n"
        "\n"
        "add pairs the device with the point from now on and prints a link, also as a QR code.\n"
        "Opened in the tablet's browser within 15 minutes, it makes the tablet that device: the\n"
        "customer's three buttons (panel), the seller's button (button), or both. The link works\n"
        "once. revoke ends the device's tokens: what it sent stays, what it still holds is kept\n"
        "on it. docs/panel.md tells how to set a tablet up.\n"
        "\n"
        "example: okno panel add --device T1 --point P1 --role both\n",
    .run = run,
};

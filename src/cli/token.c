#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "options.h"

#include "okno/json.h"
#include "okno/mem.h"
#include "okno/registry.h"
#include "okno/time.h"
#include "okno/token.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct choice {
    const char *device, *label;
    bool photos, json;
};

/* A wrong name would otherwise be found out only when surveys do not come. */
static int note_unpaired(struct okno_db *db, const char *device, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_pairing_vec) pairings = {0};
    int rc = okno_registry_pairings(db, device, NULL, &pairings, err);
    if (rc == 0 && pairings.len == 0)
        (void)fprintf(stderr,
                      "note: device %s is not paired with a point: its events are kept and make "
                      "surveys once `okno import devices` pairs it\n",
                      device);
    return rc;
}

static int add(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    char token[OKNO_TOKEN_TEXT] = "";
    if (!choice->device)
        return okno_fail(err, OKNO_USAGE, "--device ID is needed: for whom the token speaks");
    int rc = okno_token_add(db, choice->device, choice->label ? choice->label : "", okno_time_now(),
                            token, err);
    if (rc == 0 && choice->photos)
        rc = okno_token_allow_photos(db, token, err);
    if (rc < 0)
        return rc;
    printf("%s\n", token);
    sodium_memzero(token, sizeof(token));
    (void)fprintf(stderr, "token for device %s: shown this once, only its hash is kept\n",
                  choice->device);
    return note_unpaired(db, choice->device, err);
}

static int print_token(const struct okno_token *token, bool json, struct okno_err *err)
{
    char made[OKNO_TIME_TEXT];
    char ended[OKNO_TIME_TEXT];
    bool revoked = token->revoked_us != 0;
    if (!json) {
        cli_line("%-12s  %-16s %s %s%s %s", token->id, token->device,
                 okno_time_format(token->created_us, made), revoked ? "revoked " : "stands",
                 revoked ? okno_time_format(token->revoked_us, ended) : "", token->label);
        return 0;
    }
    okno_autojson json_t *object = json_pack(
        "{ss ss so so so sb}", "token", token->id, "device", token->device, "label",
        okno_json_text(token->label), "created_at", okno_json_time(token->created_us), "revoked_at",
        revoked ? okno_json_time(token->revoked_us) : json_null(), "photos", (int)token->photos);
    return object ? okno_json_print(object, stdout, err)
                  : okno_fail(err, OKNO_NO_MEMORY, "no memory");
}

static int list(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_token_vec) tokens = {0};
    int rc = okno_token_list(db, choice->device, &tokens, err);
    for (size_t i = 0; rc == 0 && i < tokens.len; i++)
        rc = print_token(&tokens.items[i], choice->json, err);
    return rc;
}

static int run_verb(struct okno_db *db, int rest, char **argv, const struct choice *choice,
                    struct okno_err *err)
{
    const char *verb = rest >= 1 ? argv[1] : "";
    if (strcmp(verb, "add") == 0 && rest == 1)
        return add(db, choice, err);
    if (strcmp(verb, "list") == 0 && rest == 1) {
        int rc = okno_registry_require(db, "device", choice->device, err);
        return rc < 0 ? rc : list(db, choice, err);
    }
    if (strcmp(verb, "revoke") == 0 && rest == 2)
        return okno_token_revoke(db, argv[2], okno_time_now(), err);
    return okno_fail(err, OKNO_USAGE,
                     "write `okno token add --device ID`, `okno token list` or "
                     "`okno token revoke TOKEN`");
}

static int run(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.json = cli->json};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--device", .text = &choice.device},
                         {.name = "--label", .text = &choice.label},
                         {.name = "--photos", .flag = &choice.photos},
                         {.name = "--json", .flag = &choice.json});
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    return rc < 0 ? rc : run_verb(db, rest, argv, &choice, err);
}

const struct cli_command cli_token = {
    .name = "token",
    .summary = "what devices send events with: add, list, revoke",
    .help =
        "usage: okno token add --device ID [--label TEXT] [--photos]\n"
        "       okno token list [--device ID] [--json]\n"
        "       okno token revoke TOKEN\n"
        "\n"
        "A token lets one device send its events to POST /api/v1/events. It is printed once;\n"
        "only its hash is kept. TOKEN is the short name that list shows, not the secret. A\n"
        "revoked token opens nothing from that moment on; what it sent stays. --photos: it may\n"
        "fetch the photo of each rating of its point, too (GET /api/v1/ratings/ID/photo).\n"
        "\n"
        "example: okno token add --device D1 --label 'panel at till 3'\n",
    .run = run,
};

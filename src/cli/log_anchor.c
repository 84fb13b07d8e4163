#define _POSIX_C_SOURCE 200809L
/* okno log stamp, witness, cosign, anchors: what others say about the log. */
#include "cli.h"
#include "log.h"
#include "options.h"

#include "okno/anchor.h"
#include "okno/conf.h"
#include "okno/json.h"
#include "okno/text.h"
#include "okno/time.h"

#include <string.h>

struct choice {
    const char *audit, *policy, *ca, *url, *path;
};

static int read_ca(const struct cli *cli, const struct choice *choice, struct okno_buf *to,
                   struct okno_err *err)
{
    const char *path = choice->ca ? choice->ca : cli->conf->proof.tsa_ca;
    if (!*path)
        return okno_fail(err, OKNO_USAGE,
                         "say which certificates are trusted: --ca FILE, or proof.tsa_ca in the "
                         "settings");
    return cli_read(path, to, err);
}

static void print_stamp(const struct okno_stamp *stamp)
{
    char at[OKNO_TIME_TEXT];
    printf("good     %s by %s, policy %s\n", okno_time_format(stamp->at_us, at), stamp->authority,
           stamp->policy);
}

static int request(struct okno_db *db, const struct choice *choice, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(4096);
    if (!choice->path)
        return okno_fail(err, OKNO_USAGE, "say where the request goes: -o FILE");
    int rc = okno_anchor_request(db, choice->audit, choice->policy, okno_time_now(), &text, err);
    return rc == 0 ? cli_put(choice->path, &text, err) : rc;
}

static int take(struct okno_db *db, const struct choice *choice, const struct okno_buf *reply,
                const struct okno_buf *ca, struct okno_err *err)
{
    struct okno_stamp stamp;
    int rc = okno_anchor_stamp(db, okno_buf_text(reply), reply->len, okno_buf_text(ca),
                               choice->policy, okno_time_now(), &stamp, err);
    if (rc == 0)
        print_stamp(&stamp);
    return rc;
}

static int add(struct cli *cli, struct okno_db *db, const struct choice *choice, const char *path,
               struct okno_err *err)
{
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    OKNO_AUTO_BUF ca = OKNO_BUF_INIT(OKNO_STAMP_CA_BYTES_MAX);
    if (!path)
        return okno_fail(err, OKNO_USAGE, "say the reply's file: okno log stamp add FILE");
    int rc = read_ca(cli, choice, &ca, err);
    if (rc == 0)
        rc = cli_read(path, &reply, err);
    if (rc == 0)
        rc = take(db, choice, &reply, &ca, err);
    if (rc < 0)
        okno_err_context(err, "%.200s", path);
    return rc;
}

static int fetch(struct cli *cli, struct okno_db *db, const struct choice *choice,
                 struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    OKNO_AUTO_BUF ca = OKNO_BUF_INIT(OKNO_STAMP_CA_BYTES_MAX);
    const char *url = choice->url ? choice->url : cli->conf->proof.tsa_url;
    if (!*url)
        return okno_fail(err, OKNO_USAGE,
                         "say which authority: --url URL, or proof.tsa_url in the settings");
    int rc = read_ca(cli, choice, &ca, err);
    if (rc == 0)
        rc = okno_anchor_request(db, choice->audit, choice->policy, okno_time_now(), &text, err);
    if (rc == 0)
        rc = okno_stamp_fetch(url, &text, &reply, err);
    return rc == 0 ? take(db, choice, &reply, &ca, err) : rc;
}

int log_stamp(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    struct choice choice = {.policy = ""};
    int rest = 0;
    int rc = CLI_OPTIONS(
        argc, argv, &rest, err, {.name = "--audit", .text = &choice.audit},
        {.name = "--policy", .text = &choice.policy}, {.name = "--ca", .text = &choice.ca},
        {.name = "--url", .text = &choice.url}, {.name = "-o", .text = &choice.path});
    const char *verb = rc == 0 && rest > 0 ? argv[1] : "";
    bool known = strcmp(verb, "request") == 0 || strcmp(verb, "fetch") == 0
                     ? rest == 1
                     : strcmp(verb, "add") == 0 && rest == 2;
    if (rc == 0 && !known)
        rc = okno_fail(err, OKNO_USAGE,
                       "write `okno log stamp request`, `okno log stamp add FILE` or `okno log "
                       "stamp fetch`");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (strcmp(verb, "request") == 0)
        return request(db, &choice, err);
    return strcmp(verb, "add") == 0 ? add(cli, db, &choice, argv[2], err)
                                    : fetch(cli, db, &choice, err);
}

/* ---- witnesses ---- */

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "-";
}

static int add_witness(struct okno_db *db, const char *path, const char *author,
                       struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_NOTE_KEY_TEXT + 1);
    struct okno_note_key key;
    int rc = cli_read(path, &text, err);
    if (rc == 0)
        rc = okno_witness_parse(okno_buf_text(&text), &key, err);
    if (rc < 0) {
        okno_err_context(err, "%.200s", path);
        return rc;
    }
    return okno_anchor_add_witness(db, &key, author, okno_time_now(), err);
}

static int list_witnesses(struct okno_db *db, bool as_json, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *one;
    int rc = okno_anchor_witnesses(db, &list, err);
    if (rc < 0 || as_json)
        return rc < 0 ? rc : okno_json_print(list, stdout, err);
    json_array_foreach(list, i, one)
    {
        printf("%s  declared %s%s%s\n", text_of(one, "key"), text_of(one, "declared_at"),
               json_is_null(json_object_get(one, "revoked_at")) ? "" : ", revoked ",
               json_is_null(json_object_get(one, "revoked_at")) ? "" : text_of(one, "revoked_at"));
    }
    return 0;
}

int log_witness(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    char user[80];
    const char *author = user;
    int rest = 0;
    cli_author(user, sizeof(user));
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--by", .text = &author},
                         {.name = "--json", .flag = &cli->json});
    const char *verb = rc == 0 && rest > 0 ? argv[1] : "";
    bool list = strcmp(verb, "list") == 0 && rest == 1;
    bool adds = strcmp(verb, "add") == 0 && rest == 2;
    if (rc == 0 && !list && !adds && (strcmp(verb, "revoke") != 0 || rest != 2))
        rc = okno_fail(err, OKNO_USAGE,
                       "write `okno log witness add FILE`, `okno log witness list` or `okno log "
                       "witness revoke NAME`");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    if (list)
        return list_witnesses(db, cli->json, err);
    return adds ? add_witness(db, argv[2], author, err)
                : okno_anchor_revoke_witness(db, argv[2], author, okno_time_now(), err);
}

static bool is_ahead(const json_t *anchor)
{
    return json_is_true(json_object_get(anchor, "ahead"));
}

/* The newest are those that were just taken in. */
static int print_ahead(struct okno_db *db, int count, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    int rc = okno_anchor_list(db, &list, err);
    size_t len = json_array_size(list);
    for (size_t i = len - (size_t)count; rc == 0 && i < len; i++) {
        const json_t *one = json_array_get(list, i);
        if (is_ahead(one))
            cli_line(
                "ahead    %s tells %s, more than five minutes from now: its clock is wrong, "
                "or this one",
                text_of(one, "name"), text_of(one, "anchored_at"));
    }
    return rc;
}

int log_cosign(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    int count = 0;
    int rest = 0;
    int rc = cli_options(argc, argv, NULL, 0, &rest, err);
    if (rc == 0 && rest != 1)
        rc = okno_fail(err, OKNO_USAGE, "say the signed checkpoint: okno log cosign FILE");
    if (rc == 0)
        rc = cli_read(argv[1], &note, err);
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_anchor_cosign(db, okno_buf_text(&note), note.len, okno_time_now(), &count, err);
    if (rc == 0)
        printf("good     %d new %s\n", count, okno_text_form(count, "cosignature", "cosignatures"));
    return rc == 0 ? print_ahead(db, count, err) : rc;
}

int log_anchors(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *one;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && rest > 0)
        rc = okno_fail(err, OKNO_USAGE, "log anchors takes no arguments");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_anchor_list(db, &list, err);
    if (rc < 0 || cli->json)
        return rc < 0 ? rc : okno_json_print(list, stdout, err);
    json_array_foreach(list, i, one)
    {
        int64_t size = json_integer_value(json_object_get(one, "size"));
        printf("%-9s %s  %lld %s  %s%s%s%s\n", text_of(one, "kind"), text_of(one, "anchored_at"),
               (long long)size, okno_text_form(size, "entry", "entries"), text_of(one, "name"),
               json_is_null(json_object_get(one, "frame_of")) ? "" : "  frame of ",
               json_is_null(json_object_get(one, "frame_of")) ? "" : text_of(one, "frame_of"),
               is_ahead(one) ? "  AHEAD of when it was taken in" : "");
    }
    return 0;
}

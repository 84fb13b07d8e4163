#define _POSIX_C_SOURCE 200809L
/* okno audit key, okno audit sign: the auditor's key and signature, both made elsewhere. */
#include "audit.h"
#include "cli.h"
#include "options.h"

#include "okno/auditor.h"
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/signing.h"
#include "okno/time.h"

#include <string.h>

/* ---- keys ---- */

struct key_choice {
    const char *author;
    char user[CLI_AUTHOR_TEXT];
    bool as_json;
};

static int add_key(struct cli *cli, const struct key_choice *choice, int rest, char **argv,
                   struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    struct okno_signature_key key;
    char fingerprint[OKNO_SHA256_TEXT];
    if (rest != 3)
        return okno_fail(err, OKNO_USAGE, "say who and which: okno audit key add NAME FILE.pub");
    int rc = cli_read(argv[3], &text, err);
    if (rc == 0)
        rc = okno_signature_key_parse(okno_buf_text(&text), text.len, &key, err);
    if (rc < 0) {
        okno_err_context(err, "%.200s", argv[3]);
        return rc;
    }
    rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_auditor_add(db, argv[2], &key, choice->author, okno_time_now(), err);
    if (rc == 0)
        printf("%s\n", okno_signature_key_fingerprint(&key, fingerprint));
    return rc;
}

static int revoke_key(struct cli *cli, const struct key_choice *choice, int rest, char **argv,
                      struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    if (rest != 2)
        return okno_fail(err, OKNO_USAGE, "say which key: okno audit key revoke FINGERPRINT");
    int rc = cli_open_db(cli, &db, err);
    return rc == 0 ? okno_auditor_revoke(db, argv[2], choice->author, okno_time_now(), err) : rc;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "-";
}

static int list_keys(struct cli *cli, const struct key_choice *choice, int rest, char **argv,
                     struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *key;
    (void)argv;
    if (rest != 1)
        return okno_fail(err, OKNO_USAGE, "key list takes no arguments");
    int rc = cli_open_db(cli, &db, err);
    if (rc == 0)
        rc = okno_auditor_list(db, &list, err);
    if (rc < 0 || choice->as_json)
        return rc < 0 ? rc : okno_json_print(list, stdout, err);
    json_array_foreach(list, i, key)
    {
        printf("%-20s %-9s %s registered %s%s%s\n", text_of(key, "auditor"), text_of(key, "kind"),
               text_of(key, "fingerprint"), text_of(key, "registered_at"),
               json_is_null(json_object_get(key, "revoked_at")) ? "" : ", revoked ",
               json_is_null(json_object_get(key, "revoked_at")) ? "" : text_of(key, "revoked_at"));
    }
    return 0;
}

int audit_key(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    struct key_choice choice = {.as_json = false};
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--by", .text = &choice.author},
                         {.name = "--json", .flag = &choice.as_json});
    choice.author = cli_author_named(choice.author, choice.user, sizeof(choice.user));
    const char *verb = rc == 0 && rest > 0 ? argv[1] : "";
    if (rc < 0)
        return rc;
    if (strcmp(verb, "add") == 0)
        return add_key(cli, &choice, rest, argv, err);
    if (strcmp(verb, "revoke") == 0)
        return revoke_key(cli, &choice, rest, argv, err);
    if (strcmp(verb, "list") == 0)
        return list_keys(cli, &choice, rest, argv, err);
    return okno_fail(err, OKNO_USAGE, "key does add, list and revoke, not `%.40s`", verb);
}

/* ---- signing ---- */

static int give_manifest(struct okno_db *db, const char *audit, const char *author,
                         const char *path, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    int rc = okno_signing_manifest(db, audit, author, okno_time_now(), &text, err);
    return rc == 0 ? cli_put(path, &text, err) : rc;
}

static int take_signature(struct okno_db *db, const char *audit, const char *author,
                          const char *path, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    int rc = cli_read(path, &text, err);
    if (rc == 0)
        rc = okno_signing_add(db, audit, okno_buf_text(&text), text.len, author, okno_time_now(),
                              err);
    if (rc < 0)
        okno_err_context(err, "%.200s", path);
    return rc;
}

static void print_status(const char *audit, const json_t *status)
{
    const json_t *manifest = json_object_get(status, "manifest");
    const json_t *signature = json_object_get(status, "signature");
    const char *kind = text_of(status, "key_kind");
    printf("key        %s %s%s\n", kind, text_of(status, "fingerprint"),
           json_is_true(json_object_get(status, "revoked")) ? " (revoked)" : "");
    printf("manifest   %s %s\n", text_of(manifest, "at"), text_of(manifest, "sha256"));
    printf("signature  %s %s%s\n", text_of(signature, "at"), text_of(signature, "sha256"),
           json_is_null(signature)                            ? ""
           : json_is_true(json_object_get(status, "current")) ? " over what stands now"
                                                              : " over what was changed since");
    if (json_is_true(json_object_get(status, "current")) ||
        json_is_null(json_object_get(status, "fingerprint")))
        return;
    printf("next       okno audit sign %s --manifest -o %s.manifest\n", audit, audit);
    if (strcmp(kind, "ssh") == 0)
        printf("           ssh-keygen -Y sign -f KEY -n " OKNO_SIGNATURE_AUDIT " %s.manifest\n",
               audit);
    else
        printf("           minisign -S -m %s.manifest\n", audit);
    printf("           okno audit sign %s --signature %s.manifest.%s\n", audit, audit,
           strcmp(kind, "ssh") == 0 ? "sig" : "minisig");
}

static int show_status(struct okno_db *db, const char *audit, bool as_json, struct okno_err *err)
{
    okno_autojson json_t *status = NULL;
    int rc = okno_signing_status(db, audit, &status, err);
    if (rc < 0 || as_json)
        return rc < 0 ? rc : okno_json_print(status, stdout, err);
    print_status(audit, status);
    return 0;
}

int audit_sign(struct cli *cli, int argc, char **argv, struct okno_err *err)
{
    OKNO_AUTO(okno_db) *db = NULL;
    const char *path = NULL;
    const char *signature = NULL;
    bool manifest = false;
    char user[CLI_AUTHOR_TEXT];
    const char *author = NULL;
    int rest = 0;
    int rc = CLI_OPTIONS(argc, argv, &rest, err, {.name = "--manifest", .flag = &manifest},
                         {.name = "--signature", .text = &signature}, {.name = "-o", .text = &path},
                         {.name = "--by", .text = &author}, {.name = "--json", .flag = &cli->json});
    if (rc == 0 && (rest != 1 || (manifest && signature) || (path && !manifest)))
        rc = okno_fail(err, OKNO_USAGE,
                       "say one audit, and what to do: okno audit sign AUDIT [--manifest [-o FILE] "
                       "| --signature FILE]");
    if (rc == 0)
        rc = cli_open_db(cli, &db, err);
    if (rc < 0)
        return rc;
    author = cli_author_named(author, user, sizeof(user));
    if (manifest)
        return give_manifest(db, argv[1], author, path, err);
    if (signature)
        rc = take_signature(db, argv[1], author, signature, err);
    return rc == 0 ? show_status(db, argv[1], cli->json, err) : rc;
}

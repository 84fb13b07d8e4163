#define _POSIX_C_SOURCE 200809L
/* What an auditor signs, and the signature. */
#include "okno/signing.h"

#include "bundle.h"

#include "okno/auditor.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <sodium.h>
#include <string.h>

/* The key that the plan names. */
static int plan_key(struct okno_db *db, const char *audit, char ret_fingerprint[OKNO_SHA256_TEXT],
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    *ret_fingerprint = '\0';
    int rc = OKNO_DB_PREPARE(db, "bundle.plan", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no audit %s: see `okno audit list`", audit);
    okno_autojson json_t *plan = json_loads(okno_stmt_text(row, "plan"), 0, NULL);
    const char *text = json_string_value(json_object_get(plan, "auditor_key"));
    (void)snprintf(ret_fingerprint, OKNO_SHA256_TEXT, "%s", text ? text : "");
    return 0;
}

static int require_key(struct okno_db *db, const char *audit, struct okno_signature_key *ret_key,
                       char ret_fingerprint[OKNO_SHA256_TEXT], struct okno_err *err)
{
    int rc = plan_key(db, audit, ret_fingerprint, err);
    if (rc == 0 && !*ret_fingerprint)
        rc = okno_fail(err, OKNO_REFUSED,
                       "the plan of audit %s names no auditor's key, so nobody can sign it: "
                       "register one with `okno audit key add` and name it in the next plan "
                       "(--auditor)",
                       audit);
    return rc == 0 ? okno_auditor_find(db, ret_fingerprint, ret_key, NULL, err) : rc;
}

static void hash_text(const char *text, size_t len, char ret_hex[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(text, len, digest);
    (void)okno_hash_hex(digest, ret_hex);
}

/* ---- the manifest ---- */

/* 1: the newest manifest lists these files; its text is appended. 0: another is needed. */
static int find_manifest(struct okno_db *db, const char *audit, const struct okno_buf *files,
                         struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "bundle.manifest", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0 || strcmp(okno_stmt_text(row, "files"), okno_buf_text(files)) != 0)
        return rc < 0 ? rc : 0;
    rc = okno_buf_add_text(to, okno_stmt_text(row, "text"), err);
    return rc < 0 ? rc : 1;
}

static int write_manifest(const char *audit, const struct okno_checkpoint *checkpoint,
                          const struct okno_buf *files, struct okno_buf *to, struct okno_err *err)
{
    char root[64];
    (void)sodium_bin2base64(root, sizeof(root), checkpoint->root.bytes,
                            sizeof(checkpoint->root.bytes), sodium_base64_VARIANT_ORIGINAL);
    return okno_buf_printf(to, err,
                           "# audit %s: what its auditor signs\n# log %s\n# size %lld\n# root "
                           "%s\n%s",
                           audit, checkpoint->origin, (long long)checkpoint->size, root,
                           okno_buf_text(files));
}

static int make_manifest(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                         const struct okno_buf *files, struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    struct okno_checkpoint checkpoint = {.size = 0};
    char sha256[OKNO_SHA256_TEXT];
    int rc = okno_ledger_sign(db, NULL, now_us, &checkpoint, &note, err);
    if (rc == 0)
        rc = write_manifest(audit, &checkpoint, files, &text, err);
    if (rc < 0)
        return rc;
    hash_text(okno_buf_text(&text), text.len, sha256);
    rc = OKNO_DB_RUN(db, "bundle.add_manifest", NULL, err, OKNO_TEXT("audit", audit),
                     OKNO_INT("now", now_us), OKNO_TEXT("author", author),
                     OKNO_INT("size", checkpoint.size), OKNO_TEXT("files", okno_buf_text(files)),
                     OKNO_TEXT("text", okno_buf_text(&text)), OKNO_TEXT("sha256", sha256));
    return rc == 0 ? okno_buf_add(to, text.data, text.len, err) : rc;
}

int okno_signing_manifest(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                          struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_BUF files = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    struct okno_signature_key key;
    char fingerprint[OKNO_SHA256_TEXT];
    int rc = okno_audit_may(db, audit, "sign", err);
    if (rc == 0)
        rc = require_key(db, audit, &key, fingerprint, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = bundle_signed_files(db, audit, &files, err);
    if (rc == 0)
        rc = find_manifest(db, audit, &files, to, err);
    if (rc == 0)
        rc = make_manifest(db, audit, author, now_us, &files, to, err);
    if (rc >= 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* ---- the signature ---- */

static int store_signature(struct okno_db *db, const char *audit, int64_t manifest,
                           const char *signed_sha256, const char *fingerprint,
                           const struct okno_signature_key *key, const char *signature, size_t len,
                           const char *author, int64_t now_us, struct okno_err *err)
{
    char sha256[OKNO_SHA256_TEXT];
    hash_text(signature, len, sha256);
    int rc = OKNO_DB_RUN(db, "bundle.add_signature", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_INT("manifest", manifest), OKNO_INT("now", now_us),
                         OKNO_TEXT("author", author), OKNO_TEXT("fingerprint", fingerprint),
                         OKNO_TEXT("signature", signature), OKNO_TEXT("sha256", sha256));
    if (rc < 0)
        return rc;
    okno_autojson json_t *detail =
        json_pack("{s:s, s:s, s:s, s:s}", "key_kind", okno_signature_kind_name(key->kind),
                  "fingerprint", fingerprint, "manifest", signed_sha256, "signature", sha256);
    return okno_audit_add(db, audit, "sign", detail, author, now_us, err);
}

static int take_signature(struct okno_db *db, const char *audit, const char *signature, size_t len,
                          const char *author, int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    OKNO_AUTO_BUF files = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    struct okno_signature_key key;
    char fingerprint[OKNO_SHA256_TEXT];
    char sha256[OKNO_SHA256_TEXT];
    int rc = require_key(db, audit, &key, fingerprint, err);
    if (rc == 0)
        rc = bundle_signed_files(db, audit, &files, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "bundle.manifest", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_OUT_OF_ORDER,
                         "audit %s has no manifest to sign: before a signature comes `okno audit "
                         "sign %s --manifest -o FILE`",
                         audit, audit);
    if (rc < 0)
        return rc;
    if (strcmp(okno_stmt_text(row, "files"), okno_buf_text(&files)) != 0)
        return okno_fail(err, OKNO_REFUSED,
                         "what audit %s found has changed since its manifest was handed out: sign "
                         "a new one (`okno audit sign %s --manifest`)",
                         audit, audit);
    const char *text = okno_stmt_text(row, "text");
    rc = okno_signature_check(&key, OKNO_SIGNATURE_AUDIT, text, strlen(text), signature, len, err);
    if (rc < 0)
        return rc;
    okno_stmt_copy(row, "sha256", sha256, sizeof(sha256));
    return store_signature(db, audit, okno_stmt_int(row, "id"), sha256, fingerprint, &key,
                           signature, len, author, now_us, err);
}

int okno_signing_add(struct okno_db *db, const char *audit, const char *signature, size_t len,
                     const char *author, int64_t now_us, struct okno_err *err)
{
    int rc = okno_audit_may(db, audit, "sign", err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = take_signature(db, audit, signature, len, author, now_us, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* ---- status ---- */

/* An object of the newest row of a statement, or null. */
static int newest(struct okno_db *db, const char *statement, const char *audit, json_t **ret_json,
                  struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = okno_db_prepare(db, statement, OKNO_BINDS(OKNO_TEXT("audit", audit)), &row, err);
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    *ret_json = rc == 0 ? json_null()
                        : json_pack("{s:s, s:o, s:s}", "sha256", okno_stmt_text(row, "sha256"),
                                    "at", okno_json_time(okno_stmt_int(row, "at")), "files",
                                    okno_stmt_text(row, "files"));
    return 0;
}

static bool is_current(struct okno_db *db, const char *audit, const json_t *signature)
{
    OKNO_AUTO_BUF files = OKNO_BUF_INIT(OKNO_MANIFEST_BYTES_MAX);
    const char *text = json_string_value(json_object_get(signature, "files"));
    return text && bundle_signed_files(db, audit, &files, NULL) == 0 &&
           strcmp(text, okno_buf_text(&files)) == 0;
}

int okno_signing_status(struct okno_db *db, const char *audit, json_t **ret_status,
                        struct okno_err *err)
{
    char fingerprint[OKNO_SHA256_TEXT];
    char text[OKNO_SIGNATURE_KEY_TEXT] = "";
    struct okno_signature_key key = {0};
    json_t *manifest = NULL;
    json_t *signature = NULL;
    int rc = plan_key(db, audit, fingerprint, err);
    if (rc == 0)
        rc = newest(db, "bundle.manifest", audit, &manifest, err);
    okno_autojson json_t *out = manifest;
    if (rc == 0)
        rc = newest(db, "bundle.signature", audit, &signature, err);
    okno_autojson json_t *in = signature;
    if (rc < 0)
        return rc;
    bool known = *fingerprint && okno_auditor_find(db, fingerprint, &key, NULL, NULL) == 0;
    if (known)
        (void)okno_signature_key_format(&key, text);
    bool current = is_current(db, audit, in);
    (void)json_object_del(out, "files");
    (void)json_object_del(in, "files");
    json_t *status =
        json_pack("{s:o, s:o, s:o, s:b, s:O, s:O, s:b}", "fingerprint",
                  *fingerprint ? json_string(fingerprint) : json_null(), "key",
                  known ? json_string(text) : json_null(), "key_kind",
                  known ? json_string(okno_signature_kind_name(key.kind)) : json_null(), "revoked",
                  *fingerprint && !known, "manifest", out, "signature", in, "current", current);
    if (!status)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the signature of audit %s", audit);
    *ret_status = status;
    return 0;
}

#define _POSIX_C_SOURCE 200809L
/* Who may sign an audit. */
#include "okno/auditor.h"

#include "okno/ledger.h"
#include "okno/rows.h"
#include "okno/text.h"
#include "room.h"

#include <string.h>

static int log_key(struct okno_db *db, int64_t id, const struct okno_signature_key *key,
                   const char *auditor, bool revoked, int64_t now_us, struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char text[OKNO_SIGNATURE_KEY_TEXT];
    char fingerprint[OKNO_SHA256_TEXT];
    const struct okno_ledger_entry entry = {.kind = "auditor_key", .subject = id, .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', auditor, name, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:b}", "auditor", name, "key_kind",
        okno_signature_kind_name(key->kind), "key", okno_signature_key_format(key, text),
        "fingerprint", okno_signature_key_fingerprint(key, fingerprint), "revoked", revoked);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

static int add_row(struct okno_db *db, const struct okno_signature_key *key, const char *auditor,
                   bool revoked, const char *author, int64_t now_us, struct okno_err *err)
{
    char text[OKNO_SIGNATURE_KEY_TEXT];
    char fingerprint[OKNO_SHA256_TEXT];
    int64_t id = 0;
    int rc = OKNO_DB_INT(db, "auditor.add", 0, &id, err, OKNO_TEXT("auditor", auditor),
                         OKNO_TEXT("kind", okno_signature_kind_name(key->kind)),
                         OKNO_TEXT("key", okno_signature_key_format(key, text)),
                         OKNO_TEXT("fingerprint", okno_signature_key_fingerprint(key, fingerprint)),
                         OKNO_INT("revoked", revoked), OKNO_INT("now", now_us),
                         OKNO_TEXT("author", author));
    return rc < 0 ? rc : log_key(db, id, key, auditor, revoked, now_us, err);
}

static int check_new(struct okno_db *db, const struct okno_signature_key *key, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char fingerprint[OKNO_SHA256_TEXT];
    (void)okno_signature_key_fingerprint(key, fingerprint);
    int rc = OKNO_DB_PREPARE(db, "auditor.get", &row, err, OKNO_TEXT("fingerprint", fingerprint));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0)
        return rc;
    if (okno_stmt_int(row, "revoked"))
        return okno_fail_field(err, OKNO_REFUSED, "key",
                               "the key %s was revoked: whoever has it is no longer known; make a "
                               "new one",
                               fingerprint);
    return okno_fail_field(err, OKNO_CONFLICT, "key", "the key %s is %s's already", fingerprint,
                           okno_stmt_text(row, "auditor"));
}

int okno_auditor_add(struct okno_db *db, const char *auditor, const struct okno_signature_key *key,
                     const char *author, int64_t now_us, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_id(auditor))
        return okno_fail_field(err, OKNO_INVALID, "auditor",
                               "auditor `%s`: a name is 1 to 64 of A-Z a-z 0-9 _ -",
                               okno_text_show(auditor, shown));
    int rc = audit_check_author(author, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = check_new(db, key, err);
    if (rc == 0)
        rc = add_row(db, key, auditor, false, author, now_us, err);
    return audit_finish(db, rc, err);
}

static int revoke(struct okno_db *db, const char *fingerprint, const char *author, int64_t now_us,
                  struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    struct okno_signature_key key;
    char auditor[OKNO_ID_TEXT];
    char shown[OKNO_TEXT_SHOWN];
    int rc = OKNO_DB_PREPARE(db, "auditor.get", &row, err, OKNO_TEXT("fingerprint", fingerprint));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail_field(err, OKNO_NOT_FOUND, "fingerprint",
                               "no key %s is registered: see `okno audit key list`",
                               okno_text_show(fingerprint, shown));
    if (okno_stmt_int(row, "revoked"))
        return okno_fail(err, OKNO_CONFLICT, "the key %s is revoked already", fingerprint);
    const char *text = okno_stmt_text(row, "key");
    okno_stmt_copy(row, "auditor", auditor, sizeof(auditor));
    rc = okno_signature_key_parse(text, strlen(text), &key, err);
    return rc < 0 ? rc : add_row(db, &key, auditor, true, author, now_us, err);
}

int okno_auditor_revoke(struct okno_db *db, const char *fingerprint, const char *author,
                        int64_t now_us, struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = revoke(db, fingerprint, author, now_us, err);
    return audit_finish(db, rc, err);
}

int okno_auditor_find(struct okno_db *db, const char *name, struct okno_signature_key *ret_key,
                      char ret_fingerprint[OKNO_SHA256_TEXT], struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    struct okno_signature_key key;
    char fingerprint[OKNO_SHA256_TEXT];
    char shown[OKNO_TEXT_SHOWN];
    (void)okno_text_show(name, shown);
    int rc = OKNO_DB_PREPARE(db, "auditor.standing", &rows, err, OKNO_TEXT("name", name));
    if (rc == 0)
        rc = okno_stmt_step(rows, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail_field(err, OKNO_NOT_FOUND, "auditor",
                               "no key of %s is registered: `okno audit key add %s FILE.pub` "
                               "before the plan",
                               shown, shown);
    if (okno_stmt_int(rows, "revoked"))
        return okno_fail_field(err, OKNO_REFUSED, "auditor", "the key of %s was revoked", shown);
    const char *text = okno_stmt_text(rows, "key");
    rc = okno_signature_key_parse(text, strlen(text), &key, err);
    okno_stmt_copy(rows, "fingerprint", fingerprint, sizeof(fingerprint));
    if (rc == 0)
        rc = okno_stmt_step(rows, err);
    if (rc == 1 && !okno_stmt_int(rows, "revoked"))
        rc = okno_fail_field(err, OKNO_CONFLICT, "auditor",
                             "%s has several keys: say which by its fingerprint", shown);
    if (rc < 0)
        return rc;
    *ret_key = key;
    if (ret_fingerprint)
        memcpy(ret_fingerprint, fingerprint, OKNO_SHA256_TEXT);
    return 0;
}

static json_t *key_json(struct okno_stmt *rows)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "auditor", okno_stmt_text(rows, "auditor"),
                     "kind", okno_stmt_text(rows, "kind"), "key", okno_stmt_text(rows, "key"),
                     "fingerprint", okno_stmt_text(rows, "fingerprint"), "registered_at",
                     okno_json_time(okno_stmt_int(rows, "at")), "revoked_at",
                     okno_row_time(rows, "revoked_at"));
}

int okno_auditor_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "auditor.list", &rows, err);
    return rc < 0 ? rc : okno_rows_list(rows, key_json, ret_list, err);
}

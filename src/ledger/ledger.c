#define _POSIX_C_SOURCE 200809L
#include "ledger.h"

#include "okno/mem.h"

#include <sodium.h>
#include <string.h>

/* ---- what hides names and texts ---- */

const char *okno_ledger_salt(char ret_salt[OKNO_SALT_TEXT])
{
    uint8_t random[16];
    if (sodium_init() < 0)
        abort(); /* without chance nothing here may go on */
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2hex(ret_salt, OKNO_SALT_TEXT, random, sizeof(random));
    return ret_salt;
}

const char *okno_ledger_hide(const char *key, const char *text, char ret_hash[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_hash hash;
    okno_hash_start(&hash);
    okno_hash_add(&hash, key, strlen(key));
    okno_hash_add(&hash, ":", 1);
    okno_hash_add(&hash, text, strlen(text));
    okno_hash_end(&hash, digest);
    return okno_hash_hex(digest, ret_hash);
}

const char *okno_ledger_salt_for(const char *salt, const char *purpose,
                                 char ret_key[OKNO_SHA256_TEXT])
{
    return okno_ledger_hide(salt, purpose, ret_key);
}

int okno_ledger_pseudonym(struct okno_db *db, char kind, const char *person,
                          char ret_name[OKNO_PSEUDONYM_TEXT], struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char hash[OKNO_SHA256_TEXT];
    int rc = okno_db_stmt(db, "ledger.secret", &stmt, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return okno_fail(err, OKNO_DATABASE, "the database has lost the secret of its pseudonyms");
    char salt[80];
    (void)snprintf(salt, sizeof(salt), "%.64s:%c", okno_stmt_text(stmt, "secret"), kind);
    (void)snprintf(ret_name, OKNO_PSEUDONYM_TEXT, "%c-%.16s", kind,
                   okno_ledger_hide(salt, person, hash));
    return 0;
}

/* ---- reading ---- */

static int read_node(void *ctx, int64_t last, unsigned level, struct okno_digest *ret_node,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    size_t len = 0;
    int rc = OKNO_DB_PREPARE(ctx, "ledger.nodes", &stmt, err, OKNO_INT("leaf", last));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    const uint8_t *nodes = rc == 1 ? okno_stmt_blob(stmt, "nodes", &len) : NULL;
    if (len < (size_t)(level + 1) * OKNO_SHA256_BYTES)
        return okno_fail(err, OKNO_DATABASE, "entry %lld of the log is missing or cut short",
                         (long long)last);
    memcpy(ret_node->bytes, nodes + (size_t)level * OKNO_SHA256_BYTES, OKNO_SHA256_BYTES);
    return 0;
}

int okno_ledger_size(struct okno_db *db, int64_t *ret_size, struct okno_err *err)
{
    return okno_db_int(db, "ledger.size", NULL, 0, 0, ret_size, err);
}

int okno_ledger_root(struct okno_db *db, int64_t size, struct okno_digest *ret_root,
                     struct okno_err *err)
{
    struct okno_tree tree;
    int rc = okno_tree_load(read_node, db, size, &tree, err);
    if (rc == 0)
        *ret_root = okno_tree_root(&tree);
    return rc;
}

int okno_ledger_prove(struct okno_db *db, int64_t leaf, int64_t size, const char *checkpoint,
                      struct okno_buf *to, struct okno_err *err)
{
    struct okno_proof proof;
    int rc = okno_merkle_inclusion(read_node, db, leaf, size, &proof, err);
    return rc < 0 ? rc : okno_tlog_proof_write(leaf, &proof, checkpoint, to, err);
}

int okno_ledger_find(struct okno_db *db, const char *kind, int64_t subject, int64_t *ret_leaf,
                     struct okno_err *err)
{
    int64_t leaf = -1;
    int rc = OKNO_DB_INT(db, "ledger.find", -1, &leaf, err, OKNO_TEXT("kind", kind),
                         OKNO_INT("subject", subject));
    if (rc == 0 && leaf < 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "%s %lld is not in the log", kind, (long long)subject);
    if (rc == 0)
        *ret_leaf = leaf;
    return rc;
}

int okno_ledger_salt_of(struct okno_db *db, int64_t leaf, char ret_salt[OKNO_SALT_TEXT],
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "ledger.salt", &stmt, err, OKNO_INT("leaf", leaf));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_GONE, "the salt of entry %lld of the log is gone",
                         (long long)leaf);
    if (rc < 0)
        return rc;
    (void)snprintf(ret_salt, OKNO_SALT_TEXT, "%s", okno_stmt_text(stmt, "salt"));
    return 0;
}

int okno_ledger_line(struct okno_db *db, int64_t leaf, struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "ledger.line", &stmt, err, OKNO_INT("leaf", leaf));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "the log has no entry %lld", (long long)leaf);
    return rc < 0 ? rc : okno_buf_add_text(to, okno_stmt_text(stmt, "line"), err);
}

/* ---- appending ---- */

static int add_leaf(struct okno_db *db, const struct okno_ledger_entry *entry, const char *line,
                    int64_t leaf, const struct okno_digest *nodes, size_t count,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "ledger.add", &stmt, err, OKNO_INT("leaf", leaf),
                             OKNO_INT("at", entry->at_us), OKNO_TEXT("kind", entry->kind),
                             OKNO_TEXT("audit", entry->audit), OKNO_INT("subject", entry->subject),
                             OKNO_TEXT("line", line));
    if (rc == 0)
        rc = okno_stmt_bind_blob(stmt, "nodes", nodes, count * sizeof(*nodes), err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0 && entry->salt)
        rc = OKNO_DB_RUN(db, "ledger.add_salt", NULL, err, OKNO_INT("leaf", leaf),
                         OKNO_TEXT("salt", entry->salt));
    return rc;
}

static int append_line(struct okno_db *db, const struct okno_ledger_entry *entry, const char *line,
                       int64_t size, int64_t *ret_leaf, struct okno_err *err)
{
    struct okno_tree tree;
    struct okno_digest nodes[OKNO_TREE_LEVELS + 1];
    int rc = okno_tree_load(read_node, db, size, &tree, err);
    if (rc < 0)
        return rc;
    struct okno_digest hash = okno_merkle_leaf(line, strlen(line));
    size_t count = okno_tree_add(&tree, &hash, nodes);
    rc = add_leaf(db, entry, line, size, nodes, count, err);
    if (rc == 0 && ret_leaf)
        *ret_leaf = size;
    return rc;
}

int ledger_append(struct okno_db *db, const struct okno_ledger_entry *entry, json_t *json,
                  int64_t size, int64_t *ret_leaf, struct okno_err *err)
{
    okno_autofree char *line = NULL;
    bool whole =
        json && json_object_set_new(json, "kind", json_string(entry->kind)) == 0 &&
        json_object_set_new(json, "at", json_integer(entry->at_us)) == 0 &&
        (!entry->audit || json_object_set_new(json, "audit", json_string(entry->audit)) == 0);
    if (!whole)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an entry of the log");
    int rc = okno_json_canonical(json, &line, err);
    if (rc == 0 && strlen(line) > OKNO_LEDGER_LINE_MAX)
        rc = okno_fail(err, OKNO_TOO_LARGE, "an entry of the log has %zu bytes, %d are allowed",
                       strlen(line), OKNO_LEDGER_LINE_MAX);
    return rc < 0 ? rc : append_line(db, entry, line, size, ret_leaf, err);
}

int okno_ledger_append(struct okno_db *db, const struct okno_ledger_entry *entry, json_t *json,
                       int64_t *ret_leaf, struct okno_err *err)
{
    int64_t size = 0;
    int rc = okno_ledger_size(db, &size, err);
    if (rc == 0)
        rc = ledger_check_age(db, size, err);
    return rc < 0 ? rc : ledger_append(db, entry, json, size, ret_leaf, err);
}

/* ---- checkpoints ---- */

int okno_ledger_sign_text(struct okno_db *db, const char *text, struct okno_buf *to,
                          struct okno_err *err)
{
    struct okno_note_signer signer;
    int rc = ledger_signer(db, &signer, err);
    if (rc < 0)
        return rc;
    size_t len = strlen(signer.key.name);
    if (strncmp(text, signer.key.name, len) == 0)
        rc = okno_fail(err, OKNO_INVALID, "a text that begins with the log's name is not signed");
    else
        rc = okno_note_sign(&signer, text, to, err);
    okno_note_signer_wipe(&signer);
    return rc;
}

int okno_ledger_sign_bytes(struct okno_db *db, enum okno_signature_kind kind, const char *purpose,
                           const void *bytes, size_t len, struct okno_buf *to, struct okno_err *err)
{
    struct okno_note_signer signer;
    int rc = ledger_signer(db, &signer, err);
    if (rc < 0)
        return rc;
    rc = okno_signature_make(&signer, kind, purpose, bytes, len, to, err);
    okno_note_signer_wipe(&signer);
    return rc;
}

int ledger_sign_as(struct okno_db *db, const struct okno_note_signer *signer, const char *audit,
                   int64_t now_us, struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                   struct okno_err *err)
{
    struct okno_checkpoint checkpoint = {.size = 0};
    char hex[OKNO_SHA256_TEXT];
    char key[OKNO_NOTE_KEY_TEXT];
    size_t start = to->len;
    int rc = okno_ledger_size(db, &checkpoint.size, err);
    if (rc == 0)
        rc = okno_ledger_root(db, checkpoint.size, &checkpoint.root, err);
    if (rc == 0)
        rc = okno_checkpoint_sign(signer, checkpoint.size, &checkpoint.root, to, err);
    if (rc < 0)
        return rc;
    (void)snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", signer->key.name);
    rc = OKNO_DB_RUN(db, "ledger.add_checkpoint", NULL, err, OKNO_INT("at", now_us),
                     OKNO_INT("size", checkpoint.size),
                     OKNO_TEXT("root", okno_hash_hex(checkpoint.root.bytes, hex)),
                     OKNO_TEXT("key", okno_note_key_format(&signer->key, key)),
                     OKNO_TEXT("note", okno_buf_text(to) + start), OKNO_TEXT("audit", audit));
    if (rc == 0)
        *ret_checkpoint = checkpoint;
    return rc;
}

int okno_ledger_sign(struct okno_db *db, const char *audit, int64_t now_us,
                     struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                     struct okno_err *err)
{
    struct okno_note_signer signer;
    struct okno_checkpoint checkpoint = {.size = 0};
    int64_t size = 0;
    int rc = okno_ledger_size(db, &size, err);
    if (rc == 0 && size == 0)
        rc = okno_fail(err, OKNO_REFUSED, "the log is empty: there is nothing to sign");
    if (rc == 0)
        rc = ledger_check_age(db, size, err);
    if (rc == 0)
        rc = ledger_signer(db, &signer, err);
    if (rc < 0)
        return rc;
    rc = ledger_sign_as(db, &signer, audit, now_us, &checkpoint, to, err);
    okno_note_signer_wipe(&signer);
    if (rc == 0)
        rc = ledger_keep_mark(okno_db_dir(db), checkpoint.size, &checkpoint.root, err);
    if (rc == 0)
        *ret_checkpoint = checkpoint;
    return rc;
}

int okno_ledger_checkpoint(struct okno_db *db, const char *audit, int64_t now_us,
                           struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                           struct okno_err *err)
{
    struct okno_checkpoint checkpoint = {.size = 0};
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = okno_ledger_sign(db, audit, now_us, &checkpoint, to, err);
    if (rc == 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    if (rc == 0)
        *ret_checkpoint = checkpoint;
    return rc;
}

int okno_ledger_audit_checkpoint(struct okno_db *db, const char *audit, struct okno_buf *to,
                                 struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "ledger.audit_checkpoint", &stmt, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "audit %s has no checkpoint yet", audit);
    return rc < 0 ? rc : okno_buf_add_text(to, okno_stmt_text(stmt, "note"), err);
}

/* The newest checkpoint of a size that the present key signed. */
static int find_checkpoint(struct okno_db *db, int64_t size, struct okno_buf *to,
                           struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    struct okno_note_key key;
    char text[OKNO_NOTE_KEY_TEXT];
    int rc = okno_ledger_key(db, &key, err);
    (void)okno_note_key_format(&key, text);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(db, "anchor.checkpoint_of", &rows, err, OKNO_INT("size", size));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        if (strcmp(okno_stmt_text(rows, "key"), text) == 0)
            return okno_buf_add_text(to, okno_stmt_text(rows, "note"), err);
        rc = 0;
    }
    return rc < 0 ? rc
                  : okno_fail(err, OKNO_NOT_FOUND, "no checkpoint of %lld entries was handed out",
                              (long long)size);
}

int okno_ledger_consistency(struct okno_db *db, int64_t old, int64_t size, int64_t now_us,
                            struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_checkpoint checkpoint = {.size = size};
    struct okno_proof proof;
    int rc = size > 0 ? find_checkpoint(db, size, &note, err)
                      : okno_ledger_checkpoint(db, NULL, now_us, &checkpoint, &note, err);
    if (rc == 0)
        rc = okno_merkle_consistency(read_node, db, old, checkpoint.size, &proof, err);
    return rc < 0 ? rc : okno_consistency_write(old, &proof, okno_buf_text(&note), to, err);
}

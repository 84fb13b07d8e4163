#define _POSIX_C_SOURCE 200809L
/* After a restored backup: a new log, declared as one. What was handed out of the old log cannot be
 * continued without forking it, so the log gets another name and key, and its first new entry says
 * what was lost. */
#include "ledger.h"

#include "okno/mem.h"

#include <string.h>

/* The key of the new log, until the database says that there is one. */
#define NEXT_KEY "log.key.next"

/* What of the old log is out in the world, and what this database still has of it. */
struct loss {
    int64_t handed_out, kept;
    char handed_out_root[OKNO_SHA256_TEXT];
    struct okno_digest kept_root;
};

static int check_lost(struct okno_db *db, struct loss *ret_loss, struct okno_err *err)
{
    struct okno_err older = {0};
    struct loss loss = {0};
    int rc = ledger_read_mark(okno_db_dir(db), &loss.handed_out, loss.handed_out_root, err);
    if (rc == 0)
        rc = okno_ledger_size(db, &loss.kept, err);
    if (rc < 0)
        return rc;
    rc = ledger_check_age(db, loss.kept, &older);
    if (rc == 0)
        return okno_fail(err, OKNO_REFUSED,
                         "this database holds everything that was handed out of its log: there is "
                         "nothing to recover from");
    if (rc != OKNO_REFUSED)
        return okno_fail(err, rc, "%s", older.text);
    *ret_loss = loss;
    return okno_ledger_root(db, loss.kept, &ret_loss->kept_root, err);
}

/* The entry that declares the new log. The old one is named by its key, if that is still there. */
static int declare(struct okno_db *db, const struct loss *loss, const char *author,
                   const char *reason, int64_t now_us, struct okno_err *err)
{
    struct okno_note_signer old;
    char salt[OKNO_SALT_TEXT];
    char purpose[OKNO_SHA256_TEXT];
    char hidden[OKNO_SHA256_TEXT];
    char person[OKNO_PSEUDONYM_TEXT];
    char root[OKNO_SHA256_TEXT];
    char key[OKNO_NOTE_KEY_TEXT] = "";
    int rc = okno_ledger_pseudonym(db, 'R', author, person, err);
    if (rc < 0)
        return rc;
    if (ledger_key_load(okno_db_dir(db), "log.key", &old, NULL) == 0) {
        (void)okno_note_key_format(&old.key, key);
        okno_note_signer_wipe(&old);
    }
    (void)okno_ledger_salt(salt);
    (void)okno_ledger_salt_for(salt, "reason", purpose);
    const struct okno_ledger_entry entry = {.kind = "recover", .salt = salt, .at_us = now_us};
    okno_autojson json_t *json = json_pack(
        "{s:s, s:s, s:I, s:s, s:I, s:s, s:s}", "author", person, "old_key", key, "handed_out",
        (json_int_t)loss->handed_out, "handed_out_root", loss->handed_out_root, "kept",
        (json_int_t)loss->kept, "kept_root", okno_hash_hex(loss->kept_root.bytes, root), "reason",
        okno_ledger_hide(purpose, reason, hidden));
    return ledger_append(db, &entry, json, loss->kept, NULL, err);
}

static int begin_log(struct okno_db *db, const struct loss *loss,
                     const struct okno_ledger_recovery *recovery,
                     struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                     struct okno_err *err)
{
    struct okno_note_signer signer;
    int rc = ledger_key_make(okno_db_dir(db), NEXT_KEY, &signer, err);
    if (rc < 0)
        return rc;
    rc = declare(db, loss, recovery->author, recovery->reason, recovery->at_us, err);
    if (rc == 0)
        rc = ledger_sign_as(db, &signer, NULL, recovery->at_us, ret_checkpoint, to, err);
    okno_note_signer_wipe(&signer);
    return rc;
}

/* Put the new key and mark in the place of the old ones. The old key stays beside them: what it
 * signed is still to be verified. */
static int change_keys(struct okno_db *db, const struct okno_checkpoint *checkpoint,
                       struct okno_err *err)
{
    const char *dir = okno_db_dir(db);
    char name[64];
    struct okno_err missing = {0};
    (void)snprintf(name, sizeof(name), "log.key.before-%lld", (long long)checkpoint->size);
    int rc = ledger_key_rename(dir, "log.key", name, &missing);
    if (rc < 0 && rc != OKNO_NOT_FOUND)
        return okno_fail(err, rc, "%s", missing.text);
    rc = ledger_keep_mark(dir, checkpoint->size, &checkpoint->root, err);
    return rc < 0 ? rc : ledger_key_rename(dir, NEXT_KEY, "log.key", err);
}

/* 1 when the database knows the next key already: an earlier call was killed before it changed the
 * files. Its checkpoint is given again. */
static int find_begun(struct okno_db *db, struct okno_checkpoint *ret_checkpoint,
                      struct okno_buf *to, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    struct okno_note_signer next;
    char known[OKNO_NOTE_KEY_TEXT];
    char key[OKNO_NOTE_KEY_TEXT];
    int rc = ledger_last_key(db, known, err);
    if (rc < 0 || ledger_key_load(okno_db_dir(db), NEXT_KEY, &next, NULL) < 0)
        return rc;
    bool begun = strcmp(known, okno_note_key_format(&next.key, key)) == 0;
    struct okno_note_key public = next.key;
    okno_note_signer_wipe(&next);
    if (!begun)
        return 0;
    rc = okno_db_stmt(db, "ledger.last_checkpoint", &row, err);
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 1)
        rc = okno_buf_add_text(to, okno_stmt_text(row, "note"), err);
    if (rc == 0)
        rc = okno_checkpoint_open(okno_buf_text(to), to->len, &public, ret_checkpoint, err);
    return rc < 0 ? rc : 1;
}

int okno_ledger_recover(struct okno_db *db, const struct okno_ledger_recovery *recovery,
                        struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                        struct okno_err *err)
{
    struct loss loss;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = find_begun(db, ret_checkpoint, to, err);
    bool begun = rc == 1;
    if (rc == 0)
        rc = check_lost(db, &loss, err);
    if (rc == 0)
        rc = begin_log(db, &loss, recovery, ret_checkpoint, to, err);
    if (rc < 0 || begun)
        okno_db_rollback(db);
    else
        rc = okno_db_commit(db, err);
    return rc < 0 ? rc : change_keys(db, ret_checkpoint, err);
}

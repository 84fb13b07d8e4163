/* The evidence log of a data directory: what was decided and in which order, as a Merkle tree whose
 * signed checkpoints leave the house. Entries are canonical JSON lines without personal data.
 *
 * An entry is appended in the transaction that does what it tells. The key lies in DIR/keys/log.key
 * (mode 0600), the newest checkpoint handed out in DIR/keys/log.checkpoint, beside the database on
 * purpose: a database restored from an older backup is recognised by it. */
#ifndef OKNO_LEDGER_H
#define OKNO_LEDGER_H

#include "okno/buf.h"
#include "okno/db.h"
#include "okno/err.h"
#include "okno/json.h"
#include "okno/merkle.h"
#include "okno/note.h"
#include "okno/signature.h"

#include <stdint.h>

#define OKNO_LEDGER_LINE_MAX 60000 /* bytes of one entry */
#define OKNO_SALT_TEXT 33
#define OKNO_PSEUDONYM_TEXT 24

/* 32 hex digits by chance. Returns ret_salt. */
const char *okno_ledger_salt(char ret_salt[OKNO_SALT_TEXT]);

/* What hides a text of one purpose: the hex SHA-256 of "salt:purpose", to be told on its own.
 * Returns ret_key. */
const char *okno_ledger_salt_for(const char *salt, const char *purpose,
                                 char ret_key[OKNO_SHA256_TEXT]);
/* The hex SHA-256 of "key:text". Returns ret_hash. Pure. */
const char *okno_ledger_hide(const char *key, const char *text, char ret_hash[OKNO_SHA256_TEXT]);

/* A name that stands for a person throughout this database: kind letter, dash, 16 hex digits. */
OKNO_CHECK int okno_ledger_pseudonym(struct okno_db *db, char kind, const char *person,
                                     char ret_name[OKNO_PSEUDONYM_TEXT], struct okno_err *err);

struct okno_ledger_entry {
    const char *kind;  /* step, verdict, import */
    const char *audit; /* NULL: none */
    int64_t subject;   /* the row's id that this is about */
    const char *salt;  /* kept beside the entry; NULL: none */
    int64_t at_us;
};

/* Append inside the caller's transaction; `json` is an object without floats, to which kind, at and
 * audit are added. OKNO_REFUSED when the database is older than the newest checkpoint handed out.
 */
OKNO_CHECK int okno_ledger_append(struct okno_db *db, const struct okno_ledger_entry *entry,
                                  json_t *json, int64_t *ret_leaf, struct okno_err *err);

/* The entry about a row, newest first. OKNO_NOT_FOUND when it is older than the log. */
OKNO_CHECK int okno_ledger_find(struct okno_db *db, const char *kind, int64_t subject,
                                int64_t *ret_leaf, struct okno_err *err);
/* Salt of an entry; OKNO_GONE when it was destroyed. */
OKNO_CHECK int okno_ledger_salt_of(struct okno_db *db, int64_t leaf, char ret_salt[OKNO_SALT_TEXT],
                                   struct okno_err *err);
/* The entry's line, appended without line end. */
OKNO_CHECK int okno_ledger_line(struct okno_db *db, int64_t leaf, struct okno_buf *to,
                                struct okno_err *err);

OKNO_CHECK int okno_ledger_size(struct okno_db *db, int64_t *ret_size, struct okno_err *err);
OKNO_CHECK int okno_ledger_root(struct okno_db *db, int64_t size, struct okno_digest *ret_root,
                                struct okno_err *err);
/* Proof that an entry is in the log of `checkpoint` (as signed), as .tlog-proof text. */
OKNO_CHECK int okno_ledger_prove(struct okno_db *db, int64_t leaf, int64_t size,
                                 const char *checkpoint, struct okno_buf *to, struct okno_err *err);

/* Proof that the log of `size` entries begins with the one of `old`, as text: a first line, `old
 * N`, hashes, a blank line and the checkpoint of `size`, which has to be one that was handed out;
 * size 0: a new one is signed. OKNO_INVALID; OKNO_NOT_FOUND without such a checkpoint. */
OKNO_CHECK int okno_ledger_consistency(struct okno_db *db, int64_t old, int64_t size,
                                       int64_t now_us, struct okno_buf *to, struct okno_err *err);

/* Make the key of a data directory unless it is there. A data directory whose checkpoints were
 * signed by a key that is gone is OKNO_REFUSED. */
OKNO_CHECK int okno_ledger_key(struct okno_db *db, struct okno_note_key *ret_key,
                               struct okno_err *err);

/* Sign a text that is no checkpoint with the log's key: the text (ends in a line end), a blank line
 * and the signature are appended to `to`. OKNO_INVALID for a text that begins like a checkpoint. */
OKNO_CHECK int okno_ledger_sign_text(struct okno_db *db, const char *text, struct okno_buf *to,
                                     struct okno_err *err);

/* A signature file of the log's key over bytes, as minisign or ssh-keygen would write it. */
OKNO_CHECK int okno_ledger_sign_bytes(struct okno_db *db, enum okno_signature_kind kind,
                                      const char *purpose, const void *bytes, size_t len,
                                      struct okno_buf *to, struct okno_err *err);

/* Sign the log as it stands and keep that this was handed out. The note is appended to `to`. Inside
 * the caller's transaction and before anything is appended in it: what is handed out must be on
 * disk. */
OKNO_CHECK int okno_ledger_sign(struct okno_db *db, const char *audit, int64_t now_us,
                                struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                                struct okno_err *err);
/* The same as a transaction of its own. */
OKNO_CHECK int okno_ledger_checkpoint(struct okno_db *db, const char *audit, int64_t now_us,
                                      struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                                      struct okno_err *err);
/* The checkpoint handed out before an audit's seed. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_ledger_audit_checkpoint(struct okno_db *db, const char *audit,
                                            struct okno_buf *to, struct okno_err *err);

/* A restored database is older than what was handed out of its log, and no newer backup exists. */
struct okno_ledger_recovery {
    const char *author; /* a person, told by a pseudonym */
    const char *reason; /* told as a salted hash */
    int64_t at_us;
};

/* Begin a new log on what is left: another name and key, an entry `recover` that tells how much was
 * handed out and how much is left, and its checkpoint (appended to `to`), which is to be handed
 * out. The old key is kept as keys/log.key.before-SIZE. May be called again after it was killed.
 * OKNO_REFUSED when nothing is lost. */
OKNO_CHECK int okno_ledger_recover(struct okno_db *db, const struct okno_ledger_recovery *recovery,
                                   struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                                   struct okno_err *err);

#endif

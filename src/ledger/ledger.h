/* Inside the ledger room only. */
#ifndef OKNO_LEDGER_ROOM_H
#define OKNO_LEDGER_ROOM_H

#include "okno/ledger.h"

/* The signer of a data directory, made when there is none. The caller wipes it. */
OKNO_CHECK int ledger_signer(struct okno_db *db, struct okno_note_signer *ret_signer,
                             struct okno_err *err);

/* OKNO_REFUSED when the log of `size` entries does not hold the newest checkpoint handed out. */
OKNO_CHECK int ledger_check_age(struct okno_db *db, int64_t size, struct okno_err *err);

/* Keep beside the database that this much was handed out, durably. */
OKNO_CHECK int ledger_keep_mark(const char *data_dir, int64_t size, const struct okno_digest *root,
                                struct okno_err *err);

/* What it says: size 0 where nothing was handed out; ret_root as hex. */
OKNO_CHECK int ledger_read_mark(const char *data_dir, int64_t *ret_size,
                                char ret_root[OKNO_SHA256_TEXT], struct okno_err *err);

/* As okno_ledger_append to a log of `size` entries, whether or not it is older than what was handed
 * out. */
OKNO_CHECK int ledger_append(struct okno_db *db, const struct okno_ledger_entry *entry,
                             json_t *json, int64_t size, int64_t *ret_leaf, struct okno_err *err);

/* Sign the log as it stands with a given key and keep the checkpoint in the database; the mark is
 * the caller's. */
OKNO_CHECK int ledger_sign_as(struct okno_db *db, const struct okno_note_signer *signer,
                              const char *audit, int64_t now_us,
                              struct okno_checkpoint *ret_checkpoint, struct okno_buf *to,
                              struct okno_err *err);

/* Make a key in keys/NAME unless one is there, and load it. The caller wipes it. */
OKNO_CHECK int ledger_key_make(const char *data_dir, const char *name,
                               struct okno_note_signer *ret_signer, struct okno_err *err);
/* OKNO_NOT_FOUND without one. */
OKNO_CHECK int ledger_key_load(const char *data_dir, const char *name,
                               struct okno_note_signer *ret_signer, struct okno_err *err);
/* The key of the newest checkpoint in the database; "" without one. */
OKNO_CHECK int ledger_last_key(struct okno_db *db, char ret_key[OKNO_NOTE_KEY_TEXT],
                               struct okno_err *err);
/* Rename a file in keys/, durably. */
OKNO_CHECK int ledger_key_rename(const char *data_dir, const char *from, const char *to,
                                 struct okno_err *err);

#endif

/* Signed notes and the checkpoints of a log written in them; Ed25519 by libsodium. Pure.
 * Source: C2SP signed-note, tlog-checkpoint and tlog-proof. */
#ifndef OKNO_NOTE_H
#define OKNO_NOTE_H

#include "okno/buf.h"
#include "okno/err.h"
#include "okno/merkle.h"

#include <stdint.h>

#define OKNO_NOTE_NAME_TEXT 129     /* a key's name and the NUL */
#define OKNO_NOTE_KEY_TEXT 256      /* a public or private key as text */
#define OKNO_NOTE_BYTES_MAX 65536   /* a note with its signatures */
#define OKNO_NOTE_SIGNATURES_MAX 16 /* of one note */

/* Who may sign: `name+hash+base64`. */
struct okno_note_key {
    char name[OKNO_NOTE_NAME_TEXT];
    uint32_t id; /* of name, algorithm and public key */
    uint8_t public_key[32];
};

/* Who signs. Secret: wiped by okno_note_signer_wipe. */
struct okno_note_signer {
    struct okno_note_key key;
    uint8_t seed[32];
};

/* Name: UTF-8 without blanks and `+`. OKNO_INVALID for another name. */
OKNO_CHECK int okno_note_signer_make(const char *name, const uint8_t seed[32],
                                     struct okno_note_signer *ret_signer, struct okno_err *err);
void okno_note_signer_wipe(struct okno_note_signer *signer);

/* The key as text without a line end. Returns ret_text. */
const char *okno_note_key_format(const struct okno_note_key *key,
                                 char ret_text[OKNO_NOTE_KEY_TEXT]);
/* OKNO_MALFORMED; one line end behind the key is allowed. */
OKNO_CHECK int okno_note_key_parse(const char *text, struct okno_note_key *ret_key,
                                   struct okno_err *err);
/* `PRIVATE+KEY+name+hash+base64`: secret. */
const char *okno_note_signer_format(const struct okno_note_signer *signer,
                                    char ret_text[OKNO_NOTE_KEY_TEXT]);
OKNO_CHECK int okno_note_signer_parse(const char *text, struct okno_note_signer *ret_signer,
                                      struct okno_err *err);

/* Append the note: `text` (ends in a line end), a blank line, one signature. */
OKNO_CHECK int okno_note_sign(const struct okno_note_signer *signer, const char *text,
                              struct okno_buf *to, struct okno_err *err);

/* Check that the key signed this note; other keys' signatures are allowed and not looked at.
 * *ret_text_len is the length of the signed text at its start. OKNO_MALFORMED, OKNO_CHECK_FAILED.
 */
OKNO_CHECK int okno_note_open(const char *note, size_t len, const struct okno_note_key *key,
                              size_t *ret_text_len, struct okno_err *err);

/* A log's state. */
struct okno_checkpoint {
    char origin[OKNO_NOTE_NAME_TEXT];
    int64_t size;
    struct okno_digest root;
};

OKNO_CHECK int okno_checkpoint_sign(const struct okno_note_signer *signer, int64_t size,
                                    const struct okno_digest *root, struct okno_buf *to,
                                    struct okno_err *err);
/* The key's signature and that the key names the log. OKNO_MALFORMED, OKNO_CHECK_FAILED. */
OKNO_CHECK int okno_checkpoint_open(const char *note, size_t len, const struct okno_note_key *key,
                                    struct okno_checkpoint *ret_checkpoint, struct okno_err *err);

/* That an entry is in a log: its place, the path and a checkpoint. */
OKNO_CHECK int okno_tlog_proof_write(int64_t leaf, const struct okno_proof *proof,
                                     const char *checkpoint, struct okno_buf *to,
                                     struct okno_err *err);
/* Read and verify a proof of an entry. OKNO_MALFORMED, OKNO_CHECK_FAILED. */
OKNO_CHECK int okno_tlog_proof_check(const char *text, size_t len, const struct okno_note_key *key,
                                     const struct okno_digest *leaf_hash, int64_t *ret_leaf,
                                     struct okno_checkpoint *ret_checkpoint, struct okno_err *err);

/* That a log goes on from an older state: okno's own text, in the manner of tlog-proof. */
OKNO_CHECK int okno_consistency_write(int64_t old, const struct okno_proof *proof,
                                      const char *checkpoint, struct okno_buf *to,
                                      struct okno_err *err);
/* Read and verify one against the older checkpoint. OKNO_MALFORMED, OKNO_CHECK_FAILED. */
OKNO_CHECK int okno_consistency_check(const char *text, size_t len, const struct okno_note_key *key,
                                      const struct okno_checkpoint *old,
                                      struct okno_checkpoint *ret_checkpoint, struct okno_err *err);

#endif

/* Signatures that people make outside okno with tools of their own: public keys and signature files
 * of minisign and of OpenSSH (ssh-keygen -Y sign), Ed25519 only, checked by libsodium. Pure.
 * Sources: jedisct1.github.io/minisign (format of keys and signatures), OpenSSH PROTOCOL.sshsig,
 * RFC 8709 (ssh-ed25519). */
#ifndef OKNO_SIGNATURE_H
#define OKNO_SIGNATURE_H

#include "okno/buf.h"
#include "okno/err.h"
#include "okno/hash.h"
#include "okno/note.h"

#include <stddef.h>
#include <stdint.h>

#define OKNO_SIGNATURE_BYTES_MAX 16384 /* of a key's or a signature's file */
#define OKNO_SIGNATURE_KEY_TEXT 160    /* a key in one line, without line end */
/* What an auditor's signature is for: ssh-keygen -Y sign -n okno-audit. */
#define OKNO_SIGNATURE_AUDIT "okno-audit"
/* What the log's key signs the list of a bundle's files for. */
#define OKNO_SIGNATURE_BUNDLE "okno-bundle"

enum okno_signature_kind { OKNO_SIGNATURE_MINISIGN, OKNO_SIGNATURE_SSH };

struct okno_signature_key {
    enum okno_signature_kind kind;
    uint8_t public_key[32];
    uint8_t number[8]; /* minisign's own name of the key; zero for SSH */
};

/* "minisign" or "ssh". */
const char *okno_signature_kind_name(enum okno_signature_kind kind);

/* A public key: a minisign.pub file or its second line, or a line `ssh-ed25519 BASE64 [comment]`.
 * OKNO_MALFORMED; OKNO_UNSUPPORTED names a kind of key that is not taken. */
OKNO_CHECK int okno_signature_key_parse(const char *text, size_t len,
                                        struct okno_signature_key *ret_key, struct okno_err *err);
/* The one spelling of a key, without comments: minisign's base64 line, or `ssh-ed25519 BASE64`.
 * Returns ret_text. */
const char *okno_signature_key_format(const struct okno_signature_key *key,
                                      char ret_text[OKNO_SIGNATURE_KEY_TEXT]);
/* SHA-256 of that spelling, in hex. Returns ret_text. */
const char *okno_signature_key_fingerprint(const struct okno_signature_key *key,
                                           char ret_text[OKNO_SHA256_TEXT]);
/* What the tools read as a file: minisign.pub, or an allowed_signers line for `who`. Appended. */
OKNO_CHECK int okno_signature_key_write(const struct okno_signature_key *key, const char *who,
                                        const char *purpose, struct okno_buf *to,
                                        struct okno_err *err);

/* Check a signature file of the key's kind over a message: minisign's with and without prehashing
 * (its trusted comment, too), or an SSH signature made for `purpose`. OKNO_MALFORMED;
 * OKNO_UNSUPPORTED; OKNO_CHECK_FAILED says whether the key, the namespace or the message is
 * another.
 */
OKNO_CHECK int okno_signature_check(const struct okno_signature_key *key, const char *purpose,
                                    const void *message, size_t message_len, const char *signature,
                                    size_t signature_len, struct okno_err *err);

/* The log's own key as minisign and OpenSSH know it. */
struct okno_signature_key okno_signature_log_key(const struct okno_note_key *key,
                                                 enum okno_signature_kind kind);
/* Sign with the log's key, as `minisign -S` (prehashed) or `ssh-keygen -Y sign` would. Appended. */
OKNO_CHECK int okno_signature_make(const struct okno_note_signer *signer,
                                   enum okno_signature_kind kind, const char *purpose,
                                   const void *message, size_t message_len, struct okno_buf *to,
                                   struct okno_err *err);

#endif

/* Inside the ledger room only: the two formats of signature.h. */
#ifndef OKNO_LEDGER_SIGNATURE_H
#define OKNO_LEDGER_SIGNATURE_H

#include "okno/signature.h"

#include <stdbool.h>

/* ---- lines and base64 (signature.c) ---- */

/* A piece of text that belongs to somebody else. */
struct piece {
    const char *text;
    size_t len;
};

/* The next line of *rest, without LF or CRLF; false at the end. */
bool signature_next_line(struct piece *rest, struct piece *ret_line);
/* Exactly `want` bytes of standard base64 with padding. */
bool signature_decode(struct piece text, uint8_t *ret_bytes, size_t want);
bool signature_starts(struct piece line, const char *prefix);

/* ---- minisign.c ---- */

OKNO_CHECK int minisign_key_parse(struct piece text, struct okno_signature_key *ret_key,
                                  struct okno_err *err);
OKNO_CHECK int minisign_check(const struct okno_signature_key *key, const void *message,
                              size_t message_len, struct piece signature, struct okno_err *err);
OKNO_CHECK int minisign_make(const struct okno_signature_key *key, const uint8_t secret[64],
                             const char *purpose, const void *message, size_t message_len,
                             struct okno_buf *to, struct okno_err *err);
/* Algorithm, number, key: as base64 the line of a minisign.pub file. */
void minisign_key_bytes(const struct okno_signature_key *key, uint8_t ret_bytes[42]);

/* ---- sshsig.c ---- */

enum { SSH_KEY_BYTES = 51 }; /* string "ssh-ed25519", string of 32 bytes */

OKNO_CHECK int ssh_key_parse(struct piece text, struct okno_signature_key *ret_key,
                             struct okno_err *err);
void ssh_key_bytes(const struct okno_signature_key *key, uint8_t ret_bytes[SSH_KEY_BYTES]);
OKNO_CHECK int ssh_check(const struct okno_signature_key *key, const char *purpose,
                         const void *message, size_t message_len, struct piece signature,
                         struct okno_err *err);
OKNO_CHECK int ssh_make(const struct okno_signature_key *key, const uint8_t secret[64],
                        const char *purpose, const void *message, size_t message_len,
                        struct okno_buf *to, struct okno_err *err);

#endif

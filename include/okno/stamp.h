/* Proofs by others that something was there at a time: time stamps (RFC 3161, by OpenSSL's
 * libcrypto) and cosignatures of witnesses (C2SP tlog-cosignature, by libsodium). Pure. */
#ifndef OKNO_STAMP_H
#define OKNO_STAMP_H

#include "okno/buf.h"
#include "okno/err.h"
#include "okno/hash.h"
#include "okno/note.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OKNO_STAMP_BYTES_MAX 65536    /* of a reply */
#define OKNO_STAMP_CA_BYTES_MAX 65536 /* of a file of certificates */
#define OKNO_STAMP_NONCE_TEXT 17      /* 16 hex digits */
#define OKNO_STAMP_NAME_TEXT 129

/* ---- time stamps ---- */

/* A request (DER, appended) for a time stamp over a SHA-256, with a nonce by chance, asking for the
 * authority's certificate; `policy` is an OID, "" for the authority's own. */
OKNO_CHECK int okno_stamp_request(const uint8_t digest[OKNO_SHA256_BYTES], const char *policy,
                                  char ret_nonce[OKNO_STAMP_NONCE_TEXT], struct okno_buf *to,
                                  struct okno_err *err);

struct okno_stamp {
    int64_t at_us;                        /* when the authority says that it saw the hash */
    char authority[OKNO_STAMP_NAME_TEXT]; /* common name of its certificate */
    char policy[OKNO_STAMP_NAME_TEXT];    /* OID */
    char nonce[OKNO_STAMP_NONCE_TEXT];    /* "" without one */
    uint8_t digest[OKNO_SHA256_BYTES];    /* what was stamped */
};

/* What a reply says; nothing is verified yet. OKNO_MALFORMED; OKNO_REFUSED when the authority
 * refused, in its words. */
OKNO_CHECK int okno_stamp_read(const void *reply, size_t len, struct okno_stamp *ret_stamp,
                               struct okno_err *err);

/* What a reply has to say. */
struct okno_stamp_want {
    const uint8_t *digest; /* OKNO_SHA256_BYTES */
    const char *nonce;     /* of the request; NULL: any, for checks long after */
    const char *policy;    /* NULL or "": any */
    const char *ca;        /* PEM: trusted roots, and intermediates that the reply may lack */
};

/* The reply's digest, nonce and policy, its signature, and that its certificate is for time
 * stamping and leads to one of the roots, at the time of the stamp. OKNO_CHECK_FAILED says which of
 * them is wrong; OKNO_MALFORMED; OKNO_INVALID for `ca` without a certificate. */
OKNO_CHECK int okno_stamp_check(const void *reply, size_t len, const struct okno_stamp_want *want,
                                struct okno_stamp *ret_stamp, struct okno_err *err);

/* ---- witnesses ---- */

/* `name+hash+base64` of a witness's key (algorithm 0x04). */
OKNO_CHECK int okno_witness_parse(const char *text, struct okno_note_key *ret_key,
                                  struct okno_err *err);
/* Returns ret_text, without line end. */
const char *okno_witness_format(const struct okno_note_key *key, char ret_text[OKNO_NOTE_KEY_TEXT]);

/* One line `— name base64` (without its line end) by the witness over the text of a checkpoint (up
 * to and with the line end before the blank line). 1: good, *ret_at_us is when; 0: another's line.
 * OKNO_MALFORMED, OKNO_CHECK_FAILED. */
OKNO_CHECK int okno_witness_check(const struct okno_note_key *key, const char *text,
                                  size_t text_len, const char *line, size_t line_len,
                                  int64_t *ret_at_us, struct okno_err *err);

/* Whether a witness's time lies more than five minutes ahead of the time at which its cosignature
 * was taken in (or is looked at): clocks differ, but one that is so far off proves no order. */
bool okno_witness_is_ahead(int64_t at_us, int64_t now_us);

#endif

/* SHA-256 and its hexadecimal text. Source: FIPS 180-4, computed by libsodium, and for whole files
 * by libcrypto, which uses the processor's own instructions (8 MB in 5 ms instead of 30). */
#ifndef OKNO_HASH_H
#define OKNO_HASH_H

#include "okno/err.h"

#include <sodium/crypto_hash_sha256.h>
#include <stddef.h>
#include <stdint.h>

#define OKNO_SHA256_BYTES 32
#define OKNO_SHA256_TEXT 65 /* 64 lower-case hex digits and the NUL */

/* Streaming digest: start, add any number of times, end once. Copying the struct forks it. */
struct okno_hash {
    crypto_hash_sha256_state state;
};

void okno_hash_start(struct okno_hash *hash);
void okno_hash_add(struct okno_hash *hash, const void *bytes, size_t len);
void okno_hash_end(struct okno_hash *hash, uint8_t ret_digest[OKNO_SHA256_BYTES]);

/* Digest of one buffer. */
void okno_hash_bytes(const void *bytes, size_t len, uint8_t ret_digest[OKNO_SHA256_BYTES]);

/* Lower-case hex of a digest. Returns ret_text. */
const char *okno_hash_hex(const uint8_t digest[OKNO_SHA256_BYTES], char ret_text[OKNO_SHA256_TEXT]);

/* Digest of everything in an open file from its start; the file position is left at the end. */
OKNO_CHECK int okno_hash_fd(int fd, char ret_text[OKNO_SHA256_TEXT], struct okno_err *err);

#endif

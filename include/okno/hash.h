/* SHA-256 and its hexadecimal text. Source: FIPS 180-4, computed by libsodium, and for whole files
 * by libcrypto, which uses the processor's own instructions (8 MB in 5 ms instead of 30). */
#ifndef OKNO_HASH_H
#define OKNO_HASH_H

#include "okno/err.h"

#include <pthread.h>
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

/* The same by libcrypto, which knows the processor's own instructions: three times as fast over
 * kilobytes. Not in the sandbox: it may open files when it is first used. */
void okno_hash_block(const void *bytes, size_t len, uint8_t ret_digest[OKNO_SHA256_BYTES]);

/* Lower-case hex of a digest. Returns ret_text. */
const char *okno_hash_hex(const uint8_t digest[OKNO_SHA256_BYTES], char ret_text[OKNO_SHA256_TEXT]);

/* Digest of everything in an open file from its start; the file position is left at the end. */
OKNO_CHECK int okno_hash_fd(int fd, char ret_text[OKNO_SHA256_TEXT], struct okno_err *err);

/* --- files against their hashes --------------------------------------------------------------- */

enum { OKNO_HASH_MEMO = 256 };

/* One version of a file that had its hash. */
struct okno_hash_known {
    char sha256[OKNO_SHA256_TEXT];
    uint64_t device, inode;
    int64_t bytes, changed_ns;
};

/* Files that were compared lately, so that a player's many requests read a file once. Any thread.
 */
struct okno_hash_memo {
    pthread_mutex_t lock; /* protects what follows */
    struct okno_hash_known known[OKNO_HASH_MEMO];
    size_t next;
};

void okno_hash_memo_init(struct okno_hash_memo *memo);
void okno_hash_memo_destroy(struct okno_hash_memo *memo);

/* OKNO_CHECK_FAILED when an open file is no regular one or holds other bytes than its hash says.
 * memo: NULL reads it in any case. The file position is anywhere afterwards. */
OKNO_CHECK int okno_hash_check(int fd, const char *sha256, struct okno_hash_memo *memo,
                               struct okno_err *err);

/* Open what is kept under a hash, compared; links are not followed and pipes not waited for.
 * OKNO_GONE when there is none, OKNO_CHECK_FAILED as above. The caller closes *ret_fd. */
OKNO_CHECK int okno_hash_open(const char *path, const char *sha256, struct okno_hash_memo *memo,
                              int *ret_fd, int64_t *ret_size, struct okno_err *err);

#endif

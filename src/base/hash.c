#define _POSIX_C_SOURCE 200809L
#include "okno/hash.h"

#include <errno.h>
#include <sodium/utils.h>
#include <unistd.h>

void okno_hash_start(struct okno_hash *hash)
{
    (void)crypto_hash_sha256_init(&hash->state);
}

void okno_hash_add(struct okno_hash *hash, const void *bytes, size_t len)
{
    (void)crypto_hash_sha256_update(&hash->state, bytes, len);
}

void okno_hash_end(struct okno_hash *hash, uint8_t ret_digest[OKNO_SHA256_BYTES])
{
    (void)crypto_hash_sha256_final(&hash->state, ret_digest);
}

void okno_hash_bytes(const void *bytes, size_t len, uint8_t ret_digest[OKNO_SHA256_BYTES])
{
    (void)crypto_hash_sha256(ret_digest, bytes, len);
}

const char *okno_hash_hex(const uint8_t digest[OKNO_SHA256_BYTES], char ret_text[OKNO_SHA256_TEXT])
{
    return sodium_bin2hex(ret_text, OKNO_SHA256_TEXT, digest, OKNO_SHA256_BYTES);
}

int okno_hash_fd(int fd, char ret_text[OKNO_SHA256_TEXT], struct okno_err *err)
{
    struct okno_hash hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    uint8_t block[65536];
    okno_hash_start(&hash);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return okno_fail_errno(err, errno, "cannot go back to the start of the file");
    for (;;) {
        ssize_t got = read(fd, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return okno_fail_errno(err, errno, "cannot read the file to hash it");
        if (got == 0)
            break;
        okno_hash_add(&hash, block, (size_t)got);
    }
    okno_hash_end(&hash, digest);
    (void)okno_hash_hex(digest, ret_text);
    return 0;
}

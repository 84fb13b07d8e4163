#define _POSIX_C_SOURCE 200809L
#include "okno/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
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

void okno_hash_block(const void *bytes, size_t len, uint8_t ret_digest[OKNO_SHA256_BYTES])
{
    (void)SHA256(bytes, len, ret_digest);
}

const char *okno_hash_hex(const uint8_t digest[OKNO_SHA256_BYTES], char ret_text[OKNO_SHA256_TEXT])
{
    return sodium_bin2hex(ret_text, OKNO_SHA256_TEXT, digest, OKNO_SHA256_BYTES);
}

static int hash_rest(int fd, EVP_MD_CTX *hash, struct okno_err *err)
{
    uint8_t block[65536];
    for (;;) {
        ssize_t got = read(fd, block, sizeof(block));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return okno_fail_errno(err, errno, "cannot read the file to hash it");
        if (got == 0)
            return 0;
        if (EVP_DigestUpdate(hash, block, (size_t)got) != 1)
            return okno_fail(err, OKNO_FAILED, "the file cannot be hashed");
    }
}

int okno_hash_fd(int fd, char ret_text[OKNO_SHA256_TEXT], struct okno_err *err)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    if (lseek(fd, 0, SEEK_SET) < 0)
        return okno_fail_errno(err, errno, "cannot go back to the start of the file");
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    int rc = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1
                 ? hash_rest(fd, hash, err)
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory to hash a file");
    if (rc == 0 && EVP_DigestFinal_ex(hash, digest, NULL) != 1)
        rc = okno_fail(err, OKNO_FAILED, "the file cannot be hashed");
    EVP_MD_CTX_free(hash);
    if (rc == 0)
        (void)okno_hash_hex(digest, ret_text);
    return rc;
}

#include "random.h"

#include <sodium.h>
#include <string.h>

enum { TOKEN_BYTES = 32 };

int random_token(char ret_token[OKNO_TOKEN_TEXT], struct okno_err *err)
{
    uint8_t random[TOKEN_BYTES];
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "no source of randomness");
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2hex(ret_token, OKNO_TOKEN_TEXT, random, sizeof(random));
    sodium_memzero(random, sizeof(random));
    return 0;
}

const char *random_token_hash(const char *token, char ret_hash[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(token, strlen(token), digest);
    return okno_hash_hex(digest, ret_hash);
}

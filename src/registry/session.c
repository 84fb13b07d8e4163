#include "okno/hash.h"
#include "okno/user.h"
#include "user.h"

#include <sodium.h>
#include <string.h>

enum { TOKEN_BYTES = 32 };

static const char *hash_token(const char *token, char ret_hash[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(token, strlen(token), digest);
    return okno_hash_hex(digest, ret_hash);
}

int okno_session_create(struct okno_db *db, const char *user, int64_t life_us, int64_t now_us,
                        char ret_token[OKNO_TOKEN_TEXT], struct okno_err *err)
{
    uint8_t random[TOKEN_BYTES];
    char token[OKNO_TOKEN_TEXT];
    char hash[OKNO_SHA256_TEXT];
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "no source of randomness");
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2hex(token, sizeof(token), random, sizeof(random));
    int rc = OKNO_DB_RUN(db, "registry.expire_sessions", NULL, err, OKNO_INT("now", now_us));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.add_session", NULL, err,
                         OKNO_TEXT("token_hash", hash_token(token, hash)), OKNO_TEXT("user", user),
                         OKNO_INT("now", now_us), OKNO_INT("until", now_us + life_us));
    if (rc == 0)
        memcpy(ret_token, token, sizeof(token));
    return rc;
}

int okno_session_find(struct okno_db *db, const char *token, int64_t now_us,
                      struct okno_user *ret_user, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "registry.find_session", &stmt, err,
                        OKNO_TEXT("token_hash", hash_token(token, hash)), OKNO_INT("now", now_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_UNAUTHENTICATED, "log in first");
    user_read(stmt, ret_user);
    return 0;
}

int okno_session_delete(struct okno_db *db, const char *token, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    return OKNO_DB_RUN(db, "registry.delete_session", NULL, err,
                       OKNO_TEXT("token_hash", hash_token(token, hash)));
}

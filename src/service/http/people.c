#include "people.h"

#include "okno/hash.h"

#include <sodium.h>
#include <string.h>

static void token_hash(const char *token, char ret_text[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(token, strlen(token), digest);
    (void)okno_hash_hex(digest, ret_text);
}

static void take_person(struct okno_stmt *stmt, struct http_person *ret_who)
{
    struct http_person who = {.role = http_role_of(okno_stmt_text(stmt, "role"))};
    (void)snprintf(who.user, sizeof(who.user), "%s", okno_stmt_text(stmt, "user"));
    (void)snprintf(who.name, sizeof(who.name), "%s", okno_stmt_text(stmt, "name"));
    (void)snprintf(who.language, sizeof(who.language), "%s", okno_stmt_text(stmt, "language"));
    *ret_who = who;
}

/* Hashing an unknown user's password too keeps the answer's time from telling who exists. */
static const char unknown_hash[] =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

int people_check_password(struct okno_db *db, const char *user, const char *password,
                          struct http_person *ret_who, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "libsodium does not start");
    int rc = OKNO_DB_PREPARE(db, "service.user", &stmt, err, OKNO_TEXT("user", user));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    const char *hash = rc == 1 ? okno_stmt_text(stmt, "password_hash") : unknown_hash;
    int wrong = crypto_pwhash_str_verify(hash, password, strlen(password));
    if (rc == 0 || wrong)
        return okno_fail(err, OKNO_UNAUTHENTICATED, "unknown user or wrong password");
    take_person(stmt, ret_who);
    return 0;
}

int people_open_session(struct okno_db *db, const char *user, int64_t age_us, int64_t now_us,
                        char ret_token[HTTP_TOKEN_TEXT], struct okno_err *err)
{
    uint8_t random[32];
    char hash[OKNO_SHA256_TEXT];
    char token[HTTP_TOKEN_TEXT];
    randombytes_buf(random, sizeof(random));
    (void)okno_hash_hex(random, token);
    token_hash(token, hash);
    int rc = OKNO_DB_RUN(db, "service.expire_sessions", NULL, err, OKNO_INT("now", now_us));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "service.add_session", NULL, err, OKNO_TEXT("token_hash", hash),
                         OKNO_TEXT("user", user), OKNO_INT("now", now_us),
                         OKNO_INT("until", now_us + age_us));
    if (rc == 0)
        memcpy(ret_token, token, sizeof(token));
    return rc;
}

int people_of_session(struct okno_db *db, const char *token, int64_t now_us,
                      struct http_person *ret_who, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char hash[OKNO_SHA256_TEXT];
    token_hash(token, hash);
    int rc = OKNO_DB_PREPARE(db, "service.session", &stmt, err, OKNO_TEXT("token_hash", hash),
                             OKNO_INT("now", now_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        take_person(stmt, ret_who);
    return rc;
}

int people_close_session(struct okno_db *db, const char *token, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    token_hash(token, hash);
    return OKNO_DB_RUN(db, "service.end_session", NULL, err, OKNO_TEXT("token_hash", hash));
}

int people_set_language(struct okno_db *db, const char *user, const char *language,
                        struct okno_err *err)
{
    return OKNO_DB_RUN(db, "service.set_language", NULL, err, OKNO_TEXT("user", user),
                       OKNO_TEXT("language", language));
}

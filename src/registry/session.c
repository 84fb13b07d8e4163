#include "okno/user.h"
#include "random.h"
#include "user.h"

#include <string.h>

int okno_session_create(struct okno_db *db, const char *user, int64_t life_us, int64_t now_us,
                        char ret_token[OKNO_TOKEN_TEXT], struct okno_err *err)
{
    char token[OKNO_TOKEN_TEXT];
    char hash[OKNO_SHA256_TEXT];
    int rc = random_token(token, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.expire_sessions", NULL, err, OKNO_INT("now", now_us));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.add_session", NULL, err,
                         OKNO_TEXT("token_hash", random_token_hash(token, hash)),
                         OKNO_TEXT("user", user), OKNO_INT("now", now_us),
                         OKNO_INT("until", now_us + life_us));
    if (rc == 0)
        memcpy(ret_token, token, sizeof(token));
    return rc;
}

int okno_session_find(struct okno_db *db, const char *token, int64_t now_us,
                      struct okno_user *ret_user, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.find_session", &stmt, err,
                             OKNO_TEXT("token_hash", random_token_hash(token, hash)),
                             OKNO_INT("now", now_us));
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
                       OKNO_TEXT("token_hash", random_token_hash(token, hash)));
}

/* People who log in: passwords, roles, sessions. Passwords are kept as Argon2id (libsodium,
 * interactive limits: 64 MiB, 2 passes), session tokens as SHA-256 of 32 random bytes' text. */
#ifndef OKNO_USER_H
#define OKNO_USER_H

#include "okno/db.h"
#include "okno/err.h"
#include "okno/text.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_USER_ROLES "expert auditor manager staff administrator"
#define OKNO_USER_LANGUAGES "en ru"

enum {
    OKNO_PASSWORD_CHARS_MIN = 10,   /* characters */
    OKNO_PASSWORD_BYTES_MAX = 1024, /* bytes */
    OKNO_PASSWORD_TEXT = 32,        /* room for a made password */
    OKNO_TOKEN_TEXT = 65            /* 64 hex digits and the NUL */
};

struct okno_user {
    char user[OKNO_ID_TEXT]; /* the login */
    char name[201];          /* for people; may be "" */
    char role[16];
    char language[8];            /* empty: nobody chose one */
    char employee[OKNO_ID_TEXT]; /* who this person is at the points; "" for nobody */
    bool disabled;
};
OKNO_VEC(okno_user_vec, struct okno_user);

/* OKNO_INVALID names the field; OKNO_CONFLICT when the login is taken; OKNO_UNKNOWN_REF for an
 * unknown employee. Takes about 0.1 s and 64 MiB, as do all calls with a password. */
OKNO_CHECK int okno_user_add(struct okno_db *db, const struct okno_user *user, const char *password,
                             struct okno_err *err);

/* A new password; ends all sessions of the user. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_user_set_password(struct okno_db *db, const char *user, const char *password,
                                      struct okno_err *err);

/* OKNO_INVALID when the language is none of OKNO_USER_LANGUAGES; OKNO_NOT_FOUND. */
OKNO_CHECK int okno_user_set_language(struct okno_db *db, const char *user, const char *language,
                                      struct okno_err *err);

/* A disabled user cannot log in; disabling ends all sessions. OKNO_NOT_FOUND. */
OKNO_CHECK int okno_user_set_disabled(struct okno_db *db, const char *user, bool disabled,
                                      struct okno_err *err);

/* Who logs in. OKNO_UNAUTHENTICATED with one message for an unknown or disabled user and for a
 * wrong password, after the same work. */
OKNO_CHECK int okno_user_verify(struct okno_db *db, const char *user, const char *password,
                                struct okno_user *ret_user, struct okno_err *err);

/* OKNO_NOT_FOUND. */
OKNO_CHECK int okno_user_get(struct okno_db *db, const char *user, struct okno_user *ret_user,
                             struct okno_err *err);

/* All, by login, appended. */
OKNO_CHECK int okno_user_list(struct okno_db *db, struct okno_user_vec *users,
                              struct okno_err *err);

/* A password of 100 random bits in four groups. Returns ret_password. */
const char *okno_user_make_password(char ret_password[OKNO_PASSWORD_TEXT]);

/* A session that ends by itself after life_us. Only the client knows *ret_token. Expired sessions
 * are removed on the way. */
OKNO_CHECK int okno_session_create(struct okno_db *db, const char *user, int64_t life_us,
                                   int64_t now_us, char ret_token[OKNO_TOKEN_TEXT],
                                   struct okno_err *err);

/* OKNO_UNAUTHENTICATED when there is no such session, it has expired or its user is disabled. */
OKNO_CHECK int okno_session_find(struct okno_db *db, const char *token, int64_t now_us,
                                 struct okno_user *ret_user, struct okno_err *err);

/* Nothing happens for an unknown token. */
OKNO_CHECK int okno_session_delete(struct okno_db *db, const char *token, struct okno_err *err);

#endif

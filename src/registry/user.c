#define _POSIX_C_SOURCE 200809L
#include "okno/user.h"

#include "okno/mem.h"
#include "okno/time.h"
#include "user.h"

#include <sodium.h>
#include <string.h>

#define COPY(member, stmt, column) okno_stmt_copy(stmt, column, member, sizeof(member))

void user_read(struct okno_stmt *stmt, struct okno_user *ret_user)
{
    struct okno_user user = {.disabled = okno_stmt_int(stmt, "disabled") != 0};
    COPY(user.user, stmt, "user");
    COPY(user.name, stmt, "name");
    COPY(user.role, stmt, "role");
    COPY(user.language, stmt, "language");
    COPY(user.employee, stmt, "employee");
    *ret_user = user;
}

/* --- passwords */

static int check_password(const char *password, struct okno_err *err)
{
    size_t bytes = strlen(password);
    size_t characters = 0;
    for (size_t i = 0; i < bytes; i++)
        characters += ((unsigned char)password[i] & 0xc0) != 0x80;
    if (!okno_text_is_utf8(password, bytes))
        return okno_fail_field(err, OKNO_INVALID, "password", "the password is not UTF-8");
    if (characters < OKNO_PASSWORD_CHARS_MIN || bytes > OKNO_PASSWORD_BYTES_MAX)
        return okno_fail_field(err, OKNO_INVALID, "password",
                               "the password has %zu characters; allowed: at least %d, and at most "
                               "%d bytes",
                               characters, OKNO_PASSWORD_CHARS_MIN, OKNO_PASSWORD_BYTES_MAX);
    return 0;
}

static int hash_password(const char *password, char ret_hash[crypto_pwhash_STRBYTES],
                         struct okno_err *err)
{
    int rc = check_password(password, err);
    if (rc < 0)
        return rc;
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "no source of randomness");
    if (crypto_pwhash_str(ret_hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory (64 MiB) to keep a password");
    return 0;
}

const char *okno_user_make_password(char ret_password[OKNO_PASSWORD_TEXT])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32: no l, o, 0, 1 */
    enum { GROUPS = 4, GROUP = 5 };
    size_t used = 0;
    if (sodium_init() < 0)
        abort();
    for (int i = 0; i < GROUPS * GROUP; i++) {
        if (i && i % GROUP == 0)
            ret_password[used++] = '-';
        ret_password[used++] = letters[randombytes_uniform(sizeof(letters) - 1)];
    }
    ret_password[used] = '\0';
    return ret_password;
}

/* Same cost as a kept hash (m, t, p), matched by no password: an unknown user must take as long as
 * a wrong password. */
static const char nobodys_hash[] =
    "$argon2id$v=19$m=65536,t=2,p=1$b2tub2tub2tub2tub2tubw$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

int okno_user_verify(struct okno_db *db, const char *user, const char *password,
                     struct okno_user *ret_user, struct okno_err *err)
{
    struct okno_user found;
    char hash[crypto_pwhash_STRBYTES];
    OKNO_AUTO_STMT *stmt = NULL;
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "no source of randomness");
    int rc =
        OKNO_DB_PREPARE(db, "registry.get_users", &stmt, err, OKNO_TEXT("user", user ? user : ""));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    bool known = rc == 1;
    if (known)
        user_read(stmt, &found);
    (void)snprintf(hash, sizeof(hash), "%s",
                   known ? okno_stmt_text(stmt, "password_hash") : nobodys_hash);
    okno_stmt_reset(stmt); /* no read transaction while hashing */
    bool fits = strlen(password) <= OKNO_PASSWORD_BYTES_MAX;
    bool right = crypto_pwhash_str_verify(hash, password, fits ? strlen(password) : 0) == 0;
    sodium_memzero(hash, sizeof(hash));
    if (!known || !fits || !right || found.disabled)
        return okno_fail(err, OKNO_UNAUTHENTICATED, "unknown user or wrong password");
    *ret_user = found;
    return 0;
}

/* --- people */

static int check_user(struct okno_db *db, const struct okno_user *user, struct okno_err *err)
{
    int64_t known = 1;
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_id(user->user))
        return okno_fail_field(err, OKNO_INVALID, "user",
                               "user: \"%s\" is not allowed; allowed: 1 to 64 of A-Z a-z 0-9 _ -",
                               okno_text_show(user->user, shown));
    if (!okno_text_is_word(user->role, OKNO_USER_ROLES))
        return okno_fail_field(err, OKNO_INVALID, "role",
                               "role: \"%s\" is not allowed; allowed: " OKNO_USER_ROLES,
                               okno_text_show(user->role, shown));
    if (*user->language && !okno_text_is_word(user->language, OKNO_USER_LANGUAGES))
        return okno_fail_field(err, OKNO_INVALID, "language",
                               "language: \"%s\" is not allowed; allowed: " OKNO_USER_LANGUAGES,
                               okno_text_show(user->language, shown));
    if (!okno_text_is_utf8(user->name, strlen(user->name)))
        return okno_fail_field(err, OKNO_INVALID, "name", "name: not UTF-8");
    int rc = *user->employee ? OKNO_DB_INT(db, "registry.has_employee", 0, &known, err,
                                           OKNO_TEXT("id", user->employee))
                             : 0;
    if (rc < 0 || known)
        return rc;
    return okno_fail_field(err, OKNO_UNKNOWN_REF, "employee",
                           "employee: there is no employee \"%s\" (import it first)",
                           okno_text_show(user->employee, shown));
}

int okno_user_add(struct okno_db *db, const struct okno_user *user, const char *password,
                  struct okno_err *err)
{
    char hash[crypto_pwhash_STRBYTES];
    int64_t added = 0;
    int rc = check_user(db, user, err);
    if (rc == 0)
        rc = hash_password(password, hash, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.add_user", &added, err, OKNO_TEXT("user", user->user),
                         OKNO_TEXT("name", user->name), OKNO_TEXT("role", user->role),
                         OKNO_TEXT("password_hash", hash), OKNO_TEXT("language", user->language),
                         OKNO_TEXT("employee", *user->employee ? user->employee : NULL),
                         OKNO_INT("now", okno_time_now()));
    sodium_memzero(hash, sizeof(hash));
    if (rc < 0 || added)
        return rc;
    return okno_fail_field(err, OKNO_CONFLICT, "user", "there is a user %s already", user->user);
}

/* The number of rows changed tells whether the user exists. */
static int found(int64_t changed, const char *user, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    return changed ? 0
                   : okno_fail(err, OKNO_NOT_FOUND, "there is no user \"%s\"",
                               okno_text_show(user, shown));
}

static int end_sessions(struct okno_db *db, const char *user, struct okno_err *err)
{
    return OKNO_DB_RUN(db, "registry.delete_sessions", NULL, err, OKNO_TEXT("user", user));
}

int okno_user_set_password(struct okno_db *db, const char *user, const char *password,
                           struct okno_err *err)
{
    char hash[crypto_pwhash_STRBYTES];
    int64_t changed = 0;
    int rc = hash_password(password, hash, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.set_password", &changed, err, OKNO_TEXT("user", user),
                         OKNO_TEXT("password_hash", hash));
    sodium_memzero(hash, sizeof(hash));
    if (rc == 0)
        rc = found(changed, user, err);
    return rc < 0 ? rc : end_sessions(db, user, err);
}

int okno_user_set_language(struct okno_db *db, const char *user, const char *language,
                           struct okno_err *err)
{
    int64_t changed = 0;
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_word(language, OKNO_USER_LANGUAGES))
        return okno_fail_field(err, OKNO_INVALID, "language",
                               "language: \"%s\" is not allowed; allowed: " OKNO_USER_LANGUAGES,
                               okno_text_show(language, shown));
    int rc = OKNO_DB_RUN(db, "registry.set_language", &changed, err, OKNO_TEXT("user", user),
                         OKNO_TEXT("language", language));
    return rc < 0 ? rc : found(changed, user, err);
}

int okno_user_set_disabled(struct okno_db *db, const char *user, bool disabled,
                           struct okno_err *err)
{
    int64_t changed = 0;
    int rc = OKNO_DB_RUN(db, "registry.set_disabled", &changed, err, OKNO_TEXT("user", user),
                         OKNO_INT("disabled", disabled));
    if (rc == 0)
        rc = found(changed, user, err);
    return rc == 0 && disabled ? end_sessions(db, user, err) : rc;
}

int okno_user_get(struct okno_db *db, const char *user, struct okno_user *ret_user,
                  struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "registry.get_users", &stmt, err, OKNO_TEXT("user", user ? user : ""));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : found(0, user, err);
    user_read(stmt, ret_user);
    return 0;
}

int okno_user_list(struct okno_db *db, struct okno_user_vec *users, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_user user;
    int rc = OKNO_DB_PREPARE(db, "registry.get_users", &stmt, err, OKNO_TEXT("user", NULL));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        user_read(stmt, &user);
        rc = okno_user_vec_push(users, user) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of users")
                 : 0;
    }
    return rc;
}

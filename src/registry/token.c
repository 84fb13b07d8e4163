#include "okno/token.h"

#include "okno/time.h"
#include "random.h"

#include <stdio.h>
#include <string.h>

/* Lists print it as it is. */
static bool is_label(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return false;
    size_t len = strlen(text);
    return len <= OKNO_TOKEN_LABEL_MAX && okno_text_is_utf8(text, len);
}

static int check(const char *device, const char *label, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    if (!okno_text_is_id(device))
        return okno_fail_field(err, OKNO_INVALID, "device",
                               "device \"%s\": allowed are 1..64 of A-Z a-z 0-9 _ -",
                               okno_text_show(device, shown));
    if (strncmp(device, "qr-", 3) == 0)
        return okno_fail_field(err, OKNO_REFUSED, "device",
                               "device %s is a code on paper: it sends nothing by itself, what its "
                               "customers answer comes through the page behind it",
                               device);
    if (!is_label(label))
        return okno_fail_field(err, OKNO_INVALID, "label",
                               "label \"%s\": allowed are up to %d bytes of UTF-8 without control "
                               "characters",
                               okno_text_show(label, shown), OKNO_TOKEN_LABEL_MAX);
    return 0;
}

int okno_token_add(struct okno_db *db, const char *device, const char *label, int64_t now_us,
                   char ret_token[OKNO_TOKEN_TEXT], struct okno_err *err)
{
    char token[OKNO_TOKEN_TEXT];
    char hash[OKNO_SHA256_TEXT];
    int rc = check(device, label, err);
    if (rc == 0)
        rc = random_token(token, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "registry.add_token", NULL, err,
                         OKNO_TEXT("token_hash", random_token_hash(token, hash)),
                         OKNO_TEXT("device", device), OKNO_TEXT("label", label),
                         OKNO_INT("now", now_us));
    if (rc == 0)
        memcpy(ret_token, token, sizeof(token));
    return rc;
}

int okno_token_allow_photos(struct okno_db *db, const char *token, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    int64_t changed = 0;
    int rc = OKNO_DB_RUN(db, "registry.allow_photos", &changed, err,
                         OKNO_TEXT("token_hash", random_token_hash(token, hash)));
    return rc == 0 && !changed ? okno_fail(err, OKNO_UNAUTHENTICATED, "there is no such token")
                               : rc;
}

int okno_token_has_photos(struct okno_db *db, const char *token, bool *ret_photos,
                          struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    int64_t photos = 0;
    int rc = OKNO_DB_INT(db, "registry.token_photos", 0, &photos, err,
                         OKNO_TEXT("token_hash", random_token_hash(token, hash)));
    if (rc == 0)
        *ret_photos = photos != 0;
    return rc;
}

int okno_token_find(struct okno_db *db, const char *token, char ret_device[OKNO_ID_TEXT],
                    struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.find_token", &stmt, err,
                             OKNO_TEXT("token_hash", random_token_hash(token, hash)));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc
                      : okno_fail(err, OKNO_UNAUTHENTICATED,
                                  "the token is not known or was revoked: make a new one with "
                                  "`okno token add`");
    (void)snprintf(ret_device, OKNO_ID_TEXT, "%s", okno_stmt_text(stmt, "device"));
    return 0;
}

static void read_token(struct okno_stmt *stmt, struct okno_token *ret_token)
{
    *ret_token = (struct okno_token){.created_us = okno_stmt_int(stmt, "created_at"),
                                     .revoked_us = okno_stmt_int(stmt, "revoked_at"),
                                     .photos = okno_stmt_int(stmt, "photos") != 0};
    (void)snprintf(ret_token->id, sizeof(ret_token->id), "%s", okno_stmt_text(stmt, "id"));
    (void)snprintf(ret_token->device, sizeof(ret_token->device), "%s",
                   okno_stmt_text(stmt, "device"));
    (void)snprintf(ret_token->label, sizeof(ret_token->label), "%s", okno_stmt_text(stmt, "label"));
}

static int get_tokens(struct okno_db *db, const char *device, const char *id,
                      struct okno_token_vec *tokens, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_tokens", &stmt, err, OKNO_TEXT("device", device),
                             OKNO_TEXT("id", id));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_token token;
        read_token(stmt, &token);
        rc = okno_token_vec_push(tokens, token) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of tokens")
                 : 0;
    }
    return rc;
}

int okno_token_list(struct okno_db *db, const char *device, struct okno_token_vec *tokens,
                    struct okno_err *err)
{
    return get_tokens(db, device, NULL, tokens, err);
}

int okno_token_revoke(struct okno_db *db, const char *id, int64_t now_us, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_token_vec) found = {0};
    int64_t changed = 0;
    char shown[OKNO_TEXT_SHOWN];
    char at[OKNO_TIME_TEXT];
    int rc = OKNO_DB_RUN(db, "registry.revoke_token", &changed, err, OKNO_TEXT("id", id),
                         OKNO_INT("now", now_us));
    if (rc < 0 || changed)
        return rc;
    rc = get_tokens(db, NULL, id, &found, err);
    if (rc < 0)
        return rc;
    if (found.len == 0)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "there is no token \"%s\"; `okno token list` shows what there is",
                         okno_text_show(id, shown));
    return okno_fail(err, OKNO_REFUSED, "token %s was revoked at %s already", found.items[0].id,
                     okno_time_format(found.items[0].revoked_us, at));
}

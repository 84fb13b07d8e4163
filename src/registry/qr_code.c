/* Codes on paper. */
#include "okno/panel.h"
#include "pair.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void read_code(struct okno_stmt *stmt, struct okno_qr_code *ret_code)
{
    size_t len = 0;
    *ret_code = (struct okno_qr_code){.created_us = okno_stmt_int(stmt, "created_at"),
                                      .revoked_us = okno_stmt_int(stmt, "revoked_at")};
    okno_stmt_copy(stmt, "code", ret_code->code, sizeof(ret_code->code));
    okno_stmt_copy(stmt, "point", ret_code->point, sizeof(ret_code->point));
    okno_stmt_copy(stmt, "device", ret_code->device, sizeof(ret_code->device));
    const void *secret = okno_stmt_blob(stmt, "secret", &len);
    if (secret && len == sizeof(ret_code->secret))
        memcpy(ret_code->secret, secret, len);
}

static int get_codes(struct okno_db *db, const char *code, const char *point,
                     struct okno_qr_code_vec *codes, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "panel.get_qr", &stmt, err, OKNO_TEXT("code", code),
                             OKNO_TEXT("point", point));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        struct okno_qr_code one;
        read_code(stmt, &one);
        rc = okno_qr_code_vec_push(codes, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the codes")
                 : 0;
    }
    return rc;
}

int okno_qr_code_list(struct okno_db *db, const char *point, struct okno_qr_code_vec *codes,
                      struct okno_err *err)
{
    return get_codes(db, NULL, point, codes, err);
}

int okno_qr_code_find(struct okno_db *db, const char *code, struct okno_qr_code *ret_code,
                      struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_qr_code_vec) codes = {0};
    char shown[OKNO_TEXT_SHOWN];
    int rc = get_codes(db, code, NULL, &codes, err);
    if (rc < 0)
        return rc;
    if (codes.len == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no code \"%s\"",
                         okno_text_show(code, shown));
    if (codes.items[0].revoked_us)
        return okno_fail(err, OKNO_GONE, "code %s was revoked", codes.items[0].code);
    *ret_code = codes.items[0];
    return 0;
}

static int put_code(struct okno_db *db, const struct okno_qr_code *code, const char *author,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "panel.add_qr", &stmt, err, OKNO_TEXT("code", code->code),
                             OKNO_TEXT("point", code->point), OKNO_TEXT("device", code->device),
                             OKNO_TEXT("author", author), OKNO_INT("now", code->created_us));
    if (rc == 0)
        rc = okno_stmt_bind_blob(stmt, "secret", code->secret, sizeof(code->secret), err);
    return rc < 0 ? rc : okno_stmt_run(stmt, NULL, err);
}

int okno_qr_code_add(struct okno_db *db, const char *point, const char *author, int64_t now_us,
                     struct okno_qr_code *ret_code, struct okno_err *err)
{
    struct okno_qr_code code = {.created_us = now_us};
    int rc = registry_letters(code.code, OKNO_QR_CODE_TEXT - 1, err);
    if (rc < 0)
        return rc;
    randombytes_buf(code.secret, sizeof(code.secret));
    (void)snprintf(code.point, sizeof(code.point), "%s", point);
    (void)snprintf(code.device, sizeof(code.device), "qr-%s", code.code);
    const struct okno_panel_invitation pairing = {
        .device = code.device, .point = point, .role = "channel", .label = "", .author = author};
    rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = registry_pair(db, &pairing, now_us, err);
    if (rc == 0)
        rc = put_code(db, &code, author, err);
    rc = rc == 0 ? okno_db_commit(db, err) : (okno_db_rollback(db), rc);
    if (rc == 0)
        *ret_code = code;
    return rc;
}

int okno_qr_code_revoke(struct okno_db *db, const char *code, int64_t now_us, struct okno_err *err)
{
    struct okno_qr_code found;
    int rc = okno_qr_code_find(db, code, &found, err);
    return rc < 0 ? rc
                  : OKNO_DB_RUN(db, "panel.revoke_qr", NULL, err, OKNO_TEXT("code", code),
                                OKNO_INT("now", now_us));
}

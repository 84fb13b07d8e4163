/* Inviting a browser, and what is known of those invited. */
#include "okno/panel.h"

#include "okno/hash.h"
#include "okno/rows.h"
#include "pair.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LETTERS = 12, GROUP = 4 };

static const char *hash_of(const char *letters, char ret_hash[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(letters, strlen(letters), digest);
    return okno_hash_hex(digest, ret_hash);
}

/* What people type: any case, dashes and blanks anywhere, O for 0, I and L for 1. False when it
 * cannot be a code. */
static bool read_code(const char *text, char ret_letters[LETTERS + 1])
{
    size_t count = 0;
    for (; *text; text++) {
        int letter = toupper((unsigned char)*text);
        if (letter == '-' || letter == ' ')
            continue;
        if (count == LETTERS || !isalnum(letter))
            return false;
        ret_letters[count++] = (char)(letter == 'O'                    ? '0'
                                      : letter == 'I' || letter == 'L' ? '1'
                                                                       : letter);
    }
    ret_letters[count] = '\0';
    return count == LETTERS;
}

static int check(const struct okno_panel_invitation *invitation, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    size_t len = strlen(invitation->label);
    if (!okno_text_is_id(invitation->device))
        return okno_fail_field(err, OKNO_INVALID, "device",
                               "device \"%s\": allowed are 1..64 of A-Z a-z 0-9 _ -",
                               okno_text_show(invitation->device, shown));
    if (!okno_text_is_word(invitation->role, "button panel both"))
        return okno_fail_field(err, OKNO_INVALID, "role",
                               "role \"%s\": allowed are button, panel, both",
                               okno_text_show(invitation->role, shown));
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)invitation->label[i] < ' ' || invitation->label[i] == 0x7f)
            len = OKNO_TOKEN_LABEL_MAX + 1;
    if (len > OKNO_TOKEN_LABEL_MAX || !okno_text_is_utf8(invitation->label, len))
        return okno_fail_field(err, OKNO_INVALID, "label",
                               "label \"%s\": allowed are up to %d bytes of UTF-8 without control "
                               "characters",
                               okno_text_show(invitation->label, shown), OKNO_TOKEN_LABEL_MAX);
    return 0;
}

/* Its events are the service's own: with a token somebody could send ratings that count as a
 * panel's, and use up the running numbers of the phones. */
static int check_paper(struct okno_db *db, const char *device, struct okno_err *err)
{
    int64_t paper = 0;
    int rc = OKNO_DB_INT(db, "panel.is_paper", 0, &paper, err, OKNO_TEXT("device", device));
    if (rc == 0 && paper)
        rc = okno_fail_field(err, OKNO_REFUSED, "device",
                             "%s is a code on paper and can be no panel: choose another name",
                             device);
    return rc;
}

static int add_code(struct okno_db *db, const struct okno_panel_invitation *invitation,
                    int64_t now_us, const char *letters, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    int rc = OKNO_DB_RUN(db, "panel.end_codes", NULL, err, OKNO_TEXT("device", invitation->device),
                         OKNO_INT("now", now_us));
    if (rc < 0)
        return rc;
    return OKNO_DB_RUN(
        db, "panel.add_code", NULL, err, OKNO_TEXT("code_hash", hash_of(letters, hash)),
        OKNO_TEXT("device", invitation->device), OKNO_TEXT("label", invitation->label),
        OKNO_TEXT("author", invitation->author), OKNO_INT("now", now_us),
        OKNO_INT("expires_at", now_us + OKNO_PANEL_CODE_US));
}

int okno_panel_invite(struct okno_db *db, const struct okno_panel_invitation *invitation,
                      int64_t now_us, char ret_code[OKNO_PANEL_CODE_TEXT], struct okno_err *err)
{
    char letters[LETTERS + 1];
    int rc = check(invitation, err);
    if (rc == 0)
        rc = registry_letters(letters, LETTERS, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = check_paper(db, invitation->device, err);
    if (rc == 0)
        rc = registry_pair(db, invitation, now_us, err);
    if (rc == 0)
        rc = add_code(db, invitation, now_us, letters, err);
    rc = rc == 0 ? okno_db_commit(db, err) : (okno_db_rollback(db), rc);
    if (rc == 0)
        (void)snprintf(ret_code, OKNO_PANEL_CODE_TEXT, "%.*s-%.*s-%.*s", GROUP, letters, GROUP,
                       letters + GROUP, GROUP, letters + 2 * GROUP);
    sodium_memzero(letters, sizeof(letters));
    return rc;
}

int okno_panel_next_boot(struct okno_db *db, const char *device, int64_t *ret_boot,
                         struct okno_err *err)
{
    return OKNO_DB_INT(db, "panel.next_boot", 0, ret_boot, err, OKNO_TEXT("device", device));
}

/* Inside a transaction: a code that gave no token is not used up. */
static int accept_letters(struct okno_db *db, const char *letters, int64_t now_us,
                          struct okno_panel_access *access, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    char label[OKNO_TOKEN_LABEL_MAX + 1];
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "panel.use_code", &stmt, err,
                        OKNO_TEXT("code_hash", hash_of(letters, hash)), OKNO_INT("now", now_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc
                      : okno_fail_field(err, OKNO_UNAUTHENTICATED, "code",
                                        "the code is not known, was used, or is older than %d "
                                        "minutes: ask for a new one",
                                        (int)(OKNO_PANEL_CODE_US / 60000000));
    okno_stmt_copy(stmt, "device", access->device, sizeof(access->device));
    okno_stmt_copy(stmt, "label", label, sizeof(label));
    okno_stmt_reset(stmt);
    rc = okno_token_add(db, access->device, *label ? label : "soft panel", now_us, access->token,
                        err);
    return rc < 0 ? rc : okno_panel_next_boot(db, access->device, &access->boot, err);
}

int okno_panel_accept(struct okno_db *db, const char *code, int64_t now_us,
                      struct okno_panel_access *ret_access, struct okno_err *err)
{
    char letters[LETTERS + 1] = "";
    struct okno_panel_access access = {0};
    if (!read_code(code, letters))
        return okno_fail_field(err, OKNO_INVALID, "code",
                               "a code has %d letters and digits, such as 7KQ2-M4XA-9RTD", LETTERS);
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = accept_letters(db, letters, now_us, &access, err);
    rc = rc == 0 ? okno_db_commit(db, err) : (okno_db_rollback(db), rc);
    if (rc == 0)
        *ret_access = access;
    sodium_memzero(&access, sizeof(access));
    return rc;
}

static struct okno_bind time_bind(const char *name, int64_t us)
{
    if (us == INT64_MIN)
        return (struct okno_bind)OKNO_TEXT(name, NULL);
    return (struct okno_bind)OKNO_INT(name, us);
}

int okno_panel_note_state(struct okno_db *db, const char *device,
                          const struct okno_panel_state *state, struct okno_err *err)
{
    return OKNO_DB_RUN(
        db, "panel.put_state", NULL, err, OKNO_TEXT("device", device), OKNO_INT("at", state->at_us),
        OKNO_INT("queued", state->queued), OKNO_INT("refused", state->refused),
        time_bind("oldest_at", state->oldest_us), time_bind("sent_at", state->sent_us));
}

static json_t *state_of(struct okno_stmt *stmt)
{
    if (okno_stmt_is_null(stmt, "at"))
        return json_null();
    return json_pack("{s:o, s:I, s:I, s:o, s:o}", "at", okno_row_time(stmt, "at"), "queued",
                     (json_int_t)okno_stmt_int(stmt, "queued"), "refused",
                     (json_int_t)okno_stmt_int(stmt, "refused"), "oldest_at",
                     okno_row_time(stmt, "oldest_at"), "sent_at", okno_row_time(stmt, "sent_at"));
}

static json_t *panel_json(struct okno_stmt *stmt)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:o}", "device",
                     okno_stmt_text(stmt, "device"), "point", okno_row_text(stmt, "point"), "role",
                     okno_row_text(stmt, "role"), "label", okno_row_text(stmt, "label"), "tokens",
                     (json_int_t)okno_stmt_int(stmt, "tokens"), "invited_until",
                     okno_row_time(stmt, "invited_until"), "state", state_of(stmt));
}

int okno_panel_list(struct okno_db *db, int64_t now_us, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "panel.list", &stmt, err, OKNO_INT("now", now_us));
    return rc < 0 ? rc : okno_rows_list(stmt, panel_json, ret_list, err);
}

int okno_panel_revoke(struct okno_db *db, const char *device, int64_t now_us, int64_t *ret_count,
                      struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_RUN(db, "panel.end_codes", NULL, err, OKNO_TEXT("device", device),
                     OKNO_INT("now", now_us));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "panel.revoke", ret_count, err, OKNO_TEXT("device", device),
                         OKNO_INT("now", now_us));
    return rc == 0 ? okno_db_commit(db, err) : (okno_db_rollback(db), rc);
}

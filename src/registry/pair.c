#include "pair.h"

#include "okno/hash.h"
#include "okno/json.h"
#include "okno/ledger.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

int registry_letters(char *ret_text, size_t count, struct okno_err *err)
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if (sodium_init() < 0)
        return okno_fail(err, OKNO_FAILED, "no source of randomness");
    for (size_t i = 0; i < count; i++)
        ret_text[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
    ret_text[count] = '\0';
    return 0;
}

/* 1: paired so now. */
static int is_paired(struct okno_db *db, const struct okno_panel_invitation *wanted, int64_t now_us,
                     struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_pairing_vec) pairings = {0};
    int rc = okno_registry_pairings(db, wanted->device, NULL, &pairings, err);
    for (size_t i = 0; rc == 0 && i < pairings.len; i++) {
        const struct okno_pairing *one = &pairings.items[i];
        bool now = one->from_us <= now_us && now_us < one->to_us && !one->test;
        if (now && strcmp(one->point, wanted->point) == 0 &&
            one->button == okno_text_is_word(wanted->role, "button both") &&
            one->panel == okno_text_is_word(wanted->role, "panel both"))
            return 1;
    }
    return rc;
}

int registry_log_row(struct okno_db *db, int64_t import, const char *kind, const char *author,
                     const char *row, int64_t now_us, struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char sha256[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    const struct okno_ledger_entry entry = {.kind = "import", .subject = import, .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', author, name, err);
    if (rc < 0)
        return rc;
    okno_hash_bytes(row, strlen(row), digest);
    okno_autojson json_t *json =
        json_pack("{s:I, s:s, s:s, s:s, s:i, s:i, s:i, s:i}", "import", (json_int_t)import, "of",
                  kind, "author", name, "sha256", okno_hash_hex(digest, sha256), "read", 1, "added",
                  1, "duplicate", 0, "rejected", 0);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

int registry_pair(struct okno_db *db, const struct okno_panel_invitation *wanted, int64_t now_us,
                  struct okno_err *err)
{
    struct okno_point point;
    char row[300];
    int64_t import = 0;
    int rc = okno_registry_point(db, wanted->point, &point, err);
    if (rc == 0)
        rc = is_paired(db, wanted, now_us, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = OKNO_DB_INT(db, "panel.add_import", 0, &import, err, OKNO_INT("at", now_us),
                     OKNO_TEXT("author", wanted->author));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "panel.add_device", NULL, err, OKNO_INT("import", import),
                         OKNO_TEXT("device", wanted->device), OKNO_TEXT("point", wanted->point),
                         OKNO_INT("from", now_us), OKNO_TEXT("role", wanted->role));
    (void)snprintf(row, sizeof(row), "%s %s %" PRId64 " %s", wanted->device, wanted->point, now_us,
                   wanted->role);
    return rc < 0 ? rc : registry_log_row(db, import, "devices", wanted->author, row, now_us, err);
}

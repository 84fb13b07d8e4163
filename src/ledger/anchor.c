#define _GNU_SOURCE
/* Anchors of the log: verified, kept, told to the log. */
#include "okno/anchor.h"

#include "ledger.h"

#include "okno/mem.h"
#include "okno/rows.h"
#include "okno/time.h"

#include <string.h>

/* Clocks of others may differ by this much. */
#define CLOCK_SLACK_US (5 * 60 * OKNO_SECOND_US)

enum { WITNESSES_MAX = 64 };

/* A checkpoint that was handed out. */
struct handed {
    int64_t id, size, at_us;
    char root[OKNO_SHA256_TEXT];
    char note[4096];
};

static void read_handed(struct okno_stmt *row, struct handed *ret_handed)
{
    ret_handed->size = okno_stmt_int(row, "size");
    okno_stmt_copy(row, "root", ret_handed->root, sizeof(ret_handed->root));
    okno_stmt_copy(row, "note", ret_handed->note, sizeof(ret_handed->note));
}

static int finish(struct okno_db *db, int rc, struct okno_err *err)
{
    if (rc >= 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

static void hash_hex(const void *bytes, size_t len, char ret_hex[OKNO_SHA256_TEXT])
{
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_bytes(bytes, len, digest);
    (void)okno_hash_hex(digest, ret_hex);
}

/* ---- keeping ---- */

struct anchor {
    const char *kind, *name, *ca;
    int64_t at_us;
    const void *reply;
    size_t len;
};

static int add_row(struct okno_db *db, const struct handed *handed, const struct anchor *anchor,
                   const char *sha256, int64_t now_us, int64_t *ret_id, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "anchor.add", &stmt, err, OKNO_INT("checkpoint", handed->id),
                             OKNO_TEXT("kind", anchor->kind), OKNO_TEXT("name", anchor->name),
                             OKNO_INT("now", now_us), OKNO_INT("anchored_at", anchor->at_us),
                             OKNO_TEXT("sha256", sha256), OKNO_TEXT("ca", anchor->ca));
    if (rc == 0)
        rc = okno_stmt_bind_blob(stmt, "reply", anchor->reply, anchor->len, err);
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 1)
        *ret_id = okno_stmt_int(stmt, "id");
    return rc < 0 ? rc : 0;
}

/* 1: kept; 0: was there already. */
static int keep(struct okno_db *db, const struct handed *handed, const struct anchor *anchor,
                int64_t now_us, struct okno_err *err)
{
    char sha256[OKNO_SHA256_TEXT];
    int64_t known = 0;
    int64_t id = 0;
    hash_hex(anchor->reply, anchor->len, sha256);
    int rc = OKNO_DB_INT(db, "anchor.knows", 0, &known, err, OKNO_INT("checkpoint", handed->id),
                         OKNO_TEXT("sha256", sha256));
    if (rc < 0 || known > 0)
        return rc;
    rc = add_row(db, handed, anchor, sha256, now_us, &id, err);
    if (rc < 0)
        return rc;
    const struct okno_ledger_entry entry = {.kind = "anchor", .subject = id, .at_us = now_us};
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "anchor", anchor->kind, "name", anchor->name,
                  "anchored_at", (json_int_t)anchor->at_us, "size", (json_int_t)handed->size,
                  "root", handed->root, "sha256", sha256);
    rc = okno_ledger_append(db, &entry, json, NULL, err);
    return rc < 0 ? rc : 1;
}

/* ---- time stamps ---- */

static int find_checkpoint(struct okno_db *db, const char *audit, struct handed *ret_handed,
                           struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "anchor.checkpoint", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return audit ? okno_fail(err, OKNO_NOT_FOUND, "audit %s has no checkpoint yet", audit)
                     : okno_fail(err, OKNO_NOT_FOUND,
                                 "no checkpoint was handed out yet: `okno log checkpoint` first");
    if (rc < 0)
        return rc;
    ret_handed->id = okno_stmt_int(row, "id");
    read_handed(row, ret_handed);
    return 0;
}

static int add_request(struct okno_db *db, int64_t checkpoint, const char *nonce, int64_t now_us,
                       const struct okno_buf *request, size_t start, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "anchor.add_request", &stmt, err, OKNO_INT("checkpoint", checkpoint),
                        OKNO_TEXT("nonce", nonce), OKNO_INT("now", now_us));
    if (rc == 0)
        rc = okno_stmt_bind_blob(stmt, "request", request->data + start, request->len - start, err);
    return rc == 0 ? okno_stmt_run(stmt, NULL, err) : rc;
}

int okno_anchor_request(struct okno_db *db, const char *audit, const char *policy, int64_t now_us,
                        struct okno_buf *to, struct okno_err *err)
{
    struct handed handed = {.id = 0};
    uint8_t digest[OKNO_SHA256_BYTES];
    char nonce[OKNO_STAMP_NONCE_TEXT];
    size_t start = to->len;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = find_checkpoint(db, audit, &handed, err);
    if (rc == 0) {
        okno_hash_bytes(handed.note, strlen(handed.note), digest);
        rc = okno_stamp_request(digest, policy, nonce, to, err);
    }
    if (rc == 0)
        rc = add_request(db, handed.id, nonce, now_us, to, start, err);
    return finish(db, rc, err);
}

static int find_request(struct okno_db *db, const struct okno_stamp *stamp,
                        struct handed *ret_handed, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "anchor.request", &row, err, OKNO_TEXT("nonce", stamp->nonce));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "the time stamp answers no request of this log: its nonce is %s",
                         stamp->nonce[0] ? stamp->nonce : "missing");
    if (rc < 0)
        return rc;
    ret_handed->id = okno_stmt_int(row, "checkpoint");
    ret_handed->at_us = okno_stmt_int(row, "at");
    read_handed(row, ret_handed);
    return 0;
}

static int check_when(const struct handed *handed, const struct okno_stamp *stamp, int64_t now_us,
                      struct okno_err *err)
{
    char at[OKNO_TIME_TEXT];
    if (stamp->at_us + CLOCK_SLACK_US >= handed->at_us && stamp->at_us <= now_us + CLOCK_SLACK_US)
        return 0;
    return okno_fail(err, OKNO_CHECK_FAILED,
                     "the time stamp says %s, which is not between the checkpoint and now: compare "
                     "the clocks",
                     okno_time_format(stamp->at_us, at));
}

static int take_stamp(struct okno_db *db, const void *reply, size_t len, const char *ca,
                      const char *policy, int64_t now_us, struct okno_stamp *ret_stamp,
                      struct okno_err *err)
{
    struct handed handed = {.id = 0};
    uint8_t digest[OKNO_SHA256_BYTES];
    int rc = okno_stamp_read(reply, len, ret_stamp, err);
    if (rc == 0)
        rc = find_request(db, ret_stamp, &handed, err);
    if (rc < 0)
        return rc;
    okno_hash_bytes(handed.note, strlen(handed.note), digest);
    const struct okno_stamp_want want = {
        .digest = digest, .nonce = ret_stamp->nonce, .policy = policy, .ca = ca};
    rc = okno_stamp_check(reply, len, &want, ret_stamp, err);
    if (rc == 0)
        rc = check_when(&handed, ret_stamp, now_us, err);
    if (rc < 0)
        return rc;
    const struct anchor anchor = {.kind = "timestamp",
                                  .name = ret_stamp->authority,
                                  .ca = ca,
                                  .at_us = ret_stamp->at_us,
                                  .reply = reply,
                                  .len = len};
    rc = keep(db, &handed, &anchor, now_us, err);
    return rc != 0 ? rc : okno_fail(err, OKNO_CONFLICT, "this time stamp was taken in already");
}

int okno_anchor_stamp(struct okno_db *db, const void *reply, size_t len, const char *ca,
                      const char *policy, int64_t now_us, struct okno_stamp *ret_stamp,
                      struct okno_err *err)
{
    struct okno_stamp stamp;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = take_stamp(db, reply, len, ca, policy, now_us, &stamp, err);
    rc = finish(db, rc, err);
    if (rc == 0)
        *ret_stamp = stamp;
    return rc;
}

/* ---- witnesses ---- */

static int put_witness(struct okno_db *db, const struct okno_note_key *key, bool revoked,
                       const char *author, int64_t now_us, struct okno_err *err)
{
    char text[OKNO_NOTE_KEY_TEXT];
    int64_t id = 0;
    (void)okno_witness_format(key, text);
    int rc = OKNO_DB_INT(db, "anchor.add_witness", 0, &id, err, OKNO_TEXT("name", key->name),
                         OKNO_TEXT("key", text), OKNO_INT("revoked", revoked),
                         OKNO_INT("now", now_us), OKNO_TEXT("author", author));
    if (rc < 0)
        return rc;
    const struct okno_ledger_entry entry = {.kind = "witness", .subject = id, .at_us = now_us};
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:b}", "name", key->name, "key", text, "revoked", revoked);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

/* 1: stands, *ret_key is its key; 0: unknown or revoked. */
static int find_witness(struct okno_db *db, const char *name, struct okno_note_key *ret_key,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "anchor.witness", &row, err, OKNO_TEXT("name", name));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0 || okno_stmt_int(row, "revoked"))
        return rc < 0 ? rc : 0;
    rc = okno_witness_parse(okno_stmt_text(row, "key"), ret_key, err);
    return rc < 0 ? rc : 1;
}

int okno_anchor_add_witness(struct okno_db *db, const struct okno_note_key *key, const char *author,
                            int64_t now_us, struct okno_err *err)
{
    struct okno_note_key known;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = find_witness(db, key->name, &known, err);
    if (rc == 1)
        rc = okno_fail(err, OKNO_CONFLICT, "the witness %s is declared already", key->name);
    if (rc == 0)
        rc = put_witness(db, key, false, author, now_us, err);
    return finish(db, rc, err);
}

int okno_anchor_revoke_witness(struct okno_db *db, const char *name, const char *author,
                               int64_t now_us, struct okno_err *err)
{
    struct okno_note_key key;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = find_witness(db, name, &key, err);
    if (rc == 0)
        rc = okno_fail(err, OKNO_NOT_FOUND,
                       "there is no witness %.60s: see `okno log witness list`", name);
    if (rc == 1)
        rc = put_witness(db, &key, true, author, now_us, err);
    return finish(db, rc, err);
}

static json_t *witness_json(struct okno_stmt *rows)
{
    return json_pack("{s:s, s:s, s:o, s:o}", "name", okno_stmt_text(rows, "name"), "key",
                     okno_stmt_text(rows, "key"), "declared_at",
                     okno_json_time(okno_stmt_int(rows, "at")), "revoked_at",
                     okno_row_time(rows, "revoked_at"));
}

int okno_anchor_witnesses(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "anchor.witnesses", &rows, err);
    return rc < 0 ? rc : okno_rows_list(rows, witness_json, ret_list, err);
}

/* The checkpoint whose text (before the blank line) this is. */
static int find_same(struct okno_db *db, const char *text, size_t len, struct handed *ret_handed,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    const char *size = memchr(text, '\n', len);
    int rc = OKNO_DB_PREPARE(db, "anchor.checkpoint_of", &rows, err,
                             OKNO_INT("size", size ? strtoll(size, NULL, 10) : -1));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        const char *note = okno_stmt_text(rows, "note");
        if (strncmp(note, text, len) != 0 || note[len] != '\n')
            continue;
        ret_handed->id = okno_stmt_int(rows, "id");
        read_handed(rows, ret_handed);
        return 0;
    }
    return rc < 0 ? rc
                  : okno_fail(err, OKNO_NOT_FOUND,
                              "this is no checkpoint that was handed out of this log");
}

struct witnesses {
    struct okno_note_key keys[WITNESSES_MAX];
    size_t count;
};

static int load_witnesses(struct okno_db *db, struct witnesses *ret_witnesses, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "anchor.standing_witnesses", &rows, err);
    ret_witnesses->count = 0;
    while (rc == 0 && ret_witnesses->count < WITNESSES_MAX && (rc = okno_stmt_step(rows, err)) == 1)
        rc = okno_witness_parse(okno_stmt_text(rows, "key"),
                                &ret_witnesses->keys[ret_witnesses->count++], err);
    return rc < 0 ? rc : 0;
}

/* One signature line; *count grows with each that is kept, *seen with each that is good. */
static int take_line(struct okno_db *db, const struct witnesses *witnesses,
                     const struct handed *handed, const char *text, size_t text_len,
                     const char *line, size_t len, int64_t now_us, int *seen, int *count,
                     struct okno_err *err)
{
    for (size_t i = 0; i < witnesses->count; i++) {
        struct anchor anchor = {.kind = "witness",
                                .name = witnesses->keys[i].name,
                                .ca = "",
                                .reply = line,
                                .len = len};
        int rc =
            okno_witness_check(&witnesses->keys[i], text, text_len, line, len, &anchor.at_us, err);
        if (rc == 1) {
            ++*seen;
            rc = keep(db, handed, &anchor, now_us, err);
            *count += rc == 1;
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int take_note(struct okno_db *db, const char *note, size_t len, int64_t now_us, int *count,
                     struct okno_err *err)
{
    struct witnesses witnesses;
    struct handed handed = {.id = 0};
    const char *blank = memmem(note, len, "\n\n", 2);
    int seen = 0;
    int lines = 0;
    if (!blank || len > OKNO_NOTE_BYTES_MAX)
        return okno_fail(err, OKNO_MALFORMED, "this is no signed checkpoint");
    size_t text_len = (size_t)(blank - note) + 1;
    int rc = find_same(db, note, text_len, &handed, err);
    if (rc == 0)
        rc = load_witnesses(db, &witnesses, err);
    const char *end = note + len;
    for (const char *at = blank + 2; rc == 0 && at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop || ++lines > OKNO_NOTE_SIGNATURES_MAX)
            return okno_fail(err, OKNO_MALFORMED, "the checkpoint has too many signatures");
        rc = take_line(db, &witnesses, &handed, note, text_len, at, (size_t)(stop - at), now_us,
                       &seen, count, err);
        at = stop + 1;
    }
    if (rc == 0 && seen == 0)
        rc =
            okno_fail(err, OKNO_NOT_FOUND,
                      "no declared witness signed this checkpoint: `okno log witness add` declares "
                      "one");
    return rc;
}

int okno_anchor_cosign(struct okno_db *db, const char *note, size_t len, int64_t now_us,
                       int *ret_count, struct okno_err *err)
{
    int count = 0;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = take_note(db, note, len, now_us, &count, err);
    rc = finish(db, rc, err);
    if (rc == 0)
        *ret_count = count;
    return rc;
}

/* ---- list ---- */

static json_t *row_json(struct okno_stmt *row)
{
    int64_t at_us = okno_stmt_int(row, "anchored_at");
    bool witness = strcmp(okno_stmt_text(row, "kind"), "witness") == 0;
    return json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:b, s:s, s:o, s:o}", "kind",
                     okno_stmt_text(row, "kind"), "name", okno_stmt_text(row, "name"), "size",
                     (json_int_t)okno_stmt_int(row, "size"), "root", okno_stmt_text(row, "root"),
                     "anchored_at", okno_json_time(at_us), "taken_at",
                     okno_json_time(okno_stmt_int(row, "at")), "ahead",
                     witness && okno_witness_is_ahead(at_us, okno_stmt_int(row, "at")), "sha256",
                     okno_stmt_text(row, "sha256"), "entry", okno_row_int(row, "leaf"), "frame_of",
                     okno_row_text(row, "audit"));
}

int okno_anchor_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "anchor.list", &rows, err);
    return rc < 0 ? rc : okno_rows_list(rows, row_json, ret_list, err);
}

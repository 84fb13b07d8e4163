/* The checkpoint that pins a frame before its seed, and the end of an audit. */
#include "okno/audit.h"

#include "okno/ledger.h"
#include "okno/text.h"
#include "room.h"

#include <string.h>

static int checkpoint(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                      struct okno_buf *to, struct okno_err *err)
{
    struct audit_row row;
    struct okno_checkpoint made;
    char root[OKNO_SHA256_TEXT];
    int rc = audit_enter(db, audit, "checkpoint", &row, err);
    if (rc == 0)
        rc = okno_ledger_sign(db, audit, now_us, &made, to, err);
    if (rc < 0)
        return rc;
    return audit_done(db, audit, "checkpoint", author, now_us,
                      json_pack("{s:s, s:I, s:s}", "log", made.origin, "size",
                                (json_int_t)made.size, "root",
                                okno_hash_hex(made.root.bytes, root)),
                      err);
}

int okno_audit_checkpoint(struct okno_db *db, const char *audit, const char *author, int64_t now_us,
                          struct okno_buf *ret_note, struct okno_err *err)
{
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = checkpoint(db, audit, author, now_us, ret_note, err);
    return audit_finish(db, rc, err);
}

static int read_progress(struct okno_db *db, const char *audit, json_t **ret_detail,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "audit.progress", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    *ret_detail =
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "sample", (json_int_t)okno_stmt_int(row, "sample"),
                  "valid", (json_int_t)okno_stmt_int(row, "valid"), "invalid",
                  (json_int_t)okno_stmt_int(row, "invalid"), "undeterminable",
                  (json_int_t)okno_stmt_int(row, "undeterminable"), "appeals_open",
                  (json_int_t)okno_stmt_int(row, "appeals_open"));
    return 0;
}

static int close_audit(struct okno_db *db, const char *audit, const char *note, const char *author,
                       int64_t now_us, struct okno_err *err)
{
    struct audit_row row;
    json_t *detail = NULL;
    int64_t open = 0;
    int rc = audit_enter(db, audit, "close", &row, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "audit.count_undecided", 0, &open, err, OKNO_TEXT("audit", audit));
    if (rc == 0 && open > 0)
        rc = okno_fail(err, OKNO_OUT_OF_ORDER,
                       "audit %s has %lld %s without a decision: decide first "
                       "(`okno review next`)",
                       audit, (long long)open, okno_text_form(open, "survey", "surveys"));
    if (rc == 0)
        rc = audit_escalate(db, &row, now_us, err);
    if (rc == 0)
        rc = read_progress(db, audit, &detail, err);
    if (rc < 0)
        return rc;
    (void)json_object_set_new(detail, "note", json_string(note));
    return audit_done(db, audit, "close", author, now_us, detail, err);
}

int okno_audit_close(struct okno_db *db, const char *audit, const char *note, const char *author,
                     int64_t now_us, struct okno_err *err)
{
    int rc = audit_check_note("note", note, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = close_audit(db, audit, note, author, now_us, err);
    return audit_finish(db, rc, err);
}

static int abandon(struct okno_db *db, const char *audit, const char *reason, const char *author,
                   int64_t now_us, struct okno_err *err)
{
    struct audit_row row;
    int rc = audit_load(db, audit, &row, err);
    if (rc == 0 && (strcmp(row.state, "closed") == 0 || strcmp(row.state, "abandoned") == 0))
        rc = okno_fail(err, OKNO_OUT_OF_ORDER, "audit %s is %s: it cannot be abandoned", audit,
                       row.state);
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "audit.set_state", NULL, err, OKNO_TEXT("audit", audit),
                         OKNO_TEXT("state", "abandoned"));
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "audit.withdraw_items", NULL, err, OKNO_TEXT("audit", audit));
    if (rc < 0)
        return rc;
    return audit_add_step(db, audit, "abandon", author, now_us, json_pack("{s:s}", "note", reason),
                          err);
}

int okno_audit_abandon(struct okno_db *db, const char *audit, const char *reason,
                       const char *author, int64_t now_us, struct okno_err *err)
{
    int rc = audit_check_note("reason", reason, err);
    if (rc == 0 && reason[strspn(reason, " ")] == '\0')
        rc = okno_fail_field(err, OKNO_MISSING, "reason", "reason: why is it abandoned?");
    if (rc == 0)
        rc = audit_check_author(author, err);
    if (rc == 0)
        rc = okno_db_begin(db, err);
    return rc < 0 ? rc : audit_finish(db, abandon(db, audit, reason, author, now_us, err), err);
}

int okno_audit_newest(struct okno_db *db, const char *audit, int64_t *ret_leaf,
                      struct okno_err *err)
{
    return OKNO_DB_INT(db, "audit.newest_entry", -1, ret_leaf, err, OKNO_TEXT("audit", audit));
}

int okno_audit_is_newest(struct okno_db *db, const char *audit, int64_t seen, struct okno_err *err)
{
    int64_t newest = -1;
    int rc = okno_audit_newest(db, audit, &newest, err);
    if (rc == 0 && newest != seen)
        rc = okno_fail(err, OKNO_BUSY,
                       "audit %s went on while its bundle was written: export it again", audit);
    return rc;
}

int okno_audit_export(struct okno_db *db, const char *audit, const json_t *detail, int64_t seen,
                      const char *author, int64_t now_us, int64_t *ret_leaf, struct okno_err *err)
{
    struct audit_row row;
    int64_t size = 0;
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = audit_enter(db, audit, "export", &row, err);
    if (rc == 0)
        rc = okno_audit_is_newest(db, audit, seen, err);
    if (rc == 0)
        rc = audit_done(db, audit, "export", author, now_us, json_deep_copy(detail), err);
    if (rc == 0)
        rc = okno_ledger_size(db, &size, err);
    rc = audit_finish(db, rc, err);
    if (rc == 0)
        *ret_leaf = size - 1;
    return rc;
}

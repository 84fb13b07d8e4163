#define _POSIX_C_SOURCE 200809L
/* What others than the log's key say in a bundle: the auditor's signature, time stamps, witnesses.
 */
#include "export.h"

#include "okno/anchor.h"
#include "okno/mem.h"

#include <string.h>

/* ---- what is signed ---- */

static int add_line(struct okno_buf *to, const char *sha256, const char *name, struct okno_err *err)
{
    return okno_buf_printf(to, err, "%s  %s\n", sha256, name);
}

/* Files of the report, as its step told them: the newest step of that name. */
static const json_t *report_files(const struct run *run)
{
    size_t i;
    json_t *step;
    const json_t *files = NULL;
    json_array_foreach(run->steps, i, step)
    {
        if (strcmp(json_string_value(json_object_get(step, "step")), "report") == 0)
            files = json_object_get(json_object_get(step, "detail"), "files");
    }
    return files;
}

int export_signed_lines(const struct run *run, struct okno_buf *to, struct okno_err *err)
{
    const json_t *report = report_files(run);
    const char *name;
    json_t *sha256;
    int rc = 0;
    for (size_t at = 0; rc == 0 && bundle_signed[at]; at++)
        for (size_t i = 0; rc == 0 && i < run->bag.files.len; i++)
            if (strcmp(run->bag.files.items[i].name, bundle_signed[at]) == 0)
                rc = add_line(to, run->bag.files.items[i].sha256, bundle_signed[at], err);
    json_object_foreach((json_t *)(uintptr_t)report, name, sha256)
    {
        if (rc == 0 && json_is_string(sha256))
            rc = add_line(to, json_string_value(sha256), name, err);
    }
    return rc;
}

/* ---- the signature ---- */

static int no_signature(const struct run *run, struct okno_err *err)
{
    const char *audit = run->request->audit;
    if (!json_object_get(run->plan, "auditor_key") || run->request->unsigned_too)
        return 0;
    return okno_fail(err, OKNO_OUT_OF_ORDER,
                     "audit %s is not signed: before `export` comes `okno audit sign %s`, or "
                     "export it with --unsigned",
                     audit, audit);
}

static int put_key(struct run *run, const char *fingerprint, enum okno_signature_kind *ret_kind,
                   struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    OKNO_AUTO_BUF file = OKNO_BUF_INIT(1000);
    struct okno_signature_key key = {.kind = OKNO_SIGNATURE_MINISIGN};
    int rc =
        OKNO_DB_PREPARE(run->db, "auditor.get", &row, err, OKNO_TEXT("fingerprint", fingerprint));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_DATABASE, "the auditor's key %s is gone", fingerprint);
    if (rc < 0)
        return rc;
    const char *text = okno_stmt_text(row, "key");
    rc = okno_signature_key_parse(text, strlen(text), &key, err);
    if (rc == 0)
        rc = okno_signature_key_write(&key, "auditor", OKNO_SIGNATURE_AUDIT, &file, err);
    if (rc == 0)
        rc = bag_put(&run->bag, bundle_auditor_keys[key.kind], okno_buf_text(&file), err);
    *ret_kind = key.kind;
    return rc;
}

static int put_signature(struct run *run, struct okno_stmt *row, struct okno_err *err)
{
    enum okno_signature_kind kind = OKNO_SIGNATURE_MINISIGN;
    int rc = bag_make_dir(&run->bag, "data/signatures", err);
    if (rc == 0)
        rc = put_key(run, okno_stmt_text(row, "fingerprint"), &kind, err);
    if (rc == 0)
        rc = bag_put(&run->bag, bundle_manifest, okno_stmt_text(row, "text"), err);
    if (rc == 0)
        rc = bag_put(&run->bag, bundle_signatures[kind], okno_stmt_text(row, "signature"), err);
    run->is_signed = rc == 0;
    return rc;
}

int export_signature(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    OKNO_AUTO_BUF lines = OKNO_BUF_INIT(16384);
    const char *audit = run->request->audit;
    int rc = OKNO_DB_PREPARE(run->db, "bundle.signature", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0)
        return rc < 0 ? rc : no_signature(run, err);
    rc = export_signed_lines(run, &lines, err);
    if (rc < 0)
        return rc;
    if (strcmp(okno_stmt_text(row, "files"), okno_buf_text(&lines)) == 0)
        return put_signature(run, row, err);
    if (run->request->unsigned_too)
        return 0;
    return okno_fail(err, OKNO_REFUSED,
                     "what audit %s found has changed since it was signed: sign it again (`okno "
                     "audit sign %s --manifest`), or export it with --unsigned",
                     audit, audit);
}

/* ---- anchors ---- */

static int put_bytes(struct run *run, const char *name, const void *bytes, size_t len,
                     struct okno_err *err)
{
    struct bag_stream stream;
    int rc = bag_open(&run->bag, name, &stream, err);
    if (rc < 0)
        return rc;
    rc = bag_add(&stream, bytes, len, err);
    return bag_close(&run->bag, &stream, rc, err);
}

static void anchor_name(int64_t leaf, const char *suffix, char ret_name[BUNDLE_NAME])
{
    (void)snprintf(ret_name, BUNDLE_NAME, "data/anchors/%lld.%s", (long long)leaf, suffix);
}

/* A time stamp: the checkpoint, the reply and the roots; a cosignature: a line more on it. */
static int put_anchor(struct run *run, struct okno_stmt *row, struct okno_err *err)
{
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    char name[BUNDLE_NAME];
    size_t len = 0;
    int64_t leaf = okno_stmt_int(row, "leaf");
    const void *reply = okno_stmt_blob(row, "reply", &len);
    bool stamp = strcmp(okno_stmt_text(row, "kind"), "timestamp") == 0;
    int rc = okno_buf_add_text(&note, okno_stmt_text(row, "note"), err);
    if (rc == 0 && !stamp)
        rc = okno_buf_add(&note, reply, len, err);
    if (rc == 0 && !stamp)
        rc = okno_buf_add(&note, "\n", 1, err);
    anchor_name(leaf, "checkpoint", name);
    if (rc == 0)
        rc = bag_put(&run->bag, name, okno_buf_text(&note), err);
    if (rc < 0 || !stamp)
        return rc;
    anchor_name(leaf, "tsr", name);
    rc = put_bytes(run, name, reply, len, err);
    anchor_name(leaf, "pem", name);
    return rc == 0 ? bag_put(&run->bag, name, okno_stmt_text(row, "ca"), err) : rc;
}

static int put_witnesses(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(65536);
    okno_autojson json_t *list = NULL;
    size_t i;
    json_t *witness;
    int rc = okno_anchor_witnesses(run->db, &list, err);
    json_array_foreach(list, i, witness)
    {
        if (rc == 0)
            rc = okno_buf_printf(&text, err, "%s\n",
                                 json_string_value(json_object_get(witness, "key")));
    }
    return rc == 0 && text.len > 0 ? bag_put(&run->bag, bundle_witnesses, okno_buf_text(&text), err)
                                   : rc;
}

int export_anchors(struct run *run, int64_t before, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int64_t after = json_integer_value(json_object_get(json_array_get(run->steps, 0), "entry"));
    int count = 0;
    int rc = OKNO_DB_PREPARE(run->db, "anchor.between", &rows, err, OKNO_INT("after", after),
                             OKNO_INT("before", before));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = count++ == 0 ? bag_make_dir(&run->bag, "data/anchors", err) : 0;
        if (rc == 0)
            rc = put_anchor(run, rows, err);
    }
    return rc == 0 && count > 0 ? put_witnesses(run, err) : rc;
}

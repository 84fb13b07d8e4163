#define _POSIX_C_SOURCE 200809L
/* The end of a bundle: keys, the entry of the export, the log with its proofs, signatures. */
#include "export.h"

#include "okno/audit.h"
#include "okno/mem.h"

#include <string.h>

/* ---- log ---- */

static json_t *hashes_json(const struct run *run)
{
    json_t *hashes = json_object();
    for (size_t i = 0; i < run->bag.files.len; i++)
        if (bundle_pins(run->bag.files.items[i].name))
            (void)json_object_set_new(hashes, run->bag.files.items[i].name,
                                      json_string(run->bag.files.items[i].sha256));
    return hashes;
}

/* The hashes of what was written go into the log, which is signed after that. */
static int log_export(struct run *run, struct okno_err *err)
{
    okno_autojson json_t *detail = json_pack(
        "{s:s, s:o, s:I, s:O, s:I}", "bundle", run->request->open_to_all ? "public" : "restricted",
        "files", hashes_json(run), "evidence", (json_int_t)run->evidence, "sidecars", run->sidecars,
        "decisions", (json_int_t)json_array_size(run->contents.decisions));
    (void)json_object_set_new(detail, "lang", json_string(bundle_lang(run->request->lang)));
    if (run->destroyed > 0)
        (void)json_object_set_new(detail, "destroyed", json_integer(run->destroyed));
    if (!run->is_signed && json_object_get(run->plan, "auditor_key"))
        (void)json_object_set_new(detail, "unsigned", json_true());
    return okno_audit_export(run->db, run->request->audit, detail, run->seen, run->request->author,
                             run->now_us, &run->seen, err);
}

static int put_lines(struct run *run, int64_t size, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    struct bag_stream stream;
    int rc = bag_open(&run->bag, "data/log.jsonl", &stream, err);
    if (rc < 0)
        return rc;
    rc = OKNO_DB_PREPARE(run->db, "ledger.lines", &rows, err, OKNO_INT("size", size));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        const char *line = okno_stmt_text(rows, "line");
        rc = bag_add(&stream, line, strlen(line), err);
        if (rc == 0)
            rc = bag_add(&stream, "\n", 1, err);
    }
    return bag_close(&run->bag, &stream, rc, err);
}

static int put_proofs(struct run *run, int64_t size, const char *checkpoint, struct okno_err *err)
{
    size_t i;
    json_t *decision;
    int rc = bag_make_dir(&run->bag, "data/proofs", err);
    json_array_foreach(run->contents.decisions, i, decision)
    {
        OKNO_AUTO_BUF proof = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
        char name[BUNDLE_NAME];
        const char *entry = json_string_value(json_object_get(decision, "entry"));
        (void)snprintf(name, sizeof(name), "data/proofs/%s.tlog-proof", entry);
        if (rc == 0)
            rc =
                okno_ledger_prove(run->db, strtoll(entry, NULL, 10), size, checkpoint, &proof, err);
        if (rc == 0)
            rc = bag_put(&run->bag, name, okno_buf_text(&proof), err);
    }
    return rc;
}

/* The log that pinned the frame has to be the one that is signed now. */
static int check_pinned(struct run *run, const struct okno_buf *note, struct okno_err *err)
{
    struct okno_note_key key;
    struct okno_checkpoint pinned;
    int rc = okno_ledger_key(run->db, &key, err);
    if (rc < 0 || okno_checkpoint_open(okno_buf_text(note), note->len, &key, &pinned, NULL) == 0)
        return rc;
    return okno_fail(err, OKNO_REFUSED,
                     "the frame of audit %s was pinned in another log than today's (see `okno "
                     "recover --help`): nobody could check that it came before the seed; plan the "
                     "audit again",
                     run->request->audit);
}

static int put_log(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_BUF before = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_checkpoint checkpoint = {.size = 0};
    int rc = okno_ledger_audit_checkpoint(run->db, run->request->audit, &before, err);
    if (rc == 0)
        rc = check_pinned(run, &before, err);
    if (rc == 0)
        rc = okno_ledger_checkpoint(run->db, NULL, run->now_us, &checkpoint, &note, err);
    if (rc == 0) /* what is signed ends with this export */
        rc = okno_audit_is_newest(run->db, run->request->audit, run->seen, err);
    if (rc == 0)
        rc = bag_make_dir(&run->bag, "data/checkpoints", err);
    if (rc == 0)
        rc = bag_put(&run->bag, "data/checkpoints/frame.checkpoint", okno_buf_text(&before), err);
    if (rc == 0)
        rc = bag_put(&run->bag, "data/checkpoints/final.checkpoint", okno_buf_text(&note), err);
    if (rc == 0)
        rc = put_lines(run, checkpoint.size, err);
    if (rc == 0)
        rc = export_anchors(run, checkpoint.size, err);
    if (rc == 0 && json_array_size(run->contents.decisions) > 0)
        rc = put_proofs(run, checkpoint.size, okno_buf_text(&note), err);
    return rc;
}

/* The key as minisign and ssh-keygen read it. */
static int put_tool_keys(struct run *run, const struct okno_note_key *key, struct okno_err *err)
{
    int rc = 0;
    for (int kind = 0; rc == 0 && kind < 2; kind++) {
        OKNO_AUTO_BUF text = OKNO_BUF_INIT(1000);
        rc = contents_tool_key(key, (enum okno_signature_kind)kind, &text, err);
        if (rc == 0)
            rc = bag_put(&run->bag, bundle_tool_keys[kind], okno_buf_text(&text), err);
    }
    return rc;
}

int export_tags(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_BUF pem = OKNO_BUF_INIT(1000);
    struct okno_note_key key;
    char text[OKNO_NOTE_KEY_TEXT + 1];
    size_t len = 0;
    const char *guide = contents_guide(&len);
    /* The first file of a bundle: by it a folder is known as one that an export began. */
    int rc = bag_put(&run->bag, BAG_FIRST, guide, err);
    if (rc == 0)
        rc = okno_ledger_key(run->db, &key, err);
    if (rc == 0)
        rc = bag_make_dir(&run->bag, "keys", err);
    if (rc == 0)
        rc = contents_pem(&key, &pem, err);
    if (rc == 0)
        rc = bag_put(&run->bag, "keys/log.pem", okno_buf_text(&pem), err);
    (void)okno_note_key_format(&key, text);
    (void)memcpy(text + strlen(text), "\n", 2);
    if (rc == 0)
        rc = bag_put(&run->bag, "keys/log.vkey", text, err);
    if (rc == 0)
        rc = put_tool_keys(run, &key, err);
    return rc < 0 ? rc
                  : bag_put(&run->bag, "bagit.txt",
                            "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", err);
}

int export_log(struct run *run, struct okno_err *err)
{
    int rc = log_export(run, err);
    return rc == 0 ? put_log(run, err) : rc;
}

/* ---- signatures of the list of files ---- */

static int put_signature(struct run *run, enum okno_signature_kind kind,
                         const struct okno_buf *tags, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    int rc = okno_ledger_sign_bytes(run->db, kind, OKNO_SIGNATURE_BUNDLE, okno_buf_text(tags),
                                    tags->len, &text, err);
    return rc < 0 ? rc : bag_put(&run->bag, bundle_tag_signatures[kind], okno_buf_text(&text), err);
}

int export_manifests(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_BUF tags = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    int rc = bag_list(&run->bag, err);
    if (rc == 0)
        rc = bag_read(&run->bag, "tagmanifest-sha256.txt", BUNDLE_TEXT_MAX, &tags, err);
    if (rc == 0)
        rc = put_signature(run, OKNO_SIGNATURE_MINISIGN, &tags, err);
    if (rc == 0)
        rc = put_signature(run, OKNO_SIGNATURE_SSH, &tags, err);
    return rc == 0 ? bag_sync(&run->bag, err) : rc;
}

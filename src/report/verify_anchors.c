#define _GNU_SOURCE
/* What others say about the log of a bundle: each anchor that the log tells since the plan, no
 * other, each over a state of this very log. */
#include "verify.h"

#include "okno/mem.h"
#include "okno/stamp.h"
#include "okno/time.h"

#include <string.h>

static const char folder[] = "data/anchors/";

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : "";
}

static int64_t number_of(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t end = strlen(suffix);
    return len > end && strcmp(name + len - end, suffix) == 0;
}

/* The state that an anchored checkpoint tells, signed by the log's key. */
static int open_note(const struct check *check, const char *name, struct okno_buf *text,
                     struct okno_checkpoint *ret_checkpoint, struct okno_err *err)
{
    int rc = bag_read(&check->bag, name, OKNO_NOTE_BYTES_MAX, text, err);
    if (rc < 0)
        return rc;
    if (okno_checkpoint_open(okno_buf_text(text), text->len, &check->facts.key, ret_checkpoint,
                             err) == 0)
        return 0;
    okno_err_context(err, "%s", name);
    return OKNO_CHECK_FAILED;
}

int verify_anchor_marks(struct check *check, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < check->bag.files.len; i++) {
        OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
        struct okno_checkpoint checkpoint;
        const char *name = check->bag.files.items[i].name;
        if (strncmp(name, folder, sizeof(folder) - 1) != 0 || !ends_in(name, ".checkpoint"))
            continue;
        rc = open_note(check, name, &text, &checkpoint, err);
        if (rc == 0)
            rc = verify_mark(check, checkpoint.size, err);
    }
    return rc;
}

/* ---- one anchor ---- */

struct anchor {
    const json_t *entry;
    char name[BUNDLE_NAME]; /* of its checkpoint */
    struct okno_buf note;
    struct okno_checkpoint checkpoint;
};

static void file_name(const struct anchor *anchor, const char *suffix, char ret_name[BUNDLE_NAME])
{
    (void)snprintf(ret_name, BUNDLE_NAME, "%s%lld.%s", folder,
                   (long long)number_of(anchor->entry, "entry"), suffix);
}

static int check_reply(const struct anchor *anchor, const char *name, const void *bytes, size_t len,
                       struct okno_err *err)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    char hex[OKNO_SHA256_TEXT];
    okno_hash_bytes(bytes, len, digest);
    return strcmp(okno_hash_hex(digest, hex), text_of(anchor->entry, "sha256")) == 0
               ? 0
               : okno_fail(err, OKNO_CHECK_FAILED,
                           "%s is not the one that entry %lld of the log tells", name,
                           (long long)number_of(anchor->entry, "entry"));
}

static int check_stamp(struct check *check, const struct anchor *anchor, struct okno_err *err)
{
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    OKNO_AUTO_BUF ca = OKNO_BUF_INIT(OKNO_STAMP_CA_BYTES_MAX);
    struct okno_stamp stamp = {.at_us = 0};
    uint8_t digest[OKNO_SHA256_BYTES];
    char name[BUNDLE_NAME];
    char pem[BUNDLE_NAME];
    file_name(anchor, "tsr", name);
    file_name(anchor, "pem", pem);
    int rc = bag_read(&check->bag, name, OKNO_STAMP_BYTES_MAX, &reply, err);
    if (rc == 0)
        rc = bag_read(&check->bag, pem, OKNO_STAMP_CA_BYTES_MAX, &ca, err);
    if (rc == 0)
        rc = check_reply(anchor, name, reply.data, reply.len, err);
    if (rc < 0)
        return rc;
    okno_hash_bytes(okno_buf_text(&anchor->note), anchor->note.len, digest);
    const struct okno_stamp_want want = {
        .digest = digest, .ca = check->trust->ca ? check->trust->ca : okno_buf_text(&ca)};
    if (okno_stamp_check(okno_buf_text(&reply), reply.len, &want, &stamp, err) < 0) {
        okno_err_context(err, "%s", name);
        return OKNO_CHECK_FAILED;
    }
    if (stamp.at_us != number_of(anchor->entry, "anchored_at"))
        return okno_fail(err, OKNO_CHECK_FAILED, "%s tells another time than the log", name);
    check->facts.stamps++;
    return 0;
}

/* The witness's key as the log told it before. */
static int find_witness(const struct check *check, const json_t *anchor,
                        struct okno_note_key *ret_key, struct okno_err *err)
{
    size_t i;
    json_t *entry;
    bool found = false;
    json_array_foreach(check->anchors, i, entry)
    {
        if (strcmp(text_of(entry, "kind"), "witness") != 0 ||
            number_of(entry, "entry") >= number_of(anchor, "entry") ||
            strcmp(text_of(entry, "name"), text_of(anchor, "name")) != 0)
            continue;
        found = !json_is_true(json_object_get(entry, "revoked")) &&
                okno_witness_parse(text_of(entry, "key"), ret_key, NULL) == 0;
    }
    return found ? 0
                 : okno_fail(err, OKNO_CHECK_FAILED,
                             "data/log.jsonl: entry %lld tells of a witness that was not declared",
                             (long long)number_of(anchor, "entry"));
}

static int check_witness(struct check *check, const struct anchor *anchor, struct okno_err *err)
{
    const struct okno_note_key *trusted = check->trust->witness;
    struct okno_note_key key;
    int64_t at_us = 0;
    int rc = find_witness(check, anchor->entry, &key, err);
    if (rc < 0)
        return rc;
    const char *text = okno_buf_text(&anchor->note);
    const char *blank = memmem(text, anchor->note.len, "\n\n", 2);
    const char *line = memrchr(text, '\n', anchor->note.len - 1); /* the last one */
    if (!blank || !line || line <= blank + 1)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s has no cosignature", anchor->name);
    size_t len = anchor->note.len - 1 - (size_t)(line + 1 - text);
    rc = check_reply(anchor, anchor->name, line + 1, len, err);
    if (rc < 0)
        return rc;
    rc = okno_witness_check(&key, text, (size_t)(blank - text) + 1, line + 1, len, &at_us, err);
    if (rc != 1 || at_us != number_of(anchor->entry, "anchored_at")) {
        (void)okno_fail(err, OKNO_CHECK_FAILED, "the cosignature is not the witness's");
        okno_err_context(err, "%s", anchor->name);
        return OKNO_CHECK_FAILED;
    }
    if (trusted && (memcmp(trusted->public_key, key.public_key, 32) != 0 ||
                    strcmp(trusted->name, key.name) != 0))
        return 0; /* good, but of nobody that was asked about */
    check->facts.witnesses++;
    int64_t taken_us = number_of(anchor->entry, "at");
    int64_t now_us = okno_time_now();
    check->facts.witnesses_ahead +=
        okno_witness_is_ahead(at_us, taken_us < now_us ? taken_us : now_us);
    return 0;
}

/* Whether it pins the frame, and is older than the seed. */
static void note_order(struct check *check, const struct anchor *anchor)
{
    int64_t size = anchor->checkpoint.size;
    check->facts.anchored_before_seed =
        check->facts.anchored_before_seed ||
        (size > check->place[FREEZE] && size <= check->place[SEED] &&
         number_of(anchor->entry, "anchored_at") < number_of(check->step[SEED], "at"));
}

static int check_state(const struct check *check, const struct anchor *anchor, struct okno_err *err)
{
    char hex[OKNO_SHA256_TEXT];
    const struct okno_digest *root = verify_root(check, anchor->checkpoint.size);
    if (!root || !okno_digest_same(root, &anchor->checkpoint.root))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "%s: the first %lld entries of data/log.jsonl are others", anchor->name,
                         (long long)anchor->checkpoint.size);
    if (number_of(anchor->entry, "size") != anchor->checkpoint.size ||
        strcmp(text_of(anchor->entry, "root"), okno_hash_hex(anchor->checkpoint.root.bytes, hex)) !=
            0)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is not what entry %lld of the log tells",
                         anchor->name, (long long)number_of(anchor->entry, "entry"));
    return 0;
}

static int check_anchor(struct check *check, const json_t *entry, int64_t *files,
                        struct okno_err *err)
{
    struct anchor anchor = {.entry = entry, .note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX)};
    bool stamp = strcmp(text_of(entry, "anchor"), "timestamp") == 0;
    file_name(&anchor, "checkpoint", anchor.name);
    int rc = open_note(check, anchor.name, &anchor.note, &anchor.checkpoint, err);
    if (rc == 0)
        rc = check_state(check, &anchor, err);
    int64_t before = check->facts.stamps + check->facts.witnesses;
    if (rc == 0)
        rc = stamp ? check_stamp(check, &anchor, err) : check_witness(check, &anchor, err);
    if (rc == 0 && check->facts.stamps + check->facts.witnesses > before)
        note_order(check, &anchor);
    *files += stamp ? 3 : 1;
    okno_buf_free(&anchor.note);
    return rc;
}

/* Keys of witnesses as files: those that the log tells, one a line. */
static int check_keys(const struct check *check, bool wanted, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(65536);
    size_t i;
    json_t *entry;
    int rc = 0;
    json_array_foreach(check->anchors, i, entry)
    {
        if (rc == 0 && strcmp(text_of(entry, "kind"), "witness") == 0 &&
            !json_is_true(json_object_get(entry, "revoked")))
            rc = okno_buf_printf(&text, err, "%s\n", text_of(entry, "key"));
    }
    wanted = wanted && text.len > 0;
    if (rc == 0 && !wanted && bag_find(&check->bag, bundle_witnesses))
        return okno_fail(err, OKNO_CHECK_FAILED, "%s tells of nobody in the log", bundle_witnesses);
    if (rc < 0 || !wanted)
        return rc;
    return verify_text(check, bundle_witnesses, &text, err);
}

int verify_anchors(struct check *check, struct okno_err *err)
{
    size_t i;
    json_t *entry;
    int64_t files = 0;
    int64_t there = 0;
    json_array_foreach(check->anchors, i, entry)
    {
        if (strcmp(text_of(entry, "kind"), "anchor") != 0 ||
            number_of(entry, "entry") <= check->place[PLAN])
            continue;
        int rc = check_anchor(check, entry, &files, err);
        if (rc < 0)
            return rc;
    }
    for (i = 0; i < check->bag.files.len; i++)
        there += strncmp(check->bag.files.items[i].name, folder, sizeof(folder) - 1) == 0;
    if (there != files)
        return verify_wrong(err, "data/anchors holds a file that no entry of the log tells");
    return check_keys(check, files > 0, err);
}

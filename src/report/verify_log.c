#define _POSIX_C_SOURCE 200809L
/* The files of a bundle, its log and the steps told in it. */
#include "verify.h"

#include "okno/mem.h"
#include "okno/text.h"
#include "okno/time.h"

#include <string.h>

/* Of one file that is read as a whole: some 30,000 sites. */
enum { CONTAINERS_MAX = 1000000, VALUES_MAX = 8 * CONTAINERS_MAX };
/* Of all entries that are kept: each decision has a proof in the bundle; steps, keys and anchors.
 */
enum { PROOF_CONTAINERS = 8, PROOF_VALUES = 64, OTHER_CONTAINERS = 200000, OTHER_VALUES = 2000000 };

static const char *step_name(int step)
{
    return okno_audit_steps[step].name;
}

/* Steps that may be done again. */
static bool is_repeated(int step)
{
    return step == EXTEND || step == REPORT || step == SIGN || step == EXPORT;
}

static bool is_needed(int step)
{
    return !is_repeated(step) || step == EXPORT;
}

int verify_wrong(struct okno_err *err, const char *what)
{
    return okno_fail(err, OKNO_CHECK_FAILED, "%s", what);
}

int verify_json(struct check *check, const char *name, json_t **ret_json, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    int rc = bag_read(&check->bag, name, BUNDLE_TEXT_MAX, &text, err);
    if (rc < 0)
        return rc;
    struct okno_json_weight weight = {0};
    okno_json_weigh(okno_buf_text(&text), text.len, &weight);
    if (weight.containers > CONTAINERS_MAX || weight.values > VALUES_MAX)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s holds too much for a file of a bundle", name);
    *ret_json = json_loadb(okno_buf_text(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
    return *ret_json ? 0 : okno_fail(err, OKNO_CHECK_FAILED, "%s is no JSON", name);
}

int verify_text(const struct check *check, const char *name, const struct okno_buf *made,
                struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    long line = 1;
    int rc = bag_read(&check->bag, name, BUNDLE_TEXT_MAX, &text, err);
    if (rc < 0)
        return rc;
    if (text.len == made->len && memcmp(okno_buf_text(&text), okno_buf_text(made), made->len) == 0)
        return 0;
    for (size_t i = 0; i < text.len && i < made->len && text.data[i] == made->data[i]; i++)
        line += text.data[i] == '\n';
    return okno_fail(err, OKNO_CHECK_FAILED,
                     "%s: line %ld is not what the rest of the bundle gives", name, line);
}

/* ---- file list ---- */

static bool is_number(const char *text, size_t len)
{
    return len > 0 && len < 16 && strspn(text, "0123456789") >= len && (len == 1 || *text != '0');
}

/* NUMBER and the suffix. */
static bool is_numbered(const char *name, const char *suffix)
{
    const char *end = strchr(name, '.');
    return end && strcmp(end, suffix) == 0 && is_number(name, (size_t)(end - name));
}

static bool belongs(const char *name)
{
    static const char *const fixed[] = {"data/log.jsonl",
                                        "data/checkpoints/frame.checkpoint",
                                        "data/checkpoints/final.checkpoint",
                                        "manifest-sha256.txt",
                                        "tagmanifest-sha256.txt",
                                        bundle_manifest,
                                        bundle_witnesses};
    const char *const *const by_kind[] = {bundle_tool_keys, bundle_tag_signatures,
                                          bundle_auditor_keys, bundle_signatures};
    static const char proof[] = "data/proofs/";
    static const char anchor[] = "data/anchors/";
    static const char evidence[] = "data/evidence/";
    static const char sidecar[] = "data/sidecars/";
    if (bundle_pins(name))
        return true;
    for (size_t i = 0; i < OKNO_COUNT(fixed); i++)
        if (strcmp(name, fixed[i]) == 0)
            return true;
    for (size_t i = 0; i < 2 * OKNO_COUNT(by_kind); i++)
        if (strcmp(name, by_kind[i / 2][i % 2]) == 0)
            return true;
    if (strncmp(name, proof, sizeof(proof) - 1) == 0)
        return is_numbered(name + sizeof(proof) - 1, ".tlog-proof");
    if (strncmp(name, anchor, sizeof(anchor) - 1) == 0)
        return is_numbered(name + sizeof(anchor) - 1, ".checkpoint") ||
               is_numbered(name + sizeof(anchor) - 1, ".tsr") ||
               is_numbered(name + sizeof(anchor) - 1, ".pem");
    const char *hash = strncmp(name, evidence, sizeof(evidence) - 1) == 0
                           ? name + sizeof(evidence) - 1
                           : name + sizeof(sidecar) - 1;
    bool kept = strncmp(name, evidence, sizeof(evidence) - 1) == 0 ||
                strncmp(name, sidecar, sizeof(sidecar) - 1) == 0;
    return kept && strlen(hash) == 64 && strspn(hash, "0123456789abcdef") == 64;
}

/* ---- key and checkpoints ---- */

static int check_key(struct check *check, const struct okno_note_key *expected,
                     struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(1000);
    OKNO_AUTO_BUF pem = OKNO_BUF_INIT(1000);
    struct okno_note_key *key = &check->facts.key;
    char shown[OKNO_NOTE_KEY_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    int rc = bag_read(&check->bag, "keys/log.vkey", 999, &text, err);
    if (rc == 0 && okno_note_key_parse(okno_buf_text(&text), key, err) < 0) {
        okno_err_context(err, "keys/log.vkey");
        return OKNO_CHECK_FAILED;
    }
    if (rc < 0)
        return rc;
    (void)okno_note_key_format(key, shown);
    okno_hash_bytes(shown, strlen(shown), digest);
    (void)okno_hash_hex(digest, check->facts.fingerprint);
    if (expected && (memcmp(expected->public_key, key->public_key, 32) != 0 ||
                     strcmp(expected->name, key->name) != 0))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "keys/log.vkey: the bundle is signed by %s, not by the key given (%s)",
                         key->name, expected->name);
    rc = contents_pem(key, &pem, err);
    if (rc == 0)
        rc = verify_text(check, "keys/log.pem", &pem, err);
    for (int kind = 0; rc == 0 && kind < 2; kind++) {
        okno_buf_reset(&pem);
        rc = contents_tool_key(key, (enum okno_signature_kind)kind, &pem, err);
        if (rc == 0)
            rc = verify_text(check, bundle_tool_keys[kind], &pem, err);
    }
    return rc;
}

static int open_checkpoint(struct check *check, const char *name,
                           struct okno_checkpoint *ret_checkpoint, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    int rc = bag_read(&check->bag, name, OKNO_NOTE_BYTES_MAX, &text, err);
    if (rc < 0)
        return rc;
    rc = okno_checkpoint_open(okno_buf_text(&text), text.len, &check->facts.key, ret_checkpoint,
                              err);
    if (rc == 0)
        return 0;
    okno_err_context(err, "%s", name);
    return OKNO_CHECK_FAILED;
}

/* ---- log ---- */

static int keep_in(struct check *check, json_t *list, json_t *entry, int64_t place,
                   struct okno_err *err)
{
    size_t files = check->bag.files.len;
    (void)json_object_set_new(entry, "entry", json_integer(place));
    check->kept.containers += check->line.containers;
    check->kept.values += check->line.values;
    if (check->kept.containers > OTHER_CONTAINERS + PROOF_CONTAINERS * files ||
        check->kept.values > OTHER_VALUES + PROOF_VALUES * files)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/log.jsonl: up to entry %lld it holds more than the decisions of "
                         "this bundle need",
                         (long long)place);
    if (json_array_size(list) >= BUNDLE_FILES_MAX)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/log.jsonl: entry %lld is one too many for a bundle",
                         (long long)place);
    return json_array_append(list, entry) == 0
               ? 0
               : okno_fail(err, OKNO_NO_MEMORY, "no memory for the log");
}

/* The step that an entry tells; -1: none that an audit has. */
static int step_of(const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "step"));
    int step = STEPS - 1;
    while (step >= 0 && name && strcmp(name, step_name(step)) != 0)
        step--;
    return name ? step : -1;
}

static int keep_step(struct check *check, json_t *entry, int64_t place, struct okno_err *err)
{
    int step = step_of(entry);
    int rc = keep_in(check, check->all_steps, entry, place, err);
    if (rc < 0 || step < 0) /* check_shapes tells, when the log is known to be what was signed */
        return rc;
    if (check->step[step] && !is_repeated(step))
        return okno_fail(err, OKNO_CHECK_FAILED, "data/log.jsonl: entry %lld does %s again",
                         (long long)place, step_name(step));
    json_decref(check->step[step]);
    check->step[step] = json_incref(entry);
    check->place[step] = place;
    return 0;
}

/* Keep an entry about this audit. */
static int keep_entry(struct check *check, json_t *entry, int64_t place,
                      const struct okno_digest *hash, struct okno_err *err)
{
    const char *audit = json_string_value(json_object_get(entry, "audit"));
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    char hex[OKNO_SHA256_TEXT];
    if (kind && strcmp(kind, "auditor_key") == 0)
        return keep_in(check, check->auditor_keys, entry, place, err);
    if (kind && (strcmp(kind, "anchor") == 0 || strcmp(kind, "witness") == 0))
        return keep_in(check, check->anchors, entry, place, err);
    if (!audit || !kind || strcmp(audit, check->facts.audit) != 0)
        return 0;
    if (strcmp(kind, "step") == 0)
        return keep_step(check, entry, place, err);
    if (strcmp(kind, "verdict") != 0)
        return 0;
    (void)json_object_set_new(entry, "entry", json_integer(place));
    (void)json_object_set_new(entry, "hash", json_string(okno_hash_hex(hash->bytes, hex)));
    return keep_in(check, check->verdicts, entry, place, err);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = ((const struct mark *)a)->size;
    int64_t y = ((const struct mark *)b)->size;
    return (x > y) - (x < y);
}

int verify_mark(struct check *check, int64_t size, struct okno_err *err)
{
    return marks_push(&check->marks, (struct mark){.size = size}) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the log")
               : 0;
}

static struct mark *find_mark(const struct check *check, int64_t size)
{
    struct mark key = {.size = size};
    return check->marks.len == 0
               ? NULL
               : bsearch(&key, check->marks.items, check->marks.len, sizeof(key), by_size);
}

const struct okno_digest *verify_root(const struct check *check, int64_t size)
{
    const struct mark *mark = find_mark(check, size);
    return mark && mark->found ? &mark->root : NULL;
}

static void note_root(struct check *check, const struct okno_tree *tree)
{
    struct mark *mark = find_mark(check, tree->size);
    for (struct mark *at = mark;
         at && at < check->marks.items + check->marks.len && at->size == tree->size; at++) {
        at->root = okno_tree_root(tree);
        at->found = true;
    }
    for (struct mark *at = mark; at && at > check->marks.items && at[-1].size == tree->size; at--) {
        at[-1].root = okno_tree_root(tree);
        at[-1].found = true;
    }
}

static int add_line(struct check *check, const struct bag_lines *lines, struct okno_tree *tree,
                    struct okno_err *err)
{
    struct okno_digest hash = okno_merkle_leaf(lines->line, lines->len);
    okno_autojson json_t *entry = json_loadb(lines->line, lines->len, JSON_REJECT_DUPLICATES, NULL);
    if (!entry)
        return okno_fail(err, OKNO_CHECK_FAILED, "data/log.jsonl: entry %lld is no JSON",
                         (long long)tree->size);
    check->line = (struct okno_json_weight){0};
    okno_json_weigh(lines->line, lines->len, &check->line);
    int rc = keep_entry(check, entry, tree->size, &hash, err);
    (void)okno_tree_add(tree, &hash, NULL);
    note_root(check, tree);
    struct okno_digest root;
    if (rc == 0 && tree->size == check->frame.size) {
        root = okno_tree_root(tree);
        if (!okno_digest_same(&root, &check->frame.root))
            rc = okno_fail(err, OKNO_CHECK_FAILED,
                           "data/log.jsonl: the first %lld entries are not those of "
                           "data/checkpoints/frame.checkpoint",
                           (long long)tree->size);
    }
    return rc;
}

static int check_log(struct check *check, struct okno_err *err)
{
    OKNO_AUTO(bag_lines) *lines = NULL;
    struct okno_tree tree = {.size = 0};
    if (check->marks.len > 1)
        qsort(check->marks.items, check->marks.len, sizeof(*check->marks.items), by_size);
    int rc = bag_lines_open(&check->bag, "data/log.jsonl", &lines, err);
    while (rc == 0 && (rc = bag_lines_next(lines, err)) == 1)
        rc = add_line(check, lines, &tree, err);
    if (rc < 0)
        return rc;
    struct okno_digest root = okno_tree_root(&tree);
    check->facts.entries = tree.size;
    if (tree.size != check->final.size)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/log.jsonl has %lld entries, data/checkpoints/final.checkpoint signs "
                         "%lld",
                         (long long)tree.size, (long long)check->final.size);
    if (!okno_digest_same(&root, &check->final.root))
        return verify_wrong(err,
                            "data/log.jsonl: its entries are not those that "
                            "data/checkpoints/final.checkpoint signs");
    return 0;
}

/* ---- steps ---- */

const json_t *verify_detail(const struct check *check, int step)
{
    return json_object_get(check->step[step], "detail");
}

static int order_wrong(const json_t *entry, const char *when, struct okno_err *err)
{
    return okno_fail(err, OKNO_CHECK_FAILED, "data/log.jsonl: entry %lld does %s too %s",
                     (long long)json_integer_value(json_object_get(entry, "entry")),
                     json_string_value(json_object_get(entry, "step")), when);
}

/* No step comes before what it needs, none of the sample's after the audit was closed; reports,
 * signatures and exports may take turns. */
static int check_place(const struct check *check, const json_t *entry, struct okno_err *err)
{
    int64_t place = json_integer_value(json_object_get(entry, "entry"));
    int step = step_of(entry);
    for (int before = 0; before < step; before++)
        if (is_needed(before) && check->place[before] > place)
            return order_wrong(entry, "early", err);
    return step < CLOSE && place > check->place[CLOSE] ? order_wrong(entry, "late", err) : 0;
}

static int check_shapes(const struct check *check, struct okno_err *err)
{
    size_t at;
    json_t *entry;
    json_array_foreach(check->all_steps, at, entry)
    {
        if (step_of(entry) < 0 || !json_is_object(json_object_get(entry, "detail")))
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "data/log.jsonl: entry %lld is no step of an audit",
                             (long long)json_integer_value(json_object_get(entry, "entry")));
    }
    return 0;
}

static int check_order(const struct check *check, struct okno_err *err)
{
    size_t at;
    json_t *entry;
    int rc = check_shapes(check, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < STEPS; i++)
        if (!check->step[i] && is_needed(i))
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "data/plan.json: the step %s of audit %s is not in data/log.jsonl",
                             step_name(i), check->facts.audit);
    json_array_foreach(check->all_steps, at, entry)
    {
        rc = check_place(check, entry, err);
        if (rc < 0)
            return rc;
    }
    if (check->frame.size <= check->place[FREEZE] || check->frame.size > check->place[SEED])
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/checkpoints/frame.checkpoint was not made between freeze and seed "
                         "of the audit of data/plan.json, %s",
                         check->facts.audit);
    return 0;
}

/* A step of plan.json against its entry. */
static int check_step(const struct check *check, const json_t *shown, const json_t *entry,
                      struct okno_err *err)
{
    const char *name = json_string_value(json_object_get(shown, "step"));
    const char *salt = json_string_value(json_object_get(shown, "salt"));
    const json_t *detail = json_object_get(shown, "detail");
    const json_t *place = json_object_get(entry, "entry");
    char hash[OKNO_SHA256_TEXT];
    char at[OKNO_TIME_TEXT];
    (void)okno_time_format(json_integer_value(json_object_get(entry, "at")), at);
    const char *shown_at = json_string_value(json_object_get(shown, "at"));
    bool same = json_equal(json_object_get(shown, "entry"), place) && shown_at &&
                strcmp(shown_at, at) == 0 && name &&
                json_equal(json_object_get(shown, "step"), json_object_get(entry, "step")) &&
                json_equal(json_object_get(shown, "author"), json_object_get(entry, "author"));
    if (same && check->open_to_all)
        same = !salt && json_equal(detail, json_object_get(entry, "detail"));
    if (same && !check->open_to_all) {
        okno_autofree char *text = NULL;
        const char *whole = json_string_value(json_object_get(entry, "whole"));
        same = salt && whole && okno_json_canonical(detail, &text, NULL) == 0 &&
               strcmp(okno_ledger_hide(salt, text, hash), whole) == 0;
    }
    return same ? 0
                : okno_fail(err, OKNO_CHECK_FAILED,
                            "data/plan.json: %s is not what entry %lld of the log tells",
                            name ? name : "a step", (long long)json_integer_value(place));
}

static int add_rounds(struct check *check, struct okno_err *err)
{
    size_t i;
    json_t *entry;
    int rc = 0;
    json_array_foreach(check->all_steps, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "step"));
        if (rc == 0 && (strcmp(name, "draw") == 0 || strcmp(name, "extend") == 0))
            rc = contents_add_round(&check->contents, json_object_get(entry, "detail"), err);
    }
    return rc;
}

/* Every step of the log but the export that wrote this bundle, one by one. */
static int check_plan(struct check *check, struct okno_err *err)
{
    const json_t *steps = json_object_get(check->plan, "steps");
    size_t count = json_array_size(check->all_steps) - 1;
    for (size_t i = 0; i < count && i < json_array_size(steps); i++) {
        int rc =
            check_step(check, json_array_get(steps, i), json_array_get(check->all_steps, i), err);
        if (rc < 0)
            return rc;
    }
    if (json_array_size(steps) != count)
        return okno_fail(err, OKNO_CHECK_FAILED, "data/plan.json tells %zu steps, the log %zu",
                         json_array_size(steps), count);
    if (json_array_get(check->all_steps, count) != check->step[EXPORT])
        return verify_wrong(err, "data/log.jsonl: a step follows the export");
    int rc =
        contents_plan(json_object_get(verify_detail(check, PLAN), "plan"), &check->contents, err);
    return rc < 0 ? rc : add_rounds(check, err);
}

int verify_hashes(const struct check *check, struct okno_err *err)
{
    const json_t *hashes = json_object_get(verify_detail(check, EXPORT), "files");
    for (size_t i = 0; bundle_hashed[i]; i++) {
        const char *hash = json_string_value(json_object_get(hashes, bundle_hashed[i]));
        const struct bag_file *file = bag_find(&check->bag, bundle_hashed[i]);
        if (!file)
            return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing", bundle_hashed[i]);
        if (!hash || strcmp(hash, file->sha256) != 0)
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "%s is not the file that entry %lld of the log tells",
                             bundle_hashed[i], (long long)check->place[EXPORT]);
    }
    return 0;
}

/* ---- all of it ---- */

static int read_plan(struct check *check, struct okno_err *err)
{
    int rc = verify_json(check, "data/plan.json", &check->plan, err);
    if (rc < 0)
        return rc;
    const char *audit = json_string_value(json_object_get(check->plan, "audit"));
    const char *kind = json_string_value(json_object_get(check->plan, "bundle"));
    if (!audit || !okno_text_is_id(audit) || !kind)
        return verify_wrong(err, "data/plan.json names no audit");
    (void)snprintf(check->facts.audit, sizeof(check->facts.audit), "%s", audit);
    check->open_to_all = strcmp(kind, "public") == 0;
    return 0;
}

int verify_log(struct check *check, const struct okno_note_key *key, struct okno_err *err)
{
    int rc = bag_check(&check->bag, belongs, err);
    if (rc == 0)
        rc = check_key(check, key, err);
    if (rc == 0)
        rc = open_checkpoint(check, "data/checkpoints/frame.checkpoint", &check->frame, err);
    if (rc == 0)
        rc = open_checkpoint(check, "data/checkpoints/final.checkpoint", &check->final, err);
    if (rc == 0)
        rc = read_plan(check, err);
    if (rc == 0)
        rc = verify_signed_marks(check, err);
    if (rc == 0)
        rc = verify_anchor_marks(check, err);
    if (rc == 0)
        rc = check_log(check, err);
    if (rc == 0)
        rc = check_order(check, err);
    return rc == 0 ? check_plan(check, err) : rc;
}

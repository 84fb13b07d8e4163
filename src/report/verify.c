#define _POSIX_C_SOURCE 200809L
/* A bundle recomputed from nothing but itself. */
#include "verify.h"

#include "okno/mem.h"
#include "okno/record.h"
#include "okno/time.h"

#include <string.h>

/* ---- frame and sample ---- */

static int check_row(struct check *check, const struct bag_lines *lines, struct bag_lines *table,
                     struct okno_buf *csv, struct okno_err *err)
{
    okno_buf_reset(csv);
    if (contents_add_line(&check->contents, lines->line, lines->len, csv, err) < 0) {
        okno_err_context(err, "data/frame.jsonl: line %lld", (long long)lines->number);
        return OKNO_CHECK_FAILED;
    }
    int rc = bag_lines_next(table, err);
    if (rc < 0)
        return rc;
    if (rc == 0 || table->len + 1 != csv->len || memcmp(table->line, csv->data, table->len) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/frame.csv: line %lld is not what data/frame.jsonl tells",
                         (long long)table->number);
    return 0;
}

static int check_frame_rows(struct check *check, struct bag_lines *lines, struct bag_lines *table,
                            char ret_sha256[OKNO_SHA256_TEXT], struct okno_err *err)
{
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(BUNDLE_LINE_MAX);
    struct okno_hash hash;
    uint8_t digest[OKNO_SHA256_BYTES];
    okno_hash_start(&hash);
    int rc = bag_lines_next(table, err);
    if (rc >= 0 && (rc == 0 || table->len + 1 != strlen(frame_csv_head) ||
                    memcmp(table->line, frame_csv_head, table->len) != 0))
        return verify_wrong(err, "data/frame.csv: line 1 is not its head");
    if (rc < 0)
        return rc;
    while ((rc = bag_lines_next(lines, err)) == 1) {
        okno_hash_add(&hash, lines->line, lines->len);
        okno_hash_add(&hash, "\n", 1);
        rc = check_row(check, lines, table, &csv, err);
        if (rc < 0)
            return rc;
    }
    if (rc == 0)
        rc = bag_lines_next(table, err);
    if (rc == 1)
        rc = verify_wrong(err, "data/frame.csv has more lines than data/frame.jsonl");
    okno_hash_end(&hash, digest);
    (void)okno_hash_hex(digest, ret_sha256);
    return rc;
}

static int check_frame(struct check *check, struct okno_err *err)
{
    OKNO_AUTO(bag_lines) *lines = NULL;
    OKNO_AUTO(bag_lines) *table = NULL;
    char sha256[OKNO_SHA256_TEXT];
    const json_t *freeze = verify_detail(check, FREEZE);
    const char *frozen = json_string_value(json_object_get(freeze, "frame_sha256"));
    int rc = bag_lines_open(&check->bag, "data/frame.jsonl", &lines, err);
    if (rc == 0)
        rc = bag_lines_open(&check->bag, "data/frame.csv", &table, err);
    if (rc == 0)
        rc = check_frame_rows(check, lines, table, sha256, err);
    if (rc < 0)
        return rc;
    const char *kind = json_string_value(
        json_object_get(json_object_get(verify_detail(check, PLAN), "plan"), "frame"));
    int known = kind ? okno_frame_find(kind) : OKNO_FRAME_SURVEYS;
    check->facts.kind = known < 0 ? OKNO_FRAME_SURVEYS : (enum okno_frame)known;
    check->facts.frame = (int64_t)check->contents.frame.len;
    if (!frozen || strcmp(frozen, sha256) != 0 ||
        check->facts.frame != json_integer_value(json_object_get(freeze, "frame_size")))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/frame.jsonl is not the frame that entry %lld of the log tells",
                         (long long)check->place[FREEZE]);
    return 0;
}

/* What each round drew is what its entry tells. */
static int check_rounds(struct check *check, const int64_t *sizes, struct okno_err *err)
{
    size_t i;
    json_t *entry;
    size_t round = 0;
    json_array_foreach(check->all_steps, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "step"));
        const json_t *detail = json_object_get(entry, "detail");
        if (strcmp(name, "draw") != 0 && strcmp(name, "extend") != 0)
            continue;
        check->facts.sample += sizes[round];
        if (sizes[round++] != json_integer_value(json_object_get(detail, "size")))
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "data/log.jsonl: entry %lld tells another draw",
                             (long long)json_integer_value(json_object_get(entry, "entry")));
    }
    return 0;
}

/* The first round asks for what the plan does. */
static int check_size(const struct check *check, struct okno_err *err)
{
    int64_t size = 0;
    int rc = contents_size(&check->contents, &size, err);
    if (rc == 0 && size != check->contents.asked[0])
        rc = okno_fail(err, OKNO_CHECK_FAILED,
                       "data/log.jsonl: entry %lld draws another number than the plan asks for",
                       (long long)check->place[DRAW]);
    return rc;
}

static int check_sample(struct check *check, struct okno_err *err)
{
    OKNO_AUTO_BUF seed = OKNO_BUF_INIT(OKNO_SEED_BYTES_MAX);
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    int64_t sizes[OKNO_ROUNDS_MAX] = {0};
    const char *logged = json_string_value(json_object_get(verify_detail(check, SEED), "seed"));
    int rc = okno_buf_add_text(&seed, logged ? logged : "", err);
    if (rc == 0)
        rc = verify_text(check, "data/seed.txt", &seed, err);
    if (rc == 0)
        rc = check_size(check, err);
    if (rc == 0)
        rc = contents_draw(&check->contents, okno_buf_text(&seed), &csv, sizes, err);
    if (rc == 0)
        rc = verify_text(check, "data/sample.csv", &csv, err);
    return rc == 0 ? check_rounds(check, sizes, err) : rc;
}

/* ---- decisions ---- */

static const char *taken(const json_t *row, const char *column)
{
    const char *text = json_string_value(json_object_get(row, column));
    return text ? text : "";
}

static bool same_number(const json_t *entry, const char *key, const char *text)
{
    char number[24] = "";
    const json_t *value = json_object_get(entry, key);
    if (value)
        (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
    return strcmp(number, text) == 0;
}

static bool same_watched(const json_t *entry, const char *text)
{
    OKNO_AUTO_BUF joined = OKNO_BUF_INIT(BUNDLE_LINE_MAX);
    size_t i;
    json_t *hash;
    json_array_foreach(json_object_get(entry, "watched"), i, hash)
    {
        if (okno_buf_printf(&joined, NULL, "%s%s", i ? " " : "", json_string_value(hash)) < 0)
            return false;
    }
    return strcmp(okno_buf_text(&joined), text) == 0;
}

static bool comment_opens(const json_t *row, const json_t *entry, const char *comment)
{
    char hash[OKNO_SHA256_TEXT];
    return strcmp(okno_ledger_hide(taken(row, "comment_salt"), comment, hash),
                  taken(entry, "comment")) == 0;
}

/* The comment as it stands, which is how bundles were written once, or without its inner guards. */
static bool same_comment(const json_t *row, const json_t *entry)
{
    const char *stands = taken(row, "comment");
    okno_autofree char *bare = strdup(stands);
    if (!bare || comment_opens(row, entry, stands))
        return bare != NULL;
    contents_take_guards(bare);
    return comment_opens(row, entry, bare);
}

/* NULL, or the column that is not what the entry tells. */
static const char *other_column(const struct check *check, const json_t *row, const json_t *entry)
{
    static const char *const copied[] = {"reviewer", "verdict", "reason", "correction"};
    char hash[OKNO_SHA256_TEXT];
    char at[OKNO_TIME_TEXT];
    for (size_t i = 0; i < OKNO_COUNT(copied); i++)
        if (strcmp(taken(row, copied[i]), taken(entry, copied[i])) != 0)
            return copied[i];
    if (!same_number(entry, "entry", taken(row, "entry")))
        return "entry";
    if (json_integer_value(json_object_get(entry, "part")) != strtol(taken(row, "part"), NULL, 10))
        return "part";
    if (!same_number(entry, "supersedes", taken(row, "supersedes")))
        return "supersedes";
    if (!same_number(entry, "reasons_version", taken(row, "reasons_version")))
        return "reasons_version";
    if (strcmp(taken(row, "at"),
               okno_time_format(json_integer_value(json_object_get(entry, "at")), at)) != 0)
        return "at";
    if (strcmp(taken(row, "counted"),
               json_is_true(json_object_get(entry, "counted")) ? "true" : "false") != 0)
        return "counted";
    if (!same_watched(entry, taken(row, "watched")))
        return "watched";
    if (strcmp(okno_ledger_hide(taken(row, "salt"), taken(row, "survey"), hash),
               taken(entry, "survey")) != 0)
        return "survey";
    if (check->open_to_all)
        return *taken(row, "comment") || *taken(row, "comment_salt") ? "comment" : NULL;
    return same_comment(row, entry) ? NULL : "comment";
}

static json_t *row_json(const struct okno_record *record)
{
    json_t *row = json_object();
    for (size_t i = 0; i < DECISION_COLUMNS; i++) {
        const char *text = record->values[i] ? record->values[i] : "";
        if (*text == '\'') /* what guards against formulas */
            text++;
        (void)json_object_set_new(row, decision_columns[i], json_string(text));
    }
    return row;
}

static int check_decision(struct check *check, const struct okno_record *record,
                          struct okno_err *err)
{
    size_t place = json_array_size(check->contents.decisions);
    if (record->err.code)
        return okno_fail(err, OKNO_CHECK_FAILED, "data/decisions.csv: line %lld: %s",
                         (long long)record->line, record->err.text);
    const json_t *entry = json_array_get(check->verdicts, place);
    json_t *row = row_json(record);
    if (json_array_append_new(check->contents.decisions, row) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the decisions");
    const char *column = entry ? other_column(check, row, entry) : "entry";
    if (column)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/decisions.csv: line %lld: %s is not what entry %s of the log tells",
                         (long long)record->line, column, taken(row, "entry"));
    return 0;
}

static int check_decisions(struct check *check, struct okno_err *err)
{
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    struct okno_record_column columns[DECISION_COLUMNS];
    struct okno_record record;
    char path[BUNDLE_PATH];
    for (size_t i = 0; i < DECISION_COLUMNS; i++)
        columns[i] = (struct okno_record_column){.name = decision_columns[i], .required = true};
    (void)snprintf(path, sizeof(path), "%s/data/decisions.csv", check->bag.dir);
    if (okno_record_open(path, columns, DECISION_COLUMNS, &reader, err) < 0) {
        okno_err_context(err, "data/decisions.csv");
        return OKNO_CHECK_FAILED;
    }
    int rc;
    while ((rc = okno_record_next(reader, &record, err)) == 1) {
        rc = check_decision(check, &record, err);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    check->facts.decisions = (int64_t)json_array_size(check->contents.decisions);
    const json_t *next = json_array_get(check->verdicts, (size_t)check->facts.decisions);
    if (next)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/decisions.csv lacks the decision of entry %lld of the log",
                         (long long)json_integer_value(json_object_get(next, "entry")));
    return contents_rule(&check->contents, false, err);
}

static int check_proof(struct check *check, const json_t *entry, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    struct okno_checkpoint checkpoint = {.size = 0};
    struct okno_digest hash;
    int64_t found = -1;
    char name[BUNDLE_NAME];
    int64_t place = json_integer_value(json_object_get(entry, "entry"));
    const char *hex = taken(entry, "hash");
    for (size_t i = 0; i < sizeof(hash.bytes); i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        hash.bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    (void)snprintf(name, sizeof(name), "data/proofs/%lld.tlog-proof", (long long)place);
    int rc = bag_read(&check->bag, name, 2 * (size_t)OKNO_NOTE_BYTES_MAX, &text, err);
    if (rc < 0)
        return rc;
    if (okno_tlog_proof_check(okno_buf_text(&text), text.len, &check->facts.key, &hash, &found,
                              &checkpoint, err) < 0) {
        okno_err_context(err, "%s", name);
        return OKNO_CHECK_FAILED;
    }
    check->facts.proofs++;
    if (found != place || checkpoint.size != check->final.size)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s proves another entry or log", name);
    return 0;
}

/* The log's entry of the export says which sidecar each file has. */
static int check_sidecars(struct check *check, struct okno_err *err)
{
    static const char sidecar[] = "data/sidecars/";
    const json_t *pinned = json_object_get(verify_detail(check, EXPORT), "sidecars");
    size_t found = 0;
    for (size_t i = 0; i < check->bag.files.len; i++) {
        const struct bag_file *file = &check->bag.files.items[i];
        if (strncmp(file->name, sidecar, sizeof(sidecar) - 1) != 0)
            continue;
        const json_t *hash = json_object_get(pinned, file->name + sizeof(sidecar) - 1);
        found++;
        if (!json_is_string(hash) || strcmp(json_string_value(hash), file->sha256) != 0)
            return okno_fail(err, OKNO_CHECK_FAILED, "%s is not the sidecar that was exported",
                             file->name);
    }
    return found == json_object_size(pinned)
               ? 0
               : verify_wrong(err, "data/sidecars: files are missing");
}

/* Proofs: one a decision, no other. Evidence: watched files, named by their hashes. */
static int check_rest(struct check *check, struct okno_err *err)
{
    static const char evidence[] = "data/evidence/";
    okno_autojson json_t *watched = json_object();
    int64_t proofs = 0;
    size_t i;
    size_t at;
    json_t *entry;
    json_t *hash;
    json_array_foreach(check->verdicts, i, entry)
    {
        int rc = check_proof(check, entry, err);
        if (rc < 0)
            return rc;
        json_array_foreach(json_object_get(entry, "watched"), at, hash)
        {
            (void)json_object_set_new(watched, json_string_value(hash), json_true());
        }
    }
    for (i = 0; i < check->bag.files.len; i++) {
        const struct bag_file *file = &check->bag.files.items[i];
        proofs += strncmp(file->name, "data/proofs/", 12) == 0;
        if (strncmp(file->name, evidence, sizeof(evidence) - 1) != 0)
            continue;
        check->facts.evidence++;
        if (strcmp(file->name + sizeof(evidence) - 1, file->sha256) != 0 ||
            !json_object_get(watched, file->sha256))
            return okno_fail(err, OKNO_CHECK_FAILED, "%s is not what an expert watched",
                             file->name);
    }
    if (proofs != check->facts.proofs)
        return verify_wrong(err, "data/proofs holds a proof of no decision of this audit");
    if (check->facts.evidence !=
        json_integer_value(json_object_get(verify_detail(check, EXPORT), "evidence")))
        return verify_wrong(err, "data/evidence: files are missing");
    return check_sidecars(check, err);
}

/* ---- all of it ---- */

static int run_checks(struct check *check, const struct okno_note_key *key, struct okno_err *err)
{
    int rc = verify_log(check, key, err);
    if (rc == 0)
        rc = check_frame(check, err);
    if (rc == 0)
        rc = check_sample(check, err);
    if (rc == 0)
        rc = check_decisions(check, err);
    if (rc == 0)
        rc = check_rest(check, err);
    if (rc == 0)
        rc = verify_figures(check, err);
    if (rc == 0)
        rc = verify_hashes(check, err);
    if (rc == 0)
        rc = verify_signed(check, err);
    if (rc == 0)
        rc = verify_anchors(check, err);
    return rc == 0 ? verify_tags(check, err) : rc; /* last: what was changed is named by others */
}

int okno_bundle_verify(const char *dir, const struct okno_note_key *key,
                       struct okno_bundle_facts *ret_facts, struct okno_err *err)
{
    const struct okno_bundle_trust trust = {.key = key};
    return okno_bundle_verify_by(dir, &trust, ret_facts, err);
}

int okno_bundle_verify_by(const char *dir, const struct okno_bundle_trust *trust,
                          struct okno_bundle_facts *ret_facts, struct okno_err *err)
{
    struct check *check = calloc(1, sizeof(*check));
    if (!check || strlen(dir) >= sizeof(check->bag.dir)) {
        free(check);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to verify %.200s", dir);
    }
    (void)snprintf(check->bag.dir, sizeof(check->bag.dir), "%s", dir);
    check->trust = trust;
    check->verdicts = json_array();
    check->all_steps = json_array();
    check->auditor_keys = json_array();
    check->anchors = json_array();
    int rc = contents_start(&check->contents, err);
    if (rc == 0)
        rc = run_checks(check, trust->key, err);
    if (rc == 0)
        *ret_facts = check->facts;
    json_decref(check->plan);
    json_decref(check->verdicts);
    json_decref(check->all_steps);
    json_decref(check->auditor_keys);
    json_decref(check->anchors);
    for (int i = 0; i < STEPS; i++)
        json_decref(check->step[i]);
    contents_free(&check->contents);
    bag_free(&check->bag);
    marks_free(&check->marks);
    free(check);
    return rc;
}

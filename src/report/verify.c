#define _POSIX_C_SOURCE 200809L
/* A bundle recomputed from nothing but itself. */
#include "verify.h"

#include "okno/mem.h"
#include "okno/record.h"
#include "okno/time.h"

#include <math.h>
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
    return strcmp(okno_ledger_hide(taken(row, "comment_salt"), taken(row, "comment"), hash),
                  taken(entry, "comment")) == 0
               ? NULL
               : "comment";
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
        columns[i] = (struct okno_record_column){decision_columns[i], true};
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

/* ---- figures ---- */

/* The same but for the last digit of numbers, which may differ between machines. */
static bool alike(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return fabs(json_number_value(a) - json_number_value(b)) <= 2e-9;
    if (json_is_object(a) && json_is_object(b)) {
        const char *key;
        json_t *value;
        if (json_object_size(a) != json_object_size(b))
            return false;
        json_object_foreach((json_t *)(uintptr_t)a, key, value)
        {
            if (!alike(value, json_object_get(b, key)))
                return false;
        }
        return true;
    }
    if (json_is_array(a) && json_is_array(b)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!alike(json_array_get(a, i), json_array_get(b, i)))
                return false;
        return true;
    }
    return a && b && json_equal((json_t *)(uintptr_t)a, (json_t *)(uintptr_t)b);
}

static const char *const figure_names[] = {"value", "low", "high", "se"};

static double figure_number(const json_t *figure, size_t i)
{
    return json_number_value(json_object_get(figure, figure_names[i]));
}

/* Ratings are counted in the bundle and shown per customer served: one whole number, which is not
 * in the bundle, lies between all of them. None is shown where it is not known. */
static bool same_per_served(const json_t *figure, const json_t *shown)
{
    double served = 0;
    if (json_is_null(shown))
        return true;
    for (size_t i = 0; served == 0 && i < OKNO_COUNT(figure_names); i++)
        if (figure_number(shown, i) != 0)
            served = round(figure_number(figure, i) / figure_number(shown, i));
    for (size_t i = 0; i < OKNO_COUNT(figure_names); i++)
        if (fabs(figure_number(figure, i) - served * figure_number(shown, i)) > (served + 1) * 2e-9)
            return false;
    return true;
}

static bool alike_or_none(const json_t *a, const json_t *b)
{
    return a && b ? alike(a, b) : a == b;
}

static bool same_figure(const json_t *figure, const json_t *shown, bool per_served)
{
    if (!json_is_null(json_object_get(figure, "null_reason")))
        return json_is_null(shown);
    if (per_served)
        return same_per_served(figure, shown);
    for (size_t i = 0; i < OKNO_COUNT(figure_names); i++)
        if (!alike(json_object_get(figure, figure_names[i]),
                   json_object_get(shown, figure_names[i])))
            return false;
    return alike_or_none(json_object_get(figure, "without_silent"),
                         json_object_get(json_object_get(shown, "bounds"), "without_silent"));
}

/* Above the limit of undeterminable decisions a report gives nothing but the bounds. */
static bool only_bounds(const json_t *figure, const json_t *shown, bool per_served)
{
    if (per_served && json_is_null(shown)) /* nobody counted the customers */
        return true;
    return json_is_null(json_object_get(shown, "value")) &&
           json_is_null(json_object_get(shown, "low")) &&
           json_is_null(json_object_get(shown, "high")) &&
           (per_served || alike(json_object_get(figure, "worst"),
                                json_object_get(json_object_get(shown, "bounds"), "worst")));
}

/* In all, and of each site, in the same order. */
static bool same_asked(const json_t *report, const json_t *kpi)
{
    static const char *const names[] = {"value", "low", "high", "se", "worst", "frame"};
    const json_t *shown = json_object_get(report, "asked");
    const json_t *groups = json_object_get(kpi, "groups");
    const json_t *first = json_object_get(json_array_get(groups, 0), "never_asked");
    size_t count = first ? json_array_size(groups) : 0;
    if (json_array_size(shown) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < OKNO_COUNT(names); k++)
            if (!alike(json_object_get(json_object_get(json_array_get(groups, i), "never_asked"),
                                       names[k]),
                       json_object_get(json_array_get(shown, i), names[k])))
                return false;
    return true;
}

/* The report's estimates were made from the database: they must be those made from the bundle. */
static int check_report(struct check *check, const json_t *kpi, struct okno_err *err)
{
    okno_autojson json_t *report = NULL;
    int rc = verify_json(check, "data/report.json", &report, err);
    if (rc < 0)
        return rc;
    const json_t *total =
        json_array_get(json_object_get(json_object_get(report, "total"), "groups"), 0);
    const json_t *made =
        json_object_get(json_array_get(json_object_get(kpi, "groups"), 0), "indicators");
    const char *state = json_string_value(
        json_object_get(json_object_get(json_object_get(report, "total"), "evidence"), "state"));
    bool gated = state && strcmp(state, "worst_case_only") == 0;
    if (!alike(json_object_get(json_object_get(report, "findings"), "invalid_share"),
               json_object_get(kpi, "invalid_share")))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/report.json: the share of invalid ratings is not what the decisions "
                         "give");
    if (!same_asked(report, kpi))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/report.json: the share never asked is not what the decisions give");
    const char *id;
    json_t *figure;
    json_object_foreach((json_t *)(uintptr_t)made, id, figure)
    {
        const json_t *shown =
            json_object_get(json_object_get(json_object_get(total, "indicators"), id), "estimated");
        bool none = !json_is_null(json_object_get(figure, "null_reason"));
        if (gated && !none
                ? !only_bounds(figure, shown, check->contents.rules.frame == OKNO_FRAME_SPONTANEOUS)
                : !same_figure(figure, shown,
                               check->contents.rules.frame == OKNO_FRAME_SPONTANEOUS))
            return okno_fail(err, OKNO_CHECK_FAILED,
                             "data/report.json: the estimate of %s is not what the decisions give",
                             id);
    }
    return 0;
}

static int check_counts(const struct check *check, struct okno_err *err)
{
    int64_t count[RULING_UNDETERMINABLE + 1] = {0};
    const json_t *end = verify_detail(check, CLOSE);
    for (size_t i = 0; i < check->contents.frame.len; i++)
        if (check->contents.frame.items[i].draws > 0)
            count[check->contents.frame.items[i].ruling]++;
    if (count[RULING_NONE] > 0)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/decisions.csv: %lld surveys of the sample have no decision",
                         (long long)count[RULING_NONE]);
    if (count[RULING_VALID] + count[RULING_FALSE_FM] + count[RULING_NOT_ASKED] !=
            json_integer_value(json_object_get(end, "valid")) ||
        count[RULING_INVALID] != json_integer_value(json_object_get(end, "invalid")))
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "data/decisions.csv: entry %lld of the log closes with other counts",
                         (long long)check->place[CLOSE]);
    return 0;
}

static int check_figures(struct check *check, struct okno_err *err)
{
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    okno_autojson json_t *kpi = NULL;
    okno_autojson json_t *shown = NULL;
    okno_autojson json_t *agreement = NULL;
    okno_autojson json_t *agreed = NULL;
    int rc = check_counts(check, err);
    if (rc == 0)
        rc = contents_check_doubles(&check->contents, err);
    if (rc == 0)
        rc = contents_kpi(&check->contents, check->facts.audit, &kpi, err);
    if (rc == 0)
        rc = contents_exclusions(&check->contents, &csv, err);
    if (rc == 0)
        rc = verify_text(check, "data/exclusions.csv", &csv, err);
    if (rc == 0)
        rc = contents_agreement(&check->contents, &agreement, err);
    if (rc == 0)
        rc = verify_json(check, "data/agreement.json", &agreed, err);
    if (rc == 0 && !alike(agreement, agreed))
        rc = verify_wrong(err, "data/agreement.json: it is not what the decisions give");
    if (rc == 0)
        rc = verify_json(check, "data/kpi.json", &shown, err);
    if (rc == 0 && !alike(kpi, shown))
        rc = verify_wrong(err, "data/kpi.json: its figures are not what the decisions give");
    if (rc == 0)
        rc = check_report(check, kpi, err);
    return rc == 0 ? verify_report(check, err) : rc;
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
        rc = check_figures(check, err);
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

#define _POSIX_C_SOURCE 200809L
/* Writing the bundle of a closed audit. */
#include "export.h"

#include "okno/evidence.h"
#include "okno/file.h"
#include "okno/mem.h"
#include "okno/purge.h"
#include "okno/time.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int put_json(struct run *run, const char *name, const json_t *json, struct okno_err *err)
{
    okno_autofree char *text = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1) |
                                                    JSON_REAL_PRECISION(15) | JSON_ENSURE_ASCII);
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %s", name);
    struct bag_stream stream;
    int rc = bag_open(&run->bag, name, &stream, err);
    if (rc < 0)
        return rc;
    rc = bag_add(&stream, text, strlen(text), err);
    if (rc == 0)
        rc = bag_add(&stream, "\n", 1, err);
    return bag_close(&run->bag, &stream, rc, err);
}

/* ---- steps ---- */

static int too_old(const struct run *run, struct okno_err *err)
{
    return okno_fail(err, OKNO_REFUSED,
                     "audit %s began before the evidence log did: what was not logged cannot be "
                     "proven, plan a new audit",
                     run->request->audit);
}

/* A step as in plan.json: what the log tells, and unless the bundle is open to all, the whole of it
 * with the salt that opens its hash. */
static int add_step(struct run *run, struct okno_stmt *row, struct okno_err *err)
{
    if (okno_stmt_is_null(row, "line"))
        return too_old(run, err);
    okno_autojson json_t *leaf = json_loads(okno_stmt_text(row, "line"), 0, NULL);
    okno_autojson json_t *whole = json_loads(okno_stmt_text(row, "detail"), 0, NULL);
    json_t *detail = json_object_get(leaf, "detail");
    bool open = run->request->open_to_all;
    json_t *step = json_pack(
        "{s:I, s:s, s:o, s:O, s:O}", "entry", (json_int_t)okno_stmt_int(row, "leaf"), "step",
        okno_stmt_text(row, "step"), "at", okno_json_time(okno_stmt_int(row, "at")), "author",
        json_object_get(leaf, "author"), "detail", open ? detail : whole);
    const char *salt = okno_stmt_text(row, "salt");
    if (!step || (!open && salt && json_object_set_new(step, "salt", json_string(salt)) < 0) ||
        json_array_append_new(run->steps, step) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the steps");
    return 0;
}

const json_t *export_detail(const struct run *run, const char *name)
{
    size_t i;
    json_t *step;
    json_array_foreach(run->steps, i, step)
    {
        if (strcmp(json_string_value(json_object_get(step, "step")), name) == 0)
            return json_object_get(step, "detail");
    }
    return NULL;
}

static int add_rounds(struct run *run, struct okno_err *err)
{
    size_t i;
    json_t *step;
    json_array_foreach(run->steps, i, step)
    {
        const char *name = json_string_value(json_object_get(step, "step"));
        if (strcmp(name, "draw") != 0 && strcmp(name, "extend") != 0)
            continue;
        int rc = contents_add_round(&run->contents, json_object_get(step, "detail"), err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_steps(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(run->db, "bundle.steps", &rows, err,
                             OKNO_TEXT("audit", run->request->audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = add_step(run, rows, err);
    if (rc < 0)
        return rc;
    const json_t *plan = export_detail(run, "plan");
    const char *seed = json_string_value(json_object_get(export_detail(run, "seed"), "seed"));
    run->plan = json_object_get(plan, "plan");
    if (!seed || !run->plan)
        return too_old(run, err);
    (void)snprintf(run->seed, sizeof(run->seed), "%s", seed);
    run->from_us = json_integer_value(json_object_get(plan, "from_us"));
    run->to_us = json_integer_value(json_object_get(plan, "to_us"));
    rc = contents_plan(run->plan, &run->contents, err);
    return rc < 0 ? rc : add_rounds(run, err);
}

static int put_plan(struct run *run, struct okno_err *err)
{
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:s, s:O}", "audit", run->request->audit, "bundle",
                  run->request->open_to_all ? "public" : "restricted", "software",
                  "okno " OKNO_VERSION, "steps", run->steps);
    return put_json(run, "data/plan.json", json, err);
}

/* ---- frame and sample ---- */

static int put_frame_line(struct run *run, const char *line, struct bag_stream *lines,
                          struct bag_stream *table, struct okno_buf *csv, struct okno_err *err)
{
    size_t len = strlen(line);
    okno_buf_reset(csv);
    int rc = contents_add_line(&run->contents, line, len, csv, err);
    if (rc == 0)
        rc = bag_add(lines, line, len, err);
    if (rc == 0)
        rc = bag_add(lines, "\n", 1, err);
    return rc == 0 ? bag_add(table, csv->data, csv->len, err) : rc;
}

static int put_frame_rows(struct run *run, struct bag_stream *lines, struct bag_stream *table,
                          struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(BUNDLE_LINE_MAX);
    int rc = bag_add(table, frame_csv_head, strlen(frame_csv_head), err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(run->db, "bundle.frame", &rows, err,
                             OKNO_TEXT("audit", run->request->audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = put_frame_line(run, okno_stmt_text(rows, "line"), lines, table, &csv, err);
    return rc;
}

static int put_frame(struct run *run, struct okno_err *err)
{
    struct bag_stream lines;
    struct bag_stream table;
    int rc = bag_open(&run->bag, "data/frame.jsonl", &lines, err);
    if (rc < 0)
        return rc;
    rc = bag_open(&run->bag, "data/frame.csv", &table, err);
    if (rc < 0)
        return bag_close(&run->bag, &lines, rc, err);
    rc = put_frame_rows(run, &lines, &table, err);
    rc = bag_close(&run->bag, &lines, rc, err);
    return bag_close(&run->bag, &table, rc, err);
}

static int put_sample(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    int rc = contents_draw(&run->contents, run->seed, &csv, NULL, err);
    if (rc == 0)
        rc = bag_put(&run->bag, "data/sample.csv", okno_buf_text(&csv), err);
    return rc == 0 ? bag_put(&run->bag, "data/seed.txt", run->seed, err) : rc;
}

/* ---- decisions ---- */

static int join_watched(struct run *run, const json_t *hashes, struct okno_buf *to,
                        struct okno_err *err)
{
    size_t i;
    json_t *hash;
    int rc = okno_buf_add_text(to, "", err);
    json_array_foreach(hashes, i, hash)
    {
        const char *text = json_string_value(hash);
        if (rc == 0)
            rc = okno_buf_printf(to, err, "%s%s", i ? " " : "", text);
        (void)json_object_set_new(run->watched, text, json_true());
    }
    return rc;
}

/* A row of decisions.csv from its entry, the survey and what opens the entry's hashes. */
static json_t *decision_row(const struct run *run, struct okno_stmt *row, const json_t *leaf,
                            const char *watched)
{
    static const char *const copied[] = {"reviewer", "verdict", "reason", "correction"};
    char number[24];
    char key[OKNO_SHA256_TEXT];
    const char *salt = okno_stmt_text(row, "salt");
    json_t *json = json_object();
    for (size_t i = 0; i < OKNO_COUNT(copied); i++) {
        const char *text = json_string_value(json_object_get(leaf, copied[i]));
        (void)json_object_set_new(json, copied[i], json_string(text ? text : ""));
    }
    (void)snprintf(number, sizeof(number), "%lld", (long long)okno_stmt_int(row, "leaf"));
    (void)json_object_set_new(json, "entry", json_string(number));
    (void)json_object_set_new(json, "survey", json_string(okno_stmt_text(row, "survey")));
    (void)json_object_set_new(json, "at",
                              okno_json_time(json_integer_value(json_object_get(leaf, "at"))));
    (void)json_object_set_new(
        json, "counted",
        json_string(json_is_true(json_object_get(leaf, "counted")) ? "true" : "false"));
    const json_t *undone = json_object_get(leaf, "supersedes");
    (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(undone));
    (void)json_object_set_new(json, "supersedes", json_string(undone ? number : ""));
    (void)snprintf(number, sizeof(number), "%lld",
                   (long long)json_integer_value(json_object_get(leaf, "reasons_version")));
    (void)json_object_set_new(json, "reasons_version", json_string(number));
    (void)snprintf(number, sizeof(number), "%lld",
                   (long long)json_integer_value(json_object_get(leaf, "part")));
    (void)json_object_set_new(json, "part", json_string(number));
    (void)json_object_set_new(json, "watched", json_string(watched));
    (void)json_object_set_new(json, "salt", json_string(okno_ledger_salt_for(salt, "survey", key)));
    if (!run->request->open_to_all) {
        (void)json_object_set_new(json, "comment_salt",
                                  json_string(okno_ledger_salt_for(salt, "comment", key)));
        (void)json_object_set_new(json, "comment", json_string(okno_stmt_text(row, "comment")));
    }
    return json;
}

static int add_decision(struct run *run, struct okno_stmt *row, struct okno_buf *csv,
                        struct okno_err *err)
{
    OKNO_AUTO_BUF watched = OKNO_BUF_INIT(BUNDLE_LINE_MAX);
    if (okno_stmt_is_null(row, "line"))
        return too_old(run, err);
    if (okno_stmt_is_null(row, "salt"))
        return okno_fail(err, OKNO_GONE, "the salt of entry %lld of the log was destroyed",
                         (long long)okno_stmt_int(row, "leaf"));
    okno_autojson json_t *leaf = json_loads(okno_stmt_text(row, "line"), 0, NULL);
    int rc = join_watched(run, json_object_get(leaf, "watched"), &watched, err);
    if (rc < 0)
        return rc;
    json_t *json = decision_row(run, row, leaf, okno_buf_text(&watched));
    rc = contents_decision_csv(json, csv, err);
    if (json_array_append_new(run->contents.decisions, json) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the decisions");
    return rc;
}

static int put_decisions(struct run *run, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    OKNO_AUTO_BUF csv = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    OKNO_AUTO_BUF excluded = OKNO_BUF_INIT(BUNDLE_TEXT_MAX);
    int rc = contents_decision_csv(NULL, &csv, err);
    if (rc == 0)
        rc = OKNO_DB_PREPARE(run->db, "bundle.decisions", &rows, err,
                             OKNO_TEXT("audit", run->request->audit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = add_decision(run, rows, &csv, err);
    if (rc == 0)
        rc = bag_put(&run->bag, "data/decisions.csv", okno_buf_text(&csv), err);
    if (rc == 0)
        rc = contents_rule(&run->contents, true, err);
    if (rc == 0)
        rc = contents_check_doubles(&run->contents, err);
    if (rc == 0)
        rc = contents_exclusions(&run->contents, &excluded, err);
    return rc == 0 ? bag_put(&run->bag, "data/exclusions.csv", okno_buf_text(&excluded), err) : rc;
}

/* ---- figures ---- */

static int put_kpi(struct run *run, struct okno_err *err)
{
    okno_autojson json_t *kpi = NULL;
    okno_autojson json_t *agreement = NULL;
    int rc = contents_kpi(&run->contents, run->request->audit, &kpi, err);
    if (rc == 0)
        rc = put_json(run, "data/kpi.json", kpi, err);
    if (rc == 0)
        rc = contents_agreement(&run->contents, &agreement, err);
    return rc == 0 ? put_json(run, "data/agreement.json", agreement, err) : rc;
}

/* ---- evidence ---- */

static int copy_bytes(struct run *run, int from, const char *name, struct okno_err *err)
{
    char chunk[65536];
    struct bag_stream stream;
    int rc = bag_open(&run->bag, name, &stream, err);
    if (rc < 0)
        return rc;
    ssize_t got = 0;
    while (rc == 0 && (got = read(from, chunk, sizeof(chunk))) > 0)
        rc = bag_add(&stream, chunk, (size_t)got, err);
    if (rc == 0 && got < 0)
        rc = okno_fail_errno(err, errno, "cannot read the evidence for %s", name);
    return bag_close(&run->bag, &stream, rc, err);
}

/* `place` says where in the bundle, of the hash `named`. */
static int copy_file(struct run *run, const char *sha256, const char *place, const char *named,
                     struct okno_err *err)
{
    char path[BUNDLE_PATH];
    char name[BUNDLE_NAME];
    int64_t bytes = 0;
    okno_autoclose int from = -1;
    int rc = okno_evidence_path(okno_db_dir(run->db), sha256, path, sizeof(path), err);
    if (rc < 0)
        return rc;
    rc = okno_file_open(path, &from, &bytes, err);
    if (rc < 0)
        return rc;
    (void)snprintf(name, sizeof(name), "%s%s", place, named);
    rc = copy_bytes(run, from, name, err);
    if (rc == 0 && strcmp(run->bag.files.items[run->bag.files.len - 1].sha256, sha256) != 0)
        rc = okno_fail(err, OKNO_CHECK_FAILED, "the evidence %s was changed", path);
    return rc;
}

/* The sidecar of a watched file, if it has one, named after the file. */
static int put_sidecar(struct run *run, const char *watched, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char sidecar[OKNO_SHA256_TEXT];
    int rc = OKNO_DB_PREPARE(run->db, "bundle.sidecar", &stmt, err, OKNO_TEXT("sha256", watched));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    (void)snprintf(sidecar, sizeof(sidecar), "%s", okno_stmt_text(stmt, "sidecar"));
    if (json_object_size(run->sidecars) == 0)
        rc = bag_make_dir(&run->bag, "data/sidecars", err);
    if (rc >= 0)
        rc = copy_file(run, sidecar, "data/sidecars/", watched, err);
    if (rc == 0 && json_object_set_new(run->sidecars, watched, json_string(sidecar)) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a bundle");
    return rc;
}

static int put_sidecars(struct run *run, struct okno_err *err)
{
    const char *sha256;
    json_t *value;
    int rc = 0;
    json_object_foreach(run->watched, sha256, value)
    {
        if (rc == 0)
            rc = put_sidecar(run, sha256, err);
    }
    return rc;
}

/* A file that retention destroyed is counted instead: its hash stays in the decision. */
static int put_watched(struct run *run, const char *sha256, struct okno_err *err)
{
    struct okno_err why = {0};
    int rc = okno_purge_check(run->db, sha256, &why);
    if (rc == OKNO_GONE) {
        run->destroyed++;
        return 0;
    }
    if (rc < 0)
        return okno_fail(err, rc, "%s", why.text);
    rc = run->evidence++ == 0 ? bag_make_dir(&run->bag, "data/evidence", err) : 0;
    return rc == 0 ? copy_file(run, sha256, "data/evidence/", sha256, err) : rc;
}

static int put_evidence(struct run *run, struct okno_err *err)
{
    const char *sha256;
    json_t *value;
    int rc = 0;
    if (!run->request->with_evidence)
        return 0;
    json_object_foreach(run->watched, sha256, value)
    {
        if (rc == 0)
            rc = put_watched(run, sha256, err);
    }
    return rc < 0 ? rc : put_sidecars(run, err);
}

/* ---- all of it ---- */

static int write_bag(struct run *run, struct okno_err *err)
{
    int rc = export_tags(run, err);
    if (rc == 0)
        rc = bag_make_dir(&run->bag, "data", err);
    if (rc == 0)
        rc = put_plan(run, err);
    if (rc == 0)
        rc = put_frame(run, err);
    if (rc == 0)
        rc = put_sample(run, err);
    if (rc == 0)
        rc = put_decisions(run, err);
    if (rc == 0)
        rc = put_kpi(run, err);
    if (rc == 0)
        rc = export_report(run, err);
    if (rc == 0)
        rc = export_signature(run, err);
    if (rc == 0)
        rc = put_evidence(run, err);
    if (rc == 0)
        rc = export_log(run, err);
    return rc == 0 ? export_manifests(run, err) : rc;
}

static int make_place(struct run *run, struct okno_err *err)
{
    struct stat facts;
    const char *dir = run->request->dir;
    if (!*dir || strlen(dir) > 1000)
        return okno_fail(err, OKNO_INVALID, "the bundle's folder has a name of 1 to 1000 bytes");
    if (lstat(dir, &facts) == 0)
        return okno_fail(err, OKNO_REFUSED, "%s is there already: choose another name", dir);
    (void)snprintf(run->bag.dir, sizeof(run->bag.dir), "%s.part", dir);
    char begun[BUNDLE_PATH];
    (void)snprintf(begun, sizeof(begun), "%s/" BAG_FIRST, run->bag.dir);
    if (lstat(begun, &facts) == 0)
        bag_discard(run->bag.dir); /* an export that was killed */
    if (mkdir(run->bag.dir, 0755) < 0 &&
        (errno != EEXIST || rmdir(run->bag.dir) < 0 || mkdir(run->bag.dir, 0755) < 0))
        return okno_fail_errno(err, errno, "cannot make %s", run->bag.dir);
    return 0;
}

static int start(struct run *run, struct okno_err *err)
{
    run->steps = json_array();
    run->watched = json_object();
    run->sidecars = json_object();
    int rc = contents_start(&run->contents, err);
    if (rc == 0)
        rc = okno_audit_newest(run->db, run->request->audit, &run->seen, err);
    return rc == 0 ? read_steps(run, err) : rc;
}

static void end(struct run *run)
{
    json_decref(run->steps);
    json_decref(run->watched);
    json_decref(run->sidecars);
    contents_free(&run->contents);
    bag_free(&run->bag);
}

int okno_bundle_export(struct okno_db *db, const struct okno_bundle_request *request,
                       int64_t now_us, struct okno_err *err)
{
    struct run run = {.db = db, .request = request, .now_us = now_us};
    okno_autoclose int lock = -1;
    if (request->open_to_all && request->with_evidence)
        return okno_fail(err, OKNO_USAGE,
                         "footage shows people: a bundle open to all goes without evidence");
    int rc = okno_audit_may(db, request->audit, "export", err);
    if (rc == 0)
        rc = export_lock(okno_db_dir(db), request, &lock, err);
    if (rc == 0)
        rc = export_report_issue(db, request, now_us, err);
    if (rc == 0)
        rc = start(&run, err);
    if (rc == 0)
        rc = make_place(&run, err);
    if (rc == 0) {
        rc = write_bag(&run, err);
        if (rc == 0 && rename(run.bag.dir, request->dir) < 0)
            rc = okno_fail_errno(err, errno, "cannot make %s", request->dir);
        if (rc < 0)
            bag_discard(run.bag.dir);
    }
    end(&run);
    return rc;
}

/* The bundle's files are made without a folder: only their hashes are wanted. */
int bundle_signed_files(struct okno_db *db, const char *audit, struct okno_buf *to,
                        struct okno_err *err)
{
    const struct okno_bundle_request request = {.audit = audit, .open_to_all = true};
    struct run run = {.db = db, .request = &request};
    int rc = start(&run, err);
    if (rc == 0)
        rc = put_frame(&run, err);
    if (rc == 0)
        rc = put_sample(&run, err);
    if (rc == 0)
        rc = put_decisions(&run, err);
    if (rc == 0)
        rc = put_kpi(&run, err);
    if (rc == 0)
        rc = export_signed_lines(&run, to, err);
    end(&run);
    return rc;
}

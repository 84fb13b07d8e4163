#define _GNU_SOURCE
/* Retention. Record first, file second. */
#include "okno/purge.h"

#include "okno/evidence.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FORECAST_US (30 * OKNO_DAY_US)

enum { PATH_BYTES = 1400, RULE_TEXT = 40 };

static const char *rule_text(const struct okno_purge_rule *rule, char ret_text[RULE_TEXT])
{
    (void)snprintf(ret_text, RULE_TEXT, "keep_days %lld", (long long)rule->keep_days);
    return ret_text;
}

static int64_t before_of(const struct okno_purge_rule *rule, int64_t now_us)
{
    return now_us - rule->keep_days * OKNO_DAY_US;
}

static int check_rule(const struct okno_purge_rule *rule, struct okno_err *err)
{
    return rule->keep_days >= 1
               ? 0
               : okno_fail_field(
                     err, OKNO_INVALID, "keep_days",
                     "no rule says how long evidence is kept: evidence.keep_days in the "
                     "settings, or --days N");
}

/* ---- what would go ---- */

static int add_kinds(struct okno_db *db, int64_t before_us, int64_t now_us, json_t *plan,
                     struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *kinds = json_object();
    int64_t files = 0;
    int64_t bytes = 0;
    int64_t oldest = INT64_MAX;
    (void)json_object_set_new(plan, "by_kind", kinds);
    int rc = OKNO_DB_PREPARE(db, "purge.plan", &rows, err, OKNO_INT("before", before_us),
                             OKNO_INT("now", now_us));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        int64_t first = okno_stmt_int(rows, "oldest");
        files += okno_stmt_int(rows, "files");
        bytes += okno_stmt_int(rows, "bytes");
        oldest = first < oldest ? first : oldest;
        (void)json_object_set_new(kinds, okno_stmt_text(rows, "kind"),
                                  json_integer(okno_stmt_int(rows, "files")));
    }
    (void)json_object_set_new(plan, "files", json_integer(files));
    (void)json_object_set_new(plan, "bytes", json_integer(bytes));
    (void)json_object_set_new(plan, "oldest", files ? okno_json_time(oldest) : json_null());
    return rc;
}

static int add_kept(struct okno_db *db, int64_t before_us, int64_t now_us, json_t *plan,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *kept = json_object();
    (void)json_object_set_new(plan, "kept", kept);
    int rc = OKNO_DB_PREPARE(db, "purge.kept", &rows, err, OKNO_INT("before", before_us),
                             OKNO_INT("now", now_us));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = 0;
        (void)json_object_set_new(kept, okno_stmt_text(rows, "why"),
                                  json_integer(okno_stmt_int(rows, "files")));
    }
    return rc;
}

int okno_purge_plan(struct okno_db *db, const struct okno_purge_rule *rule, int64_t now_us,
                    json_t **ret_plan, struct okno_err *err)
{
    int64_t before_us = before_of(rule, now_us);
    int64_t left = 0;
    int rc = check_rule(rule, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *plan = json_pack("{s:I, s:o}", "keep_days", (json_int_t)rule->keep_days,
                                           "before", okno_json_time(before_us));
    rc = add_kinds(db, before_us, now_us, plan, err);
    if (rc == 0)
        rc = add_kept(db, before_us, now_us, plan, err);
    if (rc == 0)
        rc = okno_db_int(db, "purge.count_left", NULL, 0, 0, &left, err);
    if (rc < 0)
        return rc;
    (void)json_object_set_new(plan, "left", json_integer(left));
    *ret_plan = json_incref(plan);
    return 0;
}

/* ---- records ---- */

static int add_record(struct okno_db *db, struct okno_stmt *row, const struct okno_purge_rule *rule,
                      int64_t now_us, json_t *files, struct okno_err *err)
{
    char text[RULE_TEXT];
    const char *sha256 = okno_stmt_text(row, "sha256");
    if (json_array_append_new(files, json_string(sha256)) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the destruction");
    return OKNO_DB_RUN(db, "purge.add", NULL, err, OKNO_TEXT("sha256", sha256),
                       OKNO_INT("newest", okno_stmt_int(row, "newest")),
                       OKNO_TEXT("kind", okno_stmt_text(row, "kind")),
                       OKNO_TEXT("survey", okno_stmt_text(row, "survey")),
                       OKNO_INT("bytes", okno_stmt_int(row, "bytes")), OKNO_INT("now", now_us),
                       OKNO_TEXT("rule", rule_text(rule, text)), OKNO_TEXT("author", rule->author));
}

/* The log learns hashes, the rule and whose it is; no survey, no camera. */
static int log_batch(struct okno_db *db, const struct okno_purge_rule *rule, const json_t *files,
                     int64_t now_us, struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    char text[RULE_TEXT];
    const struct okno_ledger_entry entry = {.kind = "destroy", .at_us = now_us};
    int rc = okno_ledger_pseudonym(db, 'R', rule->author, name, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json =
        json_pack("{s:s, s:s, s:O}", "author", name, "rule", rule_text(rule, text), "files", files);
    return okno_ledger_append(db, &entry, json, NULL, err);
}

/* The rows first: a statement is not stepped while others write to what it reads. */
static int take_batch(struct okno_db *db, const struct okno_purge_rule *rule, int64_t now_us,
                      json_t *files, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "purge.candidates", &rows, err,
                             OKNO_INT("before", before_of(rule, now_us)), OKNO_INT("now", now_us),
                             OKNO_INT("limit", OKNO_PURGE_BATCH));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = add_record(db, rows, rule, now_us, files, err);
    if (rc == 0 && json_array_size(files) > 0)
        rc = log_batch(db, rule, files, now_us, err);
    return rc;
}

static int record_batch(struct okno_db *db, const struct okno_purge_rule *rule, int64_t now_us,
                        size_t *ret_count, struct okno_err *err)
{
    okno_autojson json_t *files = json_array();
    int rc = okno_db_begin(db, err);
    if (rc < 0)
        return rc;
    rc = take_batch(db, rule, now_us, files, err);
    if (rc == 0 && json_array_size(files) > 0)
        rc = okno_db_commit(db, err);
    else
        okno_db_rollback(db);
    if (rc == 0)
        *ret_count = json_array_size(files);
    return rc;
}

/* ---- files ---- */

static int remove_file(const char *data_dir, const char *sha256, struct okno_err *err)
{
    char path[PATH_BYTES];
    int rc = okno_evidence_path(data_dir, sha256, path, sizeof(path), err);
    if (rc < 0)
        return rc;
    if (unlink(path) < 0 && errno != ENOENT)
        return okno_fail_errno(err, errno, "cannot remove %s", path);
    *strrchr(path, '/') = '\0';
    okno_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && fsync(fd) < 0)
        return okno_fail_errno(err, errno, "cannot sync %s", path);
    return 0;
}

/* Viewing copies of anything that was destroyed. */
static int sweep_cache(struct okno_db *db, const char *data_dir, struct okno_err *err)
{
    char dir[PATH_BYTES];
    (void)snprintf(dir, sizeof(dir), "%s/cache", data_dir);
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    int rc = 0;
    while (folder && rc == 0 && (entry = readdir(folder))) {
        char sha256[OKNO_SHA256_TEXT];
        if (strspn(entry->d_name, "0123456789abcdef") != OKNO_SHA256_TEXT - 1)
            continue;
        (void)snprintf(sha256, sizeof(sha256), "%.64s", entry->d_name);
        struct okno_err why = {0};
        rc = okno_purge_check(db, sha256, &why);
        if (rc == OKNO_GONE)
            rc = unlinkat(dirfd(folder), entry->d_name, 0) == 0 || errno == ENOENT
                     ? 0
                     : okno_fail_errno(err, errno, "cannot remove %s/%s", dir, entry->d_name);
        else if (rc < 0)
            rc = okno_fail(err, rc, "%s", why.text);
    }
    if (folder)
        (void)closedir(folder);
    return rc;
}

static int list_left(struct okno_db *db, json_t *files, int64_t *bytes, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = OKNO_DB_PREPARE(db, "purge.left", &rows, err, OKNO_INT("limit", OKNO_PURGE_BATCH));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        *bytes += okno_stmt_int(rows, "bytes");
        rc = json_array_append_new(files, json_string(okno_stmt_text(rows, "sha256"))) == 0
                 ? 0
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the destruction");
    }
    return rc;
}

/* Everything that has a record and is not known to be gone. */
static int remove_left(struct okno_db *db, const char *data_dir, int64_t now_us,
                       struct okno_purged *purged, struct okno_err *err)
{
    okno_autojson json_t *files = json_array();
    size_t i;
    json_t *sha256;
    int rc = list_left(db, files, &purged->bytes, err);
    json_array_foreach(files, i, sha256)
    {
        if (rc == 0)
            rc = remove_file(data_dir, json_string_value(sha256), err);
    }
    if (rc == 0)
        rc = sweep_cache(db, data_dir, err);
    if (rc == 0 && json_array_size(files) > 0)
        rc = okno_db_begin(db, err);
    if (rc < 0 || json_array_size(files) == 0)
        return rc;
    json_array_foreach(files, i, sha256)
    {
        if (rc == 0)
            rc = OKNO_DB_RUN(db, "purge.removed", NULL, err, OKNO_INT("now", now_us),
                             OKNO_TEXT("sha256", json_string_value(sha256)));
    }
    purged->files = (int64_t)json_array_size(files);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

int okno_purge_run(struct okno_db *db, const char *data_dir, const struct okno_purge_rule *rule,
                   int64_t now_us, struct okno_purged *ret_purged, struct okno_err *err)
{
    struct okno_purged purged = {.files = 0};
    size_t count = 0;
    int64_t left = 0;
    int rc = check_rule(rule, err);
    if (rc == 0)
        rc = okno_db_int(db, "purge.count_left", NULL, 0, 0, &left, err);
    if (rc == 0 && left < OKNO_PURGE_BATCH)
        rc = record_batch(db, rule, now_us, &count, err);
    if (rc == 0)
        rc = remove_left(db, data_dir, now_us, &purged, err);
    if (rc == 0)
        rc = okno_db_int(db, "purge.count_left", NULL, 0, 0, &left, err);
    if (rc < 0)
        return rc;
    purged.more = count == OKNO_PURGE_BATCH || left > 0;
    *ret_purged = purged;
    return 0;
}

int okno_purge_check(struct okno_db *db, const char *sha256, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    char at[OKNO_TIME_TEXT];
    int rc = OKNO_DB_PREPARE(db, "purge.get", &row, err, OKNO_TEXT("sha256", sha256));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc <= 0)
        return rc;
    return okno_fail(err, OKNO_GONE, "destroyed on %s, by rule %s",
                     okno_time_format(okno_stmt_int(row, "at"), at), okno_stmt_text(row, "rule"));
}

/* ---- forecast ---- */

int okno_purge_forecast(struct okno_db *db, const char *data_dir, int64_t keep_days, int64_t now_us,
                        json_t **ret_forecast, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    struct statvfs disk;
    int rc = OKNO_DB_PREPARE(db, "purge.bytes", &row, err, OKNO_INT("since", now_us - FORECAST_US));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    if (statvfs(data_dir, &disk) < 0)
        return okno_fail_errno(err, errno, "cannot look at the disk of %s", data_dir);
    int64_t first = okno_stmt_is_null(row, "first") ? now_us : okno_stmt_int(row, "first");
    int64_t span_us = now_us - first < FORECAST_US ? now_us - first : FORECAST_US;
    int64_t days = span_us / OKNO_DAY_US > 0 ? span_us / OKNO_DAY_US : 1;
    int64_t all = okno_stmt_int(row, "bytes");
    int64_t daily = okno_stmt_int(row, "recent") / days;
    int64_t space = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
    int64_t steady = keep_days * daily;
    bool fills = daily > 0 && (keep_days < 1 || steady - all > space);
    json_t *json = json_pack("{s:I, s:I, s:I, s:o, s:o}", "evidence_bytes", (json_int_t)all,
                             "bytes_per_day", (json_int_t)daily, "free_bytes", (json_int_t)space,
                             "days_left", fills ? json_integer(space / daily) : json_null(),
                             "steady_bytes", keep_days > 0 ? json_integer(steady) : json_null());
    if (!json)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the forecast");
    *ret_forecast = json;
    return 0;
}

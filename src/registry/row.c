/* One row of an import kind, from the page or the API. */
#define _POSIX_C_SOURCE 200809L
#include "okno/import.h"

#include "okno/hash.h"
#include "okno/json.h"
#include "okno/ledger.h"
#include "okno/record.h"
#include "okno/time.h"

#include <string.h>

static int check_values(const struct okno_import_job *job, const char *const *texts,
                        struct okno_value *values, struct okno_err *err)
{
    const struct okno_import_kind *kind = job->kind;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < kind->field_count; i++)
        rc = okno_field_check(&kind->fields[i], job->db, texts[i], &values[i], err);
    if (rc == 0 && kind->check)
        rc = kind->check(values, err);
    return rc == 0 && job->check ? job->check(job->db, values, err) : rc;
}

/* As the log tells an import of a file, with the digest of the values instead of a file's. */
static int write_log(const struct okno_import_env *env, const struct okno_import_job *job,
                     const char *const *texts, bool added, struct okno_err *err)
{
    char author[OKNO_PSEUDONYM_TEXT];
    char sha256[OKNO_SHA256_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES];
    struct okno_hash hash;
    const struct okno_ledger_entry entry = {
        .kind = "import", .subject = env->import, .at_us = env->now_us};
    int rc = okno_ledger_pseudonym(env->db, 'R', job->author, author, err);
    if (rc < 0)
        return rc;
    okno_hash_start(&hash);
    for (size_t i = 0; i < job->kind->field_count; i++)
        okno_hash_add(&hash, texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) + 1 : 1);
    okno_hash_end(&hash, digest);
    okno_autojson json_t *json =
        json_pack("{s:I, s:s, s:s, s:s, s:i, s:i, s:i, s:i}", "import", (json_int_t)env->import,
                  "of", job->kind->kind, "author", author, "sha256", okno_hash_hex(digest, sha256),
                  "read", 1, "added", (int)added, "duplicate", (int)!added, "rejected", 0);
    return json ? okno_ledger_append(env->db, &entry, json, NULL, err)
                : okno_fail(err, OKNO_NO_MEMORY, "no memory for the log");
}

static int store_row(const struct okno_import_job *job, struct okno_import_env *env,
                     const char *source, const char *const *texts, enum okno_stored *ret_stored,
                     struct okno_err *err)
{
    struct okno_value values[OKNO_RECORD_FIELDS_MAX] = {0};
    void *ctx = NULL;
    int rc = check_values(job, texts, values, err);
    if (rc == 0)
        rc = OKNO_DB_INT(job->db, "registry.add_import", 0, &env->import, err,
                         OKNO_INT("at", env->now_us), OKNO_TEXT("author", job->author),
                         OKNO_TEXT("kind", job->kind->kind), OKNO_TEXT("source", source));
    if (rc == 0 && job->kind->start)
        rc = job->kind->start(env, &ctx, err);
    if (rc == 0)
        rc = job->kind->store(env, ctx, values, ret_stored, err);
    if (rc == 0 && job->kind->batch)
        rc = job->kind->batch(env, ctx, err);
    if (ctx && job->kind->stop)
        job->kind->stop(ctx);
    if (rc == 0)
        rc = OKNO_DB_RUN(
            job->db, "registry.count_import", NULL, err, OKNO_INT("import", env->import),
            OKNO_INT("read", 1), OKNO_INT("added", *ret_stored == OKNO_STORED_ADDED),
            OKNO_INT("duplicate", *ret_stored != OKNO_STORED_ADDED), OKNO_INT("rejected", 0));
    return rc < 0 ? rc : write_log(env, job, texts, *ret_stored == OKNO_STORED_ADDED, err);
}

int okno_import_row(const struct okno_import_job *job, const char *source, const char *const *texts,
                    enum okno_stored *ret_stored, struct okno_err *err)
{
    struct okno_import_env env = {.db = job->db, .conf = job->conf, .now_us = okno_time_now()};
    enum okno_stored stored = OKNO_STORED_DUPLICATE;
    int rc = okno_db_begin(job->db, err);
    if (rc < 0)
        return rc;
    rc = store_row(job, &env, source, texts, &stored, err);
    if (rc == 0)
        rc = okno_db_commit(job->db, err);
    else
        okno_db_rollback(job->db);
    if (rc == 0)
        *ret_stored = stored;
    return rc;
}

#define _POSIX_C_SOURCE 200809L
#include "okno/import.h"

#include "okno/buf.h"
#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/record.h"
#include "okno/time.h"

#include <string.h>

enum {
    BATCH_ROWS = 1000,
    BATCH_BYTES = 1 << 20, /* of text; a row more may stand in it */
    NO_TEXT = -1
};

/* Rows read and not yet written: reading may wait for a pipe, and the one writer's lock must not be
 * held meanwhile. */
struct row {
    int64_t line;
    int code;                        /* 0, or the row could not be read... */
    long reason;                     /* ...because */
    long at[OKNO_RECORD_FIELDS_MAX]; /* place of each value in the batch's text */
};

struct batch {
    struct row rows[BATCH_ROWS];
    size_t count;
    struct okno_buf text;
};

static void batch_free(struct batch *batch)
{
    if (batch)
        okno_buf_free(&batch->text);
    free(batch);
}
OKNO_CLEANUP(batch, batch_free);

/* One call of okno_import_file. */
struct run {
    const struct okno_import_job *job;
    const char *path;
    struct okno_import_env env;
    void *ctx; /* the sink's state */
    bool started;
    struct okno_import_result next;   /* with the batch being written */
    struct okno_import_result before; /* of the files before this one */
    const char *sha256;               /* of the file, with its last batch; else NULL */
};

/* A failure of the machine, not of the row: the import ends. */
static bool ends_import(int code)
{
    switch (code) {
    case OKNO_FAILED:
    case OKNO_NO_MEMORY:
    case OKNO_IO:
    case OKNO_NO_SPACE:
    case OKNO_DATABASE:
    case OKNO_BUSY:
    case OKNO_TIMEOUT:
    case OKNO_CANCELLED:
        return true;
    default:
        return false;
    }
}

/* --- reading */

static int keep_text(struct batch *batch, const char *text, long *ret_at, struct okno_err *err)
{
    *ret_at = text ? (long)batch->text.len : NO_TEXT;
    return text ? okno_buf_add(&batch->text, text, strlen(text) + 1, err) : 0;
}

static int keep_row(struct batch *batch, const struct okno_record *record, size_t fields,
                    struct okno_err *err)
{
    struct row *row = &batch->rows[batch->count++];
    row->line = record->line;
    row->code = record->err.code;
    int rc = keep_text(batch, record->err.text, &row->reason, err);
    for (size_t i = 0; rc == 0 && i < fields; i++)
        rc = keep_text(batch, record->values[i], &row->at[i], err);
    return rc;
}

/* 1: the batch is full; 0: the file's end was reached. */
static int read_batch(struct okno_record_reader *reader, size_t fields, struct batch *batch,
                      struct okno_err *err)
{
    struct okno_record record;
    batch->count = 0;
    okno_buf_reset(&batch->text);
    while (batch->count < BATCH_ROWS && batch->text.len < BATCH_BYTES) {
        int rc = okno_record_next(reader, &record, err);
        if (rc == 1)
            rc = keep_row(batch, &record, fields, err) < 0 ? OKNO_NO_MEMORY : 1;
        if (rc <= 0)
            return rc;
    }
    return 1;
}

/* --- writing */

/* What every dated kind needs. */
static int check_interval(const struct okno_import_kind *kind, const struct okno_value *values,
                          struct okno_err *err)
{
    const struct okno_value *from = NULL;
    const struct okno_value *to = NULL;
    for (size_t i = 0; i < kind->field_count; i++) {
        if (strcmp(kind->fields[i].name, "from") == 0)
            from = &values[i];
        if (strcmp(kind->fields[i].name, "to") == 0)
            to = &values[i];
    }
    if (!from || !to || !from->text || !to->text || from->integer < to->integer)
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "to", "to: %.40s is not after from (%.40s)", to->text,
                           from->text);
}

static int check_row(const struct run *run, const struct batch *batch, const struct row *row,
                     struct okno_value *values, struct okno_err *err)
{
    const struct okno_import_kind *kind = run->job->kind;
    const char *texts = okno_buf_text(&batch->text);
    int rc = row->code ? okno_fail(err, row->code, "%s", texts + row->reason) : 0;
    for (size_t i = 0; rc == 0 && i < kind->field_count; i++)
        rc = okno_field_check(&kind->fields[i], run->env.db,
                              row->at[i] == NO_TEXT ? NULL : texts + row->at[i], &values[i], err);
    if (rc == 0)
        rc = check_interval(kind, values, err);
    if (rc == 0 && kind->check)
        rc = kind->check(values, err);
    return rc;
}

static int store_row(const struct run *run, const struct okno_value *values,
                     enum okno_stored *ret_stored, struct okno_err *err)
{
    int rc = okno_db_savepoint(run->env.db, err);
    if (rc < 0)
        return rc;
    rc = run->job->kind->store(&run->env, run->ctx, values, ret_stored, err);
    struct okno_err end = {0};
    int ended = okno_db_savepoint_end(run->env.db, rc == 0, &end);
    if (ended < 0 && !ends_import(rc)) {
        okno_err_clear(err);
        return okno_fail(err, end.code, "%s", end.text);
    }
    return rc;
}

static int write_row(struct run *run, const struct batch *batch, const struct row *row,
                     struct okno_err *err)
{
    struct okno_value values[OKNO_RECORD_FIELDS_MAX] = {0};
    struct okno_err why = {0};
    enum okno_stored stored = OKNO_STORED_ADDED;
    int rc = check_row(run, batch, row, values, &why);
    if (rc == 0)
        rc = store_row(run, values, &stored, &why);
    if (rc < 0 && ends_import(rc))
        return okno_fail(err, rc, "%s", why.text);
    run->next.read++;
    run->next.rejected += rc < 0;
    run->next.added += rc == 0 && stored == OKNO_STORED_ADDED;
    run->next.duplicate += rc == 0 && stored == OKNO_STORED_DUPLICATE;
    if (rc < 0 && run->job->rejected)
        run->job->rejected(run->job->ctx, run->path, row->line, &why);
    return 0;
}

/* The import's own row, made with the first batch. */
static int open_import(struct run *run, struct okno_err *err)
{
    if (run->next.import == 0) {
        int rc =
            OKNO_DB_INT(run->env.db, "registry.add_import", 0, &run->next.import, err,
                        OKNO_INT("at", run->env.now_us), OKNO_TEXT("author", run->job->author),
                        OKNO_TEXT("kind", run->job->kind->kind), OKNO_TEXT("source", run->path));
        if (rc < 0)
            return rc;
    }
    run->env.import = run->next.import;
    return 0;
}

static int count_import(const struct run *run, struct okno_err *err)
{
    const struct okno_import_result *n = &run->next;
    return OKNO_DB_RUN(run->env.db, "registry.count_import", NULL, err,
                       OKNO_INT("import", n->import), OKNO_INT("read", n->read),
                       OKNO_INT("added", n->added), OKNO_INT("duplicate", n->duplicate),
                       OKNO_INT("rejected", n->rejected));
}

static int write_batch_rows(struct run *run, const struct batch *batch, struct okno_err *err)
{
    const struct okno_import_kind *kind = run->job->kind;
    int rc = open_import(run, err);
    if (rc == 0 && kind->start && !run->started)
        rc = kind->start(&run->env, &run->ctx, err);
    run->started = run->started || rc == 0;
    for (size_t i = 0; rc == 0 && i < batch->count; i++)
        rc = write_row(run, batch, &batch->rows[i], err);
    if (rc == 0 && kind->batch)
        rc = kind->batch(&run->env, run->ctx, err);
    return rc == 0 ? count_import(run, err) : rc;
}

/* One entry of the log for a file, in the transaction of its last rows. */
static int log_import(const struct run *run, struct okno_err *err)
{
    const struct okno_import_result *n = &run->next;
    const struct okno_import_result *b = &run->before;
    char author[OKNO_PSEUDONYM_TEXT];
    const struct okno_ledger_entry entry = {
        .kind = "import", .subject = n->import, .at_us = run->env.now_us};
    int rc = okno_ledger_pseudonym(run->env.db, 'R', run->job->author, author, err);
    if (rc < 0)
        return rc;
    okno_autojson json_t *json =
        json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "import", (json_int_t)n->import, "of",
                  run->job->kind->kind, "author", author, "sha256", run->sha256, "read",
                  (json_int_t)(n->read - b->read), "added", (json_int_t)(n->added - b->added),
                  "duplicate", (json_int_t)(n->duplicate - b->duplicate), "rejected",
                  (json_int_t)(n->rejected - b->rejected));
    return okno_ledger_append(run->env.db, &entry, json, NULL, err);
}

static int write_batch(struct run *run, const struct batch *batch,
                       struct okno_import_result *result, struct okno_err *err)
{
    run->next = *result;
    int rc = okno_db_begin(run->env.db, err);
    if (rc < 0)
        return rc;
    rc = write_batch_rows(run, batch, err);
    if (rc == 0 && run->sha256)
        rc = log_import(run, err);
    if (rc == 0)
        rc = okno_db_commit(run->env.db, err);
    else
        okno_db_rollback(run->env.db);
    if (rc == 0)
        *result = run->next;
    return rc;
}

static int import_rows(struct run *run, struct okno_record_reader *reader, struct batch *batch,
                       struct okno_import_result *result, struct okno_err *err)
{
    const struct okno_import_job *job = run->job;
    char sha256[OKNO_SHA256_TEXT];
    int more = 1;
    while (more > 0) {
        more = read_batch(reader, job->kind->field_count, batch, err);
        if (more < 0)
            return more;
        run->sha256 = more == 0 ? okno_record_sha256(reader, sha256) : NULL;
        int rc = write_batch(run, batch, result, err);
        if (rc < 0)
            return rc;
        if (job->progress)
            job->progress(job->ctx, result, okno_record_offset(reader), okno_record_size(reader));
    }
    return 0;
}

int okno_import_file(const struct okno_import_job *job, const char *path,
                     struct okno_import_result *result, struct okno_err *err)
{
    struct okno_record_column columns[OKNO_RECORD_FIELDS_MAX];
    struct run run = {.job = job,
                      .path = path,
                      .before = *result,
                      .env = {.db = job->db, .conf = job->conf, .now_us = okno_time_now()}};
    for (size_t i = 0; i < job->kind->field_count; i++)
        columns[i] =
            (struct okno_record_column){job->kind->fields[i].name, job->kind->fields[i].required};
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    OKNO_AUTO(batch) *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to import %s", path);
    batch->text.max = BATCH_BYTES + 2 * OKNO_RECORD_BYTES_MAX + sizeof(struct okno_err);
    int rc = okno_record_open(path, columns, job->kind->field_count, &reader, err);
    if (rc == 0)
        rc = import_rows(&run, reader, batch, result, err);
    if (run.started && job->kind->stop)
        job->kind->stop(run.ctx);
    if (rc < 0)
        okno_err_context(err, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
    return rc;
}

int okno_import_bind(const struct okno_field *fields, size_t count, const struct okno_value *values,
                     struct okno_stmt *stmt, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct okno_field *field = &fields[i];
        bool number = field->type == OKNO_FIELD_INT || field->type == OKNO_FIELD_BOOL ||
                      field->type == OKNO_FIELD_TIME;
        rc = number && values[i].text
                 ? okno_stmt_bind_int(stmt, field->name, values[i].integer, err)
                 : okno_stmt_bind_text(stmt, field->name, values[i].text, err);
    }
    return rc;
}

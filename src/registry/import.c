#define _POSIX_C_SOURCE 200809L
#include "okno/import.h"
#include "feed.h"
#include "map.h"

#include "okno/ledger.h"
#include "okno/time.h"

#include <string.h>

enum { REFS = 256 /* ids lately found to be known */ };

/* An id that the field was found to refer to. The registry forgets none. */
struct ref {
    const struct okno_field *field;
    char text[80]; /* `employee:` and an id */
};

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
    int from, to;                     /* places of the fields that bound an interval, -1: none */
    struct ref refs[REFS];            /* by hash */
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

/* What every dated kind needs. */
static int check_interval(const struct run *run, const struct okno_value *values,
                          struct okno_err *err)
{
    if (run->from < 0 || run->to < 0)
        return 0;
    const struct okno_value *from = &values[run->from];
    const struct okno_value *to = &values[run->to];
    if (!from->text || !to->text || from->integer < to->integer)
        return 0;
    return okno_fail_field(err, OKNO_INVALID, "to", "to: %.40s is not after from (%.40s)", to->text,
                           from->text);
}

static struct ref *ref_place(struct run *run, const struct okno_field *field, const char *text)
{
    uint32_t hash = 2166136261U ^ (uint32_t)(field - run->job->kind->fields); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    return &run->refs[hash % REFS];
}

/* okno_field_check that asks the database once for each id, not for each row. */
static int check_field(struct run *run, const struct okno_field *field, const char *text,
                       struct okno_value *ret_value, struct okno_err *err)
{
    bool refers = text && *text && (field->ref || field->type == OKNO_FIELD_SCOPED);
    if (!refers)
        return okno_field_check(field, run->env.db, text, ret_value, err);
    struct ref *ref = ref_place(run, field, text);
    bool known = ref->field == field && strcmp(ref->text, text) == 0;
    int rc = okno_field_check(field, known ? NULL : run->env.db, text, ret_value, err);
    if (rc == 0 && !known && strlen(text) < sizeof(ref->text)) {
        ref->field = field;
        memcpy(ref->text, text, strlen(text) + 1);
    }
    return rc;
}

static int check_row(struct run *run, const struct feed_batch *batch, size_t place,
                     struct okno_value *values, struct okno_err *err)
{
    const struct okno_import_kind *kind = run->job->kind;
    const struct feed_row *row = &batch->rows[place];
    int rc =
        row->code ? okno_fail(err, row->code, "%s", okno_buf_text(&batch->text) + row->reason) : 0;
    for (size_t i = 0; rc == 0 && i < kind->field_count; i++)
        rc = check_field(run, &kind->fields[i], feed_value(batch, place, i), &values[i], err);
    if (rc == 0)
        rc = check_interval(run, values, err);
    if (rc == 0 && kind->check)
        rc = kind->check(values, err);
    if (rc == 0 && run->job->check)
        rc = run->job->check(run->env.db, values, err);
    return rc;
}

static int store_row(const struct run *run, const struct okno_value *values,
                     enum okno_stored *ret_stored, struct okno_err *err)
{
    if (run->job->kind->at_once)
        return run->job->kind->store(&run->env, run->ctx, values, ret_stored, err);
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

static int write_row(struct run *run, const struct feed_batch *batch, size_t place,
                     struct okno_err *err)
{
    struct okno_value values[OKNO_RECORD_FIELDS_MAX]; /* the kind's fields are set, in order */
    struct okno_err why = {0};
    enum okno_stored stored = OKNO_STORED_ADDED;
    int rc = check_row(run, batch, place, values, &why);
    if (rc == 0)
        rc = store_row(run, values, &stored, &why);
    if (rc < 0 && ends_import(rc))
        return okno_fail(err, rc, "%s", why.text);
    run->next.read++;
    run->next.rejected += rc < 0;
    run->next.added += rc == 0 && stored == OKNO_STORED_ADDED;
    run->next.duplicate += rc == 0 && stored == OKNO_STORED_DUPLICATE;
    if (rc == 0 && run->job->stored)
        run->job->stored(run->job->ctx, values);
    if (rc < 0 && run->job->map && !batch->rows[place].code)
        map_explain(run->job->map, &why);
    if (rc < 0 && run->job->rejected)
        run->job->rejected(run->job->ctx, run->path, batch->rows[place].line, &why);
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

static int write_batch_rows(struct run *run, const struct feed_batch *batch, struct okno_err *err)
{
    const struct okno_import_kind *kind = run->job->kind;
    int rc = open_import(run, err);
    if (rc == 0 && kind->start && !run->started)
        rc = kind->start(&run->env, &run->ctx, err);
    run->started = run->started || rc == 0;
    for (size_t i = 0; rc == 0 && i < batch->count; i++)
        rc = write_row(run, batch, i, err);
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

static void stop_kind(struct run *run)
{
    if (run->started && run->job->kind->stop)
        run->job->kind->stop(run->ctx);
    run->started = false;
}

/* A dry run forgets a batch once it is counted: the next one begins as if it were the first. */
static void forget_batch(struct run *run)
{
    okno_db_rollback(run->env.db);
    stop_kind(run);
    run->next.import = 0;
}

static int write_batch(struct run *run, const struct feed_batch *batch,
                       struct okno_import_result *result, struct okno_err *err)
{
    run->next = *result;
    int rc = okno_db_begin(run->env.db, err);
    if (rc < 0)
        return rc;
    rc = write_batch_rows(run, batch, err);
    if (rc == 0 && run->job->dry_run) {
        forget_batch(run);
    } else {
        if (rc == 0 && run->sha256)
            rc = log_import(run, err);
        if (rc == 0)
            rc = okno_db_commit(run->env.db, err);
        else
            okno_db_rollback(run->env.db);
    }
    if (rc == 0)
        *result = run->next;
    return rc;
}

static int import_rows(struct run *run, struct feed *feed, int64_t size,
                       struct okno_import_result *result, struct okno_err *err)
{
    const struct okno_import_job *job = run->job;
    struct feed_batch *batch = NULL;
    int rc = 0;
    while (rc == 0 && !(batch && batch->last)) {
        rc = feed_next(feed, &batch, err);
        if (rc < 0)
            return rc;
        run->sha256 = batch->last ? batch->sha256 : NULL;
        rc = write_batch(run, batch, result, err);
        if (rc == 0 && job->progress)
            job->progress(job->ctx, result, batch->offset, size);
    }
    return rc;
}

static int next_record(void *ctx, struct okno_record *ret_record, struct okno_err *err)
{
    return okno_record_next(ctx, ret_record, err);
}

static int import_from(struct run *run, struct okno_record_reader *reader,
                       struct okno_import_result *result, struct okno_err *err)
{
    OKNO_AUTO(feed) *feed = NULL;
    struct okno_map *map = run->job->map;
    const struct feed_source source = {.next = map ? map_next : next_record,
                                       .ctx = map ? (void *)map : (void *)reader,
                                       .reader = reader,
                                       .fields = run->job->kind->field_count};
    int rc = map ? map_start(map, run->env.db, reader, err) : 0;
    if (rc == 0)
        rc = feed_open(&source, &feed, err);
    if (rc == 0)
        rc = import_rows(run, feed, okno_record_size(reader), result, err);
    feed_close(okno_mem_take(&feed)); /* its thread counts what the map leaves out */
    if (map)
        result->skipped += map->skipped;
    return rc;
}

static int open_file(const struct okno_import_job *job, const char *path,
                     struct okno_record_column *columns, struct okno_record_reader **ret_reader,
                     struct okno_err *err)
{
    const struct okno_import_kind *kind = job->kind;
    if (job->map)
        return okno_record_open_table(path, &job->map->format, ret_reader, err);
    for (size_t i = 0; i < kind->field_count; i++)
        columns[i] = (struct okno_record_column){kind->fields[i].name, kind->fields[i].required,
                                                 kind->fields[i].unless};
    return okno_record_open(path, columns, kind->field_count, ret_reader, err);
}

static int field_place(const struct okno_import_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (strcmp(kind->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

int okno_import_file(const struct okno_import_job *job, const char *path,
                     struct okno_import_result *result, struct okno_err *err)
{
    struct okno_record_column columns[OKNO_RECORD_FIELDS_MAX];
    struct run run = {.job = job,
                      .path = path,
                      .before = *result,
                      .from = field_place(job->kind, "from"),
                      .to = field_place(job->kind, "to"),
                      .env = {.db = job->db, .conf = job->conf, .now_us = okno_time_now()}};
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    int rc = open_file(job, path, columns, &reader, err);
    if (rc == 0)
        rc = import_from(&run, reader, result, err);
    stop_kind(&run);
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

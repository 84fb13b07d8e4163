#include "okno/past.h"

#include <stdio.h>

static const char *const tables[] = {
#define PAST_NAME(table) #table,
    OKNO_PAST_TABLES(PAST_NAME)
#undef PAST_NAME
};

int okno_past_mark(struct okno_db *db, int64_t now_us, struct okno_past *ret_past,
                   struct okno_err *err)
{
    struct okno_past past = {.at_us = now_us, .known_us = INT64_MAX};
    int64_t arrived_us = 0;
    char name[64];
    int rc = okno_db_int(db, "past.newest_arrival", NULL, 0, 0, &arrived_us, err);
    if (arrived_us > past.at_us) /* the clock went back */
        past.at_us = arrived_us;
    for (size_t i = 0; rc == 0 && i < OKNO_PAST_TABLE_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "past.newest_%s", tables[i]);
        rc = okno_db_int(db, name, NULL, 0, 0, &past.newest[i], err);
    }
    if (rc == 0)
        rc = OKNO_DB_RUN(db, "past.set_fence", NULL, err, OKNO_INT("at", past.at_us));
    if (rc == 0)
        *ret_past = past;
    return rc;
}

struct okno_past okno_past_at(int64_t at_us)
{
    struct okno_past past = {.at_us = at_us, .known_us = at_us};
    for (size_t i = 0; i < OKNO_PAST_TABLE_COUNT; i++)
        past.newest[i] = INT64_MAX;
    return past;
}

json_t *okno_past_json(const struct okno_past *past)
{
    json_t *newest = json_object();
    for (size_t i = 0; i < OKNO_PAST_TABLE_COUNT; i++)
        (void)json_object_set_new(newest, tables[i], json_integer(past->newest[i]));
    return json_pack("{s:I, s:o}", "at", (json_int_t)past->at_us, "newest", newest);
}

int okno_past_parse(const char *text, struct okno_past *ret_past, struct okno_err *err)
{
    okno_autojson json_t *json = json_loads(text, 0, NULL);
    const json_t *newest = json_object_get(json, "newest");
    struct okno_past past = {.at_us = json_integer_value(json_object_get(json, "at")),
                             .known_us = INT64_MAX};
    if (!json_is_integer(json_object_get(json, "at")) || !json_is_object(newest))
        return okno_fail(err, OKNO_MALFORMED, "the marks of a data version are broken");
    for (size_t i = 0; i < OKNO_PAST_TABLE_COUNT; i++)
        past.newest[i] = json_integer_value(json_object_get(newest, tables[i]));
    *ret_past = past;
    return 0;
}

/* No transaction around it: that would lock the other database against writers, and what is copied
 * does not change. */
static int copy_tables(struct okno_db *then, const struct okno_past *past, struct okno_err *err)
{
    char name[64];
    int rc = okno_db_run(then, "past.copy_imports", NULL, 0, NULL, err);
    for (size_t i = 0; rc == 0 && i < OKNO_PAST_TABLE_COUNT; i++) {
        bool audited = i == OKNO_PAST_escalations; /* the first that belongs to an audit */
        if (audited)
            rc = OKNO_DB_RUN(then, "past.copy_audits", NULL, err,
                             OKNO_INT("newest", past->newest[OKNO_PAST_audit_steps]),
                             OKNO_INT("at", past->known_us));
        (void)snprintf(name, sizeof(name), "past.copy_%s", tables[i]);
        if (rc == 0)
            rc = OKNO_DB_RUN(then, name, NULL, err, OKNO_INT("newest", past->newest[i]),
                             OKNO_INT("at", past->known_us));
    }
    if (rc == 0)
        rc = okno_db_run(then, "past.copy_frames", NULL, 0, NULL, err);
    if (rc == 0)
        rc = okno_db_run(then, "past.copy_samples", NULL, 0, NULL, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(then, "past.copy_events", NULL, err, OKNO_INT("at", past->at_us));
    return rc < 0 ? rc : okno_db_run(then, "past.make_runs", NULL, 0, NULL, err);
}

int okno_past_open(struct okno_db *db, const struct okno_past *past,
                   const struct okno_survey_params *params, struct okno_db **ret_then,
                   struct okno_err *err)
{
    OKNO_AUTO(okno_db) *then = NULL;
    struct okno_survey_refreshed counts;
    char path[1100];
    if (!okno_db_dir(db)[0])
        return okno_fail(err, OKNO_UNSUPPORTED, "a database in memory has no past");
    (void)snprintf(path, sizeof(path), "%s/okno.db", okno_db_dir(db));
    int rc = okno_db_open_temporary(&then, err);
    if (rc == 0)
        rc = OKNO_DB_RUN(then, "past.attach", NULL, err, OKNO_TEXT("path", path));
    if (rc == 0)
        rc = copy_tables(then, past, err);
    if (rc == 0)
        rc = okno_db_run(then, "past.detach", NULL, 0, NULL, err);
    if (rc == 0)
        rc = okno_survey_refresh(then, params, past->at_us, &counts, err);
    if (rc < 0) {
        okno_err_context(err, "as of then");
        return rc;
    }
    *ret_then = okno_mem_take(&then);
    return 0;
}

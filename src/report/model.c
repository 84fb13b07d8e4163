/* The model of a report: what an audit asked, did and found, gathered once for every format. */
#include "model.h"

#include "okno/ledger.h"
#include "okno/mem.h"
#include "okno/reasons.h"
#include "okno/time.h"

#include <math.h>
#include <string.h>

json_t *model_number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

/* ---- rows ---- */

static json_t *stored_json(struct okno_stmt *row, const char *column)
{
    const char *text = okno_stmt_text(row, column);
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return json ? json : json_null();
}

/* A person by pseudonym, kept under "reviewer". */
static int add_person(const struct model *model, struct okno_stmt *row, const char *column,
                      json_t *to, struct okno_err *err)
{
    char name[OKNO_PSEUDONYM_TEXT];
    const char *person = okno_stmt_text(row, column);
    int rc = okno_ledger_pseudonym(model->db, 'R', person ? person : "", name, err);
    if (rc == 0 && json_object_set_new(to, "reviewer", json_string(name)) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    return rc;
}

static json_t *cell(struct okno_stmt *row, const char *column, char mark)
{
    if (okno_stmt_is_null(row, column))
        return json_null();
    switch (mark) {
    case '#':
        return json_integer(okno_stmt_int(row, column));
    case '@':
        return okno_json_time(okno_stmt_int(row, column));
    case '%':
        return model_number(okno_stmt_real(row, column));
    case '?':
        return json_boolean(okno_stmt_int(row, column) != 0);
    case '{':
        return stored_json(row, column);
    default:
        return okno_json_text(okno_stmt_text(row, column));
    }
}

static int add_row(const struct model *model, struct okno_stmt *row, const char *spec, json_t *rows,
                   struct okno_err *err)
{
    json_t *object = json_object();
    int rc = json_array_append_new(rows, object);
    for (const char *at = spec; rc == 0 && *at;) {
        char column[64];
        size_t len = strcspn(at, " ");
        char mark = at[len - 1];
        bool marked = strchr("#@%?{R", mark) != NULL;
        (void)snprintf(column, sizeof(column), "%.*s", (int)(marked ? len - 1 : len), at);
        if (mark == 'R')
            rc = add_person(model, row, column, object, err);
        else
            rc = json_object_set_new(object, column, cell(row, column, marked ? mark : 0));
        at += len + strspn(at + len, " ");
    }
    return rc == 0 ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

int model_rows(const struct model *model, const char *name, const struct okno_bind *binds,
               size_t count, const char *spec, json_t **ret_rows, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *rows = json_array();
    int rc = okno_db_prepare(model->db, name, binds, count, &stmt, err);
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1)
        rc = add_row(model, stmt, spec, rows, err);
    if (rc < 0)
        return rc;
    *ret_rows = json_incref(rows);
    return 0;
}

int model_list(const struct model *model, json_t *into, const char *key, const char *name,
               const char *spec, bool max, struct okno_err *err)
{
    json_t *rows = NULL;
    const struct okno_bind binds[] = {OKNO_TEXT("audit", model->settings->audit),
                                      OKNO_INT("max", MODEL_ROWS_MAX)};
    int rc = model_rows(model, name, binds, max ? 2 : 1, spec, &rows, err);
    if (rc == 0 && json_object_set_new(into, key, rows) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    return rc;
}

/* ---- the audit itself ---- */

static int read_audit(struct model *model, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    const char *audit = model->settings->audit;
    int rc = OKNO_DB_PREPARE(model->db, "report.audit", &row, err, OKNO_TEXT("audit", audit));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no audit %.64s: see `okno audit list`",
                         audit);
    if (rc < 0)
        return rc;
    model->from_us = okno_stmt_int(row, "period_from");
    model->to_us = okno_stmt_int(row, "period_to");
    model->plan = stored_json(row, "plan");
    json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o}", "audit", audit, "title",
                             okno_stmt_text(row, "title"), "state", okno_stmt_text(row, "state"),
                             "period_from", okno_json_time(model->from_us), "period_to",
                             okno_json_time(model->to_us), "planned_at",
                             okno_json_time(okno_stmt_int(row, "created_at")), "planned_by",
                             okno_stmt_text(row, "created_by"), "repeats",
                             json_incref(json_object_get(model->plan, "repeats")
                                             ? json_object_get(model->plan, "repeats")
                                             : json_null()));
    if (!json || json_object_set_new(model->root, "audit", json) < 0 ||
        json_object_set(model->root, "plan", model->plan) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    return 0;
}

static int read_steps(struct model *model, struct okno_err *err)
{
    int rc = model_list(model, model->root, "steps", "report.steps",
                        "step at@ author detail{ entry#", false, err);
    int64_t last_us = 0;
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(model->root, "steps"), i, step)
    {
        int64_t at_us = 0;
        if (rc == 0)
            rc = okno_time_parse(json_string_value(json_object_get(step, "at")), &at_us, err);
        if (strcmp(json_string_value(json_object_get(step, "step")), "freeze") == 0)
            model->frozen_us = at_us;
        last_us = at_us;
    }
    if (model->at_us < 0) /* a draft: as of its last step */
        model->at_us = last_us;
    return rc;
}

/* What is judged by: the list of reasons as it is now, and what the gates ask for. */
static int add_criteria(struct model *model, struct okno_err *err)
{
    size_t len = 0;
    const char *text = okno_reasons_json(&len);
    json_t *reasons = json_loadb(text, len, 0, NULL);
    const struct okno_report_settings *s = model->settings;
    const char *planned = json_string_value(json_object_get(model->plan, "undeterminable_limit"));
    double limit = s->undeterminable_limit > 0 ? s->undeterminable_limit : 0.10;
    if (planned)
        limit = strtod(planned, NULL);
    json_t *json = json_pack("{s:o, s:o, s:o, s:I}", "reasons", reasons, "fm_threshold",
                             model_number(s->fm_threshold), "undeterminable_limit",
                             model_number(limit), "min_n", (json_int_t)s->min_n);
    if (!json || json_object_set_new(model->root, "criteria", json) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    return 0;
}

static int add_head(struct model *model, struct okno_err *err)
{
    json_t *root = model->root;
    int rc = json_object_set_new(root, "schema", json_string("okno-report-1"));
    rc |= json_object_set_new(root, "edition", json_integer(0));
    rc |= json_object_set_new(root, "public", json_false());
    rc |= json_object_set_new(root, "software", json_string("okno " OKNO_VERSION));
    rc |= json_object_set_new(root, "opinion", json_object());
    return rc == 0 ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

static int (*const parts[])(struct model *model, struct okno_err *err) = {
    add_head,        read_audit,     read_steps,      add_criteria,  model_frame, model_proof,
    model_execution, model_findings, model_agreement, model_figures, model_asked, model_genuine};

static int gather(struct model *model, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(parts); i++)
        rc = parts[i](model, err);
    if (rc == 0 && json_object_set_new(model->root, "at", okno_json_time(model->at_us)) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    return rc == 0 ? model_limits(model->root, err) : rc;
}

int model_gather(struct okno_db *db, const struct okno_report_settings *settings, int64_t at_us,
                 json_t **ret_model, struct okno_err *err)
{
    bool began = false;
    struct model model = {.db = db,
                          .settings = settings,
                          .at_us = at_us,
                          .frozen_us = INT64_MAX,
                          .root = json_object()};
    int rc = okno_db_read_begin(db, &began, err);
    if (rc == 0)
        rc = gather(&model, err);
    okno_db_read_end(db, began);
    json_decref(model.plan);
    if (rc == 0)
        *ret_model = json_incref(model.root);
    json_decref(model.root);
    return rc;
}

int okno_report_draft(struct okno_db *db, const struct okno_report_settings *settings,
                      json_t **ret_model, struct okno_err *err)
{
    return model_gather(db, settings, -1, ret_model, err);
}

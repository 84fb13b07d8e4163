/* What was found, how much the experts agree, and the figures. */
#include "model.h"

#include "okno/audit.h"
#include "okno/double.h"
#include "okno/figures.h"
#include "okno/kpi.h"
#include "okno/mem.h"

#include <stdlib.h>

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

/* ---- findings ---- */

static int list_decided(const struct model *model, json_t *findings, const char *key,
                        const char *verdict, struct okno_err *err)
{
    json_t *rows = NULL;
    int rc = MODEL_ROWS(model, "report.decided",
                        "survey stratum rank# class reason userR at@ watched{ comment video entry#",
                        &rows, err, OKNO_TEXT("audit", model->settings->audit),
                        OKNO_TEXT("verdict", verdict), OKNO_INT("max", MODEL_ROWS_MAX));
    return rc == 0 && json_object_set_new(findings, key, rows) < 0 ? no_memory(err) : rc;
}

static double planned(const struct model *model, const char *name, double fallback)
{
    const json_t *value = json_object_get(model->plan, name);
    if (json_is_string(value))
        return strtod(json_string_value(value), NULL);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

static int add_share(const struct model *model, json_t *findings, struct okno_err *err)
{
    struct okno_invalid_share share;
    int rc = okno_audit_invalid(model->db, model->settings->audit, &share, err);
    if (rc == 0 &&
        json_object_set_new(findings, "invalid_share", okno_audit_invalid_json(&share)) < 0)
        rc = no_memory(err);
    return rc;
}

int model_findings(struct model *model, struct okno_err *err)
{
    json_t *findings = json_object();
    if (json_object_set_new(model->root, "findings", findings) < 0)
        return no_memory(err);
    int rc = model_list(model, findings, "by_reason", "report.found", "verdict reason surveys#",
                        false, err);
    if (rc == 0)
        rc = list_decided(model, findings, "exclusions", "invalid", err);
    if (rc == 0)
        rc = list_decided(model, findings, "undeterminable", "undeterminable", err);
    if (rc == 0)
        rc = model_list(model, findings, "causes", "report.causes", "state reason surveys#", false,
                        err);
    if (rc == 0)
        rc = model_list(model, findings, "appeals", "report.appeals", "asks outcome appeals#",
                        false, err);
    if (rc == 0)
        rc = model_list(model, findings, "escalations", "report.escalations",
                        "rule state scopes# reviewed# invalid#", false, err);
    return rc == 0 ? add_share(model, findings, err) : rc;
}

/* ---- agreement ---- */

int model_agreement(struct model *model, struct okno_err *err)
{
    json_t *agreement = NULL;
    json_t *doubles = NULL;
    const char *audit = model->settings->audit;
    int rc = okno_audit_doubles(model->db, audit, &doubles, err);
    if (rc == 0 && json_object_set_new(model->root, "agreement", doubles) < 0)
        rc = no_memory(err);
    if (rc == 0)
        rc = okno_audit_agreement(model->db, audit, &agreement, err);
    if (rc == 0 && json_object_set_new(doubles, "measured", agreement) < 0)
        rc = no_memory(err);
    return rc;
}

/* ---- figures ---- */

int model_figures(struct model *model, struct okno_err *err)
{
    const struct okno_report_settings *s = model->settings;
    struct okno_figures_query query = {.from_us = model->from_us,
                                       .to_us = model->to_us,
                                       .audit = s->audit,
                                       .k = planned(model, "k", 0.5),
                                       .fm_threshold = s->fm_threshold,
                                       .undeterminable_limit = s->undeterminable_limit,
                                       .min_n = s->min_n};
    json_t *total = NULL;
    json_t *sites = NULL;
    int rc = okno_figures_json(model->db, &query, model->at_us, &total, err);
    if (rc == 0 && json_object_set_new(model->root, "total", total) < 0)
        rc = no_memory(err);
    query.by = OKNO_BY_SITE;
    if (rc == 0)
        rc = okno_figures_json(model->db, &query, model->at_us, &sites, err);
    if (rc == 0 && json_object_set_new(model->root, "by_site", sites) < 0)
        rc = no_memory(err);
    return rc;
}

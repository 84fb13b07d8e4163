/* Of a frame of spontaneous ratings: how many of those that were pressed are genuine, in all and by
 * site. The indices are per customer served, and null where nobody counted these. */
#include "model.h"

#include "okno/audit.h"
#include "okno/mem.h"

#include <string.h>

static const struct {
    const char *class;
    enum okno_indicator indicator;
} answers[] = {{"yes", OKNO_SUPPORT_INDEX}, {"no", OKNO_CRITICALITY_INDEX}};

static json_t *row_json(const char *site, const char *class, const struct okno_audit_figure *figure)
{
    const struct okno_estimate *e = &figure->estimate;
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:[o, o], s:b}", "site",
                     okno_json_text(site), "class", class, "null_reason",
                     okno_json_text(e->null_reason), "value", model_number(e->value), "low",
                     model_number(e->low), "high", model_number(e->high), "se", model_number(e->se),
                     "worst", model_number(e->worst_low), model_number(e->worst_high), "too_wide",
                     (int)figure->too_wide);
}

static int add_rows(const struct model *model, const char *site, json_t *rows, struct okno_err *err)
{
    const struct okno_audit_domain domain = {.site = site};
    for (size_t i = 0; i < OKNO_COUNT(answers); i++) {
        struct okno_audit_figure figure;
        int rc = okno_audit_estimate(model->db, model->settings->audit, answers[i].indicator,
                                     &domain, 0, &figure, err);
        if (rc < 0)
            return rc;
        if (json_array_append_new(rows, row_json(site, answers[i].class, &figure)) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    }
    return 0;
}

int model_genuine(struct model *model, struct okno_err *err)
{
    okno_autojson json_t *sites = NULL;
    json_t *rows = json_array();
    size_t i;
    json_t *one;
    const struct okno_bind binds[] = {OKNO_TEXT("audit", model->settings->audit)};
    const char *frame = json_string_value(json_object_get(model->plan, "frame"));
    if (json_object_set_new(model->root, "genuine", rows) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    if (!frame || strcmp(frame, okno_frame_name(OKNO_FRAME_SPONTANEOUS)) != 0)
        return 0;
    int rc = model_rows(model, "report.frame_sites", binds, 1, "site", &sites, err);
    if (rc == 0)
        rc = add_rows(model, NULL, rows, err);
    json_array_foreach(sites, i, one)
    {
        if (rc == 0)
            rc = add_rows(model, json_string_value(json_object_get(one, "site")), rows, err);
    }
    return rc;
}

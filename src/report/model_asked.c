/* Of a frame of sales or minutes: how many customers were never asked, in all and by site. */
#include "model.h"

#include "okno/audit.h"
#include "okno/mem.h"

#include <string.h>

static json_t *row_json(const char *site, const struct okno_audit_figure *figure,
                        const struct okno_asked_counts *s)
{
    const struct okno_estimate *e = &figure->estimate;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:[o, o], s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "site",
        okno_json_text(site), "null_reason", okno_json_text(e->null_reason), "value",
        model_number(e->value), "low", model_number(e->low), "high", model_number(e->high), "se",
        model_number(e->se), "worst", model_number(e->worst_low), model_number(e->worst_high),
        "too_wide", (int)figure->too_wide, "frame", (json_int_t)s->frame, "asked",
        (json_int_t)s->asked, "not_asked", (json_int_t)s->not_asked, "no_customer",
        (json_int_t)s->no_customer, "undeterminable", (json_int_t)s->undeterminable,
        "survey_not_asked", (json_int_t)s->survey_not_asked, "asked_no_survey",
        (json_int_t)s->asked_no_survey);
}

static int add_row(const struct model *model, const char *site, json_t *rows, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_tally_vec) tallies = {0};
    struct okno_audit_figure figure;
    const struct okno_audit_domain domain = {.site = site};
    const char *audit = model->settings->audit;
    int rc = okno_audit_asked(model->db, audit, &domain, &figure, err);
    if (rc == 0)
        rc = okno_audit_tallies(model->db, audit, OKNO_RESPONSE_RATE, &domain, &tallies, err);
    if (rc < 0)
        return rc;
    const struct okno_asked_counts s = okno_audit_asked_counts(tallies.items, tallies.len);
    return json_array_append_new(rows, row_json(site, &figure, &s)) == 0
               ? 0
               : okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
}

int model_asked(struct model *model, struct okno_err *err)
{
    okno_autojson json_t *sites = NULL;
    json_t *rows = json_array();
    size_t i;
    json_t *one;
    const struct okno_bind binds[] = {OKNO_TEXT("audit", model->settings->audit)};
    int frame = okno_frame_find(json_string_value(json_object_get(model->plan, "frame")));
    if (json_object_set_new(model->root, "asked", rows) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    if (frame < 0 || !okno_frame_is_visits((enum okno_frame)frame))
        return 0;
    int rc = model_rows(model, "report.frame_sites", binds, 1, "site", &sites, err);
    if (rc == 0)
        rc = add_row(model, NULL, rows, err);
    json_array_foreach(sites, i, one)
    {
        if (rc == 0)
            rc = add_row(model, json_string_value(json_object_get(one, "site")), rows, err);
    }
    return rc;
}

#define _POSIX_C_SOURCE 200809L
/* Closed pay periods as tables for payroll programs. */
#include "okno/kpi.h"
#include "okno/mem.h"
#include "okno/period.h"

#include <string.h>

static int add_number(struct okno_buf *csv, const json_t *value, struct okno_err *err)
{
    if (json_is_integer(value))
        return okno_buf_printf(csv, err, ",%lld", json_integer_value(value));
    return json_is_number(value) ? okno_buf_printf(csv, err, ",%.9f", json_number_value(value))
                                 : okno_buf_add_text(csv, ",", err);
}

static int add_titles(struct okno_buf *csv, struct okno_err *err)
{
    int rc = okno_buf_add_text(csv, "employee,name,state,n,undeterminable,adjustments", err);
    for (int i = 0; rc == 0 && i < OKNO_INDICATOR_COUNT; i++) {
        const char *id = okno_indicator_id((enum okno_indicator)i);
        rc = okno_buf_printf(csv, err, ",%s_raw,%s_excluded", id, id);
    }
    return rc < 0 ? rc : okno_buf_add_text(csv, ",reasons\n", err);
}

/* Words with one space between. */
static int add_reasons(struct okno_buf *csv, const json_t *reasons, struct okno_err *err)
{
    size_t i;
    json_t *one;
    int rc = okno_buf_add_text(csv, ",", err);
    json_array_foreach(reasons, i, one)
    {
        if (rc == 0)
            rc = okno_buf_printf(csv, err, "%s%s", i ? " " : "", json_string_value(one));
    }
    return rc;
}

static int add_line(struct okno_buf *csv, const json_t *s, struct okno_err *err)
{
    static const char *const texts[] = {"employee", "name", "state"};
    const json_t *counts = json_object_get(s, "counts");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(texts); i++) {
        const char *text = json_string_value(json_object_get(s, texts[i]));
        if (i > 0)
            rc = okno_buf_add_text(csv, ",", err);
        if (rc == 0)
            rc = okno_buf_add_csv_quoted(csv, text ? text : "", err);
    }
    if (rc == 0)
        rc = add_number(csv, json_object_get(counts, "n"), err);
    if (rc == 0)
        rc = add_number(csv, json_object_get(counts, "undeterminable"), err);
    if (rc == 0)
        rc = okno_buf_printf(csv, err, ",%zu", json_array_size(json_object_get(s, "adjustments")));
    for (int i = 0; rc == 0 && i < OKNO_INDICATOR_COUNT; i++) {
        const json_t *one = json_object_get(json_object_get(s, "indicators"),
                                            okno_indicator_id((enum okno_indicator)i));
        rc = add_number(csv, json_object_get(one, "raw"), err);
        if (rc == 0)
            rc = add_number(csv, json_object_get(one, "excluded"), err);
    }
    if (rc == 0)
        rc = add_reasons(csv, json_object_get(s, "reasons"), err);
    return rc < 0 ? rc : okno_buf_add_text(csv, "\n", err);
}

int okno_period_csv(struct okno_db *db, int64_t period, struct okno_buf *csv, struct okno_err *err)
{
    okno_autojson json_t *json = NULL;
    size_t i;
    json_t *statement;
    int rc = okno_period_get(db, period, &json, err);
    if (rc == 0)
        rc = add_titles(csv, err);
    json_array_foreach(json_object_get(json, "statements"), i, statement)
    {
        if (rc == 0)
            rc = add_line(csv, statement, err);
    }
    return rc;
}

/* ---- adjustments ---- */

static int add_causes(struct okno_buf *csv, const json_t *causes, struct okno_err *err)
{
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(1 << 20);
    size_t i;
    json_t *cause;
    int rc = 0;
    json_array_foreach(causes, i, cause)
    {
        const char *survey = json_string_value(json_object_get(cause, "survey"));
        if (rc == 0)
            rc = okno_buf_printf(&text, err, "%s%s%s%s", i ? "; " : "",
                                 json_string_value(json_object_get(cause, "cause")),
                                 survey ? " " : "", survey ? survey : "");
    }
    return rc < 0 ? rc : okno_buf_add_csv_quoted(csv, okno_buf_text(&text), err);
}

static int add_adjustment(struct okno_buf *csv, const json_t *one, struct okno_err *err)
{
    const json_t *change = json_object_get(one, "difference");
    int rc = okno_buf_add_csv_quoted(csv, json_string_value(json_object_get(one, "employee")), err);
    if (rc == 0)
        rc = add_number(csv, json_object_get(one, "of_period"), err);
    if (rc == 0)
        rc = add_number(csv, json_object_get(one, "carried_by"), err);
    if (rc == 0)
        rc = add_number(csv, json_object_get(change, "n"), err);
    for (int i = 0; rc == 0 && i < OKNO_INDICATOR_COUNT; i++)
        rc = add_number(csv, json_object_get(change, okno_indicator_id((enum okno_indicator)i)),
                        err);
    if (rc == 0)
        rc = okno_buf_add_text(csv, ",", err);
    if (rc == 0)
        rc = add_causes(csv, json_object_get(one, "causes"), err);
    return rc < 0 ? rc : okno_buf_add_text(csv, "\n", err);
}

int okno_period_adjustments_csv(const json_t *adjustments, struct okno_buf *csv,
                                struct okno_err *err)
{
    size_t i;
    json_t *one;
    int rc = okno_buf_add_text(csv, "employee,of_period,carried_by,n", err);
    for (int id = 0; rc == 0 && id < OKNO_INDICATOR_COUNT; id++)
        rc = okno_buf_printf(csv, err, ",%s", okno_indicator_id((enum okno_indicator)id));
    if (rc == 0)
        rc = okno_buf_add_text(csv, ",causes\n", err);
    json_array_foreach(json_object_get(adjustments, "adjustments"), i, one)
    {
        if (rc == 0)
            rc = add_adjustment(csv, one, err);
    }
    return rc;
}

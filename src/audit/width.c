/* Whether a sample was large enough for the width that was wanted, and how much is missing. */
#include "okno/audit.h"

#include "okno/mem.h"
#include "room.h"

#include <math.h>

/* For a half-width h with n of N looked at: 1/n - 1/N shrinks with the square of the width. */
static int64_t missing_for(const struct okno_audit_figure *figure, double half, double wanted,
                           bool with_replacement)
{
    const struct okno_estimate *e = &figure->estimate;
    double n = (double)(e->reviewed + e->undeterminable);
    double frame = with_replacement ? (double)INFINITY : (double)figure->counts.frame;
    double shrink = wanted / half;
    double inverse = 1 / frame + (1 / n - 1 / frame) * shrink * shrink;
    return n > 0 ? (int64_t)ceil(1 / inverse - n - 1e-9) : 0;
}

/* `all`: what the draw is from, of which the indicator's surveys are a part. */
static int judge(const struct audit_row *row, const char *name,
                 const struct okno_audit_figure *figure, int64_t all, int64_t *more, json_t *list,
                 struct okno_err *err)
{
    if (!figure->too_wide)
        return 0;
    double half = (figure->estimate.high - figure->estimate.low) / 2;
    int64_t missing =
        missing_for(figure, half, row->max_half_width, row->sampling.with_replacement);
    missing = (int64_t)ceil((double)missing * (double)all / (double)figure->counts.frame - 1e-9);
    *more = missing > *more ? missing : *more;
    json_t *one = json_pack("{s:s, s:f, s:I}", "indicator", name, "half_width", half, "more",
                            (json_int_t)missing);
    return json_array_append_new(list, one) == 0
               ? 0
               : okno_fail(err, OKNO_NO_MEMORY, "no memory for the widths");
}

int okno_audit_widths(struct okno_db *db, const char *audit, int64_t *ret_more, json_t **ret_list,
                      struct okno_err *err)
{
    okno_autojson json_t *list = json_array();
    struct okno_audit_figure figure;
    struct audit_row row;
    int64_t more = 0;
    int64_t all = 0;
    int rc = audit_load(db, audit, &row, err);
    if (rc == 0)
        rc = OKNO_DB_INT(db, "audit.frame_size", 0, &all, err, OKNO_TEXT("audit", audit));
    for (int i = 0; rc == 0 && row.max_half_width > 0 && i < OKNO_INDICATOR_COUNT; i++) {
        enum okno_indicator indicator = (enum okno_indicator)i;
        if (!okno_audit_kind(indicator, row.frame))
            continue;
        rc = okno_audit_estimate(db, audit, indicator, NULL, row.k, &figure, err);
        if (rc == 0)
            rc = judge(&row, okno_indicator_id(indicator), &figure, all, &more, list, err);
    }
    if (rc == 0 && row.max_half_width > 0 && okno_frame_is_visits(row.frame)) {
        rc = okno_audit_asked(db, audit, NULL, &figure, err);
        if (rc == 0)
            rc = judge(&row, "never_asked", &figure, all, &more, list, err);
    }
    if (rc < 0)
        return rc;
    *ret_more = more;
    *ret_list = json_incref(list);
    return 0;
}

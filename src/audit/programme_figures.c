/* Figures over the days of a programme: each day is a stratum. */
#include "programme.h"

#include "okno/mem.h"
#include "okno/time.h"
#include "room.h"

#include <math.h>
#include <string.h>

OKNO_VEC(audit_ids, struct audit_row);

static int load_audits(struct okno_db *db, const struct programme_row *row, const char *from_day,
                       const char *to_day, json_t *days, struct audit_ids *audits,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "programme.drawn_days", &rows, err,
                        OKNO_TEXT("programme", row->programme), OKNO_TEXT("from", from_day),
                        OKNO_TEXT("to", to_day), OKNO_INT("most", OKNO_PROGRAMME_DAYS_MAX + 1));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        struct audit_row one = {.looks = (int)okno_stmt_int(rows, "looks")};
        okno_stmt_copy(rows, "audit", one.audit, sizeof(one.audit));
        rc = json_array_append_new(days, json_string(okno_stmt_text(rows, "day"))) < 0 ||
                     audit_ids_push(audits, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the days")
                 : 0;
    }
    if (rc == 0 && audits->len > OKNO_PROGRAMME_DAYS_MAX)
        rc = okno_fail(err, OKNO_TOO_LARGE, "more than %d days: ask for fewer",
                       OKNO_PROGRAMME_DAYS_MAX);
    if (rc == 0 && audits->len == 0)
        rc = okno_fail(err, OKNO_NOT_FOUND, "programme %s has drawn no day of this period",
                       row->programme);
    return rc;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

static json_t *figure_json(const struct okno_audit_figure *f, double limit)
{
    const struct okno_estimate *e = &f->estimate;
    double looked = (double)(f->counts.valid + f->counts.invalid + f->counts.undeterminable);
    bool gated = looked > 0 && (double)f->counts.undeterminable / looked > limit && limit > 0;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:[o, o], s:I, s:I, s:I, s:I}", "null_reason",
        gated ? json_string("undeterminable_above_limit") : okno_json_text(e->null_reason), "value",
        gated ? json_null() : number(e->value), "low", gated ? json_null() : number(e->low), "high",
        gated ? json_null() : number(e->high), "se", gated ? json_null() : number(e->se), "worst",
        number(e->worst_low), number(e->worst_high), "frame", (json_int_t)f->counts.frame, "valid",
        (json_int_t)f->counts.valid, "invalid", (json_int_t)f->counts.invalid, "undeterminable",
        (json_int_t)f->counts.undeterminable);
}

/* Whoever combines days looks as often as at the day that is looked at most often. */
static int most_looks(const struct audit_ids *audits)
{
    int most = 1;
    for (size_t i = 0; i < audits->len; i++)
        most = audits->items[i].looks > most ? audits->items[i].looks : most;
    return most;
}

static int indicator_json(struct okno_db *db, const struct programme_row *row,
                          const struct audit_ids *audits, enum okno_indicator indicator,
                          json_t *indicators, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_tally_vec) tallies = {0};
    struct okno_audit_figure figure = {0};
    const struct okno_audit_rules rules = {
        .k = row->set.k, .level = row->set.level, .looks = most_looks(audits)};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < audits->len; i++)
        rc = okno_audit_tallies(db, audits->items[i].audit, indicator, NULL, &tallies, err);
    if (rc == 0)
        rc = okno_audit_tally_estimate(indicator, tallies.items, tallies.len, &rules, &figure, err);
    if (rc < 0)
        return rc;
    return json_object_set_new(indicators, okno_indicator_id(indicator),
                               figure_json(&figure, row->set.undeterminable_limit)) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures")
               : 0;
}

/* Both days are in the period: the same one twice is a period of one day. */
static int check_period(const char *from_day, const char *to_day, struct okno_err *err)
{
    int64_t from_us = 0;
    int64_t to_us = 0;
    int rc = from_day ? okno_date_parse(from_day, &from_us, err) : 0;
    if (rc == 0 && to_day)
        rc = okno_date_parse(to_day, &to_us, err);
    if (rc == 0 && from_day && to_day && to_us < from_us)
        rc =
            okno_fail_field(err, OKNO_INVALID, "to", "to %s lies before from %s", to_day, from_day);
    return rc;
}

int okno_programme_figures(struct okno_db *db, const char *programme, const char *from_day,
                           const char *to_day, json_t **ret_figures, struct okno_err *err)
{
    AUTO_PROGRAMME row = {0};
    OKNO_AUTO_VEC(audit_ids) audits = {0};
    okno_autojson json_t *days = json_array();
    okno_autojson json_t *indicators = json_object();
    int rc = programme_load(db, programme, INT64_MAX, &row, err);
    if (rc == 0)
        rc = check_period(from_day, to_day, err);
    if (rc == 0)
        rc = load_audits(db, &row, from_day, to_day, days, &audits, err);
    for (int i = 0; rc == 0 && i < OKNO_INDICATOR_COUNT; i++)
        if (okno_audit_kind((enum okno_indicator)i, false))
            rc = indicator_json(db, &row, &audits, (enum okno_indicator)i, indicators, err);
    if (rc < 0)
        return rc;
    size_t last = json_array_size(days) - 1;
    *ret_figures =
        json_pack("{s:s, s:O, s:O, s:I, s:o, s:o, s:i, s:O}", "programme", row.programme, "from",
                  json_array_get(days, 0), "to", json_array_get(days, last), "days",
                  (json_int_t)json_array_size(days), "k", number(row.set.k), "level",
                  number(row.set.level), "looks", most_looks(&audits), "indicators", indicators);
    return *ret_figures ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
}

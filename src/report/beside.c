#include "beside.h"

#include "okno/rows.h"
#include "okno/time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

/* ---- evidence ---- */

int beside_evidence(struct okno_db *db, const char *audit, double limit,
                    struct beside_evidence *ret_evidence, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    struct beside_evidence e = {.worst = -1};
    int rc = OKNO_DB_PREPARE(db, "figures.evidence", &row, err, OKNO_TEXT("audit", audit));
    while (rc == 0 && (rc = okno_stmt_step(row, err)) == 1) {
        int64_t reviewed = okno_stmt_int(row, "reviewed");
        int64_t open = okno_stmt_int(row, "undeterminable");
        double share = (double)open / (double)reviewed;
        e.reviewed += reviewed;
        e.undeterminable += open;
        if (share > e.worst) {
            e.worst = share;
            okno_stmt_copy(row, "site", e.site, sizeof(e.site));
        }
        rc = 0;
    }
    if (rc < 0)
        return rc;
    e.share = e.reviewed ? (double)e.undeterminable / (double)e.reviewed : 0;
    e.worst = e.worst < 0 ? 0 : e.worst;
    e.closed = e.share > limit || e.worst > limit;
    *ret_evidence = e;
    return 0;
}

json_t *beside_evidence_json(const struct beside_evidence *e, double limit)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:I}", "state",
                     e->closed ? "worst_case_only" : "evaluable", "limit", number(limit), "share",
                     number(e->share), "worst_share", number(e->worst), "worst_site",
                     okno_json_text(*e->site ? e->site : NULL), "reviewed", (json_int_t)e->reviewed,
                     "undeterminable", (json_int_t)e->undeterminable);
}

/* ---- data version ---- */

int beside_version(struct okno_db *db, json_t **ret_json, struct okno_err *err)
{
    static const char *const names[] = {"events",  "verdicts",  "voids",  "attributions",
                                        "shifts",  "questions", "sites",  "points",
                                        "devices", "clocks",    "counts", "transactions"};
    OKNO_AUTO_STMT *row = NULL;
    okno_autojson json_t *json = json_object();
    int rc = okno_db_stmt(db, "figures.version", &row, err);
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < OKNO_COUNT(names); i++)
        if (json_object_set_new(json, names[i], json_integer(okno_stmt_int(row, names[i]))) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the figures");
    *ret_json = json_incref(json);
    return 0;
}

/* ---- breaks ---- */

static json_t *break_json(struct okno_stmt *row)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "at",
                     okno_json_time(okno_stmt_int(row, "at")), "site", okno_row_text(row, "site"),
                     "point", okno_row_text(row, "point"), "what", okno_stmt_text(row, "what"),
                     "was", okno_row_text(row, "was"), "became", okno_row_text(row, "became"));
}

int beside_breaks(struct okno_db *db, int64_t from_us, int64_t to_us, json_t **ret_json,
                  struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(db, "figures.breaks", &row, err, OKNO_INT("from", from_us),
                             OKNO_INT("to", to_us));
    return rc < 0 ? rc : okno_rows_list(row, break_json, ret_json, err);
}

static bool is_of(const json_t *one, const char *name, const char *value)
{
    const char *own = json_string_value(json_object_get(one, name));
    return !value || !own || strcmp(own, value) == 0; /* k changed everywhere */
}

json_t *beside_breaks_of(const json_t *breaks, const struct okno_kpi_group *group)
{
    json_t *places = json_array();
    size_t i;
    json_t *one;
    json_array_foreach(breaks, i, one)
    {
        if (is_of(one, "point", okno_group_value(group, OKNO_BY_POINT)) &&
            is_of(one, "site", okno_group_value(group, OKNO_BY_SITE)))
            (void)json_array_append_new(places, json_integer((json_int_t)i));
    }
    return places;
}

/* ---- names ---- */

static int add_name(struct okno_db *db, const char *statement, const char *id, json_t *names,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    if (!id || !*id || json_object_get(names, id))
        return 0;
    int rc = OKNO_DB_PREPARE(db, statement, &row, err, OKNO_TEXT("id", id));
    if (rc < 0 || (rc = okno_stmt_step(row, err)) < 1)
        return rc;
    const char *name = okno_stmt_text(row, "name");
    if (*name && json_object_set_new(names, id, json_string(name)) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the names");
    return 0;
}

int beside_names(struct okno_db *db, const struct okno_group_vec *groups, json_t **ret_json,
                 struct okno_err *err)
{
    okno_autojson json_t *employees = json_object();
    okno_autojson json_t *questions = json_object();
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < groups->len; i++) {
        const struct okno_kpi_group *group = &groups->items[i];
        rc = add_name(db, "figures.name_employee", okno_group_value(group, OKNO_BY_EMPLOYEE),
                      employees, err);
        if (rc == 0)
            rc = add_name(db, "figures.name_question", okno_group_value(group, OKNO_BY_QUESTION),
                          questions, err);
    }
    if (rc == 0)
        *ret_json = json_pack("{s:O, s:O}", "employee", employees, "question", questions);
    return rc;
}

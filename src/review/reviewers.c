/* How experts decide: for each expert about the own work, for who leads them about all, by name. */
#include "okno/agreement.h"
#include "okno/gold.h"
#include "okno/mem.h"
#include "okno/rows.h"
#include "okno/time.h"
#include "okno/vec.h"

#include <math.h>
#include <string.h>

OKNO_VEC(judgement_vec, struct okno_judgement);

static json_t *count_of(struct okno_stmt *row, const char *column)
{
    return json_integer((json_int_t)okno_stmt_int(row, column));
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

static json_t *share(int64_t part, int64_t whole)
{
    return whole > 0 ? number((double)part / (double)whole) : json_null();
}

static json_t *gold_json(struct okno_stmt *rows)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "survey",
                     okno_row_text(rows, "survey"), "verdict", okno_row_text(rows, "verdict"),
                     "reason", okno_row_text(rows, "reason"), "at",
                     okno_json_time(okno_stmt_int(rows, "at")), "author",
                     okno_row_text(rows, "author"), "note", okno_row_text(rows, "note"), "asked",
                     count_of(rows, "asked"), "right", count_of(rows, "right"));
}

int okno_gold_list(struct okno_db *db, json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    json_t *list = NULL;
    int rc = okno_db_stmt(db, "gold.list", &rows, err);
    if (rc == 0)
        rc = okno_rows_list(rows, gold_json, &list, err);
    if (rc == 0)
        *ret_list = json_pack("{s:o}", "gold", list);
    return rc;
}

/* ---- rounds ---- */

static uint32_t name_of(json_t *names, const char *name)
{
    json_t *known = json_object_get(names, name);
    if (!known) {
        known = json_integer((json_int_t)json_object_size(names));
        (void)json_object_set_new(names, name, known);
    }
    return (uint32_t)json_integer_value(known);
}

static uint32_t category_of(const char *verdict)
{
    return strcmp(verdict, "valid") == 0 ? 0 : strcmp(verdict, "invalid") == 0 ? 1 : 2;
}

static json_t *measure_json(const struct okno_agreement_figure *figure)
{
    return json_pack("{s:o, s:o, s:s?}", "value",
                     figure->null_reason ? json_null() : number(figure->value), "se",
                     figure->null_reason ? json_null() : number(figure->se), "null_reason",
                     figure->null_reason);
}

/* How all experts of a round agree with each other, whatever was held true. */
static int add_agreement(struct okno_db *db, const char *calibration, json_t *round_json,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    OKNO_AUTO_VEC(judgement_vec) votes = {0};
    okno_autojson json_t *raters = json_object();
    struct okno_agreement found = {0};
    int rc = OKNO_DB_PREPARE(db, "gold.calibration_votes", &rows, err,
                             OKNO_TEXT("calibration", calibration));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        const struct okno_judgement one = {(uint32_t)okno_stmt_int(rows, "place"),
                                           name_of(raters, okno_stmt_text(rows, "user")),
                                           category_of(okno_stmt_text(rows, "verdict"))};
        rc = judgement_vec_push(&votes, one) == 0
                 ? 0
                 : okno_fail(err, OKNO_NO_MEMORY, "no memory for the agreement");
    }
    struct okno_agreement_input input = {
        .judgements = votes.items, .count = votes.len, .categories = 3, .positive = 1};
    if (rc == 0)
        rc = okno_agreement_measure(&input, &found, err);
    if (rc < 0)
        return rc;
    json_t *json = json_pack("{s:I, s:o, s:o, s:o}", "items", (json_int_t)found.items, "percent",
                             measure_json(&found.percent), "ac1", measure_json(&found.ac1), "alpha",
                             measure_json(&found.alpha));
    return json_object_set_new(round_json, "agreement", json) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the agreement")
               : 0;
}

/* While a round is open nobody learns how they do. */
static int add_results(struct okno_db *db, const char *calibration, const char *user, bool closed,
                       json_t *round_json, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *results = json_array();
    int rc = OKNO_DB_PREPARE(db, "gold.calibration_results", &rows, err,
                             OKNO_TEXT("calibration", calibration), OKNO_TEXT("user", user));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        json_t *one =
            json_pack("{s:o, s:o, s:o, s:o, s:o}", "user", okno_row_text(rows, "user"), "name",
                      okno_row_text(rows, "name"), "decided", count_of(rows, "decided"), "right",
                      closed ? count_of(rows, "right") : json_null(), "exact",
                      closed ? count_of(rows, "exact") : json_null());
        rc = json_array_append_new(results, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the results")
                 : 0;
    }
    if (rc == 0 && json_object_set(round_json, "results", results) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the results");
    return rc;
}

static int list_rounds(struct okno_db *db, json_t *list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = okno_db_stmt(db, "gold.calibrations", &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        bool open = okno_stmt_is_null(rows, "closed_at");
        json_t *one = json_pack(
            "{s:o, s:o, s:o, s:o, s:o, s:o}", "calibration", okno_row_text(rows, "calibration"),
            "title", okno_row_text(rows, "title"), "at", okno_json_time(okno_stmt_int(rows, "at")),
            "author", okno_row_text(rows, "author"), "closed_at",
            open ? json_null() : okno_json_time(okno_stmt_int(rows, "closed_at")), "items",
            count_of(rows, "items"));
        rc = json_array_append_new(list, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the calibrations")
                 : 0;
    }
    return rc;
}

int okno_calibration_list(struct okno_db *db, const char *user, json_t **ret_list,
                          struct okno_err *err)
{
    okno_autojson json_t *list = json_array();
    size_t i;
    json_t *one;
    int rc = list_rounds(db, list, err);
    json_array_foreach(list, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "calibration"));
        bool closed = !json_is_null(json_object_get(one, "closed_at"));
        if (rc == 0)
            rc = add_results(db, id, user, closed, one, err);
        if (rc == 0 && closed)
            rc = add_agreement(db, id, one, err);
    }
    if (rc == 0)
        *ret_list = json_pack("{s:O}", "calibrations", list);
    return rc;
}

/* ---- the report ---- */

struct asked {
    const char *user; /* whose report */
    const char *audit;
    int64_t from_us, to_us;
    bool own; /* for the expert's own eyes: nothing of audits that go on */
};

static int prepare(struct okno_db *db, const char *name, const struct asked *asked,
                   struct okno_stmt **ret_row, struct okno_err *err)
{
    bool blind = strcmp(name, "reviewer.gold") == 0 || strcmp(name, "reviewer.decided") == 0;
    const struct okno_bind binds[] = {OKNO_TEXT("user", asked->user),
                                      OKNO_TEXT("audit", asked->audit),
                                      OKNO_INT("from", asked->from_us),
                                      OKNO_INT("to", asked->to_us), OKNO_INT("own", asked->own)};
    int rc = okno_db_prepare(db, name, binds, OKNO_COUNT(binds) - !blind, ret_row, err);
    return rc == 0 ? okno_stmt_step(*ret_row, err) : rc;
}

static json_t *seconds(struct okno_stmt *row, const char *column)
{
    return okno_stmt_is_null(row, column) ? json_null() : number(okno_stmt_real(row, column));
}

static int add_decided(struct okno_db *db, const struct asked *asked, json_t *one,
                       struct okno_err *err)
{
    static const char *const counts[] = {"decided", "valid",  "invalid", "undeterminable",
                                         "late",    "undone", "skipped"};
    OKNO_AUTO_STMT *row = NULL;
    int rc = prepare(db, "reviewer.decided", asked, &row, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < OKNO_COUNT(counts); i++)
        (void)json_object_set_new(one, counts[i], count_of(row, counts[i]));
    int64_t items = okno_stmt_int(row, "double_items");
    int64_t agreed = okno_stmt_int(row, "double_agreed");
    (void)json_object_set_new(
        one, "undeterminable_share",
        share(okno_stmt_int(row, "undeterminable"), okno_stmt_int(row, "decided")));
    (void)json_object_set_new(one, "median_active_s", seconds(row, "median_active_s"));
    (void)json_object_set_new(one, "median_played_s", seconds(row, "median_played_s"));
    json_t *doubled = json_pack("{s:I, s:I, s:o, s:o, s:o}", "items", (json_int_t)items, "agreed",
                                (json_int_t)agreed, "share", share(agreed, items), "ruled",
                                count_of(row, "ruled"), "upheld", count_of(row, "upheld"));
    return json_object_set_new(one, "double", doubled) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the report")
               : 0;
}

static int add_score(struct okno_db *db, const struct asked *asked, const char *name,
                     const char *key, json_t *one, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = prepare(db, name, asked, &row, err);
    if (rc < 0)
        return rc;
    json_t *score = json_pack("{s:o, s:o, s:o, s:o}", "items", count_of(row, "items"), "right",
                              count_of(row, "right"), "exact", count_of(row, "exact"), "share",
                              share(okno_stmt_int(row, "right"), okno_stmt_int(row, "items")));
    return json_object_set_new(one, key, score) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the report")
               : 0;
}

static int list_users(struct okno_db *db, const struct asked *asked, json_t *list,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int rc = prepare(db, "reviewer.users", asked, &rows, err);
    for (; rc == 1; rc = okno_stmt_step(rows, err))
        if (json_array_append_new(list, json_pack("{s:o, s:o}", "user", okno_row_text(rows, "user"),
                                                  "name", okno_row_text(rows, "name"))) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the report");
    return rc;
}

int okno_reviewer_report(struct okno_db *db, const char *user, const char *audit, int64_t from_us,
                         int64_t to_us, json_t **ret_report, struct okno_err *err)
{
    okno_autojson json_t *list = json_array();
    struct asked asked = {user, audit, from_us, to_us, user != NULL};
    size_t i;
    json_t *one;
    int rc = list_users(db, &asked, list, err);
    json_array_foreach(list, i, one)
    {
        asked.user = json_string_value(json_object_get(one, "user"));
        if (rc == 0)
            rc = add_decided(db, &asked, one, err);
        if (rc == 0)
            rc = add_score(db, &asked, "reviewer.gold", "gold", one, err);
        if (rc == 0)
            rc = add_score(db, &asked, "reviewer.calibration", "calibration", one, err);
    }
    if (rc == 0)
        *ret_report = json_pack("{s:O}", "reviewers", list);
    return rc;
}

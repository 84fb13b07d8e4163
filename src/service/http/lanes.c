/* A day at the points: for each its windows and what became of them, ratings outside them, force
 * majeure, and what of it was recorded. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/rows.h"
#include "okno/time.h"
#include "rights.h"

#include <string.h>

enum { ROWS_MAX = 20000 };
static const int64_t period_max_us =
    50 * (OKNO_DAY_US / 24); /* a local day and its longest change */

struct lanes {
    json_t *list;
    json_t *by_point; /* borrowed from list, for looking up */
    int64_t rows;
};

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for the lanes");
}

/* [[from, to]] from the link's own spelling in microseconds. */
static json_t *gaps_of(const char *text)
{
    okno_autojson json_t *gaps = json_loads(text ? text : "[]", 0, NULL);
    json_t *list = json_array();
    size_t i;
    json_t *gap;
    json_array_foreach(gaps, i, gap)
    {
        int64_t from_us = json_integer_value(json_array_get(gap, 0));
        int64_t to_us = json_integer_value(json_array_get(gap, 1));
        (void)json_array_append_new(
            list, json_pack("[o, o]", okno_json_time(from_us), okno_json_time(to_us)));
    }
    return list;
}

static json_t *footage_of(struct okno_stmt *stmt)
{
    if (okno_stmt_is_null(stmt, "video"))
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "state", okno_row_text(stmt, "video"), "from",
                     okno_row_time(stmt, "asked_from"), "to", okno_row_time(stmt, "asked_to"),
                     "gaps", gaps_of(okno_stmt_text(stmt, "gaps")));
}

static json_t *survey_of(struct okno_stmt *stmt)
{
    const char *still = okno_stmt_text(stmt, "still");
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:b, s:o, s:o, s:o, s:o}", "id",
        okno_row_text(stmt, "survey"), "opened_at", okno_row_time(stmt, "opened_at"), "closes_at",
        okno_row_time(stmt, "closes_at"), "state", okno_row_text(stmt, "state"), "answer",
        okno_row_text(stmt, "answer"), "answered_at", okno_row_time(stmt, "answered_at"), "late",
        (json_int_t)okno_stmt_int(stmt, "late_answers"), "force_majeure",
        okno_stmt_int(stmt, "force_majeure") != 0, "validity", okno_row_text(stmt, "validity"),
        "employee", okno_row_text(stmt, "employee"), "footage", footage_of(stmt), "still",
        still ? json_sprintf("/api/v1/evidence/%s.jpg", still) : json_null());
}

static json_t *rating_of(struct okno_stmt *stmt)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "id", okno_row_text(stmt, "rating"), "at",
                     okno_row_time(stmt, "at"), "answer", okno_row_text(stmt, "answer"), "channel",
                     okno_row_text(stmt, "channel"));
}

static json_t *situation_of(struct okno_stmt *stmt)
{
    return json_pack("{s:o, s:o, s:o, s:I}", "id", okno_row_text(stmt, "situation"), "from",
                     okno_row_time(stmt, "first_at"), "to", okno_row_time(stmt, "until_at"),
                     "holds", (json_int_t)okno_stmt_int(stmt, "holds"));
}

/* The statement's rows, each into the list `name` of its point's lane. */
static int add_rows(const struct http_request *request, struct lanes *lanes, const char *statement,
                    const char *name, json_t *(*make)(struct okno_stmt *), const int64_t period[2],
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(
        request->db, statement, &stmt, err, OKNO_INT("from", period[0]), OKNO_INT("to", period[1]),
        OKNO_TEXT("site", http_query(request, "site")),
        OKNO_TEXT("point", http_query(request, "point")), OKNO_INT("limit", ROWS_MAX + 1));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *lane = json_object_get(lanes->by_point, okno_stmt_text(stmt, "point"));
        rc = 0;
        if (++lanes->rows > ROWS_MAX)
            return okno_fail(err, OKNO_TOO_LARGE,
                             "more than %d surveys and ratings: choose a site or a point",
                             ROWS_MAX);
        if (lane && json_array_append_new(json_object_get(lane, name), make(stmt)) < 0)
            rc = no_memory(err);
    }
    return rc;
}

static int add_lanes(const struct http_request *request, struct lanes *lanes, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(request->db, "service.lane_points", &stmt, err,
                             OKNO_TEXT("site", http_query(request, "site")),
                             OKNO_TEXT("point", http_query(request, "point")));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        rc = 0;
        if (!http_rights_site(request, okno_stmt_text(stmt, "site")))
            continue;
        json_t *lane =
            json_pack("{s:o, s:o, s:o, s:[], s:[], s:[]}", "site", okno_row_text(stmt, "site"),
                      "point", okno_row_text(stmt, "point"), "name", okno_row_text(stmt, "name"),
                      "surveys", "ratings", "situations");
        rc = json_object_set(lanes->by_point, okno_stmt_text(stmt, "point"), lane) < 0 ||
                     json_array_append_new(lanes->list, lane) < 0
                 ? no_memory(err)
                 : 0;
    }
    return rc;
}

int http_get_lanes(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    okno_autojson json_t *list = json_array();
    okno_autojson json_t *by_point = json_object();
    struct lanes lanes = {.list = list, .by_point = by_point};
    int64_t period[2];
    int rc = http_query_period(request, &period[0], &period[1], err);
    if (rc == 0 && period[1] - period[0] > period_max_us)
        rc = okno_fail_field(err, OKNO_INVALID, "to", "lanes show at most 50 hours at once");
    if (rc == 0)
        rc = add_lanes(request, &lanes, err);
    if (rc == 0)
        rc = add_rows(request, &lanes, "service.lane_surveys", "surveys", survey_of, period, err);
    if (rc == 0)
        rc = add_rows(request, &lanes, "service.lane_ratings", "ratings", rating_of, period, err);
    if (rc == 0)
        rc = add_rows(request, &lanes, "service.lane_situations", "situations", situation_of,
                      period, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "lanes", list), err);
}

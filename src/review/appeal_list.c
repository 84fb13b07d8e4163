/* Lists of appeals, and of what may be appealed against. */
#include "okno/appeal.h"

#include "okno/rows.h"
#include "okno/time.h"

static json_t *place_json(struct okno_stmt *row)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "survey", okno_row_text(row, "survey"),
                     "site", okno_row_text(row, "site"), "site_name",
                     okno_row_text(row, "site_name"), "point", okno_row_text(row, "point"),
                     "point_name", okno_row_text(row, "point_name"), "time_zone",
                     okno_row_text(row, "time_zone"), "opened_at", okno_row_time(row, "opened_at"));
}

static json_t *ruling_json(struct okno_stmt *row, const char *verdict, const char *reason,
                           const char *correction)
{
    if (okno_stmt_is_null(row, verdict))
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "verdict", okno_row_text(row, verdict), "reason",
                     okno_row_text(row, reason), "correction", okno_row_text(row, correction));
}

static const char *state_of(struct okno_stmt *row, int64_t now_us)
{
    if (!okno_stmt_is_null(row, "outcome"))
        return "decided";
    return okno_stmt_int(row, "due_at") < now_us ? "overdue" : "open";
}

/* Who filed it and whom it is about stay out of a decider's sight; so does who decided,
 * everybody's. */
static json_t *appeal_json(struct okno_stmt *row, bool blind, int64_t now_us)
{
    json_t *json = place_json(row);
    (void)json_object_set_new(json, "appeal", json_integer(okno_stmt_int(row, "appeal")));
    (void)json_object_set_new(json, "state", json_string(state_of(row, now_us)));
    (void)json_object_set_new(json, "asks", okno_row_text(row, "asks"));
    (void)json_object_set_new(json, "comment", okno_row_text(row, "comment"));
    (void)json_object_set_new(json, "by", okno_row_text(row, "role"));
    (void)json_object_set_new(json, "at", okno_row_time(row, "at"));
    (void)json_object_set_new(json, "due_at", okno_row_time(row, "due_at"));
    (void)json_object_set_new(json, "against", ruling_json(row, "verdict", "reason", "correction"));
    (void)json_object_set_new(json, "outcome", okno_row_text(row, "outcome"));
    (void)json_object_set_new(json, "answer", okno_row_text(row, "answer"));
    (void)json_object_set_new(json, "decided_at", okno_row_time(row, "decided_at"));
    (void)json_object_set_new(json, "became",
                              ruling_json(row, "became", "became_reason", "became_correction"));
    if (blind) {
        (void)json_object_set_new(json, "may_decide",
                                  json_boolean(okno_stmt_int(row, "may_decide") != 0 &&
                                               okno_stmt_is_null(row, "outcome")));
        (void)json_object_set_new(json, "taken",
                                  json_boolean(okno_stmt_int(row, "lease_until") > now_us));
    } else {
        (void)json_object_set_new(json, "user", okno_row_text(row, "user"));
        (void)json_object_set_new(json, "employee", okno_row_text(row, "employee"));
    }
    return json;
}

int okno_appeal_list(struct okno_db *db, const struct okno_appeal_filter *f, int64_t now_us,
                     json_t **ret_list, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *list = json_array();
    int64_t limit = f->limit > 0 && f->limit < OKNO_APPEALS_MAX ? f->limit : OKNO_APPEALS_MAX;
    int rc = OKNO_DB_PREPARE(db, "appeal.list", &rows, err, OKNO_TEXT("survey", f->survey),
                             OKNO_TEXT("employee", f->employee), OKNO_TEXT("user", f->user),
                             OKNO_TEXT("sites", f->sites), OKNO_TEXT("decider", f->decider),
                             OKNO_INT("open", f->open), OKNO_INT("limit", limit));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1)
        rc = json_array_append_new(list, appeal_json(rows, f->decider != NULL, now_us)) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the appeals")
                 : 0;
    if (rc == 0)
        *ret_list = json_pack("{s:O}", "appeals", list);
    return rc;
}

int okno_appeal_rulings(struct okno_db *db, const char *employee, const char *sites,
                        const struct okno_appeal_times *times, int64_t now_us, json_t **ret_list,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *list = json_array();
    int rc = OKNO_DB_PREPARE(db, "appeal.rulings", &rows, err, OKNO_TEXT("employee", employee),
                             OKNO_TEXT("sites", sites), OKNO_INT("since", now_us - times->file_us));
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        json_t *one = place_json(rows);
        (void)json_object_set_new(one, "answer", okno_row_text(rows, "answer"));
        (void)json_object_set_new(one, "verdict", okno_row_text(rows, "verdict"));
        (void)json_object_set_new(one, "reason", okno_row_text(rows, "reason"));
        (void)json_object_set_new(one, "decided_at", okno_row_time(rows, "at"));
        (void)json_object_set_new(one, "until",
                                  okno_json_time(okno_stmt_int(rows, "at") + times->file_us));
        rc = json_array_append_new(list, one) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the decisions")
                 : 0;
    }
    if (rc == 0)
        *ret_list = json_pack("{s:O}", "rulings", list);
    return rc;
}

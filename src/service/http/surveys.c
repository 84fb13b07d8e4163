/* Surveys with their photos, and the dossier of one. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/comment.h"
#include "okno/survey.h"

#include <string.h>

enum { LIMIT_DEFAULT = 200, LIMIT_MAX = 1000 };

/* A page of the list while it is read. */
struct listing {
    struct okno_db *db;
    json_t *rows;
    int64_t limit;
    char cursor[OKNO_SURVEY_CURSOR_TEXT]; /* behind the last row kept */
    bool more;
};

/* {"url", "sha256", "frame_at"} of the newest still, or null. */
static int still_of(struct okno_db *db, const char *survey, json_t **ret_still,
                    struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "service.newest_still", &stmt, err, OKNO_TEXT("survey", survey));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        return rc;
    const char *sha256 = rc == 1 ? okno_stmt_text(stmt, "sha256") : NULL;
    *ret_still = sha256 ? json_pack("{s:o, s:s, s:o}", "url",
                                    json_sprintf("/api/v1/evidence/%s.jpg", sha256), "sha256",
                                    sha256, "frame_at",
                                    okno_stmt_is_null(stmt, "frame_at")
                                        ? json_null()
                                        : okno_json_time(okno_stmt_int(stmt, "frame_at")))
                        : json_null();
    return 0;
}

static int add_row(void *context, const struct okno_survey_info *info, struct okno_err *err)
{
    struct listing *listing = context;
    json_t *still = NULL;
    if ((int64_t)json_array_size(listing->rows) == listing->limit) {
        listing->more = true;
        return 0;
    }
    int rc = still_of(listing->db, info->survey, &still, err);
    if (rc < 0)
        return rc;
    json_t *row = okno_survey_json(info);
    if (json_object_set_new(row, "still", still) < 0 ||
        json_array_append_new(listing->rows, row) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of surveys");
    (void)okno_survey_cursor(info, listing->cursor);
    return 0;
}

static int take_limit(const struct http_request *request, int64_t *ret_limit, struct okno_err *err)
{
    const char *text = http_query(request, "limit");
    size_t digits = text ? strspn(text, "0123456789") : 0;
    if (!text)
        return 0;
    long limit = digits > 0 && digits <= 4 && !text[digits] ? strtol(text, NULL, 10) : 0;
    if (limit < 1 || limit > LIMIT_MAX)
        return okno_fail_field(err, OKNO_INVALID, "limit", "limit must be from 1 to %d", LIMIT_MAX);
    *ret_limit = limit;
    return 0;
}

int http_get_surveys(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_survey_filter filter = OKNO_SURVEY_FILTER_ALL;
    struct listing listing = {.db = request->db, .limit = LIMIT_DEFAULT};
    filter.site = http_query(request, "site");
    filter.sites = request->sites;
    filter.point = http_query(request, "point");
    filter.employee = http_query(request, "employee");
    filter.answer = http_query(request, "answer");
    filter.state = http_query(request, "state");
    filter.validity = http_query(request, "validity");
    filter.reason = http_query(request, "reason");
    filter.video = http_query(request, "video");
    filter.question = http_query(request, "question");
    filter.kind = http_query(request, "kind");
    filter.channel = http_query(request, "channel");
    filter.flag = http_query(request, "flag");
    filter.after = http_query(request, "cursor");
    filter.spontaneous = http_query(request, "spontaneous") != NULL;
    int rc = http_query_period(request, &filter.from_us, &filter.to_us, err);
    if (rc == 0)
        rc = take_limit(request, &listing.limit, err);
    if (rc < 0)
        return rc;
    filter.limit = listing.limit + 1; /* one more tells whether there is a next page */
    listing.rows = json_array();
    okno_autojson json_t *answer = json_pack("{s:o}", "surveys", listing.rows);
    rc = okno_survey_list(request->db, &filter, add_row, &listing, err);
    if (rc == 0 &&
        json_object_set_new(answer, "next",
                            listing.more ? json_string(listing.cursor) : json_null()) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of surveys");
    return rc < 0 ? rc : http_reply_json(reply, json_incref(answer), err);
}

int http_get_survey(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *dossier = NULL;
    json_t *comments = NULL;
    int rc = okno_survey_dossier(request->db, request->params[0], &dossier, err);
    if (rc == 0)
        rc = okno_comment_list(request->db, request->params[0], &comments, err);
    if (rc == 0 && json_object_set_new(dossier, "comments", comments) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the comments");
    if (rc < 0)
        json_decref(dossier);
    return rc < 0 ? rc : http_reply_json(reply, dossier, err);
}

static int add_change(void *context, const json_t *change, const char *cursor, struct okno_err *err)
{
    struct listing *listing = context;
    if ((int64_t)json_array_size(listing->rows) == listing->limit) {
        listing->more = true;
        return 0;
    }
    (void)snprintf(listing->cursor, sizeof(listing->cursor), "%s", cursor);
    if (json_array_append(listing->rows, (json_t *)change) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of changes");
    return 0;
}

int http_get_changes(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_survey_changes filter = OKNO_SURVEY_CHANGES_ALL;
    struct listing listing = {.db = request->db, .limit = LIMIT_DEFAULT};
    int rc =
        http_query(request, "since") ? http_query_time(request, "since", &filter.since_us, err) : 0;
    filter.after = http_query(request, "cursor");
    filter.sites = request->sites;
    if (rc == 0)
        rc = take_limit(request, &listing.limit, err);
    if (rc < 0)
        return rc;
    filter.limit = listing.limit + 1;
    listing.rows = json_array();
    okno_autojson json_t *answer = json_pack("{s:o}", "changes", listing.rows);
    rc = okno_survey_list_changes(request->db, &filter, add_change, &listing, err);
    if (rc == 0 &&
        json_object_set_new(answer, "next",
                            listing.more ? json_string(listing.cursor) : json_null()) < 0)
        rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the list of changes");
    return rc < 0 ? rc : http_reply_json(reply, json_incref(answer), err);
}

/* How experts decide, gold items and calibrations over HTTP. Each expert sees the own results, who
 * leads them and auditors everybody's. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/gold.h"
#include "okno/time.h"

static const char *text_of(const struct http_request *request, const char *field)
{
    return json_string_value(json_object_get(request->body, field));
}

/* Whose results: NULL for all. */
static int whose(const struct http_request *request, const char **ret_user, struct okno_err *err)
{
    bool lead = false;
    if (request->role == HTTP_AUDITOR) {
        *ret_user = NULL;
        return 0;
    }
    int rc = okno_review_is_lead(request->db, request->who.user, &lead, err);
    *ret_user = lead ? NULL : request->who.user;
    return rc;
}

int http_get_reviewers(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *user = NULL;
    json_t *report = NULL;
    int64_t from_us = 0;
    int64_t to_us = INT64_MAX;
    int rc = whose(request, &user, err);
    if (rc == 0 && http_query(request, "from"))
        rc = http_query_time(request, "from", &from_us, err);
    if (rc == 0 && http_query(request, "to"))
        rc = http_query_time(request, "to", &to_us, err);
    if (rc == 0)
        rc = okno_reviewer_report(request->db, user, http_query(request, "audit"), from_us, to_us,
                                  &report, err);
    return rc < 0 ? rc : http_reply_json(reply, report, err);
}

int http_get_gold(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *user = NULL;
    json_t *list = NULL;
    int rc = whose(request, &user, err);
    if (rc == 0 && user)
        rc = okno_fail(err, OKNO_FORBIDDEN, "gold items are for who leads experts");
    if (rc == 0)
        rc = okno_gold_list(request->db, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, list, err);
}

int http_post_gold(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *survey = text_of(request, "survey");
    const char *note = text_of(request, "note");
    bool retire = json_is_true(json_object_get(request->body, "retire"));
    int rc =
        retire
            ? okno_gold_retire(request->db, survey, request->who.user, note, okno_time_now(), err)
            : okno_gold_add(request->db, survey, request->who.user, note, okno_time_now(), err);
    reply->status = 204;
    return rc;
}

int http_get_calibrations(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    const char *user = NULL;
    json_t *list = NULL;
    int rc = whose(request, &user, err);
    if (rc == 0)
        rc = okno_calibration_list(request->db, user, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, list, err);
}

int http_post_calibration(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    const char *surveys[OKNO_CALIBRATION_MAX];
    const json_t *list = json_object_get(request->body, "surveys");
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < OKNO_CALIBRATION_MAX; i++)
        surveys[i] = json_string_value(json_array_get(list, i));
    int rc = okno_calibration_add(request->db, text_of(request, "calibration"),
                                  text_of(request, "title"), surveys, count, request->who.user,
                                  okno_time_now(), err);
    reply->status = 204;
    return rc;
}

int http_post_calibration_close(struct http_request *request, struct http_reply *reply,
                                struct okno_err *err)
{
    reply->status = 204;
    return okno_calibration_close(request->db, request->params[0], request->who.user,
                                  okno_time_now(), err);
}

/* Voids by two people: one asks, another answers. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/survey.h"
#include "okno/time.h"

int http_post_void(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const struct okno_survey_void asked = {
        .survey = request->params[0],
        .voided = json_is_true(json_object_get(request->body, "voided")),
        .author = request->who.user,
        .reason = json_string_value(json_object_get(request->body, "reason")),
        .at_us = okno_time_now(),
    };
    int64_t proposal = 0;
    int rc = okno_void_propose(request->db, &asked, &proposal, err);
    return rc < 0
               ? rc
               : http_reply_json(reply, json_pack("{s:I}", "proposal", (json_int_t)proposal), err);
}

int http_post_void_answer(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    const struct okno_void_answer answer = {
        .survey = request->params[0],
        .proposal = json_integer_value(json_object_get(request->body, "proposal")),
        .user = request->who.user,
        .agree = json_is_true(json_object_get(request->body, "agree")),
        .note = json_string_value(json_object_get(request->body, "note")),
        .at_us = okno_time_now(),
    };
    int rc = okno_void_answer(request->db, &answer, err);
    if (rc == 0)
        reply->status = 204;
    return rc;
}

int http_get_voids(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_void_list(request->db, NULL, request->sites, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:o}", "proposals", list), err);
}

/* Who a survey is counted for: a manager's decision, with the employees to choose from; and the
 * wish that a survey be looked at. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/attribution.h"
#include "okno/review.h"
#include "okno/time.h"

#include <string.h>

int http_post_attribution(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    const json_t *body = request->body;
    const struct okno_attribution decision = {
        .survey = request->params[0],
        .employee = json_string_value(json_object_get(body, "employee")),
        .undo = json_is_true(json_object_get(body, "undo")),
        .author = request->who.user,
        .reason = json_string_value(json_object_get(body, "reason")),
        .at_us = okno_time_now(),
    };
    int64_t id = 0;
    bool on_shift = true;
    int rc = okno_attribution_decide(request->db, &decision, &id, err);
    if (rc == 0 && decision.employee && strcmp(decision.employee, "unassigned") != 0)
        rc = okno_attribution_on_shift(request->db, decision.survey, decision.employee, &on_shift,
                                       err);
    return rc < 0 ? rc
                  : http_reply_json(reply,
                                    json_pack("{s:I, s:b}", "attribution", (json_int_t)id,
                                              "on_shift", on_shift),
                                    err);
}

int http_post_target(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    int64_t item = 0;
    const char *reason = json_string_value(json_object_get(request->body, "reason"));
    int rc = okno_review_target(request->db, request->params[0], request->who.user, reason,
                                okno_time_now(), &item, err);
    if (rc == 0 && request->service->wake)
        request->service->wake(request->service->wake_context);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:I}", "item", (json_int_t)item), err);
}

int http_get_employees(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    okno_autojson json_t *list = json_array();
    int rc = OKNO_DB_PREPARE(request->db, "service.employees", &stmt, err,
                             OKNO_TEXT("sites", request->sites));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        json_t *row =
            json_pack("{s:o, s:o}", "employee", okno_json_text(okno_stmt_text(stmt, "employee")),
                      "name", okno_json_text(okno_stmt_text(stmt, "name")));
        rc = json_array_append_new(list, row) < 0
                 ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the employees")
                 : 0;
    }
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "employees", list), err);
}

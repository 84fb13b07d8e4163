/* Appeals over HTTP; the rules are the review room's. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/appeal.h"
#include "okno/time.h"

#include <string.h>

static const char *text_of(const struct http_request *request, const char *field)
{
    return json_string_value(json_object_get(request->body, field));
}

static int appeal_of(const struct http_request *request, int64_t *ret_appeal, struct okno_err *err)
{
    const char *text = request->params[0];
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits])
        return okno_fail_field(err, OKNO_NOT_FOUND, "appeal", "there is no appeal %.40s", text);
    *ret_appeal = strtoll(text, NULL, 10);
    return 0;
}

/* Staff who are no employee to the database have no surveys. */
static int own_employee(const struct http_request *request, const char **ret_employee,
                        struct okno_err *err)
{
    if (request->role != HTTP_STAFF)
        return 0;
    if (!request->who.employee[0])
        return okno_fail(err, OKNO_FORBIDDEN,
                         "your login is not joined to an employee; an administrator can do that");
    *ret_employee = request->who.employee;
    return 0;
}

static int state_of(const struct http_request *request, int *ret_open, struct okno_err *err)
{
    const char *state = http_query(request, "state");
    if (state && !okno_text_is_word(state, "open decided all"))
        return okno_fail_field(err, OKNO_INVALID, "state", "state must be open, decided or all");
    *ret_open = !state || strcmp(state, "all") == 0 ? -1 : strcmp(state, "open") == 0;
    return 0;
}

int http_get_appeals(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_appeal_filter filter = {.survey = http_query(request, "survey"),
                                        .user = request->who.user,
                                        .sites = request->sites};
    json_t *list = NULL;
    if (request->role == HTTP_EXPERT || request->role == HTTP_ADMINISTRATOR)
        filter.decider = request->who.user;
    int rc = state_of(request, &filter.open, err);
    if (rc == 0)
        rc = own_employee(request, &filter.employee, err);
    if (rc == 0)
        rc = okno_appeal_list(request->db, &filter, okno_time_now(), &list, err);
    return rc < 0 ? rc : http_reply_json(reply, list, err);
}

int http_get_rulings(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *employee = NULL;
    json_t *list = NULL;
    int rc = own_employee(request, &employee, err);
    if (rc == 0)
        rc = okno_appeal_rulings(request->db, employee, request->sites,
                                 &request->service->appeal_times, okno_time_now(), &list, err);
    return rc < 0 ? rc : http_reply_json(reply, list, err);
}

int http_post_appeal(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const struct okno_appeal appeal = {.survey = request->params[0],
                                       .user = request->who.user,
                                       .asks = text_of(request, "asks"),
                                       .comment = text_of(request, "comment"),
                                       .times = request->service->appeal_times,
                                       .at_us = okno_time_now()};
    int64_t id = 0;
    int rc = okno_appeal_add(request->db, &appeal, &id, err);
    if (rc == 0 && request->service->wake)
        request->service->wake(request->service->wake_context);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:I}", "appeal", (json_int_t)id), err);
}

int http_post_appeal_take(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    json_t *item = NULL;
    int64_t appeal = 0;
    int rc = appeal_of(request, &appeal, err);
    if (rc == 0)
        rc = okno_appeal_take(request->db, appeal, request->who.user, request->service->lease_us,
                              okno_time_now(), &item, err);
    return rc < 0 ? rc : http_reply_json(reply, item, err);
}

int http_post_appeal_decide(struct http_request *request, struct http_reply *reply,
                            struct okno_err *err)
{
    struct okno_appeal_decision decision = {
        .user = request->who.user,
        .lease = text_of(request, "lease"),
        .outcome = text_of(request, "outcome"),
        .comment = text_of(request, "comment"),
        .verdict = text_of(request, "verdict"),
        .reason = text_of(request, "reason"),
        .correction = text_of(request, "correction"),
        .watched = json_object_get(request->body, "watched"),
        .played_s = json_number_value(json_object_get(request->body, "played_s")),
    };
    int rc = appeal_of(request, &decision.appeal, err);
    if (rc == 0)
        rc = okno_appeal_decide(request->db, &decision, okno_time_now(), err);
    reply->status = 204;
    return rc;
}

int http_post_appeal_withdraw(struct http_request *request, struct http_reply *reply,
                              struct okno_err *err)
{
    int64_t appeal = 0;
    int rc = appeal_of(request, &appeal, err);
    if (rc == 0)
        rc = okno_appeal_withdraw(request->db, appeal, request->who.user, okno_time_now(), err);
    reply->status = 204;
    return rc;
}

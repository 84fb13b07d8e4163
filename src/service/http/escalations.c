/* Closer looks over HTTP; the rules are the audit room's. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/escalation.h"
#include "okno/time.h"

#include <stdlib.h>
#include <string.h>

int http_get_escalations(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_escalation_list(request->db, http_query(request, "audit"), &list, err);
    return rc < 0 ? rc : http_reply_json(reply, list, err);
}

int http_post_escalation(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    const char *text = request->params[0];
    size_t digits = strspn(text, "0123456789");
    int64_t items = 0;
    if (digits == 0 || digits > 15 || text[digits])
        return okno_fail_field(err, OKNO_NOT_FOUND, "escalation", "there is no escalation %.40s",
                               text);
    int rc = okno_escalation_decide(request->db, strtoll(text, NULL, 10),
                                    json_is_true(json_object_get(request->body, "accept")),
                                    json_string_value(json_object_get(request->body, "reason")),
                                    request->who.user, okno_time_now(), &items, err);
    if (rc == 0 && request->service->wake)
        request->service->wake(request->service->wake_context);
    return rc < 0 ? rc
                  : http_reply_json(reply, json_pack("{s:I}", "items", (json_int_t)items), err);
}

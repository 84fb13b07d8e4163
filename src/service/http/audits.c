/* Audits as people follow them. Experts stay blind: they see how far the work is, not what others
 * found. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/audit.h"
#include "okno/review.h"

static void blind(const struct http_request *request, json_t *audit)
{
    static const char *const hidden[] = {
        "valid",         "invalid",     "undeterminable", "not_asked", "agreement",
        "double_review", "never_asked", "too_wide",       "extend_by", "undecided"};
    int64_t reviewed = 0;
    int64_t total = 0;
    struct okno_err none = {0};
    if (request->role != HTTP_EXPERT)
        return;
    if (okno_review_progress(request->db, json_string_value(json_object_get(audit, "audit")),
                             &reviewed, &total, &none) == 0) {
        /* the queue's own counter: one of settled surveys would tell which are decided twice */
        (void)json_object_set_new(audit, "sample", json_integer(total));
        (void)json_object_set_new(audit, "reviewed", json_integer(reviewed));
    }
    for (size_t i = 0; i < OKNO_COUNT(hidden); i++)
        (void)json_object_del(audit, hidden[i]);
}

int http_get_audits(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *list = NULL;
    size_t i;
    json_t *audit;
    int rc = okno_audit_list(request->db, &list, err);
    if (rc < 0)
        return rc;
    json_array_foreach(list, i, audit)
    {
        blind(request, audit);
    }
    return http_reply_json(reply, json_pack("{s:o}", "audits", list), err);
}

int http_get_audit(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    json_t *audit = NULL;
    int rc = okno_audit_status(request->db, request->params[0], &audit, err);
    if (rc < 0)
        return rc;
    blind(request, audit);
    return http_reply_json(reply, audit, err);
}

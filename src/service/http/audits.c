/* Audits as people follow them. Experts stay blind: they see how far the work is, not what others
 * found. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/audit.h"

static void blind(const struct http_request *request, json_t *audit)
{
    static const char *const hidden[] = {"valid", "invalid", "undeterminable"};
    if (request->role != HTTP_EXPERT)
        return;
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

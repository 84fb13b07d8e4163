/* Auditors' public keys over HTTP: each auditor registers and revokes the own ones. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/auditor.h"
#include "okno/time.h"

#include <string.h>

static int reply_keys(const struct http_request *request, struct http_reply *reply,
                      struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_auditor_list(request->db, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:o}", "keys", list), err);
}

int http_get_audit_keys(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    return reply_keys(request, reply, err);
}

int http_post_audit_key(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    const char *text = json_string_value(json_object_get(request->body, "key"));
    struct okno_signature_key key;
    struct okno_err why = {0};
    int rc = okno_signature_key_parse(text, strlen(text), &key, &why);
    if (rc < 0)
        return okno_fail_field(err, OKNO_INVALID, "key", "%s", why.text);
    rc = okno_auditor_add(request->db, request->who.user, &key, request->who.user, okno_time_now(),
                          err);
    return rc < 0 ? rc : reply_keys(request, reply, err);
}

/* Whose a registered key is; one that is not known is told by what follows. */
static int check_own(const struct http_request *request, struct okno_err *err)
{
    OKNO_AUTO_STMT *row = NULL;
    int rc = OKNO_DB_PREPARE(request->db, "auditor.get", &row, err,
                             OKNO_TEXT("fingerprint", request->params[0]));
    if (rc == 0)
        rc = okno_stmt_step(row, err);
    if (rc == 1 && strcmp(okno_stmt_text(row, "auditor"), request->who.user) != 0)
        return okno_fail(err, OKNO_FORBIDDEN,
                         "this key is %s's: its owner revokes it, or whoever has the data "
                         "directory (`okno audit key revoke`)",
                         okno_stmt_text(row, "auditor"));
    return rc < 0 ? rc : 0;
}

int http_post_audit_key_revoke(struct http_request *request, struct http_reply *reply,
                               struct okno_err *err)
{
    int rc = check_own(request, err);
    if (rc == 0)
        rc = okno_auditor_revoke(request->db, request->params[0], request->who.user,
                                 okno_time_now(), err);
    return rc < 0 ? rc : reply_keys(request, reply, err);
}

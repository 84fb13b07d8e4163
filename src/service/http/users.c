/* Who logs in, and which sites they see; for administrators. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/grant.h"
#include "okno/notify.h"
#include "okno/time.h"

#include <string.h>

static json_t *grants_of(const struct okno_grant_vec *grants, const char *user)
{
    json_t *list = json_array();
    for (size_t i = 0; i < grants->len; i++) {
        const struct okno_grant *one = &grants->items[i];
        if (strcmp(one->user, user) == 0)
            (void)json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "scope", one->scope,
                                                        "at", okno_json_time(one->at_us), "author",
                                                        one->author));
    }
    return list;
}

int http_get_users(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_grant_vec) grants = {0};
    OKNO_AUTO_VEC(okno_user_vec) users = {0};
    okno_autojson json_t *list = json_array();
    int rc = okno_grant_list(request->db, NULL, &grants, err);
    if (rc == 0)
        rc = okno_user_list(request->db, &users, err);
    for (size_t i = 0; rc == 0 && i < users.len; i++) {
        const struct okno_user *user = &users.items[i];
        char destination[OKNO_ID_TEXT];
        rc = okno_notify_person(request->db, user->user, destination, err);
        json_t *row = json_pack(
            "{s:s, s:s, s:s, s:o, s:b, s:b, s:o, s:o}", "user", user->user, "name", user->name,
            "role", user->role, "employee", okno_json_text(*user->employee ? user->employee : NULL),
            "disabled", (int)user->disabled, "sees_granted_only",
            (int)okno_grant_needed(user->role), "grants", grants_of(&grants, user->user),
            "destination", okno_json_text(*destination ? destination : NULL));
        if (json_array_append_new(list, row) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the users");
    }
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "users", list), err);
}

int http_post_grant(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const char *scope = json_string_value(json_object_get(request->body, "scope"));
    bool granted = json_is_true(json_object_get(request->body, "granted"));
    reply->status = 204;
    return okno_grant_set(request->db, request->params[0], scope, granted, request->who.user,
                          okno_time_now(), err);
}

int http_post_user_destination(struct http_request *request, struct http_reply *reply,
                               struct okno_err *err)
{
    const char *destination = json_string_value(json_object_get(request->body, "destination"));
    reply->status = 204;
    return okno_notify_person_set(request->db, request->params[0], destination ? destination : "",
                                  request->who.user, okno_time_now(), err);
}

/* Programmes over HTTP: continuous monitoring as people follow it. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/notify.h"
#include "okno/programme.h"
#include "okno/time.h"
#include "okno/user.h"

#include <string.h>

static const char *text_or(const struct http_request *request, const char *field,
                           const char *fallback)
{
    const char *text = json_string_value(json_object_get(request->body, field));
    return text ? text : fallback;
}

static double number_or(const struct http_request *request, const char *field, double fallback)
{
    const json_t *value = json_object_get(request->body, field);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

/* What waited for it goes on now. */
static void wake(const struct http_request *request)
{
    if (request->service->wake)
        request->service->wake(request->service->wake_context);
}

/* May somebody of that name promise and reveal here? */
static int answers_here(struct okno_db *db, const char *name, bool *ret_here, struct okno_err *err)
{
    struct okno_user user;
    int rc = okno_user_get(db, name, &user, err);
    *ret_here = rc == 0 && !user.disabled && strcmp(user.role, "auditor") == 0;
    if (rc == OKNO_NOT_FOUND)
        okno_err_clear(err);
    return rc == OKNO_NOT_FOUND ? 0 : rc;
}

/* Those whose promises only `okno programme commit` takes: no day is drawn without them. */
static int tell_by_command(struct okno_db *db, json_t *status, struct okno_err *err)
{
    const json_t *people = json_object_get(status, "people");
    okno_autojson json_t *by_command = json_array();
    for (size_t i = 0; i < json_array_size(people); i++) {
        json_t *name = json_array_get(people, i);
        bool here = false;
        int rc = answers_here(db, json_string_value(name), &here, err);
        if (rc == 0 && !here && json_array_append(by_command, name) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the people of a programme");
        if (rc < 0)
            return rc;
    }
    return json_object_set(status, "by_command", by_command) < 0
               ? okno_fail(err, OKNO_NO_MEMORY, "no memory for the people of a programme")
               : 0;
}

static int reply_programme(const struct http_request *request, const char *programme,
                           struct http_reply *reply, struct okno_err *err)
{
    okno_autojson json_t *status = NULL;
    int rc = okno_programme_status(request->db, programme, 366, &status, err);
    if (rc == 0)
        rc = tell_by_command(request->db, status, err);
    return rc < 0 ? rc : http_reply_json(reply, json_incref(status), err);
}

int http_get_programmes(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    int rc = okno_programme_list(request->db, &list, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
        rc = tell_by_command(request->db, json_array_get(list, i), err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "programmes", list), err);
}

int http_get_programme(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    return reply_programme(request, request->params[0], reply, err);
}

/* A setting as it stands, "" of a programme that is not there. */
static const char *set_now(const json_t *status, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(status, "settings"), key));
    return text ? text : "";
}

int http_post_programme(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    const struct http_service *service = request->service;
    const char *beacon = text_or(request, "beacon", "");
    okno_autojson json_t *now = NULL;
    char lang[8];
    int rc = okno_programme_status(request->db, text_or(request, "programme", ""), 0, &now, err);
    if (rc < 0 && rc != OKNO_NOT_FOUND)
        return rc;
    okno_err_clear(err);
    const struct okno_programme programme = {
        .programme = text_or(request, "programme", ""),
        .title = text_or(request, "title", ""),
        .zone = text_or(request, "zone", "UTC"),
        .from_day = text_or(request, "from", ""),
        .size = (int64_t)number_or(request, "size", 20),
        .after_min = (int64_t)number_or(request, "after_min", 60),
        .accepted = text_or(request, "accept_unheard", ""),
        .fm_threshold = number_or(request, "fm_threshold", service->fm_threshold),
        .accepted_fm = text_or(request, "accept_fm", ""),
        .show_answer = json_is_true(json_object_get(request->body, "show_answer")),
        .k = number_or(request, "k", service->silent_weight),
        .level = number_or(request, "level", 0.95),
        .undeterminable_limit =
            number_or(request, "undeterminable_limit", service->undeterminable_limit),
        .double_share = number_or(request, "double", 0),
        .looks = (int64_t)number_or(request, "looks", 1),
        .beacon = *beacon ? beacon : NULL,
        .genesis_s = (int64_t)number_or(request, "genesis", 0),
        .period_s = (int64_t)number_or(request, "period", 0),
        .people = text_or(request, "people", ""),
        .expert_hours = number_or(request, "expert_hours", 0),
        .seconds_an_item = (int64_t)number_or(request, "seconds", 0),
        .report_to = text_or(request, "report_to", ""),
        .report_dir = set_now(now, "report_dir")};
    /* Files are read and written where the command line said, nowhere else. */
    if (*beacon == '/' && strcmp(beacon, set_now(now, "beacon")) != 0)
        return okno_fail_field(err, OKNO_INVALID, "beacon",
                               "beacon: over HTTP an http or https address is allowed");
    rc = *programme.report_to ? okno_notify_language(request->db, programme.report_to, lang, err)
                              : 0;
    if (rc == 0)
        rc = okno_programme_put(request->db, &programme, request->who.user, okno_time_now(), err);
    if (rc < 0)
        return rc;
    wake(request);
    return reply_programme(request, programme.programme, reply, err);
}

int http_post_programme_pause(struct http_request *request, struct http_reply *reply,
                              struct okno_err *err)
{
    bool paused = json_is_true(json_object_get(request->body, "paused"));
    int rc = okno_programme_pause(request->db, request->params[0], paused, request->who.user,
                                  okno_time_now(), err);
    if (rc < 0)
        return rc;
    wake(request);
    return reply_programme(request, request->params[0], reply, err);
}

/* A promise, or the secret that was promised. */
int http_post_programme_secret(struct http_request *request, struct http_reply *reply,
                               struct okno_err *err)
{
    const char *hash = text_or(request, "hash", "");
    const char *secret = text_or(request, "secret", "");
    const char *day = text_or(request, "day", "");
    const char *who = text_or(request, "who", "");
    if ((*hash != '\0') == (*secret != '\0'))
        return okno_fail_field(err, OKNO_INVALID, "hash",
                               "give the hash of a secret to commit to, or the secret to reveal");
    /* Who spoke for two would know the seed before its frame. */
    if (strcmp(who, request->who.user) != 0)
        return okno_fail_field(err, OKNO_FORBIDDEN, "who",
                               "each speaks for oneself: you are %s (for who has no login there is "
                               "`okno programme commit`)",
                               request->who.user);
    int rc = *hash ? okno_programme_commit(request->db, request->params[0], day, who, hash,
                                           okno_time_now(), err)
                   : okno_programme_reveal(request->db, request->params[0], day, who, secret,
                                           okno_time_now(), err);
    if (rc < 0)
        return rc;
    wake(request);
    return reply_programme(request, request->params[0], reply, err);
}

int http_get_programme_figures(struct http_request *request, struct http_reply *reply,
                               struct okno_err *err)
{
    json_t *figures = NULL;
    int rc = okno_programme_figures(request->db, request->params[0], http_query(request, "from"),
                                    http_query(request, "to"), &figures, err);
    return rc < 0 ? rc : http_reply_json(reply, figures, err);
}

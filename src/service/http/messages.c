/* Destinations of messages, and the messages on their way. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/notify.h"
#include "okno/time.h"

#include <string.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

static void wake(const struct http_request *request)
{
    if (request->service->wake)
        request->service->wake(request->service->wake_context);
}

static struct okno_notify_options options_of(const struct http_request *request)
{
    return (struct okno_notify_options){.public_url = request->service->public_url,
                                        .give_up_us = request->service->give_up_us};
}

int http_get_destinations(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    json_t *list = NULL;
    int rc = okno_notify_destinations(request->db, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:o}", "destinations", list), err);
}

int http_post_destination(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    reply->status = 204;
    return http_import_body(request, &okno_destination_import, err);
}

int http_post_destination_test(struct http_request *request, struct http_reply *reply,
                               struct okno_err *err)
{
    struct okno_notify_options options = options_of(request);
    int64_t delivery = 0;
    int rc = okno_notify_test(request->db, request->params[0], &options, okno_time_now(), &delivery,
                              err);
    if (rc < 0)
        return rc;
    wake(request);
    return http_reply_json(reply, json_pack("{s:I}", "delivery", (json_int_t)delivery), err);
}

int http_get_deliveries(struct http_request *request, struct http_reply *reply,
                        struct okno_err *err)
{
    json_t *list = NULL;
    const char *text = http_query(request, "limit");
    long limit = text ? strtol(text, NULL, 10) : LIMIT_DEFAULT;
    if (text && (strspn(text, "0123456789") != strlen(text) || limit < 1 || limit > LIMIT_MAX))
        return okno_fail_field(err, OKNO_INVALID, "limit", "limit must be from 1 to %d", LIMIT_MAX);
    int rc = okno_notify_list(request->db, http_query(request, "destination"),
                              http_query(request, "state"), limit, &list, err);
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:o}", "deliveries", list), err);
}

int http_post_delivery_retry(struct http_request *request, struct http_reply *reply,
                             struct okno_err *err)
{
    const char *text = request->params[0];
    size_t digits = strspn(text, "0123456789");
    int64_t delivery = digits && digits <= 15 && !text[digits] ? strtoll(text, NULL, 10) : 0;
    int64_t count = 0;
    if (delivery < 1)
        return okno_fail(err, OKNO_NOT_FOUND, "there is no message %.40s", text);
    int rc = okno_notify_retry(request->db, delivery, request->service->give_up_us, okno_time_now(),
                               &count, err);
    reply->status = 204;
    if (rc == 0)
        wake(request);
    return rc;
}

/* Events from devices: a token of the device's own, safe to repeat. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/time.h"
#include "okno/token.h"

#include <string.h>
#include <strings.h>

static bool find_bearer(const char *header, char ret_token[OKNO_TOKEN_TEXT])
{
    static const char scheme[] = "Bearer ";
    size_t len = sizeof(scheme) - 1;
    if (!header || strncasecmp(header, scheme, len) != 0)
        return false;
    header += len + strspn(header + len, " ");
    if (strlen(header) != OKNO_TOKEN_TEXT - 1)
        return false;
    memcpy(ret_token, header, OKNO_TOKEN_TEXT);
    return true;
}

static int check_rate(struct http_service *service, const char *device, struct http_reply *reply,
                      struct okno_err *err)
{
    (void)pthread_mutex_lock(&service->limiter_lock);
    int64_t wait_us = http_rate_take(&service->devices, device, okno_time_monotonic());
    (void)pthread_mutex_unlock(&service->limiter_lock);
    if (wait_us == 0)
        return 0;
    long long wait_s = (long long)((wait_us + OKNO_SECOND_US - 1) / OKNO_SECOND_US);
    http_reply_header(reply, "Retry-After", "%lld", wait_s);
    return okno_fail(err, OKNO_TOO_MANY,
                     "device %s asks too often: wait %lld s and send more events at a time", device,
                     wait_s);
}

int http_device_load(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    char token[OKNO_TOKEN_TEXT];
    int rc = find_bearer(http_header(request, "Authorization"), token)
                 ? okno_token_find(request->db, token, request->device, err)
                 : okno_fail(err, OKNO_UNAUTHENTICATED,
                             "send the device's token: Authorization: Bearer TOKEN");
    if (rc == OKNO_UNAUTHENTICATED)
        http_reply_header(reply, "WWW-Authenticate", "Bearer");
    if (rc < 0)
        return rc;
    request->role = HTTP_DEVICE;
    return check_rate(request->service, request->device, reply, err);
}

static int check_count(const json_t *items, struct okno_err *err)
{
    size_t count = json_is_array(items) ? json_array_size(items) : 1;
    if (count == 0)
        return okno_fail_field(err, OKNO_INVALID, "events",
                               "there is no event in it; allowed are 1..%d", HTTP_INTAKE_ITEMS_MAX);
    if (count > HTTP_INTAKE_ITEMS_MAX)
        return okno_fail_field(err, OKNO_TOO_LARGE, "events",
                               "%zu events at once; allowed are 1..%d: send them in parts", count,
                               HTTP_INTAKE_ITEMS_MAX);
    return 0;
}

static int read_now(const json_t *now, struct http_intake_batch *batch, struct okno_err *err)
{
    struct okno_err why = {0};
    if (!now)
        return 0;
    batch->has_now = true;
    int rc = okno_time_parse(json_string_value(now), &batch->now_us, &why);
    return rc < 0 ? okno_fail_field(err, rc, "now", "now: %s", why.text) : 0;
}

/* An envelope holds a list and nothing of an event. */
static int read_envelope(const json_t *body, struct http_intake_batch *batch, struct okno_err *err)
{
    const json_t *now = json_object_get(body, "now");
    const json_t *events = json_object_get(body, "events");
    batch->items = events ? events : body;
    if (events && json_object_size(body) != (now ? 2U : 1U))
        return okno_fail_field(err, OKNO_UNKNOWN_FIELD, "events",
                               "beside events only now is allowed");
    int rc = read_now(now, batch, err);
    return rc < 0 ? rc : check_count(batch->items, err);
}

int http_post_events(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct http_service *service = request->service;
    okno_autojson json_t *results = json_array();
    struct http_intake_batch batch = {
        .device = request->device, .arrived_us = okno_time_now(), .results = results};
    if (!results)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer");
    int rc = read_envelope(request->body, &batch, err);
    if (rc == 0)
        rc = http_intake_store(&service->intake, request->db, &batch, err);
    if (rc < 0)
        return rc;
    if (batch.added > 0)
        http_panel_tell(request, &batch);
    if (batch.added > 0 && service->wake)
        service->wake(service->wake_context);
    reply->status = 202;
    return http_reply_json(reply, json_incref(results), err);
}

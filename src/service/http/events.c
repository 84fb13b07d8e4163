/* Events from devices: a token of the device's own, safe to repeat. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/time.h"
#include "okno/token.h"

#include <string.h>
#include <strings.h>

bool http_bearer(const struct http_request *request, char ret_token[OKNO_TOKEN_TEXT])
{
    const char *header = http_header(request, "Authorization");
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
    int rc = http_bearer(request, token)
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

int http_post_events(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct http_service *service = request->service;
    okno_autojson json_t *results = json_array();
    struct http_intake_batch batch = {
        .device = request->device, .arrived_us = okno_time_now(), .results = results};
    if (!results)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer");
    int rc = http_event_envelope(request->body, &batch, err);
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

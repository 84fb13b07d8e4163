/* Soft panels: a browser's way to its token, its question, the presses of its point; and those who
 * invite it. */
#define _POSIX_C_SOURCE 200809L
#include "handlers.h"

#include "okno/log.h"
#include "okno/panel.h"
#include "okno/qr.h"
#include "okno/time.h"
#include "okno/token.h"
#include "range.h"
#include "rights.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { GUESSES = 10 };
static const int64_t schedule_us = 14 * OKNO_DAY_US;
static const int64_t press_age_us = 120 * OKNO_SECOND_US; /* the longest window */
static const int64_t ping_us = 10 * OKNO_SECOND_US;
static const int64_t stream_us = 540 * OKNO_SECOND_US; /* less than a whole answer may take */

/* ---- where the device stands ---- */

/* The pairing that stands now; false without one. */
static int find_pairing(struct okno_db *db, const char *device, int64_t now_us, bool *ret_found,
                        struct okno_pairing *ret_pairing, struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_pairing_vec) pairings = {0};
    int rc = okno_registry_pairings(db, device, NULL, &pairings, err);
    *ret_found = false;
    for (size_t i = 0; rc == 0 && i < pairings.len; i++)
        if (pairings.items[i].from_us <= now_us && now_us < pairings.items[i].to_us) {
            *ret_pairing = pairings.items[i];
            *ret_found = true;
        }
    return rc;
}

static int need_pairing(struct http_request *request, struct okno_pairing *ret_pairing,
                        struct okno_err *err)
{
    bool found = false;
    int rc = find_pairing(request->db, request->device, okno_time_now(), &found, ret_pairing, err);
    if (rc == 0 && !found)
        rc = okno_fail(err, OKNO_NOT_FOUND, "device %s is at no point now", request->device);
    return rc;
}

int http_device_point(struct http_request *request, char ret_point[OKNO_ID_TEXT],
                      struct okno_err *err)
{
    struct okno_pairing pairing;
    int rc = need_pairing(request, &pairing, err);
    if (rc == 0)
        (void)snprintf(ret_point, OKNO_ID_TEXT, "%s", pairing.point);
    return rc;
}

/* ---- invitations ---- */

void http_base_url(const struct http_request *request, char ret_url[HTTP_URL_TEXT])
{
    const char *host = http_header(request, "Host");
    const char *url = request->service->public_url;
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    if (len > 0)
        (void)snprintf(ret_url, HTTP_URL_TEXT, "%.*s", (int)len, url);
    else
        (void)snprintf(ret_url, HTTP_URL_TEXT, "http://%.255s", host ? host : "localhost");
}

json_t *http_qr_json(const char *text)
{
    OKNO_AUTO_BUF path = OKNO_BUF_INIT(1U << 20);
    int size = 0;
    if (okno_qr_path(text, &path, &size, NULL) < 0)
        return json_null();
    return json_pack("{s:i, s:s}", "size", size, "path", okno_buf_text(&path));
}

/* Who sees some sites only takes no device of another site. */
static int check_device(const struct http_request *request, const char *device,
                        struct okno_err *err)
{
    int64_t free = 1;
    if (!request->sites)
        return 0;
    int rc = OKNO_DB_INT(request->db, "service.may_take_device", 0, &free, err,
                         OKNO_TEXT("id", device), OKNO_TEXT("sites", request->sites));
    if (rc == 0 && !free)
        rc = okno_fail_field(err, OKNO_FORBIDDEN, "device",
                             "this device was at a site that is not granted to you: choose another "
                             "name, or ask an administrator");
    return rc;
}

int http_post_panel(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    const json_t *label = json_object_get(request->body, "label");
    const struct okno_panel_invitation invitation = {
        .device = json_string_value(json_object_get(request->body, "device")),
        .point = json_string_value(json_object_get(request->body, "point")),
        .role = json_string_value(json_object_get(request->body, "role")),
        .label = label ? json_string_value(label) : "",
        .author = request->who.user,
    };
    char code[OKNO_PANEL_CODE_TEXT];
    char base[HTTP_URL_TEXT];
    char url[HTTP_URL_TEXT + 32];
    int64_t now_us = okno_time_now();
    int rc = http_rights_point(request, invitation.point, err);
    if (rc == 0)
        rc = check_device(request, invitation.device, err);
    if (rc == 0)
        rc = okno_panel_invite(request->db, &invitation, now_us, code, err);
    if (rc < 0)
        return rc;
    http_base_url(request, base);
    (void)snprintf(url, sizeof(url), "%s/panel#%s", base, code);
    return http_reply_json(reply,
                           json_pack("{s:s, s:s, s:s, s:o, s:o}", "device", invitation.device,
                                     "code", code, "url", url, "expires_at",
                                     okno_json_time(now_us + OKNO_PANEL_CODE_US), "qr",
                                     http_qr_json(url)),
                           err);
}

int http_get_panels(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    okno_autojson json_t *list = NULL;
    int rc = okno_panel_list(request->db, okno_time_now(), &list, err);
    for (size_t i = rc == 0 ? json_array_size(list) : 0; rc == 0 && i-- > 0;) {
        struct okno_err why = {0};
        const json_t *point = json_object_get(json_array_get(list, i), "point");
        rc = http_rights_point(request, json_string_value(point), &why);
        if (rc == OKNO_FORBIDDEN)
            rc = json_array_remove(list, i);
        else if (rc < 0)
            rc = okno_fail(err, rc, "%s", why.text);
    }
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:O}", "panels", list), err);
}

int http_post_panel_revoke(struct http_request *request, struct http_reply *reply,
                           struct okno_err *err)
{
    int64_t count = 0;
    int rc = okno_panel_revoke(request->db, request->params[0], okno_time_now(), &count, err);
    return rc < 0 ? rc
                  : http_reply_json(reply, json_pack("{s:I}", "revoked", (json_int_t)count), err);
}

/* ---- a browser takes its invitation ---- */

static int check_guesses(const struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    struct http_service *service = request->service;
    (void)pthread_mutex_lock(&service->limiter_lock);
    int64_t wait_us =
        http_limiter_wait_us(&service->guesses, request->network, GUESSES, okno_time_monotonic());
    (void)pthread_mutex_unlock(&service->limiter_lock);
    if (wait_us == 0)
        return 0;
    long long wait_s = (long long)(wait_us / OKNO_SECOND_US + 1);
    http_reply_header(reply, "Retry-After", "%lld", wait_s);
    return okno_fail(err, OKNO_TOO_MANY, "too many wrong codes: wait %lld s", wait_s);
}

static void count_guess(const struct http_request *request)
{
    struct http_service *service = request->service;
    (void)pthread_mutex_lock(&service->limiter_lock);
    http_limiter_fail(&service->guesses, request->network, okno_time_monotonic());
    (void)pthread_mutex_unlock(&service->limiter_lock);
}

int http_post_pair(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_panel_access access;
    const char *code = json_string_value(json_object_get(request->body, "code"));
    int rc = check_guesses(request, reply, err);
    if (rc < 0)
        return rc;
    rc = okno_panel_accept(request->db, code, okno_time_now(), &access, err);
    if (rc == OKNO_UNAUTHENTICATED)
        count_guess(request);
    if (rc < 0)
        return rc;
    return http_reply_json(reply,
                           json_pack("{s:s, s:s, s:I}", "device", access.device, "token",
                                     access.token, "boot", (json_int_t)access.boot),
                           err);
}

/* ---- what a panel asks ---- */

static json_t *prompt_json(const struct okno_prompt *prompt)
{
    if (!*prompt->sha256)
        return json_null();
    return json_pack("{s:s, s:s, s:I, s:I}", "sha256", prompt->sha256, "type", prompt->media_type,
                     "bytes", (json_int_t)prompt->bytes, "duration_ms",
                     (json_int_t)(prompt->duration_us / OKNO_MS_US));
}

static json_t *segment_json(const struct okno_panel_segment *segment)
{
    const struct okno_question *question = &segment->question;
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:f, s:o}", "from",
                     okno_json_time(segment->from_us), "to", okno_json_time(segment->to_us),
                     "language", segment->language, "question", question->question, "kind",
                     question->kind, "text", okno_json_text(question->text), "window_s",
                     (double)question->window_us / OKNO_SECOND_US, "prompt",
                     prompt_json(&segment->prompt));
}

static int schedule_json(struct okno_db *db, const char *point, int64_t now_us, json_t **ret_list,
                         struct okno_err *err)
{
    OKNO_AUTO_VEC(okno_panel_segment_vec) segments = {0};
    okno_autojson json_t *list = json_array();
    int rc = okno_panel_schedule(db, point, now_us - OKNO_DAY_US / 24, now_us + schedule_us,
                                 &segments, err);
    for (size_t i = 0; rc == 0 && i < segments.len; i++)
        if (json_array_append_new(list, segment_json(&segments.items[i])) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for the questions");
    if (rc == 0)
        *ret_list = json_incref(list);
    return rc;
}

int http_get_panel(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_pairing pairing;
    struct okno_point point;
    json_t *questions = NULL;
    int64_t now_us = okno_time_now();
    int rc = need_pairing(request, &pairing, err);
    if (rc == 0)
        rc = okno_registry_point(request->db, pairing.point, &point, err);
    if (rc == 0)
        rc = schedule_json(request->db, pairing.point, now_us, &questions, err);
    if (rc < 0)
        return rc;
    const char *role = !pairing.panel ? "button" : pairing.button ? "both" : "panel";
    return http_reply_json(reply,
                           json_pack("{s:s, s:s, s:o, s:s, s:b, s:s, s:s, s:o, s:o}", "device",
                                     request->device, "point", pairing.point, "name",
                                     okno_json_text(point.name), "role", role, "test", pairing.test,
                                     "time_zone", point.site.time_zone, "language",
                                     request->service->language, "now", okno_json_time(now_us),
                                     "questions", questions),
                           err);
}

/* Whole: the panel keeps it, and plays it from there. */
int http_get_prompt(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_pairing pairing;
    char type[OKNO_PROMPT_TYPE_TEXT];
    char etag[OKNO_SHA256_TEXT + 3];
    int rc = need_pairing(request, &pairing, err);
    if (rc == 0)
        rc = okno_prompt_read(request->db, request->params[0], pairing.point, &reply->body, type,
                              err);
    if (rc < 0)
        return rc;
    (void)snprintf(etag, sizeof(etag), "\"%.64s\"", request->params[0]);
    http_reply_header(reply, "ETag", "%s", etag);
    http_reply_header(reply, "Cache-Control", "private, immutable, max-age=31536000");
    reply->type = strcmp(type, "audio/wav") == 0    ? "audio/wav"
                  : strcmp(type, "audio/mpeg") == 0 ? "audio/mpeg"
                  : strcmp(type, "audio/ogg") == 0  ? "audio/ogg"
                  : strcmp(type, "audio/mp4") == 0  ? "audio/mp4"
                  : strcmp(type, "video/mp4") == 0  ? "video/mp4"
                                                    : "video/webm";
    if (http_etag_listed(http_header(request, "If-None-Match"), etag)) {
        okno_buf_free(&reply->body);
        reply->status = 304;
    }
    return 0;
}

static int read_time(const json_t *body, const char *name, int64_t *ret_us, struct okno_err *err)
{
    const char *text = json_string_value(json_object_get(body, name));
    struct okno_err why = {0};
    *ret_us = INT64_MIN;
    int rc = text ? okno_time_parse(text, ret_us, &why) : 0;
    return rc < 0 ? okno_fail_field(err, rc, name, "%s: %s", name, why.text) : 0;
}

int http_post_panel_state(struct http_request *request, struct http_reply *reply,
                          struct okno_err *err)
{
    const json_t *body = request->body;
    struct okno_panel_state state = {
        .at_us = okno_time_now(),
        .queued = json_integer_value(json_object_get(body, "queued")),
        .refused = json_integer_value(json_object_get(body, "refused")),
    };
    int rc = read_time(body, "oldest_at", &state.oldest_us, err);
    if (rc == 0)
        rc = read_time(body, "sent_at", &state.sent_us, err);
    if (rc == 0)
        rc = okno_panel_note_state(request->db, request->device, &state, err);
    reply->status = 202;
    return rc < 0 ? rc
                  : http_reply_json(reply, json_pack("{s:o}", "now", okno_json_time(state.at_us)),
                                    err);
}

int http_post_panel_boot(struct http_request *request, struct http_reply *reply,
                         struct okno_err *err)
{
    int64_t boot = 0;
    int rc = okno_panel_next_boot(request->db, request->device, &boot, err);
    reply->status = 202;
    return rc < 0 ? rc : http_reply_json(reply, json_pack("{s:I}", "boot", (json_int_t)boot), err);
}

/* ---- presses and answers as they come ---- */

static void tell_press(struct http_request *request, const char *point, const json_t *result,
                       bool answer, int64_t age_us)
{
    struct http_press press = {.answer = answer, .at_us = okno_time_monotonic() - age_us};
    press.boot = json_integer_value(json_object_get(result, "boot"));
    press.seq = json_integer_value(json_object_get(result, "seq"));
    (void)snprintf(press.point, sizeof(press.point), "%s", point);
    (void)snprintf(press.device, sizeof(press.device), "%s", request->device);
    http_live_tell(&request->service->live, &press);
}

/* A short press or an answer that was stored just now and is no older than a window. */
static bool is_fresh(const json_t *item, const json_t *result, int64_t shown_us, bool *ret_answer,
                     int64_t *ret_age_us)
{
    const char *kind = json_string_value(json_object_get(item, "kind"));
    const json_t *duration = json_object_get(item, "duration_ms");
    int64_t ms = json_integer_value(duration);
    int64_t at_us = 0;
    *ret_answer = kind && okno_text_is_word(kind, "yes no unsure");
    bool press = kind ? *ret_answer || strcmp(kind, "press") == 0
                      : duration && ms >= OKNO_EVENT_PRESS_MS && ms < OKNO_EVENT_HOLD_MS;
    const char *told = json_string_value(json_object_get(result, "result"));
    if (!press || !told || strcmp(told, "added") != 0 ||
        okno_time_parse(json_string_value(json_object_get(item, "time")), &at_us, NULL) < 0)
        return false;
    *ret_age_us = shown_us > at_us ? shown_us - at_us : 0;
    return *ret_age_us < press_age_us;
}

void http_panel_tell(struct http_request *request, const struct http_intake_batch *batch)
{
    bool many = json_is_array(batch->items);
    size_t count = json_array_size(batch->results);
    int64_t shown_us = batch->has_now ? batch->now_us : batch->arrived_us;
    bool found = false;
    bool looked = false;
    struct okno_pairing pairing;
    struct okno_err err = {0};
    for (size_t i = 0; i < count; i++) {
        const json_t *item = many ? json_array_get(batch->items, i) : batch->items;
        int64_t age_us = 0;
        bool answer = false;
        if (!is_fresh(item, json_array_get(batch->results, i), shown_us, &answer, &age_us))
            continue;
        if (!looked && find_pairing(request->db, request->device, batch->arrived_us, &found,
                                    &pairing, &err) < 0)
            okno_log(OKNO_LOG_WARNING, "http", "panels are not told of a press: %s", err.text);
        looked = true;
        if (!found)
            return;
        if (answer ? pairing.panel : pairing.button)
            tell_press(request, pairing.point, json_array_get(batch->results, i), answer, age_us);
    }
}

static json_t *press_json(const struct http_press *press)
{
    return json_pack("{s:s, s:I, s:s, s:I, s:I, s:I}", "kind", press->answer ? "answer" : "press",
                     "number", (json_int_t)press->number, "device", press->device, "boot",
                     (json_int_t)press->boot, "seq", (json_int_t)press->seq, "age_ms",
                     (json_int_t)((okno_time_monotonic() - press->at_us) / OKNO_MS_US));
}

struct stream {
    struct http_service *service;
    struct http_live *live;
    int place;
    char token[OKNO_TOKEN_TEXT];
    char point[OKNO_ID_TEXT];
    uint64_t after;
    int64_t until_us;
    bool answers, greeted;
};

static void stream_free(void *context)
{
    struct stream *stream = context;
    http_live_leave(stream->live, stream->place);
    sodium_memzero(stream, sizeof(*stream));
    free(stream);
}

/* Whether the token still opens, and the device still stands where it stood: a revoked tablet, or
 * one that was moved, hears no more. */
static bool may_hear(struct stream *stream)
{
    char device[OKNO_ID_TEXT] = "";
    bool found = false;
    struct okno_pairing pairing;
    struct okno_err err = {0};
    struct okno_db *db = NULL;
    int rc = http_pool_take(&stream->service->pool, &db, &err);
    if (rc == 0)
        rc = okno_token_find(db, stream->token, device, &err);
    if (rc == 0)
        rc = find_pairing(db, device, okno_time_now(), &found, &pairing, &err);
    http_pool_give(&stream->service->pool, db);
    return rc == 0 && found && strcmp(pairing.point, stream->point) == 0;
}

/* A stream's pieces end without a NUL. */
static size_t text_into(char *bytes, size_t size, const char *text)
{
    size_t len = 0;
    while (len < size && text[len]) {
        bytes[len] = text[len];
        len++;
    }
    return len;
}

static size_t stream_next(void *context, char *bytes, size_t size)
{
    struct stream *stream = context;
    struct http_press press;
    char text[512];
    if (!stream->greeted) { /* the client learns at once that it hears */
        stream->greeted = true;
        return text_into(bytes, size, "retry: 2000\n: listening\n\n");
    }
    if (okno_time_monotonic() >= stream->until_us || http_live_stopping(stream->live))
        return 0;
    bool pressed = http_live_next(stream->live, stream->point, stream->answers, &stream->after,
                                  ping_us, &press);
    if (!may_hear(stream))
        return 0;
    if (!pressed)
        return http_live_stopping(stream->live) ? 0 : text_into(bytes, size, ": here\n\n");
    okno_autojson json_t *json = press_json(&press);
    okno_autofree char *data = json ? json_dumps(json, JSON_COMPACT) : NULL;
    (void)snprintf(text, sizeof(text), "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", press.number,
                   press.answer ? "answer" : "press", data ? data : "null");
    return text_into(bytes, size, text);
}

/* Answers, too, for those who ask for them: that there was one, not which. */
static bool hears_answers(const struct http_request *request)
{
    const char *text = http_query(request, "answers");
    return text && strcmp(text, "true") == 0;
}

static int reply_stream(struct http_request *request, struct http_reply *reply, const char *point,
                        uint64_t after, struct okno_err *err)
{
    struct http_live *live = &request->service->live;
    int place = http_live_enter(live, request->device);
    if (place < 0) {
        http_reply_header(reply, "Retry-After", "30");
        return okno_fail(err, OKNO_BUSY,
                         "%d panels listen already, or this one %d times: ask again and again "
                         "instead",
                         HTTP_LIVE_STREAMS, HTTP_LIVE_PER_DEVICE);
    }
    struct stream *stream = calloc(1, sizeof(*stream));
    if (!stream) {
        http_live_leave(live, place);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a stream");
    }
    *stream = (struct stream){.service = request->service,
                              .live = live,
                              .place = place,
                              .after = after,
                              .answers = hears_answers(request),
                              .until_us = okno_time_monotonic() + stream_us};
    (void)http_bearer(request, stream->token);
    (void)snprintf(stream->point, sizeof(stream->point), "%s", point);
    reply->type = "text/event-stream";
    reply->stream = stream_next;
    reply->stream_context = stream;
    reply->stream_free = stream_free;
    http_reply_header(reply, "X-Accel-Buffering", "no");
    return 0;
}

static int reply_presses(struct http_request *request, struct http_reply *reply, const char *point,
                         uint64_t after, struct okno_err *err)
{
    struct http_press press;
    okno_autojson json_t *list = json_array();
    bool answers = hears_answers(request);
    while (http_live_next(&request->service->live, point, answers, &after, 0, &press))
        if (json_array_append_new(list, press_json(&press)) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the presses");
    return http_reply_json(
        reply, json_pack("{s:I, s:O}", "after", (json_int_t)after, "presses", list), err);
}

/* Without `after`: from now on. */
int http_get_presses(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    struct okno_pairing pairing;
    const char *text = http_query(request, "after");
    const char *accept = http_header(request, "Accept");
    char *end = NULL;
    if (text && (strspn(text, "0123456789") != strlen(text) || strlen(text) > 18 || !*text))
        return okno_fail_field(err, OKNO_INVALID, "after", "after is a number that was told");
    const char *answers = http_query(request, "answers");
    if (answers && !okno_text_is_word(answers, "true false"))
        return okno_fail_field(err, OKNO_INVALID, "answers", "answers must be true or false");
    uint64_t after = text ? strtoull(text, &end, 10) : http_live_now(&request->service->live);
    int rc = need_pairing(request, &pairing, err);
    if (rc < 0)
        return rc;
    return accept && strstr(accept, "text/event-stream")
               ? reply_stream(request, reply, pairing.point, after, err)
               : reply_presses(request, reply, pairing.point, after, err);
}

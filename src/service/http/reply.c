#include "reply.h"

#include "okno/mem.h"

#include <assert.h>
#include <string.h>

const char *const http_reply_always[] = {
    "Content-Security-Policy",
    ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
     "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"),
    "X-Content-Type-Options",
    "nosniff",
    "Referrer-Policy",
    "no-referrer",
    "Cross-Origin-Opener-Policy",
    "same-origin",
    "Cross-Origin-Resource-Policy",
    "same-origin",
    "Permissions-Policy",
    "camera=(), microphone=(), geolocation=()",
    "Connection",
    "close",
    NULL,
};

void http_reply_reset(struct http_reply *reply)
{
    okno_buf_free(&reply->body);
    okno_mem_close_at(&reply->fd);
    if (reply->stream_free)
        reply->stream_free(reply->stream_context);
    *reply = (struct http_reply)HTTP_REPLY_INIT;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *fmt, ...)
{
    assert(reply->header_count < HTTP_HEADERS_MAX);
    struct http_header *header = &reply->headers[reply->header_count++];
    va_list args;
    va_start(args, fmt);
    (void)snprintf(header->name, sizeof(header->name), "%s", name);
    (void)vsnprintf(header->value, sizeof(header->value), fmt, args);
    va_end(args);
}

int http_reply_json(struct http_reply *reply, json_t *json, struct okno_err *err)
{
    okno_autojson json_t *owned = json;
    okno_autofree char *text =
        owned ? json_dumps(owned, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    if (!text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the answer");
    reply->type = "application/json";
    return okno_buf_add_text(&reply->body, text, err);
}

/* Of these the client learns the code only. */
static bool is_inner(int code)
{
    return code == OKNO_FAILED || code == OKNO_IO || code == OKNO_DATABASE ||
           code == OKNO_NO_MEMORY || code == OKNO_CONFIG;
}

static char *error_text(int code, const char *message, const char *field)
{
    const struct okno_code_info *info = okno_code_info(code);
    if (is_inner(info->code) || !*message)
        message = info->en;
    okno_autojson json_t *json =
        json_pack("{s:{s:s, s:o, s:o}}", "error", "code", info->name, "message",
                  okno_json_text(message), "field", *field ? okno_json_text(field) : json_null());
    return json ? json_dumps(json, JSON_COMPACT) : NULL;
}

void http_reply_error(struct http_reply *reply, int code, const struct okno_err *err)
{
    /* Headers such as Retry-After and Allow were set on purpose before the failure. */
    struct http_reply fresh = HTTP_REPLY_INIT;
    memcpy(fresh.headers, reply->headers, sizeof(fresh.headers));
    fresh.header_count = reply->header_count;
    http_reply_reset(reply);
    *reply = fresh;
    reply->status = okno_code_info(code)->http_status;
    reply->type = "application/json";
    if (reply->status == 503 &&
        reply->header_count < HTTP_HEADERS_MAX) /* a full disk takes longer */
        http_reply_header(reply, "Retry-After", "%d", code == OKNO_NO_SPACE ? 30 : 1);
    okno_autofree char *text = error_text(code, err->text, err->field);
    if (text && okno_buf_add_text(&reply->body, text, NULL) == 0)
        return;
    reply->fixed = "{\"error\":{\"code\":\"no_memory\",\"message\":\"\",\"field\":null}}";
    reply->fixed_len = strlen(reply->fixed);
}

static const char *reason_phrase(int status)
{
    switch (status) {
    case 408:
        return "Request Timeout";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Bad Request";
    }
}

int http_reply_raw(struct okno_buf *buf, int status, int code, const char *message)
{
    okno_autofree char *text = error_text(code, message, "");
    if (!text)
        return OKNO_NO_MEMORY;
    int rc = okno_buf_printf(buf, NULL,
                             "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\nCache-Control: no-store\r\n%s",
                             status, reason_phrase(status), strlen(text),
                             status == 503 ? "Retry-After: 1\r\n" : "");
    for (size_t i = 0; rc == 0 && http_reply_always[i]; i += 2)
        rc = okno_buf_printf(buf, NULL, "%s: %s\r\n", http_reply_always[i],
                             http_reply_always[i + 1]);
    return rc < 0 ? rc : okno_buf_printf(buf, NULL, "\r\n%s", text);
}

/* What a server's headers said, and what a failure means. */
#define _POSIX_C_SOURCE 200809L
#include "net_call.h"

#include "okno/time.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* --- replies, header by header --- */

void net_forget_reply(struct call *call)
{
    call->reply = (struct okno_net_reply){.total = -1, .date_us = -1};
    call->content_length = call->range_from = call->range_to = call->range_total = -1;
    call->has_range = call->bad_range = call->coded = call->checked = false;
    call->error_bytes = 0;
    call->refusal_len = 0;
}

/* Digits up to `stop` into *ret; -1 otherwise. Moves *at past `stop`. */
static int take_size(const char **at, char stop, int64_t *ret)
{
    int64_t value = 0;
    if (!isdigit((unsigned char)**at))
        return -1;
    for (; isdigit((unsigned char)**at); (*at)++) {
        if (value > (INT64_MAX - 9) / 10)
            return -1;
        value = value * 10 + (**at - '0');
    }
    if (**at != stop)
        return -1;
    *at += stop != '\0';
    *ret = value;
    return 0;
}

/* "bytes 0-99/1234", "bytes 0-99/" and a star, or "bytes " star "/1234". */
static void read_content_range(struct call *call, const char *text)
{
    call->has_range = true;
    call->bad_range = true;
    if (strncasecmp(text, "bytes ", 6) != 0)
        return;
    text += 6;
    if (text[0] == '*' && text[1] == '/') {
        text += 2;
    } else if (take_size(&text, '-', &call->range_from) || take_size(&text, '/', &call->range_to)) {
        return;
    }
    if (strcmp(text, "*") != 0 && take_size(&text, '\0', &call->range_total))
        return;
    call->bad_range = false;
}

static void read_other_header(struct okno_net_reply *reply, const char *name, const char *value)
{
    if (strcasecmp(name, "content-type") == 0) {
        (void)snprintf(reply->content_type, sizeof(reply->content_type), "%.*s",
                       (int)strcspn(value, "; \t"), value);
        for (char *at = reply->content_type; *at; at++)
            *at = (char)tolower((unsigned char)*at);
    } else if (strcasecmp(name, "location") == 0) {
        if (strlen(value) < sizeof(reply->location))
            (void)snprintf(reply->location, sizeof(reply->location), "%s", value);
    } else if (strcasecmp(name, "set-cookie") == 0) {
        size_t len = strcspn(value, ";");
        if (len < sizeof(reply->cookie))
            (void)snprintf(reply->cookie, sizeof(reply->cookie), "%.*s", (int)len, value);
    }
}

static void read_header(struct call *call, const char *name, const char *value)
{
    if (strcasecmp(name, "etag") == 0) {
        if (strlen(value) < sizeof(call->reply.etag))
            (void)snprintf(call->reply.etag, sizeof(call->reply.etag), "%s", value);
    } else if (strcasecmp(name, "last-modified") == 0) {
        if (okno_net_date(value) >= 0)
            (void)snprintf(call->reply.last_modified, sizeof(call->reply.last_modified), "%.39s",
                           value);
    } else if (strcasecmp(name, "date") == 0) {
        call->reply.date_us = okno_net_date(value);
    } else if (strcasecmp(name, "content-length") == 0) {
        const char *at = value;
        if (take_size(&at, '\0', &call->content_length))
            call->content_length = -1;
    } else if (strcasecmp(name, "content-range") == 0) {
        read_content_range(call, value);
    } else if (strcasecmp(name, "content-encoding") == 0) {
        call->coded = strcasecmp(value, "identity") != 0;
    } else {
        read_other_header(&call->reply, name, value);
    }
}

/* Note the failure and make libcurl stop: a callback's return value that differs from its input. */
size_t net_stop(struct call *call, int code)
{
    call->failed = code;
    return 0;
}

bool net_is_good(const struct call *call)
{
    return call->reply.status >= 200 && call->reply.status < 300;
}

static int check_range(struct call *call)
{
    int64_t last = call->offset + call->len - 1;
    if (call->has_range && call->range_total >= 0 && call->range_total - 1 < last)
        last = call->range_total - 1;
    if (!call->has_range || call->bad_range || call->range_from != call->offset ||
        call->range_to != last)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: asked for bytes %" PRId64 "-%" PRId64 ", the reply holds %" PRId64
                         "-%" PRId64 " of %" PRId64,
                         call->shown, call->offset, call->offset + call->len - 1, call->range_from,
                         call->range_to, call->range_total);
    int64_t want = last - call->offset + 1;
    if (call->content_length >= 0 && call->content_length != want)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: Content-Length %" PRId64 " contradicts a range of %" PRId64 " bytes",
                         call->shown, call->content_length, want);
    call->reply.total = call->range_total;
    return 0;
}

/* A whole body although a range was asked. */
static int check_ignored_range(struct call *call)
{
    if (call->tagged)
        return okno_fail(call->err, OKNO_GONE, "%s: was replaced while it was read", call->shown);
    if (call->content_length < 0 || (uint64_t)call->content_length > call->body->max)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: the server ignores byte ranges; switch them on there", call->shown);
    call->reply.whole = true;
    return 0;
}

/* Judge a good reply once its headers are read. */
static int check_headers(struct call *call)
{
    int status = call->reply.status;
    if (status != 200 && status != 206 && !call->free_form)
        return okno_fail(call->err, OKNO_PROTOCOL, "%s: unexpected status %d", call->shown, status);
    if (call->coded)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: the body is compressed although that was not asked for", call->shown);
    if (status == 206)
        return call->ranged
                   ? check_range(call)
                   : okno_fail(call->err, OKNO_PROTOCOL, "%s: a part for a whole", call->shown);
    call->reply.total = call->content_length;
    if (call->ranged)
        return check_ignored_range(call);
    if (!call->streamed && call->content_length >= 0 &&
        (uint64_t)call->content_length > call->body->max)
        return okno_fail(call->err, OKNO_TOO_LARGE,
                         "%s: %" PRId64 " bytes, more than the %zu allowed", call->shown,
                         call->content_length, call->body->max);
    return 0;
}

size_t net_on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct call *call = arg;
    size_t len = size * count;
    char line[1024];
    if (len >= sizeof(line))
        return len; /* nothing read here is that long */
    memcpy(line, bytes, len);
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (strncmp(line, "HTTP/", 5) == 0) {
        net_forget_reply(call);
        const char *space = strchr(line, ' ');
        call->reply.status = space ? (int)strtol(space, NULL, 10) : 0;
        call->net->requests += call->reply.status >= 200;
        return len;
    }
    char *value = strchr(line, ':');
    if (!value) {
        if (line[0] == '\0' && net_is_good(call) && !call->checked) {
            call->checked = true;
            int rc = check_headers(call);
            return rc < 0 ? net_stop(call, rc) : len;
        }
        return len;
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    for (size_t end = strlen(value); end && isspace((unsigned char)value[end - 1]);)
        value[--end] = '\0';
    read_header(call, line, value);
    return len;
}

/* --- failures --- */

static int fail_redirect(const struct call *call)
{
    char where[256] = "";
    const char *url = NULL; /* owned by the handle */
    (void)curl_easy_getinfo(call->net->curl, CURLINFO_REDIRECT_URL, &url);
    if (url)
        net_shown(call->net, url, where, sizeof(where));
    if (!where[0])
        (void)snprintf(where, sizeof(where), "an address that cannot be read");
    return okno_fail(call->err, OKNO_ARCHIVE_REFUSED,
                     "%s: redirected to %s; redirects are not followed, use that address if it is "
                     "right",
                     call->shown, where);
}

void net_on_refusal(struct call *call, const char *bytes, size_t len)
{
    size_t room = sizeof(call->refusal) - 1 - call->refusal_len;
    size_t part = len < room ? len : room;
    call->error_bytes += (int64_t)len;
    if (!call->net->explain || call->free_form)
        return;
    memcpy(call->refusal + call->refusal_len, bytes, part);
    call->refusal_len += part;
}

static int fail_status(const struct call *call)
{
    int status = call->reply.status;
    struct okno_err *err = call->err;
    if (status >= 300 && status < 400)
        return fail_redirect(call);
    switch (status) {
    case 401:
        return okno_fail(err, OKNO_ARCHIVE_AUTH, "%s: %s (401)", call->shown,
                         call->net->has_login ? "user or password refused" : "a login is required");
    case 403:
        return okno_fail(err, OKNO_ARCHIVE_AUTH, "%s: access is forbidden (403)", call->shown);
    case 404:
        return okno_fail(err, OKNO_NOT_FOUND, "%s: not there (404)", call->shown);
    case 410:
        return okno_fail(err, OKNO_GONE, "%s: no longer there (410)", call->shown);
    case 416:
        return okno_fail(err, OKNO_GONE,
                         "%s: ends before byte %" PRId64 "; it has changed since it was listed",
                         call->shown, call->offset);
    case 429:
    case 503:
        return okno_fail_retry(err, OKNO_ARCHIVE_BUSY, call->net->retry_after_us,
                               "%s: the archive is busy (%d), it asks to wait %" PRId64 " s",
                               call->shown, status, call->net->retry_after_us / OKNO_SECOND_US);
    default:
        break;
    }
    if (status >= 400 && status < 500 && status != 408)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED, "%s: refused with status %d", call->shown,
                         status);
    return okno_fail(err, status == 408 || status >= 500 ? OKNO_TRANSIENT : OKNO_PROTOCOL,
                     "%s: failed with status %d", call->shown, status);
}

int net_fail_status(const struct call *call)
{
    int rc = fail_status(call);
    if ((rc != OKNO_ARCHIVE_AUTH && rc != OKNO_ARCHIVE_REFUSED) || call->refusal_len == 0 ||
        !call->err)
        return rc;
    const struct okno_err why = *call->err;
    *call->err = (struct okno_err){0};
    return call->net->explain(call->refusal, call->refusal_len, call->shown, &why, call->err);
}

static int code_of_curl(CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return OKNO_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
        return OKNO_TRANSIENT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: /* also a reply that is not HTTP/1 */
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    default:
        return OKNO_PROTOCOL;
    }
}

int net_fail_transfer(struct call *call, CURLcode code)
{
    int rc = okno_budget_check(call->net->budget, call->shown, call->err);
    if (rc < 0)
        return rc;
    if (call->gate->refused.code && code == CURLE_COULDNT_CONNECT)
        return okno_fail(call->err, call->gate->refused.code, "%s", call->gate->refused.text);
    rc = call->by_file ? net_file_fail(call, code) : 0;
    if (rc < 0)
        return rc;
    if (code == CURLE_OUT_OF_MEMORY) /* so it says of a header line without end */
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: an answer whose headers are more than is taken", call->shown);
    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: its public key is not the one in the archive's option pin",
                         call->shown);
    if (code == CURLE_PARTIAL_FILE)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: the body ended after %zu bytes, before its announced length",
                         call->shown, call->body->len);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return okno_fail(call->err, OKNO_TIMEOUT, "%s: no complete answer in time (%zu bytes came)",
                         call->shown, call->body->len);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return okno_fail(call->err, OKNO_PROTOCOL,
                         "%s: its certificate is not trusted (%s); add the certificate of its "
                         "issuer to this machine's store, or name it in the archive's option ca",
                         call->shown, call->net->why);
    const char *why = call->net->why[0] ? call->net->why : curl_easy_strerror(code);
    return okno_fail(call->err, code_of_curl(code), "%s: %s", call->shown, why);
}

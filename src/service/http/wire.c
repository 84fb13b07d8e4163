#define _GNU_SOURCE /* memmem, strncasecmp */
#include "wire.h"

#include "okno/mem.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
    HEADERS_MAX = 64,
    METHOD_MAX = 16,
    LENGTH_DIGITS_MAX = 15,
    PARAMS_MAX = 64, /* the library keeps an entry for each and drops the connection when full */
    COOKIES_MAX = 64
};

struct text {
    const char *at;
    size_t len;
};

/* What the header lines said. */
struct facts {
    int count;
    bool has_host, has_length, has_coding;
    bool seen[16]; /* by place in once_only */
    uint64_t length;
};

/* Named once or not at all: two of them could be read differently by two programs. */
static const char *const once_only[] = {
    "host",   "content-length", "transfer-encoding", "content-type", "origin",
    "range",  "if-range",       "if-none-match",     "cookie",       "authorization",
    "expect", "x-real-ip",      "sec-fetch-site",
};

static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_control(char c)
{
    unsigned char u = (unsigned char)c;
    return (u < 0x20 && u != '\t') || u == 0x7f;
}

static bool all_tokens(struct text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_token(text.at[i]))
            return false;
    return text.len > 0;
}

static bool has_control(struct text text)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_control(text.at[i]))
            return true;
    return false;
}

static bool is(struct text text, const char *name)
{
    return text.len == strlen(name) && strncasecmp(text.at, name, text.len) == 0;
}

static bool begins(struct text text, const char *name)
{
    return text.len >= strlen(name) && strncasecmp(text.at, name, strlen(name)) == 0;
}

static size_t count_of(struct text text, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.at[i] == c;
    return count;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Printable ASCII, whole escapes, and no escape that decodes to a control byte. */
static bool target_is_good(struct text target)
{
    if (target.len == 0 || target.at[0] != '/')
        return false;
    for (size_t i = 0; i < target.len; i++) {
        char c = target.at[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return false;
        if (c != '%')
            continue;
        int high = i + 2 < target.len ? hex_value(target.at[i + 1]) : -1;
        int low = i + 2 < target.len ? hex_value(target.at[i + 2]) : -1;
        if (high < 0 || low < 0 || high * 16 + low < 0x20 || high * 16 + low == 0x7f)
            return false;
    }
    return true;
}

static int check_request_line(struct text line, struct text *ret_method, struct okno_err *err)
{
    const char *first = memchr(line.at, ' ', line.len);
    size_t method_len = first ? (size_t)(first - line.at) : 0;
    struct text method = {line.at, method_len};
    if (!first || method_len > METHOD_MAX || !all_tokens(method))
        return okno_fail(err, OKNO_MALFORMED, "the request line does not start with a method");
    struct text rest = {first + 1, line.len - method_len - 1};
    const char *second = memchr(rest.at, ' ', rest.len);
    size_t target_len = second ? (size_t)(second - rest.at) : 0;
    if (!second || !target_is_good((struct text){rest.at, target_len}))
        return okno_fail(err, OKNO_MALFORMED,
                         "the request's address must be a path of printable ASCII, with complete "
                         "escapes and no escaped control bytes");
    if (count_of((struct text){rest.at, target_len}, '&') >= PARAMS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d query parameters", PARAMS_MAX);
    struct text version = {second + 1, rest.len - target_len - 1};
    if (version.len != 8 ||
        (memcmp(version.at, "HTTP/1.1", 8) != 0 && memcmp(version.at, "HTTP/1.0", 8) != 0))
        return okno_fail(err, OKNO_MALFORMED, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    *ret_method = method;
    return 0;
}

static int take_length(struct text value, struct facts *facts, struct okno_err *err)
{
    if (value.len == 0 || value.len > LENGTH_DIGITS_MAX)
        return okno_fail(err, OKNO_MALFORMED, "Content-Length must be 1 to %d digits",
                         LENGTH_DIGITS_MAX);
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return okno_fail(err, OKNO_MALFORMED, "Content-Length must be digits only");
        facts->length = facts->length * 10 + (uint64_t)(value.at[i] - '0');
    }
    facts->has_length = true;
    return 0;
}

/* A name that differs from a framing header only behind its end is an attempt to smuggle. */
static bool mimics_framing(struct text name)
{
    return (begins(name, "content-length") && !is(name, "content-length")) ||
           (begins(name, "transfer-encoding") && !is(name, "transfer-encoding"));
}

static int count_once(struct text name, struct facts *facts, struct okno_err *err)
{
    for (size_t i = 0; i < OKNO_COUNT(once_only); i++) {
        if (!is(name, once_only[i]))
            continue;
        if (facts->seen[i])
            return okno_fail(err, OKNO_MALFORMED, "header %s stands twice", once_only[i]);
        facts->seen[i] = true;
    }
    return 0;
}

static struct text trim(struct text text)
{
    while (text.len && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = (struct text){text.at + 1, text.len - 1};
    while (text.len && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static int check_header(struct text line, struct facts *facts, struct okno_err *err)
{
    const char *colon = memchr(line.at, ':', line.len);
    struct text name = {line.at, colon ? (size_t)(colon - line.at) : 0};
    if (!colon || !all_tokens(name))
        return okno_fail(err, OKNO_MALFORMED,
                         "a header line must be a name, a colon at once, and a value");
    if (mimics_framing(name))
        return okno_fail(err, OKNO_MALFORMED, "header %.*s is not allowed",
                         name.len < 40 ? (int)name.len : 40, name.at);
    struct text value = trim((struct text){colon + 1, line.len - name.len - 1});
    if (has_control(value))
        return okno_fail(err, OKNO_MALFORMED, "a header value has a control byte");
    if (++facts->count > HEADERS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d header lines", HEADERS_MAX);
    int rc = count_once(name, facts, err);
    if (rc < 0)
        return rc;
    if (is(name, "host")) {
        facts->has_host = true;
        if (value.len == 0 || memchr(value.at, ' ', value.len) || memchr(value.at, '\t', value.len))
            return okno_fail(err, OKNO_MALFORMED, "Host must be one host name");
    }
    if (is(name, "cookie") && count_of(value, ';') + count_of(value, ',') >= COOKIES_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d cookies", COOKIES_MAX);
    if (is(name, "transfer-encoding"))
        facts->has_coding = true;
    return is(name, "content-length") ? take_length(value, facts, err) : 0;
}

static int check_framing(struct text method, const struct facts *facts, size_t body_max,
                         struct okno_err *err)
{
    bool takes_body = is(method, "POST") || is(method, "PUT") || is(method, "PATCH");
    if (!facts->has_host)
        return okno_fail(err, OKNO_MALFORMED, "header Host is missing");
    if (facts->has_coding && facts->has_length)
        return okno_fail(err, OKNO_MALFORMED, "Content-Length and Transfer-Encoding together");
    if (facts->has_coding || (takes_body && !facts->has_length))
        return okno_fail(err, OKNO_LENGTH_REQUIRED,
                         "send the body with one Content-Length, not in chunks");
    if (!takes_body && facts->length > 0)
        return okno_fail(err, OKNO_MALFORMED, "this method takes no body");
    if (facts->length > body_max)
        return okno_fail(err, OKNO_TOO_LARGE, "the body may have %zu bytes", body_max);
    return 0;
}

/* The next line without its CR LF. A bare CR or LF inside the header ends the reading. */
static int take_line(struct text *rest, struct text *ret_line, struct okno_err *err)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->at) : 0;
    if (!end || len == 0 || rest->at[len - 1] != '\r')
        return okno_fail(err, OKNO_MALFORMED, "header lines end in CR LF");
    *ret_line = (struct text){rest->at, len - 1};
    *rest = (struct text){end + 1, rest->len - len - 1};
    if (has_control(*ret_line))
        return okno_fail(err, OKNO_MALFORMED, "the header has a control byte");
    return 0;
}

static int check_whole(struct text head, size_t body_max, struct okno_err *err)
{
    struct text line = {0};
    struct text method = {0};
    struct facts facts = {0};
    int rc = take_line(&head, &line, err);
    if (rc == 0)
        rc = check_request_line(line, &method, err);
    while (rc == 0 && head.len) {
        rc = take_line(&head, &line, err);
        if (rc == 0 && line.len == 0)
            break;
        if (rc == 0)
            rc = check_header(line, &facts, err);
    }
    return rc < 0 ? rc : check_framing(method, &facts, body_max, err);
}

/* 0 where the bytes do not end in an empty line yet. A bare LF pair counts as an end too, so that
 * it is refused at once instead of waited for. */
static size_t find_end(const char *bytes, size_t len)
{
    const char *strict = memmem(bytes, len, "\r\n\r\n", 4);
    const char *sloppy = memmem(bytes, len, "\n\n", 2);
    if (sloppy && (!strict || sloppy < strict))
        return (size_t)(sloppy - bytes) + 2;
    return strict ? (size_t)(strict - bytes) + 4 : 0;
}

int http_wire_check(const char *bytes, size_t len, const struct http_wire_limits *limits,
                    int *ret_status, struct okno_err *err)
{
    size_t head = find_end(bytes, len);
    if (head > limits->header_bytes || (head == 0 && len >= limits->header_bytes)) {
        *ret_status = 431;
        return okno_fail(err, OKNO_TOO_LARGE, "the request's header may have %zu bytes",
                         limits->header_bytes);
    }
    if (head == 0)
        return 0;
    struct okno_err local = {0};
    int rc = check_whole((struct text){bytes, head}, limits->body_bytes, &local);
    if (rc == 0)
        return 1;
    *ret_status = okno_code_info(rc)->http_status;
    return okno_fail(err, rc, "%s", local.text);
}

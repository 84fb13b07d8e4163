/* Requests beyond a plain GET, downloads without an announced end, and what limits them all. */
#define _XOPEN_SOURCE 700
#include "okno/net.h"

#include "../support/server.h"
#include "../support/tempdir.h"

#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define REPLY(what)                                                                                \
    {                                                                                              \
        .text = what                                                                               \
    }

static struct okno_net *opened(const struct okno_net_config *config)
{
    struct okno_net *net = NULL;
    struct okno_net_config own = *config;
    own.deadline_us = own.deadline_us ? own.deadline_us : 5 * OKNO_SECOND_US;
    assert_int_equal(okno_net_open(&own, &net, NULL), 0);
    return net;
}

static void a_request_has_its_method_headers_and_body(void **state)
{
    (void)state;
    static const struct support_reply replies[] = {REPLY(
        "HTTP/1.1 202 Accepted\r\nLocation: /export/7\r\nContent-Type: Text/XML; charset=x\r\n"
        "Set-Cookie: sid=abc; Path=/\r\nContent-Length: 2\r\n\r\nok")};
    struct support_server *server = support_server_start(replies, 1);
    OKNO_AUTO(okno_net) *net = opened(&(struct okno_net_config){0});
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct okno_net_ask ask = {.method = "PROPFIND",
                                     .url = support_server_url(server),
                                     .headers = headers,
                                     .body = "<a/>",
                                     .body_len = 4,
                                     .content_type = "application/xml"};
    assert_int_equal(okno_net_request(net, &ask, &body, &reply, NULL), 0);
    const char *sent = support_server_request(server, 0);
    assert_int_equal(strncmp(sent, "PROPFIND / HTTP/1.1", 19), 0);
    assert_non_null(strstr(sent, "Accept: application/json"));
    assert_non_null(strstr(sent, "Content-Type: application/xml"));
    assert_non_null(strstr(sent, "Content-Length: 4"));
    assert_int_equal(reply.status, 202);
    assert_string_equal(reply.location, "/export/7");
    assert_string_equal(reply.cookie, "sid=abc");
    assert_string_equal(reply.content_type, "text/xml");
    assert_string_equal(okno_buf_text(&body), "ok");
    support_server_stop(server);
}

static void a_refusals_body_is_there_for_its_code_and_not_in_the_message(void **state)
{
    (void)state;
    static const struct support_reply replies[] = {
        REPLY("HTTP/1.1 400 Bad\r\nContent-Length: 21\r\n\r\n{\"code\":\"no_footage\"}")};
    struct support_server *server = support_server_start(replies, 1);
    OKNO_AUTO(okno_net) *net = opened(&(struct okno_net_config){0});
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    const struct okno_net_ask ask = {.url = support_server_url(server)};
    assert_int_equal(okno_net_request(net, &ask, &body, &reply, &err), OKNO_ARCHIVE_REFUSED);
    assert_non_null(strstr(okno_buf_text(&body), "no_footage"));
    assert_null(strstr(err.text, "no_footage"));
    support_server_stop(server);
}

static void a_busy_reply_tells_how_long_in_the_error(void **state)
{
    (void)state;
    static const struct support_reply replies[] = {
        REPLY("HTTP/1.1 503 Later\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n")};
    struct support_server *server = support_server_start(replies, 1);
    OKNO_AUTO(okno_net) *net = opened(&(struct okno_net_config){0});
    OKNO_AUTO(okno_net_stream) *stream = NULL;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    char byte;
    size_t got = 0;
    const struct okno_net_ask ask = {.url = support_server_url(server)};
    assert_int_equal(okno_net_get(net, ask.url, &body, &reply, &err), OKNO_ARCHIVE_BUSY);
    assert_int_equal(err.retry_us, 77 * OKNO_SECOND_US);
    err = (struct okno_err){0};
    assert_int_equal(okno_net_body_open(net, &ask, &stream, &err), 0);
    assert_int_equal(okno_net_stream_read(stream, &byte, 1, 5 * OKNO_SECOND_US, &got, &err),
                     OKNO_ARCHIVE_BUSY);
    assert_int_equal(err.retry_us, 77 * OKNO_SECOND_US);
    support_server_stop(server);
}

static int sign(void *ctx, const char *method, const char *url, struct okno_buf *lines,
                struct okno_err *err)
{
    assert_string_equal(ctx, "key");
    assert_non_null(strstr(url, "127.0.0.1"));
    return okno_buf_printf(lines, err, "X-Signed: %s\nX-Again: yes\n", method);
}

static void whoever_owns_the_object_signs_each_request(void **state)
{
    (void)state;
    static const struct support_reply replies[] = {
        REPLY("HTTP/1.1 206 Part\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok")};
    struct support_server *server = support_server_start(replies, 1);
    OKNO_AUTO(okno_net) *net =
        opened(&(struct okno_net_config){.sign = sign, .sign_ctx = (void *)(uintptr_t) "key"});
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    assert_int_equal(
        okno_net_get_range(net, support_server_url(server), 0, 2, NULL, &body, &reply, NULL), 0);
    assert_non_null(strstr(support_server_request(server, 0), "X-Signed: GET"));
    assert_non_null(strstr(support_server_request(server, 0), "X-Again: yes"));
    support_server_stop(server);
}

/* Reads to the end; the code. */
static int read_all(struct okno_net *net, const char *url, size_t *ret_len, struct okno_err *err)
{
    OKNO_AUTO(okno_net_stream) *stream = NULL;
    char part[4096];
    size_t got = sizeof(part);
    int rc = okno_net_body_open(net, &(struct okno_net_ask){.url = url}, &stream, err);
    *ret_len = 0;
    while (rc == 0 && got == sizeof(part)) {
        rc = okno_net_stream_read(stream, part, sizeof(part), 5 * OKNO_SECOND_US, &got, err);
        *ret_len += rc == 0 ? got : 0;
    }
    return rc;
}

static void a_download_comes_chunked_whole_or_is_found_cut(void **state)
{
    (void)state;
    static const struct support_reply replies[] = {
        REPLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        REPLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        REPLY("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"),
        REPLY("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")};
    static const int codes[] = {0, OKNO_PROTOCOL, OKNO_PROTOCOL, OKNO_NOT_FOUND};
    struct support_server *server = support_server_start(replies, 4);
    for (size_t i = 0; i < 4; i++) {
        OKNO_AUTO(okno_net) *net = opened(&(struct okno_net_config){0});
        struct okno_err err = {0};
        size_t len = 0;
        int rc = read_all(net, support_server_url(server), &len, &err);
        if (rc != codes[i])
            fail_msg("%zu: %d: %s", i, rc, err.text);
        if (i == 0)
            assert_int_equal(len, 5);
    }
    support_server_stop(server);
}

static void a_budget_ends_calls_and_streams(void **state)
{
    (void)state;
    static char block[65536];
    static const struct support_reply replies[] = {
        {.text = "HTTP/1.1 200 OK\r\n\r\n", .again = block}};
    memset(block, 'x', sizeof(block) - 1);
    struct support_server *server = support_server_start(replies, 1);
    struct okno_budget budget = OKNO_BUDGET_INIT;
    OKNO_AUTO(okno_net) *net = opened(&(struct okno_net_config){.budget = &budget});
    struct okno_err err = {0};
    size_t len = 0;
    budget.bytes_left = 1000000;
    assert_int_equal(read_all(net, support_server_url(server), &len, &err), OKNO_TOO_LARGE);
    assert_true(len < 12000000);
    assert_non_null(strstr(err.text, "fetch.window_mb"));
    err = (struct okno_err){0};
    budget = (struct okno_budget)OKNO_BUDGET_INIT;
    budget.until_us = okno_time_monotonic() - 1;
    assert_int_equal(read_all(net, support_server_url(server), &len, &err), OKNO_TIMEOUT);
    err = (struct okno_err){0};
    atomic_bool cancel = true;
    budget = (struct okno_budget)OKNO_BUDGET_INIT;
    budget.cancel = &cancel;
    assert_int_equal(read_all(net, support_server_url(server), &len, &err), OKNO_CANCELLED);
    support_server_stop(server);
}

static void an_address_that_is_not_allowed_is_not_connected_to(void **state)
{
    (void)state;
    static const struct support_reply replies[] = {
        REPLY("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")};
    struct support_server *server = support_server_start(replies, 1);
    struct okno_address_rule rule;
    assert_int_equal(okno_address_rule_parse("10.0.0.0/8", &rule, NULL), 0);
    OKNO_AUTO(okno_net) *net = opened(&(struct okno_net_config){.rule = &rule});
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    size_t len = 0;
    assert_int_equal(okno_net_get(net, support_server_url(server), &body, &reply, &err),
                     OKNO_ARCHIVE_REFUSED);
    assert_non_null(strstr(err.text, "option allow"));
    err = (struct okno_err){0};
    assert_int_equal(read_all(net, support_server_url(server), &len, &err), OKNO_ARCHIVE_REFUSED);
    assert_int_equal(support_server_requests(server), 0);
    support_server_stop(server);
}

static void references_lead_to_the_same_host_only(void **state)
{
    (void)state;
    static const struct {
        const char *reference, *url;
    } rows[] = {{"seg 1.ts", "http://nvr.example/cam/seg%201.ts"},
                {"seg1.ts?t=1", "http://nvr.example/cam/seg1.ts?t=1"},
                {"/x/seg1.ts", "http://nvr.example/x/seg1.ts"},
                {"../seg1.ts", "http://nvr.example/seg1.ts"},
                {"http://nvr.example:80/a.ts", "http://nvr.example:80/a.ts"},
                {"http://nvr.example:8080/a.ts", NULL},
                {"https://nvr.example/a.ts", NULL},
                {"//evil.example/a.ts", NULL},
                {"file:///etc/passwd", NULL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        OKNO_AUTO_BUF into = OKNO_BUF_INIT(1000);
        int rc = okno_net_resolve("http://nvr.example/cam/index.m3u8?token=1", rows[i].reference,
                                  &into, NULL);
        if (rc != (rows[i].url ? 0 : OKNO_PROTOCOL))
            fail_msg("%s: %d", rows[i].reference, rc);
        if (rows[i].url)
            assert_string_equal(okno_buf_text(&into), rows[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_method_headers_and_body),
        cmocka_unit_test(a_refusals_body_is_there_for_its_code_and_not_in_the_message),
        cmocka_unit_test(a_busy_reply_tells_how_long_in_the_error),
        cmocka_unit_test(whoever_owns_the_object_signs_each_request),
        cmocka_unit_test(a_download_comes_chunked_whole_or_is_found_cut),
        cmocka_unit_test(a_budget_ends_calls_and_streams),
        cmocka_unit_test(an_address_that_is_not_allowed_is_not_connected_to),
        cmocka_unit_test(references_lead_to_the_same_host_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "../../src/service/http/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct http_wire_limits limits = {.header_bytes = 4096, .body_bytes = 1000};

/* 200 for good, 0 for unfinished, else the status of the refusal. The bytes are checked in a heap
 * block of exactly their size, so that a sanitizer sees a step too far. */
static int status_of(const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    int status = 0;
    struct okno_err err = {0};
    int rc = http_wire_check(copy, len, &limits, &status, &err);
    free(copy);
    if (rc < 0) {
        assert_true(err.text[0]);
        return status;
    }
    return rc == 1 ? 200 : 0;
}

#define STATUS(literal) status_of(literal, sizeof(literal) - 1)

static void ordinary_requests_pass(void **state)
{
    (void)state;
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(STATUS("GET /a?b=%D0%BA&c=1+2 HTTP/1.0\r\nhost:a:80\r\nAccept: */*\r\n\r\n"),
                     200);
    assert_int_equal(STATUS("HEAD / HTTP/1.1\r\nHost: a\r\nX:\r\nCookie: a=1; b=2\r\n\r\n"), 200);
    assert_int_equal(STATUS("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"), 200);
    assert_int_equal(STATUS("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"), 200);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), 200);
}

static void every_shorter_piece_of_a_good_request_waits_for_more(void **state)
{
    (void)state;
    static const char good[] = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    for (size_t len = 0; len + 1 < sizeof(good); len++)
        assert_int_equal(status_of(good, len), 0);
    assert_int_equal(STATUS(good), 200);
}

static void a_host_is_named_exactly_once(void **state)
{
    (void)state;
    assert_int_equal(STATUS("GET / HTTP/1.1\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
}

static void a_body_has_exactly_one_length(void **state)
{
    (void)state;
    assert_int_equal(STATUS("POST / HTTP/1.1\r\nHost: a\r\n\r\n"), 411);
    assert_int_equal(STATUS("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
                     411);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
                     411);
    assert_int_equal(
        STATUS("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n"),
        400);
    assert_int_equal(STATUS("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                            "Transfer-Encoding: chunked\r\n\r\n"),
                     400);
    assert_int_equal(STATUS("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"), 413);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"), 400);
}

static void a_length_is_digits_only(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      "0x1",
                                      "1 2",
                                      "1,1",
                                      "1.0",
                                      "9999999999999999",
                                      "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char request[200];
        int len = snprintf(request, sizeof(request),
                           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n", bad[i]);
        assert_int_equal(status_of(request, (size_t)len), 400);
    }
}

static void names_that_mimic_framing_are_refused(void **state)
{
    (void)state;
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nContent-Length-X: 1\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding2: x\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nX-Content-Length: 1\r\n\r\n"), 200);
}

static void space_before_the_colon_and_folded_lines_are_refused(void **state)
{
    (void)state;
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n"), 400);
}

static void nul_and_control_bytes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nX: a\x7f\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\nHost: a\n\n"), 400);
    assert_int_equal(STATUS("GET / HTTP/1.1\r\nHost: a\n\r\n\r\n"), 400);
}

static void a_request_line_is_method_path_and_version(void **state)
{
    (void)state;
    static const char *const bad[] = {"\r\n\r\n",
                                      "GET\r\n\r\n",
                                      "GET /\r\n\r\n",
                                      "GET / HTTP/2.0\r\n\r\n",
                                      "GET  / HTTP/1.1",
                                      "GET / HTTP/1.1 ",
                                      "G\"T / HTTP/1.1",
                                      "GET http://a/ HTTP/1.1",
                                      "OPTIONS * HTTP/1.1",
                                      "GET /%00 HTTP/1.1",
                                      "GET /%1f HTTP/1.1",
                                      "GET /%7F HTTP/1.1",
                                      "GET /%4 HTTP/1.1",
                                      "GET /%zz HTTP/1.1",
                                      "GET /\xd0\xba HTTP/1.1",
                                      "GET /#a HTTP/1.1",
                                      "AMETHODTHATISMUCHTOOLONG / HTTP/1.1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char request[200];
        int len = snprintf(request, sizeof(request), "%s\r\nHost: a\r\n\r\n", bad[i]);
        assert_int_equal(status_of(request, (size_t)len), 400);
    }
}

static void a_header_past_its_limit_is_refused_before_its_end(void **state)
{
    (void)state;
    char request[5000];
    memset(request, 'a', sizeof(request));
    memcpy(request, "GET /", 5);
    assert_int_equal(status_of(request, 4095), 0);
    assert_int_equal(status_of(request, 4096), 431);
    memcpy(request + 4980, " HTTP/1.1\r\nHost: a\r\n\r\n", 20);
    assert_int_equal(status_of(request, sizeof(request)), 431);
}

static void too_many_header_lines_are_refused(void **state)
{
    (void)state;
    char request[2000] = "GET / HTTP/1.1\r\nHost: a\r\n";
    size_t len = strlen(request);
    for (int i = 0; i < 64; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, "X%d: 1\r\n", i);
    len += (size_t)snprintf(request + len, sizeof(request) - len, "\r\n");
    assert_int_equal(status_of(request, len), 413);
}

static void too_many_parameters_or_cookies_are_refused(void **state)
{
    (void)state;
    char request[2000];
    for (int count = 64; count <= 65; count++) {
        size_t len = (size_t)snprintf(request, sizeof(request), "GET /?a");
        for (int i = 1; i < count; i++)
            len += (size_t)snprintf(request + len, sizeof(request) - len, "&a");
        len +=
            (size_t)snprintf(request + len, sizeof(request) - len, " HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_int_equal(status_of(request, len), count == 64 ? 200 : 413);
        len =
            (size_t)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1");
        for (int i = 1; i < count; i++)
            len += (size_t)snprintf(request + len, sizeof(request) - len, "; a=1");
        len += (size_t)snprintf(request + len, sizeof(request) - len, "\r\n\r\n");
        assert_int_equal(status_of(request, len), count == 64 ? 200 : 413);
    }
}

/* A fixed sequence of damage: a request is answered with one of the known statuses, and one that
 * passes has exactly one Host and no byte that could be read in two ways. */
static void no_damage_makes_a_request_ambiguous(void **state)
{
    (void)state;
    static const char good[] =
        "POST /a%20b?c=d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
        "Cookie: x=y\r\n\r\n{}";
    static const char nasty[] =
        "\r\n\t :\0%/\x7f\xff"
        "0Hh";
    uint64_t seed = 12345;
    for (int round = 0; round < 200000; round++) {
        char bytes[sizeof(good)];
        memcpy(bytes, good, sizeof(good));
        for (int hit = 0; hit < 3; hit++) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            bytes[(seed >> 33) % (sizeof(good) - 1)] = nasty[(seed >> 20) % (sizeof(nasty) - 1)];
        }
        int status = status_of(bytes, sizeof(good) - 1);
        assert_true(status == 0 || status == 200 || status == 400 || status == 411 ||
                    status == 413);
        if (status != 200)
            continue;
        size_t head = sizeof(good) - 3;
        const char *end = strstr(bytes, "\r\n\r\n");
        assert_non_null(end);
        assert_true((size_t)(end - bytes) <= head);
        for (const char *at = bytes; at < end; at++) {
            assert_true(*at != '\0' && *at != '\x7f');
            assert_true(*at != '\n' || at[-1] == '\r');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_requests_pass),
        cmocka_unit_test(every_shorter_piece_of_a_good_request_waits_for_more),
        cmocka_unit_test(a_host_is_named_exactly_once),
        cmocka_unit_test(a_body_has_exactly_one_length),
        cmocka_unit_test(a_length_is_digits_only),
        cmocka_unit_test(names_that_mimic_framing_are_refused),
        cmocka_unit_test(space_before_the_colon_and_folded_lines_are_refused),
        cmocka_unit_test(nul_and_control_bytes_are_refused),
        cmocka_unit_test(a_request_line_is_method_path_and_version),
        cmocka_unit_test(a_header_past_its_limit_is_refused_before_its_end),
        cmocka_unit_test(too_many_header_lines_are_refused),
        cmocka_unit_test(too_many_parameters_or_cookies_are_refused),
        cmocka_unit_test(no_damage_makes_a_request_ambiguous),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The server seen from outside: strictness, limits, the page, errors. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"
#include "okno/embedded.h"

static int start(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int start_strict(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture->options.limits = (struct okno_serve_limits){
        .connections = 4, .header_us = 300000, .body_us = 700000, .body_bytes = 2000};
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static int port_of(void **state)
{
    return fixture_port(*state);
}

static void a_malformed_request_gets_a_json_refusal_and_the_connection_closes(void **state)
{
    static const struct {
        const char *bytes;
        int status;
        const char *code;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400, "malformed"},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed"},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed"},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length-X: 1\r\n\r\n", 400, "malformed"},
        {"POST /api/v1/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         411, "length_required"},
        {"POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
         "1\r\n\r\n{",
         400, "malformed"},
        {"POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413,
         "too_large"},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        AUTO_ANSWER answer = client_talk(port_of(state), cases[i].bytes, strlen(cases[i].bytes));
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(answer_code(&answer), cases[i].code);
        assert_string_equal(answer_header(&answer, "Connection"), "close");
        assert_non_null(answer_header(&answer, "Content-Security-Policy"));
    }
}

static void a_refusal_arrives_although_a_large_body_follows(void **state)
{
    static char request[100000];
    memset(request, 'x', sizeof(request));
    int len = snprintf(request, sizeof(request),
                       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n");
    request[len] = 'x';
    AUTO_ANSWER answer = client_talk(port_of(state), request, sizeof(request));
    assert_int_equal(answer.status, 413);
}

static void nothing_is_answered_behind_the_first_request_of_a_connection(void **state)
{
    static const char two[] =
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    AUTO_ANSWER answer = client_talk(port_of(state), two, sizeof(two) - 1);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "ok\n");
}

static void a_header_that_arrives_byte_by_byte_is_understood(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    int fd = client_connect(port_of(state));
    for (size_t i = 0; i + 1 < sizeof(request); i++)
        client_send(fd, request + i, 1);
    AUTO_ANSWER answer = client_receive(fd);
    assert_int_equal(answer.status, 200);
}

static void a_header_that_never_ends_is_cut_off_however_busy_it_looks(void **state)
{
    int fd = client_connect(port_of(state));
    int64_t started = okno_time_monotonic();
    client_send(fd, "GET / HTTP/1.1\r\nHost: a\r\n", 25);
    /* A byte every 50 ms would keep an inactivity timeout waiting for ever. */
    while (okno_time_monotonic() - started < 5 * OKNO_SECOND_US) {
        char byte;
        if (send(fd, "X", 1, MSG_NOSIGNAL) < 0)
            break;
        struct timeval little = {.tv_usec = 50000};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &little, sizeof(little));
        if (recv(fd, &byte, 1, MSG_PEEK) >= 0)
            break;
    }
    int64_t took = okno_time_monotonic() - started;
    assert_in_range(took, 250000, 2 * OKNO_SECOND_US);
    AUTO_ANSWER answer = client_receive(fd);
    assert_int_equal(answer.status, 408);
    assert_string_equal(answer_code(&answer), "timeout");
}

static void a_body_that_never_ends_is_cut_off(void **state)
{
    static const char head[] =
        "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: "
        "application/json\r\nContent-Length: 100\r\n\r\n{";
    int fd = client_connect(port_of(state));
    int64_t started = okno_time_monotonic();
    client_send(fd, head, sizeof(head) - 1);
    AUTO_ANSWER answer = client_receive(fd);
    assert_int_equal(answer.status, 0);
    assert_in_range(okno_time_monotonic() - started, 500000, 3 * OKNO_SECOND_US);
}

static void pause_ms(int ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000L};
    (void)nanosleep(&time, NULL);
}

/* Each newcomer takes the place of the one that holds its header back for longest. */
static void half_a_header_keeps_nobody_out(void **state)
{
    int idle[4];
    for (int i = 0; i < 4; i++) {
        idle[i] = client_connect(port_of(state));
        client_send(idle[i], "GET / HT", 8);
        pause_ms(10);
    }
    for (int i = 0; i < 4; i++) {
        AUTO_ANSWER answer = client_request(port_of(state), "GET", "/healthz", "", NULL);
        assert_int_equal(answer.status, 200);
    }
    AUTO_ANSWER first = client_receive(idle[0]);
    assert_int_equal(first.status, 408);
    for (int i = 1; i < 4; i++) {
        AUTO_ANSWER late = client_receive(idle[i]);
        assert_int_equal(late.status, 408);
    }
}

static void half_a_body_keeps_others_out_for_a_moment_only(void **state)
{
    static const char head[] =
        "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: "
        "application/json\r\nContent-Length: 100\r\n\r\n{";
    int half[4];
    for (int i = 0; i < 4; i++) {
        half[i] = client_connect(port_of(state));
        client_send(half[i], head, sizeof(head) - 1);
    }
    pause_ms(100);
    int64_t begun_us = okno_time_monotonic();
    int refused = 0;
    for (int status = 0; status != 200; refused += status != 200) {
        AUTO_ANSWER answer = client_request(port_of(state), "GET", "/healthz", "", NULL);
        status = answer.status;
        assert_true(status == 200 || status == 503);
        if (status == 503)
            assert_string_equal(answer_header(&answer, "Retry-After"), "1");
        pause_ms(10);
    }
    assert_true(okno_time_monotonic() - begun_us < 400000);
    assert_true(refused > 0);
    for (int i = 0; i < 4; i++)
        (void)close(half[i]);
}

static void a_body_past_the_limit_is_refused_before_it_is_sent(void **state)
{
    static const char head[] =
        "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n";
    AUTO_ANSWER answer = client_talk(port_of(state), head, sizeof(head) - 1);
    assert_int_equal(answer.status, 413);
    assert_string_equal(answer_code(&answer), "too_large");
}

static void the_page_is_served_with_its_policy_and_validators(void **state)
{
    AUTO_ANSWER page = client_request(port_of(state), "GET", "/", "", NULL);
    assert_int_equal(page.status, 200);
    assert_string_equal(answer_header(&page, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(
        answer_header(&page, "Content-Security-Policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; "
        "base-uri 'none'");
    assert_string_equal(answer_header(&page, "X-Content-Type-Options"), "nosniff");
    char match[500];
    (void)snprintf(match, sizeof(match), "If-None-Match: %s\r\n", answer_header(&page, "ETag"));
    AUTO_ANSWER again = client_request(port_of(state), "GET", "/", match, NULL);
    assert_int_equal(again.status, 304);
    assert_int_equal(again.body_len, 0);
}

static void every_file_of_the_page_comes_whole_and_with_a_known_type(void **state)
{
    for (const struct okno_ui_file *file = okno_ui_files; file->path; file++) {
        AUTO_ANSWER answer = client_request(port_of(state), "GET", file->path, "", NULL);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body_len, file->len);
        assert_memory_equal(answer.body, file->data, file->len);
        assert_string_not_equal(answer_header(&answer, "Content-Type"), "application/octet-stream");
    }
}

static void addresses_of_the_page_get_the_page_and_files_that_are_not_there_do_not(void **state)
{
    AUTO_ANSWER review = client_request(port_of(state), "GET", "/review/12", "", NULL);
    assert_int_equal(review.status, 200);
    assert_string_equal(answer_header(&review, "Content-Type"), "text/html; charset=utf-8");
    static const char *const missing[] = {"/no.js",        "/../etc/passwd.txt", "/%2e%2e/okno.db",
                                          "/app.js/x.map", "/api/v1/nothing",    "/api/"};
    for (size_t i = 0; i < OKNO_COUNT(missing); i++) {
        AUTO_ANSWER answer = client_request(port_of(state), "GET", missing[i], "", NULL);
        assert_int_equal(answer.status, 404);
        assert_string_equal(answer_code(&answer), "not_found");
    }
}

static void head_answers_as_get_without_the_body(void **state)
{
    AUTO_ANSWER get = client_request(port_of(state), "GET", "/", "", NULL);
    char length[400];
    (void)snprintf(length, sizeof(length), "%s", answer_header(&get, "Content-Length"));
    AUTO_ANSWER head = client_request(port_of(state), "HEAD", "/", "", NULL);
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body_len, 0);
    assert_string_equal(answer_header(&head, "Content-Length"), length);
}

static void a_method_that_is_not_there_is_405_with_allow(void **state)
{
    AUTO_ANSWER me = client_request(port_of(state), "DELETE", "/api/v1/me", "", NULL);
    assert_int_equal(me.status, 405);
    assert_string_equal(answer_header(&me, "Allow"), "GET, HEAD, POST");
    assert_string_equal(answer_code(&me), "wrong_method");
    AUTO_ANSWER login = client_request(port_of(state), "GET", "/api/v1/login", "", NULL);
    assert_int_equal(login.status, 405);
    assert_string_equal(answer_header(&login, "Allow"), "POST");
    AUTO_ANSWER page = client_request(port_of(state), "POST", "/review", "", "{}");
    assert_int_equal(page.status, 405);
    assert_string_equal(answer_header(&page, "Allow"), "GET, HEAD");
}

static void unknown_query_parameters_are_named(void **state)
{
    AUTO_ANSWER answer = client_request(port_of(state), "GET", "/openapi.json?x=1", "", NULL);
    assert_int_equal(answer.status, 400);
    assert_string_equal(answer_code(&answer), "unknown_field");
    assert_non_null(strstr(answer.body, "\"field\":\"x\""));
}

static void health_readiness_and_metrics_answer(void **state)
{
    AUTO_ANSWER health = client_request(port_of(state), "GET", "/healthz", "", NULL);
    assert_string_equal(health.body, "ok\n");
    AUTO_ANSWER ready = client_request(port_of(state), "GET", "/readyz", "", NULL);
    assert_int_equal(ready.status, 200);
    AUTO_ANSWER metrics = client_request(port_of(state), "GET", "/metrics", "", NULL);
    assert_int_equal(metrics.status, 200);
    assert_non_null(strstr(metrics.body, "\nokno_http_requests_total 2\n"));
    assert_non_null(strstr(metrics.body, "\nokno_http_connections "));
    assert_non_null(strstr(metrics.body, "\nokno_alerts_open 0\n"));
    assert_non_null(strstr(metrics.body, "\nokno_messages{state=\"dead\"} 0\n"));
    AUTO_ANSWER proxied =
        client_request(port_of(state), "GET", "/metrics", "X-Real-IP: 192.0.2.1\r\n", NULL);
    assert_int_equal(proxied.status, 403);
}

static void everything_but_the_front_door_asks_for_a_login(void **state)
{
    for (const struct http_route *route = http_routes; route->method; route++) {
        if (!route->roles)
            continue;
        char path[200];
        size_t used = 0;
        for (const char *at = route->path; *at; at++) {
            if (*at == '{')
                at = strchr(at, '}');
            path[used++] = *at == '}' ? '1' : *at;
        }
        path[used] = '\0';
        bool post = strcmp(route->method, "POST") == 0;
        AUTO_ANSWER answer =
            client_request(port_of(state), route->method, path, "", post ? "{}" : NULL);
        assert_int_equal(answer.status, 401);
        assert_string_equal(answer_code(&answer), "unauthenticated");
    }
}

static void the_description_names_every_route_with_its_shapes(void **state)
{
    AUTO_ANSWER answer = client_request(port_of(state), "GET", "/openapi.json", "", NULL);
    okno_autojson json_t *doc = json_loadb(answer.body, answer.body_len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(doc, "openapi")), "3.1.0");
    const json_t *schemas = json_object_get(json_object_get(doc, "components"), "schemas");
    for (const struct http_route *route = http_routes; route->method; route++) {
        char method[8] = {0};
        for (size_t i = 0; route->method[i] && i < 7; i++)
            method[i] = (char)(route->method[i] | 0x20);
        const json_t *operation =
            json_object_get(json_object_get(json_object_get(doc, "paths"), route->path), method);
        assert_non_null(operation);
        const char *summary = json_string_value(json_object_get(operation, "summary"));
        assert_non_null(summary);
        assert_true(strlen(summary) > 8);
        assert_non_null(route->handler);
        if (strcmp(route->method, "POST") == 0)
            assert_non_null(route->body);
        if (route->body) /* what we do not know is refused, not ignored */
            assert_true(json_is_false(
                json_object_get(json_object_get(schemas, route->body), "additionalProperties")));
        if (route->reply)
            assert_non_null(json_object_get(schemas, route->reply));
    }
}

static void references(const json_t *json, const json_t *schemas)
{
    const char *key;
    json_t *value;
    size_t i;
    json_object_foreach((json_t *)json, key, value)
    {
        if (strcmp(key, "$ref") == 0)
            assert_non_null(json_object_get(schemas, strrchr(json_string_value(value), '/') + 1));
        references(value, schemas);
    }
    json_array_foreach(json, i, value) references(value, schemas);
}

static void no_reference_of_the_description_leads_nowhere(void **state)
{
    (void)state;
    okno_autojson json_t *doc = http_openapi();
    assert_non_null(doc);
    references(doc, http_schemas());
}

static void a_port_that_is_taken_is_named(void **state)
{
    char listen[64];
    struct fixture *other = fixture_new();
    struct okno_err err = {0};
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", port_of(state));
    other->options.data_dir = other->dir;
    other->options.listen = listen;
    int rc = http_server_start(&other->options, &other->conf, NULL, NULL, &other->server, &err);
    assert_int_equal(rc, OKNO_FAILED);
    assert_non_null(strstr(err.text, "is taken by another program"));
    assert_non_null(strstr(err.text, listen));
    fixture_free(other);
}

static void a_listener_that_is_not_loopback_needs_the_proxy_option(void **state)
{
    (void)state;
    static const char *const open[] = {"0.0.0.0:0", "[::]:0", "192.0.2.1:80"};
    for (size_t i = 0; i < OKNO_COUNT(open); i++) {
        struct fixture *other = fixture_new();
        struct okno_err err = {0};
        other->options.data_dir = other->dir;
        other->options.listen = open[i];
        int rc = http_server_start(&other->options, &other->conf, NULL, NULL, &other->server, &err);
        assert_int_equal(rc, OKNO_REFUSED);
        assert_non_null(strstr(err.text, "nginx"));
        assert_non_null(strstr(err.text, "--behind-proxy"));
        fixture_free(other);
    }
    struct fixture *told = fixture_new();
    told->options.listen = "0.0.0.0:0";
    told->options.behind_proxy = true;
    fixture_start(told);
    AUTO_ANSWER answer = client_request(fixture_port(told), "GET", "/healthz", "", NULL);
    assert_int_equal(answer.status, 200);
    fixture_free(told);
}

static void a_listen_address_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",       "8080",    "127.0.0.1", "127.0.0.1:",   "127.1:80",    "127.0.0.1:65536",
        "::1:80", "[::1:80", "host:80",   "127.0.0.1:+1", "127.0.0.1:8o"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        struct fixture *other = fixture_new();
        struct okno_err err = {0};
        other->options.data_dir = other->dir;
        other->options.listen = bad[i];
        assert_int_equal(
            http_server_start(&other->options, &other->conf, NULL, NULL, &other->server, &err),
            OKNO_INVALID);
        assert_string_equal(err.field, "listen");
        fixture_free(other);
    }
}

int main(void)
{
#define NORMAL(name) cmocka_unit_test_setup_teardown(name, start, stop)
#define STRICT(name) cmocka_unit_test_setup_teardown(name, start_strict, stop)
    const struct CMUnitTest tests[] = {
        NORMAL(a_malformed_request_gets_a_json_refusal_and_the_connection_closes),
        NORMAL(a_refusal_arrives_although_a_large_body_follows),
        NORMAL(nothing_is_answered_behind_the_first_request_of_a_connection),
        NORMAL(a_header_that_arrives_byte_by_byte_is_understood),
        STRICT(a_header_that_never_ends_is_cut_off_however_busy_it_looks),
        STRICT(a_body_that_never_ends_is_cut_off),
        STRICT(half_a_header_keeps_nobody_out),
        STRICT(half_a_body_keeps_others_out_for_a_moment_only),
        STRICT(a_body_past_the_limit_is_refused_before_it_is_sent),
        NORMAL(the_page_is_served_with_its_policy_and_validators),
        NORMAL(every_file_of_the_page_comes_whole_and_with_a_known_type),
        NORMAL(addresses_of_the_page_get_the_page_and_files_that_are_not_there_do_not),
        NORMAL(head_answers_as_get_without_the_body),
        NORMAL(a_method_that_is_not_there_is_405_with_allow),
        NORMAL(unknown_query_parameters_are_named),
        NORMAL(health_readiness_and_metrics_answer),
        NORMAL(everything_but_the_front_door_asks_for_a_login),
        NORMAL(the_description_names_every_route_with_its_shapes),
        cmocka_unit_test(no_reference_of_the_description_leads_nowhere),
        NORMAL(a_port_that_is_taken_is_named),
        cmocka_unit_test(a_listener_that_is_not_loopback_needs_the_proxy_option),
        cmocka_unit_test(a_listen_address_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

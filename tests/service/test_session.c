/* Logging in and out, cookies, other sites, roles. */
#define _GNU_SOURCE
#include "client.h"

static int start(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_user(fixture, "vera", "expert");
    fixture_user(fixture, "boss", "manager");
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int start_https(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_user(fixture, "vera", "expert");
    fixture_user(fixture, "boss", "administrator");
    fixture->options.public_url = "https://okno.example/";
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static struct answer login(void **state, const char *body, const char *extra)
{
    return client_request(fixture_port(*state), "POST", "/api/v1/login", extra, body);
}

static const char good[] = "{\"user\":\"vera\",\"password\":\"pass word\"}";
static const char wrong[] = "{\"user\":\"vera\",\"password\":\"pass\"}";

static void a_good_password_gives_a_session(void **state)
{
    AUTO_ANSWER answer = login(state, good, "");
    assert_int_equal(answer.status, 200);
    okno_autojson json_t *me = answer_json(&answer);
    assert_string_equal(json_text(me, "user"), "vera");
    assert_string_equal(json_text(me, "name"), "Name of vera");
    assert_string_equal(json_text(me, "role"), "expert");
    assert_string_equal(json_text(me, "language"), "en");
    char cookie[400];
    (void)snprintf(cookie, sizeof(cookie), "%s", answer_header(&answer, "Set-Cookie"));
    assert_memory_equal(cookie, "okno_session=", 13);
    assert_int_equal(strspn(cookie + 13, "0123456789abcdef"), 64);
    assert_non_null(strstr(cookie, "; Path=/;"));
    assert_non_null(strstr(cookie, "; HttpOnly"));
    assert_non_null(strstr(cookie, "; SameSite=Strict"));
    assert_null(strstr(cookie, "Secure"));
    assert_string_equal(answer_header(&answer, "Cache-Control"), "no-store");
}

static void over_https_the_cookie_is_secure(void **state)
{
    AUTO_ANSWER answer = login(state, good, "Origin: https://okno.example\r\n");
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer_header(&answer, "Set-Cookie"), "; Secure"));
}

/* Another site of the same domain can set a cookie of the plain name, and would decide by whose
 * session the person works; one of the name that browsers guard it cannot. */
static void over_https_a_cookie_of_a_sister_site_is_no_session(void **state)
{
    char cookies[400];
    char token[65];
    AUTO_ANSWER answer = login(state, good, "Origin: https://okno.example\r\n");
    const char *set = answer_header(&answer, "Set-Cookie");
    assert_memory_equal(set, "__Host-okno_session=", 20);
    (void)snprintf(token, sizeof(token), "%.64s", set + 20);
    (void)snprintf(cookies, sizeof(cookies), "Cookie: okno_session=%s\r\n", token);
    AUTO_ANSWER planted = client_request(fixture_port(*state), "GET", "/api/v1/me", cookies, NULL);
    assert_int_equal(planted.status, 401);
    AUTO_ANSWER boss = login(state, "{\"user\":\"boss\",\"password\":\"pass word\"}", "");
    (void)snprintf(cookies, sizeof(cookies),
                   "Cookie: okno_session=%.64s; __Host-okno_session=%s\r\n",
                   strchr(answer_header(&boss, "Set-Cookie"), '=') + 1, token);
    AUTO_ANSWER own = client_request(fixture_port(*state), "GET", "/api/v1/me", cookies, NULL);
    assert_int_equal(own.status, 200);
    assert_non_null(strstr(own.body, "\"vera\""));
}

static void a_session_knows_its_user_until_logout(void **state)
{
    int port = fixture_port(*state);
    const char *cookie = fixture_login(*state, "vera");
    AUTO_ANSWER me = client_request(port, "GET", "/api/v1/me", cookie, NULL);
    assert_int_equal(me.status, 200);
    assert_non_null(strstr(me.body, "\"vera\""));
    AUTO_ANSWER out = client_request(port, "POST", "/api/v1/logout", cookie, "{}");
    assert_int_equal(out.status, 204);
    assert_int_equal(out.body_len, 0);
    assert_non_null(strstr(answer_header(&out, "Set-Cookie"), "Max-Age=0"));
    AUTO_ANSWER after = client_request(port, "GET", "/api/v1/me", cookie, NULL);
    assert_int_equal(after.status, 401);
}

static void a_cookie_that_is_no_session_is_nobody(void **state)
{
    static const char *const bad[] = {
        "Cookie: okno_session=\r\n",
        "Cookie: okno_session=1\r\n",
        "Cookie: okno_session="
        "0000000000000000000000000000000000000000000000000000000000000000\r\n",
        "Cookie: xokno_session="
        "0000000000000000000000000000000000000000000000000000000000000000; =; ;\r\n",
    };
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        AUTO_ANSWER answer =
            client_request(fixture_port(*state), "GET", "/api/v1/me", bad[i], NULL);
        assert_int_equal(answer.status, 401);
    }
}

static void an_expired_session_or_a_disabled_user_is_nobody(void **state)
{
    int port = fixture_port(*state);
    const char *vera = fixture_login(*state, "vera");
    const char *boss = fixture_login(*state, "boss");
    fixture_sql(*state,
                "UPDATE sessions SET expires_at = 1 WHERE user = 'vera';"
                "UPDATE users SET disabled = 1 WHERE user = 'boss'");
    AUTO_ANSWER expired = client_request(port, "GET", "/api/v1/me", vera, NULL);
    assert_int_equal(expired.status, 401);
    AUTO_ANSWER disabled = client_request(port, "GET", "/api/v1/me", boss, NULL);
    assert_int_equal(disabled.status, 401);
    AUTO_ANSWER again = login(state, "{\"user\":\"boss\",\"password\":\"pass word\"}", "");
    assert_int_equal(again.status, 401);
}

static void wrong_passwords_and_unknown_users_look_alike(void **state)
{
    AUTO_ANSWER known = login(state, wrong, "");
    AUTO_ANSWER unknown = login(state, "{\"user\":\"nobody\",\"password\":\"pass\"}", "");
    assert_int_equal(known.status, 401);
    assert_string_equal(answer_code(&known), "unauthenticated");
    assert_string_equal(known.body, unknown.body);
    assert_null(answer_header(&known, "Set-Cookie"));
}

static void a_damaged_login_repeats_no_password(void **state)
{
    static const char *const bodies[] = {
        "{\"user\":\"vera\",\"password\":\"sec\\qret\"}",
        "{\"user\":\"vera\",\"password\" \"secret\"}",
        "{\"user\":\"vera\",\"password\":\"secret}",
        "{\"user\":\"vera\",\"password\":secret}",
        "{\"user\":\"vera\",\"password\":\"x near 'secret\\q\"}",
        "{\"user\":\"vera\",\"password\":[\"secret\"]}",
    };
    for (size_t i = 0; i < OKNO_COUNT(bodies); i++) {
        AUTO_ANSWER answer = login(state, bodies[i], "");
        assert_int_equal(answer.status, 400);
        assert_null(strstr(answer.body, "sec"));
        assert_null(strstr(answer.body, "ret"));
    }
}

static void after_five_failures_a_user_waits_and_others_do_not(void **state)
{
    for (int i = 0; i < 5; i++) {
        AUTO_ANSWER answer = login(state, wrong, "");
        assert_int_equal(answer.status, 401);
    }
    AUTO_ANSWER limited = login(state, good, "");
    assert_int_equal(limited.status, 429);
    assert_string_equal(answer_code(&limited), "too_many");
    long wait = strtol(answer_header(&limited, "Retry-After"), NULL, 10);
    assert_in_range(wait, 1, 61);
    AUTO_ANSWER other = login(state, "{\"user\":\"boss\",\"password\":\"pass word\"}", "");
    assert_int_equal(other.status, 200);
}

static void a_stranger_locks_nobody_out(void **state)
{
    for (int i = 0; i < 20; i++) {
        AUTO_ANSWER guess = login(state, wrong, "X-Real-IP: 192.0.2.7\r\n");
        assert_int_equal(guess.status, i < 5 ? 401 : 429);
    }
    AUTO_ANSWER owner = login(state, good, "X-Real-IP: 192.0.2.8\r\n");
    assert_int_equal(owner.status, 200);
}

/* Whoever has one IPv6 address mostly has 2^64 of them. */
static void nor_does_one_with_a_whole_ipv6_network(void **state)
{
    char from[80];
    for (int i = 0; i < 45; i++) {
        (void)snprintf(from, sizeof(from), "X-Real-IP: 2001:db8:0:7:%x::%d\r\n", i * 1000, i);
        AUTO_ANSWER guess = login(state, wrong, from);
        assert_int_equal(guess.status, i < 5 ? 401 : 429);
    }
    AUTO_ANSWER neighbour = login(state, good, "X-Real-IP: 2001:db8:0:8::1\r\n");
    assert_int_equal(neighbour.status, 200);
    /* An IPv4 address written as IPv6 is one alone. */
    for (int i = 0; i < 5; i++) {
        AUTO_ANSWER guess = login(state, wrong, "X-Real-IP: ::ffff:192.0.2.7\r\n");
        assert_int_equal(guess.status, 401);
    }
    AUTO_ANSWER same = login(state, good, "X-Real-IP: 192.0.2.7\r\n");
    assert_int_equal(same.status, 429);
    AUTO_ANSWER other = login(state, good, "X-Real-IP: ::ffff:192.0.2.8\r\n");
    assert_int_equal(other.status, 200);
}

static void many_addresses_together_are_slowed_down(void **state)
{
    char from[60];
    for (int i = 0; i < 40; i++) {
        (void)snprintf(from, sizeof(from), "X-Real-IP: 2001:db8:%d::1\r\n", i);
        AUTO_ANSWER guess = login(state, wrong, from);
        assert_int_equal(guess.status, 401);
    }
    AUTO_ANSWER limited = login(state, good, "X-Real-IP: 192.0.2.8\r\n");
    assert_int_equal(limited.status, 429);
    AUTO_ANSWER other = login(state, "{\"user\":\"boss\",\"password\":\"pass word\"}", "");
    assert_int_equal(other.status, 200);
}

static void one_address_cannot_try_many_users(void **state)
{
    char body[100];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(body, sizeof(body), "{\"user\":\"u%d\",\"password\":\"x\"}", i);
        AUTO_ANSWER answer = login(state, body, "X-Real-IP: 192.0.2.7\r\n");
        assert_int_equal(answer.status, 401);
    }
    AUTO_ANSWER limited = login(state, good, "X-Real-IP: 192.0.2.7\r\n");
    assert_int_equal(limited.status, 429);
    AUTO_ANSWER elsewhere = login(state, good, "X-Real-IP: 192.0.2.8\r\n");
    assert_int_equal(elsewhere.status, 200);
}

static void a_success_forgives_earlier_slips(void **state)
{
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++) {
            AUTO_ANSWER slip = login(state, wrong, "");
            assert_int_equal(slip.status, 401);
        }
        AUTO_ANSWER answer = login(state, good, "");
        assert_int_equal(answer.status, 200);
    }
}

static void other_sites_change_nothing(void **state)
{
    static const char *const bad[] = {
        "Origin: https://evil.example\r\n", "Origin: null\r\n",
        "Origin: http://127.0.0.1:1\r\n",   "Origin:\r\n",
        "Sec-Fetch-Site: cross-site\r\n",   "Sec-Fetch-Site: same-site\r\n"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        AUTO_ANSWER answer = login(state, good, bad[i]);
        assert_int_equal(answer.status, 403);
        assert_string_equal(answer_code(&answer), "forbidden");
    }
    char own[80];
    (void)snprintf(own, sizeof(own),
                   "Origin: http://127.0.0.1:%d\r\nSec-Fetch-Site: same-origin\r\n",
                   fixture_port(*state));
    AUTO_ANSWER answer = login(state, good, own);
    assert_int_equal(answer.status, 200);
}

static void a_body_must_be_declared_as_json(void **state)
{
    static const char *const types[] = {"text/plain", "application/x-www-form-urlencoded",
                                        "application/jsonx", ""};
    for (size_t i = 0; i < OKNO_COUNT(types); i++) {
        char request[400];
        int len = snprintf(request, sizeof(request),
                           "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\n"
                           "Content-Length: %zu\r\n\r\n%s",
                           types[i], strlen(good), good);
        AUTO_ANSWER answer = client_talk(fixture_port(*state), request, (size_t)len);
        assert_int_equal(answer.status, 400);
        assert_non_null(strstr(answer.body, "\"field\":\"Content-Type\""));
    }
}

static void a_body_that_does_not_fit_its_shape_names_the_field(void **state)
{
    static const struct {
        const char *body, *code, *field;
    } bad[] = {
        {"", "malformed", "null"},
        {"{", "malformed", "null"},
        {"[]", "invalid", "null"},
        {"{\"user\":\"a\",\"user\":\"b\",\"password\":\"x\"}", "malformed", "null"},
        {"{\"user\":\"a\"}", "missing", "\"password\""},
        {"{\"user\":1,\"password\":\"x\"}", "invalid", "\"user\""},
        {"{\"user\":\"a\",\"password\":\"x\",\"admin\":true}", "unknown_field", "\"admin\""},
        {"{\"user\":\"\xff\",\"password\":\"x\"}", "malformed", "null"},
        {"{\"user\":\"a\\u0000b\",\"password\":\"x\"}", "malformed", "null"},
        {"{\"user\":"
         "\"0123456789012345678901234567890123456789012345678901234567890123x\","
         "\"password\":\"x\"}",
         "invalid", "\"user\""},
    };
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        char field[80];
        AUTO_ANSWER answer = login(state, bad[i].body, "");
        assert_int_equal(answer.status, 400);
        assert_string_equal(answer_code(&answer), bad[i].code);
        (void)snprintf(field, sizeof(field), "\"field\":%s}", bad[i].field);
        assert_non_null(strstr(answer.body, field));
    }
}

static void people_change_their_own_language(void **state)
{
    int port = fixture_port(*state);
    const char *cookie = fixture_login(*state, "vera");
    AUTO_ANSWER bad = client_request(port, "POST", "/api/v1/me", cookie, "{\"language\":\"de\"}");
    assert_int_equal(bad.status, 400);
    assert_non_null(strstr(bad.body, "\"field\":\"language\""));
    AUTO_ANSWER me = client_request(port, "POST", "/api/v1/me", cookie, "{\"language\":\"ru\"}");
    assert_int_equal(me.status, 200);
    assert_non_null(strstr(me.body, "\"language\":\"ru\""));
    AUTO_ANSWER later = client_request(port, "GET", "/api/v1/me", cookie, NULL);
    assert_string_equal(later.body, me.body);
}

static void who_chose_no_language_keeps_the_browsers(void **state)
{
    fixture_sql(*state, "UPDATE users SET language = '' WHERE user = 'vera'");
    AUTO_ANSWER answer = login(state, good, "");
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"language\":null"));
}

static void roles_open_their_own_doors_only(void **state)
{
    int port = fixture_port(*state);
    const char *vera = fixture_login(*state, "vera");
    const char *boss = fixture_login(*state, "boss");
    static const struct {
        const char *path;
        bool post;
        int expert, manager;
    } doors[] = {
        {"/api/v1/queue/next", true, 404, 403},
        {"/api/v1/sites", false, 403, 200},
        {"/api/v1/status", false, 403, 200},
        {"/api/v1/reasons", false, 200, 200},
        {"/api/v1/indicators?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z", false, 403, 200},
    };
    for (size_t i = 0; i < OKNO_COUNT(doors); i++) {
        const char *method = doors[i].post ? "POST" : "GET";
        const char *body = doors[i].post ? "{}" : NULL;
        AUTO_ANSWER expert = client_request(port, method, doors[i].path, vera, body);
        AUTO_ANSWER manager = client_request(port, method, doors[i].path, boss, body);
        assert_int_equal(expert.status, doors[i].expert);
        assert_int_equal(manager.status, doors[i].manager);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_good_password_gives_a_session),
        cmocka_unit_test_setup_teardown(over_https_the_cookie_is_secure, start_https, stop),
        cmocka_unit_test_setup_teardown(over_https_a_cookie_of_a_sister_site_is_no_session,
                                        start_https, stop),
        TEST(a_session_knows_its_user_until_logout),
        TEST(a_cookie_that_is_no_session_is_nobody),
        TEST(an_expired_session_or_a_disabled_user_is_nobody),
        TEST(wrong_passwords_and_unknown_users_look_alike),
        TEST(a_damaged_login_repeats_no_password),
        TEST(after_five_failures_a_user_waits_and_others_do_not),
        TEST(a_stranger_locks_nobody_out),
        TEST(nor_does_one_with_a_whole_ipv6_network),
        TEST(many_addresses_together_are_slowed_down),
        TEST(one_address_cannot_try_many_users),
        TEST(a_success_forgives_earlier_slips),
        TEST(other_sites_change_nothing),
        TEST(a_body_must_be_declared_as_json),
        TEST(a_body_that_does_not_fit_its_shape_names_the_field),
        TEST(people_change_their_own_language),
        TEST(who_chose_no_language_keeps_the_browsers),
        TEST(roles_open_their_own_doors_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

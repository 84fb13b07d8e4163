/* The pure rules of delivery: quiet hours, backing off, answers, the signature. */
#include "../../src/notify/notify.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sodium.h>

#define S OKNO_SECOND_US

static int64_t at(const char *text)
{
    int64_t us = 0;
    struct okno_err err = {0};
    assert_int_equal(okno_time_parse(text, &us, &err), 0);
    return us;
}

static void ends(const char *quiet, const char *zone_name, const char *now, const char *end)
{
    OKNO_AUTO(okno_zone) *zone = NULL;
    struct okno_err err = {0};
    assert_int_equal(okno_zone_open(zone_name, &zone, &err), 0);
    int64_t got = notify_quiet_until(quiet, zone, at(now));
    if (got != (end ? at(end) : 0))
        fail_msg("%s at %s in %s: %lld", quiet, now, zone_name, (long long)got);
}

static void quiet_hours_over_midnight_end_in_the_morning(void **state)
{
    (void)state;
    ends("22:00-08:00", "UTC", "2026-03-10T21:59:59Z", NULL);
    ends("22:00-08:00", "UTC", "2026-03-10T22:00:00Z", "2026-03-11T08:00:00Z");
    ends("22:00-08:00", "UTC", "2026-03-11T07:59:59.9Z", "2026-03-11T08:00:00Z");
    ends("22:00-08:00", "UTC", "2026-03-11T08:00:00Z", NULL);
    ends("13:00-14:00", "UTC", "2026-03-11T13:30:00Z", "2026-03-11T14:00:00Z");
    ends("13:00-14:00", "UTC", "2026-03-11T14:00:00Z", NULL);
    ends("", "UTC", "2026-03-11T14:00:00Z", NULL);
    ends("22:00-08:00", "UTC", "2026-12-31T23:00:00Z", "2027-01-01T08:00:00Z");
}

static void quiet_hours_are_those_of_the_zone_also_when_clocks_change(void **state)
{
    (void)state;
    ends("22:00-08:00", "Europe/Moscow", "2026-03-10T19:00:00Z", "2026-03-11T05:00:00Z");
    ends("22:00-08:00", "Europe/Berlin", "2026-03-28T21:30:00Z", "2026-03-29T06:00:00Z");
    ends("22:00-08:00", "Europe/Berlin", "2026-10-24T21:30:00Z", "2026-10-25T07:00:00Z");
}

static void quiet_hours_that_are_none_are_recognised(void **state)
{
    (void)state;
    static const char *const bad[] = {"22-08",       "22:00-24:00", "22:60-08:00",
                                      "08:00-08:00", "22:00 08:00", "x"};
    assert_true(notify_quiet_valid(""));
    assert_true(notify_quiet_valid("00:00-23:59"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(notify_quiet_valid(bad[i]));
}

static void the_wait_doubles_up_to_an_hour_with_a_fifth_of_chance(void **state)
{
    (void)state;
    assert_int_equal(notify_backoff(1, 10 * S, 500000), 10 * S);
    assert_int_equal(notify_backoff(2, 10 * S, 500000), 20 * S);
    assert_int_equal(notify_backoff(1, 10 * S, 0), 8 * S);
    assert_int_equal(notify_backoff(1, 10 * S, 1000000), 12 * S);
    assert_int_equal(notify_backoff(1000000, 10 * S, 500000), 3600 * S);
    assert_int_equal(notify_backoff(1, 7200 * S, 500000), 3600 * S);
}

/* Against another implementation, and against the library that is used. */
static void the_signature_is_what_another_tool_computes(void **state)
{
    (void)state;
    char hex[65];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state hmac;
    static const char whole[] = "1800000000.{\"a\":1}";
    (void)notify_sign("Jefe", 1800000000, "{\"a\":1}", hex);
    crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)"Jefe", 4);
    crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)whole, strlen(whole));
    crypto_auth_hmacsha256_final(&hmac, mac);
    char expected[65];
    assert_string_equal(hex, sodium_bin2hex(expected, sizeof(expected), mac, sizeof(mac)));
    /* printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac Jefe */
    assert_string_equal(hex, "790332864bbc0226f3d3582d98518d658c3a8da49f773ba89f0cc125972f0326");
}

static struct notify_ruling answered(enum notify_kind kind, int status, const char *body)
{
    struct okno_post_result result = {
        .outcome = OKNO_POST_ANSWERED, .status = status, .whole = true};
    result.body = (struct okno_buf)OKNO_BUF_INIT(10000);
    struct okno_err err = {0};
    assert_int_equal(okno_buf_add_text(&result.body, body, &err), 0);
    struct notify_ruling ruling = notify_judge(kind, &result);
    okno_buf_free(&result.body);
    return ruling;
}

static void each_status_has_its_fate(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum notify_fate fate;
    } cases[] = {
        {200, NOTIFY_SENT},  {204, NOTIFY_SENT},  {301, NOTIFY_RETRY}, {307, NOTIFY_RETRY},
        {400, NOTIFY_DEAD},  {401, NOTIFY_RETRY}, {403, NOTIFY_RETRY}, {404, NOTIFY_RETRY},
        {405, NOTIFY_DEAD},  {408, NOTIFY_RETRY}, {410, NOTIFY_DEAD},  {413, NOTIFY_DEAD},
        {422, NOTIFY_DEAD},  {425, NOTIFY_RETRY}, {429, NOTIFY_RETRY}, {500, NOTIFY_RETRY},
        {502, NOTIFY_RETRY}, {503, NOTIFY_RETRY}, {599, NOTIFY_RETRY}, {999, NOTIFY_RETRY}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct notify_ruling ruling = answered(NOTIFY_WEBHOOK, cases[i].status, "");
        if (ruling.fate != cases[i].fate)
            fail_msg("%d: %d", cases[i].status, (int)ruling.fate);
        assert_int_equal(ruling.status, cases[i].status);
        assert_true(ruling.fate == NOTIFY_SENT || *ruling.reason);
    }
}

static void a_mail_server_is_quoted_in_whole_letters(void **state)
{
    (void)state;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_err err = {0};
    assert_int_equal(okno_buf_add_text(&body, "1", &err), 0);
    for (int i = 0; i < 60; i++)
        assert_int_equal(okno_buf_add_text(&body, "\xd1\x8f", &err), 0);
    struct notify_ruling ruling = answered(NOTIFY_EMAIL, 550, okno_buf_text(&body));
    assert_int_equal(ruling.fate, NOTIFY_DEAD);
    assert_non_null(strstr(ruling.reason, "\xd1\x8f)"));
}

static void telegram_says_in_the_body_what_the_status_does_not(void **state)
{
    (void)state;
    assert_int_equal(answered(NOTIFY_TELEGRAM, 200, "{\"ok\":true,\"result\":{}}").fate,
                     NOTIFY_SENT);
    assert_int_equal(answered(NOTIFY_TELEGRAM, 200, "<html>").fate, NOTIFY_RETRY);
    assert_int_equal(answered(NOTIFY_TELEGRAM, 200, "").fate, NOTIFY_RETRY);
    struct notify_ruling ruling =
        answered(NOTIFY_TELEGRAM, 200,
                 "{\"ok\":false,\"error_code\":400,\"description\":\"chat not found\"}");
    assert_int_equal(ruling.fate, NOTIFY_DEAD);
    assert_non_null(strstr(ruling.reason, "chat not found"));
    ruling = answered(NOTIFY_TELEGRAM, 429,
                      "{\"ok\":false,\"error_code\":429,\"parameters\":{\"retry_after\":33}}");
    assert_int_equal(ruling.fate, NOTIFY_RETRY);
    assert_int_equal(ruling.wait_us, 33 * S);
    ruling = answered(NOTIFY_TELEGRAM, 429,
                      "{\"ok\":false,\"error_code\":429,\"parameters\":"
                      "{\"retry_after\":99999999}}");
    assert_int_equal(ruling.wait_us, OKNO_DAY_US);
    assert_int_equal(answered(NOTIFY_TELEGRAM, 200, "{\"ok\":false}").fate, NOTIFY_RETRY);
    assert_int_equal(answered(NOTIFY_TELEGRAM, 502, "<html>bad gateway").fate, NOTIFY_RETRY);
}

static bool is_private(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return okno_post_is_private((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return okno_post_is_private((struct sockaddr *)&v6);
}

static void private_addresses_are_known_in_every_spelling(void **state)
{
    (void)state;
    static const char *const inside[] = {"127.0.0.1",
                                         "127.255.255.255",
                                         "10.0.0.1",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.168.1.1",
                                         "169.254.169.254",
                                         "100.64.0.1",
                                         "0.0.0.0",
                                         "224.0.0.1",
                                         "255.255.255.255",
                                         "::1",
                                         "::",
                                         "fe80::1",
                                         "fc00::1",
                                         "fd12::1",
                                         "ff02::1",
                                         "::ffff:10.0.0.1",
                                         "::127.0.0.1",
                                         "64:ff9b::7f00:1",
                                         "2002:a00:1::",
                                         "2001:db8::1",
                                         "2001:0:1::"};
    static const char *const outside[] = {"8.8.8.8",     "172.15.0.1",           "172.32.0.1",
                                          "192.167.0.1", "100.128.0.1",          "1.1.1.1",
                                          "2a00::1",     "2606:4700:4700::1111", "::ffff:8.8.8.8"};
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
        if (!is_private(inside[i]))
            fail_msg("%s is taken for public", inside[i]);
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        if (is_private(outside[i]))
            fail_msg("%s is taken for private", outside[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_hours_over_midnight_end_in_the_morning),
        cmocka_unit_test(quiet_hours_are_those_of_the_zone_also_when_clocks_change),
        cmocka_unit_test(quiet_hours_that_are_none_are_recognised),
        cmocka_unit_test(the_wait_doubles_up_to_an_hour_with_a_fifth_of_chance),
        cmocka_unit_test(the_signature_is_what_another_tool_computes),
        cmocka_unit_test(each_status_has_its_fate),
        cmocka_unit_test(a_mail_server_is_quoted_in_whole_letters),
        cmocka_unit_test(telegram_says_in_the_body_what_the_status_does_not),
        cmocka_unit_test(private_addresses_are_known_in_every_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _GNU_SOURCE
/* Looking at archives' clocks: whole seconds, SNTP, ONVIF. */
#include "../../src/video/archive/probe.h"

#include "../support/nginx.h"
#include "../support/server.h"
#include "../support/tempdir.h"
#include "../support/time_server.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S OKNO_SECOND_US
#define NOON INT64_C(1773144000000000) /* 2026-03-10T12:00:00Z */

/* ---- whole seconds ---- */

/* A machine whose clock is off, some way away; time passes only by asking and waiting. */
struct far {
    int64_t now_us, offset_us, trip_us, jitter_us;
    uint64_t seed;
    int asks, set_at; /* the clock is set by a minute before that question; 0 never */
};

static double chance(struct far *far)
{
    far->seed = far->seed * 6364136223846793005U + 1442695040888963407U;
    return (double)(far->seed >> 11) / 9007199254740992.0;
}

static int64_t far_now(void *ctx)
{
    return ((struct far *)ctx)->now_us;
}

static void far_sleep(void *ctx, int64_t until_us)
{
    struct far *far = ctx;
    far->now_us = until_us > far->now_us ? until_us : far->now_us;
}

static int far_ask(void *ctx, int64_t *ret_before, int64_t *ret_after, int64_t *ret_told,
                   struct okno_err *err)
{
    struct far *far = ctx;
    (void)err;
    if (++far->asks == far->set_at)
        far->offset_us += 60 * S;
    *ret_before = far->now_us;
    far->now_us += far->trip_us / 3 + (int64_t)(chance(far) * (double)far->jitter_us);
    int64_t there = far->now_us + far->offset_us;
    *ret_told = there - there % S;
    far->now_us += far->trip_us * 2 / 3 + (int64_t)(chance(far) * (double)far->jitter_us);
    *ret_after = far->now_us;
    return 0;
}

static int look(struct far *far, struct okno_archive_clock *clock)
{
    const struct probe_clock how = {
        .ctx = far, .now = far_now, .sleep_until = far_sleep, .ask = far_ask};
    return probe_edges(&how, "test", clock, NULL);
}

static void whole_seconds_tell_the_offset_to_a_round_trip_in_a_few_questions(void **state)
{
    (void)state;
    struct far far = {.seed = 7};
    for (int i = 0; i < 2000; i++) {
        struct okno_archive_clock clock = {0};
        far.asks = 0;
        far.now_us = NOON + (int64_t)(chance(&far) * 1e9);
        far.offset_us = (int64_t)((chance(&far) - 0.5) * 2e11);
        far.trip_us = 500 + (int64_t)(chance(&far) * 150000);
        far.jitter_us = (int64_t)(chance(&far) * 20000);
        int64_t began = far.now_us;
        assert_int_equal(look(&far, &clock), 0);
        int64_t off = llabs(clock.offset_us - far.offset_us);
        int64_t most = far.trip_us + 2 * far.jitter_us + 20000;
        if (off > clock.uncertainty_us || clock.uncertainty_us > most || far.asks > PROBE_ASKS)
            fail_msg("trip %lld us: off by %lld, said %lld, %d questions", (long long)far.trip_us,
                     (long long)off, (long long)clock.uncertainty_us, far.asks);
        assert_true(far.now_us - began < 12 * S);
    }
}

static void a_clock_that_is_set_meanwhile_is_no_measurement(void **state)
{
    (void)state;
    struct far far = {.now_us = NOON, .trip_us = 1000, .seed = 1, .set_at = 3};
    struct okno_archive_clock clock = {0};
    assert_int_equal(look(&far, &clock), OKNO_PROTOCOL);
}

static struct okno_archive_config config_of(const char *url, const char *options)
{
    return (struct okno_archive_config){.archive = "a",
                                        .kind = "dir",
                                        .url = url,
                                        .files = "{channel}/%Y-%m-%d/%H-%M-%S.mp4",
                                        .time_zone = "UTC",
                                        .user = "",
                                        .password = "",
                                        .options = options,
                                        .deadline_us = 5 * S};
}

static void the_date_header_of_a_real_server_is_our_own_time(void **state)
{
    (void)state;
    struct support_nginx nginx;
    char *root = support_tempdir();
    char url[120];
    struct okno_archive_clock clock = {0};
    struct okno_err err = {0};
    support_file(root, "x/.keep", 0, -1);
    support_nginx_start(&nginx, root, NULL);
    /* A folder without its slash, which the server would send elsewhere, as it is listed too. */
    (void)snprintf(url, sizeof(url), "%s/x", nginx.url);
    const struct okno_archive_config config = config_of(url, "clock=http");
    if (okno_archive_probe(&config, NULL, &clock, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(clock.method, "http_date");
    assert_true(llabs(clock.offset_us) <= clock.uncertainty_us + S / 50); /* nginx keeps its time
                                                                             some ms */
    assert_in_range(clock.uncertainty_us, 0, S / 2);
    support_nginx_stop(&nginx);
    support_tempdir_remove(root);
}

/* ---- ONVIF ---- */

#define ANSWER(body)                                                                               \
    "<?xml version=\"1.0\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"x\" xmlns:tt=\"y\" "               \
    "xmlns:tds=\"z\"><SOAP-ENV:Body><tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"     \
    "<tt:DateTimeType>NTP</tt:DateTimeType>" body                                                  \
    "</tds:SystemDateAndTime>"                                                                     \
    "</tds:GetSystemDateAndTimeResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>"
#define TIME(name, hour)                                                                           \
    "<tt:" name "><tt:Time><tt:Hour>" hour                                                         \
    "</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>7</tt:Second>"                                   \
    "</tt:Time><tt:Date><tt:Year>2026</tt:Year><tt:Month>3</tt:Month><tt:Day>10</tt:Day>"          \
    "</tt:Date></tt:" name ">"
#define ZONE(rule) "<tt:TimeZone><tt:TZ>" rule "</tt:TZ></tt:TimeZone>"

static void an_onvif_answer_tells_utc_or_local_time_with_its_zone(void **state)
{
    (void)state;
    static const char both[] =
        ANSWER(ZONE("MSK-3") TIME("UTCDateTime", "12") TIME("LocalDateTime", "15"));
    static const char local[] = ANSWER(ZONE("MSK-3") TIME("LocalDateTime", "15"));
    static const char none[] = ANSWER(ZONE("MSK-3"));
    static const char wrong[] = ANSWER(TIME("UTCDateTime", "25"));
    static const char unzoned[] = ANSWER(TIME("LocalDateTime", "15"));
    int64_t us = 0;
    assert_int_equal(probe_onvif_time(both, strlen(both), &us, NULL), 0);
    assert_int_equal(us, NOON + 7 * S);
    us = 0;
    assert_int_equal(probe_onvif_time(local, strlen(local), &us, NULL), 0);
    assert_int_equal(us, NOON + 7 * S);
    assert_int_equal(probe_onvif_time(none, strlen(none), &us, NULL), OKNO_PROTOCOL);
    assert_int_equal(probe_onvif_time(wrong, strlen(wrong), &us, NULL), OKNO_PROTOCOL);
    assert_int_equal(probe_onvif_time(unzoned, strlen(unzoned), &us, NULL), OKNO_PROTOCOL);
    for (size_t cut = 0; cut < strlen(both); cut++)
        if (probe_onvif_time(both, cut, &us, NULL) == 0)
            assert_int_equal(us, NOON + 7 * S);
}

static void an_onvif_device_is_asked_over_http(void **state)
{
    (void)state;
    static char reply[2048];
    static const char body[] = ANSWER(TIME("UTCDateTime", "12"));
    (void)snprintf(reply, sizeof(reply),
                   "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    const struct support_reply replies = {.text = reply, .keep = true};
    struct support_server *server = support_server_start(&replies, 1);
    char options[200];
    struct okno_archive_clock clock = {0};
    struct okno_err err = {0};
    (void)snprintf(options, sizeof(options), "clock=onvif clock_at=%s/onvif/device_service",
                   support_server_url(server));
    const struct okno_archive_config config = config_of("http://127.0.0.1:9/", options);
    /* Its clock stands still: after a second that is a contradiction. */
    int rc = okno_archive_probe(&config, NULL, &clock, &err);
    if (rc == 0)
        assert_in_range(llabs(clock.offset_us + okno_time_now() - NOON - 7 * S), 0, 3 * S);
    else
        assert_int_equal(rc, OKNO_PROTOCOL);
    assert_non_null(strstr(support_server_request(server, 0), "POST /onvif/device_service "));
    support_server_stop(server);
}

/* ---- SNTP ---- */

static int ask_server(struct time_server *server, struct okno_archive_clock *clock)
{
    struct okno_err err = {0};
    time_server_start(server);
    const struct okno_archive_config config = config_of("http://127.0.0.1:9/", server->options);
    int rc = okno_archive_probe(&config, NULL, clock, &err);
    time_server_stop(server);
    return rc;
}

static void a_time_server_tells_the_offset_to_milliseconds(void **state)
{
    (void)state;
    static const int64_t offsets[] = {37250000, -7400000, 0, -INT64_C(86400) * 3000 * S};
    for (size_t i = 0; i < OKNO_COUNT(offsets); i++) {
        struct time_server server = {.offset_us = offsets[i], .first = 0x24, .stratum = 2};
        struct okno_archive_clock clock = {0};
        assert_int_equal(ask_server(&server, &clock), 0);
        assert_true(llabs(clock.offset_us - offsets[i]) <= clock.uncertainty_us);
        assert_in_range(clock.uncertainty_us, 0, S / 10);
        assert_string_equal(clock.method, "sntp");
    }
}

static void a_time_server_that_does_not_know_is_not_believed(void **state)
{
    (void)state;
    struct okno_archive_clock clock = {0};
    struct time_server kiss = {.first = 0x24, .stratum = 0};
    struct time_server unset = {.first = 0xe4, .stratum = 3};
    assert_int_equal(ask_server(&kiss, &clock), OKNO_ARCHIVE_REFUSED);
    assert_int_equal(ask_server(&unset, &clock), OKNO_ARCHIVE_REFUSED);
}

static void an_answer_counts_only_to_its_own_question(void **state)
{
    (void)state;
    uint8_t question[SNTP_BYTES], answer[SNTP_BYTES] = {0x24, 1};
    struct okno_archive_clock clock = {0};
    sntp_request(NOON, question);
    memcpy(answer + 24, question + 40, 8);
    put_time(answer + 32, NOON + 3 * S);
    put_time(answer + 40, NOON + 3 * S + 2000);
    assert_int_equal(sntp_answer(answer, sizeof(answer), NOON, NOON + 42000, &clock, NULL), 0);
    assert_in_range(llabs(clock.offset_us - 2980000), 0, 2);
    assert_in_range(clock.uncertainty_us, 20000, 21100);
    assert_int_equal(sntp_answer(answer, 47, NOON, NOON, &clock, NULL), OKNO_PROTOCOL);
    assert_int_equal(sntp_answer(answer, 48, NOON + 1, NOON + 42000, &clock, NULL), OKNO_PROTOCOL);
    answer[0] = 0x23; /* a client's */
    assert_int_equal(sntp_answer(answer, 48, NOON, NOON + 42000, &clock, NULL), OKNO_PROTOCOL);
    answer[0] = 0x24;
    put_time(answer + 40, NOON);
    assert_int_equal(sntp_answer(answer, 48, NOON, NOON + 42000, &clock, NULL), OKNO_PROTOCOL);
}

static void hosts_are_found_in_urls_and_pairs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port;
    } good[] = {{"http://nvr.lan:8080/a?b", "nvr.lan", "8080"},
                {"rtsp://u@10.0.0.5/x", "10.0.0.5", ""},
                {"10.0.0.5:1123", "10.0.0.5", "1123"},
                {"https://[::1]:99/", "[::1]", "99"}};
    char host[64], port[8];
    for (size_t i = 0; i < OKNO_COUNT(good); i++) {
        assert_true(probe_host(good[i].text, host, sizeof(host), port, sizeof(port)));
        assert_string_equal(host, good[i].host);
        assert_string_equal(port, good[i].port);
    }
    assert_false(probe_host("/a/folder", host, sizeof(host), port, sizeof(port)));
    assert_false(probe_host("http:///x", host, sizeof(host), port, sizeof(port)));
}

static void a_kind_without_a_clock_says_so(void **state)
{
    (void)state;
    struct okno_archive_clock clock = {0};
    struct okno_err err = {0};
    const struct okno_archive_config plain = config_of("/tmp", "");
    const struct okno_archive_config none = config_of("/tmp", "clock=none");
    const struct okno_archive_config wrong = config_of("/tmp", "clock=sundial");
    assert_int_equal(okno_archive_probe(&plain, NULL, &clock, &err), OKNO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "clock=sntp"));
    okno_err_clear(&err);
    assert_int_equal(okno_archive_probe(&none, NULL, &clock, &err), OKNO_UNSUPPORTED);
    okno_err_clear(&err);
    assert_int_equal(okno_archive_check(&wrong, &err), OKNO_INVALID);
    assert_non_null(strstr(err.text, "clock=sundial"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_seconds_tell_the_offset_to_a_round_trip_in_a_few_questions),
        cmocka_unit_test(a_clock_that_is_set_meanwhile_is_no_measurement),
        cmocka_unit_test(the_date_header_of_a_real_server_is_our_own_time),
        cmocka_unit_test(an_onvif_answer_tells_utc_or_local_time_with_its_zone),
        cmocka_unit_test(an_onvif_device_is_asked_over_http),
        cmocka_unit_test(a_time_server_tells_the_offset_to_milliseconds),
        cmocka_unit_test(a_time_server_that_does_not_know_is_not_believed),
        cmocka_unit_test(an_answer_counts_only_to_its_own_question),
        cmocka_unit_test(hosts_are_found_in_urls_and_pairs),
        cmocka_unit_test(a_kind_without_a_clock_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _GNU_SOURCE
/* An archive that would have okno ask elsewhere, say more than it means, or do what its names say.
 */
#include "../support/fault.h"
#include "../support/server.h"

#include "okno/archive.h"
#include "okno/mem.h"
#include "okno/net.h"
#include "okno/time.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define T0 INT64_C(1773151400000000) /* 2026-03-10T14:03:20Z */

/* ---- answers of the name service ---- */

/* What names turn out to be, one answer a question, the last one again; NULL: the real service. */
static const char *const *answers;
static size_t asked;

/* In place of the system's, also for the network library. Freed by the system's freeaddrinfo. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **ret_list)
{
    struct addrinfo *list = NULL;
    struct addrinfo **end = &list;
    (void)host;
    const char *text = answers[asked + 1] ? answers[asked++] : answers[asked];
    for (char word[64]; sscanf(text, "%63s", word) == 1; text += strspn(text, " ")) {
        struct addrinfo *one = calloc(1, sizeof(*one) + sizeof(struct sockaddr_in));
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)(one + 1);
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)(port ? strtoul(port, NULL, 10) : 0));
        assert_int_equal(inet_pton(AF_INET, word, &in->sin_addr), 1);
        one->ai_family = AF_INET;
        one->ai_socktype = hints && hints->ai_socktype ? hints->ai_socktype : SOCK_STREAM;
        one->ai_protocol = IPPROTO_TCP;
        one->ai_addrlen = sizeof(*in);
        one->ai_addr = (struct sockaddr *)in;
        *end = one;
        end = &one->ai_next;
        text += strlen(word);
    }
    *ret_list = list;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    for (struct addrinfo *next; list; list = next) {
        next = list->ai_next;
        free(list);
    }
}

static int ask_name(const struct support_server *server, struct okno_err *err)
{
    char url[100];
    struct okno_address_rule rule;
    OKNO_AUTO(okno_net) *net = NULL;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    const struct okno_net_config config = {.rule = &rule, .connect_us = 2 * SECOND};
    *err = (struct okno_err){0};
    assert_int_equal(okno_address_rule_parse("127.0.0.2", &rule, NULL), 0);
    assert_int_equal(okno_net_open(&config, &net, NULL), 0);
    (void)snprintf(url, sizeof(url), "http://recorder.example%s/",
                   strrchr(support_server_url(server), ':'));
    return okno_net_get(net, url, &body, &reply, err);
}

static void a_name_that_becomes_another_address_is_not_followed_there(void **state)
{
    (void)state;
    static const struct support_reply replies[] = {
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"}};
    /* 127.0.0.2 may be asked, though nobody listens there; the server at 127.0.0.1 may not. */
    static const char *const changing[] = {"127.0.0.2", "127.0.0.1", NULL};
    static const char *const both[] = {"127.0.0.2 127.0.0.1", NULL};
    struct support_server *server = support_server_start(replies, 1);
    struct okno_err err = {0};
    answers = changing;
    asked = 0;
    assert_int_equal(ask_name(server, &err), OKNO_TRANSIENT);
    assert_int_equal(ask_name(server, &err), OKNO_ARCHIVE_REFUSED);
    assert_non_null(strstr(err.text, "127.0.0.1"));
    answers = both;
    asked = 0;
    assert_true(ask_name(server, &err) < 0);
    assert_int_equal(support_server_requests(server), 0);
    support_server_stop(server);
}

/* ---- what headers would have ---- */

static struct okno_net *opened(void)
{
    struct okno_net *net = NULL;
    assert_int_equal(okno_net_open(&(struct okno_net_config){0}, &net, NULL), 0);
    return net;
}

static void other_services_and_upgrades_that_an_archive_announces_are_not_used(void **state)
{
    (void)state;
    char text[400];
    static const struct support_reply other_replies[] = {{.text = "HTTP/1.1 200 OK\r\n\r\n"}};
    struct support_server *other = support_server_start(other_replies, 1);
    (void)snprintf(text, sizeof(text),
                   "HTTP/1.1 200 OK\r\nAlt-Svc: h1=\"127.0.0.1%s\"; ma=86400\r\n"
                   "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
                   "Set-Cookie: track=1; Path=/; Domain=127.0.0.1\r\n"
                   "Refresh: 0; url=http://127.0.0.1%s/\r\nContent-Length: 2\r\n"
                   "Connection: close\r\n\r\nok",
                   strrchr(support_server_url(other), ':'),
                   strrchr(support_server_url(other), ':'));
    const struct support_reply replies[] = {{.text = text}};
    struct support_server *server = support_server_start(replies, 1);
    OKNO_AUTO(okno_net) *net = opened();
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    for (int i = 0; i < 3; i++) {
        struct okno_net_reply reply;
        struct okno_err err = {0};
        if (okno_net_get(net, support_server_url(server), &body, &reply, &err) < 0)
            fail_msg("%s", err.text);
    }
    assert_int_equal(support_server_requests(server), 3);
    assert_int_equal(support_server_requests(other), 0);
    /* Nor is what it sets sent back to it by itself. */
    for (size_t i = 0; i < 3; i++)
        assert_null(strstr(support_server_request(server, i), "track"));
    support_server_stop(server);
    support_server_stop(other);
}

static struct okno_archive *archive_at(const char *url, const char *kind, const char *files,
                                       const char *user, const char *options)
{
    struct okno_archive *archive = NULL;
    struct okno_err err = {0};
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = kind,
                                               .url = url,
                                               .files = files,
                                               .user = user,
                                               .password = user[0] ? "pw" : "",
                                               .options = options};
    if (okno_archive_open(&config, &archive, &err) < 0)
        fail_msg("%s: %s", kind, err.text);
    return archive;
}

#define JSON_OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"

static void a_login_s_cookie_goes_back_to_its_archive_only(void **state)
{
    (void)state;
    static const struct fault mine[] = {
        {.kind = FAULT_REPLY, .text = JSON_OK "Set-Cookie: s=mine; Path=/\r\n\r\n{}"},
        {.kind = FAULT_REPLY,
         .text =
             JSON_OK "Set-Cookie: s=changed\r\nSet-Cookie: other=x\r\n\r\n{\"recordings\":[]}"}};
    static const struct fault theirs[] = {FAULT_JSON("200 OK", "{\"recordings\":[]}")};
    struct fault_server *one = fault_server_start(mine, 2);
    struct fault_server *two = fault_server_start(theirs, 1);
    struct okno_archive *first = archive_at(fault_server_url(one), "moonfire", "", "anna", "");
    struct okno_archive *second = archive_at(fault_server_url(two), "moonfire", "", "", "");
    OKNO_AUTO_VEC(okno_span_vec) spans = {0};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(okno_archive_coverage(first, "c/main", T0, T0 + SECOND, &spans, NULL), 0);
        assert_int_equal(okno_archive_coverage(second, "c/main", T0, T0 + SECOND, &spans, NULL), 0);
    }
    assert_int_equal(fault_server_requests(one), 3);
    for (size_t i = 1; i < 3; i++) {
        assert_non_null(strstr(fault_server_request(one, i), "Cookie: s=mine\r\n"));
        assert_null(strstr(fault_server_request(one, i), "other"));
    }
    for (size_t i = 0; i < fault_server_requests(two); i++)
        assert_null(strstr(fault_server_request(two, i), "ookie"));
    okno_archive_close(first);
    okno_archive_close(second);
    fault_server_stop(one);
    fault_server_stop(two);
}

/* ---- names ---- */

static void channels_lead_nowhere_else(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *files, *user, *options;
    } kinds[] = {{"moonfire", "", "", ""},
                 {"axxon", "", "", ""},
                 {"shinobi", "", "g", ""},
                 {"flussonic", "", "", ""},
                 {"mediamtx", "", "", ""},
                 {"frigate", "", "", ""},
                 {"zoneminder", "", "", "zone=table"},
                 {"hls", "{channel}/i.m3u8", "", ""},
                 {"dir", "{channel}/%Y%m%d.mp4", "", ""}};
    static const char *const channels[] = {
        "..",   "../../admin", "a/../../b", "a/./b",    "%2e%2e/%2e%2e/x", "a\r\nX-Evil: 1",
        "a\nb", "a b?x=1#y",   "\x1b[2J",   "кухня/№1", "a\"b'c<d>"};
    static const struct fault reply[] = {FAULT_JSON("200 OK", "[]")};
    for (size_t i = 0; i < OKNO_COUNT(kinds); i++)
        for (size_t k = 0; k < OKNO_COUNT(channels); k++) {
            struct fault_server *server = fault_server_start(reply, 1);
            struct okno_archive *archive =
                archive_at(fault_server_url(server), kinds[i].kind, kinds[i].files, kinds[i].user,
                           kinds[i].options);
            struct okno_err err = {0};
            OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
            (void)!okno_archive_pieces(archive, channels[k], T0, T0 + SECOND, &pieces, &err);
            for (size_t n = 0; n < fault_server_requests(server); n++) {
                char line[1024];
                const char *request = fault_server_request(server, n);
                (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(request, "\r\n"), request);
                char *query = strchr(line, '?');
                if (query)
                    *query = '\0';
                if (strstr(line, "..") || strstr(line, "/./") || strchr(line, '\x1b') ||
                    strstr(line, "admin") || strstr(request, "X-Evil: 1\r\n"))
                    fail_msg("%s, \"%s\": %s", kinds[i].kind, channels[k], request);
            }
            okno_archive_close(archive);
            fault_server_stop(server);
        }
}

static void a_channel_that_would_be_cut_is_refused(void **state)
{
    (void)state;
    char channel[257];
    memset(channel, 'c', 256);
    channel[256] = '\0';
    struct okno_archive *archive =
        archive_at("http://127.0.0.1:1", "trassir", "", "anna", "times=utc");
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    OKNO_AUTO_VEC(okno_span_vec) spans = {0};
    assert_int_equal(okno_archive_pieces(archive, channel, T0, T0 + SECOND, &pieces, &err),
                     OKNO_INVALID);
    assert_string_equal(err.field, "channel");
    assert_int_equal(okno_archive_coverage(archive, channel, T0, T0 + SECOND, &spans, NULL),
                     OKNO_INVALID);
    channel[255] = '\0';
    assert_int_equal(okno_archive_pieces(archive, channel, T0, T0 + SECOND, &pieces, NULL), 0);
    assert_string_equal(pieces.items[0].channel, channel);
    okno_archive_close(archive);
}

/* Whatever a folder holds, only plain names are recordings, and each is asked for as what it is. */
static void names_in_a_list_lead_nowhere_else(void **state)
{
    (void)state;
    enum { LONG = 5000 };
    char text[12000];
    char huge[LONG + 1];
    memset(huge, 'x', LONG);
    huge[LONG] = '\0';
    (void)snprintf(
        text, sizeof(text),
        JSON_OK
        "\r\n["
        "{\"name\":\"../20260310-140320-a.mp4\",\"type\":\"file\",\"size\":9},"
        "{\"name\":\"20260310-140320-../../../etc/passwd.mp4\",\"type\":\"file\",\"size\":9},"
        "{\"name\":\"20260310-140320-\\r\\nX-Evil: 1.mp4\",\"type\":\"file\",\"size\":9},"
        "{\"name\":\"20260310-140320-\\u001b[2J.mp4\",\"type\":\"file\",\"size\":9},"
        "{\"name\":\"20260310-140320-\\\\..\\\\x.mp4\",\"type\":\"file\",\"size\":9},"
        "{\"name\":\"20260310-140320-%%2e%%2e%%2fx.mp4\",\"type\":\"file\",\"size\":9},"
        "{\"name\":\"20260310-140321-касса №1?x#y.mp4\",\"type\":\"file\",\"size\":9}]");
    const struct fault script[] = {{.kind = FAULT_REPLY, .text = text}};
    struct fault_server *server = fault_server_start(script, 1);
    struct okno_archive *archive =
        archive_at(fault_server_url(server), "dir", "%Y%m%d-%H%M%S-{any}.mp4", "", "");
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    if (okno_archive_pieces(archive, "c", T0 - SECOND, T0 + 5 * SECOND, &pieces, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pieces.len, 2);
    assert_string_equal(pieces.items[0].name, "20260310-140320-%2e%2e%2fx.mp4");
    for (size_t i = 0; i < pieces.len; i++) {
        struct okno_source *source = NULL;
        uint8_t byte;
        size_t got = 0;
        if (okno_archive_source(archive, &pieces.items[i], &source, NULL) == 0)
            (void)!source->read_at(source->ctx, 0, &byte, 1, &got, NULL);
        okno_source_close(source);
    }
    assert_non_null(strstr(fault_server_request(server, 1),
                           "GET /20260310-140320-%252e%252e%252fx.mp4 HTTP/1.1\r\n"));
    assert_non_null(strstr(fault_server_request(server, fault_server_requests(server) - 1),
                           "GET /20260310-140321-%D0%BA%D0%B0%D1%81%D1%81%D0%B0%20%E2%84%961%3Fx"
                           "%23y.mp4 HTTP/1.1\r\n"));
    okno_archive_close(archive);
    fault_server_stop(server);

    /* One of 5,000 letters. */
    (void)snprintf(text, sizeof(text),
                   JSON_OK
                   "\r\n[{\"name\":\"20260310-140320-%s.mp4\",\"type\":\"file\","
                   "\"size\":9}]",
                   huge);
    server = fault_server_start(script, 1);
    archive = archive_at(fault_server_url(server), "dir", "%Y%m%d-%H%M%S-{any}.mp4", "", "");
    assert_int_equal(okno_archive_pieces(archive, "c", T0 - SECOND, T0 + 5 * SECOND, &pieces, &err),
                     0);
    assert_int_equal(pieces.len, 2); /* those of before */
    okno_archive_close(archive);
    fault_server_stop(server);
}

/* What the rows of a list say goes into addresses encoded, or not at all. */
static void members_of_a_row_lead_nowhere_else(void **state)
{
    (void)state;
    static const char *const ids[] = {"../../admin", "x&s=1#", "a\\r\\nX-Evil: 1", "{password}",
                                      "\\u0000"};
    for (size_t i = 0; i < OKNO_COUNT(ids); i++) {
        char text[1000];
        (void)snprintf(text, sizeof(text),
                       JSON_OK
                       "\r\n{\"recordings\":[{\"startId\":\"%s\",\"openId\":1,"
                       "\"startTime90k\":159583626000000,\"endTime90k\":159583716000000}]}",
                       ids[i]);
        const struct fault script[] = {{.kind = FAULT_REPLY, .text = text}};
        struct fault_server *server = fault_server_start(script, 1);
        struct okno_archive *archive = archive_at(fault_server_url(server), "moonfire", "", "", "");
        OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
        struct okno_source *source = NULL;
        struct okno_err err = {0};
        int rc = okno_archive_pieces(archive, "c/main", T0, T0 + SECOND, &pieces, &err);
        if (rc == 0 && pieces.len > 0)
            rc = okno_archive_source(archive, &pieces.items[0], &source, &err);
        assert_true(rc < 0); /* the list again, which is no recording */
        for (size_t n = 0; n < fault_server_requests(server); n++) {
            const char *request = fault_server_request(server, n);
            if (strncmp(request, "GET /api/cameras/c/main/", 24) != 0 ||
                strstr(request, "X-Evil: 1\r\n") || strstr(request, "=1#") ||
                strstr(request, "&s=1"))
                fail_msg("%s: %s", ids[i], request);
        }
        okno_archive_close(archive);
        fault_server_stop(server);
    }
}

static void paths_with_dots_are_not_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int code;
    } rows[] = {{"http://a.example/x/../y", OKNO_INVALID},
                {"http://a.example/..", OKNO_INVALID},
                {"http://a.example/x/.", OKNO_INVALID},
                {"http://a.example/%2e%2E/x", OKNO_INVALID},
                {"http://a.example/.%2e?x", OKNO_INVALID},
                {"http://a.example/x%2F..%2fy", OKNO_INVALID},
                {"http://a.example/x/...", 0},
                {"http://a.example/.hidden/a..b", 0},
                {"http://a.example/x?y=/../z", 0},
                {"http://a.example", 0}};
    for (size_t i = 0; i < OKNO_COUNT(rows); i++)
        if (okno_net_check_url(rows[i].url, NULL) != rows[i].code)
            fail_msg("%s", rows[i].url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_becomes_another_address_is_not_followed_there),
        cmocka_unit_test(other_services_and_upgrades_that_an_archive_announces_are_not_used),
        cmocka_unit_test(a_login_s_cookie_goes_back_to_its_archive_only),
        cmocka_unit_test(channels_lead_nowhere_else),
        cmocka_unit_test(a_channel_that_would_be_cut_is_refused),
        cmocka_unit_test(names_in_a_list_lead_nowhere_else),
        cmocka_unit_test(members_of_a_row_lead_nowhere_else),
        cmocka_unit_test(paths_with_dots_are_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

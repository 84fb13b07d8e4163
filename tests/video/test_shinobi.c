/* Kind `shinobi` against scripted answers: the key is in no message, the hour that happens twice is
 * told as ambiguous, names lead nowhere else. How its recordings are read: test_recorder.c. */
#define _POSIX_C_SOURCE 200809L
#include "../support/fault.h"

#include "okno/archive.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "s3cr3tK3y"
#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

/* 2026-10-25T00:00:00Z: 02:00 in Berlin for the first time is at that moment. */
#define NIGHT INT64_C(1792886400000000)

static struct okno_archive *opened(const char *url)
{
    struct okno_archive *archive = NULL;
    struct okno_err err = {0};
    const struct okno_archive_config config = {.archive = "nvr",
                                               .kind = "shinobi",
                                               .url = url,
                                               .time_zone = "Europe/Berlin",
                                               .user = "g1",
                                               .password = KEY,
                                               .options = ""};
    if (okno_archive_open(&config, &archive, &err) < 0)
        fail_msg("%s", err.text);
    return archive;
}

static int listed(const char *body, struct okno_piece_vec *pieces, char ret_request[512],
                  struct okno_err *err)
{
    char text[4096];
    (void)snprintf(
        text, sizeof(text),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n%s", body);
    const struct fault script = {.kind = FAULT_REPLY, .text = text};
    struct fault_server *server = fault_server_start(&script, 1);
    struct okno_archive *archive = opened(fault_server_url(server));
    int rc = okno_archive_pieces(archive, "m7", NIGHT + 30 * 60 * SECOND, NIGHT + 40 * 60 * SECOND,
                                 pieces, err);
    (void)snprintf(ret_request, 512, "%s", fault_server_request(server, 0));
    okno_archive_close(archive);
    fault_server_stop(server);
    return rc;
}

#define ROW(name, time, end) "{\"filename\":\"" name "\",\"time\":\"" time "\",\"end\":\"" end "\"}"

static void an_hour_that_happens_twice_is_asked_whole_and_told_as_ambiguous(void **state)
{
    (void)state;
    char request[512];
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    /* The second recording of that name was written over the first. */
    assert_int_equal(
        listed("{\"videos\":[" ROW(
                   "2026-10-25T02-30-00.mp4", "2026-10-25T02:30:00+01:00",
                   "2026-10-25T02:45:00+01:00") "," ROW("2026-10-25T02-30-00.mp4",
                                                        "2026-10-25T02:30:00+02:00",
                                                        "2026-10-25T02:45:00+02:00") "]}",
               &pieces, request, &err),
        0);
    assert_int_equal(pieces.len, 1); /* the other meaning lies outside of what is asked */
    assert_int_equal(pieces.items[0].from_us, NIGHT + 30 * 60 * SECOND);
    assert_true(pieces.items[0].flags & OKNO_SPAN_AMBIGUOUS);
    assert_string_equal(pieces.items[0].name, "2026-10-25T02-30-00.mp4");
    assert_non_null(strstr(request, "start=2026-10-24T23:30:00&end=2026-10-25T02:40:01&"));
}

static void names_in_utc_have_one_meaning(void **state)
{
    (void)state;
    char request[512];
    struct okno_err err = {0};
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    assert_int_equal(listed("{\"videos\":[{\"filename\":\"2026-10-25T00-30-00.mp4\",\"href\":\"/x/"
                            "videos/g1/m7/2026-10-25T00-30-00.mp4?isUTC=true\",\"time\":"
                            "\"2026-10-25T00:30:00.000Z\",\"end\":\"2026-10-25T00:45:00.000Z\"},"
                            "{\"filename\":\"2026-10-25T00-45-00.mp4\",\"end\":null}]}",
                            &pieces, request, &err),
                     0);
    assert_int_equal(pieces.len, 1);
    assert_int_equal(pieces.items[0].from_us, NIGHT + 30 * 60 * SECOND);
    assert_int_equal(pieces.items[0].to_us, NIGHT + 45 * 60 * SECOND);
    assert_false(pieces.items[0].flags & OKNO_SPAN_AMBIGUOUS);
    assert_string_equal(pieces.items[0].name, "2026-10-25T00-30-00.mp4?isUTC=true");
}

static void a_list_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int code;
    } cases[] = {
        {"{\"ok\":false,\"msg\":\"Not Authorized\"}", OKNO_ARCHIVE_AUTH},
        {"[]", OKNO_PROTOCOL},
        {"<html>", OKNO_PROTOCOL},
        {"{\"videos\":[" ROW("../../etc/passwd-and-more-of-it.mp4", "2026-10-25T00:30:00Z",
                             "2026-10-25T00:45:00Z") "]}",
         OKNO_PROTOCOL},
        {"{\"videos\":[" ROW("2026-10-25T02-30-00.mp4?x=1", "2026-10-25T00:30:00Z",
                             "2026-10-25T00:45:00Z") "]}",
         OKNO_PROTOCOL},
        {"{\"videos\":[" ROW("2026-10-25T02-30-00%0d.mp4", "2026-10-25T00:30:00Z",
                             "2026-10-25T00:45:00Z") "]}",
         OKNO_PROTOCOL},
        {"{\"videos\":[" ROW("2026-10-25T02-30-00.mp4", "soon", "2026-10-25T00:45:00Z") "]}",
         OKNO_PROTOCOL},
        {"{\"videos\":[]}", 0},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        char request[512];
        struct okno_err err = {0};
        OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
        int rc = listed(cases[i].body, &pieces, request, &err);
        if (rc != cases[i].code)
            fail_msg("%s: %d, %s", cases[i].body, rc, err.text);
    }
}

static void the_key_is_in_no_message(void **state)
{
    (void)state;
    static const struct fault replies[] = {
        {.kind = FAULT_REPLY,
         .text = "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:9/" KEY "/videos/g1\r\n"
                 "Content-Length: 0\r\nConnection: close\r\n\r\n"},
        FAULT_STATUS("401 Unauthorized"),
        FAULT_STATUS("403 Forbidden"),
        FAULT_STATUS("404 Not Found"),
        FAULT_STATUS("410 Gone"),
        FAULT_STATUS("416 Range Not Satisfiable"),
        FAULT_STATUS("418 Teapot"),
        FAULT_STATUS("429 Too Many Requests"),
        FAULT_STATUS("500 Internal Server Error"),
        FAULT_JSON("200 OK", "{\"ok\":false}"),
        FAULT_JSON("206 Partial Content", "File Not Found in Database"),
        FAULT_JSON("200 OK", "File Not Found in Database"),
        {.kind = FAULT_CLOSE},
        {.kind = FAULT_RESET},
        {.kind = FAULT_CUT, .text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab"},
        {.kind = FAULT_REPLY, .text = "ICY " KEY "\r\n\r\n"},
        {.kind = FAULT_REPLY,
         .text = "HTTP/1.1 200 OK\r\nContent-Range: " KEY "\r\nContent-Length: 0\r\n\r\n"},
    };
    for (size_t i = 0; i < OKNO_COUNT(replies); i++) {
        struct fault_server *server = fault_server_start(&replies[i], 1);
        struct okno_archive *archive = opened(fault_server_url(server));
        struct okno_err listing = {0};
        struct okno_err reading = {0};
        struct okno_source *source = NULL;
        OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
        const struct okno_piece piece = {
            .channel = "m7", .name = "2026-10-25T02-30-00.mp4", .size = -1, .format = "mov"};
        assert_true(okno_archive_pieces(archive, "m7", NIGHT, NIGHT + HOUR, &pieces, &listing) < 0);
        assert_true(okno_archive_source(archive, &piece, &source, &reading) < 0);
        if (!listing.text[0] || strstr(listing.text, KEY) || !reading.text[0] ||
            strstr(reading.text, KEY))
            fail_msg("reply %zu: \"%s\", \"%s\"", i, listing.text, reading.text);
        /* It was sent, else this proves nothing. */
        assert_true(replies[i].kind != FAULT_REPLY ||
                    strstr(fault_server_request(server, 0), "GET /" KEY "/videos/g1/m7?"));
        okno_archive_close(archive);
        fault_server_stop(server);
    }
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct okno_archive_config config = {.archive = "nvr",
                                         .kind = "shinobi",
                                         .url = "http://127.0.0.1:1/",
                                         .time_zone = "UTC",
                                         .user = "",
                                         .password = "",
                                         .options = ""};
    assert_int_equal(okno_archive_check(&config, &err), OKNO_INVALID);
    assert_string_equal(err.field, "user");
    config.user = "g1";
    err = (struct okno_err){0};
    assert_int_equal(okno_archive_check(&config, &err), OKNO_INVALID);
    assert_string_equal(err.field, "secret");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_that_happens_twice_is_asked_whole_and_told_as_ambiguous),
        cmocka_unit_test(names_in_utc_have_one_meaning),
        cmocka_unit_test(a_list_that_is_none_is_refused),
        cmocka_unit_test(the_key_is_in_no_message),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

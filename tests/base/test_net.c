#define _XOPEN_SOURCE 700
#include "okno/net.h"

#include "../support/nginx.h"
#include "../support/program.h"
#include "../support/server.h"
#include "../support/tempdir.h"

#include "okno/time.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_BYTES = 300000 };

static char *root;
static struct support_nginx nginx;

static int start(void **state)
{
    (void)state;
    root = support_tempdir();
    support_file(root, "cam/a.mp4", FILE_BYTES, 1773151400000000);
    support_text(root, "login/secret.txt", "inside");
    support_text(root, "users", "anna:{PLAIN}p@w%rd\n");
    char directives[512];
    (void)snprintf(directives, sizeof(directives),
                   "location /login/ { auth_basic okno; auth_basic_user_file %s/users; }"
                   "location /old/ { return 301 https://other.example/new?token=s3cret; }"
                   "location /gone { return 410; }"
                   "location /broken { return 500; }"
                   "location /whole/ { alias %s/cam/; max_ranges 0; }",
                   root, root);
    support_nginx_start(&nginx, root, directives);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    support_nginx_stop(&nginx);
    support_tempdir_remove(root);
    return 0;
}

static struct okno_net *opened(const char *user, const char *password)
{
    struct okno_net_config config = {
        .user = user, .password = password, .deadline_us = 5 * OKNO_SECOND_US};
    struct okno_net *net = NULL;
    assert_int_equal(okno_net_open(&config, &net, NULL), 0);
    return net;
}

static void private_addresses_are_refused_where_only_public_ones_are_meant(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://127.0.0.1:9/", "http://[::1]:9/",     "http://169.254.169.254/latest",
        "http://10.0.0.1/",    "http://localhost:9/", "http://[::ffff:127.0.0.1]:9/",
        "http://0x7f.1:9/"};
    const struct okno_net_config config = {.public_only = true, .deadline_us = OKNO_SECOND_US};
    for (size_t i = 0; i < OKNO_COUNT(urls); i++) {
        OKNO_AUTO(okno_net) *net = NULL;
        OKNO_AUTO_BUF body = OKNO_BUF_INIT(100);
        struct okno_net_reply reply;
        struct okno_err err = {0};
        assert_int_equal(okno_net_open(&config, &net, NULL), 0);
        assert_int_equal(okno_net_get(net, urls[i], &body, &reply, &err), OKNO_ARCHIVE_REFUSED);
        assert_non_null(strstr(err.text, "private address"));
    }
}

static const char *url_of(const char *base, const char *path)
{
    static char url[256];
    (void)snprintf(url, sizeof(url), "%s%s", base, path);
    return url;
}

static void assert_pattern(const struct okno_buf *body, size_t offset, size_t len)
{
    assert_int_equal(body->len, len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)body->data[i] != support_pattern(offset + i))
            fail_msg("byte %zu differs", offset + i);
}

/* What a whole GET of a path of nginx gives, with no login. */
static int get_code(const char *path, struct okno_err *err)
{
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000000);
    struct okno_net_reply reply = {.status = 7};
    int rc = okno_net_get(net, url_of(nginx.url, path), &body, &reply, err);
    if (rc < 0)
        assert_int_equal(reply.status, 7);
    return rc;
}

/* What one scripted reply gives when bytes 10-19 are asked. */
static int range_code(const struct support_reply *script, size_t max, struct okno_buf *body,
                      struct okno_net_reply *reply, struct okno_err *err)
{
    struct support_server *server = support_server_start(script, 1);
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    body->max = max;
    int rc = okno_net_get_range(net, url_of(support_server_url(server), "/f?key=hush"), 10, 10,
                                NULL, body, reply, err);
    support_server_stop(server);
    assert_null(strstr(err->text, "hush"));
    return rc;
}

static int range_error(const char *text, struct okno_err *err)
{
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(0);
    struct okno_net_reply reply = {.status = 7};
    *err = (struct okno_err){0};
    int rc = range_code(&(struct support_reply){.text = text}, 100, &body, &reply, err);
    assert_int_equal(reply.status, 7);
    return rc;
}

static void a_whole_body_comes_with_its_facts(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(FILE_BYTES);
    struct okno_net_reply reply;
    assert_int_equal(okno_net_get(net, url_of(nginx.url, "/cam/a.mp4"), &body, &reply, NULL), 0);
    assert_pattern(&body, 0, FILE_BYTES);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.total, FILE_BYTES);
    assert_string_equal(reply.last_modified, "Tue, 10 Mar 2026 14:03:20 GMT");
    assert_true(reply.etag[0] == '"');
    assert_true(reply.date_us > 0 && reply.date_us <= okno_time_now());
    assert_int_equal(okno_net_requests(net), 1);
    assert_int_equal(okno_net_bytes(net), FILE_BYTES);
}

static void a_body_over_the_maximum_is_refused(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(FILE_BYTES - 1);
    struct okno_net_reply reply;
    const char *url = url_of(nginx.url, "/cam/a.mp4");
    assert_int_equal(okno_net_get(net, url, &body, &reply, NULL), OKNO_TOO_LARGE);
    assert_int_equal(body.len, 0);
}

static void a_body_without_end_stops_at_the_maximum(void **state)
{
    (void)state;
    struct support_server *server = support_server_start(
        &(struct support_reply){"HTTP/1.1 200 OK\r\n\r\n", "many bytes, ", false, false}, 1);
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(100000);
    struct okno_net_reply reply;
    assert_int_equal(okno_net_get(net, support_server_url(server), &body, &reply, NULL),
                     OKNO_TOO_LARGE);
    assert_true(okno_net_bytes(net) < 2000000);
    support_server_stop(server);
}

static void a_range_is_exact_and_shorter_only_at_the_end(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(100000);
    struct okno_net_reply reply;
    const char *url = url_of(nginx.url, "/cam/a.mp4");
    assert_int_equal(okno_net_get_range(net, url, 1000, 5000, NULL, &body, &reply, NULL), 0);
    assert_pattern(&body, 1000, 5000);
    assert_int_equal(reply.status, 206);
    assert_int_equal(reply.total, FILE_BYTES);
    assert_false(reply.whole);
    assert_int_equal(okno_net_get_range(net, url, FILE_BYTES - 10, 5000, NULL, &body, &reply, NULL),
                     0);
    assert_pattern(&body, FILE_BYTES - 10, 10);
    struct okno_err err = {0};
    assert_int_equal(okno_net_get_range(net, url, FILE_BYTES, 1, NULL, &body, &reply, &err),
                     OKNO_GONE);
    assert_non_null(strstr(err.text, "127.0.0.1"));
    assert_non_null(strstr(err.text, "/cam/a.mp4"));
    assert_int_equal(okno_net_requests(net), 3);
}

static void a_tag_notices_that_the_file_was_replaced(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(100000);
    struct okno_net_reply reply;
    support_file(root, "cam/b.mp4", 50000, 1773151400000000);
    const char *url = url_of(nginx.url, "/cam/b.mp4");
    assert_int_equal(okno_net_get_range(net, url, 0, 10, NULL, &body, &reply, NULL), 0);
    struct okno_net_reply first = reply;
    assert_int_equal(okno_net_get_range(net, url, 10, 10, first.etag, &body, &reply, NULL), 0);
    assert_int_equal(okno_net_get_range(net, url, 10, 10, first.last_modified, &body, &reply, NULL),
                     0);
    support_file(root, "cam/b.mp4", 50001, 1773151460000000);
    assert_int_equal(okno_net_get_range(net, url, 20, 10, first.etag, &body, &reply, NULL),
                     OKNO_GONE);
    assert_int_equal(okno_net_get_range(net, url, 20, 10, first.last_modified, &body, &reply, NULL),
                     OKNO_GONE);
}

static void a_server_without_ranges_serves_small_files_only(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF big = OKNO_BUF_INIT(FILE_BYTES);
    OKNO_AUTO_BUF small = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    const char *url = url_of(nginx.url, "/whole/a.mp4");
    assert_int_equal(okno_net_get_range(net, url, 500, 100, NULL, &big, &reply, NULL), 0);
    assert_true(reply.whole);
    assert_pattern(&big, 0, FILE_BYTES);
    assert_int_equal(okno_net_get_range(net, url, 500, 100, NULL, &small, &reply, &err),
                     OKNO_PROTOCOL);
    assert_non_null(strstr(err.text, "ranges"));
}

static void a_reply_that_contradicts_the_range_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "HTTP/1.1 206 P\r\nContent-Range: bytes 11-20/99\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-18/99\r\nContent-Length: 9\r\n\r\n012345678",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-29/99\r\nContent-Length: 20\r\n\r\n"
        "01234567890123456789",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-19/99\r\nContent-Length: 12\r\n\r\n0123456789ab",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-19/99\r\n\r\n0123456789ab",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-19/99\r\n\r\n012345",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-19/99\r\nContent-Length: 10\r\n\r\n012345",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-19/99999999999999999999\r\n\r\n0123456789",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-15/*\r\n\r\n012345",
        "HTTP/1.1 206 P\r\nContent-Range: rows 10-19/99\r\n\r\n0123456789",
        "HTTP/1.1 206 P\r\nContent-Type: multipart/byteranges; boundary=x\r\n\r\n--x",
        "HTTP/1.1 206 P\r\nContent-Encoding: gzip\r\nContent-Range: bytes "
        "10-19/99\r\n\r\n012345678",
        "HTTP/1.1 204 Nothing\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nno length and no range",
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        "nonsense\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct okno_err err;
        int rc = range_error(bad[i], &err);
        if (rc != OKNO_PROTOCOL)
            fail_msg("reply %zu gives %d: %s", i, rc, err.text);
    }
}

static void a_good_range_from_a_terse_server_is_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "HTTP/1.1 206 P\r\nContent-Range: bytes 10-19/99\r\n\r\n0123456789",
        "HTTP/1.1 206 P\r\ncontent-range:bytes 10-19/*\r\n\r\n0123456789",
        "HTTP/1.0 206 P\r\nContent-Range: bytes 10-12/13\r\nContent-Length: 3\r\n\r\n012",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        OKNO_AUTO_BUF body = OKNO_BUF_INIT(0);
        struct okno_net_reply reply = {0};
        struct okno_err err = {0};
        int rc = range_code(&(struct support_reply){.text = good[i]}, 10, &body, &reply, &err);
        if (rc < 0)
            fail_msg("reply %zu: %s", i, err.text);
        assert_memory_equal(body.data, "0123456789", body.len);
        assert_int_equal(body.len, i == 2 ? 3 : 10);
    }
}

static void a_range_that_never_ends_is_cut(void **state)
{
    (void)state;
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(0);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    const struct support_reply endless = {"HTTP/1.1 206 P\r\nContent-Range: bytes 10-19/99\r\n\r\n",
                                          "xxxxxxxx", false, false};
    assert_int_equal(range_code(&endless, 100, &body, &reply, &err), OKNO_PROTOCOL);
    assert_non_null(strstr(err.text, "more bytes"));
}

static void statuses_become_codes(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        int code;
    } rows[] = {{"400 Bad", OKNO_ARCHIVE_REFUSED},
                {"401 Who", OKNO_ARCHIVE_AUTH},
                {"403 No", OKNO_ARCHIVE_AUTH},
                {"404 None", OKNO_NOT_FOUND},
                {"408 Slow", OKNO_TRANSIENT},
                {"410 Gone", OKNO_GONE},
                {"416 Range", OKNO_GONE},
                {"429 Many", OKNO_ARCHIVE_BUSY},
                {"451 Law", OKNO_ARCHIVE_REFUSED},
                {"500 Oops", OKNO_TRANSIENT},
                {"502 Gate", OKNO_TRANSIENT},
                {"503 Busy", OKNO_ARCHIVE_BUSY},
                {"302 Found", OKNO_ARCHIVE_REFUSED},
                {"304 Same", OKNO_ARCHIVE_REFUSED},
                {"999 What", OKNO_TRANSIENT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        struct okno_err err;
        (void)snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: 4\r\n\r\nbody",
                       rows[i].status);
        int rc = range_error(text, &err);
        if (rc != rows[i].code)
            fail_msg("%s gives %d: %s", rows[i].status, rc, err.text);
    }
}

static void nginx_statuses_name_host_and_path(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(get_code("/none/x.mp4?key=hush", &err), OKNO_NOT_FOUND);
    assert_non_null(strstr(err.text, "/none/x.mp4"));
    assert_null(strstr(err.text, "hush"));
    assert_int_equal(get_code("/gone", NULL), OKNO_GONE);
    assert_int_equal(get_code("/broken", NULL), OKNO_TRANSIENT);
}

static void a_redirect_is_refused_and_says_where_to(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(get_code("/old/x", &err), OKNO_ARCHIVE_REFUSED);
    assert_non_null(strstr(err.text, "other.example/new"));
    assert_null(strstr(err.text, "s3cret"));
    okno_err_clear(&err);
    assert_int_equal(get_code("/cam", &err), OKNO_ARCHIVE_REFUSED); /* nginx adds the slash */
    assert_non_null(strstr(err.text, "/cam/"));
}

static void a_login_is_sent_when_asked_and_costs_one_more_request_once(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened("anna", "p@w%rd");
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    const char *url = url_of(nginx.url, "/login/secret.txt");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(okno_net_get(net, url, &body, &reply, NULL), 0);
        assert_string_equal(okno_buf_text(&body), "inside");
    }
    assert_int_equal(okno_net_requests(net), 4);
}

static void a_wrong_or_missing_login_is_told_apart_and_never_printed(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened("anna", "wr0ng");
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    const char *url = url_of(nginx.url, "/login/secret.txt");
    assert_int_equal(okno_net_get(net, url, &body, &reply, &err), OKNO_ARCHIVE_AUTH);
    assert_non_null(strstr(err.text, "password refused"));
    assert_null(strstr(err.text, "wr0ng"));
    assert_null(strstr(err.text, "anna"));
    okno_err_clear(&err);
    assert_int_equal(get_code("/login/secret.txt", &err), OKNO_ARCHIVE_AUTH);
    assert_non_null(strstr(err.text, "login is required"));
}

static void digest_is_preferred_and_the_password_stays_home(void **state)
{
    (void)state;
    static const struct support_reply script[] = {
        {"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
         "WWW-Authenticate: Digest realm=\"x\", nonce=\"abc\", qop=\"auth\"\r\n"
         "Content-Length: 0\r\n\r\n",
         NULL, false, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL, false, true}};
    struct support_server *server = support_server_start(script, 2);
    OKNO_AUTO(okno_net) *net = opened("anna", "s3cret");
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    const char *url = support_server_url(server);
    assert_int_equal(okno_net_get(net, url, &body, &reply, NULL), 0);
    assert_int_equal(okno_net_get(net, url, &body, &reply, NULL), 0);
    assert_int_equal(support_server_requests(server), 3);
    assert_null(strstr(support_server_request(server, 0), "Authorization"));
    assert_non_null(strstr(support_server_request(server, 1), "Authorization: Digest"));
    assert_non_null(strstr(support_server_request(server, 2), "nc=00000002"));
    assert_non_null(strstr(support_server_request(server, 2), "User-Agent: okno/"));
    support_server_stop(server);
}

static void a_busy_archive_says_how_long_to_wait(void **state)
{
    (void)state;
    static const struct support_reply script[] = {
        {"HTTP/1.1 503 Busy\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n", NULL, false, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL, false, true}};
    struct support_server *server = support_server_start(script, 2);
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    const char *url = support_server_url(server);
    assert_int_equal(okno_net_get(net, url, &body, &reply, NULL), OKNO_ARCHIVE_BUSY);
    assert_int_equal(okno_net_retry_after_us(net), 17 * OKNO_SECOND_US);
    assert_int_equal(okno_net_get(net, url, &body, &reply, NULL), 0);
    assert_int_equal(okno_net_retry_after_us(net), 0);
    support_server_stop(server);
}

static void trickles_end_at_the_deadline(void **state)
{
    (void)state;
    static const struct support_reply scripts[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x", true, false},
        {"HTTP/1.1 200 OK\r\nX-Slow: ", "y", true, false}};
    for (size_t i = 0; i < 2; i++) {
        struct support_server *server = support_server_start(&scripts[i], 1);
        struct okno_net_config config = {.deadline_us = 200 * OKNO_MS_US};
        OKNO_AUTO(okno_net) *net = NULL;
        OKNO_AUTO_BUF body = OKNO_BUF_INIT(200000);
        struct okno_net_reply reply;
        struct okno_err err = {0};
        assert_int_equal(okno_net_open(&config, &net, NULL), 0);
        int64_t began = okno_time_monotonic();
        assert_int_equal(okno_net_get(net, support_server_url(server), &body, &reply, &err),
                         OKNO_TIMEOUT);
        assert_true(okno_time_monotonic() - began < 3 * OKNO_SECOND_US);
        support_server_stop(server);
    }
}

static void nobody_listening_is_transient(void **state)
{
    (void)state;
    struct support_server *server = support_server_start(&(struct support_reply){.text = ""}, 1);
    char url[128];
    struct okno_err err = {0};
    (void)snprintf(url, sizeof(url), "%s/f", support_server_url(server));
    support_server_stop(server);
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    assert_int_equal(okno_net_get(net, url, &body, &reply, &err), OKNO_TRANSIENT);
    assert_int_equal(okno_net_requests(net), 0);
}

static void an_empty_answer_is_transient(void **state)
{
    (void)state;
    struct okno_err err;
    assert_int_equal(range_error("", &err), OKNO_TRANSIENT);
}

static void a_plain_server_behind_https_is_no_crash(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    char url[128];
    (void)snprintf(url, sizeof(url), "https%s/x", nginx.url + 4);
    assert_int_equal(okno_net_get(net, url, &body, &reply, &err), OKNO_TRANSIENT);
}

static void a_certificate_nobody_vouches_for_is_refused_before_a_word_is_said(void **state)
{
    (void)state;
    char *own = support_tempdir();
    char directives[256];
    struct support_nginx tls = {0};
    support_certificate(own);
    (void)snprintf(directives, sizeof(directives),
                   "ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem;", own, own);
    support_nginx_start(&tls, own, directives);
    OKNO_AUTO(okno_net) *net = opened("anna", "s3cret");
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    struct okno_err err = {0};
    char url[128];
    (void)snprintf(url, sizeof(url), "https%s/", tls.url + 4);
    assert_int_equal(okno_net_get(net, url, &body, &reply, &err), OKNO_PROTOCOL);
    assert_non_null(strstr(err.text, "not trusted"));
    assert_int_equal(okno_net_requests(net), 0);
    support_nginx_stop(&tls);
    support_tempdir_remove(own);
}

static void a_kept_connection_that_was_closed_is_made_anew(void **state)
{
    (void)state;
    static const struct support_reply script = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                                                NULL, false, false};
    struct support_server *server = support_server_start(&script, 1);
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    for (int i = 0; i < 3; i++)
        assert_int_equal(okno_net_get(net, support_server_url(server), &body, &reply, NULL), 0);
    support_server_stop(server);
}

static void the_environments_proxy_is_not_used(void **state)
{
    (void)state;
    /* The test's own environment; nothing else runs in this program now. */
    static char proxy[] = "http_proxy=http://127.0.0.1:1/";
    assert_int_equal(putenv(proxy), 0);
    struct okno_err err = {0};
    assert_int_equal(get_code("/cam/a.mp4", &err), 0);
}

static void urls_that_are_not_http_or_carry_a_login_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "file:///etc/passwd",
                                      "ftp://127.0.0.1/x",
                                      "http://",
                                      "127.0.0.1/x",
                                      "http://anna:s3cret@127.0.0.1/x",
                                      "http://anna@127.0.0.1/key=s3cret/x",
                                      "http://127.0.0.1/key=s3cret/../x",
                                      "http://127.0.0.1/a\r\nHost: b",
                                      "http://127.0.0.1:99999/"};
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct okno_err err = {0};
        if (okno_net_get(net, bad[i], &body, &reply, &err) != OKNO_INVALID)
            fail_msg("%s: %s", bad[i], err.text);
        assert_null(strstr(err.text, "s3cret"));
    }
    assert_int_equal(okno_net_requests(net), 0);
}

static void a_range_that_makes_no_sense_is_not_sent(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO_BUF body = OKNO_BUF_INIT(1000);
    struct okno_net_reply reply;
    const char *url = url_of(nginx.url, "/cam/a.mp4");
    static const int64_t bad[][2] = {{-1, 10}, {0, 0}, {0, -5}, {0, 1001}, {INT64_MAX - 5, 10}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(
            okno_net_get_range(net, url, bad[i][0], bad[i][1], NULL, &body, &reply, NULL),
            OKNO_INVALID);
    assert_int_equal(okno_net_requests(net), 0);
}

static void http_dates_are_read_strictly(void **state)
{
    (void)state;
    assert_int_equal(okno_net_date("Tue, 10 Mar 2026 14:03:20 GMT"), 1773151400000000);
    static const char *const bad[] = {"",
                                      "Tue, 10 Mar 2026 14:03:20 MSK",
                                      "Tue, 10 Xxx 2026 14:03:20 GMT",
                                      "Tue, 10 anF 2026 14:03:20 GMT",
                                      "2026-03-10T14:03:20Z",
                                      "Tue, 10 Mar 2026 14:03:20 GMT ",
                                      "Tue, 10 Mar 2026 25:03:20 GMT",
                                      "Tuesday, 10-Mar-26 14:03:20 GMT"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(okno_net_date(bad[i]), -1);
}

static struct okno_net_stream *stream_of(struct okno_net *net, const char *path, int64_t len)
{
    char url[128];
    struct okno_net_stream *stream = NULL;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s", nginx.port, path);
    assert_int_equal(okno_net_stream_open(net, url, 0, len, "", &stream, NULL), 0);
    return stream;
}

static void a_stream_comes_while_its_reader_waits_for_something_else(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO(okno_net_stream) *stream = stream_of(net, "cam/a.mp4", FILE_BYTES);
    int pair[2];
    size_t got = 0;
    static char bytes[FILE_BYTES];
    assert_int_equal(pipe(pair), 0);
    okno_net_stream_await(stream, pair[0], 30 * OKNO_SECOND_US); /* until there is no more */
    assert_int_equal(okno_net_bytes(net), FILE_BYTES);
    assert_int_equal(okno_net_stream_read(stream, bytes, FILE_BYTES, 1, &got, NULL), 0);
    assert_int_equal(got, FILE_BYTES);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void a_stream_cuts_its_range_out_of_a_whole_body(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO(okno_net_stream) *all = stream_of(net, "cam/a.mp4", FILE_BYTES);
    OKNO_AUTO(okno_net_stream) *part = NULL;
    char url[100];
    size_t got = 0;
    static char bytes[FILE_BYTES];
    char some[100];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/whole/a.mp4", nginx.port);
    assert_int_equal(okno_net_stream_open(net, url, 500, sizeof(some), "", &part, NULL), 0);
    assert_int_equal(okno_net_stream_read(all, bytes, FILE_BYTES, 9 * OKNO_SECOND_US, &got, NULL),
                     0);
    assert_int_equal(okno_net_stream_read(part, some, sizeof(some), 9 * OKNO_SECOND_US, &got, NULL),
                     0);
    assert_int_equal(got, sizeof(some));
    assert_memory_equal(some, bytes + 500, sizeof(some));
    assert_true(okno_net_stream_reply(part)->whole);
}

static void waiting_beside_a_stream_ends_when_the_other_is_there_and_tells_no_errors(void **state)
{
    (void)state;
    OKNO_AUTO(okno_net) *net = opened(NULL, NULL);
    OKNO_AUTO(okno_net_stream) *stream = stream_of(net, "cam/none.mp4", 1000);
    int pair[2];
    char byte = 0;
    size_t got = 0;
    struct okno_err err = {0};
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(write(pair[1], "x", 1), 1);
    okno_net_stream_await(stream, pair[0], INT64_MAX / 2);
    assert_int_equal(read(pair[0], &byte, 1), 1);
    okno_net_stream_await(stream, pair[0], 30 * OKNO_SECOND_US); /* until it is refused */
    assert_int_equal(okno_net_stream_read(stream, &byte, 1, OKNO_SECOND_US, &got, &err),
                     OKNO_NOT_FOUND);
    assert_true(err.text[0] != '\0');
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_addresses_are_refused_where_only_public_ones_are_meant),
        cmocka_unit_test(a_whole_body_comes_with_its_facts),
        cmocka_unit_test(a_body_over_the_maximum_is_refused),
        cmocka_unit_test(a_body_without_end_stops_at_the_maximum),
        cmocka_unit_test(a_range_is_exact_and_shorter_only_at_the_end),
        cmocka_unit_test(a_tag_notices_that_the_file_was_replaced),
        cmocka_unit_test(a_server_without_ranges_serves_small_files_only),
        cmocka_unit_test(a_reply_that_contradicts_the_range_is_refused),
        cmocka_unit_test(a_good_range_from_a_terse_server_is_taken),
        cmocka_unit_test(a_range_that_never_ends_is_cut),
        cmocka_unit_test(statuses_become_codes),
        cmocka_unit_test(nginx_statuses_name_host_and_path),
        cmocka_unit_test(a_redirect_is_refused_and_says_where_to),
        cmocka_unit_test(a_login_is_sent_when_asked_and_costs_one_more_request_once),
        cmocka_unit_test(a_wrong_or_missing_login_is_told_apart_and_never_printed),
        cmocka_unit_test(digest_is_preferred_and_the_password_stays_home),
        cmocka_unit_test(a_busy_archive_says_how_long_to_wait),
        cmocka_unit_test(trickles_end_at_the_deadline),
        cmocka_unit_test(nobody_listening_is_transient),
        cmocka_unit_test(an_empty_answer_is_transient),
        cmocka_unit_test(a_plain_server_behind_https_is_no_crash),
        cmocka_unit_test(a_certificate_nobody_vouches_for_is_refused_before_a_word_is_said),
        cmocka_unit_test(a_kept_connection_that_was_closed_is_made_anew),
        cmocka_unit_test(the_environments_proxy_is_not_used),
        cmocka_unit_test(urls_that_are_not_http_or_carry_a_login_are_refused),
        cmocka_unit_test(a_range_that_makes_no_sense_is_not_sent),
        cmocka_unit_test(http_dates_are_read_strictly),
        cmocka_unit_test(a_stream_comes_while_its_reader_waits_for_something_else),
        cmocka_unit_test(a_stream_cuts_its_range_out_of_a_whole_body),
        cmocka_unit_test(waiting_beside_a_stream_ends_when_the_other_is_there_and_tells_no_errors),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

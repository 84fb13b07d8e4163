/* A data directory, a server in this process, and requests as raw bytes. For tests only. */
#ifndef TESTS_SERVICE_CLIENT_H
#define TESTS_SERVICE_CLIENT_H

#include "../../src/service/http/server.h"
#include "../support/tempdir.h"
#include "okno/db.h"
#include "okno/json.h"
#include "okno/log.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct okno_conf conf;
    struct okno_serve_options options;
    struct http_server *server;
    struct okno_db *db;
    int wakes;
};

struct answer {
    int status;
    char *head; /* status line and headers */
    char *body;
    size_t body_len;
    char *bytes; /* all of it; owned */
};

static inline void answer_free(struct answer *answer)
{
    free(answer->bytes);
}
#define AUTO_ANSWER __attribute__((cleanup(answer_free))) struct answer

static inline int client_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval limit = {.tv_sec = 20};
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static inline void client_send(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

/* Everything until the other side closes. A reset or a silence of 20 s fails the test. */
static inline struct answer client_receive(int fd)
{
    size_t cap = 1U << 16;
    size_t len = 0;
    struct answer answer = {.bytes = malloc(cap)};
    ssize_t got;
    assert_non_null(answer.bytes);
    while ((got = recv(fd, answer.bytes + len, cap - len - 1, 0)) > 0) {
        len += (size_t)got;
        if (len + 1 == cap)
            answer.bytes = realloc(answer.bytes, cap *= 2);
        assert_non_null(answer.bytes);
    }
    assert_int_equal(got, 0);
    (void)close(fd);
    answer.bytes[len] = '\0';
    answer.head = answer.bytes;
    char *end = strstr(answer.bytes, "\r\n\r\n");
    answer.body = end ? end + 4 : answer.bytes + len;
    answer.body_len = len - (size_t)(answer.body - answer.bytes);
    if (end)
        end[2] = '\0';
    if (strncmp(answer.bytes, "HTTP/1.1 ", 9) == 0)
        answer.status = (int)strtol(answer.bytes + 9, NULL, 10);
    return answer;
}

static inline struct answer client_talk(int port, const void *bytes, size_t len)
{
    int fd = client_connect(port);
    client_send(fd, bytes, len);
    return client_receive(fd);
}

/* A header's value in a static buffer; NULL without it. */
static inline const char *answer_header(const struct answer *answer, const char *name)
{
    static char value[400];
    size_t len = strlen(name);
    for (const char *at = strstr(answer->head, "\r\n"); at && at[2]; at = strstr(at + 2, "\r\n")) {
        if (strncasecmp(at + 2, name, len) != 0 || at[2 + len] != ':')
            continue;
        const char *from = at + 3 + len + strspn(at + 3 + len, " ");
        (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(from, "\r\n"), from);
        return value;
    }
    return NULL;
}

/* `extra` is whole header lines, each with its CR LF. */
static inline struct answer client_request(int port, const char *method, const char *path,
                                           const char *extra, const char *body)
{
    char request[8192];
    int len =
        body ? snprintf(request, sizeof(request),
                        "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%sContent-Type: "
                        "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        method, path, port, extra, strlen(body), body)
             : snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n",
                        method, path, port, extra);
    assert_in_range(len, 1, sizeof(request) - 1);
    return client_talk(port, request, (size_t)len);
}

/* The `code` of an error document, in a static buffer; also checks its shape. */
static inline const char *answer_code(const struct answer *answer)
{
    static char code[64];
    okno_autojson json_t *json = json_loadb(answer->body, answer->body_len, 0, NULL);
    const json_t *error = json_object_get(json, "error");
    assert_true(json_is_string(json_object_get(error, "code")));
    assert_true(json_is_string(json_object_get(error, "message")));
    assert_non_null(json_object_get(error, "field"));
    (void)snprintf(code, sizeof(code), "%s", json_string_value(json_object_get(error, "code")));
    return code;
}

static inline void fixture_wake(void *context)
{
    ((struct fixture *)context)->wakes++;
}

static inline void fixture_start(struct fixture *fixture)
{
    struct okno_err err = {0};
    fixture->options.data_dir = fixture->dir;
    if (!fixture->options.listen)
        fixture->options.listen = "127.0.0.1:0";
    int rc = http_server_start(&fixture->options, &fixture->conf, fixture_wake, fixture,
                               &fixture->server, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
}

static inline struct fixture *fixture_new(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct okno_err err = {0};
    assert_non_null(fixture);
    (void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/okno-service-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    assert_int_equal(okno_db_open(fixture->dir, true, &fixture->db, &err), 0);
    okno_conf_defaults(&fixture->conf);
    okno_log_set_level(OKNO_LOG_ERROR);
    return fixture;
}

static inline void fixture_free(struct fixture *fixture)
{
    http_server_stop(fixture->server);
    okno_db_close(fixture->db);
    support_tempdir_remove(strdup(fixture->dir));
    free(fixture);
}

/* Facts of other rooms, put straight into their tables. */
static inline void fixture_sql(struct fixture *fixture, const char *sql)
{
    char path[128];
    char *message = NULL;
    sqlite3 *sqlite = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", fixture->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    (void)sqlite3_busy_timeout(sqlite, 5000);
    (void)sqlite3_exec(sqlite, sql, NULL, NULL, &message);
    assert_string_equal(message ? message : "", "");
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

/* A user who sees all sites, whose password is `pass word`, cheaply hashed. */
static inline void fixture_user(struct fixture *fixture, const char *user, const char *role)
{
    char hash[crypto_pwhash_STRBYTES];
    char sql[512];
    assert_true(sodium_init() >= 0);
    assert_int_equal(crypto_pwhash_str(hash, "pass word", 9, crypto_pwhash_OPSLIMIT_MIN,
                                       crypto_pwhash_MEMLIMIT_MIN),
                     0);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO users (user, name, role, password_hash, language, created_at) "
                   "VALUES ('%s', 'Name of %s', '%s', '%s', 'en', 0)",
                   user, user, role, hash);
    fixture_sql(fixture, sql);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO grants (user, scope, granted, at, author) VALUES "
                   "('%s', 'all', 1, 0, 'test')",
                   user);
    fixture_sql(fixture, sql);
}

static inline int fixture_port(const struct fixture *fixture)
{
    return http_server_port(fixture->server);
}

/* Log in; the whole Cookie header line for further requests, in one of eight static buffers. */
static inline const char *fixture_login(struct fixture *fixture, const char *user)
{
    static char cookies[8][160];
    static int next;
    char body[200];
    char *cookie = cookies[next++ % 8];
    (void)snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"pass word\"}", user);
    AUTO_ANSWER answer = client_request(fixture_port(fixture), "POST", "/api/v1/login", "", body);
    assert_int_equal(answer.status, 200);
    const char *set = answer_header(&answer, "Set-Cookie");
    assert_non_null(set);
    (void)snprintf(cookie, sizeof(cookies[0]), "Cookie: %.*s\r\n", (int)strcspn(set, ";"), set);
    return cookie;
}

/* The answer's document; fails when it is none. The caller drops it. */
static inline json_t *answer_json(const struct answer *answer)
{
    json_t *json = json_loadb(answer->body, answer->body_len, 0, NULL);
    assert_non_null(json);
    return json;
}

static inline const char *json_text(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

#endif

/* Soft panels and codes on paper against the real server. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/live.h"

#include "okno/panel.h"
#include "okno/prompt.h"
#include "okno/survey.h"
#include "okno/token.h"

#include "../support/tempdir.h"

#define POINT                                                                                      \
    "INSERT INTO imports (import, at, author, kind, source) VALUES (900, 0, 'a', 'k', 's');"       \
    "INSERT INTO sites (import, site, name, time_zone) VALUES (900, 'S1', 'Mall', "                \
    "'Europe/Moscow');"                                                                            \
    "INSERT INTO points (import, point, site, name) VALUES (900, 'P1', 'S1', 'Till 1'), "          \
    "(900, 'P2', 'S1', 'Till 2');"                                                                 \
    "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us) VALUES "   \
    "(900, 'Q1', 'P1', 0, 'personnel', 'Вы довольны: {employee}?', 20000000);"           \
    "INSERT INTO employees (import, employee, name) VALUES (900, 'E1', 'Анна');"

static int start(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_sql(fixture, POINT);
    fixture_user(fixture, "boss", "manager");
    fixture_user(fixture, "eye", "expert");
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static void invite(struct fixture *fixture, const char *device, const char *role,
                   char ret_code[OKNO_PANEL_CODE_TEXT])
{
    struct okno_err err = {0};
    const struct okno_panel_invitation invitation = {
        .device = device, .point = "P1", .role = role, .label = "", .author = "boss"};
    int rc = okno_panel_invite(fixture->db, &invitation, okno_time_now(), ret_code, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
}

static struct answer pair(struct fixture *fixture, const char *code)
{
    char body[100];
    (void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", code);
    return client_request(fixture_port(fixture), "POST", "/api/v1/panel/pair", "", body);
}

/* A header line with the token of a browser newly paired. */
static void paired(struct fixture *fixture, const char *device, const char *role,
                   char ret_header[120])
{
    char code[OKNO_PANEL_CODE_TEXT];
    invite(fixture, device, role, code);
    AUTO_ANSWER answer = pair(fixture, code);
    assert_int_equal(answer.status, 200);
    okno_autojson json_t *json = answer_json(&answer);
    (void)snprintf(ret_header, 120, "Authorization: Bearer %s\r\n", json_text(json, "token"));
}

static int64_t count(struct fixture *fixture, const char *sql)
{
    char path[128];
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", fixture->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(sqlite);
    return value;
}

static void a_code_is_exchanged_once(void **state)
{
    struct fixture *fixture = *state;
    char code[OKNO_PANEL_CODE_TEXT];
    invite(fixture, "T1", "both", code);
    AUTO_ANSWER first = pair(fixture, code);
    assert_int_equal(first.status, 200);
    okno_autojson json_t *json = answer_json(&first);
    assert_string_equal(json_text(json, "device"), "T1");
    assert_int_equal(strlen(json_text(json, "token")), 64);
    assert_int_equal(json_integer_value(json_object_get(json, "boot")), 1);
    AUTO_ANSWER second = pair(fixture, code);
    assert_int_equal(second.status, 401);
    assert_int_equal(count(fixture, "SELECT count(*) FROM tokens"), 1);
}

static void a_code_is_read_as_people_type_it(void **state)
{
    struct fixture *fixture = *state;
    char code[OKNO_PANEL_CODE_TEXT];
    invite(fixture, "T1", "both", code);
    for (char *at = code; *at; at++)
        *at = *at == '-' ? ' ' : *at == '0' ? 'o' : *at == '1' ? 'l' : *at | (*at >= 'A' ? 32 : 0);
    AUTO_ANSWER answer = pair(fixture, code);
    assert_int_equal(answer.status, 200);
}

static void a_later_code_ends_the_earlier(void **state)
{
    struct fixture *fixture = *state;
    char code[2][OKNO_PANEL_CODE_TEXT];
    invite(fixture, "T1", "both", code[0]);
    invite(fixture, "T1", "both", code[1]);
    AUTO_ANSWER old = pair(fixture, code[0]);
    assert_int_equal(old.status, 401);
    AUTO_ANSWER new = pair(fixture, code[1]);
    assert_int_equal(new.status, 200);
    assert_int_equal(count(fixture, "SELECT count(*) FROM devices WHERE device = 'T1'"), 1);
}

static void an_old_code_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    char code[OKNO_PANEL_CODE_TEXT];
    invite(fixture, "T1", "both", code);
    fixture_sql(fixture, "UPDATE panel_codes SET expires_at = 1");
    AUTO_ANSWER answer = pair(fixture, code);
    assert_int_equal(answer.status, 401);
}

static void guessing_is_slowed_down(void **state)
{
    struct fixture *fixture = *state;
    int status = 401;
    for (int i = 0; status == 401 && i < 20; i++) {
        AUTO_ANSWER answer = pair(fixture, "0000-0000-0000");
        status = answer.status;
        if (status == 429)
            assert_non_null(answer_header(&answer, "Retry-After"));
    }
    assert_int_equal(status, 429);
}

static void each_pairing_gets_a_boot_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    paired(fixture, "T1", "both", header);
    AUTO_ANSWER sent = client_request(fixture_port(fixture), "POST", "/api/v1/events", header,
                                      "{\"boot\":7,\"seq\":1,\"time\":\"2026-03-10T10:00:00Z\","
                                      "\"kind\":\"alive\"}");
    assert_int_equal(sent.status, 202);
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "POST", "/api/v1/panel/boot", header, "{}");
    assert_int_equal(answer.status, 202);
    okno_autojson json_t *json = answer_json(&answer);
    assert_int_equal(json_integer_value(json_object_get(json, "boot")), 8);
}

static void only_managers_and_administrators_invite(void **state)
{
    struct fixture *fixture = *state;
    const char *body = "{\"device\":\"T1\",\"point\":\"P1\",\"role\":\"panel\"}";
    AUTO_ANSWER expert = client_request(fixture_port(fixture), "POST", "/api/v1/panels",
                                        fixture_login(fixture, "eye"), body);
    assert_int_equal(expert.status, 403);
    AUTO_ANSWER manager = client_request(fixture_port(fixture), "POST", "/api/v1/panels",
                                         fixture_login(fixture, "boss"), body);
    assert_int_equal(manager.status, 200);
    okno_autojson json_t *json = answer_json(&manager);
    char wanted[100];
    (void)snprintf(wanted, sizeof(wanted), "http://127.0.0.1:%d/panel#%s", fixture_port(fixture),
                   json_text(json, "code"));
    assert_string_equal(json_text(json, "url"), wanted);
    assert_true(json_integer_value(json_object_get(json_object_get(json, "qr"), "size")) > 20);
}

static void a_panel_is_told_its_questions_with_names_filled_in(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    char sql[300];
    int64_t now_us = okno_time_now();
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES (900, "
        "'E1', 'P1', %lld, %lld)",
        (long long)(now_us - OKNO_DAY_US), (long long)(now_us + OKNO_DAY_US));
    fixture_sql(fixture, sql);
    paired(fixture, "T1", "panel", header);
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "GET", "/api/v1/panel", header, NULL);
    assert_int_equal(answer.status, 200);
    okno_autojson json_t *json = answer_json(&answer);
    assert_string_equal(json_text(json, "role"), "panel");
    const json_t *questions = json_object_get(json, "questions");
    assert_int_equal(json_array_size(questions), 2);
    const json_t *first = json_array_get(questions, 0);
    assert_string_equal(json_text(first, "text"), "Вы довольны: Анна?");
    assert_string_equal(json_text(first, "language"), "ru");
    assert_true(json_number_value(json_object_get(first, "window_s")) == 20.0);
    assert_string_equal(json_text(json_array_get(questions, 1), "text"),
                        "Вы довольны: наш сотрудник?");
}

static void a_token_opens_its_own_point_only(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    paired(fixture, "T1", "panel", header);
    static const char *const closed[] = {
        "/api/v1/surveys?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z", "/api/v1/devices",
        "/api/v1/panels", "/api/v1/qr"};
    for (size_t i = 0; i < OKNO_COUNT(closed); i++) {
        AUTO_ANSWER answer = client_request(fixture_port(fixture), "GET", closed[i], header, NULL);
        assert_int_equal(answer.status, 401);
    }
}

static void a_revoked_panel_is_shut_out(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    paired(fixture, "T1", "panel", header);
    AUTO_ANSWER revoked = client_request(fixture_port(fixture), "POST", "/api/v1/panels/T1/revoke",
                                         fixture_login(fixture, "boss"), "{}");
    assert_int_equal(revoked.status, 200);
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "GET", "/api/v1/panel", header, NULL);
    assert_int_equal(answer.status, 401);
}

static void a_panel_says_how_its_queue_is(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    paired(fixture, "T1", "panel", header);
    AUTO_ANSWER told = client_request(
        fixture_port(fixture), "POST", "/api/v1/panel/state", header,
        "{\"queued\":3,\"refused\":0,\"oldest_at\":\"2026-03-10T10:00:00Z\",\"sent_at\":null}");
    assert_int_equal(told.status, 202);
    AUTO_ANSWER answer = client_request(fixture_port(fixture), "GET", "/api/v1/panels",
                                        fixture_login(fixture, "boss"), NULL);
    okno_autojson json_t *json = answer_json(&answer);
    const json_t *state_json =
        json_object_get(json_array_get(json_object_get(json, "panels"), 0), "state");
    assert_int_equal(json_integer_value(json_object_get(state_json, "queued")), 3);
    assert_string_equal(json_text(state_json, "oldest_at"), "2026-03-10T10:00:00.000Z");
    assert_true(json_is_null(json_object_get(state_json, "sent_at")));
}

static void send_press(struct fixture *fixture, const char *header, int64_t seq, int64_t age_us)
{
    char body[300];
    char at[OKNO_TIME_TEXT];
    char now[OKNO_TIME_TEXT];
    int64_t now_us = okno_time_now();
    (void)snprintf(body, sizeof(body),
                   "{\"now\":\"%s\",\"events\":[{\"boot\":1,\"seq\":%lld,\"time\":\"%s\",\"kind\":"
                   "\"press\"}]}",
                   okno_time_format(now_us, now), (long long)seq,
                   okno_time_format(now_us - age_us, at));
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "POST", "/api/v1/events", header, body);
    assert_int_equal(answer.status, 202);
}

static void fresh_presses_reach_the_panels_of_the_point_and_old_ones_do_not(void **state)
{
    struct fixture *fixture = *state;
    char button[120];
    char panel[120];
    paired(fixture, "B1", "button", button);
    paired(fixture, "T1", "panel", panel);
    send_press(fixture, button, 1, OKNO_SECOND_US);
    send_press(fixture, button, 1, OKNO_SECOND_US * 2); /* conflict: not told */
    send_press(fixture, button, 2, 300 * OKNO_SECOND_US);
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "GET", "/api/v1/panel/presses?after=0", panel, NULL);
    assert_int_equal(answer.status, 200);
    okno_autojson json_t *json = answer_json(&answer);
    const json_t *presses = json_object_get(json, "presses");
    assert_int_equal(json_array_size(presses), 1);
    assert_in_range(json_integer_value(json_object_get(json_array_get(presses, 0), "age_ms")), 1000,
                    20000);
    AUTO_ANSWER later =
        client_request(fixture_port(fixture), "GET", "/api/v1/panel/presses?after=1", panel, NULL);
    okno_autojson json_t *rest = answer_json(&later);
    assert_int_equal(json_array_size(json_object_get(rest, "presses")), 0);
}

/* Read until the text is there. */
static void await_text(int fd, const char *text)
{
    char got[4096] = "";
    size_t len = 0;
    while (!strstr(got, text)) {
        ssize_t more = recv(fd, got + len, sizeof(got) - 1 - len, 0);
        assert_true(more > 0);
        got[len += (size_t)more] = '\0';
        if (len > sizeof(got) / 2 && !strstr(got, text)) { /* the end of it may be the beginning */
            memmove(got, got + len - 64, 65);
            len = 64;
        }
    }
}

static void a_stream_tells_presses_at_once_and_ends_with_the_service(void **state)
{
    struct fixture *fixture = *state;
    char button[120];
    char panel[120];
    char request[400];
    paired(fixture, "B1", "button", button);
    paired(fixture, "T1", "panel", panel);
    int fd = client_connect(fixture_port(fixture));
    int len = snprintf(request, sizeof(request),
                       "GET /api/v1/panel/presses HTTP/1.1\r\nHost: a\r\nAccept: "
                       "text/event-stream\r\n%s\r\n",
                       panel);
    client_send(fd, request, (size_t)len);
    await_text(fd, "listening");
    send_press(fixture, button, 1, 0);
    await_text(fd, "event: press");
    http_server_stop(fixture->server); /* does not wait for the stream's own end */
    fixture->server = NULL;
    (void)close(fd);
}

/* A stream that is open; the caller closes it. */
static int listen_as(struct fixture *fixture, const char *header, const char *expected)
{
    char request[400];
    int fd = client_connect(fixture_port(fixture));
    int len = snprintf(request, sizeof(request),
                       "GET /api/v1/panel/presses HTTP/1.1\r\nHost: a\r\nAccept: "
                       "text/event-stream\r\n%s\r\n",
                       header);
    client_send(fd, request, (size_t)len);
    await_text(fd, expected);
    return fd;
}

static void an_open_stream_of_a_revoked_panel_tells_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct okno_err err = {0};
    char button[120];
    char panel[120];
    char rest[400] = "";
    size_t len = 0;
    ssize_t more = 0;
    int64_t revoked = 0;
    paired(fixture, "B1", "button", button);
    paired(fixture, "T1", "panel", panel);
    int fd = listen_as(fixture, panel, "listening");
    assert_int_equal(okno_panel_revoke(fixture->db, "T1", okno_time_now(), &revoked, &err), 0);
    send_press(fixture, button, 1, 0);
    while (len < sizeof(rest) - 1 && (more = recv(fd, rest + len, sizeof(rest) - 1 - len, 0)) > 0)
        len += (size_t)more;
    assert_null(strstr(rest, "event: press"));
    assert_int_equal(more, 0); /* ended, not waiting */
    (void)close(fd);
}

static void one_panel_leaves_streams_to_the_others(void **state)
{
    struct fixture *fixture = *state;
    char first[120];
    char second[120];
    int fds[6];
    paired(fixture, "T1", "panel", first);
    paired(fixture, "T2", "panel", second);
    for (size_t i = 0; i < OKNO_COUNT(fds); i++)
        fds[i] = listen_as(fixture, i < 5 ? first : second, i == 4 ? " 503 " : "listening");
    for (size_t i = 0; i < OKNO_COUNT(fds); i++)
        (void)close(fds[i]);
}

/* What a manager gave is played, never shown: one of six types, nothing sniffed, to panels that
 * play it only. */
static void a_prompt_is_served_as_what_it_was_found_to_be(void **state)
{
    struct fixture *fixture = *state;
    static char file[44 + 16000];
    static const char head[] =
        "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\x80\x3e\0\0";
    struct okno_err err = {0};
    int64_t points = 0;
    char header[120];
    char path[200];
    memcpy(file, head, 44);
    memcpy(file + 44, "<html><script>alert(1)</script>", 31);
    const struct okno_prompt_change change = {
        .question = "Q1", .bytes = file, .len = sizeof(file), .author = "boss"};
    paired(fixture, "T1", "panel", header);
    assert_int_equal(okno_prompt_set(fixture->db, &change, okno_time_now(), &points, &err), 0);
    AUTO_ANSWER view = client_request(fixture_port(fixture), "GET", "/api/v1/panel", header, NULL);
    const char *sha = strstr(view.body, "\"sha256\":\"");
    assert_non_null(sha);
    (void)snprintf(path, sizeof(path), "/api/v1/panel/prompts/%.64s", sha + 10);
    AUTO_ANSWER got = client_request(fixture_port(fixture), "GET", path, header, NULL);
    assert_int_equal(got.status, 200);
    assert_string_equal(answer_header(&got, "Content-Type"), "audio/wav");
    assert_string_equal(answer_header(&got, "X-Content-Type-Options"), "nosniff");
    assert_non_null(strstr(answer_header(&got, "Content-Security-Policy"), "default-src 'none'"));
    static const char *const wrong[] = {"/api/v1/panel/prompts/..%2f..%2fokno.db",
                                        "/api/v1/panel/prompts/../../okno.db",
                                        "/api/v1/panel/prompts/0", "/api/v1/panel/prompts/%00"};
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        AUTO_ANSWER none = client_request(fixture_port(fixture), "GET", wrong[i], header, NULL);
        assert_in_range(none.status, 400, 404);
    }
    fixture_sql(fixture, "UPDATE devices SET point = 'P2'"); /* which plays nothing */
    AUTO_ANSWER moved = client_request(fixture_port(fixture), "GET", path, header, NULL);
    assert_int_equal(moved.status, 404);
    AUTO_ANSWER nobody = client_request(fixture_port(fixture), "GET", path, "", NULL);
    assert_int_equal(nobody.status, 401);
}

/* Only with a token for photos, only of the own point, and never unrecorded. */
static void a_program_at_the_point_fetches_the_photo_of_a_rating(void **state)
{
    struct fixture *fixture = *state;
    struct okno_err err = {0};
    char header[120];
    char token[OKNO_TOKEN_TEXT];
    char with[120];
    char path[300];
    paired(fixture, "T1", "panel", header);
    assert_int_equal(okno_token_add(fixture->db, "T1", "till", 1, token, &err), 0);
    assert_int_equal(okno_token_allow_photos(fixture->db, token, &err), 0);
    (void)snprintf(with, sizeof(with), "Authorization: Bearer %s\r\n", token);
    fixture_sql(
        fixture,
        "INSERT INTO surveys (survey, point, site, question_kind, opened_at, closes_at, state, "
        "answer, answered_at, device_offset_us, device_uncertainty_us) VALUES "
        "('T1.1.1', 'P1', 'S1', 'personnel', 10, 20, 'answered', 'no', 15, 0, 0), "
        "('T1.1.2', 'P1', 'S1', 'personnel', 30, 40, 'answered', 'no', 35, 0, 0), "
        "('T2.1.1', 'P2', 'S1', 'personnel', 10, 20, 'answered', 'no', 15, 0, 0);"
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from, "
        "asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, source, requests, "
        "bytes_read, software, made_at) VALUES ('T1.1.1', 'still', "
        "'92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b', 9, 'image/jpeg', "
        "'mjpeg', 'C1', 0, 0, 0, 0, 0, 0, 0, '[]', 0, 0, 'test', 0)");
    (void)snprintf(path, sizeof(path), "%s/evidence/92", fixture->dir);
    support_text(path, "92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b",
                 "a picture");
    static const struct {
        const char *rating;
        bool photos;
        int status;
    } cases[] = {{"T1.1.1", true, 200},
                 {"T1.1.1", false, 403},
                 {"T1.1.2", true, 503},
                 {"T2.1.1", true, 404},
                 {"T9.9.9", true, 404}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        (void)snprintf(path, sizeof(path), "/api/v1/ratings/%s/photo", cases[i].rating);
        AUTO_ANSWER answer = client_request(fixture_port(fixture), "GET", path,
                                            cases[i].photos ? with : header, NULL);
        if (answer.status != cases[i].status)
            fail_msg("%s: %d, %s", cases[i].rating, answer.status, answer.body);
        if (answer.status == 200) {
            assert_string_equal(answer.body, "a picture");
            assert_string_equal(answer_header(&answer, "Content-Type"), "image/jpeg");
        }
        if (answer.status == 503)
            assert_non_null(answer_header(&answer, "Retry-After"));
    }
    assert_int_equal(count(fixture,
                           "SELECT count(*) FROM access_log WHERE user = 'device:T1' AND "
                           "action = 'disclose' AND detail = 'T1.1.1'"),
                     1);
    static const char *const left[] = {
        "/evidence/92/92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b",
        "/evidence/92", "/evidence"};
    for (size_t k = 0; k < OKNO_COUNT(left); k++) {
        (void)snprintf(path, sizeof(path), "%s%s", fixture->dir, left[k]);
        (void)remove(path);
    }
}

static void an_answer_is_told_to_who_asks_but_not_which_it_was(void **state)
{
    struct fixture *fixture = *state;
    char button[120];
    char panel[120];
    char body[300];
    char now[OKNO_TIME_TEXT];
    paired(fixture, "B1", "button", button);
    paired(fixture, "T1", "panel", panel);
    send_press(fixture, button, 1, OKNO_SECOND_US);
    (void)okno_time_format(okno_time_now(), now);
    (void)snprintf(
        body, sizeof(body),
        "{\"now\":\"%s\",\"events\":[{\"boot\":1,\"seq\":1,\"time\":\"%s\",\"kind\":\"no\"}]}", now,
        now);
    AUTO_ANSWER sent = client_request(fixture_port(fixture), "POST", "/api/v1/events", panel, body);
    assert_int_equal(sent.status, 202);
    AUTO_ANSWER all = client_request(fixture_port(fixture), "GET",
                                     "/api/v1/panel/presses?after=0&answers=true", button, NULL);
    okno_autojson json_t *json = answer_json(&all);
    const json_t *told = json_object_get(json, "presses");
    assert_int_equal(json_array_size(told), 2);
    assert_string_equal(json_text(json_array_get(told, 0), "kind"), "press");
    assert_string_equal(json_text(json_array_get(told, 1), "kind"), "answer");
    assert_null(strstr(all.body, "\"no\""));
    AUTO_ANSWER presses =
        client_request(fixture_port(fixture), "GET", "/api/v1/panel/presses?after=0", button, NULL);
    assert_null(strstr(presses.body, "answer"));
    AUTO_ANSWER wrong = client_request(fixture_port(fixture), "GET",
                                       "/api/v1/panel/presses?answers=all", button, NULL);
    assert_int_equal(wrong.status, 400);
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Who does not read fills its own socket, and nothing else: presses are told from a ring. */
static void a_reader_that_never_reads_costs_nobody_anything(void **state)
{
    struct fixture *fixture = *state;
    char button[120];
    char slow[120];
    char quick[120];
    char request[400];
    int small = 2048;
    paired(fixture, "B1", "button", button);
    paired(fixture, "T1", "panel", slow);
    paired(fixture, "T2", "panel", quick);
    int stuck = client_connect(fixture_port(fixture));
    assert_int_equal(setsockopt(stuck, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    int len = snprintf(request, sizeof(request),
                       "GET /api/v1/panel/presses HTTP/1.1\r\nHost: a\r\nAccept: "
                       "text/event-stream\r\n%s\r\n",
                       slow);
    client_send(stuck, request, (size_t)len);
    int fd = listen_as(fixture, quick, "listening");
    send_press(fixture, button, 1, 0);
    await_text(fd, "\"seq\":1,");
    long before_kb = resident_kb();
    struct http_press press = {.boot = 1, .at_us = okno_time_monotonic()};
    (void)snprintf(press.point, sizeof(press.point), "P1");
    (void)snprintf(press.device, sizeof(press.device), "B1");
    for (press.seq = 2; press.seq < 200000; press.seq++)
        http_live_tell(http_server_live(fixture->server), &press);
    send_press(fixture, button, 200000, 0);
    await_text(fd, "\"seq\":200000,");
#ifndef __SANITIZE_ADDRESS__ /* it keeps freed blocks on purpose */
    assert_in_range(resident_kb(), 0, before_kb + 4096);
#else
    (void)before_kb;
#endif
    (void)close(fd);
    (void)close(stuck);
}

/* What stderr gets while the work runs. */
static void a_stream_too_many_is_a_warning_in_the_log_and_no_error(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    char log[8192];
    int fds[5];
    int ends[2];
    paired(fixture, "T1", "panel", header);
    assert_int_equal(pipe(ends), 0);
    okno_log_set_level(OKNO_LOG_WARNING);
    int kept = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    for (size_t i = 0; i < OKNO_COUNT(fds); i++)
        fds[i] = listen_as(fixture, header, i == 4 ? " 503 " : "listening");
    for (size_t i = 0; i < OKNO_COUNT(fds); i++)
        (void)close(fds[i]);
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "GET", "/api/v1/panel", header, NULL);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    okno_log_set_level(OKNO_LOG_ERROR);
    (void)close(kept);
    (void)close(ends[1]);
    ssize_t got = read(ends[0], log, sizeof(log) - 1);
    (void)close(ends[0]);
    assert_true(got > 0);
    log[got] = '\0';
    assert_non_null(strstr(log, "level=warning room=http msg=\"GET /api/v1/panel/presses 503"));
    assert_null(strstr(log, "level=error"));
}

/* Somebody who sees no site, or another, neither invites nor revokes here, and sees nothing. */
static void rights_end_at_the_own_sites(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    paired(fixture, "T1", "panel", header);
    fixture_sql(fixture, "DELETE FROM grants WHERE user = 'boss'");
    const char *cookie = fixture_login(fixture, "boss");
    static const char *const closed[][2] = {
        {"/api/v1/panels", "{\"device\":\"T2\",\"point\":\"P1\",\"role\":\"panel\"}"},
        {"/api/v1/panels/T1/revoke", "{}"},
        {"/api/v1/qr", "{\"point\":\"P1\"}"}};
    for (size_t i = 0; i < OKNO_COUNT(closed); i++) {
        AUTO_ANSWER answer =
            client_request(fixture_port(fixture), "POST", closed[i][0], cookie, closed[i][1]);
        assert_int_equal(answer.status, 403);
    }
    AUTO_ANSWER list = client_request(fixture_port(fixture), "GET", "/api/v1/panels", cookie, NULL);
    assert_string_equal(list.body, "{\"panels\":[]}");
    assert_int_equal(count(fixture, "SELECT count(*) FROM tokens WHERE revoked_at IS NULL"), 1);
}

static void a_device_of_another_site_is_not_taken_over(void **state)
{
    struct fixture *fixture = *state;
    fixture_sql(fixture,
                "INSERT INTO sites (import, site, name, time_zone) VALUES (900, 'S2', 'Port', "
                "'UTC');"
                "INSERT INTO points (import, point, site, name) VALUES (900, 'P9', 'S2', 'Desk');"
                "INSERT INTO devices (import, device, point, valid_from) VALUES (900, 'D9', 'P9', "
                "1);"
                "INSERT INTO tokens (token_hash, role, device, created_at) VALUES ('h', 'device', "
                "'D8', 1);"
                "DELETE FROM grants WHERE user = 'boss';"
                "INSERT INTO grants (user, scope, granted, at, author) VALUES ('boss', 'site:S1', "
                "1, 0, 'a')");
    const char *cookie = fixture_login(fixture, "boss");
    static const struct {
        const char *device;
        int status;
    } wanted[] = {{"D9", 403}, {"D8", 403}, {"T7", 200}, {"T7", 200}};
    for (size_t i = 0; i < OKNO_COUNT(wanted); i++) {
        char body[100];
        (void)snprintf(body, sizeof(body), "{\"device\":\"%s\",\"point\":\"P1\",\"role\":\"both\"}",
                       wanted[i].device);
        AUTO_ANSWER answer =
            client_request(fixture_port(fixture), "POST", "/api/v1/panels", cookie, body);
        assert_int_equal(answer.status, wanted[i].status);
    }
}

/* ---- codes on paper ---- */

static struct okno_qr_code hang_up(struct fixture *fixture)
{
    struct okno_qr_code code;
    struct okno_err err = {0};
    assert_int_equal(
        okno_qr_code_add(fixture->db, "P1", "boss", okno_time_now() - OKNO_DAY_US, &code, &err), 0);
    return code;
}

static struct answer answer_by_phone(struct fixture *fixture, const char *code, const char *cookie,
                                     const char *body)
{
    char request[800];
    int len =
        snprintf(request, sizeof(request),
                 "POST /q/%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: "
                 "http://127.0.0.1:%d\r\n%sContent-Type: "
                 "application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
                 code, fixture_port(fixture), fixture_port(fixture), cookie, strlen(body), body);
    return client_talk(fixture_port(fixture), request, (size_t)len);
}

static void a_phone_is_shown_the_question_of_the_point(void **state)
{
    struct fixture *fixture = *state;
    struct okno_qr_code code = hang_up(fixture);
    char path[60];
    (void)snprintf(path, sizeof(path), "/q/%s", code.code);
    AUTO_ANSWER answer = client_request(fixture_port(fixture), "GET", path, "", NULL);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "<h1>Вы довольны: наш сотрудник?</h1>"));
    assert_non_null(strstr(answer.body, "lang=\"ru\""));
    assert_null(strstr(answer.body, "<script"));
    const char *policy = answer_header(&answer, "Content-Security-Policy");
    assert_non_null(strstr(policy, "form-action 'self'"));
    assert_null(strstr(policy, "script-src"));
}

static void an_answer_by_phone_never_fills_a_window(void **state)
{
    struct fixture *fixture = *state;
    struct okno_err err = {0};
    struct okno_survey_refreshed done;
    struct okno_survey_params params = okno_survey_params_default();
    struct okno_qr_code code = hang_up(fixture);
    char header[120];
    paired(fixture, "T1", "both", header);
    fixture_sql(fixture, "UPDATE devices SET valid_from = 1");
    send_press(fixture, header, 1, OKNO_SECOND_US);
    AUTO_ANSWER answer = answer_by_phone(fixture, code.code, "", "answer=no");
    assert_int_equal(answer.status, 303);
    assert_int_equal(count(fixture, "SELECT count(*) FROM events WHERE channel = 'qr'"), 1);
    assert_int_equal(
        okno_survey_refresh(fixture->db, &params, okno_time_now() + OKNO_DAY_US, &done, &err), 0);
    assert_int_equal(
        count(fixture, "SELECT count(*) FROM surveys WHERE state = 'silent' AND answer IS NULL"),
        1);
    assert_int_equal(count(fixture, "SELECT count(*) FROM surveys"), 1);
    assert_int_equal(count(fixture,
                           "SELECT count(*) FROM spontaneous WHERE channel = 'qr' AND "
                           "answer = 'no' AND point = 'P1'"),
                     1);
}

static void a_code_on_paper_does_not_make_silence_unheard_nor_quiet(void **state)
{
    struct fixture *fixture = *state;
    struct okno_err err = {0};
    struct okno_survey_refreshed done;
    struct okno_survey_params params = okno_survey_params_default();
    char header[120];
    (void)hang_up(fixture);
    paired(fixture, "T1", "both", header);
    fixture_sql(fixture, "UPDATE devices SET valid_from = 1");
    send_press(fixture, header, 1, 60 * OKNO_SECOND_US);
    send_press(fixture, header, 2, OKNO_SECOND_US); /* the panel was heard of since */
    assert_int_equal(okno_survey_refresh(fixture->db, &params, okno_time_now(), &done, &err), 0);
    assert_int_equal(
        count(fixture, "SELECT count(*) FROM surveys WHERE state = 'silent' AND flags = ''"), 1);
    AUTO_ANSWER answer = client_request(fixture_port(fixture), "GET", "/api/v1/devices",
                                        fixture_login(fixture, "boss"), NULL);
    okno_autojson json_t *json = answer_json(&answer);
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(json, "devices"), i, row)
        assert_string_equal(json_text(row, "state"), "ok");
    assert_int_equal(i, 2);
}

static void a_phone_answers_once_in_a_while(void **state)
{
    struct fixture *fixture = *state;
    struct okno_qr_code code = hang_up(fixture);
    char cookie[300];
    AUTO_ANSWER first = answer_by_phone(fixture, code.code, "", "answer=yes");
    assert_int_equal(first.status, 303);
    const char *set = answer_header(&first, "Set-Cookie");
    assert_non_null(set);
    (void)snprintf(cookie, sizeof(cookie), "Cookie: %.*s\r\n", (int)strcspn(set, ";"), set);
    AUTO_ANSWER second = answer_by_phone(fixture, code.code, cookie, "answer=yes");
    assert_int_equal(second.status, 429);
    assert_non_null(answer_header(&second, "Retry-After"));
    assert_non_null(strstr(second.body, "уже ответили"));
    char path[80];
    (void)snprintf(path, sizeof(path), "/q/%s", code.code);
    AUTO_ANSWER again = client_request(fixture_port(fixture), "GET", path, cookie, NULL);
    assert_int_equal(again.status, 200); /* told at once, not after another answer */
    assert_non_null(strstr(again.body, "уже ответили"));
    assert_null(strstr(again.body, "<form"));
    cookie[strlen(cookie) - 4] ^= 1; /* not our signature */
    AUTO_ANSWER forged = answer_by_phone(fixture, code.code, cookie, "answer=yes");
    assert_int_equal(forged.status, 303);
    assert_int_equal(count(fixture, "SELECT count(*) FROM events"), 2);
    assert_int_equal(count(fixture, "SELECT max(seq) FROM events"), 2);
}

static void a_flood_is_told_honestly(void **state)
{
    struct fixture *fixture = *state;
    struct okno_qr_code code = hang_up(fixture);
    int status = 303;
    int stored = 0;
    for (int i = 0; status == 303 && i < 40; i++) {
        AUTO_ANSWER answer = answer_by_phone(fixture, code.code, "", "answer=yes");
        status = answer.status;
        stored += status == 303;
    }
    assert_int_equal(status, 429);
    assert_int_equal(stored, 12);
    assert_int_equal(count(fixture, "SELECT count(*) FROM events"), 12);
}

static void a_form_that_is_none_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct okno_qr_code code = hang_up(fixture);
    static const char *const wrong[] = {"",           "answer=maybe",         "answer=%zz",
                                        "answer=%00", "answer=yes&answer=no", "answer=yes&more=1"};
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        AUTO_ANSWER answer = answer_by_phone(fixture, code.code, "", wrong[i]);
        assert_int_equal(answer.status, 400);
    }
    assert_int_equal(count(fixture, "SELECT count(*) FROM events"), 0);
}

static void a_code_on_paper_is_invited_as_no_panel(void **state)
{
    struct fixture *fixture = *state;
    struct okno_qr_code code = hang_up(fixture);
    char body[200];
    (void)snprintf(body, sizeof(body), "{\"device\":\"%s\",\"point\":\"P1\",\"role\":\"both\"}",
                   code.device);
    AUTO_ANSWER answer = client_request(fixture_port(fixture), "POST", "/api/v1/panels",
                                        fixture_login(fixture, "boss"), body);
    assert_int_equal(answer.status, 409);
    assert_int_equal(count(fixture, "SELECT count(*) FROM panel_codes"), 0);
}

static void a_revoked_code_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct okno_err err = {0};
    struct okno_qr_code code = hang_up(fixture);
    assert_int_equal(okno_qr_code_revoke(fixture->db, code.code, okno_time_now(), &err), 0);
    AUTO_ANSWER answer = answer_by_phone(fixture, code.code, "", "answer=yes");
    assert_int_equal(answer.status, 410);
    AUTO_ANSWER unknown = answer_by_phone(fixture, "NOSUCHCODE", "", "answer=yes");
    assert_int_equal(unknown.status, 404);
    assert_int_equal(count(fixture, "SELECT count(*) FROM events"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_code_is_exchanged_once),
        TEST(a_code_is_read_as_people_type_it),
        TEST(a_later_code_ends_the_earlier),
        TEST(an_old_code_opens_nothing),
        TEST(guessing_is_slowed_down),
        TEST(each_pairing_gets_a_boot_of_its_own),
        TEST(only_managers_and_administrators_invite),
        TEST(a_panel_is_told_its_questions_with_names_filled_in),
        TEST(a_token_opens_its_own_point_only),
        TEST(a_revoked_panel_is_shut_out),
        TEST(a_panel_says_how_its_queue_is),
        TEST(fresh_presses_reach_the_panels_of_the_point_and_old_ones_do_not),
        TEST(a_stream_tells_presses_at_once_and_ends_with_the_service),
        TEST(an_open_stream_of_a_revoked_panel_tells_nothing),
        TEST(one_panel_leaves_streams_to_the_others),
        TEST(a_prompt_is_served_as_what_it_was_found_to_be),
        TEST(a_program_at_the_point_fetches_the_photo_of_a_rating),
        TEST(an_answer_is_told_to_who_asks_but_not_which_it_was),
        TEST(a_reader_that_never_reads_costs_nobody_anything),
        TEST(a_stream_too_many_is_a_warning_in_the_log_and_no_error),
        TEST(rights_end_at_the_own_sites),
        TEST(a_device_of_another_site_is_not_taken_over),
        TEST(a_phone_is_shown_the_question_of_the_point),
        TEST(an_answer_by_phone_never_fills_a_window),
        TEST(a_code_on_paper_does_not_make_silence_unheard_nor_quiet),
        TEST(a_phone_answers_once_in_a_while),
        TEST(a_flood_is_told_honestly),
        TEST(a_form_that_is_none_is_refused),
        TEST(a_code_on_paper_is_invited_as_no_panel),
        TEST(a_revoked_code_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* POST /api/v1/events against the real server: what devices are told, and what is then stored. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"
#include "okno/survey.h"
#include "okno/token.h"

#include <pthread.h>

static char token[OKNO_TOKEN_TEXT];

static void add_token(struct fixture *fixture, const char *device, char ret_token[OKNO_TOKEN_TEXT])
{
    struct okno_err err = {0};
    assert_int_equal(okno_token_add(fixture->db, device, "", 1, ret_token, &err), 0);
}

static int start(void **state)
{
    struct fixture *fixture = fixture_new();
    add_token(fixture, "D1", token);
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int start_slow(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture->conf.limits.device_per_min = 2;
    add_token(fixture, "D1", token);
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static struct answer send_as(struct fixture *fixture, const char *bearer, const char *body)
{
    char header[120];
    size_t size = strlen(body) + 1000;
    okno_autofree char *request = malloc(size);
    assert_non_null(request);
    (void)snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", bearer);
    int len = snprintf(request, size,
                       "POST /api/v1/events HTTP/1.1\r\nHost: a\r\n%sContent-Type: "
                       "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                       *bearer ? header : "", strlen(body), body);
    return client_talk(fixture_port(fixture), request, (size_t)len);
}

/* The results of a request that must be answered with 202; the caller drops them. */
static json_t *tell(struct fixture *fixture, const char *body)
{
    AUTO_ANSWER answer = send_as(fixture, token, body);
    assert_int_equal(answer.status, 202);
    json_t *results = answer_json(&answer);
    assert_true(json_is_array(results));
    return results;
}

static const char *result_at(const json_t *results, size_t i)
{
    const char *text = json_text(json_array_get(results, i), "result");
    assert_non_null(text);
    return text;
}

static const char *code_at(const json_t *results, size_t i)
{
    return json_text(json_object_get(json_array_get(results, i), "error"), "code");
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

#define EVENTS "SELECT count(*) FROM events"

static void one_event_is_stored_and_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    okno_autojson json_t *results =
        tell(fixture, "{\"seq\":7,\"time\":\"2026-03-10T10:00:00.5+03:00\",\"kind\":\"press\"}");
    assert_int_equal(json_array_size(results), 1);
    okno_autojson json_t *wanted = json_pack("[{s:s, s:i, s:i, s:s, s:n}]", "device", "D1", "boot",
                                             0, "seq", 7, "result", "added", "error");
    assert_true(json_equal(results, wanted));
    assert_int_equal(count(fixture, "SELECT at FROM events WHERE device='D1' AND boot=0 AND seq=7"),
                     INT64_C(1773126000500000));
    assert_true(count(fixture, "SELECT arrived_at FROM events") > INT64_C(1700000000000000));
    assert_int_equal(fixture->wakes, 1);
}

static void answers_come_in_order_and_a_bad_item_takes_no_good_one_with_it(void **state)
{
    struct fixture *fixture = *state;
    okno_autojson json_t *results =
        tell(fixture,
             "[{\"seq\":5,\"time\":\"2026-03-10T10:00:05Z\",\"kind\":\"press\"},"
             "{\"seq\":1,\"time\":\"2026-03-10T10:00:01\",\"kind\":\"press\"},"
             "{\"seq\":3,\"boot\":2,\"time\":\"2026-03-10T10:00:03Z\",\"kind\":\"maybe\"},"
             "17,"
             "{\"seq\":\"4\",\"time\":\"2026-03-10T10:00:04Z\",\"kind\":\"yes\"},"
             "{\"seq\":6,\"kind\":\"yes\"},"
             "{\"seq\":8,\"time\":\"2026-03-10T10:00:06Z\",\"kind\":\"yes\",\"mood\":1},"
             "{\"seq\":9,\"time\":\"2026-03-10T10:00:06Z\"},"
             "{\"seq\":2,\"time\":\"2026-03-10T10:00:02Z\",\"duration_ms\":1500}]");
    static const char *const wanted[][2] = {{"added", NULL},
                                            {"invalid", "invalid"},
                                            {"invalid", "invalid"},
                                            {"invalid", "invalid"},
                                            {"invalid", "invalid"},
                                            {"invalid", "missing"},
                                            {"invalid", "unknown_field"},
                                            {"invalid", "missing"},
                                            {"added", NULL}};
    assert_int_equal(json_array_size(results), OKNO_COUNT(wanted));
    for (size_t i = 0; i < OKNO_COUNT(wanted); i++) {
        assert_string_equal(result_at(results, i), wanted[i][0]);
        if (wanted[i][1])
            assert_string_equal(code_at(results, i), wanted[i][1]);
        else
            assert_true(json_is_null(json_object_get(json_array_get(results, i), "error")));
    }
    const json_t *third = json_array_get(results, 2);
    assert_int_equal(json_integer_value(json_object_get(third, "boot")), 2);
    assert_int_equal(json_integer_value(json_object_get(third, "seq")), 3);
    assert_true(json_is_null(json_object_get(json_array_get(results, 3), "seq")));
    assert_string_equal(json_text(json_object_get(json_array_get(results, 1), "error"), "field"),
                        "time");
    assert_int_equal(count(fixture, EVENTS), 2);
    assert_int_equal(count(fixture, "SELECT count(*) FROM events WHERE seq=2 AND kind='hold'"), 1);
}

static void repeating_is_safe_and_other_content_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    static const char batch[] =
        "[{\"seq\":1,\"time\":\"2026-03-10T10:00:01Z\",\"kind\":\"press\"},"
        "{\"seq\":2,\"time\":\"2026-03-10T10:00:02Z\",\"kind\":\"yes\"}]";
    okno_autojson json_t *first = tell(fixture, batch);
    okno_autojson json_t *again = tell(fixture, batch);
    okno_autojson json_t *other =
        tell(fixture,
             "[{\"seq\":2,\"time\":\"2026-03-10T10:00:02Z\",\"kind\":\"no\"},"
             "{\"seq\":3,\"time\":\"2026-03-10T10:00:03Z\",\"kind\":\"alive\"},"
             "{\"seq\":3,\"time\":\"2026-03-10T10:00:03.000Z\",\"kind\":\"alive\"}]");
    assert_string_equal(result_at(first, 1), "added");
    assert_string_equal(result_at(again, 0), "duplicate");
    assert_string_equal(result_at(again, 1), "duplicate");
    assert_string_equal(result_at(other, 0), "conflict");
    assert_string_equal(code_at(other, 0), "conflict");
    assert_string_equal(result_at(other, 1), "added");
    assert_string_equal(result_at(other, 2), "duplicate");
    assert_int_equal(count(fixture, EVENTS), 3);
    assert_int_equal(count(fixture, "SELECT count(*) FROM events WHERE seq=2 AND kind='yes'"), 1);
    assert_int_equal(fixture->wakes, 2); /* nothing new, nothing to look at */
}

static void a_token_speaks_for_its_own_device_only(void **state)
{
    struct fixture *fixture = *state;
    char other[OKNO_TOKEN_TEXT];
    add_token(fixture, "D2", other);
    okno_autojson json_t *results =
        tell(fixture,
             "[{\"device\":\"D2\",\"seq\":1,\"time\":\"2026-03-10T10:00:01Z\",\"kind\":\"press\"},"
             "{\"device\":\"D1\",\"seq\":1,\"time\":\"2026-03-10T10:00:01Z\",\"kind\":\"press\"}]");
    assert_string_equal(result_at(results, 0), "invalid");
    assert_string_equal(code_at(results, 0), "forbidden");
    assert_string_equal(result_at(results, 1), "added");
    assert_int_equal(count(fixture, "SELECT count(*) FROM events WHERE device='D2'"), 0);
}

static void without_a_token_that_stands_nothing_is_read(void **state)
{
    struct fixture *fixture = *state;
    char id[OKNO_TOKEN_ID_TEXT];
    OKNO_AUTO_VEC(okno_token_vec) tokens = {0};
    struct okno_err err = {0};
    static const char event[] = "{\"seq\":1,\"time\":\"2026-03-10T10:00:01Z\",\"kind\":\"press\"}";
    static const char *const wrong[] = {
        "", "0", "0000000000000000000000000000000000000000000000000000000000000000"};
    for (size_t i = 0; i < OKNO_COUNT(wrong); i++) {
        AUTO_ANSWER answer = send_as(fixture, wrong[i], event);
        assert_int_equal(answer.status, 401);
        assert_string_equal(answer_code(&answer), "unauthenticated");
        assert_string_equal(answer_header(&answer, "WWW-Authenticate"), "Bearer");
    }
    assert_int_equal(okno_token_list(fixture->db, "D1", &tokens, &err), 0);
    (void)snprintf(id, sizeof(id), "%s", tokens.items[0].id);
    assert_int_equal(okno_token_revoke(fixture->db, id, 2, &err), 0);
    AUTO_ANSWER revoked = send_as(fixture, token, event);
    assert_int_equal(revoked.status, 401);
    assert_int_equal(count(fixture, EVENTS), 0);
}

static void people_do_not_send_events_and_devices_read_nothing(void **state)
{
    struct fixture *fixture = *state;
    char header[120];
    fixture_user(fixture, "root", "administrator");
    AUTO_ANSWER person = client_request(fixture_port(fixture), "POST", "/api/v1/events",
                                        fixture_login(fixture, "root"), "[]");
    assert_int_equal(person.status, 401);
    (void)snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", token);
    AUTO_ANSWER device =
        client_request(fixture_port(fixture), "GET", "/api/v1/sites", header, NULL);
    assert_int_equal(device.status, 401);
}

static void a_malformed_envelope_stores_nothing(void **state)
{
    struct fixture *fixture = *state;
#define GOOD "{\"seq\":1,\"time\":\"2026-03-10T10:00:01Z\",\"kind\":\"press\"}"
    static const struct {
        const char *body, *code, *field;
    } cases[] = {
        {"", "malformed", NULL},
        {"[" GOOD, "malformed", NULL},
        {"[" GOOD "]]", "malformed", NULL},
        {"\"a\"", "malformed", NULL},
        {"[]", "invalid", "events"},
        {"{\"events\":[]}", "invalid", "events"},
        {"{\"events\":" GOOD "}", "invalid", "events"},
        {"{\"events\":[" GOOD "],\"now\":5}", "invalid", "now"},
        {"{\"events\":[" GOOD "],\"now\":\"2026-03-10T10:00:01\"}", "invalid", "now"},
        {"{\"events\":[" GOOD "],\"then\":\"2026-03-10T10:00:01Z\"}", "unknown_field", "then"},
        {"{\"events\":[" GOOD "],\"seq\":1}", "unknown_field", "events"},
        {"[{\"seq\":1,\"seq\":2,\"time\":\"2026-03-10T10:00:01Z\",\"kind\":\"press\"}]",
         "malformed", NULL},
        {"[" GOOD ",\"\xff\"]", "malformed", NULL},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        AUTO_ANSWER answer = send_as(fixture, token, cases[i].body);
        assert_int_equal(answer.status, 400);
        assert_string_equal(answer_code(&answer), cases[i].code);
        okno_autojson json_t *json = answer_json(&answer);
        const char *field = json_text(json_object_get(json, "error"), "field");
        if (cases[i].field)
            assert_string_equal(field, cases[i].field);
    }
    assert_int_equal(count(fixture, EVENTS), 0);
    assert_int_equal(count(fixture, "SELECT count(*) FROM clocks"), 0);
    assert_int_equal(fixture->wakes, 0);
}

/* n events, first_seq and on; the caller frees it. */
static char *many(int n, int first_seq)
{
    size_t size = (size_t)n * 80 + 3;
    char *body = malloc(size);
    assert_non_null(body);
    size_t used = 0;
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(body + used, size - used,
                                 "%c{\"seq\":%d,\"time\":\"2026-03-10T10:%02d:%02dZ\",\"kind\":"
                                 "\"press\"}",
                                 i ? ',' : '[', first_seq + i, i / 60 % 60, i % 60);
    body[used++] = ']';
    body[used] = '\0';
    return body;
}

static void a_thousand_at_once_are_taken_and_one_more_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    okno_autofree char *most = many(1000, 1);
    okno_autofree char *over = many(1001, 2000);
    okno_autojson json_t *results = tell(fixture, most);
    assert_int_equal(json_array_size(results), 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_string_equal(result_at(results, i), "added");
        assert_int_equal(json_integer_value(json_object_get(json_array_get(results, i), "seq")),
                         i + 1);
    }
    AUTO_ANSWER answer = send_as(fixture, token, over);
    assert_int_equal(answer.status, 413);
    assert_string_equal(answer_code(&answer), "too_large");
    assert_int_equal(count(fixture, EVENTS), 1000);
}

static void a_device_that_asks_too_often_waits_and_others_do_not(void **state)
{
    struct fixture *fixture = *state;
    char other[OKNO_TOKEN_TEXT];
    add_token(fixture, "D2", other);
    static const char *const events[] = {
        "{\"seq\":1,\"time\":\"2026-03-10T10:00:01Z\",\"kind\":\"press\"}",
        "{\"seq\":2,\"time\":\"2026-03-10T10:00:02Z\",\"kind\":\"press\"}",
        "{\"seq\":3,\"time\":\"2026-03-10T10:00:03Z\",\"kind\":\"press\"}"};
    for (size_t i = 0; i < 2; i++) {
        okno_autojson json_t *results = tell(fixture, events[i]);
        assert_string_equal(result_at(results, 0), "added");
    }
    AUTO_ANSWER refused = send_as(fixture, token, events[2]);
    assert_int_equal(refused.status, 429);
    assert_string_equal(answer_code(&refused), "too_many");
    long wait_s = strtol(answer_header(&refused, "Retry-After"), NULL, 10);
    assert_in_range(wait_s, 25, 30);
    assert_int_equal(count(fixture, EVENTS), 2);
    AUTO_ANSWER free = send_as(fixture, other, events[2]);
    assert_int_equal(free.status, 202);
}

static int64_t refresh(struct fixture *fixture)
{
    struct okno_err err = {0};
    struct okno_survey_refreshed counts;
    const struct okno_survey_params params = okno_survey_params_default();
    assert_int_equal(okno_survey_refresh(fixture->db, &params, okno_time_now(), &counts, &err), 0);
    return counts.added;
}

static void an_unpaired_devices_events_wait_and_become_surveys_once_it_is_paired(void **state)
{
    struct fixture *fixture = *state;
    okno_autojson json_t *results =
        tell(fixture,
             "[{\"seq\":1,\"time\":\"2026-03-10T10:00:00Z\",\"kind\":\"press\"},"
             "{\"seq\":2,\"time\":\"2026-03-10T10:00:04Z\",\"kind\":\"no\"}]");
    assert_string_equal(result_at(results, 0), "added");
    assert_int_equal(refresh(fixture), 0);
    fixture_sql(fixture,
                "INSERT INTO imports (import, at, author, kind, source) VALUES (1,1,'t','t','t');"
                "INSERT INTO sites (import, site, name, time_zone) VALUES (1,'S1','s','UTC');"
                "INSERT INTO points (import, point, site, name) VALUES (1,'P1','S1','p');"
                "INSERT INTO devices (import, device, point, valid_from) VALUES (1,'D1','P1',0)");
    assert_int_equal(refresh(fixture), 1);
    assert_int_equal(
        count(fixture, "SELECT count(*) FROM surveys WHERE survey='D1.0.1' AND answer='no'"), 1);
}

static void old_and_unordered_uploads_are_as_good_as_new_ones(void **state)
{
    struct fixture *fixture = *state;
    okno_autojson json_t *late =
        tell(fixture,
             "[{\"seq\":900,\"time\":\"2025-01-10T10:00:00Z\",\"kind\":\"press\"},"
             "{\"seq\":4,\"time\":\"2019-03-10T10:00:04Z\",\"kind\":\"no\",\"channel\":\"qr\"}]");
    assert_string_equal(result_at(late, 0), "added");
    assert_string_equal(result_at(late, 1), "added");
    assert_int_equal(count(fixture, "SELECT count(*) FROM events WHERE channel='qr'"), 1);
}

/* ---- the clock ---- */

static void tell_with_now(struct fixture *fixture, int64_t ahead_us, int seq)
{
    char body[300];
    char now[OKNO_TIME_TEXT];
    int64_t shown_us = okno_time_now() + ahead_us;
    (void)snprintf(body, sizeof(body),
                   "{\"now\":\"%s\",\"events\":[{\"seq\":%d,\"time\":\"%s\",\"kind\":\"alive\"}]}",
                   okno_time_format(shown_us, now), seq, now);
    okno_autojson json_t *results = tell(fixture, body);
    assert_string_equal(result_at(results, 0), "added");
}

static void the_devices_word_about_its_clock_becomes_a_measurement(void **state)
{
    struct fixture *fixture = *state;
    tell_with_now(fixture, -90 * OKNO_SECOND_US, 1);
    assert_int_equal(count(fixture,
                           "SELECT count(*) FROM clocks WHERE target='device:D1' AND "
                           "method='intake' AND step=0 AND uncertainty_us=2000000 AND "
                           "offset_us BETWEEN -91000000 AND -89000000"),
                     1);
    assert_int_equal(count(fixture,
                           "SELECT count(*) FROM imports WHERE kind='clocks' AND source='api' AND "
                           "author='device:D1'"),
                     1);
    assert_int_equal(count(fixture,
                           "SELECT count(*) FROM log_leaves l JOIN imports i ON i.import = "
                           "l.subject WHERE l.kind='import' AND i.author='device:D1'"),
                     1);
    tell_with_now(fixture, -90 * OKNO_SECOND_US, 2); /* nothing new */
    assert_int_equal(count(fixture, "SELECT count(*) FROM clocks"), 1);
}

static void those_who_look_after_devices_see_them_and_others_do_not(void **state)
{
    struct fixture *fixture = *state;
    tell_with_now(fixture, 0, 1);
    tell_with_now(fixture, 3600 * OKNO_SECOND_US, 3);
    fixture_user(fixture, "boss", "manager");
    fixture_user(fixture, "eye", "expert");
    AUTO_ANSWER seen = client_request(fixture_port(fixture), "GET", "/api/v1/devices",
                                      fixture_login(fixture, "boss"), NULL);
    assert_int_equal(seen.status, 200);
    okno_autojson json_t *body = answer_json(&seen);
    struct okno_err err = {0};
    assert_int_equal(http_schema_check("Devices", body, &err), 0);
    const json_t *device = json_array_get(json_object_get(body, "devices"), 0);
    assert_string_equal(json_text(device, "device"), "D1");
    assert_string_equal(json_text(device, "state"), "clock_jump");
    assert_string_equal(json_text(device, "first_missing"), "D1.0.2");
    AUTO_ANSWER unseen = client_request(fixture_port(fixture), "GET", "/api/v1/devices",
                                        fixture_login(fixture, "eye"), NULL);
    assert_int_equal(unseen.status, 403);
}

static void a_clock_that_was_set_makes_a_step(void **state)
{
    struct fixture *fixture = *state;
    tell_with_now(fixture, 0, 1);
    tell_with_now(fixture, 3600 * OKNO_SECOND_US, 2);
    assert_int_equal(count(fixture,
                           "SELECT count(*) FROM clocks WHERE step=1 AND offset_us BETWEEN "
                           "3599000000 AND 3601000000"),
                     1);
}

static void a_clock_that_cannot_be_right_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    tell_with_now(fixture, -20 * 365 * OKNO_DAY_US, 1);
    assert_int_equal(count(fixture, "SELECT count(*) FROM clocks"), 0);
    assert_int_equal(count(fixture, "SELECT suspect FROM clock_reports WHERE device='D1'"), 1);
    assert_int_equal(count(fixture, EVENTS), 1);
}

static void an_event_sent_alone_may_carry_now_and_one_of_a_list_may_not(void **state)
{
    struct fixture *fixture = *state;
    okno_autojson json_t *alone = tell(fixture,
                                       "{\"now\":\"2026-03-10T10:00:09Z\",\"seq\":1,\"time\":"
                                       "\"2026-03-10T10:00:00Z\",\"kind\":\"press\"}");
    assert_string_equal(result_at(alone, 0), "added");
    assert_int_equal(count(fixture, "SELECT count(*) FROM clock_reports"), 1);
    okno_autojson json_t *list = tell(fixture,
                                      "[{\"now\":\"2026-03-10T10:00:09Z\",\"seq\":2,\"time\":"
                                      "\"2026-03-10T10:00:00Z\",\"kind\":\"press\"}]");
    assert_string_equal(code_at(list, 0), "unknown_field");
}

/* ---- many at once ---- */

struct sender {
    pthread_t thread;
    struct fixture *fixture;
    char token[OKNO_TOKEN_TEXT];
    int good;
};

static void *sender_main(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < 10; i++) {
        okno_autofree char *body = many(20, i * 20);
        AUTO_ANSWER answer = send_as(sender->fixture, sender->token, body);
        sender->good += answer.status == 202;
    }
    return NULL;
}

static void many_devices_at_once_are_all_stored(void **state)
{
    struct fixture *fixture = *state;
    static struct sender senders[8];
    for (int i = 0; i < 8; i++) {
        char device[16];
        (void)snprintf(device, sizeof(device), "X%d", i);
        senders[i] = (struct sender){.fixture = fixture};
        add_token(fixture, device, senders[i].token);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&senders[i].thread, NULL, sender_main, &senders[i]), 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
        assert_int_equal(senders[i].good, 10);
    }
    assert_int_equal(count(fixture, EVENTS), 8 * 200);
    assert_int_equal(count(fixture, "SELECT sum(events) FROM device_runs"), 8 * 200);
}

static void the_description_says_what_devices_need_to_know(void **state)
{
    (void)state;
    okno_autojson json_t *doc = http_openapi();
    const json_t *post =
        json_object_get(json_object_get(json_object_get(doc, "paths"), "/api/v1/events"), "post");
    assert_non_null(json_object_get(json_object_get(post, "responses"), "202"));
    assert_non_null(json_object_get(json_array_get(json_object_get(post, "security"), 0), "token"));
    const json_t *schemes = json_object_get(json_object_get(doc, "components"), "securitySchemes");
    assert_string_equal(json_text(json_object_get(schemes, "token"), "scheme"), "bearer");
    assert_string_equal(json_string_value(json_array_get(json_object_get(post, "x-roles"), 0)),
                        "device");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_event_is_stored_and_acknowledged),
        TEST(answers_come_in_order_and_a_bad_item_takes_no_good_one_with_it),
        TEST(repeating_is_safe_and_other_content_is_a_conflict),
        TEST(a_token_speaks_for_its_own_device_only),
        TEST(without_a_token_that_stands_nothing_is_read),
        TEST(people_do_not_send_events_and_devices_read_nothing),
        TEST(a_malformed_envelope_stores_nothing),
        TEST(a_thousand_at_once_are_taken_and_one_more_is_too_large),
        cmocka_unit_test_setup_teardown(a_device_that_asks_too_often_waits_and_others_do_not,
                                        start_slow, stop),
        TEST(an_unpaired_devices_events_wait_and_become_surveys_once_it_is_paired),
        TEST(old_and_unordered_uploads_are_as_good_as_new_ones),
        TEST(the_devices_word_about_its_clock_becomes_a_measurement),
        TEST(those_who_look_after_devices_see_them_and_others_do_not),
        TEST(a_clock_that_was_set_makes_a_step),
        TEST(a_clock_that_cannot_be_right_is_not_believed),
        TEST(an_event_sent_alone_may_carry_now_and_one_of_a_list_may_not),
        TEST(many_devices_at_once_are_all_stored),
        TEST(the_description_says_what_devices_need_to_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

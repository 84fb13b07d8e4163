#define _GNU_SOURCE
/* Appeals over HTTP: staff file, somebody else decides, everybody sees no more than is theirs. */
#include "client.h"

#include "../../src/service/http/http.h"

#include "okno/mem.h"

struct world {
    struct fixture *fixture;
    const char *anna, *boris, *max, *vera, *olga; /* Cookie lines */
};

static const char facts[] =
    "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'test', 'sites', '-');"
    "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's1', 'Mall', 'UTC'),"
    " (1, 's2', 'Hall', 'UTC');"
    "INSERT INTO points (import, point, site, name) VALUES (1, 'p1', 's1', 'Till 1'),"
    " (1, 'p2', 's2', 'Till 2');"
    "INSERT INTO employees (import, employee, name) VALUES (1, 'ann', 'Anna'), (1, 'bob', 'Boris');"
    "INSERT INTO surveys (survey, point, site, question_kind, opened_at, closes_at, state, answer,"
    " answered_at, employee, device_offset_us, device_uncertainty_us) VALUES"
    " ('b.0.1', 'p1', 's1', 'personnel', 1773151400000000, 1773151415000000, 'answered', 'yes',"
    " 1773151405000000, 'ann', 0, 0),"
    " ('b.0.2', 'p2', 's2', 'personnel', 1773151500000000, 1773151515000000, 'answered', 'yes',"
    " 1773151505000000, 'bob', 0, 0);"
    "UPDATE users SET employee = 'ann' WHERE user = 'anna';"
    "UPDATE users SET employee = 'bob' WHERE user = 'boris';"
    "DELETE FROM grants;"
    "INSERT INTO grants (user, scope, granted, at, author) VALUES ('anna', 'site:s1', 1, 0, 'x'),"
    " ('boris', 'site:s2', 1, 0, 'x'), ('max', 'site:s2', 1, 0, 'x');"
    "INSERT INTO review_items (item, audit, survey, place, origin, state) VALUES"
    " (1, 'targeted', 'b.0.1', 1, 'targeted', 'decided'),"
    " (2, 'targeted', 'b.0.2', 1, 'targeted', 'decided');"
    "INSERT INTO verdicts (item, audit, survey, user, at, verdict, reason, reasons_version) SELECT"
    " item, audit, survey, 'vera', CAST(strftime('%s', 'now') AS INTEGER) * 1000000 - 86400000000,"
    " 'invalid', 'STAFF_PRESSED', 1 FROM review_items;";

static int start(void **state)
{
    static const char *const users[][2] = {{"anna", "staff"},
                                           {"boris", "staff"},
                                           {"max", "manager"},
                                           {"vera", "expert"},
                                           {"olga", "expert"}};
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fixture = fixture_new();
    for (size_t i = 0; i < OKNO_COUNT(users); i++)
        fixture_user(world->fixture, users[i][0], users[i][1]);
    fixture_sql(world->fixture, facts);
    fixture_start(world->fixture);
    const char **cookies[] = {&world->anna, &world->boris, &world->max, &world->vera, &world->olga};
    for (size_t i = 0; i < OKNO_COUNT(users); i++)
        *cookies[i] = fixture_login(world->fixture, users[i][0]);
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;
    fixture_free(world->fixture);
    free(world);
    return 0;
}

static json_t *ask(struct world *world, const char *who, const char *method, const char *path,
                   const char *body, int status, const char *schema)
{
    struct okno_err err = {0};
    AUTO_ANSWER answer = client_request(fixture_port(world->fixture), method, path, who, body);
    if (answer.status != status)
        fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
    if (status == 204)
        return NULL;
    json_t *json = answer_json(&answer);
    if (schema && http_schema_check(schema, json, &err) < 0)
        fail_msg("%s", err.text);
    return json;
}

static size_t rows(struct world *world, const char *who, const char *path, const char *key)
{
    okno_autojson json_t *json = ask(world, who, "GET", path, NULL, 200, NULL);
    return json_array_size(json_object_get(json, key));
}

static void an_appeal_goes_from_staff_to_an_expert_and_back(void **state)
{
    struct world *world = *state;
    okno_autojson json_t *rulings =
        ask(world, world->anna, "GET", "/api/v1/appeals/rulings", NULL, 200, "Rulings");
    assert_int_equal(json_array_size(json_object_get(rulings, "rulings")), 1);
    okno_autojson json_t *filed =
        ask(world, world->anna, "POST", "/api/v1/surveys/b.0.1/appeals",
            "{\"asks\": \"valid\", \"comment\": \"A customer pressed\"}", 200, "Appealed");
    assert_int_equal(json_integer_value(json_object_get(filed, "appeal")), 1);
    okno_autojson json_t *seen =
        ask(world, world->olga, "GET", "/api/v1/appeals?state=open", NULL, 200, "Appeals");
    okno_autofree char *text = json_dumps(seen, 0);
    assert_non_null(strstr(text, "A customer pressed"));
    assert_null(strstr(text, "ann"));
    okno_autojson json_t *refused =
        ask(world, world->vera, "POST", "/api/v1/appeals/1/take", "{}", 403, NULL);
    okno_autojson json_t *item =
        ask(world, world->olga, "POST", "/api/v1/appeals/1/take", "{}", 200, "Item");
    char body[300];
    (void)snprintf(body, sizeof(body),
                   "{\"lease\": \"%s\", \"outcome\": \"accept\", \"comment\": \"So it was\"}",
                   json_text(item, "lease"));
    (void)ask(world, world->olga, "POST", "/api/v1/appeals/1/decide", body, 204, NULL);
    okno_autojson json_t *own =
        ask(world, world->anna, "GET", "/api/v1/appeals", NULL, 200, "Appeals");
    const json_t *one = json_array_get(json_object_get(own, "appeals"), 0);
    assert_string_equal(json_text(one, "outcome"), "accept");
    assert_string_equal(json_text(one, "answer"), "So it was");
    assert_string_equal(json_text(json_object_get(one, "became"), "verdict"), "valid");
}

static void nobody_sees_or_touches_what_is_not_theirs(void **state)
{
    struct world *world = *state;
    static const char body[] = "{\"asks\": \"valid\", \"comment\": \"why\"}";
    okno_autojson json_t *filed =
        ask(world, world->anna, "POST", "/api/v1/surveys/b.0.1/appeals", body, 200, NULL);
    okno_autojson json_t *others =
        ask(world, world->boris, "POST", "/api/v1/surveys/b.0.1/appeals", body, 403, NULL);
    okno_autojson json_t *elsewhere =
        ask(world, world->max, "POST", "/api/v1/surveys/b.0.1/appeals", body, 403, NULL);
    okno_autojson json_t *expert =
        ask(world, world->vera, "POST", "/api/v1/surveys/b.0.2/appeals", body, 403, NULL);
    assert_int_equal(rows(world, world->boris, "/api/v1/appeals", "appeals"), 0);
    assert_int_equal(rows(world, world->max, "/api/v1/appeals", "appeals"), 0);
    assert_int_equal(rows(world, world->max, "/api/v1/appeals/rulings", "rulings"), 1);
    okno_autojson json_t *taken =
        ask(world, world->anna, "POST", "/api/v1/appeals/1/take", "{}", 403, NULL);
    okno_autojson json_t *back =
        ask(world, world->boris, "POST", "/api/v1/appeals/1/withdraw", "{}", 403, NULL);
    (void)ask(world, world->anna, "POST", "/api/v1/appeals/1/withdraw", "{}", 204, NULL);
    okno_autojson json_t *none =
        ask(world, world->olga, "POST", "/api/v1/appeals/1/take", "{}", 409, NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_appeal_goes_from_staff_to_an_expert_and_back),
        CASE(nobody_sees_or_touches_what_is_not_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The queue, audits and figures over HTTP: shapes as published, refusals with their field. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"

struct world {
    struct fixture *fixture;
    const char *vera, *olga, *boss; /* Cookie lines */
};

static const char facts[] =
    "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'test', 'sites', '-');"
    "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's1', 'Old name', 'UTC'),"
    "(1, 's1', 'Mall', 'Europe/Moscow');"
    "INSERT INTO points (import, point, site, name) VALUES (1, 'p1', 's1', 'Till 1'),"
    "(1, 'p2', 's1', 'Till 2');"
    "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at, created_by)"
    " VALUES ('march', 'March', 'drawn', 1772323200000000, 1775001600000000, '{}', 0, 'root');"
    "INSERT INTO surveys (survey, point, site, question_kind, opened_at, closes_at, state, answer,"
    " answered_at, device_offset_us, device_uncertainty_us) VALUES"
    " ('b.0.1', 'p1', 's1', 'personnel', 1773151400000000, 1773151415000000, 'answered', 'no',"
    " 1773151405000000, 0, 0),"
    " ('b.0.2', 'p1', 's1', 'personnel', 1773151500000000, 1773151515000000, 'silent', NULL,"
    " NULL, 0, 0);"
    "INSERT INTO review_items (audit, survey, place, origin, state) VALUES"
    " ('march', 'b.0.1', 1, 'random', 'open'), ('march', 'b.0.2', 2, 'random', 'open');";

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fixture = fixture_new();
    fixture_user(world->fixture, "vera", "expert");
    fixture_user(world->fixture, "olga", "expert");
    fixture_user(world->fixture, "boss", "manager");
    fixture_sql(world->fixture, facts);
    fixture_start(world->fixture);
    world->vera = fixture_login(world->fixture, "vera");
    world->olga = fixture_login(world->fixture, "olga");
    world->boss = fixture_login(world->fixture, "boss");
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

static struct answer post(struct world *world, const char *who, const char *path, const char *body)
{
    return client_request(fixture_port(world->fixture), "POST", path, who, body);
}

static struct answer get(struct world *world, const char *who, const char *path)
{
    return client_request(fixture_port(world->fixture), "GET", path, who, NULL);
}

static void fits(const struct answer *answer, const char *schema)
{
    struct okno_err err = {0};
    okno_autojson json_t *json = answer_json(answer);
    int rc = http_schema_check(schema, json, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
}

/* Lease the next item; its number and lease. */
static void next(struct world *world, const char *who, json_int_t *ret_item, char lease[64])
{
    AUTO_ANSWER answer = post(world, who, "/api/v1/queue/next", "{}");
    assert_int_equal(answer.status, 200);
    okno_autojson json_t *item = answer_json(&answer);
    *ret_item = json_integer_value(json_object_get(item, "item"));
    (void)snprintf(lease, 64, "%s", json_text(item, "lease"));
}

static struct answer act(struct world *world, const char *who, json_int_t item, const char *verb,
                         const char *lease, const char *more)
{
    char path[100];
    char body[500];
    (void)snprintf(path, sizeof(path), "/api/v1/queue/%lld/%s", item, verb);
    (void)snprintf(body, sizeof(body), "{\"lease\":\"%s\"%s}", lease, more);
    return post(world, who, path, body);
}

static void an_item_is_blind_and_has_the_published_shape(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER answer = post(world, world->vera, "/api/v1/queue/next", "{\"audit\":\"march\"}");
    assert_int_equal(answer.status, 200);
    fits(&answer, "Item");
    assert_null(strstr(answer.body, "\"answer\""));
    assert_null(strstr(answer.body, "employee"));
    assert_non_null(strstr(answer.body, "\"Mall\""));
    AUTO_ANSWER again = post(world, world->vera, "/api/v1/queue/next", "{}");
    okno_autojson json_t *first = answer_json(&answer);
    okno_autojson json_t *second = answer_json(&again);
    assert_true(json_equal(json_object_get(first, "item"), json_object_get(second, "item")));
}

/* What must reach no expert: who served, and which button it was. */
static void is_blind(const char *text, const char *where)
{
    static const char *const secrets[] = {"emp-secret",      "Nina",   "Sharp",
                                          "\"employee\":\"", "\"no\"", "uncalled"};
    for (size_t i = 0; i < OKNO_COUNT(secrets); i++)
        if (strstr(text, secrets[i]))
            fail_msg("%s shows \"%s\": %.500s", where, secrets[i], text);
}

/* The path with something that exists for each of its names. */
static void fill_path(const char *path, char ret_path[300])
{
    static const char *const names[][2] = {
        {"{audit}", "march"},
        {"{survey}", "b.0.1"},
        {"{rating}", "b.0.1"},
        {"{file}", "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789.jpg"}};
    size_t used = 0;
    while (*path && used < 200) {
        const char *value = *path == '{' ? "1" : NULL;
        for (size_t i = 0; i < OKNO_COUNT(names); i++)
            if (strncmp(path, names[i][0], strlen(names[i][0])) == 0)
                value = names[i][1];
        if (!value) {
            ret_path[used++] = *path++;
            continue;
        }
        used += (size_t)snprintf(ret_path + used, 300 - used, "%s", value);
        path += strcspn(path, "}") + 1;
    }
    ret_path[used] = '\0';
}

static void nothing_that_an_expert_may_ask_tells_who_served_or_what_was_answered(void **state)
{
    struct world *world = *state;
    size_t asked = 0;
    fixture_sql(
        world->fixture,
        "INSERT INTO employees (import, employee, name) VALUES (1, 'emp-secret', 'Nina "
        "Sharp');"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES (1, "
        "'emp-secret', 'p1', 1773100000000000, 1773200000000000);"
        "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us)"
        " VALUES (1, 'q1', 'p1', 0, 'personnel', 'Pleased with {employee}?', 15000000);"
        "UPDATE surveys SET employee = 'emp-secret', question = 'q1';"
        "INSERT INTO comments (rating, at, user, text, tags_version) VALUES ('b.0.1', 1, "
        "'boss', 'Nina was uncalled for', 1);"
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, "
        "asked_from, asked_to, got_from, got_to, frame_at, index_offset_us, uncertainty_us, "
        "source, requests, bytes_read, software, made_at) VALUES ('b.0.1', 'still', "
        "'abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789', 9, "
        "'image/jpeg', 'mjpeg', 'C1', 0, 0, 0, 0, 0, 0, 0, '[]', 0, 0, 'test', 0)");
    AUTO_ANSWER item = post(world, world->vera, "/api/v1/queue/next", "{}");
    assert_int_equal(item.status, 200);
    assert_non_null(strstr(item.body, "Pleased with …?"));
    is_blind(item.body, "the item");
    is_blind(item.head, "the item's header");
    for (const struct http_route *route = http_routes; route->method; route++) {
        char path[300];
        if (strcmp(route->method, "GET") != 0 || strcmp(route->path, "/openapi.json") == 0)
            continue;
        fill_path(route->path, path);
        AUTO_ANSWER answer = get(world, world->vera, path);
        if (route->roles && !(route->roles & HTTP_EXPERT) && answer.status != 403 &&
            answer.status != 401)
            fail_msg("%s answers an expert with %d", path, answer.status);
        is_blind(answer.body, path);
        is_blind(answer.head, path);
        asked++;
    }
    assert_true(asked > 20);
}

static void two_experts_get_two_items_and_then_the_queue_is_empty(void **state)
{
    struct world *world = *state;
    json_int_t first = 0;
    json_int_t second = 0;
    char lease[64];
    next(world, world->vera, &first, lease);
    next(world, world->olga, &second, lease);
    assert_int_not_equal(first, second);
    AUTO_ANSWER unknown = post(world, world->vera, "/api/v1/queue/next", "{\"audit\":\"april\"}");
    assert_int_equal(unknown.status, 404);
    assert_string_equal(answer_code(&unknown), "not_found");
    fixture_sql(world->fixture,
                "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
                " created_by) VALUES ('april', 'April', 'drawn', 0, 1, '{}', 0, 'root')");
    AUTO_ANSWER other = post(world, world->vera, "/api/v1/queue/next", "{\"audit\":\"april\"}");
    assert_int_equal(other.status, 404);
    assert_string_equal(answer_code(&other), "queue_empty");
}

static void a_heartbeat_keeps_the_lease_and_a_wrong_one_is_409(void **state)
{
    struct world *world = *state;
    json_int_t item = 0;
    char lease[64];
    next(world, world->vera, &item, lease);
    AUTO_ANSWER good = act(world, world->vera, item, "heartbeat", lease, "");
    assert_int_equal(good.status, 200);
    fits(&good, "LeaseUntil");
    AUTO_ANSWER wrong = act(world, world->vera, item, "heartbeat", "00", "");
    assert_int_equal(wrong.status, 409);
    assert_string_equal(answer_code(&wrong), "lease_lost");
    AUTO_ANSWER thief = act(world, world->olga, item, "heartbeat", lease, "");
    assert_int_equal(thief.status, 409);
}

static void a_verdict_is_stored_counted_and_taken_back(void **state)
{
    struct world *world = *state;
    json_int_t item = 0;
    char lease[64];
    next(world, world->vera, &item, lease);
    AUTO_ANSWER answer =
        act(world, world->vera, item, "submit", lease,
            ",\"verdict\":\"invalid\",\"reason\":\"STAFF_PRESSED\",\"comment\":\"\","
            "\"correction\":null,\"checklist\":{\"customer_present\":true},\"watched\":[],"
            "\"played_s\":12.3,\"active_s\":15,\"wall_s\":20,\"blinding_broken\":false");
    assert_int_equal(answer.status, 200);
    fits(&answer, "Submitted");
    assert_non_null(strstr(answer.body, "\"counted\":true"));
    assert_non_null(strstr(answer.body, "\"reviewed\":1"));
    AUTO_ANSWER undo = post(world, world->vera, "/api/v1/queue/undo", "{}");
    assert_int_equal(undo.status, 200);
    fits(&undo, "Undone");
    assert_non_null(strstr(undo.body, "\"b.0.1\""));
    AUTO_ANSWER nothing = post(world, world->olga, "/api/v1/queue/undo", "{}");
    assert_int_equal(nothing.status, 404);
}

static void a_bad_verdict_names_its_field_and_stores_nothing(void **state)
{
    struct world *world = *state;
    json_int_t item = 0;
    char lease[64];
    static const struct {
        const char *more, *code, *field;
    } bad[] = {
        {"", "missing", "verdict"},
        {",\"verdict\":\"maybe\"", "invalid", "verdict"},
        {",\"verdict\":\"invalid\"", "missing", "reason"},
        {",\"verdict\":\"invalid\",\"reason\":\"TOO_DARK\"", "invalid", "reason"},
        {",\"verdict\":\"invalid\",\"reason\":\"OTHER\"", "missing", "comment"},
        {",\"verdict\":\"valid\",\"correction\":\"X\"", "invalid", "correction"},
        {",\"verdict\":\"valid\",\"played_s\":-1", "invalid", "played_s"},
        {",\"verdict\":\"valid\",\"played_s\":\"1\"", "invalid", "played_s"},
        {",\"verdict\":\"valid\",\"checklist\":{\"a\":1}", "invalid", "checklist.a"},
        {",\"verdict\":\"valid\",\"watched\":[\"a\",2]", "invalid", "watched[1]"},
        {",\"verdict\":\"valid\",\"answer\":\"yes\"", "unknown_field", "answer"},
    };
    next(world, world->vera, &item, lease);
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        char field[80];
        AUTO_ANSWER answer = act(world, world->vera, item, "submit", lease, bad[i].more);
        assert_int_equal(answer.status, 400);
        assert_string_equal(answer_code(&answer), bad[i].code);
        (void)snprintf(field, sizeof(field), "\"field\":\"%s\"", bad[i].field);
        assert_non_null(strstr(answer.body, field));
    }
    AUTO_ANSWER good = act(world, world->vera, item, "submit", lease, ",\"verdict\":\"valid\"");
    assert_non_null(strstr(good.body, "\"reviewed\":1"));
}

static void skipping_needs_a_reason_and_gives_the_item_back(void **state)
{
    struct world *world = *state;
    json_int_t item = 0;
    json_int_t other = 0;
    char lease[64];
    next(world, world->vera, &item, lease);
    AUTO_ANSWER missing = act(world, world->vera, item, "skip", lease, "");
    assert_int_equal(missing.status, 400);
    AUTO_ANSWER skip = act(world, world->vera, item, "skip", lease, ",\"reason\":\"I know them\"");
    assert_int_equal(skip.status, 204);
    next(world, world->vera, &other, lease);
    assert_int_not_equal(item, other);
    next(world, world->olga, &other, lease);
    assert_int_equal(item, other);
}

static void an_item_that_is_no_number_is_not_found(void **state)
{
    struct world *world = *state;
    static const char *const bad[] = {"/api/v1/queue/x/skip", "/api/v1/queue/1e3/skip",
                                      "/api/v1/queue/99999999999999999999/skip",
                                      "/api/v1/queue/-1/skip", "/api/v1/queue//skip"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        AUTO_ANSWER answer =
            post(world, world->vera, bad[i], "{\"lease\":\"a\",\"reason\":\"because\"}");
        assert_int_equal(answer.status, 404);
    }
}

static void sites_and_status_say_what_stands_now(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER sites = get(world, world->boss, "/api/v1/sites");
    fits(&sites, "Sites");
    assert_string_equal(sites.body,
                        "{\"sites\":[{\"site\":\"s1\",\"name\":\"Mall\",\"time_zone\":"
                        "\"Europe/Moscow\",\"points\":[{\"point\":\"p1\",\"name\":\"Till 1\"},"
                        "{\"point\":\"p2\",\"name\":\"Till 2\"}]}]}");
    fixture_sql(world->fixture,
                "INSERT INTO archives (import, archive, kind, url) VALUES (1, 'a1', 'dir', 'x'),"
                "(1, 'a2', 'dir', 'y');"
                "INSERT INTO archive_turns (archive, failures, down_since, code, message) VALUES"
                " ('a2', 2, 1773151400000000, 'transient', 'no answer');"
                "INSERT INTO jobs (kind, survey, class, archive, state, attempts, next_try_at, "
                "code, message, made_at) VALUES ('link', 'b.0.1', 3, 'a2', 'waiting', 2, "
                "1773151500000000, 'transient', 'no answer', 0)");
    AUTO_ANSWER status = get(world, world->boss, "/api/v1/status");
    fits(&status, "Status");
    assert_non_null(strstr(status.body, "\"waiting\":1"));
    assert_non_null(strstr(status.body, "{\"archive\":\"a1\",\"state\":\"unasked\""));
    assert_non_null(strstr(status.body,
                           "{\"archive\":\"a2\",\"state\":\"transient\",\"message\":"
                           "\"no answer\",\"failures\":2,\"down_since\":\"2026-03-10T"));
    assert_non_null(strstr(status.body, "\"next_try_at\":\"20"));
}

static void experts_see_audits_without_their_results(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER expert = get(world, world->vera, "/api/v1/audits");
    AUTO_ANSWER manager = get(world, world->boss, "/api/v1/audits");
    fits(&expert, "Audits");
    fits(&manager, "Audits");
    assert_null(strstr(expert.body, "\"invalid\""));
    assert_non_null(strstr(manager.body, "\"invalid\":0"));
    AUTO_ANSWER one = get(world, world->vera, "/api/v1/audits/march");
    assert_int_equal(one.status, 200);
    fits(&one, "Audit");
    assert_null(strstr(one.body, "\"invalid\""));
    AUTO_ANSWER none = get(world, world->boss, "/api/v1/audits/april");
    assert_int_equal(none.status, 404);
}

static void indicators_need_a_period_and_refuse_what_they_do_not_know(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *query;
        int status;
        const char *field;
    } cases[] = {
        {"", 400, "from"},
        {"?from=2026-03-01T00:00:00Z", 400, "to"},
        {"?from=2026-03-01&to=2026-04-01T00:00:00Z", 400, "from"},
        {"?from=2026-04-01T00:00:00Z&to=2026-03-01T00:00:00Z", 400, "to"},
        {"?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&k=2", 400, "k"},
        {"?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&k=0x1", 400, "k"},
        {"?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&by=colour", 400, "by"},
        {"?from=2026-03-01T00:00:00Z&from=2026-03-01T00:00:00Z", 400, "from"},
        {"?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&day=1", 400, "day"},
        {"?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z", 200, NULL},
        {"?from=2026-03-01T03:00:00%2B03:00&to=2026-04-01T00:00:00Z&by=site,point&k=0.25", 200,
         NULL},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        char path[300];
        char field[80];
        (void)snprintf(path, sizeof(path), "/api/v1/indicators%s", cases[i].query);
        AUTO_ANSWER answer = get(world, world->boss, path);
        assert_int_equal(answer.status, cases[i].status);
        if (!cases[i].field) {
            fits(&answer, "Indicators");
            continue;
        }
        (void)snprintf(field, sizeof(field), "\"field\":\"%s\"", cases[i].field);
        assert_non_null(strstr(answer.body, field));
    }
}

static void surveys_come_in_pages_with_their_photos(void **state)
{
    struct world *world = *state;
    static const char period[] = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z";
    char path[400];
    fixture_sql(
        world->fixture,
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, "
        "asked_from, asked_to, got_from, got_to, frame_at, index_offset_us, "
        "uncertainty_us, source, requests, bytes_read, software, made_at) VALUES ('b.0.1', "
        "'still', 'abc', 1, 'image/jpeg', 'mjpeg', 'c', 0, 1, 0, 1, 1773151404960000, 0, 0, "
        "'[]', 1, 1, 'test', 0)");
    (void)snprintf(path, sizeof(path), "/api/v1/surveys?%s&limit=1", period);
    AUTO_ANSWER first = get(world, world->boss, path);
    assert_int_equal(first.status, 200);
    fits(&first, "Surveys");
    okno_autojson json_t *one = answer_json(&first);
    const json_t *row = json_array_get(json_object_get(one, "surveys"), 0);
    assert_int_equal(json_array_size(json_object_get(one, "surveys")), 1);
    assert_string_equal(json_text(row, "id"), "b.0.1");
    assert_string_equal(json_text(json_object_get(row, "still"), "url"),
                        "/api/v1/evidence/abc.jpg");
    assert_string_equal(json_text(json_object_get(row, "still"), "frame_at"),
                        "2026-03-10T14:03:24.960Z");
    (void)snprintf(path, sizeof(path), "/api/v1/surveys?%s&limit=1&cursor=%s", period,
                   json_text(one, "next"));
    AUTO_ANSWER second = get(world, world->boss, path);
    okno_autojson json_t *two = answer_json(&second);
    row = json_array_get(json_object_get(two, "surveys"), 0);
    assert_string_equal(json_text(row, "id"), "b.0.2");
    assert_true(json_is_null(json_object_get(row, "still")));
    assert_true(json_is_null(json_object_get(two, "next")));
    (void)snprintf(path, sizeof(path), "/api/v1/surveys?%s&answer=no", period);
    AUTO_ANSWER answered = get(world, world->boss, path);
    assert_non_null(strstr(answered.body, "b.0.1"));
    assert_null(strstr(answered.body, "b.0.2"));
}

static void changes_of_surveys_come_in_pages(void **state)
{
    struct world *world = *state;
    fixture_sql(world->fixture,
                "INSERT INTO survey_history (survey, at, was, became) VALUES"
                " ('b.0.1', 1773151404960000, '{\"site\":\"s\",\"state\":\"silent\"}',"
                "  '{\"site\":\"s\",\"state\":\"answered\"}'),"
                " ('b.0.2', 1773151404960000, '{\"site\":\"s\"}', NULL)");
    AUTO_ANSWER first =
        get(world, world->boss, "/api/v1/changes?limit=1&since=2026-03-10T00:00:00Z");
    assert_int_equal(first.status, 200);
    fits(&first, "Changes");
    okno_autojson json_t *one = answer_json(&first);
    const json_t *change = json_array_get(json_object_get(one, "changes"), 0);
    assert_string_equal(json_text(change, "what"), "changed");
    json_t *pair = json_object_get(json_object_get(change, "changes"), "state");
    assert_string_equal(json_string_value(json_array_get(pair, 1)), "answered");
    assert_int_equal(json_object_size(json_object_get(change, "changes")), 1);
    char path[200];
    (void)snprintf(path, sizeof(path), "/api/v1/changes?cursor=%s", json_text(one, "next"));
    AUTO_ANSWER second = get(world, world->boss, path);
    okno_autojson json_t *two = answer_json(&second);
    change = json_array_get(json_object_get(two, "changes"), 0);
    assert_string_equal(json_text(change, "survey"), "b.0.2");
    assert_string_equal(json_text(change, "what"), "removed");
    assert_true(json_is_null(json_object_get(two, "next")));
    AUTO_ANSWER none = get(world, world->boss, "/api/v1/changes?since=2999-01-01T00:00:00Z");
    assert_non_null(strstr(none.body, "\"changes\":[]"));
    AUTO_ANSWER bad = get(world, world->boss, "/api/v1/changes?cursor=x");
    assert_int_equal(bad.status, 400);
}

static void a_filter_that_cannot_be_is_named(void **state)
{
    struct world *world = *state;
    static const char *const bad[][2] = {{"limit=0", "limit"},       {"limit=1001", "limit"},
                                         {"limit=1x", "limit"},      {"answer=maybe", "answer"},
                                         {"validity=x", "validity"}, {"cursor=x", "cursor"},
                                         {"video=x", "video"},       {"nonsense=1", "nonsense"}};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        char path[300];
        char field[80];
        (void)snprintf(path, sizeof(path),
                       "/api/v1/surveys?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&%s",
                       bad[i][0]);
        AUTO_ANSWER answer = get(world, world->boss, path);
        assert_int_equal(answer.status, 400);
        (void)snprintf(field, sizeof(field), "\"field\":\"%s\"", bad[i][1]);
        assert_non_null(strstr(answer.body, field));
    }
}

static void a_dossier_tells_everything_about_one_survey(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER answer = get(world, world->boss, "/api/v1/surveys/b.0.1");
    assert_int_equal(answer.status, 200);
    fits(&answer, "Dossier");
    AUTO_ANSWER none = get(world, world->boss, "/api/v1/surveys/b.0.9");
    assert_int_equal(none.status, 404);
    AUTO_ANSWER blind = get(world, world->vera, "/api/v1/surveys/b.0.1");
    assert_int_equal(blind.status, 403);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(an_item_is_blind_and_has_the_published_shape),
        TEST(nothing_that_an_expert_may_ask_tells_who_served_or_what_was_answered),
        TEST(two_experts_get_two_items_and_then_the_queue_is_empty),
        TEST(a_heartbeat_keeps_the_lease_and_a_wrong_one_is_409),
        TEST(a_verdict_is_stored_counted_and_taken_back),
        TEST(a_bad_verdict_names_its_field_and_stores_nothing),
        TEST(skipping_needs_a_reason_and_gives_the_item_back),
        TEST(an_item_that_is_no_number_is_not_found),
        TEST(sites_and_status_say_what_stands_now),
        TEST(experts_see_audits_without_their_results),
        TEST(indicators_need_a_period_and_refuse_what_they_do_not_know),
        TEST(surveys_come_in_pages_with_their_photos),
        TEST(changes_of_surveys_come_in_pages),
        TEST(a_filter_that_cannot_be_is_named),
        TEST(a_dossier_tells_everything_about_one_survey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

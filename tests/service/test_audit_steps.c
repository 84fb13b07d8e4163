/* The steps of an audit over HTTP, from the plan to a further round. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"

struct world {
    struct fixture *fixture;
    const char *eva, *vera; /* Cookie lines */
};

static const char facts[] =
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 29)"
    "INSERT INTO surveys (survey, point, site, question_kind, opened_at, closes_at,"
    " state, answer, device_offset_us, device_uncertainty_us)"
    "SELECT printf('d.0.%03d', i), 'p', 's', 'office', 1773126000000000 + i,"
    " 1773126015000000 + i, 'answered', 'yes', 0, 0 FROM n";

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fixture = fixture_new();
    fixture_user(world->fixture, "eva", "auditor");
    fixture_user(world->fixture, "vera", "expert");
    fixture_sql(world->fixture, facts);
    fixture_start(world->fixture);
    world->eva = fixture_login(world->fixture, "eva");
    world->vera = fixture_login(world->fixture, "vera");
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

static struct answer ask(struct world *world, const char *method, const char *path, const char *who,
                         const char *body)
{
    return client_request(fixture_port(world->fixture), method, path, who, body);
}

static json_t *done(struct world *world, const char *path, const char *body, const char *state)
{
    struct answer answer = ask(world, "POST", path, world->eva, body);
    if (answer.status != 200)
        fail_msg("%s: %d %s", path, answer.status, answer.body);
    json_t *json = answer_json(&answer);
    assert_string_equal(json_text(json, "state"), state);
    answer_free(&answer);
    return json;
}

#define PLAN                                                                                       \
    "{\"audit\":\"march\",\"from\":\"2026-03-10T07:00:00Z\",\"to\":\"2026-03-10T08:00:00Z\","      \
    "\"size\":5,\"looks\":2,\"strata\":\"answer\"}"

static void an_audit_goes_from_plan_to_a_further_round(void **state)
{
    struct world *world = *state;
    json_decref(done(world, "/api/v1/audits", PLAN, "planned"));
    json_decref(done(world, "/api/v1/audits/march/freeze", "{}", "frozen"));
    json_decref(done(world, "/api/v1/audits/march/checkpoint", "{}", "checkpointed"));
    struct answer note = ask(world, "GET", "/api/v1/audits/march/checkpoint", world->eva, NULL);
    assert_int_equal(note.status, 200);
    assert_non_null(strstr(note.body, "okno.log/"));
    answer_free(&note);
    json_decref(done(world, "/api/v1/audits/march/seed",
                     "{\"seed\":\"18364520937745610298\",\"witnesses\":\"ann\"}", "seeded"));
    json_decref(done(world, "/api/v1/audits/march/draw", "{}", "drawn"));
    okno_autojson json_t *extended =
        done(world, "/api/v1/audits/march/extend", "{\"size\":3}", "drawn");
    assert_int_equal(json_integer_value(json_object_get(extended, "sample")), 8);
    struct answer sample = ask(world, "GET", "/api/v1/audits/march/sample", world->eva, NULL);
    okno_autojson json_t *list = answer_json(&sample);
    assert_int_equal(json_array_size(json_object_get(list, "sample")), 8);
    answer_free(&sample);
    struct answer frame = ask(world, "GET", "/api/v1/audits/march/frame", world->eva, NULL);
    assert_int_equal(frame.status, 200);
    assert_non_null(strstr(frame.body, "\"survey\":\"d.0.029\""));
    answer_free(&frame);
    struct answer more =
        ask(world, "POST", "/api/v1/audits/march/extend", world->eva, "{\"size\":3}");
    assert_int_equal(more.status, 409);
    assert_string_equal(answer_code(&more), "out_of_order");
    answer_free(&more);
}

/* One decision before the audit closes is somebody's: who that is can be asked. */
static void what_waits_is_told_by_name(void **state)
{
    struct world *world = *state;
    struct okno_err err = {0};
    json_decref(done(world, "/api/v1/audits", PLAN, "planned"));
    json_decref(done(world, "/api/v1/audits/march/freeze", "{}", "frozen"));
    json_decref(done(world, "/api/v1/audits/march/checkpoint", "{}", "checkpointed"));
    json_decref(
        done(world, "/api/v1/audits/march/seed", "{\"seed\":\"18364520937745610298\"}", "seeded"));
    json_decref(done(world, "/api/v1/audits/march/draw", "{}", "drawn"));
    AUTO_ANSWER next = ask(world, "POST", "/api/v1/queue/next", world->vera, "{}");
    okno_autojson json_t *item = answer_json(&next);
    const char *leased = json_text(json_object_get(item, "survey"), "id");
    assert_non_null(leased);
    AUTO_ANSWER answer = ask(world, "GET", "/api/v1/audits/march/waiting", world->eva, NULL);
    okno_autojson json_t *waiting = answer_json(&answer);
    if (http_schema_check("AuditWaiting", waiting, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(json_integer_value(json_object_get(waiting, "count")), 5);
    const json_t *list = json_object_get(waiting, "waiting");
    assert_int_equal(json_array_size(list), 5);
    int held = 0;
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        bool hers = strcmp(json_text(one, "survey"), leased) == 0;
        const char *holder = json_text(one, "holder");
        assert_int_equal(hers, holder && strcmp(holder, "Name of vera") == 0);
        assert_string_equal(json_text(one, "what"), "first");
        held += hers;
    }
    assert_int_equal(held, 1);
    AUTO_ANSWER blind = ask(world, "GET", "/api/v1/audits/march/waiting", world->vera, NULL);
    assert_int_equal(blind.status, 403);
}

#define SIZE "/api/v1/sample-size?from=2026-03-10T07:00:00Z&to=2026-03-10T08:00:00Z"

/* The same figures as `okno audit size --frame 30`. */
static void sizes_are_told_before_a_plan(void **state)
{
    struct world *world = *state;
    struct okno_err err = {0};
    static const struct {
        const char *path, *field;
        int status;
    } bad[] = {{SIZE, "width", 400},
               {SIZE "&width=2", "width", 400},
               {SIZE "&width=x", "width", 400},
               {"/api/v1/sample-size?from=2026-03-10T07:00:00Z", "to", 400},
               {"/api/v1/sample-size?from=2020-03-10T07:00:00Z&to=2020-03-11T07:00:00Z&width=0.1",
                "from", 404}};
    AUTO_ANSWER answer =
        ask(world, "GET", SIZE "&width=0.1&share=0.05&rate=0.1&tolerable=0.2", world->eva, NULL);
    okno_autojson json_t *sizes = answer_json(&answer);
    if (http_schema_check("SampleSize", sizes, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(json_integer_value(json_object_get(sizes, "frame")), 30);
    assert_int_equal(json_integer_value(json_object_get(sizes, "width")), 12);
    assert_int_equal(json_integer_value(json_object_get(sizes, "rate")), 19);
    assert_int_equal(json_integer_value(json_object_get(sizes, "tolerable")), 14);
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        AUTO_ANSWER refused = ask(world, "GET", bad[i].path, world->eva, NULL);
        if (refused.status != bad[i].status)
            fail_msg("%s: %d %s", bad[i].path, refused.status, refused.body);
        okno_autojson json_t *json = answer_json(&refused);
        assert_string_equal(json_text(json_object_get(json, "error"), "field"), bad[i].field);
    }
}

static void auditors_see_how_experts_decide(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER answer = ask(world, "GET", "/api/v1/reviewers", world->eva, NULL);
    assert_int_equal(answer.status, 200);
    AUTO_ANSWER rounds = ask(world, "GET", "/api/v1/calibrations", world->eva, NULL);
    assert_int_equal(rounds.status, 200);
    AUTO_ANSWER gold = ask(world, "GET", "/api/v1/gold", world->eva, NULL);
    assert_int_equal(gold.status, 403);
}

static void steps_are_the_auditors_alone(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = {"/api/v1/audits", "/api/v1/audits/march/draw"};
    for (size_t i = 0; i < OKNO_COUNT(paths); i++) {
        struct answer answer = ask(world, "POST", paths[i], world->vera, i ? "{}" : PLAN);
        assert_int_equal(answer.status, 403);
        answer_free(&answer);
    }
    struct answer frame = ask(world, "GET", "/api/v1/audits/march/frame", world->vera, NULL);
    assert_int_equal(frame.status, 403); /* it tells answers */
    answer_free(&frame);
}

static void nobody_gives_the_secrets_of_two_people(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *who;
        int status;
    } cases[] = {{"ann", 403}, {"eva", 200}};
    struct answer answer = ask(world, "POST", "/api/v1/programmes", world->eva,
                               "{\"programme\":\"daily\",\"from\":\"2026-03-10\","
                               "\"zone\":\"UTC\",\"size\":5,\"people\":\"vera,eva,ann\"}");
    if (answer.status != 200)
        fail_msg("%d %s", answer.status, answer.body);
    assert_non_null(strstr(answer.body, "\"by_command\":[\"vera\",\"ann\"]"));
    answer_free(&answer);
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        char body[200];
        (void)snprintf(body, sizeof(body),
                       "{\"day\":\"2026-03-10\",\"who\":\"%s\",\"hash\":\"%064d\"}", cases[i].who,
                       7);
        answer = ask(world, "POST", "/api/v1/programmes/daily/secrets", world->eva, body);
        if (answer.status != cases[i].status)
            fail_msg("%s: %d %s", cases[i].who, answer.status, answer.body);
        answer_free(&answer);
    }
}

static void an_audit_that_leads_nowhere_is_abandoned_with_a_reason(void **state)
{
    struct world *world = *state;
    json_decref(done(world, "/api/v1/audits", PLAN, "planned"));
    struct answer answer =
        ask(world, "POST", "/api/v1/audits/march/abandon", world->eva, "{\"reason\":\"\"}");
    assert_int_equal(answer.status, 400);
    answer_free(&answer);
    json_decref(
        done(world, "/api/v1/audits/march/abandon", "{\"reason\":\"wrong month\"}", "abandoned"));
}

static void refused_as(struct world *world, const char *who, const char *words)
{
    struct answer answer = ask(world, "POST", "/api/v1/audits", who, PLAN);
    assert_int_equal(answer.status, 403);
    if (!strstr(answer.body, words))
        fail_msg("%s", answer.body);
    answer_free(&answer);
}

/* Who runs what is audited takes no step, by whatever login. */
static void an_administrator_audits_nothing_under_a_second_login_either(void **state)
{
    struct world *world = *state;
    fixture_user(world->fixture, "root", "administrator");
    refused_as(world, fixture_login(world->fixture, "root"), "only to: auditor");
    fixture_sql(world->fixture,
                "INSERT INTO imports (import, at, author, kind, source) VALUES"
                " (1, 0, 'root', 'employees', '-');"
                "INSERT INTO employees (import, employee, name) VALUES (1, 'e7', 'Eva');"
                "UPDATE users SET employee = 'e7' WHERE user IN ('eva', 'root')");
    refused_as(world, world->eva, "eva is an administrator, too");
    json_decref(done(world, "/api/v1/audits",
                     "{\"audit\":\"alone\",\"from\":\"2026-03-10T07:00:00Z\","
                     "\"to\":\"2026-03-10T08:00:00Z\",\"size\":5,"
                     "\"accept_one_person\":\"the owner is alone\"}",
                     "planned"));
    json_decref(done(world, "/api/v1/audits/alone/freeze", "{}", "frozen"));
    fixture_sql(world->fixture, "UPDATE users SET disabled = 1 WHERE user = 'root'");
    json_decref(done(world, "/api/v1/audits", PLAN, "planned"));
}

static void a_plan_out_of_bounds_names_its_field(void **state)
{
    struct world *world = *state;
    struct answer answer = ask(world, "POST", "/api/v1/audits", world->eva,
                               "{\"audit\":\"a\",\"from\":\"2026-03-10T07:00:00Z\","
                               "\"to\":\"2026-03-10T08:00:00Z\",\"size\":5,\"strata\":\"shop\"}");
    assert_int_equal(answer.status, 400);
    okno_autojson json_t *json = answer_json(&answer);
    assert_string_equal(json_text(json_object_get(json, "error"), "field"), "strata");
    answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_audit_goes_from_plan_to_a_further_round, start, stop),
        cmocka_unit_test_setup_teardown(what_waits_is_told_by_name, start, stop),
        cmocka_unit_test_setup_teardown(sizes_are_told_before_a_plan, start, stop),
        cmocka_unit_test_setup_teardown(auditors_see_how_experts_decide, start, stop),
        cmocka_unit_test_setup_teardown(nobody_gives_the_secrets_of_two_people, start, stop),
        cmocka_unit_test_setup_teardown(steps_are_the_auditors_alone, start, stop),
        cmocka_unit_test_setup_teardown(an_audit_that_leads_nowhere_is_abandoned_with_a_reason,
                                        start, stop),
        cmocka_unit_test_setup_teardown(an_administrator_audits_nothing_under_a_second_login_either,
                                        start, stop),
        cmocka_unit_test_setup_teardown(a_plan_out_of_bounds_names_its_field, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

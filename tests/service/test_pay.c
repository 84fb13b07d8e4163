/* Decisions that change figures, and figures that stay, over HTTP: attribution, FALSE_FM and its
 * undo, force majeure that reaches back, pay periods, published figures. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"

struct world {
    struct fixture *fixture;
    const char *vera, *boss, *ann; /* Cookie lines */
};

/* Force majeure over 1 and 2; 3 shortly before, 4 long before. All of ann at p1 on 10 March. */
static const char facts[] =
    "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 'test', 'sites', '-');"
    "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's1', 'Mall', 'UTC');"
    "INSERT INTO points (import, point, site, name) VALUES (1, 'p1', 's1', 'Till 1');"
    "INSERT INTO employees (import, employee, name) VALUES (1, 'ann', 'Ann'), (1, 'bob', 'Bob');"
    "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at, created_by)"
    " VALUES ('march', 'March', 'drawn', 1772323200000000, 1775001600000000, '{}', 0, 'root');"
    "INSERT INTO surveys (survey, point, site, employee, question, question_kind, opened_at,"
    " closes_at, state, answer, answered_at, force_majeure, device_offset_us,"
    " device_uncertainty_us) VALUES"
    " ('b.0.1', 'p1', 's1', 'ann', 'q', 'personnel', 1773151400000000, 1773151415000000,"
    " 'answered', 'no', 1773151405000000, 1, 0, 0),"
    " ('b.0.2', 'p1', 's1', 'ann', 'q', 'personnel', 1773151500000000, 1773151515000000,"
    " 'answered', 'yes', 1773151505000000, 1, 0, 0),"
    " ('b.0.3', 'p1', 's1', 'ann', 'q', 'personnel', 1773151300000000, 1773151315000000,"
    " 'answered', 'no', 1773151305000000, 0, 0, 0),"
    " ('b.0.4', 'p1', 's1', 'ann', 'q', 'personnel', 1773140000000000, 1773140015000000,"
    " 'answered', 'yes', 1773140005000000, 0, 0, 0);"
    "INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds) VALUES"
    " ('b.0.90', 'p1', 's1', 1773151390000000, 1773151990000000, 1);"
    "INSERT INTO review_items (audit, survey, place, origin, state) VALUES"
    " ('march', 'b.0.1', 1, 'random', 'open'), ('march', 'b.0.3', 2, 'random', 'open'),"
    " ('march', 'b.0.4', 3, 'random', 'open');";

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fixture = fixture_new();
    fixture_user(world->fixture, "vera", "expert");
    fixture_user(world->fixture, "boss", "manager");
    fixture_sql(world->fixture, facts);
    fixture_start(world->fixture);
    world->vera = fixture_login(world->fixture, "vera");
    world->boss = fixture_login(world->fixture, "boss");
    fixture_user(world->fixture, "ann", "staff");
    fixture_sql(world->fixture, "UPDATE users SET employee = 'ann' WHERE user = 'ann'");
    world->ann = fixture_login(world->fixture, "ann");
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

static json_t *get(struct world *world, const char *path, const char *schema)
{
    struct okno_err err = {0};
    AUTO_ANSWER answer =
        client_request(fixture_port(world->fixture), "GET", path, world->boss, NULL);
    if (answer.status != 200)
        fail_msg("%s: %s", path, answer.body);
    json_t *json = answer_json(&answer);
    if (http_schema_check(schema, json, &err) < 0)
        fail_msg("%s: %s", path, err.text);
    return json;
}

/* The INK@Personnel and FM level that the page shows for an employee ("" for everybody). */
static void figures(struct world *world, const char *employee, double *ret_ink, double *ret_fm)
{
    okno_autojson json_t *json =
        get(world,
            "/api/v1/indicators?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z"
            "&by=employee",
            "Indicators");
    size_t i;
    json_t *group;
    *ret_ink = *ret_fm = -1;
    json_array_foreach(json_object_get(json, "groups"), i, group)
    {
        const json_t *indicators = json_object_get(group, "indicators");
        if (strcmp(json_text(json_object_get(group, "group"), "employee"), employee) != 0)
            continue;
        const json_t *ink = json_object_get(indicators, "ink_personnel");
        *ret_ink = json_number_value(json_object_get(ink, "excluded"));
        *ret_fm =
            json_number_value(json_object_get(json_object_get(indicators, "fm_level"), "excluded"));
    }
}

static void attribute(struct world *world, const char *body, int status)
{
    AUTO_ANSWER answer = post(world, world->boss, "/api/v1/surveys/b.0.3/attribution", body);
    if (answer.status != status)
        fail_msg("%d %s", answer.status, answer.body);
}

static void a_manager_moves_a_survey_and_gives_it_back(void **state)
{
    struct world *world = *state;
    double ink = 0;
    double fm = 0;
    figures(world, "ann", &ink, &fm);
    assert_float_equal(ink, 0.5, 1e-9);
    attribute(world, "{\"employee\":\"bob\",\"reason\":\"bob stood in\"}", 200);
    figures(world, "ann", &ink, &fm);
    assert_float_equal(ink, 0, 1e-9);
    figures(world, "bob", &ink, &fm);
    assert_float_equal(ink, 1, 1e-9);
    okno_autojson json_t *dossier = get(world, "/api/v1/surveys/b.0.3", "Dossier");
    assert_int_equal(json_array_size(json_object_get(dossier, "attributions")), 1);
    okno_autojson json_t *list =
        get(world, "/api/v1/surveys?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&employee=bob",
            "Surveys");
    assert_int_equal(json_array_size(json_object_get(list, "surveys")), 1);
    attribute(world, "{\"undo\":true,\"reason\":\"it was ann\"}", 200);
    figures(world, "ann", &ink, &fm);
    assert_float_equal(ink, 0.5, 1e-9);
    attribute(world, "{\"undo\":true,\"reason\":\"again\"}", 409);
    attribute(world, "{\"employee\":\"eve\",\"reason\":\"r\"}", 400);
    attribute(world, "{\"employee\":\"bob\"}", 400);
}

static void experts_do_not_attribute(void **state)
{
    struct world *world = *state;
    AUTO_ANSWER answer = post(world, world->vera, "/api/v1/surveys/b.0.3/attribution",
                              "{\"employee\":\"bob\",\"reason\":\"r\"}");
    assert_int_equal(answer.status, 403);
    okno_autojson json_t *employees = get(world, "/api/v1/employees", "Employees");
    assert_int_equal(json_array_size(json_object_get(employees, "employees")), 2);
}

/* Lease the next item and decide it; the reply. */
static struct answer decide(struct world *world, const char *survey, const char *more)
{
    char path[100];
    char body[300];
    AUTO_ANSWER answer = post(world, world->vera, "/api/v1/queue/next", "{}");
    assert_int_equal(answer.status, 200);
    okno_autojson json_t *item = answer_json(&answer);
    assert_string_equal(json_text(json_object_get(item, "survey"), "id"), survey);
    (void)snprintf(path, sizeof(path), "/api/v1/queue/%lld/submit",
                   json_integer_value(json_object_get(item, "item")));
    (void)snprintf(body, sizeof(body), "{\"lease\":\"%s\",\"verdict\":\"valid\"%s}",
                   json_text(item, "lease"), more);
    return post(world, world->vera, path, body);
}

static void a_false_force_majeure_frees_all_its_surveys_until_it_is_undone(void **state)
{
    struct world *world = *state;
    double ink = 0;
    double fm = 0;
    figures(world, "ann", &ink, &fm);
    assert_float_equal(ink, 0.5, 1e-9); /* b.0.3 no, b.0.4 yes */
    AUTO_ANSWER answer = decide(world, "b.0.1", ",\"correction\":\"FALSE_FM\"");
    assert_int_equal(answer.status, 200);
    figures(world, "ann", &ink, &fm);
    assert_float_equal(ink, 0.5, 1e-9); /* no, yes, no, yes: both others are back */
    okno_autojson json_t *json =
        get(world, "/api/v1/indicators?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z",
            "Indicators");
    const json_t *group = json_array_get(json_object_get(json, "groups"), 0);
    const json_t *indicators = json_object_get(group, "indicators");
    const json_t *counts = json_object_get(json_object_get(indicators, "ink_personnel"), "counts");
    assert_int_equal(json_integer_value(json_object_get(counts, "n")), 4);
    const json_t *level = json_object_get(indicators, "fm_level");
    assert_float_equal(json_number_value(json_object_get(level, "excluded")), 0, 1e-9);
    assert_true(json_number_value(json_object_get(level, "raw")) > 0);
    AUTO_ANSWER undone = post(world, world->vera, "/api/v1/queue/undo", "{}");
    assert_int_equal(undone.status, 200);
    okno_autojson json_t *after =
        get(world, "/api/v1/indicators?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z",
            "Indicators");
    indicators = json_object_get(json_array_get(json_object_get(after, "groups"), 0), "indicators");
    counts = json_object_get(json_object_get(indicators, "ink_personnel"), "counts");
    assert_int_equal(json_integer_value(json_object_get(counts, "n")), 2);
    level = json_object_get(indicators, "fm_level");
    assert_float_equal(json_number_value(json_object_get(level, "excluded")), 0.25, 1e-9);
}

static void force_majeure_reaches_back_only_where_a_reviewer_confirms_it(void **state)
{
    struct world *world = *state;
    double ink = 0;
    double fm = 0;
    AUTO_ANSWER first = decide(world, "b.0.1", "");
    assert_int_equal(first.status, 200);
    AUTO_ANSWER near = decide(world, "b.0.3", ",\"correction\":\"FM_REACHES_BACK\"");
    assert_int_equal(near.status, 200);
    figures(world, "ann", &ink, &fm);
    assert_float_equal(ink, 0, 1e-9); /* only b.0.4 is left */
    AUTO_ANSWER far = decide(world, "b.0.4", ",\"correction\":\"FM_REACHES_BACK\"");
    assert_int_equal(far.status, 409);
    assert_string_equal(answer_code(&far), "refused");
}

/* Surveys are made from events when a period is closed: two of ann, one of bob, on 10 March. */
static const char told[] =
    "DELETE FROM surveys; DELETE FROM review_items; DELETE FROM force_majeure;"
    "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'b', 'p1', 0);"
    "INSERT INTO questions (import, question, point, valid_from, kind, text, window_us) VALUES"
    " (1, 'q', 'p1', 0, 'personnel', '?', 15000000);"
    "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
    " (1, 'ann', 'p1', 1773100800000000, 1773151450000000),"
    " (1, 'bob', 'p1', 1773151450000000, 1773187200000000);"
    "INSERT INTO events (device, boot, seq, kind, at, arrived_at) VALUES"
    " ('b', 0, 1, 'press', 1773151300000000, 1773151310000000),"
    " ('b', 0, 2, 'no', 1773151305000000, 1773151310000000),"
    " ('b', 0, 3, 'press', 1773151400000000, 1773151410000000),"
    " ('b', 0, 4, 'yes', 1773151405000000, 1773151410000000),"
    " ('b', 0, 5, 'press', 1773151500000000, 1773151510000000);";

static json_t *post_well(struct world *world, const char *path, const char *body,
                         const char *schema)
{
    struct okno_err err = {0};
    AUTO_ANSWER answer = post(world, world->boss, path, body);
    if (answer.status != 200)
        fail_msg("%s: %d %s", path, answer.status, answer.body);
    json_t *json = answer_json(&answer);
    if (http_schema_check(schema, json, &err) < 0)
        fail_msg("%s: %s", path, err.text);
    return json;
}

static void a_manager_closes_a_period_and_staff_see_their_own_statement(void **state)
{
    struct world *world = *state;
    fixture_sql(world->fixture, told);
    okno_autojson json_t *period = post_well(
        world, "/api/v1/periods", "{\"from\":\"2026-03-10\",\"to\":\"2026-03-10\"}", "Period");
    assert_int_equal(json_array_size(json_object_get(period, "statements")), 2);
    AUTO_ANSWER mine =
        client_request(fixture_port(world->fixture), "GET", "/api/v1/statements", world->ann, NULL);
    assert_int_equal(mine.status, 200);
    okno_autojson json_t *own = answer_json(&mine);
    const json_t *statement = json_array_get(json_object_get(own, "statements"), 0);
    assert_string_equal(json_text(statement, "employee"), "ann");
    assert_int_equal(json_array_size(json_object_get(own, "statements")), 1);
    static const char *const others[] = {"/api/v1/periods", "/api/v1/periods/1",
                                         "/api/v1/periods/1/adjustments",
                                         "/api/v1/periods/1/statements.csv"};
    for (size_t i = 0; i < OKNO_COUNT(others); i++) {
        AUTO_ANSWER no =
            client_request(fixture_port(world->fixture), "GET", others[i], world->ann, NULL);
        assert_int_equal(no.status, 403);
    }
    AUTO_ANSWER csv = client_request(fixture_port(world->fixture), "GET",
                                     "/api/v1/periods/1/statements.csv", world->boss, NULL);
    assert_int_equal(csv.status, 200);
    assert_string_equal(answer_header(&csv, "Content-Type"), "text/csv; charset=utf-8");
    assert_non_null(strstr(csv.body, "\"ann\",\"Ann\",\"too_few\",2,"));
    AUTO_ANSWER again = post(world, world->boss, "/api/v1/periods",
                             "{\"from\":\"2026-03-10\",\"to\":\"2026-03-11\"}");
    assert_int_equal(again.status, 409);
    assert_string_equal(answer_code(&again), "conflict");
}

static void a_manager_of_one_site_closes_and_sees_that_site_only(void **state)
{
    struct world *world = *state;
    fixture_sql(world->fixture, told);
    fixture_user(world->fixture, "near", "manager");
    fixture_sql(world->fixture,
                "UPDATE grants SET scope = 'site:s1' WHERE user = 'near';"
                "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 's2', 'Far', 'UTC');"
                "INSERT INTO points (import, point, site, name) VALUES (1, 'p9', 's2', 'Far');"
                "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES"
                " (1, 'cat', 'p9', 1773100800000000, 1773187200000000)");
    const char *near = fixture_login(world->fixture, "near");
    AUTO_ANSWER all =
        post(world, near, "/api/v1/periods", "{\"from\":\"2026-03-10\",\"to\":\"2026-03-10\"}");
    assert_int_equal(all.status, 403);
    AUTO_ANSWER far = post(world, near, "/api/v1/periods",
                           "{\"from\":\"2026-03-10\",\"to\":\"2026-03-10\",\"site\":\"s2\"}");
    assert_int_equal(far.status, 403);
    AUTO_ANSWER own = post(world, near, "/api/v1/periods",
                           "{\"from\":\"2026-03-10\",\"to\":\"2026-03-10\",\"site\":\"s1\"}");
    assert_int_equal(own.status, 200);
    okno_autojson json_t *other =
        post_well(world, "/api/v1/periods",
                  "{\"from\":\"2026-03-10\",\"to\":\"2026-03-10\",\"site\":\"s2\"}", "Period");
    AUTO_ANSWER hidden =
        client_request(fixture_port(world->fixture), "GET", "/api/v1/periods/2", near, NULL);
    assert_int_equal(hidden.status, 403);
    AUTO_ANSWER seen =
        client_request(fixture_port(world->fixture), "GET", "/api/v1/periods", near, NULL);
    okno_autojson json_t *list = answer_json(&seen);
    assert_int_equal(json_array_size(json_object_get(list, "periods")), 1);
    okno_autojson json_t *both = get(world, "/api/v1/periods", "Periods");
    assert_int_equal(json_array_size(json_object_get(both, "periods")), 2);
}

static void adjustments_tell_what_was_changed_and_the_snapshot_still_verifies(void **state)
{
    struct world *world = *state;
    fixture_sql(world->fixture, told);
    okno_autojson json_t *period = post_well(
        world, "/api/v1/periods", "{\"from\":\"2026-03-10\",\"to\":\"2026-03-10\"}", "Period");
    okno_autojson json_t *before = get(world, "/api/v1/periods/1/adjustments", "Adjustments");
    assert_int_equal(json_array_size(json_object_get(before, "adjustments")), 0);
    AUTO_ANSWER moved = post(world, world->boss, "/api/v1/surveys/b.0.1/attribution",
                             "{\"employee\":\"bob\",\"reason\":\"bob stood in\"}");
    assert_int_equal(moved.status, 200);
    okno_autojson json_t *after = get(world, "/api/v1/periods/1/adjustments", "Adjustments");
    const json_t *first = json_array_get(json_object_get(after, "adjustments"), 0);
    assert_int_equal(json_array_size(json_object_get(after, "adjustments")), 2);
    assert_string_equal(json_text(first, "employee"), "ann");
    assert_string_equal(json_text(json_array_get(json_object_get(first, "causes"), 0), "cause"),
                        "attribution");
    okno_autojson json_t *verified = get(world, "/api/v1/periods/1/verify", "Verified");
    assert_true(json_is_true(json_object_get(verified, "equal")));
    fixture_sql(world->fixture, "UPDATE pay_periods SET snapshot = snapshot || ' '");
    okno_autojson json_t *broken = get(world, "/api/v1/periods/1/verify", "Verified");
    assert_true(json_is_false(json_object_get(broken, "equal")));
    okno_autojson json_t *list = get(world, "/api/v1/periods", "Periods");
    assert_int_equal(json_array_size(json_object_get(list, "periods")), 1);
}

static void published_figures_can_be_asked_for_and_checked(void **state)
{
    struct world *world = *state;
    fixture_sql(world->fixture, told);
    okno_autojson json_t *made = post_well(world, "/api/v1/published",
                                           "{\"name\":\"march\",\"from\":\"2026-03-10T00:00:00Z\","
                                           "\"to\":\"2026-03-11T00:00:00Z\",\"by\":\"employee\"}",
                                           "Published");
    const json_t *groups = json_object_get(json_object_get(made, "figures"), "groups");
    assert_int_equal(json_array_size(groups), 2);
    fixture_sql(world->fixture,
                "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
                " ('b.0.1', 1, 1773190000000000, 'a', 'b', 'c')");
    okno_autojson json_t *verified = get(world, "/api/v1/published/march/verify", "Verified");
    assert_true(json_is_true(json_object_get(verified, "equal")));
    okno_autojson json_t *then = get(world,
                                     "/api/v1/indicators?from=2026-03-10T00:00:00Z"
                                     "&to=2026-03-11T00:00:00Z&as_of=2026-03-10T14:02:00Z",
                                     "Indicators");
    const json_t *group = json_array_get(json_object_get(then, "groups"), 0);
    const json_t *n = json_object_get(json_object_get(group, "counts"), "n");
    assert_int_equal(json_integer_value(n), 1); /* one survey was known, and not voided yet */
    okno_autojson json_t *kept = get(world, "/api/v1/published/march", "Published");
    assert_true(json_equal(json_object_get(kept, "figures"), json_object_get(made, "figures")));
    okno_autojson json_t *list = get(world, "/api/v1/published", "PublishedList");
    assert_int_equal(json_array_size(json_object_get(list, "published")), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_manager_moves_a_survey_and_gives_it_back),
        CASE(experts_do_not_attribute),
        CASE(a_false_force_majeure_frees_all_its_surveys_until_it_is_undone),
        CASE(force_majeure_reaches_back_only_where_a_reviewer_confirms_it),
        CASE(a_manager_closes_a_period_and_staff_see_their_own_statement),
        CASE(a_manager_of_one_site_closes_and_sees_that_site_only),
        CASE(adjustments_tell_what_was_changed_and_the_snapshot_still_verifies),
        CASE(published_figures_can_be_asked_for_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

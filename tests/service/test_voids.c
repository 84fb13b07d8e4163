/* Voids over HTTP: one person asks, another agrees. */
#define _GNU_SOURCE
#include "client.h"

#include "okno/kpi.h"

#define AT "1773136800000000" /* 2026-03-10T10:00:00Z */
#define DAY "from=2026-03-10&to=2026-03-11"

/* Logging in costs time on purpose: once for each of them. */
static const char *names[8];
static char cookies[8][160];

static int start(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_sql(
        fixture,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (900, 0, 'a', 'k', 's');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (900, 'S1', 'Mall', 'UTC'),"
        " (900, 'S2', 'Port', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (900, 'P1', 'S1', 'Till 1'),"
        " (900, 'P2', 'S2', 'Till 2');"
        "INSERT INTO surveys (survey, point, site, employee, question, question_kind, opened_at, "
        "closes_at, state, answer,"
        " answered_at, device_offset_us, device_uncertainty_us) VALUES"
        " ('D1.0.1', 'P1', 'S1', 'E1', 'q', 'office', " AT ", " AT
        " + 15000000, 'answered', 'no', " AT
        ", 0, 0),"
        " ('D2.0.1', 'P2', 'S2', 'E2', 'q', 'office', " AT ", " AT
        " + 15000000, 'answered', 'no', " AT ", 0, 0)");
    static const char *const users[][2] = {{"one", "manager"},  {"two", "manager"},
                                           {"eye", "expert"},   {"ann", "staff"},
                                           {"port", "manager"}, {"own", "manager"}};
    for (size_t i = 0; i < OKNO_COUNT(users); i++)
        fixture_user(fixture, users[i][0], users[i][1]);
    fixture_sql(fixture,
                "INSERT INTO employees (import, employee, name) VALUES (900, 'E3', 'Dora');"
                "UPDATE users SET employee = 'E1' WHERE user = 'own';"
                "UPDATE users SET employee = 'E3' WHERE user IN ('one', 'eye');"
                "DELETE FROM grants WHERE user = 'port';"
                "INSERT INTO grants (user, scope, granted, at, author) VALUES"
                " ('port', 'site:S2', 1, 0, 'test')");
    fixture_start(fixture);
    memset(names, 0, sizeof(names));
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static const char *cookie_of(struct fixture *fixture, const char *user)
{
    size_t i = 0;
    while (names[i] && strcmp(names[i], user) != 0)
        i++;
    if (!names[i])
        (void)snprintf(cookies[i], sizeof(cookies[i]), "%s", fixture_login(fixture, user));
    names[i] = user;
    return cookies[i];
}

/* The answer's status; what it says stands in *ret_json (may be NULL), owned by the caller. */
static int ask(struct fixture *fixture, const char *user, const char *method, const char *path,
               const char *body, json_t **ret_json)
{
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), method, path, cookie_of(fixture, user), body);
    if (ret_json)
        *ret_json = answer_json(&answer);
    return answer.status;
}

#define PROPOSE(user, survey, reason)                                                              \
    ask(fixture, user, "POST", "/api/v1/surveys/" survey "/void",                                  \
        "{\"voided\":true,\"reason\":\"" reason "\"}", NULL)
#define ANSWER(user, survey, body)                                                                 \
    ask(fixture, user, "POST", "/api/v1/surveys/" survey "/void/answer", body, NULL)

static json_t *dossier(struct fixture *fixture)
{
    json_t *json = NULL;
    assert_int_equal(ask(fixture, "one", "GET", "/api/v1/surveys/D1.0.1", NULL, &json), 200);
    return json;
}

static const char *validity(struct fixture *fixture)
{
    static char text[32];
    okno_autojson json_t *json = dossier(fixture);
    (void)snprintf(text, sizeof(text), "%s",
                   json_string_value(json_object_get(json_object_get(json, "survey"), "validity")));
    return text;
}

static size_t waiting(struct fixture *fixture, const char *user)
{
    okno_autojson json_t *json = NULL;
    assert_int_equal(ask(fixture, user, "GET", "/api/v1/voids", NULL, &json), 200);
    return json_array_size(json_object_get(json, "proposals"));
}

static void a_void_needs_another_person_who_agrees(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(PROPOSE("one", "D1.0.1", "A drill"), 200);
    assert_string_equal(validity(fixture), "unreviewed"); /* nothing changes before */
    assert_int_equal(waiting(fixture, "two"), 1);
    assert_int_equal(PROPOSE("two", "D1.0.1", "me too"), 409); /* it waits already */
    assert_int_equal(ANSWER("one", "D1.0.1", "{\"proposal\":1,\"agree\":true}"), 409);
    assert_string_equal(validity(fixture), "unreviewed");
    assert_int_equal(ANSWER("two", "D1.0.1", "{\"proposal\":1,\"agree\":true}"), 204);
    assert_string_equal(validity(fixture), "voided");
    assert_int_equal(waiting(fixture, "two"), 0);
    assert_int_equal(ANSWER("eye", "D1.0.1", "{\"proposal\":1,\"agree\":false}"), 409); /* once */
    okno_autojson json_t *json = dossier(fixture);
    const json_t *entry = json_array_get(json_object_get(json, "voids"), 0);
    assert_string_equal(json_string_value(json_object_get(entry, "author")), "one");
    assert_string_equal(json_string_value(json_object_get(entry, "second")), "two");
    assert_string_equal(json_string_value(json_object_get(entry, "reason")), "A drill");
    /* And back, the other way round, with an expert's agreement. */
    assert_int_equal(PROPOSE("two", "D1.0.1", "again"), 409); /* voided already */
    assert_int_equal(ask(fixture, "two", "POST", "/api/v1/surveys/D1.0.1/void",
                         "{\"voided\":false,\"reason\":\"No drill\"}", NULL),
                     200);
    assert_int_equal(ANSWER("eye", "D1.0.1", "{\"proposal\":2,\"agree\":true}"), 204);
    assert_string_equal(validity(fixture), "unreviewed");
}

static void what_is_not_agreed_to_changes_nothing_and_stays_in_the_dossier(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(PROPOSE("one", "D1.0.1", "Too bad a rating"), 200);
    assert_int_equal(
        ANSWER("two", "D1.0.1", "{\"proposal\":1,\"agree\":false,\"note\":\"It was genuine\"}"),
        204);
    assert_string_equal(validity(fixture), "unreviewed");
    okno_autojson json_t *json = dossier(fixture);
    const json_t *entry = json_array_get(json_object_get(json, "void_proposals"), 0);
    const json_t *answer = json_object_get(entry, "answer");
    assert_true(json_is_false(json_object_get(answer, "agreed")));
    assert_string_equal(json_string_value(json_object_get(answer, "note")), "It was genuine");
    assert_int_equal(json_array_size(json_object_get(json, "voids")), 0);
    /* Asked once more, and taken back by who asked. */
    assert_int_equal(PROPOSE("one", "D1.0.1", "Really"), 200);
    assert_int_equal(ANSWER("one", "D1.0.1", "{\"proposal\":2,\"agree\":false}"), 204);
    assert_int_equal(waiting(fixture, "one"), 0);
}

static void rights_frames_and_own_surveys_are_looked_at_both_times(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(PROPOSE("ann", "D1.0.1", "x"), 403);
    assert_int_equal(PROPOSE("own", "D1.0.1", "x"), 409);
    assert_int_equal(PROPOSE("port", "D1.0.1", "x"), 403); /* a site that is not granted */
    assert_int_equal(PROPOSE("port", "D2.0.1", "x"), 200);
    assert_int_equal(waiting(fixture, "port"), 1);
    assert_int_equal(PROPOSE("one", "D1.0.1", " "), 400);
    assert_int_equal(PROPOSE("one", "D9.0.9", "x"), 404);
    assert_int_equal(PROPOSE("one", "D1.0.1", "x"), 200);
    assert_int_equal(waiting(fixture, "port"), 1); /* not told of the other site's */
    assert_int_equal(ANSWER("own", "D1.0.1", "{\"proposal\":2,\"agree\":true}"), 409);
    assert_int_equal(ANSWER("port", "D1.0.1", "{\"proposal\":2,\"agree\":true}"), 403);
    assert_int_equal(ANSWER("two", "D2.0.1", "{\"proposal\":2,\"agree\":true}"), 404);
    fixture_sql(fixture,
                "INSERT INTO audits (audit, title, state, period_from, period_to, plan, created_at,"
                " created_by) VALUES ('A', '', 'frozen', 0, 1, '{}', 0, 'x');"
                "INSERT INTO audit_frame (audit, survey, ordinal, stratum, class, question,"
                " question_kind, opened_at, force_majeure, site, point, video, line) VALUES"
                " ('A', 'D1.0.1', 0, 'S1/P1', 'no', '', '', " AT ", 0, 'S1', 'P1', '', '')");
    assert_int_equal(ANSWER("two", "D1.0.1", "{\"proposal\":2,\"agree\":true}"), 409);
    assert_string_equal(validity(fixture), "unreviewed");
}

static void two_logins_of_one_employee_are_one_person(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(PROPOSE("one", "D1.0.1", "A drill"), 200);
    assert_int_equal(ANSWER("eye", "D1.0.1", "{\"proposal\":1,\"agree\":true}"), 409);
    assert_string_equal(validity(fixture), "unreviewed");
}

static void who_a_survey_counts_for_does_not_answer_no_either(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(PROPOSE("one", "D1.0.1", "Faked"), 200);
    assert_int_equal(ANSWER("own", "D1.0.1", "{\"proposal\":1,\"agree\":false}"), 409);
    assert_int_equal(waiting(fixture, "two"), 1);
    assert_int_equal(ANSWER("two", "D1.0.1", "{\"proposal\":1,\"agree\":true}"), 204);
    assert_string_equal(validity(fixture), "voided");
}

static void figures_wait_for_no_writer(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *writer = NULL;
    char path[80];
    okno_autojson json_t *before = NULL;
    okno_autojson json_t *meanwhile = NULL;
    const char *cookie = cookie_of(fixture, "one"); /* logging in writes */
    struct okno_err err = {0};
    assert_int_equal(okno_kpi_refresh(fixture->db, &err), 0);
    assert_int_equal(ask(fixture, "one", "GET", "/api/v1/indicators?" DAY, NULL, &before), 200);
    fixture_sql(fixture,
                "INSERT INTO voids (survey, voided, at, author, second, reason) VALUES"
                " ('D1.0.1', 1, 5, 'a', 'b', 'c')");
    (void)snprintf(path, sizeof(path), "%s/okno.db", fixture->dir);
    assert_int_equal(sqlite3_open(path, &writer), SQLITE_OK);
    AUTO_ANSWER answer = {0};
    assert_int_equal(sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    int64_t began_us = okno_time_monotonic();
    answer = client_request(fixture_port(fixture), "GET", "/api/v1/indicators?" DAY, cookie, NULL);
    assert_true(okno_time_monotonic() - began_us < 9 * OKNO_SECOND_US); /* writers wait 10 s */
    assert_int_equal(answer.status, 200);
    meanwhile = answer_json(&answer);
    assert_int_equal(sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(writer);
    const json_t *group = json_array_get(json_object_get(meanwhile, "groups"), 0);
    const json_t *counts = json_object_get(group, "counts");
    assert_int_equal(json_integer_value(json_object_get(counts, "n")), 1); /* the void counts */
    const json_t *data = json_object_get(meanwhile, "data");
    assert_int_equal(json_integer_value(json_object_get(data, "voids")), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_void_needs_another_person_who_agrees),
        TEST(what_is_not_agreed_to_changes_nothing_and_stays_in_the_dossier),
        TEST(rights_frames_and_own_surveys_are_looked_at_both_times),
        TEST(two_logins_of_one_employee_are_one_person),
        TEST(who_a_survey_counts_for_does_not_answer_no_either),
        TEST(figures_wait_for_no_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

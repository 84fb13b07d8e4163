/* A day at the points over HTTP. */
#define _GNU_SOURCE
#include "client.h"

#include <inttypes.h>

#define DAY "from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z"
#define AT "1773136800000000" /* 2026-03-10T10:00:00Z */

static int start(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_sql(
        fixture,
        "INSERT INTO imports (import, at, author, kind, source) VALUES (900, 0, 'a', 'k', 's');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (900, 'S1', 'Mall', 'UTC'), "
        "(900, 'S2', 'Port', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (900, 'P1', 'S1', 'Till 1'), "
        "(900, 'P2', 'S1', 'Till 2'), (900, 'P3', 'S2', 'Till 3');"
        "INSERT INTO surveys (survey, point, site, employee, opened_at, closes_at, state, answer, "
        "answered_at, late_answers, force_majeure, device_offset_us, device_uncertainty_us) VALUES "
        "('D1.0.2', 'P1', 'S1', 'E1', " AT " + 60000000, " AT
        " + 75000000, 'silent', NULL, NULL, "
        "1, 1, 0, 0), ('D1.0.1', 'P1', 'S1', NULL, " AT ", " AT " + 15000000, 'answered', 'no', " AT
        " + 5000000, 0, 0, 0, 0);"
        "INSERT INTO spontaneous (rating, point, site, answer, at, channel) VALUES ('Q1.0.1', "
        "'P3', 'S2', 'yes', " AT
        ", 'qr');"
        "INSERT INTO force_majeure (situation, point, site, first_at, until_at, holds) VALUES "
        "('D1.0.3', 'P1', 'S1', 1773100799000000, 1773100800000001, 2);"
        "INSERT INTO links (survey, state, asked_from, asked_to, gaps, made_at) VALUES ('D1.0.1', "
        "'partial', " AT " - 20000000, " AT
        " + 20000000, '[[1773136790000000,1773136795000000]]', "
        "0);");
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

static json_t *lanes(struct fixture *fixture, const char *query)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "/api/v1/lanes?%s", query);
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "GET", path, fixture_login(fixture, "boss"), NULL);
    assert_int_equal(answer.status, 200);
    okno_autojson json_t *json = answer_json(&answer);
    return json_incref(json_object_get(json, "lanes"));
}

static void each_point_has_a_lane_and_its_surveys_stand_by_time(void **state)
{
    okno_autojson json_t *all = lanes(*state, DAY);
    assert_int_equal(json_array_size(all), 3);
    const json_t *first = json_array_get(all, 0);
    assert_string_equal(json_text(first, "point"), "P1");
    const json_t *surveys = json_object_get(first, "surveys");
    assert_int_equal(json_array_size(surveys), 2);
    assert_string_equal(json_text(json_array_get(surveys, 0), "id"), "D1.0.1");
    assert_string_equal(json_text(json_array_get(surveys, 0), "answer"), "no");
    assert_string_equal(json_text(json_array_get(surveys, 0), "opened_at"),
                        "2026-03-10T10:00:00.000Z");
    const json_t *silent = json_array_get(surveys, 1);
    assert_int_equal(json_integer_value(json_object_get(silent, "late")), 1);
    assert_true(json_is_true(json_object_get(silent, "force_majeure")));
    assert_true(json_is_null(json_object_get(silent, "footage")));
    assert_int_equal(json_array_size(json_object_get(json_array_get(all, 1), "surveys")), 0);
}

static void footage_tells_its_holes(void **state)
{
    okno_autojson json_t *all = lanes(*state, DAY "&point=P1");
    const json_t *survey = json_array_get(json_object_get(json_array_get(all, 0), "surveys"), 0);
    const json_t *footage = json_object_get(survey, "footage");
    assert_string_equal(json_text(footage, "state"), "partial");
    okno_autojson json_t *wanted =
        json_pack("[[s, s]]", "2026-03-10T09:59:50.000Z", "2026-03-10T09:59:55.000Z");
    assert_true(json_equal(json_object_get(footage, "gaps"), wanted));
}

static void ratings_and_situations_that_reach_into_the_day_are_there(void **state)
{
    okno_autojson json_t *all = lanes(*state, DAY);
    const json_t *rating = json_array_get(json_object_get(json_array_get(all, 2), "ratings"), 0);
    assert_string_equal(json_text(rating, "channel"), "qr");
    const json_t *situations = json_object_get(json_array_get(all, 0), "situations");
    assert_int_equal(json_array_size(situations), 1);
}

static void a_site_shows_its_own_points_only(void **state)
{
    okno_autojson json_t *all = lanes(*state, DAY "&site=S2");
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(json_text(json_array_get(all, 0), "point"), "P3");
}

static void a_longer_period_and_other_roles_are_refused(void **state)
{
    struct fixture *fixture = *state;
    AUTO_ANSWER wide =
        client_request(fixture_port(fixture), "GET",
                       "/api/v1/lanes?from=2026-03-10T00:00:00Z&to=2026-03-13T00:00:00Z",
                       fixture_login(fixture, "boss"), NULL);
    assert_int_equal(wide.status, 400);
    AUTO_ANSWER expert = client_request(fixture_port(fixture), "GET", "/api/v1/lanes?" DAY,
                                        fixture_login(fixture, "eye"), NULL);
    assert_int_equal(expert.status, 403);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_point_has_a_lane_and_its_surveys_stand_by_time),
        TEST(footage_tells_its_holes),
        TEST(ratings_and_situations_that_reach_into_the_day_are_there),
        TEST(a_site_shows_its_own_points_only),
        TEST(a_longer_period_and_other_roles_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

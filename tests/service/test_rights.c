/* Who sees what: role by route by own and foreign site, on the real server. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"

#define SHA_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define SHA_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define DAY "from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z"

static void put_survey(struct fixture *fixture, int n, const char *site, const char *point)
{
    char sql[1500];
    long long at_us = 1773144000000000LL + n * 1000000LL; /* 2026-03-10T12:00:00Z and on */
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, '%s', 'Site', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, '%s', '%s', 'Till');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'D%d', '%s', 0);"
        "INSERT INTO shifts (import, employee, point, valid_from, valid_to) VALUES "
        "(1, 'E%d', '%s', 0, 9000000000000000);"
        "INSERT INTO surveys (survey, point, site, employee, opened_at, closes_at, state, answer, "
        "answered_at, device_offset_us, device_uncertainty_us) VALUES ('D%d.0.1', '%s', '%s', "
        "'E%d', %lld, %lld, 'answered', 'no', %lld, 0, 0);"
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from, "
        "asked_to, got_from, got_to, index_offset_us, uncertainty_us, source, requests, "
        "bytes_read, "
        "software, made_at) VALUES ('D%d.0.1', 'still', '%s', 3, 'image/jpeg', 'mjpeg', 'C', 0, 0, "
        "0, 0, 0, 0, '[]', 1, 1, 'x', 0);"
        "INSERT INTO alerts (rule, kind, key, subject, site, point, at, opened_at, detail, photo, "
        "send_to) VALUES ('negative', 'negative', 'k%d', 'D%d.0.1', '%s', '%s', 0, 0, '{}', 0, "
        "'');",
        site, point, site, n, point, n, point, n, point, site, n, at_us, at_us + 15000000,
        at_us + 1000000, n, n == 1 ? SHA_1 : SHA_2, n, n, site, point);
    fixture_sql(fixture, sql);
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO survey_history (survey, at, was, became) VALUES "
                   "('D%d.0.1', 1, NULL, '{\"site\":\"%s\"}')",
                   n, site);
    fixture_sql(fixture, sql);
}

static int start(void **state)
{
    struct fixture *fixture = fixture_new();
    static const char *const users[][2] = {
        {"one", "manager"}, {"none", "manager"},       {"boss", "manager"}, {"ann", "staff"},
        {"aud", "auditor"}, {"root", "administrator"}, {"eye", "expert"},   {"out", "staff"}};
    fixture_sql(fixture,
                "INSERT INTO imports (import, at, author, kind, source) VALUES "
                "(1, 0, 't', 'sites', '-');");
    put_survey(fixture, 1, "S1", "P1");
    put_survey(fixture, 2, "S2", "P2");
    for (size_t i = 0; i < OKNO_COUNT(users); i++)
        fixture_user(fixture, users[i][0], users[i][1]);
    fixture_sql(fixture,
                "DELETE FROM grants WHERE user NOT IN ('boss', 'out');"
                "INSERT INTO grants (user, scope, granted, at, author) VALUES "
                "('one', 'site:S1', 1, 0, 'test'), ('ann', 'site:S1', 1, 0, 'test');"
                "UPDATE users SET employee = 'E1' WHERE user = 'ann'");
    fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    fixture_free(*state);
    return 0;
}

static int ask(struct fixture *fixture, const char *cookie, const char *method, const char *path,
               const char *body)
{
    AUTO_ANSWER answer = client_request(fixture_port(fixture), method, path, cookie, body);
    return answer.status;
}

/* What the people of `who` get, in order: one (a manager of S1), none (a manager without a grant),
 * boss (a manager of all), ann (staff of S1, employee E1), aud, root, eye, out (staff of all, no
 * employee). 404 for evidence means: let through, and there is no such file on this disk; 410
 * likewise. */
static const char *const who[] = {"one", "none", "boss", "ann", "aud", "root", "eye", "out"};
static const struct {
    const char *method, *path, *body;
    int status[OKNO_COUNT(who)];
} matrix[] = {
    {"GET", "/api/v1/me", NULL, {200, 200, 200, 200, 200, 200, 200, 200}},
    {"GET", "/api/v1/tags", NULL, {200, 200, 200, 200, 200, 200, 200, 200}},
    {"GET", "/api/v1/sites", NULL, {200, 200, 200, 200, 200, 200, 403, 200}},
    {"GET", "/api/v1/surveys?" DAY, NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/surveys?" DAY "&site=S1", NULL, {200, 403, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/surveys?" DAY "&site=S2", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/surveys?" DAY "&point=P2", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/surveys?" DAY "&site=nix", NULL, {403, 403, 400, 403, 400, 400, 403, 403}},
    {"GET", "/api/v1/surveys?" DAY "&question=nix", NULL, {400, 400, 400, 403, 400, 400, 403, 403}},
    {"GET", "/api/v1/surveys?" DAY "&employee=nix", NULL, {400, 400, 400, 403, 400, 400, 403, 403}},
    {"GET", "/api/v1/surveys?" DAY "&employee=E1", NULL, {200, 400, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/alerts?point=nix", NULL, {400, 400, 400, 403, 400, 400, 403, 403}},
    {"GET", "/api/v1/changes", NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/voids", NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/surveys/D1.0.1", NULL, {200, 403, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/surveys/D2.0.1", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/surveys/D9.0.1", NULL, {404, 404, 404, 403, 404, 404, 403, 403}},
    {"POST",
     "/api/v1/surveys/D2.0.1/target",
     "{\"reason\":\"look\"}",
     {403, 403, 0, 403, 0, 0, 403, 403}},
    {"GET", "/api/v1/evidence/" SHA_1 ".jpg", NULL, {410, 403, 410, 410, 410, 410, 403, 403}},
    {"GET", "/api/v1/evidence/" SHA_2 ".jpg", NULL, {403, 403, 410, 403, 410, 410, 403, 403}},
    {"GET", "/api/v1/indicators?" DAY, NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/indicators/report?" DAY, NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/devices", NULL, {200, 200, 200, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/employees", NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/alerts", NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/alerts?site=S2", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
    {"POST", "/api/v1/alerts/1/ack", "{}", {204, 403, 204, 403, 403, 204, 403, 403}},
    {"POST", "/api/v1/alerts/2/ack", "{}", {403, 403, 204, 403, 403, 204, 403, 403}},
    {"GET", "/api/v1/negatives?" DAY, NULL, {200, 200, 200, 200, 200, 200, 403, 403}},
    {"GET", "/api/v1/negatives?" DAY "&site=S2", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
    {"POST",
     "/api/v1/negatives/D1.0.1/comments",
     "{\"text\":\"x\"}",
     {200, 403, 200, 200, 403, 200, 403, 403}},
    {"POST",
     "/api/v1/negatives/D2.0.1/comments",
     "{\"text\":\"x\"}",
     {403, 403, 200, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/reaction?" DAY, NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/users", NULL, {403, 403, 403, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/destinations", NULL, {403, 403, 403, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/deliveries", NULL, {403, 403, 403, 403, 403, 200, 403, 403}},
    /* Of all sites together: closed to who sees some. */
    {"GET", "/api/v1/alert-rules", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/audits", NULL, {403, 403, 200, 403, 200, 200, 200, 403}},
    {"GET", "/api/v1/periods", NULL, {200, 200, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/published", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
    {"GET", "/api/v1/archives", NULL, {403, 403, 403, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/archives/nvr/losses.csv", NULL, {403, 403, 403, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/archives/nvr/clock", NULL, {403, 403, 403, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/cameras/c1/clock", NULL, {403, 403, 403, 403, 403, 200, 403, 403}},
    {"GET", "/api/v1/status", NULL, {403, 403, 200, 403, 200, 200, 403, 403}},
};

static void each_role_gets_its_own_sites_and_no_other(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < OKNO_COUNT(who); i++) {
        const char *cookie = fixture_login(fixture, who[i]);
        for (size_t j = 0; j < OKNO_COUNT(matrix); j++) {
            int expected = matrix[j].status[i];
            int got = ask(fixture, cookie, matrix[j].method, matrix[j].path, matrix[j].body);
            if (expected ? got != expected : got == 403 || got == 401)
                fail_msg("%s, %s %s: %d instead of %d", who[i], matrix[j].method, matrix[j].path,
                         got, expected);
        }
    }
}

/* The ids under `key` of the objects in the list `name`, one space between. */
static void lists(struct fixture *fixture, const char *user, const char *path, const char *name,
                  const char *key, const char *expected)
{
    char got[300] = "";
    size_t i;
    const json_t *one;
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "GET", path, fixture_login(fixture, user), NULL);
    okno_autojson json_t *json = answer_json(&answer);
    json_array_foreach(json_object_get(json, name), i, one)
    {
        size_t used = strlen(got);
        (void)snprintf(got + used, sizeof(got) - used, "%s%s", i ? " " : "", json_text(one, key));
    }
    if (strcmp(got, expected) != 0)
        fail_msg("%s, %s: \"%s\" instead of \"%s\"", user, path, got, expected);
}

static void lists_leave_out_what_is_of_other_sites(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *path, *name, *key, *one, *boss;
    } cases[] = {
        {"/api/v1/sites", "sites", "site", "S1", "S1 S2"},
        {"/api/v1/surveys?" DAY, "surveys", "id", "D1.0.1", "D1.0.1 D2.0.1"},
        {"/api/v1/changes", "changes", "survey", "D1.0.1", "D1.0.1 D2.0.1"},
        {"/api/v1/devices", "devices", "device", "D1", "D1 D2"},
        {"/api/v1/employees", "employees", "employee", "E1", "E1 E2"},
        {"/api/v1/alerts", "alerts", "subject", "D1.0.1", "D2.0.1 D1.0.1"},
        {"/api/v1/negatives?" DAY, "negatives", "rating", "D1.0.1", "D2.0.1 D1.0.1"},
        {"/api/v1/reaction?" DAY, "sites", "site", "S1", "S1 S2"},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        lists(fixture, "one", cases[i].path, cases[i].name, cases[i].key, cases[i].one);
        lists(fixture, "none", cases[i].path, cases[i].name, cases[i].key, "");
        lists(fixture, "boss", cases[i].path, cases[i].name, cases[i].key, cases[i].boss);
    }
    lists(fixture, "ann", "/api/v1/negatives?" DAY, "negatives", "rating", "D1.0.1");
}

static void indicators_hold_no_total_over_sites_of_others(void **state)
{
    struct fixture *fixture = *state;
    AUTO_ANSWER answer = client_request(fixture_port(fixture), "GET", "/api/v1/indicators?" DAY,
                                        fixture_login(fixture, "one"), NULL);
    okno_autojson json_t *json = answer_json(&answer);
    const json_t *groups = json_object_get(json, "groups");
    assert_int_equal(json_array_size(groups), 1);
    assert_string_equal(json_text(json_object_get(json_array_get(groups, 0), "group"), "site"),
                        "S1");
}

static void indicators_name_no_employee_of_other_sites(void **state)
{
    struct fixture *fixture = *state;
    fixture_sql(fixture,
                "INSERT INTO employees (import, employee, name) VALUES (1, 'E1', 'Anna'), "
                "(1, 'E2', 'Boris')");
    static const char *const paths[] = {"/api/v1/indicators?by=employee&" DAY,
                                        "/api/v1/indicators/report?by=employee&" DAY,
                                        "/api/v1/indicators/report?format=csv&by=employee&" DAY};
    for (size_t i = 0; i < OKNO_COUNT(paths); i++) {
        AUTO_ANSWER one = client_request(fixture_port(fixture), "GET", paths[i],
                                         fixture_login(fixture, "one"), NULL);
        assert_non_null(strstr(one.body, "Anna"));
        assert_null(strstr(one.body, "Boris"));
        assert_null(strstr(one.body, "E2"));
        AUTO_ANSWER boss = client_request(fixture_port(fixture), "GET", paths[i],
                                          fixture_login(fixture, "boss"), NULL);
        assert_non_null(strstr(boss.body, "Boris"));
    }
}

static void a_refusal_says_why(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *user, *path, *part;
    } cases[] = {
        {"eye", "/api/v1/users", "not open to your role (expert), only to: administrator"},
        {"one", "/api/v1/surveys/D2.0.1", "of a site that is not granted to you"},
        {"none", "/api/v1/surveys/D1.0.1", "no site is granted to you"},
        {"one", "/api/v1/published", "covers all sites"},
        {"out", "/api/v1/negatives", "not joined to an employee"},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        AUTO_ANSWER answer = client_request(fixture_port(fixture), "GET", cases[i].path,
                                            fixture_login(fixture, cases[i].user), NULL);
        assert_int_equal(answer.status, 403);
        if (!strstr(answer.body, cases[i].part))
            fail_msg("%s lacks \"%s\"", answer.body, cases[i].part);
    }
}

/* A route that somebody adds without saying how it is limited is closed to who sees some sites. */
static void a_route_that_says_nothing_of_sites_is_closed_to_who_sees_some(void **state)
{
    struct fixture *fixture = *state;
    static const char *const open[] = {"/api/v1/logout",
                                       "/api/v1/me",
                                       "/api/v1/reasons",
                                       "/api/v1/tags",
                                       "/api/v1/sites",
                                       "/api/v1/devices",
                                       "/api/v1/statements",
                                       "/api/v1/employees",
                                       "/api/v1/indicators",
                                       "/api/v1/indicators/report",
                                       "/api/v1/alerts",
                                       "/api/v1/negatives",
                                       "/api/v1/surveys",
                                       "/api/v1/lanes",
                                       "/api/v1/panels",
                                       "/api/v1/qr",
                                       "/api/v1/qr/x/revoke",
                                       "/api/v1/reaction",
                                       "/api/v1/changes",
                                       "/api/v1/surveys/x",
                                       "/api/v1/periods",
                                       "/api/v1/periods/x",
                                       "/api/v1/periods/x/adjustments",
                                       "/api/v1/periods/x/verify",
                                       "/api/v1/periods/x/statements.csv",
                                       "/api/v1/alerts/x/ack",
                                       "/api/v1/evidence/x",
                                       "/api/v1/negatives/x/comments",
                                       "/api/v1/surveys/x/attribution",
                                       "/api/v1/surveys/x/target",
                                       "/api/v1/surveys/x/appeals",
                                       "/api/v1/appeals",
                                       "/api/v1/appeals/rulings",
                                       "/api/v1/appeals/x/withdraw",
                                       "/api/v1/surveys/x/void",
                                       "/api/v1/surveys/x/void/answer",
                                       "/api/v1/voids"};
    const char *cookie = fixture_login(fixture, "none");
    for (const struct http_route *route = http_routes; route->method; route++) {
        char path[200] = "";
        bool known = false;
        if (!(route->roles & HTTP_MANAGER))
            continue;
        for (const char *at = route->path; *at;) {
            size_t len = *at == '{' ? 0 : strcspn(at, "{");
            size_t used = strlen(path);
            (void)snprintf(path + used, sizeof(path) - used, "%.*s", (int)len, at);
            at += len;
            if (*at == '{') {
                (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "x");
                at = strchr(at, '}') + 1;
            }
        }
        for (size_t i = 0; i < OKNO_COUNT(open); i++)
            known = known || strcmp(open[i], path) == 0;
        if (!known && ask(fixture, cookie, route->method, path,
                          strcmp(route->method, "POST") == 0 ? "{}" : NULL) != 403)
            fail_msg("%s %s is open to who sees some sites only: say how in rights.c, and here",
                     route->method, route->path);
    }
}

static void a_grant_of_the_api_counts_at_once(void **state)
{
    struct fixture *fixture = *state;
    const char *root = fixture_login(fixture, "root");
    const char *none = fixture_login(fixture, "none");
    assert_int_equal(ask(fixture, none, "GET", "/api/v1/surveys/D2.0.1", NULL), 403);
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/users/none/grants",
                         "{\"scope\":\"site:S2\",\"granted\":true}"),
                     204);
    assert_int_equal(ask(fixture, none, "GET", "/api/v1/surveys/D2.0.1", NULL), 200);
    assert_int_equal(ask(fixture, none, "GET", "/api/v1/surveys/D1.0.1", NULL), 403);
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/users/none/grants",
                         "{\"scope\":\"site:S2\",\"granted\":false}"),
                     204);
    assert_int_equal(ask(fixture, none, "GET", "/api/v1/surveys/D2.0.1", NULL), 403);
}

static void rules_and_destinations_are_edited_without_a_restart(void **state)
{
    struct fixture *fixture = *state;
    const char *root = fixture_login(fixture, "root");
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/alert-rules",
                         "{\"rule\":\"busy\",\"kind\":\"negatives\",\"count\":5,\"share\":0.5}"),
                     204);
    lists(fixture, "root", "/api/v1/alert-rules", "rules", "rule",
          "appeal appeal_due archive busy clock_jump clock_suspect commission device_quiet "
          "fm_burst invalid_share negative "
          "negatives point_quiet silent_share");
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/alert-rules",
                         "{\"rule\":\"busy\",\"kind\":\"negatives\",\"count\":0}"),
                     400);
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/destinations",
                         "{\"destination\":\"team\",\"kind\":\"webhook\",\"secret\":\"hook\","
                         "\"url\":\"https://example.org/\"}"),
                     204);
    lists(fixture, "root", "/api/v1/destinations", "destinations", "destination", "team");
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/destinations/team/test", "{}"), 200);
    lists(fixture, "root", "/api/v1/deliveries", "deliveries", "state", "waiting");
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/destinations/who/test", "{}"), 404);
}

/* Nobody has a password sent to a server of their own by naming it as a mail server's. */
static void a_destination_takes_no_secret_that_is_of_something_else(void **state)
{
    struct fixture *fixture = *state;
    const char *root = fixture_login(fixture, "root");
    fixture_sql(fixture,
                "INSERT INTO archives (import, archive, kind, url, user, secret)"
                " SELECT max(import), 'nvr', 'dir', 'https://nvr/', 'u', 'nvr-password'"
                " FROM imports");
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/destinations",
                         "{\"destination\":\"team\",\"kind\":\"webhook\",\"secret\":\"hook\","
                         "\"url\":\"https://example.org/\"}"),
                     204);
    static const char *const secrets[] = {"nvr-password", "hook"};
    for (size_t i = 0; i < OKNO_COUNT(secrets); i++) {
        char body[400];
        (void)snprintf(body, sizeof(body),
                       "{\"destination\":\"out\",\"kind\":\"email\",\"secret\":\"%s\","
                       "\"user\":\"u\",\"url\":\"smtp://mail.example.org\","
                       "\"address\":\"a@example.org\",\"sender\":\"b@example.org\"}",
                       secrets[i]);
        assert_int_equal(ask(fixture, root, "POST", "/api/v1/destinations", body), 400);
    }
    assert_int_equal(ask(fixture, root, "POST", "/api/v1/destinations",
                         "{\"destination\":\"out\",\"kind\":\"webhook\",\"secret\":\"own\","
                         "\"old_secret\":\"nvr-password\",\"url\":\"https://example.org/\"}"),
                     400);
    lists(fixture, "root", "/api/v1/destinations", "destinations", "destination", "team");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_role_gets_its_own_sites_and_no_other),
        TEST(lists_leave_out_what_is_of_other_sites),
        TEST(indicators_hold_no_total_over_sites_of_others),
        TEST(indicators_name_no_employee_of_other_sites),
        TEST(a_refusal_says_why),
        TEST(a_route_that_says_nothing_of_sites_is_closed_to_who_sees_some),
        TEST(a_grant_of_the_api_counts_at_once),
        TEST(rules_and_destinations_are_edited_without_a_restart),
        TEST(a_destination_takes_no_secret_that_is_of_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From a negative rating in the database to the receiver, by the threads of the service. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/tasks.h"
#include "okno/event.h"

#include "../registry/imported.h"
#include "../support/fault.h"

static void put_secret(const char *dir)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/secrets", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/secrets/hook", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("a signing secret\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void put_facts(struct fixture *fixture, const char *url)
{
    char sql[1500];
    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO imports (import, at, author, kind, source) VALUES (1, 0, 't', 'sites', '-');"
        "INSERT INTO sites (import, site, name, time_zone) VALUES (1, 'S1', 'First shop', 'UTC');"
        "INSERT INTO points (import, point, site, name) VALUES (1, 'P1', 'S1', 'Till 1');"
        "INSERT INTO devices (import, device, point, valid_from) VALUES (1, 'D1', 'P1', 0);"
        "INSERT INTO destinations (import, destination, kind, url, secret) VALUES "
        "(1, 'team', 'webhook', '%s/hook', 'hook');"
        "INSERT INTO alert_rules (import, rule, kind, count, share_ppm, window_us, min_n, "
        "again_us, send_to) VALUES (1, 'negative', 'negative', 1, 1, 1, 1, 0, 'team');",
        url);
    fixture_sql(fixture, sql);
}

/* A press and a "no", imported as their device told them. */
static void put_negative(struct fixture *fixture)
{
    struct imported got;
    struct okno_err err = {0};
    char press[OKNO_TIME_TEXT];
    char no[OKNO_TIME_TEXT];
    char text[300];
    int64_t at_us = okno_time_now() - 60 * OKNO_SECOND_US;
    (void)snprintf(text, sizeof(text), "device,seq,time,kind\nD1,1,%s,press\nD1,2,%s,no\n",
                   okno_time_format(at_us, press), okno_time_format(at_us + OKNO_SECOND_US, no));
    assert_int_equal(import_as(fixture->db, &okno_event_import, text, &got, &err), 0);
    assert_int_equal(got.result.added, 2);
}

static void a_negative_rating_reaches_its_receiver_by_itself(void **state)
{
    (void)state;
    static const struct fault script[] = {FAULT_STATUS("204 No Content")};
    struct fixture *fixture = fixture_new();
    struct fault_server *server = fault_server_start(script, 1);
    struct tasks tasks = {
        .data_dir = fixture->dir, .conf = &fixture->conf, .public_url = "https://okno.example"};
    OKNO_AUTO(scheduler) *scheduler = NULL;
    struct okno_err err = {0};
    fixture->conf.notify.private_addresses = true;
    put_secret(fixture->dir);
    put_facts(fixture, fault_server_url(server));
    assert_int_equal(tasks_start(&tasks, 0, &scheduler, &err), 0);
    put_negative(fixture); /* by another connection, as an import would */
    assert_true(fault_server_await(server, 1));
    assert_non_null(
        strstr(fault_server_request(server, 0), "https://okno.example/#/surveys/D1.0.1"));
    assert_non_null(strstr(fault_server_request(server, 0), "First shop, Till 1"));
    scheduler_stop(okno_mem_take(&scheduler));
    fault_server_stop(server);
    fixture_free(fixture);
}

static const char *asked(struct fixture *fixture, const char *who, const char *body, int status)
{
    static char code[64];
    AUTO_ANSWER answer =
        client_request(fixture_port(fixture), "POST", "/api/v1/users/anna/destination", who, body);
    if (answer.status != status)
        fail_msg("%s: %d %s", body, answer.status, answer.body);
    code[0] = '\0';
    if (status >= 400)
        (void)snprintf(code, sizeof(code), "%s", answer_code(&answer));
    return code;
}

/* Where a person's own messages go is the administrator's to say, and shown with the person. */
static void a_person_has_a_destination(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_new();
    put_facts(fixture, "https://hooks.example");
    fixture_user(fixture, "anna", "staff");
    fixture_user(fixture, "root", "administrator");
    fixture_start(fixture);
    const char *root = fixture_login(fixture, "root");
    (void)asked(fixture, fixture_login(fixture, "anna"), "{\"destination\":\"team\"}", 403);
    assert_string_equal(asked(fixture, root, "{\"destination\":\"nowhere\"}", 400), "unknown_ref");
    (void)asked(fixture, root, "{\"destination\":\"team\"}", 204);
    AUTO_ANSWER users = client_request(fixture_port(fixture), "GET", "/api/v1/users", root, NULL);
    assert_non_null(strstr(users.body, "\"destination\":\"team\""));
    (void)asked(fixture, root, "{\"destination\":null}", 204);
    AUTO_ANSWER after = client_request(fixture_port(fixture), "GET", "/api/v1/users", root, NULL);
    assert_null(strstr(after.body, "\"destination\":\"team\""));
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_negative_rating_reaches_its_receiver_by_itself),
        cmocka_unit_test(a_person_has_a_destination),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

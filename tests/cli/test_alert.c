#define _POSIX_C_SOURCE 200809L
/* okno alert, notify, comment and user grant as a person runs them. */
#include "../survey/store.h"

#include "../audit/run_okno.h"

#include "okno/time.h"

#include <jansson.h>
#include <sys/stat.h>

static struct ran ran;

#define OKNO_RUN(store, input, ...) RUN_OKNO(&ran, input, "--data", (store)->dir, __VA_ARGS__)

/* A "no" of a minute ago. */
static int open_with_negative(void **state)
{
    char rows[300];
    char press[OKNO_TIME_TEXT];
    char no[OKNO_TIME_TEXT];
    int rc = store_open(state);
    struct store *store = *state;
    int64_t at_us = okno_time_now() - 60 * OKNO_SECOND_US;
    (void)snprintf(rows, sizeof(rows), "device,seq,time,kind\nd1,1,%s,press\nd1,2,%s,no\n",
                   okno_time_format(at_us, press), okno_time_format(at_us + OKNO_SECOND_US, no));
    put(store,
        "INSERT INTO users (user, name, role, password_hash, created_at) VALUES"
        " ('ann', '', 'manager', '', 2)");
    OKNO_RUN(store, rows, "import", "events", "-");
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    return rc;
}

static void put_team(struct store *store)
{
    put(store,
        "INSERT INTO destinations (import, destination, kind, url, secret) VALUES"
        " (1, 'team', 'webhook', 'https://example.org/x', 'hook')");
}

static void rules_are_imported_and_stand_beside_those_built_in(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "rule,kind,count,to\nbusy,negatives,7,team\n", "import", "alert_rules", "-");
    assert_int_equal(ran.exit_code, 4);
    assert_non_null(strstr(ran.err, "-:2: unknown_ref: to: there is no destination \"team\""));
    put_team(store);
    OKNO_RUN(store, "rule,kind,count,to\nbusy,negatives,7,team\n", "import", "alert_rules", "-");
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "alert", "rules");
    assert_non_null(strstr(ran.out, "busy"));
    assert_non_null(strstr(ran.out, "to team"));
    assert_non_null(strstr(ran.out, "device_quiet"));
    OKNO_RUN(store, "rule,kind,count\nbusy,negatives,0\n", "import", "alert_rules", "-");
    assert_int_equal(ran.exit_code, 4);
    assert_non_null(strstr(ran.err, "-:2: invalid: count"));
}

static void a_try_tells_what_would_open_and_leaves_no_trace(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "alert", "test", "--json");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "\"kind\":\"negative\""));
    OKNO_RUN(store, "", "alert", "list");
    assert_string_equal(ran.out, "");
    assert_string_equal(get(store, "SELECT count(*) FROM alerts"), "0");
}

static void a_comment_takes_a_rating_off_the_list(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "comment", "list", "--open");
    assert_non_null(strstr(ran.out, "d1.0.1"));
    OKNO_RUN(store, "", "comment", "add", "d1.0.1", "--text", "called back", "--tags",
             "QUEUE,SYSTEM");
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    OKNO_RUN(store, "", "comment", "list", "--open");
    assert_string_equal(ran.out, "");
    OKNO_RUN(store, "", "comment", "list");
    assert_non_null(strstr(ran.out, "called back"));
    OKNO_RUN(store, "", "comment", "reaction");
    assert_non_null(strstr(ran.out, "commented 1"));
    assert_non_null(strstr(ran.out, "QUEUE"));
    OKNO_RUN(store, "", "comment", "add", "d1.0.1", "--tags", "NONSENSE");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "no tag \"NONSENSE\""));
    OKNO_RUN(store, "", "comment", "add", "d9.0.9", "--text", "x");
    assert_int_equal(ran.exit_code, 3);
}

static void messages_and_destinations_can_be_looked_at(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "destination,kind,url,secret\nteam,webhook,https://example.org/x,hook\n",
             "import", "destinations", "-");
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "notify", "list", "--destinations", "--json");
    assert_non_null(strstr(ran.out, "\"destination\":\"team\""));
    OKNO_RUN(store, "", "notify", "test", "team"); /* its secret is not there */
    assert_int_equal(ran.exit_code, 1);
    assert_non_null(strstr(ran.err, "secret hook"));
    OKNO_RUN(store, "", "notify", "list");
    assert_non_null(strstr(ran.out, "waiting"));
    OKNO_RUN(store, "", "notify", "retry", "1");
    assert_int_equal(ran.exit_code, 3);
    OKNO_RUN(store, "", "notify", "retry");
    assert_int_equal(ran.exit_code, 2);
    OKNO_RUN(store, "", "notify", "test", "nobody");
    assert_int_equal(ran.exit_code, 3);
}

static void secrets_go_in_and_are_never_shown(void **state)
{
    struct store *store = *state;
    char path[200];
    struct stat st;
    put_team(store);
    OKNO_RUN(store, "", "secret", "list");
    assert_non_null(strstr(ran.out, "hook"));
    assert_non_null(strstr(ran.out, "missing"));
    OKNO_RUN(store, "s3cret-value\n", "secret", "set", "hook");
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    assert_string_equal(ran.out, "");
    (void)snprintf(path, sizeof(path), "%s/secrets/hook", store->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, strlen("s3cret-value"));
    OKNO_RUN(store, "", "secret", "set", "bot", "--make");
    assert_int_equal(strlen(ran.out), 44); /* 32 bytes and a line end */
    OKNO_RUN(store, "", "secret", "list", "--json");
    assert_non_null(strstr(
        ran.out, "{\"secret\":\"hook\",\"state\":\"kept\",\"used_by\":[\"destination:team\"]}"));
    assert_null(strstr(ran.out, "s3cret"));
    OKNO_RUN(store, "", "secret", "remove", "hook");
    assert_int_equal(ran.exit_code, 5);
    assert_non_null(strstr(ran.err, "used by destination:team"));
    OKNO_RUN(store, "", "secret", "remove", "bot");
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "secret", "remove", "bot");
    assert_int_equal(ran.exit_code, 3);
    OKNO_RUN(store, "x", "secret", "set", "../hook");
    assert_int_equal(ran.exit_code, 2);
    OKNO_RUN(store, "\n", "secret", "set", "empty");
    assert_int_equal(ran.exit_code, 2);
    assert_int_equal(chmod(path, 0644), 0);
    OKNO_RUN(store, "", "secret", "list");
    assert_non_null(strstr(ran.out, "open to others"));
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/secrets", store->dir);
    (void)rmdir(path);
}

static void two_rules_that_hit_one_rating_are_told_apart(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "rule,kind,where\nmall-no,negative,site:s1\n", "import", "alert_rules", "-");
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "alert", "test");
    assert_non_null(strstr(ran.out, "rule negative "));
    assert_non_null(strstr(ran.out, "rule mall-no "));
}

/* What waits for what: alerts keep their order, tests wait for tests only. */
static void a_message_says_what_it_waits_for_and_when_that_is_tried(void **state)
{
    struct store *store = *state;
    put_team(store);
    put(store,
        "INSERT INTO deliveries (destination, kind, key, body, state, attempts, next_at,"
        " give_up_at, made_at, reason) VALUES"
        " ('team', 'alert', 'k1', '{}', 'waiting', 3, 1900000000000000, 2000000000000000, 0,"
        "  'the receiver is in trouble (502)'),"
        " ('team', 'alert', 'k2', '{}', 'waiting', 0, 0, 2000000000000000, 0, '')");
    OKNO_RUN(store, "", "notify", "test", "team"); /* fails at its secret, not at what waits */
    assert_int_equal(ran.exit_code, 1);
    assert_non_null(strstr(ran.err, "message 3 to team is waiting: secret hook"));
    assert_non_null(strstr(ran.err, "; tried again at 20"));
    OKNO_RUN(store, "", "notify", "test", "team");
    assert_non_null(strstr(ran.err, "message 4 to team waits for message 3 (secret hook"));
    assert_non_null(strstr(ran.err, "which is tried next at 20"));
    OKNO_RUN(store, "", "notify", "list");
    assert_non_null(strstr(ran.out, "behind 1"));
}

static void doctor_tells_rules_and_messages_that_reach_nobody(void **state)
{
    struct store *store = *state;
    put_team(store);
    put(store,
        "INSERT INTO alert_rules (import, rule, kind, place, count, share_ppm, window_us,"
        " min_n, again_us, send_to) VALUES"
        " (1, 'gone', 'negative', 'site:s9', 1, 1, 60000000, 1, 0, 'crew');"
        "INSERT INTO deliveries (destination, kind, key, body, state, attempts, next_at,"
        " give_up_at, made_at, ended_at, reason) VALUES"
        " ('team', 'alert', 'k1', '{}', 'waiting', 3, 1900000000000000, 2000000000000000, 0,"
        "  NULL, 'the receiver is in trouble (502)'),"
        " ('team', 'alert', 'k2', '{}', 'dead', 1, 0, 0, 0, 1, 'no such message (413)'),"
        " ('team', 'test', 'k3', '{}', 'dead', 1, 0, 0, 0, 1, 'a test'),"
        " ('crew', 'alert', 'k4', '', 'dead', 0, 0, 0, 0, 1, 'no such destination')");
    OKNO_RUN(store, "", "doctor");
    assert_int_equal(ran.exit_code, 1);
    static const char *const parts[] = {
        "rule gone",
        "there is no site \"s9\" any more: it can never fire",
        "it tells \"crew\", which is not there",
        "1 message(s) wait, the oldest of 1970-01-01T00:00:00.000Z was tried 3 time(s), next at "
        "2030-03-17T17:46:40.000Z: the receiver is in trouble (502)",
        "1 dead message(s), the latest: no such message (413)",
        "secret hook",
        "1 message(s) for \"crew\" could not be sent"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!strstr(ran.out, parts[i]))
            fail_msg("\"%s\" is not in:\n%s", parts[i], ran.out);
}

static void sites_are_granted_and_taken_back(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "", "user", "grant", "ann", "--site", "s1");
    if (ran.exit_code != 0)
        fail_msg("%s", ran.err);
    OKNO_RUN(store, "", "user", "grants", "ann");
    assert_non_null(strstr(ran.out, "site:s1"));
    OKNO_RUN(store, "", "user", "grant", "--user", "ann", "--site", "s1", "--take-back");
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "", "user", "grants");
    assert_string_equal(ran.out, "");
    OKNO_RUN(store, "", "user", "grant", "ann");
    assert_int_equal(ran.exit_code, 2);
    OKNO_RUN(store, "", "user", "grant", "ann", "--site", "nowhere");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "there is no site \"nowhere\""));
}

static void a_new_manager_without_sites_is_pointed_out(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "long enough pass\n", "user", "add", "max", "--role", "manager",
             "--password-stdin");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.err, "sees nothing until sites are granted"));
    OKNO_RUN(store, "long enough pass\n", "user", "add", "eva", "--role", "manager", "--all-sites",
             "--password-stdin");
    assert_null(strstr(ran.err, "sees nothing"));
    assert_string_equal(get(store, "SELECT scope FROM granted_scopes WHERE user = 'eva'"), "all");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_with_negative, store_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rules_are_imported_and_stand_beside_those_built_in),
        TEST(a_try_tells_what_would_open_and_leaves_no_trace),
        TEST(a_comment_takes_a_rating_off_the_list),
        TEST(messages_and_destinations_can_be_looked_at),
        TEST(secrets_go_in_and_are_never_shown),
        TEST(two_rules_that_hit_one_rating_are_told_apart),
        TEST(a_message_says_what_it_waits_for_and_when_that_is_tried),
        TEST(doctor_tells_rules_and_messages_that_reach_nobody),
        TEST(sites_are_granted_and_taken_back),
        TEST(a_new_manager_without_sites_is_pointed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

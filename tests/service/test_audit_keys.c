/* Auditors' keys over HTTP: whose they are, and who may end them. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/http.h"

#define KEYS "/api/v1/audit-keys"
#define KEY                                                                                        \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl olga@home"

struct world {
    struct fixture *fixture;
    const char *olga, *eva, *root, *vera;
};

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fixture = fixture_new();
    fixture_user(world->fixture, "olga", "auditor");
    fixture_user(world->fixture, "eva", "auditor");
    fixture_user(world->fixture, "root", "administrator");
    fixture_user(world->fixture, "vera", "expert");
    fixture_start(world->fixture);
    world->olga = fixture_login(world->fixture, "olga");
    world->eva = fixture_login(world->fixture, "eva");
    world->root = fixture_login(world->fixture, "root");
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

/* The answer's document, which the caller drops. */
static json_t *ask(struct world *world, const char *method, const char *path, const char *who,
                   const char *body, int status)
{
    AUTO_ANSWER answer = client_request(fixture_port(world->fixture), method, path, who, body);
    if (answer.status != status)
        fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
    return answer_json(&answer);
}

static const char *field_of(const json_t *refusal)
{
    return json_text(json_object_get(refusal, "error"), "field");
}

static void an_auditor_registers_and_ends_the_own_key(void **state)
{
    struct world *world = *state;
    char path[200];
    struct okno_err err = {0};
    okno_autojson json_t *made =
        ask(world, "POST", KEYS, world->olga, "{\"key\":\"" KEY "\"}", 200);
    if (http_schema_check("AuditKeys", made, &err) < 0)
        fail_msg("%s", err.text);
    const json_t *key = json_array_get(json_object_get(made, "keys"), 0);
    assert_string_equal(json_text(key, "auditor"), "olga");
    assert_string_equal(json_text(key, "kind"), "ssh");
    assert_true(json_is_null(json_object_get(key, "revoked_at")));
    json_decref(ask(world, "POST", KEYS, world->eva, "{\"key\":\"" KEY "\"}", 409));
    (void)snprintf(path, sizeof(path), KEYS "/%s/revoke", json_text(key, "fingerprint"));
    okno_autojson json_t *other = ask(world, "POST", path, world->eva, "{}", 403);
    assert_non_null(strstr(json_text(json_object_get(other, "error"), "message"), "olga's"));
    okno_autojson json_t *ended = ask(world, "POST", path, world->olga, "{}", 200);
    assert_true(json_is_string(
        json_object_get(json_array_get(json_object_get(ended, "keys"), 0), "revoked_at")));
    json_decref(ask(world, "POST", path, world->olga, "{}", 409));
    json_decref(ask(world, "POST", KEYS, world->olga, "{\"key\":\"" KEY "\"}", 409));
    json_decref(ask(world, "POST", KEYS "/abc/revoke", world->olga, "{}", 404));
}

static void what_is_no_key_names_its_field(void **state)
{
    struct world *world = *state;
    static const char *const bodies[] = {"{\"key\":\"hello\"}",
                                         "{\"key\":\"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==\"}",
                                         "{\"key\":\"-----BEGIN OPENSSH PRIVATE KEY-----\"}"};
    for (size_t i = 0; i < OKNO_COUNT(bodies); i++) {
        okno_autojson json_t *refusal = ask(world, "POST", KEYS, world->olga, bodies[i], 400);
        assert_string_equal(field_of(refusal), "key");
    }
}

static void keys_are_the_auditors_to_give_and_no_experts_to_see(void **state)
{
    struct world *world = *state;
    json_decref(ask(world, "POST", KEYS, world->root, "{\"key\":\"" KEY "\"}", 403));
    json_decref(ask(world, "POST", KEYS, world->vera, "{\"key\":\"" KEY "\"}", 403));
    json_decref(ask(world, "GET", KEYS, world->vera, NULL, 403));
    okno_autojson json_t *list = ask(world, "GET", KEYS, world->root, NULL, 200);
    assert_int_equal(json_array_size(json_object_get(list, "keys")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_auditor_registers_and_ends_the_own_key, start, stop),
        cmocka_unit_test_setup_teardown(what_is_no_key_names_its_field, start, stop),
        cmocka_unit_test_setup_teardown(keys_are_the_auditors_to_give_and_no_experts_to_see, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

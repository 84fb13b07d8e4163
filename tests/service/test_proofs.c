/* Who vouches for an audit, and what retention does, over HTTP. */
#define _GNU_SOURCE
#include "client.h"

#include "../../src/service/http/handlers.h"
#include "../../src/service/http/http.h"
#include "../report/bundle.h"

#include <dirent.h>
#include <pthread.h>

struct world {
    struct fixture *fixture;
    const char *olga, *vera;
};

#define SHA "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

/* The service's database, written to as the rooms do. */
static void with_db(struct world *world, void (*work)(struct scratch_db *db))
{
    struct scratch_db db = {.db = NULL};
    (void)snprintf(db.dir, sizeof(db.dir), "%s", world->fixture->dir);
    assert_int_equal(okno_db_open(db.dir, false, &db.db, &db.err), 0);
    work(&db);
    okno_db_close(db.db);
}

static void make_audit(struct scratch_db *db)
{
    scratch_db_put(db, SURVEYS_SQL);
    close_audit_to_sign(db, OKNO_SIGNATURE_SSH);
    report(db);
    scratch_db_put(db,
                   "INSERT INTO points (import, point, site, name) VALUES"
                   " (1, 'p0', 'mall', 'Till'), (1, 'p1', 'mall', 'Desk')");
    scratch_db_put(
        db,
        "INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera,"
        " asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us, source,"
        " requests, bytes_read, software, made_at) VALUES ('d0.0.000', 'clip', '" SHA
        "', 1, 'video/mp4', 'h264', 'c', 0, 1, 0, 1, 0, 0, '[]', 1, 1, 'x', 1);"
        "INSERT INTO destructions (sha256, newest, kind, survey, bytes, at, rule, author) VALUES"
        " ('" SHA "', 1, 'clip', 'd0.0.000', 1, 86400000000, 'keep_days 9', 'x')");
}

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->fixture = fixture_new();
    fixture_user(world->fixture, "olga", "auditor");
    fixture_user(world->fixture, "vera", "expert");
    with_db(world, make_audit);
    fixture_start(world->fixture);
    world->olga = fixture_login(world->fixture, "olga");
    world->vera = fixture_login(world->fixture, "vera");
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;
    char command[200];
    (void)snprintf(command, sizeof(command), "cd %s && rm -rf keys exports exports.lock",
                   world->fixture->dir);
    assert_int_equal(system(command), 0);
    fixture_free(world->fixture);
    free(world);
    return 0;
}

static json_t *ask(struct world *world, const char *method, const char *path, const char *body,
                   int status)
{
    AUTO_ANSWER answer =
        client_request(fixture_port(world->fixture), method, path, world->olga, body);
    if (answer.status != status)
        fail_msg("%s %s: %d %s", method, path, answer.status, answer.body);
    return answer_json(&answer);
}

static void an_audit_is_signed_over_http(void **state)
{
    struct world *world = *state;
    struct okno_err err = {0};
    OKNO_AUTO_BUF signature = OKNO_BUF_INIT(OKNO_SIGNATURE_BYTES_MAX);
    okno_autojson json_t *before = ask(world, "GET", "/api/v1/audits/A1/proof", NULL, 200);
    if (http_schema_check("AuditProof", before, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(json_is_null(json_object_get(json_object_get(before, "signature"), "signature")));
    assert_non_null(strstr(json_string_value(json_object_get(before, "checkpoint_qr")), "<svg"));
    okno_autojson json_t *out = ask(world, "POST", "/api/v1/audits/A1/manifest", "{}", 200);
    const char *text = json_string_value(json_object_get(out, "manifest"));
    struct okno_note_signer other = auditor_of(6);
    struct okno_note_signer signer = auditor_of(5);
    assert_int_equal(okno_signature_make(&other, OKNO_SIGNATURE_SSH, OKNO_SIGNATURE_AUDIT, text,
                                         strlen(text), &signature, &err),
                     0);
    okno_autojson json_t *wrong = json_pack("{s:s}", "signature", okno_buf_text(&signature));
    okno_autofree char *wrong_text = json_dumps(wrong, 0);
    okno_autojson json_t *refused =
        ask(world, "POST", "/api/v1/audits/A1/signature", wrong_text, 409);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(refused, "error"), "field")),
        "signature");
    okno_buf_reset(&signature);
    assert_int_equal(okno_signature_make(&signer, OKNO_SIGNATURE_SSH, OKNO_SIGNATURE_AUDIT, text,
                                         strlen(text), &signature, &err),
                     0);
    okno_autojson json_t *right = json_pack("{s:s}", "signature", okno_buf_text(&signature));
    okno_autofree char *right_text = json_dumps(right, 0);
    okno_autojson json_t *after =
        ask(world, "POST", "/api/v1/audits/A1/signature", right_text, 200);
    assert_true(json_is_true(json_object_get(json_object_get(after, "signature"), "current")));
    AUTO_ANSWER blind = client_request(fixture_port(world->fixture), "GET",
                                       "/api/v1/audits/A1/proof", world->vera, NULL);
    assert_int_equal(blind.status, 403);
}

/* Names that lie in DATA/http-exports. */
static int64_t leftovers(struct world *world)
{
    char path[200];
    int64_t count = 0;
    (void)snprintf(path, sizeof(path), "%s/http-exports", world->fixture->dir);
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    if (dir)
        (void)closedir(dir);
    return count;
}

static void shell(const char *dir, const char *commands)
{
    char command[1000];
    (void)snprintf(command, sizeof(command), "cd %s && %s", dir, commands);
    assert_int_equal(system(command), 0);
}

/* A bundle as it came over HTTP, unpacked in `folder` and recomputed. */
static void must_verify(const struct answer *answer, const char *folder)
{
    struct okno_bundle_facts facts;
    struct okno_err err = {0};
    char path[300];
    if (answer->status != 200)
        fail_msg("%s", answer->body);
    (void)snprintf(path, sizeof(path), "%s/it.tar", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(answer->body, 1, answer->body_len, file), answer->body_len);
    assert_int_equal(fclose(file), 0);
    shell(folder, "tar -xf it.tar");
    (void)snprintf(path, sizeof(path), "%s/okno-A1", folder);
    if (okno_bundle_verify(path, NULL, &facts, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(facts.sample, 20);
}

static struct answer export_as(struct world *world, const char *who, const char *body)
{
    return client_request(fixture_port(world->fixture), "POST", "/api/v1/audits/A1/export", who,
                          body);
}

static void the_bundle_comes_as_one_file_that_verifies(void **state)
{
    struct world *world = *state;
    char *folder = support_tempdir();
    json_decref(ask(world, "POST", "/api/v1/audits/A1/export", "{}", 409)); /* nobody signed */
    AUTO_ANSWER answer =
        export_as(world, world->olga, "{\"public\":true,\"unsigned\":true,\"lang\":\"ru\"}");
    must_verify(&answer, folder);
    assert_string_equal(answer_header(&answer, "Content-Type"), "application/x-tar");
    assert_non_null(strstr(answer_header(&answer, "Content-Disposition"), "okno-A1-public.tar"));
    assert_int_equal(leftovers(world), 0);
    AUTO_ANSWER blind = export_as(world, world->vera, "{}");
    assert_int_equal(blind.status, 403);
    support_tempdir_remove(folder);
}

struct asking {
    pthread_t thread;
    struct world *world;
    struct answer answer;
};

static void *ask_for_bundle(void *argument)
{
    struct asking *asking = argument;
    asking->answer = export_as(asking->world, asking->world->olga, "{\"unsigned\":true}");
    return NULL;
}

static void bundles_asked_for_at_the_same_time_all_verify(void **state)
{
    struct asking asking[5];
    for (size_t i = 0; i < OKNO_COUNT(asking); i++) {
        asking[i].world = *state;
        assert_int_equal(pthread_create(&asking[i].thread, NULL, ask_for_bundle, &asking[i]), 0);
    }
    for (size_t i = 0; i < OKNO_COUNT(asking); i++) {
        char *folder = support_tempdir();
        assert_int_equal(pthread_join(asking[i].thread, NULL), 0);
        must_verify(&asking[i].answer, folder);
        answer_free(&asking[i].answer);
        support_tempdir_remove(folder);
    }
}

static void what_killed_exports_left_is_swept_and_nothing_else(void **state)
{
    struct world *world = *state;
    const char *dir = world->fixture->dir;
    http_export_sweep(dir); /* nothing there: nothing to do */
    shell(dir,
          "mkdir -p http-exports/aaaaaa http-exports/bbbbbb/bundle/data exports/aaaaaa/data &&"
          " touch http-exports/bbbbbb/bundle/data/part && ln -s ../../exports http-exports/cccccc");
    http_export_sweep(dir);
    shell(dir, "test ! -e http-exports && test -d exports/aaaaaa/data && rm -r exports");
}

static void the_log_is_proven_to_go_on_over_http(void **state)
{
    struct world *world = *state;
    okno_autojson json_t *proof = ask(world, "GET", "/api/v1/log/consistency?from=2", NULL, 200);
    assert_non_null(strstr(json_string_value(json_object_get(proof, "proof")), "old 2\n"));
    json_decref(ask(world, "GET", "/api/v1/log/consistency", NULL, 400));
    json_decref(ask(world, "GET", "/api/v1/log/consistency?from=x", NULL, 400));
    json_decref(ask(world, "GET", "/api/v1/log/consistency?from=2&to=99999", NULL, 404));
}

static void holds_and_retention_are_shown_over_http(void **state)
{
    struct world *world = *state;
    struct okno_err err = {0};
    okno_autojson json_t *kept = ask(world, "GET", "/api/v1/retention", NULL, 200);
    if (http_schema_check("Retention", kept, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(json_integer_value(json_object_get(kept, "keep_days")), 0);
    json_decref(ask(world, "POST", "/api/v1/holds", "{\"reason\":\"x\"}", 400));
    okno_autojson json_t *holds =
        ask(world, "POST", "/api/v1/holds", "{\"audit\":\"A1\",\"reason\":\"court\"}", 200);
    assert_int_equal(json_array_size(json_object_get(holds, "holds")), 1);
    json_decref(ask(world, "POST", "/api/v1/holds/1/release", "{\"reason\":\"over\"}", 200));
    json_decref(ask(world, "POST", "/api/v1/holds/1/release", "{\"reason\":\"over\"}", 409));
    json_decref(ask(world, "POST", "/api/v1/holds/x/release", "{\"reason\":\"over\"}", 404));
}

static void destroyed_evidence_says_so(void **state)
{
    struct world *world = *state;
    okno_autojson json_t *gone = ask(world, "GET", "/api/v1/evidence/" SHA ".mp4", NULL, 410);
    assert_non_null(
        strstr(json_string_value(json_object_get(json_object_get(gone, "error"), "message")),
               "destroyed on 1970-01-02T00:00:00.000Z, by rule keep_days 9"));
    okno_autojson json_t *dossier = ask(world, "GET", "/api/v1/surveys/d0.0.000", NULL, 200);
    const json_t *one = json_array_get(json_object_get(dossier, "evidence"), 0);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(one, "destroyed"), "rule")),
        "keep_days 9");
    assert_true(json_is_null(json_object_get(one, "url")));
    assert_string_equal(json_string_value(json_object_get(one, "sha256")), SHA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bundle_comes_as_one_file_that_verifies),
        cmocka_unit_test(an_audit_is_signed_over_http),
        cmocka_unit_test(bundles_asked_for_at_the_same_time_all_verify),
        cmocka_unit_test(what_killed_exports_left_is_swept_and_nothing_else),
        cmocka_unit_test(the_log_is_proven_to_go_on_over_http),
        cmocka_unit_test(holds_and_retention_are_shown_over_http),
        cmocka_unit_test(destroyed_evidence_says_so),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

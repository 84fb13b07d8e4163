#define _POSIX_C_SOURCE 200809L
/* Time stamps of an authority run by openssl, and witnesses with keys of the test. */
#include "../support/scratch_db.h"
#include "../support/tempdir.h"
#include "../support/tsa.h"
#include "../support/witness.h"

#include "../audit/run_okno.h"

#include "okno/anchor.h"
#include "okno/ledger.h"
#include "okno/time.h"

#include <signal.h>
#include <sodium.h>
#include <string.h>

static char *folder;

static int make(void **state)
{
    (void)state;
    folder = support_tempdir();
    assert_int_equal(tsa_make(folder), 0);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    support_tempdir_remove(folder);
    return 0;
}

static int setup(void **state)
{
    *state = scratch_db_new();
    return 0;
}

static int teardown(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static void must(struct scratch_db *f, int rc)
{
    if (rc < 0)
        fail_msg("%s", f->err.text);
}

static void must_fail(struct scratch_db *f, int rc, int code, const char *words)
{
    if (rc != code || !strstr(f->err.text, words))
        fail_msg("%d `%s` is not %d `%s`", rc, f->err.text, code, words);
    okno_err_clear(&f->err);
}

static void run(const char *commands)
{
    char line[1500];
    (void)snprintf(line, sizeof(line), "cd %s && { %s; } > /dev/null 2>&1", folder, commands);
    if (system(line) != 0)
        fail_msg("this failed: %s", commands);
}

static void write_file(const char *name, const struct okno_buf *bytes)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    okno_autofclose FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
}

static void read_file(const char *name, struct okno_buf *to)
{
    char path[400];
    char chunk[8192];
    size_t got;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    okno_autofclose FILE *file = fopen(path, "re");
    assert_non_null(file);
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
        assert_int_equal(okno_buf_add(to, chunk, got, NULL), 0);
}

static void append(struct scratch_db *f, int64_t number)
{
    const struct okno_ledger_entry entry = {.kind = "test", .subject = number, .at_us = number};
    okno_autojson json_t *json = json_pack("{s:I}", "number", (json_int_t)number);
    must(f, okno_db_begin(f->db, &f->err));
    must(f, okno_ledger_append(f->db, &entry, json, NULL, &f->err));
    must(f, okno_db_commit(f->db, &f->err));
}

static struct okno_checkpoint checkpoint(struct scratch_db *f, struct okno_buf *note)
{
    struct okno_checkpoint made;
    append(f, 1);
    must(f, okno_ledger_checkpoint(f->db, NULL, okno_time_now(), &made, note, &f->err));
    return made;
}

/* A request out, answered by openssl; the reply's bytes. */
static void ask(struct scratch_db *f, const char *policy, struct okno_buf *reply)
{
    OKNO_AUTO_BUF request = OKNO_BUF_INIT(4096);
    must(f, okno_anchor_request(f->db, NULL, policy, okno_time_now(), &request, &f->err));
    write_file("a.tsq", &request);
    run("openssl ts -query -in a.tsq -text | grep -q sha256");
    run("openssl ts -reply -config tsa.conf -queryfile a.tsq -out a.tsr");
    read_file("a.tsr", reply);
}

static int take(struct scratch_db *f, const struct okno_buf *reply, const char *ca_file,
                const char *policy, struct okno_stamp *ret_stamp)
{
    OKNO_AUTO_BUF ca = OKNO_BUF_INIT(OKNO_STAMP_CA_BYTES_MAX);
    read_file(ca_file, &ca);
    return okno_anchor_stamp(f->db, okno_buf_text(reply), reply->len, okno_buf_text(&ca), policy,
                             okno_time_now(), ret_stamp, &f->err);
}

static void a_time_stamp_is_asked_for_and_taken_in(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    okno_autojson json_t *list = NULL;
    struct okno_stamp stamp;
    (void)checkpoint(f, &note);
    ask(f, "1.2.3.4.2", &reply);
    must(f, take(f, &reply, "root.pem", "1.2.3.4.2", &stamp));
    assert_string_equal(stamp.authority, "Time of tests");
    assert_string_equal(stamp.policy, "1.2.3.4.2");
    int64_t off = okno_time_now() - stamp.at_us;
    assert_true(off >= -OKNO_SECOND_US && off < 120 * OKNO_SECOND_US);
    must_fail(f, take(f, &reply, "root.pem", "", &stamp), OKNO_CONFLICT, "taken in already");
    must(f, okno_anchor_list(f->db, &list, &f->err));
    assert_int_equal(json_array_size(list), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "size")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "entry")), 1);
}

static void what_is_wrong_with_a_time_stamp_is_said(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    OKNO_AUTO_BUF other = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    OKNO_AUTO_BUF bare = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    OKNO_AUTO_BUF refused = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    struct okno_stamp stamp;
    must_fail(f, okno_anchor_request(f->db, NULL, "", 1, &reply, &f->err), OKNO_NOT_FOUND,
              "okno log checkpoint");
    (void)checkpoint(f, &note);
    must_fail(f, okno_anchor_request(f->db, NULL, "none", 1, &reply, &f->err), OKNO_INVALID,
              "is no OID");
    ask(f, "", &reply);
    must_fail(f, take(f, &reply, "other.pem", "", &stamp), OKNO_CHECK_FAILED,
              "not by a trusted authority");
    must_fail(f, take(f, &reply, "tsa.conf", "", &stamp), OKNO_INVALID, "holds none");
    must_fail(f, take(f, &reply, "root.pem", "1.2.3.4.2", &stamp), OKNO_CHECK_FAILED,
              "under policy 1.2.3.4.1, not 1.2.3.4.2");
    run("printf x > x; openssl ts -query -data x -sha256 -cert -out b.tsq;"
        "openssl ts -reply -config tsa.conf -queryfile b.tsq -out b.tsr;"
        "openssl ts -query -data x -sha256 -cert -no_nonce -out c.tsq;"
        "openssl ts -reply -config tsa.conf -queryfile c.tsq -out c.tsr;"
        "openssl ts -query -data x -sha512 -out d.tsq;"
        "openssl ts -reply -config tsa.conf -queryfile d.tsq -out d.tsr");
    read_file("b.tsr", &other);
    must_fail(f, take(f, &other, "root.pem", "", &stamp), OKNO_NOT_FOUND, "answers no request");
    read_file("c.tsr", &bare);
    must_fail(f, take(f, &bare, "root.pem", "", &stamp), OKNO_NOT_FOUND, "nonce is missing");
    read_file("d.tsr", &refused);
    must_fail(f, take(f, &refused, "root.pem", "", &stamp), OKNO_REFUSED, "refused");
    reply.len--;
    must_fail(f, take(f, &reply, "root.pem", "", &stamp), OKNO_MALFORMED, "no time stamp reply");
}

static void a_stamp_over_something_else_is_not_the_checkpoints(void **state)
{
    OKNO_AUTO_BUF request = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    OKNO_AUTO_BUF ca = OKNO_BUF_INIT(OKNO_STAMP_CA_BYTES_MAX);
    struct okno_stamp stamp;
    struct okno_err err = {0};
    char nonce[OKNO_STAMP_NONCE_TEXT];
    uint8_t digest[OKNO_SHA256_BYTES] = {1};
    (void)state;
    assert_int_equal(okno_stamp_request(digest, "", nonce, &request, &err), 0);
    write_file("e.tsq", &request);
    run("openssl ts -reply -config tsa.conf -queryfile e.tsq -out e.tsr");
    read_file("e.tsr", &reply);
    read_file("root.pem", &ca);
    struct okno_stamp_want want = {.digest = digest, .nonce = nonce, .ca = okno_buf_text(&ca)};
    if (okno_stamp_check(reply.data, reply.len, &want, &stamp, &err) < 0)
        fail_msg("%s", err.text);
    want.nonce = "4000000000000000";
    assert_int_equal(okno_stamp_check(reply.data, reply.len, &want, &stamp, &err),
                     OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "answers another request"));
    okno_err_clear(&err);
    want.nonce = NULL;
    uint8_t other[OKNO_SHA256_BYTES] = {2};
    want.digest = other;
    assert_int_equal(okno_stamp_check(reply.data, reply.len, &want, &stamp, &err),
                     OKNO_CHECK_FAILED);
    assert_non_null(strstr(err.text, "over another text"));
    want.digest = digest;
    for (size_t i = 0; i < reply.len; i++) { /* no byte may change unnoticed but the lengthy ones */
        struct okno_stamp found;
        reply.data[i] ^= 1;
        if (okno_stamp_check(reply.data, reply.len, &want, &found, NULL) == 0 &&
            found.at_us != stamp.at_us)
            fail_msg("byte %zu changes the time unnoticed", i);
        reply.data[i] ^= 1;
    }
}

static FILE *start_tsa(char ret_url[64], pid_t *ret_pid)
{
    char line[500];
    int port = 0;
    int pid = 0;
    (void)snprintf(line, sizeof(line), "exec python3 tests/ledger/tsa.py %s", folder);
    FILE *pipe = popen(line, "re");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d %d", &port, &pid), 2);
    (void)snprintf(ret_url, 64, "http://127.0.0.1:%d/tsa", port);
    *ret_pid = pid;
    return pipe;
}

static void an_authority_is_asked_over_http(void **state)
{
    struct scratch_db *f = *state;
    char url[64];
    char wrong[80];
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF request = OKNO_BUF_INIT(4096);
    OKNO_AUTO_BUF reply = OKNO_BUF_INIT(OKNO_STAMP_BYTES_MAX);
    struct okno_stamp stamp;
    (void)checkpoint(f, &note);
    must(f, okno_anchor_request(f->db, NULL, "", okno_time_now(), &request, &f->err));
    pid_t pid = 0;
    FILE *pipe = start_tsa(url, &pid);
    int rc = okno_stamp_fetch(url, &request, &reply, &f->err);
    (void)snprintf(wrong, sizeof(wrong), "%s/none", url);
    struct okno_err err = {0};
    int missing = okno_stamp_fetch(wrong, &request, &reply, &err);
    (void)kill(pid, SIGTERM);
    (void)pclose(pipe);
    must(f, rc);
    assert_int_equal(missing, OKNO_PROTOCOL);
    assert_non_null(strstr(err.text, "HTTP 400"));
    must(f, take(f, &reply, "root.pem", "", &stamp));
    struct okno_err gone = {0};
    assert_int_equal(okno_stamp_fetch(url, &request, &reply, &gone), OKNO_TRANSIENT);
}

/* ---- witnesses ---- */

static void declared_witnesses_count_and_others_do_not(void **state)
{
    struct scratch_db *f = *state;
    struct witness one = witness_of("witness.example/one", 1);
    struct witness two = witness_of("witness.example/two", 2);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF both = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF alone = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    okno_autojson json_t *list = NULL;
    int count = 0;
    (void)checkpoint(f, &note);
    cosign(&one, 1773126000, &note, &both);
    cosign(&two, 1773126001, &note, &both);
    must_fail(f, okno_anchor_cosign(f->db, okno_buf_text(&both), both.len, 7, &count, &f->err),
              OKNO_NOT_FOUND, "no declared witness");
    must(f, okno_anchor_add_witness(f->db, &one.key, "eva", 5, &f->err));
    must_fail(f, okno_anchor_add_witness(f->db, &one.key, "eva", 5, &f->err), OKNO_CONFLICT,
              "declared already");
    must(f, okno_anchor_cosign(f->db, okno_buf_text(&both), both.len, 7, &count, &f->err));
    assert_int_equal(count, 1);
    must(f, okno_anchor_cosign(f->db, okno_buf_text(&both), both.len, 8, &count, &f->err));
    assert_int_equal(count, 0); /* the same once more */
    must(f, okno_anchor_list(f->db, &list, &f->err));
    assert_int_equal(json_array_size(list), 1);
    const json_t *anchor = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(anchor, "name")), "witness.example/one");
    assert_string_equal(json_string_value(json_object_get(anchor, "anchored_at")),
                        "2026-03-10T07:00:00.000Z");
    assert_true(json_is_true(json_object_get(anchor, "ahead"))); /* taken in by a clock in 1970 */
    must(f, okno_anchor_revoke_witness(f->db, "witness.example/one", "eva", 9, &f->err));
    cosign(&one, 1773126002, &note, &alone);
    must_fail(f, okno_anchor_cosign(f->db, okno_buf_text(&alone), alone.len, 9, &count, &f->err),
              OKNO_NOT_FOUND, "no declared witness");
}

static void a_cosignature_over_another_checkpoint_is_refused(void **state)
{
    struct scratch_db *f = *state;
    struct witness one = witness_of("w", 1);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF later = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF good = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF mixed = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    int count = 0;
    must(f, okno_anchor_add_witness(f->db, &one.key, "eva", 5, &f->err));
    (void)checkpoint(f, &note);
    (void)checkpoint(f, &later);
    cosign(&one, 100, &note, &good);
    must(f, okno_buf_add(&mixed, later.data, later.len, &f->err));
    must(f, okno_buf_add_text(&mixed, okno_buf_text(&good) + note.len, &f->err));
    must_fail(f, okno_anchor_cosign(f->db, okno_buf_text(&mixed), mixed.len, 7, &count, &f->err),
              OKNO_CHECK_FAILED, "is not over this checkpoint");
    good.data[strlen(one.key.name)] ^= 1; /* in the origin */
    must_fail(f, okno_anchor_cosign(f->db, okno_buf_text(&good), good.len, 7, &count, &f->err),
              OKNO_NOT_FOUND, "no checkpoint that was handed out");
    must_fail(f, okno_anchor_cosign(f->db, "x", 1, 7, &count, &f->err), OKNO_MALFORMED,
              "no signed");
}

static void five_minutes_ahead_is_no_remark(void **state)
{
    (void)state;
    const int64_t now = 1773126000 * (int64_t)OKNO_SECOND_US;
    assert_false(okno_witness_is_ahead(now - 86400 * OKNO_SECOND_US, now));
    assert_false(okno_witness_is_ahead(now + 300 * OKNO_SECOND_US, now));
    assert_true(okno_witness_is_ahead(now + 301 * OKNO_SECOND_US, now));
}

static void a_witness_from_the_future_is_said(void **state)
{
    struct scratch_db *f = *state;
    struct witness one = witness_of("w", 1);
    static struct ran ran;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF good = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF future = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    must(f, okno_anchor_add_witness(f->db, &one.key, "eva", 5, &f->err));
    (void)checkpoint(f, &note);
    cosign(&one, okno_time_now() / OKNO_SECOND_US, &note, &good);
    cosign(&one, okno_time_now() / OKNO_SECOND_US + 3600, &note, &future);
    RUN_OKNO(&ran, okno_buf_text(&good), "--data", f->dir, "log", "cosign", "-");
    assert_string_equal(ran.out, "good     1 new cosignature\n");
    RUN_OKNO(&ran, okno_buf_text(&future), "--data", f->dir, "log", "cosign", "-");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "good     1 new cosignature\nahead    w tells "));
    RUN_OKNO(&ran, "", "--data", f->dir, "log", "anchors");
    const char *mark = strstr(ran.out, "AHEAD");
    assert_true(mark && !strstr(mark + 1, "AHEAD"));
}

static void keys_of_logs_are_no_keys_of_witnesses(void **state)
{
    struct okno_note_key key;
    struct okno_note_signer signer;
    char text[OKNO_NOTE_KEY_TEXT];
    struct okno_err err = {0};
    uint8_t seed[32] = {7};
    (void)state;
    assert_int_equal(okno_note_signer_make("log", seed, &signer, &err), 0);
    assert_int_equal(okno_witness_parse(okno_note_key_format(&signer.key, text), &key, &err),
                     OKNO_UNSUPPORTED);
    struct witness one = witness_of("w", 1);
    assert_int_equal(okno_witness_parse(one.text, &key, NULL), 0);
    assert_memory_equal(&key, &one.key, sizeof(key));
    one.text[3] ^= 1;
    assert_int_equal(okno_witness_parse(one.text, &key, NULL), OKNO_MALFORMED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_time_stamp_is_asked_for_and_taken_in),
        TEST(what_is_wrong_with_a_time_stamp_is_said),
        cmocka_unit_test(a_stamp_over_something_else_is_not_the_checkpoints),
        TEST(an_authority_is_asked_over_http),
        TEST(declared_witnesses_count_and_others_do_not),
        TEST(a_cosignature_over_another_checkpoint_is_refused),
        cmocka_unit_test(five_minutes_ahead_is_no_remark),
        TEST(a_witness_from_the_future_is_said),
        cmocka_unit_test(keys_of_logs_are_no_keys_of_witnesses),
    };
    return cmocka_run_group_tests(tests, make, drop);
}

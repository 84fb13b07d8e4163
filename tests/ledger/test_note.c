#define _POSIX_C_SOURCE 200809L
#include "okno/json.h"
#include "okno/mem.h"
#include "okno/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static json_t *fixture;
static struct okno_note_signer signer;

static const char *text_of(const char *key)
{
    return json_string_value(json_object_get(fixture, key));
}

static struct okno_digest digest_of(const char *hex)
{
    struct okno_digest digest;
    for (size_t i = 0; i < sizeof(digest.bytes); i++) {
        unsigned value = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        digest.bytes[i] = (uint8_t)value;
    }
    return digest;
}

static int load(void **state)
{
    (void)state;
    fixture = json_load_file("fixtures/evidence/log.json", 0, NULL);
    struct okno_digest seed = digest_of(text_of("seed"));
    return okno_note_signer_make("survey.example/audit-log", seed.bytes, &signer, NULL);
}

static int drop(void **state)
{
    (void)state;
    json_decref(fixture);
    return 0;
}

static struct okno_digest last_root(void)
{
    return digest_of(json_string_value(json_array_get(json_object_get(fixture, "roots"), 7)));
}

static void the_published_key_and_checkpoint_come_out(void **state)
{
    char text[OKNO_NOTE_KEY_TEXT];
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_digest root = last_root();
    (void)state;
    assert_string_equal(okno_note_key_format(&signer.key, text), text_of("vkey"));
    assert_int_equal(okno_checkpoint_sign(&signer, 8, &root, &note, NULL), 0);
    assert_string_equal(okno_buf_text(&note), text_of("checkpoint"));
}

static void keys_are_read_back_as_they_were_written(void **state)
{
    char text[OKNO_NOTE_KEY_TEXT];
    struct okno_note_key key;
    struct okno_note_signer again;
    (void)state;
    assert_int_equal(okno_note_key_parse(text_of("vkey"), &key, NULL), 0);
    assert_memory_equal(key.public_key, signer.key.public_key, 32);
    assert_int_equal(okno_note_signer_parse(okno_note_signer_format(&signer, text), &again, NULL),
                     0);
    assert_memory_equal(again.seed, signer.seed, 32);
}

static void a_broken_key_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "name",
        "survey.example/audit-log+d502534c+",
        "survey.example/audit-log+d502534d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "survey.example/audit-log+D502534C+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "survey.example/audit log+d502534c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "survey.example/audit-log+d502534c+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "survey.example/audit-log+d502534c+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\nx",
    };
    struct okno_note_key key;
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(bad); i++)
        assert_int_equal(okno_note_key_parse(bad[i], &key, NULL), OKNO_MALFORMED);
}

static void every_changed_byte_of_a_checkpoint_is_noticed(void **state)
{
    const char *good = text_of("checkpoint");
    size_t len = strlen(good);
    struct okno_checkpoint checkpoint;
    (void)state;
    assert_int_equal(okno_checkpoint_open(good, len, &signer.key, &checkpoint, NULL), 0);
    assert_int_equal(checkpoint.size, 8);
    okno_autofree char *bad = malloc(len + 1);
    for (size_t at = 0; at < len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bad, good, len + 1);
            bad[at] = (char)(bad[at] ^ 1 << bit);
            assert_true(okno_checkpoint_open(bad, len, &signer.key, &checkpoint, NULL) < 0);
        }
        assert_true(okno_checkpoint_open(good, at, &signer.key, &checkpoint, NULL) < 0);
    }
}

static void a_signature_of_somebody_else_does_no_harm_and_no_good(void **state)
{
    struct okno_note_signer other;
    struct okno_checkpoint checkpoint;
    uint8_t seed[32] = {7};
    char with[1024];
    (void)state;
    assert_int_equal(okno_note_signer_make("witness.example", seed, &other, NULL), 0);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    assert_int_equal(okno_note_sign(&other, "a\n1\nb\n", &note, NULL), 0);
    const char *line = strstr(okno_buf_text(&note), "\n\n") + 2;
    (void)snprintf(with, sizeof(with), "%s%s", text_of("checkpoint"), line);
    assert_int_equal(okno_checkpoint_open(with, strlen(with), &signer.key, &checkpoint, NULL), 0);
    const char *good = text_of("checkpoint");
    assert_int_equal(okno_checkpoint_open(good, strlen(good), &other.key, &checkpoint, NULL),
                     OKNO_CHECK_FAILED);
}

static void a_note_that_is_signed_but_no_checkpoint_is_refused(void **state)
{
    static const char *const bad[] = {
        "survey.example/audit-log\n8\n",
        "survey.example/audit-log\n08\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n",
        "survey.example/audit-log\n-8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n",
        "survey.example/audit-log\n9999999999999999\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/"
        "RgQyg=\n",
        "survey.example/audit-log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg\n",
        "survey.example/audit-log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\nmore\n",
        "other.example\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n",
    };
    struct okno_checkpoint checkpoint;
    (void)state;
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
        assert_int_equal(okno_note_sign(&signer, bad[i], &note, NULL), 0);
        assert_true(okno_checkpoint_open(okno_buf_text(&note), note.len, &signer.key, &checkpoint,
                                         NULL) < 0);
    }
}

static void a_proof_holds_for_its_entry_only(void **state)
{
    struct okno_digest leaf = okno_merkle_leaf("one", 3);
    struct okno_digest second = okno_merkle_leaf("two", 3);
    struct okno_digest root = okno_merkle_node(&leaf, &second);
    struct okno_proof proof = {.count = 1, .path = {second}};
    struct okno_checkpoint checkpoint;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    int64_t place = -1;
    (void)state;
    assert_int_equal(okno_checkpoint_sign(&signer, 2, &root, &note, NULL), 0);
    assert_int_equal(okno_tlog_proof_write(0, &proof, okno_buf_text(&note), &text, NULL), 0);
    const char *made = okno_buf_text(&text);
    assert_int_equal(
        okno_tlog_proof_check(made, text.len, &signer.key, &leaf, &place, &checkpoint, NULL), 0);
    assert_int_equal(place, 0);
    assert_int_equal(
        okno_tlog_proof_check(made, text.len, &signer.key, &second, &place, &checkpoint, NULL),
        OKNO_CHECK_FAILED);
    for (size_t len = 0; len < text.len; len++)
        assert_true(
            okno_tlog_proof_check(made, len, &signer.key, &leaf, &place, &checkpoint, NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_key_and_checkpoint_come_out),
        cmocka_unit_test(keys_are_read_back_as_they_were_written),
        cmocka_unit_test(a_broken_key_is_refused),
        cmocka_unit_test(every_changed_byte_of_a_checkpoint_is_noticed),
        cmocka_unit_test(a_signature_of_somebody_else_does_no_harm_and_no_good),
        cmocka_unit_test(a_note_that_is_signed_but_no_checkpoint_is_refused),
        cmocka_unit_test(a_proof_holds_for_its_entry_only),
    };
    return cmocka_run_group_tests(tests, load, drop);
}

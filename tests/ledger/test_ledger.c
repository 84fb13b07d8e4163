#define _POSIX_C_SOURCE 200809L
#include "../support/scratch_db.h"
#include "okno/json.h"
#include "okno/ledger.h"

#include <string.h>
#include <sys/stat.h>

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

static int append(struct scratch_db *f, int64_t number, int64_t *ret_leaf)
{
    const struct okno_ledger_entry entry = {
        .kind = "test", .subject = number, .salt = "00", .at_us = number};
    okno_autojson json_t *json = json_pack("{s:I}", "number", (json_int_t)number);
    int rc = okno_db_begin(f->db, &f->err);
    if (rc == 0)
        rc = okno_ledger_append(f->db, &entry, json, ret_leaf, &f->err);
    if (rc == 0)
        return okno_db_commit(f->db, &f->err);
    okno_db_rollback(f->db);
    return rc;
}

static void fill(struct scratch_db *f, int64_t from, int64_t to)
{
    int64_t leaf = -1;
    for (int64_t i = from; i < to; i++) {
        if (append(f, i, &leaf) < 0)
            fail_msg("%s", f->err.text);
        assert_int_equal(leaf, i);
    }
}

static struct okno_checkpoint sign(struct scratch_db *f, struct okno_buf *note)
{
    struct okno_checkpoint checkpoint = {.size = 0};
    if (okno_ledger_checkpoint(f->db, NULL, 1, &checkpoint, note, &f->err) < 0)
        fail_msg("%s", f->err.text);
    return checkpoint;
}

static void every_entry_is_proven_by_the_root_kept(void **state)
{
    struct scratch_db *f = *state;
    struct okno_note_key key;
    fill(f, 0, 13);
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    struct okno_checkpoint checkpoint = sign(f, &note);
    assert_int_equal(checkpoint.size, 13);
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), 0);
    for (int64_t leaf = 0; leaf < 13; leaf++) {
        OKNO_AUTO_BUF line = OKNO_BUF_INIT(1000);
        OKNO_AUTO_BUF proof = OKNO_BUF_INIT(10000);
        struct okno_checkpoint seen;
        int64_t found = -1;
        assert_int_equal(okno_ledger_line(f->db, leaf, &line, &f->err), 0);
        assert_int_equal(okno_ledger_prove(f->db, leaf, 13, okno_buf_text(&note), &proof, &f->err),
                         0);
        struct okno_digest hash = okno_merkle_leaf(line.data, line.len);
        assert_int_equal(
            okno_tlog_proof_check(proof.data, proof.len, &key, &hash, &found, &seen, &f->err), 0);
        assert_int_equal(found, leaf);
    }
}

static void a_line_is_canonical_and_names_kind_and_time(void **state)
{
    struct scratch_db *f = *state;
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(1000);
    fill(f, 0, 1);
    assert_int_equal(okno_ledger_line(f->db, 0, &line, &f->err), 0);
    assert_string_equal(okno_buf_text(&line), "{\"at\":0,\"kind\":\"test\",\"number\":0}");
    assert_int_equal(okno_ledger_line(f->db, 1, &line, &f->err), OKNO_NOT_FOUND);
}

static void an_entry_goes_with_the_transaction_that_made_it(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_ledger_entry entry = {.kind = "test"};
    okno_autojson json_t *json = json_object();
    int64_t size = -1;
    assert_int_equal(okno_db_begin(f->db, &f->err), 0);
    assert_int_equal(okno_ledger_append(f->db, &entry, json, NULL, &f->err), 0);
    okno_db_rollback(f->db);
    assert_int_equal(okno_ledger_size(f->db, &size, &f->err), 0);
    assert_int_equal(size, 0);
}

static void an_entry_past_its_limit_is_refused(void **state)
{
    struct scratch_db *f = *state;
    const struct okno_ledger_entry entry = {.kind = "test"};
    okno_autofree char *text = malloc(OKNO_LEDGER_LINE_MAX + 1);
    memset(text, 'x', OKNO_LEDGER_LINE_MAX);
    text[OKNO_LEDGER_LINE_MAX] = '\0';
    okno_autojson json_t *json = json_pack("{s:s}", "text", text);
    assert_int_equal(okno_ledger_append(f->db, &entry, json, NULL, &f->err), OKNO_TOO_LARGE);
}

static bool sql_works(struct scratch_db *f, const char *sql)
{
    char path[80];
    sqlite3 *sqlite = NULL;
    (void)snprintf(path, sizeof(path), "%s/okno.db", f->dir);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    int code = sqlite3_exec(sqlite, sql, NULL, NULL, NULL);
    (void)sqlite3_close(sqlite);
    return code == SQLITE_OK;
}

static void the_table_takes_nothing_but_the_next_entry(void **state)
{
    struct scratch_db *f = *state;
    fill(f, 0, 3);
    assert_false(sql_works(f, "UPDATE log_leaves SET line = '{}' WHERE leaf = 1"));
    assert_false(sql_works(f, "DELETE FROM log_leaves WHERE leaf = 2"));
    assert_false(sql_works(f, "INSERT INTO log_leaves VALUES (4, 0, 'x', NULL, 0, '{}', x'')"));
    assert_false(
        sql_works(f, "INSERT OR REPLACE INTO log_leaves VALUES (1, 0, 'x', NULL, 0, '{}', x'')"));
    assert_true(sql_works(f, "INSERT INTO log_leaves VALUES (3, 0, 'x', NULL, 0, '{}', x'')"));
}

static void a_restored_backup_takes_no_more_entries(void **state)
{
    struct scratch_db *f = *state;
    int64_t leaf = -1;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    fill(f, 0, 5);
    (void)sign(f, &note);
    fill(f, 5, 6);
    /* What an older copy of the database looks like. */
    scratch_db_put(f,
                   "DROP TRIGGER log_leaves_delete; DELETE FROM log_leaves WHERE leaf >= 4;"
                   "DELETE FROM log_checkpoints");
    assert_int_equal(append(f, 4, &leaf), OKNO_REFUSED);
    assert_non_null(strstr(f->err.text, "the log has 4 entries, but a checkpoint of 5"));
    okno_err_clear(&f->err);
    assert_int_equal(
        okno_ledger_checkpoint(f->db, NULL, 1, &(struct okno_checkpoint){0}, &note, &f->err),
        OKNO_REFUSED);
}

static void a_log_that_went_on_from_an_older_backup_is_noticed(void **state)
{
    struct scratch_db *f = *state;
    int64_t leaf = -1;
    char path[96];
    char aside[96];
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    fill(f, 0, 5);
    (void)sign(f, &note);
    scratch_db_put(f, "DROP TRIGGER log_leaves_delete; DELETE FROM log_leaves WHERE leaf >= 3");
    (void)snprintf(path, sizeof(path), "%s/keys/log.checkpoint", f->dir);
    (void)snprintf(aside, sizeof(aside), "%s/aside", f->dir);
    assert_int_equal(rename(path, aside), 0);
    const struct okno_ledger_entry entry = {.kind = "other"};
    for (int i = 0; i < 4; i++) {
        okno_autojson json_t *json = json_object();
        assert_int_equal(okno_ledger_append(f->db, &entry, json, NULL, &f->err), 0);
    }
    assert_int_equal(rename(aside, path), 0);
    assert_int_equal(append(f, 7, &leaf), OKNO_REFUSED);
    assert_non_null(strstr(f->err.text, "are not those of the checkpoint handed out"));
}

static void the_key_is_made_once_for_its_owner_only(void **state)
{
    struct scratch_db *f = *state;
    struct okno_note_key key;
    struct okno_note_key again;
    struct stat facts;
    char path[96];
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), 0);
    assert_int_equal(okno_ledger_key(f->db, &again, &f->err), 0);
    assert_memory_equal(key.public_key, again.public_key, 32);
    (void)snprintf(path, sizeof(path), "%s/keys/log.key", f->dir);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof(path), "%s/keys", f->dir);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0700);
}

static void a_lost_or_foreign_key_does_not_sign_in_the_place_of_the_first(void **state)
{
    struct scratch_db *f = *state;
    struct okno_note_key key;
    char path[96];
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    fill(f, 0, 1);
    (void)sign(f, &note);
    (void)snprintf(path, sizeof(path), "%s/keys/log.key", f->dir);
    assert_int_equal(remove(path), 0);
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), OKNO_REFUSED);
    assert_non_null(strstr(f->err.text, "is gone"));
    okno_err_clear(&f->err);
    struct okno_note_signer other;
    uint8_t seed[32] = {1};
    char text[OKNO_NOTE_KEY_TEXT];
    assert_int_equal(okno_note_signer_make("other", seed, &other, &f->err), 0);
    okno_autofclose FILE *file = fopen(path, "w");
    assert_true(fprintf(file, "%s\n", okno_note_signer_format(&other, text)) > 0);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), OKNO_REFUSED);
    assert_non_null(strstr(f->err.text, "another key"));
}

static void an_empty_log_has_nothing_to_sign(void **state)
{
    struct scratch_db *f = *state;
    struct okno_checkpoint checkpoint;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    assert_int_equal(okno_ledger_checkpoint(f->db, NULL, 1, &checkpoint, &note, &f->err),
                     OKNO_REFUSED);
}

static void a_pseudonym_stays_and_tells_nothing(void **state)
{
    struct scratch_db *f = *state;
    char eva[OKNO_PSEUDONYM_TEXT];
    char again[OKNO_PSEUDONYM_TEXT];
    char other[OKNO_PSEUDONYM_TEXT];
    assert_int_equal(okno_ledger_pseudonym(f->db, 'R', "eva", eva, &f->err), 0);
    assert_int_equal(okno_ledger_pseudonym(f->db, 'R', "eva", again, &f->err), 0);
    assert_int_equal(okno_ledger_pseudonym(f->db, 'E', "eva", other, &f->err), 0);
    assert_string_equal(eva, again);
    assert_int_equal(strlen(eva), 18);
    assert_null(strstr(eva, "eva"));
    assert_string_not_equal(eva + 2, other + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_entry_is_proven_by_the_root_kept),
        TEST(a_line_is_canonical_and_names_kind_and_time),
        TEST(an_entry_goes_with_the_transaction_that_made_it),
        TEST(an_entry_past_its_limit_is_refused),
        TEST(the_table_takes_nothing_but_the_next_entry),
        TEST(a_restored_backup_takes_no_more_entries),
        TEST(a_log_that_went_on_from_an_older_backup_is_noticed),
        TEST(the_key_is_made_once_for_its_owner_only),
        TEST(a_lost_or_foreign_key_does_not_sign_in_the_place_of_the_first),
        TEST(an_empty_log_has_nothing_to_sign),
        TEST(a_pseudonym_stays_and_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

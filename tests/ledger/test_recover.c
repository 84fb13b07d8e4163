#define _POSIX_C_SOURCE 200809L
/* A database restored from an older backup goes on as another log, which says what was lost. */
#include "../support/scratch_db.h"
#include "okno/json.h"
#include "okno/ledger.h"

#include <string.h>

static int setup(void **state)
{
    *state = scratch_db_new();
    return 0;
}

static void put_path(const struct scratch_db *f, const char *name, char ret_path[128])
{
    (void)snprintf(ret_path, 128, "%s/keys/%s", f->dir, name);
}

static int teardown(void **state)
{
    static const char *const names[] = {"log.key.before-4", "log.key.next", "kept"};
    char path[128];
    for (size_t i = 0; i < OKNO_COUNT(names); i++) {
        put_path(*state, names[i], path);
        (void)remove(path);
    }
    scratch_db_free(*state);
    return 0;
}

static int append(struct scratch_db *f, int64_t number)
{
    const struct okno_ledger_entry entry = {.kind = "test", .subject = number, .at_us = number};
    okno_autojson json_t *json = json_pack("{s:I}", "number", (json_int_t)number);
    int rc = okno_db_begin(f->db, &f->err);
    if (rc == 0)
        rc = okno_ledger_append(f->db, &entry, json, NULL, &f->err);
    if (rc == 0)
        return okno_db_commit(f->db, &f->err);
    okno_db_rollback(f->db);
    return rc;
}

/* Five entries are handed out, then the database loses the last two of them. */
static struct okno_checkpoint lose(struct scratch_db *f)
{
    struct okno_checkpoint handed_out;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(append(f, i), 0);
    assert_int_equal(okno_ledger_checkpoint(f->db, NULL, 1, &handed_out, &note, &f->err), 0);
    scratch_db_put(f,
                   "DROP TRIGGER log_leaves_delete; DELETE FROM log_leaves WHERE leaf >= 3;"
                   "DELETE FROM log_checkpoints");
    assert_int_equal(append(f, 3), OKNO_REFUSED);
    assert_non_null(strstr(f->err.text, "okno recover --help"));
    okno_err_clear(&f->err);
    return handed_out;
}

static int recover(struct scratch_db *f, struct okno_checkpoint *ret_checkpoint,
                   struct okno_buf *note)
{
    const struct okno_ledger_recovery recovery = {
        .author = "eva", .reason = "the disk died", .at_us = 77};
    return okno_ledger_recover(f->db, &recovery, ret_checkpoint, note, &f->err);
}

static struct okno_checkpoint must_recover(struct scratch_db *f, struct okno_buf *note)
{
    struct okno_checkpoint checkpoint = {.size = 0};
    if (recover(f, &checkpoint, note) < 0)
        fail_msg("%s", f->err.text);
    return checkpoint;
}

static void a_new_log_tells_what_was_lost(void **state)
{
    struct scratch_db *f = *state;
    char root[OKNO_SHA256_TEXT];
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF line = OKNO_BUF_INIT(OKNO_LEDGER_LINE_MAX);
    struct okno_checkpoint lost = lose(f);
    struct okno_checkpoint fresh = must_recover(f, &note);
    assert_int_equal(fresh.size, 4);
    assert_string_not_equal(fresh.origin, lost.origin);
    assert_int_equal(okno_ledger_line(f->db, 3, &line, &f->err), 0);
    okno_autojson json_t *entry = json_loads(okno_buf_text(&line), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(entry, "kind")), "recover");
    assert_int_equal(json_integer_value(json_object_get(entry, "handed_out")), 5);
    assert_string_equal(json_string_value(json_object_get(entry, "handed_out_root")),
                        okno_hash_hex(lost.root.bytes, root));
    assert_int_equal(json_integer_value(json_object_get(entry, "kept")), 3);
    const char *old_key = json_string_value(json_object_get(entry, "old_key"));
    assert_int_equal(strncmp(old_key, lost.origin, strlen(lost.origin)), 0);
    assert_null(strstr(okno_buf_text(&line), "eva"));
    assert_null(strstr(okno_buf_text(&line), "disk"));
}

static void it_goes_on_as_any_log(void **state)
{
    struct scratch_db *f = *state;
    struct okno_note_key key;
    struct okno_checkpoint opened;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF more = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    (void)lose(f);
    struct okno_checkpoint fresh = must_recover(f, &note);
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), 0);
    assert_int_equal(okno_checkpoint_open(okno_buf_text(&note), note.len, &key, &opened, &f->err),
                     0);
    assert_int_equal(append(f, 9), 0);
    assert_int_equal(okno_ledger_checkpoint(f->db, NULL, 2, &opened, &more, &f->err), 0);
    assert_int_equal(opened.size, 5);
    assert_string_equal(opened.origin, fresh.origin);
    assert_int_equal(recover(f, &opened, &more), OKNO_REFUSED);
    assert_non_null(strstr(f->err.text, "nothing to recover from"));
}

static void a_whole_log_is_not_recovered(void **state)
{
    struct scratch_db *f = *state;
    struct okno_checkpoint checkpoint;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    assert_int_equal(append(f, 0), 0);
    assert_int_equal(recover(f, &checkpoint, &note), OKNO_REFUSED);
    assert_int_equal(okno_ledger_checkpoint(f->db, NULL, 1, &checkpoint, &note, &f->err), 0);
    okno_err_clear(&f->err);
    assert_int_equal(recover(f, &checkpoint, &note), OKNO_REFUSED);
    assert_int_equal(append(f, 1), 0);
}

static void move(const struct scratch_db *f, const char *from, const char *to)
{
    char a[128];
    char b[128];
    put_path(f, from, a);
    put_path(f, to, b);
    assert_int_equal(rename(a, b), 0);
}

/* Killed after the commit: the files are as before, or only the old key was moved. */
static void assert_finishes(struct scratch_db *f, bool moved)
{
    char path[128];
    struct okno_note_key key;
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF again = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    (void)lose(f);
    struct okno_checkpoint fresh = must_recover(f, &note);
    move(f, "log.key", "log.key.next");
    if (!moved)
        move(f, "log.key.before-4", "log.key");
    put_path(f, "log.checkpoint", path);
    okno_autofclose FILE *mark = fopen(path, "w");
    assert_true(fprintf(mark, "5 %064d\n", 0) > 0);
    assert_int_equal(fflush(mark), 0);
    assert_int_equal(append(f, 9), OKNO_REFUSED);
    okno_err_clear(&f->err);
    struct okno_checkpoint second = must_recover(f, &again);
    assert_string_equal(okno_buf_text(&note), okno_buf_text(&again));
    assert_int_equal(second.size, fresh.size);
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), 0);
    assert_string_equal(key.name, fresh.origin);
    assert_int_equal(append(f, 9), 0);
}

static void a_killed_recovery_is_finished_by_the_next(void **state)
{
    assert_finishes(*state, false);
}

static void so_is_one_killed_between_the_keys(void **state)
{
    assert_finishes(*state, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_tells_what_was_lost),     TEST(it_goes_on_as_any_log),
        TEST(a_whole_log_is_not_recovered),      TEST(a_killed_recovery_is_finished_by_the_next),
        TEST(so_is_one_killed_between_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

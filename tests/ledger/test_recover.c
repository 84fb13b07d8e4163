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

/* ---- two copies of one data directory ---- */

static void say_checkpoint(struct okno_db *db, struct okno_buf *note,
                           struct okno_checkpoint *ret_checkpoint, struct okno_err *err)
{
    if (okno_ledger_checkpoint(db, NULL, 7, ret_checkpoint, note, err) < 0)
        fail_msg("%s", err->text);
}

static int append_to(struct okno_db *db, int64_t number, int64_t at_us, struct okno_err *err)
{
    const struct okno_ledger_entry entry = {.kind = "test", .subject = number, .at_us = at_us};
    okno_autojson json_t *json = json_pack("{s:I}", "number", (json_int_t)number);
    int rc = okno_db_begin(db, err);
    if (rc == 0)
        rc = okno_ledger_append(db, &entry, json, NULL, err);
    if (rc == 0)
        return okno_db_commit(db, err);
    okno_db_rollback(db);
    return rc;
}

/* A copy with its key cannot be told from the first on its own machine; whoever holds a checkpoint
 * of one tells the other by it. */
static void a_copy_that_goes_on_by_itself_is_told_by_a_checkpoint(void **state)
{
    struct scratch_db *f = *state;
    char command[300];
    char dir[100];
    struct okno_db *copy = NULL;
    struct okno_note_key key;
    struct okno_checkpoint first;
    struct okno_checkpoint here;
    struct okno_checkpoint there;
    struct okno_checkpoint found;
    OKNO_AUTO_BUF start = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF mine = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF theirs = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF good = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF forked = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    for (int64_t i = 0; i < 3; i++)
        assert_int_equal(append(f, i), 0);
    say_checkpoint(f->db, &start, &first, &f->err);
    (void)snprintf(dir, sizeof(dir), "%s.copy", f->dir);
    (void)snprintf(command, sizeof(command), "cp -r %s %s", f->dir, dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(okno_db_open(dir, false, &copy, &f->err), 0);
    for (int64_t i = 0; i < 2; i++) {
        assert_int_equal(append(f, 10 + i), 0);
        assert_int_equal(append_to(copy, 20 + i, 20 + i, &f->err), 0);
    }
    say_checkpoint(f->db, &mine, &here, &f->err);
    say_checkpoint(copy, &theirs, &there, &f->err);
    assert_int_equal(append_to(copy, 30, 30, &f->err), 0);
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), 0);
    assert_int_equal(okno_ledger_consistency(f->db, 3, 5, 8, &good, &f->err), 0);
    assert_int_equal(okno_ledger_consistency(copy, 5, 0, 8, &forked, &f->err), 0);
    okno_db_close(copy);
    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(
        okno_consistency_check(okno_buf_text(&good), good.len, &key, &first, &found, &f->err), 0);
    assert_int_equal(found.size, 5);
    assert_int_equal(
        okno_consistency_check(okno_buf_text(&forked), forked.len, &key, &here, &found, &f->err),
        OKNO_CHECK_FAILED);
    assert_non_null(strstr(f->err.text, "forked or rewritten"));
    okno_err_clear(&f->err);
    assert_int_equal(
        okno_consistency_check(okno_buf_text(&forked), forked.len, &key, &there, &found, &f->err),
        0);
    assert_int_equal(
        okno_consistency_check(okno_buf_text(&forked), forked.len, &key, &first, &found, &f->err),
        OKNO_CHECK_FAILED);
    assert_non_null(strstr(f->err.text, "begins at 5 entries"));
}

/* The order of a log is its own: a clock that was set back moves nothing. */
static void a_clock_set_back_reorders_nothing(void **state)
{
    struct scratch_db *f = *state;
    struct okno_checkpoint before;
    struct okno_checkpoint after;
    struct okno_checkpoint found;
    struct okno_note_key key;
    OKNO_AUTO_BUF early = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF late = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    OKNO_AUTO_BUF proof = OKNO_BUF_INIT(2 * OKNO_NOTE_BYTES_MAX);
    assert_int_equal(append_to(f->db, 1, 1000, &f->err), 0);
    say_checkpoint(f->db, &early, &before, &f->err);
    assert_int_equal(append_to(f->db, 2, 10, &f->err), 0); /* the clock was set back */
    say_checkpoint(f->db, &late, &after, &f->err);
    assert_int_equal(after.size, 2);
    assert_int_equal(okno_ledger_key(f->db, &key, &f->err), 0);
    assert_int_equal(okno_ledger_consistency(f->db, 1, 2, 8, &proof, &f->err), 0);
    assert_int_equal(
        okno_consistency_check(okno_buf_text(&proof), proof.len, &key, &before, &found, &f->err),
        0);
    assert_int_equal(okno_ledger_consistency(f->db, 1, 9, 8, &proof, &f->err), OKNO_NOT_FOUND);
    okno_err_clear(&f->err);
    assert_int_equal(okno_ledger_consistency(f->db, 3, 2, 8, &proof, &f->err), OKNO_INVALID);
}

/* The key of a log put beside another database that has signed with its own. */
static void a_key_of_another_log_signs_nothing_here(void **state)
{
    struct scratch_db *f = *state;
    struct scratch_db *other = scratch_db_new();
    struct okno_checkpoint made;
    char command[300];
    OKNO_AUTO_BUF note = OKNO_BUF_INIT(OKNO_NOTE_BYTES_MAX);
    assert_int_equal(append(f, 1), 0);
    assert_int_equal(append(other, 5), 0);
    say_checkpoint(f->db, &note, &made, &f->err);
    say_checkpoint(other->db, &note, &made, &other->err);
    (void)snprintf(command, sizeof(command), "cp %s/keys/log.key %s/keys/log.key", f->dir,
                   other->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(okno_ledger_checkpoint(other->db, NULL, 9, &made, &note, &other->err),
                     OKNO_REFUSED);
    assert_non_null(strstr(other->err.text, "is another key than the one"));
    okno_err_clear(&other->err);
    (void)snprintf(command, sizeof(command), "cp %s/keys/log.checkpoint %s/keys/log.checkpoint",
                   f->dir, other->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(append(other, 2), OKNO_REFUSED); /* the mark tells of other entries */
    scratch_db_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_log_tells_what_was_lost),
        TEST(it_goes_on_as_any_log),
        TEST(a_whole_log_is_not_recovered),
        TEST(a_killed_recovery_is_finished_by_the_next),
        TEST(so_is_one_killed_between_the_keys),
        TEST(a_copy_that_goes_on_by_itself_is_told_by_a_checkpoint),
        TEST(a_clock_set_back_reorders_nothing),
        TEST(a_key_of_another_log_signs_nothing_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

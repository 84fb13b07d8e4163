#define _GNU_SOURCE
/* okno backup as an administrator runs it, and the way back from one. */
#include "shop.h"

#include "../audit/run_okno.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>

static struct ran ran;
static char folder[64];

static int setup(void **state)
{
    struct shop *shop = shop_new(NULL);
    put_survey(shop, "d.0.1", 100, "yes");
    (void)fetch_well(shop, "d.0.1", "still"); /* and its sidecar */
    (void)snprintf(folder, sizeof(folder), "/tmp/okno-backup-XXXXXX");
    assert_non_null(mkdtemp(folder));
    *state = shop;
    return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    shop_free(*state);
    return nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void ends(int exit_code, const char *out_part, const char *err_part)
{
    if (ran.exit_code != exit_code || !strstr(ran.out, out_part) || !strstr(ran.err, err_part))
        fail_msg("exit %d, out \"%s\", err \"%s\"", ran.exit_code, ran.out, ran.err);
}

static void back_up(struct shop *shop)
{
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "backup", folder, "--json");
}

static bool exists(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void a_backup_is_a_data_directory_without_keys(void **state)
{
    struct shop *shop = *state;
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "log", "key");
    ends(0, "", "");
    back_up(shop);
    ends(0, "\"files\":2,\"copied\":2,", "");
    assert_true(exists("okno.db"));
    assert_false(exists("okno.db.part"));
    assert_false(exists("keys"));
    char path[400];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/okno.db", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0); /* nobody else's, whatever the folder lets in */
    RUN_OKNO(&ran, "", "--data", folder, "check", "--json");
    ends(0, "\"ok\":true", "");
    ends(0, "\"files\":2", "");
}

static void the_next_one_copies_only_what_is_new(void **state)
{
    struct shop *shop = *state;
    back_up(shop);
    (void)fetch_well(shop, "d.0.1", "clip");
    back_up(shop);
    ends(0, "\"files\":4,\"copied\":2,", "");
    back_up(shop);
    ends(0, "\"files\":4,\"copied\":0,\"bytes\":0,\"lost\":0}", "");
    RUN_OKNO(&ran, "", "--data", folder, "check", "--json");
    ends(0, "\"ok\":true", "");
}

static void a_missing_or_damaged_file_costs_no_other_one_its_copy(void **state)
{
    struct shop *shop = *state;
    char path[300];
    (void)fetch_well(shop, "d.0.1", "clip");
    assert_int_equal(
        okno_evidence_path(shop->db->dir,
                           text_of(shop, "SELECT sha256 FROM evidence WHERE kind = 'still'"), path,
                           sizeof(path), &shop->err),
        0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0); /* must hold nobody up */
    back_up(shop);
    ends(4, "\"lost\":1}", "no plain file");
    assert_int_equal(unlink(path), 0);
    back_up(shop);
    ends(4, "\"files\":4,\"copied\":0,", "cannot read");
    ends(4, "\"lost\":1}", "1 file(s) could not be copied");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("forged", file) >= 0);
    assert_int_equal(fclose(file), 0);
    back_up(shop);
    ends(4, "\"lost\":1}", "has not the bytes that its name says");
}

static void where_it_cannot_be_written_nothing_is_half_done(void **state)
{
    struct shop *shop = *state;
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "backup", "/proc/nowhere");
    ends(3, "", "cannot make the folder /proc/nowhere");
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "backup", shop->db->dir);
    ends(2, "", "is the data directory itself");
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "backup");
    ends(2, "", "say the folder");
}

/* However its name is spelt: the database would be replaced under the service. */
static void a_data_directory_in_use_is_no_place_for_a_backup(void **state)
{
    struct shop *shop = *state;
    char other[200];
    (void)snprintf(other, sizeof(other), "%s/./", shop->db->dir);
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "backup", other);
    ends(2, "", "is the data directory itself");
    (void)snprintf(other, sizeof(other), "%s/link", folder);
    assert_int_equal(symlink(shop->db->dir, other), 0);
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "backup", other);
    ends(2, "", "is the data directory itself");
    (void)snprintf(other, sizeof(other), "%s/keys", folder);
    assert_int_equal(mkdir(other, 0700), 0);
    back_up(shop);
    ends(5, "", "has keys/");
    assert_false(exists("okno.db"));
}

static void one_at_a_time_copies_into_a_folder(void **state)
{
    okno_autoclose int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    back_up(*state);
    ends(5, "", "another backup into");
    assert_false(exists("okno.db"));
    assert_int_equal(flock(fd, LOCK_UN), 0);
    back_up(*state);
    ends(0, "\"lost\":0}", "");
}

static void what_a_killed_backup_left_half_copied_goes_with_the_next(void **state)
{
    support_file(folder, "evidence/tmp/0123456789abcdef.mp4", 10, -1);
    back_up(*state);
    ends(0, "\"copied\":2,", "");
    assert_false(exists("evidence/tmp/0123456789abcdef.mp4"));
}

/* As a process leaves it that wrote to the backup and was killed. */
static void the_write_ahead_log_of_the_backup_before_does_not_meet_the_new_database(void **state)
{
    struct shop *shop = *state;
    char path[200];
    char shell[700];
    sqlite3 *old = NULL;
    back_up(shop);
    (void)snprintf(path, sizeof(path), "%s/okno.db", folder);
    assert_int_equal(sqlite3_open(path, &old), SQLITE_OK);
    assert_int_equal(sqlite3_exec(old, "CREATE TABLE written_there (x); VACUUM", NULL, NULL, NULL),
                     SQLITE_OK);
    (void)snprintf(shell, sizeof(shell), "cp %s-wal %s-kept", path, path);
    assert_int_equal(system(shell), 0);
    assert_int_equal(sqlite3_close(old), SQLITE_OK);
    (void)snprintf(shell, sizeof(shell), "mv %s-kept %s-wal", path, path);
    assert_int_equal(system(shell), 0);
    back_up(shop);
    ends(0, "\"lost\":0}", "");
    assert_int_equal(sqlite3_open(path, &old), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(old, "SELECT * FROM written_there", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_equal(sqlite3_close(old), SQLITE_OK);
}

/* The backup's database in an otherwise empty folder, but for keys/. */
static void restore(const char *dir)
{
    static const char *const old[] = {"okno.db", "okno.db-wal", "okno.db-shm"};
    char path[128];
    char from[128];
    for (size_t i = 0; i < OKNO_COUNT(old); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, old[i]);
        (void)remove(path);
    }
    (void)snprintf(path, sizeof(path), "%s/okno.db", dir);
    (void)snprintf(from, sizeof(from), "%s/okno.db", folder);
    assert_int_equal(rename(from, path), 0);
}

/* Refused until the loss is declared. */
static void an_older_backup_goes_on_as_a_declared_new_log(void **state)
{
    struct shop *shop = *state;
    const char *dir = shop->db->dir;
    static const char row[] = "employee,name\nvera,Vera\n";
    static const char other[] = "employee,name\nanna,Anna\n";
    RUN_OKNO(&ran, row, "--data", dir, "import", "employees", "-");
    ends(0, "1 added", "");
    back_up(shop);
    RUN_OKNO(&ran, other, "--data", dir, "import", "employees", "-");
    RUN_OKNO(&ran, "", "--data", dir, "log", "checkpoint");
    ends(0, "okno.log/", "");
    okno_db_close(shop->db->db);
    restore(dir);
    assert_int_equal(okno_db_open(dir, false, &shop->db->db, &shop->err), 0);
    RUN_OKNO(&ran, other, "--data", dir, "import", "employees", "-");
    ends(5, "", "okno recover --help");
    RUN_OKNO(&ran, "", "--data", dir, "recover");
    ends(2, "", "--reason");
    RUN_OKNO(&ran, "", "--data", dir, "recover", "--reason", "the disk died");
    ends(0, "okno.log/", "begins the log");
    RUN_OKNO(&ran, other, "--data", dir, "import", "employees", "-");
    ends(0, "1 added", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_backup_is_a_data_directory_without_keys),
        TEST(the_next_one_copies_only_what_is_new),
        TEST(a_missing_or_damaged_file_costs_no_other_one_its_copy),
        TEST(where_it_cannot_be_written_nothing_is_half_done),
        TEST(a_data_directory_in_use_is_no_place_for_a_backup),
        TEST(one_at_a_time_copies_into_a_folder),
        TEST(what_a_killed_backup_left_half_copied_goes_with_the_next),
        TEST(the_write_ahead_log_of_the_backup_before_does_not_meet_the_new_database),
        TEST(an_older_backup_goes_on_as_a_declared_new_log),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

#define _GNU_SOURCE
/* Files that commands write where they are told to. */
#include "../survey/store.h"

#include "../audit/run_okno.h"
#include "../service/small_disk.h"

#include <sys/stat.h>

static struct ran ran;
static char disk[64];

static const char *on_disk(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", disk, name);
    return path;
}

/* The log's first entry. */
static void import_somebody(const struct store *store)
{
    RUN_OKNO(&ran, "employee,name\nvera,Vera\n", "--data", store->dir, "import", "employees", "-");
    assert_int_equal(ran.exit_code, 0);
}

static void checkpoint(const struct store *store, const char *path, int exit_code)
{
    RUN_OKNO(&ran, "", "--data", store->dir, "log", "checkpoint", "-o", path);
    if (ran.exit_code != exit_code)
        fail_msg("exit %d: %s", ran.exit_code, ran.err);
}

static void put_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool begins_with(const char *path, const char *text)
{
    char read[64] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    bool any = fgets(read, sizeof(read), file) != NULL;
    assert_int_equal(fclose(file), 0);
    return any && strncmp(read, text, strlen(text)) == 0;
}

/* It may be the only copy of the checkpoint before. */
static void a_file_stays_when_the_disk_is_full(void **state)
{
    struct store *store = *state;
    (void)snprintf(disk, sizeof(disk), "/tmp/okno-put-XXXXXX");
    assert_non_null(mkdtemp(disk));
    import_somebody(store);
    if (!small_disk_mount(disk, "size=64k")) {
        (void)rmdir(disk);
        skip();
    }
    put_text(on_disk("old"), "the one before\n");
    small_disk_fill(disk, 1U << 20);
    checkpoint(store, on_disk("old"), 1);
    assert_true(begins_with(on_disk("old"), "the one before"));
    small_disk_empty(disk);
    checkpoint(store, on_disk("old"), 0);
    assert_true(begins_with(on_disk("old"), "okno.log/"));
    assert_int_equal(umount2(disk, MNT_DETACH), 0);
    assert_int_equal(rmdir(disk), 0);
}

/* What is no file of its own is written to, not replaced. */
static void a_link_stays_a_link_and_a_device_a_device(void **state)
{
    struct store *store = *state;
    struct stat facts;
    (void)snprintf(disk, sizeof(disk), "/tmp/okno-put-XXXXXX");
    assert_non_null(mkdtemp(disk));
    import_somebody(store);
    put_text(on_disk("far"), "old\n");
    assert_int_equal(symlink("far", on_disk("near")), 0);
    checkpoint(store, on_disk("near"), 0);
    assert_int_equal(lstat(on_disk("near"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_true(begins_with(on_disk("far"), "okno.log/"));
    checkpoint(store, "/dev/stdout", 0);
    assert_non_null(strstr(ran.out, "okno.log/"));
    assert_int_equal(unlink(on_disk("near")), 0);
    assert_int_equal(unlink(on_disk("far")), 0);
    assert_int_equal(rmdir(disk), 0);
}

static void programme(const struct store *store, const char *folder, const char *says)
{
    RUN_OKNO(&ran, "", "--data", store->dir, "programme", "put", "daily", "--from", "2026-03-10",
             "--beacon", "/tmp/{day}", "--report-dir", folder);
    if (ran.exit_code != (says ? 2 : 0) || (says && !strstr(ran.err, says)))
        fail_msg("exit %d: %s", ran.exit_code, ran.err);
}

/* Else the first day that is closed finds out. */
static void a_folder_of_reports_is_there_and_can_be_written(void **state)
{
    struct store *store = *state;
    (void)snprintf(disk, sizeof(disk), "/tmp/okno-put-XXXXXX");
    assert_non_null(mkdtemp(disk));
    put_text(on_disk("file"), "x\n");
    programme(store, on_disk("none"), "report-dir /tmp/okno-put-");
    programme(store, on_disk("file"), "is no folder");
    programme(store, "reports", "report-dir: the path begins with a slash");
    programme(store, disk, NULL);
    if (small_disk_mount(disk, "size=64k") &&
        mount("none", disk, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0) {
        programme(store, disk, "cannot be written");
        assert_int_equal(umount2(disk, MNT_DETACH), 0);
    }
    assert_int_equal(unlink(on_disk("file")), 0);
    assert_int_equal(rmdir(disk), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_stays_when_the_disk_is_full, store_open,
                                        store_close),
        cmocka_unit_test_setup_teardown(a_link_stays_a_link_and_a_device_a_device, store_open,
                                        store_close),
        cmocka_unit_test_setup_teardown(a_folder_of_reports_is_there_and_can_be_written, store_open,
                                        store_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

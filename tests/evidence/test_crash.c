#define _GNU_SOURCE
/* The real program, killed in the middle of fetching, and on a full disk. */
#include "shop.h"

#include "../audit/run_okno.h"

#include "okno/hash.h"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mount.h>

enum { SURVEYS = 24, KILLS = 12 };

static struct ran ran;

static int setup(void **state)
{
    struct shop *shop = shop_new(NULL);
    for (int i = 0; i < SURVEYS; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "d.0.%d", i);
        put_survey(shop, id, 30 + i * 9, "yes");
    }
    *state = shop;
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

/* ---- kill -9 ---- */

struct process {
    pid_t pid;
    int out; /* its standard output */
};

static struct process start_stills(struct shop *shop)
{
    struct process process = {0};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    process.pid = fork();
    assert_true(process.pid >= 0);
    if (process.pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execl(getenv("OKNO"), "okno", "--data", shop->db->dir, "extract", "--stills",
                    "--from", "2026-03-10T07:00:00Z", "--to", "2026-03-10T08:00:00Z", "--json",
                    (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    process.out = ends[0];
    return process;
}

/* Read what is there; how many lines ended in it. -1 at the end. */
static int lines_read(int fd)
{
    char block[4096];
    int lines = 0;
    ssize_t got = read(fd, block, sizeof(block));
    for (ssize_t i = 0; i < got; i++)
        lines += block[i] == '\n';
    return got <= 0 ? -1 : lines;
}

static int events_read(int fd)
{
    char block[4096] __attribute__((aligned(8)));
    int events = 0;
    ssize_t got = read(fd, block, sizeof(block));
    for (ssize_t at = 0; at < got; events++)
        at += (ssize_t)(sizeof(struct inotify_event) +
                        ((const struct inotify_event *)(void *)(block + at))->len);
    return events;
}

/* Kill it after some lines of output or some changes among the temporary files, whichever is
 * first; false when it ended by itself before. */
static bool kill_after(struct shop *shop, int lines, int changes)
{
    char path[300];
    okno_autoclose int watch = inotify_init1(IN_CLOEXEC);
    (void)snprintf(path, sizeof(path), "%s/evidence/tmp", shop->db->dir);
    assert_true(
        inotify_add_watch(watch, path,
                          IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_ATTRIB) >= 0);
    struct process process = start_stills(shop);
    struct pollfd fds[2] = {{.fd = process.out, .events = POLLIN}, {.fd = watch, .events = POLLIN}};
    bool ended = false;
    while (!ended && lines > 0 && changes > 0) {
        assert_true(poll(fds, 2, 60000) > 0);
        if (fds[1].revents)
            changes -= events_read(watch);
        else if (fds[0].revents) {
            int got = lines_read(process.out);
            ended = got < 0;
            lines -= got > 0 ? got : 0;
        }
    }
    int status = 0;
    (void)kill(process.pid, SIGKILL);
    assert_int_equal(waitpid(process.pid, &status, 0), process.pid);
    (void)close(process.out);
    return WIFSIGNALED(status);
}

/* Every row has its file with the right hash: asked of the files, then of okno check. */
static void assert_rows_have_files(struct shop *shop)
{
    int64_t rows = int_of(shop, "SELECT count(*) FROM evidence");
    for (int64_t i = 0; i < rows; i++) {
        char sql[120];
        char path[300];
        char hash[OKNO_SHA256_TEXT];
        (void)snprintf(sql, sizeof(sql),
                       "SELECT sha256 FROM evidence ORDER BY id LIMIT 1 OFFSET %d", (int)i);
        const char *sha256 = text_of(shop, sql);
        assert_int_equal(okno_evidence_path(shop->db->dir, sha256, path, sizeof(path), NULL), 0);
        okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(okno_hash_fd(fd, hash, &shop->err), 0);
        assert_string_equal(hash, sha256);
    }
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "check", "--json");
    if (ran.exit_code != 0)
        fail_msg("%s%s", ran.out, ran.err);
}

static void after_kill_9_every_row_has_its_file_and_running_again_completes(void **state)
{
    struct shop *shop = *state;
    char path[300];
    unsigned seed = (unsigned)okno_time_monotonic();
    int killed = 0;
    (void)snprintf(path, sizeof(path), "%s/evidence", shop->db->dir);
    support_file(path, "tmp/.keep", 0, -1);
    print_message("seed %u\n", seed);
    for (int i = 0; i < KILLS; i++) {
        int lines = 1 + rand_r(&seed) % 6;
        int changes = 1 + rand_r(&seed) % 12;
        killed += kill_after(shop, lines, changes);
        assert_rows_have_files(shop);
    }
    assert_true(killed > 0);
    RUN_OKNO(&ran, "", "--data", shop->db->dir, "extract", "--stills", "--from",
             "2026-03-10T07:00:00Z", "--to", "2026-03-10T08:00:00Z", "--json");
    assert_int_equal(ran.exit_code, 0);
    assert_rows_have_files(shop);
    assert_int_equal(int_of(shop, "SELECT count(DISTINCT survey) FROM evidence"), SURVEYS);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence"), SURVEYS);
}

/* ---- full disk ---- */

/* Fill the disk but for some bytes. */
static void fill_disk(const char *disk, off_t left)
{
    char path[300];
    char block[4096] = {1};
    off_t size = 0;
    (void)snprintf(path, sizeof(path), "%s/ballast", disk);
    okno_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (;;) {
        ssize_t put_bytes = write(fd, block, sizeof(block));
        if (put_bytes <= 0)
            break;
        size += put_bytes;
    }
    assert_true(size > left);
    assert_int_equal(ftruncate(fd, size - left), 0);
}

static void copy_database(struct shop *shop, const char *to)
{
    char sql[300];
    (void)snprintf(sql, sizeof(sql), "VACUUM INTO '%s/okno.db'", to);
    scratch_db_put(shop->db, sql);
}

static int kept_files(const char *data)
{
    char folder[300];
    int count = 0;
    for (int i = 0; i < 256; i++) {
        (void)snprintf(folder, sizeof(folder), "%s/evidence/%02x", data, i);
        DIR *dir = opendir(folder);
        struct dirent *entry;
        while (dir && (entry = readdir(dir)))
            count += entry->d_name[0] != '.';
        if (dir)
            (void)closedir(dir);
    }
    return count;
}

static int temp_files(const char *data)
{
    char folder[300];
    int count = 0;
    (void)snprintf(folder, sizeof(folder), "%s/evidence/tmp", data);
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    if (dir)
        (void)closedir(dir);
    return count;
}

/* What was seen on the full disk and after; asserted when it is unmounted. */
struct seen {
    int linked, full, kept, temps, grown, again, checked;
    bool told;
};

static struct seen work_on_disk(const char *disk)
{
    struct seen seen = {0};
    RUN_OKNO(&ran, "", "--data", disk, "link", "--json");
    seen.linked = ran.exit_code;
    fill_disk(disk, 45056);
    RUN_OKNO(&ran, "", "--data", disk, "extract", "--survey", "d.0.5", "--json");
    seen.full = ran.exit_code;
    seen.told = strcasestr(ran.err, "no space left") != NULL;
    seen.kept = kept_files(disk);
    seen.temps = temp_files(disk);
    seen.grown = mount("tmpfs", disk, "tmpfs", MS_REMOUNT, "size=64m");
    RUN_OKNO(&ran, "", "--data", disk, "extract", "--survey", "d.0.5", "--json");
    seen.again = ran.exit_code;
    RUN_OKNO(&ran, "", "--data", disk, "check", "--json");
    seen.checked = ran.exit_code;
    return seen;
}

static void a_full_disk_says_so_keeps_nothing_half_and_works_when_grown(void **state)
{
    struct shop *shop = *state;
    char disk[200];
    (void)snprintf(disk, sizeof(disk), "%s/disk", shop->db->dir);
    assert_int_equal(mkdir(disk, 0700), 0);
    if (mount("tmpfs", disk, "tmpfs", 0, "size=4m,mode=0700") < 0)
        skip();
    copy_database(shop, disk);
    struct seen seen = work_on_disk(disk);
    assert_int_equal(umount(disk), 0);
    assert_int_equal(seen.linked, 0);
    assert_int_equal(seen.full, 1);
    assert_true(seen.told);
    assert_int_equal(seen.kept, 0);
    assert_int_equal(seen.temps, 0);
    assert_int_equal(seen.grown, 0);
    assert_int_equal(seen.again, 0);
    assert_int_equal(seen.checked, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(after_kill_9_every_row_has_its_file_and_running_again_completes),
        CASE(a_full_disk_says_so_keeps_nothing_half_and_works_when_grown),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

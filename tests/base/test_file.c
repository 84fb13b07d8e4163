/* Small files as a whole: read, replaced, and durable. */
#define _XOPEN_SOURCE 700
#include "okno/file.h"

#include "okno/tar.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/okno-file-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int files(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

static void what_was_put_is_read_and_replaced_as_a_whole(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct stat st;
    const char *path = in_folder("seed");
    assert_int_equal(okno_file_put(path, 0644, "a long first text", 17, &err), 0);
    assert_int_equal(okno_file_put(path, 0600, "short", 5, &err), 0);
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(100);
    assert_int_equal(okno_file_read(path, &text, &err), 0);
    assert_string_equal(okno_buf_text(&text), "short");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(files(), 1); /* nothing beside it */
    assert_int_equal(unlink(path), 0);
}

static void an_empty_file_is_a_file(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(100);
    assert_int_equal(okno_file_put(in_folder("empty"), 0600, "", 0, &err), 0);
    assert_int_equal(okno_file_read(in_folder("empty"), &text, &err), 0);
    assert_string_equal(okno_buf_text(&text), "");
    assert_int_equal(unlink(in_folder("empty")), 0);
}

static void a_file_that_cannot_be_put_leaves_nothing_and_is_named(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(okno_file_put(in_folder("none/x"), 0600, "x", 1, &err), OKNO_NOT_FOUND);
    assert_non_null(strstr(err.text, "none/x"));
    assert_int_equal(mkdir(in_folder("taken"), 0700), 0);
    err = (struct okno_err){0};
    assert_true(okno_file_put(in_folder("taken"), 0600, "x", 1, &err) < 0);
    assert_non_null(strstr(err.text, "taken"));
    assert_int_equal(files(), 1);
    assert_int_equal(rmdir(in_folder("taken")), 0);
}

/* A number that no process has: of a child that ended. */
static pid_t ended_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void what_a_killed_process_left_beside_a_file_goes_with_the_next(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char left[64];
    char others[64];
    (void)snprintf(left, sizeof(left), "key.%ld.7", (long)ended_process());
    (void)snprintf(others, sizeof(others), "key.%ld.7", (long)getppid());
    const char *const kept[] = {others, "key.pub", "key.1.2.old", "keys"};
    assert_int_equal(okno_file_put(in_folder(left), 0600, "half", 4, &err), 0);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        assert_int_equal(okno_file_put(in_folder(kept[i]), 0600, "x", 1, &err), 0);
    assert_int_equal(okno_file_put(in_folder("key"), 0600, "whole", 5, &err), 0);
    assert_int_equal(access(in_folder(left), F_OK), -1);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        assert_int_equal(unlink(in_folder(kept[i])), 0);
    assert_int_equal(unlink(in_folder("key")), 0);
}

static void a_file_that_is_begun_has_its_name_when_it_is_whole(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char path[256];
    int fd = -1;
    int second = -1;
    (void)snprintf(path, sizeof(path), "%s", in_folder("clip"));
    assert_int_equal(okno_file_begin(path, 0600, &fd, &err), 0);
    assert_int_equal(files(), 0); /* a process killed now leaves nothing */
    assert_int_equal(okno_file_begin(path, 0600, &second, &err), 0);
    assert_int_equal(write(fd, "whole", 5), 5);
    assert_int_equal(okno_file_keep(path, fd, &err), 0);
    assert_int_equal(okno_file_keep(path, second, &err), OKNO_CONFLICT);
    assert_non_null(strstr(err.text, "exists already"));
    okno_file_drop(path, second); /* not the other one's */
    (void)close(fd);
    (void)close(second);
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(100);
    assert_int_equal(okno_file_read(path, &text, &err), 0);
    assert_string_equal(okno_buf_text(&text), "whole");
    assert_int_equal(okno_file_begin(path, 0600, &fd, &err), OKNO_CONFLICT);
    assert_int_equal(unlink(path), 0);
}

static void a_name_without_a_folder_lies_where_the_program_runs(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    int rc = okno_file_put("here", 0600, "x", 1, &err);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(rc, 0);
    assert_int_equal(unlink(in_folder("here")), 0);
}

static void a_file_larger_than_allowed_is_named(void **state)
{
    (void)state;
    struct okno_err err = {0};
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(3);
    assert_int_equal(okno_file_put(in_folder("four"), 0600, "1234", 4, &err), 0);
    assert_int_equal(okno_file_read(in_folder("four"), &text, &err), OKNO_TOO_LARGE);
    assert_non_null(strstr(err.text, "four"));
    assert_int_equal(unlink(in_folder("four")), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int forget_folder(void **state)
{
    (void)state;
    okno_tar_forget(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_read_and_replaced_as_a_whole),
        cmocka_unit_test(an_empty_file_is_a_file),
        cmocka_unit_test(a_file_that_cannot_be_put_leaves_nothing_and_is_named),
        cmocka_unit_test(what_a_killed_process_left_beside_a_file_goes_with_the_next),
        cmocka_unit_test(a_file_that_is_begun_has_its_name_when_it_is_whole),
        cmocka_unit_test(a_name_without_a_folder_lies_where_the_program_runs),
        cmocka_unit_test(a_file_larger_than_allowed_is_named),
    };
    return cmocka_run_group_tests_name("file", tests, make_folder, forget_folder);
}

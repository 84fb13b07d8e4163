#define _GNU_SOURCE
#include "okno/tar.h"

#include "../support/tempdir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char *dir;

static int start(void **state)
{
    (void)state;
    dir = support_tempdir();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    support_tempdir_remove(dir);
    return 0;
}

static int shell(const char *fmt, ...)
{
    char command[2000];
    va_list args;
    (void)snprintf(command, sizeof(command), "cd %s && ", dir);
    va_start(args, fmt);
    size_t len = strlen(command);
    (void)vsnprintf(command + len, sizeof(command) - len, fmt, args);
    va_end(args);
    return system(command);
}

static int pack(struct okno_err *err)
{
    char from[200];
    char to[200];
    (void)snprintf(from, sizeof(from), "%s/from", dir);
    (void)snprintf(to, sizeof(to), "%s/it.tar", dir);
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = okno_tar_folder(from, "march", fd, err);
    (void)close(fd);
    return rc;
}

/* Sizes around a block, a deep path, an empty folder: what GNU tar takes out is what went in. */
static void another_tar_takes_out_what_went_in(void **state)
{
    struct okno_err err = {0};
    (void)state;
    assert_int_equal(
        shell("mkdir -p from/data/evidence from/empty && : > from/none &&"
              " for n in 1 511 512 513 70000; do head -c $n /dev/urandom > from/data/f$n; done &&"
              " long=$(printf 'a%%.0s' $(seq 90)) && echo x > from/data/evidence/$long.mp4"),
        0);
    assert_int_equal(pack(&err), 0);
    assert_int_equal(shell("tar -xf it.tar && diff -r from march"), 0);
    assert_int_equal(shell("tar -tvf it.tar | grep -q ' root/root\\| 0/0 '"), 0);
    assert_int_equal(shell("[ $(($(stat -c %%s it.tar) %% 512)) = 0 ]"), 0);
}

static void what_has_no_room_is_named(void **state)
{
    struct okno_err err = {0};
    (void)state;
    assert_int_equal(shell("mkdir from && : > from/$(printf 'b%%.0s' $(seq 101))"), 0);
    assert_int_equal(pack(&err), OKNO_TOO_LARGE);
    assert_non_null(strstr(err.text, "bbb"));
}

static void links_are_refused(void **state)
{
    struct okno_err err = {0};
    (void)state;
    assert_int_equal(shell("mkdir from && ln -s /etc/passwd from/users"), 0);
    assert_int_equal(pack(&err), OKNO_REFUSED);
    assert_non_null(strstr(err.text, "users"));
}

static void a_full_disk_is_an_error(void **state)
{
    struct okno_err err = {0};
    char from[200];
    (void)state;
    assert_int_equal(shell("mkdir from && echo x > from/a"), 0);
    (void)snprintf(from, sizeof(from), "%s/from", dir);
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(okno_tar_folder(from, "m", fd, &err), OKNO_NO_SPACE);
    (void)close(fd);
}

static void a_forgotten_folder_is_gone_and_what_its_links_show_is_not(void **state)
{
    char path[200];
    (void)state;
    assert_int_equal(shell("mkdir -p from/a/b kept && : > from/a/b/c && : > kept/d &&"
                           " ln -s ../kept from/link"),
                     0);
    (void)snprintf(path, sizeof(path), "%s/from", dir);
    okno_tar_forget(path);
    okno_tar_forget(path);
    assert_int_equal(shell("[ ! -e from ] && [ -e kept/d ]"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(another_tar_takes_out_what_went_in),
        TEST(what_has_no_room_is_named),
        TEST(links_are_refused),
        TEST(a_full_disk_is_an_error),
        TEST(a_forgotten_folder_is_gone_and_what_its_links_show_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A small disk of the test's own, to be filled. */
#ifndef TESTS_SERVICE_SMALL_DISK_H
#define TESTS_SERVICE_SMALL_DISK_H

#include "okno/mem.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

/* At the directory, seen by this process only; false where that is not allowed. */
static inline bool small_disk_mount(const char *dir, const char *options)
{
    if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", dir, "tmpfs", 0, options) == 0;
}

/* Take so much of it, or what there is, by a file DIR/ballast. */
static inline void small_disk_fill(const char *dir, size_t bytes)
{
    char path[128];
    static const char zeros[4096];
    (void)snprintf(path, sizeof(path), "%s/ballast", dir);
    okno_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t done = 0; done < bytes; done += sizeof(zeros))
        if (write(fd, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros))
            return;
}

static inline void small_disk_empty(const char *dir)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/ballast", dir);
    assert_int_equal(unlink(path), 0);
}

#endif

#define _XOPEN_SOURCE 700
#include "tempdir.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    abort();
}

char *support_tempdir(void)
{
    char *path = strdup("/tmp/okno-test-XXXXXX");
    if (!path || !mkdtemp(path))
        die("mkdtemp");
    return path;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void support_tempdir_remove(char *path)
{
    if (path)
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

static void make_folders(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0755);
        *at = '/';
    }
}

static int create(const char *folder, const char *name)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    make_folders(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        die(path);
    return fd;
}

unsigned char support_pattern(size_t offset)
{
    return (unsigned char)((offset * 2654435761u) >> 13);
}

void support_file(const char *folder, const char *name, size_t len, int64_t mtime_us)
{
    unsigned char *bytes = malloc(len ? len : 1);
    int fd = create(folder, name);
    if (!bytes)
        die("malloc");
    for (size_t i = 0; i < len; i++)
        bytes[i] = support_pattern(i);
    if (write(fd, bytes, len) != (ssize_t)len)
        die(name);
    free(bytes);
    if (mtime_us >= 0) {
        struct timespec at = {.tv_sec = mtime_us / 1000000, .tv_nsec = mtime_us % 1000000 * 1000};
        struct timespec times[2] = {at, at};
        if (futimens(fd, times) < 0)
            die(name);
    }
    (void)close(fd);
}

void support_text(const char *folder, const char *name, const char *text)
{
    int fd = create(folder, name);
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        die(name);
    (void)close(fd);
}

#define _GNU_SOURCE
#include "okno/file.h"

#include "okno/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int okno_file_read(const char *path, struct okno_buf *to, struct okno_err *err)
{
    char chunk[16384];
    size_t got = 0;
    okno_autofclose FILE *file = fopen(path, "re");
    if (!file)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        int rc = okno_buf_add(to, chunk, got, err);
        if (rc < 0) {
            okno_err_context(err, "%s", path);
            return rc;
        }
    }
    return ferror(file) ? okno_fail_errno(err, errno, "cannot read %s", path) : 0;
}

int okno_file_open(const char *path, int *ret_fd, int64_t *ret_size, struct okno_err *err)
{
    struct stat st;
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return okno_fail_errno(err, errno, "cannot read %s", path);
    if (!S_ISREG(st.st_mode))
        return okno_fail(err, OKNO_CHECK_FAILED, "cannot read %s: it is no plain file", path);
    *ret_size = st.st_size;
    *ret_fd = okno_mem_take_fd(&fd);
    return 0;
}

int okno_file_settle(int fd, char ret_sha256[OKNO_SHA256_TEXT], struct okno_err *err)
{
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* only begins; fsync counts */
    int rc = okno_hash_fd(fd, ret_sha256, err);
    if (rc == 0 && fsync(fd) < 0)
        rc = okno_fail_errno(err, errno, "cannot bring the file to disk");
    return rc;
}

int okno_dir_sync(const char *path, struct okno_err *err)
{
    okno_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return okno_fail_errno(err, errno, "cannot sync the folder %s", path);
    return 0;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

static int sync_folder_of(char *path, struct okno_err *err)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return okno_dir_sync(".", err);
    slash[slash == path] = '\0';
    return okno_dir_sync(path, err);
}

/* The folder that a path lies in, with a slash at its end. */
static void folder_of(const char *path, char ret_folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    (void)snprintf(ret_folder, PATH_MAX, "%.*s", slash ? (int)(slash - path) + 1 : 2,
                   slash ? path : "./");
}

/* NAME.PID.NUMBER of a process that is no more. */
static bool is_left(const char *entry, const char *name)
{
    long pid = 0;
    unsigned number = 0;
    int end = 0;
    size_t len = strlen(name);
    return strncmp(entry, name, len) == 0 &&
           sscanf(entry + len, ".%ld.%u%n", &pid, &number, &end) == 2 &&
           !entry[len + (size_t)end] && pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* What processes that were killed left beside the file: it may be half a secret, or a whole one. */
static void drop_left(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    folder_of(path, folder);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (is_left(entry->d_name, slash ? slash + 1 : path))
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        (void)closedir(dir);
}

int okno_file_put(const char *path, mode_t mode, const void *bytes, size_t len,
                  struct okno_err *err)
{
    static atomic_uint number_of_writes; /* threads of one process have names of their own */
    char temp[PATH_MAX];
    if ((size_t)snprintf(temp, sizeof(temp), "%s.%ld.%u", path, (long)getpid(),
                         atomic_fetch_add(&number_of_writes, 1)) >= sizeof(temp))
        return okno_fail(err, OKNO_INVALID, "the name %.100s... is too long", path);
    (void)unlink(temp); /* of a process that had our number and was killed */
    drop_left(path);
    okno_autoclose int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot make %s", path);
    if (!write_all(fd, bytes, len) || fsync(fd) < 0 || rename(temp, path) < 0) {
        int number = errno;
        (void)unlink(temp);
        return okno_fail_errno(err, number, "cannot write %s", path);
    }
    return sync_folder_of(temp, err);
}

/* -1 where there is no such thing: some network file systems, or no /proc to name it by later. */
static int open_unnamed(const char *path, mode_t mode)
{
    char folder[PATH_MAX];
    folder_of(path, folder);
    return access("/proc/self/fd", X_OK) < 0 ? -1
                                             : open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, mode);
}

static int fail_exists(const char *path, struct okno_err *err)
{
    return okno_fail(err, OKNO_CONFLICT, "%s exists already; choose another name", path);
}

int okno_file_begin(const char *path, mode_t mode, int *ret_fd, struct okno_err *err)
{
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return fail_exists(path, err);
    int fd = open_unnamed(path, mode);
    if (fd < 0)
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 && errno == EEXIST)
        return fail_exists(path, err);
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot make %s", path);
    *ret_fd = fd;
    return 0;
}

static bool has_name(int fd)
{
    struct stat facts;
    return fstat(fd, &facts) < 0 || facts.st_nlink > 0;
}

int okno_file_keep(const char *path, int fd, struct okno_err *err)
{
    char unnamed[40];
    if (has_name(fd))
        return 0;
    (void)snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    return errno == EEXIST ? fail_exists(path, err)
                           : okno_fail_errno(err, errno, "cannot make %s", path);
}

void okno_file_drop(const char *path, int fd)
{
    if (has_name(fd))
        (void)unlink(path);
}

/* Who works on jobs: a locked file for each, whose lock ends with its process. What a process that
 * was killed had taken is free for others at once, not when its lease ends. */
#define _GNU_SOURCE
#include "work.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static void dir_of(const struct okno_work *work, char *ret_dir, size_t size)
{
    (void)snprintf(ret_dir, size, "%s/runners", work->data_dir);
}

/* Where that cannot be had, leases alone tell. */
void runner_begin(struct okno_work *work)
{
    char dir[1100];
    char path[1200];
    dir_of(work, dir, sizeof(dir));
    (void)mkdir(dir, 0700);
    (void)snprintf(path, sizeof(path), "%s/%s", dir, work->owner);
    work->runner_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (work->runner_fd >= 0)
        (void)flock(work->runner_fd, LOCK_EX | LOCK_NB);
}

void runner_end(struct okno_work *work)
{
    char dir[1100];
    char path[1200];
    if (work->runner_fd < 0)
        return;
    dir_of(work, dir, sizeof(dir));
    (void)snprintf(path, sizeof(path), "%s/%s", dir, work->owner);
    (void)unlink(path);
    (void)rmdir(dir); /* the last one out */
    okno_mem_close_at(&work->runner_fd);
}

/* Nobody holds it: its process is gone. */
static bool is_dead(int dir_fd, const char *name)
{
    okno_autoclose int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

int runner_free_dead(struct okno_work *work, struct okno_err *err)
{
    char dir_name[1100];
    struct dirent *entry;
    int rc = 0;
    dir_of(work, dir_name, sizeof(dir_name));
    DIR *dir = opendir(dir_name);
    while (rc == 0 && dir && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (*name == '.' || strcmp(name, work->owner) == 0 || !is_dead(dirfd(dir), name))
            continue;
        rc = OKNO_DB_RUN(work->db, "jobs.free_dead", NULL, err, OKNO_TEXT("owner", name));
        if (rc == 0)
            (void)unlinkat(dirfd(dir), name, 0);
    }
    if (dir)
        (void)closedir(dir);
    return rc;
}

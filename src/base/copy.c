#define _POSIX_C_SOURCE 200809L
/* A copy of the database. */
#include "okno/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int sync_and_move(const char *from, const char *to, struct okno_err *err)
{
    okno_autoclose int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0 || rename(from, to) < 0)
        return okno_fail_errno(err, errno, "cannot write %s", to);
    return 0;
}

/* The log of an older database at this place, left by a process that was killed: SQLite would apply
 * it to the new one. */
static int drop_old_log(const char *path, struct okno_err *err)
{
    static const char *const ends[] = {"-wal", "-shm"};
    char name[1300];
    for (size_t i = 0; i < OKNO_COUNT(ends); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        if (unlink(name) < 0 && errno != ENOENT)
            return okno_fail_errno(err, errno, "cannot remove %s", name);
    }
    return 0;
}

int okno_db_copy(struct okno_db *db, const char *path, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    char part[1300];
    if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
        return okno_fail(err, OKNO_INVALID, "the name %.100s... is too long", path);
    (void)unlink(part); /* of a copy that was killed */
    okno_autoclose int fd =
        open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* ours alone */
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot write %s", path);
    int rc = OKNO_DB_PREPARE(db, "db.copy", &stmt, err, OKNO_TEXT("path", part));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc < 0)
        okno_err_context(err, "cannot write %s", path);
    if (rc == 0)
        rc = drop_old_log(path, err);
    if (rc == 0)
        rc = sync_and_move(part, path, err);
    if (rc < 0)
        (void)unlink(part);
    return rc;
}

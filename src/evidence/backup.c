/* A second data directory beside the first: the database as it is at one moment, then the files
 * that it names. Files never change, so that a later backup into the same folder copies only new
 * ones. */
#define _XOPEN_SOURCE 700
#include "okno/evidence.h"

#include "okno/file.h"

#include "okno/mem.h"
#include "okno/purge.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Later passes copy next to nothing; retention works in batches. */
enum { PASSES_MAX = 20 };

static int copy_bytes(const char *from, const char *to, struct okno_err *err)
{
    int64_t left = 0;
    okno_autoclose int in = -1;
    int rc = okno_file_open(from, &in, &left, err);
    if (rc < 0)
        return rc;
    okno_autoclose int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0)
        return okno_fail_errno(err, errno, "cannot make %s", to);
    while (left > 0) {
        ssize_t put = sendfile(out, in, NULL, (size_t)left);
        if (put == 0 || (put < 0 && errno != EINTR))
            return okno_fail_errno(err, put < 0 ? errno : EIO, "cannot copy %s to %s", from, to);
        left -= put > 0 ? put : 0;
    }
    return 0;
}

/* Into the store of the other directory, under the hash of what was copied. */
static int copy_file(const char *data_dir, const char *to_dir, const char *kind, const char *sha256,
                     int64_t *ret_bytes, struct okno_err *err)
{
    char from[1300];
    char temp[1300];
    struct okno_evidence copied = {0};
    int rc = okno_evidence_path(data_dir, sha256, from, sizeof(from), err);
    if (rc == 0)
        rc = okno_evidence_temp(to_dir, kind, temp, sizeof(temp), err);
    if (rc < 0)
        return rc;
    rc = copy_bytes(from, temp, err);
    if (rc < 0) {
        (void)unlink(temp);
        return rc;
    }
    rc = okno_evidence_keep(to_dir, temp, &copied, err);
    if (rc == 0 && strcmp(copied.sha256, sha256) != 0)
        rc = okno_fail(err, OKNO_CHECK_FAILED, "%s has not the bytes that its name says", from);
    *ret_bytes = copied.bytes;
    return rc;
}

/* 1 when the file is there already, with its size where the database knows it. */
static int is_there(const char *to_dir, const char *sha256, int64_t bytes, struct okno_err *err)
{
    char path[1300];
    struct stat is;
    int rc = okno_evidence_path(to_dir, sha256, path, sizeof(path), err);
    return rc < 0 ? rc : stat(path, &is) == 0 && (bytes < 0 || is.st_size == bytes);
}

/* A file that is missing or damaged costs no other one its copy; one that retention destroyed since
 * the database was copied is not missing. */
static int take_file(struct okno_db *db, struct okno_stmt *row, const char *data_dir,
                     const struct okno_evidence_backup *backup,
                     struct okno_evidence_backed_up *counts, struct okno_err *err)
{
    struct okno_err trouble = {0};
    const char *sha256 = okno_stmt_text(row, "sha256");
    int64_t bytes = okno_stmt_int(row, "bytes");
    int rc = is_there(backup->to_dir, sha256, bytes, err);
    counts->files++;
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = copy_file(data_dir, backup->to_dir, okno_stmt_text(row, "kind"), sha256, &bytes, &trouble);
    if (rc == 0) {
        counts->copied++;
        counts->bytes += bytes;
        return 0;
    }
    if (rc != OKNO_NOT_FOUND && rc != OKNO_CHECK_FAILED)
        return okno_fail(err, rc, "%s", trouble.text);
    if (okno_purge_check(db, sha256, NULL) == OKNO_GONE)
        return 0;
    counts->lost++;
    if (backup->tell)
        backup->tell(backup->ctx, sha256, trouble.text);
    return 0;
}

static int take_files(struct okno_db *db, struct okno_db *copy, const char *data_dir,
                      const struct okno_evidence_backup *backup,
                      struct okno_evidence_backed_up *counts, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    int64_t total = 0;
    int rc = okno_db_int(copy, "evidence.count_files", NULL, 0, 0, &total, err);
    if (rc == 0)
        rc = okno_db_stmt(copy, "evidence.files", &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = take_file(db, rows, data_dir, backup, counts, err);
        if (backup->progress)
            backup->progress(backup->ctx, counts->files, total);
    }
    return rc;
}

static int make_folder(const char *path, struct okno_err *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return okno_fail_errno(err, errno, "cannot make the folder %s", path);
    return 0;
}

/* A folder that somebody works in is none to copy into: its database would be replaced under them.
 */
static int refuse_used(const char *data_dir, const char *to_dir, int to_fd, struct okno_err *err)
{
    struct stat from;
    struct stat to;
    if (stat(data_dir, &from) < 0 || fstat(to_fd, &to) < 0)
        return okno_fail_errno(err, errno, "cannot look at %s", to_dir);
    if (from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return okno_fail(err, OKNO_USAGE, "%s is the data directory itself", to_dir);
    if (faccessat(to_fd, "keys", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return okno_fail(err, OKNO_REFUSED,
                         "%s has keys/, as a data directory in use and no backup has: name another "
                         "folder",
                         to_dir);
    return 0;
}

/* The folder is ours until *ret_fd is closed: what lies half copied in it is of a call that was
 * killed. */
static int claim_folder(const char *data_dir, const char *to_dir, int *ret_fd, struct okno_err *err)
{
    int rc = make_folder(to_dir, err);
    if (rc < 0)
        return rc;
    okno_autoclose int fd = open(to_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot open the folder %s", to_dir);
    rc = refuse_used(data_dir, to_dir, fd, err);
    if (rc < 0)
        return rc;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? okno_fail(err, OKNO_REFUSED, "another backup into %s is under way", to_dir)
                   : okno_fail_errno(err, errno, "cannot lock the folder %s", to_dir);
    okno_evidence_sweep(to_dir, INT64_MAX);
    *ret_fd = okno_mem_take_fd(&fd);
    return 0;
}

/* What retention destroyed here goes there, too. */
static int drop_destroyed(struct okno_db *db, const char *to_dir, struct okno_err *err)
{
    OKNO_AUTO_STMT *rows = NULL;
    char path[1300];
    int rc = okno_db_stmt(db, "purge.destroyed", &rows, err);
    while (rc == 0 && (rc = okno_stmt_step(rows, err)) == 1) {
        rc = okno_evidence_path(to_dir, okno_stmt_text(rows, "sha256"), path, sizeof(path), err);
        if (rc == 0 && unlink(path) < 0 && errno != ENOENT)
            rc = okno_fail_errno(err, errno, "cannot remove %s", path);
    }
    return rc;
}

/* The database, then the files that it names: files that come meanwhile are none of it. */
static int back_up_once(struct okno_db *db, const char *data_dir, const char *path,
                        const struct okno_evidence_backup *backup,
                        struct okno_evidence_backed_up *counts, int64_t *ret_records,
                        struct okno_err *err)
{
    OKNO_AUTO(okno_db) *copy = NULL;
    counts->files = counts->lost = 0;
    int rc = okno_db_copy(db, path, err);
    if (rc == 0)
        rc = okno_db_open(backup->to_dir, false, &copy, err);
    if (rc == 0)
        rc = okno_db_check(copy, err);
    if (rc == 0)
        rc = okno_db_int(copy, "purge.count_records", NULL, 0, 0, ret_records, err);
    if (rc == 0)
        rc = take_files(db, copy, data_dir, backup, counts, err);
    return rc < 0 ? rc : drop_destroyed(db, backup->to_dir, err);
}

int okno_evidence_back_up(struct okno_db *db, const char *data_dir,
                          const struct okno_evidence_backup *backup,
                          struct okno_evidence_backed_up *ret_counts, struct okno_err *err)
{
    struct okno_evidence_backed_up counts = {0};
    okno_autoclose int claim = -1;
    char path[1200];
    int64_t before = -1;
    int64_t now = 0;
    if ((size_t)snprintf(path, sizeof(path), "%s/okno.db", backup->to_dir) >= 1024)
        return okno_fail(err, OKNO_INVALID, "the folder's name is too long");
    int rc = claim_folder(data_dir, backup->to_dir, &claim, err);
    /* What retention destroyed while files were copied has no record in the copy yet. */
    for (int i = 0; rc == 0 && before != now && i < PASSES_MAX; i++) {
        rc = back_up_once(db, data_dir, path, backup, &counts, &before, err);
        if (rc == 0)
            rc = okno_db_int(db, "purge.count_records", NULL, 0, 0, &now, err);
    }
    if (rc == 0)
        rc = okno_dir_sync(backup->to_dir, err);
    if (rc == 0)
        *ret_counts = counts;
    return rc;
}

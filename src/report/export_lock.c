/* One export of an audit at a time, whichever process or request makes it: a byte of one file is
 * locked for each audit, and the lock ends with its process. Source: fcntl(2), "Open file
 * description locks". */
#define _GNU_SOURCE
#include "export.h"

#include "okno/text.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_AGAIN_US = 50000 };

/* The audit's own byte; two audits that shared one would merely wait for each other. */
static off_t byte_of(const char *audit)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    uint64_t place = 0;
    okno_hash_bytes(audit, strlen(audit), digest);
    for (int i = 0; i < 7; i++)
        place = place << 8 | digest[i];
    return (off_t)place;
}

/* 1: taken; 0: somebody has it. */
static int try(int fd, const char *audit, struct okno_err *err)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte_of(audit), .l_len = 1};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 1;
    return errno == EAGAIN || errno == EACCES
               ? 0
               : okno_fail_errno(err, errno, "cannot lock the exports of audit %s", audit);
}

static void say_waiting(const struct okno_bundle_request *request)
{
    char what[OKNO_ID_TEXT + 80];
    (void)snprintf(what, sizeof(what), "another export of audit %s is under way: waiting for it",
                   request->audit);
    if (request->waiting)
        request->waiting(request->waiting_context, what);
}

static int wait_for(int fd, const struct okno_bundle_request *request, struct okno_err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_US * 1000L};
    int64_t until_us = okno_time_monotonic() + request->patience_us;
    int rc = try(fd, request->audit, err);
    if (rc == 0 && request->patience_us > 0)
        say_waiting(request);
    while (rc == 0 && okno_time_monotonic() < until_us) {
        (void)nanosleep(&pause, NULL);
        rc = try(fd, request->audit, err);
    }
    if (rc == 0)
        return okno_fail(err, OKNO_BUSY,
                         "another export of audit %s is under way: again when it is done",
                         request->audit);
    return rc < 0 ? rc : 0;
}

int export_lock(const char *data_dir, const struct okno_bundle_request *request, int *ret_fd,
                struct okno_err *err)
{
    char path[BUNDLE_PATH];
    if (!*data_dir) /* in memory: nobody else's */
        return 0;
    (void)snprintf(path, sizeof(path), "%s/exports.lock", data_dir);
    okno_autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    int rc = wait_for(fd, request, err);
    if (rc == 0)
        *ret_fd = okno_mem_take_fd(&fd);
    return rc;
}

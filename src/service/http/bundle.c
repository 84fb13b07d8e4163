/* The bundle of an audit as one file: made in a folder of its own, which does not outlive the
 * request. */
#define _GNU_SOURCE
#include "handlers.h"

#include "okno/bundle.h"
#include "okno/log.h"
#include "okno/mem.h"
#include "okno/tar.h"
#include "okno/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN "http-"
static const char lock_name[] = "lock";

/* How long a request waits for another export of its audit. */
#define PATIENCE_US INT64_C(20000000)

/* Where the folder grows: DATA/exports/http-XXXXXX. Its file `lock` marks it as the service's own
 * and is locked until the request is over, so that a sweep knows which ones nobody works in. */
struct place {
    char root[1100], dir[1200];
    int lock_fd;
};

static void place_leave(struct place *place)
{
    if (place->root[0])
        okno_tar_forget(place->root);
    okno_mem_close_at(&place->lock_fd);
}
#define AUTO_PLACE __attribute__((cleanup(place_leave))) struct place

/* It appears under its name with its lock taken: no sweep comes in between. */
static int place_lock(const char *root, int *ret_fd, struct okno_err *err)
{
    char path[1200];
    char proc[40];
    okno_autoclose int fd = open(root, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    (void)snprintf(path, sizeof(path), "%s/%s", root, lock_name);
    (void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
        linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
        return okno_fail_errno(err, errno, "cannot mark the folder of a bundle, %s", path);
    *ret_fd = okno_mem_take_fd(&fd);
    return 0;
}

static int place_make(const char *data_dir, struct place *place, struct okno_err *err)
{
    char root[sizeof(place->root)];
    (void)snprintf(root, sizeof(root), "%s/exports", data_dir);
    (void)mkdir(root, 0700);
    (void)snprintf(root, sizeof(root), "%s/exports/" OWN "XXXXXX", data_dir);
    if (!mkdtemp(root))
        return okno_fail_errno(err, errno, "cannot make a folder for the bundle");
    memcpy(place->root, root, sizeof(root));
    (void)snprintf(place->dir, sizeof(place->dir), "%s/bundle", root);
    return place_lock(root, &place->lock_fd, err);
}

/* Ours by name and mark, and nobody holds its lock. */
static bool is_left_over(int exports_fd, const char *name)
{
    char lock[300];
    if (strncmp(name, OWN, strlen(OWN)) != 0)
        return false;
    (void)snprintf(lock, sizeof(lock), "%.255s/%s", name, lock_name);
    okno_autoclose int fd = openat(exports_fd, lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void http_export_sweep(const char *data_dir)
{
    char exports[1100];
    char path[1400];
    struct dirent *entry;
    (void)snprintf(exports, sizeof(exports), "%.1000s/exports", data_dir);
    DIR *dir = opendir(exports);
    while (dir && (entry = readdir(dir))) {
        (void)snprintf(path, sizeof(path), "%s/%s", exports, entry->d_name);
        if (is_left_over(dirfd(dir), entry->d_name))
            okno_tar_forget(path);
    }
    if (dir)
        (void)closedir(dir);
}

static void log_waiting(void *context, const char *what)
{
    (void)context;
    okno_log(OKNO_LOG_INFO, "export", "%s", what);
}

static struct okno_bundle_request request_of(const struct http_request *request, const char *dir)
{
    const json_t *body = request->body;
    const char *lang = json_string_value(json_object_get(body, "lang"));
    return (struct okno_bundle_request){
        .audit = request->params[0],
        .dir = dir,
        .author = request->who.user,
        .open_to_all = json_is_true(json_object_get(body, "public")),
        .with_evidence = json_is_true(json_object_get(body, "with_evidence")),
        .unsigned_too = json_is_true(json_object_get(body, "unsigned")),
        .lang = lang,
        .patience_us = PATIENCE_US,
        .waiting = log_waiting,
        .fm_threshold = request->service->fm_threshold,
        .undeterminable_limit = request->service->undeterminable_limit,
        .min_n = request->service->min_n};
}

/* Without a name from the start: nothing to clean up. */
static int open_unnamed(const char *dir, int *ret_fd, struct okno_err *err)
{
    *ret_fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *ret_fd >= 0 ? 0 : okno_fail_errno(err, errno, "cannot make a file for the bundle");
}

int http_post_export(struct http_request *request, struct http_reply *reply, struct okno_err *err)
{
    AUTO_PLACE place = {.lock_fd = -1};
    okno_autoclose int fd = -1;
    struct stat info = {0};
    char name[OKNO_ID_TEXT + 10];
    int rc = place_make(request->service->data_dir, &place, err);
    const struct okno_bundle_request bundle = request_of(request, place.dir);
    (void)snprintf(name, sizeof(name), "okno-%.64s", request->params[0]);
    if (rc == 0)
        rc = open_unnamed(place.root, &fd, err);
    if (rc == 0)
        rc = okno_bundle_export(request->db, &bundle, okno_time_now(), err);
    if (rc == 0)
        rc = okno_tar_folder(place.dir, name, fd, err);
    if (rc == 0 && fstat(fd, &info) < 0)
        rc = okno_fail_errno(err, errno, "the bundle");
    if (rc < 0)
        return rc;
    reply->type = "application/x-tar";
    reply->fd = okno_mem_take_fd(&fd);
    reply->fd_len = info.st_size;
    http_reply_header(reply, "Content-Disposition", "attachment; filename=\"%s%s.tar\"", name,
                      bundle.open_to_all ? "-public" : "");
    return 0;
}

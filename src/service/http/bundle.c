/* The bundle of an audit as one file: made in a folder of its own, which does not outlive the
 * request. */
#define _GNU_SOURCE
#include "handlers.h"

#include "okno/bundle.h"
#include "okno/log.h"
#include "okno/mem.h"
#include "okno/tar.h"
#include "okno/time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long a request waits for another export of its audit. */
#define PATIENCE_US INT64_C(20000000)

/* DATA/http-exports is the service's own: nothing else writes there, and one service serves DATA.
 */
static void own_folder(const char *data_dir, char path[1100])
{
    (void)snprintf(path, 1100, "%.1000s/http-exports", data_dir);
}

/* Where the folder of one request grows: DATA/http-exports/XXXXXX. */
struct place {
    char root[1200], dir[1300];
};

static void place_leave(struct place *place)
{
    if (place->root[0])
        okno_tar_forget(place->root);
}
#define AUTO_PLACE __attribute__((cleanup(place_leave))) struct place

static int place_make(const char *data_dir, struct place *place, struct okno_err *err)
{
    char own[1100];
    char root[sizeof(place->root)];
    own_folder(data_dir, own);
    (void)mkdir(own, 0700);
    (void)snprintf(root, sizeof(root), "%s/XXXXXX", own);
    if (!mkdtemp(root))
        return okno_fail_errno(err, errno, "cannot make a folder for the bundle, %s", root);
    memcpy(place->root, root, sizeof(root));
    (void)snprintf(place->dir, sizeof(place->dir), "%s/bundle", root);
    return 0;
}

void http_export_sweep(const char *data_dir)
{
    char own[1100];
    own_folder(data_dir, own);
    okno_tar_forget(own);
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
    AUTO_PLACE place = {0};
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

/* The bundle of an audit as one file: made in a folder of its own, which does not outlive the
 * request. */
#define _GNU_SOURCE
#include "handlers.h"

#include "okno/bundle.h"
#include "okno/mem.h"
#include "okno/tar.h"
#include "okno/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the folder grows. */
struct place {
    char root[1100], dir[1200];
};

static void place_leave(struct place *place)
{
    if (place->root[0])
        okno_tar_forget(place->root);
}
#define AUTO_PLACE __attribute__((cleanup(place_leave))) struct place

static int place_make(const char *data_dir, struct place *place, struct okno_err *err)
{
    char root[sizeof(place->root)];
    (void)snprintf(root, sizeof(root), "%s/export-XXXXXX", data_dir);
    if (!mkdtemp(root))
        return okno_fail_errno(err, errno, "cannot make a folder for the bundle");
    memcpy(place->root, root, sizeof(root));
    (void)snprintf(place->dir, sizeof(place->dir), "%s/bundle", root);
    return 0;
}

void http_export_sweep(const char *data_dir)
{
    DIR *dir = opendir(data_dir);
    struct dirent *entry;
    char path[1400];
    while (dir && (entry = readdir(dir))) {
        (void)snprintf(path, sizeof(path), "%.1000s/%s", data_dir, entry->d_name);
        if (strncmp(entry->d_name, "export-", 7) == 0)
            okno_tar_forget(path);
    }
    if (dir)
        (void)closedir(dir);
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
    struct stat info;
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
    reply->fd = fd;
    reply->fd_len = info.st_size;
    fd = -1; /* the reply's now */
    http_reply_header(reply, "Content-Disposition", "attachment; filename=\"%s%s.tar\"", name,
                      bundle.open_to_all ? "-public" : "");
    return 0;
}

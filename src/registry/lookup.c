#define _POSIX_C_SOURCE 200809L
#include "okno/registry.h"

#include "okno/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Imports bound every text to less than its member's size. */
#define COPY(member, stmt, column) okno_stmt_copy(stmt, column, member, sizeof(member))

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of the registry");
}

static int not_found(const char *noun, const char *id, struct okno_err *err)
{
    char shown[OKNO_TEXT_SHOWN];
    return okno_fail(err, OKNO_NOT_FOUND, "there is no %s \"%s\"", noun, okno_text_show(id, shown));
}

int okno_registry_require(struct okno_db *db, const char *noun, const char *id,
                          struct okno_err *err)
{
    char statement[64];
    char shown[OKNO_TEXT_SHOWN];
    int64_t known = 0;
    bool is_employee = strcmp(noun, "employee") == 0;
    if (!id || (is_employee && strcmp(id, "unassigned") == 0))
        return 0;
    (void)snprintf(statement, sizeof(statement), "registry.%s_%s", is_employee ? "knows" : "has",
                   noun);
    int rc = OKNO_DB_INT(db, statement, 0, &known, err, OKNO_TEXT("id", id));
    if (rc < 0 || known)
        return rc;
    return okno_fail_field(err, OKNO_NOT_FOUND, noun, "there is no %s \"%s\"", noun,
                           okno_text_show(id, shown));
}

/* --- archives and cameras */

static void read_archive(struct okno_stmt *stmt, struct okno_archive_row *row)
{
    memset(row, 0, sizeof(*row)); /* bytes too: callers compare rows */
    COPY(row->archive, stmt, "archive");
    COPY(row->kind, stmt, "kind");
    COPY(row->url, stmt, "url");
    COPY(row->files, stmt, "files");
    COPY(row->time_zone, stmt, "time_zone");
    COPY(row->user, stmt, "user");
    COPY(row->secret, stmt, "secret");
    COPY(row->options, stmt, "options");
}

int okno_registry_archives(struct okno_db *db, struct okno_archive_row_vec *rows,
                           struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_archive_row row;
    int rc = OKNO_DB_PREPARE(db, "registry.get_archives", &stmt, err, OKNO_TEXT("archive", NULL));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        read_archive(stmt, &row);
        rc = okno_archive_row_vec_push(rows, row) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

int okno_registry_archive(struct okno_db *db, const char *archive, struct okno_archive_row *ret_row,
                          struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc =
        OKNO_DB_PREPARE(db, "registry.get_archives", &stmt, err, OKNO_TEXT("archive", archive));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : not_found("archive", archive, err);
    read_archive(stmt, ret_row);
    return 0;
}

static void read_camera(struct okno_stmt *stmt, struct okno_camera *camera)
{
    memset(camera, 0, sizeof(*camera));
    COPY(camera->camera, stmt, "camera");
    COPY(camera->site, stmt, "site");
    COPY(camera->channel, stmt, "channel");
    COPY(camera->name, stmt, "name");
    camera->retention_days = okno_stmt_int(stmt, "retention_days");
    camera->overlay_trusted = okno_stmt_int(stmt, "overlay_trusted") != 0;
    read_archive(stmt, &camera->archive);
}

int okno_registry_cameras(struct okno_db *db, struct okno_camera_vec *cameras, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_camera camera;
    int rc = OKNO_DB_PREPARE(db, "registry.get_cameras", &stmt, err, OKNO_TEXT("camera", NULL));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        read_camera(stmt, &camera);
        rc = okno_camera_vec_push(cameras, camera) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

int okno_registry_camera(struct okno_db *db, const char *camera, struct okno_camera *ret_camera,
                         struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_cameras", &stmt, err, OKNO_TEXT("camera", camera));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : not_found("camera", camera, err);
    read_camera(stmt, ret_camera);
    return 0;
}

/* --- sites and points */

static void read_site(struct okno_stmt *stmt, struct okno_site *site)
{
    memset(site, 0, sizeof(*site));
    COPY(site->site, stmt, "site");
    COPY(site->name, stmt, "name");
    COPY(site->time_zone, stmt, "time_zone");
    COPY(site->group, stmt, "site_group");
}

static void read_point(struct okno_stmt *stmt, struct okno_point *point)
{
    memset(point, 0, sizeof(*point));
    COPY(point->point, stmt, "point");
    COPY(point->name, stmt, "point_name");
    read_site(stmt, &point->site);
}

int okno_registry_sites(struct okno_db *db, struct okno_site_vec *sites, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_site site;
    int rc = OKNO_DB_PREPARE(db, "registry.get_sites", &stmt, err, OKNO_TEXT("site", NULL));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        read_site(stmt, &site);
        rc = okno_site_vec_push(sites, site) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

int okno_registry_site(struct okno_db *db, const char *site, struct okno_site *ret_site,
                       struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_sites", &stmt, err, OKNO_TEXT("site", site));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : not_found("site", site, err);
    read_site(stmt, ret_site);
    return 0;
}

int okno_registry_points(struct okno_db *db, struct okno_point_vec *points, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_point point;
    int rc = OKNO_DB_PREPARE(db, "registry.get_points", &stmt, err, OKNO_TEXT("point", NULL));
    while (rc == 0 && (rc = okno_stmt_step(stmt, err)) == 1) {
        read_point(stmt, &point);
        rc = okno_point_vec_push(points, point) < 0 ? no_memory(err) : 0;
    }
    return rc;
}

int okno_registry_point(struct okno_db *db, const char *point, struct okno_point *ret_point,
                        struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "registry.get_points", &stmt, err, OKNO_TEXT("point", point));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : not_found("point", point, err);
    read_point(stmt, ret_point);
    return 0;
}

/* --- secrets */

static int read_secret(int fd, const char *name, char ret_secret[OKNO_SECRET_TEXT],
                       struct okno_err *err)
{
    struct stat facts;
    if (fstat(fd, &facts) < 0)
        return okno_fail_errno(err, errno, "secret %s", name);
    if (!S_ISREG(facts.st_mode) || (facts.st_mode & 077))
        return okno_fail(err, OKNO_CONFIG,
                         "secret %s: its file may be read by others: chmod 600 it", name);
    ssize_t got = read(fd, ret_secret, OKNO_SECRET_TEXT);
    if (got < 0)
        return okno_fail_errno(err, errno, "secret %s", name);
    size_t len = (size_t)got;
    if (len == OKNO_SECRET_TEXT)
        return okno_fail(err, OKNO_CONFIG, "secret %s is longer than %d bytes", name,
                         OKNO_SECRET_TEXT - 1);
    while (len && (ret_secret[len - 1] == '\n' || ret_secret[len - 1] == '\r'))
        len--;
    ret_secret[len] = '\0';
    if (len == 0 || strlen(ret_secret) != len)
        return okno_fail(err, OKNO_CONFIG, "secret %s is empty or holds a NUL byte", name);
    return 0;
}

int okno_registry_secret(struct okno_db *db, const char *name, char ret_secret[OKNO_SECRET_TEXT],
                         struct okno_err *err)
{
    char path[1200];
    char secret[OKNO_SECRET_TEXT] = "";
    if (*name) {
        if (!okno_text_is_id(name))
            return okno_fail(err, OKNO_INVALID, "a secret's name is 1 to 64 of A-Z a-z 0-9 _ -");
        (void)snprintf(path, sizeof(path), "%s/secrets/%s", okno_db_dir(db), name);
        okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT)
            return okno_fail(err, OKNO_CONFIG,
                             "secret %s is not set: give it with `okno secret set %s`", name, name);
        if (fd < 0)
            return okno_fail(err, OKNO_CONFIG, "secret %s: cannot open %s: %s", name, path,
                             strerror(errno));
        int rc = read_secret(fd, name, secret, err);
        if (rc < 0)
            return rc;
    }
    memcpy(ret_secret, secret, sizeof(secret));
    return 0;
}

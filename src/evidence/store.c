/* Files by hash. A file is complete and on disk before its name says so, and its row comes last. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "okno/evidence.h"

#include "okno/file.h"
#include "okno/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium/randombytes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_dir(const char *path, struct okno_err *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return okno_fail_errno(err, errno, "cannot make the folder %s", path);
    return 0;
}

int okno_evidence_temp_dir(const char *data_dir, char *ret_dir, size_t size, struct okno_err *err)
{
    static const char *const names[] = {"evidence", "evidence/tmp"};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < OKNO_COUNT(names); i++) {
        int len = snprintf(ret_dir, size, "%s/%s", data_dir, names[i]);
        if (len < 0 || (size_t)len >= size)
            return okno_fail(err, OKNO_INVALID, "the data directory's name is too long: %s",
                             data_dir);
        rc = make_dir(ret_dir, err);
    }
    return rc;
}

int okno_evidence_temp(const char *data_dir, const char *kind, char *ret_path, size_t size,
                       struct okno_err *err)
{
    char dir[1100];
    int rc = okno_evidence_temp_dir(data_dir, dir, sizeof(dir), err);
    if (rc < 0)
        return rc;
    int len =
        snprintf(ret_path, size, "%s/%08x%08x.%s", dir, randombytes_random(), randombytes_random(),
                 strcmp(kind, "still") == 0     ? "jpg"
                 : strcmp(kind, "sidecar") == 0 ? "json"
                                                : "mp4");
    if (len < 0 || (size_t)len >= size)
        return okno_fail(err, OKNO_INVALID, "the data directory's name is too long: %s", data_dir);
    return 0;
}

void okno_evidence_sweep(const char *data_dir, int64_t before_us)
{
    char dir[1100];
    (void)snprintf(dir, sizeof(dir), "%s/evidence/tmp", data_dir);
    DIR *files = opendir(dir);
    struct dirent *entry;
    while (files && (entry = readdir(files))) {
        char path[1400];
        struct stat st;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtim.tv_sec < before_us / OKNO_SECOND_US)
            (void)unlink(path);
    }
    if (files)
        (void)closedir(files);
}

int okno_evidence_path(const char *data_dir, const char *sha256, char *ret_path, size_t size,
                       struct okno_err *err)
{
    if (strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64)
        return okno_fail_field(err, OKNO_INVALID, "sha256",
                               "a file's name is its SHA-256: 64 lower-case hex digits");
    int len = snprintf(ret_path, size, "%s/evidence/%.2s/%s", data_dir, sha256, sha256);
    if (len < 0 || (size_t)len >= size)
        return okno_fail(err, OKNO_INVALID, "the data directory's name is too long: %s", data_dir);
    return 0;
}

int okno_evidence_open(const char *data_dir, const char *sha256, struct okno_hash_memo *memo,
                       int *ret_fd, int64_t *ret_size, struct okno_err *err)
{
    char path[1300];
    int rc = okno_evidence_path(data_dir, sha256, path, sizeof(path), err);
    return rc < 0 ? rc : okno_hash_open(path, sha256, memo, ret_fd, ret_size, err);
}

static int settle(const char *path, struct okno_evidence *evidence, struct okno_err *err)
{
    struct stat st;
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return okno_fail_errno(err, errno, "cannot read %s", path);
    int rc = okno_file_settle(fd, evidence->sha256, err);
    if (rc < 0)
        return rc;
    evidence->bytes = st.st_size;
    return fchmod(fd, 0400) < 0 ? okno_fail_errno(err, errno, "cannot protect %s", path) : 0;
}

static int move_to_place(const char *data_dir, const char *temp_path, const char *sha256,
                         struct okno_err *err)
{
    char dir[1200];
    char root[1100];
    char path[1300];
    (void)snprintf(root, sizeof(root), "%s/evidence", data_dir);
    (void)snprintf(dir, sizeof(dir), "%s/%.2s", root, sha256);
    int rc = okno_evidence_path(data_dir, sha256, path, sizeof(path), err);
    if (rc == 0)
        rc = make_dir(dir, err);
    if (rc == 0 && rename(temp_path, path) < 0)
        rc = okno_fail_errno(err, errno, "cannot move %s to its place", temp_path);
    if (rc == 0)
        rc = okno_dir_sync(dir, err);
    return rc < 0 ? rc : okno_dir_sync(root, err);
}

int okno_evidence_keep(const char *data_dir, const char *temp_path, struct okno_evidence *evidence,
                       struct okno_err *err)
{
    int rc = settle(temp_path, evidence, err);
    if (rc == 0)
        rc = move_to_place(data_dir, temp_path, evidence->sha256, err);
    if (rc < 0)
        (void)unlink(temp_path);
    return rc;
}

int okno_evidence_add(struct okno_db *db, struct okno_evidence *e, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(
        db, "evidence.add", &stmt, err, OKNO_TEXT("survey", e->survey),
        OKNO_TEXT("audit", e->audit), OKNO_TEXT("kind", e->kind), OKNO_TEXT("sha256", e->sha256),
        OKNO_INT("bytes", e->bytes), OKNO_TEXT("media_type", e->media_type),
        OKNO_TEXT("codec", e->codec), OKNO_INT("derived", e->derived),
        OKNO_TEXT("camera", e->camera), OKNO_INT("asked_from", e->asked_from_us),
        OKNO_INT("asked_to", e->asked_to_us), OKNO_INT("got_from", e->got_from_us),
        OKNO_INT("got_to", e->got_to_us), OKNO_INT("frame_at", e->frame_at_us),
        OKNO_INT("view_offset_us", e->view_offset_us), OKNO_TEXT("gaps", e->gaps),
        OKNO_INT("index_offset_us", e->index_offset_us),
        OKNO_INT("uncertainty_us", e->uncertainty_us), OKNO_TEXT("source", e->source),
        OKNO_INT("requests", e->requests), OKNO_INT("bytes_read", e->bytes_read),
        OKNO_TEXT("software", "okno " OKNO_VERSION), OKNO_INT("made_at", e->made_at_us));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    int64_t id = rc == 1 ? okno_stmt_int(stmt, "id") : 0;
    if (rc == 1)
        rc = okno_stmt_step(stmt, err); /* finishes the insert */
    if (rc == 0)
        e->id = id;
    return rc < 0 ? rc : 0;
}

#define COPY(row, e, member) okno_stmt_copy(row, #member, (e)->member, sizeof((e)->member))

static void load_row(struct okno_stmt *row, struct okno_evidence *e)
{
    COPY(row, e, survey);
    COPY(row, e, audit);
    COPY(row, e, camera);
    COPY(row, e, kind);
    COPY(row, e, sha256);
    COPY(row, e, media_type);
    COPY(row, e, codec);
    COPY(row, e, gaps);
    COPY(row, e, source);
    COPY(row, e, sidecar);
    e->id = okno_stmt_int(row, "id");
    e->bytes = okno_stmt_int(row, "bytes");
    e->derived = okno_stmt_int(row, "derived") != 0;
    e->asked_from_us = okno_stmt_int(row, "asked_from");
    e->asked_to_us = okno_stmt_int(row, "asked_to");
    e->got_from_us = okno_stmt_int(row, "got_from");
    e->got_to_us = okno_stmt_int(row, "got_to");
    e->frame_at_us = okno_stmt_int(row, "frame_at");
    e->view_offset_us = okno_stmt_int(row, "view_offset_us");
    e->index_offset_us = okno_stmt_int(row, "index_offset_us");
    e->uncertainty_us = okno_stmt_int(row, "uncertainty_us");
    e->requests = okno_stmt_int(row, "requests");
    e->bytes_read = okno_stmt_int(row, "bytes_read");
    e->made_at_us = okno_stmt_int(row, "made_at");
}

int okno_evidence_find(struct okno_db *db, const char *survey, const char *kind,
                       struct okno_evidence *ret_evidence, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    int rc = OKNO_DB_PREPARE(db, "evidence.find", &stmt, err, OKNO_TEXT("survey", survey),
                             OKNO_TEXT("kind", kind));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc == 0)
        return okno_fail(err, OKNO_NOT_FOUND, "survey %s has no %s", survey, kind);
    if (rc < 0)
        return rc;
    *ret_evidence = (struct okno_evidence){0};
    load_row(stmt, ret_evidence);
    return 0;
}

json_t *okno_evidence_gaps_json(const char *stored)
{
    json_t *shown = json_array();
    okno_autojson json_t *gaps = json_loads(stored, 0, NULL);
    size_t i;
    json_t *gap;
    json_array_foreach(gaps, i, gap)
    {
        json_array_append_new(
            shown, json_pack("[o, o]", okno_json_time(json_integer_value(json_array_get(gap, 0))),
                             okno_json_time(json_integer_value(json_array_get(gap, 1)))));
    }
    return shown;
}

json_t *okno_evidence_json(const char *data_dir, const struct okno_evidence *e)
{
    char path[1300] = "";
    (void)!okno_evidence_path(data_dir, e->sha256, path, sizeof(path), NULL);
    okno_autofree char *absolute = realpath(path, NULL);
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:s, s:I, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}",
        "survey", e->survey[0] ? json_string(e->survey) : json_null(), "kind", e->kind, "path",
        absolute ? absolute : path, "sha256", e->sha256, "bytes", (json_int_t)e->bytes, "codec",
        e->codec, "derived", (int)e->derived, "asked_from", okno_json_time(e->asked_from_us),
        "asked_to", okno_json_time(e->asked_to_us), "got_from", okno_json_time(e->got_from_us),
        "got_to", okno_json_time(e->got_to_us), "gaps", okno_evidence_gaps_json(e->gaps),
        "offset_ms", (json_int_t)(e->index_offset_us / OKNO_MS_US), "uncertainty_ms",
        (json_int_t)(e->uncertainty_us / OKNO_MS_US), "requests", (json_int_t)e->requests,
        "bytes_read", (json_int_t)e->bytes_read);
    if (json && e->sidecar[0])
        json_object_set_new(json, "sidecar", json_string(e->sidecar));
    if (json && strcmp(e->kind, "still") == 0)
        json_object_set_new(json, "frame_at", okno_json_time(e->frame_at_us));
    return json;
}

/* Viewing copies and contact sheets of kept evidence, made on demand under DIR/cache. */
#define _GNU_SOURCE
#include "extras.h"

#include "okno/mem.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium/randombytes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A copy that is looked at is marked as used once in so long, not with each piece of it. */
enum { used_s = 3600 };

/* What is kept under a hash, and how it is to be shown. */
struct shown {
    char sha256[OKNO_SHA256_TEXT];
    char camera[65];
    char survey[64];
    bool clip;
    int64_t got_from_us, got_to_us, view_offset_us;
    struct okno_view_masks masks;
    int64_t masks_id;
};

static int shown_load(struct okno_db *db, const char *sha256, struct shown *ret_shown,
                      struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct shown s = {0};
    int rc = OKNO_DB_PREPARE(db, "extras.evidence", &stmt, err, OKNO_TEXT("sha256", sha256));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc < 0 ? rc : okno_fail(err, OKNO_NOT_FOUND, "there is no such evidence");
    (void)snprintf(s.sha256, sizeof(s.sha256), "%s", sha256);
    (void)snprintf(s.camera, sizeof(s.camera), "%s", okno_stmt_text(stmt, "camera"));
    (void)snprintf(s.survey, sizeof(s.survey), "%s", okno_stmt_text(stmt, "survey"));
    s.clip = strcmp(okno_stmt_text(stmt, "kind"), "clip") == 0;
    s.got_from_us = okno_stmt_int(stmt, "got_from");
    s.got_to_us = okno_stmt_int(stmt, "got_to");
    s.view_offset_us = okno_stmt_int(stmt, "view_offset_us");
    rc = okno_masks_at(db, s.camera, s.got_from_us, &s.masks, &s.masks_id, err);
    if (rc == 0)
        *ret_shown = s;
    return rc;
}

int okno_copy_is_masked(struct okno_db *db, const char *sha256, bool *ret_masked,
                        struct okno_err *err)
{
    struct shown shown = {0};
    int rc = shown_load(db, sha256, &shown, err);
    if (rc == 0)
        *ret_masked = shown.masks.count > 0;
    return rc;
}

static int make_dir(const char *path, struct okno_err *err)
{
    return mkdir(path, 0700) < 0 && errno != EEXIST
               ? okno_fail_errno(err, errno, "cannot make the folder %s", path)
               : 0;
}

/* The tiles are spread over what was asked, the key frame's lead left out. */
static struct okno_sheet sheet_of(const struct shown *shown)
{
    int64_t span_us = shown->got_to_us - shown->got_from_us - shown->view_offset_us;
    int64_t step_us = span_us > 0 ? span_us / OKNO_SHEET_TILES : 0;
    return (struct okno_sheet){.from_us = shown->view_offset_us + step_us / 2,
                               .step_us = step_us,
                               .count = OKNO_SHEET_TILES,
                               .width = OKNO_SHEET_TILE_WIDTH};
}

/* When the zone's distance from UTC changes in (from, to]; it is another one at its end. */
static int64_t change_find(const struct okno_zone *zone, int64_t from_us, int64_t to_us)
{
    int64_t before = okno_zone_offset_at(zone, from_us);
    while (to_us - from_us > 1) {
        int64_t middle = from_us + (to_us - from_us) / 2;
        *(okno_zone_offset_at(zone, middle) == before ? &from_us : &to_us) = middle;
    }
    return to_us;
}

int okno_copy_text(struct okno_db *db, const char *camera, int64_t from_us, int64_t to_us,
                   const char *subject, struct okno_view_text *ret_text, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    OKNO_AUTO(okno_zone) *zone = NULL;
    int rc = OKNO_DB_PREPARE(db, "extras.zone", &stmt, err, OKNO_TEXT("camera", camera));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc >= 0)
        rc = okno_zone_open(rc == 1 ? okno_stmt_text(stmt, "time_zone") : "UTC", &zone, err);
    if (rc < 0)
        return rc;
    *ret_text = (struct okno_view_text){.at_us = from_us,
                                        .offset_us = okno_zone_offset_at(zone, from_us),
                                        .next_offset_us = okno_zone_offset_at(zone, to_us),
                                        .change_us = INT64_MAX};
    if (ret_text->next_offset_us != ret_text->offset_us)
        ret_text->change_us = change_find(zone, from_us, to_us);
    (void)snprintf(ret_text->subject, sizeof(ret_text->subject), "%s", subject);
    return 0;
}

static int make(struct okno_db *db, const struct shown *shown, const char *data_dir,
                enum okno_copy copy, const char *temp, struct okno_err *err)
{
    OKNO_AUTO(okno_source) *file = NULL;
    int rc = okno_evidence_source(data_dir, shown->sha256, &file, err);
    if (rc < 0)
        return rc;
    if (copy == OKNO_COPY_SHEET) {
        struct okno_sheet sheet = sheet_of(shown);
        return okno_view_sheet(file, &sheet, &shown->masks, temp, err);
    }
    if (!shown->clip)
        return okno_view_still(file, &shown->masks, 0, temp, err);
    if (copy == OKNO_COPY_PREVIEW)
        return okno_view_preview(file, &shown->masks, temp, err);
    struct okno_view_text text = {0};
    bool with_text = copy == OKNO_COPY_TEXT;
    rc = with_text ? okno_copy_text(db, shown->camera, shown->got_from_us, shown->got_to_us,
                                    shown->survey, &text, err)
                   : 0;
    return rc < 0 ? rc : okno_view_clip(file, &shown->masks, with_text ? &text : NULL, temp, err);
}

/* What a copy is goes into the database before its name is given: whatever lies there under that
 * name and is another one, because somebody put it there or the power failed, is made again. */
static int note_copy(struct okno_db *db, const char *temp, const char *path, struct okno_err *err)
{
    char hash[OKNO_SHA256_TEXT];
    okno_autoclose int fd = open(temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int rc =
        fd < 0 ? okno_fail_errno(err, errno, "cannot read %s", temp) : okno_hash_fd(fd, hash, err);
    return rc < 0
               ? rc
               : OKNO_DB_RUN(db, "extras.add_copy", NULL, err,
                             OKNO_TEXT("name", strrchr(path, '/') + 1), OKNO_TEXT("sha256", hash));
}

/* Two that make the same copy at once make the same file; the later name stands. */
static int make_in_place(struct okno_db *db, const struct shown *shown, const char *data_dir,
                         enum okno_copy copy, const char *path, struct okno_err *err)
{
    char temp[1300];
    char dir[1100];
    (void)snprintf(dir, sizeof(dir), "%s/cache", data_dir);
    int rc = make_dir(dir, err);
    (void)snprintf(temp, sizeof(temp), "%s/tmp-%08x%08x", dir, randombytes_random(),
                   randombytes_random());
    if (rc == 0)
        rc = make(db, shown, data_dir, copy, temp, err);
    if (rc == 0)
        rc = note_copy(db, temp, path, err);
    if (rc == 0 && rename(temp, path) < 0)
        rc = okno_fail_errno(err, errno, "cannot name %s", path);
    if (rc < 0)
        (void)unlink(temp);
    return rc;
}

/* Its name and version. */
static int name_copy(const struct shown *shown, const char *data_dir, enum okno_copy copy,
                     char *ret_path, size_t size, char ret_tag[96], struct okno_err *err)
{
    static const char *const kinds[] = {[OKNO_COPY_VIEW] = "view",
                                        [OKNO_COPY_SHEET] = "sheet",
                                        [OKNO_COPY_TEXT] = "text",
                                        [OKNO_COPY_PREVIEW] = "preview"};
    if (copy != OKNO_COPY_VIEW && !shown->clip)
        return okno_fail(err, OKNO_NOT_FOUND,
                         "a still has no contact sheet, preview or copy with text");
    (void)snprintf(ret_tag, 96, "%s-%s-%lld", shown->sha256, kinds[copy],
                   (long long)shown->masks_id);
    int len = snprintf(ret_path, size, "%s/cache/%s.%s", data_dir, ret_tag,
                       copy != OKNO_COPY_SHEET && shown->clip ? "mp4" : "jpg");
    if (len < 0 || (size_t)len >= size)
        return okno_fail(err, OKNO_INVALID, "the data directory's name is too long: %s", data_dir);
    return 0;
}

/* 1: open and as it was made; 0: there is none such. Looking at it keeps it in the cache, before it
 * is compared, since that is a change of its times. */
static int open_made(struct okno_db *db, const char *path, struct okno_hash_memo *memo, int *ret_fd,
                     int64_t *ret_size, struct okno_err *err)
{
    OKNO_AUTO_STMT *stmt = NULL;
    struct okno_err none = {0};
    struct stat st;
    int rc = OKNO_DB_PREPARE(db, "extras.copy_hash", &stmt, err,
                             OKNO_TEXT("name", strrchr(path, '/') + 1));
    if (rc == 0)
        rc = okno_stmt_step(stmt, err);
    if (rc <= 0)
        return rc;
    if (lstat(path, &st) == 0 && st.st_mtim.tv_sec < okno_time_now() / OKNO_SECOND_US - used_s)
        (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
    return okno_hash_open(path, okno_stmt_text(stmt, "sha256"), memo, ret_fd, ret_size, &none) == 0;
}

int okno_copy_open(struct okno_db *db, const char *data_dir, const char *sha256,
                   enum okno_copy copy, struct okno_hash_memo *memo, int *ret_fd, int64_t *ret_size,
                   char ret_tag[96], struct okno_err *err)
{
    char path[1300];
    struct shown shown = {0};
    int rc = shown_load(db, sha256, &shown, err);
    if (rc == 0)
        rc = name_copy(&shown, data_dir, copy, path, sizeof(path), ret_tag, err);
    if (rc == 0)
        rc = open_made(db, path, memo, ret_fd, ret_size, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = make_in_place(db, &shown, data_dir, copy, path, err);
    if (rc == 0)
        rc = open_made(db, path, memo, ret_fd, ret_size, err);
    return rc == 0  ? okno_fail(err, OKNO_CHECK_FAILED, "%s changes while it is made", path)
           : rc < 0 ? rc
                    : 0;
}

int okno_copy_get(struct okno_db *db, const char *data_dir, const char *sha256, enum okno_copy copy,
                  char *ret_path, size_t size, char ret_tag[96], struct okno_err *err)
{
    okno_autoclose int fd = -1;
    int64_t bytes = 0;
    struct shown shown = {0};
    int rc = okno_copy_open(db, data_dir, sha256, copy, NULL, &fd, &bytes, ret_tag, err);
    if (rc == 0)
        rc = shown_load(db, sha256, &shown, err);
    return rc < 0 ? rc : name_copy(&shown, data_dir, copy, ret_path, size, ret_tag, err);
}

void okno_copy_ahead(struct okno_db *db, const char *data_dir, const char *sha256)
{
    OKNO_AUTO_STMT *row = NULL;
    struct okno_err none = {0};
    char path[1300];
    char tag[96];
    int rc = OKNO_DB_PREPARE(db, "extras.evidence", &row, &none, OKNO_TEXT("sha256", sha256));
    bool wanted =
        rc == 0 && okno_stmt_step(row, &none) == 1 && okno_stmt_text(row, "view")[0] != '\0';
    okno_stmt_reset(row);
    if (wanted)
        (void)!okno_copy_get(db, data_dir, sha256, OKNO_COPY_VIEW, path, sizeof(path), tag, &none);
}

void okno_copy_sweep(struct okno_db *db, const char *data_dir, int64_t before_us)
{
    char dir[1100];
    (void)snprintf(dir, sizeof(dir), "%s/cache", data_dir);
    DIR *files = opendir(dir);
    struct dirent *entry;
    struct okno_err none = {0}; /* a row too many is made again with its copy */
    while (files && (entry = readdir(files))) {
        struct stat st;
        int at = dirfd(files);
        if (fstatat(at, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            st.st_mtim.tv_sec < before_us / OKNO_SECOND_US && unlinkat(at, entry->d_name, 0) == 0)
            (void)!OKNO_DB_RUN(db, "extras.remove_copy", NULL, &none,
                               OKNO_TEXT("name", entry->d_name));
    }
    if (files)
        (void)closedir(files);
}

#define _GNU_SOURCE
/* The folder of a bundle: files, their manifests, and whether they agree. Source: RFC 8493. */
#include "bundle.h"

#include "okno/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char manifest_name[] = "manifest-sha256.txt";
static const char tags_name[] = "tagmanifest-sha256.txt";

enum { DEPTH_MAX = 4 };

void bag_free(struct bag *bag)
{
    for (size_t i = 0; i < bag->files.len; i++)
        free(bag->files.items[i].name);
    bag_files_free(&bag->files);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct bag_file *)a)->name, ((const struct bag_file *)b)->name);
}

static void sort(struct bag *bag)
{
    if (bag->files.len > 1)
        qsort(bag->files.items, bag->files.len, sizeof(*bag->files.items), by_name);
}

static int remember(struct bag *bag, const char *name, const char *sha256, struct okno_err *err)
{
    struct bag_file file = {.name = strdup(name)};
    (void)snprintf(file.sha256, sizeof(file.sha256), "%s", sha256);
    if (file.name && bag->files.len < BUNDLE_FILES_MAX && bag_files_push(&bag->files, file) == 0)
        return 0;
    free(file.name);
    return okno_fail(err, OKNO_TOO_LARGE, "a bundle has at most %d files", BUNDLE_FILES_MAX);
}

const struct bag_file *bag_find(const struct bag *bag, const char *name)
{
    struct bag_file key = {.name = (char *)(uintptr_t)name};
    return bag->files.len == 0
               ? NULL
               : bsearch(&key, bag->files.items, bag->files.len, sizeof(key), by_name);
}

/* ---- writing ---- */

static void path_of(const struct bag *bag, const char *name, char ret_path[BUNDLE_PATH])
{
    (void)snprintf(ret_path, BUNDLE_PATH, "%s/%s", bag->dir, name);
}

int bag_make_dir(const struct bag *bag, const char *name, struct okno_err *err)
{
    char path[BUNDLE_PATH];
    path_of(bag, name, path);
    return mkdir(path, 0755) < 0 ? okno_fail_errno(err, errno, "cannot make %s", path) : 0;
}

int bag_open(const struct bag *bag, const char *name, struct bag_stream *ret_stream,
             struct okno_err *err)
{
    char path[BUNDLE_PATH];
    path_of(bag, name, path);
    ret_stream->file = bag->dir[0] ? fopen(path, "wxe") : fopen("/dev/null", "we");
    if (!ret_stream->file)
        return okno_fail_errno(err, errno, "cannot make %s", path);
    okno_hash_start(&ret_stream->hash);
    (void)snprintf(ret_stream->name, sizeof(ret_stream->name), "%s", name);
    return 0;
}

int bag_add(struct bag_stream *stream, const void *bytes, size_t len, struct okno_err *err)
{
    okno_hash_add(&stream->hash, bytes, len);
    if (len > 0 && fwrite(bytes, 1, len, stream->file) != len)
        return okno_fail_errno(err, errno, "cannot write %s", stream->name);
    return 0;
}

int bag_close(struct bag *bag, struct bag_stream *stream, int rc, struct okno_err *err)
{
    uint8_t digest[OKNO_SHA256_BYTES];
    char sha256[OKNO_SHA256_TEXT];
    int closed = fclose(stream->file);
    stream->file = NULL;
    if (rc < 0)
        return rc;
    if (closed != 0)
        return okno_fail_errno(err, errno, "cannot write %s", stream->name);
    okno_hash_end(&stream->hash, digest);
    return remember(bag, stream->name, okno_hash_hex(digest, sha256), err);
}

int bag_put(struct bag *bag, const char *name, const char *text, struct okno_err *err)
{
    struct bag_stream stream;
    int rc = bag_open(bag, name, &stream, err);
    if (rc < 0)
        return rc;
    rc = bag_add(&stream, text, strlen(text), err);
    return bag_close(bag, &stream, rc, err);
}

static bool is_payload(const char *name)
{
    return strncmp(name, "data/", 5) == 0;
}

static int put_manifest(struct bag *bag, const char *name, bool payload, struct okno_err *err)
{
    struct bag_stream stream;
    char line[BUNDLE_NAME + 80];
    sort(bag);
    int rc = bag_open(bag, name, &stream, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; rc == 0 && i < bag->files.len; i++) {
        const struct bag_file *file = &bag->files.items[i];
        if (is_payload(file->name) != payload)
            continue;
        int len = snprintf(line, sizeof(line), "%s  %s\n", file->sha256, file->name);
        rc = bag_add(&stream, line, (size_t)len, err);
    }
    return bag_close(bag, &stream, rc, err);
}

int bag_list(struct bag *bag, struct okno_err *err)
{
    int rc = put_manifest(bag, manifest_name, true, err);
    if (rc == 0)
        rc = put_manifest(bag, tags_name, false, err);
    sort(bag);
    return rc;
}

int bag_sync(const struct bag *bag, struct okno_err *err)
{
    okno_autoclose int fd = open(bag->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || syncfs(fd) < 0
               ? okno_fail_errno(err, errno, "cannot make %s durable", bag->dir)
               : 0;
}

static void discard(const char *dir, int depth)
{
    DIR *folder = depth > DEPTH_MAX ? NULL : opendir(dir);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char path[BUNDLE_PATH + 256];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            (depth == 0 && strcmp(entry->d_name, BAG_FIRST) == 0))
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (unlink(path) < 0)
            discard(path, depth + 1);
    }
    if (folder)
        (void)closedir(folder);
    if (depth > 0)
        (void)rmdir(dir);
}

void bag_discard(const char *dir)
{
    char first[BUNDLE_PATH + 256];
    discard(dir, 0);
    (void)snprintf(first, sizeof(first), "%s/" BAG_FIRST, dir);
    (void)unlink(first);
    (void)rmdir(dir);
}

/* ---- reading ---- */

int bag_read(const struct bag *bag, const char *name, size_t max, struct okno_buf *to,
             struct okno_err *err)
{
    char path[BUNDLE_PATH];
    char chunk[16384];
    size_t total = 0;
    path_of(bag, name, path);
    okno_autofclose FILE *file = fopen(path, "re");
    if (!file)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing", name);
    for (size_t got; (got = fread(chunk, 1, sizeof(chunk), file)) > 0; total += got) {
        if (total + got > max)
            return okno_fail(err, OKNO_CHECK_FAILED, "%s is larger than %zu bytes", name, max);
        int rc = okno_buf_add(to, chunk, got, err);
        if (rc < 0)
            return rc;
    }
    return ferror(file) ? okno_fail_errno(err, errno, "cannot read %s", path) : 0;
}

int bag_lines_open(const struct bag *bag, const char *name, struct bag_lines **ret_lines,
                   struct okno_err *err)
{
    char path[BUNDLE_PATH];
    struct bag_lines *lines = calloc(1, sizeof(*lines));
    if (!lines)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read %s", name);
    path_of(bag, name, path);
    lines->name = name;
    lines->file = fopen(path, "re");
    if (!lines->file) {
        free(lines);
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing", name);
    }
    *ret_lines = lines;
    return 0;
}

int bag_lines_next(struct bag_lines *lines, struct okno_err *err)
{
    lines->len = 0;
    lines->number++;
    for (int c; (c = getc_unlocked(lines->file)) != EOF;) {
        if (c == '\n') {
            lines->line[lines->len] = '\0';
            return 1;
        }
        if (c == 0 || lines->len == sizeof(lines->line) - 1)
            return okno_fail(err, OKNO_CHECK_FAILED, "%s: line %lld is no line of text",
                             lines->name, (long long)lines->number);
        lines->line[lines->len++] = (char)c;
    }
    if (ferror(lines->file))
        return okno_fail_errno(err, errno, "cannot read %s", lines->name);
    if (lines->len > 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is cut short in line %lld", lines->name,
                         (long long)lines->number);
    return 0;
}

void bag_lines_close(struct bag_lines *lines)
{
    if (!lines)
        return;
    (void)fclose(lines->file);
    free(lines);
}

/* ---- checking ---- */

/* What takes no room on a disk or in an archive takes time to read all the same. 0 where the file
 * system tells nothing of holes. */
static int64_t hole_bytes(int fd, off_t size)
{
    int64_t bytes = 0;
    for (off_t at = 0; at < size;) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0)
            return errno == ENXIO ? bytes + (size - at) : bytes;
        bytes += data - at;
        at = lseek(fd, data, SEEK_HOLE);
        if (at < 0)
            return bytes;
    }
    return bytes;
}

typedef bool belongs_fn(const char *name);

static int list(struct bag *bag, const char *folder, int depth, belongs_fn *belongs,
                struct okno_err *err);

static int list_entry(struct bag *bag, const char *name, int depth, belongs_fn *belongs,
                      struct okno_err *err)
{
    char path[BUNDLE_PATH];
    struct stat facts;
    path_of(bag, name, path);
    if (lstat(path, &facts) < 0)
        return okno_fail_errno(err, errno, "cannot look at %s", path);
    if (S_ISDIR(facts.st_mode) && depth < DEPTH_MAX)
        return list(bag, name, depth + 1, belongs, err);
    if (!S_ISREG(facts.st_mode))
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is no plain file", name);
    if (!belongs(name))
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is not part of a bundle", name);
    if (facts.st_size > (off_t)BUNDLE_FILE_GIB << 30)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is larger than %d GiB", name, BUNDLE_FILE_GIB);
    okno_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char sha256[OKNO_SHA256_TEXT];
    if (fd < 0)
        return okno_fail_errno(err, errno, "cannot open %s", path);
    bag->hole_bytes += hole_bytes(fd, facts.st_size);
    if (bag->hole_bytes > (int64_t)BUNDLE_HOLES_GIB << 30)
        return okno_fail(err, OKNO_CHECK_FAILED,
                         "%s: more than %d GiB of the bundle's files were never written (holes)",
                         name, BUNDLE_HOLES_GIB);
    int rc = okno_hash_fd(fd, sha256, err);
    return rc < 0 ? rc : remember(bag, name, sha256, err);
}

static int list(struct bag *bag, const char *folder, int depth, belongs_fn *belongs,
                struct okno_err *err)
{
    char path[BUNDLE_PATH];
    size_t before = bag->files.len;
    path_of(bag, folder, path);
    DIR *dir = opendir(path);
    if (!dir && errno == ENOTDIR)
        return okno_fail(err, OKNO_INVALID, "%s is no folder: unpack the archive first (tar -xf)",
                         bag->dir);
    if (!dir)
        return okno_fail_errno(err, errno, "cannot open the bundle %s", path);
    int rc = 0;
    const struct dirent *entry;
    while (rc == 0 && (entry = readdir(dir))) {
        char name[BUNDLE_NAME];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int len = snprintf(name, sizeof(name), "%s%s%s", folder, *folder ? "/" : "", entry->d_name);
        if (len >= (int)sizeof(name) || strchr(entry->d_name, '\n'))
            rc = okno_fail(err, OKNO_CHECK_FAILED, "%.100s... is not part of a bundle", name);
        else
            rc = list_entry(bag, name, depth, belongs, err);
    }
    (void)closedir(dir);
    if (rc == 0 && bag->files.len == before)
        rc = okno_fail(err, OKNO_CHECK_FAILED, "%s is an empty folder", *folder ? folder : path);
    return rc;
}

/* One line `hash  name`; names have to ascend, so that nothing is said twice. */
static int check_line(struct bag *bag, const struct bag_lines *lines, bool payload,
                      char last[BUNDLE_NAME], struct okno_err *err)
{
    const char *line = lines->line;
    if (lines->len < 67 || strspn(line, "0123456789abcdef") != 64 || line[64] != ' ' ||
        line[65] != ' ' || lines->len - 66 >= BUNDLE_NAME)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s: line %lld is no hash and name", lines->name,
                         (long long)lines->number);
    const char *name = line + 66;
    if (strcmp(last, name) >= 0 || is_payload(name) != payload)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s: line %lld is out of place: %s", lines->name,
                         (long long)lines->number, name);
    const struct bag_file *file = bag_find(bag, name);
    if (!file)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s is missing", name);
    if (strncmp(file->sha256, line, 64) != 0)
        return okno_fail(err, OKNO_CHECK_FAILED, "%s was changed: %s tells another hash", name,
                         lines->name);
    bag->files.items[file - bag->files.items].listed = true;
    (void)snprintf(last, BUNDLE_NAME, "%s", name);
    return 0;
}

static int check_manifest(struct bag *bag, const char *name, bool payload, struct okno_err *err)
{
    OKNO_AUTO(bag_lines) *lines = NULL;
    char last[BUNDLE_NAME] = "";
    int rc = bag_lines_open(bag, name, &lines, err);
    if (rc < 0)
        return rc;
    while ((rc = bag_lines_next(lines, err)) == 1) {
        rc = check_line(bag, lines, payload, last, err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* The tag manifest does not list itself and what signs it. */
static bool is_unlisted(const char *name)
{
    return strcmp(name, tags_name) == 0 || strcmp(name, bundle_tag_signatures[0]) == 0 ||
           strcmp(name, bundle_tag_signatures[1]) == 0;
}

int bag_check(struct bag *bag, bool (*belongs)(const char *name), struct okno_err *err)
{
    int rc = list(bag, "", 0, belongs, err);
    if (rc < 0)
        return rc;
    sort(bag);
    rc = check_manifest(bag, tags_name, false, err);
    if (rc == 0)
        rc = check_manifest(bag, manifest_name, true, err);
    for (size_t i = 0; rc == 0 && i < bag->files.len; i++) {
        const struct bag_file *file = &bag->files.items[i];
        if (file->listed && is_unlisted(file->name))
            rc = okno_fail(err, OKNO_CHECK_FAILED, "%s lists itself or its signatures", tags_name);
        else if (!file->listed && !is_unlisted(file->name))
            rc = okno_fail(err, OKNO_CHECK_FAILED, "%s is in no manifest", file->name);
    }
    return rc;
}

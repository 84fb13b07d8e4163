#define _POSIX_C_SOURCE 200809L
#include "listing.h"

#include "okno/json.h"
#include "okno/time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 200000, ITEM_MAX_BYTES = 16 * 1024, NAME_MAX_BYTES = 255 };

void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    for (size_t i = 0; i < listing->files.len; i++)
        free(listing->files.items[i].name);
    listing_file_vec_free(&listing->files);
}

static int by_name(const void *left, const void *right)
{
    const struct listing_file *a = left;
    const struct listing_file *b = right;
    return strcmp(a->name, b->name);
}

static void sort(struct listing *listing)
{
    if (listing->files.len)
        qsort(listing->files.items, listing->files.len, sizeof(*listing->files.items), by_name);
}

int listing_add(struct listing *listing, const char *name, int64_t mtime_us, int64_t size,
                const char *shown, struct okno_err *err)
{
    if (listing->files.len == FILES_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "%s: more than %d files in one folder", shown,
                         FILES_MAX);
    struct listing_file file = {.name = strdup(name), .mtime_us = mtime_us, .size = size};
    if (!file.name || listing_file_vec_push(&listing->files, file) < 0) {
        free(file.name);
        return okno_fail(err, OKNO_NO_MEMORY, "%s: no memory for the list of files", shown);
    }
    return 0;
}

void listing_take(struct listing *listing, struct listing *ret_listing)
{
    sort(listing);
    *ret_listing = *listing;
    *listing = (struct listing){0};
}

/* --- local --- */

static int fail_folder(int number, const char *path, struct okno_err *err)
{
    if (number == ENOENT || number == ENOTDIR)
        return okno_fail(err, OKNO_NOT_FOUND, "%s: no such folder", path);
    if (number == EACCES || number == EPERM)
        return okno_fail(err, OKNO_ARCHIVE_REFUSED, "%s: this program may not read the folder",
                         path);
    return okno_fail(err, OKNO_TRANSIENT, "%s: %s", path, strerror(number));
}

static int read_entries(DIR *dir, const char *path, struct listing *listing, struct okno_err *err)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        struct stat info;
        if (!entry)
            return errno ? fail_folder(errno, path, err) : 0;
        if (fstatat(dirfd(dir), entry->d_name, &info, 0) < 0 || !S_ISREG(info.st_mode))
            continue; /* a folder, or deleted since */
        int64_t mtime = (int64_t)info.st_mtim.tv_sec * OKNO_SECOND_US + info.st_mtim.tv_nsec / 1000;
        int rc = listing_add(listing, entry->d_name, mtime, info.st_size, path, err);
        if (rc < 0)
            return rc;
    }
}

int listing_read_local(const char *path, struct listing *ret_listing, struct okno_err *err)
{
    LISTING_AUTO listing = {.now_us = okno_time_now()};
    DIR *dir = opendir(path);
    if (!dir)
        return fail_folder(errno, path, err);
    int rc = read_entries(dir, path, &listing, err);
    (void)closedir(dir);
    if (rc == 0)
        listing_take(&listing, ret_listing);
    return rc;
}

/* --- autoindex JSON: [{"name": ..., "type": "file", "mtime": ..., "size": ...}] --- */

static int read_item(const json_t *item, struct listing *listing, const char *shown,
                     struct okno_err *err)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *type = json_string_value(json_object_get(item, "type"));
    const char *mtime = json_string_value(json_object_get(item, "mtime"));
    const json_t *size = json_object_get(item, "size");
    if (!name || !type)
        return okno_fail(err, OKNO_PROTOCOL, "%s: an entry of the list has no name or type", shown);
    if (strcmp(type, "file") != 0 || !name[0] || strlen(name) > NAME_MAX_BYTES || strchr(name, '/'))
        return 0;
    if (size && (!json_is_integer(size) || json_integer_value(size) < 0))
        return okno_fail(err, OKNO_PROTOCOL, "%s: the size of %.80s is no number of bytes", shown,
                         name);
    return listing_add(listing, name, mtime ? okno_net_date(mtime) : -1,
                       size ? json_integer_value(size) : -1, shown, err);
}

static int fail_text(const char *text, size_t len, const char *shown, const char *why,
                     struct okno_err *err)
{
    size_t at = 0;
    while (at < len && strchr(" \t\r\n", text[at]))
        at++;
    if (at < len && text[at] == '<')
        return okno_fail(err, OKNO_PROTOCOL,
                         "%s: the list of files is an HTML page; set `autoindex on` and "
                         "`autoindex_format json` in nginx",
                         shown);
    return okno_fail(err, OKNO_PROTOCOL, "%s: the list of files is not the JSON nginx writes: %s",
                     shown, why);
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    return at;
}

/* The entry at `at` and what follows it, read alone: a whole list as one document would take some
 * hundred times its size in memory. 1: one more follows at *at; 0: that was the last. */
static int take_item(const char *text, size_t len, size_t *at, struct listing *listing,
                     const char *shown, struct okno_err *err)
{
    json_error_t why;
    size_t left = len - *at < ITEM_MAX_BYTES ? len - *at : ITEM_MAX_BYTES;
    okno_autojson json_t *item =
        json_loadb(text + *at, left, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &why);
    if (!item)
        return fail_text(text, len, shown, why.text, err);
    int rc = read_item(item, listing, shown, err);
    if (rc < 0)
        return rc;
    size_t next = skip_space(text, len, *at + (size_t)why.position);
    if (next == len || (text[next] != ',' && text[next] != ']'))
        return fail_text(text, len, shown, "no comma between entries", err);
    *at = skip_space(text, len, next + 1);
    return text[next] == ',';
}

static int take_items(const char *text, size_t len, struct listing *listing, const char *shown,
                      struct okno_err *err)
{
    size_t at = skip_space(text, len, 0);
    if (at == len || text[at] != '[')
        return fail_text(text, len, shown, "no array", err);
    at = skip_space(text, len, at + 1);
    int rc = 1;
    if (at < len && text[at] == ']') {
        at = skip_space(text, len, at + 1);
        rc = 0;
    }
    while (rc == 1)
        rc = take_item(text, len, &at, listing, shown, err);
    if (rc == 0 && at < len)
        rc = fail_text(text, len, shown, "more behind the array", err);
    return rc;
}

int listing_parse(const char *text, size_t len, const char *shown, struct listing *ret_listing,
                  struct okno_err *err)
{
    LISTING_AUTO listing = {.now_us = okno_time_now()};
    int rc = take_items(text, len, &listing, shown, err);
    if (rc == 0)
        listing_take(&listing, ret_listing);
    return rc;
}

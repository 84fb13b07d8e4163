/* What lies in a folder, local or as nginx lists it. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_LISTING_H
#define OKNO_VIDEO_ARCHIVE_LISTING_H

#include "okno/err.h"
#include "okno/net.h"
#include "okno/vec.h"

#include <stdint.h>

struct listing_file {
    char *name;       /* owned */
    int64_t mtime_us; /* -1 unknown */
    int64_t size;     /* -1 unknown */
};
OKNO_VEC(listing_file_vec, struct listing_file);

struct listing {
    struct listing_file_vec files; /* no folders, by name */
    int64_t now_us;                /* the clock of the mtimes */
};

void listing_free(struct listing *listing);
#define LISTING_AUTO __attribute__((cleanup(listing_free))) struct listing

/* OKNO_NOT_FOUND when there is no such folder, OKNO_ARCHIVE_REFUSED when it may not be read,
 * OKNO_TOO_LARGE past the limit of files. */
OKNO_CHECK int listing_read_local(const char *path, struct listing *ret_listing,
                                  struct okno_err *err);

/* `url` ends in a slash. Errors of net.h; OKNO_PROTOCOL for anything but autoindex JSON. */
OKNO_CHECK int listing_read_http(struct okno_net *net, const char *url, struct listing *ret_listing,
                                 struct okno_err *err);

/* The array nginx writes; `shown` names it in messages. */
OKNO_CHECK int listing_parse(const char *text, size_t len, const char *shown,
                             struct listing *ret_listing, struct okno_err *err);

#endif

/* What lies in a folder: on this machine, or as HTTP, WebDAV, FTP, SFTP and S3 servers list it.
 * Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_LISTING_H
#define OKNO_VIDEO_ARCHIVE_LISTING_H

#include "okno/err.h"
#include "okno/net.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct listing_file {
    char *name;       /* owned */
    int64_t mtime_us; /* -1 unknown */
    int64_t size;     /* -1 unknown */
    bool fresh;       /* of an unknown time, but written to just now */
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

/* Name, mtime and size of a file met in a list that `shown` names; folders and names with a slash
 * are the caller's to leave out. OKNO_TOO_LARGE past the limit of files. */
OKNO_CHECK int listing_add(struct listing *listing, const char *name, int64_t mtime_us,
                           int64_t size, const char *shown, struct okno_err *err);

/* Sort, and hand over. */
void listing_take(struct listing *listing, struct listing *ret_listing);

/* A list whose times are to the minute and of an unknown zone tells one thing only: which files
 * were written to just now. */
OKNO_CHECK int listing_add_rough(struct listing *listing, const char *name, int64_t told_us,
                                 int64_t size, const char *shown, struct okno_err *err);

/* Which answers to take. */
enum listing_kind { LISTING_AUTO_KIND, LISTING_JSON, LISTING_HTML, LISTING_WEBDAV };

/* `url` ends in a slash. Errors of net.h; OKNO_PROTOCOL for anything but a list: of nginx (JSON,
 * HTML), Apache, lighttpd and others (HTML), or a WebDAV server's. */
OKNO_CHECK int listing_read_http(struct okno_net *net, const char *url, enum listing_kind kind,
                                 struct listing *ret_listing, struct okno_err *err);

/* The array nginx writes; `shown` names it in messages. */
OKNO_CHECK int listing_parse(const char *text, size_t len, const char *shown,
                             struct listing *ret_listing, struct okno_err *err);

/* An index page. A page that is none (a login) is OKNO_PROTOCOL. */
OKNO_CHECK int listing_parse_html(const char *text, size_t len, const char *shown, int64_t now_us,
                                  struct listing *ret_listing, struct okno_err *err);

/* What PROPFIND with depth 1 answers. */
OKNO_CHECK int listing_parse_dav(const char *text, size_t len, const char *shown,
                                 struct listing *ret_listing, struct okno_err *err);

/* Lines of LIST: as ls -l writes them (FTP, SFTP), or as IIS does. */
OKNO_CHECK int listing_parse_ls(const char *text, size_t len, const char *shown, int64_t now_us,
                                struct listing *ret_listing, struct okno_err *err);

/* `url`: ftp, ftps or sftp, ends in a slash. */
OKNO_CHECK int listing_read_ftp(struct okno_net *net, const char *url, struct listing *ret_listing,
                                struct okno_err *err);

/* One page of ListObjectsV2, appended; *ret_more is the continuation token, "" at the end. Objects
 * directly below `prefix` only. */
OKNO_CHECK int listing_parse_s3(const char *text, size_t len, const char *shown, const char *prefix,
                                struct listing *listing, char ret_more[1024], struct okno_err *err);

/* Which part of a folder is wanted, by names in the order of their bytes: what comes behind `after`
 * up to the first name behind `until` that does not begin with it; "" for no bound. */
struct listing_part {
    char after[256], until[256];
};

/* okno_net_config.explain of a bucket: why an object is not given, by the store's own words. */
OKNO_CHECK int listing_explain_s3(const char *body, size_t len, const char *shown,
                                  const struct okno_err *why, struct okno_err *err);

/* The objects directly below a prefix ("a/b/" or ""), page after page; `base` is the bucket's
 * address without a slash at its end. */
OKNO_CHECK int listing_read_s3(struct okno_net *net, const char *base, const char *prefix,
                               const struct listing_part *part, struct listing *ret_listing,
                               struct okno_err *err);

#endif

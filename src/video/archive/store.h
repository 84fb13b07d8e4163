/* Where the files of kind `dir` lie: a folder of this machine, a web or WebDAV server, FTP(S),
 * SFTP, a bucket. Lists folders and opens files; knows nothing of names and times. Private to
 * video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_STORE_H
#define OKNO_VIDEO_ARCHIVE_STORE_H

#include "listing.h"

#include "okno/archive.h"

struct store;

/* Options of archives.csv that it takes, NULL at the end. */
extern const char *const store_options[];

/* OKNO_INVALID with the field at fault: url, options, user. */
OKNO_CHECK int store_open(const struct okno_archive_config *config, struct okno_budget *budget,
                          struct store **ret_store, struct okno_err *err);
void store_close(struct store *store);

/* Whether parts of folders can be listed; store_list lists whole ones elsewhere. */
bool store_lists_parts(const struct store *store);

/* `folder` is a path below the root, "" for the root. OKNO_NOT_FOUND or OKNO_GONE when it is not
 * there. */
OKNO_CHECK int store_list(struct store *store, const char *folder, const struct listing_part *part,
                          int64_t deadline_us, struct listing *ret_listing, struct okno_err *err);

/* Whether the root is there at all, of a server asked once: a share that is not mounted (its place
 * is empty) and a mistyped URL are no empty archive. 0 also when that cannot be known. */
OKNO_CHECK int store_check_root(struct store *store, struct okno_err *err);

/* `gone` as of source_open_http. */
OKNO_CHECK int store_source(struct store *store, const struct okno_piece *piece, bool *gone,
                            struct okno_source **ret_source, struct okno_err *err);

#endif

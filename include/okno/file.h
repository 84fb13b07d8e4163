/* Small files as a whole. */
#ifndef OKNO_FILE_H
#define OKNO_FILE_H

#include "okno/buf.h"
#include "okno/hash.h"

#include <sys/types.h>

/* Append all that a file holds. OKNO_TOO_LARGE past the buffer's maximum, OKNO_NOT_FOUND, OKNO_IO;
 * the message names the file. */
OKNO_CHECK int okno_file_read(const char *path, struct okno_buf *to, struct okno_err *err);

/* Open a plain file to read it: no link, and nothing that one would have to wait for, as a pipe in
 * its place (OKNO_CHECK_FAILED). The caller closes *ret_fd. */
OKNO_CHECK int okno_file_open(const char *path, int *ret_fd, int64_t *ret_size,
                              struct okno_err *err);

/* Make or replace a file, whole or not at all: it is written beside under a name of its own,
 * synced, renamed, and its folder is synced, so that it is durable when this returns. `mode` as in
 * open(2). OKNO_IO and what okno_fail_errno makes of errno; nothing is left behind then, and what
 * a killed one left goes with the next. Two that write at once: the later stands. */
OKNO_CHECK int okno_file_put(const char *path, mode_t mode, const void *bytes, size_t len,
                             struct okno_err *err);

/* Begin a file that takes a while to write and must not exist. Where the file system can, it has no
 * name until it is kept: a process that is killed leaves nothing. OKNO_CONFLICT when it exists. */
OKNO_CHECK int okno_file_begin(const char *path, mode_t mode, int *ret_fd, struct okno_err *err);
/* It is whole: it gets its name. OKNO_CONFLICT when another file has got it meanwhile. */
OKNO_CHECK int okno_file_keep(const char *path, int fd, struct okno_err *err);
/* It is not to be. */
void okno_file_drop(const char *path, int fd);

/* A file that somebody just wrote: its bytes go to disk while they are hashed, and are there when
 * this returns. Its name is the folder's affair. */
OKNO_CHECK int okno_file_settle(int fd, char ret_sha256[OKNO_SHA256_TEXT], struct okno_err *err);

/* Names made, renamed or removed in a folder last once it is synced. */
OKNO_CHECK int okno_dir_sync(const char *path, struct okno_err *err);

#endif

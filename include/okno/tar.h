/* A folder as one file. Format: ustar, POSIX.1-1988 (IEEE Std 1003.1, pax, "ustar Interchange
 * Format"). */
#ifndef OKNO_TAR_H
#define OKNO_TAR_H

#include "okno/err.h"

/* Append the plain files and folders below `dir` to the file `fd`, sorted by name, as if they lay
 * in a folder `name`, with the two empty blocks that end an archive. Owners are not told.
 * OKNO_TOO_LARGE for a path or a file that the format has no room for (100 bytes after a slash, 8
 * GiB); OKNO_REFUSED for anything that is neither file nor folder; OKNO_IO. */
OKNO_CHECK int okno_tar_folder(const char *dir, const char *name, int fd, struct okno_err *err);

/* Remove a folder with all that is in it; one that is not there is removed already. */
void okno_tar_forget(const char *dir);

#endif

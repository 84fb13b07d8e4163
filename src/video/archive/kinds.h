/* The archive kinds; each is one struct of callbacks. Private to video/archive.
 * X(name of the struct, word): a new kind has its row here and its file beside this one. */
#ifndef OKNO_VIDEO_ARCHIVE_KINDS_H
#define OKNO_VIDEO_ARCHIVE_KINDS_H

#include "okno/archive.h"

/* dir: files with the time in their names; hls: segments of playlists that tell the time. */
#define ARCHIVE_KINDS(X) X(archive_dir, "dir") X(archive_hls, "hls")

#define ARCHIVE_KIND_DECLARE(name, word) extern const struct okno_archive_ops name;
ARCHIVE_KINDS(ARCHIVE_KIND_DECLARE)
#undef ARCHIVE_KIND_DECLARE

#endif

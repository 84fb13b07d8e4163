/* The archive kinds; each is one struct of callbacks. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_KINDS_H
#define OKNO_VIDEO_ARCHIVE_KINDS_H

#include "okno/archive.h"

extern const struct okno_archive_ops archive_dir; /* files with the time in their names */

#endif

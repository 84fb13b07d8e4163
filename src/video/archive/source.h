/* Reading one recording by position, from disk or by ranges over HTTP. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_SOURCE_H
#define OKNO_VIDEO_ARCHIVE_SOURCE_H

#include "okno/archive.h"
#include "okno/net.h"

/* A path of this machine. OKNO_GONE when it is not there or not the file that was listed. */
OKNO_CHECK int source_open_local(const char *path, const struct okno_piece *piece,
                                 struct okno_source **ret_source, struct okno_err *err);

/* `net` must outlive the source. Asks for exactly what is read, or planned; that the recording is
 * gone or another one may be seen by the first read only; *gone becomes true then and must outlive
 * the source too. */
OKNO_CHECK int source_open_http(struct okno_net *net, const char *url,
                                const struct okno_piece *piece, int64_t deadline_us, bool *gone,
                                struct okno_source **ret_source, struct okno_err *err);

#endif

/* The only ways in and out for the FFmpeg libraries: reading from an okno_source, writing to a
 * file descriptor, and messages into a thread-local text instead of stderr. */
#ifndef MEDIA_IO_H
#define MEDIA_IO_H

#include "okno/err.h"
#include "okno/media.h"
#include "okno/source.h"

#include <libavformat/avformat.h>

/* A seekable reader over a source with read-ahead. Not owned: the source. */
struct media_io;
OKNO_CHECK int media_io_new(struct okno_source *source, struct media_io **ret_io,
                            struct okno_err *err);
void media_io_free(struct media_io *io);
AVIOContext *media_io_context(struct media_io *io);

/* The bytes [from, to) will be read soon: fetch them in large pieces and nothing beyond them. */
void media_io_plan(struct media_io *io, int64_t from, int64_t to);

/* The same for the recording's index. */
void media_io_plan_index(struct media_io *io, int64_t from, int64_t to);

/* The bytes behind the plan may be needed too, if it was an estimate: fetch this many at once then.
 */
void media_io_onward(struct media_io *io, int64_t bytes);

/* Let [at, to) look like one MP4 box without a meaning, so that a demuxer steps over it. */
enum { MEDIA_HOLE_MIN = 16 };
void media_io_hole(struct media_io *io, int64_t at, int64_t to);

/* Let these bytes (borrowed) stand far behind the recording's last one, and [0, there) look like
 * one box without a meaning. In between there is nothing to read. */
void media_io_behind(struct media_io *io, const void *bytes, size_t len);

/* The transport failure behind a demuxer's complaint; NULL when the transport is fine, or nothing
 * is open. */
const struct okno_err *media_io_error(const struct media_io *io);

/* A seekable AVIO that writes to a descriptor, which stays the caller's. */
struct media_file;
OKNO_CHECK int media_file_new(int fd, struct media_file **ret_file, struct okno_err *err);
void media_file_free(struct media_file *file);
AVIOContext *media_file_context(struct media_file *file);
int media_file_errno(const struct media_file *file); /* 0 while no system call failed */

/* A source over a descriptor, for looking at what was written. Borrows the descriptor. */
OKNO_CHECK int media_fd_source(int fd, struct okno_source **ret_source, struct okno_err *err);

/* Route the libraries' messages away from stderr (once per process), forget this thread's last. */
void media_log_begin(void);

/* Record a failed library call as OKNO_NO_MEMORY or `code`: "what: the library's own words". */
int media_fail(struct okno_err *err, int code, int averror, const char *fmt, ...) OKNO_PRINTF(4, 5);

#endif

/* A remote recording system. The core reaches every kind through one struct of callbacks; a kind
 * knows transport and time only, never media.
 *
 * All times here are the archive's index clock brought to UTC by its time zone; the offset between
 * that clock and real UTC is applied above (extract.h). Intervals are half-open. */
#ifndef OKNO_ARCHIVE_H
#define OKNO_ARCHIVE_H

#include "okno/err.h"
#include "okno/mem.h"
#include "okno/source.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* How to reach it: one row of archives.csv with its secret resolved. Copied by okno_archive_open.
 */
struct okno_archive_config {
    const char *archive; /* id */
    const char *kind;    /* "dir", ... */
    const char *url;     /* folder or URL of the root */
    const char
        *files; /* strftime template with {channel}, e.g. "{channel}/%Y-%m-%d/%H-%M-%S.mp4" */
    const char *time_zone; /* UTC, an IANA name or a POSIX TZ rule: the zone of the names */
    const char *user;      /* "" for none */
    const char *password;  /* "" for none; never printed */
    const char *options;   /* reserved */
    int64_t deadline_us;   /* for one call, relative; 0 means 30 s */
};

enum okno_span_flags {
    OKNO_SPAN_GROWING = 1,  /* still being written */
    OKNO_SPAN_APPROX = 2,   /* the end is inferred (next file's start, usual length), not read */
    OKNO_SPAN_AMBIGUOUS = 4 /* its local time happened twice or never: from_us may be an hour off */
};

/* One contiguous recording (a file) of a camera. */
struct okno_piece {
    char name[256];   /* path below the root, as the archive spells it; no credentials */
    int64_t from_us;  /* index time of media time 0 */
    int64_t to_us;    /* end; see OKNO_SPAN_APPROX */
    int64_t error_us; /* how far from_us may be off (resolution of the name) */
    int64_t size;     /* bytes, -1 unknown */
    char tag[96];     /* ETag or mtime: changes when the file changes */
    char format[16];  /* FFmpeg demuxer name: "mov", "matroska", "mpegts", "avi", "mpeg" */
    unsigned flags;   /* enum okno_span_flags */
};
OKNO_VEC(okno_piece_vec, struct okno_piece);

struct okno_archive; /* opaque; one thread at a time */

struct okno_archive_ops {
    const char *kind;
    int (*open)(const struct okno_archive_config *config, void **ret_ctx, struct okno_err *err);
    void (*close)(void *ctx);
    /* Append the pieces of a channel that overlap [from, to), ordered by from_us. None: 0 and
     * nothing appended. OKNO_TRANSIENT, OKNO_ARCHIVE_AUTH, OKNO_ARCHIVE_REFUSED, OKNO_PROTOCOL,
     * OKNO_TIMEOUT. */
    int (*pieces)(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                  struct okno_piece_vec *pieces, struct okno_err *err);
    /* Open one piece for reading; OKNO_GONE, now or by the first read, when it is no longer there.
     */
    int (*source)(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                  struct okno_err *err);
};

/* OKNO_UNSUPPORTED names the kinds there are. The caller owns *ret_archive. */
OKNO_CHECK int okno_archive_open(const struct okno_archive_config *config,
                                 struct okno_archive **ret_archive, struct okno_err *err);
void okno_archive_close(struct okno_archive *archive);
OKNO_CLEANUP(okno_archive, okno_archive_close);

/* A place in the handle for what the layer above learnt about the archive; `free` is called with
 * `data` when the handle closes. Never NULL. */
struct okno_archive_note {
    void *data;
    void (*free)(void *data);
};
struct okno_archive_note *okno_archive_note(struct okno_archive *archive);

/* As the callbacks of the same names. A source must be closed before its archive. A file whose
 * local time happened twice and cannot be told by its neighbours is given once for each meaning,
 * both with OKNO_SPAN_AMBIGUOUS. */
OKNO_CHECK int okno_archive_pieces(struct okno_archive *archive, const char *channel,
                                   int64_t from_us, int64_t to_us, struct okno_piece_vec *pieces,
                                   struct okno_err *err);
OKNO_CHECK int okno_archive_source(struct okno_archive *archive, const struct okno_piece *piece,
                                   struct okno_source **ret_source, struct okno_err *err);

#endif

/* A remote recording system. The core reaches every kind through one struct of callbacks; a kind
 * knows transport and time only, never media: demuxing, trimming, joining, stills, retries, order
 * of work and storage are the core's. A new kind is one file in video/archive with its row in
 * kinds.h (ARCHITECTURE.md, "A new kind of archive").
 *
 * All times here are the archive's index clock brought to UTC by its time zone; the offset between
 * that clock and real UTC is applied above (extract.h). Intervals are half-open.
 *
 * Errors, one set for all kinds; they go up unchanged to the job, its state and its next try:
 *   OKNO_NO_COVERAGE      nothing is recorded there (lists say so by being empty)
 *   OKNO_PARTIAL          never an error of a kind: what is missing shows in the result's gaps
 *   OKNO_NOT_YET          recorded, but not to be had yet; err->retry_us says when to come back
 *   OKNO_GONE             was listed, is no longer there; the core lists once more
 *   OKNO_ARCHIVE_AUTH     login refused or missing
 *   OKNO_ARCHIVE_BUSY     asks to be left alone; err->retry_us for how long, 0 when it did not say
 *   OKNO_TOO_LONG         longer than it gives at once (the core splits by caps.max_window_us)
 *   OKNO_ARCHIVE_REFUSED  says no, and will say no again
 *   OKNO_TRANSIENT        did not answer, or failed by itself
 *   OKNO_PROTOCOL         answers what cannot be
 * and OKNO_TIMEOUT, OKNO_CANCELLED, OKNO_TOO_LARGE from the budget, OKNO_INVALID for a
 * configuration, OKNO_NO_MEMORY. */
#ifndef OKNO_ARCHIVE_H
#define OKNO_ARCHIVE_H

#include "okno/budget.h"
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
    const char *options;   /* "name=value name=value": okno_archive_options() says which; "" none */
    int64_t deadline_us;   /* for one call, relative; 0 means 30 s */
    const char *spool_dir; /* where downloads larger than memory allows may lie meanwhile; NULL or
                              "": in memory only */
};

enum okno_span_flags {
    OKNO_SPAN_GROWING = 1, /* still being written */
    OKNO_SPAN_APPROX = 2,  /* the end is inferred (next file's start, usual length), not read */
    OKNO_SPAN_AMBIGUOUS =
        4,              /* its local time happened twice or never: from_us may be an hour off */
    OKNO_PIECE_ZERO = 8 /* from_us is the time of the container's time 0, which may lie before
                           the first frame; else it is the first video frame's */
};

/* Where a piece's time comes from, by growing trust. */
enum okno_anchor {
    OKNO_ANCHOR_NAME,     /* a file's name */
    OKNO_ANCHOR_REQUEST,  /* the start that was asked for */
    OKNO_ANCHOR_INDEX,    /* the archive's list */
    OKNO_ANCHOR_PLAYLIST, /* PROGRAM-DATE-TIME */
    OKNO_ANCHOR_FRAME     /* a time that travels with the frames (ONVIF 0xABAC, prft, mtxi) */
};

/* Recorded time of a channel, as the archive's own list tells it. */
struct okno_span {
    int64_t from_us, to_us;
    int64_t error_us; /* how far both may be off */
    unsigned flags;   /* OKNO_SPAN_ */
};
OKNO_VEC(okno_span_vec, struct okno_span);

/* One contiguous run of a camera's recording, to be read by one source: a file, or what one request
 * brings. A hole ends a piece: never two sides of one in a piece that has a single anchor. */
struct okno_piece {
    char channel[256]; /* filled by the core */
    char name[256];    /* path below the root, or what else the kind needs to open it; shown in
                          provenance and messages: no credentials */
    int64_t from_us;   /* index time of the first frame (OKNO_PIECE_ZERO: of media time 0) */
    int64_t to_us;     /* end; see OKNO_SPAN_APPROX */
    int64_t error_us;  /* how far from_us may be off (resolution of the name) */
    int64_t size;      /* bytes, -1 unknown: the source is opened at once to learn it */
    char tag[96];      /* ETag or mtime: changes when the file changes; "": never the same twice */
    char format[16];   /* FFmpeg demuxer name: "mov", "matroska", "mpegts", "avi", "mpeg" */
    unsigned flags;    /* enum okno_span_flags */
    enum okno_anchor anchor;
};
OKNO_VEC(okno_piece_vec, struct okno_piece);

enum okno_archive_flags {
    OKNO_ARCHIVE_RANGES = 1,      /* pieces are read at random, only what is needed */
    OKNO_ARCHIVE_REALTIME = 2,    /* delivers no faster than it was recorded */
    OKNO_ARCHIVE_WHOLE_FILES = 4, /* gives whole recordings only, however little is wanted */
    OKNO_ARCHIVE_JOBS = 8,        /* exports are prepared first, then fetched */
    OKNO_ARCHIVE_LOCAL_TIME = 16, /* tells local times without an offset */
    OKNO_ARCHIVE_FRAME_TIME = 32, /* frames carry their time */
    OKNO_ARCHIVE_CLOCK = 64,      /* its clock can be asked */
    OKNO_ARCHIVE_ROLLING = 128    /* may hold minutes only: ask as soon as it is recorded */
};

/* What a kind can do and needs. 0 where nothing is to be said. */
struct okno_archive_caps {
    unsigned flags;        /* enum okno_archive_flags */
    int64_t look_back_us;  /* list pieces that much earlier: names and ends are inexact */
    int64_t preroll_us;    /* ask windows that much earlier, for a key frame before the beginning */
    int64_t max_window_us; /* one piece holds at most that much; 0: any length */
    int64_t settle_us;     /* what was just recorded is listed after that long; 0: as usual */
    int max_parallel;      /* sessions at a time; 0: no limit of its own (the kind's, in ops) */
    /* Of the pieces that the core makes from coverage (ops->pieces NULL): */
    char format[16];         /* demuxer name */
    unsigned piece_flags;    /* OKNO_PIECE_ZERO when media time 0 is the start that was asked */
    int64_t anchor_error_us; /* how far the first frame may be from it, until the source knows */
};

/* A look at the archive's clock. */
struct okno_archive_clock {
    int64_t offset_us;      /* archive - ours */
    int64_t uncertainty_us; /* half the width of what is possible */
    const char *method;     /* static: "http_date", "onvif", ... */
};

struct okno_archive; /* opaque; one thread at a time */

/* The callbacks of a kind. Each looks at the budget it was opened with: okno_net does so by itself;
 * other waits and loops over input use okno_budget_check. Outputs are untouched on failure. */
struct okno_archive_ops {
    const char *kind;
    int max_parallel; /* sessions that recorders of the kind take at a time; 0: no limit */
    const char *const
        *options; /* names it takes beyond the common ones, NULL at the end; or NULL */
    /* `budget` belongs to the handle and changes between calls; keep the pointer. */
    int (*open)(const struct okno_archive_config *config, struct okno_budget *budget,
                void **ret_ctx, struct okno_err *err);
    void (*close)(void *ctx);
    /* Whether it can be a channel's name; NULL: any. Asks nobody. */
    int (*channel)(const char *channel, struct okno_err *err);
    /* NULL: all 0. Asks nobody. */
    void (*caps)(void *ctx, struct okno_archive_caps *ret_caps);
    /* Append what is recorded of a channel inside [from, to), ordered, cheaply: from the archive's
     * own list. NULL: the core lists pieces and reads their ends. */
    int (*coverage)(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                    struct okno_span_vec *spans, struct okno_err *err);
    /* Append the pieces of a channel that overlap [from, to), ordered by from_us. None: 0 and
     * nothing appended. NULL, for archives that cut what is asked: the core makes one piece of each
     * covered stretch, at most max_window_us long: `source` asks for its from_us and to_us. */
    int (*pieces)(void *ctx, const char *channel, int64_t from_us, int64_t to_us,
                  struct okno_piece_vec *pieces, struct okno_err *err);
    /* Optional: what was seen instead, after pieces gave none. */
    void (*hint)(void *ctx, char *ret_text, size_t size);
    /* Open one piece for reading; OKNO_GONE, now or by the first read, when it is no longer there.
     * A download that comes in one go is put into a spool (spool.h) first. What the source learns
     * of the piece's time goes into its `dated` fields. */
    int (*source)(void *ctx, const struct okno_piece *piece, struct okno_source **ret_source,
                  struct okno_err *err);
    /* Optional; with clock_by_caps where OKNO_ARCHIVE_CLOCK is in its caps only. */
    bool clock_by_caps;
    int (*clock)(void *ctx, struct okno_archive_clock *ret_clock, struct okno_err *err);
};

/* OKNO_UNSUPPORTED names the kinds there are, OKNO_INVALID the field and value that are wrong. The
 * caller owns *ret_archive. */
OKNO_CHECK int okno_archive_open(const struct okno_archive_config *config,
                                 struct okno_archive **ret_archive, struct okno_err *err);
void okno_archive_close(struct okno_archive *archive);
OKNO_CLEANUP(okno_archive, okno_archive_close);

/* A configuration that okno_archive_open would take, and a channel that archives of a kind may
 * have; without connecting. */
OKNO_CHECK int okno_archive_check(const struct okno_archive_config *config, struct okno_err *err);
OKNO_CHECK int okno_archive_check_channel(const char *kind, const char *channel,
                                          struct okno_err *err);

/* Words of the kinds there are, NULL at the end; the options that one takes, common ones first. */
const char *const *okno_archive_kinds(void);
void okno_archive_options(const char *kind, char *ret_text, size_t size);

/* Sessions that recorders of a kind take at a time, where their row says nothing; 0: no limit, or
 * no such kind. */
int okno_archive_sessions(const char *kind);

/* The value of one of them into ret_text, "" when it is not given. OKNO_INVALID: longer than size.
 */
OKNO_CHECK int okno_archive_option(const char *options, const char *name, char *ret_text,
                                   size_t size, struct okno_err *err);

/* What the next calls and reads together may cost. `cancel` stays until the next begin. */
void okno_archive_begin(struct okno_archive *archive, const struct okno_budget *budget);

/* Bytes that came over the network since it was opened, of work with a limit of bytes. */
int64_t okno_archive_received(const struct okno_archive *archive);

void okno_archive_caps(struct okno_archive *archive, struct okno_archive_caps *ret_caps);

/* A place in the handle for what the layer above learnt about the archive; `free` is called with
 * `data` when the handle closes. Never NULL. */
struct okno_archive_note {
    void *data;
    void (*free)(void *data);
};
struct okno_archive_note *okno_archive_note(struct okno_archive *archive);

/* Whether the archive tells coverage by itself; else OKNO_UNSUPPORTED comes from the call. */
bool okno_archive_has_coverage(const struct okno_archive *archive);
OKNO_CHECK int okno_archive_coverage(struct okno_archive *archive, const char *channel,
                                     int64_t from_us, int64_t to_us, struct okno_span_vec *spans,
                                     struct okno_err *err);

/* As the callbacks of the same names. A source must be closed before its archive. A file whose
 * local time happened twice and cannot be told by its neighbours is given once for each meaning,
 * both with OKNO_SPAN_AMBIGUOUS. */
OKNO_CHECK int okno_archive_pieces(struct okno_archive *archive, const char *channel,
                                   int64_t from_us, int64_t to_us, struct okno_piece_vec *pieces,
                                   struct okno_err *err);
/* Where nothing was listed of a channel just now: what was seen instead, such as names that do not
 * fit; "" when that is not known. Asks nobody. */
#define OKNO_ARCHIVE_HINT 512
void okno_archive_hint(struct okno_archive *archive, char ret_text[OKNO_ARCHIVE_HINT]);
/* As okno_archive_pieces, to see whether it answers and what is newest: of a recorder that keeps no
 * list (OKNO_TOO_LONG), what it replays of some seconds two minutes before to_us. */
OKNO_CHECK int okno_archive_newest(struct okno_archive *archive, const char *channel,
                                   int64_t from_us, int64_t to_us, struct okno_piece_vec *pieces,
                                   struct okno_err *err);
OKNO_CHECK int okno_archive_source(struct okno_archive *archive, const struct okno_piece *piece,
                                   struct okno_source **ret_source, struct okno_err *err);
/* OKNO_UNSUPPORTED for a kind that cannot. */
OKNO_CHECK int okno_archive_clock(struct okno_archive *archive,
                                  struct okno_archive_clock *ret_clock, struct okno_err *err);
/* Look at an archive's clock as its options say: clock=http, sntp or onvif (clock_at: where, when
 * not at the archive's own host), none; without: as its kind can, else OKNO_UNSUPPORTED. Takes up
 * to 10 s. The budget may be NULL. */
OKNO_CHECK int okno_archive_probe(const struct okno_archive_config *config,
                                  struct okno_budget *budget, struct okno_archive_clock *ret_clock,
                                  struct okno_err *err);

#endif

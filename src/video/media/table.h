/* An MP4's sample tables, read only where they are asked for: the index of a day is tens of
 * megabytes, a window needs some kilobytes of it. Untrusted bytes: all is checked and bounded.
 * Format: ISO/IEC 14496-12, section 8. Private to video/media. */
#ifndef MEDIA_TABLE_H
#define MEDIA_TABLE_H

#include "okno/source.h"

#include <stdbool.h>

/* The boxes of a track that are used, in the order in which a short index holds them. */
enum table_box {
    TABLE_TKHD,
    TABLE_EDTS,
    TABLE_MDHD,
    TABLE_HDLR,
    TABLE_VMHD,
    TABLE_SMHD,
    TABLE_DINF,
    TABLE_STSD,
    TABLE_STTS,
    TABLE_CTTS,
    TABLE_STSS,
    TABLE_STSC,
    TABLE_STSZ,
    TABLE_STZ2,
    TABLE_STCO,
    TABLE_CO64,
    TABLE_BOXES
};

struct table_span {
    int64_t at, end; /* of the whole box; end 0: there is none */
};

enum { TABLE_BLOCK = 64 * 1024, TABLE_BLOCKS = 24 };

/* Parts of the recording that were read lately. */
struct table_blocks {
    struct okno_source *source; /* not owned */
    struct {
        int64_t at; /* -1: empty */
        size_t len;
        uint64_t used;
        uint8_t *bytes; /* owned */
    } slot[TABLE_BLOCKS];
    uint64_t clock;
    int64_t left;   /* reads that are still allowed */
    int64_t origin; /* where a block begins; before it none lies */
};
/* What is read begins at `origin`. */
void table_blocks_init(struct table_blocks *blocks, struct okno_source *source, int64_t origin);
/* Where the block of a byte begins. */
int64_t table_block_of(const struct table_blocks *blocks, int64_t at);
void table_blocks_clear(struct table_blocks *blocks);

/* Exactly `len` bytes; OKNO_MEDIA outside the file. */
OKNO_CHECK int table_read(struct table_blocks *blocks, int64_t at, void *into, size_t len,
                          struct okno_err *err);

/* What the track in a trak box holds, by its handler: "vide", "soun"; "" when it does not say soon.
 * Its beginning alone is read. */
OKNO_CHECK int table_track_kind(struct table_blocks *blocks, int64_t at, int64_t end,
                                char ret_kind[5], struct okno_err *err);

struct table_track {
    struct table_blocks *blocks; /* not owned */
    struct table_span box[TABLE_BOXES];
    uint32_t id, timescale;
    bool video, audio;
    int64_t samples, chunks;
    uint32_t fixed_size; /* of each sample; 0: they differ */
    uint32_t size_bits;  /* of a size in the table */
    int64_t shift; /* ticks by which presentation is later than the tables say: the edit list */
};

/* Read what the boxes of a trak at [at, end) say about themselves; mvhd: where that box lies. 1; 0
 * when the track is of no use here, or so made that its tables cannot be read in parts. */
OKNO_CHECK int table_track_open(struct table_blocks *blocks, int64_t mvhd, int64_t at, int64_t end,
                                struct table_track *ret_track, struct okno_err *err);

/* The last sample that is decoded at or before `time` (in ticks), the first one at least. */
OKNO_CHECK int table_sample_at(const struct table_track *track, int64_t time, int64_t *ret_sample,
                               struct okno_err *err);

/* Decode time of a sample; of `samples`: the end of the last. */
OKNO_CHECK int table_time_of(const struct table_track *track, int64_t sample, int64_t *ret_time,
                             struct okno_err *err);

/* The last key frame at or before a sample; the first sample when there is none. */
OKNO_CHECK int table_key_before(const struct table_track *track, int64_t sample, int64_t *ret_key,
                                struct okno_err *err);

/* A chunk: samples that lie one behind the other. Numbers begin at 0. */
struct table_chunk {
    int64_t number;
    int64_t first;   /* sample */
    int64_t samples; /* in it */
    uint32_t entry;  /* of stsd */
    int64_t span;    /* entry of stsc */
    int64_t others;  /* the chunk from which the next entry holds; past the end: none */
};
OKNO_CHECK int table_chunk_of(const struct table_track *track, int64_t sample,
                              struct table_chunk *ret_chunk, struct okno_err *err);
/* Move on to the next; OKNO_MEDIA behind the last. */
OKNO_CHECK int table_chunk_next(const struct table_track *track, struct table_chunk *chunk,
                                struct okno_err *err);
OKNO_CHECK int table_chunk_at(const struct table_track *track, int64_t number, int64_t *ret_at,
                              struct okno_err *err);
OKNO_CHECK int table_size_of(const struct table_track *track, int64_t sample, uint32_t *ret_size,
                             struct okno_err *err);

/* Runs of equal values in stts (decode durations) or ctts (presentation offsets), from the run that
 * holds `sample` on. */
enum { TABLE_AHEAD = 128 };

struct table_runs {
    const struct table_track *track;
    enum table_box box;
    uint32_t entries, next;
    int64_t sample; /* of which `value` is */
    int64_t left;   /* samples with this value, that one included */
    uint32_t value;
    uint32_t held, used; /* entries in `ahead`, and those that were told */
    uint8_t ahead[TABLE_AHEAD * 8];
};
OKNO_CHECK int table_runs_from(const struct table_track *track, enum table_box box, int64_t sample,
                               struct table_runs *ret_runs, struct okno_err *err);
/* The next run; left 0 behind the last. */
OKNO_CHECK int table_runs_next(struct table_runs *runs, struct okno_err *err);

/* Key frames: number of entries, and one of them as a sample counted from 0. */
OKNO_CHECK int table_keys(const struct table_track *track, uint32_t *ret_count,
                          struct okno_err *err);
OKNO_CHECK int table_key(const struct table_track *track, uint32_t index, int64_t *ret_sample,
                         struct okno_err *err);

#endif

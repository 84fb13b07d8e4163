#include "table.h"

#include "bytes.h"

#include "okno/mem.h"
#include "okno/vec.h"

enum {
    READS = 4096,       /* of blocks, for one recording */
    BOXES = 256,        /* looked at in one track */
    ENTRIES = 64 << 20, /* in a table */
    STREAM =
        256 * 1024,  /* a table longer than that is announced when it is read from its beginning */
    SIZES = 1 << 20, /* read one by one */
};

#define SHIFT_MAX (INT64_C(1) << 40) /* ticks of an edit list */
#define TIME_MAX (INT64_C(1) << 60)  /* ticks; more cannot be added without overflow */

static int fail_time(struct okno_err *err)
{
    return okno_fail(err, OKNO_MEDIA, "its index tells times without end");
}

/* --- blocks ----------------------------------------------------------------------------------- */

void table_blocks_init(struct table_blocks *blocks, struct okno_source *source, int64_t origin)
{
    *blocks = (struct table_blocks){.source = source, .left = READS, .origin = origin};
    for (int i = 0; i < TABLE_BLOCKS; i++)
        blocks->slot[i].at = -1;
}

int64_t table_block_of(const struct table_blocks *blocks, int64_t at)
{
    return at - (at - blocks->origin) % TABLE_BLOCK;
}

void table_blocks_clear(struct table_blocks *blocks)
{
    for (int i = 0; i < TABLE_BLOCKS; i++)
        free(blocks->slot[i].bytes);
    *blocks = (struct table_blocks){0};
}

/* The block of a byte: its slot, or the one that was used least, to be filled. */
static int slot_of(const struct table_blocks *blocks, int64_t at)
{
    int oldest = 0;
    for (int i = 0; i < TABLE_BLOCKS; i++) {
        if (blocks->slot[i].at == at)
            return i;
        if (blocks->slot[i].used < blocks->slot[oldest].used)
            oldest = i;
    }
    return oldest;
}

static int block_fill(struct table_blocks *blocks, int slot, int64_t at, struct okno_err *err)
{
    int64_t left = blocks->source->size - at;
    size_t want = left < TABLE_BLOCK ? (size_t)left : TABLE_BLOCK;
    size_t got = 0;
    if (blocks->left-- <= 0)
        return okno_fail(err, OKNO_MEDIA, "its index is too scattered to be read");
    if (!blocks->slot[slot].bytes)
        blocks->slot[slot].bytes = malloc(TABLE_BLOCK);
    if (!blocks->slot[slot].bytes)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    blocks->slot[slot].at = -1;
    int rc =
        blocks->source->read_at(blocks->source->ctx, at, blocks->slot[slot].bytes, want, &got, err);
    if (rc < 0)
        return rc;
    blocks->slot[slot].at = at;
    blocks->slot[slot].len = got < want ? got : want;
    return 0;
}

int table_read(struct table_blocks *blocks, int64_t at, void *into, size_t len,
               struct okno_err *err)
{
    if (at < blocks->origin || (int64_t)len > blocks->source->size ||
        at > blocks->source->size - (int64_t)len)
        return okno_fail(err, OKNO_MEDIA, "its index points outside of it");
    for (size_t done = 0; done < len;) {
        int64_t from = at + (int64_t)done;
        int64_t block = table_block_of(blocks, from);
        size_t skip = (size_t)(from - block);
        int slot = slot_of(blocks, block);
        int rc = blocks->slot[slot].at == block ? 0 : block_fill(blocks, slot, block, err);
        if (rc < 0)
            return rc;
        blocks->slot[slot].used = ++blocks->clock;
        if (skip >= blocks->slot[slot].len)
            return okno_fail(err, OKNO_MEDIA, "its index is cut off");
        size_t part = blocks->slot[slot].len - skip;
        part = part < len - done ? part : len - done;
        memcpy((uint8_t *)into + done, blocks->slot[slot].bytes + skip, part);
        done += part;
    }
    return 0;
}

static int read32(struct table_blocks *blocks, int64_t at, uint32_t *ret_value,
                  struct okno_err *err)
{
    uint8_t bytes[4];
    int rc = table_read(blocks, at, bytes, sizeof(bytes), err);
    *ret_value = rc < 0 ? 0 : media_be32(bytes);
    return rc;
}

/* --- a track's boxes -------------------------------------------------------------------------- */

static const char types[TABLE_BOXES][5] = {
    "tkhd", "edts", "mdhd", "hdlr", "vmhd", "smhd", "dinf", "stsd",
    "stts", "ctts", "stss", "stsc", "stsz", "stz2", "stco", "co64",
};

static bool is_container(const uint8_t *box)
{
    return media_is_type(box, "mdia") || media_is_type(box, "minf") || media_is_type(box, "stbl");
}

static void box_note(struct table_track *track, const uint8_t *box, int64_t at, int64_t end)
{
    for (int i = 0; i < TABLE_BOXES; i++)
        if (media_is_type(box, types[i]) && !track->box[i].end)
            track->box[i] = (struct table_span){at, end};
}

/* Containers are entered, all else is stepped over. 1; 0 when boxes do not fit into each other. */
static int boxes_walk(struct table_track *track, int64_t at, int64_t end, struct okno_err *err)
{
    for (int i = 0; i < BOXES && at < end; i++) {
        uint8_t box[16];
        if (end - at < 8)
            return 0;
        int rc = table_read(track->blocks, at, box, 8, err);
        if (rc < 0)
            return rc;
        uint64_t size = media_be32(box);
        if (size == 1 && (rc = table_read(track->blocks, at, box, 16, err)) == 0)
            size = media_be64(box + 8);
        if (rc < 0 || size < 8 || size > (uint64_t)(end - at))
            return rc;
        box_note(track, box, at, at + (int64_t)size);
        at += is_container(box) ? 8 : (int64_t)size;
    }
    return at == end;
}

static int header_read(struct table_track *track, struct okno_err *err)
{
    uint8_t bytes[24];
    int64_t mdhd = track->box[TABLE_MDHD].at;
    int rc = table_read(track->blocks, track->box[TABLE_TKHD].at, bytes, sizeof(bytes), err);
    if (rc == 0) /* behind two times of 4 or 8 bytes */
        rc = read32(track->blocks, track->box[TABLE_TKHD].at + (bytes[8] == 1 ? 28 : 20),
                    &track->id, err);
    if (rc == 0)
        rc = table_read(track->blocks, mdhd, bytes, sizeof(bytes), err);
    if (rc == 0)
        rc = read32(track->blocks, mdhd + (bytes[8] == 1 ? 28 : 20), &track->timescale, err);
    if (rc == 0)
        rc = table_read(track->blocks, track->box[TABLE_HDLR].at, bytes, 20, err);
    track->video = rc == 0 && memcmp(bytes + 16, "vide", 4) == 0;
    track->audio = rc == 0 && memcmp(bytes + 16, "soun", 4) == 0;
    return rc;
}

static int64_t box_bytes(const struct table_track *track, enum table_box box)
{
    return track->box[box].end - track->box[box].at;
}

/* Number of entries of a table whose entries begin `head` bytes into it and take `bits` each. */
static int table_count(const struct table_track *track, enum table_box box, int64_t head,
                       int64_t bits, int64_t count_at, int64_t *ret_count, struct okno_err *err)
{
    uint32_t count = 0;
    *ret_count = -1;
    if (!track->box[box].end || box_bytes(track, box) < head)
        return 0;
    int rc = read32(track->blocks, track->box[box].at + count_at, &count, err);
    if (rc == 0 && count <= ENTRIES && (int64_t)count * bits / 8 <= box_bytes(track, box) - head)
        *ret_count = count;
    return rc;
}

static int sizes_read(struct table_track *track, struct okno_err *err)
{
    bool compact = !track->box[TABLE_STSZ].end;
    enum table_box box = compact ? TABLE_STZ2 : TABLE_STSZ;
    uint32_t what = 0;
    track->samples = -1;
    if (box_bytes(track, box) < 20)
        return 0;
    int rc = read32(track->blocks, track->box[box].at + 12, &what, err);
    track->fixed_size = compact ? 0 : what;
    track->size_bits = compact ? what & 0xff : 32;
    if (compact && track->size_bits != 4 && track->size_bits != 8 && track->size_bits != 16)
        return rc;
    return rc < 0 ? rc
                  : table_count(track, box, 20, track->fixed_size ? 0 : track->size_bits, 16,
                                &track->samples, err);
}

/* At most an empty edit and one that lasts to the end: a shift. 1, or 0 for anything else. */
static int edits_read(struct table_track *track, uint32_t movie_scale, struct okno_err *err)
{
    uint8_t list[64];
    int64_t bytes = box_bytes(track, TABLE_EDTS) - 8;
    if (!track->box[TABLE_EDTS].end)
        return 1;
    if (bytes < 16 || bytes > (int64_t)sizeof(list))
        return 0;
    int rc = table_read(track->blocks, track->box[TABLE_EDTS].at + 8, list, (size_t)bytes, err);
    uint32_t count = rc == 0 ? media_be32(list + 12) : 0;
    bool wide = rc == 0 && list[8] == 1;
    int64_t each = wide ? 20 : 12;
    if (rc < 0 || !media_is_type(list, "elst") || count > 2 || 16 + count * each > bytes)
        return rc;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *edit = list + 16 + i * each;
        uint64_t length = wide ? media_be64(edit) : media_be32(edit);
        int64_t begin =
            wide ? (int64_t)media_be64(edit + 8) : (int64_t)(int32_t)media_be32(edit + 4);
        bool empty = begin == -1;
        if (empty != (i + 1 < count) || length > INT32_MAX || begin > INT32_MAX || begin < -1 ||
            movie_scale == 0)
            return 0;
        track->shift += empty ? (int64_t)length * track->timescale / movie_scale : -begin;
        if (track->shift > SHIFT_MAX || track->shift < -SHIFT_MAX)
            return 0;
    }
    return 1;
}

/* Tables that hang together. Offsets below zero would shift all frames by the largest of them. */
static int tables_check(struct table_track *track, struct okno_err *err)
{
    int64_t runs = 0;
    int64_t spans = 0;
    uint32_t version = 0;
    bool wide = track->box[TABLE_CO64].end > 0;
    int rc = table_count(track, TABLE_STTS, 16, 64, 12, &runs, err);
    if (rc == 0)
        rc = table_count(track, TABLE_STSC, 16, 96, 12, &spans, err);
    if (rc == 0)
        rc = table_count(track, wide ? TABLE_CO64 : TABLE_STCO, 16, wide ? 64 : 32, 12,
                         &track->chunks, err);
    if (rc == 0)
        rc = sizes_read(track, err);
    if (rc == 0 && track->box[TABLE_CTTS].end)
        rc = read32(track->blocks, track->box[TABLE_CTTS].at + 8, &version, err);
    if (rc < 0)
        return rc;
    return runs > 0 && spans > 0 && track->chunks > 0 && track->samples > 0 && version == 0 &&
           track->timescale > 0 && track->timescale <= INT32_MAX;
}

/* Time scale of the whole: mvhd is the moov's first box. */
static int movie_scale(struct table_blocks *blocks, int64_t mvhd, uint32_t *ret_scale,
                       struct okno_err *err)
{
    uint8_t head[12];
    int rc = table_read(blocks, mvhd, head, sizeof(head), err);
    return rc < 0 ? rc : read32(blocks, mvhd + (head[8] == 1 ? 28 : 20), ret_scale, err);
}

int table_track_kind(struct table_blocks *blocks, int64_t at, int64_t end, char ret_kind[5],
                     struct okno_err *err)
{
    enum { HEADS = 8, HANDLER = 16 };
    ret_kind[0] = ret_kind[4] = '\0';
    at += 8;
    for (int i = 0; i < HEADS && end - at >= HANDLER + 4; i++) {
        uint8_t box[HANDLER + 4];
        int rc = table_read(blocks, at, box, sizeof(box), err);
        int64_t size = media_be32(box);
        if (rc < 0 || size < 8 || size > end - at)
            return rc;
        if (media_is_type(box, "hdlr")) {
            memcpy(ret_kind, box + HANDLER, 4);
            return 0;
        }
        at += media_is_type(box, "mdia") ? 8 : size;
    }
    return 0;
}

int table_track_open(struct table_blocks *blocks, int64_t mvhd, int64_t at, int64_t end,
                     struct table_track *ret_track, struct okno_err *err)
{
    static const enum table_box needed[] = {TABLE_TKHD, TABLE_MDHD, TABLE_HDLR, TABLE_DINF,
                                            TABLE_STSD, TABLE_STTS, TABLE_STSC};
    struct table_track track = {.blocks = blocks};
    uint32_t scale = 0;
    int rc = boxes_walk(&track, at + 8, end, err);
    for (size_t i = 0; rc == 1 && i < OKNO_COUNT(needed); i++)
        rc = box_bytes(&track, needed[i]) >= 16;
    for (int i = TABLE_TKHD; rc == 1 && i <= TABLE_STSD; i++) /* copied as they are */
        rc = box_bytes(&track, (enum table_box)i) <= TABLE_BLOCK;
    if (rc == 1)
        rc = movie_scale(blocks, mvhd, &scale, err) < 0 ? OKNO_FAILED : 1;
    if (rc == 1)
        rc = header_read(&track, err) < 0 ? OKNO_FAILED : 1;
    if (rc == 1)
        rc = tables_check(&track, err);
    if (rc == 1)
        rc = edits_read(&track, scale, err);
    *ret_track = track;
    return rc;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The next entries, as many as lie in the block of the first. */
static int runs_read(struct table_runs *runs, struct okno_err *err)
{
    int64_t at = runs->track->box[runs->box].at + 16 + (int64_t)runs->next * 8;
    const struct table_blocks *blocks = runs->track->blocks;
    int64_t here = (table_block_of(blocks, at) + TABLE_BLOCK - at) / 8;
    uint32_t left = runs->entries - runs->next;
    runs->used = 0;
    runs->held = left < TABLE_AHEAD ? left : TABLE_AHEAD;
    if (runs->held > here)
        runs->held = here > 0 ? (uint32_t)here : 1;
    return table_read(runs->track->blocks, at, runs->ahead, (size_t)runs->held * 8, err);
}

int table_runs_next(struct table_runs *runs, struct okno_err *err)
{
    runs->sample += runs->left;
    runs->left = 0;
    while (runs->left == 0 && runs->next < runs->entries) {
        int rc = runs->used < runs->held ? 0 : runs_read(runs, err);
        if (rc < 0)
            return rc;
        const uint8_t *entry = runs->ahead + (size_t)runs->used++ * 8;
        runs->next++;
        runs->left = media_be32(entry);
        runs->value = media_be32(entry + 4);
        if (runs->left > runs->track->samples)
            runs->left = runs->track->samples;
        if (runs->value > INT32_MAX)
            return okno_fail(err, OKNO_MEDIA, "its index tells a time of 2^31 and more");
    }
    return 0;
}

int table_runs_from(const struct table_track *track, enum table_box box, int64_t sample,
                    struct table_runs *ret_runs, struct okno_err *err)
{
    struct table_runs runs = {.track = track, .box = box};
    int64_t count = 0;
    int rc = table_count(track, box, 16, 64, 12, &count, err);
    runs.entries = count > 0 ? (uint32_t)count : 0;
    if (count * 8 > STREAM)
        okno_source_plan_index(track->blocks->source, track->box[box].at, track->box[box].end);
    if (rc == 0)
        rc = table_runs_next(&runs, err);
    while (rc == 0 && runs.left > 0 && runs.sample + runs.left <= sample)
        rc = table_runs_next(&runs, err);
    if (rc == 0 && runs.left > 0 && sample > runs.sample) {
        runs.left -= sample - runs.sample;
        runs.sample = sample;
    }
    *ret_runs = runs;
    return rc;
}

int table_sample_at(const struct table_track *track, int64_t time, int64_t *ret_sample,
                    struct okno_err *err)
{
    struct table_runs runs;
    int64_t at = 0;
    int rc = table_runs_from(track, TABLE_STTS, 0, &runs, err);
    while (rc == 0 && runs.left > 0 && at + runs.left * (int64_t)runs.value <= time) {
        at += runs.left * (int64_t)runs.value;
        rc = at > TIME_MAX ? fail_time(err) : table_runs_next(&runs, err);
    }
    int64_t sample = runs.sample;
    if (runs.left > 0 && runs.value > 0 && time > at)
        sample += (time - at) / runs.value;
    *ret_sample = sample < track->samples ? sample : track->samples - 1;
    return rc;
}

int table_time_of(const struct table_track *track, int64_t sample, int64_t *ret_time,
                  struct okno_err *err)
{
    struct table_runs runs;
    int64_t at = 0;
    int rc = table_runs_from(track, TABLE_STTS, 0, &runs, err);
    while (rc == 0 && runs.left > 0 && runs.sample + runs.left <= sample) {
        at += runs.left * (int64_t)runs.value;
        rc = at > TIME_MAX ? fail_time(err) : table_runs_next(&runs, err);
    }
    *ret_time = at + (runs.left > 0 ? (sample - runs.sample) * (int64_t)runs.value : 0);
    return rc;
}

int table_keys(const struct table_track *track, uint32_t *ret_count, struct okno_err *err)
{
    int64_t count = 0;
    int rc = table_count(track, TABLE_STSS, 16, 32, 12, &count, err);
    *ret_count = count > 0 ? (uint32_t)count : 0;
    return rc;
}

int table_key(const struct table_track *track, uint32_t index, int64_t *ret_sample,
              struct okno_err *err)
{
    uint32_t number = 0;
    int rc =
        read32(track->blocks, track->box[TABLE_STSS].at + 16 + (int64_t)index * 4, &number, err);
    *ret_sample = number > 0 ? (int64_t)number - 1 : 0;
    return rc;
}

int table_key_before(const struct table_track *track, int64_t sample, int64_t *ret_key,
                     struct okno_err *err)
{
    uint32_t low = 0;
    uint32_t high = 0;
    int rc = table_keys(track, &high, err);
    *ret_key = track->box[TABLE_STSS].end ? 0 : sample; /* without the table each is one */
    while (rc == 0 && low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t key = 0;
        rc = table_key(track, middle, &key, err);
        if (key <= sample) {
            *ret_key = key;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return rc;
}

/* An entry of stsc: from which chunk on (counted from 0), how many samples in each, of which kind.
 */
static int span_read(const struct table_track *track, int64_t index, uint32_t ret_entry[3],
                     struct okno_err *err)
{
    uint8_t bytes[12];
    int rc = table_read(track->blocks, track->box[TABLE_STSC].at + 16 + index * 12, bytes,
                        sizeof(bytes), err);
    for (int i = 0; rc == 0 && i < 3; i++)
        ret_entry[i] = media_be32(bytes + 4 * i);
    if (rc == 0 && (ret_entry[0] == 0 || ret_entry[1] == 0))
        return okno_fail(err, OKNO_MEDIA, "its index names chunk 0, or an empty one");
    ret_entry[0] -= rc == 0;
    return rc;
}

static int fail_places(struct okno_err *err)
{
    return okno_fail(err, OKNO_MEDIA, "its index has more samples than places for them");
}

/* Take over an entry of stsc and see how far it reaches. */
static int chunk_enter(const struct table_track *track, struct table_chunk *chunk, int64_t span,
                       struct okno_err *err)
{
    int64_t count = 0;
    uint32_t entry[3] = {0};
    uint32_t next[3] = {0};
    int rc = table_count(track, TABLE_STSC, 16, 96, 12, &count, err);
    if (rc == 0)
        rc = span_read(track, span, entry, err);
    if (rc == 0 && span + 1 < count)
        rc = span_read(track, span + 1, next, err);
    if (rc < 0)
        return rc;
    if (span + 1 < count && next[0] <= entry[0])
        return okno_fail(err, OKNO_MEDIA, "its index is out of order");
    chunk->number = entry[0];
    chunk->samples = entry[1] < track->samples ? entry[1] : track->samples;
    chunk->entry = entry[2];
    chunk->span = span;
    chunk->others = span + 1 < count ? next[0] : INT64_MAX;
    return 0;
}

int table_chunk_of(const struct table_track *track, int64_t sample, struct table_chunk *ret_chunk,
                   struct okno_err *err)
{
    struct table_chunk chunk = {0};
    int rc = chunk_enter(track, &chunk, 0, err);
    while (rc == 0 && chunk.others < INT64_MAX &&
           chunk.first + (chunk.others - chunk.number) * chunk.samples <= sample) {
        chunk.first += (chunk.others - chunk.number) * chunk.samples;
        rc = chunk_enter(track, &chunk, chunk.span + 1, err);
    }
    if (rc < 0)
        return rc;
    if (chunk.samples < 1) /* entries of none are refused when they are read */
        return fail_places(err);
    int64_t ahead = (sample - chunk.first) / chunk.samples;
    chunk.number += ahead;
    chunk.first += ahead * chunk.samples;
    *ret_chunk = chunk;
    return chunk.number < track->chunks ? 0 : fail_places(err);
}

int table_chunk_next(const struct table_track *track, struct table_chunk *chunk,
                     struct okno_err *err)
{
    chunk->first += chunk->samples;
    chunk->number++;
    if (chunk->number >= track->chunks)
        return fail_places(err);
    return chunk->number == chunk->others ? chunk_enter(track, chunk, chunk->span + 1, err) : 0;
}

int table_chunk_at(const struct table_track *track, int64_t number, int64_t *ret_at,
                   struct okno_err *err)
{
    uint8_t bytes[8];
    bool wide = track->box[TABLE_CO64].end > 0;
    int64_t at = track->box[wide ? TABLE_CO64 : TABLE_STCO].at + 16 + number * (wide ? 8 : 4);
    int rc = table_read(track->blocks, at, bytes, wide ? 8 : 4, err);
    uint64_t place = rc < 0 ? 0 : wide ? media_be64(bytes) : media_be32(bytes);
    if (rc == 0 && place > INT64_MAX / 2)
        return okno_fail(err, OKNO_MEDIA, "its index points outside of it");
    *ret_at = (int64_t)place;
    return rc;
}

int table_size_of(const struct table_track *track, int64_t sample, uint32_t *ret_size,
                  struct okno_err *err)
{
    uint8_t bytes[4] = {0};
    uint32_t bits = track->size_bits;
    const struct table_span *box = &track->box[bits == 32 ? TABLE_STSZ : TABLE_STZ2];
    *ret_size = track->fixed_size;
    if (track->fixed_size)
        return 0;
    int rc = table_read(track->blocks, box->at + 20 + sample * bits / 8, bytes,
                        bits < 8 ? 1 : bits / 8, err);
    uint32_t value = media_be32(bytes);
    if (bits == 4)
        *ret_size = sample % 2 == 0 ? bytes[0] >> 4 : bytes[0] & 15;
    else
        *ret_size = bits == 32 ? value : value >> (32 - bits);
    return rc;
}

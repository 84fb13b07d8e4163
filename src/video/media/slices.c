#include "slices.h"

#include "boxes.h"
#include "bytes.h"
#include "table.h"

#include "okno/mem.h"

#include <libavutil/mathematics.h>

enum {
    TRACKS = 16,
    REORDER = 32,              /* samples behind the window that one in it may refer to */
    SAMPLES = 4 * 1000 * 1000, /* in a short index */
    LEAPS = 4096,              /* samples that stand for the time before the window */
};

/* Sound is wanted this long before and behind: it lies beside the pictures only roughly. */
#define SOUND_MARGIN_US INT64_C(1000000)

struct media_slices {
    struct table_blocks blocks;
    int64_t mvhd, mvhd_end;
    struct table_track video, audio;
    bool has_audio;
    int64_t planned; /* as in media_boxes */
};

/* --- opening ---------------------------------------------------------------------------------- */

/* A track of middling length comes over whole, in one request and in order: asking for its parts
 * would take longer. */
static int track_fetch(struct media_slices *slices, int64_t at, int64_t end, struct okno_err *err)
{
    struct okno_source *source = slices->blocks.source;
    int rc = 0;
    if (end - at > MEDIA_LONG_INDEX)
        return 0;
    at = table_block_of(&slices->blocks, at);
    end = table_block_of(&slices->blocks, end - 1) + TABLE_BLOCK;
    end = end > slices->planned ? end : slices->planned;
    end = end < source->size ? end : source->size;
    okno_source_plan_index(source, at, end);
    for (; rc == 0 && at < end; at += TABLE_BLOCK) {
        uint8_t first;
        rc = table_read(&slices->blocks, at, &first, 1, err);
    }
    return rc;
}

static int track_take(struct media_slices *slices, int64_t at, int64_t end, bool audio,
                      struct okno_err *err)
{
    struct table_track track;
    char kind[5];
    int rc = table_track_kind(&slices->blocks, at, end, kind, err);
    bool video = strcmp(kind, "vide") == 0 && !slices->video.samples;
    bool sound = strcmp(kind, "soun") == 0 && audio && !slices->has_audio;
    if (rc < 0 || (!video && !sound))
        return rc < 0 ? rc : 1; /* of no use */
    rc = track_fetch(slices, at, end, err);
    if (rc == 0)
        rc = table_track_open(&slices->blocks, slices->mvhd, at, end, &track, err);
    if (rc != 1)
        return rc;
    *(video ? &slices->video : &slices->audio) = track;
    slices->has_audio |= sound;
    return rc;
}

static bool has_all(const struct media_slices *slices, bool audio)
{
    return slices->video.samples && (slices->has_audio || !audio);
}

/* 1; 0 when a track that is wanted cannot be had this way. */
static int tracks_find(struct media_slices *slices, int64_t at, int64_t end, bool audio,
                       struct okno_err *err)
{
    int rc = 1;
    for (int i = 0; rc == 1 && i < TRACKS && end - at >= 8 && !has_all(slices, audio); i++) {
        uint8_t box[8];
        rc = table_read(&slices->blocks, at, box, sizeof(box), err) < 0 ? OKNO_FAILED : 1;
        int64_t size = media_be32(box);
        if (rc < 0 || size < 8 || size > end - at)
            return rc < 0 ? rc : 0;
        if (media_is_type(box, "mvhd")) {
            slices->mvhd = at;
            slices->mvhd_end = at + size;
        } else if (media_is_type(box, "trak") && slices->mvhd_end) {
            rc = track_take(slices, at, at + size, audio, err);
        }
        at += size;
    }
    return rc < 0 ? rc : rc == 1 && slices->video.samples > 0;
}

int media_slices_open(const struct media_boxes *boxes, bool audio, struct media_slices **ret_slices,
                      struct okno_err *err)
{
    int64_t at = boxes->moov_at;
    int64_t end = boxes->moov_end;
    if (end - at < MEDIA_SHORT_INDEX)
        return 0;
    OKNO_AUTO(media_slices) *slices = calloc(1, sizeof(*slices));
    if (!slices)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    slices->planned = boxes->planned;
    /* The file's first bytes have come in one piece. */
    table_blocks_init(&slices->blocks, boxes->source, at < TABLE_BLOCK ? 0 : at);
    int rc = tracks_find(slices, at + 8, end, audio, err);
    slices->video.blocks = slices->audio.blocks = &slices->blocks;
    if (rc == 1)
        *ret_slices = okno_mem_take(&slices);
    return rc;
}

void media_slices_close(struct media_slices *slices)
{
    if (!slices)
        return;
    table_blocks_clear(&slices->blocks);
    free(slices);
}

/* How many chunks begin inside the file: one that was cut off holds less than it promises. */
static int chunks_present(const struct table_track *track, int64_t *ret_chunks,
                          struct okno_err *err)
{
    int64_t low = 0;
    int64_t high = track->chunks;
    int rc = 0;
    while (rc == 0 && low < high) {
        int64_t at = 0;
        /* The last one first: usually all are there. */
        int64_t middle = high == track->chunks ? high - 1 : low + (high - low) / 2;
        rc = table_chunk_at(track, middle, &at, err);
        if (at < track->blocks->source->size)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_chunks = low;
    return rc;
}

/* The samples of a chunk that are wholly there. */
static int samples_present(const struct table_track *track, const struct table_chunk *chunk,
                           int64_t *ret_samples, struct okno_err *err)
{
    int64_t at = 0;
    int64_t samples = 0;
    int rc = table_chunk_at(track, chunk->number, &at, err);
    while (rc == 0 && samples < chunk->samples && chunk->first + samples < track->samples &&
           samples < SAMPLES) {
        uint32_t size = 0;
        rc = table_size_of(track, chunk->first + samples, &size, err);
        at += size;
        if (at > track->blocks->source->size)
            break;
        samples++;
    }
    *ret_samples = samples;
    return rc;
}

int media_slices_length(struct media_slices *slices, int64_t *ret_frames, int64_t *ret_us,
                        struct okno_err *err)
{
    const struct table_track *video = &slices->video;
    struct table_chunk chunk = {0};
    int64_t chunks = 0;
    int64_t samples = 0;
    int64_t end = 0;
    int rc = chunks_present(video, &chunks, err);
    if (rc == 0 && chunks > 0)
        rc = table_chunk_of(video, chunks == video->chunks ? video->samples - 1 : 0, &chunk, err);
    while (rc == 0 && chunk.number < chunks - 1)
        rc = table_chunk_next(video, &chunk, err);
    if (rc == 0 && chunks > 0)
        rc = samples_present(video, &chunk, &samples, err);
    if (rc == 0)
        rc = table_time_of(video, chunk.first + samples, &end, err);
    *ret_frames = chunk.first + samples;
    *ret_us = av_rescale(end, 1000000, video->timescale);
    return rc;
}

/* --- writing boxes ---------------------------------------------------------------------------- */

static int add32(struct okno_buf *to, uint32_t value, struct okno_err *err)
{
    uint8_t bytes[4];
    media_put32(bytes, value);
    return okno_buf_add(to, bytes, sizeof(bytes), err);
}

static int add64(struct okno_buf *to, uint64_t value, struct okno_err *err)
{
    uint8_t bytes[8];
    media_put64(bytes, value);
    return okno_buf_add(to, bytes, sizeof(bytes), err);
}

/* Begin a box; *ret_at is for box_end. */
static int box_begin(struct okno_buf *to, const char type[4], size_t *ret_at, struct okno_err *err)
{
    *ret_at = to->len;
    int rc = add32(to, 0, err);
    return rc < 0 ? rc : okno_buf_add(to, type, 4, err);
}

static void box_end(struct okno_buf *to, size_t at)
{
    if (to->len >= at + 8) /* else adding failed */
        media_put32((uint8_t *)to->data + at, (uint32_t)(to->len - at));
}

/* A box with a version, flags and a number of entries that table_end fills in. */
static int table_begin(struct okno_buf *to, const char type[4], size_t *ret_at,
                       struct okno_err *err)
{
    int rc = box_begin(to, type, ret_at, err);
    return rc < 0 ? rc : add64(to, 0, err);
}

static void table_end(struct okno_buf *to, size_t at, uint32_t count)
{
    if (to->len >= at + 16)
        media_put32((uint8_t *)to->data + at + 12, count);
    box_end(to, at);
}

static int span_copy(struct table_blocks *blocks, int64_t at, int64_t end, struct okno_buf *to,
                     struct okno_err *err)
{
    uint8_t bytes[4096];
    int rc = end - at > TABLE_BLOCK ? okno_fail(err, OKNO_MEDIA, "its index is made of lumps") : 0;
    while (rc == 0 && at < end) {
        size_t part = end - at < (int64_t)sizeof(bytes) ? (size_t)(end - at) : sizeof(bytes);
        rc = table_read(blocks, at, bytes, part, err);
        if (rc == 0)
            rc = okno_buf_add(to, bytes, part, err);
        at += (int64_t)part;
    }
    return rc;
}

static int box_copy(const struct table_track *track, enum table_box box, struct okno_buf *to,
                    struct okno_err *err)
{
    return span_copy(track->blocks, track->box[box].at, track->box[box].end, to, err);
}

/* --- the part of a track ---------------------------------------------------------------------- */

/* Whole chunks: samples [first, end). Before them the first sample of all stands `leaps` times,
 * each for a part of the time until then. */
struct part {
    const struct table_track *track;
    struct table_chunk begin;
    int64_t first, end;
    int64_t time;  /* decode time of `first` */
    int64_t leaps; /* 0 when it begins with the first sample */
};

static int part_find(const struct table_track *track, int64_t from, int64_t to, struct part *part,
                     struct okno_err *err)
{
    int64_t key = 0;
    int64_t last = 0;
    int64_t sample = 0;
    *part = (struct part){.track = track};
    int rc = table_sample_at(track, from, &sample, err);
    if (rc == 0)
        rc = table_key_before(track, sample, &key, err);
    if (rc == 0)
        rc = table_sample_at(track, to, &last, err);
    if (rc == 0)
        rc = table_chunk_of(track, key, &part->begin, err);
    struct table_chunk chunk = {0};
    last += last < track->samples - REORDER ? REORDER : track->samples - 1 - last;
    if (rc == 0)
        rc = table_chunk_of(track, last, &chunk, err);
    part->first = part->begin.first;
    part->end = chunk.first + chunk.samples;
    part->end = part->end < track->samples ? part->end : track->samples;
    if (rc == 0)
        rc = table_time_of(track, part->first, &part->time, err);
    if (rc < 0)
        return rc;
    part->leaps = part->first > 0 ? part->time / INT32_MAX + 1 : 0;
    if (part->end - part->first > SAMPLES || part->leaps > LEAPS)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d samples in one window", SAMPLES);
    return 0;
}

/* Runs of stts or ctts, the leaps in front. */
static int runs_add(const struct part *part, enum table_box box, struct okno_buf *to,
                    struct okno_err *err)
{
    size_t at = 0;
    uint32_t count = 0;
    struct table_runs runs = {0};
    int rc = table_begin(to, box == TABLE_STTS ? "stts" : "ctts", &at, err);
    if (rc == 0)
        rc = table_runs_from(part->track, box, 0, &runs, err);
    uint32_t offset = runs.value;
    for (int64_t i = 0, left = part->time; rc == 0 && i < part->leaps; i++, count++) {
        int64_t leap = i + 1 < part->leaps ? INT32_MAX : left;
        left -= leap;
        rc = add32(to, 1, err);
        if (rc == 0)
            rc = add32(to, box == TABLE_STTS ? (uint32_t)leap : offset, err);
    }
    if (rc == 0)
        rc = table_runs_from(part->track, box, part->first, &runs, err);
    while (rc == 0 && runs.left > 0 && runs.sample < part->end) {
        int64_t samples = part->end - runs.sample;
        samples = runs.left < samples ? runs.left : samples;
        rc = add32(to, (uint32_t)samples, err);
        if (rc == 0)
            rc = add32(to, runs.value, err);
        if (rc == 0)
            rc = table_runs_next(&runs, err);
        count++;
    }
    table_end(to, at, count);
    return rc;
}

static int keys_add(const struct part *part, struct okno_buf *to, struct okno_err *err)
{
    size_t at = 0;
    uint32_t low = 0;
    uint32_t high = 0;
    uint32_t end = 0;
    uint32_t count = 0;
    int rc = table_begin(to, "stss", &at, err);
    if (rc == 0)
        rc = table_keys(part->track, &end, err);
    for (high = end; rc == 0 && low < high;) { /* the first key of the part */
        uint32_t middle = low + (high - low) / 2;
        int64_t key = 0;
        rc = table_key(part->track, middle, &key, err);
        if (key < part->first)
            low = middle + 1;
        else
            high = middle;
    }
    for (int64_t i = 0; rc == 0 && i < part->leaps; i++, count++)
        rc = add32(to, (uint32_t)(i + 1), err);
    for (; rc == 0 && low < end; low++) {
        int64_t key = 0;
        rc = table_key(part->track, low, &key, err);
        if (rc < 0 || key >= part->end)
            break;
        rc = add32(to, (uint32_t)(key - part->first + part->leaps + 1), err);
        count++;
    }
    table_end(to, at, count);
    return rc;
}

static int sizes_add(const struct part *part, struct okno_buf *to, struct okno_err *err)
{
    size_t at = 0;
    uint32_t fixed = part->track->fixed_size;
    int64_t count = part->end - part->first + part->leaps;
    int rc = box_begin(to, "stsz", &at, err);
    if (rc == 0)
        rc = add64(to, fixed, err); /* version, flags, the size of all */
    if (rc == 0)
        rc = add32(to, (uint32_t)count, err);
    for (int64_t i = 0; rc == 0 && !fixed && i < count; i++) {
        uint32_t size = 0;
        int64_t sample = i < part->leaps ? 0 : part->first + i - part->leaps;
        rc = table_size_of(part->track, sample, &size, err);
        if (rc == 0)
            rc = add32(to, size, err);
    }
    box_end(to, at);
    return rc;
}

/* Where chunks lie (co64), and how many samples of which kind are in each (stsc). */
static int chunks_add(const struct part *part, bool places, struct okno_buf *to,
                      struct okno_err *err)
{
    size_t at = 0;
    uint32_t count = 0;
    uint32_t number = 1;
    struct table_chunk first = {0};
    struct table_chunk chunk = part->begin;
    int rc = table_begin(to, places ? "co64" : "stsc", &at, err);
    if (rc == 0)
        rc = table_chunk_of(part->track, 0, &first, err);
    for (int64_t i = -part->leaps; rc == 0; i++, number++) {
        const struct table_chunk *one = i < 0 ? &first : &chunk;
        int64_t place = 0;
        if (places)
            rc = table_chunk_at(part->track, one->number, &place, err);
        if (rc == 0 && places)
            rc = add64(to, (uint64_t)place, err);
        if (rc == 0 && !places)
            rc = add32(to, number, err);
        if (rc == 0 && !places)
            rc = add64(to, (uint64_t)(i < 0 ? 1 : chunk.samples) << 32 | one->entry, err);
        count++;
        if (i < 0 || rc < 0)
            continue;
        if (chunk.first + chunk.samples >= part->end)
            break;
        rc = table_chunk_next(part->track, &chunk, err);
    }
    table_end(to, at, count);
    return rc;
}

static int tables_add(const struct part *part, struct okno_buf *to, struct okno_err *err)
{
    size_t at = 0;
    int rc = box_begin(to, "stbl", &at, err);
    if (rc == 0)
        rc = box_copy(part->track, TABLE_STSD, to, err);
    if (rc == 0)
        rc = runs_add(part, TABLE_STTS, to, err);
    if (rc == 0 && part->track->box[TABLE_CTTS].end)
        rc = runs_add(part, TABLE_CTTS, to, err);
    if (rc == 0 && part->track->box[TABLE_STSS].end)
        rc = keys_add(part, to, err);
    if (rc == 0)
        rc = chunks_add(part, false, to, err);
    if (rc == 0)
        rc = sizes_add(part, to, err);
    if (rc == 0)
        rc = chunks_add(part, true, to, err);
    box_end(to, at);
    return rc;
}

static int boxes_add(const struct table_track *track, enum table_box from, enum table_box to_box,
                     struct okno_buf *to, struct okno_err *err)
{
    int rc = 0;
    for (int box = (int)from; rc == 0 && box <= (int)to_box; box++)
        if (track->box[box].end)
            rc = box_copy(track, (enum table_box)box, to, err);
    return rc;
}

static int track_add(const struct part *part, struct okno_buf *to, struct okno_err *err)
{
    const struct table_track *track = part->track;
    size_t trak = 0;
    size_t mdia = 0;
    size_t minf = 0;
    int rc = box_begin(to, "trak", &trak, err);
    if (rc == 0)
        rc = boxes_add(track, TABLE_TKHD, TABLE_EDTS, to, err);
    if (rc == 0)
        rc = box_begin(to, "mdia", &mdia, err);
    if (rc == 0)
        rc = boxes_add(track, TABLE_MDHD, TABLE_HDLR, to, err);
    if (rc == 0)
        rc = box_begin(to, "minf", &minf, err);
    if (rc == 0)
        rc = boxes_add(track, TABLE_VMHD, TABLE_DINF, to, err);
    if (rc == 0)
        rc = tables_add(part, to, err);
    if (rc < 0)
        return rc;
    box_end(to, minf);
    box_end(to, mdia);
    box_end(to, trak);
    return 0;
}

static int64_t ticks(const struct table_track *track, int64_t us)
{
    const int64_t most = INT64_C(1) << 50; /* 35 years */
    us = us > most ? most : us < -most ? -most : us;
    return av_rescale(us, track->timescale, 1000000) - track->shift;
}

/* Sound from where the pictures begin, which is a key frame before what was asked. */
static int sound_add(struct media_slices *slices, const struct part *pictures, int64_t to_us,
                     struct okno_buf *moov, struct okno_err *err)
{
    const struct table_track *video = pictures->track;
    int64_t from_us = av_rescale(pictures->time + video->shift, 1000000, video->timescale);
    struct part part;
    int rc = part_find(&slices->audio, ticks(&slices->audio, from_us - SOUND_MARGIN_US),
                       ticks(&slices->audio, to_us + SOUND_MARGIN_US), &part, err);
    return rc < 0 ? rc : track_add(&part, moov, err);
}

int media_slices_make(struct media_slices *slices, int64_t from_us, int64_t to_us,
                      struct okno_buf *moov, struct okno_err *err)
{
    size_t at = 0;
    struct part part;
    int rc = part_find(&slices->video, ticks(&slices->video, from_us), ticks(&slices->video, to_us),
                       &part, err);
    if (rc == 0)
        rc = box_begin(moov, "moov", &at, err);
    if (rc == 0)
        rc = span_copy(&slices->blocks, slices->mvhd, slices->mvhd_end, moov, err);
    if (rc == 0)
        rc = track_add(&part, moov, err);
    if (rc == 0 && slices->has_audio)
        rc = sound_add(slices, &part, to_us, moov, err);
    if (rc < 0)
        return rc;
    box_end(moov, at);
    return 0;
}

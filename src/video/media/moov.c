#define _POSIX_C_SOURCE 200809L
#include "moov.h"

#include "box.h"

#include <libavutil/mathematics.h>

enum {
    MOVIE_SCALE = 1000000,
    LARGE_HEAD = 16, /* of media data: with a length of 64 bits */
};
#define VERSION_1 UINT32_C(0x01000000)
#define SMALL_MEDIA INT64_C(0xf0000000) /* beyond it offsets take 64 bits */

void media_track_clear(struct media_track *track)
{
    okno_buf_free(&track->entries);
    media_sample_vec_free(&track->samples);
}

static size_t samples_in(const struct media_track *track, const struct media_sample *sample)
{
    return track->frame_bytes > 0 ? sample->size / track->frame_bytes : 1;
}

static size_t sample_count(const struct media_track *track)
{
    size_t count = 0;
    for (size_t i = 0; i < track->samples.len; i++)
        count += samples_in(track, &track->samples.items[i]);
    return count;
}

static int64_t sample_lasts(const struct media_track *track, size_t i)
{
    const struct media_sample *samples = track->samples.items;
    return i + 1 < track->samples.len ? samples[i + 1].dts - samples[i].dts : track->lasts;
}

static int64_t track_lasts(const struct media_track *track)
{
    const struct media_sample *samples = track->samples.items;
    return samples[track->samples.len - 1].dts + track->lasts - samples[0].dts;
}

static int64_t to_movie(const struct media_track *track, int64_t ticks)
{
    return av_rescale(ticks, MOVIE_SCALE, track->timescale);
}

/* Silence before the first sample. */
static int64_t track_late(const struct media_track *track)
{
    int64_t late = track->samples.items[0].pts - track->start;
    return !track->video && late > 0 ? late : 0;
}

/* --- tables ----------------------------------------------------------------------------------- */

/* A table of runs: how many samples in turn have the same value. */
struct runs {
    struct media_box_out *out;
    size_t box, count_at;
    uint32_t runs, len;
    uint32_t value;
};

static struct runs runs_begin(struct media_box_out *out, const char type[4], uint32_t version)
{
    struct runs runs = {.out = out, .box = media_box_begin_full(out, type, version)};
    runs.count_at = out->to->len;
    media_box_put(out, 0, 4);
    return runs;
}

static void runs_flush(struct runs *runs)
{
    if (runs->len == 0)
        return;
    media_box_put(runs->out, runs->len, 4);
    media_box_put(runs->out, runs->value, 4);
    runs->runs++;
    runs->len = 0;
}

static void runs_take(struct runs *runs, size_t len, uint32_t value)
{
    if (runs->value != value)
        runs_flush(runs);
    runs->value = value;
    runs->len += (uint32_t)len;
}

static void count_end(struct media_box_out *out, size_t box, size_t count_at, uint32_t count)
{
    if (out->rc == 0)
        media_put32((uint8_t *)out->to->data + count_at, count);
    media_box_end(out, box);
}

static void runs_end(struct runs *runs)
{
    runs_flush(runs);
    count_end(runs->out, runs->box, runs->count_at, runs->runs);
}

static void stts_add(struct media_box_out *out, const struct media_track *track)
{
    struct runs runs = runs_begin(out, "stts", 0);
    for (size_t i = 0; i < track->samples.len; i++) {
        size_t len = samples_in(track, &track->samples.items[i]);
        int64_t lasts = sample_lasts(track, i);
        if (len > 1)
            runs_take(&runs, len - 1, 1);
        if (len > 0)
            runs_take(&runs, 1, (uint32_t)(lasts - (int64_t)(len - 1)));
    }
    runs_end(&runs);
}

/* Signed, so that the first picture is shown at 0 without an edit list. */
static void ctts_add(struct media_box_out *out, const struct media_track *track)
{
    const struct media_sample *samples = track->samples.items;
    bool any = false;
    for (size_t i = 0; i < track->samples.len; i++)
        any |= samples[i].pts - track->start != samples[i].dts - samples[0].dts;
    if (!any || !track->video)
        return;
    struct runs runs = runs_begin(out, "ctts", VERSION_1);
    for (size_t i = 0; i < track->samples.len; i++)
        runs_take(&runs, 1,
                  (uint32_t)(samples[i].pts - track->start - (samples[i].dts - samples[0].dts)));
    runs_end(&runs);
}

/* Whether a player may begin at sample i. Behind the key frame of an open GOP come pictures that
 * are shown before it and need the GOP before: a player that begins there may give up on them
 * (Chromium does), and ISO/IEC 14496-12, 8.6.2 does not take it for a sync sample. */
static bool is_sync(const struct media_track *track, size_t i)
{
    const struct media_sample *samples = track->samples.items;
    bool sync = samples[i].key;
    for (size_t k = i + 1; sync && k < track->samples.len && !samples[k].key; k++)
        sync = samples[k].pts > samples[i].pts;
    return sync;
}

static void stss_add(struct media_box_out *out, const struct media_track *track)
{
    uint32_t keys = 0;
    for (size_t i = 0; i < track->samples.len; i++)
        keys += is_sync(track, i);
    if (!track->video || keys == track->samples.len)
        return;
    size_t box = media_box_begin_full(out, "stss", 0);
    media_box_put(out, keys, 4);
    for (size_t i = 0; i < track->samples.len; i++)
        if (is_sync(track, i))
            media_box_put(out, i + 1, 4);
    media_box_end(out, box);
}

static void stsz_add(struct media_box_out *out, const struct media_track *track)
{
    size_t box = media_box_begin_full(out, "stsz", 0);
    media_box_put(out, track->frame_bytes, 4);
    media_box_put(out, sample_count(track), 4);
    for (size_t i = 0; track->frame_bytes == 0 && i < track->samples.len; i++)
        media_box_put(out, track->samples.items[i].size, 4);
    media_box_end(out, box);
}

/* Where the chunk that begins with sample i ends: samples of one entry, one behind the other. */
static size_t chunk_end(const struct media_track *track, size_t i, size_t *ret_samples)
{
    const struct media_sample *samples = track->samples.items;
    *ret_samples = samples_in(track, &samples[i]);
    for (i++; i < track->samples.len; i++) {
        if (samples[i].at != samples[i - 1].at + samples[i - 1].size ||
            samples[i].entry != samples[i - 1].entry)
            break;
        *ret_samples += samples_in(track, &samples[i]);
    }
    return i;
}

static void stsc_add(struct media_box_out *out, const struct media_track *track)
{
    size_t box = media_box_begin_full(out, "stsc", 0);
    size_t count_at = out->to->len;
    size_t had_samples = 0;
    uint32_t rows = 0;
    uint32_t chunk = 0;
    uint32_t had_entry = 0;
    media_box_put(out, 0, 4);
    for (size_t i = 0; i < track->samples.len;) {
        size_t samples = 0;
        uint32_t entry = track->samples.items[i].entry + 1U;
        i = chunk_end(track, i, &samples);
        chunk++;
        if (samples == had_samples && entry == had_entry)
            continue;
        media_box_put(out, chunk, 4);
        media_box_put(out, samples, 4);
        media_box_put(out, entry, 4);
        rows++;
        had_samples = samples;
        had_entry = entry;
    }
    count_end(out, box, count_at, rows);
}

static void stco_add(struct media_box_out *out, const struct media_track *track, int64_t base,
                     bool wide)
{
    size_t box = media_box_begin_full(out, wide ? "co64" : "stco", 0);
    size_t count_at = out->to->len;
    uint32_t chunks = 0;
    media_box_put(out, 0, 4);
    for (size_t i = 0; i < track->samples.len;) {
        size_t samples = 0;
        media_box_put(out, (uint64_t)(base + track->samples.items[i].at), wide ? 8 : 4);
        i = chunk_end(track, i, &samples);
        chunks++;
    }
    count_end(out, box, count_at, chunks);
}

/* --- a track ---------------------------------------------------------------------------------- */

static void stbl_add(struct media_box_out *out, const struct media_track *track, int64_t base,
                     bool wide)
{
    size_t box = media_box_begin(out, "stbl");
    size_t stsd = media_box_begin_full(out, "stsd", 0);
    media_box_put(out, track->entry_count, 4);
    media_box_bytes(out, track->entries.data, track->entries.len);
    media_box_end(out, stsd);
    stts_add(out, track);
    ctts_add(out, track);
    stss_add(out, track);
    stsc_add(out, track);
    stsz_add(out, track);
    stco_add(out, track, base, wide);
    media_box_end(out, box);
}

static void minf_add(struct media_box_out *out, const struct media_track *track, int64_t base,
                     bool wide)
{
    size_t box = media_box_begin(out, "minf");
    size_t head = media_box_begin_full(out, track->video ? "vmhd" : "smhd", track->video);
    media_box_zeros(out, track->video ? 8 : 4);
    media_box_end(out, head);
    size_t dinf = media_box_begin(out, "dinf");
    size_t dref = media_box_begin_full(out, "dref", 0);
    media_box_put(out, 1, 4);
    media_box_end(out, media_box_begin_full(out, "url ", 1)); /* this file */
    media_box_end(out, dref);
    media_box_end(out, dinf);
    stbl_add(out, track, base, wide);
    media_box_end(out, box);
}

static void mdia_add(struct media_box_out *out, const struct media_track *track, int64_t base,
                     bool wide)
{
    size_t box = media_box_begin(out, "mdia");
    size_t head = media_box_begin_full(out, "mdhd", VERSION_1);
    media_box_zeros(out, 16);
    media_box_put(out, track->timescale, 4);
    media_box_put(out, (uint64_t)track_lasts(track), 8);
    media_box_put(out, 0x55c4, 2); /* no language */
    media_box_put(out, 0, 2);
    media_box_end(out, head);
    size_t hdlr = media_box_begin_full(out, "hdlr", 0);
    media_box_zeros(out, 4);
    media_box_bytes(out, track->video ? "vide" : "soun", 4);
    media_box_zeros(out, 12 + 1);
    media_box_end(out, hdlr);
    minf_add(out, track, base, wide);
    media_box_end(out, box);
}

/* Sound that begins later than the pictures: so long is nothing, then all of it. */
static void edts_add(struct media_box_out *out, const struct media_track *track)
{
    int64_t late = to_movie(track, track_late(track));
    if (late <= 0)
        return;
    size_t box = media_box_begin(out, "edts");
    size_t list = media_box_begin_full(out, "elst", VERSION_1);
    media_box_put(out, 2, 4);
    media_box_put(out, (uint64_t)late, 8);
    media_box_put(out, UINT64_MAX, 8);
    media_box_put(out, 1 << 16, 4);
    media_box_put(out, (uint64_t)to_movie(track, track_lasts(track)), 8);
    media_box_put(out, 0, 8);
    media_box_put(out, 1 << 16, 4);
    media_box_end(out, list);
    media_box_end(out, box);
}

static int64_t track_end(const struct media_track *track)
{
    return to_movie(track, track_late(track) + track_lasts(track));
}

static void trak_add(struct media_box_out *out, const struct media_track *track, uint32_t id,
                     int64_t base, bool wide)
{
    size_t box = media_box_begin(out, "trak");
    size_t head = media_box_begin_full(out, "tkhd", VERSION_1 | 3);
    media_box_zeros(out, 16);
    media_box_put(out, id, 4);
    media_box_zeros(out, 4);
    media_box_put(out, (uint64_t)track_end(track), 8);
    media_box_zeros(out, 12);
    media_box_put(out, track->video ? 0 : 0x0100, 2); /* volume */
    media_box_zeros(out, 2);
    for (size_t i = 0; i < 9; i++)
        media_box_put(out, (uint32_t)track->matrix[i], 4);
    media_box_put(out, track->width, 4);
    media_box_put(out, track->height, 4);
    media_box_end(out, head);
    edts_add(out, track);
    mdia_add(out, track, base, wide);
    media_box_end(out, box);
}

/* --- the movie -------------------------------------------------------------------------------- */

static void mvhd_add(struct media_box_out *out, const struct media_track *tracks, size_t count)
{
    static const uint32_t upright[9] = {1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30};
    int64_t end = 0;
    for (size_t i = 0; i < count; i++)
        if (tracks[i].samples.len > 0 && track_end(&tracks[i]) > end)
            end = track_end(&tracks[i]);
    size_t box = media_box_begin_full(out, "mvhd", VERSION_1);
    media_box_zeros(out, 16);
    media_box_put(out, MOVIE_SCALE, 4);
    media_box_put(out, (uint64_t)end, 8);
    media_box_put(out, 1 << 16, 4);
    media_box_put(out, 0x0100, 2);
    media_box_zeros(out, 10);
    for (size_t i = 0; i < 9; i++)
        media_box_put(out, upright[i], 4);
    media_box_zeros(out, 24);
    media_box_put(out, count + 1, 4); /* the next track's number */
    media_box_end(out, box);
}

static void head_add(struct media_box_out *out, const struct media_track *tracks, size_t count,
                     int64_t base, int64_t media_bytes)
{
    bool wide = media_bytes > SMALL_MEDIA;
    size_t type = media_box_begin(out, "ftyp");
    media_box_bytes(out, "isom\0\0\2\0isomiso2mp41", 20);
    media_box_end(out, type);
    size_t box = media_box_begin(out, "moov");
    mvhd_add(out, tracks, count);
    for (size_t i = 0; i < count; i++)
        if (tracks[i].samples.len > 0)
            trak_add(out, &tracks[i], (uint32_t)i + 1, base, wide);
    media_box_end(out, box);
    media_box_put(out, wide ? 1 : (uint64_t)media_bytes + 8, 4);
    media_box_bytes(out, "mdat", 4);
    if (wide)
        media_box_put(out, (uint64_t)media_bytes + LARGE_HEAD, 8);
}

/* Twice: where the media data begin is known when it is known how long the index is. */
int media_moov_add(const struct media_track *tracks, size_t count, int64_t media_bytes,
                   struct okno_buf *to, struct okno_err *err)
{
    struct media_box_out out = {.to = to, .err = err};
    size_t begin = to->len;
    head_add(&out, tracks, count, 0, media_bytes);
    int64_t base = (int64_t)(to->len - begin);
    to->len = begin;
    head_add(&out, tracks, count, base, media_bytes);
    return out.rc;
}

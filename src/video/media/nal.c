#define _POSIX_C_SOURCE 200809L
#include "nal.h"

#include "bytes.h"

#include <libavutil/pixdesc.h>

enum {
    MAX_SETS = 16, /* of one kind */
    KINDS = 3,
    HEVC_LEVELS = 12, /* bytes of a profile, tier and level */
};

struct unit {
    const uint8_t *at;
    size_t len;
};

/* The next start code's three bytes at or behind `at`; `end` without. */
static const uint8_t *start_find(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 3; at++) {
        at = memchr(at, 0, (size_t)(end - at) - 2);
        if (!at)
            return end;
        if (at[1] == 0 && at[2] == 1)
            return at;
    }
    return end;
}

/* The unit behind *at, which moves on. False at the end. */
static bool unit_next(const uint8_t **at, const uint8_t *end, struct unit *ret_unit)
{
    const uint8_t *start = start_find(*at, end);
    if (end - start < 4)
        return false;
    const uint8_t *next = start_find(start + 3, end);
    *at = next;
    while (next > start + 3 && next[-1] == 0) /* belongs to the next start code */
        next--;
    *ret_unit = (struct unit){start + 3, (size_t)(next - start - 3)};
    return true;
}

bool media_nal_is_stream(const uint8_t *bytes, size_t len)
{
    return len >= 4 && bytes[0] == 0 && bytes[1] == 0 &&
           (bytes[2] == 1 || (bytes[2] == 0 && bytes[3] == 1));
}

int media_nal_convert(const uint8_t *bytes, size_t len, struct okno_buf *to, struct okno_err *err)
{
    struct unit unit = {0};
    const uint8_t *end = bytes + len;
    int rc = 0;
    while (rc == 0 && unit_next(&bytes, end, &unit)) {
        uint8_t size[4];
        media_put32(size, (uint32_t)unit.len);
        rc = unit.len > 0 ? okno_buf_add(to, size, sizeof(size), err) : 0;
        if (rc == 0)
            rc = okno_buf_add(to, unit.at, unit.len, err);
    }
    return rc;
}

/* --- parameter sets --------------------------------------------------------------------------- */

struct sets {
    struct unit units[KINDS][MAX_SETS]; /* HEVC: VPS, SPS, PPS; H.264: SPS, PPS */
    size_t counts[KINDS];
};

/* Which kind of parameter set a unit is; KINDS: none. */
static size_t kind_of(enum AVCodecID id, const struct unit *unit)
{
    if (id == AV_CODEC_ID_HEVC) {
        int type = unit->len > 2 ? unit->at[0] >> 1 & 63 : 0;
        return type >= 32 && type <= 34 ? (size_t)type - 32 : KINDS;
    }
    int type = unit->len > 1 ? unit->at[0] & 31 : 0;
    return type == 7 || type == 8 ? (size_t)type - 7 : KINDS;
}

static void sets_take(struct sets *sets, size_t kind, const struct unit *unit)
{
    for (size_t i = 0; i < sets->counts[kind]; i++) {
        const struct unit *had = &sets->units[kind][i];
        if (had->len == unit->len && memcmp(had->at, unit->at, unit->len) == 0)
            return;
    }
    if (sets->counts[kind] < MAX_SETS && unit->len <= UINT16_MAX)
        sets->units[kind][sets->counts[kind]++] = *unit;
}

static void sets_find(struct sets *sets, enum AVCodecID id, const uint8_t *bytes, size_t len)
{
    struct unit unit = {0};
    const uint8_t *end = bytes + len;
    while (unit_next(&bytes, end, &unit)) {
        size_t kind = kind_of(id, &unit);
        if (kind < KINDS)
            sets_take(sets, kind, &unit);
    }
}

static int sets_add(const struct sets *sets, size_t kind, struct okno_buf *to, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sets->counts[kind]; i++) {
        const struct unit *unit = &sets->units[kind][i];
        uint8_t size[2] = {(uint8_t)(unit->len >> 8), (uint8_t)unit->len};
        rc = okno_buf_add(to, size, sizeof(size), err);
        if (rc == 0)
            rc = okno_buf_add(to, unit->at, unit->len, err);
    }
    return rc;
}

/* Chroma format and bits over 8, of luma and of chroma, as the records count them. */
static void depth_of(const AVCodecParameters *codec, uint8_t ret_depth[3])
{
    const AVPixFmtDescriptor *about = av_pix_fmt_desc_get((enum AVPixelFormat)codec->format);
    int bits = about ? about->comp[0].depth - 8 : 0;
    ret_depth[0] = 1;
    if (about)
        ret_depth[0] = about->nb_components < 3 ? 0
                       : about->log2_chroma_h   ? 1
                       : about->log2_chroma_w   ? 2
                                                : 3;
    ret_depth[1] = ret_depth[2] = (uint8_t)(bits > 0 ? bits & 7 : 0);
}

static int record_h264(const struct sets *sets, const AVCodecParameters *codec, struct okno_buf *to,
                       struct okno_err *err)
{
    const struct unit *sps = &sets->units[0][0];
    uint8_t head[6] = {1,          sps->at[1], sps->at[2],
                       sps->at[3], 0xff,       (uint8_t)(0xe0 | sets->counts[0])};
    uint8_t count = (uint8_t)sets->counts[1];
    int rc = okno_buf_add(to, head, sizeof(head), err);
    if (rc == 0)
        rc = sets_add(sets, 0, to, err);
    if (rc == 0)
        rc = okno_buf_add(to, &count, 1, err);
    if (rc == 0)
        rc = sets_add(sets, 1, to, err);
    if (rc < 0 || sps->at[1] == 66 || sps->at[1] == 77 || sps->at[1] == 88)
        return rc;
    uint8_t depth[3];
    depth_of(codec, depth);
    uint8_t high[4] = {0xfc | depth[0], 0xf8 | depth[1], 0xf8 | depth[2], 0};
    return okno_buf_add(to, high, sizeof(high), err);
}

/* Bytes of the unit with the bytes that keep start codes out of it removed. */
static size_t plain(const struct unit *unit, uint8_t *into, size_t max)
{
    size_t len = 0;
    for (size_t i = 0; i < unit->len && len < max; i++)
        if (i < 2 || unit->at[i] != 3 || unit->at[i - 1] != 0 || unit->at[i - 2] != 0)
            into[len++] = unit->at[i];
    return len;
}

static int record_hevc(const struct sets *sets, const AVCodecParameters *codec, struct okno_buf *to,
                       struct okno_err *err)
{
    uint8_t sps[3 + HEVC_LEVELS] = {0}; /* unit head, layers, profile and level */
    uint8_t depth[3];
    depth_of(codec, depth);
    (void)plain(&sets->units[1][0], sps, sizeof(sps));
    uint8_t head[23] = {1};
    memcpy(head + 1, sps + 3, HEVC_LEVELS);
    head[13] = 0xf0; /* no least division of the picture is known */
    head[15] = 0xfc; /* nor which parallelism it allows */
    head[16] = 0xfc | depth[0];
    head[17] = 0xf8 | depth[1];
    head[18] = 0xf8 | depth[2];
    head[21] = (uint8_t)(((sps[2] >> 1 & 7) + 1) << 3 | (sps[2] & 1) << 2 | 3);
    head[22] = KINDS;
    int rc = okno_buf_add(to, head, sizeof(head), err);
    for (size_t kind = 0; rc == 0 && kind < KINDS; kind++) {
        uint8_t array[3] = {(uint8_t)(32 + kind), 0, (uint8_t)sets->counts[kind]};
        rc = okno_buf_add(to, array, sizeof(array), err);
        if (rc == 0)
            rc = sets_add(sets, kind, to, err);
    }
    return rc;
}

int media_nal_record(const AVCodecParameters *codec, const uint8_t *bytes, size_t len,
                     struct okno_buf *to, struct okno_err *err)
{
    struct sets sets = {0};
    bool hevc = codec->codec_id == AV_CODEC_ID_HEVC;
    sets_find(&sets, codec->codec_id, bytes, len);
    if (sets.counts[0] == 0 || sets.counts[1] == 0 || (hevc && sets.counts[2] == 0) ||
        sets.units[0][0].len < 4)
        return 0;
    int rc = hevc ? record_hevc(&sets, codec, to, err) : record_h264(&sets, codec, to, err);
    return rc < 0 ? rc : 1;
}

/* --- and back --------------------------------------------------------------------------------- */

/* The record's bytes that are still to be read. */
struct record {
    const uint8_t *at, *end;
    size_t length_bytes; /* of a unit's length in the samples */
};

static bool record_open(const AVCodecParameters *codec, struct record *record)
{
    bool hevc = codec->codec_id == AV_CODEC_ID_HEVC;
    ptrdiff_t head = hevc ? 22 : 5;
    bool known = (hevc || codec->codec_id == AV_CODEC_ID_H264) && codec->extradata &&
                 codec->extradata_size > head && codec->extradata[0] == 1;
    if (known)
        *record = (struct record){codec->extradata + head, codec->extradata + codec->extradata_size,
                                  (size_t)(codec->extradata[head - 1] & 3) + 1};
    return known;
}

/* `count` units, each behind two bytes of length. */
static int units_add(struct record *record, size_t count, struct okno_buf *to, struct okno_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count && record->end - record->at >= 2; i++) {
        uint8_t size[4] = {0, 0, record->at[0], record->at[1]};
        size_t len = (size_t)size[2] << 8 | size[3];
        const uint8_t *unit = record->at + 2;
        record->at = (size_t)(record->end - unit) < len ? record->end : unit + len;
        if (len == 0 || record->at != unit + len || (record->length_bytes == 1 && len > UINT8_MAX))
            continue;
        rc = okno_buf_add(to, size + 4 - record->length_bytes, record->length_bytes, err);
        if (rc == 0)
            rc = okno_buf_add(to, unit, len, err);
    }
    return rc;
}

int media_nal_sets(const AVCodecParameters *codec, struct okno_buf *to, struct okno_err *err)
{
    struct record record;
    int rc = 0;
    if (!record_open(codec, &record))
        return 0;
    bool hevc = codec->codec_id == AV_CODEC_ID_HEVC;
    size_t arrays = hevc ? *record.at++ : 2; /* H.264: SPS, PPS */
    for (size_t i = 0; rc == 0 && i < arrays && record.end - record.at >= (hevc ? 3 : 1); i++) {
        size_t count = hevc     ? (size_t)record.at[1] << 8 | record.at[2]
                       : i == 0 ? record.at[0] & 31
                                : record.at[0];
        record.at += hevc ? 3 : 1;
        rc = units_add(&record, count, to, err);
    }
    return rc;
}

enum { HEVC_PICTURE_MAX = 31, HEVC_KEY_FIRST = 16, HEVC_KEY_LAST = 23 };

bool media_nal_is_key(const AVCodecParameters *codec, const uint8_t *bytes, size_t len)
{
    struct record record;
    if (codec->codec_id != AV_CODEC_ID_HEVC || !record_open(codec, &record))
        return false;
    for (size_t at = 0; len - at > record.length_bytes;) {
        size_t unit = 0;
        for (size_t i = 0; i < record.length_bytes; i++)
            unit = unit << 8 | bytes[at++];
        int type = bytes[at] >> 1 & 63;
        if (type <= HEVC_PICTURE_MAX) /* the first one's slices are of one type */
            return type >= HEVC_KEY_FIRST && type <= HEVC_KEY_LAST;
        if (unit > len - at)
            return false;
        at += unit;
    }
    return false;
}

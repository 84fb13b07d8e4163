#define _POSIX_C_SOURCE 200809L
#include "boxes.h"

#include "bytes.h"

#include <string.h>

enum {
    OUTER_BOXES = 64, /* before the first fragment */
    BUFFER_BYTES = 1024 * 1024,
    HEAD_BYTES = 64 * 1024,
    GUESS = 512 * 1024,     /* of an index behind the media, before its length is known */
    MOOF_BYTES = 8 * 1024,  /* read of a fragment whose place is known */
    SCAN_BYTES = 64 * 1024, /* read at once, at least, when looking for one */
    MOOF_MAX = BUFFER_BYTES,
    PROBES = 64, /* reads in one search */
    WALK = 3,    /* fragments that are walked one by one */
    KNOWN_MAX = 200000
};

/* --- reading --- */

/* The bytes at `at`, `least` of them or fewer at the file's end; reads `ahead` of them at once. */
static int look_at(struct media_boxes *boxes, int64_t at, size_t least, size_t ahead,
                   const uint8_t **ret_bytes, size_t *ret_len, struct okno_err *err)
{
    int64_t size = boxes->source->size;
    bool here = at >= boxes->buffer_at &&
                at + (int64_t)least <= boxes->buffer_at + (int64_t)boxes->buffer_len;
    if (at < 0 || at >= size)
        return okno_fail(err, OKNO_MEDIA, "the recording points outside of itself");
    if (!here) {
        size_t want = ahead > least ? ahead : least;
        want = want > BUFFER_BYTES ? BUFFER_BYTES : want;
        want = size - at < (int64_t)want ? (size_t)(size - at) : want;
        size_t got = 0;
        boxes->buffer_len = 0;
        int rc = boxes->source->read_at(boxes->source->ctx, at, boxes->buffer, want, &got, err);
        if (rc < 0)
            return rc;
        boxes->buffer_at = at;
        boxes->buffer_len = got < want ? got : want;
    }
    *ret_bytes = boxes->buffer + (at - boxes->buffer_at);
    *ret_len = boxes->buffer_len - (size_t)(at - boxes->buffer_at);
    return 0;
}

/* The end of the box at `at`, whose first bytes are given; 0 when they are no box of this file. */
static int64_t box_end(const uint8_t *box, size_t len, int64_t at, int64_t size)
{
    uint64_t bytes = len >= 8 ? media_be32(box) : 0;
    uint64_t least = 8;
    if (len >= 8 && bytes == 0)
        return size;
    if (bytes == 1) {
        bytes = len >= 16 ? media_be64(box + 8) : 0;
        least = 16;
    }
    return bytes < least || bytes > (uint64_t)(size - at) ? 0 : at + (int64_t)bytes;
}

/* Bring all of an index over in one request. */
static void plan_index(struct okno_source *source, int64_t from, int64_t to)
{
    if (to > from && to <= source->size)
        okno_source_plan_index(source, from, to);
}

int media_boxes_look(struct okno_source *source, struct media_boxes *ret_boxes,
                     struct okno_err *err)
{
    struct media_boxes boxes = {.source = source, .buffer = malloc(BUFFER_BYTES)};
    int rc = boxes.buffer ? 0 : okno_fail(err, OKNO_NO_MEMORY, "no memory to read a recording");
    int64_t at = 0;
    bool behind_media = false;
    for (int i = 0; rc == 0 && i < OUTER_BOXES && at < source->size && !boxes.first_at; i++) {
        const uint8_t *box = NULL;
        size_t len = 0;
        /* What follows the media is the index: the video's track comes first in it. */
        if (i > 0 && !boxes.moov_end && (behind_media || source->size - at < MEDIA_SHORT_INDEX)) {
            boxes.planned = source->size - at < GUESS ? source->size : at + GUESS;
            plan_index(source, at, boxes.planned);
        }
        rc = look_at(&boxes, at, 16, HEAD_BYTES, &box, &len, err);
        int64_t end = rc == 0 ? box_end(box, len, at, source->size) : 0;
        if (end == 0)
            break;
        if (media_is_type(box, "moov")) {
            boxes.moov_at = at;
            boxes.moov_end = end;
            /* And the heads of the boxes behind it, which the demuxer wants to see. */
            if (end - at < MEDIA_SHORT_INDEX)
                plan_index(source, at, end + 64 < source->size ? end + 64 : source->size);
        } else if (media_is_type(box, "sidx") && !boxes.sidx_end) {
            boxes.sidx_at = at;
            boxes.sidx_end = end;
        } else if (media_is_type(box, "moof")) {
            boxes.first_at = at;
        }
        /* An index in front and then the media: there is nothing more to learn. That of a
         * fragmented file is short. */
        if (boxes.moov_end &&
            (media_is_type(box, "mdat") || boxes.moov_end - boxes.moov_at > HEAD_BYTES))
            break;
        behind_media = media_is_type(box, "mdat");
        at = end;
    }
    if (rc < 0) {
        media_boxes_clear(&boxes);
        return rc;
    }
    *ret_boxes = boxes;
    return 0;
}

void media_boxes_clear(struct media_boxes *boxes)
{
    media_fragment_vec_free(&boxes->known);
    free(boxes->buffer);
    *boxes = (struct media_boxes){0};
}

/* --- one fragment --- */

/* The child box of this type inside [at, end), or NULL; *ret_end is its end. */
static const uint8_t *child(const uint8_t *at, const uint8_t *end, const char type[4],
                            const uint8_t **ret_end)
{
    while (end - at >= 8) {
        uint32_t bytes = media_be32(at);
        if (bytes < 8 || bytes > (size_t)(end - at))
            return NULL;
        if (media_is_type(at, type)) {
            *ret_end = at + bytes;
            return at;
        }
        at += bytes;
    }
    return NULL;
}

/* Decode time of the track's first sample in this moof; false when it has none. */
static bool moof_time(const uint8_t *moof, const uint8_t *end, uint32_t track, int64_t *ret_time)
{
    const uint8_t *traf_end = NULL;
    for (const uint8_t *at = moof + 8, *traf = NULL; (traf = child(at, end, "traf", &traf_end));
         at = traf_end) {
        const uint8_t *tfhd_end = NULL;
        const uint8_t *tfdt_end = NULL;
        const uint8_t *tfhd = child(traf + 8, traf_end, "tfhd", &tfhd_end);
        const uint8_t *tfdt = child(traf + 8, traf_end, "tfdt", &tfdt_end);
        if (!tfhd || tfhd_end - tfhd < 16 || media_be32(tfhd + 12) != track || !tfdt)
            continue;
        bool wide = tfdt[8] == 1;
        if (tfdt_end - tfdt < (wide ? 20 : 16))
            return false;
        uint64_t time = wide ? media_be64(tfdt + 12) : media_be32(tfdt + 12);
        if (time > INT64_MAX / 4)
            return false;
        *ret_time = (int64_t)time;
        return true;
    }
    return false;
}

/* Where the data after the moof ends: the place of the next fragment. */
static int data_end(struct media_boxes *boxes, int64_t at, int64_t *ret_end, struct okno_err *err)
{
    for (int i = 0; i < 8 && at < boxes->source->size; i++) {
        const uint8_t *box = NULL;
        size_t len = 0;
        int rc = look_at(boxes, at, 16, 64, &box, &len, err);
        if (rc < 0)
            return rc;
        int64_t end = box_end(box, len, at, boxes->source->size);
        if (end == 0)
            break; /* cut off: it reaches to the end of the file */
        bool data = media_is_type(box, "mdat");
        at = end;
        if (data) {
            *ret_end = at;
            return 0;
        }
    }
    *ret_end = boxes->source->size;
    return 0;
}

/* Read the fragment at `at`. 1; 0 when there is none, or none of the video. */
static int fragment_read(struct media_boxes *boxes, int64_t at, struct media_fragment *ret_fragment,
                         struct okno_err *err)
{
    const uint8_t *box = NULL;
    size_t len = 0;
    int rc = look_at(boxes, at, 16, MOOF_BYTES, &box, &len, err);
    int64_t end = rc == 0 ? box_end(box, len, at, boxes->source->size) : 0;
    if (rc < 0 || end == 0 || !media_is_type(box, "moof") || end - at > MOOF_MAX)
        return rc;
    rc = look_at(boxes, at, (size_t)(end - at), (size_t)(end - at) + 16, &box, &len, err);
    if (rc < 0 || (int64_t)len < end - at)
        return rc;
    struct media_fragment fragment = {.at = at};
    bool ours = moof_time(box, box + (end - at), boxes->track, &fragment.time);
    rc = data_end(boxes, end, &fragment.end, err);
    if (rc < 0)
        return rc;
    *ret_fragment = fragment;
    return ours;
}

/* --- what is known --- */

static size_t place_of(const struct media_boxes *boxes, int64_t at)
{
    size_t low = 0;
    size_t high = boxes->known.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (boxes->known.items[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int remember(struct media_boxes *boxes, const struct media_fragment *fragment,
                    struct okno_err *err)
{
    size_t i = place_of(boxes, fragment->at);
    struct media_fragment_vec *known = &boxes->known;
    if (i < known->len && known->items[i].at == fragment->at) {
        known->items[i] = *fragment;
        return 0;
    }
    if (known->len >= KNOWN_MAX || media_fragment_vec_push(known, *fragment) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for an index");
    memmove(known->items + i + 1, known->items + i, (known->len - 1 - i) * sizeof(*fragment));
    known->items[i] = *fragment;
    return 0;
}

/* A sidx tells where its fragments begin, and when; each is looked at before it is believed. */
static int read_sidx(struct media_boxes *boxes, int64_t first_time, struct okno_err *err)
{
    const uint8_t *box = NULL;
    size_t len = 0;
    int64_t bytes = boxes->sidx_end - boxes->sidx_at;
    if (bytes < 32 || bytes > BUFFER_BYTES)
        return 0;
    int rc = look_at(boxes, boxes->sidx_at, (size_t)bytes, (size_t)bytes, &box, &len, err);
    if (rc < 0 || (int64_t)len < bytes)
        return rc;
    size_t at = box[8] == 0 ? 28 : 36; /* behind times and offsets */
    if (media_be32(box + 12) != boxes->track || (int64_t)at + 4 > bytes)
        return 0;
    uint64_t skip = box[8] == 0 ? media_be32(box + 24) : media_be64(box + 28);
    uint32_t count = media_be32(box + at) & 0xffff;
    int64_t place = boxes->sidx_end;
    int64_t time = first_time;
    if (skip > (uint64_t)boxes->source->size)
        return 0;
    place += (int64_t)skip;
    at += 4;
    for (uint32_t i = 0; rc == 0 && i < count && at + 12 <= (size_t)bytes; i++, at += 12) {
        if (media_be32(box + at) & 0x80000000 || place >= boxes->source->size)
            return 0; /* leads to another sidx, or nowhere */
        if (i > 0 && place > boxes->known.items[0].at)
            rc = remember(boxes, &(struct media_fragment){.at = place, .time = time}, err);
        place += media_be32(box + at) & 0x7fffffff;
        time += media_be32(box + at + 4);
    }
    return rc;
}

static int know_first(struct media_boxes *boxes, struct okno_err *err)
{
    struct media_fragment first = {0};
    int64_t at = boxes->first_at;
    int rc = 0;
    if (boxes->known.len > 0)
        return 1;
    for (int i = 0; rc == 0 && i < WALK && at < boxes->source->size; i++) {
        rc = fragment_read(boxes, at, &first, err);
        at = rc == 0 && first.end > at ? first.end : boxes->source->size;
    }
    if (rc <= 0)
        return rc;
    rc = remember(boxes, &first, err);
    if (rc == 0 && boxes->sidx_end)
        rc = read_sidx(boxes, first.time, err);
    return rc < 0 ? rc : 1;
}

int media_boxes_first(struct media_boxes *boxes, struct media_fragment *ret_fragment,
                      struct okno_err *err)
{
    int rc = boxes->first_at ? know_first(boxes, err) : 0;
    if (rc > 0)
        *ret_fragment = boxes->known.items[0];
    return rc;
}

/* --- the search --- */

/* The next fragment that begins in [from, to). 1 or 0. Where it is longer than those known so far,
 * each look takes in twice as much as the one before. */
static int scan(struct media_boxes *boxes, int64_t from, int64_t to, size_t step, int *probes,
                struct media_fragment *ret_fragment, struct okno_err *err)
{
    for (int64_t at = from; at < to && (*probes)-- > 0;) {
        const uint8_t *bytes = NULL;
        size_t len = 0;
        int64_t left = boxes->source->size - at;
        size_t want = left < (int64_t)step ? (size_t)left : step;
        int rc = look_at(boxes, at, want, want, &bytes, &len, err);
        if (rc < 0)
            return rc;
        /* A moof begins with its mfhd of 16 bytes. */
        for (size_t i = 0; i + 16 <= len && at + (int64_t)i < to; i++) {
            static const uint8_t mark[] = {'m', 'o', 'o', 'f', 0, 0, 0, 16, 'm', 'f', 'h', 'd'};
            const uint8_t *found = memchr(bytes + i + 4, 'm', len - i - 15);
            if (!found)
                break;
            i = (size_t)(found - bytes) - 4;
            if (at + (int64_t)i >= to)
                return 0;
            if (memcmp(found, mark, sizeof(mark)) != 0)
                continue;
            if ((*probes)-- <= 0) /* one that is none costs as much as a look elsewhere */
                return 0;
            rc = fragment_read(boxes, at + (int64_t)i, ret_fragment, err);
            if (rc != 0)
                return rc;
            rc = look_at(boxes, at, want, want, &bytes, &len, err); /* it may have read elsewhere */
            if (rc < 0)
                return rc;
        }
        at += (int64_t)len > 16 ? (int64_t)len - 15 : (int64_t)len;
        if (left <= (int64_t)step)
            break;
        step = step < BUFFER_BYTES / 2 ? 2 * step : BUFFER_BYTES;
    }
    return 0;
}

/* What is known around a time: `low` begins at or before it; `high` behind it, or the file's end.
 */
struct bracket {
    struct media_fragment low, high;
    bool timed;            /* high.time is known */
    double before, behind; /* bytes a tick next to them, on their other sides; 0: not known */
};

static double rate_of(const struct media_fragment *a, const struct media_fragment *b)
{
    return b->time > a->time ? (double)(b->at - a->at) / (double)(b->time - a->time) : 0;
}

static struct bracket bracket_of(const struct media_boxes *boxes, int64_t time, int64_t high_at)
{
    const struct media_fragment_vec *known = &boxes->known;
    struct bracket bracket = {.low = known->items[0], .high = {.at = high_at}};
    for (size_t i = 0; i < known->len; i++) {
        if (known->items[i].time <= time) {
            bracket.low = known->items[i];
            bracket.before = i > 0 ? rate_of(&known->items[i - 1], &known->items[i]) : 0;
        } else if (i > 0) {
            if (known->items[i].at <= high_at) {
                bracket.high = known->items[i];
                bracket.timed = true;
                if (i + 1 < known->len)
                    bracket.behind = rate_of(&known->items[i], &known->items[i + 1]);
            }
            break;
        }
    }
    return bracket;
}

/* A search under way. */
struct search {
    int64_t time, high_at; /* no fragment of interest begins there or behind */
    int probes;            /* reads that are left */
    int same;              /* steps in a row that moved the same end */
    int walks;             /* steps to the very next fragment, since the last halving */
    bool moved_low;
};

/* Where a fragment of this time should lie: on the line between what is known around it. Where that
 * moved the same end twice, the rate changes in between: as it is at that end, then. */
static int64_t guess(const struct media_boxes *boxes, const struct bracket *bracket,
                     const struct search *search)
{
    const struct media_fragment *low = &bracket->low;
    const struct media_fragment *high = &bracket->high;
    int64_t length = low->end - low->at;
    double ticks = (double)(search->time - low->time);
    double rate = bracket->timed ? rate_of(low, high) : rate_of(&boxes->known.items[0], low);
    if (rate <= 0)
        return low->end;
    double off = rate * ticks - (double)length / 2;
    if (search->same > 1 && search->moved_low && bracket->before > 0)
        off = bracket->before * ticks - (double)length / 2;
    else if (search->same > 1 && !search->moved_low && bracket->behind > 0)
        off = (double)(high->at - low->at) -
              bracket->behind * ((double)(high->time - search->time) * 1.125);
    /* Not past the place where the last fragment before `high` should begin. */
    int64_t most = high->at - low->at - length - length / 2;
    if (off > (double)most)
        return low->at + most;
    return off > 0 ? low->at + (int64_t)off : low->end;
}

/* Interpolation that keeps moving one end does not converge: halve then. */
static void moved(struct search *search, bool low)
{
    search->same = search->moved_low == low ? search->same + 1 : 1;
    search->moved_low = low;
}

/* One step: 1 when `low` is the one, else 0. */
static int narrow(struct media_boxes *boxes, struct search *search, struct okno_err *err)
{
    int64_t time = search->time;
    int64_t *high_at = &search->high_at;
    struct bracket bracket = bracket_of(boxes, time, *high_at);
    struct media_fragment *low = &bracket.low;
    struct media_fragment found = {0};
    search->probes--;
    if (low->end == 0) { /* from a sidx: what follows is what was asked for */
        int64_t to = low->at + media_boxes_guess(boxes, time, boxes->until);
        if (boxes->source->plan && to <= boxes->source->size)
            boxes->source->plan(boxes->source->ctx, low->at, to);
        int rc = fragment_read(boxes, low->at, &found, err);
        if (rc > 0 && found.time <= time)
            return (rc = remember(boxes, &found, err)) < 0 ? rc : bracket.timed;
        boxes->known.len = 1; /* the sidx is wrong: go without */
        return rc < 0 ? rc : 0;
    }
    if (low->end >= bracket.high.at)
        return 1;
    int64_t span = bracket.high.at - low->end;
    int64_t at = guess(boxes, &bracket, search);
    if (search->same > WALK || search->walks >= WALK) {
        at = low->end + span / 2;
        search->same = search->walks = 0;
    }
    bool near = at <= low->end + WALK * (low->end - low->at);
    search->walks += near;
    int rc = 0;
    if (near) {
        rc = fragment_read(boxes, low->end, &found, err);
        if (rc == 0 && found.end <= low->end) { /* no fragment: the end, or rubbish */
            *high_at = low->end;
            return 1;
        }
        if (rc == 0) { /* of other tracks */
            low->end = found.end;
            return remember(boxes, low, err);
        }
    } else {
        /* It is half a length away, if all are alike. */
        int64_t step = (low->end - low->at) / 8 * 5;
        step = step < SCAN_BYTES ? SCAN_BYTES : step > BUFFER_BYTES ? BUFFER_BYTES : step;
        rc = scan(boxes, at, bracket.high.at, (size_t)step, &search->probes, &found, err);
        if (rc == 0)
            *high_at = at;
    }
    moved(search, rc > 0 && found.time <= time);
    return rc <= 0 ? rc : remember(boxes, &found, err);
}

int media_boxes_find(struct media_boxes *boxes, int64_t time, struct media_fragment *ret_fragment,
                     struct okno_err *err)
{
    struct search search = {.time = time, .high_at = boxes->source->size, .probes = PROBES};
    int rc = boxes->first_at ? know_first(boxes, err) : 0;
    if (rc <= 0)
        return rc;
    rc = 0;
    while (rc == 0 && search.probes > 0)
        rc = narrow(boxes, &search, err);
    if (rc < 0)
        return rc;
    *ret_fragment = bracket_of(boxes, time, search.high_at).low;
    return 1;
}

int64_t media_boxes_guess(const struct media_boxes *boxes, int64_t from, int64_t to)
{
    const struct media_fragment_vec *known = &boxes->known;
    struct bracket a = bracket_of(boxes, from, boxes->source->size);
    struct bracket b = bracket_of(boxes, to, boxes->source->size);
    if (b.low.end == 0 && b.high.at > a.low.at) /* a sidx knows */
        return b.high.at - a.low.at;
    const struct media_fragment *last = &known->items[known->len - 1];
    const struct media_fragment *first = &known->items[0];
    double rate = rate_of(first, last);
    double here = a.timed ? rate_of(&a.low, &a.high) : 0; /* of one fragment, mostly */
    if (rate <= 0 || to <= from)
        return 1;
    double bytes = (rate > here ? rate : here) * (double)(to - a.low.time);
    return bytes > 1 && bytes < 1e12 ? (int64_t)bytes : 1;
}

#define _POSIX_C_SOURCE 200809L
#include "playlist.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX_BYTES = 32 * 1024 * 1024, SEGMENTS_MAX = 200000, MAPS_MAX = 10000, URI_MAX = 2000 };

#define LONGEST_US (INT64_C(3600) * OKNO_SECOND_US)
/* 16 TiB: the sum of as many as there may be stays a number. */
#define RANGE_MAX (INT64_C(1) << 44)
/* Times that disagree by more than that with the lengths before them tell of a hole. */
#define JUMP_US (OKNO_SECOND_US / 2)

/* What the tags said that the next segment is to have. */
struct reading {
    struct playlist *list;
    const struct okno_zone *zone;
    size_t line;
    bool master, has_variant, media;
    int64_t sequence, rate; /* next; of the best variant */
    int64_t length_us, rounding_us;
    int64_t time_us, time_error_us; /* PROGRAM-DATE-TIME of the next one; -1 */
    bool has_length, gap, breaks;
    struct playlist_part range; /* of the next one; uri NULL: none */
    int64_t next_offset;        /* where a range without offset begins */
    const char *range_uri;
    int map;
    /* Along the segments. */
    int64_t at_us, after_us, error_us; /* end of the last one; at_us -1: not dated yet */
};

void playlist_free(struct playlist *playlist)
{
    free(playlist->text);
    playlist_segment_vec_free(&playlist->segments);
    playlist_part_vec_free(&playlist->maps);
    *playlist = (struct playlist){0};
}

static int fail_line(const struct reading *r, const char *what, struct okno_err *err)
{
    return okno_fail(err, OKNO_PROTOCOL, "line %zu of the playlist: %s", r->line, what);
}

static const char *value_of(const char *line, const char *tag)
{
    size_t len = strlen(tag);
    return strncmp(line, tag, len) == 0 ? line + len : NULL;
}

/* Seconds with a fraction into microseconds, and what their last digit is worth. */
static bool read_seconds(const char *text, int64_t *ret_us, int64_t *ret_step_us)
{
    int64_t us = 0;
    int64_t step = OKNO_SECOND_US;
    if (!isdigit((unsigned char)*text))
        return false;
    for (; isdigit((unsigned char)*text); text++) {
        us = us * 10 + (*text - '0') * OKNO_SECOND_US;
        if (us > LONGEST_US)
            return false;
    }
    if (*text == '.')
        for (text++; isdigit((unsigned char)*text); text++)
            if (step > 1) {
                step /= 10;
                us += (*text - '0') * step;
            }
    *ret_us = us;
    *ret_step_us = step;
    return *text == '\0' || *text == ',' || isspace((unsigned char)*text);
}

/* How exact the text of a time is: by the digits of its fraction. */
static int64_t resolution_of(const char *text)
{
    const char *dot = strchr(text, '.');
    int64_t step = OKNO_SECOND_US;
    for (const char *at = dot ? dot + 1 : ""; isdigit((unsigned char)*at) && step > 1; at++)
        step /= 10;
    return step;
}

/* With Z, +hh:mm, +hhmm, +hh, or in the archive's zone without any. */
static int read_time(struct reading *r, const char *text, struct okno_err *err)
{
    int64_t instants[2] = {0};
    int count = 0;
    struct okno_err why = {0};
    r->time_error_us = resolution_of(text);
    if (okno_time_parse(text, &r->time_us, &why) == 0)
        return 0;
    char with_zone[64];
    int64_t local_us = 0;
    struct okno_civil civil;
    (void)snprintf(with_zone, sizeof(with_zone), "%.40sZ", text);
    if (okno_time_parse(with_zone, &local_us, NULL) < 0)
        return fail_line(r, why.text, err);
    okno_time_to_civil(local_us, &civil);
    okno_zone_to_utc(r->zone, &civil, instants, &count);
    /* The doubled hour of autumn: what goes on from the segment before is meant. */
    int64_t off = r->at_us < 0 ? 0 : llabs(instants[0] - r->at_us);
    int64_t off2 = r->at_us < 0 ? 1 : llabs(instants[1] - r->at_us);
    r->time_us = count == 2 && off2 < off ? instants[1] : instants[0];
    if (count == 2 && r->at_us < 0)
        r->time_error_us += instants[1] - instants[0];
    return 0;
}

/* "LEN" or "LEN@OFFSET". */
static int read_range(struct reading *r, const char *text, struct playlist_part *part,
                      bool *ret_placed, struct okno_err *err)
{
    char *end = NULL;
    long long len = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : -1;
    long long offset = 0;
    bool placed = len > 0 && *end == '@';
    if (placed) {
        const char *at = end + 1;
        offset = isdigit((unsigned char)*at) ? strtoll(at, &end, 10) : -1;
    }
    if (len <= 0 || offset < 0 || len > RANGE_MAX || offset > RANGE_MAX)
        return fail_line(r, "not a range of bytes", err);
    part->len = len;
    part->offset = offset;
    *ret_placed = placed;
    return 0;
}

/* An attribute of a list like URI="a",BANDWIDTH=1, unquoted in place; NULL when it is not there. */
static char *attribute(char *list, const char *name)
{
    size_t name_len = strlen(name);
    for (char *at = list; *at;) {
        char *equals = strchr(at, '=');
        if (!equals)
            return NULL;
        char *value = equals + 1;
        bool quoted = *value == '"';
        char *stop = quoted ? strchr(value + 1, '"') : value + strcspn(value, ",");
        if (!stop)
            return NULL;
        bool found = (size_t)(equals - at) == name_len && strncmp(at, name, name_len) == 0;
        char *next = stop + quoted;
        if (found) {
            *stop = '\0';
            return value + quoted;
        }
        at = *next == ',' ? next + 1 : next + strlen(next);
    }
    return NULL;
}

static int take_map(struct reading *r, char *list, struct okno_err *err)
{
    /* Unquoting cuts the list: the range first, on a copy. */
    okno_autofree char *copy = strdup(list);
    const char *range = copy ? attribute(copy, "BYTERANGE") : NULL;
    struct playlist_part map = {.len = -1};
    bool placed = true;
    int rc = range ? read_range(r, range, &map, &placed, err) : 0;
    map.uri = attribute(list, "URI");
    if (rc < 0)
        return rc;
    if (!copy || !map.uri || strlen(map.uri) > URI_MAX)
        return fail_line(r, "a map without a URI", err);
    if (r->list->maps.len == MAPS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d maps in the playlist", MAPS_MAX);
    if (playlist_part_vec_push(&r->list->maps, map) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a playlist");
    r->map = (int)r->list->maps.len - 1;
    return 0;
}

static int take_key(const struct reading *r, char *list, struct okno_err *err)
{
    const char *method = attribute(list, "METHOD");
    if (method && strcmp(method, "NONE") == 0)
        return 0;
    return okno_fail(err, OKNO_UNSUPPORTED,
                     "line %zu of the playlist: its segments are encrypted (%.20s)", r->line,
                     method ? method : "no method");
}

static int take_length(struct reading *r, const char *text, struct okno_err *err)
{
    if (!read_seconds(text, &r->length_us, &r->rounding_us))
        return fail_line(r, "not a segment's length from 0 to 3600 s", err);
    r->has_length = true;
    r->media = true;
    return 0;
}

static int take_sequence(struct reading *r, const char *text, struct okno_err *err)
{
    char *end = NULL;
    r->sequence = isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : -1;
    return r->sequence < 0 || r->sequence > INT64_MAX / 2 || *end
               ? fail_line(r, "not a number of a segment", err)
               : 0;
}

static int take_segment_range(struct reading *r, const char *text, struct okno_err *err)
{
    bool placed = false;
    int rc = read_range(r, text, &r->range, &placed, err);
    r->range.uri = ""; /* there is one */
    if (rc == 0 && !placed)
        r->range.offset = -1;
    return rc;
}

static int take_tag(struct reading *r, char *line, struct okno_err *err)
{
    const char *value = NULL;
    if ((value = value_of(line, "#EXTINF:")))
        return take_length(r, value, err);
    if ((value = value_of(line, "#EXT-X-PROGRAM-DATE-TIME:")))
        return read_time(r, value, err);
    if ((value = value_of(line, "#EXT-X-BYTERANGE:")))
        return take_segment_range(r, value, err);
    if ((value = value_of(line, "#EXT-X-MEDIA-SEQUENCE:")))
        return take_sequence(r, value, err);
    if (value_of(line, "#EXT-X-MAP:"))
        return take_map(r, line + 11, err);
    if (value_of(line, "#EXT-X-KEY:"))
        return take_key(r, line + 11, err);
    if (strcmp(line, "#EXT-X-DISCONTINUITY") == 0)
        r->breaks = true;
    else if (strcmp(line, "#EXT-X-GAP") == 0)
        r->gap = true;
    else if (strcmp(line, "#EXT-X-ENDLIST") == 0)
        r->list->ended = true;
    else if (value_of(line, "#EXT-X-STREAM-INF:")) {
        const char *rate = attribute(line + 18, "BANDWIDTH");
        int64_t bits = rate ? strtoll(rate, NULL, 10) : 0;
        r->master = true;
        r->has_variant = !r->list->variant || bits > r->rate;
        r->rate = r->has_variant ? bits : r->rate;
    }
    return 0;
}

/* Where and when this segment is, from its own tags or from the one before. */
static void place_segment(struct reading *r, struct playlist_segment *s)
{
    bool dated = r->time_us >= 0;
    bool jumps = dated && r->at_us >= 0 &&
                 llabs(r->time_us - r->at_us) > JUMP_US + r->error_us + r->time_error_us;
    s->from_us = dated ? r->time_us : r->at_us;
    s->error_us = dated ? r->time_error_us : r->error_us;
    s->breaks = r->breaks || jumps || s->gap;
    r->list->dated |= dated;
    r->at_us = s->from_us < 0 ? -1 : s->from_us + s->length_us;
    r->error_us = s->error_us + r->rounding_us / 2 + 1;
    r->after_us += s->length_us;
}

static int take_range(struct reading *r, const char *uri, struct playlist_part *part,
                      struct okno_err *err)
{
    if (!r->range.uri)
        return 0;
    bool goes_on = r->range_uri && strcmp(r->range_uri, uri) == 0;
    if (r->range.offset < 0 && !goes_on)
        return fail_line(r, "a range without a beginning", err);
    part->offset = r->range.offset < 0 ? r->next_offset : r->range.offset;
    part->len = r->range.len;
    r->next_offset = part->offset + part->len;
    r->range_uri = uri;
    return 0;
}

static int take_segment(struct reading *r, const char *uri, struct okno_err *err)
{
    struct playlist_segment s = {.part = {.uri = uri, .len = -1},
                                 .sequence = r->sequence,
                                 .after_us = r->after_us,
                                 .length_us = r->length_us,
                                 .map = r->map,
                                 .gap = r->gap};
    if (!r->has_length)
        return fail_line(r, "a segment without its length", err);
    if (strlen(uri) > URI_MAX)
        return fail_line(r, "a URI that is too long", err);
    if (r->list->segments.len == SEGMENTS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d segments in the playlist",
                         SEGMENTS_MAX);
    int rc = take_range(r, uri, &s.part, err);
    if (rc < 0)
        return rc;
    place_segment(r, &s);
    if (playlist_segment_vec_push(&r->list->segments, s) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a playlist");
    r->breaks = s.gap; /* nor does what follows a gap go on from before it */
    r->sequence++;
    r->has_length = r->gap = false;
    r->time_us = -1;
    r->range.uri = NULL;
    return 0;
}

static int take_line(struct reading *r, char *line, struct okno_err *err)
{
    line += strspn(line, " \t");
    line[strcspn(line, "\r")] = '\0';
    for (size_t end = strlen(line); end && isspace((unsigned char)line[end - 1]);)
        line[--end] = '\0';
    if (!line[0])
        return 0;
    if (line[0] == '#')
        return take_tag(r, line, err);
    if (r->master) {
        if (r->has_variant && strlen(line) <= URI_MAX)
            r->list->variant = line;
        r->has_variant = false;
        return 0;
    }
    return take_segment(r, line, err);
}

/* Segments before the first time: back from it. */
static void date_backwards(struct playlist *list)
{
    size_t first = 0;
    while (first < list->segments.len && list->segments.items[first].from_us < 0)
        first++;
    for (size_t i = first; first < list->segments.len && i > 0; i--) {
        const struct playlist_segment *next = &list->segments.items[i];
        struct playlist_segment *s = &list->segments.items[i - 1];
        s->from_us = next->from_us - s->length_us;
        s->error_us = next->error_us + OKNO_MS_US;
    }
}

static int read_lines(struct reading *r, struct okno_err *err)
{
    char *at = r->list->text;
    int rc = 0;
    while (rc == 0 && at) {
        char *next = strchr(at, '\n');
        if (next)
            *next++ = '\0';
        r->line++;
        rc = take_line(r, at, err);
        at = next;
    }
    if (rc == 0 && r->master && !r->list->variant)
        rc = okno_fail(err, OKNO_PROTOCOL, "the playlist lists streams and names none");
    return rc;
}

int playlist_parse(const char *text, size_t len, const struct okno_zone *zone,
                   struct playlist *ret_playlist, struct okno_err *err)
{
    PLAYLIST_AUTO list = {0};
    struct reading r = {.list = &list, .zone = zone, .time_us = -1, .at_us = -1, .map = -1};
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (len > TEXT_MAX_BYTES)
        return okno_fail(err, OKNO_TOO_LARGE, "a playlist of more than %d bytes", TEXT_MAX_BYTES);
    if (len < 7 || memcmp(text, "#EXTM3U", 7) != 0 || memchr(text, '\0', len))
        return okno_fail(
            err, OKNO_PROTOCOL,
            "the answer is no playlist (it does not begin with #EXTM3U); a login page, "
            "perhaps");
    list.text = strndup(text, len);
    if (!list.text)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a playlist");
    int rc = read_lines(&r, err);
    if (rc < 0)
        return rc;
    date_backwards(&list);
    *ret_playlist = list;
    list = (struct playlist){0};
    return 0;
}

void playlist_date(struct playlist *playlist, int64_t from_us, int64_t error_us)
{
    for (size_t i = 0; !playlist->dated && i < playlist->segments.len; i++) {
        struct playlist_segment *s = &playlist->segments.items[i];
        s->from_us = from_us + s->after_us;
        s->error_us = error_us + (int64_t)i * OKNO_MS_US;
    }
    playlist->dated = true;
}

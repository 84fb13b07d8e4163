/* What a recorder answers, JSON or XML, as rows and stretches. */
#define _POSIX_C_SOURCE 200809L
#include "profile.h"

#include "xml.h"

#include "okno/time.h"

#include <math.h>
#include <string.h>

enum { ROWS_MAX = 200 * 1000, MEMBERS_MAX = 10 * ROWS_MAX };

static int fail_shape(const char *what, struct okno_err *err)
{
    return okno_fail(err, OKNO_PROTOCOL, "the list of recordings has another shape: %s", what);
}

/* A path of members and indexes, dots between them. */
static const json_t *walk(const json_t *at, const char *path)
{
    while (at && *path) {
        char name[PROFILE_WORD];
        size_t len = strcspn(path, ".");
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
        at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10))
                               : json_object_get(at, name);
        path += len + (path[len] == '.');
    }
    return at;
}

const char *profile_text_at(const json_t *answer, const char *path)
{
    return json_string_value(walk(answer, path));
}

/* A number, or text that is one, in microseconds: within ten thousand years, so that sums of them
 * hold. */
static bool number_of(const json_t *value, double unit, int64_t *ret_us)
{
    char *end = NULL;
    const char *text = json_string_value(value);
    double us = (text ? strtod(text, &end) : json_number_value(value)) * unit;
    if (!(json_is_number(value) || (text && *text && *end == '\0')) || !isfinite(us) ||
        fabs(us) > 4e17)
        return false;
    *ret_us = llround(us);
    return true;
}

static int read_text_time(const char *format, const struct okno_zone *zone, const char *text,
                          int64_t *ret_us, struct okno_err *err)
{
    struct okno_scanned_time time = {0};
    int64_t us[2];
    int count = 0;
    if (okno_time_parse(text, ret_us, NULL) == 0)
        return 0;
    int rc = okno_time_scan(format, text, &time, err);
    if (rc < 0)
        return okno_fail(err, OKNO_PROTOCOL, "the list of recordings tells a time as \"%.40s\"",
                         text);
    if (time.has_offset) {
        *ret_us = okno_time_from_civil(&time.civil) - time.offset_us;
        return 0;
    }
    okno_zone_to_utc(zone, &time.civil, us, &count);
    *ret_us = us[0];
    return 0;
}

static int read_time(const struct profile_times *times, const struct okno_zone *zone,
                     const json_t *value, int64_t *ret_us, struct okno_err *err)
{
    static const struct {
        const char *word;
        double unit;
    } numbers[] = {{"unix", 1e6},
                   {"unix_s", 1e6},
                   {"unix_ms", 1e3},
                   {"unix_us", 1},
                   {"unix_90k", 1e6 / 90000}};
    const char *text = json_string_value(value);
    for (size_t i = 0; i < OKNO_COUNT(numbers); i++)
        if (strcmp(times->format, numbers[i].word) == 0)
            return number_of(value, numbers[i].unit, ret_us)
                       ? 0
                       : fail_shape("a time that is no number", err);
    if (!text)
        return fail_shape("a time that is no text", err);
    bool rfc = strcmp(times->format, "rfc3339") == 0;
    return read_text_time(rfc ? "%Y-%m-%dT%H:%M:%S" : times->format, zone, text, ret_us, err);
}

/* A stretch still being recorded has no end, or a length of -1. */
static int read_row(const struct profile *profile, const json_t *row,
                    const struct profile_values *values, struct okno_span *ret_span,
                    struct okno_err *err)
{
    struct okno_span span = {0};
    int64_t length = 0;
    bool ms = strstr(profile->row_length, "Ms") || strstr(profile->row_length, "_ms");
    const json_t *to = walk(row, profile->to[0] ? profile->to : profile->row_length);
    const char *end = json_string_value(to);
    int rc =
        read_time(&profile->row_times, values->zone, walk(row, profile->from), &span.from_us, err);
    if (rc < 0)
        return rc;
    bool open = !to || json_is_null(to) || (end && !end[0]);
    if (!open && profile->to[0])
        rc = read_time(&profile->row_times, values->zone, to, &span.to_us, err);
    else if (!open && !number_of(to, ms ? 1e3 : 1e6, &length))
        rc = fail_shape("a length that is no number", err);
    open = open || length < 0;
    if (!profile->to[0] && !open)
        span.to_us = span.from_us + length;
    if (open) {
        span.to_us = values->to_us;
        span.flags = OKNO_SPAN_GROWING;
    }
    *ret_span = span;
    return rc;
}

static int by_time(const void *a, const void *b)
{
    const struct profile_row *x = a;
    const struct profile_row *y = b;
    return (x->span.from_us > y->span.from_us) - (x->span.from_us < y->span.from_us);
}

/* "{},{}," of 64 MiB takes gigabytes. */
static bool is_readable(const char *json, size_t len)
{
    struct okno_json_weight weight = {0};
    okno_json_weigh(json, len, &weight);
    return weight.containers <= (size_t)2 * ROWS_MAX && weight.values <= MEMBERS_MAX;
}

static int read_json(const char *text, size_t len, json_t **ret_root, struct okno_err *err)
{
    if (!is_readable(text, len))
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d recordings in one list", ROWS_MAX);
    json_t *root = json_loadb(text, len, 0, NULL);
    if (!root)
        return okno_fail(err, OKNO_PROTOCOL, "the list of recordings is no JSON");
    *ret_root = root;
    return 0;
}

/* Whether the open elements are those of "a.b.c", all of them or all but the last. */
static bool stands_at(const struct xml *xml, const char *path, bool parent)
{
    char open[XML_DEPTH * XML_NAME] = "";
    size_t used = 0;
    for (int i = 0; i < xml->depth && used < sizeof(open); i++)
        used +=
            (size_t)snprintf(open + used, sizeof(open) - used, "%s%s", i ? "." : "", xml->path[i]);
    const char *last = strrchr(path, '.');
    size_t len = parent && last ? (size_t)(last - path) : strlen(path);
    return strlen(open) == len && strncmp(open, path, len) == 0;
}

/* An element's attributes as members of an object. */
static json_t *attributes_of(const struct xml *xml)
{
    char name[XML_NAME];
    char value[XML_TEXT];
    json_t *object = json_object();
    for (const char *at = xml->attributes;
         object && xml_attribute_next(&at, name, sizeof(name), value, sizeof(value));)
        (void)json_object_set_new(object, name, json_string(value));
    return object;
}

/* The rows of an XML answer as an array of objects: attributes, and the texts of their children. */
static int read_xml(const struct profile *profile, const char *text, size_t len, json_t **ret_root,
                    struct okno_err *err)
{
    struct xml xml;
    okno_autojson json_t *rows = json_array();
    json_t *row = NULL; /* the array's */
    bool list = false;
    int depth = 0;
    xml_begin(&xml, text, len);
    for (enum xml_kind kind; (kind = xml_next(&xml)) != XML_END;) {
        if (kind == XML_BROKEN || !rows)
            return okno_fail(err, OKNO_PROTOCOL, "the list of recordings is no XML");
        list = list || (kind == XML_OPEN && stands_at(&xml, profile->rows, true));
        if (kind == XML_OPEN && stands_at(&xml, profile->rows, false)) {
            if (json_array_size(rows) == ROWS_MAX)
                return okno_fail(err, OKNO_TOO_LARGE, "more than %d recordings in one list",
                                 ROWS_MAX);
            depth = xml.depth;
            row = attributes_of(&xml);
            if (json_array_append_new(rows, row) < 0)
                return okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
        }
        if (kind == XML_CLOSE && row && xml.depth == depth && xml.text[0])
            (void)json_object_set_new(row, xml.path[depth], json_string(xml.text));
        row = xml.depth < depth ? NULL : row;
    }
    if (!list)
        return fail_shape("another document", err);
    *ret_root = okno_mem_take(&rows);
    return 0;
}

static bool is_channel(const struct profile *profile, const json_t *row, const char *channel)
{
    char scratch[80];
    const char *name = profile->row_channel;
    const char *value = name[0] ? profile_member(row, name, strlen(name), scratch) : channel;
    return value && strcmp(value, channel) == 0;
}

int profile_rows(const struct profile *profile, const char *text, size_t len,
                 const struct profile_values *values, json_t **ret_root,
                 struct profile_row_vec *rows, struct okno_err *err)
{
    bool xml = strcmp(profile->answer, "xml") == 0;
    size_t before = rows->len;
    okno_autojson json_t *root = NULL;
    int rc = xml ? read_xml(profile, text, len, &root, err) : read_json(text, len, &root, err);
    if (rc < 0)
        return rc;
    const json_t *list = xml ? root : walk(root, profile->rows);
    if (!json_is_array(list) && list && !json_is_null(list))
        return fail_shape("no array of rows", err);
    if (json_array_size(list) > ROWS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d recordings in one list", ROWS_MAX);
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        struct profile_row row = {.row = json_array_get(list, i)};
        if (!is_channel(profile, row.row, values->channel))
            continue;
        rc = read_row(profile, row.row, values, &row.span, err);
        if (rc == 0 && row.span.from_us < values->to_us && row.span.to_us > values->from_us &&
            row.span.from_us < row.span.to_us && profile_row_vec_push(rows, row) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    if (rc < 0) {
        rows->len = before;
        return rc;
    }
    if (rows->len > before)
        qsort(rows->items + before, rows->len - before, sizeof(*rows->items), by_time);
    *ret_root = okno_mem_take(&root);
    return 0;
}

int profile_spans(const struct profile *profile, const char *text, size_t len,
                  const struct profile_values *values, struct okno_span_vec *spans,
                  struct okno_err *err)
{
    size_t before = spans->len;
    OKNO_AUTO_VEC(profile_row_vec) rows = {0};
    okno_autojson json_t *root = NULL;
    int rc = profile_rows(profile, text, len, values, &root, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.len; i++) {
        struct okno_span one = rows.items[i].span;
        struct okno_span *last = spans->len > before ? &spans->items[spans->len - 1] : NULL;
        one.from_us = one.from_us > values->from_us ? one.from_us : values->from_us;
        one.to_us = one.to_us < values->to_us ? one.to_us : values->to_us;
        if (last && one.from_us - last->to_us <= profile->join_us) {
            last->to_us = one.to_us > last->to_us ? one.to_us : last->to_us;
            last->flags |= one.flags;
        } else if (okno_span_vec_push(spans, one) < 0) {
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
        }
    }
    return rc;
}

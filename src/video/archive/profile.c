#define _POSIX_C_SOURCE 200809L
#include "profile.h"

#include "okno/json.h"
#include "okno/net.h"
#include "okno/time.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { ROWS_MAX = 200 * 1000, MEMBERS_MAX = 10 * ROWS_MAX };

/* --- reading a profile ------------------------------------------------------------------------ */

/* A member of a profile: text into `size` bytes, or a whole number. */
struct member {
    const char *name;
    size_t at, size; /* size 0: int64_t in milliseconds, kept in microseconds */
    bool needed;
};

#define TEXT(name, field, needed)                                                                  \
    {                                                                                              \
        name, offsetof(struct profile, field), sizeof(((struct profile *)0)->field), needed        \
    }
#define MS(name, field)                                                                            \
    {                                                                                              \
        name, offsetof(struct profile, field), 0, false                                            \
    }

static const struct member members[] = {
    TEXT("times", times, true),   TEXT("length", length, true),       TEXT("query", query, false),
    MS("preroll_ms", preroll_us), MS("max_window_ms", max_window_us), MS("settle_ms", settle_us),
};
static const struct member login_members[] = {TEXT("path", login, true),
                                              TEXT("body", login_body, true)};
static const struct member coverage_members[] = {
    TEXT("path", coverage, true),
    TEXT("rows", rows, false),
    TEXT("from", from, true),
    TEXT("to", to, false),
    TEXT("length", row_length, false),
    TEXT("times", row_times, false),
    MS("join_ms", join_us),
};
static const struct member clip_members[] = {TEXT("path", clip, true), TEXT("format", format, true),
                                             MS("error_ms", error_us)};

static int fail_member(const char *name, const char *what, struct okno_err *err)
{
    return okno_fail_field(err, OKNO_INVALID, "profile", "%s: %s", name, what);
}

static int member_take(const json_t *value, const struct member *member, struct profile *profile,
                       struct okno_err *err)
{
    char *at = (char *)profile + member->at;
    if (member->size == 0) {
        int64_t us = json_integer_value(value) * 1000;
        if (!json_is_integer(value) || us < 0 || us > 86400 * OKNO_SECOND_US)
            return fail_member(member->name, "milliseconds, at most a day of them", err);
        memcpy(at, &us, sizeof(us));
        return 0;
    }
    if (!json_is_string(value) || json_string_length(value) >= member->size)
        return fail_member(member->name, "a text that is not too long", err);
    memcpy(at, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

/* `others` are names that somebody else reads, NULL at the end. */
static int object_take(const json_t *object, const struct member *list, size_t count,
                       const char *const *others, struct profile *profile, struct okno_err *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    int rc = 0;
    json_object_foreach((json_t *)object, name, value)
    {
        const struct member *member = NULL;
        bool other = false;
        for (size_t i = 0; i < count; i++)
            member = strcmp(list[i].name, name) == 0 ? &list[i] : member;
        for (size_t i = 0; others[i]; i++)
            other = other || strcmp(others[i], name) == 0;
        if (!member && !other)
            return fail_member(name, "not a word of profiles", err);
        if (member && rc == 0)
            rc = member_take(value, member, profile, err);
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (list[i].needed && !json_object_get(object, list[i].name))
            rc = fail_member(list[i].name, "missing", err);
    return rc;
}

static int status_take(const json_t *object, int *ret_status, struct okno_err *err)
{
    const json_t *value = json_object_get(object, "none");
    json_int_t status = json_integer_value(value);
    if (value && (!json_is_integer(value) || status < 400 || status > 499))
        return fail_member("none", "a status from 400 to 499", err);
    *ret_status = (int)status;
    return 0;
}

static int times_check(const struct profile_times *times, const char *name, struct okno_err *err)
{
    static const char *const words[] = {"rfc3339", "unix", "unix_s", "unix_ms", "unix_us"};
    for (size_t i = 0; i < OKNO_COUNT(words); i++)
        if (strcmp(times->format, words[i]) == 0)
            return 0;
    if (strchr(times->format, '%') && okno_time_format_check(times->format, NULL) == 0)
        return 0;
    return fail_member(
        name, "rfc3339, unix, unix_s, unix_ms, unix_us, or a format with %d %m %Y...", err);
}

static int profile_check(struct profile *profile, struct okno_err *err)
{
    if (!profile->row_times.format[0])
        profile->row_times = profile->times;
    int rc = times_check(&profile->times, "times", err);
    if (rc == 0)
        rc = times_check(&profile->row_times, "coverage.times", err);
    if (rc == 0 && strcmp(profile->length, "s") != 0 && strcmp(profile->length, "ms") != 0)
        rc = fail_member("length", "s or ms", err);
    if (rc == 0 && (profile->to[0] != '\0') == (profile->row_length[0] != '\0'))
        rc = fail_member("coverage", "a row has either to or length", err);
    if (rc == 0 && (profile->coverage[0] != '/' || profile->clip[0] != '/'))
        rc = fail_member("path", "begins with a slash", err);
    if (rc == 0 && profile->login[0] && profile->login[0] != '/')
        rc = fail_member("login", "its path begins with a slash", err);
    return rc;
}

static const json_t *object_of(const json_t *root, const char *name, struct okno_err *err)
{
    const json_t *object = json_object_get(root, name);
    if (!json_is_object(object))
        (void)fail_member(name, "missing, or not an object", err);
    return json_is_object(object) ? object : NULL;
}

int profile_load(const char *json, size_t len, struct profile *ret_profile, struct okno_err *err)
{
    static const char *const top[] = {"about", "login", "coverage", "clip", NULL};
    static const char *const list[] = {"none", NULL};
    static const char *const cut[] = {"none", "time_zero_is_from", NULL};
    static const char *const nothing[] = {NULL};
    struct profile profile = {0};
    json_error_t trouble;
    okno_autojson json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &trouble);
    if (!json_is_object(root))
        return okno_fail_field(err, OKNO_INVALID, "profile", "not a JSON object (line %d: %s)",
                               root ? 1 : trouble.line, root ? "another value" : trouble.text);
    const json_t *login = json_object_get(root, "login");
    const json_t *coverage = object_of(root, "coverage", err);
    const json_t *clip = coverage ? object_of(root, "clip", err) : NULL;
    if (!clip)
        return OKNO_INVALID;
    int rc = object_take(root, members, OKNO_COUNT(members), top, &profile, err);
    if (rc == 0 && login)
        rc = object_take(login, login_members, OKNO_COUNT(login_members), nothing, &profile, err);
    if (rc == 0)
        rc = object_take(coverage, coverage_members, OKNO_COUNT(coverage_members), list, &profile,
                         err);
    if (rc == 0)
        rc = object_take(clip, clip_members, OKNO_COUNT(clip_members), cut, &profile, err);
    if (rc == 0)
        rc = status_take(coverage, &profile.coverage_none, err);
    if (rc == 0)
        rc = status_take(clip, &profile.clip_none, err);
    profile.zero = json_is_true(json_object_get(clip, "time_zero_is_from"));
    if (rc == 0)
        rc = profile_check(&profile, err);
    if (rc == 0)
        *ret_profile = profile;
    return rc;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Whole units, outwards: a beginning is rounded down, an end up. */
static int64_t units(int64_t us, int64_t unit, bool up)
{
    int64_t whole = us / unit - (us % unit < 0);
    return up && us % unit != 0 ? whole + 1 : whole;
}

int64_t profile_asked(const struct profile *profile, int64_t from_us)
{
    const char *format = profile->times.format;
    if (strcmp(format, "unix_ms") == 0 || strcmp(format, "rfc3339") == 0)
        return units(from_us, 1000, false) * 1000;
    if (strcmp(format, "unix") == 0 || strcmp(format, "unix_us") == 0)
        return from_us;
    return units(from_us, OKNO_SECOND_US, false) * OKNO_SECOND_US;
}

static void format_local(const char *format, const struct okno_zone *zone, int64_t us,
                         char ret_text[80])
{
    struct okno_civil civil;
    okno_zone_to_local(zone, us, &civil);
    struct tm tm = {.tm_year = civil.year - 1900,
                    .tm_mon = civil.month - 1,
                    .tm_mday = civil.day,
                    .tm_hour = civil.hour,
                    .tm_min = civil.minute,
                    .tm_sec = civil.second,
                    .tm_isdst = -1};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (strftime(ret_text, 80, format, &tm) == 0) /* checked when the profile was read */
        ret_text[0] = '\0';
#pragma GCC diagnostic pop
}

static void format_time(const struct profile_times *times, const struct okno_zone *zone, int64_t us,
                        bool up, char ret_text[80])
{
    const char *format = times->format;
    if (strcmp(format, "rfc3339") == 0)
        (void)snprintf(ret_text, 80, "%s", okno_time_format(us, (char[OKNO_TIME_TEXT]){0}));
    else if (strcmp(format, "unix") == 0)
        (void)snprintf(ret_text, 80, "%lld.%06lld", (long long)units(us, OKNO_SECOND_US, false),
                       (long long)(us - units(us, OKNO_SECOND_US, false) * OKNO_SECOND_US));
    else if (strcmp(format, "unix_s") == 0)
        (void)snprintf(ret_text, 80, "%lld", (long long)units(us, OKNO_SECOND_US, up));
    else if (strcmp(format, "unix_ms") == 0)
        (void)snprintf(ret_text, 80, "%lld", (long long)units(us, 1000, up));
    else if (strcmp(format, "unix_us") == 0)
        (void)snprintf(ret_text, 80, "%lld", (long long)us);
    else
        format_local(format, zone, units(us, OKNO_SECOND_US, up) * OKNO_SECOND_US, ret_text);
}

static void format_length(const struct profile *profile, int64_t from_us, int64_t to_us,
                          char ret_text[80])
{
    bool seconds = strcmp(profile->length, "s") == 0;
    bool whole = strcmp(profile->times.format, "unix_s") == 0; /* times are, so lengths are */
    int64_t unit = seconds ? OKNO_SECOND_US : 1000;
    if (whole || !seconds)
        (void)snprintf(ret_text, 80, "%lld",
                       (long long)(units(to_us, unit, true) - units(from_us, unit, false)));
    else
        (void)snprintf(ret_text, 80, "%lld.%06lld", (long long)((to_us - from_us) / unit),
                       (long long)((to_us - from_us) % unit));
}

/* The value of a word, or NULL when there is no such word. */
static const char *word_value(const struct profile *profile, const char *word, size_t len,
                              const struct profile_values *values, char scratch[80])
{
    if (len == 7 && strncmp(word, "channel", len) == 0)
        return values->channel;
    if (len == 4 && strncmp(word, "user", len) == 0)
        return values->user;
    if (len == 8 && strncmp(word, "password", len) == 0)
        return values->password;
    if (len == 4 && strncmp(word, "from", len) == 0)
        format_time(&profile->times, values->zone, values->from_us, false, scratch);
    else if (len == 2 && strncmp(word, "to", len) == 0)
        format_time(&profile->times, values->zone, values->to_us, true, scratch);
    else if (len == 6 && strncmp(word, "length", len) == 0)
        format_length(profile, values->from_us, values->to_us, scratch);
    else
        return NULL;
    return scratch;
}

/* As the inside of a JSON string. */
static int add_json(struct okno_buf *into, const char *text, struct okno_err *err)
{
    okno_autojson json_t *value = json_string(text);
    okno_autofree char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    if (!quoted)
        return okno_fail_field(err, OKNO_INVALID, "user", "a login that is not UTF-8");
    return okno_buf_add(into, quoted + 1, strlen(quoted) - 2, err);
}

int profile_expand(const struct profile *profile, const char *template,
                   const struct profile_values *values, enum profile_part part,
                   struct okno_buf *into, struct okno_err *err)
{
    bool query = part == PROFILE_QUERY;
    int rc = 0;
    for (const char *at = template; rc == 0 && *at;) {
        char scratch[80] = "";
        size_t len = *at == '{' ? strcspn(at + 1, "{}\" ") : 0;
        bool word = len > 0 && at[1 + len] == '}';
        const char *value = word ? word_value(profile, at + 1, len, values, scratch) : NULL;
        query = query || *at == '?';
        if (!value)
            rc = okno_buf_add(into, at, 1, err);
        else
            rc = part == PROFILE_BODY ? add_json(into, value, err)
                                      : okno_net_encode(into, value, !query, err);
        at += value ? len + 2 : 1;
    }
    return rc;
}

/* --- the answer ------------------------------------------------------------------------------- */

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

/* A number, or text that is one. */
static bool number_of(const json_t *value, double *ret_number)
{
    char *end = NULL;
    const char *text = json_string_value(value);
    *ret_number = text ? strtod(text, &end) : json_number_value(value);
    return (json_is_number(value) || (text && *text && *end == '\0')) && isfinite(*ret_number) &&
           fabs(*ret_number) < 9e15;
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
    } numbers[] = {{"unix", 1e6}, {"unix_s", 1e6}, {"unix_ms", 1e3}, {"unix_us", 1}};
    const char *text = json_string_value(value);
    double number = 0;
    for (size_t i = 0; i < OKNO_COUNT(numbers); i++)
        if (strcmp(times->format, numbers[i].word) == 0) {
            if (!number_of(value, &number))
                return fail_shape("a time that is no number", err);
            *ret_us = (int64_t)llround(number * numbers[i].unit);
            return 0;
        }
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
    double length = 0;
    const json_t *to = walk(row, profile->to[0] ? profile->to : profile->row_length);
    int rc =
        read_time(&profile->row_times, values->zone, walk(row, profile->from), &span.from_us, err);
    if (rc < 0)
        return rc;
    bool open = !to || json_is_null(to);
    if (!open && profile->to[0])
        rc = read_time(&profile->row_times, values->zone, to, &span.to_us, err);
    else if (!open && !number_of(to, &length))
        rc = fail_shape("a length that is no number", err);
    bool ms = strstr(profile->row_length, "Ms") || strstr(profile->row_length, "_ms");
    open = open || length < 0;
    if (!profile->to[0] && !open)
        span.to_us = span.from_us + (int64_t)llround(length * (ms ? 1e3 : 1e6));
    if (open) {
        span.to_us = values->to_us;
        span.flags = OKNO_SPAN_GROWING;
    }
    *ret_span = span;
    return rc;
}

static int by_time(const void *a, const void *b)
{
    const struct okno_span *x = a;
    const struct okno_span *y = b;
    return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

/* Sort what was appended, and join what touches. */
static void join(struct okno_span_vec *spans, size_t before, int64_t join_us)
{
    size_t kept = before;
    if (spans->len <= before)
        return;
    qsort(spans->items + before, spans->len - before, sizeof(*spans->items), by_time);
    for (size_t i = before; i < spans->len; i++) {
        struct okno_span one = spans->items[i];
        struct okno_span *last = kept > before ? &spans->items[kept - 1] : NULL;
        if (last && one.from_us - last->to_us <= join_us) {
            last->to_us = one.to_us > last->to_us ? one.to_us : last->to_us;
            last->flags |= one.flags;
        } else {
            spans->items[kept++] = one;
        }
    }
    spans->len = kept;
}

/* A list takes up to a hundred times its size once it is read: "{},{}," of 64 MiB takes gigabytes.
 * What makes values is counted before, also where it stands in texts. */
static bool is_readable(const char *json, size_t len)
{
    size_t containers = 0;
    size_t values = 0;
    for (size_t i = 0; i < len; i++) {
        containers += json[i] == '{' || json[i] == '[';
        values += json[i] == ',';
    }
    return containers <= 2 * ROWS_MAX && values <= MEMBERS_MAX;
}

int profile_spans(const struct profile *profile, const char *json, size_t len,
                  const struct profile_values *values, struct okno_span_vec *spans,
                  struct okno_err *err)
{
    size_t before = spans->len;
    bool readable = is_readable(json, len);
    okno_autojson json_t *root = readable ? json_loadb(json, len, 0, NULL) : NULL;
    const json_t *rows = walk(root, profile->rows);
    int rc = 0;
    if (!readable)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d recordings in one list", ROWS_MAX);
    if (!root)
        return okno_fail(err, OKNO_PROTOCOL, "the list of recordings is no JSON");
    if (!json_is_array(rows) && rows && !json_is_null(rows))
        return fail_shape("no array of rows", err);
    if (json_array_size(rows) > ROWS_MAX)
        return okno_fail(err, OKNO_TOO_LARGE, "more than %d recordings in one list", ROWS_MAX);
    for (size_t i = 0; rc == 0 && i < json_array_size(rows); i++) {
        struct okno_span span = {0};
        rc = read_row(profile, json_array_get(rows, i), values, &span, err);
        span.from_us = span.from_us > values->from_us ? span.from_us : values->from_us;
        span.to_us = span.to_us < values->to_us ? span.to_us : values->to_us;
        if (rc == 0 && span.from_us < span.to_us && okno_span_vec_push(spans, span) < 0)
            rc = okno_fail(err, OKNO_NO_MEMORY, "no memory for a list of recordings");
    }
    if (rc == 0)
        join(spans, before, profile->join_us);
    else
        spans->len = before;
    return rc;
}

#define _POSIX_C_SOURCE 200809L
#include "profile.h"

#include "okno/json.h"
#include "okno/net.h"
#include "okno/text.h"
#include "okno/time.h"

#include <string.h>
#include <time.h>

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
static const struct member clock_members[] = {
    TEXT("path", clock, true), TEXT("body", clock_body, true), TEXT("time", clock_time, true)};
static const struct member coverage_members[] = {
    TEXT("path", coverage, true),        TEXT("answer", answer, false),   TEXT("rows", rows, false),
    TEXT("channel", row_channel, false), TEXT("from", from, true),        TEXT("to", to, false),
    TEXT("length", row_length, false),   TEXT("times", row_times, false), MS("join_ms", join_us),
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

bool profile_knows_times(const char *format)
{
    static const char *const words[] = {"rfc3339", "unix",    "unix_s",
                                        "unix_ms", "unix_us", "unix_90k"};
    for (size_t i = 0; i < OKNO_COUNT(words); i++)
        if (strcmp(format, words[i]) == 0)
            return true;
    return strchr(format, '%') && okno_time_format_check(format, NULL) == 0;
}

static int times_check(const struct profile_times *times, const char *name, struct okno_err *err)
{
    return profile_knows_times(times->format) ? 0 : fail_member(name, PROFILE_TIMES, err);
}

static int profile_check(struct profile *profile, struct okno_err *err)
{
    if (!profile->row_times.format[0])
        profile->row_times = profile->times;
    int rc = times_check(&profile->times, "times", err);
    if (rc == 0)
        rc = times_check(&profile->row_times, "coverage.times", err);
    if (rc == 0 && !okno_text_is_word(profile->length, "s ms 90k"))
        rc = fail_member("length", "s, ms or 90k", err);
    if (rc == 0 && profile->answer[0] && !okno_text_is_word(profile->answer, "json xml"))
        rc = fail_member("answer", "json or xml", err);
    profile->by_row = strstr(profile->clip, "{row.") != NULL;
    if (rc == 0 && (profile->to[0] != '\0') == (profile->row_length[0] != '\0'))
        rc = fail_member("coverage", "a row has either to or length", err);
    if (rc == 0 && (profile->coverage[0] != '/' || profile->clip[0] != '/'))
        rc = fail_member("path", "begins with a slash", err);
    if (rc == 0 && profile->login[0] && profile->login[0] != '/')
        rc = fail_member("login", "its path begins with a slash", err);
    if (rc == 0 && profile->clock[0] && profile->clock[0] != '/')
        rc = fail_member("clock", "its path begins with a slash", err);
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
    static const char *const top[] = {"about", "login", "coverage", "clip", "clock", NULL};
    static const char *const list[] = {"none", NULL};
    static const char *const cut[] = {"none", "time_zero_is_from", NULL};
    static const char *const nothing[] = {NULL};
    struct profile profile = {0};
    json_error_t trouble;
    okno_autojson json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &trouble);
    if (!json_is_object(root))
        return okno_fail_field(err, OKNO_INVALID, "profile",
                               "not a JSON object (line %d, column %d)", root ? 1 : trouble.line,
                               root ? 1 : trouble.column);
    const json_t *login = json_object_get(root, "login");
    const json_t *clock = json_object_get(root, "clock");
    const json_t *coverage = object_of(root, "coverage", err);
    const json_t *clip = coverage ? object_of(root, "clip", err) : NULL;
    if (!clip)
        return OKNO_INVALID;
    int rc = object_take(root, members, OKNO_COUNT(members), top, &profile, err);
    if (rc == 0 && login)
        rc = object_take(login, login_members, OKNO_COUNT(login_members), nothing, &profile, err);
    if (rc == 0 && clock)
        rc = object_take(clock, clock_members, OKNO_COUNT(clock_members), nothing, &profile, err);
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

/* Ticks of 90 kHz: 9 in 100 microseconds. */
static int64_t ticks(int64_t us, bool up)
{
    int64_t hundreds = units(us, 100, false);
    return hundreds * 9 + ((us - hundreds * 100) * 9 + (up ? 99 : 0)) / 100;
}

int64_t profile_asked(const struct profile *profile, int64_t from_us)
{
    const char *format = profile->times.format;
    if (strcmp(format, "unix_90k") == 0)
        return from_us; /* to a hundredth of a millisecond */
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
    else if (strcmp(format, "unix_90k") == 0)
        (void)snprintf(ret_text, 80, "%lld", (long long)ticks(us, up));
    else
        format_local(format, zone, units(us, OKNO_SECOND_US, up) * OKNO_SECOND_US, ret_text);
}

static void format_length(const struct profile *profile, int64_t from_us, int64_t to_us,
                          char ret_text[80])
{
    bool seconds = strcmp(profile->length, "s") == 0;
    bool whole = strcmp(profile->times.format, "unix_s") == 0; /* times are, so lengths are */
    int64_t unit = seconds ? OKNO_SECOND_US : 1000;
    if (strcmp(profile->length, "90k") == 0)
        (void)snprintf(ret_text, 80, "%lld", (long long)ticks(to_us - from_us, true));
    else if (whole || !seconds)
        (void)snprintf(ret_text, 80, "%lld",
                       (long long)(units(to_us, unit, true) - units(from_us, unit, false)));
    else
        (void)snprintf(ret_text, 80, "%lld.%06lld", (long long)((to_us - from_us) / unit),
                       (long long)((to_us - from_us) % unit));
}

const char *profile_member(const json_t *row, const char *name, size_t len, char scratch[80])
{
    while (row && len > 0) {
        char member[PROFILE_WORD];
        size_t part = memchr(name, '|', len) ? strcspn(name, "|") : len;
        (void)snprintf(member, sizeof(member), "%.*s", (int)part, name);
        const json_t *value = json_object_get(row, member);
        if (json_is_integer(value))
            (void)snprintf(scratch, 80, "%lld", (long long)json_integer_value(value));
        if (json_is_integer(value))
            return scratch;
        if (json_is_string(value))
            return json_string_value(value);
        part += part < len;
        name += part;
        len -= part;
    }
    return NULL;
}

/* The value of a word, or NULL when there is no such word. */
static const char *word_value(const struct profile *profile, const char *word, size_t len,
                              const struct profile_values *values, char scratch[80])
{
    const struct {
        const char *word, *value;
    } texts[] = {
        {"channel", values->channel}, {"user", values->user}, {"password", values->password}};
    char name[PROFILE_WORD];
    (void)snprintf(name, sizeof(name), "%.*s", (int)len, word);
    for (size_t i = 0; i < OKNO_COUNT(texts); i++)
        if (strcmp(name, texts[i].word) == 0)
            return texts[i].value;
    if (strncmp(name, "row.", 4) == 0)
        return profile_member(values->row, name + 4, strlen(name + 4), scratch);
    if (strcmp(name, "from") == 0)
        format_time(&profile->times, values->zone, values->from_us, false, scratch);
    else if (strcmp(name, "to") == 0)
        format_time(&profile->times, values->zone, values->to_us, true, scratch);
    else if (strcmp(name, "length") == 0)
        format_length(profile, values->from_us, values->to_us, scratch);
    else if (strcmp(name, "skip") == 0 && values->row)
        format_length(profile, values->row_us, values->from_us, scratch);
    else if (strcmp(name, "until") == 0 && values->row)
        format_length(profile, values->row_us, values->to_us, scratch);
    return scratch[0] ? scratch : NULL;
}

bool profile_tells_password(const struct profile *profile)
{
    return strstr(profile->login, "{password}") || strstr(profile->coverage, "{password}") ||
           strstr(profile->clip, "{password}") || strstr(profile->clock, "{password}");
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

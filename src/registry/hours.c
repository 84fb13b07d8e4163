/* Opening hours: parsed into rules; a day's rule into instants of its zone. */
#define _POSIX_C_SOURCE 200809L
#include "okno/hours.h"

#include "okno/text.h"
#include "okno/time.h"
#include "okno/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 128, SPANS_MAX = 8, DATES_MAX = 16, DAY_MIN = 1440, WEEK = 7 };

#define ALL_WEEK 0x7fU

/* Minutes of the day on which the span begins; to may lie beyond its end. */
struct span {
    int from, to;
};

struct dates {
    int64_t first, last; /* days since 1970-01-01, both inside */
};

struct rule {
    unsigned weekdays; /* bit 0: Monday */
    size_t date_count; /* 0: every day of those */
    struct dates dates[DATES_MAX];
    size_t span_count; /* 0: closed */
    struct span spans[SPANS_MAX];
};

/* Rules that count from a day on. */
struct version {
    int64_t from_day;
    size_t rule_count;
    struct rule *rules; /* NULL: nothing is known, nothing is outside */
};

struct okno_hours {
    struct okno_zone *zone;
    size_t version_count;
    struct version versions[]; /* ordered by from_day */
};

/* ---- the text ---- */

/* Reads `at` on; `rule` is the whole rule, for messages. */
struct reader {
    const char *at;
    const char *rule;
    size_t rule_len;
    struct okno_err *err;
};

static int refuse(struct reader *reader, const char *allowed)
{
    char part[OKNO_TEXT_SHOWN];
    char rest[OKNO_TEXT_SHOWN];
    char shown_part[OKNO_TEXT_SHOWN];
    char shown_rest[OKNO_TEXT_SHOWN];
    size_t rest_len = (size_t)(reader->rule + reader->rule_len - reader->at);
    (void)snprintf(part, sizeof(part), "%.*s", (int)reader->rule_len, reader->rule);
    (void)snprintf(rest, sizeof(rest), "%.*s", (int)rest_len, reader->at);
    return okno_fail_field(reader->err, OKNO_INVALID, "hours",
                           "hours: in \"%s\" at \"%s\": allowed %s, as in `Mo-Fr 09:00-21:00; Sa "
                           "10:00-18:00; 2026-01-01 closed`",
                           okno_text_show(part, shown_part), okno_text_show(rest, shown_rest),
                           allowed);
}

static bool at_end(const struct reader *reader)
{
    return reader->at >= reader->rule + reader->rule_len;
}

static bool skip_spaces(struct reader *reader)
{
    const char *before = reader->at;
    while (!at_end(reader) && *reader->at == ' ')
        reader->at++;
    return reader->at > before;
}

static bool take(struct reader *reader, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(reader->at, text, len) != 0)
        return false;
    reader->at += len;
    return true;
}

/* `count` digits. */
static bool take_number(struct reader *reader, int count, int *ret_number)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)reader->at[i]))
            return false;
        number = 10 * number + reader->at[i] - '0';
    }
    reader->at += count;
    *ret_number = number;
    return true;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static int take_date(struct reader *reader, int64_t *ret_day)
{
    const char *start = reader->at;
    struct okno_civil civil = {0};
    bool read = take_number(reader, 4, &civil.year) && take(reader, "-") &&
                take_number(reader, 2, &civil.month) && take(reader, "-") &&
                take_number(reader, 2, &civil.day);
    if (!read || civil.year < 1970 || civil.month < 1 || civil.month > 12 || civil.day < 1 ||
        civil.day > days_of_month(civil.year, civil.month)) {
        reader->at = start;
        return refuse(reader, "is a date YYYY-MM-DD from 1970 on");
    }
    *ret_day = okno_time_from_civil(&civil) / OKNO_DAY_US;
    return 0;
}

static int read_dates(struct reader *reader, struct rule *rule)
{
    do {
        if (rule->date_count == DATES_MAX)
            return refuse(reader, "are 16 dates or ranges in one rule");
        struct dates *dates = &rule->dates[rule->date_count++];
        const char *start = reader->at;
        int rc = take_date(reader, &dates->first);
        dates->last = dates->first;
        if (rc == 0 && take(reader, ".."))
            rc = take_date(reader, &dates->last);
        if (rc < 0)
            return rc;
        if (dates->last < dates->first) {
            reader->at = start;
            return refuse(reader, "is a range whose end is not before its beginning");
        }
    } while (take(reader, ","));
    return 0;
}

/* 0..6, -1: none is named here. */
static int take_weekday(struct reader *reader)
{
    static const char *const names[WEEK] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
    for (int i = 0; i < WEEK; i++)
        if (take(reader, names[i]))
            return i;
    return -1;
}

static int read_weekdays(struct reader *reader, struct rule *rule)
{
    rule->weekdays = 0;
    do {
        int first = take_weekday(reader);
        int last = first >= 0 && take(reader, "-") ? take_weekday(reader) : first;
        if (first < 0 || last < 0)
            return refuse(reader, "are the days Mo Tu We Th Fr Sa Su");
        for (int day = first;; day = (day + 1) % WEEK) {
            rule->weekdays |= 1U << day;
            if (day == last)
                break;
        }
    } while (take(reader, ","));
    return 0;
}

static int take_minute(struct reader *reader, int *ret_minute)
{
    const char *start = reader->at;
    int hour = 0;
    int minute = 0;
    bool read = take_number(reader, 2, &hour) && take(reader, ":") &&
                take_number(reader, 2, &minute) && minute < 60 && 60 * hour + minute <= DAY_MIN;
    if (!read) {
        reader->at = start;
        return refuse(reader, "is a time HH:MM from 00:00 to 24:00, or the word closed");
    }
    *ret_minute = 60 * hour + minute;
    return 0;
}

static int read_spans(struct reader *reader, struct rule *rule)
{
    do {
        (void)skip_spaces(reader);
        if (rule->span_count == SPANS_MAX)
            return refuse(reader, "are 8 spans a day");
        struct span *span = &rule->spans[rule->span_count++];
        const char *start = reader->at;
        int rc = take_minute(reader, &span->from);
        if (rc == 0 && !take(reader, "-"))
            rc = refuse(reader, "is HH:MM-HH:MM");
        if (rc == 0)
            rc = take_minute(reader, &span->to);
        if (rc < 0)
            return rc;
        if (span->from == DAY_MIN || (span->to <= span->from && span->to == 0 && span->from == 0)) {
            reader->at = start;
            return refuse(reader,
                          "is a beginning before 24:00 and another end; all day is "
                          "00:00-24:00");
        }
        if (span->to <= span->from)
            span->to += DAY_MIN;
    } while (take(reader, ","));
    return 0;
}

static int read_times(struct reader *reader, struct rule *rule)
{
    if (take(reader, "closed"))
        return 0;
    return read_spans(reader, rule);
}

static int read_rule(struct reader *reader, struct rule *rule)
{
    *rule = (struct rule){.weekdays = ALL_WEEK};
    int rc = 0;
    if (take(reader, "24/7")) {
        rule->spans[rule->span_count++] = (struct span){0, DAY_MIN};
    } else {
        bool dated = isdigit((unsigned char)*reader->at) != 0;
        rc = dated ? read_dates(reader, rule) : read_weekdays(reader, rule);
        bool spaced = rc == 0 && skip_spaces(reader);
        if (spaced && dated && isupper((unsigned char)*reader->at)) {
            rc = read_weekdays(reader, rule);
            spaced = rc == 0 && skip_spaces(reader);
        }
        if (rc == 0 && !spaced)
            rc = refuse(reader, "is a space between days and times");
        if (rc == 0)
            rc = read_times(reader, rule);
    }
    (void)(rc == 0 && skip_spaces(reader));
    return rc == 0 && !at_end(reader) ? refuse(reader, "is `;` before the next rule") : rc;
}

static int no_week(struct okno_err *err)
{
    return okno_fail_field(err, OKNO_INVALID, "hours",
                           "hours: no rule for the days of the week, as in `Mo-Su 09:00-21:00`");
}

static int read_rules(const char *text, struct version *version, struct okno_err *err)
{
    bool every_week = false;
    for (const char *at = text; *at;) {
        at += strspn(at, " ");
        struct reader reader = {.at = at, .rule = at, .rule_len = strcspn(at, ";"), .err = err};
        at += reader.rule_len + (at[reader.rule_len] == ';');
        if (at_end(&reader))
            continue;
        if (version->rule_count == RULES_MAX)
            return refuse(&reader, "are 128 rules");
        struct rule *rule = &version->rules[version->rule_count];
        int rc = read_rule(&reader, rule);
        if (rc < 0)
            return rc;
        every_week |= rule->date_count == 0;
        version->rule_count++;
    }
    return every_week ? 0 : no_week(err);
}

static int read_version(const struct okno_hours_version *from, struct version *version,
                        struct okno_err *err)
{
    version->from_day = from->from_day;
    if (!*from->text)
        return 0;
    version->rules = calloc(RULES_MAX, sizeof(*version->rules));
    if (!version->rules)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for opening hours");
    int rc = read_rules(from->text, version, err);
    struct rule *less = rc == 0 && version->rule_count > 0
                            ? realloc(version->rules, version->rule_count * sizeof(*less))
                            : NULL;
    if (less)
        version->rules = less;
    return rc;
}

int okno_hours_parse_dated(const struct okno_hours_version *versions, size_t count,
                           const char *zone, struct okno_hours **ret_hours, struct okno_err *err)
{
    OKNO_AUTO(okno_hours) *hours = calloc(1, sizeof(*hours) + count * sizeof(struct version));
    if (!hours)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for opening hours");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_version(&versions[i], &hours->versions[hours->version_count++], err);
    if (rc == 0)
        rc = okno_zone_open(zone, &hours->zone, err);
    if (rc == 0)
        *ret_hours = okno_mem_take(&hours);
    return rc;
}

int okno_hours_parse(const char *text, const char *zone, struct okno_hours **ret_hours,
                     struct okno_err *err)
{
    if (!*text)
        return no_week(err);
    return okno_hours_parse_dated(&(struct okno_hours_version){OKNO_HOURS_EVER, text}, 1, zone,
                                  ret_hours, err);
}

void okno_hours_free(struct okno_hours *hours)
{
    if (!hours)
        return;
    for (size_t i = 0; i < hours->version_count; i++)
        free(hours->versions[i].rules);
    okno_zone_close(hours->zone);
    free(hours);
}

/* ---- instants ---- */

static bool fits(const struct rule *rule, int64_t day)
{
    int weekday = (int)(((day + 3) % WEEK + WEEK) % WEEK); /* 1970-01-01 was a Thursday */
    if (!(rule->weekdays & 1U << weekday))
        return false;
    for (size_t i = 0; i < rule->date_count; i++)
        if (rule->dates[i].first <= day && day <= rule->dates[i].last)
            return true;
    return rule->date_count == 0;
}

/* The version that counts on a day; NULL: before the first. */
static const struct version *version_of(const struct okno_hours *hours, int64_t day)
{
    size_t low = 0;
    size_t high = hours->version_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hours->versions[middle].from_day <= day)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &hours->versions[low - 1] : NULL;
}

/* NULL: closed. */
static const struct rule *rule_of(const struct okno_hours *hours, int64_t day)
{
    static const struct rule all_day = {.span_count = 1, .spans = {{0, DAY_MIN}}};
    const struct version *version = version_of(hours, day);
    const struct rule *weekly = NULL;
    if (!version || !version->rules)
        return &all_day;
    for (size_t i = version->rule_count; i-- > 0;) {
        const struct rule *rule = &version->rules[i];
        if (!fits(rule, day))
            continue;
        if (rule->date_count)
            return rule;
        if (!weekly)
            weekly = rule;
    }
    return weekly;
}

static int64_t instant(const struct okno_hours *hours, int64_t day, int minute, bool last)
{
    struct okno_civil civil;
    int64_t utc[2];
    int count = 0;
    okno_time_to_civil(day * OKNO_DAY_US + minute * 60 * OKNO_SECOND_US, &civil);
    okno_zone_to_utc(hours->zone, &civil, utc, &count);
    return count == 2 && last ? utc[1] : utc[0];
}

static int64_t local_day(const struct okno_hours *hours, int64_t at_us)
{
    int64_t local_us = at_us + okno_zone_offset_at(hours->zone, at_us);
    return local_us / OKNO_DAY_US - (local_us % OKNO_DAY_US < 0);
}

bool okno_hours_open_at(const struct okno_hours *hours, int64_t at_us, int64_t *ret_until_us)
{
    int64_t today = local_day(hours, at_us);
    int64_t until_us = instant(hours, today + 1, 0, false);
    bool open = false;
    if (until_us <= at_us) /* a midnight that happens twice */
        until_us = at_us + 1;
    for (int64_t day = today - 1; day <= today; day++) {
        const struct rule *rule = rule_of(hours, day);
        for (size_t i = 0; rule && i < rule->span_count; i++) {
            int64_t from_us = instant(hours, day, rule->spans[i].from, false);
            int64_t to_us = instant(hours, day, rule->spans[i].to, true);
            open |= from_us <= at_us && at_us < to_us;
            if (from_us > at_us && from_us < until_us)
                until_us = from_us;
            if (to_us > at_us && to_us < until_us)
                until_us = to_us;
        }
    }
    if (ret_until_us)
        *ret_until_us = until_us;
    return open;
}

int64_t okno_hours_open_us(const struct okno_hours *hours, int64_t from_us, int64_t to_us)
{
    int64_t open_us = 0;
    for (int64_t at_us = from_us, until_us; at_us < to_us; at_us = until_us) {
        bool open = okno_hours_open_at(hours, at_us, &until_us);
        if (until_us > to_us)
            until_us = to_us;
        open_us += open ? until_us - at_us : 0;
    }
    return open_us;
}

/* The end of a time that is closed at at_us; at most a day and a bit further. */
static int64_t closed_until(const struct okno_hours *hours, int64_t at_us)
{
    int64_t until_us = at_us;
    while (until_us - at_us < OKNO_DAY_US) {
        int64_t next_us = until_us;
        if (okno_hours_open_at(hours, until_us, &next_us))
            break;
        until_us = next_us;
    }
    return until_us;
}

int64_t okno_hours_awake_us(const struct okno_hours *hours, int64_t from_us, int64_t to_us)
{
    int64_t awake_us = 0;
    bool asleep = false; /* closed for a day already */
    for (int64_t at_us = from_us, until_us; at_us < to_us; at_us = until_us) {
        bool open = okno_hours_open_at(hours, at_us, &until_us);
        if (!open)
            until_us = closed_until(hours, at_us);
        asleep = !open && (asleep || until_us - at_us >= OKNO_DAY_US);
        if (!asleep)
            awake_us += (until_us < to_us ? until_us : to_us) - at_us;
    }
    return awake_us;
}

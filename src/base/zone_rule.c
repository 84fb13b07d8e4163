/* Source of the grammar: POSIX.1-2017 8.3 (TZ) with the extensions of RFC 8536 3.3.1. */
#include "zone_rule.h"

#include "okno/time.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { HOUR_S = 3600, DAY_S = 86400, MAX_OFFSET_HOURS = 24, MAX_CHANGE_HOURS = 167 };

static bool is_digit(char c)
{
    return isdigit((unsigned char)c) != 0;
}

/* A number of at most three digits in [low, high]. */
static int take_number(const char **at, int low, int high, int *ret)
{
    int value = 0;
    int digits = 0;
    for (; is_digit(**at) && digits < 4; (*at)++, digits++)
        value = value * 10 + (**at - '0');
    if (digits < 1 || digits > 3 || value < low || value > high)
        return -1;
    *ret = value;
    return 0;
}

/* [+-]h[h][:mm[:ss]] in seconds, not more than max_hours either way. */
static int take_time(const char **at, int max_hours, int64_t *ret_s)
{
    int sign = **at == '-' ? -1 : 1;
    if (**at == '-' || **at == '+')
        (*at)++;
    int hours = 0;
    int parts[2] = {0, 0};
    if (take_number(at, 0, max_hours, &hours))
        return -1;
    for (int i = 0; i < 2 && **at == ':'; i++) {
        (*at)++;
        if (take_number(at, 0, 59, &parts[i]))
            return -1;
    }
    *ret_s = sign * ((int64_t)hours * HOUR_S + parts[0] * 60 + parts[1]);
    return 0;
}

/* Three letters or more, or anything of letters, digits and signs inside <>. */
static int take_name(const char **at, const char **ret_name, size_t *ret_len)
{
    bool quoted = **at == '<';
    if (quoted)
        (*at)++;
    *ret_name = *at;
    while (isalpha((unsigned char)**at) ||
           (quoted && (is_digit(**at) || **at == '+' || **at == '-')))
        (*at)++;
    *ret_len = (size_t)(*at - *ret_name);
    if (quoted && *(*at)++ != '>')
        return -1;
    return *ret_len >= 3 && *ret_len <= 16 ? 0 : -1;
}

static int take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return -1;
    (*at)++;
    return 0;
}

static int take_month_week(const char **at, struct zone_change *change)
{
    change->kind = ZONE_DAY_MONTH_WEEK;
    if (take_number(at, 1, 12, &change->month) || take_char(at, '.') ||
        take_number(at, 1, 5, &change->week) || take_char(at, '.'))
        return -1;
    return take_number(at, 0, 6, &change->day);
}

/* ",date[/time]" */
static int take_change(const char **at, struct zone_change *ret_change)
{
    struct zone_change change = {.time_s = 2 * HOUR_S};
    int rc = take_char(at, ',');
    if (rc < 0)
        return rc;
    if (**at == 'M') {
        (*at)++;
        rc = take_month_week(at, &change);
    } else if (**at == 'J') {
        (*at)++;
        change.kind = ZONE_DAY_JULIAN;
        rc = take_number(at, 1, 365, &change.day);
    } else {
        change.kind = ZONE_DAY_ZERO_BASED;
        rc = take_number(at, 0, 365, &change.day);
    }
    if (rc == 0 && **at == '/') {
        (*at)++;
        rc = take_time(at, MAX_CHANGE_HOURS, &change.time_s);
    }
    if (rc == 0)
        *ret_change = change;
    return rc;
}

/* The recorders' spelling: the summer zone is called DST and what follows, unsigned h:mm:ss, is
 * added to standard time. By POSIX it would be an offset from UTC, which no country uses so. */
static bool is_increment(const char *name, size_t len, const char *offset)
{
    if (len != 3 || strncmp(name, "DST", 3) != 0 || !is_digit(*offset))
        return false;
    int colons = 0;
    for (; is_digit(*offset) || *offset == ':'; offset++)
        colons += *offset == ':';
    return colons == 2;
}

static int take_summer(const char **at, struct zone_rule *rule)
{
    const char *name = NULL;
    size_t len = 0;
    int64_t offset = 0;
    if (take_name(at, &name, &len))
        return -1;
    rule->has_dst = true;
    rule->dst_s = rule->std_s + HOUR_S;
    if (**at != ',') {
        bool increment = is_increment(name, len, *at);
        if (take_time(at, MAX_OFFSET_HOURS, &offset))
            return -1;
        rule->dst_s = increment ? rule->std_s + offset : -offset;
    }
    return take_change(at, &rule->start) || take_change(at, &rule->end) ? -1 : 0;
}

int zone_rule_parse(const char *text, struct zone_rule *ret_rule)
{
    struct zone_rule rule = {0};
    const char *at = text;
    const char *name = NULL;
    size_t len = 0;
    int64_t west = 0;
    if (take_name(&at, &name, &len) || take_time(&at, MAX_OFFSET_HOURS, &west))
        return -1;
    rule.std_s = -west;
    if (*at && take_summer(&at, &rule))
        return -1;
    if (*at)
        return -1;
    *ret_rule = rule;
    return 0;
}

static int64_t date_s(int year, int month, int day)
{
    struct okno_civil civil = {.year = year, .month = month, .day = day};
    return okno_time_from_civil(&civil) / OKNO_SECOND_US;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Local midnight of the day of a change, as if it were UTC. */
static int64_t change_day(const struct zone_change *change, int year)
{
    int64_t new_year = date_s(year, 1, 1);
    if (change->kind == ZONE_DAY_ZERO_BASED)
        return new_year + (int64_t)change->day * DAY_S;
    if (change->kind == ZONE_DAY_JULIAN) /* February 29 is never counted */
        return new_year + (int64_t)(change->day - 1 + (is_leap(year) && change->day >= 60)) * DAY_S;
    int64_t first = date_s(year, change->month, 1);
    int64_t next_month =
        change->month == 12 ? date_s(year + 1, 1, 1) : date_s(year, change->month + 1, 1);
    int64_t weekday = ((first / DAY_S + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t day = first + ((change->day - weekday + 7) % 7 + (change->week - 1) * 7) * DAY_S;
    return day < next_month ? day : day - 7 * DAY_S;
}

int64_t zone_rule_offset_at(const struct zone_rule *rule, int64_t utc_s)
{
    if (!rule->has_dst)
        return rule->std_s;
    struct okno_civil civil;
    okno_time_to_civil((utc_s + rule->std_s) * OKNO_SECOND_US, &civil);
    int64_t latest = INT64_MIN;
    int64_t offset = rule->std_s;
    /* The latest change not after the instant; at the same second summer's start wins, so that a
     * rule of everlasting summer has no seam at New Year. */
    for (int year = civil.year - 1; year <= civil.year + 1; year++) {
        int64_t end = change_day(&rule->end, year) + rule->end.time_s - rule->dst_s;
        int64_t start = change_day(&rule->start, year) + rule->start.time_s - rule->std_s;
        if (end <= utc_s && end > latest) {
            latest = end;
            offset = rule->std_s;
        }
        if (start <= utc_s && start >= latest) {
            latest = start;
            offset = rule->dst_s;
        }
    }
    return offset;
}

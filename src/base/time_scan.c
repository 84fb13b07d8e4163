/* Times as other programs write them. */
#include "okno/text.h"
#include "okno/time.h"

#include <ctype.h>
#include <string.h>

/* What stands at %x: its digits and range; digits 0: not a number of its own. */
static const struct directive {
    char letter;
    int digits; /* at most; at least one, for the year all */
    int min, max;
} directives[] = {{'Y', 4, 1970, 9999}, {'y', 2, 0, 99}, {'m', 2, 1, 12}, {'d', 2, 1, 31},
                  {'H', 2, 0, 23},      {'I', 2, 1, 12}, {'M', 2, 0, 59}, {'S', 2, 0, 59},
                  {'p', 0, 0, 0},       {'z', 0, 0, 0},  {'s', 0, 0, 0},  {'%', 0, 0, 0}};

static const struct directive *find_directive(char letter)
{
    for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
        if (directives[i].letter == letter)
            return &directives[i];
    return NULL;
}

int okno_time_format_check(const char *format, struct okno_err *err)
{
    bool seen[128] = {false};
    for (const char *at = format; (at = strchr(at, '%')); at += 2) {
        if (!find_directive(at[1]))
            return okno_fail(err, OKNO_INVALID,
                             "%%%.1s is not known; allowed are %%d %%m %%Y %%y %%H %%I %%p %%M %%S "
                             "%%z %%s and %%%%",
                             at + 1);
        if (seen[at[1] & 0x7f] && at[1] != '%')
            return okno_fail(err, OKNO_INVALID, "%%%c stands twice", at[1]);
        seen[at[1] & 0x7f] = true;
    }
    bool date = seen['d'] && seen['m'] && (seen['Y'] || seen['y']);
    if (!date && !seen['s'])
        return okno_fail(err, OKNO_INVALID, "a day is told by %%d %%m %%Y (or %%y), or by %%s");
    if ((seen['Y'] && seen['y']) || (seen['H'] && seen['I']) || seen['I'] != seen['p'])
        return okno_fail(err, OKNO_INVALID, "%%Y or %%y; %%H, or %%I with %%p");
    return 0;
}

/* What was read so far. */
struct scan {
    const char *at;
    struct okno_scanned_time time;
    int half; /* hours that %p adds; -1: no %p */
};

static void set(struct scan *scan, char letter, int value)
{
    struct okno_civil *civil = &scan->time.civil;
    int *const members[] = {&civil->year, &civil->year, &civil->month,  &civil->day,
                            &civil->hour, &civil->hour, &civil->minute, &civil->second};
    static const char letters[] = "YymdHIMS";
    if (letter == 'y')
        value += value < 70 ? 2000 : 1900;
    *members[strchr(letters, letter) - letters] = value;
}

/* One to `most` digits. */
static bool take_digits(struct scan *scan, int most, int64_t *ret_value, int *ret_count)
{
    int64_t value = 0;
    int count = 0;
    for (; count < most && isdigit((unsigned char)*scan->at); count++)
        value = value * 10 + (*scan->at++ - '0');
    *ret_value = value;
    *ret_count = count;
    return count > 0;
}

static void take_fraction(struct scan *scan)
{
    int scale = 100000;
    if ((*scan->at != '.' && *scan->at != ',') || !isdigit((unsigned char)scan->at[1]))
        return;
    for (scan->at++; isdigit((unsigned char)*scan->at); scan->at++, scale /= 10)
        scan->time.civil.micro += (*scan->at - '0') * scale;
}

static bool take_number(struct scan *scan, const struct directive *what)
{
    int64_t value;
    int count;
    if (!take_digits(scan, what->digits, &value, &count) || value < what->min ||
        value > what->max || (what->letter == 'Y' && count < 4))
        return false;
    set(scan, what->letter, (int)value);
    if (what->letter == 'S')
        take_fraction(scan);
    return true;
}

/* AM or PM. */
static bool take_half(struct scan *scan)
{
    int first = tolower((unsigned char)scan->at[0]);
    if ((first != 'a' && first != 'p') || tolower((unsigned char)scan->at[1]) != 'm')
        return false;
    scan->half = first == 'p' ? 12 : 0;
    scan->at += 2;
    return true;
}

/* `Z`, `+hh`, `+hhmm` or `+hh:mm`. */
static bool take_zone(struct scan *scan)
{
    int64_t hours;
    int64_t minutes = 0;
    int count;
    char sign = *scan->at++;
    scan->time.has_offset = true;
    if (sign == 'Z')
        return true;
    if ((sign != '+' && sign != '-') || !take_digits(scan, 2, &hours, &count) || count < 2)
        return false;
    bool colon = *scan->at == ':';
    scan->at += colon;
    if ((colon || isdigit((unsigned char)*scan->at)) &&
        (!take_digits(scan, 2, &minutes, &count) || count < 2))
        return false;
    scan->time.offset_us = (sign == '-' ? -1 : 1) * (hours * 60 + minutes) * 60 * OKNO_SECOND_US;
    return hours <= 15 && minutes <= 59;
}

static bool take_seconds(struct scan *scan)
{
    int64_t seconds;
    int count;
    if (!take_digits(scan, 11, &seconds, &count))
        return false;
    okno_time_to_civil(seconds * OKNO_SECOND_US, &scan->time.civil);
    scan->time.has_offset = true;
    return scan->time.civil.year <= 9999;
}

static bool take(struct scan *scan, const struct directive *what)
{
    switch (what->letter) {
    case 'p':
        return take_half(scan);
    case 'z':
        return *scan->at && take_zone(scan);
    case 's':
        return take_seconds(scan);
    case '%':
        return *scan->at++ == '%';
    default:
        return take_number(scan, what);
    }
}

static bool take_all(struct scan *scan, const char *format)
{
    for (; *format; format++) {
        if (*format == ' ') {
            scan->at += strspn(scan->at, " ");
        } else if (*format != '%') {
            if (*scan->at++ != *format)
                return false;
        } else {
            const struct directive *what = find_directive(*++format);
            if (!what || !*scan->at || !take(scan, what))
                return false;
        }
    }
    return scan->at[strspn(scan->at, " ")] == '\0';
}

/* The 31st of February is no day. */
static bool is_day(const struct okno_civil *civil)
{
    struct okno_civil same;
    okno_time_to_civil(okno_time_from_civil(civil), &same);
    return same.day == civil->day && same.month == civil->month;
}

int okno_time_scan(const char *format, const char *text, struct okno_scanned_time *ret_time,
                   struct okno_err *err)
{
    struct scan scan = {.at = text + strspn(text, " "), .half = -1};
    char shown[OKNO_TEXT_SHOWN];
    bool fits = take_all(&scan, format);
    struct okno_civil *civil = &scan.time.civil;
    if (fits && scan.half >= 0)
        civil->hour = civil->hour % 12 + scan.half;
    if (!fits || !is_day(civil))
        return okno_fail(err, OKNO_INVALID, "\"%s\" is not a time written as %.60s",
                         okno_text_show(text, shown), format);
    *ret_time = scan.time;
    return 0;
}

/* The place after "HH:MM", NULL when it is none. */
static const char *minutes_take(const char *text, int *ret_minutes)
{
    for (int i = 0; i < 5; i++)
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return NULL;
    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int minute = (text[3] - '0') * 10 + text[4] - '0';
    *ret_minutes = hour * 60 + minute;
    return minute < 60 && *ret_minutes <= 24 * 60 ? text + 5 : NULL;
}

bool okno_time_hours(const char *text, int *ret_from, int *ret_to)
{
    int from = 0, to = 0;
    const char *at = minutes_take(text, &from);
    at = at && *at == '-' ? minutes_take(at + 1, &to) : NULL;
    if (!at || *at || from == to || from == 24 * 60)
        return false;
    *ret_from = from;
    *ret_to = to;
    return true;
}

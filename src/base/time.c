#define _POSIX_C_SOURCE 200809L
#include "okno/time.h"
#include "okno/text.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * OKNO_SECOND_US + now.tv_nsec / 1000;
}

int64_t okno_time_now(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t okno_time_monotonic(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a proleptic Gregorian date; the year is counted from March so that the
 * leap day comes last. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, struct okno_civil *ret_civil)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    ret_civil->day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    ret_civil->month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    ret_civil->year = (int)(year_of_era + era * 400 + (ret_civil->month <= 2));
}

int64_t okno_time_from_civil(const struct okno_civil *civil)
{
    int64_t seconds = days_from_date(civil->year, civil->month, civil->day) * 86400 +
                      civil->hour * 3600 + civil->minute * 60 + civil->second;
    return seconds * OKNO_SECOND_US + civil->micro;
}

void okno_time_to_civil(int64_t us, struct okno_civil *ret_civil)
{
    int64_t days = us / OKNO_DAY_US - (us % OKNO_DAY_US < 0);
    int64_t rest = us - days * OKNO_DAY_US;
    date_from_days(days, ret_civil);
    ret_civil->micro = (int)(rest % OKNO_SECOND_US);
    rest /= OKNO_SECOND_US;
    ret_civil->second = (int)(rest % 60);
    ret_civil->minute = (int)(rest / 60 % 60);
    ret_civil->hour = (int)(rest / 3600);
}

/* What four digits of a year can write: 0000-01-01 to the last millisecond of 9999. */
static const int64_t EARLIEST_MS = INT64_C(-62167219200000);
static const int64_t LATEST_MS = INT64_C(253402300799999);

const char *okno_time_format(int64_t us, char ret_text[OKNO_TIME_TEXT])
{
    int64_t ms = us / OKNO_MS_US + (us % OKNO_MS_US > 0);
    ms = ms > LATEST_MS ? LATEST_MS : ms < EARLIEST_MS ? EARLIEST_MS : ms;
    struct okno_civil c;
    okno_time_to_civil(ms * OKNO_MS_US, &c);
    (void)snprintf(ret_text, OKNO_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year % 10000,
                   c.month % 100, c.day % 100, c.hour % 100, c.minute % 100, c.second % 100,
                   c.micro / 1000 % 1000);
    return ret_text;
}

/* Exactly `count` digits at *at into *ret, moving *at past them. */
static int take_digits(const char **at, int count, int *ret)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return -1;
        value = value * 10 + (**at - '0');
    }
    *ret = value;
    return 0;
}

static int take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return -1;
    (*at)++;
    return 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    return days[month - 1] + leap;
}

static int take_date(const char **at, struct okno_civil *c)
{
    if (take_digits(at, 4, &c->year) || take_char(at, '-') || take_digits(at, 2, &c->month) ||
        take_char(at, '-') || take_digits(at, 2, &c->day))
        return -1;
    if (c->year < 1970 || c->month < 1 || c->month > 12 || c->day < 1)
        return -1;
    return c->day <= days_in_month(c->year, c->month) ? 0 : -1;
}

static int take_clock(const char **at, struct okno_civil *c)
{
    if (take_digits(at, 2, &c->hour) || take_char(at, ':') || take_digits(at, 2, &c->minute) ||
        take_char(at, ':') || take_digits(at, 2, &c->second))
        return -1;
    if (c->hour > 23 || c->minute > 59 || c->second > 59)
        return -1;
    if (**at != '.' && **at != ',')
        return 0;
    (*at)++;
    int scale = 100000;
    if (!isdigit((unsigned char)**at))
        return -1;
    for (; isdigit((unsigned char)**at); (*at)++, scale /= 10)
        c->micro += (**at - '0') * scale;
    return 0;
}

/* `Z`, `+hh`, `+hhmm` or `+hh:mm` to seconds east of UTC. */
static int take_offset(const char **at, int *ret_seconds)
{
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        *ret_seconds = 0;
        return 0;
    }
    int sign = **at == '+' ? 1 : **at == '-' ? -1 : 0;
    int hours = 0;
    int minutes = 0;
    if (!sign)
        return -1;
    (*at)++;
    if (take_digits(at, 2, &hours))
        return -1;
    if (**at == ':')
        (*at)++;
    if (**at && take_digits(at, 2, &minutes))
        return -1;
    if (hours > 15 || minutes > 59)
        return -1;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return 0;
}

/* 2026-3-1: what people write for 2026-03-01. */
static bool loose_date(const char *text, char ret_date[OKNO_DATE_TEXT])
{
    unsigned parts[3] = {0};
    size_t digits[3] = {0};
    size_t part = 0;
    for (; *text; text++) {
        if (*text == '-' && part < 2 && digits[part]) {
            part++;
        } else if (isdigit((unsigned char)*text) && digits[part] < (part ? 2 : 4)) {
            parts[part] = 10 * parts[part] + (unsigned)(*text - '0');
            digits[part]++;
        } else {
            return false;
        }
    }
    bool loose = part == 2 && digits[0] == 4 && digits[2] > 0 && digits[1] + digits[2] < 4;
    if (loose)
        (void)snprintf(ret_date, OKNO_DATE_TEXT, "%04u-%02u-%02u", parts[0] % 10000, parts[1] % 100,
                       parts[2] % 100);
    return loose;
}

int okno_time_parse(const char *text, int64_t *ret_us, struct okno_err *err)
{
    struct okno_civil c = {0};
    char shown[OKNO_TEXT_SHOWN];
    char date[OKNO_DATE_TEXT];
    int offset = 0;
    const char *at = text;
    if (take_date(&at, &c) || (*at != 'T' && *at != 't' && *at != ' '))
        goto bad;
    at++;
    if (take_clock(&at, &c) || take_offset(&at, &offset) || *at)
        goto bad;
    *ret_us = okno_time_from_civil(&c) - offset * OKNO_SECOND_US;
    return 0;
bad:
    if (loose_date(text, date))
        return okno_fail(err, OKNO_INVALID, "\"%s\" is no date here; write it as %s",
                         okno_text_show(text, shown), date);
    return okno_fail(err, OKNO_INVALID,
                     "\"%s\" is not a time; write it as 2026-03-10T14:03:20.5Z or with an offset "
                     "such as +03:00 (a time without a zone is refused)",
                     okno_text_show(text, shown));
}

bool okno_date_is(const char *text)
{
    size_t digits = 0;
    for (size_t i = 0; text[i]; i++) {
        bool dash = i == 4 || i == 7;
        if (i >= 10 || (dash ? text[i] != '-' : !isdigit((unsigned char)text[i])))
            return false;
        digits++;
    }
    return digits == 10;
}

int okno_date_parse(const char *text, int64_t *ret_us, struct okno_err *err)
{
    struct okno_civil c = {0};
    char date[OKNO_DATE_TEXT];
    const char *at = text;
    if (!okno_date_is(text) || take_date(&at, &c) || *at)
        return okno_fail(err, OKNO_INVALID, "\"%.40s\" is not a date; write it as %s", text,
                         loose_date(text, date) ? date : "2026-03-10");
    *ret_us = okno_time_from_civil(&c);
    return 0;
}

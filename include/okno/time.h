/* Instants and their text. An instant is int64 microseconds since 1970-01-01T00:00:00Z, UTC
 * without leap seconds. Local calendars are in zone.h. */
#ifndef OKNO_TIME_H
#define OKNO_TIME_H

#include "okno/err.h"

#include <stdbool.h>
#include <stdint.h>

#define OKNO_MS_US INT64_C(1000)
#define OKNO_SECOND_US INT64_C(1000000)
#define OKNO_DAY_US (INT64_C(86400) * OKNO_SECOND_US)

/* Room for okno_time_format, with the NUL. */
#define OKNO_TIME_TEXT 32
#define OKNO_DATE_TEXT 11 /* YYYY-MM-DD and the NUL */

/* A date and a time of day without a zone (proleptic Gregorian). */
struct okno_civil {
    int year, month, day; /* month 1..12, day 1..31 */
    int hour, minute, second, micro;
};

/* The present on the system's clock. */
int64_t okno_time_now(void);

/* Monotonic microseconds since some moment, for measuring and deadlines. */
int64_t okno_time_monotonic(void);

/* ISO 8601 with `Z` or an offset (+hh:mm, +hhmm, +hh); fraction of any length is cut to
 * microseconds; `T` or one space between date and time; years 1970..9999.
 * OKNO_INVALID for anything else; the message says that a time without a zone is refused. */
OKNO_CHECK int okno_time_parse(const char *text, int64_t *ret_us, struct okno_err *err);

/* Whether a text looks like a date without a time: 2026-03-10. */
bool okno_date_is(const char *text);
/* The midnight of a date as if it were in UTC. OKNO_INVALID for a day that no calendar has. */
OKNO_CHECK int okno_date_parse(const char *text, int64_t *ret_us, struct okno_err *err);

/* `2026-03-10T14:03:20.123Z` into `ret_text`, rounded up to the millisecond (a frame's time must
 * not print as earlier than the frame). Returns ret_text. */
const char *okno_time_format(int64_t us, char ret_text[OKNO_TIME_TEXT]);

/* Conversion between an instant and UTC civil time; fields out of range are the caller's bug. */
int64_t okno_time_from_civil(const struct okno_civil *civil);
void okno_time_to_civil(int64_t us, struct okno_civil *ret_civil);

/* Hours of the day, "20:00-08:00", as minutes from midnight, up to 24:00; equal ones are refused. A
 * range that ends before it begins goes over midnight. */
OKNO_CHECK bool okno_time_hours(const char *text, int *ret_from, int *ret_to);

/* ---- times as other programs write them ---- */

/* A local time, or with an offset an instant: local minus offset. */
struct okno_scanned_time {
    struct okno_civil civil;
    bool has_offset;
    int64_t offset_us; /* east of UTC */
};

/* Whether a format tells a day and is made of what okno_time_scan knows: %d %m %Y %y (2 digits:
 * 1970 to 2069) %H %I %p %M %S (a fraction may follow it) %z (an offset or Z) %s (seconds since
 * 1970)
 * %%; a blank stands for any number of them. OKNO_INVALID. */
OKNO_CHECK int okno_time_format_check(const char *format, struct okno_err *err);

/* Read a text by a checked format, whole; numbers may lack their leading zero. What the format does
 * not tell is 0. OKNO_INVALID. */
OKNO_CHECK int okno_time_scan(const char *format, const char *text,
                              struct okno_scanned_time *ret_time, struct okno_err *err);

#endif

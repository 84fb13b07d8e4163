/* Opening hours: a readable text into moments. Pure once parsed (a zone is a value).
 *
 *     Mo-Fr 09:00-21:00; Sa,Su 10:00-18:00; 2026-01-01..2026-01-08 closed; 2026-12-31 10:00-15:00
 *
 * Rules stand between semicolons: days, then times. Days: Mo Tu We Th Fr Sa Su, ranges (Sa-Mo too)
 * and lists of them with commas; or dates YYYY-MM-DD and ranges FROM..TO with commas, to which days
 * of the week may be added (`2026-06-01..2026-08-31 Mo-Fr 10:00-22:00`). Times: HH:MM-HH:MM with
 * commas, up to 24:00; an end at or before its beginning is on the next day; or the word `closed`.
 * `24/7` alone is always. Of the rules that fit a day the last with a date counts, else the last
 * without; a day that no rule names is closed.
 *
 * Times are local to the zone; a span belongs to the day on which it begins. Where clocks show a
 * time twice, opening takes the first and closing the last; a time that they jump over is taken by
 * the offset in force before the jump. */
#ifndef OKNO_HOURS_H
#define OKNO_HOURS_H

#include "okno/err.h"
#include "okno/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct okno_hours;

/* Hours that count from a local day on (days since 1970-01-01) until the next version's. A span
 * belongs to the version of the day on which it begins. */
struct okno_hours_version {
    int64_t from_day;
    const char *text; /* "": nothing is known from then on; nothing is outside */
};

#define OKNO_HOURS_EVER INT64_C(-1000000) /* a day before every other */

/* Versions ordered by from_day, each day once; before the first nothing is known. As
 * okno_hours_parse. */
OKNO_CHECK int okno_hours_parse_dated(const struct okno_hours_version *versions, size_t count,
                                      const char *zone, struct okno_hours **ret_hours,
                                      struct okno_err *err);

/* The same hours at all times. OKNO_INVALID with the field `hours`: names the part that is wrong
 * and what is allowed there; for the zone as okno_zone_open. The caller owns *ret_hours. */
OKNO_CHECK int okno_hours_parse(const char *text, const char *zone, struct okno_hours **ret_hours,
                                struct okno_err *err);
void okno_hours_free(struct okno_hours *hours);
OKNO_CLEANUP(okno_hours, okno_hours_free);

/* Whether it is open at an instant; *ret_until (may be NULL): the answer holds until then at least,
 * and changes by a day later at the latest when it changes. */
bool okno_hours_open_at(const struct okno_hours *hours, int64_t at_us, int64_t *ret_until_us);

/* How long it was open within [from, to). For spans of up to some years. */
int64_t okno_hours_open_us(const struct okno_hours *hours, int64_t from_us, int64_t to_us);

/* The length of [from, to) without the times in which it is closed for a day or longer: weekends
 * and holidays do not count, nights do. */
int64_t okno_hours_awake_us(const struct okno_hours *hours, int64_t from_us, int64_t to_us);

#endif

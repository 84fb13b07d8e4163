/* Local calendars without the process-global TZ: time zones as values.
 *
 * A zone is `UTC`, a name of the IANA database read from /usr/share/zoneinfo (TZif of version 2 or
 * later, RFC 8536, with the rule in its footer for the years after its table), or a POSIX TZ rule
 * such as `CET-1CEST,M3.5.0,M10.5.0/3`. Some recorders print a rule in which the part after DST is
 * what is added in summer (`CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00`); a summer
 * zone named exactly DST with an unsigned h:mm:ss is read that way.
 *
 * A zone never changes once opened and may be used by any thread. */
#ifndef OKNO_ZONE_H
#define OKNO_ZONE_H

#include "okno/err.h"
#include "okno/mem.h"
#include "okno/time.h"

#include <stddef.h>
#include <stdint.h>

struct okno_zone;

/* OKNO_INVALID: no such zone, or a name that leaves the zone folder; OKNO_MALFORMED: its file is
 * broken or counts leap seconds. The caller owns *ret_zone. */
OKNO_CHECK int okno_zone_open(const char *name, struct okno_zone **ret_zone, struct okno_err *err);

/* The same from the bytes of a TZif file. OKNO_MALFORMED. */
OKNO_CHECK int okno_zone_from_tzif(const void *bytes, size_t len, struct okno_zone **ret_zone,
                                   struct okno_err *err);

void okno_zone_close(struct okno_zone *zone);
OKNO_CLEANUP(okno_zone, okno_zone_close);

/* Local time minus UTC in force at an instant, microseconds. */
int64_t okno_zone_offset_at(const struct okno_zone *zone, int64_t utc_us);

void okno_zone_to_local(const struct okno_zone *zone, int64_t utc_us, struct okno_civil *ret_civil);

/* The instants at which the zone's clocks show `civil`, ascending: *ret_count is 1, or 2 when it
 * happened twice (autumn), or 0 when the clocks jumped over it (spring). With 0, ret_us still holds
 * two instants: what it would have been by the offset in force before and after the jump. Fields of
 * `civil` out of range are the caller's bug. */
void okno_zone_to_utc(const struct okno_zone *zone, const struct okno_civil *civil,
                      int64_t ret_us[2], int *ret_count);

/* When a local date begins, which is given by its midnight as if in UTC (okno_date_parse); where
 * the clocks jumped over midnight, when the day begins after it. */
int64_t okno_zone_midnight(const struct okno_zone *zone, int64_t date_us);

#endif

/* What Dahua's recorders answer, read. Pure. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_DAHUA_H
#define OKNO_VIDEO_ARCHIVE_DAHUA_H

#include "okno/archive.h"
#include "okno/time.h"
#include "okno/zone.h"

/* Append the recordings of a page of findNextFile ("found=2", "items[0].StartTime=..."), as listed.
 * OKNO_PROTOCOL. */
OKNO_CHECK int dahua_read_found(const char *text, const struct okno_zone *zone,
                                struct okno_span_vec *spans, int *ret_found, struct okno_err *err);

/* The local date of the first frame of DHAV bytes; false when there is none. */
OKNO_CHECK bool dahua_read_date(const uint8_t *bytes, size_t len, struct okno_civil *ret_civil);

#endif

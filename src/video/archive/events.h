/* ZoneMinder's lists of events, from JSON to pieces in order of time. Pure. Private to
 * video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_EVENTS_H
#define OKNO_VIDEO_ARCHIVE_EVENTS_H

#include "okno/archive.h"
#include "okno/json.h"
#include "okno/zone.h"

/* One event as listed: local whole seconds. */
struct event {
    int64_t id; /* they count up in the order of recording, whatever the clocks said */
    int64_t length_us;
    char start[24], end[24]; /* end "" while it runs */
};
OKNO_VEC(event_vec, struct event);

/* Append the events of a page; *ret_more says whether there is another. OKNO_PROTOCOL for an answer
 * of another shape. */
OKNO_CHECK int events_read(const json_t *answer, struct event_vec *events, bool *ret_more,
                           struct okno_err *err);

struct events_request {
    const struct okno_zone *zone; /* of the times */
    int64_t from_us, to_us;       /* pieces that overlap this are wanted */
    int64_t now_us;               /* where a running event ends so far */
};

/* Append a piece for each event, in order of time. A start that has two meanings is decided by the
 * neighbours in the order of ids, else given once for each, both ambiguous. `events` is sorted. */
OKNO_CHECK int events_pieces(struct event_vec *events, const struct events_request *request,
                             struct okno_piece_vec *pieces, struct okno_err *err);

#endif

/* What replays brought, for a while: a minute of it may take a minute, and the link, the still and
 * the clip of one survey want the same minute. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_KEPT_H
#define OKNO_VIDEO_ARCHIVE_KEPT_H

#include "okno/archive.h"

#include <stdint.h>

struct kept_replay; /* opaque; counted */

struct kept {
    struct kept_replay *replays[4]; /* NULL where none is */
    size_t next;
};

void kept_free(struct kept *kept);

/* Take the source and a copy of the stretches; too large a one is closed at once. */
void kept_put(struct kept *kept, const char *channel, int64_t from_us, int64_t to_us,
              const struct okno_span_vec *spans, struct okno_source *source);

/* One of the channel that holds all of [from, to); NULL. Owned by `kept`, until the next put. */
const struct kept_replay *kept_find(const struct kept *kept, const char *channel, int64_t from_us,
                                    int64_t to_us);
int64_t kept_from(const struct kept_replay *replay);
int64_t kept_to(const struct kept_replay *replay);

/* Append its stretches inside [from, to). */
OKNO_CHECK int kept_spans(const struct kept_replay *replay, int64_t from_us, int64_t to_us,
                          struct okno_span_vec *spans, struct okno_err *err);

/* A source of its own, which asks nobody. */
OKNO_CHECK int kept_source(const struct kept_replay *replay, struct okno_source **ret_source,
                           struct okno_err *err);

#endif

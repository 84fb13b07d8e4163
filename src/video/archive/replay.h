/* A stretch of a recording replayed over RTSP and kept: what the kinds `rtsp` and `onvif` share.
 * Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_REPLAY_H
#define OKNO_VIDEO_ARCHIVE_REPLAY_H

#include "okno/archive.h"
#include "okno/net.h"

enum { REPLAY_URL = 2048 };

struct replay {
    struct okno_net *net;  /* login, address rule, budget */
    const char *url;       /* rtsp:// */
    const char *name;      /* for messages */
    const char *spool_dir; /* "" or NULL: memory */
    int64_t from_us, to_us;
    int64_t deadline_us; /* of a request, and until the first packet */
    int64_t error_us;    /* how far the first frame may be from from_us where no time is told */
    bool clock;          /* ask by ONVIF: a range of the clock, as fast as it goes; else from_us
                            and to_us stand in the URL, and the replay takes its time */
};

/* Ask, and keep what comes until it reaches to_us, ends or falls silent. `spans` gets the stretches
 * without a hole that came, `source` the packets (either may be NULL). OKNO_GONE: nothing is there.
 */
OKNO_CHECK int replay_fetch(const struct replay *replay, struct okno_span_vec *spans,
                            struct okno_source **ret_source, struct okno_err *err);

#endif

/* What ONVIF's services answer about recordings (Recording Search and Replay specifications). Pure.
 * Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_ONVIF_H
#define OKNO_VIDEO_ARCHIVE_ONVIF_H

#include "okno/archive.h"

enum { ONVIF_URL = 1024, ONVIF_TOKEN = 128, ONVIF_EVENTS = 20000, ONVIF_NAMES = 400 };

/* Where the services are, as the device tells it; "" for none. From GetServices or GetCapabilities.
 * OKNO_PROTOCOL. */
struct onvif_services {
    char search[ONVIF_URL], replay[ONVIF_URL];
};
OKNO_CHECK int onvif_read_services(const char *text, size_t len,
                                   struct onvif_services *ret_services, struct okno_err *err);

/* The text of the first element of a name. OKNO_PROTOCOL when there is none, or it is too long. */
OKNO_CHECK int onvif_read_text(const char *text, size_t len, const char *name, char *ret_text,
                               size_t size, struct okno_err *err);

/* One recording: its first video track, and the outer bounds of what is on it. */
struct onvif_recording {
    char track[ONVIF_TOKEN]; /* "" when none is told */
    int64_t from_us, to_us;  /* equal when nothing is recorded */
};
OKNO_CHECK int onvif_read_recording(const char *text, size_t len,
                                    struct onvif_recording *ret_recording, struct okno_err *err);

/* "token (source), ..." of the recordings of a search, cut when longer; and whether it is done. */
OKNO_CHECK int onvif_read_names(const char *text, size_t len, char ret_names[ONVIF_NAMES],
                                bool *ret_done, struct okno_err *err);

/* Recording began or ended on a track, or was so when the search begins. */
struct onvif_event {
    int64_t at_us;
    bool present, start;
};
OKNO_VEC(onvif_event_vec, struct onvif_event);

/* Append the events of a track ("": of any) that one answer of a search holds, and whether it is
 * done. OKNO_PROTOCOL, OKNO_TOO_LARGE. */
OKNO_CHECK int onvif_read_events(const char *text, size_t len, const char *track,
                                 struct onvif_event_vec *events, bool *ret_done,
                                 struct okno_err *err);

/* Append the stretches that they tell inside [from, to): sorted here. Without events the outer
 * bounds are all that is known (OKNO_SPAN_APPROX). */
OKNO_CHECK int onvif_spans(struct onvif_event_vec *events, const struct onvif_recording *recording,
                           int64_t from_us, int64_t to_us, int64_t now_us,
                           struct okno_span_vec *spans, struct okno_err *err);

/* The address that an answer names, at the host that is configured: recorders behind a router name
 * one that only they know. `scheme`://HOST:PORT of `own`; with `port` that one, or its own when
 * that is "". OKNO_PROTOCOL. */
OKNO_CHECK int onvif_at_home(const char *own, const char *named, const char *scheme,
                             const char *port, char *ret_url, size_t size, struct okno_err *err);

#endif

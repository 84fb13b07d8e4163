/* Ways to look at an archive's clock. Private to video/archive. */
#ifndef OKNO_VIDEO_ARCHIVE_PROBE_H
#define OKNO_VIDEO_ARCHIVE_PROBE_H

#include "okno/archive.h"

/* ---- a clock that tells whole seconds only (HTTP Date, ONVIF) ---- */

/* Asking it, and waiting; ours is microseconds UTC that never jump meanwhile. */
struct probe_clock {
    void *ctx;
    int64_t (*now)(void *ctx);
    void (*sleep_until)(void *ctx, int64_t us);
    /* The whole second that it told (UTC microseconds), between two moments of ours. */
    int (*ask)(void *ctx, int64_t *ret_before_us, int64_t *ret_after_us, int64_t *ret_told_us,
               struct okno_err *err);
};

enum { PROBE_ASKS = 9 };

/* Find where its second begins: what it told bounds the offset by a second and the round trip; each
 * next question is put where the edge would split what is left in two. Ends when less than a round
 * trip can be gained, or after PROBE_ASKS questions, some 5 s. OKNO_PROTOCOL when the answers
 * contradict each other: it was set meanwhile, or more than one machine answers. */
OKNO_CHECK int probe_edges(const struct probe_clock *clock, const char *method,
                           struct okno_archive_clock *ret_clock, struct okno_err *err);

/* The Date header of what answers at the archive's URL. */
OKNO_CHECK int probe_http(const struct okno_archive_config *config, struct okno_budget *budget,
                          struct okno_archive_clock *ret_clock, struct okno_err *err);

/* ONVIF GetSystemDateAndTime of the device service at `url`; "": at the archive's host. Whoever
 * gives local time only is understood by its POSIX zone. */
OKNO_CHECK int probe_onvif(const struct okno_archive_config *config, const char *url,
                           struct okno_budget *budget, struct okno_archive_clock *ret_clock,
                           struct okno_err *err);

/* The UTC time in an answer to GetSystemDateAndTime. Pure. OKNO_PROTOCOL. */
OKNO_CHECK int probe_onvif_time(const char *xml, size_t len, int64_t *ret_us, struct okno_err *err);

/* ---- SNTP (RFC 4330, RFC 5905) ---- */

enum { SNTP_BYTES = 48 };

/* A request at a moment of ours, and what an answer says of the clock. Pure. OKNO_PROTOCOL for an
 * answer to something else, OKNO_ARCHIVE_REFUSED for a server that says that it does not know the
 * time or wants to be left alone. */
void sntp_request(int64_t sent_us, uint8_t ret_bytes[SNTP_BYTES]);
OKNO_CHECK int sntp_answer(const uint8_t *bytes, size_t len, int64_t sent_us, int64_t arrived_us,
                           struct okno_archive_clock *ret_clock, struct okno_err *err);

/* Ask host:port ("": the archive's host, port 123) some times; the quickest answer counts. */
OKNO_CHECK int probe_sntp(const struct okno_archive_config *config, const char *server,
                          struct okno_budget *budget, struct okno_archive_clock *ret_clock,
                          struct okno_err *err);

/* Host and port of a URL or of "host:port"; false when there is none. */
bool probe_host(const char *text, char *ret_host, size_t host_size, char *ret_port,
                size_t port_size);

#endif

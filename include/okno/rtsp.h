/* RTSP sessions (RFC 2326) whose packets come interleaved in the one connection that is asked.
 * Login, address rule and budget are those of an okno_net; requests are said to libcurl.
 *
 * Errors as in net.h, and: OKNO_NOT_FOUND also for 457 (nothing lies in the range),
 * OKNO_ARCHIVE_BUSY for 453 and 503, OKNO_ARCHIVE_REFUSED with the status in okno_rtsp_status for
 * 461 and 551. */
#ifndef OKNO_RTSP_H
#define OKNO_RTSP_H

#include "okno/net.h"

struct okno_rtsp_config {
    struct okno_net *net; /* must outlive the session */
    const char *url;      /* rtsp://, copied; the host that is asked, whatever the answers name */
    int64_t deadline_us;  /* of one request, relative */
    /* An RTP or RTCP packet of a channel; a negative code ends what is under way with it. */
    int (*packet)(void *ctx, int channel, const uint8_t *bytes, size_t len, struct okno_err *err);
    void *ctx;
};

struct okno_rtsp;

/* Connects to nobody. OKNO_INVALID: not an rtsp URL. */
OKNO_CHECK int okno_rtsp_open(const struct okno_rtsp_config *config, struct okno_rtsp **ret_rtsp,
                              struct okno_err *err);
/* Says goodbye where a session was set up. NULL allowed. */
void okno_rtsp_close(struct okno_rtsp *rtsp);
OKNO_CLEANUP(okno_rtsp, okno_rtsp_close);

/* What the last reply said; "" for none. */
struct okno_rtsp_reply {
    int status;
    char base[1024]; /* Content-Base */
    char range[128]; /* of PLAY */
    char info[1024]; /* RTP-Info */
    int64_t date_us; /* -1 unknown */
};
const struct okno_rtsp_reply *okno_rtsp_reply(const struct okno_rtsp *rtsp);

/* The description of what there is, into `sdp` (emptied first), at most its maximum. */
OKNO_CHECK int okno_rtsp_describe(struct okno_rtsp *rtsp, struct okno_buf *sdp,
                                  struct okno_err *err);

/* Have the stream of a control address sent as `channel` (even). `headers`: "Name: value", NULL at
 * the end; NULL: none. */
OKNO_CHECK int okno_rtsp_setup(struct okno_rtsp *rtsp, const char *control, int channel,
                               const char *const *headers, struct okno_err *err);

/* `range` as the header has it. Packets may come before this returns. */
OKNO_CHECK int okno_rtsp_play(struct okno_rtsp *rtsp, const char *control, const char *range,
                              const char *const *headers, struct okno_err *err);

/* Wait for packets and hand them on; the recorder is told now and then that somebody listens, as
 * often as its session's timeout wants. 1; 0 when the other side has closed the connection, or
 * nothing came for idle_us. */
OKNO_CHECK int okno_rtsp_receive(struct okno_rtsp *rtsp, int64_t idle_us, struct okno_err *err);

#endif

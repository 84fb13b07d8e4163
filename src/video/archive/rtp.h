/* RTP as replays send it (RFC 3550, ONVIF Streaming 6: the time of each frame in a header
 * extension), and the little of SDP (RFC 4566) that says what it is. Pure. Private to
 * video/archive.
 *
 * What is kept of a replay, format "rtp" (media/rtp.c reads it): four bytes, the length of the
 * description, most significant first; the description, made anew from the lines that are needed;
 * then each packet behind two bytes, its length. Packets have the plain header of 12 bytes, numbers
 * of their own, and time stamps that follow the recorder's times where it tells them. */
#ifndef OKNO_VIDEO_ARCHIVE_RTP_H
#define OKNO_VIDEO_ARCHIVE_RTP_H

#include "okno/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTP_SDP = 12 * 1024, RTP_PACKET = 65535, RTP_HEAD = 12, RTP_STAMP0 = 90000 };

/* The first video that a description offers. */
struct rtp_media {
    char control[1024]; /* as written; "" when it has none */
    char session_control[1024];
    uint8_t type;      /* of payload */
    int clock_rate;    /* ticks a second */
    char sdp[RTP_SDP]; /* of this video alone */
    size_t sdp_len;
};

/* OKNO_PROTOCOL: no description, or no video in it; OKNO_UNSUPPORTED names a codec that is not
 * read; OKNO_TOO_LARGE. */
OKNO_CHECK int rtp_describe(const char *sdp, size_t len, struct rtp_media *ret_media,
                            struct okno_err *err);

/* The address to set a stream up with: its control, alone or below the base. False when too long.
 */
bool rtp_control(const char *base, const char *control, char *ret_url, size_t size);

enum rtp_flags {
    RTP_CLEAN = 0x80,   /* can be decoded without what came before */
    RTP_SECTION = 0x40, /* the last of a stretch */
    RTP_JUMP = 0x20,    /* something is missing before it */
    RTP_LAST = 0x10     /* the last of the replay */
};

struct rtp_packet {
    uint32_t stamp;
    bool marker;
    uint8_t type;
    const uint8_t *payload; /* inside the packet's bytes */
    size_t len;
    bool timed; /* the frame's time is told here */
    int64_t utc_us;
    unsigned flags; /* enum rtp_flags */
};

/* False for what is not RTP: skipped. */
bool rtp_read(const uint8_t *bytes, size_t len, struct rtp_packet *ret_packet);

/* The line on which a replay's frames lie. */
struct rtp_line {
    int clock_rate;
    bool begun, timed;
    uint32_t first_stamp, stamp; /* as they came */
    int64_t first_utc_us;
    int64_t ticks; /* of the current frame, since the first one's */
    uint16_t number;
};

/* Put a packet on it: *ret_ticks since the first frame. A frame begins where the stamp changes:
 * *ret_frame. OKNO_PROTOCOL for times that cannot be: a day apart, or backwards by more than
 * reordering takes. */
OKNO_CHECK int rtp_place(struct rtp_line *line, const struct rtp_packet *packet, int64_t *ret_ticks,
                         bool *ret_frame, struct okno_err *err);

/* The packet as it is kept, with its length before it; the number of bytes. `ret_bytes` has room
 * for 2 + RTP_HEAD + packet->len. */
size_t rtp_write(struct rtp_line *line, const struct rtp_packet *packet, int64_t ticks,
                 uint8_t *ret_bytes);

/* "clock=20260310T140330.000Z-20260310T140400.000Z", both outwards to the millisecond. */
void rtp_clock_range(int64_t from_us, int64_t to_us, char ret_text[80]);
/* The start that a Range header tells by clock; false when it does not. */
bool rtp_clock_start(const char *range, int64_t *ret_us);

#endif

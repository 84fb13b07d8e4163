#define _POSIX_C_SOURCE 200809L
#include "rtp.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    VERSION = 2,
    ABAC = 0xabac, /* the extension of ONVIF replays */
    ABAC_WORDS = 3,
    SDP_MAX = 256 * 1024,
    JPEG_TYPE = 26, /* has no line of its own */
};

#define NTP_TO_UNIX_S INT64_C(2208988800)

/* Reordered frames lie that far behind the newest at most. */
#define BACK_US (2 * OKNO_SECOND_US)

/* --- the description -------------------------------------------------------------------------- */

/* What the demuxer takes apart. */
static const char *const codecs[] = {"H264", "H265", "JPEG", "MP4V-ES"};

struct line {
    const char *text; /* behind the "x=" */
    int len;
    char kind;
};

/* The next line; false at the end. */
static bool next_line(const char **at, const char *end, struct line *ret_line)
{
    while (*at < end) {
        const char *text = *at;
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        const char *last = stop ? stop : end;
        *at = stop ? stop + 1 : end;
        while (last > text && (last[-1] == '\r' || last[-1] == '\n'))
            last--;
        if (last - text < 2 || text[1] != '=' || memchr(text, '\0', (size_t)(last - text)))
            continue;
        *ret_line = (struct line){.text = text + 2, .len = (int)(last - text - 2), .kind = text[0]};
        return true;
    }
    return false;
}

/* "name:" or "name " at the beginning; what follows it, or NULL. */
static const char *after(const struct line *line, const char *name)
{
    size_t len = strlen(name);
    return (size_t)line->len >= len && strncasecmp(line->text, name, len) == 0 ? line->text + len
                                                                               : NULL;
}

static int add_line(struct rtp_media *media, char kind, const char *text, int len,
                    struct okno_err *err)
{
    size_t room = sizeof(media->sdp) - media->sdp_len;
    int made = snprintf(media->sdp + media->sdp_len, room, "%c=%.*s\r\n", kind, len, text);
    if (made < 0 || (size_t)made >= room)
        return okno_fail(err, OKNO_TOO_LARGE,
                         "the description of the video is longer than %d bytes", RTP_SDP);
    media->sdp_len += (size_t)made;
    return 0;
}

static void keep_control(const struct line *line, const char *text, char *into, size_t size)
{
    size_t len = (size_t)(line->text + line->len - text);
    if (len < size) {
        memcpy(into, text, len);
        into[len] = '\0';
    }
}

/* "96 H264/90000" */
static int read_map(const struct line *line, const char *text, struct rtp_media *media,
                    struct okno_err *err)
{
    const char *end = line->text + line->len;
    const char *name = memchr(text, ' ', (size_t)(end - text));
    const char *slash = name ? memchr(name, '/', (size_t)(end - name)) : NULL;
    int len = slash ? (int)(slash - name - 1) : 0;
    bool known = false;
    for (size_t i = 0; slash && i < OKNO_COUNT(codecs); i++)
        known = known || (strlen(codecs[i]) == (size_t)len &&
                          strncasecmp(name + 1, codecs[i], (size_t)len) == 0);
    bool word = slash && len > 0;
    for (int i = 0; i < len; i++)
        word = word && isgraph((unsigned char)name[1 + i]);
    if (!word)
        return okno_fail(err, OKNO_PROTOCOL, "the description of the video cannot be read");
    if (!known)
        return okno_fail(
            err, OKNO_UNSUPPORTED,
            "video of the codec %.*s is not read from replays; set H.264 or H.265 there",
            len < 40 ? len : 40, name + 1);
    char digits[12] = "";
    (void)snprintf(digits, sizeof(digits), "%.*s",
                   (int)(end - slash - 1 < 11 ? end - slash - 1 : 11), slash + 1);
    long rate = strtol(digits, NULL, 10);
    if (rate < 1000 || rate > 10000000)
        return okno_fail(err, OKNO_PROTOCOL, "the video's clock of %.11s Hz cannot be", digits);
    media->clock_rate = (int)rate;
    return add_line(media, 'a', line->text, line->len, err);
}

/* The first payload type of "video 0 RTP/AVP 96 97"; -1 when it is no such line. */
static int type_of(const char *text)
{
    const char *protocol = strstr(text, " RTP/");
    const char *number = protocol ? strchr(protocol + 1, ' ') : NULL;
    char *end = NULL;
    long type = number ? strtol(number, &end, 10) : -1;
    return number && end != number && type >= 0 && type <= 127 ? (int)type : -1;
}

static int read_media(const struct line *line, struct rtp_media *media, struct okno_err *err)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%.*s", line->len < 255 ? line->len : 255, line->text);
    int type = type_of(text);
    if (type < 0)
        return okno_fail(err, OKNO_PROTOCOL, "the description of the video cannot be read");
    media->type = (uint8_t)type;
    media->clock_rate = type == JPEG_TYPE ? 90000 : 0;
    (void)snprintf(text, sizeof(text), "video 0 RTP/AVP %d", type);
    return add_line(media, 'm', text, (int)strlen(text), err);
}

/* A line about the payload type, "fmtp:96 ...". */
static const char *about(const struct line *line, const char *name, const struct rtp_media *media)
{
    const char *text = after(line, name);
    const char *end = line->text + line->len;
    const char *blank = text ? memchr(text, ' ', (size_t)(end - text)) : NULL;
    char number[4] = "";
    size_t len = blank ? (size_t)(blank - text) : 0;
    if (len == 0 || len >= sizeof(number))
        return NULL;
    memcpy(number, text, len);
    return strspn(number, "0123456789") == len && strtol(number, NULL, 10) == media->type ? text
                                                                                          : NULL;
}

static int read_attribute(const struct line *line, bool inside, struct rtp_media *media,
                          struct okno_err *err)
{
    const char *control = after(line, "control:");
    const char *map = inside ? about(line, "rtpmap:", media) : NULL;
    if (control && inside)
        keep_control(line, control, media->control, sizeof(media->control));
    else if (control)
        keep_control(line, control, media->session_control, sizeof(media->session_control));
    else if (map)
        return read_map(line, map, media, err);
    else if (inside && about(line, "fmtp:", media))
        return add_line(media, 'a', line->text, line->len, err);
    return 0;
}

int rtp_describe(const char *sdp, size_t len, struct rtp_media *ret_media, struct okno_err *err)
{
    static const char head[] = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";
    const char *end = sdp + len;
    struct line line = {0};
    bool inside = false, session = true, found = false;
    *ret_media = (struct rtp_media){.sdp_len = sizeof(head) - 1};
    memcpy(ret_media->sdp, head, sizeof(head));
    int rc = len > SDP_MAX ? okno_fail(err, OKNO_TOO_LARGE, "a description of %zu bytes", len) : 0;
    while (rc == 0 && next_line(&sdp, end, &line)) {
        if (line.kind == 'm') {
            session = false;
            inside = !found && after(&line, "video ");
            found = found || inside;
            rc = inside ? read_media(&line, ret_media, err) : 0;
        } else if (line.kind == 'a' && (inside || session)) {
            rc = read_attribute(&line, inside, ret_media, err);
        }
    }
    if (rc == 0 && ret_media->clock_rate == 0)
        rc = okno_fail(err, OKNO_PROTOCOL,
                       found ? "the description does not say how the video is coded"
                             : "the description tells of no video");
    return rc;
}

bool rtp_control(const char *base, const char *control, char *ret_url, size_t size)
{
    bool whole = strncasecmp(control, "rtsp://", 7) == 0;
    size_t len = strlen(base);
    bool slash = len > 0 && base[len - 1] == '/';
    if (!control[0] || strcmp(control, "*") == 0)
        return (size_t)snprintf(ret_url, size, "%s", base) < size;
    if (whole)
        return (size_t)snprintf(ret_url, size, "%s", control) < size;
    return (size_t)snprintf(ret_url, size, "%s%s%s", base, slash ? "" : "/", control) < size;
}

/* --- packets ---------------------------------------------------------------------------------- */

static uint32_t be16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t be32(const uint8_t *at)
{
    return be16(at) << 16 | be16(at + 2);
}

static void read_extension(const uint8_t *at, uint32_t words, uint32_t profile,
                           struct rtp_packet *packet)
{
    if (profile != ABAC || words < ABAC_WORDS)
        return;
    packet->timed = true;
    packet->utc_us = ((int64_t)be32(at) - NTP_TO_UNIX_S) * OKNO_SECOND_US +
                     (int64_t)(((uint64_t)be32(at + 4) * 1000000 + (UINT64_C(1) << 31)) >> 32);
    packet->flags = at[8] & 0xf0;
}

bool rtp_read(const uint8_t *bytes, size_t len, struct rtp_packet *ret_packet)
{
    if (len < RTP_HEAD || len > RTP_PACKET || bytes[0] >> 6 != VERSION)
        return false;
    size_t head = RTP_HEAD + 4 * (size_t)(bytes[0] & 15);
    struct rtp_packet packet = {
        .stamp = be32(bytes + 4), .marker = bytes[1] >> 7, .type = bytes[1] & 127};
    if (bytes[0] & 0x10) {
        if (len < head + 4)
            return false;
        uint32_t words = be16(bytes + head + 2);
        if (len - head - 4 < 4 * (size_t)words)
            return false;
        read_extension(bytes + head + 4, words, be16(bytes + head), &packet);
        head += 4 + 4 * (size_t)words;
    }
    size_t padding = bytes[0] & 0x20 ? bytes[len - 1] : 0;
    if (head + padding > len)
        return false;
    packet.payload = bytes + head;
    packet.len = len - head - padding;
    *ret_packet = packet;
    return true;
}

static int64_t ticks_of(const struct rtp_line *line, int64_t us)
{
    int64_t whole = us / OKNO_SECOND_US;
    return whole * line->clock_rate + (us % OKNO_SECOND_US * line->clock_rate) / OKNO_SECOND_US;
}

int rtp_place(struct rtp_line *line, const struct rtp_packet *packet, int64_t *ret_ticks,
              bool *ret_frame, struct okno_err *err)
{
    bool first = !line->begun;
    bool frame = first || packet->stamp != line->stamp;
    int64_t ticks = line->ticks;
    if (first) {
        line->begun = true;
        line->timed = packet->timed;
        line->first_stamp = packet->stamp;
        line->first_utc_us = packet->utc_us;
    } else if (frame && packet->timed && line->timed) {
        int64_t ahead = packet->utc_us - line->first_utc_us;
        if (ahead < -OKNO_DAY_US || ahead > OKNO_DAY_US)
            return okno_fail(err, OKNO_PROTOCOL, "frames of one replay lie more than a day apart");
        ticks = ticks_of(line, ahead);
    } else if (frame) {
        ticks += (int32_t)(packet->stamp - line->stamp);
    }
    if (ticks < line->ticks - ticks_of(line, BACK_US) || ticks < -ticks_of(line, BACK_US) ||
        ticks - line->ticks > ticks_of(line, OKNO_DAY_US / 6))
        return okno_fail(err, OKNO_PROTOCOL, "the times of a replay's frames jump");
    line->stamp = packet->stamp;
    line->ticks = ticks;
    *ret_ticks = ticks;
    *ret_frame = frame;
    return 0;
}

size_t rtp_write(struct rtp_line *line, const struct rtp_packet *packet, int64_t ticks,
                 uint8_t *ret_bytes)
{
    size_t len = RTP_HEAD + packet->len;
    uint32_t stamp = (uint32_t)(ticks + RTP_STAMP0 * 10);
    const uint8_t head[2 + RTP_HEAD] = {(uint8_t)(len >> 8),
                                        (uint8_t)len,
                                        VERSION << 6,
                                        (uint8_t)(packet->marker << 7 | packet->type),
                                        (uint8_t)(line->number >> 8),
                                        (uint8_t)line->number,
                                        (uint8_t)(stamp >> 24),
                                        (uint8_t)(stamp >> 16),
                                        (uint8_t)(stamp >> 8),
                                        (uint8_t)stamp,
                                        'o',
                                        'k',
                                        'n',
                                        'o'};
    line->number++;
    memcpy(ret_bytes, head, sizeof(head));
    memcpy(ret_bytes + sizeof(head), packet->payload, packet->len);
    return sizeof(head) + packet->len;
}

/* --- ranges ----------------------------------------------------------------------------------- */

static void format_clock(int64_t us, char ret_text[32])
{
    struct okno_civil c;
    okno_time_to_civil(us, &c);
    (void)snprintf(ret_text, 32, "%04d%02d%02dT%02d%02d%02d.%03dZ", c.year % 10000, c.month % 100,
                   c.day % 100, c.hour % 100, c.minute % 100, c.second % 100,
                   c.micro / 1000 % 1000);
}

void rtp_clock_range(int64_t from_us, int64_t to_us, char ret_text[80])
{
    char from[32], to[32];
    format_clock(from_us, from);
    format_clock(to_us + 999, to);
    (void)snprintf(ret_text, 80, "clock=%s-%s", from, to);
}

bool rtp_clock_start(const char *range, int64_t *ret_us)
{
    struct okno_scanned_time time = {0};
    char text[40];
    if (strncasecmp(range, "clock=", 6) != 0)
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(range + 6, "-"), range + 6);
    if (okno_time_scan("%Y%m%dT%H%M%S%z", text, &time, NULL) < 0 || time.offset_us != 0)
        return false;
    *ret_us = okno_time_from_civil(&time.civil);
    return true;
}

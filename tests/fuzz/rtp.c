/* What a recorder replays: its description, its packets (each behind two bytes of length), the
 * ranges that it tells. */
#include "fuzz.h"

#include "../../src/video/archive/rtp.h"

#include "okno/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void description(const uint8_t *data, size_t size)
{
    static struct rtp_media media;
    struct okno_err err = {0};
    char url[256];
    int rc = rtp_describe((const char *)data, size, &media, &err);
    FUZZ_HOLDS((rc < 0) == (err.code != 0));
    FUZZ_HOLDS(media.sdp_len < sizeof(media.sdp) && strlen(media.sdp) == media.sdp_len);
    FUZZ_HOLDS(rc < 0 || (media.type < 128 && media.clock_rate >= 1000));
    if (rtp_control("rtsp://h/", media.control, url, sizeof(url)))
        FUZZ_HOLDS(strncasecmp(url, "rtsp://", 7) == 0);
}

static void packets(const uint8_t *data, size_t size)
{
    static uint8_t kept[2 + RTP_HEAD + RTP_PACKET];
    struct rtp_line line = {.clock_rate = 90000};
    while (size >= 2) {
        size_t len = (size_t)data[0] << 8 | data[1];
        struct rtp_packet packet, again;
        struct okno_err err = {0};
        int64_t ticks = 0;
        bool frame = false;
        data += 2;
        size -= 2;
        len = len < size ? len : size;
        if (rtp_read(data, len, &packet)) {
            FUZZ_HOLDS(packet.payload >= data && packet.payload + packet.len <= data + len);
            int rc = rtp_place(&line, &packet, &ticks, &frame, &err);
            FUZZ_HOLDS((rc < 0) == (err.code != 0));
            if (rc < 0)
                return;
            size_t made = rtp_write(&line, &packet, ticks, kept);
            FUZZ_HOLDS(made == 2 + RTP_HEAD + packet.len);
            FUZZ_HOLDS(rtp_read(kept + 2, made - 2, &again) && again.len == packet.len &&
                       again.marker == packet.marker && !again.timed);
        }
        data += len;
        size -= len;
    }
}

void fuzz_rtp(const uint8_t *data, size_t size)
{
    okno_autofree char *text = fuzz_text(data, size);
    int64_t us = 0;
    (void)rtp_clock_start(text, &us);
    description(data, size);
    packets(data, size);
}

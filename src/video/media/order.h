/* When pictures without a time of their own are shown. MPEG program streams give a time to the
 * packet that a picture begins in, so the second picture in it has none. Its place among the others
 * stands in its head (H.264: picture order count). */
#ifndef MEDIA_ORDER_H
#define MEDIA_ORDER_H

#include <libavcodec/avcodec.h>

struct media_order;

/* NULL where there is no memory, or the codec's pictures do not say their order. */
struct media_order *media_order_new(const AVCodecParameters *codec);
void media_order_free(struct media_order *order);

/* Take each video packet in turn. One without a time gets pts and dts where the ones before it
 * allow that: `last_dts` of the packet before, frame: ticks from frame to frame. */
void media_order_stamp(struct media_order *order, AVPacket *packet, int64_t last_dts,
                       int64_t frame);

#endif

#include "order.h"

#include <stdbool.h>
#include <stdlib.h>

enum { KNOWN = 8 };

struct picture {
    int64_t pts;
    int number; /* place in order of display; counts anew at key frames */
};

struct media_order {
    AVCodecParserContext *parser;
    AVCodecContext *context;
    struct picture known[KNOWN]; /* since the last key frame; count % KNOWN is the oldest */
    size_t count;
    int64_t ticks, places; /* so many ticks are so many places; 0: not known yet */
};

struct media_order *media_order_new(const AVCodecParameters *codec)
{
    bool says = codec->codec_id == AV_CODEC_ID_H264 || codec->codec_id == AV_CODEC_ID_HEVC;
    struct media_order *order = says ? calloc(1, sizeof(*order)) : NULL;
    if (!order)
        return NULL;
    order->parser = av_parser_init(codec->codec_id);
    order->context = avcodec_alloc_context3(NULL);
    if (!order->parser || !order->context ||
        avcodec_parameters_to_context(order->context, codec) < 0) {
        media_order_free(order);
        return NULL;
    }
    order->parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    return order;
}

void media_order_free(struct media_order *order)
{
    if (!order)
        return;
    av_parser_close(order->parser);
    avcodec_free_context(&order->context);
    free(order);
}

static int number_of(struct media_order *order, const AVPacket *packet)
{
    uint8_t *out = NULL;
    int len = 0;
    (void)av_parser_parse2(order->parser, order->context, &out, &len, packet->data, packet->size,
                           packet->pts, packet->dts, 0);
    return order->parser->output_picture_number;
}

static const struct picture *newest(const struct media_order *order)
{
    return order->count > 0 ? &order->known[(order->count - 1) % KNOWN] : NULL;
}

/* Whether a time agrees with the order: libavformat gives a picture without one that of the next,
 * sometimes. */
static bool is_sane(const struct media_order *order, int64_t pts, int number)
{
    for (size_t i = 0; i < KNOWN && i < order->count; i++)
        if ((pts > order->known[i].pts) != (number > order->known[i].number))
            return false;
    return true;
}

/* How far apart two pictures are that both have a time. */
static void learn(struct media_order *order, int64_t pts, int number)
{
    const struct picture *last = newest(order);
    if (!last || pts == last->pts || number == last->number)
        return;
    order->ticks = llabs(pts - last->pts);
    order->places = llabs((int64_t)number - last->number);
}

void media_order_stamp(struct media_order *order, AVPacket *packet, int64_t last_dts, int64_t frame)
{
    int number = number_of(order, packet);
    bool key = packet->flags & AV_PKT_FLAG_KEY;
    if (key || last_dts == AV_NOPTS_VALUE) /* counts anew, or after a jump */
        order->count = 0;
    const struct picture *last = newest(order);
    bool timed = packet->pts != AV_NOPTS_VALUE && is_sane(order, packet->pts, number);
    if (timed) {
        learn(order, packet->pts, number);
    } else if (last_dts != AV_NOPTS_VALUE && (key || (last && order->places > 0))) {
        packet->dts = last_dts + frame;
        packet->pts = key ? packet->dts + frame * order->context->has_b_frames
                          : last->pts + av_rescale((int64_t)number - last->number, order->ticks,
                                                   order->places);
    }
    if (packet->pts != AV_NOPTS_VALUE)
        order->known[order->count++ % KNOWN] = (struct picture){packet->pts, number};
}

#define _POSIX_C_SOURCE 200809L
#include "entry.h"

#include "box.h"

#include "okno/mem.h"

#include <libavutil/pixdesc.h>

/* How a codec's configuration is written. */
enum config { CONFIG_NONE, CONFIG_BOX, CONFIG_ESDS, CONFIG_VPCC, CONFIG_OPUS };

struct kind {
    enum AVCodecID id;
    enum config config;
    char type[5];   /* of the entry */
    char record[5]; /* CONFIG_BOX: of the box that holds the extradata */
    uint8_t object; /* CONFIG_ESDS: object type indication (ISO/IEC 14496-1, and mp4ra.org) */
    bool raw;       /* each moment of the sound is a sample */
};

static const struct kind kinds[] = {
    {AV_CODEC_ID_H264, CONFIG_BOX, "avc1", "avcC", 0, false},
    {AV_CODEC_ID_HEVC, CONFIG_BOX, "hvc1", "hvcC", 0, false},
    {AV_CODEC_ID_AV1, CONFIG_BOX, "av01", "av1C", 0, false},
    {AV_CODEC_ID_VP9, CONFIG_VPCC, "vp09", "vpcC", 0, false},
    {AV_CODEC_ID_MPEG4, CONFIG_ESDS, "mp4v", "", 0x20, false},
    {AV_CODEC_ID_MPEG2VIDEO, CONFIG_ESDS, "mp4v", "", 0x61, false},
    {AV_CODEC_ID_MPEG1VIDEO, CONFIG_ESDS, "mp4v", "", 0x6a, false},
    {AV_CODEC_ID_MJPEG, CONFIG_ESDS, "mp4v", "", 0x6c, false},
    {AV_CODEC_ID_AAC, CONFIG_ESDS, "mp4a", "", 0x40, false},
    {AV_CODEC_ID_MP3, CONFIG_ESDS, "mp4a", "", 0x6b, false},
    {AV_CODEC_ID_MP2, CONFIG_ESDS, "mp4a", "", 0x6b, false},
    {AV_CODEC_ID_OPUS, CONFIG_OPUS, "Opus", "dOps", 0, false},
    {AV_CODEC_ID_PCM_ALAW, CONFIG_NONE, "alaw", "", 0, true},
    {AV_CODEC_ID_PCM_MULAW, CONFIG_NONE, "ulaw", "", 0, true},
    {AV_CODEC_ID_PCM_S16LE, CONFIG_NONE, "sowt", "", 0, true},
    {AV_CODEC_ID_PCM_S16BE, CONFIG_NONE, "twos", "", 0, true},
};

static const struct kind *kind_find(enum AVCodecID id)
{
    for (size_t i = 0; i < OKNO_COUNT(kinds); i++)
        if (kinds[i].id == id)
            return &kinds[i];
    return NULL;
}

bool media_entry_knows(enum AVCodecID id)
{
    return kind_find(id) != NULL;
}

static bool is_wide(enum AVCodecID id)
{
    return id == AV_CODEC_ID_PCM_S16LE || id == AV_CODEC_ID_PCM_S16BE;
}

uint32_t media_entry_frame_bytes(const AVCodecParameters *codec)
{
    const struct kind *kind = kind_find(codec->codec_id);
    uint32_t channels =
        codec->ch_layout.nb_channels > 0 ? (uint32_t)codec->ch_layout.nb_channels : 1;
    return kind && kind->raw ? channels * (is_wide(codec->codec_id) ? 2 : 1) : 0;
}

/* --- configurations --------------------------------------------------------------------------- */

static size_t extra_len(const AVCodecParameters *codec)
{
    return codec->extradata && codec->extradata_size > 0 ? (size_t)codec->extradata_size : 0;
}

static void descriptor(struct media_box_out *out, uint8_t tag, size_t len)
{
    media_box_put(out, tag, 1);
    media_box_put(out, 0x80 | (len >> 21 & 0x7f), 1);
    media_box_put(out, 0x80 | (len >> 14 & 0x7f), 1);
    media_box_put(out, 0x80 | (len >> 7 & 0x7f), 1);
    media_box_put(out, len & 0x7f, 1);
}

static void esds_add(struct media_box_out *out, const AVCodecParameters *codec, uint8_t object)
{
    enum { HEAD = 5, DECODER = 13 };
    size_t extra = extra_len(codec);
    size_t specific = extra > 0 ? HEAD + extra : 0;
    bool video = codec->codec_type == AVMEDIA_TYPE_VIDEO;
    size_t box = media_box_begin_full(out, "esds", 0);
    descriptor(out, 3, 3 + HEAD + DECODER + specific + HEAD + 1);
    media_box_zeros(out, 3); /* number, no flags */
    descriptor(out, 4, DECODER + specific);
    media_box_put(out, object, 1);
    media_box_put(out, video ? 0x11 : 0x15, 1);
    media_box_zeros(out, 3 + 4 + 4); /* buffer and rates: not told */
    if (extra > 0) {
        descriptor(out, 5, extra);
        media_box_bytes(out, codec->extradata, extra);
    }
    descriptor(out, 6, 1);
    media_box_put(out, 2, 1);
    media_box_end(out, box);
}

/* VP Codec ISO Media File Format Binding, version 1. */
static void vpcc_add(struct media_box_out *out, const AVCodecParameters *codec)
{
    const AVPixFmtDescriptor *about = av_pix_fmt_desc_get((enum AVPixelFormat)codec->format);
    uint64_t depth = about ? (uint64_t)about->comp[0].depth : 8;
    uint64_t chroma = !about || about->log2_chroma_h ? 1 : about->log2_chroma_w ? 2 : 3;
    bool full = codec->color_range == AVCOL_RANGE_JPEG;
    size_t box = media_box_begin_full(out, "vpcC", 0x01000000);
    media_box_put(out, codec->profile > 0 ? (uint64_t)codec->profile : 0, 1);
    media_box_put(out, codec->level > 0 ? (uint64_t)codec->level : 10, 1);
    media_box_put(out, depth << 4 | chroma << 1 | full, 1);
    media_box_put(out, codec->color_primaries, 1);
    media_box_put(out, codec->color_trc, 1);
    media_box_put(out, codec->color_space, 1);
    media_box_zeros(out, 2);
    media_box_end(out, box);
}

/* From the head that Matroska keeps (RFC 7845), whose numbers begin with the low byte. */
static void opus_add(struct media_box_out *out, const AVCodecParameters *codec)
{
    const uint8_t *head = codec->extradata;
    if (extra_len(codec) < 19 || head[18] != 0) {
        out->rc = okno_fail(out->err, OKNO_UNSUPPORTED, "a layout of Opus channels");
        return;
    }
    size_t box = media_box_begin(out, "dOps");
    media_box_put(out, 0, 1);
    media_box_put(out, head[9], 1);
    media_box_put(out, (uint64_t)head[11] << 8 | head[10], 2);
    for (int i = 15; i >= 12; i--)
        media_box_put(out, head[i], 1);
    media_box_put(out, (uint64_t)head[17] << 8 | head[16], 2);
    media_box_put(out, 0, 1);
    media_box_end(out, box);
}

static void config_add(struct media_box_out *out, const AVCodecParameters *codec,
                       const struct kind *kind)
{
    if (kind->config == CONFIG_BOX) {
        size_t box = media_box_begin(out, kind->record);
        media_box_bytes(out, codec->extradata, extra_len(codec));
        media_box_end(out, box);
    } else if (kind->config == CONFIG_ESDS) {
        esds_add(out, codec, kind->object);
    } else if (kind->config == CONFIG_VPCC) {
        vpcc_add(out, codec);
    } else if (kind->config == CONFIG_OPUS) {
        opus_add(out, codec);
    }
}

/* --- entries ---------------------------------------------------------------------------------- */

static void colour_add(struct media_box_out *out, const AVCodecParameters *codec)
{
    if (codec->color_primaries == AVCOL_PRI_UNSPECIFIED &&
        codec->color_trc == AVCOL_TRC_UNSPECIFIED && codec->color_space == AVCOL_SPC_UNSPECIFIED)
        return;
    size_t box = media_box_begin(out, "colr");
    media_box_bytes(out, "nclx", 4);
    media_box_put(out, codec->color_primaries, 2);
    media_box_put(out, codec->color_trc, 2);
    media_box_put(out, codec->color_space, 2);
    media_box_put(out, codec->color_range == AVCOL_RANGE_JPEG ? 0x80 : 0, 1);
    media_box_end(out, box);
}

static void picture_add(struct media_box_out *out, const AVCodecParameters *codec,
                        AVRational aspect, const struct kind *kind)
{
    media_box_zeros(out, 16);
    media_box_put(out, (uint64_t)codec->width, 2);
    media_box_put(out, (uint64_t)codec->height, 2);
    media_box_put(out, 72 << 16, 4); /* pixels an inch, as everybody writes it */
    media_box_put(out, 72 << 16, 4);
    media_box_zeros(out, 4);
    media_box_put(out, 1, 2); /* one picture in a sample */
    media_box_zeros(out, 32); /* the encoder's name */
    media_box_put(out, 24, 2);
    media_box_put(out, 0xffff, 2);
    config_add(out, codec, kind);
    colour_add(out, codec);
    if (aspect.num <= 0 || aspect.den <= 0)
        return;
    size_t box = media_box_begin(out, "pasp");
    media_box_put(out, (uint64_t)aspect.num, 4);
    media_box_put(out, (uint64_t)aspect.den, 4);
    media_box_end(out, box);
}

static void sound_add(struct media_box_out *out, const AVCodecParameters *codec,
                      const struct kind *kind)
{
    uint64_t rate = codec->sample_rate > 0 && codec->sample_rate <= UINT16_MAX
                        ? (uint64_t)codec->sample_rate
                        : 0; /* the configuration tells it */
    media_box_zeros(out, 8);
    media_box_put(out, (uint64_t)codec->ch_layout.nb_channels, 2);
    media_box_put(out, 16, 2);
    media_box_zeros(out, 4);
    media_box_put(out, rate << 16, 4);
    config_add(out, codec, kind);
}

int media_entry_add(const AVCodecParameters *codec, AVRational aspect, struct okno_buf *to,
                    struct okno_err *err)
{
    struct media_box_out out = {.to = to, .err = err};
    const struct kind *kind = kind_find(codec->codec_id);
    if (!kind || (kind->config == CONFIG_BOX && extra_len(codec) < 4))
        return okno_fail(err, OKNO_UNSUPPORTED, "video codec %s cannot be put into an MP4 as it is",
                         avcodec_get_name(codec->codec_id));
    size_t box = media_box_begin(&out, kind->type);
    media_box_zeros(&out, 6);
    media_box_put(&out, 1, 2); /* the samples are in this file */
    if (codec->codec_type == AVMEDIA_TYPE_VIDEO)
        picture_add(&out, codec, aspect, kind);
    else
        sound_add(&out, codec, kind);
    media_box_end(&out, box);
    return out.rc;
}

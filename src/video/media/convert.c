#define _POSIX_C_SOURCE 200809L
#include "writer.h"

#include "entry.h"
#include "nal.h"

#include <string.h>

enum {
    MAX_ENTRIES = 64,
    MAX_CONFIG = 1024 * 1024,
    ADTS_HEAD = 7,
    ADTS_CHECKED = 9,
};

/* --- sample entries --------------------------------------------------------------------------- */

static size_t entry_bytes(const uint8_t *entry)
{
    return (size_t)entry[0] << 24 | (size_t)entry[1] << 16 | (size_t)entry[2] << 8 | entry[3];
}

/* The number of the entry with these bytes; entry_count: there is none. */
static uint32_t entry_find(const struct media_track *track, const struct okno_buf *wanted)
{
    const uint8_t *at = (const uint8_t *)track->entries.data;
    for (uint32_t i = 0; i < track->entry_count; i++, at += entry_bytes(at))
        if (entry_bytes(at) == wanted->len && memcmp(at, wanted->data, wanted->len) == 0)
            return i;
    return track->entry_count;
}

static int entry_new(struct media_track *track, const struct okno_buf *entry, struct okno_err *err)
{
    if (track->entry_count == MAX_ENTRIES)
        return okno_fail(err, OKNO_UNSUPPORTED,
                         "the encoder's parameters change more than %d times; ask for less at once",
                         MAX_ENTRIES);
    int rc = okno_buf_add(&track->entries, entry->data, entry->len, err);
    if (rc == 0)
        track->entry_count++;
    return rc;
}

int media_writer_use(struct media_writer *writer, size_t track, const AVCodecParameters *codec,
                     AVRational aspect, struct okno_err *err)
{
    OKNO_AUTO_BUF entry = OKNO_BUF_INIT(2 * MAX_CONFIG);
    int rc = media_entry_add(codec, aspect, &entry, err);
    if (rc < 0)
        return rc;
    uint32_t number = entry_find(&writer->tracks[track], &entry);
    if (number == writer->tracks[track].entry_count)
        rc = entry_new(&writer->tracks[track], &entry, err);
    if (rc == 0)
        writer->entry[track] = (uint16_t)number;
    return rc;
}

/* --- video ------------------------------------------------------------------------------------ */

static int config_set(AVCodecParameters *codec, const struct okno_buf *config, struct okno_err *err)
{
    uint8_t *copy = av_mallocz(config->len + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!copy)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    if (config->len > 0)
        memcpy(copy, config->data, config->len);
    av_freep(&codec->extradata);
    codec->extradata = copy;
    codec->extradata_size = (int)config->len;
    return 0;
}

/* The picture's size after the encoder's parameters changed: only its packets tell. */
static void size_look(AVCodecParameters *codec, const AVPacket *packet)
{
    AVCodecParserContext *parser = av_parser_init(codec->codec_id);
    AVCodecContext *context = avcodec_alloc_context3(NULL);
    uint8_t *out = NULL;
    int len = 0;
    if (parser && context && avcodec_parameters_to_context(context, codec) >= 0) {
        parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
        (void)av_parser_parse2(parser, context, &out, &len, packet->data, packet->size,
                               AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);
        if (parser->width > 0 && parser->width <= MEDIA_MAX_SIDE && parser->height > 0 &&
            parser->height <= MEDIA_MAX_SIDE) {
            codec->width = parser->width;
            codec->height = parser->height;
        }
    }
    avcodec_free_context(&context);
    av_parser_close(parser);
}

static bool has_sets(const AVCodecParameters *codec)
{
    return codec->codec_id == AV_CODEC_ID_H264 || codec->codec_id == AV_CODEC_ID_HEVC;
}

static bool in_stream(const struct media_writer *writer, const AVPacket *packet)
{
    const uint8_t *has = (const uint8_t *)writer->source.data;
    return has_sets(writer->codecs[MEDIA_VIDEO]) &&
           (writer->source.len > 0 ? media_nal_is_stream(has, writer->source.len)
                                   : media_nal_is_stream(packet->data, (size_t)packet->size));
}

/* What the encoder uses from this packet on, as MP4 wants it: 1, or 0 when it is as before. */
static int config_look(struct media_writer *writer, const AVPacket *packet, bool fresh,
                       struct okno_buf *config, struct okno_err *err)
{
    const AVCodecParameters *codec = writer->codecs[MEDIA_VIDEO];
    const uint8_t *has = (const uint8_t *)writer->source.data;
    if (!in_stream(writer, packet)) {
        int rc = fresh && writer->source.len > 0
                     ? okno_buf_add(config, has, writer->source.len, err)
                     : 0;
        return rc < 0 ? rc : fresh;
    }
    int rc = packet->flags & AV_PKT_FLAG_KEY || fresh
                 ? media_nal_record(codec, packet->data, (size_t)packet->size, config, err)
                 : 0;
    return rc == 0 && fresh && has ? media_nal_record(codec, has, writer->source.len, config, err)
                                   : rc;
}

static bool config_same(const AVCodecParameters *codec, const struct okno_buf *config)
{
    return (size_t)codec->extradata_size == config->len &&
           (config->len == 0 || memcmp(codec->extradata, config->data, config->len) == 0);
}

/* Another recording, or a packet that says that the encoder began anew. */
static int source_take(struct media_writer *writer, const struct media_reader *reader,
                       const AVPacket *packet, bool *ret_fresh, struct okno_err *err)
{
    size_t len = 0;
    const AVCodecParameters *codec = reader->video->codecpar;
    const uint8_t *bytes = av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &len);
    bool fresh = bytes || writer->reader != reader;
    if (!bytes) {
        bytes = codec->extradata;
        len = codec->extradata && codec->extradata_size > 0 ? (size_t)codec->extradata_size : 0;
    }
    *ret_fresh = fresh;
    if (!fresh)
        return 0;
    okno_buf_reset(&writer->source);
    return len > 0 ? okno_buf_add(&writer->source, bytes, len, err) : 0;
}

static int config_use(struct media_writer *writer, const struct media_reader *reader,
                      const AVPacket *packet, const struct okno_buf *config, struct okno_err *err)
{
    AVCodecParameters *codec = writer->codecs[MEDIA_VIDEO];
    bool first = writer->tracks[MEDIA_VIDEO].entry_count == 0;
    bool another = writer->reader != reader;
    bool same = config_same(codec, config) &&
                (!another || (codec->width == reader->video->codecpar->width &&
                              codec->height == reader->video->codecpar->height));
    if (same && !first)
        return 0;
    int rc = config_set(codec, config, err);
    if (rc < 0)
        return rc;
    codec->width = reader->video->codecpar->width;
    codec->height = reader->video->codecpar->height;
    if (!another)
        size_look(codec, packet);
    if (first) {
        writer->width = codec->width;
        writer->height = codec->height;
    }
    return media_writer_use(writer, MEDIA_VIDEO, codec, reader->video->sample_aspect_ratio, err);
}

/* The packet's own bytes become those in `converted`. */
static int packet_replace(AVPacket *packet, const struct okno_buf *converted, struct okno_err *err)
{
    AVPacket *fresh = av_packet_alloc();
    if (!fresh || av_new_packet(fresh, (int)converted->len) < 0 ||
        av_packet_copy_props(fresh, packet) < 0) {
        av_packet_free(&fresh);
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for a frame");
    }
    if (converted->len > 0)
        memcpy(fresh->data, converted->data, converted->len);
    av_packet_unref(packet);
    av_packet_move_ref(packet, fresh);
    av_packet_free(&fresh);
    return 0;
}

static int convert_video(struct media_writer *writer, const struct media_reader *reader,
                         AVPacket *packet, struct okno_err *err)
{
    OKNO_AUTO_BUF config = OKNO_BUF_INIT(MAX_CONFIG);
    bool fresh = false;
    int rc = source_take(writer, reader, packet, &fresh, err);
    if (rc == 0)
        rc = config_look(writer, packet, fresh, &config, err);
    if (rc > 0)
        rc = config_use(writer, reader, packet, &config, err);
    if (rc < 0)
        return rc;
    writer->reader = reader;
    if (writer->tracks[MEDIA_VIDEO].entry_count == 0)
        return okno_fail(err, OKNO_MEDIA, "the recording has no parameters of its encoder");
    writer->sets_apart = !in_stream(writer, packet);
    if (writer->sets_apart)
        return 1;
    okno_buf_reset(&writer->converted);
    rc = media_nal_convert(packet->data, (size_t)packet->size, &writer->converted, err);
    if (rc == 0)
        rc = packet_replace(packet, &writer->converted, err);
    return rc < 0 ? rc : 1;
}

/* --- sound ------------------------------------------------------------------------------------ */

static bool is_adts(const AVCodecParameters *codec, const AVPacket *packet)
{
    return codec->codec_id == AV_CODEC_ID_AAC && codec->extradata_size == 0 &&
           packet->size > ADTS_CHECKED && packet->data[0] == 0xff &&
           (packet->data[1] & 0xf6) == 0xf0;
}

/* Take the head off; its facts are the decoder's configuration (ISO/IEC 14496-3, 1.6.2.1). False:
 * channels that it does not describe. */
static bool adts_take(AVPacket *packet, uint8_t ret_config[2])
{
    const uint8_t *head = packet->data;
    int object = (head[2] >> 6) + 1;
    int rate = head[2] >> 2 & 15;
    int channels = (head[2] & 1) << 2 | head[3] >> 6;
    int skip = head[1] & 1 ? ADTS_HEAD : ADTS_CHECKED;
    if (channels == 0 || rate > 12)
        return false;
    ret_config[0] = (uint8_t)(object << 3 | rate >> 1);
    ret_config[1] = (uint8_t)((rate & 1) << 7 | channels << 3);
    packet->data += skip;
    packet->size -= skip;
    return true;
}

/* The track's first packet decides what it is. */
static int sound_begin(struct media_writer *writer, const AVStream *stream, struct okno_err *err)
{
    struct media_track *track = &writer->tracks[MEDIA_AUDIO];
    const AVCodecParameters *codec = stream->codecpar;
    writer->codecs[MEDIA_AUDIO] = avcodec_parameters_alloc();
    if (!writer->codecs[MEDIA_AUDIO] ||
        avcodec_parameters_copy(writer->codecs[MEDIA_AUDIO], codec) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to write a clip");
    track->frame_bytes = media_entry_frame_bytes(codec);
    if (track->frame_bytes > 0 && codec->sample_rate > 0) {
        track->start = av_rescale(track->start, codec->sample_rate, track->timescale);
        track->timescale = (uint32_t)codec->sample_rate;
    }
    return 0;
}

static bool sound_fits(const struct media_writer *writer, const AVCodecParameters *codec)
{
    const AVCodecParameters *ours = writer->codecs[MEDIA_AUDIO];
    bool raw = media_entry_frame_bytes(codec) > 0;
    return media_entry_knows(codec->codec_id) &&
           (!ours || (ours->codec_id == codec->codec_id &&
                      (!raw || (ours->sample_rate == codec->sample_rate &&
                                media_entry_frame_bytes(ours) == media_entry_frame_bytes(codec)))));
}

static int convert_sound(struct media_writer *writer, const struct media_reader *reader,
                         AVPacket *packet, struct okno_err *err)
{
    const AVCodecParameters *codec = reader->audio->codecpar;
    uint8_t config[2] = {0};
    bool adts = is_adts(codec, packet);
    if (!sound_fits(writer, codec) || packet->size <= 0 || (adts && !adts_take(packet, config)))
        return 0;
    int rc = writer->codecs[MEDIA_AUDIO] ? 0 : sound_begin(writer, reader->audio, err);
    struct okno_buf has = {.data = adts ? (char *)config : (char *)codec->extradata,
                           .len = adts ? sizeof(config) : (size_t)codec->extradata_size};
    bool known = rc == 0 && writer->tracks[MEDIA_AUDIO].entry_count > 0 &&
                 config_same(writer->codecs[MEDIA_AUDIO], &has);
    if (rc == 0 && !known)
        rc = config_set(writer->codecs[MEDIA_AUDIO], &has, err);
    if (rc == 0 && !known &&
        media_writer_use(writer, MEDIA_AUDIO, writer->codecs[MEDIA_AUDIO], (AVRational){0, 1},
                         NULL) < 0)
        return 0;
    return rc < 0 ? rc : 1;
}

int media_writer_convert(struct media_writer *writer, const struct media_reader *reader,
                         AVPacket *packet, struct okno_err *err)
{
    return media_is_video(reader, packet) ? convert_video(writer, reader, packet, err)
                                          : convert_sound(writer, reader, packet, err);
}

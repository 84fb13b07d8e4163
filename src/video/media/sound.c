#define _POSIX_C_SOURCE 200809L
#include "sound.h"

#include "decode.h"

#include "okno/mem.h"
#include "okno/time.h"

#include <libavutil/audio_fifo.h>
#include <libavutil/samplefmt.h>

enum { BIT_RATE = 64000, MAX_CHANNELS = 2 };
#define LOOSE_US INT64_C(20000) /* stamps of sound are as exact as that */

struct media_sound {
    AVCodecContext *decoder, *encoder;
    AVFrame *decoded;
    AVPacket *packet;
    AVAudioFifo *waiting; /* until a frame of the encoder is full */
    int64_t put, sent;    /* samples that came so far, and that the encoder has */
    media_sound_take *take;
    void *ctx;
};

void media_sound_close(struct media_sound *sound)
{
    if (!sound)
        return;
    avcodec_free_context(&sound->decoder);
    avcodec_free_context(&sound->encoder);
    av_frame_free(&sound->decoded);
    av_packet_free(&sound->packet);
    av_audio_fifo_free(sound->waiting);
    free(sound);
}
OKNO_CLEANUP(media_sound, media_sound_close);

static int no_memory(struct okno_err *err)
{
    return okno_fail(err, OKNO_NO_MEMORY, "no memory for sound");
}

static int encoder_open(struct media_sound *sound, struct okno_err *err)
{
    const AVCodec *aac = avcodec_find_encoder(AV_CODEC_ID_AAC);
    const AVCodecContext *from = sound->decoder;
    int channels = from->ch_layout.nb_channels;
    if (!aac || channels < 1 || channels > MAX_CHANNELS || from->sample_fmt != AV_SAMPLE_FMT_S16)
        return okno_fail(err, OKNO_UNSUPPORTED, "sound of %d channels cannot become AAC", channels);
    AVCodecContext *encoder = sound->encoder = avcodec_alloc_context3(aac);
    if (!encoder)
        return no_memory(err);
    av_channel_layout_default(&encoder->ch_layout, channels);
    encoder->sample_rate = from->sample_rate;
    encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
    encoder->time_base = (AVRational){1, from->sample_rate};
    encoder->bit_rate = (int64_t)BIT_RATE * channels;
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
    int rc = avcodec_open2(encoder, aac, NULL);
    return rc < 0 ? media_fail(err, OKNO_UNSUPPORTED, rc, "sound of %d Hz cannot become AAC",
                               from->sample_rate)
                  : 0;
}

int media_sound_open(const AVStream *from, media_sound_take *take, void *ctx,
                     struct media_sound **ret_sound, struct okno_err *err)
{
    OKNO_AUTO(media_sound) *sound = calloc(1, sizeof(*sound));
    if (!sound)
        return no_memory(err);
    sound->take = take;
    sound->ctx = ctx;
    int rc = media_decoder_new(from->codecpar, from->time_base, &sound->decoder, err);
    if (rc == 0)
        rc = encoder_open(sound, err);
    if (rc < 0)
        return rc;
    sound->decoded = av_frame_alloc();
    sound->packet = av_packet_alloc();
    sound->waiting = av_audio_fifo_alloc(AV_SAMPLE_FMT_FLTP, sound->encoder->ch_layout.nb_channels,
                                         sound->encoder->frame_size);
    if (!sound->decoded || !sound->packet || !sound->waiting)
        return no_memory(err);
    *ret_sound = okno_mem_take(&sound);
    return 0;
}

const AVCodecContext *media_sound_encoder(const struct media_sound *sound)
{
    return sound->encoder;
}

/* A frame for the encoder, with room for so many samples. */
static int frame_new(const struct media_sound *sound, int samples, AVFrame **ret_frame,
                     struct okno_err *err)
{
    MEDIA_AUTO_FRAME *frame = av_frame_alloc();
    if (!frame)
        return no_memory(err);
    frame->format = sound->encoder->sample_fmt;
    frame->sample_rate = sound->encoder->sample_rate;
    frame->nb_samples = samples;
    if (av_channel_layout_copy(&frame->ch_layout, &sound->encoder->ch_layout) < 0 ||
        av_frame_get_buffer(frame, 0) < 0)
        return no_memory(err);
    *ret_frame = frame;
    frame = NULL;
    return 0;
}

static int drain(struct media_sound *sound, struct okno_err *err)
{
    int rc = 0;
    while ((rc = avcodec_receive_packet(sound->encoder, sound->packet)) >= 0) {
        int code = sound->take(sound->ctx, sound->packet, err);
        av_packet_unref(sound->packet);
        if (code < 0)
            return code;
    }
    return rc == AVERROR(EAGAIN) || rc == AVERROR_EOF
               ? 0
               : media_fail(err, OKNO_MEDIA, rc, "the sound cannot be encoded");
}

/* Encode what waits, in whole frames; at the end the rest, too. */
static int encode(struct media_sound *sound, bool rest, struct okno_err *err)
{
    int full = sound->encoder->frame_size;
    int rc = 0;
    for (int len; rc == 0 && (len = av_audio_fifo_size(sound->waiting)) >= (rest ? 1 : full);) {
        MEDIA_AUTO_FRAME *frame = NULL;
        rc = frame_new(sound, len < full ? len : full, &frame, err);
        if (rc < 0)
            return rc;
        (void)av_audio_fifo_read(sound->waiting, (void **)frame->extended_data, frame->nb_samples);
        frame->pts = sound->sent;
        sound->sent += frame->nb_samples;
        if (avcodec_send_frame(sound->encoder, frame) < 0)
            return okno_fail(err, OKNO_MEDIA, "the sound cannot be encoded");
        rc = drain(sound, err);
    }
    return rc;
}

/* Samples of all channels in turn; NULL: silence. */
static int put(struct media_sound *sound, const int16_t *samples, int count, struct okno_err *err)
{
    MEDIA_AUTO_FRAME *frame = NULL;
    int channels = sound->encoder->ch_layout.nb_channels;
    int rc = frame_new(sound, count, &frame, err);
    if (rc < 0)
        return rc;
    for (int c = 0; c < channels; c++) {
        float *plane = (float *)(void *)frame->extended_data[c];
        for (int i = 0; i < count; i++)
            plane[i] = samples ? (float)samples[i * channels + c] / 32768 : 0;
    }
    if (av_audio_fifo_write(sound->waiting, (void **)frame->extended_data, count) < count)
        return no_memory(err);
    sound->put += count;
    return encode(sound, false, err);
}

static int silence_put(struct media_sound *sound, int64_t until, struct okno_err *err)
{
    int64_t most = av_rescale(2 * OKNO_MEDIA_MAX_US, sound->encoder->sample_rate, OKNO_SECOND_US);
    if (until > most)
        return okno_fail(err, OKNO_MEDIA, "the sound's times are wild");
    int rc = 0;
    while (rc == 0 && sound->put < until) {
        int64_t left = until - sound->put;
        int full = sound->encoder->frame_size;
        rc = put(sound, NULL, left < full ? (int)left : full, err);
    }
    return rc;
}

static int decoded_put(struct media_sound *sound, int64_t at, struct okno_err *err)
{
    const AVFrame *frame = sound->decoded;
    int64_t loose = av_rescale(LOOSE_US, sound->encoder->sample_rate, OKNO_SECOND_US);
    if (frame->format != AV_SAMPLE_FMT_S16 || at < sound->put - loose ||
        frame->ch_layout.nb_channels != sound->encoder->ch_layout.nb_channels)
        return 0;
    /* At the beginning the stamp counts, later on the samples do. */
    int rc = at > sound->put + (sound->put > 0 ? loose : 0) ? silence_put(sound, at, err) : 0;
    return rc < 0
               ? rc
               : put(sound, (const int16_t *)(const void *)frame->data[0], frame->nb_samples, err);
}

int media_sound_feed(struct media_sound *sound, const AVPacket *packet, int64_t at,
                     struct okno_err *err)
{
    int rc = 0;
    if (!packet) {
        rc = encode(sound, true, err);
        if (rc == 0 && avcodec_send_frame(sound->encoder, NULL) >= 0)
            rc = drain(sound, err);
        return rc;
    }
    if (avcodec_send_packet(sound->decoder, packet) < 0)
        return 0; /* a damaged packet is silence */
    while (rc == 0 && avcodec_receive_frame(sound->decoder, sound->decoded) >= 0) {
        rc = decoded_put(sound, at, err);
        at += sound->decoded->nb_samples;
        av_frame_unref(sound->decoded);
    }
    return rc;
}

#define _POSIX_C_SOURCE 200809L
#include "decode.h"

int media_decoder_new(const AVCodecParameters *codec, AVRational time_base,
                      AVCodecContext **ret_decoder, struct okno_err *err)
{
    const AVCodec *found = avcodec_find_decoder(codec->codec_id);
    if (!found)
        return okno_fail(err, OKNO_UNSUPPORTED, "no decoder for video codec %s",
                         avcodec_get_name(codec->codec_id));
    MEDIA_AUTO_CODEC *decoder = avcodec_alloc_context3(found);
    if (!decoder || avcodec_parameters_to_context(decoder, codec) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory to decode");
    decoder->thread_count = 1; /* jobs run side by side instead */
    decoder->max_pixels = (int64_t)MEDIA_MAX_SIDE * MEDIA_MAX_SIDE;
    decoder->pkt_timebase = time_base;
    int rc = avcodec_open2(decoder, found, NULL);
    if (rc < 0)
        return media_fail(err, OKNO_MEDIA, rc, "cannot decode %s", found->name);
    *ret_decoder = decoder;
    decoder = NULL;
    return 0;
}

int media_decoder_open(const struct media_reader *reader, AVCodecContext **ret_decoder,
                       struct okno_err *err)
{
    return media_decoder_new(reader->video->codecpar, reader->video->time_base, ret_decoder, err);
}

#define _POSIX_C_SOURCE 200809L
#include "inside.h"
#include "reader.h"

#include <string.h>

int media_probe(struct okno_source *source, const char *format, struct okno_media_info *ret_info,
                struct okno_err *err)
{
    const struct okno_media_input input = {.source = source, .format = format};
    OKNO_AUTO(media_reader) *reader = NULL;
    int64_t end_us = 0;
    int rc = media_reader_open(&input, true, &reader, err);
    if (rc == 0)
        rc = media_reader_end(reader, &end_us, err);
    if (rc < 0)
        return rc;
    if (end_us <= 0)
        return okno_fail(err, OKNO_MEDIA, "the recording holds no whole frame");
    const AVCodecParameters *codec = reader->video->codecpar;
    struct okno_media_info info = {.duration_us = end_us,
                                   .frame_us = reader->frame_us,
                                   .width = codec->width,
                                   .height = codec->height,
                                   .audio = reader->audio != NULL};
    (void)snprintf(info.codec, sizeof(info.codec), "%s", avcodec_get_name(codec->codec_id));
    *ret_info = info;
    return 0;
}

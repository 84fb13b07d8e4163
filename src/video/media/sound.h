/* Sound as browsers play it: what recorders keep as G.711 or PCM becomes AAC. */
#ifndef MEDIA_SOUND_H
#define MEDIA_SOUND_H

#include "reader.h"

#include <libavcodec/avcodec.h>

struct media_sound;

/* Gets each packet of AAC; its times count samples from the file's time 0. */
typedef int media_sound_take(void *ctx, AVPacket *packet, struct okno_err *err);

/* OKNO_UNSUPPORTED: a rate or number of channels that AAC does not have. */
OKNO_CHECK int media_sound_open(const AVStream *from, media_sound_take *take, void *ctx,
                                struct media_sound **ret_sound, struct okno_err *err);
void media_sound_close(struct media_sound *sound);

/* What describes the stream; as long as `sound` lives. */
const AVCodecContext *media_sound_encoder(const struct media_sound *sound);

/* Take a packet whose first sample is the at-th of the file. What is missing before it becomes
 * silence; what comes a second time is left out. NULL at the end. */
OKNO_CHECK int media_sound_feed(struct media_sound *sound, const AVPacket *packet, int64_t at,
                                struct okno_err *err);

#endif

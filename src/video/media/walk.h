/* Walking through a kept clip from beginning to end, packet by packet and picture by picture. */
#ifndef MEDIA_WALK_H
#define MEDIA_WALK_H

#include "decode.h"

/* Decoding a clip from beginning to end. */
struct media_walk {
    struct media_reader *reader;
    AVCodecContext *decoder;
    AVFrame *frame;
    /* Takes each picture in order; 1: enough. */
    int (*take)(void *ctx, AVFrame *frame, int64_t at_us, struct okno_err *err);
    /* Sees each packet; may be NULL. */
    int (*see)(void *ctx, const AVPacket *packet, int64_t at_us, struct okno_err *err);
    void *ctx;
};

OKNO_CHECK int media_walk_open(struct media_walk *walk, const struct okno_media_input *input,
                               struct okno_err *err);

/* 1 when `take` had enough. */
OKNO_CHECK int media_walk_run(struct media_walk *walk, struct okno_err *err);
void media_walk_clear(struct media_walk *walk);

#endif

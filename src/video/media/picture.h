/* One decoded picture: scaled, masked, measured. */
#ifndef MEDIA_PICTURE_H
#define MEDIA_PICTURE_H

#include "decode.h"

#include "okno/view.h"

/* Scale to width x height of a pixel format, limited to full range as the format says. Owned. */
OKNO_CHECK int media_picture_scale(const AVFrame *from, int width, int height,
                                   enum AVPixelFormat format, AVFrame **ret_frame,
                                   struct okno_err *err);

/* Blacken the masks in a writable YUV 4:2:0 picture that still has to be turned by quarter_turns to
 * be upright. */
void media_picture_mask(AVFrame *frame, int quarter_turns, const struct okno_view_masks *masks);

OKNO_CHECK int media_picture_measure(const AVFrame *frame, struct okno_picture *ret_picture,
                                     struct okno_err *err);

/* Clockwise quarters that make the pictures of a stream upright. */
int media_quarter_turns(const AVStream *video);

#endif

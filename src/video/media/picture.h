/* One decoded picture: scaled, masked, measured. */
#ifndef MEDIA_PICTURE_H
#define MEDIA_PICTURE_H

#include "decode.h"

#include "okno/view.h"

#include <libswscale/swscale.h>

/* An empty picture with the time and the aspect of `from`. Owned. */
OKNO_CHECK int media_picture_new(const AVFrame *from, int width, int height,
                                 enum AVPixelFormat format, AVFrame **ret_frame,
                                 struct okno_err *err);

/* Scale to width x height of a pixel format, limited to full range as the format says, any matrix
 * to BT.601. filter: SWS_AREA for what becomes much smaller, SWS_BICUBIC for stills. Owned. */
OKNO_CHECK int media_picture_scale(const AVFrame *from, int width, int height,
                                   enum AVPixelFormat format, int filter, AVFrame **ret_frame,
                                   struct okno_err *err);

/* Blacken the masks in a writable YUV 4:2:0 picture that still has to be turned by quarter_turns to
 * be upright. */
void media_picture_mask(AVFrame *frame, int quarter_turns, const struct okno_view_masks *masks);

OKNO_CHECK int media_picture_measure(const AVFrame *frame, struct okno_picture *ret_picture,
                                     struct okno_err *err);

/* Clockwise quarters that make the pictures of a stream upright. */
int media_quarter_turns(const AVStream *video);

#endif

/* Lines of text in a picture. */
#ifndef MEDIA_LABEL_H
#define MEDIA_LABEL_H

#include <libavutil/frame.h>
#include <stddef.h>

/* Write lines, white on black, into the upper left of a writable YUV 4:2:0 picture of limited range
 * that still has to be turned by quarter_turns to be upright. Letters, digits and - _ : . + of
 * ASCII; others are blanks. */
void media_label_draw(AVFrame *frame, int quarter_turns, const char *const *lines, size_t count);

#endif

/* A cairo picture kept in step with a video frame: only the rectangles that changed are drawn again
 * and converted (BT.709, limited range, 4:2:0). Coordinates are design pixels of 640x360. */
#ifndef TOOLS_SCENE_CANVAS_H
#define TOOLS_SCENE_CANVAS_H

#include "figure.h"

#include "okno/err.h"

#include <cairo.h>
#include <libavutil/frame.h>
#include <stdint.h>

#define DESIGN_WIDTH 640
#define DESIGN_HEIGHT 360

struct canvas {
    int width, height; /* pixels; width is a multiple of 160, height 9/16 of it */
    double scale;      /* pixels per design pixel */
    cairo_surface_t *surface;
    cairo_t *cr;
    AVFrame *frame; /* what the encoder gets */
};

OKNO_CHECK int canvas_open(int width, int height, struct canvas *ret_canvas, struct okno_err *err);
void canvas_close(struct canvas *canvas);

/* A picture of the same size to keep static drawing in. */
cairo_surface_t *canvas_layer(const struct canvas *canvas);

/* Restrict drawing to the box, grown to whole pixel pairs; undo with canvas_end, which brings the
 * box into the frame. */
void canvas_begin(struct canvas *canvas, struct box box);
void canvas_end(struct canvas *canvas, struct box box);

/* Write the strip of blocks for a time straight into the frame. */
void canvas_strip(struct canvas *canvas, int64_t utc_ms);

#endif

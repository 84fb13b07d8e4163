/* The shop's furniture: what never moves, and the small things that change. Design pixels. */
#ifndef TOOLS_SCENE_SHOP_H
#define TOOLS_SCENE_SHOP_H

#include "stage.h"

#include <cairo.h>

/* The room behind everybody; `point` 0 or 1 gives it its own colours and sign. */
void shop_draw_room(cairo_t *cr, int point);
/* The counter in front of the seller. */
void shop_draw_counter(cairo_t *cr, int point);
/* What the lit panel throws on the wall behind the seller. */
void shop_draw_light(cairo_t *cr, const struct stage_pose *pose);
/* Panel, seller's button, goods and till screen in their states. */
void shop_draw_things(cairo_t *cr, const struct stage_pose *pose);

/* Where the panel with its glow, and the other things, may draw. */
extern const struct box shop_panel_box, shop_things_box;

#endif

/* People of the scene: flat figures seen from the side, one outfit each. */
#ifndef TOOLS_SCENE_FIGURE_H
#define TOOLS_SCENE_FIGURE_H

#include <cairo.h>

#define FIGURE_CUSTOMERS 12
#define FIGURE_STAFF 4
#define FIGURE_FLOOR 326 /* y of the feet */

/* A pose in whole design pixels and degrees, so that equal poses are equal bytes: all
 * members are int, which leaves no padding. */
struct figure {
    int present, staff; /* 0 or 1 */
    int look;           /* 0..FIGURE_CUSTOMERS-1 or 0..FIGURE_STAFF-1 */
    int x;              /* of the hip */
    int facing;         /* 1 right, -1 left */
    int stride;         /* phase of the walk in degrees; -1 stands */
    int lean;           /* degrees forward */
    int hand_x, hand_y; /* what the near hand reaches for; 0,0: it hangs */
    int far_x, far_y;   /* the far hand */
    int breath;         /* 0 or 1 */
    int bag;            /* carries the shopping */
};

struct box {
    int x0, y0, x1, y1; /* half-open */
};

/* Everything the figure may cover. */
struct box figure_box(const struct figure *figure);

/* The least lean, in degrees up to 45, with which the near hand gets where it reaches. */
int figure_lean(const struct figure *figure);

/* All but the near arm; the near arm alone (it lies over the counter). */
void figure_draw_body(cairo_t *cr, const struct figure *figure);
void figure_draw_arm(cairo_t *cr, const struct figure *figure);

/* Set a colour 0xRRGGBB. */
void paint_colour(cairo_t *cr, unsigned rgb);

#endif

/* The shop as one camera sees it at a moment. */
#ifndef TOOLS_SCENE_STAGE_H
#define TOOLS_SCENE_STAGE_H

#include "canvas.h"
#include "plan.h"

#include <stdbool.h>

/* Everything that moves. Equal moments are equal bytes: zero it before filling. */
struct stage_pose {
    struct figure customer, seller;
    int lit;        /* enum scene_answer the panel shows */
    int pressed;    /* the panel's button that a hand holds down */
    int seller_led; /* the seller's button was heard */
    int goods;      /* things on the counter: 0 none, 1 on the belt, 2 packed */
    int screen;     /* the till's screen: 0 idle, 1..3 sale, 4 out of order */
};

/* What happens at a point at t_ms after the scene's start. Pure. */
void stage_pose_at(const struct scene_plan *plan, int point, int64_t t_ms,
                   struct stage_pose *ret_pose);

struct stage {
    struct canvas canvas;
    cairo_surface_t *back, *counter; /* what never moves, behind and in front of the seller */
    struct stage_pose shown;
    bool any; /* something is shown */
    const char *title;
};

/* Prepare the shop of a point (0 or 1); title is burned in and must outlive the stage. */
OKNO_CHECK int stage_open(int point, const char *title, int width, int height,
                          struct stage *ret_stage, struct okno_err *err);
void stage_close(struct stage *stage);

/* Bring the frame to a moment: pose, the camera's own wall clock as text (milliseconds since 1970
 * as if local time were UTC) and the true UTC as the strip. */
void stage_show(struct stage *stage, const struct stage_pose *pose, int64_t wall_ms,
                int64_t utc_ms);

#endif

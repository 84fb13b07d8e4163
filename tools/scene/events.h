/* The plan as the devices report it: raw events on true UTC, numbered as each device numbers them.
 */
#ifndef TOOLS_SCENE_EVENTS_H
#define TOOLS_SCENE_EVENTS_H

#include "plan.h"

#include "okno/vec.h"

#define SCENE_DEVICES 3

/* till-1 has a button and a panel of their own, till-2 one box for both. */
struct scene_device {
    const char *device, *role;
    int point;
    int64_t offset_ms; /* its clock minus UTC */
};
extern const struct scene_device scene_devices[SCENE_DEVICES];

struct scene_event {
    int64_t at_ms; /* true, after SCENE_START_MS */
    int device;    /* index into scene_devices */
    int64_t seq;
    const char *kind;
};
OKNO_VEC(scene_event_vec, struct scene_event);

/* Everything that the devices report, in order of true time. OKNO_NO_MEMORY. */
OKNO_CHECK int scene_events_make(const struct scene_plan *plan, struct scene_event_vec *ret_events,
                                 struct okno_err *err);

/* The event of a kind at a point at a moment; never NULL for what the plan holds. */
const struct scene_event *scene_event_find(const struct scene_event_vec *events, int point,
                                           const char *kind, int64_t at_ms);

const char *scene_answer_name(enum scene_answer answer);

#endif

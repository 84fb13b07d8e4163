#include "events.h"

#include <string.h>

const struct scene_device scene_devices[SCENE_DEVICES] = {
    {"button-1", "button", 0, -120}, {"panel-1", "panel", 0, 350}, {"panel-2", "both", 1, -80}};

#define ALIVE_MS 60000

const char *scene_answer_name(enum scene_answer answer)
{
    static const char *const names[] = {"", "yes", "unsure", "no"};
    return names[answer];
}

static int device_of(int point, bool panel)
{
    return point == 1 ? 2 : panel ? 1 : 0;
}

static int add(struct scene_event_vec *events, int64_t at_ms, int device, const char *kind)
{
    if (at_ms < 0)
        return 0;
    return scene_event_vec_push(events, (struct scene_event){at_ms, device, 0, kind});
}

static int point_events(const struct scene_plan *plan, int index, struct scene_event_vec *events)
{
    const struct scene_point *point = &plan->points[index];
    int button = device_of(index, false), panel = device_of(index, true);
    int e = add(events, point->hold_ms, button, "hold");
    for (size_t i = 0; e == 0 && i < point->visits.len; i++) {
        const struct scene_visit *v = &point->visits.items[i];
        for (int k = 0; e == 0 && k < 2; k++) {
            e = add(events, v->press_ms[k], button, "press");
            if (e == 0)
                e = add(events, v->answer_ms[k], panel, scene_answer_name(v->answer[k]));
        }
    }
    return e;
}

static int earlier(const void *a, const void *b)
{
    const struct scene_event *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->device != y->device ? x->device - y->device : strcmp(x->kind, y->kind);
}

int scene_events_make(const struct scene_plan *plan, struct scene_event_vec *ret_events,
                      struct okno_err *err)
{
    struct scene_event_vec events = {0};
    int e = 0;
    for (int i = 0; e == 0 && i < SCENE_POINTS; i++)
        e = point_events(plan, i, &events);
    for (int d = 0; e == 0 && d < SCENE_DEVICES; d++)
        for (int64_t k = 0; e == 0 && k <= plan->minutes; k++)
            e = add(&events, k * ALIVE_MS + 1310 + 170 * d, d, "alive");
    if (e < 0) {
        scene_event_vec_free(&events);
        return okno_fail(err, e, "no memory for the events");
    }
    qsort(events.items, events.len, sizeof(events.items[0]), earlier);
    int64_t seq[SCENE_DEVICES] = {0};
    for (size_t i = 0; i < events.len; i++)
        events.items[i].seq = ++seq[events.items[i].device];
    *ret_events = events;
    return 0;
}

const struct scene_event *scene_event_find(const struct scene_event_vec *events, int point,
                                           const char *kind, int64_t at_ms)
{
    for (size_t i = 0; i < events->len; i++) {
        const struct scene_event *e = &events->items[i];
        if (e->at_ms == at_ms && scene_devices[e->device].point == point &&
            strcmp(e->kind, kind) == 0)
            return e;
    }
    return NULL;
}

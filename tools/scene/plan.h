/* What happens in the scene and when: drawn once from the seed, then only read. */
#ifndef TOOLS_SCENE_PLAN_H
#define TOOLS_SCENE_PLAN_H

#include "okno/err.h"
#include "okno/vec.h"

#include <stdbool.h>
#include <stdint.h>

#define SCENE_START_MS INT64_C(1773126000000) /* 2026-03-10T07:00:00Z */
#define SCENE_ZONE_MS INT64_C(10800000)       /* the recorder's names: Europe/Moscow, UTC+3 */
#define SCENE_POINTS 2
#define SCENE_WINDOW_MS 15000
#define SCENE_LIT_MS 1500  /* how long the panel shows the answer's colour */
#define SCENE_WALK_MS 4200 /* from the door to the counter */

enum scene_answer { ANSWER_NONE, ANSWER_YES, ANSWER_UNSURE, ANSWER_NO };

/* One stay at a counter. Times are true UTC milliseconds after SCENE_START_MS; -1: does not happen.
 * card names the kind:
 *   g genuine answer            d genuine, the seller's press bounces (second press within 2 s)
 *   s silent, customer stays    l silent, the answer comes late
 *   f staff presses the panel   n nobody there, nothing answered    N nobody, staff answers
 *   r the same customer rates twice                                 e customer leaves at once
 *   p a passer-by rates without a survey                            u served, never asked
 *   h nobody there, the seller reports force majeure (long press) */
struct scene_visit {
    char card;
    int look; /* which customer, an index into the figures' wardrobe */
    int64_t enter_ms, counter_ms, leave_ms, gone_ms;
    int64_t press_ms[2];  /* the seller's button */
    int64_t answer_ms[2]; /* the panel */
    enum scene_answer answer[2];
    bool by_staff; /* who presses the panel */
};
OKNO_VEC(scene_visit_vec, struct scene_visit);

/* One person's time at a point. */
struct scene_shift {
    const char *employee;
    const char *name;
    int look;
    int64_t from_ms, to_ms;
};

struct scene_point {
    struct scene_visit_vec visits; /* owned; in order of time, never two customers at once */
    struct scene_shift shifts[2];
    int shift_count;
    int64_t hold_ms; /* force majeure reported; -1: never */
};

struct scene_plan {
    int minutes;
    int64_t length_ms;
    struct scene_point points[SCENE_POINTS];
    int64_t hole_from_ms, hole_to_ms; /* what the first camera did not record */
};

/* Fill the plan. OKNO_NO_MEMORY; ret_plan is to be freed in any case. */
OKNO_CHECK int scene_plan_make(int minutes, uint64_t seed, struct scene_plan *ret_plan,
                               struct okno_err *err);
void scene_plan_free(struct scene_plan *plan);

/* The card's class and invalid reason as truth.csv names them; the reason is "" for a valid one.
 * `which` is 0 for the first survey of the visit, 1 for the second. */
const char *scene_class(char card, int which);
const char *scene_reason(char card, int which);

/* How many surveys the visit opens. */
int scene_visit_surveys(const struct scene_visit *visit);

#endif

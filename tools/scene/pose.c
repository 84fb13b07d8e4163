#include "stage.h"

#include "layout.h"

/* A gesture around `at`: 0 at rest, 100 when the hand is there; rises before, falls after. */
static int gesture(int64_t t, int64_t at, int64_t rise, int64_t hold, int64_t fall)
{
    if (at < 0 || t <= at - rise || t >= at + hold + fall)
        return 0;
    if (t < at)
        return (int)((t - (at - rise)) * 100 / rise);
    if (t <= at + hold)
        return 100;
    return (int)((at + hold + fall - t) * 100 / fall);
}

static int mix(int from, int to, int percent)
{
    return from + (to - from) * percent / 100;
}

static int button_x(enum scene_answer answer)
{
    return PANEL_X + ((int)answer - 2) * PANEL_STEP;
}

/* Along the floor between the door and the counter. */
static void walk(struct figure *f, int64_t t, int64_t from, int x0, int x1)
{
    int64_t length = x1 > x0 ? x1 - x0 : x0 - x1;
    int64_t gone = length * (t - from) / SCENE_WALK_MS;
    f->x = x0 + (int)(x1 > x0 ? gone : -gone);
    f->facing = x1 > x0 ? 1 : -1;
    f->stride = (int)(gone * 360 / 78 % 360);
}

static void customer_reach(struct figure *f, const struct scene_visit *v, int64_t t,
                           struct stage_pose *pose)
{
    int rest_x = f->x + 12, rest_y = 236;
    int64_t paid = v->press_ms[0] >= 0 ? v->press_ms[0] - 3200 : -1;
    int give = gesture(t, v->counter_ms + 1200, 600, 500, 600);
    int pay = gesture(t, paid, 700, 900, 700);
    int best = give > pay ? give : pay;
    if (best && v->card != 'p') {
        f->hand_x = mix(rest_x, COUNTER_X + 12, best);
        f->hand_y = mix(rest_y, COUNTER_Y - 8, best);
    }
    for (int i = 0; i < 2 && !v->by_staff; i++) {
        int press = gesture(t, v->answer_ms[i], 600, 350, 600);
        if (!press)
            continue;
        f->x += 2 * (int)v->answer[i] * press / 100;
        f->hand_x = button_x(v->answer[i]) - 2;
        f->hand_y = PANEL_Y + 3;
        f->lean = (figure_lean(f) + 2) * press / 100;
        f->hand_x = mix(rest_x, f->hand_x, press);
        f->hand_y = mix(rest_y, f->hand_y, press);
        if (press == 100)
            pose->pressed = (int)v->answer[i];
    }
}

static void customer_pose(const struct scene_visit *v, int64_t t, struct stage_pose *pose)
{
    struct figure *f = &pose->customer;
    if (v->enter_ms < 0 || t < v->enter_ms || t >= v->gone_ms)
        return;
    f->present = true;
    f->look = v->look % FIGURE_CUSTOMERS;
    f->stride = -1;
    f->facing = 1;
    f->x = CUSTOMER_X;
    bool served = v->card != 'p';
    if (t < v->counter_ms) {
        walk(f, t, v->enter_ms, DOOR_X, CUSTOMER_X);
    } else if (t >= v->leave_ms) {
        walk(f, t, v->leave_ms, CUSTOMER_X, DOOR_X);
        f->bag = served;
    } else {
        f->breath = (int)(t / 900 % 2);
        customer_reach(f, v, t, pose);
    }
    if (served && t >= v->counter_ms + 1300 && t < v->leave_ms)
        pose->goods = v->press_ms[0] >= 0 && t < v->press_ms[0] - 1500 ? 1 : 2;
}

/* Hands over the goods while a customer waits to be asked. */
static void seller_work(struct figure *f, const struct scene_visit *v, int64_t t,
                        struct stage_pose *pose)
{
    int64_t done = v->press_ms[0] >= 0 ? v->press_ms[0] - 1500 : v->leave_ms - 1000;
    if (v->counter_ms < 0 || v->card == 'p' || t < v->counter_ms + 2000 || t >= done)
        return;
    int64_t beat = (t - v->counter_ms) % 1600;
    int swing = (int)(beat < 800 ? beat : 1600 - beat) / 8;
    f->hand_x = mix(GOODS_X + 8, GOODS_X + 42, swing);
    f->hand_y = COUNTER_Y - 10 - (swing > 50 ? 100 - swing : swing) / 6;
    f->lean = 6;
    pose->screen = 1 + (int)((t - v->counter_ms) / 2600 % 3);
}

static void seller_presses(struct figure *f, const struct scene_visit *v, int64_t t, int64_t held,
                           struct stage_pose *pose)
{
    for (int i = 0; i < 2; i++) {
        int press = gesture(t, v->press_ms[i], 450, held, 450);
        if (press) {
            f->hand_x = mix(SELLER_REST_X, BUTTON_X + 2, press);
            f->hand_y = mix(SELLER_REST_Y, COUNTER_Y - 8, press);
            f->lean = 4 * press / 100;
        }
        if (v->press_ms[i] >= 0 && t >= v->press_ms[i] && t < v->press_ms[i] + held + 600)
            pose->seller_led = 1;
        int cheat = v->by_staff ? gesture(t, v->answer_ms[i], 1100, 350, 1000) : 0;
        if (!cheat)
            continue;
        f->x = mix(SELLER_X, SELLER_X - 58, cheat);
        f->hand_x = button_x(v->answer[i]) + 3;
        f->hand_y = PANEL_Y + 3;
        f->lean = (figure_lean(f) + 2) * cheat / 100;
        f->hand_x = mix(SELLER_REST_X, f->hand_x, cheat);
        f->hand_y = mix(SELLER_REST_Y, f->hand_y, cheat);
        if (cheat == 100)
            pose->pressed = (int)v->answer[i];
    }
}

/* Who stands behind the counter; around the change of shift one leaves and the other comes. */
static void seller_enter(const struct scene_point *point, int64_t t, struct figure *f)
{
    const struct scene_shift *now = &point->shifts[0];
    if (point->shift_count > 1 && t >= point->shifts[1].from_ms)
        now = &point->shifts[1];
    *f = (struct figure){.present = true,
                         .staff = true,
                         .look = now->look,
                         .x = SELLER_X,
                         .facing = -1,
                         .stride = -1,
                         .hand_x = SELLER_REST_X,
                         .hand_y = SELLER_REST_Y,
                         .breath = (int)(t / 1100 % 2)};
    int64_t into = t - now->from_ms, left = now->to_ms - t;
    bool changes = point->shift_count > 1;
    bool leaves = changes && now == &point->shifts[0] && left < SCENE_WALK_MS;
    bool comes = changes && now == &point->shifts[1] && into < SCENE_WALK_MS;
    if (!leaves && !comes)
        return;
    f->hand_x = f->hand_y = 0;
    f->breath = 0;
    if (leaves)
        walk(f, SCENE_WALK_MS - left, 0, SELLER_X, BACK_X);
    else
        walk(f, into, 0, BACK_X, SELLER_X);
}

void stage_pose_at(const struct scene_plan *plan, int index, int64_t t, struct stage_pose *ret_pose)
{
    const struct scene_point *point = &plan->points[index];
    *ret_pose = (struct stage_pose){0};
    seller_enter(point, t, &ret_pose->seller);
    for (size_t i = 0; i < point->visits.len; i++) {
        const struct scene_visit *v = &point->visits.items[i];
        customer_pose(v, t, ret_pose);
        seller_work(&ret_pose->seller, v, t, ret_pose);
        seller_presses(&ret_pose->seller, v, t, 250, ret_pose);
        for (int a = 0; a < 2; a++)
            if (v->answer_ms[a] >= 0 && t >= v->answer_ms[a] && t < v->answer_ms[a] + SCENE_LIT_MS)
                ret_pose->lit = (int)v->answer[a];
    }
    if (point->hold_ms < 0)
        return;
    const struct scene_visit held = {.press_ms = {point->hold_ms, -1}, .answer_ms = {-1, -1}};
    seller_presses(&ret_pose->seller, &held, t, 1600, ret_pose);
    if (t >= point->hold_ms - 8000 && t < point->hold_ms + 120000)
        ret_pose->screen = 4;
}

#include "plan.h"

#include <string.h>

/* Who serves, and the cards they deal: their customers and their honesty. Dealt in this order until
 * the shift is full, then shuffled. */
struct person {
    const char *employee, *name, *cards;
};
static const struct person people[SCENE_POINTS][2] = {
    {{"anna", "Anna Orlova", "gfsgdgpgsgu"}, {"boris", "Boris Titov", "gfgfNgsgfrglgnfgsgg"}},
    {{"vera", "Vera Sokolova", "ggsgflgegpgsgugggd"}, {"gleb", "Gleb Zaitsev", "ghgsgfgNgrggu"}},
};

#define SLOT_MS 60000  /* about one stay a minute */
#define ASIDE_MS 10000 /* nobody is served while staff change over */

/* SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t roll(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int64_t between(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(roll(state) % (uint64_t)(high - low + 1));
}

static enum scene_answer opinion(uint64_t *state)
{
    int64_t d = between(state, 1, 100);
    return d <= 58 ? ANSWER_YES : d <= 80 ? ANSWER_NO : ANSWER_UNSURE;
}

const char *scene_class(char card, int which)
{
    switch (card) {
    case 's':
        return "silent_genuine";
    case 'l':
        return "late";
    case 'f':
        return "staff_pressed";
    case 'n':
    case 'N':
        return "nobody";
    case 'e':
        return "left_early";
    case 'r':
        return which ? "repeat" : "genuine";
    default:
        return "genuine";
    }
}

const char *scene_reason(char card, int which)
{
    switch (card) {
    case 'f':
        return "STAFF_PRESSED";
    case 'n':
    case 'N':
        return "NO_CUSTOMER";
    case 'e':
        return "CUSTOMER_LEFT_EARLY";
    case 'r':
        return which ? "REPEAT_SAME_CUSTOMER" : "";
    default:
        return "";
    }
}

int scene_visit_surveys(const struct scene_visit *visit)
{
    if (visit->press_ms[0] < 0)
        return 0;
    return visit->card == 'r' ? 2 : 1;
}

/* A customer's way in and how long the service takes: short where much follows. */
static void walk_in(struct scene_visit *v, int64_t at, uint64_t *rng)
{
    v->enter_ms = at;
    v->counter_ms = at + SCENE_WALK_MS;
    bool follows = strchr("srl", v->card) != NULL;
    v->press_ms[0] = v->counter_ms + between(rng, 11500, follows ? 14000 : 21000);
}

static void answer(struct scene_visit *v, int which, int64_t at, enum scene_answer what)
{
    v->answer_ms[which] = at;
    v->answer[which] = what;
}

/* What the press leads to. */
static void ask(struct scene_visit *v, uint64_t *rng)
{
    int64_t asked = v->press_ms[0];
    switch (v->card) {
    case 'd':
        v->press_ms[1] = asked + between(rng, 500, 1400);
        answer(v, 0, asked + between(rng, 3500, 6500), opinion(rng));
        v->leave_ms = v->answer_ms[0] + between(rng, 1200, 2500);
        break;
    case 's':
        v->leave_ms = asked + SCENE_WINDOW_MS + between(rng, 500, 2500);
        break;
    case 'l':
        answer(v, 0, asked + SCENE_WINDOW_MS + between(rng, 3000, 7000), opinion(rng));
        v->leave_ms = v->answer_ms[0] + between(rng, 1200, 2000);
        break;
    case 'e':
        v->leave_ms = asked + between(rng, 300, 900);
        break;
    case 'f':
        v->leave_ms = asked + between(rng, 600, 1500);
        answer(v, 0, v->leave_ms + between(rng, 2600, 5200), ANSWER_YES);
        v->by_staff = true;
        break;
    case 'r':
        answer(v, 0, asked + between(rng, 2000, 4000), ANSWER_YES);
        v->press_ms[1] = v->answer_ms[0] + between(rng, 3500, 5000);
        answer(v, 1, v->press_ms[1] + between(rng, 1800, 3000), ANSWER_YES);
        v->leave_ms = v->answer_ms[1] + between(rng, 1200, 2000);
        break;
    default:
        answer(v, 0, asked + between(rng, 1600, 8500), opinion(rng));
        v->leave_ms = v->answer_ms[0] + between(rng, 1200, 3000);
    }
}

static struct scene_visit visit_make(char card, int64_t at, int look, uint64_t *rng)
{
    struct scene_visit v = {.card = card,
                            .look = look,
                            .enter_ms = -1,
                            .counter_ms = -1,
                            .leave_ms = -1,
                            .gone_ms = -1,
                            .press_ms = {-1, -1},
                            .answer_ms = {-1, -1}};
    switch (card) {
    case 'h':
        return v;
    case 'n':
    case 'N':
        v.press_ms[0] = at + between(rng, 22000, 30000);
        v.by_staff = true;
        if (card == 'N')
            answer(&v, 0, v.press_ms[0] + between(rng, 3500, 7000), ANSWER_YES);
        return v;
    case 'p':
        v.enter_ms = at;
        v.counter_ms = at + SCENE_WALK_MS;
        answer(&v, 0, v.counter_ms + between(rng, 1500, 3000), opinion(rng));
        v.leave_ms = v.answer_ms[0] + between(rng, 1200, 2000);
        break;
    case 'u':
        walk_in(&v, at, rng);
        v.leave_ms = v.press_ms[0];
        v.press_ms[0] = -1;
        break;
    default:
        walk_in(&v, at, rng);
        ask(&v, rng);
    }
    v.gone_ms = v.leave_ms + SCENE_WALK_MS;
    return v;
}

#define DECK_MAX 1500

/* Deal a shift's stays into even slots of [from, to). */
static int shift_deal(struct scene_point *point, const char *cards, int64_t from, int64_t to,
                      uint64_t *rng)
{
    char deck[DECK_MAX];
    int64_t slots = (to - from) / SLOT_MS;
    if (slots == 0 && to - from >= 45000)
        slots = 1;
    for (int64_t i = 0; i < slots; i++)
        deck[i] = cards[(size_t)i % strlen(cards)];
    /* The first stay is always an honest one: a newcomer's first look at the film. */
    for (int64_t i = slots - 1; i > 1; i--) {
        int64_t j = between(rng, 1, i);
        char kept = deck[i];
        deck[i] = deck[j];
        deck[j] = kept;
    }
    /* An answer within 45 s after a silent survey would be a late one, not a spontaneous one. */
    for (int64_t i = slots - 1; i > 1; i--) {
        if (deck[i] == 'p' && strchr("slN", deck[i - 1])) {
            deck[i] = deck[i - 1];
            deck[i - 1] = 'p';
        }
    }
    for (int64_t i = 0; i < slots; i++) {
        int64_t at = from + (to - from) * i / slots + between(rng, 5500, 8500);
        int look = (int)point->visits.len * 5 + (int)between(rng, 0, 2);
        if (deck[i] == 'h')
            point->hold_ms = at + 20000;
        int e = scene_visit_vec_push(&point->visits, visit_make(deck[i], at, look, rng));
        if (e < 0)
            return e;
    }
    return 0;
}

/* Two shifts where the film is long enough to show the change, at 40 % and at 60 % of it. */
static int point_make(struct scene_plan *plan, int index, uint64_t *rng, struct okno_err *err)
{
    struct scene_point *point = &plan->points[index];
    int64_t change =
        plan->minutes < 6 ? plan->length_ms : (int64_t)plan->minutes * (index ? 6 : 4) / 10 * 60000;
    point->hold_ms = -1;
    for (int s = 0; s < 2; s++) {
        int64_t from = s ? change : 0, to = s ? plan->length_ms : change;
        if (from == to)
            break;
        const struct person *who = &people[index][s];
        point->shifts[s] = (struct scene_shift){who->employee, who->name, 2 * index + s, from, to};
        point->shift_count++;
        int e = shift_deal(point, who->cards, s ? from + ASIDE_MS : from, to - ASIDE_MS, rng);
        if (e < 0)
            return okno_fail(err, e, "no memory for the plan");
    }
    return 0;
}

int scene_plan_make(int minutes, uint64_t seed, struct scene_plan *ret_plan, struct okno_err *err)
{
    struct scene_plan *plan = ret_plan;
    *plan = (struct scene_plan){.minutes = minutes, .length_ms = (int64_t)minutes * 60000};
    plan->hole_from_ms = (int64_t)minutes / 2 * 60000 + 23000;
    int64_t hole_ms = minutes >= 30 ? 180000 : (int64_t)minutes * 6000;
    plan->hole_to_ms = plan->hole_from_ms + hole_ms;
    for (int i = 0; i < SCENE_POINTS; i++) {
        uint64_t rng = seed * 2 + (uint64_t)i;
        int e = point_make(plan, i, &rng, err);
        if (e < 0)
            return e;
    }
    return 0;
}

void scene_plan_free(struct scene_plan *plan)
{
    for (int i = 0; i < SCENE_POINTS; i++)
        scene_visit_vec_free(&plan->points[i].visits);
}

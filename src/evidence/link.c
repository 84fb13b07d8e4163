#include "okno/link.h"

#include "okno/time.h"

const char *okno_link_state_name(enum okno_link_state state)
{
#define LINK_NAME(name, word) word,
    static const char *const names[] = {OKNO_LINK_STATES(LINK_NAME)};
#undef LINK_NAME
    return names[state];
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t okno_link_covered(const struct okno_interval *spans, size_t count, int64_t from_us,
                          int64_t to_us)
{
    int64_t covered = 0;
    for (size_t i = 0; i < count; i++)
        covered += later(0, sooner(to_us, spans[i].to_us) - later(from_us, spans[i].from_us));
    return covered;
}

static double fraction_of(const struct okno_link_candidate *c)
{
    int64_t asked = c->asked_to_us - c->asked_from_us;
    int64_t covered = okno_link_covered(c->spans, c->span_count, c->asked_from_us, c->asked_to_us);
    return asked <= 0 ? 0 : (double)covered / (double)asked;
}

/* Full coverage goes before priority, priority before the order given. */
static bool is_better(const struct okno_link_candidate *c, double fraction,
                      const struct okno_link_candidate *best, double best_fraction)
{
    if (fraction < best_fraction || fraction > best_fraction)
        return fraction > best_fraction;
    return c->priority < best->priority;
}

static enum okno_link_state state_without_recording(const struct okno_link_candidate *c,
                                                    int64_t now_us)
{
    bool gone = c->retention_us > 0 && c->asked_to_us <= now_us - c->retention_us;
    return gone ? OKNO_LINK_EXPIRED : OKNO_LINK_NO_RECORDING;
}

void okno_link_choose(const struct okno_link_candidate *candidates, size_t count, int64_t now_us,
                      int64_t settle_us, int64_t part_us, struct okno_link_choice *ret_choice)
{
    struct okno_link_choice choice = {.state = OKNO_LINK_NO_CAMERA};
    bool unreachable = false;
    for (size_t i = 0; i < count; i++) {
        double fraction = fraction_of(&candidates[i]);
        unreachable = unreachable || candidates[i].unreachable;
        if (i == 0 ||
            is_better(&candidates[i], fraction, &candidates[choice.candidate], choice.fraction)) {
            choice.candidate = i;
            choice.fraction = fraction;
        }
    }
    if (count > 0) {
        const struct okno_link_candidate *best = &candidates[choice.candidate];
        if (choice.fraction >= 1)
            choice.state = OKNO_LINK_LINKED;
        else if (unreachable)
            choice.state = OKNO_LINK_UNREACHABLE;
        else if (best->asked_to_us > now_us - (choice.fraction > 0 ? part_us : settle_us))
            choice.state = OKNO_LINK_PENDING;
        else if (choice.fraction > 0)
            choice.state = OKNO_LINK_PARTIAL;
        else
            choice.state = state_without_recording(best, now_us);
    }
    *ret_choice = choice;
}

int64_t okno_link_next_look(int64_t to_us, int64_t now_us, int64_t settle_us, bool rolling)
{
    const int64_t first_us = 4 * OKNO_SECOND_US; /* a segment */
    int64_t last_us = to_us + settle_us;
    int64_t age_us = later(now_us - to_us, 0);
    if (!rolling)
        return last_us;
    return sooner(later(now_us, to_us) + later(age_us, first_us), last_us);
}

int okno_link_gaps(const struct okno_interval *spans, size_t count, int64_t from_us, int64_t to_us,
                   struct okno_interval_vec *gaps, struct okno_err *err)
{
    int64_t at = from_us;
    for (size_t i = 0; i <= count; i++) {
        int64_t next = i < count ? sooner(spans[i].from_us, to_us) : to_us;
        if (next > at && okno_interval_vec_push(gaps, (struct okno_interval){at, next}) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the gaps");
        if (i < count)
            at = later(at, spans[i].to_us);
    }
    return 0;
}

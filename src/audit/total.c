/* How many genuine ratings of one answer a frame of spontaneous ratings holds. Pure. */
#include "okno/audit.h"

#include "total.h"

#include <math.h>

/* Strata that share one observed share; a stratum with fewer than two results joins the next. */
struct share {
    double frame, looked, hits, open;
    double population; /* INFINITY with replacement */
};

OKNO_VEC(share_vec, struct share);

static bool is_enough(const struct share *s)
{
    return s->looked >= 2 || (s->looked >= s->population && s->open == 0);
}

static void join(struct share *to, const struct share *from)
{
    to->frame += from->frame;
    to->population += from->population;
    to->looked += from->looked;
    to->hits += from->hits;
    to->open += from->open;
}

static struct share share_of(const struct okno_audit_tally *t, bool with_replacement)
{
    return (struct share){.frame = (double)t->frame,
                          .population = with_replacement ? (double)INFINITY : (double)t->frame,
                          .looked = (double)(t->valid + t->invalid),
                          .hits = (double)(t->valid - t->moved_valid),
                          .open = (double)t->undeterminable};
}

/* The strata of a class in order, merged; what is left over joins the last. */
static int make_shares(const struct okno_audit_tally *tallies, size_t count, enum okno_class class,
                       bool with_replacement, struct share_vec *shares, struct okno_err *err)
{
    struct share rest = {0};
    for (size_t i = 0; i < count; i++) {
        if (tallies[i].class != class)
            continue;
        struct share one = share_of(&tallies[i], with_replacement);
        join(&rest, &one);
        if (!is_enough(&rest))
            continue;
        if (share_vec_push(shares, rest) < 0)
            return okno_fail(err, OKNO_NO_MEMORY, "no memory for the strata");
        rest = (struct share){0};
    }
    if (rest.frame > 0 && shares->len > 0)
        join(&shares->items[shares->len - 1], &rest);
    else if (rest.frame > 0 && share_vec_push(shares, rest) < 0)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the strata");
    return 0;
}

static const char *null_reason(const struct share_vec *shares)
{
    for (size_t i = 0; i < shares->len; i++)
        if (!is_enough(&shares->items[i]))
            return shares->items[i].looked > 0 ? "too_few_reviewed" : "not_sampled";
    return NULL;
}

/* Wilson limits of each stratum, squares of their distances added up. */
static void add_up(const struct share_vec *shares, double z, struct okno_estimate *e)
{
    double below = 0;
    double above = 0;
    double variance = 0;
    bool whole = true;
    e->value = e->all_valid = e->all_invalid = 0;
    for (size_t i = 0; i < shares->len; i++) {
        const struct share *s = &shares->items[i];
        double p = s->hits / s->looked;
        double all = s->looked + s->open;
        struct okno_limits l = {p, p};
        if (s->looked < s->population) {
            whole = false;
            l = okno_wilson(p, s->looked, s->population, z);
            variance += s->frame * s->frame * p * (1 - p) / (s->looked - 1) *
                        (1 - s->looked / s->population);
        }
        e->value += s->frame * p;
        below += s->frame * s->frame * (p - l.low) * (p - l.low);
        above += s->frame * s->frame * (l.high - p) * (l.high - p);
        e->all_valid += s->frame * ((s->hits + s->open) / all);
        e->all_invalid += s->frame * (s->hits / all);
    }
    e->se = variance > 0 || whole ? sqrt(variance) : (double)NAN;
    e->low = e->value - sqrt(below);
    e->high = e->value + sqrt(above);
    e->worst_low = e->all_invalid;
    e->worst_high = e->all_valid;
}

int audit_total(const struct okno_audit_tally *tallies, size_t count, enum okno_class class,
                const struct okno_audit_rules *rules, struct okno_audit_figure *figure,
                struct okno_err *err)
{
    OKNO_AUTO_VEC(share_vec) shares = {0};
    int rc = make_shares(tallies, count, class, rules->with_replacement, &shares, err);
    if (rc < 0)
        return rc;
    figure->estimate.null_reason = null_reason(&shares);
    if (figure->estimate.null_reason)
        return 0;
    double level = 1 - (1 - rules->level) / rules->looks;
    add_up(&shares, okno_normal_z(level), &figure->estimate);
    figure->band[0] = figure->band[1] = figure->estimate.value;
    return 0;
}

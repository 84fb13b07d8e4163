/* Every group against the period before, or every employee or point against the others at the same
 * site. */
#include "beside.h"

#include "okno/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum okno_indicator indicator;
    enum okno_question_kind kind;
} indices[] = {
    {OKNO_INK_PERSONNEL, OKNO_PERSONNEL}, {OKNO_INK_OFFICE, OKNO_OFFICE}, {OKNO_IEL, OKNO_LOYALTY}};

enum { INDICES = 3, GROUPS_MAX = 3000 };

static bool is_same_group(const struct okno_kpi_group *a, const struct okno_kpi_group *b,
                          unsigned words)
{
    for (size_t i = 0; i < OKNO_GROUP_WORDS; i++)
        if ((words & (1U << i)) && a->value[i] && b->value[i] &&
            strcmp(a->value[i], b->value[i]) != 0)
            return false;
    return true;
}

/* The counted answers of an index: staff's leaves force majeure out. */
static struct okno_tally tally_of(const struct okno_kpi_group *group, enum okno_question_kind kind)
{
    struct okno_tally t = group->sums.set[OKNO_EXCLUDED].kind[kind];
    const struct okno_tally *fm = &group->sums.set[OKNO_EXCLUDED].fm_kind[kind];
    if (kind != OKNO_PERSONNEL)
        return t;
    return (struct okno_tally){t.yes - fm->yes, t.unsure - fm->unsure, t.no - fm->no,
                               t.silent - fm->silent};
}

static void add(struct okno_tally *sum, const struct okno_tally *t)
{
    sum->yes += t->yes;
    sum->unsure += t->unsure;
    sum->no += t->no;
    sum->silent += t->silent;
}

/* What a group is compared with, of one kind. */
static struct okno_tally other_of(const struct okno_group_vec *others,
                                  const struct okno_kpi_group *group, unsigned words,
                                  bool others_only, enum okno_question_kind kind)
{
    struct okno_tally sum = {0};
    for (size_t i = 0; i < others->len; i++) {
        const struct okno_kpi_group *other = &others->items[i];
        const struct okno_tally t = tally_of(other, kind);
        if (is_same_group(group, other, words) && !(others_only && other == group))
            add(&sum, &t);
    }
    return sum;
}

static int differences_of(const struct okno_figures_query *query,
                          const struct okno_group_vec *groups, const struct okno_group_vec *others,
                          unsigned words, struct beside_comparison *c, struct okno_err *err)
{
    size_t count = groups->len * INDICES;
    okno_autofree struct okno_kpi_difference **sorted = calloc(count + 1, sizeof(*sorted));
    c->differences = calloc(count + 1, sizeof(*c->differences));
    c->there = calloc(count + 1, sizeof(*c->there));
    if (!sorted || !c->differences || !c->there)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for the comparison");
    for (int pass = 0; pass < 2; pass++) { /* the intervals need to know how many there are */
        size_t before = c->compared;
        c->compared = 0;
        double z = okno_normal_z(1 - (1 - c->level) / (double)(before ? before : 1));
        for (size_t i = 0; i < count; i++) {
            const struct okno_kpi_group *group = &groups->items[i / INDICES];
            enum okno_question_kind kind = indices[i % INDICES].kind;
            const struct okno_tally mine = tally_of(group, kind);
            const struct okno_tally other = other_of(others, group, words, groups == others, kind);
            c->there[i] = okno_kpi_difference(kind, &mine, &other, query->k, z, &c->differences[i]);
            if (c->there[i])
                sorted[c->compared++] = &c->differences[i];
        }
    }
    okno_kpi_holm(sorted, c->compared);
    return 0;
}

static int against_before(struct okno_db *db, const struct okno_figures_query *query,
                          const struct okno_group_vec *groups, struct beside_comparison *c,
                          struct okno_err *err)
{
    struct okno_group_vec before = {0};
    const unsigned calendar = OKNO_BY_HOUR | OKNO_BY_DAY | OKNO_BY_WEEK | OKNO_BY_MONTH;
    const struct okno_kpi_query asked = {.from_us = 2 * query->from_us - query->to_us,
                                         .to_us = query->from_us,
                                         .by = query->by & ~calendar,
                                         .local = query->local};
    int rc =
        query->by & calendar
            ? okno_fail_field(err, OKNO_INVALID, "compare",
                              "periods are compared as a whole: group by no hour, day, week or "
                              "month")
            : okno_kpi_gather(db, &asked, &before, err);
    if (rc == 0)
        rc = differences_of(query, groups, &before, query->by, c, err);
    okno_kpi_groups_free(&before);
    return rc;
}

int beside_compare(struct okno_db *db, const struct okno_figures_query *query,
                   const struct okno_group_vec *groups, struct beside_comparison *c,
                   struct okno_err *err)
{
    c->against = query->compare;
    c->level = 0.95;
    if (groups->len > GROUPS_MAX)
        return okno_fail_field(err, OKNO_TOO_LARGE, "compare", "more than %d groups to compare",
                               GROUPS_MAX);
    if (strcmp(query->compare, "before") == 0)
        return against_before(db, query, groups, c, err);
    if (strcmp(query->compare, "site") != 0)
        return okno_fail_field(err, OKNO_INVALID, "compare",
                               "\"%.40s\" is nothing to compare with; allowed: before, site",
                               query->compare);
    if (query->by != (OKNO_BY_SITE | OKNO_BY_EMPLOYEE) &&
        query->by != (OKNO_BY_SITE | OKNO_BY_POINT))
        return okno_fail_field(err, OKNO_INVALID, "compare",
                               "employees and points are compared with the others at their site: "
                               "group by site,employee or by site,point");
    return differences_of(query, groups, groups, OKNO_BY_SITE, c, err);
}

void beside_comparison_free(struct beside_comparison *c)
{
    free(c->differences);
    free(c->there);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(round(value * 1e9) / 1e9) : json_null();
}

json_t *beside_difference_json(const struct beside_comparison *c, size_t group,
                               enum okno_indicator indicator, int64_t min_n)
{
    size_t i = 0;
    while (i < INDICES && indices[i].indicator != indicator)
        i++;
    if (!c->against || i == INDICES || !c->there[group * INDICES + i])
        return json_null();
    const struct okno_kpi_difference *d = &c->differences[group * INDICES + i];
    bool few = d->n < min_n || d->n_other < min_n;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:b}", "value", number(d->value),
                     "low", number(d->low), "high", number(d->high), "p", number(d->p),
                     "p_adjusted", number(d->p_adjusted), "n", (json_int_t)d->n, "n_other",
                     (json_int_t)d->n_other, "too_few", few, "differs",
                     !few && d->p_adjusted < 1 - c->level);
}

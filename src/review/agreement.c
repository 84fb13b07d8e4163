#include "okno/agreement.h"

#include "okno/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* One item's judgements: how many there are, and how many of each category. */
struct item {
    const struct okno_judgement *first;
    size_t raters;
    double of[OKNO_AGREEMENT_CATEGORIES_MAX];
};

/* Sums over all items. */
struct sums {
    double items, several;                          /* judged at all; by two or more */
    double agreeing;                                /* sum of the items' shares of agreeing pairs */
    double share[OKNO_AGREEMENT_CATEGORIES_MAX];    /* sum of the items' shares of a category */
    double pairable[OKNO_AGREEMENT_CATEGORIES_MAX]; /* judgements in items of two or more */
    double matched; /* sum over items of agreeing ordered pairs / (raters - 1) */
    double positive_pairs, positive_all;
};

static int by_item_and_rater(const void *a, const void *b)
{
    const struct okno_judgement *x = a;
    const struct okno_judgement *y = b;
    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return x->rater < y->rater ? -1 : x->rater > y->rater;
}

static int check(const struct okno_agreement_input *input, struct okno_err *err)
{
    const struct okno_judgement *all = input->judgements;
    if (input->categories < 1 || input->categories > OKNO_AGREEMENT_CATEGORIES_MAX)
        return okno_fail(err, OKNO_INVALID, "%zu categories: 1 to %d are allowed",
                         input->categories, OKNO_AGREEMENT_CATEGORIES_MAX);
    for (size_t i = 0; i < input->count; i++) {
        if (all[i].category >= input->categories)
            return okno_fail(err, OKNO_INVALID, "category %u of %zu", all[i].category,
                             input->categories);
        if (i > 0 && all[i].item == all[i - 1].item && all[i].rater == all[i - 1].rater)
            return okno_fail(err, OKNO_INVALID, "rater %u judges item %u twice", all[i].rater,
                             all[i].item);
    }
    return 0;
}

/* The item that begins at `at`; returns where the next one begins. */
static size_t item_take(const struct okno_agreement_input *input, size_t at, struct item *ret_item)
{
    const struct okno_judgement *all = input->judgements;
    *ret_item = (struct item){.first = &all[at]};
    size_t end = at;
    for (; end < input->count && all[end].item == all[at].item; end++)
        ret_item->of[all[end].category]++;
    ret_item->raters = end - at;
    return end;
}

/* Ordered pairs of judgements in the same category. */
static double agreeing_pairs(const struct item *item, size_t categories)
{
    double pairs = 0;
    for (size_t k = 0; k < categories; k++)
        pairs += item->of[k] * (item->of[k] - 1);
    return pairs;
}

static void sums_add(struct sums *sums, const struct item *item,
                     const struct okno_agreement_input *input)
{
    double raters = (double)item->raters;
    sums->items++;
    for (size_t k = 0; k < input->categories; k++)
        sums->share[k] += item->of[k] / raters;
    if (item->raters < 2)
        return;
    double pairs = agreeing_pairs(item, input->categories);
    sums->several++;
    sums->agreeing += pairs / (raters * (raters - 1));
    sums->matched += pairs / (raters - 1);
    for (size_t k = 0; k < input->categories; k++)
        sums->pairable[k] += item->of[k];
    if (input->positive < input->categories) {
        double positive = item->of[input->positive];
        sums->positive_pairs += positive * (positive - 1);
        sums->positive_all += positive * (raters - 1);
    }
}

static struct okno_agreement_figure none(const char *reason)
{
    return (struct okno_agreement_figure){.value = NAN, .se = NAN, .null_reason = reason};
}

static struct okno_agreement_figure figure(double value)
{
    return (struct okno_agreement_figure){.value = value, .se = NAN};
}

/* (observed - chance) / (1 - chance). */
static struct okno_agreement_figure beyond_chance(double observed, double chance)
{
    return chance < 1 ? figure((observed - chance) / (1 - chance)) : none("one_category");
}

/* --- AC1 -------------------------------------------------------------------------------------- */

static double ac1_chance(const struct sums *sums, size_t categories)
{
    double sum = 0;
    for (size_t k = 0; k < categories; k++) {
        double share = sums->share[k] / sums->items;
        sum += share * (1 - share);
    }
    return sum / ((double)categories - 1);
}

/* An item's part of AC1, linearised: its own agreement and how it moves what chance explains. */
static double ac1_part(const struct sums *sums, const struct item *item, size_t categories,
                       double chance, double ac1)
{
    double raters = (double)item->raters;
    double own = 0;
    double moved = 0;
    if (item->raters >= 2)
        own = sums->items / sums->several *
              (agreeing_pairs(item, categories) / (raters * (raters - 1)) - chance) / (1 - chance);
    for (size_t k = 0; k < categories; k++)
        moved += item->of[k] / raters * (1 - sums->share[k] / sums->items);
    moved /= (double)categories - 1;
    return own - 2 * (1 - ac1) * (moved - chance) / (1 - chance);
}

static struct okno_agreement_figure measure_ac1(const struct okno_agreement_input *input,
                                                const struct sums *sums)
{
    struct item item;
    double squares = 0;
    if (input->categories < 2)
        return none("one_category");
    double chance = ac1_chance(sums, input->categories);
    struct okno_agreement_figure ac1 = beyond_chance(sums->agreeing / sums->several, chance);
    for (size_t at = 0; at < input->count;) {
        at = item_take(input, at, &item);
        double off = ac1_part(sums, &item, input->categories, chance, ac1.value) - ac1.value;
        squares += off * off;
    }
    if (sums->items > 1)
        ac1.se = sqrt(squares / (sums->items * (sums->items - 1)));
    return ac1;
}

/* --- Fleiss and Krippendorff ------------------------------------------------------------------ */

static struct okno_agreement_figure measure_fleiss(const struct sums *sums, size_t categories)
{
    double chance = 0;
    for (size_t k = 0; k < categories; k++)
        chance += sums->share[k] / sums->items * (sums->share[k] / sums->items);
    return beyond_chance(sums->agreeing / sums->several, chance);
}

static struct okno_agreement_figure measure_alpha(const struct sums *sums, size_t categories)
{
    double all = 0;
    double same = 0;
    for (size_t k = 0; k < categories; k++) {
        all += sums->pairable[k];
        same += sums->pairable[k] * (sums->pairable[k] - 1);
    }
    return beyond_chance(sums->matched / all, same / (all * (all - 1)));
}

/* --- Cohen ------------------------------------------------------------------------------------ */

/* What two raters said of the items that both judged. */
struct table {
    size_t categories;
    double items;
    double *of;                                  /* [first][second]; owned */
    double first[OKNO_AGREEMENT_CATEGORIES_MAX]; /* shares of the rows and columns */
    double second[OKNO_AGREEMENT_CATEGORIES_MAX];
};

static double table_at(const struct table *table, size_t i, size_t j)
{
    return table->of[i * table->categories + j] / table->items;
}

static int table_fill(struct table *table, const struct okno_agreement_input *input)
{
    struct item item;
    table->of = calloc(input->categories * input->categories, sizeof(*table->of));
    if (!table->of)
        return OKNO_NO_MEMORY;
    for (size_t at = 0; at < input->count;) {
        at = item_take(input, at, &item);
        if (item.raters == 2) {
            table->of[item.first[0].category * table->categories + item.first[1].category]++;
            table->items++;
        }
    }
    for (size_t i = 0; i < table->categories && table->items > 0; i++)
        for (size_t j = 0; j < table->categories; j++) {
            table->first[i] += table_at(table, i, j);
            table->second[j] += table_at(table, i, j);
        }
    return 0;
}

/* The variance of Fleiss, Cohen and Everitt, without the division by the number of items. */
static double kappa_variance(const struct table *table, double observed, double chance)
{
    double diagonal = 0;
    double spread = 0;
    double left = 1 - observed;
    for (size_t i = 0; i < table->categories; i++) {
        diagonal += table_at(table, i, i) * (table->first[i] + table->second[i]);
        for (size_t j = 0; j < table->categories; j++) {
            double sum = table->second[i] + table->first[j];
            spread += table_at(table, i, j) * sum * sum;
        }
    }
    double rest = 1 - chance;
    return observed * left / (rest * rest) +
           2 * left * (2 * observed * chance - diagonal) / (rest * rest * rest) +
           left * left * (spread - 4 * chance * chance) / (rest * rest * rest * rest);
}

static struct okno_agreement_figure table_kappa(const struct table *table)
{
    double observed = 0;
    double chance = 0;
    if (table->items < 1)
        return none("no_double_reviews");
    for (size_t i = 0; i < table->categories; i++) {
        observed += table_at(table, i, i);
        chance += table->first[i] * table->second[i];
    }
    struct okno_agreement_figure kappa = beyond_chance(observed, chance);
    if (!kappa.null_reason && table->items > 1)
        kappa.se = sqrt(fmax(0, kappa_variance(table, observed, chance)) / table->items);
    return kappa;
}

static int measure_kappa(const struct okno_agreement_input *input, struct okno_agreement *to,
                         struct okno_err *err)
{
    struct table table = {.categories = input->categories};
    if (to->raters != 2) {
        to->kappa = none("not_two_raters");
        return 0;
    }
    int rc = table_fill(&table, input);
    to->kappa = rc < 0 ? none("no_double_reviews") : table_kappa(&table);
    to->both = (int64_t)table.items;
    free(table.of);
    return rc < 0 ? okno_fail(err, rc, "no memory for %zu categories", input->categories) : 0;
}

/* --- all -------------------------------------------------------------------------------------- */

static int numbers_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int count_raters(const struct okno_agreement_input *input, int64_t *ret_raters,
                        struct okno_err *err)
{
    okno_autofree uint32_t *raters = calloc(input->count + 1, sizeof(*raters));
    if (!raters)
        return okno_fail(err, OKNO_NO_MEMORY, "no memory for %zu judgements", input->count);
    for (size_t i = 0; i < input->count; i++)
        raters[i] = input->judgements[i].rater;
    qsort(raters, input->count, sizeof(*raters), numbers_compare);
    *ret_raters = 0;
    for (size_t i = 0; i < input->count; i++)
        *ret_raters += i == 0 || raters[i] != raters[i - 1];
    return 0;
}

static void measure_shares(const struct okno_agreement_input *input, const struct sums *sums,
                           struct okno_agreement *to)
{
    to->percent = figure(sums->agreeing / sums->several);
    to->ac1 = measure_ac1(input, sums);
    to->fleiss = measure_fleiss(sums, input->categories);
    to->alpha = measure_alpha(sums, input->categories);
    to->positive = sums->positive_all > 0 ? figure(sums->positive_pairs / sums->positive_all)
                                          : none("never_positive");
}

int okno_agreement_measure(const struct okno_agreement_input *input,
                           struct okno_agreement *ret_agreement, struct okno_err *err)
{
    struct sums sums = {0};
    struct item item;
    struct okno_agreement agreement = {0};
    if (input->count > 0)
        qsort(input->judgements, input->count, sizeof(*input->judgements), by_item_and_rater);
    int rc = check(input, err);
    if (rc == 0)
        rc = count_raters(input, &agreement.raters, err);
    if (rc < 0)
        return rc;
    for (size_t at = 0; at < input->count;) {
        at = item_take(input, at, &item);
        sums_add(&sums, &item, input);
    }
    agreement.items = (int64_t)sums.several;
    agreement.single = (int64_t)(sums.items - sums.several);
    agreement.percent = agreement.ac1 = agreement.alpha = agreement.fleiss = agreement.kappa =
        agreement.positive = none("no_double_reviews");
    if (sums.several > 0) {
        measure_shares(input, &sums, &agreement);
        rc = measure_kappa(input, &agreement, err);
    }
    if (rc == 0)
        *ret_agreement = agreement;
    return rc;
}

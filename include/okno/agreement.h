/* How far several raters agree on the same items: the chance-corrected measures that reliability
 * studies report. Pure: no database, no clock.
 *
 * Categories are names without an order. Items that only one rater judged count for how common a
 * category is where the measure says so (AC1, Fleiss), never for agreement. Sources: Gwet,
 * "Computing inter-rater reliability and its variance in the presence of high agreement" (2008),
 * also for missing ratings; Fleiss (1971); Krippendorff, "Content Analysis" (nominal data); Cohen
 * (1960) with the large-sample variance of Fleiss, Cohen and Everitt (1969); Cicchetti and
 * Feinstein (1990) for positive agreement. */
#ifndef OKNO_AGREEMENT_H
#define OKNO_AGREEMENT_H

#include "okno/err.h"

#include <stddef.h>
#include <stdint.h>

enum { OKNO_AGREEMENT_CATEGORIES_MAX = 256 };

/* One rater's answer for one item, all three as numbers from 0. */
struct okno_judgement {
    uint32_t item, rater, category;
};

struct okno_agreement_input {
    struct okno_judgement *judgements; /* sorted in place by item, rater */
    size_t count;
    size_t categories; /* there are, used or not: 1..OKNO_AGREEMENT_CATEGORIES_MAX */
    size_t positive;   /* the category whose own agreement is asked; SIZE_MAX: none */
};

/* Null where null_reason is set (static text), and se where se is NAN. */
struct okno_agreement_figure {
    double value, se;
    const char *null_reason;
};

/* Reasons: no_double_reviews (no item has two judgements), one_category (all answers are the same,
 * or could only be: chance explains everything), not_two_raters (kappa), never_positive. */
struct okno_agreement {
    int64_t items;  /* judged by two or more: what agreement is measured on */
    int64_t single; /* judged by one */
    int64_t raters;
    int64_t both; /* items that count for kappa: judged by both of exactly two raters */
    struct okno_agreement_figure percent, ac1, alpha, fleiss, kappa, positive;
};

/* OKNO_INVALID: a category out of range, or a rater judges an item twice. OKNO_NO_MEMORY. */
OKNO_CHECK int okno_agreement_measure(const struct okno_agreement_input *input,
                                      struct okno_agreement *ret_agreement, struct okno_err *err);

#endif

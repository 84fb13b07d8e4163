#define _POSIX_C_SOURCE 200809L
/* Whole audits of a frame whose truth is known, 200 of each kind with a seed of its own: the
 * interval holds the truth as often as its level says. Pure computation; the seeds are fixed, so
 * that the counts are always the same. */
#include "okno/audit.h"

#include "okno/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNITS = 2400, REPETITIONS = 200, SITES = 3 };

static struct okno_unit units[UNITS];
static char ids[UNITS][16], sites[UNITS][OKNO_STRATUM_TEXT], answers[UNITS][OKNO_STRATUM_TEXT];
static bool genuine[UNITS];
static double truth;

static unsigned long long next(unsigned long long *random)
{
    *random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
    return *random >> 33;
}

/* Three shops of very different size; a fifth of "yes" is faked, more in the smallest. */
static int make(void **state)
{
    static const unsigned answer_in_100[] = {55, 8, 15, 22};
    static const unsigned faked_in_100[] = {20, 10, 4, 8};
    unsigned long long random = 20261125;
    double no = 0;
    double silent = 0;
    double valid = 0;
    (void)state;
    for (size_t i = 0; i < UNITS; i++) {
        size_t site = i % 20 < 13 ? 0 : i % 20 < 18 ? 1 : 2;
        unsigned draw = (unsigned)(next(&random) % 100);
        int class = 0;
        while (draw >= answer_in_100[class])
            draw -= answer_in_100[class ++];
        unsigned faked = faked_in_100[class] + (site == 2 ? 25 : 0);
        genuine[i] = next(&random) % 100 >= faked;
        no += genuine[i] && class == OKNO_NO;
        silent += genuine[i] && class == OKNO_SILENT;
        valid += genuine[i];
        (void)snprintf(ids[i], sizeof(ids[i]), "d.0.%05zu", i);
        (void)snprintf(sites[i], sizeof(sites[i]), "s%zu", site);
        (void)snprintf(answers[i], sizeof(answers[i]), "%s",
                       okno_class_name((enum okno_class) class));
        units[i] = (struct okno_unit){ids[i], sites[i], (enum okno_class) class};
    }
    truth = (no + 0.5 * silent) / valid;
    return 0;
}

/* The tally of a unit's cell, added when it is new. */
static struct okno_audit_tally *tally_of(struct okno_audit_tally *tallies, size_t *count, size_t at)
{
    for (size_t i = 0; i < *count; i++)
        if (tallies[i].class == units[at].class &&
            strcmp(tallies[i].stratum, units[at].stratum) == 0)
            return &tallies[i];
    struct okno_audit_tally *tally = &tallies[(*count)++];
    memset(tally, 0, sizeof(*tally));
    tally->class = units[at].class;
    (void)snprintf(tally->stratum, sizeof(tally->stratum), "%s", units[at].stratum);
    return tally;
}

static struct okno_estimate audit(const struct okno_sampling *sampling, const int64_t *asked,
                                  size_t rounds, int looks, int number)
{
    OKNO_AUTO_PICKS picks = {0};
    struct okno_audit_tally tallies[SITES * OKNO_CLASSES];
    struct okno_audit_figure figure;
    struct okno_err err = {0};
    size_t count = 0;
    char seed[40];
    const struct okno_audit_rules rules = {
        .with_replacement = sampling->with_replacement, .k = 0.5, .level = 0.95, .looks = looks};
    (void)snprintf(seed, sizeof(seed), "repetition %010d", number);
    assert_int_equal(okno_sampling_draw(sampling, seed, units, UNITS, asked, rounds, &picks, &err),
                     0);
    for (size_t i = 0; i < UNITS; i++)
        tally_of(tallies, &count, i)->frame++;
    for (size_t i = 0; i < picks.len; i++) {
        size_t at = picks.items[i].index;
        struct okno_audit_tally *tally = tally_of(tallies, &count, at);
        *(genuine[at] ? &tally->valid : &tally->invalid) += 1;
    }
    assert_int_equal(
        okno_audit_tally_estimate(OKNO_INK_OFFICE, tallies, count, &rules, &figure, &err), 0);
    assert_null(figure.estimate.null_reason);
    return figure.estimate;
}

/* Of 200 intervals at 95 % at least 182 hold the truth in 99 of 100 such tests. */
static void holds(const struct okno_sampling *sampling, const int64_t *asked, size_t rounds,
                  int looks, int least, double widest)
{
    int held = 0;
    double width = 0;
    for (size_t i = 0; i < UNITS; i++)
        units[i].stratum = sampling->strata == OKNO_STRATA_ANSWER ? answers[i] : sites[i];
    for (int i = 0; i < REPETITIONS; i++) {
        const struct okno_estimate e = audit(sampling, asked, rounds, looks, i);
        held += e.low <= truth && truth <= e.high;
        width += (e.high - e.low) / REPETITIONS;
    }
    if (held < least || width > widest)
        fail_msg("%d of %d held the truth, mean width %.4f", held, REPETITIONS, width);
}

#define EXPECTED                                                                                   \
    {                                                                                              \
        0.2, 0.1, 0.05, 0.1                                                                        \
    }

static void in_proportion_to_the_sites(void **state)
{
    (void)state;
    const struct okno_sampling s = {.strata = OKNO_STRATA_SITE, .least = 10, .expected = EXPECTED};
    holds(&s, (const int64_t[]){240}, 1, 1, 182, 0.06);
}

static void by_answer_after_neyman(void **state)
{
    (void)state;
    const struct okno_sampling s = {
        .strata = OKNO_STRATA_ANSWER, .neyman = true, .least = 10, .expected = EXPECTED};
    holds(&s, (const int64_t[]){240}, 1, 1, 182, 0.06);
}

static void with_replacement(void **state)
{
    (void)state;
    const struct okno_sampling s = {
        .strata = OKNO_STRATA_ANSWER, .with_replacement = true, .expected = EXPECTED};
    holds(&s, (const int64_t[]){240}, 1, 1, 182, 0.06);
}

static void at_the_second_of_three_looks(void **state)
{
    (void)state;
    const struct okno_sampling s = {.strata = OKNO_STRATA_ANSWER, .least = 5, .expected = EXPECTED};
    holds(&s, (const int64_t[]){120, 120}, 2, 3, 192, 0.08); /* each at 98.3 % */
}

/* Each of three looks at growing samples; none may miss. */
static void all_of_three_looks_together_hold_at_the_level(void **state)
{
    (void)state;
    const struct okno_sampling s = {.strata = OKNO_STRATA_ANSWER, .least = 5, .expected = EXPECTED};
    const int64_t asked[] = {120, 80, 80};
    int held = 0;
    for (size_t i = 0; i < UNITS; i++)
        units[i].stratum = answers[i];
    for (int i = 0; i < REPETITIONS; i++) {
        bool all = true;
        for (size_t rounds = 1; rounds <= 3; rounds++) {
            const struct okno_estimate e = audit(&s, asked, rounds, 3, i);
            all = all && e.low <= truth && truth <= e.high;
        }
        held += all;
    }
    if (held < 182)
        fail_msg("%d of %d held the truth at every look", held, REPETITIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_proportion_to_the_sites),
        cmocka_unit_test(by_answer_after_neyman),
        cmocka_unit_test(with_replacement),
        cmocka_unit_test(at_the_second_of_three_looks),
        cmocka_unit_test(all_of_three_looks_together_hold_at_the_level),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}

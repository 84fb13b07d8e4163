#define _POSIX_C_SOURCE 200809L
#include "okno/sampling.h"

#include "okno/hash.h"
#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED "18364520937745610298"

enum { UNITS = 400 };

static struct okno_unit units[UNITS];
static char ids[UNITS][16];

/* 300 of a big stratum, 80 of a middle one, 20 of a small one, mixed; answers take turns. */
static int make(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNITS; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "d.0.%03zu", i);
        units[i] = (struct okno_unit){ids[i],
                                      i % 20 == 0  ? "small"
                                      : i % 5 == 1 ? "middle"
                                                   : "big",
                                      (enum okno_class)(i % OKNO_CLASSES)};
    }
    return 0;
}

static struct okno_sampling by_site(int64_t size)
{
    return (struct okno_sampling){
        .strata = OKNO_STRATA_SITE, .size = size, .level = 0.95, .expected = {0.1, 0.1, 0.1, 0.1}};
}

static void draw(const struct okno_sampling *sampling, const int64_t *asked, size_t rounds,
                 struct okno_pick_vec *picks)
{
    struct okno_err err = {0};
    if (okno_sampling_draw(sampling, SEED, units, UNITS, asked, rounds, picks, &err) < 0)
        fail_msg("%s", err.text);
}

static size_t count_of(const struct okno_pick_vec *picks, const char *stratum, int round)
{
    size_t count = 0;
    for (size_t i = 0; i < picks->len; i++)
        count += strcmp(units[picks->items[i].index].stratum, stratum) == 0 &&
                 (round == 0 || picks->items[i].round == round);
    return count;
}

/* ---- allotment ---- */

#define ALLOT(weight, least, most, total, ...)                                                     \
    do {                                                                                           \
        const double w[] = weight;                                                                 \
        const int64_t l[] = least, m[] = most, want[] = __VA_ARGS__;                               \
        int64_t got[OKNO_COUNT(w)] = {0};                                                          \
        struct okno_err err = {0};                                                                 \
        assert_int_equal(okno_allot(w, l, m, OKNO_COUNT(w), (total), got, &err), 0);               \
        for (size_t i = 0; i < OKNO_COUNT(w); i++)                                                 \
            assert_int_equal(got[i], want[i]);                                                     \
    } while (0)
#define LIST(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void a_sample_is_shared_out_by_weight(void **state)
{
    (void)state;
    ALLOT(LIST(1, 1, 2), LIST(0, 0, 0), LIST(100, 100, 100), 8, {2, 2, 4});
    /* 3.33 each: what does not divide goes to the first */
    ALLOT(LIST(5, 5, 5), LIST(0, 0, 0), LIST(100, 100, 100), 10, {4, 3, 3});
    /* 2.5, 3.5, 4.0: the largest fractions, then the first */
    ALLOT(LIST(5, 7, 8), LIST(0, 0, 0), LIST(100, 100, 100), 10, {3, 3, 4});
}

static void bounds_of_strata_win_over_weights(void **state)
{
    (void)state;
    ALLOT(LIST(100, 1, 1), LIST(0, 2, 2), LIST(1000, 1000, 1000), 10, {6, 2, 2});
    ALLOT(LIST(100, 10, 10), LIST(0, 0, 0), LIST(4, 1000, 1000), 10, {4, 3, 3});
    ALLOT(LIST(1, 1), LIST(6, 6), LIST(9, 9), 10, {6, 6}); /* the least win over the total */
    ALLOT(LIST(1, 1), LIST(0, 0), LIST(3, 2), 10, {3, 2}); /* no more than there are */
    ALLOT(LIST(0, 0), LIST(1, 0), LIST(9, 9), 4, {1, 0});
}

/* ---- strata ---- */

static void each_stratum_gets_its_part_and_at_least_the_least(void **state)
{
    (void)state;
    OKNO_AUTO_PICKS picks = {0};
    struct okno_sampling sampling = by_site(40);
    const int64_t asked[] = {40};
    draw(&sampling, asked, 1, &picks);
    assert_int_equal(count_of(&picks, "big", 0), 30);
    assert_int_equal(count_of(&picks, "middle", 0), 8);
    assert_int_equal(count_of(&picks, "small", 0), 2);
    okno_picks_free(&picks);
    picks = (struct okno_pick_vec){0};
    sampling.least = 10;
    draw(&sampling, asked, 1, &picks);
    assert_int_equal(count_of(&picks, "small", 0), 10);
    assert_int_equal(count_of(&picks, "middle", 0), 10);
    assert_int_equal(picks.len, 40);
}

static void neyman_takes_more_where_more_spread_is_expected(void **state)
{
    (void)state;
    OKNO_AUTO_PICKS picks = {0};
    struct okno_sampling sampling = by_site(60);
    const int64_t asked[] = {60};
    sampling.neyman = true;
    sampling.strata = OKNO_STRATA_ANSWER;
    for (size_t i = 0; i < UNITS; i++)
        units[i].stratum = okno_class_name(units[i].class);
    const double expected[] = {0.5, 0.1, 0.1, 0.0}; /* spreads 0.5, 0.3, 0.3, 0 */
    memcpy(sampling.expected, expected, sizeof(expected));
    draw(&sampling, asked, 1, &picks);
    (void)make(NULL);
    size_t counts[OKNO_CLASSES] = {0};
    for (size_t i = 0; i < picks.len; i++)
        counts[units[picks.items[i].index].class]++;
    assert_int_equal(counts[OKNO_YES], 27); /* 60 * 5/11 = 27.3 and 60 * 3/11 = 16.4, twice */
    assert_int_equal(counts[OKNO_UNSURE], 16);
    assert_int_equal(counts[OKNO_NO], 17); /* the first by name */
    assert_int_equal(counts[OKNO_SILENT], 0);
}

static void a_width_makes_the_size(void **state)
{
    (void)state;
    struct okno_sampling sampling = by_site(0);
    struct okno_err err = {0};
    int64_t size = 0;
    sampling.strata = 0;
    sampling.half_width = 0.05;
    assert_int_equal(okno_sampling_size(&sampling, units, UNITS, &size, &err), 0);
    /* n0 = 1.959964^2 * 0.09 / 0.05^2 = 138.3; 138.3 / (1 + 138.3 / 400) = 102.8 */
    assert_int_equal(size, 103);
    sampling.with_replacement = true;
    assert_int_equal(okno_sampling_size(&sampling, units, UNITS, &size, &err), 0);
    assert_int_equal(size, 139);
}

/* ---- rounds ---- */

static void a_round_goes_on_where_the_last_one_ended(void **state)
{
    (void)state;
    OKNO_AUTO_PICKS first = {0};
    OKNO_AUTO_PICKS both = {0};
    const struct okno_sampling sampling = by_site(40);
    const int64_t asked[] = {40, 20};
    draw(&sampling, asked, 1, &first);
    draw(&sampling, asked, 2, &both);
    assert_int_equal(both.len, 60);
    for (size_t i = 0; i < both.len; i++) {
        assert_int_equal(both.items[i].place, i + 1);
        assert_int_equal(both.items[i].round, i < 40 ? 1 : 2);
        if (i < 40)
            assert_string_equal(both.items[i].ticket, first.items[i].ticket);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(both.items[i].index, both.items[j].index);
    }
    assert_int_equal(count_of(&both, "big", 2), 15);
    assert_int_equal(count_of(&both, "middle", 2), 4);
    assert_int_equal(count_of(&both, "small", 2), 1);
}

static void rounds_end_where_the_frame_does(void **state)
{
    (void)state;
    OKNO_AUTO_PICKS picks = {0};
    const struct okno_sampling sampling = by_site(300);
    const int64_t asked[] = {300, 300, 300};
    draw(&sampling, asked, 3, &picks);
    assert_int_equal(picks.len, UNITS);
    assert_int_equal(picks.items[UNITS - 1].round, 2);
}

static void without_strata_it_is_the_one_order(void **state)
{
    (void)state;
    OKNO_AUTO_PICKS picks = {0};
    struct okno_sampling sampling = by_site(25);
    const int64_t asked[] = {20, 5};
    sampling.strata = 0;
    draw(&sampling, asked, 2, &picks);
    for (size_t i = 0; i < picks.len; i++) {
        assert_int_equal(picks.items[i].rank, i + 1);
        if (i > 0)
            assert_true(strcmp(picks.items[i - 1].ticket, picks.items[i].ticket) < 0);
    }
}

static void with_replacement_a_survey_comes_again_in_later_rounds(void **state)
{
    (void)state;
    OKNO_AUTO_PICKS picks = {0};
    struct okno_sampling sampling = by_site(300);
    const int64_t asked[] = {300, 300};
    size_t again = 0;
    sampling.with_replacement = true;
    draw(&sampling, asked, 2, &picks);
    assert_int_equal(picks.len, 600); /* more than there are surveys */
    assert_int_equal(count_of(&picks, "big", 1), 225);
    for (size_t i = 0; i < picks.len; i++)
        again += picks.items[i].generation > 1;
    assert_in_range(again, 250, 350); /* 400 e^-1.5 = 89 never drawn, 311 distinct */
}

static void strata_have_the_names_of_what_makes_them(void **state)
{
    (void)state;
    static const struct {
        const char *words, *spelled, *name;
    } cases[] = {{"none", "none", "mall/p1"},
                 {"site", "site", "mall"},
                 {"site,point", "point", "mall/p1"},
                 {"day,site", "site,day", "mall/2026-03-10"},
                 {"answer", "answer", "yes"},
                 {"point,day,answer", "point,day,answer", "mall/p1/2026-03-10/yes"}};
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        unsigned strata = 0;
        char words[40];
        char name[OKNO_STRATUM_TEXT];
        struct okno_err err = {0};
        assert_int_equal(okno_strata_parse(cases[i].words, &strata, &err), 0);
        assert_string_equal(okno_strata_words(strata, words, sizeof(words)), cases[i].spelled);
        assert_string_equal(okno_stratum_name(strata, "mall", "p1", "2026-03-10", "yes", name),
                            cases[i].name);
    }
}

static void words_that_say_nothing_are_refused(void **state)
{
    (void)state;
    unsigned strata = 7;
    double expected[OKNO_CLASSES] = {0};
    struct okno_err err = {0};
    assert_int_equal(okno_strata_parse("site,shop", &strata, &err), OKNO_INVALID);
    assert_int_equal(strata, 7);
    static const char *const bad[] = {"yes", "yes=", "yes=2", "maybe=0.1", "none=0.1", "yes=0.1x"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        okno_err_clear(&err);
        assert_int_equal(okno_expected_parse(bad[i], expected, &err), OKNO_INVALID);
        assert_string_equal(err.field, "expect");
    }
    okno_err_clear(&err);
    assert_int_equal(okno_expected_parse("yes=0.25,silent=1", expected, &err), 0);
    assert_true(expected[OKNO_YES] == 0.25 && expected[OKNO_SILENT] == 1 && expected[OKNO_NO] == 0);
}

static void a_plan_as_json_gives_the_same_sample_back(void **state)
{
    (void)state;
    struct okno_sampling sampling = by_site(0);
    struct okno_sampling got;
    struct okno_err err = {0};
    okno_autojson json_t *plan = json_pack("{s:s}", "level", "0.9");
    sampling.strata = OKNO_STRATA_DAY | OKNO_STRATA_SITE;
    sampling.neyman = sampling.with_replacement = true;
    sampling.least = 3;
    sampling.half_width = 0.025;
    sampling.level = 0.9;
    sampling.expected[OKNO_NO] = 0.375;
    assert_int_equal(okno_sampling_put(&sampling, plan, &err), 0);
    assert_int_equal(okno_sampling_get(plan, &got, &err), 0);
    assert_int_equal(got.strata, sampling.strata);
    assert_true(got.neyman && got.with_replacement && got.least == 3 && got.size == 0);
    assert_true(got.half_width == 0.025 && got.level == 0.9 && got.expected[OKNO_NO] == 0.375);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_shared_out_by_weight),
        cmocka_unit_test(bounds_of_strata_win_over_weights),
        cmocka_unit_test(each_stratum_gets_its_part_and_at_least_the_least),
        cmocka_unit_test(neyman_takes_more_where_more_spread_is_expected),
        cmocka_unit_test(a_width_makes_the_size),
        cmocka_unit_test(a_round_goes_on_where_the_last_one_ended),
        cmocka_unit_test(rounds_end_where_the_frame_does),
        cmocka_unit_test(without_strata_it_is_the_one_order),
        cmocka_unit_test(with_replacement_a_survey_comes_again_in_later_rounds),
        cmocka_unit_test(strata_have_the_names_of_what_makes_them),
        cmocka_unit_test(words_that_say_nothing_are_refused),
        cmocka_unit_test(a_plan_as_json_gives_the_same_sample_back),
    };
    return cmocka_run_group_tests(tests, make, NULL);
}

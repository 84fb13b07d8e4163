/* The shortlist of a long list draws what the whole list draws. */
#define _POSIX_C_SOURCE 200809L
#include "okno/shortlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IDS = 3000 };

static char ids[IDS][24];
static const char *list[IDS];
static uint64_t state_of_random = 20261125;

static uint32_t random_below(uint32_t limit)
{
    state_of_random = state_of_random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state_of_random >> 33) % limit;
}

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < IDS; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "D%zu.0.%u", i, random_below(100));
        list[i] = ids[i];
    }
    return 0;
}

static struct okno_shortlist *shorten(const char *seed, size_t most, size_t count)
{
    struct okno_shortlist *made = NULL;
    struct okno_err err = {0};
    if (okno_shortlist_new(seed, most, count, &made, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(okno_shortlist_add(made, list[i], &err), 0);
    return made;
}

static void draw(const struct okno_draw_request *request, struct okno_draw_vec *draws)
{
    struct okno_err err = {0};
    if (okno_sampler_draw(request, draws, &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_same(const struct okno_draw_vec *whole, const struct okno_draw_vec *made,
                        const char *const *made_ids)
{
    assert_int_equal(whole->len, made->len);
    for (size_t i = 0; i < whole->len; i++) {
        assert_string_equal(list[whole->items[i].index], made_ids[made->items[i].index]);
        assert_string_equal(whole->items[i].ticket, made->items[i].ticket);
        assert_int_equal(whole->items[i].rank, made->items[i].rank);
        assert_int_equal(whole->items[i].generation, made->items[i].generation);
    }
}

/* Skips what the flags say, in the whole list and in the shortlist. */
static void compare(const char *seed, size_t count, size_t size, bool again, const bool *skip)
{
    OKNO_AUTO_DRAWS whole = {0};
    OKNO_AUTO_DRAWS part = {0};
    bool kept_skip[IDS] = {false};
    size_t kept = 0;
    size_t skipped = 0;
    for (size_t i = 0; skip && i < count; i++)
        skipped += skip[i];
    OKNO_AUTO(okno_shortlist) *made = shorten(seed, size + skipped, count);
    const char *const *made_ids = okno_shortlist_ids(made, &kept);
    assert_int_equal(kept, size + skipped < count ? size + skipped : count);
    for (size_t i = 0; skip && i < kept; i++)
        for (size_t j = 0; j < count; j++)
            if (skip[j] && strcmp(list[j], made_ids[i]) == 0)
                kept_skip[i] = true;
    const struct okno_draw_request all = {.seed = seed,
                                          .ids = list,
                                          .count = count,
                                          .size = size,
                                          .skip = skip,
                                          .with_replacement = again};
    struct okno_draw_request few = all;
    few.ids = made_ids;
    few.count = kept;
    few.skip = skip ? kept_skip : NULL;
    draw(&all, &whole);
    draw(&few, &part);
    assert_same(&whole, &part, made_ids);
}

static void it_draws_what_the_whole_list_draws(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        char seed[32];
        size_t count = 1 + random_below(i % 2 ? 40 : IDS);
        size_t size = random_below((uint32_t)count + 1);
        (void)snprintf(seed, sizeof(seed), "seed %d", i);
        compare(seed, count, size, false, NULL);
        compare(seed, count, random_below(3 * (uint32_t)count), true, NULL);
    }
}

static void skipped_ids_keep_their_ranks(void **state)
{
    bool skip[IDS] = {false};
    (void)state;
    for (int i = 0; i < 20; i++) {
        for (size_t j = 0; j < IDS; j++)
            skip[j] = random_below(30) == 0;
        compare("skips", IDS, random_below(200), false, skip);
    }
}

static void an_id_that_comes_twice_is_noticed(void **state)
{
    struct okno_err err = {0};
    (void)state;
    OKNO_AUTO(okno_shortlist) *made = NULL;
    assert_int_equal(okno_shortlist_new("s", 2, IDS + 1, &made, &err), 0);
    for (size_t i = 0; i < IDS; i++)
        assert_int_equal(okno_shortlist_add(made, list[i], &err), 0);
    assert_int_equal(okno_shortlist_add(made, list[17], &err), 1);
    assert_int_equal(okno_shortlist_add(made, "one more", &err), OKNO_INVALID);
    assert_string_equal(err.text, "more ids than the 3001 that were expected");
}

static void its_size_is_bounded(void **state)
{
    struct okno_shortlist *made = NULL;
    struct okno_err err = {0};
    (void)state;
    assert_int_equal(okno_shortlist_new("s", 1, (size_t)OKNO_SHORTLIST_IDS_MAX + 1, &made, &err),
                     OKNO_TOO_LARGE);
    assert_null(made);
    okno_shortlist_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_draws_what_the_whole_list_draws),
        cmocka_unit_test(skipped_ids_keep_their_ranks),
        cmocka_unit_test(an_id_that_comes_twice_is_noticed),
        cmocka_unit_test(its_size_is_bounded),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}

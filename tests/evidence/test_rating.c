#define _GNU_SOURCE
/* Spontaneous ratings are linked and photographed like surveys, through a real archive. */
#include "shop.h"

static int setup(void **state)
{
    struct shop *shop = shop_new(NULL);
    put(shop,
        "INSERT INTO spontaneous (rating, point, site, answer, at, device_uncertainty_us, "
        "placed_at)"
        " VALUES ('d.0.7', 'p1', 's', 'no', %lld, 100000, 1)",
        (long long)AT(100));
    *state = shop;
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

static void a_rating_is_linked_around_its_moment(void **state)
{
    struct shop *shop = *state;
    int64_t u = 155000;
    assert_string_equal(link_now(shop, "d.0.7", LATER), "linked");
    assert_int_equal(int_of(shop, "SELECT asked_from FROM links"), AT(80) - u);
    assert_int_equal(int_of(shop, "SELECT asked_to FROM links"), AT(105) + u);
}

static void its_photo_is_the_frame_of_its_press_and_its_clip_holds_it(void **state)
{
    struct shop *shop = *state;
    struct okno_evidence still = fetch_well(shop, "d.0.7", "still");
    assert_true(still.frame_at_us <= AT(100));
    assert_true(still.frame_at_us > AT(100) - INT64_C(1000000));
    struct okno_evidence clip = fetch_well(shop, "d.0.7", "clip");
    assert_true(clip.got_from_us <= AT(80) && clip.got_to_us >= AT(105));
}

static void the_planner_links_it_and_takes_its_photo_by_itself(void **state)
{
    struct shop *shop = *state;
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_int_equal(int_of(shop, "SELECT class FROM jobs"), 2); /* a negative one */
    assert_int_equal(run_due(shop, LATER), 2);
    assert_int_equal(int_of(shop, "SELECT count(*) FROM evidence WHERE survey = 'd.0.7'"), 1);
    assert_int_equal(plan_jobs(shop, LATER), 0);
}

static void a_rating_of_a_device_under_test_gets_no_footage(void **state)
{
    struct shop *shop = *state;
    put(shop, "UPDATE spontaneous SET test = 1");
    assert_int_equal(plan_jobs(shop, LATER), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_rating_is_linked_around_its_moment),
        CASE(its_photo_is_the_frame_of_its_press_and_its_clip_holds_it),
        CASE(the_planner_links_it_and_takes_its_photo_by_itself),
        CASE(a_rating_of_a_device_under_test_gets_no_footage),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

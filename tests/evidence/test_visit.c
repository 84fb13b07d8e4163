#define _GNU_SOURCE
/* Sales and minutes that an audit drew are linked and fetched like surveys, through a real archive.
 */
#include "shop.h"

static int setup(void **state)
{
    struct shop *shop = shop_new(NULL);
    put(shop,
        "INSERT INTO visits (visit, kind, point, site, opened_at, closes_at)"
        " VALUES ('txn.t1', 'transactions', 'p1', 's', %lld, %lld)",
        (long long)AT(100), (long long)AT(160));
    *state = shop;
    return 0;
}

static int teardown(void **state)
{
    shop_free(*state);
    return 0;
}

static void a_sale_is_linked_by_itself_and_its_clip_holds_the_minute_after(void **state)
{
    struct shop *shop = *state;
    assert_int_equal(plan_jobs(shop, LATER), 1);
    assert_true(run_due(shop, LATER) >= 1);
    assert_string_equal(text_of(shop, "SELECT state FROM links WHERE survey = 'txn.t1'"), "linked");
    struct okno_evidence clip = fetch_well(shop, "txn.t1", "clip");
    assert_true(clip.got_from_us <= AT(100) && clip.got_to_us >= AT(160));
    assert_int_equal(plan_jobs(shop, LATER), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_sale_is_linked_by_itself_and_its_clip_holds_the_minute_after, setup, teardown),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}

/* The pace of requests of one key: values only. */
#include "../../src/service/http/rate.h"
#include "okno/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define S OKNO_SECOND_US
#define T0 (1000 * S)

static void a_minutes_worth_goes_through_at_once_and_then_at_the_pace(void **state)
{
    (void)state;
    static struct http_rate rate;
    http_rate_init(&rate, 6); /* one in 10 s */
    for (int i = 0; i < 6; i++)
        assert_int_equal(http_rate_take(&rate, "D1", T0), 0);
    assert_int_equal(http_rate_take(&rate, "D1", T0), 10 * S);
    assert_int_equal(http_rate_take(&rate, "D1", T0 + 10 * S - 1), 1);
    assert_int_equal(http_rate_take(&rate, "D1", T0 + 10 * S), 0);
    assert_int_equal(http_rate_take(&rate, "D1", T0 + 10 * S), 10 * S);
    for (int i = 0; i < 6; i++)
        assert_int_equal(http_rate_take(&rate, "D1", T0 + 1000 * S), 0);
    assert_int_equal(http_rate_take(&rate, "D1", T0 + 1000 * S), 10 * S);
}

static void a_refused_request_costs_nothing(void **state)
{
    (void)state;
    static struct http_rate rate;
    http_rate_init(&rate, 1);
    assert_int_equal(http_rate_take(&rate, "D1", T0), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(http_rate_take(&rate, "D1", T0 + S), 59 * S);
    assert_int_equal(http_rate_take(&rate, "D1", T0 + 60 * S), 0);
}

static void keys_do_not_share(void **state)
{
    (void)state;
    static struct http_rate rate;
    http_rate_init(&rate, 1);
    assert_int_equal(http_rate_take(&rate, "D1", T0), 0);
    assert_int_equal(http_rate_take(&rate, "D2", T0), 0);
    assert_int_equal(http_rate_take(&rate, "D1", T0), 60 * S);
}

static void a_flood_of_keys_neither_grows_nor_locks_anyone_out(void **state)
{
    (void)state;
    static struct http_rate rate;
    char key[OKNO_ID_TEXT];
    http_rate_init(&rate, 1);
    for (int i = 0; i < 20 * HTTP_RATE_PLACES * HTTP_RATE_DEPTH; i++) {
        (void)snprintf(key, sizeof(key), "D%d", i);
        assert_int_equal(http_rate_take(&rate, key, T0 + i), 0);
    }
    assert_int_equal(http_rate_take(&rate, "late", T0 + 100 * S), 0);
    assert_int_equal(http_rate_take(&rate, "late", T0 + 100 * S), 60 * S);
}

static void the_largest_pace_lets_a_million_through_in_a_minute(void **state)
{
    (void)state;
    static struct http_rate rate;
    http_rate_init(&rate, 1000000);
    for (int i = 0; i < 1000000; i++)
        assert_int_equal(http_rate_take(&rate, "D1", T0), 0);
    assert_int_equal(http_rate_take(&rate, "D1", T0), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minutes_worth_goes_through_at_once_and_then_at_the_pace),
        cmocka_unit_test(a_refused_request_costs_nothing),
        cmocka_unit_test(keys_do_not_share),
        cmocka_unit_test(a_flood_of_keys_neither_grows_nor_locks_anyone_out),
        cmocka_unit_test(the_largest_pace_lets_a_million_through_in_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "../../src/service/http/limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t minute = 60000000;

static struct http_limiter *fresh(void)
{
    struct http_limiter *limiter = calloc(1, sizeof(*limiter));
    assert_non_null(limiter);
    limiter->window_us = minute;
    return limiter;
}

static void a_key_waits_from_its_last_allowed_failure_on(void **state)
{
    (void)state;
    struct http_limiter *limiter = fresh();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(http_limiter_wait_us(limiter, "vera", 3, 100), 0);
        http_limiter_fail(limiter, "vera", 100 + i);
    }
    assert_int_equal(http_limiter_wait_us(limiter, "vera", 3, 102), minute);
    assert_int_equal(http_limiter_wait_us(limiter, "vera", 3, 102 + minute - 1), 1);
    assert_int_equal(http_limiter_wait_us(limiter, "vera", 3, 102 + minute), 0);
    assert_int_equal(http_limiter_wait_us(limiter, "olga", 3, 102), 0);
    free(limiter);
}

static void after_the_window_counting_starts_anew(void **state)
{
    (void)state;
    struct http_limiter *limiter = fresh();
    for (int i = 0; i < 3; i++)
        http_limiter_fail(limiter, "vera", 0);
    http_limiter_fail(limiter, "vera", minute);
    assert_int_equal(http_limiter_wait_us(limiter, "vera", 3, minute), 0);
    http_limiter_fail(limiter, "vera", minute + 1);
    http_limiter_fail(limiter, "vera", minute + 2);
    assert_int_equal(http_limiter_wait_us(limiter, "vera", 3, minute + 2), minute);
    free(limiter);
}

static void a_success_clears_its_key_only(void **state)
{
    (void)state;
    struct http_limiter *limiter = fresh();
    http_limiter_fail(limiter, "vera", 0);
    http_limiter_fail(limiter, "olga", 0);
    http_limiter_clear(limiter, "vera");
    http_limiter_clear(limiter, "nobody");
    assert_int_equal(http_limiter_wait_us(limiter, "vera", 1, 0), 0);
    assert_int_equal(http_limiter_wait_us(limiter, "olga", 1, 0), minute);
    free(limiter);
}

static void a_full_table_forgets_the_oldest(void **state)
{
    (void)state;
    struct http_limiter *limiter = fresh();
    char key[32];
    for (int i = 0; i <= HTTP_LIMITER_KEYS; i++) {
        (void)snprintf(key, sizeof(key), "u%d", i);
        http_limiter_fail(limiter, key, i);
    }
    assert_int_equal(http_limiter_wait_us(limiter, "u0", 1, HTTP_LIMITER_KEYS), 0);
    assert_true(http_limiter_wait_us(limiter, "u1", 1, HTTP_LIMITER_KEYS) > 0);
    assert_int_equal(http_limiter_wait_us(limiter, key, 1, HTTP_LIMITER_KEYS), minute);
    free(limiter);
}

static void long_keys_are_cut_and_empty_ones_never_wait(void **state)
{
    (void)state;
    struct http_limiter *limiter = fresh();
    char key[200];
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    http_limiter_fail(limiter, key, 0);
    assert_int_equal(http_limiter_wait_us(limiter, key, 1, 0), minute);
    http_limiter_fail(limiter, "", 0);
    assert_int_equal(http_limiter_wait_us(limiter, "", 1, 0), 0);
    free(limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_waits_from_its_last_allowed_failure_on),
        cmocka_unit_test(after_the_window_counting_starts_anew),
        cmocka_unit_test(a_success_clears_its_key_only),
        cmocka_unit_test(a_full_table_forgets_the_oldest),
        cmocka_unit_test(long_keys_are_cut_and_empty_ones_never_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

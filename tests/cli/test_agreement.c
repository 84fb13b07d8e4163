#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../audit/run_okno.h"

static struct ran ran;

static const char study[] =
    "item,rater,category\n"
    "1,eva,valid\n1,ian,valid\n"
    "2,eva,invalid\n2,ian,valid\n"
    "2,eva,invalid\n"
    "3,eva,invalid\n3,ian,invalid\n"
    "4,eva,valid\n";

static void the_measures_are_printed_with_what_they_rest_on(void **state)
{
    (void)state;
    RUN_OKNO(&ran, study, "agreement", "-");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "3 items judged by two or more of 2 raters, 1 by one\n"));
    assert_non_null(strstr(ran.out, "percent agreement       0.666666667\n"));
    assert_non_null(strstr(ran.out, "Cohen kappa             0.400000000  SE "));
    assert_non_null(strstr(ran.out, "agreement on invalid    0.666666667\n"));
}

static void json_gives_values_and_reasons(void **state)
{
    (void)state;
    RUN_OKNO(&ran, study, "agreement", "--json", "--positive", "undeterminable", "--categories",
             "valid,invalid,undeterminable", "-");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "\"percent\":{\"value\":0.666666667,"));
    assert_non_null(strstr(ran.out,
                           "\"positive\":{\"value\":null,\"se\":null,"
                           "\"null_reason\":\"never_positive\"}"));
}

static void a_wrong_row_ends_it_with_its_line(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "item,rater,category\n1,eva,valid\n1,eva,invalid\n", "agreement", "-");
    assert_int_equal(ran.exit_code, 2);
    assert_string_equal(ran.out, "");
    assert_non_null(
        strstr(ran.err, "-:3: rater `eva` has put item `1` into another category before"));
    RUN_OKNO(&ran, "item,rater,category\n1,,valid\n", "agreement", "-");
    assert_int_equal(ran.exit_code, 2);
    assert_non_null(strstr(ran.err, "-:2: rater: 1 to 200 bytes are needed"));
    RUN_OKNO(&ran, "item,rater,category\n", "agreement", "-");
    assert_int_equal(ran.exit_code, 3);
    RUN_OKNO(&ran, "", "agreement");
    assert_int_equal(ran.exit_code, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_measures_are_printed_with_what_they_rest_on),
        cmocka_unit_test(json_gives_values_and_reasons),
        cmocka_unit_test(a_wrong_row_ends_it_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

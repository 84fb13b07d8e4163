#include "../../src/cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct taken {
    const char *name;
    bool json;
    int64_t at_us, size;
    double k;
    int rest;
};

static int take(struct taken *t, int argc, char **argv, struct okno_err *err)
{
    return CLI_OPTIONS(argc, argv, &t->rest, err, {.name = "--name", .text = &t->name},
                       {.name = "--json", .flag = &t->json}, {.name = "--at", .time_us = &t->at_us},
                       {.name = "--size", .integer = &t->size}, {.name = "--k", .real = &t->k});
}

static void options_and_arguments_mix_in_any_order(void **state)
{
    (void)state;
    struct taken t = {0};
    struct okno_err err = {0};
    char *argv[] = {(char[]){"kpi"},    (char[]){"first"},  (char[]){"--json"},
                    (char[]){"--size"}, (char[]){"-5"},     (char[]){"--k"},
                    (char[]){"0.25"},   (char[]){"second"}, (char[]){"--name"},
                    (char[]){"x"},      (char[]){"--at"},   (char[]){"1970-01-01T00:00:01Z"}};
    assert_int_equal(take(&t, 12, argv, &err), 0);
    assert_int_equal(t.rest, 2);
    assert_string_equal(argv[1], "first");
    assert_string_equal(argv[2], "second");
    assert_string_equal(t.name, "x");
    assert_true(t.json);
    assert_int_equal(t.size, -5);
    assert_int_equal(t.at_us, 1000000);
    assert_true(t.k > 0.249 && t.k < 0.251);
}

static void a_wrong_option_says_what_is_wrong(void **state)
{
    (void)state;
    const struct {
        char *option, *value;
        const char *says;
    } cases[] = {{(char[]){"--nmae"}, (char[]){"x"}, "unknown option --nmae"},
                 {(char[]){"--size"}, (char[]){"5x"}, "whole number"},
                 {(char[]){"--size"}, (char[]){"99999999999999999999"}, "whole number"},
                 {(char[]){"--k"}, (char[]){"half"}, "takes a number"},
                 {(char[]){"--at"}, (char[]){"2026-01-01"}, "--at"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct taken t = {0};
        struct okno_err err = {0};
        char *argv[] = {(char[]){"kpi"}, cases[i].option, cases[i].value};
        assert_int_equal(take(&t, 3, argv, &err), OKNO_USAGE);
        assert_non_null(strstr(err.text, cases[i].says));
    }
    struct taken t = {0};
    struct okno_err err = {0};
    char *argv[] = {(char[]){"kpi"}, (char[]){"--name"}};
    assert_int_equal(take(&t, 2, argv, &err), OKNO_USAGE);
    assert_string_equal(err.text, "--name needs a value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_mix_in_any_order),
        cmocka_unit_test(a_wrong_option_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

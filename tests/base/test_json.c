#include "okno/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void canonical_text_sorts_keys_and_has_no_spaces(void **state)
{
    (void)state;
    okno_autojson json_t *json = json_pack("{s:i, s:s, s:[i,i]}", "b", 2, "a", "окно", "c", 1, 2);
    char *text = NULL;
    struct okno_err err = {0};
    assert_int_equal(okno_json_canonical(json, &text, &err), 0);
    assert_string_equal(text, "{\"a\":\"окно\",\"b\":2,\"c\":[1,2]}");
    free(text);
}

static void times_and_missing_texts_have_one_spelling(void **state)
{
    (void)state;
    okno_autojson json_t *time = okno_json_time(1773151400123000);
    okno_autojson json_t *none = okno_json_text(NULL);
    okno_autojson json_t *broken = okno_json_text("\xff");
    assert_string_equal(json_string_value(time), "2026-03-10T14:03:20.123Z");
    assert_true(json_is_null(none));
    assert_true(json_is_null(broken));
}

static void nothing_to_print_is_an_error(void **state)
{
    (void)state;
    char *text = NULL;
    struct okno_err err = {0};
    assert_int_equal(okno_json_canonical(NULL, &text, &err), OKNO_NO_MEMORY);
    okno_err_clear(&err);
    assert_int_equal(okno_json_print(NULL, stderr, &err), OKNO_IO);
}

static void texts_of_strangers_do_nothing_on_a_terminal(void **state)
{
    (void)state;
    struct okno_err err = {0};
    okno_autojson json_t *json =
        json_pack("{s:s, s:[{s:s}], s:[s], s:i}", "a", "окно\x1b[2J\r\nforged", "b", "c",
                  "\xc2\x9b[2J\x7f", "d", "left \xe2\x80\xae right \xe2\x81\xa6 «—»", "e", 7);
    char *text = NULL;
    assert_int_equal(okno_json_calm(json, &err), 0);
    assert_int_equal(okno_json_canonical(json, &text, &err), 0);
    assert_string_equal(text,
                        "{\"a\":\"окно?[2J??forged\",\"b\":[{\"c\":\"??[2J?\"}],"
                        "\"d\":[\"left ??? right ??? «—»\"],\"e\":7}");
    free(text);
    assert_int_equal(okno_json_calm(NULL, &err), 0);
}

static void a_text_is_weighed_by_what_it_becomes(void **state)
{
    static const char text[] = "{\"a\":[1,2,{}],\"b\":\"[,\"}";
    struct okno_json_weight weight = {.containers = 10};
    (void)state;
    okno_json_weigh(text, sizeof(text) - 1, &weight);
    assert_int_equal(weight.containers, 10 + 4);
    assert_int_equal(weight.values, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_weighed_by_what_it_becomes),
        cmocka_unit_test(canonical_text_sorts_keys_and_has_no_spaces),
        cmocka_unit_test(times_and_missing_texts_have_one_spelling),
        cmocka_unit_test(texts_of_strangers_do_nothing_on_a_terminal),
        cmocka_unit_test(nothing_to_print_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

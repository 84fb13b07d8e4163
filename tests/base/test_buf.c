#include "okno/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_is_added_stands_in_order(void **state)
{
    (void)state;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(100);
    assert_string_equal(okno_buf_text(&buf), "");
    assert_int_equal(okno_buf_add_text(&buf, "one", NULL), 0);
    assert_int_equal(okno_buf_add(&buf, "\0two", 4, NULL), 0);
    assert_int_equal(okno_buf_printf(&buf, NULL, "%03d", 7), 0);
    assert_int_equal(buf.len, 10);
    assert_memory_equal(buf.data, "one\0two007", 11);
}

static void the_maximum_is_reached_and_never_passed(void **state)
{
    (void)state;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(4);
    struct okno_err err = {0};
    assert_int_equal(okno_buf_add_text(&buf, "abc", &err), 0);
    assert_int_equal(okno_buf_add_text(&buf, "de", &err), OKNO_TOO_LARGE);
    okno_err_clear(&err);
    assert_int_equal(okno_buf_printf(&buf, &err, "%s", "de"), OKNO_TOO_LARGE);
    assert_string_equal(okno_buf_text(&buf), "abc");
    assert_int_equal(okno_buf_add_text(&buf, "d", NULL), 0);
    assert_string_equal(okno_buf_text(&buf), "abcd");
    assert_int_equal(okno_buf_add(&buf, "x", SIZE_MAX, NULL), OKNO_TOO_LARGE);
    assert_int_equal(okno_buf_add(&buf, NULL, 0, NULL), 0);
}

static void growing_keeps_everything(void **state)
{
    (void)state;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(1 << 20);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(okno_buf_printf(&buf, NULL, "%05d", i), 0);
    assert_int_equal(buf.len, 500000);
    assert_memory_equal(buf.data + 5 * 31415, "31415", 5);
    assert_int_equal(buf.data[buf.len], '\0');
}

static void a_reset_or_freed_buffer_is_used_again(void **state)
{
    (void)state;
    OKNO_AUTO_BUF buf = OKNO_BUF_INIT(10);
    okno_buf_reset(&buf);
    assert_int_equal(okno_buf_add_text(&buf, "0123456789", NULL), 0);
    okno_buf_reset(&buf);
    assert_string_equal(okno_buf_text(&buf), "");
    assert_int_equal(okno_buf_add_text(&buf, "abc", NULL), 0);
    okno_buf_free(&buf);
    assert_int_equal(okno_buf_add_text(&buf, "x", NULL), 0);
    assert_string_equal(okno_buf_text(&buf), "x");
    okno_buf_free(NULL);
}

static void cells_of_csv_are_quoted_and_never_formulas(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"", ""},
                                           {"till 1", "till 1"},
                                           {"a,b", "\"a,b\""},
                                           {"say \"no\"", "\"say \"\"no\"\"\""},
                                           {"two\nlines", "\"two\nlines\""},
                                           {"=1+1", "'=1+1"},
                                           {"+7", "'+7"},
                                           {"-x", "'-x"},
                                           {"@sum(a1)", "'@sum(a1)"},
                                           {"=a,\"b\"", "\"'=a,\"\"b\"\"\""},
                                           {"\tx", "'\tx"},
                                           {"a=b", "a=b"},
                                           /* where lists are separated by semicolons, cells */
                                           {"a;=1+1;b", "a;'=1+1;b"},
                                           {"a;\"=1\"", "\"a;\"\"'=1\"\"\""},
                                           {"a\t@b", "a\t'@b"},
                                           {"a; -b", "a; -b"},
                                           {"a\n=b\n\nc", "\"a\n'=b\n\nc\""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OKNO_AUTO_BUF buf = OKNO_BUF_INIT(100);
        assert_int_equal(okno_buf_add_csv(&buf, cases[i][0], NULL), 0);
        assert_string_equal(okno_buf_text(&buf), cases[i][1]);
    }
    OKNO_AUTO_BUF small = OKNO_BUF_INIT(3);
    assert_int_equal(okno_buf_add_csv(&small, "long text", NULL), OKNO_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_csv_are_quoted_and_never_formulas),
        cmocka_unit_test(what_is_added_stands_in_order),
        cmocka_unit_test(the_maximum_is_reached_and_never_passed),
        cmocka_unit_test(growing_keeps_everything),
        cmocka_unit_test(a_reset_or_freed_buffer_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

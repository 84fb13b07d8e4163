#include "okno/err.h"
#include "okno/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_first_message_stays(void **state)
{
    (void)state;
    struct okno_err err = {0};
    assert_int_equal(okno_fail_field(&err, OKNO_INVALID, "site", "site %d is wrong", 7),
                     OKNO_INVALID);
    assert_int_equal(okno_fail(&err, OKNO_DATABASE, "later"), OKNO_INVALID);
    assert_int_equal(okno_fail_errno(&err, ENOSPC, "later still"), OKNO_INVALID);
    assert_string_equal(err.text, "site 7 is wrong");
    assert_string_equal(err.field, "site");
}

static void context_goes_in_front_of_a_message_only(void **state)
{
    (void)state;
    struct okno_err err = {0};
    okno_err_context(&err, "file %s", "x");
    assert_string_equal(err.text, "");
    (void)okno_fail(&err, OKNO_IO, "cannot read");
    okno_err_context(&err, "file %s", "x");
    assert_string_equal(err.text, "file x: cannot read");
    okno_err_context(&err, "file %s", "x"); /* once is enough, whoever adds it */
    assert_string_equal(err.text, "file x: cannot read");
    okno_err_context(&err, "file"); /* a part of it is another thing */
    assert_string_equal(err.text, "file: file x: cannot read");
    okno_err_clear(&err);
    assert_int_equal(err.code, 0);
}

static void what_strangers_say_does_nothing_to_a_terminal(void **state)
{
    (void)state;
    struct okno_err err = {0};
    (void)okno_fail(&err, OKNO_PROTOCOL, "a file named \"%s\"", "\x1b]0;x\a\r\nокно\xc2\x9b");
    okno_err_context(&err, "%s", "nvr\x1b[2J");
    assert_string_equal(err.text, "nvr?[2J: a file named \"?]0;x???окно??\"");
}

static void without_a_place_for_it_the_code_alone_returns(void **state)
{
    (void)state;
    assert_int_equal(okno_fail(NULL, OKNO_BUSY, "x"), OKNO_BUSY);
    assert_int_equal(okno_fail_errno(NULL, ENOENT, "x"), OKNO_NOT_FOUND);
    okno_err_context(NULL, "x");
    okno_err_clear(NULL);
}

static void system_failures_have_their_codes(void **state)
{
    (void)state;
    static const int pairs[][2] = {{ENOSPC, OKNO_NO_SPACE},  {EDQUOT, OKNO_NO_SPACE},
                                   {ENOMEM, OKNO_NO_MEMORY}, {ENOENT, OKNO_NOT_FOUND},
                                   {EIO, OKNO_IO},           {EACCES, OKNO_IO}};
    for (size_t i = 0; i < OKNO_COUNT(pairs); i++) {
        struct okno_err err = {0};
        assert_int_equal(okno_fail_errno(&err, pairs[i][0], "open %s", "f"), pairs[i][1]);
        assert_memory_equal(err.text, "open f: ", 8);
        assert_non_null(strstr(err.text, strerror(pairs[i][0])));
    }
}

static void long_messages_are_cut_not_overrun(void **state)
{
    (void)state;
    struct okno_err err = {0};
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)okno_fail_field(&err, OKNO_IO, text, "%s", text);
    okno_err_context(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(strlen(err.field), sizeof(err.field) - 1);
}

static void every_code_is_unique_named_and_mapped(void **state)
{
    (void)state;
    size_t count;
    const struct okno_code_info *rows = okno_code_table(&count);
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].code < 0);
        assert_in_range(rows[i].http_status, 200, 599);
        assert_in_range(rows[i].exit_code, 1, 6);
        assert_true(strlen(rows[i].en) > 0 && strlen(rows[i].ru) > 0);
        assert_int_equal(strspn(rows[i].name, "abcdefghijklmnopqrstuvwxyz_"), strlen(rows[i].name));
        assert_ptr_equal(okno_code_info(rows[i].code), &rows[i]);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(rows[i].code, rows[j].code);
            assert_string_not_equal(rows[i].name, rows[j].name);
        }
    }
    assert_string_equal(okno_code_info(OKNO_UNKNOWN_REF)->name, "unknown_ref");
    assert_int_equal(okno_code_info(12345)->code, OKNO_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_message_stays),
        cmocka_unit_test(context_goes_in_front_of_a_message_only),
        cmocka_unit_test(what_strangers_say_does_nothing_to_a_terminal),
        cmocka_unit_test(without_a_place_for_it_the_code_alone_returns),
        cmocka_unit_test(system_failures_have_their_codes),
        cmocka_unit_test(long_messages_are_cut_not_overrun),
        cmocka_unit_test(every_code_is_unique_named_and_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

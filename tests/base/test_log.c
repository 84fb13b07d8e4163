/* One line an entry, whatever the text holds. */
#define _POSIX_C_SOURCE 200809L
#include "okno/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the text becomes between msg=" and the closing quote. */
static void logged(const char *text, char ret_msg[4096])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int kept = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    okno_log(OKNO_LOG_ERROR, "test", "%s", text);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    (void)close(ends[1]);
    ssize_t len = read(ends[0], ret_msg, 4095);
    (void)close(ends[0]);
    assert_true(len > 2);
    ret_msg[len] = '\0';
    assert_ptr_equal(strchr(ret_msg, '\n'), ret_msg + len - 1);
    assert_int_equal(ret_msg[len - 2], '"');
    ret_msg[len - 2] = '\0';
    const char *start = strstr(ret_msg, "msg=\"");
    assert_non_null(start);
    memmove(ret_msg, start + 5, strlen(start + 5) + 1);
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    char msg[4096];
    logged("GET /a?b 200 Ж € 😀", msg);
    assert_string_equal(msg, "GET /a?b 200 Ж € 😀");
}

static void no_text_ends_its_line_or_moves_the_cursor(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a\nts=0 level=error", "a\\x0ats=0 level=error"},
        {"a\"b\\c", "a\\\"b\\\\c"},
        {"\x1b[2J\x7f", "\\x1b[2J\\x7f"},
        {"\xc2\x9b[2J", "\\xc2\\x9b[2J"},
        {"\xff\xfe/", "\\xff\\xfe/"},
        {"cut \xd0", "cut \\xd0"},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xc0\xaf", "\\xc0\\xaf"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char msg[4096];
        logged(cases[i][0], msg);
        assert_string_equal(msg, cases[i][1]);
    }
}

static void a_long_text_is_cut_not_overrun(void **state)
{
    (void)state;
    char text[5000];
    char msg[4096];
    memset(text, '\x01', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    logged(text, msg);
    assert_in_range(strlen(msg), 1000, 2304);
    memset(text, '\xd0', sizeof(text) - 1);
    logged(text, msg);
    assert_in_range(strlen(msg), 1000, 2304);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(no_text_ends_its_line_or_moves_the_cursor),
        cmocka_unit_test(a_long_text_is_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

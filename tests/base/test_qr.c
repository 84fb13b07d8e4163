/* QR codes: the picture is a square with its margin and its three corners. */
#include "okno/qr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_path_draws_the_corner_mark_inside_the_margin(void **state)
{
    (void)state;
    OKNO_AUTO_BUF path = OKNO_BUF_INIT(1 << 16);
    struct okno_err err = {0};
    int size = 0;
    assert_int_equal(okno_qr_path("https://okno.example/q/ABC", &path, &size, &err), 0);
    assert_int_equal((size - 2 * OKNO_QR_QUIET - 17) % 4, 0); /* ISO 18004: 17 + 4 * version */
    assert_int_equal(strncmp(okno_buf_text(&path), "M4 4h7v1h-7z", 12), 0);
}

static void an_svg_is_a_whole_document(void **state)
{
    (void)state;
    OKNO_AUTO_BUF svg = OKNO_BUF_INIT(1 << 16);
    struct okno_err err = {0};
    assert_int_equal(okno_qr_svg("okno", &svg, &err), 0);
    assert_int_equal(strncmp(okno_buf_text(&svg), "<svg xmlns=", 11), 0);
    assert_non_null(strstr(okno_buf_text(&svg), "</svg>\n"));
    assert_null(strstr(okno_buf_text(&svg), "style"));
}

/* Each line has one character for each column: 29 columns of the smallest code with its margin. */
static void a_terminal_shows_half_as_many_lines_as_columns(void **state)
{
    (void)state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(1 << 16);
    struct okno_err err = {0};
    int lines = 0;
    assert_int_equal(okno_qr_terminal("okno", &text, &err), 0);
    for (const char *at = okno_buf_text(&text); *at; at = strchr(at, '\n') + 1) {
        int columns = 0;
        for (const char *c = at; *c != '\n'; c++)
            columns += (*c & 0xC0) != 0x80;
        assert_int_equal(columns, 29);
        lines++;
    }
    assert_int_equal(lines, 15);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    OKNO_AUTO_BUF path = OKNO_BUF_INIT(1 << 20);
    struct okno_err err = {0};
    char *text = calloc(1, OKNO_QR_TEXT_MAX + 2);
    int size = 7;
    assert_non_null(text);
    memset(text, 'a', OKNO_QR_TEXT_MAX + 1);
    assert_int_equal(okno_qr_path(text, &path, &size, &err), OKNO_TOO_LARGE);
    assert_int_equal(size, 7);
    text[OKNO_QR_TEXT_MAX] = '\0';
    struct okno_err none = {0};
    assert_int_equal(okno_qr_path(text, &path, &size, &none), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_draws_the_corner_mark_inside_the_margin),
        cmocka_unit_test(an_svg_is_a_whole_document),
        cmocka_unit_test(a_terminal_shows_half_as_many_lines_as_columns),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

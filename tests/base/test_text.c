#include "okno/mem.h"
#include "okno/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void well_formed_utf8_is_told_from_the_rest(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xd0\x96",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xd0",
                                      "\xd0z",
                                      "\xe2\x82",
                                      "\xff"};
    for (size_t i = 0; i < OKNO_COUNT(good); i++)
        assert_true(okno_text_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < OKNO_COUNT(bad); i++)
        assert_false(okno_text_is_utf8(bad[i], strlen(bad[i])));
}

static void a_text_is_cut_between_characters(void **state)
{
    (void)state;
    assert_int_equal(okno_text_fit("", 5), 0);
    assert_int_equal(okno_text_fit("abc", 2), 2);
    assert_int_equal(okno_text_fit("abc", 9), 3);
    assert_int_equal(okno_text_fit("a\xd0\x96z", 2), 1);
    assert_int_equal(okno_text_fit("a\xd0\x96z", 3), 3);
    assert_int_equal(okno_text_fit("\xf0\x90\x80\x80", 3), 0);
    assert_int_equal(okno_text_fit("a\xe2\x82", 9), 1); /* was cut before */
}

static void ids_are_short_and_plain(void **state)
{
    (void)state;
    char id[66];
    memset(id, 'x', sizeof(id));
    id[65] = '\0';
    assert_false(okno_text_is_id(id));
    id[64] = '\0';
    assert_true(okno_text_is_id(id));
    assert_true(okno_text_is_id("A-z_09"));
    static const char *const bad[] = {"", "a b", "a.b", "a/b", "\xd0\x96", "a\n"};
    for (size_t i = 0; i < OKNO_COUNT(bad); i++)
        assert_false(okno_text_is_id(bad[i]));
}

static void a_word_is_one_of_the_list_whole(void **state)
{
    (void)state;
    assert_true(okno_text_is_word("yes", "no yes"));
    assert_true(okno_text_is_word("no", "no yes"));
    assert_false(okno_text_is_word("ye", "no yes"));
    assert_false(okno_text_is_word("yess", "no yes"));
    assert_false(okno_text_is_word("no yes", "no yes"));
    assert_false(okno_text_is_word("", "no yes"));
    assert_false(okno_text_is_word("x", ""));
}

static void what_is_shown_is_safe_and_short(void **state)
{
    (void)state;
    char shown[OKNO_TEXT_SHOWN];
    char text[300];
    assert_string_equal(okno_text_show("ok \xd0\x96", shown), "ok \xd0\x96");
    assert_string_equal(okno_text_show("\x1b[2J\n\xff", shown), "\\x1b[2J\\x0a\\xff");
    assert_string_equal(okno_text_show("\xc2\x9b"
                                       "2J \xe2\x80\xae",
                                       shown),
                        "\\xc2\\x9b2J \\xe2\\x80\\xae");
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xd0\x96", 3);
    (void)okno_text_show(text, shown);
    assert_true(strlen(shown) < OKNO_TEXT_SHOWN);
    assert_true(okno_text_is_utf8(shown, strlen(shown)));
    assert_string_equal(shown + strlen(shown) - 3, "...");
}

static void assert_blanks(const char *text, const char *expected)
{
    char copy[200];
    (void)snprintf(copy, sizeof(copy), "%s", text);
    okno_text_blank_comments(copy);
    assert_string_equal(copy, expected);
}

static void comments_become_blanks_and_lines_stay(void **state)
{
    (void)state;
    assert_blanks("a = 1 # b\nc # d", "a = 1    \nc    ");
    assert_blanks("// x\r\ny//z", "    \r\ny//z");
    assert_blanks("a /* b\n c */ d", "a     \n      d");
    assert_blanks("a = \"# \\\" // /*\" # c", "a = \"# \\\" // /*\"    ");
    assert_blanks("a = '#'#b", "a = '#'  ");
    assert_blanks("a /* never closed", "a /* never closed");
    assert_blanks("a = \"never # closed", "a = \"never # closed");
    assert_blanks("", "");
    assert_blanks("\"\\", "\"\\");
}

static void a_calm_text_is_utf8_also_where_it_was_cut(void **state)
{
    (void)state;
    static const char *const texts[][2] = {{"caf\xc3\xa9", "caf\xc3\xa9"},
                                           {"caf\xc3", "caf?"},
                                           {"\xf4\x83\x83 near",
                                            "?"
                                            "?"
                                            "? near"},
                                           {"a\xffz\n", "a?z?"},
                                           {"\xc2\x9b\xe2\x80\xae!",
                                            "?"
                                            "?"
                                            "?"
                                            "?"
                                            "?!"},
                                           {"", ""}};
    for (size_t i = 0; i < OKNO_COUNT(texts); i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%s", texts[i][0]);
        okno_text_calm(text);
        assert_string_equal(text, texts[i][1]);
        assert_true(okno_text_is_utf8(text, strlen(text)));
    }
}

static void a_plain_text_has_no_controls_and_turns_nothing_round(void **state)
{
    (void)state;
    static const char *const plain[] = {"", "Ж — так!", "שלום", "\xf0\x9f\x98\x80"};
    static const char *const odd[] = {"\x1b[2J",      "a\x7f",   "\xc2\x9b",
                                      "\xe2\x80\xae", "caf\xc3", "\xff"};
    for (size_t i = 0; i < OKNO_COUNT(plain); i++)
        assert_true(okno_text_is_plain(plain[i], false));
    for (size_t i = 0; i < OKNO_COUNT(odd); i++) {
        assert_false(okno_text_is_plain(odd[i], false));
        assert_false(okno_text_is_plain(odd[i], true));
    }
    assert_false(okno_text_is_plain("one\ntwo", false));
    assert_true(okno_text_is_plain("one\r\n\ttwo", true));
}

static void one_thing_is_no_things(void **state)
{
    (void)state;
    assert_string_equal(okno_text_form(0, "day", "days"), "days");
    assert_string_equal(okno_text_form(1, "day", "days"), "day");
    assert_string_equal(okno_text_form(21, "day", "days"), "days");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_utf8_is_told_from_the_rest),
        cmocka_unit_test(a_text_is_cut_between_characters),
        cmocka_unit_test(ids_are_short_and_plain),
        cmocka_unit_test(a_word_is_one_of_the_list_whole),
        cmocka_unit_test(comments_become_blanks_and_lines_stay),
        cmocka_unit_test(what_is_shown_is_safe_and_short),
        cmocka_unit_test(a_calm_text_is_utf8_also_where_it_was_cut),
        cmocka_unit_test(a_plain_text_has_no_controls_and_turns_nothing_round),
        cmocka_unit_test(one_thing_is_no_things),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

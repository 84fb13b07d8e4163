#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_okno.h"

static struct ran ran;

static void the_draw_is_printed_as_rank_id_and_ticket(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "AB-130\n", "sample", "--seed", "01382438112797316654", "--size", "1");
    assert_int_equal(ran.exit_code, 0);
    assert_string_equal(
        ran.out,
        "1\tAB-130\t"
        "0.26299714122838008416507544297546663599715395525154425586041245287750224561854\n");
    assert_string_equal(ran.err, "");
}

static void json_gives_one_object_a_line(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "a \"b\"\nc", "sample", "--seed", "1", "--size", "2", "--json");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "{\"rank\":1,\"id\":\"a \\\"b\\\"\",\"ticket\":\"0."));
    assert_non_null(strstr(ran.out, "\n{\"rank\":2,\"id\":\"c\",\"ticket\":\"0."));
}

static void ids_in_the_skip_file_are_passed_over(void **state)
{
    (void)state;
    char path[] = "/tmp/okno-skip-XXXXXX";
    okno_autoclose int fd = mkstemp(path);
    assert_int_equal(write(fd, "a\nzz\n", 5), 5);
    RUN_OKNO(&ran, "a\nb\n", "sample", "--seed", "1", "--size", "1", "--skip", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "\tb\t"));
    assert_non_null(strstr(ran.err, "1 of the 2 lines of /tmp/okno-skip-"));
}

static void an_id_may_come_again_with_replacement(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "a\n", "sample", "--seed", "1", "--size", "3", "--with-replacement");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "3\ta\t0."));
}

static void refused(const char *input, size_t len, const char *const *args, const char *words)
{
    run_okno_bytes(input, len, args, &ran);
    assert_string_equal(ran.out, "");
    assert_int_equal(ran.exit_code, 2);
    if (!strstr(ran.err, words))
        fail_msg("`%s` does not say `%s`", ran.err, words);
}

static void a_bad_list_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const args[] = {"sample", "--seed", "1", "--size", "1", NULL};
    refused("a\nb\0c\n", 6, args, "standard input:2: the line holds a NUL byte");
    refused("a\r\nb\n", 5, args, "standard input:1: the line holds a CR");
    refused("a\n\nb\n", 5, args, "standard input:2: the line is empty");
    refused(
        "\xEF\xBB\xBF"
        "a\n",
        5, args, "byte order mark");
    refused("a\n\xFF\n", 4, args, "standard input:2: the line is not UTF-8");
    refused("a\nb\na\n", 6, args, "id `a` stands twice: entries 1 and 3");
    refused("", 0, args, "only 0 ids are there");
}

static void a_wrong_call_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *args[10];
        const char *words;
    } bad[] = {
        {{"sample", "--size", "1"}, "--seed S is needed"},
        {{"sample", "--seed", "1"}, "--size N is needed"},
        {{"sample", "--seed", "1", "--size", "x"}, "--size takes a whole number, not \"x\""},
        {{"sample", "--seed", "1", "--size", "5000001"}, "how many to draw, 0 to 5000000"},
        {{"sample", "--seed", "1", "--size"}, "--size needs a value"},
        {{"sample", "--sead", "1"}, "unknown option --sead"},
        {{"sample", "--seed", "1", "--size", "1", "a", "b"}, "2 are given"},
        {{"sample", "--seed", "1", "--size", "1", "--skip", "-"}, "both list and skip file"},
        {{"sample", "--seed", "1", "--size", "1", "--skip", "x", "--with-replacement"},
         "drawing without replacement"},
    };
    for (size_t i = 0; i < OKNO_COUNT(bad); i++)
        refused("a\n", 2, bad[i].args, bad[i].words);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    RUN_OKNO(&ran, "", "sample", "--seed", "1", "--size", "1", "/nonexistent/ids");
    assert_int_equal(ran.exit_code, 3);
    assert_non_null(strstr(ran.err, "/nonexistent/ids"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_draw_is_printed_as_rank_id_and_ticket),
        cmocka_unit_test(json_gives_one_object_a_line),
        cmocka_unit_test(ids_in_the_skip_file_are_passed_over),
        cmocka_unit_test(an_id_may_come_again_with_replacement),
        cmocka_unit_test(a_bad_list_is_refused_with_its_line),
        cmocka_unit_test(a_wrong_call_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

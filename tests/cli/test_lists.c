#define _GNU_SOURCE
/* Lists on a terminal: what somebody wrote as a reason or a title is a stranger's text. */
#include "../survey/store.h"

#include "../audit/run_okno.h"

#define WRITTEN                                                                                    \
    "a\x1b[2J\xc2\x9b"                                                                             \
    "2J\n2     forged \xe2\x80\xae x"

static struct ran ran;

#define OKNO_RUN(store, ...) RUN_OKNO(&ran, "", "--data", (store)->dir, __VA_ARGS__)

static void a_reason_neither_moves_the_cursor_nor_forges_a_row(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "hold", "add", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z",
             "--by", "eve", "--reason", WRITTEN);
    assert_int_equal(ran.exit_code, 2); /* what was taken before it was refused is still there */
    OKNO_RUN(store, "hold", "add", "--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z",
             "--by", "eve", "--reason", "x");
    assert_int_equal(ran.exit_code, 0);
    put(store, "UPDATE holds SET reason = '" WRITTEN "'");
    OKNO_RUN(store, "hold", "list");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, ": a?[2J??2J?2     forged ??? x\n"));
    assert_ptr_equal(strchr(ran.out, '\n') + 1, ran.out + strlen(ran.out));
    OKNO_RUN(store, "hold", "list", "--json");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out,
                           "a\\u001B[2J\xc2\x9b"
                           "2J\\n2     forged \xe2\x80\xae x"));
}

static void a_title_neither_moves_the_cursor_nor_forges_a_row(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "audit", "plan", "a1", "--from", "2026-01-01", "--to", "2026-02-01", "--size",
             "10", "--title", WRITTEN, "--by", "eve");
    assert_int_equal(ran.exit_code, 2);
    OKNO_RUN(store, "audit", "plan", "a1", "--from", "2026-01-01", "--to", "2026-02-01", "--size",
             "10", "--title", "x", "--by", "eve");
    assert_int_equal(ran.exit_code, 0);
    put(store, "UPDATE audits SET title = '" WRITTEN "'");
    OKNO_RUN(store, "audit", "list");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "  a?[2J??2J?2     forged ??? x\n"));
    OKNO_RUN(store, "audit", "status", "a1");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "  a?[2J??2J?2     forged ??? x\n"));
}

/* Signs that turn the direction of writing, and a control of two bytes: no field of one line
 * refuses them. */
#define TURNED                                                                                     \
    "b\xe2\x80\xae"                                                                                \
    "c\xc2\x9b"                                                                                    \
    "31m"
#define CALM "b???c??31m"

static void names_and_labels_do_nothing_either(void **state)
{
    struct store *store = *state;
    OKNO_RUN(store, "user", "add", "eve", "--role", "expert", "--name", "x" WRITTEN);
    assert_int_equal(ran.exit_code, 0);
    OKNO_RUN(store, "token", "add", "--device", "d1", "--label", TURNED);
    assert_int_equal(ran.exit_code, 0);
    put(store,
        "INSERT INTO imports (import, at, author, kind, source) VALUES"
        " (7, 0, 'eve', 'sites', '" WRITTEN "')");
    OKNO_RUN(store, "user", "list");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, " xa?[2J??2J?2     forged ??? x\n"));
    OKNO_RUN(store, "token", "list");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, " " CALM "\n"));
    OKNO_RUN(store, "import", "list");
    assert_int_equal(ran.exit_code, 0);
    assert_non_null(strstr(ran.out, "  a?[2J??2J?2     forged ??? x\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reason_neither_moves_the_cursor_nor_forges_a_row,
                                        store_open, store_close),
        cmocka_unit_test_setup_teardown(a_title_neither_moves_the_cursor_nor_forges_a_row,
                                        store_open, store_close),
        cmocka_unit_test_setup_teardown(names_and_labels_do_nothing_either, store_open,
                                        store_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

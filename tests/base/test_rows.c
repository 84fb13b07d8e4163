#include "okno/rows.h"

#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct okno_err err;
static int made;

/* Two holds, the younger one with no end; holds are listed from the younger one on. */
static struct okno_db *with_holds(void)
{
    struct okno_db *db = NULL;
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    for (int i = 0; i < 2; i++) {
        int64_t id = 0;
        assert_int_equal(OKNO_DB_INT(db, "hold.add", -1, &id, &err, OKNO_TEXT("survey", "s"),
                                     OKNO_TEXT("audit", NULL), OKNO_TEXT("site", NULL),
                                     OKNO_INT("from", 1500000), OKNO_INT("to", i ? -1 : 0),
                                     OKNO_INT("until", -1), OKNO_TEXT("reason", "court"),
                                     OKNO_INT("now", i + 1), OKNO_TEXT("author", "ann")),
                         0);
        assert_int_equal(id, i + 1);
    }
    return db;
}

static json_t *columns(struct okno_stmt *row)
{
    made++;
    return json_pack("[o, o, o, o, o]", okno_row_int(row, "id"), okno_row_text(row, "survey"),
                     okno_row_text(row, "audit"), okno_row_time(row, "from_at"),
                     okno_row_time(row, "to_at"));
}

static void nulls_are_null_and_zero_is_a_time(void **state)
{
    (void)state;
    OKNO_AUTO(okno_db) *db = with_holds();
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *list = NULL;
    okno_autofree char *text = NULL;
    assert_int_equal(okno_db_stmt(db, "hold.list", &rows, &err), 0);
    assert_int_equal(okno_rows_list(rows, columns, &list, &err), 0);
    text = json_dumps(list, JSON_COMPACT);
    assert_string_equal(text,
                        "[[2,\"s\",null,\"1970-01-01T00:00:01.500Z\",null],"
                        "[1,\"s\",null,\"1970-01-01T00:00:01.500Z\","
                        "\"1970-01-01T00:00:00.000Z\"]]");
}

static void no_rows_are_an_empty_list(void **state)
{
    (void)state;
    OKNO_AUTO(okno_db) *db = NULL;
    OKNO_AUTO_STMT *rows = NULL;
    okno_autojson json_t *list = NULL;
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    assert_int_equal(okno_db_stmt(db, "hold.list", &rows, &err), 0);
    assert_int_equal(okno_rows_list(rows, columns, &list, &err), 0);
    assert_int_equal(json_array_size(list), 0);
}

static json_t *nothing(struct okno_stmt *row)
{
    (void)row;
    made++;
    return NULL;
}

static void a_row_without_memory_ends_the_list(void **state)
{
    (void)state;
    OKNO_AUTO(okno_db) *db = with_holds();
    OKNO_AUTO_STMT *rows = NULL;
    json_t *list = NULL;
    assert_int_equal(okno_db_stmt(db, "hold.list", &rows, &err), 0);
    made = 0;
    assert_int_equal(okno_rows_list(rows, nothing, &list, &err), OKNO_NO_MEMORY);
    assert_int_equal(made, 1);
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nulls_are_null_and_zero_is_a_time),
        cmocka_unit_test(no_rows_are_an_empty_list),
        cmocka_unit_test(a_row_without_memory_ends_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

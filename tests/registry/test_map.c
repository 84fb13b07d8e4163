#define _POSIX_C_SOURCE 200809L
#include "okno/map.h"

#include "imported.h"
#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct okno_db *db;
static struct okno_err err;
static struct imported got;
static char rows[8192]; /* as they would be stored: `a|b|;` */
static char reasons[4096];

static void take(const char *kind, const char *text)
{
    okno_err_clear(&err);
    if (import_as(db, imported_kind(kind), text, &got, &err) < 0)
        fail_msg("%s: %s", kind, err.text);
    assert_string_equal(got.rejected, "");
}

static int setup(void **state)
{
    (void)state;
    err = (struct okno_err){0};
    assert_int_equal(okno_db_open_memory(&db, &err), 0);
    take("sites", "site,name,time_zone\nS1,Shop,Europe/Berlin\nS2,Shop,Asia/Omsk\n");
    take("points", "point,site,name\nP1,S1,Till\nP2,S2,Till\n");
    take("employees", "employee\nE1\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    okno_db_close(db);
    return 0;
}

static void on_rejected(void *ctx, const char *file, int64_t line, const struct okno_err *why)
{
    size_t used = strlen(reasons);
    (void)ctx;
    (void)file;
    (void)snprintf(reasons + used, sizeof(reasons) - used, "%d: %s\n", (int)line, why->text);
}

static void on_stored(void *ctx, const struct okno_value *values)
{
    const struct okno_import_kind *kind = ctx;
    for (size_t i = 0; i < kind->field_count; i++) {
        size_t used = strlen(rows);
        (void)snprintf(rows + used, sizeof(rows) - used, "%s%s",
                       values[i].text ? values[i].text : "", i + 1 < kind->field_count ? "|" : ";");
    }
}

/* Import a text through a map; what came of it is in rows, reasons and *ret_result. */
static int map_import(const char *kind_name, const char *map_text, const char *text,
                      struct okno_import_result *ret_result)
{
    char path[] = "/tmp/okno-map-XXXXXX";
    struct okno_conf conf;
    OKNO_AUTO(okno_map) *map = NULL;
    const struct okno_import_kind *kind = imported_kind(kind_name);
    okno_conf_defaults(&conf);
    okno_err_clear(&err);
    rows[0] = reasons[0] = '\0';
    *ret_result = (struct okno_import_result){0};
    int rc = okno_map_parse("m.conf", map_text, kind, &map, &err);
    if (rc < 0)
        return rc;
    const struct okno_import_job job = {.db = db,
                                        .conf = &conf,
                                        .kind = kind,
                                        .author = "test",
                                        .map = map,
                                        .rejected = on_rejected,
                                        .stored = on_stored,
                                        .ctx = (void *)(uintptr_t)kind};
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    rc = okno_import_file(&job, path, ret_result, &err);
    (void)unlink(path);
    return rc;
}

static void makes(const char *kind, const char *map, const char *text, const char *expected,
                  const char *rejected)
{
    struct okno_import_result result;
    if (map_import(kind, map, text, &result) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(reasons, rejected);
    assert_string_equal(rows, expected);
}

static void refuses_map(const char *map, const char *part)
{
    struct okno_import_result result;
    assert_int_equal(map_import("counts", map, "a,b\n", &result), OKNO_CONFIG);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" lacks \"%s\"", err.text, part);
}

#define COUNTS(more)                                                                               \
    "kind = counts\n"                                                                              \
    "field kind { constant = visitors }\n"                                                         \
    "field source { constant = sensor }\n"                                                         \
    "field to { column = to }\n" more
#define FROM "field from { column = from }\n"
#define SCOPE "field scope { constant = \"site:S1\" }\n"
#define COUNT "field count { column = n }\n"

static void columns_and_constants_feed_the_fields(void **state)
{
    (void)state;
    struct okno_import_result result;
    static const char map[] = COUNTS(FROM COUNT "field scope { column = s\n prefix = \"site:\" }");
    static const char text[] =
        "s,from,to,other,n\n"
        "S1,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,x,5\n"
        "S2,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,x, 7 \n";
    makes("counts", map, text,
          "site:S1|visitors|2026-03-01T00:00:00Z|2026-03-02T00:00:00Z|5|sensor;"
          "site:S2|visitors|2026-03-01T00:00:00Z|2026-03-02T00:00:00Z|7|sensor;",
          "");
    assert_int_equal(map_import("counts", map, text, &result), 0);
    assert_int_equal(result.read, 2);
    assert_int_equal(result.duplicate, 2);
}

static void a_corrected_count_is_a_new_version_with_its_source(void **state)
{
    (void)state;
    int64_t versions = 0;
    int rc;
    static const char map[] = COUNTS(FROM COUNT SCOPE);
    makes("counts", map, "from,to,n\n2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,5\n",
          "site:S1|visitors|2026-03-01T00:00:00Z|2026-03-02T00:00:00Z|5|sensor;", "");
    makes("counts", map, "from,to,n\n2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,6\n",
          "site:S1|visitors|2026-03-01T00:00:00Z|2026-03-02T00:00:00Z|6|sensor;", "");
    OKNO_AUTO_STMT *stmt = NULL;
    okno_err_clear(&err);
    assert_int_equal(OKNO_DB_PREPARE(db, "cli.counts", &stmt, &err, OKNO_INT("from", 0),
                                     OKNO_INT("to", INT64_MAX), OKNO_INT("history", 1)),
                     0);
    for (; (rc = okno_stmt_step(stmt, &err)) == 1; versions++) {
        assert_int_equal(okno_stmt_int(stmt, "count"), versions ? 5 : 6);
        assert_string_equal(okno_stmt_text(stmt, "source"), "sensor");
        assert_string_equal(okno_stmt_text(stmt, "author"), "test");
    }
    assert_int_equal(rc, 0);
    assert_int_equal(versions, 2);
}

static void numbers_may_have_groups_and_a_decimal_comma(void **state)
{
    (void)state;
    static const char map[] =
        "kind = transactions\ndelimiter = \";\"\ndecimal = \",\"\n"
        "field id { column = id }\nfield time { column = t }\n"
        "field point { constant = P1 }\nfield amount { column = a }\n";
    makes("transactions", map,
          "id;t;a\n"
          "1;2026-03-01T00:00:00Z;1 234 567,50\n"
          "2;2026-03-01T00:00:00Z;1.234.567,5\n"
          "3;2026-03-01T00:00:00Z;-0,99\n"
          "4;2026-03-01T00:00:00Z;1\u00a0000\n"
          "5;2026-03-01T00:00:00Z;12.5\n"
          "6;2026-03-01T00:00:00Z;\n"
          "7;2026-03-01T00:00:00Z;1,2,3\n",
          "1|2026-03-01T00:00:00Z|P1||1234567.50;2|2026-03-01T00:00:00Z|P1||1234567.5;"
          "3|2026-03-01T00:00:00Z|P1||-0.99;4|2026-03-01T00:00:00Z|P1||1000;"
          "5|2026-03-01T00:00:00Z|P1||12.5;6|2026-03-01T00:00:00Z|P1||;",
          "8: amount: \"1.2.3\" is not allowed; allowed: a number such as 123.45 (m.conf:7)\n");
}

static void a_sum_adds_columns_and_takes_an_empty_one_for_nothing(void **state)
{
    (void)state;
    static const char map[] = COUNTS(FROM SCOPE "field count { sum = { a, b } }");
    makes("counts", map,
          "from,to,a,b\n"
          "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,5,8\n"
          "2026-03-02T00:00:00Z,2026-03-03T00:00:00Z,,8\n"
          "2026-03-03T00:00:00Z,2026-03-04T00:00:00Z,1,2.5\n"
          "2026-03-03T00:00:00Z,2026-03-04T00:00:00Z,9223372036854775807,1\n",
          "site:S1|visitors|2026-03-01T00:00:00Z|2026-03-02T00:00:00Z|13|sensor;"
          "site:S1|visitors|2026-03-02T00:00:00Z|2026-03-03T00:00:00Z|8|sensor;",
          "4: count: \"2.5\" in column \"b\" is not a whole number (m.conf:7)\n"
          "5: count: \"1\" in column \"b\" is not a whole number (m.conf:7)\n");
}

static void local_times_follow_the_calendar_of_the_rows_own_site(void **state)
{
    (void)state;
    static const char map[] =
        "kind = counts\nfield kind { constant = visitors }\nfield source { constant = till }\n"
        "field scope { column = p\n prefix = \"point:\" }\nfield count { constant = 1 }\n"
        "field from { column = d\n format = \"%d.%m.%Y\" }\n"
        "field to { column = d\n format = \"%d.%m.%Y\"\n add_days = 1 }\n";
    makes(
        "counts", map, "p,d\nP1,28.3.2026\nP1,29.3.2026\nP2,29.3.2026\nP3,29.3.2026\n",
        "point:P1|visitors|2026-03-27T23:00:00.000000Z|2026-03-28T23:00:00.000000Z|1|till;"
        "point:P1|visitors|2026-03-28T23:00:00.000000Z|2026-03-29T22:00:00.000000Z|1|till;"
        "point:P2|visitors|2026-03-28T18:00:00.000000Z|2026-03-29T18:00:00.000000Z|1|till;",
        "5: from: no site's calendar is known for \"point:P3\": import it first, or set time_zone "
        "in the map (m.conf:7)\n");
}

#define HOURS(more)                                                                                \
    more COUNTS(SCOPE                                                                              \
                "field count { constant = 1 }\n"                                                   \
                "field from { columns = { d, h }\n format = \"%d.%m.%Y %H:%M\" }\n")

static void a_local_time_that_happened_twice_or_never_is_not_guessed(void **state)
{
    (void)state;
    static const char text[] = "d,h,to\n25.10.2026,02:30,2026-10-26T00:00:00Z\n";
    makes("counts", HOURS("time_zone = \"Europe/Berlin\"\n"), text, "",
          "2: from: 02:30 happened twice there on 2026-10-25, when the clocks were set back: say "
          "twice = \"first\" or \"second\" in the map (m.conf:8)\n");
    makes("counts", HOURS("time_zone = \"Europe/Berlin\"\ntwice = first\n"), text,
          "site:S1|visitors|2026-10-25T00:30:00.000000Z|2026-10-26T00:00:00Z|1|sensor;", "");
    makes("counts", HOURS("twice = second\n"), text, /* the site's own zone */
          "site:S1|visitors|2026-10-25T01:30:00.000000Z|2026-10-26T00:00:00Z|1|sensor;", "");
    makes("counts", HOURS("time_zone = \"Europe/Berlin\"\n"),
          "d,h,to\n29.03.2026,02:30,2026-10-26T00:00:00Z\n", "",
          "2: from: 02:30 did not exist there on 2026-03-29: the clocks were set forward "
          "(m.conf:8)\n");
}

static void values_are_translated_and_what_is_not_known_is_refused_or_set(void **state)
{
    (void)state;
    static const char map[] =
        "kind = transactions\nfield id { columns = { id, p }\n join = \"/\"\n escape = true }\n"
        "field time { column = t }\n"
        "field point { column = p\n values = { \"Till 1 -> P1\", \" -> x\", \"A -> B -> P2\" } }\n"
        "field employee { column = e\n values = { Ann -> E1 }\n otherwise = \"\" }\n";
    static const char fixed[] =
        "kind = transactions\nfield id { columns = { id, p }\n join = \"/\"\n escape = true }\n"
        "field time { column = t }\n"
        "field point { column = p\n values = { \"Till 1 -> P1\", \"A -> B -> P2\" } }\n"
        "field employee { column = e\n values = { \"Ann -> E1\" }\n otherwise = \"\" }\n";
    struct okno_import_result result;
    assert_int_equal(map_import("transactions", map, "", &result), OKNO_CONFIG);
    makes("transactions", fixed,
          "id,t,p,e\n"
          "1,2026-03-01T00:00:00Z,Till 1,Ann\n"
          "\u0411-2,2026-03-01T00:00:00Z,A -> B,Bob\n"
          "3,2026-03-01T00:00:00Z,Till 9,Ann\n"
          "4,2026-03-01T00:00:00Z,,Ann\n",
          "1_002FTill_00201|2026-03-01T00:00:00Z|P1|E1|;"
          "_0411-2_002FA_0020-_003E_0020B|2026-03-01T00:00:00Z|P2||;",
          "4: point: \"Till 9\" does not stand among the map's values (m.conf:6)\n"
          "5: point is required and empty (m.conf:6)\n");
}

static void filters_take_rows_out_and_are_counted(void **state)
{
    (void)state;
    struct okno_import_result result;
    static const char map[] = COUNTS(FROM COUNT SCOPE
                                     "skip totals { column = n\n contains = { Sum, \"\u0418\" } }\n"
                                     "skip none { column = to\n empty = true }\n"
                                     "only doors { column = \"#4\"\n equals = { door, gate } }\n");
    assert_int_equal(map_import("counts", map,
                                "from,to,n,what\n"
                                "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,5,door\n"
                                "2026-03-02T00:00:00Z,2026-03-03T00:00:00Z,5,roof\n"
                                "2026-03-02T00:00:00Z,2026-03-03T00:00:00Z,6, gate \n"
                                ",,,\n"
                                "2026-03-02T00:00:00Z,,6,gate\n"
                                "x,y,All: Sum,gate\n"
                                "x,y,\u0418\u0442\u043e\u0433,gate\n",
                                &result),
                     0);
    assert_string_equal(reasons, "");
    assert_int_equal(result.read, 2);
    assert_int_equal(result.added, 2);
    assert_int_equal(result.skipped, 5);
}

static void without_a_header_columns_have_numbers(void **state)
{
    (void)state;
    static const char map[] =
        "kind = employees\nheader = false\ndelimiter = tab\nencoding = \"windows-1251\"\n"
        "field employee { column = \"#2\"\n prefix = \"E-\" }\nfield name { column = \"#1\" }\n";
    makes("employees", map, "\xcf\xb8\xf2\xf0\t7\n\xcb\xe5\xe2\n", "E-7|\u041f\u0451\u0442\u0440|;",
          "2: employee is required and empty (m.conf:5)\n");
}

static void a_broken_row_takes_no_good_one_with_it(void **state)
{
    (void)state;
    static const char map[] = COUNTS(FROM COUNT SCOPE);
    makes("counts", map,
          "from,to,n\n\"x\" y,2026-03-02T00:00:00Z,5\n"
          "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,5\n",
          "site:S1|visitors|2026-03-01T00:00:00Z|2026-03-02T00:00:00Z|5|sensor;",
          "2: a quote stands where none is allowed in field 1 (write a field with quotes as "
          "\"...\" and each quote inside as \"\")\n");
    makes("counts", "quotes = false\n" COUNTS(FROM COUNT SCOPE),
          "from,to,n,x\n2026-03-03T00:00:00Z,2026-03-04T00:00:00Z,5,a \"b\n",
          "site:S1|visitors|2026-03-03T00:00:00Z|2026-03-04T00:00:00Z|5|sensor;", "");
}

static void a_column_that_is_not_there_names_those_that_are(void **state)
{
    (void)state;
    struct okno_import_result result;
    assert_int_equal(map_import("counts", COUNTS(FROM COUNT SCOPE), "From,to,n\n", &result),
                     OKNO_UNKNOWN_FIELD);
    assert_non_null(strstr(err.text,
                           "there is no column \"from\" (m.conf:5); there are \"From\", "
                           "\"to\", \"n\""));
}

static void a_wrong_map_is_refused_with_its_line_and_what_is_allowed(void **state)
{
    (void)state;
    refuses_map(COUNTS(FROM SCOPE), "m.conf: field count of counts is required and not made");
    refuses_map("# x\nkind = sites\n", "m.conf:2: this map makes sites, not counts");
    refuses_map(FROM, "m.conf: kind = \"counts\" is missing");
    refuses_map("kind = counts\n\nfield cuont { constant = 1 }",
                "m.conf:3: counts have no field \"cuont\"; they have scope, kind, from, to, count");
    refuses_map("delimiter = \"--\"", "m.conf:1: delimiter = \"--\" is not allowed; allowed: ");
    refuses_map("encoding = martian", "allowed: utf-8 windows-1251");
    refuses_map("decimal = 5", "allowed: \",\" or \".\"");
    refuses_map("header = maybe", "allowed: true or false");
    refuses_map("skip_lines = 1001", "allowed: a whole number from 0 to 1000");
    refuses_map("time_zone = Mars", "allowed: \"site\", UTC, an IANA name");
    refuses_map("twice = both", "allowed: refuse, first or second");
    refuses_map("colour = red", "m.conf:1: no such option 'colour'; allowed here: kind, delimiter");
    refuses_map("field from { column = a\n format = \"%d %Q\" }", "m.conf:2: format = \"%d %Q\": ");
    refuses_map("field count { format = \"%s\" }", "format is for times; count is none");
    refuses_map("field scope { add_days = 1 }", "add_days is for times; scope is none");
    refuses_map("field scope { sum = { a } }", "sum is for fields of whole numbers");
    refuses_map("field scope { column = a\n column = b }", "m.conf:2: column is set twice");
    refuses_map("field scope { column = a\n columns = { b } }",
                "m.conf:2: of column, columns and sum a field has one");
    refuses_map("field scope { values = { \"a=b\" } }", "\"what the file says -> what is meant\"");
    refuses_map("field scope { values = { \"a -> b\", \"a -> c\" } }", "\"a\" stands twice");
    refuses_map("field scope { column = \"#x\" }", "its number such as \"#3\"");
    refuses_map("field scope { constant = a }\nfield scope { constant = b }", "m.conf:2: ");
    refuses_map("header = false\n" COUNTS(FROM COUNT SCOPE),
                "without a header columns have numbers");
    refuses_map(COUNTS(FROM COUNT "field scope { join = x }"),
                "m.conf:7: field scope needs a column");
    refuses_map(COUNTS(FROM COUNT SCOPE "skip a { column = x }"),
                "m.conf:8: skip \"a\" needs equals, contains or empty = true");
    refuses_map(COUNTS(FROM COUNT SCOPE "only a { equals = x }"), "only \"a\" needs a column");
    refuses_map("field scope { constant = a", "m.conf:");
    refuses_map("kind = counts\n}", "m.conf:");
    refuses_map("kind = counts /*", "m.conf: ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(columns_and_constants_feed_the_fields),
        TEST(a_corrected_count_is_a_new_version_with_its_source),
        TEST(numbers_may_have_groups_and_a_decimal_comma),
        TEST(a_sum_adds_columns_and_takes_an_empty_one_for_nothing),
        TEST(local_times_follow_the_calendar_of_the_rows_own_site),
        TEST(a_local_time_that_happened_twice_or_never_is_not_guessed),
        TEST(values_are_translated_and_what_is_not_known_is_refused_or_set),
        TEST(filters_take_rows_out_and_are_counted),
        TEST(without_a_header_columns_have_numbers),
        TEST(a_broken_row_takes_no_good_one_with_it),
        TEST(a_column_that_is_not_there_names_those_that_are),
        TEST(a_wrong_map_is_refused_with_its_line_and_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

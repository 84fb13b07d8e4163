#define _POSIX_C_SOURCE 200809L
#include "okno/buf.h"
#include "okno/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static const struct okno_record_column columns[] = {
    {.name = "id", .required = true}, {.name = "text"}, {.name = "count"}, {.name = "flag"}};

/* A file with these bytes; removed when closed. */
static struct okno_record_reader *opened(const char *bytes, size_t len, int want,
                                         struct okno_err *err)
{
    char path[] = "/tmp/okno-record-XXXXXX";
    struct okno_record_reader *reader = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
    assert_int_equal(okno_record_open(path, columns, OKNO_COUNT(columns), &reader, err), want);
    assert_int_equal(unlink(path), 0);
    return reader;
}

/* Everything the reader hands out, as `line=id|text;` or `line!code;`. */
static const char *read_all(const char *bytes, size_t len)
{
    static char out[4096];
    struct okno_err err = {0};
    struct okno_record record;
    int rc;
    size_t used = 0;
    OKNO_AUTO(okno_record_reader) *reader = opened(bytes, len, 0, &err);
    out[0] = '\0';
    while ((rc = okno_record_next(reader, &record, &err)) == 1) {
        const char *id = record.values[0] ? record.values[0] : "-";
        const char *text = record.values[1] ? record.values[1] : "-";
        if (record.err.code)
            used += (size_t)snprintf(out + used, sizeof(out) - used, "%d!%s;", (int)record.line,
                                     okno_code_info(record.err.code)->name);
        else
            used += (size_t)snprintf(out + used, sizeof(out) - used, "%d=%s|%s;", (int)record.line,
                                     id, text);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(okno_record_next(reader, &record, &err), 0);
    assert_int_equal(okno_record_offset(reader), (int64_t)len);
    return out;
}

#define READ(literal) read_all(literal, sizeof(literal) - 1)

static void csv_rows_are_named_by_the_header(void **state)
{
    (void)state;
    assert_string_equal(READ("id,text\nA,x\nB,y\n"), "2=A|x;3=B|y;");
    assert_string_equal(READ("text,id\r\nx,A\r\ny,B"), "2=A|x;3=B|y;");
    assert_string_equal(READ("\xef\xbb\xbfid,text\nA,\xd0\xb6\n"), "2=A|\xd0\xb6;");
    assert_string_equal(READ("id\nA\n"), "2=A|-;");
    assert_string_equal(READ("id,text\n"), "");
    assert_string_equal(READ("id,text\nA,\n"), "2=A|;");
}

static void quoted_fields_hold_commas_quotes_and_line_ends(void **state)
{
    (void)state;
    assert_string_equal(READ("id,text\nA,\"x,\"\"y\"\"\n z\"\nB, b \n"),
                        "2=A|x,\"y\"\n z;4=B| b ;");
}

static void blank_lines_count_as_lines_but_not_as_rows(void **state)
{
    (void)state;
    assert_string_equal(READ("\n\r\nid,text\n\n\nA,x\n\nB,y\n\n"), "6=A|x;8=B|y;");
    assert_string_equal(READ("\n{\"id\":\"A\"}\n\n{\"id\":\"B\"}"), "2=A|-;4=B|-;");
}

static void a_broken_row_takes_no_other_row_with_it(void **state)
{
    (void)state;
    assert_string_equal(READ("id,text\nA,x\nB\nC,y,z\nD,x\"y\nE,\"x\"y\nF,x\n"),
                        "2=A|x;3!malformed;4!malformed;5!malformed;6!malformed;7=F|x;");
    assert_string_equal(READ("id,text\nA,\xff\nB,x\n"), "2!malformed;3=B|x;");
    assert_string_equal(READ("id,text\nA,\0\nB,x\n"), "2!malformed;3=B|x;");
}

static void a_quote_never_closed_is_an_error_of_its_line_only(void **state)
{
    (void)state;
    assert_string_equal(READ("id,text\nA,x\nB,\"open\nC,y\nD,z\n"),
                        "2=A|x;3!malformed;4=C|y;5=D|z;");
    assert_string_equal(READ("id,text\nA,\"x"), "2!malformed;");
}

static void a_row_over_64_kib_is_refused_and_the_next_one_read(void **state)
{
    (void)state;
    for (int json = 0; json <= 1; json++) {
        OKNO_AUTO_BUF buf = OKNO_BUF_INIT(1 << 20);
        const char *start = json ? "{\"id\":\"A\",\"text\":\"" : "id,text\nA,\"";
        assert_int_equal(okno_buf_add_text(&buf, start, NULL), 0);
        for (int i = 0; i < 200000; i++)
            assert_int_equal(okno_buf_add(&buf, "x", 1, NULL), 0);
        const char *stop = json ? "\"}\n{\"id\":\"B\"}\n" : "\"\nB,y\n";
        assert_int_equal(okno_buf_add_text(&buf, stop, NULL), 0);
        assert_string_equal(read_all(buf.data, buf.len),
                            json ? "1!too_large;2=B|-;" : "2!too_large;3=B|y;");
    }
}

static void a_row_of_exactly_64_kib_is_read(void **state)
{
    (void)state;
    for (int more = 0; more <= 1; more++) {
        OKNO_AUTO_BUF buf = OKNO_BUF_INIT(1 << 20);
        struct okno_err err = {0};
        struct okno_record record;
        assert_int_equal(okno_buf_add_text(&buf, "id,text\nA,", NULL), 0);
        while (buf.len < 8 + OKNO_RECORD_BYTES_MAX - 1 + (size_t)more)
            assert_int_equal(okno_buf_add(&buf, "x", 1, NULL), 0);
        assert_int_equal(okno_buf_add_text(&buf, "\n", NULL), 0);
        OKNO_AUTO(okno_record_reader) *reader = opened(buf.data, buf.len, 0, &err);
        assert_int_equal(okno_record_next(reader, &record, &err), 1);
        assert_int_equal(record.err.code, more ? OKNO_TOO_LARGE : 0);
        if (!more)
            assert_int_equal(strlen(record.values[1]), OKNO_RECORD_BYTES_MAX - 3);
    }
}

static void open_fails(const char *bytes, size_t len, int code, const char *part)
{
    struct okno_err err = {0};
    assert_null(opened(bytes, len, code, &err));
    if (!strstr(err.text, part))
        fail_msg("\"%s\" lacks \"%s\"", err.text, part);
}

#define REFUSED(literal, code, part) open_fails(literal, sizeof(literal) - 1, code, part)

static void a_wrong_header_refuses_the_file(void **state)
{
    (void)state;
    REFUSED("id,colour\nA,x\n", OKNO_UNKNOWN_FIELD,
            "unknown column \"colour\"; allowed: id, text, count, flag");
    REFUSED("id;text\nA;x\n", OKNO_UNKNOWN_FIELD, "separated by a comma");
    REFUSED("text\nx\n", OKNO_MISSING, "required column id");
    REFUSED("id,id\nA,B\n", OKNO_MALFORMED, "column id stands twice");
    REFUSED("", OKNO_MALFORMED, "header row");
    REFUSED("\n\n", OKNO_MALFORMED, "header row");
    REFUSED("id,\xff\n", OKNO_MALFORMED, "UTF-8");
    REFUSED("\xff\xfei\0d\0", OKNO_MALFORMED, "UTF-16");
    REFUSED("[{\"id\":1}]", OKNO_MALFORMED, "JSON Lines");
    REFUSED("id,text,count,flag,\"id\n", OKNO_MALFORMED, "never closed");
}

static void json_lines_give_their_scalars_as_text(void **state)
{
    (void)state;
    static const char file[] =
        "{\"id\":7,\"text\":null,\"count\":0.1,\"flag\":true}\n"
        "{\"flag\":false,\"count\":-1.5e300,\"id\":\"\\u0416\"}\n";
    struct okno_err err = {0};
    struct okno_record record;
    OKNO_AUTO(okno_record_reader) *reader = opened(file, sizeof(file) - 1, 0, &err);
    assert_int_equal(okno_record_next(reader, &record, &err), 1);
    assert_string_equal(record.values[0], "7");
    assert_null(record.values[1]);
    assert_string_equal(record.values[2], "0.1");
    assert_string_equal(record.values[3], "true");
    assert_int_equal(okno_record_next(reader, &record, &err), 1);
    assert_string_equal(record.values[0], "\xd0\x96");
    assert_string_equal(record.values[2], "-1.5e+300");
    assert_string_equal(record.values[3], "false");
}

static void a_wrong_json_line_is_refused_alone(void **state)
{
    (void)state;
    assert_string_equal(READ("{\"id\":\"A\"}\n{\"id\":\n{\"id\":[1]}\n{\"colour\":1}\n7\n"
                             "{\"id\":1,\"id\":2}\n{\"id\":\"\\u0000\"}\n{\"id\":\"B\"}\n"),
                        "1=A|-;2!malformed;3!malformed;4!unknown_field;5!malformed;6!malformed;"
                        "7!malformed;8=B|-;");
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct okno_record_reader *reader = NULL;
    assert_int_equal(okno_record_open("/nowhere/x.csv", columns, 4, &reader, &err), OKNO_NOT_FOUND);
    okno_err_clear(&err);
    assert_int_equal(okno_record_open("/tmp", columns, 4, &reader, &err), OKNO_IO);
    assert_null(reader);
}

static void memory_does_not_grow_with_the_file(void **state)
{
    (void)state;
    char path[] = "/tmp/okno-record-XXXXXX";
    struct okno_err err = {0};
    struct okno_record record;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_true(fputs("id,text\n", file) >= 0);
    for (int i = 0; i < 1000000; i++)
        assert_true(fprintf(file, "%d,some text of a row %d\n", i, i) > 0);
    assert_int_equal(fclose(file), 0);
    struct rusage before;
    struct rusage after;
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    assert_int_equal(okno_record_open(path, columns, OKNO_COUNT(columns), &reader, &err), 0);
    int64_t rows = 0;
    while (okno_record_next(reader, &record, &err) == 1)
        rows += record.err.code == 0;
    assert_int_equal(rows, 1000000);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_true(after.ru_maxrss - before.ru_maxrss < 4096); /* KiB; the file has 31 MiB */
    assert_int_equal(okno_record_size(reader), okno_record_offset(reader));
    assert_int_equal(unlink(path), 0);
}

/* ---- tables of other programs ---- */

/* All rows as `line:a|b;` or `line!code;`, the header in front as `[a|b]`. */
static const char *read_table(const struct okno_record_format *format, const void *bytes,
                              size_t len)
{
    static char out[1 << 20];
    char path[] = "/tmp/okno-record-XXXXXX";
    struct okno_err err = {0};
    struct okno_record_row row;
    OKNO_AUTO(okno_record_reader) *reader = NULL;
    size_t used = 0;
    size_t count = 0;
    int rc;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
    assert_int_equal(okno_record_open_table(path, format, &reader, &err), 0);
    assert_int_equal(unlink(path), 0);
    char *const *header = okno_record_header(reader, &count);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s%s", i ? "|" : "[", header[i],
                                 i + 1 == count ? "]" : "");
    while ((rc = okno_record_next_row(reader, &row, &err)) == 1) {
        used += (size_t)snprintf(out + used, sizeof(out) - used, "%d%s", (int)row.line,
                                 row.err.code ? "!" : ":");
        if (row.err.code)
            used += (size_t)snprintf(out + used, sizeof(out) - used, "%s",
                                     okno_code_info(row.err.code)->name);
        for (size_t i = 0; i < row.count; i++)
            used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%s", i ? "|" : "",
                                     row.fields[i]);
        used += (size_t)snprintf(out + used, sizeof(out) - used, ";");
        assert_true(used < sizeof(out) - 100);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(okno_record_offset(reader), (int64_t)len);
    return out;
}
#define TABLE(format, literal) read_table(&(format), literal, sizeof(literal) - 1)

static void a_table_has_its_own_delimiter_and_lines_before_it(void **state)
{
    (void)state;
    const struct okno_record_format format = {.delimiter = ';', .header = true, .skip_lines = 2};
    assert_string_equal(TABLE(format, "Report\r\n\"odd\r\na;b\r\n1;2,5\r\n\r\n\"x;y\";\r\n"),
                        "[a|b]4:1|2,5;6:x;y|;");
    const struct okno_record_format tab = {.delimiter = '\t'};
    assert_string_equal(TABLE(tab,
                              "\xef\xbb\xbf"
                              "a\tb c\n\"d\t\"\te\n"),
                        "1:a|b c;2:d\t|e;");
}

static void a_quote_is_a_letter_where_a_table_has_no_quotes(void **state)
{
    (void)state;
    const struct okno_record_format plain = {.delimiter = ';', .no_quotes = true};
    const struct okno_record_format quoted = {.delimiter = ';'};
    assert_string_equal(TABLE(plain, "a \"b\";\"c\r\n\"\";d"), "1:a \"b\"|\"c;2:\"\"|d;");
    assert_string_equal(TABLE(quoted, "a \"b\";c\nd;e\n"), "1!malformed;2:d|e;");
    assert_string_equal(TABLE(plain, "a\xff;b\nc;d\n"), "1!malformed;2:c|d;");
}

static void a_table_of_another_encoding_is_read_as_utf_8(void **state)
{
    (void)state;
    const struct okno_record_format format = {
        .delimiter = ';', .encoding = "windows-1251", .header = true};
    assert_string_equal(
        TABLE(format,
              "\xca\xe0\xf1\xf1\xe0;\xb9\n\xc8\xf2\xee\xe3\xee;1\xa0"
              "000\n"),
        "[\u041a\u0430\u0441\u0441\u0430|\u2116]2:\u0418\u0442\u043e\u0433\u043e|1\u00a0"
        "000;");
    /* windows-1251 lacks 0x98: only its row is refused */
    assert_string_equal(TABLE(format, "a\nb\x98\nc\n"), "[a]2!malformed;3:c;");
    const struct okno_record_format wide = {.delimiter = ',', .encoding = "utf-16"};
    assert_string_equal(TABLE(wide,
                              "\xff\xfe"
                              "a\0,\0\x1f\x04\n\0"
                              "b\0,\0c\0"),
                        "1:a|\u041f;2:b|c;");
    assert_string_equal(TABLE(wide,
                              "\xff\xfe"
                              "a\0\n\0b"),
                        "1:a;2!malformed;");
}

/* Rows that cross every border of the buffers come out as they went in. */
static void a_long_table_of_another_encoding_loses_nothing(void **state)
{
    (void)state;
    enum { ROWS = 4000 };
    const struct okno_record_format format = {.delimiter = ';', .encoding = "windows-1251"};
    OKNO_AUTO_BUF bytes = OKNO_BUF_INIT(1 << 20);
    OKNO_AUTO_BUF expected = OKNO_BUF_INIT(1 << 20);
    for (int i = 0; i < ROWS; i++) {
        int letters = i * 7 % 41;
        assert_int_equal(okno_buf_printf(&bytes, NULL, "%d;", i), 0);
        assert_int_equal(okno_buf_printf(&expected, NULL, "%d:%d|", i + 1, i), 0);
        for (int j = 0; j < letters; j++) {
            assert_int_equal(okno_buf_add(&bytes, "\xb9", 1, NULL), 0);
            assert_int_equal(okno_buf_add_text(&expected, "\u2116", NULL), 0);
        }
        assert_int_equal(okno_buf_add_text(&bytes, "\n", NULL), 0);
        assert_int_equal(okno_buf_add_text(&expected, ";", NULL), 0);
    }
    assert_string_equal(read_table(&format, bytes.data, bytes.len), okno_buf_text(&expected));
}

static void an_encoding_nobody_knows_is_refused(void **state)
{
    (void)state;
    struct okno_err err = {0};
    struct okno_record_reader *reader = NULL;
    const struct okno_record_format format = {.delimiter = ';', .encoding = "martian"};
    assert_int_equal(okno_record_open_table("/dev/null", &format, &reader, &err), OKNO_INVALID);
    assert_null(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_rows_are_named_by_the_header),
        cmocka_unit_test(quoted_fields_hold_commas_quotes_and_line_ends),
        cmocka_unit_test(blank_lines_count_as_lines_but_not_as_rows),
        cmocka_unit_test(a_broken_row_takes_no_other_row_with_it),
        cmocka_unit_test(a_quote_never_closed_is_an_error_of_its_line_only),
        cmocka_unit_test(a_row_over_64_kib_is_refused_and_the_next_one_read),
        cmocka_unit_test(a_row_of_exactly_64_kib_is_read),
        cmocka_unit_test(a_wrong_header_refuses_the_file),
        cmocka_unit_test(json_lines_give_their_scalars_as_text),
        cmocka_unit_test(a_wrong_json_line_is_refused_alone),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(a_table_has_its_own_delimiter_and_lines_before_it),
        cmocka_unit_test(a_quote_is_a_letter_where_a_table_has_no_quotes),
        cmocka_unit_test(a_table_of_another_encoding_is_read_as_utf_8),
        cmocka_unit_test(a_long_table_of_another_encoding_loses_nothing),
        cmocka_unit_test(an_encoding_nobody_knows_is_refused),
        cmocka_unit_test(memory_does_not_grow_with_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

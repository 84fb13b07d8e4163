/* The list of files as an archive sends it: right ones, damaged ones, and ones made to hurt. */
#define _POSIX_C_SOURCE 200809L
#include "../../src/video/archive/listing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static int parse(const char *text, size_t len, struct listing *ret_listing)
{
    struct okno_err err = {0};
    int rc = listing_parse(text, len, "http://a/", ret_listing, &err);
    assert_true(rc == 0 || err.text[0]);
    return rc;
}

static void files_come_by_name_without_folders(void **state)
{
    (void)state;
    static const char text[] =
        " [\r\n{ \"name\":\"b.mp4\", \"type\":\"file\", \"mtime\":\"Tue, 10 Mar 2026 07:00:00 "
        "GMT\","
        " \"size\":7 },\n{\"name\":\"day\",\"type\":\"directory\"} "
        ",{\"name\":\"a.mp4\",\"type\":\"file\"}]\n";
    LISTING_AUTO listing = {0};
    assert_int_equal(parse(text, sizeof(text) - 1, &listing), 0);
    assert_int_equal(listing.files.len, 2);
    assert_string_equal(listing.files.items[0].name, "a.mp4");
    assert_int_equal(listing.files.items[0].size, -1);
    assert_int_equal(listing.files.items[1].size, 7);
    assert_true(listing.files.items[1].mtime_us == INT64_C(1773126000000000));
}

static void an_empty_folder_is_an_empty_list(void **state)
{
    (void)state;
    static const char *const texts[] = {"[]", " [ \r\n ] \n"};
    for (size_t i = 0; i < 2; i++) {
        LISTING_AUTO listing = {0};
        assert_int_equal(parse(texts[i], strlen(texts[i]), &listing), 0);
        assert_int_equal(listing.files.len, 0);
    }
}

static void whatever_is_no_list_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        " ",
                                        "[",
                                        "]",
                                        "{}",
                                        "null",
                                        "<html>",
                                        "[,]",
                                        "[1]",
                                        "[[]]",
                                        "[{}]",
                                        "[null]",
                                        "[{\"name\":\"a\",\"type\":\"file\"}",
                                        "[{\"name\":\"a\",\"type\":\"file\"},]",
                                        "[{\"name\":\"a\",\"type\":\"file\"} {}]",
                                        "[{\"name\":\"a\",\"type\":\"file\"}]]",
                                        "[{\"name\":\"a\",\"type\":\"file\"}]x",
                                        "[]x",
                                        "[{\"name\":\"a\",\"name\":\"b\",\"type\":\"file\"}]",
                                        "[{\"name\":\"a\",\"type\":\"file\",\"size\":-1}]",
                                        "[{\"name\":\"a\",\"type\":\"file\",\"size\":1e9}]",
                                        "[{\"name\":\"a\\u0000b\",\"type\":\"file\"}]",
                                        "[{\"name\":\"\xff\",\"type\":\"file\"}]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        LISTING_AUTO listing = {0};
        if (parse(texts[i], strlen(texts[i]), &listing) != OKNO_PROTOCOL)
            fail_msg("accepted: %s", texts[i]);
    }
}

static void names_that_lead_elsewhere_are_left_out(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"name\":\"../a.mp4\",\"type\":\"file\"},"
        "{\"name\":\"/etc/passwd\",\"type\":\"file\"},"
        "{\"name\":\"\",\"type\":\"file\"}]";
    LISTING_AUTO listing = {0};
    assert_int_equal(parse(text, sizeof(text) - 1, &listing), 0);
    assert_int_equal(listing.files.len, 0);
}

static long peak_kib(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* `unit` repeated to 32 MiB between the brackets. */
static void try_bomb(const char *unit)
{
    enum { BYTES = 32 << 20 };
    size_t step = strlen(unit);
    char *text = malloc(BYTES);
    assert_non_null(text);
    text[0] = '[';
    size_t len = 1;
    for (; len + step < BYTES; len += step)
        memcpy(text + len, unit, step);
    text[len - 1] = ']';
    long before = peak_kib();
    LISTING_AUTO listing = {0};
    int rc = parse(text, len, &listing);
    assert_true(rc == 0 || rc == OKNO_PROTOCOL || rc == OKNO_TOO_LARGE);
#ifndef __SANITIZE_ADDRESS__ /* it keeps freed blocks on purpose */
    assert_in_range(peak_kib() - before, 0, 160 << 10);
#else
    (void)before;
#endif
    free(text);
}

static void a_list_made_to_fill_memory_takes_little(void **state)
{
    (void)state;
    static const char *const units[] = {
        "{},",
        "[],",
        "0,",
        "[[[[",
        "{\"a\":",
        "{\"name\":\"d\",\"type\":\"directory\",\"x\":[[],[],[],[],[],[],[],[],[],[],[],[],[]]},",
        "{\"name\":\"a.mp4\",\"type\":\"file\"},"};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        try_bomb(units[i]);
}

/* A fixed sequence of damage: an answer or a message, and never a byte past the end. */
static void damage_is_refused_or_harmless(void **state)
{
    (void)state;
    static const char good[] =
        "[{\"name\":\"a.mp4\",\"type\":\"file\",\"size\":7},{\"name\":\"d\",\"type\":\"directory\"}"
        "]";
    static const char odd[] = "[]{},:\"\\0a \n\xff\xc3\x7f";
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        size_t len = sizeof(good) - 1;
        char *text = malloc(len);
        assert_non_null(text);
        memcpy(text, good, len);
        for (int i = 0; i < 1 + round % 4; i++) {
            seed = seed * 1664525U + 1013904223U;
            text[(seed >> 8) % len] = odd[(seed >> 3) % (sizeof(odd) - 1)];
        }
        len -= (seed >> 20) % 8 ? 0 : (seed >> 10) % len;
        LISTING_AUTO listing = {0};
        (void)parse(text, len, &listing);
        free(text);
    }
}

/* "name size fresh" of each file, joined by ", ". */
static const char *names_of(const struct listing *listing)
{
    static char text[600];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < listing->files.len; i++)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %lld%s", i ? ", " : "",
                             listing->files.items[i].name, (long long)listing->files.items[i].size,
                             listing->files.items[i].fresh ? " fresh" : "");
    return text;
}

#define NOW INT64_C(1773151400000000) /* 2026-03-10T14:03:20Z */

static void lines_of_ls_and_of_iis_are_read(void **state)
{
    (void)state;
    static const char lines[] =
        "total 8\n"
        "drwxr-xr-x 2 a b 4096 Mar 10 14:00 folder\n"
        "-rw-r--r-- 1 a b 200 Mar 10 17:02 14 00.mp4\r\n"
        "-rw-r--r-- 1 a b 300 Mar  9 2025 old.mp4\n"
        "lrwxrwxrwx 1 a b 5 Mar 10 14:00 link -> x\n"
        "03-10-26  02:01PM   400 iis.mp4\n"
        "03-10-26  02:01PM   <DIR> sub\n";
    LISTING_AUTO listing = {0};
    assert_int_equal(listing_parse_ls(lines, sizeof(lines) - 1, "x", NOW, &listing, NULL), 0);
    /* 17:02 is a minute ago, three hours east. */
    assert_string_equal(names_of(&listing), "14 00.mp4 200 fresh, iis.mp4 400, old.mp4 300");
    struct okno_err err = {0};
    LISTING_AUTO strange = {0};
    assert_int_equal(listing_parse_ls("<html>\n", 7, "x", NOW, &strange, &err), OKNO_PROTOCOL);
}

static void index_pages_give_names_and_what_is_exact(void **state)
{
    (void)state;
    static const char page[] =
        "<html><head><title>Index of /cam/</title></head><body><a href=\"../\">..</a>"
        "<a href=\"?C=M;O=A\">Last modified</a><a href=\"/elsewhere/x.mp4\">x</a>"
        "<a href=\"b%20c&amp;d.mp4\">b c..&gt;</a>  10-Mar-2026 14:03   12345\n"
        "<a href='e.mp4'>e</a></td><td>2026-Mar-10 14:00:01</td><td>2.9M</td>"
        "<a href=f.mp4>f</a> 2026-M";
    LISTING_AUTO listing = {0};
    struct okno_err err = {0};
    assert_int_equal(listing_parse_html(page, sizeof(page) - 1, "x", NOW, &listing, &err), 0);
    assert_string_equal(names_of(&listing), "b c&d.mp4 12345 fresh, e.mp4 -1, f.mp4 -1");
    static const char login[] = "<html><title>Log in</title><a href=\"a.mp4\">a</a></html>";
    LISTING_AUTO none = {0};
    assert_int_equal(listing_parse_html(login, sizeof(login) - 1, "x", NOW, &none, &err),
                     OKNO_PROTOCOL);
    assert_non_null(strstr(err.text, "login"));
}

/* Each link looked for its end through the rest of the page: minutes for a megabyte. */
static void a_page_of_links_without_end_takes_no_longer_than_any(void **state)
{
    (void)state;
    enum { LINKS = 400 * 1000 };
    static const char head[] = "<title>Index of /</title>";
    LISTING_AUTO listing = {0};
    struct okno_err err = {0};
    size_t len = sizeof(head) - 1 + (size_t)LINKS * 3;
    char *page = malloc(len);
    assert_non_null(page);
    memcpy(page, head, sizeof(head) - 1);
    for (size_t at = sizeof(head) - 1; at < len; at += 3)
        memcpy(page + at, "<a ", 3);
    (void)alarm(60); /* ends the program where it hangs */
    assert_int_equal(listing_parse_html(page, len, "x", NOW, &listing, &err), 0);
    (void)alarm(0);
    assert_int_equal(listing.files.len, 0);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_by_name_without_folders),
        cmocka_unit_test(an_empty_folder_is_an_empty_list),
        cmocka_unit_test(whatever_is_no_list_is_refused),
        cmocka_unit_test(names_that_lead_elsewhere_are_left_out),
        cmocka_unit_test(a_list_made_to_fill_memory_takes_little),
        cmocka_unit_test(damage_is_refused_or_harmless),
        cmocka_unit_test(lines_of_ls_and_of_iis_are_read),
        cmocka_unit_test(a_page_of_links_without_end_takes_no_longer_than_any),
        cmocka_unit_test(index_pages_give_names_and_what_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

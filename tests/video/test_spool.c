#include "../../src/video/archive/spool.h"
#include "../../src/video/archive/window.h"

#include "../support/tempdir.h"

#include "okno/time.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PART = 1 << 20 };

static void add_pattern(struct spool *spool, size_t parts)
{
    unsigned char *part = malloc(PART);
    assert_non_null(part);
    for (size_t i = 0; i < parts; i++) {
        for (size_t k = 0; k < PART; k++)
            part[k] = support_pattern(i * PART + k);
        assert_int_equal(spool_add(spool, part, PART, NULL), 0);
    }
    free(part);
}

static void assert_pattern(struct okno_source *source, int64_t at, size_t len, size_t from)
{
    unsigned char bytes[512];
    size_t got = 0;
    assert_int_equal(source->read_at(source->ctx, at, bytes, len, &got, NULL), 0);
    assert_int_equal(got, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(bytes[i], support_pattern(from + (size_t)at + i));
}

static int files_in(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

static void what_came_once_is_read_at_random(void **state)
{
    (void)state;
    struct spool *spool = NULL;
    OKNO_AUTO(okno_source) *source = NULL;
    size_t got = 9;
    char byte;
    assert_int_equal(spool_new(NULL, &spool, NULL), 0);
    add_pattern(spool, 2);
    assert_int_equal(spool_size(spool), 2 * PART);
    assert_int_equal(spool_source(spool, 100, 2 * PART, 3, &source, NULL), 0);
    spool_free(spool); /* the source keeps what it needs */
    assert_int_equal(source->size, 2 * PART - 100);
    assert_int_equal(source->requests, 3);
    assert_pattern(source, 0, 100, 100);
    assert_pattern(source, PART + 77, 500, 100);
    assert_int_equal(source->read_at(source->ctx, source->size, &byte, 1, &got, NULL), 0);
    assert_int_equal(got, 0);
    assert_int_equal(source->read_at(source->ctx, -1, &byte, 1, &got, NULL), OKNO_INVALID);
}

static void much_goes_to_a_file_without_a_name(void **state)
{
    (void)state;
    char *dir = support_tempdir();
    struct spool *spool = NULL;
    OKNO_AUTO(okno_source) *source = NULL;
    assert_int_equal(spool_new(dir, &spool, NULL), 0);
    add_pattern(spool, 20);
    assert_int_equal(files_in(dir), 0);
    assert_int_equal(spool_source(spool, 0, 20 * PART, 1, &source, NULL), 0);
    spool_free(spool);
    assert_pattern(source, 15 * PART - 10, 400, 0); /* over the border between the two */
    assert_pattern(source, 19 * PART, 400, 0);
    support_tempdir_remove(dir);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    (void)state;
    OKNO_AUTO(spool) *spool = NULL;
    struct okno_err err = {0};
    char *part = calloc(1, PART);
    int rc = spool_new("/nonexistent/okno", &spool, NULL);
    for (int i = 0; rc == 0 && i < 20; i++)
        rc = spool_add(spool, part, PART, &err);
    assert_int_not_equal(rc, 0);
    assert_non_null(strstr(err.text, "/nonexistent/okno"));
    free(part);
}

static void a_window_is_cut_at_holes_and_at_what_the_archive_gives_at_once(void **state)
{
    (void)state;
    OKNO_AUTO_VEC(okno_span_vec) spans = {0};
    OKNO_AUTO_VEC(okno_piece_vec) pieces = {0};
    const struct okno_archive_caps caps = {.max_window_us = 100,
                                           .format = "mov",
                                           .piece_flags = OKNO_PIECE_ZERO,
                                           .anchor_error_us = 7};
    assert_int_equal(okno_span_vec_push(&spans, (struct okno_span){0, 250, 3, 0}), 0);
    assert_int_equal(okno_span_vec_push(&spans, (struct okno_span){300, 900, 3, OKNO_SPAN_GROWING}),
                     0);
    assert_int_equal(window_cut(&spans, &caps, 50, 420, &pieces, NULL), 0);
    static const int64_t want[][3] = {{50, 150, 7}, {150, 250, 7}, {300, 400, 3}, {400, 420, 7}};
    assert_int_equal(pieces.len, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pieces.items[i].from_us, want[i][0]);
        assert_int_equal(pieces.items[i].to_us, want[i][1]);
        assert_int_equal(pieces.items[i].error_us, want[i][2]);
        assert_int_equal(pieces.items[i].flags, OKNO_PIECE_ZERO);
        assert_string_equal(pieces.items[i].format, "mov");
        assert_int_equal(pieces.items[i].size, -1);
    }
    const struct okno_archive_caps tiny = {.max_window_us = 1};
    spans.items[0].to_us = 100000;
    assert_int_equal(window_cut(&spans, &tiny, 0, 100000, &pieces, NULL), OKNO_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_once_is_read_at_random),
        cmocka_unit_test(much_goes_to_a_file_without_a_name),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(a_window_is_cut_at_holes_and_at_what_the_archive_gives_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

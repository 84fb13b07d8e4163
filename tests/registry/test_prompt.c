/* Prompts: which files pass, and what a new version of a question looks like. */
#define _GNU_SOURCE
#include "okno/panel.h"
#include "okno/prompt.h"
#include "okno/time.h"

#include "../support/scratch_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* 8000 bytes a second, `seconds` long. */
static size_t make_wav(unsigned char *file, size_t size, uint32_t seconds)
{
    uint32_t bytes = 8000 * seconds;
    static const unsigned char head[44] =
        "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0"
        "\x40\x1f\0\0\1\0\x08\0data";
    assert_true(size >= 44 + bytes);
    memcpy(file, head, 40);
    for (int i = 0; i < 4; i++)
        file[40 + i] = (unsigned char)(bytes >> (8 * i));
    memset(file + 44, 0x80, bytes);
    return 44 + bytes;
}

static void files_are_known_by_their_first_bytes(void **state)
{
    (void)state;
    assert_string_equal(okno_prompt_type("ID3\4\0\0\0\0\0\0\0\0", 12), "audio/mpeg");
    assert_string_equal(okno_prompt_type("\xFF\xFB\x90\0\0\0\0\0\0\0\0\0", 12), "audio/mpeg");
    assert_string_equal(okno_prompt_type("OggS\0\0\0\0\0\0\0\0", 12), "audio/ogg");
    assert_string_equal(okno_prompt_type("\0\0\0\x20"
                                         "ftypisom",
                                         12),
                        "video/mp4");
    assert_string_equal(okno_prompt_type("\0\0\0\x20"
                                         "ftypM4A ",
                                         12),
                        "audio/mp4");
    assert_string_equal(okno_prompt_type("\x1A\x45\xDF\xA3\0\0\0\0\0\0\0\0", 12), "video/webm");
    assert_null(okno_prompt_type("<html>\0\0\0\0\0\0", 12));
    assert_null(okno_prompt_type("ID3", 3));
}

static void a_wav_file_tells_its_length_and_a_broken_one_none(void **state)
{
    (void)state;
    static unsigned char file[44 + 8000 * 3];
    size_t len = make_wav(file, sizeof(file), 3);
    assert_int_equal(okno_prompt_wav_us(file, len), 3 * OKNO_SECOND_US);
    assert_int_equal(okno_prompt_wav_us(file, len - 8000), 2 * OKNO_SECOND_US);
    for (size_t cut = 0; cut < 44; cut++)
        assert_int_equal(okno_prompt_wav_us(file, cut), 0);
    memset(file + 28, 0, 4); /* no rate */
    assert_int_equal(okno_prompt_wav_us(file, len), 0);
    memset(file + 16, 0xFF, 4); /* a chunk longer than the file */
    assert_int_equal(okno_prompt_wav_us(file, len), 0);
}

#define SHOP                                                                                       \
    "INSERT INTO imports (import, at, author, kind, source) VALUES (900, 0, 'a', 'k', 's');"       \
    "INSERT INTO sites (import, site, name, time_zone) VALUES (900, 'S1', 'Mall', 'UTC');"         \
    "INSERT INTO points (import, point, site, name) VALUES (900, 'P1', 'S1', 'Till 1'), "          \
    "(900, 'P2', 'S1', 'Till 2');"                                                                 \
    "INSERT INTO questions (import, question, point, valid_from, valid_to, kind, text, "           \
    "window_us) VALUES (900, 'Q1', 'P1', 0, NULL, 'personnel', 'Good?', 15000000), "               \
    "(900, 'Q1', 'P2', 0, 9000000000000000, 'personnel', 'Good?', 20000000), "                     \
    "(900, 'Q9', 'P2', 1, 2, 'office', 'Old?', 15000000);"

static int open_shop(void **state)
{
    struct scratch_db *s = scratch_db_new();
    scratch_db_put(s, SHOP);
    *state = s;
    return 0;
}

static int close_shop(void **state)
{
    scratch_db_free(*state);
    return 0;
}

static int set(struct okno_db *db, const void *bytes, size_t len, int64_t at_us,
               int64_t *ret_points, struct okno_err *err)
{
    const struct okno_prompt_change change = {
        .question = "Q1", .bytes = bytes, .len = len, .author = "boss"};
    return okno_prompt_set(db, &change, at_us, ret_points, err);
}

static struct okno_panel_segment segment_at(struct okno_db *db, const char *point, int64_t at_us)
{
    OKNO_AUTO_VEC(okno_panel_segment_vec) segments = {0};
    struct okno_err err = {0};
    assert_int_equal(okno_panel_schedule(db, point, at_us, at_us + 1, &segments, &err), 0);
    assert_int_equal(segments.len, 1);
    return segments.items[0];
}

static void a_prompt_begins_a_version_whose_window_is_longer_by_it(void **state)
{
    struct okno_db *db = ((struct scratch_db *)*state)->db;
    static unsigned char file[44 + 8000 * 4];
    struct okno_err err = {0};
    int64_t points = 0;
    size_t len = make_wav(file, sizeof(file), 4);
    assert_int_equal(set(db, file, len, 1000, &points, &err), 0);
    assert_int_equal(points, 2);
    assert_int_equal(segment_at(db, "P1", 999).question.window_us, 15 * OKNO_SECOND_US);
    struct okno_panel_segment now = segment_at(db, "P1", 1000);
    assert_int_equal(now.question.window_us, 19 * OKNO_SECOND_US);
    assert_string_equal(now.prompt.media_type, "audio/wav");
    assert_int_equal(now.prompt.bytes, len);
    assert_int_equal(segment_at(db, "P2", 1000).question.window_us, 24 * OKNO_SECOND_US);
    len = make_wav(file, sizeof(file), 1); /* another: longer by the new one only */
    assert_int_equal(set(db, file, len, 2000, &points, &err), 0);
    assert_int_equal(segment_at(db, "P1", 2000).question.window_us, 16 * OKNO_SECOND_US);
    assert_int_equal(set(db, NULL, 0, 3000, &points, &err), 0); /* and none again */
    assert_int_equal(segment_at(db, "P1", 3000).question.window_us, 15 * OKNO_SECOND_US);
    assert_string_equal(segment_at(db, "P1", 3000).prompt.sha256, "");
}

static void what_cannot_be_a_prompt_changes_nothing(void **state)
{
    struct okno_db *db = ((struct scratch_db *)*state)->db;
    static unsigned char file[44 + 8000 * 61];
    int64_t points = 0;
    struct okno_err text = {0};
    assert_int_equal(set(db, "hello, world!", 13, 1000, &points, &text), OKNO_INVALID);
    struct okno_err mute = {0};
    assert_int_equal(set(db, "ID3\4\0\0\0\0\0\0\0\0", 12, 1000, &points, &mute), OKNO_MISSING);
    assert_string_equal(mute.field, "seconds");
    struct okno_err slow = {0};
    size_t len = make_wav(file, sizeof(file), 61);
    assert_int_equal(set(db, file, len, 1000, &points, &slow), OKNO_INVALID);
    struct okno_err nowhere = {0};
    const struct okno_prompt_change old = {.question = "Q9", .bytes = NULL, .author = "boss"};
    assert_int_equal(okno_prompt_set(db, &old, 1000, &points, &nowhere), OKNO_NOT_FOUND);
    assert_int_equal(segment_at(db, "P1", 1000).question.window_us, 15 * OKNO_SECOND_US);
}

static void only_panels_of_the_point_may_fetch_it(void **state)
{
    struct okno_db *db = ((struct scratch_db *)*state)->db;
    static unsigned char file[44 + 8000];
    struct okno_err err = {0};
    int64_t points = 0;
    char type[OKNO_PROMPT_TYPE_TEXT];
    OKNO_AUTO_BUF content = OKNO_BUF_INIT(OKNO_PROMPT_BYTES_MAX);
    size_t len = make_wav(file, sizeof(file), 1);
    const struct okno_prompt_change change = {
        .question = "Q1", .point = "P1", .bytes = file, .len = len, .author = "boss"};
    assert_int_equal(okno_prompt_set(db, &change, 1000, &points, &err), 0);
    assert_int_equal(points, 1);
    struct okno_panel_segment now = segment_at(db, "P1", 1000);
    assert_int_equal(okno_prompt_read(db, now.prompt.sha256, "P1", &content, type, &err), 0);
    assert_int_equal(content.len, len);
    assert_memory_equal(content.data, file, len);
    assert_int_equal(okno_prompt_read(db, now.prompt.sha256, "P2", &content, type, &err),
                     OKNO_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_known_by_their_first_bytes),
        cmocka_unit_test(a_wav_file_tells_its_length_and_a_broken_one_none),
        cmocka_unit_test_setup_teardown(a_prompt_begins_a_version_whose_window_is_longer_by_it,
                                        open_shop, close_shop),
        cmocka_unit_test_setup_teardown(what_cannot_be_a_prompt_changes_nothing, open_shop,
                                        close_shop),
        cmocka_unit_test_setup_teardown(only_panels_of_the_point_may_fetch_it, open_shop,
                                        close_shop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

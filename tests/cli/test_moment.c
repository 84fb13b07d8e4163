#define _POSIX_C_SOURCE 200809L
#include "../support/recording.h"

#include "okno/json.h"
#include "okno/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Two minutes of the animated shop, imported: cam2's clock runs 7.4 s ahead. */
static int make_shop(void **state)
{
    char program[512];
    if (fixture_begin(state) < 0 || !getenv("OKNO_BUILD"))
        return -1;
    (void)snprintf(program, sizeof(program), "%s/tools/scene", getenv("OKNO_BUILD"));
    free(fixture_output(program, "--minutes 2 --url %s shop", fixture_path("shop/archive")));
    static const char *const kinds[] = {"sites",    "points",  "devices",
                                        "archives", "cameras", "clocks"};
    int status = -1;
    free(fixture_okno(&status, "--data data init"));
    for (size_t i = 0; status == 0 && i < OKNO_COUNT(kinds); i++)
        free(fixture_okno(&status, "--data data import %s shop/import/%s.csv", kinds[i], kinds[i]));
    return status;
}

static json_t *okno_json(int want_status, const char *line)
{
    int status = -1;
    okno_autofree char *text = fixture_okno(&status, "--data data %s --json", line);
    assert_int_equal(status, want_status);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    assert_non_null(text);
    return text;
}

static int64_t strip_ms(const char *name)
{
    char program[512];
    long long ms = 0;
    (void)snprintf(program, sizeof(program), "%s/tools/strip", getenv("OKNO_BUILD"));
    okno_autofree char *text = fixture_output(program, "--first %s", name);
    assert_int_equal(sscanf(text, "%*d %*d %lld", &ms), 1);
    return ms;
}

static void coverage_prints_a_span_a_line_in_utc(void **state)
{
    (void)state;
    okno_autojson json_t *span = okno_json(0,
                                           "coverage --camera cam2 --from 2026-03-10T06:00:00Z "
                                           "--to 2026-03-10T08:00:00Z");
    assert_string_equal(text_of(span, "camera"), "cam2");
    assert_string_equal(text_of(span, "from"), "2026-03-10T07:00:00.600Z");
    assert_string_equal(text_of(span, "to"), "2026-03-10T07:02:00.000Z");
    assert_int_equal(json_integer_value(json_object_get(span, "offset_ms")), 7400);
    int status = -1;
    okno_autofree char *none = fixture_okno(&status,
                                            "--data data coverage --json --camera cam2 "
                                            "--from 2026-03-09T06:00:00Z "
                                            "--to 2026-03-09T08:00:00Z");
    assert_int_equal(status, 0);
    assert_string_equal(none, "");
}

static void a_clip_says_what_was_asked_and_got(void **state)
{
    (void)state;
    okno_autojson json_t *clip = okno_json(0,
                                           "clip --camera cam1 --from 2026-03-10T07:00:20.05Z "
                                           "--to 2026-03-10T10:00:25+03:00 -o clip.mp4");
    assert_string_equal(text_of(clip, "kind"), "clip");
    assert_string_equal(text_of(clip, "asked_from"), "2026-03-10T07:00:20.050Z");
    assert_true(strcmp(text_of(clip, "got_from"), "2026-03-10T07:00:20.050Z") <= 0);
    assert_int_equal(text_of(clip, "path")[0], '/');
    assert_int_equal(strlen(text_of(clip, "sha256")), 64);
    assert_int_equal(json_integer_value(json_object_get(clip, "bytes")), fixture_size("clip.mp4"));
    assert_int_equal(json_array_size(json_object_get(clip, "gaps")), 0);
    int status = -1;
    free(fixture_okno(&status,
                      "--data data clip --camera cam1 --from 2026-03-10T07:00:20Z "
                      "--to 2026-03-10T07:00:25Z -o clip.mp4"));
    assert_int_equal(status, 5); /* the file is there already: a conflict */
}

static void a_clip_with_a_hole_is_done_in_part(void **state)
{
    (void)state;
    okno_autojson json_t *clip = okno_json(4,
                                           "clip --camera cam1 --from 2026-03-10T07:01:55Z "
                                           "--to 2026-03-10T07:02:10Z -o tail.mp4");
    assert_int_equal(json_array_size(json_object_get(clip, "gaps")), 1);
    assert_true(fixture_size("tail.mp4") > 0);
}

/* 07:00:30.05 of true time is 07:00:37.45 on the recorder of cam2. */
static void a_still_is_found_by_true_time_and_by_the_cameras_clock(void **state)
{
    (void)state;
    okno_autojson json_t *one =
        okno_json(0, "still --camera cam2 --at 2026-03-10T07:00:30.05Z -o one.jpg");
    assert_string_equal(text_of(one, "frame_at"), "2026-03-10T07:00:30.000Z");
    assert_int_equal(strip_ms("one.jpg"), 1773126030000);
    okno_autojson json_t *two =
        okno_json(0, "still --camera cam2 --camera-clock --at 2026-03-10T07:00:37.45Z -o two.jpg");
    assert_string_equal(text_of(two, "sha256"), text_of(one, "sha256"));
    assert_string_equal(text_of(two, "asked_from"), "2026-03-10T07:00:30.050Z");
}

static void wrong_lines_and_missing_footage_have_their_exit_codes(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        {"clip", 2},
        {"clip --camera cam1 --from 2026-03-10T07:00:20Z --to 2026-03-10T07:00:20Z -o x", 2},
        {"clip --camera cam1 --from 2026-03-10T07:00:20 --to 2026-03-10T07:00:21Z -o x", 2},
        {"clip --camera cam1 --from 2026-03-10T07:00:20Z --to 2026-03-10T07:00:21Z -x", 2},
        {"clip --camera cam1 --from 2026-03-10T07:00:20Z --to 2026-03-10T09:00:21Z -o x", 2},
        {"clip --camera cam1 --from 2026-03-09T07:00:20Z --to 2026-03-09T07:00:21Z -o x", 3},
        {"clip --camera cam9 --from 2026-03-10T07:00:20Z --to 2026-03-10T07:00:21Z -o x", 3},
        {"still --camera cam1 -o x", 2},
        {"still --camera cam1 --at 2026-03-10T06:59:59Z -o x", 3},
        {"coverage --camera cam1", 2},
        {"coverage --camera cam9 --from 2026-03-10T07:00:20Z --to 2026-03-10T07:00:21Z", 3},
    };
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        int status = -1;
        okno_autofree char *text = fixture_okno(&status, "--data data %s", cases[i].line);
        if (status != cases[i].status)
            fail_msg("%s: exit %d", cases[i].line, status);
        assert_string_equal(text, "");
        assert_int_equal(access(fixture_path("x"), F_OK), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coverage_prints_a_span_a_line_in_utc),
        cmocka_unit_test(a_clip_says_what_was_asked_and_got),
        cmocka_unit_test(a_clip_with_a_hole_is_done_in_part),
        cmocka_unit_test(a_still_is_found_by_true_time_and_by_the_cameras_clock),
        cmocka_unit_test(wrong_lines_and_missing_footage_have_their_exit_codes),
    };
    return cmocka_run_group_tests(tests, make_shop, fixture_end);
}

#define _GNU_SOURCE
#include "tool.h"

#include "okno/hash.h"
#include "okno/time.h"

#include <stdbool.h>

#define START_US INT64_C(1773126000000000) /* 2026-03-10T07:00:00Z */

static char film[64]; /* two minutes, recorded once for all tests */

/* ---- recordings ---- */

static struct found {
    char paths[200][160];
    int count;
} found;

static int found_add(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)walk;
    if (type == FTW_F) {
        assert_true(found.count < 200);
        (void)snprintf(found.paths[found.count++], sizeof(found.paths[0]), "%s", path);
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* All files below a folder, in order of their names. */
static void find(const char *root, const char *sub)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", root, sub);
    found.count = 0;
    assert_int_equal(nftw(path, found_add, 8, FTW_PHYS), 0);
    qsort(found.paths, (size_t)found.count, sizeof(found.paths[0]), by_name);
}

/* The moment in a recording's name, Moscow time, as UTC. */
static int64_t name_us(const char *path)
{
    struct okno_civil c = {0};
    const char *name = strstr(path, "2026-");
    assert_non_null(name);
    assert_int_equal(sscanf(name, "%d-%d-%d/%d-%d-%d.mp4", &c.year, &c.month, &c.day, &c.hour,
                            &c.minute, &c.second),
                     6);
    return okno_time_from_civil(&c) - 3 * 3600 * OKNO_SECOND_US;
}

struct span {
    int64_t first_us, last_us; /* true times of the first and last frame */
    int frames;
};

/* Check every frame of a recording: name + timestamp - offset = strip. */
static struct span recording_check(const char *path, int64_t offset_us)
{
    struct span span = {0};
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    int code = RUN(&text, "strip", "--all", path);
    if (code != 0)
        fail_msg("strip of %s ended with %d: %s", path, code, okno_buf_text(&text));
    char *rest = text.data, *line;
    while ((line = strsep(&rest, "\n")) && *line) {
        long long index, pts, ms;
        assert_int_equal(sscanf(line, "%lld %lld %lld", &index, &pts, &ms), 3);
        assert_int_equal(index, span.frames++);
        if (name_us(path) + pts - offset_us != ms * 1000)
            fail_msg("%s: frame %lld at %lld says %lld", path, index, pts, ms);
        if (index == 0)
            span.first_us = ms * 1000;
        span.last_us = ms * 1000;
    }
    return span;
}

/* ---- the film ---- */

static void every_frame_shows_the_true_time_of_its_name_and_timestamp(void **state)
{
    (void)state;
    int frames[2] = {0};
    for (int cam = 0; cam < 2; cam++) {
        find(film, cam ? "archive/cam2" : "archive/cam1");
        assert_in_range(found.count, 2, 4);
        for (int i = 0; i < found.count; i++)
            frames[cam] += recording_check(found.paths[i], cam ? 7400000 : 0).frames;
    }
    assert_int_equal(frames[0], 1200 - 120); /* a hole of 12 s */
    assert_int_equal(frames[1], 1200 - 6);   /* up to the first whole second of its clock */
}

static void the_first_camera_recorded_nothing_in_the_hole_and_its_file_ends_early(void **state)
{
    (void)state;
    int64_t from = START_US + 83 * OKNO_SECOND_US, to = from + 12 * OKNO_SECOND_US;
    find(film, "archive/cam1");
    assert_int_equal(found.count, 3);
    struct span before = recording_check(found.paths[1], 0);
    struct span after = recording_check(found.paths[2], 0);
    assert_int_equal(before.last_us, from - 100000);
    assert_int_equal(before.frames, 230);
    assert_int_equal(after.first_us, to);
    assert_non_null(strstr(found.paths[2], "/10-01-35.mp4"));
}

static void files_start_on_whole_seconds_of_the_cameras_own_clock(void **state)
{
    (void)state;
    find(film, "archive/cam2");
    assert_int_equal(found.count, 3);
    assert_non_null(strstr(found.paths[0], "archive/cam2/2026-03-10/10-00-08.mp4"));
    assert_non_null(strstr(found.paths[1], "archive/cam2/2026-03-10/10-01-00.mp4"));
    assert_int_equal(recording_check(found.paths[0], 7400000).first_us, START_US + 600000);
}

/* Place of an MP4's top-level box, or -1. */
static long box_place(const char *path, const char *type)
{
    okno_autofclose FILE *file = fopen(path, "rb");
    unsigned char head[8];
    assert_non_null(file);
    for (long at = 0; fseek(file, at, SEEK_SET) == 0 && fread(head, 1, 8, file) == 8;) {
        if (memcmp(head + 4, type, 4) == 0)
            return at;
        long size = (long)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
        if (size < 8)
            return -1;
        at += size;
    }
    return -1;
}

static void one_camera_has_its_index_in_front_the_other_at_the_end(void **state)
{
    (void)state;
    for (int cam = 0; cam < 2; cam++) {
        find(film, cam ? "archive/cam2" : "archive/cam1");
        for (int i = 0; i < found.count; i++) {
            long moov = box_place(found.paths[i], "moov"), mdat = box_place(found.paths[i], "mdat");
            assert_true(moov > 0 && mdat > 0);
            assert_int_equal(moov > mdat, cam);
        }
    }
}

static void the_same_options_make_the_same_bytes_and_another_seed_another_story(void **state)
{
    (void)state;
    char root[3][256], hash[3][64][OKNO_SHA256_TEXT];
    int count[3];
    for (int k = 0; k < 3; k++) {
        below(root[k], k == 0 ? "same-a" : k == 1 ? "same-b" : "other");
        run_well("scene", (const char *const[]){"--minutes", "1", "--fps", "5", "--seed",
                                                k == 2 ? "8" : "7", root[k], NULL});
        find(root[k], "");
        count[k] = found.count;
        for (int i = 0; i < found.count; i++) {
            okno_autoclose int fd = open(found.paths[i], O_RDONLY | O_CLOEXEC);
            assert_int_equal(okno_hash_fd(fd, hash[k][i], NULL), 0);
        }
    }
    assert_int_equal(count[0], 12 + 2 + 2 + 2);
    assert_int_equal(count[1], count[0]);
    for (int i = 0; i < count[0]; i++)
        assert_string_equal(hash[0][i], hash[1][i]);
    int differ = 0;
    for (int i = 0; i < count[0] && i < count[2]; i++)
        differ += strcmp(hash[0][i], hash[2][i]) != 0;
    assert_true(differ >= 5);
}

static void reordered_frames_and_other_sizes_and_rates_keep_their_time(void **state)
{
    (void)state;
    static const char *const how[3][4] = {{"--b-frames", "2", "--fps", "5"},
                                          {"--size", "800x450", "--fps", "2"},
                                          {"--size", "1280x720", "--fps", "1"}};
    for (int k = 0; k < 3; k++) {
        char root[256], name[32];
        (void)snprintf(name, sizeof(name), "kind-%d", k);
        below(root, name);
        run_well("scene", (const char *const[]){"--minutes", "1", how[k][0], how[k][1], how[k][2],
                                                how[k][3], root, NULL});
        find(root, "archive/cam2");
        for (int i = 0; i < found.count; i++)
            assert_true(recording_check(found.paths[i], 7400000).frames > 0);
    }
}

static void one_frame_can_be_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *how, *at, *line;
        int code;
    } cases[] = {{"--first", NULL, "0 0 1773126000000\n", 0},
                 {"--last", NULL, "599 59900000 1773126059900\n", 0},
                 {"--at", "0", "0 0 1773126000000\n", 0},
                 {"--at", "12399999", "123 12300000 1773126012300\n", 0},
                 {"--at", "12400000", "124 12400000 1773126012400\n", 0},
                 {"--at", "99000000", "599 59900000 1773126059900\n", 0},
                 {"--at", "-1", "", 3}};
    find(film, "archive/cam1");
    for (size_t i = 0; i < OKNO_COUNT(cases); i++) {
        OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
        int code = cases[i].at ? RUN(&text, "strip", cases[i].how, cases[i].at, found.paths[0])
                               : RUN(&text, "strip", cases[i].how, found.paths[0]);
        assert_int_equal(code, cases[i].code);
        assert_string_equal(okno_buf_text(&text), cases[i].line);
    }
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    assert_int_equal(RUN(&text, "strip", "--at", "soon", found.paths[0]), 2);
    assert_int_equal(RUN(&text, "strip", "--middle", found.paths[0]), 2);
}

static void wrong_options_are_refused_with_what_is_allowed(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"--minutes", "0", "1 to 1440"},    {"--minutes", "1x", "1 to 1440"},
        {"--minutes", "1441", "1 to 1440"}, {"--fps", "7", "1 2 4 5 8 10"},
        {"--fps", "60", "1 to 50"},         {"--size", "641x360", "640x360"},
        {"--size", "big", "640x360"},       {"--seed", "-1", "from 0"},
        {"--b-frames", "4", "0 to 3"},      {"--url", "a,b", "commas"},
        {"--colour", "red", "--help"}};
    char root[256];
    below(root, "refused");
    for (size_t i = 0; i < OKNO_COUNT(bad); i++) {
        OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
        assert_int_equal(RUN(&text, "scene", bad[i][0], bad[i][1], root), 2);
        assert_non_null(strstr(okno_buf_text(&text), bad[i][2]));
        assert_int_equal(access(root, F_OK), -1);
    }
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    assert_int_equal(RUN(&text, "scene", "--no-video"), 2);
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    OKNO_AUTO_BUF text = OKNO_BUF_INIT(OUTPUT_MAX);
    assert_int_not_equal(RUN(&text, "scene", "--no-video", "/dev/null/shop"), 0);
    assert_non_null(strstr(okno_buf_text(&text), "/dev/null"));
}

static int setup(void **state)
{
    (void)state;
    if (folder_make() < 0)
        return -1;
    (void)snprintf(film, sizeof(film), "%s/film", folder);
    run_well("scene", (const char *const[]){"--minutes", "2", film, NULL});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_shows_the_true_time_of_its_name_and_timestamp),
        cmocka_unit_test(the_first_camera_recorded_nothing_in_the_hole_and_its_file_ends_early),
        cmocka_unit_test(files_start_on_whole_seconds_of_the_cameras_own_clock),
        cmocka_unit_test(one_camera_has_its_index_in_front_the_other_at_the_end),
        cmocka_unit_test(the_same_options_make_the_same_bytes_and_another_seed_another_story),
        cmocka_unit_test(reordered_frames_and_other_sizes_and_rates_keep_their_time),
        cmocka_unit_test(one_frame_can_be_asked_for),
        cmocka_unit_test(wrong_options_are_refused_with_what_is_allowed),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests_name("scene", tests, setup, teardown);
}
